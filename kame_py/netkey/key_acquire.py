# SPDX-License-Identifier: BSD-3-Clause
"""Which association a packet gets, and how the kernel asks for one that is not there.

KAME netkey/key.c (key_checkrequest, key_acquire, key_getprop, key_spdacquire). As in KAME nobody
is asked twice within net.key.blockacq_lifetime unless more than blockacq_count packets wanted the
same meanwhile. Deviates: an SPDACQUIRE names the policy. Read first: RFC 2367 s.3.1.6.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final, TypeVar

from kame_py.kern.clock import NS, tick_ceil
from kame_py.netkey.algorithms import (
    ah_algorithm_lookup,
    esp_algorithm_lookup,
    supported_auth,
    supported_enc,
)
from kame_py.netkey.key_notify import (
    key_proto2satype,
    key_setsadbaddrs,
    key_setsadbselectors,
    key_sp2msg,
)
from kame_py.netkey.key_sad import key_allocsa_policy
from kame_py.netkey.key_sendup import Target, key_sendup
from kame_py.netkey.key_spd import ipsec_get_reqlevel
from kame_py.netkey.keydb import Ipsecrequest, Secasindex, Secasvar, Secpolicy, Spacq
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_ESP
from kame_py.wire.errno import ENOENT
from kame_py.wire.pfkey import SadbComb, SadbExt, SadbProp, sadb

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.netkey.keydb import Secpolicyindex

_Index = TypeVar("_Index", bound=Hashable)

_COMB_ADDTIME: Final = 86400  # s, hard; KAME key_getcomb_setlifetime
_COMB_USETIME: Final = 28800
_SOFT_PERCENT: Final = 80
#: Authentication that AH proposes: the HMACs that every peer has (RFC 2402 s.5).
_AH_PROPOSED: Final = (k.SADB_AALG_MD5HMAC, k.SADB_AALG_SHA1HMAC)
_U32: Final = 0xFFFFFFFF


def key_checkrequest(kern: Kernel, isr: Ipsecrequest, saidx: Secasindex) -> Secasvar | int:
    """The association for a request, or an errno.

    Without one an ACQUIRE is raised; ENOENT: the level requires it; 0: go unprotected.
    """
    sav = key_allocsa_policy(kern, saidx)
    if sav is not None:
        return sav
    key_acquire(kern, saidx, isr.sp)
    return ENOENT if ipsec_get_reqlevel(kern, isr) == k.IPSEC_LEVEL_REQUIRE else 0


def key_acquire(kern: Kernel, saidx: Secasindex, sp: Secpolicy | None) -> None:
    """Ask the registered for an association, unless they were asked a moment ago."""
    seq = _ask(kern, kern.key.acquires, saidx)
    if seq is None:
        return
    exts: list[SadbExt] = [*key_setsadbaddrs(saidx)]
    if sp is not None:
        exts.append(key_sp2msg(sp)._replace(requests=()))
    exts.append(key_getprop(kern, saidx.proto))
    msg = sadb(k.SADB_ACQUIRE, key_proto2satype(saidx.proto), *exts, seq=seq)
    key_sendup(kern, msg, Target.REGISTERED)


def key_spdacquire(kern: Kernel, sp: Secpolicy) -> None:
    """A policy says IPsec and not how: ask the registered, unless they were asked a moment ago."""
    if sp.spidx is None:
        return
    seq = _ask(kern, kern.key.spacquires, sp.spidx)
    if seq is not None:
        exts = (*key_setsadbselectors(sp.spidx), key_sp2msg(sp))
        msg = sadb(k.SADB_X_SPDACQUIRE, k.SADB_SATYPE_UNSPEC, *exts, seq=seq)
        key_sendup(kern, msg, Target.REGISTERED)


def _ask(kern: Kernel, asked: dict[_Index, Spacq], index: _Index) -> int | None:
    """The number of the message that asks; None while net.key.blockacq_* keeps it back."""
    key = kern.key
    acq = asked.get(index)
    if acq is not None and acq.tries <= key.key_blockacq_count:
        asked[index] = acq._replace(tries=acq.tries + 1)
        return None
    if acq is None:
        key.acq_seq = key.acq_seq + 1 & _U32 or 1
        acq = Spacq(key.acq_seq, kern.now(), 0)
        kern.callouts.at(_block_end(kern, acq), _forget, kern, asked, index)
    asked[index] = acq._replace(tries=0)
    return acq.seq


def _block_end(kern: Kernel, acq: Spacq) -> int:
    return tick_ceil(acq.created_ns + kern.key.key_blockacq_lifetime * NS)


def _forget(kern: Kernel, asked: dict[_Index, Spacq], index: _Index) -> None:
    end = _block_end(kern, asked[index])
    if end > kern.now():
        kern.callouts.at(end, _forget, kern, asked, index)
    else:
        del asked[index]


def key_acqanswered(kern: Kernel, seq: int) -> None:
    """Somebody works on the ACQUIRE of that number, or gave up: the time to wait starts anew."""
    for saidx, acq in kern.key.acquires.items():
        if acq.seq == seq:
            kern.key.acquires[saidx] = Spacq(seq, kern.now(), 0)
            return


def key_spacqanswered(kern: Kernel, spidx: Secpolicyindex) -> None:
    """A policy that asked got its requests (SADB_X_SPDUPDATE): the time to wait starts anew."""
    acq = kern.key.spacquires.get(spidx)
    if acq is not None:
        kern.key.spacquires[spidx] = Spacq(acq.seq, kern.now(), 0)


# -- proposals ---------------------------------------------------------------------------------


def key_getprop(kern: Kernel, proto: int) -> SadbProp:
    """What the kernel would take: algorithms, key sizes, lifetimes."""
    combs = _getcomb_esp(kern) if proto == IPPROTO_ESP else _getcomb_ah(kern)
    return SadbProp(k.IPSEC_REPLAYWSIZE, combs)


def _getcomb_ah(kern: Kernel) -> tuple[SadbComb, ...]:
    least = kern.key.ipsec_ah_keymin
    combs = []
    for row in supported_auth():
        algo = ah_algorithm_lookup(row.id)
        if algo is not None and row.id in _AH_PROPOSED and algo.keymax >= least:
            bounds = max(algo.keymin, least), algo.keymax
            combs.append(_comb(auth=row.id, auth_bits=bounds))
    return tuple(combs)


def _getcomb_esp(kern: Kernel) -> tuple[SadbComb, ...]:
    """Each cipher that takes keys long enough; with net.key.esp_auth each with each HMAC."""
    least = kern.key.ipsec_esp_keymin
    auths = _getcomb_ah(kern) if kern.key.ipsec_esp_auth else ()
    combs = []
    for row in supported_enc():
        algo = esp_algorithm_lookup(row.id)
        if algo is None or algo.keymax < least:
            continue
        bounds = max(algo.keymin, least), algo.keymax
        plain = _comb(encrypt=row.id, encrypt_bits=bounds)
        combs += [
            plain._replace(auth=a.auth, auth_minbits=a.auth_minbits, auth_maxbits=a.auth_maxbits)
            for a in auths
        ] or [plain]
    return tuple(combs)


def _comb(
    auth: int = 0,
    auth_bits: tuple[int, int] = (0, 0),
    encrypt: int = 0,
    encrypt_bits: tuple[int, int] = (0, 0),
) -> SadbComb:
    return SadbComb(
        auth,
        encrypt,
        0,
        *auth_bits,
        *encrypt_bits,
        soft_addtime=_COMB_ADDTIME * _SOFT_PERCENT // 100,
        hard_addtime=_COMB_ADDTIME,
        soft_usetime=_COMB_USETIME * _SOFT_PERCENT // 100,
        hard_usetime=_COMB_USETIME,
    )
