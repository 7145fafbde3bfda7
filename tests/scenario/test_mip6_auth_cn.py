# SPDX-License-Identifier: BSD-3-Clause
"""Signed binding updates at correspondents and home agents (draft-15 s.4.4, s.8.2).

Each way to cheat has its own reason in the drops, and the binding stands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from kame_py.kern.drop import REASONS
from kame_py.kern.mbuf import M_AUTHIPDGM, M_AUTHIPHDR, m_get
from kame_py.net.route import RTF_GATEWAY, RTF_STATIC, RTM_ADD, rtrequest
from kame_py.netinet6.ip6_input import ip6_demux
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_ICMPV6, IPPROTO_NONE
from kame_py.wire.ioctl import (
    SIOCSMIP6CFG_DISABLEAUTHDATA,
    SIOCSMIP6CFG_ENABLEHA,
    SIOCSMIP6CFG_ENABLEIPSEC,
)
from kame_py.wire.ip6ext import AlignedOpt, build_options
from kame_py.wire.mip6 import AuthData, OtherSubOpt, UniqueId
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.pfkeyv2 import SADB_X_AALG_NULL
from tests.scenario.authwords import (
    BU_AT,
    HOWTO_KEY,
    OTHER_KEY,
    Keys,
    bu_packet,
    mac_key,
    signed_bu,
    signed_by,
)
from tests.scenario.mip6words import Seen, bindings, bu, configure, seen, update, with_hao
from tests.scenario.statwords import counted, member
from tests.scenario.tester import GLOBAL, PEER_MAC, ROUTER, ROUTER_MAC, Stage
from tests.scenario.words import addr, echo

MN: Final = "2001:db8:9::10"
AT1: Final = "2001:db8:5::10"
AT2: Final = "2001:db8:6::10"
MALLORY: Final = "2001:db8:bad::1"
SPI: Final = 1500
MALLORYS: Final = 1501
BACK: Final = 1600
MAC: Final = mac_key(HOWTO_KEY)
OTHER_MAC: Final = mac_key(OTHER_KEY)
ICV: Final = 12
AH: Final = M_AUTHIPHDR | M_AUTHIPDGM


class Secured(Stage):
    """A correspondent with a key for MN and another one for somebody else."""

    def __init__(self, kernel: str = "options MIP6\noptions MIP6_DEBUG") -> None:
        super().__init__(globals_=True, kernel=kernel)
        self.keys = Keys()
        self.kern.ipsec = self.keys
        self.keys.add(MN, GLOBAL, SPI)
        self.keys.add(GLOBAL, MN, BACK)
        self.keys.add(MALLORY, GLOBAL, MALLORYS, OTHER_KEY)
        self.tn.neighbours[ROUTER] = ROUTER_MAC
        flags = RTF_GATEWAY | RTF_STATIC
        rtrequest(self.kern, RTM_ADD, bytes(16), 0, self.kernel_form(ROUTER), flags)
        self.send(echo(ROUTER, GLOBAL), ROUTER_MAC)
        self.forget()

    def bound(self, seq: int = 20) -> None:
        """MN is away at AT1."""
        self.send(bu_packet(AT1, GLOBAL, MN, signed(seq, AT1)))
        assert bindings(self) == {MN: AT1} and self.drops() == {}
        self.forget()

    def refuses(self, option: bytes, reason: str, said: str = "", coa: str = AT2) -> None:
        """Nothing changes, nobody is answered, not even the ping behind the update."""
        ping = echo(MN, GLOBAL)[Ip6Hdr.SIZE :]
        header = build_options(IPPROTO_ICMPV6, [AlignedOpt(option, 8, BU_AT)])
        self.send(with_hao(coa, GLOBAL, MN, header + ping, IPPROTO_DSTOPTS))
        assert self.drops() == {reason: 1}
        assert counted(self.kern) == {member(REASONS[reason]): 1}
        self.nothing()
        assert bindings(self) == {MN: AT1}
        assert said in self.kern.log.dmesg()
        self.conserved()


@pytest.fixture
def cn() -> Secured:
    """It has a binding that began with number 20."""
    stage = Secured()
    stage.bound()
    return stage


def signed(seq: int = 21, coa: str = AT2, spi: int = SPI, flags: str = "") -> bytes:
    """A good update of MN, whatever its SPI says."""
    return signed_bu(update(seq, flags=flags), GLOBAL, coa, MN, spi, MAC)


def answers(stage: Stage) -> list[Seen]:
    return [s for s in map(seen, stage.take()) if s.options]


def spoiled(octets: bytes, at: int) -> bytes:
    """One bit is another."""
    octet = octets[at] ^ 1
    return octets[:at] + bytes((octet,)) + octets[at:][1:]


# -- what is good ---------------------------------------------------------------------------------


def test_signed_update_is_accepted_and_answered_by_a_signed_acknowledgement(cn: Secured) -> None:
    cn.send(bu_packet(AT2, GLOBAL, MN, signed(flags="A")))
    (got,) = answers(cn)
    assert bindings(cn) == {MN: AT2}
    assert (got.hops, got.ba.status) == ((AT2, MN), 0)
    assert signed_by(got.ba, BACK, MAC, MN, GLOBAL)
    assert isinstance(got.ba.subopts[-1], AuthData)
    assert cn.drops() == {}


def test_acknowledgement_covers_the_reserved_octet_with_kames_option() -> None:
    stage = Secured("options MIP6\noptions MIP6_AUTHDATA_KAME")
    stage.send(bu_packet(AT2, GLOBAL, MN, signed(flags="A")))
    (got,) = answers(stage)
    assert signed_by(got.ba, BACK, MAC, MN, GLOBAL, reserved=True)
    assert not signed_by(got.ba, BACK, MAC, MN, GLOBAL)


def test_keys_are_looked_up_by_home_address_and_never_by_care_of_address(cn: Secured) -> None:
    cn.send(bu_packet(AT2, GLOBAL, MN, signed(flags="A")))
    assert cn.keys.asked == [(addr(GLOBAL), addr(MN))]


def test_alternate_care_of_address_is_covered_beside_the_source(cn: Secured) -> None:
    option = signed_bu(update(21, flags="", alt=AT2), GLOBAL, AT1, MN, SPI, MAC)
    cn.send(bu_packet(AT1, GLOBAL, MN, option))
    assert bindings(cn) == {MN: AT2} and cn.drops() == {}


def test_deletion_is_signed_like_the_rest(cn: Secured) -> None:
    option = signed_bu(update(21, lifetime=0, flags=""), GLOBAL, MN, MN, SPI, MAC)
    cn.send(bu_packet(MN, GLOBAL, MN, option))
    assert bindings(cn) == {} and cn.drops() == {}


# -- what is not ----------------------------------------------------------------------------------


def test_another_key_by_one_bit_is_a_wrong_digest(cn: Secured) -> None:
    key = spoiled(HOWTO_KEY, 3)
    option = signed_bu(update(21, flags=""), GLOBAL, AT2, MN, SPI, mac_key(key))
    cn.refuses(option, "MIP6_BUBADAUTH", f"invalid authenticataion data from host {MN}")


def test_changed_lifetime_is_a_wrong_digest(cn: Secured) -> None:
    cn.refuses(spoiled(signed(), 9), "MIP6_BUBADAUTH")


def test_update_that_was_redirected_to_another_source_is_a_wrong_digest(cn: Secured) -> None:
    cn.refuses(signed(coa=AT1), "MIP6_BUBADAUTH", coa=AT2)


def test_replayed_update_is_answered_with_the_last_number_signed_and_dropped(cn: Secured) -> None:
    old = bu_packet(AT1, GLOBAL, MN, signed(20, AT1))
    cn.send(bu_packet(AT2, GLOBAL, MN, signed(21)))
    cn.forget()
    cn.send(old)
    (got,) = answers(cn)
    assert (got.ba.status, got.ba.seqno) == (141, 21)
    assert signed_by(got.ba, BACK, MAC, MN, GLOBAL)
    assert bindings(cn) == {MN: AT2} and cn.drops() == {"MIP6_BUSEQNO": 1}
    assert cn.kern.stats.ip6["ip6s_badoptions"] == 1


def test_old_number_under_a_wrong_digest_is_not_answered(cn: Secured) -> None:
    """The digest comes first: nobody fishes for numbers."""
    cn.refuses(spoiled(signed(19), -1), "MIP6_BUBADAUTH")


def test_holder_of_another_key_cannot_sign_for_a_home_address(cn: Secured) -> None:
    """KAME looked at destination and SPI alone."""
    option = signed_bu(update(21, flags=""), GLOBAL, AT2, MN, MALLORYS, OTHER_MAC)
    said = f"from host {MN}: the security association is another host's"
    cn.refuses(option, "MIP6_BUWRONGSA", said)


def test_unknown_spi_has_no_association(cn: Secured) -> None:
    said = f"from host {MN}: no security association"
    cn.refuses(signed(spi=1777), "MIP6_BUNOSA", said)


def test_spi_zero_has_no_association(cn: Secured) -> None:
    cn.refuses(signed(spi=0), "MIP6_BUNOSA")


def test_key_of_the_other_direction_does_not_count(cn: Secured) -> None:
    cn.refuses(signed(spi=BACK), "MIP6_BUNOSA")


def test_stripped_update_is_without_protection(cn: Secured) -> None:
    option = WIRE.build_option(update(21, flags=""))
    cn.refuses(option, "MIP6_BUNOAUTH", f"an unprotected binding update from host {MN}")


def test_shorter_digest_is_wrong(cn: Secured) -> None:
    """The association says how long it is; four octets could be guessed."""
    at = BU_AT + WIRE.bu_size
    subopts = WIRE.align_subopts((AuthData(SPI, bytes(4)),), at)
    head = WIRE.build_option(replace(update(21, flags=""), subopts=subopts))[:-4]
    digest = MAC.mac(addr(GLOBAL) + addr(AT2) + addr(MN) + head)
    cn.refuses(head + digest[:4], "MIP6_BUAUTHLEN", "wrong length")


def test_no_digest_at_all_is_wrong(cn: Secured) -> None:
    subopts = WIRE.align_subopts((AuthData(SPI, b""),), BU_AT + WIRE.bu_size)
    option = WIRE.build_option(replace(update(21, flags=""), subopts=subopts))
    cn.refuses(option, "MIP6_BUAUTHLEN")


@pytest.mark.parametrize("behind", [UniqueId(7), OtherSubOpt(0x77, b"xy")])
def test_nothing_may_stand_behind_authentication_data(
    cn: Secured, behind: UniqueId | OtherSubOpt
) -> None:
    at = BU_AT + WIRE.bu_size
    subopts = WIRE.align_subopts((AuthData(SPI, bytes(ICV)), behind), at)
    option = WIRE.build_option(replace(update(21, flags=""), subopts=subopts))
    tail = len(WIRE.build_subopt(behind))
    head = option[: -ICV - tail]
    digest = MAC.mac(addr(GLOBAL) + addr(AT2) + addr(MN) + head)
    cn.refuses(head + digest + option[-tail:], "MIP6_BUBADAUTH")


def test_null_algorithm_protects_nothing(cn: Secured) -> None:
    sa = cn.keys.add(MN, GLOBAL, 1900, b"", SADB_X_AALG_NULL)
    sa.icvlen = 0
    subopts = WIRE.align_subopts((AuthData(1900, b""),), BU_AT + WIRE.bu_size)
    option = WIRE.build_option(replace(update(21, flags=""), subopts=subopts))
    cn.refuses(option, "MIP6_BUBADAUTH")


def test_good_update_does_not_save_the_forged_one_behind_it(cn: Secured) -> None:
    good = AlignedOpt(signed(), 8, BU_AT)
    bad = AlignedOpt(spoiled(signed(22), -1), 8, BU_AT)
    header = build_options(IPPROTO_NONE, [good, bad])
    cn.send(with_hao(AT2, GLOBAL, MN, header, IPPROTO_DSTOPTS))
    assert bindings(cn) == {MN: AT2} and cn.drops() == {"MIP6_BUBADAUTH": 1}


# -- what the administrator chooses ---------------------------------------------------------------


def test_switched_off_authentication_data_is_not_looked_at(cn: Secured) -> None:
    configure(cn, SIOCSMIP6CFG_DISABLEAUTHDATA)
    cn.send(bu_packet(AT2, GLOBAL, MN, spoiled(signed(flags="A"), -1)))
    (got,) = answers(cn)
    assert bindings(cn) == {MN: AT2}
    assert not any(isinstance(sub, AuthData) for sub in got.ba.subopts)


@pytest.mark.parametrize("ipsec,marks,good", [(True, AH, True), (True, M_AUTHIPDGM, False),
                                              (False, AH, False)])  # fmt: skip
def test_ah_stands_for_authentication_data_where_it_is_asked_for(
    cn: Secured, ipsec: bool, marks: int, good: bool
) -> None:
    """mip6control -S 1: no authentication data, or wrong one, under AH; ESP is not enough."""
    if ipsec:
        configure(cn, SIOCSMIP6CFG_ENABLEIPSEC)
    packet = bu_packet(AT2, GLOBAL, MN, WIRE.build_option(update(21, flags="")))
    m = m_get(cn.kern, packet, cn.ifp)
    m.src, m.dst = addr(AT2), addr(GLOBAL)
    m.flags |= marks
    ip6_demux(cn.kern, m, IPPROTO_DSTOPTS, Ip6Hdr.SIZE)
    assert bindings(cn) == {MN: AT2 if good else AT1}
    assert cn.drops() == ({} if good else {"MIP6_BUNOAUTH": 1})


def test_update_counts_and_no_acknowledgement_leaves_without_a_key_for_it(cn: Secured) -> None:
    cn.keys.sad = [sa for sa in cn.keys.sad if sa.spi != BACK]
    cn.send(bu_packet(AT2, GLOBAL, MN, signed(flags="A")))
    assert bindings(cn) == {MN: AT2} and cn.drops() == {}
    cn.nothing()
    assert "ba destopt creation error (13)" in cn.kern.log.dmesg()


# -- at a home agent ------------------------------------------------------------------------------


def test_home_registration_and_its_answer_after_duplicate_detection_are_signed() -> None:
    stage = Secured()
    hoa = "2001:db8:1::10"
    stage.run("sysctl -w net.inet6.ip6.forwarding=1")
    stage.keys.add(hoa, GLOBAL, 1700, OTHER_KEY)
    stage.keys.add(GLOBAL, hoa, 1800, OTHER_KEY)
    configure(stage, SIOCSMIP6CFG_ENABLEHA)
    registration = update(flags="AHSD")
    option = signed_bu(registration, GLOBAL, AT1, hoa, 1700, OTHER_MAC)
    stage.send(bu_packet(AT1, GLOBAL, hoa, option), PEER_MAC)
    assert answers(stage) == []
    stage.wait(3)
    (got,) = answers(stage)
    assert (got.hops, got.ba.status) == ((AT1, hoa), 0)
    assert signed_by(got.ba, 1800, OTHER_MAC, hoa, GLOBAL)
    assert bindings(stage) == {hoa: AT1}


def test_unsigned_registration_is_refused_by_default() -> None:
    stage = Secured()
    configure(stage, SIOCSMIP6CFG_ENABLEHA)
    stage.send(bu(AT1, GLOBAL, "2001:db8:1::10", flags="AHS"))
    assert bindings(stage) == {} and stage.drops() == {"MIP6_BUNOAUTH": 1}
    stage.nothing()
