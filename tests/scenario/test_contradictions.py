# SPDX-License-Identifier: BSD-3-Clause
"""Where draft-15 says two things: which of them is done (docs/adherence/contradictions.md)."""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.wire.codecs import NdOptPrefixInfo, NdRouterSolicit
from kame_py.wire.const import (
    ICMP6_MOBILEPREFIX_ADVERT,
    IPPROTO_DSTOPTS,
    IPPROTO_IPV6,
    ND_OPT_PREFIX_INFORMATION,
)
from kame_py.wire.ioctl import SIOCSMIP6CFG_ENABLEAUTHDATA
from kame_py.wire.ip6ext import build_options
from kame_py.wire.mip6 import Pad
from kame_py.wire.mip6_draft15 import WIRE
from tests.scenario.authwords import bu_packet, signed_bu
from tests.scenario.mip6words import (
    NONE,
    Seen,
    bindings,
    bu,
    configure,
    home_agent,
    mobility,
    seen,
    unprotected,
    update,
    with_hao,
)
from tests.scenario.test_mip6_auth_cn import AT2, MAC, MN, SPI, Secured, spoiled
from tests.scenario.test_mip6_mpa import DAY, advertise, answer, delivered, registered, told
from tests.scenario.tester import (
    ALLNODES,
    GLOBAL,
    GLOBAL2,
    PEER_G,
    PEER_MAC,
    PEER_MAC2,
    ROUTER,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import addr, echo, ext, icmp6, ip6, is_, ns, ra, sll

HA: Final = GLOBAL
HOA: Final = "2001:db8:1::10"
HOA_LL: Final = "fe80::10"
COA: Final = "2001:db8:2::9"
THIRD: Final = 3  # octets of an update in front of what draft-13 called the prefix length


@pytest.fixture
def ha() -> Stage:
    """A home agent of draft-15 that asks for no authentication; COA is on its other link."""
    stage = Stage(router=True, links=2, globals_=True, kernel="options MIP6")
    home_agent(stage)
    stage.tn.neighbours[PEER_G] = PEER_MAC
    stage.tn2.neighbours[COA] = PEER_MAC2
    stage.send2(echo(COA, GLOBAL2), PEER_MAC2)
    stage.take(stage.tn2)
    stage.forget()
    return stage


@pytest.fixture
def cn() -> Stage:
    """A correspondent of draft-15 on the home link's prefix, which asks for no authentication."""
    stage = Stage(globals_=True, kernel="options MIP6")
    stage.send(ra(ROUTER, sll(ROUTER_MAC)), ROUTER_MAC)
    unprotected(stage)
    stage.send(echo(ROUTER, GLOBAL), ROUTER_MAC)
    stage.wait(5)
    stage.forget()
    return stage


def register(ha: Stage, seq: int, flags: str, lifetime: int = 60) -> None:
    ha.send2(bu(COA, HA, HOA, seq, lifetime, flags), PEER_MAC2)


def answers(stage: Stage, foreign: bool = True) -> list[Seen]:
    """Acknowledgements on the foreign link, or on the only one."""
    heard = stage.take(stage.tn2 if foreign else stage.tn)
    return [s for s in map(seen, heard) if s.options]


# -- 1: acceptance without A (s.8.5 against s.9.1) ------------------------------------------------


def test_home_agent_answers_every_registration_without_a(ha: Stage) -> None:
    for seq, lifetime in enumerate((60, 60, 0), 1):
        register(ha, seq, "HS", lifetime)
        assert [(s.ba.status, s.ba.seqno) for s in answers(ha)] == [(0, seq)]


def test_correspondent_answers_no_acceptance_without_a(cn: Stage) -> None:
    for seq, lifetime in enumerate((60, 60, 0), 1):
        cn.send(bu(COA, GLOBAL, "2001:db8:9::10", seq, lifetime, flags=""))
        assert len(bindings(cn)) == bool(lifetime)
        cn.nothing()


# -- 2: silence or refusal (s.8.2 against s.8.5) --------------------------------------------------


@pytest.mark.parametrize("why", ["MIP6_BUNOHAO", "MIP6_BUSHORT", "MIP6_BUCOA", "MIP6_BUNOAUTH"])
def test_what_fails_validation_is_met_with_silence(cn: Stage, why: str) -> None:
    packet = bu(COA, GLOBAL, "2001:db8:9::10", flags="A")
    if why == "MIP6_BUNOHAO":
        packet = ip6(COA, GLOBAL, build_options(NONE, [WIRE.aligned(update())]), IPPROTO_DSTOPTS)
    elif why == "MIP6_BUSHORT":
        short = ext(NONE, bytes((0xC6, 7, 0x80)) + bytes(6), bytes(5))
        packet = with_hao(COA, GLOBAL, "2001:db8:9::10", short, IPPROTO_DSTOPTS)
    elif why == "MIP6_BUCOA":
        packet = bu(COA, GLOBAL, "2001:db8:9::10", flags="A", alt="ff0e::1")
    else:
        configure(cn, SIOCSMIP6CFG_ENABLEAUTHDATA)
    cn.send(packet)
    cn.nothing()
    assert cn.drops() == {why: 1}


def test_what_is_refused_later_is_told_even_without_a(ha: Stage) -> None:
    ha.send2(bu(COA, HA, "2001:db8:77::10", 1, flags="HS"), PEER_MAC2)
    assert [s.ba.status for s in answers(ha)] == [133]
    register(ha, 9, "HS")
    register(ha, 8, "HS")  # of the tests of s.8.2 this one is told
    assert [(s.ba.status, s.ba.seqno) for s in answers(ha)] == [(0, 9), (141, 9)]
    register(ha, 10, "", lifetime=60)  # would undo the registration
    assert [(s.ba.status, s.ba.seqno) for s in answers(ha)] == [(130, 10)]


# -- 3: the prefix length that is no more (s.9.3, s.9.4, s.10.7) ----------------------------------


@pytest.mark.parametrize("octet", [0, 64])
@pytest.mark.parametrize(("flags", "served"), [("AH", {HOA, HOA_LL}), ("AHS", {HOA})])
def test_clear_s_stands_for_a_prefix_length(
    ha: Stage, flags: str, served: set[str], octet: int
) -> None:
    """What draft-13 called the prefix length says nothing now."""
    packet = bu(COA, HA, HOA, flags=flags)
    at = packet.index(bytes((0xC6, WIRE.bu_size - 2))) + THIRD
    ha.send2(packet[:at] + bytes((octet,)) + packet[at + 1 :], PEER_MAC2)
    assert set(mobility(ha).mip6_hrbc_list) == {ha.kernel_form(who) for who in served}


@pytest.mark.parametrize(("flags", "left"), [("AHS", {HOA, HOA_LL}), ("AH", set())])
def test_end_is_for_one_address_with_s_and_for_all_without(
    ha: Stage, flags: str, left: set[str]
) -> None:
    ha.run("ifconfig fxp0 inet6 2001:db8:1:7::77 prefixlen 64 alias")
    ha.wait(5)
    register(ha, 1, "AH")
    assert len(mobility(ha).mip6_hrbc_list) == 3
    ha.send2(bu(COA, HA, "2001:db8:1:7::10", 2, 0, flags), PEER_MAC2)
    assert set(mobility(ha).mip6_hrbc_list) == {ha.kernel_form(who) for who in left}


# -- 4: the R bit that is no more (s.9.3) ---------------------------------------------------------


@pytest.mark.parametrize("flags", ["AH", "AHS"])
def test_proxy_calls_no_mobile_node_a_router(ha: Stage, flags: str) -> None:
    """The place of draft-13's R is that of S now."""
    register(ha, 1, flags)
    ha.send(ns(HOA, PEER_G, sll(PEER_MAC)))
    said = ha.take()
    assert len(ha.find(is_("na", dst=ALLNODES, target=HOA, flags="O"), said)) == 1
    assert len(ha.find(is_("na", dst=PEER_G, target=HOA, flags="S"), said)) == 1


# -- 6: pads in front of the authentication data (s.4.4) ------------------------------------------


def test_pads_in_front_of_authentication_data_are_covered() -> None:
    cn = Secured()
    cn.bound()
    value = update(21, flags="", more=(Pad(b"\x01\x02\xa5\xa5"),))
    option = signed_bu(value, GLOBAL, AT2, MN, SPI, MAC)
    cn.refuses(spoiled(option, option.index(b"\xa5")), "MIP6_BUBADAUTH")
    cn.forget()
    cn.send(bu_packet(AT2, GLOBAL, MN, option))
    assert bindings(cn) == {MN: AT2}


# -- 8: what answers a binding request (s.9.8.3) --------------------------------------------------


@pytest.mark.parametrize(("other", "repeated"), [(0, 0), (1, 3)])
@pytest.mark.parametrize("seq", [2, 77])
def test_update_answers_a_request_by_its_identifier_whatever_its_number(
    seq: int, other: int, repeated: int
) -> None:
    ha = registered()
    ident = delivered(ha).ident
    assert ident is not None
    answer(ha, ident + other, seq)
    ha.wait(100)
    assert len(told(ha)) == repeated


# -- 9, 10, 11: mobile prefix messages (s.5.10, s.9.8, s.10.16) -----------------------------------


@pytest.mark.parametrize("src", [HOA, "::"])
def test_router_solicitation_in_the_tunnel_asks_for_no_prefixes(src: str) -> None:
    ha = registered()
    inner = icmp6(src, HA, NdRouterSolicit().pack())
    ha.send2(ip6(COA, HA, inner, IPPROTO_IPV6), PEER_MAC2)
    ha.wait(100)
    assert told(ha) == []


def test_prefixes_that_nobody_asked_for_go_to_the_home_address_by_the_care_of_address() -> None:
    ha = registered()
    assert delivered(ha).packet.hops == (COA, HOA)


def test_options_of_a_mobile_prefix_advertisement_begin_behind_its_checksum() -> None:
    ha = registered()
    advertise(ha, valid=20 * DAY)
    ha.wait(1001)
    message = told(ha)[0].packet.rest
    assert message[0] == ICMP6_MOBILEPREFIX_ADVERT
    assert message[4] == ND_OPT_PREFIX_INFORMATION
    assert (len(message) - 4) % NdOptPrefixInfo.SIZE == 0
    assert addr("2001:db8:1::") == message[4 + 16 : 4 + 32]
