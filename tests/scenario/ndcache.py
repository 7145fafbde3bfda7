# SPDX-License-Identifier: BSD-3-Clause
"""Bring a neighbour cache entry into a state by packets, and find out its state by packets."""

from __future__ import annotations

from kame_py.kern.clock import NS
from tests.scenario.tester import LL, PEER, PEER_MAC, Stage
from tests.scenario.words import echo, is_, na, tll

STATES = ("none", "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE")


def enter(stage: Stage, state: str, who: str = PEER, mac: bytes = PEER_MAC) -> None:
    """Bring the entry of ``who`` into a state, then forget what was heard."""
    if state == "none":
        assert stage.state(who) == "none"
        return
    stage.send(echo(who, LL), mac)
    if state != "INCOMPLETE":
        stage.send(na(who, "SO", who, LL, tll(mac)), mac)
        assert stage.state(who) == "REACHABLE"
    if state in ("STALE", "DELAY", "PROBE"):
        stage.until(stage.entry(who).ln_expire)
        assert stage.state(who) == "STALE"
    if state in ("DELAY", "PROBE"):
        stage.send(echo(who, LL), mac)
        assert stage.state(who) == "DELAY"
    if state == "PROBE":
        stage.wait(5)
    assert stage.state(who) == state
    stage.forget()


def observed(stage: Stage, mac: bytes, who: str = PEER) -> str:
    """The state as a tester sees it: ping, and listen for 5.999 s (as conformance suites do).

    An entry without link-layer address asks by multicast; a reachable one answers and asks
    nothing; a stale one answers and asks by unicast after 5 s; one in probe asks within a second.
    """
    stage.take()
    start = stage.now
    stage.send(echo(who, LL), mac)
    first = stage.take()
    stage.wait(5.999)
    rest = stage.take()
    if not stage.find(is_("echoreply", dst=who, dmac=mac), first):
        assert stage.find(is_("ns", target=who), first + rest), "neither answer nor question"
        return "INCOMPLETE"
    asked = stage.find(is_("ns", target=who, dst=who, dmac=mac), first + rest)
    if not asked:
        return "REACHABLE"
    after = asked[0].t_ns - start
    return "STALE" if after == 5 * NS else "DELAY" if after > NS else "PROBE"
