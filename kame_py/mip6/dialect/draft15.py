# SPDX-License-Identifier: BSD-3-Clause
"""draft-ietf-mobileip-ipv6-15, what KAME spoke by default.

Its octets are in wire/mip6_draft15.py. Read first: the draft, s.4.6 and s.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.mip6 import mip6_mpa, mip6_mps
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_HA, MIP6_CONFIG_TYPE_MN
from kame_py.wire.const import (
    ICMP6_MOBILEPREFIX_ADVERT,
    ICMP6_MOBILEPREFIX_SOLICIT,
    IP6_MIP6_BU_ACK,
    IP6_MIP6_BU_DAD,
    IP6_MIP6_BU_HOME,
)
from kame_py.wire.mip6 import HaDiscoveryRequest
from kame_py.wire.mip6_draft15 import IP6_MIP6_BU_SINGLE, MIP6_BA_STATUS_SEQNO_TOO_SMALL, WIRE

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.dialect.base import Dialect, Messages, PrefixDelivery
    from kame_py.mip6.mip6_var import Mip6Bu, Mip6Hr
    from kame_py.wire.mip6 import BindingUpdate, OptionWire

_SEQNO_MASK: Final = (1 << WIRE.seqno_bits) - 1
_SEQNO_HALF: Final = 1 << (WIRE.seqno_bits - 1)
IFID_BITS: Final = 64  # of an interface identifier, RFC 2373 s.2.5.1


class MobilePrefixMessages:
    """ICMPv6 messages of their own (s.5.8, s.5.9)."""

    interval_s: int = 0
    wants_update: bool = False
    messages: Messages = {
        (MIP6_CONFIG_TYPE_MN, ICMP6_MOBILEPREFIX_ADVERT): mip6_mps.mip6_mp_adv_input,
        (MIP6_CONFIG_TYPE_HA, ICMP6_MOBILEPREFIX_SOLICIT): mip6_mpa.mip6_mp_sol_input,
    }

    def init(self, kern: Kernel) -> None:
        return None

    def solicit(self, kern: Kernel, bu: Mip6Bu) -> None:
        mip6_mps.mip6_icmp6_mp_sol_output(kern, bu.mbu_paddr)

    def advertise(self, kern: Kernel, hr: Mip6Hr, options: bytes, dest2: bytes) -> int:
        return mip6_mpa.mip6_mp_adv_output(kern, hr, options, dest2)


@dataclass(slots=True, eq=False)
class Draft15:
    """Sequence numbers of 8 bits, S bit, authentication data in the options."""

    name: str = "draft-15"
    wire: OptionWire = WIRE
    seqno_too_small: int | None = MIP6_BA_STATUS_SEQNO_TOO_SMALL
    use_ipsec_default: int = 0
    use_authdata_default: int = 1
    ah_forced: bool = False
    ack_by_coa: bool = False
    prefixes: PrefixDelivery = MobilePrefixMessages()

    def newer(self, new: int, old: int) -> bool:
        return 0 < (new - old) & _SEQNO_MASK < _SEQNO_HALF

    def next_seqno(self, seqno: int) -> int:
        return (seqno + 1) & _SEQNO_MASK

    def single(self, bu: BindingUpdate) -> bool:
        return bool(bu.flags & IP6_MIP6_BU_SINGLE)

    def home_flags(self, need_dad: bool, single: bool = False, router: bool = False) -> int:
        flags = IP6_MIP6_BU_ACK | IP6_MIP6_BU_HOME | (IP6_MIP6_BU_DAD if need_dad else 0)
        return flags | (IP6_MIP6_BU_SINGLE if single else 0)

    def home_prefixlen(self, plen: int, single: bool) -> int:
        return 0

    def prefix_refused(self, bu: BindingUpdate, plen: int) -> int:
        return 0

    def ifid_at(self, bu: BindingUpdate) -> int:
        return IFID_BITS

    def proxy_router(self, flags: int) -> bool:
        return False

    def acks_deregistration(self, flags: int) -> bool:
        return True

    def dhaad_request(self, ident: int, home: bytes) -> HaDiscoveryRequest:
        return HaDiscoveryRequest(ident)


DRAFT15: Final[Dialect] = Draft15()
