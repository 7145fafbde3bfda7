# SPDX-License-Identifier: BSD-3-Clause
"""Protect a packet with AH.

KAME ah_output.c (ah6_output). Deviates: the header is a value in front of the payload, not an mbuf
in a chain. RFC 2402 s.3.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.drop import D, DropReason
from kame_py.netkey.ah_core import ah6_calccksum, ah_build
from kame_py.netkey.ipsec_replay import ipsec_nextseq
from kame_py.netkey.key_sad import key_sa_recordxfer
from kame_py.wire.codecs import Ah
from kame_py.wire.const import IPPROTO_AH
from kame_py.wire.patch import put

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.netkey.ipsec_packet import OutPacket
    from kame_py.netkey.keydb import Secasvar


def ah6_output(kern: Kernel, sav: Secasvar, packet: OutPacket) -> DropReason | None:
    """Put AH in front of the packet's payload; a reason when that cannot be."""
    mac = sav.mackey
    if mac is None:
        return D.IPSEC_OUTNOSA
    seq = ipsec_nextseq(sav)
    if seq is None:
        return D.IPSEC_OUTSEQ
    ah = ah_build(packet.nxt, sav.spi, seq, mac.icvlen)
    body = packet.body
    whole = packet.received(IPPROTO_AH, ah + body)
    head = whole[: len(whole) - len(ah) - len(body)]
    icv = ah6_calccksum(mac, head, ah, body)
    if icv is None:
        return D.IPSEC_OUTHDR
    packet.nxt, packet.body = IPPROTO_AH, put(ah, Ah.SIZE, icv) + body
    stats = kern.stats
    stats.ipsec6["out_success"] += 1
    stats.out_ahhist[sav.alg_auth] += 1
    key_sa_recordxfer(kern, sav, len(whole))
    return None
