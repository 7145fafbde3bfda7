# SPDX-License-Identifier: BSD-3-Clause
"""Policies: their order, their selectors, their requests; what PF_KEY refuses of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kame_py.netkey.key_spd import SPCACHE_MAX, key_allocsp, key_msg2sp, key_newreqid, key_sp2msg
from kame_py.netkey.keydb import Secpolicyindex
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EEXIST, EINVAL, ENOENT, ENXIO, EPROTONOSUPPORT, KError
from kame_py.wire.in6addr import embed_zone
from kame_py.wire.pfkey import SadbLifetime, SadbMsg, SadbXPolicy, XIpsecrequest, sadb
from tests.unit.netkey.key_node import (
    AH,
    AH_REQUIRE,
    CN,
    ESP,
    HA,
    MN,
    T0,
    Node,
    Prog,
    addr,
    life,
    pol,
    policy,
    sa_of,
)

IN, OUT = k.IPSEC_DIR_INBOUND, k.IPSEC_DIR_OUTBOUND
TCP, ICMP6 = 6, 58
HARD = k.SADB_EXT_LIFETIME_HARD


def unique(reqid: int = 0) -> XIpsecrequest:
    return XIpsecrequest(AH, k.IPSEC_MODE_TRANSPORT, k.IPSEC_LEVEL_UNIQUE, reqid)


def tunnel(src: str = HA, dst: str = CN) -> XIpsecrequest:
    mode, level = k.IPSEC_MODE_TUNNEL, k.IPSEC_LEVEL_REQUIRE
    return XIpsecrequest(ESP, mode, level, 0, sa_of(src), sa_of(dst))


def packet(
    src: bytes | str = MN,
    dst: bytes | str = HA,
    proto: int = TCP,
    sport: int = 1024,
    dport: int = 80,
    dir: int = OUT,
) -> Secpolicyindex:
    src = addr(src) if isinstance(src, str) else src
    dst = addr(dst) if isinstance(dst, str) else dst
    return Secpolicyindex(dir, src, 128, dst, 128, proto, sport, dport)


def found(node: Node, spidx: Secpolicyindex) -> int | None:
    sp = key_allocsp(node.kern, spidx)
    return None if sp is None else sp.id


# -- messages ----------------------------------------------------------------------------------


def test_spdadd_is_answered_to_everybody_with_the_id() -> None:
    node = Node()
    other = Prog(node.kern)
    answer = node.prog.ask(policy("::/0", "::/0", 60, AH_REQUIRE))
    assert (answer.type, answer.errno) == (k.SADB_X_SPDADD, 0)
    assert pol(answer) == SadbXPolicy(k.IPSEC_POLICY_IPSEC, OUT, 1, (AH_REQUIRE,))
    assert other.heard() == [answer]


def test_spddump_tells_everything_inbound_first_and_counts_down() -> None:
    node = Node()
    hard = SadbLifetime(HARD, addtime=60, usetime=30)
    out = policy(MN, f"{HA}/64", TCP, AH_REQUIRE, ports=(0, 80), life=hard)
    node.prog.ask(out)
    node.prog.ask(policy(dir=IN))
    node.prog.ask(policy(proto=60))
    node.wait(4)
    key_allocsp(node.kern, packet())
    answers = node.prog.dump(k.SADB_X_SPDDUMP)
    assert [(pol(m).dir, pol(m).id, m.seq) for m in answers] == [
        (IN, 2, 2),
        (OUT, 1, 1),
        (OUT, 3, 0),
    ]
    full = answers[1]
    assert list(full.exts.values()) == [
        out.exts[k.SADB_EXT_ADDRESS_SRC],
        out.exts[k.SADB_EXT_ADDRESS_DST],
        SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, addtime=T0, usetime=T0 + 4),
        hard,
        SadbXPolicy(k.IPSEC_POLICY_IPSEC, OUT, 1, (AH_REQUIRE,)),
    ]
    assert full.reserved == 1
    assert life(answers[0]).usetime == 0  # never used


def test_spdget_finds_by_id() -> None:
    node = Node()
    node.prog.ask(policy())
    node.prog.ask(policy(proto=TCP))
    answer = node.prog.ask(policy(type=k.SADB_X_SPDGET, id=2))
    assert pol(answer).id == 2
    assert answer.exts[k.SADB_EXT_ADDRESS_SRC] == policy(proto=TCP).exts[k.SADB_EXT_ADDRESS_SRC]
    assert node.prog.ask(policy(type=k.SADB_X_SPDGET, id=3)).errno == ENOENT


def test_the_same_selectors_twice_is_eexist() -> None:
    node = Node()
    node.prog.ask(policy(MN, HA, TCP))
    assert node.prog.ask(policy(MN, HA, TCP, AH_REQUIRE)).errno == EEXIST
    assert node.prog.ask(policy(MN, HA, TCP, dir=IN)).errno == 0
    assert node.prog.ask(policy(MN, HA, TCP, ports=(0, 80))).errno == 0
    assert node.prog.ask(policy(f"{MN}/64", HA, TCP)).errno == 0


def test_spddelete_wants_just_these_selectors() -> None:
    node = Node()
    node.prog.ask(policy(MN, HA, TCP))
    for other in (policy(MN, HA, TCP, dir=IN), policy(MN, f"{HA}/64", TCP), policy(MN, HA)):
        assert node.prog.ask(replace(other, type=k.SADB_X_SPDDELETE)).errno == ENOENT
    answer = node.prog.ask(policy(MN, HA, TCP, type=k.SADB_X_SPDDELETE))
    assert (answer.errno, pol(answer).id) == (0, 1)
    key = node.kern.key
    assert (len(key.spd), key.sp_index, key.sp_ids) == (0, {}, {})


def test_spddelete2_wants_an_id() -> None:
    node = Node()
    node.prog.ask(policy())
    node.prog.ask(policy(proto=TCP))
    assert node.prog.ask(policy(type=k.SADB_X_SPDDELETE2, id=9)).errno == ENOENT
    assert node.prog.ask(policy(type=k.SADB_X_SPDDELETE2, id=1)).errno == 0
    assert node.prog.policies() == [(OUT, 2)]


def test_spdflush_takes_all() -> None:
    node = Node()
    node.prog.ask(policy())
    node.prog.ask(policy(dir=IN))
    assert node.prog.ask(sadb(k.SADB_X_SPDFLUSH)).errno == 0
    assert node.prog.ask(sadb(k.SADB_X_SPDDUMP)).errno == ENOENT


def test_spdupdate_replaces_and_goes_to_the_end() -> None:
    node = Node()
    node.prog.ask(policy(MN, HA, TCP))
    node.prog.ask(policy())
    assert found(node, packet()) == 1
    answer = node.prog.ask(policy(MN, HA, TCP, AH_REQUIRE, type=k.SADB_X_SPDUPDATE))
    assert (answer.errno, pol(answer).requests) == (0, (AH_REQUIRE,))
    assert node.prog.policies() == [(OUT, 2), (OUT, 3)]
    assert found(node, packet()) == 2


def test_spdupdate_adds_what_is_not_there() -> None:
    node = Node()
    assert node.prog.ask(policy(type=k.SADB_X_SPDUPDATE)).errno == 0
    assert node.prog.policies() == [(OUT, 1)]


def test_spdsetidx_may_leave_the_requests_open() -> None:
    node = Node()
    open_policy = policy(action=k.IPSEC_POLICY_IPSEC, type=k.SADB_X_SPDSETIDX)
    assert node.prog.ask(open_policy).errno == 0
    sp = key_allocsp(node.kern, packet())
    assert sp is not None and (sp.policy, sp.req) == (k.IPSEC_POLICY_IPSEC, [])
    assert node.prog.ask(open_policy).errno == EEXIST


# -- look-ups ----------------------------------------------------------------------------------


def test_the_first_that_matches_decides_not_the_best() -> None:
    node = Node()
    node.prog.ask(policy())
    node.prog.ask(policy(MN, HA, TCP))
    assert found(node, packet()) == 1


def test_directions_are_apart() -> None:
    node = Node()
    node.prog.ask(policy(dir=IN))
    assert found(node, packet()) is None
    assert found(node, packet(dir=IN)) == 1


@pytest.mark.parametrize(
    ("selectors", "matching", "other"),
    [
        (policy(f"{MN}/64"), packet(src="2001:db8:1:0:ff::"), packet(src="2001:db8:1:1::")),
        (policy("::/0", f"{HA}/127"), packet(dst="2001:db8:1::"), packet(dst="2001:db8:1::2")),
        (policy(MN), packet(), packet(src="2001:db8:1::b")),
        (policy(proto=TCP), packet(), packet(proto=17)),
        (policy(proto=TCP, ports=(1024, 0)), packet(), packet(sport=1025)),
        (policy(proto=TCP, ports=(0, 80)), packet(sport=9), packet(dport=81)),
        (policy(proto=TCP, ports=(0, 80)), packet(), packet(sport=0, dport=0)),
        (
            policy(proto=ICMP6, ports=(135, 0)),
            packet(proto=ICMP6, sport=135, dport=0),
            packet(proto=ICMP6, sport=136, dport=0),
        ),
        (
            policy(proto=ICMP6, ports=(1, 4)),
            packet(proto=ICMP6, sport=1, dport=4),
            packet(proto=ICMP6, sport=1, dport=3),
        ),
    ],
)
def test_selectors(selectors: SadbMsg, matching: Secpolicyindex, other: Secpolicyindex) -> None:
    node = Node()
    assert node.prog.ask(selectors).errno == 0
    assert found(node, matching) == 1
    assert found(node, other) is None


LL2, LL3 = (embed_zone(addr("fe80::1"), zone) for zone in (2, 3))


@pytest.mark.parametrize("prefix", ["fe80::1", "fe80::/64", "fe80::/10"])
def test_a_link_local_selector_with_a_zone_is_for_that_link(prefix: str) -> None:
    node = Node()
    assert node.prog.ask(policy(prefix, scope=2)).errno == 0
    assert found(node, packet(src=LL2)) == 1
    assert found(node, packet(src=LL3)) is None
    (dumped,) = node.prog.dump(k.SADB_X_SPDDUMP)
    want = policy(prefix, scope=2).exts[k.SADB_EXT_ADDRESS_SRC]
    assert dumped.exts[k.SADB_EXT_ADDRESS_SRC] == want


@pytest.mark.parametrize("prefix", ["fe80::1", "fe80::/64", "fe80::/10", "::/0"])
def test_a_link_local_selector_without_a_zone_is_for_all_links(prefix: str) -> None:
    node = Node()
    assert node.prog.ask(policy(prefix)).errno == 0
    assert found(node, packet(src=LL2)) == found(node, packet(src=LL3)) == 1


def test_look_ups_are_remembered_no_longer_than_the_spd_stays() -> None:
    node = Node()
    assert found(node, packet()) is None
    node.prog.ask(policy())
    assert found(node, packet()) == 1
    node.prog.ask(policy(type=k.SADB_X_SPDDELETE))
    assert found(node, packet()) is None


def test_remembered_look_ups_are_bounded() -> None:
    node = Node()
    node.prog.ask(policy())
    for sport in range(SPCACHE_MAX + 5):
        assert found(node, packet(sport=sport)) == 1
    assert len(node.kern.key.spcache) == 5


def test_a_remembered_look_up_counts_as_use() -> None:
    node = Node()
    node.prog.ask(policy())
    found(node, packet())
    node.wait(7)
    found(node, packet())
    (dumped,) = node.prog.dump(k.SADB_X_SPDDUMP)
    assert life(dumped).usetime == T0 + 7


# -- requests ----------------------------------------------------------------------------------


def test_unique_without_an_id_gets_one_above_the_manual_ones() -> None:
    node = Node()
    first = node.prog.ask(policy(MN, HA, 60, unique(), unique(7)))
    assert [r.reqid for r in pol(first).requests] == [0x4000, 7]
    second = node.prog.ask(policy(HA, MN, 60, unique(0x4000)))  # too large: replaced, as in KAME
    assert [r.reqid for r in pol(second).requests] == [0x4001]


def test_other_levels_have_no_id() -> None:
    node = Node()
    request = AH_REQUIRE._replace(reqid=9)
    assert pol(node.prog.ask(policy(MN, HA, 60, request))).requests == (AH_REQUIRE,)


def test_automatic_ids_start_over_above_the_manual_ones() -> None:
    node = Node()
    node.kern.key.reqid = 0xFFFE
    assert [key_newreqid(node.kern) for _ in range(3)] == [0xFFFF, 0x4000, 0x4001]


def test_a_refused_policy_takes_no_id() -> None:
    node = Node()
    node.prog.ask(policy(MN, HA, 60, unique(), XIpsecrequest(AH, 9, 2)))
    assert node.kern.key.reqid == k.IPSEC_MANUAL_REQID_MAX


def test_policies_of_sockets_go_there_and_back() -> None:
    node = Node()
    want = SadbXPolicy(k.IPSEC_POLICY_IPSEC, 0, 0, (AH_REQUIRE, tunnel(), unique(3)))
    assert key_sp2msg(key_msg2sp(node.kern, want)) == want
    for action in (k.IPSEC_POLICY_DISCARD, k.IPSEC_POLICY_ENTRUST, k.IPSEC_POLICY_BYPASS):
        plain = SadbXPolicy(action, 0)
        assert key_sp2msg(key_msg2sp(node.kern, plain)) == plain
    with pytest.raises(KError, match="invalid policy type"):
        key_msg2sp(node.kern, SadbXPolicy(5, 0))


REFUSED = {
    "no direction": (policy(dir=0), EINVAL),
    "direction 3": (policy(dir=3), EINVAL),
    "entrust": (policy(action=k.IPSEC_POLICY_ENTRUST), EINVAL),
    "bypass": (policy(action=k.IPSEC_POLICY_BYPASS), EINVAL),
    "type 9": (policy(action=9), EINVAL),
    "ipsec without requests": (policy(action=k.IPSEC_POLICY_IPSEC), EINVAL),
    "IPComp": (policy(MN, HA, 6, AH_REQUIRE._replace(proto=108)), EPROTONOSUPPORT),
    "mode any": (policy(MN, HA, 6, AH_REQUIRE._replace(mode=0)), EINVAL),
    "level 4": (policy(MN, HA, 6, AH_REQUIRE, AH_REQUIRE._replace(level=4)), EINVAL),
    "tunnel without ends": (policy(MN, HA, 6, AH_REQUIRE._replace(mode=2)), EINVAL),
    "tunnel to a link-local address": (policy(MN, HA, 6, tunnel(dst="fe80::1")), EINVAL),
    "zone that is not there": (policy("fe80::/64", scope=77), ENXIO),
    "prefix length": (policy("::/129"), EINVAL),
    "SA type": (replace(policy(), satype=k.SADB_SATYPE_AH), EINVAL),
    "no policy": (
        replace(policy(), exts={n: e for n, e in policy().exts.items() if n != 18}),
        EINVAL,
    ),
    "no source": (
        replace(policy(), exts={n: e for n, e in policy().exts.items() if n != 5}),
        EINVAL,
    ),
    "flush of something": (policy(type=k.SADB_X_SPDFLUSH), EINVAL),
    "SPDEXPIRE from a program": (policy(type=k.SADB_X_SPDEXPIRE), EINVAL),
    "SPDACQUIRE from a program": (policy(type=k.SADB_X_SPDACQUIRE), EINVAL),
}


@pytest.mark.parametrize(("msg", "errno"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_and_nothing_changed(msg: SadbMsg, errno: int) -> None:
    node = Node()
    node.prog.ask(policy(dir=IN))
    answer = node.prog.ask(msg)
    assert (answer.errno, answer.exts) == (errno, msg.exts)
    assert node.prog.policies() == [(IN, 1)]
