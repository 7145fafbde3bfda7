# SPDX-License-Identifier: BSD-3-Clause
"""A home agent's capture as it would be taken: mobile nodes register, then packets to them come."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from bench.home_agent import (
    AWAY,
    HA,
    HOME,
    MAC,
    NS,
    RC,
    ROUTER_MAC,
    START_NS,
    numbered,
    packets,
)
from kame_py.fast.batch import SLACK, U8
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IP6_MIP6_BU_ACK,
    IP6_MIP6_BU_HOME,
    IPPROTO_DSTOPTS,
    IPPROTO_NONE,
)
from kame_py.wire.in6addr import mac_ntoa_padded
from kame_py.wire.ip6ext import build_options
from kame_py.wire.mip6 import BindingUpdate, HomeAddress
from kame_py.wire.mip6_draft15 import IP6_MIP6_BU_SINGLE, WIRE

BLOCK: Final = 1_000_000  # packets that are made at a time
REGISTER_NS: Final = 50_000  # between two registrations
GAP_NS: Final = 400  # between two packets, at most
LIFETIME_S: Final = 36_000
_STAMP: Final = 8  # octets of it in a record
_FLAGS: Final = IP6_MIP6_BU_ACK | IP6_MIP6_BU_HOME | IP6_MIP6_BU_SINGLE


def registration(hoa: bytes, coa: bytes) -> bytes:
    """The frame in which a mobile node registers."""
    update = WIRE.aligned(BindingUpdate(_FLAGS, 1, LIFETIME_S))
    body = build_options(IPPROTO_NONE, [update])
    body = build_options(IPPROTO_DSTOPTS, [WIRE.aligned(HomeAddress(hoa))]) + body
    head = Ip6Hdr(ip6_plen=len(body), ip6_nxt=IPPROTO_DSTOPTS, ip6_hlim=64, ip6_src=coa, ip6_dst=HA)
    ether = EtherHeader(ether_dhost=MAC, ether_shost=ROUTER_MAC, ether_type=ETHERTYPE_IPV6)
    return ether.pack() + head.pack() + body


def write_agents_capture(path: Path, nodes: int, count: int, octets: int, punted: float) -> None:
    """So many mobile nodes, so many packets of one size to them; some have hop limit 1."""
    now = START_NS
    with path.open("wb") as f:
        f.write(pcapfmt.build_pcap_file(pcapfmt.MAX_SNAPLEN, pcapfmt.LINKTYPE_ETHERNET))
        for hoa, coa in zip(numbered(HOME, nodes), numbered(AWAY, nodes), strict=True):
            frame = registration(hoa.tobytes(), coa.tobytes())
            f.write(pcapfmt.build_pcap_record(*divmod(now, NS), frame, len(frame)))
            now += REGISTER_NS
        records, size = packets(nodes, min(count, BLOCK), octets, punted)
        rows = records[:-SLACK].reshape(-1, size)
        rng = np.random.default_rng(nodes)
        for first in range(0, count, BLOCK):
            some = rows[: count - first]
            stamps = now + np.cumsum(rng.integers(1, GAP_NS, len(some)))
            now = int(stamps[-1])
            some[:, :_STAMP] = _columns(np.stack(np.divmod(stamps, NS), axis=1))
            f.write(some.data)


def _columns(numbers: np.ndarray) -> U8:
    """Seconds and nanoseconds as a record has them."""
    return numbers.astype("<u4").view(np.uint8)


def arguments(folder: Path) -> list[str]:
    """What ``kame replay`` is told of the home agent."""
    rc = folder / "ha.rc"
    rc.write_text(RC)
    return ["--options", "MIP6", "--rc", str(rc), "--lladdr", mac_ntoa_padded(MAC)]
