# SPDX-License-Identifier: BSD-3-Clause
"""A tool over a connection does what it does beside its kernel."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_py.ctl.codec import (
    CLASSES,
    REQUEST_MAX,
    BadFrame,
    Frames,
    Value,
    arguments_fit,
    pack,
    unpack,
)
from kame_py.ctl.local import FDS_MAX
from kame_py.ctl.ops import Polled
from kame_py.ctl.remote import NodeGone, RemoteOps
from kame_py.lab.world import World
from kame_py.wire.ctlframe import FRAME_MAX, frame_prefix
from kame_py.wire.errno import EINVAL, ENOSYS, KError
from kame_py.wire.ioctl import SIOCAIFADDR_IN6, SIOCGIFCONF
from kame_py.wire.snap import IfSnap
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, Received, SockaddrIn6
from tests.unit.ctl.remote_rig import Machine, Program, Wire


@pytest.fixture
def world() -> World:
    w = World(seed=1)
    lan = w.add_link("lan", delay_ns=1_000_000)
    for name, last in (("a", "a"), ("b", "b")):
        node = w.add_node(name)
        node.attach("fxp0", lan)
        node.run(f"ifconfig fxp0 inet6 2001:db8::{last} prefixlen 64 alias")
    w.run(3)
    return w


@pytest.mark.parametrize(
    ("tool", "line"),
    [
        ("ifconfig", "fxp0"),
        ("netstat", "-rn"),
        ("netstat", "-s"),
        ("ndp", "-an"),
        ("sysctl", "-a"),
        ("ping6", "-c 3 2001:db8::b"),
        ("ifconfig", "nonsense0"),
        ("mip6control", "-g"),
    ],
)
def test_output_is_what_the_tool_says_beside_its_kernel(tool: str, line: str) -> None:
    def made() -> World:
        w = World(seed=1)
        lan = w.add_link("lan", delay_ns=1_000_000)
        for name in ("a", "b"):
            w.add_node(name).attach("fxp0", lan)
            w.nodes[name].run(f"ifconfig fxp0 inet6 2001:db8::{name} prefixlen 64 alias")
        w.run(3)
        return w

    there = Program(made(), tool, "a").run(line)
    beside = made().nodes["a"].run(f"{tool} {line}")
    assert there == (beside.status, beside.out, beside.err)


def test_sleep_takes_the_nodes_time(world: World) -> None:
    ops = Program(world, "x", "a").ops
    before = ops.monotonic()
    _go(ops.nanosleep(5_000_000_000))
    assert ops.monotonic() - before == 5_000_000_000


def test_signal_ends_a_poll(world: World) -> None:
    program = Program(world, "x", "a")
    ops = program.ops
    ops.catch_signals("HUP")
    assert program.machine.caught == ["HUP"]
    world.at(world.now() / 1e9 + 2, lambda: ops.signalled("HUP"))
    assert _go(ops.poll((), None)) == Polled((), ("HUP",))


def test_signal_before_a_call_is_not_lost(world: World) -> None:
    ops = Program(world, "x", "a").ops
    ops.catch_signals("USR1")
    ops.signalled("USR1")
    assert _go(ops.poll((), 10**9)) == Polled((), ("USR1",))


def test_descriptors_end_with_the_connection(world: World) -> None:
    program = Program(world, "x", "a")
    sockets = world.nodes["a"].kernel.sockets.sockets
    before = len(sockets)
    _go(program.ops.socket(AF_INET6, SOCK_DGRAM, 0))
    assert len(sockets) == before + 1
    program.wire.session.close()
    assert len(sockets) == before


def test_connection_that_closes_while_its_call_waits_leaves_nothing(world: World) -> None:
    program = Program(world, "x", "a")
    fd = _go(program.ops.socket(AF_INET6, SOCK_DGRAM, 0))
    program.wire.send(pack({"op": "recvmsg", "a": (fd,)}))
    assert program.wire.session.waiting
    program.wire.session.close()
    world.run_for(10)
    assert not program.wire.session.waiting and program.wire.inbox == b""


def test_unknown_node_is_refused_with_the_names_of_those_there(world: World) -> None:
    with pytest.raises(NodeGone, match="no node c: the nodes here are a, b"):
        Program(world, "x", "c")
    with pytest.raises(NodeGone, match="which node: the nodes here are a, b"):
        Program(world, "x")


def test_only_node_needs_no_name() -> None:
    world = World()
    world.add_node("only")
    assert Program(world, "x").ops.node == "only"


def test_node_that_ends_is_told_as_such(world: World) -> None:
    program = Program(world, "x", "a")
    program.wire.session.close("the node ends")
    with pytest.raises(NodeGone):
        _go(program.ops.sysctl_names())


@pytest.mark.parametrize("call", [("fork", ()), ("__init__", ()), ("close_all", ())])
def test_unknown_call_is_answered(world: World, call: tuple[str, tuple[Value, ...]]) -> None:
    assert _raw(world, {"op": call[0], "a": call[1]}) == {"e": ENOSYS}


@pytest.mark.parametrize(
    "args",
    [("28", 2, 0), (28, 2), (28, 2, 0, 0), (None, 2, 0), (True, 2, 0)],
)
def test_wrong_arguments_are_answered(world: World, args: tuple[Value, ...]) -> None:
    assert _raw(world, {"op": "socket", "a": args}) == {"e": EINVAL}


@pytest.mark.parametrize(
    "octets",
    [
        frame_prefix(FRAME_MAX + 1),
        frame_prefix(1) + b"{",
        frame_prefix(2) + b"[]",
        frame_prefix(4) + b"null",
        pack({"op": "socket"}),
        frame_prefix(40) + b'{"op":"ioctl","a":{"t":[{"c":"os","v":[]' + b"]}}",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_garbage_ends_the_connection_and_nothing_else(world: World, octets: bytes) -> None:
    wire = Program(world, "x", "a").wire
    wire.inbox = b""
    wire.send(octets)
    assert wire.ended and wire.session.closed
    assert "x" in unpack(Frames().feed(wire.inbox)[0])
    assert Program(world, "ifconfig", "a").run("fxp0")[0] == 0


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_no_octets_raise(octets: bytes) -> None:
    world = World()
    world.add_node("a")
    wire = Wire(world)
    wire.session.feed(pack({"hello": 1, "node": None, "name": "x"}))
    wire.session.feed(octets)
    wire.session.feed(frame_prefix(len(octets)) + octets)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.builds(lambda v: {"t": v}, st.lists(inner, max_size=3))
        | st.builds(
            lambda c, v: {"c": c, "v": v}, st.sampled_from(sorted(CLASSES)), st.lists(inner)
        )
        | st.builds(lambda b: {"b": b.hex()}, st.binary(max_size=20))
    ),
    max_leaves=8,
)
CALLS = st.sampled_from(["socket", "ioctl", "sysctl", "sendmsg", "getaddrinfo", "poll", "bind"])


@settings(max_examples=200, deadline=None)
@given(CALLS, st.lists(JSONS, max_size=4))
def test_no_call_with_strange_values_raises(op: str, args: list[object]) -> None:
    world = World()
    node = world.add_node("a")
    wire = Wire(world)
    wire.session.feed(pack({"hello": 1, "node": None, "name": "x"}))
    body = json.dumps({"op": op, "a": {"t": args}}).encode()
    wire.session.feed(frame_prefix(len(body)) + body)
    assert "internal error" not in "".join(line.text for line in node.kernel.log.lines)


def test_who_does_not_read_is_answered_no_further_until_it_does(world: World) -> None:
    """A thousand calls come in one piece; the second answer does not leave any more."""
    wire = Program(world, "x", "a").wire
    answered: list[Value] = []

    def arrive(octets: bytes) -> None:
        answered.extend(unpack(body)["r"] for body in Frames().feed(octets))
        if len(answered) == 2:
            wire.session.pause()

    wire.session._send = arrive
    calls = (pack({"op": "if_indextoname", "a": (i,)}) for i in range(1000))
    wire.session.feed(b"".join(calls))
    assert len(answered) == 2
    wire.session.feed(pack({"op": "if_indextoname", "a": (1,)}))
    assert len(answered) == 2
    wire.session.resume()
    assert len(answered) == 1001 and answered[-1] == "lo0"


def test_values_come_back_as_they_went() -> None:
    values = (
        *(None, True, 7, "text", b"\x00\xff", (1, (2, b"")), SockaddrIn6(bytes(16), 80, 2)),
        *(Received(b"data", SockaddrIn6()), SIOCAIFADDR_IN6("fxp0", bytes(16)), SIOCGIFCONF()),
        IfSnap("fxp0", 1, 6, 0, 1500, 0, b"", None, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    )
    frame = pack({"v": values})
    assert unpack(Frames().feed(frame)[0]) == {"v": values}


def test_frames_are_cut_wherever_the_stream_is(world: World) -> None:
    stream = pack({"a": 1}) + pack({"b": 2})
    frames = Frames()
    bodies = [body for at in range(len(stream)) for body in frames.feed(stream[at : at + 1])]
    assert [unpack(body) for body in bodies] == [{"a": 1}, {"b": 2}]


def test_classes_with_members_of_another_type_are_bad() -> None:
    with pytest.raises(BadFrame, match="SIOCAIFADDR_IN6.ifra_name"):
        unpack(b'{"v":{"c":"SIOCAIFADDR_IN6","v":[1,{"b":""},64,null,0,0,0]}}')


def test_optional_arguments_may_be_left_out() -> None:
    assert arguments_fit("sendmsg", (3, b""))
    assert not arguments_fit("sendmsg", (3,))


def _go(coro: object) -> object:
    return asyncio.run(coro)  # type: ignore[arg-type]  # any awaitable of RemoteOps


def _raw(world: World, message: dict[str, Value]) -> dict[str, Value]:
    wire = Wire(world)
    RemoteOps(wire, Machine(), "x", "a")
    wire.inbox = b""
    wire.send(pack(message))
    return unpack(Frames().feed(wire.recv())[0])


def test_refused_call_raises_its_errno(world: World) -> None:
    with pytest.raises(KError):
        _go(Program(world, "x", "a").ops.close(99))


def test_a_signal_wakes_a_program_of_an_idle_kernel_at_once(world: World) -> None:
    """The kernel's next timer may be hours away."""
    program = Program(world, "x", "a")
    program.ops.catch_signals("INT")
    program.wire.send(pack({"op": "poll", "a": ((), None)}))
    while world.next_event_ns() == world.now():
        world.run_ns(world.now())
    program.wire.send(pack({"sig": "INT"}))
    world.run_ns(world.now())
    assert unpack(Frames().feed(program.wire.inbox)[0]) == {"r": Polled((), ("INT",))}


def test_a_program_has_not_more_than_so_many_descriptors(world: World) -> None:
    ops = Program(world, "x", "a").ops
    for _ in range(FDS_MAX):
        _go(ops.socket(AF_INET6, SOCK_DGRAM, 0))
    with pytest.raises(KError, match="Too many open files"):
        _go(ops.socket(AF_INET6, SOCK_DGRAM, 0))


def test_a_call_is_not_as_long_as_an_answer_may_be(world: World) -> None:
    program = Program(world, "x", "a")
    program.wire.send(frame_prefix(REQUEST_MAX + 1))
    assert program.wire.ended


@pytest.mark.parametrize("ns", [-1, 2**63, 10**400], ids=["past", "65 bits", "endless"])
def test_no_sleep_lasts_longer_than_64_bits(world: World, ns: int) -> None:
    assert _raw(world, {"op": "nanosleep", "a": (ns,)}) == {"e": EINVAL}


def test_an_answer_that_is_none_ends_the_program(world: World) -> None:
    program = Program(world, "x", "a")
    program.wire.inbox = frame_prefix(2) + b"[]"
    with pytest.raises(NodeGone, match="the answer is not understood"):
        _go(program.ops.sysctl_names())


def test_a_message_to_a_node_that_is_gone_is_no_failure_of_its_own(world: World) -> None:
    program = Program(world, "x", "a")
    program.wire.ended = True
    _go(program.ops.daemon())
    with pytest.raises(NodeGone):
        program.ops.monotonic()
