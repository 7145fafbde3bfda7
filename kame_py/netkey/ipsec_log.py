# SPDX-License-Identifier: BSD-3-Clause
"""Refuse a received AH or ESP header; net.inet6.ipsec6.debug logs why, in KAME's words.

The ipseclog calls of KAME ah_input.c and esp_input.c, ipsec6_logpacketstr and ipsec_logsastr of
ipsec.c. Deviates: reasons that KAME has no words for are told by those of the drop table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, DropReason, drop
from kame_py.kern.log import LOG_WARNING
from kame_py.kern.mbuf import trace
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.netkey.algorithms import ah_algorithm_lookup, esp_algorithm_lookup
from kame_py.netkey.key_sad import key_allocsa
from kame_py.wire.codecs import Ah, Esp
from kame_py.wire.const import IPPROTO_AH
from kame_py.wire.in6addr import ntop

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.netkey.keydb import Secasvar

_NAME: Final = {True: "AH", False: "ESP"}
_TEXT: Final = {
    D.AH_NOSA: "IPv6 AH input: no key association found for spi {spi}",
    D.AH_BADLEN: "sum length mismatch in IPv6 AH input: {packet}",
    D.AH_REPLAY: "replay packet in IPv6 AH input: {packet} {sa}",
    D.AH_BADICV: "checksum mismatch in IPv6 AH input: {packet} {sa}",
    D.ESP_NOSA: "IPv6 ESP input: no key association found for spi {spi}",
    D.ESP_REPLAY: "replay packet in IPv6 ESP input: {packet} {sa}",
    D.ESP_BADICV: "auth fail in IPv6 ESP input: {packet} {sa}",
    D.ESP_BADPAD: "bad pad length in IPv6 ESP input: {packet} {sa}",
}


def ipsec6_refuse(kern: Kernel, m: Mbuf, off: int, proto: int, why: DropReason) -> None:
    """Drop ``m``, whose header at ``off`` is AH (51) or ESP (50)."""
    if kern.key.ipsec_debug:
        kern.log.log(LOG_WARNING, _ipseclog(kern, m, off, proto, why))
    if kern.tracing:
        trace(m, _refused(kern, m, off, proto))
    drop(kern, m, why)


def _ipseclog(kern: Kernel, m: Mbuf, off: int, proto: int, why: DropReason) -> str:
    is_ah = proto == IPPROTO_AH
    if len(m.data) - off < (Ah.SIZE if is_ah else Esp.SIZE):
        return f"IPv6 {_NAME[is_ah]} input: {why.text}"
    spi = Ah.unpack(m.data, off).ah_spi if is_ah else Esp.unpack(m.data, off).esp_spi
    sav = key_allocsa(kern, proto, m.dst, spi)
    text = _TEXT.get(why, f"IPv6 {_NAME[is_ah]} input: {why.text}: {{packet}}")
    packet = f"packet(SPI={spi} {_ends(m.src, m.dst)})"
    return text.format(spi=spi, packet=packet, sa="" if sav is None else ipsec_logsastr(sav))


def _refused(kern: Kernel, m: Mbuf, off: int, proto: int) -> str:
    """Which association it was that did not take the packet."""
    is_ah = proto == IPPROTO_AH
    name = "ah6_input" if is_ah else "esp6_input"
    if len(m.data) - off < (Ah.SIZE if is_ah else Esp.SIZE):
        return f"{name}: refused"
    spi = Ah.unpack(m.data, off).ah_spi if is_ah else Esp.unpack(m.data, off).esp_spi
    sav = key_allocsa(kern, proto, m.dst, spi, m.src) or key_allocsa(kern, proto, m.dst, spi)
    text = f"spi 0x{spi:x}, no association" if sav is None else ipsec_satext(sav)
    return f"{name} {text}: refused"


def ipsec_satext(sav: Secasvar) -> str:
    """An association for the way of a packet."""
    auth = ah_algorithm_lookup(sav.alg_auth) if sav.mackey is not None else None
    cipher = esp_algorithm_lookup(sav.alg_enc) if sav.cipher is not None else None
    names = " ".join(alg.name for alg in (cipher, auth) if alg is not None)
    return f"spi 0x{sav.spi:x} {names} {_ends(sav.saidx.src, sav.saidx.dst)}"


def ipsec_logsastr(sav: Secasvar) -> str:
    """An association for the log."""
    return f"SA(SPI={sav.spi} {_ends(sav.saidx.src, sav.saidx.dst)})"


def _ends(src: bytes, dst: bytes) -> str:
    return f"src={ntop(in6_clearscope(src))} dst={ntop(in6_clearscope(dst))}"
