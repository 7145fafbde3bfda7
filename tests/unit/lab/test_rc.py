# SPDX-License-Identifier: BSD-3-Clause
"""sh-like rc lines and the values they may name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.lab.rc import (
    Command,
    FileText,
    RcError,
    UnknownName,
    parse_rc,
    rc_errors,
    substitute,
    unknown_names,
)


def commands(text: str) -> list[Command]:
    parsed = parse_rc(text)
    assert isinstance(parsed, list), parsed
    return parsed


def argvs(text: str) -> list[tuple[str, ...]]:
    return [command.argv for command in commands(text)]


def error(text: str) -> RcError:
    parsed = parse_rc(text)
    assert isinstance(parsed, RcError), parsed
    return parsed


def test_words_lines_and_comments() -> None:
    text = "\n# comment\nsysctl -w net.inet6.ip6.forwarding=1   # router\n\n  mip6control -g\n"
    assert commands(text) == [
        Command(3, ("sysctl", "-w", "net.inet6.ip6.forwarding=1")),
        Command(5, ("mip6control", "-g")),
    ]


def test_empty_text_has_no_commands() -> None:
    assert commands("") == []
    assert commands("\n  \n# x") == []


def test_hash_inside_a_word_is_no_comment() -> None:
    assert argvs("mip6control -u ::#53") == [("mip6control", "-u", "::#53")]


def test_semicolon_separates_and_may_trail() -> None:
    assert argvs("sleep 1; echo a;echo b;\n") == [("sleep", "1"), ("echo", "a"), ("echo", "b")]


def test_ampersand_puts_in_the_background_and_separates() -> None:
    assert commands("ping6 cn & sleep 1\nhad fxp0&\n") == [
        Command(1, ("ping6", "cn"), background=True),
        Command(1, ("sleep", "1")),
        Command(2, ("had", "fxp0"), background=True),
    ]


def test_backslash_newline_continues_a_line_even_inside_a_word() -> None:
    assert commands("ifconfig fxp0 \\\n  inet6 20\\\n01::1\necho x") == [
        Command(1, ("ifconfig", "fxp0", "inet6", "2001::1")),
        Command(4, ("echo", "x")),
    ]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("'a b'", "a b"),
        ('"a b"', "a b"),
        ("a\\ b", "a b"),
        ("'a\\b$c`d'", "a\\b$c`d"),
        (r'"a\"b\\c\$d\xe"', 'a"b\\c$d\\xe'),
        ("x'y'\"z\"", "xyz"),
        ("''", ""),
        ('"a\nb"', "a\nb"),
        ('"a\\\nb"', "ab"),
        ("\\#x", "#x"),
        ("'#x'", "#x"),
        ("a$", "a$"),
        ("100%$,", "100%$,"),
        ("::/0[any]", "::/0[any]"),
        ("*", "*"),
    ],
)
def test_quoting(source: str, word: str) -> None:
    assert argvs(f"echo {source} end") == [("echo", word, "end")]


def test_lines_are_counted_through_quotes() -> None:
    assert [c.line for c in commands("echo 'a\nb'\necho \"c\n\nd\"\necho e")] == [1, 3, 6]


@pytest.mark.parametrize(
    "path",
    [
        "/usr/local/v6/sbin/rtadvd",
        "/usr/local/v6/bin/rtadvd",
        "/usr/local/sbin/rtadvd",
        "/usr/sbin/rtadvd",
        "/usr/bin/rtadvd",
        "/sbin/rtadvd",
        "/bin/rtadvd",
    ],
)
def test_program_directories_are_dropped(path: str) -> None:
    assert argvs(f"{path} -m fxp0") == [("rtadvd", "-m", "fxp0")]


@pytest.mark.parametrize("path", ["/opt/rtadvd", "/sbin/", "/sbin/x/y", "./rtadvd"])
def test_other_paths_stay(path: str) -> None:
    assert argvs(path) == [(path,)]


def test_program_directory_of_an_argument_stays() -> None:
    assert argvs("cat /sbin/x") == [("cat", "/sbin/x")]


def test_heredoc_becomes_standard_input() -> None:
    text = (
        "setkey -c <<EOF\n"
        'add A B ah 1500 -m transport -A hmac-sha1 "AH SA configuration!";\n'
        "spdadd ::/0[any] ::/0[any] ipv6-opts -P out ipsec ah/transport//require;\n"
        "EOF\n"
        "mip6control -m\n"
    )
    first, second = commands(text)
    assert first.argv == ("setkey", "-c")
    assert first.stdin == "".join(text.splitlines(keepends=True)[1:3])
    assert second == Command(5, ("mip6control", "-m"))


@pytest.mark.parametrize("opener", ["<<'EOF'", '<<"EOF"', "<<\\EOF", "<< 'EOF'"])
def test_quoted_heredoc_is_taken_literally(opener: str) -> None:
    (command,) = commands(f"cat {opener}\n$x `y` \\$z\\\nEOF\n")
    assert command.stdin == "$x `y` \\$z\\\n"


def test_unquoted_heredoc_knows_escapes_and_joins_lines() -> None:
    (command,) = commands("cat <<EOF\n\\$x \\\\ \\` \\n {a}\nfxp0:\\\n\t:chlim#1:\nEOF\n")
    assert command.stdin == "$x \\ ` \\n {a}\nfxp0:\t:chlim#1:\n"


def test_heredoc_dash_strips_leading_tabs() -> None:
    (command,) = commands("cat <<-EOF\n\t\ta\n \tb\n\tEOF\n")
    assert command.stdin == "a\n \tb\n"


def test_heredoc_may_be_followed_by_more_on_its_line() -> None:
    text = "setkey -c <<A >/tmp/out & cat <<B\na\nA\nb\nB\necho\n"
    assert commands(text) == [
        Command(1, ("setkey", "-c"), "a\n", True, "/tmp/out"),
        Command(1, ("cat",), "b\n"),
        Command(6, ("echo",)),
    ]


def test_empty_heredoc_is_empty_input_not_none() -> None:
    assert commands("cat <<EOF\nEOF")[0].stdin == ""


def test_redirections() -> None:
    assert commands("dmesg > /var/log/x\necho a>>/tmp/b") == [
        Command(1, ("dmesg",), stdout="/var/log/x"),
        Command(2, ("echo", "a"), stdout="/tmp/b", append=True),
    ]


def test_redirection_may_precede_the_command() -> None:
    assert commands(">/tmp/x echo a") == [Command(1, ("echo", "a"), stdout="/tmp/x")]


def test_number_apart_from_the_operator_is_an_argument() -> None:
    assert commands("echo 2 >x")[0].argv == ("echo", "2")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ndp -a | grep x", "|: not supported"),
        ("a && b", "&&: not supported"),
        ("a || b", "||: not supported"),
        ("a < b", "<: not supported"),
        ("a <<<b", "<<<: not supported"),
        ("a 2>b", "2>: not supported"),
        ("a >&2", ">&: not supported"),
        ("a >b >c", "> c: a second redirection: not supported"),
        ("a &>b", "&>: not supported"),
        ("(a)", "(: not supported"),
        ("echo $(a)", "$(: not supported"),
        ("echo $x", "$x: not supported"),
        ('echo "${x}y"', "${x}: not supported"),
        ("echo $1", "$1: not supported"),
        ("echo `a`", "`: not supported"),
        ('echo "`a`"', "`: not supported"),
        ("X=1", "X=1: variables: not supported"),
        ("PATH=/sbin ls", "PATH=/sbin: variables: not supported"),
        ("if true", "if: not supported"),
        ("{ a", "{: not supported"),
        ("a;;", ";;: not supported"),
        ("; a", "no command before ;"),
        ("a & &", "no command before &"),
        ("a >", ">: a word is missing"),
        ("a <<\nb", "<<: a word is missing"),
        (">x", "a redirection without a command: not supported"),
        ("<<EOF\nEOF", "a redirection without a command: not supported"),
        ("a <<A <<B\nA\nB\n", "<<B: a second here-document: not supported"),
        ("echo 'a", "missing closing '"),
        ('echo "a', 'missing closing "'),
        ("a <<EOF\nb\n", "<<EOF: no line EOF follows"),
        ("a <<EOF", "<<EOF: no line EOF follows"),
    ],
)
def test_what_is_not_understood_is_named(text: str, what: str) -> None:
    assert error(text) == RcError(1, what)
    assert error("echo\n\n" + text) == RcError(3, what)


def test_expansion_in_a_heredoc_is_reported_at_its_own_line() -> None:
    assert error("cat <<EOF\na\n$HOME\nEOF\n") == RcError(
        3, "$HOME: not supported here; quote the word after <<"
    )


def test_error_text_carries_the_rc_line() -> None:
    assert str(error("\na | b")) == "rc line 2: |: not supported"


def test_windows_line_ends() -> None:
    assert argvs("echo a\r\necho b\r\n") == [("echo", "a"), ("echo", "b")]


VALUES = {"mn.fxp0.eui64": "2a0:24ff:fe00:201", "hosts.ha": "2001:200:1:1::1"}


def test_values_replace_their_names() -> None:
    text = "ping6 2001:200:1:1:{mn.fxp0.eui64} {hosts.ha}"
    assert substitute(text, VALUES) == "ping6 2001:200:1:1:2a0:24ff:fe00:201 2001:200:1:1::1"


def test_unknown_name_is_an_error_with_its_line_and_a_suggestion() -> None:
    assert substitute("a\nb {mn.fxp0.eui46}", VALUES) == UnknownName(
        2, "unknown value {mn.fxp0.eui46}; did you mean {mn.fxp0.eui64}"
    )


def test_all_unknown_names_are_found() -> None:
    assert [u.line for u in unknown_names("{a.b}\n{hosts.ha}\n{c}", VALUES)] == [1, 3]


@pytest.mark.parametrize("text", ["{", "}", "{}", "{ a }", "a{2,3}b", "{1}", "{a b}"])
def test_other_braces_stay(text: str) -> None:
    assert substitute(text, VALUES) == text


def test_doubled_braces_stand_for_single_ones() -> None:
    assert substitute("{{hosts.ha}} {{x}}", VALUES) == "{hosts.ha} {x}"


PIECES = st.sampled_from(
    [
        "a",
        " ",
        "\n",
        "'",
        '"',
        "\\",
        "<<",
        "<<-",
        "EOF",
        "\nEOF\n",
        ">",
        "2",
        "&",
        ";",
        "#",
        "$",
        "\t",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join) | st.text())
def test_never_raises_and_lines_lie_in_the_text(text: str) -> None:
    last = text.count("\n") + 1
    parsed = parse_rc(text)
    if isinstance(parsed, RcError):
        assert 1 <= parsed.line <= last + 1
    else:
        assert all(1 <= command.line <= last and command.argv for command in parsed)


@given(st.lists(st.text(st.characters(exclude_characters="'\r")), min_size=1, max_size=5))
def test_single_quoted_words_come_back_unchanged(words: list[str]) -> None:
    text = "echo " + " ".join(f"'{word}'" for word in words)
    assert argvs(text) == [("echo", *words)]


@given(st.text())
def test_substitute_never_raises(text: str) -> None:
    substitute(text, VALUES)


def test_cat_of_a_file_is_a_word_that_stands_for_its_text() -> None:
    expected = ("kill", "-HUP", "/var/run/had.pid")
    for text in ("kill -HUP `cat /var/run/had.pid`", "kill -HUP $(cat /var/run/had.pid); true"):
        argv = commands(text)[0].argv
        assert argv == expected
        assert [isinstance(word, FileText) for word in argv] == [False, False, True]


@pytest.mark.parametrize(
    "text",
    [
        "kill -HUP x`cat /var/run/had.pid`",  # glued to other text
        "kill `cat a`b",
        "kill `pidof had`",
        "kill $(cat a b)",
        "`cat /etc/command` x",  # the command itself
        "echo x > `cat name`",
        'kill "`cat a`"',
    ],
)
def test_any_other_command_substitution_is_refused(text: str) -> None:
    assert "not supported" in error(text).text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("true\necho )\nif x\n", [2, 3]),
        ("echo 'a\nif x\n", [1, 2]),
        ('echo "a\nif x\n', [1, 2]),
        ('echo "a\n$x\nb"\necho fine\nfi\n', [2, 5]),
        ("cat <<EOF | x\nif\nEOF\nfi\n", [1, 4]),
        ("x | cat <<'EOF'\nif\nEOF\nfi\n", [1, 4]),
        ("cat <<EOF\n$x\nif\nEOF\nfi\n", [2, 5]),
        ("cat <<EOF\nif\n", [1]),
        ("> f\nfi\n", [1, 2]),
        ("echo good\n", []),
    ],
)
def test_every_line_with_an_error_is_named(text: str, lines: list[int]) -> None:
    assert [error.line for error in rc_errors(text)] == lines
