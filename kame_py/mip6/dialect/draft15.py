# SPDX-License-Identifier: BSD-3-Clause
"""draft-ietf-mobileip-ipv6-15, what KAME spoke by default.

Its octets are in wire/mip6_draft15.py. Read first: the draft, s.4.6 and s.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.wire.const import IP6_MIP6_BU_ACK, IP6_MIP6_BU_DAD, IP6_MIP6_BU_HOME
from kame_py.wire.mip6 import HaDiscoveryRequest
from kame_py.wire.mip6_draft15 import IP6_MIP6_BU_SINGLE, MIP6_BA_STATUS_SEQNO_TOO_SMALL, WIRE

if TYPE_CHECKING:
    from kame_py.mip6.dialect.base import Dialect
    from kame_py.wire.mip6 import BindingUpdate, OptionWire

_SEQNO_MASK: Final = (1 << WIRE.seqno_bits) - 1
_SEQNO_HALF: Final = 1 << (WIRE.seqno_bits - 1)


class Draft15:
    """Sequence numbers of 8 bits, S bit, authentication data in the options."""

    name: str = "draft-15"
    wire: OptionWire = WIRE
    seqno_too_small: int | None = MIP6_BA_STATUS_SEQNO_TOO_SMALL
    use_ipsec_default: int = 0
    use_authdata_default: int = 1

    def newer(self, new: int, old: int) -> bool:
        return 0 < (new - old) & _SEQNO_MASK < _SEQNO_HALF

    def next_seqno(self, seqno: int) -> int:
        return (seqno + 1) & _SEQNO_MASK

    def single(self, bu: BindingUpdate) -> bool:
        return bool(bu.flags & IP6_MIP6_BU_SINGLE)

    def home_flags(self, need_dad: bool, single: bool = False) -> int:
        flags = IP6_MIP6_BU_ACK | IP6_MIP6_BU_HOME | (IP6_MIP6_BU_DAD if need_dad else 0)
        return flags | (IP6_MIP6_BU_SINGLE if single else 0)

    def home_prefixlen(self) -> int:
        return 0

    def dhaad_request(self, ident: int, home: bytes) -> HaDiscoveryRequest:
        return HaDiscoveryRequest(ident)


DRAFT15: Final[Dialect] = Draft15()
