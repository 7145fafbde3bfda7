# SPDX-License-Identifier: BSD-3-Clause
"""mip6control against tables: what it asks of the kernel, in which order, and what it prints."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from kame_py.tools.mip6control import TOOL
from kame_py.wire import ioctl
from kame_py.wire.errno import EEXIST, EINVAL, ENOENT, ENXIO, KError
from kame_py.wire.snap import (
    BcSnap,
    BuSnap,
    HaSnap,
    IfSnap,
    Mip6ConfigSnap,
    MpfxSnap,
    Row,
    UnuseSnap,
)
from tests.unit.tools.table_ops import TableOps, addr

CONFIG = Mip6ConfigSnap(2, 0, 1, 0, "draft-15")
HA = "2001:200:1:1:2a0:24ff:fe66:77"
HOA = "2001:200:1:1:290:27ff:fe3a:1b2c"
COA = "2001:200:9:7:290:27ff:fe3a:1b2c"
LL = "fe80::2a0:24ff:fe66:77"

PREFIX = MpfxSnap(
    "hif0", addr("2001:200:1:1::"), 64, 65535, 65012, 65280, 64757, addr("2001:200:1:1:29::")
)
AGENT = HaSnap("hif0", addr(LL), addr(HA), 0x20, 0, 1800, 1743)
UPDATE = BuSnap(
    "hif0", addr(HA), addr(HOA), addr(COA), 60, 41, 48, 29, 1, 0, 7, 0xD0, 3, 0
)  # fmt: skip
BINDING = BcSnap(addr(HOA), addr(COA), addr(HA), 0xD0, 0, 7, 60, 41, 0, "fxp0")


def kernel(config: Mip6ConfigSnap = CONFIG, **tables: tuple[Row, ...]) -> TableOps:
    """A kernel with these tables (bc, unuse, prefix, ha, bu)."""
    ops = TableOps()
    ops.sysctls["net.inet6.mip6.config"] = (config,)
    for name in ("bc", "unuse"):
        ops.sysctls[f"net.inet6.mip6.{name}"] = tables.get(name, ())
    getters = (
        (ioctl.SIOCGHOMEPREFIX_HIF, "prefix"),
        (ioctl.SIOCGHOMEAGENT_HIF, "ha"),
        (ioctl.SIOCGBU_HIF, "bu"),
    )
    for request, name in getters:
        rows = tables.get(name, ())
        ops.ioctls[request] = lambda r, rows=rows: rows if r.ifname == "hif0" else KError(ENXIO)
    setters = (
        *(ioctl.SIOCSMIP6CFG, ioctl.SIOCAHOMEPREFIX_HIF, ioctl.SIOCAHOMEAGENT_HIF),
        *(ioctl.SIOCSUNUSEHA, ioctl.SIOCDUNUSEHA, ioctl.SIOCSHOMEADDR_HIF),
    )
    ops.ioctls.update(dict.fromkeys(setters))
    ops.ioctls[ioctl.SIOCGIFCONF] = (
        IfSnap("hif0", 3, 0xF5, 0, 1500, 0, b"", None, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    )
    return ops


def printed(ops: TableOps, *words: str) -> str:
    result = ops.run(TOOL, *words)
    assert (result.status, result.err) == (0, "")
    return result.out


# -- status ---------------------------------------------------------------------------------------


def test_without_options_it_shows_what_the_node_is() -> None:
    assert printed(kernel()) == (
        "node type: home agent\n"
        "IPsec protection: disable\n"
        "authentication sub-option: enable\n"
        "debug: disable\n"
    )


@pytest.mark.parametrize(
    ("node_type", "first"),
    [
        (0, "node type: corresponding node\n"),
        (1, "node type: mobile node\n"),
        (7, "unknown type 7\nnode type: corresponding node\n"),
    ],
)
def test_node_types(node_type: int, first: str) -> None:
    assert printed(kernel(replace(CONFIG, mcfg_type=node_type))).startswith(first)


def test_status_as_json() -> None:
    assert json.loads(printed(kernel(), "--json")) == {
        "node_type": "home agent",
        "ipsec": False,
        "authdata": True,
        "debug": False,
        "dialect": "draft-15",
    }


# -- tables ---------------------------------------------------------------------------------------


def test_prefixes_in_short_columns() -> None:
    assert printed(kernel(prefix=(PREFIX,)), "-hn") == (
        "prefix\t\tplen\tvltime\tvlexp\tpltime\tplexp\thaddr\n"
        "2001:200:1:1::       64   65535   65012   65280   64757 2001:200:1:1:29 \n"
    )


def test_agents_in_short_columns_without_the_embedded_index() -> None:
    assert printed(kernel(ha=(AGENT,)), "-an") == (
        "lladdr\t\tgaddr\t\tflags\tpref\tlifetim\tltexp\n"
        "fe80::2a0:24ff: 2001:200:1:1:2a H             0    1800    1743\n"
    )


def test_agent_flags_have_letters_and_preferences_a_sign() -> None:
    out = printed(kernel(ha=(replace(AGENT, flags=0xE0, pref=-5, expire=-2),)), "-an")
    assert out.splitlines()[1].endswith(" MOH          -5    1800      -2")


def test_updates_in_long_columns() -> None:
    assert printed(kernel(bu=(UPDATE,)), "-bl", "-n") == (
        "paddr\t\t\t\thaddr\t\t\t\tcoa\t\t\t\t"
        "lifetim\tltexp\trefresh\trefexp\tacktimo\tackexp\tseqno\tflags\trstate\tstate\n"
        f"{HA}   {HOA} {COA} "
        "     60      41      48      29       1       0       7 AHD           3        \n"
    )


def test_only_the_time_of_the_acknowledgement_is_not_negative() -> None:
    late = replace(UPDATE, expire=-3, refexpire=-4, ackexpire=-5, paddr=bytes(16), state=0x87)
    line = printed(kernel(bu=(late,)), "-bln").splitlines()[1]
    assert line.split() == [
        *("::", HOA, COA, "60", "-3", "48", "-4", "1", "0", "7", "AHD", "3", "MUAS"),
    ]


def test_cache_in_long_columns() -> None:
    assert printed(kernel(bc=(BINDING,)), "-cln") == (
        "phaddr\t\t\t\tpcoa\t\t\t\taddr\t\t\t\tflags\tseqno\tlifetim\tltexp\tstate\n"
        f"{HOA} {COA} {HA}   AHD           7      60      41        \n"
    )


def test_cache_in_short_columns_with_states() -> None:
    entry = replace(BINDING, state=0x07, flags=0xF0)
    assert printed(kernel(bc=(entry,)), "-nc") == (
        "phaddr\t\tpcoa\t\taddr\t\tflags\tseqno\tlifetim\tltexp\tstate\n"
        "2001:200:1:1:29 2001:200:9:7:29 2001:200:1:1:2a "
        "AHSD          7      60      41 DRA    \n"
    )


def test_the_older_draft_has_a_prefix_length_and_a_router_flag() -> None:
    ops = kernel(
        replace(CONFIG, dialect="draft-13"), bc=(replace(BINDING, flags=0xF0, prefixlen=64),)
    )
    head, line = printed(ops, "-cn").splitlines()
    assert head.split()[3:5] == ["flags", "plen"]
    assert line.split()[3:7] == ["AHRD", "64", "7", "60"]


def test_rules_without_a_header() -> None:
    rules = (UnuseSnap(bytes(16), 53), UnuseSnap(addr(HOA), 0))
    assert printed(kernel(unuse=rules), "-wn") == f"::#53\n{HOA}\n"


@pytest.mark.parametrize("letter", "habc")
def test_an_empty_list_is_its_header(letter: str) -> None:
    assert len(printed(kernel(), f"-{letter}n").splitlines()) == 1


def test_names_unless_n_is_given() -> None:
    ops = kernel(bc=(BINDING,))
    ops.names["ha"] = addr(HA)
    ops.names["a-very-long-name-of-a-node"] = addr(HOA)
    assert printed(ops, "-c").splitlines()[1].split()[:3] == [
        *("a-very-long-nam", "2001:200:9:7:29", "ha"),
    ]
    assert printed(ops, "-cl").splitlines()[1].split()[0] == "a-very-long-name-of-a-node"
    assert printed(ops, "-cln").splitlines()[1].split()[0] == HOA


def test_tables_as_one_json_object() -> None:
    ops = kernel(bc=(BINDING,), bu=(UPDATE,), ha=(AGENT,), prefix=(PREFIX,))
    got = json.loads(printed(ops, "-chab", "-w", "--json"))
    assert list(got) == [
        *("home_prefixes", "home_agents", "binding_updates", "binding_cache", "unuse"),
    ]
    assert got["binding_cache"] == [
        {
            "phaddr": HOA,
            "pcoa": COA,
            "addr": HA,
            "flags": 0xD0,
            "prefixlen": 0,
            "seqno": 7,
            "lifetime": 60,
            "expire": 41,
            "state": 0,
            "ifname": "fxp0",
            "flag_letters": "AHD",
            "state_letters": "",
        }
    ]
    assert got["home_agents"][0]["flag_letters"] == "H"
    assert got["home_prefixes"][0]["haddr"] == "2001:200:1:1:29::"
    assert got["binding_updates"][0]["reg_state"] == 3
    assert got["unuse"] == []


# -- changes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["-m"], ioctl.SIOCSMIP6CFG(0)),
        (["-M"], ioctl.SIOCSMIP6CFG(1)),
        (["-g"], ioctl.SIOCSMIP6CFG(2)),
        (["-S", "1"], ioctl.SIOCSMIP6CFG(3)),
        (["-S0"], ioctl.SIOCSMIP6CFG(4)),
        (["-T", "1"], ioctl.SIOCSMIP6CFG(5)),
        (["-T", "0"], ioctl.SIOCSMIP6CFG(6)),
        (["-D", "-3x"], ioctl.SIOCSMIP6CFG(128)),
        (["-D", "yes"], ioctl.SIOCSMIP6CFG(129)),
        (
            ["-H2001:200:1:1::", "-P64"],
            ioctl.SIOCAHOMEPREFIX_HIF("hif0", addr("2001:200:1:1::"), 64, 65535, 65280),
        ),
        (
            ["-i", "hif1", "-P", "48", "-H", "2001:200:1::"],
            ioctl.SIOCAHOMEPREFIX_HIF("hif1", addr("2001:200:1::"), 48, 65535, 65280),
        ),
        (["-I", "::77"], ioctl.SIOCSHOMEADDR_HIF("hif0", addr("::77"))),
        (["-i", "hif1", "-I2001:db8::1"], ioctl.SIOCSHOMEADDR_HIF("hif1", addr("2001:db8::1"))),
        (
            ["-I", "2001:200:1:1::77", "-H2001:200:1:1::", "-P64"],
            ioctl.SIOCAHOMEPREFIX_HIF(
                "hif0", addr("2001:200:1:1::"), 64, 65535, 65280, addr("2001:200:1:1::77")
            ),
        ),
        (["-u", "::#53"], ioctl.SIOCSUNUSEHA(bytes(16), 53)),
        (["-v", HA], ioctl.SIOCDUNUSEHA(addr(HA), 0)),
        (["-u", "::#53", "-v", f"{HA}#80"], ioctl.SIOCSUNUSEHA(addr(HA), 80)),
    ],
)
def test_a_change_is_one_request_and_silent(words: list[str], asked: object) -> None:
    ops = kernel()
    assert printed(ops, *words) == ""
    assert ops.asked == [asked]


def test_a_home_agent_by_hand_is_told() -> None:
    ops = kernel()
    ops.names["ha"] = addr(HA)
    assert printed(ops, "-A", "ha", "-L", f"{LL}%fxp0") == f"set homeagent to hif0 ({HA})\n"
    assert ops.asked == [ioctl.SIOCAHOMEAGENT_HIF("hif0", addr(LL), addr(HA), 0x20, 0, 65535)]


def test_the_order_is_fixed_whatever_is_typed() -> None:
    ops = kernel()
    printed(
        ops,
        *("-T0", "-S1", "-D1", "-w", "-u", "::", "-c", "-b", "-a", "-L", LL, "-A", HA),
        *("-h", "-P64", "-H2001:200:1:1::", "-g", "-M", "-m", "-n"),
    )
    got = [getattr(r, "subcommand", type(r).__name__) for r in ops.asked]
    assert got == [
        *(0, 1, 2, "SIOCAHOMEPREFIX_HIF", "SIOCGHOMEPREFIX_HIF", "SIOCAHOMEAGENT_HIF"),
        *("SIOCGHOMEAGENT_HIF", "SIOCGBU_HIF", "SIOCSUNUSEHA", 128, 3, 6),
    ]


@pytest.mark.parametrize(
    ("haddr", "order"),
    [
        ("::77", ["SIOCSHOMEADDR_HIF", "SIOCAHOMEPREFIX_HIF"]),
        ("2001:db8:9::77", ["SIOCAHOMEPREFIX_HIF", "SIOCSHOMEADDR_HIF"]),
    ],
)
def test_an_identifier_comes_before_the_prefix_and_an_address_behind(
    haddr: str, order: list[str]
) -> None:
    ops = kernel()
    assert printed(ops, "-I", haddr, "-P64", "-H2001:200:1:1::") == ""
    assert [type(r).__name__ for r in ops.asked] == order


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-H", "2001:200:1:1::"], "-H is ignored without -P"),
        (["-P64"], "-P is ignored without -H"),
        (["-A", HA], "-A is ignored without -L"),
        (["-L", LL], "-L is ignored without -A"),
    ],
)
def test_half_a_pair_is_ignored(words: list[str], says: str) -> None:
    ops = kernel()
    assert ops.run(TOOL, *words) == (0, "", f"mip6control: {says}\n")
    assert ops.asked == []


# -- errors ---------------------------------------------------------------------------------------

USAGE = (
    "usage: mip6control [-i ifname] [-abcghlmnw] [-H home_prefix -P prefixlen] [-u address#port]\n"
    "       [-v address#port] [-S 0|1] [-T 0|1] [-D 0|1]\n"
)
NO_NAME = "hostname nor servname provided, or not known"


@pytest.mark.parametrize(
    ("words", "status", "err"),
    [
        (["-m", "now"], 1, USAGE),
        (["-x"], 1, f"mip6control: illegal option -- x\n{USAGE}"),
        (["-P"], 1, f"mip6control: option requires an argument -- P\n{USAGE}"),
        (["-H", "nowhere", "-P64"], 1, f"mip6control: nowhere: {NO_NAME}\n"),
        (["-A", HA, "-L", "nowhere"], 1, f"mip6control: nowhere: {NO_NAME}\n"),
        (["-H2001:200:1:1::", "-P129"], 1, "mip6control: 129: invalid prefix length\n"),
        (["-u", "ha#53"], 255, f"mip6control: getaddrinfo: {NO_NAME}\n"),
        (["-v", "::#http"], 255, "mip6control: http: invalid port\n"),
        (["-v", "::#65536"], 255, "mip6control: 65536: invalid port\n"),
        (["-i", "hif7", "-h"], 1, "mip6control: hif7: not found\n"),
        (["-i", "fxp0", "-a"], 1, "mip6control: fxp0: not found\n"),
        (["-i", "hif7", "-b"], 1, "mip6control: hif7: not found\n"),
    ],
)
def test_errors(words: list[str], status: int, err: str) -> None:
    assert kernel().run(TOOL, *words) == (status, "", err)


def test_an_option_that_the_usage_text_leaves_out_is_told_when_its_argument_lacks() -> None:
    err = kernel().run(TOOL, "-m", "-I").err
    first, told, *rest = err.splitlines()
    assert first == "mip6control: option requires an argument -- I"
    assert told.startswith("  -I ADDR           choose the home address")
    assert "\n".join(rest).endswith(USAGE.rstrip())


def test_help_has_every_letter_in_its_usage() -> None:
    usage, _, _ = TOOL.help_text().partition("\n\n")
    told = "".join(re.findall(r"(?<!-)-([A-Za-z]+)", usage))
    assert set(told) == set(TOOL.letters.replace(":", ""))


@pytest.mark.parametrize(
    ("words", "refused", "errno", "status", "text"),
    [
        (["-A", HA, "-L", LL], ioctl.SIOCAHOMEAGENT_HIF, EINVAL, 1, "Invalid argument"),
        (["-u", "::"], ioctl.SIOCSUNUSEHA, EEXIST, 255, "File exists"),
        (["-v", "::"], ioctl.SIOCDUNUSEHA, ENOENT, 255, "No such file or directory"),
        (["-m"], ioctl.SIOCSMIP6CFG, EINVAL, 1, "Invalid argument"),
    ],
)
def test_what_the_kernel_refuses(
    words: list[str], refused: type, errno: int, status: int, text: str
) -> None:
    ops = kernel()
    ops.ioctls[refused] = KError(errno)
    result = ops.run(TOOL, *words)
    assert (result.status, result.err) == (status, f"mip6control: ioctl: {text}\n")


@pytest.mark.parametrize("words", [[], ["-m"], ["-cn"], ["-h"]])
def test_a_kernel_without_mobility(words: list[str]) -> None:
    ops = TableOps()
    assert ops.run(TOOL, *words) == (1, "", "mip6control: mip6 not found\n")
    assert ops.asked == []


@pytest.mark.parametrize("letter", "hab")
def test_a_kernel_without_a_home_interface(letter: str) -> None:
    ops = kernel()
    for request in (ioctl.SIOCGHOMEPREFIX_HIF, ioctl.SIOCGHOMEAGENT_HIF, ioctl.SIOCGBU_HIF):
        ops.ioctls[request] = KError(EINVAL)
    ops.ioctls[ioctl.SIOCGIFCONF] = ()
    assert ops.run(TOOL, f"-{letter}") == (1, "", "mip6control: hif not found\n")
