# SPDX-License-Identifier: BSD-3-Clause
"""The termcap-like grammar of rtadvd.conf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.lib.remcap import Entry, RemcapError, agetent


def entry(text: str, name: str = "fxp0") -> Entry:
    found = agetent(text, name)
    assert isinstance(found, Entry), found
    return found


def error(text: str, name: str = "fxp0") -> str:
    found = agetent(text, name)
    assert isinstance(found, RemcapError), found
    return found.text


def test_howto_entry_joins_lines_with_backslash_newline() -> None:
    found = entry("fxp0:\\\n        :maxinterval#60:mininterval#40:\n    ")
    assert found.agetnum("maxinterval") == 60
    assert found.agetnum("mininterval") == 40


def test_backslash_and_blanks_on_one_line_join_without_losing_a_field() -> None:
    found = entry("fxp0:\\ :maxinterval#60:mininterval#40:")
    assert (found.agetnum("maxinterval"), found.agetnum("mininterval")) == (60, 40)


def test_blanks_between_backslash_and_newline_still_join() -> None:
    assert entry("fxp0:\\ \t\n\t:maxinterval#60:").agetnum("maxinterval") == 60


def test_windows_line_ends_join_too() -> None:
    assert entry("fxp0:\\\r\n\t:chlim#9:\r\n").agetnum("chlim") == 9


def test_blanks_before_a_field_name_do_not_hide_it() -> None:
    assert entry("fxp0:\\\n  chlim#9:\\\n  rtime#5").agetnum("rtime") == 5


def test_any_of_the_names_matches_exactly() -> None:
    text = "fxp0|ext|outside:chlim#1:"
    assert entry(text, "ext").names == ("fxp0", "ext", "outside")
    assert agetent(text, "out") is None
    assert agetent(text, "fxp0|ext") is None


def test_first_entry_of_a_name_wins() -> None:
    assert entry("fxp0:chlim#1:\nfxp0:chlim#2:\n").agetnum("chlim") == 1


def test_hash_comments_only_as_first_character() -> None:
    text = "#fxp0:\\\n\t:chlim#1:\n #x:\nfxp0:chlim#2:#rtime#3:\n"
    found = entry(text)
    assert found.agetnum("chlim") == 2
    assert found.agetnum("rtime") is None


def test_first_occurrence_of_a_capability_wins() -> None:
    assert entry("fxp0:chlim#1:chlim#2:").agetnum("chlim") == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("123", 123),
        ("0", 0),
        ("017", 15),
        ("0x80", 0),
        ("-5", 0),
        ("4294967295", 4294967295),
        ("99999999999999999999", 2**63 - 1),
        ("60s", 60),
    ],
)
def test_numbers_are_decimal_or_octal_without_hex_or_sign(field: str, value: int) -> None:
    assert entry(f"fxp0:n#{field}:").agetnum("n") == value


def test_ignored_characters_of_a_number_are_warned_about() -> None:
    assert entry("fxp0:raflags#0x80:chlim#64:").warnings == ("raflags#0x80: read as 0",)


def test_names_that_begin_alike_do_not_clash() -> None:
    found = entry('fxp0:addrs#1:addr="fec0::1":')
    assert found.agetnum("addr") is None
    assert found.agetstr("addr") == "fec0::1"
    assert found.agetnum("addrs") == 1


def test_flags_are_bare_names() -> None:
    found = entry("fxp0:nolladdr:chlim#1:")
    assert found.agetflag("nolladdr")
    assert not found.agetflag("chlim")


@pytest.mark.parametrize("cancelled", ["x@", "x@:x#1:x=2:x"])
def test_cancel_makes_a_capability_absent(cancelled: str) -> None:
    found = entry(f"fxp0:{cancelled}:")
    assert found.agetnum("x") is None
    assert found.agetstr("x") is None
    assert not found.agetflag("x")


def test_cancel_after_the_value_comes_too_late() -> None:
    assert entry("fxp0:x#1:x@:").agetnum("x") == 1


def test_colons_are_literal_inside_quotes_and_fields_follow() -> None:
    found = entry('fxp0:addr="3ffe:501:ffff:1000::":prefixlen#64:')
    assert found.agetstr("addr") == "3ffe:501:ffff:1000::"
    assert found.agetnum("prefixlen") == 64
    assert not found.agetflag("501")


def test_unquoted_string_ends_at_the_colon() -> None:
    assert entry("fxp0:addr=3ffe:501::").agetstr("addr") == "3ffe"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (r"\E\n\r\t\b\f", "\033\n\r\t\b\f"),
        (r"a\\b\^c\:d", "a\\b^c:d"),
        (r"\"q\"", '"q"'),
        (r"\101\0601\7", "A01\7"),
        ("^A^[", "\x01\x1b"),
        (r"\q", "q"),
    ],
)
def test_string_escapes_are_decoded(source: str, value: str) -> None:
    for text in (f"fxp0:s={source}:n#1:", f'fxp0:s="{source}":n#1:'):
        found = entry(text)
        assert found.agetstr("s") == value
        assert found.agetnum("n") == 1


def test_open_quote_is_an_error() -> None:
    assert error('fxp0:addr="3ffe::1:chlim#3:') == "addr=: missing closing quote"


def test_entry_without_colon_is_an_error() -> None:
    assert error("fxp0") == "Bad remcap entry"


def test_tc_appends_the_fields_of_another_entry() -> None:
    text = "fxp0:chlim#1:tc=base:\nbase:chlim#9:rtime#5:tc=more\nmore:retrans#7:\n"
    found = entry(text)
    assert [found.agetnum(n) for n in ("chlim", "rtime", "retrans")] == [1, 5, 7]
    assert found.agetstr("tc") is None
    assert found.names == ("fxp0",)


def test_cancelled_capability_hides_the_one_of_the_included_entry() -> None:
    assert entry("fxp0:rtime@:tc=base:\nbase:rtime#5:\n").agetnum("rtime") is None


def test_tc_elsewhere_than_last_includes_nothing() -> None:
    assert entry("fxp0:tc=base:chlim#1:\nbase:rtime#5:\n").agetnum("rtime") is None


def test_tc_to_a_missing_entry_is_an_error() -> None:
    assert error("fxp0:tc=base:\n") == "tc=base: no such entry"


def test_tc_name_has_at_most_15_characters() -> None:
    fits, long = "n" * 15, "n" * 16
    assert entry(f"fxp0:tc={fits}:\n{fits}:chlim#3:\n").agetnum("chlim") == 3
    expected = f"tc={long}: name longer than 15 characters"
    assert error(f"fxp0:tc={long}:\n{long}:chlim#3:\n") == expected


def chain(steps: int) -> str:
    links = "".join(f"e{i}:tc=e{i + 1}:\n" for i in range(steps))
    return links + f"e{steps}:chlim#3:\n"


def test_tc_chain_of_32_steps_is_followed_and_33_are_a_loop() -> None:
    assert entry(chain(32), "e0").agetnum("chlim") == 3
    assert error(chain(33), "e0") == "Infinite tc= loop"
    assert error("fxp0:tc=fxp0:\n") == "Infinite tc= loop"


def test_entry_of_1024_octets_fits_and_1025_do_not() -> None:
    head = "fxp0:chlim#3:x="
    assert entry(head + "y" * (1024 - len(head))).agetnum("chlim") == 3
    assert error(head + "y" * (1025 - len(head))) == "Remcap entry too long"


def test_limit_counts_what_tc_appends() -> None:
    text = "fxp0:tc=b:\nb:x=" + "y" * 1016 + ":\n"
    assert error(text) == "Remcap entry too long"


def test_overlong_entry_of_another_name_does_no_harm() -> None:
    assert entry("big:x=" + "y" * 2000 + "\nfxp0:chlim#3:\n").agetnum("chlim") == 3


GRAMMAR = st.text(alphabet='fxp0:|#=@"\\^ \t\n\r7tcé', max_size=60)


@given(GRAMMAR | st.text(max_size=60))
def test_never_raises_on_any_text(text: str) -> None:
    for body in (text, "fxp0:" + text, f"fxp0:x={text}"):
        found = agetent(body, "fxp0")
        if isinstance(found, Entry):
            found.agetnum("x"), found.agetstr("x"), found.agetflag("x")


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters='"\\^\n\r')))
def test_quoted_text_without_escapes_comes_back_unchanged(value: str) -> None:
    if len(value) < 900:
        assert entry(f'fxp0:s="{value}":n#1:').agetstr("s") == value
