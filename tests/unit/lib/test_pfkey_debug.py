# SPDX-License-Identifier: BSD-3-Clause
"""What setkey -v and -x print of a message."""

from __future__ import annotations

from kame_py.lib.pfkey_debug import hexrows, kdebug_sadb
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.in6addr import IN6ADDR_LOOPBACK
from kame_py.wire.pfkey import (
    SadbAddress,
    SadbAlg,
    SadbComb,
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbProp,
    SadbRaw,
    SadbSa,
    SadbSupported,
    SadbXPolicy,
    SadbXSa2,
    XIpsecrequest,
    build_sadb,
    sadb,
)
from kame_py.wire.sockaddr import SockaddrIn6

LO = SockaddrIn6(IN6ADDR_LOOPBACK, 80, 3)
LO_TEXT = """\
sockaddr{ len=28 family=28 port=80
  flowinfo=0x00000000, scope_id=0x00000003
 00000000 00000000 00000000 00000001  }
"""


def shown(ext: SadbExt) -> str:
    """The text of an extension, without that of the header."""
    text = kdebug_sadb(build_sadb(sadb(k.SADB_DUMP, 3, ext, seq=2, pid=400)))
    head, body = text.split("sadb_ext{", 1)
    assert head.startswith("sadb_msg{ version=2 type=10 errno=0 satype=3\n")
    return "sadb_ext{" + body


def test_the_header() -> None:
    data = build_sadb(sadb(k.SADB_DUMP, seq=5, pid=400, errno=2, reserved=1))
    assert kdebug_sadb(data) == (
        "sadb_msg{ version=2 type=10 errno=2 satype=0\n  len=2 reserved=1 seq=5 pid=400\n"
    )


def test_an_association() -> None:
    assert shown(SadbSa(1500, 4, 1, 3, 0, 0x40)) == (
        "sadb_ext{ len=2 type=1 }\n"
        "sadb_sa{ spi=1500 replay=4 state=1\n"
        "  auth=3 encrypt=0 flags=0x00000040 }\n"
    )


def test_an_association_of_kame() -> None:
    assert shown(SadbXSa2(1, 9, 5)) == (
        "sadb_ext{ len=2 type=19 }\n"
        "sadb_x_sa2{ mode=1 reqid=5\n"
        "  reserved1=0 reserved2=0 sequence=9 }\n"
    )


def test_a_lifetime() -> None:
    assert shown(SadbLifetime(k.SADB_EXT_LIFETIME_HARD, 1, 2, 3, 4)) == (
        "sadb_ext{ len=4 type=3 }\nsadb_lifetime{ alloc=1, bytes=2\n  addtime=3, usetime=4 }\n"
    )


def test_an_address() -> None:
    assert shown(SadbAddress(k.SADB_EXT_ADDRESS_SRC, 255, 128, LO)) == (
        "sadb_ext{ len=5 type=5 }\n"
        "sadb_address{ proto=255 prefixlen=128 reserved=0x0000 }\n" + LO_TEXT
    )


def test_a_key() -> None:
    assert shown(SadbKey(k.SADB_EXT_KEY_AUTH, 40, b"abcde")) == (
        "sadb_ext{ len=2 type=8 }\nsadb_key{ bits=40 reserved=0\n  key= 61626364 65 }\n"
    )


def test_algorithms() -> None:
    assert shown(SadbSupported(k.SADB_EXT_SUPPORTED_ENCRYPT, (SadbAlg(2, 8, 64, 65),))) == (
        "sadb_ext{ len=2 type=15 }\nsadb_sup{\n  { id=2 ivlen=8 min=64 max=65 }\n}\n"
    )


def test_a_proposal() -> None:
    comb = SadbComb(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
    assert shown(SadbProp(32, (comb,))) == (
        "sadb_ext{ len=10 type=13 }\n"
        "sadb_prop{ replay=32\n"
        "sadb_comb{ auth=2 encrypt=3 flags=0x0004 reserved=0x00000000\n"
        "  auth_minbits=5 auth_maxbits=6 encrypt_minbits=7 encrypt_maxbits=8\n"
        "  soft_alloc=9 hard_alloc=10 soft_bytes=11 hard_bytes=12\n"
        "  soft_addtime=13 hard_addtime=14 soft_usetime=15 hard_usetime=16 }\n"
        "}\n"
    )


def test_a_policy() -> None:
    requests = (XIpsecrequest(51, 1, 2, 0), XIpsecrequest(50, 2, 3, 7, LO, LO))
    assert shown(SadbXPolicy(2, 2, 0x1F, requests)) == (
        "sadb_ext{ len=11 type=18 }\n"
        "sadb_x_policy{ type=2 dir=2 id=1f }\n"
        " { len=8 proto=51 mode=1 level=2 reqid=0\n"
        " }\n"
        " { len=64 proto=50 mode=2 level=3 reqid=7\n" + LO_TEXT * 2 + " }\n"
    )


def test_what_kame_does_not_look_into() -> None:
    assert shown(SadbRaw(k.SADB_EXT_SENSITIVITY, bytes(4))) == "sadb_ext{ len=1 type=12 }\n"


def test_a_malformed_message_is_shown_in_octets() -> None:
    data = build_sadb(sadb(k.SADB_DUMP))[:-1] + b"\xff" + bytes(8)
    assert kdebug_sadb(data) == (
        "PF_KEY length disagrees with the octets\n"
        "00000000: 02 0a 00 00 02 00 00 00 00 00 00 00 00 00 00 ff \n"
        "00000010: 00 00 00 00 00 00 00 00 \n"
    )


def test_rows_of_octets() -> None:
    assert hexrows(b"") == ""
    assert hexrows(b"\x01\x02") == "00000000: 01 02 \n"
