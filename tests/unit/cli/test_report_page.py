# SPDX-License-Identifier: BSD-3-Clause
"""The report page in a browser: on a desk and on a telephone, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kame_py.cli.main import main
from kame_py.replay.bindings import CACHE, Span
from kame_py.replay.page import Page, page_html
from kame_py.replay.view import View
from tests.unit.cli.browser import Browser, browser
from tests.unit.replay.captures import OTHER_MAC, addr, capture, echo, ether, ra

WIDTHS = (1280, 390)
HOSTILE = "<img src=x onerror=alert(1)>&\"'.pcap"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def lab_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lab") / "out.html"
    assert main(["lab", "run", "howto", "-q", "--report", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def replay_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captures with names that want to be more than names."""
    folder = tmp_path_factory.mktemp("replay")
    frames = ((0, ether(echo())), (1, ether(echo(), dst=OTHER_MAC)), (2, ra()))
    for name in (HOSTILE, "x" * 200 + ".pcap"):
        (folder / name).write_bytes(capture(*frames).getvalue())
    out = folder / "out.html"
    words = ["--lladdr=02:00:00:00:00:55", "--explain", "3", "--report", str(out)]
    assert main(["replay", str(folder), *words]) == 0
    return out


def every(selector: str) -> str:
    """A script for the texts of all elements that are meant."""
    return f"[...document.querySelectorAll('{selector}')].map(e => e.textContent)"


def cards(tab: Browser) -> set[str]:
    return set(tab.ask("[...document.querySelectorAll('[data-card]')].map(e => e.dataset.card)"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", ["lab_page", "replay_page"])
def test_nothing_sticks_out_at_the_side(
    page: str, width: int, tab: Browser, request: pytest.FixtureRequest
) -> None:
    tab.open(request.getfixturevalue(page), width)
    tab.ask("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.ask("innerWidth") == width


@pytest.mark.parametrize("page", ["lab_page", "replay_page"])
def test_the_page_needs_nothing_but_itself(
    page: str, tab: Browser, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(page)
    tab.open(path, 1280)
    assert tab.requests() == [path.resolve().as_uri()]
    assert tab.complaints() == []
    assert tab.ask("document.scripts.length") == 0


def test_a_lab_shows_all_that_there_is(lab_page: Path, tab: Browser) -> None:
    tab.open(lab_page, 1280)
    assert tab.ask("document.querySelector('h1').textContent").startswith("HowTo: ")
    assert {"fates", "drops", "rates", "bindings", "ladder", "counters"} <= cards(tab)
    assert tab.ask("document.querySelectorAll('[data-card=rates] path').length") >= 3
    assert tab.ask("document.querySelector('footer').textContent").startswith("kame-py ")
    assert "kame " in tab.ask("document.querySelector('.command').textContent")


def test_the_ladder_has_an_arrow_and_a_row_for_each_message(lab_page: Path, tab: Browser) -> None:
    tab.open(lab_page, 1280)
    arrows = tab.ask("document.querySelectorAll('svg.ladder g.message').length")
    rows = tab.ask("document.querySelectorAll('[data-card=ladder] tbody tr').length")
    assert arrows == rows > 20
    heads = tab.ask(every("svg.ladder .head"))
    assert {"ha", "mn", "cn"} <= set(heads)
    texts = tab.ask(every("svg.ladder .kind"))
    assert {"BU", "BA", "DHAAD", "RA", "RS"} <= set(texts)
    assert tab.ask("document.querySelectorAll('svg.ladder .verdict.t-good').length") > 20
    assert "forwarded" not in tab.ask(every("svg.ladder .verdict"))  # by a router on the way
    assert "r3" not in heads


def test_texts_of_the_ladder_stay_inside_it(lab_page: Path, tab: Browser) -> None:
    tab.open(lab_page, 1280)
    outside = tab.ask(
        "(() => { const b = document.querySelector('svg.ladder').getBoundingClientRect();"
        " return [...document.querySelectorAll('svg.ladder text')].filter(t => {"
        " const r = t.getBoundingClientRect(); return r.left < b.left || r.right > b.right; })"
        ".map(t => t.textContent); })()"
    )
    assert outside == []


def test_bindings_stand_along_the_time(lab_page: Path, tab: Browser) -> None:
    tab.open(lab_page, 1280)
    who = tab.ask(every(".who"))
    assert "mn in ha, home registration" in who and "mn in cn, binding" in who
    stretches = tab.ask(
        "[...document.querySelectorAll('.track')].map(t => [...t.children].map(s => s.title))"
    )
    assert stretches[who.index("mn in ha, home registration")] == [
        "2001:200:9:1:2a0:24ff:fe00:201",
        "2001:200:9:2:2a0:24ff:fe00:201",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_stretches_with_little_room_have_no_text(width: int, tmp_path: Path, tab: Browser) -> None:
    home, places = addr("2001:db8::7"), [addr(f"2001:db8:{n}::7") for n in range(30)]
    spans = [Span("cn", CACHE, home, place, n, n + 1) for n, place in enumerate(places)]
    spans.append(Span("cn", CACHE, home, home, 30, 90))
    out = tmp_path / "crowd.html"
    out.write_text(page_html(Page("crowd", "", [View("crowd", spans=spans, end_ns=90)])))
    tab.open(out, width)
    seen = "[...document.querySelectorAll('.track span')].filter(s => s.offsetWidth)"
    assert tab.ask(f"{seen}.map(s => s.textContent)") == ["2001:db8::7"]
    assert tab.ask("document.querySelectorAll('.track div').length") == 31
    assert tab.ask(f"{seen}[0].scrollWidth <= {seen}[0].clientWidth")


def test_names_of_files_stay_names(replay_page: Path, tab: Browser) -> None:
    tab.open(replay_page, 1280)
    assert tab.ask("document.images.length") == 0
    titles = tab.ask(every("main > details > summary"))
    assert [Path(title).name for title in titles][0] == HOSTILE


def test_several_captures_are_added_up_and_told_apart(replay_page: Path, tab: Browser) -> None:
    tab.open(replay_page, 1280)
    last = "[data-card=files] tbody tr:last-child"
    assert tab.ask(f"document.querySelector('{last}').innerText").split() == ["all", "6", "2"]
    assert tab.ask("document.querySelectorAll('main > details').length") == 2
    assert "Packet 3" in tab.ask("document.body.innerText")


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
def test_words_can_be_read(dark: bool, lab_page: Path, tab: Browser) -> None:
    """Contrast of all colours of texts against the card, by WCAG 2.2 s.1.4.3."""
    tab.open(lab_page, 1280, dark)
    tab.ask("document.querySelectorAll('details').forEach(d => d.open = true)")
    ratios = tab.ask(
        """(() => {
          const parts = c => c.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          const light = c => { const [r, g, b] = parts(c); return .2126*r + .7152*g + .0722*b; };
          const card = light(getComputedStyle(document.querySelector('.card')).backgroundColor);
          const ratio = c => { const l = light(c);
            return (Math.max(l, card) + .05) / (Math.min(l, card) + .05); };
          const of = (s, p) => [...document.querySelectorAll(s)].map(e => getComputedStyle(e)[p]);
          const colours = new Set([...of('.card :not(svg *, .track *)', 'color'),
                                   ...of('svg.ladder text', 'fill')]);
          return [...colours].map(ratio);
        })()"""
    )
    assert len(ratios) >= 4 and min(ratios) >= 4.5
    night = tab.ask("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert night is dark
