# SPDX-License-Identifier: BSD-3-Clause
"""Every transition of every state machine, driven by packets, commands and time.

The tables are replaced by ones that write down which rows are used; a test at the end of each
family checks that nothing is missing but what its comment proves unreachable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.uipc_socket import Socket, socreate, sosetopt
from kame_py.net.route import rtalloc1
from kame_py.netinet6 import mld6, nd6_dad, nd6_llinfo
from kame_py.netinet6.mld6_state import MLD_TABLE, MldAct, MldEv, MldState
from kame_py.netinet6.nd6 import nd6_nud_hint
from kame_py.netinet6.nd6_dad_state import DAD_TABLE, DadEv, DadState
from kame_py.netinet6.nd6_rtr import nd6_probe_routers
from kame_py.netinet6.nd6_state import LLINFO_TABLE, STATE_NAMES, Ev
from kame_py.tools import rtsold_if
from kame_py.tools.rtsold_if import TRANSITIONS, Event, State
from kame_py.wire.sockaddr import (
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_JOIN_GROUP,
    IPV6_LEAVE_GROUP,
    SOCK_DGRAM,
)
from tests.scenario.ndcache import enter
from tests.scenario.tester import ALLNODES, LL, PEER, PEER_MAC, PEER_MAC2, ROUTER, ROUTER_MAC, Stage
from tests.scenario.words import addr, echo, is_, mld, na, ns, ra, sll, tll

K = TypeVar("K")
V = TypeVar("V")


class Recorder(Mapping[K, V]):
    """A table that remembers which rows were used, in order."""

    def __init__(self, table: Mapping[K, V]) -> None:
        self.table = table
        self.used: list[K] = []

    def __getitem__(self, key: K) -> V:
        self.used.append(key)
        return self.table[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)


# -- neighbour cache entries ----------------------------------------------------------------------

LlRow = tuple[int, Ev]
STATE_NUMBERS: Final = {name: number for number, name in STATE_NAMES.items()}
RESOLVED: Final = ("REACHABLE", "STALE", "DELAY", "PROBE")
SOLVABLE: Final = ("INCOMPLETE", *RESOLVED)


def advertised(flags: str, *options: bytes) -> Callable[[Stage], None]:
    """The peer advertises itself."""
    dst = LL if "S" in flags else ALLNODES
    return lambda stage: stage.send(na(PEER, flags, PEER, dst, *options))


def told(mac: bytes) -> Callable[[Stage], None]:
    """The peer tells its address in an advertisement of a router that wants no traffic."""
    return lambda stage: stage.send(ra(PEER, sll(mac), lifetime=0), mac)


def time_is_up(stage: Stage) -> None:
    stage.until(stage.entry().ln_expire)


def movement(stage: Stage) -> None:
    """The peer is known for a router; movement detection wants proof of all routers."""
    stage.entry().ln_router = True  # RA without link-layer address would say the same
    nd6_probe_routers(stage.kern)
    stage.settle()


def progress(stage: Stage) -> None:
    """TCP got an acknowledgement of new data."""
    nd6_nud_hint(stage.kern, None, stage.kernel_form(PEER), force=True)


def no_nud(stage: Stage) -> None:
    stage.run("ndp -i fxp0 -nud")


#: event -> (states in which it can come, how it comes)
DRIVERS: Final[dict[Ev, tuple[tuple[str, ...], Callable[[Stage], None]]]] = {
    Ev.OUTPUT: (("NOSTATE", *SOLVABLE), lambda stage: stage.send(echo(PEER, LL))),
    Ev.TIMER: (SOLVABLE, time_is_up),
    Ev.GIVEUP: (("INCOMPLETE", "PROBE"), time_is_up),
    Ev.NONUD: (("DELAY",), time_is_up),
    Ev.LL_NEW: (("NOSTATE", *SOLVABLE), told(PEER_MAC2)),
    Ev.LL_SAME: (RESOLVED, told(PEER_MAC)),
    Ev.NA_S: (RESOLVED, advertised("S")),
    Ev.NA_U: (RESOLVED, advertised("", tll(PEER_MAC))),
    Ev.NA_S_DIFF: (SOLVABLE, advertised("S", tll(PEER_MAC2))),
    Ev.NA_U_DIFF: (SOLVABLE, advertised("", tll(PEER_MAC2))),
    Ev.NA_SO_DIFF: (SOLVABLE, advertised("SO", tll(PEER_MAC2))),
    Ev.NA_UO_DIFF: (SOLVABLE, advertised("O", tll(PEER_MAC2))),
    Ev.HINT: (RESOLVED, progress),
    Ev.PROBE_NOW: (("NOSTATE", *SOLVABLE), movement),
}

#: why a row of the complete table is never used
UNREACHABLE: Final[dict[LlRow, str]] = {
    **{
        (STATE_NUMBERS["WAITDELETE"], ev): "the entry has left the routing table already"
        for ev in Ev
    },
    **{
        (STATE_NUMBERS["NOSTATE"], ev): "no timer runs and nothing was asked yet"
        for ev in (Ev.TIMER, Ev.GIVEUP, Ev.NONUD)
    },
    **{
        (STATE_NUMBERS["NOSTATE"], ev): "advertisements are refused before the first solicitation"
        for ev in (Ev.NA_S, Ev.NA_U, Ev.NA_S_DIFF, Ev.NA_U_DIFF, Ev.NA_SO_DIFF, Ev.NA_UO_DIFF)
    },
    **{
        (STATE_NUMBERS[state], ev): "no link-layer address is known that could be confirmed"
        for state in ("NOSTATE", "INCOMPLETE")
        for ev in (Ev.LL_SAME, Ev.HINT)
    },
    **{
        (STATE_NUMBERS["INCOMPLETE"], ev): "an advertisement must bring a link-layer address"
        for ev in (Ev.NA_S, Ev.NA_U)
    },
    **{
        (STATE_NUMBERS[state], Ev.GIVEUP): "nothing is solicited in this state"
        for state in ("REACHABLE", "STALE", "DELAY")
    },
    **{
        (STATE_NUMBERS[state], Ev.NONUD): "only the end of a delay would begin to probe"
        for state in ("INCOMPLETE", "REACHABLE", "STALE", "PROBE")
    },
}


def bring(stage: Stage, state: str, ev: Ev) -> None:
    """The entry of PEER in the state, at the moment before the event."""
    if state == "NOSTATE":  # a lookup clones the interface route, as connect(2) does
        rtalloc1(stage.kern, stage.kernel_form(PEER))
        assert stage.state() == "NOSTATE"
        return
    enter(stage, state)
    if ev is Ev.NONUD:
        no_nud(stage)
    if ev is Ev.GIVEUP:
        time_is_up(stage)
        time_is_up(stage)
        assert stage.state() == state


@pytest.mark.parametrize(
    ("state", "ev"),
    [
        pytest.param(state, ev, id=f"{state}-{ev.name}")
        for ev, (states, _) in DRIVERS.items()
        for state in states
    ],
)
def test_neighbour_entry(monkeypatch: pytest.MonkeyPatch, state: str, ev: Ev) -> None:
    """The event uses its row, and the entry ends where the last row that was used leads to."""
    stage = Stage()
    bring(stage, state, ev)
    table = Recorder(LLINFO_TABLE)
    monkeypatch.setattr(nd6_llinfo, "LLINFO_TABLE", table)
    DRIVERS[ev][1](stage)
    assert table.used[0] == (STATE_NUMBERS[state], ev)
    last = LLINFO_TABLE[table.used[-1]][1]
    ended = "none" if last == STATE_NUMBERS["WAITDELETE"] else STATE_NAMES[last]
    assert stage.state() == ended
    stage.conserved()


@pytest.mark.parametrize("state", SOLVABLE)
def test_time_is_up_neither_sooner_nor_later(state: str) -> None:
    stage = Stage()
    enter(stage, state)
    before = (stage.state(), stage.entry().ln_asked)
    stage.until(stage.entry().ln_expire - 1)
    assert (stage.state(), stage.entry().ln_asked) == before
    time_is_up_at = stage.entry().ln_expire
    stage.until(time_is_up_at)
    after = (stage.state(), None if stage.state() == "none" else stage.entry().ln_asked)
    assert after != before


def test_all_rows_of_a_neighbour_entry_are_driven_or_proved_unreachable() -> None:
    driven = {(STATE_NUMBERS[s], ev) for ev, (states, _) in DRIVERS.items() for s in states}
    assert not driven & set(UNREACHABLE)
    assert driven | set(UNREACHABLE) == set(LLINFO_TABLE)


# -- duplicate address detection ------------------------------------------------------------------


def typed(commands: str) -> Callable[[Stage], None]:
    """Somebody types these commands."""

    def act(stage: Stage) -> None:
        stage.run(commands)

    return act


def dad_clashed(stage: Stage) -> None:
    stage.send(ns(LL, "::"))


def dad_timer(stage: Stage) -> None:
    (dp,) = stage.kern.nd6.dadq.values()
    assert dp.dad_timer is not None
    stage.until(dp.dad_timer.deadline)


DadRow = tuple[DadState, DadEv]
DAD_STATES: Final[dict[DadState, Callable[[Stage], None]]] = {
    DadState.IDLE: typed("ifconfig fxp0 down"),
    DadState.WAITING: typed("ifconfig fxp0 down\nifconfig fxp0 up"),
    DadState.PROBING: lambda stage: None,  # a new link-local address is tested at once
    DadState.CLASHED: dad_clashed,
}
DAD_DRIVERS: Final[dict[DadEv, Callable[[Stage], None]]] = {
    DadEv.START: typed("ifconfig fxp0 inet6 2001:db8::1 alias"),
    DadEv.START_LATER: typed("ifconfig fxp0 up"),
    DadEv.STOP: typed("ifconfig fxp0 down"),
    DadEv.TIMER: dad_timer,
    DadEv.LAST: dad_timer,
    DadEv.NS: lambda stage: stage.send(ns(LL, "::")),
    DadEv.NA: lambda stage: stage.send(na(LL, "O", PEER, ALLNODES, tll(PEER_MAC))),
}
DAD_UNREACHABLE: Final[dict[DadRow, str]] = {
    **{
        (state, DadEv.GIVEUP): "tests end when their interface goes down"
        for state in (DadState.WAITING, DadState.PROBING, DadState.CLASHED)
    },
    **{
        (DadState.IDLE, ev): "a tentative address without test is on an interface that is down"
        for ev in (DadEv.NS, DadEv.NA)
    },
}


@pytest.mark.parametrize(
    ("state", "ev"),
    [
        pytest.param(s, e, id=f"{s.name}-{e.name}")
        for s, e in DAD_TABLE
        if (s, e) not in DAD_UNREACHABLE
    ],
)
def test_duplicate_address_detection(
    monkeypatch: pytest.MonkeyPatch, state: DadState, ev: DadEv
) -> None:
    """The rows of all events, each from its state; three solicitations unless it is the last."""
    stage = Stage(fresh=True, ip6_dad_count=1 if ev is DadEv.LAST else 3)
    if state is DadState.IDLE and ev is not DadEv.START_LATER:
        stage.wait(5)  # the test is over
    else:
        DAD_STATES[state](stage)
    table = Recorder(DAD_TABLE)
    monkeypatch.setattr(nd6_dad, "DAD_TABLE", table)
    DAD_DRIVERS[ev](stage)
    assert table.used[0] == (state, ev)
    dp = next(iter(stage.kern.nd6.dadq.values()), None)
    assert nd6_dad.dad_state(dp) is DAD_TABLE[state, ev][1]


# -- multicast listeners --------------------------------------------------------------------------

GROUP: Final = "ff02::77"


def group(stage: Stage) -> MldState:
    inm = stage.ifp.in6_multi.get(stage.kernel_form(GROUP))
    if inm is None:
        return MldState.NON_LISTENER
    return MldState.IDLE if inm.in6m_timer is None else MldState.DELAYING


def listener(
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Stage, Socket, Recorder[MldRow, tuple[MldAct, MldState]]]:
    """A host with a socket that may join groups; the table writes down its rows."""
    stage = Stage()
    so = socreate(stage.kern, AF_INET6, SOCK_DGRAM, 0)
    table = Recorder(MLD_TABLE)
    monkeypatch.setattr(mld6, "MLD_TABLE", table)
    return stage, so, table


def join(stage: Stage, so: Socket, opt: int = IPV6_JOIN_GROUP) -> None:
    sosetopt(stage.kern, so, IPPROTO_IPV6, opt, (addr(GROUP), stage.ifp.if_index))
    stage.settle()


def delaying(stage: Stage, so: Socket) -> None:
    join(stage, so)
    assert group(stage) is MldState.DELAYING


def idle(stage: Stage, so: Socket) -> None:
    join(stage, so)
    stage.wait(10)
    assert group(stage) is MldState.IDLE


def query(maxdelay_ms: int) -> Callable[[Stage, Socket], None]:
    packet = mld(130, ROUTER, GROUP, GROUP, maxdelay_ms)
    return lambda stage, so: stage.send(packet, ROUTER_MAC)


def timer(stage: Stage, so: Socket) -> None:
    inm = stage.ifp.in6_multi[stage.kernel_form(GROUP)]
    assert inm.in6m_timer is not None
    stage.until(inm.in6m_timer.deadline)


MldRow = tuple[MldState, MldEv]
MLD_STATES: Final = {
    MldState.NON_LISTENER: lambda stage, so: None,
    MldState.DELAYING: delaying,
    MldState.IDLE: idle,
}
MLD_DRIVERS: Final[dict[MldEv, Callable[[Stage, Socket], None]]] = {
    MldEv.START: join,
    MldEv.STOP: lambda stage, so: join(stage, so, IPV6_LEAVE_GROUP),
    MldEv.QUERY: query(1000),
    MldEv.QUERY_NOW: query(0),
    MldEv.REPORT: lambda stage, so: stage.send(mld(131, PEER, GROUP, GROUP)),
    MldEv.TIMER: timer,
}


@pytest.mark.parametrize(
    ("state", "ev"),
    [pytest.param(s, e, id=f"{s.name}-{e.name}") for s, e in MLD_TABLE],
)
def test_multicast_listener(monkeypatch: pytest.MonkeyPatch, state: MldState, ev: MldEv) -> None:
    """The rows of all events, each from its state."""
    stage, so, table = listener(monkeypatch)
    MLD_STATES[state](stage, so)
    table.used.clear()
    MLD_DRIVERS[ev](stage, so)
    assert table.used == [(state, ev)]
    assert group(stage) is MLD_TABLE[state, ev][1]


# -- rtsold ---------------------------------------------------------------------------------------


def rtsold(stage: Stage, options: str = "") -> None:
    stage.nut.start(f"rtsold {options} fxp0")
    stage.settle()


def row(
    monkeypatch: pytest.MonkeyPatch,
) -> Recorder[tuple[State, Event], tuple[rtsold_if.Action, State]]:
    table = Recorder(TRANSITIONS)
    monkeypatch.setattr(rtsold_if, "TRANSITIONS", table)
    return table


def answer(stage: Stage) -> None:
    stage.send(ra(ROUTER, sll(ROUTER_MAC)), ROUTER_MAC)


def test_rtsold_solicits_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    table = row(monkeypatch)
    stage = Stage()
    rtsold(stage)
    stage.wait(30)
    assert len(stage.find(is_("rs"))) == 3
    assert table.used == [
        (State.DOWN, Event.READY),
        (State.DELAY, Event.TIMEOUT),
        (State.PROBE, Event.TIMEOUT),
        (State.PROBE, Event.TIMEOUT),
        (State.PROBE, Event.LAST),
    ]


def test_rtsold_waits_for_duplicate_detection(monkeypatch: pytest.MonkeyPatch) -> None:
    table = row(monkeypatch)
    stage = Stage(fresh=True, ip6_dad_count=3)
    rtsold(stage)
    answer(stage)
    stage.wait(5)
    assert table.used[:4] == [
        (State.DOWN, Event.DAD),
        (State.TENTATIVE, Event.RA),
        (State.TENTATIVE, Event.DAD),
        (State.TENTATIVE, Event.DAD),
    ]
    assert (State.TENTATIVE, Event.READY) in table.used
    assert (State.DELAY, Event.TIMEOUT) in table.used


def test_rtsold_gives_a_duplicate_address_up_until_it_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = row(monkeypatch)
    stage = Stage(fresh=True)
    rtsold(stage)
    stage.send(ns(LL, "::"))  # somebody else tests our address
    stage.wait(5)
    answer(stage)
    used = set(table.used)
    assert (State.TENTATIVE, Event.NOLINK) in used
    assert (State.DOWN, Event.NOLINK) in used
    assert (State.DOWN, Event.RA) in used
    assert not stage.find(is_("rs"))


def test_rtsold_of_a_mobile_node_watches_its_link(monkeypatch: pytest.MonkeyPatch) -> None:
    table = row(monkeypatch)
    stage = Stage()
    stage.tn.neighbours[ROUTER] = ROUTER_MAC
    rtsold(stage, "-m")
    answer(stage)  # before the first solicitation: only counted
    stage.world.run_ns(stage.now + 2 * NS, lambda: (State.DELAY, Event.TIMEOUT) in table.used)
    stage.settle()
    answer(stage)
    answer(stage)
    stage.wait(7)
    stage.world.move(stage.nut, "fxp0", stage.lan, gap_ns=5 * NS)
    stage.wait(4)
    assert table.used == [
        (State.DOWN, Event.READY),
        (State.DELAY, Event.RA),
        (State.DELAY, Event.TIMEOUT),
        (State.PROBE, Event.RA),
        (State.IDLE, Event.RA),
        (State.IDLE, Event.QUIET),
        (State.IDLE, Event.QUIET),
        (State.IDLE, Event.CHANGED),
        (State.DELAY, Event.TIMEOUT),
    ]


def test_rtsold_probes_the_routers_of_a_link_without_media_once_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = row(monkeypatch)
    stage = Stage()
    stage.ifp.carrier = None  # a driver that knows no media
    rtsold(stage, "-m")
    stage.wait(2)
    answer(stage)
    stage.forget()
    stage.wait(65)
    assert (State.IDLE, Event.PROBETIMER) in table.used
    heard = stage.take()
    assert stage.find(is_(dst=ROUTER, dmac=ROUTER_MAC, nxt=59, hlim=1), heard)
    assert stage.find(is_("rs"), heard)


RTSOLD_STORIES: Final = (
    test_rtsold_solicits_in_vain,
    test_rtsold_waits_for_duplicate_detection,
    test_rtsold_gives_a_duplicate_address_up_until_it_is_looked_at_again,
    test_rtsold_of_a_mobile_node_watches_its_link,
    test_rtsold_probes_the_routers_of_a_link_without_media_once_a_minute,
)


def test_all_rows_of_rtsold_are_driven_by_these_stories() -> None:
    used: set[tuple[State, Event]] = set()
    for story in RTSOLD_STORIES:
        with pytest.MonkeyPatch.context() as patch:
            story(patch)
            table = rtsold_if.TRANSITIONS
            assert isinstance(table, Recorder)
            used |= set(table.used)
    assert used == set(TRANSITIONS)


def test_rtsold_of_a_mobile_node_looks_for_a_router_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = row(monkeypatch)
    stage = Stage()
    rtsold(stage, "-m")
    stage.wait(60)
    assert (State.IDLE, Event.SEARCH) in table.used
    assert len(stage.find(is_("rs"))) > 3


RTSOLD: Final = (
    test_rtsold_solicits_in_vain,
    test_rtsold_waits_for_duplicate_detection,
    test_rtsold_gives_a_duplicate_address_up_until_it_is_looked_at_again,
    test_rtsold_of_a_mobile_node_watches_its_link,
    test_rtsold_probes_the_routers_of_a_link_without_media_once_a_minute,
    test_rtsold_of_a_mobile_node_looks_for_a_router_again_and_again,
)


def test_every_row_of_rtsold_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = []
    watched = row

    def collected(
        patch: pytest.MonkeyPatch,
    ) -> Recorder[tuple[State, Event], tuple[rtsold_if.Action, State]]:
        tables.append(watched(patch))
        return tables[-1]

    monkeypatch.setitem(globals(), "row", collected)
    for scene in RTSOLD:
        scene(monkeypatch)
    assert {key for table in tables for key in table.used} == set(TRANSITIONS)
