# SPDX-License-Identifier: BSD-3-Clause
"""Numbers of the protocols, under their KAME names.

Corresponds to KAME netinet/ip6.h, netinet/icmp6.h, netinet6/ip6_mip6.h, net/ethernet.h.
Numbers that only one mobility draft uses are in the module of that draft.
Read first: RFC 2460, RFC 2461, RFC 2463.
"""

from __future__ import annotations

from typing import Final

# --- Ethernet (RFC 2464) -------------------------------------------------------------------------
ETHER_ADDR_LEN: Final = 6
ETHER_HDR_LEN: Final = 14
ETHERMTU: Final = 1500  # RFC 2464 s.2
ETHERTYPE_IP: Final = 0x0800
ETHERTYPE_ARP: Final = 0x0806
ETHERTYPE_VLAN: Final = 0x8100
ETHERTYPE_IPV6: Final = 0x86DD  # RFC 2464 s.3

# --- protocol numbers (RFC 1700 and the header's own RFC) ----------------------------------------
IPPROTO_HOPOPTS: Final = 0  # RFC 2460 s.4.3
IPPROTO_ICMP: Final = 1
IPPROTO_IPV4: Final = 4  # RFC 2003
IPPROTO_TCP: Final = 6
IPPROTO_UDP: Final = 17
IPPROTO_IPV6: Final = 41  # RFC 2473
IPPROTO_ROUTING: Final = 43  # RFC 2460 s.4.4
IPPROTO_FRAGMENT: Final = 44  # RFC 2460 s.4.5
IPPROTO_ESP: Final = 50  # RFC 2406
IPPROTO_AH: Final = 51  # RFC 2402
IPPROTO_ICMPV6: Final = 58  # RFC 2463
IPPROTO_NONE: Final = 59  # RFC 2460 s.4.7
IPPROTO_DSTOPTS: Final = 60  # RFC 2460 s.4.6
IPPROTO_PIM: Final = 103
IPPROTO_IPCOMP: Final = 108  # RFC 2393
IPPROTO_MH: Final = 135  # RFC 6275 s.6.1
IPPROTO_RAW: Final = 255
IPPROTO_MAX: Final = 256
IPPROTO_DONE: Final = 257  # KAME: the demux loop stops, the packet has its fate

# --- IPv6 (RFC 2460) -----------------------------------------------------------------------------
IPV6_VERSION: Final = 0x60
IPV6_VERSION_MASK: Final = 0xF0
IPV6_FLOWINFO_MASK: Final = 0x0FFFFFFF
IPV6_FLOWLABEL_MASK: Final = 0x000FFFFF
IPV6_DEFHLIM: Final = 64
IPV6_MAXHLIM: Final = 255
IPV6_MAXPACKET: Final = 65535  # RFC 2460 s.3, payload without a jumbo option
IPV6_MMTU: Final = 1280  # RFC 2460 s.5
IPV6_HDRNESTLIMIT: Final = 50  # KAME ip6_hdrnestlimit

IP6F_OFF_MASK: Final = 0xFFF8  # RFC 2460 s.4.5
IP6F_RESERVED_MASK: Final = 0x0006
IP6F_MORE_FRAG: Final = 0x0001

IPV6_RTHDR_TYPE_0: Final = 0  # RFC 2460 s.4.4
IPV6_RTHDR_TYPE_2: Final = 2  # RFC 6275 s.6.4

IP6OPT_PAD1: Final = 0x00  # RFC 2460 s.4.2
IP6OPT_PADN: Final = 0x01
IP6OPT_TUNNEL_LIMIT: Final = 0x04  # RFC 2473 s.4.1.1
IP6OPT_RTALERT: Final = 0x05  # RFC 2711
IP6OPT_BINDING_ACK: Final = 0x07  # mobility drafts s.5.2
IP6OPT_BINDING_REQ: Final = 0x08  # mobility drafts s.5.3
IP6OPT_JUMBO: Final = 0xC2  # RFC 2675 s.2
IP6OPT_BINDING_UPDATE: Final = 0xC6  # mobility drafts s.5.1
IP6OPT_HOME_ADDRESS: Final = 0xC9  # mobility drafts s.5.4, RFC 6275 s.6.3

IP6OPT_TYPE_MASK: Final = 0xC0  # RFC 2460 s.4.2: what a node does that does not know the option
IP6OPT_TYPE_SKIP: Final = 0x00
IP6OPT_TYPE_DISCARD: Final = 0x40
IP6OPT_TYPE_FORCEICMP: Final = 0x80
IP6OPT_TYPE_ICMP: Final = 0xC0
IP6OPT_MUTABLE: Final = 0x20

IP6OPT_JUMBO_LEN: Final = 6  # whole option, octets
IP6OPT_RTALERT_LEN: Final = 4
IP6OPT_RTALERT_MLD: Final = 0  # RFC 2711 s.2.1
IP6OPT_RTALERT_RSVP: Final = 1
IP6OPT_RTALERT_ACTNET: Final = 2
IP6OPT_MINLEN: Final = 2

# --- ICMPv6 (RFC 2463 s.2.1) ---------------------------------------------------------------------
ICMP6_DST_UNREACH: Final = 1
ICMP6_PACKET_TOO_BIG: Final = 2
ICMP6_TIME_EXCEEDED: Final = 3
ICMP6_PARAM_PROB: Final = 4
ICMP6_INFOMSG_MASK: Final = 0x80
ICMP6_ECHO_REQUEST: Final = 128
ICMP6_ECHO_REPLY: Final = 129
ICMP6_MEMBERSHIP_QUERY: Final = 130
ICMP6_MEMBERSHIP_REPORT: Final = 131
ICMP6_MEMBERSHIP_REDUCTION: Final = 132
MLD_LISTENER_QUERY: Final = 130  # RFC 2710 s.3.1
MLD_LISTENER_REPORT: Final = 131
MLD_LISTENER_DONE: Final = 132
ND_ROUTER_SOLICIT: Final = 133  # RFC 2461 s.4
ND_ROUTER_ADVERT: Final = 134
ND_NEIGHBOR_SOLICIT: Final = 135
ND_NEIGHBOR_ADVERT: Final = 136
ND_REDIRECT: Final = 137
ICMP6_ROUTER_RENUMBERING: Final = 138  # RFC 2894
ICMP6_WRUREQUEST: Final = 139
ICMP6_WRUREPLY: Final = 140
ICMP6_NI_QUERY: Final = 139  # RFC 4620
ICMP6_NI_REPLY: Final = 140
ICMP6_HADISCOV_REQUEST: Final = 150  # draft s.5.6; RFC 6275 s.6.5 moved it to 144
ICMP6_HADISCOV_REPLY: Final = 151
ICMP6_MOBILEPREFIX_SOLICIT: Final = 152
ICMP6_MOBILEPREFIX_ADVERT: Final = 153
ICMP6_MAXTYPE: Final = 203  # KAME icmp6.h

ICMP6_DST_UNREACH_NOROUTE: Final = 0  # RFC 2463 s.3.1
ICMP6_DST_UNREACH_ADMIN: Final = 1
ICMP6_DST_UNREACH_NOTNEIGHBOR: Final = 2  # RFC 1885; the same number as BEYONDSCOPE
ICMP6_DST_UNREACH_BEYONDSCOPE: Final = 2
ICMP6_DST_UNREACH_ADDR: Final = 3
ICMP6_DST_UNREACH_NOPORT: Final = 4
ICMP6_TIME_EXCEED_TRANSIT: Final = 0  # RFC 2463 s.3.3
ICMP6_TIME_EXCEED_REASSEMBLY: Final = 1
ICMP6_TIME_EXCEEDED_TRANSIT: Final = ICMP6_TIME_EXCEED_TRANSIT
ICMP6_TIME_EXCEEDED_REASSEMBLY: Final = ICMP6_TIME_EXCEED_REASSEMBLY
ICMP6_PARAMPROB_HEADER: Final = 0  # RFC 2463 s.3.4
ICMP6_PARAMPROB_NEXTHEADER: Final = 1
ICMP6_PARAMPROB_OPTION: Final = 2

ICMP6_NI_SUBJ_IPV6: Final = 0  # RFC 4620 s.4, codes of a query
ICMP6_NI_SUBJ_FQDN: Final = 1
ICMP6_NI_SUBJ_IPV4: Final = 2
ICMP6_NI_SUCCESS: Final = 0  # codes of a reply
ICMP6_NI_REFUSED: Final = 1
ICMP6_NI_UNKNOWN: Final = 2
NI_QTYPE_NOOP: Final = 0  # RFC 4620 s.6
NI_QTYPE_SUPTYPES: Final = 1
NI_QTYPE_FQDN: Final = 2
NI_QTYPE_DNSNAME: Final = 2
NI_QTYPE_NODEADDR: Final = 3
NI_QTYPE_IPV4ADDR: Final = 4
NI_SUPTYPE_FLAG_COMPRESS: Final = 0x0001
NI_FQDN_FLAG_VALIDTTL: Final = 0x0001
NI_NODEADDR_FLAG_TRUNCATE: Final = 0x0001
NI_NODEADDR_FLAG_ALL: Final = 0x0002
NI_NODEADDR_FLAG_COMPAT: Final = 0x0004
NI_NODEADDR_FLAG_LINKLOCAL: Final = 0x0008
NI_NODEADDR_FLAG_SITELOCAL: Final = 0x0010
NI_NODEADDR_FLAG_GLOBAL: Final = 0x0020
NI_NODEADDR_FLAG_ANYCAST: Final = 0x0040

# --- Neighbor Discovery (RFC 2461 s.4) -----------------------------------------------------------
ND_RA_FLAG_MANAGED: Final = 0x80  # RFC 2461 s.4.2
ND_RA_FLAG_OTHER: Final = 0x40
ND_RA_FLAG_HOME_AGENT: Final = 0x20  # RFC 6275 s.7.1
ND_RA_FLAG_RTPREF_MASK: Final = 0x18  # RFC 4191 s.2.2
ND_RA_FLAG_RTPREF_HIGH: Final = 0x08
ND_RA_FLAG_RTPREF_MEDIUM: Final = 0x00
ND_RA_FLAG_RTPREF_LOW: Final = 0x18
ND_RA_FLAG_RTPREF_RSV: Final = 0x10

ND_NA_FLAG_ROUTER: Final = 0x80000000  # RFC 2461 s.4.4
ND_NA_FLAG_SOLICITED: Final = 0x40000000
ND_NA_FLAG_OVERRIDE: Final = 0x20000000

ND_OPT_SOURCE_LINKADDR: Final = 1  # RFC 2461 s.4.6
ND_OPT_TARGET_LINKADDR: Final = 2
ND_OPT_PREFIX_INFORMATION: Final = 3
ND_OPT_REDIRECTED_HEADER: Final = 4
ND_OPT_MTU: Final = 5
ND_OPT_ADVINTERVAL: Final = 7  # RFC 6275 s.7.3
ND_OPT_HOMEAGENT_INFO: Final = 8  # RFC 6275 s.7.4
ND_OPT_ROUTE_INFO: Final = 24  # RFC 4191 s.2.3

ND_OPT_PI_FLAG_ONLINK: Final = 0x80  # RFC 2461 s.4.6.2
ND_OPT_PI_FLAG_AUTO: Final = 0x40
ND_OPT_PI_FLAG_ROUTER: Final = 0x20  # RFC 6275 s.7.2
ND_OPT_RTI_FLAG_PREF_MASK: Final = 0x18  # RFC 4191 s.2.3

ND_MAX_HLIM: Final = 255  # RFC 2461 s.6.1: no router touched the message
ND6_INFINITE_LIFETIME: Final = 0xFFFFFFFF  # seconds, RFC 2461 s.4.6.2
ND6_MAXNDOPT: Final = 10  # KAME nd6_maxndopt

# --- Mobility, the parts the drafts share --------------------------------------------------------
IP6_MIP6_BU_ACK: Final = 0x80  # flags of the Binding Update
IP6_MIP6_BU_HOME: Final = 0x40
IP6_MIP6_BU_DAD: Final = 0x10
MIP6_INFINITE_LIFETIME: Final = 0xFFFFFFFF  # seconds; no special meaning inside KAME

IP6SUBOPT_PAD1: Final = 0x00  # sub-options common to the drafts
IP6SUBOPT_PADN: Final = 0x01
IP6SUBOPT_UNIQUEID: Final = 0x02

MIP6_BA_STATUS_ACCEPTED: Final = 0  # status of the Binding Acknowledgement
MIP6_BA_STATUS_UNSPECIFIED: Final = 128
MIP6_BA_STATUS_PROHIBIT: Final = 130
MIP6_BA_STATUS_RESOURCES: Final = 131
MIP6_BA_STATUS_NOT_SUPPORTED: Final = 132
MIP6_BA_STATUS_NOT_HOME_SUBNET: Final = 133
MIP6_BA_STATUS_NOT_HOME_AGENT: Final = 137
MIP6_BA_STATUS_DAD_FAILED: Final = 138

# --- Transport and IPsec -------------------------------------------------------------------------
TH_FIN: Final = 0x01  # RFC 793 s.3.1
TH_SYN: Final = 0x02
TH_RST: Final = 0x04
TH_PUSH: Final = 0x08
TH_ACK: Final = 0x10
TH_URG: Final = 0x20
TH_ECE: Final = 0x40  # RFC 3168 s.6.1
TH_CWR: Final = 0x80
TCPOPT_EOL: Final = 0
TCPOPT_NOP: Final = 1
TCPOPT_MAXSEG: Final = 2
TCPOLEN_MAXSEG: Final = 4
TCPOPT_WINDOW: Final = 3
TCPOPT_SACK_PERMITTED: Final = 4
TCPOPT_TIMESTAMP: Final = 8

IPSEC_SPI_RESERVED_MAX: Final = 255  # RFC 2402 s.2.4: 1-255 reserved, 0 never on the wire
AH_ICV_96: Final = 12  # octets of a truncated MAC, RFC 2403, RFC 2404
