# SPDX-License-Identifier: BSD-3-Clause
"""UDP over IPv6 (KAME udp6_usrreq.c, udp6_output.c).

Deviates: a datagram without checksum is always dropped; there is no IPv4. Read first: RFC 768,
RFC 8200 s.8.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import (
    M_BCAST,
    M_MCAST,
    Fate,
    IpsecAux,
    Mbuf,
    m_get,
    settle,
    trace,
)
from kame_py.kern.protosw import DONE, PrCtl
from kame_py.kern.uipc_socket import Socket, sbappend
from kame_py.netinet6 import icmp6_error, in6_sockopt, ip6_control, ip6_output
from kame_py.netinet6.in6_pcb import (
    In6pcb,
    in6_embedscope_pcb,
    in6_pcbbind,
    in6_pcbconnect,
    in6_pcbdisconnect,
    in6_pcblookup,
    in6_pcbnotify,
    in6_pcbsetport,
    sotoin6pcb,
)
from kame_py.netinet6.in6_src import in6_selectroute, in6_selectsrc
from kame_py.netinet6.scope6 import kernel_to_sa
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Ip6Hdr, Udphdr
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_DST_UNREACH_NOPORT,
    IPPROTO_UDP,
    IPV6_MAXPACKET,
)
from kame_py.wire.errno import EADDRNOTAVAIL, EDESTADDRREQ, EISCONN, EMSGSIZE, KError
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, IN6ADDR_ANY
from kame_py.wire.patch import put_u16
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, Cmsg, Received, SockaddrIn6

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel


def udp6_init(kern: Kernel) -> None:
    """Programs can have UDP sockets."""
    requests = Udp6Usrreqs()
    kern.sockets.protos[(AF_INET6, SOCK_DGRAM, 0)] = requests
    kern.sockets.protos[(AF_INET6, SOCK_DGRAM, IPPROTO_UDP)] = requests


# -- receiving ------------------------------------------------------------------------------------


def udp6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """One datagram; takes ownership. Source: KAME udp6_usrreq.c udp6_input."""
    stats = kern.stats.udp6
    stats["udp6s_ipackets"] += 1
    if kern.tracing:
        trace(m, "udp6_input")
    plen = len(m.data) - off
    if plen < Udphdr.SIZE:
        drop(kern, m, D.UDP6_TOOSHORT)
        return DONE
    uh = Udphdr.unpack(m.data, off)
    # RFC 2675 s.4: length 0 stands for a datagram in a jumbogram
    ulen = uh.uh_ulen or (plen if plen > IPV6_MAXPACKET else 0)
    if not Udphdr.SIZE <= ulen <= plen:
        drop(kern, m, D.UDP6_BADLEN)
    elif uh.uh_sum == 0:
        drop(kern, m, D.UDP6_NOSUM)
    elif _badsum(m, off, ulen):
        drop(kern, m, D.UDP6_BADSUM)
    elif uh.uh_dport == 0:
        drop(kern, m, D.UDP6_BADPORT)
    elif IN6_IS_ADDR_MULTICAST(m.dst):
        _udp6_multicast(kern, m, off, ulen, uh)
    else:
        _udp6_unicast(kern, m, off, ulen, uh)
    return DONE


def _badsum(m: Mbuf, off: int, ulen: int) -> bool:
    ip6 = Ip6Hdr.unpack(m.data)
    return in6_cksum(ip6.ip6_src, ip6.ip6_dst, IPPROTO_UDP, m.data[off : off + ulen]) != 0


def _udp6_unicast(kern: Kernel, m: Mbuf, off: int, ulen: int, uh: Udphdr) -> None:
    inp = in6_pcblookup(kern, m.src, uh.uh_sport, m.dst, uh.uh_dport)
    if inp is None:
        if kern.ipsec.in_reject(kern, m, off, IPPROTO_UDP):
            drop(kern, m, D.IPSEC_INPOLICY)
            return
        if m.flags & (M_MCAST | M_BCAST):
            drop(kern, m, D.UDP6_NOPORTMCAST)
            return
        icmp6_error.icmp6_error(kern, m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0)
        drop(kern, m, D.UDP6_NOPORT)
    elif kern.ipsec.in_reject_so(kern, m, off, IPPROTO_UDP, inp.in6p_socket):
        drop(kern, m, D.IPSEC_INPOLICY)
    elif _deliver(kern, inp, m, off, ulen, uh):
        settle(kern, m, Fate.DELIVERED)
    else:
        drop(kern, m, D.UDP6_FULLSOCK)


def _udp6_multicast(kern: Kernel, m: Mbuf, off: int, ulen: int, uh: Udphdr) -> None:
    """Every socket on the port that the group and sender fit gets a copy."""
    fits = [inp for inp in kern.pcbs.udp6.get(uh.uh_dport, ()) if _takes_group(inp, m, uh)]
    if not fits:
        drop(kern, m, D.UDP6_NOPORTMCAST)
        return
    fits = [
        inp
        for inp in fits
        if not kern.ipsec.in_reject_so(kern, m, off, IPPROTO_UDP, inp.in6p_socket)
    ]
    if not fits:
        drop(kern, m, D.IPSEC_INPOLICY)
        return
    full = [_deliver(kern, inp, m, off, ulen, uh) for inp in fits].count(False)
    if full < len(fits):
        kern.stats.udp6["udp6s_fullsock"] += full
        settle(kern, m, Fate.DELIVERED)
    else:
        drop(kern, m, D.UDP6_FULLSOCK)


def _takes_group(inp: In6pcb, m: Mbuf, uh: Udphdr) -> bool:
    if inp.in6p_laddr not in (IN6ADDR_ANY, m.dst):
        return False
    return inp.in6p_faddr == IN6ADDR_ANY or (inp.in6p_faddr, inp.in6p_fport) == (
        m.src,
        uh.uh_sport,
    )


def _deliver(kern: Kernel, inp: In6pcb, m: Mbuf, off: int, ulen: int, uh: Udphdr) -> bool:
    so = inp.in6p_socket
    control = ip6_control.ip6_savecontrol(kern, so, m)
    data = m.data[off + Udphdr.SIZE : off + ulen]
    return sbappend(kern, so, Received(data, kernel_to_sa(m.src, uh.uh_sport), control))


def udp6_ctlinput(kern: Kernel, ctl: PrCtl) -> None:
    """An ICMPv6 error about a datagram of ours: its connected socket learns of it."""
    uh = Udphdr.parse(ctl.payload)
    blocks = list(kern.pcbs.udp6_all())
    if not isinstance(uh, Udphdr):
        in6_pcbnotify(kern, ctl, blocks, lambda inp: False)
        return
    sport, dport = uh.uh_sport, uh.uh_dport
    in6_pcbnotify(
        kern, ctl, blocks, lambda inp: inp.in6p_lport == sport and inp.in6p_fport == dport
    )


# -- sending --------------------------------------------------------------------------------------


def udp6_output(
    kern: Kernel, inp: In6pcb, data: bytes, addr: SockaddrIn6 | None, control: tuple[Cmsg, ...]
) -> None:
    """Send one datagram. KError: EISCONN, EDESTADDRREQ, EADDRNOTAVAIL, EMSGSIZE, or the way's."""
    opt = in6_sockopt.ip6_setpktoptions(kern, control, inp.in6p_outputopts)
    connected = inp.in6p_faddr != IN6ADDR_ANY
    if addr is not None:
        if connected:
            raise KError(EISCONN)
        if addr.port == 0:
            raise KError(EADDRNOTAVAIL)
        faddr, fport = in6_embedscope_pcb(kern, inp, opt, addr), addr.port
    elif connected:
        faddr, fport = inp.in6p_faddr, inp.in6p_fport
    else:
        raise KError(EDESTADDRREQ)
    ifp, _ = in6_selectroute(kern, faddr, opt, inp.in6p_moptions)
    laddr = in6_selectsrc(kern, faddr, ifp, opt, inp.in6p_laddr, fport)
    if not inp.in6p_lport:
        kern.pcbs.udp6_move(inp, in6_pcbsetport(kern))
    ulen = Udphdr.SIZE + len(data)
    if ulen > IPV6_MAXPACKET:
        raise KError(EMSGSIZE)
    head = Udphdr(uh_sport=inp.in6p_lport, uh_dport=fport, uh_ulen=ulen, uh_sum=0).pack()
    # the checksum is for the last hop of a routing header, which is faddr: ip6_output swaps later
    csum = in6_cksum(laddr, faddr, IPPROTO_UDP, head + data) or 0xFFFF
    payload = put_u16(head, Udphdr.O_uh_sum, csum) + data
    hlim = in6_sockopt.ip6_hlim(kern, inp, opt, faddr, ifp)
    m = m_get(kern, ip6_output.ip6_pkt(laddr, faddr, IPPROTO_UDP, payload, hlim))
    m.src, m.dst = laddr, faddr
    if inp.in6p_sp:
        m.ipsec = IpsecAux(inp.in6p_socket)
    kern.stats.udp6["udp6s_opackets"] += 1
    error = ip6_output.ip6_output(kern, m, opt, in6_sockopt.ip6_outflags(inp), inp.in6p_moptions)
    if error:
        raise KError(error)


class Udp6Usrreqs:
    """What UDP does for its sockets."""

    def attach(self, kern: Kernel, so: Socket) -> None:
        so.pcb = inp = In6pcb(so)
        kern.pcbs.udp6_move(inp, 0)

    def detach(self, kern: Kernel, so: Socket) -> None:
        inp = sotoin6pcb(so)
        in6_sockopt.ip6_freemoptions(kern, inp.in6p_moptions)
        kern.pcbs.udp6_move(inp, -1)

    def bind(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        in6_pcbbind(kern, sotoin6pcb(so), addr)

    def connect(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        inp = sotoin6pcb(so)
        in6_pcbdisconnect(inp)  # a second connect replaces the peer (BSD soconnect)
        if addr.addr == IN6ADDR_ANY and addr.port == 0:
            return
        if addr.port == 0:
            raise KError(EADDRNOTAVAIL)
        if not inp.in6p_lport:
            kern.pcbs.udp6_move(inp, in6_pcbsetport(kern))
        in6_pcbconnect(kern, inp, addr)

    def send(
        self,
        kern: Kernel,
        so: Socket,
        data: bytes,
        addr: SockaddrIn6 | None,
        control: tuple[Cmsg, ...],
    ) -> int:
        if len(data) > so.so_sndbuf:
            raise KError(EMSGSIZE)
        udp6_output(kern, sotoin6pcb(so), data, addr, control)
        return len(data)

    def ctloutput(
        self, kern: Kernel, so: Socket, op: int, level: int, opt: int, value: object = None
    ) -> object:
        return in6_sockopt.in6_ctloutput(kern, so, op, level, opt, value)

    def sockaddr(self, kern: Kernel, so: Socket) -> SockaddrIn6:
        inp = sotoin6pcb(so)
        return kernel_to_sa(inp.in6p_laddr, inp.in6p_lport)
