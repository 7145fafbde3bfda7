# SPDX-License-Identifier: BSD-3-Clause
"""A home agent that speaks draft-13, where it differs (s.8.2, s.8.5, s.9.3-9.5, s.9.8).

``lan`` is the home link 2001:db8:1::/64; the mobile node is away on ``lan2``. What both drafts have
is in test_mip6_ha.py and test_mip6_cn.py, which run with both.
"""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6.mip6_var import Mip6Bc
from kame_py.netinet6.nd6_prefix import in6_init_prefix_ltimes
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr, NdRouterAdvert, NdRouterSolicit
from kame_py.wire.const import (
    IPPROTO_IPV6,
    ND_ROUTER_ADVERT,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingAck, BindingRequest, UniqueId
from kame_py.wire.mip6_draft13 import WIRE
from kame_py.wire.nd6opt import parse_nd_options
from kame_py.wire.snap import BcSnap
from tests.scenario.mip6words import (
    DRAFTS,
    Seen,
    bindings,
    bu,
    home_agent,
    mobility,
    rows,
    seen,
)
from tests.scenario.tester import (
    ALLNODES,
    GLOBAL,
    GLOBAL2,
    MAC,
    PEER_G,
    PEER_MAC,
    PEER_MAC2,
    Stage,
)
from tests.scenario.words import addr, echo, icmp6, ip6, is_, ns, sll

HA: Final = GLOBAL
HOA: Final = "2001:db8:1::10"
HOA_LL: Final = "fe80::10"
OTHER: Final = "2001:db8:3::10"  # the same identifier under a second prefix
COA: Final = "2001:db8:2::9"
COA2: Final = "2001:db8:2::a"
MN_MAC: Final = PEER_MAC2
INTERVAL_S: Final = 1000  # HomeRtrAdvInterval


@pytest.fixture
def ha() -> Stage:
    """A home agent that asks for no IPsec; who is on the links is known."""
    stage = Stage(router=True, links=2, globals_=True, kernel=DRAFTS["draft-13"])
    home_agent(stage)
    stage.tn.neighbours[PEER_G] = PEER_MAC
    stage.tn2.neighbours[COA] = stage.tn2.neighbours[COA2] = MN_MAC
    stage.send2(echo(COA, GLOBAL2), MN_MAC)
    stage.send2(echo(COA2, GLOBAL2), MN_MAC)
    stage.take(stage.tn2)
    stage.forget()
    return stage


def register(
    ha: Stage,
    seq: int = 1,
    lifetime: int = 60,
    flags: str = "AH",
    plen: int = 0,
    coa: str = COA,
    alt: str = "",
    uniqid: int | None = None,
) -> None:
    more = () if uniqid is None else (UniqueId(uniqid),)
    ha.send2(bu(coa, HA, HOA, seq, lifetime, flags, alt, more=more, wire=WIRE, plen=plen), MN_MAC)


def answers(ha: Stage) -> list[tuple[Seen, BindingAck]]:
    """Acknowledgements on the foreign link; other packets are forgotten."""
    found = [seen(h, WIRE) for h in ha.take(ha.tn2)]
    return [(s, o) for s in found for o in s.options if isinstance(o, BindingAck)]


def entry(ha: Stage, hoa: str = HOA) -> Mip6Bc:
    return mobility(ha).mip6_hrbc_list[addr(hoa)]


# -- sequence numbers (s.4.6, s.8.2) --------------------------------------------------------------


def test_old_update_is_ignored_without_a_word_and_takes_its_packet_along(ha: Stage) -> None:
    register(ha, seq=300)
    ha.forget()
    ha.take(ha.tn2)
    register(ha, seq=300, coa=COA2)
    register(ha, seq=44, coa=COA2)  # 300 in the eight bits of another draft
    assert answers(ha) == []
    assert ha.drops() == {"MIP6_BUSEQNO": 2}
    assert bindings(ha) == {HOA: COA}


def test_acknowledgement_repeats_all_sixteen_bits(ha: Stage) -> None:
    register(ha, seq=0x1234)
    ((_, ack),) = answers(ha)
    assert (ack.status, ack.seqno) == (0, 0x1234)


# -- acknowledgements (s.8.5, s.9.4) --------------------------------------------------------------


@pytest.mark.parametrize("plen,status", [(0, 0), (48, 136)])
def test_acknowledgement_goes_by_the_care_of_address_of_the_update(
    ha: Stage, plen: int, status: int
) -> None:
    register(ha, plen=plen, alt=COA2)
    ((packet, ack),) = answers(ha)
    assert (packet.hops, ack.status) == ((COA2, HOA), status)


def test_end_abroad_is_acknowledged_by_the_care_of_address(ha: Stage) -> None:
    register(ha, seq=1)
    ha.take(ha.tn2)
    register(ha, seq=2, lifetime=0, alt=COA2)
    ((packet, ack),) = answers(ha)
    assert (packet.hops, ack.status, ack.lifetime_s) == ((COA2, HOA), 0, 0)


@pytest.mark.parametrize("flags,count", [("AH", 1), ("H", 0)])
@pytest.mark.parametrize("plen", [0, 64])
def test_end_of_a_registration_is_acknowledged_only_with_a(
    ha: Stage, flags: str, count: int, plen: int
) -> None:
    register(ha, seq=1, plen=plen)
    ha.take(ha.tn2)
    register(ha, seq=2, lifetime=0, flags=flags, plen=plen)
    assert len(answers(ha)) == count
    assert bindings(ha) == {}


def test_end_of_one_address_of_several_is_acknowledged_only_with_a(two: Stage) -> None:
    register(two, plen=64)
    two.take(two.tn2)
    alone = bu(COA, HA, OTHER, 2, 0, "H", wire=WIRE)
    two.send2(alone, MN_MAC)
    assert answers(two) == []
    assert OTHER not in bindings(two)


def test_registration_is_acknowledged_without_a_and_so_is_a_refusal(ha: Stage) -> None:
    register(ha, seq=1, flags="H")
    register(ha, seq=2, flags="H", plen=48)
    assert [ack.status for _, ack in answers(ha)] == [0, 136]


# -- prefix length (s.9.3, s.9.5) -----------------------------------------------------------------


@pytest.fixture
def two(ha: Stage) -> Stage:
    """The home link has a second prefix, with 1500 s to live."""
    ha.run("ifconfig fxp0 inet6 2001:db8:3::77 prefixlen 64 alias")
    ha.wait(5)
    ha.forget()
    pr = next(p for p in ha.kern.nd6.prefixes if ntop(p.ndpr_prefix) == "2001:db8:3::")
    in6_init_prefix_ltimes(ha.kern, pr, 1500, 1500)
    return ha


@pytest.mark.parametrize("plen", [1, 63, 65, 128])
def test_another_prefix_length_than_the_home_links_is_refused(ha: Stage, plen: int) -> None:
    register(ha, plen=plen)
    ((_, ack),) = answers(ha)
    assert ack.status == 136
    assert bindings(ha) == {}


def test_without_a_prefix_length_only_the_home_address_is_served(two: Stage) -> None:
    register(two, lifetime=9000)
    ((_, ack),) = answers(two)
    assert bindings(two) == {HOA: COA}
    assert ack.lifetime_s == 9000


def test_with_a_prefix_length_every_prefix_is_served_for_as_long_as_all_live(two: Stage) -> None:
    register(two, lifetime=9000, plen=64)
    ((_, ack),) = answers(two)
    assert set(bindings(two)) == {HOA, OTHER, f"fe80:{two.ifp.if_index:x}::10"}
    assert 1490 <= ack.lifetime_s <= 1500


def test_end_with_a_prefix_length_ends_what_has_the_same_identifier(two: Stage) -> None:
    register(two, seq=1)
    two.send2(bu(COA2, HA, OTHER, 1, 60, "AH", wire=WIRE), MN_MAC)
    another = "2001:db8:3::11"
    two.send2(bu(COA2, HA, another, 1, 60, "AH", wire=WIRE), MN_MAC)
    assert set(bindings(two)) == {HOA, OTHER, another}
    register(two, seq=2, lifetime=0, plen=64)
    assert set(bindings(two)) == {another}


def test_prefix_length_is_stored_and_mip6control_shows_it(ha: Stage) -> None:
    register(ha, flags="AHR", plen=64)
    row = next(r for r in rows(ha) if isinstance(r, BcSnap) and r.phaddr == addr(HOA))
    assert (row.prefixlen, entry(ha).mbc_prefixlen) == (64, 64)
    head, *lines = ha.run("mip6control -cn").splitlines()
    assert head == "phaddr\t\tpcoa\t\taddr\t\tflags\tplen\tseqno\tlifetim\tltexp\tstate"
    line = next(line for line in lines if line.startswith("2001:db8:1::10 "))
    addrs, rest = line[:48], line[48:]
    assert addrs == "2001:db8:1::10  2001:db8:2::9   2001:db8:1::77  "
    assert rest == "AHR          64       1      60      60        "


def test_with_a_prefix_length_the_link_local_address_stands_for_all_in_the_test(ha: Stage) -> None:
    register(ha, flags="AHD", plen=64)
    probed = [h.facts()["target"] for h in ha.find(is_("ns", src="::"))]
    assert probed == [HOA_LL]


# -- the R bit (s.9.3, s.9.5) ---------------------------------------------------------------------


@pytest.mark.parametrize("flags,announced,answered", [("AHR", "RO", "RS"), ("AH", "O", "S")])
def test_proxy_says_whether_the_mobile_node_is_a_router(
    ha: Stage, flags: str, announced: str, answered: str
) -> None:
    register(ha, flags=flags)
    want = is_("na", dst=ALLNODES, target=HOA, flags=announced, tll=MAC)
    assert len(ha.find(want)) == 1
    ha.send(ns(HOA, PEER_G, sll(PEER_MAC)))
    assert len(ha.find(is_("na", dst=PEER_G, target=HOA, flags=answered, tll=MAC))) == 1


def test_r_bit_goes_when_an_update_comes_without_it(ha: Stage) -> None:
    register(ha, seq=1, flags="AHR")
    register(ha, seq=2, flags="AH")
    ha.take()
    ha.send(ns(HOA, PEER_G, sll(PEER_MAC)))
    assert len(ha.find(is_("na", dst=PEER_G, target=HOA, flags="S"))) == 1


# -- advertisements (s.9.8) -----------------------------------------------------------------------


class Told:
    """A tunnelled advertisement: outside, inside, and the binding request beside it."""

    def __init__(self, t_ns: int, packet: Seen) -> None:
        self.t_s = t_ns / NS
        self.packet = packet
        self.inner = Ip6Hdr.unpack(packet.rest)
        body = packet.rest[Ip6Hdr.SIZE :]
        self.kind = Icmp6Hdr.unpack(body).icmp6_type
        opts = parse_nd_options(body, NdRouterAdvert.SIZE, len(body))
        assert not isinstance(opts, Malformed)
        self.prefixes = [ntop(pi.nd_opt_pi_prefix) for pi in opts.prefixes]
        subs = [o.subopts for o in packet.options if isinstance(o, BindingRequest)]
        self.ids = [s.id for sub in subs for s in sub if isinstance(s, UniqueId)]


def told(ha: Stage) -> list[Told]:
    found = [(h, seen(h, WIRE)) for h in ha.take(ha.tn2)]
    return [Told(h.t_ns, s) for h, s in found if s.nxt == IPPROTO_IPV6]


def acknowledged(ha: Stage, seconds: float) -> list[Told]:
    """Advertisements of the next seconds; the mobile node answers each with an update."""
    heard = []
    for _ in range(round(seconds)):
        ha.wait(1)
        for each in told(ha):
            heard.append(each)
            seq = entry(ha).mbc_seqno + 1
            register(ha, seq, 10**6, uniqid=each.ids[0])
            ha.take(ha.tn2)
    return heard


def test_all_prefixes_are_told_every_thousand_seconds(two: Stage) -> None:
    register(two, lifetime=10**6)
    start = two.now / NS
    two.take(two.tn2)
    heard = acknowledged(two, 3 * INTERVAL_S + 10)
    assert [round(each.t_s - start) for each in heard] == [1000, 2000, 3000]
    assert set(heard[0].prefixes) == {"2001:db8:1::", "2001:db8:3::"}
    assert set(heard[1].prefixes) == {"2001:db8:1::"}  # the other one has come to its end
    assert len({each.ids[0] for each in heard}) == 3


def test_advertisement_is_inside_a_packet_by_the_care_of_address_with_a_request(ha: Stage) -> None:
    register(ha, lifetime=10**6)
    ha.take(ha.tn2)
    ha.wait(INTERVAL_S + 1)
    (each,) = told(ha)
    assert (each.packet.src, each.packet.hops) == (HA, (COA, HOA))
    assert len(each.ids) == 1
    inner = (ntop(each.inner.ip6_src), ntop(each.inner.ip6_dst), each.inner.ip6_hlim)
    assert (each.kind, inner) == (ND_ROUTER_ADVERT, (HA, HOA, 255))


def test_unanswered_advertisement_is_repeated_and_then_waits_for_its_time(ha: Stage) -> None:
    register(ha, lifetime=10**6)
    start = ha.now / NS
    ha.take(ha.tn2)
    ha.wait(2 * INTERVAL_S + 100)
    heard = told(ha)
    assert [round(each.t_s - start) for each in heard] == [1000, 1005, 1015, 1035, 2035]
    assert len({each.ids[0] for each in heard}) == 1


def test_end_of_the_registration_ends_the_advertisements(ha: Stage) -> None:
    register(ha, seq=1, lifetime=10**6)
    register(ha, seq=2, lifetime=0)
    ha.take(ha.tn2)
    ha.wait(INTERVAL_S + 100)
    assert told(ha) == []


def solicit(
    ha: Stage, inner_src: str = HOA, outer_src: str = COA, inner_dst: str = HA, hlim: int = 255
) -> None:
    """A router solicitation inside a packet to the home agent."""
    inner = icmp6(inner_src, inner_dst, NdRouterSolicit().pack(), hlim)
    ha.send2(ip6(outer_src, HA, inner, IPPROTO_IPV6), MN_MAC)


def test_every_advertisement_wants_an_update_not_only_news(ha: Stage) -> None:
    register(ha, seq=1, lifetime=10**6)
    ids = []
    for seq in (2, 3, 4):
        ha.take(ha.tn2)
        solicit(ha)
        (each,) = told(ha)
        ids += each.ids
        register(ha, seq, 10**6, uniqid=each.ids[0])
    assert len(set(ids)) == 3


@pytest.mark.parametrize("inner_src", [HOA, "::"])
def test_solicitation_out_of_the_tunnel_is_answered(ha: Stage, inner_src: str) -> None:
    register(ha, lifetime=10**6)
    ha.take(ha.tn2)
    ha.forget()
    solicit(ha, inner_src)
    (each,) = told(ha)
    assert each.prefixes == ["2001:db8:1::"]
    assert len(each.ids) == 1
    assert ha.drops() == {}
    ha.conserved()


@pytest.mark.parametrize(
    "how", [{"hlim": 254}, {"outer_src": COA2}, {"inner_src": PEER_G}, {"inner_dst": GLOBAL2}]
)
def test_other_solicitations_in_a_tunnel_are_not(ha: Stage, how: dict[str, object]) -> None:
    register(ha, lifetime=10**6)
    ha.take(ha.tn2)
    solicit(ha, **how)  # type: ignore[arg-type]  # the case's own words
    assert told(ha) == []
    ha.conserved()


def test_messages_of_another_draft_mean_nothing(ha: Stage) -> None:
    register(ha, lifetime=10**6)
    ha.take(ha.tn2)
    ha.send2(icmp6(COA, HA, bytes((152, 0, 0, 0, 0, 0, 0, 0))), MN_MAC)
    assert told(ha) == []
    assert ha.drops() == {"ICMP6_NOSOCKET": 1}
