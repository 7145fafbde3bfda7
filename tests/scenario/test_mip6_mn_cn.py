# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node and its correspondents (draft-15 s.10.1, s.10.9, s.10.12-10.15, s.10.19)."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.uipc_socket import soconnect, socreate, sogetsockname
from kame_py.mip6.mip6_bul import mip6_cn_state
from kame_py.mip6.mip6_home import mip6_bu_list_notify_binding_change
from kame_py.mip6.mip6_mnstate import CnSt
from kame_py.netinet6.in6_src import in6_selectsrc
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_ICMPV6, IPPROTO_IPV6, IPPROTO_ROUTING
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCDUNUSEHA, SIOCSUNUSEHA
from kame_py.wire.ip6ext import build_rthdr0
from kame_py.wire.mip6 import BindingUpdate, HomeAddress, UniqueId
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, SockaddrIn6
from tests.scenario.mip6words import FLAGS, Seen, seen
from tests.scenario.mnstage import (
    CN,
    CN2,
    COA,
    COA2,
    FOREIGN2,
    HA,
    HA_LL,
    HOA,
    HOME,
    KERNEL,
    KERNELS,
    MnStage,
    hao_of,
)
from tests.scenario.tester import ROUTER2, ROUTER2_MAC
from tests.scenario.words import Heard, addr, echo, error, ip6, is_

A, H = FLAGS["A"], FLAGS["H"]
FALLBACK = KERNEL + "\noptions MIP6_ALLOW_COA_FALLBACK"
OPTION = 2  # Parameter Problem: unrecognized option
PARAMPROB = 4


@pytest.fixture(params=KERNELS)
def mn(request: pytest.FixtureRequest) -> MnStage:
    """Away and registered."""
    mn = MnStage(kernel=KERNELS[request.param])
    mn.abroad()
    return mn


def to_cn(mn: MnStage, cn: str = CN) -> list[tuple[Heard, BindingUpdate, Seen]]:
    return [u for u in mn.updates() if u[2].hops == (cn,)]


def pinged(mn: MnStage, cn: str = CN) -> Seen:
    """The answer to a ping that came straight from ``cn`` to the home address."""
    mn.send(echo_by_route(mn, cn), mn_router(mn))
    (heard,) = replies(mn, cn)
    return seen(heard)


def replies(mn: MnStage, cn: str = CN) -> list[Heard]:
    """Echo replies from the home address; their checksum knows nothing of care-of addresses."""
    found = [h for h in mn.take() if h.facts().get("icmp6") == "echoreply"]
    for heard in found:
        rest = seen(heard).rest
        assert in6_cksum(addr(HOA), addr(cn), IPPROTO_ICMPV6, rest) == 0
    return found


def mn_router(mn: MnStage) -> bytes:
    return next(iter(mn.tn.neighbours.values()))


def echo_by_route(mn: MnStage, cn: str) -> bytes:
    """An echo request through a routing header, as a correspondent with a binding sends it."""
    plain = echo(cn, HOA)
    rthdr = build_rthdr0(IPPROTO_ICMPV6, [addr(HOA)], 1)
    return ip6(cn, ntop(mn.mip6.hif_coa), rthdr + plain[Ip6Hdr.SIZE :], IPPROTO_ROUTING)


# -- what the node sends --------------------------------------------------------------------------


def test_packets_from_the_home_address_leave_from_the_care_of_address(mn: MnStage) -> None:
    packet = pinged(mn)
    assert (packet.src, hao_of(packet), packet.hops) == (COA, HOA, (CN,))


def test_first_packet_to_a_peer_carries_an_update_and_the_next_one_does_not(mn: MnStage) -> None:
    first, second = pinged(mn), pinged(mn)
    (update,) = [o for o in first.options if isinstance(o, BindingUpdate)]
    assert (update.flags, update.seqno) == (0, 1)
    assert not any(isinstance(o, BindingUpdate) for o in second.options)


def test_nothing_is_dropped_while_the_registration_is_not_acknowledged() -> None:
    mn = MnStage()
    mn.arrive()
    mn.forget()
    packet = pinged(mn)
    assert packet.src == COA and hao_of(packet) == HOA
    assert not any(isinstance(o, BindingUpdate) for o in packet.options)
    assert mn.drops() == {}


def test_packets_from_the_care_of_address_carry_nothing(mn: MnStage) -> None:
    mn.send(echo(CN, COA), mn_router(mn))
    (heard,) = mn.find(is_("echoreply", dst=CN))
    assert seen(heard).options == () and seen(heard).src == COA


def test_new_care_of_address_is_used_before_the_home_agent_knows(mn: MnStage) -> None:
    pinged(mn)
    mn.elsewhere()
    mn.forget()
    assert pinged(mn).src == COA2


def test_multicast_goes_through_the_home_agent_from_the_home_address(mn: MnStage) -> None:
    mn.nut.run(f"ping6 -c 1 -S {HOA} ff0e::77")
    outer = [seen(h) for h in mn.take() if seen(h).nxt == IPPROTO_IPV6]
    assert [(p.src, p.hops) for p in outer] == [(COA, (HA,))]
    inner = Ip6Hdr.unpack(outer[0].rest)
    assert (ntop(inner.ip6_src), ntop(inner.ip6_dst)) == (HOA, "ff0e::77")


# -- what comes through the tunnel ----------------------------------------------------------------


def test_packet_out_of_the_tunnel_brings_its_sender_an_update(mn: MnStage) -> None:
    mn.tunnel(echo(CN, HOA))
    mn.wait(1.1)
    ((_, update, packet),) = to_cn(mn)
    assert (update.flags, update.seqno, packet.src, hao_of(packet)) == (0, 1, COA, HOA)
    assert 0 < update.lifetime_s <= 3600  # not longer than the home registration


def test_packet_that_the_home_agent_made_itself_brings_none(mn: MnStage) -> None:
    mn.tunnel(echo(HA, HOA))
    mn.wait(3)
    assert mn.updates() == []


def test_packet_by_the_care_of_address_brings_none(mn: MnStage) -> None:
    pinged(mn)
    mn.forget()
    pinged(mn)
    mn.wait(3)
    assert mn.updates() == []


@pytest.mark.parametrize("source", ["fe80::5", "fec0::5"])
def test_scoped_sources_get_no_update(mn: MnStage, source: str) -> None:
    mn.tunnel(echo(source, HOA))
    mn.wait(3)
    assert not any(isinstance(o, BindingUpdate) for h in mn.take() for o in seen(h).options)


def test_tunnel_of_another_than_the_home_agent_is_not_taken(mn: MnStage) -> None:
    mn.tunnel(echo(CN, HOA), src=CN2)
    mn.wait(2)
    assert mn.find(is_("echoreply", dst=CN)) == [] and mn.updates() == []


def test_tunnel_to_another_address_inside_is_not_taken(mn: MnStage) -> None:
    mn.tunnel(echo(CN, COA))
    assert mn.find(is_("echoreply", dst=CN)) == []


def test_peer_that_lost_its_binding_gets_another_update(mn: MnStage) -> None:
    mn.tunnel(echo(CN, HOA))
    mn.wait(1.1)
    mn.forget()
    mn.tunnel(echo(CN, HOA))
    mn.wait(1.1)
    ((_, update, _),) = to_cn(mn)
    assert update.seqno == 2


def test_numbers_to_a_peer_go_on_when_its_entry_has_ended() -> None:
    mn = MnStage()
    mn.abroad(lifetime=60, refresh=40)
    mn.tunnel(echo(CN, HOA))
    mn.wait(1.1)
    bu = mn.entry_of(CN)
    assert bu is not None
    mn.forget()
    mn.wait(40)
    mn.acknowledge()
    assert mn.world.run_ns(bu.mbu_expire + 2 * NS, lambda: mn.entry_of(CN) is None)
    mn.forget()
    mn.tunnel(echo(CN, HOA))
    mn.wait(1.1)
    assert [u.seqno for _, u, _ in to_cn(mn)] == [2]


# -- requests and answers of correspondents -------------------------------------------------------


def test_binding_request_is_answered_with_its_identifier(mn: MnStage) -> None:
    pinged(mn)
    mn.wait(2)
    mn.forget()
    mn.request(CN, more=(UniqueId(0x1234),))
    mn.wait(1.1)
    ((_, update, _),) = to_cn(mn)
    assert [s for s in update.subopts if isinstance(s, UniqueId)] == [UniqueId(0x1234)]


def test_binding_request_of_a_stranger_is_not_answered(mn: MnStage) -> None:
    mn.request(CN)
    mn.wait(2)
    assert mn.updates() == []
    assert f"mip6.c: no matching BU entry found from host {CN}." in mn.logged()


def test_flood_of_requests_brings_one_update_a_second(mn: MnStage) -> None:
    pinged(mn)
    mn.forget()
    for _ in range(50):
        mn.request(CN)
        mn.wait(0.05)
    sent = [heard.t_ns for heard, _, _ in to_cn(mn)]
    assert all(b - a >= NS for a, b in zip(sent, sent[1:], strict=False))
    assert 1 <= len(sent) <= 3


def test_refusal_of_a_correspondent_ends_its_entry_for_a_while(mn: MnStage) -> None:
    pinged(mn)
    mn.ack(1, 131, 0, src=CN)
    assert mn.entry_of(CN) is None
    mn.forget()
    mn.tunnel(echo(CN, HOA))
    mn.wait(5)
    assert to_cn(mn) == []
    mn.wait(10)
    mn.tunnel(echo(CN, HOA))
    mn.wait(300)
    mn.tunnel(echo(CN, HOA))
    mn.wait(2)
    assert to_cn(mn)


@pytest.mark.parametrize("mn", ["draft-15"], indirect=True)
def test_too_small_number_at_a_correspondent_is_taken_up(mn: MnStage) -> None:
    pinged(mn)
    mn.forget()
    mn.ack(90, 141, 0, src=CN)
    mn.wait(2)
    ((_, update, _),) = to_cn(mn)
    assert update.seqno == 92


# -- peers that know nothing of mobility ----------------------------------------------------------


def refuse(mn: MnStage, heard: Heard, option: type[BindingUpdate] | type[HomeAddress]) -> None:
    """A Parameter Problem about an option of the packet that was heard."""
    kind = 0xC6 if option is BindingUpdate else 0xC9
    data = heard.packet
    pointer = data.index(bytes((kind,)), Ip6Hdr.SIZE)
    mn.send(error(CN, COA, PARAMPROB, OPTION, data, pointer), mn_router(mn))


def first_packet(mn: MnStage) -> Heard:
    mn.send(echo_by_route(mn, CN), mn_router(mn))
    (heard,) = replies(mn)
    return heard


def test_peer_without_binding_updates_gets_none_any_more(mn: MnStage) -> None:
    refuse(mn, first_packet(mn), BindingUpdate)
    bu = mn.entry_of(CN)
    assert bu is not None and mip6_cn_state(bu) is CnSt.MUTE
    mn.tunnel(echo(CN, HOA))
    mn.wait(5)
    assert to_cn(mn) == []
    assert any("doesn't support a binding update destopt." in line for line in mn.logged())


def test_peer_without_home_address_option_goes_on_getting_it(mn: MnStage) -> None:
    refuse(mn, first_packet(mn), HomeAddress)
    assert hao_of(pinged(mn)) == HOA
    assert any("doesn't support a home address destopt." in line for line in mn.logged())


def test_with_fallback_such_a_peer_gets_bare_packets() -> None:
    mn = MnStage(kernel=FALLBACK)
    mn.abroad()
    refuse(mn, first_packet(mn), HomeAddress)
    bu = mn.entry_of(CN)
    assert bu is not None and mip6_cn_state(bu) is CnSt.BARE
    packet = pinged(mn)
    assert packet.options == () and packet.src == HOA


# -- source addresses -----------------------------------------------------------------------------


def source_to(mn: MnStage, dst: str, port: int = 0) -> str:
    """Where a new socket would send from."""
    return ntop(in6_selectsrc(mn.kern, addr(dst), dport=port))


def test_home_address_is_the_source_of_new_connections(mn: MnStage) -> None:
    assert source_to(mn, CN) == HOA


def test_rule_against_the_home_address_takes_the_care_of_address(mn: MnStage) -> None:
    mn.ioctl(SIOCSUNUSEHA(addr(CN), 0))
    assert (source_to(mn, CN), source_to(mn, CN2)) == (COA, HOA)
    mn.ioctl(SIOCDUNUSEHA(addr(CN), 0))
    assert source_to(mn, CN) == HOA
    mn.ioctl(SIOCSUNUSEHA(addr("::"), 0))
    assert source_to(mn, CN2) == COA


def test_rule_with_a_port_is_for_that_port(mn: MnStage) -> None:
    mn.ioctl(SIOCSUNUSEHA(addr(CN), 53))
    assert source_to(mn, CN, 53) == COA
    assert source_to(mn, CN, 80) == HOA
    so = socreate(mn.kern, AF_INET6, SOCK_DGRAM, 0)
    soconnect(mn.kern, so, SockaddrIn6(addr(CN), 53))
    assert ntop(sogetsockname(mn.kern, so).addr) == COA


def test_fallback_peer_gets_the_care_of_address() -> None:
    mn = MnStage(kernel=FALLBACK)
    mn.abroad()
    refuse(mn, first_packet(mn), HomeAddress)
    assert (source_to(mn, CN), source_to(mn, CN2)) == (COA, HOA)


def test_every_packet_has_one_fate(mn: MnStage) -> None:
    pinged(mn)
    mn.tunnel(echo(CN2, HOA))
    mn.elsewhere()
    mn.arrive(HOME, "fe80::1:1")
    mn.conserved()


def test_tunnel_is_taken_while_the_acknowledgement_is_awaited() -> None:
    """What the home agent tunnels tells that only its answer got lost."""
    late = MnStage()
    late.arrive()
    assert late.updates()
    late.tunnel(echo(CN, HOA))
    late.wait(1)
    assert [h.facts().get("icmp6") for h in late.take()].count("echoreply") == 1
    assert late.drops() == {}


def test_tunnel_is_not_taken_before_anything_was_asked_for() -> None:
    late = MnStage(ha="")
    late.arrive()
    late.agent(HA, HA_LL)
    (bu,) = late.sc.hif_bu_list
    assert bu.mbu_paddr == addr(HA) and not bu.mbu_outstanding
    late.tunnel(echo(CN, HOA))
    late.wait(0.5)
    assert "echoreply" not in [h.facts().get("icmp6") for h in late.take()]


def test_correspondent_hears_of_a_move_in_the_same_moment(mn: MnStage) -> None:
    """The home agent is told in the next second, as KAME's timer does."""
    mn.tunnel(echo(CN, HOA))
    mn.wait(5)
    mn.forget()
    mn.tn.neighbours = {ROUTER2: ROUTER2_MAC}
    mn.advertise(FOREIGN2, ROUTER2, ROUTER2_MAC)
    assert mn.world.run_ns(mn.now + 20 * NS, lambda: mn.mip6.hif_coa == addr(COA2))
    moved = mn.now
    mn.wait(1.1)
    ((heard, update, packet), *_) = to_cn(mn)
    assert packet.src == COA2 and update.lifetime_s
    assert mn.since(moved, heard) < 0.1


def test_correspondent_is_sent_nothing_while_the_update_rate_forbids_it(mn: MnStage) -> None:
    mn.tunnel(echo(CN, HOA))
    mn.wait(0.3)
    assert len(to_cn(mn)) == 1
    mn.forget()
    mip6_bu_list_notify_binding_change(mn.kern, mn.sc, addr(HOA))
    mn.settle()
    assert [p for p in map(seen, mn.take()) if p.hops == (CN,)] == []
