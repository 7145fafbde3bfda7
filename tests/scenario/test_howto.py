# SPDX-License-Identifier: BSD-3-Clause
"""The HowTo: everything it has its reader type is in a lab or has a row in docs/howto.md, and the
packets of that page are those of the lab."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

import pytest

from kame_py.cli.lab import load_lab
from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Mbuf
from kame_py.lab.lan import Port
from kame_py.lab.runner import LabRun
from kame_py.lab.timeline import Entry
from kame_py.trace.format import frame_summary
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import IPPROTO_IPV6
from kame_py.wire.in6addr import ntop
from tests.support import PROJECT_ROOT

FIXTURE = PROJECT_ROOT / "tests" / "scenario" / "howto_commands.txt"
HOWTO = PROJECT_ROOT.parent / "shared" / "facts" / "howto.txt"
PAGE = PROJECT_ROOT / "docs" / "howto.md"


def howto(*kinds: str) -> list[str]:
    """Lines of the HowTo of these kinds."""
    rows = [line for line in FIXTURE.read_text().splitlines() if not line.startswith("# What")]
    split = [row.split("\t", 1) for row in rows]
    assert {kind for kind, _ in split} == {"kernel", "build", "config", "command", "setkey"}
    return [text for kind, text in split if kind in kinds]


def labs() -> Iterator[dict[str, object]]:
    for entry in (files("kame_py") / "labs").iterdir():
        if entry.name.endswith(".toml"):
            yield tomllib.loads(entry.read_text(encoding="utf-8"))


def texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts of a lab with the key that they stand under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from texts(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part, key)


def typed(*keys: str) -> set[str]:
    """Lines under these keys in all shipped labs."""
    found = [text for lab in labs() for key, text in texts(lab) if key in keys]
    return {line.rstrip() for text in found for line in text.splitlines()}


def page_rows(heading: str) -> list[str]:
    """First cells of the table under a heading of the page, without their marks."""
    section = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [row.replace("\\|", "|") for row in re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)]


def written_in(text: str) -> list[tuple[str, str]]:
    """What the HowTo has its reader type, each line once, in its order."""
    forms = (
        ("kernel", r"(?:# )?(?:options|pseudo-device) .+"),
        ("config", r"fxp0:\\|        :.+:"),
        ("setkey", r"(?:add|spdadd) .+;"),
        ("build", r"(?P<build>CFLAGS.+)|[$#] (?P<made>make.*|su)(?: \(.+)?"),
        ("command", r"# (?P<command>.+)"),
    )
    found: dict[tuple[str, str], None] = {}
    for line in text.splitlines():
        for kind, form in forms:
            match = re.fullmatch(form, line.rstrip())
            if match:
                parts = [part for part in match.groups() if part]
                found[kind, parts[0] if parts else line.rstrip()] = None
                break
    if "invoke rtsol command" in text and "rtsold with -a -m options" in text:  # in its sentences
        found |= {("command", "rtsol fxp0"): None, ("command", "rtsold -a -m"): None}
    return list(found)


def test_fixture_is_what_the_howto_has_its_reader_type() -> None:
    if not HOWTO.is_file():
        pytest.skip(f"no HowTo at {HOWTO}")
    wanted = written_in(HOWTO.read_text(encoding="utf-8"))
    assert len(wanted) > 20
    rows = [row.split("\t", 1) for row in FIXTURE.read_text().splitlines()[1:]]
    assert sorted(wanted) == sorted((kind, text) for kind, text in rows)


@pytest.mark.parametrize("line", howto("kernel"))
def test_kernel_option_is_in_a_lab(line: str) -> None:
    assert line in typed("kernel")


@pytest.mark.parametrize("line", howto("config"))
def test_configuration_line_is_in_a_lab(line: str) -> None:
    assert line in typed("/usr/local/v6/etc/rtadvd.conf")


@pytest.mark.parametrize("line", howto("command"))
def test_command_is_typed_in_a_lab(line: str) -> None:
    assert line in typed("rc", "run")


@pytest.mark.parametrize("line", howto("build"))
def test_build_step_has_a_row_that_says_what_replaces_it(line: str) -> None:
    assert line in page_rows("What replaces the build steps")


@pytest.mark.parametrize("line", howto("setkey"))
def test_setkey_line_is_typed_in_a_lab_and_has_a_row(line: str) -> None:
    assert line in typed("/etc/ipsec.conf")
    assert line in page_rows("Security associations")


@pytest.mark.parametrize("line", howto("kernel", "config", "command"))
def test_line_is_told_in_the_page(line: str) -> None:
    assert line.strip() in PAGE.read_text()


# -- the run --------------------------------------------------------------------------------------


class Sent(NamedTuple):
    """One frame where it was sent; ``line`` is how the page shows it."""

    t_s: float
    line: str
    nxt: int


class Watcher:
    """Writes down every frame of a run."""

    def __init__(self, run: LabRun) -> None:
        self.run = run
        self.sent_frames: list[Sent] = []
        self.names = {addr: name for name, addrs in run.lab.hosts.items() for addr in addrs}

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None:
        line = f"{port.name}: {frame_summary(frame, self.name, verbose=True)}"
        nxt = Ip6Hdr.unpack(frame, EtherHeader.SIZE).ip6_nxt
        self.sent_frames.append(Sent(self.run.world.now() / NS, line, nxt))

    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None: ...

    def name(self, addr: bytes) -> str:
        return self.names.get(addr) or ntop(addr)


def watch(lab: str) -> Watcher:
    """A lab after its run."""
    lab_run = LabRun(load_lab(lab))
    watcher = Watcher(lab_run)
    lab_run.world.observe(watcher)
    lab_run.run()
    assert lab_run.good
    return watcher


@pytest.fixture(scope="module")
def watched() -> Watcher:
    """The HowTo's lab."""
    return watch("howto")


@pytest.fixture(scope="module")
def run(watched: Watcher) -> list[Sent]:
    """All its frames."""
    return watched.sent_frames


_CHANGING = re.compile(r"\b(seq|life|refresh|id)([= ])\d+")


def settled(line: str) -> str:
    """A line without the numbers that say how long something has been going on."""
    return _CHANGING.sub(r"\1\2N", line)


def page_packets(lab: str = "") -> list[list[str]]:
    """Blocks of packets of the page; ``lab``: which name another lab than the HowTo's."""
    head = f"```packets {lab}".strip()
    found = re.findall(rf"^{head}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in found]


@pytest.mark.parametrize("block", page_packets(), ids=lambda block: block[0][:40])
def test_packets_of_the_page_were_sent_in_that_order(block: list[str], run: list[Sent]) -> None:
    in_order(block, run)


def test_signed_packets_of_the_page_were_sent_in_that_order() -> None:
    blocks = page_packets("howto-secure")
    frames = watch("howto-secure").sent_frames
    assert len(blocks) == 2
    for block in blocks:
        in_order(block, frames)


def in_order(block: list[str], run: list[Sent]) -> None:
    lines = iter([settled(sent.line) for sent in run])
    missing = [line for line in block if settled(line) not in lines]
    assert missing == []


def between(run: list[Sent], start_s: float, end_s: float) -> list[Sent]:
    return [sent for sent in run if start_s <= sent.t_s < end_s]


@pytest.mark.parametrize(("start_s", "end_s"), [(26, 36), (46, 54), (66, 80)])
def test_nothing_is_tunnelled_when_the_correspondent_knows_the_way(
    run: list[Sent], start_s: float, end_s: float
) -> None:
    there = between(run, start_s, end_s)
    assert sum("echo request" in sent.line for sent in there) > 5
    assert [sent.line for sent in there if sent.nxt == IPPROTO_IPV6] == []


def test_the_first_ping_abroad_is_tunnelled(run: list[Sent]) -> None:
    tunnelled = [sent for sent in between(run, 18, 36) if sent.nxt == IPPROTO_IPV6]
    assert {sent.line.split(":")[0] for sent in tunnelled} == {"ha.fxp1", "r1.fxp0"}
    assert all("cn > mn: icmp6: echo request" in sent.line for sent in tunnelled)


def test_a_node_switched_on_abroad_asks_before_it_registers(run: list[Sent]) -> None:
    lines = [sent.line for sent in run if sent.line.startswith("mn2.fxp0: ")]
    asked = next(i for i, line in enumerate(lines) if "ha discovery request" in line)
    registered = next(i for i, line in enumerate(lines) if "BindUpd flg=AHD" in line)
    assert asked < registered


def test_at_home_again_packets_are_plain(run: list[Sent]) -> None:
    pings = [s.line for s in between(run, 66, 80) if "cn > mn" in s.line or "mn > cn" in s.line]
    assert pings
    assert all(re.search(r"(cn > mn|mn > cn): icmp6: echo", line) for line in pings)


def test_the_timeline_tells_where_the_home_address_goes() -> None:
    entries: list[Entry] = []
    LabRun(load_lab("howto"), until_s=62, sink=entries.append).run()
    home = "2001:200:1:1:2a0:24ff:fe00:201"
    told = [e.text for e in entries if e.node == "mn" and e.kind == "addr" and home in e.text]
    assert told == [
        f"fxp0: {home} autoconf new, tentative",
        f"fxp0: {home} autoconf now usable",
        f"hif0: {home} home new, usable",
        f"fxp0: {home} removed",
        f"fxp0: {home} autoconf new, usable",
        f"hif0: {home} removed",
    ]


def test_the_report_of_the_lab_has_the_tables_of_mobility(watched: Watcher) -> None:
    nodes = watched.run.report()["nodes"]
    assert isinstance(nodes, dict)
    tables = {name: node["mip6"] for name, node in nodes.items() if isinstance(node, dict)}
    home_agent, mobile = tables["ha"], tables["mn2"]
    assert isinstance(home_agent, dict)
    assert isinstance(mobile, dict)
    assert home_agent["type"] == "home agent"
    assert "2001:200:1:1:2a0:24ff:fe00:701" in str(home_agent["binding_cache"])
    assert mobile["type"] == "mobile node"
    for table in ("binding_update_list", "home_agents", "prefixes"):
        assert "2001:200:1:1:" in str(mobile[table])
