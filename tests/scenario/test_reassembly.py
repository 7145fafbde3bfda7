# SPDX-License-Identifier: BSD-3-Clause
"""Fragments and their reassembly (RFC 8200 s.4.5, RFC 5722, RFC 7112), seen from the link."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.conf import KernConf
from kame_py.wire.codecs import Icmp6Hdr
from kame_py.wire.const import ND_NEIGHBOR_ADVERT
from kame_py.wire.ip6ext import build_rthdr0
from tests.scenario.tester import (
    ALLNODES,
    GLOBAL,
    LL,
    PEER,
    PEER_G,
    PEER_MAC,
    ROUTER,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import (
    BASE,
    UNKNOWN_OPTION,
    Heard,
    addr,
    atomic,
    echo,
    ext,
    fragment,
    fragments,
    ip6,
    is_,
    ns,
    ra,
    udp,
    with_header,
)

SPEC = "Self_Test/spec.p2:"
CT = "ct/spec:"
LIFE_S = 60
DATA = bytes(range(256)) * 4  # 1024 octets
WHOLE = echo(PEER_G, GLOBAL, DATA)
SIZE = len(WHOLE) - BASE


def tahi(*names: str, ct: str = "", icmp: str = "") -> pytest.MarkDecorator:
    ids = [SPEC + n for n in names]
    ids += [CT + ct] if ct else []
    if icmp:
        ids += [f"Self_Test/icmp.p2:{icmp}"]
    return pytest.mark.tahi(*ids)


@pytest.fixture
def stage() -> Stage:
    """A host whose neighbours answer."""
    stage = Stage(globals_=True)
    stage.tn.neighbours |= {PEER_G: PEER_MAC, PEER: PEER_MAC, "2001:db8:1::8": PEER_MAC}
    for who, ours in ((PEER_G, GLOBAL), (PEER, LL), ("2001:db8:1::8", GLOBAL)):
        stage.send(echo(who, ours))
    stage.forget()
    return stage


def replies(stage: Stage) -> list[Heard]:
    return stage.find(is_("echoreply"))


# -- order ----------------------------------------------------------------------------------------

A, B = (
    fragments(echo(PEER_G, GLOBAL, data), 512, ident=i)
    for i, data in ((1, b"a" * 900), (2, b"b" * 900))
)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((0, 1, 2), marks=tahi("FH_Normal", "F_Reassembly_Valid", ct="FH_Normal")),
        pytest.param((2, 1, 0), marks=tahi("FH_Reverse", "F_Reassembly_reverse", ct="FH_Reverse")),
        (1, 2, 0),
        (0, 2, 1),
    ],
)
def test_fragments_in_any_order_become_the_datagram(stage: Stage, order: tuple[int, ...]) -> None:
    pieces = fragments(WHOLE, 400, 800)
    for i in order[:-1]:
        stage.send(pieces[i])
        stage.nothing()
    stage.send(pieces[order[-1]])
    stage.only(is_("echoreply", src=GLOBAL, dst=PEER_G, data=DATA))
    assert stage.kern.stats.nonzero() == {
        "ip6.ip6s_delivered": 3,  # to the upper layers of this node: each fragment is
        "ip6.ip6s_fragments": 3,
        "ip6.ip6s_localout": 1,
        "ip6.ip6s_reassembled": 1,
        "ip6.ip6s_total": 3,
        "icmp6.icp6s_reflect": 1,
    }
    stage.conserved()


@pytest.mark.parametrize(
    "mix",
    [
        pytest.param(
            f"A{a}B{b}A{c}B{d}", marks=tahi(f"FH_MixA{a}B{b}A{c}B{d}", ct=f"FH_MixA{a}B{b}A{c}B{d}")
        )
        for a, b, c, d in ((1, 1, 2, 2), (1, 2, 2, 1), (2, 1, 1, 2), (2, 2, 1, 1))
    ],
)
def test_two_datagrams_at_once_do_not_mix(stage: Stage, mix: str) -> None:
    for which, number in zip(mix[::2], mix[1::2], strict=True):
        stage.send((A if which == "A" else B)[int(number) - 1])
    assert sorted(str(h.facts()["data"]) for h in replies(stage)) == [
        str(b"a" * 900),
        str(b"b" * 900),
    ]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        pytest.param(
            fragments(echo("2001:db8:1::8", GLOBAL, DATA), 512)[1],
            "source",
            marks=tahi("F_Reassembly_src"),
        ),
        pytest.param(
            fragments(echo(PEER_G, LL, DATA), 512)[1], "destination", marks=tahi("F_Reassembly_dst")
        ),
        pytest.param(
            fragments(WHOLE, 512, ident=2)[1], "identification", marks=tahi("F_Reassembly_FID")
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_fragments_that_differ_are_of_different_datagrams(
    stage: Stage, other: bytes, why: str
) -> None:
    stage.send(fragments(WHOLE, 512)[0])
    stage.send(other)
    stage.nothing()
    assert len(stage.kern.frag6.queues) == 2


@tahi("F_Reassembly_1500")
def test_a_datagram_of_1500_octets_is_put_together(stage: Stage) -> None:
    whole = echo(PEER_G, GLOBAL, bytes(1500 - BASE - 8))
    for piece in fragments(whole, 1200):
        stage.send(piece)
    stage.only(is_("echoreply", size=1500))


@pytest.mark.parametrize(
    ("src", "dst"),
    [
        pytest.param(PEER, LL, marks=tahi("F_Stub")),
        pytest.param(PEER_G, GLOBAL, marks=tahi("F_Stub_g", "FH_Needless", ct="FH_Needless")),
    ],
)
def test_an_atomic_fragment_is_a_datagram_by_itself(stage: Stage, src: str, dst: str) -> None:
    stage.send(fragments(echo(src, dst, DATA), 512)[0])  # one under way with the same key
    stage.send(atomic(echo(src, dst, DATA)))
    stage.only(is_("echoreply", src=dst, dst=src, data=DATA))
    assert len(stage.kern.frag6.queues) == 1


# -- time -----------------------------------------------------------------------------------------


@tahi("F_TX_intime")
def test_the_last_fragment_may_come_a_nanosecond_before_sixty_seconds(stage: Stage) -> None:
    first, last = fragments(WHOLE, 512)
    stage.send(first)
    stage.until(stage.now + LIFE_S * NS - 1)
    stage.take()
    stage.send(last)
    stage.wait(1)
    assert replies(stage)


@tahi("F_TX_expire", "F_TX_only1st", "FH_1stOnly", ct="FH_1stOnly", icmp="Time_Exc_Global")
@pytest.mark.tahi("ct/icmp:Time_Exc_Global", "Self_Test/icmp.p2:Err_Condition_Time_Exc")
def test_after_sixty_seconds_the_source_hears_time_exceeded_with_the_first_fragment(
    stage: Stage,
) -> None:
    first, last = fragments(WHOLE, 512)
    start = stage.now
    stage.send(first)
    stage.until(start + LIFE_S * NS - 1)
    assert not stage.find(is_("timeexceeded"))
    stage.wait(2)  # the neighbour is asked again by then
    (told,) = stage.find(is_("timeexceeded", code=1, src=GLOBAL, dst=PEER_G, param=0))
    assert told.facts()["quoted"] == first
    assert stage.kern.frag6.queues == {}
    stage.take()
    stage.send(last)
    stage.nothing()
    assert stage.drops() == {"FRAG6_TIMEOUT": 1}


@pytest.mark.tahi("Self_Test/icmp.p2:Err_Msg_Size_Time_Exc", "ct/icmp:Err_Msg_Size_Time_Exc")
def test_time_exceeded_is_no_larger_than_1280_octets(stage: Stage) -> None:
    stage.send(fragments(echo(PEER_G, GLOBAL, bytes(2000)), 1400)[0])
    stage.wait(LIFE_S + 2)
    assert stage.find(is_("timeexceeded", code=1, size=1280))


@tahi("v6LC_1_3_2_D", icmp="Time_Exc_Link-Local")
@pytest.mark.tahi("ct/icmp:Time_Exc_Link-Local")
def test_time_exceeded_to_a_link_local_source(stage: Stage) -> None:
    first, _ = fragments(echo(PEER, LL, DATA), 512)
    stage.send(first)
    stage.wait(LIFE_S + 1)
    (told,) = stage.find(is_("timeexceeded", code=1, src=LL, dst=PEER))
    assert told.facts()["quoted"] == first


@tahi("F_TX_only2nd", "FH_2ndOnly", ct="FH_2ndOnly", icmp="Time_Exc_Global_2nd")
def test_without_the_first_fragment_nobody_is_told(stage: Stage) -> None:
    stage.send(fragments(WHOLE, 512)[1])
    stage.wait(LIFE_S + 1)
    assert not stage.find(is_("timeexceeded"))
    assert stage.drops() == {"FRAG6_TIMEOUT": 1}
    stage.conserved()


@pytest.mark.tahi("Self_Test/icmp.p2:To_Multi_Time_Exc", "ct/icmp:To_Multi_Time_Exc")
def test_time_exceeded_is_not_sent_for_multicast(stage: Stage) -> None:
    stage.send(fragments(echo(PEER, ALLNODES, DATA), 512)[0])
    stage.wait(LIFE_S + 1)
    assert not stage.find(is_("timeexceeded"))


# -- lengths --------------------------------------------------------------------------------------


@tahi("F_PLinvalid", "FH_InvalidLength", ct="FH_InvalidLength")
def test_length_that_is_no_multiple_of_eight_with_more_to_come(stage: Stage) -> None:
    bad = fragment(WHOLE, 0, 511, more=True)
    stage.send(bad)
    told = stage.only(is_("paramproblem", code=0, param=4, dst=PEER_G))
    assert told.facts()["quoted"] == bad


def huge(octets: int) -> list[bytes]:
    """A datagram with this payload length, in fragments."""
    whole = echo(PEER_G, GLOBAL, bytes(octets - 8))
    return fragments(whole, *range(1400, octets, 1400))


@tahi("FH_Big65535", ct="FH_Big65535")
def test_the_largest_datagram(stage: Stage) -> None:
    for piece in huge(65535):
        stage.send(piece)
    assert stage.kern.stats.ip6["ip6s_reassembled"] == 1
    assert stage.kern.stats.icmp6["icp6s_reflect"] == 1


@tahi("FH_Big65536", ct="FH_Big65536")
def test_one_octet_more_is_refused(stage: Stage) -> None:
    last = fragment(WHOLE, 0, 8, more=False)
    head = fragment(bytes(BASE) + bytes(65536), 65528, 65536, more=False)
    packet = last[:BASE] + last[BASE : BASE + 2] + head[BASE + 2 : BASE + 4] + last[BASE + 4 :]
    stage.send(packet)
    stage.only(is_("paramproblem", code=0, param=BASE + 2))
    assert stage.drops() == {"FRAG6_TOOBIG": 1}


# -- overlaps and floods --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("src", "dst", "backwards"),
    [
        pytest.param(PEER, LL, False, marks=tahi("Reassembly_Overlap")),
        pytest.param(PEER, LL, True, marks=tahi("Reassembly_Overlap_R")),
        pytest.param(
            PEER_G,
            GLOBAL,
            False,
            marks=tahi("Reassembly_Overlap_G", "FH_Overlap", ct="FH_Overlap"),
        ),
        pytest.param(PEER_G, GLOBAL, True, marks=tahi("Reassembly_Overlap_R_G")),
    ],
)
def test_overlapping_fragments_spoil_the_datagram_for_its_whole_life(
    stage: Stage, src: str, dst: str, backwards: bool
) -> None:
    whole = echo(src, dst, DATA)
    pieces = [
        fragment(whole, 0, 512),
        fragment(whole, 504, 800),
        fragment(whole, 800, SIZE, more=False),
    ]
    for piece in reversed(pieces) if backwards else pieces:
        stage.send(piece)
    stage.send(fragment(whole, 504, 800))
    stage.wait(LIFE_S + 1)
    assert not stage.find(is_("timeexceeded"))
    assert not replies(stage)
    assert stage.drops() == {"FRAG6_OVERLAP": 4}
    stage.conserved()


@pytest.mark.tahi("ct/robust:FH_Overlap_UDP")
def test_overlapping_fragments_of_udp_reach_nobody(stage: Stage) -> None:
    whole = udp(PEER_G, GLOBAL, DATA)
    for a, b, more in ((0, 512, True), (256, len(whole) - BASE, False)):
        stage.send(fragment(whole, a, b, more=more))
    assert stage.drops() == {"FRAG6_OVERLAP": 2}
    assert stage.kern.stats.udp6["udp6s_ipackets"] == 0


@pytest.mark.parametrize(
    ("src", "dst"),
    [
        pytest.param(PEER, LL, marks=tahi("Reassembly_Dupli", "Reassembly_Extra")),
        pytest.param(PEER_G, GLOBAL, marks=tahi("Reassembly_Dupli_G", "Reassembly_Extra_G")),
    ],
)
def test_exact_duplicates_do_no_harm(stage: Stage, src: str, dst: str) -> None:
    first, last = fragments(echo(src, dst, DATA), 512)
    for piece in (first, first, last, last):
        stage.send(piece)
    assert len(replies(stage)) == 1
    assert stage.drops() == {"FRAG6_DUP": 1}  # the extra last one begins another datagram


@tahi("FH_Flood", ct="FH_Flood")
def test_a_flood_of_last_fragments_is_bounded(stage: Stage) -> None:
    limit = stage.kern.ip6.ip6_maxfragpackets
    for ident in range(limit + 50):
        stage.send(fragments(WHOLE, 512, ident=ident)[1])
    assert len(stage.kern.frag6.queues) == limit
    assert stage.drops() == {"FRAG6_LIMIT": 50}
    stage.wait(LIFE_S)
    assert stage.kern.frag6.queues == {}
    for piece in fragments(WHOLE, 512, ident=9):
        stage.send(piece)
    stage.wait(1)
    assert replies(stage)


# -- first fragments without all headers (RFC 7112) -----------------------------------------------


def headed(src: str, dst: str, kind: int) -> bytes:
    """A ping behind a long destination options or routing header."""
    header = ext(0, bytes((1, 20)) + bytes(20)) if kind == 60 else build_rthdr0(0, [addr(dst)], 0)
    return with_header(echo(src, dst), kind, header)


@pytest.mark.parametrize(
    ("src", "dst", "kind"),
    [
        pytest.param(PEER, LL, 60, marks=tahi("v6LC_1_3_6_A")),
        pytest.param(PEER, LL, 43, marks=tahi("v6LC_1_3_6_B")),
        pytest.param(PEER_G, GLOBAL, 60, marks=tahi("v6LC_1_3_6_C")),
        pytest.param(PEER_G, GLOBAL, 43, marks=tahi("v6LC_1_3_6_D")),
    ],
)
def test_first_fragment_without_all_headers_is_refused(
    stage: Stage, src: str, dst: str, kind: int
) -> None:
    first, last = fragments(headed(src, dst, kind), 8)
    stage.send(first)
    stage.only(is_("paramproblem", code=3, dst=src))
    stage.send(last)
    stage.nothing()
    assert stage.drops() == {"FRAG6_FIRSTSHORT": 1}


def test_fragments_that_wait_when_the_default_router_goes_still_become_the_datagram(
    stage: Stage,
) -> None:
    stage.send(ra(ROUTER), ROUTER_MAC)
    first, last = fragments(WHOLE, 512)
    stage.send(first)
    stage.send(ra(ROUTER, lifetime=0), ROUTER_MAC)
    stage.send(last)
    assert replies(stage)


def test_what_comes_out_of_a_tunnel_is_no_fragment_though_its_tunnel_packet_was() -> None:
    """Neighbour discovery in fragments is ignored; fragments of the tunnel are another matter."""
    stage = Stage(globals_=True, kernel=KernConf(frozenset(), gif=1))
    stage.tn.neighbours[PEER_G] = PEER_MAC
    stage.run(f"ifconfig gif0 tunnel {GLOBAL} {PEER_G}\nifconfig gif0 up")
    stage.wait(5)
    stage.send(echo(PEER_G, GLOBAL))
    stage.forget()
    inside = ns(LL, "fe80::9", UNKNOWN_OPTION)  # gif0 has the interface identifier of fxp0
    for piece in fragments(ip6(PEER_G, GLOBAL, inside, 41), 64):
        stage.send(piece)
    answer = stage.only(is_(src=GLOBAL, dst=PEER_G, nxt=41))
    assert Icmp6Hdr.unpack(answer.packet, 2 * BASE).icmp6_type == ND_NEIGHBOR_ADVERT
    assert stage.drops() == {}
