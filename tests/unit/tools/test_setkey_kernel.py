# SPDX-License-Identifier: BSD-3-Clause
"""setkey against a kernel: KAME's samples and HowTo, traffic of others, policies of sockets."""

from __future__ import annotations

import json
import re

import pytest

from kame_py.ctl.ops import ProgOps
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.lib.ipsec_policy import PolicyError, ipsec_set_policy
from kame_py.wire.errno import KError
from kame_py.wire.pfkey import build_policy
from kame_py.wire.sockaddr import AF_INET6, IPPROTO_IPV6, IPV6_IPSEC_POLICY, SOCK_DGRAM
from tests.support import data_dir
from tests.unit.ctl.remote_rig import Program
from tests.unit.tools.setkey_table import key_node
from tests.unit.tools.table_ops import addr

SAMPLES = {
    "setkey_sample.cf": """\
line 71: Not supported at [10.0.1.0]
line 73: Not supported at [10.0.2.0]
line 75: Not supported at [172.16.0.1]
line 78: Not supported at [172.16.0.2]
line 88: Not supported at [10.0.2.0]
line 90: Not supported at [10.0.1.0]
line 92: Not supported at [172.16.0.1]
line 95: Not supported at [172.16.0.2]
line 157: Not supported at [rc5-cbc]
line 164: Not supported at [rc5-cbc]
The result of line 168: No entry.
The result of line 172: No entry.
The result of line 185: No SAD entries.
line 190: Not supported at [des-deriv]
line 191: Not supported at [esp-old]
line 201: Not supported at [rc5-cbc]
line 202: Not supported at [rc5-cbc]
line 211: Not supported at [ah-old]
line 214: Not supported at [ipcomp]
""",
    "setkey_sample-policy01.cf": """\
line 6: Not supported at [127.0.0.1]
line 14: Not supported at [127.0.0.1]
""",
    "setkey_sample-policy02.cf": "",
}
LEFT = {
    "setkey_sample.cf": (18, 0),
    "setkey_sample-policy01.cf": (0, 1),
    "setkey_sample-policy02.cf": (2, 7),
}


@pytest.fixture
def node() -> Node:
    return key_node()


def counts(node: Node) -> tuple[int, int]:
    """How many associations and policies there are."""
    dumps = (node.run(f"setkey {option} --json").out for option in ("-D", "-DP"))
    sas, sps = (len(json.loads(text)) for text in dumps)
    return sas, sps


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_of_kame_load(node: Node, name: str) -> None:
    node.files.write("/etc/ipsec.conf", (data_dir() / "kame" / name).read_text())
    done = node.run("setkey -f /etc/ipsec.conf")
    said = re.findall(r"^(?:line|The result) .*\n", done.out, re.MULTILINE)
    assert "".join(said) == SAMPLES[name]
    assert done.status == bool(SAMPLES[name])
    assert counts(node) == LEFT[name]


def test_lines_of_the_howto_as_they_stand() -> None:
    world = World(1)
    world.hosts.update(A=(addr("2001:200:1:1::a"),), B=(addr("2001:200:1:1::b"),))
    node = world.add_node("box", kernel=("INET6", "IPSEC", "IPSEC_ESP"))
    done = node.run(
        "setkey -c << EOF\n"
        'add A B ah 1500 -m transport -A hmac-sha1 "AH SA configuration!";\n'
        'add B A ah 1600 -m transport -A hmac-sha1 "AH SA configuration!";\n'
        "spdadd ::/0[any] ::/0[any] ipv6-opts -P out ipsec ah/transport//require;\n"
        "EOF\n"
    )
    assert (done.status, done.out, done.err) == (0, "", "")
    out = node.run("setkey -D; setkey -DP").out
    assert "2001:200:1:1::a 2001:200:1:1::b \n\tah mode=transport spi=1500(0x000005dc)" in out
    assert out.count("A: hmac-sha1  41482053 4120636f 6e666967 75726174 696f6e21\n") == 2
    assert "::/0[any] ::/0[any] ipv6-opts\n\tout ipsec\n\tah/transport//require\n" in out


def test_a_kernel_without_ipsec() -> None:
    done = World(1).add_node("box").run("setkey -D")
    said = "setkey: pfkey_open: Protocol not supported\n"
    assert (done.status, done.out, done.err) == (1, "", said)


def test_a_kernel_without_esp_has_no_ciphers() -> None:
    node = World(1).add_node("box", kernel=("INET6", "IPSEC"))
    done = node.run("setkey -c << EOF\nadd ::1 ::2 esp 300 -E null;\nEOF")
    assert (done.status, done.out) == (1, "line 1: Not supported at [null]\n")


def test_traffic_of_another_program_until_a_signal(node: Node) -> None:
    out = node.run(
        "setkey -x > /tmp/x &\nsleep 1\n"
        "setkey -c << EOF\nadd ::1 ::2 esp 300 -E null;\nEOF\n"
        "kill -INT setkey\nsleep 1\ncat /tmp/x\nps"
    ).out
    assert "00:00:04.000000\nsadb_msg{ version=2 type=3 errno=0 satype=3\n" in out
    assert out.count("sadb_msg{") == 3  # the answers to PROMISC, REGISTER and ADD
    assert out.endswith("  PID COMMAND\n")


def test_short_lines_follow_an_association_to_its_end(node: Node) -> None:
    out = node.run(
        "setkey -c << EOF\nadd ::1 ::2 esp 300 -lh 3 -ls 2 -E null;\nEOF\n"
        "setkey -Dl > /tmp/l &\nsleep 3.5\nkill setkey\ncat /tmp/l"
    ).out
    assert [line.split()[2:5] for line in out.splitlines() if "->" in line[9:]][1::2] == [
        ["M", "0000012c", "0/3"],
        ["M", "0000012c", "1/3"],
        ["D", "0000012c", "2/3"],
    ]
    assert out.endswith("No SAD entries.\n")


def test_kames_policies_get_kames_verdict_from_sockets(node: Node) -> None:
    rows = json.loads((data_dir() / "kame" / "ipsec_policy_strings.json").read_text())
    verdicts: list[bool] = []

    async def main(argv: list[str], ops: ProgOps) -> int:
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        for row in rows:
            found = ipsec_set_policy(row["policy"])
            refused = isinstance(found, PolicyError)
            if not isinstance(found, PolicyError):
                try:
                    octets = build_policy(found.sadb)
                    await ops.setsockopt(fd, IPPROTO_IPV6, IPV6_IPSEC_POLICY, octets)
                except KError:
                    refused = True
            verdicts.append(refused)
        return 0

    node.add_program("verdicts", main)
    assert node.run("verdicts").ok
    assert verdicts == [row["expect_error"] for row in rows]
    assert len(verdicts) == 24


def test_ping6_has_a_policy_of_its_own() -> None:
    world = World(1)
    lan = world.add_link("lan")
    kernel = ("INET6", "IPSEC", "IPSEC_ESP")
    a, b = (world.add_node(name, kernel=kernel) for name in "ab")
    for node in (a, b):
        node.attach("fxp0", lan)
        node.run(f"ifconfig fxp0 inet6 2001:db8::{node.name}")
    world.run(6)
    ping = "ping6 -c 1 -P 'out ipsec esp/transport//require' 2001:db8::b"
    assert "100% packet loss" in a.run(ping).out
    for node in (a, b):
        node.run("setkey -c << EOF\nadd 2001:db8::a 2001:db8::b esp 1000 -E null;\nEOF")
    assert " 0% packet loss" in a.run(ping).out
    used = json.loads(b.run("setkey -D --json").out)[0]["current"]["allocations"]
    assert used == 1
    refused = a.run("ping6 -c 1 -P 'in discard' 2001:db8::b")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err == "ping6: unable to set IPsec policy: Invalid argument\n"


def test_the_kernel_may_be_in_another_process(node: Node) -> None:
    program = Program(node.world, "setkey", "box")
    program.machine.files["/x"] = "add many ha esp 300 -E null;\ndelete ha ha esp 9;\n"
    assert program.run("-f /x") == (
        1,
        "The result of line 2: No entry.\n",
        "setkey: /x: refused: line 2\n",
    )
    assert counts(node) == (2, 0)
