# SPDX-License-Identifier: BSD-3-Clause
"""Address text and arithmetic, checked against the standard library."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.wire import in6addr
from kame_py.wire.in6addr import ntop, pton

addresses = st.one_of(
    st.binary(min_size=16, max_size=16),
    st.lists(
        st.sampled_from([b"\0\0", b"\0\1", b"\xfe\x80", b"\x12\x34"]), min_size=8, max_size=8
    ).map(b"".join),
)


def a(text: str) -> bytes:
    value = pton(text)
    assert value is not None
    return value


@given(addresses)
def test_text_is_the_canonical_form(addr: bytes) -> None:
    text = ntop(addr)
    assert pton(text) == addr
    if addr[:12] != bytes(10) + b"\xff\xff":
        assert text == str(ipaddress.IPv6Address(addr))


def test_mapped_address_ends_in_a_dotted_quad() -> None:
    assert ntop(a("::ffff:c000:201")) == "::ffff:192.0.2.1"


def test_first_of_equal_zero_runs_is_cut_and_a_single_zero_word_stays() -> None:
    assert ntop(a("2001:db8:0:0:1:0:0:1")) == "2001:db8::1:0:0:1"
    assert ntop(a("2001:db8:0:1:1:1:1:1")) == "2001:db8:0:1:1:1:1:1"


@given(st.text(alphabet="0123456789abcdefF:.%g", max_size=24))
def test_random_text_is_judged_like_inet_pton(text: str) -> None:
    try:
        want: bytes | None = socket.inet_pton(socket.AF_INET6, text)
    except OSError:
        want = None
    assert pton(text) == want


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "12345::",
    ]
    + [
        "::1%lo0",
        "::1.2.3",
        "::1.2.3.256",
        "::01.2.3.4",
        "1.2.3.4::",
        "::1.2.3.4:5",
        " ::1",
        "::٣",
    ],
)
def test_bad_text_is_none(text: str) -> None:
    assert pton(text) is None


@pytest.mark.parametrize(
    "text", ["::", "::1", "1::", "::1.2.3.4", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"]
)
def test_good_text_agrees_with_inet_pton(text: str) -> None:
    assert pton(text) == socket.inet_pton(socket.AF_INET6, text)


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("IN6_IS_ADDR_UNSPECIFIED", "::", "::1"),
        ("IN6_IS_ADDR_LOOPBACK", "::1", "::"),
        ("IN6_IS_ADDR_MULTICAST", "ff02::1", "fe80::1"),
        ("IN6_IS_ADDR_LINKLOCAL", "febf::1", "fec0::1"),
        ("IN6_IS_ADDR_SITELOCAL", "feff::1", "fe80::1"),
        ("IN6_IS_ADDR_V4MAPPED", "::ffff:1.2.3.4", "::1.2.3.4"),
        ("IN6_IS_ADDR_V4COMPAT", "::1.2.3.4", "::1"),
        ("IN6_IS_ADDR_V4COMPAT", "::2", "::"),
        ("IN6_IS_ADDR_MC_NODELOCAL", "ff11::1", "ff12::1"),
        ("IN6_IS_ADDR_MC_LINKLOCAL", "ff12::1", "fe12::1"),
        ("IN6_IS_ADDR_MC_SITELOCAL", "ff05::1", "ff02::1"),
        ("IN6_IS_ADDR_MC_ORGLOCAL", "ff08::1", "ff02::1"),
        ("IN6_IS_ADDR_MC_GLOBAL", "ff0e::1", "ff02::1"),
        ("IN6_IS_SCOPE_LINKLOCAL", "ff02::1", "ff05::1"),
    ],
)
def test_address_kinds(name: str, yes: str, no: str) -> None:
    macro = getattr(in6addr, name)
    assert macro(a(yes)) is True
    assert macro(a(no)) is False


def test_well_known_addresses() -> None:
    assert a("::") == in6addr.IN6ADDR_ANY
    assert a("::1") == in6addr.LOOPBACK
    assert a("ff01::1") == in6addr.IN6ADDR_NODELOCAL_ALLNODES
    assert a("ff02::1") == in6addr.ALLNODES
    assert a("ff02::2") == in6addr.ALLROUTERS
    assert a("ff05::2") == in6addr.SITE_ALLROUTERS


def test_multicast_derivations() -> None:
    target = a("2001:db8::0200:5eff:fe12:3456")
    assert in6addr.solicited_node(target) == a("ff02::1:ff12:3456")
    assert in6addr.ether_multicast(a("ff02::1:ff12:3456")) == bytes.fromhex("3333ff123456")
    assert in6addr.mc_scope(a("ff1e::1")) == in6addr.IPV6_ADDR_SCOPE_GLOBAL


def test_embedded_zone_round_trip() -> None:
    assert in6addr.embed_zone(a("fe80::1"), 5) == a("fe80:5::1")
    assert in6addr.embedded_zone(a("fe80:5::1")) == 5


@given(addresses, addresses, st.integers(0, 128))
def test_prefix_arithmetic(x: bytes, y: bytes, plen: int) -> None:
    net = ipaddress.IPv6Network((x, plen), strict=False)
    assert in6addr.masked(x, plen) == net.network_address.packed
    assert in6addr.prefix_mask(plen) == net.netmask.packed
    assert in6addr.mask_plen(net.netmask.packed) == plen
    assert in6addr.prefix_equal(x, y, plen) == (ipaddress.IPv6Address(y) in net)
    assert in6addr.prefix_equal(x, y, plen) == (in6addr.matchlen(x, y) >= plen)
    joined = in6addr.combine(x, plen, y)
    assert in6addr.masked(joined, plen) == in6addr.masked(x, plen)
    assert in6addr.combine(y, plen, joined) == y


def test_netmask_with_a_hole_has_no_length() -> None:
    assert in6addr.mask_plen(a("ffff:0:ffff::")) is None


def test_interface_identifier_flips_the_universal_bit() -> None:
    mac = bytes.fromhex("00a024660077")
    assert in6addr.eui64(mac) == bytes.fromhex("02a024fffe660077")


def test_mac_text() -> None:
    mac = bytes.fromhex("00a024660077")
    assert in6addr.mac_ntoa(mac) == "0:a0:24:66:0:77"
    assert in6addr.mac_ntoa_padded(mac) == "00:a0:24:66:00:77"
    assert in6addr.mac_aton("0:a0:24:66:0:77") == in6addr.mac_aton("00:A0:24:66:00:77") == mac


@pytest.mark.parametrize(
    "text", ["", "0:1:2:3:4", "0:1:2:3:4:5:6", "0:1:2:3:4:g", "0:1:2:3:4:123", "0:1::3:4:5"]
)
def test_bad_mac_text_is_none(text: str) -> None:
    assert in6addr.mac_aton(text) is None
