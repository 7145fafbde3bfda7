# SPDX-License-Identifier: BSD-3-Clause
"""setkey's options, failures, messages and -v and -x, without a kernel."""

from __future__ import annotations

import json

import pytest

from kame_py.tools.setkey import TOOL
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EEXIST, EINVAL, EMSGSIZE, ENOBUFS, ENOENT, KError
from kame_py.wire.pfkey import (
    SadbAddress,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbSa,
    SadbXSa2,
    build_sadb,
    parse_sadb,
    sadb,
)
from kame_py.wire.sockaddr import AF_KEY, SOCK_RAW, Received, SockaddrIn6
from tests.unit.tools.key_ops import (
    KEY,
    NOW,
    OUT,
    PID,
    SA_TEXT,
    KeyOps,
    dump,
    ends,
    printed,
    sa_msg,
    script,
    sp_msg,
)
from tests.unit.tools.table_ops import NS, Result, Sent, addr

USAGE = (
    "usage: setkey [-v] -c\n"
    "       setkey [-v] -f file\n"
    "       setkey [-Palv] -D\n"
    "       setkey [-Pv] -F\n"
    "       setkey [-h] -x\n"
)


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
        "",
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
