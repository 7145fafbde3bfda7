# SPDX-License-Identifier: BSD-3-Clause
"""Associations: added, found, deleted, dumped; what PF_KEY refuses of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kame_py.netkey.key_acquire import key_checkrequest
from kame_py.netkey.key_sad import key_allocsa, key_allocsa_policy
from kame_py.netkey.keydb import Ipsecrequest, Secasindex, Secasvar
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EEXIST, EINVAL, ENOENT, EPROTONOSUPPORT
from kame_py.wire.in6addr import embed_zone
from kame_py.wire.pfkey import (
    SadbExt,
    SadbKey,
    SadbLifetime,
    SadbMsg,
    SadbRaw,
    SadbSa,
    SadbSpirange,
    SadbXSa2,
    sadb,
)
from tests.unit.netkey.key_node import (
    AH,
    CN,
    CYCSEQ,
    ESP,
    HA,
    KEY,
    MN,
    T0,
    Node,
    Prog,
    addr,
    ah,
    by_spi,
    ends,
    esp,
    limits,
    sa,
    without,
)

TRANSPORT, TUNNEL = k.IPSEC_MODE_TRANSPORT, k.IPSEC_MODE_TUNNEL


def index(mode: int = TRANSPORT, reqid: int = 0) -> Secasindex:
    return Secasindex(AH, mode, reqid, addr(MN), addr(HA))


def spi_for(node: Node, idx: Secasindex) -> int | None:
    sav = key_allocsa_policy(node.kern, idx)
    return None if sav is None else sav.spi


def test_add_is_answered_to_everybody_without_its_keys() -> None:
    node = Node()
    other = Prog(node.kern)
    answer = node.prog.ask(ah(1500, seq=7, pid=312))
    assert (answer.type, answer.satype, answer.errno, answer.seq, answer.pid) == (3, 2, 0, 7, 312)
    assert list(answer.exts) == [
        k.SADB_EXT_SA,
        k.SADB_X_EXT_SA2,
        k.SADB_EXT_ADDRESS_SRC,
        k.SADB_EXT_ADDRESS_DST,
    ]
    assert other.heard() == [answer]


def test_get_tells_everything_of_an_association() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"addtime": 60}, {"bytes": 9000}), mode=TRANSPORT, reqid=5))
    answer = node.prog.ask(by_spi(k.SADB_GET, 1500))
    hard, soft = limits({"addtime": 60}, {"bytes": 9000})
    assert answer.reserved == 1
    assert list(answer.exts.values()) == [
        SadbSa(1500, 0, k.SADB_SASTATE_MATURE, k.SADB_AALG_SHA1HMAC, 0, CYCSEQ),
        SadbXSa2(TRANSPORT, 0, 5),
        hard,
        soft,
        SadbLifetime(k.SADB_EXT_LIFETIME_CURRENT, addtime=T0),
        *ends(),
        SadbKey(k.SADB_EXT_KEY_AUTH, 160, KEY),
    ]


def test_an_association_has_its_algorithms_set_up() -> None:
    node = Node()
    node.prog.ask(esp(1501, auth=KEY))
    sav = key_allocsa(node.kern, ESP, addr(HA), 1501)
    assert sav is not None
    assert sav.mackey is not None and len(sav.mackey.mac(b"x")) == 12
    assert sav.cipher is not None and len(sav.iv) == sav.cipher.ivlen == 16
    assert sav.replay.wsize == 4


def test_the_same_ends_and_spi_twice_is_eexist() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    again = node.prog.ask(ah(1500, mode=TUNNEL))
    assert again.errno == EEXIST
    assert k.SADB_EXT_KEY_AUTH in again.exts  # the message itself comes back
    assert node.prog.ask(ah(1500, src=CN)).errno == 0  # from somebody else it is another


def test_inbound_look_up_may_ask_for_the_source() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    node.prog.ask(ah(1500, src=CN))
    dst = addr(HA)
    for src in (MN, CN):
        sav = key_allocsa(node.kern, AH, dst, 1500, addr(src))
        assert sav is not None and sav.saidx.src == addr(src)
    assert key_allocsa(node.kern, AH, dst, 1500, addr(HA)) is None
    assert key_allocsa(node.kern, ESP, dst, 1500) is None
    assert key_allocsa(node.kern, AH, dst, 1501) is None


@pytest.mark.parametrize("type", [k.SADB_DELETE, k.SADB_GET])
def test_what_is_not_there_is_enoent(type: int) -> None:
    node = Node()
    node.prog.ask(ah(1500))
    assert node.prog.ask(by_spi(type, 1501)).errno == ENOENT
    assert node.prog.ask(by_spi(type, 1500, src=CN)).errno == ENOENT
    assert node.prog.ask(by_spi(type, 1500, satype=k.SADB_SATYPE_ESP)).errno == ENOENT
    assert node.prog.spis() == [1500]


def test_delete_takes_one_and_leaves_nothing_behind() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    answer = node.prog.ask(by_spi(k.SADB_DELETE, 1500))
    assert (answer.errno, list(answer.exts)) == (0, [1, 5, 6])
    key = node.kern.key
    assert (len(key.sad), key.by_index, key.heads) == (0, {}, {})


def test_delete_leaves_the_same_spi_of_another_source() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    node.prog.ask(ah(1500, src=CN))
    node.prog.ask(by_spi(k.SADB_DELETE, 1500))
    sav = key_allocsa(node.kern, AH, addr(HA), 1500)
    assert sav is not None and sav.saidx.src == addr(CN)


def test_delete_without_spi_takes_all_between_two_ends() -> None:
    node = Node()
    for spi, mode, src in ((1500, TRANSPORT, MN), (1501, TUNNEL, MN), (1502, TUNNEL, CN)):
        node.prog.ask(ah(spi, mode=mode, src=src))
    larval = node.prog.ask(sadb(k.SADB_GETSPI, k.SADB_SATYPE_AH, *ends()))
    assert node.prog.ask(sadb(k.SADB_DELETE, k.SADB_SATYPE_AH, *ends())).errno == 0
    assert sorted(node.prog.spis()) == sorted([1502, sa(larval).spi])


def test_flush_takes_one_type_or_all() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    node.prog.ask(esp(1501))
    assert node.prog.ask(sadb(k.SADB_FLUSH, k.SADB_SATYPE_AH)).errno == 0
    assert node.prog.spis() == [1501]
    node.prog.ask(ah(1500))
    node.prog.ask(sadb(k.SADB_FLUSH))
    assert node.prog.spis() == []


def test_dump_counts_down_to_zero_and_filters_by_type() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    node.prog.ask(ah(1501))
    node.prog.ask(esp(1502))
    answers = node.prog.dump()
    assert [(sa(m).spi, m.seq) for m in answers] == [(1502, 2), (1500, 1), (1501, 0)]
    only = node.prog.dump(satype=k.SADB_SATYPE_AH)
    assert [(sa(m).spi, m.seq) for m in only] == [(1500, 1), (1501, 0)]


@pytest.mark.parametrize("satype", [0, k.SADB_SATYPE_ESP, k.SADB_X_SATYPE_IPCOMP])
def test_a_dump_of_nothing_is_enoent(satype: int) -> None:
    node = Node()
    if satype:
        node.prog.ask(ah(1500))
    assert node.prog.ask(sadb(k.SADB_DUMP, satype)).errno == ENOENT


# -- which association a policy gets -----------------------------------------------------------


def test_the_oldest_usable_association_is_taken() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    node.wait(1)
    node.prog.ask(ah(1501))
    assert spi_for(node, index()) == 1500
    node.kern.sysctl.write("net.key.prefered_oldsa", 0)
    assert spi_for(node, index()) == 1501


def test_a_dying_association_comes_before_a_mature_one() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    node.prog.ask(ah(1501, *limits({"addtime": 60}, {"addtime": 5})))
    node.wait(5)
    assert spi_for(node, index()) == 1501
    node.kern.sysctl.write("net.key.prefered_oldsa", 0)
    assert spi_for(node, index()) == 1500


def test_modes_must_agree_unless_the_association_serves_any() -> None:
    node = Node()
    node.prog.ask(ah(1500, mode=TUNNEL))
    assert spi_for(node, index(TRANSPORT)) is None
    node.prog.ask(ah(1501))
    assert spi_for(node, index(TRANSPORT)) == 1501
    node.prog.ask(by_spi(k.SADB_DELETE, 1501))
    assert spi_for(node, index(TUNNEL)) == 1500


def test_a_request_id_asks_for_its_own_association() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    assert spi_for(node, index(reqid=5)) is None
    node.prog.ask(ah(1501, reqid=5))
    assert spi_for(node, index(reqid=5)) == 1501
    assert spi_for(node, index()) == 1501  # none asked for: the newest index


def test_a_newer_index_with_nothing_usable_hides_no_older_one() -> None:
    node = Node()
    node.prog.ask(ah(1500, mode=TRANSPORT))
    node.prog.ask(sadb(k.SADB_GETSPI, k.SADB_SATYPE_AH, *ends(), SadbXSa2(TRANSPORT, 0, 9)))
    assert spi_for(node, index()) == 1500


@pytest.mark.parametrize(
    ("level", "outcome"),
    [
        (k.IPSEC_LEVEL_USE, 0),
        (k.IPSEC_LEVEL_REQUIRE, ENOENT),
        (k.IPSEC_LEVEL_UNIQUE, ENOENT),
        (k.IPSEC_LEVEL_DEFAULT, 0),
    ],
)
def test_without_an_association_the_level_decides(level: int, outcome: int) -> None:
    node = Node()
    isr = Ipsecrequest(AH, TRANSPORT, level)
    assert key_checkrequest(node.kern, isr, index()) == outcome
    node.prog.ask(ah(1500))
    sav = key_checkrequest(node.kern, isr, index())
    assert isinstance(sav, Secasvar) and sav.spi == 1500


def test_level_default_is_what_the_sysctl_says() -> None:
    node = Node()
    isr = Ipsecrequest(AH, TRANSPORT, k.IPSEC_LEVEL_DEFAULT)
    node.kern.sysctl.write("net.inet6.ipsec6.ah_trans_deflev", k.IPSEC_LEVEL_REQUIRE)
    assert key_checkrequest(node.kern, isr, index()) == ENOENT
    assert key_checkrequest(node.kern, replace(isr, mode=TUNNEL), index(TUNNEL)) == 0


def test_listeners_hear_of_associations_that_come_and_go() -> None:
    node = Node()
    seen: list[int] = []
    node.kern.key.on_change.append(lambda: seen.append(len(node.kern.key.sad)))
    node.prog.ask(ah(1500))
    node.prog.ask(ah(1500))  # refused
    node.prog.ask(by_spi(k.SADB_GET, 1500))
    node.prog.ask(by_spi(k.SADB_DELETE, 1500))
    assert seen == [1, 0]
    larval = node.prog.ask(getspi())  # nobody can use that one yet
    node.prog.ask(sadb(k.SADB_FLUSH, k.SADB_SATYPE_ESP))  # takes nothing
    assert seen == [1, 0]
    node.prog.ask(ah(sa(larval).spi, mode=TRANSPORT, type=k.SADB_UPDATE))
    assert seen == [1, 0, 1]


# -- what is refused ---------------------------------------------------------------------------


def with_ext(msg: SadbMsg, number: int, ext: SadbExt) -> SadbMsg:
    return replace(msg, exts={**msg.exts, number: ext})


IDENT = SadbRaw(k.SADB_EXT_IDENTITY_SRC, bytes(12))
REFUSED = {
    "no source": (without(ah(1500), k.SADB_EXT_ADDRESS_SRC), EINVAL),
    "no destination": (without(ah(1500), k.SADB_EXT_ADDRESS_DST), EINVAL),
    "no association": (without(ah(1500), k.SADB_EXT_SA), EINVAL),
    "no key": (without(ah(1500), k.SADB_EXT_KEY_AUTH), EINVAL),
    "reserved SPI": (ah(255), EINVAL),
    "SPI 0": (ah(0), EINVAL),
    "short key": (ah(1500, key=KEY[1:]), EINVAL),
    "long key": (ah(1500, key=KEY + b"!"), EINVAL),
    "key of broken octets": (with_ext(ah(1500), 8, SadbKey(8, 159, KEY)), EINVAL),
    "unknown algorithm": (with_ext(ah(1500), 1, SadbSa(1500, 0, 0, 77)), EINVAL),
    "AH that encrypts": (with_ext(ah(1500), 1, SadbSa(1500, 0, 0, 3, 2)), EINVAL),
    "AH that does nothing": (
        with_ext(ah(1500), 1, SadbSa(1500, 0, 0, k.SADB_X_AALG_NULL)),
        EINVAL,
    ),
    "AH of RFC 1826": (with_ext(ah(1500), 1, SadbSa(1500, 0, 0, 3, 0, k.SADB_X_EXT_OLD)), EINVAL),
    "AH with derived vectors": (with_ext(ah(1500), 1, SadbSa(1500, 0, 0, 3, 0, 0x20)), EINVAL),
    "mode": (ah(1500, mode=3), EINVAL),
    "hard without soft": (ah(1500, SadbLifetime(k.SADB_EXT_LIFETIME_HARD, addtime=9)), EINVAL),
    "soft without hard": (ah(1500, SadbLifetime(k.SADB_EXT_LIFETIME_SOFT, addtime=9)), EINVAL),
    "one identity": (ah(1500, IDENT), EINVAL),
    "no type": (replace(ah(1500), satype=0), EINVAL),
    "type 1": (replace(ah(1500), satype=1), EINVAL),
    "type 4": (replace(ah(1500), satype=4), EINVAL),
    "IPComp": (replace(ah(1500), satype=k.SADB_X_SATYPE_IPCOMP), EPROTONOSUPPORT),
    "link-local without zone": (ah(1500, src="fe80::1", dst="fe80::2"), EINVAL),
    "protocols differ": (with_ext(ah(1500), 5, ends()[0]._replace(proto=6)), EINVAL),
    "prefix length": (with_ext(ah(1500), 5, ends()[0]._replace(prefixlen=129)), EINVAL),
    "no cipher": (esp(1501, enc=0), EINVAL),
    "unknown cipher": (esp(1501, enc=77), EINVAL),
    "cipher without key": (esp(1501, key=b""), EINVAL),
    "short cipher key": (esp(1501, key=b"k" * 15), EINVAL),
    "weak DES key": (esp(1501, key=b"\x01" * 8, enc=k.SADB_EALG_DESCBC), EINVAL),
    "ESP of RFC 1827": (with_ext(esp(1501), 1, SadbSa(1501, 0, 0, 0, 12, 1)), EINVAL),
    "key for no algorithm": (with_ext(esp(1501), 8, SadbKey(8, 160, KEY)), EINVAL),
    "EXPIRE from a program": (sadb(k.SADB_EXPIRE, 2, SadbSa(1500), *ends()), EINVAL),
}


@pytest.mark.parametrize(("msg", "errno"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_and_nothing_changed(msg: SadbMsg, errno: int) -> None:
    node = Node()
    answer = node.prog.ask(msg)
    assert (answer.errno, answer.type, answer.exts) == (errno, msg.type, msg.exts)
    assert node.prog.spis() == []


def test_the_null_cipher_needs_no_key_but_takes_one() -> None:
    node = Node()
    assert node.prog.ask(esp(1501, key=b"", enc=k.SADB_EALG_NULL)).errno == 0
    assert node.prog.ask(esp(1502, key=b"k", enc=k.SADB_EALG_NULL)).errno == 0
    empty = with_ext(esp(1503, enc=k.SADB_EALG_NULL), 9, SadbKey(9, 0, b""))
    assert node.prog.ask(empty).errno == 0


def test_esp_needs_its_option() -> None:
    node = Node("IPSEC")
    assert node.prog.ask(esp(1501)).errno == EINVAL
    assert node.prog.ask(ah(1500)).errno == 0


def test_link_local_ends_carry_their_zone() -> None:
    node = Node()
    answer = node.prog.ask(ah(1500, src="fe80::1", dst="fe80::2", scope=2))
    assert answer.errno == 0
    sav = key_allocsa(node.kern, AH, embed_zone(addr("fe80::2"), 2), 1500)
    assert sav is not None and sav.saidx.src == embed_zone(addr("fe80::1"), 2)
    (dumped,) = node.prog.dump()
    assert dumped.exts[k.SADB_EXT_ADDRESS_DST] == ends(dst="fe80::2", scope=2)[1]


def test_ports_of_an_association_do_not_count() -> None:
    node = Node()
    src = ends()[0]
    msg = with_ext(ah(1500), 5, src._replace(addr=src.addr._replace(port=80)))
    assert node.prog.ask(msg).errno == 0
    assert node.prog.ask(by_spi(k.SADB_GET, 1500)).exts[5] == src


def test_identities_are_carried() -> None:
    node = Node()
    pair = (IDENT, SadbRaw(k.SADB_EXT_IDENTITY_DST, b"\x02" + bytes(11)))
    assert node.prog.ask(ah(1500, *pair)).errno == 0
    got = node.prog.ask(by_spi(k.SADB_GET, 1500)).exts
    assert (got[k.SADB_EXT_IDENTITY_SRC], got[k.SADB_EXT_IDENTITY_DST]) == pair


def test_why_is_logged_when_people_want_to_know() -> None:
    node = Node()
    node.prog.ask(ah(255))
    assert "SPI" not in node.kern.log.dmesg()
    node.kern.sysctl.write("net.inet6.ipsec6.debug", 1)
    node.prog.ask(ah(255))
    assert node.kern.log.dmesg() == "key_mature: illegal range of SPI 255.\n"


# -- reserving an SPI --------------------------------------------------------------------------


def getspi(lo: int = 0, hi: int = 0, seq: int = 0, pid: int = 0) -> SadbMsg:
    exts: tuple[SadbExt, ...] = (*ends(), SadbXSa2(TRANSPORT))
    if hi:
        exts += (SadbSpirange(lo, hi),)
    return sadb(k.SADB_GETSPI, k.SADB_SATYPE_AH, *exts, seq=seq, pid=pid)


def test_getspi_reserves_and_update_completes() -> None:
    node = Node()
    other = Prog(node.kern)
    answer = node.prog.ask(getspi(1000, 1009, seq=3, pid=8))
    spi = sa(answer).spi
    assert 1000 <= spi <= 1009 and (answer.errno, answer.seq, answer.pid) == (0, 3, 8)
    assert other.heard() == []
    assert [sa(m).state for m in node.prog.dump()] == [k.SADB_SASTATE_LARVAL]
    assert spi_for(node, index()) is None
    assert key_allocsa(node.kern, AH, addr(HA), spi) is None
    node.wait(5)
    assert node.prog.ask(ah(spi, mode=TRANSPORT, type=k.SADB_UPDATE, pid=8)).errno == 0
    assert spi_for(node, index()) == spi
    (dumped,) = node.prog.dump()
    assert sa(dumped).state == k.SADB_SASTATE_MATURE
    assert dumped.exts[k.SADB_EXT_LIFETIME_CURRENT] == SadbLifetime(2, addtime=T0 + 5)


def test_getspi_never_gives_the_same_twice() -> None:
    node = Node()
    given = {sa(node.prog.ask(getspi(1000, 1003))).spi for _ in range(4)}
    assert given == {1000, 1001, 1002, 1003}
    assert node.prog.ask(getspi(1000, 1003)).errno == EEXIST
    assert node.prog.ask(getspi(1000, 1000)).errno == EEXIST


def test_getspi_takes_a_range_in_any_order_but_no_reserved_numbers() -> None:
    node = Node()
    assert 1000 <= sa(node.prog.ask(getspi(1009, 1000))).spi <= 1009
    assert node.prog.ask(getspi(255, 1000)).errno == EINVAL


def test_getspi_without_a_range_keeps_to_the_sysctls() -> None:
    node = Node()
    node.kern.sysctl.write("net.key.spi_minval", 5000)
    node.kern.sysctl.write("net.key.spi_maxval", 5001)
    assert sa(node.prog.ask(getspi())).spi in (5000, 5001)


def test_a_larval_association_lives_as_long_as_the_sysctl_says() -> None:
    node = Node()
    node.prog.ask(getspi(1000, 1000))
    node.until(30 * 10**9 - 1)
    assert node.prog.spis() == [1000]
    node.until(30 * 10**9)
    assert node.prog.spis() == []


def test_update_by_another_program_is_refused() -> None:
    node = Node()
    spi = sa(node.prog.ask(getspi(1000, 1000, pid=8))).spi
    update = ah(spi, mode=TRANSPORT, type=k.SADB_UPDATE, pid=9)
    assert node.prog.ask(update).errno == EINVAL
    assert [sa(m).state for m in node.prog.dump()] == [k.SADB_SASTATE_LARVAL]


def test_update_of_what_is_not_there_is_enoent() -> None:
    node = Node()
    assert node.prog.ask(ah(1500, type=k.SADB_UPDATE)).errno == ENOENT
    node.prog.ask(ah(1500, mode=TRANSPORT))
    assert node.prog.ask(ah(1500, mode=TUNNEL, type=k.SADB_UPDATE)).errno == ENOENT


def test_update_of_an_association_in_use_sets_limits_and_nothing_else() -> None:
    node = Node()
    node.prog.ask(ah(1500, *limits({"addtime": 60}, {"addtime": 5})))
    node.wait(5)
    assert [sa(m).state for m in node.prog.dump()] == [k.SADB_SASTATE_DYING]
    update = ah(1500, *limits({"addtime": 90}, {"addtime": 80}), type=k.SADB_UPDATE)
    assert node.prog.ask(update).errno == 0
    assert [sa(m).state for m in node.prog.dump()] == [k.SADB_SASTATE_MATURE]
    node.wait(74)
    assert [sa(m).state for m in node.prog.dump()] == [k.SADB_SASTATE_MATURE]
    node.wait(1)
    assert [sa(m).state for m in node.prog.dump()] == [k.SADB_SASTATE_DYING]
    other_key = ah(1500, type=k.SADB_UPDATE, key=KEY[::-1])
    assert node.prog.ask(other_key).errno == EINVAL
