# SPDX-License-Identifier: BSD-3-Clause
"""The life of a binding and of a home registration as tables: (state, event) -> (action, state).

What KAME spreads over mip6_bc_timeout, mip6_process_bu, mip6_process_hrbu, mip6_process_hurbu and
mip6_dad_* of mip6_binding.c. draft-ietf-mobileip-ipv6-15 s.8.3-8.7, s.9.1-9.3.
"""

from __future__ import annotations

import enum
from typing import Final

# -- one entry of the binding cache ---------------------------------------------------------------


class BcSt(enum.Enum):
    """State of a binding; the value is the sentence for documents."""

    __hash__ = object.__hash__  # each is there once; Enum hashes its name, in Python

    NONE = "no entry"
    BOUND = "in use"
    BRWANTED = "last quarter: the next packet carries a binding request"
    BRSENT = "last quarter: a binding request went out in this second"


class BcEv(enum.Enum):
    """What happens to a binding."""

    __hash__ = object.__hash__  # each is there once; Enum hashes its name, in Python

    UPDATE = "an update is accepted"
    QUARTER = "a quarter of the lifetime is left"
    OUTPUT = "a packet goes to the mobile node"
    TICK = "the next second"
    REMOVE = "deleted, evicted, or its care-of address is gone"
    EXPIRE = "its lifetime is over"


class BcAct(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    INSERT = enum.auto()  # into the cache
    ARM = enum.auto()  # the lifetime starts anew
    REQUEST = enum.auto()  # a binding request goes with the packet
    SECOND = enum.auto()  # wait for the next second
    DELETE = enum.auto()  # out of the cache


BcRow = tuple[BcAct, BcSt]
_GONE: Final[BcRow] = (BcAct.DELETE, BcSt.NONE)


def _bound(state: BcSt, own: dict[BcEv, BcRow]) -> dict[tuple[BcSt, BcEv], BcRow]:
    """Rows of a state with an entry; ``own`` has what differs."""
    rows: dict[BcEv, BcRow] = dict.fromkeys(BcEv, (BcAct.NONE, state))
    rows[BcEv.UPDATE] = (BcAct.ARM, BcSt.BOUND)
    rows[BcEv.REMOVE] = rows[BcEv.EXPIRE] = _GONE
    return {(state, ev): row for ev, row in (rows | own).items()}


#: (state, event) -> (action, state): complete.
BC_TABLE: Final[dict[tuple[BcSt, BcEv], BcRow]] = {
    **{(BcSt.NONE, ev): (BcAct.NONE, BcSt.NONE) for ev in BcEv},
    (BcSt.NONE, BcEv.UPDATE): (BcAct.INSERT | BcAct.ARM, BcSt.BOUND),
    **_bound(BcSt.BOUND, {BcEv.QUARTER: (BcAct.NONE, BcSt.BRWANTED)}),
    **_bound(BcSt.BRWANTED, {BcEv.OUTPUT: (BcAct.REQUEST | BcAct.SECOND, BcSt.BRSENT)}),
    **_bound(BcSt.BRSENT, {BcEv.TICK: (BcAct.NONE, BcSt.BRWANTED)}),
}


# -- a home registration --------------------------------------------------------------------------


class HrSt(enum.Enum):
    """State of a home registration; the value is the sentence for documents."""

    __hash__ = object.__hash__  # each is there once; Enum hashes its name, in Python

    NONE = "not registered"
    DADWAIT = "duplicate address detection runs, no acknowledgement yet"
    SERVED = "registered: proxy and tunnel work"


class HrEv(enum.Enum):
    """What happens to a home registration."""

    __hash__ = object.__hash__  # each is there once; Enum hashes its name, in Python

    REG = "registration without D"
    REG_DAD = "registration with D"
    DEREG = "de-registration"
    DAD_OK = "nobody else has the address"
    DAD_DUP = "another node has the address"
    EXPIRE = "its lifetime is over"


class HrAct(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    DAD = enum.auto()  # duplicate address detection begins
    SERVE = enum.auto()  # proxy neighbour discovery and tunnel begin
    STOPDAD = enum.auto()  # duplicate address detection ends
    RELEASE = enum.auto()  # proxy and tunnel end, the entries go
    ACK = enum.auto()  # accepted
    NAK_DAD = enum.auto()  # status 138
    NAK_UNKNOWN = enum.auto()  # status 137


HrRow = tuple[HrAct, HrSt]
_IGNORE: Final = HrAct.NONE

#: (state, event) -> (action, state): complete.
HR_TABLE: Final[dict[tuple[HrSt, HrEv], HrRow]] = {
    (HrSt.NONE, HrEv.REG): (HrAct.SERVE | HrAct.ACK, HrSt.SERVED),
    (HrSt.NONE, HrEv.REG_DAD): (HrAct.DAD, HrSt.DADWAIT),
    (HrSt.NONE, HrEv.DEREG): (HrAct.NAK_UNKNOWN, HrSt.NONE),
    (HrSt.NONE, HrEv.DAD_OK): (_IGNORE, HrSt.NONE),
    (HrSt.NONE, HrEv.DAD_DUP): (_IGNORE, HrSt.NONE),
    (HrSt.NONE, HrEv.EXPIRE): (_IGNORE, HrSt.NONE),
    (HrSt.DADWAIT, HrEv.REG): (_IGNORE, HrSt.DADWAIT),
    (HrSt.DADWAIT, HrEv.REG_DAD): (_IGNORE, HrSt.DADWAIT),
    (HrSt.DADWAIT, HrEv.DEREG): (HrAct.STOPDAD | HrAct.RELEASE | HrAct.ACK, HrSt.NONE),
    (HrSt.DADWAIT, HrEv.DAD_OK): (HrAct.SERVE | HrAct.STOPDAD | HrAct.ACK, HrSt.SERVED),
    (HrSt.DADWAIT, HrEv.DAD_DUP): (HrAct.STOPDAD | HrAct.RELEASE | HrAct.NAK_DAD, HrSt.NONE),
    (HrSt.DADWAIT, HrEv.EXPIRE): (HrAct.STOPDAD | HrAct.RELEASE, HrSt.NONE),
    (HrSt.SERVED, HrEv.REG): (HrAct.SERVE | HrAct.ACK, HrSt.SERVED),
    (HrSt.SERVED, HrEv.REG_DAD): (HrAct.SERVE | HrAct.ACK, HrSt.SERVED),
    (HrSt.SERVED, HrEv.DEREG): (HrAct.RELEASE | HrAct.ACK, HrSt.NONE),
    (HrSt.SERVED, HrEv.DAD_OK): (_IGNORE, HrSt.SERVED),
    (HrSt.SERVED, HrEv.DAD_DUP): (_IGNORE, HrSt.SERVED),
    (HrSt.SERVED, HrEv.EXPIRE): (HrAct.RELEASE, HrSt.NONE),
}
