# SPDX-License-Identifier: BSD-3-Clause
"""tcpdump and trace on real kernels: lines, captures, filters, signals, what is refused."""

from __future__ import annotations

import json
import re
import sys
from io import BytesIO
from pathlib import Path

import pytest

from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.lib.capture import hex_lines, stamp_text
from kame_py.replay.pcap import open_capture
from kame_py.replay.pcapng import PcapngWriter
from kame_py.wire import codecs as c
from kame_py.wire import mip6_draft13, mip6_draft15
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_NONE
from kame_py.wire.in6addr import mac_aton, pton
from kame_py.wire.ip6ext import build_options
from kame_py.wire.mip6 import AltCoa, AuthData, BindingUpdate, OptionWire
from kame_py.wire.pcapfmt import LINKTYPE_RAW
from tests.support import run
from tests.unit.ctl.remote_rig import Program

PING = "ping6 -c 1 2001:db8::b"
MAC = bytes(12)  # of authentication data
SUMMARY = re.compile(r"(\d+) packets received by filter\n(\d+) packets dropped by kernel\n")


@pytest.fixture
def pair() -> tuple[Node, Node]:
    """Two nodes on one link that know each other's link addresses."""
    world = World(1)
    lan = world.add_link("lan")
    nodes = world.add_node("a"), world.add_node("b")
    for node in nodes:
        node.attach("fxp0", lan)
    world.run_for(3)
    for node in nodes:
        node.run(f"ifconfig fxp0 inet6 2001:db8::{node.name} prefixlen 64 alias")
    world.run_for(10)
    nodes[0].run(PING)
    world.run_for(60)  # whatever probes follow are over
    return nodes


def listened(node: Node, tool: str, while_runs: str = PING) -> str:
    """What a tool in the background wrote while a command ran, and what it said at its end."""
    job = node.start(tool)
    node.run(while_runs)
    node.run(f"kill -INT {tool.split()[0]}")
    node.world.run_for(1)
    result = job.result()
    assert job.status == 0 and SUMMARY.search(result.err)
    return result.out


def file(node: Node, path: str) -> bytes:
    return node.files.read(path).encode("utf-8", "surrogateescape")


# -- lines ----------------------------------------------------------------------------------------


def test_lines_have_time_addresses_and_words(pair: tuple[Node, Node]) -> None:
    lines = listened(pair[0], "tcpdump -n -i fxp0 icmp6").splitlines()
    stamps = [line.split()[0] for line in lines]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{6}", stamp) for stamp in stamps)
    assert [line.split(" ", 1)[1] for line in lines] == [
        "2001:db8::a > 2001:db8::b: icmp6: echo request",
        "2001:db8::b > 2001:db8::a: icmp6: echo reply",
    ]


def test_link_header_and_verbose_words(pair: tuple[Node, Node]) -> None:
    request, _ = listened(pair[0], "tcpdump -n -e -v -t icmp6").splitlines()
    assert re.fullmatch(
        r"0:a0:24:\S+ 0:a0:24:\S+ ip6 70: 2001:db8::a > 2001:db8::b: icmp6: echo request"
        r" \(id \d+, seq 0\) \(len 16, hlim 64\)",
        request,
    )


def test_names_of_the_hosts_table_unless_numeric(pair: tuple[Node, Node]) -> None:
    a, _ = pair
    a.world.hosts["bee"] = (pton("2001:db8::b") or b"",)
    assert " > bee: icmp6: echo request" in listened(a, "tcpdump -t src 2001:db8::a")
    assert " > 2001:db8::b: icmp6: echo request" in listened(a, "tcpdump -nt dst host bee")


def test_octets_are_those_behind_the_link_header(pair: tuple[Node, Node]) -> None:
    text = listened(pair[0], "tcpdump -n -x -t -s 54 dst 2001:db8::b")
    assert text == (
        "2001:db8::a > 2001:db8::b: [|icmp6]\n"
        "\t\t\t 6000 0000 0010 3a40 2001 0db8 0000 0000\n"
        "\t\t\t 0000 0000 0000 000a 2001 0db8 0000 0000\n"
        "\t\t\t 0000 0000 0000 000b\n"
    )


def test_all_interfaces_are_named_with_the_direction(pair: tuple[Node, Node]) -> None:
    text = listened(pair[0], "tcpdump -n -t -i any icmp6", "ping6 -c 1 ::1; " + PING)
    assert "lo0 > ::1 > ::1: icmp6: echo request\n" in text
    assert "fxp0 > 2001:db8::a > 2001:db8::b: icmp6: echo request\n" in text
    assert "fxp0 < 2001:db8::b > 2001:db8::a: icmp6: echo reply\n" in text


def test_gif_shows_what_goes_through_it(pair: tuple[Node, Node]) -> None:
    for node, us, peer in ((pair[0], "a", "b"), (pair[1], "b", "a")):
        done = node.run(
            f"ifconfig gif0 create; ifconfig gif0 tunnel 2001:db8::{us} 2001:db8::{peer};"
            f"ifconfig gif0 inet6 2001:db8:1::{us} 2001:db8:1::{peer} prefixlen 128 alias;"
            "ifconfig gif0 up"
        )
        assert done.ok, done.err
    node.world.run_for(5)
    text = listened(pair[0], "tcpdump -n -t -i gif0 icmp6", "ping6 -c 1 2001:db8:1::b")
    assert text.splitlines() == [
        "2001:db8:1::a > 2001:db8:1::b: icmp6: echo request",
        "2001:db8:1::b > 2001:db8:1::a: icmp6: echo reply",
    ]


def test_first_interface_that_is_up_is_the_default(pair: tuple[Node, Node]) -> None:
    job = pair[0].start("tcpdump -c 1")
    pair[0].run(PING)
    assert job.result().err.startswith("tcpdump: listening on fxp0\n")
    pair[0].run("ifconfig fxp0 down")
    done = pair[0].run("tcpdump")
    assert (done.status, done.err) == (1, "tcpdump: no suitable device found\n")


def test_count_ends_it_and_the_summary_says_how_much_was_seen(pair: tuple[Node, Node]) -> None:
    job = pair[0].start("tcpdump -c 1 src 2001:db8::b")
    pair[0].run(PING)
    result = job.result()
    assert (job.status, len(result.out.splitlines())) == (0, 1)
    assert SUMMARY.search(result.err)
    assert pair[0].kernel.bpf is None


def test_packets_that_found_no_room_are_counted(pair: tuple[Node, Node]) -> None:
    a, b = pair
    job = a.start("tcpdump -n udp")
    a.run("true")
    ifp = a.kernel.ifnets[-1]
    frame = bytes.fromhex("00a024000101 00a024000201 86dd") + bytes(1000)
    for _ in range(300):  # all at one moment: the program has no chance to read
        a.kernel.if_input(ifp, frame)
    a.world.run_for(1)
    a.run("kill -INT tcpdump")
    found = SUMMARY.search(job.result().err)
    assert found is not None
    assert int(found[1]) == 300 and 0 < int(found[2]) < 100


def test_json_is_an_object_for_each_packet(pair: tuple[Node, Node]) -> None:
    text = listened(pair[0], "tcpdump --json dst 2001:db8::b")
    row = json.loads(text)
    assert row["text"] == "2001:db8::a > 2001:db8::b: icmp6: echo request"
    assert (row["interface"], row["outbound"], row["length"]) == ("fxp0", True, 70)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("icmp6[0]", "filter: icmp6[0]: not understood"),
        ("host nobody", "nobody: unknown host"),
        ("-i fxp7", "interface fxp7 does not exist"),
        ("-c 0", "-c 0: bad value"),
        ("-s x", "-s x: bad value"),
        ("-T 12", "-T 12: not one of draft-13, draft-15"),
        ("-r /nothing", "/nothing: No such file or directory"),
        ("-r /etc/text", "/etc/text: not a capture file (starts with 74657874)"),
        ("-w /no/where", "/no/where: No such file or directory"),
    ],
)
def test_what_is_refused(pair: tuple[Node, Node], line: str, complaint: str) -> None:
    pair[0].files.write("/etc/text", "text, no capture")
    done = pair[0].run(f"tcpdump {line}")
    assert done.status == 1
    assert complaint in done.err.splitlines()[-1]
    assert len(done.err.splitlines()) <= 2


def test_stamps_and_octets_look_like_tcpdumps() -> None:
    t_ns = (86_400 + 3_600 * 13 + 61) * 10**9 + 1_234_567
    assert stamp_text(t_ns, 0) == "13:01:01.001234 "
    assert stamp_text(t_ns, 1) == ""
    assert stamp_text(t_ns, 2) == "133261.001234 "
    assert hex_lines(bytes(range(19))) == (
        "\n\t\t\t 0001 0203 0405 0607 0809 0a0b 0c0d 0e0f\n\t\t\t 1011 12"
    )


# -- captures -------------------------------------------------------------------------------------


def test_written_capture_has_interface_stamps_and_directions(pair: tuple[Node, Node]) -> None:
    a, _ = pair
    listened(a, "tcpdump -i any -w /tmp/out icmp6", "ping6 -c 1 ::1; " + PING)
    reader = open_capture(BytesIO(file(a, "/tmp/out")))
    records = list(reader)
    assert reader.error is None
    names = [reader.interfaces[r.ifindex].name for r in records]
    assert names == ["lo0", "lo0", "fxp0", "fxp0"]
    assert [r.outbound for r in records] == [True, True, True, False]
    assert reader.interfaces[0].linktype == LINKTYPE_RAW
    assert all(abs(r.t_ns - a.kernel.clock.realtime()) < 60 * 10**9 for r in records)


def test_capture_is_read_as_it_was_written(pair: tuple[Node, Node]) -> None:
    a, _ = pair
    live = listened(a, "tcpdump -n -e -v -x icmp6")
    listened(a, "tcpdump -s 60 -w /tmp/cut icmp6")
    listened(a, "tcpdump -w /tmp/out")
    read = a.run("tcpdump -n -e -v -x -r /tmp/out icmp6")
    assert (read.status, read.err) == (0, "")
    assert _without_ids(read.out) == _without_ids(live)
    assert len(a.run("tcpdump -r /tmp/out -c 1").out.splitlines()) == 1
    cut = a.run("tcpdump -n -e -t -r /tmp/cut -c 1").out
    assert re.fullmatch(r"\S+ \S+ ip6 70: .*\n", cut)  # the length that it had


def _without_ids(text: str) -> list[str]:
    """Lines without what differs from one ping to the next: times, identifiers, octets."""
    lines = [line for line in text.splitlines() if not line.startswith("\t")]
    return [re.sub(r"id \d+", "id", line.split(" ", 1)[1]) for line in lines]


def test_damaged_capture_is_read_as_far_as_it_is_good(pair: tuple[Node, Node]) -> None:
    a, _ = pair
    listened(a, "tcpdump -w /tmp/out icmp6")
    a.files.write("/tmp/out", a.files.read("/tmp/out")[:-10])
    done = a.run("tcpdump -n -r /tmp/out")
    assert done.status == 1 and len(done.out.splitlines()) == 1
    assert re.fullmatch(r"tcpdump: /tmp/out: .*; last good packet 1\n", done.err)


def test_octets_on_standard_output_can_be_redirected(pair: tuple[Node, Node]) -> None:
    a, _ = pair
    listened(a, "tcpdump -w /tmp/one icmp6")
    assert a.run("tcpdump -r /tmp/one -w - > /tmp/two").ok
    one, two = (list(open_capture(BytesIO(file(a, f"/tmp/{n}")))) for n in ("one", "two"))
    assert one == two and len(one) == 2


def test_remote_program_gets_octets(pair: tuple[Node, Node]) -> None:
    a, b = pair
    b.start("sleep 2; ping6 -c 1 2001:db8::a")
    program = Program(a.world, "tcpdump", "a")
    status, text, complaints = program.run("-c 2 -w - icmp6")
    assert (status, text) == (0, "")
    assert complaints.startswith("tcpdump: listening on fxp0\n")
    records = list(open_capture(BytesIO(program.machine.octets["-"])))
    assert [r.inbound for r in records] == [True, False]


def test_capture_is_read_without_a_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAME_RUNTIME_DIR", str(tmp_path))
    for name in ("KAME_NODE", "KAME_SERVER"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "bu.pcapng"
    path.write_bytes(_capture(mip6_draft13.WIRE))
    command = (sys.executable, "-m", "kame_py", "tcpdump", "-tr", str(path), "-T", "13")
    done = run(*command, "mip6", "and", "host", "2001:db8::a")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2001:db8::a > 2001:db8::b: DSTOPT (BindUpd flg=AHR" in done.stdout
    absent = run(*command, "--node", "ha")
    assert (absent.returncode, absent.stdout) == (1, "")
    assert absent.stderr.startswith("tcpdump: no running node")


# -- drafts ---------------------------------------------------------------------------------------


def _capture(wire: OptionWire) -> bytes:
    """One binding update of a draft."""
    coa = pton("2001:db8:9::1") or b""
    given = (AltCoa(coa),) if wire.authdata_type is None else (AltCoa(coa), AuthData(1500, MAC))
    subopts = wire.align_subopts(given, 2 + wire.bu_size)
    bu = BindingUpdate(0xE0, 7, 60, prefixlen=64 if wire.bu_prefixlen else 0, subopts=subopts)
    payload = build_options(IPPROTO_NONE, [wire.aligned(bu)])
    head = c.Ip6Hdr(
        ip6_plen=len(payload),
        ip6_nxt=IPPROTO_DSTOPTS,
        ip6_hlim=64,
        ip6_src=pton("2001:db8::a") or b"",
        ip6_dst=pton("2001:db8::b") or b"",
    )
    ether = c.EtherHeader(
        ether_dhost=mac_aton("0:a0:24:0:0:b") or b"", ether_shost=mac_aton("0:a0:24:0:0:a") or b""
    )
    out = BytesIO()
    writer = PcapngWriter(out)
    writer.write(writer.add_interface("fxp0"), 10**18, ether.pack() + head.pack() + payload)
    return out.getvalue()


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (
            mip6_draft15.WIRE,
            "(BindUpd flg=AHS/e0 seq=7 life=60 subopt (AltCOA: 2001:db8:9::1)"
            " subopt (AuthData: spi=1500))",
        ),
        (
            mip6_draft13.WIRE,
            "(BindUpd flg=AHR/e0 plen=64 seq=7 life=60 subopt (AltCOA: 2001:db8:9::1)",
        ),
    ],
    ids=["draft-15", "draft-13"],
)
def test_binding_update_is_read_by_the_draft_of_the_node(wire: OptionWire, words: str) -> None:
    world = World(1)
    option = "MIP6_DRAFT13" if wire.bu_prefixlen else "MIP6"
    node = world.add_node("a", ["MIP6", option])
    node.files.write("/tmp/bu", _capture(wire).decode("utf-8", "surrogateescape"))
    assert words in node.run("tcpdump -r /tmp/bu").out
    assert words in node.run(f"tcpdump -T {wire.name} -r /tmp/bu").out


# -- trace ----------------------------------------------------------------------------------------


def test_way_of_each_packet(pair: tuple[Node, Node]) -> None:
    text = listened(pair[0], "trace -n -t icmp6")
    assert text == (
        "2001:db8::a > 2001:db8::b: icmp6: echo request\n"
        "  ip6_output\n  route 2001:db8::b/128 on fxp0\n  output fxp0\n  = transmitted\n"
        "fxp0 < 2001:db8::b > 2001:db8::a: icmp6: echo reply\n"
        "  ether_input fxp0\n  ip6_input fxp0\n  icmp6 at 40\n"
        "  icmp6_input type 129 code 0\n  = delivered\n"
    )
    kern = pair[0].kernel
    assert (kern.tracing, kern.fate_sink) == (False, None)


def test_packet_that_waits_is_shown_once_when_it_left(pair: tuple[Node, Node]) -> None:
    pair[0].run("ndp -c")
    text = listened(pair[0], "trace -n -t dst 2001:db8::b and outbound")
    assert text.count("icmp6: echo request\n") == 1
    assert text.startswith("2001:db8::a > 2001:db8::b: icmp6: echo request\n  ip6_output\n")
    assert "  = held" not in text and text.count("  = transmitted\n") == text.count("\n  = ")


def test_dropped_packets_have_their_reason(pair: tuple[Node, Node]) -> None:
    a, b = pair
    a.run("route add 2001:db8:7:: -prefixlen 64 2001:db8::b")
    job = b.start("trace -n -t -d")
    a.run("ping6 -c 1 2001:db8:7::1")
    b.run("kill -INT trace")
    text = job.result().out
    assert text.startswith("fxp0 < 2001:db8::a > 2001:db8:7::1: icmp6: echo request\n")
    assert "\n  = dropped: IP6_NOTFORUS: " in text
    assert text.count("\n  = ") == 1


def test_trace_keeps_to_an_interface_and_a_count(pair: tuple[Node, Node]) -> None:
    job = pair[0].start("trace -n -t -i lo0 -c 1")
    pair[0].run(f"{PING}; ping6 -c 1 ::1")
    assert job.result().out.startswith("lo0 > ::1 > ::1: icmp6: echo request\n")
    assert job.status == 0


def test_trace_as_json(pair: tuple[Node, Node]) -> None:
    row = json.loads(listened(pair[0], "trace --json dst 2001:db8::b"))
    assert (row["stages"], row["fate"], row["reason"]) == (
        ["ip6_output", "route 2001:db8::b/128 on fxp0", "output fxp0"],
        "transmitted",
        "",
    )


@pytest.mark.parametrize("name", ["/tmp/one", "/tmp/../tmp//one"])
def test_a_capture_that_is_read_is_not_written_over(pair: tuple[Node, Node], name: str) -> None:
    a, _ = pair
    listened(a, "tcpdump -w /tmp/one icmp6")
    before = file(a, "/tmp/one")
    done = a.run(f"tcpdump -r /tmp/one -w {name} -c 1")
    assert done.status == 1 and file(a, "/tmp/one") == before
    assert done.err == f"tcpdump: -w {name}: the same file as -r /tmp/one, which is read\n"
