# SPDX-License-Identifier: BSD-3-Clause
"""Who gets a frame on a link."""

from __future__ import annotations

from collections.abc import Callable

from kame_py.lab.impair import Impairment
from kame_py.lab.lan import Lan, Port
from kame_py.net.if_ import IFF_ALLMULTI, IFF_PROMISC, IFF_UP, IFT_ETHER, Ifnet
from kame_py.wire.codecs import EtherHeader
from kame_py.wire.in6addr import ETHER_BROADCAST

GROUP = bytes.fromhex("333300000001")


class Clockwork:
    """The part of the world that a link needs."""

    def __init__(self) -> None:
        self.t = 0
        self.events: list[tuple[int, Callable[..., object], tuple[object, ...]]] = []

    def now(self) -> int:
        return self.t

    def schedule(self, t_ns: int, fn: Callable[..., object], *args: object) -> None:
        self.events.append((t_ns, fn, args))

    def run(self) -> None:
        while self.events:
            self.t, fn, args = self.events.pop(0)
            fn(*args)


class Box:
    """A station with one interface that notes what it hears."""

    def __init__(self, lan: Lan, last: int) -> None:
        self.heard: list[bytes] = []
        mac = bytes((0, 0xA0, 0x24, 0, 0, last))
        self.port = Port(self, f"n{last}", Ifnet("fxp0", IFT_ETHER, 1500, IFF_UP, mac))
        lan.plug(self.port)

    def receive(self, port: Port, frame: bytes) -> None:
        assert port is self.port
        self.heard.append(frame)

    def carrier(self, port: Port, up: bool) -> None:
        port.ifp.carrier = up


def frame_to(mac: bytes, size: int = 40) -> bytes:
    return EtherHeader(ether_dhost=mac).pack() + bytes(size)


def lan_of(n: int, **what: float) -> tuple[Clockwork, Lan, list[Box]]:
    world = Clockwork()
    lan = Lan(world, "lan", 1, Impairment(delay_ns=5), None)
    return world, lan, [Box(lan, i) for i in range(n)]


def test_unicast_goes_to_its_station_only_after_the_delay() -> None:
    world, lan, boxes = lan_of(3)
    frame = frame_to(boxes[1].port.mac)
    lan.send(boxes[0].port, frame, None)
    world.run()
    assert [b.heard for b in boxes] == [[], [frame], []]
    assert world.t == 5


def test_all_receivers_get_the_same_bytes_object() -> None:
    world, lan, boxes = lan_of(4)
    frame = frame_to(ETHER_BROADCAST)
    lan.send(boxes[0].port, frame, None)
    world.run()
    assert boxes[0].heard == []
    assert all(b.heard[0] is frame for b in boxes[1:])
    assert lan.counters.delivered == 3


def test_multicast_goes_to_members_only() -> None:
    world, lan, boxes = lan_of(4)
    boxes[1].port.ifp.macs[GROUP] += 1
    boxes[2].port.ifp.macs[GROUP] += 1
    boxes[2].port.ifp.macs[GROUP] -= 1
    boxes[3].port.ifp.if_flags |= IFF_ALLMULTI
    lan.send(boxes[0].port, frame_to(GROUP), None)
    world.run()
    assert [len(b.heard) for b in boxes] == [0, 1, 0, 1]


def test_unicast_to_an_unknown_station_goes_nowhere_and_is_counted() -> None:
    world, lan, boxes = lan_of(2)
    lan.send(boxes[0].port, frame_to(b"\x02\0\0\0\0\x09"), None)
    world.run()
    assert boxes[1].heard == []
    assert (lan.counters.unknown, lan.counters.delivered) == (1, 0)


def test_a_promiscuous_interface_hears_what_is_for_others() -> None:
    world, lan, boxes = lan_of(3)
    boxes[2].port.ifp.if_flags |= IFF_PROMISC
    lan.refile(boxes[2].port)
    lan.send(boxes[0].port, frame_to(boxes[1].port.mac), None)
    world.run()
    assert [len(b.heard) for b in boxes] == [0, 1, 1]


def test_a_changed_address_is_found_after_refile() -> None:
    world, lan, boxes = lan_of(2)
    new = b"\x02\0\0\0\0\x01"
    boxes[1].port.ifp.if_hwaddr = new
    lan.refile(boxes[1].port)
    lan.send(boxes[0].port, frame_to(new), None)
    world.run()
    assert len(boxes[1].heard) == 1


def test_a_station_unplugged_while_the_frame_flies_does_not_get_it() -> None:
    world, lan, boxes = lan_of(2)
    lan.send(boxes[0].port, frame_to(boxes[1].port.mac), None)
    lan.unplug(boxes[1].port)
    world.run()
    assert boxes[1].heard == []


def test_a_cut_loses_frames_on_their_way_even_if_the_link_is_back_in_time() -> None:
    world, lan, boxes = lan_of(2)
    lan.send(boxes[0].port, frame_to(boxes[1].port.mac), None)
    lan.cut()
    lan.send(boxes[0].port, frame_to(boxes[1].port.mac), None)
    lan.restore()
    world.run()
    assert boxes[1].heard == []
    assert lan.counters.cut == 2


def test_a_frame_larger_than_the_link_mtu_is_lost() -> None:
    world, lan, boxes = lan_of(2)
    lan.mtu = 1280
    lan.send(boxes[0].port, frame_to(boxes[1].port.mac, 1280), None)
    lan.send(boxes[0].port, frame_to(boxes[1].port.mac, 1281), None)
    world.run()
    assert len(boxes[1].heard) == 1
    assert lan.counters.toobig == 1


def test_total_loss_set_later_stops_everything() -> None:
    world, lan, boxes = lan_of(2)
    lan.impair(loss=1.0)
    lan.send(boxes[0].port, frame_to(boxes[1].port.mac), None)
    world.run()
    assert boxes[1].heard == []
    assert lan.counters.lost == 1


def test_a_runt_frame_is_counted_as_unknown() -> None:
    world, lan, boxes = lan_of(2)
    lan.send(boxes[0].port, b"", None)
    world.run()
    assert lan.counters.unknown == 1


def test_a_station_unplugged_by_another_receiver_of_the_frame_is_spared() -> None:
    world, lan, boxes = lan_of(3)
    boxes[1].receive = lambda port, frame: lan.unplug(boxes[2].port)  # type: ignore[method-assign]  # one box misbehaves
    lan.send(boxes[0].port, frame_to(ETHER_BROADCAST), None)
    world.run()
    assert boxes[2].heard == []
