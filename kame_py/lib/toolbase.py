# SPDX-License-Identifier: BSD-3-Clause
"""What all ported tools share: long options, error lines, JSON, addresses in text.

No KAME counterpart: KAME's tools use err(3) and each its own usage().
A tool is a module with ``async def main(argv, ops) -> int`` and ``TOOL = Tool(...)``. Its main
hands its body to ``run``, which answers --help and --version and turns errors into one line.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import fields, is_dataclass
from typing import Final

from kame_py import __version__
from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs, getopt, help_row, render_help
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import IN6_IS_SCOPE_LINKLOCAL, mac_ntoa, ntop
from kame_py.wire.record import record
from kame_py.wire.sockaddr import SockaddrIn6

EX_OK: Final = 0
EX_ERROR: Final = 1
ADDR_OCTETS: Final = 16
MAC_OCTETS: Final = 6

Main = Callable[[list[str], ProgOps], Coroutine[object, None, int]]
Body = Callable[[ParsedArgs, ProgOps], Awaitable[int]]
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@record
class Tool:
    """One program. letters: its getopt(3) string; usage_status: exit after a wrong option.

    keep_going: an illegal option is only complained about, as rtadvd does. usage_to_out: the usage
    text goes to standard output. node_free: letters with which it needs no node. more_usage: lines
    for --help that KAME's usage text has not.
    """

    name: str
    main: Main
    usage: tuple[str, ...]
    summary: str
    letters: str = ""
    options: tuple[OptionHelp, ...] = ()
    usage_status: int = EX_ERROR
    keep_going: bool = False
    usage_to_out: bool = False
    node_free: str = ""
    more_usage: tuple[str, ...] = ()

    def help_text(self) -> str:
        """What --help prints."""
        return render_help((*self.usage, *self.more_usage), self.summary, self.options)

    def version_text(self) -> str:
        """What --version prints."""
        return f"{self.name} (kame-py) {__version__}\n"

    def usage_text(self) -> str:
        """The usage lines alone, for stderr."""
        head = ("usage:", "      ")
        return "".join(f"{head[i > 0]} {line}\n" for i, line in enumerate(self.usage))

    def untold(self, letters: Iterable[str]) -> list[str]:
        """What --help says of those options that the usage text leaves out."""
        told = self.usage_text()
        rows = [row for row in self.options if row.letter in letters]
        return [line for row in rows if f"-{row.letter} " not in told for line in help_row(row)]


class ToolError(Exception):
    """Ends a tool with one line ``tool: what: why`` (or ``tool: what``) and a status."""

    def __init__(self, what: str, why: str | KError = "", status: int = EX_ERROR) -> None:
        super().__init__(f"{what}: {why}" if str(why) else what)
        self.status = status


class UsageError(Exception):
    """Ends a tool with its usage text, after a complaint if there is one."""


async def run(tool: Tool, body: Body, argv: list[str], ops: ProgOps) -> int:
    """Scan argv and run ``body(args, ops)``; errors become text and an exit status."""
    args = getopt(tool.name, tool.letters, argv)
    early = long_answer(tool, args)
    if early is not None:
        ops.out(early)
        return EX_OK
    usage = ops.out if tool.usage_to_out else ops.err
    for line in (*args.errors, *tool.untold(args.lacking)):
        ops.err(f"{line}\n")
    if args.errors and not tool.keep_going:
        usage(tool.usage_text())
        return tool.usage_status
    try:
        await _own_node(args, ops)
        return await body(args, ops)
    except UsageError as e:
        if str(e):
            ops.err(f"{tool.name}: {e}\n")
        usage(tool.usage_text())
        return tool.usage_status
    except ToolError as e:
        ops.err(f"{tool.name}: {e}\n")
        return e.status
    except KError as e:
        ops.err(f"{tool.name}: {e}\n")
        return EX_ERROR


async def _own_node(args: ParsedArgs, ops: ProgOps) -> None:
    """A program talks to the kernel that it runs on: another --node is refused."""
    if args.long.node is not None:
        own = str(await ops.sysctl("kern.hostname"))
        if args.long.node != own:
            raise ToolError(f"--node {args.long.node}", f"this program runs on node {own}")


def long_answer(tool: Tool, args: ParsedArgs) -> str | None:
    """The text that --help or --version ask for; None when neither was given."""
    if args.long.help:
        return tool.help_text()
    if args.long.version:
        return tool.version_text()
    return None


def warn(ops: ProgOps, tool: str, what: str, why: str | KError = "") -> None:
    """One line on stderr; the tool goes on."""
    ops.err(f"{tool}: {what}: {why}\n" if str(why) else f"{tool}: {what}\n")


# -- addresses ------------------------------------------------------------------------------------


async def resolve(ops: ProgOps, text: str, why: str = "bad value") -> SockaddrIn6:
    """The address of a name or numeric address; ToolError ``text: why`` when there is none."""
    sa = await ops.getaddrinfo(text)
    if sa is None:
        raise ToolError(text, why)
    return sa


def addr_text(addr: bytes, ifname: str = "") -> str:
    """An address, with ``%ifname`` where its scope needs one."""
    if ifname and IN6_IS_SCOPE_LINKLOCAL(addr):
        return f"{ntop(addr)}%{ifname}"
    return ntop(addr)


def sockaddr_text(ops: ProgOps, sa: SockaddrIn6) -> str:
    """A socket address without its port."""
    return addr_text(sa.addr, ops.if_indextoname(sa.scope_id) if sa.scope_id else "")


def ifindex(ops: ProgOps, name: str) -> int:
    """Index of an interface; ToolError when there is none of that name."""
    index = ops.if_nametoindex(name)
    if not index:
        raise ToolError(f"interface {name} does not exist")
    return index


# -- JSON -----------------------------------------------------------------------------------------


def to_json(value: object) -> str:
    """One JSON text: rows become objects, addresses and MACs text, other octets hexadecimal."""
    return json.dumps(_plain(value), indent=2) + "\n"


def rows_json(rows: Iterable[object]) -> str:
    """A JSON array of rows."""
    return to_json(list(rows))


def _plain(value: object) -> Json:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return _octets(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _plain(getattr(value, name)) for name in value._fields}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _octets(value: bytes) -> str:
    if len(value) == ADDR_OCTETS:
        return ntop(value)
    return mac_ntoa(value) if len(value) == MAC_OCTETS else value.hex()
