# SPDX-License-Identifier: BSD-3-Clause
"""The pictures of the report page that go along the time: rates, and who was bound where.

No KAME counterpart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.replay.html import Html, el, join
from kame_py.replay.page_parts import card, count, duration, elapsed, table
from kame_py.replay.verdict import FATES
from kame_py.wire.in6addr import ntop

if TYPE_CHECKING:
    from kame_py.replay.bindings import Span
    from kame_py.replay.view import View

HEIGHT: Final = 150  # of the plot, in its own units
COLOURS: Final = 8  # --c0 ... of the style
TRACKS_MAX: Final = 60
ROWS_MAX: Final = 300
OPEN_ROWS: Final = 12  # a table so long is shown unfolded


def rates_card(view: View) -> Html:
    """Packets over time, one colour for each fate."""
    rates = view.rates
    totals = rates.totals()
    most = max(totals, default=0)
    if rates.start_ns is None or not most:
        return Html("")
    kinds: list[str] = [fate for fate in FATES if fate in rates.slots]
    kinds += [kind for kind in rates.slots if kind not in kinds]
    floor = [0] * len(totals)
    shapes = []
    for kind in kinds:
        row = rates.slots[kind]
        path = []
        for i, number in enumerate(row):
            if number:
                top = HEIGHT * (floor[i] + number) / most
                path.append(f"M{i},{HEIGHT - top:.2f}h1v{HEIGHT * number / most:.2f}h-1z")
                floor[i] += number
        shapes.append(el("path", d="".join(path), fill=f"var(--{kind})"))
    columns = len(totals)
    plot = el(
        "svg",
        *shapes,
        viewBox=f"0 0 {columns} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"packets in each {duration(rates.width_ns)}",
    )
    legend = el("div", *(_key(kind, kind) for kind in kinds), cls="legend")
    end = duration(columns * rates.width_ns)
    return card(
        f"Packets in each {duration(rates.width_ns)}",
        legend,
        el(
            "div",
            el("div", el("span", f"{most:,}"), el("span", "0"), cls="y"),
            plot,
            el("span"),
            el("div", el("span", "0"), el("span", end), cls="axis"),
            cls="plot",
        ),
        name="rates",
    )


def _key(name: str, colour: str) -> Html:
    return el("span", el("span", cls="key", style=f"background:var(--{colour})"), name)


# -- bindings -------------------------------------------------------------------------------------


def bindings_card(view: View) -> Html:
    """A track for each home address in each cache, a stretch for each care-of address."""
    if not view.spans:
        return Html("")
    colours: dict[bytes, str] = {}
    for span in view.spans:
        colours.setdefault(span.care_of, f"c{len(colours) % COLOURS}")
    tracks: dict[tuple[str, str, bytes], list[Span]] = {}
    for span in view.spans:
        tracks.setdefault((span.node, span.kind, span.home), []).append(span)
    shown = list(tracks.items())[:TRACKS_MAX]
    parts = [_track(view, key, spans, colours) for key, spans in shown]
    total = max(view.end_ns - view.start_ns, 0)
    axis = el("div", el("span", "0"), el("span", duration(total)), cls="axis")
    if len(tracks) > len(shown):
        parts.append(el("p", f"{count(len(tracks) - len(shown), 'more binding')}", cls="note"))
    if view.spans_left_out:
        parts.append(el("p", f"{count(view.spans_left_out, 'binding')} not kept", cls="note"))
    few = "open" if len(view.spans) <= OPEN_ROWS else None
    rows = el("details", el("summary", "As a table"), _span_table(view), open=few)
    return card("Bindings", *parts, axis, rows, name="bindings")


def _track(
    view: View, key: tuple[str, str, bytes], spans: list[Span], colours: dict[bytes, str]
) -> Html:
    node, kind, home = key
    total = max(view.end_ns - view.start_ns, 1)
    stretches = []
    for span in spans:
        until = view.end_ns if span.until_ns is None else span.until_ns
        left = 100 * (span.from_ns - view.start_ns) / total
        width = 100 * (until - span.from_ns) / total
        where = ntop(span.care_of)
        style = f"left:{left:.3f}%;width:{width:.3f}%;background:var(--{colours[span.care_of]})"
        stretches.append(el("div", el("span", where), style=style, title=where))
    who = el("div", el("b", view.name(home)), f" in {node}, {kind}", cls="who")
    return join(who, el("div", *stretches, cls="track"))


def _span_table(view: View) -> Html:
    rows = []
    for span in view.spans[:ROWS_MAX]:
        until = "" if span.until_ns is None else elapsed(span.until_ns - view.start_ns)
        home = view.name(span.home)
        rows.append(
            (
                elapsed(span.from_ns - view.start_ns),
                until,
                span.node,
                home,
                ntop(span.care_of),
                f"{span.updates}",
                f"{span.kind}{', ' if span.ended else ''}{span.ended}",
            )
        )
    head = ("from", "until", "cache of", "home address", "care-of address", "updates", "what")
    return table(head, rows, numeric=(0, 1, 5))
