# SPDX-License-Identifier: BSD-3-Clause
"""PF_KEY messages about policies: SPDADD, SPDUPDATE, SPDDELETE, SPDGET, SPDDUMP, SPDFLUSH.

KAME netkey/key.c (key_spd*). Deviates: a policy that is not there is ENOENT for SPDDELETE and
SPDDELETE2, too (KAME: EINVAL); tunnel mode needs its end points. Read first: RFC 2401 s.4.4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.netinet6.scope6 import in6_scoped, sa_to_kernel
from kame_py.netkey.key_acquire import key_spacqanswered
from kame_py.netkey.key_notify import key_setdumpsp
from kame_py.netkey.key_saval import ext_of, need_ext
from kame_py.netkey.key_sendup import Target, key_senddump, key_sendup
from kame_py.netkey.key_spd import key_delsp, key_insertsp, key_msg2sp, key_sp2msg, key_sps
from kame_py.netkey.keydb import Secpolicy, Secpolicyindex
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EEXIST, EINVAL, ENOENT, KError
from kame_py.wire.in6addr import embedded_zone
from kame_py.wire.pfkey import SadbAddress, SadbLifetime, SadbMsg, SadbXPolicy, sadb

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.uipc_socket import Socket

_DIRECTIONS: Final = (k.IPSEC_DIR_INBOUND, k.IPSEC_DIR_OUTBOUND)
_SPD_POLICIES: Final = (k.IPSEC_POLICY_DISCARD, k.IPSEC_POLICY_NONE, k.IPSEC_POLICY_IPSEC)


def key_spdadd(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """SPDADD; SPDUPDATE, which replaces; SPDSETIDX, which needs no requests yet."""
    spidx, xpl = _index(kern, msg)
    if xpl.type not in _SPD_POLICIES:
        raise KError(EINVAL, "key_spdadd: Invalid policy type.")
    if msg.type != k.SADB_X_SPDSETIDX and xpl.type == k.IPSEC_POLICY_IPSEC and not xpl.requests:
        raise KError(EINVAL, "key_spdadd: some policy requests part required.")
    was = kern.key.sp_index.get(spidx)
    if was is not None and msg.type != k.SADB_X_SPDUPDATE:
        raise KError(EEXIST, "key_spdadd: a SP entry exists already.")
    sp = key_msg2sp(kern, xpl)
    hard = ext_of(msg, k.SADB_EXT_LIFETIME_HARD, SadbLifetime)
    if hard is not None:
        sp.lifetime, sp.validtime = hard.addtime, hard.usetime
    if was is not None:
        key_delsp(kern, was)
    key_insertsp(kern, sp, spidx)
    if msg.type == k.SADB_X_SPDUPDATE:
        key_spacqanswered(kern, spidx)
    _answer(kern, so, msg, sp)


def key_spddelete(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """SPDDELETE: the policy of just these selectors and this direction."""
    spidx, _ = _index(kern, msg)
    sp = kern.key.sp_index.get(spidx)
    if sp is None:
        raise KError(ENOENT, "key_spddelete: no SP found.")
    key_delsp(kern, sp)
    _answer(kern, so, msg, sp)


def key_spddelete2(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """SPDDELETE2: the policy of that id."""
    sp = _by_id(kern, msg)
    key_delsp(kern, sp)
    _answer(kern, so, msg, sp)


def key_spdget(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """SPDGET: the policy of that id."""
    sp = _by_id(kern, msg)
    if sp.spidx is not None:
        answer = key_setdumpsp(sp, sp.spidx, k.SADB_X_SPDGET, msg.seq, msg.pid)
        key_sendup(kern, answer, Target.ONE, so)


def key_spddump(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """SPDDUMP: all policies, inbound first; seq counts down to 0. ENOENT: there are none."""
    sps = tuple(key_sps(kern))
    if not sps:
        raise KError(ENOENT)
    left = range(len(sps) - 1, -1, -1)
    answers = (
        key_setdumpsp(sp, sp.spidx, k.SADB_X_SPDDUMP, n, msg.pid)
        for n, sp in zip(left, sps, strict=True)
        if sp.spidx is not None
    )
    key_senddump(kern, so, answers)


def key_spdflush(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """SPDFLUSH: all policies go."""
    if msg.exts:
        raise KError(EINVAL, "key_spdflush: invalid message is passed.")
    for sp in tuple(key_sps(kern)):
        key_delsp(kern, sp)
    key_sendup(kern, sadb(msg.type, seq=msg.seq, pid=msg.pid), Target.ALL, so)


def _index(kern: Kernel, msg: SadbMsg) -> tuple[Secpolicyindex, SadbXPolicy]:
    """The selectors and the policy of a message."""
    src = need_ext(msg, k.SADB_EXT_ADDRESS_SRC, SadbAddress)
    dst = need_ext(msg, k.SADB_EXT_ADDRESS_DST, SadbAddress)
    xpl = need_ext(msg, k.SADB_X_EXT_POLICY, SadbXPolicy)
    if xpl.dir not in _DIRECTIONS:
        raise KError(EINVAL, "key_spdadd: Invalid SP direction.")
    ends = _selector(kern, src), src.prefixlen, _selector(kern, dst), dst.prefixlen
    return Secpolicyindex(xpl.dir, *ends, src.proto, src.addr.port, dst.addr.port), xpl


def _selector(kern: Kernel, ext: SadbAddress) -> bytes:
    """Kernel form; a scoped address without a zone means every zone (sin6_scope_id 0)."""
    sa = ext.addr
    if in6_scoped(sa.addr) and not sa.scope_id and not embedded_zone(sa.addr):
        return sa.addr
    return sa_to_kernel(kern, sa)


def _by_id(kern: Kernel, msg: SadbMsg) -> Secpolicy:
    xpl = need_ext(msg, k.SADB_X_EXT_POLICY, SadbXPolicy)
    sp = kern.key.sp_ids.get(xpl.id)
    if sp is None:
        raise KError(ENOENT, f"no SP found id:{xpl.id}.")
    return sp


def _answer(kern: Kernel, so: Socket, msg: SadbMsg, sp: Secpolicy) -> None:
    """To all: what was asked, with the policy as it is in the SPD."""
    order = (k.SADB_EXT_LIFETIME_HARD, k.SADB_EXT_ADDRESS_SRC, k.SADB_EXT_ADDRESS_DST)
    exts = (msg.exts[number] for number in order if number in msg.exts)
    answer = sadb(msg.type, msg.satype, key_sp2msg(sp), *exts, seq=msg.seq, pid=msg.pid)
    key_sendup(kern, answer, Target.ALL, so)
