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
from tests.differential.home import MS, NS, capture, compared
from tests.differential.steps import AWAY, BEFORE, NODES, PROBES, STEPS, Step, played, refreshed
from tests.scenario.authwords import HOWTO_KEY

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


#: Commands after which packets go another way, or none.
TURNS: Final = {
    "the node gets another address on the link": "ifconfig fxp0 lladdr 0:a0:24:66:0:78",
    "a route of many packets changes": "route change -inet6 default 2001:db8:1::9",
    "packets of one host go elsewhere": "route add -inet6 2001:db8:f::1 2001:db8:1::9",
    "a network is unreachable": "route add -inet6 2001:db8:7:: -prefixlen 64 ::1 -reject",
    "a network is swallowed": "route add -inet6 2001:db8:e:: -prefixlen 64 ::1 -blackhole",
    "the way out goes": "route delete -inet6 default",
    "links become smaller": "ifconfig fxp0 mtu 1400",
    "the path becomes smaller": "route change -inet6 default -mtu 1300",
    "the interface goes down": "ifconfig fxp0 down",
    "every station is heard": "ifconfig fxp0 promisc",
    "the router is another station": "ndp -d 2001:db8:1::fe; ndp -s 2001:db8:1::fe 2:0:0:0:0:9",
    "a stranger is introduced": "ndp -s 2001:db8:1::dead 2:0:0:0:0:9",
    "the node takes a mobile node's address": "ifconfig fxp0 inet6 2001:db8:1::100 alias",
    "the node takes a care-of address": "ifconfig fxp0 inet6 2001:db8:7::1 alias",
    "the node loses its address": "ifconfig fxp0 inet6 2001:db8:1::1 -alias",
    "it forwards no more": "sysctl -w net.inet6.ip6.forwarding=0",
    "redirects are sent no more": "sysctl -w net.inet6.ip6.redirect=0",
    "packets go less far": "sysctl -w net.inet6.ip6.hlim=7",
    "the link is all there is": "ndp -I fxp0",
    "it becomes a mobile node": "mip6control -m",
    "a policy comes": "setkey -c <<EOF\nspdadd ::/0 ::/0 any -P out discard;\nEOF",
    "a program pings": "ping6 -c 3 -i 1 2001:db8:f::1 &",
    "a program listens": "tcpdump -n -i fxp0 ip6 &",
}


@pytest.mark.parametrize("what", TURNS)
@pytest.mark.parametrize("name", ["home agent", "router", "host"])
def test_a_turn_in_the_middle_of_many_packets(name: str, what: str) -> None:
    """Everything that can be handled in bulk, before and behind it, beginning at its very time."""
    still = Step(MS, "", PROBES * 2)
    turn = Step(MS, TURNS[what], PROBES * 2)
    frames, commands = played([still, still, turn, still], registered=True)
    result = compared(capture(frames), NODES[name], commands)
    assert result.in_bulk > len(PROBES)
