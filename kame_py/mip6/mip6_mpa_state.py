# SPDX-License-Identifier: BSD-3-Clause
"""Delivery of prefixes to a mobile node as a table: (state, event) -> (action, state).

KAME had none. draft-ietf-mobileip-ipv6-15 s.9.8.2, s.9.8.3.
"""

from __future__ import annotations

import enum
from typing import Final


class MpaSt(enum.Enum):
    """What a registered mobile node knows; the value is the sentence for documents."""

    IDLE = "it knows all there is"
    PLANNED = "an advertisement goes out after a random delay"
    UNACKED = "an advertisement is out, no update has answered it"


class MpaEv(enum.Enum):
    """What happens to it."""

    CHANGED = "prefixes of the home link change"
    SOLICITED = "it asks"
    TIMER = "its time is up"
    ACKED = "an update brings the unique identifier back"
    END = "the registration is over"


class MpaAct(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    STOP = enum.auto()  # no timer
    PLAN = enum.auto()  # wait for RAND_ADV_DELAY
    SOONER = enum.auto()  # draw it again, the earlier one counts
    FRESH = enum.auto()  # a new unique identifier
    SEND = enum.auto()  # advertise
    FIRST = enum.auto()  # the first retransmission is due in 5 s
    AGAIN = enum.auto()  # the next one in twice the time, three in all
    DONE = enum.auto()  # what was said is known


MpaRow = tuple[MpaAct, MpaSt]
_NOTHING: Final = MpaAct.NONE
_DELIVER: Final[MpaRow] = (MpaAct.STOP | MpaAct.FRESH | MpaAct.SEND | MpaAct.FIRST, MpaSt.UNACKED)
_END: Final[MpaRow] = (MpaAct.STOP | MpaAct.DONE, MpaSt.IDLE)

#: (state, event) -> (action, state): complete.
MPA_TABLE: Final[dict[tuple[MpaSt, MpaEv], MpaRow]] = {
    (MpaSt.IDLE, MpaEv.CHANGED): (MpaAct.PLAN, MpaSt.PLANNED),
    (MpaSt.IDLE, MpaEv.SOLICITED): (MpaAct.SEND, MpaSt.IDLE),
    (MpaSt.IDLE, MpaEv.TIMER): _DELIVER,
    (MpaSt.IDLE, MpaEv.ACKED): (MpaAct.DONE, MpaSt.IDLE),
    (MpaSt.IDLE, MpaEv.END): (MpaAct.STOP, MpaSt.IDLE),
    (MpaSt.PLANNED, MpaEv.CHANGED): (MpaAct.SOONER, MpaSt.PLANNED),
    (MpaSt.PLANNED, MpaEv.SOLICITED): _DELIVER,
    (MpaSt.PLANNED, MpaEv.TIMER): _DELIVER,
    (MpaSt.PLANNED, MpaEv.ACKED): (_NOTHING, MpaSt.PLANNED),
    (MpaSt.PLANNED, MpaEv.END): _END,
    (MpaSt.UNACKED, MpaEv.CHANGED): (MpaAct.STOP | MpaAct.PLAN, MpaSt.PLANNED),
    (MpaSt.UNACKED, MpaEv.SOLICITED): (MpaAct.SEND, MpaSt.UNACKED),
    (MpaSt.UNACKED, MpaEv.TIMER): (MpaAct.SEND | MpaAct.AGAIN, MpaSt.UNACKED),
    (MpaSt.UNACKED, MpaEv.ACKED): _END,
    (MpaSt.UNACKED, MpaEv.END): _END,
}
