# SPDX-License-Identifier: BSD-3-Clause
"""What outbound policy does to a packet: transport mode, tunnels, refusal.

KAME ipsec.c (ipsec6_output_trans, ipsec6_output_tunnel, ipsec6_hdrsiz). Deviates: all associations
of a tunnel are found before anything is changed, and a forwarded packet that does not fit is
reported with the size that would; a smaller one than 1280 is fragmented outside. RFC 2401 s.5.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.kern.drop import D, DropReason
from kame_py.kern.mbuf import IP6A_AH, trace
from kame_py.netinet6.icmp6_error import icmp6_error
from kame_py.netinet6.ip6_output import ip6_pmtu
from kame_py.netinet6.ip6_var import Exthdrs
from kame_py.netkey.ah_core import ah_hdrlen
from kame_py.netkey.ah_output import ah6_output
from kame_py.netkey.esp_core import esp_bound, esp_icvlen
from kame_py.netkey.esp_output import esp6_output
from kame_py.netkey.ipsec_log import ipsec_satext
from kame_py.netkey.ipsec_packet import OutPacket
from kame_py.netkey.ipsec_tunnel import ipsec6_encapsulate
from kame_py.netkey.key_acquire import key_checkrequest
from kame_py.netkey.key_spd import ipsec_get_reqlevel
from kame_py.netkey.keydb import Ipsecrequest, Secasindex, Secasvar
from kame_py.wire.codecs import Esp, Esptail, Ip6Hdr
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_DST_UNREACH_ADMIN,
    ICMP6_PACKET_TOO_BIG,
    IPPROTO_AH,
    IPV6_MAXPACKET,
    IPV6_MMTU,
)
from kame_py.wire.pfkeyv2 import (
    IPSEC_LEVEL_REQUIRE,
    IPSEC_MODE_TRANSPORT,
    IPSEC_MODE_TUNNEL,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf

_HDR: Final = Ip6Hdr.SIZE


class Step(NamedTuple):
    """One request with the association that serves it."""

    isr: Ipsecrequest
    sav: Secasvar


def ipsec6_split(
    requests: Sequence[Ipsecrequest],
) -> tuple[Sequence[Ipsecrequest], Sequence[Ipsecrequest]]:
    """The requests in front of the first tunnel, and the rest: they are for after routing."""
    for i, isr in enumerate(requests):
        if isr.mode == IPSEC_MODE_TUNNEL:
            return requests[:i], requests[i:]
    return requests, ()


def ipsec6_with_ah(requests: Sequence[Ipsecrequest]) -> list[Ipsecrequest]:
    """The transport mode requests of a packet marked IP6A_AH: AH is among them, and required."""
    out = [
        replace(isr, level=IPSEC_LEVEL_REQUIRE) if isr.proto == IPPROTO_AH else isr
        for isr in requests
    ]
    return out if any(isr.proto == IPPROTO_AH for isr in out) else [*out, ipsec6_ah_request()]


def ipsec6_ah_request() -> Ipsecrequest:
    """AH in transport mode whatever the policies say."""
    return Ipsecrequest(IPPROTO_AH, IPSEC_MODE_TRANSPORT, IPSEC_LEVEL_REQUIRE)


def ipsec6_ah_wanted(m: Mbuf) -> bool:
    """Whether the sender marked the packet IP6A_AH."""
    return m.aux is not None and bool(m.aux.ip6a_flags & IP6A_AH)


def ipsec6_saidx(isr: Ipsecrequest, src: bytes, dst: bytes) -> Secasindex:
    """The index of the association for a request; its addresses are the packet's if it has none."""
    return Secasindex(
        isr.proto,
        isr.mode,
        isr.reqid,
        src if isr.src is None else isr.src,
        dst if isr.dst is None else isr.dst,
    )


def ipsec6_steps(
    kern: Kernel, requests: Sequence[Ipsecrequest], src: bytes, dst: bytes
) -> list[Step] | None:
    """The associations of the requests in order; None when a required one is missing.

    Behind a tunnel the addresses are those of its ends; where it is only wished for and missing,
    what comes behind it is missing, too.
    """
    steps: list[Step] = []
    gap = False
    for isr in requests:
        tunnel = isr.mode == IPSEC_MODE_TUNNEL
        saidx = ipsec6_saidx(isr, src, dst)
        sav: Secasvar | int = 0
        if tunnel or not gap:
            sav = key_checkrequest(kern, isr, saidx)
        elif ipsec_get_reqlevel(kern, isr) == IPSEC_LEVEL_REQUIRE:
            return None
        if isinstance(sav, Secasvar):
            steps.append(Step(isr, sav))
            gap = False
            if tunnel:
                src, dst = saidx.src, saidx.dst
        elif sav:
            return None
        else:
            gap = gap or tunnel
    return steps


# -- transport mode ----------------------------------------------------------------------------


def ipsec6_output_trans(
    kern: Kernel, m: Mbuf, hdrs: Exthdrs, nxt: int, payload: bytes, requests: Sequence[Ipsecrequest]
) -> DropReason | None:
    """AH and ESP around the payload and the last destination options; a reason to drop it.

    What is protected becomes the payload of m.data, so ``hdrs.dest2`` is empty then.
    """
    steps = ipsec6_steps(kern, requests, m.src, m.dst)
    if steps is None:
        if not ipsec6_ah_wanted(m):
            # the sender hears it like an answer of the network, as in KAME
            icmp6_error(kern, m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN)
        return D.IPSEC_OUTNOSA
    if not steps:
        return None
    if kern.tracing:
        _trace(m, steps)
    packet = OutPacket(m.data, hdrs, nxt, payload)
    why = _apply(kern, packet, steps)
    if why is None:
        hdrs.dest2 = b""
        m.data = packet.bare()
    return why


def _trace(m: Mbuf, steps: Sequence[Step]) -> None:
    for isr, sav in steps:
        name = "ah6_output" if isr.proto == IPPROTO_AH else "esp6_output"
        trace(m, f"{name} {ipsec_satext(sav)}")


def _apply(kern: Kernel, packet: OutPacket, steps: Sequence[Step]) -> DropReason | None:
    for isr, sav in steps:
        output = ah6_output if isr.proto == IPPROTO_AH else esp6_output
        if packet.size() - _HDR > IPV6_MAXPACKET:
            return D.IPSEC_OUTBIG
        why = output(kern, sav, packet)
        if why is not None:
            return why
    return D.IPSEC_OUTBIG if packet.size() - _HDR > IPV6_MAXPACKET else None


# -- tunnel mode -------------------------------------------------------------------------------


def ipsec6_output_tunnel(
    kern: Kernel, m: Mbuf, requests: Sequence[Ipsecrequest], forwarding: bool
) -> DropReason | None:
    """Put the packet into its tunnels, innermost first; a reason to drop it.

    The mbuf becomes the outer packet. A forwarded one that is too big for the tunnel is reported
    to its source.
    """
    steps = ipsec6_steps(kern, requests, m.src, m.dst)
    if steps is None:
        return D.IPSEC_OUTNOSA
    if not steps:
        return None
    if forwarding and _too_big(kern, m, steps):
        return D.IP6_FWDTOOBIG
    if kern.tracing:
        _trace(m, steps)
    data = m.data
    src, dst = m.src, m.dst
    for isr, sav in steps:
        if isr.mode == IPSEC_MODE_TUNNEL:
            data = ipsec6_encapsulate(kern, sav, data)
            src, dst = sav.saidx.src, sav.saidx.dst
        ip6 = Ip6Hdr.unpack(data)
        packet = OutPacket(data, Exthdrs(), ip6.ip6_nxt, data[_HDR:])
        why = _apply(kern, packet, (Step(isr, sav),))
        if why is not None:
            return why
        data = packet.bare()
    m.data, m.src, m.dst = data, src, dst
    m.aux = None
    return None


def _too_big(kern: Kernel, m: Mbuf, steps: Sequence[Step]) -> bool:
    """Whether the packet does not fit the tunnel's path; its source is told what would."""
    ends = [sav.saidx for isr, sav in steps if isr.mode == IPSEC_MODE_TUNNEL]
    rt = kern.rt.lookup(ends[-1].dst)
    if rt is None:
        return False
    mtu = max(ipsec6_inner_mtu(steps, ip6_pmtu(kern, rt.rt_ifp, rt)), IPV6_MMTU)
    if len(m.data) <= mtu:
        return False
    icmp6_error(kern, m, ICMP6_PACKET_TOO_BIG, 0, mtu)
    return True


def ipsec6_inner_mtu(steps: Sequence[Step], mtu: int) -> int:
    """The largest packet that is no larger than ``mtu`` after these steps."""
    for isr, sav in reversed(steps):
        room = mtu - _HDR - _overhead(sav)
        if sav.cipher is not None:
            bound = esp_bound(sav.cipher)
            room = room // bound * bound - Esptail.SIZE
        mtu = room if isr.mode == IPSEC_MODE_TUNNEL else room + _HDR
    return mtu


def _overhead(sav: Secasvar) -> int:
    """Octets of the header without padding and trailer."""
    if sav.cipher is not None:
        return Esp.SIZE + sav.cipher.ivlen + esp_icvlen(sav)
    return ah_hdrlen(esp_icvlen(sav))
