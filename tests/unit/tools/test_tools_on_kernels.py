# SPDX-License-Identifier: BSD-3-Clause
"""The tools against booted kernels in virtual time: a host, a router, a host behind it."""

from __future__ import annotations

import json

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.node import Node
from kame_py.lab.world import World

A, R1, R2, B = "2001:db8:1::a", "2001:db8:1::1", "2001:db8:2::1", "2001:db8:2::b"


class Net:
    """a - fxp0/link 1/fxp0 - r - fxp1/link 2/fxp0 - b; each link takes one millisecond."""

    def __init__(self) -> None:
        self.world = World(seed=1)
        one = self.world.add_link("one", delay_ns=1_000_000)
        two = self.world.add_link("two", delay_ns=1_000_000)
        self.a, self.r, self.b = (self.world.add_node(name) for name in "arb")
        self.a.attach("fxp0", one)
        self.r.attach("fxp0", one)
        self.r.attach("fxp1", two)
        self.b.attach("fxp0", two)
        for node, command in (
            (self.a, f"ifconfig fxp0 inet6 {A} alias"),
            (self.r, f"ifconfig fxp0 inet6 {R1} alias"),
            (self.r, f"ifconfig fxp1 inet6 {R2} alias"),
            (self.b, f"ifconfig fxp0 inet6 {B} alias"),
            (self.r, "sysctl -w net.inet6.ip6.forwarding=1"),
            (self.a, f"route -q add default {R1}"),
            (self.b, f"route -q add default {R2}"),
        ):
            done = node.run(command)
            assert (done.status, done.err) == (0, "")
        self.world.run_for(3)


@pytest.fixture
def net() -> Net:
    return Net()


def out(node: Node, command: str, status: int = 0) -> str:
    """What a command prints; it must end with that status and say nothing on stderr."""
    done = node.run(command)
    assert (done.status, done.err) == (status, "")
    assert not node.processes.crashed
    return done.out


def test_a_valid_lifetime_of_zero_adds_no_address_and_is_no_error(net: Net) -> None:
    assert out(net.a, "ifconfig fxp0 inet6 2001:db8:9::6 vltime 0 alias") == ""
    assert "2001:db8:9::6" not in out(net.a, "ifconfig fxp0")


def test_new_address_is_tentative_until_nobody_objected(net: Net) -> None:
    assert out(net.a, "ifconfig fxp0 inet6 2001:db8:1::77 prefixlen 64 alias") == ""
    assert "inet6 2001:db8:1::77 prefixlen 64 tentative \n" in out(net.a, "ifconfig fxp0")
    net.world.run_for(3)
    assert "inet6 2001:db8:1::77 prefixlen 64 \n" in out(net.a, "ifconfig fxp0")
    assert out(net.a, "ifconfig fxp0 inet6 2001:db8:1::77 delete") == ""
    assert "2001:db8:1::77" not in out(net.a, "ifconfig fxp0")
    again = net.a.run("ifconfig fxp0 inet6 2001:db8:1::77 delete")
    why = "ifconfig: ioctl (SIOCDIFADDR): Can't assign requested address\n"
    assert (again.status, again.err) == (1, why)


def test_the_default_route_is_shown_with_the_letters_of_kame(net: Net) -> None:
    rows = [line.split() for line in out(net.a, "netstat -rn").splitlines()]
    assert ["default", R1, "UGSc", "fxp0"] in rows
    assert "    1500 " in out(net.a, "route -n get -inet6 2001:db8:9::9")


def test_interface_display(net: Net) -> None:
    assert out(net.a, "ifconfig fxp0") == (
        "fxp0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n"
        "\tinet6 fe80::2a0:24ff:fe00:101%fxp0 prefixlen 64 scopeid 0x2 \n"
        "\tinet6 2001:db8:1::a prefixlen 64 \n"
        "\tether 00:a0:24:00:01:01 \n"
        "\tmedia: autoselect (100baseTX <full-duplex>) status: active\n"
    )


def test_ping_takes_the_time_of_four_links_once_neighbours_are_known(net: Net) -> None:
    assert out(net.a, f"ping6 -c 2 {B}") == (
        f"PING6(56=40+8+8 bytes) {A} --> {B}\n"
        f"16 bytes from {B}, icmp_seq=0 hlim=63 time=10 ms\n"
        f"16 bytes from {B}, icmp_seq=1 hlim=63 time=4 ms\n"
        "\n"
        f"--- {B} ping6 statistics ---\n"
        "2 packets transmitted, 2 packets received, 0% packet loss\n"
        "round-trip min/avg/max = 4.000/7.000/10.000 ms\n"
    )


@pytest.mark.parametrize(
    ("words", "error", "hlim"),
    [
        (f"-h 1 {B}", "Time to live exceeded", 0x01),
        ("2001:db8:3::b", "No Route to Destination", 0x3F),
        ("2001:db8:2::c", "Destination Host Unreachable", 0x3F),
    ],
)
def test_errors_of_the_router_with_v(net: Net, words: str, error: str, hlim: int) -> None:
    text = out(net.a, f"ping6 -v -c 1 {words}", status=1)
    dst = words.split()[-1]
    assert (
        f"64 bytes from {R1}: {error}\n"
        "Vr TC  Flow Plen Nxt Hlim\n"
        f" 6 00 00000 0010  3a   {hlim:02x}\n"
        f"{A}->{dst}\n"
        "ICMP6: type = 128, code = 0\n"
    ) in text
    assert error not in out(net.a, f"ping6 -c 1 {words}", status=1)


def test_all_nodes_answer_a_multicast_ping(net: Net) -> None:
    text = out(net.a, "ping6 -c 2 -I fxp0 ff02::1")
    assert text.startswith("PING6(56=40+8+8 bytes) fe80::2a0:24ff:fe00:101%fxp0 --> ff02::1%fxp0\n")
    assert "16 bytes from fe80::2a0:24ff:fe00:201%fxp0, icmp_seq=0 hlim=64" in text
    assert "2 packets transmitted, 2 packets received, +1 duplicates, 0% packet loss\n" in text


def test_ping_through_a_router_by_routing_header(net: Net) -> None:
    for node in (net.a, net.r, net.b):
        out(node, "sysctl -w net.inet6.ip6.rthdr0=1")
    assert f"16 bytes from {B}, icmp_seq=0 hlim=63" in out(net.a, f"ping6 -c 1 {R1} {B}")


def test_fragments_come_back_whole(net: Net) -> None:
    out(net.a, f"ping6 -c 1 {B}")  # an unresolved neighbour holds one packet only
    assert f"3008 bytes from {B}, icmp_seq=0" in out(net.a, f"ping6 -c 1 -s 3000 {B}")


def test_a_smaller_link_beyond_the_router_is_told_of_with_m(net: Net) -> None:
    out(net.a, f"ping6 -c 1 {B}")
    out(net.r, "ifconfig fxp1 mtu 1280")
    out(net.b, "ifconfig fxp0 mtu 1280")
    text = out(net.a, f"ping6 -mv -c 2 -s 1400 {B}")
    assert "Packet too big mtu = 1280\nVr TC  Flow Plen Nxt Hlim\n" in text
    assert "new path MTU (1280) is notified\n" in text
    assert f"1408 bytes from {B}, icmp_seq=1 hlim=63" in text
    assert text.count("Packet too big") == 1


def test_a_router_that_advertises_shows_in_the_lists(net: Net) -> None:
    out(net.a, f"ifconfig fxp0 inet6 {A} delete")  # KAME makes no second address of a prefix
    out(net.a, "sysctl -w net.inet6.ip6.accept_rtadv=1")
    assert net.r.run("rtadvd fxp0").status == 0
    net.world.run_for(20)
    assert out(net.a, "ndp -rn").startswith(
        "fe80::2a0:24ff:fe00:201%fxp0 if=fxp0, flags=, pref=medium, expire=29m"
    )
    lines = out(net.a, "ndp -p").splitlines()
    at = lines.index("2001:db8:1::/64 if=fxp0")
    assert lines[at + 1].startswith("flags=LAO vltime=2592000, pltime=604800, expire=29d23h59m")
    assert lines[at + 2] == "  advertised by"
    assert lines[at + 3].startswith("    fe80::2a0:24ff:fe00:201%fxp0 (")
    shown = out(net.a, "ifconfig -L fxp0")
    assert "2a0:24ff:fe00:101 prefixlen 64 autoconf pltime 6047" in shown
    assert out(net.a, "ndp -R") == "" and out(net.a, "ndp -rn") == ""


def test_media_status_follows_the_cable(net: Net) -> None:
    net.a.unplug("fxp0")
    assert "\tmedia: autoselect (none) status: no carrier\n" in out(net.a, "ifconfig fxp0")


def test_sigint_ends_an_endless_ping_with_its_statistics(net: Net) -> None:
    job = net.a.start(f"ping6 {B}")
    net.world.run_for(3.5)
    (proc,) = net.a.processes.named("ping6")
    net.a.processes.kill(proc.pid, "INT")
    net.world.run_for(1)
    done = job.result()
    assert done.status == 130
    assert "4 packets transmitted, 4 packets received, 0% packet loss\n" in done.out


# -- ndp ------------------------------------------------------------------------------------------

OWN = "2001:db8:1::a                        0:a0:24:0:1:1       fxp0 permanent R \n"


def test_neighbour_cache(net: Net) -> None:
    out(net.a, f"ping6 -c 1 {R1}")
    text = out(net.a, "ndp -an")
    assert text.startswith(
        "Neighbor                             Linklayer Address  Netif Expire    S Flgs\n"
    )
    assert OWN in text
    row = next(line for line in text.splitlines() if line.startswith(f"{R1} "))
    assert row.startswith("2001:db8:1::1                        0:a0:24:0:2:1       fxp0 ")
    assert row.endswith("s       R R")


def test_entries_are_set_deleted_and_cleared(net: Net) -> None:
    out(net.a, f"ping6 -c 1 {R1}")
    assert out(net.a, "ndp -s 2001:db8:1::5 0:1:2:3:4:5") == ""
    assert "2001:db8:1::5                        0:1:2:3:4:5         fxp0 permanent R \n" in (
        out(net.a, "ndp -n 2001:db8:1::5")
    )
    assert f"{R1} ({R1}) deleted\n" in out(net.a, "ndp -c")
    text = out(net.a, "ndp -an")
    assert OWN in text and "2001:db8:1::5" in text and f"{R1} " not in text
    assert out(net.a, "ndp -d 2001:db8:1::5") == "2001:db8:1::5 (2001:db8:1::5) deleted\n"
    gone = net.a.run("ndp -n 2001:db8:1::5")
    assert gone.status == 1
    assert gone.out.endswith("2001:db8:1::5 (2001:db8:1::5) -- no entry\n")


def test_an_entry_set_with_temp_lasts_twenty_minutes(net: Net) -> None:
    out(net.a, "ndp -s 2001:db8:1::5 0:1:2:3:4:5 temp")
    row = "2001:db8:1::5                        0:1:2:3:4:5         fxp0 19m59s    R \n"
    net.world.run_for(1)
    assert row in out(net.a, "ndp -n 2001:db8:1::5")
    net.world.run_for(1200)
    stale = "2001:db8:1::5                        0:1:2:3:4:5         fxp0 23h59m59s S \n"
    assert stale in out(net.a, "ndp -n 2001:db8:1::5")


def test_our_own_addresses_are_no_neighbours(net: Net) -> None:
    delete = net.a.run(f"ndp -d {A}")
    assert (delete.status, delete.err) == (1, "delete: cannot delete non-NDP entry\n")
    change = net.a.run(f"ndp -s {A} 0:1:2:3:4:5")
    assert (change.status, change.err) == (1, "set: cannot configure a new entry\n")
    assert OWN in out(net.a, "ndp -an")


def test_a_static_entry_is_what_packets_use(net: Net) -> None:
    """The router's address at a MAC that nobody has: nothing gets through any more."""
    out(net.a, f"ping6 -c 1 {B}")
    out(net.a, f"ndp -d {R1}")
    out(net.a, f"ndp -s {R1} 0:9:9:9:9:9")
    assert "100% packet loss" in out(net.a, f"ping6 -c 1 {B}", status=1)


def test_interface_flags(net: Net) -> None:
    assert out(net.a, "ndp -i fxp0 -accept_rtadv").endswith("Flags: PERFORMNUD \n")
    assert out(net.a, "ndp -i fxp0 accept_rtadv").endswith("Flags: PERFORMNUD ACCEPT_RA \n")


# -- route and netstat ----------------------------------------------------------------------------


def test_routing_table(net: Net) -> None:
    lines = out(net.a, "netstat -rn -f inet6").splitlines()
    assert lines[:4] == [
        "Routing tables",
        "",
        "Internet6:",
        "Destination                       Gateway                       Flags      Netif Expire",
    ]
    assert (
        "2001:db8:1::/64                   link#2                        UC         fxp0" in lines
    )
    assert (
        "2001:db8:1::a                     0:a0:24:0:1:1                 UHL         lo0" in lines
    )
    assert any(line.startswith(f"default                           {R1} ") for line in lines)


def test_routes_are_added_shown_changed_and_deleted(net: Net) -> None:
    words = f"2001:db8:5:: -prefixlen 64 {R1}"
    line = f"net 2001:db8:5::: gateway {R1}"
    assert out(net.a, f"route add -inet6 {words}") == f"add {line}\n"
    twice = net.a.run(f"route add -inet6 {words}")
    assert (twice.status, twice.out) == (1, f"add {line}: File exists\n")
    assert out(net.a, f"route change -inet6 {words} -mtu 1400") == f"change {line}\n"
    assert out(net.a, "route -n get -inet6 2001:db8:5::9") == (
        "   route to: 2001:db8:5::9\n"
        "destination: 2001:db8:5::\n"
        "       mask: ffff:ffff:ffff:ffff::\n"
        f"    gateway: {R1}\n"
        "  interface: fxp0\n"
        "      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING>\n"
        " recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire\n"
        "       0         0         0         0         0         0      1400         0 \n"
    )
    delete = "route delete -inet6 2001:db8:5:: -prefixlen 64"
    assert out(net.a, delete) == "delete net 2001:db8:5::\n"
    gone = net.a.run(delete)
    assert (gone.status, gone.out) == (1, "delete net 2001:db8:5::: not in table\n")


def test_flush_takes_the_way_out(net: Net) -> None:
    assert out(net.a, "route flush") == f"default              {R1:<20} done\n"
    assert net.a.run(f"ping6 -c 1 {B}").status == 1


def test_monitor_tells_what_others_do(net: Net) -> None:
    job = net.a.start("route -n monitor")
    net.world.run_for(0.5)
    out(net.a, f"route add 2001:db8:7:: {R1}")
    (proc,) = net.a.processes.named("route")
    net.a.processes.kill(proc.pid, "INT")
    net.world.run_for(0.5)
    lines = job.result().out.splitlines()
    assert lines[1].startswith("got message of size 164 on ")
    assert lines[2].startswith("RTM_ADD: Add Route: len 164, pid: ")
    assert lines[2].endswith(", seq 1, errno 0, flags:<UP,GATEWAY,DONE,STATIC>")
    assert lines[3:] == [
        "locks:  inits: ",
        "sockaddrs: <DST,GATEWAY,NETMASK>",
        f" 2001:db8:7:: {R1} ffff:ffff:ffff:ffff::",
    ]


def test_counters_after_a_ping(net: Net) -> None:
    before = json.loads(out(net.b, "netstat --json -p icmp6"))["icmp6"]
    out(net.a, f"ping6 -c 3 {B}")
    after = json.loads(out(net.b, "netstat --json -p icmp6"))["icmp6"]
    assert after["icp6s_inhist"]["128"] == 3 and "128" not in before.get("icp6s_inhist", {})
    text = out(net.b, "netstat -ss -p icmp6")
    assert "\t\techo: 3\n" in text and "\t3 message responses generated\n" in text
    assert "\t3 input echo requests\n" in out(net.b, "netstat -ss -I fxp0")


def test_interfaces_and_memberships(net: Net) -> None:
    text = out(net.a, "netstat -in")
    assert "\nfxp0  1500  <Link#2>    00:a0:24:00:01:01 " in text
    assert (
        "\nfxp0  1500  2001:db8:1: 2001:db8:1::a            -     -        -     -     -\n" in text
    )
    assert "\nfxp0        1 ff02::1:ff00:a%fxp0\n" in out(net.a, "netstat -g")


def test_sockets_of_a_running_ping(net: Net) -> None:
    job = net.a.start(f"ping6 -S {A} {B}")
    net.world.run_for(0.5)
    assert "icm6       0      0  2001:db8:1::a.*        *.*\n" in out(net.a, "netstat -n")
    (proc,) = net.a.processes.named("ping6")
    net.a.processes.kill(proc.pid, "INT")
    net.world.run_for(0.5)
    assert job.done


def test_tunnel_interface(net: Net) -> None:
    assert out(net.a, "ifconfig gif0 create") == ""
    assert out(net.a, f"ifconfig gif0 inet6 tunnel {A} {B}") == ""
    assert f"\ttunnel inet6 {A} --> {B}\n" in out(net.a, "ifconfig gif0")
    assert out(net.a, "ifconfig -l") == "lo0 fxp0 gif0\n"
    assert out(net.a, "ifconfig gif0 destroy") == ""
    assert out(net.a, "ifconfig -l") == "lo0 fxp0\n"


def test_a_flood_on_a_link_without_delay_lets_time_go_on() -> None:
    world = World(seed=1)
    lan = world.add_link("lan")
    for name in ("a", "b"):
        world.add_node(name).attach("fxp0", lan)
    world.run(until=3)
    began = world.now()
    done = world.nodes["a"].run("ping6 -q -f -c 500 -I fxp0 fe80::2a0:24ff:fe00:201")
    assert "500 packets transmitted, 500 packets received" in done.out
    assert NS // 4 < world.now() - began < 2 * NS
