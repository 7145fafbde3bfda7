# SPDX-License-Identifier: BSD-3-Clause
"""Path MTU discovery (RFC 8201), as a source of packets and as the router in the way."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.world import World
from kame_py.wire.nd6opt import build_mtu_opt
from tests.scenario.tester import (
    AUTO,
    FAR,
    GLOBAL,
    MAC2,
    PEER_G,
    PEER_MAC,
    ROUTER,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import BASE, Heard, echo, error, fragments, is_, pi, ra, sll

PMTU = "Self_Test/pmtu.p2:"
CT = "ct/pmtu:"
FAR2 = "2001:db8:f::2"
LIFE_S = 600  # ten minutes


def tahi(*names: str, ct: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    return pytest.mark.tahi(*(PMTU + n for n in names), *(CT + n for n in ct))


@pytest.fixture
def stage() -> Stage:
    """A host with a neighbour and a router that answer."""
    stage = Stage()
    stage.tn.neighbours |= {ROUTER: ROUTER_MAC, PEER_G: PEER_MAC}
    stage.send(ra(ROUTER, sll(ROUTER_MAC), pi("2001:db8:1::")), ROUTER_MAC)
    stage.wait(2)
    return stage


def ping(stage: Stage, src: str = FAR, size: int = 1500) -> list[Heard]:
    """The parts in which a ping of this size comes back."""
    stage.take()
    smac = PEER_MAC if src == PEER_G else ROUTER_MAC
    whole = echo(src, AUTO, bytes(size - BASE - 8))
    for piece in [whole] if size <= 1500 else fragments(whole, 1400):
        stage.send(piece, smac)
    return [h for h in stage.take() if h.facts()["dst"] == src]


def sizes(heard: list[Heard]) -> list[object]:
    return [h.facts()["size"] for h in heard]


def too_big(stage: Stage, mtu: int, dst: str = FAR, code: int = 0) -> None:
    """A router on the way says that answers to ``dst`` do not fit."""
    quoted = echo(AUTO, dst, bytes(1452), reply=True)
    stage.send(error("2001:db8:e::e", AUTO, 2, code, quoted, mtu), ROUTER_MAC)


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(64, marks=tahi("confirmPing64")),
        pytest.param(1280, marks=tahi("confirmPing1280")),
        pytest.param(1500, marks=tahi("confirmPing1500")),
    ],
)
@tahi("confirmPing", ct=("confirmPing", "initPMTU"))
def test_before_any_message_packets_are_as_large_as_the_link_allows(
    stage: Stage, size: int
) -> None:
    assert sizes(ping(stage, size=size)) == [size]


@tahi("TBM", "reducePMTUofflink", ct=("TBM", "acceptTooBigMesg", "LCNA_TBM_gtMinMTU"))
def test_packet_too_big_makes_fragments_no_larger_than_it_says(stage: Stage) -> None:
    too_big(stage, 1400)
    parts = ping(stage)
    assert sizes(parts) == [1400, 156]
    too_big(stage, 1280)
    assert sizes(ping(stage)) == [1280, 276]


@tahi("reducePMTUonlink", ct=("TBM_onlink",))
def test_packet_too_big_about_a_neighbour_counts_as_well(stage: Stage) -> None:
    ping(stage, PEER_G)
    too_big(stage, 1400, PEER_G)
    assert sizes(ping(stage, PEER_G)) == [1400, 156]


@tahi("storedPMTU", ct=("MultiPMTU",))
def test_each_destination_has_its_own_path_mtu(stage: Stage) -> None:
    too_big(stage, 1400, FAR)
    too_big(stage, 1300, FAR2)
    assert sizes(ping(stage, FAR)) == [1400, 156]
    assert sizes(ping(stage, FAR2))[0] == 1296  # a multiple of eight octets behind the header
    assert sizes(ping(stage, "2001:db8:f::3")) == [1500]


@tahi("NonZeroICMPCode", "nonZeroICMPv6Code")
def test_the_code_of_packet_too_big_does_not_matter(stage: Stage) -> None:
    too_big(stage, 1280, code=0xFF)
    assert sizes(ping(stage)) == [1280, 276]


@pytest.mark.parametrize(
    "mtu",
    [
        pytest.param(56, marks=tahi("receiveMTU0", "MinMTU_0")),
        pytest.param(0, marks=tahi("MinMTU_0")),
        pytest.param(1279, marks=tahi("receiveMTU512", "MinMTU", ct=("LCNA_TBM_ltMinMTU",))),
    ],
)
def test_packet_too_big_below_1280_is_ignored(stage: Stage, mtu: int) -> None:
    """RFC 8201 s.4; RFC 1981 would have sent an atomic fragment (RFC 6946, RFC 8021)."""
    too_big(stage, mtu)
    (answer,) = ping(stage, size=1280)
    assert (answer.facts()["size"], answer.facts()["nxt"]) == (1280, 58)
    assert stage.kern.stats.icmp6["icp6s_pmtuchg"] == 0


@pytest.mark.parametrize(
    "mtu",
    [
        pytest.param(1500, marks=tahi("increase1500", "IncMTU")),
        pytest.param(0x1FFFFFFF, marks=tahi("increase0x1fffffff", "IncMTU_Large")),
    ],
)
def test_packet_too_big_never_raises_the_path_mtu(stage: Stage, mtu: int) -> None:
    too_big(stage, 1304)
    too_big(stage, mtu)
    assert sizes(ping(stage)) == [1304, 252]


@tahi("checkIncreasePMTU", "PMTU_reset", ct=("PMTU_reset", "checkPMTUincrease"))
def test_after_ten_minutes_the_larger_size_is_tried_again(stage: Stage) -> None:
    too_big(stage, 1400)
    start = stage.now
    stage.until(start + LIFE_S * NS - 1)
    assert len(ping(stage)) == 2
    stage.until(start + LIFE_S * NS)
    assert sizes(ping(stage)) == [1500]


@tahi("Validate_PTB")
def test_packet_too_big_about_a_packet_we_did_not_send_is_ignored(stage: Stage) -> None:
    quoted = echo("2001:db8:dead::1", FAR, bytes(1452))
    stage.send(error("2001:db8:e::e", AUTO, 2, 0, quoted, 1280), ROUTER_MAC)
    assert sizes(ping(stage)) == [1500]


@tahi(
    "RAwithMTUreduce",
    "RAwMTU_Reduce",
    ct=("acceptRAwithMTUOption", "LCNA_RAwMTUopt", "setMTUwithRA"),
)
def test_mtu_option_of_the_router_makes_fragments(stage: Stage) -> None:
    stage.send(ra(ROUTER, build_mtu_opt(1304)), ROUTER_MAC)
    assert sizes(ping(stage)) == [1304, 252]


@tahi("RAwithMTUincrease", "RAwMTU_Increase", "setMTU1500", ct=("setMTU1500",))
def test_a_larger_mtu_option_gives_the_size_back(stage: Stage) -> None:
    stage.send(ra(ROUTER, build_mtu_opt(1304)), ROUTER_MAC)
    stage.send(ra(ROUTER, build_mtu_opt(1500)), ROUTER_MAC)
    assert sizes(ping(stage)) == [1500]


@tahi(ct=("LCNA_Reassemble",))
def test_a_ping_larger_than_the_link_comes_in_fragments_and_is_answered_in_fragments(
    stage: Stage,
) -> None:
    parts = ping(stage, size=2000)
    assert sizes(parts) == [1496, 560]


# -- routers --------------------------------------------------------------------------------------


@pytest.fixture
def rut() -> Stage:
    """A router whose second link carries 1280 octets at most."""
    stage = Stage(router=True, links=2, globals_=True)
    stage.tn.neighbours[PEER_G] = PEER_MAC
    stage.tn2.neighbours["2001:db8:2::9"] = PEER_MAC
    stage.run("ifconfig fxp1 mtu 1280")
    stage.send(echo(PEER_G, "2001:db8:2::9"))
    stage.forget()
    stage.take(stage.tn2)
    return stage


@pytest.mark.tahi(
    "Self_Test/icmp.p2:Pkt_Too_Big",
    "ct/icmp:Pkt_Too_Big",
    "Self_Test/icmp.p2:Err_Condition_Too_Big",
)
def test_router_says_packet_too_big_with_the_mtu_of_the_next_link(rut: Stage) -> None:
    large = echo(PEER_G, "2001:db8:2::9", bytes(1281 - BASE - 8))
    rut.send(large)
    told = [h for h in rut.take() if h.facts()["icmp6"] == "toobig"]
    assert len(told) == 1
    facts = told[0].facts()
    assert (facts["src"], facts["dst"], facts["code"], facts["param"]) == (GLOBAL, PEER_G, 0, 1280)
    assert facts["size"] == 1280
    rut.nothing(rut.tn2)
    assert rut.drops() == {"IP6_FWDTOOBIG": 1}


def test_router_passes_what_just_fits(rut: Stage) -> None:
    rut.send(echo(PEER_G, "2001:db8:2::9", bytes(1280 - BASE - 8)))
    rut.only(is_("echo", size=1280, hlim=63, smac=MAC2), tn=rut.tn2)


def test_a_host_learns_the_smallest_mtu_of_a_chain_of_routers() -> None:
    world = World(seed=3)
    mtus = {"l0": 1500, "l1": 1400, "l2": 1280}
    for name, mtu in mtus.items():
        world.add_link(name, delay_ns=1_000_000, mtu=mtu)
    links = list(world.links.values())
    for i in (0, 1):
        node = world.add_node(f"r{i}")
        node.attach("fxp0", links[i])
        node.attach("fxp1", links[i + 1])
        node.run(
            "sysctl -w net.inet6.ip6.forwarding=1\n"
            f"ifconfig fxp0 inet6 2001:db8:{i}::1 prefixlen 64 alias\n"
            f"ifconfig fxp1 inet6 2001:db8:{i + 1}::2 prefixlen 64 alias"
        )
    world.nodes["r0"].run("route add -inet6 2001:db8:2:: -prefixlen 64 2001:db8:1::1")
    world.nodes["r1"].run("route add -inet6 2001:db8:0:: -prefixlen 64 2001:db8:1::2")
    for name, link, number, gateway in (("a", 0, 9, 1), ("b", 2, 9, 2)):
        node = world.add_node(name)
        node.attach("fxp0", links[link])
        node.run(
            f"ifconfig fxp0 inet6 2001:db8:{link}::{number} prefixlen 64 alias\n"
            f"route add -inet6 default 2001:db8:{link}::{gateway}"
        )
    world.run_for(3)
    a = world.nodes["a"]
    a.run("ping6 -c 1 2001:db8:2::9")  # one packet waits for a neighbour: resolve them first
    a.run("ping6 -mm -c 3 -s 1452 2001:db8:2::9")
    rt = a.kernel.rt.lookup(echo("::", "2001:db8:2::9")[24:BASE])
    assert rt is not None and rt.rt_rmx.rmx_mtu == 1280
    assert a.kernel.stats.icmp6["icp6s_pmtuchg"] == 2
    assert " 0% packet loss" in a.run("ping6 -mm -c 3 -s 1452 2001:db8:2::9").out
