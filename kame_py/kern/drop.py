# SPDX-License-Identifier: BSD-3-Clause
"""Every way a packet can end badly: one table, one function.

``netstat -s``, the replay verdicts, path traces, the comments in captures and docs/drops.md all
come from the rows below. A row names the KAME counter that is bumped with it (``ip6.ip6s_badvers``
is member ip6s_badvers of struct ip6stat), the per-interface counter (struct in6_ifstat), a
severity and a sentence for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.kern.mbuf import Fate, Mbuf, settle

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

NORMAL: Final = "normal"  # expected on a healthy network
BAD: Final = "bad"  # the sender is wrong
LIMIT: Final = "limit"  # a limit of ours was hit
POLICY: Final = "policy"  # configuration refuses it


@dataclass(frozen=True, slots=True)
class DropReason:
    """One row. counter: "proto.member" or ""; ifcounter: member of in6_ifstat or "".

    mip6: member of mip6stat that counts it as well, where KAME had only a counter of IPv6.
    """

    name: str
    counter: str
    ifcounter: str
    severity: str
    text: str
    mip6: str = ""
    proto: str = ""  # the two halves of ``counter``
    member: str = ""


def _row(
    name: str, counter: str, ifcounter: str, severity: str, text: str, mip6: str = ""
) -> DropReason:
    proto, _, member = counter.partition(".")
    return DropReason(name, counter, ifcounter, severity, text, mip6, proto, member)


class D:
    """The reasons. Names start with the module that drops."""

    # link layer
    LINKTYPE = _row("LINKTYPE", "", "", BAD, "link type of the capture is not known")
    ETHER_RUNT = _row("ETHER_RUNT", "", "", BAD, "frame shorter than an Ethernet header")
    ETHER_NOTFORUS = _row("ETHER_NOTFORUS", "", "", NORMAL, "unicast to another station's address")
    ETHER_TYPE = _row("ETHER_TYPE", "", "", NORMAL, "EtherType is not IPv6")
    ETHER_MCAST = _row("ETHER_MCAST", "", "", NORMAL, "link-layer multicast group not joined")
    ETHER_TOOBIG = _row("ETHER_TOOBIG", "", "", BAD, "packet larger than the interface MTU")
    IF_DOWN = _row("IF_DOWN", "", "", NORMAL, "interface is down")
    IF_NOCARRIER = _row("IF_NOCARRIER", "", "", NORMAL, "no carrier on the interface")
    IF_OUTPUT = _row("IF_OUTPUT", "", "", NORMAL, "interface cannot send this packet")
    GIF_NOTUNNEL = _row("GIF_NOTUNNEL", "", "", NORMAL, "tunnel has no outer addresses")
    GIF_NEST = _row("GIF_NEST", "", "", LIMIT, "too many tunnels inside each other")
    # ip6_input
    IP6_TOOSMALL = _row(
        "IP6_TOOSMALL", "ip6.ip6s_toosmall", "ifs6_in_hdrerr", BAD, "shorter than an IPv6 header"
    )
    IP6_BADVERS = _row("IP6_BADVERS", "ip6.ip6s_badvers", "ifs6_in_hdrerr", BAD, "version is not 6")
    IP6_TOOSHORT = _row(
        "IP6_TOOSHORT",
        "ip6.ip6s_tooshort",
        "ifs6_in_truncated",
        BAD,
        "shorter than its payload length says",
    )
    IP6_SRCMCAST = _row(
        "IP6_SRCMCAST", "ip6.ip6s_badscope", "ifs6_in_addrerr", BAD, "source address is multicast"
    )
    IP6_DSTUNSPEC = _row(
        "IP6_DSTUNSPEC",
        "ip6.ip6s_badscope",
        "ifs6_in_addrerr",
        BAD,
        "destination is the unspecified address",
    )
    IP6_LOOPBACK = _row(
        "IP6_LOOPBACK", "ip6.ip6s_badscope", "ifs6_in_addrerr", BAD, "loopback address on a wire"
    )
    IP6_V4MAPPED = _row(
        "IP6_V4MAPPED", "ip6.ip6s_badscope", "ifs6_in_addrerr", BAD, "IPv4-mapped address on a wire"
    )
    IP6_BADSCOPE = _row(
        "IP6_BADSCOPE",
        "ip6.ip6s_badscope",
        "ifs6_in_addrerr",
        BAD,
        "scope of an address forbids this way",
    )
    IP6_NOTMEMBER = _row(
        "IP6_NOTMEMBER",
        "ip6.ip6s_notmember",
        "ifs6_in_discard",
        NORMAL,
        "multicast group not joined",
    )
    IP6_NOTREADY = _row(
        "IP6_NOTREADY",
        "",
        "ifs6_in_discard",
        NORMAL,
        "destination address is tentative or duplicated",
    )
    IP6_NOTFORUS = _row(
        "IP6_NOTFORUS",
        "ip6.ip6s_cantforward",
        "ifs6_in_addrerr",
        NORMAL,
        "not our address and forwarding is off",
    )
    IP6_PLEN0 = _row(
        "IP6_PLEN0",
        "ip6.ip6s_badoptions",
        "ifs6_in_hdrerr",
        BAD,
        "payload length 0 without a jumbo option",
    )
    IP6_JUMBO = _row(
        "IP6_JUMBO", "ip6.ip6s_badoptions", "ifs6_in_hdrerr", BAD, "bad jumbo payload option"
    )
    IP6_TOOMANYHDR = _row(
        "IP6_TOOMANYHDR",
        "ip6.ip6s_toomanyhdr",
        "",
        LIMIT,
        "more extension headers than net.inet6.ip6.hdrnestlimit",
    )
    IP6_EXTTRUNC = _row(
        "IP6_EXTTRUNC",
        "ip6.ip6s_tooshort",
        "ifs6_in_truncated",
        BAD,
        "extension header runs past the packet",
    )
    IP6_HBHORDER = _row(
        "IP6_HBHORDER",
        "ip6.ip6s_badoptions",
        "",
        BAD,
        "hop-by-hop header not directly behind the IPv6 header",
    )
    IP6_UNKNOWNPROTO = _row(
        "IP6_UNKNOWNPROTO",
        "ip6.ip6s_noproto",
        "ifs6_in_protounknown",
        NORMAL,
        "next header not known here",
    )
    IP6_NOPROTO = _row("IP6_NOPROTO", "ip6.ip6s_nonexthdr", "", NORMAL, "no next header (59)")
    IP6_OPTLEN = _row(
        "IP6_OPTLEN", "ip6.ip6s_toosmall", "ifs6_in_hdrerr", BAD, "option runs past its header"
    )
    IP6_OPTSKIPDROP = _row(
        "IP6_OPTSKIPDROP", "ip6.ip6s_badoptions", "", NORMAL, "unknown option of class 01: discard"
    )
    IP6_OPTPARAMPROB = _row(
        "IP6_OPTPARAMPROB",
        "ip6.ip6s_badoptions",
        "",
        NORMAL,
        "unknown option of class 10 or 11: discard and report",
    )
    IP6_OPTMCAST = _row(
        "IP6_OPTMCAST",
        "ip6.ip6s_badoptions",
        "",
        NORMAL,
        "unknown option of class 11 to a multicast address: discard",
    )
    IP6_RTALERT = _row(
        "IP6_RTALERT", "ip6.ip6s_badoptions", "ifs6_in_hdrerr", BAD, "bad router alert option"
    )
    DEST6_HAOTWICE = _row(
        "DEST6_HAOTWICE",
        "ip6.ip6s_badoptions",
        "",
        BAD,
        "second home address option",
        "mip6s_invalidhao",
    )
    DEST6_HAOLEN = _row(
        "DEST6_HAOLEN",
        "ip6.ip6s_toosmall",
        "",
        BAD,
        "home address option too short",
        "mip6s_invalidhao",
    )
    DEST6_HAOSCOPE = _row(
        "DEST6_HAOSCOPE",
        "ip6.ip6s_badscope",
        "",
        BAD,
        "home address option holds an address it must not",
        "mip6s_invalidhao",
    )
    # routing header
    ROUTE6_TYPE = _row(
        "ROUTE6_TYPE",
        "ip6.ip6s_badoptions",
        "",
        NORMAL,
        "routing header type not served and segments are left",
    )
    ROUTE6_LEN = _row("ROUTE6_LEN", "ip6.ip6s_badoptions", "", BAD, "routing header length is odd")
    ROUTE6_SEGLEFT = _row(
        "ROUTE6_SEGLEFT", "ip6.ip6s_badoptions", "", BAD, "more segments left than addresses"
    )
    ROUTE6_ADDR = _row(
        "ROUTE6_ADDR", "ip6.ip6s_badoptions", "", BAD, "routing header names an address it must not"
    )
    ROUTE6_HAO = _row(
        "ROUTE6_HAO",
        "ip6.ip6s_badoptions",
        "",
        BAD,
        "home address option in front of a routing header",
        "mip6s_invalidhao",
    )
    # fragments
    FRAG6_JUMBO = _row(
        "FRAG6_JUMBO",
        "ip6.ip6s_fragdropped",
        "ifs6_reass_fail",
        BAD,
        "jumbogram with a fragment header",
    )
    FRAG6_LEN = _row(
        "FRAG6_LEN",
        "ip6.ip6s_fragdropped",
        "ifs6_reass_fail",
        BAD,
        "fragment length is no multiple of 8",
    )
    FRAG6_TOOBIG = _row(
        "FRAG6_TOOBIG",
        "ip6.ip6s_fragdropped",
        "ifs6_reass_fail",
        BAD,
        "fragment reaches past 65535 octets",
    )
    FRAG6_OVERLAP = _row(
        "FRAG6_OVERLAP", "ip6.ip6s_fragdropped", "ifs6_reass_fail", BAD, "fragments overlap"
    )
    FRAG6_DUP = _row(
        "FRAG6_DUP", "ip6.ip6s_fragdropped", "ifs6_reass_fail", NORMAL, "same fragment twice"
    )
    FRAG6_LASTMISMATCH = _row(
        "FRAG6_LASTMISMATCH",
        "ip6.ip6s_fragdropped",
        "ifs6_reass_fail",
        BAD,
        "fragments disagree where the datagram ends",
    )
    FRAG6_LIMIT = _row(
        "FRAG6_LIMIT",
        "ip6.ip6s_fragoverflow",
        "ifs6_reass_fail",
        LIMIT,
        "too many datagrams or fragments wait for reassembly",
    )
    FRAG6_TIMEOUT = _row(
        "FRAG6_TIMEOUT",
        "ip6.ip6s_fragtimeout",
        "ifs6_reass_fail",
        NORMAL,
        "reassembly took over 60 seconds",
    )
    FRAG6_FIRSTSHORT = _row(
        "FRAG6_FIRSTSHORT",
        "ip6.ip6s_fragdropped",
        "ifs6_reass_fail",
        BAD,
        "first fragment lacks the upper-layer header",
    )
    FRAG6_EMPTY = _row(
        "FRAG6_EMPTY", "ip6.ip6s_fragdropped", "ifs6_reass_fail", BAD, "fragment carries no data"
    )
    # forwarding
    IP6_FWDMCAST = _row(
        "IP6_FWDMCAST",
        "ip6.ip6s_cantforward",
        "ifs6_in_discard",
        NORMAL,
        "multicast is not forwarded",
    )
    IP6_FWDUNSPEC = _row(
        "IP6_FWDUNSPEC",
        "ip6.ip6s_cantforward",
        "ifs6_in_discard",
        BAD,
        "unspecified source is not forwarded",
    )
    IP6_HLIM = _row(
        "IP6_HLIM",
        "ip6.ip6s_cantforward",
        "ifs6_in_discard",
        NORMAL,
        "hop limit ran out in transit",
    )
    IP6_FWDNOROUTE = _row(
        "IP6_FWDNOROUTE", "ip6.ip6s_noroute", "ifs6_in_noroute", NORMAL, "no route to forward by"
    )
    IP6_FWDSCOPE = _row(
        "IP6_FWDSCOPE",
        "ip6.ip6s_badscope",
        "ifs6_in_discard",
        NORMAL,
        "source scope does not reach the next link",
    )
    IP6_FWDTOOBIG = _row(
        "IP6_FWDTOOBIG",
        "ip6.ip6s_cantforward",
        "ifs6_in_toobig",
        NORMAL,
        "larger than the next link's MTU",
    )
    IP6_FWDREJECT = _row(
        "IP6_FWDREJECT", "ip6.ip6s_cantforward", "", POLICY, "route says reject or blackhole"
    )
    # output
    IP6_NOROUTE = _row(
        "IP6_NOROUTE", "ip6.ip6s_noroute", "ifs6_out_discard", NORMAL, "no route to the destination"
    )
    IP6_NOSRC = _row(
        "IP6_NOSRC",
        "ip6.ip6s_sources_none",
        "ifs6_out_discard",
        NORMAL,
        "no source address to send from",
    )
    IP6_OUTSCOPE = _row(
        "IP6_OUTSCOPE",
        "ip6.ip6s_badscope",
        "ifs6_out_discard",
        NORMAL,
        "scope of an address forbids this interface",
    )
    IP6_CANTFRAG = _row(
        "IP6_CANTFRAG",
        "ip6.ip6s_cantfrag",
        "ifs6_out_fragfail",
        NORMAL,
        "larger than the path MTU and cannot be fragmented",
    )
    IP6_OUTREJECT = _row(
        "IP6_OUTREJECT",
        "ip6.ip6s_noroute",
        "ifs6_out_discard",
        POLICY,
        "route says reject or blackhole",
    )
    IP6_OUTHLIM = _row(
        "IP6_OUTHLIM", "", "", NORMAL, "multicast with hop limit 0 stays on this node"
    )
    # ICMPv6
    ICMP6_TOOSHORT = _row(
        "ICMP6_TOOSHORT",
        "icmp6.icp6s_tooshort",
        "ifs6_in_error",
        BAD,
        "shorter than its ICMPv6 header",
    )
    ICMP6_CHECKSUM = _row(
        "ICMP6_CHECKSUM", "icmp6.icp6s_checksum", "ifs6_in_error", BAD, "bad ICMPv6 checksum"
    )
    ICMP6_BADCODE = _row(
        "ICMP6_BADCODE", "icmp6.icp6s_badcode", "ifs6_in_error", BAD, "code not known for this type"
    )
    ICMP6_BADLEN = _row(
        "ICMP6_BADLEN",
        "icmp6.icp6s_badlen",
        "ifs6_in_error",
        BAD,
        "message shorter than its type needs",
    )
    ICMP6_NOSOCKET = _row(
        "ICMP6_NOSOCKET", "", "", NORMAL, "nobody listens for this ICMPv6 message"
    )
    ICMP6_ECHOMCAST = _row(
        "ICMP6_ECHOMCAST", "", "", POLICY, "echo request to multicast is not answered"
    )
    ICMP6_ERRORNOPCB = _row(
        "ICMP6_ERRORNOPCB", "", "", NORMAL, "error about a packet nobody here sent"
    )
    ICMP6_TOOBIGMTU = _row(
        "ICMP6_TOOBIGMTU", "", "", BAD, "Packet Too Big names an MTU that is not smaller"
    )
    ICMP6_REDIRBAD = _row(
        "ICMP6_REDIRBAD", "icmp6.icp6s_badredirect", "", BAD, "redirect is not valid"
    )
    ICMP6_REDIROFF = _row(
        "ICMP6_REDIROFF", "", "", POLICY, "redirects are not accepted (rediraccept or router)"
    )
    ICMP6_NODEINFO = _row(
        "ICMP6_NODEINFO", "", "", POLICY, "node information query is not answered"
    )
    # MLD
    MLD6_HLIM = _row(
        "MLD6_HLIM",
        "icmp6.icp6s_tooshort",
        "",
        BAD,
        "MLD message with hop limit not 1, no link-local source or no router alert",
    )
    MLD6_BAD = _row("MLD6_BAD", "icmp6.icp6s_badlen", "", BAD, "MLD message is not valid")
    # neighbour discovery
    ND6_HLIM = _row(
        "ND6_HLIM",
        "icmp6.icp6s_badnd",
        "",
        BAD,
        "neighbour discovery with hop limit other than 255",
    )
    ND6_FRAGMENT = _row(
        "ND6_FRAGMENT",
        "icmp6.icp6s_badnd",
        "",
        BAD,
        "neighbour discovery with a fragment header",
    )
    ND6_BADOPT = _row(
        "ND6_BADOPT", "icmp6.icp6s_nd_badopt", "", BAD, "bad neighbour discovery option"
    )
    ND6_BADNS = _row(
        "ND6_BADNS", "icmp6.icp6s_badns", "", BAD, "neighbour solicitation is not valid"
    )
    ND6_BADNA = _row(
        "ND6_BADNA", "icmp6.icp6s_badna", "", BAD, "neighbour advertisement is not valid"
    )
    ND6_BADRS = _row("ND6_BADRS", "icmp6.icp6s_badrs", "", BAD, "router solicitation is not valid")
    ND6_BADRA = _row("ND6_BADRA", "icmp6.icp6s_badra", "", BAD, "router advertisement is not valid")
    ND6_NOTTARGET = _row(
        "ND6_NOTTARGET", "", "", NORMAL, "neighbour solicitation for an address that is not ours"
    )
    ND6_NOTENTRY = _row(
        "ND6_NOTENTRY", "", "", NORMAL, "neighbour advertisement that fits no entry"
    )
    ND6_TENTATIVE = _row(
        "ND6_TENTATIVE", "", "", NORMAL, "neighbour solicitation for a tentative address"
    )
    ND6_OFFLINK = _row(
        "ND6_OFFLINK",
        "icmp6.icp6s_badns",
        "",
        BAD,
        "solicitation from an address that is not on this link",
    )
    ND6_RANOTACCEPTED = _row(
        "ND6_RANOTACCEPTED",
        "",
        "",
        POLICY,
        "router advertisements are not accepted (accept_rtadv or router)",
    )
    ND6_NOTROUTER = _row(
        "ND6_NOTROUTER", "", "", NORMAL, "router solicitation to a node that is no router"
    )
    ND6_UNREACH = _row("ND6_UNREACH", "", "ifs6_out_discard", NORMAL, "neighbour did not answer")
    ND6_HOLDREPLACED = _row(
        "ND6_HOLDREPLACED",
        "",
        "ifs6_out_discard",
        LIMIT,
        "a newer packet took its place while the neighbour was resolved",
    )
    ND6_FLUSHED = _row(
        "ND6_FLUSHED",
        "",
        "ifs6_out_discard",
        NORMAL,
        "neighbour entry was removed while the packet waited",
    )
    ND6_CACHEFULL = _row(
        "ND6_CACHEFULL", "", "ifs6_out_discard", LIMIT, "too many unresolved neighbours"
    )
    # UDP, TCP, raw, sockets
    UDP6_TOOSHORT = _row("UDP6_TOOSHORT", "udp6.udp6s_hdrops", "", BAD, "shorter than a UDP header")
    UDP6_BADLEN = _row(
        "UDP6_BADLEN", "udp6.udp6s_badlen", "", BAD, "UDP length does not fit the packet"
    )
    UDP6_NOSUM = _row("UDP6_NOSUM", "udp6.udp6s_nosum", "", BAD, "UDP checksum is zero")
    UDP6_BADSUM = _row("UDP6_BADSUM", "udp6.udp6s_badsum", "", BAD, "bad UDP checksum")
    UDP6_BADPORT = _row(
        "UDP6_BADPORT", "udp6.udp6s_badsum", "", BAD, "UDP destination port is zero"
    )
    UDP6_NOPORT = _row("UDP6_NOPORT", "udp6.udp6s_noport", "", NORMAL, "no socket on this UDP port")
    UDP6_NOPORTMCAST = _row(
        "UDP6_NOPORTMCAST",
        "udp6.udp6s_noportmcast",
        "",
        NORMAL,
        "no socket on this UDP port; sent to multicast",
    )
    UDP6_FULLSOCK = _row("UDP6_FULLSOCK", "udp6.udp6s_fullsock", "", LIMIT, "socket buffer is full")
    TCP6_TOOSHORT = _row(
        "TCP6_TOOSHORT", "tcp6.tcp6s_rcvshort", "", BAD, "shorter than a TCP header"
    )
    TCP6_BADOFF = _row(
        "TCP6_BADOFF", "tcp6.tcp6s_rcvbadoff", "", BAD, "TCP data offset does not fit the packet"
    )
    TCP6_BADSUM = _row("TCP6_BADSUM", "tcp6.tcp6s_rcvbadsum", "", BAD, "bad TCP checksum")
    TCP6_MCAST = _row("TCP6_MCAST", "", "", BAD, "TCP segment to or from multicast")
    TCP6_NOPORT = _row("TCP6_NOPORT", "", "", NORMAL, "reset answers no reset")
    RIP6_FULLSOCK = _row(
        "RIP6_FULLSOCK", "rip6.rip6s_fullsock", "", LIMIT, "raw socket buffer is full"
    )
    RIP6_BADSUM = _row("RIP6_BADSUM", "rip6.rip6s_badsum", "", BAD, "bad checksum for a raw socket")
    # encapsulation, IPsec, mobility
    ENCAP6_NOTUNNEL = _row(
        "ENCAP6_NOTUNNEL", "ip6.ip6s_nogif", "", NORMAL, "no tunnel takes this encapsulated packet"
    )
    ENCAP6_BADINNER = _row("ENCAP6_BADINNER", "", "", BAD, "encapsulated packet is no IPv6 packet")
    ENCAP6_TOODEEP = _row(
        "ENCAP6_TOODEEP", "", "", LIMIT, "too many encapsulations inside each other"
    )
    AH_NOKERNEL = _row("AH_NOKERNEL", "ip6.ip6s_noproto", "", POLICY, "AH without options IPSEC")
    ESP_NOKERNEL = _row(
        "ESP_NOKERNEL", "ip6.ip6s_noproto", "", POLICY, "ESP without options IPSEC_ESP"
    )
    AH_SHORT = _row("AH_SHORT", "ipsec6.in_inval", "", BAD, "AH runs past the packet")
    AH_NOSA = _row("AH_NOSA", "ipsec6.in_nosa", "", POLICY, "no association for this AH")
    AH_BADLEN = _row(
        "AH_BADLEN", "ipsec6.in_inval", "", BAD, "AH length does not fit its algorithm"
    )
    AH_BADHDR = _row(
        "AH_BADHDR", "ipsec6.in_inval", "", BAD, "AH behind a header that cannot be in front of it"
    )
    AH_REPLAY = _row(
        "AH_REPLAY", "ipsec6.in_ahreplay", "", BAD, "AH sequence number seen or too old"
    )
    AH_BADICV = _row("AH_BADICV", "ipsec6.in_ahauthfail", "", BAD, "AH does not match the packet")
    ESP_SHORT = _row("ESP_SHORT", "ipsec6.in_inval", "", BAD, "too short for ESP")
    ESP_NOSA = _row("ESP_NOSA", "ipsec6.in_nosa", "", POLICY, "no association for this ESP")
    ESP_BADLEN = _row(
        "ESP_BADLEN", "ipsec6.in_inval", "", BAD, "ESP payload is no multiple of its cipher's block"
    )
    ESP_BADPAD = _row(
        "ESP_BADPAD", "ipsec6.in_inval", "", BAD, "ESP padding is longer than the payload"
    )
    ESP_REPLAY = _row(
        "ESP_REPLAY", "ipsec6.in_espreplay", "", BAD, "ESP sequence number seen or too old"
    )
    ESP_BADICV = _row(
        "ESP_BADICV", "ipsec6.in_espauthfail", "", BAD, "ESP authentication data is wrong"
    )
    IPSEC_INPOLICY = _row(
        "IPSEC_INPOLICY", "ipsec6.in_polvio", "", POLICY, "inbound IPsec policy refuses it"
    )
    IPSEC_OUTPOLICY = _row(
        "IPSEC_OUTPOLICY", "ipsec6.out_polvio", "", POLICY, "outbound IPsec policy discards it"
    )
    IPSEC_OUTNOSA = _row(
        "IPSEC_OUTNOSA",
        "ipsec6.out_nosa",
        "",
        POLICY,
        "policy requires an association that is not there",
    )
    IPSEC_OUTSEQ = _row(
        "IPSEC_OUTSEQ",
        "ipsec6.out_inval",
        "",
        LIMIT,
        "no sequence number is left",
    )
    IPSEC_OUTBIG = _row(
        "IPSEC_OUTBIG", "ipsec6.out_inval", "", LIMIT, "too large for AH or ESP around it"
    )
    IPSEC_OUTHDR = _row(
        "IPSEC_OUTHDR", "ipsec6.out_inval", "", BAD, "header that AH cannot stand behind"
    )
    MIP6_ROUTEOPT = _row(
        "MIP6_ROUTEOPT", "mip6.mip6s_routeopt", "", BAD, "route optimisation refused the packet"
    )
    MIP6_EXTHDR = _row(
        "MIP6_EXTHDR", "mip6.mip6s_exthdr", "", LIMIT, "mobility headers could not be built"
    )
    MIP6_BUNOHAO = _row(
        "MIP6_BUNOHAO", "mip6.mip6s_nohao", "", BAD, "binding update without a home address option"
    )
    MIP6_BUSHORT = _row(
        "MIP6_BUSHORT",
        "ip6.ip6s_badoptions",
        "",
        BAD,
        "binding update or one of its sub-options has a wrong length",
        "mip6s_invalidopts",
    )
    MIP6_BUNOAUTH = _row(
        "MIP6_BUNOAUTH", "mip6.mip6s_unprotected", "", POLICY, "binding update without protection"
    )
    MIP6_BUBADAUTH = _row(
        "MIP6_BUBADAUTH", "mip6.mip6s_authfail", "", BAD, "binding update with a wrong digest"
    )
    MIP6_BUAUTHLEN = _row(
        "MIP6_BUAUTHLEN",
        "mip6.mip6s_authlen",
        "",
        BAD,
        "binding update with a digest of a length that its algorithm does not have",
    )
    MIP6_BUNOSA = _row(
        "MIP6_BUNOSA",
        "mip6.mip6s_authnosa",
        "",
        POLICY,
        "binding update signed by an unknown security association",
    )
    MIP6_BUWRONGSA = _row(
        "MIP6_BUWRONGSA",
        "mip6.mip6s_authwrongsa",
        "",
        BAD,
        "binding update signed by the security association of another home address",
    )
    MIP6_BUDST = _row(
        "MIP6_BUDST",
        "mip6.mip6s_invaliddst",
        "",
        BAD,
        "binding update not to a unicast address of this node",
    )
    MIP6_BUCOA = _row(
        "MIP6_BUCOA",
        "mip6.mip6s_invalidcoa",
        "",
        BAD,
        "binding update with a care-of address that must not be one",
    )
    MIP6_BUSEQNO = _row(
        "MIP6_BUSEQNO",
        "ip6.ip6s_badoptions",
        "",
        NORMAL,
        "binding update with an old sequence number",
        "mip6s_seqno",
    )
    MIP6_BANOAUTH = _row(
        "MIP6_BANOAUTH",
        "mip6.mip6s_unprotected",
        "",
        POLICY,
        "binding acknowledgement without protection",
    )
    MIP6_BABADAUTH = _row(
        "MIP6_BABADAUTH",
        "mip6.mip6s_authfail",
        "",
        BAD,
        "binding acknowledgement with a wrong digest",
    )
    MIP6_BAAUTHLEN = _row(
        "MIP6_BAAUTHLEN",
        "mip6.mip6s_authlen",
        "",
        BAD,
        "binding acknowledgement with a digest of a length that its algorithm does not have",
    )
    MIP6_BANOSA = _row(
        "MIP6_BANOSA",
        "mip6.mip6s_authnosa",
        "",
        POLICY,
        "binding acknowledgement signed by an unknown security association",
    )
    MIP6_BAWRONGSA = _row(
        "MIP6_BAWRONGSA",
        "mip6.mip6s_authwrongsa",
        "",
        BAD,
        "binding acknowledgement signed by the security association of another node",
    )
    MIP6_BASEQNO = _row(
        "MIP6_BASEQNO",
        "ip6.ip6s_badoptions",
        "",
        NORMAL,
        "binding acknowledgement whose sequence number answers no update",
        "mip6s_seqno",
    )
    MIP6_MPANOAUTH = _row(
        "MIP6_MPANOAUTH",
        "mip6.mip6s_unprotected",
        "",
        POLICY,
        "mobile prefix or tunnelled router advertisement without IPsec of its sender",
    )
    MIP6_MPABAD = _row(
        "MIP6_MPABAD",
        "mip6.mip6s_invalidmpa",
        "",
        BAD,
        "mobile prefix advertisement not valid or not of the home agent of a registration",
    )
    MIP6_RATUNNEL = _row(
        "MIP6_RATUNNEL",
        "mip6.mip6s_ratunnel",
        "",
        BAD,
        "tunnelled router solicitation or advertisement not valid",
    )
    MIP6_LINKLOCAL = _row(
        "MIP6_LINKLOCAL",
        "ip6.ip6s_cantforward",
        "",
        NORMAL,
        "link-local address, and the mobile node is away",
        "mip6s_linklocal",
    )
    MIP6_SITELOCAL = _row(
        "MIP6_SITELOCAL",
        "ip6.ip6s_cantforward",
        "",
        POLICY,
        "site-local destinations are not tunnelled to mobile nodes",
        "mip6s_sitelocal",
    )
    # end of a run
    KERN_SHUTDOWN = _row("KERN_SHUTDOWN", "", "", NORMAL, "the node was shut down")


REASONS: Final[dict[str, DropReason]] = {
    r.name: r for r in vars(D).values() if isinstance(r, DropReason)
}


def drop(kern: Kernel, m: Mbuf, why: DropReason) -> None:
    """End ``m`` badly: counters, fate, trace. The only way to do so."""
    kern.drops[why.name] += 1
    count(kern, m, why)
    if m.path is not None:
        m.path.append(f"drop {why.name}")
    settle(kern, m, Fate.DROPPED, why)


def count(kern: Kernel, m: Mbuf, why: DropReason) -> None:
    """Only the counters of a reason: the kernel refused ``m``, but a raw socket took it."""
    proto, member = why.proto, why.member
    if proto:
        kern.stats.of(proto)[member] += 1
    if why.mip6:
        kern.stats.mip6[why.mip6] += 1
    if why.ifcounter and m.rcvif is not None:
        ifstat = m.rcvif.icmp6_ifstat if proto == "icmp6" else m.rcvif.in6_ifstat
        ifstat[why.ifcounter] += 1
