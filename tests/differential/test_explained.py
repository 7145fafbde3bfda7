# SPDX-License-Identifier: BSD-3-Clause
"""An explanation names what decided: the binding, the association, the policy."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest

from kame_py.replay.runner import Fast, replay
from kame_py.wire.const import IPPROTO_AH
from tests.differential import test_fast_replay as home
from tests.differential.home import FAR, HA, NS, Node, capture, frame
from tests.differential.protected import HOST_RC, keyed
from tests.differential.test_fast_updates import Bu, hoa, node
from tests.scenario.words import echo, udp
from tests.unit.netinet6.ip6_node import ip6 as packet6
from tests.unit.netkey.ipsec_node import AH, SHA1, IpsecNode, signed

HMAC = f"spi 0x3e8 hmac-sha1 src={hoa(0)} dst={HA}"


def explained(frames: Sequence[bytes], who: Node, n: int) -> list[str]:
    """The lines of packet ``n``, of packets one second apart."""
    pcap = capture((i * NS, data) for i, data in enumerate(frames))
    options = replace(who.options(Fast.ON), trace=[n])
    return [line.strip() for line in replay(io.BytesIO(pcap), options).traces[n]]


@pytest.mark.parametrize(
    ("update", "said"),
    [
        (Bu(0, 1), f"authentication data {HMAC}: good"),
        (Bu(0, 1, bad=True), f"authentication data {HMAC}: wrong code"),
        (Bu(0, 1, cut=4), f"authentication data {HMAC}: wrong length"),
        (Bu(0, 1, spi=77), "authentication data spi 0x4d: no security association"),
        (
            Bu(0, 1, spi=1001),
            "authentication data spi 0x3e9: the security association is another host's",
        ),
    ],
)
def test_the_association_of_an_update_is_named_with_what_it_says(update: Bu, said: str) -> None:
    assert said in explained([update.packet()], node(), 1)


def test_the_binding_that_a_packet_is_tunnelled_by_is_named() -> None:
    data = frame(udp(FAR, home.hoa(0)))
    lines = explained([home.register(0, lifetime=600), data], Node(), 2)
    (said,) = [line for line in lines if line.startswith("mip6_tunnel_output ")]
    assert said == f"mip6_tunnel_output {home.hoa(0)} at 2001:db8:7:: for 599 s"


def test_the_association_of_ah_is_named_with_what_it_says() -> None:
    n = IpsecNode()
    sav = n.sa(AH, 0x1000, SHA1, window=4)
    n.kern.tracing = True
    ends = "src=2001:db8:1::9 dst=2001:db8:1::1"
    assert f"ah6_input spi 0x1000 hmac-sha1 {ends}: good" in way(n, signed(sav))
    assert f"ah6_input spi 0x1000 hmac-sha1 {ends}: refused" in way(n, signed(sav)[:-1] + b"!")
    assert "ah6_input spi 0x1001, no association: refused" in way(n, signed(sav, spi=0x1001))
    assert "ah6_input: refused" in way(n, packet6(signed(sav)[40:50], IPPROTO_AH))


def way(n: IpsecNode, packet: bytes) -> list[str]:
    path = n.receive(packet).path
    assert path is not None
    return path


@pytest.mark.parametrize("policy", ["in discard", "in none"])
def test_the_policy_that_a_packet_meets_is_named(policy: str) -> None:
    who = Node(HOST_RC + keyed(f"spdadd ::/0 ::/0 icmp6 -P {policy};"), node().conf)
    lines = explained([frame(echo(FAR, HA))], who, 1)
    (said,) = [line for line in lines if line.startswith("policy ")]
    assert said.endswith(f" {policy.replace(' ', ': ')}")
