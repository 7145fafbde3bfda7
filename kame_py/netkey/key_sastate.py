# SPDX-License-Identifier: BSD-3-Clause
"""The life of a security association as a table: (state, event) -> (action, state).

What KAME netkey/key.c does in key_mature, key_sa_chgstate, key_freesav and key_timehandler. RFC
2367 s.1.4, s.2.3.2.
"""

from __future__ import annotations

import enum
from typing import Final

from kame_py.wire.pfkeyv2 import (
    SADB_SASTATE_DEAD,
    SADB_SASTATE_DYING,
    SADB_SASTATE_LARVAL,
    SADB_SASTATE_MATURE,
)

SA_NAMES: Final = {
    SADB_SASTATE_LARVAL: "LARVAL",
    SADB_SASTATE_MATURE: "MATURE",
    SADB_SASTATE_DYING: "DYING",
    SADB_SASTATE_DEAD: "DEAD",
}


class SaEv(enum.Enum):
    """What happens; the value is the sentence for documents."""

    RESERVE = "GETSPI took the SPI"
    COMPLETE = "ADD or UPDATE brought keys"
    RENEW = "UPDATE brought limits"
    SOFT = "a soft limit is reached"
    HARD = "a hard limit is reached, or the keys never came"
    DELETE = "it is deleted or flushed"


class SaAct(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    SCHEDULE = enum.auto()  # set the callout for the next limit by time
    REMOVE = enum.auto()  # take it out of the database
    TELL = enum.auto()  # call those who wait for keys
    EXPIRE = enum.auto()  # SADB_EXPIRE to the registered


SaRow = tuple[SaAct, int]
_GONE: Final[SaRow] = (SaAct.REMOVE | SaAct.TELL, SADB_SASTATE_DEAD)
_OVER: Final[SaRow] = (SaAct.REMOVE | SaAct.TELL | SaAct.EXPIRE, SADB_SASTATE_DEAD)
_RENEWED: Final[SaRow] = (SaAct.SCHEDULE, SADB_SASTATE_MATURE)

#: (state, event) -> (action, state). A pair that is not here cannot happen.
SA_TABLE: Final[dict[tuple[int, SaEv], SaRow]] = {
    (SADB_SASTATE_LARVAL, SaEv.RESERVE): (SaAct.SCHEDULE, SADB_SASTATE_LARVAL),
    (SADB_SASTATE_LARVAL, SaEv.COMPLETE): (SaAct.SCHEDULE | SaAct.TELL, SADB_SASTATE_MATURE),
    (SADB_SASTATE_LARVAL, SaEv.HARD): (SaAct.REMOVE, SADB_SASTATE_DEAD),
    (SADB_SASTATE_LARVAL, SaEv.DELETE): (SaAct.REMOVE, SADB_SASTATE_DEAD),
    (SADB_SASTATE_MATURE, SaEv.RENEW): _RENEWED,
    (SADB_SASTATE_MATURE, SaEv.SOFT): (SaAct.SCHEDULE | SaAct.EXPIRE, SADB_SASTATE_DYING),
    (SADB_SASTATE_MATURE, SaEv.HARD): _OVER,
    (SADB_SASTATE_MATURE, SaEv.DELETE): _GONE,
    (SADB_SASTATE_DYING, SaEv.RENEW): _RENEWED,
    (SADB_SASTATE_DYING, SaEv.HARD): _OVER,
    (SADB_SASTATE_DYING, SaEv.DELETE): _GONE,
}
