# SPDX-License-Identifier: BSD-3-Clause
"""Sequences of packets and commands that nobody thought of: fast is what slow is.

Routes, bindings, associations, policies, addresses, links and settings change in the middle of the
capture, by packets, by time and by commands. HYPOTHESIS_PROFILE=explore looks for new ones.
"""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from kame_py.kern import changes
from kame_py.wire.const import IPPROTO_IPV6
from kame_py.wire.in6addr import ether_multicast
from tests.differential.home import CN, HA, MS, NEIGHBOUR, NS, ROUTER, capture, compared, frame
from tests.differential.steps import (
    AWAY,
    BEFORE,
    EXTRA,
    HOMES,
    NODES,
    PROBES,
    ROUTER_LL,
    STEPS,
    STRANGER,
    Step,
    played,
    refreshed,
)
from tests.scenario.authwords import HOWTO_KEY
from tests.scenario.words import addr, ip6, ra, udp

pytest.importorskip("numpy")

EXAMPLES: Final = 50
SLOW: Final = [HealthCheck.too_slow]


def told(name: str, steps: list[Step], registered: bool, before: int) -> None:
    """Play a story both ways."""
    frames, commands = played(steps, registered, before)
    note(f"{len(frames)} frames, commands {commands}")
    compared(capture(frames), NODES[name], commands)


@pytest.mark.parametrize("name", NODES)
@settings(max_examples=EXAMPLES, suppress_health_check=SLOW)
@given(steps=STEPS, registered=st.booleans(), before=BEFORE)
def test_any_story_of_packets_and_commands(
    name: str, steps: list[Step], registered: bool, before: int
) -> None:
    told(name, steps, registered, before)


@pytest.mark.parametrize("name", ["home agent", "home agent that signs", "router"])
@settings(max_examples=EXAMPLES // 2, suppress_health_check=SLOW)
@given(steps=STEPS, registered=st.booleans())
def test_any_story_with_tables_that_are_soon_full(
    name: str, steps: list[Step], registered: bool
) -> None:
    """Limits that nobody reaches otherwise: everything is asked for again and again."""
    engine = pytest.importorskip("kame_py.fast.engine")
    lower = pytest.importorskip("kame_py.fast.lower")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "KEYS_MAX", 1)
        patch.setattr(engine, "OUT_OCTETS", 4096)
        for limit, few in (("ROWS", 4), ("ROWS_MAX", 16), ("HOPS", 1), ("HOPS_MAX", 4)):
            patch.setattr(lower, limit, few)
        patch.setattr(lower, "GROUPS_MAX", 4)
        patch.setattr(lower, "ENDS_MAX", 1)
        told(name, steps, registered, 1)


@pytest.mark.parametrize("name", [name for name in NODES if "signs" in name or "keys" in name])
@pytest.mark.parametrize("coa", AWAY)
def test_signed_updates_among_other_packets(name: str, coa: str) -> None:
    """What is sent is sent in the order of the capture, whoever makes it."""
    for lifetime in (0, 2, 600):
        first = (*refreshed(1, 1, coa, lifetime, HOWTO_KEY), *PROBES)
        later = (*PROBES, *refreshed(2, 2, coa, lifetime, HOWTO_KEY), *PROBES)
        frames, _ = played([Step(0, "", first), Step(3 * NS, "", later)], registered=False)
        compared(capture(frames), NODES[name])


#: Commands after which packets go another way, or none; the second one mostly takes it back.
TURNS: Final = {
    "another address on the link": ("ifconfig fxp0 lladdr 0:a0:24:66:0:78", "ifconfig fxp0 -arp"),
    "a route of many packets": (f"route change -inet6 default {NEIGHBOUR}", "route flush"),
    "a route of one host": (f"route add -inet6 {CN} {NEIGHBOUR}", f"route delete -inet6 {CN}"),
    "a route to a care-of address": (
        f"route add -inet6 {AWAY[0]} {NEIGHBOUR}",
        f"route change -inet6 {AWAY[0]} {ROUTER}",
    ),
    "an unreachable network": (
        f"route add -inet6 2001:db8:7:: -prefixlen 64 {ROUTER} -reject",
        "route delete -inet6 2001:db8:7:: -prefixlen 64",
    ),
    "a swallowed network": (
        f"route add -inet6 2001:db8:e:: -prefixlen 64 {ROUTER} -blackhole",
        "route delete -inet6 2001:db8:e:: -prefixlen 64",
    ),
    "no way out": ("route delete -inet6 default", f"route add -inet6 default {ROUTER}"),
    "smaller links": ("ifconfig fxp0 mtu 1400", "ifconfig fxp0 mtu 1500"),
    "a smaller path": ("route change -inet6 default -mtu 1300", "route change default -mtu 1500"),
    "an interface that is down": ("ifconfig fxp0 down", "ifconfig fxp0 up"),
    "every station": ("ifconfig fxp0 promisc", "ifconfig fxp0 -promisc"),
    "another router": (f"ndp -d {ROUTER}", f"ndp -s {ROUTER} 2:0:0:0:0:9"),
    "a stranger": (f"ndp -s {STRANGER} 2:0:0:0:0:9", f"ndp -d {STRANGER}"),
    "a mobile node's address": (
        f"ifconfig fxp0 inet6 {HOMES[0]} alias",
        f"ifconfig fxp0 inet6 {HOMES[0]} -alias",
    ),
    "a care-of address": (
        f"ifconfig fxp0 inet6 {AWAY[0]} alias",
        f"ifconfig fxp0 inet6 {AWAY[0]} -alias",
    ),
    "no address": (f"ifconfig fxp0 inet6 {HA} -alias", f"ifconfig fxp0 inet6 {HA} alias"),
    "an address of many": (
        f"ifconfig fxp0 inet6 {HA} prefixlen 64 anycast alias",
        f"ifconfig fxp0 inet6 {HA} prefixlen 64 -anycast alias",
    ),
    "an address that is tested first": (
        f"sysctl -w net.inet6.ip6.dad_count=1; ifconfig fxp0 inet6 {EXTRA} prefixlen 64 alias",
        "sysctl -w net.inet6.ip6.dad_count=0",
    ),
    "a host": ("sysctl -w net.inet6.ip6.forwarding=0", "sysctl -w net.inet6.ip6.forwarding=1"),
    "no redirects": ("sysctl -w net.inet6.ip6.redirect=0", "sysctl -w net.inet6.ip6.redirect=1"),
    "redirects again": (
        "sysctl -w net.inet6.ip6.redirect=0; ifconfig fxp0 mtu 1480",
        "sysctl -w net.inet6.ip6.redirect=1",
    ),
    "shorter ways": ("sysctl -w net.inet6.ip6.hlim=7", "sysctl -w net.inet6.ip6.hlim=70"),
    "everybody on the link": ("ndp -I fxp0", "ndp -I delete"),
    "a mobile node": ("mip6control -m", "mip6control -M"),
    "a policy": (
        "setkey -c <<EOF\nspdadd ::/0 ::/0 any -P out discard;\nEOF",
        "setkey -c <<EOF\nspdflush;\nEOF",
    ),
    "a program that pings": (f"ping6 -c 3 -i 1 {CN} &", "kill ping6"),
    "a program that listens": ("tcpdump -n -i fxp0 ip6 &", "kill tcpdump"),
}


@pytest.mark.parametrize("what", TURNS)
@pytest.mark.parametrize("name", ["home agent", "router", "host"])
def test_a_turn_in_the_middle_of_many_packets(name: str, what: str) -> None:
    """Everything that can be handled in bulk, before and behind it, beginning at its very time."""
    there, back = TURNS[what]
    still = Step(MS, "", PROBES * 2)
    steps = [still, still, Step(MS, there, PROBES * 2), still._replace(gap_ns=3 * NS)]
    frames, commands = played([*steps, Step(MS, back, PROBES * 2), still], registered=True)
    result = compared(capture(frames), NODES[name], commands)
    assert result.in_bulk > len(PROBES)


def test_an_advertised_hop_limit_is_that_of_answers() -> None:
    """By the second advertisement: nothing but the limit changes."""
    steps = []
    for hops in (0, 33):
        told = frame(ra(ROUTER_LL, hops=hops), dst=ether_multicast(addr("ff02::1")))
        steps += [Step(MS, "", PROBES), Step(MS, "", (told, *PROBES))]
    frames, _ = played(steps, registered=False)
    assert compared(capture(frames), NODES["host"]).in_bulk


def test_a_tunnel_that_ends_at_another_address_of_the_same_network() -> None:
    other = "2001:db8:1::2"
    node = NODES["home agent"]
    node = node._replace(text=f"{node.text}\nifconfig fxp0 inet6 {other} prefixlen 64 alias\n")
    packets = [frame(ip6(AWAY[0], dst, udp(HOMES[0], CN), IPPROTO_IPV6)) for dst in (HA, other)]
    frames, _ = played([Step(MS, "", tuple(packets * 4))], registered=True)
    assert compared(capture(frames), node).in_bulk >= 4
