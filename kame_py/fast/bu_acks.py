# SPDX-License-Identifier: BSD-3-Clause
"""The acknowledgements of a run: laid out by templates, signed in batches, written as blocks.

KAME mip6_binding.c (mip6_bc_send_ba, mip6_ba_destopt_create). A template is what the slow path
sends, made by the functions that it calls: one for each length of a code, with a routing header and
without. Nothing is signed that nobody gets to see. draft-15 s.4.4, s.8.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast import bu_layout as bk
from kame_py.fast import kernels, layout
from kame_py.fast.batch import BATCH, SLACK
from kame_py.fast.hmac_mb import hmac_batch
from kame_py.fast.sas import CODE, KINDS, ROOM, S_ICVLEN, S_KIND, S_SPI
from kame_py.netinet6.ip6_output import ip6_chain, ip6_pkt
from kame_py.netinet6.ip6_var import Exthdrs
from kame_py.wire.codecs import Ip6Dest, Ip6Hdr, Ip6Rthdr0
from kame_py.wire.const import IP6OPT_BINDING_ACK, IPPROTO_NONE
from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.ip6ext import AlignedOpt, Opt, build_options, build_rthdr0, iter_options
from kame_py.wire.mip6 import BindingAck

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, U32
    from kame_py.fast.sas import SaTable
    from kame_py.wire.mip6 import OptionWire

_HDR: Final = Ip6Hdr.SIZE
_ICVLENS: Final = tuple(sorted({icvlen for _, icvlen in KINDS}))
#: Numbers of shapes: by the length of the code; those that go straight home come behind.
SHAPE_OF: Final = {icvlen: n for n, icvlen in enumerate(_ICVLENS)}
STRAIGHT: Final = len(_ICVLENS)
_SHAPES: Final[I64] = np.array([SHAPE_OF.get(icvlen, 0) for icvlen in range(CODE + 1)])
_ADDRS: Final = 2 * len(IN6ADDR_ANY)  # octets in front of the option, in what is signed


class Acks:
    """Writes acknowledgements. kame: the reserved octet is signed, as KAME did."""

    def __init__(self, wire: OptionWire, hlim: int, kame: bool) -> None:
        self.made_for = (wire, hlim, kame)
        self._reserved = 1 if kame else 0
        self.shapes: I64 = np.zeros((2 * STRAIGHT, bk.F_SIZE), np.int64)
        octets = bytearray()
        for n in range(2 * STRAIGHT):
            packet, row = _template(wire, hlim, _ICVLENS[n % STRAIGHT], n >= STRAIGHT)
            self.shapes[n, : len(row) + 1] = len(octets), *row
            octets += packet
        self._templates: U8 = np.frombuffer(bytes(octets) + bytes(SLACK), np.uint8)
        self._space: U8 = np.zeros(BATCH * bk.FRAME_MAX + SLACK, np.uint8)
        self._room: U8 = np.zeros(ROOM + SLACK, np.uint8)
        self._at: I64 = np.zeros(BATCH, np.int64)
        self._size: U32 = np.zeros(BATCH, np.uint32)
        self._sa: I64 = np.zeros(BATCH, np.int64)
        self._codes: U8 = np.zeros((BATCH, CODE), np.uint8)

    def signed_octets(self, icvlen: int) -> int:
        """Octets that the code of an acknowledgement is over."""
        row = self.shapes[SHAPE_OF[icvlen]]
        option = int(row[bk.F_CODE] - row[bk.F_OPTION])
        return _ADDRS + option - (1 - self._reserved)

    def lay_out(self, acks: I64, addrs: U8, vias: bytes, table: SaTable) -> None:
        """Make and sign so many acknowledgements, one for each row of ``acks``."""
        n = len(acks)
        kernels.make_acks(
            *(acks, n, addrs, np.frombuffer(vias, np.uint8), self._templates, self.shapes),
            *(self._reserved, self._space, self._room, self._at, self._size, self._sa),
        )
        kinds = table.rows[acks[:, bk.B_SA], S_KIND]
        for kind in np.unique(kinds).tolist():
            which = np.flatnonzero(kinds == kind)
            alg, icvlen = KINDS[kind]
            codes: U8 = np.zeros((len(which), CODE), np.uint8)
            columns = (self._sa[which], self._room, self._at[which], self._size[which])
            hmac_batch(alg, table.states, *columns, codes, icvlen)
            self._codes[which] = codes

    def write(
        self, acks: I64, first: int, updates: I64, stamps: I64, link: int, out: U8, pos: int
    ) -> tuple[int, int]:
        """Write from the ``first`` on; which one had no room, and where the output ends."""
        return kernels.write_acks(
            *(acks, first, len(acks), updates, stamps, self.shapes, self._space, self._codes),
            *(link, out, pos),
        )

    def octets(self, acks: I64, link: int) -> int:
        """Octets of all frames."""
        return int(self.shapes[acks[:, bk.B_SHAPE], bk.F_OCTETS].sum()) + link * len(acks)


def fill(acks: I64, rows: I64, hops: I64, table: SaTable, adj: I64) -> None:
    """The columns that follow from the association that signs and the neighbour on the way."""
    acks[:, bk.B_SA] = rows
    acks[:, bk.B_SPI] = table.rows[rows, S_SPI]
    acks[:, bk.B_SHAPE] = _SHAPES[table.rows[rows, S_ICVLEN]]
    acks[:, bk.B_LINK0 : bk.B_LINK1 + 1] = adj[hops, layout.J_LINK0 : layout.J_LINK1 + 1]


def _template(
    wire: OptionWire, hlim: int, icvlen: int, straight: bool
) -> tuple[bytes, tuple[int, ...]]:
    """An acknowledgement without contents, and F_OCTETS to F_ICVLEN of its shape."""
    head, align, plus = wire.uncoded(BindingAck(0, 0, 0, 0), 0, icvlen)
    dest2 = build_options(IPPROTO_NONE, [AlignedOpt(head + bytes(icvlen), align, plus)])
    rthdr = b"" if straight else build_rthdr0(IPPROTO_NONE, (IN6ADDR_ANY,), 1)
    hdr = ip6_pkt(IN6ADDR_ANY, IN6ADDR_ANY, IPPROTO_NONE, b"", hlim)
    packet = ip6_chain(hdr, IPPROTO_NONE, Exthdrs(rthdr=rthdr, dest2=dest2), b"")
    options = iter_options(dest2, Ip6Dest.SIZE, len(dest2))
    found = [o for o in options if isinstance(o, Opt) and o.type == IP6OPT_BINDING_ACK]
    option = len(packet) - len(dest2) + found[0].off
    via = 0 if straight else _HDR + Ip6Rthdr0.SIZE
    if len(packet) > bk.FRAME_MAX:
        raise ValueError(f"an acknowledgement of {len(packet)} octets")
    return packet, (len(packet), via, option, option + len(head), icvlen)
