# SPDX-License-Identifier: BSD-3-Clause
"""had: tell mobile nodes which home agents serve their home link (DHAAD).

KAME: had.c of the daemon of that name. The list is in had_if.py, what is heard in had_input.py.
Read first: draft-ietf-mobileip-ipv6-15 s.9.7, s.9.8.
Deviates: an interface that is not there ends the program instead of never matching; interfaces are
read before it goes into the background, so a failure reaches the shell; with -f messages go to
stderr as well; TERM and INT empty the pid file; SIGHUP is told at notice, not as a warning; the
program sleeps until something comes, and removes what has expired before it looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.mip6wire import kernel_wire
from kame_py.lib.syslog import LOG_DEBUG, Syslog
from kame_py.lib.toolbase import Tool, ToolError, UsageError, ifindex, run
from kame_py.tools.had_dump import dump_json, dump_text
from kame_py.tools.had_if import NS, HagentIfinfo
from kame_py.tools.had_input import Answer, arrival, haad_request_input, ra_input
from kame_py.wire.codecs import Icmp6Hdr
from kame_py.wire.const import ICMP6_HADISCOV_REQUEST, ND_ROUTER_ADVERT
from kame_py.wire.errno import EAGAIN, EINTR, KError
from kame_py.wire.ioctl import SIOCGIFADDRS_IN6
from kame_py.wire.mip6 import OptionWire, build_ha_reply
from kame_py.wire.snap import IfaSnap
from kame_py.wire.sockaddr import (
    AF_INET6,
    ICMP6_FILTER,
    ICMP6_FILTER_SETBLOCKALL,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    MSG_DONTWAIT,
    SOCK_RAW,
    Cmsg,
    SockaddrIn6,
)

NAME: Final = "had"
PID_FILE: Final = "/var/run/had.pid"
DUMP_FILE: Final = "/var/run/had.dump"
DEBUG_INTERVAL_NS: Final = NS  # -D prints as often as KAME's loop turned
#: What ends the program, and its exit status then.
ENDING: Final = {"TERM": 128 + 15, "INT": 128 + 2}


async def main(argv: list[str], ops: ProgOps) -> int:
    """Runs until a signal; exit 1 when set-up fails."""
    return await run(TOOL, _had, argv, ops)


@dataclass(slots=True)
class _Daemon:
    """The running program."""

    ops: ProgOps
    log: Syslog
    debug: bool
    json: bool
    wire: OptionWire
    ifaces: list[HagentIfinfo] = field(default_factory=list)
    others: set[int] = field(default_factory=set)  # links not ours that were told
    sock: int = -1


async def _had(args: ParsedArgs, ops: ProgOps) -> int:
    if not args.args:
        raise UsageError
    log = Syslog(ops, LOG_DEBUG, to_stderr=True, stderr_head=f"{NAME}: ")
    d = _Daemon(ops, log, args.has("D"), args.long.json, await kernel_wire(ops))
    d.ifaces = [HagentIfinfo(name, ifindex(ops, name)) for name in args.args]
    await _sock_open(d)
    await _findifas(d)
    if not args.has("f"):
        await ops.daemon()
        await _write(d, PID_FILE, f"{ops.pid()}\n")
    ops.catch_signals("HUP", "USR1", *ENDING)
    status = await _loop(d)
    if not args.has("f"):
        await _write(d, PID_FILE, "")
    return status


# -- set-up ---------------------------------------------------------------------------------------


async def _sock_open(d: _Daemon) -> None:
    """The ICMPv6 socket: advertisements and discovery requests, with where they came from."""
    ops = d.ops
    try:
        d.sock = await ops.socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
        await ops.setsockopt(d.sock, IPPROTO_IPV6, IPV6_PKTINFO, 1)
        await ops.setsockopt(d.sock, IPPROTO_IPV6, IPV6_HOPLIMIT, 1)
        filt = ICMP6_FILTER_SETBLOCKALL.setpass(ND_ROUTER_ADVERT, ICMP6_HADISCOV_REQUEST)
        await ops.setsockopt(d.sock, IPPROTO_ICMPV6, ICMP6_FILTER, filt.value)
    except KError as e:
        raise ToolError("socket", e) from e


async def _findifas(d: _Daemon) -> None:
    """Read our own addresses; without an anycast address there is nobody to answer for."""
    for haif in d.ifaces:
        try:
            rows = await d.ops.ioctl(SIOCGIFADDRS_IN6(haif.ifname))
        except KError as e:
            raise ToolError(haif.ifname, e) from e
        assert isinstance(rows, tuple)  # what the request documents
        haif.set_addresses(row for row in rows if isinstance(row, IfaSnap))
    if not any(haif.gavec for haif in d.ifaces):
        d.log.warning("haif_findifas", "home agents anycast address not found")


# -- life -----------------------------------------------------------------------------------------


async def _loop(d: _Daemon) -> int:
    while True:
        polled = await d.ops.poll((d.sock,), DEBUG_INTERVAL_NS if d.debug else None)
        ending = [ENDING[name] for name in polled.signals if name in ENDING]
        if ending:
            return ending[0]
        for haif in d.ifaces:
            haif.expire(d.ops.monotonic())
        if "USR1" in polled.signals:
            await _write(d, DUMP_FILE, _dump(d))
        if "HUP" in polled.signals:
            await _clean(d)
        if polled.readable:
            await _read(d)
        if d.debug:
            d.ops.err(_dump(d))


async def _clean(d: _Daemon) -> None:
    """SIGHUP: forget the home agents, look at our own addresses again."""
    d.log.notice("main", "clean up home agent list")
    d.others.clear()
    for haif in d.ifaces:
        haif.halist.clear()
    try:
        await _findifas(d)
    except ToolError as e:
        d.log.err("haif_findifas", str(e))


async def _read(d: _Daemon) -> None:
    """Use everything that waits on the socket."""
    while True:
        try:
            rec = await d.ops.recvmsg(d.sock, MSG_DONTWAIT)
        except KError as e:
            if e.errno not in (EAGAIN, EINTR):
                d.log.err("had_input", f"recvmsg: {e}")
            return
        arr = arrival(d.ops, d.log, rec)
        if arr is None:
            continue
        if len(arr.data) < Icmp6Hdr.SIZE:
            d.log.err("had_input", f"packet size({len(arr.data)}) is too short")
        elif Icmp6Hdr.unpack(arr.data).icmp6_type == ND_ROUTER_ADVERT:
            ra_input(d.log, d.ifaces, d.others, arr, d.ops.monotonic())
        else:
            answer = haad_request_input(d.log, d.wire, d.ifaces, arr, d.ops.random)
            if answer is not None:
                await _reply_output(d, rec.addr, answer)


async def _reply_output(d: _Daemon, to: SockaddrIn6, answer: Answer) -> None:
    """Send a reply from the address that had chosen, by whatever interface leads there."""
    control = (Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (answer.source, 0)),)
    try:
        await d.ops.sendmsg(d.sock, build_ha_reply(answer.reply), to, control)
    except KError as e:
        d.log.err("haad_reply_output", f"sendmsg: {e}")


def _dump(d: _Daemon) -> str:
    show = dump_json if d.json else dump_text
    return show(d.ifaces, d.ops.monotonic(), d.ops.realtime())


async def _write(d: _Daemon, path: str, text: str) -> None:
    """Write a file of /var/run; a daemon goes on when it cannot."""
    try:
        await d.ops.write_file(path, text)
    except KError as e:
        d.log.err("main", f"failed to open the file({path}): {e}")


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=("had [-Df] interface ...",),
    summary="Keep the list of home agents of the links and answer mobile nodes that ask for it.",
    letters="Df",
    options=(
        OptionHelp("D", "", "print the list to stderr every second and after every packet"),
        OptionHelp("f", "", "stay in the foreground, log to stderr as well"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
