# SPDX-License-Identifier: BSD-3-Clause
"""A batch of packets as columns: what the vector path works on.

No KAME counterpart (VPP calls it a frame). The octets lie in one arena, wherever they were read; a
column holds one property of all packets. ``annotate`` fills the columns, order-free; ``bulk`` acts
on runs of packets that change no state; what has ``F_PUNT`` goes to the slow path, in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BATCH: Final = 1024  # packets; their octets stay in the second-level cache
SLACK: Final = 64  # octets behind an arena that a block load may touch

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

# Why the walk over a capture stopped
FULL: Final = 0  # the batch is, or the next packet has another link type
MORE: Final = 1  # the next record reaches beyond the window
ODD: Final = 2  # the slow reader's

# Flags of a packet. A kernel tests them, so they are plain numbers.
F_PUNT: Final = 1 << 0  # unusual: for the slow path, ``why`` tells why
F_IP6: Final = 1 << 1  # a whole IPv6 header, version 6, its payload all there
F_MCAST: Final = 1 << 2  # to a group
F_HAO: Final = 1 << 3  # one home address option, at ``hao``
F_RTHDR: Final = 1 << 4  # a routing header, at ``rthdr``
F_FRAG: Final = 1 << 5  # a fragment header
F_HBH: Final = 1 << 6  # a hop-by-hop header
F_DSTOPT: Final = 1 << 7  # a destination options header
F_MIP6OPT: Final = 1 << 8  # binding update, acknowledgement or request among the options
F_SUMMED: Final = 1 << 9  # has a transport checksum that was looked at
F_SUMOK: Final = 1 << 10  # and it is right
F_TUNNEL: Final = 1 << 11  # next header 41
F_AH: Final = 1 << 12  # an authentication header, at ``ipsec``
F_ESP: Final = 1 << 13  # an ESP header, at ``ipsec``
F_EXTRA: Final = 1 << 14  # octets behind the payload length

# Why a packet was punted; names are for people, in PUNT_NAMES.
P_NONE: Final = 0
P_NOTIP6: Final = 1
P_SHORT: Final = 2
P_JUMBO: Final = 3
P_HBH: Final = 4
P_FRAG: Final = 5
P_RTHDR: Final = 6
P_OPTION: Final = 7
P_EXTHDR: Final = 8
P_CHECKSUM: Final = 9
P_ND: Final = 10
P_ICMP6: Final = 11
P_BINDING: Final = 12
P_IPSEC: Final = 13
P_MCAST: Final = 14
P_ADDRESS: Final = 15
P_DELIVER: Final = 16
P_NOROUTE: Final = 17
P_NEIGHBOUR: Final = 18
P_TOOBIG: Final = 19
P_HLIM: Final = 20
P_POLICY: Final = 21
P_LINK: Final = 22
P_MIXED: Final = 23
P_REDIRECT: Final = 24
P_HOMEREG: Final = 25
P_NOSA: Final = 26
P_SHOWN: Final = 27
P_REST: Final = 28

PUNT_NAMES: Final = (
    *("", "not IPv6", "short", "jumbogram", "hop-by-hop options", "fragment", "routing header"),
    *("unusual option", "unusual header", "bad checksum", "neighbour discovery", "ICMPv6"),
    *("binding update", "IPsec", "multicast", "unusual address", "for a socket", "no route"),
    *("unresolved neighbour", "too big", "hop limit", "policy", "link layer", "mixed features"),
    *("redirect", "home registration", "unknown association", "shown in the report"),
    "no gain in batches",
)


@dataclass(slots=True)
class Batch:
    """Columns of ``n`` packets; the arrays are longer and used again.

    off, caplen, wirelen: of the frame in ``arena``. ts: ns. l3: of the IPv6 header, from ``off``;
    the other offsets count from the IPv6 header: upper, hao (of the option's data), rthdr, ipsec; 0
    none. nxt: upper protocol, or the header that ended the walk.
    """

    arena: U8
    n: int
    off: I64
    caplen: U32
    wirelen: U32
    ts: I64
    l3: U16
    flags: U32
    nxt: U8
    upper: U16
    hao: U16
    rthdr: U16
    ipsec: U16
    why: U8

    @classmethod
    def empty(cls, size: int = BATCH) -> Batch:
        """Columns for ``size`` packets, without any."""
        return cls(
            np.zeros(SLACK, np.uint8),
            0,
            np.zeros(size, np.int64),
            np.zeros(size, np.uint32),
            np.zeros(size, np.uint32),
            np.zeros(size, np.int64),
            np.zeros(size, np.uint16),
            np.zeros(size, np.uint32),
            np.zeros(size, np.uint8),
            np.zeros(size, np.uint16),
            np.zeros(size, np.uint16),
            np.zeros(size, np.uint16),
            np.zeros(size, np.uint16),
            np.zeros(size, np.uint8),
        )
