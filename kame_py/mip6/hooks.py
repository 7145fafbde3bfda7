# SPDX-License-Identifier: BSD-3-Clause
"""The hooks of kern/hooks.py in a kernel with ``options MIP6``.

One method for each place where KAME's IPv6 core called mip6*.c; what is behind it belongs to the
correspondent, the home agent or the mobile node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.mbuf import M_NOBINDING
from kame_py.mip6 import (
    mip6_bu_output,
    mip6_bul,
    mip6_destopt,
    mip6_dhaad,
    mip6_hareg,
    mip6_home,
    mip6_icmp6,
    mip6_mcast,
    mip6_move,
    mip6_mpa,
    mip6_proxy,
    mip6_tunnel,
)
from kame_py.mip6.mip6_mcast import Mip6Mcast
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_HA, MIP6_CONFIG_TYPE_MN, Mip6State
from kame_py.netinet6.icmp6_var import MIP6STAT
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import (
    ICMP6_HADISCOV_REPLY,
    ICMP6_INFOMSG_MASK,
    IPPROTO_ICMPV6,
    MLD_LISTENER_DONE,
    MLD_LISTENER_QUERY,
    MLD_LISTENER_REPORT,
    ND_ROUTER_ADVERT,
)
from kame_py.wire.patch import u8

if TYPE_CHECKING:
    from kame_py.kern.drop import DropReason
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.mip6.dialect.base import Messages
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.in6_var import In6Ifaddr, In6Multi
    from kame_py.netinet6.ip6_var import Exthdrs
    from kame_py.netinet6.nd6 import NdDefrouter, NdPrefix
    from kame_py.wire.nd6opt import NdOptions


_NXT: Final = Ip6Hdr.O_ip6_nxt

#: (role, message) -> who uses it, whatever the draft.
_INFORMATIONAL: Final[Messages] = {
    (MIP6_CONFIG_TYPE_MN, ICMP6_HADISCOV_REPLY): mip6_dhaad.mip6_hadiscov_reply_input,
    (MIP6_CONFIG_TYPE_MN, MLD_LISTENER_QUERY): mip6_mcast.mip6_mld_query_input,
    (MIP6_CONFIG_TYPE_HA, MLD_LISTENER_REPORT): mip6_mcast.mip6_mld_input,
    (MIP6_CONFIG_TYPE_HA, MLD_LISTENER_DONE): mip6_mcast.mip6_mld_input,
    (MIP6_CONFIG_TYPE_HA, ND_ROUTER_ADVERT): mip6_mpa.mip6_mpa_ra_input,
}


class Mip6:
    """Mobility of one kernel. Every node is a correspondent; at most one role comes on top."""

    __slots__ = ("_informational", "mcast", "state")

    def __init__(self, state: Mip6State, mcast: Mip6Mcast) -> None:
        self.state = state
        self.mcast = mcast
        self._informational: Messages = {**_INFORMATIONAL, **state.dialect.prefixes.messages}

    @property
    def _mobile(self) -> bool:
        return self.state.config.mcfg_type == MIP6_CONFIG_TYPE_MN

    def mcast_input(self, kern: Kernel, m: Mbuf) -> bool | None:
        return mip6_mcast.mip6_mcast_input(kern, m)

    def route_optimize(self, kern: Kernel, m: Mbuf, off: int, nxt: int) -> bool:
        if self.state.config.mcfg_type != MIP6_CONFIG_TYPE_MN:  # _mobile, for each packet
            return True
        return mip6_bul.mip6_route_optimize(kern, m, off, nxt)

    def rthdr_hop(self, kern: Kernel, hop: bytes) -> bool:
        return mip6_home.mip6_haddr_left(kern, hop)

    def rthdr_done(self, kern: Kernel, m: Mbuf, off: int) -> None:
        if self._mobile:
            mip6_bul.mip6_rthdr_done(kern, m, off)

    def icmp6_input(self, kern: Kernel, m: Mbuf, off: int) -> bool | DropReason:
        kind = u8(m.data, off + Icmp6Hdr.O_icmp6_type)
        if not kind & ICMP6_INFOMSG_MASK:
            return mip6_icmp6.mip6_icmp6_error_input(kern, m, off)
        if kind in MIP6STAT:
            kern.stats.mip6[f"mip6s_{MIP6STAT[kind]}"] += 1
        use = self._informational.get((self.state.config.mcfg_type, kind))
        return use(kern, m, off) if use is not None else False

    def forward(self, kern: Kernel, m: Mbuf) -> bool:
        if not self.state.mip6_hrbc_list:
            return False
        return mip6_tunnel.mip6_intercept(kern, m)

    def exthdr_create(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
        if m.data[_NXT] == IPPROTO_ICMPV6 and mip6_destopt.mip6_is_nd(m):
            return 0
        if not m.flags & M_NOBINDING:
            error = mip6_destopt.mip6_cn_exthdr_create(kern, m, hdrs)
            if error:
                return error
        if self.state.config.mcfg_type != MIP6_CONFIG_TYPE_MN:
            return 0
        return mip6_bu_output.mip6_mn_exthdr_create(kern, m, hdrs)

    def mld_away(self, kern: Kernel, group: bytes) -> bool:
        return self._mobile and mip6_mcast.mip6_mld_away(kern, group)

    def mld_output(self, kern: Kernel, inm: In6Multi, kind: int) -> bool:
        return self._mobile and mip6_mcast.mip6_mld_output(kern, inm, kind)

    def addr_exchange(self, kern: Kernel, m: Mbuf) -> None:
        if self.state.config.mcfg_type == MIP6_CONFIG_TYPE_MN:
            mip6_bu_output.mip6_addr_exchange(kern, m)

    def selectsrc_prefer(
        self, kern: Kernel, dst: bytes, dport: int, a: In6Ifaddr, b: In6Ifaddr
    ) -> int:
        return mip6_bu_output.mip6_selectsrc_prefer(kern, dst, dport, a, b)

    def ns_output(self, kern: Kernel, ifp: Ifnet, target: bytes, dad: bool) -> bool:
        return self._mobile and mip6_move.mip6_ns_output(kern, ifp, target, dad)

    def ns_input(self, kern: Kernel, src: bytes, target: bytes) -> bool:
        return self._mobile and mip6_move.mip6_ns_input(kern, src, target)

    def na_input(self, kern: Kernel, target: bytes) -> bool:
        return self._mobile and mip6_home.mip6_deregistering(kern, target)

    def proxied_router(self, kern: Kernel, target: bytes) -> bool | None:
        return mip6_proxy.mip6_proxied_router(kern, target)

    def dad_find(self, kern: Kernel, ifp: Ifnet, target: bytes) -> In6Ifaddr | None:
        return mip6_hareg.mip6_dad_find(kern, ifp, target)

    def dad_success(self, kern: Kernel, ia: In6Ifaddr) -> bool:
        return mip6_hareg.mip6_dad_success(kern, ia)

    def dad_duplicated(self, kern: Kernel, ia: In6Ifaddr) -> bool:
        if mip6_hareg.mip6_dad_duplicated(kern, ia):
            return True
        mip6_move.mip6_coa_duplicated(kern)
        return False

    def need_dad(self, kern: Kernel, ia: In6Ifaddr) -> bool:
        return mip6_bul.mip6_ifa_need_dad(kern, ia)

    def ra_prefix(
        self, kern: Kernel, src: bytes, pr: NdPrefix, dr: NdDefrouter | None, m: Mbuf
    ) -> bool:
        return not self._mobile or mip6_move.mip6_prefix_list_update(kern, src, pr, dr, m)

    def ra_done(
        self, kern: Kernel, src: bytes, dr: NdDefrouter | None, opts: NdOptions, m: Mbuf
    ) -> None:
        if self._mobile:
            mip6_move.mip6_ra_done(kern, src, dr, opts, m)

    def pfxlist_changed(self, kern: Kernel) -> None:
        if self.state.mip6_hrbc_list:
            mip6_hareg.mip6_hr_check(kern)
            mip6_mpa.mip6_mpa_check(kern)
        if self._mobile:
            mip6_move.mip6_pfxlist_changed(kern)
