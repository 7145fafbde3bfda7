# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node that speaks draft-13, where it differs (s.5.1, s.5.6, s.10.2, s.10.16, s.10.17).

What both drafts have is in test_mip6_mn_*.py, which run with both.
"""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_REGWAITACK
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr, NdOptAdvInterval, NdRouterAdvert
from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_IPV6,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
    ND_OPT_PI_FLAG_AUTO,
    ND_OPT_PI_FLAG_ONLINK,
    ND_OPT_PI_FLAG_ROUTER,
    ND_RA_FLAG_HOME_AGENT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCSMIP6CFG_DISABLEIPSEC, SIOCSMIP6CFG_ENABLEIPSEC
from kame_py.wire.ip6ext import build_options, build_rthdr0, walk
from kame_py.wire.mip6 import BindingRequest, UniqueId
from kame_py.wire.mip6_draft13 import WIRE
from kame_py.wire.nd6opt import build_prefix_opt
from tests.scenario.mip6words import seen
from tests.scenario.mnstage import (
    CN,
    COA,
    FOREIGN,
    HA,
    HA2,
    HOA,
    KERNEL13,
    MnStage,
    hao_of,
)
from tests.scenario.statwords import counted
from tests.scenario.tester import ROUTER, ROUTER_MAC
from tests.scenario.words import Heard, addr, echo, icmp6, ip6, ra, sll

A, H, R, D = 0x80, 0x40, 0x20, 0x10
NEW: Final = "2001:db8:1:7::"  # another prefix at home


@pytest.fixture
def mn() -> MnStage:
    """Not yet anywhere; asks for no IPsec."""
    return MnStage(kernel=KERNEL13)


@pytest.fixture
def away(mn: MnStage) -> MnStage:
    mn.abroad()
    return mn


# -- updates (s.5.1) ------------------------------------------------------------------------------


def test_home_registration_asks_for_every_prefix_of_the_link(mn: MnStage) -> None:
    mn.arrive()
    _, update, packet = mn.updates()[0]
    assert (packet.src, packet.hops, hao_of(packet)) == (COA, (HA,), HOA)
    assert (update.flags, update.prefixlen, update.seqno) == (A | H | D, 64, 1)


def test_update_to_a_correspondent_has_neither_prefix_length_nor_flags(away: MnStage) -> None:
    away.tunnel(echo(CN, HOA))
    away.wait(1.1)
    ((_, update, _),) = [u for u in away.updates() if u[2].hops == (CN,)]
    assert (update.flags, update.prefixlen) == (0, 0)


def test_one_of_several_home_links_is_registered_alone(mn: MnStage) -> None:
    mn.run("mip6control -i hif0 -H 2001:db8:77:: -P 64")
    mn.arrive()
    assert {update.prefixlen for _, update, _ in mn.updates()} == {0}


def test_a_node_that_forwards_says_that_it_is_a_router_to_its_home_agent(away: MnStage) -> None:
    away.kern.ip6.ip6_forwarding = 1
    away.tunnel(echo(CN, HOA))
    away.request(HA)
    away.wait(2.1)
    flags = {packet.hops[0]: update.flags for _, update, packet in away.updates()}
    assert flags == {HA: A | H | R, CN: 0}


def test_link_that_was_left_is_asked_to_forward_the_one_address(mn: MnStage) -> None:
    """No S bit says so, but the prefix length that is not there."""
    home_agent = "2001:db8:2::1"
    router = prefix(home_agent, pflags=ROUTER_TOO)
    mn.tn.neighbours = {ROUTER: ROUTER_MAC}
    mn.send(ra(ROUTER, router, sll(ROUTER_MAC), flags=ND_RA_FLAG_HOME_AGENT), ROUTER_MAC)
    mn.wait(1.5)
    mn.send(ra(ROUTER, router, sll(ROUTER_MAC), flags=ND_RA_FLAG_HOME_AGENT), ROUTER_MAC)
    mn.wait(5)
    mn.acknowledge()
    mn.forget()
    mn.elsewhere()
    asked = [u for _, u, packet in mn.updates() if packet.hops == (home_agent,)]
    assert {(u.flags, u.prefixlen) for u in asked} == {(A | H, 0)}


# -- numbers (s.4.6, s.8.2) -----------------------------------------------------------------------


def test_numbers_go_beyond_255(away: MnStage) -> None:
    away.mip6.mip6_peers[addr(HA)].seqno = 255
    away.request(HA)
    away.wait(2.1)
    first, *_ = away.updates()
    assert first[1].seqno == 256
    away.ack(256, lifetime=77)
    bu = away.entry_of(HA)
    assert bu is not None and bu.mbu_lifetime == 77


def test_number_too_small_of_another_draft_is_an_unknown_refusal(mn: MnStage) -> None:
    mn.arrive()
    seqno = mn.updates()[-1][1].seqno
    mn.forget()
    mn.ack(seqno, status=141)
    bu = mn.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
    mn.wait(12)  # tried again later, with the next number
    assert mn.updates()[0][1].seqno == seqno + 1


def test_after_a_refused_prefix_length_another_home_agent_is_tried(mn: MnStage) -> None:
    mn.agent(HA2, "fe80::1:2", pref=-1)
    mn.arrive()
    seqno = mn.updates()[-1][1].seqno
    mn.ack(seqno, status=136)
    mn.wait(3)
    assert [packet.hops for _, _, packet in mn.updates()][:1] == [(HA2,)]


# -- discovery (s.5.6) ----------------------------------------------------------------------------


def test_discovery_request_names_the_home_address_and_has_no_option() -> None:
    mn = MnStage(kernel=KERNEL13, ha="")
    mn.land()
    mn.wait(1)
    found = [seen(h, WIRE) for h in mn.tn.frames if seen(h, WIRE).nxt == 58]
    (packet,) = [p for p in found if Icmp6Hdr.unpack(p.rest).icmp6_type == 150]
    assert (packet.src, packet.options, len(packet.rest)) == (COA, (), 32)
    home = WIRE.unpack_ha_request(packet.rest, 0).home
    assert home is not None and ntop(home) == HOA


# -- prefixes: solicitation (s.10.16) -------------------------------------------------------------


def inners(mn: MnStage, kind: int) -> list[tuple[str, str, bytes]]:
    """(outer source, outer destination, packet inside) of tunnelled messages of a type."""
    found = []
    for heard in mn.tn.frames:
        packet = seen(heard, WIRE)
        if packet.nxt == IPPROTO_IPV6 and packet.rest[Ip6Hdr.SIZE] == kind:
            assert packet.options == ()
            found.append((packet.src, packet.hops[0], packet.rest))
    return found


def test_solicitation_is_inside_a_packet_from_the_care_of_address(away: MnStage) -> None:
    told(away, prefix(valid=3000))
    away.wait(1900)
    away.advertise(FOREIGN)  # the router's lifetime was over
    away.forget()
    away.wait(110)
    (outer_src, outer_dst, inner), *_ = inners(away, ND_ROUTER_SOLICIT)
    head = Ip6Hdr.unpack(inner)
    assert (outer_src, outer_dst) == (COA, HA)
    assert (ntop(head.ip6_src), ntop(head.ip6_dst), head.ip6_hlim) == (HOA, HA, 255)
    assert Icmp6Hdr.unpack(inner, Ip6Hdr.SIZE).icmp6_code == 0


# -- prefixes: advertisement (s.10.17) ------------------------------------------------------------


LA: Final = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO
ROUTER_TOO: Final = LA | ND_OPT_PI_FLAG_ROUTER


def prefix(name: str = "2001:db8:1::", valid: int = 9000, pflags: int = LA) -> bytes:
    return build_prefix_opt(addr(name), 64, pflags, valid, valid)


def told(
    mn: MnStage,
    options: bytes,
    *,
    outer: str = HA,
    src: str = HA,
    hoa: str = HOA,
    request: tuple[int, ...] | None = (7,),
    hlim: int = 255,
    spoilt: bool = False,
) -> None:
    """A tunnelled advertisement, with a binding request that has these identifiers."""
    head = NdRouterAdvert(nd_ra_flags_reserved=ND_RA_FLAG_HOME_AGENT, nd_ra_router_lifetime=1800)
    inner = icmp6(src, hoa, head.pack() + options, hlim)
    if spoilt:
        inner = inner[:-1] + bytes((inner[-1] ^ 1,))
    rest, nxt = inner, IPPROTO_IPV6
    if request is not None:
        subopts = tuple(UniqueId(n) for n in request)
        rest = build_options(nxt, [WIRE.aligned(BindingRequest(subopts))]) + rest
        nxt = IPPROTO_DSTOPTS
    rthdr = build_rthdr0(nxt, [addr(HOA)], 1)
    mn.send(ip6(outer, COA, rthdr + rest, IPPROTO_ROUTING), ROUTER_MAC)


def home_prefixes(mn: MnStage) -> list[str]:
    return [ntop(mpfx.mpfx_prefix) for mpfx in mn.mip6.mip6_prefix_list]


def test_advertisement_of_the_home_agent_brings_prefixes(away: MnStage) -> None:
    told(away, prefix(NEW) + NdOptAdvInterval(nd_opt_ai_interval=60000).pack())
    assert NEW in home_prefixes(away)
    assert away.mip6.raintvl_ms == 60000
    assert away.drops() == {}
    away.conserved()


def test_its_binding_request_is_answered_with_the_identifier(away: MnStage) -> None:
    told(away, prefix())
    away.wait(1.1)
    ((_, update, _),) = [u for u in away.updates() if u[2].hops == (HA,)]
    assert UniqueId(7) in update.subopts


@pytest.mark.parametrize(
    "how",
    [
        {"request": None},
        {"request": ()},
        {"src": HA2},
        {"hlim": 254},
        {"spoilt": True},
    ],
    ids=["no request", "no identifier", "another source inside", "hop limit", "checksum"],
)
def test_other_advertisements_out_of_the_tunnel_are_dropped(
    away: MnStage, how: dict[str, object]
) -> None:
    told(away, prefix(NEW), **how)  # type: ignore[arg-type]  # the case's own words
    assert NEW not in home_prefixes(away)
    assert away.drops() == {"MIP6_RATUNNEL": 1}
    away.conserved()


@pytest.mark.parametrize("how", [{"outer": HA2}, {"outer": CN}])
def test_advertisement_through_a_stranger_is_nobodys(away: MnStage, how: dict[str, object]) -> None:
    told(away, prefix(NEW), **how)  # type: ignore[arg-type]  # the case's own words
    assert NEW not in home_prefixes(away)
    assert away.drops() == {"ENCAP6_NOTUNNEL": 1}
    away.conserved()


def test_unprotected_advertisement_counts_only_where_nobody_asks_for_ipsec(away: MnStage) -> None:
    away.mip6.config.mcfg_use_ipsec = 1
    told(away, prefix(NEW))
    assert NEW not in home_prefixes(away)
    assert away.drops() == {"MIP6_MPANOAUTH": 1}
    assert counted(away.kern) == {"mip6s_unprotected": 1}
    text = f"an unprotected mobile prefix advertisement from {HA}."
    assert f"mip6.c: {text}" in away.logged()


# -- packets (s.10.3) -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["tunnel", "routing header"])
def test_packets_out_of_the_tunnel_and_by_the_care_of_address_arrive(
    away: MnStage, way: str
) -> None:
    ping, nxt = echo(CN, HOA), 58
    if way == "tunnel":
        away.tunnel(ping)
    else:
        rest = build_rthdr0(nxt, [addr(HOA)], 1) + ping[Ip6Hdr.SIZE :]
        away.send(ip6(CN, COA, rest, IPPROTO_ROUTING), ROUTER_MAC)
    replies = [p for p in (seen(h, WIRE) for h in away.tn.frames) if p.nxt == nxt]
    assert [(p.src, p.hops) for p in replies] == [(COA, (CN,))]


# -- mip6control ----------------------------------------------------------------------------------


def test_mip6control_shows_a_kernel_that_asks_for_ipsec() -> None:
    mn = MnStage(kernel=KERNEL13, authdata=True)
    assert mn.run("mip6control") == (
        "node type: mobile node\n"
        "IPsec protection: enable\n"
        "authentication sub-option: enable\n"
        "debug: enable\n"
    )


def test_mip6control_shows_updates_in_the_columns_of_every_draft(away: MnStage) -> None:
    away.mip6.mip6_peers[addr(HA)].seqno = 299
    away.kern.ip6.ip6_forwarding = 1
    away.request(HA)
    away.wait(1.1)
    head, line = away.run("mip6control -bn").splitlines()
    assert head == (
        "paddr\t\thaddr\t\tcoa\t\tlifetim\tltexp\trefresh\trefexp\tacktimo\tackexp\t"
        "seqno\tflags\trstate\tstate"
    )
    assert line.startswith("2001:db8:1::1   2001:db8:1:0:2a 2001:db8:2:0:2a ")
    assert line.endswith("     300 AHR           3 A      ")


# -- protection (s.4.4, s.10.2) -------------------------------------------------------------------


def test_without_an_association_no_update_is_sent_and_the_log_tells() -> None:
    mn = MnStage(kernel=f"{KERNEL13}\noptions IPSEC", authdata=True)
    mn.arrive()
    assert mn.updates() == []
    lines = [line for line in mn.logged() if line.startswith("no security association")]
    assert lines == [f"no security association from {HOA} to {HA}, no binding update is sent."]


def test_kernel_without_ipsec_sends_none_either() -> None:
    mn = MnStage(kernel=KERNEL13, authdata=True)
    mn.arrive()
    assert mn.updates() == []


KEYS: Final = f"""
add {HOA} {HA} ah 0x2000 -A hmac-sha1 "AH SA configuration!";
add {HOA} {HA} esp 0x3000 -E des-cbc "12345678" -A hmac-md5 "ESP SA MD5 key !";
"""
ESP_ONLY: Final = f"spdadd {HOA} {HA} any -P out ipsec esp/transport//require;"


@pytest.fixture
def keyed() -> MnStage:
    """IPsec is asked for, and there are keys."""
    mn = MnStage(kernel=f"{KERNEL13}\noptions IPSEC\noptions IPSEC_ESP", authdata=True)
    mn.nut.files.write("/etc/keys", KEYS)
    mn.run("setkey -f /etc/keys")
    return mn


def chain(heard: Heard) -> list[int]:
    """Types of the headers of a packet, down to what AH or ESP hides."""
    head = Ip6Hdr.unpack(heard.packet)
    found = walk(heard.packet, head.ip6_nxt, Ip6Hdr.SIZE, len(heard.packet))
    return [ext.nxt_type for ext in found.headers] + [found.nxt]


def to_ha(mn: MnStage) -> list[list[int]]:
    return [chain(h) for h in mn.tn.frames if seen_hops(h) == (HA,)]


def seen_hops(heard: Heard) -> tuple[str, ...]:
    return (ntop(Ip6Hdr.unpack(heard.packet).ip6_dst),)


def test_update_is_under_ah_although_no_policy_asks_for_it(keyed: MnStage) -> None:
    keyed.arrive()
    assert to_ha(keyed)[0] == [IPPROTO_DSTOPTS, IPPROTO_AH, IPPROTO_DSTOPTS, IPPROTO_NONE]


def test_a_policy_for_esp_alone_is_not_enough(keyed: MnStage) -> None:
    keyed.nut.files.write("/etc/policy", ESP_ONLY)
    keyed.run("setkey -f /etc/policy")
    keyed.arrive()
    assert to_ha(keyed)[0] == [IPPROTO_DSTOPTS, IPPROTO_AH, IPPROTO_ESP]


def test_an_update_waits_for_its_key_and_leaves_when_there_is_one() -> None:
    mn = MnStage(kernel=f"{KERNEL13}\noptions IPSEC\noptions IPSEC_ESP", authdata=True)
    mn.arrive()
    assert to_ha(mn) == []
    mn.nut.files.write("/etc/keys", KEYS)
    mn.run("setkey -f /etc/keys")
    mn.wait(1.1)
    assert len(to_ha(mn)) == 1


def test_data_packets_are_not_lost_for_want_of_a_key() -> None:
    """They go without the update that would have gone along."""
    mn = MnStage(kernel=f"{KERNEL13}\noptions IPSEC", authdata=True)
    mn.configure(SIOCSMIP6CFG_DISABLEIPSEC)
    mn.abroad()
    mn.configure(SIOCSMIP6CFG_ENABLEIPSEC)
    mn.nut.run(f"ping6 -c 1 {CN}")
    found = [chain(h) for h in mn.tn.frames if seen_hops(h) == (CN,)]
    assert found == [[IPPROTO_DSTOPTS, 58]]


def test_without_the_check_updates_are_bare(mn: MnStage) -> None:
    mn.arrive()
    assert to_ha(mn)[0] == [IPPROTO_DSTOPTS, IPPROTO_DSTOPTS, IPPROTO_NONE]
