# SPDX-License-Identifier: BSD-3-Clause
"""What draft-13 and draft-15 make of each other's octets; docs/dialects.md, lab mixed-drafts.

Numbers below 256 look alike; what is different is read as something else, not as an error.
"""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.wire import mip6_draft13, mip6_draft15
from kame_py.wire.in6addr import ntop
from kame_py.wire.ip6ext import build_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import (
    AltCoa,
    AuthData,
    BindingAck,
    BindingUpdate,
    HaDiscoveryRequest,
    OptionWire,
    OtherSubOpt,
    Pad,
    SubOpt,
    parse_ba,
    parse_bu,
)
from tests.scenario.mip6words import DRAFTS, bindings, bu, home_agent, mobility, seen, with_hao
from tests.scenario.mnstage import HA, HOA, KERNELS, MnStage
from tests.scenario.tester import GLOBAL, GLOBAL2, PEER_MAC2, Stage
from tests.scenario.words import addr, echo

D13: Final = mip6_draft13.WIRE
D15: Final = mip6_draft15.WIRE
COA: Final = "2001:db8:2::9"
MN_HOA: Final = "2001:db8:1::10"
A, H, X, D = 0x80, 0x40, 0x20, 0x10  # X: S here, R there
COA_ALT: Final = addr("2001:db8:4::77")
SIGNED: Final = AuthData(1500, bytes(range(1, 13)))


def update_read(by: OptionWire, of: OptionWire, value: BindingUpdate) -> BindingUpdate:
    got = parse_bu(by, of.build_option(value), 0)
    assert not isinstance(got, Malformed)
    return got


def ack_read(by: OptionWire, of: OptionWire, value: BindingAck) -> BindingAck:
    got = parse_ba(by, of.build_option(value), 0)
    assert not isinstance(got, Malformed)
    return got


# -- octets ---------------------------------------------------------------------------------------


def test_update_of_15_is_one_without_prefix_length_for_13() -> None:
    got = update_read(D13, D15, BindingUpdate(A | H | D, 255, 60))
    assert got == BindingUpdate(A | H | D, 255, 60, prefixlen=0)


def test_s_of_15_is_r_for_13_and_the_other_way_round() -> None:
    for by, of in ((D13, D15), (D15, D13)):
        assert update_read(by, of, BindingUpdate(A | H | X, 1, 60)).flags & X


def test_prefix_length_of_13_and_the_upper_half_of_its_number_are_reserved_for_15() -> None:
    got = update_read(D15, D13, BindingUpdate(A | H, 0x0123, 60, 64))
    assert got == BindingUpdate(A | H, 0x23, 60, reserved=0x4001)


def test_acknowledgements_agree_below_256() -> None:
    value = BindingAck(0, 255, 60, 30)
    assert ack_read(D13, D15, value) == ack_read(D15, D13, value) == value
    assert ack_read(D15, D13, BindingAck(0, 256, 60, 30)) == BindingAck(0, 0, 60, 30, reserved=1)


def subopts_read(by: OptionWire, of: OptionWire, subopt: SubOpt) -> list[SubOpt]:
    value = BindingUpdate(A, 1, 60, subopts=of.align_subopts([subopt], 12))
    return [s for s in update_read(by, of, value).subopts if not isinstance(s, Pad)]


def test_signature_of_15_is_an_alternate_care_of_address_for_13() -> None:
    (got,) = subopts_read(D13, D15, SIGNED)
    assert isinstance(got, AltCoa)
    assert ntop(got.coa) == "0:5dc:102:304:506:708:90a:b0c"


def test_alternate_care_of_address_of_13_is_a_signature_for_15() -> None:
    (got,) = subopts_read(D15, D13, AltCoa(COA_ALT))
    assert got == AuthData(0x20010DB8, COA_ALT[4:])


def test_alternate_care_of_address_of_15_is_unknown_to_13() -> None:
    assert subopts_read(D13, D15, AltCoa(COA_ALT)) == [OtherSubOpt(3, COA_ALT)]


def test_discovery_request_of_15_is_too_short_for_13_which_15_takes() -> None:
    short = D15.pack_ha_request(HaDiscoveryRequest(7))
    whole = D13.pack_ha_request(HaDiscoveryRequest(7, addr(HOA)))
    assert isinstance(D13.parse_ha_request(short), Malformed)
    got = D15.parse_ha_request(whole)
    assert not isinstance(got, Malformed)
    assert (got.id, got.home) == (7, None)


# -- what comes of it -----------------------------------------------------------------------------


def home_agent_of(draft: str) -> Stage:
    """It asks for no protection."""
    stage = Stage(router=True, links=2, globals_=True, kernel=DRAFTS[draft])
    home_agent(stage)
    stage.tn2.neighbours[COA] = PEER_MAC2
    stage.send2(echo(COA, GLOBAL2), PEER_MAC2)
    stage.take(stage.tn2)
    stage.forget()
    return stage


def register(ha: Stage, wire: OptionWire, seq: int, flags: str = "AH", plen: int = 0) -> None:
    ha.send2(bu(COA, GLOBAL, MN_HOA, seq, 60, flags, wire=wire, plen=plen), PEER_MAC2)


def answered(ha: Stage, wire: OptionWire) -> list[tuple[int, int]]:
    """(status, number) of the acknowledgements, as their receiver reads them."""
    acks = [o for h in ha.take(ha.tn2) for o in seen(h, wire).options]
    return [(o.status, o.seqno) for o in acks if isinstance(o, BindingAck)]


def test_mobile_node_of_15_is_heard_until_its_numbers_begin_anew() -> None:
    ha = home_agent_of("draft-13")
    register(ha, D15, 255)
    assert answered(ha, D15) == [(0, 255)]
    register(ha, D15, 0)
    assert answered(ha, D15) == []
    assert ha.drops() == {"MIP6_BUSEQNO": 1}


def test_mobile_node_of_15_that_wants_all_prefixes_gets_the_one_address() -> None:
    ha = home_agent_of("draft-13")
    register(ha, D15, 1)
    assert bindings(ha) == {MN_HOA: COA}
    register(ha, D15, 2, "AHS")
    assert mobility(ha).dialect.proxy_router(mobility(ha).mip6_hrbc_list[addr(MN_HOA)].mbc_flags)


def test_mobile_node_of_13_is_answered_with_half_a_number() -> None:
    ha = home_agent_of("draft-15")
    register(ha, D13, 255, plen=64)
    register(ha, D13, 256, plen=64)
    assert answered(ha, D13) == [(0, 255), (0, 0)]


def test_mobile_node_of_13_that_is_a_router_gets_one_address() -> None:
    ha = home_agent_of("draft-15")
    register(ha, D13, 1, "AHR", plen=64)
    assert bindings(ha) == {MN_HOA: COA}


def test_half_a_number_answers_no_update_of_13() -> None:
    mn = MnStage(kernel=KERNELS["draft-13"])
    mn.abroad()
    mn.mip6.mip6_peers[addr(HA)].seqno = 255
    mn.request(HA)
    mn.wait(2.1)
    assert mn.updates()[0][1].seqno == 256
    mn.forget()
    mn.ack(0)
    assert mn.drops() == {"MIP6_BASEQNO": 1}


def test_signed_update_of_15_takes_a_home_agent_of_13_without_checks_to_nowhere() -> None:
    """Why the check must stay on: the signature is an address, and it is believed."""
    ha = home_agent_of("draft-13")
    value = BindingUpdate(A | H, 1, 60, subopts=D15.align_subopts([SIGNED], 12))
    option = build_options(59, [D15.aligned(value)])
    ha.send2(with_hao(COA, GLOBAL, MN_HOA, option, 60), PEER_MAC2)
    assert bindings(ha) == {MN_HOA: "0:5dc:102:304:506:708:90a:b0c"}


@pytest.mark.parametrize("draft,wire", [("draft-13", D15), ("draft-15", D13)])
def test_with_checks_on_neither_believes_the_other(draft: str, wire: OptionWire) -> None:
    ha = home_agent_of(draft)
    config = mobility(ha).config
    config.mcfg_use_ipsec, config.mcfg_use_authdata = int(draft == "draft-13"), 1
    register(ha, wire, 1)
    assert answered(ha, wire) == []
    assert ha.drops() == {"MIP6_BUNOAUTH": 1}
