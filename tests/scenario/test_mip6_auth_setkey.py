# SPDX-License-Identifier: BSD-3-Clause
"""Signed bindings among real nodes whose keys setkey has set up: the lab howto-secure and cheats.

Everybody here is a kernel with options IPSEC; the cheats are octets put in front of the
correspondent. draft-15 s.4.4, s.8.2, s.10.2.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kame_py.cli.lab import load_lab
from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Mbuf, m_get
from kame_py.lab.lan import Port
from kame_py.lab.node import Node
from kame_py.lab.runner import LabRun
from kame_py.mip6.mip6_var import mip6_state
from kame_py.netinet6.ip6_input import ip6_input
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import IPPROTO_AH, IPPROTO_DSTOPTS, IPPROTO_ROUTING
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, ntop
from kame_py.wire.ip6ext import walk
from kame_py.wire.mip6 import AuthData, BindingAck, BindingUpdate
from kame_py.wire.mip6_draft15 import WIRE
from tests.scenario.authwords import HOWTO_KEY, bare, bu_packet, mac_key, signed_bu, signed_by
from tests.scenario.mip6words import Seen, seen
from tests.scenario.mnstage import hao_of
from tests.support import PROJECT_ROOT

AWAY_S = 38  # the mobile node is on fl1, known to its home agent and to the correspondent
MAC = mac_key(HOWTO_KEY)


class Secure:
    """The lab, up to a second of its run."""

    def __init__(self, until_s: int = AWAY_S) -> None:
        self.run = LabRun(load_lab("howto-secure"))
        self.world = self.run.world
        self.packets: list[tuple[str, bytes]] = []
        self.world.observe(self)
        self.run.begin()
        self.until(until_s)
        for node in self.world.nodes.values():
            node.kernel.drops.clear()

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None:
        self.packets.append((port.name, frame[EtherHeader.SIZE :]))

    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None: ...

    def until(self, t_s: float) -> None:
        self.world.run_ns(round(t_s * NS))

    def node(self, name: str) -> Node:
        return self.world.nodes[name]

    def typed(self, name: str, commands: str) -> None:
        done = self.node(name).run(commands)
        assert done.status == 0, done

    def host(self, name: str) -> str:
        return ntop(self.world.hosts[name][0])

    def coa(self) -> str:
        return ntop(mip6_state(self.node("mn").kernel).hif_coa)

    def bindings(self, name: str) -> dict[str, str]:
        """Of global home addresses."""
        state = mip6_state(self.node(name).kernel)
        bcs = [*state.mip6_bc_list.values(), *state.mip6_hrbc_list.values()]
        bcs = [bc for bc in bcs if not IN6_IS_ADDR_LINKLOCAL(bc.mbc_phaddr)]
        return {ntop(bc.mbc_phaddr): ntop(bc.mbc_pcoa) for bc in bcs}

    def drops(self, name: str) -> dict[str, int]:
        found = self.node(name).kernel.drops
        return {why: n for why, n in found.items() if n and why.startswith("MIP6")}

    def carrying(
        self, port: str, kind: type[BindingUpdate] | type[BindingAck]
    ) -> list[tuple[bytes, Seen]]:
        """Packets with such an option that left by a port."""
        found = [(data, seen(data)) for name, data in self.packets if name == port]
        return [(d, s) for d, s in found if any(isinstance(o, kind) for o in s.options)]

    def updates(self, to: str) -> list[tuple[bytes, BindingUpdate]]:
        """Of the mobile node."""
        carrying = self.carrying("mn.fxp0", BindingUpdate)
        return [
            (data, option)
            for data, s in carrying
            for option in s.options
            if isinstance(option, BindingUpdate) and s.hops == (self.host(to),)
        ]

    def inject(self, packet: bytes) -> None:
        """A packet comes to the correspondent."""
        cn = self.node("cn")
        m = m_get(cn.kernel, packet, cn.kernel.ifunit("fxp0"))
        ip6_input(cn.kernel, m)
        cn.kick()
        self.world.run_ns(self.world.now())

    def refused(self, packet: bytes, reason: str) -> None:
        """The correspondent drops it, and its binding stands."""
        was = self.bindings("cn")
        assert was == {self.host("A"): self.coa()}
        self.inject(packet)
        assert self.drops("cn") == {reason: 1}
        assert self.bindings("cn") == was


@pytest.fixture
def net() -> Secure:
    return Secure()


def spoiled(octets: bytes, at: int) -> bytes:
    octet = octets[at] ^ 1
    return octets[:at] + bytes((octet,)) + octets[at:][1:]


def forged(net: Secure, option: bytes, coa: str = "2001:200:9:1::bad") -> bytes:
    return bu_packet(coa, net.host("C"), net.host("A"), option)


def next_update(net: Secure) -> BindingUpdate:
    """One that the correspondent would take: the last one with the next number."""
    _, last = net.updates("C")[-1]
    return BindingUpdate(last.flags, last.seqno + 1, 600)


# -- what happens ---------------------------------------------------------------------------------


def test_every_update_and_acknowledgement_on_the_wire_is_signed() -> None:
    net = Secure(60)
    ports = "mn.fxp0", "ha.fxp0", "ha.fxp1", "cn.fxp0"
    for port in ports:
        for kind in (BindingUpdate, BindingAck):
            for _, s in net.carrying(port, kind):
                (option,) = [o for o in s.options if isinstance(o, kind)]
                assert isinstance(option.subopts[-1], AuthData)
    a, b, c = map(net.host, "ABC")
    coas = {hao_of(s): s.src for _, s in net.carrying("mn.fxp0", BindingUpdate)}
    assert list(coas) == [a]
    (_, first), *_ = net.updates("B")
    (_, told), *_ = net.updates("C")
    coa = net.carrying("mn.fxp0", BindingUpdate)[0][1].src
    assert signed_by(first, 1500, MAC, b, coa, a) and signed_by(told, 1501, MAC, c, coa, a)
    answers = net.carrying("ha.fxp1", BindingAck) + net.carrying("ha.fxp0", BindingAck)
    assert len(answers) == 2
    assert all(signed_by(s.ba, 1600, MAC, a, b) for _, s in answers)


def test_key_that_comes_late_lets_the_update_go_in_the_next_second() -> None:
    net = Secure(17)
    net.typed("mn", "setkey -F")
    net.until(30.5)
    assert net.updates("B") == [] and net.bindings("ha") == {}
    net.typed("mn", "setkey -FP\nsetkey -f /etc/ipsec.conf")
    net.until(31)
    assert len(net.updates("B")) == 1
    net.until(33)
    assert net.bindings("ha") == {net.host("A"): net.coa()}
    told = net.node("mn").kernel.log.dmesg()
    assert told.count(f"from {net.host('A')} to {net.host('B')}, no binding update") == 1


def test_without_the_policy_line_there_is_no_key_to_sign_with() -> None:
    net = Secure(17)
    net.typed("mn", "setkey -FP")
    net.until(30)
    assert net.updates("B") == []


def test_home_agent_without_policy_registers_and_cannot_say_so() -> None:
    net = Secure(17)
    net.typed("ha", "setkey -FP")
    net.until(30)
    assert net.bindings("ha") == {net.host("A"): net.coa()}
    assert net.carrying("ha.fxp1", BindingAck) == []
    assert "ba destopt creation error (13)" in net.node("ha").kernel.log.dmesg()


# -- who cheats -----------------------------------------------------------------------------------


def test_one_character_of_the_key_is_another(net: Secure) -> None:
    """At the mobile node, from now on; its goodbye to the correspondent says nothing any more."""
    add = 'add A C ah 1501 -m transport -A hmac-sha1 "BH SA configuration!";'
    net.typed("mn", f"setkey -c << EOF\ndelete A C ah 1501;\n{add}\nEOF")
    was = net.bindings("cn")
    net.until(60)
    assert len(net.updates("C")) > 1
    assert net.drops("cn") == {"MIP6_BUBADAUTH": len(net.updates("C")) - 1}
    assert net.bindings("cn") == was != {}


def test_update_that_was_heard_is_sent_again(net: Secure) -> None:
    """The very packet: it is well signed and old, and the answer to that is signed as well."""
    (packet, _), *_ = net.updates("C")
    net.refused(packet, "MIP6_BUSEQNO")
    ((_, answer),) = net.carrying("cn.fxp0", BindingAck)
    assert answer.ba.status == 141
    assert signed_by(answer.ba, 1601, MAC, net.host("A"), net.host("C"))


def test_update_that_was_heard_is_sent_from_elsewhere(net: Secure) -> None:
    (_, update), *_ = net.updates("C")
    net.refused(forged(net, WIRE.build_option(update)), "MIP6_BUBADAUTH")


def test_holder_of_another_key_signs_for_the_home_address(net: Secure) -> None:
    net.typed("cn", 'setkey -c << EOF\nadd D C ah 1505 -A hmac-sha1 "a key for D and C...";\nEOF')
    key = mac_key(b"a key for D and C...")
    coa = "2001:200:9:1::bad"
    a, c = net.host("A"), net.host("C")
    option = signed_bu(next_update(net), c, coa, a, 1505, key)
    net.refused(forged(net, option, coa), "MIP6_BUWRONGSA")


def test_signature_is_taken_off(net: Secure) -> None:
    net.refused(forged(net, WIRE.build_option(next_update(net))), "MIP6_BUNOAUTH")


def test_association_was_deleted_at_the_correspondent(net: Secure) -> None:
    net.typed("cn", "setkey -c << EOF\ndelete A C ah 1501;\nEOF")
    coa = net.coa()
    option = signed_bu(next_update(net), net.host("C"), coa, net.host("A"), 1501, MAC)
    net.refused(forged(net, option, coa), "MIP6_BUNOSA")


def test_forged_update_uses_nothing_up(net: Secure) -> None:
    """An association with a limit of octets does not end by what others send."""

    def used() -> str:
        done = net.node("cn").run("setkey -D")
        return done.out.split("spi=1501", 1)[1].split("allocated", 1)[0]

    was = used()
    option = signed_bu(next_update(net), net.host("C"), net.coa(), net.host("A"), 1501, MAC)
    net.refused(forged(net, spoiled(option, -1), net.coa()), "MIP6_BUBADAUTH")
    assert used() == was
    net.inject(forged(net, option, net.coa()))
    assert used() != was


# -- AH instead -----------------------------------------------------------------------------------

AH_OUT = "spdadd A B ipv6-nonxt -P out ipsec ah/transport//require;"


def test_ah_over_the_packet_stands_for_authentication_data_with_s_1() -> None:
    """mip6control -S 1 at the home agent; the mobile node signs the packet and not the option.

    The headers stand in the order of s.10.2, and the digest is over the swapped addresses: it is
    verified with the home address as source (s.5.4).
    """
    net = Secure(17)
    net.typed("ha", "mip6control -S 1")
    net.typed("mn", f"mip6control -T 0\nsetkey -c << EOF\n{AH_OUT}\nEOF")
    net.until(30)
    (data, update), *_ = net.updates("B")
    assert bare(update) == update
    chain = walk(data, Ip6Hdr.unpack(data).ip6_nxt, Ip6Hdr.SIZE, len(data))
    kinds = [ext.nxt_type for ext in chain.headers]
    assert kinds == [IPPROTO_DSTOPTS, IPPROTO_AH, IPPROTO_DSTOPTS]
    assert net.bindings("ha") == {net.host("A"): net.coa()}


def test_ah_over_the_packet_does_not_count_without_s_1() -> None:
    net = Secure(17)
    net.typed("mn", f"mip6control -T 0\nsetkey -c << EOF\n{AH_OUT}\nEOF")
    net.until(30)
    assert net.updates("B") and net.bindings("ha") == {}
    assert net.drops("ha")["MIP6_BUNOAUTH"] == len(net.updates("B"))


def test_ah_of_somebody_else_does_not_vouch_for_a_home_address() -> None:
    """The index, the key and the digest are right; the association is one of D."""
    net = Secure(17)
    change = 'delete A B ah 1500;\nadd D B ah 1500 -A hmac-sha1 "AH SA configuration!";'
    net.typed("ha", f"mip6control -S 1\nsetkey -c << EOF\n{change}\nEOF")
    net.typed("mn", f"mip6control -T 0\nsetkey -c << EOF\n{AH_OUT}\nEOF")
    net.until(30)
    assert net.updates("B") and net.bindings("ha") == {}
    assert net.drops("ha")["MIP6_BUWRONGSA"] == len(net.updates("B"))


def test_esp_over_the_update_does_not_count() -> None:
    """It authenticates what it carries, and neither source nor home address (s.4.4)."""
    net = Secure(17)
    key = '-E des-cbc "DES key!" -A hmac-sha1 "ESP SA configuration"'
    for name in ("mn", "ha"):
        net.typed(name, f"setkey -c << EOF\nadd A B esp 1700 {key};\nEOF")
    net.typed("ha", "mip6control -S 1")
    out = AH_OUT.replace("ah/", "esp/")
    net.typed("mn", f"mip6control -T 0\nsetkey -c << EOF\n{out}\nEOF")
    net.until(30)
    assert net.bindings("ha") == {}
    assert net.drops("ha")["MIP6_BUNOAUTH"] > 0


def test_answer_goes_by_routing_header_in_front_of_what_is_signed(net: Secure) -> None:
    ((data, _),) = net.carrying("ha.fxp1", BindingAck)
    chain = walk(data, Ip6Hdr.unpack(data).ip6_nxt, Ip6Hdr.SIZE, len(data))
    assert [ext.nxt_type for ext in chain.headers] == [IPPROTO_ROUTING, IPPROTO_DSTOPTS]


# -- prefixes of home -----------------------------------------------------------------------------

KEYS = """setkey -c << EOF
add ha mn ah 1600 -A hmac-sha1 "AH SA configuration!";
add mn ha ah 1500 -A hmac-sha1 "AH SA configuration!";
add ha mn2 ah 1602 -A hmac-sha1 "AH SA configuration!";
add mn2 ha ah 1502 -A hmac-sha1 "AH SA configuration!";
add ha mn esp 1603 -E des-cbc "DES key!" -A hmac-sha1 "ESP SA configuration";
spdadd ::/0[any] ::/0[any] ipv6-opts -P out ipsec ah/transport//require;
EOF
"""
RENUMBERED_S = 1080


def with_keys(tmp_path: Path, lab: str, keys: str, first: str = "") -> str:
    """A shipped lab with authentication on and ``keys`` everywhere; first: also on its home agent.

    The path of the new file.
    """
    text = (PROJECT_ROOT / "kame_py" / "labs" / f"{lab}.toml").read_text()
    text = text.replace("options MIP6\n", "options MIP6\noptions IPSEC_ESP\n")
    assert text.count("mip6control -T 0\n") > 1
    text = text.replace("mip6control -T 0\n", keys + first, 1)
    path = tmp_path / f"{lab}.toml"
    path.write_text(text.replace("mip6control -T 0\n", keys))
    return str(path)


def renumbered(tmp_path: Path, policy: str) -> LabRun:
    """The lab renumber-abroad; ``policy``: of its home agent, for advertisements."""
    run = LabRun(load_lab(with_keys(tmp_path, "renumber-abroad", KEYS, policy)))
    run.begin()
    run.world.run_ns(RENUMBERED_S * NS)
    return run


@pytest.mark.parametrize("proto", ["ah", "esp"])
def test_prefix_advertisement_is_believed_under_ipsec_of_the_home_agent(
    tmp_path: Path, proto: str
) -> None:
    line = f"spdadd ha mn icmp6 -P out ipsec {proto}/transport//require;"
    run = renumbered(tmp_path, f"setkey -c << EOF\n{line}\nEOF\n")
    second = ntop(run.world.hosts["mn2"][0])
    assert second in run.world.nodes["mn"].run("ifconfig hif0").out
    log = run.world.nodes["mn"].kernel.log.dmesg()
    assert "mobile prefix advertisement" not in log


def test_prefix_advertisement_without_ipsec_is_not_believed(tmp_path: Path) -> None:
    run = renumbered(tmp_path, "")
    second = ntop(run.world.hosts["mn2"][0])
    mn = run.world.nodes["mn"]
    assert second not in mn.run("ifconfig hif0").out
    ha = ntop(run.world.hosts["ha"][0])
    assert f"an unprotected mobile prefix advertisement from {ha}." in mn.kernel.log.dmesg()


# -- two mobile nodes -----------------------------------------------------------------------------

MUTUAL = """setkey -c << EOF
add ha mn ah 1600 -A hmac-sha1 "AH SA configuration!";
add mn ha ah 1500 -A hmac-sha1 "AH SA configuration!";
add ha mn2 ah 1602 -A hmac-sha1 "AH SA configuration!";
add mn2 ha ah 1502 -A hmac-sha1 "AH SA configuration!";
add mn mn2 ah 1700 -A hmac-md5 "sixteen octets..";
add mn2 mn ah 1701 -A hmac-md5 "sixteen octets..";
spdadd ::/0[any] ::/0[any] ipv6-opts -P out ipsec ah/transport//require;
EOF
"""


def test_two_mobile_nodes_sign_for_each_other_by_their_home_addresses(tmp_path: Path) -> None:
    """Both are away: what is signed is what each sees behind routing header and home address."""
    run = LabRun(load_lab(with_keys(tmp_path, "mn2mn", MUTUAL)))
    run.run()
    assert run.good, run.outcomes
    for node in run.world.nodes.values():
        assert [why for why in node.kernel.drops if why.startswith("MIP6")] == []
        assert "authdata create failed" not in node.kernel.log.dmesg()
