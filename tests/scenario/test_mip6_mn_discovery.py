# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node looks for home agents and for news of its home prefixes.

draft-15 s.10.8, s.10.16, s.10.17.
"""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6 import mip6_dhaad
from kame_py.mip6.mip6_ha import mip6_ha_list_find_withaddr, mip6_ha_list_remove
from kame_py.wire.codecs import HaDiscovReq, Icmp6Hdr, MpAdvert
from kame_py.wire.const import (
    ICMP6_HADISCOV_REQUEST,
    ICMP6_MOBILEPREFIX_SOLICIT,
    ND_RA_FLAG_HOME_AGENT,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCAHOMEPREFIX_HIF, SIOCSMIP6CFG_ENABLEAUTHDATA
from kame_py.wire.mip6 import HaDiscoveryReply, build_ha_reply
from kame_py.wire.nd6opt import build_homeagent_opt
from tests.scenario.mip6words import seen
from tests.scenario.mnstage import (
    COA,
    COA2,
    FOREIGN,
    HA,
    HA2,
    HA_LL,
    HA_MAC,
    HOA,
    HOME,
    KERNELS,
    PLTIME,
    VLTIME,
    MnStage,
    hao_of,
)
from tests.scenario.statwords import counted
from tests.scenario.tester import ROUTER_MAC
from tests.scenario.words import Heard, addr, icmp6, pi

ANYCAST: Final = "2001:db8:1:0:fdff:ffff:ffff:fffe"
HA3: Final = "2001:db8:1::3"
FAR_HA: Final = "2001:db8:9::1"


@pytest.fixture(params=KERNELS)
def mn(request: pytest.FixtureRequest) -> MnStage:
    """Away, and no home agent is known."""
    mn = MnStage(ha="", kernel=KERNELS[request.param])
    mn.land()
    mn.settle()
    return mn


def messages(mn: MnStage, kind: int) -> list[tuple[Heard, bytes]]:
    """ICMPv6 messages of a type among those heard."""
    found = [(h, seen(h).rest) for h in mn.tn.frames if seen(h).nxt == 58]
    return [(h, m) for h, m in found if Icmp6Hdr.unpack(m).icmp6_type == kind]


def requests(mn: MnStage) -> list[tuple[Heard, HaDiscovReq]]:
    return [(h, HaDiscovReq.unpack(m)) for h, m in messages(mn, ICMP6_HADISCOV_REQUEST)]


def reply(mn: MnStage, ident: int, *agents: str, src: str = HA, dst: str = COA) -> None:
    body = build_ha_reply(HaDiscoveryReply(ident, tuple(map(addr, agents))))
    mn.send(icmp6(src, dst, body, 64), ROUTER_MAC)


def asked(mn: MnStage) -> list[str]:
    """The home agents that updates go to."""
    return [packet.hops[0] for _, _, packet in mn.updates()]


# -- home agents ----------------------------------------------------------------------------------


def test_request_goes_from_the_care_of_address_to_the_anycast_address(mn: MnStage) -> None:
    mn.wait(1)
    heard, request = requests(mn)[0]
    packet = seen(heard)
    assert (packet.src, packet.hops, packet.options) == (COA, (ANYCAST,), ())
    assert (request.ha_dreq_id, request.ha_dreq_reserved) == (0, 0)
    assert len(packet.rest) == mn.wire.ha_request_size
    assert mn.wire.unpack_ha_request(packet.rest, 0).home in (None, addr(HOA))
    assert "mip6.c: no home agent.  start ha discovery." in mn.logged()


def test_unanswered_request_is_repeated_three_times_and_then_rests(mn: MnStage) -> None:
    mn.wait(40)
    sent = [heard.t_ns for heard, _ in requests(mn)]
    assert [round((t - sent[0]) / NS) for t in sent] == [0, 2, 6, 14]
    assert [r.ha_dreq_id for _, r in requests(mn)] == [0, 1, 2, 3]
    mn.forget()
    mn.wait(25)
    assert round((requests(mn)[0][0].t_ns - sent[0]) / NS) == 30 + 32


def test_pauses_between_searches_double_up_to_256_seconds() -> None:
    mn = MnStage(ha="")
    mn.land()
    mn.wait(950)
    sent = [heard.t_ns for heard, _ in requests(mn)]
    one = [0, 2, 6, 14]  # and 16 s of waiting for the last answer
    starts = (0, 30 + 32, 62 + 30 + 64, 156 + 30 + 128, 314 + 30 + 256, 600 + 30 + 256)
    want = [start + t for start in starts for t in one]
    got = [round((t - sent[0]) / NS) for t in sent]
    assert got == want


def test_search_that_is_no_longer_wanted_asks_nobody(mn: MnStage) -> None:
    """It ends in the same moment, before the request has left."""
    mn.wait(1)
    mn.forget()
    mip6_dhaad.mip6_dhaad_moved(mn.kern, mn.sc)
    mip6_dhaad.mip6_dhaad_stop(mn.kern, mn.sc)
    mn.wait(1)
    assert requests(mn) == [] and mn.sc.hif_hadiscovid is None


@pytest.mark.parametrize(("last", "following"), [(0x1FF, 0x200), (0xFFFF, 0)])
def test_numbers_of_requests_have_sixteen_bits(mn: MnStage, last: int, following: int) -> None:
    mn.mip6.mip6_hadiscovid = last
    mn.wait(7)
    assert [r.ha_dreq_id for _, r in requests(mn)] == [0, last, following]


def test_move_in_the_middle_of_a_search_begins_a_whole_one(mn: MnStage) -> None:
    mn.wait(7)
    mn.forget()
    mn.elsewhere()
    mn.wait(30)
    sent = [h.t_ns for h, _ in requests(mn) if seen(h).src == COA2]
    assert [round((t - sent[0]) / NS) for t in sent] == [0, 2, 6, 14]


def test_move_starts_the_search_again_at_once(mn: MnStage) -> None:
    mn.wait(35)
    mn.forget()
    mn.elsewhere()
    assert [seen(h).src for h, _ in requests(mn)][-1] == COA2


def test_reply_gives_the_registration_its_home_agent(mn: MnStage) -> None:
    mn.wait(1)
    reply(mn, 0, HA, HA2)
    mn.wait(1.1)
    ((_, update, packet),) = mn.updates()
    assert (packet.hops, hao_of(packet), update.seqno) == ((HA,), HOA, 1)
    mn.wait(1)
    assert mn.updates() == []  # two seconds for duplicate detection
    mn.wait(29)
    assert len(requests(mn)) == 1


def test_order_of_the_reply_is_the_order_of_tries(mn: MnStage) -> None:
    mn.wait(1)
    reply(mn, 0, HA3, HA2, HA, src=HA)
    for want in (HA3, HA2, HA):
        mn.wait(1.5)
        _, update, packet = mn.updates()[-1]
        assert packet.hops == (want,)
        mn.ack(update.seqno, 131, 0, src=want)


def test_home_agent_that_answers_without_listing_itself_is_the_best(mn: MnStage) -> None:
    mn.wait(1)
    reply(mn, 0, HA2, HA3)
    mn.wait(1.1)
    assert asked(mn) == [HA]


@pytest.mark.parametrize(
    ("ident", "src", "dst"),
    [(7, HA, COA), (0, FAR_HA, COA), (0, HA, HOA)],
    ids=["another number", "not from the home link", "not to the care-of address"],
)
def test_reply_that_does_not_fit_is_ignored(mn: MnStage, ident: int, src: str, dst: str) -> None:
    mn.wait(1)
    reply(mn, ident, HA, src=src, dst=dst)
    mn.wait(1.1)
    assert asked(mn) == [] and mn.mip6.mip6_ha_list[0].mha_flags == 0


def test_reply_that_nobody_asked_for_is_ignored() -> None:
    mn = MnStage()
    mn.abroad()
    reply(mn, 0, HA2)
    assert {ntop(mha.mha_gaddr) for mha in mn.mip6.mip6_ha_list} == {"::", HA}


def test_every_home_link_is_asked_for_its_home_agent() -> None:
    mn = MnStage(ha="")
    other = "2001:db8:7::"
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(other), 64, VLTIME, PLTIME))
    mn.land()
    mn.wait(1.1)
    reply(mn, 0, HA)
    mn.wait(0.1)  # at once
    second = requests(mn)[-1]
    assert seen(second[0]).hops == (ANYCAST.replace("8:1:0", "8:7:0"),)
    reply(mn, second[1].ha_dreq_id, other + "1", src=other + "1")
    mn.wait(1.1)
    assert set(asked(mn)) == {HA, other + "1"}


def test_reply_tells_of_sixty_four_home_agents_at_most(mn: MnStage) -> None:
    mn.wait(1.1)
    reply(mn, 0, *(f"2001:db8:1::{n:x}" for n in range(1, 71)))
    (ms,) = mn.sc.hif_hs_list_home
    assert [ntop(mha.mha_gaddr) for mha in ms.ms_msha_list][-1] == "2001:db8:1::40"
    assert len(ms.ms_msha_list) == 64


def test_reply_after_the_search_was_stopped_is_ignored(mn: MnStage) -> None:
    mn.wait(1)
    mn.agent(HA2, "fe80::1:2")
    mn.wait(1.1)
    _, update, _ = mn.updates()[0]
    mn.ack(update.seqno, src=HA2)
    reply(mn, 0, HA)
    assert mip6_ha_list_find_withaddr(mn.mip6, addr(HA)) is None


def test_addresses_of_other_prefixes_in_a_reply_are_left_out(mn: MnStage) -> None:
    mn.wait(1)
    reply(mn, 0, FAR_HA, HA2, "ff02::1", "fe80::5", src=HA)
    known = {ntop(mha.mha_gaddr) for mha in mn.mip6.mip6_ha_list}
    assert known == {"::", HA, HA2}


def test_cut_reply_is_told_to_the_log(mn: MnStage) -> None:
    mn.wait(1)
    body = build_ha_reply(HaDiscoveryReply(0, (addr(HA),)))[:-3]
    mn.send(icmp6(HA, COA, body, 64), ROUTER_MAC)
    assert "mip6.c: failed to process a DHAAD reply." in mn.logged()


def test_discovered_home_agent_lives_on_with_its_registration(mn: MnStage) -> None:
    mn.wait(1)
    reply(mn, 0, HA, HA2)
    mn.wait(1.1)
    mn.acknowledge(lifetime=3600, refresh=3000)
    mn.forget()
    mn.wait(1900)  # MIP6_HA_DEFAULT_LIFETIME is over
    known = {ntop(mha.mha_gaddr) for mha in mn.mip6.mip6_ha_list}
    assert HA in known and HA2 not in known


def test_preference_and_lifetime_of_advertisements_count() -> None:
    mn = MnStage(ha="")
    for n, (router, pref) in enumerate((("fe80::1:1", 1), ("fe80::1:2", 20), ("fe80::1:3", -5))):
        mn.tn.neighbours[router] = HA_MAC
        option = build_homeagent_opt(pref, 100)
        mn.advertise(
            f"2001:db8:1::{n + 1}",
            router,
            HA_MAC,
            option,
            flags=ND_RA_FLAG_HOME_AGENT,
            pflags="LAR",
        )
    (ms,) = mn.sc.hif_hs_list_home
    assert [ntop(mha.mha_gaddr) for mha in ms.ms_msha_list] == [HA2, HA, HA3]
    mn.wait(101)
    assert ms.ms_msha_list == []


def test_router_that_says_it_is_home_agent_no_more_is_none() -> None:
    mn = MnStage(ha="")
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HA, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR")
    mn.advertise(HA, HA_LL, HA_MAC, pflags="LAR")
    mn.arrive(FOREIGN)
    assert requests(mn) and asked(mn) == []


def test_router_that_withdraws_is_forgotten() -> None:
    mn = MnStage(ha="")
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HA, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR")
    mn.advertise(HA, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR", lifetime=0)
    assert mn.mip6.mip6_ha_list == []


def test_home_agent_stays_while_its_answer_is_awaited_and_others_are_looked_for() -> None:
    mn = MnStage(ha="")
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HA, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR", lifetime=20)
    mn.wait(6)
    mn.arrive(FOREIGN)
    mn.forget()
    mn.wait(60)
    assert set(asked(mn)) == {HA}
    assert len(requests(mn)) == 4
    mn.forget()
    mn.wait(200)
    mn.acknowledge()
    mn.forget()
    mn.wait(600)
    assert requests(mn) == []


def test_registration_whose_home_agent_is_gone_looks_for_another() -> None:
    mn = MnStage()
    mn.abroad()
    mip6_ha_list_remove(mn.kern, mn.mip6.mip6_ha_list[-1])
    mn.settle()
    assert len(requests(mn)) == 1
    reply(mn, 0, HA2, src=HA2)
    mn.wait(1.1)
    ((_, update, packet),) = mn.updates()
    assert packet.hops == (HA2,) and update.seqno == 1


def silent(mn: MnStage) -> list[tuple[Heard, HaDiscovReq]]:
    """Nobody answers the updates until the timeout is at its limit; what is asked then."""
    mn.forget()
    assert mn.world.run_ns(mn.now + 530 * NS, lambda: bool(requests(mn)))
    return requests(mn)


def test_home_agent_that_is_silent_to_the_limit_is_replaced_by_one_of_a_new_search(
    mn: MnStage,
) -> None:
    mn.wait(1)
    reply(mn, 0, HA)
    mn.wait(1.1)
    mn.acknowledge(lifetime=20000)
    mn.elsewhere()
    ((heard, request),) = silent(mn)
    assert seen(heard).src == COA2
    mn.forget()
    reply(mn, request.ha_dreq_id, HA, HA2, src=HA2, dst=COA2)
    mn.wait(1.1)
    assert asked(mn) == [HA2]
    mn.forget()
    mn.wait(1.1)
    assert asked(mn) == [HA2]  # soon again


def test_search_that_finds_only_the_silent_home_agent_comes_back_with_the_next_update(
    mn: MnStage,
) -> None:
    mn.wait(1)
    reply(mn, 0, HA)
    ((_, request),) = silent(mn)
    reply(mn, request.ha_dreq_id, HA)
    mn.forget()
    mn.wait(250)
    assert asked(mn) == requests(mn) == []
    mn.wait(7)
    assert asked(mn) == [HA] and requests(mn)


def test_home_agent_that_answers_at_last_ends_the_search(mn: MnStage) -> None:
    mn.wait(1)
    reply(mn, 0, HA)
    ((_, request),) = silent(mn)
    mn.acknowledge()
    mn.forget()
    reply(mn, request.ha_dreq_id, HA2, src=HA2)
    mn.wait(100)
    assert requests(mn) == [] and asked(mn) == []


def test_move_while_a_home_agent_is_silent_searches_from_the_new_place(mn: MnStage) -> None:
    mn.wait(1)
    reply(mn, 0, HA)
    silent(mn)
    mn.elsewhere()
    mn.wait(8)
    heard, request = requests(mn)[-1]
    assert seen(heard).src == COA2
    mn.forget()
    reply(mn, request.ha_dreq_id, HA, HA2, dst=COA2)
    mn.wait(1.1)
    assert asked(mn) == [HA2]


def test_search_asks_the_link_whose_home_agent_is_silent() -> None:
    mn = MnStage()
    other = "2001:db8:7::"
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(other), 64, VLTIME, PLTIME))
    mn.agent(other + "1", "fe80::7:1")
    mn.arrive()
    (known,) = [u for _, u, p in mn.updates() if p.hops == (HA,)][-1:]
    mn.ack(known.seqno, lifetime=20000)
    ((heard, _),) = silent(mn)
    assert seen(heard).hops == (ANYCAST.replace("8:1:0", "8:7:0"),)


def test_refusals_do_not_go_round_faster_with_a_search(mn: MnStage) -> None:
    """The same two again: the pause after a whole round stays."""
    mn.wait(1)
    reply(mn, 0, HA, HA2)
    for _ in range(2):
        mn.wait(1.5)
        _, update, packet = mn.updates()[-1]
        mn.ack(update.seqno, 131, 0, src=packet.hops[0])
    ident = requests(mn)[-1][1].ha_dreq_id
    assert ident != 0
    reply(mn, ident, HA, HA2)
    mn.wait(9)
    assert asked(mn) == []


# -- mobile prefixes ------------------------------------------------------------------------------


def bound(valid: int) -> MnStage:
    """Registered; the home prefix was heard at home with this lifetime."""
    mn = MnStage()
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HOME, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT, valid=valid, preferred=valid)
    mn.wait(6)
    mn.arrive(FOREIGN)
    mn.acknowledge(lifetime=valid, refresh=valid)
    mn.forget()
    return mn


def solicitations(mn: MnStage) -> list[Heard]:
    return [h for h, _ in messages(mn, ICMP6_MOBILEPREFIX_SOLICIT)]


def told(mn: MnStage, *options: bytes, src: str = HA) -> None:
    """A mobile prefix advertisement to the care-of address."""
    mn.send(icmp6(src, COA, MpAdvert().pack() + b"".join(options), 64), ROUTER_MAC)


def test_solicitation_goes_out_before_the_home_address_ends() -> None:
    mn = bound(valid=8000)
    end = mn.sc.hif_hs_list_home[0].ms_mspfx_list[0].mpfx_vlexpire
    mn.until(end - 1020 * NS)
    mn.advertise(FOREIGN)  # the router's lifetime was over
    mn.until(end - 1001 * NS)
    assert solicitations(mn) == []
    mn.until(end - 985 * NS)
    sent = solicitations(mn)
    assert [round((end - h.t_ns) / NS) for h in sent] == [1000, 998, 994, 986]
    packet = seen(sent[0])
    assert (packet.src, packet.hops, packet.options, len(packet.rest)) == (COA, (HA,), (), 8)


def test_advertisement_renews_the_home_prefix_and_brings_another() -> None:
    mn = bound(valid=8000)
    told(mn, pi(HOME, 90000, 90000), pi("2001:db8:1:9::", 90000, 90000))
    mpfx, new = mn.sc.hif_hs_list_home[0].ms_mspfx_list
    assert (mpfx.mpfx_vltime, ntop(new.mpfx_prefix)) == (90000, "2001:db8:1:9::")
    second = HOA.replace("8:1:0:", "8:1:9:")
    assert mn.hifs() == [HOA, second]
    mn.wait(1.5)
    assert second in {hao_of(packet) for _, _, packet in mn.updates()}
    assert any("without IPsec" in line for line in mn.logged())


def test_advertisement_is_refused_where_protection_is_asked_for() -> None:
    mn = bound(valid=8000)
    mn.configure(SIOCSMIP6CFG_ENABLEAUTHDATA)
    told(mn, pi(HOME, 90000, 90000))
    assert mn.sc.hif_hs_list_home[0].ms_mspfx_list[0].mpfx_vltime == 8000
    assert mn.kern.drops["MIP6_MPANOAUTH"] == 1
    assert counted(mn.kern) == {"mip6s_unprotected": 1}


def test_advertisement_of_another_than_the_home_agent_is_ignored() -> None:
    mn = bound(valid=8000)
    told(mn, pi(HOME, 90000, 90000), src=HA2)
    assert mn.sc.hif_hs_list_home[0].ms_mspfx_list[0].mpfx_vltime == 8000
    assert mn.kern.drops["MIP6_MPABAD"] == 1
    assert counted(mn.kern) == {"mip6s_invalidmpa": 1}


def test_home_address_ends_with_its_prefix() -> None:
    mn = bound(valid=8000)
    mn.wait(8000)
    assert mn.hifs() == [] and mn.sc.hif_bu_list == []
