# SPDX-License-Identifier: BSD-3-Clause
"""A replay in bulk is the replay one by one: octets, verdicts, and every number in the kernel."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kame_py.kern.conf import KernConf
from kame_py.replay.pcap import LINKTYPE_RAW
from kame_py.replay.pcapng import PcapngWriter
from kame_py.replay.runner import Fast, ReplayOptions, replay
from kame_py.wire.in6addr import ether_multicast
from tests.differential.home import (
    CN,
    FAR,
    HA,
    MAC,
    NEIGHBOUR,
    NS,
    OPTIONS,
    OTHER_MAC,
    RC,
    ROUTER,
    ROUTER_MAC,
    START_NS,
    Node,
    capture,
    compared,
    frame,
    rc,
)
from tests.differential.snapshot import differences, snapshot
from tests.scenario.mip6words import bu
from tests.scenario.words import (
    addr,
    echo,
    error,
    ext,
    group_of,
    icmp6,
    ip6,
    na,
    ns,
    ra,
    sll,
    tll,
    udp,
)
from tests.support import PROJECT_ROOT

np = pytest.importorskip("numpy")
pytest.importorskip("kame_py.fast.kernels")

MS: Final = 10**6
TUNNEL: Final = 41
ARP: Final = 0x0806
BROADCAST: Final = b"\xff" * 6
STRANGE_GROUP: Final = bytes.fromhex("3333deadbeef")
HOST_RC: Final = f"ifconfig fxp0 inet6 {HA} prefixlen 64 alias\n"
ROUTER_RC: Final = "sysctl -w net.inet6.ip6.forwarding=1\n" + HOST_RC
PLAIN: Final = KernConf()
PROTECTED: Final = KernConf(frozenset({"MIP6", "IPSEC"}))


def hoa(i: int) -> str:
    return f"2001:db8:1::{0x100 + i:x}"


def coa(i: int) -> str:
    return f"2001:db8:7::{i:x}"


def register(i: int, seq: int = 1, lifetime: int = 600, at: int | None = None) -> bytes:
    where = coa(i if at is None else at)
    return frame(bu(where, HA, hoa(i), seq=seq, lifetime=lifetime, flags="AHS"))


def inside(i: int, packet: bytes) -> bytes:
    """Out of the tunnel of mobile node ``i``."""
    return frame(ip6(coa(i), HA, packet, TUNNEL))


def group(text: str) -> bytes:
    """The solicited-node group of an address."""
    return addr(group_of(text))


def timed(frames: Sequence[bytes], gap_ns: int = MS) -> list[tuple[int, bytes]]:
    return [(i * gap_ns, data) for i, data in enumerate(frames)]


REGISTERED: Final = [register(i) for i in range(4)]

#: What is handled in bulk: the frames of which each but the first must be.
CLASSES: Final[dict[str, list[bytes]]] = {
    "to a mobile node": [frame(udp(CN, hoa(0)))] * 3,
    "to mobile nodes, of every size": [
        frame(udp(CN, hoa(i % 4), bytes(i))) for i in range(0, 1400, 61)
    ],
    "as large as the tunnel takes": [frame(udp(CN, hoa(0), bytes(1500 - 40 - 48)))] * 3,
    "as large as the link takes": [frame(udp(CN, FAR, bytes(1500 - 48)))] * 3,
    "by the default router": [frame(udp(CN, FAR))] * 3,
    "to a neighbour": [frame(udp(CN, NEIGHBOUR))] * 3,
    "from a mobile node": [inside(1, udp(hoa(1), CN))] * 3,
    "from a mobile node to a neighbour": [inside(1, udp(hoa(1), NEIGHBOUR))] * 3,
    "between mobile nodes": [inside(1, udp(hoa(1), hoa(2)))] * 3,
    "a ping": [frame(echo(CN, HA, bytes(range(n, 2 * n)))) for n in (0, 1, 2, 3, 4, 5, 50, 61)] * 2,
    "pings of every checksum": [
        frame(echo(CN, HA, n.to_bytes(2, "big"))) for n in range(0, 1 << 16, 251)
    ],
    "a ping of a neighbour": [frame(echo(NEIGHBOUR, HA), OTHER_MAC)] * 3,
    "a ping at the end of its way": [frame(echo(CN, HA, hlim=1))] * 3,
    "to another station": [frame(udp(CN, FAR), dst=OTHER_MAC)] * 3,
    "from the node itself": [frame(udp(HA, FAR), src=MAC, dst=ROUTER_MAC)] * 3,
    "to a strange group": [frame(udp(CN, "ff02::99"), dst=STRANGE_GROUP)] * 3,
    "ARP to all": [frame(b"arp", dst=BROADCAST, kind=ARP)] * 3,
    "ARP to the node": [frame(b"arp", kind=ARP)] * 3,
    "padded": [frame(udp(CN, hoa(0), b"") + bytes(20))] * 3,
    "no payload": [frame(ip6(CN, hoa(0)))] * 3,
    "fragments": [frame(ip6(CN, hoa(0), bytes.fromhex("3b00000100000001") + bytes(8), 44))] * 3,
    "hop limit 2": [frame(udp(CN, FAR, hlim=2)), frame(udp(CN, hoa(0), hlim=2))] * 2,
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_packet_in_bulk_counts_whatever_the_slow_path_counts(name: str) -> None:
    frames = CLASSES[name]
    result = compared(capture(timed([*REGISTERED, *frames])))
    assert result.in_bulk >= len(frames)


#: Never in bulk, though much like the above.
ODD: Final[dict[str, bytes]] = {
    "hop limit 1": frame(udp(CN, hoa(0), hlim=1)),
    "hop limit 0": frame(udp(CN, FAR, hlim=0)),
    "too big for the tunnel": frame(udp(CN, hoa(0), bytes(1500 - 48 - 39))),
    "too big for the link": frame(udp(CN, FAR, bytes(1500 - 47))),
    "solicitation of a mobile node": frame(
        ns(hoa(0), NEIGHBOUR, sll(OTHER_MAC), dst=hoa(0)), OTHER_MAC
    ),
    "neighbour that needs a redirect": frame(udp(NEIGHBOUR, FAR), OTHER_MAC),
    "source link-local": frame(udp("fe80::1", FAR)),
    "source unspecified": frame(udp("::", FAR)),
    "source mapped": frame(udp("::ffff:1.2.3.4", FAR)),
    "source a group": frame(udp("ff02::1", FAR)),
    "destination a group": frame(udp(CN, "ff05::1")),
    "destination link-local": frame(udp(CN, "fe80::9")),
    "destination the loopback": frame(udp(CN, "::1")),
    "destination here": frame(udp(CN, HA)),
    "destination unknown on the link": frame(udp(CN, "2001:db8:1::dead")),
    "hop-by-hop": frame(ip6(CN, FAR, ext(59, bytes(6)), 0)),
    "cut short": frame(udp(CN, FAR))[:-1],
    "cut in the header": frame(udp(CN, FAR))[:40],
    "runt": frame(b"")[:13],
    "version 5": frame(b"\x50" + udp(CN, FAR)[1:]),
    "to all, IPv6": frame(udp(CN, FAR), dst=BROADCAST),
    "out of another's tunnel": frame(ip6(coa(2), HA, udp(hoa(1), CN), TUNNEL)),
    "out of no tunnel": frame(ip6(coa(1), HA, udp(CN, FAR), TUNNEL)),
    "inside cut short": frame(ip6(coa(1), HA, udp(hoa(1), CN)[:-1], TUNNEL)),
    "inside too small": frame(ip6(coa(1), HA, bytes(39), TUNNEL)),
    "inside for a group": inside(1, udp(hoa(1), "ff05::1")),
    "inside for the home agent": inside(1, udp(hoa(1), HA)),
    "inside another tunnel": inside(1, ip6(hoa(1), HA, udp(hoa(1), CN), TUNNEL)),
    "inside a solicitation": inside(1, ns(CN, hoa(1), dst=CN)),
    "inside at its end": inside(1, udp(hoa(1), CN, hlim=1)),
    "echo with a wrong checksum": frame(echo(CN, HA))[:-1] + b"?",
    "echo too short": frame(icmp6(CN, HA, b"\x80\0\0\0\0\0\0")),
    "echo reply": frame(echo(CN, HA, reply=True)),
    "echo for a router's anycast": frame(echo(CN, "2001:db8:1::")),
    "echo of a stranger on the link": frame(echo("2001:db8:1::dead", HA)),
    "echo with options": frame(ip6(CN, HA, ext(58, bytes(6)) + echo(CN, HA)[40:], 60)),
    "echo of a mobile node at home": frame(echo(hoa(1), HA)),
    "forged, from here": frame(udp(HA, FAR)),
    "echo too long": frame(echo(CN, HA, bytes(1500 - 47))),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_packet_goes_the_slow_way(name: str) -> None:
    result = compared(capture(timed([*REGISTERED, *[ODD[name]] * 2])))
    assert result.in_bulk == 0


def test_packets_after_a_binding_is_gone_are_not_tunnelled() -> None:
    data = frame(udp(CN, hoa(0)))
    gone = register(0, seq=2, lifetime=0)
    moved = register(1, seq=2, at=77)
    frames = [*REGISTERED, data, data, gone, data, data, frame(udp(CN, hoa(1))), moved]
    compared(capture(timed([*frames, *[frame(udp(CN, hoa(1)))] * 3])))


def test_a_binding_ends_between_two_packets_of_a_run() -> None:
    """The tick at which it ends, one nanosecond before and at it."""
    data = frame(udp(CN, hoa(0)))
    start = [(0, register(0, lifetime=5)), (1, data), (2, data)]
    end = [(5 * NS + k * MS, data) for k in range(-20, 1500, 7)]
    result = compared(capture(start + end))
    assert result.in_bulk > 100


def test_a_neighbour_grows_stale_in_the_middle() -> None:
    text = RC.replace(f"ndp -s {ROUTER} 0:90:27:0:0:a1\n", "")
    data = frame(udp(CN, hoa(0)))
    answer = frame(na(ROUTER, "RSO", ROUTER, HA, tll(ROUTER_MAC)))
    other = frame(na(ROUTER, "RO", ROUTER, HA, tll(OTHER_MAC)))
    steps = [(0, register(0)), (MS, answer), (2 * MS, data), (3 * MS, answer)]
    steps += [(4 * MS + k * NS // 2, data) for k in range(200)]
    steps += [(steps[-1][0] + MS, other)]
    steps += [(steps[-1][0] + k * NS // 2, data) for k in range(1, 60)]
    result = compared(capture(steps), Node(text))
    assert result.in_bulk > 60
    assert result.punts["unresolved neighbour"]


def test_a_smaller_path_mtu_is_heeded() -> None:
    data = frame(udp(CN, hoa(0), bytes(1380)))
    quoted = ip6(HA, coa(0), udp(CN, hoa(0), bytes(1380)), TUNNEL)
    small = frame(error(ROUTER, HA, 2, 0, quoted, 1400))
    compared(capture(timed([register(0), data, data, small, data, data])))


def test_a_host_takes_no_packet_of_others() -> None:
    frames = [frame(udp(CN, FAR)), frame(udp(CN, HA)), frame(udp(CN, FAR)), *CLASSES["ARP to all"]]
    result = compared(capture(timed(frames * 3)), Node(HOST_RC, PLAIN))
    assert result.in_bulk >= 9


def test_a_router_without_mobility_forwards_in_bulk() -> None:
    text = ROUTER_RC + f"ndp -s {ROUTER} 0:90:27:0:0:a1\nroute add -inet6 default {ROUTER}\n"
    result = compared(
        capture(timed([frame(udp(CN, FAR)), frame(udp(CN, ROUTER))] * 5)), Node(text, PLAIN)
    )
    assert result.in_bulk >= 9  # the first one shows that there is more


def test_a_router_whose_policies_ask_for_ipsec_forwards_one_by_one() -> None:
    text = RC + f"setkey -c <<EOF\nspdadd {CN} {FAR} any -P out none;\nEOF\n"
    frames = timed([register(0), *[frame(udp(CN, FAR))] * 5])
    result = compared(capture(frames), Node(text, PROTECTED))
    assert result.in_bulk == 0
    assert result.punts == {"policy": 5}


def test_a_home_agent_with_ipsec_but_without_policies_works_in_bulk() -> None:
    frames = timed([*REGISTERED, *CLASSES["to a mobile node"]])
    assert compared(capture(frames), Node(RC, PROTECTED)).in_bulk


def test_links_without_addresses() -> None:
    text = RC.replace("ndp -s", "# ndp -s")
    packets = [data[len(frame(b"")) :] for data in (*REGISTERED, *CLASSES["to a mobile node"])]
    packets += [b"", b"\x45" + bytes(39), b"\x60", udp(CN, FAR), udp(CN, FAR)[:-1]]
    result = compared(capture(timed(packets), LINKTYPE_RAW), Node(text))
    assert result.in_bulk >= 3


def test_stamps_that_go_backwards_or_are_broken() -> None:
    data = frame(udp(CN, hoa(0)))
    stamps = [0, 5 * NS, 2 * NS, 700 * NS, 3, 701 * NS]
    compared(capture([(0, register(0)), *((t, data) for t in stamps)]))


def test_a_compressed_capture_and_one_that_is_cut_short() -> None:
    pcap = capture(timed([*REGISTERED, *CLASSES["to mobile nodes, of every size"]]))
    assert compared(gzip.compress(pcap)).in_bulk
    assert compared(pcap[:-7]).in_bulk
    assert compared(gzip.compress(pcap)[:-20]).error is not None


def test_packets_without_stamps_keep_the_one_before() -> None:
    """Simple Packet Blocks, read on by another reader than the one that saw the last stamp."""
    f = io.BytesIO()
    writer = PcapngWriter(f)
    writer.add_interface("fxp0")
    writer.write(0, START_NS, register(0))
    data = frame(udp(CN, hoa(0)))
    padded = data + bytes(-len(data) % 4)
    length = (16 + len(padded)).to_bytes(4, "little")
    block = b"\3\0\0\0" + length + len(data).to_bytes(4, "little") + padded + length
    assert compared(f.getvalue() + block * 3).in_bulk


def test_more_packets_than_a_batch_holds() -> None:
    frames = [*REGISTERED, *(frame(udp(CN, hoa(i % 5), bytes(i % 700))) for i in range(3000))]
    result = compared(capture(timed(frames)))
    assert result.in_bulk > 2300


def test_more_destinations_and_neighbours_than_the_first_tables_hold() -> None:
    near = [f"2001:db8:1::a:{i:x}" for i in range(150)]
    text = RC + "".join(f"ndp -s {addr} 2:0:0:0:0:{i:x}\n" for i, addr in enumerate(near))
    frames = [*REGISTERED]
    for i in range(1500):
        frames.append(frame(udp(CN, near[i % len(near)])))
        frames.append(frame(udp(CN, f"2001:db8:f::{i:x}")))
        if i % 400 == 7:
            frames.append(register(i // 400, seq=3, at=i))
            frames.append(frame(udp(CN, hoa(i // 400))))
    result = compared(capture(timed(frames)), Node(text))
    assert result.in_bulk > 2900


def test_a_home_agent_in_more_groups_than_the_kernels_compare() -> None:
    """Each registration joins one; frames to groups then go the slow way, ARP to all does not."""
    strange = CLASSES["to a strange group"][0]
    frames = []
    for i in range(60):
        frames += [register(i), frame(udp(CN, hoa(i))), strange, *CLASSES["ARP to all"][:1]]
    solicited = frame(
        ns(hoa(3), NEIGHBOUR, sll(OTHER_MAC)), OTHER_MAC, ether_multicast(group(hoa(3)))
    )
    result = compared(capture(timed([*frames, solicited, strange])))
    assert result.in_bulk >= 120
    assert result.punts["multicast"] > 20


def test_a_mobile_node_at_another_ones_home_address_is_not_tunnelled_to_in_bulk() -> None:
    """A care-of address that becomes a home address, and one that was one before."""
    data = [frame(udp(CN, hoa(0))), frame(udp(CN, hoa(1)))]
    nested = frame(bu(hoa(1), HA, hoa(0), seq=9, lifetime=600, flags="AHS"))
    frames = [register(0), *data, nested, *data, register(1), *data, register(1, 2, 0), *data]
    compared(capture(timed(frames)))


def test_a_care_of_address_that_gets_a_binding_of_its_own_is_old() -> None:
    """Packets into the tunnel that leads there take a routing header from then on."""
    data = [frame(udp(CN, hoa(0)))] * 3
    moved = frame(bu(coa(5), HA, coa(0), seq=1, lifetime=600, flags="A"))
    result = compared(capture(timed([register(0), *data, moved, *data])))
    assert result.in_bulk >= 3


def test_without_a_wish_for_output_the_counts_are_the_same() -> None:
    pcap = capture(timed([*REGISTERED, *CLASSES["to mobile nodes, of every size"]]))
    runs = [
        replay(io.BytesIO(pcap), ReplayOptions(KernConf(OPTIONS), rc(RC), lladdr=MAC, fast=fast))
        for fast in (Fast.OFF, Fast.ON)
    ]
    slow, fast = (snapshot(run.kern) for run in runs)
    assert differences(slow, fast) == {}
    assert runs[0].replies == runs[1].replies
    assert runs[1].in_bulk


def test_packets_that_are_explained_go_one_by_one() -> None:
    """Those of their batch, at least; how many that are depends on the reader."""
    pcap = capture(timed([*REGISTERED, *CLASSES["to a mobile node"]]))
    options = ReplayOptions(KernConf(OPTIONS), rc(RC), lladdr=MAC, fast=Fast.ON, trace=[5, 6, 7])
    fast = replay(io.BytesIO(pcap), options)
    slow = replay(io.BytesIO(pcap), replace(options, fast=Fast.OFF))
    assert any("mip6_tunnel_output" in line for line in fast.traces[6])
    assert fast.traces == slow.traces
    assert fast.in_bulk <= len(REGISTERED)


def test_a_short_capture_is_not_worth_compiled_kernels() -> None:
    pcap = capture(timed([*REGISTERED, *CLASSES["to a mobile node"]]))
    result = replay(io.BytesIO(pcap), ReplayOptions(KernConf(OPTIONS), rc(RC), lladdr=MAC))
    assert result.in_bulk == 0


# -- sequences that nobody thought of -------------------------------------------------------------

_NODE: Final = st.integers(0, 3)
_SEQ: Final = st.integers(1, 6)
_STEPS: Final = st.one_of(
    st.sampled_from([data for frames in CLASSES.values() for data in frames[:2]]),
    st.sampled_from(list(ODD.values())),
    st.builds(register, _NODE, _SEQ, st.sampled_from([0, 2, 4, 600]), st.one_of(st.none(), _NODE)),
    st.builds(lambda i: frame(udp(CN, hoa(i))), _NODE),
    st.builds(lambda i, k: inside(i, udp(hoa(k), CN)), _NODE, _NODE),
    st.builds(
        lambda flags, mac: frame(na(ROUTER, flags, ROUTER, HA, tll(mac))),
        st.sampled_from(["RSO", "RO", "RS", "R", "S"]),
        st.sampled_from([ROUTER_MAC, OTHER_MAC]),
    ),
    st.builds(
        lambda life: frame(ra("fe80::a1", sll(ROUTER_MAC), lifetime=life)), st.integers(0, 3)
    ),
    st.builds(lambda i: frame(echo(coa(i), HA)), _NODE),
    st.builds(lambda data: frame(echo(CN, HA, data)), st.binary(max_size=70)),
    st.builds(lambda i, seq: frame(bu(coa(i), HA, CN, seq, 600, "A")), _NODE, _SEQ),
)
_GAPS: Final = st.sampled_from([0, 1, MS, NS // 3, NS, 3 * NS, 40 * NS])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(st.tuples(_GAPS, st.lists(_STEPS, min_size=1, max_size=6)), max_size=30),
    known=st.booleans(),
)
def test_any_sequence(steps: list[tuple[int, list[bytes]]], known: bool) -> None:
    frames, t = [], 0
    for gap, burst in steps:
        t += gap
        for data in burst:
            frames.append((t, data))
            t += 1000
    text = RC if known else RC.replace(f"ndp -s {ROUTER} 0:90:27:0:0:a1\n", "")
    compared(capture(frames), Node(text))


def test_the_twins_do_the_same() -> None:
    """Without numba, in a process of its own: the choice is made once."""
    which = "counts_whatever or odd_packet or is_gone or grows_stale"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", which],
        cwd=PROJECT_ROOT,
        env={**os.environ, "KAME_CPU": "none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
