# SPDX-License-Identifier: BSD-3-Clause
"""ifconfig: its display, its words, its errors."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kame_py.tools.ifconfig import TOOL
from kame_py.wire.errno import EADDRNOTAVAIL, EINVAL, ENXIO, EPERM, KError
from kame_py.wire.ioctl import (
    SIOCAIFADDR_IN6,
    SIOCDIFADDR_IN6,
    SIOCDIFPHYADDR,
    SIOCGIFADDRS_IN6,
    SIOCGIFCONF,
    SIOCGIFFLAGS,
    SIOCGIFMEDIA,
    SIOCGIFPHYADDR_IN6,
    SIOCIFCREATE,
    SIOCIFDESTROY,
    SIOCIFGCLONERS,
    SIOCSIFFLAGS,
    SIOCSIFLLADDR,
    SIOCSIFMETRIC,
    SIOCSIFMTU,
    SIOCSIFPHYADDR_IN6,
)
from kame_py.wire.snap import INFINITE, IfaSnap, IfSnap
from tests.unit.tools.table_ops import TableOps, addr

MAC = bytes.fromhex("00a024660077")


PLAIN_IF = IfSnap("", 0, 6, 0, 1500, 0, MAC, True, 0, 0, 0, 0, 0, 0, 0, 0, 0)
PLAIN_IFA = IfaSnap(
    "fxp0", 1, bytes(16), 64, 0, INFINITE, INFINITE, INFINITE, INFINITE, dstaddr=None
)


FXP0 = replace(PLAIN_IF, name="fxp0", index=1, flags=0x8843)
FXP1 = replace(PLAIN_IF, name="fxp1", index=2, flags=0x8802, carrier=False, metric=3)
GIF0 = replace(PLAIN_IF, name="gif0", index=4, flags=0x8051, mtu=1280, lladdr=b"", carrier=None)
ADDRS = (
    replace(PLAIN_IFA, addr=addr("fe80::2a0:24ff:fe66:77")),
    replace(PLAIN_IFA, addr=addr("2001:200:1:1:2a0:24ff:fe66:77")),
    replace(PLAIN_IFA, addr=addr("2001:200:1:1:fdff:ffff:ffff:fffe"), flags=0x01),
    replace(
        PLAIN_IFA,
        addr=addr("2001:200:1:2::5"),
        flags=0x50,
        vltime=2592000,
        pltime=604800,
        vexpire=2591000,
        pexpire=-7,
    ),
)


@pytest.fixture
def ops() -> TableOps:
    tables = TableOps()
    tables.ioctls = {
        SIOCGIFCONF: (FXP0, FXP1, GIF0),
        SIOCGIFADDRS_IN6: lambda req: ADDRS if req.ifr_name == "fxp0" else (),
        SIOCGIFPHYADDR_IN6: lambda req: (
            (addr("2001:db8::1"), addr("2001:db8::2"))
            if req.ifr_name == "gif0"
            else KError(EADDRNOTAVAIL)
        ),
        SIOCGIFFLAGS: 0x8802,
        SIOCGIFMEDIA: True,
    }
    for req in (SIOCAIFADDR_IN6, SIOCDIFADDR_IN6, SIOCSIFFLAGS, SIOCSIFMTU, SIOCSIFMETRIC):
        tables.ioctls[req] = None
    for req in (SIOCSIFLLADDR, SIOCSIFPHYADDR_IN6, SIOCDIFPHYADDR, SIOCIFDESTROY):
        tables.ioctls[req] = None
    return tables


DISPLAY = """\
fxp0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tinet6 fe80::2a0:24ff:fe66:77%fxp0 prefixlen 64 scopeid 0x1 
\tinet6 2001:200:1:1:2a0:24ff:fe66:77 prefixlen 64 
\tinet6 2001:200:1:1:fdff:ffff:ffff:fffe prefixlen 64 anycast 
\tinet6 2001:200:1:2::5 prefixlen 64 deprecated autoconf 
\tether 00:a0:24:66:00:77 
\tmedia: autoselect (100baseTX <full-duplex>) status: active
"""  # noqa: W291  each address line ends with a blank, as KAME prints it


def test_interface_is_shown_in_kame_layout(ops: TableOps) -> None:
    assert ops.run(TOOL, "fxp0") == (0, DISPLAY, "")


def test_lifetimes_are_shown_only_where_one_is_finite(ops: TableOps) -> None:
    lines = ops.run(TOOL, "-L", "fxp0").out.splitlines()
    assert lines[2] == "\tinet6 2001:200:1:1:2a0:24ff:fe66:77 prefixlen 64 "
    tail = "prefixlen 64 deprecated autoconf pltime 0 vltime 2591000 "
    assert lines[4] == f"\tinet6 2001:200:1:2::5 {tail}"


def test_inet6_alone_leaves_out_link_and_media(ops: TableOps) -> None:
    out = ops.run(TOOL, "fxp0", "inet6").out
    assert "ether" not in out and "media" not in out and out.count("inet6") == 4


def test_metric_and_no_carrier(ops: TableOps) -> None:
    assert ops.run(TOOL, "fxp1").out == (
        "fxp1: flags=8802<BROADCAST,SIMPLEX,MULTICAST> metric 3 mtu 1500\n"
        "\tether 00:a0:24:66:00:77 \n"
        "\tmedia: autoselect (none) status: no carrier\n"
    )


def test_tunnel_line(ops: TableOps) -> None:
    assert ops.run(TOOL, "gif0").out == (
        "gif0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1280\n"
        "\ttunnel inet6 2001:db8::1 --> 2001:db8::2\n"
    )


def test_point_to_point_address(ops: TableOps) -> None:
    one = replace(PLAIN_IFA, addr=addr("2001:db8::1"), plen=128, dstaddr=addr("2001:db8::2"))
    ops.ioctls[SIOCGIFADDRS_IN6] = (one,)
    assert "\tinet6 2001:db8::1 --> 2001:db8::2 prefixlen 128 \n" in ops.run(TOOL, "fxp0").out


def test_all_names_up_and_down(ops: TableOps) -> None:
    assert ops.run(TOOL, "-l").out == "fxp0 fxp1 gif0\n"
    assert ops.run(TOOL, "-lu").out == "fxp0 gif0\n"
    assert ops.run(TOOL, "-ld").out == "fxp1\n"
    out = ops.run(TOOL, "-a", "-u").out
    assert out.startswith(DISPLAY + "gif0: ") and "fxp1" not in out


def test_supported_media(ops: TableOps) -> None:
    line = "\tsupported media: autoselect 100baseTX <full-duplex> 100baseTX\n"
    assert ops.run(TOOL, "-m", "fxp0").out == DISPLAY + line


def test_cloners(ops: TableOps) -> None:
    ops.ioctls[SIOCIFGCLONERS] = ("gif",)
    assert ops.run(TOOL, "-C").out == "gif\n"


def test_json_has_whole_addresses(ops: TableOps) -> None:
    rows = json.loads(ops.run(TOOL, "--json", "-a").out)
    assert [row["name"] for row in rows] == ["fxp0", "fxp1", "gif0"]
    assert rows[0]["inet6"][3] == {
        "addr": "2001:200:1:2::5",
        "prefixlen": 64,
        "dstaddr": None,
        "flags": ["deprecated", "autoconf"],
        "scopeid": None,
        "pltime": 0,
        "vltime": 2591000,
    }


def test_howto_line_adds_an_anycast_address(ops: TableOps) -> None:
    text = "2001:200:1:1:fdff:ffff:ffff:fffe"
    assert ops.run(TOOL, "fxp0", "inet6", text, "anycast", "alias") == (0, "", "")
    assert ops.asked == [SIOCAIFADDR_IN6("fxp0", addr(text), 64, None, 0x01)]


@pytest.mark.parametrize(
    ("words", "req"),
    [
        ("2001:db8::1/48", SIOCAIFADDR_IN6("fxp0", addr("2001:db8::1"), 48)),
        ("2001:db8::1 prefixlen 0", SIOCAIFADDR_IN6("fxp0", addr("2001:db8::1"), 128)),
        (
            "2001:db8::1 2001:db8::2 prefixlen 128 alias",
            SIOCAIFADDR_IN6("fxp0", addr("2001:db8::1"), 128, addr("2001:db8::2")),
        ),
        (
            "alias tentative deprecated -tentative 2001:db8::1 pltime 60 vltime 90",
            SIOCAIFADDR_IN6("fxp0", addr("2001:db8::1"), 64, None, 0x10, 90, 60),
        ),
        ("2001:db8::1 -alias", SIOCDIFADDR_IN6("fxp0", addr("2001:db8::1"))),
        ("2001:db8::1 delete", SIOCDIFADDR_IN6("fxp0", addr("2001:db8::1"))),
        ("fe80::1%fxp0 remove", SIOCDIFADDR_IN6("fxp0", addr("fe80::1"))),
    ],
)
def test_address_words(ops: TableOps, words: str, req: object) -> None:
    assert ops.run(TOOL, "fxp0", "inet6", *words.split()) == (0, "", "")
    assert ops.asked == [req]


@pytest.mark.parametrize(
    ("words", "req"),
    [
        ("fxp0 up", SIOCSIFFLAGS("fxp0", 0x8803)),
        ("fxp0 -arp", SIOCSIFFLAGS("fxp0", 0x8882)),
        ("fxp0 link1", SIOCSIFFLAGS("fxp0", 0xA802)),
        ("fxp0 mtu 1280", SIOCSIFMTU("fxp0", 1280)),
        ("fxp0 metric 2", SIOCSIFMETRIC("fxp0", 2)),
        ("fxp0 lladdr 0:1:2:3:4:5", SIOCSIFLLADDR("fxp0", bytes(range(6)))),
        ("fxp0 ether 0:1:2:3:4:5", SIOCSIFLLADDR("fxp0", bytes(range(6)))),
        ("fxp0 media autoselect", SIOCGIFMEDIA("fxp0")),
        (
            "gif0 inet6 tunnel 2001:db8::1 2001:db8::2",
            SIOCSIFPHYADDR_IN6("gif0", addr("2001:db8::1"), addr("2001:db8::2")),
        ),
        ("gif0 deletetunnel", SIOCDIFPHYADDR("gif0")),
        ("gif0 destroy", SIOCIFDESTROY("gif0")),
    ],
)
def test_interface_words(ops: TableOps, words: str, req: object) -> None:
    assert ops.run(TOOL, *words.split()) == (0, "", "")
    assert ops.asked[-1] == req


def test_create_prints_a_name_that_the_kernel_chose(ops: TableOps) -> None:
    ops.ioctls[SIOCIFCREATE] = "gif0"
    assert ops.run(TOOL, "gif", "create") == (0, "gif0\n", "")
    assert ops.run(TOOL, "gif0", "create") == (0, "", "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("fxp9", "interface fxp9 does not exist"),
        ("fxp9 up", "interface fxp9 does not exist"),
        ("fxp0 inet6 2001::zz", "2001::zz: bad value"),
        ("fxp0 inet6 2001:db8::1/129", "129: bad value"),
        ("fxp0 inet6 2001:db8::1 prefixlen 129", "129: bad value"),
        ("fxp0 inet6 2001:db8::1 prefixlen", "'prefixlen' requires argument"),
        ("fxp0 inet6 2001:db8::1 vltime x", "invalid vltime"),
        ("fxp0 2001:db8::1", "2001:db8::1: bad value"),
        ("fxp0 anycast", "address flags can be set only for inet6 addresses"),
        ("fxp0 mtu big", "big: bad value"),
        ("fxp0 lladdr 1:2", "1:2: bad value"),
        ("fxp0 media 10base5", "unknown media subtype: 10base5"),
        ("fxp0 inet6 delete", "ioctl (SIOCDIFADDR): Can't assign requested address"),
    ],
)
def test_mistakes_give_one_line(ops: TableOps, words: str, line: str) -> None:
    assert ops.run(TOOL, *words.split()) == (1, "", f"ifconfig: {line}\n")


@pytest.mark.parametrize(
    ("errno", "why"),
    [
        (EPERM, "permission denied"),
        (ENXIO, "no such interface"),
        (EINVAL, "Invalid argument"),
    ],
)
def test_kernel_refuses_an_address(ops: TableOps, errno: int, why: str) -> None:
    ops.ioctls[SIOCAIFADDR_IN6] = KError(errno)
    ops.ioctls[SIOCDIFADDR_IN6] = KError(errno)
    add = ops.run(TOOL, "fxp0", "inet6", "2001:db8::1")
    assert add == (1, "", f"ifconfig: ioctl (SIOCAIFADDR): {why}\n")
    delete = ops.run(TOOL, "fxp0", "inet6", "2001:db8::1", "delete")
    assert delete == (1, "", f"ifconfig: ioctl (SIOCDIFADDR): {why}\n")


def test_wrong_letter_and_no_words_give_usage(ops: TableOps) -> None:
    status, out, err = ops.run(TOOL, "-x")
    assert (status, out) == (1, "") and err.startswith("ifconfig: illegal option -- x\nusage:")
    status, out, err = ops.run(TOOL)
    assert (status, out) == (1, "") and err.startswith("usage: ifconfig [-L] [-m] interface")
