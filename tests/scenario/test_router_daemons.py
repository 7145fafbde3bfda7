# SPDX-License-Identifier: BSD-3-Clause
"""rtadvd on routers, rtsold and rtsol on hosts, whole kernels and links between them."""

from __future__ import annotations

from typing import NamedTuple

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Mbuf
from kame_py.lab.lan import Lan, Port
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.wire.codecs import EtherHeader, Icmp6Hdr, Ip6Hdr, NdRouterAdvert
from kame_py.wire.const import (
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import ntop

CONF = "/usr/local/v6/etc/rtadvd.conf"
DUMP = "/var/run/rtadvd.dump"
HOWTO = "fxp0:\\\n\t:maxinterval#60:mininterval#40:\n"


class Seen(NamedTuple):
    """One IPv6 packet where it was sent."""

    t_s: float
    port: str
    packet: bytes

    @property
    def ip6(self) -> Ip6Hdr:
        return Ip6Hdr.unpack(self.packet)

    @property
    def payload(self) -> bytes:
        return self.packet[Ip6Hdr.SIZE :]


class Wire:
    """Remembers every frame that is sent in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.frames: list[Seen] = []
        world.observe(self)

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None:
        self.frames.append(Seen(self.world.now() / NS, port.name, frame[EtherHeader.SIZE :]))

    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None: ...

    def icmp6(self, kind: int, node: str, since_s: float = 0) -> list[Seen]:
        """ICMPv6 messages of a type from a node, without anything in front of them."""
        return [
            f
            for f in self.frames
            if f.port.startswith(f"{node}.")
            and f.t_s >= since_s
            and f.ip6.ip6_nxt == IPPROTO_ICMPV6
            and Icmp6Hdr.unpack(f.payload).icmp6_type == kind
        ]


def router(
    world: World, name: str, lan: Lan, prefix: str, rtadvd: str = "", conf: str = HOWTO
) -> Node:
    """A router on the link with rtadvd, whose address has passed duplicate detection."""
    node = world.add_node(name, files={CONF: conf})
    node.attach("fxp0", lan)
    node.run(
        f"sysctl -w net.inet6.ip6.forwarding=1\nifconfig fxp0 inet6 {prefix}1 prefixlen 64 alias"
    )
    world.run_for(3)
    node.run(f"rtadvd {rtadvd} fxp0")
    return node


def host(world: World, name: str, lan: Lan, daemon: str = "rtsold fxp0") -> Node:
    """A host that listens to advertisements and runs the command."""
    node = world.add_node(name)
    node.attach("fxp0", lan)
    node.run(f"sysctl -w net.inet6.ip6.accept_rtadv=1\n{daemon}")
    return node


def addresses(node: Node) -> list[str]:
    """Global addresses of fxp0."""
    ifp = node.kernel.ifunit("fxp0")
    assert ifp is not None
    return [ntop(ia.ia_addr) for ia in ifp.in6_addrs if ia.ia_addr[0] != 0xFE]


def routers(node: Node) -> list[str]:
    """Default routers by their interface identifier's last group, with their lifetimes."""
    return [f"{ntop(dr.rtaddr)[-4:]} {dr.rtlifetime}" for dr in node.kernel.nd6.defrouters]


def stop(node: Node, sig: str, program: str) -> None:
    """kill(1) by name."""
    (proc,) = node.processes.named(program)
    node.processes.kill(proc.pid, sig)
    node.kick()


def test_hosts_that_solicit_have_addresses_and_a_router_within_seconds() -> None:
    world = World(seed=1)
    lan = world.add_link("lan", delay_ns=1_000_000)
    wire = Wire(world)
    router(world, "r", lan, "2001:200:1:1::")
    started = world.now() / NS
    hosts = [host(world, name, lan) for name in ("a", "b", "c")]
    world.run_for(7)
    for i, node in enumerate(hosts, 2):
        assert addresses(node) == [f"2001:200:1:1:2a0:24ff:fe00:{i}01"]
        assert routers(node) == [":101 180"]
        assert len(wire.icmp6(ND_ROUTER_SOLICIT, node.name)) == 1
    answers = wire.icmp6(ND_ROUTER_ADVERT, "r", started)
    assert 1 <= len(answers) <= 3
    gaps = [b.t_s - a.t_s for a, b in zip(answers, answers[1:], strict=False)]
    assert all(gap >= 3 for gap in gaps)


def test_advertisements_of_the_howto_come_at_16_32_and_48_seconds() -> None:
    world = World(seed=2)
    lan = world.add_link("lan")
    wire = Wire(world)
    router(world, "r", lan, "2001:200:1:1::")
    started = world.now() / NS
    world.run_for(400)
    times = [f.t_s - started for f in wire.icmp6(ND_ROUTER_ADVERT, "r")]
    assert times[:3] == [16, 32, 48]
    gaps = [b - a for a, b in zip(times[2:], times[3:], strict=False)]
    assert len(gaps) >= 5
    assert all(gap == int(gap) and 40 <= gap <= 59 for gap in gaps)
    assert len(set(gaps)) > 1


def test_a_solicitation_is_answered_by_multicast_within_half_a_second() -> None:
    world = World(seed=3)
    lan = world.add_link("lan")
    wire = Wire(world)
    router(world, "r", lan, "2001:200:1:1::")
    host(world, "a", lan)
    world.run_for(4)
    (solicited,) = wire.icmp6(ND_ROUTER_SOLICIT, "a")
    (answer,) = wire.icmp6(ND_ROUTER_ADVERT, "r")
    assert 0 <= answer.t_s - solicited.t_s < 0.5
    assert ntop(answer.ip6.ip6_dst) == "ff02::1"
    assert (ntop(solicited.ip6.ip6_dst), solicited.ip6.ip6_hlim) == ("ff02::2", 255)


def test_a_home_agents_advertisement_octet_by_octet() -> None:
    world = World(seed=4)
    lan = world.add_link("lan")
    wire = Wire(world)
    conf = "fxp0:maxinterval#60:mininterval#40:hatime#100:hapref#10:mtu=auto:\n"
    router(world, "ha", lan, "2001:200:1:1::", "-m", conf)
    world.run_for(17)
    (ra,) = wire.icmp6(ND_ROUTER_ADVERT, "ha")
    assert Icmp6Hdr.unpack(ra.payload).icmp6_cksum != 0
    cksum = Icmp6Hdr.unpack(ra.payload).icmp6_cksum
    assert ra.packet == bytes.fromhex(
        "60000000 0050 3a ff"  # IPv6, 80 octets of ICMPv6, hop limit 255
        "fe80000000000000 02a024fffe000101"  # the router's link-local address
        "ff020000000000000000000000000001"  # all nodes
        f"86 00 {cksum:04x}"  # router advertisement
        "40 20 00b4"  # current hop limit 64, H, router lifetime 180 s
        "00000000 00000000"  # reachable time, retransmission timer
        "01 01 00a024000101"  # source link-layer address
        "05 01 0000 000005dc"  # MTU 1500
        "07 01 0000 0000ea60"  # advertisement interval 60000 ms
        "08 01 0000 000a 0064"  # home agent: preference 10, lifetime 100 s
        "03 04 40 e0 00278d00 00093a80 00000000"  # prefix /64, L A R, 30 days, 7 days
        "2001020000010001 0000000000000001"  # with the whole address
    )


def test_term_takes_the_router_out_of_the_hosts_tables() -> None:
    world = World(seed=5)
    lan = world.add_link("lan")
    wire = Wire(world)
    r = router(world, "r", lan, "2001:200:1:1::")
    a = host(world, "a", lan)
    world.run_for(20)
    assert len(routers(a)) == 1
    at = world.now() / NS
    (proc,) = r.processes.named("rtadvd")
    stop(r, "TERM", "rtadvd")
    world.run_for(8.5)
    assert proc.alive
    assert routers(a) == []
    world.run_for(1)
    assert proc.status == 0
    final = wire.icmp6(ND_ROUTER_ADVERT, "r", at)
    lifetimes = [NdRouterAdvert.unpack(f.payload).nd_ra_router_lifetime for f in final]
    assert [f.t_s - at for f in final] == [0, 3, 6]
    assert lifetimes == [0, 0, 0]


def test_dump_of_a_running_home_agent() -> None:
    world = World(seed=6)
    lan = world.add_link("lan")
    ha = router(world, "ha", lan, "2001:200:1:1::", "-m")
    world.run_for(50)
    stop(ha, "USR1", "rtadvd")
    world.run_for(0)
    text = ha.files.read(DUMP)
    lines = [line for line in text.splitlines() if "will be sent" not in line]
    assert lines == [
        "fxp0:",
        "  Status: UP",
        "  Last RA sent: Thu Jan 31 00:00:51 2002",
        "  waits: 0, initcount: 3",
        "  statistics: RA(out/in/inconsistent): 3/3/0, RS(input): 0",
        "  Link-layer address: 0:a0:24:0:1:1",
        "  MTU: 1500",
        "  DefaultLifetime: 180, MaxAdvInterval: 60, MinAdvInterval: 40",
        "  Flags: H, Preference: medium, MTU: 0",
        "  ReachableTime: 0, RetransTimer: 0, CurHopLimit: 64",
        "  HAPreference: 0, HALifetime: 0",
        "  Prefixes:",
        "    2001:200:1:1::1/64(KERNEL, vltime: 2592000, pltime: 604800, flags: LAR)",
    ]


def test_two_routers_that_disagree_tell_so_and_go_on() -> None:
    world = World(seed=7)
    lan = world.add_link("lan")
    r1 = router(world, "r1", lan, "2001:200:1:1::", "-d", "fxp0:chlim#32:\n")
    router(world, "r2", lan, "2001:200:1:2::", conf="fxp0:raflags#128:\n")
    world.run_for(20)
    texts = [line.text for line in r1.kernel.log.lines if line.ident.startswith("rtadvd")]
    peer = "fe80::2a0:24ff:fe00:201%fxp0"
    assert f"<ra_input> CurHopLimit inconsistent on fxp0: 64 from {peer}, 32 from us" in texts
    assert f"<ra_input> M flag inconsistent on fxp0: ON from {peer}, OFF from us" in texts
    assert (
        f"<prefix_check> prefix 2001:200:1:2::/64 from {peer} on fxp0 is not in our list" in texts
    )


def test_an_address_that_comes_later_is_advertised_and_one_that_goes_is_withdrawn() -> None:
    world = World(seed=8)
    lan = world.add_link("lan")
    r = router(world, "r", lan, "2001:200:1:1::")
    a = host(world, "a", lan)
    world.run_for(60)
    r.run("ifconfig fxp0 inet6 2001:200:1:9::1 prefixlen 64 alias")
    world.run_for(20)
    assert "2001:200:1:9:2a0:24ff:fe00:201" in addresses(a)
    r.run("ifconfig fxp0 inet6 2001:200:1:1::1 delete")
    world.run_for(20)
    stop(r, "USR1", "rtadvd")
    world.run_for(0)
    dump = r.files.read(DUMP)
    assert "    2001:200:1:1::/64(KERNEL, vltime: 0, pltime: 0, flags: LA)\n" in dump
    assert "    2001:200:1:9::/64(DYNAMIC, vltime: " in dump


def test_an_interface_that_goes_down_and_up_advertises_anew() -> None:
    world = World(seed=9)
    lan = world.add_link("lan")
    wire = Wire(world)
    r = router(world, "r", lan, "2001:200:1:1::")
    world.run_for(60)
    r.run("ifconfig fxp0 down")
    world.run_for(200)
    quiet = world.now() / NS
    assert wire.icmp6(ND_ROUTER_ADVERT, "r", quiet - 199) == []
    r.run("ifconfig fxp0 up")
    up = world.now() / NS
    world.run_for(40)
    assert [f.t_s - up for f in wire.icmp6(ND_ROUTER_ADVERT, "r", up)] == [16, 32]


def test_rtsol_ends_with_the_answer_or_after_three_questions() -> None:
    world = World(seed=10)
    lan, empty = world.add_link("lan"), world.add_link("empty")
    wire = Wire(world)
    router(world, "r", lan, "2001:200:1:1::")
    a = host(world, "a", lan, "")
    b = host(world, "b", empty, "")
    world.run_for(3)
    at = world.now() / NS
    assert a.run("rtsol fxp0").status == 0
    assert world.now() / NS - at < 1.5
    assert addresses(a) == ["2001:200:1:1:2a0:24ff:fe00:201"]
    at = world.now() / NS
    assert b.run("rtsol fxp0").status == 0
    assert 9 <= world.now() / NS - at <= 10
    assert len(wire.icmp6(ND_ROUTER_SOLICIT, "b")) == 3


def test_a_mobile_node_notices_a_moved_cable_and_finds_the_new_router() -> None:
    world = World(seed=11)
    home, away = world.add_link("home"), world.add_link("away")
    wire = Wire(world)
    router(world, "r1", home, "2001:200:1:1::")
    router(world, "r2", away, "2001:200:1:2::")
    mn = host(world, "mn", home, "rtsold -m fxp0")
    world.run_for(30)
    assert addresses(mn) == ["2001:200:1:1:2a0:24ff:fe00:301"]
    moved = world.now() / NS
    world.move(mn, "fxp0", away, gap_ns=5 * NS)
    world.run_for(15)
    solicited = wire.icmp6(ND_ROUTER_SOLICIT, "mn", moved + 5)
    assert solicited[0].t_s - (moved + 5) < 3 + 1
    assert "2001:200:1:2:2a0:24ff:fe00:301" in addresses(mn)
    pokes = [f for f in wire.frames if f.ip6.ip6_nxt == IPPROTO_NONE and f.t_s >= moved]
    assert [(f.port, f.ip6.ip6_plen, f.ip6.ip6_hlim) for f in pokes[:1]] == [("mn.fxp0", 0, 1)]
    assert ntop(pokes[0].ip6.ip6_dst) == "fe80::2a0:24ff:fe00:101"
    shown = mn.run("ifconfig fxp0 inet6").out
    assert "inet6 2001:200:1:1:2a0:24ff:fe00:301 prefixlen 64 detached autoconf" in shown
    default = mn.kernel.rt.lookup(bytes.fromhex("2001") + bytes(14))
    assert default is not None
    assert isinstance(default.rt_gateway, bytes)
    assert ntop(default.rt_gateway).endswith(":201")


def test_a_host_without_minus_m_waits_for_the_next_advertisement() -> None:
    world = World(seed=12)
    home, away = world.add_link("home"), world.add_link("away")
    wire = Wire(world)
    router(world, "r1", home, "2001:200:1:1::")
    a = host(world, "a", home)
    world.run_for(30)
    moved = world.now() / NS
    world.move(a, "fxp0", away)
    world.run_for(60)
    assert wire.icmp6(ND_ROUTER_SOLICIT, "a", moved) == []


def test_rtsold_minus_a_minus_m_follows_carrier_through_the_routing_socket() -> None:
    world = World(seed=13)
    lan = world.add_link("lan")
    wire = Wire(world)
    router(world, "r", lan, "2001:200:1:1::")
    mn = host(world, "mn", lan, "rtsold -a -m")
    world.run_for(30)
    world.cut(lan)
    world.run_for(20)
    world.restore(lan)
    back = world.now() / NS
    world.run_for(5)
    solicited = wire.icmp6(ND_ROUTER_SOLICIT, "mn", back)
    assert solicited[0].t_s - back <= 1
    stop(mn, "USR1", "rtsold")
    world.run_for(0)
    dump = mn.files.read("/var/run/rtsold.dump")
    assert "  carrier detection: available\n" in dump
    assert "  rtsold status: IDLE\n" in dump


def test_the_same_seed_gives_the_same_frames() -> None:
    def frames() -> list[Seen]:
        world = World(seed=14)
        lan = world.add_link("lan", delay_ns=1_000_000, jitter_ns=500_000)
        wire = Wire(world)
        router(world, "r", lan, "2001:200:1:1::", "-m")
        for name in ("a", "b"):
            host(world, name, lan, "rtsold -a -m")
        world.run_for(200)
        return wire.frames

    assert frames() == frames() != []
