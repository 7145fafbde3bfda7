# SPDX-License-Identifier: BSD-3-Clause
"""draft-ietf-mobileip-ipv6-13, what KAME spoke with ``options MIP6_DRAFT13``.

Its octets are in wire/mip6_draft13.py. Deviates from KAME: the prefix length is the home prefix's,
or none where an update is for one address; the R bit is honoured; prefixes are delivered; AH is
forced although no policy asks for it. Read first: the draft, s.4.4, s.4.6 and s.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.mip6 import mip6_ratunnel
from kame_py.wire.const import IP6_MIP6_BU_ACK, IP6_MIP6_BU_DAD, IP6_MIP6_BU_HOME
from kame_py.wire.mip6 import HaDiscoveryRequest
from kame_py.wire.mip6_draft13 import (
    IP6_MIP6_BU_ROUTER,
    MIP6_BA_STATUS_INCORRECT_IFID_LEN,
    WIRE,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.dialect.base import Dialect, Messages, PrefixDelivery
    from kame_py.mip6.mip6_var import Mip6Bu, Mip6Hr
    from kame_py.wire.mip6 import BindingUpdate, OptionWire

_SEQNO_MASK: Final = (1 << WIRE.seqno_bits) - 1
_SEQNO_HALF: Final = 1 << (WIRE.seqno_bits - 1)
HOME_RTR_ADV_INTERVAL_S: Final = 1000  # s.11: HomeRtrAdvInterval


class TunnelledAdvertisements:
    """Router solicitations and advertisements inside a tunnel (s.9.8, s.10.16, s.10.17)."""

    interval_s: int = HOME_RTR_ADV_INTERVAL_S
    wants_update: bool = True
    messages: Messages = {}

    def init(self, kern: Kernel) -> None:
        mip6_ratunnel.mip6_ratunnel_init(kern)

    def solicit(self, kern: Kernel, bu: Mip6Bu) -> None:
        mip6_ratunnel.mip6_tunnel_rs_output(kern, bu)

    def advertise(self, kern: Kernel, hr: Mip6Hr, options: bytes, dest2: bytes) -> int:
        return mip6_ratunnel.mip6_tunnel_ra_output(kern, hr, options, dest2)


@dataclass(slots=True, eq=False)
class Draft13:
    """Sequence numbers of 16 bits, a prefix length, protection by AH alone."""

    name: str = "draft-13"
    wire: OptionWire = WIRE
    seqno_too_small: int | None = None
    use_ipsec_default: int = 1
    use_authdata_default: int = 1  # shown by mip6control as in KAME; without effect
    ah_forced: bool = True
    ack_by_coa: bool = True
    prefixes: PrefixDelivery = TunnelledAdvertisements()

    def newer(self, new: int, old: int) -> bool:
        return 0 < (new - old) & _SEQNO_MASK < _SEQNO_HALF

    def next_seqno(self, seqno: int) -> int:
        return (seqno + 1) & _SEQNO_MASK

    def single(self, bu: BindingUpdate) -> bool:
        return not bu.prefixlen

    def home_flags(self, need_dad: bool, single: bool = False, router: bool = False) -> int:
        flags = IP6_MIP6_BU_ACK | IP6_MIP6_BU_HOME | (IP6_MIP6_BU_DAD if need_dad else 0)
        return flags | (IP6_MIP6_BU_ROUTER if router else 0)

    def home_prefixlen(self, plen: int, single: bool) -> int:
        return 0 if single else plen

    def prefix_refused(self, bu: BindingUpdate, plen: int) -> int:
        return MIP6_BA_STATUS_INCORRECT_IFID_LEN if bu.prefixlen not in (0, plen) else 0

    def ifid_at(self, bu: BindingUpdate) -> int:
        return bu.prefixlen

    def proxy_router(self, flags: int) -> bool:
        return bool(flags & IP6_MIP6_BU_ROUTER)

    def acks_deregistration(self, flags: int) -> bool:
        return bool(flags & IP6_MIP6_BU_ACK)

    def dhaad_request(self, ident: int, home: bytes) -> HaDiscoveryRequest:
        return HaDiscoveryRequest(ident, home)


DRAFT13: Final[Dialect] = Draft13()
