# SPDX-License-Identifier: BSD-3-Clause
"""mip6control's displays: the status and the tables, in KAME's columns or as JSON.

KAME: the display half of mip6control.c. Deviates: link-local addresses are shown without the
interface index that KAME's kernel keeps in them. Header words are separated by tabs and columns
have fixed widths, so the two line up only roughly; scripts of 2002 expect that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.flagwords import IFT_HIF
from kame_py.lib.toolbase import Json, ToolError
from kame_py.wire.const import ND_RA_FLAG_HOME_AGENT, ND_RA_FLAG_MANAGED, ND_RA_FLAG_OTHER
from kame_py.wire.errno import EINVAL, ENOENT, ENXIO, KError
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCGBU_HIF, SIOCGHOMEAGENT_HIF, SIOCGHOMEPREFIX_HIF, SIOCGIFCONF
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.mip6_wires import WIRES
from kame_py.wire.record import record
from kame_py.wire.snap import (
    BcSnap,
    BuSnap,
    HaSnap,
    IfSnap,
    Mip6ConfigSnap,
    MpfxSnap,
    Row,
    UnuseSnap,
)
from kame_py.wire.sockaddr import SockaddrIn6

SHORT_W: Final = 15  # of an address; longer ones are cut
LONG_W: Final = 31  # of an address with -l; longer ones are not cut
NUMBER_W: Final = 7
TAB_W: Final = 8
NO_HIF: Final = (ENXIO, EINVAL)  # what the kernel answers for a name that is none
NODE_TYPES: Final = ("corresponding node", "mobile node", "home agent")
RA_FLAGS: Final = (
    (ND_RA_FLAG_MANAGED, "M"),
    (ND_RA_FLAG_OTHER, "O"),
    (ND_RA_FLAG_HOME_AGENT, "H"),
)
BU_FLAG_BITS: Final = (0x80, 0x40, 0x20, 0x10)  # drafts s.5.1
BU_STATES: Final = ((0x80, "M"), (0x04, "U"), (0x02, "A"), (0x01, "S"))
BC_STATES: Final = ((0x04, "D"), (0x02, "R"), (0x01, "A"))


@record
class Display:
    """How one call wants its tables. json collects them when it is not None."""

    ops: ProgOps
    config: Mip6ConfigSnap
    hif: str
    long: bool
    numeric: bool
    json: dict[str, Json] | None

    async def addr(self, addr: bytes) -> str:
        """An address column and the blank behind it."""
        width = LONG_W if self.long else SHORT_W
        text = await self.name(addr)
        return f"{text if self.long else text[:width]:<{width}} "

    async def name(self, addr: bytes) -> str:
        """A whole address, or its name."""
        return ntop(addr) if self.numeric else await self.ops.getnameinfo(SockaddrIn6(addr))

    def header(self, addresses: str, *more: str) -> str:
        """The header line; ``addresses`` are the words over address columns in front."""
        width = (LONG_W if self.long else SHORT_W) + 1
        words = [w + "\t" * -(-(width - len(w)) // TAB_W) for w in addresses.split()]
        return "".join(words) + "\t".join(more) + "\n"

    def bu_flags(self, flags: int) -> str:
        """Letters of the flags of a binding update; one of them differs between the drafts."""
        return bu_flags(flags, self.config.dialect)


def bu_flags(flags: int, dialect: str) -> str:
    """Letters of the flags of a binding update as this draft has them."""
    words = WIRES.get(dialect, WIRE).bu_flag_letters
    return letters(flags, zip(BU_FLAG_BITS, words, strict=True))


def letters(value: int, table: Iterable[tuple[int, str]]) -> str:
    """The letters of the bits that are set, in the order of the table."""
    return "".join(letter for bit, letter in table if value & bit)


def _number(value: int) -> str:
    return f"{value:>{NUMBER_W}} "


def _word(text: str) -> str:
    return f"{text:<{NUMBER_W}} "


def _json(row: Row, **more: str) -> dict[str, Json]:
    """A row as a JSON object, addresses as text."""
    values: dict[str, Json] = {}
    for f in fields(row):
        value = getattr(row, f.name)
        values[f.name] = ntop(value) if isinstance(value, bytes) else value
    return values | more


# -- reading --------------------------------------------------------------------------------------


async def read_config(ops: ProgOps) -> Mip6ConfigSnap:
    """What every call begins with, as KAME's began with the kernel's memory."""
    row = (await _table(ops, "config", "mip6"))[0]
    assert isinstance(row, Mip6ConfigSnap)  # what the variable documents
    return row


async def _table(ops: ProgOps, name: str, what: str) -> tuple[Row, ...]:
    try:
        rows = await ops.sysctl(f"net.inet6.mip6.{name}")
    except KError as e:
        if e.errno == ENOENT:
            raise ToolError(f"{what} not found") from e
        raise
    assert isinstance(rows, tuple)  # what these variables document
    return rows


async def _of_hif(d: Display, request: object) -> tuple[object, ...]:
    """A list of the chosen home interface."""
    try:
        rows = await d.ops.ioctl(request)
    except KError as e:
        if e.errno not in NO_HIF:
            raise ToolError("ioctl", e) from e
        if not await _has_hif(d.ops):
            raise ToolError("hif not found") from e
        raise ToolError(d.hif, "not found") from e
    assert isinstance(rows, tuple)  # what these requests document
    return rows


async def check_hif(d: Display) -> None:
    """The chosen interface must be a home interface."""
    await _of_hif(d, SIOCGHOMEPREFIX_HIF(d.hif))


async def _has_hif(ops: ProgOps) -> bool:
    interfaces = await ops.ioctl(SIOCGIFCONF())
    assert isinstance(interfaces, tuple)  # what the request documents
    return any(isinstance(i, IfSnap) and i.type == IFT_HIF for i in interfaces)


# -- displays -------------------------------------------------------------------------------------


async def show_status(d: Display) -> None:
    """What a call without options prints."""
    c = d.config
    known = c.mcfg_type in range(len(NODE_TYPES))
    node_type = NODE_TYPES[c.mcfg_type if known else 0]
    if d.json is not None:
        d.json["node_type"] = node_type
        d.json["ipsec"] = bool(c.mcfg_use_ipsec)
        d.json["authdata"] = bool(c.mcfg_use_authdata)
        d.json["debug"] = bool(c.mcfg_debug)
        d.json["dialect"] = c.dialect
        return
    if not known:
        d.ops.out(f"unknown type {c.mcfg_type}\n")
    d.ops.out(
        f"node type: {node_type}\n"
        f"IPsec protection: {_able(c.mcfg_use_ipsec)}\n"
        f"authentication sub-option: {_able(c.mcfg_use_authdata)}\n"
        f"debug: {_able(c.mcfg_debug)}\n"
    )


def _able(on: int) -> str:
    return "enable" if on else "disable"


async def show_prefixes(d: Display) -> None:
    """-h."""
    rows = await _of_hif(d, SIOCGHOMEPREFIX_HIF(d.hif))
    prefixes = [row for row in rows if isinstance(row, MpfxSnap)]
    if d.json is not None:
        d.json["home_prefixes"] = [_json(p) for p in prefixes]
        return
    d.ops.out(d.header("prefix", "plen", "vltime", "vlexp", "pltime", "plexp", "haddr"))
    for p in prefixes:
        numbers = (p.plen, p.vltime, p.vlexpire, p.pltime, p.plexpire)
        line = await d.addr(p.prefix) + "".join(map(_number, numbers)) + await d.addr(p.haddr)
        d.ops.out(line + "\n")


async def show_agents(d: Display) -> None:
    """-a."""
    rows = await _of_hif(d, SIOCGHOMEAGENT_HIF(d.hif))
    agents = [row for row in rows if isinstance(row, HaSnap)]
    if d.json is not None:
        d.json["home_agents"] = [_json(a, flag_letters=letters(a.flags, RA_FLAGS)) for a in agents]
        return
    d.ops.out(d.header("lladdr gaddr", "flags", "pref", "lifetim", "ltexp"))
    for a in agents:
        numbers = "".join(map(_number, (a.pref, a.lifetime, a.expire)))
        flags = _word(letters(a.flags, RA_FLAGS))
        line = await d.addr(a.lladdr) + await d.addr(a.gaddr) + flags + numbers
        d.ops.out(line.removesuffix(" ") + "\n")


_BU_WORDS: Final = (
    *("lifetim", "ltexp", "refresh", "refexp", "acktimo", "ackexp"),
    *("seqno", "flags", "rstate", "state"),
)


async def show_updates(d: Display) -> None:
    """-b."""
    rows = await _of_hif(d, SIOCGBU_HIF(d.hif))
    updates = [row for row in rows if isinstance(row, BuSnap)]
    if d.json is not None:
        d.json["binding_updates"] = [
            _json(b, flag_letters=d.bu_flags(b.flags), state_letters=letters(b.state, BU_STATES))
            for b in updates
        ]
        return
    d.ops.out(d.header("paddr haddr coa", *_BU_WORDS))
    for b in updates:
        ackexp = max(b.ackexpire, 0)
        times = (b.lifetime, b.expire, b.refresh, b.refexpire, b.acktimeout, ackexp, b.seqno)
        line = await d.addr(b.paddr) + await d.addr(b.haddr) + await d.addr(b.coa)
        line += "".join(map(_number, times)) + _word(d.bu_flags(b.flags))
        line += f"{b.reg_state:>{NUMBER_W}x} {letters(b.state, BU_STATES):<{NUMBER_W}}"
        d.ops.out(line + "\n")


async def show_cache(d: Display) -> None:
    """-c."""
    rows = await _table(d.ops, "bc", "bc")
    entries = [row for row in rows if isinstance(row, BcSnap)]
    if d.json is not None:
        d.json["binding_cache"] = [
            _json(b, flag_letters=d.bu_flags(b.flags), state_letters=letters(b.state, BC_STATES))
            for b in entries
        ]
        return
    with_plen = WIRES.get(d.config.dialect, WIRE).bu_prefixlen
    plen_word = ("plen",) if with_plen else ()
    words = ("flags", *plen_word, "seqno", "lifetim", "ltexp", "state")
    d.ops.out(d.header("phaddr pcoa addr", *words))
    for b in entries:
        numbers = ((b.prefixlen,) if with_plen else ()) + (b.seqno, b.lifetime, b.expire)
        line = await d.addr(b.phaddr) + await d.addr(b.pcoa) + await d.addr(b.addr)
        line += _word(d.bu_flags(b.flags)) + "".join(map(_number, numbers))
        d.ops.out(f"{line}{letters(b.state, BC_STATES):<{NUMBER_W}}\n")


async def show_unuse(d: Display) -> None:
    """-w."""
    rows = await _table(d.ops, "unuse", "mip6_unuse_hoa")
    rules = [row for row in rows if isinstance(row, UnuseSnap)]
    if d.json is not None:
        d.json["unuse"] = [_json(r) for r in rules]
        return
    for r in rules:
        port = f"#{r.port}" if r.port else ""
        d.ops.out(f"{await d.name(r.addr)}{port}\n")
