# SPDX-License-Identifier: BSD-3-Clause
"""Duplicate address detection of one address as a table: (state, event) -> (action, state).

What KAME nd6_nbr.c does in nd6_dad_start, nd6_dad_timer, nd6_dad_ns_input and nd6_dad_na_input.
RFC 2462 s.5.4.
"""

from __future__ import annotations

import enum
from typing import Final


class DadState(enum.Enum):
    """What is known of the test of a tentative address."""

    IDLE = "no test is under way"
    WAITING = "the first solicitation is still to come"
    PROBING = "solicitations were sent"
    CLASHED = "solicitations were sent and another node's was seen"


class DadEv(enum.Enum):
    """What happens; the value is the sentence for documents."""

    START = "the address is new"
    START_LATER = "the interface came back"
    STOP = "the address or the interface goes"
    TIMER = "a time is over and solicitations are left"
    LAST = "a time is over and all solicitations were sent"
    GIVEUP = "a time is over and the interface never sent anything"
    NS = "another node tests the address"
    NA = "another node has the address"


class DadAct(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    BEGIN = enum.auto()  # note that a test is under way
    DELAY = enum.auto()  # wait a random time up to a second
    SEND = enum.auto()  # solicit and wait a retransmission time
    END = enum.auto()  # the test is over
    SUCCESS = enum.auto()  # the address may be used
    DUPLICATED = enum.auto()  # it must not be used
    COMPLAIN = enum.auto()  # say that the interface does not work


DadRow = tuple[DadAct, DadState]
_LOST: Final[DadRow] = (DadAct.END | DadAct.DUPLICATED, DadState.IDLE)
_ENDED: Final[DadRow] = (DadAct.END, DadState.IDLE)
_GAVE_UP: Final[DadRow] = (DadAct.END | DadAct.COMPLAIN, DadState.IDLE)

#: (state, event) -> (action, state). A pair that is not here cannot happen.
DAD_TABLE: Final[dict[tuple[DadState, DadEv], DadRow]] = {
    (DadState.IDLE, DadEv.START): (DadAct.BEGIN | DadAct.SEND, DadState.PROBING),
    (DadState.IDLE, DadEv.START_LATER): (DadAct.BEGIN | DadAct.DELAY, DadState.WAITING),
    (DadState.IDLE, DadEv.STOP): (DadAct.NONE, DadState.IDLE),
    (DadState.IDLE, DadEv.NS): (DadAct.DUPLICATED, DadState.IDLE),
    (DadState.IDLE, DadEv.NA): (DadAct.DUPLICATED, DadState.IDLE),
    (DadState.WAITING, DadEv.TIMER): (DadAct.SEND, DadState.PROBING),
    (DadState.WAITING, DadEv.GIVEUP): _GAVE_UP,
    (DadState.WAITING, DadEv.STOP): _ENDED,
    (DadState.WAITING, DadEv.NS): _LOST,
    (DadState.WAITING, DadEv.NA): _LOST,
    (DadState.PROBING, DadEv.TIMER): (DadAct.SEND, DadState.PROBING),
    (DadState.PROBING, DadEv.LAST): (DadAct.END | DadAct.SUCCESS, DadState.IDLE),
    (DadState.PROBING, DadEv.GIVEUP): _GAVE_UP,
    (DadState.PROBING, DadEv.STOP): _ENDED,
    (DadState.PROBING, DadEv.NS): (DadAct.NONE, DadState.CLASHED),
    (DadState.PROBING, DadEv.NA): _LOST,
    (DadState.CLASHED, DadEv.TIMER): _LOST,
    (DadState.CLASHED, DadEv.LAST): _LOST,
    (DadState.CLASHED, DadEv.GIVEUP): _LOST,
    (DadState.CLASHED, DadEv.STOP): _ENDED,
    (DadState.CLASHED, DadEv.NS): (DadAct.NONE, DadState.CLASHED),
    (DadState.CLASHED, DadEv.NA): _LOST,
}
