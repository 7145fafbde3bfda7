# SPDX-License-Identifier: BSD-3-Clause
"""Numbers that the kernels of bulk.py share with those who feed them: actions, rows, settings.

No KAME counterpart. Plain numbers, which numba freezes; the words of a row are 64 bits.
"""

from __future__ import annotations

from typing import Final

from kame_py.fast.batch import SLACK
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import Ip6Dest, Ip6Hdr, Ip6OptHomeAddress

#: Octets of the output around a frame: its block, and what a copy may write behind it.
EPB_MAX: Final = pcapfmt.EPB_O_DATA + pcapfmt.PAD + pcapfmt.EPB_TAIL_LEN + SLACK

# A home address option as it usually is, alone in a header; from the IPv6 header in front of it.
HAO_PAD: Final = 4  # octets in front of it, so that it stands at 8n + 6
HAO_AT: Final = Ip6Hdr.SIZE + Ip6Dest.SIZE + HAO_PAD
HOA_AT: Final = HAO_AT + Ip6OptHomeAddress.O_ip6oh_addr
HAO_LEN: Final = Ip6Dest.SIZE + HAO_PAD + Ip6OptHomeAddress.SIZE  # of the header

# What becomes of a packet. The first two stop a run.
A_MISS: Final = 0  # the table has not heard of an address
A_PUNT: Final = 1  # for the slow path
A_FORWARD: Final = 2
A_TUNNEL: Final = 3  # into the tunnel to a mobile node
A_OWN: Final = 4  # the node sent it itself
A_NOTFORUS: Final = 5  # drops: unicast to another station
A_MCAST: Final = 6  # group that was not joined
A_TYPE: Final = 7  # not IPv6
A_TYPE_GROUP: Final = 8  # not IPv6, to a group or to all
A_NOTOURS: Final = 9  # IPv6 for another node, and this one does not forward
A_ECHO: Final = 10  # a ping, answered
A_UPDATE: Final = 11  # a binding update, used (bu.py)
A_BADAUTH: Final = 12  # ... with a wrong code
A_SEQNO: Final = 13  # ... with an old number
A_AHDONE: Final = 14  # good under AH, with nothing inside (ah.py)
A_AHBAD: Final = 15  # under AH with a wrong code
A_AHREPLAY: Final = 16  # ... with a number that was there
A_ROUTED: Final = 17  # a ping, answered by way of a care-of address
A_ROUTED_HAO: Final = 18  # ... that came with a home address option
A_COUNT: Final = 19
GO_ON: Final = 20  # first_look has nothing against it

# Counters behind those of the actions.
C_IBYTES: Final = A_COUNT
C_OBYTES: Final = A_COUNT + 1
C_DECAP: Final = A_COUNT + 2
C_TOUCHED: Final = A_COUNT + 3  # how many adjacencies are in ``touched``
C_BCS: Final = A_COUNT + 4  # how many bindings are in T_BCS
C_POS: Final = A_COUNT + 5  # where the output ends; it and what follows outlives a reckoning
C_FRAMES: Final = A_COUNT + 6  # in the output
C_LOOKED: Final = A_COUNT + 7  # packets of the batch whose hash is known, in T_ROW
C_FETCHED: Final = A_COUNT + 8  # ... of which that is a row which is being fetched
C_COUNT: Final = A_COUNT + 9

# A row of the table: what is known of one address. Row 0 is that of none.
R_KEY0: Final = 0
R_KEY1: Final = 1
R_INFO: Final = 2
R_COA0: Final = 3  # care-of address, of K_TUNNEL and where R_BIND is not 0
R_COA1: Final = 4
R_SEND: Final = 5  # 1 + number of the adjacency of what this node sends there; 0: unusual
R_BIND: Final = 6  # 1 + adjacency of R_COA | own end << BIND_SHIFT: answers go that way; 0: none
R_BC: Final = 7  # row of that binding in the cache | adjacency of R_KEY << BIND_SHIFT
R_SIZE: Final = 8  # words: one cache line

# A slot of the index: number of a row << TAG_BITS | bits of the hash of its key; 0: free.
TAG_BITS: Final = 10
TAG: Final = (1 << TAG_BITS) - 1
ROW_MAX: Final = (1 << (32 - TAG_BITS)) - 1

# R_INFO: kind, and what belongs to it.
K_DEAD: Final = 1  # was right once
K_PUNT: Final = 2
K_LOCAL: Final = 3
K_NOTOURS: Final = 4
K_FORWARD: Final = 5
K_TUNNEL: Final = 6
KIND_MASK: Final = 0xF
NEIGHBOUR: Final = 1 << 4  # on the link that packets come from
WHY_SHIFT: Final = 8
END_SHIFT: Final = 16  # number of the tunnel's own end
ADJ_SHIFT: Final = 32  # number of the adjacency
BIND_SHIFT: Final = 32
BIND_LOW: Final = (1 << BIND_SHIFT) - 1
BYTE: Final = 0xFF
HALF: Final = 0xFFFF

# A row of adjacencies: a next hop.
J_STATE: Final = 0
J_FORWARD_MAX: Final = 1  # octets of a packet that is forwarded
J_TUNNEL_MAX: Final = 2  # ... of one with its outer header
J_LINK0: Final = 3  # link header, 8 octets and the rest
J_LINK1: Final = 4
J_REDIRECT: Final = 5  # neighbours that send this way may need a redirect
J_SIZE: Final = 8
J_DEAD: Final = 0
J_GOOD: Final = 1
J_BAD: Final = 2  # + reason << WHY_SHIFT

# The kernel's settings.
E_LINK: Final = 0  # octets of link header
E_MAC: Final = 1
E_ANYMAC: Final = 2  # other stations' frames are for the slow path
E_CLOSED: Final = 3  # everything is for the slow path, for this reason
E_DECAP: Final = 4  # out of mobile nodes' tunnels
E_HLIM: Final = 5  # of outer headers
E_SECRET0: Final = 6
E_SECRET1: Final = 7
E_WRITE: Final = 8  # output is wanted
E_MASK: Final = 9  # slots of the index - 1; they are a power of two
E_END: Final = 10  # of the settings
E_ECHO: Final = 11  # pings are answered with this hop limit; 0: on the slow path
E_ANYGROUP: Final = 12  # frames to groups are for the slow path, but those to all
E_LEAST: Final = 13  # octets of a frame that is worth the short way of bulk.plain
E_TOUCHED: Final = 14  # policies of IPsec ask about some packets that this node sends on: ...
E_PROTOS: Final = 15  # ... those with these numbers behind the IPv6 header, a bit each
E_HAO: Final = 19  # home address options are taken
E_MACS: Final = 20  # joined groups follow

# Arrays that stay for many batches, as one argument of a kernel.
T_ROWS: Final = 0
T_INDEX: Final = 1
T_ADJ: Final = 2
T_ENDS: Final = 3
T_ENV: Final = 4
T_USE: Final = 5
T_TOUCHED: Final = 6
T_ACT: Final = 7  # by packet: what becomes of it
T_ROW: Final = 8  # by packet: first word of a row, or the hash that leads there
T_OUT: Final = 9
T_CNT: Final = 10
T_HIST: Final = 11
T_BCS: Final = 12  # bindings that answers went by, in order
