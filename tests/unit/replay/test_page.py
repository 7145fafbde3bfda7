# SPDX-License-Identifier: BSD-3-Clause
"""The report page as text: strangers' words stay words, long runs stay short, drops say why."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest

from kame_py.kern.drop import D
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.replay.bindings import MOVED, Span
from kame_py.replay.html import el, join, text
from kame_py.replay.ladder import (
    BAD,
    FORGOTTEN,
    GOOD,
    HEAD,
    LANES,
    OTHERS,
    PLAIN,
    TAIL,
    Ladder,
    Message,
)
from kame_py.replay.page import Page, page_html
from kame_py.replay.page_parts import duration, elapsed
from kame_py.replay.signal import Signal
from kame_py.replay.view import Table, View
from tests.unit.replay.captures import addr

NS = 1_000_000_000
EVIL = "</script><script>alert(1)</script><img src=x onerror='a()'>\"&\x00\u202e"
BU = Signal("BU", "seq 1, 600 s, AH", addr("2001:db8::1"), addr("2001:db8::2"))


class Tags(HTMLParser):
    """Every element of a page, its attributes and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attrs: set[str] = set()
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attrs |= {name for name, _ in attrs}
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attrs |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def evil_view() -> View:
    """A view whose every text wants to be more than a text."""
    view = View(EVIL, facts=[(EVIL, EVIL)], problems=[EVIL], explained=[(EVIL, [EVIL])])
    view.fates = {EVIL: {"dropped": 1}, "b": {"dropped": 2}}
    view.drops = {EVIL: {"IP6_BADVERS": 1}, "b": {}}
    view.counters = {EVIL: {EVIL: 1}}
    view.punts = {EVIL: 1}
    view.tables = [Table(EVIL, (EVIL,), [(EVIL,)], folded=EVIL)]
    view.names = {addr("2001:db8::1"): EVIL}
    view.spans = [Span(EVIL, EVIL, addr("2001:db8::1"), addr("2001:db8::2"), 0)]
    view.rates.add(0, EVIL)
    src = view.ladder.lane(EVIL, EVIL)
    evil = Signal(EVIL, EVIL, b"", b"")
    view.ladder.add(Message(0, src, [src], evil, end=EVIL))
    return view


@pytest.mark.parametrize("runs", [1, 2])
def test_no_text_becomes_an_element_or_an_attribute(runs: int) -> None:
    found = Tags(page_html(Page(EVIL, EVIL, [evil_view()] * runs, [EVIL])))
    assert not found.tags & {"script", "img"}
    assert not any(name.startswith("on") for name in found.attrs)
    shown = EVIL.replace("\x00", "\ufffd").replace("\u202e", "\ufffd")
    assert found.texts.count(shown) > 10


def test_elements_escape_what_they_hold() -> None:
    made = el("a", "<&>", join("x", el("b", 1)), href='"<', data_n=2, title=None)
    assert made == '<a href="&quot;&lt;" data-n="2">&lt;&amp;&gt;x<b>1</b></a>'
    assert text("\x1b[31m\ud800") == "\ufffd[31m\ufffd"


def test_a_page_without_any_run_is_a_page() -> None:
    found = Tags(page_html(Page("Replay of x", "kame replay x", [], ["x: no capture"])))
    assert "x: no capture" in found.texts


def test_nothing_on_it_is_loaded() -> None:
    page = page_html(Page("t", "c", [evil_view()]))
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"<(?:link|script|img|iframe)|url\(|@import", page)


def test_drops_are_shown_with_their_sentence() -> None:
    found = Tags(page_html(Page("t", "c", [evil_view()])))
    assert "IP6_BADVERS" in found.texts and D.IP6_BADVERS.text in found.texts


# -- ladder ---------------------------------------------------------------------------------------


def test_the_first_and_the_last_messages_are_kept() -> None:
    ladder = Ladder()
    ladder.lane("a", "a")
    for n in range(HEAD + TAIL + 50):
        ladder.add(Message(n, "a", ["a"], BU))
    kept = [message.t_ns for message in ladder]
    assert kept == [*range(HEAD), *range(HEAD + 50, HEAD + 50 + TAIL)]
    assert ladder.left_out == 50 and ladder.gap_after == HEAD
    page = page_html(Page("t", "c", [View("v", ladder=ladder)]))
    assert "50 messages in the middle left out" in page


def test_late_speakers_share_a_lane() -> None:
    ladder = Ladder()
    keys = [ladder.lane(f"{n}", f"{n}") for n in range(LANES + 3)]
    assert keys == [*(f"{n}" for n in range(LANES)), OTHERS, OTHERS, OTHERS]
    assert ladder.lane("0", "0") == "0"


def test_an_advertisement_is_told_when_it_is_another_routers() -> None:
    ladder = Ladder()
    one = Signal("RA", "router", addr("fe80::1"), addr("ff02::1"))
    two = one._replace(src=addr("fe80::2"))
    told = [ladder.news(signal, "mn") for signal in (one, one, two, one, two, one, two)]
    assert told == [True, False, True, False, False, False, False]  # two on one link
    assert ladder.news(one, "cn") and ladder.news(BU, "mn") and ladder.news(BU, "mn")


def test_a_router_is_another_one_again_after_a_while_or_a_question() -> None:
    ladder = Ladder()
    one = Signal("RA", "router", addr("fe80::1"), addr("ff02::1"))
    two = one._replace(src=addr("fe80::2"))
    told = [ladder.news(signal, "mn") for signal in (one, *[two] * FORGOTTEN, one)]
    assert told == [True, True, *[False] * FORGOTTEN]
    told = [ladder.news(signal, "mn") for signal in (*[two] * (FORGOTTEN + 1), one)]
    assert told == [*[False] * (FORGOTTEN + 1), True]
    ladder.asks("mn")
    assert ladder.news(one, "mn")


def test_lanes_of_the_silent_go_with_their_messages() -> None:
    ladder = Ladder()
    for key in "abc":
        ladder.lane(key, key)
    ladder.add(Message(0, "a", ["b"], BU))
    ladder.add(Message(1, "b", ["c"], BU))
    ladder.prune(lambda message: message.t_ns == 0)
    assert list(ladder.lanes) == ["a", "b"] and len(ladder) == 1


def packet(fate: Fate, dropped: bool = False) -> Mbuf:
    m = Mbuf(b"", None)
    m.fate, m.reason = fate, D.MIP6_BUSEQNO if dropped else None
    return m


def test_the_verdict_is_the_fate_of_the_packet() -> None:
    dropped = Message(0, "a", ["b"], BU, packet(Fate.DROPPED, True))
    assert dropped.verdict() == "dropped: MIP6_BUSEQNO" and dropped.tone() == BAD
    assert dropped.why() == "binding update with an old sequence number"
    answered = Message(0, "a", ["b"], BU, packet(Fate.TRANSMITTED))
    assert answered.verdict() == "consumed" and answered.tone() == GOOD
    held = packet(Fate.HELD)
    later = Message(0, "a", ["b"], BU, held)
    held.fate = Fate.DELIVERED
    assert later.verdict() == "delivered"
    assert Message(0, "a", ["b"], BU, end="own").tone() == PLAIN
    assert Message(0, "a", ["b"], BU, end="lost on the link").tone() == BAD
    assert Message(0, "a", ["b"], BU._replace(refused=True), packet(Fate.CONSUMED)).tone() == BAD


# -- the rest -------------------------------------------------------------------------------------


def test_a_binding_lies_where_its_time_is() -> None:
    home, care_of = addr("2001:db8::1"), addr("2001:db8::2")
    span = Span("ha", "binding", home, care_of, 2 * NS, 4 * NS, MOVED, 3)
    view = View("v", spans=[span], start_ns=0, end_ns=8 * NS)
    page = page_html(Page("t", "c", [view]))
    assert "left:25.000%;width:25.000%" in page
    texts = Tags(page).texts
    assert texts[texts.index("2.000") :][:7] == [
        *("2.000", "4.000", "ha", "2001:db8::1", "2001:db8::2", "3", "binding, moved")
    ]


@pytest.mark.parametrize(
    ("ns", "said"),
    [(0, "0.000"), (1, "0.000000"), (1500_000, "0.001500"), (20_000_000, "0.020")]
    + [(12_345_678_901, "12.345"), (-5_000_000_000, "-5.000")],
)
def test_times_have_the_digits_they_need(ns: int, said: str) -> None:
    assert elapsed(ns) == said


@pytest.mark.parametrize(
    ("ns", "said"), [(0, "0 s"), (20_000_000, "20 ms"), (1000, "1 µs"), (7, "7 ns"), (NS, "1 s")]
)
def test_lengths_have_their_unit(ns: int, said: str) -> None:
    assert duration(ns) == said
