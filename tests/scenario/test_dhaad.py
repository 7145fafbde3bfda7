# SPDX-License-Identifier: BSD-3-Clause
"""had on home agents and a host that asks them, whole kernels and links between them."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from kame_py.ctl.ops import ProgOps
from kame_py.kern.clock import NS
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.wire.codecs import HaDiscovReq
from kame_py.wire.const import ICMP6_HADISCOV_REPLY
from kame_py.wire.in6addr import ntop, pton
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import parse_ha_reply
from kame_py.wire.sockaddr import (
    AF_INET6,
    ICMP6_FILTER,
    ICMP6_FILTER_SETBLOCKALL,
    IPPROTO_ICMPV6,
    SOCK_RAW,
    SockaddrIn6,
)

CONF = "/usr/local/v6/etc/rtadvd.conf"
HOME = "2001:200:1:1::"
ANYCAST = f"{HOME.removesuffix('::')}:fdff:ffff:ffff:fffe"
FAST = "fxp0:maxinterval#4:mininterval#3:"


class Answer(NamedTuple):
    source: str
    addrs: list[str]


class Asker:
    """A program that sends one request and waits two seconds for its answer."""

    def __init__(self) -> None:
        self.ident = 0
        self.answer: Answer | None = None

    async def main(self, argv: list[str], ops: ProgOps) -> int:
        to = pton(argv[0])
        assert to is not None
        self.ident += 1
        self.answer = None
        fd = await ops.socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
        filt = ICMP6_FILTER_SETBLOCKALL.setpass(ICMP6_HADISCOV_REPLY)
        await ops.setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, filt.value)
        await ops.sendmsg(fd, HaDiscovReq(ha_dreq_id=self.ident).pack(), SockaddrIn6(to))
        polled = await ops.poll((fd,), 2 * NS)
        if not polled.readable:
            return 1
        rec = await ops.recvmsg(fd)
        reply = parse_ha_reply(rec.data, 0, len(rec.data))
        assert not isinstance(reply, Malformed)
        assert reply.id == self.ident
        self.answer = Answer(ntop(rec.addr.addr), [ntop(a) for a in reply.addrs])
        return 0


class Link:
    """A home link with its agents, a link behind the first of them, a host there that asks."""

    def __init__(self, *prefs: int) -> None:
        self.world = World(seed=5)
        home = self.world.add_link("home", delay_ns=100_000)
        away = self.world.add_link("away", delay_ns=1_000_000)
        self.asker = Asker()
        self.host = self.world.add_node("host")
        self.host.attach("fxp0", away)
        self.host.add_program("ask", self.asker.main)
        self.agents: list[Node] = []
        for n, pref in enumerate(prefs, 1):
            conf = f"{FAST}hapref#{pref}:hatime#10:\n"
            node = self.world.add_node(f"ha{n}", files={CONF: conf})
            node.attach("fxp0", home)
            self.agents.append(node)
            node.run(f"sysctl -w net.inet6.ip6.forwarding=1\nifconfig fxp0 inet6 {HOME}{n}")
        self.agents[0].attach("fxp1", away)
        self.agents[0].run("ifconfig fxp1 inet6 2001:200:9:1::1")
        self.host.run("ifconfig fxp0 inet6 2001:200:9:1::29; route add default 2001:200:9:1::1")
        self.agents[0].run(f"ifconfig fxp0 inet6 {ANYCAST} anycast alias")
        self.world.run_for(2)

    def serve(self, *numbers: int) -> None:
        """Start both daemons on these agents and let them be heard."""
        for n in numbers:
            self.agents[n - 1].run("rtadvd -m fxp0; had fxp0")
        self.world.run_for(13)

    def ask(self, to: str = ANYCAST) -> Answer | None:
        self.host.run(f"ask {to}")
        return self.asker.answer


def test_a_home_agent_alone_answers_with_its_address_as_source_and_no_list() -> None:
    link = Link(0)
    link.serve(1)
    assert link.ask() == Answer(f"{HOME}1", [])


def test_had_without_rtadvd_answers_as_well() -> None:
    link = Link(0)
    link.agents[0].run("had fxp0")
    assert link.ask() == Answer(f"{HOME}1", [])


def test_others_are_listed_by_preference_and_the_one_that_answers_in_its_place() -> None:
    link = Link(5, 10, 1)
    link.serve(1, 2, 3)
    assert link.ask() == Answer(f"{HOME}1", [f"{HOME}2", f"{HOME}1", f"{HOME}3"])


def test_the_best_one_leaves_itself_out() -> None:
    link = Link(10, 5, 1)
    link.serve(1, 2, 3)
    assert link.ask() == Answer(f"{HOME}1", [f"{HOME}2", f"{HOME}3"])


def test_a_negative_preference_is_worse_than_none() -> None:
    link = Link(0, 65535)
    link.serve(1, 2)
    assert link.ask() == Answer(f"{HOME}1", [f"{HOME}2"])


def test_equals_take_turns() -> None:
    link = Link(9, 1, 1, 1)
    link.serve(1, 2, 3, 4)
    orders = {tuple(answer.addrs) for _ in range(20) if (answer := link.ask())}
    assert {frozenset(order) for order in orders} == {frozenset(f"{HOME}{n}" for n in (2, 3, 4))}
    assert len(orders) > 3


def test_an_agent_that_stops_advertising_leaves_the_list_with_its_lifetime() -> None:
    link = Link(9, 1)
    link.serve(1, 2)
    assert link.ask() == Answer(f"{HOME}1", [f"{HOME}2"])
    link.agents[1].run("ifconfig fxp0 down")
    link.world.run_for(11)
    assert link.ask() == Answer(f"{HOME}1", [])


def test_an_agent_that_ends_orderly_with_lifetime_zero_is_gone_at_once() -> None:
    link = Link(9, 1)
    link.agents[1].files.write(CONF, FAST + "\n")
    link.serve(1, 2)
    assert link.ask() == Answer(f"{HOME}1", [f"{HOME}2"])
    (proc,) = link.agents[1].processes.named("rtadvd")
    link.agents[1].processes.kill(proc.pid, "TERM")
    link.agents[1].kick()
    link.world.run_for(1)
    assert link.ask() == Answer(f"{HOME}1", [])


def test_nobody_answers_before_the_anycast_address_is_there_and_had_knows_it() -> None:
    link = Link(0)
    agent = link.agents[0]
    agent.run(f"ifconfig fxp0 inet6 {ANYCAST} delete; had fxp0")
    assert [line.text for line in agent.kernel.log.lines][-1] == (
        "<haif_findifas> home agents anycast address not found"
    )
    agent.run(f"ifconfig fxp0 inet6 {ANYCAST} anycast alias")
    assert link.ask() is None
    (proc,) = agent.processes.named("had")
    agent.processes.kill(proc.pid, "HUP")
    agent.kick()
    link.world.run_for(0)
    assert link.ask() == Answer(f"{HOME}1", [])


@pytest.mark.parametrize("prefix", ["2001:200:1:2", "2001:200:1:1"])
def test_each_prefix_of_the_link_has_its_own_answer(prefix: str) -> None:
    link = Link(0)
    agent = link.agents[0]
    agent.run(
        "ifconfig fxp0 inet6 2001:200:1:2::1\n"
        "ifconfig fxp0 inet6 2001:200:1:2:fdff:ffff:ffff:fffe anycast alias"
    )
    link.world.run_for(2)
    link.serve(1)
    assert link.ask(f"{prefix}:fdff:ffff:ffff:fffe") == Answer(f"{prefix}::1", [])


def test_the_pid_file_and_the_end_of_a_running_daemon() -> None:
    link = Link(0)
    agent = link.agents[0]
    agent.run("had fxp0")
    (proc,) = agent.processes.named("had")
    assert agent.files.read("/var/run/had.pid") == f"{proc.pid}\n"
    agent.processes.kill(proc.pid, "TERM")
    agent.kick()
    link.world.run_for(0)
    assert proc.status == 143
    assert agent.files.read("/var/run/had.pid") == ""
