# SPDX-License-Identifier: BSD-3-Clause
"""TCP segments that nobody listens for: checked, then reset (KAME tcp6_input.c, tcp6_subr.c).

Deviates: there are no connections yet. Read first: RFC 9293 s.3.5.2, s.3.10.7.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import M_ANYCAST6, M_BCAST, M_MCAST, Fate, Mbuf, m_get, settle, trace
from kame_py.kern.protosw import DONE
from kame_py.netinet6 import ip6_output
from kame_py.netinet6.in6_src import in6_selecthlim
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Ip6Hdr, Tcphdr
from kame_py.wire.const import IPPROTO_TCP
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, IN6_IS_ADDR_UNSPECIFIED
from kame_py.wire.patch import put_u16

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

TH_FIN: Final = 0x01
TH_SYN: Final = 0x02
TH_RST: Final = 0x04
TH_ACK: Final = 0x10
SEQ_MASK: Final = 0xFFFFFFFF


def tcp6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """One segment; takes ownership. A good one that is no reset is answered with a reset."""
    kern.stats.tcp6["tcp6s_rcvtotal"] += 1
    if kern.tracing:
        trace(m, "tcp6_input")
    tlen = len(m.data) - off
    if tlen < Tcphdr.SIZE:
        drop(kern, m, D.TCP6_TOOSHORT)
        return DONE
    ip6 = Ip6Hdr.unpack(m.data)
    if in6_cksum(ip6.ip6_src, ip6.ip6_dst, IPPROTO_TCP, m.data[off:]):
        drop(kern, m, D.TCP6_BADSUM)
        return DONE
    th = Tcphdr.unpack(m.data, off)
    hlen = (th.th_off_x2 >> 4) * 4
    if not Tcphdr.SIZE <= hlen <= tlen:
        drop(kern, m, D.TCP6_BADOFF)
    elif _no_answer(m):
        drop(kern, m, D.TCP6_MCAST)
    elif th.th_flags & TH_RST:
        drop(kern, m, D.TCP6_NOPORT)
    else:
        tcp6_respond(kern, m, th, tlen - hlen)
        settle(kern, m, Fate.CONSUMED)
    return DONE


def _no_answer(m: Mbuf) -> bool:
    return bool(
        m.flags & (M_MCAST | M_BCAST | M_ANYCAST6)
        or IN6_IS_ADDR_MULTICAST(m.dst)
        or IN6_IS_ADDR_UNSPECIFIED(m.src)
    )


def tcp6_respond(kern: Kernel, m: Mbuf, th: Tcphdr, datalen: int) -> None:
    """Reset the connection that ``m`` thinks there is (RFC 9293 s.3.5.2)."""
    if th.th_flags & TH_ACK:
        seq, ack, flags = th.th_ack, 0, TH_RST
    else:
        size = datalen + bool(th.th_flags & TH_SYN) + bool(th.th_flags & TH_FIN)
        seq, ack, flags = 0, (th.th_seq + size) & SEQ_MASK, TH_RST | TH_ACK
    body = Tcphdr(
        th_sport=th.th_dport,
        th_dport=th.th_sport,
        th_seq=seq,
        th_ack=ack,
        th_off_x2=Tcphdr.SIZE // 4 << 4,
        th_flags=flags,
        th_win=0,
        th_sum=0,
        th_urp=0,
    ).pack()
    body = put_u16(body, Tcphdr.O_th_sum, in6_cksum(m.dst, m.src, IPPROTO_TCP, body))
    hlim = in6_selecthlim(kern, -1, m.rcvif)
    out = m_get(kern, ip6_output.ip6_pkt(m.dst, m.src, IPPROTO_TCP, body, hlim))
    out.src, out.dst = m.dst, m.src
    kern.stats.tcp6["tcp6s_sndrst"] += 1
    ip6_output.ip6_output(kern, out)
