# SPDX-License-Identifier: BSD-3-Clause
"""setkey's displays of associations and policies, octet for octet."""

from __future__ import annotations

import json

import pytest

from kame_py.tools.setkey import TOOL
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import ENOENT
from kame_py.wire.pfkey import (
    SadbAddress,
    SadbKey,
    SadbLifetime,
    SadbSa,
    SadbXPolicy,
    SadbXSa2,
    sadb,
)
from tests.unit.tools.key_ops import (
    CREATED,
    HARD,
    KEY,
    NOW,
    OUT,
    PID,
    SA_TEXT,
    SOFT,
    TIMES,
    A,
    B,
    KeyOps,
    dump,
    ends,
    printed,
    sa_msg,
    sp_msg,
)
from tests.unit.tools.table_ops import NS, Result

# -- associations ---------------------------------------------------------------------------------


def test_an_association() -> None:
    assert printed(dump(sa_msg(KEY)), "-D") == SA_TEXT


def test_an_association_with_limits_that_was_used() -> None:
    used = SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, 3, 512, CREATED, CREATED + 1)
    lines = printed(dump(sa_msg(HARD, SOFT, used)), "-D").splitlines()
    assert lines[3:8] == [
        "\tcreated: Jan 31 14:00:02 2002\tcurrent: Jan 31 14:05:10 2002",
        "\tdiff: 308(s)\thard: 0(s)\tsoft: 800(s)",
        "\tlast: Jan 31 14:00:03 2002\thard: 20(s)\tsoft: 10(s)",
        "\tcurrent: 512(bytes)\thard: 1000(bytes)\tsoft: 900(bytes)",
        "\tallocated: 3\thard: 7\tsoft: 6",
    ]


def test_keys_of_esp_stand_in_this_order_and_break_after_32_octets() -> None:
    enc = SadbKey(k.SADB_EXT_KEY_ENCRYPT, 280, bytes(range(35)))
    sa = SadbSa(16, 4, 2, k.SADB_X_AALG_MD5, k.SADB_X_EALG_BLOWFISHCBC, 0)
    lines = printed(dump(sa_msg(KEY, enc, sa, satype=3)), "-D").splitlines()
    assert lines[1:6] == [
        "\tesp mode=transport spi=16(0x00000010) reqid=0(0x00000000)",
        "\tE: blowfish-cbc "
        " 00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f",
        " 202122",
        "\tA: md5  41482053 4120636f 6e666967 75726174 696f6e21",
        "\tseq=0x00000000 replay=4 flags=0x00000000 state=dying ",
    ]


def test_the_line_of_ipcomp_is_not_ended() -> None:
    sa = SadbSa(2, 0, 1, 0, k.SADB_X_CALG_DEFLATE, 0)
    lines = printed(dump(sa_msg(sa, satype=9)), "-D").splitlines()
    assert lines[2] == "\tC: deflate \tseq=0x00000000 replay=0 flags=0x00000000 state=mature "


def test_numbers_without_a_word() -> None:
    odd = (SadbSa(1, 0, 9, 99, 0, 0), SadbXSa2(5))
    lines = printed(dump(sa_msg(*odd, KEY, satype=20)), "-D").splitlines()
    assert lines[1].startswith("\t20 mode=5 ")
    assert lines[2].startswith("\tA: 99 ")
    assert lines[3].endswith("state=9 ")


def test_an_association_without_what_it_must_have() -> None:
    bare = sadb(k.SADB_DUMP, 2, SadbSa(1), pid=PID)
    assert printed(dump(bare), "-D") == "? ? \nno SA2 extension.\n"
    assert printed(dump(sadb(k.SADB_DUMP, 2, pid=PID)), "-D") == "? ? \nno SA extension.\n"


def test_times_that_no_calendar_has_are_numbers() -> None:
    late = SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, 0, 0, CREATED, 2**64 - 1)
    assert "\tlast: 18446744073709551615\t" in printed(dump(sa_msg(late)), "-D")


def test_dead_associations_with_a_only() -> None:
    ops = dump(sa_msg(seq=1), sa_msg(state=k.SADB_SASTATE_DEAD))
    assert printed(ops, "-D").count("state=") == 1
    assert printed(ops, "-aD").count("state=") == 2


def test_associations_until_sequence_number_0() -> None:
    ops = dump(sa_msg(seq=1), sa_msg(seq=0), sa_msg(seq=0))
    assert printed(ops, "-D").count("state=") == 2


def test_short_lines_come_again_every_second() -> None:
    old = SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, addtime=NOW - 1000)
    limit = SadbLifetime(k.SADB_EXT_LIFETIME_HARD, addtime=600)
    ops = dump(
        sa_msg(SadbLifetime(k.SADB_EXT_LIFETIME_HARD), seq=2),
        sa_msg(old, limit, satype=3, state=2, seq=1),
        sa_msg(state=0),
    )
    ops.stop_after_ns = ops.now_ns + 2 * NS
    head = "time p   s spi      ltime   src -> dst\n"
    result = ops.run(TOOL, "-Dl")
    assert result.out.startswith(
        head + f"0510 ah  M 000005dc 308/0   {A} -> {B}\n"
        f"0510 esp D 000005dc big/600 {A} -> {B}\n"
        f"0510 ah  L 000005dc ??/???  {A} -> {B}\n" + head + f"0511 ah  M 000005dc 309/0   {A}"
    )
    assert result.out.count(head) == 2


def test_associations_as_json() -> None:
    rows = json.loads(printed(dump(sa_msg(KEY, HARD, SOFT)), "-D", "--json"))
    assert [(r["src"], r["dst"], r["proto"], r["mode"], r["spi"]) for r in rows] == [
        (A, B, "ah", "transport", 1500)
    ]
    assert rows[0]["authentication"] == "hmac-sha1"
    assert rows[0]["authentication_key"] == KEY.key.hex()
    assert rows[0]["current"]["addtime"] == CREATED
    assert rows[0]["soft"] == {"allocations": 6, "bytes": 900, "addtime": 800, "usetime": 10}


def test_an_empty_database_as_json() -> None:
    ops = KeyOps(lambda asked: [sadb(asked.type, errno=ENOENT, pid=PID)])
    result = ops.run(TOOL, "-D", "--json")
    assert result == Result(0, "[]\n", "No SAD entries.\n")


# -- policies -------------------------------------------------------------------------------------


def test_a_policy() -> None:
    assert printed(dump(sp_msg(*ends(60), OUT, *TIMES)), "-DP") == (
        "::/0[any] ::/0[any] ipv6-opts\n"
        "\tout ipsec\n"
        "\tah/transport//require\n"
        "\tcreated:Jan 31 14:00:02 2002 lastused:                    \n"
        "\tlifetime:0(s) validtime:0(s)\n"
        "\tspid=1 seq=0 pid=100\n"
        "\trefcnt=1\n"
    )


@pytest.mark.parametrize(
    ("selectors", "head"),
    [
        (ends(6, 128, (0, 80), "::1"), "::1[any] ::1[80] tcp"),
        (ends(255, 64, text="2001:db8::"), "2001:db8::/64[any] 2001:db8::/64[any] any"),
        (ends(58, 128, text="::1"), "::1 ::1 icmp6"),
        (ends(58, 0, (135, 0)), "::/0 ::/0 icmp6 135,0"),
        (ends(58, 0, (0, 4)), "::/0 ::/0 icmp6 0,4"),
        (ends(4), "::/0[any] ::/0[any] ip4"),
        (ends(201), "::/0[any] ::/0[any] 201"),
    ],
)
def test_selectors(selectors: tuple[SadbAddress, SadbAddress], head: str) -> None:
    policy = SadbXPolicy(k.IPSEC_POLICY_NONE, k.IPSEC_DIR_INBOUND, 10)
    lines = printed(dump(sp_msg(*selectors, policy)), "-DP").splitlines()
    assert lines == [head, "\tin none", "\tspid=10 seq=0 pid=100", "\trefcnt=1"]


def test_a_policy_without_what_it_must_have() -> None:
    assert printed(dump(sp_msg(*ends(6), None)), "-DP").endswith("no X_POLICY extension.\n")
    bare = sadb(k.SADB_X_SPDDUMP, 0, OUT, pid=PID)
    assert printed(dump(bare), "-DP") == "no ADDRESS_SRC extension.\n"
    half = sadb(k.SADB_X_SPDDUMP, 0, OUT, ends(6)[0], pid=PID)
    assert printed(dump(half), "-DP") == "no ADDRESS_DST extension.\n"


def test_policies_as_json() -> None:
    rows = json.loads(printed(dump(sp_msg(*ends(60, 0, (1, 2)), OUT, *TIMES)), "-DP", "--json"))
    assert rows == [
        {
            "src": {"addr": "::", "prefixlen": 0, "port": 1},
            "dst": {"addr": "::", "prefixlen": 0, "port": 2},
            "upper": "ipv6-opts",
            "direction": "out",
            "policy": "ipsec",
            "requests": ["ah/transport//require"],
            "id": 1,
            "created": CREATED,
            "lastused": 0,
            "lifetime": 0,
            "validtime": 0,
            "pid": PID,
        }
    ]
