# SPDX-License-Identifier: BSD-3-Clause
"""The AH associations of a kernel as arrays, and what checks codes of a batch with them.

KAME key.c (key_allocsa). Associations whose algorithm hmac_mb.py has not are in the table, so that
they are found, but prove nothing; so do scoped addresses, which look different on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast.batch import BATCH, I64, SLACK, U8, U32
from kame_py.fast.ct import ct_equal_batch
from kame_py.fast.hmac_mb import ROW, Alg, hmac_batch, states
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_AH

if TYPE_CHECKING:
    from kame_py.fast.batch import Batch
    from kame_py.kern.kernel import Kernel
    from kame_py.netkey.keydb import Secasvar

UNKNOWN: Final = 0  # verdicts: nothing can be said
GOOD: Final = 1
BAD: Final = 2

# Members of a row
S_SPI: Final = 0
S_KIND: Final = 1  # index into KINDS, or NO_KIND
S_ICVLEN: Final = 2
S_DST: Final = 3  # two words as they lie in memory
S_SRC: Final = 5
S_SIZE: Final = 8
NO_KIND: Final = -1

#: Algorithms with the octets of their codes.
KINDS: Final = (
    (Alg.HMAC_MD5, 12),
    (Alg.HMAC_SHA1, 12),
    (Alg.HMAC_SHA2_256, 16),
    (Alg.HMAC_SHA2_256, 12),
)
_KIND_OF: Final = {
    k.SADB_AALG_MD5HMAC: 0,
    k.SADB_AALG_SHA1HMAC: 1,
    k.SADB_X_AALG_SHA2_256: 2,
    k.SADB_X_AALG_SHA2_256_96: 3,
}
_VALID: Final = (k.SADB_SASTATE_MATURE, k.SADB_SASTATE_DYING)
_CODE: Final = max(icvlen for _, icvlen in KINDS)
_LINE: Final = 64  # octets of a line of the cache
ROOM: Final = 1 << 19  # octets of prepared copies; the longest packet fits


class SaTable:
    """The usable AH associations by SPI, those of one SPI in the order of the database.

    They are those of the moment: whoever keeps a table makes a new one when associations change.
    """

    def __init__(self, kern: Kernel) -> None:
        found: list[Secasvar] = []
        for (proto, _, _), savs in kern.key.sad.items():
            if proto == IPPROTO_AH:
                found += (sav for sav in savs if sav.state in _VALID)
        self.savs = sorted(found, key=lambda sav: sav.spi)
        self.rows: I64 = np.zeros((len(found), S_SIZE), np.int64)
        self.states: U32 = np.zeros((len(found), ROW), np.uint32)
        for i, sav in enumerate(self.savs):
            kind = NO_KIND if sav.mackey is None else _KIND_OF.get(sav.alg_auth, NO_KIND)
            self.rows[i, :S_DST] = sav.spi, kind, 0 if kind == NO_KIND else KINDS[kind][1]
            self.rows[i, S_DST : S_DST + 2] = np.frombuffer(sav.saidx.dst, np.int64)
            self.rows[i, S_SRC : S_SRC + 2] = np.frombuffer(sav.saidx.src, np.int64)
            if kind != NO_KIND:
                self.states[i] = states(KINDS[kind][0], sav.key_auth)


class Work:
    """Messages that wait for their codes: where they lie in ``room``, what is said of them.

    at, size: of a message in room; sa: its row of the table; kind; icv: its code in the arena; who:
    its packet.
    """

    def __init__(self) -> None:
        room: U8 = np.zeros(ROOM + SLACK + _LINE, np.uint8)
        aligned = -room.ctypes.data % _LINE
        self.room = room[aligned : aligned + ROOM + SLACK]
        self.at: I64 = np.zeros(BATCH, np.int64)
        self.size: U32 = np.zeros(BATCH, np.uint32)
        self.sa: I64 = np.zeros(BATCH, np.int64)
        self.kind: I64 = np.zeros(BATCH, np.int64)
        self.icv: I64 = np.zeros(BATCH, np.int64)
        self.who: I64 = np.zeros(BATCH, np.int64)


#: Takes packets from the given one on while there is room; the next packet, messages made.
Prepare = Callable[
    [U8, I64, U32, I64, U32, int, int, I64, U8, I64, U32, I64, I64, I64, I64], tuple[int, int]
]


class Checker:
    """Verdicts on batches of packets, with the associations of ``table``."""

    def __init__(self, table: SaTable) -> None:
        self.table = table
        self._work = Work()
        self._codes: U8 = np.zeros((BATCH, _CODE), np.uint8)
        self._ok: U8 = np.zeros(BATCH, np.uint8)

    def run(self, prepare: Prepare, batch: Batch, starts: I64) -> U8:
        """UNKNOWN, GOOD or BAD for each packet, whose IPv6 headers lie at ``starts``."""
        verdicts = np.zeros(batch.n, np.uint8)
        w, next_ = self._work, 0
        while next_ < batch.n:
            next_, made = prepare(
                batch.arena,
                batch.off,
                batch.caplen,
                starts,
                batch.flags,
                next_,
                batch.n,
                self.table.rows,
                w.room,
                w.at,
                w.size,
                w.sa,
                w.kind,
                w.icv,
                w.who,
            )
            self._judge(batch.arena, made, verdicts)
        return verdicts

    def _judge(self, arena: U8, made: int, verdicts: U8) -> None:
        kinds = self._work.kind[:made]
        for kind, count in enumerate(np.bincount(kinds, minlength=len(KINDS)).tolist()):
            if count == made > 0:
                self._judge_kind(kind, arena, slice(made), made, verdicts)
            elif count:
                self._judge_kind(kind, arena, np.flatnonzero(kinds == kind), count, verdicts)

    def _judge_kind(
        self, kind: int, arena: U8, which: slice | I64, count: int, verdicts: U8
    ) -> None:
        w = self._work
        alg, icvlen = KINDS[kind]
        columns = (w.sa[which], w.room, w.at[which], w.size[which])
        codes, ok = self._codes[:count], self._ok[:count]
        hmac_batch(alg, self.table.states, *columns, codes, icvlen)
        ct_equal_batch(codes, arena, w.icv[which], icvlen, ok)
        verdicts[w.who[which]] = BAD - ok
