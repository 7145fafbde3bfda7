# SPDX-License-Identifier: BSD-3-Clause
"""A command of a setkey script -> the PF_KEY messages that carry it out.

KAME: setkeymsg*() of parse.y. Deviates: none. Read first: RFC 2367 s.3.1.
"""

from __future__ import annotations

from typing import Final

from kame_py.lib.setkey_parse import Command, Range, SaSpec
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.pfkey import (
    SadbAddress,
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbSa,
    SadbXSa2,
    sadb,
)
from kame_py.wire.sockaddr import SockaddrIn6

PLEN_MAX: Final = 128
_TYPES: Final = {
    "add": k.SADB_ADD,
    "get": k.SADB_GET,
    "delete": k.SADB_DELETE,
    "deleteall": k.SADB_DELETE,
    "flush": k.SADB_FLUSH,
    "dump": k.SADB_DUMP,
    "spdadd": k.SADB_X_SPDADD,
    "spddelete": k.SADB_X_SPDDELETE,
    "spdflush": k.SADB_X_SPDFLUSH,
    "spddump": k.SADB_X_SPDDUMP,
}


def message(command: Command, src: SockaddrIn6, dst: SockaddrIn6) -> SadbMsg:
    """The message of a command for one pair of addresses."""
    kind = _TYPES[command.verb]
    if command.sp is not None and command.ends is not None:
        selectors = _selectors(command.ends, (src, dst), command.sp.upper)
        return sadb(kind, k.SADB_SATYPE_UNSPEC, command.sp.policy, *selectors)
    if command.sa is None:
        return sadb(kind, command.satype)
    exts: list[SadbExt] = []
    if command.verb != "deleteall":
        exts += _association(command.sa)
    if command.verb == "add":
        exts += _keys(command.sa) + _lifetimes(command.sa)
    return sadb(kind, command.sa.satype, *exts, *_addresses(src, dst))


def _association(sa: SaSpec) -> list[SadbExt]:
    return [
        SadbSa(sa.spi, sa.replay, k.SADB_SASTATE_LARVAL, sa.auth, sa.enc, sa.flags),
        SadbXSa2(sa.mode, 0, sa.reqid),
    ]


def _keys(sa: SaSpec) -> list[SadbExt]:
    keys = ((k.SADB_EXT_KEY_ENCRYPT, sa.enc_key), (k.SADB_EXT_KEY_AUTH, sa.auth_key))
    return [SadbKey(exttype, len(key) * 8, key) for exttype, key in keys if key]


def _lifetimes(sa: SaSpec) -> list[SadbExt]:
    """Both, also when they limit nothing."""
    return [
        SadbLifetime(k.SADB_EXT_LIFETIME_HARD, bytes=sa.hard_octets, addtime=sa.hard_s),
        SadbLifetime(k.SADB_EXT_LIFETIME_SOFT, bytes=sa.soft_octets, addtime=sa.soft_s),
    ]


def _addresses(src: SockaddrIn6, dst: SockaddrIn6) -> tuple[SadbExt, SadbExt]:
    any_ = k.IPSEC_ULPROTO_ANY
    return (
        SadbAddress(k.SADB_EXT_ADDRESS_SRC, any_, PLEN_MAX, src),
        SadbAddress(k.SADB_EXT_ADDRESS_DST, any_, PLEN_MAX, dst),
    )


def _selectors(
    ends: tuple[Range, Range], addrs: tuple[SockaddrIn6, SockaddrIn6], upper: int
) -> list[SadbExt]:
    exttypes = (k.SADB_EXT_ADDRESS_SRC, k.SADB_EXT_ADDRESS_DST)
    return [
        SadbAddress(exttype, upper, end.plen, addr._replace(port=end.port))
        for exttype, end, addr in zip(exttypes, ends, addrs, strict=True)
    ]
