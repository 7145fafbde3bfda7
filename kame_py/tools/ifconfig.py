# SPDX-License-Identifier: BSD-3-Clause
"""ifconfig: show and set interfaces and their IPv6 addresses.

KAME: ifconfig.c of FreeBSD 4 with KAME's words. Deviates: only inet6 addresses; a refused mtu or
metric ends with status 1; --json. The display is in ifconfig_show.py. RFC 2462 for lifetimes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.flagwords import (
    IFF_DEBUG,
    IFF_LINK0,
    IFF_LINK1,
    IFF_LINK2,
    IFF_NOARP,
    IFF_PROMISC,
    IFF_UP,
    IN6_IFF_ANYCAST,
    IN6_IFF_AUTOCONF,
    IN6_IFF_DEPRECATED,
    IN6_IFF_TENTATIVE,
)
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.toolbase import Tool, ToolError, UsageError, run
from kame_py.tools.ifconfig_show import MEDIA, show_all, show_cloners, show_one
from kame_py.wire.errno import EADDRNOTAVAIL, ENXIO, EPERM, KError
from kame_py.wire.in6addr import mac_aton
from kame_py.wire.ioctl import (
    SIOCAIFADDR_IN6,
    SIOCDIFADDR_IN6,
    SIOCDIFPHYADDR,
    SIOCGIFFLAGS,
    SIOCGIFMEDIA,
    SIOCIFCREATE,
    SIOCIFDESTROY,
    SIOCSIFFLAGS,
    SIOCSIFLLADDR,
    SIOCSIFMETRIC,
    SIOCSIFMTU,
    SIOCSIFPHYADDR_IN6,
)
from kame_py.wire.snap import INFINITE

NAME: Final = "ifconfig"
DEFAULT_PLEN: Final = 64
FAMILIES: Final = ("inet6", "inet", "ether", "link", "lladdr")
CREATE_WORDS: Final = ("create", "plumb")
DESTROY_WORDS: Final = ("destroy", "unplumb")


@dataclass(slots=True)
class _Change:
    """What the words of one command line ask for; the address itself is changed at the end."""

    ops: ProgOps
    ifname: str
    family: str = ""
    addr: bytes | None = None
    plen: int | None = None
    dst: bytes | None = None
    flags: int = 0
    vltime: int = INFINITE
    pltime: int = INFINITE
    delete: bool = False
    alias: bool = False
    words: list[str] = field(default_factory=list)

    async def address(self, word: str) -> bytes:
        """An address of the family in force; only inet6 has any."""
        text = word.partition("/")[0]
        sa = await self.ops.getaddrinfo(text) if self.family == "inet6" else None
        if sa is None:
            raise ToolError(word, "bad value")
        return sa.addr


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0 when everything was done, else 1."""
    return await run(TOOL, _ifconfig, argv, ops)


async def _ifconfig(args: ParsedArgs, ops: ProgOps) -> int:
    if args.has("C"):
        await show_cloners(args, ops)
        return 0
    if args.has("a") or args.has("l"):
        await show_all(args, ops, _family(args.args))
        return 0
    if not args.args:
        if args.options or args.long.json:
            await show_all(args, ops, "")
            return 0
        raise UsageError
    ifname, words = args.args[0], list(args.args[1:])
    if words and words[0] in CREATE_WORDS:
        ifname = await _create(ops, ifname)
        words.pop(0)
        if not words:
            return 0
    if not ops.if_nametoindex(ifname):
        raise ToolError(f"interface {ifname} does not exist")
    if not words or (len(words) == 1 and words[0] in FAMILIES):
        await show_one(args, ops, ifname, words[0] if words else "")
        return 0
    await _words(_Change(ops, ifname, words=words))
    return 0


def _family(words: tuple[str, ...]) -> str:
    if not words:
        return ""
    if len(words) > 1 or words[0] not in FAMILIES:
        raise UsageError
    return words[0]


async def _create(ops: ProgOps, ifname: str) -> str:
    try:
        name = await ops.ioctl(SIOCIFCREATE(ifname))
    except KError as e:
        raise ToolError("SIOCIFCREATE", e) from e
    if str(name) != ifname:
        ops.out(f"{name}\n")
    return str(name)


# -- words ----------------------------------------------------------------------------------------


async def _words(change: _Change) -> None:
    words = change.words
    if words[0] in FAMILIES and words[0] != "lladdr":
        change.family = words.pop(0)
    while words:
        word = words.pop(0)
        command = _COMMANDS.get(word)
        if command is not None:
            await command(change, word)
        elif change.addr is None:
            await _set_addr(change, word)
        elif change.dst is None:
            change.dst = await change.address(word)
        else:
            raise ToolError(word, "bad value")
    await _apply_address(change)


async def _set_addr(change: _Change, word: str) -> None:
    if change.family in ("ether", "link"):
        await _set_lladdr(change, word)
        return
    change.addr = await change.address(word)
    _, slash, length = word.partition("/")
    if slash:
        change.plen = _prefix_length(length)


def _prefix_length(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > 128:
        raise ToolError(text, "bad value")
    return int(text)


def _argument(change: _Change, word: str) -> str:
    if not change.words:
        raise ToolError(f"'{word}' requires argument")
    return change.words.pop(0)


def _number(change: _Change, word: str) -> int:
    text = _argument(change, word)
    if not (text.isascii() and text.isdecimal()):
        raise ToolError(text, "bad value")
    return int(text)


async def _alias(change: _Change, word: str) -> None:
    change.alias, change.delete = True, False


async def _unalias(change: _Change, word: str) -> None:
    change.alias, change.delete = False, True


async def _prefixlen(change: _Change, word: str) -> None:
    change.plen = _prefix_length(_argument(change, word))


async def _lifetime(change: _Change, word: str) -> None:
    text = _argument(change, word)
    if change.family != "inet6":
        raise ToolError(f"{word} not allowed for the AF")
    if text in ("infty", "infinity"):
        value = INFINITE
    elif text.isascii() and text.isdecimal() and int(text) <= INFINITE:
        value = int(text)
    else:
        raise ToolError(f"invalid {word}")
    if word == "vltime":
        change.vltime = value
    else:
        change.pltime = value


async def _addr_flag(change: _Change, word: str) -> None:
    if change.family != "inet6":
        raise ToolError("address flags can be set only for inet6 addresses")
    bit = _ADDR_FLAGS[word.removeprefix("-")]
    change.flags = change.flags & ~bit if word.startswith("-") else change.flags | bit


async def _if_flag(change: _Change, word: str) -> None:
    """Change one interface flag at once, as BSD does."""
    bit, on = _IF_FLAGS[word]
    try:
        flags = await change.ops.ioctl(SIOCGIFFLAGS(change.ifname))
    except KError as e:
        raise _perror("ioctl (SIOCGIFFLAGS)", e) from e
    flags = int(str(flags))
    try:
        await change.ops.ioctl(SIOCSIFFLAGS(change.ifname, flags | bit if on else flags & ~bit))
    except KError as e:
        raise _perror(change.ifname, e) from e


async def _mtu(change: _Change, word: str) -> None:
    await _request(change, "ioctl (set mtu)", SIOCSIFMTU(change.ifname, _number(change, word)))


async def _metric(change: _Change, word: str) -> None:
    req = SIOCSIFMETRIC(change.ifname, _number(change, word))
    await _request(change, "ioctl (set metric)", req)


async def _lladdr(change: _Change, word: str) -> None:
    await _set_lladdr(change, _argument(change, word))


async def _set_lladdr(change: _Change, text: str) -> None:
    mac = mac_aton(text)
    if mac is None:
        raise ToolError(text, "bad value")
    await _request(change, "ioctl (SIOCSIFLLADDR)", SIOCSIFLLADDR(change.ifname, mac))


async def _tunnel(change: _Change, word: str) -> None:
    change.family = change.family or "inet6"
    src = await change.address(_argument(change, word))
    dst = await change.address(_argument(change, word))
    await _request(change, "SIOCSIFPHYADDR", SIOCSIFPHYADDR_IN6(change.ifname, src, dst))


async def _deletetunnel(change: _Change, word: str) -> None:
    await _request(change, "SIOCDIFPHYADDR", SIOCDIFPHYADDR(change.ifname))


async def _destroy(change: _Change, word: str) -> None:
    await _request(change, "SIOCIFDESTROY", SIOCIFDESTROY(change.ifname))


async def _media(change: _Change, word: str) -> None:
    """The virtual medium is what it is: its own names are accepted and change nothing."""
    text = _argument(change, word)
    try:
        await change.ops.ioctl(SIOCGIFMEDIA(change.ifname))
    except KError as e:
        raise ToolError("SIOCGIFMEDIA", e) from e
    known, why = MEDIA[word]
    if text not in known:
        raise ToolError(f"{why}: {text}")


async def _request(change: _Change, what: str, req: object) -> None:
    try:
        await change.ops.ioctl(req)
    except KError as e:
        raise ToolError(what, e) from e


def _perror(what: str, e: KError) -> ToolError:
    """BSD's Perror(): two errors have their own words."""
    special = {ENXIO: "no such interface", EPERM: "permission denied"}
    return ToolError(what, special.get(e.errno, e))


# -- the address ----------------------------------------------------------------------------------


async def _apply_address(change: _Change) -> None:
    if change.addr is None:
        if change.delete:
            raise _perror("ioctl (SIOCDIFADDR)", KError(EADDRNOTAVAIL))
        return
    try:
        if change.delete:
            await change.ops.ioctl(SIOCDIFADDR_IN6(change.ifname, change.addr))
            return
    except KError as e:
        raise _perror("ioctl (SIOCDIFADDR)", e) from e
    plen = DEFAULT_PLEN if change.plen is None else change.plen
    req = SIOCAIFADDR_IN6(
        change.ifname,
        change.addr,
        plen or 128,  # a length of 0 gives an all-ones mask, as in KAME
        change.dst,
        change.flags,
        change.vltime,
        change.pltime,
    )
    try:
        await change.ops.ioctl(req)
    except KError as e:
        raise _perror("ioctl (SIOCAIFADDR)", e) from e


_ADDR_FLAGS: Final = {
    "anycast": IN6_IFF_ANYCAST,
    "tentative": IN6_IFF_TENTATIVE,
    "deprecated": IN6_IFF_DEPRECATED,
    "autoconf": IN6_IFF_AUTOCONF,
}
_IF_FLAGS: Final = {
    "up": (IFF_UP, True),
    "down": (IFF_UP, False),
    "arp": (IFF_NOARP, False),
    "-arp": (IFF_NOARP, True),
    "debug": (IFF_DEBUG, True),
    "-debug": (IFF_DEBUG, False),
    "promisc": (IFF_PROMISC, True),
    "-promisc": (IFF_PROMISC, False),
    "link0": (IFF_LINK0, True),
    "-link0": (IFF_LINK0, False),
    "link1": (IFF_LINK1, True),
    "-link1": (IFF_LINK1, False),
    "link2": (IFF_LINK2, True),
    "-link2": (IFF_LINK2, False),
}
_COMMANDS: Final[dict[str, Callable[[_Change, str], Awaitable[None]]]] = {
    **dict.fromkeys(_IF_FLAGS, _if_flag),
    **dict.fromkeys(_ADDR_FLAGS, _addr_flag),
    **dict.fromkeys((f"-{word}" for word in _ADDR_FLAGS), _addr_flag),
    **dict.fromkeys(("alias", "add"), _alias),
    **dict.fromkeys(("-alias", "delete", "remove"), _unalias),
    **dict.fromkeys(("vltime", "pltime"), _lifetime),
    **dict.fromkeys(("media", "mediaopt", "-mediaopt"), _media),
    **dict.fromkeys(DESTROY_WORDS, _destroy),
    "prefixlen": _prefixlen,
    "mtu": _mtu,
    "metric": _metric,
    "lladdr": _lladdr,
    "tunnel": _tunnel,
    "deletetunnel": _deletetunnel,
}

TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=(
        "ifconfig [-L] [-m] interface [inet6 [address[/len] [dest_address]]] [parameters]",
        "ifconfig interface create",
        "ifconfig -a [-L] [-d] [-m] [-u] [inet6|ether]",
        "ifconfig -l [-d] [-u]",
        "ifconfig -C",
    ),
    summary="Show or set network interfaces and their IPv6 addresses.",
    letters="aCdlLmu",
    options=(
        OptionHelp("a", "", "all interfaces"),
        OptionHelp("C", "", "kinds of interface that can be created"),
        OptionHelp("d", "", "only interfaces that are down"),
        OptionHelp("l", "", "only the names"),
        OptionHelp("L", "", "lifetimes of addresses"),
        OptionHelp("m", "", "supported media"),
        OptionHelp("u", "", "only interfaces that are up"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
