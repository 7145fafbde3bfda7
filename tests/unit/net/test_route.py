# SPDX-License-Identifier: BSD-3-Clause
"""The routing table: longest match, cloning, deletion, take-over by a longer prefix."""

import pytest

from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.rng import Rng
from kame_py.net.if_ import ETHERMTU, IFT_ETHER, Ifnet, if_attach
from kame_py.net.route import (
    FOUND_MAX,
    RTF_CLONING,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_PRCLONING,
    RTF_UP,
    RTF_WASCLONED,
    RTM_ADD,
    RTM_DELETE,
    RTM_MISS,
    RTM_RESOLVE,
    LinkAddr,
    RouteTable,
    rtalloc1,
    rtrequest,
)
from kame_py.wire.errno import EEXIST, ENETUNREACH, ESRCH, KError
from kame_py.wire.in6addr import pton


def a(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


class Heard:
    """Stands in for the routing socket."""

    def __init__(self) -> None:
        self.missed: list[tuple[int, bytes]] = []

    def rt_missmsg(self, cmd: int, dst: bytes) -> None:
        self.missed.append((cmd, dst))


@pytest.fixture
def kern() -> Kernel:
    k = Kernel("k", KernConf(), VirtualClock(), Rng())
    k.rt = RouteTable()
    k.rtsock = Heard()  # type: ignore[assignment]  # a fake with the one method used here
    for n in range(2):
        if_attach(k, Ifnet(f"fxp{n}", IFT_ETHER, ETHERMTU, 0, bytes(6)), lambda *_: None)
    return k


def test_the_longest_prefix_wins_and_the_default_catches_the_rest(kern: Kernel) -> None:
    one, two = kern.ifnets
    rtrequest(kern, RTM_ADD, a("2001:db8::"), 32, LinkAddr(1), 0, one)
    rtrequest(kern, RTM_ADD, a("2001:db8:1::"), 48, LinkAddr(2), 0, two)
    rtrequest(kern, RTM_ADD, bytes(16), 0, a("2001:db8::1"), RTF_GATEWAY)
    found = {
        text: (rt.rt_plen, rt.rt_ifp.if_name)
        for text in ("2001:db8:1::9", "2001:db8:2::9", "fec0::1")
        if (rt := kern.rt.lookup(a(text)))
    }
    assert found == {
        "2001:db8:1::9": (48, "fxp1"),
        "2001:db8:2::9": (32, "fxp0"),
        "fec0::1": (0, "fxp0"),
    }


def test_a_cloning_route_yields_one_host_route_per_destination(kern: Kernel) -> None:
    heard: list[tuple[int, int]] = []
    kern.rt.on_request.append(lambda _k, cmd, rt: heard.append((cmd, rt.rt_plen)))
    rtrequest(kern, RTM_ADD, a("2001:db8::"), 64, LinkAddr(1), RTF_CLONING, kern.ifnets[0])
    first = rtalloc1(kern, a("2001:db8::5"))
    assert first is rtalloc1(kern, a("2001:db8::5"))
    assert first is not None
    assert first.rt_flags == RTF_UP | RTF_HOST | RTF_WASCLONED
    assert heard == [(RTM_ADD, 64), (RTM_RESOLVE, 128)]
    assert rtalloc1(kern, a("2001:db8::6"), clone=False) is first.rt_parent


def test_deleting_a_cloning_route_takes_its_clones_along(kern: Kernel) -> None:
    rtrequest(kern, RTM_ADD, a("2001:db8::"), 64, LinkAddr(1), RTF_CLONING, kern.ifnets[0])
    rt = rtalloc1(kern, a("2001:db8::5"))
    rtrequest(kern, RTM_DELETE, a("2001:db8::"), 64)
    assert len(kern.rt) == 0
    assert rt is not None
    assert not rt.up


def test_a_longer_prefix_takes_over_what_a_shorter_one_had_cloned(kern: Kernel) -> None:
    rtrequest(kern, RTM_ADD, a("2001:db8::"), 32, LinkAddr(1), RTF_CLONING, kern.ifnets[0])
    rtalloc1(kern, a("2001:db8:1::5"))
    kept = rtalloc1(kern, a("2001:db8:2::5"))
    rtrequest(kern, RTM_ADD, a("2001:db8:1::"), 48, LinkAddr(2), RTF_CLONING, kern.ifnets[1])
    moved = rtalloc1(kern, a("2001:db8:1::5"))
    assert moved is not None
    assert moved.rt_ifp.if_name == "fxp1"
    assert rtalloc1(kern, a("2001:db8:2::5")) is kept


def test_errors_name_themselves(kern: Kernel) -> None:
    rtrequest(kern, RTM_ADD, a("2001:db8::"), 64, LinkAddr(1), 0, kern.ifnets[0])
    for args, errno in (
        ((RTM_ADD, a("2001:db8::9"), 64, LinkAddr(1), 0, kern.ifnets[0]), EEXIST),
        ((RTM_DELETE, a("2001:db8:9::"), 64), ESRCH),
        ((RTM_ADD, bytes(16), 0, a("fec0::1"), RTF_GATEWAY), ENETUNREACH),
    ):
        with pytest.raises(KError) as e:
            rtrequest(kern, *args)
        assert e.value.errno == errno


def test_a_miss_is_told_to_the_routing_socket(kern: Kernel) -> None:
    assert rtalloc1(kern, a("fec0::1")) is None
    assert kern.rtsock.missed == [(RTM_MISS, a("fec0::1"))]  # type: ignore[attr-defined]  # fake


def test_unicast_nets_have_the_flag_of_protocol_cloning_and_no_host_routes(kern: Kernel) -> None:
    rtrequest(kern, RTM_ADD, a("2001:db8::"), 64, LinkAddr(1), RTF_CLONING, kern.ifnets[0])
    default = rtrequest(kern, RTM_ADD, bytes(16), 0, a("2001:db8::1"), RTF_GATEWAY)
    host = rtrequest(kern, RTM_ADD, a("fec0::1"), 128, a("2001:db8::1"), RTF_GATEWAY)
    group = rtrequest(kern, RTM_ADD, a("ff02::"), 16, LinkAddr(1), 0, kern.ifnets[0])
    link = kern.rt.exact(a("2001:db8::"), 64)
    assert link is not None
    assert default.rt_flags & RTF_PRCLONING
    assert not any(rt.rt_flags & RTF_PRCLONING for rt in (host, group, link))
    assert rtalloc1(kern, a("2001:db8:7::7")) is default
    assert len(kern.rt) == 4


def test_what_was_found_once_gives_way_to_what_comes_and_goes(kern: Kernel) -> None:
    one, two = kern.ifnets
    dst = a("2001:db8:1::9")

    def found() -> int | None:
        rt = kern.rt.lookup(dst)
        return None if rt is None else rt.rt_plen

    assert found() is None
    for plen, ifp in ((0, one), (64, two), (48, one), (128, two)):
        rtrequest(kern, RTM_ADD, dst, plen, LinkAddr(ifp.if_index), 0, ifp)
    assert found() == found() == 128
    for plen, left in ((128, 64), (48, 64), (64, 0), (0, None)):
        rtrequest(kern, RTM_DELETE, dst, plen)
        assert found() == found() == left


def test_remembered_routes_are_bounded(kern: Kernel) -> None:
    (one, _) = kern.ifnets
    rtrequest(kern, RTM_ADD, bytes(16), 0, LinkAddr(1), 0, one)
    for n in range(FOUND_MAX + 5):
        kern.rt.lookup(a(f"2001:db8::{n:x}"))
    assert len(kern.rt._found) == 5
