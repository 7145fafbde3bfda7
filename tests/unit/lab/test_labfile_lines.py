# SPDX-License-Identifier: BSD-3-Clause
"""Where the keys and the strings of a TOML document stand."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from kame_py.lab.tomllines import scan_lines

DOCUMENT = '''\
title = "x" # 1
a.b . "c d" = 2

[link]
fl1 = { delay_ms = 1, nested = { deep = [1, 2] } }

[node.'h.a']
rc = """
first
second \\
   joined
third\\nescaped
fourth"""
files."/etc/x" = \'\'\'one
two\'\'\'
list = [ # comment
  "p", # ]
  { q = 1 },
]

[[event]]
at = 1979-05-27 07:32:00
[[event]]
at = 2
[event.impair]
loss = 0.1
'''


def test_document_of_these_tests_is_valid() -> None:
    assert len(tomllib.loads(DOCUMENT)["event"]) == 2


def test_every_key_has_its_line() -> None:
    lines = scan_lines(DOCUMENT)
    expected = {
        ("title",): 1,
        ("a",): 2,
        ("a", "b"): 2,
        ("a", "b", "c d"): 2,
        ("link",): 4,
        ("link", "fl1"): 5,
        ("link", "fl1", "delay_ms"): 5,
        ("link", "fl1", "nested"): 5,
        ("link", "fl1", "nested", "deep"): 5,
        ("link", "fl1", "nested", "deep", 0): 5,
        ("link", "fl1", "nested", "deep", 1): 5,
        ("node",): 7,
        ("node", "h.a"): 7,
        ("node", "h.a", "rc"): 8,
        ("node", "h.a", "files"): 14,
        ("node", "h.a", "files", "/etc/x"): 14,
        ("node", "h.a", "list"): 16,
        ("node", "h.a", "list", 0): 17,
        ("node", "h.a", "list", 1): 18,
        ("node", "h.a", "list", 1, "q"): 18,
        ("event",): 21,
        ("event", 0): 21,
        ("event", 0, "at"): 22,
        ("event", 1): 23,
        ("event", 1, "at"): 24,
        ("event", 1, "impair"): 25,
        ("event", 1, "impair", "loss"): 26,
    }
    assert lines.keys == expected


def test_unknown_path_takes_the_line_of_the_table_around_it() -> None:
    lines = scan_lines(DOCUMENT)
    assert lines.of(("event", 1, "node", "x")) == 23
    assert lines.of(("nothing",)) == 1


def test_lines_of_strings_follow_joins_and_escapes() -> None:
    lines = scan_lines(DOCUMENT)
    rc = ("node", "h.a", "rc")
    assert tomllib.loads(DOCUMENT)["node"]["h.a"]["rc"].split("\n") == [
        "first",
        "second joined",
        "third",
        "escaped",
        "fourth",
    ]
    assert [lines.of_text(rc, n) for n in (1, 2, 3, 4, 5)] == [9, 10, 12, 12, 13]
    files = ("node", "h.a", "files", "/etc/x")
    assert [lines.of_text(files, n) for n in (1, 2)] == [14, 15]


def test_line_beyond_a_string_is_its_last() -> None:
    assert scan_lines('x = "a"').of_text(("x",), 9) == 1
    assert scan_lines("\n\nx = 1").of_text(("x",), 2) == 3


def test_content_after_a_leading_join_starts_on_the_next_line() -> None:
    assert scan_lines('x = """\\\n\n   a"""').of_text(("x",), 1) == 3


def test_quotes_right_before_the_closing_mark_belong_to_the_string() -> None:
    lines = scan_lines("x = \"\"\"a\"\"\"\"\" # b\ny = ''''c''''\nz = 1")
    assert lines.keys == {("x",): 1, ("y",): 2, ("z",): 3}


SCALARS = st.integers(0, 9).map(str) | st.sampled_from(
    [
        '"a#]"',
        "'b\\'",
        '"""c\nd\\\n e"""',
        "'''\n#'''",
        "1979-05-27 07:32:00",
        '"\\u0041\\""',
        "true",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: "[\n" + ", # c\n".join(v) + "]")
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda d: "{" + ", ".join(f"{k} = {v}" for k, v in d.items()) + "}"
        )
    ),
    max_leaves=8,
)


def paths(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found = {path} - {()}
    if isinstance(value, dict):
        return found.union(*(paths(v, (*path, k)) for k, v in value.items()))
    if isinstance(value, list):
        return found.union(*(paths(v, (*path, i)) for i, v in enumerate(value)))
    return found


def strings_of(document: dict[str, object]) -> dict[tuple[str | int, ...], int]:
    found: dict[tuple[str | int, ...], int] = {}
    pending: list[tuple[tuple[str | int, ...], object]] = [((), document)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str):
            found[path] = value.count("\n") + 1
        elif isinstance(value, dict):
            pending += [((*path, k), v) for k, v in value.items()]
        elif isinstance(value, list):
            pending += [((*path, i), v) for i, v in enumerate(value)]
    return found


@given(st.lists(st.tuples(st.sampled_from(["k", "[t]", "[[e]]"]), VALUES), max_size=6))
def test_scanner_finds_exactly_the_keys_that_tomllib_finds(parts: list[tuple[str, str]]) -> None:
    text = ""
    for number, (kind, value) in enumerate(parts):
        header = kind.replace("t", f"t{number}") + "\n" if kind != "k" else ""
        text += f"{header}k{number} = {value}\n"
    document = tomllib.loads(text)
    lines = scan_lines(text)
    assert set(lines.keys) == paths(document)
    for path, count in strings_of(document).items():
        assert len(lines.strings[path]) == count
