# SPDX-License-Identifier: BSD-3-Clause
"""ICMPv6: pings, errors sent and their limits, errors received, the path MTU."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.clock import NS
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.kern.uipc_socket import socreate, soreceive
from kame_py.net.route import RTF_DYNAMIC, RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr, Ip6Rthdr0
from kame_py.wire.const import IPPROTO_ICMPV6, IPPROTO_ROUTING, IPPROTO_UDP
from kame_py.wire.patch import put_u16
from kame_py.wire.snap import INFINITE
from kame_py.wire.sockaddr import AF_INET6, SOCK_RAW
from tests.unit.netinet6.ip6_node import (
    PEER1,
    STRANGER,
    US1,
    US2,
    Node,
    addr,
    echo,
    echo_reply,
    error,
    fate,
    icmp6,
    ip6,
)
from tests.unit.netinet6.udp_node import udp

UNREACH, TOOBIG, TIMX, PARAMPROB = 1, 2, 3, 4
ALLNODES = addr("ff02::1")
RECEIVED = {"ip6.ip6s_total": 1, "ip6.ip6s_delivered": 1}  # counters of each good packet to us


def message(kind: int, code: int = 0, body: bytes = bytes(4), src: bytes = PEER1) -> bytes:
    """An ICMPv6 packet to US1: type, code, and what follows the checksum."""
    return ip6(icmp6(src, US1, bytes((kind, code, 0, 0)) + body), IPPROTO_ICMPV6, src)


def datagram(src: bytes = US1, dst: bytes = STRANGER, dport: int = 9) -> bytes:
    """A UDP datagram as an error quotes it."""
    return ip6(bytes((0, 7, 0, dport, 0, 8, 0, 0)), IPPROTO_UDP, src, dst)


def report(quoted: bytes, kind: int, code: int = 0, param: int = 0) -> bytes:
    """An error from PEER1 to US1."""
    return error(quoted, kind, code, param, PEER1, US1)


def routed() -> Node:
    """A node whose default route is PEER1."""
    node = Node()
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER1, RTF_GATEWAY)
    return node


def icmp6_ifcounters(node: Node) -> dict[str, int]:
    return {k: v for k, v in node.rip0.icmp6_ifstat.items() if v}


# -- pings ----------------------------------------------------------------------------------------


def test_echo_request_is_answered_with_its_octets() -> None:
    node = Node()
    m = node.receive(ip6(echo(data=b"0123456789"), IPPROTO_ICMPV6))
    assert fate(m) == (Fate.CONSUMED, "")
    assert node.sent() == [("rip0", echo_reply(b"0123456789"))]
    assert node.counters() == {
        "icmp6.icp6s_reflect": 1,
        "ip6.ip6s_localout": 1,
        **RECEIVED,
    }
    assert icmp6_ifcounters(node) == {
        "ifs6_in_msg": 1,
        "ifs6_in_echo": 1,
        "ifs6_out_msg": 1,
        "ifs6_out_echoreply": 1,
    }
    assert dict(node.kern.stats.icp6s_inhist) == {128: 1}
    assert node.kern.stats.icp6s_outhist[129] == 1


def test_answer_has_the_hop_limit_of_the_link() -> None:
    node = Node()
    node.rip0.ndi.chlim = 33
    node.receive(ip6(echo(), IPPROTO_ICMPV6))
    assert [Ip6Hdr.unpack(p).ip6_hlim for _, p in node.sent()] == [33]


def test_multicast_ping_is_answered_from_a_unicast_address() -> None:
    node = Node()
    node.receive(ip6(echo(dst=ALLNODES), IPPROTO_ICMPV6, dst=ALLNODES))
    assert node.sent() == [("rip0", echo_reply())]


def test_multicast_ping_is_not_answered_when_bmcastecho_is_off() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.icmp6.bmcastecho", 0)
    m = node.receive(ip6(echo(dst=ALLNODES), IPPROTO_ICMPV6, dst=ALLNODES))
    assert fate(m) == (Fate.DROPPED, "ICMP6_ECHOMCAST")
    assert node.sent() == []


def test_anycast_ping_is_answered_from_a_unicast_address() -> None:
    node = Node()
    anycast = addr("2001:db8:1::aaaa")
    in6_update_ifa(node.kern, node.rip0, anycast, 64, IN6_IFF_ANYCAST, INFINITE, INFINITE, None)
    node.quiet()
    node.receive(ip6(echo(dst=anycast), IPPROTO_ICMPV6, dst=anycast))
    assert node.sent() == [("rip0", echo_reply())]


def test_request_goes_to_raw_sockets_too_and_counts_as_used() -> None:
    node = Node()
    so = socreate(node.kern, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
    m = node.receive(ip6(echo(), IPPROTO_ICMPV6))
    assert fate(m) == (Fate.CONSUMED, "")
    assert soreceive(node.kern, so).data == echo()


def test_a_ping_from_nobody_is_not_answered() -> None:
    node = Node()
    nobody = bytes(16)
    m = node.receive(ip6(echo(src=nobody), IPPROTO_ICMPV6, nobody))
    assert fate(m) == (Fate.DROPPED, "ICMP6_NOSOCKET")
    assert "icmp6.icp6s_reflect" not in node.counters()


def test_bmcastecho_does_not_concern_unicast() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.icmp6.bmcastecho", 0)
    assert fate(node.receive(ip6(echo(), IPPROTO_ICMPV6))) == (Fate.CONSUMED, "")


def test_mobility_alone_may_use_a_message() -> None:
    node = Node()

    class Hooks(type(node.kern.mip6)):  # type: ignore[misc]  # the class of the Null object
        def icmp6_input(self, kern: Kernel, m: Mbuf, off: int) -> bool:
            return True

    node.kern.mip6 = Hooks()
    assert fate(node.receive(message(151, 0, bytes(4)))) == (Fate.CONSUMED, "")


def test_errors_count_on_their_interface() -> None:
    node = Node()
    node.receive(report(datagram(), UNREACH, 1))
    assert icmp6_ifcounters(node) == {
        "ifs6_in_msg": 1,
        "ifs6_in_error": 1,
        "ifs6_in_dstunreach": 1,
        "ifs6_in_adminprohib": 1,
    }
    node.quiet()
    node.receive(closed_port())
    assert icmp6_ifcounters(node) == {
        "ifs6_out_msg": 1,
        "ifs6_out_error": 1,
        "ifs6_out_dstunreach": 1,
    }


# -- what is wrong with a message -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "reason", "counters"),
    [
        (
            ip6(echo()[:7], IPPROTO_ICMPV6),
            "ICMP6_TOOSHORT",
            {"icmp6.icp6s_tooshort": 1},
        ),
        (
            ip6(put_u16(echo(), Icmp6Hdr.O_icmp6_cksum, 0), IPPROTO_ICMPV6),
            "ICMP6_CHECKSUM",
            {"icmp6.icp6s_checksum": 1},
        ),
        (message(PARAMPROB, 4), "ICMP6_BADCODE", {"icmp6.icp6s_badcode": 1}),
        (message(TIMX, 2), "ICMP6_BADCODE", {"icmp6.icp6s_badcode": 1}),
        (message(150, 1), "ICMP6_BADCODE", {"icmp6.icp6s_badcode": 1}),
        (message(137), "ICMP6_BADLEN", {"icmp6.icp6s_badlen": 1}),
        (message(130), "ICMP6_BADLEN", {"icmp6.icp6s_badlen": 1}),
        (message(UNREACH, 0, bytes(43)), "ICMP6_TOOSHORT", {"icmp6.icp6s_tooshort": 1}),
        (message(129), "ICMP6_NOSOCKET", {}),
        (message(199), "ICMP6_NOSOCKET", {}),
        (message(139, 0, bytes(12)), "ICMP6_NODEINFO", {}),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_bad_or_unwanted_message_is_dropped(
    packet: bytes, reason: str, counters: dict[str, int]
) -> None:
    node = Node()
    assert fate(node.receive(packet)) == (Fate.DROPPED, reason)
    assert node.counters() == {**RECEIVED, **counters}
    assert node.sent() == []


def test_bad_code_that_a_raw_socket_takes_is_delivered_and_counted() -> None:
    node = Node()
    socreate(node.kern, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
    assert fate(node.receive(message(150, 1))) == (Fate.DELIVERED, "")
    assert node.counters() == {"icmp6.icp6s_badcode": 1, **RECEIVED}


def test_mobility_uses_a_message_and_sockets_still_hear_of_the_error() -> None:
    node = routed()
    seen: list[int] = []
    told: list[int] = []

    class Hooks(type(node.kern.mip6)):  # type: ignore[misc]  # the class of the Null object
        def icmp6_input(self, kern: Kernel, m: Mbuf, off: int) -> bool:
            seen.append(off)
            return True

    node.kern.mip6 = Hooks()
    row = node.kern.inet6sw[IPPROTO_UDP]
    node.kern.inet6sw[IPPROTO_UDP] = type(row)(
        row.name, row.pr_input, True, lambda kern, ctl: told.append(ctl.cmd)
    )
    assert fate(node.receive(report(datagram(), UNREACH))) == (Fate.CONSUMED, "")
    assert (seen, told) == ([40], [UNREACH])


# -- errors that we send --------------------------------------------------------------------------


def closed_port(src: bytes = PEER1, dst: bytes = US1, size: int = 0) -> bytes:
    """A UDP datagram to a port where nobody listens."""
    return udp(b"x" * size, src=src, dst=dst)


def test_error_quotes_up_to_the_minimum_mtu() -> None:
    node = Node()
    packet = closed_port(size=1400)
    node.receive(packet)
    ((_, sent),) = node.sent()
    assert len(sent) == 1280
    assert sent == error(packet, UNREACH, 4)


def test_error_counts_by_kind() -> None:
    node = Node()
    node.receive(closed_port())
    assert node.counters() == {
        "icmp6.icp6s_error": 1,
        "icmp6.icp6s_odst_unreach_noport": 1,
        "icmp6.icp6s_reflect": 1,
        "ip6.ip6s_localout": 1,
        **RECEIVED,
        "udp6.udp6s_ipackets": 1,
        "udp6.udp6s_noport": 1,
    }


def unknown_header(src: bytes = PEER1, dst: bytes = US1, kind: int | None = None) -> bytes:
    """Next header 200; kind: an ICMPv6 message behind a routing header of type 99 instead."""
    if kind is None:
        return ip6(b"body", 200, src, dst)
    bad = Ip6Rthdr0(ip6r0_nxt=58, ip6r0_len=0, ip6r0_type=99, ip6r0_segleft=1).pack()
    return ip6(bad + bytes((kind, 0, 0, 0)) + bytes(4), IPPROTO_ROUTING, src, dst)


@pytest.mark.parametrize("kind", [UNREACH, TOOBIG, PARAMPROB, 100, 137])
def test_no_error_about_an_error_or_a_redirect(kind: int) -> None:
    node = Node()
    node.receive(unknown_header(kind=kind))
    assert node.sent() == []
    assert node.counters()["icmp6.icp6s_canterror"] == 1


def test_an_error_about_an_echo_request() -> None:
    node = Node()
    node.receive(unknown_header(kind=128))
    assert node.sent() == [("rip0", error(unknown_header(kind=128), PARAMPROB, 0, 42))]


@pytest.mark.parametrize(
    "packet",
    [
        unknown_header(dst=ALLNODES),  # to multicast
        unknown_header(src=bytes(16)),  # from nobody
    ],
    ids=["multicast", "unspecified"],
)
def test_no_error_where_the_rules_forbid_it(packet: bytes) -> None:
    node = Node()
    node.receive(packet)
    assert node.sent() == []


def test_no_error_to_an_anycast_source() -> None:
    node = Node()
    anycast = addr("2001:db8:1::aaaa")
    in6_update_ifa(node.kern, node.rip0, anycast, 64, IN6_IFF_ANYCAST, INFINITE, INFINITE, None)
    node.quiet()
    node.receive(unknown_header(src=anycast))
    node.kern.run_softintr()
    assert "icmp6.icp6s_reflect" not in node.counters()
    assert node.counters()["ip6.ip6s_total"] == 1


def test_errors_stop_at_errppslimit_until_the_second_is_over() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.icmp6.errppslimit", 3)
    start = node.clock.t
    for _ in range(5):
        node.receive(unknown_header())
    assert len(node.sent()) == 3
    assert node.counters()["icmp6.icp6s_toofreq"] == 2
    node.until(start + NS - 1)
    node.receive(unknown_header())
    assert node.sent() == []
    node.until(start + NS)
    node.receive(unknown_header())
    assert len(node.sent()) == 1


def test_errppslimit_zero_forbids_errors() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.icmp6.errppslimit", 0)
    node.receive(unknown_header())
    assert node.sent() == []


# -- errors that we receive -----------------------------------------------------------------------


def test_error_about_a_packet_that_is_not_ours_is_dropped() -> None:
    node = routed()
    m = node.receive(report(datagram(src=STRANGER), UNREACH))
    assert fate(m) == (Fate.DROPPED, "ICMP6_ERRORNOPCB")


def test_packet_too_big_makes_a_host_route_for_ten_minutes() -> None:
    node = routed()
    start = node.clock.t
    assert fate(node.receive(report(datagram(), TOOBIG, 0, 1400))) == (Fate.CONSUMED, "")
    rt = node.kern.rt.exact(STRANGER, 128)
    assert rt is not None
    assert (rt.rt_rmx.rmx_mtu, rt.rt_gateway) == (1400, PEER1)
    assert rt.rt_flags & (RTF_DYNAMIC | RTF_GATEWAY) == RTF_DYNAMIC | RTF_GATEWAY
    assert node.counters() == {"icmp6.icp6s_pmtuchg": 1, **RECEIVED}
    node.until(start + 600 * NS - 1)
    assert node.kern.rt.exact(STRANGER, 128) is rt
    node.until(start + 600 * NS)
    assert node.kern.rt.exact(STRANGER, 128) is None


def test_path_mtu_only_falls_and_each_fall_starts_the_time_again() -> None:
    node = routed()
    node.receive(report(datagram(), TOOBIG, 0, 1400))
    m = node.receive(report(datagram(), TOOBIG, 0, 1400))
    assert fate(m) == (Fate.DROPPED, "ICMP6_TOOBIGMTU")
    node.wait(599)
    node.receive(report(datagram(), TOOBIG, 0, 1300))
    node.wait(599)
    rt = node.kern.rt.exact(STRANGER, 128)
    assert rt is not None and rt.rt_rmx.rmx_mtu == 1300


@pytest.mark.parametrize("mtu", [0, 68, 1279, 1500, 0xFFFFFFFF])
def test_implausible_mtu_is_ignored_and_makes_no_route(mtu: int) -> None:
    node = routed()
    before = len(node.kern.rt)
    m = node.receive(report(datagram(), TOOBIG, 0, mtu))
    assert fate(m) == (Fate.DROPPED, "ICMP6_TOOBIGMTU")
    assert len(node.kern.rt) == before


def test_mtu_1280_is_believed() -> None:
    node = routed()
    assert fate(node.receive(report(datagram(), TOOBIG, 0, 1280))) == (Fate.CONSUMED, "")


def test_path_mtu_of_a_neighbour_ends_and_the_neighbour_stays() -> None:
    node = Node()
    on_link = addr("2001:db8:1::77")
    node.receive(report(datagram(dst=on_link), TOOBIG, 0, 1300))
    rt = node.kern.rt.exact(on_link, 128)
    assert rt is not None and rt.rt_rmx.rmx_mtu == 1300
    node.wait(600)
    assert node.kern.rt.exact(on_link, 128) is rt
    assert rt.rt_rmx.rmx_mtu == 0


def test_path_mtu_routes_are_limited_without_a_socket() -> None:
    node = routed()
    node.kern.sysctl.write("net.inet6.icmp6.mtudisc_lowat", 2)
    for i in range(3):
        node.receive(report(datagram(dst=STRANGER[:15] + bytes((i,))), TOOBIG, 0, 1400))
    assert len(node.kern.icmp6.mtudisc_routes) == 2
    assert node.kern.rt.exact(STRANGER[:15] + bytes((2,)), 128) is None


def test_path_mtu_belongs_to_the_last_address_of_a_routing_header() -> None:
    node = routed()
    rthdr = Ip6Rthdr0(ip6r0_nxt=17, ip6r0_len=2, ip6r0_segleft=1).pack() + STRANGER
    quoted = ip6(rthdr + bytes(8), IPPROTO_ROUTING, US1, addr("2001:db8:c0a::1"))
    node.receive(report(quoted, TOOBIG, 0, 1400))
    assert node.kern.rt.exact(STRANGER, 128) is not None
    assert node.kern.rt.exact(addr("2001:db8:c0a::1"), 128) is None


# -- anything -------------------------------------------------------------------------------------


@given(
    kind=st.sampled_from([1, 2, 3, 4, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 139, 150])
    | st.integers(0, 255),
    code=st.integers(0, 255),
    body=st.binary(max_size=160),
    hlim=st.sampled_from([1, 64, 255]),
)
def test_any_message_ends_with_one_fate(kind: int, code: int, body: bytes, hlim: int) -> None:
    node = Node()
    body = bytes((kind, code, 0, 0)) + body
    if len(body) >= Icmp6Hdr.SIZE:
        body = icmp6(PEER1, US1, body)
    m = node.receive(ip6(body, IPPROTO_ICMPV6, hlim=hlim))
    assert m.fate is not None


@given(
    quote=st.binary(max_size=120),
    kind=st.sampled_from([1, 2, 3, 4]),
    to=st.sampled_from([US1, US2]),
)
def test_any_quote_ends_with_one_fate(quote: bytes, kind: int, to: bytes) -> None:
    node = routed()
    for quoted in (quote, Ip6Hdr(ip6_nxt=43, ip6_src=to, ip6_dst=STRANGER).pack() + quote):
        assert node.receive(report(quoted, kind, 0, 1300)).fate is not None
