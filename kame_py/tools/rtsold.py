# SPDX-License-Identifier: BSD-3-Clause
"""rtsold and rtsol: ask the routers of a link to advertise themselves.

KAME: rtsold.c and rtsock.c of the daemon; rtsol is ``rtsold -f -1`` under another name. The state
machine is the table of rtsold_if.py. Read first: RFC 2461 s.6.3.7.
Deviates: the interfaces are set up before the program becomes a daemon, so a failure reaches the
shell; -a with -m pokes the default routers when the routing socket tells of a changed link, and
keeps the count of advertisements over that; with -m solicitations go on, less and less often, when
nobody answers, and -t and -T set their pace (draft-ietf-mobileip-ipv6-15 s.6.6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.syslog import LOG_DEBUG, LOG_NOTICE, Syslog
from kame_py.lib.toolbase import EX_OK, Tool, ToolError, UsageError, run, to_json, warn
from kame_py.tools.rtsold_if import (
    PROBE_INTERVAL_S,
    US_PER_S,
    Action,
    Event,
    Ifinfo,
    Pace,
    State,
    dump_rows,
    dump_text,
)
from kame_py.tools.rtsold_link import (
    LLADDR_IFTYPES,
    autoifprobe,
    defrouter_probe,
    interface_status,
    interface_up,
    interfaces,
    sendpacket,
    valid_ra,
)
from kame_py.wire.const import IPPROTO_NONE, ND_ROUTER_ADVERT
from kame_py.wire.errno import EAGAIN, EINTR, KError
from kame_py.wire.rtmsg import IfAnnounceMsg, IfMsg, parse
from kame_py.wire.sockaddr import (
    AF_INET6,
    AF_ROUTE,
    ICMP6_FILTER,
    ICMP6_FILTER_SETBLOCKALL,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    MSG_DONTWAIT,
    SOCK_RAW,
)

NAME: Final = "rtsold"
PID_FILE: Final = "/var/run/rtsold.pid"
DUMP_FILE: Final = "/var/run/rtsold.dump"
SECONDS: Final = re.compile(r"\d{1,5}(\.\d{0,6})?|\.\d{1,6}", re.ASCII)
MICROS: Final = 6  # digits
INTERVAL_MIN_US: Final = 100_000  # no mobile node solicits faster than ten times a second
INTERVAL_MAX_US: Final = 3600 * US_PER_S


async def main(argv: list[str], ops: ProgOps) -> int:
    """The daemon. Exit 0 when done (-1), 1 when set-up fails."""

    async def body(args: ParsedArgs, ops: ProgOps) -> int:
        return await rtsold(args, ops, NAME, once=args.has("1"), foreground=args.has("f"))

    return await run(TOOL, body, argv, ops)


@dataclass(slots=True)
class _Daemon:
    """The running program."""

    ops: ProgOps
    log: Syslog
    name: str
    once: bool
    mobile: bool
    pace: Pace
    auto: bool
    debug: int  # 1: -d, 2: -D
    ifaces: list[Ifinfo] = field(default_factory=list)
    sock: int = -1
    rtsock: int = -1
    probesock: int = -1


async def rtsold(args: ParsedArgs, ops: ProgOps, name: str, once: bool, foreground: bool) -> int:
    """Set up, become a daemon unless in the foreground, run until done."""
    if args.has("a") == bool(args.args):
        raise UsageError
    debug = 2 if args.has("D") else 1 if args.has("d") else 0
    upto = LOG_DEBUG if debug else LOG_NOTICE
    log = Syslog(ops, upto, to_syslog=not foreground, to_stderr=foreground)
    d = _Daemon(ops, log, name, once, args.has("m"), _pace(args), args.has("a"), debug)
    await _kernel_warnings(d)
    await _sockets(d)
    await _ifconfig_all(d, args.args)
    if not foreground:
        await ops.daemon()
    if not once:
        await _write(d, PID_FILE, f"{ops.pid()}\n")
    ops.catch_signals("USR1")
    return await _loop(d, args.long.json)


def _pace(args: ParsedArgs) -> Pace:
    """-t and -T: seconds, with decimals; only a mobile node may depart from RFC 2461 s.10."""
    given = [letter for letter in "tT" if args.has(letter)]
    if given and not args.has("m"):
        raise ToolError(f"-{given[0]}", "only with -m")
    shortest = _seconds_us(args.last("t"), Pace().shortest_us)
    longest = _seconds_us(args.last("T"), max(Pace().longest_us, shortest))
    if longest < shortest:
        raise ToolError(f"-T {args.last('T')}", "shorter than the interval of -t")
    return Pace(shortest, longest)


def _seconds_us(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not SECONDS.fullmatch(text):
        raise ToolError(text, "invalid interval")
    whole, _, part = text.partition(".")
    us = int(whole or "0") * US_PER_S + int(part.ljust(MICROS, "0") or "0")
    if not INTERVAL_MIN_US <= us <= INTERVAL_MAX_US:
        raise ToolError(text, "interval not between 0.1 and 3600 s")
    return us


# -- set-up ---------------------------------------------------------------------------------------


async def _kernel_warnings(d: _Daemon) -> None:
    if not await d.ops.sysctl("net.inet6.ip6.accept_rtadv"):
        warn(d.ops, d.name, "kernel is configured not to accept RAs")
    if await d.ops.sysctl("net.inet6.ip6.forwarding"):
        warn(d.ops, d.name, "kernel is configured as a router, not a host")


async def _sockets(d: _Daemon) -> None:
    ops = d.ops
    try:
        d.sock = await ops.socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
        await ops.setsockopt(d.sock, IPPROTO_IPV6, IPV6_PKTINFO, 1)
        await ops.setsockopt(d.sock, IPPROTO_IPV6, IPV6_HOPLIMIT, 1)
        filt = ICMP6_FILTER_SETBLOCKALL.setpass(ND_ROUTER_ADVERT)
        await ops.setsockopt(d.sock, IPPROTO_ICMPV6, ICMP6_FILTER, filt.value)
        if d.auto:
            d.rtsock = await ops.socket(AF_ROUTE, SOCK_RAW, 0)
        if d.mobile:
            d.probesock = await ops.socket(AF_INET6, SOCK_RAW, IPPROTO_NONE)
    except KError as e:
        raise ToolError("socket", e) from e


async def _ifconfig_all(d: _Daemon, names: tuple[str, ...]) -> None:
    if d.auto:
        names = tuple(await autoifprobe(d.ops))
        if not names and d.once:
            raise ToolError("could not autoprobe interface")
        if len(names) > 1 and d.debug > 1:
            warn(d.ops, d.name, "multiple interfaces found")
    for ifname in names:
        d.ifaces.append(await _ifconfig(d, ifname))


async def _ifconfig(d: _Daemon, ifname: str) -> Ifinfo:
    """Begin to work on an interface."""
    if any(ifi.ifname == ifname for ifi in d.ifaces):
        d.log.err("ifconfig", f"interface {ifname} was already cofigured")
        raise ToolError(f"failed to initialize {ifname}")
    snap = next((i for i in await interfaces(d.ops) if i.name == ifname), None)
    if snap is None:
        d.log.err("ifconfig", f"no such interface: {ifname}")
        raise ToolError(f"failed to initialize {ifname}")
    lladdr = snap.lladdr if snap.type in LLADDR_IFTYPES else b""
    ifi = Ifinfo(ifname, snap.index, lladdr, d.mobile, pace=d.pace)
    try:
        ifi.step(await interface_up(d.ops, d.log, ifname))
    except KError as e:
        raise ToolError(f"failed to initialize {ifname}", e) from e
    ifi.active = await interface_status(d.ops, d.log, ifi)
    if not ifi.mediareqok:
        # without carrier only a look at the routers tells of a new link
        ifi.probeinterval_s = PROBE_INTERVAL_S
    _timer_update(d, ifi)
    return ifi


def _timer_update(d: _Daemon, ifi: Ifinfo) -> None:
    ifi.timer_update(d.ops.monotonic(), d.ops.random)
    if d.debug > 1:
        text = f"stop timer for {ifi.ifname}"
        if ifi.timer_us is not None:
            seconds, micros = divmod(ifi.timer_us, US_PER_S)
            text = f"set timer for {ifi.ifname} to {seconds}:{micros:06d}"
        d.log.debug("rtsol_timer_update", text)


# -- life -----------------------------------------------------------------------------------------


async def _loop(d: _Daemon, json: bool) -> int:
    fds = tuple(fd for fd in (d.rtsock, d.sock) if fd >= 0)
    while True:
        await _timers(d)
        if d.once and all(ifi.done for ifi in d.ifaces):
            return EX_OK
        polled = await d.ops.poll(fds, _timeout_ns(d))
        if "USR1" in polled.signals:
            await _dump(d, json)
        for fd in polled.readable:
            await _read(d, fd)


def _timeout_ns(d: _Daemon) -> int | None:
    deadlines = [ifi.expire_ns for ifi in d.ifaces if ifi.timer_us is not None]
    return max(min(deadlines) - d.ops.monotonic(), 0) if deadlines else None


async def _timers(d: _Daemon) -> None:
    """Serve every timer that has ended (rtsol_check_timer)."""
    for ifi in d.ifaces:
        if ifi.timer_us is None or ifi.expire_ns > d.ops.monotonic():
            continue
        if d.debug > 1:
            d.log.debug(
                "rtsol_check_timer",
                f"timer expiration on {ifi.ifname}, state = {ifi.state.value}",
            )
        await _act(d, ifi, ifi.step(await _timer_event(d, ifi)))
        _timer_update(d, ifi)


async def _timer_event(d: _Daemon, ifi: Ifinfo) -> Event:
    """What the end of a timer means."""
    if ifi.state in (State.DOWN, State.TENTATIVE):
        try:
            return await interface_up(d.ops, d.log, ifi.ifname)
        except KError as e:
            d.log.err("interface_up", f"{ifi.ifname}: {e}")
            return Event.NOLINK
    if ifi.state is not State.IDLE:
        return ifi.timer_event()
    was = ifi.active
    ifi.active = await interface_status(d.ops, d.log, ifi)
    if ifi.active != was:
        d.log.debug("rtsol_check_timer", f"status is changed for {ifi.ifname}")
        ifi.search_stop()
        return Event.CHANGED
    if ifi.search_due(d.ops.monotonic()):
        return Event.SEARCH
    return Event.PROBETIMER if ifi.probe_due() else Event.QUIET


async def _act(d: _Daemon, ifi: Ifinfo, action: Action) -> None:
    if action is Action.SEND:
        await sendpacket(d.ops, d.log, d.sock, ifi, bool(d.debug))
        if ifi.state is State.IDLE:
            ifi.probes = 0
            ifi.search(d.ops.monotonic())
    elif action is Action.GIVE_UP:
        d.log.info("rtsol_check_timer", f"No answer after sending {ifi.probes} RSs")
        ifi.probes = 0
        ifi.gave_up = True
        ifi.search(d.ops.monotonic())
    elif action is Action.POKE:
        await defrouter_probe(d.ops, d.log, d.probesock, ifi)


async def _read(d: _Daemon, fd: int) -> None:
    """Use everything that waits on a socket."""
    rebuild = False
    while True:
        try:
            rec = await d.ops.recvmsg(fd, MSG_DONTWAIT)
        except KError as e:
            if e.errno not in (EAGAIN, EINTR):
                d.log.err("rtsol_input", f"recvmsg: {e}")
            break
        if fd == d.rtsock:
            rebuild |= isinstance(parse(rec.data), IfMsg | IfAnnounceMsg)
        else:
            _rtsol_input(d, valid_ra(d.ops, d.log, rec))
    if rebuild:
        await _rebuild(d)


def _rtsol_input(d: _Daemon, ifname: str | None) -> None:
    """A valid advertisement came on that interface."""
    ifi = next((i for i in d.ifaces if i.ifname == ifname), None)
    if ifi is None:
        return
    d.log.debug("rtsol_input", f"received RA on {ifi.ifname}, state is {ifi.state.value}")
    ifi.racnt += 1
    ifi.search_stop()
    if ifi.step(Event.RA) is Action.STOP:
        ifi.probes = ifi.dadcount = 0
        _timer_update(d, ifi)


async def _rebuild(d: _Daemon) -> None:
    """An interface came, went or changed: begin anew with what is there (-a)."""
    old = {ifi.ifname: ifi for ifi in d.ifaces}
    d.ifaces = []
    for ifname in await autoifprobe(d.ops):
        try:
            ifi = await _ifconfig(d, ifname)
        except ToolError as e:
            d.log.err("rtsock_input", str(e))
            continue
        d.ifaces.append(ifi)
        was = old.get(ifname)
        if was is None or was.ifindex != ifi.ifindex:
            continue
        ifi.racnt = was.racnt
        if d.mobile and was.active != ifi.active:
            await defrouter_probe(d.ops, d.log, d.probesock, ifi)


async def _dump(d: _Daemon, json: bool) -> None:
    now_ns = d.ops.monotonic()
    text = to_json(dump_rows(d.ifaces, now_ns)) if json else dump_text(d.ifaces, now_ns)
    await _write(d, DUMP_FILE, text)


async def _write(d: _Daemon, path: str, text: str) -> None:
    """Write a file of /var/run; the program goes on when it cannot."""
    try:
        await d.ops.write_file(path, text)
    except KError as e:
        d.log.err("main", f"failed to open {path}: {e}")


OPTIONS: Final = (
    OptionHelp("a", "", "all interfaces that are up, multicast-capable and have an address"),
    OptionHelp("d", "", "debug messages"),
    OptionHelp("D", "", "debug messages, timers too"),
)

TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=("rtsold [-adDfm1] interfaces...", "rtsold [-dDfm1] -a"),
    summary="Send router solicitations when a link becomes usable.",
    letters="adDfm1t:T:",
    options=(
        *OPTIONS,
        OptionHelp("f", "", "stay in the foreground, messages to stderr"),
        OptionHelp("m", "", "mobile node: watch the link every 3 s, poke the default routers"),
        OptionHelp("t", "SECONDS", "with -m: between the first three solicitations, default 4"),
        OptionHelp(
            "T",
            "SECONDS",
            "with -m: the longest pause when nobody answers, to which it doubles; default 60",
        ),
        OptionHelp("1", "", "stop after an advertisement on each interface, or nobody's answer"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
