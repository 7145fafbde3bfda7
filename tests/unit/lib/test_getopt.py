# SPDX-License-Identifier: BSD-3-Clause
"""Command lines of the ported tools."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.lib.getopt import LongOptions, Option, OptionHelp, getopt, render_help

MIP6CONTROL = "nli:mMgH:hP:A:aL:bcu:v:wD:S:T:"


def test_glued_arguments_are_split_from_their_letters() -> None:
    parsed = getopt("mip6control", MIP6CONTROL, ["-H2001:200:1:1::", "-P64"])
    assert parsed.options == (Option("H", "2001:200:1:1::"), Option("P", "64"))
    assert parsed.errors == ()


def test_separate_argument_is_the_next_word_even_if_it_looks_like_an_option() -> None:
    parsed = getopt("mip6control", MIP6CONTROL, ["-T", "0", "-D", "-1"])
    assert parsed.options == (Option("T", "0"), Option("D", "-1"))


def test_flags_cluster_and_the_last_of_a_cluster_may_take_an_argument() -> None:
    parsed = getopt("mip6control", MIP6CONTROL, ["-bln", "-ci", "hif1"])
    assert [o.letter for o in parsed.options] == ["b", "l", "n", "c", "i"]
    assert parsed.last("i") == "hif1"


def test_scan_stops_at_the_first_word_that_is_no_option() -> None:
    parsed = getopt("rtadvd", "c:dDfmMRs", ["-m", "fxp0", "-d"])
    assert parsed.options == (Option("m", None),)
    assert parsed.args == ("fxp0", "-d")


def test_two_dashes_end_the_options_and_vanish() -> None:
    parsed = getopt("had", "Df", ["-f", "--", "-D"])
    assert parsed.options == (Option("f", None),)
    assert parsed.args == ("-D",)


def test_a_lone_dash_is_an_operand() -> None:
    assert getopt("setkey", "f:", ["-", "x"]).args == ("-", "x")


def test_illegal_option_is_reported_and_the_scan_goes_on() -> None:
    parsed = getopt("rtadvd", "c:dDf", ["-mf", "fxp0"])
    assert parsed.errors == ("rtadvd: illegal option -- m",)
    assert parsed.options == (Option("f", None),)
    assert parsed.args == ("fxp0",)


def test_colon_is_never_an_option_letter() -> None:
    assert getopt("t", "a:b", ["-:"]).errors == ("t: illegal option -- :",)


def test_missing_argument_is_reported() -> None:
    parsed = getopt("mip6control", MIP6CONTROL, ["-nP"])
    assert parsed.errors == ("mip6control: option requires an argument -- P",)
    assert parsed.options == (Option("n", None),)


def test_digit_letters_work() -> None:
    assert getopt("rtsold", "adDfm1", ["-1a"]).options == (Option("1", None), Option("a", None))


def test_long_options_are_returned_apart_from_the_letters() -> None:
    parsed = getopt("ndp", "anp", ["--json", "-a", "--node", "ha", "-n"])
    assert parsed.long == LongOptions(json=True, node="ha")
    assert parsed.options == (Option("a", None), Option("n", None))


def test_node_may_be_glued_with_an_equals_sign() -> None:
    assert getopt("ndp", "a", ["--node=mn", "--help", "--version"]).long == LongOptions(
        help=True, version=True, node="mn"
    )


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--node"], "ndp: option requires an argument -- node"),
        (["--node="], "ndp: option requires an argument -- node"),
        (["--json=1"], "ndp: option doesn't take an argument -- json"),
        (["--jsn"], "ndp: illegal option -- jsn"),
    ],
)
def test_wrong_long_options_are_reported(words: list[str], error: str) -> None:
    assert getopt("ndp", "a", words).errors == (error,)


def test_accessors_see_every_occurrence_and_the_last() -> None:
    parsed = getopt("tool", "x:v", ["-x1", "-v", "-x", "2"])
    assert parsed.every("x") == ("1", "2")
    assert parsed.last("x") == "2"
    assert parsed.has("v") and not parsed.has("y")
    assert parsed.last("y") is None


@given(st.lists(st.text(alphabet="-ab:c=x ", max_size=4), max_size=6))
def test_every_word_is_consumed_once(words: list[str]) -> None:
    parsed = getopt("t", "ab:c", words)
    assert words[len(words) - len(parsed.args) :] == list(parsed.args)


def test_help_text_lists_usage_letters_and_long_options() -> None:
    table = [
        OptionHelp("i", "ifname", "home interface the other options act on; default hif0"),
        OptionHelp("H", "home_prefix_text", "add a home prefix " * 6),
    ]
    text = render_help(["mip6control -m", "mip6control -g"], "Control Mobile IPv6.", table)
    lines = text.splitlines()
    assert lines[:5] == [
        "usage: mip6control -m",
        "       mip6control -g",
        "",
        "Control Mobile IPv6.",
        "",
    ]
    assert lines[5] == "  -i ifname         home interface the other options act on; default hif0"
    assert lines[6] == "  -H home_prefix_text"
    assert lines[7].startswith(" " * 20 + "add a home prefix")
    assert any(line.startswith("  --node NAME") for line in lines)
    assert all(len(line) < 80 and line == line.rstrip() for line in lines)
