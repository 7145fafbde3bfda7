# SPDX-License-Identifier: BSD-3-Clause
"""route: change the routing table, ask it, watch it.

KAME: route.c of FreeBSD 4 with KAME's -inet6. Deviates: inet6 is the default family; without
-prefixlen a destination whose last 64 bits are zero is a /64, as KAME's manual says and its
program did not do; DST/len is accepted; --json. Printing is in route_print.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.flagwords import (
    RTF_BLACKHOLE,
    RTF_CLONING,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_LLINFO,
    RTF_PROTO1,
    RTF_PROTO2,
    RTF_REJECT,
    RTF_STATIC,
    RTF_UP,
    RTF_XRESOLVE,
)
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.rtquery import RouteSocket
from kame_py.lib.toolbase import Json, Tool, ToolError, UsageError, addr_text, run, to_json
from kame_py.tools.route_print import Names, get_json, get_text, message_json, message_text
from kame_py.wire import rtmsg
from kame_py.wire.errno import EAGAIN, EBUSY, ENOBUFS, ESRCH, KError
from kame_py.wire.in6addr import IN6ADDR_ANY, mac_aton, mask_plen, masked, prefix_mask
from kame_py.wire.malformed import Malformed
from kame_py.wire.rtmsg import (
    RTM_ADD,
    RTM_CHANGE,
    RTM_DELETE,
    RTM_GET,
    RtAddrs,
    RtMetricsMsg,
    RtMsg,
    SockaddrDl,
)
from kame_py.wire.snap import RtSnap
from kame_py.wire.sockaddr import MSG_DONTWAIT, SockaddrIn6

NAME: Final = "route"
EX_USAGE: Final = 64
SIGINT_STATUS: Final = 130
COMMANDS: Final = {"add": RTM_ADD, "delete": RTM_DELETE, "change": RTM_CHANGE, "get": RTM_GET}
HALF: Final = 64  # bits of a subnet prefix


@dataclass(slots=True)
class _Request:
    """What the words of an add, delete, change or get say."""

    ops: ProgOps
    words: list[str]
    dst: SockaddrIn6 | None = None
    dst_text: str = ""
    plen: int | None = None
    kind: str = ""  # net, host, or what the destination suggests
    gateway: rtmsg.Sockaddr | None = None
    gw_text: str = ""
    by_interface: bool = False
    ifp: SockaddrDl | None = None
    ifa: SockaddrIn6 | None = None
    genmask: bytes | None = None
    flags: int = 0
    nostatic: bool = False
    inits: int = 0
    locks: int = 0
    lock_next: bool = False
    lock_rest: bool = False
    metrics: dict[str, int] = field(default_factory=dict)


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0; 1 when the kernel refused; 64 after a wrong command line."""
    return await run(TOOL, _route, argv, ops)


async def _route(args: ParsedArgs, ops: ProgOps) -> int:
    if not args.args:
        raise UsageError
    command, words = args.args[0], list(args.args[1:])
    if command == "del":
        command = "delete"
    if command == "flush":
        return await _flush(args, ops, words)
    if command == "monitor":
        return await _monitor(args, ops)
    if command not in COMMANDS:
        raise UsageError(f"bad keyword: {command}")
    return await _newroute(args, ops, command, words)


# -- add, delete, change, get ---------------------------------------------------------------------


async def _newroute(args: ParsedArgs, ops: ProgOps, command: str, words: list[str]) -> int:
    req = _Request(ops, words)
    await _parse(req)
    if req.dst is None or (command == "add" and req.gateway is None):
        raise UsageError
    msg = _message(req, COMMANDS[command])
    names = Names(ops, numeric=args.has("n"))
    if args.has("v") or args.has("d"):
        ops.out(await message_text(names, msg))
    error: KError | None = None
    answer: RtMsg | None = None
    if not args.has("d") and not args.has("t"):
        try:
            answer = await _ask(ops, msg)
        except KError as e:
            error = e
            ops.err(f"{NAME}: writing to routing socket: {_why(e)}\n")
    if command == "get":
        if answer is not None and not args.has("q"):
            await _print_get(args, names, req.dst, answer)
    elif args.long.json:
        ops.out(to_json(_done_json(req, command, error)))
    elif not args.has("q"):
        ops.out(_done_text(req, command, error))
    return 1 if error is not None else 0


async def _ask(ops: ProgOps, msg: RtMsg) -> RtMsg:
    rs = await RouteSocket.open(ops)
    try:
        return await rs.ask(msg)
    finally:
        await rs.close()


async def _print_get(args: ParsedArgs, names: Names, dst: SockaddrIn6, answer: RtMsg) -> None:
    if args.long.json:
        names.ops.out(to_json(await get_json(names, dst, answer)))
    else:
        names.ops.out(await get_text(names, dst, answer))


def _done_text(req: _Request, command: str, error: KError | None) -> str:
    text = f"{command} {req.kind} {req.dst_text}"
    if req.gw_text:
        text += f": gateway {req.gw_text}"
    return text + (f": {_why(error)}\n" if error is not None else "\n")


def _done_json(req: _Request, command: str, error: KError | None) -> dict[str, Json]:
    return {
        "command": command,
        "kind": req.kind,
        "dst": req.dst_text,
        "gateway": req.gw_text or None,
        "error": None if error is None else _why(error),
    }


def _why(e: KError) -> str:
    special = {
        ESRCH: "not in table",
        EBUSY: "entry in use",
        ENOBUFS: "routing table overflow",
    }
    return special.get(e.errno, str(e))


def _message(req: _Request, kind: int) -> RtMsg:
    assert req.dst is not None
    flags = req.flags | RTF_UP
    if not req.nostatic:
        flags |= RTF_STATIC
    if req.kind == "host":
        flags |= RTF_HOST
    if req.gateway is not None and not req.by_interface:
        flags |= RTF_GATEWAY
    plen = 128 if req.plen is None else req.plen
    dst = req.dst
    ifp: rtmsg.Sockaddr | None = req.ifp
    if kind == RTM_GET and ifp is None:
        ifp = SockaddrDl()
    mask = None if req.kind == "host" else prefix_mask(plen)
    addrs = RtAddrs(
        dst._replace(addr=masked(dst.addr, plen)) if req.kind == "net" else dst,
        req.gateway,
        netmask=mask,
        genmask=req.genmask,
        ifp=ifp,
        ifa=req.ifa,
    )
    rmx = RtMetricsMsg(rmx_locks=req.locks, **req.metrics)
    return RtMsg(kind, flags, rtm_inits=req.inits, rtm_rmx=rmx, addrs=addrs)


# -- words ----------------------------------------------------------------------------------------


async def _parse(req: _Request) -> None:
    while req.words:
        word = req.words.pop(0)
        if word.startswith("-") and len(word) > 1:
            await _modifier(req, word[1:])
        elif req.dst is None:
            await _set_dst(req, word)
        elif req.gateway is None:
            await _set_gateway(req, word)
        else:
            _set_mask(req, (await _address(req, word)).addr)
    _settle_kind(req)


def _settle_kind(req: _Request) -> None:
    """net or host, from what was given: -host, -net, a length, the look of the destination."""
    if req.dst is None:
        return
    if req.kind == "host" or req.plen == 128:
        req.kind, req.plen = "host", 128
        return
    if req.plen is None:
        low_zero = req.dst.addr == masked(req.dst.addr, HALF)
        if req.dst.addr == IN6ADDR_ANY:
            req.plen = 0
        elif low_zero or req.kind == "net":
            req.plen = HALF
        else:
            req.plen = 128
    req.kind = "host" if req.plen == 128 else "net"


async def _modifier(req: _Request, word: str) -> None:
    if word in _FLAGS:
        req.flags |= _FLAGS[word]
    elif word in _METRICS:
        bit, member = _METRICS[word]
        _metric(req, bit, member, _argument(req))
    elif word in _WORDS:
        _WORDS[word](req)
    elif word in _ADDRESSES:
        await _address_word(req, word)
    elif word == "prefixlen":
        text = _argument(req)
        if not (text.isascii() and text.isdecimal()) or int(text) > 128:
            raise ToolError(text, "bad value")
        req.plen = int(text)
    else:
        raise UsageError(f"bad keyword: {word}")


def _argument(req: _Request) -> str:
    if not req.words:
        raise UsageError
    return req.words.pop(0)


def _metric(req: _Request, bit: int, member: str, text: str) -> None:
    if not (text.isascii() and text.isdecimal()) or int(text) > 0xFFFFFFFF:
        raise ToolError(text, "bad value")
    req.inits |= bit
    if req.lock_next or req.lock_rest:
        req.locks |= bit
        req.lock_next = False
    req.metrics[member] = int(text)


async def _address_word(req: _Request, word: str) -> None:
    text = _argument(req)
    if word == "dst":
        await _set_dst(req, text)
    elif word == "gateway":
        await _set_gateway(req, text)
    elif word == "netmask":
        _set_mask(req, (await _address(req, text)).addr)
    elif word == "genmask":
        req.genmask = (await _address(req, text)).addr
    elif word == "ifa":
        req.ifa = await _address(req, text)
    else:
        req.ifp = _interface(req, text)


def _interface(req: _Request, name: str) -> SockaddrDl:
    index = req.ops.if_nametoindex(name)
    if not index:
        raise ToolError(name, "bad value")
    return SockaddrDl(index, 0, name)


async def _address(req: _Request, text: str) -> SockaddrIn6:
    sa = await req.ops.getaddrinfo(text)
    if sa is None:
        raise ToolError(text, "bad value")
    return sa


async def _set_dst(req: _Request, text: str) -> None:
    req.dst_text = text
    if text == "default":
        req.dst, req.plen = SockaddrIn6(), 0
        return
    host, slash, length = text.partition("/")
    req.dst = await _address(req, host)
    if slash:
        if not (length.isascii() and length.isdecimal()) or int(length) > 128:
            raise ToolError(text, "bad value")
        req.plen = int(length)


async def _set_gateway(req: _Request, text: str) -> None:
    req.gw_text = text
    if req.by_interface and req.ops.if_nametoindex(text):
        req.gateway = _interface(req, text)
        return
    if text.startswith("link#") and text[5:].isdecimal():
        req.gateway = SockaddrDl(int(text[5:]))
        req.by_interface = True
        return
    mac = mac_aton(text) if req.flags & RTF_LLINFO else None
    if mac is not None:
        link = req.ifp.sdl_index if req.ifp is not None else 0
        req.gateway = SockaddrDl(link, 0, "", mac)
        req.by_interface = True
        return
    req.gateway = await _address(req, text)


def _set_mask(req: _Request, mask: bytes) -> None:
    plen = mask_plen(mask)
    if plen is None:
        raise ToolError("netmask", "bad value")
    req.plen = plen


def _word_net(req: _Request) -> None:
    req.kind = "net"


def _word_host(req: _Request) -> None:
    req.kind = "host"


def _word_interface(req: _Request) -> None:
    req.by_interface = True


def _word_nostatic(req: _Request) -> None:
    req.nostatic = True


def _word_static(req: _Request) -> None:
    req.nostatic = False


def _word_lock(req: _Request) -> None:
    req.lock_next = True


def _word_lockrest(req: _Request) -> None:
    req.lock_rest = True


def _word_inet6(req: _Request) -> None:
    """The only family there is."""


def _word_other_family(req: _Request) -> None:
    raise ToolError("-inet", "only inet6 routes are supported")


_WORDS: Final[dict[str, Callable[[_Request], None]]] = {
    "net": _word_net,
    "host": _word_host,
    "interface": _word_interface,
    "iface": _word_interface,
    "nostatic": _word_nostatic,
    "static": _word_static,
    "lock": _word_lock,
    "lockrest": _word_lockrest,
    "inet6": _word_inet6,
    "inet": _word_other_family,
}
_FLAGS: Final = {
    "cloning": RTF_CLONING,
    "reject": RTF_REJECT,
    "blackhole": RTF_BLACKHOLE,
    "llinfo": RTF_LLINFO,
    "proto1": RTF_PROTO1,
    "proto2": RTF_PROTO2,
    "xresolve": RTF_XRESOLVE,
}
_METRICS: Final = {
    "mtu": (rtmsg.RTV_MTU, "rmx_mtu"),
    "hopcount": (rtmsg.RTV_HOPCOUNT, "rmx_hopcount"),
    "expire": (rtmsg.RTV_EXPIRE, "rmx_expire"),
    "recvpipe": (rtmsg.RTV_RPIPE, "rmx_recvpipe"),
    "sendpipe": (rtmsg.RTV_SPIPE, "rmx_sendpipe"),
    "ssthresh": (rtmsg.RTV_SSTHRESH, "rmx_ssthresh"),
    "rtt": (rtmsg.RTV_RTT, "rmx_rtt"),
    "rttvar": (rtmsg.RTV_RTTVAR, "rmx_rttvar"),
}
_ADDRESSES: Final = ("dst", "gateway", "netmask", "genmask", "ifa", "ifp")


# -- flush, monitor -------------------------------------------------------------------------------


async def _flush(args: ParsedArgs, ops: ProgOps, words: list[str]) -> int:
    """Delete all routes through gateways."""
    if any(word != "-inet6" for word in words):
        raise UsageError
    rows = await ops.sysctl("net.route.dump")
    gone: list[Json] = []
    rs = await RouteSocket.open(ops)
    try:
        for rt in rows if isinstance(rows, tuple) else ():
            if isinstance(rt, RtSnap) and rt.flags & RTF_GATEWAY and rt.gateway is not None:
                if await _flush_one(args, rs, ops, rt):
                    gone.append({"dst": _dst_text(rt), "gateway": addr_text(rt.gateway, rt.gwzone)})
    finally:
        await rs.close()
    if args.long.json:
        ops.out(to_json(gone))
    return 0


async def _flush_one(args: ParsedArgs, rs: RouteSocket, ops: ProgOps, rt: RtSnap) -> bool:
    zone = ops.if_nametoindex(rt.zone) if rt.zone else 0
    mask = None if rt.plen == 128 else prefix_mask(rt.plen)
    msg = RtMsg(
        RTM_DELETE, rt.flags, addrs=RtAddrs(SockaddrIn6(rt.dst, scope_id=zone), netmask=mask)
    )
    if not args.has("t") and not args.has("d"):
        try:
            await rs.ask(msg)
        except KError as e:
            if e.errno == ESRCH:  # went away with a route deleted before
                return False
            ops.err(f"{NAME}: writing to routing socket: {e}\n")
            return False
    if not args.has("q") and not args.long.json:
        gateway = addr_text(rt.gateway or IN6ADDR_ANY, rt.gwzone)
        ops.out(f"{_dst_text(rt)[:20]:<20} {gateway[:20]:<20} done\n")
    return True


def _dst_text(rt: RtSnap) -> str:
    if not rt.plen and rt.dst == IN6ADDR_ANY:
        return "default"
    return addr_text(rt.dst, rt.zone)


async def _monitor(args: ParsedArgs, ops: ProgOps) -> int:
    """Print what the routing socket tells until a signal comes."""
    names = Names(ops, numeric=args.has("n"))
    rs = await RouteSocket.open(ops)
    ops.catch_signals("INT", "TERM")
    while True:
        polled = await ops.poll((rs.fd,), None)
        if polled.signals:
            await rs.close()
            return SIGINT_STATUS if "INT" in polled.signals else 0
        try:
            got = await ops.recvmsg(rs.fd, MSG_DONTWAIT)
        except KError as e:
            if e.errno != EAGAIN:
                raise
            continue
        msg = rtmsg.parse(got.data)
        if isinstance(msg, Malformed):
            continue
        if args.long.json:
            ops.out(to_json(await message_json(names, msg)))
        else:
            stamp = names.date(ops.realtime())
            ops.out(f"\ngot message of size {len(got.data)} on {stamp}\n")
            ops.out(await message_text(names, msg))


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=("route [-dnqtv] command [[modifiers] args]",),
    summary=(
        "Change or show the routing table. Commands: add, delete, change, get, flush, monitor. "
        "Modifiers: -inet6 -net -host -prefixlen N -interface -ifp IF -ifa ADDR -cloning -reject "
        "-blackhole -static -nostatic -llinfo -proto1 -proto2 -xresolve -mtu N -hopcount N "
        "-expire T -rtt N -rttvar N -sendpipe N -recvpipe N -ssthresh N -lock -lockrest "
        "-genmask M -netmask M -dst D -gateway G."
    ),
    letters="dnqtv",
    options=(
        OptionHelp("d", "", "print the message, send nothing"),
        OptionHelp("n", "", "numeric addresses"),
        OptionHelp("q", "", "print nothing"),
        OptionHelp("t", "", "send nothing"),
        OptionHelp("v", "", "print the message as well"),
    ),
    usage_status=EX_USAGE,
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
