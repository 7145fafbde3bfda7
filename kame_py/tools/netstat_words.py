# SPDX-License-Identifier: BSD-3-Clause
"""The words of netstat -s: one row for each counter that KAME prints, in its order.

KAME: inet6.c, inet.c and ipsec.c of netstat. Deviates: authentication by ESP is shown as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Word(NamedTuple):
    """A counter. In the words ``{s}`` is the plural s, ``{es}`` is es and ``{y}`` is y or ies."""

    member: str
    words: str

    def text(self, value: int) -> str:
        """The words behind this number."""
        one = value == 1
        plural = {"s": "", "es": "", "y": "y"} if one else {"s": "s", "es": "es", "y": "ies"}
        return self.words.format(**plural)


IP6_WORDS: Final = (
    Word("ip6s_total", "total packet{s} received"),
    Word("ip6s_toosmall", "with size smaller than minimum"),
    Word("ip6s_tooshort", "with data size < data length"),
    Word("ip6s_badoptions", "with bad options"),
    Word("ip6s_badvers", "with incorrect version number"),
    Word("ip6s_fragments", "fragment{s} received"),
    Word("ip6s_fragdropped", "fragment{s} dropped (dup or out of space)"),
    Word("ip6s_fragtimeout", "fragment{s} dropped after timeout"),
    Word("ip6s_fragoverflow", "fragment{s} that exceeded limit"),
    Word("ip6s_reassembled", "packet{s} reassembled ok"),
    Word("ip6s_delivered", "packet{s} for this host"),
    Word("ip6s_forward", "packet{s} forwarded"),
    Word("ip6s_cantforward", "packet{s} not forwardable"),
    Word("ip6s_redirectsent", "redirect{s} sent"),
    Word("ip6s_localout", "packet{s} sent from this host"),
    Word("ip6s_rawout", "packet{s} sent with fabricated ip header"),
    Word("ip6s_odropped", "output packet{s} dropped due to no bufs, etc."),
    Word("ip6s_noroute", "output packet{s} discarded due to no route"),
    Word("ip6s_fragmented", "output datagram{s} fragmented"),
    Word("ip6s_ofragments", "fragment{s} created"),
    Word("ip6s_cantfrag", "datagram{s} that can't be fragmented"),
    Word("ip6s_badscope", "packet{s} that violated scope rules"),
    Word("ip6s_notmember", "multicast packet{s} which we don't join"),
)
IP6_TAIL: Final = (
    Word("ip6s_exthdrtoolong", "packet{s} whose headers are not continuous"),
    Word("ip6s_nogif", "tunneling packet{s} that can't find gif"),
    Word("ip6s_toomanyhdr", "packet{s} discarded due to too many headers"),
    Word("ip6s_sources_none", "failure{s} of source address selection"),
    Word("ip6s_forward_cachehit", "forward cache hit"),
    Word("ip6s_forward_cachemiss", "forward cache miss"),
)
IP6_NXT: Final[Mapping[int, str]] = {
    0: "hop by hop",
    1: "ICMP",
    2: "IGMP",
    4: "IP",
    6: "TCP",
    17: "UDP",
    41: "IP6",
    43: "routing",
    44: "fragment",
    50: "ESP",
    51: "AH",
    58: "ICMP6",
    59: "no next header",
    60: "destination option",
    89: "OSPF",
    103: "PIM",
    108: "IPCOMP",
}
SOURCE_RULES: Final[Mapping[int, str]] = {
    0: "first candidate",
    1: "same address",
    2: "appropriate scope",
    3: "deprecated address",
    4: "home address",
    5: "outgoing interface",
    6: "matching label",
    7: "public/temporary address",
    8: "alive interface",
    9: "preferred interface",
    14: "longest match",
}

ICMP6_WORDS: Final = (
    Word("icp6s_error", "call{s} to icmp_error"),
    Word("icp6s_canterror", "error{s} not generated because old message was icmp error or so"),
    Word("icp6s_toofreq", "error{s} not generated because of rate limitation"),
    Word("icp6s_badcode", "message{s} with bad code fields"),
    Word("icp6s_tooshort", "message{s} < minimum length"),
    Word("icp6s_checksum", "bad checksum{s}"),
    Word("icp6s_badlen", "message{s} with bad length"),
)
ICMP6_ERRORS: Final = (
    Word("icp6s_odst_unreach_noroute", "no route"),
    Word("icp6s_odst_unreach_admin", "administratively prohibited"),
    Word("icp6s_odst_unreach_beyondscope", "beyond scope"),
    Word("icp6s_odst_unreach_addr", "address unreachable"),
    Word("icp6s_odst_unreach_noport", "port unreachable"),
    Word("icp6s_opacket_too_big", "packet too big"),
    Word("icp6s_otime_exceed_transit", "time exceed transit"),
    Word("icp6s_otime_exceed_reassembly", "time exceed reassembly"),
    Word("icp6s_oparamprob_header", "erroneous header field"),
    Word("icp6s_oparamprob_nextheader", "unrecognized next header"),
    Word("icp6s_oparamprob_option", "unrecognized option"),
    Word("icp6s_oredirect", "redirect"),
    Word("icp6s_ounknown", "unknown"),
)
ICMP6_TAIL: Final = (
    Word("icp6s_reflect", "message response{s} generated"),
    Word("icp6s_nd_toomanyopt", "message{s} with too many ND options"),
    Word("icp6s_nd_badopt", "message{s} with bad ND options"),
    Word("icp6s_badns", "bad neighbor solicitation message{s}"),
    Word("icp6s_badna", "bad neighbor advertisement message{s}"),
    Word("icp6s_badrs", "bad router solicitation message{s}"),
    Word("icp6s_badra", "bad router advertisement message{s}"),
    Word("icp6s_badredirect", "bad redirect message{s}"),
    Word("icp6s_pmtuchg", "path MTU change{s}"),
)
ICMP6_TYPES: Final[Mapping[int, str]] = {
    1: "unreach",
    2: "packet too big",
    3: "time exceed",
    4: "parameter problem",
    128: "echo",
    129: "echo reply",
    130: "multicast listener query",
    131: "multicast listener report",
    132: "multicast listener done",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbor solicitation",
    136: "neighbor advertisement",
    137: "redirect",
    138: "router renumbering",
    139: "node information request",
    140: "node information reply",
    141: "inverse neighbor solicitation",
    142: "inverse neighbor advertisement",
}

UDP_WORDS: Final = (
    Word("udp6s_ipackets", "datagram{s} received"),
    Word("udp6s_hdrops", "with incomplete header"),
    Word("udp6s_badlen", "with bad data length field"),
    Word("udp6s_badsum", "with bad checksum"),
    Word("udp6s_nosum", "with no checksum"),
    Word("udp6s_noport", "dropped due to no socket"),
    Word("udp6s_noportmcast", "multicast datagram{s} dropped due to no socket"),
    Word("udp6s_fullsock", "dropped due to full socket buffers"),
    Word("udp6s_opackets", "datagram{s} output"),
)
TCP_WORDS: Final = (
    Word("tcp6s_rcvtotal", "packet{s} received"),
    Word("tcp6s_rcvbadsum", "discarded for bad checksum{s}"),
    Word("tcp6s_rcvbadoff", "discarded for bad header offset field{s}"),
    Word("tcp6s_rcvshort", "discarded because packet too short"),
)
IPSEC6_IN: Final = (
    Word("in_success", "inbound packet{s} processed successfully"),
    Word("in_polvio", "inbound packet{s} violated process security policy"),
    Word("in_nosa", "inbound packet{s} with no SA available"),
    Word("in_inval", "invalid inbound packet{s}"),
    Word("in_nomem", "inbound packet{s} failed due to insufficient memory"),
    Word("in_badspi", "inbound packet{s} failed getting SPI"),
    Word("in_ahreplay", "inbound packet{s} failed on AH replay check"),
    Word("in_espreplay", "inbound packet{s} failed on ESP replay check"),
    Word("in_ahauthsucc", "inbound packet{s} considered authentic"),
    Word("in_ahauthfail", "inbound packet{s} failed on authentication"),
    Word("in_espauthsucc", "inbound packet{s} considered authentic by ESP"),
    Word("in_espauthfail", "inbound packet{s} failed on authentication of ESP"),
)
IPSEC6_OUT: Final = (
    Word("out_success", "outbound packet{s} processed successfully"),
    Word("out_polvio", "outbound packet{s} violated process security policy"),
    Word("out_nosa", "outbound packet{s} with no SA available"),
    Word("out_inval", "invalid outbound packet{s}"),
    Word("out_nomem", "outbound packet{s} failed due to insufficient memory"),
    Word("out_noroute", "outbound packet{s} with no route"),
)
RIP6_WORDS: Final = (
    Word("rip6s_ipackets", "message{s} received"),
    Word("rip6s_isum", "checksum calculation{s} on inbound"),
    Word("rip6s_badsum", "message{s} with bad checksum"),
    Word("rip6s_nosock", "message{s} dropped due to no socket"),
    Word("rip6s_nosockmcast", "multicast message{s} dropped due to no socket"),
    Word("rip6s_fullsock", "message{s} dropped due to full socket buffers"),
    Word("rip6s_opackets", "datagram{s} output"),
)

IP6_IF: Final = (
    Word("ifs6_in_receive", "total input datagram{s}"),
    Word("ifs6_in_hdrerr", "datagram{s} with invalid header received"),
    Word("ifs6_in_toobig", "datagram{s} exceeded MTU received"),
    Word("ifs6_in_noroute", "datagram{s} with no route received"),
    Word("ifs6_in_addrerr", "datagram{s} with invalid dst received"),
    Word("ifs6_in_protounknown", "datagram{s} with unknown proto received"),
    Word("ifs6_in_truncated", "truncated datagram{s} received"),
    Word("ifs6_in_discard", "input datagram{s} discarded"),
    Word("ifs6_in_deliver", "datagram{s} delivered to an upper layer protocol"),
    Word("ifs6_out_forward", "datagram{s} forwarded to this interface"),
    Word("ifs6_out_request", "datagram{s} sent from an upper layer protocol"),
    Word("ifs6_out_discard", "total discarded output datagram{s}"),
    Word("ifs6_out_fragok", "output datagram{s} fragmented"),
    Word("ifs6_out_fragfail", "output datagram{s} failed on fragment"),
    Word("ifs6_out_fragcreat", "output datagram{s} succeeded on fragment"),
    Word("ifs6_reass_reqd", "incoming datagram{s} fragmented"),
    Word("ifs6_reass_ok", "datagram{s} reassembled"),
    Word("ifs6_reass_fail", "datagram{s} failed on reassembling"),
    Word("ifs6_in_mcast", "multicast datagram{s} received"),
    Word("ifs6_out_mcast", "multicast datagram{s} sent"),
)


def _icmp6_way(way: str, word: str) -> tuple[Word, ...]:
    rows = (
        ("msg", f"total {word} message{{s}}"),
        ("error", f"total {word} error message{{s}}"),
        ("dstunreach", f"{word} destination unreachable error{{s}}"),
        ("adminprohib", f"{word} administratively prohibited error{{s}}"),
        ("timeexceed", f"{word} time exceeded error{{s}}"),
        ("paramprob", f"{word} parameter problem error{{s}}"),
        ("pkttoobig", f"{word} packet too big error{{s}}"),
        ("echo", f"{word} echo request{{s}}"),
        ("echoreply", f"{word} echo repl{{y}}"),
        ("routersolicit", f"{word} router solicitation{{s}}"),
        ("routeradvert", f"{word} router advertisement{{s}}"),
        ("neighborsolicit", f"{word} neighbor solicitation{{s}}"),
        ("neighboradvert", f"{word} neighbor advertisement{{s}}"),
        ("redirect", f"{word} redirect{{s}}"),
        ("mldquery", f"{word} MLD quer{{y}}"),
        ("mldreport", f"{word} MLD report{{s}}"),
        ("mlddone", f"{word} MLD done{{s}}"),
    )
    return tuple(Word(f"ifs6_{way}_{member}", words) for member, words in rows)


ICMP6_IF: Final = (*_icmp6_way("in", "input"), *_icmp6_way("out", "output"))
