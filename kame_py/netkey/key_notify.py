# SPDX-License-Identifier: BSD-3-Clause
"""What the kernel tells of associations and policies: dumps, EXPIRE and SPDEXPIRE.

KAME netkey/key.c (key_setdumpsa, key_setdumpsp, key_setsadb*, key_expire, key_spdexpire).
Deviates: an EXPIRE carries the limit that was reached, KAME always the soft one. Read first: RFC
2367 s.2.3, s.3.1.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.netinet6.scope6 import kernel_to_sa
from kame_py.netkey.key_sendup import Target, key_sendup
from kame_py.netkey.keydb import Ipsecrequest, Secasindex, Secasvar, Seclifetime, Secpolicy
from kame_py.netkey.keydb import Secpolicyindex as Spidx
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_AH, IPPROTO_ESP
from kame_py.wire.pfkey import (
    SadbAddress,
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbSa,
    SadbXPolicy,
    SadbXSa2,
    XIpsecrequest,
    sadb,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

#: SA types that this kernel has associations of -> the protocol number.
SATYPE_PROTO: Final = {k.SADB_SATYPE_AH: IPPROTO_AH, k.SADB_SATYPE_ESP: IPPROTO_ESP}
_PROTO_SATYPE: Final = {proto: satype for satype, proto in SATYPE_PROTO.items()}
_U32: Final = 0xFFFFFFFF
_FULL: Final = 128  # prefix length of one address
REFCNT: Final = 1  # nothing but the databases holds an entry


def key_proto2satype(proto: int) -> int:
    """The SA type of AH (51) or ESP (50)."""
    return _PROTO_SATYPE[proto]


def key_setsadbaddrs(saidx: Secasindex) -> tuple[SadbAddress, SadbAddress]:
    """Both addresses of an association."""
    src, dst = kernel_to_sa(saidx.src), kernel_to_sa(saidx.dst)
    return (
        SadbAddress(k.SADB_EXT_ADDRESS_SRC, k.IPSEC_ULPROTO_ANY, _FULL, src),
        SadbAddress(k.SADB_EXT_ADDRESS_DST, k.IPSEC_ULPROTO_ANY, _FULL, dst),
    )


def key_setsadbselectors(spidx: Spidx) -> tuple[SadbAddress, SadbAddress]:
    """Both addresses of a policy with prefix lengths, ports and upper protocol."""
    src, dst = kernel_to_sa(spidx.src, spidx.sport), kernel_to_sa(spidx.dst, spidx.dport)
    return (
        SadbAddress(k.SADB_EXT_ADDRESS_SRC, spidx.ul_proto, spidx.prefs, src),
        SadbAddress(k.SADB_EXT_ADDRESS_DST, spidx.ul_proto, spidx.prefd, dst),
    )


def key_setsadbsa(sav: Secasvar) -> SadbSa:
    """The association itself."""
    wsize = sav.replay.wsize
    return SadbSa(sav.spi, wsize, sav.state, sav.alg_auth, sav.alg_enc, sav.flags)


def key_setsadbxsa2(sav: Secasvar) -> SadbXSa2:
    """Mode, request id and the last number sent."""
    return SadbXSa2(sav.saidx.mode, sav.replay.count, sav.saidx.reqid)


def key_setsadblifetime(exttype: int, lft: Seclifetime) -> SadbLifetime:
    """One of the three lifetimes."""
    return SadbLifetime(exttype, lft.allocations & _U32, lft.bytes, lft.addtime, lft.usetime)


def key_setdumpsa(sav: Secasvar, type: int, seq: int, pid: int) -> SadbMsg:
    """Everything there is to know of an association, keys included."""
    exts: list[SadbExt] = [
        key_setsadbsa(sav),
        key_setsadbxsa2(sav),
        key_setsadblifetime(k.SADB_EXT_LIFETIME_HARD, sav.lft_h),
        key_setsadblifetime(k.SADB_EXT_LIFETIME_SOFT, sav.lft_s),
        key_setsadblifetime(k.SADB_EXT_LIFETIME_CURRENT, sav.lft_c),
        *key_setsadbaddrs(sav.saidx),
    ]
    if sav.key_auth:
        exts.append(SadbKey(k.SADB_EXT_KEY_AUTH, len(sav.key_auth) * 8, sav.key_auth))
    if sav.key_enc:
        exts.append(SadbKey(k.SADB_EXT_KEY_ENCRYPT, len(sav.key_enc) * 8, sav.key_enc))
    satype = key_proto2satype(sav.saidx.proto)
    return sadb(type, satype, *exts, *sav.idents, seq=seq, pid=pid, reserved=REFCNT)


def key_sp2msg(sp: Secpolicy) -> SadbXPolicy:
    """The extension that makes this policy."""
    direction = k.IPSEC_DIR_ANY if sp.spidx is None else sp.spidx.dir
    return SadbXPolicy(sp.policy, direction, sp.id, tuple(map(_request, sp.req)))


def _request(isr: Ipsecrequest) -> XIpsecrequest:
    src = None if isr.src is None else kernel_to_sa(isr.src)
    dst = None if isr.dst is None else kernel_to_sa(isr.dst)
    return XIpsecrequest(isr.proto, isr.mode, isr.level, isr.reqid, src, dst)


def _sp_lifetimes(sp: Secpolicy) -> tuple[SadbLifetime, SadbLifetime]:
    current = SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, addtime=sp.created, usetime=sp.lastused)
    hard = SadbLifetime(k.SADB_EXT_LIFETIME_HARD, addtime=sp.lifetime, usetime=sp.validtime)
    return current, hard


def key_setdumpsp(sp: Secpolicy, spidx: Spidx, type: int, seq: int, pid: int) -> SadbMsg:
    """Everything there is to know of a policy of the SPD."""
    selectors = key_setsadbselectors(spidx)
    exts = (*selectors, *_sp_lifetimes(sp), key_sp2msg(sp))
    return sadb(type, k.SADB_SATYPE_UNSPEC, *exts, seq=seq, pid=pid, reserved=REFCNT)


def key_expire(kern: Kernel, sav: Secasvar) -> None:
    """Tell the registered that a limit was reached: the hard one when it is dead, else soft."""
    hard = sav.state == k.SADB_SASTATE_DEAD
    exttype = k.SADB_EXT_LIFETIME_HARD if hard else k.SADB_EXT_LIFETIME_SOFT
    msg = sadb(
        k.SADB_EXPIRE,
        key_proto2satype(sav.saidx.proto),
        key_setsadbsa(sav),
        key_setsadbxsa2(sav),
        key_setsadblifetime(k.SADB_EXT_LIFETIME_CURRENT, sav.lft_c),
        key_setsadblifetime(exttype, sav.lft_h if hard else sav.lft_s),
        *key_setsadbaddrs(sav.saidx),
        seq=sav.seq,
    )
    key_sendup(kern, msg, Target.REGISTERED)


def key_spdexpire(kern: Kernel, sp: Secpolicy, spidx: Spidx) -> None:
    """Tell the registered that a policy's time is over."""
    exts = (*_sp_lifetimes(sp), *key_setsadbselectors(spidx), key_sp2msg(sp))
    key_sendup(kern, sadb(k.SADB_X_SPDEXPIRE, 0, *exts), Target.REGISTERED)
