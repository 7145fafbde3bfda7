# SPDX-License-Identifier: BSD-3-Clause
"""netstat: its tables, its words, its errors."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kame_py.kern.drop import REASONS
from kame_py.tools.netstat import TOOL
from kame_py.tools.netstat_words import IPSEC6_IN, IPSEC6_OUT
from kame_py.wire.ioctl import (
    SIOCGIFADDRS_IN6,
    SIOCGIFCONF,
    SIOCGIFSTAT_ICMP6,
    SIOCGIFSTAT_IN6,
)
from kame_py.wire.snap import INFINITE, IfaSnap, IfSnap, McastSnap, PcbSnap, RtSnap, StatSnap
from tests.unit.tools.table_ops import NS, TableOps, addr

ROUTER = addr("fe80::2a0:24ff:fe66:77")
DEFAULT = RtSnap(bytes(16), 0, "", ROUTER, "fxp0", "", None, 0x10003, "fxp0", 0, None, 1, 7)
ROUTES = (
    DEFAULT,
    replace(DEFAULT, dst=addr("2001:200:1:1::"), plen=64, gateway=None, link="link#1", flags=0x101),
    replace(
        DEFAULT,
        dst=addr("2001:200:1:1:290:27ff:fe3a:1b2c"),
        plen=128,
        gateway=None,
        link="0:90:27:3a:1b:2c",
        lladdr=bytes.fromhex("0090273a1b2c"),
        flags=0x405,
        ifname="lo0",
    ),
)
CLONED = replace(DEFAULT, dst=addr("2001:db8::9"), plen=128, flags=0x20007, mtu=1400, expire=599)
MAC = bytes.fromhex("00a024660077")
FXP0 = IfSnap("fxp0", 1, 6, 0x8843, 1500, 0, MAC, True, 12, 1, 34, 0, 2, 5600, 7800, 0, 0)
IFA = IfaSnap(
    *("fxp0", 1, ROUTER, 64, 0, INFINITE, INFINITE, INFINITE, INFINITE),
    dstaddr=None,
)


@pytest.fixture
def ops() -> TableOps:
    tables = TableOps()
    tables.sysctls["net.route.dump"] = (*ROUTES, CLONED)
    tables.ioctls[SIOCGIFCONF] = (FXP0, replace(FXP0, name="fxp1", index=2, flags=0x8802))
    tables.ioctls[SIOCGIFADDRS_IN6] = lambda req: (IFA,) if req.ifr_name == "fxp0" else ()
    return tables


# -- routes ---------------------------------------------------------------------------------------


def test_numeric_routes_in_kame_layout(ops: TableOps) -> None:
    assert ops.run(TOOL, "-rn", "-f", "inet6") == (
        0,
        "Routing tables\n"
        "\n"
        "Internet6:\n"
        "Destination                       Gateway                       Flags      Netif Expire\n"
        "default                           fe80::2a0:24ff:fe66:77%fxp0   UGc        fxp0\n"
        "2001:200:1:1::/64                 link#1                        UC         fxp0\n"
        "2001:200:1:1:290:27ff:fe3a:1b2c   0:90:27:3a:1b:2c              UHL         lo0\n",
        "",
    )


def test_cloned_routes_only_with_a(ops: TableOps) -> None:
    last = ops.run(TOOL, "-rna").out.splitlines()[-1]
    assert last == (
        "2001:db8::9                       fe80::2a0:24ff:fe66:77%fxp0   UGHW       fxp0    599"
    )


def test_long_routes_have_refs_use_and_mtu(ops: TableOps) -> None:
    lines = ops.run(TOOL, "-rnla").out.splitlines()
    assert lines[3] == (
        "Destination                             Gateway                         Flags    "
        "Refs     Use     Mtu     Netif Expire"
    )
    assert lines[7] == (
        "2001:db8::9                             fe80::2a0:24ff:fe66:77%fxp0     UGHW        "
        "1        7   1400     fxp0    599"
    )


def test_names_cut_both_columns_to_18(ops: TableOps) -> None:
    ops.names["router.example.net.of.ours"] = ROUTER
    lines = ops.run(TOOL, "-r").out.splitlines()
    assert lines[3] == "Destination        Gateway            Flags      Netif Expire"
    assert lines[4] == "default            router.example.net UGc        fxp0"


def test_routes_as_json(ops: TableOps) -> None:
    rows = json.loads(ops.run(TOOL, "--json", "-ra").out)
    assert rows[3]["destination"] == "2001:db8::9" and rows[3]["expire"] == 599
    assert rows[2]["lladdr"] == "0:90:27:3a:1b:2c"


# -- sockets --------------------------------------------------------------------------------------

PCBS = (
    PcbSnap("udp6", 0, 0, bytes(16), "", 521, bytes(16), "", 0),
    PcbSnap("icm6", 28, 0, addr("2001:db8:1:2:3::44"), "", 0, ROUTER, "fxp0", 0),
)


def test_sockets(ops: TableOps) -> None:
    ops.sysctls["net.inet6.pcblist"] = PCBS
    assert ops.run(TOOL, "-an").out == (
        "Active Internet connections (including servers)\n"
        "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
        "udp6       0      0  *.521                  *.*\n"
        "icm6      28      0  2001:db8:1:2:3::.*     fe80::2a0:24ff:f.*\n"
    )
    assert ops.run(TOOL, "-n").out.splitlines()[1:] == [
        "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)",
        "icm6      28      0  2001:db8:1:2:3::.*     fe80::2a0:24ff:f.*",
    ]


def test_sockets_with_whole_addresses(ops: TableOps) -> None:
    ops.sysctls["net.inet6.pcblist"] = PCBS
    row = ops.run(TOOL, "-nl").out.splitlines()[2]
    local, foreign = "2001:db8:1:2:3::44.*", "fe80::2a0:24ff:fe66:77%fxp0.*"
    assert row == f"icm6      28      0  {local:45} {foreign}"


# -- interfaces -----------------------------------------------------------------------------------


def test_interfaces(ops: TableOps) -> None:
    assert ops.run(TOOL, "-in").out == (
        "Name  Mtu   Network       Address            Ipkts Ierrs    Opkts Oerrs  Coll\n"
        "fxp0  1500  <Link#1>    00:a0:24:66:00:77       12     1       34     0     2\n"
        "fxp0  1500  fe80::%fxp0 fe80::2a0:24ff:fe        -     -        -     -     -\n"
        "fxp1* 1500  <Link#2>    00:a0:24:66:00:77       12     1       34     0     2\n"
    )


def test_one_interface_with_bytes_and_drops(ops: TableOps) -> None:
    head, row = ops.run(TOOL, "-bdnI", "fxp1").out.splitlines()
    assert head == (
        "Name  Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs"
        "     Obytes  Coll Drop"
    )
    assert row == (
        "fxp1* 1500  <Link#2>    00:a0:24:66:00:77       12     1       5600       34     0"
        "       7800     2    0"
    )


def test_memberships(ops: TableOps) -> None:
    ops.sysctls["net.inet6.ip6.multicast"] = (McastSnap("fxp0", addr("ff02::1"), 2),)
    assert ops.run(TOOL, "-g").out == (
        "IPv6 Multicast Group Memberships\nNetif    Refs Group\nfxp0        2 ff02::1%fxp0\n"
    )
    row = ops.run(TOOL, "-ian").out.splitlines()[3]
    assert row == f"{'':25} {'ff02::1%fxp0':<19}(refs: 2)"


def test_sideways_shows_totals_then_differences(ops: TableOps) -> None:
    ops.stop_after_ns = ops.now_ns + 2 * NS
    assert ops.run(TOOL, "-w", "1").out == (
        "            input        (Total)           output\n"
        "   packets  errs      bytes    packets  errs      bytes colls\n"
        "        24     2      11200         68     0      15600     4\n"
        "         0     0          0          0     0          0     0\n"
    )


# -- counters -------------------------------------------------------------------------------------

STATS = (
    StatSnap("ip6", "ip6s_total", -1, 9),
    StatSnap("ip6", "ip6s_forward", -1, 1),
    StatSnap("ip6", "ip6s_nxthist", 58, 8),
    StatSnap("ip6", "ip6s_nxthist", 60, 1),
    StatSnap("ip6", "ip6s_sources_rule", 4, 2),
    StatSnap("icmp6", "icp6s_inhist", 128, 3),
    StatSnap("icmp6", "icp6s_inhist", 150, 1),
    StatSnap("icmp6", "icp6s_odst_unreach_noroute", -1, 1),
    StatSnap("udp6", "udp6s_ipackets", -1, 1),
)


IPSEC6 = (
    StatSnap("ipsec6", "in_success", -1, 5),
    StatSnap("ipsec6", "in_polvio", -1, 1),
    StatSnap("ipsec6", "in_ahauthsucc", -1, 3),
    StatSnap("ipsec6", "in_espauthfail", -1, 2),
    StatSnap("ipsec6", "in_ahhist", 3, 3),
    StatSnap("ipsec6", "in_esphist", 12, 2),
    StatSnap("ipsec6", "out_success", -1, 4),
    StatSnap("ipsec6", "out_nosa", -1, 1),
    StatSnap("ipsec6", "out_ahhist", 2, 1),
    StatSnap("ipsec6", "out_esphist", 11, 3),
)


def test_ipsec6_in_kame_words(ops: TableOps) -> None:
    ops.sysctls["net.inet6.stats"] = IPSEC6
    assert ops.run(TOOL, "-ss", "-p", "ipsec6").out == (
        "ipsec6:\n"
        "\t5 inbound packets processed successfully\n"
        "\t1 inbound packet violated process security policy\n"
        "\t3 inbound packets considered authentic\n"
        "\t2 inbound packets failed on authentication of ESP\n"
        "\tAH input histogram:\n"
        "\t\thmac-sha1: 3\n"
        "\tESP input histogram:\n"
        "\t\trijndael-cbc: 2\n"
        "\t4 outbound packets processed successfully\n"
        "\t1 outbound packet with no SA available\n"
        "\tAH output histogram:\n"
        "\t\thmac-md5: 1\n"
        "\tESP output histogram:\n"
        "\t\tnull: 3\n"
    )
    assert json.loads(ops.run(TOOL, "-s", "-p", "ipsec6", "--json").out)["ipsec6"]["in_ahhist"] == {
        "3": 3
    }


def test_every_counter_of_ipsec_drops_has_its_words() -> None:
    words = {word.member for word in (*IPSEC6_IN, *IPSEC6_OUT)}
    for why in REASONS.values():
        proto, _, member = why.counter.partition(".")
        assert proto != "ipsec6" or member in words, why.name


def test_terse_counters(ops: TableOps) -> None:
    ops.sysctls["net.inet6.stats"] = STATS
    assert ops.run(TOOL, "-ss").out == (
        "tcp:\n"
        "udp:\n\t1 datagram received\n"
        "ip6:\n"
        "\t9 total packets received\n"
        "\t1 packet forwarded\n"
        "\tInput histogram:\n"
        "\t\tICMP6: 8\n"
        "\t\tdestination option: 1\n"
        "\tSource addresses selection rule applied:\n"
        "\t\t2 home address\n"
        "icmp6:\n"
        "\tInput histogram:\n"
        "\t\techo: 3\n"
        "\t\t#150: 1\n"
        "\tHistogram of error messages to be generated:\n"
        "\t\t1 no route\n"
        "ipsec6:\n"
        "rip6:\n"
        "mip6:\n"
    )


def test_zeros_are_shown_with_one_s(ops: TableOps) -> None:
    ops.sysctls["net.inet6.stats"] = STATS
    lines = ops.run(TOOL, "-s", "-p", "ip6").out.splitlines()
    assert lines[:3] == [
        "ip6:",
        "\t9 total packets received",
        "\t0 with size smaller than minimum",
    ]
    assert "\t0 packets for this host" in lines


def test_interface_counters(ops: TableOps) -> None:
    ops.ioctls[SIOCGIFSTAT_IN6] = (StatSnap("ip6", "ifs6_in_receive", -1, 2),)
    ops.ioctls[SIOCGIFSTAT_ICMP6] = (StatSnap("icmp6", "ifs6_out_echoreply", -1, 1),)
    assert ops.run(TOOL, "-ssI", "fxp0").out == (
        "ip6 on fxp0:\n\t2 total input datagrams\nicmp6 on fxp0:\n\t1 output echo reply\n"
    )


def test_counters_as_json(ops: TableOps) -> None:
    ops.sysctls["net.inet6.stats"] = STATS
    got = json.loads(ops.run(TOOL, "--json", "-p", "ip6").out)
    assert got == {
        "ip6": {
            "ip6s_total": 9,
            "ip6s_forward": 1,
            "ip6s_nxthist": {"58": 8, "60": 1},
            "ip6s_sources_rule": {"4": 2},
        }
    }


# -- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("-m", "-m: packets are not kept in mbuf chains"),
        ("-L", "-L: no socket listens for connections"),
        ("-M x", "-M: there is no core file to read"),
        ("-f ipx", "ipx: address family is not supported"),
        ("-f x25", "x25: unknown address family"),
        ("-I xl0", "interface xl0 does not exist"),
        ("-p igmp", "igmp: unknown or uninstrumented protocol"),
    ],
)
def test_mistakes_give_one_line(ops: TableOps, words: str, line: str) -> None:
    assert ops.run(TOOL, *words.split()) == (1, "", f"netstat: {line}\n")


def test_family_inet_shows_nothing(ops: TableOps) -> None:
    assert ops.run(TOOL, "-rn", "-f", "inet") == (0, "", "")
