# SPDX-License-Identifier: BSD-3-Clause
"""route: what it asks the kernel for and what it prints."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kame_py.tools.route import TOOL
from kame_py.wire import rtmsg
from kame_py.wire.errno import EBUSY, EEXIST, ENETUNREACH, ENOBUFS, ESRCH
from kame_py.wire.in6addr import prefix_mask
from kame_py.wire.rtmsg import (
    RTM_ADD,
    RTM_CHANGE,
    RTM_DELETE,
    IfAnnounceMsg,
    IfMsg,
    RtAddrs,
    RtMetricsMsg,
    RtMsg,
    SockaddrDl,
)
from kame_py.wire.snap import RtSnap
from kame_py.wire.sockaddr import Received, SockaddrIn6
from tests.unit.tools.table_ops import Sent, TableOps, addr

GW = SockaddrIn6(addr("fe80::1"), scope_id=1)


@pytest.fixture
def ops() -> TableOps:
    tables = TableOps()
    reply(tables)
    return tables


def reply(tables: TableOps, errno: int = 0, **changes: object) -> None:
    """The kernel answers each message with itself, an error, or with members changed."""

    def on_send(sent: Sent) -> None:
        msg = rtmsg.parse(sent.data)
        assert isinstance(msg, RtMsg)
        msg = replace(msg, rtm_errno=errno, **changes)  # type: ignore[arg-type]  # members of RtMsg
        tables.inbox.append(Received(rtmsg.build(msg), SockaddrIn6()))

    tables.on_send = on_send


def sent(ops: TableOps) -> RtMsg:
    msg = rtmsg.parse(ops.sent[-1].data)
    assert isinstance(msg, RtMsg)
    return msg


@pytest.mark.parametrize(
    ("words", "line", "dst", "plen", "flags"),
    [
        (
            "add -inet6 2001:200:5:: -prefixlen 64 fe80::1%fxp0",
            "add net 2001:200:5::: gateway fe80::1%fxp0",
            *("2001:200:5::", 64, 0x803),
        ),
        (
            "add -inet6 default fe80::1%fxp0",
            "add net default: gateway fe80::1%fxp0",
            *("::", 0, 0x803),
        ),
        (
            "add -inet6 2001:200:5:: fe80::1%fxp0",
            "add net 2001:200:5::: gateway fe80::1%fxp0",
            *("2001:200:5::", 64, 0x803),
        ),
        (
            "add -inet6 -host 2001:200:5:: fe80::1%fxp0 -reject",
            "add host 2001:200:5::: gateway fe80::1%fxp0",
            *("2001:200:5::", 128, 0x80F),
        ),
        (
            "add 2001:200:5::9 -prefixlen 128 fe80::1%fxp0 -nostatic -proto1 -blackhole",
            "add host 2001:200:5::9: gateway fe80::1%fxp0",
            *("2001:200:5::9", 128, 0x9007),
        ),
        (
            "add 2001:200:5::9/48 fe80::1%fxp0 -proto2 -cloning -xresolve",
            "add net 2001:200:5::9/48: gateway fe80::1%fxp0",
            *("2001:200:5::", 48, 0x4B03),
        ),
    ],
)
def test_add(ops: TableOps, words: str, line: str, dst: str, plen: int, flags: int) -> None:
    assert ops.run(TOOL, *words.split()) == (0, line + "\n", "")
    msg = sent(ops)
    assert (msg.rtm_type, msg.addrs.dst, msg.addrs.plen()) == (
        RTM_ADD,
        SockaddrIn6(addr(dst)),
        plen,
    )
    assert (msg.rtm_flags, msg.addrs.gateway) == (flags, GW)


def test_add_through_an_interface(ops: TableOps) -> None:
    words = "add -inet6 2001:200:5:: -prefixlen 64 -interface fxp1 -cloning"
    assert ops.run(TOOL, *words.split()).out == "add net 2001:200:5::: gateway fxp1\n"
    assert sent(ops).addrs.gateway == SockaddrDl(2, 0, "fxp1")
    assert sent(ops).rtm_flags == 0x901


def test_metrics_and_locks(ops: TableOps) -> None:
    words = "change default fe80::1%fxp0 -lock -mtu 1400 -hopcount 3 -lockrest -rtt 7 -expire 99"
    assert ops.run(TOOL, *words.split()).status == 0
    msg = sent(ops)
    assert msg.rtm_type == RTM_CHANGE
    assert msg.rtm_inits == rtmsg.RTV_MTU | rtmsg.RTV_HOPCOUNT | rtmsg.RTV_RTT | rtmsg.RTV_EXPIRE
    locks = rtmsg.RTV_MTU | rtmsg.RTV_RTT | rtmsg.RTV_EXPIRE
    assert msg.rtm_rmx == RtMetricsMsg(
        rmx_locks=locks, rmx_mtu=1400, rmx_hopcount=3, rmx_rtt=7, rmx_expire=99
    )


def test_ifp_and_ifa(ops: TableOps) -> None:
    words = "add default fe80::1%fxp0 -ifp fxp1 -ifa 2001:db8::1"
    assert ops.run(TOOL, *words.split()).status == 0
    assert sent(ops).addrs.ifp == SockaddrDl(2, 0, "fxp1")
    assert sent(ops).addrs.ifa == SockaddrIn6(addr("2001:db8::1"))


@pytest.mark.parametrize(
    ("errno", "why"),
    [
        (ESRCH, "not in table"),
        (EBUSY, "entry in use"),
        (ENOBUFS, "routing table overflow"),
        (EEXIST, "File exists"),
        (ENETUNREACH, "Network is unreachable"),
    ],
)
def test_kernel_refuses(ops: TableOps, errno: int, why: str) -> None:
    reply(ops, errno)
    assert ops.run(TOOL, "delete", "-inet6", "default") == (
        1,
        f"delete net default: {why}\n",
        f"route: writing to routing socket: {why}\n",
    )
    assert sent(ops).rtm_type == RTM_DELETE


def test_get_in_bsd_layout(ops: TableOps) -> None:
    addrs = RtAddrs(
        SockaddrIn6(addr("2001:200:1:1::")),
        SockaddrDl(1),
        netmask=prefix_mask(64),
        ifp=SockaddrDl(1, 6, "fxp0", b""),
    )
    rmx = RtMetricsMsg(rmx_mtu=1500, rmx_locks=rtmsg.RTV_MTU, rmx_rtt=1700)
    reply(ops, addrs=addrs, rtm_flags=0x141, rtm_rmx=rmx)
    assert ops.run(TOOL, "-n", "get", "-inet6", "2001:200:1:1::9") == (
        0,
        "   route to: 2001:200:1:1::9\n"
        "destination: 2001:200:1:1::\n"
        "       mask: ffff:ffff:ffff:ffff::\n"
        "  interface: fxp0\n"
        "      flags: <UP,DONE,CLONING>\n"
        " recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire\n"
        "       0         0         0         2         0         0      1500L        0 \n",
        "",
    )


def test_get_through_a_gateway(ops: TableOps) -> None:
    addrs = RtAddrs(SockaddrIn6(), GW, netmask=bytes(16), ifp=SockaddrDl(1, 6, "fxp0", b""))
    reply(ops, addrs=addrs, rtm_flags=0x843)
    lines = ops.run(TOOL, "-n", "get", "2001:db8::9").out.splitlines()
    assert lines[1:6] == [
        "destination: default",
        "       mask: default",
        "    gateway: fe80::1%fxp0",
        "  interface: fxp0",
        "      flags: <UP,GATEWAY,DONE,STATIC>",
    ]


def test_get_as_json(ops: TableOps) -> None:
    addrs = RtAddrs(SockaddrIn6(), GW, netmask=bytes(16), ifp=SockaddrDl(1, 6, "fxp0", b""))
    reply(ops, addrs=addrs, rtm_flags=0x843)
    got = json.loads(ops.run(TOOL, "--json", "get", "2001:db8::9").out)
    assert (got["gateway"], got["interface"], got["prefixlen"]) == ("fe80::1%fxp0", "fxp0", 0)


def test_get_of_what_has_no_route(ops: TableOps) -> None:
    reply(ops, ESRCH)
    err = "route: writing to routing socket: not in table\n"
    assert ops.run(TOOL, "get", "2001:db8::1") == (1, "", err)


def test_flush_deletes_what_has_a_gateway(ops: TableOps) -> None:
    row = RtSnap(bytes(16), 0, "", GW.addr, "fxp0", "", None, 0x803, "fxp0", 0, None, 0, 0)
    link = replace(row, dst=addr("2001:db8::"), plen=64, gateway=None, link="link#1", flags=0x101)
    ops.sysctls["net.route.dump"] = (row, link)
    assert ops.run(TOOL, "flush") == (0, "default              fe80::1%fxp0         done\n", "")
    assert len(ops.sent) == 1 and sent(ops).addrs.plen() == 0


def test_monitor_prints_messages_until_a_signal(ops: TableOps) -> None:
    add = RtMsg(
        RTM_ADD,
        0x843,
        rtm_pid=101,
        rtm_seq=1,
        rtm_inits=rtmsg.RTV_MTU,
        addrs=RtAddrs(SockaddrIn6(), GW, netmask=bytes(16)),
    )
    up = IfMsg(0x8843, 1, addrs=RtAddrs(ifp=SockaddrDl(1, 6, "fxp0", bytes(range(6)))))
    for msg in (add, up, IfAnnounceMsg(4, "gif0", rtmsg.IFAN_ARRIVAL)):
        ops.inbox.append(Received(rtmsg.build(msg), SockaddrIn6()))
    ops.signals = ("INT",)
    date = "Sun Sep  9 01:46:45 2001"
    assert ops.run(TOOL, "-n", "monitor") == (
        130,
        f"\ngot message of size 152 on {date}\n"
        "RTM_ADD: Add Route: len 152, pid: 101, seq 1, errno 0, flags:<UP,GATEWAY,DONE,STATIC>\n"
        "locks:  inits: <mtu>\n"
        "sockaddrs: <DST,GATEWAY,NETMASK>\n"
        " default fe80::1%fxp0 default\n"
        f"\ngot message of size 152 on {date}\n"
        "RTM_IFINFO: iface status change: len 152, if# 1, "
        "flags:<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST>\n"
        "sockaddrs: <IFP>\n"
        " fxp0:0:1:2:3:4:5\n"
        f"\ngot message of size 24 on {date}\n"
        "RTM_IFANNOUNCE: iface arrival/departure: len 24, if# 4, what: arrival\n",
        "",
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("add 2001::zz fe80::1%fxp0", "2001::zz: bad value"),
        ("add default fe80::1%xl0", "fe80::1%xl0: bad value"),
        ("add 2001:db8:: -prefixlen 129 fe80::1%fxp0", "129: bad value"),
        ("add default fe80::1%fxp0 -mtu big", "big: bad value"),
        ("add -inet default 10.0.0.1", "-inet: only inet6 routes are supported"),
    ],
)
def test_bad_values_give_one_line(ops: TableOps, words: str, line: str) -> None:
    assert ops.run(TOOL, *words.split()) == (1, "", f"route: {line}\n")


def test_wrong_command_lines_give_usage_and_64(ops: TableOps) -> None:
    usage = "usage: route [-dnqtv] command [[modifiers] args]\n"
    assert ops.run(TOOL) == (64, "", usage)
    assert ops.run(TOOL, "frob") == (64, "", "route: bad keyword: frob\n" + usage)
    assert ops.run(TOOL, "add", "default") == (64, "", usage)


def test_quiet_and_test_send_or_print_nothing(ops: TableOps) -> None:
    assert ops.run(TOOL, "-q", "add", "default", "fe80::1%fxp0") == (0, "", "")
    assert len(ops.sent) == 1
    assert ops.run(TOOL, "-t", "add", "default", "fe80::1%fxp0").status == 0
    assert len(ops.sent) == 1
