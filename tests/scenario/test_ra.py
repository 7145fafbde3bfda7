# SPDX-License-Identifier: BSD-3-Clause
"""Router solicitations and advertisements (RFC 4861 s.6), seen from the link."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import MS, NS
from kame_py.wire.codecs import Ip6Hdr, NdRouterAdvert
from kame_py.wire.const import IPV6_DEFHLIM
from kame_py.wire.in6addr import ntop
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import build_mtu_opt, parse_nd_options
from tests.scenario.ndcache import enter, observed
from tests.scenario.tester import (
    ALLNODES,
    AUTO,
    FAR,
    GLOBAL,
    LL,
    PEER,
    PEER_G,
    PEER_MAC,
    PEER_MAC2,
    ROUTER,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import (
    UNKNOWN_OPTION,
    atomic,
    echo,
    fragments,
    group_of,
    is_,
    na,
    pi,
    ra,
    rs,
    sll,
    spoil,
    tll,
)

ND = "Self_Test/nd.p2:"
CT = "ct/nd:"
STATES = ("INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE")


def tahi(*ids: str) -> pytest.MarkDecorator:
    return pytest.mark.tahi(*(i if ":" in i else ND + i for i in ids))


@pytest.fixture
def router() -> Stage:
    """A router with rtadvd, which hears solicitations; its first advertisement is 16 s away."""
    stage = Stage(router=True, globals_=True)
    stage.nut.start("rtadvd fxp0")
    stage.wait(1)
    stage.forget()
    return stage


# -- which advertisements count -------------------------------------------------------------------


def faulty_ra(fault: str) -> bytes:
    if fault == "global-source":
        return ra("2001:db8:1::a1", sll(ROUTER_MAC), pi("2001:db8:1::"))
    return spoil(ra(ROUTER, sll(ROUTER_MAC), pi("2001:db8:1::")), fault)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param("global-source", "ND6_BADRA", marks=tahi("V6LC_2_2_11_A", "V6LC_2_2_2_C")),
        pytest.param("hlim", "ND6_HLIM", marks=tahi("V6LC_2_2_11_B", "V6LC_2_2_2_D")),
        pytest.param("cksum", "ICMP6_CHECKSUM", marks=tahi("V6LC_2_2_11_C", "V6LC_2_2_2_E")),
        pytest.param("code", "ICMP6_BADCODE", marks=tahi("V6LC_2_2_11_D", "V6LC_2_2_2_F")),
        pytest.param("short", "ICMP6_BADLEN", marks=tahi("V6LC_2_2_11_E")),
        pytest.param("option0", "ND6_BADOPT", marks=tahi("V6LC_2_2_11_F")),
    ],
)
@tahi(CT + "hostRecvRaInvalid")
def test_invalid_advertisement_changes_nothing(host: Stage, fault: str, reason: str) -> None:
    host.send(faulty_ra(fault), ROUTER_MAC)
    host.nothing()
    assert host.drops() == {reason: 1}
    assert (host.routers(), host.addresses(), host.state(ROUTER)) == ([], [], "none")


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(ra(ROUTER), marks=tahi("V6LC_2_2_2_A"), id="without-sll"),
        pytest.param(ra(ROUTER, sll(ROUTER_MAC)), marks=tahi("V6LC_2_2_2_B"), id="with-sll"),
        pytest.param(ra(ROUTER, sll(ROUTER_MAC), dst=LL), marks=tahi("V6LC_2_2_2_G"), id="unicast"),
        pytest.param(ra(ROUTER, UNKNOWN_OPTION, sll(ROUTER_MAC)), id="unknown-option"),
    ],
)
def test_valid_advertisement_makes_a_default_router(host: Stage, packet: bytes) -> None:
    host.send(packet, ROUTER_MAC)
    assert host.routers() == [ROUTER]
    default = host.kern.rt.exact(bytes(16), 0)
    assert default is not None and default.rt_gateway == host.kernel_form(ROUTER)


@tahi("v6LC_2_2_26_A", "v6LC_2_2_27_A")
@pytest.mark.parametrize("part", ["atomic", "fragments"])
def test_advertisement_in_fragments_is_ignored(host: Stage, part: str) -> None:
    whole = ra(ROUTER, sll(ROUTER_MAC), pi("2001:db8:1::"))
    for piece in [atomic(whole)] if part == "atomic" else fragments(whole, 16):
        host.send(piece, ROUTER_MAC)
    assert host.routers() == []
    assert host.drops()["ND6_FRAGMENT"] == 1


@tahi(CT + "routerRecvRa")
def test_router_does_not_believe_another_router() -> None:
    stage = Stage(router=True, globals_=True)
    stage.send(ra(ROUTER, sll(ROUTER_MAC), pi("2001:db8:9::")), ROUTER_MAC)
    assert (stage.routers(), stage.addresses()) == ([], [GLOBAL])
    assert stage.drops() == {"ND6_RANOTACCEPTED": 1}


# -- solicitations --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dst",
    [
        pytest.param("ff02::2", marks=tahi("V6LC_2_2_3_A")),
        pytest.param(ALLNODES, marks=tahi("V6LC_2_2_3_B")),
        pytest.param(LL, marks=tahi("V6LC_2_2_3_C")),
    ],
)
@tahi(CT + "hostRecvRs")
def test_host_ignores_router_solicitations(host: Stage, dst: str) -> None:
    host.send(rs(PEER, sll(PEER_MAC), dst=dst))
    host.wait(2)
    host.nothing()
    assert host.state() == "none"


@tahi("V6LC_2_2_1", CT + "hostSendRs")
def test_host_solicits_three_times_four_seconds_apart_and_then_waits() -> None:
    stage = Stage()
    stage.nut.start("rtsold fxp0")
    stage.wait(60)
    asked = stage.find(is_("rs", src=LL, dst="ff02::2", hlim=255, sll=stage.ifp.if_hwaddr))
    gaps = [b.t_ns - a.t_ns for a, b in zip(asked, asked[1:], strict=False)]
    assert gaps == [4 * NS, 4 * NS]
    assert asked[0].t_ns - 60 * NS <= 2 * NS


@tahi(CT + "hostSendRsAfterSolicitedRa")
def test_host_that_had_an_answer_solicits_no_more() -> None:
    stage = Stage()
    stage.nut.start("rtsold fxp0")
    stage.world.run_ns(stage.now + 3 * NS, lambda: bool(stage.tn.frames))
    assert len(stage.find(is_("rs"))) == 1
    stage.send(ra(ROUTER, sll(ROUTER_MAC)), ROUTER_MAC)
    stage.wait(60)
    assert not stage.find(is_("rs"))


def faulty_rs(fault: str) -> bytes:
    if fault == "sll-from-unspecified":
        return rs("::", sll(PEER_MAC))
    return spoil(rs(PEER, sll(PEER_MAC)), fault)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("hlim", marks=tahi("V6LC_2_2_4_A")),
        pytest.param("cksum", marks=tahi("V6LC_2_2_4_B")),
        pytest.param("code", marks=tahi("V6LC_2_2_4_C")),
        pytest.param("short", marks=tahi("V6LC_2_2_4_D")),
        pytest.param("option0", marks=tahi("V6LC_2_2_4_E")),
        pytest.param("sll-from-unspecified", marks=tahi("V6LC_2_2_4_F")),
    ],
)
@tahi(CT + "routerRecvRsInvalid")
def test_router_neither_answers_nor_learns_from_an_invalid_solicitation(
    router: Stage, fault: str
) -> None:
    router.send(faulty_rs(fault))
    router.wait(3)
    router.nothing()
    assert router.state() == "none"


@tahi("V6LC_2_2_9_A", "V6LC_2_2_5", CT + "routerRecvRs", CT + "routerSendSolRaDefault")
def test_router_answers_a_solicitation_within_half_a_second(router: Stage) -> None:
    start = router.now
    router.send(rs(PEER, sll(PEER_MAC)))
    router.wait(0.5)
    answer = router.only(is_("ra", src=LL, dst=ALLNODES, hlim=255, sll=router.ifp.if_hwaddr))
    assert answer.t_ns - start <= NS // 2


@tahi("V6LC_2_2_9_B")
def test_advertisements_are_three_seconds_apart_however_often_hosts_ask(router: Stage) -> None:
    for _ in range(80):
        router.send(rs(PEER, sll(PEER_MAC)))
        router.wait(0.1)
    told = router.find(is_("ra"))
    gaps = [b.t_ns - a.t_ns for a, b in zip(told, told[1:], strict=False)]
    assert len(told) == 3
    assert all(gap >= 3 * NS for gap in gaps)


@tahi("V6LC_2_2_6_A", "V6LC_2_2_6_B", "V6LC_2_2_8_A")
def test_router_advertises_only_where_it_was_told_to_and_resigns_when_it_stops() -> None:
    stage = Stage(router=True, links=2, globals_=True)
    stage.nut.start("rtadvd fxp0")
    stage.wait(60)
    assert stage.find(is_("ra"))
    assert not stage.find(is_("ra"), stage.take(stage.tn2))
    (proc,) = stage.nut.processes.named("rtadvd")
    stage.nut.processes.kill(proc.pid, "TERM")
    stage.nut.kick()
    stage.wait(30)
    last = stage.find(is_("ra"))
    lifetimes = [NdRouterAdvert.unpack(h.packet, Ip6Hdr.SIZE).nd_ra_router_lifetime for h in last]
    assert lifetimes and set(lifetimes) == {0}


@tahi("v6LC_2_2_26_B", "v6LC_2_2_27_B")
@pytest.mark.parametrize("part", ["atomic", "fragments"])
def test_solicitation_in_fragments_is_ignored(router: Stage, part: str) -> None:
    whole = rs(PEER, sll(PEER_MAC))
    for piece in [atomic(whole)] if part == "atomic" else fragments(whole, 8):
        router.send(piece)
    assert router.state() == "none"


def advertising(conf: str, *addresses: str) -> Stage:
    """A router whose rtadvd has this configuration; its first advertisement is to come."""
    stage = Stage(router=True, globals_=True)
    for address in addresses:
        stage.run(f"ifconfig fxp0 inet6 {address} prefixlen 64 alias")
    stage.wait(2)
    stage.nut.files.write("/usr/local/v6/etc/rtadvd.conf", conf)
    stage.nut.start("rtadvd fxp0")
    stage.settle()
    stage.forget()
    return stage


@pytest.mark.parametrize(
    ("low", "high"),
    [
        pytest.param(
            200,
            600,
            marks=tahi("V6LC_2_2_7", "v6LC_2_2_7_B", CT + "routerSendUnsolRaDefault"),
        ),
        pytest.param(
            3,
            4,
            marks=tahi("v6LC_2_2_7_C", "v6LC_2_2_7_C_p1", CT + "routerSendUnsolRaMin"),
        ),
        pytest.param(1350, 1800, marks=tahi("v6LC_2_2_7_D", CT + "routerSendUnsolRaMax")),
    ],
)
def test_unsolicited_advertisements_keep_their_interval(low: int, high: int) -> None:
    stage = advertising(f"fxp0:\\\n\t:mininterval#{low}:maxinterval#{high}:\n")
    stage.wait(12 * high)
    told = stage.find(is_("ra", src=LL, dst=ALLNODES, hlim=255))
    gaps = [(b.t_ns - a.t_ns) / NS for a, b in zip(told, told[1:], strict=False)]
    assert all(gap <= 16 for gap in gaps[:2])  # RFC 4861: the first three may come sooner
    assert len(gaps) >= 10
    assert all(low <= gap <= high for gap in gaps[2:])


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        pytest.param("2001:db8::1", "2001:db8::", marks=tahi("v6LC_2_2_7_E"), id="zeros"),
        pytest.param("fec0::1:0:0:0:1", "fec0:0:0:1::", marks=tahi("v6LC_2_2_7_F"), id="site"),
    ],
)
def test_prefixes_of_the_addresses_are_advertised(address: str, prefix: str) -> None:
    stage = advertising("", address)
    stage.wait(60)
    first = stage.find(is_("ra"))[0].packet
    opts = parse_nd_options(first, Ip6Hdr.SIZE + NdRouterAdvert.SIZE, len(first))
    assert not isinstance(opts, Malformed)
    told = [ntop(pi.nd_opt_pi_prefix) for pi in opts.prefixes]
    assert sorted(told) == sorted(["2001:db8:1::", prefix])


@tahi("V6LC_2_2_14_C")
def test_reachable_time_of_the_configuration_is_advertised() -> None:
    stage = advertising("fxp0:\\\n\t:rltime#1800:rtime#30000:\n")
    stage.wait(60)
    told = stage.find(is_("ra"))[0].packet
    assert NdRouterAdvert.unpack(told, Ip6Hdr.SIZE).nd_ra_reachable == 30_000


# -- what they teach the neighbour cache ----------------------------------------------------------


@pytest.mark.parametrize(
    "with_sll",
    [
        pytest.param(True, marks=tahi("v6LC_2_2_10_A", CT + "ncStateByRs4NoNce")),
        pytest.param(False, marks=tahi("v6LC_2_2_10_B")),
    ],
)
def test_solicitation_without_entry(router: Stage, with_sll: bool) -> None:
    router.send(rs(PEER, *([sll(PEER_MAC)] if with_sll else [])))
    assert router.state() == ("STALE" if with_sll else "none")
    assert observed(router, PEER_MAC) == ("STALE" if with_sll else "INCOMPLETE")


@tahi("v6LC_2_2_10_C", CT + "ncStateByRs4Incomplete")
def test_solicitation_solves_incomplete(router: Stage) -> None:
    enter(router, "INCOMPLETE")
    router.send(rs(PEER, sll(PEER_MAC)))
    assert router.find(is_("echoreply", dst=PEER, dmac=PEER_MAC))
    assert router.state() == "DELAY"


RS_LETTERS = {"REACHABLE": "DE", "STALE": "FG", "PROBE": "HI"}


def _known_rs() -> list[object]:
    cases: list[object] = []
    for state in STATES[1:]:
        for i, other in enumerate((True, False)):
            marks: tuple[()] | pytest.MarkDecorator = ()
            if state in RS_LETTERS:
                letter = RS_LETTERS[state][i]
                marks = tahi(f"v6LC_2_2_10_{letter}", f"{CT}ncStateByRs4{state.capitalize()}")
            cases.append(pytest.param(state, other, marks=marks))
    return cases


@pytest.mark.parametrize(("state", "other"), _known_rs())
def test_solicitation_in_a_known_state(router: Stage, state: str, other: bool) -> None:
    enter(router, state)
    mac = PEER_MAC2 if other else PEER_MAC
    router.send(rs(PEER, sll(mac)))
    after = "STALE" if other else state
    assert (router.state(), router.entry().lladdr) == (after, mac)
    if after != "DELAY":
        assert observed(router, mac) == after


@tahi("V6LC_2_2_15_A", CT + "ncStateByRa4Nonce")
def test_advertisement_without_entry_makes_a_stale_router(host: Stage) -> None:
    host.send(ra(ROUTER, sll(ROUTER_MAC)), ROUTER_MAC)
    assert host.state(ROUTER) == "STALE"
    assert host.entry(ROUTER).ln_router
    assert observed(host, ROUTER_MAC, ROUTER) == "STALE"


@tahi("V6LC_2_2_15_B", CT + "ncStateByRa4Incomplete")
def test_advertisement_solves_incomplete(host: Stage) -> None:
    enter(host, "INCOMPLETE", ROUTER, ROUTER_MAC)
    host.send(ra(ROUTER, sll(ROUTER_MAC)), ROUTER_MAC)
    host.only(is_("echoreply", dst=ROUTER, dmac=ROUTER_MAC))
    assert host.state(ROUTER) == "DELAY"


_RA_IDS = {
    ("REACHABLE", "other"): "V6LC_2_2_15_C",
    ("REACHABLE", "same"): "V6LC_2_2_15_D",
    ("REACHABLE", "none"): "v6LC_2_2_16_E-v3_8_2",
    ("PROBE", "other"): "V6LC_2_2_15_E",
    ("PROBE", "same"): "V6LC_2_2_15_F",
    ("PROBE", "none"): "v6LC_2_2_16_H-v3_8_2",
    ("STALE", "other"): "v6LC_2_2_16_I-v3_8_2",
    ("STALE", "same"): "v6LC_2_2_16_J-v3_8_2",
    ("STALE", "none"): "v6LC_2_2_16_K-v3_8_2",
}


def _known_ra() -> list[object]:
    cases: list[object] = []
    for state in STATES[1:]:
        for which in ("other", "same", "none"):
            marks: tuple[()] | pytest.MarkDecorator = ()
            if (state, which) in _RA_IDS:
                marks = tahi(_RA_IDS[state, which], f"{CT}ncStateByRa4{state.capitalize()}")
            cases.append(pytest.param(state, which, marks=marks))
    return cases


@pytest.mark.parametrize(("state", "which"), _known_ra())
def test_advertisement_in_a_known_state(host: Stage, state: str, which: str) -> None:
    enter(host, state, ROUTER, ROUTER_MAC)
    mac = PEER_MAC2 if which == "other" else ROUTER_MAC
    options = [] if which == "none" else [sll(mac)]
    host.send(ra(ROUTER, *options), ROUTER_MAC)
    after = "STALE" if which == "other" else state
    assert (host.state(ROUTER), host.entry(ROUTER).lladdr) == (after, mac)
    assert host.entry(ROUTER).ln_router


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), marks=tahi("v6LC_2_2_17_A")),
        pytest.param((sll(ROUTER_MAC),), marks=tahi("v6LC_2_2_17_B")),
        pytest.param((sll(PEER_MAC2),), marks=tahi("v6LC_2_2_17_C")),
    ],
)
@tahi(CT + "hostRecvRaRFlag")
def test_advertisement_sets_the_router_flag_of_the_entry(
    host: Stage, options: tuple[bytes, ...]
) -> None:
    enter(host, "REACHABLE", ROUTER, ROUTER_MAC)
    assert not host.entry(ROUTER).ln_router
    host.send(ra(ROUTER, *options), ROUTER_MAC)
    assert host.entry(ROUTER).ln_router
    host.send(na(ROUTER, "SO", ROUTER, LL, tll(ROUTER_MAC)), ROUTER_MAC)
    assert host.routers() == []


# -- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hops", "used"),
    [
        pytest.param(0, IPV6_DEFHLIM, marks=tahi("V6LC_2_2_12_A")),
        pytest.param(15, 15, marks=tahi("V6LC_2_2_12_B")),
    ],
)
def test_hop_limit_of_the_advertisement_is_used_unless_zero(
    host: Stage, hops: int, used: int
) -> None:
    host.send(ra(ROUTER, sll(ROUTER_MAC), hops=hops), ROUTER_MAC)
    enter(host, "REACHABLE")
    host.send(echo(PEER, LL))
    host.only(is_("echoreply", hlim=used))
    if hops:  # an unspecified one does not take it back
        host.send(ra(ROUTER, sll(ROUTER_MAC), hops=0), ROUTER_MAC)
        host.send(echo(PEER, LL))
        host.only(is_("echoreply", hlim=used))


@pytest.mark.parametrize("base_ms", [pytest.param(10_000, marks=tahi("V6LC_2_2_14_A")), 3_600_000])
@tahi("V6LC_2_2_14_B", CT + "hostRecvRaReachableTime")
def test_reachable_time_of_the_advertisement_is_used_within_its_random_factor(
    host: Stage, base_ms: int
) -> None:
    host.send(ra(ROUTER, sll(ROUTER_MAC), reachable=base_ms), ROUTER_MAC)
    enter(host, "REACHABLE")
    left = host.entry().ln_expire - host.now
    assert base_ms * MS // 2 <= left <= base_ms * MS * 3 // 2 + NS
    host.until(host.entry().ln_expire - 1)
    assert host.state() == "REACHABLE"
    host.wait(1e-9)
    assert host.state() == "STALE"


def test_reachable_time_beyond_an_hour_is_not_believed(host: Stage) -> None:
    host.send(ra(ROUTER, reachable=3_600_001), ROUTER_MAC)
    assert host.ifp.ndi.basereachable_ms == 30_000


@pytest.mark.parametrize(
    ("mtu", "used"), [(1279, 1500), (1280, 1280), (1500, 1500), (1501, 1500), (0, 1500)]
)
def test_mtu_option_between_1280_and_the_link_mtu_is_used(host: Stage, mtu: int, used: int) -> None:
    host.send(ra(ROUTER, build_mtu_opt(mtu)), ROUTER_MAC)
    assert host.ifp.ndi.linkmtu == used


@tahi(CT + "hostRecvRas", CT + "hostRecvRas2")
def test_host_takes_the_union_of_what_advertisements_say(host: Stage) -> None:
    host.send(ra(ROUTER, hops=33), ROUTER_MAC)
    host.send(ra(ROUTER, reachable=10_000), ROUTER_MAC)
    host.send(ra(ROUTER, retrans=2_000, lifetime=900), ROUTER_MAC)
    host.send(ra(ROUTER, build_mtu_opt(1400), pi("2001:db8:1::")), ROUTER_MAC)
    ndi = host.ifp.ndi
    got = (ndi.chlim, ndi.basereachable_ms, ndi.retrans_ms, ndi.linkmtu, host.addresses())
    assert got == (33, 10_000, 2_000, 1400, [AUTO])


# -- router lifetime ------------------------------------------------------------------------------


@tahi("V6LC_2_2_13_A", CT + "hostRecvRaRLifetimeN")
def test_router_lifetime_starts_again_with_each_advertisement(host: Stage) -> None:
    host.send(ra(ROUTER, sll(ROUTER_MAC), lifetime=10), ROUTER_MAC)
    host.wait(9)
    start = host.now
    host.send(ra(ROUTER, sll(ROUTER_MAC), lifetime=10), ROUTER_MAC)
    host.until(start + 10 * NS - 1)
    assert host.routers() == [ROUTER]
    host.until(start + 10 * NS)
    assert host.routers() == []


@tahi("V6LC_2_2_13_B", CT + "hostRecvRaRLifetime0")
def test_router_lifetime_zero_takes_the_router_away_at_once(host: Stage) -> None:
    host.send(ra(ROUTER, sll(ROUTER_MAC), pi("2001:db8:1::")), ROUTER_MAC)
    host.send(ra(ROUTER, sll(ROUTER_MAC), lifetime=0), ROUTER_MAC)
    assert host.routers() == []
    assert host.addresses() == [AUTO]  # prefixes have their own lifetimes
    host.forget()
    host.wait(2)
    host.send(echo(FAR, AUTO), ROUTER_MAC)
    assert not host.find(is_("echoreply"))


@tahi("V6LC_2_2_13_C")
def test_router_lifetime_of_five_seconds_ends_after_five_seconds(host: Stage) -> None:
    start = host.now
    host.send(ra(ROUTER, sll(ROUTER_MAC), lifetime=5), ROUTER_MAC)
    host.until(start + 5 * NS - 1)
    assert host.kern.rt.exact(bytes(16), 0) is not None
    host.until(start + 5 * NS)
    assert host.kern.rt.exact(bytes(16), 0) is None


# -- prefixes and next hops -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "onlink"),
    [("LA", True), ("L", True), pytest.param("A", False, marks=tahi("V6LC_2_1_3"))],
)
@tahi("v6LC_2_2_18", "v6LC_2_2_19", CT + "hostRecvRaNHD", CT + "hostRecvRaPrefix")
def test_on_link_flag_decides_whether_a_neighbour_is_asked_or_the_router(
    host: Stage, flags: str, onlink: bool
) -> None:
    host.run(f"ifconfig fxp0 inet6 {GLOBAL} prefixlen 128 alias")
    host.send(ra(ROUTER, sll(ROUTER_MAC), pi("2001:db8:1::", flags=flags)), ROUTER_MAC)
    host.wait(2)
    host.take()
    host.send(echo(PEER_G, GLOBAL))
    if onlink:
        host.only(is_("ns", target=PEER_G, dst=group_of(PEER_G)))
    else:
        host.only(is_("echoreply", dst=PEER_G, dmac=ROUTER_MAC))


@tahi("V6LC_2_1_5_A", "V6LC_2_1_5_B")
def test_prefix_is_on_the_link_until_its_lifetime_ends(host: Stage) -> None:
    host.run(f"ifconfig fxp0 inet6 {GLOBAL} prefixlen 128 alias")
    start = host.now
    prefix = pi("2001:db8:1::", valid=20, preferred=20, flags="L")
    host.send(ra(ROUTER, sll(ROUTER_MAC), prefix), ROUTER_MAC)
    host.until(start + 20 * NS - 1)
    host.take()
    host.send(echo(PEER_G, GLOBAL))
    host.only(is_("ns", target=PEER_G))
    host.until(start + 20 * NS)
    host.wait(4)
    host.take()
    host.send(echo(PEER_G, GLOBAL))
    assert host.find(is_("echoreply", dst=PEER_G))[0].dmac == ROUTER_MAC
