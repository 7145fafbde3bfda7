# SPDX-License-Identifier: BSD-3-Clause
"""The routing socket: requests of programs, what the kernel tells, garbage."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.clock import NS
from kame_py.kern.kernel import Kernel
from kame_py.kern.uipc_socket import Socket, soclose, socreate, soreceive, sosend
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.net.route import (
    RTF_CLONING,
    RTF_DONE,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_LLINFO,
    RTF_PRCLONING,
    RTF_REJECT,
    RTF_STATIC,
    RTF_UP,
    RTM_DELETE,
    LinkAddr,
    rtalloc1,
    rtrequest,
)
from kame_py.netinet6.in6 import in6_purgeaddr, in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_carrier
from kame_py.wire import rtmsg
from kame_py.wire.errno import (
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EEXIST,
    EINVAL,
    ENETUNREACH,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    ESRCH,
    KError,
)
from kame_py.wire.in6addr import embed_zone, prefix_mask, pton
from kame_py.wire.rtmsg import (
    IfaMsg,
    IfMsg,
    RawSockaddr,
    RouteMessage,
    RtAddrs,
    RtMetricsMsg,
    RtMsg,
    Sockaddr,
    SockaddrDl,
)
from kame_py.wire.sockaddr import AF_ROUTE, SOCK_RAW, SockaddrIn6

MAC = bytes.fromhex("00a024000909")


def a(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


def sa(text: str, zone: int = 0) -> SockaddrIn6:
    return SockaddrIn6(a(text), scope_id=zone)


@pytest.fixture
def node() -> Node:
    return make_node()


def make_node() -> Node:
    world = World(1)
    node = world.add_node("n")
    node.attach("fxp0", world.add_link("lan"))
    world.run(3)
    node.run("ifconfig fxp0 inet6 2001:db8::1 prefixlen 64 alias")
    world.run(10)
    return node


class Prog:
    """A program with a routing socket."""

    def __init__(self, kern: Kernel) -> None:
        self.kern = kern
        self.so: Socket = socreate(kern, AF_ROUTE, SOCK_RAW, 0)

    def heard(self) -> list[RouteMessage]:
        out: list[RouteMessage] = []
        while self.so.so_rcv:
            msg = rtmsg.parse(soreceive(self.kern, self.so).data)
            assert isinstance(msg, RouteMessage), msg
            out.append(msg)
        return out

    def ask(self, msg: RtMsg) -> RtMsg:
        """Send and take the one answer."""
        raw = rtmsg.build(msg)
        assert sosend(self.kern, self.so, raw) == len(raw)
        (answer,) = self.heard()
        assert isinstance(answer, RtMsg)
        return answer

    def refused(self, msg: RtMsg) -> int:
        """The errno of a refusal, which every routing socket hears as well."""
        with pytest.raises(KError) as caught:
            sosend(self.kern, self.so, rtmsg.build(msg))
        (answer,) = self.heard()
        assert isinstance(answer, RtMsg)
        assert (answer.rtm_errno, answer.rtm_flags & RTF_DONE) == (caught.value.errno, 0)
        return caught.value.errno


@pytest.fixture
def prog(node: Node) -> Prog:
    return Prog(node.kernel)


def route(
    kind: int, dst: Sockaddr | None, plen: int, gateway: Sockaddr | None = None, flags: int = 0
) -> RtMsg:
    mask = None if plen == 128 else prefix_mask(plen)
    return RtMsg(kind, flags, rtm_seq=7, addrs=RtAddrs(dst, gateway, netmask=mask))


VIA = RTF_GATEWAY | RTF_STATIC


# -- requests -----------------------------------------------------------------------------------


def test_add_get_change_delete(node: Node, prog: Prog) -> None:
    kern = node.kernel
    dst = sa("2001:db8:5::")
    done = prog.ask(route(rtmsg.RTM_ADD, dst, 64, sa("fe80::9", 2), VIA))
    assert (done.rtm_seq, done.rtm_errno, done.rtm_flags) == (7, 0, VIA | RTF_DONE)
    rt = kern.rt.exact(dst.addr, 64)
    assert rt is not None
    assert (rt.rt_gateway, rt.rt_ifp.if_name) == (embed_zone(a("fe80::9"), 2), "fxp0")
    assert rt.rt_flags == RTF_UP | VIA | RTF_PRCLONING

    got = prog.ask(replace(route(rtmsg.RTM_GET, sa("2001:db8:5::77"), 128), rtm_addrs=0x30))
    assert got.addrs == RtAddrs(
        dst,
        sa("fe80::9", 2),
        prefix_mask(64),
        ifp=SockaddrDl(2, 6, "fxp0", bytes.fromhex("00a024000101")),
        ifa=got.addrs.ifa,
    )
    assert (got.rtm_index, got.rtm_flags) == (2, RTF_UP | VIA | RTF_PRCLONING | RTF_DONE)

    prog.ask(route(rtmsg.RTM_CHANGE, dst, 64, sa("2001:db8::8"), VIA))
    assert rt.rt_gateway == a("2001:db8::8")

    gone = prog.ask(route(rtmsg.RTM_DELETE, dst, 64))
    assert (gone.addrs.gateway, gone.rtm_flags & RTF_UP) == (sa("2001:db8::8"), 0)
    assert kern.rt.exact(dst.addr, 64) is None


@pytest.mark.parametrize(
    ("msg", "errno"),
    [
        (route(rtmsg.RTM_ADD, sa("2001:db8::"), 64, sa("2001:db8::2"), VIA), EEXIST),
        (route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64), EINVAL),
        (route(rtmsg.RTM_ADD, None, 64, sa("2001:db8::2"), VIA), EINVAL),
        (route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64, sa("2001:dead::1"), VIA), ENETUNREACH),
        (route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64, sa("2001:dead::1")), ENETUNREACH),
        (route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64, SockaddrDl(99)), ENETUNREACH),
        (route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64, SockaddrDl()), ENETUNREACH),
        (route(rtmsg.RTM_ADD, sa("2001:db8::5"), 128, sa("2001:db8::5"), VIA), EADDRNOTAVAIL),
        (route(rtmsg.RTM_ADD, RawSockaddr(2, bytes(14)), 64, sa("2001:db8::2")), EAFNOSUPPORT),
        (route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64, RawSockaddr(2, bytes(14))), EAFNOSUPPORT),
        (route(rtmsg.RTM_DELETE, sa("2001:db8:5::"), 64), ESRCH),
        (route(rtmsg.RTM_GET, sa("2001:db8::"), 60), ESRCH),
        (route(rtmsg.RTM_GET, sa("2002::1"), 128), ESRCH),
        (route(rtmsg.RTM_CHANGE, sa("2001:db8::"), 64, sa("2002::1"), VIA), ENETUNREACH),
        (route(rtmsg.RTM_CHANGE, sa("2001:db8::1"), 128, sa("2001:db8::2"), VIA), EINVAL),
        (route(rtmsg.RTM_MISS, sa("2001:db8::1"), 128), EOPNOTSUPP),
    ],
)
def test_refusals(prog: Prog, msg: RtMsg, errno: int) -> None:
    assert prog.refused(msg) == errno


def test_a_mask_with_holes_is_refused(prog: Prog) -> None:
    msg = route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64, sa("2001:db8::2"), VIA)
    msg = replace(msg, addrs=replace(msg.addrs, netmask=b"\xff\x00\xff" + bytes(13)))
    assert prog.refused(msg) == EINVAL


@pytest.mark.parametrize(
    ("raw", "errno"),
    [(b"", EINVAL), (b"\x04\x00\x05\x01", EINVAL), (b"\x04\x00\x04\x01", EPROTONOSUPPORT)],
)
def test_what_is_no_message_is_refused_in_silence(prog: Prog, raw: bytes, errno: int) -> None:
    with pytest.raises(KError) as caught:
        sosend(prog.kern, prog.so, raw)
    assert caught.value.errno == errno
    assert prog.heard() == []


def test_an_interface_route_by_link_address_or_by_own_address(node: Node, prog: Prog) -> None:
    kern = node.kernel
    ways: list[Sockaddr] = [SockaddrDl(2), SockaddrDl(sdl_name="fxp0"), sa("2001:db8::1")]
    for i, gateway in enumerate(ways):
        dst = sa(f"2001:db8:{i + 1}::")
        prog.ask(route(rtmsg.RTM_ADD, dst, 64, gateway, RTF_STATIC | RTF_CLONING))
        rt = kern.rt.exact(dst.addr, 64)
        assert rt is not None
        assert (rt.rt_gateway, rt.rt_ifp.if_name) == (LinkAddr(2), "fxp0")


def test_a_gateway_and_its_flag_never_disagree(node: Node, prog: Prog) -> None:
    dst = sa("2001:db8:5::")
    prog.ask(route(rtmsg.RTM_ADD, dst, 64, SockaddrDl(2), VIA))  # says gateway, names a link
    rt = node.kernel.rt.exact(dst.addr, 64)
    assert rt is not None
    assert rt.rt_flags == RTF_UP | RTF_STATIC | RTF_PRCLONING
    prog.ask(route(rtmsg.RTM_CHANGE, dst, 64, sa("2001:db8::2"), VIA))
    assert rt.rt_flags == RTF_UP | RTF_STATIC | RTF_PRCLONING | RTF_GATEWAY


def test_metrics_are_set_by_their_bits_and_locked(node: Node, prog: Prog) -> None:
    msg = route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64, sa("2001:db8::2"), VIA)
    rmx = RtMetricsMsg(rmx_mtu=1400, rmx_hopcount=3, rmx_locks=rtmsg.RTV_MTU | rtmsg.RTV_RTT)
    prog.ask(replace(msg, rtm_inits=rtmsg.RTV_MTU, rtm_rmx=rmx))
    prog.ask(replace(msg, rtm_type=rtmsg.RTM_LOCK, rtm_inits=rtmsg.RTV_MTU, rtm_rmx=rmx))
    got = prog.ask(route(rtmsg.RTM_GET, sa("2001:db8:5::"), 64))
    assert got.rtm_rmx == RtMetricsMsg(rmx_mtu=1400, rmx_locks=rtmsg.RTV_MTU)


def test_without_an_mtu_of_its_own_a_route_has_that_of_its_interface(
    node: Node, prog: Prog
) -> None:
    prog.ask(route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64, sa("2001:db8::2"), VIA))
    for dst in ("2001:db8:5::", "2001:db8::"):
        assert prog.ask(route(rtmsg.RTM_GET, sa(dst), 64)).rtm_rmx.rmx_mtu == 1500


def test_a_neighbour_entry_expires_at_its_real_time(node: Node, prog: Prog) -> None:
    kern = node.kernel
    until_s = kern.clock.realtime() // NS + 1200
    msg = RtMsg(
        rtmsg.RTM_ADD,
        RTF_HOST | RTF_STATIC | RTF_LLINFO,
        rtm_inits=rtmsg.RTV_EXPIRE,
        rtm_rmx=RtMetricsMsg(rmx_expire=until_s),
        addrs=RtAddrs(sa("2001:db8::9"), SockaddrDl(2, sdl_addr=MAC)),
    )
    prog.ask(msg)
    rt = kern.rt.exact(a("2001:db8::9"), 128)
    assert rt is not None
    assert rt.rt_gateway == LinkAddr(2, MAC)
    assert rt.rt_rmx.rmx_expire == kern.now() + 1200 * NS
    got = prog.ask(route(rtmsg.RTM_GET, sa("2001:db8::9"), 128))
    assert got.rtm_rmx.rmx_expire == until_s


def test_a_clone_makes_room_for_a_route_of_the_user(node: Node, prog: Prog) -> None:
    kern = node.kernel
    clone = rtalloc1(kern, a("2001:db8::9"))
    assert clone is not None and clone.rt_parent is not None
    prog.ask(route(rtmsg.RTM_ADD, sa("2001:db8::9"), 128, sa("2001:db8::2"), VIA))
    rt = kern.rt.exact(a("2001:db8::9"), 128)
    assert rt is not clone and rt is not None and rt.rt_gateway == a("2001:db8::2")


# -- what the kernel tells ----------------------------------------------------------------------


def test_every_routing_socket_hears_every_request(node: Node, prog: Prog) -> None:
    other = Prog(node.kernel)
    prog.ask(route(rtmsg.RTM_ADD, sa("2001:db8:5::"), 64, sa("2001:db8::2"), VIA))
    (heard,) = other.heard()
    assert isinstance(heard, RtMsg) and heard.rtm_type == rtmsg.RTM_ADD
    soclose(node.kernel, other.so)
    prog.ask(route(rtmsg.RTM_DELETE, sa("2001:db8:5::"), 64))
    assert node.kernel.rtsock.sockets == [prog.so]


def test_an_address_is_told_with_its_routes(node: Node, prog: Prog) -> None:
    kern = node.kernel
    fxp0 = kern.ifunit("fxp0")
    assert fxp0 is not None
    in6_update_ifa(kern, fxp0, a("2001:db8:7::1"), 64)
    heard = prog.heard()
    kinds = [m.rtm_type if isinstance(m, RtMsg) else 0 for m in heard]
    assert kinds == [rtmsg.RTM_ADD, rtmsg.RTM_ADD, 0]
    new = heard[-1]
    assert isinstance(new, IfaMsg) and new.ifam_type == rtmsg.RTM_NEWADDR
    assert (new.addrs.ifa, new.addrs.netmask) == (sa("2001:db8:7::1"), prefix_mask(64))
    in6_purgeaddr(kern, kern.ip6.ifaddrs[a("2001:db8:7::1")])
    gone = [m for m in prog.heard() if isinstance(m, IfaMsg)]
    assert [m.ifam_type for m in gone] == [rtmsg.RTM_DELADDR]


def test_neighbours_that_come_and_go_are_not_told(node: Node, prog: Prog) -> None:
    kern = node.kernel
    rt = rtalloc1(kern, a("2001:db8::9"))
    assert rt is not None
    rtrequest(kern, RTM_DELETE, rt.rt_key, 128)
    assert prog.heard() == []


def test_a_lookup_without_a_route_is_told(node: Node, prog: Prog) -> None:
    assert rtalloc1(node.kernel, a("2002::1")) is None
    (miss,) = prog.heard()
    assert isinstance(miss, RtMsg)
    assert (miss.rtm_type, miss.addrs) == (rtmsg.RTM_MISS, RtAddrs(sa("2002::1")))


def test_carrier_is_told(node: Node, prog: Prog) -> None:
    fxp0 = node.kernel.ifunit("fxp0")
    assert fxp0 is not None
    fxp0.if_data.ifi_ibytes = 2**40 + 5  # counters wrap at 32 bits
    if_carrier(node.kernel, fxp0, False)
    (heard,) = prog.heard()
    assert isinstance(heard, IfMsg)
    assert (heard.ifm_index, heard.ifm_flags) == (2, fxp0.if_flags)
    assert (heard.ifm_data.ifi_mtu, heard.ifm_data.ifi_ibytes) == (1500, 5)


def test_without_listeners_nothing_is_built(node: Node) -> None:
    assert rtalloc1(node.kernel, a("2002::1")) is None
    assert Prog(node.kernel).heard() == []


# -- garbage ------------------------------------------------------------------------------------

ADDRS = st.one_of(
    st.none(),
    st.sampled_from(["2001:db8::1", "2001:db8::", "::", "::1", "ff02::1", "2001:db8:5::"]).map(sa),
    st.tuples(st.sampled_from(["fe80::1", "ff02::1", "fe80::"]), st.integers(0, 3)).map(
        lambda t: sa(*t)
    ),
    st.binary(min_size=16, max_size=16).map(SockaddrIn6),
    st.builds(SockaddrDl, st.integers(0, 3), st.just(6), st.just(""), st.sampled_from([b"", MAC])),
    st.just(RawSockaddr(2, bytes(14))),
)
MASKS = st.one_of(
    st.none(),
    st.sampled_from([0, 10, 64, 127, 128]).map(prefix_mask),
    st.binary(min_size=16, max_size=16),
)
REQUESTS = st.builds(
    RtMsg,
    st.sampled_from([rtmsg.RTM_ADD, rtmsg.RTM_DELETE, rtmsg.RTM_CHANGE, rtmsg.RTM_GET, 8]),
    st.one_of(st.sampled_from([0, VIA, RTF_REJECT | VIA]), st.integers(0, 0x7FFFFFFF)),
    rtm_inits=st.sampled_from([0, 0x7F, 0xFFFFFFFF]),
    rtm_rmx=st.builds(RtMetricsMsg, *[st.sampled_from([0, 1, 1280, 0xFFFFFFFF])] * 10),
    addrs=st.builds(RtAddrs, ADDRS, ADDRS, MASKS, MASKS, ADDRS, ADDRS),
    rtm_addrs=st.sampled_from([0, 0xFF, 0x30]),
)


@given(st.lists(REQUESTS, min_size=1, max_size=6))
def test_no_request_raises_and_the_kernel_goes_on(requests: list[RtMsg]) -> None:
    node = make_node()
    kern = node.kernel
    for msg in requests:
        kern.rtsock.route_output(rtmsg.build(msg))
        for dst in (msg.addrs.dst, msg.addrs.gateway):
            if isinstance(dst, SockaddrIn6):
                zone = f"%{kern.ifnets[dst.scope_id - 1].if_name}" if 0 < dst.scope_id < 3 else ""
                where = ":".join(dst.addr.hex()[i : i + 4] for i in range(0, 32, 4)) + zone
                node.start(f"ping6 -c 2 {where}")
    node.start("netstat -rn -f inet6; ndp -an")
    node.world.run_for(20)
    assert [p.exception for p in node.processes.crashed] == []
    assert kern.created == sum(kern.fates.values())


@given(st.binary(max_size=200), st.integers(0, 20))
def test_no_octets_raise(body: bytes, kind: int) -> None:
    raw = (len(body) + 4).to_bytes(2, "little") + bytes((5, kind)) + body
    assert NODE.kernel.rtsock.route_output(raw) >= 0


NODE = make_node()
