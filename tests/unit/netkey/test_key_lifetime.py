# SPDX-License-Identifier: BSD-3-Clause
"""Lifetimes of associations and policies, to the nanosecond, and who is told."""

from __future__ import annotations

from kame_py.kern.clock import NS
from kame_py.netkey.key_sad import key_allocsa, key_sa_recordxfer
from kame_py.netkey.key_spd import key_allocsp
from kame_py.netkey.keydb import Secasvar, Secpolicyindex
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.pfkey import SadbLifetime, sadb
from tests.unit.netkey.key_node import (
    AH,
    AH_REQUIRE,
    HA,
    MN,
    T0,
    Node,
    Prog,
    addr,
    ah,
    ends,
    life,
    limits,
    pol,
    policy,
    sa,
)

MATURE, DYING, DEAD = k.SADB_SASTATE_MATURE, k.SADB_SASTATE_DYING, k.SADB_SASTATE_DEAD
HARD, SOFT = k.SADB_EXT_LIFETIME_HARD, k.SADB_EXT_LIFETIME_SOFT


def registered(node: Node, satype: int = k.SADB_SATYPE_AH) -> Prog:
    """A key management program."""
    ike = Prog(node.kern)
    ike.ask(sadb(k.SADB_REGISTER, satype))
    return ike


def the(node: Node, spi: int = 1500) -> Secasvar:
    sav = key_allocsa(node.kern, AH, addr(HA), spi)
    assert sav is not None
    return sav


def state(node: Node) -> int | None:
    """The state of the one association; None when it is gone."""
    return next((sa(m).state for m in node.prog.dump()), None)


def test_soft_then_hard_seconds_since_creation() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"addtime": 20}, {"addtime": 12}), seq=5))
    ike = registered(node)
    for t_s, before, after in ((12, MATURE, DYING), (20, DYING, None)):
        node.until(t_s * NS - 1)
        assert state(node) == before
        assert ike.heard() == []
        node.until(t_s * NS)
        assert state(node) == after
        (told,) = ike.heard()
        exttype = SOFT if after else HARD
        assert (told.type, told.satype, told.seq) == (k.SADB_EXPIRE, k.SADB_SATYPE_AH, 5)
        assert (sa(told).spi, sa(told).state) == (1500, after or DEAD)
        assert [n for n in (HARD, SOFT) if n in told.exts] == [exttype]
        assert life(told, exttype).addtime == t_s
        assert life(told) == SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, addtime=T0)
        assert (told.exts[5], told.exts[6]) == ends()


def test_seconds_count_on_whole_seconds_as_in_kame() -> None:
    node = Node()
    node.until(NS // 2)
    node.prog.ask(ah(1500, *limits({"addtime": 3}, {})))
    node.until(4 * NS - 1)
    assert state(node) == MATURE
    node.until(4 * NS)
    assert state(node) is None


def test_seconds_since_first_use_start_with_the_first_packet() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"usetime": 10}, {"usetime": 5})))
    node.wait(100)
    assert state(node) == MATURE
    key_sa_recordxfer(node.kern, the(node), 64)
    node.wait(3)
    key_sa_recordxfer(node.kern, the(node), 64)  # a later packet does not prolong it
    node.until(105 * NS - 1)
    assert state(node) == MATURE
    node.until(105 * NS)
    assert state(node) == DYING
    node.until(110 * NS)
    assert state(node) is None


def test_a_hard_limit_alone_counts_from_the_first_use() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"usetime": 10}, {})))
    node.wait(5)
    key_sa_recordxfer(node.kern, the(node), 64)
    node.until(15 * NS - 1)
    assert state(node) == MATURE
    node.until(15 * NS)
    assert state(node) is None


def test_a_packet_under_way_does_not_wake_a_deleted_association() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"usetime": 10}, {"usetime": 5})))
    sav = the(node)
    node.prog.ask(sadb(k.SADB_FLUSH))
    key_sa_recordxfer(node.kern, sav, 64)
    node.wait(20)
    assert sav.state == DEAD


def test_octets() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"bytes": 200}, {"bytes": 100})))
    ike = registered(node)
    sav = the(node)
    key_sa_recordxfer(node.kern, sav, 99)
    assert (state(node), ike.heard()) == (MATURE, [])
    key_sa_recordxfer(node.kern, sav, 1)
    assert state(node) == DYING
    (told,) = ike.heard()
    assert life(told, SOFT).bytes == 100 and life(told).bytes == 100
    key_sa_recordxfer(node.kern, sav, 99)
    assert (state(node), ike.heard()) == (DYING, [])
    key_sa_recordxfer(node.kern, sav, 1)
    assert state(node) is None
    (told,) = ike.heard()
    assert life(told, HARD).bytes == 200 and sa(told).state == DEAD


def test_allocations() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"allocations": 3}, {"allocations": 2})))
    seen = []
    for _ in range(3):
        key_sa_recordxfer(node.kern, the(node), 64)
        seen.append(state(node))
    assert seen == [MATURE, DYING, None]


def test_a_dead_association_that_a_packet_still_holds_dies_once() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"allocations": 1}, {})))
    ike = registered(node)
    sav = the(node)
    key_sa_recordxfer(node.kern, sav, 64)
    key_sa_recordxfer(node.kern, sav, 64)
    assert (len(ike.heard()), sav.state) == (1, DEAD)


def test_what_was_used_is_counted_and_dated() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    for _ in range(2):
        node.wait(2)
        key_sa_recordxfer(node.kern, the(node), 100)
    (dumped,) = node.prog.dump()
    want = SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, 2, 200, T0, T0 + 4)
    assert life(dumped) == want


def test_hard_without_soft_goes_straight_to_its_end() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"addtime": 10}, {})))
    ike = registered(node)
    node.wait(10)
    assert state(node) is None
    assert [HARD in m.exts for m in ike.heard()] == [True]


def test_soft_after_hard_is_never_reached() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"addtime": 10}, {"addtime": 20})))
    ike = registered(node)
    node.wait(30)
    assert [HARD in m.exts for m in ike.heard()] == [True]


def test_a_deleted_association_does_not_expire() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"addtime": 10}, {"addtime": 5})))
    ike = registered(node)
    node.prog.ask(sadb(k.SADB_FLUSH))
    ike.heard()
    node.wait(30)
    assert ike.heard() == []


def test_only_those_registered_for_the_type_are_told() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"addtime": 10}, {"addtime": 5})))
    other = registered(node, k.SADB_SATYPE_ESP)
    any_type = registered(node, k.SADB_SATYPE_UNSPEC)
    plain = Prog(node.kern)
    other.heard()
    node.wait(5)
    assert (other.heard(), plain.heard(), node.prog.heard()) == ([], [], [])
    assert [m.type for m in any_type.heard()] == [k.SADB_EXPIRE]


def test_listeners_hear_of_an_end_and_not_of_age() -> None:
    node = Node()
    seen: list[int] = []
    node.prog.ask(ah(1500, *limits({"addtime": 10}, {"addtime": 5})))
    node.kern.key.on_change.append(lambda: seen.append(node.kern.now()))
    node.wait(20)
    assert seen == [10 * NS]


# -- policies ----------------------------------------------------------------------------------


def test_a_policy_lives_as_long_as_it_was_given() -> None:
    node = Node()
    hard = SadbLifetime(HARD, addtime=60)
    node.prog.ask(policy("::/0", "::/0", 60, AH_REQUIRE, life=hard))
    ike = registered(node)
    node.until(60 * NS - 1)
    assert node.prog.policies() == [(k.IPSEC_DIR_OUTBOUND, 1)]
    node.until(60 * NS)
    assert node.prog.policies() == []
    (told,) = ike.heard()
    assert (told.type, pol(told).id, pol(told).requests) == (k.SADB_X_SPDEXPIRE, 1, (AH_REQUIRE,))
    assert life(told, HARD) == hard
    assert life(told).addtime == T0


def test_a_policy_in_use_stays_valid() -> None:
    node = Node()
    node.prog.ask(policy(life=SadbLifetime(HARD, usetime=10)))
    spidx = Secpolicyindex(k.IPSEC_DIR_OUTBOUND, addr(MN), 128, addr(HA), 128, 6)
    node.wait(9)
    assert key_allocsp(node.kern, spidx) is not None
    node.until(19 * NS - 1)
    assert len(node.prog.policies()) == 1
    node.until(19 * NS)
    assert node.prog.policies() == []
    assert key_allocsp(node.kern, spidx) is None


def test_a_policy_that_is_never_used_is_valid_from_its_entry() -> None:
    node = Node()
    node.wait(3)
    node.prog.ask(policy(life=SadbLifetime(HARD, usetime=10)))
    node.until(13 * NS - 1)
    assert len(node.prog.policies()) == 1
    node.until(13 * NS)
    assert node.prog.policies() == []


def test_a_deleted_policy_does_not_expire() -> None:
    node = Node()
    node.prog.ask(policy(life=SadbLifetime(HARD, addtime=10)))
    ike = registered(node)
    node.prog.ask(sadb(k.SADB_X_SPDFLUSH))
    ike.heard()
    node.wait(30)
    assert ike.heard() == []
