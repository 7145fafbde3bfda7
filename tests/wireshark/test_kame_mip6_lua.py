# SPDX-License-Identifier: BSD-3-Clause
"""The Wireshark dissector reads the drafts' packets and leaves everybody else's alone."""

from __future__ import annotations

import functools
import io
import re
import struct
from pathlib import Path

import pytest

from kame_py.replay.pcap import LINKTYPE_RAW, PcapWriter, open_capture
from tests import support

SCRIPT = support.PROJECT_ROOT / "tools" / "wireshark" / "kame_mip6.lua"
HOA, COA, HA = "2001:db8:0:1::100", "2001:db8:0:2::100", "2001:db8:0:1::1"
BU, BA, BR = "0xc6", "0x07", "0x08"

# Values of every mobility packet of the drafts in vectors/mobility-packets.tsv, fields without
# their kame_mip6. in front; () = the field must be absent.
D15: dict[str, dict[str, object]] = {
    "d15_bu_home_sha1": {
        "opt.type": BU,
        "bu.flags": 0xD0,
        "bu.seq": 0x2A,
        "bu.lifetime": 600,
        "auth.spi": 0x1000,
        "auth.data": "328d85e14e38ddaec",
        "bu.prefixlen": (),
    },
    "d15_bu_home_md5": {"opt.type": BU, "bu.flags": 0xD0, "bu.seq": 0x2A, "bu.lifetime": 600},
    "d15_bu_cn_uid_altcoa": {
        "opt.type": BU,
        "bu.flags": 0x80,
        "bu.seq": 255,
        "bu.lifetime": 120,
        "uid": 0x1234,
        "altcoa": "2001:db8:0:4::77",
        "auth.spi": 0x1001,
    },
    "d15_ba_home_sha1": {
        "opt.type": BA,
        "ba.status": 0,
        "ba.seq": 0x2A,
        "ba.lifetime": 600,
        "ba.refresh": 480,
        "auth.spi": 0x1002,
    },
    "d15_ba_141": {"opt.type": BA, "ba.status": 141, "ba.seq": 0x2A, "ba.lifetime": 0},
    "d15_bu_dereg": {"opt.type": BU, "bu.flags": 0xC0, "bu.seq": 0x2B, "bu.lifetime": 0},
    "d15_bu_noauth": {"opt.type": BU, "bu.flags": 0xC0, "bu.lifetime": 60, "auth.spi": ()},
    "d15_br_uid": {"opt.type": BR, "uid": 0xBEEF},
    "d15_dhaad_req": {"icmp.type": 150, "dhaad.id": 0x1111, "dhaad.hoa": ()},
    "d15_dhaad_rep": {
        "icmp.type": 151,
        "dhaad.id": 0x1111,
        "dhaad.addr": "2001:db8:0:1::2,2001:db8:0:1::1",
    },
    "d15_mps": {"icmp.type": 152},
    "d15_mpa": {
        "icmp.type": 153,
        "nd.type": 3,
        "nd.prefix": "2001:db8:0:1::",
        "nd.prefixlen": 64,
        "nd.flags": 0xC0,
        "nd.valid": 7200,
        "nd.preferred": 3600,
    },
}
D13: dict[str, dict[str, object]] = {
    "d13_ah_bu_sha1": {
        "opt.type": BU,
        "bu.flags": 0xD0,
        "bu.prefixlen": 64,
        "bu.seq": 0x123,
        "bu.lifetime": 600,
    },
    "d13_ah_bu_md5": {"opt.type": BU, "bu.prefixlen": 64, "bu.seq": 0x123},
    "d13_ah_bu_altcoa": {
        "opt.type": BU,
        "bu.seq": 0x124,
        "bu.lifetime": 300,
        "uid": 7,
        "altcoa": "2001:db8:0:4::77",
        "auth.spi": (),
    },
    "d13_ah_ba_rh0_sha1": {
        "opt.type": BA,
        "ba.status": 0,
        "ba.seq": 0x123,
        "ba.lifetime": 600,
        "ba.refresh": 480,
    },
    "d13_ah_ba_rh0_md5": {"opt.type": BA, "ba.status": 0, "ba.seq": 0x123},
    "d13_dhaad_req": {"icmp.type": 150, "dhaad.id": 0x1111, "dhaad.hoa": HOA},
    "d13_bu_plain": {"opt.type": BU, "bu.prefixlen": 64, "bu.seq": 0x123, "bu.lifetime": 600},
}
FIELDS = sorted({f for want in (*D15.values(), *D13.values()) for f in want})


def tshark(path: Path, *argv: str, script: bool = True, dialect: str = "draft-15") -> str:
    program = support.needs_tool("tshark")
    ours = ("-X", f"lua_script:{SCRIPT}", "-o", f"kame_mip6.dialect:{dialect}") if script else ()
    done = support.run(program, "-n", *ours, "-r", path, *argv)
    assert done.returncode == 0, done.stderr
    assert "Lua" not in done.stderr
    return done.stdout


@functools.cache
def vectors() -> dict[str, tuple[str, str]]:
    """Packet in hexadecimal -> (name, note)."""
    table = support.data_dir() / "vectors" / "mobility-packets.tsv"
    rows = [line.split("\t") for line in table.read_text().splitlines()[1:]]
    return {hexa: (name, note) for _, name, _, note, hexa in rows}


@functools.cache
def dissected(file: str, dialect: str) -> dict[str, dict[str, str]]:
    """Name of the vector -> fields, for every packet of a generated capture."""
    path = support.data_dir() / "captures" / file
    wanted = [a for f in FIELDS for a in ("-e", f"kame_mip6.{f}")]
    extra = ["-e", "_ws.malformed", "-e", "_ws.expert.severity", "-e", "kame_mip6.hoa"]
    out = tshark(path, "-T", "fields", "-E", "separator=|", *wanted, *extra, dialect=dialect)
    names = []
    with path.open("rb") as f:
        for record in open_capture(f):
            names.append(vectors()[record.data[14:].hex()][0])
    rows = out.splitlines()
    assert len(rows) == len(names)
    return {
        name: dict(zip([*FIELDS, "malformed", "severity", "hoa"], row.split("|"), strict=True))
        for name, row in zip(names, rows, strict=True)
    }


def matches(got: str, want: object) -> bool:
    if want == ():
        return got == ""
    values = got.split(",")
    if isinstance(want, int):
        return [int(v, 0) for v in values if v] == [want]
    if isinstance(want, str) and want.startswith("0x"):
        return want in values  # among the paddings
    return got.replace(":", "").endswith(str(want).replace(":", ""))


CASES = [
    (file, dialect, name, want)
    for dialect, table, files in (
        ("draft-15", D15, ("generated-draft15.pcap", "generated-all.pcap")),
        ("draft-13", D13, ("generated-draft13_ah.pcap", "generated-all.pcap")),
    )
    for file in files
    for name, want in table.items()
]


@pytest.mark.parametrize(
    ("file", "dialect", "name", "want"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES]
)
def test_every_mobility_packet_shows_its_values(
    file: str, dialect: str, name: str, want: dict[str, object]
) -> None:
    got = dissected(file, dialect)[name]
    wrong = {f: (got[f], value) for f, value in want.items() if not matches(got[f], value)}
    assert not wrong


@pytest.mark.parametrize(
    ("file", "dialect"),
    [
        ("generated-draft15.pcap", "draft-15"),
        ("generated-draft13_ah.pcap", "draft-13"),
        ("generated-all.pcap", "draft-15"),
        ("generated-all.pcap", "draft-13"),
    ],
)
def test_no_packet_is_malformed_or_worse_than_a_note(file: str, dialect: str) -> None:
    note = 0x400000
    draft = (*D15, *D13)
    for name, got in dissected(file, dialect).items():
        assert got["malformed"] == "", name
        if name in draft:
            assert all(int(v, 0) <= note for v in got["severity"].split(",") if v), name


def test_the_table_of_values_is_complete_and_agrees_with_the_notes() -> None:
    tables = {**D15, **D13}
    ours = re.compile(r"d1[35]_(ah_)?(bu|ba|br|dhaad|mps|mpa)\b|d1[35]_(ah_)?(bu|ba|br|dhaad)_")
    stated = re.compile(r"\b(seq|life|refresh|status|UID|type) (0x[0-9a-f]+|\d+)\b")
    checked = 0
    for name, note in vectors().values():
        if not ours.match(name):
            continue
        assert name in tables
        for word, value in stated.findall(note):
            end = {"life": "lifetime", "UID": "uid"}.get(word, word)
            field = [f for f in tables[name] if f.rsplit(".")[-1] == end and f != "opt.type"]
            if field:
                assert tables[name][field[0]] == int(value, 0), (name, note)
                checked += 1
    assert checked > 12


def test_info_column_tells_the_message() -> None:
    path = support.data_dir() / "captures" / "generated-draft15.pcap"
    info = tshark(path, "-T", "fields", "-e", "_ws.col.Info").splitlines()
    assert info[0] == "Binding Update seq=42 AHD life=600"
    assert info[3] == "Binding Acknowledgement seq=42 status=0 life=600 refresh=480"
    assert info[7] == "Binding Request"
    assert info[12] == "Home Agent Address Discovery Reply id=0x1111 addresses=2"


@pytest.mark.parametrize("misreading", ["CALIPSO", "SMF_DPD", "Multicast Router"])
def test_built_in_misreadings_are_gone(misreading: str) -> None:
    path = support.data_dir() / "captures" / "generated-draft15.pcap"
    assert misreading in tshark(path, "-V", script=False)
    assert misreading not in tshark(path, "-V")


def test_transport_checksums_hold_behind_home_address_option_and_routing_header() -> None:
    path = support.data_dir() / "captures" / "generated-all.pcap"
    argv = ("-o", "udp.check_checksum:TRUE", "-T", "fields", "-E", "separator=|")
    out = tshark(path, *argv, "-e", "udp.checksum.status", "-e", "icmpv6.checksum.status")
    assert set(out.replace("\n", "|").split("|")) == {"", "1"}
    assert out.count("1|") >= 8
    own = tshark(
        path, "-Y", "kame_mip6.icmp.type", "-T", "fields", "-e", "kame_mip6.icmp.checksum.status"
    )
    assert own.split() == ["1"] * 5


# Packets made here


def inet6(text: str) -> bytes:
    head, _, tail = text.partition("::")
    left = [int(x, 16) for x in head.split(":") if x]
    right = [int(x, 16) for x in tail.split(":") if x]
    return struct.pack(">8H", *left, *[0] * (8 - len(left) - len(right)), *right)


def ip6(nxt: int, payload: bytes, src: str = COA, dst: str = HA) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(payload), nxt, 64) + inet6(src) + inet6(dst) + payload


def cksum(src: str, dst: str, nxt: int, data: bytes) -> int:
    whole = inet6(src) + inet6(dst) + struct.pack(">II", len(data), nxt) + data
    whole += b"\0" * (len(whole) % 2)
    total = sum(struct.unpack(f">{len(whole) // 2}H", whole))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def icmp6(kind: int, body: bytes, src: str, dst: str) -> bytes:
    value = cksum(src, dst, 58, bytes([kind, 0, 0, 0]) + body)
    return bytes([kind, 0]) + struct.pack(">H", value) + body


def hao(nxt: int) -> bytes:
    return bytes([nxt, 2, 1, 2, 0, 0, 0xC9, 16]) + inet6(HOA)


def capture(tmp_path: Path, *packets: bytes) -> Path:
    out = io.BytesIO()
    writer = PcapWriter(out, LINKTYPE_RAW)
    for n, packet in enumerate(packets):
        writer.write(n, packet)
    path = tmp_path / "made.pcap"
    path.write_bytes(out.getvalue())
    return path


def fields(path: Path, *names: str) -> list[list[str]]:
    argv = [a for n in names for a in ("-e", n)]
    out = tshark(path, "-o", "udp.check_checksum:TRUE", "-T", "fields", "-E", "separator=|", *argv)
    return [line.split("|") for line in out.splitlines()]


def test_checksum_of_a_solicitation_is_over_the_home_addresses(tmp_path: Path) -> None:
    good = icmp6(152, b"\0" * 4, HOA, HA)
    wrong = icmp6(152, b"\0" * 4, COA, HA)
    # routing header type 0: one stop left, the home address
    rh0 = bytes([58, 2, 0, 1, 0, 0, 0, 0]) + inet6(HOA)
    prefix = bytes.fromhex("030440c000001c2000000e1000000000") + inet6("2001:db8:0:1::")
    path = capture(
        tmp_path,
        ip6(60, hao(58) + good),
        ip6(60, hao(58) + wrong),
        ip6(43, rh0 + icmp6(153, prefix, HA, HOA), src=HA, dst=COA),
        ip6(43, rh0 + icmp6(153, prefix, HA, COA), src=HA, dst=COA),
    )
    got = fields(path, "kame_mip6.icmp.checksum.status", "kame_mip6.checksum.bad")
    assert [row[0] for row in got] == ["1", "0", "1", "0"]
    assert [bool(row[1]) for row in got] == [False, True, False, True]


def test_payload_behind_a_binding_update_is_dissected_with_its_checksum(tmp_path: Path) -> None:
    # home address and binding update in one header, then UDP
    update = bytes.fromhex("c608 8000 00 07 0000003c")
    head = bytes([17, 4, 1, 2, 0, 0, 0xC9, 16]) + inet6(HOA) + b"\1\0" + update + b"\1\2\0\0"
    udp = struct.pack(">HHHH", 1000, 2000, 12, 0) + b"data"
    summed = udp[:6] + struct.pack(">H", cksum(HOA, HA, 17, udp)) + udp[8:]
    path = capture(tmp_path, ip6(60, head + summed))
    names = ("udp.checksum.status", "kame_mip6.bu.seq", "kame_mip6.hoa", "_ws.col.Info")
    [[status, seq, hoa, info]] = fields(path, *names)
    assert (status, seq, hoa) == ("1", "7", HOA)
    assert info.startswith("Binding Update seq=7 A life=60, ")
    assert info.endswith("Len=4")


def test_multicast_router_discovery_stays_what_it_is(tmp_path: Path) -> None:
    everyone = "ff02::6a"
    messages = [
        icmp6(151, b"\0\x14\0\2", COA, everyone),
        icmp6(152, b"", COA, everyone),
        icmp6(153, b"", COA, everyone),
    ]
    path = capture(tmp_path, *(ip6(58, m, dst=everyone) for m in messages))
    assert [row[0] for row in fields(path, "icmpv6.type")] == ["151", "152", "153"]


def test_draft_packets_cut_or_damaged_anywhere_cause_no_script_error(tmp_path: Path) -> None:
    packets = [bytes.fromhex(h) for h, (name, _) in vectors().items() if name in (*D15, *D13)]
    cut = [p[:n] for p in packets for n in range(40, len(p), 3)]
    grown = [p[:i] + b"\xff" + p[i + 1 :] for p in packets for i in range(40, len(p), 2)]
    path = capture(tmp_path, *cut, *grown)
    for dialect in ("draft-15", "draft-13"):
        out = tshark(path, "-V", dialect=dialect)
        assert "Lua Error" not in out
        assert out.count("\nFrame ") + 1 == len(cut) + len(grown)


def test_a_length_that_does_not_fit_is_reported(tmp_path: Path) -> None:
    short = bytes([59, 1]) + bytes.fromhex("c604 8000 0007") + b"\1\6" + b"\0" * 6
    long = bytes([59, 1]) + bytes.fromhex("c6f0 8000 0007 0000003c") + b"\1\2\0\0"
    sub = bytes([59, 1]) + bytes.fromhex("c60b 8000 0007 0000003c 0209 00") + b"\0"
    path = capture(tmp_path, ip6(60, short), ip6(60, long), ip6(60, sub))
    got = fields(path, "kame_mip6.length.bad", "ipv6.opt.type")
    assert [bool(row[0]) for row in got] == [True, False, True]
    assert got[1][1] != ""  # no whole option of ours: the built-in dissector reports it


OTHERS = [
    p
    for pattern in (
        "captures/generated-rfc6275.pcap",
        "captures/umip-*.pcap",
        "captures/scapy*.pcap",
        "captures/linux-ipsec/hao*.pcap",
        "captures/zeek/ip*.pcap",
        "fuzz/*.pcap",
    )
    for p in support.data_files(pattern)
]


def test_everything_else_is_dissected_as_without_the_script(tmp_path: Path) -> None:
    support.data_dir()
    assert len(OTHERS) > 50
    path = tmp_path / "others.pcapng"
    done = support.run(support.needs_tool("mergecap"), "-a", "-w", path, *OTHERS)
    assert done.returncode == 0, done.stderr
    layers = re.compile(r"^ *\[Protocols in frame: .*\n", re.MULTILINE)
    with_script = layers.sub("", tshark(path, "-V")).splitlines()
    without = layers.sub("", tshark(path, "-V", script=False)).splitlines()
    differing = [n for n, (a, b) in enumerate(zip(with_script, without, strict=False)) if a != b]
    assert not differing, (with_script[differing[0]], without[differing[0]])
    assert len(with_script) == len(without)
