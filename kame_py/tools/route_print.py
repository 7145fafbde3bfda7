# SPDX-License-Identifier: BSD-3-Clause
"""How route prints messages of the routing socket.

KAME: print_rtmsg(), print_getmsg(), routename() of route.c. Deviates: times are UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.flagwords import IFF_WORDS, RTF_GATEWAY, RTF_WORDS, bit_words, bracketed
from kame_py.lib.toolbase import Json, sockaddr_text
from kame_py.wire import rtmsg
from kame_py.wire.in6addr import IN6ADDR_ANY, mac_ntoa, ntop
from kame_py.wire.record import record
from kame_py.wire.rtmsg import (
    IfaMsg,
    IfAnnounceMsg,
    IfMsg,
    RouteMessage,
    RtAddrs,
    RtMsg,
    Sockaddr,
    SockaddrDl,
)
from kame_py.wire.sockaddr import SockaddrIn6

NS: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CTIME: Final = "%a %b %e %H:%M:%S %Y"
_TYPES: Final = {
    rtmsg.RTM_ADD: ("RTM_ADD", "Add Route"),
    rtmsg.RTM_DELETE: ("RTM_DELETE", "Delete Route"),
    rtmsg.RTM_CHANGE: ("RTM_CHANGE", "Change Metrics or flags"),
    rtmsg.RTM_GET: ("RTM_GET", "Report Metrics"),
    rtmsg.RTM_LOSING: ("RTM_LOSING", "Kernel Suspects Partitioning"),
    rtmsg.RTM_REDIRECT: ("RTM_REDIRECT", "Told to use different route"),
    rtmsg.RTM_MISS: ("RTM_MISS", "Lookup failed on this address"),
    rtmsg.RTM_LOCK: ("RTM_LOCK", "fix specified metrics"),
    rtmsg.RTM_RESOLVE: ("RTM_RESOLVE", "Route created by cloning"),
    rtmsg.RTM_NEWADDR: ("RTM_NEWADDR", "address being added to iface"),
    rtmsg.RTM_DELADDR: ("RTM_DELADDR", "address being removed from iface"),
    rtmsg.RTM_IFINFO: ("RTM_IFINFO", "iface status change"),
    rtmsg.RTM_IFANNOUNCE: ("RTM_IFANNOUNCE", "iface arrival/departure"),
}
_METRICS: Final = (
    *("mtu", "hopcount", "expire", "recvpipe", "sendpipe", "ssthresh", "rtt", "rttvar", "pksent"),
)
_ADDRS: Final = ("DST", "GATEWAY", "NETMASK", "GENMASK", "IFP", "IFA", "AUTHOR", "BRD")
_MEMBERS: Final = ("dst", "gateway", "netmask", "genmask", "ifp", "ifa", "author", "brd")
_HEADING: Final = " recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire"


@record
class Names:
    """Texts of addresses, as names or numeric."""

    ops: ProgOps
    numeric: bool

    async def of(self, sa: Sockaddr | None) -> str:
        """routename() of BSD."""
        if isinstance(sa, SockaddrIn6):
            if sa.addr == IN6ADDR_ANY:
                return "default"
            return sockaddr_text(self.ops, sa) if self.numeric else await self.ops.getnameinfo(sa)
        if isinstance(sa, SockaddrDl):
            return _link_text(self.ops, sa)
        return "" if sa is None else f"af {sa.sa_family}: {sa.sa_data.hex()}"

    def date(self, real_ns: int) -> str:
        """ctime() of a real time."""
        return (_EPOCH + timedelta(seconds=real_ns // NS)).strftime(_CTIME)


def _link_text(ops: ProgOps, sa: SockaddrDl) -> str:
    name = sa.sdl_name or ops.if_indextoname(sa.sdl_index)
    mac = mac_ntoa(sa.sdl_addr)
    if not sa.sdl_name and not mac:
        return f"link#{sa.sdl_index}"
    return f"{name}:{mac}" if sa.sdl_name and mac else mac or name


def _mask_text(mask: bytes) -> str:
    return ntop(mask) if any(mask) else "default"


# -- route get ------------------------------------------------------------------------------------


async def get_text(names: Names, asked: SockaddrIn6, msg: RtMsg) -> str:
    """print_getmsg()."""
    addrs, rmx = msg.addrs, msg.rtm_rmx
    lines = [f"   route to: {await names.of(asked)}", f"destination: {await names.of(addrs.dst)}"]
    if addrs.netmask is not None:
        lines.append(f"       mask: {_mask_text(addrs.netmask)}")
    if addrs.gateway is not None and msg.rtm_flags & RTF_GATEWAY:
        lines.append(f"    gateway: {await names.of(addrs.gateway)}")
    if isinstance(addrs.ifp, SockaddrDl):
        lines.append(f"  interface: {addrs.ifp.sdl_name}")
    lines.append(f"      flags: {bracketed(msg.rtm_flags, RTF_WORDS)}")
    left = rmx.rmx_expire - names.ops.realtime() // NS if rmx.rmx_expire else 0
    row = (
        (rmx.rmx_recvpipe, rtmsg.RTV_RPIPE),
        (rmx.rmx_sendpipe, rtmsg.RTV_SPIPE),
        (rmx.rmx_ssthresh, rtmsg.RTV_SSTHRESH),
        (_msec(rmx.rmx_rtt), rtmsg.RTV_RTT),
        (_msec(rmx.rmx_rttvar), rtmsg.RTV_RTTVAR),
        (rmx.rmx_hopcount, rtmsg.RTV_HOPCOUNT),
        (rmx.rmx_mtu, rtmsg.RTV_MTU),
        (left, rtmsg.RTV_EXPIRE),
    )
    locked = [f"{value:8}{'L' if rmx.rmx_locks & bit else ' '}" for value, bit in row]
    lines += [_HEADING, " ".join(locked)]
    return "".join(f"{line}\n" for line in lines)


def _msec(usec: int) -> int:
    return (usec + 500) // 1000


async def get_json(names: Names, asked: SockaddrIn6, msg: RtMsg) -> dict[str, Json]:
    """The same as an object."""
    numeric = Names(names.ops, numeric=True)
    addrs, rmx = msg.addrs, msg.rtm_rmx
    return {
        "route_to": sockaddr_text(names.ops, asked),
        "destination": await numeric.of(addrs.dst),
        "prefixlen": addrs.plen(),
        "gateway": await numeric.of(addrs.gateway) or None,
        "interface": addrs.ifp.sdl_name if isinstance(addrs.ifp, SockaddrDl) else None,
        "flags": list[Json](bit_words(msg.rtm_flags, RTF_WORDS)),
        "mtu": rmx.rmx_mtu,
        "hopcount": rmx.rmx_hopcount,
        "expire": rmx.rmx_expire,
    }


# -- messages -------------------------------------------------------------------------------------


async def message_text(names: Names, msg: RouteMessage) -> str:
    """print_rtmsg()."""
    name, words = _TYPES.get(_kind(msg), (f"#{_kind(msg)}", "unknown"))
    head = f"{name}: {words}: len {len(rtmsg.build(msg))}, "
    if isinstance(msg, IfAnnounceMsg):
        what = {rtmsg.IFAN_ARRIVAL: "arrival", rtmsg.IFAN_DEPARTURE: "departure"}
        said = what.get(msg.ifan_what, f"#{msg.ifan_what}")
        return f"{head}if# {msg.ifan_index}, what: {said}\n"
    if isinstance(msg, IfMsg):
        head += f"if# {msg.ifm_index}, flags:{bracketed(msg.ifm_flags, IFF_WORDS)}"
        return head + await _addrs_text(names, msg.addrs)
    if isinstance(msg, IfaMsg):
        head += f"metric {msg.ifam_metric}, flags:{bracketed(msg.ifam_flags, RTF_WORDS)}"
        return head + await _addrs_text(names, msg.addrs)
    head += f"pid: {msg.rtm_pid}, seq {msg.rtm_seq}, errno {msg.rtm_errno}, "
    head += f"flags:{bracketed(msg.rtm_flags, RTF_WORDS)}\n"
    head += f"locks: {bracketed(msg.rtm_rmx.rmx_locks, _METRICS)} "
    head += f"inits: {bracketed(msg.rtm_inits, _METRICS)}"
    return head + await _addrs_text(names, msg.addrs)


def _kind(msg: RouteMessage) -> int:
    if isinstance(msg, RtMsg):
        return msg.rtm_type
    if isinstance(msg, IfaMsg):
        return msg.ifam_type
    return rtmsg.RTM_IFINFO if isinstance(msg, IfMsg) else rtmsg.RTM_IFANNOUNCE


async def _present(names: Names, addrs: RtAddrs) -> list[tuple[str, str]]:
    """(name, text) of the addresses that are there."""
    found = []
    for word, member in zip(_ADDRS, _MEMBERS, strict=True):
        value = getattr(addrs, member)
        if value is not None:
            text = _mask_text(value) if isinstance(value, bytes) else await names.of(value)
            found.append((word, text))
    return found


async def _addrs_text(names: Names, addrs: RtAddrs) -> str:
    found = await _present(names, addrs)
    if not found:
        return "\n"
    words = ",".join(word for word, _ in found)
    return f"\nsockaddrs: <{words}>\n" + "".join(f" {text}" for _, text in found) + "\n"


async def message_json(names: Names, msg: RouteMessage) -> dict[str, Json]:
    """A message as an object."""
    out: dict[str, Json] = {"type": _TYPES.get(_kind(msg), ("",))[0]}
    if isinstance(msg, IfAnnounceMsg):
        return out | {"ifname": msg.ifan_name, "arrival": msg.ifan_what == rtmsg.IFAN_ARRIVAL}
    numeric = Names(names.ops, numeric=True)
    if isinstance(msg, IfMsg):
        out |= {"index": msg.ifm_index, "flags": list[Json](bit_words(msg.ifm_flags, IFF_WORDS))}
    elif isinstance(msg, RtMsg):
        flags = list[Json](bit_words(msg.rtm_flags, RTF_WORDS))
        out |= {"pid": msg.rtm_pid, "seq": msg.rtm_seq, "errno": msg.rtm_errno, "flags": flags}
    else:
        out |= {"index": msg.ifam_index, "metric": msg.ifam_metric}
    return out | {word.lower(): text for word, text in await _present(numeric, msg.addrs)}
