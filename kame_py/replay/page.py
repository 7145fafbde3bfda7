# SPDX-License-Identifier: BSD-3-Clause
"""The report page: one HTML file with everything in it, for a browser that may have no network.

No KAME counterpart. No script runs and nothing is loaded, and the page forbids both: what captures
hold comes from strangers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py import __version__
from kame_py.kern.drop import REASONS
from kame_py.replay.html import Html, Value, el, join
from kame_py.replay.page_charts import bindings_card, rates_card
from kame_py.replay.page_ladder import ladder_card
from kame_py.replay.page_parts import bars, card, count, table
from kame_py.replay.page_style import STYLE
from kame_py.replay.report import worst_first

if TYPE_CHECKING:
    from kame_py.replay.view import Table, View

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
OPEN_MAX: Final = 3  # so many runs are shown unfolded
_DROPPED: Final = "dropped"


class Page(NamedTuple):
    """title: what was run; command: how; notes: what went wrong with the whole."""

    title: str
    command: str
    views: Sequence[View]
    notes: Sequence[str] = ()


def page_html(page: Page) -> str:
    """The page as text."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", page.title),
        el("style", Html(STYLE)),
    )
    top = el("header", el("h1", page.title), el("code", page.command, cls="command"))
    parts = [card("Problems", el("ul", *(el("li", n) for n in page.notes), cls="problems"))]
    body = el(
        "body",
        top,
        el("main", *(parts if page.notes else ()), *_views(page.views)),
        el("footer", f"kame-py {__version__}"),
    )
    return f"<!DOCTYPE html>\n{el('html', head, body, lang='en')}\n"


def _views(views: Sequence[View]) -> list[Html]:
    if len(views) == 1:
        return _cards(views[0])
    parts = _overview(views) if views else []
    for i, view in enumerate(views):
        opened = "open" if len(views) <= OPEN_MAX else None
        summary = el("summary", view.title)
        parts.append(el("details", summary, *_cards(view), open=opened, id=f"run-{i}"))
    return parts


def _overview(views: Sequence[View]) -> list[Html]:
    """All runs of the page, one line each, and their sums."""
    fates = [_sum(view.fates) for view in views]
    rows: list[Sequence[Value]] = [
        (el("a", view.title, href=f"#run-{i}"), f"{sum(f.values()):,}", f"{f[_DROPPED]:,}")
        for i, (view, f) in enumerate(zip(views, fates, strict=True))
    ]
    packets, dropped = sum(sum(f.values()) for f in fates), sum(f[_DROPPED] for f in fates)
    rows.append((el("b", "all"), el("b", f"{packets:,}"), el("b", f"{dropped:,}")))
    head = ("capture", "packets", "dropped")
    files = card(count(len(views), "capture"), table(head, rows, numeric=(1, 2)), name="files")
    fates_all = {view.title: f for view, f in zip(views, fates, strict=True)}
    drops_all = {view.title: _sum(view.drops) for view in views}
    both = (_fates(fates_all, "capture"), _drops(drops_all, "capture"))
    return [files, el("div", *both, cls="pair")]


def _cards(view: View) -> list[Html]:
    tiles = [el("div", el("dt", name), el("dd", value)) for name, value in view.facts]
    cards = [el("dl", *tiles, cls="tiles")]
    if view.problems:
        items = [el("li", problem) for problem in view.problems]
        cards.append(card("Problems", el("ul", *items, cls="problems"), name="problems"))
    cards += [_table(t) for t in view.tables if t.first]
    cards.append(el("div", _fates(view.fates, "node"), _drops(view.drops, "node"), cls="pair"))
    cards += [rates_card(view), bindings_card(view), ladder_card(view)]
    for title, lines in view.explained:
        cards.append(card(title, el("pre", "\n".join(lines))))
    cards += [_table(t) for t in view.tables if not t.first]
    cards += [_punts(view), _counters(view)]
    return [part for part in cards if part]


def _table(t: Table) -> Html:
    if not t.rows:
        return Html("")
    grid = table(t.head, t.rows, bad=t.bad)
    if not t.folded:
        return card(t.title, grid)
    opened = "open" if t.bad else None
    return card(t.title, el("details", el("summary", t.folded), grid, open=opened))


# -- fates, drops, counters -----------------------------------------------------------------------


def _sum(by_node: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for numbers in by_node.values():
        total.update(numbers)
    return total


ByWhom = Mapping[str, Mapping[str, int]]


def _fates(by: ByWhom, whom: str) -> Html:
    total = {fate: number for fate, number in _sum(by).items() if number}
    rows: list[tuple[Value, int]] = list(total.items())
    parts = [bars(rows, dict(enumerate(total)), "no packets")]
    if len(by) > 1:
        nodes = [
            (name, *(f"{numbers.get(fate, 0):,}" for fate in total)) for name, numbers in by.items()
        ]
        grid = table((whom, *total), nodes, numeric=range(1, len(total) + 1))
        parts.append(el("details", el("summary", f"By {whom}"), grid))
    return card("Fates", *parts, name="fates")


def _drops(by: ByWhom, whom: str) -> Html:
    total = _sum(by)
    rows: list[tuple[Value, int]] = []
    for name, number in worst_first(total):
        words = join(el("span", name, cls="mono"), el("small", REASONS[name].text))
        rows.append((words, number))
    colours = dict.fromkeys(range(len(rows)), _DROPPED)
    parts = [bars(rows, colours, "nothing was dropped")]
    if len(by) > 1 and rows:
        nodes = [
            (node, name, f"{number:,}")
            for node, numbers in by.items()
            for name, number in worst_first(numbers)
        ]
        grid = table((whom, "reason", "packets"), nodes, numeric=(2,))
        parts.append(el("details", el("summary", f"By {whom}"), grid))
    return card("Dropped because", *parts, name="drops")


def _punts(view: View) -> Html:
    if not view.punts:
        return Html("")
    rows: list[tuple[Value, int]] = [(name, number) for name, number in worst_first(view.punts)]
    colours = dict.fromkeys(range(len(rows)), "held")
    return card("Handled one by one because", bars(rows, colours), name="punts")


def _counters(view: View) -> Html:
    rows = [
        (node, name, f"{number:,}")
        for node, numbers in view.counters.items()
        for name, number in numbers.items()
    ]
    if not rows:
        return Html("")
    if len(view.counters) == 1:
        grid = table(("counter", "value"), [row[1:] for row in rows], numeric=(1,))
    else:
        grid = table(("node", "counter", "value"), rows, numeric=(2,))
    summary = el("summary", count(len(rows), "counter"))
    return card("Counters", el("details", summary, grid), name="counters")
