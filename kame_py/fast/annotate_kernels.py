# SPDX-License-Identifier: BSD-3-Clause
"""``annotate`` as a kernel: the same columns as annotate_twin.py, which is the one to read first.

Nothing outside a packet is read: each offset is checked against the packet's end before it is used,
and every loop walks on by at least one octet.
"""

from __future__ import annotations

from typing import Final

from kame_py.fast.annotate_twin import ADDR_LEN, MH_LEN, OFFSET_MAX, RTHDR2_LEN
from kame_py.fast.batch import (
    F_AH,
    F_DSTOPT,
    F_ESP,
    F_EXTRA,
    F_FRAG,
    F_HAO,
    F_HBH,
    F_IP6,
    F_MCAST,
    F_MIP6OPT,
    F_PUNT,
    F_RTHDR,
    F_SUMMED,
    F_SUMOK,
    F_TUNNEL,
    I64,
    P_ADDRESS,
    P_BINDING,
    P_CHECKSUM,
    P_EXTHDR,
    P_FRAG,
    P_HBH,
    P_ICMP6,
    P_JUMBO,
    P_LINK,
    P_MCAST,
    P_MIXED,
    P_ND,
    P_NONE,
    P_NOTIP6,
    P_OPTION,
    P_RTHDR,
    P_SHORT,
    P_TOOBIG,
    U8,
    U16,
    U32,
)
from kame_py.fast.cksum_kernels import fold, part
from kame_py.fast.intrin import STRETCH, base, be16, be32, be64, le32, prefetch_far, signed, u8
from kame_py.fast.jit import inlined, kernel
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import (
    Icmp6Hdr,
    Ip6Dest,
    Ip6Ext,
    Ip6Frag,
    Ip6Hdr,
    Ip6Opt,
    Ip6Rthdr,
    Ip6Rthdr0,
    Tcphdr,
    Udphdr,
)
from kame_py.wire.const import (
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    IP6F_OFF_MASK,
    IP6OPT_BINDING_ACK,
    IP6OPT_BINDING_REQ,
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
    IP6OPT_PAD1,
    IP6OPT_TYPE_MASK,
    IP6OPT_TYPE_SKIP,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_MH,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_HDRNESTLIMIT,
    IPV6_RTHDR_TYPE_0,
    IPV6_RTHDR_TYPE_2,
    IPV6_VERSION,
    IPV6_VERSION_MASK,
    ND_REDIRECT,
    ND_ROUTER_SOLICIT,
)

_HDR: Final = Ip6Hdr.SIZE
_FLOW: Final = Ip6Hdr.O_ip6_flow
_PLEN: Final = Ip6Hdr.O_ip6_plen
_NXT: Final = Ip6Hdr.O_ip6_nxt
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_ADDRS: Final = 2 * ADDR_LEN
_EXT_NXT: Final = Ip6Ext.O_ip6e_nxt
_EXT_LEN: Final = Ip6Ext.O_ip6e_len
_EXT: Final = Ip6Ext.SIZE
_FRAG: Final = Ip6Frag.SIZE
_FRAG_OFFLG: Final = Ip6Frag.O_ip6f_offlg
_DEST: Final = Ip6Dest.SIZE
_OPT: Final = Ip6Opt.SIZE
_OPT_TYPE: Final = Ip6Opt.O_ip6o_type
_OPT_LEN: Final = Ip6Opt.O_ip6o_len
_RTHDR_TYPE: Final = Ip6Rthdr.O_ip6r_type
_SEGLEFT: Final = Ip6Rthdr.O_ip6r_segleft
_RTHDR0: Final = Ip6Rthdr0.SIZE
_TCP: Final = Tcphdr.SIZE
_UDP: Final = Udphdr.SIZE
_ULEN: Final = Udphdr.O_uh_ulen
_USUM: Final = Udphdr.O_uh_sum
_ICMP6: Final = Icmp6Hdr.SIZE
_ICMP6_TYPE: Final = Icmp6Hdr.O_icmp6_type
_MH: Final = MH_LEN

_ETHERNET: Final = pcapfmt.LINKTYPE_ETHERNET
_SLL: Final = pcapfmt.LINKTYPE_LINUX_SLL
_SLL2: Final = pcapfmt.LINKTYPE_LINUX_SLL2
_IPV6: Final = pcapfmt.LINKTYPE_IPV6
_RAW: Final = pcapfmt.LINKTYPE_RAW
_RAW12: Final = pcapfmt.LINKTYPE_RAW12
_RAW14: Final = pcapfmt.LINKTYPE_RAW14
_NULL: Final = pcapfmt.LINKTYPE_NULL
_LOOP: Final = pcapfmt.LINKTYPE_LOOP
_ETHER_TYPE: Final = pcapfmt.ETHER_TYPE
_ETHER: Final = pcapfmt.ETHER_LEN
_SLL_TYPE: Final = pcapfmt.SLL_PROTOCOL
_SLL_LEN: Final = pcapfmt.SLL_LEN
_SLL2_TYPE: Final = pcapfmt.SLL2_PROTOCOL
_SLL2_LEN: Final = pcapfmt.SLL2_LEN
_NULL_LEN: Final = pcapfmt.NULL_LEN
_FAMILY_MAX: Final = pcapfmt.FAMILY_MAX
_AF_INET: Final = pcapfmt.AF_INET
_AF_INET6: Final = tuple(sorted(pcapfmt.AF_INET6_ANY))
_IP6_TYPE: Final = pcapfmt.ETHERTYPE_IPV6
_IP4: Final = 4
_IP6: Final = 6

# What _address finds
_HOST: Final = 0
_ODD: Final = 1  # no address of packets between hosts
_GROUP: Final = 2
_ZONE: Final = 4  # octets where the kernel keeps a zone


@inlined
def _ethertype(arena: int, at: int, size: int, off: int, need: int) -> int:
    if size < need:
        return -P_LINK
    return need if be16(arena, at + off) == _IP6_TYPE else -P_NOTIP6


@inlined
def _family(arena: int, at: int, size: int) -> int:
    if size < _NULL_LEN:
        return -P_LINK
    family = be32(arena, at)
    if family > _FAMILY_MAX:
        family = le32(arena, at)
    if family in _AF_INET6:
        return _NULL_LEN
    return -P_NOTIP6 if family == _AF_INET else -P_LINK


@inlined
def _link(arena: int, at: int, size: int, linktype: int) -> int:
    """Octets before the IPv6 header, or minus the reason why there is none."""
    if linktype == _ETHERNET:
        return _ethertype(arena, at, size, _ETHER_TYPE, _ETHER)
    if linktype == _SLL:
        return _ethertype(arena, at, size, _SLL_TYPE, _SLL_LEN)
    if linktype == _SLL2:
        return _ethertype(arena, at, size, _SLL2_TYPE, _SLL2_LEN)
    if linktype in (_NULL, _LOOP):
        return _family(arena, at, size)
    if linktype == _IPV6:
        return 0 if size else -P_LINK
    if linktype in (_RAW, _RAW12, _RAW14) and size:
        version = u8(arena, at) >> 4
        if version == _IP6:
            return 0
        return -P_NOTIP6 if version == _IP4 else -P_LINK
    return -P_LINK


@inlined
def _header(arena: int, at: int, size: int) -> int:
    """Why this is not a whole packet."""
    if size < _HDR:
        return P_SHORT
    if u8(arena, at + _FLOW) & IPV6_VERSION_MASK != IPV6_VERSION:
        return P_NOTIP6
    plen = be16(arena, at + _PLEN)
    if plen == 0 and u8(arena, at + _NXT) == IPPROTO_HOPOPTS:
        return P_JUMBO
    return P_SHORT if _HDR + plen > size else P_NONE


@inlined
def _address(arena: int, at: int) -> int:
    """Bits of what is odd about an address."""
    high = be64(arena, at)
    if high == 0:
        return _ODD
    first = high >> 48 & 0xFFFF
    if first < 0xFE80:
        return _HOST
    zone = _ZONE if high >> 32 & 0xFFFF else 0
    if first >= 0xFF00:
        return _ODD | _GROUP | (zone if first & 0x0F in (1, 2) else 0)
    return _ODD | zone if first < 0xFEC0 else _HOST


@inlined
def _options(arena: int, p: int, off: int, end: int, hao: int) -> tuple[int, int, int, bool]:
    """Flags, why, home address option, and whether it can be the source of a checksum."""
    flags, why, clear = 0, P_NONE, True
    while off < end:
        kind = u8(arena, p + off + _OPT_TYPE)
        if kind == IP6OPT_PAD1:
            off += 1
            continue
        if end - off < _OPT or u8(arena, p + off + _OPT_LEN) > end - off - _OPT:
            return flags, why if why else P_OPTION, hao, clear
        size = u8(arena, p + off + _OPT_LEN)
        found = P_NONE
        if kind == IP6OPT_HOME_ADDRESS:
            if size != ADDR_LEN or hao:
                found, clear = P_OPTION, False
            else:
                flags |= F_HAO
                hao = off + _OPT
                if _address(arena, p + hao):
                    found = P_ADDRESS
        elif kind in (IP6OPT_BINDING_ACK, IP6OPT_BINDING_REQ, IP6OPT_BINDING_UPDATE):
            flags |= F_MIP6OPT
            found = P_BINDING
        elif kind & IP6OPT_TYPE_MASK != IP6OPT_TYPE_SKIP:
            found = P_OPTION
        if why == P_NONE:
            why = found
        off += _OPT + size
    return flags, why, hao, clear


@inlined
def _routing(arena: int, p: int, off: int, size: int) -> tuple[int, int, bool]:
    """Why; the last address while segments are left; whether a checksum can be told."""
    kind, left = u8(arena, p + off + _RTHDR_TYPE), u8(arena, p + off + _SEGLEFT)
    last = off + size - ADDR_LEN if left else 0
    if kind == IPV6_RTHDR_TYPE_2 and size == RTHDR2_LEN and left <= 1:
        return P_ADDRESS if left and _address(arena, p + last) else P_NONE, last, True
    if kind == IPV6_RTHDR_TYPE_0 and size % ADDR_LEN == _RTHDR0 and left <= size // ADDR_LEN:
        return P_RTHDR, last, True
    return P_RTHDR, 0, left == 0


@inlined
def _transport(arena: int, at: int, size: int, nxt: int) -> tuple[int, bool]:
    """Why; whether there is a checksum."""
    if nxt == IPPROTO_TCP:
        return (P_NONE, True) if size >= _TCP else (P_SHORT, False)
    if nxt == IPPROTO_UDP:
        if size < _UDP or be16(arena, at + _ULEN) != size:
            return P_SHORT, False
        return P_NONE, True
    if nxt == IPPROTO_ICMPV6:
        if size < _ICMP6:
            return P_SHORT, False
        kind = u8(arena, at + _ICMP6_TYPE)
        if ND_ROUTER_SOLICIT <= kind <= ND_REDIRECT:
            return P_ND, True
        return P_NONE if kind in (ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY) else P_ICMP6, True
    if nxt == IPPROTO_MH:
        return (P_BINDING, True) if size >= _MH else (P_SHORT, False)
    return P_NONE, False


@inlined
def _right(arena: int, p: int, src: int, dst: int, off: int, size: int, nxt: int) -> bool:
    """The transport checksum is right; src, dst: where the addresses of its pseudo-header are."""
    if nxt == IPPROTO_UDP and be16(arena, p + off + _USUM) == 0:
        return False
    swapped = (size & 0xFF) << 8 | size >> 8
    if off == _HDR:
        total = part(arena, p + src, _ADDRS + size)
    elif src == _SRC and dst == _DST:
        total = part(arena, p + src, _ADDRS) + part(arena, p + off, size)
    else:
        total = part(arena, p + src, ADDR_LEN) + part(arena, p + dst, ADDR_LEN)
        total += part(arena, p + off, size)
    return fold(total + swapped + (nxt << 8)) == 0


@kernel
def annotate_batch(
    arena: U8,
    n: int,
    linktype: int,
    verify: bool,
    off: I64,
    caplen: U32,
    l3: U16,
    flags: U32,
    nxt: U8,
    upper: U16,
    hao: U16,
    rthdr: U16,
    ipsec: U16,
    why: U8,
) -> None:
    """Fill the columns of ``n`` packets."""
    start, octets = base(arena), len(arena)
    fetched = off[n - 1] + signed(caplen[n - 1]) if n else 0
    span = fetched - off[0] if n else 0
    for i in range(n):
        while fetched < off[i] + span:
            prefetch_far(start, fetched)
            fetched += STRETCH
        row = _one(start, octets, off[i], signed(caplen[i]), linktype, verify)
        l3[i], flags[i], nxt[i], upper[i], hao[i], rthdr[i], ipsec[i], why[i] = row


@inlined
def _one(
    arena: int, octets: int, at: int, size: int, linktype: int, verify: bool
) -> tuple[int, int, int, int, int, int, int, int]:
    """The columns of one packet, in the order of the batch."""
    if at < 0 or at > octets - size:
        return 0, F_PUNT, 0, 0, 0, 0, 0, P_LINK
    head = _link(arena, at, size, linktype)
    if head < 0:
        return 0, F_PUNT, 0, 0, 0, 0, 0, -head
    p, have = at + head, size - head
    bad = _header(arena, p, have)
    if bad:
        return head, F_PUNT, 0, 0, 0, 0, 0, bad
    end = _HDR + be16(arena, p + _PLEN)
    flags = F_IP6 if have == end else F_IP6 | F_EXTRA
    src, dst = _address(arena, p + _SRC), _address(arena, p + _DST)
    why = P_ADDRESS if src or dst == _ODD or dst == _ODD | _ZONE else P_NONE
    if dst & _GROUP:
        flags |= F_MCAST
        why = why if why else P_MCAST
    if end > OFFSET_MAX:
        return head, flags | F_PUNT, 0, 0, 0, 0, 0, why if why else P_TOOBIG
    return _walk(arena, p, end, head, flags, why, verify)


@inlined
def _exthdr_len(arena: int, p: int, nxt: int, off: int, end: int) -> int:
    """Octets of the extension header at ``off``; 0: it is none, -1: it does not fit."""
    if nxt == IPPROTO_FRAGMENT:
        size = _FRAG
    elif nxt in (IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_AH):
        if end - off < _EXT:
            return -1
        size = u8(arena, p + off + _EXT_LEN)
        size = (size + 2) << 2 if nxt == IPPROTO_AH else (size + 1) << 3
    else:
        return 0
    return size if size <= end - off else -1


@inlined
def _walk(
    arena: int, p: int, end: int, head: int, flags: int, why: int, verify: bool
) -> tuple[int, int, int, int, int, int, int, int]:
    """From the end of the IPv6 header on. Source: KAME ip6_input.c ip6_nexthdr."""
    nxt, off = u8(arena, p + _NXT), _HDR
    src, dst = _SRC, _DST
    hao = rthdr = ipsec = walked = 0
    later = False
    size = _exthdr_len(arena, p, nxt, off, end)
    while size > 0 and walked < IPV6_HDRNESTLIMIT and not later:
        found, clear = P_NONE, True
        if nxt == IPPROTO_DSTOPTS:
            more, found, hao, clear = _options(arena, p, off + _DEST, off + size, hao)
            flags |= F_DSTOPT | more
            src = hao if hao else src
        elif nxt == IPPROTO_ROUTING:
            last = 0
            found, clear = P_RTHDR, False
            if not rthdr:
                rthdr = off
                found, last, clear = _routing(arena, p, off, size)
            flags |= F_RTHDR
            found = P_MIXED if hao else found
            dst = last if last else dst
        elif nxt == IPPROTO_HOPOPTS:
            flags, found = flags | F_HBH, P_HBH
        elif nxt == IPPROTO_FRAGMENT:
            flags, found = flags | F_FRAG, P_FRAG
            later = be16(arena, p + off + _FRAG_OFFLG) & IP6F_OFF_MASK != 0
        else:
            flags |= F_AH
            ipsec = ipsec if ipsec else off
        verify = verify and clear
        why = why if why else found
        nxt = u8(arena, p + off + _EXT_NXT)
        off += size
        walked += 1
        size = _exthdr_len(arena, p, nxt, off, end)
    if size and not later:
        why = why if why else P_EXTHDR
    elif not flags & F_FRAG:
        if nxt == IPPROTO_ESP:
            flags |= F_ESP
            ipsec = ipsec if ipsec else off
        more, why = _upper(arena, p, src, dst, off, end - off, nxt, why, verify)
        flags |= more
    return head, flags | (F_PUNT if why else 0), nxt, off, hao, rthdr, ipsec, why


@inlined
def _upper(
    arena: int,
    p: int,
    src: int,
    dst: int,
    off: int,
    size: int,
    nxt: int,
    why: int,
    verify: bool,
) -> tuple[int, int]:
    """Flags and why of the upper protocol; src and dst as for ``_right``."""
    flags = F_TUNNEL if nxt == IPPROTO_IPV6 else 0
    found, summed = _transport(arena, p + off, size, nxt)
    why = why if why else found
    if verify and summed and not (_address(arena, p + src) | _address(arena, p + dst)) & _ZONE:
        flags |= F_SUMMED
        if _right(arena, p, src, dst, off, size, nxt):
            flags |= F_SUMOK
        else:
            why = why if why else P_CHECKSUM
    return flags, why
