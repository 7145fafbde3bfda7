# SPDX-License-Identifier: BSD-3-Clause
"""Whether an expectation of a lab holds, and in one line why not.

No KAME counterpart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.lab.rc import command_text
from kame_py.lab.schema import PingExpect, RunExpect

if TYPE_CHECKING:
    from kame_py.lab.process import Process

SHOWN_CHARS: Final = 300  # of an output that disappoints
#: A request sent this short a time ago is not lost yet.
GRACE_NS: Final = NS


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


def check_run(expect: RunExpect, output: str, status: int) -> Outcome:
    """Judge what the commands printed (standard output and error) and the last one's status."""
    what = "; ".join(map(command_text, expect.commands))
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


def check_ping(expect: PingExpect, ping: Process | None, now: int) -> Outcome:
    """Judge the loss of a ping6 that ended or still runs."""
    least = f"at least {expect.lost_at_least}, " if expect.lost_at_least else ""
    since = f" since {expect.since_ns / NS:g} s" if expect.since_ns else ""
    what = f"ping6 number {expect.which}: {least}at most {expect.lost_at_most} lost{since}"
    if ping is None:
        detail = "it has not been started"
    else:
        sent, received = ping_counts(ping, now, expect.since_ns)
        detail = ""
        if not expect.lost_at_least <= sent - received <= expect.lost_at_most:
            detail = f"{sent - received} of {sent} lost"
        elif not received:
            detail = f"nothing received of {sent} sent"
    return Outcome(expect.line, expect.at_ns, expect.node, what, detail)


def ping_counts(ping: Process, now: int, since_ns: int = 0) -> tuple[int, int]:
    """(requests, those of them that were answered) of a ping6, as it counts them itself.

    Those sent before ``since_ns`` are left out. A request without an answer counts once it is
    GRACE_NS old; after its end a ping6 waits no more.
    """
    until = (now if ping.ended_ns is None else ping.ended_ns) - GRACE_NS
    answered = ping.reports.get("received", {})
    sent = {n: t for n, t in ping.reports.get("sent", {}).items() if t >= since_ns}
    received = sum(n in answered for n in sent)
    lost = sum(t <= until and n not in answered for n, t in sent.items())
    return received + lost, received
