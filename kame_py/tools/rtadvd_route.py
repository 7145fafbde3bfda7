# SPDX-License-Identifier: BSD-3-Clause
"""Where rtadvd's prefixes come from: the interface's addresses, then the routing socket.

KAME: get_prefix() of config.c and rtmsg_input() of rtadvd.c.
Deviates: an interface whose prefixes are configured by hand keeps just those, as KAME's manual
says (its program followed the routing table all the same); with -m a prefix that comes later gets
its R flag and whole address like the first ones; a prefix that goes is withdrawn with zero
lifetimes. Read first: RFC 2461 s.6.2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.lib.flagwords import IFF_UP, IN6_IFF_ANYCAST
from kame_py.lib.rtadvd_conf import DEF_ADVPREFERREDLIFETIME, DEF_ADVVALIDLIFETIME, RaPrefix
from kame_py.lib.syslog import Syslog
from kame_py.tools.rtadvd_if import (
    MAX_FINAL_RTR_ADVERTISEMENTS,
    NS,
    Origin,
    Prefix,
    Rainfo,
)
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_SITELOCAL,
    masked,
    ntop,
    prefix_equal,
)
from kame_py.wire.ioctl import SIOCGIFADDRS_IN6, SIOCGIFPREFIX_IN6
from kame_py.wire.malformed import Malformed
from kame_py.wire.rtmsg import RTM_ADD, RTM_DELETE, IfMsg, RtMsg, SockaddrDl, parse
from kame_py.wire.snap import IfaSnap
from kame_py.wire.sockaddr import SockaddrIn6

if TYPE_CHECKING:
    from kame_py.ctl.ops import ProgOps

ADDR_PLENS: Final = range(1, 128)  # of addresses that give a prefix
ROUTE_PLENS: Final = range(4, 128)  # of routes that do


async def interface_addrs(ops: ProgOps, ifname: str) -> tuple[IfaSnap, ...]:
    """The addresses that may give a prefix: neither link-local nor anycast."""
    answer = await ops.ioctl(SIOCGIFADDRS_IN6(ifname))
    assert isinstance(answer, tuple)  # what the request documents
    return tuple(
        a
        for a in answer
        if a.plen in ADDR_PLENS
        and not IN6_IS_ADDR_LINKLOCAL(a.addr)
        and not a.flags & IN6_IFF_ANYCAST
    )


def _from_address(
    addr: bytes, plen: int, router_address: bool, origin: Origin, now_s: int
) -> Prefix:
    """A home agent tells its whole address, except that site-local ones stay prefixes."""
    router = router_address and not IN6_IS_ADDR_SITELOCAL(addr)
    prefix = addr if router else masked(addr, plen)
    return Prefix.from_config(RaPrefix(prefix, plen, router=router), now_s, origin)


async def get_prefix(ops: ProgOps, rai: Rainfo) -> None:
    """Advertise the prefixes of the interface's own addresses, the last one first."""
    for ifa in await interface_addrs(ops, rai.ifname):
        if rai.find_prefix(ifa.addr, ifa.plen) is None:
            now_s = ops.monotonic() // NS
            new = _from_address(ifa.addr, ifa.plen, rai.router_address, Origin.KERNEL, now_s)
            rai.prefixes.insert(0, new)


async def rtmsg_input(ops: ProgOps, log: Syslog, ifaces: list[Rainfo], data: bytes) -> None:
    """Use one message of the routing socket."""
    msg = parse(data)
    if isinstance(msg, Malformed):
        log.debug("rtmsg_input", f"ignored: {msg.reason}")
    elif isinstance(msg, IfMsg):
        _interface_changed(ops, log, ifaces, msg)
    elif isinstance(msg, RtMsg) and not msg.rtm_errno:
        await _route_changed(ops, log, ifaces, msg)


def _interface_changed(ops: ProgOps, log: Syslog, ifaces: list[Rainfo], msg: IfMsg) -> None:
    rai = next((r for r in ifaces if r.ifindex == msg.ifm_index), None)
    if rai is None:
        return
    up = bool(msg.ifm_flags & IFF_UP)
    if up == rai.up:
        return
    rai.up = up
    if up:
        log.info("rtmsg_input", f"interface {rai.ifname} becomes up. restart timer.")
        rai.initcounter = 0
        rai.waiting = 0
        rai.timer_update(ops.monotonic(), ops.random)
    else:
        log.info("rtmsg_input", f"interface {rai.ifname} becomes down. stop timer.")
        rai.timer_ns = None


async def _route_changed(ops: ProgOps, log: Syslog, ifaces: list[Rainfo], msg: RtMsg) -> None:
    rai = next((r for r in ifaces if r.ifindex == msg.rtm_index), None)
    route = _interface_route(msg)
    if rai is None or rai.conf.prefixes is not None or route is None:
        return
    addr, plen = route
    if msg.rtm_type == RTM_ADD:
        await _add_prefix(ops, log, rai, addr, plen)
    elif msg.rtm_type == RTM_DELETE:
        _delete_prefix(ops, log, rai, addr, plen)


def _interface_route(msg: RtMsg) -> tuple[bytes, int] | None:
    """Destination and length if the route is one that an address makes on its link."""
    dst, plen = msg.addrs.dst, msg.addrs.plen()
    if not isinstance(dst, SockaddrIn6) or not isinstance(msg.addrs.gateway, SockaddrDl):
        return None
    if plen not in ROUTE_PLENS or plen is None:
        return None
    if IN6_IS_ADDR_LINKLOCAL(dst.addr) or IN6_IS_ADDR_MULTICAST(dst.addr):
        return None
    return dst.addr, plen


async def _add_prefix(ops: ProgOps, log: Syslog, rai: Rainfo, addr: bytes, plen: int) -> None:
    name = f"{ntop(addr)}/{plen}"
    old = rai.find_prefix(addr, plen)
    if old is not None and old.finals_left is None:
        log.info(
            "rtmsg_input", f"new prefix({name}) added on {rai.ifname}, but it was already in list"
        )
        return
    if old is not None:
        rai.prefixes.remove(old)
    rai.prefixes.insert(0, await _new_prefix(ops, rai, addr, plen))
    log.debug("add_prefix", f"new prefix {name} was added on {rai.ifname}")
    rai.initcounter = 0
    if rai.up:
        rai.timer_update(ops.monotonic(), ops.random)


async def _new_prefix(ops: ProgOps, rai: Rainfo, addr: bytes, plen: int) -> Prefix:
    """With -m the interface's address in that prefix, else the prefix; the kernel's lifetimes."""
    source = addr
    router_address = False
    if rai.router_address:
        for ifa in await interface_addrs(ops, rai.ifname):
            if ifa.plen == plen and prefix_equal(ifa.addr, addr, plen):
                source, router_address = ifa.addr, True
                break
    now_s = ops.monotonic() // NS
    new = _from_address(source, plen, router_address, Origin.DYNAMIC, now_s)
    new.vltime_s, new.pltime_s = await _kernel_lifetimes(ops, rai.ifname, addr, plen)
    return new


async def _kernel_lifetimes(ops: ProgOps, ifname: str, addr: bytes, plen: int) -> tuple[int, int]:
    try:
        answer = await ops.ioctl(SIOCGIFPREFIX_IN6(ifname, addr, plen))
    except KError:
        return DEF_ADVVALIDLIFETIME, DEF_ADVPREFERREDLIFETIME
    assert isinstance(answer, tuple)  # what the request documents
    vltime_s, pltime_s = answer
    return vltime_s, pltime_s


def _delete_prefix(ops: ProgOps, log: Syslog, rai: Rainfo, addr: bytes, plen: int) -> None:
    old = rai.find_prefix(addr, plen)
    if old is None or old.finals_left is not None:
        return
    log.debug("delete_prefix", f"prefix {ntop(addr)}/{plen} was deleted on {rai.ifname}")
    if rai.raoutput == 0:
        rai.prefixes.remove(old)  # nobody has heard of it
        return
    old.finals_left = MAX_FINAL_RTR_ADVERTISEMENTS
    rai.initcounter = 0
    if rai.up:
        rai.set_short_delay(ops.monotonic(), ops.random)
