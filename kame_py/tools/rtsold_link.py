# SPDX-License-Identifier: BSD-3-Clause
"""What rtsold asks and tells the kernel about links: flags, carrier, solicitations, probes.

KAME: if.c, rtsol.c and probe.c of rtsold. Read first: RFC 2461 s.6.3.7 and s.7.3.
Deviates: none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.lib.flagwords import (
    IFF_LOOPBACK,
    IFF_MULTICAST,
    IFF_POINTOPOINT,
    IFF_RUNNING,
    IFF_UP,
    IFT_HIF,
    IN6_IFF_DUPLICATED,
    IN6_IFF_TENTATIVE,
)
from kame_py.tools.rtsold_if import Event, Ifinfo
from kame_py.wire.codecs import NdRouterAdvert, NdRouterSolicit
from kame_py.wire.const import ND_MAX_HLIM, ND_OPT_SOURCE_LINKADDR, ND_ROUTER_ADVERT
from kame_py.wire.errno import EINVAL, ENETDOWN, KError
from kame_py.wire.in6addr import ALLROUTERS, IN6_IS_ADDR_LINKLOCAL, IN6ADDR_ANY, ntop
from kame_py.wire.ioctl import (
    SIOCGDRLST_IN6,
    SIOCGIFADDRS_IN6,
    SIOCGIFCONF,
    SIOCGIFFLAGS,
    SIOCGIFMEDIA,
    SIOCSIFFLAGS,
)
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import build_lladdr_opt
from kame_py.wire.snap import IfaSnap, IfSnap
from kame_py.wire.sockaddr import (
    IPPROTO_IPV6,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    Cmsg,
    Received,
    SockaddrIn6,
)

if TYPE_CHECKING:
    from kame_py.ctl.ops import ProgOps
    from kame_py.lib.syslog import Syslog

LLADDR_IFTYPES: Final = (0x06, 0x47)  # IFT_ETHER, IFT_IEEE80211: these get the lladdr option
DRLSTSIZ: Final = 10  # KAME: routers that one SIOCGDRLST_IN6 tells of
PROBE_HLIM: Final = 1  # a probe never leaves the link


async def interfaces(ops: ProgOps) -> tuple[IfSnap, ...]:
    """All interfaces."""
    answer = await ops.ioctl(SIOCGIFCONF())
    assert isinstance(answer, tuple)  # what the request documents
    return answer


async def addrs(ops: ProgOps, ifname: str) -> tuple[IfaSnap, ...]:
    """The addresses of an interface."""
    answer = await ops.ioctl(SIOCGIFADDRS_IN6(ifname))
    assert isinstance(answer, tuple)  # what the request documents
    return answer


async def autoifprobe(ops: ProgOps) -> list[str]:
    """The interfaces that -a means; not a home interface, which KAME took as well."""
    unwanted = IFF_POINTOPOINT | IFF_LOOPBACK
    return [
        i.name
        for i in await interfaces(ops)
        if i.flags & IFF_UP
        and i.flags & IFF_MULTICAST
        and not i.flags & unwanted
        and i.type != IFT_HIF
        and await addrs(ops, i.name)
    ]


async def interface_up(ops: ProgOps, log: Syslog, ifname: str) -> Event:
    """Bring the interface up if need be, and say whether its link-local address is usable."""
    flags = await ops.ioctl(SIOCGIFFLAGS(ifname))
    assert isinstance(flags, int)  # what the request documents
    if not flags & IFF_UP:
        await ops.ioctl(SIOCSIFFLAGS(ifname, flags | IFF_UP))
        log.debug("interface_up", f"make interface {ifname} UP")
        return Event.NOLINK
    lladdrs = [a for a in await addrs(ops, ifname) if IN6_IS_ADDR_LINKLOCAL(a.addr)]
    if not lladdrs:
        log.warning("interface_up", f"{ifname} has no link-local address, anyway I'll try")
        return Event.READY
    if lladdrs[0].flags & IN6_IFF_TENTATIVE:
        log.debug("interface_up", f"address of {ifname} is tentative")
        return Event.DAD
    if lladdrs[0].flags & IN6_IFF_DUPLICATED:
        log.debug("interface_up", f"address of {ifname} is duplicated")
        return Event.NOLINK
    log.debug("interface_up", f"{ifname} is ready")
    return Event.READY


async def interface_status(ops: ProgOps, log: Syslog, ifi: Ifinfo) -> bool:
    """Whether the link is active; an interface without media always is when it runs."""
    try:
        flags = await ops.ioctl(SIOCGIFFLAGS(ifi.ifname))
        assert isinstance(flags, int)  # what the request documents
        if not (flags & IFF_UP and flags & IFF_RUNNING):
            return False
        return bool(await ops.ioctl(SIOCGIFMEDIA(ifi.ifname))) if ifi.mediareqok else True
    except KError as e:
        if e.errno != EINVAL:
            log.err("interface_status", f"{ifi.ifname}: {e}")
            return False
    log.debug("interface_status", f"{ifi.ifname} does not support SIOCGIFMEDIA")
    ifi.mediareqok = False
    return True


def make_packet(lladdr: bytes) -> bytes:
    """A solicitation; the checksum is the kernel's."""
    head = NdRouterSolicit().pack()
    return head + build_lladdr_opt(ND_OPT_SOURCE_LINKADDR, lladdr) if lladdr else head


def _control(ifi: Ifinfo, hlim: int) -> tuple[Cmsg, ...]:
    return (
        Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (IN6ADDR_ANY, ifi.ifindex)),
        Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, hlim),
    )


async def sendpacket(ops: ProgOps, log: Syslog, sock: int, ifi: Ifinfo, debug: bool) -> None:
    """Send one solicitation. A network that is down is news for -d only."""
    log.debug("sendpacket", f"send RS on {ifi.ifname}, whose state is {ifi.state.value}")
    dst = SockaddrIn6(ALLROUTERS, scope_id=ifi.ifindex)
    try:
        await ops.sendmsg(sock, make_packet(ifi.lladdr), dst, _control(ifi, ND_MAX_HLIM))
    except KError as e:
        if e.errno != ENETDOWN or debug:
            log.err("sendpacket", f"sendmsg on {ifi.ifname}: {e}")
    ifi.probes += 1


async def defrouter_probe(ops: ProgOps, log: Syslog, probesock: int, ifi: Ifinfo) -> None:
    """Poke the default routers on a link, so that the kernel notices the dead ones.

    An empty packet that must not be forwarded: hop limit 1, next header 59.
    """
    routers = await ops.ioctl(SIOCGDRLST_IN6())
    assert isinstance(routers, tuple)  # what the request documents
    for router in routers[:DRLSTSIZ]:
        if router.ifname != ifi.ifname:
            continue
        if not IN6_IS_ADDR_LINKLOCAL(router.rtaddr):
            log.err("defrouter_probe", "default router list contains a non-linklocal address")
            continue
        log.debug("sendprobe", f"probe a router {ntop(router.rtaddr)} on {ifi.ifname}")
        dst = SockaddrIn6(router.rtaddr, scope_id=ifi.ifindex)
        try:
            await ops.sendmsg(probesock, b"", dst, _control(ifi, PROBE_HLIM))
        except KError as e:
            log.err("sendprobe", f"sendmsg on {ifi.ifname}: {e}")


def valid_ra(ops: ProgOps, log: Syslog, rec: Received) -> str | None:
    """Name of the interface on which a valid advertisement came (RFC 2461 s.6.1.2)."""
    control = {c.type: c.value for c in rec.control if c.level == IPPROTO_IPV6}
    pktinfo, hlim = control.get(IPV6_PKTINFO), control.get(IPV6_HOPLIMIT)
    if not isinstance(pktinfo, tuple):
        log.err("rtsol_input", "failed to get receiving interface")
        return None
    ifname = ops.if_indextoname(pktinfo[1])
    ra = NdRouterAdvert.parse(rec.data)
    where = f"from {ntop(rec.addr.addr)} on {ifname}"
    if isinstance(ra, Malformed):
        log.info("rtsol_input", f"packet size({len(rec.data)}) is too short")
    elif ra.nd_ra_type != ND_ROUTER_ADVERT:
        log.err("rtsol_input", f"invalid icmp type({ra.nd_ra_type}) {where}")
    elif ra.nd_ra_code:
        log.info("rtsol_input", f"invalid icmp code({ra.nd_ra_code}) {where}")
    elif hlim != ND_MAX_HLIM:
        log.info("rtsol_input", f"invalid RA with hop limit({hlim}) {where}")
    elif not IN6_IS_ADDR_LINKLOCAL(rec.addr.addr):
        log.info("rtsol_input", f"invalid RA with non link-local source {where}")
    else:
        return ifname
    return None
