# SPDX-License-Identifier: BSD-3-Clause
"""Interfaces come, change and go: what is left of them in the rest of the kernel."""

from __future__ import annotations

import pytest

from kame_py.boot import boot, ether_attach
from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate, m_get
from kame_py.kern.uipc_socket import Socket, socreate, soreceive
from kame_py.net.if_ import IFF_UP
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.netinet6.if_gif import gif_set_tunnel
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.wire import ioctl, rtmsg
from kame_py.wire.in6addr import pton
from kame_py.wire.ioctl import (
    SIOCIFCREATE,
    SIOCIFDESTROY,
    SIOCSIFFLAGS,
    SIOCSIFLLADDR,
)
from kame_py.wire.rtmsg import IfAnnounceMsg
from kame_py.wire.sockaddr import AF_ROUTE, SOCK_RAW

MAC = bytes.fromhex("02005e000001")


def addr(text: str) -> bytes:
    got = pton(text)
    assert got is not None
    return got


class Box:
    """A kernel with fxp0, up, and a program that listens to its routing socket."""

    def __init__(self) -> None:
        self.kern: Kernel = boot("n", KernConf(), VirtualClock())
        self.kern.ip6.ip6_dad_count = 0
        self.fxp0 = ether_attach(self.kern, "fxp0", MAC)
        if_up(self.kern, self.fxp0)
        self.so: Socket = socreate(self.kern, AF_ROUTE, SOCK_RAW, 0)

    def __call__(self, req: object) -> object:
        answer = self.kern.ioctlsw[type(req)](self.kern, req)
        self.kern.run_softintr()
        return answer

    def heard(self) -> list[object]:
        out: list[object] = []
        while self.so.so_rcv:
            out.append(rtmsg.parse(soreceive(self.kern, self.so).data))
        return out

    def sent(self) -> list[bytes]:
        return [frame for _, frame, _ in self.kern.poll_tx()]


@pytest.fixture
def box() -> Box:
    return Box()


#: Requests that only a kernel with options MIP6 answers.
MOBILITY = {"SIOCSMIP6CFG", "SIOCGBC", "SIOCSUNUSEHA", "SIOCDUNUSEHA"}


def of_mobility(name: str) -> bool:
    return name in MOBILITY or name.endswith("_HIF")


def test_every_request_has_somebody_who_answers(box: Box) -> None:
    requests = {v for k, v in vars(ioctl).items() if k.startswith("SIOC") and isinstance(v, type)}
    silent = {v.__name__ for v in requests - set(box.kern.ioctlsw)}
    assert {name for name in silent if not of_mobility(name)} == set()


def test_first_up_gives_the_link_local_address(box: Box) -> None:
    fxp1 = ether_attach(box.kern, "fxp1", bytes.fromhex("02005e000002"))
    assert not fxp1.in6_addrs
    box(SIOCSIFFLAGS("fxp1", IFF_UP))
    assert [ia.ia_addr for ia in fxp1.in6_addrs] == [addr("fe80:3::5eff:fe00:2")]


def test_a_new_link_address_is_used_and_told_to_the_neighbours(box: Box) -> None:
    in6_update_ifa(box.kern, box.fxp0, addr("2001:db8::1"), 64)
    box.kern.run_softintr()
    box.sent()
    new = bytes.fromhex("02005e0000aa")
    box(SIOCSIFLLADDR("fxp0", new))
    assert box.fxp0.if_hwaddr == new
    frames = box.sent()
    assert len(frames) == 2  # one for each address
    assert all(new in frame[6:12] and frame.endswith(new) for frame in frames)


# -- cloned interfaces ----------------------------------------------------------------------------


def test_a_destroyed_tunnel_leaves_nothing_behind(box: Box) -> None:
    kern = box.kern
    in6_update_ifa(kern, box.fxp0, addr("2001:db8::1"), 64)
    before = list(kern.rt)
    box(SIOCIFCREATE("gif0"))
    gif0 = kern.ifunit("gif0")
    assert gif0 is not None
    gif_set_tunnel(kern, gif0, addr("2001:db8::1"), addr("2001:db8::2"))
    box(SIOCSIFFLAGS("gif0", IFF_UP))
    in6_update_ifa(kern, gif0, addr("2001:db8:9::1"), 64)
    net = addr("2001:db8:a::")
    rtrequest(kern, RTM_ADD, net, 48, addr("2001:db8:9::2"), RTF_GATEWAY)
    box.heard()
    box(SIOCIFDESTROY("gif0"))
    assert [rt for rt in kern.rt if rt.rt_parent is None] == before  # the far end is cached
    assert not any(rt.rt_ifp is gif0 for rt in kern.rt)
    assert kern.ifunit("gif0") is None
    assert kern.ifbyindex(gif0.if_index) is None
    assert not any(ia.ia_ifp is gif0 for ia in kern.ip6.ifaddrs.values())
    went = [m for m in box.heard() if isinstance(m, IfAnnounceMsg)]
    assert [(m.ifan_name, m.ifan_what) for m in went] == [("gif0", rtmsg.IFAN_DEPARTURE)]


def test_an_index_is_not_used_twice(box: Box) -> None:
    box(SIOCIFCREATE("gif0"))
    box(SIOCIFDESTROY("gif0"))
    box(SIOCIFCREATE("gif0"))
    gif0 = box.kern.ifunit("gif0")
    assert gif0 is not None
    assert gif0.if_index == 4
    assert box.kern.ifbyindex(3) is None
    assert box.kern.ifbyindex(4) is gif0


def test_a_packet_for_a_destroyed_tunnel_is_refused_not_sent(box: Box) -> None:
    kern = box.kern
    in6_update_ifa(kern, box.fxp0, addr("2001:db8::1"), 64)
    box(SIOCIFCREATE("gif0"))
    gif0 = kern.ifunit("gif0")
    assert gif0 is not None
    box(SIOCSIFFLAGS("gif0", IFF_UP))
    in6_update_ifa(kern, gif0, addr("2001:db8:9::1"), 64)
    box(SIOCIFDESTROY("gif0"))
    src, dst = addr("2001:db8::1"), addr("2001:db8:9::2")
    m = m_get(kern, ip6_pkt(src, dst, 59, b"", 64))
    m.src, m.dst = src, dst
    assert ip6_output(kern, m) != 0
    assert m.fate is Fate.DROPPED
