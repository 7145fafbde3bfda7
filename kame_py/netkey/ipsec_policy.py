# SPDX-License-Identifier: BSD-3-Clause
"""Which policy a packet falls under, and whether it came through what the policy asks for.

KAME ipsec.c (ipsec_setspidx_mbuf, ipsec6_getpolicybyaddr, ipsec6_getpolicybysock, ipsec_in_reject).
Deviates: requests are compared with the associations that a packet came through, their mode and
the ends of their tunnels, not with three marks; ICMPv6 has type and code for ports. RFC 2401 s.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.mbuf import trace
from kame_py.netkey.key_spd import ipsec_get_reqlevel, key_allocsp, key_usesp
from kame_py.netkey.keydb import Secpolicyindex
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr, Udphdr
from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_ICMPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
)
from kame_py.wire.ip6ext import walk
from kame_py.wire.patch import u8, u16
from kame_py.wire.pfkeyv2 import (
    IPSEC_DIR_INBOUND,
    IPSEC_LEVEL_REQUIRE,
    IPSEC_LEVEL_UNIQUE,
    IPSEC_MODE_ANY,
    IPSEC_MODE_TRANSPORT,
    IPSEC_MODE_TUNNEL,
    IPSEC_POLICY_DISCARD,
    IPSEC_POLICY_ENTRUST,
    IPSEC_POLICY_IPSEC,
    IPSEC_POLICY_NONE,
    IPSEC_PORT_ANY,
    IPSEC_ULPROTO_ANY,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.netkey.keydb import Ipsecrequest, Secasvar, Secpolicy

_FULL: Final = 128  # prefix length of one address
_PORTS: Final = Udphdr.O_uh_ulen  # octets; TCP has its ports at the same place
_NO_PORTS: Final = (IPSEC_PORT_ANY, IPSEC_PORT_ANY)
_WITH_PORTS: Final = frozenset((IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMPV6))
_PROTOS: Final = {IPPROTO_AH: "ah", IPPROTO_ESP: "esp"}
_MODES: Final = {IPSEC_MODE_TRANSPORT: "transport", IPSEC_MODE_TUNNEL: "tunnel"}
_POLICIES: Final = {
    IPSEC_POLICY_NONE: "none",
    IPSEC_POLICY_IPSEC: "ipsec",
    IPSEC_POLICY_DISCARD: "discard",
}


# -- selectors ---------------------------------------------------------------------------------


def ipsec_ports(data: bytes, off: int, nxt: int) -> tuple[int, int]:
    """Source and destination port of what lies at ``off``; type and code of ICMPv6; else any."""
    if nxt not in _WITH_PORTS:
        return _NO_PORTS
    if nxt != IPPROTO_ICMPV6 and len(data) >= off + _PORTS:
        return u16(data, off + Udphdr.O_uh_sport), u16(data, off + Udphdr.O_uh_dport)
    if nxt == IPPROTO_ICMPV6 and len(data) >= off + Icmp6Hdr.O_icmp6_cksum:
        return u8(data, off + Icmp6Hdr.O_icmp6_type), u8(data, off + Icmp6Hdr.O_icmp6_code)
    return _NO_PORTS


def ipsec_upper(data: bytes) -> tuple[int, int]:
    """(upper protocol, its offset) of a whole packet; any protocol in a later fragment."""
    chain = walk(data, u8(data, Ip6Hdr.O_ip6_nxt), Ip6Hdr.SIZE, len(data))
    if chain.fragment or chain.error is not None or chain.nxt == IPPROTO_FRAGMENT:
        return IPSEC_ULPROTO_ANY, len(data)
    return chain.nxt, chain.off


def ipsec6_getpolicy(
    kern: Kernel, direction: int, src: bytes, dst: bytes, nxt: int, ports: tuple[int, int]
) -> Secpolicy:
    """The policy of a packet: the first that fits, else the default one."""
    key = kern.key
    protocols = key.policies[direction]
    if nxt not in protocols and IPSEC_ULPROTO_ANY not in protocols:
        return key.ip6_def_policy
    sport, dport = ports
    selectors = (direction, src, _FULL, dst, _FULL, nxt, sport, dport)
    sp = key.spcache.get(selectors)  # key_allocsp for what it knows
    if sp is not None:
        key_usesp(kern, sp)
        return sp
    if selectors not in key.spcache:
        sp = key_allocsp(kern, Secpolicyindex(*selectors))
    return key.ip6_def_policy if sp is None else sp


def ipsec6_getpolicybysock(
    kern: Kernel,
    m: Mbuf,
    direction: int,
    nxt: int,
    ports: tuple[int, int],
    own: Secpolicy | None,
) -> Secpolicy:
    """The same for a packet of a socket, whose own policy stands above the database."""
    if own is None or own.policy == IPSEC_POLICY_ENTRUST:
        return ipsec6_getpolicy(kern, direction, m.src, m.dst, nxt, ports)
    return own


def ipsec_tracepolicy(kern: Kernel, m: Mbuf, sp: Secpolicy, way: str) -> None:
    """Note which policy of the database the packet met."""
    if sp is not kern.key.ip6_def_policy:
        wants = "".join(
            f" {_PROTOS.get(isr.proto, isr.proto)}/{_MODES.get(isr.mode, isr.mode)}"
            for isr in sp.req
        )
        trace(m, f"policy {sp.id} {way}: {_POLICIES.get(sp.policy, sp.policy)}{wants}")


# -- inbound -----------------------------------------------------------------------------------


def ipsec_in_reject(kern: Kernel, m: Mbuf, sp: Secpolicy) -> bool:
    """Whether the policy refuses a packet for what it came through, or did not.

    Levels below require ask for nothing. What the packet has beyond the policy is no harm.
    Source: KAME ipsec.c ipsec_in_reject; RFC 2401 s.5.2.1.
    """
    if sp.policy == IPSEC_POLICY_DISCARD:
        return True
    if sp.policy != IPSEC_POLICY_IPSEC:
        return False
    if not sp.req:
        return False
    hist = m.ipsec.hist if m.ipsec is not None else ()
    return any(
        ipsec_get_reqlevel(kern, isr) == IPSEC_LEVEL_REQUIRE
        and not any(_satisfies(sav, isr) for sav in hist)
        for isr in sp.req
    )


def _satisfies(sav: Secasvar, isr: Ipsecrequest) -> bool:
    idx = sav.saidx
    if idx.proto != isr.proto or idx.mode not in (IPSEC_MODE_ANY, isr.mode):
        return False
    if isr.level == IPSEC_LEVEL_UNIQUE and isr.reqid not in (0, idx.reqid):
        return False
    if isr.mode != IPSEC_MODE_TUNNEL:
        return True
    return idx.dst == isr.dst and idx.src in (isr.src, bytes(len(idx.src)))


def ipsec6_in_reject(kern: Kernel, m: Mbuf, nxt: int, ports: tuple[int, int]) -> bool:
    """The same for the policy of the database."""
    sp = ipsec6_getpolicy(kern, IPSEC_DIR_INBOUND, m.src, m.dst, nxt, ports)
    if kern.tracing:
        ipsec_tracepolicy(kern, m, sp, "in")
    return ipsec_in_reject(kern, m, sp)
