# SPDX-License-Identifier: BSD-3-Clause
"""What had hears: router advertisements fill the list, discovery requests are answered from it.

KAME: ra_input() and haad_request_input() of had.c. Deviates: an advertisement may hold any number
of options, KAME stopped after the eleventh; an R flag on a bare prefix makes no home agent address,
nor does a valid lifetime of zero. Read first: draft-ietf-mobileip-ipv6-15 s.9.7, s.9.8.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kame_py.lib.syslog import Syslog
from kame_py.lib.toolbase import addr_text
from kame_py.tools.had_if import HagentEntry, HagentGaddr, HagentIfinfo, Random, expiry
from kame_py.wire.codecs import Icmp6Hdr, NdOptPrefixInfo, NdRouterAdvert
from kame_py.wire.const import (
    ND_MAX_HLIM,
    ND_OPT_PI_FLAG_AUTO,
    ND_OPT_PI_FLAG_ONLINK,
    ND_OPT_PI_FLAG_ROUTER,
    ND_RA_FLAG_HOME_AGENT,
)
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_UNSPECIFIED,
    masked,
    ntop,
    prefix_equal,
)
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import HaDiscoveryReply, HaDiscoveryRequest, OptionWire
from kame_py.wire.nd6opt import NdOptions, parse_nd_options
from kame_py.wire.record import record
from kame_py.wire.sockaddr import IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_PKTINFO, Received

if TYPE_CHECKING:
    from kame_py.ctl.ops import ProgOps

ADDR_BITS: Final = 128
GLOBAL_UNICAST: Final = b"\x20" + bytes(
    15
)  # 2000::/3, where every prefix is a /64 (RFC 2373 s.2.5.7)
GLOBAL_UNICAST_LEN: Final = 3
GLOBAL_PLEN: Final = 64


@record
class Arrival:
    """One ICMPv6 message with what came beside it; src is text."""

    data: bytes
    src_addr: bytes
    src: str
    dst: bytes
    ifindex: int
    ifname: str
    hlim: int


@record
class Answer:
    """A reply and the source address that it must leave with."""

    source: bytes
    reply: HaDiscoveryReply


def arrival(ops: ProgOps, log: Syslog, rec: Received) -> Arrival | None:
    """The message with its destination, interface and hop limit."""
    dst, index, hlim = b"", 0, None
    for cmsg in rec.control:
        if cmsg.level == IPPROTO_IPV6 and cmsg.type == IPV6_HOPLIMIT:
            hlim = cmsg.value
        elif cmsg.level == IPPROTO_IPV6 and cmsg.type == IPV6_PKTINFO:
            assert isinstance(cmsg.value, tuple)  # what the kernel documents
            dst, index = cmsg.value
    if not index:
        log.err("had_input", "failed to get receiving interface")
        return None
    if not isinstance(hlim, int):
        log.err("had_input", "failed to get receiving hop limit")
        return None
    ifname = ops.if_indextoname(index)
    src = addr_text(rec.addr.addr, ifname)
    return Arrival(rec.data, rec.addr.addr, src, dst, index, ifname, hlim)


# -- router advertisements ------------------------------------------------------------------------


def ra_input(
    log: Syslog, ifaces: list[HagentIfinfo], others: set[int], arr: Arrival, now_ns: int
) -> None:
    """Take over what a router says of itself as home agent.

    others: links not ours of which the log knows already; a new one is added.
    """
    if not _valid(log, arr):
        return
    haif = next((h for h in ifaces if h.ifindex == arr.ifindex), None)
    if haif is None:
        _tell_other(log, others, arr.ifindex)
        return
    opts = parse_nd_options(arr.data, NdRouterAdvert.SIZE, len(arr.data), len(arr.data))
    if isinstance(opts, Malformed):
        log.info("ra_input", f"invalid ND option, ignored ({opts.reason} from {arr.src})")
        return
    ra = NdRouterAdvert.unpack(arr.data)
    lifetime_s, pref = _hainfo(ra, opts)
    if not ra.nd_ra_flags_reserved & ND_RA_FLAG_HOME_AGENT or not lifetime_s:
        haif.delete(arr.src_addr)
        return
    entry = haif.update(arr.src_addr, pref, lifetime_s, now_ns)
    for pi in opts.prefixes:
        _prefix(log, entry, arr, pi, now_ns)


def _valid(log: Syslog, arr: Arrival) -> bool:
    """Whether an advertisement is one (RFC 2461 s.6.1.2)."""
    where = f"from {arr.src} on {arr.ifname}"
    if arr.hlim != ND_MAX_HLIM:
        log.err("ra_input", f"RA with invalid hop limit({arr.hlim}) received {where}")
        return False
    code = Icmp6Hdr.unpack(arr.data).icmp6_code
    if code:
        log.err("ra_input", f"RA with invalid ICMP6 code({code}) received {where}")
        return False
    if len(arr.data) < NdRouterAdvert.SIZE:
        log.err("ra_input", f"RA {where} does not have enough length (len = {len(arr.data)})")
        return False
    if not IN6_IS_ADDR_LINKLOCAL(arr.src_addr):
        log.err("ra_input", f"src {arr.src} is not link-local")
        return False
    return True


def _tell_other(log: Syslog, others: set[int], ifindex: int) -> None:
    """A link that is not ours goes on advertising: one line is enough."""
    if ifindex not in others:
        others.add(ifindex)
        text = f"RA received on ifindex {ifindex} which is not home link, ignored"
        log.notice("ra_input", text)


def _hainfo(ra: NdRouterAdvert, opts: NdOptions) -> tuple[int, int]:
    """Lifetime and preference: of the option, else the router's and 0 (draft s.7.4)."""
    if opts.homeagent is None:
        return ra.nd_ra_router_lifetime, 0
    return opts.homeagent.nd_opt_hai_lifetime, opts.homeagent.nd_opt_hai_preference


def _prefix(
    log: Syslog, entry: HagentEntry, arr: Arrival, pi: NdOptPrefixInfo, now_ns: int
) -> None:
    """A prefix option with L and R: the whole field is an address of the agent (draft s.7.2)."""
    addr, plen = pi.nd_opt_pi_prefix, pi.nd_opt_pi_prefix_len
    flags = pi.nd_opt_pi_flags_reserved
    if not flags & ND_OPT_PI_FLAG_ONLINK or not flags & ND_OPT_PI_FLAG_ROUTER:
        return
    why = _unfit(addr, plen)
    if why:
        log.info("ra_input", f"{ntop(addr)}/{plen} from {arr.src}: {why}, ignored")
        return
    fresh = HagentGaddr(
        gaddr=addr,
        plen=plen,
        onlink=True,
        autoconf=bool(flags & ND_OPT_PI_FLAG_AUTO),
        router=True,
        vltime_s=pi.nd_opt_pi_valid_time,
        pltime_s=pi.nd_opt_pi_preferred_time,
        vexpire_ns=expiry(pi.nd_opt_pi_valid_time, now_ns),
        pexpire_ns=expiry(pi.nd_opt_pi_preferred_time, now_ns),
    )
    entry.update_gaddr(fresh)


def _unfit(addr: bytes, plen: int) -> str:
    """Why the prefix field cannot be an agent's address; "" when it can."""
    if plen > ADDR_BITS:
        return "invalid prefix length"
    if IN6_IS_ADDR_MULTICAST(addr) or IN6_IS_ADDR_LINKLOCAL(addr):
        return "multicast or link-local prefix"
    if prefix_equal(addr, GLOBAL_UNICAST, GLOBAL_UNICAST_LEN) and plen != GLOBAL_PLEN:
        return "invalid prefix length"
    if addr == masked(addr, plen):
        return "router address flag on a bare prefix"
    return ""


# -- discovery ------------------------------------------------------------------------------------


def haad_request_input(
    log: Syslog, wire: OptionWire, ifaces: list[HagentIfinfo], arr: Arrival, random: Random
) -> Answer | None:
    """The answer to a discovery request; None when there is none to give."""
    code = Icmp6Hdr.unpack(arr.data).icmp6_code
    if code:
        log.notice(
            "haad_request_input",
            f"HAAD Request with invalid ICMP6 code({code}) received from {arr.src} on {arr.ifname}",
        )
        return None
    request = wire.parse_ha_request(arr.data)
    if isinstance(request, Malformed):
        log.notice(
            "haad_request_input",
            f"HAAD Request from {arr.src} on {arr.ifname} does not have enough length "
            f"(len = {len(arr.data)})",
        )
        return None
    if IN6_IS_ADDR_UNSPECIFIED(arr.src_addr):
        log.notice("haad_request_input", f"HAAD Request without source on {arr.ifname}")
        return None
    haif = next((h for h in ifaces if h.pair(arr.dst) is not None), None)
    if haif is None:
        log.err("haad_request_input", "cannt get home agent ifinfo.")
        return None
    answer = _answer(log, haif, arr, request, random)
    if answer is None:
        return None
    reply = replace(answer.reply, addrs=answer.reply.addrs[: wire.ha_addrs_max])
    return Answer(answer.source, reply)


def _answer(
    log: Syslog, haif: HagentIfinfo, arr: Arrival, request: HaDiscoveryRequest, random: Random
) -> Answer | None:
    """Select addresses and source (draft s.9.8).

    The source stands in front of the list without being in it: a mobile node takes a source that is
    not listed as the most preferred agent. So we are left out when we would be the first.
    """
    pair = haif.pair(arr.dst)
    assert pair is not None  # that is how the link was found
    haif.shuffle(random)
    source = pair.gaddr
    addrs: list[bytes] = []
    for entry in haif.halist:
        addr = entry.gaddr_on(request.home or arr.dst)
        if addr is None:
            continue
        own = entry.hagent_addr == haif.linklocal
        if own:
            source = addr
        if addrs or not own:
            addrs.append(addr)
    if source is None:
        log.err("haad_request_input", f"no address to answer {arr.src} from")
        return None
    return Answer(source, HaDiscoveryReply(request.id, tuple(addrs)))
