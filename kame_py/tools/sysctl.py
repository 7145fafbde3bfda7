# SPDX-License-Identifier: BSD-3-Clause
"""sysctl: read and set kernel variables.

KAME: FreeBSD 4's sysctl(8). Deviates: ``name=value`` sets with and without -w, as later BSDs do;
tables (routes, sockets) are for the tools that print them and are left out.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.toolbase import Json, Tool, UsageError, run, to_json
from kame_py.wire.errno import EINVAL, ENOENT, EPERM, KError
from kame_py.wire.snap import SysctlValue

NAME: Final = "sysctl"


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0 when every name could be read or set, else 1."""
    return await run(TOOL, _sysctl, argv, ops)


async def _sysctl(args: ParsedArgs, ops: ProgOps) -> int:
    if args.has("a"):
        words = tuple(await ops.sysctl_names())
    elif args.args:
        words = await _leaves(args, ops)
    else:
        raise UsageError
    values: dict[str, Json] = {}
    status = 0
    for word in words:
        try:
            await _one(args, ops, word, values)
        except _Failed as e:
            ops.err(f"{e}\n")
            status = 1
    if args.long.json:
        ops.out(to_json(values))
    return status


async def _leaves(args: ParsedArgs, ops: ProgOps) -> tuple[str, ...]:
    """The words, a name of a subtree replaced by all variables below it."""
    words: list[str] = []
    names = await ops.sysctl_names()
    for word in args.args:
        below = [name for name in names if name.startswith(f"{word}.")]
        words += [word] if args.has("w") or not below else below
    return tuple(words)


class _Failed(Exception):
    """One word could not be served; the text is the whole line."""


async def _one(args: ParsedArgs, ops: ProgOps, word: str, values: dict[str, Json]) -> None:
    name, equals, text = word.partition("=")
    if args.has("w") and not equals:
        raise _Failed(f"{NAME}: {word}: no value given")
    try:
        old = await ops.sysctl(name)
        if isinstance(old, tuple):
            raise _Failed(f"{NAME}: {name}: a table; netstat, ndp and route print it")
        new = await _set(ops, name, text) if equals else None
    except KError as e:
        raise _Failed(_why(name, e)) from e
    if args.long.json:
        values[name] = _text_or_int(old if new is None else new)
    else:
        ops.out(_line(args.has("n"), name, old, new))


async def _set(ops: ProgOps, name: str, text: str) -> SysctlValue:
    """Write a decimal, hexadecimal or octal number; what the variable reads as afterwards."""
    try:
        value = _number(text)
    except ValueError:
        raise KError(EINVAL) from None
    await ops.sysctl(name, value)
    return await ops.sysctl(name)


def _number(text: str) -> int:
    digits = text.strip()
    octal = digits.lstrip("+-").startswith("0") and digits.lstrip("+-").isdecimal()
    return int(digits, 8) if octal else int(digits, 0)


def _line(bare: bool, name: str, old: SysctlValue, new: SysctlValue | None) -> str:
    head = "" if bare else f"{name}: "
    if new is None:
        return f"{head}{_text_or_int(old)}\n"
    return f"{head}{_text_or_int(old)} -> {_text_or_int(new)}\n"


def _text_or_int(value: SysctlValue) -> int | str:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, int | str) else f"{len(value)} rows"


def _why(name: str, e: KError) -> str:
    if e.errno == ENOENT:
        return f"{NAME}: unknown oid '{name}'"
    if e.errno == EPERM:
        return f"{NAME}: oid '{name}' is read only"
    return f"{NAME}: {name}: {e}"


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=("sysctl [-n] name[=value] ...", "sysctl [-n] -w name=value ...", "sysctl [-n] -a"),
    summary="Read or set variables of the kernel.",
    letters="anw",
    options=(
        OptionHelp("a", "", "all variables; a name such as net.inet6 shows those below it"),
        OptionHelp("n", "", "print values without names"),
        OptionHelp("w", "", "set; accepted for FreeBSD 4's sake, name=value is enough"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
