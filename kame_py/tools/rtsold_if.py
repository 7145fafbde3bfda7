# SPDX-License-Identifier: BSD-3-Clause
"""The state of one interface that rtsold solicits on, and the table that drives it.

KAME: struct ifinfo of rtsold.h, rtsol_timer_update() of rtsold.c, dump.c.
Deviates: the transitions are a table; with -1 an interface that does not come up is waited for; a
mobile node goes on to solicit, less and less often, where nobody answered.
Read first: RFC 2461 s.6.3.7, draft-ietf-mobileip-ipv6-15 s.6.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from kame_py.lib.duration import format_duration
from kame_py.lib.toolbase import Json
from kame_py.wire.record import record

NS: Final = 1_000_000_000
US: Final = 1_000
US_PER_S: Final = 1_000_000
MAX_RTR_SOLICITATION_DELAY_S: Final = 1  # RFC 2461 s.10
RTR_SOLICITATION_INTERVAL_S: Final = 4
MAX_RTR_SOLICITATIONS: Final = 3
DADCOUNT_MAX: Final = 10  # looks at an interface that is not ready, one a second
PROBE_INTERVAL_S: Final = 60  # then one a minute; also how often a link without carrier is probed
IDLE_POLL_S: Final = 3  # -m
SEARCH_INTERVAL_MAX_S: Final = 60  # -m: the longest pause between solicitations, unless told


class State(Enum):
    """States of an interface (IFS_*)."""

    IDLE = "IDLE"
    DELAY = "DELAY"
    PROBE = "PROBE"
    DOWN = "DOWN"
    TENTATIVE = "TENTATIVE"


class Event(Enum):
    """What can happen to an interface.

    READY, NOLINK and DAD are what a look at the interface found; TIMEOUT, LAST and QUIET are the
    timer, before the last solicitation, after it, and in an idle state without news.
    """

    READY = "ready"
    NOLINK = "down or duplicated"
    DAD = "tentative"
    TIMEOUT = "timer"
    LAST = "timer, all sent"
    QUIET = "timer, no news"
    CHANGED = "link changed"
    PROBETIMER = "probe timer"
    SEARCH = "timer, still no router"
    RA = "advertisement"


class Action(Enum):
    """What goes with a transition."""

    NONE = "-"
    SEND = "send a solicitation"
    GIVE_UP = "report that nobody answers"
    POKE = "poke default routers"
    COUNT = "count it"
    STOP = "count it, stop soliciting"


#: (state, event) -> (action, state). A pair that is not here cannot happen.
TRANSITIONS: Final[Mapping[tuple[State, Event], tuple[Action, State]]] = MappingProxyType(
    {
        (State.DOWN, Event.READY): (Action.NONE, State.DELAY),
        (State.DOWN, Event.DAD): (Action.NONE, State.TENTATIVE),
        (State.DOWN, Event.NOLINK): (Action.NONE, State.DOWN),
        (State.DOWN, Event.RA): (Action.COUNT, State.DOWN),
        (State.TENTATIVE, Event.READY): (Action.NONE, State.DELAY),
        (State.TENTATIVE, Event.DAD): (Action.NONE, State.TENTATIVE),
        (State.TENTATIVE, Event.NOLINK): (Action.NONE, State.DOWN),
        (State.TENTATIVE, Event.RA): (Action.COUNT, State.TENTATIVE),
        (State.DELAY, Event.TIMEOUT): (Action.SEND, State.PROBE),
        (State.DELAY, Event.RA): (Action.COUNT, State.DELAY),
        (State.PROBE, Event.TIMEOUT): (Action.SEND, State.PROBE),
        (State.PROBE, Event.LAST): (Action.GIVE_UP, State.IDLE),
        (State.PROBE, Event.RA): (Action.STOP, State.IDLE),
        (State.IDLE, Event.QUIET): (Action.NONE, State.IDLE),
        (State.IDLE, Event.CHANGED): (Action.POKE, State.DELAY),
        (State.IDLE, Event.PROBETIMER): (Action.POKE, State.PROBE),
        (State.IDLE, Event.SEARCH): (Action.SEND, State.IDLE),
        (State.IDLE, Event.RA): (Action.COUNT, State.IDLE),
    }
)


def transitions_table() -> str:
    """The table as Markdown, one row for each pair, as the documentation shows it."""
    rows = [
        f"| {old.value} | {event.value} | {action.value} | {new.value} |"
        for (old, event), (action, new) in TRANSITIONS.items()
    ]
    return "\n".join(("| state | event | action | next state |", "|---|---|---|---|", *rows)) + "\n"


@record
class Pace:
    """How often solicitations leave: the first ones, and at last those that nobody answers."""

    shortest_us: int = RTR_SOLICITATION_INTERVAL_S * US_PER_S
    longest_us: int = SEARCH_INTERVAL_MAX_S * US_PER_S


@dataclass(slots=True)
class Ifinfo:
    """One interface (struct ifinfo). timer_us None: stopped; expire_ns: when it ends.

    active: what the last look at the link said. probeinterval_s 0: carrier is known, no probing.
    search_us: the pause before the next solicitation, 0 while no router is looked for; search_ns:
    its end.
    """

    ifname: str
    ifindex: int
    lladdr: bytes  # b"" where no source link-layer option belongs
    mobile: bool
    state: State = State.DOWN
    active: bool = True
    mediareqok: bool = True
    probeinterval_s: int = 0
    probetimer_s: int = 0
    probes: int = 0
    dadcount: int = 0
    racnt: int = 0
    timer_us: int | None = None
    expire_ns: int = 0
    gave_up: bool = False
    pace: Pace = Pace()
    search_us: int = 0
    search_ns: int = 0

    @property
    def done(self) -> bool:
        """Whether -1 need not wait for this interface any longer."""
        return self.racnt > 0 or self.gave_up

    def step(self, event: Event) -> Action:
        """Make the transition; the caller carries out the action."""
        action, self.state = TRANSITIONS[self.state, event]
        return action

    def timer_event(self) -> Event:
        """What the end of the timer means while soliciting."""
        if self.state is State.PROBE and self.probes >= MAX_RTR_SOLICITATIONS:
            return Event.LAST
        return Event.TIMEOUT

    def search(self, now_ns: int) -> None:
        """Nobody answered: a mobile node asks again, each time after twice the pause (s.6.6)."""
        if not self.mobile:
            return
        self.search_us = min(2 * (self.search_us or self.pace.shortest_us), self.pace.longest_us)
        self.search_ns = now_ns + self.search_us * US

    def search_stop(self) -> None:
        """There is a router, or another link, where all begins anew."""
        self.search_us = 0

    def search_due(self, now_ns: int) -> bool:
        """Whether another solicitation is due."""
        return self.search_us > 0 and self.active and now_ns >= self.search_ns

    def probe_due(self) -> bool:
        """Count the probe timer down by one poll; True when it ran out (and starts again).

        Not while a router is searched for: solicitations must not come faster again.
        """
        if not self.probeinterval_s or self.search_us:
            return False
        self.probetimer_s -= IDLE_POLL_S
        if self.probetimer_s > 0:
            return False
        self.probetimer_s = self.probeinterval_s
        return True

    def timer_update(self, now_ns: int, random: Callable[[int], int]) -> None:
        """Arm the timer for the state (rtsol_timer_update)."""
        self.timer_us = self._interval_us(now_ns, random)
        if self.timer_us is not None:
            self.expire_ns = now_ns + self.timer_us * US

    def _interval_us(self, now_ns: int, random: Callable[[int], int]) -> int | None:
        if self.state is State.DELAY:
            return random(MAX_RTR_SOLICITATION_DELAY_S * US_PER_S)
        if self.state is State.PROBE:
            more = self.probes < MAX_RTR_SOLICITATIONS
            return self.pace.shortest_us if more else MAX_RTR_SOLICITATION_DELAY_S * US_PER_S
        if self.state is State.IDLE:
            return self._idle_us(now_ns)
        self.dadcount += 1
        if self.dadcount <= DADCOUNT_MAX:
            return US_PER_S
        self.dadcount = 0
        self.gave_up = True
        return PROBE_INTERVAL_S * US_PER_S

    def _idle_us(self, now_ns: int) -> int | None:
        if not self.mobile:
            return None
        poll_us = IDLE_POLL_S * US_PER_S
        if not self.search_us or not self.active:
            return poll_us
        return min(poll_us, max(self.search_ns - now_ns, 0) // US)


# -- dump -----------------------------------------------------------------------------------------


def dump_text(ifaces: list[Ifinfo], now_ns: int) -> str:
    """The whole of /var/run/rtsold.dump."""
    return "".join(_interface(ifi, now_ns) for ifi in ifaces)


def _interface(ifi: Ifinfo, now_ns: int) -> str:
    probing = bool(ifi.probeinterval_s)
    lines = [
        f"Interface {ifi.ifname}",
        f"  probe interval: {ifi.probeinterval_s if probing else 'infinity'}",
        f"  probe timer: {ifi.probetimer_s}" if probing else "  no probe timer",
        f"  interface status: {'active' if ifi.active else 'inactive'}",
        f"  rtsold status: {ifi.state.value}",
        f"  carrier detection: {'available' if ifi.mediareqok else 'unavailable'}",
        f"  probes: {ifi.probes}, dadcount = {ifi.dadcount}",
        f"  {_timer(ifi, now_ns)}",
        f"  number of valid RAs: {ifi.racnt}",
    ]
    return "\n".join(lines) + "\n"


def _timer(ifi: Ifinfo, now_ns: int) -> str:
    if ifi.timer_us is None:
        return "no timer"
    seconds, micros = divmod(ifi.timer_us, US_PER_S)
    overdue = ifi.expire_ns < now_ns
    left = "expired" if overdue else format_duration((ifi.expire_ns - now_ns) // NS)
    return f"timer: interval={seconds}:{micros}, expire={left}"


def dump_rows(ifaces: list[Ifinfo], now_ns: int) -> list[Json]:
    """The same for --json."""
    return [
        {
            "interface": ifi.ifname,
            "probe_interval": ifi.probeinterval_s or None,
            "probe_timer": ifi.probetimer_s if ifi.probeinterval_s else None,
            "active": ifi.active,
            "state": ifi.state.value,
            "carrier_detection": ifi.mediareqok,
            "probes": ifi.probes,
            "dadcount": ifi.dadcount,
            "search_interval": ifi.search_us / US_PER_S if ifi.search_us else None,
            "timer_interval": None if ifi.timer_us is None else ifi.timer_us / US_PER_S,
            "timer_expire": None if ifi.timer_us is None else (ifi.expire_ns - now_ns) / NS,
            "valid_ras": ifi.racnt,
        }
        for ifi in ifaces
    ]
