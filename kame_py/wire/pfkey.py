# SPDX-License-Identifier: BSD-3-Clause
"""PF_KEY messages, byte for byte as FreeBSD 4 on i386 has them (KAME net/pfkeyv2.h).

Little endian; SPIs and ports are in network order; lengths of extensions count 8 octets. Values
are neutral: SPIs and ports as numbers, addresses as ``SockaddrIn6`` in user form. Deviates:
addresses of families other than AF_INET6 are malformed, for the reason OTHER_FAMILY. Read first:
RFC 2367 s.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import Final, NamedTuple

from kame_py.wire import pfkeyv2 as k
from kame_py.wire.malformed import Malformed
from kame_py.wire.sockaddr import AF_INET6, SockaddrIn6

_MSG: Final = Struct("<BBBBHHII")  # version type errno satype len reserved seq pid
_EXT: Final = Struct("<HH")
_SA: Final = Struct("<HH4sBBBBI")
_LIFETIME: Final = Struct("<HHIQQQ")
_ADDRESS: Final = Struct("<HHBBH")
_KEY: Final = Struct("<HHHH")
_SUPPORTED: Final = Struct("<HHI")
_ALG: Final = Struct("<BBHHH")
_SPIRANGE: Final = Struct("<HHIII")
_PROP: Final = Struct("<HHB3x")
_COMB: Final = Struct("<BBHHHHHIIIQQQQQQ")
_POLICY: Final = Struct("<HHHBBII")
_REQUEST: Final = Struct("<HHBBH")
_SA2: Final = Struct("<HHBBHII")
_SIN6: Final = Struct("<BB2s4s16sI")
_BE16: Final = Struct(">H")
_BE32: Final = Struct(">I")

SADB_MSG_LEN: Final = _MSG.size  # 16
SIN6_LEN: Final = _SIN6.size  # 28
_UNIT: Final = 8

O_sadb_msg_version: Final = 0  # where a Malformed points
O_sadb_msg_type: Final = 1
O_sadb_msg_satype: Final = 3
O_sadb_msg_len: Final = 4
OTHER_FAMILY: Final = "PF_KEY address of another family than AF_INET6"


class SadbSa(NamedTuple):
    """SADB_EXT_SA: index, window in octets, SADB_SASTATE_*, algorithms, SADB_X_EXT_* flags."""

    spi: int
    replay: int = 0
    state: int = 0
    auth: int = 0
    encrypt: int = 0
    flags: int = 0


class SadbLifetime(NamedTuple):
    """SADB_EXT_LIFETIME_*: limits, or current values; times in s."""

    exttype: int
    allocations: int = 0
    bytes: int = 0
    addtime: int = 0
    usetime: int = 0


class SadbAddress(NamedTuple):
    """SADB_EXT_ADDRESS_*: upper protocol (255 any), prefix length, address with port."""

    exttype: int
    proto: int
    prefixlen: int
    addr: SockaddrIn6


class SadbKey(NamedTuple):
    """SADB_EXT_KEY_*. bits: as the message says, 0 for null algorithms; the key: whole octets."""

    exttype: int
    bits: int
    key: bytes


class SadbAlg(NamedTuple):
    """One algorithm the kernel has; key sizes in bits."""

    id: int
    ivlen: int
    minbits: int
    maxbits: int


class SadbSupported(NamedTuple):
    """SADB_EXT_SUPPORTED_*."""

    exttype: int
    algs: tuple[SadbAlg, ...]


class SadbSpirange(NamedTuple):
    """SADB_EXT_SPIRANGE."""

    min: int
    max: int


class SadbComb(NamedTuple):
    """One proposal of an ACQUIRE; sizes in bits, times in s."""

    auth: int
    encrypt: int
    flags: int
    auth_minbits: int
    auth_maxbits: int
    encrypt_minbits: int
    encrypt_maxbits: int
    soft_allocations: int = 0
    hard_allocations: int = 0
    soft_bytes: int = 0
    hard_bytes: int = 0
    soft_addtime: int = 0
    hard_addtime: int = 0
    soft_usetime: int = 0
    hard_usetime: int = 0


class SadbProp(NamedTuple):
    """SADB_EXT_PROPOSAL."""

    replay: int
    combs: tuple[SadbComb, ...]


class XIpsecrequest(NamedTuple):
    """One request of a policy (struct sadb_x_ipsecrequest); addresses None: those of the packet."""

    proto: int
    mode: int
    level: int
    reqid: int = 0
    src: SockaddrIn6 | None = None
    dst: SockaddrIn6 | None = None


class SadbXPolicy(NamedTuple):
    """SADB_X_EXT_POLICY."""

    type: int
    dir: int
    id: int = 0
    requests: tuple[XIpsecrequest, ...] = ()


class SadbXSa2(NamedTuple):
    """SADB_X_EXT_SA2."""

    mode: int
    sequence: int = 0
    reqid: int = 0


class SadbRaw(NamedTuple):
    """An extension that is carried and not looked into: identities, sensitivity, kmprivate."""

    exttype: int
    body: bytes


SadbExt = (
    SadbSa
    | SadbLifetime
    | SadbAddress
    | SadbKey
    | SadbSupported
    | SadbSpirange
    | SadbProp
    | SadbXPolicy
    | SadbXSa2
    | SadbRaw
)

_FIXED_TYPE: Final[dict[type, int]] = {
    SadbSa: k.SADB_EXT_SA,
    SadbSpirange: k.SADB_EXT_SPIRANGE,
    SadbProp: k.SADB_EXT_PROPOSAL,
    SadbXPolicy: k.SADB_X_EXT_POLICY,
    SadbXSa2: k.SADB_X_EXT_SA2,
}


def exttype(ext: SadbExt) -> int:
    """SADB_EXT_* of an extension."""
    fixed = _FIXED_TYPE.get(type(ext))
    if fixed is not None:
        return fixed
    number: int = getattr(ext, "exttype")  # noqa: B009 - the union's other members all have it
    return number


@dataclass(frozen=True, slots=True)
class SadbMsg:
    """One message: the base header and its extensions by type, in the order of the octets.

    reserved: KAME's reference count in dumps. inner: the message that SADB_X_PROMISC wraps.
    """

    type: int
    satype: int = 0
    errno: int = 0
    seq: int = 0
    pid: int = 0
    exts: dict[int, SadbExt] = field(default_factory=dict)
    reserved: int = 0
    inner: bytes = b""


def sadb(
    type: int,
    satype: int = 0,
    *exts: SadbExt,
    errno: int = 0,
    seq: int = 0,
    pid: int = 0,
    reserved: int = 0,
) -> SadbMsg:
    """A message from its extensions."""
    return SadbMsg(type, satype, errno, seq, pid, {exttype(e): e for e in exts}, reserved)


# -- build -------------------------------------------------------------------------------------


def build_sadb(msg: SadbMsg) -> bytes:
    """The octets of a message."""
    body = b"".join(_build_ext(ext) for ext in msg.exts.values()) + msg.inner
    units = (SADB_MSG_LEN + len(body)) // _UNIT
    head = _MSG.pack(
        k.PF_KEY_V2, msg.type, msg.errno, msg.satype, units, msg.reserved, msg.seq, msg.pid
    )
    return head + body


def with_errno(data: bytes, errno: int) -> bytes:
    """The octets of a message, malformed or not, with the error that it met."""
    version, kind, _, *rest = _MSG.unpack_from(data)
    return _MSG.pack(version, kind, errno, *rest) + data[SADB_MSG_LEN:]


def _pad(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % _UNIT)


def _build_sin6(a: SockaddrIn6) -> bytes:
    return _SIN6.pack(
        SIN6_LEN, AF_INET6, _BE16.pack(a.port), _BE32.pack(a.flowinfo), a.addr, a.scope_id
    )


def _build_request(r: XIpsecrequest) -> bytes:
    addrs = b"" if r.src is None or r.dst is None else _build_sin6(r.src) + _build_sin6(r.dst)
    return _REQUEST.pack(_REQUEST.size + len(addrs), r.proto, r.mode, r.level, r.reqid) + addrs


def _build_ext(ext: SadbExt) -> bytes:
    kind = exttype(ext)
    match ext:
        case SadbSa():
            spi = _BE32.pack(ext.spi)
            return _SA.pack(2, kind, spi, ext.replay, ext.state, ext.auth, ext.encrypt, ext.flags)
        case SadbLifetime():
            return _LIFETIME.pack(4, kind, ext.allocations, ext.bytes, ext.addtime, ext.usetime)
        case SadbXSa2():
            return _SA2.pack(2, kind, ext.mode, 0, 0, ext.sequence, ext.reqid)
        case SadbSpirange():
            return _SPIRANGE.pack(2, kind, ext.min, ext.max, 0)
        case SadbAddress():
            body = _ADDRESS.pack(0, kind, ext.proto, ext.prefixlen, 0) + _build_sin6(ext.addr)
        case SadbKey():
            body = _KEY.pack(0, kind, ext.bits, 0) + ext.key
        case SadbSupported():
            body = _SUPPORTED.pack(0, kind, 0)
            body += b"".join(_ALG.pack(*alg, 0) for alg in ext.algs)
        case SadbProp():
            body = _PROP.pack(0, kind, ext.replay)
            body += b"".join(_COMB.pack(*c[:7], 0, *c[7:]) for c in ext.combs)
        case SadbXPolicy():
            body = _POLICY.pack(0, kind, ext.type, ext.dir, 0, ext.id, 0)
            body += b"".join(map(_build_request, ext.requests))
        case SadbRaw():
            body = _EXT.pack(0, kind) + ext.body
    body = _pad(body)
    return _EXT.pack(len(body) // _UNIT, kind) + body[_EXT.size :]


def build_policy(policy: SadbXPolicy) -> bytes:
    """The octets of one policy, as a socket option has it."""
    return _build_ext(policy)


# -- parse -------------------------------------------------------------------------------------


def parse_sadb(data: bytes) -> SadbMsg | Malformed:
    """A message of the version, length and extensions of RFC 2367 s.2; each extension once."""
    if len(data) < SADB_MSG_LEN:
        return Malformed("PF_KEY message shorter than its header", O_sadb_msg_len)
    version, kind, errno, satype, units, reserved, seq, pid = _MSG.unpack_from(data)
    if version != k.PF_KEY_V2:
        return Malformed("PF_KEY version is not 2", O_sadb_msg_version)
    if units * _UNIT != len(data):
        return Malformed("PF_KEY length disagrees with the octets", O_sadb_msg_len)
    if not 0 < kind <= k.SADB_MAX:
        return Malformed("PF_KEY message type is unknown", O_sadb_msg_type)
    exts: dict[int, SadbExt] = {}
    off = SADB_MSG_LEN
    if kind == k.SADB_X_PROMISC:
        return SadbMsg(kind, satype, errno, seq, pid, exts, reserved, data[off:])
    while off < len(data):
        found = _parse_ext(data, off)
        if isinstance(found, Malformed):
            return found
        ext, off = found
        number = exttype(ext)
        if number in exts:
            return Malformed("PF_KEY extension twice", off)
        exts[number] = ext
    return SadbMsg(kind, satype, errno, seq, pid, exts, reserved)


def _parse_ext(data: bytes, off: int) -> tuple[SadbExt, int] | Malformed:
    """The extension at ``off`` and where the next one begins."""
    units, kind = _EXT.unpack_from(data, off)
    end = off + units * _UNIT
    if not units or end > len(data):
        return Malformed("PF_KEY extension length is wrong", off)
    parse = _PARSERS.get(kind)
    if parse is None:
        return Malformed("PF_KEY extension type is unknown", off)
    ext = parse(data[off:end], kind)
    if ext is not None:
        return ext, end
    address = parse is _parse_address and _other_family(data[off:end], _ADDRESS.size)
    return Malformed(OTHER_FAMILY if address else "PF_KEY extension is malformed", off)


def _other_family(octets: bytes, off: int) -> bool:
    return len(octets) >= off + _UNIT and octets[off + 1] != AF_INET6


def _parse_sin6(octets: bytes, off: int) -> SockaddrIn6 | None:
    if len(octets) < off + SIN6_LEN:
        return None
    size, family, port, flow, addr, scope = _SIN6.unpack_from(octets, off)
    if size != SIN6_LEN or family != AF_INET6:
        return None
    return SockaddrIn6(addr, _BE16.unpack(port)[0], scope, _BE32.unpack(flow)[0])


def _parse_sa(octets: bytes, kind: int) -> SadbExt | None:
    if len(octets) != _SA.size:
        return None
    _, _, spi, replay, state, auth, encrypt, flags = _SA.unpack(octets)
    return SadbSa(_BE32.unpack(spi)[0], replay, state, auth, encrypt, flags)


def _parse_lifetime(octets: bytes, kind: int) -> SadbExt | None:
    return SadbLifetime(kind, *_LIFETIME.unpack(octets)[2:]) if len(octets) == 32 else None


def _parse_address(octets: bytes, kind: int) -> SadbExt | None:
    addr = _parse_sin6(octets, _ADDRESS.size)
    _, _, proto, plen, _ = _ADDRESS.unpack_from(octets)
    return None if addr is None else SadbAddress(kind, proto, plen, addr)


def _parse_key(octets: bytes, kind: int) -> SadbExt | None:
    bits = _KEY.unpack_from(octets)[2]
    size = (bits + 7) // 8
    if len(octets) != len(_pad(bytes(_KEY.size + size))):
        return None
    return SadbKey(kind, bits, octets[_KEY.size : _KEY.size + size])


def _parse_supported(octets: bytes, kind: int) -> SadbExt | None:
    algs = (SadbAlg(*a[:4]) for a in _ALG.iter_unpack(octets[_SUPPORTED.size :]))
    return SadbSupported(kind, tuple(algs))


def _parse_spirange(octets: bytes, kind: int) -> SadbExt | None:
    return SadbSpirange(*_SPIRANGE.unpack(octets)[2:4]) if len(octets) == _SPIRANGE.size else None


def _parse_prop(octets: bytes, kind: int) -> SadbExt | None:
    body = octets[_PROP.size :]
    if len(body) % _COMB.size:
        return None
    combs = (SadbComb(*c[:7], *c[8:]) for c in _COMB.iter_unpack(body))
    return SadbProp(_PROP.unpack_from(octets)[2], tuple(combs))


def _parse_sa2(octets: bytes, kind: int) -> SadbExt | None:
    if len(octets) != _SA2.size:
        return None
    _, _, mode, _, _, sequence, reqid = _SA2.unpack(octets)
    return SadbXSa2(mode, sequence, reqid)


def _parse_raw(octets: bytes, kind: int) -> SadbExt | None:
    return SadbRaw(kind, octets[_EXT.size :])


def _parse_policy(octets: bytes, kind: int) -> SadbExt | None:
    if len(octets) < _POLICY.size:
        return None
    _, _, ptype, direction, _, ident, _ = _POLICY.unpack_from(octets)
    requests: list[XIpsecrequest] = []
    off = _POLICY.size
    while len(octets) - off >= _UNIT:
        request, size = parse_request(octets, off)
        if request is None:
            return None
        requests.append(request)
        off += size
    return SadbXPolicy(ptype, direction, ident, tuple(requests))


def parse_policy(octets: bytes) -> SadbXPolicy | Malformed:
    """One policy and nothing else, as a socket option has it."""
    found = _parse_ext(octets, 0) if len(octets) >= _POLICY.size else None
    if found is None or isinstance(found, Malformed) or found[1] != len(octets):
        return Malformed("policy length is wrong", 0)
    policy = found[0]
    if not isinstance(policy, SadbXPolicy):
        return Malformed("not a policy", 0)
    return policy


def parse_request(octets: bytes, off: int) -> tuple[XIpsecrequest | None, int]:
    """The request at ``off`` and its length in octets; None when it is malformed."""
    size, proto, mode, level, reqid = _REQUEST.unpack_from(octets, off)
    if size == _REQUEST.size:
        return XIpsecrequest(proto, mode, level, reqid), size
    if size != _REQUEST.size + 2 * SIN6_LEN or off + size > len(octets):
        return None, 0
    src = _parse_sin6(octets, off + _REQUEST.size)
    dst = _parse_sin6(octets, off + _REQUEST.size + SIN6_LEN)
    if src is None or dst is None:
        return None, 0
    return XIpsecrequest(proto, mode, level, reqid, src, dst), size


_PARSERS: Final = {
    k.SADB_EXT_SA: _parse_sa,
    k.SADB_EXT_LIFETIME_CURRENT: _parse_lifetime,
    k.SADB_EXT_LIFETIME_HARD: _parse_lifetime,
    k.SADB_EXT_LIFETIME_SOFT: _parse_lifetime,
    k.SADB_EXT_ADDRESS_SRC: _parse_address,
    k.SADB_EXT_ADDRESS_DST: _parse_address,
    k.SADB_EXT_ADDRESS_PROXY: _parse_address,
    k.SADB_EXT_KEY_AUTH: _parse_key,
    k.SADB_EXT_KEY_ENCRYPT: _parse_key,
    k.SADB_EXT_IDENTITY_SRC: _parse_raw,
    k.SADB_EXT_IDENTITY_DST: _parse_raw,
    k.SADB_EXT_SENSITIVITY: _parse_raw,
    k.SADB_EXT_PROPOSAL: _parse_prop,
    k.SADB_EXT_SUPPORTED_AUTH: _parse_supported,
    k.SADB_EXT_SUPPORTED_ENCRYPT: _parse_supported,
    k.SADB_EXT_SPIRANGE: _parse_spirange,
    k.SADB_X_EXT_KMPRIVATE: _parse_raw,
    k.SADB_X_EXT_POLICY: _parse_policy,
    k.SADB_X_EXT_SA2: _parse_sa2,
}
