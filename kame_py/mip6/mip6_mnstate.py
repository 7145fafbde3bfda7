# SPDX-License-Identifier: BSD-3-Clause
"""The mobile node's state machines as tables: (state, event) -> (action, state).

Location of a home interface, entries of the binding update list, home agent discovery: what KAME
spreads over mip6_process_movement, mip6_home_registration, mip6_bu_timeout and mip6_process_ba.
draft-ietf-mobileip-ipv6-15 s.10.4-10.15, s.10.20.
"""

from __future__ import annotations

import enum
from typing import Final

# -- where a home interface is --------------------------------------------------------------------

HIF_LOCATION_UNKNOWN: Final = 0
HIF_LOCATION_HOME: Final = 1
HIF_LOCATION_FOREIGN: Final = 2

LOCATION_NAMES: Final[dict[int, str]] = {
    HIF_LOCATION_UNKNOWN: "UNKNOWN",
    HIF_LOCATION_HOME: "HOME",
    HIF_LOCATION_FOREIGN: "FOREIGN",
}


class LocEv(enum.Enum):
    """What movement detection finds; the value is the sentence for documents."""

    AT_HOME = "the care-of address has a home prefix, or there is none here and a router tells one"
    ABROAD = "the care-of address has another prefix"
    NOWHERE = "no care-of address, or no home prefix is configured"
    DISABLE = "the mobile node is switched off"


class LocAct(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    FORWARD = enum.auto()  # ask a home agent of the link that was left to forward
    STRIP_IF = enum.auto()  # home addresses leave the physical interfaces
    ADD_HIF = enum.auto()  # ... and come to the home interface
    STRIP_HIF = enum.auto()  # home addresses leave the home interface
    ADD_IF = enum.auto()  # ... and are on the physical interface
    REGISTER = enum.auto()  # home registration with the new care-of address
    NOTIFY = enum.auto()  # updates to all correspondents
    DEREGISTER = enum.auto()
    GOODBYE = enum.auto()  # one update with lifetime zero to every peer
    DROP = enum.auto()  # all entries go


LocRow = tuple[LocAct, int]
_ARRIVE: Final[LocRow] = (
    LocAct.STRIP_IF | LocAct.ADD_HIF | LocAct.REGISTER | LocAct.NOTIFY,
    HIF_LOCATION_FOREIGN,
)
_HOME: Final[LocRow] = (LocAct.STRIP_HIF | LocAct.ADD_IF, HIF_LOCATION_HOME)

#: (location, event) -> (action, location): complete.
LOCATION_TABLE: Final[dict[tuple[int, LocEv], LocRow]] = {
    (HIF_LOCATION_UNKNOWN, LocEv.AT_HOME): _HOME,
    (HIF_LOCATION_UNKNOWN, LocEv.ABROAD): _ARRIVE,
    (HIF_LOCATION_UNKNOWN, LocEv.NOWHERE): (LocAct.NONE, HIF_LOCATION_UNKNOWN),
    (HIF_LOCATION_UNKNOWN, LocEv.DISABLE): (LocAct.DROP, HIF_LOCATION_UNKNOWN),
    (HIF_LOCATION_HOME, LocEv.AT_HOME): (LocAct.ADD_IF, HIF_LOCATION_HOME),
    (HIF_LOCATION_HOME, LocEv.ABROAD): _ARRIVE,
    (HIF_LOCATION_HOME, LocEv.NOWHERE): (LocAct.NONE, HIF_LOCATION_HOME),
    (HIF_LOCATION_HOME, LocEv.DISABLE): (LocAct.DROP, HIF_LOCATION_UNKNOWN),
    (HIF_LOCATION_FOREIGN, LocEv.AT_HOME): (_HOME[0] | LocAct.DEREGISTER, HIF_LOCATION_HOME),
    (HIF_LOCATION_FOREIGN, LocEv.ABROAD): (
        LocAct.FORWARD | LocAct.ADD_HIF | LocAct.REGISTER | LocAct.NOTIFY,
        HIF_LOCATION_FOREIGN,
    ),
    (HIF_LOCATION_FOREIGN, LocEv.NOWHERE): (LocAct.NONE, HIF_LOCATION_FOREIGN),
    (HIF_LOCATION_FOREIGN, LocEv.DISABLE): (
        LocAct.GOODBYE | LocAct.STRIP_HIF | LocAct.DROP,
        HIF_LOCATION_UNKNOWN,
    ),
}

# -- entries of the binding update list -----------------------------------------------------------

MIP6_BU_REG_STATE_NOTREG: Final = 1
MIP6_BU_REG_STATE_REGWAITACK: Final = 2
MIP6_BU_REG_STATE_REG: Final = 3
MIP6_BU_REG_STATE_DEREGWAITACK: Final = 4

REG_STATE_NAMES: Final[dict[int, str]] = {
    MIP6_BU_REG_STATE_NOTREG: "NOTREG",
    MIP6_BU_REG_STATE_REGWAITACK: "REGWAITACK",
    MIP6_BU_REG_STATE_REG: "REG",
    MIP6_BU_REG_STATE_DEREGWAITACK: "DEREGWAITACK",
}

_NOTREG: Final = MIP6_BU_REG_STATE_NOTREG
_REGWAIT: Final = MIP6_BU_REG_STATE_REGWAITACK
_REG: Final = MIP6_BU_REG_STATE_REG
_DEREGWAIT: Final = MIP6_BU_REG_STATE_DEREGWAITACK


class BuEv(enum.Enum):
    """What happens to an entry; the value is the sentence for documents."""

    ABROAD = "a new care-of address"
    AT_HOME = "back on the home link"
    COVERED = "back on the home link, and the update of another home address speaks for it"
    ACK = "acknowledged"
    UNKNOWN_THERE = "refused: not the home agent of this mobile node (137)"
    RETRY_NEXT = "refused: another home agent may accept"
    RETRY_LATER = "refused: the same one may accept later"
    DAD_FAILED = "refused: another node has the home address (138)"
    RESYNC = "refused: sequence number too small (141)"
    TIMEOUT = "no acknowledgement in time"
    LIMIT = "no acknowledgement and the timeout is at its limit"
    REFRESH = "its refresh time is up"
    EXPIRE = "its lifetime is over"
    REQUEST = "the peer asks for an update"
    TUNNELLED = "a packet of the peer came through the tunnel"
    NO_BU = "the peer does not know binding updates"
    NO_HAO = "the peer does not know the home address option"
    HA_GONE = "its home agent is no longer one"


class BuAct(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    RESET = enum.auto()  # nothing is granted any more: no tunnel, no lifetime
    HOLD = enum.auto()  # not before a pause
    NEXT_HA = enum.auto()  # another home agent, without a pause while the list goes on; discovery
    RENEW = enum.auto()  # care-of address and lifetime as they are now
    ARM = enum.auto()  # wait for an acknowledgement, shortest timeout
    DOUBLE = enum.auto()  # wait twice as long
    GIVEUP = enum.auto()  # wait no longer
    ACCEPT = enum.auto()  # lifetime and refresh time as granted
    TUNNEL = enum.auto()  # decapsulate what the home agent sends
    SEND = enum.auto()  # an update is to go out
    MUTE = enum.auto()  # no update any more
    BARE = enum.auto()  # no home address option any more either
    FINISH = enum.auto()  # tell link and correspondents that we are home
    FORGET = enum.auto()  # the home address is not used again
    FREE = enum.auto()  # the entry goes


BuRow = tuple[BuAct, int]
_SAY: Final = BuAct.RENEW | BuAct.ARM | BuAct.SEND
_DONE: Final[BuRow] = (BuAct.FINISH | BuAct.FREE, _NOTREG)


def _home(state: int, own: dict[BuEv, BuRow]) -> dict[tuple[int, BuEv], BuRow]:
    """Rows of a home registration; ``own`` has what differs."""
    same: BuRow = (BuAct.NONE, state)
    rows: dict[BuEv, BuRow] = dict.fromkeys(BuEv, same)
    rows |= {
        BuEv.ABROAD: (_SAY, _REGWAIT),
        BuEv.AT_HOME: (_SAY, _DEREGWAIT),
        BuEv.COVERED: (BuAct.GIVEUP, _DEREGWAIT),
        BuEv.UNKNOWN_THERE: (BuAct.RESET | BuAct.NEXT_HA | _SAY | BuAct.HOLD, _REGWAIT),
        BuEv.RETRY_NEXT: (BuAct.RESET | BuAct.NEXT_HA | _SAY | BuAct.HOLD, _REGWAIT),
        BuEv.RETRY_LATER: (BuAct.RESET | _SAY | BuAct.HOLD, _REGWAIT),
        BuEv.DAD_FAILED: (BuAct.RESET | BuAct.FORGET | BuAct.FREE, _NOTREG),
        BuEv.RESYNC: (BuAct.ARM | BuAct.SEND, state),
        BuEv.TIMEOUT: (BuAct.DOUBLE | BuAct.SEND, state),
        BuEv.LIMIT: (BuAct.NEXT_HA | BuAct.DOUBLE | BuAct.SEND, state),
        BuEv.EXPIRE: (BuAct.RESET | _SAY, _REGWAIT),
        BuEv.REQUEST: (BuAct.RENEW | BuAct.ARM | BuAct.SEND, state),
        BuEv.HA_GONE: (BuAct.RESET | BuAct.NEXT_HA | _SAY, _REGWAIT),
    }
    return {(state, ev): row for ev, row in (rows | own).items()}


#: Home registrations: (registration state, event) -> (action, registration state): complete.
HOME_TABLE: Final[dict[tuple[int, BuEv], BuRow]] = {
    **_home(_NOTREG, dict.fromkeys((BuEv.AT_HOME, BuEv.COVERED), (BuAct.FREE, _NOTREG))),
    **_home(_REGWAIT, {BuEv.ACK: (BuAct.ACCEPT | BuAct.TUNNEL, _REG)}),
    **_home(
        _REG,
        {
            BuEv.ACK: (BuAct.ACCEPT | BuAct.TUNNEL, _REG),
            BuEv.REFRESH: (_SAY, _REG),
        },
    ),
    **_home(
        _DEREGWAIT,
        {
            BuEv.ACK: _DONE,
            BuEv.UNKNOWN_THERE: _DONE,
            BuEv.RETRY_NEXT: _DONE,
            BuEv.RETRY_LATER: (BuAct.ARM | BuAct.SEND | BuAct.HOLD, _DEREGWAIT),
            BuEv.DAD_FAILED: _DONE,
            BuEv.LIMIT: (BuAct.DOUBLE | BuAct.SEND, _DEREGWAIT),
            BuEv.EXPIRE: _DONE,
            BuEv.HA_GONE: (BuAct.NONE, _DEREGWAIT),
        },
    ),
}


class CnSt(enum.Enum):
    """State of a correspondent's entry; the value is the sentence for documents."""

    QUIET = "nothing to send"
    WAITSENT = "an update goes with the next packet or the next second"
    MUTE = "the peer does not know binding updates"
    BARE = "the peer does not know the home address option"


CnRow = tuple[BuAct, CnSt]


def _cn(state: CnSt, own: dict[BuEv, CnRow]) -> dict[tuple[CnSt, BuEv], CnRow]:
    same: CnRow = (BuAct.NONE, state)
    rows: dict[BuEv, CnRow] = dict.fromkeys(BuEv, same)
    gone: CnRow = (BuAct.FREE, CnSt.QUIET)
    later: CnRow = (BuAct.HOLD | BuAct.FREE, CnSt.QUIET)
    rows |= {
        BuEv.EXPIRE: gone,
        BuEv.UNKNOWN_THERE: later,
        BuEv.RETRY_NEXT: later,
        BuEv.RETRY_LATER: later,
        BuEv.DAD_FAILED: later,
        BuEv.NO_BU: (BuAct.MUTE, CnSt.MUTE),
        BuEv.NO_HAO: (BuAct.MUTE | BuAct.BARE, CnSt.BARE),
    }
    return {(state, ev): row for ev, row in (rows | own).items()}


def _cn_open(state: CnSt) -> dict[tuple[CnSt, BuEv], CnRow]:
    send: CnRow = (BuAct.RENEW | BuAct.SEND, CnSt.WAITSENT)
    return _cn(
        state,
        {
            BuEv.ABROAD: send,
            BuEv.AT_HOME: send,
            BuEv.REQUEST: send,
            BuEv.TUNNELLED: send,
            BuEv.REFRESH: send,
            BuEv.RESYNC: (BuAct.SEND, CnSt.WAITSENT),
            BuEv.TIMEOUT: (BuAct.DOUBLE | BuAct.SEND, CnSt.WAITSENT),
            BuEv.LIMIT: (BuAct.GIVEUP, CnSt.QUIET),
            BuEv.ACK: (BuAct.ACCEPT, CnSt.QUIET),
        },
    )


#: Entries of correspondents: (state, event) -> (action, state): complete.
CN_TABLE: Final[dict[tuple[CnSt, BuEv], CnRow]] = {
    **_cn_open(CnSt.QUIET),
    **_cn_open(CnSt.WAITSENT),
    **_cn(CnSt.MUTE, {BuEv.NO_BU: (BuAct.NONE, CnSt.MUTE)}),
    **_cn(CnSt.BARE, dict.fromkeys((BuEv.NO_BU, BuEv.NO_HAO), (BuAct.NONE, CnSt.BARE))),
}

# -- home agent address discovery -----------------------------------------------------------------


class DhaadSt(enum.Enum):
    """State of the discovery of one home interface; the value is the sentence for documents."""

    IDLE = "no discovery"
    WAIT = "a request is out"
    PAUSE = "nobody answered; after a while it starts again"


class DhaadEv(enum.Enum):
    """What happens to it."""

    START = "a home agent is wanted"
    MOVED = "a home agent is wanted at a new care-of address"
    REPLY = "a good reply to the request"
    TIMEOUT = "no reply in time"
    GIVEUP = "no reply to the last retransmission"
    STOP = "nobody wants a home agent any more"


class DhaadAct(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    FRESH = enum.auto()  # tries and pause as at first
    SEND = enum.auto()  # a request; wait twice as long as for the one before
    REST = enum.auto()  # wait for a pause, the next one twice as long
    LEARN = enum.auto()  # home agents as told
    CANCEL = enum.auto()  # no timer


DhaadRow = tuple[DhaadAct, DhaadSt]
_ASK: Final[DhaadRow] = (DhaadAct.FRESH | DhaadAct.SEND, DhaadSt.WAIT)
_STOP: Final[DhaadRow] = (DhaadAct.CANCEL, DhaadSt.IDLE)
_SAME_WAIT: Final[DhaadRow] = (DhaadAct.NONE, DhaadSt.WAIT)
_SAME_PAUSE: Final[DhaadRow] = (DhaadAct.NONE, DhaadSt.PAUSE)
_SAME_IDLE: Final[DhaadRow] = (DhaadAct.NONE, DhaadSt.IDLE)

#: (state, event) -> (action, state): complete.
DHAAD_TABLE: Final[dict[tuple[DhaadSt, DhaadEv], DhaadRow]] = {
    (DhaadSt.IDLE, DhaadEv.START): _ASK,
    (DhaadSt.IDLE, DhaadEv.MOVED): _ASK,
    (DhaadSt.IDLE, DhaadEv.REPLY): _SAME_IDLE,
    (DhaadSt.IDLE, DhaadEv.TIMEOUT): _SAME_IDLE,
    (DhaadSt.IDLE, DhaadEv.GIVEUP): _SAME_IDLE,
    (DhaadSt.IDLE, DhaadEv.STOP): _SAME_IDLE,
    (DhaadSt.WAIT, DhaadEv.START): _SAME_WAIT,
    (DhaadSt.WAIT, DhaadEv.MOVED): _ASK,
    (DhaadSt.WAIT, DhaadEv.REPLY): (DhaadAct.LEARN | DhaadAct.CANCEL, DhaadSt.IDLE),
    (DhaadSt.WAIT, DhaadEv.TIMEOUT): (DhaadAct.SEND, DhaadSt.WAIT),
    (DhaadSt.WAIT, DhaadEv.GIVEUP): (DhaadAct.REST, DhaadSt.PAUSE),
    (DhaadSt.WAIT, DhaadEv.STOP): _STOP,
    (DhaadSt.PAUSE, DhaadEv.START): _SAME_PAUSE,
    (DhaadSt.PAUSE, DhaadEv.MOVED): _ASK,
    (DhaadSt.PAUSE, DhaadEv.REPLY): (DhaadAct.LEARN | DhaadAct.CANCEL, DhaadSt.IDLE),
    (DhaadSt.PAUSE, DhaadEv.TIMEOUT): (DhaadAct.SEND, DhaadSt.WAIT),
    (DhaadSt.PAUSE, DhaadEv.GIVEUP): _SAME_PAUSE,
    (DhaadSt.PAUSE, DhaadEv.STOP): _STOP,
}
