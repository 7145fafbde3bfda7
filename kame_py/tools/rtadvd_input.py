# SPDX-License-Identifier: BSD-3-Clause
"""What rtadvd does with the router solicitations and advertisements it receives.

KAME: rtadvd_input(), rs_input(), ra_input() and prefix_check() of rtadvd.c.
Deviates: the M and O flags of another router are compared without reading past a table.
Read first: RFC 2461 s.6.1 (validity), s.6.2.6 (answers), s.6.2.7 (consistency).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.lib.syslog import Syslog
from kame_py.lib.toolbase import addr_text
from kame_py.tools.rtadvd_if import NS, Rainfo, lifetime_text
from kame_py.wire.codecs import Icmp6Hdr, NdOptHdr, NdOptPrefixInfo, NdRouterAdvert, NdRouterSolicit
from kame_py.wire.const import (
    ICMP6_ROUTER_RENUMBERING,
    ND6_INFINITE_LIFETIME,
    ND_MAX_HLIM,
    ND_OPT_HOMEAGENT_INFO,
    ND_OPT_MTU,
    ND_OPT_PREFIX_INFORMATION,
    ND_OPT_SOURCE_LINKADDR,
    ND_RA_FLAG_MANAGED,
    ND_RA_FLAG_OTHER,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_UNSPECIFIED, ntop
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import NdOptions, parse_nd_options
from kame_py.wire.record import record
from kame_py.wire.sockaddr import IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_PKTINFO, Received

if TYPE_CHECKING:
    from kame_py.ctl.ops import ProgOps

_RS_OPTIONS: Final = frozenset((ND_OPT_SOURCE_LINKADDR,))
_RA_OPTIONS: Final = frozenset((ND_OPT_SOURCE_LINKADDR, ND_OPT_PREFIX_INFORMATION, ND_OPT_MTU))


@record
class Arrival:
    """One ICMPv6 message with what came beside it; src is text."""

    data: bytes
    src_addr: bytes
    src: str
    ifname: str
    hlim: int


def rtadvd_input(ops: ProgOps, log: Syslog, ifaces: list[Rainfo], rec: Received) -> None:
    """Check and use one received message. Only timers and counters change, never what is sent."""
    arrival = _arrival(ops, log, rec)
    if arrival is None:
        return
    head = Icmp6Hdr.parse(arrival.data)
    if isinstance(head, Malformed):
        log.err("rtadvd_input", f"packet size({len(arrival.data)}) is too short")
        return
    rai = next((r for r in ifaces if r.ifname == arrival.ifname), None)
    if rai is not None and not rai.up:
        log.info("rtadvd_input", f"received data on a disabled interface ({arrival.ifname})")
    elif head.icmp6_type == ND_ROUTER_SOLICIT:
        rs_input(ops, log, rai, arrival)
    elif head.icmp6_type == ND_ROUTER_ADVERT:
        ra_input(ops, log, rai, arrival)
    elif head.icmp6_type == ICMP6_ROUTER_RENUMBERING:
        log.err(
            "rtadvd_input",
            "received a router renumbering message, but not allowed to be accepted",
        )
    else:
        log.err("rtadvd_input", f"invalid icmp type({head.icmp6_type})")


def _arrival(ops: ProgOps, log: Syslog, rec: Received) -> Arrival | None:
    hlim = index = None
    for cmsg in rec.control:
        if cmsg.level == IPPROTO_IPV6 and cmsg.type == IPV6_HOPLIMIT:
            hlim = cmsg.value
        elif cmsg.level == IPPROTO_IPV6 and cmsg.type == IPV6_PKTINFO:
            assert isinstance(cmsg.value, tuple)  # what the kernel documents
            index = cmsg.value[1]
    if not isinstance(index, int):
        log.err("rtadvd_input", "failed to get receiving interface")
        return None
    if not isinstance(hlim, int):
        log.err("rtadvd_input", "failed to get receiving hop limit")
        return None
    ifname = ops.if_indextoname(index)
    src = addr_text(rec.addr.addr, ifname)
    return Arrival(rec.data, rec.addr.addr, src, ifname, hlim)


def _valid(log: Syslog, what: str, function: str, arr: Arrival, least: int) -> bool:
    """The checks that RS and RA share (RFC 2461 s.6.1)."""
    where = f"from {arr.src} on {arr.ifname}"
    if arr.hlim != ND_MAX_HLIM:
        log.notice(function, f"{what} with invalid hop limit({arr.hlim}) received {where}")
        return False
    code = Icmp6Hdr.unpack(arr.data).icmp6_code
    if code:
        log.notice(function, f"{what} with invalid ICMP6 code({code}) received {where}")
        return False
    if len(arr.data) < least:
        log.notice(function, f"{what} {where} does not have enough length (len = {len(arr.data)})")
        return False
    return True


def _options(log: Syslog, arr: Arrival, off: int, wanted: frozenset[int]) -> NdOptions | None:
    """The options behind ``off``; those that have no business there are named in the log."""
    size = len(arr.data)
    opts = parse_nd_options(arr.data, off, size, size)
    if isinstance(opts, Malformed):
        log.err("nd6_options", f"{opts.reason} from {arr.src} on {arr.ifname}")
        return None
    while off < size:
        opt = NdOptHdr.unpack(arr.data, off)
        if opt.nd_opt_type > ND_OPT_HOMEAGENT_INFO:
            log.info("nd6_options", f"unknown option {opt.nd_opt_type} from {arr.src}")
        elif opt.nd_opt_type not in wanted:
            log.info("nd6_options", f"unexpected option {opt.nd_opt_type} from {arr.src}")
        off += opt.nd_opt_len << 3
    return opts


def rs_input(ops: ProgOps, log: Syslog, rai: Rainfo | None, arr: Arrival) -> None:
    """A solicitation: arm the answer, unless one is armed already."""
    log.debug("rs_input", f"RS received from {arr.src} on {arr.ifname}")
    if not _valid(log, "RS", "rs_input", arr, NdRouterSolicit.SIZE):
        return
    opts = _options(log, arr, NdRouterSolicit.SIZE, _RS_OPTIONS)
    if opts is None:
        return
    if IN6_IS_ADDR_UNSPECIFIED(arr.src_addr) and opts.src_lladdr is not None:
        log.err(
            "rs_input",
            f"RS from unspecified src on {arr.ifname} has a link-layer address option",
        )
        return
    if rai is None:
        log.info("rs_input", f"RS received on non advertising interface({arr.ifname})")
        return
    rai.rsinput += 1
    rai.waiting += 1
    if rai.waiting == 1:
        rai.set_short_delay(ops.monotonic(), ops.random)


def ra_input(ops: ProgOps, log: Syslog, rai: Rainfo | None, arr: Arrival) -> None:
    """An advertisement of another router, or our own: tell where it contradicts ours."""
    log.debug("ra_input", f"RA received from {arr.src} on {arr.ifname}")
    if not _valid(log, "RA", "ra_input", arr, NdRouterAdvert.SIZE):
        return
    opts = _options(log, arr, NdRouterAdvert.SIZE, _RA_OPTIONS)
    if opts is None:
        return
    if rai is None:
        log.info(
            "ra_input", f"received RA from {arr.src} on non-advertising interface({arr.ifname})"
        )
        return
    rai.rainput += 1
    now_s = ops.monotonic() // NS
    found = _header_differs(log, rai, arr, NdRouterAdvert.unpack(arr.data), opts)
    for pi in opts.prefixes:
        found |= prefix_check(log, rai, arr, pi, now_s)
    rai.rainconsistent += found


def _header_differs(
    log: Syslog, rai: Rainfo, arr: Arrival, ra: NdRouterAdvert, opts: NdOptions
) -> bool:
    """Compare what RFC 2461 s.6.2.7 names; unspecified (zero) values contradict nothing."""
    conf = rai.conf
    mtu = opts.mtu.nd_opt_mtu_mtu if opts.mtu is not None else 0
    flags = ra.nd_ra_flags_reserved
    numbers = (
        ("CurHopLimit", ra.nd_ra_curhoplimit, conf.chlim),
        ("ReachableTime", ra.nd_ra_reachable, conf.rtime_ms),
        ("RetransTimer", ra.nd_ra_retransmit, conf.retrans_ms),
        ("MTU option value", mtu, conf.linkmtu),
    )
    switches = (
        ("M flag", bool(flags & ND_RA_FLAG_MANAGED), conf.managed),
        ("O flag", bool(flags & ND_RA_FLAG_OTHER), conf.otherconf),
    )
    differs = [(n, str(a), str(b)) for n, a, b in numbers if a and b and a != b]
    differs += [(n, _on_off(a), _on_off(b)) for n, a, b in switches if a != b]
    for what, theirs, ours in differs:
        _inconsistent(log, "ra_input", what, rai, theirs, arr.src, ours)
    return bool(differs)


def _on_off(on: bool) -> str:
    return "ON" if on else "OFF"


def _inconsistent(
    log: Syslog, function: str, what: str, rai: Rainfo, theirs: str, src: str, ours: str
) -> None:
    log.info(function, f"{what} inconsistent on {rai.ifname}: {theirs} from {src}, {ours} from us")


def prefix_check(log: Syslog, rai: Rainfo, arr: Arrival, pi: NdOptPrefixInfo, now_s: int) -> bool:
    """Compare one prefix with ours; True when it counts as a contradiction.

    A preferred lifetime that differs from a fixed one is told but does not count, as in KAME.
    """
    name = f"{ntop(pi.nd_opt_pi_prefix)}/{pi.nd_opt_pi_prefix_len}"
    own = rai.find_prefix(pi.nd_opt_pi_prefix, min(pi.nd_opt_pi_prefix_len, 128))
    if own is None:
        log.info("prefix_check", f"prefix {name} from {arr.src} on {rai.ifname} is not in our list")
        return False
    valid, preferred = own.lifetimes(now_s)
    counted = False
    rows = (
        ("preferred", pi.nd_opt_pi_preferred_time, preferred, own.pexpire_s, False),
        ("valid", pi.nd_opt_pi_valid_time, valid, own.vexpire_s, True),
    )
    for word, theirs, ours, expire_s, fixed_counts in rows:
        decrementing = expire_s is not None
        if not _differs(theirs, ours, decrementing, rai.conf.clockskew_s):
            continue
        how = " (decr. in real time)" if decrementing else ""
        what = f"{word} lifetime for {name}{how}"
        _inconsistent(
            log, "prefix_check", what, rai, lifetime_text(theirs), arr.src, lifetime_text(ours)
        )
        counted |= decrementing or fixed_counts
    return counted


def _differs(theirs_s: int, ours_s: int, decrementing: bool, clockskew_s: int) -> bool:
    """Remaining times of equal moments differ as their expiry times do."""
    if not decrementing:
        return theirs_s != ours_s
    if theirs_s == ND6_INFINITE_LIFETIME or not clockskew_s:
        return False
    return abs(theirs_s - ours_s) > clockskew_s
