# SPDX-License-Identifier: BSD-3-Clause
"""Authentication data of binding updates verified in batches: the same as the slow path says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.correspondent import BU_AT, CN, COA, ICVLEN, KEY, MN, SPI, correspondent, signed_update
from kame_py.fast.authdata import bu_twin, verify_bu_macs
from kame_py.fast.batch import BATCH
from kame_py.fast.sas import BAD, GOOD, UNKNOWN, Checker, SaTable
from kame_py.kern.kernel import Kernel
from kame_py.net.if_ import Ifnet
from kame_py.netkey.algorithms import ah_algorithm_lookup
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IP6_MIP6_BU_ACK, IPPROTO_DSTOPTS, IPPROTO_NONE
from kame_py.wire.ip6ext import AlignedOpt, build_options
from kame_py.wire.mip6 import AltCoa, AuthData, BindingUpdate, HomeAddress, SubOpt, UniqueId
from kame_py.wire.mip6_draft15 import WIRE
from tests.unit.fast.packets import batch_of, mutated


def update(before: Sequence[SubOpt] = (), spi: int = SPI, icvlen: int = ICVLEN) -> bytes:
    """A signed update with sub-options in front of its code, all options in one header."""
    subopts = (*before, AuthData(spi, bytes(icvlen)))
    aligned = WIRE.align_subopts(subopts, BU_AT + WIRE.bu_size)
    head = WIRE.build_option(BindingUpdate(IP6_MIP6_BU_ACK, 1, 600, subopts=aligned))[:-icvlen]
    sha1 = ah_algorithm_lookup(k.SADB_AALG_SHA1HMAC)
    assert sha1 is not None
    code = sha1.setup(KEY, 0).mac(CN + COA + MN + head)
    return packet(AlignedOpt(head + code[:icvlen], 8, BU_AT))


def packet(*options: AlignedOpt) -> bytes:
    body = build_options(IPPROTO_NONE, [WIRE.aligned(HomeAddress(MN)), *options])
    head = Ip6Hdr(ip6_plen=len(body), ip6_nxt=IPPROTO_DSTOPTS, ip6_hlim=64, ip6_src=COA, ip6_dst=CN)
    return head.pack() + body


UPDATES = [
    *(signed_update(seqno) for seqno in range(1, 9)),
    update(),
    update([AltCoa(COA)]),
    update([UniqueId(7)]),
    update([UniqueId(7), AltCoa(COA)]),
]


@pytest.fixture(scope="module")
def node() -> tuple[Kernel, Ifnet]:
    return correspondent()


def checker(kern: Kernel) -> Checker:
    return Checker(SaTable(kern))


def test_right_codes_are_good(node: tuple[Kernel, Ifnet]) -> None:
    batch = batch_of(UPDATES)
    assert verify_bu_macs(batch, checker(node[0])).tolist() == [GOOD] * batch.n


def test_a_wrong_code_is_bad(node: tuple[Kernel, Ifnet]) -> None:
    wrong = [u[:-1] + bytes((u[-1] ^ 1,)) for u in UPDATES[:8]]
    assert verify_bu_macs(batch_of(wrong), checker(node[0])).tolist() == [BAD] * 8


def test_the_care_of_address_is_covered(node: tuple[Kernel, Ifnet]) -> None:
    octets = bytearray(UPDATES[0])
    octets[23] ^= 1
    assert verify_bu_macs(batch_of([bytes(octets)]), checker(node[0])).tolist() == [BAD]


def test_what_proves_nothing_is_unknown(node: tuple[Kernel, Ifnet]) -> None:
    bu = AlignedOpt(WIRE.build_option(BindingUpdate(IP6_MIP6_BU_ACK, 1, 600)), 8, BU_AT)
    packets = [
        packet(),  # no update
        packet(bu),  # no code
        packet(bu, bu),
        update(spi=SPI + 1),
        update(icvlen=8),
        update([UniqueId(1), AuthData(SPI, bytes(ICVLEN))]),  # two codes
        UPDATES[0][:40],
    ]
    assert verify_bu_macs(batch_of(packets), checker(node[0])).tolist() == [UNKNOWN] * 7


def test_an_update_in_front_of_its_home_address_is_unknown(node: tuple[Kernel, Ifnet]) -> None:
    head, options = UPDATES[0][:40], UPDATES[0][40:]
    size = 8 * (options[1] + 1)
    hao, bu = options[:size], options[size:]
    turned = head + bytes((IPPROTO_DSTOPTS,)) + bu[1:] + bytes((IPPROTO_NONE,)) + hao[1:]
    batch = batch_of([UPDATES[0], turned])
    assert verify_bu_macs(batch, checker(node[0])).tolist() == [GOOD, UNKNOWN]
    assert bu_twin(batch, checker(node[0]).table).tolist() == [GOOD, UNKNOWN]


def test_random_changes_look_the_same_to_kernel_and_twin(node: tuple[Kernel, Ifnet]) -> None:
    packets = mutated(UPDATES, 3, 400)
    check, seen = checker(node[0]), set()
    for at in range(0, len(packets), BATCH):
        batch = batch_of(packets[at : at + BATCH])
        verdicts = verify_bu_macs(batch, check)
        assert verdicts.tolist() == bu_twin(batch, check.table).tolist()
        seen |= set(verdicts.tolist())
    assert seen == {UNKNOWN, GOOD, BAD}


def test_the_slow_path_agrees() -> None:
    packets = UPDATES + mutated(UPDATES, 4, 60)
    kern, ifp = correspondent()
    verdicts = verify_bu_macs(batch_of(packets), checker(kern))
    told = {GOOD: 0, BAD: 0}
    for data, verdict in zip(packets, verdicts.tolist(), strict=True):
        kern.drops.clear()
        kern.if_input(ifp, data)
        if "MIP6_BUBADAUTH" in kern.drops:
            assert verdict in (BAD, UNKNOWN), data.hex()
            told[BAD] += verdict == BAD
        elif not kern.drops:
            assert verdict in (GOOD, UNKNOWN), data.hex()
            told[GOOD] += verdict == GOOD
    assert told[GOOD] > 5
    assert told[BAD] > 100
