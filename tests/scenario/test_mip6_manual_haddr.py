# SPDX-License-Identifier: BSD-3-Clause
"""Home addresses that the user chooses: mip6control -I."""

from __future__ import annotations

import json

import pytest

from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_REG
from kame_py.mip6.mip6_var import mip6_state
from kame_py.netinet6.in6_var import IN6_IFF_DUPLICATED, IN6_IFF_TENTATIVE
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCAHOMEPREFIX_HIF
from tests.scenario.mip6words import FLAGS
from tests.scenario.mnstage import (
    COA,
    FOREIGN,
    HA,
    HA_LL,
    HA_MAC,
    HOA,
    HOME,
    PLTIME,
    VLTIME,
    MnStage,
    hao_of,
)
from tests.scenario.test_mip6_mn_world import CN, COA1, Net
from tests.scenario.tester import ROUTER_MAC
from tests.scenario.words import addr, is_, na, tll

CHOSEN = "2001:db8:1::77"
SECOND = "2001:db8:1:8::"
WORLD_PREFIX = "-H 2001:db8:1:: -P 64"


def typed(mn: MnStage, words: str) -> tuple[int, str]:
    result = mn.nut.run(f"mip6control {words}")
    mn.settle()
    return result.status, result.out + result.err


def haddrs(mn: MnStage) -> set[str]:
    return {ntop(mpfx.mpfx_haddr) for ms in mn.sc.hif_hs_list_home for mpfx in ms.ms_mspfx_list}


def registered(mn: MnStage) -> set[tuple[str, int]]:
    """Home address and lifetime of each update to the home agent since the last look."""
    sent = mn.updates()
    return {(hao_of(p), u.lifetime_s) for _, u, p in sent if p.hops[0] == HA}


# -- a world ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{WORLD_PREFIX} -I {CHOSEN}", ""),
        (f"-I ::77 {WORLD_PREFIX}", ""),
        (WORLD_PREFIX, "-I ::77"),
        ("-I ::77", WORLD_PREFIX),
        ("", f"{WORLD_PREFIX} -I {CHOSEN}"),
    ],
)
def test_a_day_with_a_chosen_home_address(before: str, after: str) -> None:
    """Home, away, home again; the ping to the chosen address is answered all the time."""
    net = Net(configure=f"mip6control {before}")
    assert net.mn.run(f"mip6control {after}").status == 0
    net.world.run_for(15)
    assert net.lost(dst=CHOSEN) == 0
    net.move("one")
    assert net.reg_states() == [(HA, MIP6_BU_REG_STATE_REG)]
    assert net.lost(dst=CHOSEN) == 0
    cache = net.ha.run("mip6control -cln").out
    assert f"{CHOSEN:<31} {COA1:<31} {HA:<31} AHD" in cache
    assert net.cn.run("mip6control -cln").out.splitlines()[1].split()[:2] == [CHOSEN, COA1]
    net.move("two")
    assert net.lost(dst=CHOSEN) == 0
    net.move("home")
    assert net.reg_states() == []
    assert net.lost(dst=CHOSEN) == 0
    assert mip6_state(net.ha.kernel).mip6_hrbc_list == {}


def test_ping_over_the_journey_loses_only_the_handovers() -> None:
    net = Net(configure=f"mip6control {WORLD_PREFIX} -I {CHOSEN}")
    ping = net.cn.start(f"ping6 -c 40 {CHOSEN}")
    net.move("one")
    net.move("home", 30)
    answered = ping.output.count("bytes from")
    assert answered >= 40 - 2 * 8


def test_mobile_node_calls_from_the_chosen_address() -> None:
    net = Net(configure=f"mip6control {WORLD_PREFIX} -I {CHOSEN}")
    net.move("one")
    net.tap.frames.clear()
    assert net.mn.run(f"ping6 -c 2 {CN}").out.startswith(
        f"PING6(56=40+8+8 bytes) {CHOSEN} --> {CN}"
    )


def test_home_agent_that_finds_a_duplicate_ends_the_chosen_address() -> None:
    net = Net(had=True, configure=f"mip6control {WORLD_PREFIX} -I {CHOSEN}")
    other = net.world.add_node("other")
    other.attach("fxp0", net.world.links["home"])
    net.move("one", 0)
    other.run(f"ifconfig fxp0 inet6 {CHOSEN} prefixlen 64 alias")
    other.run("ifconfig fxp0 inet6 fe80::77%fxp0 prefixlen 64 alias")
    net.world.run_for(15)
    assert net.reg_states() == []
    log = [line.text for line in net.mn.kernel.log.lines]
    assert f"home address {CHOSEN} is used by another node." in log
    assert net.mn.run("mip6control -I ::78").status == 0
    net.world.run_for(5)
    assert net.reg_states() == [(HA, MIP6_BU_REG_STATE_REG)]
    assert net.lost(dst="2001:db8:1::78") == 0


# -- on a link that is the tester's -----------------------------------------------------------


def test_identifier_is_for_every_home_prefix_also_of_later_ones() -> None:
    mn = MnStage(enable=False)
    assert typed(mn, "-I ::77") == (0, "")
    assert haddrs(mn) == {CHOSEN}
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(SECOND), 64, VLTIME, PLTIME))
    assert haddrs(mn) == {CHOSEN, SECOND + "77"}
    assert typed(mn, "-I ::") == (0, "")
    assert haddrs(mn) == {HOA, HOA.replace("1:0:", "1:8:")}


def test_whole_address_is_for_its_prefix_and_stays_when_identifiers_change() -> None:
    mn = MnStage(enable=False)
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(SECOND), 64, VLTIME, PLTIME))
    assert typed(mn, f"-I {CHOSEN}") == (0, "")
    assert typed(mn, "-I ::5") == (0, "")
    assert haddrs(mn) == {CHOSEN, SECOND + "5"}


def test_longest_home_prefix_that_covers_the_address_has_it() -> None:
    mn = MnStage(enable=False)
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 48, VLTIME, PLTIME))
    assert typed(mn, f"-I {CHOSEN}") == (0, "")
    rows = {p.mpfx_prefixlen: ntop(p.mpfx_haddr) for p in mn.mip6.mip6_prefix_list}
    assert rows == {48: HOA, 64: CHOSEN}


def test_identifier_fits_below_a_prefix_longer_than_64() -> None:
    mn = MnStage(home="", ha="", enable=False)
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr("2001:db8:1::a:0"), 112, VLTIME, PLTIME))
    assert haddrs(mn) == {"::"}
    assert typed(mn, "-I ::77") == (0, "")
    assert haddrs(mn) == {"2001:db8:1::a:77"}
    assert typed(mn, "-I ::1:77") == (0, "")
    assert haddrs(mn) == {"::"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-I 2001:db8:9::77", "2001:db8:9::77: no home prefix covers it"),
        (f"-I {HA}", f"{HA}: a home agent has it"),
        ("-I ::1", "::1: a home agent has it"),
        (f"-I {HOME}", f"{HOME}: not possible as a home address"),
        ("-I fe80::77", "fe80::77: not possible as a home address"),
        ("-I ff02::77", "ff02::77: not possible as a home address"),
        (
            "-I ::fdff:ffff:ffff:fffe",
            "::fdff:ffff:ffff:fffe: not possible as a home address",
        ),
        (
            "-I 2001:db8:1:0:fdff:ffff:ffff:ff80",
            "2001:db8:1:0:fdff:ffff:ffff:ff80: not possible as a home address",
        ),
        (
            "-H 2001:db8:4:: -P 64 -I 2001:db8:4::",
            "2001:db8:4::: not possible as a home address",
        ),
        ("-I nonsense", "nonsense: hostname nor servname provided, or not known"),
        ("-i hif7 -I ::77", "hif7: not found"),
        ("-i fxp0 -I ::77", "fxp0: not found"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(words: str, says: str) -> None:
    mn = MnStage()
    assert typed(mn, words) == (1, f"mip6control: {says}\n")
    assert haddrs(mn) == {HOA}
    assert mn.sc.hif_ifid == bytes(16)


def test_tables_show_the_chosen_address() -> None:
    mn = MnStage()
    before = json.loads(typed(mn, "-h --json")[1])["home_prefixes"][0]
    typed(mn, f"-I {CHOSEN}")
    after = json.loads(typed(mn, "-h --json")[1])["home_prefixes"][0]
    assert (before["haddr"], before["haddr_manual"]) == (HOA, False)
    assert (after["haddr"], after["haddr_manual"]) == (CHOSEN, True)
    assert typed(mn, "-hln")[1].splitlines()[1].split()[-1] == CHOSEN


def test_change_abroad_takes_leave_of_the_old_address_and_registers_the_new_one() -> None:
    mn = MnStage()
    mn.abroad()
    assert typed(mn, "-I ::77") == (0, "")
    assert registered(mn) == {(HOA, 0)}
    assert mn.hifs() == [CHOSEN]
    mn.wait(1.1)
    ((_, update, packet),) = mn.updates()
    assert (hao_of(packet), packet.src, bool(update.lifetime_s)) == (CHOSEN, COA, True)
    assert update.flags & FLAGS["D"]
    assert not update.flags & FLAGS["S"]
    assert [ntop(bu.mbu_haddr) for bu in mn.sc.hif_bu_list] == [CHOSEN]


def test_same_choice_again_says_nothing() -> None:
    mn = MnStage()
    mn.abroad()
    typed(mn, "-I ::77")
    mn.wait(1.1)
    mn.ack(mn.updates()[-1][1].seqno, hoa=CHOSEN)
    for words in ("-I ::77", f"-I {CHOSEN}", f"-I {CHOSEN} -H {HOME} -P 64"):
        assert typed(mn, words) == (0, "")
    bu = mn.entry_of(HA, CHOSEN)
    assert bu is not None and registered(mn) <= {(CHOSEN, bu.mbu_lifetime)}


def test_addresses_of_different_identifiers_are_registered_singly() -> None:
    """With S clear the home agent would form addresses that nobody has."""
    mn = MnStage()
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(SECOND), 64, VLTIME, PLTIME))
    home, second = mn.sc.hif_hs_list_home
    home.ms_mspfx_list += second.ms_mspfx_list  # one link, as an advertisement of both tells
    mn.sc.hif_hs_list_home.remove(second)
    mn.mip6.mip6_subnet_list.remove(second)
    typed(mn, f"-I {CHOSEN}")
    mn.arrive()
    flags = {hao_of(p): bool(u.flags & FLAGS["S"]) for _, u, p in mn.updates()}
    assert flags == {CHOSEN: True, HOA.replace("1:0:", "1:8:"): True}


# -- at home ----------------------------------------------------------------------------------


def at_home(mn: MnStage, *prefixes: str) -> None:
    mn.tn.neighbours = {HA_LL: HA_MAC}
    for prefix in prefixes or (HOME,):
        mn.advertise(prefix, HA_LL, HA_MAC, flags=0x20)
    mn.wait(3)


def test_at_home_the_chosen_address_is_tested_and_used() -> None:
    mn = MnStage()
    at_home(mn)
    mn.forget()
    typed(mn, "-I ::77")
    ia = mn.kern.ip6.ifaddrs[addr(CHOSEN)]
    assert ia.ia_ifp.if_name == "fxp0" and ia.ia6_flags & IN6_IFF_TENTATIVE
    mn.wait(3)
    assert [h.facts()["target"] for h in mn.find(is_("ns", src="::"))] == [CHOSEN]
    assert not ia.ia6_flags & IN6_IFF_TENTATIVE
    assert addr(HOA) in mn.kern.ip6.ifaddrs  # autoconfigured: an address like others
    typed(mn, "-I ::78")
    assert addr(CHOSEN) not in mn.kern.ip6.ifaddrs
    assert addr("2001:db8:1::78") in mn.kern.ip6.ifaddrs


def test_at_home_the_identifier_also_makes_addresses_below_prefixes_heard_later() -> None:
    mn = MnStage()
    typed(mn, "-I ::77")
    at_home(mn, HOME, SECOND)
    assert {addr(CHOSEN), addr(SECOND + "77")} <= set(mn.kern.ip6.ifaddrs)
    mn.arrive(FOREIGN)
    assert set(mn.hifs()) == {CHOSEN, SECOND + "77"}


def test_duplicate_at_home_is_not_used() -> None:
    mn = MnStage()
    at_home(mn)
    typed(mn, "-I ::77")
    mn.send(na(CHOSEN, "O", CHOSEN, "ff02::1", tll(ROUTER_MAC)), ROUTER_MAC)
    assert mn.kern.ip6.ifaddrs[addr(CHOSEN)].ia6_flags & IN6_IFF_DUPLICATED


def test_switching_off_forgets_the_choice() -> None:
    mn = MnStage()
    typed(mn, "-I ::77")
    typed(mn, "-M")
    typed(mn, f"-H {HOME} -P 64")
    assert haddrs(mn) == {HOA}
