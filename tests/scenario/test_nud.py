# SPDX-License-Identifier: BSD-3-Clause
"""Address resolution and neighbour unreachability detection, seen from the link.

The families follow RFC 4861 s.7.2.3, s.7.2.5 and appendix C. Where a checklist title names only a
letter, the family covers all combinations and gives the letters in the order of its parameters.
"""

from __future__ import annotations

from itertools import product

import pytest

from kame_py.kern.clock import NS
from kame_py.wire.in6addr import ether_multicast
from tests.scenario.ndcache import STATES, enter, observed
from tests.scenario.tester import (
    ALLNODES,
    FAR,
    GLOBAL,
    LL,
    MAC,
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
    addr,
    atomic,
    echo,
    expect,
    fragments,
    group_of,
    is_,
    na,
    ns,
    ra,
    sll,
    spoil,
    tll,
)

ND = "Self_Test/nd.p2:"
CT = "ct/nd:"


def tahi(*ids: str) -> pytest.MarkDecorator:
    return pytest.mark.tahi(*ids)


# -- resolution -----------------------------------------------------------------------------------


def pinged(src: str) -> tuple[str, str]:
    """(source of the ping, our address it goes to)."""
    return src, LL if src == PEER else GLOBAL


@pytest.mark.parametrize(
    ("src", "dst"),
    [
        pytest.param(
            PEER,
            LL,
            marks=tahi(
                ND + "V6LC_2_1_6_A",
                ND + "V6LC_2_1_6_A_p1",
                ND + "V6LC_2_1_1_A",
                CT + "sendNsBasicLocal",
                CT + "sendMcastNS",
            ),
        ),
        pytest.param(
            PEER_G,
            GLOBAL,
            marks=tahi(ND + "V6LC_2_1_6_B", ND + "V6LC_2_1_1_C", CT + "sendNsBasicGlobGlob"),
        ),
        pytest.param(PEER_G, LL, marks=tahi(CT + "sendNsBasicGlobLink")),
        pytest.param(PEER, GLOBAL, marks=tahi(CT + "sendNsBasicLinkGlob")),
    ],
)
def test_resolution_asks_three_times_a_second_apart_then_gives_up(
    host_g: Stage, src: str, dst: str
) -> None:
    start = host_g.now
    host_g.send(echo(src, dst))
    host_g.until(start + 3 * NS - 1)
    asked = host_g.take()
    assert [h.t_ns - start for h in asked] == [0, NS, 2 * NS]
    for question in asked:
        expect(
            question,
            is_(
                "ns",
                src=dst,
                dst=group_of(src),
                target=src,
                sll=MAC,
                hlim=255,
                dmac=ether_multicast(addr(group_of(src))),
            ),
        )
    assert host_g.state(src) == "INCOMPLETE"
    host_g.until(start + 3 * NS)
    assert host_g.state(src) == "none"
    assert host_g.drops() == {"ND6_UNREACH": 1}
    host_g.conserved()


@tahi(CT + "sendMcastNS2", CT + "sendUcastNS2")
def test_retransmission_time_of_the_router_sets_the_pace_of_both_kinds_of_solicitation() -> None:
    stage = Stage()
    stage.send(ra(ROUTER, retrans=3000, lifetime=0), ROUTER_MAC)
    start = stage.now
    stage.send(echo(PEER, LL))
    stage.wait(9)
    assert [h.t_ns - start for h in stage.take()] == [0, 3 * NS, 6 * NS]
    enter(stage, "PROBE")
    start = stage.now
    stage.wait(9)
    assert [h.t_ns - start for h in stage.take()] == [3 * NS, 6 * NS]


@tahi(ND + "V6LC_2_1_1_D")
def test_destination_outside_all_prefixes_goes_to_the_router(host_g: Stage) -> None:
    host_g.tn.neighbours[ROUTER] = ROUTER_MAC
    host_g.send(ra(ROUTER, sll(ROUTER_MAC)), ROUTER_MAC)
    host_g.send(echo(FAR, GLOBAL), ROUTER_MAC)
    host_g.only(is_("echoreply", dst=FAR, dmac=ROUTER_MAC))


@tahi(ND + "V6LC_2_1_2_A", CT + "adrsolvQueuOne")
def test_of_the_packets_that_wait_for_one_neighbour_the_newest_is_sent(host: Stage) -> None:
    for data in (b"one", b"two", b"three"):
        host.send(echo(PEER, LL, data))
    host.only(is_("ns", target=PEER))
    host.send(na(PEER, "SO", PEER, LL, tll(PEER_MAC)))
    host.only(is_("echoreply", dst=PEER, data=b"three"))
    assert host.drops() == {"ND6_HOLDREPLACED": 2}
    host.conserved()


@tahi(ND + "V6LC_2_1_2_B", CT + "adrsolvQueuTwo", CT + "adrsolvQueuMulti")
def test_each_neighbour_has_its_own_queue(host: Stage) -> None:
    others = [f"fe80::{i:x}" for i in range(1, 9)]
    for who in others:
        host.send(echo(who, LL, who.encode()))
    host.take()
    for who in reversed(others):
        host.send(na(who, "SO", who, LL, tll(PEER_MAC)))
        host.only(is_("echoreply", dst=who, data=who.encode()))


@pytest.mark.parametrize(
    ("src", "dst"),
    [
        pytest.param(PEER, LL, marks=tahi(ND + "V6LC_2_1_7", CT + "sendUcastNS")),
        pytest.param(PEER_G, GLOBAL, marks=tahi(ND + "v6LC_2_1_6_B-v3_8_2")),
        pytest.param(PEER_G, LL, marks=tahi(ND + "v6LC_2_1_6_C-v3_8_2")),
        pytest.param(PEER, GLOBAL, marks=tahi(ND + "v6LC_2_1_6_D-v3_8_2")),
    ],
)
def test_reachability_is_asked_for_by_unicast_after_five_seconds_three_times(
    host_g: Stage, src: str, dst: str
) -> None:
    host_g.send(echo(src, dst))
    host_g.send(na(src, "SO", src, dst, tll(PEER_MAC)))
    host_g.until(host_g.entry(src).ln_expire)
    host_g.forget()
    start = host_g.now
    host_g.send(echo(src, dst))
    host_g.only(is_("echoreply", src=dst, dst=src, dmac=PEER_MAC))
    host_g.until(start + 5 * NS - 1)
    host_g.nothing()
    host_g.until(start + 8 * NS - 1)
    asked = host_g.take()
    assert [h.t_ns - start for h in asked] == [5 * NS, 6 * NS, 7 * NS]
    for question in asked:
        expect(question, is_("ns", dst=src, target=src, dmac=PEER_MAC, hlim=255))
    assert host_g.state(src) == "PROBE"
    host_g.until(start + 8 * NS)
    assert host_g.state(src) == "none"


def test_the_reachable_time_ends_at_the_second_and_not_a_nanosecond_before(host: Stage) -> None:
    enter(host, "REACHABLE")
    end = host.entry().ln_expire
    assert end % NS == 0  # KAME sweeps once a second
    assert 15 * NS <= end - host.now <= 46 * NS  # 30 s times 0.5 to 1.5
    host.until(end - 1)
    assert host.state() == "REACHABLE"
    host.until(end)
    assert host.state() == "STALE"


def test_a_stale_entry_is_collected_after_a_day(host: Stage) -> None:
    enter(host, "STALE")
    end = host.now + 86_400 * NS
    host.until(end - 1)
    assert host.state() == "STALE"
    host.until(end)
    assert host.state() == "none"


# -- solicitations that come in -------------------------------------------------------------------


_NS = [
    # (multicast, another link-layer address)
    (False, False),
    (False, True),
    (True, False),
    (True, True),
]
_NS_STATES = {"REACHABLE": "11", "STALE": "12", "PROBE": "13"}
_CT_NS = {"REACHABLE": "ncStateByNs4Reachable", "STALE": "ncStateByNs4Stale"}
_CT_NS |= {"PROBE": "ncStateByNs4Probe", "DELAY": ""}


def _ns_cases() -> list[object]:
    cases: list[object] = []
    for state in ("REACHABLE", "STALE", "DELAY", "PROBE"):
        for letter, (multicast, other) in zip("ABCD", _NS, strict=True):
            ids = [CT + _CT_NS[state]] if _CT_NS[state] else []
            if state in _NS_STATES:
                ids.append(f"{ND}V6LC_2_1_{_NS_STATES[state]}_{letter}")
            marks = tahi(*ids) if ids else ()
            cases.append(pytest.param(state, multicast, other, marks=marks))
    return cases


@pytest.mark.parametrize(("state", "multicast", "other"), _ns_cases())
def test_ns_in_a_known_state(host: Stage, state: str, multicast: bool, other: bool) -> None:
    """RFC 4861 s.7.2.3: another address is taken and stale, the same one changes nothing."""
    enter(host, state)
    mac = PEER_MAC2 if other else PEER_MAC
    host.send(ns(LL, PEER, sll(mac), dst="" if multicast else LL), mac)
    answer = host.only(is_("na", dst=PEER, target=LL, flags="SO", dmac=mac, hlim=255))
    assert answer.facts()["tll"] == (MAC if multicast else None)
    stale = other or state == "STALE"
    assert host.state() == ("DELAY" if stale else state)  # the answer itself went out
    assert host.entry().lladdr == mac
    if stale:
        host.wait(5)
        host.only(is_("ns", target=PEER, dst=PEER, dmac=mac))
        assert host.state() == "PROBE"


@pytest.mark.parametrize(
    "multicast",
    [
        pytest.param(False, marks=tahi(ND + "V6LC_2_1_9_A")),
        pytest.param(True, marks=tahi(ND + "V6LC_2_1_9_B", CT + "recvNsBasic")),
    ],
)
@tahi(CT + "ncStateByNs4NoNce")
def test_ns_without_entry_makes_a_stale_one(host: Stage, multicast: bool) -> None:
    host.send(ns(LL, PEER, sll(PEER_MAC), dst="" if multicast else LL))
    host.only(is_("na", dst=PEER, target=LL, flags="SO", dmac=PEER_MAC))
    host.wait(5)
    host.only(is_("ns", target=PEER, dst=PEER, dmac=PEER_MAC))


@tahi(ND + "v6LC_2_1_8_C-v3_8_2")
def test_unicast_ns_without_link_layer_address_and_entry_is_answered_after_resolution(
    host: Stage,
) -> None:
    host.send(ns(LL, PEER, dst=LL))
    host.only(is_("ns", target=PEER, dst=group_of(PEER)))
    assert host.state() == "INCOMPLETE"
    host.send(na(PEER, "SO", PEER, LL, tll(PEER_MAC)))
    host.only(is_("na", dst=PEER, target=LL, flags="SO", dmac=PEER_MAC))


@pytest.mark.parametrize(
    "multicast",
    [
        pytest.param(False, marks=tahi(ND + "V6LC_2_1_10_A")),
        pytest.param(True, marks=tahi(ND + "V6LC_2_1_10_B")),
    ],
)
@tahi(CT + "ncStateByNs4Incomplete")
def test_ns_in_incomplete_solves_it(host: Stage, multicast: bool) -> None:
    enter(host, "INCOMPLETE")
    host.send(ns(LL, PEER, sll(PEER_MAC), dst="" if multicast else LL))
    heard = host.take()
    assert [h.facts()["icmp6"] for h in heard] == ["echoreply", "na"]
    assert all(h.dmac == PEER_MAC for h in heard)
    assert host.state() == "DELAY"


@tahi(ND + "v6LC_2_1_9_C-v3_8_2")
def test_ns_without_link_layer_address_leaves_incomplete(host: Stage) -> None:
    enter(host, "INCOMPLETE")
    host.send(ns(LL, PEER, dst=LL))
    host.nothing()
    assert host.state() == "INCOMPLETE"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), marks=tahi(ND + "v6LC_2_1_13_A-v3_8_2")),
        pytest.param((sll(ROUTER_MAC),), marks=tahi(ND + "v6LC_2_1_13_B-v3_8_2")),
        pytest.param((sll(PEER_MAC2),), marks=tahi(ND + "v6LC_2_1_13_C-v3_8_2")),
    ],
)
@tahi(CT + "recvNsRFlag")
def test_ns_from_a_router_does_not_make_it_a_host(host: Stage, options: tuple[bytes, ...]) -> None:
    host.send(ra(ROUTER, sll(ROUTER_MAC)), ROUTER_MAC)
    host.send(ns(LL, ROUTER, *options, dst="" if options == (sll(PEER_MAC2),) else LL), ROUTER_MAC)
    assert host.entry(ROUTER).ln_router
    assert host.routers() == [ROUTER]


def _bad_ns(case: str) -> bytes:
    good = ns(LL, PEER, sll(PEER_MAC))
    if case == "bad-destination":  # a duplicate test not sent to the solicited-node group
        return ns(LL, "::", dst=ALLNODES)
    if case == "sll-from-unspecified":
        return ns(LL, "::", sll(PEER_MAC))
    return spoil(good, case)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        pytest.param("mcast-target", "ND6_BADNS", marks=tahi(ND + "V6LC_2_1_8_A")),
        pytest.param("bad-destination", "ND6_BADNS", marks=tahi(ND + "V6LC_2_1_8_B")),
        pytest.param("sll-from-unspecified", "ND6_BADNS", marks=tahi(ND + "V6LC_2_1_8_C")),
        pytest.param("hlim", "ND6_HLIM", marks=tahi(ND + "V6LC_2_1_8_D")),
        pytest.param("cksum", "ICMP6_CHECKSUM", marks=tahi(ND + "V6LC_2_1_8_E")),
        pytest.param("code", "ICMP6_BADCODE", marks=tahi(ND + "V6LC_2_1_8_F")),
        pytest.param("short", "ICMP6_BADLEN", marks=tahi(ND + "V6LC_2_1_8_G")),
        pytest.param("option0", "ND6_BADOPT", marks=tahi(ND + "V6LC_2_1_8_H")),
    ],
)
@tahi(CT + "recvNsInvalid")
def test_invalid_ns_is_neither_answered_nor_learnt_from(
    host: Stage, case: str, reason: str
) -> None:
    host.send(_bad_ns(case))
    host.nothing()
    assert host.state() == "none"
    assert host.drops() == {reason: 1}
    host.conserved()


@tahi(ND + "V6LC_2_1_22_A")
def test_ns_in_an_atomic_fragment_is_ignored(host: Stage) -> None:
    """RFC 6980 s.5."""
    host.send(atomic(ns(LL, PEER, sll(PEER_MAC))))
    host.nothing()
    assert host.state() == "none"


@tahi(ND + "V6LC_2_1_23_A")
def test_ns_in_fragments_is_ignored(host: Stage) -> None:
    for piece in fragments(ns(LL, PEER, sll(PEER_MAC), *[UNKNOWN_OPTION] * 2), 24):
        host.send(piece)
    host.nothing()
    assert host.state() == "none"


@pytest.mark.parametrize("part", ["atomic", "fragments"])
@tahi(ND + "V6LC_2_1_22_B", ND + "V6LC_2_1_23_B")
def test_na_in_fragments_is_ignored(host: Stage, part: str) -> None:
    enter(host, "INCOMPLETE")
    whole = na(PEER, "SO", PEER, LL, tll(PEER_MAC))
    for piece in [atomic(whole)] if part == "atomic" else fragments(whole, 24):
        host.send(piece)
    assert host.state() == "INCOMPLETE"


# -- advertisements that come in ------------------------------------------------------------------

_FLAGS = ("", "O", "S", "SO")


@pytest.mark.parametrize(
    ("flags", "with_tll"),
    [
        pytest.param(flags, with_tll, marks=tahi(f"{ND}V6LC_2_1_16_{letter}"))
        for letter, (with_tll, flags) in zip(
            "ABCDEFGH", product((True, False), _FLAGS), strict=True
        )
    ],
)
@tahi(CT + "ncStateByNa4Nonce")
def test_na_makes_no_entry(host: Stage, flags: str, with_tll: bool) -> None:
    options = (tll(PEER_MAC),) if with_tll else ()
    host.send(na(PEER, flags, PEER, LL if "S" in flags else ALLNODES, *options))
    host.nothing()
    assert host.state() == "none"
    assert host.drops() == {"ND6_NOTENTRY": 1}
    host.send(echo(PEER, LL))
    host.only(is_("ns", target=PEER, dst=group_of(PEER)))


@pytest.mark.parametrize(
    ("flags", "after"),
    [
        pytest.param("SO", "REACHABLE", marks=tahi(ND + "V6LC_2_1_17_A")),
        pytest.param("S", "REACHABLE", marks=tahi(ND + "V6LC_2_1_17_B")),
        pytest.param("O", "DELAY", marks=tahi(ND + "V6LC_2_1_17_C")),
        pytest.param("", "DELAY", marks=tahi(ND + "V6LC_2_1_17_D")),
    ],
)
@tahi(CT + "ncStateByNa4Incomplete")
def test_na_solves_incomplete_whatever_its_flags(host: Stage, flags: str, after: str) -> None:
    enter(host, "INCOMPLETE")
    host.send(na(PEER, flags, PEER, LL if "S" in flags else ALLNODES, tll(PEER_MAC)))
    host.only(is_("echoreply", dst=PEER, dmac=PEER_MAC))
    assert host.state() == after  # a stale one is in delay: the packet that waited went out
    host.wait(5)
    assert len(host.find(is_("ns", dst=PEER, dmac=PEER_MAC))) == (after == "DELAY")


@tahi(ND + "V6LC_2_1_17_E")
def test_na_without_link_layer_address_leaves_incomplete(host: Stage) -> None:
    enter(host, "INCOMPLETE")
    host.send(na(PEER, "SO", PEER, LL))
    host.nothing()
    assert host.state() == "INCOMPLETE"


def _after_na(state: str, flags: str, which: str) -> tuple[str, bool]:
    """RFC 4861 s.7.2.5: (new state, whether the link-layer address is replaced)."""
    if which == "different" and "O" not in flags:
        return ("STALE" if state == "REACHABLE" else state), False
    if "S" in flags:
        return "REACHABLE", which == "different"
    return ("STALE", True) if which == "different" else (state, False)


_NA_WAYS = [(f, way) for f in _FLAGS for way in (("unicast",) if "S" in f else ("unicast", "all"))]
_NA_CASES = [(f, way, which) for f, way in _NA_WAYS for which in ("none", "same", "different")]
_NA_STATES = {"REACHABLE": "18", "STALE": "19", "PROBE": "20"}


def _na_cases() -> list[object]:
    cases: list[object] = []
    for state in ("REACHABLE", "STALE", "DELAY", "PROBE"):
        for letter, case in zip("ABCDEFGHIJKLMNOPQR", _NA_CASES, strict=True):
            ids = []
            if state in _NA_STATES:
                ids = [f"{ND}V6LC_2_1_{_NA_STATES[state]}_{letter}"]
                ids.append(f"{CT}ncStateByNa4{state.capitalize()}")
            cases.append(pytest.param(state, *case, marks=tahi(*ids) if ids else ()))
    return cases


@pytest.mark.parametrize(("state", "flags", "way", "which"), _na_cases())
def test_na_in_a_known_state(host: Stage, state: str, flags: str, way: str, which: str) -> None:
    enter(host, state)
    options = {"none": (), "same": (tll(PEER_MAC),), "different": (tll(PEER_MAC2),)}[which]
    host.send(na(PEER, flags, PEER, LL if way == "unicast" else ALLNODES, *options))
    host.nothing()
    after, replaced = _after_na(state, flags, which)
    mac = PEER_MAC2 if replaced else PEER_MAC
    assert (host.state(), host.entry().lladdr) == (after, mac)
    if after != "DELAY":
        assert observed(host, mac) == after


@pytest.mark.parametrize(
    ("flags", "option"),
    [
        pytest.param(flags, option, marks=tahi(f"{ND}V6LC_2_1_21_{letter}"))
        for letter, (option, flags) in zip(
            "ABCDEFGH", product(("none", "same"), _FLAGS), strict=True
        )
    ],
)
@tahi(CT + "recvNaRFlag")
def test_na_without_router_flag_takes_the_default_router_away(
    host: Stage, flags: str, option: str
) -> None:
    host.send(ra(ROUTER, sll(ROUTER_MAC)), ROUTER_MAC)
    assert host.routers() == [ROUTER]
    dst = LL if "S" in flags else ALLNODES
    options = (tll(ROUTER_MAC),) if option == "same" else ()
    host.send(na(ROUTER, "R" + flags, ROUTER, dst, *options), ROUTER_MAC)
    assert host.routers() == [ROUTER]
    host.send(na(ROUTER, flags, ROUTER, dst, *options), ROUTER_MAC)
    assert host.routers() == []
    assert host.kern.rt.exact(bytes(16), 0) is None


@pytest.mark.parametrize("flags", ["", "S"])
def test_na_that_may_not_override_says_nothing_about_routers(host: Stage, flags: str) -> None:
    """RFC 4861 s.7.2.5: another link-layer address without override changes nothing else."""
    host.send(ra(ROUTER, sll(ROUTER_MAC)), ROUTER_MAC)
    dst = LL if flags else ALLNODES
    host.send(na(ROUTER, flags, ROUTER, dst, tll(PEER_MAC2)), PEER_MAC2)
    assert host.routers() == [ROUTER]
    assert host.entry(ROUTER).ln_router


def _bad_na(case: str) -> bytes:
    if case == "solicited-to-all":
        return na(PEER, "SO", PEER, ALLNODES, tll(PEER_MAC))
    return spoil(na(PEER, "SO", PEER, LL, tll(PEER_MAC)), case)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        pytest.param("solicited-to-all", "ND6_BADNA", marks=tahi(ND + "V6LC_2_1_15_A")),
        pytest.param("hlim", "ND6_HLIM", marks=tahi(ND + "V6LC_2_1_15_B")),
        pytest.param("cksum", "ICMP6_CHECKSUM", marks=tahi(ND + "V6LC_2_1_15_C")),
        pytest.param("code", "ICMP6_BADCODE", marks=tahi(ND + "V6LC_2_1_15_D")),
        pytest.param("short", "ICMP6_BADLEN", marks=tahi(ND + "V6LC_2_1_15_E")),
        pytest.param("mcast-target", "ND6_BADNA", marks=tahi(ND + "V6LC_2_1_15_F")),
        pytest.param("option0", "ND6_BADOPT", marks=tahi(ND + "V6LC_2_1_15_G")),
    ],
)
def test_invalid_na_solves_nothing(host: Stage, case: str, reason: str) -> None:
    enter(host, "INCOMPLETE")
    host.send(_bad_na(case))
    host.nothing()
    assert host.state() == "INCOMPLETE"
    assert host.drops() == {reason: 1}


@pytest.mark.parametrize("state", STATES)
def test_na_with_options_nobody_knows_is_still_used(host: Stage, state: str) -> None:
    enter(host, state)
    host.send(na(PEER, "SO", PEER, LL, UNKNOWN_OPTION, tll(PEER_MAC), UNKNOWN_OPTION))
    assert host.state() == ("none" if state == "none" else "REACHABLE")


def test_reserved_bits_of_ns_and_na_mean_nothing(host: Stage) -> None:
    host.send(ns(LL, PEER, sll(PEER_MAC), reserved=0xFFFFFFFF))
    host.only(is_("na", dst=PEER))
    host.send(na(PEER, "S", PEER, LL, reserved=0x1FFFFFFF))
    assert host.state() == "REACHABLE"


def test_ns_for_another_address_of_our_group_is_not_answered(host: Stage) -> None:
    other = "fe80::ff66:77"
    assert group_of(other) == group_of(LL)
    host.send(ns(other, PEER, sll(PEER_MAC)))
    host.nothing()
    assert host.drops() == {"ND6_NOTTARGET": 1}
