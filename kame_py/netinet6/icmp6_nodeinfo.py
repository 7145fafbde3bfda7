# SPDX-License-Identifier: BSD-3-Clause
"""Answers to node information queries (KAME icmp6.c: ni6_input, ni6_addrs, ni6_store_addrs).

As in KAME of January 2002 a query that is not served gets no answer instead of a refusal, and one
of an unknown type is taken for a name query of draft 03. Deviates: answers share the rate limit of
errors; names compare without regard to case; the anycast flag gives anycast addresses only, as
KAME's manual says. RFC 4620 s.5 and s.6, draft-ietf-ipngwg-icmp-name-lookups-08.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.drop import D, DropReason
from kame_py.kern.mbuf import Mbuf
from kame_py.net.if_ import Ifnet
from kame_py.netinet6 import icmp6_error
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_DEPRECATED,
    IN6_IFF_TEMPORARY,
    In6Ifaddr,
)
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.wire.codecs import Icmp6Hdr, Icmp6Nodeinfo, Ip6Hdr, NiReplyAddr, NiReplyFqdn
from kame_py.wire.const import (
    ICMP6_NI_REPLY,
    ICMP6_NI_SUBJ_FQDN,
    ICMP6_NI_SUBJ_IPV6,
    ICMP6_NI_SUCCESS,
    ICMP6_WRUREPLY,
    NI_NODEADDR_FLAG_ALL,
    NI_NODEADDR_FLAG_ANYCAST,
    NI_NODEADDR_FLAG_GLOBAL,
    NI_NODEADDR_FLAG_LINKLOCAL,
    NI_NODEADDR_FLAG_SITELOCAL,
    NI_NODEADDR_FLAG_TRUNCATE,
    NI_QTYPE_FQDN,
    NI_QTYPE_NODEADDR,
    NI_QTYPE_NOOP,
    NI_QTYPE_SUPTYPES,
)
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_LOOPBACK,
    IN6_IS_ADDR_MC_LINKLOCAL,
    IN6_IS_ADDR_SITELOCAL,
    IN6ADDR_ANY,
)
from kame_py.wire.nodeinfo import ni6_dnsmatch, ni6_nametodns, ni6_pascal

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

NODEINFO_FQDN: Final = 1  # bits of net.inet6.icmp6.nodeinfo
NODEINFO_NODEADDR: Final = 2
NODEINFO_TMPADDR: Final = 4  # temporary addresses are told as well

MCLBYTES: Final = 2048  # KAME answers within one mbuf cluster
WRU_SIZE: Final = 12  # octets of a who-are-you request, which NI queries took the place of
ADDR_TTL_MAX: Final = 0x7FFFFFFF
SUPPORTED: Final = b"\x00\x00\x00\x0f"  # NOOP, SUPTYPES, FQDN and NODEADDR, uncompressed
_TYPES: Final = (NI_QTYPE_NOOP, NI_QTYPE_SUPTYPES, NI_QTYPE_FQDN, NI_QTYPE_NODEADDR)


def ni6_input(kern: Kernel, m: Mbuf, off: int, size: int) -> DropReason | None:
    """Answer a node information query, or say why not."""
    if not kern.icmp6.icmp6_nodeinfo or m.src == IN6ADDR_ANY:
        return D.ICMP6_NODEINFO
    if size == WRU_SIZE:
        body = _who_are_you(kern, m, off)
    elif size < Icmp6Nodeinfo.SIZE:
        return D.ICMP6_BADLEN
    else:
        body = _reply(kern, m, off)
    if body is None:
        return D.ICMP6_NODEINFO
    if icmp6_error.icmp6_ratelimit(kern):
        kern.stats.icmp6["icp6s_toofreq"] += 1
        return D.ICMP6_NODEINFO
    icmp6_error.icmp6_reflect(kern, m, body)
    return None


def _who_are_you(kern: Kernel, m: Mbuf, off: int) -> bytes | None:
    """The request from before drafts of node information: four zero octets and the name."""
    if not kern.icmp6.icmp6_nodeinfo & NODEINFO_FQDN:
        return None
    head = Icmp6Hdr.unpack(m.data, off)
    head.icmp6_type, head.icmp6_code = ICMP6_WRUREPLY, 0
    return head.pack() + bytes(WRU_SIZE - Icmp6Hdr.SIZE) + kern.name.encode()


def _reply(kern: Kernel, m: Mbuf, off: int) -> bytes | None:
    """The whole answer, without checksum."""
    if m.dst not in kern.ip6.ifaddrs and not IN6_IS_ADDR_MC_LINKLOCAL(m.dst):
        return None
    query = Icmp6Nodeinfo.unpack(m.data, off)
    subject = m.data[off + Icmp6Nodeinfo.SIZE :]
    qtype = query.ni_qtype
    old = qtype not in _TYPES or _is_old(query, subject)
    if not old and not _subject_ok(kern, m, query, subject):
        return None
    reply = Icmp6Nodeinfo(
        ni_type=ICMP6_NI_REPLY,
        ni_code=ICMP6_NI_SUCCESS,
        ni_qtype=qtype,
        icmp6_ni_nonce=query.icmp6_ni_nonce,
    )
    data: bytes | None = b""
    if qtype == NI_QTYPE_SUPTYPES:
        data = SUPPORTED
    elif qtype == NI_QTYPE_NODEADDR:
        data = _addresses(kern, m, query, reply)
    elif qtype != NI_QTYPE_NOOP:
        data = _name(kern, old)
    return None if data is None else reply.pack() + data


# -- what the query is about ----------------------------------------------------------------------


def _is_old(query: Icmp6Nodeinfo, subject: bytes) -> bool:
    """Whether this is a name query of draft 03, which has no subject."""
    return query.ni_qtype == NI_QTYPE_FQDN and query.ni_code == 0 and not subject


def _subject_ok(kern: Kernel, m: Mbuf, query: Icmp6Nodeinfo, subject: bytes) -> bool:
    """Whether the query is about this node: the address it was sent to, or our name."""
    if query.ni_code == ICMP6_NI_SUBJ_IPV6:
        return subject == in6_clearscope(m.dst)
    if query.ni_code != ICMP6_NI_SUBJ_FQDN:
        return False
    if not subject and query.ni_qtype in (NI_QTYPE_NOOP, NI_QTYPE_SUPTYPES):
        return True
    return ni6_dnsmatch(subject, ni6_nametodns(kern.name) or b"")


# -- answers --------------------------------------------------------------------------------------


def _name(kern: Kernel, old: bool) -> bytes | None:
    if not kern.icmp6.icmp6_nodeinfo & NODEINFO_FQDN:
        return None
    name = ni6_pascal(kern.name) if old else ni6_nametodns(kern.name)
    return None if name is None else NiReplyFqdn(ni_fqdn_ttl=0).pack() + name


def _addresses(kern: Kernel, m: Mbuf, query: Icmp6Nodeinfo, reply: Icmp6Nodeinfo) -> bytes | None:
    """Preferred addresses first, then deprecated ones, as many as have room."""
    if not kern.icmp6.icmp6_nodeinfo & NODEINFO_NODEADDR:
        return None
    reply.ni_flags = query.ni_flags & ~NI_NODEADDR_FLAG_TRUNCATE
    wanted = [ia for ia in _candidates(kern, m, query) if _wanted(kern, ia, query.ni_flags)]
    wanted.sort(key=lambda ia: bool(ia.ia6_flags & IN6_IFF_DEPRECATED))
    room = (MCLBYTES - Ip6Hdr.SIZE - Icmp6Nodeinfo.SIZE) // NiReplyAddr.SIZE
    if len(wanted) > room:
        reply.ni_flags |= NI_NODEADDR_FLAG_TRUNCATE
    return b"".join(
        NiReplyAddr(ni_addr_ttl=_ttl(kern, ia), ni_addr_addr=in6_clearscope(ia.ia_addr)).pack()
        for ia in wanted[:room]
    )


def _candidates(kern: Kernel, m: Mbuf, query: Icmp6Nodeinfo) -> Iterator[In6Ifaddr]:
    """The addresses of all interfaces, or of the one that has the subject."""
    if query.ni_flags & NI_NODEADDR_FLAG_ALL:
        for ifp in kern.ifnets:
            yield from ifp.in6_addrs
    elif query.ni_code == ICMP6_NI_SUBJ_IPV6:
        holder = _holder(kern, m.dst)
        if holder is not None:
            yield from holder.in6_addrs


def _holder(kern: Kernel, addr: bytes) -> Ifnet | None:
    for ifp in kern.ifnets:
        if any(ia.ia_addr == addr for ia in ifp.in6_addrs):
            return ifp
    return None


def _wanted(kern: Kernel, ia: In6Ifaddr, flags: int) -> bool:
    if bool(ia.ia6_flags & IN6_IFF_ANYCAST) != bool(flags & NI_NODEADDR_FLAG_ANYCAST):
        return False
    if ia.ia6_flags & IN6_IFF_TEMPORARY and not kern.icmp6.icmp6_nodeinfo & NODEINFO_TMPADDR:
        return False
    addr = ia.ia_addr
    if IN6_IS_ADDR_LOOPBACK(addr):
        return False
    if IN6_IS_ADDR_LINKLOCAL(addr):
        return bool(flags & NI_NODEADDR_FLAG_LINKLOCAL)
    if IN6_IS_ADDR_SITELOCAL(addr):
        return bool(flags & NI_NODEADDR_FLAG_SITELOCAL)
    return bool(flags & NI_NODEADDR_FLAG_GLOBAL)


def _ttl(kern: Kernel, ia: In6Ifaddr) -> int:
    """Seconds for which the address is valid."""
    expire = ia.ia6_lifetime.ia6t_expire
    if not expire:
        return ADDR_TTL_MAX
    return min(max(0, expire - kern.now()) // NS, ADDR_TTL_MAX)
