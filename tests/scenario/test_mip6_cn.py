# SPDX-License-Identifier: BSD-3-Clause
"""A correspondent node and the mobile nodes it talks to, seen from its link (draft-15 s.8)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate, m_get
from kame_py.mip6.mip6_state import BcSt
from kame_py.mip6.mip6_var import MIP6_BC_STATE_BR_WAITSENT
from kame_py.net.route import RTF_GATEWAY, RTF_STATIC, RTM_ADD, rtrequest
from kame_py.netinet6.ip6_output import ip6_output
from kame_py.netinet6.ip6_var import Ip6Pktopts
from kame_py.wire.ioctl import SIOCSMIP6CFG_ENABLEDEBUG
from kame_py.wire.ip6ext import build_options, build_rthdr0
from kame_py.wire.mip6 import AuthData, OtherSubOpt
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.snap import BcSnap
from tests.scenario.mip6words import (
    DRAFTS,
    NONE,
    bindings,
    bu,
    configure,
    mobility,
    rows,
    seen,
    unprotected,
    update,
    with_hao,
    with_rthdr,
)
from tests.scenario.tester import GLOBAL, PEER_MAC, ROUTER, ROUTER_MAC, Stage
from tests.scenario.words import addr, echo, error, ext, is_, ns, udp

HOA = "2001:db8:9::10"
COA = "2001:db8:5::10"
COA2 = "2001:db8:6::10"


@pytest.fixture(params=DRAFTS)
def cn(request: pytest.FixtureRequest) -> Stage:
    """A correspondent with a default route, which asks for no authentication."""
    stage = Stage(globals_=True, kernel=DRAFTS[request.param])
    stage.tn.neighbours[ROUTER] = ROUTER_MAC
    flags = RTF_GATEWAY | RTF_STATIC
    rtrequest(stage.kern, RTM_ADD, bytes(16), 0, stage.kernel_form(ROUTER), flags)
    unprotected(stage)
    stage.send(echo(ROUTER, GLOBAL), ROUTER_MAC)
    stage.forget()
    return stage


def test_update_makes_a_binding_and_is_acknowledged_by_its_care_of_address(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, seq=7, lifetime=60))
    got = seen(cn.only())
    assert (got.src, got.hops, got.nxt) == (GLOBAL, (COA, HOA), NONE)
    assert (got.ba.status, got.ba.seqno, got.ba.lifetime_s, got.ba.refresh_s) == (0, 7, 60, 60)
    assert bindings(cn) == {HOA: COA}
    cn.conserved()


def test_update_is_consumed_not_dropped(cn: Stage) -> None:
    before = cn.kern.fates[Fate.CONSUMED]
    cn.send(bu(COA, GLOBAL, HOA))
    assert cn.kern.fates[Fate.CONSUMED] == before + 1
    assert cn.drops() == {}


def test_update_without_a_is_accepted_in_silence(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    cn.nothing()
    assert bindings(cn) == {HOA: COA}


def test_packets_to_a_bound_mobile_node_go_by_its_care_of_address(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    cn.send(with_hao(COA, GLOBAL, HOA, echo(HOA, GLOBAL)[40:], 58))
    got = seen(cn.only(is_(dst=COA)))
    assert got.hops == (COA, HOA)
    assert got.rest[0] == 129  # the echo reply


def test_packets_to_others_go_plainly(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    cn.send(echo(COA2, GLOBAL))
    assert seen(cn.only(is_("echoreply"))).hops == (COA2,)


def test_home_address_option_makes_no_binding(cn: Stage) -> None:
    cn.send(with_hao(COA, GLOBAL, HOA, echo(HOA, GLOBAL)[40:], 58))
    assert bindings(cn) == {}
    assert seen(cn.only(is_("echoreply"))).hops == (HOA,)


def test_alternate_care_of_address_is_the_one(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, alt=COA2, wire=mobility(cn).dialect.wire))
    assert bindings(cn) == {HOA: COA2}
    assert seen(cn.only()).hops == (COA2, HOA)


def test_unknown_suboptions_are_skipped(cn: Stage) -> None:
    option = WIRE.aligned(update(more=(OtherSubOpt(0x7A, b"xyz"),)))
    packet = with_hao(COA, GLOBAL, HOA, build_options(NONE, [option]), 60)
    cn.send(packet)
    assert seen(cn.only()).ba.status == 0


def test_update_in_the_header_of_the_home_address_counts(cn: Stage) -> None:
    packet = with_hao(COA, GLOBAL, HOA)
    hao = packet[46:64]
    both = ext(NONE, bytes((1, 2, 0, 0)), hao, WIRE.build_option(update()), bytes(6))
    cn.send(packet[:4] + bytes((0, len(both))) + packet[6:40] + both)
    assert bindings(cn) == {HOA: COA}


@pytest.mark.parametrize("cn", ["draft-15"], indirect=True)
@pytest.mark.parametrize("seq", [(250, 251, True), (250, 121, True), (250, 122, False)])
def test_sequence_numbers_are_compared_modulo_256(cn: Stage, seq: tuple[int, int, bool]) -> None:
    old, new, newer = seq
    cn.send(bu(COA, GLOBAL, HOA, seq=old, flags=""))
    cn.send(bu(COA2, GLOBAL, HOA, seq=new, flags=""))
    assert bindings(cn) == {HOA: COA2 if newer else COA}


@pytest.mark.parametrize("cn", ["draft-15"], indirect=True)
def test_old_sequence_number_is_answered_with_the_last_one_by_the_updates_address(
    cn: Stage,
) -> None:
    cn.send(bu(COA, GLOBAL, HOA, seq=20, flags=""))
    for stale in (20, 19, 200):  # the same, the one before, half a circle behind
        cn.send(bu(COA2, GLOBAL, HOA, seq=stale, flags=""))
        got = seen(cn.only())
        assert got.hops == (COA2, HOA)
        assert (got.ba.status, got.ba.seqno, got.ba.lifetime_s) == (141, 20, 0)
    assert bindings(cn) == {HOA: COA}
    assert cn.kern.stats.ip6["ip6s_badoptions"] == 3


@pytest.mark.parametrize("cn", ["draft-15"], indirect=True)
def test_old_sequence_number_is_answered_and_takes_its_packet_along(cn: Stage) -> None:
    """Whatever is refused ends with a reason: a replay leaves no other trace."""
    cn.send(bu(COA, GLOBAL, HOA, seq=20, flags=""))
    request = echo(HOA, GLOBAL)[40:]
    cn.send(bu(COA, GLOBAL, HOA, seq=19, payload=request, nxt=58))
    kinds = [seen(h).nxt for h in cn.take()]
    assert kinds == [NONE]
    assert cn.drops() == {"MIP6_BUSEQNO": 1}


def test_update_with_lifetime_zero_deletes(cn: Stage) -> None:
    cn.wait(0.3)  # between two ticks: an entry that merely ended would still be there
    cn.send(bu(COA, GLOBAL, HOA, seq=1, flags=""))
    assert set(mobility(cn).mip6_bc_list) == {(addr(GLOBAL), addr(HOA))}
    cn.send(bu(COA, GLOBAL, HOA, seq=2, lifetime=0))
    assert not mobility(cn).mip6_bc_list
    got = seen(cn.only())
    assert (got.ba.status, got.ba.lifetime_s, got.ba.refresh_s) == (0, 0, 0)
    assert got.hops == (COA, HOA)


def test_update_from_home_deletes_and_is_answered_there(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, seq=1, flags=""))
    cn.send(bu(HOA, GLOBAL, HOA, seq=2))
    assert seen(cn.only()).hops == (HOA,)
    assert bindings(cn) == {}


@pytest.mark.parametrize("cn", ["draft-15"], indirect=True)
def test_deletion_names_the_home_address_as_alternate(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, seq=1, flags=""))
    wire = mobility(cn).dialect.wire
    cn.send(bu(COA2, GLOBAL, HOA, seq=2, lifetime=60, alt=HOA, wire=wire))
    assert seen(cn.only()).hops == (COA2, HOA)
    assert bindings(cn) == {}


def test_deleting_what_is_not_there_makes_nothing(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, lifetime=0))
    assert seen(cn.only()).ba.status == 0
    assert bindings(cn) == {}


@pytest.mark.parametrize("lifetime", [60, 0])
def test_home_registration_with_a_node_that_is_no_home_agent_is_refused(
    cn: Stage, lifetime: int
) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags="H", lifetime=lifetime, seq=9))
    got = seen(cn.only())
    assert (got.hops, got.ba.status, got.ba.seqno) == ((COA, HOA), 132, 9)
    assert bindings(cn) == {}


@pytest.mark.parametrize("coa", ["ff0e::1", "::", "::1", "fe80::1", "::ffff:1.2.3.4"])
def test_care_of_addresses_that_are_none_end_the_packet(cn: Stage, coa: str) -> None:
    cn.send(bu(COA, GLOBAL, HOA, alt=coa, wire=mobility(cn).dialect.wire))
    cn.nothing()
    assert bindings(cn) == {}
    assert cn.drops() == {"MIP6_BUCOA": 1}


def test_update_without_home_address_option_ends_the_packet(cn: Stage) -> None:
    packet = bu(COA, GLOBAL, HOA)
    bare = packet[:4] + bytes((0, 16)) + packet[6:40] + packet[64:]
    cn.send(bare)
    cn.nothing()
    assert cn.drops() == {"MIP6_BUNOHAO": 1}


def test_short_update_ends_the_packet(cn: Stage) -> None:
    short = ext(NONE, bytes((0xC6, 7)) + bytes(7), bytes(5))
    cn.send(with_hao(COA, GLOBAL, HOA, short, 60))
    cn.nothing()
    assert cn.drops() == {"MIP6_BUSHORT": 1}
    assert cn.kern.stats.ip6["ip6s_badoptions"] == 1


def test_update_to_a_group_ends_the_packet(cn: Stage) -> None:
    cn.send(bu(COA, "ff02::1", HOA))
    cn.nothing()
    assert cn.drops() == {"MIP6_BUDST": 1}


def test_home_address_of_this_node_is_nobody_elses(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, GLOBAL))
    assert bindings(cn) == {}


def test_acknowledgement_that_cannot_be_sent_is_told() -> None:
    stage = Stage(globals_=True, kernel="options MIP6")  # without a route to anywhere
    unprotected(stage)
    configure(stage, SIOCSMIP6CFG_ENABLEDEBUG)
    stage.send(bu(COA, GLOBAL, HOA))
    stage.nothing()
    assert f"sending BA to {HOA}({COA}) failed" in stage.kern.log.dmesg()
    stage.forget()
    stage.send(bu("2001:db8:1::9", GLOBAL, HOA, seq=2))
    assert "failed" not in stage.kern.log.dmesg().split("failed", 1)[1]


# -- protection -----------------------------------------------------------------------------------


@pytest.mark.parametrize("signed", [False, True])
def test_unprotected_updates_are_not_accepted_and_the_log_tells(signed: bool) -> None:
    stage = Stage(globals_=True, kernel="options MIP6")
    configure(stage, SIOCSMIP6CFG_ENABLEDEBUG)
    subopts = (AuthData(1500, bytes(12)),) if signed else ()
    option = build_options(NONE, [WIRE.aligned(update(more=subopts))])
    stage.send(with_hao(COA, GLOBAL, HOA, option, 60))
    stage.nothing()
    assert bindings(stage) == {}
    assert stage.drops() == {"MIP6_BUNOSA" if signed else "MIP6_BUNOAUTH": 1}
    said = "invalid authenticataion data" if signed else "an unprotected binding update"
    assert f"{said} from host {HOA}" in stage.kern.log.dmesg()


# -- the cache ------------------------------------------------------------------------------------


def test_binding_ends_at_the_tick_after_its_lifetime(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, lifetime=10, flags=""))
    end = -(-(cn.now + 10 * NS) // NS) * NS
    cn.until(end - 1)
    assert bindings(cn) == {HOA: COA}
    cn.until(end)
    assert bindings(cn) == {}


def test_update_starts_the_lifetime_anew(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, lifetime=10, flags="", seq=1))
    cn.wait(8)
    cn.send(bu(COA, GLOBAL, HOA, lifetime=10, flags="", seq=2))
    cn.wait(8)
    assert bindings(cn) == {HOA: COA}


def test_binding_request_goes_with_packets_of_the_last_quarter_once_a_second(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, lifetime=40, flags=""))
    ping = with_hao(COA, GLOBAL, HOA, echo(HOA, GLOBAL)[40:], 58)

    def asked() -> bool:
        cn.send(ping)
        return seen(cn.only()).asks

    cn.wait(29)
    assert not asked()
    cn.wait(2)
    assert asked()
    assert not asked()
    cn.wait(1)
    assert asked()
    cn.send(bu(COA, GLOBAL, HOA, lifetime=40, flags="", seq=2))
    assert not asked()


def test_bindings_belong_to_the_address_that_was_updated(cn: Stage) -> None:
    other = "2001:db8:1::78"
    cn.run(f"ifconfig fxp0 inet6 {other} prefixlen 64 alias")
    cn.wait(5)
    cn.send(bu(COA, GLOBAL, HOA, flags="", seq=100))
    cn.forget()
    cn.send(bu(COA2, other, HOA, seq=1))
    assert seen(cn.only()).ba.status == 0
    cn.send(with_hao(COA, GLOBAL, HOA, echo(HOA, GLOBAL)[40:], 58))
    assert seen(cn.only()).hops == (COA, HOA)
    cn.send(with_hao(COA2, other, HOA, echo(HOA, other)[40:], 58))
    assert seen(cn.only()).hops == (COA2, HOA)


def test_least_recently_used_binding_gives_way(cn: Stage) -> None:
    mobility(cn).bc_maxentries = 2
    first, second, third = (f"2001:db8:9::{n}" for n in (1, 2, 3))
    cn.send(bu(COA, GLOBAL, first, flags=""))
    cn.send(bu(COA, GLOBAL, second, flags=""))
    cn.send(with_hao(COA, GLOBAL, first, echo(first, GLOBAL)[40:], 58))  # used
    cn.send(bu(COA, GLOBAL, third, flags=""))
    assert set(bindings(cn)) == {first, third}


def test_administrator_may_shorten_lifetimes(cn: Stage) -> None:
    cn.kern.sysctl.write("net.inet6.mip6.bc_lifetime_limit", 30)
    cn.send(bu(COA, GLOBAL, HOA, lifetime=60))
    ba = seen(cn.only()).ba
    assert (ba.lifetime_s, ba.refresh_s) == (30, 30)
    (bc,) = mobility(cn).mip6_bc_list.values()
    assert (bc.mbc_lifetime, bc.mbc_expire - cn.now) == (30, 30 * NS)


def _lives(cn: Stage, hoa: str, lifetime: int, before: int = 0) -> list[BcSt]:
    """State of a binding in each second after its last update, one with ``before`` came first."""
    if before:
        cn.send(bu(COA, GLOBAL, hoa, seq=1, lifetime=before, flags=""))
    cn.wait(2)
    cn.send(bu(COA, GLOBAL, hoa, seq=2, lifetime=lifetime, flags=""))
    (bc,) = mobility(cn).mip6_bc_list.values()
    states = []
    for _ in range(lifetime + 2):
        states.append(bc.mbc_st)
        cn.wait(1)
    return states


@pytest.mark.parametrize(("before", "last"), [(40, 80), (80, 40), (40, 40), (80, 3), (3, 80)])
def test_a_renewed_binding_lives_like_a_new_one(cn: Stage, before: int, last: int) -> None:
    renewed = _lives(cn, HOA, last, before)
    assert bindings(cn) == {}
    assert renewed == _lives(cn, "2001:db8:9::11", last)
    assert (BcSt.BRWANTED in renewed) is (last >= 4)  # no quarter of less
    assert renewed[-1] is BcSt.NONE


def unreachable(cn: Stage, quoted: bytes) -> None:
    cn.send(error(ROUTER, GLOBAL, 1, 3, quoted), ROUTER_MAC)


def test_binding_goes_when_its_care_of_address_stays_unreachable(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    cn.send(with_hao(COA, GLOBAL, HOA, echo(HOA, GLOBAL)[40:], 58))
    ours = cn.only().packet
    for _ in range(2):
        unreachable(cn, ours)
        cn.wait(1)
    assert bindings(cn) == {HOA: COA}
    unreachable(cn, ours)
    assert bindings(cn) == {}


def test_errors_of_one_moment_count_once(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    cn.send(with_hao(COA, GLOBAL, HOA, echo(HOA, GLOBAL)[40:], 58))
    ours = cn.only().packet
    for _ in range(5):
        unreachable(cn, ours)
    assert bindings(cn) == {HOA: COA}


def test_errors_far_apart_are_not_persistent(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags="", lifetime=10000))
    cn.send(with_hao(COA, GLOBAL, HOA, echo(HOA, GLOBAL)[40:], 58))
    ours = cn.only().packet
    for _ in range(5):
        unreachable(cn, ours)
        cn.wait(61)
    assert bindings(cn) == {HOA: COA}


def test_errors_about_packets_that_went_elsewhere_touch_no_binding(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    for _ in range(5):
        unreachable(cn, echo(GLOBAL, HOA))
        cn.wait(2)
    assert bindings(cn) == {HOA: COA}


def test_neighbour_discovery_is_not_redirected_to_care_of_addresses(cn: Stage) -> None:
    home = "2001:db8:1::10"  # its home link is ours
    cn.tn.neighbours[home] = PEER_MAC
    cn.send(bu(COA, GLOBAL, home, flags=""))
    cn.forget()
    cn.send(ns(GLOBAL, home, dst=GLOBAL))
    heard = cn.take()
    assert all(len(seen(h).hops) == 1 for h in heard) and heard


def test_routing_header_of_the_sender_gets_the_care_of_address_before_the_last_hop(
    cn: Stage,
) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    hop = "2001:db8:7::1"
    m = m_get(cn.kern, udp(GLOBAL, HOA))
    m.src, m.dst = addr(GLOBAL), addr(HOA)
    ip6_output(cn.kern, m, Ip6Pktopts(ip6po_rthdr=build_rthdr0(NONE, [addr(hop)], 1)))
    cn.settle()
    assert seen(cn.only()).hops == (hop, COA, HOA)


def test_nothing_is_lost(cn: Stage) -> None:
    for seq, lifetime in pairwise(range(1, 20)):
        cn.send(bu(COA, GLOBAL, HOA, seq=seq, lifetime=lifetime))
    cn.wait(60)
    cn.conserved()
    assert bindings(cn) == {}


def test_binding_is_not_used_between_its_end_and_the_tick(cn: Stage) -> None:
    cn.wait(0.5)
    cn.send(bu(COA, GLOBAL, HOA, lifetime=10, flags=""))
    ping = with_hao(COA, GLOBAL, HOA, echo(HOA, GLOBAL)[40:], 58)
    end = cn.now + 10 * NS
    cn.until(end - 1)
    cn.send(ping)
    assert seen(cn.only()).hops == (COA, HOA)
    cn.until(end)
    assert bindings(cn) == {HOA: COA}
    cn.send(ping)
    assert seen(cn.only()).hops == (HOA,)


def test_deleted_binding_leaves_no_timer(cn: Stage) -> None:
    cn.wait(600)
    before = cn.kern.next_deadline()
    cn.send(bu(COA, GLOBAL, HOA, seq=1, flags="", lifetime=5))
    assert cn.kern.next_deadline() != before
    cn.send(bu(COA, GLOBAL, HOA, seq=2, flags="", lifetime=0))
    assert cn.kern.next_deadline() == before


def test_mip6control_sees_what_is_bound(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, seq=7, lifetime=40))
    cn.wait(31)
    (row,) = rows(cn)
    home, coa, own = addr(HOA), addr(COA), addr(GLOBAL)
    expire = 40 - 31
    assert row == BcSnap(home, coa, own, 0x80, 0, 7, 40, expire, MIP6_BC_STATE_BR_WAITSENT, "")


def test_error_about_a_packet_of_a_node_that_is_itself_away_is_about_its_home_address(
    cn: Stage,
) -> None:
    """The correspondent is mobile, too: its packets carry its home address as an option."""
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    own_coa = "2001:db8:1::78"
    cn.run(f"ifconfig fxp0 inet6 {own_coa} prefixlen 64 alias")
    cn.wait(5)
    sent = with_rthdr(with_hao(own_coa, COA, GLOBAL), HOA)
    for _ in range(3):
        cn.send(error(ROUTER, own_coa, 1, 3, sent), ROUTER_MAC)
        cn.wait(1)
    assert bindings(cn) == {}
