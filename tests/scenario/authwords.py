# SPDX-License-Identifier: BSD-3-Clause
"""The words of the stories about authentication data: keys, signed options, a table of keys.

``Keys`` stands in for the SADB where a story is about mobility alone; the codes are made by the
algorithms of netkey. What a tester signs it signs here, by the list of draft-15 s.4.4, and not with
the functions under test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from kame_py.kern.hooks import AuthdataSa, NullIpsecHooks
from kame_py.kern.kernel import Kernel
from kame_py.netkey.algorithms import ah_algorithm_lookup
from kame_py.netkey.keydb import MacKey
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_NONE, IPPROTO_ROUTING
from kame_py.wire.ip6ext import AlignedOpt, build_options, build_rthdr0
from kame_py.wire.mip6 import AuthData, BindingAck, BindingUpdate, Pad
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.pfkeyv2 import SADB_AALG_MD5HMAC, SADB_AALG_SHA1HMAC
from tests.scenario.mip6words import with_hao
from tests.scenario.words import addr, ip6

HOWTO_KEY: Final = b"AH SA configuration!"
OTHER_KEY: Final = b"ah sa configuration!"
SHA1: Final = SADB_AALG_SHA1HMAC
MD5: Final = SADB_AALG_MD5HMAC
BU_AT: Final = 2  # octets into the header
BA_AT: Final = 3
RESERVED: Final = 3  # octet of an acknowledgement that the draft leaves out


def mac_key(key: bytes = HOWTO_KEY, alg: int = SHA1) -> MacKey:
    found = ah_algorithm_lookup(alg)
    assert found is not None
    return found.setup(key, 0)


@dataclass
class Key:
    """An AH association from src to dst, as mobility sees it."""

    src: bytes
    dst: bytes
    spi: int
    mac: MacKey
    used: int = 0
    icvlen: int = 12

    def sign(self, text: bytes) -> bytes:
        self.used += 1
        return self.mac.mac(text)

    def verify(self, icv: bytes, text: bytes) -> bool:
        """As lenient as KAME's comparison: the length is mobility's to check."""
        self.used += 1
        return self.mac.mac(text).startswith(icv)


class Keys(NullIpsecHooks):
    """A SADB of AH associations, and a policy that asks for them everywhere."""

    def __init__(self) -> None:
        self.sad: list[Key] = []
        self.asked: list[tuple[bytes, bytes]] = []
        self.changed: list[Callable[[], None]] = []

    def add(self, src: str, dst: str, spi: int, key: bytes = HOWTO_KEY, alg: int = SHA1) -> Key:
        """setkey: add src dst ah spi -A alg key."""
        sa = Key(addr(src), addr(dst), spi, mac_key(key, alg))
        self.sad.append(sa)
        for fn in self.changed:
            fn()
        return sa

    def flush(self) -> None:
        self.sad.clear()
        for fn in self.changed:
            fn()

    def authdata_out(self, kern: Kernel, src: bytes, dst: bytes) -> AuthdataSa | None:
        self.asked.append((src, dst))
        return next((sa for sa in self.sad if (sa.src, sa.dst) == (src, dst)), None)

    def authdata_in(self, kern: Kernel, src: bytes, dst: bytes, spi: int) -> AuthdataSa | None:
        wanted = src, dst, spi
        return next((sa for sa in self.sad if (sa.src, sa.dst, sa.spi) == wanted), None)

    def authdata_known(self, kern: Kernel, dst: bytes, spi: int) -> bool:
        return any((sa.dst, sa.spi) == (dst, spi) for sa in self.sad)

    def on_key_change(self, kern: Kernel, fn: Callable[[], None]) -> None:
        self.changed.append(fn)


# -- what others sign -----------------------------------------------------------------------------


def _room(option: BindingUpdate | BindingAck, spi: int, mac: MacKey, at: int) -> bytes:
    """The option up to the place of the code, with its final length."""
    subopts = (*option.subopts, AuthData(spi, bytes(mac.icvlen)))
    placed = WIRE.align_subopts(subopts, at)
    return WIRE.build_option(replace(option, subopts=placed))[: -mac.icvlen]


def signed_bu(update: BindingUpdate, dst: str, coa: str, hoa: str, spi: int, mac: MacKey) -> bytes:
    """The octets of an update with authentication data."""
    head = _room(update, spi, mac, BU_AT + WIRE.bu_size)
    return head + mac.mac(addr(dst) + addr(coa) + addr(hoa) + head)


def signed_ba(
    ack: BindingAck, dst: str, src: str, spi: int, mac: MacKey, reserved: bool = False
) -> bytes:
    """The octets of an acknowledgement with authentication data; reserved: KAME's form."""
    head = _room(ack, spi, mac, BA_AT + WIRE.ba_size)
    covered = head if reserved else head[:RESERVED] + head[RESERVED + 1 :]
    return head + mac.mac(addr(dst) + addr(src) + covered)


def bu_packet(coa: str, dst: str, hoa: str, option: bytes, payload: bytes = b"") -> bytes:
    """A packet of a mobile node with the update whose octets these are."""
    header = build_options(IPPROTO_NONE, [AlignedOpt(option, 8, BU_AT)])
    return with_hao(coa, dst, hoa, header + payload, IPPROTO_DSTOPTS)


def ba_packet(src: str, coa: str, hoa: str, option: bytes) -> bytes:
    """A packet to a mobile node by its care-of address."""
    header = build_options(IPPROTO_NONE, [AlignedOpt(option, 8, BA_AT)])
    rthdr = build_rthdr0(IPPROTO_DSTOPTS, [addr(hoa)], 1)
    return ip6(src, coa, rthdr + header, IPPROTO_ROUTING)


# -- what was heard -------------------------------------------------------------------------------


def bare(option: BindingUpdate | BindingAck) -> BindingUpdate | BindingAck:
    """The option without authentication data and padding."""
    kept = tuple(sub for sub in option.subopts if not isinstance(sub, (AuthData, Pad)))
    return replace(option, subopts=kept)


def signed_by(
    option: BindingUpdate | BindingAck, spi: int, mac: MacKey, *ends: str, reserved: bool = False
) -> bool:
    """Whether an option that was heard is signed; ends: destination, source[, home address]."""
    plain = bare(option)
    if isinstance(plain, BindingAck):
        dst, src = ends
        wanted = signed_ba(plain, dst, src, spi, mac, reserved)
    else:
        dst, coa, hoa = ends
        wanted = signed_bu(plain, dst, coa, hoa, spi, mac)
    return WIRE.build_option(option) == wanted
