# SPDX-License-Identifier: BSD-3-Clause
"""Ethernet and loopback: filters, framing, counters."""

from __future__ import annotations

import pytest

from kame_py.boot import boot, ether_attach
from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import M_BCAST, M_MCAST, Fate, m_get
from kame_py.net.if_ import IFF_ALLMULTI, IFF_PROMISC, IFF_UP, Ifnet
from kame_py.net.if_ethersubr import ether_output
from kame_py.net.route import LinkAddr, Rtentry
from tests.unit.netinet6.ip6_node import PEER1, US1, addr, fate, ip6

MAC = bytes.fromhex("00 a0 24 66 00 77")
OTHER = bytes.fromhex("00 a0 24 66 00 99")
GROUP = bytes.fromhex("33 33 00 00 00 42")
IPV6 = bytes.fromhex("86 dd")


def station() -> tuple[Kernel, Ifnet]:
    kern = boot("n", KernConf(), VirtualClock())
    ifp = ether_attach(kern, "fxp0", MAC)
    ifp.if_flags |= IFF_UP
    return kern, ifp


def frame(dst: bytes = MAC, kind: bytes = IPV6, payload: bytes | None = None) -> bytes:
    return dst + OTHER + kind + (ip6() if payload is None else payload)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (frame(OTHER), "ETHER_NOTFORUS"),
        (frame(GROUP), "ETHER_MCAST"),
        (frame(kind=bytes.fromhex("08 00")), "ETHER_TYPE"),
        (frame()[:13], "ETHER_RUNT"),
        (b"", "ETHER_RUNT"),
        (frame(payload=b""), "IP6_TOOSMALL"),
        (frame(), "IP6_NOTFORUS"),
    ],
    ids=lambda v: f"{len(v)}octets" if isinstance(v, bytes) else None,
)
def test_a_frame_passes_the_filters_in_order(raw: bytes, reason: str) -> None:
    kern, ifp = station()
    m = kern.if_input(ifp, raw)
    assert m is not None
    assert fate(m) == (Fate.DROPPED, reason)


@pytest.mark.parametrize(
    ("dst", "flags", "mark"),
    [
        (b"\xff" * 6, 0, M_BCAST),
        (GROUP, IFF_ALLMULTI, M_MCAST),
        (GROUP, IFF_PROMISC, M_MCAST),
        (OTHER, IFF_PROMISC, 0),
    ],
    ids=["broadcast", "allmulti", "promisc-group", "promisc"],
)
def test_frames_for_others_enter_where_the_filter_is_open(
    dst: bytes, flags: int, mark: int
) -> None:
    kern, ifp = station()
    ifp.if_flags |= flags
    m = kern.if_input(ifp, frame(dst), "mark")
    assert m is not None
    assert fate(m) == (Fate.DROPPED, "IP6_NOTFORUS")
    assert m.flags & (M_BCAST | M_MCAST) == mark
    assert m.tag == "mark"


def test_a_joined_group_enters() -> None:
    kern, ifp = station()
    ifp.macs[GROUP] = 1
    m = kern.if_input(ifp, frame(GROUP))
    assert m is not None
    assert m.flags & M_MCAST
    assert ifp.if_data.ifi_imcasts == 1


@pytest.mark.parametrize(
    ("up", "carrier", "reason"), [(0, True, "IF_DOWN"), (1, False, "IF_NOCARRIER")]
)
def test_an_interface_that_is_off_neither_hears_nor_speaks(
    up: int, carrier: bool, reason: str
) -> None:
    kern, ifp = station()
    ifp.carrier = carrier
    if not up:
        ifp.if_flags &= ~IFF_UP
    m = kern.if_input(ifp, frame())
    assert m is not None
    assert fate(m) == (Fate.DROPPED, reason)
    out = m_get(kern, ip6(src=US1, dst=PEER1))
    ether_output(kern, ifp, out, addr("ff02::1"), None)
    assert fate(out) == (Fate.DROPPED, reason)
    assert kern.txq == []


def test_multicast_is_framed_to_its_group() -> None:
    kern, ifp = station()
    m = m_get(kern, ip6(src=US1, dst=PEER1))
    ether_output(kern, ifp, m, addr("ff02:2::1:ff00:42"), None)
    expected = bytes.fromhex("33 33 ff 00 00 42") + MAC + IPV6 + m.data
    assert list(kern.poll_tx()) == [(ifp, expected, m)]
    assert fate(m) == (Fate.TRANSMITTED, "")
    data = ifp.if_data
    assert (data.ifi_opackets, data.ifi_obytes, data.ifi_omcasts) == (1, len(expected), 1)


def test_unicast_needs_the_link_address_of_the_neighbour() -> None:
    kern, ifp = station()
    m = m_get(kern, ip6(src=US1, dst=PEER1))
    ether_output(kern, ifp, m, PEER1, Rtentry(PEER1, 128, LinkAddr(2, OTHER), 1, ifp))
    assert [raw[:14] for _, raw, _ in kern.poll_tx()] == [OTHER + MAC + IPV6]
    for rt in (None, Rtentry(PEER1, 128, LinkAddr(2), 1, ifp)):
        m = m_get(kern, ip6(src=US1, dst=PEER1))
        ether_output(kern, ifp, m, PEER1, rt)
        assert fate(m) == (Fate.DROPPED, "IF_OUTPUT")


def test_a_packet_larger_than_the_medium_is_not_sent() -> None:
    kern, ifp = station()
    m = m_get(kern, ip6(bytes(1461)))
    ether_output(kern, ifp, m, addr("ff02::1"), None)
    assert fate(m) == (Fate.DROPPED, "ETHER_TOOBIG")


def test_a_tap_sees_both_directions() -> None:
    kern, ifp = station()
    seen: list[tuple[str, bytes, bool]] = []
    kern.bpf = lambda k, i, raw, incoming: seen.append((i.if_name, raw, incoming))
    kern.if_input(ifp, frame())
    m = m_get(kern, ip6(src=US1, dst=PEER1))
    ether_output(kern, ifp, m, addr("ff02::1"), None)
    assert [(name, incoming) for name, _, incoming in seen] == [("fxp0", True), ("fxp0", False)]
    assert seen[0][1] == frame()
