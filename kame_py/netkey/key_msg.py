# SPDX-License-Identifier: BSD-3-Clause
"""PF_KEY messages of programs: the gate, and those about associations.

KAME netkey/key.c (key_parse and the functions of key_typesw). What is refused comes back to its
sender with an errno, and nothing of it was done. Deviates: extensions that cannot be read are
answered, too (KAME: an errno of write(2)); UPDATE of an association in use sets its limits and
nothing else (RFC 2367 s.3.1.2); two associations of the same ends and SPI cannot differ in mode
or request id. Read first: RFC 2367 s.3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kame_py.kern.log import LOG_DEBUG
from kame_py.netkey import key_spdmsg as spd
from kame_py.netkey.algorithms import supported_auth, supported_enc
from kame_py.netkey.key_acquire import key_acqanswered
from kame_py.netkey.key_notify import SATYPE_PROTO, key_setdumpsa
from kame_py.netkey.key_sad import (
    key_getsavbyspi,
    key_insertsav,
    key_replacesav,
    key_sa_chgstate,
    key_savs,
)
from kame_py.netkey.key_sastate import SaEv
from kame_py.netkey.key_saval import (
    ext_of,
    key_setsaval,
    key_setsecasidx,
    need_ext,
)
from kame_py.netkey.key_sendup import Target, key_senddump, key_sendup, key_sendup_raw
from kame_py.netkey.keydb import Secasindex, Secasvar
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EAFNOSUPPORT, EEXIST, EINVAL, ENOENT, EOPNOTSUPP, KError
from kame_py.wire.malformed import Malformed
from kame_py.wire.pfkey import (
    OTHER_FAMILY,
    SADB_MSG_LEN,
    SadbAddress,
    SadbExt,
    SadbMsg,
    SadbProp,
    SadbRaw,
    SadbSa,
    SadbSpirange,
    SadbSupported,
    parse_sadb,
    sadb,
    with_errno,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.uipc_socket import Socket

_MAX_PLEN: Final = 128
#: What an ADD or UPDATE is answered with: everything but the keys (key_getmsgbuf_x1).
_PUBLIC: Final = (
    k.SADB_EXT_SA,
    k.SADB_X_EXT_SA2,
    k.SADB_EXT_ADDRESS_SRC,
    k.SADB_EXT_ADDRESS_DST,
    k.SADB_EXT_LIFETIME_HARD,
    k.SADB_EXT_LIFETIME_SOFT,
    k.SADB_EXT_IDENTITY_SRC,
    k.SADB_EXT_IDENTITY_DST,
)
_ENDS: Final = (k.SADB_EXT_SA, k.SADB_EXT_ADDRESS_SRC, k.SADB_EXT_ADDRESS_DST)
_NEED_SATYPE: Final = (
    k.SADB_GETSPI,
    k.SADB_UPDATE,
    k.SADB_ADD,
    k.SADB_DELETE,
    k.SADB_GET,
    k.SADB_ACQUIRE,
    k.SADB_EXPIRE,
)
_POLICY_TYPES: Final = (
    k.SADB_X_SPDUPDATE,
    k.SADB_X_SPDADD,
    k.SADB_X_SPDDELETE,
    k.SADB_X_SPDGET,
    k.SADB_X_SPDDUMP,
    k.SADB_X_SPDFLUSH,
    k.SADB_X_SPDSETIDX,
    k.SADB_X_SPDDELETE2,
)
_ELSEWHERE: Final = (
    k.SADB_SATYPE_RSVP,
    k.SADB_SATYPE_OSPFV2,
    k.SADB_SATYPE_RIPV2,
    k.SADB_SATYPE_MIP,
)
_SATYPE_ON: Final = 1  # of X_PROMISC: listen to everything


def key_parse(kern: Kernel, so: Socket, data: bytes) -> None:
    """One message of a program. Answers go to the sockets; a refused one back to ``so``.

    KError(EINVAL): too short to be answered. Nothing else is raised, whatever the octets are.
    """
    if len(data) < SADB_MSG_LEN:
        raise KError(EINVAL)
    msg = parse_sadb(data)
    if isinstance(msg, Malformed):
        errno = EAFNOSUPPORT if msg.reason == OTHER_FAMILY else EINVAL
        _refuse(kern, so, data, errno, msg.reason)
        return
    if kern.key.key_debug_level:
        kern.log.log(LOG_DEBUG, f"key_parse: type={msg.type} satype={msg.satype} pid={msg.pid}")
    try:
        key_check(msg)
        act = _TYPESW.get(msg.type)
        if act is None:
            raise KError(EINVAL, f"key_parse: type {msg.type} is not for programs.")
        act(kern, so, msg)
    except KError as e:
        _refuse(kern, so, data, e.errno, str(e))


def _refuse(kern: Kernel, so: Socket, data: bytes, errno: int, why: str) -> None:
    """key_senderror: the message comes back with an error."""
    if kern.key.ipsec_debug:
        kern.log.log(LOG_DEBUG, why)
    key_sendup_raw(kern, with_errno(data, errno), k.SADB_SATYPE_UNSPEC, Target.ONE, so)


def key_check(msg: SadbMsg) -> None:
    """What holds for all messages. KError: EINVAL, EOPNOTSUPP."""
    satype = msg.satype
    if satype in _ELSEWHERE:
        raise KError(EOPNOTSUPP, f"key_parse: type {satype} isn't supported.")
    if satype == k.SADB_SATYPE_UNSPEC:
        if msg.type in _NEED_SATYPE:
            raise KError(EINVAL, f"key_parse: must specify satype when msg type={msg.type}.")
    elif satype in (k.SADB_SATYPE_AH, k.SADB_SATYPE_ESP, k.SADB_X_SATYPE_IPCOMP):
        if msg.type in _POLICY_TYPES:
            raise KError(EINVAL, f"key_parse: illegal satype={satype}")
    elif satype != _SATYPE_ON or msg.type != k.SADB_X_PROMISC:
        raise KError(EINVAL, f"key_parse: invalid type {satype} is passed.")
    src = ext_of(msg, k.SADB_EXT_ADDRESS_SRC, SadbAddress)
    dst = ext_of(msg, k.SADB_EXT_ADDRESS_DST, SadbAddress)
    if src is not None and dst is not None:
        if src.proto != dst.proto:
            raise KError(EINVAL, "key_parse: upper layer protocol mismatched.")
        if max(src.prefixlen, dst.prefixlen) > _MAX_PLEN:
            raise KError(EINVAL, "key_parse: illegal prefixlen.")


def _answer(
    kern: Kernel, so: Socket, msg: SadbMsg, exts: tuple[SadbExt, ...], target: Target
) -> None:
    key_sendup(kern, sadb(msg.type, msg.satype, *exts, seq=msg.seq, pid=msg.pid), target, so)


def _parts(msg: SadbMsg, numbers: tuple[int, ...]) -> tuple[SadbExt, ...]:
    """Extensions of a message, as far as it has them (key_gather_mbuf)."""
    return tuple(msg.exts[number] for number in numbers if number in msg.exts)


# -- associations ------------------------------------------------------------------------------


def _getspi(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """Reserve an SPI: a larval association, until UPDATE completes it."""
    saidx = key_setsecasidx(kern, msg)
    spi = key_do_getnewspi(kern, ext_of(msg, k.SADB_EXT_SPIRANGE, SadbSpirange), saidx)
    sav = Secasvar(saidx, spi, seq=msg.seq, pid=msg.pid)
    key_insertsav(kern, sav)
    key_sa_chgstate(kern, SaEv.RESERVE, sav)
    key_acqanswered(kern, msg.seq)
    ends = _parts(msg, (k.SADB_EXT_ADDRESS_SRC, k.SADB_EXT_ADDRESS_DST))
    _answer(kern, so, msg, (SadbSa(spi), *ends), Target.ONE)


def key_do_getnewspi(kern: Kernel, spirange: SadbSpirange | None, saidx: Secasindex) -> int:
    """A random SPI that nobody uses towards this destination.

    KError: EINVAL for a range with reserved numbers, EEXIST when no free one was found.
    """
    key = kern.key
    lo, hi = key.key_spi_minval, key.key_spi_maxval
    if spirange is not None:
        lo, hi = min(spirange), max(spirange)
        if lo <= k.SPI_RESERVED_MAX:
            raise KError(EINVAL, "key_do_getnewspi: reserved SPIs in the range.")
    stream = kern.rng.stream("key.spi")
    for _ in range(key.key_spi_trycnt if lo < hi else 1):
        spi = stream.between(lo, hi)
        if (saidx.proto, saidx.dst, spi) not in key.sad:
            return spi
    raise KError(EEXIST, "key_do_getnewspi: to allocate spi is failed.")


def _update(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """Complete a larval association, or set the limits of one in use."""
    new = key_setsaval(kern, msg)
    idx = new.saidx
    was = key_getsavbyspi(kern, idx.proto, idx.src, idx.dst, new.spi)
    if was is None or was.saidx != idx:
        raise KError(ENOENT, f"key_update: no such a SA found (spi:{new.spi})")
    if was.pid != msg.pid:
        raise KError(EINVAL, "key_update: pid mismatched.")
    if was.state == k.SADB_SASTATE_LARVAL:
        key_replacesav(kern, was, new)
    elif _secrets(was) == _secrets(new):
        was.lft_h, was.lft_s, was.limited = new.lft_h, new.lft_s, new.limited
        key_sa_chgstate(kern, SaEv.RENEW, was)
    else:
        raise KError(EINVAL, "key_update: an association in use keeps its keys.")
    _answer(kern, so, msg, _parts(msg, _PUBLIC), Target.ALL)


def _secrets(sav: Secasvar) -> tuple[object, ...]:
    return sav.alg_auth, sav.alg_enc, sav.key_auth, sav.key_enc, sav.flags, sav.replay.wsize


def _add(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """A whole association, mature at once."""
    sav = key_setsaval(kern, msg)
    idx = sav.saidx
    if key_getsavbyspi(kern, idx.proto, idx.src, idx.dst, sav.spi) is not None:
        raise KError(EEXIST, "key_add: SA already exists.")
    key_insertsav(kern, sav)
    key_sa_chgstate(kern, SaEv.COMPLETE, sav)
    _answer(kern, so, msg, _parts(msg, _PUBLIC), Target.ALL)


def _delete(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """One association; without an SA extension all between two ends that are not larval."""
    idx = key_setsecasidx(kern, msg)
    if k.SADB_EXT_SA in msg.exts:
        key_sa_chgstate(kern, SaEv.DELETE, _find(kern, idx, msg))
    else:
        heads = kern.key.heads.get((idx.proto, idx.src, idx.dst), ())
        savs = [sav for head in heads for sav in kern.key.by_index[head]]
        ready = (sav for sav in savs if sav.state != k.SADB_SASTATE_LARVAL)
        key_sa_chgstate(kern, SaEv.DELETE, *ready)
    _answer(kern, so, msg, _parts(msg, _ENDS), Target.ALL)


def _get(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    sav = _find(kern, key_setsecasidx(kern, msg), msg)
    key_sendup(kern, key_setdumpsa(sav, k.SADB_GET, msg.seq, msg.pid), Target.ONE, so)


def _find(kern: Kernel, idx: Secasindex, msg: SadbMsg) -> Secasvar:
    """The association of these ends and this SPI; mode and request id do not count."""
    sa = need_ext(msg, k.SADB_EXT_SA, SadbSa)
    sav = key_getsavbyspi(kern, idx.proto, idx.src, idx.dst, sa.spi)
    if sav is None:
        raise KError(ENOENT, "no SA found.")
    return sav


def _flush(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """All associations of a type, or all."""
    key_sa_chgstate(kern, SaEv.DELETE, *key_savs(kern, _proto_or_all(msg)))
    _answer(kern, so, msg, (), Target.ALL)


def _dump(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """One message for each association; seq counts down to 0. ENOENT: there are none."""
    savs = tuple(key_savs(kern, _proto_or_all(msg)))
    if not savs:
        raise KError(ENOENT)
    left = range(len(savs) - 1, -1, -1)
    answers = (
        key_setdumpsa(sav, k.SADB_DUMP, n, msg.pid) for n, sav in zip(left, savs, strict=True)
    )
    key_senddump(kern, so, answers)


def _proto_or_all(msg: SadbMsg) -> int | None:
    if msg.satype == k.SADB_SATYPE_UNSPEC:
        return None
    return SATYPE_PROTO.get(msg.satype, 0)  # of IPComp there are none


# -- key management programs -------------------------------------------------------------------


def _acquire(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """The bare header: a program failed to do what an ACQUIRE asked. Else: it asks others."""
    if not msg.exts:
        key_acqanswered(kern, msg.seq)
        return
    need_ext(msg, k.SADB_EXT_PROPOSAL, SadbProp)
    saidx = key_setsecasidx(kern, msg)
    if saidx in kern.key.by_index:
        raise KError(EEXIST, "key_acquire2: a SA exists already.")
    exts = tuple(ext for ext in msg.exts.values() if not isinstance(ext, SadbRaw))
    _answer(kern, so, msg, exts, Target.REGISTERED)


def _register(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """The socket will answer for an SA type; it learns which algorithms there are."""
    types = kern.key.registered.setdefault(so, set())
    if msg.satype in types:
        raise KError(EEXIST, "key_register: socket exists already.")
    types.add(msg.satype)
    exts: list[SadbExt] = [SadbSupported(k.SADB_EXT_SUPPORTED_AUTH, supported_auth())]
    if kern.conf.has("IPSEC_ESP"):
        exts.append(SadbSupported(k.SADB_EXT_SUPPORTED_ENCRYPT, supported_enc()))
    _answer(kern, so, msg, tuple(exts), Target.REGISTERED)


def _promisc(kern: Kernel, so: Socket, msg: SadbMsg) -> None:
    """satype 1: hear every message, 0: no longer."""
    if msg.inner or msg.satype not in (k.SADB_SATYPE_UNSPEC, _SATYPE_ON):
        raise KError(EINVAL)
    if msg.satype:
        kern.key.promisc.add(so)
    else:
        kern.key.promisc.discard(so)
    _answer(kern, so, msg, (), Target.ALL)


_TYPESW: Final[dict[int, Callable[[Kernel, Socket, SadbMsg], None]]] = {
    k.SADB_GETSPI: _getspi,
    k.SADB_UPDATE: _update,
    k.SADB_ADD: _add,
    k.SADB_DELETE: _delete,
    k.SADB_GET: _get,
    k.SADB_ACQUIRE: _acquire,
    k.SADB_REGISTER: _register,
    k.SADB_FLUSH: _flush,
    k.SADB_DUMP: _dump,
    k.SADB_X_PROMISC: _promisc,
    k.SADB_X_SPDUPDATE: spd.key_spdadd,
    k.SADB_X_SPDADD: spd.key_spdadd,
    k.SADB_X_SPDDELETE: spd.key_spddelete,
    k.SADB_X_SPDGET: spd.key_spdget,
    k.SADB_X_SPDDUMP: spd.key_spddump,
    k.SADB_X_SPDFLUSH: spd.key_spdflush,
    k.SADB_X_SPDSETIDX: spd.key_spdadd,
    k.SADB_X_SPDDELETE2: spd.key_spddelete2,
}
