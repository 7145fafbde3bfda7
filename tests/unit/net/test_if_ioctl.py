# SPDX-License-Identifier: BSD-3-Clause
"""Requests about interfaces: flags, MTU, metric, link-layer address, media, life and death."""

from __future__ import annotations

import pytest

from kame_py.boot import boot, ether_attach
from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate, m_get
from kame_py.kern.uipc_socket import Socket, socreate, soreceive
from kame_py.net.if_ import IFF_LINK0, IFF_PROMISC, IFF_RUNNING, IFF_SIMPLEX, IFF_UP
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.netinet6.if_gif import gif_set_tunnel
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.wire import ioctl, rtmsg
from kame_py.wire.errno import EEXIST, EINVAL, ENXIO, EOPNOTSUPP, KError
from kame_py.wire.in6addr import pton
from kame_py.wire.ioctl import (
    SIOCGIFCONF,
    SIOCGIFFLAGS,
    SIOCGIFINFO_IN6,
    SIOCGIFMEDIA,
    SIOCGIFMETRIC,
    SIOCGIFMTU,
    SIOCIFCREATE,
    SIOCIFDESTROY,
    SIOCIFGCLONERS,
    SIOCSIFFLAGS,
    SIOCSIFLLADDR,
    SIOCSIFMETRIC,
    SIOCSIFMTU,
)
from kame_py.wire.rtmsg import IfAnnounceMsg, IfMsg
from kame_py.wire.snap import IfSnap, NdiSnap
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

    def errno(self, req: object) -> int:
        with pytest.raises(KError) as e:
            self(req)
        return e.value.errno

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


@pytest.mark.parametrize(
    "req",
    [
        SIOCGIFFLAGS("fxp9"),
        SIOCSIFFLAGS("fxp9", 1),
        SIOCGIFMTU("fxp9"),
        SIOCSIFMTU("fxp9", 1500),
        SIOCGIFMETRIC("fxp9"),
        SIOCSIFMETRIC("fxp9", 1),
        SIOCSIFLLADDR("fxp9", MAC),
        SIOCGIFMEDIA("fxp9"),
        SIOCIFDESTROY("fxp9"),
        ioctl.SIOCGIFSTAT_IN6("fxp9"),
        ioctl.SIOCGIFSTAT_ICMP6("fxp9"),
        ioctl.SIOCGIFINFO_IN6("fxp9"),
        ioctl.SIOCGIFADDRS_IN6("fxp9"),
        ioctl.SIOCAIFADDR_IN6("fxp9", addr("2001:db8::1")),
        ioctl.SIOCDIFADDR_IN6("fxp9", addr("2001:db8::1")),
        ioctl.SIOCSIFPHYADDR_IN6("fxp9", addr("2001:db8::1"), addr("2001:db8::2")),
    ],
    ids=lambda req: type(req).__name__,
)
def test_an_unknown_interface_is_no_device(box: Box, req: object) -> None:
    assert box.errno(req) == ENXIO


def test_every_request_has_somebody_who_answers(box: Box) -> None:
    requests = {v for k, v in vars(ioctl).items() if k.startswith("SIOC")}
    assert requests == set(box.kern.ioctlsw) & requests


def test_all_interfaces_in_the_order_of_their_index(box: Box) -> None:
    rows = box(SIOCGIFCONF())
    assert isinstance(rows, tuple)
    assert [(r.name, r.index, r.mtu, r.lladdr) for r in rows if isinstance(r, IfSnap)] == [
        ("lo0", 1, 16384, b""),
        ("fxp0", 2, 1500, MAC),
    ]


# -- flags ----------------------------------------------------------------------------------------


def test_only_changeable_flags_change(box: Box) -> None:
    flags = box(SIOCGIFFLAGS("fxp0"))
    assert isinstance(flags, int)
    box(SIOCSIFFLAGS("fxp0", (flags | IFF_LINK0) & ~IFF_SIMPLEX & ~IFF_RUNNING))
    assert box(SIOCGIFFLAGS("fxp0")) == flags | IFF_LINK0


def test_down_forgets_and_up_configures(box: Box) -> None:
    flags = box.fxp0.if_flags
    box(SIOCSIFFLAGS("fxp0", 0))
    assert box(SIOCGIFFLAGS("fxp0")) == flags & ~IFF_UP
    box.heard()
    box(SIOCSIFFLAGS("fxp0", IFF_UP))
    assert box(SIOCGIFFLAGS("fxp0")) == flags
    assert [m.ifm_flags & IFF_UP for m in box.heard() if isinstance(m, IfMsg)] == [IFF_UP]


def test_first_up_gives_the_link_local_address(box: Box) -> None:
    fxp1 = ether_attach(box.kern, "fxp1", bytes.fromhex("02005e000002"))
    assert not fxp1.in6_addrs
    box(SIOCSIFFLAGS("fxp1", IFF_UP))
    assert [ia.ia_addr for ia in fxp1.in6_addrs] == [addr("fe80:3::5eff:fe00:2")]


def test_a_flag_beside_up_is_announced_once_and_nothing_twice(box: Box) -> None:
    box.heard()
    box(SIOCSIFFLAGS("fxp0", box.fxp0.if_flags | IFF_PROMISC))
    box(SIOCSIFFLAGS("fxp0", box.fxp0.if_flags))
    assert len(box.heard()) == 1


# -- MTU and metric -------------------------------------------------------------------------------


@pytest.mark.parametrize("mtu", [0, 1279, 65536, -1])
def test_an_mtu_that_ipv6_cannot_use_is_refused(box: Box, mtu: int) -> None:
    assert box.errno(SIOCSIFMTU("fxp0", mtu)) == EINVAL
    assert box(SIOCGIFMTU("fxp0")) == 1500


@pytest.mark.parametrize("mtu", [1280, 65535])
def test_the_mtu_bounds_what_routers_may_say(box: Box, mtu: int) -> None:
    box(SIOCSIFMTU("fxp0", mtu))
    assert box(SIOCGIFMTU("fxp0")) == mtu
    info = box(SIOCGIFINFO_IN6("fxp0"))
    assert isinstance(info, NdiSnap)
    assert (info.maxmtu, info.linkmtu) == (mtu, mtu)


def test_the_metric_is_kept_and_negative_ones_are_refused(box: Box) -> None:
    box(SIOCSIFMETRIC("fxp0", 7))
    assert box.errno(SIOCSIFMETRIC("fxp0", -1)) == EINVAL
    assert box.errno(SIOCSIFMETRIC("fxp0", 1 << 31)) == EINVAL
    assert box(SIOCGIFMETRIC("fxp0")) == 7


# -- link layer -----------------------------------------------------------------------------------


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


@pytest.mark.parametrize("mac", ["", "02005e0000", "02005e00000000", "33330000aaaa"])
def test_link_addresses_that_no_card_can_have_are_refused(box: Box, mac: str) -> None:
    assert box.errno(SIOCSIFLLADDR("fxp0", bytes.fromhex(mac))) == EINVAL
    assert box.fxp0.if_hwaddr == MAC


def test_the_loopback_has_neither_link_address_nor_media(box: Box) -> None:
    assert box.errno(SIOCSIFLLADDR("lo0", MAC)) == EINVAL
    assert box.errno(SIOCGIFMEDIA("lo0")) == EINVAL


def test_media_is_the_carrier(box: Box) -> None:
    assert box(SIOCGIFMEDIA("fxp0")) is True
    box.fxp0.carrier = False
    assert box(SIOCGIFMEDIA("fxp0")) is False


# -- cloned interfaces ----------------------------------------------------------------------------


def test_tunnels_can_be_made_by_name_or_by_driver(box: Box) -> None:
    assert box(SIOCIFGCLONERS()) == ("gif",)
    assert box(SIOCIFCREATE("gif1")) == "gif1"
    assert box(SIOCIFCREATE("gif")) == "gif0"
    assert box(SIOCIFCREATE("gif")) == "gif2"
    assert box.errno(SIOCIFCREATE("gif2")) == EEXIST
    arrived = [m.ifan_name for m in box.heard() if isinstance(m, IfAnnounceMsg)]
    assert arrived == ["gif1", "gif0", "gif2"]


@pytest.mark.parametrize("name", ["", "fxp1", "7", "gif01", "gif32768", "gif99999999999", "gif-1"])
def test_names_that_no_driver_makes_are_refused(box: Box, name: str) -> None:
    assert box.errno(SIOCIFCREATE(name)) == EINVAL


def test_a_real_card_cannot_be_destroyed(box: Box) -> None:
    assert box.errno(SIOCIFDESTROY("fxp0")) == EOPNOTSUPP
    assert box.kern.ifunit("fxp0") is box.fxp0


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
