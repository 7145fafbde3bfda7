# SPDX-License-Identifier: BSD-3-Clause
"""Raw IPv6 sockets (KAME raw_ip6.c), and the raw sockets of ICMPv6 (icmp6.c icmp6_rip6_input).

Deviates: none on purpose. Read first: RFC 2292 s.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import Fate, IpsecAux, Mbuf, m_get, settle, trace
from kame_py.kern.protosw import DONE, PrCtl
from kame_py.kern.uipc_socket import Socket, sbappend
from kame_py.netinet6 import icmp6_var, in6_sockopt, ip6_control, ip6_output
from kame_py.netinet6.in6_pcb import (
    In6pcb,
    in6_embedscope_pcb,
    in6_pcbcheckaddr,
    in6_pcbconnect,
    in6_pcbdisconnect,
    in6_pcbnotify,
    sotoin6pcb,
)
from kame_py.netinet6.in6_src import in6_selectroute, in6_selectsrc
from kame_py.netinet6.ip6_unknown import ip6_noproto
from kame_py.netinet6.scope6 import kernel_to_sa, sa_to_kernel
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import IPPROTO_ICMPV6, IPV6_MAXPACKET
from kame_py.wire.errno import EDESTADDRREQ, EINVAL, EISCONN, EMSGSIZE, KError
from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.patch import put_u16, u8
from kame_py.wire.sockaddr import (
    AF_INET6,
    SOCK_RAW,
    Cmsg,
    Icmp6Filter,
    Received,
    SockaddrIn6,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel


def rip6_init(kern: Kernel) -> None:
    """Programs can have raw sockets of every protocol."""
    kern.sockets.protos[(AF_INET6, SOCK_RAW, 0)] = Rip6Usrreqs()


# -- receiving ------------------------------------------------------------------------------------


def _listeners(kern: Kernel, m: Mbuf, proto: int) -> Iterator[In6pcb]:
    """The blocks that want packets of this protocol between these addresses.

    ICMPv6 goes to sockets of ICMPv6 only, not to those of every protocol.
    """
    for inp in kern.pcbs.raw6:
        if inp.in6p_ip6_nxt != proto and (inp.in6p_ip6_nxt or proto == IPPROTO_ICMPV6):
            continue
        if inp.in6p_laddr not in (IN6ADDR_ANY, m.dst):
            continue
        if inp.in6p_faddr in (IN6ADDR_ANY, m.src):
            yield inp


def _append(kern: Kernel, inp: In6pcb, m: Mbuf, data: bytes) -> bool:
    so = inp.in6p_socket
    control = ip6_control.ip6_savecontrol(kern, so, m)
    return sbappend(kern, so, Received(data, kernel_to_sa(m.src), control))


def rip6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """A packet of a protocol that the kernel has no code for; takes ownership.

    Without a socket the sender gets a Parameter Problem that points at the next header field.
    Source: KAME raw_ip6.c rip6_input; RFC 8200 s.4.
    """
    kern.stats.rip6["rip6s_ipackets"] += 1
    if kern.tracing:
        trace(m, f"rip6_input {nxt}")
    data = m.data[off:]
    ip6 = Ip6Hdr.unpack(m.data)
    taken = full = badsum = refused = 0
    for inp in list(_listeners(kern, m, nxt)):
        if kern.ipsec.in_reject_so(kern, m, off, nxt, inp.in6p_socket):
            refused += 1
            continue
        if inp.in6p_cksum >= 0:
            kern.stats.rip6["rip6s_isum"] += 1
            if in6_cksum(ip6.ip6_src, ip6.ip6_dst, nxt, data):
                badsum += 1
                continue
        if _append(kern, inp, m, data):
            taken += 1
        else:
            full += 1
    if not taken + full + badsum:
        if refused or kern.ipsec.in_reject(kern, m, off, nxt):
            drop(kern, m, D.IPSEC_INPOLICY)
            return DONE
        return ip6_noproto(kern, m, off, nxt)
    why = None if taken else D.RIP6_FULLSOCK if full else D.RIP6_BADSUM
    # each socket counts; drop counts one of them itself
    kern.stats.rip6["rip6s_fullsock"] += full - (why is D.RIP6_FULLSOCK)
    kern.stats.rip6["rip6s_badsum"] += badsum - (why is D.RIP6_BADSUM)
    if why is None:
        settle(kern, m, Fate.DELIVERED)
    else:
        drop(kern, m, why)
    return DONE


def icmp6_rip6_input(kern: Kernel, m: Mbuf, off: int) -> bool:
    """Offer a checked ICMPv6 message to raw sockets; whether one took it. Does not own ``m``."""
    if not kern.pcbs.raw6:
        return False
    kind = u8(m.data, off + Icmp6Hdr.O_icmp6_type)
    taken = False
    for inp in list(_listeners(kern, m, IPPROTO_ICMPV6)):
        if inp.in6p_icmp6filt and not Icmp6Filter(inp.in6p_icmp6filt).passes(kind):
            continue
        if inp.in6p_sp and kern.ipsec.in_reject_so(kern, m, off, IPPROTO_ICMPV6, inp.in6p_socket):
            continue
        if _append(kern, inp, m, m.data[off:]):
            taken = True
        else:
            kern.stats.rip6["rip6s_fullsock"] += 1
    return taken


def rip6_ctlinput(kern: Kernel, ctl: PrCtl) -> None:
    """An ICMPv6 error about a packet of a raw socket."""
    in6_pcbnotify(kern, ctl, kern.pcbs.raw6, lambda inp: inp.in6p_ip6_nxt in (0, ctl.nxt))


# -- sending --------------------------------------------------------------------------------------


def rip6_output(
    kern: Kernel, inp: In6pcb, data: bytes, addr: SockaddrIn6 | None, control: tuple[Cmsg, ...]
) -> None:
    """Send ``data`` as the payload of one packet. KError: EISCONN, EDESTADDRREQ, EINVAL, ...

    ICMPv6 checksums are always filled in; others where IPV6_CHECKSUM says.
    """
    opt = in6_sockopt.ip6_setpktoptions(kern, control, inp.in6p_outputopts)
    if inp.in6p_faddr != IN6ADDR_ANY:
        if addr is not None:
            raise KError(EISCONN)
        dst = inp.in6p_faddr
    elif addr is not None:
        dst = in6_embedscope_pcb(kern, inp, opt, addr)
    else:
        raise KError(EDESTADDRREQ)
    ifp, _ = in6_selectroute(kern, dst, opt, inp.in6p_moptions)
    src = in6_selectsrc(kern, dst, ifp, opt, inp.in6p_laddr)
    proto = inp.in6p_ip6_nxt
    data = _checksummed(inp, src, dst, data)
    if proto == IPPROTO_ICMPV6:
        icmp6 = Icmp6Hdr.unpack(data)
        icmp6_var.icmp6_out_count(kern, ifp, icmp6.icmp6_type, icmp6.icmp6_code)
    hlim = in6_sockopt.ip6_hlim(kern, inp, opt, dst, ifp)
    m = m_get(kern, ip6_output.ip6_pkt(src, dst, proto, data, hlim))
    m.src, m.dst = src, dst
    if inp.in6p_sp:
        m.ipsec = IpsecAux(inp.in6p_socket)
    kern.stats.rip6["rip6s_opackets"] += 1
    flags = in6_sockopt.ip6_outflags(inp)
    error = ip6_output.ip6_output(kern, m, opt, flags, inp.in6p_moptions)
    if error:
        raise KError(error)


def _checksummed(inp: In6pcb, src: bytes, dst: bytes, data: bytes) -> bytes:
    off = inp.in6p_cksum
    if inp.in6p_ip6_nxt == IPPROTO_ICMPV6:
        if len(data) < Icmp6Hdr.SIZE:
            raise KError(EINVAL)
        off = Icmp6Hdr.O_icmp6_cksum
    if off < 0:
        return data
    if off + 2 > len(data):
        raise KError(EINVAL)
    data = put_u16(data, off, 0)
    return put_u16(data, off, in6_cksum(src, dst, inp.in6p_ip6_nxt, data))


class Rip6Usrreqs:
    """What raw IPv6 does for its sockets."""

    def attach(self, kern: Kernel, so: Socket) -> None:
        so.pcb = inp = In6pcb(so, in6p_ip6_nxt=so.so_proto)
        so.so_sndbuf = IPV6_MAXPACKET
        kern.pcbs.raw6.append(inp)

    def detach(self, kern: Kernel, so: Socket) -> None:
        inp = sotoin6pcb(so)
        in6_sockopt.ip6_freemoptions(kern, inp.in6p_moptions)
        kern.pcbs.raw6.remove(inp)

    def bind(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        laddr = sa_to_kernel(kern, addr)
        in6_pcbcheckaddr(kern, laddr)
        sotoin6pcb(so).in6p_laddr = laddr

    def connect(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        inp = sotoin6pcb(so)
        in6_pcbdisconnect(inp)
        if addr.addr != IN6ADDR_ANY:
            in6_pcbconnect(kern, inp, addr._replace(port=0))

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
        rip6_output(kern, sotoin6pcb(so), data, addr, control)
        return len(data)

    def ctloutput(
        self, kern: Kernel, so: Socket, op: int, level: int, opt: int, value: object = None
    ) -> object:
        return in6_sockopt.in6_ctloutput(kern, so, op, level, opt, value)

    def sockaddr(self, kern: Kernel, so: Socket) -> SockaddrIn6:
        return kernel_to_sa(sotoin6pcb(so).in6p_laddr)
