# SPDX-License-Identifier: BSD-3-Clause
"""mtest: join and leave multicast groups, as a program does that listens to them.

FreeBSD 4's mtest(8), which KAME's boxes had, with its letters j, l, s, q and ?. Deviates: groups
are IPv6 and an interface is named, as in later versions; what concerns link-layer addresses is not
here; all commands are read before the first is carried out; the exit status tells of failures.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.toolbase import Json, Tool, ToolError, UsageError, ifindex, resolve, run, to_json
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import ntop
from kame_py.wire.sockaddr import (
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_JOIN_GROUP,
    IPV6_LEAVE_GROUP,
    SOCK_DGRAM,
)

NAME: Final = "mtest"
NS: Final = 1_000_000_000
GREETING: Final = "multicast membership test program; enter ? for list of commands\n"
COMMANDS: Final = """\
j group ifname - join multicast group
l group ifname - leave multicast group
s seconds      - sleep for some seconds
?              - list commands
q              - quit
"""
_OPTIONS: Final = {"j": (IPV6_JOIN_GROUP, "JOIN"), "l": (IPV6_LEAVE_GROUP, "LEAVE")}


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0 when every command could be carried out, else 1."""
    return await run(TOOL, _mtest, argv, ops)


async def _mtest(args: ParsedArgs, ops: ProgOps) -> int:
    if args.args:
        raise UsageError
    if not args.long.json:
        ops.out(GREETING)
    fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
    done: list[Json] = []
    status = 0
    for line in (await ops.stdin()).splitlines():
        words = line.split()
        if words[:1] == ["q"]:
            break
        try:
            text = await _command(ops, fd, words)
        except ToolError as e:
            status = e.status
            ops.err(f"{NAME}: {e}\n")
            done.append({"command": line.strip(), "ok": False})
            continue
        if words:
            done.append({"command": line.strip(), "ok": True})
        if not args.long.json:
            ops.out(text)
    await ops.close(fd)
    if args.long.json:
        ops.out(to_json(done))
    return status


async def _command(ops: ProgOps, fd: int, words: list[str]) -> str:
    """What one command prints; ToolError when it cannot be carried out."""
    match words:
        case []:
            return ""
        case ["?"]:
            return COMMANDS
        case ["s", seconds]:
            if not (seconds.isascii() and seconds.isdigit()):
                raise ToolError(seconds, "bad value")
            await ops.nanosleep(int(seconds) * NS)
            return "ok\n"
        case [("j" | "l") as letter, group, ifname]:
            await _membership(ops, fd, letter, group, ifname)
            return "ok\n"
    raise ToolError(" ".join(words), "bad command")


async def _membership(ops: ProgOps, fd: int, letter: str, group: str, ifname: str) -> None:
    opt, word = _OPTIONS[letter]
    sa = await resolve(ops, group)
    try:
        await ops.setsockopt(fd, IPPROTO_IPV6, opt, (sa.addr, ifindex(ops, ifname)))
    except KError as e:
        raise ToolError(f"IPV6_{word}_GROUP {ntop(sa.addr)} on {ifname}", e) from e


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=("mtest < commands",),
    summary="Join and leave multicast groups as standard input says; leave them all at its end.",
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
