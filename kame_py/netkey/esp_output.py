# SPDX-License-Identifier: BSD-3-Clause
"""Protect a payload with ESP.

KAME esp_output.c (esp6_output). Deviates: random numbers come from the kernel's streams.
RFC 2406 s.3.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.drop import D, DropReason
from kame_py.netkey.esp_core import (
    EspClear,
    esp_bound,
    esp_padding,
    esp_randpadlen,
    esp_seal,
)
from kame_py.netkey.ipsec_replay import ipsec_nextseq
from kame_py.netkey.key_sad import key_sa_recordxfer
from kame_py.wire.const import IPPROTO_ESP

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.netkey.ipsec_packet import OutPacket
    from kame_py.netkey.keydb import Secasvar


def esp6_output(kern: Kernel, sav: Secasvar, packet: OutPacket) -> DropReason | None:
    """Put ESP around the packet's payload; a reason when that cannot be."""
    cipher = sav.cipher
    if cipher is None:
        return D.IPSEC_OUTNOSA
    seq = ipsec_nextseq(sav)
    if seq is None:
        return D.IPSEC_OUTSEQ
    sav.iv = kern.rng.stream("esp.iv").bytes(cipher.ivlen)
    rng = kern.rng.stream("esp.pad")
    randpad = kern.key.ip6_esp_randpad
    size = esp_randpadlen(len(packet.body), esp_bound(cipher), randpad, rng)
    padding = esp_padding(size, sav.flags, rng)
    inside = EspClear(packet.nxt, packet.body)
    packet.body = esp_seal(sav, cipher, seq, sav.iv, inside, padding)
    packet.nxt = IPPROTO_ESP
    stats = kern.stats
    stats.ipsec6["out_success"] += 1
    stats.out_esphist[sav.alg_enc] += 1
    key_sa_recordxfer(kern, sav, packet.size())
    return None
