# SPDX-License-Identifier: BSD-3-Clause
"""The ladder diagram: a line for each speaker, an arrow for each message, time goes down.

No KAME counterpart. The same messages stand below it as a table, for those who cannot see or want
to copy it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.replay.html import Html, Value, el, join
from kame_py.replay.ladder import BAD
from kame_py.replay.page_parts import card, count, elapsed, table
from kame_py.replay.signal import AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kame_py.replay.ladder import Ladder, Message
    from kame_py.replay.view import View

WIDTH: Final = 1040  # px: what lanes share where they can
GUTTER: Final = 84  # where the times stand
LANE_MIN: Final = 130
LANE_MAX: Final = 240
TOP: Final = 46
ROW: Final = 44
LETTER: Final = 6.4  # width of a letter of a message
HEAD_LETTER: Final = 7.4  # ... of a head
TEXT_LEAST: Final = 200  # px that a text may take, be its arrow ever so short
ARROW: Final = 7


def ladder_card(view: View) -> Html:
    """The diagram and the table; nothing where there was no signalling."""
    ladder = view.ladder
    if not len(ladder):
        return Html("")
    parts = [el("div", _drawing(view), cls="wide")]
    if ladder.left_out:
        text = f"{count(ladder.left_out, 'message')} in the middle left out"
        parts.append(el("p", text, cls="note"))
    parts.append(el("details", el("summary", "As a table"), _table(view)))
    return card("Signalling of mobility", *parts, name="ladder")


def _drawing(view: View) -> Html:
    ladder = view.ladder
    step = min(max((WIDTH - GUTTER) // len(ladder.lanes), LANE_MIN), LANE_MAX)
    lanes = {key: GUTTER + step // 2 + i * step for i, key in enumerate(ladder.lanes)}
    rows = len(ladder) + bool(ladder.left_out)
    width = GUTTER + len(lanes) * step
    height = TOP + rows * ROW + 14
    return el(
        "svg",
        el("title", f"{count(len(ladder), 'message')} between {', '.join(ladder.lanes.values())}"),
        *(_lane(x, ladder.lanes[key], step, height) for key, x in lanes.items()),
        *_rows(view, lanes, width),
        cls="ladder",
        role="img",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
    )


def _lane(x: int, title: str, step: int, height: int) -> Html:
    lines = _two_lines(title, int(step / HEAD_LETTER))
    top = 16 if len(lines) > 1 else 28
    texts = [
        el("text", line, x=x, y=top + 15 * i, text_anchor="middle", cls="head mono")
        for i, line in enumerate(lines)
    ]
    return join(el("line", x1=x, x2=x, y1=TOP - 8, y2=height - 6, cls="life"), *texts)


def _two_lines(title: str, size: int) -> list[str]:
    """A head that is too long is cut at a colon or a blank near its middle, then at its end."""
    if len(title) <= size:
        return [title]
    cuts = [i + 1 for i, letter in enumerate(title) if letter in ": "]
    middle = min(cuts, key=lambda at: abs(at - len(title) // 2), default=size)
    return [_short(title[:middle].rstrip(), size), _short(title[middle:], size)]


def _short(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1]}\N{HORIZONTAL ELLIPSIS}"


def _rows(view: View, lanes: dict[str, int], width: int) -> Iterator[Html]:
    ladder = view.ladder
    y = TOP + ROW // 2
    for i, message in enumerate(ladder):
        if ladder.left_out and i == ladder.gap_after:
            text = f"\N{VERTICAL ELLIPSIS} {count(ladder.left_out, 'message')}"
            yield el("text", text, x=width // 2, y=y, text_anchor="middle", cls="gap")
            y += ROW
        yield _row(view, message, lanes, y, width)
        y += ROW


def _row(view: View, message: Message, lanes: dict[str, int], y: int, width: int) -> Html:
    x1 = lanes[message.src]
    ends = [lanes[key] for key in message.dst]
    far = max(ends, key=lambda x: abs(x - x1))
    tone = message.tone()
    room = int(max(abs(far - x1), TEXT_LEAST) / LETTER)
    said = _said(message, room - len(message.signal.kind) - 1)
    half = int(max(len(said) + len(message.signal.kind) + 1, len(message.verdict())) * LETTER / 2)
    middle = min(max((x1 + far) // 2, GUTTER + half), width - half)
    return el(
        "g",
        el("title", _told(message)),
        el("text", elapsed(message.t_ns - view.start_ns), x=8, y=y + 4, cls="time mono"),
        *(_arrow(x1, x, y, tone) for x in ends),
        el(
            "text",
            el("tspan", message.signal.kind, cls="kind"),
            f" {said}",
            x=middle,
            y=y - 7,
            text_anchor="middle",
            cls="halo",
        ),
        el(
            "text",
            _short(message.verdict(), room),
            x=middle,
            y=y + 15,
            text_anchor="middle",
            cls=f"verdict halo t-{tone}",
        ),
        cls="message",
    )


def _said(message: Message, room: int) -> str:
    """The text of a message; where it has no room, first without the care-of address."""
    text = message.signal.text
    if len(text) > room:
        text = text.partition(AT)[0]
    return _short(text, room)


def _told(message: Message) -> str:
    number = "" if message.number is None else f"packet {message.number}: "
    why = f": {message.why()}" if message.why() else ""
    return f"{number}{message.signal.kind} {message.signal.text}: {message.verdict()}{why}"


def _arrow(x1: int, x2: int, y: int, tone: str) -> Html:
    """From lane to lane; a message to oneself is a dot, a lost or refused one ends in a cross."""
    if x1 == x2:
        return el("circle", cx=x1, cy=y, r=4, cls=f"t-{tone}")
    step = 1 if x2 > x1 else -1
    tip = x2 - step * 2
    back = tip - step * ARROW
    line = el("line", x1=x1, x2=tip, y1=y, y2=y, cls=f"s-{tone}", stroke_width=1.6)
    head = el("polygon", points=f"{tip},{y} {back},{y - 4} {back},{y + 4}", cls=f"t-{tone}")
    if tone != BAD:
        return join(line, head)
    cx = tip - step * 14
    cross = f"M{cx - 4},{y - 4}l8,8m0,-8l-8,8"
    return join(line, head, el("path", d=cross, cls=f"s-{tone}", stroke_width=2, fill="none"))


def _table(view: View) -> Html:
    ladder: Ladder = view.ladder
    rows: list[tuple[Value, ...]] = []
    numbered = any(message.number is not None for message in ladder)  # of a capture, not a lab
    for message in ladder:
        to = ", ".join(ladder.lanes[key] for key in message.dst)
        said = join(el("b", message.signal.kind), f" {message.signal.text}")
        verdict = join(
            el("span", message.verdict(), cls=message.tone()),
            el("small", message.why()) if message.why() else "",
        )
        number = "" if message.number is None else str(message.number)
        time, source = elapsed(message.t_ns - view.start_ns), ladder.lanes[message.src]
        rows.append((time, *((number,) if numbered else ()), source, to, said, verdict))
    head = ("time", *(("packet",) if numbered else ()), "from", "to", "message", "verdict")
    return table(head, rows, numeric=(0, 1) if numbered else (0,))
