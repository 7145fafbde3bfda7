# SPDX-License-Identifier: BSD-3-Clause
"""The page of a replay in bulk is the page of the replay one by one."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kame_py.replay import bindings, ladder, runner
from kame_py.replay.page import Page, page_html
from kame_py.replay.runner import Fast, ReplayResult, replay
from kame_py.replay.signal import ICMP6_TYPES
from kame_py.replay.view import ViewWatch
from kame_py.replay.watch import Watches
from kame_py.wire.ip6ext import build_rthdr0
from kame_py.wire.pcapfmt import LINKTYPE_RAW
from tests.differential.home import CN, FAR, HA, MS, NS, ROUTER, Node, Steps, Typist, capture, frame
from tests.differential.protected import FIRST, Item
from tests.differential.test_fast_updates import AGENT, STEPS, Bu, coa, hoa, moves, node
from tests.scenario.mip6words import bu, with_hao
from tests.scenario.words import addr, echo, error, ip6, udp

SHOWN: Final = "shown in the report"
#: What may differ: numbers of the vector path.
_TILE: Final = re.compile(r"<div><dt>(?:replayed in|in bulk)</dt><dd>[^<]*</dd></div>")
_PUNTS: Final = re.compile(r'<section class="card" data-card="punts">.*?</section>', re.DOTALL)
Timed = Sequence[Item | tuple[int, Item]]


def pcap_of(items: Timed) -> bytes:
    timed = [item if isinstance(item, tuple) else (n * MS, item) for n, item in enumerate(items)]
    frames = [(t, i if isinstance(i, bytes) else i.packet()) for t, i in timed]
    return capture(frames)


pytest.importorskip("numpy")


def page(pcap: bytes, fast: Fast, who: Node, steps: Steps = ()) -> tuple[str, ReplayResult]:
    """The page, without what may differ."""
    view = ViewWatch("x.pcap")
    result = replay(
        io.BytesIO(pcap),
        who.options(fast),
        verdicts=view.verdict,
        watch=Watches((Typist(steps), view)),
    )
    text = page_html(Page("x", "kame replay", [view.finish(result, 0.0)]))
    return _PUNTS.sub("", _TILE.sub("", text)), result


def same(items: Timed, who: Node | None = None, steps: Steps = ()) -> tuple[str, ReplayResult]:
    """The one page there is, and the fast replay's result."""
    pcap, who = pcap_of(items), who or node()
    slow, _ = page(pcap, Fast.OFF, who, steps)
    fast, result = page(pcap, Fast.ON, who, steps)
    assert fast.replace("><", ">\n<").splitlines() == slow.replace("><", ">\n<").splitlines()
    return fast, result


def moving(count: int) -> list[Item]:
    """Mobile nodes that are elsewhere each time."""
    return [Bu(n % 3, n // 3 % 256 + 1, link=n % 2) for n in range(count)]


def test_each_update_is_on_the_page_and_each_stay() -> None:
    text, result = same([FIRST, *moving(60)])
    assert "120 messages between node, " in text
    assert text.count("binding, moved") > 20
    assert result.in_bulk == 0 and result.punts[SHOWN] == 60


def test_messages_that_are_not_kept_are_counted() -> None:
    more = 40
    text, _ = same([FIRST, *moving((ladder.HEAD + ladder.TAIL) // 2 + more)])
    assert f"{2 * more} messages in the middle left out" in text


def test_auto_shows_what_comes_when_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "AUTO_PACKETS", 20)
    pcap = pcap_of([FIRST, *moving(60)])
    assert page(pcap, Fast.AUTO, node())[0] == page(pcap, Fast.OFF, node())[0]


def test_the_question_stands_above_its_answer() -> None:
    text, _ = same([FIRST, Bu(0, 1)])
    assert text.index("BU seq 1") < text.index("BA seq 1")
    lanes = re.findall(r'class="head mono">([^<]*)<', text)
    assert lanes[0] == "node"


MH: Final = ip6(FAR, ROUTER, bytes.fromhex("3b07050000000000") + bytes(56), 135)
FILL: Final = b"\x3b" * 22
ROUTING: Final = {nxt: bytes((nxt, 2)) + FILL for nxt in (43, 135)}
ROUTED: Final = ROUTING[135] + MH[40:]
#: Signalling of others that a router forwards, behind all kinds of headers.
PASSING: Final[dict[str, bytes]] = {
    "plain": MH,
    "in a tunnel": ip6(FAR, ROUTER, MH, 41),
    "in two tunnels": ip6(FAR, ROUTER, ip6(CN, ROUTER, MH, 41), 41),
    "behind a home address": with_hao(FAR, ROUTER, hoa(7), ROUTED, 43),
    "behind padding": ip6(FAR, ROUTER, b"\x87\x00\x01\x04" + bytes(4) + MH[40:], 60),
    "behind a routing header": ip6(FAR, ROUTER, ROUTED, 43),
    "behind two of them": ip6(FAR, ROUTER, ROUTING[43] + ROUTED, 43),
    "behind nine of them": ip6(FAR, ROUTER, ROUTING[43] * 8 + ROUTED, 43),
    "behind AH": ip6(FAR, ROUTER, b"\x2b\x04" + FILL + ROUTED, 51),
}


@pytest.mark.parametrize("name", PASSING)
def test_signalling_of_others_is_on_the_page(name: str) -> None:
    packet = frame(PASSING[name])
    data = [frame(udp(FAR, ROUTER)), frame(ip6(FAR, ROUTER, udp(CN, FAR), 41))] * 10
    text, result = same([FIRST, *data, packet, *data, packet], Node())
    assert "2 messages between node, " in text
    assert result.in_bulk >= 40 and result.punts[SHOWN] == 2


def test_signalling_on_a_link_without_addresses() -> None:
    data = [udp(FAR, ROUTER), ip6(FAR, ROUTER, MH, 41)]
    frames = [(n * MS, packet) for n, packet in enumerate(data * 10)]
    pcap = capture(frames, LINKTYPE_RAW)
    fast, result = page(pcap, Fast.ON, Node())
    assert fast == page(pcap, Fast.OFF, Node())[0]
    assert result.punts[SHOWN] == 10 and result.in_bulk == 9


@pytest.mark.parametrize("number", [1, 128, 149, 160, *sorted(ICMP6_TYPES)])
def test_messages_of_icmp6_are_on_the_page(number: int) -> None:
    packet = frame(ip6(FAR, ROUTER, bytes((number,)) + bytes(19), 58))
    data = [frame(udp(FAR, ROUTER)), frame(echo(FAR, ROUTER))] * 10
    _, result = same([FIRST, *data, packet, *data, packet], Node())
    assert result.punts.get(SHOWN, 0) == 2 * (number in ICMP6_TYPES)


def test_data_stays_in_bulk() -> None:
    home = frame(with_hao(coa(0), HA, hoa(0), echo(hoa(0), HA)[40:], 58))
    data = [frame(udp(FAR, ROUTER)), frame(echo(FAR, HA)), home, frame(udp(FAR, hoa(0)))]
    _, result = same([FIRST, Bu(0, 1, flags="A"), *data * 20, Bu(0, 2), *data * 20], node(AGENT))
    assert result.punts == {SHOWN: 2}
    assert result.in_bulk == 160


@pytest.mark.parametrize("cut", range(0, 110, 7))
def test_packets_that_are_cut_short(cut: int) -> None:
    whole = Bu(0, 1).packet()
    tunnel = frame(ip6(FAR, ROUTER, MH, 41))
    same([FIRST, whole[:cut], tunnel[:cut], Bu(0, 2), tunnel], Node())


@pytest.fixture(params=[bindings.FEW, 1], ids=["few", "many"])
def cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that may be looked at as a whole each time, and one that may not."""
    monkeypatch.setattr(bindings, "FEW", request.param)


@pytest.mark.usefixtures("cache")
def test_bindings_end_when_they_do_whatever_goes_by() -> None:
    lives: list[Item | tuple[int, Item]] = [Bu(n, 1, life=2 + n) for n in range(3)]
    back = (3900 * MS, Bu(0, 1))
    data = [(5 * NS + n * 100 * MS, frame(udp(FAR, ROUTER))) for n in range(40)]
    text, _ = same([FIRST, *lives, back, *data], node(AGENT))
    assert text.count("binding, expired") == 3


@pytest.mark.parametrize("name", STEPS)
def test_commands_in_the_middle(name: str) -> None:
    data = frame(udp(FAR, ROUTER))
    items = [(n * 5 * MS, i) for n, i in enumerate([FIRST, *moving(30), *[data] * 40, Bu(0, 99)])]
    same(items, node(AGENT), [(170 * MS, STEPS[name])])


@pytest.mark.usefixtures("cache")
def test_a_binding_whose_care_of_address_is_unreachable_ends_then() -> None:
    """Three errors in a row: packets that are no signalling, with nothing behind them."""
    routed = build_rthdr0(59, [addr(hoa(0))], 1)
    wrong = frame(error(ROUTER, HA, 1, 3, ip6(HA, coa(0), routed, 43)))
    data = [frame(udp(FAR, ROUTER)), frame(echo(FAR, HA))]
    errors = [(n * 1500 * MS + 7 * MS, wrong) for n in (1, 2, 3)]
    later = [(4508 * MS + n * 20 * MS, data[n % 2]) for n in range(20)]
    text, result = same([FIRST, Bu(0, 1), *errors, *later], node(AGENT))
    assert "binding, removed" in text
    assert '<td class="num">4.507</td><td class="nowrap">node</td>' in text
    assert result.in_bulk > 10


def test_a_registration_that_somebody_takes_away_ends_then() -> None:
    registered = frame(bu(coa(0), HA, "2001:db8:1::100", flags="AHS", lifetime=600))
    data = [(n * 100 * MS, frame(udp(FAR, ROUTER))) for n in range(2, 90)]
    text, _ = same([FIRST, registered, *data], Node(), [(4321 * MS, "mip6control -M\n")])
    assert "home registration, removed" in text
    assert '<td class="num">4.321</td><td class="nowrap">node</td>' in text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(moves, st.integers(1, 900)), max_size=25))
def test_any_moves(found: list[tuple[Bu, int]]) -> None:
    at = 0
    items: list[tuple[int, Item]] = [(0, FIRST)]
    for move, later in found:
        at += later * MS
        items += [(at, move), (at, frame(udp(FAR, ROUTER)))]
    same(items)
