# SPDX-License-Identifier: BSD-3-Clause
"""Packets under AH in batches: what the slow path makes of them, to the octet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kame_py.kern.conf import KernConf
from kame_py.netkey.ah_core import ah6_calccksum, ah_build
from kame_py.netkey.algorithms import ah_algorithm_lookup
from kame_py.replay.runner import ReplayResult
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import Ah, Ip6Hdr
from tests.differential.home import FAR, HA, MS, Node, Steps, frame
from tests.differential.protected import (
    CONF,
    FIRST,
    HOST_RC,
    NO_NEXT,
    Item,
    both_ways,
    gaps,
    keyed,
    spaced,
)
from tests.scenario.words import echo, ip6, udp
from tests.unit.fast.packets import mutated

pytest.importorskip("numpy")
pytest.importorskip("kame_py.fast.ah")

AH: Final = 51
#: Algorithms by peer: name for setkey, number, octets of the key, of the code.
ALGORITHMS: Final = (
    ("hmac-sha1", k.SADB_AALG_SHA1HMAC, 20, 12),
    ("hmac-md5", k.SADB_AALG_MD5HMAC, 16, 12),
    ("hmac-sha1", k.SADB_AALG_SHA1HMAC, 20, 12),
    ("keyed-md5", k.SADB_X_AALG_MD5, 16, 16),
)
WINDOWS: Final = (0, 4, 1, 4)


def peer(i: int) -> str:
    return f"2001:db8:f::{0x10 + i:x}"


def key(i: int) -> bytes:
    return f"key of peer number {i:03d}".encode()[-ALGORITHMS[i][2] :]


def association(i: int, more: str = "") -> str:
    name, window = ALGORITHMS[i][0], WINDOWS[i]
    return f'add {peer(i)} {HA} ah {500 + i} -r {window} {more} -A {name} "{key(i).decode()}";\n'


ALONE: Final = KernConf(frozenset({"IPSEC", "IPSEC_ESP"}))
REQUIRED: Final = "spdadd ::/0 ::/0 any -P in ipsec ah/transport//require;"


def node(conf: KernConf = CONF, more: str = "", policy: str = "", rc: str = HOST_RC) -> Node:
    keys = "".join(association(i, more) for i in range(len(ALGORITHMS)))
    return Node(rc + keyed(keys + policy), conf)


@dataclass(frozen=True)
class Protected:
    """A packet of a peer under AH, and how it is spoilt."""

    peer: int
    seq: int
    inside: bytes = b"octets"
    nxt: int = NO_NEXT
    bad: bool = False
    spi: int | None = None
    hlim: int = 60
    flow: int = 0
    length: int | None = None

    def packet(self) -> bytes:
        _, number, _, icvlen = ALGORITHMS[self.peer]
        alg = ah_algorithm_lookup(number)
        assert alg is not None
        spi = 500 + self.peer if self.spi is None else self.spi
        ah = ah_build(self.nxt, spi, self.seq, icvlen)
        whole = ip6(peer(self.peer), HA, ah + self.inside, AH, self.hlim)
        head = whole[: Ip6Hdr.SIZE]
        code = ah6_calccksum(alg.setup(key(self.peer), 0), head, ah, self.inside)
        assert code is not None
        code = bytes(x ^ self.bad for x in code)
        head = bytes((head[0] | self.flow, *head[1:]))
        ah = ah[: Ah.SIZE] + code + ah[Ah.SIZE + icvlen :]
        if self.length is not None:
            ah = bytes((ah[0], self.length, *ah[2:]))
        return frame(head + ah + self.inside)


def played(
    packets: Sequence[Item | tuple[int, Item]], who: Node | None = None, steps: Steps = ()
) -> ReplayResult:
    return both_ways(packets, who or node(), steps)


@pytest.mark.parametrize("conf", [CONF, ALONE])
def test_good_packets_with_nothing_inside_are_handled_many_at_a_time(conf: KernConf) -> None:
    packets = [Protected(i % 3, n, bytes(n % 90)) for n in range(1, 60) for i in range(3)]
    result = played([FIRST, *packets], node(conf))
    assert result.in_bulk == len(packets)
    assert result.drops["IP6_NOPROTO"] == len(packets)


#: Numbers in the order in which they come.
ORDERS: Final = {
    "zero": [0, 1, 0, 2],
    "again": [1, 1, 2, 1, 2],
    "late": [9, 5, 5, 40, 9, 8, 7, 39, 38, 33, 32, 31],
    "far ahead": [1, 2, 1000, 999, 2, 1, 1000, 969, 968],
    "at the end": [0xFFFFFFFF, 0xFFFFFFFE, 1],
    "within eight": [20, 13, 12, 13, 28, 20, 21],
}


@pytest.mark.parametrize("order", ORDERS)
def test_replays_are_refused(order: str) -> None:
    packets = [Protected(i, seq, bad=False) for i in range(3) for seq in ORDERS[order]]
    result = played([FIRST, *packets])
    assert result.in_bulk == len(packets)


def test_wrong_codes_are_refused_and_move_no_window() -> None:
    packets = [Protected(i, seq, bad=not seq % 3) for seq in (1, 3, 3, 2, 6, 90, 4) for i in (0, 1)]
    result = played([FIRST, *packets])
    assert result.in_bulk == len(packets)
    assert result.drops["AH_BADICV"] == 8


#: For the slow path, which knows the code of those with an association.
ODD: Final[dict[str, Item]] = {
    "a datagram": Protected(1, 5, udp(peer(1), HA)[40:], 17),
    "a ping": Protected(1, 5, echo(peer(1), HA)[40:], 58),
    "a ping with a wrong code": Protected(1, 5, echo(peer(1), HA)[40:], 58, bad=True),
    "a packet": Protected(1, 5, udp(peer(1), HA), 41),
    "an unknown protocol": Protected(1, 5, b"?", 200),
    "an unknown number": Protected(1, 5, spi=4711),
    "another's number": Protected(1, 5, spi=500),
    "an algorithm that no vector has": Protected(3, 5),
    "a wrong length": Protected(1, 5, length=3),
    "a length past its end": Protected(1, 5, length=200),
    "cut short": Protected(1, 5).packet()[:-1],
    "cut in AH": frame(ip6(peer(1), HA, bytes(11), AH)),
    "options in front": frame(ip6(peer(1), HA, bytes((AH, 0, 1, 4, 0, 0, 0, 0)) + bytes(24), 60)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("policy", ["", REQUIRED])
def test_odd_packets_go_the_slow_way(name: str, policy: str) -> None:
    odd = ODD[name]
    played(
        [FIRST, Protected(1, 1), odd, Protected(1, 2), odd, Protected(1, 9)], node(policy=policy)
    )


def test_what_changes_on_the_way_does_not_count() -> None:
    packets = [Protected(1, n, hlim=n, flow=n % 16) for n in range(1, 30)]
    assert played([FIRST, *packets]).in_bulk == len(packets)


@pytest.mark.parametrize(
    "policy",
    [
        REQUIRED,
        "spdadd ::/0 ::/0 any -P in ipsec esp/transport//require;",
        "spdadd ::/0 ::/0 59 -P in discard;",
        "spdadd ::/0 ::/0 59 -P in none;",
        "spdadd ::/0 ::/0 17 -P in discard;",
        "spdadd ::/0 ::/0 any -P in ipsec ah/transport//use;",
    ],
)
def test_policies_are_asked(policy: str) -> None:
    packets = [Protected(i, n) for n in range(1, 9) for i in range(3)]
    played([FIRST, *packets], node(policy=policy))


@pytest.mark.parametrize("limit", ["-lh 20", "-ls 3", "-bh 900", "-bs 500", "-lh 30 -ls 20"])
def test_limited_associations_end_when_they_do(limit: str) -> None:
    packets = [(n * 700 * MS, Protected(i, n + 1)) for n in range(50) for i in (0, 1)]
    played([FIRST, *packets], node(more=limit))


STEPS: Final = {
    "a key goes": keyed(f"delete {peer(1)} {HA} ah 501;"),
    "all go": keyed("flush;"),
    "AH is required": keyed(REQUIRED),
    "all is thrown away": keyed(f"spdadd {peer(1)}/128 ::/0 any -P in discard;"),
    "the address goes": f"ifconfig fxp0 inet6 {HA} -alias\n",
    "debugging": "sysctl -w net.inet6.ipsec6.debug=1\n",
    "few headers": "sysctl -w net.inet6.ip6.hdrnestlimit=1\n",
    "a mobile node": "mip6control -m\n",
    "the interface goes down": "ifconfig fxp0 down\n",
}


@pytest.mark.parametrize("name", STEPS)
def test_what_changes_in_the_middle_is_heeded(name: str) -> None:
    packets = [Protected(i, n) for n in range(1, 90) for i in (0, 1)]
    result = played([FIRST, *packets], steps=[(100 * MS, STEPS[name])])
    assert result.in_bulk > 90


def test_with_debugging_every_refusal_is_told() -> None:
    packets = [Protected(1, seq, bad=not seq % 3) for seq in (1, 2, 3, 2, 6, 5, 1, 8, 3) * 10]
    result = played([FIRST, *packets], steps=[(40 * MS, STEPS["debugging"])])
    assert 20 < result.in_bulk < 50


def test_long_packets_are_more_than_there_is_room_for() -> None:
    packets = [Protected(n % 3, n, bytes(1400)) for n in range(1, 900)]
    result = played([FIRST, *packets])
    assert result.in_bulk == len(packets)


@pytest.mark.parametrize("seed", range(3))
def test_packets_with_octets_changed_are_the_same_both_ways(seed: int) -> None:
    whole = [Protected(i, n).packet() for n in range(1, 5) for i in range(3)]
    played([FIRST, *whole, *mutated(whole, seed, 40)])


kinds = st.builds(
    Protected,
    peer=st.sampled_from([0, 1, 1, 2, 2, 3]),
    seq=st.integers(0, 70) | st.just(0xFFFFFFFF),
    inside=st.sampled_from([b"", b"octets", bytes(200)]),
    nxt=st.sampled_from([NO_NEXT, NO_NEXT, NO_NEXT, NO_NEXT, 17, 200]),
    bad=st.sampled_from([False, False, False, True]),
    spi=st.sampled_from([None, None, None, None, 4711]),
)
others = st.sampled_from([frame(udp(FAR, HA)), frame(echo(FAR, HA)), FIRST])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(
    st.lists(st.tuples(gaps, kinds | kinds | kinds | others), max_size=40),
    st.lists(st.tuples(st.integers(0, 6000), st.sampled_from(sorted(STEPS))), max_size=2),
    st.sampled_from(["", "", REQUIRED, "spdadd ::/0 ::/0 59 -P in none;"]),
    st.sampled_from(["", "", "-ls 4 -lh 9", "-bh 900"]),
)
def test_any_mix_is_the_same_both_ways(
    packets: list[tuple[int, Item]], changes: list[tuple[int, str]], policy: str, limit: str
) -> None:
    steps = [(t_ms * MS, STEPS[name]) for t_ms, name in changes]
    played([FIRST, *spaced(packets)], node(more=limit, policy=policy), steps)
