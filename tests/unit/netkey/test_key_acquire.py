# SPDX-License-Identifier: BSD-3-Clause
"""How the kernel asks for associations, and how often."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate
from kame_py.netkey.key_acquire import key_acquire, key_checkrequest, key_spdacquire
from kame_py.netkey.key_spd import key_allocsp
from kame_py.netkey.keydb import Secasindex, Secpolicyindex
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_ICMPV6
from kame_py.wire.errno import EEXIST, EINVAL, ENOENT
from kame_py.wire.pfkey import SadbComb, SadbMsg, SadbProp, SadbXPolicy, SadbXSa2, sadb
from tests.unit.netinet6.ip6_node import PEER2, echo, fate, ip6
from tests.unit.netkey.ipsec_node import IpsecNode
from tests.unit.netkey.key_node import (
    AH,
    AH_REQUIRE,
    ESP,
    HA,
    MN,
    Node,
    Prog,
    addr,
    ah,
    ends,
    pol,
    policy,
)

OUT = k.IPSEC_DIR_OUTBOUND
DAY, HOURS8 = 86400, 28800
LIVES = (0, 0, 0, 0, DAY * 8 // 10, DAY, HOURS8 * 8 // 10, HOURS8)


def index(proto: int = AH) -> Secasindex:
    return Secasindex(proto, k.IPSEC_MODE_TRANSPORT, 0, addr(MN), addr(HA))


def registered(node: Node, satype: int = k.SADB_SATYPE_AH) -> Prog:
    ike = Prog(node.kern)
    ike.ask(sadb(k.SADB_REGISTER, satype))
    return ike


def prop(node: Node, proto: int) -> tuple[SadbComb, ...]:
    """The combinations of an ACQUIRE."""
    ike = registered(node, k.SADB_SATYPE_UNSPEC)
    key_acquire(node.kern, index(proto), None)
    (told,) = ike.heard()
    ext = told.exts[k.SADB_EXT_PROPOSAL]
    assert isinstance(ext, SadbProp)
    return ext.combs


def test_a_packet_without_association_makes_the_kernel_ask() -> None:
    node = Node()
    node.prog.ask(policy("::/0", "::/0", 60, AH_REQUIRE))
    ike, other = registered(node), registered(node, k.SADB_SATYPE_ESP)
    ike.heard()
    sp = key_allocsp(node.kern, Secpolicyindex(OUT, addr(MN), 128, addr(HA), 128, 60))
    assert sp is not None
    assert key_checkrequest(node.kern, sp.req[0], index()) == ENOENT
    (told,) = ike.heard()
    assert (told.type, told.satype, told.seq, told.pid) == (k.SADB_ACQUIRE, k.SADB_SATYPE_AH, 1, 0)
    assert (told.exts[5], told.exts[6]) == ends()
    assert pol(told) == SadbXPolicy(k.IPSEC_POLICY_IPSEC, OUT, 1)
    assert k.SADB_EXT_PROPOSAL in told.exts
    assert (other.heard(), node.prog.heard()) == ([], [])


def test_level_use_asks_too() -> None:
    node = Node()
    ike = registered(node)
    isr = AH_REQUIRE._replace(level=k.IPSEC_LEVEL_USE)
    node.prog.ask(policy("::/0", "::/0", 60, isr))
    ike.heard()
    sp = key_allocsp(node.kern, Secpolicyindex(OUT, addr(MN), 128, addr(HA), 128, 60))
    assert sp is not None
    assert key_checkrequest(node.kern, sp.req[0], index()) == 0
    assert len(ike.heard()) == 1


def test_ah_proposes_the_two_hmacs() -> None:
    assert prop(Node(), AH) == (
        SadbComb(2, 0, 0, 128, 128, 0, 0, *LIVES),
        SadbComb(3, 0, 0, 160, 160, 0, 0, *LIVES),
    )


def test_ah_proposes_only_keys_long_enough() -> None:
    node = Node()
    node.kern.sysctl.write("net.key.ah_keymin", 160)
    assert [c.auth for c in prop(node, AH)] == [k.SADB_AALG_SHA1HMAC]


def test_esp_proposes_ciphers_with_keys_long_enough() -> None:
    node = Node()
    combs = prop(node, ESP)
    assert [c.encrypt for c in combs] == [7, 11, 12]  # blowfish, null, rijndael
    assert combs[0] == SadbComb(0, 7, 0, 0, 0, 256, 448, *LIVES)
    node.wait(100)
    node.kern.sysctl.write("net.key.esp_keymin", 64)
    assert [c.encrypt for c in prop(node, ESP)] == [2, 3, 6, 7, 11, 12]


def test_esp_auth_proposes_each_cipher_with_each_hmac() -> None:
    node = Node()
    node.kern.sysctl.write("net.key.esp_auth", 1)
    combs = prop(node, ESP)
    assert [(c.encrypt, c.auth, c.auth_minbits) for c in combs[:2]] == [(7, 2, 128), (7, 3, 160)]
    assert len(combs) == 6


def times_asked(node: Node, ike: Prog, packets: int) -> list[int]:
    """The sequence numbers of the ACQUIREs that so many packets cause."""
    for _ in range(packets):
        key_acquire(node.kern, index(), None)
    return [m.seq for m in ike.heard()]


def test_repeats_are_held_back_for_some_packets() -> None:
    node = Node()
    ike = registered(node)
    assert times_asked(node, ike, 12) == [1]  # blockacq_count 10, KAME compares with <
    assert times_asked(node, ike, 1) == [1]
    assert times_asked(node, ike, 11) == []
    assert times_asked(node, ike, 1) == [1]


def test_repeats_are_held_back_for_some_seconds() -> None:
    node = Node()
    ike = registered(node)
    assert times_asked(node, ike, 1) == [1]
    node.until(20 * NS - 1)
    assert times_asked(node, ike, 1) == []
    node.until(20 * NS)
    assert node.kern.key.acquires == {}
    assert times_asked(node, ike, 1) == [2]


def test_another_association_is_asked_for_at_once() -> None:
    node = Node()
    ike = registered(node, k.SADB_SATYPE_UNSPEC)
    key_acquire(node.kern, index(AH), None)
    key_acquire(node.kern, index(ESP), None)
    assert [m.satype for m in ike.heard()] == [k.SADB_SATYPE_AH, k.SADB_SATYPE_ESP]


@pytest.mark.parametrize(
    "sign",
    [
        sadb(k.SADB_ACQUIRE, k.SADB_SATYPE_AH, errno=ENOENT, seq=1),
        sadb(k.SADB_GETSPI, k.SADB_SATYPE_AH, *ends(), SadbXSa2(1), seq=1),
    ],
    ids=["gave up", "works on it"],
)
def test_a_sign_of_life_starts_the_wait_anew(sign: SadbMsg) -> None:
    node = Node()
    ike = registered(node)
    assert times_asked(node, ike, 6) == [1]
    node.wait(15)
    ike.tell(sign)
    ike.heard()
    node.until(35 * NS - 1)
    assert times_asked(node, ike, 11) == []
    node.until(35 * NS)
    assert node.kern.key.acquires == {}


def test_a_failure_is_not_answered() -> None:
    node = Node()
    node.prog.tell(sadb(k.SADB_ACQUIRE, k.SADB_SATYPE_AH, errno=ENOENT, seq=77))
    assert node.prog.heard() == []


def test_a_program_may_ask_the_others() -> None:
    node = Node()
    ike = registered(node)
    want = sadb(k.SADB_ACQUIRE, k.SADB_SATYPE_AH, *ends(), SadbXSa2(1), SadbProp(4, ()), seq=9)
    assert node.prog.ask(want) == want
    assert ike.heard() == [want]
    node.prog.ask(ah(1500, mode=1))
    ike.heard()
    assert node.prog.ask(want).errno == EEXIST
    assert node.prog.ask(sadb(k.SADB_ACQUIRE, k.SADB_SATYPE_AH, *ends())).errno == EINVAL
    assert ike.heard() == []


def test_a_policy_without_requests_is_asked_for() -> None:
    node = Node()
    node.prog.ask(policy(action=k.IPSEC_POLICY_IPSEC, type=k.SADB_X_SPDSETIDX))
    ike = registered(node, k.SADB_SATYPE_ESP)
    (sp,) = node.kern.key.spd.values()
    for _ in range(12):
        key_spdacquire(node.kern, sp)
    (told,) = ike.heard()
    assert (told.type, told.satype, pol(told).id) == (k.SADB_X_SPDACQUIRE, 0, 1)
    assert told.exts[k.SADB_EXT_ADDRESS_SRC] == policy().exts[k.SADB_EXT_ADDRESS_SRC]
    key_spdacquire(node.kern, sp)
    assert len(ike.heard()) == 1
    node.wait(15)
    ike.ask(policy("::/0", "::/0", 255, AH_REQUIRE, type=k.SADB_X_SPDUPDATE))
    node.until(35 * NS - 1)
    assert len(node.kern.key.spacquires) == 1
    node.until(35 * NS)
    assert node.kern.key.spacquires == {}


@pytest.mark.parametrize("transit", [False, True])
def test_nothing_goes_out_while_a_policy_does_not_say_how(transit: bool) -> None:
    node = IpsecNode(forwarding=1)
    node.policy(OUT)
    ike = Prog(node.kern)
    ike.ask(sadb(k.SADB_REGISTER, k.SADB_SATYPE_ESP))
    for _ in range(2):
        if transit:
            assert fate(node.receive(ip6(dst=PEER2))) == (Fate.DROPPED, "IPSEC_OUTNOSA")
        else:
            node.receive(ip6(echo(), IPPROTO_ICMPV6))  # the reply is what stays
    assert node.sent() == []
    assert [m.type for m in ike.heard()] == [k.SADB_X_SPDACQUIRE]
