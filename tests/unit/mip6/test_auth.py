# SPDX-License-Identifier: BSD-3-Clause
"""Authentication data against vectors worked out apart from this code (draft-15 s.4.4).

The first family has the keys 01 02 .. of 20 and of 16 octets, the second is KAME's HowTo. Each is
signed and verified by what sends and receives options.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import pytest

from kame_py.boot import boot
from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.drop import D
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Mbuf, m_get
from kame_py.mip6 import mip6_auth
from kame_py.mip6.mip6_var import Mip6Bu, mip6_state
from kame_py.netinet6.ip6_output import ip6_pkt
from kame_py.wire.ip6ext import build_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import (
    AltCoa,
    AuthData,
    BindingAck,
    BindingUpdate,
    Pad,
    UniqueId,
    parse_ba,
    parse_bu,
)
from kame_py.wire.mip6_draft15 import WIRE
from tests.scenario.authwords import HOWTO_KEY, MD5, SHA1, Key, Keys
from tests.scenario.words import addr

SHA1_KEY: Final = bytes(range(1, 21))
MD5_KEY: Final = bytes(range(1, 17))
HOA: Final = "2001:db8:0:1::100"
COA: Final = "2001:db8:0:2::100"
HA: Final = "2001:db8:0:1::1"
CN: Final = "2001:db8:0:3::200"
ALT: Final = "2001:db8:0:4::77"
KAME: Final = "MIP6_AUTHDATA_KAME"

#: of update C1: destination, care-of address, home address, option up to the SPI
C1: Final = (
    "20010db8000000010000000000000001 20010db8000000020000000000000100"
    "20010db8000000010000000000000100 c61cd000002a00000258 0100 0410 00001000"
)
#: C2: unique identifier, PadN, alternate care-of address, PadN
C2: Final = (
    "20010db8000000030000000000000200 20010db8000000020000000000000100"
    "20010db8000000010000000000000100 c63c800000ff00000078 02021234 010400000000"
    "031020010db8000000040000000000000077 010400000000 0410 00001001"
)
#: acknowledgement C3: destination, source, option without and with its reserved octet
C3: Final = (
    "20010db8000000010000000000000100 20010db8000000010000000000000001"
    "072300 2a00000258000001e0 010400000000 0410 00001002"
)
C3_KAME: Final = C3.replace("072300 2a", "072300 002a")
C4: Final = (
    "20010db8000000010000000000000100 20010db8000000010000000000000001"
    "07238d 2a0000000000000000 010400000000 0410 00001002"
)
C5: Final = (
    "20010db8000000010000000000000001 20010db8000000010000000000000100"
    "20010db8000000010000000000000100 c61cc000002b00000000 0100 0410 00001000"
)


@dataclass(frozen=True)
class Vector:
    """src, dst: who signs for whom; coa: the source of an update. full: the whole code."""

    option: BindingUpdate | BindingAck
    src: str
    dst: str
    spi: int
    covered: str
    full: str
    coa: str = COA
    alg: int = SHA1
    kernel: str = ""
    key: bytes = b""
    signed: str = ""

    @property
    def secret(self) -> bytes:
        return self.key or (SHA1_KEY if self.alg == SHA1 else MD5_KEY)


REGISTER: Final = BindingUpdate(0xD0, 0x2A, 600)
TO_CN: Final = BindingUpdate(0x80, 0xFF, 120, subopts=(UniqueId(0x1234), AltCoa(addr(ALT))))
ACCEPTED: Final = BindingAck(0, 0x2A, 600, 480)
STALE: Final = BindingAck(141, 0x2A, 0, 0)
RETURN: Final = BindingUpdate(0xC0, 0x2B, 0)

VECTORS: Final = {
    "C1-SHA1": Vector(
        REGISTER, HOA, HA, 0x1000, C1, "0013000328d85e14e38ddaecc1da45c2f3b4e46e",
        signed="c61cd000002a0000025801000410000010000013000328d85e14e38ddaec",
    ),
    "C1-MD5": Vector(
        REGISTER, HOA, HA, 0x1000, C1, "8db4b4c794ffc9366377bbb800af138d", alg=MD5,
        signed="c61cd000002a0000025801000410000010008db4b4c794ffc9366377bbb8",
    ),
    "C2-SHA1": Vector(
        TO_CN, HOA, CN, 0x1001, C2, "0b41795f4f20a9218cb2b0d28b8ade2197d4ad24",
        signed="c63c800000ff0000007802021234010400000000031020010db8000000040000000000000077"
        "010400000000041000001001" "0b41795f4f20a9218cb2b0d2",
    ),
    "C2-MD5": Vector(
        TO_CN, HOA, CN, 0x1001, C2, "dcb3eeeafe8fd544da8fc83ea336edfc", alg=MD5,
        signed="c63c800000ff0000007802021234010400000000031020010db8000000040000000000000077"
        "010400000000041000001001" "dcb3eeeafe8fd544da8fc83e",
    ),
    "C3-SHA1": Vector(
        ACCEPTED, HA, HOA, 0x1002, C3, "cda783ba7d6a9d8e55da55823b282f843ac11cd4",
        signed="072300002a00000258000001e0010400000000041000001002cda783ba7d6a9d8e55da5582",
    ),
    "C3-SHA1-K": Vector(
        ACCEPTED, HA, HOA, 0x1002, C3_KAME, "f3f18a4a788ef09ad3f9d3c728319eb266c0b72f",
        kernel=KAME,
        signed="072300002a00000258000001e0010400000000041000001002f3f18a4a788ef09ad3f9d3c7",
    ),
    "C3-MD5": Vector(
        ACCEPTED, HA, HOA, 0x1002, C3, "7dad52a1c36ccf915a380ec1aab1933e", alg=MD5,
        signed="072300002a00000258000001e0010400000000041000001002" "7dad52a1c36ccf915a380ec1",
    ),
    "C3-MD5-K": Vector(
        ACCEPTED, HA, HOA, 0x1002, C3_KAME, "138ab970c37f7bec631b780f375a51eb", alg=MD5,
        kernel=KAME,
        signed="072300002a00000258000001e0010400000000041000001002" "138ab970c37f7bec631b780f",
    ),
    "C4-SHA1": Vector(
        STALE, HA, HOA, 0x1002, C4, "9622cab72bf47c2228a80d7ac7aacf241560336d",
        signed="07238d002a00000000000000000104000000000410000010029622cab72bf47c2228a80d7a",
    ),
    "C5-SHA1": Vector(
        RETURN, HOA, HA, 0x1000, C5, "82ff8f51dcd578581bc7e1ec6e0a2a8957dec734", coa=HOA,
        signed="c61cc000002b00000000010004100000100082ff8f51dcd578581bc7e1ec",
    ),
}  # fmt: skip


def kernel(vector: Vector) -> tuple[Kernel, Key]:
    """A node with mobility and the vector's association."""
    conf = KernConf(frozenset({"MIP6", vector.kernel}), hif=1)
    kern = boot("k", conf, VirtualClock())
    keys = Keys()
    kern.ipsec = keys
    return kern, keys.add(vector.src, vector.dst, vector.spi, vector.secret, vector.alg)


def header(kern: Kernel, sa: Key, vector: Vector) -> bytes:
    """The destination options header that carries the signed option, nothing behind it."""
    if isinstance(vector.option, BindingAck):
        dst, src = addr(vector.dst), addr(vector.src)
        signed = mip6_auth.mip6_ba_header(kern, mip6_state(kern), vector.option, dst, src)
        assert signed is not None
        return signed
    sc = mip6_state(kern).hif_softc_list[0]
    ends = addr(vector.dst), addr(vector.src), addr(vector.coa)
    bu = Mip6Bu(sc, *ends, 0, 0, 0, 0)
    return build_options(59, [mip6_auth.mip6_bu_sign(kern, sa, vector.option, bu)])


def packet(kern: Kernel, vector: Vector) -> Mbuf:
    m = m_get(kern, ip6_pkt(addr(vector.src), addr(vector.dst), 59, b"", 64))
    m.src, m.dst = addr(vector.src), addr(vector.dst)
    return m


def refusal(kern: Kernel, vector: Vector, option: bytes) -> object:
    """What the receiver says of the option's octets."""
    m = packet(kern, vector)
    if isinstance(vector.option, BindingAck):
        ba = parse_ba(WIRE, option, 0)
        assert not isinstance(ba, Malformed)
        return mip6_auth.mip6_ba_refusal(kern, mip6_state(kern), m, option, ba)
    bu = parse_bu(WIRE, option, 0)
    assert not isinstance(bu, Malformed)
    hoa, coa = addr(vector.src), addr(vector.coa)
    return mip6_auth.mip6_bu_refusal(kern, mip6_state(kern), m, option, bu, hoa, coa)


def option_of(vector: Vector) -> bytes:
    return bytes.fromhex(vector.signed)


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_vector_is_consistent(vector: Vector) -> None:
    """Octets covered, whole code, its first 96 bits, signed option: one follows from another."""
    name = "sha1" if vector.alg == SHA1 else "md5"
    covered = bytes.fromhex(vector.covered)
    full = hmac.new(vector.secret, covered, getattr(hashlib, name)).hexdigest()
    assert full == vector.full
    assert vector.signed.endswith(full[:24])


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_octets_covered(vector: Vector) -> None:
    head = option_of(vector)[:-12]
    dst, src = addr(vector.dst), addr(vector.src)
    if isinstance(vector.option, BindingAck):
        parts = mip6_auth.mip6_ba_covered(dst, src, head, vector.kernel == KAME)
    else:
        parts = mip6_auth.mip6_bu_covered(dst, addr(vector.coa), src, head)
    assert b"".join(parts) == bytes.fromhex(vector.covered)


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_signed_option_is_the_vectors_and_stands_where_it_has_to(vector: Vector) -> None:
    kern, sa = kernel(vector)
    option = option_of(vector)
    at = 3 if isinstance(vector.option, BindingAck) else 2
    sent = header(kern, sa, vector)
    assert sent[at : at + len(option)] == option
    assert (at + len(option) - 12 - 6) % 8 == 6  # the sub-option is aligned 8n+6
    assert sa.used == 1


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_vector_is_authentic_and_no_octet_of_it_may_differ(vector: Vector) -> None:
    kern, _ = kernel(vector)
    option = option_of(vector)
    assert refusal(kern, vector, option) is None
    reserved = 3 if isinstance(vector.option, BindingAck) and vector.kernel != KAME else -1
    types_lengths_spi = structure(vector, option)
    for at in range(len(option)):
        if at in types_lengths_spi:
            continue  # another structure: other refusals
        forged = option[:at] + bytes((option[at] ^ 1,)) + option[at + 1 :]
        wanted = None if at == reserved else bad(vector)
        assert refusal(kern, vector, forged) is wanted, at


def bad(vector: Vector) -> object:
    ack = isinstance(vector.option, BindingAck)
    return D.MIP6_BABADAUTH if ack else D.MIP6_BUBADAUTH


def structure(vector: Vector, option: bytes) -> set[int]:
    """Octets of types and lengths, and of the SPI."""
    fixed = WIRE.ba_size if isinstance(vector.option, BindingAck) else WIRE.bu_size
    found, at = {1}, fixed
    subopts = WIRE.parse_subopts(option, fixed, len(option))
    assert not isinstance(subopts, Malformed)
    for sub in subopts:
        size = len(WIRE.build_subopt(sub))
        found |= {at} if isinstance(sub, Pad) and size == 1 else {at, at + 1}
        if isinstance(sub, AuthData):
            found |= set(range(at + 2, at + 6))
        at += size
    return found


MOVES: Final[dict[str, Callable[[Vector], Vector]]] = {
    "src": lambda v: replace(v, src=ALT),
    "dst": lambda v: replace(v, dst=ALT),
    "coa": lambda v: replace(v, coa=ALT),
}


@pytest.mark.parametrize(
    "name,end",
    [
        *((name, end) for name in ("C1-SHA1", "C2-MD5", "C5-SHA1") for end in MOVES),
        *((name, end) for name in ("C3-SHA1", "C3-SHA1-K") for end in ("src", "dst")),
    ],
)
def test_addresses_are_covered(name: str, end: str) -> None:
    """The same octets between other addresses, with an association that would fit those."""
    vector = VECTORS[name]
    other = MOVES[end](vector)
    kern, _ = kernel(other)
    assert refusal(kern, other, option_of(vector)) is bad(vector)


# -- KAME's HowTo: key of 20 characters, hmac-sha1, SPI 1500 and 1600 -----------------------------

HOWTO_HOA: Final = "2001:200:1:1::10"
HOWTO_COA: Final = "2001:200:2:2::10"
HOWTO_HA: Final = "2001:200:1:1::1"


def howto(option: BindingUpdate | BindingAck, kernel_option: str = "") -> bytes:
    """The header that the HowTo's nodes send."""
    up = isinstance(option, BindingUpdate)
    ends = (HOWTO_HOA, HOWTO_HA, 1500) if up else (HOWTO_HA, HOWTO_HOA, 1600)
    vector = Vector(option, *ends, "", "", HOWTO_COA, key=HOWTO_KEY, kernel=kernel_option)
    return header(*kernel(vector), vector)


def test_update_of_the_howto() -> None:
    sent = howto(BindingUpdate(0xD0, 1, 65280))
    #                      next len BU len A|H|D reserved seq lifetime 65280 PadN(0)
    assert sent == bytes.fromhex("3b 03 c6 1c d0 00 00 01 00 00 ff 00 01 00"
    #                      type length SPI 1500
                                 "04 10 00 00 05 dc"
                                 "51 e4 cc 44 3c 6b c4 b8 08 17 a8 44")  # fmt: skip


@pytest.mark.parametrize(
    "option,digest",
    [
        ("", "b4 32 ea c1 07 39 e4 d9 d6 2f a3 52"),
        (KAME, "41 37 b0 16 4c 9b b5 a9 55 9f 20 e9"),
    ],
)
def test_acknowledgement_of_the_howto(option: str, digest: str) -> None:
    sent = howto(BindingAck(0, 1, 65280, 32640), option)
    #            next len Pad1 BA len status reserved seq lifetime refresh 32640
    head = "3b 04 00 07 23 00 00 01 00 00 ff 00 00 00 7f 80 01 04 00 00 00 00 04 10 00 00 06 40"
    assert sent == bytes.fromhex(head + digest)
