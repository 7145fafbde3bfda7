# SPDX-License-Identifier: BSD-3-Clause
"""rtadvd against a fake kernel: set-up, times, packets, the routing socket, the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kame_py.lib.flagwords import IFF_UP, IN6_IFF_ANYCAST
from kame_py.tools.rtadvd import main
from kame_py.wire.codecs import NdOptPrefixInfo, NdRouterAdvert, NdRouterSolicit
from kame_py.wire.in6addr import prefix_mask
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import NdOptions, parse_nd_options
from kame_py.wire.rtmsg import (
    RTM_ADD,
    RTM_DELETE,
    IfMsg,
    RtAddrs,
    RtMsg,
    SockaddrDl,
    build,
    with_error,
)
from kame_py.wire.sockaddr import SockaddrIn6
from tests.unit.tools.router_ops import MAC, NS, UP, Machine, addr

CONF = "/usr/local/v6/etc/rtadvd.conf"
FORWARDING = "net.inet6.ip6.forwarding"
HOWTO = "fxp0:\\\n\t:maxinterval#60:mininterval#40:\n"
GLOBAL = "2001:200:1:1:2a0:24ff:fe66:77"
RS = NdRouterSolicit().pack()


def router(conf: str = HOWTO, draw: Callable[[int], int] = lambda n: 0) -> Machine:
    m = Machine(draw=draw)
    m.add_if()
    m.add_addr("fxp0", GLOBAL)
    m.sysctls[FORWARDING] = 1
    m.files[CONF] = conf
    return m


def options(data: bytes) -> NdOptions:
    opts = parse_nd_options(data, NdRouterAdvert.SIZE, len(data), 100)
    assert not isinstance(opts, Malformed)
    return opts


def prefixes(data: bytes) -> list[NdOptPrefixInfo]:
    return options(data).prefixes


def route(kind: int, prefix: str, plen: int = 64, index: int = 1) -> RtMsg:
    dst, gateway = SockaddrIn6(addr(prefix)), SockaddrDl(index, 6, "fxp0", MAC)
    return RtMsg(kind, rtm_index=index, addrs=RtAddrs(dst, gateway, prefix_mask(plen)))


def route_msg(kind: int, prefix: str, plen: int = 64, index: int = 1) -> bytes:
    return build(route(kind, prefix, plen, index))


# -- set-up ---------------------------------------------------------------------------------------


def test_without_interfaces_it_prints_its_usage() -> None:
    m = router()
    assert m.run(main, "-m", 1) == 1
    assert m.stderr == "usage: rtadvd [-dDfMmRs] [-c conffile] interfaces...\n"


def test_a_host_is_refused_with_the_historical_line() -> None:
    m = router()
    m.sysctls[FORWARDING] = 0
    text = (
        "non zero router lifetime is specified for fxp0, which must not be allowed for hosts. "
        "you must change router lifetime or enable IPv6 forwarding."
    )
    assert m.run(main, "fxp0", 1) == 1
    assert m.log == [(3, f"<getconfig> {text}")]
    assert m.stderr == f"rtadvd: {text}\n"
    assert m.daemon_at is None


def test_a_host_may_advertise_with_router_lifetime_zero() -> None:
    m = router("fxp0:rltime#0:")
    m.sysctls[FORWARDING] = 0
    assert m.run(main, "fxp0", 1) is None
    assert m.log == []


def test_an_unknown_interface_ends_it() -> None:
    m = router()
    assert m.run(main, "fxp9", 1) == 1
    assert m.stderr == "rtadvd: can't get information of fxp9\n"


def test_a_refused_configuration_reaches_syslog_and_the_shell() -> None:
    m = router("fxp0:maxinterval#60:mininterval#50:")
    assert m.run(main, "fxp0", 1) == 1
    text = "mininterval (50) on fxp0 is invalid (must be between 3.000000e+00 and 45)"
    assert m.logged() == [f"<getconfig> {text}"]
    assert m.stderr == f"rtadvd: {text}\n"


def test_an_interface_given_twice_ends_it() -> None:
    m = router()
    assert m.run(main, "fxp0 fxp0", 1) == 1
    assert m.stderr == "rtadvd: interface fxp0 is given twice\n"


def test_a_configuration_file_that_cannot_be_read_ends_it() -> None:
    m = router()
    m.unreadable.add(CONF)
    assert m.run(main, "fxp0", 1) == 1
    assert m.stderr == f"rtadvd: {CONF}: Permission denied\n"


def test_it_becomes_a_daemon_writes_its_pid_and_joins_all_routers() -> None:
    m = router()
    assert m.run(main, "fxp0", 1) is None
    assert m.daemon_at == 0
    assert m.files["/var/run/rtadvd.pid"] == "123\n"
    assert m.joined == [(addr("ff02::2"), 1)]


def test_minus_f_stays_and_minus_m_upper_joins_the_site_group() -> None:
    m = router()
    assert m.run(main, "-f -M fxp0 fxp0", 1) is None
    assert m.daemon_at is None
    assert m.joined == [(addr("ff02::2"), 1), (addr("ff05::2"), 1)]


def test_minus_r_says_that_it_is_ignored() -> None:
    m = router()
    assert m.run(main, "-R fxp0", 1) is None
    assert m.stderr == "rtadvd: the -R option is currently ignored.\n"


def test_an_unknown_letter_only_warns() -> None:
    m = router()
    assert m.run(main, "-x fxp0", 1) is None
    assert m.stderr == "rtadvd: illegal option -- x\n"


def test_a_missing_file_means_defaults() -> None:
    m = router()
    del m.files[CONF]
    assert m.run(main, "-d fxp0", 17) is None
    assert m.logged()[0] == (
        "<getconfig> fxp0 isn't defined in the configuration file or the configuration file "
        "doesn't exist. Treat it as default"
    )
    ra = NdRouterAdvert.unpack(m.sent[0].data)
    assert ra.nd_ra_router_lifetime == 1800


def test_minus_c_reads_another_file() -> None:
    m = router("")
    m.files["/etc/other.conf"] = "fxp0:chlim#7:"
    m.run(main, "-c /etc/other.conf fxp0", 17)
    assert NdRouterAdvert.unpack(m.sent[0].data).nd_ra_curhoplimit == 7


# -- times ----------------------------------------------------------------------------------------


def test_three_advertisements_16_s_apart_then_the_drawn_interval() -> None:
    m = router(draw=lambda n: n - 1)
    m.run(main, "fxp0", 170)
    assert [s.t_s for s in m.sent] == [16, 32, 48, 48 + 59, 48 + 59 + 59]
    assert all(s.hlim == 255 and s.to == SockaddrIn6(addr("ff02::1"), 0, 1) for s in m.sent)
    assert set(m.draws) == {20}  # min + [0, max - min): the maximum is never reached


def test_with_mobility_advertisements_may_come_every_second_and_a_half() -> None:
    m = router('fxp0:maxinterval="1.5":mininterval="0.05":', draw=lambda n: n - 1)
    m.run(main, "-m fxp0", 5)
    assert [s.t_ns for s in m.sent] == [n * 1_499_000_000 for n in (1, 2, 3)]
    advinterval = options(m.sent[0].data).advinterval
    assert advinterval is not None and advinterval.nd_opt_ai_interval == 1500


def test_without_the_home_agent_flag_no_home_agent_option_is_sent() -> None:
    m = router("fxp0:raflags#0:hatime#100:")
    m.run(main, "-m fxp0", 17)
    assert options(m.sent[0].data).homeagent is None


def test_a_solicitation_is_answered_within_half_a_second() -> None:
    m = router(draw=lambda n: 123_456 if n == 500_000 else 0)
    m.icmp6_at(5, RS, "fe80::1")
    m.run(main, "fxp0", 30)
    assert [s.t_ns for s in m.sent] == [5 * NS + 123_456_000, 21 * NS + 123_456_000]


def test_the_regular_time_wins_when_it_comes_first() -> None:
    m = router(draw=lambda n: 499_999 if n == 500_000 else 0)
    m.icmp6_at(15.9, RS, "fe80::1")
    m.run(main, "fxp0", 20)
    assert [s.t_s for s in m.sent] == [16]


def test_answers_are_three_seconds_apart() -> None:
    m = router(draw=lambda n: 250_000 if n == 500_000 else 0)
    m.icmp6_at(5, RS, "fe80::1")
    m.icmp6_at(6, RS, "fe80::2")
    m.icmp6_at(7, RS, "fe80::3")
    m.run(main, "fxp0", 10)
    assert [s.t_s for s in m.sent] == [5.25, 5.25 + 3 + 0.25]


def test_more_solicitations_only_raise_the_waiting_count() -> None:
    delays_us = iter((400_000, 1, 1))
    m = router(draw=lambda n: next(delays_us) if n == 500_000 else 0)
    for t in (5.0, 5.1, 5.2):
        m.icmp6_at(t, RS, "fe80::1")
    m.signal_at(5.3, "USR1")
    m.run(main, "fxp0", 6)
    assert [s.t_s for s in m.sent] == [5.4]
    assert "  waits: 3, initcount: 0\n" in m.files["/var/run/rtadvd.dump"]


def test_term_withdraws_the_router_three_times_and_ends() -> None:
    m = router()
    m.signal_at(20, "TERM")
    assert m.run(main, "fxp0", 100) == 0
    assert [(s.t_s, NdRouterAdvert.unpack(s.data).nd_ra_router_lifetime) for s in m.sent] == [
        (16, 180),
        (20, 0),
        (23, 0),
        (26, 0),
    ]
    assert m.now_ns == 29 * NS


def test_an_interface_that_goes_down_is_silent_until_it_is_up_again() -> None:
    m = router()
    m.route_at(20, build(IfMsg(UP & ~IFF_UP, 1)))
    m.route_at(100, build(IfMsg(UP, 1)))
    m.signal_at(50, "USR1")
    m.run(main, "-d fxp0", 120)
    assert [s.t_s for s in m.sent] == [16, 116]
    assert m.logged() == [
        "<rtmsg_input> interface fxp0 becomes down. stop timer.",
        "<rtmsg_input> interface fxp0 becomes up. restart timer.",
    ]
    dump = m.files["/var/run/rtadvd.dump"]
    assert "  Status: DOWN\n" in dump
    assert "  RA timer is stopped  waits: 0, initcount: 1\n" in dump


def test_flags_other_than_up_do_not_restart_the_timer() -> None:
    m = router()
    m.route_at(20, build(IfMsg(UP | 0x100, 1)))
    m.run(main, "-d fxp0", 33)
    assert [s.t_s for s in m.sent] == [16, 32]
    assert m.log == []


def test_the_last_advertisements_skip_an_interface_that_is_down() -> None:
    m = router()
    m.route_at(20, build(IfMsg(UP & ~IFF_UP, 1)))
    m.signal_at(30, "TERM")
    assert m.run(main, "-D fxp0", 100) == 0
    assert [s.t_s for s in m.sent] == [16]
    assert m.logged()[-1] == "<ra_output> fxp0 is not up, skip sending RA"


def test_an_interface_that_is_down_at_the_start_waits() -> None:
    m = router()
    m.set_flags("fxp0", UP & ~IFF_UP)
    m.route_at(30, build(IfMsg(UP, 1)))
    m.run(main, "fxp0", 50)
    assert [s.t_s for s in m.sent] == [46]


def test_minus_s_opens_no_routing_socket() -> None:
    m = router()
    m.route_at(5, route_msg(RTM_ADD, "2001:db8:9::"))
    m.run(main, "-s fxp0", 17)
    assert [p.nd_opt_pi_prefix for p in prefixes(m.sent[0].data)] == [addr("2001:200:1:1::")]


# -- what is sent ---------------------------------------------------------------------------------


def test_the_howto_advertisement_octet_by_octet() -> None:
    m = router()
    m.run(main, "-m fxp0", 17)
    assert m.sent[0].data == bytes.fromhex(
        "86 00 0000"  # router advertisement, code 0, checksum left to the kernel
        "40 20 00b4"  # current hop limit 64, H flag, router lifetime 180 s
        "00000000 00000000"  # reachable time, retransmission timer: unspecified
        "01 01 00a024660077"  # source link-layer address
        "07 01 0000 0000ea60"  # advertisement interval, 60000 ms
        "03 04 40 e0"  # prefix information, /64, L A R
        "00278d00 00093a80 00000000"  # valid 2592000 s, preferred 604800 s, reserved
        "20010200000100 0102a024fffe660077"  # the router's whole address
    )


def test_the_home_agent_tells_preference_and_lifetime() -> None:
    m = router("fxp0:maxinterval#60:mininterval#40:hatime#100:hapref#10:")
    m.run(main, "-m fxp0", 17)
    ha = options(m.sent[0].data).homeagent
    assert ha is not None
    assert (ha.nd_opt_hai_preference, ha.nd_opt_hai_lifetime) == (10, 100)
    assert bytes.fromhex("08 01 0000 000a 0064") in m.sent[0].data


def test_a_preference_above_32767_keeps_its_bits() -> None:
    m = router("fxp0:hatime#100:hapref#65526:")
    m.run(main, "-m fxp0", 17)
    assert bytes.fromhex("08 01 0000 fff6 0064") in m.sent[0].data


def test_without_minus_m_there_is_nothing_of_mobility() -> None:
    m = router()
    m.run(main, "fxp0", 17)
    opts = options(m.sent[0].data)
    assert NdRouterAdvert.unpack(m.sent[0].data).nd_ra_flags_reserved == 0
    assert opts.advinterval is None
    assert opts.homeagent is None
    assert [(p.nd_opt_pi_prefix, p.nd_opt_pi_flags_reserved) for p in opts.prefixes] == [
        (addr("2001:200:1:1::"), 0xC0)
    ]


def test_site_local_and_anycast_addresses_under_minus_m() -> None:
    m = router()
    m.add_addr("fxp0", "fec0:0:0:2::1")
    m.add_addr("fxp0", "2001:200:1:2:fdff:ffff:ffff:fffe", flags=IN6_IFF_ANYCAST)
    m.run(main, "-m fxp0", 17)
    found = [(p.nd_opt_pi_prefix, p.nd_opt_pi_flags_reserved) for p in prefixes(m.sent[0].data)]
    assert found == [(addr("fec0:0:0:2::"), 0xC0), (addr(GLOBAL), 0xE0)]


def test_addresses_of_one_prefix_are_merged_and_host_routes_left_out() -> None:
    m = router()
    m.add_addr("fxp0", "2001:200:1:1::5")
    m.add_addr("fxp0", "2001:200:1:7::5", plen=128)
    m.run(main, "fxp0", 17)
    assert [p.nd_opt_pi_prefix for p in prefixes(m.sent[0].data)] == [addr("2001:200:1:1::")]


def test_options_come_in_kames_order_and_lists_reversed() -> None:
    m = router(
        'fxp0:mtu=auto:hatime#100:addrs#2:addr0="2001:db8:a::":addr1="2001:db8:b::":'
        'routes#2:rtprefix0="3ffe:501::":rtplen0#32:rtltime0#60:'
        'rtprefix1="3ffe:502::":rtplen1#32:rtltime1#60:'
    )
    m.run(main, "-m fxp0", 17)
    data = m.sent[0].data[NdRouterAdvert.SIZE :]
    kinds = []
    while data:
        kinds.append(data[0])
        data = data[data[1] * 8 :]
    assert kinds == [1, 5, 7, 8, 3, 3, 24, 24]
    opts = options(m.sent[0].data)
    assert [p.nd_opt_pi_prefix for p in opts.prefixes] == [
        addr("2001:db8:b::"),
        addr("2001:db8:a::"),
    ]
    assert [r.prefix for r in opts.routes] == [addr("3ffe:502::"), addr("3ffe:501::")]


def test_nolladdr_leaves_the_source_option_out() -> None:
    m = router("fxp0:nolladdr:")
    m.run(main, "fxp0", 17)
    assert options(m.sent[0].data).src_lladdr is None


def test_decrementing_lifetimes_count_from_the_start() -> None:
    m = router(
        'fxp0:addrs#1:addr="2001:db8:a::":vltime#40:vltimedecr:pltime#100:maxinterval#60:'
        "mininterval#40:"
    )
    m.run(main, "fxp0", 50)
    times = [
        (p.nd_opt_pi_valid_time, p.nd_opt_pi_preferred_time)
        for s in m.sent
        for p in prefixes(s.data)
    ]
    assert times == [(24, 24), (8, 8), (0, 0)]


def test_a_send_error_is_logged_and_the_daemon_goes_on() -> None:
    m = router()
    m.send_errno = 50
    m.run(main, "fxp0", 33)
    assert m.logged() == ["<ra_output> sendmsg on fxp0: Network is down"] * 2


# -- the routing table ----------------------------------------------------------------------------


def test_a_new_interface_route_is_advertised_soon() -> None:
    m = router()
    m.lifetimes["2001:db8:9::", 64] = (1000, 500)
    m.route_at(60, route_msg(RTM_ADD, "2001:db8:9::"))
    m.run(main, "fxp0", 77)
    assert [s.t_s for s in m.sent] == [16, 32, 48, 76]
    new = prefixes(m.sent[-1].data)[0]
    assert new.nd_opt_pi_prefix == addr("2001:db8:9::")
    assert (new.nd_opt_pi_valid_time, new.nd_opt_pi_preferred_time) == (1000, 500)


def test_a_prefix_unknown_to_the_kernel_gets_the_default_lifetimes() -> None:
    m = router()
    m.route_at(5, route_msg(RTM_ADD, "2001:db8:9::"))
    m.run(main, "fxp0", 22)
    new = prefixes(m.sent[0].data)[0]
    assert (new.nd_opt_pi_valid_time, new.nd_opt_pi_preferred_time) == (2592000, 604800)


def test_a_later_prefix_has_its_router_flag_under_minus_m() -> None:
    m = router()
    m.at(4, lambda: m.add_addr("fxp0", "2001:db8:9::77"))
    m.route_at(5, route_msg(RTM_ADD, "2001:db8:9::"))
    m.run(main, "-m fxp0", 22)
    new = prefixes(m.sent[0].data)[0]
    assert (new.nd_opt_pi_prefix, new.nd_opt_pi_flags_reserved) == (addr("2001:db8:9::77"), 0xE0)


def test_a_deleted_prefix_is_withdrawn_three_times_then_forgotten() -> None:
    m = router()
    m.route_at(100, route_msg(RTM_DELETE, "2001:200:1:1::"))
    m.run(main, "fxp0", 180)
    lifetimes = [
        (s.t_s, [(p.nd_opt_pi_valid_time, p.nd_opt_pi_preferred_time) for p in prefixes(s.data)])
        for s in m.sent
        if s.t_s >= 100
    ]
    assert lifetimes == [(100, [(0, 0)]), (116, [(0, 0)]), (132, [(0, 0)]), (172, [])]


def test_a_prefix_that_nobody_heard_of_goes_without_a_word() -> None:
    m = router()
    m.route_at(5, route_msg(RTM_DELETE, "2001:200:1:1::"))
    m.run(main, "fxp0", 17)
    assert [s.t_s for s in m.sent] == [16]
    assert prefixes(m.sent[0].data) == []


def test_a_route_that_was_refused_changes_nothing() -> None:
    m = router()
    refused = with_error(route(RTM_ADD, "2001:db8:9::"), 17)
    m.route_at(5, build(refused))
    m.run(main, "fxp0", 17)
    assert [p.nd_opt_pi_prefix for p in prefixes(m.sent[0].data)] == [addr("2001:200:1:1::")]


def test_a_withdrawn_prefix_that_comes_back_is_advertised_again() -> None:
    m = router()
    m.route_at(100, route_msg(RTM_DELETE, "2001:200:1:1::"))
    m.route_at(105, route_msg(RTM_ADD, "2001:200:1:1::"))
    m.run(main, "fxp0", 122)
    (only,) = prefixes(m.sent[-1].data)
    assert (only.nd_opt_pi_valid_time, only.nd_opt_pi_preferred_time) == (2592000, 604800)


def test_configured_prefixes_do_not_follow_the_routing_table() -> None:
    m = router('fxp0:addrs#1:addr="2001:db8:a::":')
    m.route_at(5, route_msg(RTM_ADD, "2001:db8:9::"))
    m.route_at(6, route_msg(RTM_DELETE, "2001:db8:a::"))
    m.run(main, "fxp0", 17)
    assert [p.nd_opt_pi_prefix for p in prefixes(m.sent[0].data)] == [addr("2001:db8:a::")]


@pytest.mark.parametrize(
    ("prefix", "plen", "index"),
    [("fe80::", 64, 1), ("ff02::", 16, 1), ("2001:db8::1", 128, 1), ("2000::", 3, 1)]
    + [("2001:db8:9::", 64, 2)],
)
def test_routes_that_are_no_prefix_of_ours_are_passed_over(
    prefix: str, plen: int, index: int
) -> None:
    m = router()
    m.route_at(5, route_msg(RTM_ADD, prefix, plen, index))
    m.run(main, "fxp0", 17)
    assert [p.nd_opt_pi_prefix for p in prefixes(m.sent[0].data)] == [addr("2001:200:1:1::")]


def test_rubbish_on_the_routing_socket_is_passed_over() -> None:
    m = router()
    m.route_at(5, b"\x07\x00")
    m.run(main, "fxp0", 17)
    assert len(m.sent) == 1
