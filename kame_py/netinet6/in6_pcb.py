# SPDX-License-Identifier: BSD-3-Clause
"""Protocol control blocks of UDP and raw sockets (KAME in6_pcb.c, in6_pcb.h).

Addresses in a block are in kernel form. Deviates: blocks of a protocol are found by local port
through a dictionary; there is no IPv4. Read first: RFC 3493 s.3.3 for the scope of addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kame_py.kern.uipc_socket import Socket, sbappend, soseterror
from kame_py.netinet6 import scope6
from kame_py.netinet6.in6_src import in6_selectsrc
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_DETACHED, IN6_IFF_NOTREADY
from kame_py.netinet6.ip6_var import Ip6Moptions, Ip6Pktopts
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_DST_UNREACH_ADDR,
    ICMP6_DST_UNREACH_ADMIN,
    ICMP6_DST_UNREACH_BEYONDSCOPE,
    ICMP6_DST_UNREACH_NOPORT,
    ICMP6_DST_UNREACH_NOROUTE,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    ICMP6_PARAMPROB_NEXTHEADER,
    ICMP6_PARAMPROB_OPTION,
)
from kame_py.wire.errno import (
    EADDRINUSE,
    EADDRNOTAVAIL,
    ECONNREFUSED,
    EHOSTUNREACH,
    EINVAL,
    ENOPROTOOPT,
    KError,
)
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_SCOPE_LINKLOCAL,
    IN6ADDR_ANY,
    LOOPBACK,
)
from kame_py.wire.sockaddr import (
    IPPROTO_IPV6,
    IPV6_PATHMTU,
    SO_REUSEADDR,
    SO_REUSEPORT,
    Cmsg,
    Received,
    SockaddrIn6,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.protosw import PrCtl
    from kame_py.netkey.keydb import Secpolicy

IN6P_IPV6_V6ONLY: Final = 0x00008000
IN6P_PKTINFO: Final = 0x00010000  # the program wants these beside the data
IN6P_HOPLIMIT: Final = 0x00020000
IN6P_HOPOPTS: Final = 0x00040000
IN6P_DSTOPTS: Final = 0x00080000
IN6P_RTHDR: Final = 0x00100000
IN6P_RTHDRDSTOPTS: Final = 0x00200000
IN6P_MTU: Final = 0x80000000
IN6P_MINMTU: Final = 0x20000000  # fragment to 1280

IPPORT_HIFIRSTAUTO: Final = 49152  # IANA's dynamic ports, RFC 6335 s.6
IPPORT_HILASTAUTO: Final = 65535

#: (ICMPv6 type, code) -> errno for the socket it concerns (KAME inet6ctlerrmap).
INET6CTLERRMAP: Final[dict[tuple[int, int], int]] = {
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE): EHOSTUNREACH,
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN): ECONNREFUSED,
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE): ENOPROTOOPT,
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR): EHOSTUNREACH,
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT): ECONNREFUSED,
    (ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER): ENOPROTOOPT,
    (ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER): ECONNREFUSED,
    (ICMP6_PARAM_PROB, ICMP6_PARAMPROB_OPTION): ENOPROTOOPT,
}


@dataclass(slots=True, eq=False)
class In6pcb:
    """One block (struct in6pcb). in6p_hops, in6p_cksum -1: not set."""

    in6p_socket: Socket
    in6p_laddr: bytes = IN6ADDR_ANY
    in6p_laddr_chosen: bool = False  # connect chose it, so it goes with the peer
    in6p_lport: int = 0
    in6p_faddr: bytes = IN6ADDR_ANY
    in6p_fport: int = 0
    in6p_flags: int = 0
    in6p_hops: int = -1
    in6p_ip6_nxt: int = 0  # protocol of a raw socket, 0 all
    in6p_icmp6filt: bytes = b""  # ICMP6_FILTER, b"" passes all
    in6p_cksum: int = -1  # offset of the checksum in a raw socket's data
    in6p_sp: dict[int, Secpolicy] = field(default_factory=dict)  # own policy by IPSEC_DIR_*
    in6p_outputopts: Ip6Pktopts = field(default_factory=Ip6Pktopts)
    in6p_moptions: Ip6Moptions = field(default_factory=Ip6Moptions)


class PcbTable:
    """The blocks of one kernel: UDP by local port, raw ones in the order they were made."""

    __slots__ = ("raw6", "udp6")

    def __init__(self) -> None:
        self.udp6: dict[int, list[In6pcb]] = {}
        self.raw6: list[In6pcb] = []

    def udp6_all(self) -> Iterator[In6pcb]:
        """Every UDP block, by local port."""
        for port in sorted(self.udp6):
            yield from self.udp6[port]

    def udp6_move(self, inp: In6pcb, lport: int) -> None:
        """Put a UDP block under another local port; -1 takes it out of the table."""
        blocks = self.udp6.get(inp.in6p_lport, [])
        if inp in blocks:
            blocks.remove(inp)
            if not blocks:
                del self.udp6[inp.in6p_lport]
        if lport >= 0:
            inp.in6p_lport = lport
            self.udp6.setdefault(lport, []).append(inp)


def in6_pcb_init(kern: Kernel) -> None:
    """Make the empty tables."""
    kern.pcbs = PcbTable()


def sotoin6pcb(so: Socket) -> In6pcb:
    """The block of a UDP or raw socket."""
    inp = so.pcb
    if not isinstance(inp, In6pcb):
        raise KError(EINVAL)
    return inp


def in6_embedscope_pcb(kern: Kernel, inp: In6pcb, opt: Ip6Pktopts, sa: SockaddrIn6) -> bytes:
    """The kernel form of a destination that a program names.

    A link-scope address without a scope takes the interface of the packet information or, if it is
    multicast, of IPV6_MULTICAST_IF, before it is refused. The unspecified address means this node.
    """
    if sa.addr == IN6ADDR_ANY:
        return LOOPBACK
    if sa.scope_id == 0 and IN6_IS_SCOPE_LINKLOCAL(sa.addr):
        ifp = opt.ip6po_pktinfo_ifp
        if ifp is None and IN6_IS_ADDR_MULTICAST(sa.addr):
            ifp = inp.in6p_moptions.im6o_multicast_ifp
        if ifp is not None:
            return scope6.in6_embedscope(sa.addr, ifp.if_index)
    return scope6.sa_to_kernel(kern, sa)


def in6_pcbcheckaddr(kern: Kernel, laddr: bytes) -> None:
    """A local address that may be bound: ours and in use, or a group. KError(EADDRNOTAVAIL).

    A group of one link is only one with its scope.
    """
    if laddr == IN6ADDR_ANY:
        return
    if IN6_IS_ADDR_MULTICAST(laddr):
        if scope6.in6_scoped(laddr) and not scope6.in6_addrzone(laddr):
            raise KError(EADDRNOTAVAIL)
        return
    ia = kern.ip6.ifaddrs.get(laddr)
    if ia is None:
        raise KError(EADDRNOTAVAIL)
    if ia.ia6_flags & (IN6_IFF_ANYCAST | IN6_IFF_NOTREADY | IN6_IFF_DETACHED):
        raise KError(EADDRNOTAVAIL)


def in6_pcbbind(kern: Kernel, inp: In6pcb, sa: SockaddrIn6) -> None:
    """Bind a UDP block. KError: EINVAL when bound already, EADDRNOTAVAIL, EADDRINUSE."""
    if inp.in6p_lport or inp.in6p_laddr != IN6ADDR_ANY:
        raise KError(EINVAL)
    laddr = scope6.sa_to_kernel(kern, sa)
    in6_pcbcheckaddr(kern, laddr)
    if sa.port and _in_use(kern, inp, laddr, sa.port):
        raise KError(EADDRINUSE)
    inp.in6p_laddr = laddr
    kern.pcbs.udp6_move(inp, sa.port or in6_pcbsetport(kern))


def _in_use(kern: Kernel, inp: In6pcb, laddr: bytes, lport: int) -> bool:
    """Whether another block stands in the way: both must agree to share (SO_REUSEPORT, and for
    groups SO_REUSEADDR); with SO_REUSEADDR different addresses on one port go together."""
    so = inp.in6p_socket
    share = SO_REUSEPORT
    if IN6_IS_ADDR_MULTICAST(laddr):
        share |= SO_REUSEADDR
    wild = not so.so_options & (SO_REUSEADDR | SO_REUSEPORT)
    for other in kern.pcbs.udp6.get(lport, ()):
        if so.so_options & share and other.in6p_socket.so_options & share:
            continue
        if other.in6p_laddr == laddr:
            return True
        if wild and IN6ADDR_ANY in (other.in6p_laddr, laddr):
            return True
    return False


def in6_pcbsetport(kern: Kernel) -> int:
    """A free dynamic port, drawn at random and then counted on. KError(EADDRNOTAVAIL) if none."""
    span = IPPORT_HILASTAUTO - IPPORT_HIFIRSTAUTO + 1
    start = kern.rng.stream("in6_pcb.port").below(span)
    for i in range(span):
        port = IPPORT_HIFIRSTAUTO + (start + i) % span
        if port not in kern.pcbs.udp6:
            return port
    raise KError(EADDRNOTAVAIL)


def in6_pcbconnect(kern: Kernel, inp: In6pcb, sa: SockaddrIn6) -> None:
    """Fix the peer and the local address. The unspecified address means this node."""
    faddr = in6_embedscope_pcb(kern, inp, inp.in6p_outputopts, sa)
    laddr = inp.in6p_laddr
    chosen = laddr == IN6ADDR_ANY
    if chosen:
        hint = inp.in6p_moptions.im6o_multicast_ifp if IN6_IS_ADDR_MULTICAST(faddr) else None
        laddr = in6_selectsrc(kern, faddr, hint, inp.in6p_outputopts, dport=sa.port)
    for other in kern.pcbs.udp6.get(inp.in6p_lport, ()) if inp.in6p_lport else ():
        if other is not inp and (other.in6p_laddr, other.in6p_faddr, other.in6p_fport) == (
            laddr,
            faddr,
            sa.port,
        ):
            raise KError(EADDRINUSE)
    inp.in6p_laddr, inp.in6p_faddr, inp.in6p_fport = laddr, faddr, sa.port
    inp.in6p_laddr_chosen = chosen


def in6_pcbdisconnect(inp: In6pcb) -> None:
    """Take the peer away, and the local address if it was chosen for that peer."""
    inp.in6p_faddr, inp.in6p_fport = IN6ADDR_ANY, 0
    if inp.in6p_laddr_chosen:
        inp.in6p_laddr, inp.in6p_laddr_chosen = IN6ADDR_ANY, False


def in6_pcblookup(
    kern: Kernel, src: bytes, sport: int, dst: bytes, dport: int, wild: bool = True
) -> In6pcb | None:
    """The UDP block that fits a datagram best: connected before bound before wildcard."""
    best: In6pcb | None = None
    best_score = -1
    for inp in kern.pcbs.udp6.get(dport, ()):
        score = _match(inp, src, sport, dst)
        if score > best_score and (wild or score == 3):
            best, best_score = inp, score
    return best


def _match(inp: In6pcb, src: bytes, sport: int, dst: bytes) -> int:
    """-1 no match, else 2 for a fixed peer plus 1 for a fixed local address."""
    score = 0
    if inp.in6p_faddr != IN6ADDR_ANY:
        if inp.in6p_faddr != src or inp.in6p_fport != sport:
            return -1
        score = 2
    if inp.in6p_laddr == IN6ADDR_ANY:
        return score
    return score + 1 if inp.in6p_laddr == dst else -1


def in6_pcbnotify(
    kern: Kernel, ctl: PrCtl, blocks: list[In6pcb], concerns: Callable[[In6pcb], bool]
) -> None:
    """An ICMPv6 error came for one of our packets: tell the sockets it concerns.

    ctl.src is our address. A Packet Too Big goes to all who asked with IPV6_RECVPATHMTU; other
    errors set so_error of connected sockets only, for nobody knows which packet of another it was.
    """
    if ctl.cmd == ICMP6_PACKET_TOO_BIG:
        _notify_pmtu(kern, ctl, blocks)
        return
    errno = INET6CTLERRMAP.get((ctl.cmd, ctl.code), 0)
    if errno == 0:
        return
    for inp in blocks:
        ours = inp.in6p_laddr in (IN6ADDR_ANY, ctl.src)
        if ours and inp.in6p_faddr == ctl.dst and concerns(inp):
            soseterror(inp.in6p_socket, errno)


def _notify_pmtu(kern: Kernel, ctl: PrCtl, blocks: list[In6pcb]) -> None:
    """ip6_notify_pmtu: an empty record from the destination with the new MTU beside it."""
    sa = scope6.kernel_to_sa(ctl.dst)
    rec = Received(b"", sa, (Cmsg(IPPROTO_IPV6, IPV6_PATHMTU, ctl.mtu),))
    for inp in blocks:
        if inp.in6p_flags & IN6P_MTU and inp.in6p_faddr in (IN6ADDR_ANY, ctl.dst):
            sbappend(kern, inp.in6p_socket, rec)
