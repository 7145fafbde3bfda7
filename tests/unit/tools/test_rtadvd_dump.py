# SPDX-License-Identifier: BSD-3-Clause
"""The dump file of rtadvd, to the letter."""

from __future__ import annotations

import json

from kame_py.tools.rtadvd import main
from kame_py.wire.codecs import NdRouterSolicit
from tests.unit.tools.router_ops import Machine
from tests.unit.tools.test_rtadvd import CONF, FORWARDING, HOWTO, router

DUMP = "/var/run/rtadvd.dump"


def test_dump_of_a_home_agent_after_its_first_advertisements() -> None:
    m = router()
    m.icmp6_at(17, NdRouterSolicit().pack(), "fe80::1")
    m.signal_at(17.5, "USR1")
    m.run(main, "-m fxp0", 18)
    assert m.files[DUMP] == (
        "fxp0:\n"
        "  Status: UP\n"
        "  Last RA sent: Thu Jan 31 00:00:16 2002\n"
        "  Next RA will be sent: Thu Jan 31 00:00:19 2002\n"
        "  waits: 1, initcount: 1\n"
        "  statistics: RA(out/in/inconsistent): 1/0/0, RS(input): 1\n"
        "  Link-layer address: 0:a0:24:66:0:77\n"
        "  MTU: 1500\n"
        "  DefaultLifetime: 180, MaxAdvInterval: 60, MinAdvInterval: 40\n"
        "  Flags: H, Preference: medium, MTU: 0\n"
        "  ReachableTime: 0, RetransTimer: 0, CurHopLimit: 64\n"
        "  HAPreference: 0, HALifetime: 0\n"
        "  Prefixes:\n"
        "    2001:200:1:1:2a0:24ff:fe66:77/64"
        "(KERNEL, vltime: 2592000, pltime: 604800, flags: LAR)\n"
    )


FULL = (
    "fxp0:maxinterval#60:mininterval#40:raflags#216:clockskew#5:mtu#1400:nolladdr:rtime#30000:"
    'retrans#1000:addrs#1:addr="fec0:0:0:2::":vltime#4294967295:pltime#3600:pltimedecr:'
    'routes#1:rtprefix="3ffe:501::":rtplen#32:rtltime#1800:rtflags#8:\n'
)


def test_dump_with_every_conditional_line() -> None:
    m = router(FULL)
    m.signal_at(12, "USR1")
    m.run(main, "fxp0", 13)
    assert m.files[DUMP] == (
        "fxp0:\n"
        "  Status: UP\n"
        "  Next RA will be sent: Thu Jan 31 00:00:16 2002\n"
        "  waits: 0, initcount: 0\n"
        "  statistics: RA(out/in/inconsistent): 0/0/0, RS(input): 0\n"
        "  MTU: 1500\n"
        "  DefaultLifetime: 180, MaxAdvInterval: 60, MinAdvInterval: 40\n"
        "  Flags: MO, Preference: low, MTU: 1400\n"
        "  ReachableTime: 30000, RetransTimer: 1000, CurHopLimit: 64\n"
        "  HAPreference: 0, HALifetime: 0\n"
        "  Clock skew: 5sec\n"
        "  Prefixes:\n"
        "    fec0:0:0:2::/64(CONFIG, vltime: infinity, pltime: 3600(decr,expire 3588), flags: LA)\n"
        "  Route Information:\n"
        "    3ffe:501::/32 (preference: high, lifetime: 1800)\n"
    )


def test_interfaces_come_in_reverse_of_the_command_line() -> None:
    m = Machine()
    m.add_if("fxp0")
    m.add_if("fxp1")
    m.sysctls[FORWARDING] = 1
    m.files[CONF] = HOWTO
    m.signal_at(1, "USR1")
    m.run(main, "fxp0 fxp1", 2)
    heads = [line for line in m.files[DUMP].splitlines() if not line.startswith(" ")]
    assert heads == ["fxp1:", "fxp0:"]


def test_json_gives_the_same_values() -> None:
    m = router(FULL)
    m.signal_at(12, "USR1")
    m.run(main, "--json fxp0", 13)
    (iface,) = json.loads(m.files[DUMP])
    assert iface["interface"] == "fxp0"
    assert iface["flags"] == "MO"
    assert iface["last_ra"] is None
    assert iface["next_ra"] == 1_012_435_216
    assert iface["prefixes"] == [
        {
            "prefix": "fec0:0:0:2::/64",
            "origin": "CONFIG",
            "vltime": 4294967295,
            "pltime": 3588,
            "flags": "LA",
        }
    ]
