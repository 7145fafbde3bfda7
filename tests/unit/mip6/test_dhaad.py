# SPDX-License-Identifier: BSD-3-Clause
"""Home agents anycast addresses and the order of discovered home agents."""

from __future__ import annotations

import pytest

from kame_py.mip6.mip6_dhaad import mip6_ha_list_discovered, mip6_icmp6_create_haanyaddr
from kame_py.wire.in6addr import ntop
from tests.scenario.mnstage import HA, HA2, MnStage
from tests.scenario.words import addr


@pytest.mark.parametrize(
    ("prefix", "plen", "want"),
    [
        ("2001:db8:1:2::", 64, "2001:db8:1:2:fdff:ffff:ffff:fffe"),
        ("2001:db8:1:2::", 48, "2001:db8:1:ffff:ffff:ffff:ffff:fffe"),
        ("2001:db8:1:2::", 80, "2001:db8:1:2:0:ffff:ffff:fffe"),
    ],
)
def test_anycast_address_of_a_prefix(prefix: str, plen: int, want: str) -> None:
    assert ntop(mip6_icmp6_create_haanyaddr(addr(prefix), plen)) == want


def test_discovered_home_agents_come_first_in_the_order_of_the_reply() -> None:
    mn = MnStage()
    (ms,) = mn.sc.hif_hs_list_home
    mip6_ha_list_discovered(mn.kern, ms, [addr("2001:db8:1::3"), addr(HA2)])
    assert [ntop(m.mha_gaddr) for m in ms.ms_msha_list] == ["2001:db8:1::3", HA2, HA]
    assert [m.mha_lifetime for m in ms.ms_msha_list] == [1800, 1800, 65535]


def test_configured_home_agent_gets_no_end_by_discovery() -> None:
    mn = MnStage()
    (ms,) = mn.sc.hif_hs_list_home
    mip6_ha_list_discovered(mn.kern, ms, [addr(HA)])
    (mha,) = ms.ms_msha_list
    assert mha.mha_expire == 0


def test_invented_link_local_address_has_the_identifier_of_the_global_one() -> None:
    mn = MnStage(ha="")
    (ms,) = mn.sc.hif_hs_list_home
    mip6_ha_list_discovered(mn.kern, ms, [addr("2001:db8:1::aa:3")])
    assert ntop(ms.ms_msha_list[0].mha_lladdr) == "fe80::aa:3"
