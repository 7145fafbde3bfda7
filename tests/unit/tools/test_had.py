# SPDX-License-Identifier: BSD-3-Clause
"""had against a fake kernel: its addresses, the list of home agents, answers, signals, the dump."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.lib.flagwords import (
    IN6_IFF_ANYCAST,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DETACHED,
    IN6_IFF_DUPLICATED,
    IN6_IFF_HOME,
    IN6_IFF_TEMPORARY,
)
from kame_py.tools.had import main
from kame_py.tools.had_if import HagentIfinfo, is_haanycast
from kame_py.wire.codecs import HaDiscovReq, HaDiscovReqD13, NdOptHdr, NdRouterAdvert
from kame_py.wire.errno import KError
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import HaDiscoveryReply, parse_ha_reply
from kame_py.wire.nd6opt import build_homeagent_opt, build_lladdr_opt, build_prefix_opt
from kame_py.wire.snap import Mip6ConfigSnap
from kame_py.wire.sockaddr import (
    IPPROTO_IPV6,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    Cmsg,
    Received,
    SockaddrIn6,
)
from tests.unit.tools.router_ops import MAC, NS, Machine, Sent, addr

OWN = "fe80::2a0:24ff:fe66:77"
OWN_GLOBAL = "2001:200:1:1:2a0:24ff:fe66:77"
ANYCAST = "2001:200:1:1:fdff:ffff:ffff:fffe"
COA = "2001:200:9:1::29"
DUMP = "/var/run/had.dump"
PID = "/var/run/had.pid"
H = 0x20
LAR = 0xE0
DAY_S = 86_400


class HadMachine(Machine):
    """Arrivals with their own destination; answers with a chosen source."""

    sources: list[tuple[bytes, int]]

    def icmp6_at(
        self,
        t_s: float,
        data: bytes,
        src: str,
        ifname: str = "fxp0",
        hlim: int = 255,
        dst: str = "ff02::1",
    ) -> None:
        index = self.ifs[ifname].index
        control = (
            Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (addr(dst), index)),
            Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, hlim),
        )
        scope = index if src.startswith("fe80") else 0
        rec = Received(data, SockaddrIn6(addr(src), scope_id=scope), control)
        self.at(t_s, lambda: self._queue(rec, route=False))

    async def sendmsg(
        self, fd: int, data: bytes, to: SockaddrIn6 | None = None, control: tuple[Cmsg, ...] = ()
    ) -> int:
        if self.send_errno:
            raise KError(self.send_errno)
        assert to is not None
        ((level, kind, value),) = control
        assert (level, kind) == (IPPROTO_IPV6, IPV6_PKTINFO)
        assert isinstance(value, tuple)
        self.sources.append(value)
        self.sent.append(Sent(self.now_ns, self._socks[fd][1], data, to, 64))
        return len(data)


def agent(draw: Callable[[int], int] = lambda n: n - 1) -> HadMachine:
    """A home agent on fxp0 with its anycast address. The default draw leaves equals in place."""
    m = HadMachine(draw=draw)
    m.sources = []
    m.add_if()
    m.add_addr("fxp0", OWN_GLOBAL)
    m.add_addr("fxp0", ANYCAST, flags=IN6_IFF_ANYCAST)
    return m


def ra(
    *addrs: str,
    pref: int | None = None,
    flags: int = H,
    lifetime: int = 180,
    halife: int = 1000,
    pflags: int = LAR,
    plen: int = 64,
    vltime: int = 30 * DAY_S,
    pltime: int = 7 * DAY_S,
) -> bytes:
    """An advertisement of a home agent with these addresses."""
    out = NdRouterAdvert(nd_ra_flags_reserved=flags, nd_ra_router_lifetime=lifetime).pack()
    if pref is not None:
        out += build_homeagent_opt(pref, halife)
    for text in addrs:
        out += build_prefix_opt(addr(text), plen, pflags, vltime, pltime)
    return out


def ask(m: HadMachine, t_s: float, ident: int = 7, dst: str = ANYCAST, src: str = COA) -> None:
    m.icmp6_at(t_s, HaDiscovReq(ha_dreq_id=ident).pack(), src, dst=dst, hlim=60)


def replies(m: HadMachine) -> list[HaDiscoveryReply]:
    out = []
    for sent in m.sent:
        reply = parse_ha_reply(sent.data, 0, len(sent.data))
        assert not isinstance(reply, Malformed)
        out.append(reply)
    return out


def listed(m: HadMachine, t_s: float = 20) -> list[str]:
    """The addresses of the answer to a request at t_s, behind everything arranged before."""
    ask(m, t_s)
    m.run(main, "fxp0", t_s + 0.1)
    (reply,) = replies(m)
    names = {addr(ha(n)): f"ha{n}" for n in range(1, 200)}
    names[addr(OWN_GLOBAL)] = "own"
    return [names.get(a, a.hex()) for a in reply.addrs]


def ha(n: int) -> str:
    return f"2001:200:1:1::{n:x}"


def ll(n: int) -> str:
    return f"fe80::{n:x}"


# -- start and end --------------------------------------------------------------------------------


def test_without_interfaces_it_prints_its_usage() -> None:
    m = agent()
    assert m.run(main, "-f", 1) == 1
    assert m.stderr == "usage: had [-Df] interface ...\n"


def test_an_interface_that_is_not_there_ends_it() -> None:
    m = agent()
    assert m.run(main, "fxp9", 1) == 1
    assert m.stderr == "had: interface fxp9 does not exist\n"
    assert m.daemon_at is None


def test_the_daemon_leaves_its_number_and_the_file_is_emptied_at_its_end() -> None:
    m = agent()
    m.at(4, lambda: seen.append(m.files[PID]))
    seen: list[str] = []
    m.signal_at(5, "TERM")
    assert m.run(main, "fxp0", 10) == 128 + 15
    assert seen == ["123\n"]
    assert m.files[PID] == ""


def test_in_the_foreground_there_is_no_pid_file() -> None:
    m = agent()
    assert m.run(main, "-f fxp0", 1) is None
    assert m.daemon_at is None
    assert PID not in m.files


# -- own addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plen", "fits"),
    [
        ("2001:200:1:1:fdff:ffff:ffff:fffe", 64, True),
        ("2001:200:1:1:ffff:ffff:ffff:fffe", 64, True),
        ("2001:200:1:1:fdff:ffff:ffff:ffff", 64, False),
        ("2001:200:1:1:fcff:ffff:ffff:fffe", 64, False),
        ("2001:200:1:1:7dff:ffff:ffff:fffe", 65, True),
        ("2001:200:1:1:abcd:ffff:ffff:fffe", 80, True),
        ("2001:200:1:1:abcd:ffff:ffff:fffe", 64, False),
        ("2001:200:1:1::1", 128, False),
    ],
)
def test_home_agents_anycast_address(text: str, plen: int, fits: bool) -> None:
    assert is_haanycast(addr(text), plen) is fits


def test_without_an_anycast_address_it_warns_and_answers_nobody_until_sighup() -> None:
    m = agent()
    anycast = m.addrs["fxp0"].pop()
    ask(m, 5)
    m.at(10, lambda: m.addrs["fxp0"].append(anycast))
    ask(m, 11)
    m.signal_at(12, "HUP")
    ask(m, 13, ident=9)
    m.run(main, "fxp0", 14)
    assert m.logged(4) == [
        "<haif_findifas> home agents anycast address not found",
        "<haad_request_input> cannt get home agent ifinfo.",
        "<haad_request_input> cannt get home agent ifinfo.",
    ]
    assert "<main> clean up home agent list" in m.logged()
    assert [r.id for r in replies(m)] == [9]


@pytest.mark.parametrize(
    "flag",
    [
        IN6_IFF_DUPLICATED,
        IN6_IFF_DETACHED,
        IN6_IFF_DEPRECATED,
        IN6_IFF_TEMPORARY,
        IN6_IFF_HOME,
        IN6_IFF_ANYCAST,
    ],
)
def test_an_address_that_is_not_fit_does_not_stand_for_us(flag: int) -> None:
    m = agent()
    m.addrs["fxp0"].clear()
    m.add_addr("fxp0", OWN)
    m.add_addr("fxp0", "2001:200:1:1::bad", flags=flag)
    m.add_addr("fxp0", ANYCAST, flags=IN6_IFF_ANYCAST)
    ask(m, 5)
    m.run(main, "fxp0", 6)
    assert m.sent == []


def test_no_pair_without_an_address_in_the_same_prefix() -> None:
    m = agent()
    m.add_addr("fxp0", "2001:200:1:2:fdff:ffff:ffff:fffe", flags=IN6_IFF_ANYCAST)
    ask(m, 5, dst="2001:200:1:2:fdff:ffff:ffff:fffe")
    m.signal_at(6, "USR1")
    m.run(main, "fxp0", 7)
    assert m.sent == []
    assert m.files[DUMP].splitlines()[2:] == [
        "  entry 0",
        f"    global addresses={OWN_GLOBAL}",
        f"    anycast addresses={ANYCAST}",
        "  entry 1",
        "    anycast addresses=2001:200:1:2:fdff:ffff:ffff:fffe",
    ]


# -- answers --------------------------------------------------------------------------------------


def test_a_request_is_answered_to_its_source_with_its_identifier() -> None:
    m = agent()
    ask(m, 5, ident=0x1234)
    m.run(main, "fxp0", 6)
    (sent,) = m.sent
    assert sent.t_s == 5
    assert sent.to.addr == addr(COA)
    assert sent.data == bytes.fromhex("9700 0000 1234 0000 0000000000000000")
    assert m.sources == [(addr(OWN_GLOBAL), 0)]


def test_without_any_home_agent_known_the_source_is_the_whole_answer() -> None:
    m = agent()
    assert listed(m) == []
    assert m.sources == [(addr(OWN_GLOBAL), 0)]


def test_we_are_left_out_when_we_would_be_first() -> None:
    m = agent()
    m.icmp6_at(1, ra(OWN_GLOBAL, pref=10), OWN)
    m.icmp6_at(2, ra(ha(1), pref=5), ll(1))
    assert listed(m) == ["ha1"]
    assert m.sources == [(addr(OWN_GLOBAL), 0)]


def test_we_are_listed_in_our_place_when_others_are_better() -> None:
    m = agent()
    m.icmp6_at(1, ra(OWN_GLOBAL, pref=5), OWN)
    m.icmp6_at(2, ra(ha(1), pref=10), ll(1))
    m.icmp6_at(3, ra(ha(2), pref=-1), ll(2))
    assert listed(m) == ["ha1", "own", "ha2"]
    assert m.sources == [(addr(OWN_GLOBAL), 0)]


def test_the_address_that_we_advertise_becomes_the_source() -> None:
    m = agent()
    m.add_addr("fxp0", ha(9))
    m.icmp6_at(1, ra(ha(9)), OWN)
    assert listed(m) == []
    assert m.sources == [(addr(ha(9)), 0)]


@pytest.mark.parametrize(
    "order", [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]
)
def test_best_preference_first_whoever_is_heard_first(order: tuple[int, int, int]) -> None:
    m = agent()
    for t_s, n in enumerate(order, 1):
        m.icmp6_at(t_s, ra(ha(n), pref=100 - 50 * n), ll(n))
    assert listed(m) == ["ha1", "ha2", "ha3"]


def test_a_preference_that_changes_moves_the_agent() -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1), pref=10), ll(1))
    m.icmp6_at(2, ra(ha(2), pref=5), ll(2))
    m.icmp6_at(3, ra(ha(1), pref=1), ll(1))
    assert listed(m) == ["ha2", "ha1"]


def test_equals_are_shuffled_at_each_request_and_only_equals() -> None:
    draws = iter([0, 1, 0, 0])
    m = agent(draw=lambda n: next(draws))
    for n in (1, 2, 3):
        m.icmp6_at(n, ra(ha(n), pref=5), ll(n))
    m.icmp6_at(4, ra(ha(4), pref=9), ll(4))
    ask(m, 10)
    ask(m, 11)
    m.run(main, "fxp0", 12)
    order = [[a[-1] for a in reply.addrs] for reply in replies(m)]
    assert order == [[4, 3, 2, 1], [4, 2, 1, 3]]
    assert m.draws == [3, 2, 3, 2]


def test_each_agent_counts_with_its_first_address_in_the_prefix_that_was_asked() -> None:
    m = agent()
    m.icmp6_at(1, ra("2001:200:1:2::1", ha(1), ha(11)), ll(1))
    m.icmp6_at(2, ra("2001:200:1:2::2"), ll(2))
    assert listed(m) == ["ha1"]


def test_the_answer_fits_into_the_minimum_mtu() -> None:
    m = agent()
    for n in range(1, 101):
        m.icmp6_at(1, ra(ha(n), pref=500 - n), ll(n))
    assert listed(m) == [f"ha{n}" for n in range(1, 77)]
    assert 40 + len(m.sent[0].data) == 1272


@pytest.mark.parametrize(
    ("data", "src", "says"),
    [
        (
            HaDiscovReq(ha_dreq_code=1).pack(),
            COA,
            f"HAAD Request with invalid ICMP6 code(1) received from {COA} on fxp0",
        ),
        (HaDiscovReq().pack(), "::", "HAAD Request without source on fxp0"),
    ],
)
def test_a_request_that_is_not_valid_is_told_and_not_answered(
    data: bytes, src: str, says: str
) -> None:
    m = agent()
    m.icmp6_at(5, data, src, dst=ANYCAST)
    m.run(main, "fxp0", 6)
    assert m.sent == []
    assert m.logged() == [f"<haad_request_input> {says}"]


def test_a_packet_shorter_than_icmp6_is_told() -> None:
    m = agent()
    m.icmp6_at(5, HaDiscovReq().pack()[:7], COA, dst=ANYCAST)
    m.run(main, "fxp0", 6)
    assert m.logged() == ["<had_input> packet size(7) is too short"]


def test_in_the_older_draft_the_request_names_the_home_address() -> None:
    m = agent()
    config = Mip6ConfigSnap(2, 0, 0, 0, "draft-13")
    m.sysctls["net.inet6.mip6.config"] = (config,)  # type: ignore[assignment]  # a table's value
    m.icmp6_at(1, ra("2001:200:1:2::1", ha(1)), ll(1))
    request = HaDiscovReqD13(ha_dreq_id=3, ha_dreq_home=addr("2001:200:1:2::29")).pack()
    m.icmp6_at(5, request, COA, dst=ANYCAST)
    m.icmp6_at(6, request[:31], COA, dst=ANYCAST)
    m.run(main, "fxp0", 7)
    assert [r.addrs for r in replies(m)] == [(addr("2001:200:1:2::1"),)]
    assert m.logged() == [
        f"<haad_request_input> HAAD Request from {COA} on fxp0 does not have enough length "
        "(len = 31)"
    ]


def test_in_the_older_draft_the_whole_list_is_told() -> None:
    m = agent()
    config = Mip6ConfigSnap(2, 0, 0, 0, "draft-13")
    m.sysctls["net.inet6.mip6.config"] = (config,)  # type: ignore[assignment]  # a table's value
    for n in range(1, 101):
        m.icmp6_at(1, ra(ha(n), pref=200 - n), ll(n))
    request = HaDiscovReqD13(ha_dreq_id=3, ha_dreq_home=addr("2001:200:1:1::29")).pack()
    m.icmp6_at(5, request, COA, dst=ANYCAST)
    m.run(main, "fxp0", 6)
    assert [len(r.addrs) for r in replies(m)] == [100]


def test_a_request_to_another_of_our_addresses_is_not_answered() -> None:
    m = agent()
    ask(m, 5, dst=OWN_GLOBAL)
    m.run(main, "fxp0", 6)
    assert m.sent == []
    assert m.logged() == ["<haad_request_input> cannt get home agent ifinfo."]


def test_a_request_may_come_in_by_any_interface() -> None:
    m = agent()
    m.add_if("fxp1")
    m.icmp6_at(5, HaDiscovReq().pack(), COA, ifname="fxp1", dst=ANYCAST)
    m.run(main, "fxp0", 6)
    assert len(m.sent) == 1


def test_an_answer_that_cannot_be_sent_is_told() -> None:
    m = agent()
    m.send_errno = 65
    ask(m, 5)
    m.run(main, "fxp0", 6)
    assert m.logged() == ["<haad_reply_output> sendmsg: No route to host"]


# -- advertisements -------------------------------------------------------------------------------


def test_an_advertisement_without_h_removes_the_agent() -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1)), ll(1))
    m.icmp6_at(2, ra(ha(2)), ll(2))
    m.icmp6_at(3, ra(ha(1), flags=0), ll(1))
    assert listed(m) == ["ha2"]


def test_an_advertisement_with_h_makes_an_entry_and_one_without_removes_it() -> None:
    """Preference 0 and the router's lifetime unless the option says else; from the link only."""
    m = agent()
    m.icmp6_at(1, ra(ha(1), lifetime=100), ll(1))
    m.icmp6_at(2, ra(ha(2), pref=-1, halife=1000), ll(2))
    m.icmp6_at(3, ra(ha(3), pref=1, halife=50), ll(3))
    m.icmp6_at(4, ra(ha(4)), ll(4))
    m.icmp6_at(5, ra(ha(5)), ha(5))
    m.icmp6_at(6, ra(ha(4), flags=0), ll(4))
    m.icmp6_at(60, ra(ha(1), lifetime=100), ll(1))
    for t_s in (20, 52, 53, 101, 159, 160):
        ask(m, t_s)
    m.run(main, "fxp0", 161)
    answers = [[f"ha{a[-1]}" for a in reply.addrs] for reply in replies(m)]
    first, second = ["ha3", "ha1", "ha2"], ["ha1", "ha2"]
    assert answers == [first, first, second, second, second, ["ha2"]]


@pytest.mark.parametrize("gone", [ra(ha(1), lifetime=0), ra(ha(1), pref=0, halife=0)])
def test_a_lifetime_of_zero_removes_the_agent(gone: bytes) -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1)), ll(1))
    m.icmp6_at(3, gone, ll(1))
    assert listed(m) == []


def test_the_home_agent_option_overrules_the_router_lifetime() -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1), lifetime=0, pref=0, halife=1000), ll(1))
    assert listed(m) == ["ha1"]


@pytest.mark.parametrize(("t_s", "there"), [(190 - 1e-9, ["ha1"]), (190, [])])
def test_an_agent_lives_for_the_lifetime_of_its_advertisement(t_s: float, there: list[str]) -> None:
    m = agent()
    m.icmp6_at(10, ra(ha(1), lifetime=180), ll(1))
    assert listed(m, t_s) == there


@pytest.mark.parametrize(("t_s", "there"), [(40 - 1e-9, ["ha1"]), (40, [])])
def test_an_address_lives_for_its_valid_lifetime(t_s: float, there: list[str]) -> None:
    m = agent()
    m.icmp6_at(10, ra(ha(1), vltime=30, pltime=30), ll(1))
    m.icmp6_at(12, ra(), ll(1))
    assert listed(m, t_s) == there


def test_infinite_lifetimes_never_end() -> None:
    m = agent()
    m.icmp6_at(10, ra(ha(1), vltime=0xFFFFFFFF, pltime=0xFFFFFFFF, pref=1, halife=65535), ll(1))
    assert listed(m, 65000) == ["ha1"]


@pytest.mark.parametrize("gone", [ra(ha(1), lifetime=0), ra(ha(1), vltime=0)])
def test_what_is_withdrawn_is_gone_for_a_request_right_behind(gone: bytes) -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1)), ll(1))
    m.icmp6_at(5, gone, ll(1))
    ask(m, 5)
    events = [fn for _, _, fn in sorted(m._events, key=lambda e: e[:2])[1:]]
    del m._events[1:]
    m.at(5, lambda: [fn() for fn in events])
    m.run(main, "fxp0", 6)
    assert [r.addrs for r in replies(m)] == [()]


def test_sighup_forgets_the_agents() -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1)), ll(1))
    m.signal_at(2, "HUP")
    assert listed(m) == []


def test_an_address_refreshed_keeps_its_place_and_one_with_lifetime_zero_goes() -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1), ha(2)), ll(1))
    m.icmp6_at(2, ra(ha(2), ha(1)), ll(1))
    ask(m, 3)
    m.icmp6_at(4, ra(ha(1), vltime=0), ll(1))
    ask(m, 5)
    m.run(main, "fxp0", 6)
    assert [r.addrs for r in replies(m)] == [(addr(ha(1)),), (addr(ha(2)),)]


@pytest.mark.parametrize(
    ("opts", "says"),
    [
        ({"pflags": 0xC0}, ""),
        ({"pflags": 0x60}, ""),
        ({"plen": 65}, "2001:200:1:1::1/65 from fe80::1%fxp0: invalid prefix length, ignored"),
        ({"plen": 129}, "2001:200:1:1::1/129 from fe80::1%fxp0: invalid prefix length, ignored"),
    ],
)
def test_a_prefix_that_gives_no_address(opts: dict[str, int], says: str) -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1), **opts), ll(1))
    assert listed(m) == []
    assert m.logged() == ([f"<ra_input> {says}"] if says else [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("fe80::1", "multicast or link-local prefix"),
        ("ff0e::1", "multicast or link-local prefix"),
        ("2001:200:1:1::", "router address flag on a bare prefix"),
    ],
)
def test_an_address_that_nobody_can_be_reached_at(text: str, why: str) -> None:
    m = agent()
    m.icmp6_at(1, ra(text), ll(1))
    assert listed(m) == []
    assert m.logged() == [f"<ra_input> {text}/64 from fe80::1%fxp0: {why}, ignored"]


@pytest.mark.parametrize(
    ("data", "src", "hlim", "says"),
    [
        (ra(), ll(1), 64, "RA with invalid hop limit(64) received from fe80::1%fxp0 on fxp0"),
        (ra(), "2001:db8::1", 255, "src 2001:db8::1 is not link-local"),
        (
            ra()[:15],
            ll(1),
            255,
            "RA from fe80::1%fxp0 on fxp0 does not have enough length (len = 15)",
        ),
        (
            NdRouterAdvert(nd_ra_code=1).pack(),
            ll(1),
            255,
            "RA with invalid ICMP6 code(1) received from fe80::1%fxp0 on fxp0",
        ),
        (
            ra(ha(1)) + NdOptHdr(nd_opt_type=1, nd_opt_len=0).pack(),
            ll(1),
            255,
            "invalid ND option, ignored (nd option of length zero from fe80::1%fxp0)",
        ),
    ],
)
def test_an_advertisement_that_is_not_valid_changes_nothing(
    data: bytes, src: str, hlim: int, says: str
) -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1), pref=7), ll(1))
    m.icmp6_at(2, data, src, hlim=hlim)
    assert listed(m) == ["ha1"]
    assert m.logged() == [f"<ra_input> {says}"]


def test_an_advertisement_on_a_link_that_is_not_ours_is_told_and_ignored() -> None:
    m = agent()
    m.add_if("fxp1")
    m.icmp6_at(1, ra(ha(1)), ll(1), ifname="fxp1")
    assert listed(m) == []
    assert m.logged(5) == ["<ra_input> RA received on ifindex 2 which is not home link, ignored"]


def test_a_link_that_is_not_ours_is_told_once() -> None:
    m = agent()
    for name in ("fxp1", "fxp2"):
        m.add_if(name)
    for at, name in enumerate(("fxp1", "fxp2", "fxp1", "fxp2"), 1):
        m.icmp6_at(at, ra(ha(1)), ll(1), ifname=name)
    assert listed(m) == []
    assert [line.split()[5] for line in m.logged(5)] == ["2", "3"]


def test_more_options_than_ten_are_read() -> None:
    m = agent()
    many = [f"2001:200:2:{n:x}::1" for n in range(1, 20)]
    m.icmp6_at(1, ra(*many, ha(1)) + build_lladdr_opt(1, MAC), ll(1))
    assert listed(m) == ["ha1"]


def test_the_first_of_two_home_agent_options_counts() -> None:
    m = agent()
    m.icmp6_at(1, ra(ha(1), pref=3) + build_homeagent_opt(200, 0), ll(1))
    m.signal_at(2, "USR1")
    m.run(main, "fxp0", 3)
    assert "    preference=3\n" in m.files[DUMP]


# -- the dump -------------------------------------------------------------------------------------

EXPECTED = f"""\
dump home agent list at 00:00:39.551038
fxp0:
  home agent address={OWN}
    lifetime=180 expire=1012435382(decr,expire 142)
    preference=0
    global addresses:
      {OWN_GLOBAL}/64(vltime: 2592000(decr,expire 2591962), pltime: 604800(decr,expire 604762), \
flags: LAR)
  entry 0
    global addresses={OWN_GLOBAL}
    anycast addresses={ANYCAST}
"""


def test_the_dump_has_the_historical_layout() -> None:
    m = agent()
    m.icmp6_at(2, ra(OWN_GLOBAL), OWN)
    m.signal_at(39.551038, "USR1")
    m.run(main, "fxp0", 40)
    assert m.files[DUMP] == EXPECTED


def test_infinite_lifetimes_in_the_dump() -> None:
    m = agent()
    m.icmp6_at(2, ra(ha(1), pltime=0xFFFFFFFF, vltime=0xFFFFFFFF, pref=-2, pflags=0xA0), ll(1))
    m.signal_at(3, "USR1")
    m.run(main, "fxp0", 40)
    assert "    preference=-2\n" in m.files[DUMP]
    assert f"      {ha(1)}/64(vltime: infinity, pltime: infinity, flags: LR)\n" in m.files[DUMP]


def test_the_dump_as_json() -> None:
    m = agent()
    m.icmp6_at(2, ra(ha(1), pref=4, vltime=0xFFFFFFFF), ll(1))
    m.signal_at(3, "USR1")
    m.run(main, "--json fxp0", 40)
    assert json.loads(m.files[DUMP]) == [
        {
            "interface": "fxp0",
            "home_agents": [
                {
                    "address": ll(1),
                    "preference": 4,
                    "lifetime": 1000,
                    "expire": 999,
                    "global_addresses": [
                        {
                            "address": f"{ha(1)}/64",
                            "vltime": 4294967295,
                            "vexpire": 4294967295,
                            "pltime": 604800,
                            "pexpire": 604799,
                            "flags": "LAR",
                        }
                    ],
                }
            ],
            "own": [{"anycast": ANYCAST, "global": OWN_GLOBAL}],
        }
    ]


def test_debugging_prints_the_list_every_second_and_after_each_packet() -> None:
    m = agent()
    m.icmp6_at(1.5, ra(ha(1)), ll(1))
    m.run(main, "-D -f fxp0", 3)
    stamps = [line[-15:-7] for line in m.stderr.splitlines() if line.startswith("dump home")]
    assert stamps == ["00:00:01", "00:00:01", "00:00:02"]


# -- anything at all ------------------------------------------------------------------------------


@given(data=st.binary(max_size=120), kind=st.sampled_from([134, 150]))
def test_no_message_ends_the_program(data: bytes, kind: int) -> None:
    m = agent()
    m.icmp6_at(1, bytes([kind, 0]) + data, ll(1), dst=ANYCAST)
    ask(m, 2)
    assert m.run(main, "fxp0", 3) is None
    assert replies(m)[-1].id == 7


@given(prefs=st.lists(st.integers(-3, 3), max_size=12), seed=st.randoms(use_true_random=False))
def test_shuffling_keeps_everyone_and_the_order_of_preferences(
    prefs: list[int], seed: object
) -> None:
    haif = HagentIfinfo("fxp0", 1)
    for n, pref in enumerate(prefs):
        haif.update(addr(ll(n + 1)), pref, 100, 0)
    haif.shuffle(lambda n: seed.randrange(n))  # type: ignore[attr-defined]  # random.Random
    assert [e.hagent_pref for e in haif.halist] == sorted(prefs, reverse=True)
    assert len({e.hagent_addr for e in haif.halist}) == len(prefs)
    assert all(e.hagent_expire_ns == 100 * NS for e in haif.halist)
