# SPDX-License-Identifier: BSD-3-Clause
"""Where Mobile IPv6 and IPsec reach into the IPv6 core: one method per KAME call site.

The core calls these objects and imports neither package. The Null objects are the kernel built
without ``options MIP6`` and ``options IPSEC``; boot puts others in their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from kame_py.wire.errno import ENOPROTOOPT, KError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kame_py.kern.drop import DropReason
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.kern.protosw import PrCtl
    from kame_py.kern.uipc_socket import Socket
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.in6_var import In6Ifaddr, In6Multi
    from kame_py.netinet6.ip6_var import Exthdrs
    from kame_py.netinet6.nd6 import NdDefrouter, NdPrefix
    from kame_py.wire.nd6opt import NdOptions

IPSEC_SILENT: Final = -1  # IPsec dropped the packet and its sender hears nothing of it


class Mip6Hooks(Protocol):
    """Call sites of mip6*.c in the IPv6 core, in the order a packet meets them."""

    def mcast_input(self, kern: Kernel, m: Mbuf) -> bool | None:
        """ip6_input, a packet to a group. True: for this node, None: taken, False: if joined."""
        ...

    def route_optimize(self, kern: Kernel, m: Mbuf, off: int, nxt: int) -> bool:
        """ip6_input, before each header that is none of 0, 60, 43, 44, 50, 51. False drops."""
        ...

    def rthdr_hop(self, kern: Kernel, hop: bytes) -> bool:
        """ip6_rthdr0 with the next address. True: it was ours until now, the packet ends here."""
        ...

    def rthdr_done(self, kern: Kernel, m: Mbuf, off: int) -> None:
        """route6_input with no segments left: note a packet that came by our care-of address."""
        ...

    def icmp6_input(self, kern: Kernel, m: Mbuf, off: int) -> bool | DropReason:
        """icmp6_input, each message after its checksum.

        True: the message was used; a reason: it is mobility's, and refused.
        """
        ...

    def forward(self, kern: Kernel, m: Mbuf) -> bool:
        """ip6_forward before routing (home agent interception). True: the packet was taken."""
        ...

    def exthdr_create(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
        """ip6_output for packets made here: add headers to ``hdrs``. An errno drops the packet."""
        ...

    def mld_away(self, kern: Kernel, group: bytes) -> bool:
        """mld6: the group is joined elsewhere, what this link says of it does not matter."""
        ...

    def mld_output(self, kern: Kernel, inm: In6Multi, kind: int) -> bool:
        """mld6_sendpkt. True: not on this link, mobility has told whom it concerns."""
        ...

    def addr_exchange(self, kern: Kernel, m: Mbuf) -> None:
        """ip6_output after transport IPsec: the source becomes the care-of address."""
        ...

    def selectsrc_prefer(
        self, kern: Kernel, dst: bytes, dport: int, a: In6Ifaddr, b: In6Ifaddr
    ) -> int:
        """in6_selectsrc rule 4. >0 prefers a, <0 prefers b, 0 no opinion; dport 0 is any port."""
        ...

    def ns_output(self, kern: Kernel, ifp: Ifnet, target: bytes, dad: bool) -> bool:
        """nd6_ns_output. True: returning home, so send with unspecified source, no SLLA option."""
        ...

    def ns_input(self, kern: Kernel, src: bytes, target: bytes) -> bool:
        """nd6_ns_input, a target that may be ours. True: say nothing, a home agent stands in."""
        ...

    def na_input(self, kern: Kernel, target: bytes) -> bool:
        """nd6_na_input, learned from. True: it answers us whatever its flags say."""
        ...

    def proxied_router(self, kern: Kernel, target: bytes) -> bool | None:
        """nd6_ns_input, an address we are proxy for: is it a router's? None: not mobility's."""
        ...

    def dad_find(self, kern: Kernel, ifp: Ifnet, target: bytes) -> In6Ifaddr | None:
        """nd6_ns_input, nd6_na_input: the pseudo address a home agent does DAD for."""
        ...

    def dad_success(self, kern: Kernel, ia: In6Ifaddr) -> bool:
        """nd6_dad_timer. True: the address was mobility's."""
        ...

    def dad_duplicated(self, kern: Kernel, ia: In6Ifaddr) -> bool:
        """nd6_dad_duplicated. True: the address was mobility's."""
        ...

    def need_dad(self, kern: Kernel, ia: In6Ifaddr) -> bool:
        """in6_update_ifa: whether a new address must pass DAD."""
        ...

    def ra_prefix(
        self, kern: Kernel, src: bytes, pr: NdPrefix, dr: NdDefrouter | None, m: Mbuf
    ) -> bool:
        """nd6_ra_input, each valid prefix option, before the prefix list. False ends the RA."""
        ...

    def ra_done(
        self, kern: Kernel, src: bytes, dr: NdDefrouter | None, opts: NdOptions, m: Mbuf
    ) -> None:
        """nd6_ra_input after the prefixes: probe routers, home agent information."""
        ...

    def pfxlist_changed(self, kern: Kernel) -> None:
        """End of pfxlist_onlink_check: movement detection."""
        ...


class NullMip6Hooks:
    """A kernel without ``options MIP6``."""

    def mcast_input(self, kern: Kernel, m: Mbuf) -> bool | None:
        return False

    def route_optimize(self, kern: Kernel, m: Mbuf, off: int, nxt: int) -> bool:
        return True

    def rthdr_hop(self, kern: Kernel, hop: bytes) -> bool:
        return False

    def rthdr_done(self, kern: Kernel, m: Mbuf, off: int) -> None:
        return None

    def icmp6_input(self, kern: Kernel, m: Mbuf, off: int) -> bool | DropReason:
        return False

    def forward(self, kern: Kernel, m: Mbuf) -> bool:
        return False

    def exthdr_create(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
        return 0

    def mld_away(self, kern: Kernel, group: bytes) -> bool:
        return False

    def mld_output(self, kern: Kernel, inm: In6Multi, kind: int) -> bool:
        return False

    def addr_exchange(self, kern: Kernel, m: Mbuf) -> None:
        return None

    def selectsrc_prefer(
        self, kern: Kernel, dst: bytes, dport: int, a: In6Ifaddr, b: In6Ifaddr
    ) -> int:
        return 0

    def ns_output(self, kern: Kernel, ifp: Ifnet, target: bytes, dad: bool) -> bool:
        return False

    def ns_input(self, kern: Kernel, src: bytes, target: bytes) -> bool:
        return False

    def na_input(self, kern: Kernel, target: bytes) -> bool:
        return False

    def proxied_router(self, kern: Kernel, target: bytes) -> bool | None:
        return None

    def dad_find(self, kern: Kernel, ifp: Ifnet, target: bytes) -> In6Ifaddr | None:
        return None

    def dad_success(self, kern: Kernel, ia: In6Ifaddr) -> bool:
        return False

    def dad_duplicated(self, kern: Kernel, ia: In6Ifaddr) -> bool:
        return False

    def need_dad(self, kern: Kernel, ia: In6Ifaddr) -> bool:
        return True

    def ra_prefix(
        self, kern: Kernel, src: bytes, pr: NdPrefix, dr: NdDefrouter | None, m: Mbuf
    ) -> bool:
        return True

    def ra_done(
        self, kern: Kernel, src: bytes, dr: NdDefrouter | None, opts: NdOptions, m: Mbuf
    ) -> None:
        return None

    def pfxlist_changed(self, kern: Kernel) -> None:
        return None


class AuthdataSa(Protocol):
    """An AH association as the authentication data sub-option uses it (draft-15 s.4.4)."""

    spi: int
    icvlen: int  # octets of the authentication data

    def sign(self, text: bytes) -> bytes:
        """The code over the text; counts a use of the association."""
        ...

    def verify(self, icv: bytes, text: bytes) -> bool:
        """Whether ``icv`` is the code over the text, in constant time. Only if so it is a use."""
        ...


class IpsecHooks(Protocol):
    """Call sites of ipsec.c in the IPv6 core."""

    def in_reject(self, kern: Kernel, m: Mbuf, off: int, nxt: int) -> bool:
        """ip6_input before a last header: inbound policy. True drops the packet."""
        ...

    def fwd_reject(self, kern: Kernel, m: Mbuf) -> bool:
        """ip6_forward at its start: inbound policy of a packet that passes through."""
        ...

    def output(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs, nxt: int, payload: bytes) -> int:
        """ip6_output, policy and transport mode. 0 goes on; else the packet was dropped here.

        What it returns then is for the sender: an errno, or IPSEC_SILENT. A packet marked IP6A_AH
        gets AH with whatever else the policy asks for, and ENOENT without an association.
        """
        ...

    def untouched(self, kern: Kernel, nxt: int) -> bool:
        """Whether ``output`` leaves packets of a protocol alone; not a socket's, none marked."""
        ...

    def tunnel(self, kern: Kernel, m: Mbuf, forwarding: bool) -> int:
        """ip6_output and ip6_forward after routing: tunnel mode. Returns what ``output`` does."""
        ...

    def in_reject_so(self, kern: Kernel, m: Mbuf, off: int, nxt: int, so: Socket) -> bool:
        """udp6_input, rip6_input for each socket: inbound policy, which may be the socket's own.

        True: not for this socket.
        """
        ...

    def set_policy(self, kern: Kernel, so: Socket, value: object) -> None:
        """IPV6_IPSEC_POLICY: the octets of a struct sadb_x_policy. KError(EINVAL)."""
        ...

    def get_policy(self, kern: Kernel, so: Socket) -> bytes:
        """The socket's policies for receiving and for sending, one behind the other."""
        ...

    def knows(self, kern: Kernel, ctl: PrCtl) -> bool:
        """icmp6_notify_error: whether the quoted ESP header is one that was sent from here."""
        ...

    def authdata_out(self, kern: Kernel, src: bytes, dst: bytes) -> AuthdataSa | None:
        """mip6_authdata: the AH association that the outbound policy for protocol 60 names.

        src, dst: kernel form; home addresses, never care-of ones. None: there is none; an ACQUIRE
        was raised where the policy requires one.
        """
        ...

    def authdata_in(self, kern: Kernel, src: bytes, dst: bytes, spi: int) -> AuthdataSa | None:
        """The AH association (dst, spi) made for exactly this source, else None."""
        ...

    def ah_ready(self, kern: Kernel, src: bytes, dst: bytes) -> bool:
        """Whether there is an AH association for packets marked IP6A_AH.

        src, dst: kernel form, home addresses. If there is none an ACQUIRE is raised.
        """
        ...

    def authdata_known(self, kern: Kernel, dst: bytes, spi: int) -> bool:
        """Whether there is an AH association (dst, spi), whatever its source."""
        ...

    def vouched(self, kern: Kernel, m: Mbuf, src: bytes, header: bool) -> bool:
        """Whether an association made for ``src`` is behind the marks of m.

        header: of M_AUTHIPHDR, so one of AH. Asked only where the marks are set.
        """
        ...

    def on_key_change(self, kern: Kernel, fn: Callable[[], None]) -> None:
        """From now on call ``fn`` when an association becomes usable or goes."""
        ...


class NullIpsecHooks:
    """A kernel without ``options IPSEC``."""

    def in_reject(self, kern: Kernel, m: Mbuf, off: int, nxt: int) -> bool:
        return False

    def fwd_reject(self, kern: Kernel, m: Mbuf) -> bool:
        return False

    def output(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs, nxt: int, payload: bytes) -> int:
        return 0

    def untouched(self, kern: Kernel, nxt: int) -> bool:
        return True

    def tunnel(self, kern: Kernel, m: Mbuf, forwarding: bool) -> int:
        return 0

    def in_reject_so(self, kern: Kernel, m: Mbuf, off: int, nxt: int, so: Socket) -> bool:
        return False

    def set_policy(self, kern: Kernel, so: Socket, value: object) -> None:
        raise KError(ENOPROTOOPT)

    def get_policy(self, kern: Kernel, so: Socket) -> bytes:
        raise KError(ENOPROTOOPT)

    def knows(self, kern: Kernel, ctl: PrCtl) -> bool:
        return False

    def authdata_out(self, kern: Kernel, src: bytes, dst: bytes) -> AuthdataSa | None:
        return None

    def authdata_in(self, kern: Kernel, src: bytes, dst: bytes, spi: int) -> AuthdataSa | None:
        return None

    def ah_ready(self, kern: Kernel, src: bytes, dst: bytes) -> bool:
        return False

    def authdata_known(self, kern: Kernel, dst: bytes, spi: int) -> bool:
        return False

    def vouched(self, kern: Kernel, m: Mbuf, src: bytes, header: bool) -> bool:
        return True

    def on_key_change(self, kern: Kernel, fn: Callable[[], None]) -> None:
        return None
