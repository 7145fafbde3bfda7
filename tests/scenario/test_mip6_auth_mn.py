# SPDX-License-Identifier: BSD-3-Clause
"""Signed updates that a mobile node sends, signed answers that it takes (draft-15 s.4.4, s.10.13).

An answer that is refused takes its packet along and leaves the registration as it was.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.drop import REASONS
from kame_py.kern.mbuf import m_get
from kame_py.mip6 import mip6_bu_output
from kame_py.mip6.mip6_mnstate import (
    HIF_LOCATION_HOME,
    MIP6_BU_REG_STATE_REG,
    MIP6_BU_REG_STATE_REGWAITACK,
)
from kame_py.netinet6.ip6_output import ip6_output
from kame_py.netinet6.ip6_var import Ip6Pktopts
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_ROUTING,
    ND_RA_FLAG_HOME_AGENT,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCSMIP6CFG_DISABLEAUTHDATA
from kame_py.wire.ip6ext import AlignedOpt, build_options, build_rthdr0
from kame_py.wire.mip6 import AuthData, BindingAck, BindingUpdate, UniqueId
from kame_py.wire.mip6_draft15 import WIRE
from tests.scenario.authwords import (
    BA_AT,
    HOWTO_KEY,
    OTHER_KEY,
    Keys,
    ba_packet,
    mac_key,
    signed_ba,
    signed_by,
)
from tests.scenario.mip6words import FLAGS, Seen, seen
from tests.scenario.mnstage import (
    CN,
    COA,
    COA2,
    FOREIGN,
    HA,
    HA_LL,
    HA_MAC,
    HOA,
    HOME,
    MnStage,
    hao_of,
)
from tests.scenario.statwords import counted, member
from tests.scenario.tester import ALLNODES, ROUTER, ROUTER_MAC
from tests.scenario.words import Heard, addr, echo, ip6, na, tll

SPI: Final = 1500
BACK: Final = 1600
MAC: Final = mac_key(HOWTO_KEY)
OTHER_MAC: Final = mac_key(OTHER_KEY)
FORWARDER: Final = FOREIGN + "1"
NOAUTH_RETRY_S: Final = mip6_bu_output.NOAUTH_RETRY_S


class Secured(MnStage):
    """A mobile node with the HowTo's keys between its home address and its home agent."""

    def __init__(self, *, keys: bool = True) -> None:
        super().__init__(authdata=True)
        self.keys = Keys()
        self.kern.ipsec = self.keys
        self.keys.on_key_change(self.kern, partial(mip6_bu_output.mip6_key_changed, self.kern))
        if keys:
            self.howto()

    def howto(self) -> None:
        self.key(HOA, HA, SPI)
        self.key(HA, HOA, BACK)

    def key(self, src: str, dst: str, spi: int, key: bytes = HOWTO_KEY) -> None:
        """setkey: add src dst ah spi."""
        self.keys.add(src, dst, spi, key)
        self.settle()

    def answer(self, octets: bytes, src: str = HA) -> None:
        """An acknowledgement as octets, and a ping in the same packet."""
        ping = echo(src, HOA)[Ip6Hdr.SIZE :]
        header = build_options(IPPROTO_ICMPV6, [AlignedOpt(octets, 8, BA_AT)])
        rthdr = build_rthdr0(IPPROTO_DSTOPTS, [addr(HOA)], 1)
        coa = ntop(self.mip6.hif_coa)
        self.send(ip6(src, coa, rthdr + header + ping, IPPROTO_ROUTING), ROUTER_MAC)

    def registration(self) -> int:
        """Of the registration."""
        return self.sc.hif_bu_list[-1].mbu_reg_state

    def sent(self) -> int:
        """How many updates the home agent was sent."""
        return self.sc.hif_bu_list[-1].mbu_seqno

    def ack_now(self, lifetime: int = 3600) -> bytes:
        """A good answer to the last update."""
        seq = self.sc.hif_bu_list[-1].mbu_seqno
        return signed_ba(BindingAck(0, seq, lifetime, lifetime // 2), HOA, HA, BACK, MAC)

    def replies(self) -> list[Seen]:
        """Echo replies; their checksum is over the home address."""
        heard = self.take()
        return [seen(h) for h in heard if h.facts().get("icmp6") == "echoreply"]

    def refuses(self, octets: bytes, reason: str, said: str, src: str = HA) -> None:
        before = self.sc.hif_bu_list[-1]
        was = before.mbu_reg_state, before.mbu_lifetime, list(before.mbu_outstanding)
        self.forget()
        self.answer(octets, src)
        now = before.mbu_reg_state, before.mbu_lifetime, list(before.mbu_outstanding)
        assert self.drops() == {reason: 1}
        assert counted(self.kern) == {member(REASONS[reason]): 1}
        assert now == was and self.replies() == []
        assert any(said in line for line in self.logged())
        self.conserved()


@pytest.fixture
def mn() -> Secured:
    """It waits for the answer to its registration."""
    mn = Secured()
    mn.arrive()
    assert mn.registration() == MIP6_BU_REG_STATE_REGWAITACK
    return mn


def spoiled(octets: bytes, at: int) -> bytes:
    """One bit is another."""
    octet = octets[at] ^ 1
    return octets[:at] + bytes((octet,)) + octets[at:][1:]


def to(mn: MnStage, peer: str) -> list[tuple[Heard, BindingUpdate, Seen]]:
    return [u for u in mn.updates() if u[2].hops == (peer,)]


# -- updates --------------------------------------------------------------------------------------


def test_registration_is_signed_from_home_address_to_home_agent(mn: Secured) -> None:
    (_, update, packet), *_ = to(mn, HA)
    assert (packet.src, hao_of(packet)) == (COA, HOA)
    assert isinstance(update.subopts[-1], AuthData)
    assert signed_by(update, SPI, MAC, HA, COA, HOA)
    assert set(mn.keys.asked) == {(addr(HOA), addr(HA))}


def test_deregistration_is_signed_with_the_home_address_as_care_of_address(mn: Secured) -> None:
    mn.answer(mn.ack_now())
    mn.forget()
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HOME, HA_LL, HA_MAC)
    mn.wait(1.2)
    mn.advertise(HOME, HA_LL, HA_MAC)
    home = HIF_LOCATION_HOME
    assert mn.world.run_ns(mn.now + 10 * NS, lambda: mn.sc.hif_location == home)
    mn.wait(1.1)
    mn.send(na(HA, "RO", HA_LL, ALLNODES, tll(HA_MAC)), HA_MAC)
    (_, update, packet), *_ = to(mn, HA)
    assert (packet.src, update.lifetime_s) == (HOA, 0)
    assert signed_by(update, SPI, MAC, HA, HOA, HOA)


def test_unique_identifier_stands_in_front_of_authentication_data(mn: Secured) -> None:
    mn.answer(mn.ack_now())
    mn.forget()
    mn.request(HA, more=(UniqueId(0x1234),))
    mn.wait(1.1)
    (_, update, _), *_ = to(mn, HA)
    first, *_, last = update.subopts
    assert first == UniqueId(0x1234) and isinstance(last, AuthData)
    assert signed_by(update, SPI, MAC, HA, COA, HOA)


def test_update_behind_other_options_is_placed_so_that_its_code_is_aligned(mn: Secured) -> None:
    """Four octets of options would do for the update alone (4n+2); the code wants 8n+6."""
    mn.answer(mn.ack_now())
    mn.key(HOA, CN, 1501)
    mn.forget()
    opt = Ip6Pktopts(ip6po_dest2=build_options(0, [AlignedOpt(bytes((0x1E, 2, 7, 7)))]))
    m = m_get(mn.kern, ip6(HOA, CN, b"x" * 8, 17))
    m.src, m.dst = addr(HOA), addr(CN)
    assert ip6_output(mn.kern, m, opt) == 0
    mn.settle()
    ((heard, update, packet),) = to(mn, CN)
    assert signed_by(update, 1501, MAC, CN, COA, HOA) and packet.rest == b"x" * 8
    #                     next len own option  PadN(2)    BU: 8n+2
    header = heard.packet[Ip6Hdr.SIZE + 24 :]
    assert header[:12] == bytes((17, 4, 0x1E, 2, 7, 7, 1, 2, 0, 0, 0xC6, 0x1C))
    assert (10 + len(WIRE.build_option(update)) - 12 - 6) % 8 == 6


def test_home_agent_of_the_link_that_was_left_gets_a_signed_update(mn: Secured) -> None:
    """s.10.10: in the name of the previous care-of address, by a key for that."""
    mn.tn.neighbours = {ROUTER: ROUTER_MAC}
    mn.advertise(FORWARDER, ROUTER, ROUTER_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR")
    mn.wait(1.2)
    mn.answer(mn.ack_now())
    mn.key(COA, FORWARDER, 1900, OTHER_KEY)
    mn.key(FORWARDER, COA, 1901, OTHER_KEY)
    mn.wait(2)
    mn.forget()
    mn.elsewhere()
    (_, update, packet), *_ = to(mn, FORWARDER)
    assert (hao_of(packet), packet.src) == (COA, COA2)
    assert update.flags & FLAGS["H"] and packet.hops == (FORWARDER,)
    assert signed_by(update, 1900, OTHER_MAC, FORWARDER, COA2, COA)
    ack = signed_ba(BindingAck(0, update.seqno, 60, 30), COA, FORWARDER, 1901, OTHER_MAC)
    mn.send(ba_packet(FORWARDER, COA2, COA, ack), ROUTER_MAC)
    entry = mn.entry_of(FORWARDER, COA)
    assert entry is not None and entry.mbu_tunnel and mn.drops() == {}


# -- without a key --------------------------------------------------------------------------------


def test_update_without_key_is_held_and_leaves_in_the_second_after_the_key_came() -> None:
    mn = Secured(keys=False)
    mn.arrive()
    mn.until(-(-mn.now // NS) * NS + NS // 2)
    mn.forget()
    mn.key("2001:db8::1", "2001:db8::2", 1000)  # somebody else's
    mn.wait(1)
    assert mn.updates() == []
    mn.howto()
    mn.until(-(-mn.now // NS) * NS - 1)
    assert mn.sent() == 0
    mn.until(mn.now + 1)
    assert mn.sent() == 1
    mn.wait(1)  # the router's address is looked up first
    (_, update, _), *_ = to(mn, HA)
    assert signed_by(update, SPI, MAC, HA, COA, HOA)
    told = [line for line in mn.logged() if "authdata create failed." in line]
    assert len(told) == 1 and f"from {HOA} to {HA}" in told[0]


def test_held_update_leaves_in_the_next_second_without_key_when_none_is_wanted_any_more() -> None:
    mn = Secured(keys=False)
    mn.arrive()
    mn.configure(SIOCSMIP6CFG_DISABLEAUTHDATA)
    mn.until(-(-mn.now // NS) * NS)
    assert mn.sent() == 1
    mn.wait(1)
    assert not any(isinstance(sub, AuthData) for _, u, _ in to(mn, HA) for sub in u.subopts)


def test_key_that_nobody_told_of_is_found_after_ten_seconds() -> None:
    mn = Secured(keys=False)
    mn.arrive()
    mn.keys.changed.clear()
    mn.howto()
    again = -(-mn.sc.hif_bu_list[-1].mbu_hold // NS) * NS
    assert NOAUTH_RETRY_S - 6 < (again - mn.now) / NS <= NOAUTH_RETRY_S
    mn.until(again - 1)
    assert mn.sent() == 0
    mn.until(again)
    assert mn.sent() == 1


@pytest.mark.parametrize("member,value", [("spi", 0), ("icvlen", 10), ("icvlen", 0)])
def test_association_that_may_not_sign_is_none(member: str, value: int) -> None:
    """s.5.6: index 0 is no index, and the code is a number of words of 32 bits, not none."""
    mn = Secured()
    setattr(mn.keys.sad[0], member, value)
    mn.arrive()
    assert mn.updates() == [] and mn.sent() == 0
    assert any("authdata create failed." in line for line in mn.logged())


def test_packets_to_a_correspondent_without_key_carry_the_home_address_and_no_update(
    mn: Secured,
) -> None:
    mn.answer(mn.ack_now())
    mn.forget()
    for _ in range(3):
        mn.tunnel(echo(CN, HOA))
        mn.wait(1)
    packets = mn.replies()
    assert len(packets) == 3
    assert {(p.src, hao_of(p), len(p.options)) for p in packets} == {(COA, HOA, 1)}
    told = [line for line in mn.logged() if "authdata create failed." in line]
    assert len(told) == 1 and CN in told[0]
    mn.key(HOA, CN, 1501)
    mn.wait(2)
    ((_, update, _),) = to(mn, CN)
    assert signed_by(update, 1501, MAC, CN, COA, HOA)


def test_key_that_goes_is_missed_and_told_of_again(mn: Secured) -> None:
    mn.answer(mn.ack_now(lifetime=20))
    mn.forget()
    for times in (1, 2):
        mn.keys.flush()
        mn.wait(15)
        assert mn.updates() == []
        told = [line for line in mn.logged() if "authdata create failed." in line]
        assert len(told) == times
        mn.howto()
        mn.wait(1)
        assert to(mn, HA)


# -- acknowledgements -----------------------------------------------------------------------------


@pytest.mark.parametrize("reserved", [False, True])
def test_signed_answer_is_taken_in_the_drafts_form_and_in_kames(
    mn: Secured, reserved: bool
) -> None:
    seq = mn.sc.hif_bu_list[0].mbu_seqno
    mn.forget()
    mn.answer(signed_ba(BindingAck(0, seq, 3600, 1800), HOA, HA, BACK, MAC, reserved))
    assert mn.registration() == MIP6_BU_REG_STATE_REG and mn.drops() == {}
    assert mn.replies()  # and the rest of the packet counts, too


def test_answer_by_another_key_has_a_wrong_digest(mn: Secured) -> None:
    said = f"authenticate binding ack failed from host {HA}: wrong code"
    octets = signed_ba(BindingAck(0, 1, 3600, 1800), HOA, HA, BACK, OTHER_MAC)
    mn.refuses(octets, "MIP6_BABADAUTH", said)


@pytest.mark.parametrize("at", [2, 4, 8, 12])  # status, number, lifetime, refresh
def test_changed_answer_has_a_wrong_digest(mn: Secured, at: int) -> None:
    said = f"authenticate binding ack failed from host {HA}"
    mn.refuses(spoiled(mn.ack_now(), at), "MIP6_BABADAUTH", said)


def test_stripped_answer_is_without_protection(mn: Secured) -> None:
    seq = mn.sc.hif_bu_list[0].mbu_seqno
    octets = WIRE.build_option(BindingAck(0, seq, 3600, 1800))
    mn.refuses(octets, "MIP6_BANOAUTH", f"an unprotected binding ack from host {HA}")


def test_answer_by_an_unknown_key_has_no_association(mn: Secured) -> None:
    octets = signed_ba(BindingAck(0, 1, 3600, 1800), HOA, HA, 1777, MAC)
    mn.refuses(octets, "MIP6_BANOSA", ": no security association")


def test_holder_of_another_key_cannot_answer_for_the_home_agent(mn: Secured) -> None:
    mn.key(CN, HOA, 1601, OTHER_KEY)
    seq = mn.sc.hif_bu_list[0].mbu_seqno
    octets = signed_ba(BindingAck(0, seq, 3600, 1800), HOA, HA, 1601, OTHER_MAC)
    mn.refuses(octets, "MIP6_BAWRONGSA", ": the security association is another host's")


def test_replayed_answer_answers_nothing(mn: Secured) -> None:
    old = mn.ack_now(lifetime=100)
    mn.answer(old)
    assert mn.registration() == MIP6_BU_REG_STATE_REG
    mn.refuses(old, "MIP6_BASEQNO", "unmached sequence no")


def test_wrong_digest_is_found_before_a_wrong_number(mn: Secured) -> None:
    octets = signed_ba(BindingAck(0, 99, 3600, 1800), HOA, HA, BACK, OTHER_MAC)
    mn.refuses(octets, "MIP6_BABADAUTH", "authenticate binding ack failed")
    assert not any("unmached" in line for line in mn.logged())


def test_forged_answer_about_an_old_number_does_not_change_the_numbers(mn: Secured) -> None:
    """Status 141 carries a number to go on from: only the home agent may name it."""
    said = f"an unprotected binding ack from host {HA}"
    mn.refuses(WIRE.build_option(BindingAck(141, 77, 0, 0)), "MIP6_BANOAUTH", said)
    assert mn.mip6.mip6_peers[addr(HA)].seqno < 77
    mn.answer(signed_ba(BindingAck(141, 77, 0, 0), HOA, HA, BACK, MAC))
    mn.wait(2)
    (_, update, _), *_ = to(mn, HA)[-1:]
    assert update.seqno > 77
