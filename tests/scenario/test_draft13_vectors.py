# SPDX-License-Identifier: BSD-3-Clause
"""Binding updates and acknowledgements under AH, octet for octet as computed elsewhere.

The vectors C6, C7 and C8 are whole packets: home address 2001:db8:0:1::100, care-of address
2001:db8:0:2::100, home agent 2001:db8:0:1::1, correspondent 2001:db8:0:3::200.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from kame_py.mip6.mip6_ba import mip6_bc_send_ba
from kame_py.mip6.mip6_bul import mip6_peer
from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_REG
from kame_py.mip6.mip6_prefix import mip6_prefix_settimes
from kame_py.mip6.mip6_var import BuRequest
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import (
    SIOCAHOMEPREFIX_HIF,
    SIOCSMIP6CFG_ENABLEHA,
    SIOCSMIP6CFG_ENABLEMN,
)
from kame_py.wire.mip6 import BindingUpdate
from kame_py.wire.mip6_draft13 import WIRE
from tests.scenario.mip6words import DRAFTS, bindings, bu, configure, mobility
from tests.scenario.mnstage import HA_LL, KERNEL13, MnStage
from tests.scenario.tester import PEER, PEER_MAC, PEER_MAC2, ROUTER, ROUTER_MAC, Stage
from tests.scenario.words import addr, echo

HOA: Final = "2001:db8:0:1::100"
COA: Final = "2001:db8:0:2::100"
HA: Final = "2001:db8:0:1::1"
CN: Final = "2001:db8:0:3::200"
SEQNO: Final = 0x123
SEQNO_C7: Final = bytes((0x01, 0x24))
LIFETIME_S: Final = 600
ALGORITHMS: Final = {"sha1": "hmac-sha1", "md5": "hmac-md5"}


def vector(data_dir: Path, name: str) -> tuple[str, bytes]:
    """(key as setkey writes it, packet on the wire)."""
    row = json.loads((data_dir / "vectors" / "mobility-vectors.json").read_text())[name]
    return "0x" + row["key"], bytes.fromhex(row["packet"])


def key(stage: Stage, src: str, dst: str, spi: int, name: str, secret: str) -> None:
    stage.nut.files.write("/etc/keys", f"add {src} {dst} ah {spi} -A {ALGORITHMS[name]} {secret};")
    stage.run("setkey -f /etc/keys")


@pytest.fixture
def mn() -> MnStage:
    """A mobile node with the addresses of the vectors, on a link without autoconfiguration."""
    mn = MnStage(kernel=f"{KERNEL13}\noptions IPSEC", authdata=True, home="", ha="", enable=False)
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr("2001:db8:0:1::"), 64, 65535, 65280, addr(HOA)))
    mn.agent(HA, HA_LL)
    mn.configure(SIOCSMIP6CFG_ENABLEMN)
    mn.run(f"ifconfig fxp0 inet6 {COA} prefixlen 64 alias")
    return mn


def to(mn: Stage, dst: str) -> list[bytes]:
    found = [h.packet for h in mn.tn.frames]
    return [p for p in found if ntop(Ip6Hdr.unpack(p).ip6_dst) == dst]


def arrive(mn: MnStage) -> None:
    """Away; the update that leaves next has the number and the lifetime of the vectors."""
    mn.tn.neighbours = {ROUTER: ROUTER_MAC}
    for _ in range(2):
        mn.advertise("2001:db8:0:2::", pflags="L")
        mn.wait(1.5)
    assert ntop(mn.mip6.hif_coa) == COA
    assert to(mn, HA) == []  # there is no key
    mip6_peer(mn.mip6, addr(HA)).seqno = SEQNO - 1
    mpfx = next(p for p in mn.mip6.mip6_prefix_list if p.mpfx_haddr == addr(HOA))
    mip6_prefix_settimes(mn.kern, mpfx, LIFETIME_S + 1, LIFETIME_S + 1)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_mobile_node_sends_c6(mn: MnStage, data_dir: Path, name: str) -> None:
    secret, packet = vector(data_dir, f"C6.ah.hao.bu13.{name}")
    arrive(mn)
    key(mn, HOA, HA, 0x2000, name, secret)
    mn.wait(1)
    assert to(mn, HA)[0] == packet


@pytest.mark.parametrize("name", ALGORITHMS)
def test_mobile_node_believes_c8(mn: MnStage, data_dir: Path, name: str) -> None:
    secret, packet = vector(data_dir, f"C8.ah.rh0.ba13.{name}")
    arrive(mn)
    key(mn, HOA, HA, 0x2000, name, secret)
    key(mn, HA, HOA, 0x2002, name, secret)
    mn.wait(1)
    mn.send(packet, ROUTER_MAC)
    bu = mn.entry_of(HA, HOA)
    assert bu is not None
    assert (bu.mbu_reg_state, bu.mbu_lifetime, bu.mbu_refresh) == (MIP6_BU_REG_STATE_REG, 600, 480)


def test_mobile_node_does_not_believe_c8_with_another_key(mn: MnStage, data_dir: Path) -> None:
    secret, packet = vector(data_dir, "C8.ah.rh0.ba13.sha1")
    arrive(mn)
    key(mn, HOA, HA, 0x2000, "sha1", secret)
    key(mn, HA, HOA, 0x2002, "sha1", secret[:-1] + "0")
    mn.wait(1)
    mn.forget()
    mn.send(packet, ROUTER_MAC)
    bu = mn.entry_of(HA, HOA)
    assert bu is not None and bu.mbu_reg_state != MIP6_BU_REG_STATE_REG
    assert [why for why in mn.drops() if why.startswith("AH_")]


def test_bare_acknowledgement_is_not_believed(mn: MnStage, data_dir: Path) -> None:
    secret, _ = vector(data_dir, "C6.ah.hao.bu13.sha1")
    arrive(mn)
    key(mn, HOA, HA, 0x2000, "sha1", secret)
    mn.wait(1)
    mn.forget()
    mn.ack(SEQNO, src=HA, coa=COA, hoa=HOA)
    bu = mn.entry_of(HA, HOA)
    assert bu is not None and bu.mbu_reg_state != MIP6_BU_REG_STATE_REG
    assert mn.drops() == {"MIP6_BANOAUTH": 1}
    assert f"mip6.c: an unprotected binding ack from {HA}." in mn.logged()


@pytest.fixture
def ha() -> Stage:
    """A home agent with the address of the vectors; the mobile node is on lan2."""
    stage = Stage(router=True, links=2, kernel=DRAFTS["draft-13"] + "\noptions IPSEC")
    stage.run(f"ifconfig fxp0 inet6 {HA} prefixlen 64 alias")
    stage.run("ifconfig fxp1 inet6 2001:db8:0:2::77 prefixlen 64 alias")
    configure(stage, SIOCSMIP6CFG_ENABLEHA)
    stage.tn2.neighbours[COA] = PEER_MAC2
    stage.wait(5)
    stage.send2(echo(COA, "2001:db8:0:2::77"), PEER_MAC2)
    stage.take(stage.tn2)
    stage.forget()
    return stage


@pytest.mark.parametrize("name", ALGORITHMS)
def test_home_agent_believes_c6(ha: Stage, data_dir: Path, name: str) -> None:
    secret, packet = vector(data_dir, f"C6.ah.hao.bu13.{name}")
    key(ha, HOA, HA, 0x2000, name, secret)
    ha.send2(packet, PEER_MAC2)
    ha.wait(3)
    assert bindings(ha)[HOA] == COA
    entry = mobility(ha).mip6_hrbc_list[addr(HOA)]
    assert (entry.mbc_flags, entry.mbc_prefixlen, entry.mbc_seqno) == (0xD0, 64, SEQNO)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_home_agent_sends_c8(ha: Stage, data_dir: Path, name: str) -> None:
    secret, packet = vector(data_dir, f"C8.ah.rh0.ba13.{name}")
    key(ha, HA, HOA, 0x2002, name, secret)
    update = BindingUpdate(0xD0, SEQNO, LIFETIME_S, 64)
    req = BuRequest(addr(HA), addr(HOA), addr(COA), addr(COA), update)
    mip6_bc_send_ba(ha.kern, req, 0, LIFETIME_S, 480)
    ha.settle()
    assert [h.packet for h in ha.take(ha.tn2)] == [packet]


def test_home_agent_has_no_key_for_the_answer(ha: Stage, data_dir: Path) -> None:
    secret, packet = vector(data_dir, "C6.ah.hao.bu13.sha1")
    configure(ha, 128)  # debugging on
    key(ha, HOA, HA, 0x2000, "sha1", secret)
    ha.send2(packet, PEER_MAC2)
    ha.wait(3)
    assert ha.take(ha.tn2) == []
    assert f"sending BA to {HOA}({COA}) failed. errno = 2" in ha.kern.log.dmesg()


@pytest.mark.parametrize("spoil", ["key", "octet", "again"])
def test_home_agent_does_not_believe_c6_spoilt(ha: Stage, data_dir: Path, spoil: str) -> None:
    secret, packet = vector(data_dir, "C6.ah.hao.bu13.sha1")
    if spoil == "key":
        secret = secret[:-1] + "0"
    elif spoil == "octet":
        packet = packet[:-9] + b"\x41" + packet[-8:]
    key(ha, HOA, HA, 0x2000, "sha1", secret)
    ha.send2(packet, PEER_MAC2)
    if spoil == "again":
        ha.forget()
        ha.send2(packet, PEER_MAC2)
        assert ha.drops() == {"MIP6_BUSEQNO": 1}
    else:
        assert bindings(ha) == {}


def test_association_of_another_mobile_node_is_not_believed(ha: Stage, data_dir: Path) -> None:
    """The octets are right, but whose key it is tells who may register what."""
    secret, packet = vector(data_dir, "C6.ah.hao.bu13.sha1")
    key(ha, "2001:db8:0:1::200", HA, 0x2000, "sha1", secret)
    ha.send2(packet, PEER_MAC2)
    assert bindings(ha) == {}
    assert ha.drops() == {"MIP6_BUWRONGSA": 1}


def test_bare_update_is_not_believed(ha: Stage) -> None:
    configure(ha, 128)  # debugging on
    ha.forget()
    ha.send2(bu(COA, HA, HOA, flags="AH", wire=WIRE, plen=64), PEER_MAC2)
    assert bindings(ha) == {}
    assert ha.drops() == {"MIP6_BUNOAUTH": 1}
    assert f"an unprotected binding update from {HOA}." in ha.kern.log.dmesg()


def test_correspondent_believes_c7(data_dir: Path) -> None:
    """The alternate care-of address has the draft's own number. H asks too much of this node."""
    secret, packet = vector(data_dir, "C7.ah.hao.bu13.altcoa.sha1")
    alt = "2001:db8:0:4::77"
    cn = Stage(kernel=DRAFTS["draft-13"] + "\noptions IPSEC")
    cn.run(f"ifconfig fxp0 inet6 {CN} prefixlen 64 alias; route add -inet6 default {PEER}%fxp0")
    cn.tn.neighbours[PEER] = PEER_MAC
    cn.wait(5)
    key(cn, HOA, CN, 0x2001, "sha1", secret)
    key(cn, CN, HOA, 0x2006, "sha1", secret)
    cn.forget()
    cn.send(packet)
    assert cn.drops() == {}
    (answer,) = to(cn, alt)
    status = 132
    assert bytes((0x07, 11, status)) + SEQNO_C7 in answer
