# SPDX-License-Identifier: BSD-3-Clause
"""A kernel with IPsec, and programs that talk PF_KEY to it."""

from __future__ import annotations

from dataclasses import replace

from kame_py.boot import boot, rawip_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.uipc_socket import socreate, soreceive, sosend
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.in6addr import pton
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
    build_sadb,
    parse_sadb,
    sadb,
)
from kame_py.wire.sockaddr import AF_KEY, SOCK_RAW, SockaddrIn6

AH, ESP = 51, 50
MN, HA, CN = "2001:db8:1::a", "2001:db8:1::1", "2001:db8:2::c"
KEY = b"AH SA configuration!"  # 160 bits, the HowTo's
T0 = 1_012_435_200  # 2002-01-31, when virtual worlds begin
CYCSEQ = k.SADB_X_EXT_CYCSEQ


def addr(text: str) -> bytes:
    got = pton(text)
    assert got is not None
    return got


def sa_of(text: str, port: int = 0, scope: int = 0) -> SockaddrIn6:
    return SockaddrIn6(addr(text), port, scope)


def ends(src: str = MN, dst: str = HA, scope: int = 0) -> tuple[SadbAddress, SadbAddress]:
    """The addresses of an association."""
    return (
        SadbAddress(k.SADB_EXT_ADDRESS_SRC, 255, 128, sa_of(src, scope=scope)),
        SadbAddress(k.SADB_EXT_ADDRESS_DST, 255, 128, sa_of(dst, scope=scope)),
    )


def limits(hard: dict[str, int], soft: dict[str, int]) -> tuple[SadbLifetime, SadbLifetime]:
    """``limits({"addtime": 10}, {"addtime": 5})``."""
    return (
        SadbLifetime(k.SADB_EXT_LIFETIME_HARD, **hard),
        SadbLifetime(k.SADB_EXT_LIFETIME_SOFT, **soft),
    )


def ah(
    spi: int,
    *more: SadbExt,
    src: str = MN,
    dst: str = HA,
    mode: int = k.IPSEC_MODE_ANY,
    reqid: int = 0,
    type: int = k.SADB_ADD,
    key: bytes = KEY,
    scope: int = 0,
    seq: int = 0,
    pid: int = 0,
) -> SadbMsg:
    """ADD of an AH association with hmac-sha1."""
    exts: tuple[SadbExt, ...] = (
        SadbSa(spi, 0, 0, k.SADB_AALG_SHA1HMAC, 0, CYCSEQ),
        SadbXSa2(mode, 0, reqid),
        *ends(src, dst, scope),
        SadbKey(k.SADB_EXT_KEY_AUTH, len(key) * 8, key),
        *more,
    )
    return sadb(type, k.SADB_SATYPE_AH, *exts, seq=seq, pid=pid)


def esp(spi: int, key: bytes = b"k" * 16, auth: bytes = b"", enc: int = 12) -> SadbMsg:
    """ADD of an ESP association: rijndael-cbc, and hmac-sha1 with a second key."""
    auth_alg = k.SADB_AALG_SHA1HMAC if auth else 0
    exts: list[SadbExt] = [SadbSa(spi, 4, 0, auth_alg, enc, CYCSEQ), *ends()]
    if key:
        exts.append(SadbKey(k.SADB_EXT_KEY_ENCRYPT, len(key) * 8, key))
    if auth:
        exts.append(SadbKey(k.SADB_EXT_KEY_AUTH, len(auth) * 8, auth))
    return sadb(k.SADB_ADD, k.SADB_SATYPE_ESP, *exts)


def by_spi(
    type: int, spi: int, src: str = MN, dst: str = HA, satype: int = k.SADB_SATYPE_AH
) -> SadbMsg:
    """DELETE or GET of one association."""
    return sadb(type, satype, SadbSa(spi), *ends(src, dst))


AH_REQUIRE = XIpsecrequest(AH, k.IPSEC_MODE_TRANSPORT, k.IPSEC_LEVEL_REQUIRE)


def policy(
    src: str = "::/0",
    dst: str = "::/0",
    proto: int = 255,
    *requests: XIpsecrequest,
    dir: int = k.IPSEC_DIR_OUTBOUND,
    action: int | None = None,
    ports: tuple[int, int] = (0, 0),
    type: int = k.SADB_X_SPDADD,
    id: int = 0,
    life: SadbLifetime | None = None,
    scope: int = 0,
) -> SadbMsg:
    """SPDADD and the like; without requests "none"."""
    want = action
    if want is None:
        want = k.IPSEC_POLICY_IPSEC if requests else k.IPSEC_POLICY_NONE
    exts: list[SadbExt] = [
        _selector(k.SADB_EXT_ADDRESS_SRC, src, proto, ports[0], scope),
        _selector(k.SADB_EXT_ADDRESS_DST, dst, proto, ports[1], scope),
        SadbXPolicy(want, dir, id, requests),
    ]
    if life is not None:
        exts.append(life)
    return sadb(type, 0, *exts)


def _selector(exttype: int, prefix: str, proto: int, port: int, scope: int) -> SadbAddress:
    text, _, plen = prefix.partition("/")
    scoped = scope if text.startswith(("fe8", "ff02")) else 0
    return SadbAddress(exttype, proto, int(plen or 128), sa_of(text, port, scoped))


def without(msg: SadbMsg, number: int) -> SadbMsg:
    """A message less one extension."""
    return replace(msg, exts={n: ext for n, ext in msg.exts.items() if n != number})


class Prog:
    """A program with a PF_KEY socket."""

    def __init__(self, kern: Kernel) -> None:
        self.kern = kern
        self.so = socreate(kern, AF_KEY, SOCK_RAW, k.PF_KEY_V2)

    def tell(self, msg: SadbMsg | bytes) -> None:
        sosend(self.kern, self.so, msg if isinstance(msg, bytes) else build_sadb(msg))

    def heard(self) -> list[SadbMsg]:
        """What arrived since the last time."""
        out = []
        while self.so.so_rcv:
            msg = parse_sadb(soreceive(self.kern, self.so).data)
            assert isinstance(msg, SadbMsg), msg
            out.append(msg)
        return out

    def ask(self, msg: SadbMsg | bytes) -> SadbMsg:
        """The one answer to a message."""
        self.tell(msg)
        (answer,) = self.heard()
        return answer

    def dump(self, type: int = k.SADB_DUMP, satype: int = 0) -> list[SadbMsg]:
        """The answers to a dump; empty for ENOENT."""
        self.tell(sadb(type, satype))
        answers = self.heard()
        return [] if answers[0].errno else answers

    def spis(self) -> list[int]:
        return [sa(m).spi for m in self.dump()]

    def policies(self) -> list[tuple[int, int]]:
        """(direction, id) in the order of the dump."""
        found = [pol(m) for m in self.dump(k.SADB_X_SPDDUMP)]
        return [(p.dir, p.id) for p in found]


def sa(msg: SadbMsg) -> SadbSa:
    ext = msg.exts[k.SADB_EXT_SA]
    assert isinstance(ext, SadbSa)
    return ext


def pol(msg: SadbMsg) -> SadbXPolicy:
    ext = msg.exts[k.SADB_X_EXT_POLICY]
    assert isinstance(ext, SadbXPolicy)
    return ext


def life(msg: SadbMsg, exttype: int = k.SADB_EXT_LIFETIME_CURRENT) -> SadbLifetime:
    ext = msg.exts[exttype]
    assert isinstance(ext, SadbLifetime)
    return ext


class Node:
    """kern with rip0 (index 2), and a program; the clock stands at 0."""

    def __init__(self, *options: str) -> None:
        self.clock = VirtualClock()
        conf = KernConf(frozenset(options or ("IPSEC", "IPSEC_ESP")))
        self.kern = boot("n", conf, self.clock, seed=1)
        if_up(self.kern, rawip_attach(self.kern, "rip0"))
        self.prog = Prog(self.kern)

    def until(self, t_ns: int) -> None:
        """Run to an absolute time, stopping at each deadline."""
        while True:
            due = self.kern.next_deadline()
            if due is None or due > t_ns:
                break
            self.clock.t = max(self.clock.t, due)
            self.kern.advance(self.clock.t)
        self.clock.t = t_ns
        self.kern.advance(t_ns)

    def wait(self, seconds: int) -> None:
        self.until(self.clock.t + seconds * NS)
