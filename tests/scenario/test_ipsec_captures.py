# SPDX-License-Identifier: BSD-3-Clause
"""AH and ESP made by a Linux kernel, replayed to a node that setkey gave the same keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from kame_py.cli.main import main
from kame_py.kern.mbuf import Mbuf
from kame_py.replay.pcap import open_capture
from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_HOPOPTS,
    IPPROTO_ROUTING,
)
from kame_py.wire.ip6ext import walk
from tests.support import data_dir
from tests.unit.netinet6.ip6_node import addr
from tests.unit.netkey.ipsec_node import (
    AES,
    AH,
    BLOWFISH,
    DES,
    DES3,
    ESP,
    IN,
    MD5,
    NULL,
    SHA1,
    SHA256,
    TUNNEL,
    USE,
    IpsecNode,
    request,
)

A, B, HOME = "2001:db8:a::1", "2001:db8:a::2", "2001:db8:1::1234"
K16, K20, K32 = bytes(range(16)), bytes(range(20)), bytes(range(32))
K_DES = bytes.fromhex("0123456789abcdef")
K_3DES = bytes.fromhex("0123456789abcdeffedcba98765432100f1e2d3c4b5a6978")
_A20 = f"-A hmac-sha1 0x{K20.hex()}"
_A16 = f"-A hmac-md5 0x{K16.hex()}"

#: Capture -> what KEYS.txt says of it, as setkey wants it.
SETKEY: Final = {
    "ah-sha1-96": f"add {A} {B} ah 0x1001 {_A20};",
    "ah-md5-96": f"add {A} {B} ah 0x1002 {_A16};",
    "ah-sha256-128": f"add {A} {B} ah 0x1003 -A hmac-sha2-256 0x{K32.hex()};",
    "esp-3des-sha1": f"add {A} {B} esp 0x2001 -E 3des-cbc 0x{K_3DES.hex()} {_A20};",
    "esp-des-md5": f"add {A} {B} esp 0x2002 -E des-cbc 0x{K_DES.hex()} {_A16};",
    "esp-null-sha1": f"add {A} {B} esp 0x2005 -E simple {_A20};",
    "esp-blowfish-sha1": f"add {A} {B} esp 0x2007 -E blowfish-cbc 0x{K16.hex()} {_A20};",
    "ah-esp-bundle": f"add {A} {B} ah 0x1021 {_A20};\n"
    f"add {A} {B} esp 0x2021 -E rijndael-cbc 0x{K16.hex()} {_A20};",
    "ah-sha1-tunnel": f"add {A} {B} ah 0x1031 -m tunnel {_A20};\n"
    f"spdadd {HOME} {B} any -P in ipsec ah/tunnel/{A}-{B}/use;",
    "hao-ah": f"add {HOME} {B} ah 0x1041 {_A20};\nadd {B} {HOME} ah 0x1042 {_A20};",
}
#: (protocol, SPI, authentication, key, cipher, key) of the same
SAS: Final = (
    (AH, 0x1001, SHA1, K20, 0, b""),
    (AH, 0x1002, MD5, K16, 0, b""),
    (AH, 0x1003, SHA256, K32, 0, b""),
    (ESP, 0x2001, SHA1, K20, DES3, K_3DES),
    (ESP, 0x2002, MD5, K16, DES, K_DES),
    (ESP, 0x2005, SHA1, K20, NULL, b""),
    (ESP, 0x2007, SHA1, K20, BLOWFISH, K16),
    (AH, 0x1021, SHA1, K20, 0, b""),
    (ESP, 0x2021, SHA1, K20, AES, K16),
)
#: Protected packets to the node; the last one of each has a type 2 routing header and is refused.
PROTECTED: Final = {"ah-sha1-tunnel": 10, "hao-ah": 11}
OPTIONS: Final = "MIP6,IPSEC,IPSEC_ESP"


def capture(name: str) -> Path:
    return data_dir() / "captures" / "linux-ipsec" / f"{name}.pcap"


def replayed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report and the verdicts."""
    (tmp_path / "ipsec.conf").write_text(keys)
    rc = tmp_path / "rc"
    rc.write_text(f"ifconfig fxp0 inet6 {B} prefixlen 64 alias\nsetkey -f ipsec.conf\n")
    verdicts = tmp_path / "verdicts"
    argv = ["--rc", rc, "--options", OPTIONS, "--as", B, "--verdicts", verdicts, capture(name)]
    assert main(["replay", "--json", *map(str, argv)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["problems"] == []
    return report, [json.loads(line) for line in verdicts.read_text().splitlines()]


def protected_packets(name: str) -> list[tuple[int, bytes]]:
    """(number, packet) of what goes to the node by AH or ESP."""
    found = []
    with capture(name).open("rb") as f:
        for record in open_capture(f):
            packet = record.data[14:]
            chain = walk(packet, packet[6], 40, len(packet))
            types = {ext.nxt_type for ext in chain.headers} | {chain.nxt}
            if packet[24:40] == addr(B) and types & {IPPROTO_AH, IPPROTO_ESP}:
                found.append((record.n, packet))
    return found


@pytest.mark.parametrize("name", sorted(SETKEY))
def test_every_protected_packet_is_accepted(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packets = protected_packets(name)
    assert len(packets) == PROTECTED.get(name, 10)
    report, verdicts = replayed(name, tmp_path, capsys, SETKEY[name])
    assert not any(why.startswith(("AH_", "ESP_", "IPSEC_")) for why in report["drops"])
    reasons = {v["n"]: v.get("reason") for v in verdicts}
    ends = [reasons[n] for n, _ in packets]
    rthdr = [n for n, packet in packets if IPPROTO_ROUTING in kinds(packet)]
    # the ping is answered, datagrams find no socket, type 2 routing headers are not served
    assert ends.count("ROUTE6_TYPE") == 1
    assert set(ends) == {None, "UDP6_NOPORT", "ROUTE6_TYPE"}
    good = len(packets) - len(rthdr)
    layers = 2 if name == "ah-esp-bundle" else 1
    assert report["counters"]["ipsec6.in_success"] == good * layers


def kinds(packet: bytes) -> set[int]:
    """Extension headers in front of AH or ESP."""
    return {ext.nxt_type for ext in walk(packet, packet[6], 40, len(packet)).headers}


@pytest.mark.parametrize("name", sorted(SETKEY))
def test_with_a_wrong_key_none_is(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = SETKEY[name].replace("0001020304", "0001020305")
    report, _ = replayed(name, tmp_path, capsys, wrong)
    why = "ESP_BADICV" if name.startswith("esp") else "AH_BADICV"
    assert report["drops"][why] >= 9
    assert "ipsec6.in_success" not in report["counters"]


def keyed() -> IpsecNode:
    node = IpsecNode(*OPTIONS.split(","))
    node.have(addr(B))
    for proto, spi, auth, key, enc, enckey in SAS:
        node.sa(proto, spi, auth, key, enc, enckey, src=addr(A), dst=addr(B))
    node.sa(AH, 0x1031, SHA1, K20, src=addr(A), dst=addr(B), mode=TUNNEL)
    node.sa(AH, 0x1041, SHA1, K20, src=addr(HOME), dst=addr(B))
    node.policy(IN, request(AH, TUNNEL, USE, addr(A), addr(B)), src=HOME, dst=B)
    return node


def reason(m: Mbuf) -> str:
    return m.reason.name if m.reason is not None else ""


def classes(packet: bytes) -> dict[str, int]:
    """One octet of each class that AH covers, or ESP."""
    chain = walk(packet, packet[6], 40, len(packet))
    found: dict[str, int] = {}
    for ext in chain.headers:
        if ext.nxt_type in (IPPROTO_HOPOPTS, IPPROTO_DSTOPTS):
            kind = packet[ext.off + 2]
            found[f"option 0x{kind:x} data"] = ext.off + 5
        if ext.nxt_type == IPPROTO_AH:
            found["source"] = 8 + 15
            found |= {"ah reserved": ext.off + 2, "ah sequence": ext.off + 11}
            found |= {"ah icv": ext.off + 12, "payload": ext.off + ext.len}
            break
    else:
        found = {"esp sequence": chain.off + 7, "esp body": chain.off + 20}
    found["last octet"] = len(packet) - 1
    return found


@pytest.mark.parametrize("name", sorted(SETKEY))
def test_a_flipped_bit_in_anything_covered_is_noticed(name: str) -> None:
    node = keyed()
    tried: set[str] = set()
    for _, packet in protected_packets(name):
        if IPPROTO_ROUTING in kinds(packet):
            continue
        for what, off in classes(packet).items():
            if what in ("option 0xc9 data", "option 0x3e data"):
                continue
            changed = packet[:off] + bytes([packet[off] ^ 0x01]) + packet[off + 1 :]
            want = "ESP_BADICV" if name.startswith("esp") else "AH_BADICV"
            assert (what, reason(node.receive(changed))) == (what, want)
            tried.add(what)
    assert len(tried) >= 3


@pytest.mark.parametrize("name", ["ah-sha1-96", "ah-md5-96", "ah-sha256-128", "ah-esp-bundle"])
def test_what_may_change_on_the_way_is_not_covered(name: str) -> None:
    node = keyed()
    tried = set()
    for _, packet in protected_packets(name):
        if IPPROTO_ROUTING in kinds(packet):
            continue
        places = {"class": 0, "flow": 3, "hop limit": 7}
        places |= {k: v for k, v in classes(packet).items() if k == "option 0x3e data"}
        for what, off in places.items():
            changed = packet[:off] + bytes([packet[off] ^ 0x01]) + packet[off + 1 :]
            assert not reason(node.receive(changed)).startswith(("AH_", "ESP_"))
            tried.add(what)
    assert tried == {"class", "flow", "hop limit", "option 0x3e data"}


def test_the_home_address_option_is_covered_too() -> None:
    node = keyed()
    for _, packet in protected_packets("hao-ah"):
        if IPPROTO_ROUTING in kinds(packet):
            continue
        at = packet.index(addr(HOME))
        changed = packet[: at + 15] + bytes([packet[at + 15] ^ 1]) + packet[at + 16 :]
        assert reason(node.receive(changed)) == "AH_BADICV"
