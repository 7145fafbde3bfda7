# SPDX-License-Identifier: BSD-3-Clause
"""The neighbour cache: every row of the state table by what a neighbour or a timer does."""

from __future__ import annotations

import itertools

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate, Mbuf, m_get
from kame_py.net.route import (
    RTF_CLONING,
    RTF_HOST,
    RTF_STATIC,
    RTM_ADD,
    RTM_DELETE,
    LinkAddr,
    rtalloc1,
    rtrequest,
)
from kame_py.netinet6.in6_ifattach import if_down
from kame_py.netinet6.nd6 import nd6_cache_lladdr, nd6_lookup, nd6_nud_hint, nd6_output, nd6_probe
from kame_py.netinet6.nd6_llinfo import nd6_llinfo_event
from kame_py.netinet6.nd6_state import (
    DELAY,
    INCOMPLETE,
    LLINFO_TABLE,
    NOSTATE,
    PROBE,
    REACHABLE,
    STALE,
    STATE_NAMES,
    WAITDELETE,
    Act,
    Ev,
)
from kame_py.netinet6.nd6_var import ND_REDIRECT_ONLINK
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_NONE, ND_REDIRECT
from tests.unit.netinet6.nd_node import (
    LL,
    MAC,
    MS,
    PEER,
    PEER2,
    PEER_MAC,
    PEER_MAC2,
    Node,
    addr,
    na,
    ns,
    solicits,
)

GROUP = addr("ff02::1:ff00:1")
GROUP_MAC = bytes.fromhex("3333ff000001")
GONE = None


def fate(m: Mbuf) -> Fate | None:
    return m.fate


def in_state(state: int) -> Node:
    """A node whose entry for the peer has been brought into a state by packets and time."""
    node = Node()
    if state == NOSTATE:
        nd6_lookup(node.kern, in6_embedscope(PEER, node.zone), True, node.ifp)
    elif state == INCOMPLETE:
        node.output()
    elif state == REACHABLE:
        node.output()
        node.receive(na(flags="SO"))
    else:
        learn(node, PEER_MAC)
        if state in (DELAY, PROBE):
            node.output()
        if state == PROBE:
            node.wait(5 * NS)
    assert node.state() == state
    node.quiet()
    return node


def learn(node: Node, mac: bytes) -> None:
    """The peer tells its link-layer address in a message that needs no answer."""
    peer = in6_embedscope(PEER, node.zone)
    nd6_cache_lladdr(node.kern, node.ifp, peer, mac, ND_REDIRECT, ND_REDIRECT_ONLINK)


def do(node: Node, ev: Ev) -> None:
    """Make the event happen from outside."""
    packets = {
        Ev.NA_S: lambda: na(flags="SO", tll=PEER_MAC),
        Ev.NA_U: lambda: na(flags="O"),
        Ev.NA_S_DIFF: lambda: na(flags="S", tll=PEER_MAC2),
        Ev.NA_U_DIFF: lambda: na(flags="", tll=PEER_MAC2),
        Ev.NA_SO_DIFF: lambda: na(flags="SO", tll=PEER_MAC2),
        Ev.NA_UO_DIFF: lambda: na(flags="O", tll=PEER_MAC2),
    }
    if ev in packets:
        node.receive(packets[ev]())
    elif ev in (Ev.LL_NEW, Ev.LL_SAME):
        learn(node, PEER_MAC2 if ev is Ev.LL_NEW else PEER_MAC)
    elif ev is Ev.OUTPUT:
        node.output()
    elif ev is Ev.HINT:
        nd6_nud_hint(node.kern, None, in6_embedscope(PEER, node.zone), force=True)
    elif ev is Ev.PROBE_NOW:
        nd6_probe(node.kern, node.entry())
    else:
        nd6_llinfo_event(node.kern, node.entry(), ev)


EXPECT: dict[tuple[int, Ev], int | None] = {
    (NOSTATE, Ev.OUTPUT): INCOMPLETE,
    (NOSTATE, Ev.LL_NEW): STALE,
    (INCOMPLETE, Ev.OUTPUT): INCOMPLETE,
    (INCOMPLETE, Ev.TIMER): INCOMPLETE,
    (INCOMPLETE, Ev.GIVEUP): GONE,
    (INCOMPLETE, Ev.LL_NEW): DELAY,  # the packet that waited is the first of the delay
    (INCOMPLETE, Ev.NA_S_DIFF): REACHABLE,
    (INCOMPLETE, Ev.NA_SO_DIFF): REACHABLE,
    (INCOMPLETE, Ev.NA_U_DIFF): DELAY,
    (INCOMPLETE, Ev.NA_UO_DIFF): DELAY,
    (REACHABLE, Ev.TIMER): STALE,
    (REACHABLE, Ev.LL_NEW): STALE,
    (REACHABLE, Ev.NA_S_DIFF): STALE,
    (REACHABLE, Ev.NA_U_DIFF): STALE,
    (REACHABLE, Ev.NA_UO_DIFF): STALE,
    (REACHABLE, Ev.PROBE_NOW): DELAY,
    (STALE, Ev.OUTPUT): DELAY,
    (STALE, Ev.TIMER): GONE,
    (STALE, Ev.NA_S): REACHABLE,
    (STALE, Ev.NA_SO_DIFF): REACHABLE,
    (STALE, Ev.HINT): REACHABLE,
    (STALE, Ev.PROBE_NOW): DELAY,
    (DELAY, Ev.TIMER): PROBE,
    (DELAY, Ev.NONUD): STALE,
    (DELAY, Ev.LL_NEW): STALE,
    (DELAY, Ev.NA_S): REACHABLE,
    (DELAY, Ev.NA_SO_DIFF): REACHABLE,
    (DELAY, Ev.NA_UO_DIFF): STALE,
    (DELAY, Ev.HINT): REACHABLE,
    (PROBE, Ev.GIVEUP): GONE,
    (PROBE, Ev.LL_NEW): STALE,
    (PROBE, Ev.NA_S): REACHABLE,
    (PROBE, Ev.NA_SO_DIFF): REACHABLE,
    (PROBE, Ev.NA_UO_DIFF): STALE,
    (PROBE, Ev.HINT): REACHABLE,
}
KNOWN = (REACHABLE, STALE, DELAY, PROBE)
LEARNS = (Ev.LL_NEW, Ev.NA_SO_DIFF, Ev.NA_UO_DIFF)
ROWS = [
    pytest.param(state, ev, id=f"{STATE_NAMES[state]}-{ev.name}")
    for state, ev in itertools.product((NOSTATE, INCOMPLETE, *KNOWN), Ev)
    # without a link-layer address every advertised one is another one
    if not (state in (NOSTATE, INCOMPLETE) and ev in (Ev.LL_SAME, Ev.NA_S, Ev.NA_U))
]


def test_table_is_complete() -> None:
    assert set(LLINFO_TABLE) == set(itertools.product(STATE_NAMES, Ev))


@pytest.mark.parametrize(("state", "ev"), ROWS)
def test_row(state: int, ev: Ev) -> None:
    node = in_state(state)
    do(node, ev)
    assert node.state() == EXPECT.get((state, ev), state)
    if state in KNOWN and node.state() is not None:
        assert node.lladdr() == (PEER_MAC2 if ev in LEARNS else PEER_MAC)
    node.conserved()


def test_a_removed_entry_takes_no_packet_and_no_event() -> None:
    for ev in Ev:
        act, state = LLINFO_TABLE[WAITDELETE, ev]
        assert (act, state) == (Act.DISCARD if ev is Ev.OUTPUT else Act.NONE, WAITDELETE)


def test_resolution_asks_three_times_a_second_apart_then_reports_unreachable() -> None:
    node = Node()
    start = node.clock.t
    m = node.output()
    assert fate(m) is Fate.HELD
    question = (GROUP_MAC, LL, GROUP, PEER)
    assert solicits(node.sent()) == [question]
    for second in (1, 2):
        node.until(start + second * NS - 1)
        assert node.sent() == []
        node.until(start + second * NS)
        assert solicits(node.sent()) == [question]
    node.until(start + 3 * NS - 1)
    assert (node.state(), fate(m)) == (INCOMPLETE, Fate.HELD)
    node.until(start + 3 * NS)
    assert node.route() is None
    assert node.drops()["ND6_UNREACH"] == 1
    assert fate(m) is Fate.DROPPED
    assert node.kern.nd6.incomplete == 0
    node.conserved()


def test_advertisement_releases_the_held_packet_to_the_neighbour() -> None:
    node = Node()
    m = node.output()
    node.sent()
    node.receive(na(flags="SO"))
    assert m.fate is Fate.TRANSMITTED
    assert node.sent() == [(PEER_MAC, m.data)]
    assert node.state() == REACHABLE


def test_newer_packet_replaces_the_held_one() -> None:
    node = Node()
    old, new = node.output(), node.output()
    assert (old.fate, new.fate) == (Fate.DROPPED, Fate.HELD)
    assert node.drops() == {"ND6_HOLDREPLACED": 1}
    assert len(solicits(node.sent())) == 1


def test_advertisement_without_address_does_not_resolve() -> None:
    node = in_state(INCOMPLETE)
    m = node.receive(na(flags="SO", tll=None))
    assert (node.state(), m.reason and m.reason.name) == (INCOMPLETE, "ND6_NOTENTRY")


def test_reachable_ends_at_the_sweep_after_reachable_time() -> None:
    node = in_state(REACHABLE)
    end = node.clock.t + node.ifp.ndi.reachable_ms * MS
    sweep = -(-end // NS) * NS
    node.until(sweep - 1)
    assert node.state() == REACHABLE
    node.until(sweep)
    assert node.state() == STALE


def test_reachable_time_is_drawn_between_half_and_three_halves() -> None:
    node = in_state(REACHABLE)
    drawn = node.ifp.ndi.reachable_ms
    assert 15_000 <= drawn <= 45_000
    node.wait(7_201 * NS)
    node.receive(na(flags="SO"))
    node.output()
    node.receive(na(flags="SO"))
    assert node.ifp.ndi.reachable_ms != drawn


def test_delay_then_three_unicast_probes_then_the_entry_goes() -> None:
    node = in_state(DELAY)
    start = node.clock.t
    node.until(start + 5 * NS - 1)
    assert (node.state(), node.sent()) == (DELAY, [])
    for second in (5, 6, 7):
        node.until(start + second * NS)
        assert solicits(node.sent()) == [(PEER_MAC, LL, PEER, PEER)]
    node.until(start + 8 * NS - 1)
    assert node.state() == PROBE
    node.until(start + 8 * NS)
    assert node.route() is None


def test_answered_probe_keeps_the_entry() -> None:
    node = in_state(PROBE)
    node.receive(na(flags="S", tll=None))
    assert node.state() == REACHABLE
    assert node.entry().ln_asked == 0


def test_without_nud_a_delayed_entry_is_stale_again() -> None:
    node = in_state(DELAY)
    node.ifp.ndi.flags &= ~1
    node.wait(5 * NS)
    assert (node.state(), node.sent()) == (STALE, [])


def test_stale_entry_is_collected_after_a_day() -> None:
    node = in_state(STALE)
    end = node.clock.t + 86_400 * NS
    node.until(end - 1)
    assert node.state() == STALE
    node.until(end)
    assert node.route() is None
    assert node.kern.nd6.llinfo.keys() == {rt.rt_llinfo for rt in node.kern.rt if rt.rt_llinfo}


def test_probe_now_solicits_at_the_next_sweep() -> None:
    node = in_state(STALE)
    node.wait(NS // 3)
    nd6_probe(node.kern, node.entry())
    sweep = -(-node.clock.t // NS) * NS
    node.until(sweep - 1)
    assert node.state() == DELAY
    node.until(sweep)
    assert (node.state(), len(solicits(node.sent()))) == (PROBE, 1)


def test_hints_are_believed_up_to_the_limit() -> None:
    node = in_state(STALE)
    peer = in6_embedscope(PEER, node.zone)
    nd6_nud_hint(node.kern, None, peer)
    assert node.state() == STALE
    node.kern.sysctl.write("net.inet6.icmp6.nd6_maxnudhint", 1)
    nd6_nud_hint(node.kern, None, peer)
    assert node.state() == REACHABLE
    node.wait(60 * NS)
    nd6_nud_hint(node.kern, None, peer)
    assert node.state() == STALE


def test_permanent_entry_neither_learns_nor_ends() -> None:
    node = Node()
    flags = RTF_HOST | RTF_STATIC
    peer = in6_embedscope(PEER, node.zone)
    rtrequest(node.kern, RTM_ADD, peer, 128, LinkAddr(node.zone, PEER_MAC), flags, node.ifp)
    node.receive(na(flags="SO", tll=PEER_MAC2))
    node.receive(ns(LL, sll=PEER_MAC2))
    node.sent()
    node.wait(100_000 * NS)
    assert (node.state(), node.lladdr()) == (REACHABLE, PEER_MAC)
    m = node.output()
    assert node.sent() == [(PEER_MAC, m.data)]


def test_flood_of_unresolved_neighbours_is_bounded() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.ip6.neighborgcthresh", 10)
    fates = [node.output(addr(f"fe80::{i:x}")).fate for i in range(1, 31)]
    assert fates == [Fate.HELD] * 10 + [Fate.DROPPED] * 20
    assert node.drops() == {"ND6_CACHEFULL": 20}
    node.wait(3 * NS)
    assert node.output(addr("fe80::99")).fate is Fate.HELD


def on_link(thresh: int) -> Node:
    """A node with a prefix on its link, whose routes to neighbours are cloned."""
    node = Node()
    node.kern.sysctl.write("net.inet6.ip6.neighborgcthresh", thresh)
    link = LinkAddr(node.zone)
    rtrequest(node.kern, RTM_ADD, addr("2001:db8:1::"), 64, link, RTF_CLONING, node.ifp)
    return node


def host(i: int) -> bytes:
    return addr(f"2001:db8:1::{i:x}")


def routed(node: Node, dst: bytes) -> Fate | None:
    """Send a packet by the route to ``dst``."""
    m = m_get(node.kern, Ip6Hdr(ip6_nxt=IPPROTO_NONE, ip6_src=LL, ip6_dst=dst).pack())
    m.src, m.dst = LL, dst
    nd6_output(node.kern, node.ifp, m, dst, rtalloc1(node.kern, dst))
    return m.fate


def neighbours(node: Node) -> list[bytes]:
    return [rt.rt_key for rt in node.kern.rt if rt.rt_key[:8] == host(0)[:8] and rt.rt_plen == 128]


def test_a_scan_of_a_prefix_is_bounded() -> None:
    node = on_link(10)
    assert [routed(node, host(i)) for i in range(1, 31)] == [Fate.HELD] * 10 + [Fate.DROPPED] * 20
    assert node.drops() == {"ND6_CACHEFULL": 20}
    assert neighbours(node) == [host(i) for i in range(1, 11)]
    assert routed(node, host(3)) is Fate.HELD
    node.wait(3 * NS)
    assert neighbours(node) == []
    assert routed(node, host(99)) is Fate.HELD
    node.conserved()


def test_a_scan_takes_no_place_of_known_neighbours() -> None:
    node = on_link(10)
    for i in range(1, 16):
        nd6_cache_lladdr(node.kern, node.ifp, host(i), PEER_MAC, ND_REDIRECT, ND_REDIRECT_ONLINK)
    fates = [routed(node, host(i)) for i in range(101, 131)]
    assert fates == [Fate.HELD] * 10 + [Fate.DROPPED] * 20
    known = [host(i) for i in range(6, 16)]
    assert neighbours(node) == [*known, *(host(i) for i in range(101, 111))]


def test_routes_that_nobody_used_make_way() -> None:
    """As of packets that were too big to be forwarded."""
    node = on_link(10)
    for i in range(1, 31):
        rtalloc1(node.kern, host(i))
    assert neighbours(node) == [host(i) for i in range(21, 31)]
    assert [routed(node, host(i)) for i in range(101, 121)] == [Fate.HELD] * 10 + [
        Fate.DROPPED
    ] * 10
    assert [routed(node, host(i)) for i in range(101, 111)] == [Fate.HELD] * 10
    assert len(node.kern.nd6.learned) <= 20


def test_unused_routes_make_way_before_known_neighbours() -> None:
    node = on_link(10)
    known = [host(i) for i in range(1, 16)]
    for who in known:
        nd6_cache_lladdr(node.kern, node.ifp, who, PEER_MAC, ND_REDIRECT, ND_REDIRECT_ONLINK)
    for i in range(101, 106):
        rtalloc1(node.kern, host(i))
    assert routed(node, host(201)) is Fate.HELD
    assert neighbours(node) == [*known, *(host(i) for i in range(102, 106)), host(201)]


def test_flood_of_solicitations_pushes_out_the_oldest_stale_entry() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.ip6.neighborgcthresh", 20)
    for i in range(1, 200):
        node.receive(ns(LL, src=addr(f"fe80::{i:x}")))
    assert len(node.kern.nd6.learned) <= 40
    assert node.state(addr("fe80::1")) is None
    assert node.state(addr("fe80::c7")) == DELAY


def test_permanent_entries_leave_room_for_neighbours() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.ip6.neighborgcthresh", 10)
    for i in range(1, 31):
        link = LinkAddr(node.zone, PEER_MAC)
        key = in6_embedscope(addr(f"fe80::{i:x}"), node.zone)
        rtrequest(node.kern, RTM_ADD, key, 128, link, RTF_HOST | RTF_STATIC, node.ifp)
    assert node.output(addr("fe80::99")).fate is Fate.HELD
    assert node.drops() == {}


def test_interface_that_goes_down_forgets_neighbours_and_drops_what_waits() -> None:
    node = in_state(INCOMPLETE)
    node.receive(ns(LL, src=PEER2))
    node.quiet()
    if_down(node.kern, node.ifp)
    assert node.drops() == {"ND6_FLUSHED": 1}
    assert (node.state(PEER), node.state(PEER2)) == (None, None)
    node.conserved()


def test_deleted_route_drops_the_held_packet() -> None:
    node = in_state(INCOMPLETE)
    rtrequest(node.kern, RTM_DELETE, in6_embedscope(PEER, node.zone), 128)
    assert node.drops() == {"ND6_FLUSHED": 1}
    node.conserved()


def test_timers_are_set_once_however_often_a_neighbour_confirms() -> None:
    node = in_state(REACHABLE)
    before = len(node.kern.callouts._heap)
    for _ in range(50):
        node.receive(na(flags="SO"))
    assert len(node.kern.callouts._heap) == before


def test_own_mac_is_the_source_option_of_a_solicitation() -> None:
    node = Node()
    node.output()
    packet = node.sent()[0][1]
    assert packet[-8:] == bytes((1, 1)) + MAC
