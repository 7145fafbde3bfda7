# SPDX-License-Identifier: BSD-3-Clause
"""A home agent with very many bindings, and captures of packets to its mobile nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from kame_py.fast.batch import BATCH, SLACK, U8, Batch
from kame_py.fast.engine import Engine
from kame_py.kern.conf import KernConf
from kame_py.lab.filetree import FileTree
from kame_py.lab.rc import parse_rc
from kame_py.mip6.mip6_bc import mip6_bc_set
from kame_py.mip6.mip6_bcache import HR_CODE
from kame_py.mip6.mip6_state import HrSt
from kame_py.mip6.mip6_var import mip6_state
from kame_py.replay.node import NodeSpec, ReplayNode, boot_at
from kame_py.wire import pcapfmt
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import EtherHeader, Ip6Hdr, Udphdr
from kame_py.wire.const import ETHERTYPE_IPV6, IPPROTO_UDP
from kame_py.wire.in6addr import pton
from kame_py.wire.patch import put_u16

NS: Final = 10**9
START_NS: Final = 1_012_435_200 * NS
FOREVER_S: Final = (1 << 32) - 1
MAC: Final = bytes.fromhex("00a024660077")
ROUTER_MAC: Final = bytes.fromhex("0090270000a1")
RC: Final = """
sysctl -w net.inet6.ip6.forwarding=1
sysctl -w net.inet6.ip6.dad_count=0
ifconfig fxp0 inet6 2001:db8:1::1 prefixlen 64 alias
ndp -s 2001:db8:1::fe 0:90:27:0:0:a1
route add -inet6 default 2001:db8:1::fe
mip6control -S 0 -T 0
mip6control -g
"""
_RECORD: Final = pcapfmt.PCAP_RECORD_LEN
_HEAD: Final = EtherHeader.SIZE + Ip6Hdr.SIZE + Udphdr.SIZE


def _addr(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


HA: Final = _addr("2001:db8:1::1")
CN: Final = _addr("2001:db8:f::1")
HOME: Final = _addr("2001:db8:1::1000:0")
AWAY: Final = _addr("2001:db8:7::1000:0")


def numbered(prefix: bytes, count: int) -> U8:
    """Addresses one after the other, a row each; they end with a 32-bit number."""
    rows = np.tile(np.frombuffer(prefix, np.uint8), (count, 1))
    last = np.frombuffer(prefix, ">u4")[-1] + np.arange(count)
    rows[:, -4:] = last.astype(">u4").view(np.uint8).reshape(count, 4)
    return rows


def home_agent(bindings: int) -> ReplayNode:
    """A node that serves so many mobile nodes; entered by hand, not by updates."""
    commands = parse_rc(RC)
    assert isinstance(commands, list), commands
    spec = NodeSpec(KernConf(frozenset({"MIP6"})), "fxp0", MAC, FileTree, commands)
    node = boot_at(spec, START_NS, lambda kern, frame: None)
    cache = mip6_state(node.kern).bcache
    for home, away in zip(numbered(HOME, bindings), numbered(AWAY, bindings), strict=True):
        hoa, reg = home.tobytes(), cache.new_hr(node.ifp)
        row = cache.new(HA, hoa, reg)
        cache.join(reg, row)
        cache.hr_st[reg] = HR_CODE[HrSt.SERVED]
        mip6_bc_set(node.kern, cache, row, hoa, away.tobytes(), 0, 0, 0, FOREVER_S)
    return node


def packets(bindings: int, count: int, octets: int, punted: float = 0) -> tuple[U8, int]:
    """Records of a capture, all of one size, to mobile nodes at random; and that size.

    octets: of the IPv6 packet. punted: this part of them has hop limit 1.
    """
    payload = bytes(octets - Ip6Hdr.SIZE - Udphdr.SIZE)
    udp = Udphdr(uh_sport=9, uh_dport=9, uh_ulen=Udphdr.SIZE + len(payload)).pack() + payload
    ip6 = Ip6Hdr(ip6_plen=len(udp), ip6_nxt=IPPROTO_UDP, ip6_hlim=64, ip6_src=CN, ip6_dst=HOME)
    udp = put_u16(udp, Udphdr.O_uh_sum, in6_cksum(CN, HOME, IPPROTO_UDP, udp))
    ether = EtherHeader(ether_dhost=MAC, ether_shost=ROUTER_MAC, ether_type=ETHERTYPE_IPV6)
    frame = ether.pack() + ip6.pack() + udp
    rng = np.random.default_rng(1)
    size = _RECORD + len(frame)
    arena = np.zeros(count * size + SLACK, np.uint8)
    rows = arena[: count * size].reshape(count, size)
    stamp = pcapfmt.build_pcap_record(START_NS // NS + 1, 0, frame, len(frame))
    rows[:] = np.frombuffer(stamp, np.uint8)
    who = rng.integers(0, bindings, count)
    dst = _RECORD + EtherHeader.SIZE + Ip6Hdr.O_ip6_dst
    rows[:, dst : dst + len(HOME)] = numbered(HOME, bindings)[who]
    if punted:
        some = rng.choice(count, int(count * punted), replace=False)
        rows[some, _RECORD + EtherHeader.SIZE + Ip6Hdr.O_ip6_hlim] = 1
    return arena, size


def write_capture(path: Path, records: U8) -> None:
    """Records as a file."""
    with path.open("wb") as f:
        f.write(pcapfmt.build_pcap_file(pcapfmt.MAX_SNAPLEN, pcapfmt.LINKTYPE_ETHERNET))
        f.write(records[:-SLACK].data)


class Wire:
    """What an engine asks of a replay; the output goes into a ring and is counted."""

    def __init__(self, node: ReplayNode) -> None:
        self.node = node
        self.octets = 0
        self.frames = 0

    def advance(self, stamp: int) -> None:
        self.node.advance(stamp - self.node.clock.epoch_ns)

    def at(self, stamp: int) -> None:
        self.node.clock.t = stamp - self.node.clock.epoch_ns

    def slow(self, batch: Batch, i: int) -> None:
        at = int(batch.off[i])
        frame = batch.arena[at : at + int(batch.caplen[i])].tobytes()
        self.node.kern.if_input(self.node.ifp, frame)
        self.node.kern.txq.clear()

    def ran(self, batch: Batch, start: int, stop: int, act: U8) -> None: ...

    def output(self, blocks: memoryview, frames: int) -> None:
        self.octets += len(blocks)
        self.frames += frames


def engine(node: ReplayNode) -> Engine:
    """A vector path that writes what it sends."""
    return Engine(node.kern, node.ifp, node.clock.epoch_ns, Wire(node), True)


def batches(records: U8, size: int) -> Iterator[Batch]:
    """One batch, laid over the records again and again until all had their turn."""
    count = (len(records) - SLACK) // size
    batch = Batch.empty()
    batch.arena = records
    batch.caplen[:] = batch.wirelen[:] = size - _RECORD
    batch.ts[:] = START_NS + NS
    first = _RECORD + size * np.arange(BATCH)
    for done in range(0, count, BATCH):
        batch.n = min(BATCH, count - done)
        np.add(first, size * done, out=batch.off)
        yield batch
