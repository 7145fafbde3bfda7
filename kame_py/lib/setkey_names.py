# SPDX-License-Identifier: BSD-3-Clause
"""Names that a setkey script may use: upper layers, services, algorithms, words with a meaning.

KAME: token.l, and what getprotobyname(3) and getservbyname(3) find in FreeBSD 4's /etc.
Deviates: a program here has no /etc, so the tables are part of it, services only those that exist
over IPv6; algorithms of later KAME; names that setkey's manual or samples used and that no kernel
here has are known, to be refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from kame_py.wire import pfkeyv2 as k

IPPROTO_IPV4: Final = 4
IPPROTO_ICMPV6: Final = 58


def _table(text: str) -> dict[str, int]:
    words = text.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


PROTOCOLS: Final[Mapping[str, int]] = _table("""
ip 0 icmp 1 igmp 2 ggp 3 ipencap 4 st2 5 tcp 6 cbt 7 egp 8 igp 9 bbn-rcc 10 nvp 11 pup 12 argus 13
emcon 14 xnet 15 chaos 16 udp 17 mux 18 dcn 19 hmp 20 prm 21 xns-idp 22 trunk-1 23 trunk-2 24
leaf-1 25 leaf-2 26 rdp 27 irtp 28 iso-tp4 29 netblt 30 mfe-nsp 31 merit-inp 32 sep 33 3pc 34
idpr 35 xtp 36 ddp 37 idpr-cmtp 38 il 40 ipv6 41 sdrp 42 ipv6-route 43 ipv6-frag 44 idrp 45 rsvp 46
gre 47 mhrp 48 bna 49 esp 50 ah 51 i-nlsp 52 swipe 53 narp 54 mobile 55 tlsp 56 skip 57
ipv6-icmp 58 ipv6-nonxt 59 ipv6-opts 60 cftp 62 sat-expak 64 kryptolan 65 rvd 66 ippc 67 sat-mon 69
visa 70 ipcv 71 cpnx 72 cphb 73 wsn 74 pvp 75 br-sat-mon 76 sun-nd 77 wb-mon 78 wb-expak 79
iso-ip 80 vmtp 81 secure-vmtp 82 vines 83 ttp 84 nsfnet-igp 85 dgp 86 tcf 87 eigrp 88 ospf 89
sprite-rpc 90 larp 91 mtp 92 ax.25 93 ipip 94 micp 95 scc-sp 96 etherip 97 encap 98 gmtp 100
ifmp 101 pnni 102 pim 103 aris 104 scps 105 qnx 106 ipcomp 108 snp 109 compaq-peer 110
ipx-in-ip 111 vrrp 112 pgm 113 l2tp 115 ddx 116 iatp 117 stp 118 srp 119 uti 120 smp 121 sm 122
ptp 123 isis 124 fire 125 crtp 126 crudp 127 sccopmce 128 iplt 129 sps 130 pipe 131 sctp 132 fc 133
divert 254
""")
_PROTOCOL_WORDS: Final = {number: word for word, number in PROTOCOLS.items()}
#: What setkey calls these itself.
_OWN_WORDS: Final = {"icmp6": IPPROTO_ICMPV6, "ip4": IPPROTO_IPV4}
_OWN_NAMES: Final = {number: word for word, number in _OWN_WORDS.items()}
_OWN_NAMES[k.IPSEC_ULPROTO_ANY] = "any"

SERVICES: Final[Mapping[str, int]] = _table("""
tcpmux 1 echo 7 discard 9 systat 11 daytime 13 netstat 15 chargen 19 ftp-data 20 ftp 21 ssh 22
telnet 23 smtp 25 time 37 nicname 43 whois 43 tacacs 49 domain 53 tftp 69 gopher 70 finger 79
http 80 www 80 kerberos 88 kerberos-sec 88 pop2 109 pop3 110 sunrpc 111 rpcbind 111 auth 113
ident 113 nntp 119 ntp 123 imap 143 imap4 143 snmp 161 snmptrap 162 xdmcp 177 bgp 179 irc 194
imap3 220 ldap 389 https 443 microsoft-ds 445 kpasswd 464 isakmp 500 exec 512 biff 512 comsat 512
login 513 who 513 whod 513 shell 514 cmd 514 syslog 514 printer 515 spooler 515 talk 517 ntalk 518
ripng 521 timed 525 dhcpv6-client 546 dhcpv6-server 547 afpovertcp 548 submission 587 ipp 631
ldaps 636 kerberos-adm 749 rsync 873 telnets 992 imaps 993 pop3s 995 socks 1080 nfs 2049 nfsd 2049
cvspserver 2401 mysql 3306 postgresql 5432 x11 6000 cfengine 5308 zebra 2600 ripd 2602 ripngd 2603
ospf6d 2606 bgpd 2605 radius 1812 radacct 1813
""")


def protocol_number(name: str) -> int | None:
    """The number of an upper layer; /etc/protocols has each name in capitals as well."""
    own = _OWN_WORDS.get(name)
    if own is not None:
        return own
    number = PROTOCOLS.get(name)
    return PROTOCOLS.get(name.lower()) if number is None and name.isupper() else number


def protocol_name(number: int) -> str:
    """What a dump of policies calls an upper layer."""
    return _OWN_NAMES.get(number) or _PROTOCOL_WORDS.get(number, str(number))


class Algorithm(NamedTuple):
    """An algorithm as a script names it.

    number 0: none here has it. keyless: the key may be left out. flag: SADB_X_EXT_DERIV or _IV4B.
    """

    number: int
    keyless: bool = False
    flag: int = k.SADB_X_EXT_NONE


AUTH_ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "hmac-md5": Algorithm(k.SADB_AALG_MD5HMAC),
    "hmac-sha1": Algorithm(k.SADB_AALG_SHA1HMAC),
    "hmac-ripemd160": Algorithm(k.SADB_X_AALG_RIPEMD160HMAC),
    "hmac-sha2-256": Algorithm(k.SADB_X_AALG_SHA2_256),
    "hmac-sha2-384": Algorithm(k.SADB_X_AALG_SHA2_384),
    "hmac-sha2-512": Algorithm(k.SADB_X_AALG_SHA2_512),
    "hmac-sha2-256-96": Algorithm(k.SADB_X_AALG_SHA2_256_96),
    "hmac-sha2-384-96": Algorithm(k.SADB_X_AALG_SHA2_384_96),
    "hmac-sha2-512-96": Algorithm(k.SADB_X_AALG_SHA2_512_96),
    "aes-xcbc-mac": Algorithm(k.SADB_X_AALG_AES_XCBC_MAC),
    "keyed-md5": Algorithm(k.SADB_X_AALG_MD5),
    "keyed-sha1": Algorithm(k.SADB_X_AALG_SHA),
    "null": Algorithm(k.SADB_X_AALG_NULL, keyless=True),
}
ENC_ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "des-cbc": Algorithm(k.SADB_EALG_DESCBC),
    "3des-cbc": Algorithm(k.SADB_EALG_3DESCBC),
    "simple": Algorithm(k.SADB_EALG_NULL, keyless=True),
    "null": Algorithm(k.SADB_EALG_NULL, keyless=True),
    "blowfish-cbc": Algorithm(k.SADB_X_EALG_BLOWFISHCBC),
    "cast128-cbc": Algorithm(k.SADB_X_EALG_CAST128CBC),
    "rijndael-cbc": Algorithm(k.SADB_X_EALG_AES),
    "aes-cbc": Algorithm(k.SADB_X_EALG_AES),
    "twofish-cbc": Algorithm(k.SADB_X_EALG_TWOFISHCBC),
    "des-deriv": Algorithm(k.SADB_EALG_DESCBC, flag=k.SADB_X_EXT_DERIV),
    "des-32iv": Algorithm(k.SADB_EALG_DESCBC, flag=k.SADB_X_EXT_IV4B),
    "3des-deriv": Algorithm(0),
    "rc5-cbc": Algorithm(0),
}
COMP_ALGORITHMS: Final[Mapping[str, int]] = {
    "oui": k.SADB_X_CALG_OUI,
    "deflate": k.SADB_X_CALG_DEFLATE,
    "lzs": k.SADB_X_CALG_LZS,
}

#: Names in a dump, by number; others are shown as their number.
AUTH_WORDS: Final[Mapping[int, str]] = {
    k.SADB_AALG_NONE: "none",
    **{alg.number: word for word, alg in AUTH_ALGORITHMS.items()},
    k.SADB_X_AALG_MD5: "md5",
    k.SADB_X_AALG_SHA: "sha",
}
ENC_WORDS: Final[Mapping[int, str]] = {
    k.SADB_EALG_NONE: "none",
    k.SADB_EALG_DESCBC: "des-cbc",
    k.SADB_EALG_3DESCBC: "3des-cbc",
    k.SADB_EALG_NULL: "null",
    k.SADB_X_EALG_CAST128CBC: "cast128-cbc",
    k.SADB_X_EALG_BLOWFISHCBC: "blowfish-cbc",
    k.SADB_X_EALG_AES: "rijndael-cbc",
    k.SADB_X_EALG_TWOFISHCBC: "twofish-cbc",
}
COMP_WORDS: Final[Mapping[int, str]] = {n: word for word, n in COMP_ALGORITHMS.items()}
MODE_WORDS: Final[Mapping[int, str]] = {
    k.IPSEC_MODE_ANY: "any",
    k.IPSEC_MODE_TRANSPORT: "transport",
    k.IPSEC_MODE_TUNNEL: "tunnel",
}
STATE_WORDS: Final[Mapping[int, str]] = {
    k.SADB_SASTATE_LARVAL: "larval",
    k.SADB_SASTATE_MATURE: "mature",
    k.SADB_SASTATE_DYING: "dying",
    k.SADB_SASTATE_DEAD: "dead",
}
SATYPE_WORDS: Final[Mapping[int, str]] = {
    k.SADB_SATYPE_UNSPEC: "unspec",
    k.SADB_SATYPE_AH: "ah",
    k.SADB_SATYPE_ESP: "esp",
    k.SADB_SATYPE_RSVP: "rsvp",
    k.SADB_SATYPE_OSPFV2: "ospfv2",
    k.SADB_SATYPE_RIPV2: "ripv2",
    k.SADB_SATYPE_MIP: "mip",
    k.SADB_X_SATYPE_IPCOMP: "ipcomp",
}
