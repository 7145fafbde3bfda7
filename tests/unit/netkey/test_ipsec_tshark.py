# SPDX-License-Identifier: BSD-3-Clause
"""tshark decrypts the ESP that a node sends, and finds its authentication data right."""

from __future__ import annotations

import struct
from pathlib import Path

from kame_py.kern.mbuf import m_get
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_ICMPV6
from tests.support import needs_tool, run
from tests.unit.netinet6.ip6_node import PEER1, US1, echo
from tests.unit.netkey.ipsec_node import (
    AES,
    AUTH_KEYS,
    BLOWFISH,
    CAST,
    DES,
    DES3,
    ESP,
    KEYS,
    MD5,
    NULL,
    OUT,
    SHA1,
    TRANSPORT,
    TUNNEL,
    IpsecNode,
    request,
)

LINKTYPE_RAW = 101
SHA256 = k.SADB_X_AALG_SHA2_256
CRYPT = {
    NULL: "NULL",
    DES: "DES-CBC [RFC2405]",
    DES3: "TripleDES-CBC [RFC2451]",
    AES: "AES-CBC [RFC3602]",
    CAST: "CAST5-CBC [RFC2144]",
    BLOWFISH: "BLOWFISH-CBC [RFC2451]",
}
AUTH = {
    MD5: "HMAC-MD5-96 [RFC2403]",
    SHA1: "HMAC-SHA-1-96 [RFC2404]",
    SHA256: "HMAC-SHA-256-128 [RFC4868]",
}


def captured(packets: list[bytes], path: Path) -> Path:
    """A capture of these packets, without link-layer headers."""
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_RAW)
    for n, packet in enumerate(packets):
        octets += struct.pack("<IIII", n, 0, len(packet), len(packet)) + packet
    path.write_bytes(octets)
    return path


COMBINATIONS = [
    (enc, auth, mode)
    for enc, auth in (
        (NULL, SHA1),
        (DES, MD5),
        (DES3, SHA1),
        (AES, SHA256),
        (AES, SHA1),
        (CAST, MD5),
        (BLOWFISH, SHA1),
    )
    for mode in (TRANSPORT, TUNNEL)
]


def pinged(spi: int, enc: int, auth: int, mode: int) -> list[bytes]:
    """Two pings that a node protects."""
    node = IpsecNode()
    node.sa(ESP, spi, auth, enc=enc, enckey=KEYS[enc], src=US1, dst=PEER1, mode=mode)
    ends = (US1, PEER1) if mode == TUNNEL else (None, None)
    node.policy(OUT, request(ESP, mode, src=ends[0], dst=ends[1]))
    for _ in range(2):
        message = echo(US1, PEER1, b"kame-py")
        m = m_get(node.kern, ip6_pkt(US1, PEER1, IPPROTO_ICMPV6, message, 64))
        m.src, m.dst = US1, PEER1
        assert ip6_output(node.kern, m) == 0
    return [packet for _, packet in node.sent()]


def preference(spi: int, enc: int, auth: int) -> str:
    """The row of tshark's table of associations."""
    enckey = "0x" + KEYS[enc].hex() if KEYS[enc] else ""
    authkey = "0x" + AUTH_KEYS[auth].hex()
    row = ("IPv6", "2001:db8:1::1", "2001:db8:1::9", f"0x{spi:08x}")
    row += (CRYPT[enc], enckey, AUTH[auth], authkey)
    return "uat:esp_sa:" + ",".join(f'"{column}"' for column in row)


def test_tshark_sees_the_pings_inside(tmp_path: Path) -> None:
    tshark = needs_tool("tshark")
    packets: list[bytes] = []
    argv = ["-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE"]
    want = []
    for spi, (enc, auth, mode) in enumerate(COMBINATIONS, 0x2000):
        packets += pinged(spi, enc, auth, mode)
        argv += ["-o", preference(spi, enc, auth)]
        want += [f"128\t1\t1\t0x{spi:08x}\t{seq}\t" for seq in (1, 2)]
    fields = ("icmpv6.type", "icmpv6.checksum.status", "esp.icv_good", "esp.spi", "esp.sequence")
    for field in (*fields, "_ws.malformed"):
        argv += ["-e", field]
    capture = captured(packets, tmp_path / "esp.pcap")
    done = run(tshark, "-n", "-r", capture, "-T", "fields", *argv)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == want
