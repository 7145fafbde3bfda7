# SPDX-License-Identifier: BSD-3-Clause
"""Associations and policies as setkey shows them: -D, -Dl, -DP, and as JSON.

KAME: libipsec (pfkey_dump.c), shortdump() of setkey.c. Deviates: times are UTC; JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from kame_py.ctl.ops import ProgOps
from kame_py.lib.ipsec_policy import dump_request, ipsec_dump_policy
from kame_py.lib.setkey_names import (
    AUTH_WORDS,
    COMP_WORDS,
    ENC_WORDS,
    IPPROTO_ICMPV6,
    MODE_WORDS,
    SATYPE_WORDS,
    STATE_WORDS,
    protocol_name,
)
from kame_py.lib.toolbase import Json, sockaddr_text
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.pfkey import (
    SadbAddress,
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbSa,
    SadbXPolicy,
    SadbXSa2,
)

PLEN_MAX: Final = 128
HEX_GROUP: Final = 4
HEX_LINE: Final = 32
TIME_WIDTH: Final = 20
MAX_LTIME_S: Final = 999
SHORT_HEADER: Final = f"{'time':<4} {'p':<3} {'s':<1} {'spi':<8} {'ltime':<7} src -> dst\n"
_STATE_LETTERS: Final = {
    k.SADB_SASTATE_LARVAL: "L",
    k.SADB_SASTATE_MATURE: "M",
    k.SADB_SASTATE_DYING: "D",
    k.SADB_SASTATE_DEAD: "d",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_MAX_S: Final = 253_402_300_799  # the year 9999 ends
_NO_LIFETIME: Final = SadbLifetime(0)

_Ext = TypeVar("_Ext", bound=SadbExt)


def _get(msg: SadbMsg, number: int, kind: type[_Ext]) -> _Ext | None:
    ext = msg.exts.get(number)
    return ext if isinstance(ext, kind) else None


def _word(table: Mapping[int, str], number: int) -> str:
    return table.get(number, str(number))


def str_time(seconds: int) -> str:
    """``Jan 31 14:00:02 2002`` in UTC; blanks for a time that never was."""
    if not seconds:
        return " " * TIME_WIDTH
    if seconds > _TIME_MAX_S:
        return f"{seconds:>{TIME_WIDTH}}"
    t = _EPOCH + timedelta(seconds=seconds)
    return t.strftime(f"%b {t.day:2d} %H:%M:%S %Y")


def hexdump(octets: bytes) -> str:
    """Groups of 4 octets, each behind a blank; a new line after 32 octets."""
    lines = []
    for at in range(0, len(octets), HEX_LINE):
        line = octets[at : at + HEX_LINE]
        groups = range(0, len(line), HEX_GROUP)
        lines.append("".join(f" {line[i : i + HEX_GROUP].hex()}" for i in groups))
    return "\n".join(lines)


def _address(ops: ProgOps, msg: SadbMsg, number: int) -> str:
    ext = _get(msg, number, SadbAddress)
    return "?" if ext is None else sockaddr_text(ops, ext.addr)


def _ends(ops: ProgOps, msg: SadbMsg) -> tuple[str, str]:
    return (
        _address(ops, msg, k.SADB_EXT_ADDRESS_SRC),
        _address(ops, msg, k.SADB_EXT_ADDRESS_DST),
    )


# -- associations ---------------------------------------------------------------------------------


def pfkey_sadump(ops: ProgOps, msg: SadbMsg, now_s: int) -> str:
    """One association of setkey -D."""
    src, dst = _ends(ops, msg)
    lines = [f"{src} {dst} \n"]
    sa = _get(msg, k.SADB_EXT_SA, SadbSa)
    sa2 = _get(msg, k.SADB_X_EXT_SA2, SadbXSa2)
    if sa is None or sa2 is None:
        return lines[0] + f"no {'SA' if sa is None else 'SA2'} extension.\n"
    lines += [
        f"\t{_word(SATYPE_WORDS, msg.satype)} mode={_word(MODE_WORDS, sa2.mode)} "
        f"spi={sa.spi}(0x{sa.spi:08x}) reqid={sa2.reqid}(0x{sa2.reqid:08x})\n",
        *_keys(msg, sa),
        f"\tseq=0x{sa2.sequence:08x} replay={sa.replay} flags=0x{sa.flags:08x} "
        f"state={_word(STATE_WORDS, sa.state)} \n",
        _sa_lifetimes(msg, now_s),
        f"\tsadb_seq={msg.seq} pid={msg.pid} refcnt={msg.reserved}\n",
    ]
    return "".join(lines)


def _keys(msg: SadbMsg, sa: SadbSa) -> list[str]:
    """The lines C:, E: and A:. IPComp's is not ended, as in KAME."""
    lines = []
    enc = _get(msg, k.SADB_EXT_KEY_ENCRYPT, SadbKey)
    auth = _get(msg, k.SADB_EXT_KEY_AUTH, SadbKey)
    if msg.satype == k.SADB_X_SATYPE_IPCOMP:
        lines.append(f"\tC: {_word(COMP_WORDS, sa.encrypt)} ")
    elif msg.satype == k.SADB_SATYPE_ESP and enc is not None:
        lines.append(f"\tE: {_word(ENC_WORDS, sa.encrypt)} {hexdump(enc.key)}\n")
    if auth is not None:
        lines.append(f"\tA: {_word(AUTH_WORDS, sa.auth)} {hexdump(auth.key)}\n")
    return lines


def _lifetime(msg: SadbMsg, number: int) -> SadbLifetime:
    return _get(msg, number, SadbLifetime) or _NO_LIFETIME


def _sa_lifetimes(msg: SadbMsg, now_s: int) -> str:
    current = _get(msg, k.SADB_EXT_LIFETIME_CURRENT, SadbLifetime)
    if current is None:
        return ""
    hard = _lifetime(msg, k.SADB_EXT_LIFETIME_HARD)
    soft = _lifetime(msg, k.SADB_EXT_LIFETIME_SOFT)
    age = now_s - current.addtime if current.addtime else 0
    return (
        f"\tcreated: {str_time(current.addtime)}\tcurrent: {str_time(now_s)}\n"
        f"\tdiff: {age}(s)\thard: {hard.addtime}(s)\tsoft: {soft.addtime}(s)\n"
        f"\tlast: {str_time(current.usetime)}\thard: {hard.usetime}(s)\tsoft: {soft.usetime}(s)\n"
        f"\tcurrent: {current.bytes}(bytes)\thard: {hard.bytes}(bytes)\tsoft: {soft.bytes}(bytes)\n"
        f"\tallocated: {current.allocations}\thard: {hard.allocations}\tsoft: {soft.allocations}\n"
    )


def shortdump(ops: ProgOps, msg: SadbMsg, now_s: int) -> str:
    """One association of setkey -Dl."""
    src, dst = _ends(ops, msg)
    sa = _get(msg, k.SADB_EXT_SA, SadbSa)
    mark = "?" if sa is None else _word(_STATE_LETTERS, sa.state)
    spi = "?" if sa is None else f"{sa.spi:08x}"
    minute, second = now_s % 3600 // 60, now_s % 60
    return (
        f"{minute:02}{second:02} {_word(SATYPE_WORDS, msg.satype):<3} {mark:<1} {spi:<8} "
        f"{_short_lifetime(msg, now_s):<7} {src} -> {dst}\n"
    )


def _short_lifetime(msg: SadbMsg, now_s: int) -> str:
    hard = _get(msg, k.SADB_EXT_LIFETIME_HARD, SadbLifetime)
    current = _get(msg, k.SADB_EXT_LIFETIME_CURRENT, SadbLifetime)
    if hard is None or current is None:
        return "??/???"
    age = now_s - current.addtime if current.addtime else 0
    return "/".join("big" if t > MAX_LTIME_S else str(t) for t in (age, hard.addtime))


# -- policies -------------------------------------------------------------------------------------


def pfkey_spdump(ops: ProgOps, msg: SadbMsg) -> str:
    """One policy of setkey -DP."""
    src = _get(msg, k.SADB_EXT_ADDRESS_SRC, SadbAddress)
    dst = _get(msg, k.SADB_EXT_ADDRESS_DST, SadbAddress)
    policy = _get(msg, k.SADB_X_EXT_POLICY, SadbXPolicy)
    if src is None or dst is None:
        return f"no ADDRESS_{'SRC' if src is None else 'DST'} extension.\n"
    head = f"{_selector(ops, src)} {_selector(ops, dst)} {_upper(src, dst)}\n"
    if policy is None:
        return head + "no X_POLICY extension.\n"
    return (
        f"{head}\t{ipsec_dump_policy(policy, chr(10) + chr(9))}\n"
        f"{_sp_lifetimes(msg)}"
        f"\tspid={policy.id} seq={msg.seq} pid={msg.pid}\n"
        f"\trefcnt={msg.reserved}\n"
    )


def _selector(ops: ProgOps, ext: SadbAddress) -> str:
    """ADDR[/LEN][[PORT]]; the port of ICMPv6 is a type or code and stands elsewhere."""
    plen = "" if ext.prefixlen == PLEN_MAX else f"/{ext.prefixlen}"
    port = "" if ext.proto == IPPROTO_ICMPV6 else f"[{ext.addr.port or 'any'}]"
    return f"{sockaddr_text(ops, ext.addr)}{plen}{port}"


def _upper(src: SadbAddress, dst: SadbAddress) -> str:
    name = protocol_name(src.proto)
    if src.proto == IPPROTO_ICMPV6 and (src.addr.port or dst.addr.port):
        return f"{name} {src.addr.port},{dst.addr.port}"
    return name


def _sp_lifetimes(msg: SadbMsg) -> str:
    current = _get(msg, k.SADB_EXT_LIFETIME_CURRENT, SadbLifetime)
    hard = _get(msg, k.SADB_EXT_LIFETIME_HARD, SadbLifetime)
    text = ""
    if current is not None:
        text += f"\tcreated:{str_time(current.addtime)} lastused:{str_time(current.usetime)}\n"
    if hard is not None:
        text += f"\tlifetime:{hard.addtime}(s) validtime:{hard.usetime}(s)\n"
    return text


# -- JSON -----------------------------------------------------------------------------------------


def sa_json(ops: ProgOps, msg: SadbMsg) -> Json:
    """An association as an object; times in s since 1970, keys hexadecimal."""
    src, dst = _ends(ops, msg)
    sa = _get(msg, k.SADB_EXT_SA, SadbSa) or SadbSa(0)
    sa2 = _get(msg, k.SADB_X_EXT_SA2, SadbXSa2) or SadbXSa2(k.IPSEC_MODE_ANY)
    enc = _get(msg, k.SADB_EXT_KEY_ENCRYPT, SadbKey)
    auth = _get(msg, k.SADB_EXT_KEY_AUTH, SadbKey)
    return {
        "src": src,
        "dst": dst,
        "proto": _word(SATYPE_WORDS, msg.satype),
        "mode": _word(MODE_WORDS, sa2.mode),
        "spi": sa.spi,
        "reqid": sa2.reqid,
        "encryption": _word(ENC_WORDS, sa.encrypt),
        "encryption_key": "" if enc is None else enc.key.hex(),
        "authentication": _word(AUTH_WORDS, sa.auth),
        "authentication_key": "" if auth is None else auth.key.hex(),
        "seq": sa2.sequence,
        "replay": sa.replay,
        "flags": sa.flags,
        "state": _word(STATE_WORDS, sa.state),
        "current": _lifetime_json(msg, k.SADB_EXT_LIFETIME_CURRENT),
        "hard": _lifetime_json(msg, k.SADB_EXT_LIFETIME_HARD),
        "soft": _lifetime_json(msg, k.SADB_EXT_LIFETIME_SOFT),
        "pid": msg.pid,
    }


def _lifetime_json(msg: SadbMsg, number: int) -> Json:
    lft = _lifetime(msg, number)
    return {
        "allocations": lft.allocations,
        "bytes": lft.bytes,
        "addtime": lft.addtime,
        "usetime": lft.usetime,
    }


def sp_json(ops: ProgOps, msg: SadbMsg) -> Json:
    """A policy as an object; times in s since 1970."""
    policy = _get(msg, k.SADB_X_EXT_POLICY, SadbXPolicy) or SadbXPolicy(0, 0)
    src = _get(msg, k.SADB_EXT_ADDRESS_SRC, SadbAddress)
    dst = _get(msg, k.SADB_EXT_ADDRESS_DST, SadbAddress)
    current = _lifetime(msg, k.SADB_EXT_LIFETIME_CURRENT)
    hard = _lifetime(msg, k.SADB_EXT_LIFETIME_HARD)
    direction, _, action = ipsec_dump_policy(policy._replace(requests=())).partition(" ")
    return {
        "src": _selector_json(ops, src),
        "dst": _selector_json(ops, dst),
        "upper": None if src is None else protocol_name(src.proto),
        "direction": direction,
        "policy": action,
        "requests": [dump_request(r) for r in policy.requests],
        "id": policy.id,
        "created": current.addtime,
        "lastused": current.usetime,
        "lifetime": hard.addtime,
        "validtime": hard.usetime,
        "pid": msg.pid,
    }


def _selector_json(ops: ProgOps, ext: SadbAddress | None) -> Json:
    """port: 0 for any; of ICMPv6 the type in src, the code in dst."""
    if ext is None:
        return None
    addr = sockaddr_text(ops, ext.addr)
    return {"addr": addr, "prefixlen": ext.prefixlen, "port": ext.addr.port}
