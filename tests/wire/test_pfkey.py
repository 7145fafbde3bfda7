# SPDX-License-Identifier: BSD-3-Clause
"""Octets of PF_KEY messages, as FreeBSD 4 on i386 with KAME lays them out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.wire import pfkeyv2 as k
from kame_py.wire.in6addr import pton
from kame_py.wire.malformed import Malformed
from kame_py.wire.pfkey import (
    OTHER_FAMILY,
    SadbAddress,
    SadbAlg,
    SadbComb,
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbProp,
    SadbRaw,
    SadbSa,
    SadbSpirange,
    SadbSupported,
    SadbXPolicy,
    SadbXSa2,
    XIpsecrequest,
    build_sadb,
    parse_sadb,
    sadb,
    with_errno,
)
from kame_py.wire.sockaddr import SockaddrIn6


def a(text: str, port: int = 0, scope: int = 0) -> SockaddrIn6:
    addr = pton(text)
    assert addr is not None
    return SockaddrIn6(addr, port, scope)


def octets(*rows: str) -> bytes:
    """Hexadecimal rows; what follows # is for the reader."""
    return bytes.fromhex("".join(row.partition("#")[0] for row in rows))


ADD = octets(
    "02 03 00 02           # version 2, ADD, errno, satype AH",
    "1400 0000             # 20 units, reserved",
    "07000000 38010000     # seq 7, pid 312",
    "0200 0100             # sadb_sa",
    "000005dc              # SPI 1500 in network order",
    "00 00 03 00           # replay, state, hmac-sha1, no encryption",
    "40000000              # flags CYCSEQ",
    "0200 1300             # sadb_x_sa2",
    "01 00 0000            # mode transport, reserved",
    "00000000 05000000     # sequence, reqid 5",
    "0500 0500             # sadb_address src",
    "ff 80 0000            # proto any, prefixlen 128, reserved",
    "1c 1c 0000 00000000   # sin6_len 28, AF_INET6, port, flowinfo",
    "20010db8000000000000000000000001 00000000  # address, scope id",
    "00000000              # padding",
    "0500 0600             # sadb_address dst",
    "3c 40 0000            # proto 60, prefixlen 64",
    "1c 1c 0050 00000000   # port 80 in network order",
    "fe800000000000000000000000000002 02000000  # address, scope id 2",
    "00000000              # padding",
    "0400 0800             # sadb_key auth",
    "a000 0000             # 160 bits",
    "41482053412063 6f6e66696775726174696f6e21  # AH SA configuration!",
    "00000000              # padding",
)
ADD_MSG = sadb(
    k.SADB_ADD,
    k.SADB_SATYPE_AH,
    SadbSa(1500, 0, 0, k.SADB_AALG_SHA1HMAC, 0, k.SADB_X_EXT_CYCSEQ),
    SadbXSa2(k.IPSEC_MODE_TRANSPORT, 0, 5),
    SadbAddress(k.SADB_EXT_ADDRESS_SRC, 255, 128, a("2001:db8::1")),
    SadbAddress(k.SADB_EXT_ADDRESS_DST, 60, 64, a("fe80::2", 80, 2)),
    SadbKey(k.SADB_EXT_KEY_AUTH, 160, b"AH SA configuration!"),
    seq=7,
    pid=312,
)

SPDADD = octets(
    "02 0e 00 00 0d00 0000 # version 2, SPDADD, 13 units",
    "00000000 00000000     # seq, pid",
    "0b00 1200             # sadb_x_policy",
    "0200 02 00            # IPsec, outbound, reserved",
    "01000000 00000000     # id 1, reserved",
    "0800 3300             # request of 8 octets, AH",
    "01 02 0000            # transport, require, reqid",
    "4000 3200             # request of 64 octets, ESP",
    "02 03 0100            # tunnel, unique, reqid 1",
    "1c 1c 0000 00000000 20010db8000000000000000000000001 00000000",
    "1c 1c 0000 00000000 20010db8000000000000000000000002 00000000",
)
SPDADD_MSG = sadb(
    k.SADB_X_SPDADD,
    0,
    SadbXPolicy(
        k.IPSEC_POLICY_IPSEC,
        k.IPSEC_DIR_OUTBOUND,
        1,
        (
            XIpsecrequest(51, 1, 2),
            XIpsecrequest(50, 2, 3, 1, a("2001:db8::1"), a("2001:db8::2")),
        ),
    ),
)

EXPIRE = octets(
    "02 08 00 03 0a00 0100 # version 2, EXPIRE, satype ESP, 10 units, reference count 1",
    "00000000 00000000     # seq, pid",
    "0400 0200 02000000    # current lifetime, 2 allocations",
    "0403000000000000      # 772 octets",
    "805658 3c 00000000    # addtime",
    "845658 3c 00000000    # usetime",
    "0400 0400 00000000    # soft lifetime",
    "e803000000000000 3c00000000000000 0000000000000000",
)
EXPIRE_MSG = sadb(
    k.SADB_EXPIRE,
    k.SADB_SATYPE_ESP,
    SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, 2, 772, 0x3C585680, 0x3C585684),
    SadbLifetime(k.SADB_EXT_LIFETIME_SOFT, 0, 1000, 60),
    reserved=1,
)

PROP = octets(
    "02 06 00 02 0c00 0000 01000000 00000000",
    "0a00 0d00 20 000000   # proposal, window 32",
    "03 00 0000            # hmac-sha1, no encryption, flags",
    "a000 a000 0000 0000   # key bits",
    "00000000              # reserved",
    "00000000 00000000     # allocations, soft and hard",
    "0000000000000000 0000000000000000  # octets",
    "000e010000000000 8051010000000000  # seconds since creation 69120, 86400",
    "005a000000000000 8070000000000000  # seconds since use 23040, 28800",
)
PROP_MSG = sadb(
    k.SADB_ACQUIRE,
    k.SADB_SATYPE_AH,
    SadbProp(
        32,
        (
            SadbComb(
                3,
                0,
                0,
                160,
                160,
                0,
                0,
                soft_addtime=69120,
                hard_addtime=86400,
                soft_usetime=23040,
                hard_usetime=28800,
            ),
        ),
    ),
    seq=1,
)
MORE = octets(
    "02 07 00 00 0800 0000 00000000 00000000",
    "0200 0e00 00000000    # supported authentication",
    "03 00 a000 a000 0000  # hmac-sha1, no vector, 160 to 160 bits",
    "0200 1000             # SPI range",
    "00010000 ffffff0f     # 256 to 0x0fffffff in host order",
    "00000000              # reserved",
    "0200 0a00             # identity of the source, not looked into",
    "0200 0000 0000000000000000",
)
MORE_MSG = sadb(
    k.SADB_REGISTER,
    0,
    SadbSupported(k.SADB_EXT_SUPPORTED_AUTH, (SadbAlg(3, 0, 160, 160),)),
    SadbSpirange(0x100, 0x0FFFFFFF),
    SadbRaw(k.SADB_EXT_IDENTITY_SRC, b"\x02" + bytes(11)),
)
ALL = {
    "add": (ADD, ADD_MSG),
    "spdadd": (SPDADD, SPDADD_MSG),
    "expire": (EXPIRE, EXPIRE_MSG),
    "acquire": (PROP, PROP_MSG),
    "others": (MORE, MORE_MSG),
}


@pytest.mark.parametrize(("raw", "msg"), ALL.values(), ids=ALL.keys())
def test_octets(raw: bytes, msg: SadbMsg) -> None:
    assert build_sadb(msg).hex(" ", 4) == raw.hex(" ", 4)
    assert parse_sadb(raw) == msg


def test_a_promiscuous_message_wraps_another() -> None:
    msg = SadbMsg(k.SADB_X_PROMISC, inner=ADD)
    raw = build_sadb(msg)
    assert raw == octets("02 0b 00 00 1600 0000 00000000 00000000") + ADD
    assert parse_sadb(raw) == msg


def test_an_error_goes_into_the_octets() -> None:
    assert with_errno(ADD, 17) == ADD[:2] + b"\x11" + ADD[3:]


def test_a_header_alone_is_a_message() -> None:
    raw = octets("02 0a 00 00 0200 0000 00000000 90010000")
    assert parse_sadb(raw) == sadb(k.SADB_DUMP, pid=400)


def test_a_policy_ends_with_its_last_request() -> None:
    msg = sadb(k.SADB_X_SPDADD, 0, SadbXPolicy(2, 1, 0, (XIpsecrequest(51, 1, 2),) * 2))
    assert parse_sadb(build_sadb(msg)) == msg


@pytest.mark.parametrize("size", [8, 16, 24, 32])
def test_an_address_that_is_too_short_is_malformed(size: int) -> None:
    sin6 = octets("1c 1c 0000 00000000 20010db8000000000000000000000001 00000000 00000000")
    ext = bytes((size // 8, 0, 5, 0)) + bytes(4) + sin6[: size - 8]
    bad = parse_sadb(octets("02 03 00 02") + bytes((2 + size // 8, 0)) + bytes(10) + ext)
    assert isinstance(bad, Malformed) and bad.reason != OTHER_FAMILY


@pytest.mark.parametrize("cut", range(len(ADD)))
def test_a_message_cut_anywhere_is_malformed(cut: int) -> None:
    assert isinstance(parse_sadb(ADD[:cut]), Malformed)


def test_another_family_is_told_apart() -> None:
    bad = parse_sadb(ADD[:57] + b"\x02" + ADD[58:])
    assert isinstance(bad, Malformed) and bad.reason == OTHER_FAMILY


@pytest.mark.parametrize(
    "ext",
    [
        SadbKey(k.SADB_EXT_KEY_AUTH, 0, b""),
        SadbKey(k.SADB_EXT_KEY_AUTH, 8, b"k"),
        SadbKey(k.SADB_EXT_KEY_AUTH, 64, b"12345678"),
        SadbKey(k.SADB_EXT_KEY_AUTH, 9, b"ab"),
    ],
)
def test_keys_are_padded(ext: SadbExt) -> None:
    msg = sadb(k.SADB_ADD, 2, ext)
    raw = build_sadb(msg)
    assert len(raw) % 8 == 0
    assert parse_sadb(raw) == msg


@given(st.binary(max_size=300))
def test_garbage_is_refused_without_a_fuss(raw: bytes) -> None:
    assert isinstance(parse_sadb(raw), Malformed | SadbMsg)


@given(st.sampled_from([raw for raw, _ in ALL.values()]), st.integers(0, 300), st.integers(0, 255))
def test_one_changed_octet_is_read_or_refused(raw: bytes, at: int, value: int) -> None:
    at %= len(raw)
    msg = parse_sadb(raw[:at] + bytes((value,)) + raw[at + 1 :])
    if isinstance(msg, SadbMsg):
        assert parse_sadb(build_sadb(msg)) == msg
