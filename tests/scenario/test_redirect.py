# SPDX-License-Identifier: BSD-3-Clause
"""Redirects (RFC 4861 s.8): which ones a host follows, what they teach, when routers send them."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.wire.nd6opt import build_mtu_opt
from tests.scenario.ndcache import enter
from tests.scenario.tester import (
    AUTO,
    FAR,
    GLOBAL,
    LL,
    PEER_G,
    PEER_MAC,
    PEER_MAC2,
    ROUTER,
    ROUTER2,
    ROUTER2_MAC,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import (
    UNKNOWN_OPTION,
    atomic,
    echo,
    expect,
    fragments,
    is_,
    pi,
    ra,
    redirect,
    redirected,
    sll,
    spoil,
    tll,
)

ND = "Self_Test/nd.p2:"
CT = "ct/nd:"
NEAR = FAR  # a redirect says that it is on the link after all
REDIRECT_LIFE_S = 600  # net.inet6.icmp6.redirtimeout


def tahi(*ids: str) -> pytest.MarkDecorator:
    return pytest.mark.tahi(*(i if ":" in i else ND + i for i in ids))


@pytest.fixture
def stage() -> Stage:
    """A host with 2001:db8:1::/64, its router, and a destination behind it."""
    stage = Stage()
    stage.tn.neighbours[ROUTER] = ROUTER_MAC
    stage.send(ra(ROUTER, sll(ROUTER_MAC), pi("2001:db8:1::")), ROUTER_MAC)
    stage.wait(2)
    stage.forget()
    assert first_hop(stage) == ROUTER_MAC
    return stage


def first_hop(stage: Stage) -> bytes | str:
    """Where an answer to FAR goes: a MAC, or the neighbour that is asked for."""
    stage.take()
    stage.send(echo(FAR, AUTO), ROUTER_MAC)
    heard = stage.take()
    sent = stage.find(is_("echoreply", dst=FAR), heard)
    if sent:
        return sent[0].dmac
    asked = stage.find(is_("ns"), heard)
    return str(asked[0].facts()["target"])


QUOTE = redirected(echo(AUTO, FAR, b"x" * 100))
OVERSIZED = redirected(echo(AUTO, FAR, b"x" * 1400))
#: options of the four variants of the checklist; the last is larger than 1280 octets
VARIANTS = ((), (1,), (1, QUOTE), (1, OVERSIZED))


def options(variant: tuple[object, ...], mac: bytes) -> list[bytes]:
    return [o if isinstance(o, bytes) else tll(mac) for o in variant]


def variants(test: str, letters: str) -> list[object]:
    names = ("plain", "tll", "tll+quote", "tll+oversized")
    return [
        pytest.param(v, marks=tahi(f"{test}_{letter}"), id=name)
        for v, letter, name in zip(VARIANTS, letters, names, strict=True)
    ]


def to_neighbour(*opts: bytes, **more: int) -> bytes:
    return redirect(ROUTER, AUTO, NEAR, NEAR, *opts, **more)


def to_router(*opts: bytes, target: str = ROUTER2, **more: int) -> bytes:
    return redirect(ROUTER, AUTO, FAR, target, *opts, **more)


# -- valid ones -----------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", variants("v6LC_2_3_1", "EFGH"))
@tahi(CT + "hostRecvRedirect4OnlinkDC", "v6LC_2_3_9")
def test_destination_on_the_link_is_reached_directly(
    stage: Stage, variant: tuple[object, ...]
) -> None:
    stage.send(to_neighbour(*options(variant, PEER_MAC)), ROUTER_MAC)
    stage.nothing()
    assert first_hop(stage) == (PEER_MAC if variant else NEAR)
    stage.conserved()


@pytest.mark.parametrize("variant", variants("v6LC_2_3_4", "EFGH"))
@tahi(CT + "hostRecvRedirect4OfflinkDC")
def test_better_router_is_used(stage: Stage, variant: tuple[object, ...]) -> None:
    stage.send(to_router(*options(variant, ROUTER2_MAC)), ROUTER_MAC)
    stage.nothing()
    assert first_hop(stage) == (ROUTER2_MAC if variant else ROUTER2)
    rt = stage.route(FAR)
    assert rt is not None and rt.rt_rmx.rmx_expire == stage.now + REDIRECT_LIFE_S * NS


def test_redirect_ends_after_ten_minutes(stage: Stage) -> None:
    stage.send(to_router(tll(ROUTER2_MAC)), ROUTER_MAC)
    end = stage.now + REDIRECT_LIFE_S * NS
    stage.until(end - 1)
    assert stage.route(FAR) is not None
    stage.until(end)
    assert stage.route(FAR) is None


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(
            to_neighbour(UNKNOWN_OPTION, tll(PEER_MAC)), marks=tahi("v6LC_2_3_2_A"), id="option"
        ),
        pytest.param(
            to_neighbour(tll(PEER_MAC), reserved=0xFFFFFFFF),
            marks=tahi("v6LC_2_3_2_B"),
            id="reserved",
        ),
        pytest.param(to_neighbour(tll(PEER_MAC)), marks=tahi("v6LC_2_3_2_C"), id="uncovered"),
    ],
)
def test_odd_but_valid_redirect_to_a_neighbour_is_followed(stage: Stage, packet: bytes) -> None:
    stage.send(packet, ROUTER_MAC)
    assert first_hop(stage) == PEER_MAC


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(
            to_router(UNKNOWN_OPTION, tll(ROUTER2_MAC)), marks=tahi("v6LC_2_3_5_A"), id="option"
        ),
        pytest.param(
            to_router(tll(ROUTER2_MAC), reserved=0xFFFFFFFF),
            marks=tahi("v6LC_2_3_5_B"),
            id="reserved",
        ),
        pytest.param(
            to_router(build_mtu_opt(1280), tll(ROUTER2_MAC)), marks=tahi("v6LC_2_3_8_A"), id="mtu"
        ),
        pytest.param(
            to_router(pi("2001:db8:f::"), tll(ROUTER2_MAC)),
            marks=tahi("v6LC_2_3_8_B"),
            id="prefix",
        ),
        pytest.param(
            to_router(sll(PEER_MAC2), tll(ROUTER2_MAC)), marks=tahi("v6LC_2_3_8_C"), id="sll"
        ),
    ],
)
def test_options_that_do_not_belong_there_change_nothing(stage: Stage, packet: bytes) -> None:
    stage.send(packet, ROUTER_MAC)
    assert first_hop(stage) == ROUTER2_MAC
    assert stage.ifp.ndi.linkmtu == 1500
    assert stage.addresses() == [AUTO]
    assert stage.entry(ROUTER).lladdr == ROUTER_MAC


@tahi("v6LC_2_3_7")
def test_redirected_twice_goes_by_the_last(stage: Stage) -> None:
    stage.send(to_router(tll(ROUTER2_MAC)), ROUTER_MAC)
    assert first_hop(stage) == ROUTER2_MAC
    stage.send(redirect(ROUTER2, AUTO, FAR, ROUTER, tll(ROUTER_MAC)), ROUTER2_MAC)
    assert first_hop(stage) == ROUTER_MAC


# -- invalid ones ---------------------------------------------------------------------------------

FAULTS = {
    "A": ("global-source", "ICMP6_REDIRBAD"),
    "B": ("other-router", "ICMP6_REDIRBAD"),
    "C": ("hlim", "ND6_HLIM"),
    "D": ("code", "ICMP6_BADCODE"),
    "E": ("cksum", "ICMP6_CHECKSUM"),
    "F": ("mcast-about", "ICMP6_REDIRBAD"),
    "G": ("mcast-target", "ICMP6_REDIRBAD"),
    "H": ("short", "ICMP6_BADLEN"),
    "I": ("option0", "ND6_BADOPT"),
}


def faulty(fault: str, target: str, mac: bytes) -> bytes:
    if fault == "global-source":
        return redirect("2001:db8:1::a1", AUTO, FAR, target, tll(mac))
    if fault == "other-router":
        return redirect(ROUTER2, AUTO, FAR, target, tll(mac))
    if fault == "mcast-about":
        return redirect(ROUTER, AUTO, "ff0e::1", target, tll(mac))
    if fault == "mcast-target":
        return redirect(ROUTER, AUTO, FAR, "ff02::1", tll(mac))
    return spoil(redirect(ROUTER, AUTO, FAR, target, tll(mac)), fault)


def faults(*tests: str) -> list[object]:
    return [
        pytest.param(fault, reason, marks=tahi(*(f"{t}_{letter}" for t in tests)), id=fault)
        for letter, (fault, reason) in FAULTS.items()
    ]


@pytest.mark.parametrize("target", [NEAR, ROUTER2], ids=["neighbour", "router"])
@pytest.mark.parametrize(("fault", "reason"), faults("v6LC_2_3_3", "v6LC_2_3_6", "v6LC_2_3_15"))
@tahi(CT + "hostRecvRedirectInvalid")
def test_invalid_redirect_changes_neither_route_nor_neighbour(
    stage: Stage, fault: str, reason: str, target: str
) -> None:
    stage.send(faulty(fault, target, PEER_MAC), ROUTER_MAC)
    stage.nothing()
    assert stage.drops() == {reason: 1}
    assert stage.route(FAR) is None
    assert stage.state(target) == "none"
    assert first_hop(stage) == ROUTER_MAC


@pytest.mark.parametrize("state", ["INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE"])
@pytest.mark.parametrize(("fault", "reason"), faults("v6LC_2_3_15"))
def test_invalid_redirect_leaves_the_entry_as_it_is(
    stage: Stage, fault: str, reason: str, state: str
) -> None:
    enter(stage, state, ROUTER2, ROUTER2_MAC)
    before = stage.entry(ROUTER2).lladdr
    stage.send(faulty(fault, ROUTER2, PEER_MAC2), ROUTER_MAC)
    assert (stage.state(ROUTER2), stage.entry(ROUTER2).lladdr) == (state, before)
    assert stage.drops() == {reason: 1}


@tahi("v6LC_2_3_18", "v6LC_2_3_19")
@pytest.mark.parametrize("part", ["atomic", "fragments"])
def test_redirect_in_fragments_is_ignored(stage: Stage, part: str) -> None:
    whole = to_router(tll(ROUTER2_MAC), QUOTE)
    for piece in [atomic(whole)] if part == "atomic" else fragments(whole, 48):
        stage.send(piece, ROUTER_MAC)
    assert first_hop(stage) == ROUTER_MAC
    assert stage.drops()["ND6_FRAGMENT"] == 1


def test_redirects_can_be_switched_off(stage: Stage) -> None:
    stage.run("sysctl -w net.inet6.icmp6.rediraccept=0")
    stage.send(to_router(tll(ROUTER2_MAC)), ROUTER_MAC)
    assert first_hop(stage) == ROUTER_MAC


# -- what they teach the neighbour cache ----------------------------------------------------------


@pytest.mark.parametrize("variant", variants("v6LC_2_3_10", "ABCD"))
@tahi(CT + "ncStateByRedirect4Nonce", CT + "hostRecvRedirect4Nonce")
def test_no_entry_becomes_stale_when_the_address_is_told(
    stage: Stage, variant: tuple[object, ...]
) -> None:
    stage.send(to_router(*options(variant, ROUTER2_MAC)), ROUTER_MAC)
    assert stage.state(ROUTER2) == ("STALE" if variant else "none")
    assert first_hop(stage) == (ROUTER2_MAC if variant else ROUTER2)


@pytest.mark.parametrize("variant", variants("v6LC_2_3_11", "ABCD"))
@tahi(CT + "ncStateByRedirect4Incomplete")
def test_incomplete_entry_is_solved(stage: Stage, variant: tuple[object, ...]) -> None:
    enter(stage, "INCOMPLETE", ROUTER2, ROUTER2_MAC)
    stage.send(to_router(*options(variant, ROUTER2_MAC)), ROUTER_MAC)
    if variant:
        stage.only(is_("echoreply", dst=ROUTER2, dmac=ROUTER2_MAC))
    assert stage.state(ROUTER2) == ("DELAY" if variant else "INCOMPLETE")
    assert stage.entry(ROUTER2).ln_router


_KNOWN = [
    # (variant, another link-layer address, letter)
    ((), False, "A"),
    ((1,), False, "B"),
    ((1,), True, "C"),
    ((1, QUOTE), True, "D"),
    ((1, OVERSIZED), True, "E"),
]
_KNOWN_STATES = {"REACHABLE": "12", "STALE": "13", "PROBE": "14", "DELAY": ""}


def _known() -> list[object]:
    cases: list[object] = []
    for state, number in _KNOWN_STATES.items():
        for variant, other, letter in _KNOWN:
            marks: tuple[()] | pytest.MarkDecorator = ()
            if number:
                marks = tahi(
                    f"v6LC_2_3_{number}_{letter}",
                    f"{CT}ncStateByRedirect4{state.capitalize()}",
                )
            name = f"{state}-{len(variant)}-{'other' if other else 'same'}-{letter}"
            cases.append(pytest.param(state, variant, other, marks=marks, id=name))
    return cases


@pytest.mark.parametrize(("state", "variant", "other"), _known())
def test_known_entry_is_stale_only_with_another_address(
    stage: Stage, state: str, variant: tuple[object, ...], other: bool
) -> None:
    enter(stage, state, ROUTER2, ROUTER2_MAC)
    mac = PEER_MAC2 if other else ROUTER2_MAC
    stage.send(to_router(*options(variant, mac)), ROUTER_MAC)
    assert stage.state(ROUTER2) == ("STALE" if other else state)
    assert stage.entry(ROUTER2).lladdr == mac
    assert first_hop(stage) == mac


@tahi(CT + "hostRecvRedirect4RFlag", CT + "hostRecvRedirect4RFlag2")
def test_target_of_a_redirect_to_a_router_is_a_router_and_a_neighbour_keeps_what_it_was(
    stage: Stage,
) -> None:
    stage.send(to_router(tll(ROUTER2_MAC)), ROUTER_MAC)
    assert stage.entry(ROUTER2).ln_router
    stage.send(redirect(ROUTER, AUTO, "2001:db8:e::1", "2001:db8:e::1", tll(PEER_MAC)), ROUTER_MAC)
    assert not stage.entry("2001:db8:e::1").ln_router


@tahi(CT + "hostRecvRedirect4OfflinkNUD")
def test_when_the_better_router_dies_the_default_router_is_used_again(stage: Stage) -> None:
    stage.send(to_router(tll(ROUTER2_MAC)), ROUTER_MAC)
    assert first_hop(stage) == ROUTER2_MAC  # stale: delay begins
    stage.wait(8)  # 5 s of delay, three probes without answer
    assert stage.state(ROUTER2) == "none"
    assert first_hop(stage) == ROUTER_MAC


@tahi(CT + "hostRecvRedirect4OnlinkNUD")
def test_when_the_neighbour_dies_the_router_is_used_again(stage: Stage) -> None:
    stage.send(to_neighbour(tll(PEER_MAC)), ROUTER_MAC)
    assert first_hop(stage) == PEER_MAC
    stage.wait(8)
    assert first_hop(stage) == ROUTER_MAC


@tahi(CT + "hostRecvRedirect4RouterLifetime0", CT + "hostRecvRedirect4RouterLifetime02")
def test_routes_of_redirects_go_with_the_router_they_lead_to(stage: Stage) -> None:
    stage.send(ra(ROUTER2, sll(ROUTER2_MAC)), ROUTER2_MAC)
    stage.send(to_router(tll(ROUTER2_MAC)), ROUTER_MAC)
    assert first_hop(stage) == ROUTER2_MAC
    stage.send(ra(ROUTER2, sll(ROUTER2_MAC), lifetime=0), ROUTER2_MAC)
    assert first_hop(stage) == ROUTER_MAC


# -- routers --------------------------------------------------------------------------------------


@pytest.fixture
def rut() -> Stage:
    """A router with a route to 2001:db8:f::/48 by another router of lan, both resolved."""
    stage = Stage(router=True, links=2, globals_=True)
    stage.run(f"route add -inet6 2001:db8:f:: -prefixlen 48 {ROUTER2}%fxp0")
    stage.tn.neighbours |= {ROUTER2: ROUTER2_MAC, PEER_G: PEER_MAC, "2001:db8:1::8": PEER_MAC2}
    return stage


def passed(stage: Stage, src: str, dst: str, smac: bytes = PEER_MAC) -> list[str]:
    """A neighbour sends a packet through the router, twice; what its link hears the second time."""
    stage.send(echo(src, dst), smac)
    stage.forget()
    stage.send(echo(src, dst), smac)
    return [str(h.facts()["icmp6"]) for h in stage.tn.frames]


@tahi("v6LC_2_3_16_A", CT + "routerSendRedirectOnlink")
def test_router_redirects_to_a_neighbour(rut: Stage) -> None:
    assert passed(rut, PEER_G, "2001:db8:1::8") == ["echo", "redirect"]
    told = rut.find(is_("redirect"))[0]
    expect(
        told,
        is_(
            "redirect",
            src=LL,
            dst=PEER_G,
            hlim=255,
            target="2001:db8:1::8",
            about="2001:db8:1::8",
            tll=PEER_MAC2,
            dmac=PEER_MAC,
        ),
    )
    quoted = told.facts()["redirected"]
    assert isinstance(quoted, bytes) and len(told.packet) <= 1280


@tahi("v6LC_2_3_16_B", CT + "routerSendRedirectOfflink", CT + "routerSendRedirectOfflink2")
def test_router_redirects_to_another_router(rut: Stage) -> None:
    assert passed(rut, PEER_G, FAR) == ["echo", "redirect"]
    expect(
        rut.find(is_("redirect"))[0],
        is_("redirect", src=LL, dst=PEER_G, target=ROUTER2, about=FAR, tll=ROUTER2_MAC),
    )


@tahi("v6LC_2_3_16_C")
def test_router_does_not_redirect_a_source_that_is_no_neighbour(rut: Stage) -> None:
    assert passed(rut, "2001:db8:e::1", FAR, ROUTER_MAC) == ["echo"]


@tahi("v6LC_2_3_16_D")
def test_router_does_not_redirect_multicast(rut: Stage) -> None:
    assert passed(rut, PEER_G, "ff0e::77") == []


def test_router_can_be_told_not_to_redirect(rut: Stage) -> None:
    rut.run("sysctl -w net.inet6.ip6.redirect=0")
    assert passed(rut, PEER_G, FAR) == ["echo"]


@tahi("v6LC_2_3_17", CT + "routerRecvRedirect")
def test_router_does_not_follow_redirects(rut: Stage) -> None:
    rut.send(echo(PEER_G, FAR))
    rut.send(redirect(ROUTER2, GLOBAL, FAR, ROUTER, tll(ROUTER_MAC)), ROUTER2_MAC)
    assert rut.drops() == {"ICMP6_REDIROFF": 1}
    rut.forget()
    rut.send(echo(PEER_G, FAR))
    assert rut.find(is_("echo", dst=FAR))[0].dmac == ROUTER2_MAC
