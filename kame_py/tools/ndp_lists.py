# SPDX-License-Identifier: BSD-3-Clause
"""ndp's other tables: interfaces, prefixes, default routers.

KAME: ifinfo(), plist(), rtrlist(), getdefif() and the flushes of ndp.c. Deviates: see ndp.py.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.duration import format_duration
from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.toolbase import Json, ToolError, UsageError, addr_text, to_json
from kame_py.wire.const import (
    ND_RA_FLAG_MANAGED,
    ND_RA_FLAG_OTHER,
    ND_RA_FLAG_RTPREF_HIGH,
    ND_RA_FLAG_RTPREF_LOW,
    ND_RA_FLAG_RTPREF_MASK,
    ND_RA_FLAG_RTPREF_MEDIUM,
    ND_RA_FLAG_RTPREF_RSV,
)
from kame_py.wire.errno import EINVAL, KError
from kame_py.wire.ioctl import (
    SIOCGDEFIFACE_IN6,
    SIOCGIFINFO_IN6,
    SIOCSDEFIFACE_IN6,
    SIOCSIFINFO_FLAGS,
    SIOCSNDFLUSH_IN6,
    SIOCSPFXFLUSH_IN6,
    SIOCSRTRFLUSH_IN6,
)
from kame_py.wire.snap import INFINITE, DrSnap, NdiSnap, PfxSnap
from kame_py.wire.sockaddr import SockaddrIn6

IFINFO_FLAGS: Final = {"nud": 0x1, "accept_rtadv": 0x2, "prefer_source": 0x4}
IFINFO_WORDS: Final = ((0x1, "PERFORMNUD"), (0x2, "ACCEPT_RA"), (0x4, "PREFER_SOURCE"))
PFX_STATES: Final = ((0x1, "O"), (0x2, "D"), (0x4, "H"))
RTPREF: Final = {
    ND_RA_FLAG_RTPREF_MEDIUM: "medium",
    ND_RA_FLAG_RTPREF_HIGH: "high",
    ND_RA_FLAG_RTPREF_LOW: "low",
    ND_RA_FLAG_RTPREF_RSV: "rsv",
}
REACHABLE_STATES: Final = range(1, 5)  # reachable, stale, delay, probe
NO_STATE: Final = -1


async def _request(ops: ProgOps, name: str, req: object) -> object:
    try:
        return await ops.ioctl(req)
    except KError as e:
        raise ToolError(f"ioctl({name})", e) from e


# -- interfaces -----------------------------------------------------------------------------------


async def ifinfo(args: ParsedArgs, ops: ProgOps) -> int:
    """-i IF [flags]."""
    if not args.args:
        raise UsageError
    ifname, words = args.args[0], args.args[1:]
    ndi = await _ifinfo(ops, ifname)
    if words:
        flags = _new_flags(ndi.flags, words)
        await _request(ops, "SIOCSIFINFO_FLAGS", SIOCSIFINFO_FLAGS(ifname, flags))
        ndi = await _ifinfo(ops, ifname)
    ops.out(to_json(ndi) if args.long.json else _ifinfo_text(ndi))
    return 0


async def _ifinfo(ops: ProgOps, ifname: str) -> NdiSnap:
    if not ops.if_nametoindex(ifname):
        raise ToolError(f"interface {ifname} does not exist")
    try:
        answer = await ops.ioctl(SIOCGIFINFO_IN6(ifname))
    except KError as e:
        if e.errno == EINVAL:
            raise ToolError(ifname, "not initialized yet") from e
        raise ToolError("ioctl(SIOCGIFINFO_IN6)", e) from e
    if not isinstance(answer, NdiSnap):
        raise ToolError(ifname, "not initialized yet")
    return answer


def _new_flags(flags: int, words: tuple[str, ...]) -> int:
    for word in words:
        bit = IFINFO_FLAGS.get(word.removeprefix("-"))
        if bit is None:
            raise ToolError(word, "unknown flag")
        flags = flags & ~bit if word.startswith("-") else flags | bit
    return flags


def _ifinfo_text(ndi: NdiSnap) -> str:
    text = (
        f"linkmtu={ndi.linkmtu}, curhlim={ndi.chlim}, "
        f"basereachable={_ms(ndi.basereachable_ms)}, reachable={ndi.reachable_ms // 1000}s, "
        f"retrans={_ms(ndi.retrans_ms)}\n"
    )
    if ndi.randomid:
        text += f"Random seed(0): {ndi.randomseed0.hex()}\n"
        text += f"Random seed(1): {ndi.randomseed1.hex()}\n"
        text += f"Random ID:      {ndi.randomid.hex()}\n"
    if ndi.flags:
        text += "Flags: " + "".join(f"{w} " for bit, w in IFINFO_WORDS if ndi.flags & bit) + "\n"
    return text


def _ms(value: int) -> str:
    return f"{value // 1000}s{value % 1000}ms"


async def default_interface(args: ParsedArgs, ops: ProgOps) -> int:
    """-I [IF|delete]."""
    if not args.args:
        name = await _request(ops, "SIOCGDEFIFACE_IN6", SIOCGDEFIFACE_IN6())
        if args.long.json:
            ops.out(to_json({"ifname": str(name) or None}))
        else:
            ops.out(f"ND default interface = {name}\n" if name else "No default interface.\n")
        return 0
    word = args.args[0]
    if word.lower() != "delete" and not ops.if_nametoindex(word):
        raise ToolError(f"failed to resolve i/f index for {word}")
    new = "" if word.lower() == "delete" else word
    await _request(ops, "SIOCSDEFIFACE_IN6", SIOCSDEFIFACE_IN6(new))
    return 0


# -- prefixes -------------------------------------------------------------------------------------


async def prefix_list(args: ParsedArgs, ops: ProgOps) -> int:
    """-p."""
    rows = await ops.sysctl("net.inet6.icmp6.nd6_prlist")
    prefixes = [r for r in rows if isinstance(r, PfxSnap)] if isinstance(rows, tuple) else []
    if args.long.json:
        ops.out(to_json([_prefix_json(p) for p in prefixes]))
    else:
        ops.out("".join(_prefix_text(p) for p in prefixes))
    return 0


def _prefix_flags(p: PfxSnap) -> str:
    letters = ("L" if p.onlink else "") + ("A" if p.autonomous else "")
    return letters + "".join(letter for bit, letter in PFX_STATES if p.stateflags & bit)


def _prefix_text(p: PfxSnap) -> str:
    lines = [
        f"{addr_text(p.prefix, p.ifname)}/{p.plen} if={p.ifname}",
        f"flags={_prefix_flags(p)} vltime={_life(p.vltime)}, pltime={_life(p.pltime)}"
        f"{_expire(p.expire)}, ref={p.refcnt}",
    ]
    if p.advrtrs:
        lines.append("  advertised by")
        for router, state in p.advrtrs:
            lines.append(f"    {addr_text(router, p.ifname)} {_router_state(state)}")
    else:
        lines.append("  No advertising router")
    return "".join(f"{line}\n" for line in lines)


def _life(seconds: int) -> str:
    return "infinity" if seconds == INFINITE else str(seconds)


def _expire(left: int | None) -> str:
    if left is None:
        return ", expire=Never"
    return f", expire={format_duration(left)}" if left >= 0 else ", expired"


def _router_state(state: int) -> str:
    if state == NO_STATE:
        return "(no neighbor state)"
    return "(reachable)" if state in REACHABLE_STATES else "(unreachable)"


def _prefix_json(p: PfxSnap) -> dict[str, Json]:
    return {
        "prefix": addr_text(p.prefix, p.ifname),
        "prefixlen": p.plen,
        "ifname": p.ifname,
        "flags": _prefix_flags(p),
        "vltime": p.vltime,
        "pltime": p.pltime,
        "expire": p.expire,
        "refcnt": p.refcnt,
        "routers": [
            {"addr": addr_text(router, p.ifname), "state": _router_state(state).strip("()")}
            for router, state in p.advrtrs
        ],
    }


async def flush_prefixes(args: ParsedArgs, ops: ProgOps) -> int:
    """-P."""
    await _request(ops, "SIOCSPFXFLUSH_IN6", SIOCSPFXFLUSH_IN6())
    return 0


# -- default routers ------------------------------------------------------------------------------


async def router_list(args: ParsedArgs, ops: ProgOps) -> int:
    """-r."""
    rows = await ops.sysctl("net.inet6.icmp6.nd6_drlist")
    routers = [r for r in rows if isinstance(r, DrSnap)] if isinstance(rows, tuple) else []
    if args.long.json:
        ops.out(to_json([_router_json(r) for r in routers]))
        return 0
    for r in routers:
        name = addr_text(r.rtaddr, r.ifname)
        if not args.has("n"):
            scope = ops.if_nametoindex(r.ifname)
            name = await ops.getnameinfo(SockaddrIn6(r.rtaddr, scope_id=scope))
        ops.out(
            f"{name} if={r.ifname}, flags={_ra_flags(r)}, pref={_rtpref(r)}{_expire(r.expire)}\n"
        )
    return 0


def _ra_flags(r: DrSnap) -> str:
    managed = "M" if r.flags & ND_RA_FLAG_MANAGED else ""
    return managed + ("O" if r.flags & ND_RA_FLAG_OTHER else "")


def _rtpref(r: DrSnap) -> str:
    return RTPREF[r.flags & ND_RA_FLAG_RTPREF_MASK]


def _router_json(r: DrSnap) -> dict[str, Json]:
    return {
        "addr": addr_text(r.rtaddr, r.ifname),
        "ifname": r.ifname,
        "flags": r.flags,
        "flag_letters": _ra_flags(r),
        "pref": _rtpref(r),
        "rtlifetime": r.rtlifetime,
        "expire": r.expire,
    }


async def flush_routers(args: ParsedArgs, ops: ProgOps) -> int:
    """-R."""
    await _request(ops, "SIOCSRTRFLUSH_IN6", SIOCSRTRFLUSH_IN6())
    return 0


async def sync_default_router(args: ParsedArgs, ops: ProgOps) -> int:
    """-H."""
    await _request(ops, "SIOCSNDFLUSH_IN6", SIOCSNDFLUSH_IN6())
    return 0
