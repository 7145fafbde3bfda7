# SPDX-License-Identifier: BSD-3-Clause
"""setkey: keys and policies of IPsec by hand.

KAME: setkey.c. The language of scripts is in lib/setkey_parse.py, the displays are in
lib/pfkey_dump.py and lib/pfkey_debug.py. Deviates: the exit status tells what the kernel refused;
an argument that is no option is refused instead of ignored; --json.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.pfkey import KeySocket, RecvError
from kame_py.lib.pfkey_debug import hexrows, kdebug_sadb
from kame_py.lib.setkey_parse import Supported
from kame_py.lib.toolbase import EX_ERROR, EX_OK, Tool, ToolError, UsageError, run
from kame_py.tools.setkey_script import Script, is_failure, refusal_text
from kame_py.tools.setkey_show import NS, Display
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import KError
from kame_py.wire.malformed import Malformed
from kame_py.wire.pfkey import parse_sadb, sadb

NAME: Final = "setkey"
MODES: Final = "cfDFx"  # the last one of a command line counts
EX_FATAL: Final = 255  # err(-1, ...)
REPEAT_NS: Final = 1 * NS
US: Final = 1000
SECONDS_A_DAY: Final = 86_400
PROMISC_ON: Final = 1  # satype of a SADB_X_PROMISC


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0; 1 after an error or a refusal, 255 without the script or the kernel's algorithms."""
    return await run(TOOL, _setkey, argv, ops)


async def _setkey(args: ParsedArgs, ops: ProgOps) -> int:
    mode = next((o for o in reversed(args.options) if o.letter in MODES), None)
    if mode is None or args.args or args.has("d"):
        raise UsageError
    text = await _script_text(args, ops, mode.letter)
    sock = await _open(ops)
    display = Display(ops, args.long.json, args.has("a"), args.has("l"))
    if args.has("v"):
        sock.watch = display.watch
    try:
        if text is not None:
            script = Script(ops, sock, display, mode.arg or "stdin")
            return await script.run(text, await _register(sock))
        return await _ACTIONS[mode.letter](args, sock, display)
    except RecvError as e:
        raise ToolError("recv", str(e)) from e
    finally:
        await sock.close()


async def _script_text(args: ParsedArgs, ops: ProgOps, mode: str) -> str | None:
    if mode == "c":
        return await ops.stdin()
    if mode != "f":
        return None
    try:
        return await ops.read_file(args.last("f") or "")
    except KError as e:
        raise ToolError("fopen", e, EX_FATAL) from e


async def _open(ops: ProgOps) -> KeySocket:
    try:
        return await KeySocket.open(ops)
    except KError as e:
        raise ToolError("pfkey_open", e) from e


async def _register(sock: KeySocket) -> Supported:
    try:
        return Supported(*await sock.register())
    except (KError, RecvError) as e:
        raise ToolError("pfkey_recv_register", str(e), EX_FATAL) from e


# -- one message ----------------------------------------------------------------------------------


async def _dump(args: ParsedArgs, sock: KeySocket, display: Display) -> int:
    """-D and -DP; with -l again and again until a signal."""
    while True:
        if not args.has("P"):
            display.header()
        status = await _ask(k.SADB_X_SPDDUMP if args.has("P") else k.SADB_DUMP, sock, display)
        display.finish()
        if not args.has("l"):
            return status
        await display.ops.nanosleep(REPEAT_NS)


async def _flush(args: ParsedArgs, sock: KeySocket, display: Display) -> int:
    """-F and -FP."""
    return await _ask(k.SADB_X_SPDFLUSH if args.has("P") else k.SADB_FLUSH, sock, display)


async def _ask(type: int, sock: KeySocket, display: Display) -> int:
    errno = await sock.ask(sadb(type, k.SADB_SATYPE_UNSPEC), display.take)
    if errno:
        display.say(f"{refusal_text(type, errno)}\n")
    return EX_ERROR if is_failure(type, errno) else EX_OK


# -- all traffic ----------------------------------------------------------------------------------


async def _promisc(args: ParsedArgs, sock: KeySocket, display: Display) -> int:
    """-x: print every message that the kernel sends to any socket, for ever.

    They come wrapped; one for this socket comes once more as it is.
    """
    await sock.send(sadb(k.SADB_X_PROMISC, PROMISC_ON))
    epoch = sum(o.letter == "x" for o in args.options) > 1
    while True:
        data = await sock.recv(None)
        msg = parse_sadb(data)
        if isinstance(msg, Malformed) or not msg.inner:
            continue
        display.ops.out(_stamp(display.ops, epoch))
        if args.has("h"):
            display.ops.out(hexrows(data))
        display.ops.out(kdebug_sadb(msg.inner) + "\n")


def _stamp(ops: ProgOps, epoch: bool) -> str:
    """The time of day, or seconds since 1970; a line of its own."""
    seconds, ns = divmod(ops.realtime(), NS)
    if epoch:
        return f"{seconds}.{ns // US:06}\n"
    return f"{datetime.fromtimestamp(seconds % SECONDS_A_DAY, UTC):%H:%M:%S}.{ns // US:06}\n"


Action = Callable[[ParsedArgs, KeySocket, Display], Awaitable[int]]
_ACTIONS: Final[dict[str, Action]] = {"D": _dump, "F": _flush, "x": _promisc}

TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=(
        "setkey [-v] -c",
        "setkey [-v] -f file",
        "setkey [-Palv] -D",
        "setkey [-Pv] -F",
        "setkey [-h] -x",
    ),
    summary="Set and show the keys (SAD) and policies (SPD) of IPsec.",
    letters="acdf:hlvxDFP",
    options=(
        OptionHelp("c", "", "read commands from standard input"),
        OptionHelp("f", "FILE", "read commands from a file"),
        OptionHelp("D", "", "show the associations, with -P the policies"),
        OptionHelp("F", "", "delete the associations, with -P the policies"),
        OptionHelp("P", "", "with -D and -F: policies"),
        OptionHelp("a", "", "with -D: dead associations too"),
        OptionHelp("l", "", "with -D: one line each, again every second until a signal"),
        OptionHelp("v", "", "show each message to the kernel and from it"),
        OptionHelp("x", "", "show the messages of all programs until a signal, each with the time"),
        OptionHelp("h", "", "with -x: in hexadecimal, too"),
        OptionHelp("d", "", "gives the usage text, as in KAME"),
    ),
    usage_to_out=True,
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
