# SPDX-License-Identifier: BSD-3-Clause
"""Virtual time, plugs and the invariants of a world of kernels."""

from __future__ import annotations

import io

import pytest

from kame_py.kern.clock import MS, NS
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.lab.journal import HOLD_MAX, Journal
from kame_py.lab.world import World
from kame_py.replay.pcap import Record, open_capture
from kame_py.trace.format import frame_summary


def pair(seed: int = 1, **link: float) -> World:
    """Two nodes with configured addresses on one link, past duplicate address detection."""
    world = World(seed)
    lan = world.add_link("lan", delay_ns=MS, **link)  # type: ignore[arg-type]  # by name
    for name in ("a", "b"):
        world.add_node(name).attach("fxp0", lan)
    world.run(1)
    for name in ("a", "b"):
        world.nodes[name].run(f"ifconfig fxp0 inet6 2001:db8::{name} prefixlen 64 alias")
    world.run(5)
    return world


def conserved(world: World) -> bool:
    return all(n.kernel.created == sum(n.kernel.fates.values()) for n in world.nodes.values())


def captured(seed: int) -> bytes:
    """A whole run as a capture file: boot, addresses, a ping over a bad link."""
    f = io.BytesIO()
    world = World(seed)
    journal = Journal(f, world.clock)
    world.observe(journal)
    lan = world.add_link("lan", delay_ns=MS, jitter_ns=MS, loss=0.2, duplicate=0.1, corrupt=0.1)
    for name in ("a", "b"):
        world.add_node(name).attach("fxp0", lan)
        world.nodes[name].run(f"ifconfig fxp0 inet6 2001:db8::{name} prefixlen 64 alias")
    world.run(3)
    world.nodes["a"].start("ping6 -c 20 2001:db8::b")
    world.run(40)
    journal.close()
    assert conserved(world)
    return f.getvalue()


# -- time ---------------------------------------------------------------------------------------


def test_equal_times_run_in_the_order_of_scheduling() -> None:
    world = World()
    seen: list[int] = []
    for i in range(5):
        world.schedule(NS, seen.append, i)
    world.schedule(NS - 1, seen.append, 99)
    world.run(1)
    assert seen == [99, 0, 1, 2, 3, 4]
    assert world.now() == NS


def test_the_past_counts_as_now() -> None:
    world = World()
    world.run(2)
    seen: list[int] = []
    world.schedule(0, lambda: seen.append(world.now()))
    world.run(3)
    assert seen == [2 * NS]


def test_done_stops_the_clock_at_its_moment() -> None:
    world = World()
    seen: list[int] = []
    world.at(1, lambda: seen.append(1))
    world.at(2, lambda: seen.append(2))
    assert world.run_ns(9 * NS, lambda: bool(seen))
    assert world.now() == NS


def test_an_idle_network_has_no_events() -> None:
    world = pair()
    world.run(100)
    before = world.events
    world.run(10_000)
    assert world.events - before < 20


def test_names_are_unique() -> None:
    world = pair()
    with pytest.raises(ValueError, match="node a exists"):
        world.add_node("a")
    with pytest.raises(ValueError, match="link lan exists"):
        world.add_link("lan")


def test_a_bad_kernel_configuration_is_told() -> None:
    with pytest.raises(ValueError, match="MIP7"):
        World().add_node("a", ["MIP7"])


# -- commands -----------------------------------------------------------------------------------


def test_run_returns_status_and_output_at_the_virtual_time_of_the_end() -> None:
    world = pair()
    result = world.nodes["a"].run("ping6 -c 3 2001:db8::b")
    assert result.status == 0
    assert "3 packets transmitted, 3 packets received" in result.out
    assert 7 * NS < world.now() < 10 * NS


def test_errors_of_a_command_come_back_apart() -> None:
    result = pair().nodes["a"].run("ifconfig nope0")
    assert result.status == 1
    assert result.out == ""
    assert result.err == "ifconfig: interface nope0 does not exist\n"


def test_run_is_bounded() -> None:
    world = pair()
    with pytest.raises(TimeoutError):
        world.nodes["a"].run("ping6 2001:db8::b", timeout_s=5)
    assert world.now() == 10 * NS


def test_a_background_command_lets_the_next_one_run() -> None:
    world = pair()
    job = world.nodes["a"].start("ping6 -c 5 2001:db8::b &\necho next")
    world.run_for(0.5)
    assert job.done
    assert job.output.count("icmp_seq") == 1
    assert "next\n" in job.output
    world.run_for(10)
    assert "5 packets received" in job.output


def test_text_that_is_no_rc_line_is_refused() -> None:
    with pytest.raises(ValueError, match="not supported"):
        pair().nodes["a"].run("ls | wc")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert captured(1) == captured(1)
    assert captured(1) != captured(2)


def test_every_packet_has_one_fate() -> None:
    world = pair()
    world.nodes["a"].run("ping6 -c 3 2001:db8::b")
    world.run(60)
    assert conserved(world)
    for node in world.nodes.values():
        assert node.kernel.fates[Fate.HELD] == 0
        assert not node.kernel.drops


# -- plugs --------------------------------------------------------------------------------------


def test_a_moved_interface_is_heard_on_its_new_link_only() -> None:
    world = pair()
    other = world.add_link("other")
    c = world.add_node("c")
    c.attach("fxp0", other)
    c.run("ifconfig fxp0 inet6 2001:db8::c prefixlen 64 alias")
    a = world.nodes["a"]
    world.run(10)
    assert a.run("ping6 -c 1 2001:db8::c").status == 1
    world.move(a, "fxp0", other)
    assert a.run("ping6 -c 1 2001:db8::c").status == 0
    assert a.run("ping6 -c 1 2001:db8::b").status == 1


def test_a_move_with_a_gap_has_no_carrier_in_between() -> None:
    world = pair()
    a = world.nodes["a"]
    ifp = a.ports["fxp0"].ifp
    world.move(a, "fxp0", world.add_link("other"), gap_ns=2 * NS)
    assert ifp.carrier is False
    world.run(6.999)
    assert ifp.carrier is False
    world.run(7)
    assert ifp.carrier is True


def test_a_cut_takes_carrier_and_packets_and_restore_gives_them_back() -> None:
    world = pair()
    a = world.nodes["a"]
    world.cut(world.links["lan"])
    assert a.ports["fxp0"].ifp.carrier is False
    assert a.run("ping6 -c 1 2001:db8::b").status == 1
    world.restore(world.links["lan"])
    assert a.run("ping6 -c 1 2001:db8::b").status == 0
    assert conserved(world)


# -- capture ------------------------------------------------------------------------------------


def records(data: bytes) -> tuple[list[Record], list[str | None]]:
    reader = open_capture(io.BytesIO(data))
    found = list(reader)
    assert reader.error is None
    return found, [i.name for i in reader.interfaces]


def test_a_frame_is_recorded_once_at_its_sender_and_at_each_receiver() -> None:
    world = pair()
    f = io.BytesIO()
    journal = Journal(f, world.clock)
    world.observe(journal)
    world.nodes["a"].run("ping6 -c 1 2001:db8::b")
    world.observe(None)
    journal.close()
    found, names = records(f.getvalue())
    echoes = [
        (names[r.ifindex], "out" if r.outbound else "in")
        for r in found
        if frame_summary(r.data).endswith("echo request")
    ]
    assert echoes == [("a.fxp0", "out"), ("b.fxp0", "in")]
    assert [r.t_ns for r in found] == sorted(r.t_ns for r in found)


def test_a_dropped_packet_carries_its_reason() -> None:
    found, _ = records(captured(3))
    comments = {r.comment for r in found if r.inbound and r.comment}
    assert any(c.startswith("dropped: ICMP6_CHECKSUM: ") for c in comments), comments
    lost = [r.comment for r in found if r.outbound and r.comment]
    assert "lost on the link" in lost


def test_a_changed_link_layer_address_is_reached() -> None:
    world = pair()
    assert world.nodes["b"].run("ifconfig fxp0 lladdr 02:00:00:00:00:07").ok
    assert world.nodes["a"].run("ping6 -c 1 2001:db8::b").ok
    assert world.links["lan"].counters.unknown == 0


def test_a_held_packet_does_not_stop_the_capture_for_ever() -> None:
    world = pair()
    f = io.BytesIO()
    journal = Journal(f, world.clock)
    port = world.nodes["a"].ports["fxp0"]
    held = Mbuf(b"")
    held.fate = Fate.HELD
    journal.received(port, b"first", held)
    journal.sent(port, b"second", None, "")
    assert journal.records == 0
    for _ in range(HOLD_MAX - 1):
        journal.sent(port, b"", None, "")
    assert journal.records == HOLD_MAX + 1
    found, _ = records(f.getvalue())
    assert [r.data for r in found[:2]] == [b"first", b"second"]
