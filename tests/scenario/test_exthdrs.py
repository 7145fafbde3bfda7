# SPDX-License-Identifier: BSD-3-Clause
"""The IPv6 header and its extension headers, at an end node and through a router (RFC 8200)."""

from __future__ import annotations

import pytest

from kame_py.netinet6.route6 import rthdr0_enable
from kame_py.wire.ip6ext import build_rthdr0, padding
from tests.scenario.tester import (
    ALLNODES,
    GLOBAL,
    GLOBAL2,
    LL,
    PEER,
    PEER_G,
    PEER_MAC,
    PEER_MAC2,
    Stage,
)
from tests.scenario.words import (
    BASE,
    addr,
    echo,
    ext,
    fragments,
    ip6,
    is_,
    with_header,
)

SPEC = "Self_Test/spec.p2:"
CT = "ct/spec:"
THERE = "2001:db8:2::9"  # on the other link of the router
HOPOPTS, ROUTING, NONE, DSTOPTS = 0, 43, 59, 60
UNKNOWN = (138, 200, 252)
PING = echo(PEER_G, GLOBAL)
PING2 = echo(PEER_G, THERE)


def tahi(*names: str, ct: bool = True, only: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """spec.p2 tests, those of ct/spec under the same names if ``ct``, and ``only`` spec.p2."""
    ids = [SPEC + n for n in (*names, *only)]
    return pytest.mark.tahi(*ids, *(CT + n for n in names if ct))


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
    """A router between two links; the neighbours on both are known."""
    stage = Stage(router=True, links=2, globals_=True)
    stage.tn.neighbours |= {PEER_G: PEER_MAC, PEER: PEER_MAC}
    stage.tn2.neighbours[THERE] = PEER_MAC2
    stage.send(echo(PEER_G, GLOBAL))
    stage.send(PING2)
    stage.forget()
    stage.take(stage.tn2)
    return stage


def passes(rut: Stage, packet: bytes) -> bytes:
    """The packet went through the router; what came out, which lost one hop and nothing else."""
    rut.send(packet)
    rut.nothing()
    (out,) = rut.take(rut.tn2)
    assert out.packet == packet[:7] + bytes((packet[7] - 1,)) + packet[8:]
    assert out.dmac == PEER_MAC2
    return out.packet


# -- the IPv6 header ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [pytest.param(v) for v in (0, 4, 5, 7, 15)])
@tahi("IH_BadIPv6Ver", only=("IP_Version",))
def test_other_versions_are_silently_dropped(stage: Stage, version: int) -> None:
    stage.send(bytes((version << 4,)) + PING[1:])
    stage.nothing()
    assert stage.drops() == {"IP6_BADVERS": 1}
    stage.send(PING)
    stage.only(is_("echoreply"))


FLOWS = [
    pytest.param(0x20 << 20, id="class", marks=tahi("TC_NonZeroToHost", only=("IP_TC_NonZeroEN",))),
    pytest.param(0x34567, id="label", marks=tahi("FL_NonZeroToHost", only=("IP_FL_NonZeroEN",))),
]


@pytest.mark.parametrize("flow", FLOWS)
def test_traffic_class_and_flow_label_do_not_matter_to_a_host(stage: Stage, flow: int) -> None:
    stage.send(ip6(PEER_G, GLOBAL, PING[BASE:], 58, flow=flow))
    stage.only(is_("echoreply"))


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(
            PING2,
            marks=tahi("PingOverRouter", only=("v6LC_1_1_10_A", "IP_HL_DecrementIN")),
            id="ping",
        ),
        pytest.param(
            ip6(PEER_G, THERE, PING2[BASE:], 58, flow=0x20 << 20),
            marks=tahi("TC_NonZeroOverRouter", only=("IP_TC_NonZeroIN",)),
            id="class",
        ),
        pytest.param(
            ip6(PEER_G, THERE, PING2[BASE:], 58, flow=0x34567),
            marks=tahi("FL_NonZeroOverRouter", only=("IP_FL_NonZeroIN",)),
            id="label",
        ),
        pytest.param(
            echo(PEER_G, THERE, b"odd"),
            marks=tahi("PL_OddOverRouter", only=("v6LC_1_1_5_B",)),
            id="odd",
        ),
        pytest.param(
            ip6(PEER_G, THERE, b"?", NONE),
            marks=tahi("IH_NoNextHeader", only=("IP_NH_NoneIN",)),
            id="no-next-header",
        ),
        pytest.param(
            with_header(ip6(PEER_G, THERE, b"?", NONE), DSTOPTS, ext(0, padding(6))),
            marks=tahi("EX_NH_NoneIN", ct=False),
            id="no-next-header-behind-options",
        ),
        pytest.param(
            with_header(ip6(PEER_G, THERE, b"????????", 138), DSTOPTS, ext(0, padding(6))),
            marks=tahi("EX_NH_UnrecognizedIN", ct=False),
            id="unknown",
        ),
        pytest.param(
            with_header(PING2, ROUTING, b"\0\0" + bytes((33, 1)) + bytes(4)),
            marks=tahi("R_UnrecognizedRoutingTypeIN", ct=False),
            id="routing-33",
        ),
        pytest.param(
            with_header(PING2, ROUTING, build_rthdr0(0, [addr(THERE)], 1)),
            marks=tahi("R_UnrecognizedRoutingTypeIN_RH0", ct=False),
            id="routing-0",
        ),
    ],
)
def test_router_passes_it_unchanged_but_for_the_hop_limit(rut: Stage, packet: bytes) -> None:
    passes(rut, packet)
    assert rut.kern.stats.ip6["ip6s_forward"] == 1


@tahi("PingToHost", "PL_OddToHost", only=("IP_PL_Even", "IP_PL_Odd"))
@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 101])
def test_pings_of_any_length_are_answered(stage: Stage, size: int) -> None:
    stage.send(echo(PEER_G, GLOBAL, bytes(size)))
    stage.only(is_("echoreply", data=bytes(size)))


@tahi("HL_ZeroToHost", only=("IP_HL_ZeroEN",))
def test_hop_limit_zero_is_good_enough_for_the_destination(stage: Stage) -> None:
    stage.send(echo(PEER_G, GLOBAL, hlim=0))
    stage.only(is_("echoreply"))


@pytest.mark.parametrize(
    "hlim",
    [pytest.param(1, marks=tahi("HL_OneToRouter")), pytest.param(0, marks=tahi("HL_ZeroToRouter"))],
)
def test_hop_limit_ends_at_the_router(rut: Stage, hlim: int) -> None:
    rut.send(echo(PEER_G, THERE, hlim=hlim))
    rut.only(is_("timeexceeded", code=0))
    rut.nothing(rut.tn2)


@tahi("IH_BadIPv6Len")
def test_payload_length_beyond_the_packet(stage: Stage) -> None:
    stage.send(ip6(PEER_G, GLOBAL, PING[BASE:], 58, plen=len(PING) - BASE + 1))
    stage.nothing()
    assert stage.drops() == {"IP6_TOOSHORT": 1}


@pytest.mark.parametrize("nxt", UNKNOWN)
@tahi("IH_UnrecognizedNextHeader", only=("IP_NH_Unrecognized",))
def test_unknown_next_header_of_the_ipv6_header(stage: Stage, nxt: int) -> None:
    packet = ip6(PEER_G, GLOBAL, b"????????", nxt)
    stage.send(packet)
    told = stage.only(is_("paramproblem", code=1, param=6))
    assert told.facts()["quoted"] == packet
    stage.send(PING)
    stage.only(is_("echoreply"))


@tahi("IH_UnrecognizedNxtHdrFlood")
def test_many_unknown_next_headers_get_a_hundred_answers_a_second(stage: Stage) -> None:
    for i in range(300):
        stage.send(ip6(PEER_G, GLOBAL, b"????????", UNKNOWN[i % 3]))
    assert len(stage.find(is_("paramproblem"))) == 100
    stage.send(PING)
    stage.only(is_("echoreply"))


@tahi("IP_NH_NoneEN", "EX_NH_NoneEN", ct=False)
@pytest.mark.parametrize("behind", [False, True])
def test_no_next_header_ends_quietly(stage: Stage, behind: bool) -> None:
    packet = ip6(PEER_G, GLOBAL, b"?", NONE)
    stage.send(with_header(packet, DSTOPTS, ext(0, padding(6))) if behind else packet)
    stage.nothing()


@tahi("IP_NH_Unexpected", "EX_NH_UnexpectedEN", "EX_NH_Zero", ct=False)
@tahi("EH_HBHOptAfterDstOpt")
def test_hop_by_hop_options_anywhere_but_first_are_an_unknown_header(stage: Stage) -> None:
    hopopts = ext(0, padding(6))
    packet = with_header(with_header(PING, HOPOPTS, hopopts), DSTOPTS, ext(0, padding(6)))
    stage.send(packet)
    stage.only(is_("paramproblem", code=1, param=BASE))


@pytest.mark.parametrize("nxt", UNKNOWN)
@tahi("EH_UnrecognizedNextHeader", only=("EX_NH_UnrecognizedEN",))
def test_unknown_next_header_of_an_extension_header(stage: Stage, nxt: int) -> None:
    packet = with_header(ip6(PEER_G, GLOBAL, b"????????", nxt), DSTOPTS, ext(0, padding(6)))
    stage.send(packet)
    stage.only(is_("paramproblem", code=1, param=BASE))


@tahi("DH_UnrecognizedNxtHdrFlood", "DH_UnrecognizedNxtHdrFlood2")
def test_many_unknown_next_headers_behind_options(stage: Stage) -> None:
    for i in range(300):
        packet = ip6(PEER_G, GLOBAL, bytes(i), UNKNOWN[i % 3])
        stage.send(with_header(packet, DSTOPTS, ext(0, padding(6))))
    assert len(stage.find(is_("paramproblem"))) == 100
    stage.conserved()


# -- options --------------------------------------------------------------------------------------


def option(bits: int, kind: int = 7) -> bytes:
    """An unknown option whose two highest bits say what to do with the packet."""
    return bytes((bits << 6 | kind, 4)) + bytes(4)


PAD1 = bytes(6)
PADN = padding(6)


@pytest.mark.parametrize("kind", [HOPOPTS, DSTOPTS])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            PAD1,
            marks=tahi("HH_Pad1", "DH_Pad1", only=("HHO_Pad1_EN", "DO_Pad1")),
            id="pad1",
        ),
        pytest.param(
            PADN,
            marks=tahi("HH_PadN", "DH_PadN", only=("HHO_PadN_EN", "DO_PadN")),
            id="padn",
        ),
        pytest.param(
            option(0),
            marks=tahi("HH_Type00", "DH_Type00", only=("HHO_MSB00_EN", "DO_MSB00")),
            id="skip",
        ),
    ],
)
def test_options_to_skip(stage: Stage, kind: int, body: bytes) -> None:
    stage.send(with_header(PING, kind, ext(0, body)))
    stage.only(is_("echoreply"))


@pytest.mark.parametrize("kind", [HOPOPTS, DSTOPTS])
@pytest.mark.parametrize("dst", ["unicast", "multicast"])
@pytest.mark.parametrize(
    ("bits", "told"),
    [
        pytest.param(
            1,
            (),
            marks=tahi("HH_Type01", "DH_Type01", only=("HHO_MSB01_EN", "DO_MSB01")),
        ),
        pytest.param(
            2,
            ("unicast", "multicast"),
            marks=tahi(
                "HH_Type10",
                "DH_Type10",
                "HH_Type10toMC",
                "DH_Type10toMC",
                only=("HHO_MSB10_EN", "HHO_MSB10mc_EN", "DO_MSB10", "DO_MSB10mc"),
            ),
        ),
        pytest.param(
            3,
            ("unicast",),
            marks=tahi(
                "HH_Type11",
                "DH_Type11",
                "HH_Type11toMC",
                "DH_Type11toMC",
                only=("HHO_MSB11_EN", "HHO_MSB11mc_EN", "DO_MSB11", "DO_MSB11mc"),
            ),
        ),
    ],
)
def test_options_to_drop(
    stage: Stage, kind: int, dst: str, bits: int, told: tuple[str, ...]
) -> None:
    ping = PING if dst == "unicast" else echo(PEER, ALLNODES)
    packet = with_header(ping, kind, ext(0, option(bits)))
    stage.send(packet)
    if dst in told:
        answer = [h for h in stage.tn.frames if h.facts()["icmp6"] == "paramproblem"]
        assert [(h.facts()["code"], h.facts()["param"]) for h in answer] == [(2, BASE + 2)]
        assert answer[0].facts()["quoted"] == packet
    assert len(stage.take()) == (dst in told)


@pytest.mark.parametrize(
    ("bits", "told"),
    [
        pytest.param(1, False, marks=tahi("EX_OptProcessingOrder_01", ct=False)),
        pytest.param(2, True, marks=tahi("EX_OptProcessingOrder_10", ct=False)),
        pytest.param(3, True, marks=tahi("EX_OptProcessingOrder_11", ct=False)),
    ],
)
def test_options_are_looked_at_in_order(stage: Stage, bits: int, told: bool) -> None:
    body = option(0) + option(bits) + option(3 if bits == 1 else 1) + padding(4)
    stage.send(with_header(PING, DSTOPTS, ext(0, body)))
    if told:
        stage.only(is_("paramproblem", code=2, param=BASE + 8))
    else:
        stage.nothing()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(PAD1, None, marks=tahi("HHO_Pad1_IN", ct=False), id="pad1"),
        pytest.param(PADN, None, marks=tahi("HHO_PadN_IN", ct=False), id="padn"),
        pytest.param(option(0), None, marks=tahi("HHO_MSB00_IN", ct=False), id="skip"),
        pytest.param(option(1), False, marks=tahi("HHO_MSB01_IN", ct=False), id="drop"),
        pytest.param(option(2), True, marks=tahi("HHO_MSB10_IN", ct=False), id="tell"),
        pytest.param(option(3), True, marks=tahi("HHO_MSB11_IN", ct=False), id="tell-unicast"),
    ],
)
def test_router_looks_at_hop_by_hop_options(rut: Stage, body: bytes, told: bool | None) -> None:
    packet = with_header(PING2, HOPOPTS, ext(0, body))
    if told is None:
        rut.send(packet)
        assert len([h for h in rut.tn2.frames if h.ip6.ip6_dst == addr(THERE)]) == 1
        return
    rut.send(packet)
    assert not [h for h in rut.tn2.frames if h.ip6.ip6_dst == addr(THERE)]
    if told:
        rut.only(is_("paramproblem", code=2, param=BASE + 2, dst=PEER_G))
    else:
        rut.nothing()


@pytest.mark.parametrize("bits", [0, 1, 2, 3])
def test_router_does_not_look_at_destination_options(rut: Stage, bits: int) -> None:
    passes(rut, with_header(PING2, DSTOPTS, ext(0, option(bits))))


@tahi("HHO_MSB10mc_IN", "HHO_MSB11mc_IN", ct=False)
@pytest.mark.parametrize(("bits", "told"), [(2, 1), (3, 0)])
def test_router_and_a_multicast_packet_with_an_option_to_tell(
    rut: Stage, bits: int, told: int
) -> None:
    rut.send(with_header(echo(PEER_G, ALLNODES), HOPOPTS, ext(0, option(bits))))
    assert len(rut.find(is_("paramproblem", code=2))) == told
    rut.nothing(rut.tn2)


@pytest.mark.parametrize("kind", [HOPOPTS, DSTOPTS])
@tahi("HH_BadHdrExtLen", "DH_BadHdrExtLen")
def test_extension_header_longer_than_the_packet(stage: Stage, kind: int) -> None:
    stage.send(with_header(PING, kind, bytes((0, 200)) + padding(6)))
    stage.nothing()
    assert sum(stage.drops().values()) == 1


@pytest.mark.parametrize("kind", [HOPOPTS, DSTOPTS])
@tahi("HH_BadOptDataLen", "DH_BadOptDataLen")
def test_option_longer_than_its_header(stage: Stage, kind: int) -> None:
    stage.send(with_header(PING, kind, ext(0, bytes((7, 60)) + bytes(4))))
    assert not stage.find(is_("echoreply"))
    assert stage.drops() == {"IP6_OPTLEN": 1}


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(
            bytes((0, 200)) + padding(6), marks=tahi("HH_BadHdrExtLenOverRouter"), id="header"
        ),
        pytest.param(
            ext(0, bytes((7, 60)) + bytes(4)), marks=tahi("HH_BadOptDataLenOverRouter"), id="option"
        ),
    ],
)
def test_router_does_not_pass_bad_hop_by_hop_options(rut: Stage, header: bytes) -> None:
    rut.send(with_header(PING2, HOPOPTS, header))
    rut.nothing(rut.tn2)
    rut.conserved()


@pytest.mark.parametrize("kind", [HOPOPTS, DSTOPTS])
@tahi("HH_PadFlood", "DH_PadFlood", "DH_Flood")
def test_a_header_full_of_options(stage: Stage, kind: int) -> None:
    for body in (bytes(254), padding(2) * 127, option(0) * 42 + padding(2)):
        stage.send(with_header(PING, kind, ext(0, body)))
    assert len(stage.find(is_("echoreply"))) == 3


@tahi("HH_PadFloodOverRouter")
def test_a_router_and_a_header_full_of_padding(rut: Stage) -> None:
    rut.send(with_header(PING2, HOPOPTS, ext(0, bytes(254))))
    assert len([h for h in rut.tn2.frames if h.ip6.ip6_dst == addr(THERE)]) == 1


# -- the order of headers -------------------------------------------------------------------------


@tahi("EX_HdrProcessingOrder_HDF_10M", ct=False)
def test_options_in_front_of_the_fragment_header_are_looked_at_first(stage: Stage) -> None:
    bad = fragments(echo(PEER_G, GLOBAL, bytes(64)), 24)[0]
    short = bad[:-1]
    packet = with_header(_replen(short), DSTOPTS, ext(0, option(2)))
    stage.send(packet)
    stage.only(is_("paramproblem", code=2, param=BASE + 2))


@tahi("EX_HdrProcessingOrder_HDF_00M", "EX_HdrProcessingOrder_HFD_M10", ct=False)
@pytest.mark.parametrize("inside", [False, True])
def test_the_fragment_header_is_looked_at_before_what_is_behind_it(
    stage: Stage, inside: bool
) -> None:
    whole = echo(PEER_G, GLOBAL, bytes(64))
    if inside:
        whole = with_header(whole, DSTOPTS, ext(0, option(2)))
    short = _replen(fragments(whole, 32)[0][:-1])
    stage.send(short if inside else with_header(short, DSTOPTS, ext(0, option(0))))
    stage.only(is_("paramproblem", code=0, param=4))


@tahi("EX_HdrProcessingOrder_HFD_10", ct=False)
def test_options_behind_the_fragment_header_wait_for_the_whole_datagram(stage: Stage) -> None:
    whole = with_header(echo(PEER_G, GLOBAL, bytes(64)), DSTOPTS, ext(0, option(2)))
    first, last = fragments(whole, 32)
    stage.send(first)
    stage.nothing()
    stage.send(last)
    stage.only(is_("paramproblem", code=2, dst=PEER_G))


def _replen(packet: bytes) -> bytes:
    """The packet with its true payload length."""
    return packet[:4] + (len(packet) - BASE).to_bytes(2, "big") + packet[6:]


# -- routing headers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            33, marks=tahi("RH_RoutingTypeNonZero", only=("R_UnrecognizedRoutingTypeEN",))
        ),
        pytest.param(0, marks=tahi("R_UnrecognizedRoutingTypeEN_RH0", ct=False)),
    ],
)
@pytest.mark.parametrize("left", [0, 1])
def test_routing_types_nobody_serves(stage: Stage, kind: int, left: int) -> None:
    """RFC 8200 s.4.4: skipped without segments left, refused with some; RFC 5095 for type 0."""
    packet = with_header(PING, ROUTING, bytes((0, 2, kind, left)) + bytes(4) + addr(THERE))
    stage.send(packet)
    if left:
        stage.only(is_("paramproblem", code=0, param=BASE + 2))
    else:
        stage.only(is_("echoreply"))


def routed(dst: str, *hops: str, left: int | None = None) -> bytes:
    """A ping with a type 0 routing header, whose checksum is made for the last hop."""
    segleft = len(hops) if left is None else left
    final = hops[-1] if segleft else dst
    header = build_rthdr0(0, [addr(h) for h in hops], segleft)
    packet = with_header(echo(PEER_G, final), ROUTING, header)
    return packet[:24] + addr(dst) + packet[BASE:]


@pytest.fixture
def old(rut: Stage) -> Stage:
    """A router that serves type 0, as KAME did."""
    rthdr0_enable(rut.kern, 1)
    return rut


@tahi("RH_IntermediateNode")
def test_type_0_goes_on_to_the_next_address(old: Stage) -> None:
    old.send(routed(GLOBAL, THERE))
    (out,) = old.take(old.tn2)
    assert out.packet[24:BASE] == addr(THERE)
    assert out.packet[BASE + 8 : BASE + 24] == addr(GLOBAL)
    assert (out.packet[BASE + 3], out.ip6.ip6_hlim) == (0, 63)


@tahi("RH_ToDestinationNode")
def test_type_0_that_arrived_is_skipped(old: Stage) -> None:
    old.send(routed(GLOBAL, "2001:db8:7::1", left=0))
    assert old.find(is_("echoreply", src=GLOBAL, dst=PEER_G))


@tahi("RH_DuplicateAddress", "RH_AddressLoop")
def test_type_0_may_name_an_address_of_ours_twice_and_costs_a_hop_each_time(old: Stage) -> None:
    old.send(routed(GLOBAL, GLOBAL2, GLOBAL, GLOBAL2, THERE))
    (out,) = old.take(old.tn2)
    assert out.ip6.ip6_hlim == 60


@pytest.mark.parametrize(
    ("packet", "param"),
    [
        pytest.param(
            with_header(PING, ROUTING, bytes((0, 3, 0, 1)) + bytes(28)),
            BASE + 1,
            marks=tahi("RH_HdrExtLenOdd"),
            id="odd",
        ),
        pytest.param(
            routed(GLOBAL, THERE, left=2), BASE + 3, marks=tahi("RH_SegmentsLeftBig"), id="left"
        ),
    ],
)
def test_type_0_with_wrong_numbers(old: Stage, packet: bytes, param: int) -> None:
    old.send(packet)
    old.only(is_("paramproblem", code=0, param=param))


@tahi("RH_MulticastAddress", only=("R_Processing_DstMC_EN",))
def test_type_0_does_not_go_to_multicast(old: Stage) -> None:
    old.send(routed(GLOBAL, "ff0e::1"))
    old.nothing()
    old.nothing(old.tn2)
    assert old.drops() == {"ROUTE6_ADDR": 1}


@tahi("RH_BadHdrExtLen")
def test_routing_header_longer_than_the_packet(old: Stage) -> None:
    old.send(with_header(PING, ROUTING, bytes((0, 200, 0, 1)) + bytes(4)))
    assert not old.find(is_("echoreply"))
    old.nothing(old.tn2)


# -- what a router passes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("src", "dst"),
    [
        pytest.param("::", THERE, marks=tahi("v6LC_1_1_10_C", ct=False), id="from-unspecified"),
        pytest.param(PEER_G, "::1", marks=tahi("v6LC_1_1_10_D", ct=False), id="to-loopback"),
        pytest.param(PEER, THERE, marks=tahi("v6LC_1_1_10_E", ct=False), id="from-link-local"),
        pytest.param(PEER_G, "fe80::9", marks=tahi("v6LC_1_1_10_F", ct=False), id="to-link-local"),
        pytest.param(
            PEER_G, "ff02::1:9", marks=tahi("v6LC_1_1_10_I", ct=False), id="link-multicast"
        ),
    ],
)
def test_router_does_not_pass(rut: Stage, src: str, dst: str) -> None:
    rut.tn.send(echo(src, dst), PEER_MAC, rut.ifp.if_hwaddr)
    rut.settle()
    rut.nothing(rut.tn2)
    rut.conserved()


@tahi("v6LC_1_1_10_G", ct=False)
def test_router_passes_site_local_addresses(rut: Stage) -> None:
    rut.run("ifconfig fxp1 inet6 fec0:0:0:2::77 prefixlen 64 alias")
    rut.tn2.neighbours["fec0:0:0:2::9"] = PEER_MAC2
    rut.wait(2)
    rut.send(echo(PEER_G, "fec0:0:0:2::9"))
    assert rut.find(is_("echo", dst="fec0:0:0:2::9", hlim=63), rut.take(rut.tn2))


@tahi("v6LC_1_1_10_B", ct=False)
def test_router_passes_to_a_prefix_that_ends_in_zeros(rut: Stage) -> None:
    rut.run("ifconfig fxp1 inet6 2001:db8::77 prefixlen 64 alias")
    rut.tn2.neighbours["2001:db8::9"] = PEER_MAC2
    rut.wait(2)
    rut.send(echo(PEER_G, "2001:db8::9"))
    assert rut.find(is_("echo", dst="2001:db8::9", hlim=63), rut.take(rut.tn2))


@pytest.mark.parametrize(
    "plen",
    [
        pytest.param(65, marks=tahi("v6LC_1_1_11_A", ct=False)),
        pytest.param(96, marks=tahi("v6LC_1_1_11_B", ct=False)),
        pytest.param(127, marks=tahi("v6LC_1_1_11_C", ct=False)),
    ],
)
def test_router_knows_routes_longer_than_64_bits(rut: Stage, plen: int) -> None:
    rut.run(f"route add -inet6 2001:db8:5:: -prefixlen {plen} {THERE}")
    rut.send(echo(PEER_G, "2001:db8:5::1"))
    assert rut.find(is_("echo", dst="2001:db8:5::1", dmac=PEER_MAC2), rut.take(rut.tn2))
    beyond = "2001:db8:5:0:8000::1" if plen == 65 else "2001:db8:5::1:0:2"
    rut.take()
    rut.send(echo(PEER_G, beyond))
    rut.only(is_("unreachable", code=0))
