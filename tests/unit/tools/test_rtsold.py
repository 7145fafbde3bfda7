# SPDX-License-Identifier: BSD-3-Clause
"""rtsold and rtsol against a fake kernel: the state machine, -m, -a, -1, the dump."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from kame_py.lib.flagwords import (
    IFF_LOOPBACK,
    IFF_MULTICAST,
    IFF_POINTOPOINT,
    IFF_RUNNING,
    IFF_UP,
    IFT_HIF,
)
from kame_py.lib.flagwords import IN6_IFF_DUPLICATED as DUPLICATED
from kame_py.lib.flagwords import IN6_IFF_TENTATIVE as TENTATIVE
from kame_py.tools.rtsol import main as rtsol
from kame_py.tools.rtsold import main as rtsold
from kame_py.tools.rtsold_if import TRANSITIONS, Event, Ifinfo, State, dump_text, transitions_table
from kame_py.wire.codecs import NdRouterAdvert
from kame_py.wire.rtmsg import IFAN_ARRIVAL, IfAnnounceMsg, IfMsg, build
from kame_py.wire.snap import DrSnap
from tests.support import PROJECT_ROOT
from tests.unit.tools.router_ops import UP, Machine, addr

RA = NdRouterAdvert(nd_ra_router_lifetime=180).pack()
ROUTER = "fe80::1"
DUMP = "/var/run/rtsold.dump"
NONE = 59


def host(media: bool | None = True, draw: Callable[[int], int] = lambda n: n // 2) -> Machine:
    m = Machine(draw=draw)
    m.add_if(media=media)
    m.sysctls["net.inet6.ip6.accept_rtadv"] = 1
    return m


def lladdr_flags(m: Machine, flags: int, ifname: str = "fxp0") -> None:
    m.addrs[ifname] = []
    m.add_addr(ifname, "fe80::2a0:24ff:fe66:77", flags=flags)


def solicited(m: Machine) -> list[float]:
    return [s.t_s for s in m.sent if s.proto == 58]


def poked(m: Machine) -> list[float]:
    return [s.t_s for s in m.sent if s.proto == NONE]


# -- the table ------------------------------------------------------------------------------------


def test_every_state_counts_an_advertisement() -> None:
    assert {state for state, event in TRANSITIONS if event is Event.RA} == set(State)


def test_every_state_can_be_reached_and_left() -> None:
    reached = {state for (old, _), (_, state) in TRANSITIONS.items() if state is not old}
    left = {old for (old, _), (_, state) in TRANSITIONS.items() if state is not old}
    assert reached == left == set(State)


def test_the_documentation_draws_this_table() -> None:
    text = (PROJECT_ROOT / "docs" / "tools.md").read_text()
    begin = text.index("<!-- rtsold-states")
    drawn = text[text.index("\n", begin) + 1 : text.index("<!-- /rtsold-states -->")]
    assert drawn == transitions_table()


# -- soliciting -----------------------------------------------------------------------------------


def test_three_solicitations_four_seconds_apart_after_a_random_delay() -> None:
    m = host()
    assert m.run(rtsold, "fxp0", 100) is None
    assert solicited(m) == [0.5, 4.5, 8.5]
    assert m.draws == [1_000_000]


def test_the_solicitation_octet_by_octet() -> None:
    m = host()
    m.run(rtsold, "fxp0", 1)
    (sent,) = m.sent
    assert sent.data == bytes.fromhex(
        "85 00 0000"  # router solicitation, code 0, checksum left to the kernel
        "00000000"  # reserved
        "01 01 00a024660077"  # source link-layer address
    )
    assert (sent.to.addr, sent.to.scope_id, sent.hlim) == (addr("ff02::2"), 1, 255)


def test_rtsol_ends_with_the_first_advertisement() -> None:
    m = host()
    m.icmp6_at(4.6, RA, ROUTER)
    assert m.run(rtsol, "fxp0", 100) == 0
    assert solicited(m) == [0.5, 4.5]
    assert m.now_ns == 4_600_000_000
    assert m.stderr == ""
    assert "/var/run/rtsold.pid" not in m.files


def test_rtsol_ends_well_when_nobody_answers() -> None:
    m = host()
    assert m.run(rtsol, "-d fxp0", 100) == 0
    assert m.now_ns == 9_500_000_000  # 0.5 + 4 + 4 + 1
    assert m.stderr.endswith("No answer after sending 3 RSs\n")
    assert m.log == []


def test_rtsol_waits_for_every_interface() -> None:
    m = host()
    m.add_if("fxp1")
    m.icmp6_at(1, RA, ROUTER, "fxp1")
    m.icmp6_at(2, RA, ROUTER, "fxp0")
    assert m.run(rtsol, "fxp0 fxp1", 100) == 0
    assert m.now_ns == 2_000_000_000


@pytest.mark.parametrize(
    ("data", "src", "hlim"),
    [
        (RA[:15], ROUTER, 255),
        (NdRouterAdvert(nd_ra_code=1).pack(), ROUTER, 255),
        (RA, ROUTER, 254),
        (RA, "2001:db8::1", 255),
    ],
)
def test_an_invalid_advertisement_does_not_count(data: bytes, src: str, hlim: int) -> None:
    m = host()
    m.icmp6_at(1, data, src, hlim=hlim)
    m.run(rtsol, "fxp0", 100)
    assert solicited(m) == [0.5, 4.5, 8.5]


def test_an_advertisement_before_the_first_solicitation_is_only_counted() -> None:
    m = host()
    m.icmp6_at(0.1, RA, ROUTER)
    m.signal_at(2, "USR1")
    m.run(rtsold, "fxp0", 20)
    assert solicited(m) == [0.5, 4.5, 8.5]
    assert "  number of valid RAs: 1\n" in m.files[DUMP]


# -- interfaces that are not ready ----------------------------------------------------------------


def test_an_interface_that_is_down_is_brought_up_and_looked_at_again() -> None:
    m = host()
    m.set_flags("fxp0", UP & ~IFF_UP)
    m.icmp6_at(2, RA, ROUTER)
    assert m.run(rtsol, "fxp0", 100) == 0
    assert m.ifs["fxp0"].flags == UP
    assert solicited(m) == [1.5]


def test_a_tentative_address_is_waited_for() -> None:
    m = host()
    lladdr_flags(m, TENTATIVE)
    m.at(2.5, lambda: lladdr_flags(m, 0))
    m.run(rtsold, "fxp0", 5)
    assert solicited(m) == [3.5]


def test_ten_looks_a_second_apart_then_one_a_minute() -> None:
    m = host()
    lladdr_flags(m, DUPLICATED)
    m.at(10.5, lambda: lladdr_flags(m, 0))
    m.run(rtsold, "fxp0", 80)
    assert solicited(m) == [70.5, 74.5, 78.5]


def test_rtsol_gives_up_on_a_duplicated_address() -> None:
    m = host()
    lladdr_flags(m, DUPLICATED)
    assert m.run(rtsol, "fxp0", 100) == 0
    assert m.now_ns == 10_000_000_000
    assert m.sent == []


# -- set-up ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("argv", ["", "-a fxp0", "-x fxp0"])
def test_usage(argv: str) -> None:
    m = host()
    assert m.run(rtsold, argv, 1) == 1
    assert m.stderr.endswith("usage: rtsold [-adDfm1] interfaces...\n       rtsold [-dDfm1] -a\n")
    m = host()
    assert m.run(rtsol, argv, 1) == 1
    assert m.stderr.endswith("usage: rtsol [-dD] interfaces...\n       rtsol [-dD] -a\n")


def test_rtsol_knows_no_mobility() -> None:
    assert host().run(rtsol, "-m fxp0", 1) == 1


def test_start_warnings_of_a_kernel_that_will_not_listen() -> None:
    m = host()
    m.sysctls = {"net.inet6.ip6.forwarding": 1}
    m.icmp6_at(1, RA, ROUTER)
    assert m.run(rtsol, "fxp0", 20) == 0
    assert m.stderr == (
        "rtsol: kernel is configured not to accept RAs\n"
        "rtsol: kernel is configured as a router, not a host\n"
    )


def test_an_unknown_interface_and_one_given_twice() -> None:
    m = host()
    assert m.run(rtsol, "fxp9", 1) == 1
    assert m.stderr == "no such interface: fxp9\nrtsol: failed to initialize fxp9\n"
    m = host()
    assert m.run(rtsold, "-f fxp0 fxp0", 1) == 1
    assert m.stderr == ("interface fxp0 was already cofigured\nrtsold: failed to initialize fxp0\n")
    assert m.daemon_at is None


def test_the_daemon_logs_to_syslog_and_writes_its_pid() -> None:
    m = host()
    m.run(rtsold, "-d fxp0", 30)
    assert m.daemon_at == 0
    assert m.files["/var/run/rtsold.pid"] == "123\n"
    assert m.logged(6) == ["<rtsol_check_timer> No answer after sending 3 RSs"]
    assert m.stderr == ""


def test_a_network_that_is_down_is_told_to_debuggers_only() -> None:
    for argv, lines in (("fxp0", 0), ("-d fxp0", 3)):
        m = host()
        m.send_errno = 50
        m.run(rtsold, argv, 20)
        assert len([x for x in m.logged() if "sendmsg on fxp0: Network is down" in x]) == lines


# -- -a -------------------------------------------------------------------------------------------


def test_minus_a_picks_what_can_be_solicited_on() -> None:
    m = host()
    m.add_if("lo0", UP | IFF_LOOPBACK)
    m.add_if("gif0", UP | IFF_POINTOPOINT)
    m.add_if("fxp1", UP & ~IFF_UP)
    m.add_if("fxp2")
    m.add_if("fxp3")
    m.addrs["fxp3"] = []
    m.add_if("fxp4", UP & ~IFF_MULTICAST)
    m.ifs["hif0"] = replace(m.add_if("hif0"), type=IFT_HIF)
    m.run(rtsold, "-a", 1)
    assert m.stderr == ""
    assert [s.to.scope_id for s in m.sent] == [m.ifs["fxp0"].index, m.ifs["fxp2"].index]


def test_minus_d_upper_notes_several_interfaces() -> None:
    m = host()
    m.add_if("fxp1")
    m.run(rtsold, "-a -D", 1)
    assert m.stderr == "rtsold: multiple interfaces found\n"


def test_minus_a_starts_with_no_interface_and_finds_a_card_later() -> None:
    m = Machine(draw=lambda n: 0)
    m.sysctls["net.inet6.ip6.accept_rtadv"] = 1
    m.at(10, lambda: m.add_if("wi0"))
    m.route_at(10, build(IfAnnounceMsg(1, "wi0", IFAN_ARRIVAL)))
    m.run(rtsold, "-a", 15)
    assert solicited(m) == [10, 14]


def test_rtsol_minus_a_without_any_interface_fails() -> None:
    m = Machine()
    assert m.run(rtsol, "-a", 1) == 1
    assert m.stderr.endswith("rtsol: could not autoprobe interface\n")


def test_minus_a_begins_anew_when_an_interface_changes() -> None:
    m = host(draw=lambda n: 0)
    m.icmp6_at(1, RA, ROUTER)
    m.route_at(20, build(IfMsg(UP, 1)))
    m.icmp6_at(21, RA, ROUTER)
    m.run(rtsold, "-a", 30)
    assert solicited(m) == [0, 20]


# -- -m -------------------------------------------------------------------------------------------


def carrier(m: Machine, up: bool) -> Callable[[], None]:
    return lambda: m.media.update(fxp0=up)


def settled(media: bool | None = True) -> Machine:
    """A mobile node that has had its advertisement at 1 s, with two default routers."""
    m = host(media, draw=lambda n: 0)
    m.icmp6_at(1, RA, ROUTER)
    m.routers = [
        DrSnap(addr(ROUTER), "fxp0", 0, 180, 100),
        DrSnap(addr("fe80::2"), "fxp0", 0, 180, 100),
        DrSnap(addr("fe80::3"), "fxp1", 0, 180, 100),
    ]
    return m


def test_idle_without_minus_m_notices_no_link() -> None:
    m = settled()
    m.at(10, carrier(m, False))
    m.run(rtsold, "fxp0", 100)
    assert solicited(m) == [0]
    assert poked(m) == []


def test_minus_m_solicits_and_pokes_when_carrier_changes_either_way() -> None:
    m = settled()
    m.at(10, carrier(m, False))
    m.at(30, carrier(m, True))
    m.icmp6_at(32, RA, ROUTER)
    m.run(rtsold, "-m fxp0", 60)
    # polls at 4, 7, 10 ...; after giving up at 19 they are at 22, 25, 28, 31 ...
    assert solicited(m) == [0, 10, 14, 18, 31]
    assert poked(m) == [10, 10, 31, 31]


def test_the_poke_is_an_empty_packet_of_hop_limit_one_to_routers_of_that_link() -> None:
    m = settled()
    m.at(9, carrier(m, False))
    m.run(rtsold, "-m fxp0", 11)
    pokes = [s for s in m.sent if s.proto == NONE]
    assert [(s.data, s.hlim, s.to.addr, s.to.scope_id) for s in pokes] == [
        (b"", 1, addr(ROUTER), 1),
        (b"", 1, addr("fe80::2"), 1),
    ]


def test_an_interface_that_stops_running_is_a_changed_link() -> None:
    m = settled()
    m.at(9, lambda: m.set_flags("fxp0", UP & ~IFF_RUNNING))
    m.run(rtsold, "-m fxp0", 11)
    assert poked(m) == [10, 10]


def test_at_most_ten_routers_are_poked_and_only_link_local_ones() -> None:
    m = settled()
    m.routers = [DrSnap(addr("2001:db8::1"), "fxp0", 0, 180, 100)]
    m.routers += [DrSnap(addr(f"fe80::{i}"), "fxp0", 0, 180, 100) for i in range(1, 12)]
    m.at(9, carrier(m, False))
    m.run(rtsold, "-m fxp0", 11)
    assert len(poked(m)) == 9
    assert m.logged() == ["<defrouter_probe> default router list contains a non-linklocal address"]


def test_minus_m_without_carrier_detection_probes_every_minute() -> None:
    m = settled(media=None)
    m.icmp6_at(9, RA, ROUTER)
    m.run(rtsold, "-m fxp0", 80)
    # idle at 1 s; the first poll at 4 s finds the probe timer run out
    assert solicited(m)[:2] == [0, 8]
    assert poked(m)[:2] == [4, 4]
    assert poked(m)[2:4] == [69, 69]


# -- a mobile node that nobody answers ------------------------------------------------------------


def test_minus_m_asks_on_with_pauses_that_double_up_to_a_minute() -> None:
    m = host()
    m.run(rtsold, "-m fxp0", 250)
    # given up at 9.5
    assert solicited(m) == [0.5, 4.5, 8.5, 17.5, 33.5, 65.5, 125.5, 185.5, 245.5]


def test_first_and_longest_pause_can_be_chosen() -> None:
    m = host(draw=lambda n: 0)
    m.run(rtsold, "-m -t 0.25 -T 2 fxp0", 9)
    assert solicited(m) == [0, 0.25, 0.5, 2, 3, 5, 7, 9]


def test_longest_pause_is_never_shorter_than_the_first() -> None:
    m = host(draw=lambda n: 0)
    m.run(rtsold, "-m -t 100 fxp0", 500)
    assert solicited(m) == [0, 100, 200, 301, 401]


def test_advertisement_ends_the_search() -> None:
    m = host(draw=lambda n: 0)
    m.icmp6_at(20, RA, ROUTER)
    m.run(rtsold, "-m fxp0", 100)
    assert solicited(m) == [0, 4, 8, 17]


def test_another_link_begins_the_search_anew_and_a_dead_one_ends_it() -> None:
    m = host(draw=lambda n: 0)
    m.at(35, carrier(m, False))
    m.at(100, carrier(m, True))
    m.run(rtsold, "-m fxp0", 118)
    looks = solicited(m)
    assert looks[:5] == [0, 4, 8, 17, 33]
    assert [t for t in looks if 35 < t < 50] == [36.0, 40.0, 44.0]  # KAME asks on either change
    assert not [t for t in looks if 50 < t < 100]
    assert [t - looks[8] for t in looks[8:]] == [0, 4, 8]


def test_probes_of_a_link_without_carrier_do_not_quicken_the_search() -> None:
    m = host(media=None, draw=lambda n: 0)
    m.run(rtsold, "-m fxp0", 300)
    assert solicited(m) == [0, 4, 8, 17, 33, 65, 125, 185, 245]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ("-t 1 fxp0", "-t: only with -m"),
        ("-T 1 fxp0", "-T: only with -m"),
        ("-m -t 0.05 fxp0", "0.05: interval not between 0.1 and 3600 s"),
        ("-m -T 3601 fxp0", "3601: interval not between 0.1 and 3600 s"),
        ("-m -t often fxp0", "often: invalid interval"),
        ("-m -t . fxp0", ".: invalid interval"),
        ("-m -T 3 fxp0", "-T 3: shorter than the interval of -t"),
    ],
)
def test_intervals_that_cannot_be(argv: str, says: str) -> None:
    m = host()
    assert m.run(rtsold, argv, 1) == 1
    assert m.stderr == f"rtsold: {says}\n"


def test_minus_a_minus_m_pokes_when_the_routing_socket_tells_of_a_lost_link() -> None:
    m = settled()
    m.at(9, carrier(m, False))
    m.route_at(9, build(IfMsg(UP, 1)))
    m.signal_at(11, "USR1")
    m.run(rtsold, "-a -m", 12)
    assert poked(m) == [9, 9]
    assert solicited(m) == [0, 9]
    assert "  interface status: inactive\n" in m.files[DUMP]
    assert "  number of valid RAs: 1\n" in m.files[DUMP]


def test_minus_a_without_minus_m_pokes_nobody() -> None:
    m = settled()
    m.at(9, carrier(m, False))
    m.route_at(9, build(IfMsg(UP, 1)))
    m.run(rtsold, "-a", 12)
    assert poked(m) == []


def test_a_card_that_comes_back_under_another_index_is_a_new_one() -> None:
    m = settled()

    def other_card() -> None:
        m.ifs["fxp0"] = replace(m.ifs["fxp0"], index=7)
        m.media["fxp0"] = False

    m.at(9, other_card)
    m.route_at(9, build(IfAnnounceMsg(7, "fxp0", IFAN_ARRIVAL)))
    m.signal_at(10.5, "USR1")
    m.run(rtsold, "-a -m", 11)
    assert poked(m) == []
    assert "  number of valid RAs: 0\n" in m.files[DUMP]


# -- dump -----------------------------------------------------------------------------------------


def test_dump_of_an_idle_mobile_node() -> None:
    m = settled()
    m.signal_at(2, "USR1")
    m.run(rtsold, "-m fxp0", 3)
    assert m.files[DUMP] == (
        "Interface fxp0\n"
        "  probe interval: infinity\n"
        "  no probe timer\n"
        "  interface status: active\n"
        "  rtsold status: IDLE\n"
        "  carrier detection: available\n"
        "  probes: 0, dadcount = 0\n"
        "  timer: interval=3:0, expire=2s\n"
        "  number of valid RAs: 1\n"
    )


def test_dump_with_probing_and_without_a_timer() -> None:
    m = settled(media=None)
    m.signal_at(2, "USR1")
    m.run(rtsold, "fxp0", 3)
    assert m.files[DUMP] == (
        "Interface fxp0\n"
        "  probe interval: 60\n"
        "  probe timer: 0\n"
        "  interface status: active\n"
        "  rtsold status: IDLE\n"
        "  carrier detection: unavailable\n"
        "  probes: 0, dadcount = 0\n"
        "  no timer\n"
        "  number of valid RAs: 1\n"
    )


def test_dump_counts_looks_and_names_an_overdue_timer() -> None:
    m = host()
    lladdr_flags(m, TENTATIVE)
    m.signal_at(2.5, "USR1")
    m.run(rtsold, "fxp0", 3)
    assert "  rtsold status: TENTATIVE\n" in m.files[DUMP]
    assert "  probes: 0, dadcount = 3\n" in m.files[DUMP]
    assert "  timer: interval=1:0, expire=0s\n" in m.files[DUMP]
    late = Ifinfo("fxp0", 1, b"", False, timer_us=500, expire_ns=5)
    assert "  timer: interval=0:500, expire=expired\n" in dump_text([late], 6)


def test_after_the_long_wait_ten_more_looks_follow() -> None:
    m = host(draw=lambda n: 0)
    lladdr_flags(m, DUPLICATED)
    m.at(75.5, lambda: lladdr_flags(m, 0))
    m.run(rtsold, "fxp0", 77)
    assert solicited(m) == [76]


def test_dump_as_json() -> None:
    m = settled()
    m.signal_at(2, "USR1")
    m.run(rtsold, "--json -m fxp0", 3)
    (iface,) = json.loads(m.files[DUMP])
    assert iface["state"] == "IDLE"
    assert iface["timer_expire"] == 2.0
    assert iface["probe_interval"] is None
    assert iface["search_interval"] is None


def test_help_names_every_letter() -> None:
    m = host()
    assert m.run(rtsold, "--help", 1) == 0
    for letter in "adDfmtT1":
        assert f"\n  -{letter}" in m.stdout
