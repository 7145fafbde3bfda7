# SPDX-License-Identifier: BSD-3-Clause
"""An authenticated binding update comes in, its acknowledgement leaves: all that lies between.

Beside it what others take for the octets alone: interpreted construct and scapy parse the same
update and build the same acknowledgement, without looking at a key.
"""

from __future__ import annotations

from itertools import cycle

import pytest
from construct import Struct
from pytest_benchmark.fixture import BenchmarkFixture
from scapy.layers.inet6 import HAO, HBHOptUnknown, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting

from bench.correspondent import correspondent, signed_update, signed_updates
from kame_py.wire.codecs import (
    Ip6Dest,
    Ip6Hdr,
    Ip6OptBindingAck,
    Ip6OptBindingUpdate,
    Ip6OptHomeAddress,
    Ip6Rthdr0,
    Ip6SubOptAuthData,
)
from kame_py.wire.decl import ip6, ip6opt, mip6_draft15
from kame_py.wire.ip6ext import pad_before
from kame_py.wire.mip6 import ADDR_LEN, AUTHDATA_ALIGN, BA_ALIGN, HAO_ALIGN
from kame_py.wire.mip6_draft15 import WIRE

LIMIT_S = 200e-6  # the aim is 40 us; a slow or busy machine is no failure
GROUP = "binding update to acknowledgement"
STRUCTS: dict[str, Struct] = {
    decl.name: decl.struct for decls in (ip6, ip6opt, mip6_draft15) for decl in decls.DECLS
}


def acknowledgement() -> bytes:
    """What the correspondent answers."""
    kern, ifp = correspondent()
    kern.if_input(ifp, signed_update(1))
    ((_, frame, _),) = kern.txq
    return frame


@pytest.mark.benchmark(group=GROUP)
def test_bu_to_ba_ours(benchmark: BenchmarkFixture) -> None:
    kern, ifp = correspondent()
    frames = cycle(signed_updates())

    def answered() -> int:
        kern.if_input(ifp, next(frames))
        sent = len(kern.txq)
        kern.txq.clear()
        return sent

    assert benchmark(answered) == 1
    assert not kern.drops
    if benchmark.stats is not None:
        median = benchmark.stats.stats.median
        benchmark.extra_info["goals"] = {"bu_ba_us": median * 1e6}
        assert median < LIMIT_S


def places(layout: tuple[tuple[type, int], ...]) -> list[tuple[Struct, int]]:
    """Structures of a packet with their offsets; the int: octets that are skipped behind one."""
    found, at = [], 0
    for cls, skip in layout:
        found.append((STRUCTS[cls.__name__], at))
        size = getattr(cls, "SIZE")  # noqa: B009  # every codec has it
        at += size + skip
    return found


@pytest.mark.benchmark(group=GROUP)
def test_bu_to_ba_construct(benchmark: BenchmarkFixture) -> None:
    frame, answer = signed_update(1), acknowledgement()
    update = places(
        (
            (Ip6Hdr, 0),
            (Ip6Dest, pad_before(Ip6Dest.SIZE, *HAO_ALIGN)),
            (Ip6OptHomeAddress, 0),
            (Ip6Dest, 0),
            (Ip6OptBindingUpdate, pad_before(Ip6Dest.SIZE + WIRE.bu_size, *AUTHDATA_ALIGN)),
            (Ip6SubOptAuthData, 0),
        )
    )
    ba_pad = pad_before(Ip6Dest.SIZE, *BA_ALIGN)
    code_pad = pad_before(Ip6Dest.SIZE + ba_pad + WIRE.ba_size, *AUTHDATA_ALIGN)
    reply = places(
        (
            (Ip6Hdr, 0),
            (Ip6Rthdr0, ADDR_LEN),
            (Ip6Dest, ba_pad),
            (Ip6OptBindingAck, code_pad),
            (Ip6SubOptAuthData, 0),
        )
    )
    parsed = [(struct, struct.parse(answer[at:])) for struct, at in reply]
    assert parsed[3][1].ip6oa_seqno == 1

    def octets() -> int:
        seqno: int = [struct.parse(frame[at:]) for struct, at in update][4].ip6ou_seqno
        b"".join([struct.build(values) for struct, values in parsed])
        return seqno

    assert benchmark(octets) == 1


@pytest.mark.benchmark(group=GROUP)
def test_bu_to_ba_scapy(benchmark: BenchmarkFixture) -> None:
    frame, answer = signed_update(1), acknowledgement()
    option = answer[-WIRE.ba_size - 2 :]

    def octets() -> bool:
        heard = IPv6(frame)
        known = heard[HAO].hoa
        head = IPv6(src=heard.dst, dst=heard.src)
        dest = IPv6ExtHdrDestOpt(nh=59, options=[HBHOptUnknown(otype=7, optdata=option)])
        return bool(bytes(head / IPv6ExtHdrRouting(addresses=[known]) / dest))

    assert benchmark(octets)
