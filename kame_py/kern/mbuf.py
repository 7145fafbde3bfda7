# SPDX-License-Identifier: BSD-3-Clause
"""The packet on its way through one kernel, and its one fate.

KAME's mbuf chains become one immutable ``bytes`` object: a LAN may hand the same bytes to many
nodes, and whoever changes a packet makes a new value. ``data`` is always in wire form; the
addresses with their scope zone embedded (KAME's ip6aux sockaddrs) travel beside it.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kame_py.kern.drop import DropReason
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.uipc_socket import Socket
    from kame_py.net.if_ import Ifnet
    from kame_py.netkey.keydb import Ipsecrequest, Secasvar

M_BCAST: Final = 0x0001  # arrived as link-layer broadcast
M_MCAST: Final = 0x0002  # arrived as link-layer multicast
M_LOOP: Final = 0x0004  # looped back inside this node
M_AUTHIPHDR: Final = 0x0008  # AH verified the IPv6 header
M_AUTHIPDGM: Final = 0x0010  # AH or ESP verified the payload
M_DECRYPTED: Final = 0x0020  # ESP decrypted the payload
M_ANYCAST6: Final = 0x0040  # destination is one of our anycast addresses
M_FORWARDED: Final = 0x0080  # passed ip6_forward on this node
M_FRAG: Final = 0x0100  # had a fragment header, its own only one or several
M_TUNNELLED: Final = 0x0200  # just out of an IPsec tunnel: what it came through counts inside, too
M_NOBINDING: Final = 0x0400  # made here: goes as it is, whatever the binding cache says

IP6A_SWAP: Final = 0x01  # home address option processed and swapped in
IP6A_HASEEN: Final = 0x02  # home address option seen
IP6A_BRUID: Final = 0x04  # binding request with a unique identifier
IP6A_RTALERTSEEN: Final = 0x08  # router alert option seen
IP6A_ROUTEOPTIMIZED: Final = 0x10  # came by a routing header to our home address
IP6A_MOBILITY: Final = 0x40  # mobility used an option of it
IP6A_AH: Final = 0x80  # made here: leaves under AH, whatever the policy database says


class Fate(enum.Enum):
    """How a packet ends."""

    __hash__ = object.__hash__  # each is there once; Enum hashes its name, in Python

    DELIVERED = "delivered"  # to a socket
    FORWARDED = "forwarded"
    CONSUMED = "consumed"  # answered or used by the kernel
    TRANSMITTED = "transmitted"  # made here and sent
    HELD = "held"  # waits: reassembly, address resolution
    DROPPED = "dropped"


class Ip6Aux:
    """What option processing remembers of a packet (KAME struct ip6aux)."""

    __slots__ = (
        "ip6a_careof",
        "ip6a_flags",
        "ip6a_home",
        "ip6a_jumboplen",
        "ip6a_rtalert",
        "ip6a_swap_off",
    )

    def __init__(self) -> None:
        self.ip6a_flags = 0
        self.ip6a_home: bytes | None = None  # address of the home address option
        self.ip6a_careof: bytes | None = None  # IPv6 source as it was on the wire
        self.ip6a_rtalert: int | None = None  # value of the router alert option
        self.ip6a_jumboplen = 0  # payload length of the jumbo option
        self.ip6a_swap_off = 0  # where in the packet the swapped address lies


class IpsecAux:
    """What IPsec remembers of a packet (KAME struct ipsecaux).

    so: the socket that sends it, if that has a policy of its own. hist: associations that it came
    through, outermost first. todo: requests of its policy that wait for its route.
    """

    __slots__ = ("hist", "so", "todo")

    def __init__(self, so: Socket | None = None) -> None:
        self.so = so
        self.hist: list[Secasvar] = []
        self.todo: Sequence[Ipsecrequest] = ()


class Mbuf:
    """One packet.

    arrival: interface and octets as it came, None when it was made here; only while tracing.
    data: wire bytes, from the IPv6 header once the link layer is off.
    src, dst: kernel form (scope zone embedded), set by ip6_input and by senders.
    encaps: tunnels it came out of on this node.
    covers: other packets that share this one's fate (fragments of a datagram).
    tag: the caller's mark (a replay's packet number, a ping's sequence); never read by the kernel.
    """

    __slots__ = (
        "arrival",
        "aux",
        "covers",
        "data",
        "dst",
        "encaps",
        "fate",
        "flags",
        "ipsec",
        "path",
        "rcvif",
        "reason",
        "src",
        "tag",
    )

    arrival: tuple[Ifnet, bytes] | None  # there if path is

    def __init__(self, data: bytes, rcvif: Ifnet | None = None, tag: object = None) -> None:
        self.data = data
        self.rcvif = rcvif
        self.flags = 0
        self.src = b""
        self.dst = b""
        self.encaps = 0
        self.aux: Ip6Aux | None = None
        self.ipsec: IpsecAux | None = None
        self.fate: Fate | None = None
        self.reason: DropReason | None = None
        self.covers: list[Mbuf] | None = None
        self.path: list[str] | None = None
        self.tag = tag

    def auxdata(self) -> Ip6Aux:
        """The auxiliary data, made when it is missing (ip6_addaux)."""
        if self.aux is None:
            self.aux = Ip6Aux()
        return self.aux

    def ipsecaux(self) -> IpsecAux:
        """What IPsec remembers, made when it is missing (ipsec_addaux)."""
        if self.ipsec is None:
            self.ipsec = IpsecAux()
        return self.ipsec


def m_get(kern: Kernel, data: bytes, rcvif: Ifnet | None = None, tag: object = None) -> Mbuf:
    """A new packet of this kernel; it will need one fate."""
    kern.created += 1
    m = Mbuf(data, rcvif, tag)
    if kern.tracing:
        m.path = []
        m.arrival = None
    return m


def m_copy(kern: Kernel, m: Mbuf) -> Mbuf:
    """A second packet with the same contents and receive state, but a fate of its own."""
    c = m_get(kern, m.data, m.rcvif)
    c.flags = m.flags
    c.src = m.src
    c.dst = m.dst
    return c


def settle(kern: Kernel, m: Mbuf, fate: Fate, reason: DropReason | None = None) -> None:
    """Give ``m`` its fate; HELD may be followed by one other, nothing else may.

    Packets that ``m`` covers get the same. Raises RuntimeError on a second fate: a bug here.
    """
    was = m.fate
    if was is not None:
        if was is not Fate.HELD:
            raise RuntimeError(f"{kern.name}: packet {fate.value} after {was.value}")
        if fate is Fate.HELD:
            return
        kern.fates[was] -= 1
    m.fate = fate
    m.reason = reason
    kern.fates[fate] += 1
    if m.covers:
        for c in m.covers:
            settle(kern, c, fate, reason)
        if fate is not Fate.HELD:
            m.covers = None
    if kern.fate_sink is not None:
        kern.fate_sink(kern, m)


def trace_input(m: Mbuf, ifp: Ifnet, stage: str) -> None:
    """Note that the packet arrived, and what it looked like; as ``trace``."""
    m.arrival = (ifp, m.data)
    trace(m, stage)


def trace(m: Mbuf, stage: str) -> None:
    """Note a stage of the packet's way; callers test ``kern.tracing`` first."""
    if m.path is not None:
        m.path.append(stage)
