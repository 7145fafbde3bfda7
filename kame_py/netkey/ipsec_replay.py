# SPDX-License-Identifier: BSD-3-Clause
"""Sequence numbers of AH and ESP: the next one to send, and the window against replays.

KAME ipsec.c (ipsec_chkreplay, ipsec_updatereplay). Deviates: the bitmap is one integer. RFC 2401
appendix C, RFC 2402 s.3.3.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.netkey.keydb import ESP_REPLAY_UNITS
from kame_py.wire.pfkeyv2 import SADB_X_EXT_CYCSEQ

if TYPE_CHECKING:
    from kame_py.netkey.keydb import Secasvar

SEQ_MAX: Final = 0xFFFFFFFF


def ipsec_nextseq(sav: Secasvar) -> int | None:
    """The number of the next packet; None when the numbers are used up and must not begin again."""
    replay = sav.replay
    if replay.count == SEQ_MAX and not sav.flags & SADB_X_EXT_CYCSEQ:
        return None
    replay.count = (replay.count + 1) & SEQ_MAX
    return replay.count


def ipsec_chkreplay(sav: Secasvar, seq: int) -> bool:
    """Whether a packet of this number may be new; its code is not verified yet."""
    replay = sav.replay
    if not replay.wsize:
        return True
    if not seq:
        return False
    if not replay.bitmap or seq > replay.lastseq:
        return True
    age = replay.lastseq - seq
    return age < replay.wsize * ESP_REPLAY_UNITS and not replay.bitmap >> age & 1


def ipsec_updatereplay(sav: Secasvar, seq: int) -> bool:
    """A packet of this number was authentic: remember it. False: it is a replay after all.

    ``count`` counts packets here; as in KAME an association that is not cyclic ends with 2^32 - 1.
    """
    replay = sav.replay
    if not replay.wsize:
        return True
    if not ipsec_chkreplay(sav, seq):
        return False
    if replay.count == SEQ_MAX:
        replay.overflow += 1
        if not sav.flags & SADB_X_EXT_CYCSEQ:
            return False
    replay.count = (replay.count + 1) & SEQ_MAX
    window = (1 << replay.wsize * ESP_REPLAY_UNITS) - 1
    if not replay.bitmap:
        replay.bitmap, replay.lastseq = 1, seq
    elif seq > replay.lastseq:
        shift = min(seq - replay.lastseq, replay.wsize * ESP_REPLAY_UNITS)
        replay.bitmap = (replay.bitmap << shift | 1) & window
        replay.lastseq = seq
    else:
        replay.bitmap |= 1 << replay.lastseq - seq
    return True
