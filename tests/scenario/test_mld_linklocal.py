# SPDX-License-Identifier: BSD-3-Clause
"""Multicast reports around the first link-local address (RFC 3590 s.4)."""

from __future__ import annotations

from kame_py.kern.clock import NS
from kame_py.lab.world import World
from kame_py.wire.codecs import EtherHeader, Ip6Hdr, MldHdr
from kame_py.wire.const import MLD_LISTENER_REPORT
from kame_py.wire.in6addr import ntop
from kame_py.wire.nodeinfo import in6_nigroup


class Reports:
    """Every report on a link: (virtual time, source, group)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.heard: list[tuple[int, str, str]] = []
        world.observe(self)

    def sent(self, port: object, frame: bytes, m: object, note: str) -> None:
        data = frame[EtherHeader.SIZE :]
        at = data.find(bytes((MLD_LISTENER_REPORT, 0)), Ip6Hdr.SIZE)
        if at > 0 and len(data) - at == MldHdr.SIZE:
            group = MldHdr.unpack(data, at).mld_addr
            self.heard.append((self.world.now(), ntop(Ip6Hdr.unpack(data).ip6_src), ntop(group)))

    def received(self, port: object, frame: bytes, m: object) -> None:
        """Only what is sent counts."""


def nigroup(name: str) -> str:
    group = in6_nigroup(name)
    assert group is not None
    return ntop(group)


def test_reports_come_from_nowhere_until_the_address_is_ready_and_are_then_repeated() -> None:
    world = World(seed=1)
    reports = Reports(world)
    world.add_node("a").attach("fxp0", world.add_link("lan"))
    world.run(until=12)
    linklocal, solicited, named = "fe80::2a0:24ff:fe00:101", "ff02::1:ff00:101", nigroup("a")
    assert {g for _, _, g in reports.heard} == {solicited, named}
    for group in (solicited, named):
        early = [(t, src) for t, src, g in reports.heard if g == group and t < NS]
        late = [(t, src) for t, src, g in reports.heard if g == group and t >= NS]
        assert early[0] == (0, "::")
        assert {src for _, src in early} == {"::"}
        assert late[0] == (NS, linklocal)
        assert {src for _, src in late} == {linklocal}
