# SPDX-License-Identifier: BSD-3-Clause
"""Socket options and ancillary data of IPv6 sockets (KAME ip6_output.c: ip6_ctloutput,
ip6_setmoptions, ip6_setpktoptions).

Deviates: values are typed (see wire/sockaddr.py), not octets. Read first: RFC 2292, RFC 3493 s.5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kame_py.kern.uipc_socket import PRCO_SETOPT, Socket
from kame_py.net.if_ import IFF_MULTICAST
from kame_py.netinet6 import in6, scope6
from kame_py.netinet6.in6_pcb import (
    IN6P_DSTOPTS,
    IN6P_HOPLIMIT,
    IN6P_HOPOPTS,
    IN6P_IPV6_V6ONLY,
    IN6P_MINMTU,
    IN6P_MTU,
    IN6P_PKTINFO,
    IN6P_RTHDR,
    IN6P_RTHDRDSTOPTS,
    In6pcb,
    sotoin6pcb,
)
from kame_py.netinet6.in6_src import in6_selecthlim, in6_selectroute
from kame_py.netinet6.ip6_output import ip6_pmtu
from kame_py.netinet6.ip6_var import IPV6_MINMTU, Ip6Moptions, Ip6Pktopts
from kame_py.wire.codecs import Icmp6Hdr
from kame_py.wire.const import IPPROTO_ICMPV6 as PROTO_ICMPV6
from kame_py.wire.errno import (
    EADDRINUSE,
    EADDRNOTAVAIL,
    EINVAL,
    ENOPROTOOPT,
    ENOTCONN,
    ENXIO,
    KError,
)
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_MC_NODELOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_SCOPE_LINKLOCAL,
    IN6ADDR_ANY,
)
from kame_py.wire.ip6ext import iter_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.patch import u8
from kame_py.wire.sockaddr import (
    ICMP6_FILTER,
    ICMP6_FILTER_SETPASSALL,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPV6_CHECKSUM,
    IPV6_DSTOPTS,
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS,
    IPV6_IPSEC_POLICY,
    IPV6_JOIN_GROUP,
    IPV6_LEAVE_GROUP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_NEXTHOP,
    IPV6_PATHMTU,
    IPV6_PKTINFO,
    IPV6_RECVPATHMTU,
    IPV6_RECVRTHDRDSTOPTS,
    IPV6_RTHDR,
    IPV6_UNICAST_HOPS,
    IPV6_USE_MIN_MTU,
    IPV6_V6ONLY,
    SOCK_RAW,
    Cmsg,
    Icmp6Filter,
    SockaddrIn6,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

#: option -> the flag of the block that an int value switches.
_FLAGS: Final = {
    IPV6_PKTINFO: IN6P_PKTINFO,
    IPV6_HOPLIMIT: IN6P_HOPLIMIT,
    IPV6_HOPOPTS: IN6P_HOPOPTS,
    IPV6_DSTOPTS: IN6P_DSTOPTS,
    IPV6_RTHDR: IN6P_RTHDR,
    IPV6_RECVRTHDRDSTOPTS: IN6P_RTHDRDSTOPTS,
    IPV6_USE_MIN_MTU: IN6P_MINMTU,
    IPV6_RECVPATHMTU: IN6P_MTU,
    IPV6_V6ONLY: IN6P_IPV6_V6ONLY,
}
#: options that also take what to send with every packet (sticky), as ancillary data does.
_STICKY: Final = frozenset(
    (IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_HOPOPTS, IPV6_DSTOPTS, IPV6_RTHDR, IPV6_NEXTHOP)
)
MAX_HLIM: Final = 255


def in6_ctloutput(
    kern: Kernel, so: Socket, op: int, level: int, opt: int, value: object = None
) -> object:
    """PRCO_SETOPT and PRCO_GETOPT of UDP and raw sockets. KError: EINVAL, ENOPROTOOPT, ..."""
    inp = sotoin6pcb(so)
    if level == IPPROTO_ICMPV6:
        return _icmp6_filter(inp, op, opt, value)
    if level != IPPROTO_IPV6:
        raise KError(EINVAL)
    if op == PRCO_SETOPT:
        _setopt(kern, inp, opt, value)
        return None
    return _getopt(kern, inp, opt)


def _icmp6_filter(inp: In6pcb, op: int, opt: int, value: object) -> object:
    if opt != ICMP6_FILTER or inp.in6p_ip6_nxt != PROTO_ICMPV6:
        raise KError(ENOPROTOOPT)
    if op != PRCO_SETOPT:
        return inp.in6p_icmp6filt or ICMP6_FILTER_SETPASSALL.value
    octets = value.value if isinstance(value, Icmp6Filter) else value
    if not isinstance(octets, bytes) or len(octets) != len(ICMP6_FILTER_SETPASSALL.value):
        raise KError(EINVAL)
    inp.in6p_icmp6filt = octets
    return None


def _setopt(kern: Kernel, inp: In6pcb, opt: int, value: object) -> None:
    mopts = inp.in6p_moptions
    if opt in (IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP):
        addr, index = _mreq(value)
        (_join if opt == IPV6_JOIN_GROUP else _leave)(kern, mopts, addr, index)
    elif opt == IPV6_IPSEC_POLICY:
        kern.ipsec.set_policy(kern, inp.in6p_socket, value)
    elif opt in _STICKY and not isinstance(value, int):
        cmsg = Cmsg(IPPROTO_IPV6, opt, value)
        inp.in6p_outputopts = ip6_setpktoptions(kern, (cmsg,), inp.in6p_outputopts)
    elif not isinstance(value, int):
        raise KError(EINVAL)
    elif opt in _FLAGS:
        flag = _FLAGS[opt]
        inp.in6p_flags = inp.in6p_flags | flag if value else inp.in6p_flags & ~flag
    elif opt == IPV6_UNICAST_HOPS:
        inp.in6p_hops = _hops(value)
    elif opt == IPV6_MULTICAST_HOPS:
        mopts.im6o_multicast_hlim = _hops(value)
    elif opt == IPV6_MULTICAST_LOOP:
        if value not in (0, 1):
            raise KError(EINVAL)
        mopts.im6o_multicast_loop = bool(value)
    elif opt == IPV6_MULTICAST_IF:
        mopts.im6o_multicast_ifp = _multicast_ifp(_ifp(kern, value)) if value else None
    elif opt == IPV6_CHECKSUM:
        _set_checksum(inp, value)
    else:
        raise KError(ENOPROTOOPT)


def _set_checksum(inp: In6pcb, offset: int) -> None:
    """Where a raw socket's checksum lies, -1 nowhere; that of ICMPv6 is fixed (RFC 2292 s.3.1)."""
    if inp.in6p_socket.so_type != SOCK_RAW:
        raise KError(ENOPROTOOPT)
    if inp.in6p_ip6_nxt == PROTO_ICMPV6:
        if offset != Icmp6Hdr.O_icmp6_cksum:
            raise KError(EINVAL)
    elif offset < -1 or (offset % 2 and offset != -1):
        raise KError(EINVAL)
    else:
        inp.in6p_cksum = offset


def _hops(value: int) -> int:
    if not -1 <= value <= MAX_HLIM:
        raise KError(EINVAL)
    return value


def _ifp(kern: Kernel, index: object) -> Ifnet:
    ifp = kern.ifbyindex(index) if isinstance(index, int) else None
    if ifp is None:
        raise KError(ENXIO)
    return ifp


def _multicast_ifp(ifp: Ifnet) -> Ifnet:
    if not ifp.if_flags & IFF_MULTICAST:
        raise KError(EADDRNOTAVAIL)
    return ifp


def _getopt(kern: Kernel, inp: In6pcb, opt: int) -> object:
    mopts = inp.in6p_moptions
    if opt == IPV6_PATHMTU:
        if inp.in6p_faddr == IN6ADDR_ANY:
            raise KError(ENOTCONN)
        ifp, rt = in6_selectroute(kern, inp.in6p_faddr, inp.in6p_outputopts, mopts)
        return ip6_pmtu(kern, ifp, rt)
    if opt == IPV6_IPSEC_POLICY:
        return kern.ipsec.get_policy(kern, inp.in6p_socket)
    if opt in _FLAGS:
        return int(bool(inp.in6p_flags & _FLAGS[opt]))
    if opt == IPV6_UNICAST_HOPS:
        return inp.in6p_hops if inp.in6p_hops >= 0 else kern.ip6.ip6_defhlim
    if opt == IPV6_MULTICAST_HOPS:
        hlim = mopts.im6o_multicast_hlim
        return hlim if hlim >= 0 else kern.ip6.ip6_defmcasthlim
    if opt == IPV6_MULTICAST_LOOP:
        return int(mopts.im6o_multicast_loop)
    if opt == IPV6_MULTICAST_IF:
        return mopts.im6o_multicast_ifp.if_index if mopts.im6o_multicast_ifp is not None else 0
    if opt == IPV6_CHECKSUM and inp.in6p_socket.so_type == SOCK_RAW:
        icmp6 = inp.in6p_ip6_nxt == PROTO_ICMPV6
        return Icmp6Hdr.O_icmp6_cksum if icmp6 else inp.in6p_cksum
    raise KError(ENOPROTOOPT)


# -- groups ---------------------------------------------------------------------------------------


def _mreq(value: object) -> tuple[bytes, int]:
    """(address, interface index) of struct ipv6_mreq."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise KError(EINVAL)
    addr, index = value
    if not isinstance(addr, bytes) or len(addr) != 16 or not IN6_IS_ADDR_MULTICAST(addr):
        raise KError(EINVAL)
    if not isinstance(index, int):
        raise KError(EINVAL)
    return addr, index


def _join(kern: Kernel, mopts: Ip6Moptions, addr: bytes, index: int) -> None:
    """Index 0 asks the routes for the interface."""
    if index:
        ifp = _ifp(kern, index)
    else:
        rt = kern.rt.lookup(addr)
        if rt is None:
            raise KError(EADDRNOTAVAIL)
        ifp = rt.rt_ifp
    group = scope6.in6_embedscope(addr, _multicast_ifp(ifp).if_index)
    if (group, ifp) in mopts.im6o_membership:
        raise KError(EADDRINUSE)
    in6.in6_addmulti(kern, ifp, group)
    mopts.im6o_membership.append((group, ifp))


def _leave(kern: Kernel, mopts: Ip6Moptions, addr: bytes, index: int) -> None:
    """Index 0 leaves the group on the first interface where the socket is a member."""
    wanted = _ifp(kern, index) if index else None
    for group, ifp in mopts.im6o_membership:
        if scope6.in6_clearscope(group) == addr and wanted in (None, ifp):
            mopts.im6o_membership.remove((group, ifp))
            in6.in6_delmulti(kern, ifp, group)
            return
    raise KError(EADDRNOTAVAIL)


def ip6_freemoptions(kern: Kernel, mopts: Ip6Moptions) -> None:
    """A socket is closed: leave its groups."""
    while mopts.im6o_membership:
        group, ifp = mopts.im6o_membership.pop()
        if group in ifp.in6_multi:
            in6.in6_delmulti(kern, ifp, group)


# -- what goes with one packet --------------------------------------------------------------------


def ip6_setpktoptions(kern: Kernel, control: tuple[Cmsg, ...], sticky: Ip6Pktopts) -> Ip6Pktopts:
    """The socket's sticky options with those of one packet over them. KError(EINVAL)."""
    opt = sticky
    early = False  # destination options were given before the routing header
    for level, kind, value in control:
        if level != IPPROTO_IPV6:
            continue
        if kind == IPV6_PKTINFO:
            opt = _pktinfo(kern, opt, value)
        elif kind == IPV6_HOPLIMIT and isinstance(value, int):
            opt = replace(opt, ip6po_hlim=_hops(value))
        elif kind == IPV6_NEXTHOP and isinstance(value, SockaddrIn6):
            opt = replace(opt, ip6po_nexthop=scope6.sa_to_kernel(kern, value))
        elif kind == IPV6_HOPOPTS:
            opt = replace(opt, ip6po_hbh=_options(value))
        elif kind == IPV6_DSTOPTS:
            opt, early = replace(opt, ip6po_dest2=_options(value)), True
        elif kind == IPV6_RTHDR:
            opt = replace(opt, ip6po_rthdr=_header(value))
            if early:  # RFC 2292 s.5: then they go in front of it
                opt = replace(opt, ip6po_dest1=opt.ip6po_dest2, ip6po_dest2=sticky.ip6po_dest2)
                early = False
        else:
            raise KError(EINVAL)
    return opt


def _pktinfo(kern: Kernel, opt: Ip6Pktopts, value: object) -> Ip6Pktopts:
    if not isinstance(value, tuple) or len(value) != 2:
        raise KError(EINVAL)
    addr, index = value
    if not isinstance(addr, bytes) or len(addr) != 16 or not isinstance(index, int):
        raise KError(EINVAL)
    ifp = _ifp(kern, index) if index else None
    if addr == IN6ADDR_ANY:
        return replace(opt, ip6po_pktinfo_addr=None, ip6po_pktinfo_ifp=ifp)
    if IN6_IS_SCOPE_LINKLOCAL(addr) or IN6_IS_ADDR_MC_NODELOCAL(addr):
        if ifp is None:
            raise KError(EADDRNOTAVAIL)
        addr = scope6.in6_embedscope(addr, ifp.if_index)
    if addr not in kern.ip6.ifaddrs:
        raise KError(EADDRNOTAVAIL)
    return replace(opt, ip6po_pktinfo_addr=addr, ip6po_pktinfo_ifp=ifp)


def _header(value: object) -> bytes:
    """A whole extension header; b"" takes it away."""
    if value == b"":
        return b""
    if not isinstance(value, bytes) or len(value) < 8 or len(value) != (u8(value, 1) + 1) * 8:
        raise KError(EINVAL)
    return value


def _options(value: object) -> bytes:
    header = _header(value)
    if any(isinstance(opt, Malformed) for opt in iter_options(header, 2, len(header))):
        raise KError(EINVAL)
    return header


def ip6_outflags(inp: In6pcb) -> int:
    """Flags of ip6_output that the block asks for."""
    return IPV6_MINMTU if inp.in6p_flags & IN6P_MINMTU else 0


def ip6_hlim(kern: Kernel, inp: In6pcb, opt: Ip6Pktopts, dst: bytes, ifp: Ifnet | None) -> int:
    """The hop limit of one packet: its own, the socket's for this kind, the default."""
    if opt.ip6po_hlim >= 0:
        return opt.ip6po_hlim
    if IN6_IS_ADDR_MULTICAST(dst):
        hlim = inp.in6p_moptions.im6o_multicast_hlim
        return hlim if hlim >= 0 else kern.ip6.ip6_defmcasthlim
    return in6_selecthlim(kern, inp.in6p_hops, ifp)
