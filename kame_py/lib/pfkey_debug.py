# SPDX-License-Identifier: BSD-3-Clause
"""PF_KEY messages in full, as setkey -v and -x print them.

KAME: netkey/key_debug.c. Deviates: a message that is malformed is told by its reason and in
hexadecimal, where KAME printed what came before the fault. Read first: RFC 2367 s.2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kame_py.lib.pfkey_dump import hexdump
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.malformed import Malformed
from kame_py.wire.pfkey import (
    SADB_MSG_LEN,
    SIN6_LEN,
    SadbAddress,
    SadbComb,
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbProp,
    SadbSa,
    SadbSupported,
    SadbXPolicy,
    SadbXSa2,
    XIpsecrequest,
    build_sadb,
    exttype,
    parse_sadb,
)
from kame_py.wire.sockaddr import AF_INET6, SockaddrIn6

UNIT: Final = 8  # lengths count so many octets
DUMP_LINE: Final = 16
REQUEST_LEN: Final = 8  # octets of a request without addresses


def hexrows(octets: bytes) -> str:
    """Rows of 16 octets behind their offset (setkey -h)."""
    rows = []
    for at in range(0, len(octets), DUMP_LINE):
        row = octets[at : at + DUMP_LINE]
        rows.append(f"{at:08x}: {''.join(f'{octet:02x} ' for octet in row)}\n")
    return "".join(rows)


def kdebug_sadb(data: bytes) -> str:
    """One message, its header and each extension."""
    msg = parse_sadb(data)
    if isinstance(msg, Malformed):
        return f"{msg.reason}\n{hexrows(data)}"
    head = (
        f"sadb_msg{{ version={k.PF_KEY_V2} type={msg.type} errno={msg.errno} "
        f"satype={msg.satype}\n"
        f"  len={len(data) // UNIT} reserved={msg.reserved} seq={msg.seq} pid={msg.pid}\n"
    )
    return head + "".join(_ext(msg, ext) for ext in msg.exts.values())


def _ext(msg: SadbMsg, ext: SadbExt) -> str:
    number = exttype(ext)
    size = len(build_sadb(replace(msg, exts={number: ext}))) - SADB_MSG_LEN
    return f"sadb_ext{{ len={size // UNIT} type={number} }}\n" + _body(ext)


def _body(ext: SadbExt) -> str:
    """An extension; those that KAME did not look into are empty."""
    match ext:
        case SadbSa():
            return _sa(ext)
        case SadbLifetime():
            return (
                f"sadb_lifetime{{ alloc={ext.allocations}, bytes={ext.bytes}\n"
                f"  addtime={ext.addtime}, usetime={ext.usetime} }}\n"
            )
        case SadbAddress():
            return (
                f"sadb_address{{ proto={ext.proto} prefixlen={ext.prefixlen} reserved=0x0000 }}\n"
                + _sockaddr(ext.addr)
            )
        case SadbKey():
            return f"sadb_key{{ bits={ext.bits} reserved=0\n  key={hexdump(ext.key)} }}\n"
        case SadbSupported():
            return _supported(ext)
        case SadbProp():
            combs = "".join(map(_comb, ext.combs))
            return f"sadb_prop{{ replay={ext.replay}\n{combs}}}\n"
        case SadbXPolicy():
            return _policy(ext)
        case SadbXSa2():
            return (
                f"sadb_x_sa2{{ mode={ext.mode} reqid={ext.reqid}\n"
                f"  reserved1=0 reserved2=0 sequence={ext.sequence} }}\n"
            )
    return ""


def _sa(ext: SadbSa) -> str:
    return (
        f"sadb_sa{{ spi={ext.spi} replay={ext.replay} state={ext.state}\n"
        f"  auth={ext.auth} encrypt={ext.encrypt} flags=0x{ext.flags:08x} }}\n"
    )


def _sockaddr(sa: SockaddrIn6) -> str:
    return (
        f"sockaddr{{ len={SIN6_LEN} family={AF_INET6} port={sa.port}\n"
        f"  flowinfo=0x{sa.flowinfo:08x}, scope_id=0x{sa.scope_id:08x}\n"
        f"{hexdump(sa.addr)}  }}\n"
    )


def _supported(ext: SadbSupported) -> str:
    rows = (
        f"  {{ id={a.id} ivlen={a.ivlen} min={a.minbits} max={a.maxbits} }}\n" for a in ext.algs
    )
    return "sadb_sup{\n" + "".join(rows) + "}\n"


def _comb(c: SadbComb) -> str:
    return (
        f"sadb_comb{{ auth={c.auth} encrypt={c.encrypt} flags=0x{c.flags:04x} "
        f"reserved=0x00000000\n"
        f"  auth_minbits={c.auth_minbits} auth_maxbits={c.auth_maxbits} "
        f"encrypt_minbits={c.encrypt_minbits} encrypt_maxbits={c.encrypt_maxbits}\n"
        f"  soft_alloc={c.soft_allocations} hard_alloc={c.hard_allocations} "
        f"soft_bytes={c.soft_bytes} hard_bytes={c.hard_bytes}\n"
        f"  soft_addtime={c.soft_addtime} hard_addtime={c.hard_addtime} "
        f"soft_usetime={c.soft_usetime} hard_usetime={c.hard_usetime} }}\n"
    )


def _policy(ext: SadbXPolicy) -> str:
    head = f"sadb_x_policy{{ type={ext.type} dir={ext.dir} id={ext.id:x} }}\n"
    return head + "".join(map(_request, ext.requests))


def _request(r: XIpsecrequest) -> str:
    ends = [sa for sa in (r.src, r.dst) if sa is not None]
    size = REQUEST_LEN + len(ends) * SIN6_LEN
    return (
        f" {{ len={size} proto={r.proto} mode={r.mode} level={r.level} reqid={r.reqid}\n"
        f"{''.join(map(_sockaddr, ends))} }}\n"
    )
