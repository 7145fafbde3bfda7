# SPDX-License-Identifier: BSD-3-Clause
"""Lab files: what they say and how their mistakes are reported."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.conf import KernConf
from kame_py.lab.labfile import load
from kame_py.lab.rc import Command
from kame_py.lab.schema import (
    CutEvent,
    ImpairEvent,
    InterfaceSpec,
    LabError,
    LabFile,
    LinkSpec,
    MoveEvent,
    PingExpect,
    RestoreEvent,
    RunEvent,
    RunExpect,
)
from kame_py.wire import in6addr

LAB = '''\
title = "small"
seed = 7
until = 60.5

[link]
home = {}
fl1 = { delay_ms = 1.5, jitter_ms = 1, loss = 0.1, duplicate = 1, reorder = 0.2, corrupt = 0.3 }
bb = { mtu = 1400, rate_kbps = 128 }

[hosts]
ha = "2001:200:1:1::1"
mn = ["2001:200:1:1:{mn.fxp0.eui64}", "::2"]

[node.ha]
kernel = """
options MIP6
machine i386
pseudo-device hif 2
"""
interfaces = { fxp0 = "home", fxp1 = "bb" }
forwarding = true
files."/usr/local/v6/etc/rtadvd.conf" = """
fxp0:\\\\
        :maxinterval#60:mininterval#40:{x}
"""
rc = """
/usr/local/v6/sbin/rtadvd -m fxp0
setkey -c <<EOF
flush;
EOF

had fxp0 &
"""

[node.mn]
kernel = ["MIP6", "MIP6_DEBUG"]
interfaces.fxp0 = { link = "home", mac = "0:a0:24:66:0:77", mtu = 1300 }
interfaces.ep0 = "fl1"

[[event]]
at = 10
node = "mn"
run = "ping6 -c 5 {hosts.ha}; ping6 {ha.fxp1.linklocal}"

[[event]]
at = 20
move = "mn.fxp0"
to = "fl1"

[[event]]
at = 21
cut = "fl1"

[[event]]
at = 22
restore = "fl1"

[[event]]
at = 23
link = "bb"
impair = { loss = 0.5, delay_ms = 3 }

[[expect]]
at = 30
node = "ha"
run = "mip6control -c"
contains = "{hosts.mn}"
not_contains = ["x", "y"]
matches = "a{2,3} .* AHD "
lines = 2
exit = 0

[[expect]]
at = 40
ping = "mn"
which = 1
lost_at_most = 2
'''


def lab(text: str = LAB) -> LabFile:
    found = load(text, "x.toml")
    assert isinstance(found, LabFile), [str(error) for error in found]
    return found


def errors(text: str) -> list[str]:
    found = load(text, "x.toml")
    assert isinstance(found, list), "no error was found"
    return [str(error) for error in found]


def changed(old: str, new: str) -> list[str]:
    assert LAB.count(old) == 1, old
    return errors(LAB.replace(old, new))


def test_heading() -> None:
    found = lab()
    assert (found.name, found.title, found.seed) == ("x.toml", "small", 7)
    assert found.until_ns == 60_500_000_000


def test_links() -> None:
    assert lab().links == {
        "home": LinkSpec("home", 6),
        "fl1": LinkSpec("fl1", 7, 1_500_000, 1_000_000, 0.1, 1.0, 0.2, 0.3),
        "bb": LinkSpec("bb", 8, mtu=1400, rate_bps=128_000),
    }


def test_hosts_may_have_several_addresses_and_use_a_nodes_identifier() -> None:
    assert lab().hosts == {
        "ha": (in6addr.pton("2001:200:1:1::1"),),
        "mn": (in6addr.pton("2001:200:1:1:2a0:24ff:fe66:77"), in6addr.pton("::2")),
    }


def test_kernel_as_config_text_and_as_list() -> None:
    nodes = lab().nodes
    assert nodes["ha"].kernel == KernConf(frozenset({"MIP6"}), hif=2)
    assert nodes["mn"].kernel == KernConf(frozenset({"MIP6", "MIP6_DEBUG"}), hif=1)


def test_ignored_kernel_lines_are_noted_with_their_line() -> None:
    notes = [str(note) for note in lab().notes if "no program" not in note.text]
    assert notes == ["x.toml:17: machine i386: ignored"]


def test_interfaces_with_default_and_given_mac() -> None:
    nodes = lab().nodes
    assert nodes["ha"].interfaces == {
        "fxp0": InterfaceSpec("fxp0", 20, "home", bytes.fromhex("00a024000101")),
        "fxp1": InterfaceSpec("fxp1", 20, "bb", bytes.fromhex("00a024000102")),
    }
    assert nodes["mn"].interfaces == {
        "fxp0": InterfaceSpec("fxp0", 37, "home", bytes.fromhex("00a024660077"), 1300),
        "ep0": InterfaceSpec("ep0", 38, "fl1", bytes.fromhex("00a024000202")),
    }


def test_forwarding_and_files() -> None:
    nodes = lab().nodes
    assert nodes["ha"].forwarding is True and nodes["mn"].forwarding is None
    assert nodes["ha"].files == {
        "/usr/local/v6/etc/rtadvd.conf": ("fxp0:\\\n        :maxinterval#60:mininterval#40:{x}\n")
    }


def test_rc_commands_carry_lines_of_the_lab_file() -> None:
    assert lab().nodes["ha"].rc == (
        Command(27, ("rtadvd", "-m", "fxp0")),
        Command(28, ("setkey", "-c"), "flush;\n"),
        Command(32, ("had", "fxp0"), background=True),
    )
    assert lab().nodes["mn"].rc == ()


def test_events() -> None:
    first = Command(43, ("ping6", "-c", "5", "2001:200:1:1::1"))
    second = Command(43, ("ping6", "fe80::2a0:24ff:fe00:102"))
    assert lab().events == (
        RunEvent(40, 10_000_000_000, "mn", (first, second)),
        MoveEvent(45, 20_000_000_000, "mn", "fxp0", "fl1"),
        CutEvent(50, 21_000_000_000, "fl1"),
        RestoreEvent(54, 22_000_000_000, "fl1"),
        ImpairEvent(58, 23_000_000_000, "bb", delay_ns=3_000_000, loss=0.5),
    )


def test_expectations() -> None:
    assert lab().expects == (
        RunExpect(
            line=63,
            at_ns=30_000_000_000,
            node="ha",
            commands=(Command(66, ("mip6control", "-c")),),
            contains=("2001:200:1:1:2a0:24ff:fe66:77",),
            not_contains=("x", "y"),
            matches=("a{2,3} .* AHD ",),
            lines=2,
            exit_status=0,
        ),
        PingExpect(73, 40_000_000_000, "mn", 2, 1),
    )


def test_pings_of_a_node_are_counted_rc_first() -> None:
    text = LAB.replace("had fxp0 &", "ping6 a &")
    assert [c.line for c in lab(text).pings("ha")] == [32]
    assert [c.argv[1] for c in lab().pings("mn")] == ["-c", "fe80::2a0:24ff:fe00:102"]


def test_values_for_substitution() -> None:
    values = lab().values
    assert values["mn.fxp0.mac"] == "00:a0:24:66:00:77"
    assert values["mn.fxp0.eui64"] == "2a0:24ff:fe66:77"
    assert values["mn.fxp0.linklocal"] == "fe80::2a0:24ff:fe66:77"
    assert values["hosts.mn"] == "2001:200:1:1:2a0:24ff:fe66:77"


def test_empty_lab_is_valid_and_ends_at_once() -> None:
    assert lab("") == LabFile("x.toml", "", 0, 0, {}, {}, {}, (), (), {}, ())


def test_without_until_the_last_event_or_expectation_ends_the_lab() -> None:
    assert lab(LAB.replace("until = 60.5\n", "")).until_ns == 40_000_000_000


def test_event_at_the_very_end_is_allowed() -> None:
    assert lab(LAB.replace("at = 20", "at = 60.5")).events[1].at_ns == 60_500_000_000


def test_adding_a_node_at_the_end_changes_no_address() -> None:
    before, after = lab(), lab(LAB + '[node.r]\ninterfaces = { fxp0 = "bb" }\n')
    assert after.nodes["ha"] == before.nodes["ha"] and after.nodes["mn"] == before.nodes["mn"]
    assert after.nodes["r"].interfaces["fxp0"].mac == bytes.fromhex("00a024000301")


def test_lab_of_the_design_notes_says_what_it_lacks() -> None:
    path = Path(__file__).resolve().parents[3].parent / "shared" / "design" / "lab-example.toml"
    if not path.is_file():
        pytest.skip(f"no {path}")
    text = path.read_text()
    assert [e.partition(": ")[2] for e in errors(text)] == ["unknown node cn"] * 2
    cn = '[node.cn]\nkernel = ["MIP6"]\ninterfaces = { fxp0 = "cl" }\n'
    assert lab(text + cn).until_ns == 180_000_000_000


# Mistakes: what is replaced, by what, the one error that results.
MISTAKES = [
    # keys
    ("seed = 7", "sead = 7", "2: unknown key sead; did you mean seed"),
    ("jitter_ms", "jiter_ms", "7: unknown key jiter_ms; did you mean jitter_ms"),
    ("forwarding = true", "fowarding = true", "21: unknown key fowarding; did you mean forwarding"),
    ("mtu = 1300", "mut = 1300", "37: unknown key mut; did you mean mtu"),
    ('restore = "fl1"', 'restor = "fl1"', "56: unknown key restor; did you mean restore"),
    ("loss = 0.5", "los = 0.5", "61: unknown key los; did you mean loss"),
    ("which = 1", "wich = 1", "76: unknown key wich; did you mean which"),
    # names
    ('fxp1 = "bb"', 'fxp1 = "bbb"', "20: unknown link bbb; did you mean bb"),
    ('link = "home"', 'link = "hom"', "37: unknown link hom; did you mean home"),
    ('cut = "fl1"', 'cut = "fl2"', "52: unknown link fl2; did you mean fl1"),
    ('to = "fl1"', 'to = "xyz"', "48: unknown link xyz"),
    ('link = "bb"', 'link = "bbx"', "60: unknown link bbx; did you mean bb"),
    ('at = 10\nnode = "mn"', 'at = 10\nnode = "mnx"', "42: unknown node mnx; did you mean mn"),
    ('ping = "mn"', 'ping = "mnn"', "75: unknown node mnn; did you mean mn"),
    ('move = "mn.fxp0"', 'move = "mmn.fxp0"', "47: unknown node mmn; did you mean mn"),
    (
        'move = "mn.fxp0"',
        'move = "mn.fpx0"',
        "47: unknown interface of mn fpx0; did you mean fxp0",
    ),
    (
        'move = "mn.fxp0"',
        'move = "mnfxp0"',
        "47: move: mnfxp0: write NODE.INTERFACE; did you mean mn.fxp0",
    ),
    (
        "-c 5 {hosts.ha}",
        "-c 5 {hosts.haa}",
        "43: unknown value {hosts.haa}; did you mean {hosts.ha}",
    ),
    (
        "{mn.fxp0.eui64}",
        "{mn.fxp0.eui6}",
        "12: unknown value {mn.fxp0.eui6}; did you mean {mn.fxp0.eui64}",
    ),
    # kernel
    ("options MIP6\n", "options MIP66\n", "16: unknown kernel option MIP66; did you mean MIP6"),
    (
        '"MIP6_DEBUG"',
        '"MIP6_DEBUGG"',
        "36: unknown kernel option MIP6_DEBUGG; did you mean MIP6_DEBUG",
    ),
    ('kernel = ["MIP6", "MIP6_DEBUG"]', "kernel = 6", "36: kernel: a number where a text belongs"),
    # values
    (
        'ha = "2001:200:1:1::1"',
        'ha = "2001:200:1:1:1"',
        "11: ha: 2001:200:1:1:1: not an IPv6 address",
    ),
    ('"::2"', '"::g"', "12: mn: ::g: not an IPv6 address"),
    ("seed = 7", "seed = -7", "2: seed: -7 is not in 0..9223372036854775807"),
    ("seed = 7", "seed = 7.5", "2: seed: a number where a whole number belongs"),
    ("seed = 7", "seed = true", "2: seed: true or false where a whole number belongs"),
    ('title = "small"', "title = 1979-05-27", "1: title: a date or time where a text belongs"),
    ("loss = 0.1", "loss = 10", "7: loss: 10 is not in 0..1 (0.05 is 5 percent)"),
    ("loss = 0.1", "loss = nan", "7: loss: nan is not a finite number"),
    ("delay_ms = 1.5", "delay_ms = -1", "7: delay_ms: -1: a time cannot be negative"),
    ("delay_ms = 1.5", "delay_ms = 1e30", "7: delay_ms: 1e+30: a time this long is not supported"),
    ("mtu = 1400", "mtu = 1279", "8: mtu: 1279 is not in 1280..65535"),
    ("home = {}", "home = 5", "6: home: a number where a table belongs"),
    ("forwarding = true", "forwarding = 1", "21: forwarding: a number where true or false belongs"),
    ("0:a0:24:66:0:77", "0:a0:24:66:77", "37: mac: 0:a0:24:66:77: not an Ethernet address"),
    (
        "0:a0:24:66:0:77",
        "33:33:0:0:0:1",
        "37: mac: 33:33:0:0:0:1: a group address cannot be an interface's own",
    ),
    ("0:a0:24:66:0:77", "0:a0:24:0:1:2", "37: mac: 00:a0:24:00:01:02 is ha.fxp1's already"),
    ('ep0 = "fl1"', "ep0 = 5", "38: ep0: a number where a link's name or a table belongs"),
    (
        'ep0 = "fl1"',
        'EP = "fl1"',
        "38: 'EP' is no interface name: letters, then a number, as in fxp0",
    ),
    ('ep0 = "fl1"', 'hif0 = "fl1"', "38: hif0: the kernel makes this one itself"),
    (
        "[node.mn]",
        '[node."m n"]\n[node.mn]',
        "35: 'm n' is no node name: letters, digits, - and _ only",
    ),
    (
        "home = {}",
        '"a.b" = {}\nhome = {}',
        "6: 'a.b' is no link name: letters, digits, - and _ only",
    ),
    (
        '"/usr/local/v6/etc/rtadvd.conf"',
        '"rtadvd.conf"',
        "22: 'rtadvd.conf': a file's name begins with / and names a file",
    ),
    # rc
    ("had fxp0 &", "had fxp0 | cat", "32: |: not supported"),
    ("\nEOF\n", "\nEOG\n", "28: <<EOF: no line EOF follows"),
    ('run = "mip6control -c"', 'run = "mip6control \'-c"', "66: missing closing '"),
    ('run = "mip6control -c"', 'run = "# nothing"', "66: run: no command"),
    # times
    ("at = 20", "at = -20", "46: at: -20: a time cannot be negative"),
    ("at = 20", "at = 61", "46: at: 61 is after the end (until)"),
    ("at = 40", "at = 60.6", "74: at: 60.6 is after the end (until)"),
    ("at = 20\n", "", "45: at is missing"),
    ("at = 20", 'at = "20"', "46: at: a text where a number belongs"),
    # shape of events and expectations
    ('to = "fl1"\n', "", "45: to is missing"),
    ('cut = "fl1"', 'cut = "fl1"\nrestore = "fl1"', "50: cut and restore in one event"),
    ('cut = "fl1"', 'cut = "fl1"\nnode = "mn"', "53: node does not go with cut"),
    ('cut = "fl1"', "", "50: the event needs one of run, move, cut, restore, impair"),
    ("{ loss = 0.5, delay_ms = 3 }", "{}", "61: impair: nothing is changed"),
    ("{ loss = 0.5, delay_ms = 3 }", "5", "61: impair: a number where a table belongs"),
    ("lost_at_most = 2", "", "73: lost_at_most is missing"),
    ("which = 1", "lost_at_least = 3", "76: lost_at_least is more than lost_at_most 2"),
    ("which = 1", "since = 40", "76: since is not before at"),
    ("which = 1", "which = 2", "76: only 2 ping6 on mn in rc and events"),
    ('ping = "mn"\nwhich = 1', 'ping = "ha"', "73: no ping6 on ha in rc and events"),
    ("a{2,3}", "a(", "69: matches: a( .* AHD : missing ), unterminated subpattern at position 1"),
    ('["x", "y"]', '["x", 1]', "68: not_contains: a number where a text belongs"),
    ('["x", "y"]', "1", "68: not_contains: a number where a text or a list of texts belongs"),
]


@pytest.mark.parametrize(("old", "new", "error"), MISTAKES)
def test_a_mistake_is_one_error_at_its_line(old: str, new: str, error: str) -> None:
    assert changed(old, new) == [f"x.toml:{error}"]


def test_expectation_must_expect_something() -> None:
    text = '[node.a]\n[[expect]]\nat = 1\nnode = "a"\nrun = "ndp -a"\n'
    assert errors(text) == [
        "x.toml:2: nothing is expected: give one of contains, not_contains, matches, lines, exit"
    ]


def test_single_table_where_several_belong() -> None:
    assert errors("[event]\nat = 1\n") == ["x.toml:1: event: write [[event]]: there may be several"]
    assert errors("event = [1]") == ["x.toml:1: event: a number where a table belongs"]


def test_all_errors_are_reported_in_one_go_in_file_order() -> None:
    text = LAB.replace("seed", "sead").replace('cut = "fl1"', 'cut = "fl9"')
    text = text.replace("had fxp0 &", "had {nope.x} &\n{nope.y}").replace('"home", f', '"hom", f')
    assert [error.split(":")[1] for error in errors(text)] == ["2", "20", "32", "33", "53"]


def test_hosts_cannot_use_later_hosts() -> None:
    text = '[hosts]\na = "::1"\nb = "{hosts.cc}"\ncc = "::2"\n'
    assert errors(text)[0] == "x.toml:3: unknown value {hosts.cc}; did you mean {hosts.a}"


def test_error_is_a_value_with_file_line_and_text() -> None:
    assert load("x = 1", "f") == [LabError("f", 1, "unknown key x")]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a = 1\nb = ", "2: Invalid value"),
        ("a = 1\n\nb = 01\n", "3: Expected newline or end of document after a statement, column 6"),
        ("[link]\n[link]\n", "2: Cannot declare ('link',) twice, column 6"),
        ('x = """\n\n', "3: Unterminated string"),
    ],
)
def test_toml_syntax_errors_have_their_line(text: str, error: str) -> None:
    (found,) = errors(text)
    assert found == f"x.toml:{error}"


def test_deep_nesting_and_huge_numbers_are_errors_not_crashes() -> None:
    assert errors("x = " + "[" * 100_000 + "]" * 100_000) == [
        "x.toml:1: values are nested too deeply"
    ]
    assert len(errors("x = " + "9" * 5000)) == 1


def test_windows_line_ends_make_no_difference() -> None:
    assert lab(LAB.replace("\n", "\r\n")) == lab()


TOKENS = st.sampled_from(
    [
        *("title", "seed", "until", "link", "hosts", "node", "event", "expect", "at", "run"),
        *("kernel", "interfaces", "files", "rc", "a", "fxp0", "contains", "matches", "impair"),
        *(" = ", " = ", ".", "[", "]", "[[", "]]\n", "{", "}", ", ", "\n", "\n", "#", '"""', "'''"),
        *('"a"', '"a.fxp0"', "1", "-1", "0.5", "true", "nan", '"{x}"', '"a | b"', "1979-05-27"),
    ]
)
KEYS = st.sampled_from(
    [
        *("title", "seed", "until", "link", "hosts", "node", "event", "expect", "a", "at", "run"),
        *("impair", "kernel", "interfaces", "files", "rc", "matches", "contains", "ping", "move"),
    ]
)
LEAVES = st.sampled_from(
    [
        *('"a"', '"a.fxp0"', "1", "-1", "0.5", "true", "inf", '"{x}"', '"a | b"', "1979-05-27"),
        '"""\na"""',
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: "[" + ", ".join(v) + "]")
        | st.dictionaries(KEYS, inner, max_size=4).map(
            lambda d: "{" + ", ".join(f"{k} = {v}" for k, v in d.items()) + "}"
        )
    ),
    max_leaves=12,
)


@given(
    st.text()
    | st.lists(TOKENS, max_size=30).map("".join)
    | st.dictionaries(KEYS, TREES, max_size=8).map(
        lambda d: "\n".join(f"{k} = {v}" for k, v in d.items())
    )
)
def test_never_raises_and_errors_lie_in_the_file(text: str) -> None:
    found = load(text, "x.toml")
    if isinstance(found, list):
        assert found
        assert all(1 <= error.line <= text.count("\n") + 1 for error in found)


@given(st.integers(0, len(LAB)), st.integers(0, 40), st.text(max_size=3))
def test_never_raises_on_a_damaged_lab(start: int, size: int, patch: str) -> None:
    load(LAB[:start] + patch + LAB[start + size :], "x.toml")


def test_a_program_that_is_not_there_is_a_note_and_no_error() -> None:
    text = '[node.a]\nrc = """\nping6 -c 1 ::1\npng6 ::1\n"""\n'
    loaded = load(text, "x.toml")
    assert isinstance(loaded, LabFile)
    assert [str(n) for n in loaded.notes] == [
        "x.toml:4: there is no program png6; did you mean ping6"
    ]


def test_a_ping_that_the_end_cuts_short_is_noted() -> None:
    text = '[node.a]\n[[event]]\nat = 2\nnode = "a"\nrun = "ping6 -c 1 ::1"\n'
    notes = {until: load(f"{until}\n{text}", "x.toml") for until in ("", "until = 9")}
    told = [[str(n) for n in lab.notes] for lab in notes.values() if isinstance(lab, LabFile)]
    assert told == [["x.toml:6: the lab ends when this ping6 starts: there is no until"], []]


def test_all_lines_of_a_run_text_are_checked() -> None:
    text = '[node.a]\n[[event]]\nat = 1\nnode = "a"\nrun = """true\necho )\nif x\n"""\n'
    problems = load(text, "z.toml")
    assert isinstance(problems, list)
    assert [str(p) for p in problems] == [
        "z.toml:6: ): not supported",
        "z.toml:7: if: not supported",
    ]
