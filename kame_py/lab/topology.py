# SPDX-License-Identifier: BSD-3-Clause
"""A lab file becomes a world: links, booted kernels, plugged interfaces, files, events.

No KAME counterpart. What a FreeBSD box does before rc is done here: interfaces are brought up,
and ``forwarding`` sets net.inet6.ip6.forwarding as ipv6_gateway_enable would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.lab.schema import (
    CutEvent,
    Event,
    ImpairEvent,
    LabFile,
    MoveEvent,
    NodeSpec,
    RestoreEvent,
)
from kame_py.lab.world import World
from kame_py.net.if_ import ETHERMTU

if TYPE_CHECKING:
    from kame_py.lab.lan import Lan, Observer
    from kame_py.lab.node import Node

FORWARDING: Final = "net.inet6.ip6.forwarding"
IMPAIR_MEMBERS: Final = (
    *("delay_ns", "jitter_ns", "loss", "duplicate", "reorder", "corrupt", "rate_bps"),
)


def build(lab: LabFile, seed: int | None = None, observer: Observer | None = None) -> World:
    """The world of a lab at time zero; nothing has run yet, no interface is up."""
    world = World(lab.seed if seed is None else seed)
    world.hosts.update(lab.hosts)
    world.observe(observer)
    for link in lab.links.values():
        world.add_link(
            link.name,
            delay_ns=link.delay_ns,
            jitter_ns=link.jitter_ns,
            loss=link.loss,
            duplicate=link.duplicate,
            reorder=link.reorder,
            corrupt=link.corrupt,
            rate_bps=link.rate_bps,
            mtu=link.mtu,
        )
    for spec in lab.nodes.values():
        _build_node(world, spec)
    return world


def _build_node(world: World, spec: NodeSpec) -> None:
    node = world.add_node(spec.name, spec.kernel, files=spec.files)
    for ifspec in spec.interfaces.values():
        link = world.links[ifspec.link]
        mtu = ifspec.mtu or link.mtu or ETHERMTU
        node.attach(ifspec.name, link, mac=ifspec.mac, mtu=mtu, up=False)


def start_node(node: Node, spec: NodeSpec) -> None:
    """What happens at time zero before rc."""
    if spec.forwarding is not None:
        node.kernel.sysctl.write(FORWARDING, int(spec.forwarding))
    node.up()


def link_event(world: World, event: Event) -> tuple[str, str]:
    """Carry out an event of the cables. (node or "", what happened in words)."""
    if isinstance(event, MoveEvent):
        port = world.nodes[event.node].ports[event.interface]
        was = port.link.name if port.link is not None else "nothing"
        world.move(world.nodes[event.node], event.interface, world.links[event.to])
        return event.node, f"{event.interface} moves from {was} to {event.to}"
    if isinstance(event, CutEvent):
        world.cut(world.links[event.link])
        return "", f"link {event.link} is cut"
    if isinstance(event, RestoreEvent):
        world.restore(world.links[event.link])
        return "", f"link {event.link} is restored"
    if isinstance(event, ImpairEvent):
        return "", _impair(world.links[event.link], event)
    raise TypeError(f"{type(event).__name__} is no event of the cables")


def _impair(link: Lan, event: ImpairEvent) -> str:
    changes = {
        member: value for member in IMPAIR_MEMBERS if (value := getattr(event, member)) is not None
    }
    link.impair(**changes)
    return f"link {link.name}: " + ", ".join(_said(m, v) for m, v in changes.items())


def _said(member: str, value: float) -> str:
    if member.endswith("_ns"):
        return f"{member.removesuffix('_ns')} {value / 1e6:g} ms"
    if member == "rate_bps":
        return f"rate {value / 1e3:g} kbit/s"
    return f"{member} {value:g}"
