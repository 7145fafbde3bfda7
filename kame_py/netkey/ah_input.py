# SPDX-License-Identifier: BSD-3-Clause
"""Receive AH.

KAME ah_input.c (ah6_input). Deviates: what is wrong has a reason of its own; replays are refused
before the code is computed, as there. RFC 2402 s.3.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.drop import D, DropReason
from kame_py.kern.mbuf import M_AUTHIPDGM, M_AUTHIPHDR, trace
from kame_py.kern.protosw import DONE
from kame_py.netkey.ah_core import ah6_calccksum, ah_lengths
from kame_py.netkey.algorithms import icv_equal
from kame_py.netkey.ipsec_log import ipsec6_refuse, ipsec_satext
from kame_py.netkey.ipsec_replay import ipsec_chkreplay, ipsec_updatereplay
from kame_py.netkey.ipsec_splice import ip6_replace, ip6_without_atomic_fragment
from kame_py.netkey.ipsec_tunnel import ipsec6_decapsulate, ipsec6_tunnel_validate, ipsec_addhist
from kame_py.netkey.key_sad import key_allocsa, key_sa_recordxfer
from kame_py.wire.codecs import Ah
from kame_py.wire.const import IPPROTO_AH

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.netkey.keydb import MacKey, Secasvar


def ah6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """AH at ``off``: verify it and take it off; out of a tunnel the packet starts again.

    Source: KAME ah_input.c; RFC 2402 s.3.4.
    """
    found = _ah6_find(kern, m, off)
    if isinstance(found, DropReason):
        ipsec6_refuse(kern, m, off, IPPROTO_AH, found)
        return DONE
    ah, sav, mac, size = found
    why = _ah6_verify(kern, m, off, ah, sav, mac, size)
    if why is not None:
        ipsec6_refuse(kern, m, off, IPPROTO_AH, why)
        return DONE
    m.flags |= M_AUTHIPHDR | M_AUTHIPDGM
    ipsec_addhist(m, sav)
    if kern.tracing:
        trace(m, f"ah6_input {ipsec_satext(sav)}: good")
    kern.stats.ipsec6["in_success"] += 1
    key_sa_recordxfer(kern, sav, len(m.data) - size)
    if ipsec6_tunnel_validate(kern, m, off + size, ah.ah_nxt, sav):
        ipsec6_decapsulate(kern, m, off + size)
        return DONE
    m.data = ip6_replace(m.data, off, ah.ah_nxt, m.data[off + size :])
    return ah.ah_nxt, off


def _ah6_find(kern: Kernel, m: Mbuf, off: int) -> tuple[Ah, Secasvar, MacKey, int] | DropReason:
    """The header, its association with its key, its length in octets."""
    rest = len(m.data) - off
    if rest < Ah.SIZE:
        return D.AH_SHORT
    ah = Ah.unpack(m.data, off)
    # its own source first, as several may have chosen one SPI; KAME looks at none
    sav = key_allocsa(kern, IPPROTO_AH, m.dst, ah.ah_spi, m.src)
    sav = sav or key_allocsa(kern, IPPROTO_AH, m.dst, ah.ah_spi)
    if sav is None or sav.mackey is None:
        return D.AH_NOSA
    size = (ah.ah_len + 2) << 2  # RFC 2402 s.2.2
    if size not in ah_lengths(sav.mackey.icvlen):
        return D.AH_BADLEN
    return (ah, sav, sav.mackey, size) if size <= rest else D.AH_SHORT


def _ah6_verify(
    kern: Kernel, m: Mbuf, off: int, ah: Ah, sav: Secasvar, mac: MacKey, size: int
) -> DropReason | None:
    """Replay window and code; None when the packet is authentic and new."""
    if not ipsec_chkreplay(sav, ah.ah_seq):
        return D.AH_REPLAY
    data, at = ip6_without_atomic_fragment(m.data, off)
    header = data[at : at + size]
    icv = ah6_calccksum(mac, data[:at], header, data[at + size :])
    if icv is None:
        return D.AH_BADHDR
    stats = kern.stats
    stats.in_ahhist[sav.alg_auth] += 1
    if not icv_equal(icv, header[Ah.SIZE : Ah.SIZE + mac.icvlen]):
        return D.AH_BADICV
    stats.ipsec6["in_ahauthsucc"] += 1
    return None if ipsec_updatereplay(sav, ah.ah_seq) else D.AH_REPLAY
