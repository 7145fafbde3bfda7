# SPDX-License-Identifier: BSD-3-Clause
"""Receive ESP, and ICMPv6 errors about ESP and AH.

KAME esp_input.c (esp6_input, esp6_ctlinput). Deviates: what is wrong has a reason of its own.
RFC 2406 s.3.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.drop import D, DropReason
from kame_py.kern.mbuf import M_AUTHIPDGM, M_DECRYPTED, trace
from kame_py.kern.protosw import DONE
from kame_py.netinet6.in6_pcb import in6_pcbnotify
from kame_py.netkey.esp_core import EspClear, esp_auth, esp_bound, esp_icvlen, esp_open
from kame_py.netkey.ipsec_log import ipsec6_refuse, ipsec_satext
from kame_py.netkey.ipsec_replay import ipsec_chkreplay, ipsec_updatereplay
from kame_py.netkey.ipsec_splice import ip6_replace
from kame_py.netkey.ipsec_tunnel import ipsec6_decapsulate, ipsec6_tunnel_validate, ipsec_addhist
from kame_py.netkey.key_sad import key_allocsa, key_sa_recordxfer
from kame_py.wire.codecs import Esp
from kame_py.wire.const import IPPROTO_ESP

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.kern.protosw import PrCtl
    from kame_py.netkey.keydb import CipherKey, Secasvar


def esp6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """ESP at ``off``: verify, decrypt, put what was inside in its place.

    Source: KAME esp_input.c; RFC 2406 s.3.4.
    """
    found = _esp6_find(kern, m, off)
    if isinstance(found, DropReason):
        ipsec6_refuse(kern, m, off, IPPROTO_ESP, found)
        return DONE
    esp, sav, cipher = found
    inside = _esp6_open(kern, m, off, esp, sav, cipher)
    if isinstance(inside, DropReason):
        ipsec6_refuse(kern, m, off, IPPROTO_ESP, inside)
        return DONE
    ipsec_addhist(m, sav)
    if kern.tracing:
        trace(m, f"esp6_input {ipsec_satext(sav)}: good")
    m.data = ip6_replace(m.data, off, inside.nxt, inside.payload)
    kern.stats.ipsec6["in_success"] += 1
    key_sa_recordxfer(kern, sav, len(m.data))
    if ipsec6_tunnel_validate(kern, m, off, inside.nxt, sav):
        ipsec6_decapsulate(kern, m, off)
        return DONE
    return inside.nxt, off


def _esp6_find(kern: Kernel, m: Mbuf, off: int) -> tuple[Esp, Secasvar, CipherKey] | DropReason:
    if len(m.data) - off < Esp.SIZE:
        return D.ESP_SHORT
    esp = Esp.unpack(m.data, off)
    sav = key_allocsa(kern, IPPROTO_ESP, m.dst, esp.esp_spi, m.src)  # see ah6_input
    sav = sav or key_allocsa(kern, IPPROTO_ESP, m.dst, esp.esp_spi)
    if sav is None or sav.cipher is None:
        return D.ESP_NOSA
    return esp, sav, sav.cipher


def _esp6_open(
    kern: Kernel, m: Mbuf, off: int, esp: Esp, sav: Secasvar, cipher: CipherKey
) -> EspClear | DropReason:
    """Replay window, code, length, padding; sets the marks of what was verified."""
    stats = kern.stats
    icvlen = esp_icvlen(sav)
    body = m.data[off:]
    secret = len(body) - Esp.SIZE - cipher.ivlen - icvlen
    if secret < esp_bound(cipher):
        return D.ESP_SHORT
    if icvlen:
        if not ipsec_chkreplay(sav, esp.esp_seq):
            return D.ESP_REPLAY
        if not esp_auth(sav, body):
            return D.ESP_BADICV
        stats.ipsec6["in_espauthsucc"] += 1
        if not ipsec_updatereplay(sav, esp.esp_seq):
            return D.ESP_REPLAY
        m.flags |= M_AUTHIPDGM
        body = body[:-icvlen]
    if secret % esp_bound(cipher):
        return D.ESP_BADLEN
    stats.in_esphist[sav.alg_enc] += 1
    inside = esp_open(cipher, body)
    if inside is None:
        return D.ESP_BADPAD
    m.flags |= M_DECRYPTED
    return inside


def esp6_ctlinput(kern: Kernel, ctl: PrCtl) -> None:
    """An error about a packet whose ports are hidden: every socket with that peer hears it."""
    blocks = [*kern.pcbs.udp6_all(), *kern.pcbs.raw6]
    in6_pcbnotify(kern, ctl, blocks, lambda inp: True)
