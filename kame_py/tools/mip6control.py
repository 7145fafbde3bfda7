# SPDX-License-Identifier: BSD-3-Clause
"""mip6control: make a node a home agent or a mobile node, show what Mobile IPv6 knows.

KAME: mip6control.c. Its displays are in mip6control_show.py. Several options of one call are
carried out in KAME's fixed order, whatever the order in which they were typed; that is the order of
the table _STEPS.
Deviates: one half of a pair (-H -P, -A -L) is ignored as in KAME, but that is told; a prefix length
outside 0-128 and a port outside 0-65535 are refused; a call with -n, -l or -i alone shows the
status; -I, which a later mip6control had for identifiers; --json.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.toolbase import (
    EX_ERROR,
    EX_OK,
    Json,
    Tool,
    ToolError,
    UsageError,
    resolve,
    run,
    to_json,
    warn,
)
from kame_py.tools.mip6control_show import (
    NO_HIF,
    Display,
    check_hif,
    read_config,
    show_agents,
    show_cache,
    show_prefixes,
    show_status,
    show_unuse,
    show_updates,
)
from kame_py.wire.const import ND_RA_FLAG_HOME_AGENT
from kame_py.wire.errno import EADDRINUSE, EADDRNOTAVAIL, EINVAL, KError
from kame_py.wire.in6addr import IN6ADDR_ANY, masked, ntop, prefix_equal, pton
from kame_py.wire.ioctl import (
    SIOCAHOMEAGENT_HIF,
    SIOCAHOMEPREFIX_HIF,
    SIOCDUNUSEHA,
    SIOCSHOMEADDR_HIF,
    SIOCSMIP6CFG,
    SIOCSMIP6CFG_DISABLEAUTHDATA,
    SIOCSMIP6CFG_DISABLEDEBUG,
    SIOCSMIP6CFG_DISABLEIPSEC,
    SIOCSMIP6CFG_DISABLEMN,
    SIOCSMIP6CFG_ENABLEAUTHDATA,
    SIOCSMIP6CFG_ENABLEDEBUG,
    SIOCSMIP6CFG_ENABLEHA,
    SIOCSMIP6CFG_ENABLEIPSEC,
    SIOCSMIP6CFG_ENABLEMN,
    SIOCSUNUSEHA,
)
from kame_py.wire.record import record

NAME: Final = "mip6control"
DEFAULT_HIF: Final = "hif0"
PREFIX_VLTIME_S: Final = 65535
PREFIX_PLTIME_S: Final = 65280
HA_LIFETIME_S: Final = 65535
PLEN_MAX: Final = 128
PORT_MAX: Final = 65535
IFID_PLEN: Final = 64  # an address with so many zero bits in front is an identifier
EX_UNUSE: Final = 255  # of -u and -v
#: What the kernel says about a home address in words that name the reason.
_NO_HOME_ADDRESS: Final = {
    EINVAL: "not possible as a home address",
    EADDRNOTAVAIL: "no home prefix covers it",
    EADDRINUSE: "a home agent has it",
}
NO_NAME: Final = "hostname nor servname provided, or not known"  # gai_strerror(EAI_NONAME)


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0; 1 after an error, 255 after one of -u and -v."""
    return await run(TOOL, _mip6control, argv, ops)


@record
class _Call:
    """One call: its options and how it shows tables."""

    args: ParsedArgs
    display: Display

    @property
    def ops(self) -> ProgOps:
        return self.display.ops

    @property
    def hif(self) -> str:
        return self.display.hif


async def _mip6control(args: ParsedArgs, ops: ProgOps) -> int:
    if args.args:
        raise UsageError
    collected: dict[str, Json] | None = {} if args.long.json else None
    display = Display(
        ops=ops,
        config=await read_config(ops),
        hif=args.last("i") or DEFAULT_HIF,
        long=args.has("l"),
        numeric=args.has("n"),
        json=collected,
    )
    call = _Call(args, display)
    steps = [step for letters, step in _STEPS if any(args.has(letter) for letter in letters)]
    if not steps:
        await show_status(display)
    for step in steps:
        await step(call)
    if collected:
        ops.out(to_json(collected))
    return EX_OK


# -- changes --------------------------------------------------------------------------------------


async def _request(call: _Call, request: object, status: int = EX_ERROR) -> None:
    try:
        await call.ops.ioctl(request)
    except KError as e:
        raise ToolError("ioctl", e, status) from e


def _role(subcommand: int) -> Callable[[_Call], Awaitable[None]]:
    async def step(call: _Call) -> None:
        await _request(call, SIOCSMIP6CFG(subcommand))

    return step


def _switch(letter: str, off: int, on: int) -> Callable[[_Call], Awaitable[None]]:
    async def step(call: _Call) -> None:
        await _request(call, SIOCSMIP6CFG(on if _atoi(call.args.last(letter)) else off))

    return step


def _atoi(text: str | None) -> int:
    """atoi(3): leading digits; 0 when there are none."""
    word = (text or "").strip()
    sign, digits = word[:1] in ("+", "-"), ""
    for c in word[sign:]:
        if not (c.isascii() and c.isdigit()):
            break
        digits += c
    return int(word[:sign] + digits) if digits else 0


def _pair(call: _Call, first: str, second: str) -> tuple[str, str] | None:
    """Both arguments; None, and a word about it, when one is missing."""
    a, b = call.args.last(first), call.args.last(second)
    if a is None or b is None:
        given, missing = (first, second) if b is None else (second, first)
        warn(call.ops, NAME, f"-{given} is ignored without -{missing}")
        return None
    return a, b


async def _home(call: _Call) -> None:
    """-H PREFIX -P LEN and -I ADDR: an identifier before the prefix that gets it."""
    text = call.args.last("I")
    haddr = b"" if text is None else (await resolve(call.ops, text, NO_NAME)).addr
    if haddr and masked(haddr, IFID_PLEN) == IN6ADDR_ANY:
        await _home_address(call, haddr, SIOCSHOMEADDR_HIF(call.hif, haddr))
        haddr = b""
    prefix = await _home_prefix(call)
    if prefix is not None and haddr and prefix_equal(haddr, prefix.prefix, prefix.plen):
        await _home_address(call, haddr, replace(prefix, haddr=haddr))
        return
    if prefix is not None:
        await _request(call, prefix)
    if haddr:
        await _home_address(call, haddr, SIOCSHOMEADDR_HIF(call.hif, haddr))


async def _home_prefix(call: _Call) -> SIOCAHOMEPREFIX_HIF | None:
    if not call.args.has("H") and not call.args.has("P"):
        return None
    pair = _pair(call, "H", "P")
    if pair is None:
        return None
    sa = await resolve(call.ops, pair[0], NO_NAME)
    plen = _atoi(pair[1])
    if not 0 <= plen <= PLEN_MAX:
        raise ToolError(pair[1], "invalid prefix length")
    return SIOCAHOMEPREFIX_HIF(call.hif, sa.addr, plen, PREFIX_VLTIME_S, PREFIX_PLTIME_S)


async def _home_address(call: _Call, haddr: bytes, request: object) -> None:
    try:
        await call.ops.ioctl(request)
    except KError as e:
        if e.errno in NO_HIF:
            await check_hif(call.display)
        why = _NO_HOME_ADDRESS.get(e.errno)
        if why is None:
            raise ToolError("ioctl", e) from e
        raise ToolError(ntop(haddr), why) from e


async def _home_agent(call: _Call) -> None:
    """-A GLOBAL -L LINKLOCAL."""
    pair = _pair(call, "A", "L")
    if pair is None:
        return
    gaddr = (await resolve(call.ops, pair[0], NO_NAME)).addr
    lladdr = (await resolve(call.ops, pair[1], NO_NAME)).addr
    call.ops.out(f"set homeagent to {call.hif} ({ntop(gaddr)})\n")
    await _request(
        call,
        SIOCAHOMEAGENT_HIF(call.hif, lladdr, gaddr, ND_RA_FLAG_HOME_AGENT, 0, HA_LIFETIME_S),
    )


async def _unuse(call: _Call) -> None:
    """-u or -v ADDR#PORT: with both, -u's request with the address that was typed last."""
    text = [o.arg for o in call.args.options if o.letter in ("u", "v")][-1] or ""
    host, _, port_text = text.partition("#")
    addr = pton(host)
    if addr is None:
        raise ToolError("getaddrinfo", NO_NAME, EX_UNUSE)
    if port_text and not (port_text.isascii() and port_text.isdigit()):
        raise ToolError(port_text, "invalid port", EX_UNUSE)
    port = int(port_text or "0")
    if port > PORT_MAX:
        raise ToolError(port_text, "invalid port", EX_UNUSE)
    request = SIOCSUNUSEHA if call.args.has("u") else SIOCDUNUSEHA
    await _request(call, request(addr, port), EX_UNUSE)


def _shown(show: Callable[[Display], Awaitable[None]]) -> Callable[[_Call], Awaitable[None]]:
    async def step(call: _Call) -> None:
        await show(call.display)

    return step


Step = Callable[[_Call], Awaitable[None]]
_STEPS: Final[tuple[tuple[str, Step], ...]] = (
    ("m", _role(SIOCSMIP6CFG_ENABLEMN)),
    ("M", _role(SIOCSMIP6CFG_DISABLEMN)),
    ("g", _role(SIOCSMIP6CFG_ENABLEHA)),
    ("HPI", _home),
    ("h", _shown(show_prefixes)),
    ("AL", _home_agent),
    ("a", _shown(show_agents)),
    ("b", _shown(show_updates)),
    ("c", _shown(show_cache)),
    ("uv", _unuse),
    ("w", _shown(show_unuse)),
    ("D", _switch("D", SIOCSMIP6CFG_DISABLEDEBUG, SIOCSMIP6CFG_ENABLEDEBUG)),
    ("S", _switch("S", SIOCSMIP6CFG_DISABLEIPSEC, SIOCSMIP6CFG_ENABLEIPSEC)),
    ("T", _switch("T", SIOCSMIP6CFG_DISABLEAUTHDATA, SIOCSMIP6CFG_ENABLEAUTHDATA)),
)

TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=(
        "mip6control [-i ifname] [-abcghlmnw] [-H home_prefix -P prefixlen] [-u address#port]",
        "[-v address#port] [-S 0|1] [-T 0|1] [-D 0|1]",
    ),
    more_usage=("[-M] [-I address] [-A global_address -L linklocal_address] [--json]",),
    summary="Control and show Mobile IPv6. Without options it shows what the node is.",
    letters="nli:mMgH:hP:I:A:aL:bcu:v:wD:S:T:",
    options=(
        OptionHelp(
            "i", "IF", f"home interface that the other options act on, default {DEFAULT_HIF}"
        ),
        OptionHelp("m", "", "become a mobile node"),
        OptionHelp("M", "", "stop being a mobile node"),
        OptionHelp("g", "", "become a home agent"),
        OptionHelp("H", "PREFIX", "add a home prefix, with -P"),
        OptionHelp("P", "LEN", "length of the home prefix"),
        OptionHelp(
            "I",
            "ADDR",
            "choose the home address below a home prefix, or with ::X the interface identifier of "
            "all home addresses; :: takes that back",
        ),
        OptionHelp("A", "ADDR", "add a home agent by its global address, with -L"),
        OptionHelp("L", "ADDR", "link-local address of the home agent"),
        OptionHelp("h", "", "home prefixes"),
        OptionHelp("a", "", "home agents"),
        OptionHelp("b", "", "binding update list"),
        OptionHelp("c", "", "binding cache"),
        OptionHelp("l", "", "long tables: addresses are not cut"),
        OptionHelp("n", "", "numeric addresses"),
        OptionHelp("u", "ADDR#PORT", "do not use the home address towards this peer"),
        OptionHelp("v", "ADDR#PORT", "remove such a rule"),
        OptionHelp("w", "", "list those rules"),
        OptionHelp("D", "0|1", "debug messages of the kernel"),
        OptionHelp(
            "S",
            "0|1",
            "draft-15: AH counts in place of authentication data, no effect with -T 0; draft-13: "
            "AH is put on binding updates and asked of them",
        ),
        OptionHelp("T", "0|1", "authentication data is sent and asked for; no effect in draft-13"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
