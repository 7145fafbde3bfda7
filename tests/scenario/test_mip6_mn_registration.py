# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node registers with its home agent (draft-15 s.10.7, s.10.11-10.13)."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6.mip6_mnstate import (
    MIP6_BU_REG_STATE_REG,
    MIP6_BU_REG_STATE_REGWAITACK,
)
from kame_py.mip6.mip6_var import MIP6_BU_STATE_WAITACK
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCAHOMEPREFIX_HIF
from tests.scenario.mip6words import Seen
from tests.scenario.mnstage import (
    COA,
    COA2,
    HA,
    HA2,
    HA2_LL,
    HOA,
    HOME,
    KERNELS,
    PLTIME,
    VLTIME,
    MnStage,
    hao_of,
)
from tests.scenario.words import Heard, addr

A, H, S, D = 0x80, 0x40, 0x20, 0x10


@pytest.fixture(params=KERNELS)
def mn(request: pytest.FixtureRequest) -> MnStage:
    """In both drafts."""
    return MnStage(kernel=KERNELS[request.param])


def times(mn: MnStage, seconds: float) -> list[float]:
    """When updates leave during the next seconds, seconds after the first of them."""
    mn.wait(seconds)
    sent = [heard.t_ns for heard, _, _ in mn.updates()]
    return [(t - sent[0]) / NS for t in sent]


def first(mn: MnStage) -> tuple[Heard, int, Seen]:
    heard, update, packet = mn.updates()[0]
    return heard, update.flags, packet


def test_on_a_foreign_link_the_first_update_asks_for_duplicate_detection(mn: MnStage) -> None:
    mn.arrive()
    heard, update, packet = mn.updates()[0]
    assert (packet.src, packet.hops, hao_of(packet)) == (COA, (HA,), HOA)
    assert (update.flags, update.seqno, update.reserved) == (A | H | D, 1, 0)
    assert update.lifetime_s == PLTIME
    assert (packet.nxt, packet.rest) == (59, b"")


def test_first_update_leaves_within_a_second_of_the_move(mn: MnStage) -> None:
    mn.land("2001:db8:2::")
    moved = mn.now
    mn.wait(1.1)
    (heard, _, _), *_ = mn.updates()
    assert 0 < mn.since(moved, heard) <= 1


def test_log_tells_the_way_abroad_in_kames_words(mn: MnStage) -> None:
    mn.abroad()
    text = [line.removeprefix("mip6.c: ") for line in mn.logged()]
    for want in (
        "prefix 2001:db8:2:: from fe80::290:27ff:fe00:a1",
        "receive a new prefix 2001:db8:2::",
        "found a new router fe80::290:27ff:fe00:a1(::)",
        f"CoA has changed to {COA}",
        f"home address is {HOA}",
        "BU timer started.",
    ):
        assert want in text
    assert "location = 2" in mn.logged()


def test_acknowledgement_ends_retransmission_and_starts_the_refresh(mn: MnStage) -> None:
    mn.arrive()
    mn.acknowledge(lifetime=100, refresh=40)
    granted = mn.now
    bu = mn.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REG
    assert not bu.mbu_state & MIP6_BU_STATE_WAITACK
    mn.wait(39)
    assert mn.updates() == []
    mn.wait(2)
    ((heard, update, _),) = mn.updates()
    assert 40 <= mn.since(granted, heard) < 41
    assert update.flags == A | H  # a binding is alive: no duplicate detection


def test_unanswered_first_registration_waits_two_seconds_then_doubles(mn: MnStage) -> None:
    mn.land("2001:db8:2::")
    # 1.5 times a second of duplicate detection is two ticks; KAME adds one to later timeouts
    assert times(mn, 100)[:6] == [0, 2, 7, 16, 33, 66]


def test_first_timeout_covers_duplicate_detection_of_a_slow_link(mn: MnStage) -> None:
    mn.kern.ip6.ip6_dad_count = 3
    mn.land("2001:db8:2::")
    first, second, *_ = times(mn, 30)
    assert second - first == 5  # 4.5 s
    mn.wait(100)
    mn.acknowledge()
    mn.forget()
    mn.elsewhere()
    first, second, third, *_ = times(mn, 30)
    assert (second - first, third - second) == (1, 3)  # bound: 1 s, then KAME's second more


def test_update_of_a_living_binding_is_repeated_as_kame_did(mn: MnStage) -> None:
    mn.abroad()
    mn.elsewhere()
    mn.wait(300)
    sent = [heard.t_ns // NS for heard, _, packet in mn.updates() if packet.src == COA2]
    start = sent[0] - 1
    assert [t - start for t in sent] == [1, 2, 5, 10, 19, 36, 69, 134, 263]


def test_every_retransmission_has_the_next_number(mn: MnStage) -> None:
    mn.arrive()
    mn.wait(40)
    numbers = [update.seqno for _, update, _ in mn.updates()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_answer_to_an_earlier_retransmission_counts(mn: MnStage) -> None:
    mn.arrive()
    sent = mn.updates()
    assert len(sent) > 1
    mn.ack(sent[0][1].seqno)
    bu = mn.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REG


def test_answer_to_nothing_that_was_sent_is_ignored(mn: MnStage) -> None:
    mn.arrive()
    last = mn.updates()[-1][1].seqno
    mn.forget()
    mn.ack(last + 1)
    bu = mn.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
    assert mn.kern.stats.ip6["ip6s_badoptions"] == 1
    want = f"unmached sequence no ({last + 1} recv, {last} sent) from host {HA}."
    assert f"mip6.c: {want}" in mn.logged()


def test_answer_from_a_stranger_is_ignored(mn: MnStage) -> None:
    mn.arrive()
    mn.ack(mn.updates()[-1][1].seqno, src=HA2)
    assert mn.logged()[-1].endswith("no matching binding update entry found.")


def test_lifetime_is_less_what_the_home_agent_did_not_grant(mn: MnStage) -> None:
    mn.arrive()
    bu = mn.entry_of(HA)
    assert bu is not None
    sent = bu.mbu_sent_at
    mn.acknowledge(lifetime=1000)
    assert bu.mbu_expire == sent + 1000 * NS


def test_refresh_never_comes_after_the_lifetime(mn: MnStage) -> None:
    mn.arrive()
    mn.acknowledge(lifetime=20, refresh=1000)
    mn.forget()
    mn.wait(22)
    assert mn.updates()


def test_expired_registration_is_made_anew_with_duplicate_detection(mn: MnStage) -> None:
    mn.abroad(lifetime=20, refresh=15)
    mn.wait(60)
    flags = [update.flags for _, update, _ in mn.updates()]
    assert A | H in flags[:1] and flags[-1] == A | H | D


def test_lifetime_is_the_shorter_of_care_of_address_and_home_prefix(mn: MnStage) -> None:
    mn.land("2001:db8:2::", preferred=500, valid=800)
    mn.wait(1)
    assert mn.updates()[0][1].lifetime_s == 499


def test_updates_are_not_sent_without_security_association_and_the_log_says_so() -> None:
    mn = MnStage(authdata=True)
    mn.arrive()
    mn.wait(30)
    assert mn.updates() == []
    told = [line for line in mn.logged() if "authdata create failed." in line]
    assert len(told) == 1 and HA in told[0]


def test_unprotected_answer_is_refused_while_authentication_is_asked_for() -> None:
    mn = MnStage()
    mn.arrive()
    seq = mn.updates()[-1][1].seqno
    mn.mip6.config.mcfg_use_authdata = 1
    mn.ack(seq)
    bu = mn.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
    assert f"mip6.c: an unprotected binding ack from host {HA}" in mn.logged()


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [130, 131, 132, 133, 136, 137])
def test_refusal_leads_to_the_next_home_agent_at_once(status: int) -> None:
    mn = MnStage()
    mn.agent(HA2, HA2_LL)
    mn.arrive()
    (one, *_) = {packet.hops[0] for _, _, packet in mn.updates()}
    bu = next(iter(mn.sc.hif_bu_list))
    mn.ack(bu.mbu_seqno, status, 0, src=one)
    mn.wait(1.5)
    _, update, packet = mn.updates()[0]
    assert packet.hops[0] == ({HA, HA2} - {one}).pop()
    assert update.flags == A | H | D
    assert any(f"BU rejected (error code {status})." in line for line in mn.logged())


def test_round_of_refusals_ends_in_a_pause() -> None:
    mn = MnStage()
    mn.agent(HA2, HA2_LL)
    mn.arrive()
    for _ in range(2):
        _, update, packet = mn.updates()[-1]
        mn.ack(update.seqno, 131, 0, src=packet.hops[0])
        mn.wait(1.5)
    assert mn.updates() == []
    mn.wait(10)
    assert mn.updates()


@pytest.mark.parametrize("status", [128, 139, 200])
def test_other_refusals_are_tried_again_with_the_same_one(mn: MnStage, status: int) -> None:
    mn.arrive()
    refused = mn.now
    mn.ack(mn.updates()[-1][1].seqno, status, 0)
    mn.wait(20)
    heard, _, packet = mn.updates()[0]
    assert packet.hops == (HA,)
    assert 10 <= mn.since(refused, heard) <= 11


def test_home_address_that_another_node_has_is_never_used_again(mn: MnStage) -> None:
    mn.arrive()
    assert mn.hifs() == [HOA]
    mn.ack(mn.updates()[-1][1].seqno, 138, 0)
    assert mn.hifs() == [] and mn.sc.hif_bu_list == []
    mn.elsewhere()
    mn.wait(30)
    assert mn.updates() == [] and mn.hifs() == []
    assert any(f"home address {HOA} is used by another node" in line for line in mn.logged())


@pytest.mark.parametrize("mn", ["draft-15"], indirect=True)
def test_restarted_node_takes_up_the_numbers_of_its_home_agent(mn: MnStage) -> None:
    mn.arrive()
    mn.ack(mn.updates()[-1][1].seqno, 141, 0)  # 1: not smaller than what we sent
    mn.wait(2)
    mn.forget()
    mn.ack(77, 141, 0)
    mn.wait(1.5)
    assert mn.updates()[0][1].seqno == 79  # KAME: the cached number and two


def test_too_small_for_a_number_below_ours_is_ignored(mn: MnStage) -> None:
    mn.arrive()
    last = mn.updates()[-1][1].seqno
    mn.ack(last - 1 & 0xFF, 141, 0)
    peer = mn.mip6.mip6_peers[addr(HA)]
    assert peer.seqno == last


# -- several home agents, several prefixes ---------------------------------------------------------


def test_next_home_agent_is_tried_at_the_limit_of_retransmission() -> None:
    mn = MnStage()
    mn.agent(HA2, HA2_LL)
    mn.arrive()
    mn.wait(1100)
    order = [packet.hops[0] for _, _, packet in mn.updates()]
    assert set(order) == {HA, HA2}
    assert order.index(HA) != order.index(HA2)


def test_next_home_agent_is_asked_with_short_timeouts_again() -> None:
    mn = MnStage()
    mn.agent(HA2, HA2_LL)
    mn.arrive()
    mn.wait(1100)
    sent = [(heard.t_ns // NS, packet.hops[0]) for heard, _, packet in mn.updates()]
    first = next(i for i, (_, ha) in enumerate(sent) if ha != sent[0][1])
    assert sent[first + 1][0] - sent[first][0] <= 3


def test_refresh_that_nobody_answers_becomes_a_registration_with_the_next() -> None:
    mn = MnStage()
    mn.agent(HA2, HA2_LL)
    mn.arrive()
    bu = mn.sc.hif_bu_list[0]
    old = bu.mbu_paddr
    mn.ack(bu.mbu_seqno, 0, 20000, 5, src=ntop(old))
    mn.forget()
    assert mn.world.run_ns(mn.now + 1300 * NS, lambda: bu.mbu_paddr != old)
    assert bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
    asked = mn.now
    mn.forget()
    mn.wait(1)
    assert [heard.t_ns - asked <= NS for heard, _, _ in mn.updates()] == [True]


def test_only_home_agent_is_asked_on_at_the_slowest_rate(mn: MnStage) -> None:
    mn.arrive()
    mn.wait(2000)
    sent = [heard.t_ns // NS for heard, _, _ in mn.updates()]
    assert [b - a for a, b in zip(sent[-4:], sent[-3:], strict=False)] == [257, 257, 257]


def test_preferred_home_agent_is_asked_first() -> None:
    mn = MnStage()
    mn.agent(HA2, HA2_LL, pref=5)
    mn.arrive()
    assert mn.updates()[0][2].hops == (HA2,)


def test_every_home_prefix_is_registered_with_its_own_address() -> None:
    mn = MnStage()
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr("2001:db8:1:8::"), 64, VLTIME, PLTIME))
    mn.agent("2001:db8:1:8::1", "fe80::1:8")
    mn.arrive()
    sent = {(hao_of(packet), packet.hops[0], update.flags) for _, update, packet in mn.updates()}
    second = HOA.replace("8:1:0:", "8:1:8:")
    assert sent == {
        (HOA, HA, A | H | S | D),
        (second, "2001:db8:1:8::1", A | H | S | D),
    }
    assert set(mn.hifs()) == {HOA, second}


def test_next_home_agent_cannot_answer_what_the_one_before_was_asked() -> None:
    mn = MnStage()
    mn.agent(HA2, HA2_LL)
    mn.arrive()
    first = mn.updates()[0][2].hops[0]
    second = HA if first == HA2 else HA2
    while mn.entry_of(second) is None:
        mn.wait(1)
    mn.wait(2)
    assert [u.seqno for _, u, p in mn.updates() if p.hops == (second,)] == [1]
    mn.ack(5, src=second)
    bu = mn.entry_of(second)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
    mn.ack(bu.mbu_seqno, src=second)
    assert bu.mbu_reg_state == MIP6_BU_REG_STATE_REG


def test_home_prefix_that_is_no_longer_valid_is_not_registered() -> None:
    mn = MnStage()
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 64, 0, 0))
    mn.arrive()
    assert mn.updates() == [] and mn.sc.hif_bu_list == []


def test_home_agent_without_configured_prefix_is_refused() -> None:
    mn = MnStage(ha="", home="")
    with pytest.raises(KError, match="Invalid argument"):
        mn.agent(HA, "fe80::1:1")
    want = "no hif_subnet.  you must specify at least one prefix before setting a home agent"
    assert any(want in line for line in mn.logged())


# -- rates ----------------------------------------------------------------------------------------


def test_one_update_a_second_then_one_in_ten_about_one_care_of_address(mn: MnStage) -> None:
    mn.abroad()
    for _ in range(400):
        mn.request(HA)
        mn.wait(0.1)
    sent = [heard.t_ns / NS for heard, _, _ in mn.updates()]
    gaps = [round(b - a) for a, b in zip(sent, sent[1:], strict=False)]
    assert gaps == [1, 1, 10, 10, 10]  # two had left before


def test_more_than_was_asked_for_is_not_believed(mn: MnStage) -> None:
    mn.arrive()
    bu = mn.entry_of(HA)
    assert bu is not None
    asked = bu.mbu_lifetime
    mn.acknowledge(lifetime=asked + 10000)
    assert bu.mbu_reg_state == MIP6_BU_REG_STATE_REG and bu.mbu_lifetime == asked


def test_answer_about_the_care_of_address_before_does_not_count(mn: MnStage) -> None:
    mn.arrive()
    old = mn.updates()[-1][1].seqno
    mn.elsewhere()
    mn.ack(old)
    bu = mn.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
