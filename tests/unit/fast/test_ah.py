# SPDX-License-Identifier: BSD-3-Clause
"""AH verified in batches: the same as the slow path says."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest

from kame_py.fast.ah import ah_twin, verify_ah
from kame_py.fast.batch import BATCH
from kame_py.fast.sas import BAD, GOOD, ROOM, UNKNOWN, Checker, SaTable
from kame_py.netkey.key_sad import key_sa_chgstate
from kame_py.netkey.key_sastate import SaEv
from kame_py.netkey.keydb import Secasvar
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
)
from kame_py.wire.ip6ext import build_rthdr0
from tests.support import PROJECT_ROOT
from tests.unit.fast.packets import batch_of, mutated
from tests.unit.netinet6.ip6_node import PEER1, PEER2, addr
from tests.unit.netkey.ipsec_node import AH, MD5, SHA1, SHA256, IpsecNode, signed

HOME = addr("2001:db8:9::77")
VIA = addr("2001:db8:5::5")
SHA256_96 = k.SADB_X_AALG_SHA2_256_96
ALGS = (MD5, SHA1, SHA256)
HBH = bytes.fromhex("3c 00 3e 04 de ad be ef")  # next: destination options; may change
HAO_AT = 44  # of the address in a packet that begins with the option


def dstopts(nxt: int, home: bytes | None = None) -> bytes:
    """A home address option, or one that may change on the way."""
    if home is None:
        return bytes((nxt, 0)) + bytes.fromhex("3e 04 01 02 03 04")
    return bytes((nxt, 2)) + bytes.fromhex("01 00 c9 10") + home + bytes.fromhex("01 00")


def swapped(packet: bytes, a: int, b: int) -> bytes:
    """Two addresses change places."""
    octets = bytearray(packet)
    octets[a : a + 16], octets[b : b + 16] = packet[b : b + 16], packet[a : a + 16]
    return bytes(octets)


class Signer:
    """A node with associations, and packets for it."""

    def __init__(self) -> None:
        self.node = IpsecNode("IPSEC", "IPSEC_ESP", "MIP6")
        self.savs = [
            self.node.sa(AH, 1000 + i, alg, src=src)
            for i, (alg, src) in enumerate(product(ALGS, (PEER1, HOME)))
        ]
        key = bytes(range(1, 33))
        self.savs.append(self.node.sa(AH, 2000, SHA256_96, key, src=PEER1))
        self.node.quiet()

    @property
    def checker(self) -> Checker:
        return Checker(SaTable(self.node.kern))

    def plain(self, sav: Secasvar, size: int = 100) -> bytes:
        return signed(sav, payload=bytes(size), nxt=IPPROTO_NONE, src=sav.saidx.src)

    def from_away(self, sav: Secasvar) -> bytes:
        """From the care-of address PEER2; the code is over the packet from home."""
        option = dstopts(IPPROTO_AH, PEER2)
        packet = signed(sav, 1, bytes(50), IPPROTO_NONE, option, IPPROTO_DSTOPTS, src=HOME)
        return swapped(packet, 8, 40 + 6)

    def routed(self, sav: Secasvar, kind: int) -> bytes:
        """The code is over the packet at its last address."""
        header = bytearray(build_rthdr0(IPPROTO_AH, [VIA], 0))
        header[2] = kind
        packet = signed(
            *(sav, 1, bytes(50), IPPROTO_NONE, bytes(header), IPPROTO_ROUTING),
            src=sav.saidx.src,
        )
        octets = bytearray(swapped(packet, 24, 48))
        octets[43] = 1
        return bytes(octets)

    def changed(self, sav: Secasvar) -> bytes:
        """Options that changed on the way, as did class, flow and hop limit."""
        before = HBH + dstopts(IPPROTO_AH)
        octets = bytearray(
            signed(sav, 1, bytes(50), IPPROTO_NONE, before, IPPROTO_HOPOPTS, src=sav.saidx.src)
        )
        octets[1:4] = b"\x23\x45\x67"
        octets[7] = 3
        octets[44:48] = b"what"
        return bytes(octets)

    def all(self) -> list[bytes]:
        found = []
        for sav in self.savs:
            found += [self.plain(sav, size) for size in (0, 1, 63, 64, 500)]
            found += [self.routed(sav, 0), self.routed(sav, 2), self.changed(sav)]
            if sav.saidx.src == HOME:
                found.append(self.from_away(sav))
        return found


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


def test_every_right_code_is_good(signer: Signer) -> None:
    batch = batch_of(signer.all())
    assert verify_ah(batch, signer.checker).tolist() == [GOOD] * batch.n
    assert ah_twin(batch, signer.checker.table).tolist() == [GOOD] * batch.n


def test_a_changed_octet_that_the_code_covers_is_bad(signer: Signer) -> None:
    packet = signer.plain(signer.savs[0])
    other = {*range(24, 40), 41, *range(44, 48)}  # another association, no such size
    changed, right = [], []
    for at in range(8, len(packet)):
        octets = bytearray(packet)
        octets[at] ^= 0x10
        changed.append(bytes(octets))
        right.append(UNKNOWN if at in other else BAD)
    assert verify_ah(batch_of(changed), signer.checker).tolist() == right


def test_random_changes_look_the_same_to_kernel_and_twin(signer: Signer) -> None:
    packets = mutated(signer.all(), 5, 15)
    table = signer.checker.table
    seen = set()
    for at in range(0, len(packets), BATCH):
        batch = batch_of(packets[at : at + BATCH])
        verdicts = verify_ah(batch, signer.checker)
        assert verdicts.tolist() == ah_twin(batch, table).tolist()
        seen |= set(verdicts.tolist())
    assert seen == {UNKNOWN, GOOD, BAD}


def test_the_slow_path_agrees(signer: Signer) -> None:
    node = signer.node
    packets = signer.all() + mutated(signer.all(), 6, 4)
    verdicts = verify_ah(batch_of(packets[:BATCH]), signer.checker)
    told = {GOOD: 0, BAD: 0}
    for packet, verdict in zip(packets, verdicts.tolist(), strict=False):
        node.quiet()
        node.kern.if_input(node.rip0, packet)
        good = node.kern.stats.ipsec6["in_ahauthsucc"] > 0
        if good or "AH_BADICV" in node.kern.drops:
            right = GOOD if good else BAD
            assert verdict in (right, UNKNOWN), packet.hex()
            told[right] += verdict == right
    assert told[GOOD] > 40
    assert told[BAD] > 40


def test_of_several_associations_the_one_of_the_source_counts() -> None:
    node = IpsecNode()
    first = node.sa(AH, 707, SHA1, bytes(20), src=PEER2)
    second = node.sa(AH, 707, SHA1, bytes(range(20)), src=PEER1)
    packets = [
        signed(second, src=PEER1),
        signed(first, src=PEER1),
        signed(first, src=VIA),  # nobody's own: the first one of any
        signed(second, src=VIA),
    ]
    checker = Checker(SaTable(node.kern))
    assert verify_ah(batch_of(packets), checker).tolist() == [GOOD, BAD, GOOD, BAD]
    key_sa_chgstate(node.kern, SaEv.DELETE, second)
    checker = Checker(SaTable(node.kern))
    assert verify_ah(batch_of(packets), checker).tolist() == [BAD, GOOD, GOOD, BAD]


def test_what_proves_nothing_is_unknown(signer: Signer) -> None:
    node = IpsecNode()
    strange = node.sa(AH, 909, k.SADB_X_AALG_SHA2_512, bytes(range(64)))
    other = node.sa(AH, 1010, SHA1)
    unsigned = signed(other)
    cut = batch_of([unsigned])
    cut.caplen[0] -= 1
    checker = Checker(SaTable(node.kern))
    packets = [signed(strange), signed(other, spi=1111), unsigned[:52] + unsigned[60:]]
    assert verify_ah(batch_of(packets), checker).tolist() == [UNKNOWN] * 3
    assert verify_ah(cut, checker).tolist() == [UNKNOWN]
    assert verify_ah(batch_of([unsigned]), Checker(SaTable(IpsecNode().kern))).tolist() == [0]
    assert verify_ah(batch_of([]), checker).tolist() == []


def test_two_home_addresses_and_scoped_ones_are_unknown(signer: Signer) -> None:
    home = next(sav for sav in signer.savs if sav.saidx.src == HOME)
    once = signer.from_away(home)
    twice = dstopts(IPPROTO_DSTOPTS, HOME) + once[40:]
    packets = [
        once[:5] + bytes((once[5] + len(twice) - len(once[40:]),)) + once[6:40] + twice,
        signed(home, src=addr("fe80::9")),
    ]
    batch = batch_of(packets)
    assert verify_ah(batch, signer.checker).tolist() == [UNKNOWN] * 2
    assert ah_twin(batch, signer.checker.table).tolist() == [UNKNOWN] * 2


def test_packets_that_do_not_fit_into_one_round(signer: Signer) -> None:
    long = signer.plain(signer.savs[2], 60_000)
    packets = [long] * (ROOM // len(long) * 3 + 1)
    packets[5] = packets[5][:-1] + b"\x01"
    right = [GOOD] * len(packets)
    right[5] = BAD
    assert verify_ah(batch_of(packets), signer.checker).tolist() == right


def test_a_full_batch(signer: Signer) -> None:
    packets = (signer.all() * BATCH)[:BATCH]
    assert np.all(verify_ah(batch_of(packets), signer.checker) == GOOD)


SCRIPT = """
from tests.unit.fast import test_ah as t, test_authdata as u
signer = t.Signer()
packets = (signer.all() + t.mutated(signer.all(), 8, 3))[: t.BATCH]
batch = t.batch_of(packets)
verdicts = t.verify_ah(batch, signer.checker).tolist()
assert verdicts == t.ah_twin(batch, signer.checker.table).tolist()
assert {t.GOOD, t.BAD, t.UNKNOWN} == set(verdicts)
u.test_right_codes_are_good(u.correspondent())
"""


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["none", "plain"])
def test_lesser_processors_say_the_same(cpu: str) -> None:
    env = os.environ | {"KAME_CPU": cpu, "PYTHONPATH": str(PROJECT_ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
