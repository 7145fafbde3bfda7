# SPDX-License-Identifier: BSD-3-Clause
"""Requests about interfaces, and the tables that programs read."""

from __future__ import annotations

import pytest

from kame_py.kern.kernel import Kernel
from kame_py.kern.uipc_socket import sobind, socreate, soreceive
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.net.if_ import IFF_PROMISC, IFF_RUNNING, IFF_UP, Ifnet
from kame_py.net.if_ioctl import MAX_UNIT
from kame_py.net.route import RTM_ADD, rtrequest
from kame_py.wire import ioctl, rtmsg
from kame_py.wire.errno import EEXIST, EINVAL, ENXIO, EOPNOTSUPP, KError
from kame_py.wire.in6addr import pton
from kame_py.wire.rtmsg import IfAnnounceMsg, IfMsg
from kame_py.wire.snap import IfSnap, McastSnap, PcbSnap, RtSnap, StatSnap
from kame_py.wire.sockaddr import AF_INET6, AF_ROUTE, SOCK_DGRAM, SOCK_RAW, SockaddrIn6


def a(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


@pytest.fixture
def node() -> Node:
    world = World(1)
    node = world.add_node("n")
    node.attach("fxp0", world.add_link("lan"))
    world.run(3)
    return node


@pytest.fixture
def kern(node: Node) -> Kernel:
    return node.kernel


def do(kern: Kernel, req: object) -> object:
    return kern.ioctlsw[type(req)](kern, req)


def errno_of(kern: Kernel, req: object) -> int:
    with pytest.raises(KError) as caught:
        do(kern, req)
    return caught.value.errno


def unit(kern: Kernel, name: str) -> Ifnet:
    ifp = kern.ifunit(name)
    assert ifp is not None
    return ifp


@pytest.mark.parametrize(
    "req",
    [
        ioctl.SIOCGIFFLAGS("xl0"),
        ioctl.SIOCSIFFLAGS("xl0", 1),
        ioctl.SIOCGIFMTU("xl0"),
        ioctl.SIOCSIFMTU("xl0", 1500),
        ioctl.SIOCGIFMETRIC("xl0"),
        ioctl.SIOCSIFMETRIC("xl0", 1),
        ioctl.SIOCSIFLLADDR("xl0", bytes(6)),
        ioctl.SIOCGIFMEDIA("xl0"),
        ioctl.SIOCIFDESTROY("xl0"),
        ioctl.SIOCGIFSTAT_IN6("xl0"),
        ioctl.SIOCGIFSTAT_ICMP6("xl0"),
    ],
)
def test_an_unknown_interface_is_not_configured(kern: Kernel, req: object) -> None:
    assert errno_of(kern, req) == ENXIO


def test_only_flags_of_the_user_change(kern: Kernel) -> None:
    fxp0 = unit(kern, "fxp0")
    was = fxp0.if_flags
    do(kern, ioctl.SIOCSIFFLAGS("fxp0", IFF_UP | IFF_PROMISC))
    assert do(kern, ioctl.SIOCGIFFLAGS("fxp0")) == was | IFF_PROMISC
    do(kern, ioctl.SIOCSIFFLAGS("fxp0", 0))
    assert fxp0.if_flags == was & ~IFF_UP
    assert fxp0.if_flags & IFF_RUNNING
    do(kern, ioctl.SIOCSIFFLAGS("fxp0", IFF_UP))
    assert fxp0.if_flags == was


def test_down_and_up_are_told_once(kern: Kernel) -> None:
    so = socreate(kern, AF_ROUTE, SOCK_RAW, 0)
    do(kern, ioctl.SIOCSIFFLAGS("fxp0", 0))
    do(kern, ioctl.SIOCSIFFLAGS("fxp0", 0))
    do(kern, ioctl.SIOCSIFFLAGS("fxp0", IFF_UP))
    heard = [rtmsg.parse(soreceive(kern, so).data) for _ in range(len(so.so_rcv))]
    assert [bool(m.ifm_flags & IFF_UP) for m in heard if isinstance(m, IfMsg)] == [False, True]


@pytest.mark.parametrize("mtu", [1279, 65536, -1])
def test_mtu_outside_ipv6_is_refused(kern: Kernel, mtu: int) -> None:
    assert errno_of(kern, ioctl.SIOCSIFMTU("fxp0", mtu)) == EINVAL
    assert do(kern, ioctl.SIOCGIFMTU("fxp0")) == 1500


def test_a_new_mtu_replaces_what_a_router_said(kern: Kernel) -> None:
    fxp0 = unit(kern, "fxp0")
    fxp0.ndi.linkmtu = 1300
    do(kern, ioctl.SIOCSIFMTU("fxp0", 1500))  # no change, the router's word stands
    assert fxp0.ndi.linkmtu == 1300
    do(kern, ioctl.SIOCSIFMTU("fxp0", 9000))
    assert (fxp0.if_mtu, fxp0.ndi.linkmtu, fxp0.ndi.maxmtu) == (9000, 9000, 9000)


def test_metric(kern: Kernel) -> None:
    do(kern, ioctl.SIOCSIFMETRIC("fxp0", 3))
    assert do(kern, ioctl.SIOCGIFMETRIC("fxp0")) == 3


def test_a_link_layer_address_is_six_octets_of_one_station(node: Node, kern: Kernel) -> None:
    mac = bytes.fromhex("02a024000101")
    for bad in (b"", bytes(5), bytes.fromhex("0102030405ff"), bytes(7)):
        assert errno_of(kern, ioctl.SIOCSIFLLADDR("fxp0", bad)) == EINVAL
    assert errno_of(kern, ioctl.SIOCSIFLLADDR("lo0", mac)) == EINVAL
    do(kern, ioctl.SIOCSIFLLADDR("fxp0", mac))
    assert unit(kern, "fxp0").if_hwaddr == mac


def test_media_is_the_carrier_where_there_is_a_medium(node: Node, kern: Kernel) -> None:
    assert do(kern, ioctl.SIOCGIFMEDIA("fxp0")) is True
    node.unplug("fxp0")
    assert do(kern, ioctl.SIOCGIFMEDIA("fxp0")) is False
    assert errno_of(kern, ioctl.SIOCGIFMEDIA("lo0")) == EINVAL


# -- cloned interfaces --------------------------------------------------------------------------


def test_tunnels_take_the_first_free_number(kern: Kernel) -> None:
    assert do(kern, ioctl.SIOCIFGCLONERS()) == ("gif",)
    assert do(kern, ioctl.SIOCIFCREATE("gif1")) == "gif1"
    assert [do(kern, ioctl.SIOCIFCREATE("gif")) for _ in range(2)] == ["gif0", "gif2"]
    assert errno_of(kern, ioctl.SIOCIFCREATE("gif1")) == EEXIST


@pytest.mark.parametrize(
    "name", ["", "0", "fxp1", "gif01", "gifx", f"gif{MAX_UNIT + 1}", "gif" + "9" * 5000]
)
def test_what_cannot_be_created(kern: Kernel, name: str) -> None:
    assert errno_of(kern, ioctl.SIOCIFCREATE(name)) == EINVAL


def test_hardware_cannot_be_destroyed(kern: Kernel) -> None:
    assert errno_of(kern, ioctl.SIOCIFDESTROY("fxp0")) == EOPNOTSUPP


def test_a_destroyed_tunnel_leaves_nothing_behind(node: Node, kern: Kernel) -> None:
    before = tuple(rt.rt_key for rt in kern.rt), len(kern.ip6.ifaddrs), kern.ifnets[:]
    do(kern, ioctl.SIOCIFCREATE("gif0"))
    gif0 = unit(kern, "gif0")
    do(kern, ioctl.SIOCSIFPHYADDR_IN6("gif0", a("2001:db8::1"), a("2001:db8::2")))
    do(kern, ioctl.SIOCSIFFLAGS("gif0", IFF_UP))
    do(kern, ioctl.SIOCAIFADDR_IN6("gif0", a("2001:db8:5::1")))
    rtrequest(kern, RTM_ADD, a("2001:db8:6::"), 64, a("2001:db8:5::2"), 0x802, gif0)
    node.kick()
    node.world.run(10)
    so = socreate(kern, AF_ROUTE, SOCK_RAW, 0)
    do(kern, ioctl.SIOCIFDESTROY("gif0"))
    assert (tuple(rt.rt_key for rt in kern.rt), len(kern.ip6.ifaddrs), kern.ifnets) == before
    assert kern.ifbyindex(gif0.if_index) is None
    last = rtmsg.parse(so.so_rcv[-1].data)
    assert last == IfAnnounceMsg(gif0.if_index, "gif0", rtmsg.IFAN_DEPARTURE)
    do(kern, ioctl.SIOCIFCREATE("gif0"))
    assert unit(kern, "gif0").if_index > gif0.if_index  # an index is never used twice


# -- tables -------------------------------------------------------------------------------------


def table(kern: Kernel, name: str) -> tuple[object, ...]:
    rows = kern.sysctl.read(name)
    assert isinstance(rows, tuple)
    return rows


def test_interfaces_as_rows(kern: Kernel) -> None:
    rows = table(kern, "net.route.iflist")
    assert rows == do(kern, ioctl.SIOCGIFCONF())
    assert all(isinstance(row, IfSnap) for row in rows)
    assert [(r.name, r.index, r.mtu) for r in rows if isinstance(r, IfSnap)] == [
        ("lo0", 1, 16384),
        ("fxp0", 2, 1500),
    ]


def test_routes_show_addresses_without_zone_and_zones_beside_them(node: Node) -> None:
    node.run("route add -inet6 2001:db8:5:: -prefixlen 64 fe80::9%fxp0")
    rows = [r for r in table(node.kernel, "net.route.dump") if isinstance(r, RtSnap)]
    (static,) = [r for r in rows if r.dst == a("2001:db8:5::")]
    assert (static.gateway, static.gwzone, static.ifname) == (a("fe80::9"), "fxp0", "fxp0")
    (linklocal,) = [r for r in rows if r.dst == a("fe80::") and r.zone == "fxp0"]
    assert (linklocal.gateway, linklocal.link, linklocal.lladdr) == (None, "link#2", None)
    assert (linklocal.mtu, linklocal.expire) == (1500, None)


def test_sockets_as_rows(kern: Kernel) -> None:
    udp = socreate(kern, AF_INET6, SOCK_DGRAM, 0)
    linklocal = unit(kern, "fxp0").in6_addrs[0]
    sobind(kern, udp, SockaddrIn6(a("fe80::2a0:24ff:fe00:101"), 53, 2))
    assert linklocal.ia_addr != a("fe80::2a0:24ff:fe00:101")  # the kernel's form has the zone
    socreate(kern, AF_INET6, SOCK_RAW, 58)
    socreate(kern, AF_INET6, SOCK_RAW, 60)
    rows = [r for r in table(kern, "net.inet6.pcblist") if isinstance(r, PcbSnap)]
    assert [(r.proto, r.lport) for r in rows] == [("udp6", 53), ("icm6", 0), ("raw6", 0)]
    assert (rows[0].laddr, rows[0].lzone) == (a("fe80::2a0:24ff:fe00:101"), "fxp0")


def test_memberships_as_rows(kern: Kernel) -> None:
    rows = [r for r in table(kern, "net.inet6.ip6.multicast") if isinstance(r, McastSnap)]
    groups = [r.addr for r in rows if r.ifname == "fxp0"]
    assert groups == sorted(groups)
    assert a("ff02::1") in groups and a("ff02::1:ff00:101") in groups


def test_counters_as_rows(node: Node, kern: Kernel) -> None:
    node.run("ping6 -c 1 ::1")
    rows = [r for r in table(kern, "net.inet6.stats") if isinstance(r, StatSnap)]
    values = {(r.proto, r.member, r.key): r.value for r in rows}
    assert values[("icmp6", "icp6s_inhist", 128)] == 1
    assert values[("ip6", "ip6s_total", -1)] == kern.stats.ip6["ip6s_total"] > 0
    perif = do(kern, ioctl.SIOCGIFSTAT_IN6("lo0"))
    assert isinstance(perif, tuple)
    assert all(isinstance(r, StatSnap) and r.proto == "ip6" for r in perif)
    assert "ifs6_in_receive" in {r.member for r in perif}


def test_a_request_of_another_class_is_refused(kern: Kernel) -> None:
    with pytest.raises(KError) as caught:
        kern.ioctlsw[ioctl.SIOCGIFMTU](kern, ioctl.SIOCGIFFLAGS("fxp0"))
    assert caught.value.errno == EINVAL
