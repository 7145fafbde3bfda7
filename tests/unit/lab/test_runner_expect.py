# SPDX-License-Identifier: BSD-3-Clause
"""Expectations: what holds, what fails, and how the reader is told."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.expect import PingSoFar, check_ping, check_run, ping_counts
from kame_py.lab.rc import Command
from kame_py.lab.schema import PingExpect, RunExpect

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


def ping(*argv: str, output: str = "", ended: bool = False, began_ns: int = 0) -> PingSoFar:
    return PingSoFar(("ping6", *argv), began_ns, ended, output)


def replies(*seqs: int) -> str:
    return "".join(f"16 bytes from ::1, icmp_seq={n} hlim=64 time=0.1 ms\n" for n in seqs)


SUMMARY = "10 packets transmitted, 7 packets received, 30.0% packet loss\n"


def test_the_summary_of_an_ended_ping_counts() -> None:
    assert ping_counts(ping(output=SUMMARY, ended=True), 99 * NS) == (10, 7)


def test_a_running_ping_is_counted_by_time_and_replies() -> None:
    assert ping_counts(ping(output=replies(0, 1, 3)), 4 * NS) == (4, 3)


def test_the_request_on_its_way_is_not_lost() -> None:
    assert ping_counts(ping(output=replies(0, 1)), 2 * NS) == (2, 2)
    assert ping_counts(ping(output=replies(0, 1)), 3 * NS - 1) == (2, 2)
    assert ping_counts(ping(output=replies(0, 1)), 3 * NS) == (3, 2)


@pytest.mark.parametrize("argv", [("-i", "0.5", "-c", "3"), ("-i0.5", "-c3")])
def test_interval_and_count_options_are_understood(argv: tuple[str, ...]) -> None:
    assert ping_counts(ping(*argv, "::1"), NS) == (2, 0)
    assert ping_counts(ping(*argv, "::1"), 99 * NS) == (3, 0)


def test_duplicates_count_once() -> None:
    assert ping_counts(ping(output=replies(0, 0, 1)), 2 * NS)[1] == 2


def test_ping_expectation_at_its_limit() -> None:
    seen = ping(output=SUMMARY, ended=True)
    assert check_ping(PingExpect(9, NS, "a", 3), seen, NS).ok
    assert check_ping(PingExpect(9, NS, "a", 2), seen, NS).detail == "3 of 10 lost"


def test_a_ping_that_heard_nothing_never_holds() -> None:
    outcome = check_ping(PingExpect(9, NS, "a", 99), ping(ended=True), NS)
    assert outcome.detail == "nothing received of 0 sent"


def test_a_ping_that_was_not_started_fails() -> None:
    assert check_ping(PingExpect(9, NS, "a", 99), None, NS).detail == "it has not been started"
