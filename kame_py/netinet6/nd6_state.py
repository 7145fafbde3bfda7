# SPDX-License-Identifier: BSD-3-Clause
"""The life of one neighbour cache entry as a table: (state, event) -> (action, state).

What KAME spreads over nd6.c (nd6_output, nd6_timer, nd6_cache_lladdr) and nd6_nbr.c
(nd6_na_input). RFC 2461 s.7.2, s.7.3 and appendix C; RFC 4861 s.7.2.5.
"""

from __future__ import annotations

import enum
from typing import Final

from kame_py.netinet6.nd6_var import (
    ND6_LLINFO_DELAY,
    ND6_LLINFO_INCOMPLETE,
    ND6_LLINFO_NOSTATE,
    ND6_LLINFO_PROBE,
    ND6_LLINFO_REACHABLE,
    ND6_LLINFO_STALE,
    ND6_LLINFO_WAITDELETE,
)

NOSTATE: Final = ND6_LLINFO_NOSTATE
WAITDELETE: Final = ND6_LLINFO_WAITDELETE
INCOMPLETE: Final = ND6_LLINFO_INCOMPLETE
REACHABLE: Final = ND6_LLINFO_REACHABLE
STALE: Final = ND6_LLINFO_STALE
DELAY: Final = ND6_LLINFO_DELAY
PROBE: Final = ND6_LLINFO_PROBE

STATE_NAMES: Final[dict[int, str]] = {
    NOSTATE: "NOSTATE",
    WAITDELETE: "WAITDELETE",
    INCOMPLETE: "INCOMPLETE",
    REACHABLE: "REACHABLE",
    STALE: "STALE",
    DELAY: "DELAY",
    PROBE: "PROBE",
}


class Ev(enum.Enum):
    """What happens to an entry; the value is the sentence for documents."""

    OUTPUT = "a packet is to be sent"
    TIMER = "its time is up"
    GIVEUP = "its time is up and all solicitations are spent"
    NONUD = "its time is up and the interface does no unreachability detection"
    LL_NEW = "NS, RS, RA or redirect brings another link-layer address"
    LL_SAME = "NS, RS, RA or redirect confirms the link-layer address"
    NA_S = "solicited NA, same or no link-layer address"
    NA_U = "unsolicited NA, same or no link-layer address"
    NA_S_DIFF = "solicited NA without override, another link-layer address"
    NA_U_DIFF = "unsolicited NA without override, another link-layer address"
    NA_SO_DIFF = "solicited NA with override, another link-layer address"
    NA_UO_DIFF = "unsolicited NA with override, another link-layer address"
    HINT = "an upper layer makes progress"
    PROBE_NOW = "movement detection wants proof"


class Act(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    RECORD = enum.auto()  # keep the link-layer address
    HOLD = enum.auto()  # keep the packet, in place of the one before
    SEND = enum.auto()  # the packet goes out
    DISCARD = enum.auto()  # the packet ends here
    RESET = enum.auto()  # the count of solicitations starts again
    SOLICIT = enum.auto()  # multicast solicitation
    PROBE = enum.auto()  # unicast solicitation
    ARM = enum.auto()  # start the time of the new state
    NOW = enum.auto()  # the new state ends with the next sweep
    FLUSH = enum.auto()  # the held packet is sent
    UNREACH = enum.auto()  # Address Unreachable for the held packet
    FREE = enum.auto()  # the entry goes


Row = tuple[Act, int]
_RENEW: Final = Act.RESET | Act.ARM
_LEARN: Final = Act.RECORD | Act.RESET | Act.ARM
_SOLVE: Final = _LEARN | Act.FLUSH


def _known(state: int, own: dict[Ev, Row]) -> dict[tuple[int, Ev], Row]:
    """Rows of a state in which the link-layer address is known; ``own`` has what differs."""
    same: Row = (Act.NONE, state)
    rows: dict[Ev, Row] = {
        Ev.OUTPUT: (Act.SEND, state),
        Ev.TIMER: same,
        Ev.GIVEUP: same,
        Ev.NONUD: same,
        Ev.LL_NEW: (_LEARN, STALE),
        Ev.LL_SAME: same,
        Ev.NA_S: (_RENEW, REACHABLE),
        Ev.NA_U: same,
        Ev.NA_S_DIFF: same,
        Ev.NA_U_DIFF: same,
        Ev.NA_SO_DIFF: (_LEARN, REACHABLE),
        Ev.NA_UO_DIFF: (_LEARN, STALE),
        Ev.HINT: (_RENEW, REACHABLE),
        Ev.PROBE_NOW: same,
    }
    return {(state, ev): row for ev, row in (rows | own).items()}


def _unknown(state: int, own: dict[Ev, Row]) -> dict[tuple[int, Ev], Row]:
    """Rows of a state without link-layer address; what ``own`` lacks changes nothing."""
    return {(state, ev): own.get(ev, (Act.NONE, state)) for ev in Ev}


#: (state, event) -> (action, state): complete.
LLINFO_TABLE: Final[dict[tuple[int, Ev], Row]] = {
    **_unknown(
        NOSTATE,
        {
            Ev.OUTPUT: (Act.HOLD | Act.RESET | Act.SOLICIT | Act.ARM, INCOMPLETE),
            Ev.LL_NEW: (_LEARN, STALE),
        },
    ),
    **_unknown(WAITDELETE, {Ev.OUTPUT: (Act.DISCARD, WAITDELETE)}),
    **_unknown(
        INCOMPLETE,
        {
            Ev.OUTPUT: (Act.HOLD, INCOMPLETE),
            Ev.TIMER: (Act.SOLICIT | Act.ARM, INCOMPLETE),
            Ev.GIVEUP: (Act.UNREACH | Act.FREE, WAITDELETE),
            Ev.LL_NEW: (_SOLVE, STALE),
            Ev.NA_S_DIFF: (_SOLVE, REACHABLE),
            Ev.NA_SO_DIFF: (_SOLVE, REACHABLE),
            Ev.NA_U_DIFF: (_SOLVE, STALE),
            Ev.NA_UO_DIFF: (_SOLVE, STALE),
        },
    ),
    **_known(
        REACHABLE,
        {
            Ev.TIMER: (Act.ARM, STALE),
            Ev.NA_S_DIFF: (Act.ARM, STALE),
            Ev.NA_U_DIFF: (Act.ARM, STALE),
            Ev.PROBE_NOW: (Act.RESET | Act.NOW, DELAY),
        },
    ),
    **_known(
        STALE,
        {
            Ev.OUTPUT: (Act.SEND | Act.RESET | Act.ARM, DELAY),
            Ev.TIMER: (Act.FREE, WAITDELETE),
            Ev.PROBE_NOW: (Act.RESET | Act.NOW, DELAY),
        },
    ),
    **_known(
        DELAY,
        {
            Ev.TIMER: (Act.RESET | Act.PROBE | Act.ARM, PROBE),
            Ev.NONUD: (Act.ARM, STALE),
        },
    ),
    **_known(
        PROBE,
        {
            Ev.TIMER: (Act.PROBE | Act.ARM, PROBE),
            Ev.GIVEUP: (Act.FREE, WAITDELETE),
        },
    ),
}
