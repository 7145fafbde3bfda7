# SPDX-License-Identifier: BSD-3-Clause
"""The listener's state of one group on one interface: (state, event) -> (action, state).

What KAME mld6.c does in mld6_start_listening, mld6_stop_listening, mld6_input and mld6_fasttimeo.
RFC 2710 s.5. Deviates from its diagram as KAME does: another listener's report also clears the flag
of an idle listener. Groups that are never reported do not run through here.
"""

from __future__ import annotations

import enum
from typing import Final


class MldState(enum.Enum):
    """States of RFC 2710 s.5; an In6Multi with a timer is delaying, one without is idle."""

    NON_LISTENER = "non-listener"
    DELAYING = "delaying listener"
    IDLE = "idle listener"


class MldEv(enum.Enum):
    """What happens to a group; the value is the sentence for documents."""

    START = "the group is joined"
    STOP = "the group is left"
    QUERY = "a query leaves time for the answer"
    QUERY_NOW = "a query wants the answer at once"
    REPORT = "another listener reports"
    TIMER = "the random delay is over"


class MldAct(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    CANCEL = enum.auto()  # stop the timer
    SEND = enum.auto()  # report now
    FLAG = enum.auto()  # we reported last
    UNFLAG = enum.auto()  # somebody else did
    ARM = enum.auto()  # report at a random time
    SHORTEN = enum.auto()  # the same, if the present timer would end too late
    DONE = enum.auto()  # tell the routers, if we reported last


MldRow = tuple[MldAct, MldState]
_REPORT: Final = MldAct.SEND | MldAct.FLAG

#: (state, event) -> (action, state). A pair that is not here cannot happen.
MLD_TABLE: Final[dict[tuple[MldState, MldEv], MldRow]] = {
    (MldState.NON_LISTENER, MldEv.START): (_REPORT | MldAct.ARM, MldState.DELAYING),
    (MldState.DELAYING, MldEv.STOP): (MldAct.CANCEL | MldAct.DONE, MldState.NON_LISTENER),
    (MldState.DELAYING, MldEv.QUERY): (MldAct.SHORTEN, MldState.DELAYING),
    (MldState.DELAYING, MldEv.QUERY_NOW): (MldAct.CANCEL | _REPORT, MldState.IDLE),
    (MldState.DELAYING, MldEv.REPORT): (MldAct.CANCEL | MldAct.UNFLAG, MldState.IDLE),
    (MldState.DELAYING, MldEv.TIMER): (MldAct.CANCEL | _REPORT, MldState.IDLE),
    (MldState.IDLE, MldEv.STOP): (MldAct.DONE, MldState.NON_LISTENER),
    (MldState.IDLE, MldEv.QUERY): (MldAct.ARM, MldState.DELAYING),
    (MldState.IDLE, MldEv.QUERY_NOW): (_REPORT, MldState.IDLE),
    (MldState.IDLE, MldEv.REPORT): (MldAct.UNFLAG, MldState.IDLE),
}
