# SPDX-License-Identifier: BSD-3-Clause
"""The octets of what a mobile node sends, against the vectors worked out by hand."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import m_get
from kame_py.mip6 import mip6_bu_output, mip6_bul
from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_REG
from kame_py.mip6.mip6_var import MIP6_BU_STATE_WAITSENT
from kame_py.netinet6.ip6_output import ip6_output
from kame_py.netinet6.ip6_var import Ip6Pktopts
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_DSTOPTS
from kame_py.wire.ip6ext import AlignedOpt, build_options, build_rthdr0
from kame_py.wire.mip6 import BindingUpdate
from tests.scenario.mip6words import seen
from tests.scenario.mnstage import CN, COA, HA, HOA, MnStage, hao_of
from tests.scenario.words import addr, ip6

HDR = Ip6Hdr.SIZE


@pytest.fixture
def mn() -> MnStage:
    mn = MnStage()
    mn.arrive()
    return mn


def test_registration_is_a_home_address_header_and_an_update_header(mn: MnStage) -> None:
    data = mn.updates()[0][0].packet
    head = Ip6Hdr.unpack(data)
    assert (head.ip6_src, head.ip6_dst, head.ip6_nxt) == (addr(COA), addr(HA), IPPROTO_DSTOPTS)
    hao, update = data[HDR : HDR + 24], data[HDR + 24 :]
    #      next len PadN(2)     HAO  length  home address
    assert hao == bytes.fromhex("3c 02 01 02 00 00 c9 10") + addr(HOA)
    #      none len BU len A|H|D reserved seq lifetime 65280 PadN(0)
    assert update == bytes.fromhex("3b 01 c6 08 d0 00 00 01 00 00 ff 00 01 02 00 00")


def test_update_comes_behind_the_senders_own_options(mn: MnStage) -> None:
    mn.acknowledge()
    mn.forget()
    own = AlignedOpt(bytes((0x1E, 2, 7, 7)))
    opt = Ip6Pktopts(ip6po_dest2=build_options(0, [own]))
    m = m_get(mn.kern, ip6(HOA, CN, b"x" * 8, 17))
    m.src, m.dst = addr(HOA), addr(CN)
    assert ip6_output(mn.kern, m, opt) == 0
    mn.settle()
    ((heard, update, packet),) = mn.updates()
    header = heard.packet[HDR + 24 : -8]
    # next len own option  BU at 4n+2 = 6, its 10 octets end with the header
    assert header[:8] == bytes((17, 1, 0x1E, 2, 7, 7, 0xC6, 8))
    assert len(header) == 16 and update.seqno == 1
    assert packet.rest == b"x" * 8


def test_routing_header_of_the_sender_stands_in_front_of_the_home_address(mn: MnStage) -> None:
    opt = Ip6Pktopts(ip6po_rthdr=build_rthdr0(59, [addr("2001:db8:5::5")], 1))
    m = m_get(mn.kern, ip6(HOA, CN))
    m.src, m.dst = addr(HOA), addr(CN)
    mn.forget()
    assert ip6_output(mn.kern, m, opt) == 0
    mn.settle()
    (heard,) = mn.take()
    packet = seen(heard)
    assert packet.hops == ("2001:db8:5::5", CN) and hao_of(packet) == HOA
    assert packet.src == COA


def test_options_that_fill_their_header_leave_no_room_and_the_update_waits(mn: MnStage) -> None:
    mn.acknowledge()
    mn.forget()
    full = [AlignedOpt(bytes((0x1E, 250)) + bytes(250))] * 8
    full.append(AlignedOpt(bytes((0x1E, 20)) + bytes(20)))
    opt = Ip6Pktopts(ip6po_dest2=build_options(0, full))
    m = m_get(mn.kern, ip6(HOA, CN))
    m.src, m.dst = addr(HOA), addr(CN)
    ip6_output(mn.kern, m, opt)
    mn.settle()
    bu = mn.entry_of(CN)
    assert bu is not None and bu.mbu_state & MIP6_BU_STATE_WAITSENT
    mn.forget()  # fragments of the long header
    mn.wait(1.1)
    assert len(mn.updates()) == 1


def test_lifetime_of_a_correspondent_ends_with_the_home_registration(mn: MnStage) -> None:
    mn.acknowledge(lifetime=100)
    hrbu = mn.entry_of(HA)
    assert hrbu is not None and hrbu.mbu_reg_state == MIP6_BU_REG_STATE_REG
    bu = mip6_bu_output.mip6_cn_bu_create(mn.kern, mn.sc, addr(CN), addr(HOA))
    assert bu is not None and bu.mbu_expire <= hrbu.mbu_bound_expire


def test_lifetime_of_an_unknown_address_is_nothing(mn: MnStage) -> None:
    assert mip6_bu_output.mip6_coa_get_lifetime(mn.kern, addr("2001:db8:77::1")) == 0


def test_peer_that_is_held_back_gets_no_entry(mn: MnStage) -> None:
    mn.acknowledge()
    mip6_bul.mip6_peer(mn.mip6, addr(CN)).hold = mn.now + 1
    assert mip6_bu_output.mip6_cn_bu_create(mn.kern, mn.sc, addr(CN), addr(HOA)) is None


def test_update_is_no_longer_than_needed(mn: MnStage) -> None:
    option = mip6_bu_output.mip6_bu_option(mn.kern, mn.sc.hif_bu_list[0], 1)
    assert (option.align, option.plus, len(option.data)) == (4, 2, 10)
    assert isinstance(mn.updates()[0][1], BindingUpdate)
