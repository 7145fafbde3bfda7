# SPDX-License-Identifier: BSD-3-Clause
"""Signed binding updates in batches: what the slow path makes of them, to the octet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kame_py.netkey.algorithms import ah_algorithm_lookup
from kame_py.replay.runner import Fast, ReplayResult, replay
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.ip6ext import AlignedOpt, build_options
from kame_py.wire.mip6 import AuthData, HomeAddress, SubOpt, UniqueId
from kame_py.wire.mip6_draft15 import WIRE
from tests.differential.home import (
    FAR,
    HA,
    MS,
    NEIGHBOUR,
    NS,
    ROUTER,
    Node,
    Steps,
    capture,
    frame,
    play,
)
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
from tests.differential.snapshot import differences, snapshot
from tests.scenario.mip6words import BU_ALIGN_FROM_HEADER, bu, update, with_hao
from tests.scenario.words import addr, echo, ip6, udp
from tests.unit.fast.packets import mutated

pytest.importorskip("numpy")
pytest.importorskip("kame_py.fast.bu")

NODES: Final = 6
DSTOPTS: Final = 60
KEYS: Final = {"hmac-sha1": 20, "hmac-md5": 16}


def hoa(i: int) -> str:
    return f"2001:db8:9::{0x100 + i:x}"


def coa(i: int, link: int = 0) -> str:
    return f"2001:db8:{0x20 + link:x}::{0x100 + i:x}"


def spi(i: int) -> int:
    return 1000 + i


def algorithm(i: int) -> str:
    return "hmac-md5" if i == 3 else "hmac-sha1"


def key(i: int) -> bytes:
    return f"key of mobile node {i:03d}".encode()[-KEYS[algorithm(i)] :]


def associations(i: int, to_us: str = "", back: str = "") -> str:
    """Both directions of mobile node ``i``, as setkey reads them, each with its options."""
    rest = f'-A {algorithm(i)} "{key(i).decode()}"'
    there = f"add {hoa(i)} {HA} ah {spi(i)} {to_us} {rest};\n"
    return there + f"add {HA} {hoa(i)} ah {spi(i) + 5000} {back} {rest};\n"


POLICY: Final = "spdadd ::/0 ::/0 ipv6-opts -P out ipsec ah/transport//require;"
HOST: Final = HOST_RC + "mip6control -S 0 -T 1\n"
AGENT: Final = HOST + "sysctl -w net.inet6.ip6.forwarding=1\nmip6control -g\n"


def node(rc: str = HOST, keys: str | None = None, policy: str = POLICY) -> Node:
    """A correspondent with keys for all mobile nodes but the last."""
    keys = "".join(associations(i) for i in range(NODES - 1)) if keys is None else keys
    return Node(rc + keyed(keys + policy), CONF)


@dataclass(frozen=True)
class Bu:
    """A signed update of mobile node ``mn``, and how it is spoilt."""

    mn: int
    seq: int
    life: int = 600
    link: int = 0
    flags: str = "A"
    at_home: bool = False
    alt: str = ""
    bad: bool = False
    cut: int = 0  # octets of the code that are missing
    spi: int | None = None
    dst: str = HA
    one_header: bool = False
    more: tuple[SubOpt, ...] = ()
    payload: bytes = b""
    nxt: int = NO_NEXT
    code: bool = True

    def packet(self) -> bytes:
        src = hoa(self.mn) if self.at_home else coa(self.mn, self.link)
        option = self.option(src)
        head = AlignedOpt(option, 8 if self.code else 4, BU_ALIGN_FROM_HEADER)
        home = WIRE.aligned(HomeAddress(addr(hoa(self.mn))))
        if self.one_header:
            body = build_options(self.nxt, [home, head])
        else:
            body = build_options(DSTOPTS, [home]) + build_options(self.nxt, [head])
        return frame(ip6(src, self.dst, body + self.payload, DSTOPTS))

    def option(self, src: str) -> bytes:
        value = update(self.seq, self.life, self.flags, self.alt, self.more)
        if not self.code:
            return WIRE.build_option(value)
        lookup = {"hmac-md5": k.SADB_AALG_MD5HMAC, "hmac-sha1": k.SADB_AALG_SHA1HMAC}
        alg = ah_algorithm_lookup(lookup[algorithm(self.mn)])
        assert alg is not None
        number = spi(self.mn) if self.spi is None else self.spi
        subopts = (*value.subopts, AuthData(number, bytes(12 - self.cut)))
        aligned = WIRE.align_subopts(subopts, BU_ALIGN_FROM_HEADER + WIRE.bu_size)
        whole = WIRE.build_option(replace(value, subopts=aligned))
        head = whole[: len(whole) - 12 + self.cut]
        code = alg.setup(key(self.mn), 0).mac(addr(self.dst), addr(src), addr(hoa(self.mn)), head)
        code = code[: 12 - self.cut]
        return head + (bytes(x ^ 1 for x in code) if self.bad else code)


def played(
    packets: Sequence[Item | tuple[int, Item]],
    who: Node | None = None,
    steps: Steps = (),
    gap_ns: int = MS,
) -> ReplayResult:
    return both_ways(packets, who or node(), steps, gap_ns)


def test_new_refreshed_and_moved_bindings_are_handled_many_at_a_time() -> None:
    rounds = [Bu(i, seq, link=seq % 3) for seq in range(1, 5) for i in range(NODES - 1)]
    result = played([FIRST, *rounds])
    assert result.in_bulk == len(rounds)
    assert result.replies >= len(rounds)


#: Updates that are handled in bulk, each behind one that makes a binding.
PLAIN: Final = {
    "without a wish for an answer": Bu(0, 2, flags=""),
    "stale": Bu(0, 1),
    "stale, no answer wanted": Bu(0, 1, flags=""),
    "stale and from home": Bu(0, 1, at_home=True),
    "half the numbers away": Bu(0, 129),
    "just newer than that": Bu(0, 128),
    "de-registration": Bu(0, 2, life=0),
    "de-registration from home": Bu(0, 2, life=0, at_home=True),
    "de-registration by its care-of address": Bu(0, 2, at_home=True),
    "de-registration of nothing": Bu(1, 2, life=0),
    "stale de-registration": Bu(0, 1, life=0),
    "a lifetime of one second": Bu(0, 2, life=1),
    "the longest lifetime": Bu(0, 2, life=0xFFFFFFFF),
    "with an alternate address": Bu(0, 2, alt=coa(0, 5)),
    "with its home as alternate address": Bu(0, 2, alt=hoa(0)),
    "stale with an alternate address": Bu(0, 1, alt=coa(0, 5)),
    "with a unique identifier": Bu(0, 2, more=(UniqueId(7),)),
    "in one header": Bu(0, 2, one_header=True),
    "with octets behind it": Bu(0, 2, payload=bytes(7)),
    "of a key with MD5": Bu(3, 2),
    "with all the other flags": Bu(0, 2, flags="ASD"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_update_is_handled_in_bulk(name: str) -> None:
    result = played([FIRST, Bu(0, 1), PLAIN[name], PLAIN[name], Bu(1, 1)])
    assert result.in_bulk == 4


def test_a_wrong_code_is_told_once_in_a_second() -> None:
    bad = [Bu(0, n, bad=True) for n in range(20)]
    result = played([FIRST, Bu(0, 1), *bad, Bu(0, 2)], gap_ns=150 * MS)
    assert result.in_bulk == 2 + len(bad) - 3
    assert result.drops["MIP6_BUBADAUTH"] == len(bad)


#: For the slow path, which knows the code of those with an association.
ODD: Final = {
    "home registration": Bu(0, 2, flags="AH"),
    "unknown number of an association": Bu(0, 2, spi=77),
    "another's number": Bu(0, 2, spi=spi(1)),
    "no key": Bu(NODES - 1, 1),
    "no code": Bu(0, 2, code=False),
    "a code cut short": Bu(0, 2, cut=4),
    "an alternate address that is none": Bu(0, 2, alt="ff02::1"),
    "the loopback as alternate address": Bu(0, 2, alt="::1"),
    "something behind it that somebody wants": Bu(0, 2, nxt=58, payload=echo(FAR, HA)[40:]),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("rc", [HOST, AGENT])
def test_an_odd_update_goes_the_slow_way(name: str, rc: str) -> None:
    result = played([FIRST, Bu(0, 1), ODD[name], Bu(0, 2), ODD[name]], node(rc))
    assert result.in_bulk == 2


def test_punts_are_told_by_reason() -> None:
    result = played([FIRST, Bu(0, 1, flags="AH"), Bu(0, 2, spi=77), Bu(1, 1)], node(AGENT))
    assert result.punts == {"home registration": 1, "unknown association": 1}


def test_a_binding_ends_within_a_run() -> None:
    lives = [Bu(0, 1, life=2), Bu(1, 1, life=4)]
    later = [(k * 100 * MS, Bu(2, k)) for k in range(2, 80)]
    later.insert(38, (3950 * MS, Bu(0, 1)))  # no stale one: the binding is gone
    result = played([FIRST, *lives, *later])
    assert result.in_bulk > 70


CUT: Final = HOST + "sysctl -w net.inet6.mip6.bc_lifetime_limit=2\n"


@pytest.mark.parametrize(("rc", "life"), [(HOST, 2), (CUT, 600)])
def test_a_binding_ends_between_an_old_update_and_the_next_one(rc: str, life: int) -> None:
    first: list[Item | tuple[int, Item]] = [Bu(1, 5), Bu(0, 1, life=life), Bu(1, 4)]
    first.append((3900 * MS, Bu(0, 1)))
    later = [(5 * NS + n * MS, Bu(2, n)) for n in range(2, 30)]
    result = played([FIRST, *first, *later], node(rc))
    assert result.in_bulk == 4 + len(later)
    assert result.drops["MIP6_BUSEQNO"] == 1


def test_a_binding_ends_within_renewals_of_another() -> None:
    later = [(n * 10 * MS, Bu(2, n % 256)) for n in range(3, 600)]
    later.insert(390, (3900 * MS, Bu(0, 1)))
    result = played([FIRST, Bu(2, 1), FIRST, Bu(2, 2), Bu(0, 1, life=2), *later])
    assert result.in_bulk > 590
    assert "MIP6_BUSEQNO" not in result.drops


def test_the_oldest_binding_gives_way() -> None:
    rc = HOST + "sysctl -w net.inet6.mip6.bc_maxentries=3\n"
    packets = [Bu(i, seq) for seq in (1, 2, 3) for i in (0, 1, 2, 4, 0, 3)]
    played([FIRST, *packets], node(rc))


def test_lifetimes_are_cut() -> None:
    rc = HOST + "sysctl -w net.inet6.mip6.bc_lifetime_limit=30\n"
    played([FIRST, Bu(0, 1), Bu(0, 2, life=20), Bu(0, 3, life=0)], node(rc))


@pytest.mark.parametrize(
    "limit",
    ["-lh 20", "-ls 3", "-bh 600", "-bs 300", "-lh 30 -ls 20"],
)
@pytest.mark.parametrize("both", [True, False])
def test_limited_associations_end_when_they_do(limit: str, both: bool) -> None:
    to_us = limit if both else ""
    keys = "".join(associations(i, to_us, limit) for i in range(NODES - 1))
    packets = [(k * 700 * MS, Bu(i, k + 1)) for k in range(50) for i in (0, 1)]
    played([FIRST, *packets], node(keys=keys))


OTHER_KEY: Final = f'add {HA} {hoa(0)} ah 9999 -A hmac-sha1 "another key for answ";'
#: Commands in the middle.
STEPS: Final = {
    "keys go": keyed(f"delete {hoa(0)} {HA} ah {spi(0)};"),
    "keys of answers go": keyed(f"delete {HA} {hoa(0)} ah {spi(0) + 5000};"),
    "all keys go": keyed("flush;"),
    "keys come": keyed(associations(NODES - 1)),
    "another key": keyed(
        f"delete {hoa(0)} {HA} ah {spi(0)};\n"
        f'add {hoa(0)} {HA} ah {spi(0)} -A hmac-sha1 "another key altogether"'[:-3]
        + '";'
    ),
    "two keys for answers": keyed(OTHER_KEY),
    "the newest key signs": "sysctl -w net.key.prefered_oldsa=0\n" + keyed(OTHER_KEY),
    "two sorts of keys for answers": keyed(OTHER_KEY.replace("-A", "-u 7 -A")),
    "the newest sort signs": "sysctl -w net.key.prefered_oldsa=0\n"
    + keyed(OTHER_KEY.replace("-A", "-u 7 -A")),
    "the key of answers is limited": keyed(
        f"delete {HA} {hoa(0)} ah {spi(0) + 5000};\n" + OTHER_KEY.replace("-A", "-bh 3000 -A")
    ),
    "policies go": keyed("spdflush;"),
    "what comes in needs ESP": keyed("spdadd ::/0 ::/0 any -P in ipsec esp/transport//require;"),
    "what comes in is thrown away": keyed(f"spdadd {hoa(0)}/128 ::/0 any -P in discard;"),
    "what goes out passes": keyed(f"spdadd ::/0 {hoa(0)}/128 59 -P out none;"),
    "what goes out is thrown away": keyed(f"spdadd ::/0 {hoa(0)}/128 59 -P out discard;"),
    "answers by another policy": keyed(f"spdadd ::/0 {hoa(0)}/128 any -P out none;"),
    "no authentication data": "mip6control -T 0\n",
    "IPsec instead": "mip6control -S 1 -T 0\n",
    "debugging": "mip6control -D 1\n",
    "the route goes": "route delete -inet6 default\n",
    "the neighbour goes": f"ndp -d {ROUTER}\n",
    "the address goes": f"ifconfig fxp0 inet6 {HA} -alias\n",
    "a route for one": f"route add -inet6 {coa(0)} {NEIGHBOUR}\n",
    "a route that rejects": f"route add -inet6 {coa(0)} {NEIGHBOUR} -reject\n",
    "another hop limit": "sysctl -w net.inet6.ip6.hlim=33\n",
    "few headers": "sysctl -w net.inet6.ip6.hdrnestlimit=2\n",
    "the interface goes down": "ifconfig fxp0 down\n",
    "an address of the mobile node's": f"ifconfig fxp0 inet6 {hoa(0)} prefixlen 64 alias\n",
    "a home agent": "sysctl -w net.inet6.ip6.forwarding=1\nmip6control -g\n",
    "fewer entries": "sysctl -w net.inet6.mip6.bc_maxentries=2\n",
}


@pytest.mark.parametrize("name", STEPS)
def test_what_changes_in_the_middle_is_heeded(name: str) -> None:
    packets = [Bu(i, seq) for seq in range(1, 60) for i in (0, 1, 3, NODES - 1)]
    result = played([FIRST, *packets], steps=[(100 * MS, STEPS[name])])
    assert result.in_bulk > 20


#: Policies, and whether those of a home agent's packets that are no updates stay in bulk.
OTHERS: Final = {
    POLICY: True,
    POLICY + "spdadd ::/0 ::/0 tcp -P in discard;": True,
    POLICY + "spdadd ::/0 ::/0 17 -P in discard;": False,
    POLICY + "spdadd ::/0 ::/0 17 -P out none;": False,
    POLICY + "spdadd ::/0 ::/0 icmp6 -P in none;": True,
    POLICY + "spdadd ::/0 ::/0 41 -P out none;": True,
    POLICY + "spdadd ::/0 ::/0 any -P out none;": False,
    POLICY + f"spdadd {FAR}/128 ::/0 any -P in discard;": False,
}


@pytest.mark.parametrize("policy", OTHERS)
def test_policies_for_other_protocols_leave_packets_alone(policy: str) -> None:
    home = frame(with_hao(coa(0), HA, hoa(0), echo(coa(0), HA)[40:], 58))
    data = [
        *(frame(udp(FAR, ROUTER)), frame(echo(FAR, HA)), frame(udp(FAR, "2001:db8:e::2"))),
        *(frame(udp(FAR, hoa(0))), frame(ip6(coa(0), HA, udp(hoa(0), FAR), 41)), home),
        frame(ip6(FAR, ROUTER, bytes((17, 0, 1, 4, 0, 0, 0, 0)) + udp(FAR, ROUTER)[40:], 60)),
        frame(ip6(FAR, ROUTER, bytes.fromhex("1100000100000001") + bytes(8), 44)),
    ]
    registered = Bu(0, 1, flags="AHS")
    result = played([FIRST, registered, *data * 4, Bu(1, 1)], node(AGENT, policy=policy))
    assert (result.in_bulk > 8) is OTHERS[policy]


def test_a_home_agent_with_keys_tunnels_in_bulk() -> None:
    home = "2001:db8:1::100"
    rc = AGENT.replace("-S 0 -T 1", "-S 0 -T 0")
    registered = frame(bu(coa(0), HA, home, flags="AHS", lifetime=600))
    data = [frame(udp(FAR, home)), frame(ip6(coa(0), HA, udp(home, FAR), 41))]
    result = played([FIRST, registered, *data * 9], node(rc))
    assert result.in_bulk == 18
    touched = played(
        [FIRST, registered, *data * 9], node(rc, policy="spdadd ::/0 ::/0 41 -P in none;")
    )
    assert touched.in_bulk == 0


def test_with_debugging_every_refusal_is_told() -> None:
    packets = [Bu(0, seq, bad=not seq % 3) for seq in (1, 2, 3, 4, 2, 6, 5, 1, 0, 9, 8, 3) * 10]
    result = played([FIRST, *packets], steps=[(50 * MS, STEPS["debugging"])])
    assert 20 < result.in_bulk < 60


def test_associations_that_came_later_are_found_at_last() -> None:
    packets = [Bu(NODES - 1, n % 256) for n in range(3000)]
    step = keyed(associations(NODES - 1))
    result = played([FIRST, *packets], steps=[(100 * MS, step)])
    assert result.in_bulk > 500


def test_data_and_pings_in_between_keep_their_places() -> None:
    mixed: list[Item] = []
    for seq in range(1, 30):
        mixed += [Bu(seq % 5, seq), frame(udp(FAR, ROUTER)), Bu(2, seq, bad=not seq % 7)]
        mixed += [frame(echo(FAR, HA)), frame(udp(FAR, hoa(seq % 5)))]
    for rc in (HOST, AGENT):
        result = played([FIRST, *mixed], node(rc))
        assert result.in_bulk >= 57


def test_without_an_output_the_numbers_are_the_same() -> None:
    data = [Bu(i, seq, bad=seq == 2 and i == 1) for seq in (1, 2, 2) for i in range(3)]
    frames = [(0, FIRST), *((n * MS, bu.packet()) for n, bu in enumerate(data, 1))]
    pcap = capture(frames)
    with_output, _ = play(pcap, Fast.ON, node())
    without = replay(io.BytesIO(pcap), node().options(Fast.ON))
    assert without.in_bulk == len(data) - 1
    assert differences(with_output.state, snapshot(without.kern)) == {}
    assert without.replies == with_output.replies


@pytest.mark.parametrize("seed", range(3))
def test_packets_with_octets_changed_are_the_same_both_ways(seed: int) -> None:
    whole = [Bu(i, n, one_header=n > 2).packet() for n in range(1, 5) for i in range(4)]
    played([FIRST, *whole, *mutated(whole, seed, 40)])


moves = st.builds(
    Bu,
    mn=st.integers(0, NODES - 1),
    seq=st.integers(0, 12) | st.integers(120, 140),
    life=st.sampled_from([0, 1, 2, 5, 600]),
    link=st.integers(0, 2),
    flags=st.sampled_from(["A", "A", "A", "", "AH", "AD"]),
    at_home=st.booleans(),
    alt=st.sampled_from(["", "", "", coa(9)]),
    bad=st.sampled_from([False, False, False, True]),
    spi=st.sampled_from([None, None, None, None, 4711]),
    one_header=st.booleans(),
)
others = st.sampled_from([frame(udp(FAR, hoa(0))), frame(echo(FAR, HA)), frame(udp(FAR, HA))])
commands = st.sampled_from(sorted(STEPS))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(
    st.lists(st.tuples(gaps | st.just(3 * NS), moves | moves | moves | others), max_size=40),
    st.lists(st.tuples(st.integers(0, 8000), commands), max_size=2),
    st.sampled_from([HOST, AGENT]),
    st.sampled_from(["", "", "-ls 4 -lh 9", "-bh 900"]),
)
def test_any_mix_is_the_same_both_ways(
    packets: list[tuple[int, Item]], changes: list[tuple[int, str]], rc: str, limit: str
) -> None:
    keys = "".join(associations(i, limit, limit) for i in range(NODES - 1))
    steps = [(t_ms * MS, STEPS[name]) for t_ms, name in changes]
    played([FIRST, *spaced(packets)], node(rc, keys), steps)
