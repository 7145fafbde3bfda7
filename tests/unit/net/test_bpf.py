# SPDX-License-Identifier: BSD-3-Clause
"""Packet sockets: what they hear and tell; that nobody pays when nobody listens."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import VirtualClock
from kame_py.kern.kernel import Kernel
from kame_py.kern.uipc_socket import (
    Socket,
    sobind,
    soclose,
    soconnect,
    socreate,
    sogetopt,
    sogetsockname,
    soreceive,
    sosend,
    sosetopt,
)
from kame_py.net.if_ import Ifnet
from kame_py.wire.errno import EAGAIN, EINVAL, EISCONN, ENOPROTOOPT, ENXIO, EOPNOTSUPP, KError
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET, LINKTYPE_RAW
from kame_py.wire.sockaddr import (
    AF_LINK,
    BPF_HDR,
    BPF_SNAPLEN,
    BPF_STATS,
    BPF_TRACE,
    BPF_WAY,
    SO_RCVBUF,
    SOCK_RAW,
    SOL_BPF,
    SOL_SOCKET,
    BpfHdr,
    BpfStat,
    BpfWay,
    Received,
    SockaddrIn6,
)
from tests.unit.net.test_if_ethersubr import OTHER, frame, station


def listener(kern: Kernel, index: int = 0, trace: bool = False) -> Socket:
    so = socreate(kern, AF_LINK, SOCK_RAW, 0)
    sosetopt(kern, so, SOL_BPF, BPF_TRACE, int(trace))
    sobind(kern, so, SockaddrIn6(scope_id=index))
    return so


def hdr(rec: Received) -> BpfHdr:
    (value,) = (c.value for c in rec.control if (c.level, c.type) == (SOL_BPF, BPF_HDR))
    assert isinstance(value, BpfHdr)
    return value


def way(rec: Received) -> BpfWay:
    (value,) = (c.value for c in rec.control if (c.level, c.type) == (SOL_BPF, BPF_WAY))
    assert isinstance(value, BpfWay)
    return value


@pytest.fixture
def net() -> tuple[Kernel, Ifnet]:
    return station()


def test_frame_comes_with_interface_length_stamp_and_direction(net: tuple[Kernel, Ifnet]) -> None:
    kern, ifp = net
    so = listener(kern, ifp.if_index)
    raw = frame(OTHER)
    kern.if_input(ifp, raw)
    rec = soreceive(kern, so)
    assert rec.data == raw
    stamp = kern.clock.realtime()
    assert hdr(rec) == BpfHdr(stamp, len(raw), ifp.if_index, LINKTYPE_ETHERNET, False)


def test_other_interfaces_are_not_heard(net: tuple[Kernel, Ifnet]) -> None:
    kern, ifp = net
    lo0, every = listener(kern, kern.ifnets[0].if_index), listener(kern)
    kern.if_input(ifp, frame())
    assert soreceive(kern, every).data == frame()
    with pytest.raises(KError) as e:
        soreceive(kern, lo0)
    assert e.value.errno == EAGAIN


def test_snap_length_cuts_but_the_length_is_told(net: tuple[Kernel, Ifnet]) -> None:
    kern, ifp = net
    so = listener(kern)
    sosetopt(kern, so, SOL_BPF, BPF_SNAPLEN, 20)
    kern.if_input(ifp, frame())
    rec = soreceive(kern, so)
    assert (rec.data, hdr(rec).bh_datalen) == (frame()[:20], len(frame()))
    sosetopt(kern, so, SOL_BPF, BPF_SNAPLEN, 0)
    kern.if_input(ifp, frame())
    assert soreceive(kern, so).data == frame()


def test_full_buffer_counts_what_is_lost(net: tuple[Kernel, Ifnet]) -> None:
    kern, ifp = net
    so = listener(kern)
    sosetopt(kern, so, SOL_SOCKET, SO_RCVBUF, 2 * (len(frame()) + 28))
    for _ in range(5):
        kern.if_input(ifp, frame())
    assert sogetopt(kern, so, SOL_BPF, BPF_STATS) == BpfStat(5, 3)


def test_hooks_are_there_while_somebody_listens(net: tuple[Kernel, Ifnet]) -> None:
    kern, _ = net
    assert (kern.bpf, kern.tracing, kern.fate_sink) == (None, False, None)
    one, two, tracer = listener(kern), listener(kern), listener(kern, trace=True)
    assert kern.bpf is not None and kern.tracing and kern.fate_sink is not None
    soclose(kern, one)
    assert kern.bpf is not None
    soclose(kern, two)
    assert kern.bpf is None and kern.tracing
    soclose(kern, tracer)
    assert (kern.bpf, kern.tracing, kern.fate_sink) == (None, False, None)


def test_socket_that_is_not_bound_hears_nothing(net: tuple[Kernel, Ifnet]) -> None:
    kern, _ = net
    so = socreate(kern, AF_LINK, SOCK_RAW, 0)
    assert kern.bpf is None
    soclose(kern, so)


def test_what_cannot_be_done(net: tuple[Kernel, Ifnet]) -> None:
    kern, ifp = net
    so = socreate(kern, AF_LINK, SOCK_RAW, 0)
    refused = [
        (ENXIO, lambda: sobind(kern, so, SockaddrIn6(scope_id=99))),
        (EOPNOTSUPP, lambda: sosend(kern, so, b"x")),
        (EOPNOTSUPP, lambda: soconnect(kern, so, SockaddrIn6())),
        (EINVAL, lambda: sosetopt(kern, so, SOL_BPF, BPF_STATS, 1)),
        (EINVAL, lambda: sosetopt(kern, so, SOL_BPF, BPF_SNAPLEN, -1)),
        (EINVAL, lambda: sosetopt(kern, so, SOL_BPF, BPF_TRACE, "1")),
        (ENOPROTOOPT, lambda: sosetopt(kern, so, SOL_BPF, 77, 1)),
    ]
    bound = listener(kern, ifp.if_index)
    refused += [
        (EINVAL, lambda: sobind(kern, bound, SockaddrIn6())),
        (EISCONN, lambda: sosetopt(kern, bound, SOL_BPF, BPF_TRACE, 1)),
    ]
    for errno, call in refused:
        with pytest.raises(KError) as e:
            call()
        assert e.value.errno == errno
    assert sogetsockname(kern, bound).scope_id == ifp.if_index


def test_way_of_a_dropped_packet_has_the_frame_and_the_reason(net: tuple[Kernel, Ifnet]) -> None:
    kern, ifp = net
    so = listener(kern, ifp.if_index, trace=True)
    kern.if_input(ifp, frame(OTHER))
    rec = soreceive(kern, so)
    assert rec.data == frame(OTHER)
    assert hdr(rec).bh_linktype == LINKTYPE_ETHERNET and not hdr(rec).bh_outbound
    assert way(rec).stages == ("ether_input fxp0", "drop ETHER_NOTFORUS")
    assert (way(rec).fate, way(rec).reason) == ("dropped", "ETHER_NOTFORUS")
    assert way(rec).why


def test_packet_made_here_is_shown_as_it_left(net: tuple[Kernel, Ifnet]) -> None:
    kern, ifp = net
    other, so = listener(kern, 1, trace=True), listener(kern, ifp.if_index, trace=True)
    kern.if_setup(kern, ifp, True)
    deadline = kern.next_deadline()  # of the first membership report or solicitation
    assert deadline is not None and isinstance(kern.clock, VirtualClock)
    kern.clock.t = deadline
    kern.advance(deadline)
    rec = soreceive(kern, so)
    assert hdr(rec).bh_linktype == LINKTYPE_RAW and hdr(rec).bh_outbound
    assert way(rec).stages == ("ip6_output", "output fxp0")
    assert way(rec).fate == "transmitted"
    with pytest.raises(KError):
        soreceive(kern, other)


def test_who_was_told_of_fates_before_still_is(net: tuple[Kernel, Ifnet]) -> None:
    kern, ifp = net
    seen: list[str] = []
    sink = lambda k, m: seen.append(m.fate.value)  # noqa: E731  # compared below
    kern.fate_sink = sink
    so = listener(kern, trace=True)
    kern.if_input(ifp, frame(OTHER))
    soclose(kern, so)
    assert seen == ["dropped"] and kern.fate_sink is sink
