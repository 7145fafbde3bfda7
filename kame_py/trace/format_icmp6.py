# SPDX-License-Identifier: BSD-3-Clause
"""The part of a packet's line that tells an ICMPv6 message.

KAME: tcpdump's print-icmp6.c. Deviates: "router advertisement" options are those of RFC 2461 and
RFC 6275 only; one of a wrong length is left out, a bad one ends the list. RFC 2463 s.2.1, RFC 2461
s.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kame_py.wire import codecs as c
from kame_py.wire.codec_base import Header
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_DST_UNREACH_ADDR,
    ICMP6_DST_UNREACH_ADMIN,
    ICMP6_DST_UNREACH_BEYONDSCOPE,
    ICMP6_DST_UNREACH_NOPORT,
    ICMP6_DST_UNREACH_NOROUTE,
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    ICMP6_HADISCOV_REPLY,
    ICMP6_HADISCOV_REQUEST,
    ICMP6_NI_QUERY,
    ICMP6_NI_REPLY,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_NEXTHEADER,
    ICMP6_PARAMPROB_OPTION,
    ICMP6_TIME_EXCEED_TRANSIT,
    ICMP6_TIME_EXCEEDED,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MLD_LISTENER_DONE,
    MLD_LISTENER_QUERY,
    MLD_LISTENER_REPORT,
    ND6_INFINITE_LIFETIME,
    ND_NA_FLAG_OVERRIDE,
    ND_NA_FLAG_ROUTER,
    ND_NA_FLAG_SOLICITED,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
    ND_OPT_ADVINTERVAL,
    ND_OPT_HOMEAGENT_INFO,
    ND_OPT_MTU,
    ND_OPT_PI_FLAG_AUTO,
    ND_OPT_PI_FLAG_ONLINK,
    ND_OPT_PI_FLAG_ROUTER,
    ND_OPT_PREFIX_INFORMATION,
    ND_OPT_REDIRECTED_HEADER,
    ND_OPT_ROUTE_INFO,
    ND_OPT_SOURCE_LINKADDR,
    ND_OPT_TARGET_LINKADDR,
    ND_RA_FLAG_HOME_AGENT,
    ND_RA_FLAG_MANAGED,
    ND_RA_FLAG_OTHER,
    ND_REDIRECT,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import mac_ntoa
from kame_py.wire.ip6ext import walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import parse_ha_reply
from kame_py.wire.nd6opt import NdOptions, parse_nd_options

_UNREACH: Final = {
    ICMP6_DST_UNREACH_NOROUTE: "unreachable route",
    ICMP6_DST_UNREACH_ADMIN: "unreachable prohibited",
    ICMP6_DST_UNREACH_BEYONDSCOPE: "beyond scope",
    ICMP6_DST_UNREACH_ADDR: "unreachable address",
}
_PARAMPROB: Final = {
    ICMP6_PARAMPROB_NEXTHEADER: "next header",
    ICMP6_PARAMPROB_OPTION: "option",
}
_ND_OPTIONS: Final = frozenset(
    (
        ND_OPT_SOURCE_LINKADDR,
        ND_OPT_TARGET_LINKADDR,
        ND_OPT_PREFIX_INFORMATION,
        ND_OPT_REDIRECTED_HEADER,
        ND_OPT_MTU,
        ND_OPT_ADVINTERVAL,
        ND_OPT_HOMEAGENT_INFO,
        ND_OPT_ROUTE_INFO,
    )
)
_RA_FLAGS: Final = (
    (ND_RA_FLAG_MANAGED, "M"),
    (ND_RA_FLAG_OTHER, "O"),
    (ND_RA_FLAG_HOME_AGENT, "H"),
)
_NA_FLAGS: Final = (
    (ND_NA_FLAG_ROUTER, "R"),
    (ND_NA_FLAG_SOLICITED, "S"),
    (ND_NA_FLAG_OVERRIDE, "O"),
)
_PI_FLAGS: Final = (
    (ND_OPT_PI_FLAG_ONLINK, "L"),
    (ND_OPT_PI_FLAG_AUTO, "A"),
    (ND_OPT_PI_FLAG_ROUTER, "R"),
)


class Icmp6Line:
    """The text of the message at ``off``."""

    def __init__(self, data: bytes, off: int, names: Callable[[bytes], str], verbose: bool) -> None:
        self.data = data
        self.off = off
        self.names = names
        self.verbose = verbose

    def text(self) -> str:
        head = c.Icmp6Hdr.parse(self.data, self.off)
        if isinstance(head, Malformed):
            return "[|icmp6]"
        codec, say = _MESSAGES.get(head.icmp6_type, (c.Icmp6Hdr, _other))
        message = codec.parse(self.data, self.off)
        if isinstance(message, Malformed):
            return "icmp6: [|icmp6]"
        return f"icmp6: {say(self, message)}"

    def quoted(self) -> tuple[str, int, int]:
        """Of the packet that an error quotes: destination, upper protocol, its port or 0."""
        at = self.off + c.Icmp6Hdr.SIZE
        ip6 = c.Ip6Hdr.parse(self.data, at)
        if isinstance(ip6, Malformed):
            return "?", 0, 0
        chain = walk(self.data, ip6.ip6_nxt, at + c.Ip6Hdr.SIZE, len(self.data))
        udp = c.Udphdr.parse(self.data, chain.off)  # TCP has its ports at the same place
        port = 0 if isinstance(udp, Malformed) else udp.uh_dport
        return self.names(ip6.ip6_dst), chain.nxt, port

    def options(self, size: int) -> str:
        """The ND options behind a message of ``size`` octets."""
        opts = parse_nd_options(self.data, self.off + size, len(self.data))
        if isinstance(opts, Malformed):
            return "[ndp opt]"
        odd = self._unknown(self.off + size) if opts.unknown else ""
        return self._options(opts) + odd

    def _unknown(self, off: int) -> str:
        """Options of types that nobody here knows, in tcpdump's spelling."""
        text = ""
        while off < len(self.data):
            head = c.NdOptHdr.parse(self.data, off)
            if isinstance(head, Malformed) or not head.nd_opt_len:
                break  # behind the options that are looked at
            if head.nd_opt_type not in _ND_OPTIONS:
                text += f"(unknwon opt_type={head.nd_opt_type}, opt_len={head.nd_opt_len})"
            off += head.nd_opt_len << 3
        return text

    def _options(self, opts: NdOptions) -> str:
        text = ""
        if opts.src_lladdr is not None:
            text += f"(src lladdr: {mac_ntoa(opts.src_lladdr)})"
        if opts.tgt_lladdr is not None:
            text += f"(tgt lladdr: {mac_ntoa(opts.tgt_lladdr)})"
        if opts.mtu is not None:
            text += f"(mtu: mtu={opts.mtu.nd_opt_mtu_mtu})"
        if opts.advinterval is not None:
            text += f"(advint: advint={opts.advinterval.nd_opt_ai_interval})"
        if opts.homeagent is not None:
            ha = opts.homeagent
            text += f"(hainfo: pref={ha.nd_opt_hai_preference} ltime={ha.nd_opt_hai_lifetime})"
        return text + "".join(self._prefix(p) for p in opts.prefixes)

    def _prefix(self, p: c.NdOptPrefixInfo) -> str:
        flags = _letters(p.nd_opt_pi_flags_reserved, _PI_FLAGS)
        flags = flags + " " if flags else ""
        valid, preferred = _life(p.nd_opt_pi_valid_time), _life(p.nd_opt_pi_preferred_time)
        prefix = f"{self.names(p.nd_opt_pi_prefix)}/{p.nd_opt_pi_prefix_len}"
        return (
            f"(prefix info: {flags}valid_ltime={valid}, preffered_ltime={preferred},"
            f" prefix={prefix})"
        )


def _letters(value: int, table: tuple[tuple[int, str], ...]) -> str:
    return "".join(letter for bit, letter in table if value & bit)


def _life(seconds: int) -> str:
    return "infinity" if seconds == ND6_INFINITE_LIFETIME else str(seconds)


def _other(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.Icmp6Hdr)
    return f"type-#{m.icmp6_type}"


def _dst_unreach(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.Icmp6DstUnreach)
    dst, nxt, port = line.quoted()
    if m.icmp6_code == ICMP6_DST_UNREACH_NOPORT:
        proto = {IPPROTO_TCP: "tcp", IPPROTO_UDP: "udp"}.get(nxt, f"protocol {nxt}")
        return f"{dst} {proto} port {port} unreachable"
    return f"{dst} {_UNREACH.get(m.icmp6_code, f'unreachable code-#{m.icmp6_code}')}"


def _toobig(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.Icmp6PacketTooBig)
    return f"too big {m.icmp6_mtu}"


def _time_exceeded(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.Icmp6TimeExceeded)
    if m.icmp6_code == ICMP6_TIME_EXCEED_TRANSIT:
        return f"time exceeded in-transit for {line.quoted()[0]}"
    return "reassembly time exceeded"


def _paramprob(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.Icmp6ParamProb)
    what = _PARAMPROB.get(m.icmp6_code, "errorneous")
    return f"parameter problem {what} - octet {m.icmp6_pptr}"


def _echo(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.Icmp6Echo)
    text = "echo request" if m.icmp6_type == ICMP6_ECHO_REQUEST else "echo reply"
    return f"{text} (id {m.icmp6_id}, seq {m.icmp6_seq})" if line.verbose else text


def _mld(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.MldHdr)
    word = {
        MLD_LISTENER_QUERY: "query",
        MLD_LISTENER_REPORT: "report",
        MLD_LISTENER_DONE: "done",
    }[m.mld_type]
    delay = f"max resp delay: {m.mld_maxdelay} " if m.mld_type == MLD_LISTENER_QUERY else ""
    return f"multicast listener {word} {delay}addr: {line.names(m.mld_addr)}"


def _rs(line: Icmp6Line, m: Header) -> str:
    options = line.options(c.NdRouterSolicit.SIZE) if line.verbose else ""
    return f"router solicitation {options}".rstrip()


def _ra(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.NdRouterAdvert)
    if not line.verbose:
        return "router advertisement"
    flags = _letters(m.nd_ra_flags_reserved, _RA_FLAGS)
    return (
        f"router advertisement(chlim={m.nd_ra_curhoplimit}, {flags + ' ' if flags else ''}"
        f"router_ltime={m.nd_ra_router_lifetime}, reachable_time={m.nd_ra_reachable},"
        f" retrans_time={m.nd_ra_retransmit}){line.options(c.NdRouterAdvert.SIZE)}"
    )


def _ns(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.NdNeighborSolicit)
    options = line.options(c.NdNeighborSolicit.SIZE) if line.verbose else ""
    return f"neighbor sol: who has {line.names(m.nd_ns_target)}{options}"


def _na(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.NdNeighborAdvert)
    text = f"neighbor adv: tgt is {line.names(m.nd_na_target)}"
    if line.verbose:
        flags = _letters(m.nd_na_flags_reserved, _NA_FLAGS)
        text += f"({flags})" + line.options(c.NdNeighborAdvert.SIZE)
    return text


def _redirect(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.NdRedirect)
    options = line.options(c.NdRedirect.SIZE) if line.verbose else ""
    return f"redirect {line.names(m.nd_rd_dst)} to {line.names(m.nd_rd_target)}{options}"


def _nodeinfo(line: Icmp6Line, m: Header) -> str:
    assert isinstance(m, c.Icmp6Nodeinfo)
    return "node information " + ("query" if m.ni_type == ICMP6_NI_QUERY else "reply")


def _hadiscov(line: Icmp6Line, m: Header) -> str:
    """Home agent address discovery; both messages have their identifier at the same place."""
    assert isinstance(m, c.HaDiscovReq)
    reply = m.ha_dreq_type == ICMP6_HADISCOV_REPLY
    text = f"ha discovery {'reply' if reply else 'request'}"
    if not line.verbose:
        return text
    text += f" (id {m.ha_dreq_id})"
    if reply:
        parsed = parse_ha_reply(line.data, line.off, len(line.data))
        if isinstance(parsed, Malformed):
            return f"{text} [|icmp6]"
        text += "".join(f" {line.names(addr)}" for addr in parsed.addrs)
    return text


_MESSAGES: Final[dict[int, tuple[type[Header], Callable[[Icmp6Line, Header], str]]]] = {
    ICMP6_DST_UNREACH: (c.Icmp6DstUnreach, _dst_unreach),
    ICMP6_PACKET_TOO_BIG: (c.Icmp6PacketTooBig, _toobig),
    ICMP6_TIME_EXCEEDED: (c.Icmp6TimeExceeded, _time_exceeded),
    ICMP6_PARAM_PROB: (c.Icmp6ParamProb, _paramprob),
    ICMP6_ECHO_REQUEST: (c.Icmp6Echo, _echo),
    ICMP6_ECHO_REPLY: (c.Icmp6Echo, _echo),
    MLD_LISTENER_QUERY: (c.MldHdr, _mld),
    MLD_LISTENER_REPORT: (c.MldHdr, _mld),
    MLD_LISTENER_DONE: (c.MldHdr, _mld),
    ND_ROUTER_SOLICIT: (c.NdRouterSolicit, _rs),
    ND_ROUTER_ADVERT: (c.NdRouterAdvert, _ra),
    ND_NEIGHBOR_SOLICIT: (c.NdNeighborSolicit, _ns),
    ND_NEIGHBOR_ADVERT: (c.NdNeighborAdvert, _na),
    ND_REDIRECT: (c.NdRedirect, _redirect),
    ICMP6_HADISCOV_REQUEST: (c.HaDiscovReq, _hadiscov),
    ICMP6_HADISCOV_REPLY: (c.HaDiscovReq, _hadiscov),
    ICMP6_NI_QUERY: (c.Icmp6Nodeinfo, _nodeinfo),
    ICMP6_NI_REPLY: (c.Icmp6Nodeinfo, _nodeinfo),
}
