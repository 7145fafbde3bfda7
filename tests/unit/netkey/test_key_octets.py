# SPDX-License-Identifier: BSD-3-Clause
"""PF_KEY in octets: whatever a program writes, nothing is raised and nothing is half done."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kame_py.netkey.key_acquire import key_acquire
from kame_py.netkey.keydb import Secasindex
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EAFNOSUPPORT, EINVAL, KError
from kame_py.wire.pfkey import (
    SADB_MSG_LEN,
    SadbAddress,
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbProp,
    SadbRaw,
    SadbSa,
    SadbSpirange,
    SadbXPolicy,
    SadbXSa2,
    XIpsecrequest,
    build_sadb,
    sadb,
)
from kame_py.wire.sockaddr import SockaddrIn6
from tests.unit.netkey.key_node import (
    AH,
    AH_REQUIRE,
    HA,
    KEY,
    MN,
    Node,
    addr,
    ah,
    by_spi,
    ends,
    esp,
    limits,
    policy,
    sa_of,
)

LIVES = limits({"addtime": 60, "bytes": 9000}, {"addtime": 40, "usetime": 9})
GOOD = (
    ah(1500),
    ah(1600, *LIVES, mode=1, reqid=5),
    ah(1500, type=k.SADB_UPDATE),
    esp(1501, auth=KEY),
    by_spi(k.SADB_DELETE, 1500),
    by_spi(k.SADB_GET, 1500),
    sadb(k.SADB_DELETE, k.SADB_SATYPE_AH, *ends()),
    sadb(k.SADB_GETSPI, k.SADB_SATYPE_AH, *ends(), SadbSpirange(1000, 1009), seq=1),
    sadb(k.SADB_ACQUIRE, k.SADB_SATYPE_AH, *ends(), SadbProp(4, ())),
    sadb(k.SADB_ACQUIRE, k.SADB_SATYPE_AH, seq=1),
    sadb(k.SADB_REGISTER, k.SADB_SATYPE_ESP),
    sadb(k.SADB_FLUSH),
    sadb(k.SADB_DUMP),
    sadb(k.SADB_X_PROMISC, 1),
    policy("::/0", "::/0", 60, AH_REQUIRE),
    policy(MN, HA, 6, AH_REQUIRE._replace(level=3), dir=1, type=k.SADB_X_SPDUPDATE),
    policy("::/0", "::/0", 60, type=k.SADB_X_SPDDELETE),
    policy(type=k.SADB_X_SPDDELETE2, id=1),
    policy(type=k.SADB_X_SPDGET, id=1),
    policy(action=k.IPSEC_POLICY_IPSEC, type=k.SADB_X_SPDSETIDX),
    sadb(k.SADB_X_SPDDUMP),
    sadb(k.SADB_X_SPDFLUSH),
)


class Busy(Node):
    """A kernel with some of everything, and a program that hears nothing but refusals."""

    def __init__(self) -> None:
        super().__init__()
        for msg in (
            ah(1500),
            ah(1502, *LIVES),
            esp(1503),
            sadb(k.SADB_GETSPI, k.SADB_SATYPE_AH, *ends(), SadbSpirange(1504, 1504)),
            policy("::/0", "::/0", 60, AH_REQUIRE),
            policy(MN, HA, dir=1, life=SadbLifetime(k.SADB_EXT_LIFETIME_HARD, addtime=50)),
            sadb(k.SADB_REGISTER, k.SADB_SATYPE_AH),
        ):
            assert self.prog.ask(msg).errno == 0
        key_acquire(self.kern, Secasindex(AH, 1, 9, addr(MN), addr(HA)), None)
        self.prog.heard()

    def snapshot(self) -> tuple[str, ...]:
        """Both databases, who registered and what was asked for."""
        key = self.kern.key
        sas = [repr(sav) for savs in key.sad.values() for sav in savs]
        sps = [
            repr((place, sp.spidx, sp.policy, sp.id, sp.lifetime)) for place, sp in key.spd.items()
        ]
        others = (key.registered, key.promisc, key.acquires, key.policy_id, key.reqid)
        return (*sas, *sps, repr(others), repr(key.heads), repr(list(key.by_index)))

    def check(self) -> None:
        """The indices of the databases agree."""
        key = self.kern.key
        savs = [sav for bucket in key.sad.values() for sav in bucket]
        assert all(key.sad.values()) and all(key.by_index.values()) and all(key.heads.values())
        by_index = [sav for bucket in key.by_index.values() for sav in bucket]
        assert sorted(map(id, savs)) == sorted(map(id, by_index))
        assert all(sav.saidx == idx for idx, bucket in key.by_index.items() for sav in bucket)
        heads = [idx for bucket in key.heads.values() for idx in bucket]
        assert sorted(heads) == sorted(key.by_index)
        assert {id(sp) for sp in key.spd.values()} == {id(sp) for sp in key.sp_index.values()}
        assert {id(sp) for sp in key.spd.values()} == {id(sp) for sp in key.sp_ids.values()}
        assert all(place[0] == sp.spidx.dir for place, sp in key.spd.items())

    def write(self, octets: bytes) -> None:
        """One write(2): what it refuses changed nothing."""
        before = self.snapshot()
        try:
            self.prog.tell(octets)
        except KError as e:
            assert e.errno == EINVAL and len(octets) < SADB_MSG_LEN
            refused = True
        else:
            answers = [rec.data for rec in self.prog.so.so_rcv]
            refused = any(octet_errno(raw) for raw in answers)
            self.prog.so.so_rcv.clear()
            self.prog.so.so_rcv_cc = 0
        if refused:
            assert self.snapshot() == before
        self.check()


def octet_errno(raw: bytes) -> int:
    """sadb_msg_errno is the third octet; a wrapped message comes behind its wrapper's header."""
    wrapped = raw[1] == k.SADB_X_PROMISC and len(raw) >= 2 * SADB_MSG_LEN
    return raw[2] or (raw[SADB_MSG_LEN + 2] if wrapped else 0)


def patched(octets: bytes, at: int, value: int) -> bytes:
    at %= len(octets)
    return octets[:at] + bytes((value,)) + octets[at + 1 :]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good message with some octets changed, cut, lengthened or joined to another's end."""
    octets = build_sadb(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(0, 4))):
        octets = patched(octets, draw(st.integers(0, 300)), draw(st.integers(0, 255)))
    how = draw(st.sampled_from(("whole", "cut", "longer", "joined")))
    if how == "cut":
        octets = octets[: draw(st.integers(0, len(octets)))]
    elif how == "longer":
        octets += draw(st.binary(max_size=40))
    elif how == "joined":
        octets += build_sadb(draw(st.sampled_from(GOOD)))[SADB_MSG_LEN:]
    if len(octets) >= SADB_MSG_LEN and draw(st.booleans()):
        octets = patched(octets, 4, len(octets) // 8 & 0xFF)
    return octets


U32 = st.integers(0, 0xFFFFFFFF)
U8 = st.integers(0, 255)
ADDRS = st.sampled_from(
    [
        sa_of(MN),
        sa_of(HA),
        SockaddrIn6(),
        sa_of("fe80::1"),
        sa_of("fe80::1", 0, 2),
        sa_of("ff02::1", 0, 9),
    ]
)
SPIS = st.sampled_from((0, 255, 1500, 1501, 1502, 1503, 1504, 0xFFFFFFFF))
ENCS = st.sampled_from((0, 2, 11, 12))
FEW = st.sampled_from((0, 1, 2, 3, 255))


def addresses(exttype: int) -> st.SearchStrategy[SadbExt]:
    plens = st.sampled_from((0, 10, 64, 128, 129))
    return st.builds(SadbAddress, st.just(exttype), st.sampled_from((6, 60, 255)), plens, ADDRS)


def keys(exttype: int) -> st.SearchStrategy[SadbExt]:
    return st.binary(max_size=40).map(lambda key: SadbKey(exttype, len(key) * 8, key))


def lifetimes(exttype: int) -> st.SearchStrategy[SadbExt]:
    u64 = st.sampled_from((0, 1, 30, 2**64 - 1))
    return st.builds(SadbLifetime, st.just(exttype), st.sampled_from((0, 1)), u64, u64, u64)


NONE = st.none()
PROTOS = st.sampled_from((50, 51, 108))
REQUESTS = st.builds(XIpsecrequest, PROTOS, FEW, FEW, st.integers(0, 0xFFFF), NONE, NONE)
TUNNELS = st.builds(XIpsecrequest, st.just(50), st.just(2), FEW, st.just(0), ADDRS, ADDRS)
EXTS: dict[int, st.SearchStrategy[SadbExt]] = {
    1: st.builds(SadbSa, SPIS, U8, U8, FEW, ENCS, st.sampled_from((0, 1, 64))),
    3: lifetimes(3),
    4: lifetimes(4),
    5: addresses(5),
    6: addresses(6),
    8: keys(8) | st.just(SadbKey(8, 160, KEY)),
    9: keys(9) | st.just(SadbKey(9, 128, b"k" * 16)),
    10: st.binary(min_size=4, max_size=4).map(lambda body: SadbRaw(10, body)),
    13: st.just(SadbProp(4, ())),
    16: st.builds(SadbSpirange, SPIS, SPIS),
    18: st.builds(SadbXPolicy, FEW, FEW, FEW, st.lists(REQUESTS | TUNNELS, max_size=3).map(tuple)),
    19: st.builds(SadbXSa2, FEW, U32, FEW),
}


@st.composite
def composed(draw: st.DrawFn) -> bytes:
    """Well-formed extensions in a message that may make no sense."""
    wanted = draw(st.sets(st.sampled_from(sorted(EXTS))))
    if draw(st.booleans()):
        wanted |= {1, 5, 6, 8}
    exts = {number: draw(EXTS[number]) for number in sorted(wanted)}
    satype = draw(st.sampled_from((0, 0, 2, 2, 3, 9, 5, 1)))
    msg = SadbMsg(draw(st.integers(1, 22)), satype, draw(FEW), draw(FEW), draw(FEW), exts)
    return build_sadb(msg)


@settings(max_examples=150)
@given(st.lists(st.binary(max_size=200) | mutated() | composed(), min_size=1, max_size=12))
@example([build_sadb(msg) for msg in GOOD])
def test_nothing_is_raised_and_nothing_is_half_done(messages: list[bytes]) -> None:
    node = Busy()
    for octets in messages:
        node.write(octets)
    node.wait(100)
    node.check()


def test_the_good_messages_are_good() -> None:
    node = Node()
    refused = set()
    for msg in GOOD:
        node.prog.tell(msg)
        refused |= {m.type for m in node.prog.heard() if m.errno}
    assert refused <= {
        k.SADB_GET,
        k.SADB_DUMP,
        k.SADB_ACQUIRE,
        k.SADB_X_SPDDELETE2,
        k.SADB_X_SPDGET,
    }


# -- octets that are wrong in one place --------------------------------------------------------

ADD = build_sadb(ah(1500))
SIN = bytes.fromhex("10020000c0000201") + bytes(8)  # struct sockaddr_in


def ipv4(octets: bytes, kind: int) -> bytes:
    """The message with an IPv4 address in one of its address extensions."""
    off = SADB_MSG_LEN
    while octets[off + 2] != kind:
        off += octets[off] * 8
    ext = bytes((3, 0, kind, 0)) + octets[off + 4 : off + 8] + SIN
    out = octets[:off] + ext + octets[off + octets[off] * 8 :]
    return patched(out, 4, len(out) // 8)


WRONG = {
    "version": (patched(ADD, 0, 1), EINVAL),
    "type 0": (patched(ADD, 1, 0), EINVAL),
    "type 23": (patched(ADD, 1, 23), EINVAL),
    "shorter than it says": (ADD[:-8], EINVAL),
    "longer than it says": (ADD + bytes(8), EINVAL),
    "extension of no length": (patched(ADD, 16, 0), EINVAL),
    "extension past the end": (patched(ADD, 16, 99), EINVAL),
    "unknown extension": (patched(ADD, 18, 77), EINVAL),
    "extension twice": (patched(ADD + ADD[16:32], 4, len(ADD) // 8 + 2), EINVAL),
    "IPv4 source": (ipv4(ADD, 5), EAFNOSUPPORT),
    "IPv4 destination": (ipv4(ADD, 6), EAFNOSUPPORT),
    "IPv4 selector": (ipv4(build_sadb(policy()), 5), EAFNOSUPPORT),
}


@pytest.mark.parametrize(("octets", "errno"), WRONG.values(), ids=WRONG.keys())
def test_malformed_messages_come_back_with_their_errno(octets: bytes, errno: int) -> None:
    node = Busy()
    before = node.snapshot()
    node.prog.tell(octets)
    (rec,) = node.prog.so.so_rcv
    assert rec.data == patched(octets, 2, errno)
    assert node.snapshot() == before
