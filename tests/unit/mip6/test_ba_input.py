# SPDX-License-Identifier: BSD-3-Clause
"""Acknowledgements as octets: what is too short, who may send them, to whom."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import Fate
from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_REG, MIP6_BU_REG_STATE_REGWAITACK
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_ROUTING
from kame_py.wire.ip6ext import build_rthdr0
from kame_py.wire.mip6 import AuthData, OtherSubOpt
from tests.scenario.mnstage import COA, HA, HOA, MnStage
from tests.scenario.tester import ROUTER_MAC
from tests.scenario.words import addr, ip6


@pytest.fixture
def mn() -> MnStage:
    mn = MnStage()
    mn.arrive()
    mn.forget()
    return mn


def octets(mn: MnStage, header: str) -> None:
    """A destination options header from the home agent by the care-of address."""
    dest = bytes.fromhex(header)
    rthdr = build_rthdr0(IPPROTO_DSTOPTS, [addr(HOA)], 1)
    mn.send(ip6(HA, COA, rthdr + dest, IPPROTO_ROUTING), ROUTER_MAC)


def state(mn: MnStage) -> int:
    return mn.sc.hif_bu_list[0].mbu_reg_state


def number(mn: MnStage) -> str:
    return f"{mn.sc.hif_bu_list[0].mbu_seqno:02x}"


def test_acknowledgement_of_the_worked_vector_is_accepted(mn: MnStage) -> None:
    #           none 1 Pad1 BA len status rsv seq lifetime 65280 refresh 32640
    octets(mn, f"3b 01 00 07 0b 00 00 {number(mn)} 00 00 ff 00 00 00 7f 80")
    bu = mn.sc.hif_bu_list[0]
    assert state(mn) == MIP6_BU_REG_STATE_REG
    assert (bu.mbu_lifetime, bu.mbu_refresh) == (65280, 32640)
    assert mn.kern.fates[Fate.CONSUMED] > 0 and mn.drops() == {}


def test_short_acknowledgement_is_ignored_and_counted(mn: MnStage) -> None:
    octets(mn, f"3b 01 00 07 0a 00 00 {number(mn)} 00 00 ff 00 00 00 7f 00")
    assert state(mn) == MIP6_BU_REG_STATE_REGWAITACK
    assert mn.kern.stats.ip6["ip6s_badoptions"] == 1
    assert f"mip6.c: too short binding ack (10) from host {HA}." in mn.logged()


def test_unknown_sub_option_is_passed_over(mn: MnStage) -> None:
    mn.ack(mn.sc.hif_bu_list[0].mbu_seqno, more=(OtherSubOpt(0x77, b"what"),))
    assert state(mn) == MIP6_BU_REG_STATE_REG


def test_authentication_that_cannot_be_checked_is_no_authentication(mn: MnStage) -> None:
    mn.mip6.config.mcfg_use_authdata = 1
    mn.ack(mn.sc.hif_bu_list[0].mbu_seqno, more=(AuthData(1600, bytes(12)),))
    assert state(mn) == MIP6_BU_REG_STATE_REGWAITACK
    failed = f"mip6.c: authenticate binding ack failed from host {HA}"
    assert f"{failed}: no security association" in mn.logged()
    assert mn.drops() == {"MIP6_BANOSA": 1}


def test_lifetime_zero_is_told_and_registered_again(mn: MnStage) -> None:
    mn.ack(mn.sc.hif_bu_list[0].mbu_seqno, lifetime=0)
    assert "mip6.c: lifetime are zero." in mn.logged()
    mn.wait(12)
    assert mn.updates()


def test_correspondent_node_passes_over_acknowledgements_and_requests() -> None:
    cn = MnStage(enable=False)
    cn.arrive()
    cn.forget()
    cn.ack(1, coa=COA, hoa=COA)
    cn.request(HA, coa=COA, hoa=COA)
    assert cn.kern.stats.ip6["ip6s_badoptions"] == 0


def test_malformed_request_is_ignored(mn: MnStage) -> None:
    #           BR len 2: a sub-option longer than its option
    octets(mn, "3b 00 08 02 02 09 01 00".replace(" 01 00", " 00 00"))
    assert "mip6.c: an invalid binding request received.  ignore this." in mn.logged()
