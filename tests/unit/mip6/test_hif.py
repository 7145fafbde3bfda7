# SPDX-License-Identifier: BSD-3-Clause
"""The home interface: attaching, what is routed to it, its configuration."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import m_get
from kame_py.net.if_ import IFF_MULTICAST, IFF_SIMPLEX, IFT_HIF
from kame_py.wire.errno import EINVAL, ENXIO, KError
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import (
    SIOCAHOMEAGENT_HIF,
    SIOCAHOMEPREFIX_HIF,
    SIOCSMIP6CFG_DISABLEMN,
)
from tests.scenario.mnstage import (
    COA,
    FOREIGN,
    HA,
    HA_LL,
    HOA,
    HOME,
    KERNEL,
    PLTIME,
    VLTIME,
    MnStage,
)
from tests.scenario.words import addr, echo

TWO = KERNEL.replace("hif 1", "hif 2")


def test_kernel_has_as_many_home_interfaces_as_were_configured() -> None:
    mn = MnStage(kernel=TWO)
    hifs = [ifp for ifp in mn.kern.ifnets if ifp.if_type == IFT_HIF]
    assert [(ifp.if_name, ifp.if_mtu, ifp.if_flags) for ifp in hifs] == [
        ("hif0", 1500, IFF_MULTICAST | IFF_SIMPLEX),
        ("hif1", 1500, IFF_MULTICAST | IFF_SIMPLEX),
    ]


def test_what_is_routed_to_a_home_interface_is_counted_and_dropped() -> None:
    mn = MnStage()
    mn.abroad()
    ifp = mn.sc.hif_if
    before = ifp.if_data.ifi_opackets
    m = m_get(mn.kern, echo(HOA, COA))
    ifp.if_output(mn.kern, ifp, m, addr(COA), None)
    assert ifp.if_data.ifi_opackets == before + 1
    assert mn.drops() == {"IF_OUTPUT": 1}


@pytest.mark.parametrize(
    ("prefix", "plen", "pltime"),
    [(HOME, 0, 1), (HOME, 129, 1), ("fe80::", 64, 1), ("ff02::", 16, 1), (HOME, 64, VLTIME + 1)],
)
def test_prefixes_that_cannot_be_home_are_refused(prefix: str, plen: int, pltime: int) -> None:
    mn = MnStage(home="", ha="")
    with pytest.raises(KError) as info:
        mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(prefix), plen, VLTIME, pltime))
    assert info.value.errno == EINVAL
    assert mn.mip6.mip6_prefix_list == []


@pytest.mark.parametrize(("name", "errno"), [("hif7", ENXIO), ("fxp0", EINVAL)])
def test_requests_about_other_interfaces_are_refused(name: str, errno: int) -> None:
    mn = MnStage()
    with pytest.raises(KError) as info:
        mn.ioctl(SIOCAHOMEPREFIX_HIF(name, addr(FOREIGN), 64, VLTIME, PLTIME))
    assert info.value.errno == errno


@pytest.mark.parametrize(
    ("lladdr", "gaddr"), [(HA, HA), (HA_LL, HA_LL), (HA_LL, "ff02::1"), (HA_LL, "2001:db8:77::1")]
)
def test_home_agents_that_cannot_be_are_refused(lladdr: str, gaddr: str) -> None:
    mn = MnStage(ha="")
    with pytest.raises(KError):
        mn.ioctl(SIOCAHOMEAGENT_HIF("hif0", addr(lladdr), addr(gaddr), 0x20, 0, 65535))
    assert mn.mip6.mip6_ha_list == []


def test_same_prefix_again_only_sets_its_lifetimes() -> None:
    mn = MnStage()
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 64, 500, 400))
    ((mpfx,),) = (ms.ms_mspfx_list for ms in mn.sc.hif_hs_list_home)
    assert (mpfx.mpfx_vltime, mpfx.mpfx_pltime) == (500, 400)


def test_home_of_one_interface_is_foreign_to_the_other() -> None:
    mn = MnStage(kernel=TWO)
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif1", addr(FOREIGN), 64, VLTIME, PLTIME))
    first, second = mn.mip6.hif_softc_list
    assert first.hif_hs_list_home == second.hif_hs_list_foreign
    assert second.hif_hs_list_home == first.hif_hs_list_foreign


def test_address_that_the_user_gave_the_home_interface_is_the_home_address() -> None:
    mn = MnStage(home="", ha="", enable=False)
    mn.run("ifconfig hif0 inet6 2001:db8:1::77 prefixlen 128 alias")
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 64, VLTIME, PLTIME))
    (mpfx,) = mn.mip6.mip6_prefix_list
    assert ntop(mpfx.mpfx_haddr) == "2001:db8:1::77"


def test_configured_home_agent_does_not_end() -> None:
    mn = MnStage()
    mn.wait(70000)
    assert [ntop(mha.mha_gaddr) for mha in mn.mip6.mip6_ha_list] == [HA]


def test_configured_prefix_does_not_end() -> None:
    mn = MnStage()
    mn.wait(70000)
    assert [ntop(p.mpfx_haddr) for p in mn.mip6.mip6_prefix_list] == [HOA]


def test_disabled_node_can_be_configured_again() -> None:
    mn = MnStage()
    mn.abroad()
    mn.configure(SIOCSMIP6CFG_DISABLEMN)
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 64, VLTIME, PLTIME))
    mn.agent(HA, HA_LL)
    assert mn.sc.hif_bu_list == []
    mn.configure(0)
    assert mn.hifs() == [HOA] and len(mn.sc.hif_bu_list) == 1
