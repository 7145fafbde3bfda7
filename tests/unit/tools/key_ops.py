# SPDX-License-Identifier: BSD-3-Clause
"""PF_KEY sockets of a kernel made of tables, and entries of its databases, for tests of setkey."""

from __future__ import annotations

from collections.abc import Callable

from kame_py.tools.setkey import TOOL
from kame_py.wire import pfkeyv2 as k
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
from kame_py.wire.sockaddr import Received, SockaddrIn6
from tests.unit.tools.table_ops import NS, Result, Sent, TableOps, addr

NOW = 1_012_485_910  # Jan 31 14:05:10 2002
CREATED = NOW - 308
PID = 100  # of the tables' process
A, B = "2001:200:1:1:290:27ff:fe3a:1b2c", "2001:200:1:1:2a0:24ff:fe66:77"
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
