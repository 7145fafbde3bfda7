# SPDX-License-Identifier: BSD-3-Clause
"""What all cards of the report page are made of: cards, tables, bars, numbers as people write them.

No KAME counterpart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from kame_py.replay.html import Html, Value, el

MANY: Final = 5  # columns that do not fit on a telephone
SHORT: Final = 10  # letters of a cell that stay on one line
NS: Final = 1_000_000_000
_UNITS: Final = ((NS, "s"), (1_000_000, "ms"), (1000, "\N{MICRO SIGN}s"), (1, "ns"))


def card(title: str, *parts: Value, name: str | None = None) -> Html:
    """A part of the page with a title; name: of what it shows, for scripts of others."""
    return el("section", el("h3", title), *parts, cls="card", data_card=name)


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Value]],
    numeric: Collection[int] = (),
    bad: Collection[int] = (),
) -> Html:
    """A table that scrolls by itself where it is too wide. numeric: columns; bad: rows."""
    titles = [el("th", t, cls="num" if i in numeric else None) for i, t in enumerate(head)]
    body = [
        el("tr", *_cells(row, numeric), cls="bad" if n in bad else None)
        for n, row in enumerate(rows)
    ]
    top = [el("thead", el("tr", *titles))] if any(head) else []
    many = "many" if len(rows and rows[0]) >= MANY else None
    return el("div", el("table", *top, el("tbody", *body), cls=many), cls="wide")


def _cells(row: Sequence[Value], numeric: Collection[int]) -> Iterator[Html]:
    for i, cell in enumerate(row):
        short = not isinstance(cell, Html) and len(str(cell)) <= SHORT
        yield el("td", cell, cls="num" if i in numeric else "nowrap" if short else "wrap")


def bars(rows: Sequence[tuple[Value, int]], colour: Mapping[int, str], empty: str = "none") -> Html:
    """A table with a bar beside each number. colour: of a row, by its place."""
    if not rows:
        return el("p", empty, cls="note")
    most = max(number for _, number in rows) or 1
    body = []
    for i, (name, number) in enumerate(rows):
        width = f"width:{100 * number / most:.2f}%;background:var(--{colour[i]})"
        bar = el("div", cls="bar", style=width)
        cells = (el("td", name, cls="wrap"), el("td", f"{number:,}", cls="num"))
        body.append(el("tr", *cells, el("td", bar, cls="barcell")))
    return el("table", el("tbody", *body))


def count(number: int, noun: str) -> str:
    """ "1 message", "2,000 messages"."""
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"


def elapsed(ns: int) -> str:
    """A time since the beginning: seconds with three digits, more where they are needed."""
    sign = "-" if ns < 0 else ""
    whole, rest = divmod(abs(ns), NS)
    digits = 6 if whole == 0 and 0 < rest < 1_000_000_0 else 3
    return f"{sign}{whole}.{rest // 10 ** (9 - digits):0{digits}}"


def duration(ns: int) -> str:
    """A length of time with its unit: "20 ms"."""
    for size, unit in _UNITS:
        if ns >= size:
            value = ns / size
            return f"{value:,.0f} {unit}" if value == int(value) else f"{value:,.3g} {unit}"
    return "0 s"
