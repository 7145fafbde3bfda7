# SPDX-License-Identifier: BSD-3-Clause
"""Expectations: what holds, what fails, and how the reader is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.expect import check_ping, check_run, ping_counts
from kame_py.lab.labfile import load
from kame_py.lab.rc import Command
from kame_py.lab.runner import LabRun
from kame_py.lab.schema import LabFile, PingExpect, RunExpect

if TYPE_CHECKING:
    from kame_py.lab.process import Process

COMMANDS = (Command(3, ("ndp", "-an")),)


def judge(output: str, status: int = 0, **what: object) -> str:
    expect = RunExpect(3, NS, "a", COMMANDS, **what)  # type: ignore[arg-type]  # by name
    return check_run(expect, output, status).detail


def test_contains_wants_every_text() -> None:
    assert judge("one two\n", contains=("one", "two")) == ""
    assert judge("one\n", contains=("one", "two")) == (
        "the output does not contain 'two'; the output was 'one'"
    )


def test_not_contains_refuses_any_text() -> None:
    assert judge("one\n", not_contains=("two",)) == ""
    assert judge("one two\n", not_contains=("two",)).startswith("the output contains 'two'")


def test_matches_sees_lines() -> None:
    assert judge("x\nfe80::1 R\n", matches=(r"^fe80::\d+ R$",)) == ""
    assert "does not match" in judge("x fe80::1 R\n", matches=(r"^fe80::\d+ R$",))


def test_lines_counts_a_last_line_without_newline() -> None:
    assert judge("a\nb", lines=2) == ""
    assert judge("a\n", lines=2).startswith("the output has 1 line, not 2")


def test_exit_status_is_compared() -> None:
    assert judge("", status=1, exit_status=1) == ""
    assert judge("", status=1, exit_status=0).startswith("the exit status is 1, not 0")


def test_what_names_the_commands() -> None:
    assert check_run(RunExpect(3, NS, "a", COMMANDS), "", 0).what == "ndp -an"


class FakePing:
    """What a ping6 has reported: sent and received, number -> when (s)."""

    def __init__(
        self, sent: dict[int, float], received: dict[int, float], ended_s: float | None = None
    ) -> None:
        self.reports = {
            "sent": {n: round(t * NS) for n, t in sent.items()},
            "received": {n: round(t * NS) for n, t in received.items()},
        }
        self.ended_ns = None if ended_s is None else round(ended_s * NS)


def counts(ping: FakePing, now_s: float) -> tuple[int, int]:
    return ping_counts(cast("Process", ping), round(now_s * NS))


def test_a_request_is_lost_when_it_is_a_second_old() -> None:
    ping = FakePing({0: 0, 1: 1, 2: 2}, {0: 0.1, 1: 1.1})
    assert counts(ping, 2.999) == (2, 2)
    assert counts(ping, 3) == (3, 2)


def test_a_late_request_with_an_answer_hides_no_loss() -> None:
    assert counts(FakePing({0: 0, 1: 1}, {1: 1.1}), 1.5) == (2, 1)


def test_what_was_sent_just_before_the_end_is_not_lost() -> None:
    ping = FakePing({0: 0, 1: 1}, {0: 0.1}, ended_s=1)
    assert counts(ping, 99) == (1, 1)


def judged(ping: FakePing | None, lost_at_most: int) -> str:
    return check_ping(
        PingExpect(9, NS, "a", lost_at_most), cast("Process | None", ping), 99 * NS
    ).detail


def test_ping_expectation_at_its_limit() -> None:
    seen = FakePing(dict.fromkeys(range(10), 0), dict.fromkeys(range(7), 1), ended_s=20)
    assert judged(seen, 3) == ""
    assert judged(seen, 2) == "3 of 10 lost"


def test_ping_expectation_of_a_part_counts_only_what_was_sent_then() -> None:
    """Ten requests, one a second; 2, 3 and 7 had no answer."""
    answered = {n: n + 0.1 for n in range(10) if n not in (2, 3, 7)}
    seen = cast("Process", FakePing({n: n for n in range(10)}, answered, ended_s=20))
    for since_s, least, most, detail in (
        (0, 0, 3, ""),
        (3, 0, 2, ""),
        (3, 0, 1, "2 of 7 lost"),
        (4, 1, 1, ""),
        (8, 0, 0, ""),
        (8, 1, 5, "0 of 2 lost"),
        (10, 0, 0, "nothing received of 0 sent"),
    ):
        expect = PingExpect(9, NS, "a", most, 0, since_s * NS, least)
        assert check_ping(expect, seen, 99 * NS).detail == detail


def test_ping_expectation_of_a_part_says_which() -> None:
    expect = PingExpect(9, NS, "a", 4, 0, 5 * NS, 2)
    what = "ping6 number 0: at least 2, at most 4 lost since 5 s"
    assert check_ping(expect, None, NS).what == what


def test_a_ping_that_heard_nothing_never_holds() -> None:
    assert judged(FakePing({}, {}, ended_s=1), 99) == "nothing received of 0 sent"
    assert judged(FakePing({0: 0, 1: 1}, {}), 99) == "nothing received of 2 sent"


PING_LAB = """
[link]
lan = {{ delay_ms = 2 }}
[node.a]
interfaces = {{ fxp0 = "lan" }}
rc = "ifconfig fxp0 inet6 2001:db8::1"
[node.b]
interfaces = {{ fxp0 = "lan" }}
rc = "ifconfig fxp0 inet6 2001:db8::2"
[[event]]
at = 4
node = "a"
run = '''
{run}
'''
[[expect]]
at = 40
ping = "a"
lost_at_most = 0
"""


@pytest.mark.parametrize(
    "run",
    [
        "ping6 -q 2001:db8::2 &",
        "ping6 --json -c 3 2001:db8::2",
        "ping6 -q 2001:db8::2 &\nsleep 20\nkill -INT ping6",
        "sleep 34\nping6 -f 2001:db8::2 &",
        "ping6 -qc5 2001:db8::2",
        "ping6 -c 5 2001:db8::2 > /tmp/log",
    ],
)
def test_a_ping_is_judged_by_what_it_did_not_by_what_it_prints(run: str) -> None:
    lab = load(PING_LAB.format(run=run), "z.toml")
    assert isinstance(lab, LabFile)
    lab_run = LabRun(lab)
    lab_run.run()
    assert [o.detail for o in lab_run.outcomes] == [""]


def test_a_ping_that_was_not_started_fails() -> None:
    assert judged(None, 99) == "it has not been started"
