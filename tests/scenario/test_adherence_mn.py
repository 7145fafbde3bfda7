# SPDX-License-Identifier: BSD-3-Clause
"""What draft-15 asks of a mobile node beyond the stories of movement and registration.

s.7.4, s.10.1-10.3, s.10.8-10.17, s.10.20; docs/adherence names the requirement of each test.
"""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.uipc_socket import soconnect, socreate, sogetsockname, sosend
from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_REGWAITACK
from kame_py.mip6.mip6_var import (
    MIP6_BU_STATE_WAITACK,
    MIP6_BU_STATE_WAITSENT,
)
from kame_py.wire.codecs import Ip6Hdr, MpAdvert
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_ROUTING,
    ND_RA_FLAG_HOME_AGENT,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCAHOMEPREFIX_HIF
from kame_py.wire.ip6ext import build_options, build_rthdr0, walk
from kame_py.wire.mip6 import BindingAck, BindingRequest, BindingUpdate, HomeAddress
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, SockaddrIn6
from tests.scenario.mip6words import FLAGS, Seen, seen
from tests.scenario.mnstage import (
    CN,
    CN2,
    COA,
    COA2,
    FOREIGN,
    HA,
    HA2,
    HA2_LL,
    HA_LL,
    HA_MAC,
    HOA,
    HOME,
    PLTIME,
    VLTIME,
    MnStage,
    hao_of,
)
from tests.scenario.tester import ALLNODES, ROUTER, ROUTER_MAC
from tests.scenario.words import Heard, addr, echo, icmp6, ip6, is_, na, pi, summed, tll

A, H, S, D = FLAGS["A"], FLAGS["H"], FLAGS["S"], FLAGS["D"]
SECOND_HOME = "2001:db8:1:8::"
SECOND_HOA = HOA.replace("8:1:0:", "8:1:8:")


@pytest.fixture
def mn() -> MnStage:
    """Away and registered."""
    mn = MnStage()
    mn.abroad()
    return mn


def updates_to(mn: MnStage, peer: str) -> list[tuple[Heard, BindingUpdate, Seen]]:
    return [u for u in mn.updates() if u[2].hops == (peer,)]


def met_cn(mn: MnStage, cn: str = CN, hoa: str = HOA) -> BindingUpdate:
    """A correspondent that sent through the tunnel has got its update."""
    mn.tunnel(echo(cn, hoa))
    mn.wait(1.1)
    ((_, update, _),) = updates_to(mn, cn)
    mn.forget()
    return update


def answered(mn: MnStage, who: str) -> list[Heard]:
    """Echo replies; their checksum knows only the home address, which is not in the header."""
    found = [h for h in mn.take() if h.facts().get("icmp6") == "echoreply"]
    return [h for h in found if h.facts()["dst"] == who]


# -- packets --------------------------------------------------------------------------------------


def test_connection_that_began_at_home_keeps_the_home_address() -> None:
    mn = MnStage()
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HOME, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT)
    mn.wait(6)
    so = socreate(mn.kern, AF_INET6, SOCK_DGRAM, 0)
    soconnect(mn.kern, so, SockaddrIn6(addr(CN), 9))
    assert ntop(sogetsockname(mn.kern, so).addr) == HOA
    mn.arrive()
    mn.wait(2)
    mn.acknowledge()
    mn.forget()
    sosend(mn.kern, so, b"still here")
    mn.settle()
    (packet,) = [seen(h) for h in mn.take() if h.facts().get("udp") == 9]
    assert (ntop(sogetsockname(mn.kern, so).addr), packet.src) == (HOA, COA)
    assert hao_of(packet) == HOA


def test_home_address_stands_in_front_and_the_update_behind_all_that_ipsec_covers(
    mn: MnStage,
) -> None:
    """Two headers: one for options before AH and ESP, one for options after them (s.10.2)."""
    met_cn(mn)
    mn.elsewhere()
    (heard, *_) = [h for h, _, p in updates_to(mn, CN) if p.src == COA2]
    data = heard.packet
    first, second = walk(data, heard.ip6.ip6_nxt, Ip6Hdr.SIZE, len(data)).headers
    assert (first.nxt_type, second.nxt_type) == (IPPROTO_DSTOPTS, IPPROTO_DSTOPTS)
    hao, update = seen(heard).options
    assert isinstance(hao, HomeAddress) and isinstance(update, BindingUpdate)
    assert first.off == Ip6Hdr.SIZE and first.len == 24 and second.off == first.off + first.len


def by_route(cn: str, coa: str, hoa: str = HOA) -> bytes:
    """An echo request from a correspondent that has a binding."""
    rthdr = build_rthdr0(IPPROTO_ICMPV6, [addr(hoa)], 1)
    return ip6(cn, coa, rthdr + echo(cn, hoa)[Ip6Hdr.SIZE :], IPPROTO_ROUTING)


def test_both_ways_to_the_home_address_end_in_the_node(mn: MnStage) -> None:
    mn.send(by_route(CN, COA), ROUTER_MAC)
    assert answered(mn, CN)
    mn.tunnel(echo(CN2, HOA))
    assert answered(mn, CN2)
    assert mn.drops() == {}


def test_answer_to_a_packet_by_the_care_of_address_has_no_routing_header(mn: MnStage) -> None:
    mn.send(by_route(CN, COA), ROUTER_MAC)
    (heard,) = answered(mn, CN)
    headers = walk(heard.packet, heard.ip6.ip6_nxt, Ip6Hdr.SIZE, len(heard.packet)).headers
    kinds = [ext.nxt_type for ext in headers]
    assert kinds == [IPPROTO_DSTOPTS, IPPROTO_DSTOPTS]  # home address, binding update
    answer = seen(heard)
    assert (answer.src, answer.hops, hao_of(answer)) == (COA, (CN,), HOA)


def test_packet_forwarded_from_the_previous_care_of_address_brings_an_update(
    mn: MnStage,
) -> None:
    """Its sender still has the binding of before the move (s.10.9, s.10.10)."""
    forwarder = FOREIGN + "1"
    mn.advertise(forwarder, ROUTER, ROUTER_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR")
    mn.wait(1.2)
    met_cn(mn)
    mn.elsewhere()
    (update, *_) = [u for _, u, p in mn.updates() if p.hops == (forwarder,)]
    mn.ack(update.seqno, 0, 60, src=forwarder, hoa=COA)
    mn.ack(mn.mip6.mip6_peers[addr(HA)].seqno)
    mn.wait(2)
    mn.forget()
    mn.tunnel(by_route(CN, COA), src=forwarder)
    mn.wait(1.1)
    ((_, told, packet),) = updates_to(mn, CN)
    assert (packet.src, hao_of(packet), told.flags) == (COA2, HOA, 0)
    mn.forget()
    mn.tunnel(echo(HA, HOA))  # the one who made the tunnel packet made this one, too
    mn.wait(1.1)
    assert updates_to(mn, HA) == []


# -- flags, numbers, lists ------------------------------------------------------------------------


def test_duplicate_detection_is_asked_for_only_while_there_is_no_binding() -> None:
    mn = MnStage()
    mn.arrive()
    assert {u.flags for _, u, _ in mn.updates()} == {A | H | D}
    mn.arrive()
    mn.wait(10)
    _, last, _ = mn.updates()[-1]
    mn.ack(last.seqno)
    assert last.flags == A | H | D
    met = met_cn(mn)
    mn.elsewhere()
    flags = {(p.hops[0], u.flags) for _, u, p in mn.updates()}
    assert met.flags == 0
    assert flags == {(HA, A | H), (CN, 0)}


def test_numbers_to_one_correspondent_go_on_across_home_addresses() -> None:
    mn = MnStage()
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(SECOND_HOME), 64, VLTIME, PLTIME))
    mn.agent("2001:db8:1:8::1", "fe80::1:8")
    mn.arrive()
    for _, update, packet in mn.updates():
        mn.ack(update.seqno, src=packet.hops[0], hoa=hao_of(packet))
    mn.forget()
    mn.tunnel(echo(CN, HOA))
    mn.wait(1.1)
    mn.tunnel(echo(CN, SECOND_HOA), src="2001:db8:1:8::1")
    mn.wait(1.1)
    told = [(hao_of(p), u.seqno) for _, u, p in updates_to(mn, CN)]
    assert told == [(HOA, 1), (SECOND_HOA, 2)]


def test_entry_has_all_that_the_draft_lists(mn: MnStage) -> None:
    met_cn(mn)
    bu = mn.entry_of(CN)
    assert bu is not None
    assert (ntop(bu.mbu_paddr), ntop(bu.mbu_haddr), ntop(bu.mbu_coa)) == (CN, HOA, COA)
    assert (bu.mbu_seqno, bu.mbu_state) == (1, 0)
    assert 3590 <= bu.mbu_lifetime <= 3600
    assert bu.mbu_expire == bu.mbu_sent_at + bu.mbu_lifetime * NS
    hrbu = mn.entry_of(HA)
    assert hrbu is not None and hrbu.mbu_flags & (A | H) == A | H


def test_entry_of_a_correspondent_is_gone_when_its_lifetime_is_over() -> None:
    mn = MnStage()
    mn.abroad(lifetime=40, refresh=30)
    met_cn(mn)
    bu = mn.entry_of(CN)
    assert bu is not None
    end = bu.mbu_expire
    mn.until(end - NS)
    assert mn.entry_of(CN) is bu
    mn.until(end + NS)
    assert mn.entry_of(CN) is None


def test_update_to_a_correspondent_that_asks_for_an_answer_is_repeated_to_the_limit_only(
    mn: MnStage,
) -> None:
    met_cn(mn)
    bu = mn.entry_of(CN)
    assert bu is not None
    bu.mbu_flags |= A
    bu.mbu_state |= MIP6_BU_STATE_WAITACK | MIP6_BU_STATE_WAITSENT
    mn.request(HA)  # the timer looks at all entries
    mn.wait(2000)
    sent = [heard.t_ns // NS for heard, _, _ in updates_to(mn, CN)]
    gaps = [b - a for a, b in zip(sent, sent[1:], strict=False)]
    assert gaps[-4:] == [16, 33, 65, 129]  # 16, 32, 64, 128 s; nothing after the 256th
    assert not bu.mbu_state & MIP6_BU_STATE_WAITACK


# -- acknowledgements and requests ----------------------------------------------------------------


def carried(mn: MnStage, option: bytes, src: str = HA) -> None:
    """An option that the stage's words cannot make, with an echo request behind it."""
    size = 2 + len(option)
    header = bytes((IPPROTO_ICMPV6, (size + 7 >> 3) - 1)) + option
    pad = -size % 8
    header += bytes(1) if pad == 1 else bytes((1, pad - 2)) + bytes(pad - 2) if pad else b""
    rthdr = build_rthdr0(IPPROTO_DSTOPTS, [addr(HOA)], 1)
    body = rthdr + header + echo(src, HOA)[Ip6Hdr.SIZE :]
    mn.send(ip6(src, ntop(mn.mip6.hif_coa), body, IPPROTO_ROUTING), ROUTER_MAC)


def test_short_acknowledgement_is_ignored_and_the_rest_of_its_packet_answered() -> None:
    mn = MnStage()
    mn.arrive()
    last = mn.updates()[-1][1].seqno
    mn.forget()
    carried(mn, bytes((7, 10, 0, last)) + bytes(8))  # one octet less than an acknowledgement
    bu = mn.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
    assert mn.kern.stats.ip6["ip6s_badoptions"] == 1
    assert answered(mn, HA)


def test_acknowledgement_with_another_number_takes_its_packet_along() -> None:
    """The draft would have the rest processed (s.10.13)."""
    mn = MnStage()
    mn.arrive()
    last = mn.updates()[-1][1].seqno
    mn.forget()
    dest = build_options(IPPROTO_ICMPV6, [WIRE.aligned(BindingAck(0, last + 1, 60, 30))])
    rthdr = build_rthdr0(IPPROTO_DSTOPTS, [addr(HOA)], 1)
    body = rthdr + dest + echo(HA, HOA)[Ip6Hdr.SIZE :]
    mn.send(ip6(HA, COA, body, IPPROTO_ROUTING), ROUTER_MAC)
    bu = mn.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
    assert answered(mn, HA) == [] and mn.drops() == {"MIP6_BASEQNO": 1}
    assert mn.kern.stats.ip6["ip6s_badoptions"] == 1


@pytest.mark.parametrize("status", [128, 130, 131, 139])
def test_refused_entry_is_deleted_and_nothing_is_repeated(mn: MnStage, status: int) -> None:
    met_cn(mn)
    bu = mn.entry_of(CN)
    assert bu is not None
    mn.ack(bu.mbu_seqno, status, 0, src=CN)
    assert mn.entry_of(CN) is None
    mn.wait(300)
    assert updates_to(mn, CN) == []


def test_answer_to_a_request_lives_no_longer_than_the_home_registration() -> None:
    mn = MnStage()
    mn.abroad(lifetime=100, refresh=95)
    met_cn(mn)
    mn.wait(50)
    mn.forget()
    mn.request(CN)
    mn.wait(1.1)
    ((_, update, _),) = updates_to(mn, CN)
    assert 40 <= update.lifetime_s <= 50


def test_lifetime_of_an_update_never_passes_the_home_registration(mn: MnStage) -> None:
    met_cn(mn)
    hrbu = mn.entry_of(HA)
    assert hrbu is not None
    for _ in range(4):
        mn.wait(300)
        mn.forget()
        mn.tunnel(echo(CN, HOA))
        mn.wait(1.1)
        ((heard, update, _),) = updates_to(mn, CN)
        assert heard.t_ns + update.lifetime_s * NS <= hrbu.mbu_bound_expire


# -- home agents ----------------------------------------------------------------------------------


def test_home_agent_of_a_living_registration_is_asked_first_after_a_move(mn: MnStage) -> None:
    mn.agent(HA2, HA2_LL, pref=9)  # better, but it is not the one that has us
    mn.elsewhere()
    assert mn.updates()[0][2].hops == (HA,)


def test_care_of_address_that_is_taken_away_by_hand_is_left_at_once(mn: MnStage) -> None:
    for n in (1, 2):
        mn.run(f"ifconfig fxp0 inet6 2001:db8:77::{n} prefixlen 64 alias")
    mn.run(f"ifconfig fxp0 inet6 {COA} delete")
    first = ntop(mn.mip6.hif_coa)
    mn.run(f"ifconfig fxp0 inet6 {first} delete")
    assert {first, ntop(mn.mip6.hif_coa)} == {"2001:db8:77::1", "2001:db8:77::2"}


def test_moves_to_and_fro_bring_the_home_agent_one_update_a_second(mn: MnStage) -> None:
    """Even where packets to it could carry more."""
    mn.kern.ip6.ip6_dad_count = 0
    for n in range(2, 30):
        mn.run(f"ifconfig fxp0 inet6 2001:db8:2::{n} prefixlen 64 alias")
        mn.run(f"ifconfig fxp0 inet6 {ntop(mn.mip6.hif_coa)} delete")
        mn.tunnel(echo(HA, HOA))
        mn.wait(0.3)
    sent = [(heard.t_ns, packet.src) for heard, _, packet in updates_to(mn, HA)]
    assert len(sent) > 5 and len({coa for _, coa in sent}) > 5
    assert all(b - a >= NS for (a, _), (b, _) in zip(sent, sent[1:], strict=False))


# -- mobile prefixes ------------------------------------------------------------------------------


def told(mn: MnStage, *options: bytes, asks: bool = False, src: str = HA) -> None:
    """A mobile prefix advertisement, with a binding request in front of it by the home address."""
    message = MpAdvert().pack() + b"".join(options)
    if not asks:
        mn.send(icmp6(src, COA, message, 64), ROUTER_MAC)
        return
    dest = build_options(IPPROTO_ICMPV6, [WIRE.aligned(BindingRequest())])
    rthdr = build_rthdr0(IPPROTO_DSTOPTS, [addr(HOA)], 1)
    body = rthdr + dest + summed(src, HOA, message)
    mn.send(ip6(src, COA, body, IPPROTO_ROUTING), ROUTER_MAC)


def test_advertisement_with_a_binding_request_is_answered_by_an_update(mn: MnStage) -> None:
    told(mn, pi(HOME, 90000, 90000), asks=True)
    mn.wait(1.1)
    ((_, update, packet),) = updates_to(mn, HA)
    assert (hao_of(packet), update.flags) == (HOA, A | H)


def test_new_home_address_of_an_advertisement_asks_for_duplicate_detection(mn: MnStage) -> None:
    told(mn, pi(HOME, 90000, 90000), pi(SECOND_HOME, 90000, 90000), asks=True)
    mn.wait(2.2)
    flags = {hao_of(p): u.flags for _, u, p in updates_to(mn, HA)}
    assert flags[HOA] == A | H
    assert flags[SECOND_HOA] == A | H | D


def test_shorter_prefix_lifetime_is_told_to_correspondents(mn: MnStage) -> None:
    met_cn(mn)
    mn.wait(2)
    mn.forget()
    told(mn, pi(HOME, 120, 100))
    mn.wait(1.1)
    ((_, update, _),) = updates_to(mn, CN)
    assert 90 <= update.lifetime_s <= 100


# -- home again -----------------------------------------------------------------------------------


def test_advertisement_to_all_of_the_home_agent_makes_it_reachable(mn: MnStage) -> None:
    """Nobody asked for it as far as its flags say, yet the solicitation came from :: (s.10.20)."""
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HOME, HA_LL, HA_MAC)
    mn.wait(1.2)
    mn.advertise(HOME, HA_LL, HA_MAC)
    assert mn.world.run_ns(mn.now + 10 * NS, lambda: bool(mn.find(is_("ns", target=HA))))
    mn.send(na(HA, "RO", HA_LL, ALLNODES, tll(HA_MAC)), HA_MAC)
    assert mn.state(HA) == "REACHABLE"
