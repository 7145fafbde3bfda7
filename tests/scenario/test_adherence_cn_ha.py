# SPDX-License-Identifier: BSD-3-Clause
"""What draft-15 asks of correspondents and home agents, where no other story tells it (s.4-9).

First a correspondent behind a router, then a home agent between its home link and a foreign one.
"""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.kern.mbuf import m_get
from kame_py.net.route import RTF_GATEWAY, RTF_STATIC, RTM_ADD, rtrequest
from kame_py.netinet6.ip6_output import ip6_output
from kame_py.netinet6.ip6_var import Ip6Pktopts
from kame_py.netinet6.nd6_prefix import in6_init_prefix_ltimes
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_FRAGMENT
from kame_py.wire.ip6ext import AlignedOpt, build_options, build_rthdr0, walk
from kame_py.wire.mip6 import AltCoa, AuthData, BindingUpdate, OtherSubOpt, SubOpt, UniqueId
from kame_py.wire.mip6_draft15 import WIRE
from tests.scenario.mip6words import (
    NONE,
    bindings,
    bu,
    home_agent,
    mobility,
    seen,
    unprotected,
    update,
    with_hao,
)
from tests.scenario.mnstage import CN as MN_PEER
from tests.scenario.mnstage import COA as MN_COA
from tests.scenario.mnstage import FOREIGN, MnStage
from tests.scenario.tester import (
    GLOBAL,
    GLOBAL2,
    PEER_G,
    PEER_MAC,
    PEER_MAC2,
    ROUTER,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import addr, echo, is_, na, ns, sll, tll, udp

HOA: Final = "2001:db8:9::10"
COA: Final = "2001:db8:5::10"
COA2: Final = "2001:db8:6::10"
COA3: Final = "2001:db8:6::11"
HERE: Final = "2001:db8:1::10"  # a home address on the link of the node under test
ABROAD: Final = "2001:db8:2::9"  # on the foreign link of the home agent
ABROAD2: Final = "2001:db8:2::a"
INTERVAL: Final = bytes((7, 1, 0, 0, 0, 0, 5, 220))
HAINFO: Final = bytes((8, 1, 0, 0, 0, 9, 7, 8))


@pytest.fixture
def cn() -> Stage:
    """A correspondent with a default route, which asks for no authentication."""
    return correspondent()


def correspondent() -> Stage:
    stage = Stage(globals_=True, kernel="options MIP6")
    stage.tn.neighbours[ROUTER] = ROUTER_MAC
    flags = RTF_GATEWAY | RTF_STATIC
    rtrequest(stage.kern, RTM_ADD, bytes(16), 0, stage.kernel_form(ROUTER), flags)
    unprotected(stage)
    stage.send(echo(ROUTER, GLOBAL), ROUTER_MAC)
    stage.forget()
    return stage


@pytest.fixture
def ha() -> Stage:
    """A home agent; the home link is ``lan``, the mobile node is away on ``lan2``."""
    stage = Stage(router=True, links=2, globals_=True, kernel="options MIP6")
    home_agent(stage)
    stage.tn.neighbours[PEER_G] = PEER_MAC
    stage.tn2.neighbours[ABROAD] = stage.tn2.neighbours[ABROAD2] = PEER_MAC2
    stage.send2(echo(ABROAD, GLOBAL2), PEER_MAC2)
    stage.send2(echo(ABROAD2, GLOBAL2), PEER_MAC2)
    stage.take(stage.tn2)
    stage.forget()
    return stage


def ping(src: str, home: str = HOA) -> bytes:
    """An echo request of a mobile node that is away at ``src``."""
    return with_hao(src, GLOBAL, home, echo(home, GLOBAL)[40:], 58)


def hops_of_reply(stage: Stage, home: str = HOA) -> tuple[str, ...]:
    """The way of what this node itself sends to the home address."""
    stage.send(ping(COA2, home), ROUTER_MAC)
    return seen(stage.only()).hops


# -- the binding cache ----------------------------------------------------------------------------


def test_binding_comes_before_the_neighbour_cache(cn: Stage) -> None:
    """The mobile node was a neighbour and its link-layer address is still known."""
    cn.tn.neighbours[HERE] = PEER_MAC
    cn.send(echo(HERE, GLOBAL))
    assert seen(cn.find(is_("echoreply"))[0]).hops == (HERE,)
    assert cn.state(HERE) in ("REACHABLE", "DELAY")
    cn.send(bu(COA, GLOBAL, HERE, flags=""), ROUTER_MAC)
    cn.forget()
    assert hops_of_reply(cn, HERE) == (COA, HERE)


def test_bindings_do_not_outlive_the_kernel(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags="", lifetime=100_000))
    assert bindings(cn) == {HOA: COA}
    again = correspondent()
    assert bindings(again) == {}
    assert hops_of_reply(again) == (HOA,)


def test_routing_header_that_begins_with_the_mobile_node_begins_with_its_care_of_address(
    cn: Stage,
) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    last = "2001:db8:7::1"
    m = m_get(cn.kern, udp(GLOBAL, last))
    m.src, m.dst = addr(GLOBAL), addr(last)
    ip6_output(cn.kern, m, Ip6Pktopts(ip6po_rthdr=build_rthdr0(NONE, [addr(HOA)], 1)))
    cn.settle()
    assert seen(cn.only()).hops == (COA, HOA, last)


@pytest.mark.parametrize("seq", [0, 1, 127, 128, 255])
def test_without_a_binding_every_number_will_do(cn: Stage, seq: int) -> None:
    cn.send(bu(COA, GLOBAL, HOA, seq=seq))
    assert seen(cn.only()).ba.status == 0
    cn.send(bu(COA, GLOBAL, HOA, seq=(seq + 1) & 255, lifetime=0))  # and after a deletion again
    cn.send(bu(COA2, GLOBAL, HOA, seq=seq))
    assert bindings(cn) == {HOA: COA2}


@pytest.mark.parametrize("coa,lifetime", [(COA, 0), (HOA, 60), (HOA, 0)])
def test_deletion_makes_no_entry(cn: Stage, coa: str, lifetime: int) -> None:
    """Lifetime 0, or the home address as care-of address; nothing was bound."""
    cn.send(bu(coa, GLOBAL, HOA, lifetime=lifetime))
    got = seen(cn.only())
    assert (got.ba.status, got.ba.lifetime_s) == (0, 0)
    assert bindings(cn) == {}
    assert mobility(cn).mip6_bc_list == {}


def test_rejection_has_no_payload_and_goes_by_the_updates_address_not_the_bindings(
    cn: Stage,
) -> None:
    cn.send(bu(COA, GLOBAL, HOA, seq=20, flags=""))
    before = mobility(cn).mip6_bc_list[addr(GLOBAL), addr(HOA)].mbc_expire
    cn.wait(5)
    for alternate, care_of in (("", COA2), (COA3, COA3)):
        cn.send(bu(COA2, GLOBAL, HOA, seq=3, flags="", alt=alternate))
        got = seen(cn.only())
        assert (got.hops, got.nxt, got.rest, got.ba.status) == ((care_of, HOA), NONE, b"", 141)
    assert bindings(cn) == {HOA: COA}
    assert mobility(cn).mip6_bc_list[addr(GLOBAL), addr(HOA)].mbc_expire == before


# -- options and sub-options ----------------------------------------------------------------------


def send_update(stage: Stage, value: BindingUpdate, *behind: AlignedOpt) -> None:
    header = build_options(NONE, [WIRE.aligned(value), *behind])
    stage.send(with_hao(COA, GLOBAL, HOA, header, IPPROTO_DSTOPTS))


def test_what_stands_behind_the_option_is_no_sub_option(cn: Stage) -> None:
    """An option to be skipped whose octets would do as an alternate care-of address."""
    alike = AlignedOpt(WIRE.build_subopt(AltCoa(addr(COA2))))
    send_update(cn, BindingUpdate(0x80, 1, 60), alike)
    assert bindings(cn) == {HOA: COA}


def test_sub_option_behind_an_unknown_one_counts(cn: Stage) -> None:
    more: tuple[SubOpt, ...] = (OtherSubOpt(0x7A, b"xyz"), AltCoa(addr(COA2)))
    send_update(cn, update(more=more))
    assert bindings(cn) == {HOA: COA2}


def test_every_sub_option_of_the_draft_is_known(cn: Stage) -> None:
    """Padding of one octet and of several, identifier, alternate address, authentication."""
    more: tuple[SubOpt, ...] = (UniqueId(7), AltCoa(addr(COA2)), AuthData(1500, bytes(12)))
    value = update(more=more)
    kinds = {type(sub).__name__ for sub in value.subopts}
    assert {"Pad", "UniqueId", "AltCoa", "AuthData"} <= kinds
    send_update(cn, value)
    assert bindings(cn) == {HOA: COA2}


@pytest.mark.parametrize("bits", [0x01, 0x0F])
def test_reserved_bits_of_an_update_are_ignored(cn: Stage, bits: int) -> None:
    send_update(cn, BindingUpdate(0x80 | bits, 1, 60, reserved=0xFF))
    assert seen(cn.only()).ba.status == 0
    assert bindings(cn) == {HOA: COA}


def test_acknowledgement_is_not_padded_to_eight_octets_and_is_aligned(cn: Stage) -> None:
    """4n+3, and as long as its members (s.5.2)."""
    cn.send(bu(COA, GLOBAL, HOA))
    packet = cn.only().packet
    head = Ip6Hdr.unpack(packet)
    chain = walk(packet, head.ip6_nxt, Ip6Hdr.SIZE, len(packet))
    dest = next(e for e in chain.headers if e.nxt_type == IPPROTO_DSTOPTS)
    header = packet[dest.off : dest.off + dest.len]
    at = header.index(bytes((7, 11)))
    assert at % 4 == 3
    assert header[at:][:2] == bytes((7, WIRE.ba_size - 2))


@pytest.mark.parametrize("options", [INTERVAL, HAINFO, INTERVAL + HAINFO])
def test_interval_and_home_agent_options_of_other_messages_mean_nothing(options: bytes) -> None:
    """In solicitations and advertisements of neighbours, to a mobile node."""
    mn = MnStage()
    mn.advertise(FOREIGN)
    mn.wait(6)
    state = mobility(mn)
    agents = [(mha.mha_lladdr, mha.mha_pref, mha.mha_lifetime) for mha in state.mip6_ha_list]
    mn.forget()
    mn.send(ns(MN_COA, ROUTER, sll(ROUTER_MAC) + options), ROUTER_MAC)
    assert len(mn.find(is_("na", target=MN_COA, dst=ROUTER))) == 1
    mn.send(na(ROUTER, "RSO", ROUTER, MN_COA, tll(ROUTER_MAC) + options), ROUTER_MAC)
    assert state.raintvl_ms == 0
    assert agents == [(h.mha_lladdr, h.mha_pref, h.mha_lifetime) for h in state.mip6_ha_list]


def test_home_address_option_stands_in_front_of_the_fragment_header() -> None:
    """A mobile node's packet that does not fit the link: every piece carries the option."""
    mn = MnStage()
    mn.advertise(FOREIGN)
    mn.wait(6)
    mn.acknowledge()
    mn.forget()
    mn.nut.run(f"ping6 -c 1 -s 2000 {MN_PEER}")  # nobody answers
    chains = []
    for heard in mn.take():
        head = Ip6Hdr.unpack(heard.packet)
        found = walk(heard.packet, head.ip6_nxt, Ip6Hdr.SIZE, len(heard.packet))
        kinds = [ext.nxt_type for ext in found.headers]
        if IPPROTO_FRAGMENT in kinds:
            chains.append(kinds[: kinds.index(IPPROTO_FRAGMENT)])
    assert chains == [[IPPROTO_DSTOPTS]] * 2


# -- the home agent -------------------------------------------------------------------------------


def register(
    ha: Stage, flags: str = "AHS", seq: int = 1, lifetime: int = 60, home: str = HERE
) -> None:
    ha.send2(bu(ABROAD, GLOBAL, home, seq, lifetime, flags), PEER_MAC2)
    ha.wait(3)


def test_home_registration_stays_when_the_cache_of_bindings_is_full(ha: Stage) -> None:
    mobility(ha).bc_maxentries = 1
    register(ha, lifetime=1000)
    for n in range(1, 5):
        ha.send2(bu(ABROAD2, GLOBAL, f"2001:db8:9::{n}", 1, 60, ""), PEER_MAC2)
    assert bindings(ha) == {HERE: ABROAD, "2001:db8:9::4": ABROAD2}


def test_registration_of_a_whole_link_lives_as_long_as_its_shortest_prefix(ha: Stage) -> None:
    ha.run("ifconfig fxp0 inet6 2001:db8:3::77 prefixlen 64 alias")
    ha.wait(5)
    short = next(p for p in ha.kern.nd6.prefixes if p.ndpr_prefix == addr("2001:db8:3::"))
    in6_init_prefix_ltimes(ha.kern, short, 45, 45)
    ha.take(ha.tn2)
    ha.send2(bu(ABROAD, GLOBAL, HERE, 1, 1000, "AH"), PEER_MAC2)
    granted = [seen(h).ba.lifetime_s for h in ha.take(ha.tn2)]
    assert granted == [45]
    assert {bc.mbc_lifetime for bc in mobility(ha).mip6_hrbc_list.values()} == {45}


def test_node_that_is_back_is_asked_for_its_link_layer_address(ha: Stage) -> None:
    """The proxy is gone; the acknowledgement waits for the answer of the mobile node itself."""
    register(ha, lifetime=1000)
    ha.take()
    ha.send(bu(HERE, GLOBAL, HERE, 2, 0, "AHS"), PEER_MAC2)
    ha.only(is_("ns", target=HERE))
    ha.send(na(HERE, "SO", HERE, GLOBAL, tll(PEER_MAC2)), PEER_MAC2)
    got = ha.only(is_(dst=HERE, dmac=PEER_MAC2))
    assert (seen(got).ba.status, seen(got).ba.lifetime_s) == (0, 0)
