# SPDX-License-Identifier: BSD-3-Clause
"""How the timeline tells the output of a command: long ones are cut in the middle."""

from __future__ import annotations

import pytest

from kame_py.kern.log import LOG_ERR
from kame_py.lab.timeline import HEAD_LINES, TAIL_LINES, Entry, OutputTeller, Timeline
from kame_py.lab.world import World


def told(count: int) -> list[str]:
    entries: list[Entry] = []
    teller = OutputTeller(Timeline(lambda: 0, entries.append), "a")
    for number in range(count):
        teller.write(f"line {number}\n")
    teller.end()
    return [entry.text for entry in entries]


@pytest.mark.parametrize("count", [0, 1, HEAD_LINES, HEAD_LINES + TAIL_LINES + 1])
def test_a_short_output_is_told_whole(count: int) -> None:
    assert told(count) == [f"line {number}" for number in range(count)]


@pytest.mark.parametrize("count", [HEAD_LINES + TAIL_LINES + 2, 1000])
def test_a_long_output_is_told_by_its_ends(count: int) -> None:
    lines = told(count)
    left_out = count - HEAD_LINES - TAIL_LINES
    assert lines[HEAD_LINES] == f"... {left_out} more lines ..."
    assert lines[:HEAD_LINES] == [f"line {number}" for number in range(HEAD_LINES)]
    assert lines[HEAD_LINES + 1 :] == [f"line {n}" for n in range(count - TAIL_LINES, count)]


def test_a_last_line_without_its_end_is_told() -> None:
    entries: list[Entry] = []
    teller = OutputTeller(Timeline(lambda: 0, entries.append), "a")
    teller.write("no newline")
    teller.end()
    assert [entry.text for entry in entries] == ["no newline"]


def test_a_log_line_and_its_copy_on_standard_error_are_told_once() -> None:
    world = World()
    node = world.add_node("a")
    entries: list[Entry] = []
    timeline = Timeline(world.now, entries.append)
    timeline.watch(node)
    teller = OutputTeller(timeline, "a")
    node.kernel.log.log(LOG_ERR, "<main> no luck", "had[101]")
    teller.write("had: no luck\nhad: no more luck\n")
    teller.end()
    assert [(e.kind, e.text) for e in entries] == [
        ("log", "had[101]: <main> no luck"),
        ("out", "had: no more luck"),
    ]
