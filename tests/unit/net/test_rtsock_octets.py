# SPDX-License-Identifier: BSD-3-Clause
"""The routing socket in octets, and which of its listeners hears what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_py.boot import boot, ether_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.uipc_socket import Socket, soclose, socreate, soreceive, sosend, sosetopt
from kame_py.net.route import RTF_GATEWAY, RTF_HOST, RTF_STATIC, RTF_UP, LinkAddr
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_carrier, if_down, if_up
from kame_py.wire import rtmsg
from kame_py.wire.errno import (
    EADDRNOTAVAIL,
    EINVAL,
    ENETUNREACH,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    ESRCH,
    KError,
)
from kame_py.wire.in6addr import IN6ADDR_ANY, prefix_mask, pton
from kame_py.wire.malformed import Malformed
from kame_py.wire.rtmsg import (
    IfaMsg,
    IfAnnounceMsg,
    IfMsg,
    RtAddrs,
    RtMetricsMsg,
    RtMsg,
    SockaddrDl,
)
from kame_py.wire.sockaddr import (
    AF_INET6,
    AF_ROUTE,
    SO_USELOOPBACK,
    SOCK_RAW,
    SOL_SOCKET,
    SockaddrIn6,
)

MAC = bytes.fromhex("02005e000001")
RTF_DONE = 0x40


def addr(text: str) -> bytes:
    got = pton(text)
    assert got is not None
    return got


NET = addr("2001:db8:5::")
GW = addr("2001:db8:1::9")


class Box:
    """A kernel with fxp0 (2001:db8:1::1/64) and one routing socket."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.kern: Kernel = boot("n", KernConf(gif=1), self.clock)
        self.kern.ip6.ip6_dad_count = 0
        self.fxp0 = ether_attach(self.kern, "fxp0", MAC)
        if_up(self.kern, self.fxp0)
        in6_update_ifa(self.kern, self.fxp0, addr("2001:db8:1::1"), 64)
        self.so = self.open()

    def open(self, family: int = 0) -> Socket:
        return socreate(self.kern, AF_ROUTE, SOCK_RAW, family)

    def heard(self, so: Socket | None = None) -> list[rtmsg.RouteMessage]:
        so = so or self.so
        out = []
        while so.so_rcv:
            msg = rtmsg.parse(soreceive(self.kern, so).data)
            assert not isinstance(msg, Malformed)
            out.append(msg)
        return out

    def ask(self, msg: RtMsg) -> RtMsg:
        """Send a request and answer what comes back for it."""
        self.heard()
        sosend(self.kern, self.so, rtmsg.build(msg))
        (got,) = self.heard()
        assert isinstance(got, RtMsg)
        return got

    def refused(self, msg: RtMsg) -> int:
        """Send a request that fails; the errno, which the answer must carry too."""
        self.heard()
        with pytest.raises(KError) as e:
            sosend(self.kern, self.so, rtmsg.build(msg))
        (got,) = self.heard()
        assert isinstance(got, RtMsg)
        assert got.rtm_errno == e.value.errno
        assert not got.rtm_flags & RTF_DONE
        return e.value.errno


@pytest.fixture
def box() -> Box:
    return Box()


def request(kind: int, dst: bytes, plen: int = 128, **addrs: object) -> RtMsg:
    mask = None if plen == 128 else prefix_mask(plen)
    return RtMsg(
        kind,
        RTF_UP | RTF_STATIC | (RTF_GATEWAY if "gateway" in addrs else 0),
        rtm_pid=7,
        rtm_seq=3,
        addrs=RtAddrs(rtmsg.user_sockaddr(dst), netmask=mask, **addrs),  # type: ignore[arg-type]  # by name
    )


def add(dst: bytes, plen: int, gateway: bytes) -> RtMsg:
    return request(rtmsg.RTM_ADD, dst, plen, gateway=rtmsg.user_sockaddr(gateway))


# -- the octets -----------------------------------------------------------------------------------


def test_rt_msghdr_with_two_addresses_and_a_mask() -> None:
    msg = RtMsg(
        rtmsg.RTM_ADD,
        rtm_flags=RTF_UP | RTF_GATEWAY,
        rtm_index=2,
        rtm_pid=0x1234,
        rtm_seq=1,
        rtm_inits=rtmsg.RTV_MTU,
        rtm_rmx=RtMetricsMsg(rmx_mtu=1280),
        addrs=RtAddrs(
            SockaddrIn6(NET),
            SockaddrIn6(addr("fe80::9"), scope_id=2),
            prefix_mask(64),
        ),
    )
    want = bytes.fromhex(
        "a400"  # rtm_msglen 164 = 92 + 28 + 28 + 16
        "05"  # rtm_version
        "01"  # rtm_type RTM_ADD
        "0200"  # rtm_index
        "0000"  # padding
        "03000000"  # rtm_flags UP, GATEWAY
        "07000000"  # rtm_addrs DST, GATEWAY, NETMASK
        "34120000"  # rtm_pid
        "01000000"  # rtm_seq
        "00000000"  # rtm_errno
        "00000000"  # rtm_use
        "01000000"  # rtm_inits RTV_MTU
        "00000000"  # rmx_locks
        "00050000"  # rmx_mtu 1280
        + "00000000"
        * 12  # hopcount .. pksent, four filler words
        + "1c"  # sin6_len 28
        "1c"  # sin6_family AF_INET6 28
        "0000"  # sin6_port
        "00000000"  # sin6_flowinfo
        "20010db8000500000000000000000000"  # sin6_addr
        "00000000"  # sin6_scope_id
        "1c1c000000000000"  # the gateway, as above
        "fe800002000000000000000000000009"  # the zone in its third and fourth octet
        "00000000"
        "10"  # the mask ends after 16 octets
        "ffffffffffffff"  # where length, family, port, flow label lie
        "ffffffffffffffff"  # 64 bits
    )
    assert rtmsg.build(msg) == want
    assert rtmsg.parse(want) == msg


def test_if_msghdr_and_its_link_address() -> None:
    data = rtmsg.IfDataMsg(ifi_type=6, ifi_addrlen=6, ifi_hdrlen=14, ifi_mtu=1500, ifi_ipackets=5)
    msg = IfMsg(0x8843, 2, data, RtAddrs(ifp=SockaddrDl(2, 6, "fxp0", MAC)))
    raw = rtmsg.build(msg)
    want = (
        "9800"  # ifm_msglen 152 = 96 + 56
        "05"  # ifm_version
        "0e"  # ifm_type RTM_IFINFO
        "10000000"  # ifm_addrs IFP
        "43880000"  # ifm_flags
        "0200"  # ifm_index
        "0000"  # padding
        "06"  # ifi_type IFT_ETHER
        "00"  # ifi_physical
        "06"  # ifi_addrlen
        "0e"  # ifi_hdrlen
        "0000"  # ifi_recvquota, ifi_xmitquota
        "0000"  # padding
        "dc050000"  # ifi_mtu
        "00000000"  # ifi_metric
        "00000000"  # ifi_baudrate
        "05000000"  # ifi_ipackets
    )
    assert raw.hex().startswith(want)
    link = (
        "36"  # sdl_len 54
        "12"  # sdl_family AF_LINK 18
        "0200"  # sdl_index
        "06"  # sdl_type
        "04"  # sdl_nlen
        "06"  # sdl_alen
        "00"  # sdl_slen
        "66787030"  # fxp0
        "02005e000001"
    )
    assert raw[rtmsg.IFM_HDRLEN :].hex() == link + "00" * 36 + "0000"  # the rest, padded to 56
    assert rtmsg.parse(raw) == msg


def test_ifa_msghdr_and_if_announcemsghdr() -> None:
    ifa = IfaMsg(rtmsg.RTM_NEWADDR, 0, 2, 1, RtAddrs(ifa=SockaddrIn6(GW)))
    head = (
        "3000"  # ifam_msglen 48 = 20 + 28
        "05"
        "0c"  # RTM_NEWADDR
        "20000000"  # ifam_addrs IFA
        "00000000"  # ifam_flags
        "0200"  # ifam_index
        "0000"
        "01000000"  # ifam_metric
    )
    assert rtmsg.build(ifa).hex().startswith(head)
    assert rtmsg.parse(rtmsg.build(ifa)) == ifa
    announce = IfAnnounceMsg(3, "gif0", rtmsg.IFAN_DEPARTURE)
    want = (
        "1800"  # ifan_msglen 24
        "05"
        "11"  # RTM_IFANNOUNCE
        "0300"  # ifan_index
        "67696630" + "00" * 12 + "0100"  # ifan_name, ifan_what
    )
    assert rtmsg.build(announce).hex() == want
    assert rtmsg.parse(bytes.fromhex(want)) == announce


def test_the_mask_of_the_default_route_has_no_octets() -> None:
    raw = rtmsg.build(RtMsg(rtmsg.RTM_GET, addrs=RtAddrs(SockaddrIn6(), netmask=bytes(16))))
    assert raw[rtmsg.RTM_HDRLEN + rtmsg.SIN6_LEN :] == bytes(4)
    msg = rtmsg.parse(raw)
    assert isinstance(msg, RtMsg)
    assert msg.addrs.plen() == 0


# -- requests -------------------------------------------------------------------------------------


def test_a_route_is_added_and_reported_as_done(box: Box) -> None:
    got = box.ask(add(NET, 48, GW))
    rt = box.kern.rt.exact(NET, 48)
    assert rt is not None
    assert (rt.rt_gateway, rt.rt_ifp) == (GW, box.fxp0)
    assert rt.rt_flags & (RTF_UP | RTF_GATEWAY | RTF_STATIC) == RTF_UP | RTF_GATEWAY | RTF_STATIC
    assert (got.rtm_pid, got.rtm_seq, got.rtm_errno) == (7, 3, 0)
    assert got.rtm_flags & RTF_DONE


def test_a_gateway_out_of_reach_is_refused(box: Box) -> None:
    assert box.refused(add(NET, 48, addr("2001:db8:99::1"))) == ENETUNREACH
    assert box.kern.rt.exact(NET, 48) is None


def test_a_host_is_not_its_own_gateway(box: Box) -> None:
    assert box.refused(add(GW, 128, GW)) == EADDRNOTAVAIL


def test_an_address_is_no_route_of_its_own_source(box: Box) -> None:
    ifa = SockaddrIn6(addr("2001:db8:1::77"))
    msg = request(rtmsg.RTM_ADD, NET, 48, gateway=SockaddrIn6(GW), ifa=ifa)
    assert box.refused(msg) == EADDRNOTAVAIL


def test_get_tells_gateway_interface_and_source(box: Box) -> None:
    box.ask(add(NET, 48, GW))
    got = box.ask(request(rtmsg.RTM_GET, addr("2001:db8:5:1::1"), ifp=SockaddrDl()))
    assert got.addrs.dst == SockaddrIn6(NET)
    assert got.addrs.plen() == 48
    assert got.addrs.gateway == SockaddrIn6(GW)
    assert got.addrs.ifp == SockaddrDl(box.fxp0.if_index, 6, "fxp0", MAC)
    ours = SockaddrIn6(addr("fe80::5eff:fe00:1"), scope_id=box.fxp0.if_index)
    assert got.addrs.ifa == ours  # on-link prefixes go by the link-local address, as in KAME
    assert got.rtm_index == box.fxp0.if_index


def test_get_without_interest_in_the_interface_does_not_name_it(box: Box) -> None:
    got = box.ask(request(rtmsg.RTM_GET, addr("2001:db8:1::5")))
    assert (got.addrs.ifp, got.addrs.ifa, got.rtm_index) == (None, None, 0)


def test_get_with_a_mask_means_that_route_alone(box: Box) -> None:
    box.ask(request(rtmsg.RTM_GET, addr("2001:db8:1::"), 64))
    assert box.refused(request(rtmsg.RTM_GET, addr("2001:db8:1::"), 63)) == ESRCH


def test_change_moves_the_gateway_and_keeps_the_route(box: Box) -> None:
    box.ask(add(NET, 48, GW))
    rt = box.kern.rt.exact(NET, 48)
    other = addr("2001:db8:1::8")
    box.ask(request(rtmsg.RTM_CHANGE, NET, 48, gateway=SockaddrIn6(other)))
    assert box.kern.rt.exact(NET, 48) is rt
    assert rt is not None
    assert rt.rt_gateway == other


def test_metrics_are_set_where_rtm_inits_says_so(box: Box) -> None:
    metrics = RtMetricsMsg(rmx_locks=rtmsg.RTV_MTU | rtmsg.RTV_RTT, rmx_mtu=1400, rmx_hopcount=9)
    msg = RtMsg(
        rtmsg.RTM_ADD,
        RTF_GATEWAY,
        rtm_inits=rtmsg.RTV_MTU,
        rtm_rmx=metrics,
        addrs=RtAddrs(SockaddrIn6(NET), SockaddrIn6(GW), prefix_mask(48)),
    )
    box.ask(msg)
    rt = box.kern.rt.exact(NET, 48)
    assert rt is not None
    assert (rt.rt_rmx.rmx_mtu, rt.rt_rmx.rmx_hopcount) == (1400, 0)
    assert rt.rt_rmx.rmx_locks == rtmsg.RTV_MTU


def test_expiry_is_real_time_outside_and_monotonic_inside(box: Box) -> None:
    real_s = box.clock.realtime() // NS + 100
    msg = RtMsg(
        rtmsg.RTM_ADD,
        RTF_GATEWAY,
        rtm_inits=rtmsg.RTV_EXPIRE,
        rtm_rmx=RtMetricsMsg(rmx_expire=real_s),
        addrs=RtAddrs(SockaddrIn6(NET), SockaddrIn6(GW), prefix_mask(48)),
    )
    box.ask(msg)
    rt = box.kern.rt.exact(NET, 48)
    assert rt is not None
    assert rt.rt_rmx.rmx_expire == box.clock.now() + 100 * NS
    assert box.ask(request(rtmsg.RTM_GET, NET, 48)).rtm_rmx.rmx_expire == real_s


def test_a_neighbour_is_entered_by_its_link_address(box: Box) -> None:
    peer = bytes.fromhex("02005e000009")
    link = SockaddrDl(box.fxp0.if_index, 6, "", peer)
    msg = RtMsg(rtmsg.RTM_ADD, RTF_HOST | RTF_STATIC, addrs=RtAddrs(SockaddrIn6(GW), link))
    box.ask(msg)
    rt = box.kern.rt.exact(GW, 128)
    assert rt is not None
    assert rt.rt_gateway == LinkAddr(box.fxp0.if_index, peer)
    assert rt.rt_llinfo is not None
    assert rt.rt_llinfo.ln_permanent


def test_a_scoped_gateway_reaches_the_kernel_with_its_zone(box: Box) -> None:
    gateway = SockaddrIn6(addr("fe80::9"), scope_id=box.fxp0.if_index)
    box.ask(request(rtmsg.RTM_ADD, IN6ADDR_ANY, 0, gateway=gateway))
    rt = box.kern.rt.lookup(addr("2001:db8:77::1"))
    assert rt is not None
    assert rt.rt_gateway == addr(f"fe80:{box.fxp0.if_index}::9")
    assert box.ask(request(rtmsg.RTM_GET, IN6ADDR_ANY, 0)).addrs.gateway == gateway


@pytest.mark.parametrize(
    ("kind", "offset", "octet", "errno"),
    [
        ("version", 2, 4, EPROTONOSUPPORT),
        ("type", 3, 0x77, EOPNOTSUPP),
        ("length", 0, 0xFF, EINVAL),
    ],
)
def test_a_bad_head_is_refused_and_nobody_hears(
    box: Box, kind: str, offset: int, octet: int, errno: int
) -> None:
    raw = bytearray(rtmsg.build(request(rtmsg.RTM_GET, GW)))
    raw[offset] = octet
    with pytest.raises(KError) as e:
        sosend(box.kern, box.so, bytes(raw))
    assert e.value.errno == errno, kind
    assert box.heard() == []


def test_messages_of_the_kernel_are_no_requests(box: Box) -> None:
    assert box.refused(RtMsg(rtmsg.RTM_MISS, addrs=RtAddrs(SockaddrIn6(GW)))) == EOPNOTSUPP
    with pytest.raises(KError) as e:
        sosend(box.kern, box.so, rtmsg.build(IfMsg(1, 1)))
    assert e.value.errno == EOPNOTSUPP


# -- who hears what -------------------------------------------------------------------------------


def test_every_routing_socket_hears_what_one_of_them_did(box: Box) -> None:
    other, inet6, alien = box.open(), box.open(AF_INET6), box.open(2)
    box.ask(add(NET, 48, GW))
    assert [type(m) for m in box.heard(other)] == [RtMsg]
    assert [type(m) for m in box.heard(inet6)] == [RtMsg]
    assert box.heard(alien) == []  # AF_INET, of which there is nothing to say


def test_a_program_may_be_deaf_to_its_own_requests(box: Box) -> None:
    other = box.open()
    sosetopt(box.kern, box.so, SOL_SOCKET, SO_USELOOPBACK, 0)
    sosend(box.kern, box.so, rtmsg.build(add(NET, 48, GW)))
    assert box.heard() == []
    assert len(box.heard(other)) == 1


def test_a_closed_socket_hears_nothing(box: Box) -> None:
    soclose(box.kern, box.so)
    assert box.kern.rtsock.sockets == []


def test_new_and_deleted_addresses_are_announced(box: Box) -> None:
    box.heard()
    in6_update_ifa(box.kern, box.fxp0, addr("2001:db8:2::1"), 64)
    news = [m for m in box.heard() if isinstance(m, IfaMsg)]
    assert [(m.ifam_type, m.ifam_index) for m in news] == [(rtmsg.RTM_NEWADDR, box.fxp0.if_index)]
    assert news[0].addrs.ifa == SockaddrIn6(addr("2001:db8:2::1"))
    assert news[0].addrs.plen() == 64


def test_carrier_and_flags_are_announced_to_sockets_of_no_family(box: Box) -> None:
    inet6 = box.open(AF_INET6)
    box.heard()
    if_carrier(box.kern, box.fxp0, up=False)
    if_down(box.kern, box.fxp0)
    told = [m for m in box.heard() if isinstance(m, IfMsg)]
    assert [m.ifm_flags & 1 for m in told] == [1, 0]
    assert not [m for m in box.heard(inet6) if isinstance(m, IfMsg)]


def test_a_full_socket_loses_messages_and_others_do_not(box: Box) -> None:
    small = box.open()
    small.so_rcvbuf = 400
    for _ in range(5):
        box.kern.rtsock.rt_ifmsg(box.fxp0)
    assert len(box.heard(small)) == 2  # of 152 octets each, and 28 for an address
    assert len([m for m in box.heard() if isinstance(m, IfMsg)]) == 5


# -- anything -------------------------------------------------------------------------------------


def sane(box: Box) -> None:
    """Every route names an interface that is there, and a gateway that its flags fit."""
    for rt in box.kern.rt:
        assert rt.rt_ifp in box.kern.ifnets
        assert isinstance(rt.rt_gateway, bytes) == bool(rt.rt_flags & RTF_GATEWAY)
        assert rtmsg.build(RtMsg(rtmsg.RTM_GET, addrs=RtAddrs(SockaddrIn6(rt.rt_key))))


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from([1, 2, 3, 4, 8]),
    bits=st.integers(0, 0xFF),
    flags=st.integers(0, 0x7FFFFFFF),
    inits=st.integers(0, 0xFFFFFFFF),
    rmx=st.lists(st.integers(0, 0xFFFFFFFF), min_size=10, max_size=10),
    parts=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([NET, GW, IN6ADDR_ANY, addr("fe80::1"), addr("2001:db8:1::1")]).map(
                lambda a: rtmsg.build_sockaddr(SockaddrIn6(a, scope_id=2))
            ),
            st.integers(0, 128).map(
                lambda n: (lambda m: m + bytes(-len(m) % 4))(rtmsg.build_mask(prefix_mask(n)))
            ),
            st.integers(0, 5).map(
                lambda i: rtmsg.build_sockaddr(SockaddrDl(i, 6, "", MAC)) + bytes(2)
            ),
        ),
        max_size=6,
    ),
)
def test_whatever_a_program_writes_is_done_or_refused(
    kind: int, bits: int, flags: int, inits: int, rmx: list[int], parts: list[bytes]
) -> None:
    box = Box()
    head = rtmsg.build(RtMsg(kind, flags, rtm_inits=inits, rtm_rmx=RtMetricsMsg(*rmx)))
    raw = bytearray(head + b"".join(parts))
    raw[0:2] = bytes([len(raw) & 0xFF, len(raw) >> 8])
    raw[12] = bits
    errno = box.kern.rtsock.route_output(bytes(raw))
    for msg in box.heard():
        if isinstance(msg, RtMsg) and msg.rtm_type == kind:
            assert msg.rtm_errno == errno
    sane(box)


@given(st.binary(max_size=200))
def test_parse_raises_on_nothing_and_builds_what_it_read(raw: bytes) -> None:
    framed = bytes([len(raw) + 4, 0, 5, raw[0] if raw else 0]) + raw
    msg = rtmsg.parse(framed)
    if not isinstance(msg, Malformed):
        again = rtmsg.parse(rtmsg.build(msg))
        assert not isinstance(again, Malformed)
