# SPDX-License-Identifier: BSD-3-Clause
"""Whatever a setkey script holds, setkey ends with a status and says which line is at fault."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from kame_py.lib.ipsec_policy import (
    ACTIONS,
    DIRECTIONS,
    Policy,
    PolicyError,
    ipsec_dump_policy,
    ipsec_set_policy,
)
from kame_py.lib.setkey_names import AUTH_ALGORITHMS, ENC_ALGORITHMS, PROTOCOLS
from kame_py.lib.setkey_parse import Parser, ScriptError, Supported
from kame_py.lib.setkey_token import KEYWORDS, Kind, Lexer
from kame_py.wire.pfkey import SadbAlg
from tests.unit.tools.setkey_table import key_node

WORDS = st.sampled_from(
    sorted(KEYWORDS | AUTH_ALGORITHMS.keys() | ENC_ALGORITHMS.keys())
    + sorted(PROTOCOLS)[:12]
    + ["::1", "2001:db8::1", "fe80::1%fxp0", "10.0.0.1", "ha", "many", "nobody", "::/0[any]"]
    + ["-m", "-u", "-r", "-f", "-lh", "-ls", "-bh", "-bs", "-A", "-E", "-C", "-R", "-46n", "-x"]
    + ["-P in none", "-P out ipsec esp/transport//require", "-P out", "-P", "/64", "[80]", "135,0"]
    + ["0", "255", "256", "1500", "4294967296", "0x100", "0x123456789", '"0123456789abcdef"', '"']
    + ["#", "\n", ";", ";", ";", "\0", "\u00e9", "=", "-", "0x", '"\n"', "%", "\r\n"]
)
SCRIPTS = st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60)
HOSTS = st.sampled_from(["::1", "ha", "mn", "many", "fe80::2%fxp0", "2001:db8::9"])
ALGORITHMS = st.sampled_from(
    ['-E des-cbc "kamekame"', "-E null", '-A hmac-md5 "0123456789abcdef"', "-E aes-cbc 0x01"]
)
EXTENSIONS = st.sampled_from(
    ["", "-m tunnel", "-u 5", "-r 4", "-f zero-pad", "-f nocyclic-seq", "-lh 9 -ls 8", "-bh 100"]
)
COMMANDS = st.one_of(
    st.builds("add {} {} {} {} {} {};".format, HOSTS, HOSTS, st.sampled_from(["ah", "esp"]),
              st.integers(0, 400), EXTENSIONS, ALGORITHMS),
    st.builds("delete {} {} esp {};".format, HOSTS, HOSTS, st.integers(250, 400)),
    st.builds("deleteall {} {} esp;".format, HOSTS, HOSTS),
    st.builds("spdadd {} {} {} -P {} {};".format, HOSTS, HOSTS,
              st.sampled_from(["any", "tcp", "icmp6 1,2"]), st.sampled_from(["in", "out"]),
              st.sampled_from(["none", "discard", "ipsec esp/transport//unique"])),
    st.sampled_from(["flush;", "spdflush;", "dump;", "spddump;", "flush ah;", "dump esp;"]),
)  # fmt: skip
EVERYTHING = Supported(
    {n: SadbAlg(n, 0, 0, 4096) for n in range(256)}, {n: SadbAlg(n, 8, 0, 4096) for n in range(256)}
)
COMPLAINT = re.compile(r"line \d+: .* at \[.*\]", re.DOTALL)

NODE = key_node()


@settings(max_examples=300, deadline=None)
@given(SCRIPTS)
def test_a_parser_ends_or_says_where(script: str) -> None:
    parser = Parser(script, EVERYTHING)
    try:
        while (command := parser.next()) is not None:
            assert 1 <= command.line <= script.count("\n") + 1
    except ScriptError as e:
        assert COMPLAINT.fullmatch(str(e))
        assert 1 <= e.complaint.line <= script.count("\n") + 1


@settings(max_examples=200, deadline=None)
@given(SCRIPTS)
def test_tokens_hold_all_that_is_not_blank_or_comment(script: str) -> None:
    lexer = Lexer(script)
    texts: list[str] = []
    for _ in range(len(script) + 2):
        token = lexer.next()
        if token.kind in (Kind.END, Kind.BAD):
            break
        texts.append(token.text)
    else:
        raise AssertionError("the text never ends")
    rest = script
    for text in texts:
        _, found, rest = rest.partition(text)
        assert found == text


@settings(max_examples=120, deadline=None)
@given(SCRIPTS)
def test_setkey_ends_with_a_status_for_any_text(script: str) -> None:
    NODE.files.write("/etc/x", script)
    done = NODE.run("setkey -f /etc/x")
    assert done.status in (0, 1)
    assert "Traceback" not in done.err
    refused = done.err.startswith(("setkey: /etc/x: refused: ", "libipsec: "))
    assert done.status or not done.err, done
    assert not done.status or refused or re.search(r"^line \d+: .* at \[", done.out, re.M), done


@settings(max_examples=60, deadline=None)
@given(st.lists(COMMANDS, max_size=8))
def test_a_script_that_is_well_formed_runs_to_its_end(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    NODE.run("setkey -F; setkey -FP")
    NODE.files.write("/etc/x", text)
    done = NODE.run("setkey -f /etc/x")
    stopped = re.search(r"^parse failed, line (\d+)\.$", done.out, re.MULTILINE)
    if stopped:  # only these two stop a script whose grammar is right
        assert re.search("multiple address|Invalid key length", done.out), done.out
    shown = NODE.run("setkey -D").out.count("sadb_seq=")
    adds = text.count("add ") - text.count("spdadd ")
    assert shown <= adds * 4  # many many makes four


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["in", "out", "ipsec", "none", "esp", "ah", "/", "//", "transport", "tunnel", "-"]
            + ["::1", "10.0.0.1", "me", "any", "use", "require", "unique", "unique:7", "x", "\n"]
        ),
        max_size=14,
    ).map(" ".join)
    | st.text(max_size=30)
)
def test_a_policy_that_is_understood_has_a_text_that_means_the_same(text: str) -> None:
    found = ipsec_set_policy(text)
    if isinstance(found, PolicyError):
        assert str(found).startswith("libipsec: ")
        return
    assert isinstance(found, Policy)
    direction = found.sadb.dir
    assert direction in DIRECTIONS.values()
    assert found.sadb.type in ACTIONS.values()
    again = ipsec_set_policy(ipsec_dump_policy(found.sadb))
    assert isinstance(again, Policy)
    assert again.sadb == found.sadb
