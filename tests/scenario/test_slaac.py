# SPDX-License-Identifier: BSD-3-Clause
"""Stateless address autoconfiguration and the lifetimes of addresses (RFC 2462 s.5.5)."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.netinet6.in6_var import IN6_IFF_DEPRECATED, IN6_IFF_TENTATIVE
from tests.scenario.tester import (
    AUTO,
    GLOBAL,
    LL,
    PEER,
    PEER_G,
    PEER_MAC,
    ROUTER,
    ROUTER2,
    ROUTER2_MAC,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import echo, is_, ns, pi, ra, sll, spoil

ADDR = "Self_Test/addr.p2:"
CT = "ct/stateless-addrconf:"
PREFIX = "2001:db8:1::"
PREFIX2 = "2001:db8:2::"
AUTO2 = "2001:db8:2:0:2a0:24ff:fe66:77"
SITE = "fec0:0:0:1::"
SITE_AUTO = "fec0::1:2a0:24ff:fe66:77"
TWO_HOURS = 7200


def tahi(*names: str, ct: str = "") -> pytest.MarkDecorator:
    return pytest.mark.tahi(*(ADDR + n for n in names), *([CT + ct] if ct else []))


def advertise(stage: Stage, *options: bytes, router: str = ROUTER) -> int:
    """A router advertises; when it did."""
    mac = ROUTER_MAC if router == ROUTER else ROUTER2_MAC
    stage.send(ra(router, sll(mac), *options), mac)
    return stage.now


def answers(stage: Stage, who: str) -> bool:
    """Whether the node says that it has the address."""
    stage.take()
    stage.send(ns(who, PEER, sll(PEER_MAC)))
    return bool(stage.find(is_("na", target=who)))


def valid_ns(stage: Stage, who: str = AUTO) -> int:
    ia = stage.ia(who)
    assert ia is not None
    return ia.ia6_lifetime.ia6t_expire


# -- one prefix -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "address"),
    [
        pytest.param(
            PREFIX,
            AUTO,
            marks=tahi("RA_GA_Success", "v6LC_3_2_1", "v6LC_3_2_1_A", ct="RA_GA_Success"),
        ),
        pytest.param(
            "2001:db8::", "2001:db8::2a0:24ff:fe66:77", marks=tahi("v6LC_3_2_1_B"), id="zeros"
        ),
        pytest.param(
            SITE,
            SITE_AUTO,
            marks=tahi("RA_SLA_Success", "v6LC_3_2_1_C", ct="RA_SLA_Success"),
        ),
    ],
)
@tahi(ct="ADDRCONFSuccess")
def test_address_is_made_tested_deprecated_and_ends(host: Stage, prefix: str, address: str) -> None:
    start = advertise(host, pi(prefix, valid=40, preferred=20))
    host.find(is_("ns", src="::", target=address))
    assert host.addresses() == [address]
    host.until(start + NS - 1)
    assert not answers(host, address)  # still tentative
    host.until(start + NS)
    assert answers(host, address)
    ia = host.ia(address)
    assert ia is not None
    host.until(start + 20 * NS - 1)
    assert not ia.ia6_flags & IN6_IFF_DEPRECATED
    host.until(start + 20 * NS)
    assert ia.ia6_flags & IN6_IFF_DEPRECATED
    host.until(start + 40 * NS - 1)
    assert answers(host, address)
    host.until(start + 40 * NS)
    assert host.addresses() == []
    assert not answers(host, address)


def test_the_new_address_is_tested_by_a_solicitation_to_its_group(host: Stage) -> None:
    advertise(host, pi(PREFIX))
    host.only(is_("ns", src="::", target=AUTO, dst="ff02::1:ff66:77", hlim=255, sll=None))
    ia = host.ia(AUTO)
    assert ia is not None and ia.ia6_flags & IN6_IFF_TENTATIVE


@tahi("v6LC_3_2_4_J")
def test_infinite_lifetime_does_not_end(host: Stage) -> None:
    forever = 0xFFFFFFFF
    advertise(host, pi(PREFIX, valid=forever, preferred=forever))
    host.wait(10 * 365 * 86400)
    assert valid_ns(host) == 0
    assert answers(host, AUTO)


def test_manual_addresses_outlive_the_sweep_and_prefixes_of_advertisements_go(host: Stage) -> None:
    host.run(f"ifconfig fxp0 inet6 {GLOBAL} prefixlen 64 alias")
    advertise(host, pi(PREFIX2, valid=30, preferred=30))
    host.wait(30)
    assert host.addresses() == [GLOBAL]


# -- advertisements that make no address ----------------------------------------------------------


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(
            ra(ROUTER, pi(PREFIX, flags="L")), marks=tahi("RA_wAF0", ct="RA_wAF0"), id="A0"
        ),
        pytest.param(
            spoil(ra(ROUTER, pi(PREFIX)), "hlim"),
            marks=tahi("RA_wHL254", "RA_wHOPL254", ct="RA_wHL254"),
            id="hlim",
        ),
        pytest.param(
            ra(ROUTER, pi(PREFIX, valid=100, preferred=200)),
            marks=tahi("RA_wPLTgtVLT", ct="RA_wPLTgtVLT"),
            id="preferred>valid",
        ),
        pytest.param(ra(ROUTER, pi(PREFIX, plen=0)), marks=tahi("RA_wPXLEN0"), id="len0"),
        pytest.param(
            ra(ROUTER, pi(PREFIX, plen=48)),
            marks=tahi("RA_wPXLEN48", ct="RA_wPXLEN48"),
            id="len48",
        ),
        pytest.param(
            ra(ROUTER, pi(PREFIX, plen=96)),
            marks=tahi("RA_wPXLEN96", ct="RA_wPXLEN96"),
            id="len96",
        ),
        pytest.param(ra(ROUTER, pi(PREFIX, plen=120)), marks=tahi("RA_wPXLEN120"), id="len120"),
        pytest.param(
            ra(ROUTER, pi(PREFIX, plen=130)),
            marks=tahi("RA_wPXLEN128", "RA_wPXLEN130", ct="RA_wPXLEN130"),
            id="len130",
        ),
        pytest.param(
            ra(ROUTER, pi("fe80::")), marks=tahi("RA_wPXLLA", ct="RA_wPXLLA"), id="link-local"
        ),
        pytest.param(
            ra(ROUTER, pi(PREFIX, valid=0, preferred=0)),
            marks=tahi("RA_wVLT0", ct="RA_wVLT0"),
            id="valid0",
        ),
    ],
)
@tahi(ct="ADDRCONFFail")
def test_no_address_is_made(host: Stage, packet: bytes) -> None:
    before = [ia.ia_addr for ia in host.ifp.in6_addrs]
    host.send(packet, ROUTER_MAC)
    host.wait(3)
    assert [ia.ia_addr for ia in host.ifp.in6_addrs] == before
    assert not host.find(is_("ns", src="::"))
    ia = host.ia(LL)
    assert ia is not None and ia.ia6_lifetime.ia6t_expire == 0


@pytest.mark.parametrize(
    "knob", ["sysctl -w net.inet6.ip6.accept_rtadv=0", "ndp -i fxp0 -accept_rtadv"]
)
def test_hosts_that_do_not_accept_advertisements_make_no_address(host: Stage, knob: str) -> None:
    host.run(knob)
    advertise(host, pi(PREFIX))
    assert host.addresses() == []
    assert host.drops() == {"ND6_RANOTACCEPTED": 1}


# -- several prefixes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p1", "p2", "made"),
    [
        pytest.param(
            PREFIX,
            PREFIX2,
            [AUTO, AUTO2],
            marks=[
                tahi("RA_mGA_sRAmPXsRT", ct="RA_mGA_sRAmPXsRT"),
                tahi("RA_mGA_mRAmPXsRT", ct="RA_mGA_mRAmPXsRT"),
                tahi("RA_mGA_mRAmPXmRT", "RA_GA_Renumber", ct="RA_mGA_mRAmPXmRT"),
            ],
            id="two-global",
        ),
        pytest.param(
            PREFIX,
            SITE,
            [AUTO, SITE_AUTO],
            marks=[
                tahi("RA_BOTH_sRAmPXsRT", ct="RA_BOTH_sRAmPXsRT"),
                tahi("RA_BOTH_mRAmPXsRT", ct="RA_BOTH_mRAmPXsRT"),
                tahi("RA_BOTH_mRAmPXmRT", ct="RA_BOTH_mRAmPXmRT"),
            ],
            id="global-and-site",
        ),
    ],
)
@pytest.mark.parametrize("how", ["one-advertisement", "two", "two-routers"])
def test_one_address_for_each_prefix(
    host: Stage, p1: str, p2: str, made: list[str], how: str
) -> None:
    if how == "one-advertisement":
        advertise(host, pi(p1), pi(p2))
    else:
        advertise(host, pi(p1))
        advertise(host, pi(p2), router=ROUTER2 if how == "two-routers" else ROUTER)
    host.wait(2)
    assert host.addresses() == made
    assert all(answers(host, address) for address in made)


@tahi("RA_mGA_sRAmPXsRTdVLT")
def test_each_prefix_has_its_own_lifetime(host: Stage) -> None:
    start = advertise(host, pi(PREFIX, 20, 20), pi(PREFIX2, 40, 40))
    host.until(start + 20 * NS - 1)
    assert host.addresses() == [AUTO, AUTO2]
    host.until(start + 20 * NS)
    assert host.addresses() == [AUTO2]
    host.until(start + 40 * NS)
    assert host.addresses() == []


@tahi("RA_GA_MultiRenumber")
def test_renumbering_new_prefix_preferred_old_one_deprecated_then_gone(host: Stage) -> None:
    start = advertise(host, pi(PREFIX, 9000, 5000))
    host.wait(10)
    advertise(host, pi(PREFIX, TWO_HOURS, 0), pi(PREFIX2, 9000, 5000))
    host.wait(2)
    ia = host.ia(AUTO)
    assert ia is not None and ia.ia6_flags & IN6_IFF_DEPRECATED
    host.tn.neighbours["2001:db8:3::9"] = ROUTER_MAC
    host.tn.neighbours[ROUTER] = ROUTER_MAC
    host.take()
    assert "64 bytes" not in host.nut.run("ping6 -c 1 2001:db8:3::9").out
    (sent,) = host.find(is_("echo", dst="2001:db8:3::9"))
    assert sent.facts()["src"] == AUTO2
    host.until(start + (10 + TWO_HOURS) * NS)
    assert host.addresses() == [AUTO2]


@tahi(ct="ADDRSTATE_sameprfxes_order")
def test_of_the_same_prefix_twice_in_one_advertisement_both_count_in_order(host: Stage) -> None:
    start = advertise(host, pi(PREFIX, 9000, 9000), pi(PREFIX, 8000, 8000))
    assert valid_ns(host) == start + 8000 * NS


# -- the two hour rule (RFC 2462 s.5.5.3 (e)) -----------------------------------------------------

LIFETIMES = [
    # (first valid, wait, second valid, remaining after it)
    pytest.param(
        100,
        10,
        100,
        100,
        marks=[
            tahi("RA_sameVLT", ct="RA_sameVLT"),
            tahi(ct="ADDRSTATE_reset_VLT"),
        ],
        id="same-value-again",
    ),
    pytest.param(
        100, 10, 200, 200, marks=tahi("RA_incVLT", ct="RA_incVLT"), id="longer-than-remaining"
    ),
    pytest.param(10000, 10, 9000, 9000, marks=tahi("RA_gt2gt2"), id="more-than-two-hours"),
    pytest.param(9000, 10, 1000, TWO_HOURS, marks=tahi("RA_gt2lt2"), id="not-below-two-hours"),
    pytest.param(
        100,
        10,
        50,
        90,
        marks=[
            tahi("v6LC_3_2_4_C", "RA_decVLT", "RA_decVLT_BK", ct="RA_decVLT"),
            tahi(ct="ADDRSTATE_not_reset_VLT"),
        ],
        id="shorter-is-ignored",
    ),
    pytest.param(TWO_HOURS, 0, TWO_HOURS, TWO_HOURS, id="two-hours-exactly"),
    pytest.param(TWO_HOURS + 1, 0, TWO_HOURS, TWO_HOURS, id="one-second-more-shortened"),
    pytest.param(9000, 10, 0, TWO_HOURS, id="zero"),
]


@pytest.mark.parametrize(("first", "wait", "second", "left"), LIFETIMES)
def test_valid_lifetime_after_a_second_advertisement(
    host: Stage, first: int, wait: int, second: int, left: int
) -> None:
    advertise(host, pi(PREFIX, first, min(first, 50)))
    host.wait(wait)
    now = advertise(host, pi(PREFIX, second, min(second, 50)))
    end = now + left * NS
    assert valid_ns(host) == end
    host.until(end - 1)
    assert host.addresses() == [AUTO]
    host.until(end)
    assert host.addresses() == []


def test_preferred_lifetime_can_always_be_shortened_and_prolonged(host: Stage) -> None:
    advertise(host, pi(PREFIX, 9000, 5000))
    start = advertise(host, pi(PREFIX, 9000, 10))
    ia = host.ia(AUTO)
    assert ia is not None
    host.until(start + 10 * NS)
    assert ia.ia6_flags & IN6_IFF_DEPRECATED
    advertise(host, pi(PREFIX, 9000, 10))
    assert not ia.ia6_flags & IN6_IFF_DEPRECATED


def test_preferred_longer_than_valid_does_not_touch_an_address(host: Stage) -> None:
    start = advertise(host, pi(PREFIX, 9000, 5000))
    host.wait(10)
    advertise(host, pi(PREFIX, 10000, 10001))
    assert valid_ns(host) == start + 9000 * NS


def test_manual_address_of_an_advertised_prefix_keeps_its_lifetime(host_g: Stage) -> None:
    advertise(host_g, pi(PREFIX, 100, 50))
    assert host_g.addresses() == [GLOBAL]  # one address of the prefix is enough
    assert valid_ns(host_g, GLOBAL) == 0


# -- use ------------------------------------------------------------------------------------------


@tahi(ct="ADDRSTATE_pkt_receiving")
@pytest.mark.parametrize(("wait", "hears"), [(19, True), (39, True), (40, False)])
def test_packets_are_received_until_the_valid_lifetime_ends(
    host: Stage, wait: int, hears: bool
) -> None:
    host.tn.neighbours |= {PEER_G: PEER_MAC, ROUTER: ROUTER_MAC}
    start = advertise(host, pi(PREFIX, valid=40, preferred=20))
    host.until(start + wait * NS)
    host.take()
    host.send(echo(PEER_G, AUTO))
    assert bool(host.find(is_("echoreply", src=AUTO, dst=PEER_G))) == hears


@tahi("v6LC_3_2_6_A", ct="ADDRSTATE_src_select")
def test_source_is_the_preferred_address_then_the_deprecated_then_the_link_local(
    host: Stage,
) -> None:
    host.tn.neighbours |= {PEER_G: PEER_MAC, ROUTER: ROUTER_MAC}
    start = advertise(host, pi(PREFIX, 40, 20), pi(PREFIX2, 80, 60))
    sources = []
    for at in (10, 30, 50, 70):
        host.until(start + at * NS)
        host.take()
        host.nut.run(f"ping6 -c 1 {PEER_G}")
        sources += [h.facts()["src"] for h in host.find(is_("echo", dst=PEER_G))]
        host.take()
    assert sources == [AUTO, AUTO2, AUTO2, AUTO2]


@tahi("v6LC_3_2_7_A", "v6LC_3_2_7_B")
def test_ping_from_the_link_local_address_to_a_link_local_one(host: Stage) -> None:
    host.tn.neighbours[PEER] = PEER_MAC
    host.nut.run(f"ping6 -c 1 -I fxp0 {PEER}%fxp0")
    (sent,) = host.find(is_("echo", dst=PEER))
    assert sent.facts()["src"] == LL
