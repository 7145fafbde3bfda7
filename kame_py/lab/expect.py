# SPDX-License-Identifier: BSD-3-Clause
"""Whether an expectation of a lab holds, and in one line why not.

No KAME counterpart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kame_py.kern.clock import NS
from kame_py.lab.schema import PingExpect, RunExpect

SHOWN_CHARS: Final = 300  # of an output that disappoints
PING_INTERVAL_NS: Final = NS  # ping6's own, without -i
#: A request sent this short a time ago is not lost yet.
GRACE_NS: Final = NS

_SUMMARY: Final = re.compile(r"^(\d+) packets transmitted, (\d+) packets received", re.MULTILINE)
_SEQ: Final = re.compile(r"\bicmp_seq=(\d+)\b")


@dataclass(frozen=True, slots=True)
class Outcome:
    """detail: "" when the expectation holds."""

    line: int
    at_ns: int
    node: str
    what: str
    detail: str

    @property
    def ok(self) -> bool:
        return not self.detail


@dataclass(slots=True)
class PingSoFar:
    """A ping6 as far as it has come: arguments, when it began (ns), whether it ended, output."""

    argv: tuple[str, ...]
    began_ns: int
    ended: bool = False
    output: str = ""


def check_run(expect: RunExpect, output: str, status: int) -> Outcome:
    """Judge what the commands printed (standard output and error) and the last one's status."""
    what = "; ".join(" ".join(c.argv) for c in expect.commands)
    problems = list(_problems(expect, output, status))
    detail = "; ".join(problems)
    if detail:
        detail += f"; the output was {_shown(output)}"
    return Outcome(expect.line, expect.at_ns, expect.node, what, detail)


def _problems(expect: RunExpect, output: str, status: int) -> Iterator[str]:
    for text in expect.contains:
        if text not in output:
            yield f"the output does not contain {text!r}"
    for text in expect.not_contains:
        if text in output:
            yield f"the output contains {text!r}"
    for pattern in expect.matches:
        if not re.search(pattern, output, re.MULTILINE):
            yield f"the output does not match {pattern!r}"
    count = len(output.splitlines())
    if expect.lines is not None and count != expect.lines:
        yield f"the output has {_lines(count)}, not {expect.lines}"
    if expect.exit_status is not None and status != expect.exit_status:
        yield f"the exit status is {status}, not {expect.exit_status}"


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _shown(output: str) -> str:
    text = output.rstrip("\n")
    return repr(text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "...")


def check_ping(expect: PingExpect, ping: PingSoFar | None, now: int) -> Outcome:
    """Judge the loss of a ping6 that ended or still runs."""
    what = f"ping6 number {expect.which}: at most {expect.lost_at_most} lost"
    if ping is None:
        detail = "it has not been started"
    else:
        sent, received = ping_counts(ping, now)
        lost = max(sent - received, 0)
        detail = ""
        if lost > expect.lost_at_most:
            detail = f"{lost} of {sent} lost"
        elif not received:
            detail = f"nothing received of {sent} sent"
    return Outcome(expect.line, expect.at_ns, expect.node, what, detail)


def ping_counts(ping: PingSoFar, now: int) -> tuple[int, int]:
    """(sent, received) of a ping6, from its summary or, while it runs, from its lines and time."""
    summary = _SUMMARY.search(ping.output)
    if summary:
        return int(summary[1]), int(summary[2])
    if ping.ended:
        return 0, 0  # it never came to send: its output says why
    interval_ns = max(round(float(_option(ping.argv, "-i", "1")) * NS), 1)
    count = int(_option(ping.argv, "-c", "0"))
    age_ns = now - ping.began_ns - min(GRACE_NS, interval_ns)
    sent = age_ns // interval_ns + 1 if age_ns >= 0 else 0
    received = len({int(m[1]) for m in _SEQ.finditer(ping.output)})
    return max(min(sent, count) if count else sent, received), received


def _option(argv: Sequence[str], letter: str, default: str) -> str:
    """The value of an option written ``-c 5`` or ``-c5``; the default where it is no number."""
    value = default
    for word, following in zip(argv[1:], (*argv[2:], ""), strict=False):
        if word == letter:
            value = following
        elif word.startswith(letter):
            value = word.removeprefix(letter)
    try:
        float(value)
    except ValueError:
        return default
    return value
