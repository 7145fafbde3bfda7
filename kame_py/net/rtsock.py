# SPDX-License-Identifier: BSD-3-Clause
"""The routing socket: programs read and change the routing table and hear of changes.

KAME: net/rtsock.c. Deviates: addresses of families other than AF_INET6 and AF_LINK are refused;
the pid in a message is the one its sender wrote; nobody is unprivileged here. Messages have the
real layouts of wire/rtmsg.py. Cloned routes are not announced, as in KAME. Read first: RFC 3493
s.3.3 for the addresses in a message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.uipc_socket import Socket, sbappend
from kame_py.net.if_ import IFT_ETHER, Ifnet
from kame_py.net.raw_usrreq import RawUsrreqs, no_address
from kame_py.net.route import (
    RTF_BLACKHOLE,
    RTF_CLONING,
    RTF_DONE,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_LLINFO,
    RTF_PRCLONING,
    RTF_PROTO1,
    RTF_PROTO2,
    RTF_PROTO3,
    RTF_REJECT,
    RTF_STATIC,
    RTF_WASCLONED,
    RTF_XRESOLVE,
    LinkAddr,
    Rtentry,
    rt_changed,
    rtrequest,
)
from kame_py.wire import rtmsg
from kame_py.wire.const import ETHER_ADDR_LEN, ETHER_HDR_LEN
from kame_py.wire.errno import (
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EINVAL,
    ENETUNREACH,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    ESRCH,
    KError,
)
from kame_py.wire.in6addr import IN6ADDR_ANY, prefix_mask
from kame_py.wire.malformed import Malformed
from kame_py.wire.rtmsg import (
    RTA_IFA,
    RTA_IFP,
    RTM_ADD,
    RTM_CHANGE,
    RTM_DELADDR,
    RTM_DELETE,
    RTM_GET,
    RTM_LOCK,
    RTM_NEWADDR,
    IfaMsg,
    IfAnnounceMsg,
    IfDataMsg,
    IfMsg,
    RouteMessage,
    RtAddrs,
    RtMetricsMsg,
    RtMsg,
    Sockaddr,
    SockaddrDl,
    kernel_addr,
    user_sockaddr,
)
from kame_py.wire.sockaddr import (
    AF_INET6,
    AF_ROUTE,
    AF_UNSPEC,
    SO_USELOOPBACK,
    SOCK_RAW,
    Cmsg,
    Received,
    SockaddrIn6,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.netinet6.in6_var import In6Ifaddr

#: Flags a program may give a route; the others are the kernel's.
RTF_USER: Final = (
    RTF_GATEWAY
    | RTF_HOST
    | RTF_REJECT
    | RTF_CLONING
    | RTF_XRESOLVE
    | RTF_LLINFO
    | RTF_STATIC
    | RTF_BLACKHOLE
    | RTF_PRCLONING
    | RTF_PROTO1
    | RTF_PROTO2
    | RTF_PROTO3
)
U32: Final = 0xFFFFFFFF
#: Where a message is malformed -> errno; EINVAL elsewhere.
_MALFORMED: Final = {rtmsg.O_rtm_version: EPROTONOSUPPORT, rtmsg.O_rtm_type: EOPNOTSUPP}
#: RTV_* bit -> member of both struct rt_metrics here and in the message.
_METRICS: Final = (
    (rtmsg.RTV_MTU, "rmx_mtu"),
    (rtmsg.RTV_HOPCOUNT, "rmx_hopcount"),
    (rtmsg.RTV_RPIPE, "rmx_recvpipe"),
    (rtmsg.RTV_SPIPE, "rmx_sendpipe"),
    (rtmsg.RTV_SSTHRESH, "rmx_ssthresh"),
    (rtmsg.RTV_RTT, "rmx_rtt"),
    (rtmsg.RTV_RTTVAR, "rmx_rttvar"),
)


class Rtsock:
    """The routing sockets of one kernel."""

    __slots__ = ("_kern", "_quiet", "sockets")

    def __init__(self, kern: Kernel) -> None:
        self._kern = kern
        self._quiet = False  # route_output reports what it does itself
        self.sockets: list[Socket] = []

    # -- what the kernel tells ----------------------------------------------------------------

    def rt_missmsg(
        self,
        kind: int,
        dst: bytes,
        gateway: bytes | None = None,
        author: bytes | None = None,
        flags: int = 0,
        errno: int = 0,
    ) -> None:
        """Tell of a lookup that found nothing (RTM_MISS) or a redirect (RTM_REDIRECT)."""
        if not self.sockets:
            return
        addrs = RtAddrs(
            user_sockaddr(dst),
            None if gateway is None else user_sockaddr(gateway),
            author=None if author is None else user_sockaddr(author),
        )
        self._raw_input(RtMsg(kind, RTF_DONE | flags, rtm_errno=errno, addrs=addrs))

    def rt_newaddrmsg(self, cmd: int, ia: In6Ifaddr) -> None:
        """Tell of an address that came (RTM_ADD, RTM_NEWADDR) or went (others)."""
        if not self.sockets:
            return
        ifp = ia.ia_ifp
        addrs = RtAddrs(
            netmask=prefix_mask(ia.ia_plen),
            ifp=_link(ifp),
            ifa=user_sockaddr(ia.ia_addr),
            brd=None if ia.ia_dstaddr is None else user_sockaddr(ia.ia_dstaddr),
        )
        kind = RTM_NEWADDR if cmd in (RTM_ADD, RTM_NEWADDR) else RTM_DELADDR
        self._raw_input(IfaMsg(kind, 0, ifp.if_index, ifp.if_metric, addrs))

    def rt_ifmsg(self, ifp: Ifnet) -> None:
        """Tell that an interface's flags, carrier or settings changed."""
        if self.sockets:
            addrs = RtAddrs(ifp=_link(ifp))
            msg = IfMsg(ifp.if_flags, ifp.if_index, if_data(ifp), addrs)
            self._raw_input(msg, AF_UNSPEC)

    def rt_ifannouncemsg(self, ifp: Ifnet, what: int) -> None:
        """Tell that an interface came (IFAN_ARRIVAL) or went (IFAN_DEPARTURE)."""
        if self.sockets:
            self._raw_input(IfAnnounceMsg(ifp.if_index, ifp.if_name, what), AF_UNSPEC)

    def rt_request(self, kern: Kernel, cmd: int, rt: Rtentry) -> None:
        """A route changed: announce what the kernel itself added or deleted."""
        if self._quiet or not self.sockets or rt.rt_flags & RTF_WASCLONED:
            return
        if cmd in (RTM_ADD, RTM_DELETE):
            msg = self._report(RtMsg(cmd), rt, RTA_IFP | RTA_IFA)
            self._raw_input(replace(msg, rtm_flags=msg.rtm_flags | RTF_DONE))

    def _raw_input(
        self, msg: RouteMessage, family: int = AF_INET6, sender: Socket | None = None
    ) -> None:
        """Give a message to every socket that wants its family; to its sender if that wants it.

        A socket without room loses it, as in KAME.
        """
        raw = rtmsg.build(msg)
        for so in list(self.sockets):
            deaf = so is sender and not so.so_options & SO_USELOOPBACK
            if so.so_proto in (AF_UNSPEC, family) and not deaf:
                sbappend(self._kern, so, Received(raw, SockaddrIn6()))

    # -- what programs ask --------------------------------------------------------------------

    def route_output(self, data: bytes, sender: Socket | None = None) -> int:
        """One message of a program. Answers an errno; every routing socket gets the outcome.

        Nothing is raised, whatever the octets are.
        """
        msg = rtmsg.parse(data)
        if isinstance(msg, Malformed):
            return _MALFORMED.get(msg.pointer, EINVAL)
        if not isinstance(msg, RtMsg):
            return EOPNOTSUPP
        try:
            self._quiet = True
            done = self._request(msg)
        except KError as e:
            self._raw_input(rtmsg.with_error(msg, e.errno), sender=sender)
            return e.errno
        finally:
            self._quiet = False
        done = replace(done, rtm_errno=0, rtm_flags=done.rtm_flags | RTF_DONE)
        self._raw_input(done, sender=sender)
        return 0

    def _request(self, msg: RtMsg) -> RtMsg:
        act = _REQUESTS.get(msg.rtm_type)
        if act is None:
            raise KError(EOPNOTSUPP)
        dst, plen = _destination(msg)
        return act(self, msg, dst, plen)

    def _add(self, msg: RtMsg, dst: bytes, plen: int) -> RtMsg:
        kern = self._kern
        gateway, ifp, ifa = self._gateway(msg)
        flags = msg.rtm_flags & RTF_USER & ~RTF_GATEWAY
        if isinstance(gateway, bytes):
            flags |= RTF_GATEWAY
        if plen == 128 and flags & RTF_GATEWAY and gateway == dst:
            raise KError(EADDRNOTAVAIL)
        was = kern.rt.exact(dst, plen)
        if was is not None and was.rt_parent is not None:
            rtrequest(kern, RTM_DELETE, dst, plen)  # a clone makes room
        rt = rtrequest(kern, RTM_ADD, dst, plen, gateway, flags, ifp, ifa)
        _set_locks(rt, msg)
        self._set_metrics(rt, msg)
        return msg

    def _delete(self, msg: RtMsg, dst: bytes, plen: int) -> RtMsg:
        rt = rtrequest(self._kern, RTM_DELETE, dst, plen)
        return self._report(msg, rt, msg.rtm_addrs | _asked(msg.addrs))

    def _get(self, msg: RtMsg, dst: bytes, plen: int) -> RtMsg:
        return self._report(msg, self._find(msg, dst, plen), msg.rtm_addrs | _asked(msg.addrs))

    def _change(self, msg: RtMsg, dst: bytes, plen: int) -> RtMsg:
        rt = self._find(msg, dst, plen)
        if msg.addrs.gateway is not None:
            gateway, ifp, ifa = self._gateway(msg)
            if ifp is None and isinstance(gateway, bytes):
                via = self._kern.rt.lookup(gateway)
                if via is None:
                    raise KError(ENETUNREACH)
                ifp, ifa = via.rt_ifp, via.rt_ifa
            if rt.rt_llinfo is not None and not isinstance(gateway, LinkAddr):
                raise KError(EINVAL)  # a neighbour is reached by its link-layer address
            rt.rt_gateway = gateway
            rt.rt_gwroute = None
            rt.rt_flags &= ~RTF_GATEWAY
            if isinstance(gateway, bytes):
                rt.rt_flags |= RTF_GATEWAY
            if ifp is not None:
                rt.rt_ifp, rt.rt_ifa = ifp, ifa
        _set_locks(rt, msg)
        self._set_metrics(rt, msg)
        rt_changed(self._kern, rt)
        return msg

    def _lock(self, msg: RtMsg, dst: bytes, plen: int) -> RtMsg:
        _set_locks(self._find(msg, dst, plen), msg)
        return msg

    def _find(self, msg: RtMsg, dst: bytes, plen: int) -> Rtentry:
        """The route a message means: with a mask just that one, else the best match."""
        rt = self._kern.rt.lookup(dst)
        if msg.addrs.netmask is not None:
            rt = self._kern.rt.exact(dst, plen)
        if rt is None:
            raise KError(ESRCH)
        return rt

    def _gateway(self, msg: RtMsg) -> tuple[bytes | LinkAddr, Ifnet | None, In6Ifaddr | None]:
        """Gateway, interface and local address that a message names."""
        kern, gw = self._kern, msg.addrs.gateway
        if gw is None:
            raise KError(EINVAL)
        ifa = self._local(msg.addrs.ifa)
        ifp = self._interface(msg.addrs.ifp) if msg.addrs.ifp is not None else None
        if ifp is None and ifa is not None:
            ifp = ifa.ia_ifp
        if isinstance(gw, SockaddrDl):
            ifp = self._interface(gw) if gw.sdl_index or gw.sdl_name else ifp
            if ifp is None:
                raise KError(ENETUNREACH)
            return LinkAddr(ifp.if_index, gw.sdl_addr), ifp, ifa
        addr = _in6(gw)
        if msg.rtm_flags & RTF_GATEWAY:
            return addr, ifp, ifa
        own = kern.ip6.ifaddrs.get(addr)
        via = kern.rt.lookup(addr)
        on = ifp or (own.ia_ifp if own is not None else via.rt_ifp if via is not None else None)
        if on is None:
            raise KError(ENETUNREACH)
        return LinkAddr(on.if_index), on, ifa or own

    def _interface(self, sa: Sockaddr) -> Ifnet:
        """The interface of a link address, by index or by name; of a local address otherwise."""
        ifp: Ifnet | None = None
        if isinstance(sa, SockaddrDl):
            ifp = self._kern.ifbyindex(sa.sdl_index) or self._kern.ifunit(sa.sdl_name)
        else:
            ia = self._local(sa)
            ifp = ia.ia_ifp if ia is not None else None
        if ifp is None:
            raise KError(ENETUNREACH)
        return ifp

    def _local(self, sa: Sockaddr | None) -> In6Ifaddr | None:
        if not isinstance(sa, SockaddrIn6) or sa.addr == IN6ADDR_ANY:
            return None
        ia = self._kern.ip6.ifaddrs.get(kernel_addr(sa))
        if ia is None:
            raise KError(EADDRNOTAVAIL)
        return ia

    def _set_metrics(self, rt: Rtentry, msg: RtMsg) -> None:
        for bit, member in _METRICS:
            if msg.rtm_inits & bit:
                setattr(rt.rt_rmx, member, getattr(msg.rtm_rmx, member))
        if msg.rtm_inits & rtmsg.RTV_EXPIRE:
            real_s = msg.rtm_rmx.rmx_expire
            rt.rt_rmx.rmx_expire = max(real_s * NS - self._epoch_ns(), 1) if real_s else 0
            rt_changed(self._kern, rt)

    def _epoch_ns(self) -> int:
        return self._kern.clock.realtime() - self._kern.clock.now()

    # -- answers ------------------------------------------------------------------------------

    def _report(self, msg: RtMsg, rt: Rtentry, asked: int) -> RtMsg:
        """``msg`` filled with what is known of ``rt``."""
        addrs = RtAddrs(
            user_sockaddr(rt.rt_key),
            _gateway_sockaddr(rt),
            None if rt.rt_plen == 128 else prefix_mask(rt.rt_plen),
        )
        if asked & (RTA_IFP | RTA_IFA):
            ifa = None if rt.rt_ifa is None else user_sockaddr(rt.rt_ifa.ia_addr)
            addrs = replace(addrs, ifp=_link(rt.rt_ifp), ifa=ifa)
        return replace(
            msg,
            rtm_flags=rt.rt_flags,
            rtm_index=rt.rt_ifp.if_index if asked & (RTA_IFP | RTA_IFA) else 0,
            rtm_use=rt.rt_use & 0x7FFFFFFF,
            rtm_rmx=self._metrics(rt),
            addrs=addrs,
            rtm_addrs=0,
        )

    def _metrics(self, rt: Rtentry) -> RtMetricsMsg:
        rmx = rt.rt_rmx
        expire = (rmx.rmx_expire + self._epoch_ns()) // NS if rmx.rmx_expire else 0
        values = {member: getattr(rmx, member) & U32 for _, member in _METRICS}
        if not rmx.rmx_mtu and not rmx.rmx_locks & rtmsg.RTV_MTU:
            values["rmx_mtu"] = rt.rt_ifp.if_mtu  # in6_addroute
        return RtMetricsMsg(
            rmx_locks=rmx.rmx_locks & U32,
            rmx_expire=expire & U32,
            rmx_pksent=rt.rt_use & U32,
            **values,
        )


_REQUESTS: Final[dict[int, Callable[[Rtsock, RtMsg, bytes, int], RtMsg]]] = {
    RTM_ADD: Rtsock._add,
    RTM_DELETE: Rtsock._delete,
    RTM_GET: Rtsock._get,
    RTM_CHANGE: Rtsock._change,
    RTM_LOCK: Rtsock._lock,
}


def _set_locks(rt: Rtentry, msg: RtMsg) -> None:
    """The locks of the metrics that the message is about (rtm_inits); others stay."""
    rmx = rt.rt_rmx
    rmx.rmx_locks = (rmx.rmx_locks & ~msg.rtm_inits) | (msg.rtm_rmx.rmx_locks & msg.rtm_inits)


def _destination(msg: RtMsg) -> tuple[bytes, int]:
    if msg.addrs.dst is None:
        raise KError(EINVAL)
    plen = msg.addrs.plen()
    if plen is None:
        raise KError(EINVAL)
    return _in6(msg.addrs.dst), plen


def _in6(sa: Sockaddr) -> bytes:
    if not isinstance(sa, SockaddrIn6):
        raise KError(EAFNOSUPPORT)
    return kernel_addr(sa)


def _asked(addrs: RtAddrs) -> int:
    """RTA_IFP and RTA_IFA as far as the message carried (empty) addresses for them."""
    return (RTA_IFP if addrs.ifp is not None else 0) | (RTA_IFA if addrs.ifa is not None else 0)


def _link(ifp: Ifnet) -> SockaddrDl:
    return SockaddrDl(ifp.if_index, ifp.if_type, ifp.if_name, ifp.if_hwaddr)


def _gateway_sockaddr(rt: Rtentry) -> Sockaddr:
    gw = rt.rt_gateway
    if isinstance(gw, LinkAddr):
        return SockaddrDl(gw.sdl_index, rt.rt_ifp.if_type, "", gw.sdl_data)
    return user_sockaddr(gw)


def if_data(ifp: Ifnet) -> IfDataMsg:
    """struct if_data of an interface."""
    ether, d = ifp.if_type == IFT_ETHER, ifp.if_data
    return IfDataMsg(
        ifi_type=ifp.if_type,
        ifi_addrlen=ETHER_ADDR_LEN if ether else 0,
        ifi_hdrlen=ETHER_HDR_LEN if ether else 0,
        ifi_mtu=ifp.if_mtu,
        ifi_metric=ifp.if_metric,
        ifi_ipackets=d.ifi_ipackets & U32,
        ifi_ierrors=d.ifi_ierrors & U32,
        ifi_opackets=d.ifi_opackets & U32,
        ifi_oerrors=d.ifi_oerrors & U32,
        ifi_collisions=d.ifi_collisions & U32,
        ifi_ibytes=d.ifi_ibytes & U32,
        ifi_obytes=d.ifi_obytes & U32,
        ifi_imcasts=d.ifi_imcasts & U32,
        ifi_omcasts=d.ifi_omcasts & U32,
    )


class RtUsrreqs(RawUsrreqs):
    """What PF_ROUTE does for its sockets."""

    def attach(self, kern: Kernel, so: Socket) -> None:
        so.so_options |= SO_USELOOPBACK  # it hears what it did itself, until it says otherwise
        kern.rtsock.sockets.append(so)

    def detach(self, kern: Kernel, so: Socket) -> None:
        kern.rtsock.sockets.remove(so)

    def send(
        self,
        kern: Kernel,
        so: Socket,
        data: bytes,
        addr: SockaddrIn6 | None,
        control: tuple[Cmsg, ...],
    ) -> int:
        """One message for the kernel; what it made of it comes back on every routing socket."""
        no_address(addr)
        errno = kern.rtsock.route_output(data, so)
        if errno:
            raise KError(errno)
        return len(data)


def rtsock_init(kern: Kernel) -> None:
    """Routing sockets exist, and hear of every route from now on."""
    kern.rtsock = Rtsock(kern)
    kern.rt.on_request.append(kern.rtsock.rt_request)
    kern.sockets.protos[(AF_ROUTE, SOCK_RAW, 0)] = RtUsrreqs()
