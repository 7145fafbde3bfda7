# SPDX-License-Identifier: BSD-3-Clause
"""The columns of a batch are what the walker of the slow path finds, whatever the packets hold."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (
    HAO,
    HBHOptUnknown,
    ICMPv6EchoRequest,
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    MIP6MH_HoTI,
    RouterAlert,
)
from scapy.layers.ipsec import AH, ESP
from scapy.packet import Packet, Raw

from kame_py.fast import batch as b
from kame_py.fast.annotate import annotate
from kame_py.wire.pcapfmt import (
    LINKTYPE_ETHERNET,
    LINKTYPE_IPV6,
    LINKTYPE_LINUX_SLL,
    LINKTYPE_LINUX_SLL2,
    LINKTYPE_LOOP,
    LINKTYPE_NULL,
    LINKTYPE_RAW,
)
from tests.differential.batches import (
    Told,
    batch_of,
    capture_files,
    differences,
    frames_of,
    mutated,
    synthetic,
    told_slowly,
)
from tests.support import PROJECT_ROOT

ETHER = bytes(12) + b"\x86\xdd"
LINKS = {
    LINKTYPE_ETHERNET: ETHER,
    LINKTYPE_LINUX_SLL: bytes(14) + b"\x86\xdd",
    LINKTYPE_LINUX_SLL2: b"\x86\xdd" + bytes(18),
    LINKTYPE_NULL: b"\x18\0\0\0",
    LINKTYPE_LOOP: b"\0\0\0\x18",
    LINKTYPE_RAW: b"",
    LINKTYPE_IPV6: b"",
    9999: b"",
}
A, B, HOME = "2001:db8::a", "2001:db8::b", "2001:db8:1::1"
HOME_OPTION = IPv6ExtHdrDestOpt(options=[HAO(hoa=HOME)])  # the only option, or scapy errs
IP6 = IPv6(src=A, dst=B)


def judged(packet: Packet | bytes, verify: bool = True) -> tuple[set[str], str, b.Batch]:
    """Names of the flags of a packet and of its reason; both judges agree."""
    batch = batch_of([ETHER + bytes(packet)])
    assert differences(batch, LINKTYPE_ETHERNET, verify) == []
    annotate(batch, LINKTYPE_ETHERNET, verify)
    flags = int(batch.flags[0])
    names = {name for name, bit in vars(b).items() if name.startswith("F_") and flags & bit}
    return names - {"F_PUNT"}, b.PUNT_NAMES[batch.why[0]] if "F_PUNT" in names else "", batch


GOOD = {"F_IP6", "F_SUMMED", "F_SUMOK"}
KINDS = {
    "TCP": (IP6 / TCP() / b"abc", GOOD, ""),
    "UDP": (IP6 / UDP() / b"abcd", GOOD, ""),
    "echo": (IP6 / ICMPv6EchoRequest(), GOOD, ""),
    "tunnel": (IP6 / IPv6() / UDP(), {"F_IP6", "F_TUNNEL"}, ""),
    "home": (IP6 / HOME_OPTION / UDP() / b"x", GOOD | {"F_HAO", "F_DSTOPT"}, ""),
    "type 2": (
        IP6 / IPv6ExtHdrRouting(type=2, addresses=[HOME]) / TCP(),
        GOOD | {"F_RTHDR"},
        "",
    ),
    "type 0": (
        IP6 / IPv6ExtHdrRouting(addresses=[HOME]) / TCP(),
        GOOD | {"F_RTHDR"},
        "routing header",
    ),
    "AH": (
        IP6 / AH(nh=6, payloadlen=4, spi=1, icv=bytes(12)) / bytes(IP6 / TCP())[40:],
        {"F_AH"} | GOOD,
        "",
    ),
    "ESP": (IP6 / ESP(spi=1, data=bytes(20)), {"F_IP6", "F_ESP"}, ""),
    "alert": (
        IP6 / IPv6ExtHdrHopByHop(options=[RouterAlert()]) / UDP(),
        GOOD | {"F_HBH"},
        "hop-by-hop options",
    ),
    "fragment": (IP6 / IPv6ExtHdrFragment(m=1) / UDP(), {"F_IP6", "F_FRAG"}, "fragment"),
    "solicitation": (IP6 / ICMPv6ND_NS(tgt=HOME), GOOD, "neighbour discovery"),
    "mobility": (IP6 / MIP6MH_HoTI(), GOOD, "binding update"),
    "group": (IPv6(src=A, dst="ff0e::1") / UDP(), GOOD | {"F_MCAST"}, "multicast"),
    "link-local": (IPv6(src="fe80::1", dst=B) / UDP(), GOOD, "unusual address"),
    "wrong sum": (IP6 / TCP(chksum=1), {"F_IP6", "F_SUMMED"}, "bad checksum"),
    "no sum": (IP6 / UDP(chksum=0), {"F_IP6", "F_SUMMED"}, "bad checksum"),
    "long UDP": (IP6 / UDP(len=9), {"F_IP6"}, "short"),
    "trailer": (IPv6(src=A, dst=B, plen=20, nh=99) / bytes(25), {"F_IP6", "F_EXTRA"}, ""),
    "IPv4": (IP() / UDP() / bytes(20), set(), "not IPv6"),
    "cut": (bytes(IP6 / UDP() / b"abc")[:-1], set(), "short"),
    "jumbo": (IPv6(src=A, dst=B, plen=0, nh=0) / bytes(16), set(), "jumbogram"),
    "unknown option": (
        IP6 / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x8B, optdata=bytes(16))]) / UDP(),
        GOOD | {"F_DSTOPT"},
        "unusual option",
    ),
    "home behind route": (
        IP6 / HOME_OPTION / IPv6ExtHdrRouting(type=2, addresses=[B]) / UDP(),
        GOOD | {"F_HAO", "F_DSTOPT", "F_RTHDR"},
        "mixed features",
    ),
    "cut header": (IP6 / IPv6ExtHdrDestOpt(len=9), {"F_IP6"}, "unusual header"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_packet_is(kind: str) -> None:
    packet, flags, why = KINDS[kind]
    assert judged(packet)[:2] == (flags, why)
    assert judged(packet, verify=False)[0] == flags - {"F_SUMMED", "F_SUMOK"}


def test_where_things_are() -> None:
    route = IPv6ExtHdrRouting(type=2, addresses=[HOME])
    _, _, batch = judged(
        IP6 / route / HOME_OPTION / AH(nh=17, payloadlen=4, spi=1, icv=bytes(12)) / UDP()
    )
    assert int(batch.l3[0]) == len(ETHER)
    assert int(batch.rthdr[0]) == 40
    assert int(batch.hao[0]) == 40 + 24 + 8
    assert int(batch.ipsec[0]) == 40 + 24 + 24
    assert int(batch.upper[0]) == 40 + 24 + 24 + 24
    assert int(batch.nxt[0]) == 17


def test_a_home_address_comes_once() -> None:
    packet = IP6 / HOME_OPTION / HOME_OPTION / UDP()
    assert judged(packet)[:2] == ({"F_IP6", "F_HAO", "F_DSTOPT"}, "unusual option")


@pytest.mark.parametrize("path", capture_files())
def test_packets_of_captures_and_what_chance_makes_of_them(path: str) -> None:
    rng = np.random.default_rng(len(path))
    for linktype, frames in frames_of(path):
        for verify in (True, False):
            assert differences(batch_of(frames), linktype, verify) == []
        assert differences(batch_of(mutated(frames[:100], rng, 20)), linktype, True) == []


@pytest.mark.parametrize("linktype", LINKS)
def test_every_link_type(linktype: int) -> None:
    rng = np.random.default_rng(linktype)
    frames = [LINKS[linktype] + bytes(packet) for packet, _, _ in KINDS.values()]
    frames += [frame[:end] for frame in frames for end in range(24)]
    frames += [bytes(octets) for octets in rng.integers(0, 256, (2000, 4), np.uint8)]
    frames += mutated(frames, rng, 20)
    assert differences(batch_of(frames), linktype, True) == []


CHAIN = st.lists(
    st.tuples(
        st.sampled_from([0, 43, 44, 50, 51, 60, 6, 17, 41, 58, 59, 135]),
        st.one_of(
            st.binary(max_size=40),
            st.lists(
                st.sampled_from([b"\0", b"\1\0", b"\1\2ab", b"\xc9\x10" + bytes(15) + b"\2"])
                | st.sampled_from([b"\xc6\x02ab", b"\7\0", b"\5\2\0\0", b"\xc2\4abcd"]),
                max_size=4,
            ).map(b"".join),
        ),
        st.booleans(),
    ),
    max_size=6,
)


@given(CHAIN, st.binary(max_size=60), st.integers(-3, 3), st.booleans())
def test_chains_of_any_headers(
    chain: list[tuple[int, bytes, bool]], rest: bytes, more: int, verify: bool
) -> None:
    data, nxt = rest, 17
    for kind, body, fits in reversed(chain):
        body += bytes(-(len(body) + 2) % 8)
        size = (len(body) + 2) // 8 - 1 if kind != 51 else (len(body) + 2) // 4 - 2
        data = bytes((nxt, size % 256 if fits else len(body) % 7)) + body + data
        nxt = kind
    head = bytes(IPv6(src=A, dst=B, nh=nxt, plen=max(0, len(data) + more)))
    assert differences(batch_of([ETHER + head + data]), LINKTYPE_ETHERNET, verify) == []


@pytest.mark.parametrize("count", [49, 50, 51])
def test_fifty_headers_are_the_limit(count: int) -> None:
    data = b"".join(bytes((60,)) + b"\0\1\4\0\0\0\0" for _ in range(count - 1))
    data += bytes((17,)) + b"\0\1\4\0\0\0\0"
    packet = IPv6(src=A, dst=B, nh=60) / Raw(data + bytes(8))
    assert judged(packet)[1] == ("unusual header" if count > 50 else "short")


def test_more_than_a_column_of_offsets_holds() -> None:
    head = bytes(IPv6(src=A, dst=B, nh=60, plen=65535))
    assert judged(head + bytes(65535))[1] == "too big"


def test_frames_outside_the_arena_are_punted() -> None:
    batch = batch_of([ETHER + bytes(IP6 / UDP())] * 3)
    batch.off[0], batch.caplen[1] = -1, len(batch.arena)
    assert differences(batch, LINKTYPE_ETHERNET, True) == []
    annotate(batch, LINKTYPE_ETHERNET, True)
    assert [b.PUNT_NAMES[why] for why in batch.why[:3]] == ["link layer", "link layer", ""]
    batch.n = len(batch.off) + 1
    with pytest.raises(ValueError, match="4 packets in 3 rows"):
        annotate(batch, LINKTYPE_ETHERNET, True)


def test_traffic_of_the_benchmarks_is_good() -> None:
    told = told_slowly(io.BytesIO(synthetic(4000)))
    assert isinstance(told, Told)
    batch = batch_of([record.data for record in told.records])
    assert differences(batch, LINKTYPE_ETHERNET, True) == []
    annotate(batch, LINKTYPE_ETHERNET, True)
    assert not np.any((batch.flags & b.F_SUMMED != 0) & (batch.flags & b.F_SUMOK == 0))
    assert np.all(batch.flags & b.F_IP6)


WITHOUT = "import sys; sys.modules['numba'] = None; "
RUN = "from tests.differential.batches import main; main()"


NUMBA = find_spec("numba") is not None
CUT = [("avx2", RUN, "avx2"), ("plain", RUN, "plain")] if NUMBA else []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wish", "code", "cpu"),
    [
        *CUT,
        ("none", RUN, "none"),
        ("", WITHOUT + RUN, "none"),
    ],
)
def test_processors_with_less_and_no_numba_at_all(wish: str, code: str, cpu: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KAME_CPU": wish},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == cpu
