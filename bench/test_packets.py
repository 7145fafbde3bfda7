# SPDX-License-Identifier: BSD-3-Clause
"""What one packet costs: checksum, header, forwarding, echo; peers in the same group."""

from __future__ import annotations

import dpkt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scapy.layers.inet6 import IPv6
from scapy.utils import checksum as scapy_checksum

from kame_py.boot import boot, rawip_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate
from kame_py.net.if_ import Ifnet
from kame_py.net.route import RTM_ADD, LinkAddr, rtrequest
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.wire.cksum import in6_cksum, in_cksum
from kame_py.wire.codecs import Icmp6Echo, Ip6Hdr
from kame_py.wire.const import ICMP6_ECHO_REQUEST, IPPROTO_ICMPV6
from kame_py.wire.decl.ip6 import DECLS
from kame_py.wire.in6addr import pton
from kame_py.wire.patch import put_u16

SIZES = (64, 576, 1500)


def _addr(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


PEER, OURS, FAR = _addr("2001:db8:1::1"), _addr("2001:db8:1::2"), _addr("2001:db8:2::9")


def ping(dst: bytes, size: int = 56) -> bytes:
    body = Icmp6Echo(icmp6_type=ICMP6_ECHO_REQUEST, icmp6_id=1, icmp6_seq=1).pack() + bytes(size)
    body = put_u16(body, Icmp6Echo.O_icmp6_cksum, in6_cksum(PEER, dst, IPPROTO_ICMPV6, body))
    head = Ip6Hdr(
        ip6_plen=len(body), ip6_nxt=IPPROTO_ICMPV6, ip6_hlim=64, ip6_src=PEER, ip6_dst=dst
    )
    return head.pack() + body


def router() -> tuple[Kernel, Ifnet]:
    """A router between two links without link-layer addresses."""
    clock = VirtualClock()
    kern = boot("r", KernConf(), clock)
    one, two = rawip_attach(kern, "tun0"), rawip_attach(kern, "tun1")
    for ifp in (one, two):
        if_up(kern, ifp)
    in6_update_ifa(kern, one, OURS, 64)
    kern.sysctl.write("net.inet6.ip6.forwarding", 1)
    rtrequest(kern, RTM_ADD, _addr("2001:db8:2::"), 64, LinkAddr(two.if_index), 0, two)
    clock.t = 5 * NS
    kern.advance(clock.t)
    list(kern.poll_tx())
    return kern, one


def test_forward_one_packet(benchmark: BenchmarkFixture) -> None:
    kern, ifp = router()
    frame = ping(FAR)

    def hop() -> Fate | None:
        m = kern.if_input(ifp, frame)
        kern.txq.clear()
        return None if m is None else m.fate

    assert benchmark(hop) is Fate.FORWARDED
    if benchmark.stats is not None:
        benchmark.extra_info["goals"] = {"forward_us": benchmark.stats.stats.median * 1e6}


def test_answer_one_ping(benchmark: BenchmarkFixture) -> None:
    kern, ifp = router()
    frame = ping(OURS)

    def echo() -> int:
        kern.if_input(ifp, frame)
        sent = len(kern.txq)
        kern.txq.clear()
        return sent

    assert benchmark(echo) == 1


@pytest.mark.parametrize("size", SIZES)
def test_checksum_ours(benchmark: BenchmarkFixture, size: int) -> None:
    benchmark.group = f"checksum {size}"
    data = bytes(range(250)) * 6
    assert benchmark(in_cksum, data[:size]) == scapy_checksum(data[:size])


@pytest.mark.parametrize("size", SIZES)
def test_checksum_scapy(benchmark: BenchmarkFixture, size: int) -> None:
    benchmark.group = f"checksum {size}"
    benchmark(scapy_checksum, (bytes(range(250)) * 6)[:size])


@pytest.mark.parametrize("size", SIZES)
def test_checksum_dpkt(benchmark: BenchmarkFixture, size: int) -> None:
    benchmark.group = f"checksum {size}"
    benchmark(dpkt.in_cksum, (bytes(range(250)) * 6)[:size])


HEADER = ping(FAR)[: Ip6Hdr.SIZE]


@pytest.mark.benchmark(group="parse an IPv6 header")
def test_header_generated_codec(benchmark: BenchmarkFixture) -> None:
    assert benchmark(Ip6Hdr.unpack, HEADER).ip6_hlim == 64


@pytest.mark.benchmark(group="parse an IPv6 header")
def test_header_construct(benchmark: BenchmarkFixture) -> None:
    declared = next(decl.struct for decl in DECLS if decl.name == "Ip6Hdr")
    assert benchmark(declared.parse, HEADER).ip6_hlim == 64


@pytest.mark.benchmark(group="parse an IPv6 header")
def test_header_dpkt(benchmark: BenchmarkFixture) -> None:
    assert benchmark(dpkt.ip6.IP6, ping(FAR)).hlim == 64


@pytest.mark.benchmark(group="parse an IPv6 header")
def test_header_scapy(benchmark: BenchmarkFixture) -> None:
    assert benchmark(IPv6, HEADER).hlim == 64
