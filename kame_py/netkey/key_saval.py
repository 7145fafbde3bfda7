# SPDX-License-Identifier: BSD-3-Clause
"""From a PF_KEY message to an association: what it is for, its keys, whether it can work.

KAME netkey/key.c (key_setsaval, key_mature, key_setident). Everything is checked here, before
anything changes. Deviates: IPComp is not there; a null algorithm needs no key extension; keys are
whole octets; AH refuses the null algorithm. Read first: RFC 2367 s.2.3, s.3.1.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from kame_py.netinet6.scope6 import sa_to_kernel
from kame_py.netkey.algorithms import ah_algorithm_lookup, esp_algorithm_lookup
from kame_py.netkey.key_notify import SATYPE_PROTO
from kame_py.netkey.keydb import CipherKey, MacKey, Secasindex, Secasvar, Seclifetime, Secreplay
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_ESP
from kame_py.wire.errno import EINVAL, EPROTONOSUPPORT, KError
from kame_py.wire.pfkey import (
    SadbAddress,
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbRaw,
    SadbSa,
    SadbXSa2,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

_Ext = TypeVar("_Ext", bound=SadbExt)
_MODES: Final = (k.IPSEC_MODE_ANY, k.IPSEC_MODE_TRANSPORT, k.IPSEC_MODE_TUNNEL)
#: Extensions that go with an association and are not looked into.
_CARRIED: Final = (k.SADB_EXT_IDENTITY_SRC, k.SADB_EXT_IDENTITY_DST, k.SADB_EXT_SENSITIVITY)


def ext_of(msg: SadbMsg, exttype: int, cls: type[_Ext]) -> _Ext | None:
    """The extension of a message, or None."""
    found = msg.exts.get(exttype)
    return found if isinstance(found, cls) else None


def need_ext(msg: SadbMsg, exttype: int, cls: type[_Ext]) -> _Ext:
    """The extension of a message; KError(EINVAL) without it."""
    found = ext_of(msg, exttype, cls)
    if found is None:
        raise KError(EINVAL, "invalid message is passed.")
    return found


def key_satype2proto(satype: int) -> int:
    """The protocol number of an SA type. KError(EPROTONOSUPPORT) when there is none here."""
    proto = SATYPE_PROTO.get(satype)
    if proto is None:
        raise KError(EPROTONOSUPPORT, f"no associations of satype {satype}.")
    return proto


def key_setsecasidx(kern: Kernel, msg: SadbMsg) -> Secasindex:
    """What the association of a message is for. Ports do not count."""
    src = need_ext(msg, k.SADB_EXT_ADDRESS_SRC, SadbAddress)
    dst = need_ext(msg, k.SADB_EXT_ADDRESS_DST, SadbAddress)
    sa2 = ext_of(msg, k.SADB_X_EXT_SA2, SadbXSa2) or SadbXSa2(k.IPSEC_MODE_ANY)
    if sa2.mode not in _MODES:
        raise KError(EINVAL, f"invalid mode {sa2.mode}.")
    proto = key_satype2proto(msg.satype)
    ends = sa_to_kernel(kern, src.addr), sa_to_kernel(kern, dst.addr)
    return Secasindex(proto, sa2.mode, sa2.reqid, *ends)


def key_setlft(msg: SadbMsg) -> tuple[Seclifetime, Seclifetime]:
    """The hard and the soft limits; a message has both or none."""
    hard = ext_of(msg, k.SADB_EXT_LIFETIME_HARD, SadbLifetime)
    soft = ext_of(msg, k.SADB_EXT_LIFETIME_SOFT, SadbLifetime)
    if (hard is None) != (soft is None):
        raise KError(EINVAL, "one lifetime without the other.")
    return _lifetime(hard), _lifetime(soft)


def _lifetime(ext: SadbLifetime | None) -> Seclifetime:
    if ext is None:
        return Seclifetime()
    return Seclifetime(ext.allocations, ext.bytes, ext.addtime, ext.usetime)


def key_setsaval(kern: Kernel, msg: SadbMsg) -> Secasvar:
    """The association of an ADD or UPDATE: checked, larval, in no database yet. KError: EINVAL."""
    saidx = key_setsecasidx(kern, msg)
    sa = need_ext(msg, k.SADB_EXT_SA, SadbSa)
    hard, soft = key_setlft(msg)
    sav = Secasvar(
        saidx,
        sa.spi,
        alg_auth=sa.auth,
        alg_enc=sa.encrypt,
        flags=sa.flags,
        replay=Secreplay(sa.replay),
        lft_h=hard,
        lft_s=soft,
        seq=msg.seq,
        pid=msg.pid,
        idents=_idents(msg),
    )
    sav.key_auth = _key(msg, k.SADB_EXT_KEY_AUTH)
    sav.key_enc = _key(msg, k.SADB_EXT_KEY_ENCRYPT)
    key_mature(kern, sav)
    return sav


def _key(msg: SadbMsg, exttype: int) -> bytes:
    ext = ext_of(msg, exttype, SadbKey)
    if ext is None:
        return b""
    if ext.bits != len(ext.key) * 8:
        raise KError(EINVAL, "key is not whole octets.")
    return ext.key


def _idents(msg: SadbMsg) -> tuple[SadbExt, ...]:
    """Identities come in pairs (key_setident)."""
    if (k.SADB_EXT_IDENTITY_SRC in msg.exts) != (k.SADB_EXT_IDENTITY_DST in msg.exts):
        raise KError(EINVAL, "invalid identity.")
    carried = (msg.exts[number] for number in _CARRIED if number in msg.exts)
    return tuple(ext for ext in carried if isinstance(ext, SadbRaw))


def key_mature(kern: Kernel, sav: Secasvar) -> None:
    """Check an association and set its algorithms up. KError(EINVAL): it cannot work."""
    if sav.spi <= k.SPI_RESERVED_MAX:
        raise KError(EINVAL, f"key_mature: illegal range of SPI {sav.spi}.")
    if sav.saidx.proto == IPPROTO_ESP:
        if not kern.conf.has("IPSEC_ESP"):
            raise KError(EINVAL, "key_mature: ESP is not supported in this kernel")
        sav.cipher = _cipher(sav)
        sav.iv = kern.rng.stream("key.iv").bytes(sav.cipher.ivlen)
        if sav.alg_auth != k.SADB_AALG_NONE:
            sav.mackey = _mackey(sav)
        elif sav.key_auth:
            raise KError(EINVAL, "key_mature: a key without algorithm.")
        return
    if sav.alg_enc != k.SADB_EALG_NONE or sav.key_enc:
        raise KError(EINVAL, "key_mature: protocol and algorithm mismatched.")
    sav.mackey = _mackey(sav)
    if not sav.mackey.icvlen:
        raise KError(EINVAL, "key_mature: AH without authentication.")


def _mackey(sav: Secasvar) -> MacKey:
    algo = ah_algorithm_lookup(sav.alg_auth)
    if algo is None:
        raise KError(EINVAL, "key_mature: unknown authentication algorithm.")
    _check_keylen(sav.key_auth, algo.keymin, algo.keymax)
    return algo.setup(sav.key_auth, sav.flags)


def _cipher(sav: Secasvar) -> CipherKey:
    algo = esp_algorithm_lookup(sav.alg_enc)
    if algo is None:
        raise KError(EINVAL, "key_mature: unknown encryption algorithm.")
    _check_keylen(sav.key_enc, algo.keymin, algo.keymax)
    return algo.setup(sav.key_enc, sav.flags)


def _check_keylen(secret: bytes, keymin: int, keymax: int) -> None:
    bits = len(secret) * 8
    if not keymin <= bits <= keymax:
        raise KError(EINVAL, f"invalid key length {bits}; not in {keymin}-{keymax}.")
