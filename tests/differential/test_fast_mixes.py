# SPDX-License-Identifier: BSD-3-Clause
"""The mixes of the benchmarks' generator, to nodes of several kinds: fast is what slow is."""

from __future__ import annotations

import functools
import gzip
import io
import lzma
import os
import threading
from typing import BinaryIO, Final

import pytest

from kame_py.kern.conf import KernConf
from kame_py.replay import runner
from kame_py.replay.pcap import open_capture
from kame_py.replay.runner import Fast
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.in6addr import ntop
from tests.differential.batches import gen_capture
from tests.differential.home import (
    MS,
    OPTIONS,
    Node,
    assert_equal,
    capture,
    compared,
    frame,
    play,
)
from tests.differential.test_fast_captures import pcapng
from tests.scenario.mip6words import bu
from tests.scenario.words import addr

pytest.importorskip("numpy")

Frames = list[tuple[int, bytes]]

MIXES: Final = ("mobile", "small", "imix", "large")
PACKETS: Final = 3000
HOSTS: Final = 40
MAC: Final = bytes.fromhex("02005e100001")  # where the generator's packets go
AGENT: Final = "2001:db8:2::1"
PEER: Final = "2001:db8:1::"
CARE_OF: Final = "2001:db8:3::"
_HEAD: Final = EtherHeader.SIZE
_DST: Final = slice(_HEAD + Ip6Hdr.O_ip6_dst, _HEAD + Ip6Hdr.SIZE)
_SRC: Final = slice(_HEAD + Ip6Hdr.O_ip6_src, _HEAD + Ip6Hdr.O_ip6_dst)
_ROUTER: Final = f"""
sysctl -w net.inet6.ip6.dad_count=0
sysctl -w net.inet6.ip6.forwarding=1
ifconfig fxp0 inet6 {AGENT} prefixlen 64 alias
ndp -s 2001:db8:2::fe 2:0:5e:10:0:2
route add -inet6 default 2001:db8:2::fe
"""
_AGENT: Final = _ROUTER + "mip6control -S 0 -T 0\nmip6control -g\n"
#: A host whose address takes the place of one that many packets go to.
_HOST: Final = """
sysctl -w net.inet6.ip6.dad_count=0
ifconfig fxp0 inet6 %s prefixlen 64 alias
ndp -s 2001:db8:1::fe 2:0:5e:10:0:2
route add -inet6 default 2001:db8:1::fe
mip6control -S 0 -T 0
"""
_MIP6: Final = KernConf(OPTIONS)
_ALL: Final = KernConf(frozenset({"MIP6", "IPSEC", "IPSEC_ESP"}))
_AH: Final = 'setkey -c <<EOF\nadd ::/0 %s ah 0x1000 -A hmac-sha1 "of twenty characters";\nEOF\n'


@functools.cache
def generated(mix: str, packets: int = PACKETS, seed: int = 7) -> tuple[tuple[int, bytes], ...]:
    """Stamps from the first packet's on, and frames."""
    f = io.BytesIO()
    gen_capture().write_capture(f, packets, HOSTS, seed, mix)
    f.seek(0)
    records = list(open_capture(f))
    return tuple((r.t_ns - records[0].t_ns, r.data) for r in records)


def homes(frames: Frames) -> list[bytes]:
    """Destinations below the home prefix, the first seen first."""
    found = dict.fromkeys(data[_DST] for _, data in frames)
    return [dst for dst in found if ntop(dst).startswith("2001:db8:2:")]


def served(mix: str, packets: int = PACKETS, seed: int = 7) -> bytes:
    """The mix for a home agent at which nine of ten hosts are registered."""
    frames = list(generated(mix, packets, seed))
    registered = []
    for i, home in enumerate(homes(frames)):
        if i % 10 != 9:
            hoa, coa = ntop(home), f"2001:db8:3::{i:x}"
            update = bu(coa, AGENT, hoa, seq=1, lifetime=600, flags="AHS")
            registered.append((i, frame(update, dst=MAC)))
    return capture(registered + [(MS + t_ns, data) for t_ns, data in frames])


def busiest(frames: Frames, where: slice, prefix: str) -> str:
    """The address below a prefix that most packets have there."""
    found = [ntop(data[where]) for _, data in frames]
    found = [text for text in found if text.startswith(prefix.rstrip(":") + ":")]
    return max(sorted(set(found)), key=found.count)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mix", MIXES)
def test_a_mix_to_a_home_agent(mix: str, seed: int) -> None:
    result = compared(served(mix, seed=seed), Node(_AGENT, _MIP6, MAC))
    assert result.in_bulk > PACKETS // 2


@pytest.mark.parametrize("mix", MIXES)
def test_a_mix_to_a_router(mix: str) -> None:
    """To which the home network is one of many."""
    text = _ROUTER.replace("2001:db8:2:", "2001:db8:9:")
    result = compared(capture(generated(mix)), Node(text, KernConf(), MAC))
    assert result.in_bulk > PACKETS * 3 // 4


@pytest.mark.parametrize("where", [_SRC, _DST], ids=["peer", "care-of"])
@pytest.mark.parametrize("text", [_HOST, _HOST + _AH.replace("::/0", "%s")], ids=["", "AH"])
def test_the_mobile_mix_to_one_of_its_hosts(where: slice, text: str) -> None:
    """Updates go to the peer, answers and routed packets to the care-of address."""
    frames = list(generated("mobile", 2 * PACKETS))
    if where is _SRC:
        own = busiest(frames, _DST, PEER)
    else:
        own = busiest(frames, _DST, CARE_OF)
    peer = busiest([(t, d) for t, d in frames if ntop(d[_DST]) == own], _SRC, "2001:db8")
    text = text.replace("2001:db8:1::fe", ntop(addr(own)[:8] + bytes(7) + b"\xfe"))
    filled = text % ((own, peer, own) if "setkey" in text else own)
    result = compared(capture(frames), Node(filled, _ALL, MAC))
    assert result.in_bulk > PACKETS


def test_the_fast_path_begins_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """As without a wish: behind so many packets, in the middle of whatever is going on."""
    bulk = pytest.importorskip("kame_py.replay.bulk")
    monkeypatch.setattr(bulk, "COMPILED", True)
    monkeypatch.setattr(bulk, "ready", lambda: True)
    pcap, node = served("mobile"), Node(_AGENT, _MIP6, MAC)
    slow, _ = play(pcap, Fast.OFF, node)
    for first in (1, 2, 40, 1000, 1024, 2999, 10**6):
        monkeypatch.setattr(runner, "AUTO_PACKETS", first)
        fast, result = play(pcap, Fast.AUTO, node)
        assert_equal(slow, fast)
        assert (result.in_bulk > 0) == (first < PACKETS)


# -- other ways into the program ------------------------------------------------------------------


def piped(data: bytes) -> BinaryIO:
    """The read end of a pipe that another thread fills."""
    r, w = os.pipe()

    def fill() -> None:
        with os.fdopen(w, "wb") as f:
            f.write(data)

    threading.Thread(target=fill, daemon=True).start()
    return os.fdopen(r, "rb")


@pytest.mark.parametrize("mix", ["mobile", "large"])
def test_files_pipes_and_compressed_ones_give_the_same(mix: str) -> None:
    pcap, node = served(mix), Node(_AGENT, _MIP6, MAC)
    records = [(r.t_ns, r.data) for r in open_capture(io.BytesIO(pcap))]
    ng = pcapng([(t_ns - records[0][0], data) for t_ns, data in records])
    slow, _ = play(pcap, Fast.OFF, node)
    wanted = slow._replace(state={})
    for data in (pcap, ng, gzip.compress(pcap, 1), lzma.compress(ng, preset=0)):
        for source in (data, piped(data)):
            fast, result = play(source, Fast.ON, node)
            assert_equal(slow, fast)
            assert fast._replace(state={}) == wanted
            assert result.in_bulk > PACKETS // 2
