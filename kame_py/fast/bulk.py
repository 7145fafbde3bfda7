# SPDX-License-Identifier: BSD-3-Clause
"""Which packets change no state, and what becomes of them.

KAME counterpart: the straight way through if_ethersubr.c, ip6_input.c, ip6_forward.c,
mip6_binding.c (mip6_tunnel_output), ip6_output.c. ``classify`` says what becomes of each packet of
a batch, as long as the tables stay as they are; emit.py does it for a run of them. Whatever is not
plainly the same as on the slow path is A_PUNT. Tables: lower.py, layout.py; primitives: ldst.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from kame_py.fast.batch import (
    P_ADDRESS,
    P_CHECKSUM,
    P_HBH,
    P_HLIM,
    P_ICMP6,
    P_LINK,
    P_MCAST,
    P_ND,
    P_NEIGHBOUR,
    P_NOTIP6,
    P_POLICY,
    P_REDIRECT,
    P_SHORT,
    P_TOOBIG,
)
from kame_py.fast.layout import (
    A_ECHO,
    A_FORWARD,
    A_MCAST,
    A_MISS,
    A_NOTFORUS,
    A_NOTOURS,
    A_OWN,
    A_PUNT,
    A_ROUTED,
    A_ROUTED_HAO,
    A_TUNNEL,
    A_TYPE,
    A_TYPE_GROUP,
    ADJ_SHIFT,
    BIND_LOW,
    BIND_SHIFT,
    BYTE,
    E_ANYGROUP,
    E_ANYMAC,
    E_CLOSED,
    E_DECAP,
    E_ECHO,
    E_END,
    E_HAO,
    E_LINK,
    E_MAC,
    E_MACS,
    E_PROTOS,
    E_TOUCHED,
    END_SHIFT,
    GO_ON,
    HALF,
    HAO_LEN,
    HAO_PAD,
    HOA_AT,
    J_DEAD,
    J_FORWARD_MAX,
    J_GOOD,
    J_REDIRECT,
    J_SIZE,
    J_STATE,
    J_TUNNEL_MAX,
    K_DEAD,
    K_FORWARD,
    K_LOCAL,
    K_NOTOURS,
    K_TUNNEL,
    KIND_MASK,
    NEIGHBOUR,
    R_BC,
    R_BIND,
    R_COA0,
    R_COA1,
    R_INFO,
    R_KEY0,
    R_KEY1,
    R_SEND,
    T_ACT,
    T_ADJ,
    T_ENDS,
    T_ENV,
    T_INDEX,
    T_ROWS,
    WHY_SHIFT,
)
from kame_py.fast.ldst import (
    base,
    be16,
    half,
    inlined,
    kernel,
    ld8,
    ld32,
    ld64,
    opened,
    place,
    st8,
    word,
)
from kame_py.fast.rowtable import find
from kame_py.wire.codecs import EtherHeader, Icmp6Hdr, Ip6Hdr, Ip6Opt, Ip6OptHomeAddress, Ip6Rthdr0
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    ICMP6_ECHO_REQUEST,
    IP6OPT_HOME_ADDRESS,
    IP6OPT_PADN,
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPV6_VERSION,
    ND_MAX_HLIM,
)

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, U32
    from kame_py.fast.places import Base, Places

assert sys.byteorder == "little", "the kernels load words as they lie"

_DHOST: Final = EtherHeader.O_ether_dhost
_SHOST: Final = EtherHeader.O_ether_shost
_TYPE: Final = EtherHeader.O_ether_type
_ETHER: Final = EtherHeader.SIZE
_MAC: Final = (1 << 48) - 1
_GROUP: Final = 1  # of a MAC address, in the first octet
_HDR: Final = Ip6Hdr.SIZE
_FLOW: Final = Ip6Hdr.O_ip6_flow
_PLEN: Final = Ip6Hdr.O_ip6_plen
_NXT: Final = Ip6Hdr.O_ip6_nxt
_HLIM: Final = Ip6Hdr.O_ip6_hlim
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_TYPE6: Final = Icmp6Hdr.O_icmp6_type
_HDR6: Final = Icmp6Hdr.SIZE
_SUM: Final = 0xFFFF
_U32: Final = 0xFFFFFFFF
_WORD: Final = 8
_DST8: Final = _DST + _WORD  # its second half
_NO_FRAME: Final = 1 << 32  # octets: no frame has so many
_IP6_MASK: Final = 0xF0FFFF  # link type and version as they are loaded
_IP6_WORD: Final = ETHERTYPE_IPV6 >> 8 | (ETHERTYPE_IPV6 & 0xFF) << 8 | IPV6_VERSION << 16
_ODD: Final = 0xFE  # first octet of link-local and site-local addresses; groups have 0xFF
_VERSION: Final = IPV6_VERSION >> 4
_LL_MASK: Final = 0xC0FF  # fe80::/10 as its first two octets are loaded
_LL: Final = 0x80FE
_MULTICAST: Final = 0xFF
_HOA_LEN: Final = Ip6OptHomeAddress.SIZE - Ip6OptHomeAddress.O_ip6oh_addr
#: Such a header in front of ICMPv6 as its first word is loaded, but for what the padding holds.
_HAO_WORD: Final = (
    IPPROTO_ICMPV6
    | ((HAO_LEN >> 3) - 1) << 8
    | IP6OPT_PADN << 16
    | (HAO_PAD - Ip6Opt.SIZE) << 24
    | IP6OPT_HOME_ADDRESS << 48
    | _HOA_LEN << 56
)
_HAO_MASK: Final = 0xFFFFFFFF | 0xFFFF << 48
_RTHDR: Final = Ip6Rthdr0.SIZE + _HOA_LEN  # octets of a routing header with one address


@inlined
def odd(address: int) -> bool:
    """Addresses with a zone, groups, ::/64 with what is mapped there: the slow path knows them."""
    return address == 0 or address & BYTE == _MULTICAST or address & _LL_MASK == _LL


@inlined
def group_look(env: Base, dhost: int, ip6: bool) -> int:
    """A frame to a group: joined or not; IPv6 in it is for the slow path."""
    joined = dhost == _MAC
    if word(env, E_ANYGROUP) != 0 and not joined:
        return A_PUNT | P_MCAST << WHY_SHIFT
    for k in range(E_MACS, word(env, E_END)):
        joined = joined or word(env, k) == dhost
    if joined:
        return A_PUNT | P_MCAST << WHY_SHIFT if ip6 else A_TYPE_GROUP
    return A_MCAST


@inlined
def header_look(arena: Base, p: int, left: int) -> int:
    """An IPv6 header at ``p`` and all that it says; addresses that anybody may have."""
    if left < _HDR:
        return A_PUNT | P_SHORT << WHY_SHIFT
    if ld8(arena, p + _FLOW) >> 4 != _VERSION:
        return A_PUNT | P_NOTIP6 << WHY_SHIFT
    if _HDR + be16(arena, p + _PLEN) > left:
        return A_PUNT | P_SHORT << WHY_SHIFT
    if ld8(arena, p + _NXT) == IPPROTO_HOPOPTS:
        return A_PUNT | P_HBH << WHY_SHIFT
    if odd(ld64(arena, p + _SRC)) or odd(ld64(arena, p + _DST)):
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    return GO_ON


@inlined
def first_look(arena: Base, off: int, caplen: int, env: Base) -> int:
    """What can be said without the table: action | reason << WHY_SHIFT; GO_ON."""
    closed = word(env, E_CLOSED)
    if word(env, E_LINK) == 0:
        if closed != 0:
            return A_PUNT | closed << WHY_SHIFT
        return header_look(arena, off, caplen)
    if caplen < _ETHER:
        return A_PUNT | P_SHORT << WHY_SHIFT
    mine = word(env, E_MAC)
    if ld64(arena, off + _SHOST) & _MAC == mine:
        return A_OWN
    if closed != 0:
        return A_PUNT | closed << WHY_SHIFT
    dhost = ld64(arena, off + _DHOST) & _MAC
    ip6 = be16(arena, off + _TYPE) == ETHERTYPE_IPV6
    if dhost != mine:
        if dhost & _GROUP:
            return group_look(env, dhost, ip6)
        return A_PUNT | P_LINK << WHY_SHIFT if word(env, E_ANYMAC) else A_NOTFORUS
    if not ip6:
        return A_TYPE
    return header_look(arena, off + _ETHER, caplen - _ETHER)


@inlined
def may_send(arena: Base, p: int, info: int, adj: Base) -> int:
    """The packet at ``p`` goes by a row that says ``info``: A_TUNNEL or A_FORWARD, or why not."""
    kind = info & KIND_MASK
    if kind == K_DEAD:
        return A_MISS
    if kind != K_TUNNEL and kind != K_FORWARD:  # noqa: PLR1714 - numba makes two tests of it
        return A_PUNT | (info >> WHY_SHIFT & BYTE) << WHY_SHIFT
    hop = (info >> ADJ_SHIFT) * J_SIZE
    state = word(adj, hop + J_STATE)
    if state == J_DEAD:
        return A_MISS
    if state != J_GOOD:
        return A_PUNT | (state >> WHY_SHIFT) << WHY_SHIFT
    if ld8(arena, p + _HLIM) <= 1:
        return A_PUNT | P_HLIM << WHY_SHIFT
    size = _HDR + be16(arena, p + _PLEN)
    if kind == K_TUNNEL:
        if ld8(arena, p + _NXT) == IPPROTO_ICMPV6 and ld8(arena, p + _HLIM) == ND_MAX_HLIM:
            return A_PUNT | P_ND << WHY_SHIFT  # a solicitation, perhaps
        if size + _HDR > word(adj, hop + J_TUNNEL_MAX):
            return A_PUNT | P_TOOBIG << WHY_SHIFT
        return A_TUNNEL
    if size > word(adj, hop + J_FORWARD_MAX):
        return A_PUNT | P_TOOBIG << WHY_SHIFT
    return A_FORWARD


@inlined
def redirected(arena: Base, p: int, info: int, tables: Places) -> int:
    """A packet that is forwarded by a row that says ``info``: GO_ON if its sender need not know."""
    if word(place(tables, T_ADJ), (info >> ADJ_SHIFT) * J_SIZE + J_REDIRECT) == 0:
        return GO_ON
    sender = look_up(tables, ld64(arena, p + _SRC), ld64(arena, p + _SRC + _WORD))
    what = word(place(tables, T_ROWS), sender + R_INFO)
    if what & KIND_MASK == K_DEAD:
        return A_MISS
    return A_PUNT | P_REDIRECT << WHY_SHIFT if what & NEIGHBOUR else GO_ON


@inlined
def look_up(tables: Places, k0: int, k1: int) -> int:
    """First word of the row of an address; that of none is dead."""
    return find(place(tables, T_ROWS), place(tables, T_INDEX), place(tables, T_ENV), k0, k1)


@inlined
def decap_look(arena: Base, p: int, own: int, tables: Places) -> int:
    """A packet to this node: does it come out of a mobile node's tunnel? GO_ON: it does.

    own: the row of its destination.
    """
    rows, ends, env = place(tables, T_ROWS), place(tables, T_ENDS), place(tables, T_ENV)
    why = word(rows, own + R_INFO) >> WHY_SHIFT & BYTE
    if word(env, E_DECAP) == 0 or ld8(arena, p + _NXT) != IPPROTO_IPV6:
        return A_PUNT | why << WHY_SHIFT
    q = p + _HDR
    look = header_look(arena, q, be16(arena, p + _PLEN))
    if look != GO_ON:
        return look
    if ld8(arena, q + _NXT) == IPPROTO_ICMPV6 and ld8(arena, q + _HLIM) == ND_MAX_HLIM:
        return A_PUNT | P_ND << WHY_SHIFT
    node = look_up(tables, ld64(arena, q + _SRC), ld64(arena, q + _SRC + _WORD))
    if word(rows, node + R_INFO) & KIND_MASK == K_DEAD:
        return A_MISS
    if word(rows, node + R_INFO) & KIND_MASK != K_TUNNEL:
        return A_PUNT | why << WHY_SHIFT
    coa0, coa1 = ld64(arena, p + _SRC), ld64(arena, p + _SRC + _WORD)
    if word(rows, node + R_COA0) != coa0 or word(rows, node + R_COA1) != coa1:
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    end = (word(rows, node + R_INFO) >> END_SHIFT & HALF) * 2
    if word(ends, end) != word(rows, own + R_KEY0):
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    if word(ends, end + 1) != word(rows, own + R_KEY1):
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    return GO_ON


@inlined
def summed(arena: Base, src: int, dst: int, at: int, size: int) -> bool:
    """Whether the checksum of an ICMPv6 message at ``at`` is right; and where its addresses are."""
    total = (size >> 8 | (size & BYTE) << 8) + (IPPROTO_ICMPV6 << 8)
    for k in range(0, _DST - _SRC, 4):
        total += ld32(arena, src + k) + ld32(arena, dst + k)
    end = at + size
    while at + 4 <= end:
        total += ld32(arena, at)
        at += 4
    shift = 0
    while at < end:
        total += ld8(arena, at) << shift
        shift += 8
        at += 1
    total = (total & _U32) + (total >> 32)
    total = (total & _SUM) + (total >> 16)
    total = (total & _SUM) + (total >> 16)
    return (total & _SUM) + (total >> 16) == _SUM


@inlined
def home_option(arena: Base, p: int) -> bool:
    """A home address option, as it usually is, alone between the header at ``p`` and ICMPv6."""
    if (ld64(arena, p + _HDR) ^ _HAO_WORD) & _HAO_MASK != 0:
        return False
    return 0 < ld8(arena, p + HOA_AT) < _ODD


@inlined
def routed_look(arena: Base, p: int, size: int, sender: int, tables: Places) -> int:
    """An answer of ``size`` octets to the address of row ``sender``: A_ROUTED, or why not.

    It goes by way of the care-of address, if the binding is one of the address at ``p`` + _DST.
    """
    rows, ends, adj = place(tables, T_ROWS), place(tables, T_ENDS), place(tables, T_ADJ)
    bind = word(rows, sender + R_BIND)
    if bind == 0:
        return A_PUNT | P_ICMP6 << WHY_SHIFT
    end = (bind >> BIND_SHIFT) * 2
    if word(ends, end) != ld64(arena, p + _DST) or word(ends, end + 1) != ld64(arena, p + _DST8):
        return A_PUNT | P_ICMP6 << WHY_SHIFT
    last = (word(rows, sender + R_BC) >> BIND_SHIFT) * J_SIZE
    if word(adj, last + J_STATE) == J_DEAD:
        return A_MISS
    if size > word(adj, last + J_TUNNEL_MAX):
        return A_PUNT | P_TOOBIG << WHY_SHIFT
    return A_ROUTED


@inlined
def echo_look(arena: Base, p: int, src: int, skip: int, sender: int, tables: Places) -> int:
    """A ping to this node from the address at ``src``, row ``sender``: may it be answered here?

    skip: octets between the IPv6 header and the message.
    """
    rows, adj = place(tables, T_ROWS), place(tables, T_ADJ)
    size = be16(arena, p + _PLEN) - skip
    at = p + _HDR + skip
    if size < _HDR6 or ld8(arena, at + _TYPE6) != ICMP6_ECHO_REQUEST:
        return A_PUNT | P_ICMP6 << WHY_SHIFT
    if word(rows, sender + R_INFO) & KIND_MASK == K_DEAD:
        return A_MISS
    hop, total, done = word(rows, sender + R_SEND) - 1, _HDR + size, A_ECHO
    if hop < 0:
        total += _RTHDR
        look = routed_look(arena, p, total, sender, tables)
        if look != A_ROUTED:
            return look
        hop = (word(rows, sender + R_BIND) & BIND_LOW) - 1
        done = A_ROUTED if skip == 0 else A_ROUTED_HAO
    elif skip != 0:
        return A_PUNT | P_ICMP6 << WHY_SHIFT
    state = word(adj, hop * J_SIZE + J_STATE)
    if state == J_DEAD:
        return A_MISS
    if state != J_GOOD:
        return A_PUNT | P_NEIGHBOUR << WHY_SHIFT
    if total > word(adj, hop * J_SIZE + J_TUNNEL_MAX):
        return A_PUNT | P_TOOBIG << WHY_SHIFT
    return done if summed(arena, src, p + _DST, at, size) else A_PUNT | P_CHECKSUM << WHY_SHIFT


@kernel
def in_order(ts: I64, n: int, last_ns: int, stamps: I64) -> None:
    """Stamps that never go back, nor before ``last_ns``."""
    for i in range(n):
        last_ns = max(last_ns, int(ts[i]))
        stamps[i] = last_ns


@inlined
def plain(arena: Base, off: int, caplen: int, least: int, mine: int) -> bool:
    """``first_look`` has nothing against an Ethernet frame, told by as few tests as possible.

    least: octets that it has to have. mine: the node's MAC address.
    """
    if caplen < least:
        return False
    p = off + _ETHER
    strange = (ld64(arena, off) ^ mine) & _MAC | (ld32(arena, off + _TYPE) & _IP6_MASK) ^ _IP6_WORD
    if strange != 0 or ld64(arena, off + _SHOST) & _MAC == mine:
        return False
    if not (0 < ld8(arena, p + _SRC) < _ODD and 0 < ld8(arena, p + _DST) < _ODD):
        return False
    if ld8(arena, p + _NXT) == IPPROTO_HOPOPTS:
        return False
    return _ETHER + _HDR + be16(arena, p + _PLEN) <= caplen


@inlined
def protected(arena: Base, p: int, env: Base) -> bool:
    """Whether a policy of IPsec may have a say in the packet at ``p``, which this node sends on."""
    if word(env, E_TOUCHED) == 0:
        return False
    nxt = ld8(arena, p + _NXT)
    return word(env, E_PROTOS + (nxt >> 6)) >> (nxt & 63) & 1 != 0


@inlined
def asking(arena: Base, p: int, env: Base) -> tuple[int, int]:
    """ICMPv6 to this node, which answers: where its sender's address is; 0: not so.

    And how many octets are between the IPv6 header at ``p`` and the message.
    """
    nxt = ld8(arena, p + _NXT)
    if nxt == IPPROTO_ICMPV6:
        return (p + _SRC if word(env, E_ECHO) != 0 else 0), 0
    if nxt == IPPROTO_DSTOPTS and word(env, E_HAO) != 0 and home_option(arena, p):
        return p + HOA_AT, HAO_LEN
    return 0, 0


@inlined
def second_look(arena: Base, p: int, r: int, tables: Places) -> tuple[int, int, int]:
    """What the row at ``r`` says of a packet at ``p``: action | reason << WHY_SHIFT.

    And the row that says where it goes, and how many octets of an outer header are taken off.
    """
    rows, adj = place(tables, T_ROWS), place(tables, T_ADJ)
    info = word(rows, r + R_INFO)
    kind = info & KIND_MASK
    if kind == K_NOTOURS:
        return A_NOTOURS, r, 0
    if kind != K_LOCAL:
        if protected(arena, p, place(tables, T_ENV)):
            return A_PUNT | P_POLICY << WHY_SHIFT, r, 0
        look = may_send(arena, p, info, adj)
        if look != A_FORWARD:
            return look, r, 0
        look = redirected(arena, p, info, tables)
        return A_FORWARD if look == GO_ON else look, r, 0
    src, skip = asking(arena, p, place(tables, T_ENV))
    if src != 0:
        r = look_up(tables, ld64(arena, src), ld64(arena, src + _WORD))
        return echo_look(arena, p, src, skip, r, tables), r, 0
    look = decap_look(arena, p, r, tables)
    if look != GO_ON:
        return look, r, 0
    q = p + _HDR
    if protected(arena, q, place(tables, T_ENV)):
        return A_PUNT | P_POLICY << WHY_SHIFT, r, 0
    r = look_up(tables, ld64(arena, q + _DST), ld64(arena, q + _DST8))
    return may_send(arena, q, word(rows, r + R_INFO), adj), r, _HDR


@kernel
def classify(
    arena: U8, off: I64, caplen: U32, start: int, stop: int, why: U8, tables: Places
) -> None:
    """Say what would become of each packet as things stand: T_ACT, why."""
    at = opened(tables)
    octets, offs, sizes = base(arena), base(off), base(caplen)
    conf, acts, whys = place(at, T_ENV), place(at, T_ACT), base(why)
    for i in range(start, stop):
        look = first_look(octets, word(offs, i), half(sizes, i), conf)
        if look == GO_ON:
            p = word(offs, i) + word(conf, E_LINK)
            r = look_up(at, ld64(octets, p + _DST), ld64(octets, p + _DST8))
            look, _, _ = second_look(octets, p, r, at)
        st8(acts, i, look)
        st8(whys, i, look >> WHY_SHIFT)
