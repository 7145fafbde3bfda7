# SPDX-License-Identifier: BSD-3-Clause
"""The AH associations of a kernel as arrays, and what checks codes of a batch with them.

KAME key.c (key_allocsa). Associations whose algorithm hmac_mb.py has not are in the table, so that
they are found, but prove nothing; so do scoped addresses, which look different on the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast import kernels
from kame_py.fast.batch import BATCH, I64, SLACK, U8, U32
from kame_py.fast.cpu import secret
from kame_py.fast.ct import ct_equal_batch
from kame_py.fast.hmac_mb import ROW, Alg, hmac_batch, many_states
from kame_py.fast.places import places
from kame_py.netkey.algorithms import HmacKey
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_AH

if TYPE_CHECKING:
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
S_DST1: Final = 4
S_SRC: Final = 5
S_SRC1: Final = 6
S_SIZE: Final = 8
NO_KIND: Final = -1

X_MASK: Final = 2  # of an index, behind its secrets: slots - 1, a power of two
X_SLOTS: Final = 3

# What finds messages in a batch is handed these arrays (Checker.lists).
L_ROWS: Final = 0
L_INDEX: Final = 1
L_ROOM: Final = 2
L_AT: Final = 3
L_SIZE: Final = 4
L_SA: Final = 5
L_KIND: Final = 6
L_ICV: Final = 7
L_WHO: Final = 8

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
CODE: Final = max(icvlen for _, icvlen in KINDS)
_ICVLENS: Final = (*(icvlen for _, icvlen in KINDS), 0)  # the last one is that of NO_KIND
MISSES: Final = 32  # packets without a known association; then a table is made again ...
_SHARE: Final = 16  # ... but not until they are this part of the associations
_LINE: Final = 64  # octets of a line of the cache
ROOM: Final = BATCH << 9  # octets of messages of a batch; so many each are enough


class SaTable:
    """The usable AH associations by SPI, those of one SPI in the order of the database.

    They are those of the moment: whoever keeps a table asks for the state of what was found, and
    makes a new one when there are others. row_of: by association. index: where rows are, by a
    secret hash; sa_kernels.py looks there.
    """

    def __init__(self, kern: Kernel) -> None:
        found: list[Secasvar] = []
        for (proto, _, _), savs in kern.key.sad.items():
            if proto == IPPROTO_AH:
                found += (sav for sav in savs if sav.state in _VALID)
        self.savs = sorted(found, key=_spi)
        self.row_of = {sav: i for i, sav in enumerate(self.savs)}
        self.rows: I64 = np.zeros((len(found), S_SIZE), np.int64)
        kinds = [_kind(sav) for sav in self.savs]
        self.rows[:, S_SPI] = [sav.spi for sav in self.savs]
        self.rows[:, S_KIND] = kinds
        self.rows[:, S_ICVLEN] = [_ICVLENS[kind] for kind in kinds]
        self.rows[:, S_DST : S_DST + 2] = _words([sav.saidx.dst for sav in self.savs])
        self.rows[:, S_SRC : S_SRC + 2] = _words([sav.saidx.src for sav in self.savs])
        self.states: U32 = np.zeros((len(found), ROW), np.uint32)
        for kind, (alg, _) in enumerate(KINDS):
            which = np.flatnonzero(self.rows[:, S_KIND] == kind)
            if len(which):
                keys = [self.savs[i].key_auth for i in which.tolist()]
                self.states[which] = many_states(alg, keys)
        self.index = index_of(self.rows)


def _spi(sav: Secasvar) -> int:
    return sav.spi


def _kind(sav: Secasvar) -> int:
    return NO_KIND if sav.mackey is None else _KIND_OF.get(sav.alg_auth, NO_KIND)


def _words(addrs: list[bytes]) -> I64:
    return np.frombuffer(b"".join(addrs), np.int64).reshape(-1, 2)


def index_of(rows: I64) -> I64:
    """The hash table of some rows: two secrets, a mask, then 1 + row or 0."""
    size = 1 << max(len(rows), 1).bit_length() + 1
    index: I64 = np.zeros(X_SLOTS + size, np.int64)
    index[:X_MASK] = np.frombuffer(secret(X_MASK), np.int64)
    index[X_MASK] = size - 1
    kernels.fill_index(rows, index)
    return index


class Associations:
    """The table of one kernel's associations, made again where too much is not in it."""

    def __init__(self, kern: Kernel) -> None:
        self._kern = kern
        self._table: SaTable | None = None
        self._gen = 0  # changes of associations when it was made
        self._misses = 0  # packets whose association is not in it, or not usable any more

    def table(self) -> SaTable:
        """The table for a batch."""
        gen, table = self._kern.key.gen, self._table
        if table is not None:
            few = self._misses <= MISSES + len(table.savs) // _SHARE
            if few or gen == self._gen:
                return table
        self._table = table = SaTable(self._kern)
        self._gen, self._misses = gen, 0
        return table

    def miss(self) -> None:
        """A packet's association was not found, or is gone."""
        self._misses += 1


class Work:
    """Messages that wait for their codes: where they lie, and what is said of them.

    at, size: of a message; sa: its row of the table; kind; icv: its code in the arena; who: its
    packet. heads: the first octets of messages that lie in the arena otherwise.
    """

    def __init__(self, front: int) -> None:
        octets = BATCH * front or ROOM
        room: U8 = np.zeros(octets + SLACK + _LINE, np.uint8)
        aligned = -room.ctypes.data % _LINE
        self.room = room[aligned : aligned + octets + SLACK]
        self.heads = self.room[: BATCH * front].reshape(BATCH, front)
        self.at: I64 = np.zeros(BATCH, np.int64)
        self.size: U32 = np.zeros(BATCH, np.uint32)
        self.sa: I64 = np.zeros(BATCH, np.int64)
        self.kind: I64 = np.zeros(BATCH, np.int64)
        self.icv: I64 = np.zeros(BATCH, np.int64)
        self.who: I64 = np.zeros(BATCH, np.int64)


class Checker:
    """Verdicts on batches of packets, with the associations of ``table``.

    front: so many octets of each message are in the room, the others in its packet; 0: all are in
    the room. work: the messages of the last packets that were looked at. lists: what finds them
    writes there.
    """

    def __init__(self, table: SaTable, front: int = 0) -> None:
        self.table = table
        self.work = w = Work(front)
        self.lists = places(
            *(table.rows, table.index, w.room, w.at, w.size, w.sa, w.kind, w.icv, w.who),
        )
        self._texts = w.room  # what ``at`` is counted in
        self._front = front
        self._codes: U8 = np.zeros((BATCH, CODE), np.uint8)
        self._ok: U8 = np.zeros(BATCH, np.uint8)

    def judge(self, arena: U8, made: int, verdicts: U8) -> None:
        """Compute the codes of so many messages in ``work``: GOOD or BAD for whom each is of."""
        if self._front:
            self._texts = arena
        kinds = self.work.kind[:made]
        for kind, count in enumerate(np.bincount(kinds, minlength=len(KINDS)).tolist()):
            if count == made > 0:
                self._judge_kind(kind, arena, slice(made), self._codes[:made], verdicts)
            elif count:
                which, codes = np.flatnonzero(kinds == kind), np.zeros((count, CODE), np.uint8)
                self._judge_kind(kind, arena, which, codes, verdicts)
                self._codes[which] = codes

    def tell(self, message: int) -> None:
        """Hand the right code of a message that ``judge`` saw last to who computes it next."""
        w = self.work
        at, size = int(w.at[message]), int(w.size[message])
        icvlen = KINDS[w.kind[message]][1]
        mac = self.table.savs[w.sa[message]].mackey
        if isinstance(mac, HmacKey):
            text = w.heads[message, :size].tobytes()
            text += self._texts[at + len(text) : at + size].tobytes()
            mac.known = text, self._codes[message, :icvlen].tobytes()

    def _judge_kind(
        self, kind: int, arena: U8, which: slice | I64, codes: U8, verdicts: U8
    ) -> None:
        w, ok = self.work, self._ok[: len(codes)]
        alg, icvlen = KINDS[kind]
        columns = (w.sa[which], self._texts, w.at[which], w.size[which])
        hmac_batch(alg, self.table.states, *columns, codes, icvlen, w.heads[which])
        ct_equal_batch(codes, arena, w.icv[which], icvlen, ok)
        verdicts[w.who[which]] = BAD - ok
