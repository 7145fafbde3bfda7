# SPDX-License-Identifier: BSD-3-Clause
"""ICMPv6: echo, the errors a node sends, which it must not send, and how many (RFC 4443)."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from tests.scenario.tester import (
    ALLNODES,
    FAR,
    GLOBAL,
    GLOBAL2,
    LL,
    MAC,
    PEER,
    PEER_G,
    PEER_MAC,
    ROUTER,
    ROUTER2,
    ROUTER2_MAC,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import BASE, echo, error, ext, icmp6, ip6, is_, udp, with_header

ICMP = "Self_Test/icmp.p2:"
CT = "ct/icmp:"
SITE = "fec0:0:0:1::77"
NOBODY = 33434  # a UDP port without socket
UNKNOWN = 252  # a protocol nobody has


def tahi(*names: str, ct: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    return pytest.mark.tahi(*(ICMP + n for n in names), *(CT + n for n in ct))


@pytest.fixture
def stage() -> Stage:
    """A host whose neighbours are known."""
    stage = Stage(globals_=True)
    stage.tn.neighbours |= {PEER_G: PEER_MAC, PEER: PEER_MAC}
    stage.send(echo(PEER_G, GLOBAL))
    stage.send(echo(PEER, LL))
    stage.forget()
    return stage


@pytest.fixture
def rut() -> Stage:
    """A router between two links, neighbours known, fe80::...a2 a router to 2001:db8:f::/48."""
    stage = Stage(router=True, links=2, globals_=True)
    stage.tn.neighbours |= {PEER_G: PEER_MAC, PEER: PEER_MAC, ROUTER2: ROUTER2_MAC}
    stage.send(echo(PEER_G, GLOBAL))
    stage.send(echo(PEER, LL))
    stage.forget()
    stage.take(stage.tn2)
    return stage


# -- echo -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("src", "dst", "answer_from"),
    [
        pytest.param(
            PEER_G, GLOBAL, GLOBAL, marks=tahi("Echo_Global", ct=("Echo_Global",)), id="global"
        ),
        pytest.param(
            PEER, LL, LL, marks=tahi("Echo_Link-Local", ct=("Echo_Link-Local",)), id="link-local"
        ),
        pytest.param(
            PEER,
            ALLNODES,
            LL,
            marks=tahi("Echo_Multicast", ct=("Echo_Multicast",)),
            id="all-nodes",
        ),
    ],
)
def test_echo_is_answered_with_the_same_octets(
    stage: Stage, src: str, dst: str, answer_from: str
) -> None:
    data = bytes(range(200))
    stage.send(echo(src, dst, data))
    stage.only(is_("echoreply", src=answer_from, dst=src, data=data, code=0, hlim=64))


@tahi("Echo_Sitelocal")
def test_echo_to_a_site_local_address(stage: Stage) -> None:
    stage.run(f"ifconfig fxp0 inet6 {SITE} prefixlen 64 alias")
    stage.wait(2)
    stage.tn.neighbours["fec0:0:0:1::9"] = PEER_MAC
    stage.send(echo("fec0:0:0:1::9", SITE))
    assert stage.find(is_("echoreply", src=SITE, dst="fec0:0:0:1::9"))


@tahi("Echo_Checksum", ct=("Echo_Checksum",))
def test_echo_with_a_bad_checksum_is_dropped_and_answers_have_a_good_one(stage: Stage) -> None:
    good = echo(PEER_G, GLOBAL)
    stage.send(good[:-1] + bytes((good[-1] ^ 1,)))
    stage.nothing()
    assert stage.drops() == {"ICMP6_CHECKSUM": 1}
    stage.send(good)
    stage.only(is_("echoreply", cksum="good"))


@pytest.mark.parametrize(
    "dst",
    [
        pytest.param("::1", marks=tahi("Echo_Loopback")),
        pytest.param("::", marks=tahi("Echo_Unspecified")),
        pytest.param("ff02::2", marks=tahi("Echo_Multicast_Router"), id="all-routers"),
    ],
)
def test_echo_to_an_address_that_is_not_ours_is_not_answered(stage: Stage, dst: str) -> None:
    stage.send(echo(PEER_G, dst), dmac=MAC)
    stage.nothing()
    stage.conserved()


@tahi("Echo_Request_Link-Local")
def test_a_ping_leaves_from_the_link_local_address(stage: Stage) -> None:
    stage.nut.run(f"ping6 -c 1 -I fxp0 {PEER}%fxp0")
    (sent,) = stage.find(is_("echo", src=LL, dst=PEER, code=0, dmac=PEER_MAC))
    assert sent.facts()["hlim"] == 64


@tahi("Unknown_Infomsg", ct=("Unknown_Infomsg",))
def test_an_unknown_informational_message_is_silently_dropped(stage: Stage) -> None:
    stage.send(icmp6(PEER_G, GLOBAL, bytes((254, 0, 0, 0)) + bytes(8)))
    stage.nothing()
    assert stage.drops() == {"ICMP6_NOSOCKET": 1}


# -- errors of a host -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("src", "dst"),
    [
        pytest.param(
            PEER_G,
            GLOBAL,
            marks=tahi(
                "Dst_Unreach_4_Global",
                "Err_Condition_Port_Unreachable",
                ct=("Dst_Unreach_4_Global",),
            ),
        ),
        pytest.param(
            PEER, LL, marks=tahi("Dst_Unreach_4_Link-Local", ct=("Dst_Unreach_4_Link-Local",))
        ),
    ],
)
def test_udp_port_without_socket(stage: Stage, src: str, dst: str) -> None:
    packet = udp(src, dst, dport=NOBODY)
    stage.send(packet)
    told = stage.only(is_("unreachable", code=4, src=dst, dst=src, param=0))
    assert told.facts()["quoted"] == packet


@pytest.mark.parametrize(
    ("src", "dst"),
    [
        pytest.param(PEER_G, GLOBAL, marks=tahi("P_Problem_Global", ct=("P_Problem_Global",))),
        pytest.param(PEER, LL, marks=tahi("P_Problem_Link-Local", ct=("P_Problem_Link-Local",))),
    ],
)
def test_unknown_next_header_points_to_the_octet_that_names_it(
    stage: Stage, src: str, dst: str
) -> None:
    packet = ip6(src, dst, b"????????", UNKNOWN)
    stage.send(packet)
    told = stage.only(is_("paramproblem", code=1, param=6, src=dst, dst=src))
    assert told.facts()["quoted"] == packet


@pytest.mark.parametrize(
    ("packet", "kind"),
    [
        pytest.param(
            udp(PEER_G, GLOBAL, bytes(1400), NOBODY),
            "unreachable",
            marks=tahi("Err_Msg_Size_Dst_Unreach_4", ct=("Err_Msg_Size_Dst_Unreach_4",)),
        ),
        pytest.param(
            ip6(PEER_G, GLOBAL, bytes(1400), UNKNOWN),
            "paramproblem",
            marks=tahi("Err_Msg_Size_P_Problem", ct=("Err_Msg_Size_P_Problem",)),
        ),
    ],
    ids=["unreachable", "paramproblem"],
)
def test_an_error_quotes_as_much_as_fits_1280_octets(
    stage: Stage, packet: bytes, kind: str
) -> None:
    stage.send(packet)
    told = stage.only(is_(kind, size=1280))
    quoted = told.facts()["quoted"]
    assert isinstance(quoted, bytes) and packet.startswith(quoted)


OPTION = {bits: ext(0, bytes((bits << 6 | 7, 4)) + bytes(4)) for bits in range(4)}


@tahi("P_Problem_Unrecog_Option_Header")
@pytest.mark.parametrize(
    ("bits", "answered"),
    [
        pytest.param(0, True, marks=tahi("P_Problem_Unrecog_Option_00")),
        pytest.param(1, False, marks=tahi("P_Problem_Unrecog_Option_01")),
        pytest.param(
            2,
            False,
            marks=tahi("P_Problem_Unrecog_Option_10", "Err_Condition_Unknown_Option"),
        ),
        pytest.param(3, False, marks=tahi("P_Problem_Unrecog_Option_11")),
    ],
)
def test_unknown_destination_option(stage: Stage, bits: int, answered: bool) -> None:
    stage.send(with_header(echo(PEER_G, GLOBAL), 60, OPTION[bits]))
    if answered:
        stage.only(is_("echoreply"))
    elif bits == 1:
        stage.nothing()
    else:
        stage.only(is_("paramproblem", code=2, param=BASE + 2, dst=PEER_G))


# -- errors that must not be sent (RFC 4443 s.2.4 (e)) --------------------------------------------


@pytest.mark.parametrize(
    ("bits", "told"),
    [
        pytest.param(0, "echoreply", marks=tahi("To_Multi_Unrecog_Option_Header_00")),
        pytest.param(1, "", marks=tahi("To_Multi_Unrecog_Option_Header_01")),
        pytest.param(2, "paramproblem", marks=tahi("To_Multi_Unrecog_Option_Header_10")),
        pytest.param(3, "", marks=tahi("To_Multi_Unrecog_Option_Header_11")),
    ],
)
def test_unknown_option_to_multicast(stage: Stage, bits: int, told: str) -> None:
    stage.send(with_header(echo(PEER, ALLNODES), 60, OPTION[bits]))
    assert [h.facts()["icmp6"] for h in stage.take()] == ([told] if told else [])


@tahi("To_Multi_Dst_Unreach_4", ct=("To_Multi_Dst_Unreach_4",))
def test_udp_to_multicast_is_not_answered(stage: Stage) -> None:
    stage.send(udp(PEER, ALLNODES, dport=NOBODY))
    stage.nothing()


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(
            udp("::", GLOBAL, dport=NOBODY), marks=tahi("Err_Condition_Unspecified_addr"), id="udp"
        ),
        pytest.param(
            with_header(echo("::", GLOBAL), 60, OPTION[2]),
            marks=tahi("Err_Condition_Unspecified_addr_Unknown_Option"),
            id="option",
        ),
    ],
)
def test_the_unspecified_address_gets_no_error(stage: Stage, packet: bytes) -> None:
    stage.send(packet)
    stage.nothing()


def about(kind: int, code: int) -> bytes:
    """An error of this kind to us, behind an option that would need an error itself."""
    inner = error(PEER_G, GLOBAL, kind, code, udp(GLOBAL, PEER_G), 1280 if kind == 2 else 0)
    return with_header(inner, 60, OPTION[2])


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        pytest.param(1, 0, marks=tahi("To_ICMPErr_Dst_Unreach_0")),
        pytest.param(
            1,
            3,
            marks=tahi(
                "To_ICMPErr_Dst_Unreach_3",
                "To_ICMPErr_Dst_Unreach_3_TEx",
                ct=("To_ICMPErr_Dst_Unreach_3",),
            ),
        ),
        pytest.param(
            1, 4, marks=tahi("To_ICMPErr_Dst_Unreach_4", ct=("To_ICMPErr_Dst_Unreach_4",))
        ),
        pytest.param(2, 0, marks=tahi("To_ICMPErr_Packet_Too_Big")),
        pytest.param(
            3,
            0,
            marks=tahi(
                "To_ICMPErr_Time_Exc_Code0", "To_ICMPErr_Time_Exc", ct=("To_ICMPErr_Time_Exc",)
            ),
        ),
        pytest.param(3, 1, marks=tahi("To_ICMPErr_Time_Exc_Code1")),
        pytest.param(4, 0, marks=tahi("To_ICMPErr_Parameter_Problem")),
    ],
)
def test_errors_are_not_answered_by_errors(stage: Stage, rut: Stage, kind: int, code: int) -> None:
    stage.send(about(kind, code))
    stage.nothing()
    assert stage.kern.stats.icmp6["icp6s_canterror"] == 1
    # a router that must drop an error on its way is silent too: no hops left, no route
    for hlim, dst in ((1, "2001:db8:2::9"), (64, FAR)):
        dying = error(PEER_G, dst, kind, code, udp(dst, PEER_G))
        rut.send(dying[:7] + bytes((hlim,)) + dying[8:])
        rut.nothing()


# -- errors of a router ---------------------------------------------------------------------------


@tahi("Dst_Unreach_0_Global", ct=("Dst_Unreach_0_Global",))
def test_no_route(rut: Stage) -> None:
    rut.send(echo(PEER_G, FAR))
    told = rut.only(is_("unreachable", code=0, src=GLOBAL, dst=PEER_G))
    assert told.facts()["quoted"] == echo(PEER_G, FAR, hlim=63)  # it was on its way already


@tahi("Dst_Unreach_2", "destination_unreachable_code_two", ct=("destination_unreachable_code_two",))
def test_source_scope_does_not_reach_the_destination(rut: Stage) -> None:
    rut.send(echo(PEER, "2001:db8:2::9"))
    told = rut.only(is_("unreachable", code=2, dst=PEER))
    assert told.facts()["quoted"] == echo(PEER, "2001:db8:2::9", hlim=63)
    rut.nothing(rut.tn2)


@tahi("Dst_Unreach_3_Global", ct=("Dst_Unreach_3_Global",))
def test_neighbour_that_does_not_answer(rut: Stage) -> None:
    packet = echo(PEER_G, "2001:db8:2::9")
    start = rut.now
    rut.send(packet)
    rut.until(start + 3 * NS - 1)
    rut.nothing()
    rut.until(start + 3 * NS)
    told = rut.only(is_("unreachable", code=3, src=GLOBAL, dst=PEER_G))
    quoted = told.facts()["quoted"]
    assert isinstance(quoted, bytes) and quoted[8:] == packet[8:]
    assert rut.drops() == {"ND6_UNREACH": 1}


@pytest.mark.parametrize(
    "hlim",
    [
        pytest.param(0, marks=tahi("Time_Exc_0")),
        pytest.param(1, marks=tahi("Time_Exc_1", "Err_Condition_Hop_Limit_Exc")),
    ],
)
def test_hop_limit_runs_out(rut: Stage, hlim: int) -> None:
    packet = echo(PEER_G, "2001:db8:2::9", hlim=hlim)
    rut.send(packet)
    told = rut.only(is_("timeexceeded", code=0, param=0, src=GLOBAL, dst=PEER_G))
    assert told.facts()["quoted"] == packet
    assert rut.drops() == {"IP6_HLIM": 1}


@tahi("Err_Condition_Unspecified_addr_Hop_Limit", "To_Multi_Hop_Limit_Exc")
@pytest.mark.parametrize(("src", "dst"), [("::", "2001:db8:2::9"), (PEER_G, "ff0e::9")])
def test_hop_limit_error_is_not_sent_to_nobody_or_about_multicast(
    rut: Stage, src: str, dst: str
) -> None:
    rut.send(echo(src, dst, hlim=1))
    rut.nothing()


# -- how many -------------------------------------------------------------------------------------


def errors(stage: Stage, n: int) -> int:
    """Ask for n errors now; how many came."""
    for _ in range(n):
        stage.send(udp(PEER_G, GLOBAL, dport=NOBODY))
    return len(stage.find(is_("unreachable")))


def test_a_hundred_errors_a_second_and_no_more_until_the_second_is_over(stage: Stage) -> None:
    start = stage.now
    assert errors(stage, 150) == 100
    assert stage.kern.stats.icmp6["icp6s_toofreq"] == 50
    stage.until(start + NS - 1)
    stage.take()
    assert errors(stage, 10) == 0
    stage.until(start + NS)
    assert errors(stage, 10) == 10
    stage.conserved()


@pytest.mark.parametrize(("limit", "sent"), [(-1, 300), (0, 0), (7, 7)])
def test_the_limit_is_a_sysctl_and_negative_means_none(stage: Stage, limit: int, sent: int) -> None:
    stage.run(f"sysctl -w net.inet6.icmp6.errppslimit={limit}")
    assert errors(stage, 300) == sent


@pytest.mark.tahi("ct/robust:FloodPing")
def test_a_flood_of_pings_is_answered_all_of_it(stage: Stage) -> None:
    for _ in range(1000):
        stage.send(echo(PEER_G, GLOBAL, bytes(100)))
    assert len(stage.find(is_("echoreply"))) == 1000


@pytest.mark.tahi("ct/robust:FromManyNodes")
def test_pings_of_many_nodes(stage: Stage) -> None:
    many = [f"2001:db8:1::{i:x}" for i in range(0x1000, 0x1000 + 500)]
    stage.tn.neighbours |= dict.fromkeys(many, PEER_MAC)
    for who in many:
        stage.send(echo(who, GLOBAL))
    assert len(stage.find(is_("echoreply"))) == 500


def test_redirects_share_the_limit(rut: Stage) -> None:
    rut.run(f"route add -inet6 2001:db8:f:: -prefixlen 48 {ROUTER2}%fxp0")
    rut.run("sysctl -w net.inet6.icmp6.errppslimit=3")
    rut.send(echo(PEER_G, FAR))
    rut.wait(2)
    rut.forget()
    for _ in range(5):
        rut.send(echo(PEER_G, FAR))
    heard = rut.take()
    assert len(rut.find(is_("redirect"), heard)) == 3
    assert len(rut.find(is_("echo"), heard)) == 5


def test_a_router_answers_from_the_address_the_packet_was_sent_to(rut: Stage) -> None:
    rut.tn.neighbours[ROUTER] = ROUTER_MAC
    rut.send(echo(PEER_G, GLOBAL2))
    rut.only(is_("echoreply", src=GLOBAL2, dst=PEER_G))
