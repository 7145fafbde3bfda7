# SPDX-License-Identifier: BSD-3-Clause
"""Pings of mobile nodes to a correspondent in bulk: what the slow path makes of them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import Final

import pytest

from kame_py.kern.conf import KernConf
from kame_py.replay.runner import ReplayResult
from tests.differential.home import (
    CN,
    HA,
    MS,
    NEIGHBOUR,
    NS,
    OTHER_MAC,
    RC,
    ROUTER,
    ROUTER_MAC,
    Node,
    Steps,
    capture,
    compared,
    frame,
)
from tests.scenario.mip6words import bu, with_hao
from tests.scenario.words import addr, echo, error, ip6, na, tll, udp
from tests.support import PROJECT_ROOT

pytest.importorskip("numpy")
pytest.importorskip("kame_py.fast.kernels")
lower = pytest.importorskip("kame_py.fast.lower")

DSTOPTS: Final = 60
ICMP6: Final = 58
OTHER: Final = "2001:db8:1::2"  # another address of the node
HOST: Final = f"""
sysctl -w net.inet6.ip6.dad_count=0
ifconfig fxp0 inet6 {HA} prefixlen 64 alias
ifconfig fxp0 inet6 {OTHER} prefixlen 64 alias
ndp -s {ROUTER} 0:90:27:0:0:a1
ndp -s {NEIGHBOUR} 0:90:27:0:0:1
route add -inet6 default {ROUTER}
mip6control -S 0 -T 0
"""
CONF: Final = KernConf(frozenset({"MIP6"}))
PROTECTED: Final = KernConf(frozenset({"MIP6", "IPSEC"}))


def hoa(i: int) -> str:
    return f"2001:db8:9::{0x100 + i:x}"


def coa(i: int) -> str:
    return f"2001:db8:7::{i:x}"


def bind(i: int, seq: int = 1, lifetime: int = 600, at: str = "", dst: str = HA) -> bytes:
    return frame(bu(at or coa(i), dst, hoa(i), seq=seq, lifetime=lifetime, flags=""))


def away(i: int, data: bytes = b"ping", at: str = "", dst: str = HA, home: str = "") -> bytes:
    """A ping with a home address option."""
    home = home or hoa(i)
    return frame(with_hao(at or coa(i), dst, home, echo(home, dst, data)[40:], ICMP6))


def bare(i: int, data: bytes = b"ping", dst: str = HA) -> bytes:
    """The same without it."""
    return frame(echo(hoa(i), dst, data))


def timed(*frames: bytes, gap_ns: int = MS) -> list[tuple[int, bytes]]:
    return [(n * gap_ns, data) for n, data in enumerate(frames)]


def played(
    *frames: bytes,
    text: str = HOST,
    conf: KernConf = CONF,
    gap_ns: int = MS,
    steps: Steps = (),
) -> ReplayResult:
    return compared(capture(timed(*frames, gap_ns=gap_ns)), Node(text, conf), steps)


def patched(data: bytes, at: int, octets: bytes) -> bytes:
    return data[:at] + octets + data[at + len(octets) :]


HLIM: Final = 21
PADDING: Final = 58  # what PadN in front of the option holds
AGENT: Final = HOST + "sysctl -w net.inet6.ip6.forwarding=1\nmip6control -g\n"
SIZES: Final = [0, 1, 2, 3, 4, 5, 7, 23, 24, 25, 55, 56, 57, 63, 64, 65, 119, 120, 121, 800]

#: In bulk, all of them but the first.
CLASSES: Final[dict[str, list[bytes]]] = {
    "option": [away(0)] * 3,
    "no option": [bare(0)] * 3,
    "in turns": [bare(0), away(1), away(0), bare(1)] * 3,
    "of every size": [ping(n % 2, bytes(range(n % 256))) for n in SIZES for ping in (away, bare)],
    "of every checksum": [away(0, n.to_bytes(2, "big")) for n in range(0, 1 << 16, 251)],
    "wrong care-of address": [away(0, at=coa(5))] * 3,
    "as large as the link takes": [away(0, bytes(1500 - 40 - 24 - 8)), bare(0, bytes(1428))] * 2,
    "padded": [away(0) + bytes(20)] * 3,
    "padding that is not zero": [patched(away(0), PADDING, b"xy")] * 3,
    "last hop": [patched(away(0), HLIM, b"\1")] * 3,
}


@pytest.mark.parametrize("text", [HOST, AGENT], ids=["host", "agent"])
@pytest.mark.parametrize("name", CLASSES)
def test_a_ping_of_a_mobile_node_in_bulk(name: str, text: str) -> None:
    frames = CLASSES[name]
    result = played(bind(0), bind(1), *frames, text=text)
    assert result.in_bulk == len(frames)


def options(*parts: bytes) -> bytes:
    """A ping of mobile node 0 behind these octets of options."""
    body = b"".join(parts)
    head = bytes((ICMP6, (len(body) + 2 >> 3) - 1)) + body
    return frame(ip6(coa(0), HA, head + echo(hoa(0), HA)[40:], DSTOPTS))


HAO: Final = b"\xc9\x10" + addr(hoa(0))
#: Never in bulk, though much like the above.
ODD: Final[dict[str, bytes]] = {
    "bad checksum": away(0)[:-1] + b"?",
    "bad checksum, no option": bare(0)[:-1] + b"?",
    "checksum over the care-of address": frame(
        with_hao(coa(0), HA, hoa(0), echo(coa(0), HA)[40:], ICMP6)
    ),
    "Pad1 four times": options(bytes(4), HAO),
    "padding behind": options(HAO, b"\1\2\0\0"),
    "padding twice": options(b"\1\0\1\0", HAO),
    "option twice": options(b"\1\2\0\0", HAO, b"\1\2\0\0", HAO),
    "longer option": options(
        b"\1\2\0\0", b"\xc9\x12" + addr(hoa(0)) + bytes(2), b"\1\4" + bytes(4)
    ),
    "two headers": frame(
        with_hao(coa(0), HA, hoa(0), b"\x3a\0\1\4\0\0\0\0" + echo(hoa(0), HA)[40:], DSTOPTS)
    ),
    "other option": options(b"\1\2\0\0", b"\x1e\x10" + addr(hoa(0))),
    "reply": frame(with_hao(coa(0), HA, hoa(0), echo(hoa(0), HA, reply=True)[40:], ICMP6)),
    "UDP": frame(with_hao(coa(0), HA, hoa(0), udp(hoa(0), HA)[40:], 17)),
    "cut short": away(0)[:-1],
    "header ends early": frame(ip6(coa(0), HA, away(0)[54:76], DSTOPTS)),
    "message ends early": frame(ip6(coa(0), HA, away(0)[54:84], DSTOPTS)),
    "group as home address": away(0, home="ff05::1"),
    "link-local home address": away(0, home="fe80::1"),
    "mapped home address": away(0, home="::ffff:1.2.3.4"),
    "own address as home address": away(0, home=HA),
    "home address of nobody": away(9),
    "too big with a routing header": bare(0, bytes(1500 - 40 - 24 - 7)),
    "to another address than the binding's": away(0, dst=OTHER),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_ping_goes_the_slow_way(name: str) -> None:
    result = played(bind(0), bind(1), *[ODD[name]] * 3)
    assert result.in_bulk == 0


@pytest.mark.parametrize("home", ["::", "::1", "::ffff:1.2.3.4", "fe80::1", "ff05::1"])
def test_nobody_looks_up_a_home_address_that_nobody_can_have(home: str) -> None:
    assert played(bind(0), *[away(0, home=home)] * 3).punts == {"for a socket": 3}


SITE: Final = "fec0::1"
LOW: Final = "64:ff9b::1"  # its first octet is 0


@pytest.mark.parametrize("dst", [HA, SITE, LOW])
@pytest.mark.parametrize("at", [coa(0), "fec0:0:0:7::7", "fe00::7", "64:ff9b:0:7::7"])
@pytest.mark.parametrize("home", [hoa(0), "fec0:0:0:9::9", "fe00::9", "64:ff9b:0:9::9"])
def test_addresses_of_rare_kinds(home: str, at: str, dst: str) -> None:
    text = HOST + "".join(f"ifconfig fxp0 inet6 {a} prefixlen 64 alias\n" for a in (SITE, LOW))
    update = frame(bu(at, dst, home, lifetime=600, flags=""))
    pings = [away(0, at=at, dst=dst, home=home), frame(echo(home, dst))]
    assert played(update, *pings * 3, text=text).in_bulk == (6 if home == hoa(0) else 3)


def test_bindings_that_come_change_and_go() -> None:
    pings = [away(0), bare(0), away(1), bare(1)]
    frames = [*pings, bind(0), *pings, bind(1), *pings, bind(0, 2, at=coa(9)), *pings]
    frames += [bind(1, 2, 0), *pings, bind(0, 1), *pings, bind(1, 3, at=hoa(1)), *pings]
    assert played(*frames).in_bulk >= 15


@pytest.mark.parametrize("lifetime", [1, 2, 3, 4, 5, 8, 40])
def test_a_binding_grows_old_between_pings(lifetime: int) -> None:
    """Before, at and behind the last quarter, in which an answer asks for an update."""
    for start in (0, 1, NS // 2, NS - 1):
        frames = [(0, bare(3)), (start, bind(0, lifetime=lifetime)), (start, bind(1))]
        step = NS * lifetime // 60 + 1
        frames += [(start + k * step, (away if k % 2 else bare)(k % 3 % 2)) for k in range(1, 90)]
        frames += [(start + 2 * lifetime * NS, bare(0))]
        frames.sort(key=lambda item: item[0])
        assert compared(capture(frames), Node(HOST, CONF)).in_bulk >= 20


def test_a_ping_in_the_last_quarter_is_followed_by_another_update() -> None:
    frames = [(0, bind(0, lifetime=8)), (1, away(0)), (2, away(0)), (7 * NS, away(0))]
    frames += [(7 * NS + 1, away(0)), (7 * NS + 2, bind(0, 2)), *[(7 * NS + 3, away(0))] * 3]
    assert compared(capture(frames), Node(HOST, CONF)).in_bulk == 5


def test_the_least_recently_used_binding_gives_way() -> None:
    """Answers are uses, in their order, though they are counted later."""
    text = HOST + "sysctl -w net.inet6.mip6.bc_maxentries=3\n"
    pings = [bare(2), away(0), bare(1), away(0), away(2), bare(0)]
    frames = [bind(0), bind(1), bind(2), *pings, bind(3), *pings, bind(4), bare(3), *pings]
    for order in (pings, pings[::-1], pings[2:]):
        played(*frames, *order, bind(5), *order, bind(6), *order, text=text)


def test_bindings_for_two_own_addresses() -> None:
    other = [away(0, dst=OTHER), bare(0, dst=OTHER)]
    mine = [away(0), bare(0)]
    frames = [bind(0, at=coa(7), dst=OTHER), *other, *mine, bind(0), *other, *mine]
    assert played(*frames, bind(0, 2, 0), *other, *mine).in_bulk == 6


def test_more_ends_of_routes_than_rows_can_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kame_py.fast.lower.ENDS_MAX", 1)
    other = away(1, dst=OTHER)
    assert played(bind(0), bind(1, dst=OTHER), *[away(0), other] * 3).in_bulk == 3
    kern = played(bind(0), bind(1, dst=OTHER)).kern
    low = lower.Lowered(kern, next(ifp for ifp in kern.ifnets if ifp.if_name == "fxp0"))
    low.ask({addr(hoa(0)), addr(hoa(1))})
    assert set(low.rows[:, lower.layout.R_BIND].tolist()) == {0, 1}


@pytest.mark.parametrize("alt", [HA, OTHER])
def test_a_care_of_address_that_is_our_own(alt: str) -> None:
    update = frame(bu(coa(0), HA, hoa(0), lifetime=600, flags="", alt=alt))
    pings = [away(0), bare(0)]
    assert played(update, *pings * 3, bind(0, 2), *pings * 3).in_bulk == 6


@pytest.mark.parametrize("alias", [hoa(0), coa(0)])
def test_an_address_of_a_binding_becomes_our_own(alias: str) -> None:
    steps = [(5 * MS + MS // 2, f"ifconfig fxp0 inet6 {alias} prefixlen 64 alias")]
    assert played(bind(0), *[away(0), bare(0)] * 8, steps=steps).in_bulk == 5


@pytest.mark.parametrize("net", ["2001:db8:9::", "2001:db8:7::"], ids=["home", "care-of"])
def test_a_next_hop_gets_another_link_address(net: str) -> None:
    """All are in bulk again: what was said of the next hop is asked for anew, once."""
    text = HOST + f"route add -inet6 {net} -prefixlen 64 {NEIGHBOUR}\n"
    renewed = f"ndp -d {NEIGHBOUR}\nndp -s {NEIGHBOUR} 0:90:27:0:0:2"
    steps = [(5 * MS + MS // 2, renewed)]
    result = played(bind(0), *[away(0), bare(0)] * 8, text=text, steps=steps)
    assert result.in_bulk == 16


def test_a_home_address_without_a_route() -> None:
    text = HOST.replace("default", "2001:db8:7:: -prefixlen 64")
    assert played(bind(0), *[away(0), bare(0)] * 3, text=text).in_bulk == 0


def test_a_care_of_address_behind_a_neighbour_that_grows_stale() -> None:
    text = HOST.replace(f"ndp -s {ROUTER} 0:90:27:0:0:a1\n", "")
    answer = frame(na(ROUTER, "RSO", ROUTER, HA, tll(ROUTER_MAC)))
    other = frame(na(ROUTER, "RO", ROUTER, HA, tll(OTHER_MAC)))
    steps = [(0, bind(0)), (1, away(0)), (MS, answer), (2 * MS, away(0)), (3 * MS, answer)]
    steps += [(4 * MS + k * NS // 2, (away if k % 3 else bare)(0)) for k in range(200)]
    steps += [(steps[-1][0] + MS, other)]
    steps += [(steps[-1][0] + k * NS // 2, away(0)) for k in range(1, 30)]
    assert compared(capture(steps), Node(text, CONF)).in_bulk > 60


def test_a_care_of_address_on_the_link() -> None:
    near = bind(0, at=NEIGHBOUR)
    frames = [near, *[away(0, at=NEIGHBOUR)] * 3, bind(0, 2), *[away(0)] * 3]
    stranger = [bind(0, 3, at="2001:db8:1::77"), *[away(0, at="2001:db8:1::77")] * 3]
    assert played(*frames, *stranger).in_bulk == 6


@pytest.mark.parametrize("to", [hoa(0), coa(0)])
def test_a_smaller_path_mtu_is_heeded(to: str) -> None:
    big = [away(0, bytes(1400)), bare(0, bytes(1350)), bare(0, bytes(1200))]
    small = frame(error(ROUTER, HA, 2, 0, ip6(HA, to, echo(HA, to, bytes(1300))[40:], 58), 1400))
    played(bind(0), *big, *big, small, *big, *big)


def test_a_care_of_address_with_a_binding_of_its_own() -> None:
    nested = frame(bu(coa(5), HA, coa(0), seq=1, lifetime=600, flags=""))
    frames = [bind(0), away(0), bare(0), nested, away(0), bare(0), away(0)]
    assert played(*frames).in_bulk >= 4


def test_a_home_registration_answers_the_slow_way() -> None:
    home = "2001:db8:1::100"
    registered = frame(bu(coa(0), HA, home, seq=1, lifetime=600, flags="AHS"))
    gone = frame(bu(coa(0), HA, home, seq=2, lifetime=0, flags="AHS"))
    pings = [away(0, home=home), frame(echo(home, HA))]
    both = frame(bu(coa(0), OTHER, home, seq=1, lifetime=600, flags=""))
    played(registered, *pings * 2, both, *pings * 2, gone, *pings * 2, text=RC)


def test_a_care_of_address_that_is_a_home_address_here() -> None:
    """What is sent there goes into the tunnel of its owner."""
    home = "2001:db8:1::100"
    registered = frame(bu(coa(0), HA, home, lifetime=600, flags="AHS"))
    nested = frame(bu(home, HA, hoa(1), lifetime=600, flags=""))
    pings = [away(1, at=home), bare(1)] * 3
    assert played(registered, nested, *pings, text=RC).punts == {"ICMPv6": 6, "for a socket": 1}
    played(nested, *pings, registered, *pings, text=RC)


@pytest.mark.parametrize("policy", ["ipv6-opts", "icmp6", "any"])
@pytest.mark.parametrize("way", ["in none", "out none", "out ipsec ah/transport//use"])
def test_policies(policy: str, way: str) -> None:
    text = HOST + f"setkey -c <<EOF\nspdadd ::/0 ::/0 {policy} -P {way};\nEOF\n"
    result = played(bind(0), *[away(0), bare(0)] * 3, text=text, conf=PROTECTED)
    if policy != "ipv6-opts":
        assert result.in_bulk == 0


def test_settings_in_the_middle() -> None:
    pings = [away(0), bare(0)] * 2
    for command in (
        "sysctl -w net.inet6.ip6.hdrnestlimit=1",
        "sysctl -w net.inet6.ip6.hlim=9",
        "mip6control -S 0",
        f"ifconfig fxp0 inet6 {HA} -alias",
    ):
        steps = [(5 * MS + MS // 2, command)]
        played(bind(0), *pings, *pings, *pings, steps=steps)


def test_a_kernel_without_mobility_knows_no_such_option() -> None:
    text = HOST.replace("mip6control -S 0 -T 0\n", "")
    assert played(*[away(0)] * 3, *[bare(0)] * 3, text=text, conf=KernConf()).in_bulk == 3


@pytest.mark.parametrize("seed", range(12))
def test_any_mix(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    frames, t = [(0, bind(0))], 0
    text = HOST + f"sysctl -w net.inet6.mip6.bc_maxentries={rng.choice([2, 3, 100])}\n"
    for seq in range(1, 250):
        i, n = rng.randrange(4), rng.randrange(0, 1460)
        t += rng.choice([0, 0, 1, MS, NS // 7, NS])
        frames.append((t, rng.choice([
            *[away(i)] * 5,
            *[bare(i)] * 3,
            away(i, bytes(n)),
            bare(i, bytes(n)),
            frame(echo(CN, HA)),
            away(i, at=coa(9)),
            rng.choice(list(ODD.values())),
            bind(i, seq, rng.choice([0, 3, 4, 20, 600]), rng.choice([coa(i), coa(8), hoa(i)])),
            bind(i, seq, 20, dst=OTHER) if rng.random() < 0.2 else away(i),
            patched(away(i), rng.randrange(14, 90), rng.randbytes(1)),
        ])))  # fmt: skip
    assert compared(capture(frames), Node(text, CONF)).in_bulk > 30


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_use_is_kept_over_long_runs(seed: int) -> None:
    """Hundreds of pings between two updates, then one binding too many: the right one goes."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    text = HOST + "sysctl -w net.inet6.mip6.bc_maxentries=6\n"
    frames, t = [(0, bind(i)) for i in range(6)], 0
    for seq in range(2, 1500):
        t += rng.choice([0, 1, MS])
        i = rng.randrange(6)
        new = bind(rng.randrange(6, 9), seq // 8 % 250 + 2)
        frames.append((t, new if rng.random() < 0.006 else rng.choice([away(i), bare(i)])))
    assert compared(capture(frames), Node(text, CONF)).in_bulk > 300


@pytest.mark.parametrize("cpu", ["avx2", "plain", "none"])
def test_other_processors(cpu: str) -> None:
    """In a process of its own: the choice is made once."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            __file__,
            "-k",
            "not other",
        ],
        cwd=PROJECT_ROOT,
        env={**os.environ, "KAME_CPU": cpu},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
