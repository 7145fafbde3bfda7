# SPDX-License-Identifier: BSD-3-Clause
"""Messages of the routing socket, byte for byte as FreeBSD 4 on i386 has them.

KAME: net/route.h, net/if.h, net/if_dl.h, netinet6/in6.h (struct sockaddr_in6). Little endian, long
and pointer of 4 octets; each address is padded to a multiple of 4. Link-local addresses carry the
interface index in their third and fourth octet and no scope id, as KAME's kernel writes them;
``SockaddrIn6`` here is in user form. Read first: RFC 3493 s.3.3 for sockaddr_in6.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from struct import Struct
from typing import Final, NamedTuple

from kame_py.wire.in6addr import (
    IN6_IS_SCOPE_LINKLOCAL,
    embed_zone,
    embedded_zone,
    mask_plen,
)
from kame_py.wire.malformed import Malformed
from kame_py.wire.record import record
from kame_py.wire.sockaddr import AF_INET6, AF_LINK, SockaddrIn6

RTM_VERSION: Final = 5
O_rtm_version: Final = 2  # where a Malformed points at a wrong version,
O_rtm_type: Final = 3  # and at an unknown type

RTM_ADD: Final = 0x1
RTM_DELETE: Final = 0x2
RTM_CHANGE: Final = 0x3
RTM_GET: Final = 0x4
RTM_LOSING: Final = 0x5
RTM_REDIRECT: Final = 0x6
RTM_MISS: Final = 0x7
RTM_LOCK: Final = 0x8
RTM_RESOLVE: Final = 0xB
RTM_NEWADDR: Final = 0xC
RTM_DELADDR: Final = 0xD
RTM_IFINFO: Final = 0xE
RTM_IFANNOUNCE: Final = 0x11

RTA_DST: Final = 0x01
RTA_GATEWAY: Final = 0x02
RTA_NETMASK: Final = 0x04
RTA_GENMASK: Final = 0x08
RTA_IFP: Final = 0x10
RTA_IFA: Final = 0x20
RTA_AUTHOR: Final = 0x40
RTA_BRD: Final = 0x80

RTV_MTU: Final = 0x01
RTV_HOPCOUNT: Final = 0x02
RTV_EXPIRE: Final = 0x04
RTV_RPIPE: Final = 0x08
RTV_SPIPE: Final = 0x10
RTV_SSTHRESH: Final = 0x20
RTV_RTT: Final = 0x40
RTV_RTTVAR: Final = 0x80

IFAN_ARRIVAL: Final = 0
IFAN_DEPARTURE: Final = 1
IFNAMSIZ: Final = 16

_COMMON: Final = Struct("<HBB")  # msglen, version, type
_RTM: Final = Struct("<HBBHxxiiiiiiI")
_RMX: Final = Struct("<10I16x")  # struct rt_metrics with its four filler words
_IFM: Final = Struct("<HBBiiHxx")
_IF_DATA: Final = Struct("<6Bxx16III")
_IFAM: Final = Struct("<HBBiiHxxi")
_IFAN: Final = Struct("<HBBH16sH")
_SIN6: Final = Struct("<BB2s4s16sI")  # port and flow information are in network order
_SDL: Final = Struct("<BBHBBBB46s")
_SA_HEAD: Final = Struct("<BB")
_BE16: Final = Struct(">H")
_BE32: Final = Struct(">I")

RTM_HDRLEN: Final = _RTM.size + _RMX.size  # 92
IFM_HDRLEN: Final = _IFM.size + _IF_DATA.size  # 96
IFAM_HDRLEN: Final = _IFAM.size  # 20
SIN6_LEN: Final = _SIN6.size  # 28
SDL_LEN: Final = _SDL.size  # 54
_SDL_FIXED: Final = 8  # octets of sockaddr_dl before the name
_SDL_DATA_MAX: Final = 46
_SIN6_ADDR_OFF: Final = 8  # offset of sin6_addr, where the radix tree's masks begin
_SA_ALIGN: Final = 4


class SockaddrDl(NamedTuple):
    """A link-layer address (struct sockaddr_dl): index, interface type, name, octets."""

    sdl_index: int = 0
    sdl_type: int = 0
    sdl_name: str = ""
    sdl_addr: bytes = b""


class RawSockaddr(NamedTuple):
    """An address of a family that is not known here."""

    sa_family: int
    sa_data: bytes


Sockaddr = SockaddrIn6 | SockaddrDl | RawSockaddr


@record
class RtAddrs:
    """The addresses of a message; None is absent. Masks are 16 octets."""

    dst: Sockaddr | None = None
    gateway: Sockaddr | None = None
    netmask: bytes | None = None
    genmask: bytes | None = None
    ifp: Sockaddr | None = None
    ifa: Sockaddr | None = None
    author: Sockaddr | None = None
    brd: Sockaddr | None = None

    def plen(self) -> int | None:
        """Prefix length of the mask: 128 without one, None when it has holes."""
        return 128 if self.netmask is None else mask_plen(self.netmask)


@record
class RtMetricsMsg:
    """struct rt_metrics. rmx_expire: seconds of real time since 1970, 0 never."""

    rmx_locks: int = 0
    rmx_mtu: int = 0
    rmx_hopcount: int = 0
    rmx_expire: int = 0
    rmx_recvpipe: int = 0
    rmx_sendpipe: int = 0
    rmx_ssthresh: int = 0
    rmx_rtt: int = 0
    rmx_rttvar: int = 0
    rmx_pksent: int = 0


@record
class RtMsg:
    """struct rt_msghdr with its addresses: a route added, deleted, asked for, missed."""

    rtm_type: int
    rtm_flags: int = 0
    rtm_index: int = 0
    rtm_pid: int = 0
    rtm_seq: int = 0
    rtm_errno: int = 0
    rtm_use: int = 0
    rtm_inits: int = 0  # RTV_* that say which metrics count
    rtm_rmx: RtMetricsMsg = RtMetricsMsg()
    addrs: RtAddrs = RtAddrs()
    rtm_addrs: int = 0  # RTA_* asked for beyond those that are present (RTM_GET)


@record
class IfDataMsg:
    """struct if_data without its time of last change."""

    ifi_type: int = 0
    ifi_addrlen: int = 0
    ifi_hdrlen: int = 0
    ifi_mtu: int = 0
    ifi_metric: int = 0
    ifi_baudrate: int = 0
    ifi_ipackets: int = 0
    ifi_ierrors: int = 0
    ifi_opackets: int = 0
    ifi_oerrors: int = 0
    ifi_collisions: int = 0
    ifi_ibytes: int = 0
    ifi_obytes: int = 0
    ifi_imcasts: int = 0
    ifi_omcasts: int = 0


@record
class IfMsg:
    """struct if_msghdr: RTM_IFINFO, an interface changed."""

    ifm_flags: int
    ifm_index: int
    ifm_data: IfDataMsg = IfDataMsg()
    addrs: RtAddrs = RtAddrs()


@dataclass(frozen=True, slots=True)
class IfaMsg:
    """struct ifa_msghdr: RTM_NEWADDR, RTM_DELADDR."""

    ifam_type: int
    ifam_flags: int = 0
    ifam_index: int = 0
    ifam_metric: int = 0
    addrs: RtAddrs = field(default_factory=RtAddrs)


@record
class IfAnnounceMsg:
    """struct if_announcemsghdr: an interface came or went."""

    ifan_index: int
    ifan_name: str
    ifan_what: int


RouteMessage = RtMsg | IfMsg | IfaMsg | IfAnnounceMsg

_RTM_TYPES: Final = frozenset(
    {
        *(RTM_ADD, RTM_DELETE, RTM_CHANGE, RTM_GET, RTM_LOSING),
        *(RTM_REDIRECT, RTM_MISS, RTM_LOCK, RTM_RESOLVE),
    }
)
_ADDR_MEMBERS: Final = ("dst", "gateway", "netmask", "genmask", "ifp", "ifa", "author", "brd")
_MASKS: Final = ("netmask", "genmask")


# -- addresses ------------------------------------------------------------------------------------


def kernel_addr(sa: SockaddrIn6) -> bytes:
    """The address with its zone embedded."""
    if sa.scope_id and IN6_IS_SCOPE_LINKLOCAL(sa.addr) and not embedded_zone(sa.addr):
        return embed_zone(sa.addr, sa.scope_id)
    return sa.addr


def user_sockaddr(addr: bytes) -> SockaddrIn6:
    """User form of an address in kernel form."""
    if IN6_IS_SCOPE_LINKLOCAL(addr):
        return SockaddrIn6(embed_zone(addr, 0), scope_id=embedded_zone(addr))
    return SockaddrIn6(addr)


def build_sockaddr(sa: Sockaddr) -> bytes:
    """One address, not yet padded."""
    if isinstance(sa, SockaddrIn6):
        port, flow = _BE16.pack(sa.port), _BE32.pack(sa.flowinfo)
        return _SIN6.pack(SIN6_LEN, AF_INET6, port, flow, kernel_addr(sa), 0)
    if isinstance(sa, SockaddrDl):
        name = sa.sdl_name.encode()[: IFNAMSIZ - 1]
        body = (name + sa.sdl_addr)[:_SDL_DATA_MAX]
        alen = len(body) - len(name)
        return _SDL.pack(SDL_LEN, AF_LINK, sa.sdl_index, sa.sdl_type, len(name), alen, 0, body)
    data = sa.sa_data
    return _SA_HEAD.pack(_SA_HEAD.size + len(data), sa.sa_family) + data


def build_mask(mask: bytes) -> bytes:
    """A mask as the radix tree keeps it: octet 0 says where its last one bit ends.

    The octets before the address part are all ones; ::/0 is a single zero length.
    """
    used = mask.rstrip(b"\0")
    if not used:
        return bytes(_SA_ALIGN)
    return bytes([_SIN6_ADDR_OFF + len(used)]) + b"\xff" * (_SIN6_ADDR_OFF - 1) + used


def _padded(raw: bytes) -> bytes:
    return raw + bytes(-len(raw) % _SA_ALIGN)


def build_addrs(addrs: RtAddrs) -> tuple[int, bytes]:
    """(RTA_* bits, the addresses in order, padded)."""
    bits, out = 0, b""
    for i, name in enumerate(_ADDR_MEMBERS):
        value = getattr(addrs, name)
        if value is not None:
            bits |= 1 << i
            out += _padded(build_mask(value) if name in _MASKS else build_sockaddr(value))
    return bits, out


def parse_addrs(bits: int, buf: bytes, off: int) -> RtAddrs | Malformed:
    """The addresses that ``bits`` announces, from ``off`` to the end of ``buf``.

    Bits beyond the octets that are there only ask for an answer (RTM_GET), as in KAME.
    """
    found: dict[str, object] = {}
    for i, name in enumerate(_ADDR_MEMBERS):
        if not bits & (1 << i) or off >= len(buf):
            continue
        size = buf[off]
        if off + size > len(buf):
            return Malformed(f"{name} address truncated", off)
        raw = buf[off : off + size]
        value = _parse_mask(raw) if name in _MASKS else _parse_sockaddr(raw)
        if value is None:
            return Malformed(f"{name} address too short", off)
        found[name] = value
        off += max(size + -size % _SA_ALIGN, _SA_ALIGN)
    return RtAddrs(**found)  # type: ignore[arg-type]  # each name got the kind of value above


def _parse_mask(raw: bytes) -> bytes:
    return raw[_SIN6_ADDR_OFF:SIN6_LEN].ljust(16, b"\0")[:16]


def _parse_sockaddr(raw: bytes) -> Sockaddr | None:
    if len(raw) < _SA_HEAD.size:
        return None
    _, family = _SA_HEAD.unpack_from(raw)
    if family == AF_INET6:
        return _parse_sin6(raw)
    if family == AF_LINK:
        return _parse_sdl(raw)
    return RawSockaddr(family, raw[_SA_HEAD.size :])


def _parse_sin6(raw: bytes) -> SockaddrIn6 | None:
    if len(raw) < SIN6_LEN - _BE32.size:  # RFC 2133's form ended before the scope id
        return None
    _, _, port, flow, addr, scope = _SIN6.unpack_from(raw.ljust(SIN6_LEN, b"\0"))
    sa = user_sockaddr(addr)
    return _with_scope(sa, scope)._replace(
        port=_BE16.unpack(port)[0], flowinfo=_BE32.unpack(flow)[0]
    )


def _with_scope(sa: SockaddrIn6, scope: int) -> SockaddrIn6:
    """Take a scope id from its own member when the address did not carry one."""
    if sa.scope_id or not IN6_IS_SCOPE_LINKLOCAL(sa.addr) or scope > 0xFFFF:
        return sa
    return sa._replace(scope_id=scope)


def _parse_sdl(raw: bytes) -> SockaddrDl | None:
    if len(raw) < _SDL_FIXED:
        return None
    _, _, index, kind, nlen, alen, _, data = _SDL.unpack_from(raw[:SDL_LEN].ljust(SDL_LEN, b"\0"))
    if nlen + alen > len(raw) - _SDL_FIXED:
        return None
    name = data[:nlen].decode("ascii", "replace")
    return SockaddrDl(index, kind, name, data[nlen : nlen + alen])


# -- messages -------------------------------------------------------------------------------------


def build(msg: RouteMessage) -> bytes:
    """The octets of a message."""
    if isinstance(msg, RtMsg):
        return _build_rtm(msg)
    if isinstance(msg, IfMsg):
        return _build_ifm(msg)
    if isinstance(msg, IfaMsg):
        bits, body = build_addrs(msg.addrs)
        length = IFAM_HDRLEN + len(body)
        return (
            _IFAM.pack(
                length,
                RTM_VERSION,
                msg.ifam_type,
                bits,
                msg.ifam_flags,
                msg.ifam_index,
                msg.ifam_metric,
            )
            + body
        )
    name = msg.ifan_name.encode()[: IFNAMSIZ - 1]
    return _IFAN.pack(_IFAN.size, RTM_VERSION, RTM_IFANNOUNCE, msg.ifan_index, name, msg.ifan_what)


def _build_rtm(msg: RtMsg) -> bytes:
    bits, body = build_addrs(msg.addrs)
    head = _RTM.pack(
        RTM_HDRLEN + len(body),
        RTM_VERSION,
        msg.rtm_type,
        msg.rtm_index,
        msg.rtm_flags,
        bits | msg.rtm_addrs,
        msg.rtm_pid,
        msg.rtm_seq,
        msg.rtm_errno,
        msg.rtm_use,
        msg.rtm_inits,
    )
    rmx = _RMX.pack(*(getattr(msg.rtm_rmx, f.name) for f in fields(RtMetricsMsg)))
    return head + rmx + body


def _build_ifm(msg: IfMsg) -> bytes:
    bits, body = build_addrs(msg.addrs)
    head = _IFM.pack(
        IFM_HDRLEN + len(body), RTM_VERSION, RTM_IFINFO, bits, msg.ifm_flags, msg.ifm_index
    )
    d = msg.ifm_data
    counters = (getattr(d, f.name) for f in fields(IfDataMsg)[3:])
    data = _IF_DATA.pack(
        d.ifi_type, 0, d.ifi_addrlen, d.ifi_hdrlen, 0, 0, *counters, 0, 0, 0, 0, 0, 0
    )
    return head + data + body


def parse(buf: bytes) -> RouteMessage | Malformed:
    """Read one message; its length must be that of ``buf``."""
    if len(buf) < _COMMON.size:
        return Malformed("routing message truncated", 0)
    length, version, kind = _COMMON.unpack_from(buf)
    if length != len(buf):
        return Malformed("routing message length differs from its octets", 0)
    if version != RTM_VERSION:
        return Malformed(f"routing message version {version}", O_rtm_version)
    if kind in _RTM_TYPES:
        return _parse_rtm(buf)
    if kind == RTM_IFINFO:
        return _parse_ifm(buf)
    if kind in (RTM_NEWADDR, RTM_DELADDR):
        return _parse_ifam(buf)
    if kind == RTM_IFANNOUNCE and len(buf) == _IFAN.size:
        _, _, _, index, name, what = _IFAN.unpack(buf)
        return IfAnnounceMsg(index, name.rstrip(b"\0").decode("ascii", "replace"), what)
    return Malformed(f"routing message type {kind}", O_rtm_type)


def _parse_rtm(buf: bytes) -> RtMsg | Malformed:
    if len(buf) < RTM_HDRLEN:
        return Malformed("rt_msghdr truncated", 0)
    _, _, kind, index, flags, bits, pid, seq, errno, use, inits = _RTM.unpack_from(buf)
    addrs = parse_addrs(bits, buf, RTM_HDRLEN)
    if isinstance(addrs, Malformed):
        return addrs
    present, _ = build_addrs(addrs)
    return RtMsg(
        rtm_type=kind,
        rtm_flags=flags,
        rtm_index=index,
        rtm_pid=pid,
        rtm_seq=seq,
        rtm_errno=errno,
        rtm_use=use,
        rtm_inits=inits,
        rtm_rmx=RtMetricsMsg(*_RMX.unpack_from(buf, _RTM.size)),
        addrs=addrs,
        rtm_addrs=bits & ~present,
    )


def _parse_ifm(buf: bytes) -> IfMsg | Malformed:
    if len(buf) < IFM_HDRLEN:
        return Malformed("if_msghdr truncated", 0)
    _, _, _, bits, flags, index = _IFM.unpack_from(buf)
    octets = _IF_DATA.unpack_from(buf, _IFM.size)
    addrs = parse_addrs(bits, buf, IFM_HDRLEN)
    if isinstance(addrs, Malformed):
        return addrs
    kind, _, addrlen, hdrlen = octets[:4]
    return IfMsg(flags, index, IfDataMsg(kind, addrlen, hdrlen, *octets[6:18]), addrs)


def _parse_ifam(buf: bytes) -> IfaMsg | Malformed:
    if len(buf) < IFAM_HDRLEN:
        return Malformed("ifa_msghdr truncated", 0)
    _, _, kind, bits, flags, index, metric = _IFAM.unpack_from(buf)
    addrs = parse_addrs(bits, buf, IFAM_HDRLEN)
    if isinstance(addrs, Malformed):
        return addrs
    return IfaMsg(kind, flags, index, metric, addrs)


def with_error(msg: RtMsg, errno: int) -> RtMsg:
    """The request as it goes back to its sender with an error."""
    return replace(msg, rtm_errno=errno)
