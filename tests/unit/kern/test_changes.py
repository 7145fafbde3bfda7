# SPDX-License-Identifier: BSD-3-Clause
"""Whoever copies tables hears of each change that decides where a packet goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from kame_py.boot import boot, ether_attach
from kame_py.kern.changes import KEYS_MAX, Changes
from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.mip6 import mip6_bc
from kame_py.mip6.mip6_var import mip6_state
from kame_py.net.if_ import Ifnet
from kame_py.net.route import RTM_ADD, RTM_DELETE, LinkAddr, rt_changed, rtalloc1, rtrequest
from kame_py.netinet6.in6 import in6_purgeaddr, in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netinet6.nd6 import nd6_cache_lladdr
from kame_py.wire.const import ND_NEIGHBOR_SOLICIT
from kame_py.wire.in6addr import pton

MAC = bytes.fromhex("00a024660077")
PEER_MAC = bytes.fromhex("009027000001")


def _addr(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


OURS, PEER, FAR = _addr("2001:db8:1::1"), _addr("2001:db8:1::9"), _addr("2001:db8:f::1")
COA = _addr("2001:db8:7::1")


@pytest.fixture
def kern() -> Kernel:
    kern = boot("node", KernConf(frozenset({"MIP6"})), VirtualClock())
    ifp = ether_attach(kern, "fxp0", MAC)
    kern.ip6.ip6_dad_count = 0
    if_up(kern, ifp)
    in6_update_ifa(kern, ifp, OURS, 64)
    rtrequest(kern, RTM_ADD, _addr("2001:db8:e::"), 64, PEER, 0x2, ifp)
    rtalloc1(kern, PEER)
    nd6_cache_lladdr(kern, ifp, PEER, PEER_MAC, ND_NEIGHBOR_SOLICIT)
    return kern


def _bind(kern: Kernel) -> int:
    return mip6_bc.mip6_bc_put(kern, OURS, FAR, COA, 0, 0, 60, 60)


def _clone(kern: Kernel, ifp: Ifnet) -> bytes:
    rtalloc1(kern, _addr("2001:db8:1::77"))
    return _addr("2001:db8:1::77")


def _neighbour(kern: Kernel, ifp: Ifnet) -> bytes:
    nd6_cache_lladdr(kern, ifp, PEER, bytes.fromhex("009027000002"), ND_NEIGHBOR_SOLICIT)
    return PEER


def _host_route(kern: Kernel, ifp: Ifnet) -> bytes:
    rtrequest(kern, RTM_ADD, FAR, 128, PEER, 0x2, ifp)
    return FAR


def _bound(kern: Kernel, ifp: Ifnet) -> bytes:
    _bind(kern)
    return FAR


def _unbound(kern: Kernel, ifp: Ifnet) -> bytes:
    row = _bind(kern)
    kern.changes.take()
    mip6_bc.mip6_bc_remove(kern, row)
    assert not mip6_state(kern).mip6_bc_list
    return FAR


@pytest.mark.parametrize("change", [_clone, _neighbour, _host_route, _bound, _unbound])
def test_a_change_about_one_address_is_noted_by_it(
    kern: Kernel, change: Callable[[Kernel, Ifnet], bytes]
) -> None:
    with _noted(kern, everything=False):
        addr = change(kern, _fxp0(kern))
    assert addr in kern.changes.take()


def _prefix_route(kern: Kernel, ifp: Ifnet) -> None:
    rtrequest(kern, RTM_ADD, _addr("2001:db8:d::"), 64, PEER, 0x2, ifp)


def _no_prefix_route(kern: Kernel, ifp: Ifnet) -> None:
    rtrequest(kern, RTM_DELETE, _addr("2001:db8:e::"), 64)


def _gateway(kern: Kernel, ifp: Ifnet) -> None:
    rt = kern.rt.exact(_addr("2001:db8:e::"), 64)
    assert rt is not None
    rt.rt_gateway = LinkAddr(ifp.if_index)
    rt_changed(kern, rt)


def _address(kern: Kernel, ifp: Ifnet) -> None:
    in6_update_ifa(kern, ifp, _addr("2001:db8:1::2"), 64)


def _no_address(kern: Kernel, ifp: Ifnet) -> None:
    in6_purgeaddr(kern, kern.ip6.ifaddrs[OURS])


@pytest.mark.parametrize(
    "change", [_prefix_route, _no_prefix_route, _gateway, _address, _no_address]
)
def test_a_change_about_many_addresses_counts_for_all(
    kern: Kernel, change: Callable[[Kernel, Ifnet], None]
) -> None:
    with _noted(kern, everything=True):
        change(kern, _fxp0(kern))


@contextmanager
def _noted(kern: Kernel, *, everything: bool) -> Iterator[None]:
    kern.changes.take()
    gen, whole = kern.changes.gen, kern.changes.whole
    yield
    assert kern.changes.gen > gen
    assert (kern.changes.whole > whole) == everything


def _fxp0(kern: Kernel) -> Ifnet:
    ifp = kern.ifunit("fxp0")
    assert ifp is not None
    return ifp


def test_nothing_is_kept_where_nobody_asks(kern: Kernel) -> None:
    assert kern.changes.keys is None


def test_too_many_addresses_are_all_addresses() -> None:
    changes = Changes()
    assert changes.take() == []
    for i in range(KEYS_MAX + 1):
        changes.note(i.to_bytes(16, "big"))
    assert changes.whole == 1
    assert len(changes.take()) == KEYS_MAX
    changes.note(OURS)
    assert (changes.take(), changes.whole) == ([OURS], 1)
