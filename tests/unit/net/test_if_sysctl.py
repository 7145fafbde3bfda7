# SPDX-License-Identifier: BSD-3-Clause
"""The tables that programs read, and the constants of the kernel."""

from __future__ import annotations

import pytest

from kame_py.boot import boot, ether_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.uipc_socket import sobind, socreate
from kame_py.net.if_ import Ifnet
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtalloc1, rtrequest
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netinet6.nd6 import nd6_cache_lladdr
from kame_py.wire.in6addr import pton
from kame_py.wire.ioctl import SIOCGIFSTAT_ICMP6, SIOCGIFSTAT_IN6
from kame_py.wire.snap import IfSnap, McastSnap, PcbSnap, RtSnap, StatSnap
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, SOCK_RAW, SockaddrIn6

MAC = bytes.fromhex("02005e000001")


def addr(text: str) -> bytes:
    got = pton(text)
    assert got is not None
    return got


OURS = addr("2001:db8:1::1")
PEER = addr("2001:db8:1::9")


@pytest.fixture
def kern() -> Kernel:
    kern = boot("box", KernConf(), VirtualClock())
    kern.ip6.ip6_dad_count = 0
    fxp0 = ether_attach(kern, "fxp0", MAC)
    if_up(kern, fxp0)
    in6_update_ifa(kern, fxp0, OURS, 64)
    return kern


def fxp0(kern: Kernel) -> Ifnet:
    return kern.ifnets[1]


def routes(kern: Kernel) -> dict[tuple[bytes, int, str], RtSnap]:
    rows = kern.sysctl.read("net.route.dump")
    assert isinstance(rows, tuple)
    return {(r.dst, r.plen, r.zone): r for r in rows if isinstance(r, RtSnap)}


# -- routes ---------------------------------------------------------------------------------------


def test_an_interface_route_shows_its_link(kern: Kernel) -> None:
    rt = routes(kern)[(addr("2001:db8:1::"), 64, "")]
    assert (rt.gateway, rt.link, rt.ifname, rt.lladdr) == (None, "link#2", "fxp0", None)
    assert (rt.mtu, rt.expire) == (1500, None)


def test_scopes_are_shown_beside_addresses_never_in_them(kern: Kernel) -> None:
    gateway = addr("fe80:2::9")
    rtrequest(kern, RTM_ADD, bytes(16), 0, gateway, RTF_GATEWAY)
    table = routes(kern)
    default = table[(bytes(16), 0, "")]
    assert (default.gateway, default.gwzone, default.link) == (addr("fe80::9"), "fxp0", "")
    assert (addr("fe80::"), 64, "fxp0") in table
    assert (addr("ff02::"), 32, "fxp0") in table or (addr("ff02::"), 16, "fxp0") in table
    assert not [
        dst for dst, _, _ in table if dst[:2] in (b"\xfe\x80", b"\xff\x02") and any(dst[2:4])
    ]


def test_a_neighbour_shows_its_link_address_once_it_is_known(kern: Kernel) -> None:
    assert rtalloc1(kern, PEER) is not None
    rt = routes(kern)[(PEER, 128, "")]
    assert (rt.link, rt.lladdr, rt.linkif) == ("link#2", b"", "fxp0")
    nd6_cache_lladdr(kern, fxp0(kern), PEER, bytes.fromhex("02005e000009"), 135, 0)
    rt = routes(kern)[(PEER, 128, "")]
    assert rt.link == "2:0:5e:0:0:9"
    assert rt.lladdr == bytes.fromhex("02005e000009")


def test_our_own_address_leaves_by_the_loopback_and_belongs_to_the_card(kern: Kernel) -> None:
    rt = routes(kern)[(OURS, 128, "")]
    assert (rt.ifname, rt.linkif) == ("lo0", "fxp0")


def test_expiry_is_in_seconds_from_now(kern: Kernel) -> None:
    rt = rtrequest(kern, RTM_ADD, addr("2001:db8:5::"), 48, PEER, RTF_GATEWAY)
    rt.rt_rmx.rmx_expire = kern.now() + 90 * NS
    rt.rt_rmx.rmx_mtu = 1400
    row = routes(kern)[(addr("2001:db8:5::"), 48, "")]
    assert (row.expire, row.mtu) == (90, 1400)


# -- interfaces, groups, sockets ------------------------------------------------------------------


def test_the_interface_list_carries_the_counters(kern: Kernel) -> None:
    fxp0(kern).if_data.ifi_ipackets = 5
    fxp0(kern).if_data.ifi_obytes = 777
    rows = kern.sysctl.read("net.route.iflist")
    assert isinstance(rows, tuple)
    lo0, card = rows
    assert isinstance(lo0, IfSnap)
    assert isinstance(card, IfSnap)
    assert (lo0.name, lo0.carrier, card.name, card.carrier) == ("lo0", None, "fxp0", True)
    assert (card.ipackets, card.obytes) == (5, 777)


def test_memberships_with_their_counts(kern: Kernel) -> None:
    in6_update_ifa(kern, fxp0(kern), addr("2001:db8:2::1"), 64)
    rows = kern.sysctl.read("net.inet6.ip6.multicast")
    assert isinstance(rows, tuple)
    found = {(r.ifname, r.addr): r.refcount for r in rows if isinstance(r, McastSnap)}
    assert found[("fxp0", addr("ff02::1:ff00:1"))] == 3  # link-local and two global addresses
    assert ("fxp0", addr("ff02::1")) in found
    assert ("lo0", addr("ff01::1")) in found


def test_sockets_with_their_addresses_and_queues(kern: Kernel) -> None:
    udp = socreate(kern, AF_INET6, SOCK_DGRAM, 0)
    link_local = fxp0(kern).in6_addrs[0].ia_addr
    sobind(kern, udp, SockaddrIn6(link_local[:2] + bytes(2) + link_local[4:], 5353, scope_id=2))
    socreate(kern, AF_INET6, SOCK_RAW, 58)
    socreate(kern, AF_INET6, SOCK_RAW, 17)
    udp.so_rcv_cc = 123
    rows = kern.sysctl.read("net.inet6.pcblist")
    assert isinstance(rows, tuple)
    first, *others = (r for r in rows if isinstance(r, PcbSnap))
    assert (first.proto, first.recvq, first.lport, first.lzone) == ("udp6", 123, 5353, "fxp0")
    assert first.laddr == addr("fe80::5eff:fe00:1")
    assert (first.faddr, first.fport) == (bytes(16), 0)
    assert [r.proto for r in others] == ["icm6", "raw6"]


# -- counters -------------------------------------------------------------------------------------


def test_counters_and_histograms_have_their_protocol(kern: Kernel) -> None:
    kern.stats.ip6["ip6s_total"] = 3
    kern.stats.udp6["udp6s_ipackets"] = 4
    kern.stats.tcp6["tcps_rcvtotal"] = 5
    kern.stats.rip6["rip6s_ipackets"] = 6
    kern.stats.icp6s_inhist[128] = 7
    kern.stats.ip6s_nxthist[58] = 8
    rows = kern.sysctl.read("net.inet6.stats")
    assert isinstance(rows, tuple)
    for want in (
        StatSnap("ip6", "ip6s_total", -1, 3),
        StatSnap("udp6", "udp6s_ipackets", -1, 4),
        StatSnap("tcp6", "tcps_rcvtotal", -1, 5),
        StatSnap("rip6", "rip6s_ipackets", -1, 6),
        StatSnap("icmp6", "icp6s_inhist", 128, 7),
        StatSnap("ip6", "ip6s_nxthist", 58, 8),
    ):
        assert want in rows


def test_counters_of_one_interface(kern: Kernel) -> None:
    fxp0(kern).in6_ifstat["ifs6_in_receive"] = 2
    fxp0(kern).icmp6_ifstat["ifs6_in_echo"] = 1
    ip6 = kern.ioctlsw[SIOCGIFSTAT_IN6](kern, SIOCGIFSTAT_IN6("fxp0"))
    icmp6 = kern.ioctlsw[SIOCGIFSTAT_ICMP6](kern, SIOCGIFSTAT_ICMP6("fxp0"))
    assert isinstance(ip6, tuple)
    assert isinstance(icmp6, tuple)
    assert StatSnap("ip6", "ifs6_in_receive", -1, 2) in ip6
    assert StatSnap("icmp6", "ifs6_in_echo", -1, 1) in icmp6


def test_tables_are_left_out_of_a_listing_and_are_read_only(kern: Kernel) -> None:
    tables = [n for n in kern.sysctl.names() if isinstance(kern.sysctl.read(n), tuple)]
    assert "net.route.dump" in tables
    assert all(kern.sysctl.oid(n).opaque and kern.sysctl.oid(n).set is None for n in tables)


def test_the_kernel_names_itself(kern: Kernel) -> None:
    assert kern.sysctl.read("kern.ostype") == "FreeBSD"
    assert kern.sysctl.read("kern.hostname") == "box"
