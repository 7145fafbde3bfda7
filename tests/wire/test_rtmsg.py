# SPDX-License-Identifier: BSD-3-Clause
"""Octets of routing socket messages, as FreeBSD 4 on i386 lays them out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.wire import rtmsg
from kame_py.wire.in6addr import prefix_mask, pton
from kame_py.wire.malformed import Malformed
from kame_py.wire.rtmsg import (
    IfaMsg,
    IfAnnounceMsg,
    IfDataMsg,
    IfMsg,
    RawSockaddr,
    RtAddrs,
    RtMetricsMsg,
    RtMsg,
    SockaddrDl,
)
from kame_py.wire.sockaddr import SockaddrIn6


def a(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


def octets(*rows: str) -> bytes:
    """Hexadecimal rows; what follows # is for the reader."""
    return bytes.fromhex("".join(row.partition("#")[0] for row in rows))


ADD = octets(
    "9400 05 01            # rtm_msglen 148, rtm_version 5, rtm_type RTM_ADD",
    "0200 0000             # rtm_index 2, padding",
    "03080000              # rtm_flags UP GATEWAY STATIC",
    "07000000              # rtm_addrs DST GATEWAY NETMASK",
    "e7000000 09000000     # rtm_pid 231, rtm_seq 9",
    "00000000 00000000     # rtm_errno, rtm_use",
    "01000000              # rtm_inits RTV_MTU",
    "00000000 dc050000     # rmx_locks, rmx_mtu 1500",
    "00000000 00000000     # rmx_hopcount, rmx_expire",
    "00000000 00000000     # rmx_recvpipe, rmx_sendpipe",
    "00000000 00000000     # rmx_ssthresh, rmx_rtt",
    "00000000 00000000     # rmx_rttvar, rmx_pksent",
    "00000000 00000000 00000000 00000000  # rmx_filler",
    "1c 1c 0000 00000000   # DST: sin6_len 28, AF_INET6, sin6_port, sin6_flowinfo",
    "20010db8 00050000 00000000 00000000 00000000  # sin6_addr, sin6_scope_id",
    "1c 1c 0000 00000000   # GATEWAY",
    "fe800002 00000000 00000000 00000001 00000000  # the zone lies in the address",
)
# The mask of a /0 is one empty address, padded to 4 octets.
ADD_DEFAULT_MASK = octets("00000000")


def test_a_route_in_its_octets() -> None:
    msg = RtMsg(
        rtmsg.RTM_ADD,
        0x803,
        rtm_index=2,
        rtm_pid=231,
        rtm_seq=9,
        rtm_inits=rtmsg.RTV_MTU,
        rtm_rmx=RtMetricsMsg(rmx_mtu=1500),
        addrs=RtAddrs(
            SockaddrIn6(a("2001:db8:5::")), SockaddrIn6(a("fe80::1"), scope_id=2), bytes(16)
        ),
    )
    whole = ADD + ADD_DEFAULT_MASK
    assert rtmsg.build(msg) == octets("9800") + whole[2:]
    assert rtmsg.parse(rtmsg.build(msg)) == msg


def test_masks_are_cut_as_the_radix_tree_cuts_them() -> None:
    assert rtmsg.build_mask(prefix_mask(64)) == octets(
        "10 ffffffffffffff  # length 16, ones up to the address",
        "ffffffffffffffff",
    )
    assert rtmsg.build_mask(prefix_mask(60))[-1] == 0xF0
    assert rtmsg.build_mask(prefix_mask(128))[0] == 24
    assert rtmsg.build_mask(bytes(16)) == bytes(4)


def test_an_interface_message_in_its_octets() -> None:
    data = IfDataMsg(6, 6, 14, 1500, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    link = SockaddrDl(2, 6, "fxp0", octets("00a024000101"))
    msg = IfMsg(0x8843, 2, data, RtAddrs(ifp=link))
    assert rtmsg.build(msg) == octets(
        "9800 05 0e          # ifm_msglen 152, version, RTM_IFINFO",
        "10000000            # ifm_addrs IFP",
        "43880000 0200 0000  # ifm_flags, ifm_index",
        "06 00 06 0e 00 00 0000  # ifi_type, physical, addrlen 6, hdrlen 14, quotas",
        "dc050000 00000000 00000000  # ifi_mtu, metric, baudrate",
        "01000000 02000000 03000000 04000000 05000000  # packets, errors, collisions",
        "06000000 07000000 08000000 09000000  # octets and multicasts",
        "00000000 00000000 00000000 00000000  # iqdrops, noproto, hwassist, unused",
        "00000000 00000000   # ifi_lastchange",
        "36 12 0200 06 04 06 00  # sdl_len 54, AF_LINK, index 2, type, nlen 4, alen 6, slen",
        "66787030 00a024000101   # sdl_data: name, address",
        "0000 " + "00" * 34 + " 0000  # rest of sdl_data, sdl_rcf, sdl_route; padded to 56",
    )
    assert rtmsg.parse(rtmsg.build(msg)) == msg


def test_an_address_message_in_its_octets() -> None:
    msg = IfaMsg(
        rtmsg.RTM_NEWADDR,
        0,
        2,
        0,
        RtAddrs(netmask=prefix_mask(32), ifa=SockaddrIn6(a("2001:db8::1"))),
    )
    assert rtmsg.build(msg) == octets(
        "3c00 05 0c          # ifam_msglen 60, version, RTM_NEWADDR",
        "24000000 00000000   # ifam_addrs NETMASK IFA, ifam_flags",
        "0200 0000 00000000  # ifam_index, ifam_metric",
        "0c ffffffffffffff ffffffff  # mask of a /32",
        "1c 1c 0000 00000000",
        "20010db8 00000000 00000000 00000001 00000000",
    )
    assert rtmsg.parse(rtmsg.build(msg)) == msg


def test_an_announcement_in_its_octets() -> None:
    msg = IfAnnounceMsg(3, "gif0", rtmsg.IFAN_DEPARTURE)
    assert rtmsg.build(msg) == octets("1800 05 11 0300", "67696630" + "00" * 12, "0100")
    assert rtmsg.parse(rtmsg.build(msg)) == msg


def test_a_scope_id_in_its_own_member_counts_too() -> None:
    raw = bytearray(ADD + ADD_DEFAULT_MASK)
    raw[:2] = octets("9800")
    raw[-4 - 28 :] = octets(
        "1c 1c 0000 00000000",
        "fe800000 00000000 00000000 00000001 02000000  # as RFC 3493 has it",
        "00000000",
    )
    msg = rtmsg.parse(bytes(raw))
    assert isinstance(msg, RtMsg)
    assert msg.addrs.gateway == SockaddrIn6(a("fe80::1"), scope_id=2)


def test_bits_without_an_address_only_ask() -> None:
    asked = RtMsg(
        rtmsg.RTM_GET, addrs=RtAddrs(SockaddrIn6(a("::1"))), rtm_addrs=rtmsg.RTA_IFP | rtmsg.RTA_IFA
    )
    assert rtmsg.parse(rtmsg.build(asked)) == asked


def test_an_unknown_family_is_kept() -> None:
    msg = RtMsg(rtmsg.RTM_GET, addrs=RtAddrs(RawSockaddr(2, b"\0\0\x7f\0\0\1")))
    assert rtmsg.parse(rtmsg.build(msg)) == msg


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "routing message truncated"),
        (octets("0400 05 01"), "rt_msghdr truncated"),
        (octets("0500 05 01"), "routing message length differs from its octets"),
        (octets("0400 04 01"), "routing message version 4"),
        (octets("0400 05 63"), "routing message type 99"),
        (octets("0400 05 0e"), "if_msghdr truncated"),
        (octets("0400 05 0c"), "ifa_msghdr truncated"),
        (octets("9500 05 01") + ADD[4:] + b"\x10", "netmask address truncated"),
        (octets("6000 05 01") + ADD[4:92] + octets("0102 0000"), "dst address too short"),
        (octets("6000 05 01") + ADD[4:92] + octets("041c 0000"), "dst address too short"),
    ],
)
def test_malformed_messages_say_why(raw: bytes, reason: str) -> None:
    msg = rtmsg.parse(raw)
    assert isinstance(msg, Malformed)
    assert msg.reason == reason


ADDRS = st.one_of(
    st.binary(min_size=16, max_size=16).map(lambda b: SockaddrIn6(b"\x20" + b[1:])),
    st.builds(
        SockaddrDl,
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFF),
        st.text("abc0", max_size=15),
        st.binary(max_size=8),
    ),
)
U32 = st.integers(0, 0xFFFFFFFF)
S32 = st.integers(0, 0x7FFFFFFF)
MASKS = st.integers(0, 128).map(prefix_mask)


@given(
    st.builds(
        RtMsg,
        st.sampled_from((1, 2, 3, 4, 6, 7)),
        S32,
        st.integers(0, 0xFFFF),
        S32,
        S32,
        S32,
        S32,
        U32,
        st.builds(RtMetricsMsg, *[U32] * 10),
        st.builds(RtAddrs, ADDRS, ADDRS, MASKS, MASKS, ADDRS, ADDRS, ADDRS, ADDRS),
    )
)
def test_what_is_built_is_parsed_again(msg: RtMsg) -> None:
    assert rtmsg.parse(rtmsg.build(msg)) == msg


@given(st.binary(max_size=300), st.sampled_from((1, 4, 0xC, 0xE, 0x11, 0x99)))
def test_no_octets_raise(body: bytes, kind: int) -> None:
    raw = (len(body) + 4).to_bytes(2, "little") + bytes((5, kind)) + body
    msg = rtmsg.parse(raw)
    if not isinstance(msg, Malformed):
        rtmsg.build(msg)
