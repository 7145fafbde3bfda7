# SPDX-License-Identifier: BSD-3-Clause
"""rtadvd: advertise this router, its prefixes and, with -m, its home agent service.

KAME: rtadvd.c, config.c, timer.c of the daemon of that name. RFC 2461 s.6.2, RFC 6275 s.7.
Deviates: -m and hapref work (KAME's makefile left -m out); with -f messages go to stderr as well;
a refused configuration is told on stderr, too; -M joins its group although -R stays switched off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.flagwords import IFF_UP
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.mip6wire import kernel_wire
from kame_py.lib.rtadvd_conf import ConfigError, RaConfig, parse_config
from kame_py.lib.syslog import LOG_DEBUG, LOG_ERR, LOG_INFO, Syslog
from kame_py.lib.toolbase import EX_OK, Tool, ToolError, UsageError, run, warn
from kame_py.tools.rtadvd_dump import dump_json, dump_text
from kame_py.tools.rtadvd_if import (
    MAX_FINAL_RTR_ADVERTISEMENTS,
    MIN_DELAY_BETWEEN_RAS_S,
    NS,
    Prefix,
    Rainfo,
)
from kame_py.tools.rtadvd_input import rtadvd_input
from kame_py.tools.rtadvd_route import get_prefix, rtmsg_input
from kame_py.wire.const import (
    ICMP6_ROUTER_RENUMBERING,
    ND_MAX_HLIM,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.errno import EAGAIN, EINTR, ENOENT, KError
from kame_py.wire.in6addr import ALLNODES, ALLROUTERS, IN6ADDR_ANY, SITE_ALLROUTERS
from kame_py.wire.ioctl import SIOCGIFCONF
from kame_py.wire.mip6 import OptionWire
from kame_py.wire.snap import IfSnap
from kame_py.wire.sockaddr import (
    AF_INET6,
    AF_ROUTE,
    ICMP6_FILTER,
    ICMP6_FILTER_SETBLOCKALL,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPV6_HOPLIMIT,
    IPV6_JOIN_GROUP,
    IPV6_PKTINFO,
    MSG_DONTWAIT,
    SOCK_RAW,
    Cmsg,
    SockaddrIn6,
)

NAME: Final = "rtadvd"
CONFIG_FILE: Final = "/usr/local/v6/etc/rtadvd.conf"
PID_FILE: Final = "/var/run/rtadvd.pid"
DUMP_FILE: Final = "/var/run/rtadvd.dump"


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0 after SIGTERM's last advertisements, 1 when set-up fails."""
    return await run(TOOL, _rtadvd, argv, ops)


@dataclass(slots=True)
class _Daemon:
    """The running program: its interfaces, in reverse of the command line, and its sockets."""

    ops: ProgOps
    log: Syslog
    json: bool
    wire: OptionWire
    ifaces: list[Rainfo] = field(default_factory=list)
    sock: int = -1
    rtsock: int = -1


async def _rtadvd(args: ParsedArgs, ops: ProgOps) -> int:
    if args.has("R"):
        warn(ops, NAME, "the -R option is currently ignored.")
    if not args.args:
        raise UsageError
    d = _Daemon(ops, _syslog(args, ops), args.long.json, await kernel_wire(ops))
    for ifname in args.args:
        d.ifaces.insert(0, await _getconfig(d, args, ifname))
    if not args.has("f"):
        await ops.daemon()
    await _sock_open(d, args.last("M"))
    if not args.has("s"):
        d.rtsock = await ops.socket(AF_ROUTE, SOCK_RAW, 0)
    await _write(d, PID_FILE, f"{ops.pid()}\n")
    ops.catch_signals("USR1", "TERM")
    for rai in d.ifaces:
        if rai.up:
            rai.timer_update(ops.monotonic(), ops.random)
    return await _loop(d)


def _syslog(args: ParsedArgs, ops: ProgOps) -> Syslog:
    upto = LOG_DEBUG if args.has("D") else LOG_INFO if args.has("d") else LOG_ERR
    return Syslog(ops, upto, to_stderr=args.has("f"), stderr_head=f"{NAME}: ")


# -- set-up ---------------------------------------------------------------------------------------


def _refuse(d: _Daemon, function: str, text: str) -> ToolError:
    """An error that ends the program: to syslog, and to stderr while there is a shell."""
    d.ops.syslog(LOG_ERR, f"<{function}> {text}")
    return ToolError(text)


async def _getconfig(d: _Daemon, args: ParsedArgs, ifname: str) -> Rainfo:
    """Read the interface and its entry of the configuration file."""
    snap = await _ifsnap(d.ops, ifname)
    if snap is None:
        raise _refuse(d, "getconfig", f"can't get information of {ifname}")
    if any(rai.ifname == ifname for rai in d.ifaces):
        raise _refuse(d, "getconfig", f"interface {ifname} is given twice")
    conf = parse_config(
        await _config_text(d, args.last("c") or CONFIG_FILE),
        ifname,
        mobility=args.has("m"),
        mtu=snap.mtu,
        least_mininterval_s=d.wire.min_rtr_adv_interval_s,
        has_lladdr=bool(snap.lladdr),
    )
    if isinstance(conf, ConfigError):
        raise _refuse(d, "getconfig", conf.text)
    await _check_host(d, conf)
    for text in conf.notices:
        d.log.info("getconfig", text)
    for text in conf.warnings:
        warn(d.ops, NAME, text)
    return await _rainfo(d, args, snap, conf)


async def _ifsnap(ops: ProgOps, ifname: str) -> IfSnap | None:
    answer = await ops.ioctl(SIOCGIFCONF())
    assert isinstance(answer, tuple)  # what the request documents
    return next((i for i in answer if i.name == ifname), None)


async def _config_text(d: _Daemon, path: str) -> str | None:
    """The file's text; a file that is not there is an empty one."""
    try:
        return await d.ops.read_file(path)
    except KError as e:
        if e.errno != ENOENT:
            raise _refuse(d, "getconfig", f"{path}: {e}") from e
        return None


async def _check_host(d: _Daemon, conf: RaConfig) -> None:
    if conf.rltime_s and not await d.ops.sysctl("net.inet6.ip6.forwarding"):
        raise _refuse(
            d,
            "getconfig",
            f"non zero router lifetime is specified for {conf.ifname}, which must not be allowed "
            "for hosts. you must change router lifetime or enable IPv6 forwarding.",
        )


async def _rainfo(d: _Daemon, args: ParsedArgs, snap: IfSnap, conf: RaConfig) -> Rainfo:
    rai = Rainfo(
        ifname=snap.name,
        ifindex=snap.index,
        conf=conf,
        mobility=args.has("m"),
        router_address=args.has("m") or d.wire.router_address,
        lladdr=snap.lladdr,
        phymtu=snap.mtu,
        up=bool(snap.flags & IFF_UP),
        rltime_s=conf.rltime_s,
    )
    if conf.prefixes is None:
        await get_prefix(d.ops, rai)
    else:
        now_s = d.ops.monotonic() // NS
        rai.prefixes = [Prefix.from_config(p, now_s) for p in reversed(conf.prefixes)]
    return rai


async def _sock_open(d: _Daemon, mcastif: str | None) -> None:
    """The ICMPv6 socket, a member of all-routers wherever we advertise."""
    ops = d.ops
    try:
        d.sock = await ops.socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
        await ops.setsockopt(d.sock, IPPROTO_IPV6, IPV6_PKTINFO, 1)
        await ops.setsockopt(d.sock, IPPROTO_IPV6, IPV6_HOPLIMIT, 1)
        wanted = (ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT, ICMP6_ROUTER_RENUMBERING)
        filt = ICMP6_FILTER_SETBLOCKALL.setpass(*wanted)
        await ops.setsockopt(d.sock, IPPROTO_ICMPV6, ICMP6_FILTER, filt.value)
    except KError as e:
        raise _refuse(d, "sock_open", f"socket: {e}") from e
    for rai in d.ifaces:
        await _join(d, ALLROUTERS, rai.ifname, rai.ifindex)
    if mcastif is not None:
        await _join(d, SITE_ALLROUTERS, mcastif, ops.if_nametoindex(mcastif))


async def _join(d: _Daemon, group: bytes, ifname: str, index: int) -> None:
    if not index:
        raise _refuse(d, "sock_open", f"can't get information of {ifname}")
    try:
        await d.ops.setsockopt(d.sock, IPPROTO_IPV6, IPV6_JOIN_GROUP, (group, index))
    except KError as e:
        raise _refuse(d, "sock_open", f"IPV6_JOIN_GROUP on {ifname}: {e}") from e


# -- life -----------------------------------------------------------------------------------------


async def _loop(d: _Daemon) -> int:
    fds = tuple(fd for fd in (d.rtsock, d.sock) if fd >= 0)
    while True:
        await _timers(d)
        polled = await d.ops.poll(fds, _timeout_ns(d))
        if "TERM" in polled.signals:
            await _die(d)
            return EX_OK
        if "USR1" in polled.signals:
            await _dump(d)
        for fd in polled.readable:
            await _read(d, fd)


def _timeout_ns(d: _Daemon) -> int | None:
    deadlines = [rai.timer_ns for rai in d.ifaces if rai.timer_ns is not None]
    return max(min(deadlines) - d.ops.monotonic(), 0) if deadlines else None


async def _timers(d: _Daemon) -> None:
    """Send what is due and draw the next interval (ra_timeout)."""
    for rai in d.ifaces:
        if rai.timer_ns is not None and rai.timer_ns <= d.ops.monotonic():
            await _ra_output(d, rai)
            rai.timer_update(d.ops.monotonic(), d.ops.random)


async def _ra_output(d: _Daemon, rai: Rainfo) -> None:
    """One advertisement to all nodes; the kernel chooses the source and fills the checksum."""
    ops = d.ops
    if not rai.up:
        d.log.debug("ra_output", f"{rai.ifname} is not up, skip sending RA")
        return
    d.log.debug("ra_output", f"send RA on {rai.ifname}, # of waitings = {rai.waiting}")
    control = (
        Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (IN6ADDR_ANY, rai.ifindex)),
        Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, ND_MAX_HLIM),
    )
    packet = rai.make_packet(ops.monotonic() // NS)
    try:
        await ops.sendmsg(d.sock, packet, SockaddrIn6(ALLNODES, scope_id=rai.ifindex), control)
    except KError as e:
        d.log.err("ra_output", f"sendmsg on {rai.ifname}: {e}")
    rai.sent(ops.monotonic(), ops.realtime())


async def _read(d: _Daemon, fd: int) -> None:
    """Use everything that waits on a socket."""
    while True:
        try:
            rec = await d.ops.recvmsg(fd, MSG_DONTWAIT)
        except KError as e:
            if e.errno not in (EAGAIN, EINTR):
                d.log.err("rtadvd_input", f"recvmsg: {e}")
            return
        if fd == d.rtsock:
            await rtmsg_input(d.ops, d.log, d.ifaces, rec.data)
        else:
            rtadvd_input(d.ops, d.log, d.ifaces, rec)


async def _dump(d: _Daemon) -> None:
    show = dump_json if d.json else dump_text
    await _write(d, DUMP_FILE, show(d.ifaces, d.ops.monotonic(), d.ops.realtime()))


async def _die(d: _Daemon) -> None:
    """Withdraw this router: three advertisements with lifetime zero (RFC 2461 s.6.2.5)."""
    d.log.debug("die", "cease to be an advertising router")
    for rai in d.ifaces:
        rai.rltime_s = 0
    for _ in range(MAX_FINAL_RTR_ADVERTISEMENTS):
        for rai in d.ifaces:
            await _ra_output(d, rai)
        await d.ops.nanosleep(MIN_DELAY_BETWEEN_RAS_S * NS)


async def _write(d: _Daemon, path: str, text: str) -> None:
    """Write a file of /var/run; a daemon goes on when it cannot."""
    try:
        await d.ops.write_file(path, text)
    except KError as e:
        d.log.err("main", f"failed to open the file({path}): {e}")


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=("rtadvd [-dDfMmRs] [-c conffile] interfaces...",),
    summary="Send router advertisements and answer router solicitations on the interfaces.",
    letters="c:dDfM:mRs",
    options=(
        OptionHelp("c", "FILE", f"configuration, default {CONFIG_FILE}"),
        OptionHelp("d", "", "log up to info, default errors only"),
        OptionHelp("D", "", "log everything"),
        OptionHelp("f", "", "stay in the foreground, log to stderr as well"),
        OptionHelp("M", "IF", "interface on which to join ff05::2 (router renumbering)"),
        OptionHelp("m", "", "home agent: H and R flags, advertisement interval option"),
        OptionHelp("R", "", "router renumbering; currently ignored"),
        OptionHelp("s", "", "advertise the prefixes of the start only, ignore the routing table"),
    ),
    keep_going=True,
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
