# SPDX-License-Identifier: BSD-3-Clause
"""setkey's options, displays and failures, without a kernel."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kame_py.tools.setkey import TOOL
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EEXIST, EINVAL, EMSGSIZE, ENOBUFS, ENOENT, EPROTONOSUPPORT, KError
from kame_py.wire.pfkey import (
    SadbAddress,
    SadbAlg,
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbSa,
    SadbSupported,
    SadbXPolicy,
    SadbXSa2,
    XIpsecrequest,
    build_sadb,
    parse_sadb,
    sadb,
)
from kame_py.wire.sockaddr import AF_KEY, SOCK_RAW, Received, SockaddrIn6
from tests.unit.tools.table_ops import NS, Result, Sent, TableOps, addr

NOW = 1_012_485_910  # Jan 31 14:05:10 2002
CREATED = NOW - 308
PID = 100  # of the tables' process
A, B = "2001:200:1:1:290:27ff:fe3a:1b2c", "2001:200:1:1:2a0:24ff:fe66:77"
USAGE = (
    "usage: setkey [-v] -c\n"
    "       setkey [-v] -f file\n"
    "       setkey [-Palv] -D\n"
    "       setkey [-Pv] -F\n"
    "       setkey [-h] -x\n"
)
Answer = Callable[[SadbMsg], list[SadbMsg]]


class KeyOps(TableOps):
    """A kernel that answers PF_KEY messages with ``answer``; REGISTER it answers itself."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__()
        self.now_ns = (NOW - 1_000_000_000) * NS
        self.answer = answer
        self.asked_msgs: list[SadbMsg] = []
        self.opened: list[tuple[int, int, int]] = []
        self.closed: list[int] = []
        self.words: list[str] = []
        self.on_send = self._answer

    async def socket(self, domain: int, type: int, proto: int) -> int:
        self.opened.append((domain, type, proto))
        return 3

    async def close(self, fd: int) -> None:
        self.closed.append(fd)

    def _answer(self, sent: Sent) -> None:
        msg = parse_sadb(sent.data)
        assert isinstance(msg, SadbMsg), msg
        self.asked_msgs.append(msg)
        if msg.type == k.SADB_REGISTER:
            algs = (SadbAlg(k.SADB_AALG_MD5HMAC, 0, 128, 128),)
            self.hear(sadb(msg.type, 0, SadbSupported(k.SADB_EXT_SUPPORTED_AUTH, algs), pid=PID))
        elif self.answer is not None:
            for each in self.answer(msg):
                self.hear(each)
        else:
            self.hear(sadb(msg.type, msg.satype, pid=msg.pid))

    def out(self, text: str) -> None:
        self.words.append(text)
        super().out(text)

    def hear(self, msg: SadbMsg) -> None:
        """Put a message of the kernel into the socket."""
        self.inbox.append(Received(build_sadb(msg), SockaddrIn6()))


def sa_msg(*more: SadbExt, seq: int = 0, state: int = 1, satype: int = 2) -> SadbMsg:
    """The association of KAME's HowTo in a dump."""
    return sadb(
        k.SADB_DUMP,
        satype,
        SadbSa(1500, 0, state, k.SADB_AALG_SHA1HMAC, 0, k.SADB_X_EXT_CYCSEQ),
        SadbXSa2(k.IPSEC_MODE_TRANSPORT),
        SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, addtime=CREATED),
        SadbAddress(k.SADB_EXT_ADDRESS_SRC, 255, 128, SockaddrIn6(addr(A))),
        SadbAddress(k.SADB_EXT_ADDRESS_DST, 255, 128, SockaddrIn6(addr(B))),
        *more,
        seq=seq,
        pid=PID,
        reserved=1,
    )


KEY = SadbKey(k.SADB_EXT_KEY_AUTH, 160, b"AH SA configuration!")
HARD = SadbLifetime(k.SADB_EXT_LIFETIME_HARD, 7, 1000, 0, 20)
SOFT = SadbLifetime(k.SADB_EXT_LIFETIME_SOFT, 6, 900, 800, 10)
SA_TEXT = f"""\
{A} {B} 
\tah mode=transport spi=1500(0x000005dc) reqid=0(0x00000000)
\tA: hmac-sha1  41482053 4120636f 6e666967 75726174 696f6e21
\tseq=0x00000000 replay=0 flags=0x00000040 state=mature 
\tcreated: Jan 31 14:00:02 2002\tcurrent: Jan 31 14:05:10 2002
\tdiff: 308(s)\thard: 0(s)\tsoft: 0(s)
\tlast:                     \thard: 0(s)\tsoft: 0(s)
\tcurrent: 0(bytes)\thard: 0(bytes)\tsoft: 0(bytes)
\tallocated: 0\thard: 0\tsoft: 0
\tsadb_seq=0 pid=100 refcnt=1
"""  # noqa: W291 - KAME ends these lines with a blank


def dump(*msgs: SadbMsg) -> KeyOps:
    """A kernel that has these entries."""
    return KeyOps(lambda asked: list(msgs))


def printed(ops: KeyOps, *words: str) -> str:
    result = ops.run(TOOL, *words)
    assert (result.status, result.err) == (0, "")
    return result.out


def script(ops: KeyOps, text: str, *words: str) -> Result:
    """Run a script on standard input."""
    ops.stdin_text = text
    return ops.run(TOOL, *words, "-c")


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("-v",), ("-d", "-D"), ("-a", "-P"), ("-D", "more")])
def test_what_says_nothing_gives_the_usage_on_standard_output(words: tuple[str, ...]) -> None:
    assert KeyOps().run(TOOL, *words) == Result(1, USAGE, "")


def test_an_illegal_option_is_named() -> None:
    assert KeyOps().run(TOOL, "-q") == Result(1, USAGE, "setkey: illegal option -- q\n")


def test_a_script_that_cannot_be_opened_is_255() -> None:
    result = KeyOps().run(TOOL, "-f", "/etc/none")
    assert result == Result(255, "", "setkey: fopen: No such file or directory\n")


def test_the_last_mode_counts() -> None:
    ops = KeyOps()
    assert ops.run(TOOL, "-D", "-F").status == 0
    assert [m.type for m in ops.asked_msgs] == [k.SADB_FLUSH]


@pytest.mark.parametrize(
    ("words", "type"),
    [
        (("-D",), k.SADB_DUMP),
        (("-DP",), k.SADB_X_SPDDUMP),
        (("-P", "-D"), k.SADB_X_SPDDUMP),
        (("-F",), k.SADB_FLUSH),
        (("-FP",), k.SADB_X_SPDFLUSH),
    ],
)
def test_one_message_for_all_types(words: tuple[str, ...], type: int) -> None:
    ops = KeyOps()
    printed(ops, *words)
    assert [(m.type, m.satype, m.pid) for m in ops.asked_msgs] == [(type, 0, PID)]
    assert ops.opened == [(AF_KEY, SOCK_RAW, k.PF_KEY_V2)]
    assert ops.closed == [3]


# -- failures -------------------------------------------------------------------------------------


def test_a_kernel_without_key_management() -> None:
    class NoKey(KeyOps):
        async def socket(self, domain: int, type: int, proto: int) -> int:
            raise KError(EPROTONOSUPPORT)

    result = NoKey().run(TOOL, "-D")
    assert result == Result(1, "", "setkey: pfkey_open: Protocol not supported\n")


def test_a_kernel_that_does_not_answer() -> None:
    ops = KeyOps(lambda asked: [])
    before = ops.now_ns
    result = ops.run(TOOL, "-D")
    assert result == Result(1, "", "setkey: recv: Resource temporarily unavailable\n")
    assert ops.now_ns - before == 1 * NS


def test_lost_answers_are_an_error() -> None:
    class Full(KeyOps):
        async def recvmsg(self, fd: int, flags: int = 0) -> Received:
            raise KError(ENOBUFS)

    result = Full().run(TOOL, "-D")
    assert result == Result(1, "", "setkey: recv: No buffer space available\n")


def test_a_kernel_that_tells_no_algorithms_is_255() -> None:
    class Deaf(KeyOps):
        def hear(self, msg: SadbMsg) -> None: ...

    result = script(Deaf(), "flush ;")
    text = "setkey: pfkey_recv_register: Resource temporarily unavailable\n"
    assert result == Result(255, "", text)


def test_an_answer_that_is_no_message() -> None:
    ops = KeyOps(lambda asked: [])
    ops.inbox.append(Received(bytes(16), SockaddrIn6()))
    result = ops.run(TOOL, "-D")
    assert result == Result(1, "", "setkey: recv: invalid keymsg: PF_KEY version is not 2\n")


def test_messages_of_others_are_passed_over() -> None:
    other = sadb(k.SADB_DUMP, 2, errno=EINVAL, pid=PID + 1)
    acquire = sadb(k.SADB_ACQUIRE, 2)
    ops = dump(other, acquire, sa_msg(KEY))
    assert printed(ops, "-D") == SA_TEXT


@pytest.mark.parametrize(
    ("words", "errno", "out", "status"),
    [
        (("-D",), ENOENT, "No SAD entries.\n", 0),
        (("-DP",), ENOENT, "No SPD entries.\n", 0),
        (("-D",), EINVAL, "Invalid argument.\n", 1),
        (("-F",), EINVAL, "Invalid argument.\n", 1),
        (("-FP",), ENOENT, "No such file or directory.\n", 1),
    ],
)
def test_refusals(words: tuple[str, ...], errno: int, out: str, status: int) -> None:
    ops = KeyOps(lambda asked: [sadb(asked.type, errno=errno, pid=PID)])
    assert ops.run(TOOL, *words) == Result(status, out, "")


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


def sp_msg(
    src: SadbAddress, dst: SadbAddress, policy: SadbXPolicy | None, *more: SadbExt
) -> SadbMsg:
    exts = (src, dst, *more, *(() if policy is None else (policy,)))
    return sadb(k.SADB_X_SPDDUMP, 0, *exts, pid=PID, reserved=1)


def ends(
    proto: int, plen: int = 0, ports: tuple[int, int] = (0, 0), text: str = "::"
) -> tuple[SadbAddress, SadbAddress]:
    a = SockaddrIn6(addr(text))
    return (
        SadbAddress(k.SADB_EXT_ADDRESS_SRC, proto, plen, a._replace(port=ports[0])),
        SadbAddress(k.SADB_EXT_ADDRESS_DST, proto, plen, a._replace(port=ports[1])),
    )


REQUIRE = XIpsecrequest(51, k.IPSEC_MODE_TRANSPORT, k.IPSEC_LEVEL_REQUIRE)
OUT = SadbXPolicy(k.IPSEC_POLICY_IPSEC, k.IPSEC_DIR_OUTBOUND, 1, (REQUIRE,))
TIMES = (
    SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, addtime=CREATED),
    SadbLifetime(k.SADB_EXT_LIFETIME_HARD),
)


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


# -- scripts --------------------------------------------------------------------------------------


def test_messages_of_add() -> None:
    ops = KeyOps()
    line = 'add ::1 ::2 ah 300 -m tunnel -u 7 -r 4 -lh 9 -bs 5 -A hmac-md5 "0123456789abcdef" ;'
    assert script(ops, line) == Result(0, "", "")
    assert ops.asked_msgs[1] == sadb(
        k.SADB_ADD,
        k.SADB_SATYPE_AH,
        SadbSa(300, 4, k.SADB_SASTATE_LARVAL, k.SADB_AALG_MD5HMAC, 0, k.SADB_X_EXT_CYCSEQ),
        SadbXSa2(k.IPSEC_MODE_TUNNEL, 0, 7),
        SadbKey(k.SADB_EXT_KEY_AUTH, 128, b"0123456789abcdef"),
        SadbLifetime(k.SADB_EXT_LIFETIME_HARD, addtime=9),
        SadbLifetime(k.SADB_EXT_LIFETIME_SOFT, bytes=5),
        SadbAddress(k.SADB_EXT_ADDRESS_SRC, 255, 128, SockaddrIn6(addr("::1"))),
        SadbAddress(k.SADB_EXT_ADDRESS_DST, 255, 128, SockaddrIn6(addr("::2"))),
        pid=PID,
    )


def test_messages_of_the_other_commands() -> None:
    ops = KeyOps()
    text = "deleteall ::1 ::2 ah; delete ::1 ::2 ah 9; flush ah; spdflush;\nspddump; dump;"
    assert script(ops, text).status == 0
    assert [(m.type, m.satype, tuple(m.exts)) for m in ops.asked_msgs[1:]] == [
        (k.SADB_DELETE, 2, (k.SADB_EXT_ADDRESS_SRC, k.SADB_EXT_ADDRESS_DST)),
        (
            k.SADB_DELETE,
            2,
            (k.SADB_EXT_SA, k.SADB_X_EXT_SA2, k.SADB_EXT_ADDRESS_SRC, k.SADB_EXT_ADDRESS_DST),
        ),
        (k.SADB_FLUSH, 2, ()),
        (k.SADB_X_SPDFLUSH, 0, ()),
        (k.SADB_X_SPDDUMP, 0, ()),
        (k.SADB_DUMP, 0, ()),
    ]


def test_messages_of_spdadd() -> None:
    ops = KeyOps()
    line = "spdadd fe80::1%fxp1/64[80] ::/0[any] tcp -P out ipsec ah/transport//require ;"
    assert script(ops, line) == Result(0, "", "")
    assert ops.asked_msgs[1] == sadb(
        k.SADB_X_SPDADD,
        0,
        OUT._replace(id=0),
        SadbAddress(k.SADB_EXT_ADDRESS_SRC, 6, 64, SockaddrIn6(addr("fe80::1"), 80, 2)),
        SadbAddress(k.SADB_EXT_ADDRESS_DST, 6, 0, SockaddrIn6(addr("::"))),
        pid=PID,
    )


def test_what_stands_before_an_error_of_syntax_was_done() -> None:
    ops = KeyOps()
    result = script(ops, "flush ;\nspdflush ;\nflush flush ;\nflush ;\n")
    assert result == Result(
        1,
        "line 3: syntax error at [flush]\nparse failed, line 3.\n",
        "setkey: stdin: line 3: syntax error at [flush]\n",
    )
    assert [m.type for m in ops.asked_msgs[1:]] == [k.SADB_FLUSH, k.SADB_X_SPDFLUSH]


def test_refusals_of_the_kernel_name_their_lines_and_count_in_the_status() -> None:
    def answer(asked: SadbMsg) -> list[SadbMsg]:
        return [sadb(asked.type, errno=EEXIST if asked.satype else 0, pid=PID)]

    ops = KeyOps(answer)
    ops.files["/etc/ipsec.conf"] = "flush ;\nflush ah ;\n\nflush\n  esp ;\nspdflush ;\n"
    result = ops.run(TOOL, "-f", "/etc/ipsec.conf")
    assert result == Result(
        1,
        "The result of line 2: File exists.\nThe result of line 5: File exists.\n",
        "setkey: /etc/ipsec.conf: refused: line 2, 5\n",
    )
    assert len(ops.asked_msgs) == 5


def test_a_name_of_several_addresses_says_what_was_done() -> None:
    def answer(asked: SadbMsg) -> list[SadbMsg]:
        src = asked.exts[k.SADB_EXT_ADDRESS_SRC]
        assert isinstance(src, SadbAddress)
        refused = src.addr.addr == addr("::a")
        return [sadb(asked.type, errno=EEXIST if refused else 0, pid=PID)]

    ops = KeyOps(answer)
    ops.more_names["many"] = (addr("::a"), addr("::b"))
    result = script(ops, 'add many ::1 ah 300 -A hmac-md5 "0123456789abcdef" ;')
    assert result == Result(
        1,
        "The result of line 1: File exists.\n",
        "setkey: stdin: line 1: ::a ::1: File exists.\n"
        "setkey: stdin: line 1: 1 of 2 associations were added\n"
        "setkey: stdin: refused: line 1\n",
    )
    assert len(ops.asked_msgs) == 3


def test_what_the_socket_does_not_take_is_refused_at_its_line() -> None:
    class Small(KeyOps):
        def _answer(self, sent: Sent) -> None:
            msg = parse_sadb(sent.data)
            if isinstance(msg, SadbMsg) and msg.type == k.SADB_X_SPDADD:
                raise KError(EMSGSIZE)
            super()._answer(sent)

    result = script(Small(), "\nspdadd ::1 ::2 any -P out none;\nspdflush;")
    assert result == Result(
        1, "The result of line 2: Message too long.\n", "setkey: stdin: refused: line 2\n"
    )


def test_of_a_long_token_the_beginning_is_shown() -> None:
    text = "out ipsec" + " ah/transport//use" * 8192
    result = script(KeyOps(), f"spdadd ::1 ::2 any -P {text};")
    assert result.out.startswith(f"line 1: No buffers available at [{text[:200]}...]\n")


def test_keys_are_measured_with_what_the_kernel_says() -> None:
    ops = KeyOps()
    result = script(ops, 'add ::1 ::2 ah 300 -A hmac-md5 "0123456789abcde" ;')
    assert result.out.startswith('line 1: Invalid key length at ["0123456789abcde"]\n')
    result = script(ops, 'add ::1 ::2 ah 300 -A hmac-sha1 "01234567890123456789" ;')
    assert result.out == "line 1: Not supported at [hmac-sha1]\n"
    assert [m.type for m in ops.asked_msgs] == [k.SADB_REGISTER] * 2


def test_dumps_of_a_script_as_json_are_one_array() -> None:
    ops = dump(sa_msg())
    ops.answer = lambda asked: [sa_msg() if asked.type == k.SADB_DUMP else sp_msg(*ends(6), OUT)]
    result = script(ops, "dump ;\nspddump ;\n", "--json")
    assert [sorted(row)[0] for row in json.loads(result.out)] == ["authentication", "created"]


def test_the_octets_of_a_key_are_those_of_its_text() -> None:
    ops = KeyOps()
    assert script(ops, 'add ::1 ::2 ah 300 -A hmac-md5 "0123456789ab\u00e9\0\t" ;').status == 0
    key = ops.asked_msgs[1].exts[k.SADB_EXT_KEY_AUTH]
    assert isinstance(key, SadbKey)
    assert key.key == b"0123456789ab\xc3\xa9\0\t"


# -- traffic --------------------------------------------------------------------------------------

FLUSH_TEXT = "sadb_msg{ version=2 type=9 errno=0 satype=0\n  len=2 reserved=0 seq=0 pid=100\n\n"


def test_v_shows_both_directions() -> None:
    assert printed(KeyOps(), "-vF") == FLUSH_TEXT * 2


def test_v_stands_before_what_it_explains() -> None:
    ops = KeyOps(lambda asked: [sadb(asked.type, errno=ENOENT, pid=PID)])
    out = ops.run(TOOL, "-vD").out
    assert out.endswith(
        "type=10 errno=2 satype=0\n  len=2 reserved=0 seq=0 pid=100\n\nNo SAD entries.\n"
    )


def test_x_shows_what_others_are_told() -> None:
    ops = KeyOps(lambda asked: [SadbMsg(k.SADB_X_PROMISC, 1, pid=PID)])
    inner = build_sadb(sadb(k.SADB_FLUSH, pid=PID))
    wrapped = build_sadb(SadbMsg(k.SADB_X_PROMISC, inner=inner))
    ops.now_ns += NS // 2
    ops.inbox.append(Received(wrapped, SockaddrIn6()))
    text = until_it_waits(ops, "-x")
    assert [(m.type, m.satype) for m in ops.asked_msgs] == [(k.SADB_X_PROMISC, 1)]
    assert text == "14:05:10.500000\n" + FLUSH_TEXT


def test_x_twice_has_seconds_since_1970_and_h_has_octets() -> None:
    ops = KeyOps(lambda asked: [])
    inner = build_sadb(sadb(k.SADB_FLUSH, pid=PID))
    wrapped = build_sadb(SadbMsg(k.SADB_X_PROMISC, inner=inner))
    ops.now_ns += 1000
    ops.inbox.append(Received(wrapped, SockaddrIn6()))
    assert until_it_waits(ops, "-hxx") == (
        f"{NOW}.000001\n"
        "00000000: 02 0b 00 00 04 00 00 00 00 00 00 00 00 00 00 00 \n"
        "00000010: 02 09 00 00 02 00 00 00 00 00 00 00 64 00 00 00 \n" + FLUSH_TEXT
    )


def until_it_waits(ops: KeyOps, *words: str) -> str:
    """What a program prints before it waits for what never comes."""
    with pytest.raises(AssertionError, match="nothing will ever come"):
        ops.run(TOOL, *words)
    return "".join(ops.words)
