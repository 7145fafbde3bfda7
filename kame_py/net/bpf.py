# SPDX-License-Identifier: BSD-3-Clause
"""Packet sockets: what passes the interfaces, or each packet with its way through the kernel.

KAME: net/bpf.c. Deviates: a socket (AF_LINK, SOCK_RAW, 0), no device; bound to an interface by its
index in ``scope_id``, 0 for all; no filter program, the tools choose themselves; nothing can be
sent. One that asks for BPF_TRACE gets each packet when it has its last fate, as it arrived or as
it left, with the stages in between. A kernel that nobody listens to has no hook and no traces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kame_py.kern.mbuf import M_LOOP, Fate, Mbuf
from kame_py.kern.uipc_socket import PRCO_SETOPT, Socket, sbappend
from kame_py.net.if_ import IFT_ETHER
from kame_py.wire.errno import EINVAL, EISCONN, ENOPROTOOPT, ENXIO, EOPNOTSUPP, KError
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET, LINKTYPE_RAW, MAX_SNAPLEN
from kame_py.wire.sockaddr import (
    AF_LINK,
    BPF_HDR,
    BPF_SNAPLEN,
    BPF_STATS,
    BPF_TRACE,
    BPF_WAY,
    SOCK_RAW,
    SOL_BPF,
    BpfHdr,
    BpfStat,
    BpfWay,
    Cmsg,
    Received,
    SockaddrIn6,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

ALL: Final = 0  # index that stands for every interface
_NOBODY: Final = SockaddrIn6()

Sink = Callable[["Kernel", Mbuf], None]


class BpfD:
    """One listener (struct bpf_d). bound: it hears something."""

    __slots__ = ("bound", "dropped", "ifindex", "received", "snaplen", "so", "tracing")

    def __init__(self, so: Socket) -> None:
        self.so = so
        self.bound = False
        self.ifindex = ALL
        self.snaplen = MAX_SNAPLEN
        self.tracing = False
        self.received = 0
        self.dropped = 0

    def catchpacket(self, kern: Kernel, data: bytes, hdr: BpfHdr, *more: Cmsg) -> None:
        """Keep a packet for the program, or count it as lost."""
        self.received += 1
        control = (Cmsg(SOL_BPF, BPF_HDR, hdr), *more)
        if not sbappend(kern, self.so, Received(data[: self.snaplen], _NOBODY, control)):
            self.dropped += 1


class BpfUsrreqs:
    """The packet sockets of one kernel, and what they do."""

    def __init__(self) -> None:
        self._frames: list[BpfD] = []
        self._ways: list[BpfD] = []
        self._next_sink: Sink | None = None  # who was told of fates before
        self._was_tracing = False

    # -- packets ------------------------------------------------------------------------------

    def bpf_tap(self, kern: Kernel, ifp: Ifnet, frame: bytes, incoming: bool) -> None:
        """A frame passes an interface."""
        stamp = kern.clock.realtime()
        hdr = BpfHdr(stamp, len(frame), ifp.if_index, _linktype(ifp), not incoming)
        for d in self._frames:
            if d.ifindex in (ALL, ifp.if_index):
                d.catchpacket(kern, frame, hdr)

    def settled(self, kern: Kernel, m: Mbuf) -> None:
        """A packet has a fate."""
        if self._next_sink is not None:
            self._next_sink(kern, m)
        if m.path is None or m.fate is None or m.fate is Fate.HELD:
            return
        stamp, ifp, data = kern.clock.realtime(), m.rcvif, m.data
        if m.arrival is not None:
            ifp, data = m.arrival
            hdr = BpfHdr(stamp, len(data), ifp.if_index, _linktype(ifp), False)
        else:
            index = ifp.if_index if ifp is not None else ALL
            out = ifp is None or bool(m.flags & M_LOOP)
            hdr = BpfHdr(stamp, len(data), index, LINKTYPE_RAW, out)
        reason, why = (m.reason.name, m.reason.text) if m.reason is not None else ("", "")
        way = Cmsg(SOL_BPF, BPF_WAY, BpfWay(tuple(m.path), m.fate.value, reason, why))
        for d in self._ways:
            if d.ifindex == ALL or _passed(kern, m, d.ifindex):
                d.catchpacket(kern, data, hdr, way)

    def _switch(self, kern: Kernel) -> None:
        """The hooks are in place while somebody listens."""
        kern.bpf = self.bpf_tap if self._frames else None
        ours = kern.fate_sink == self.settled
        if self._ways and not ours:
            self._next_sink, self._was_tracing = kern.fate_sink, kern.tracing
            kern.fate_sink, kern.tracing = self.settled, True
        elif ours and not self._ways:
            kern.fate_sink, kern.tracing = self._next_sink, self._was_tracing
            self._next_sink = None

    # -- sockets ------------------------------------------------------------------------------

    def attach(self, kern: Kernel, so: Socket) -> None:
        so.pcb = BpfD(so)

    def detach(self, kern: Kernel, so: Socket) -> None:
        d = _bpf_d(so)
        if d.bound:
            (self._ways if d.tracing else self._frames).remove(d)
            self._switch(kern)

    def bind(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        """Listen from now on. KError: ENXIO without such an interface, EINVAL the second time."""
        d = _bpf_d(so)
        if d.bound:
            raise KError(EINVAL)
        if addr.scope_id != ALL and kern.ifbyindex(addr.scope_id) is None:
            raise KError(ENXIO)
        d.bound, d.ifindex = True, addr.scope_id
        (self._ways if d.tracing else self._frames).append(d)
        self._switch(kern)

    def connect(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        raise KError(EOPNOTSUPP)

    def send(
        self,
        kern: Kernel,
        so: Socket,
        data: bytes,
        addr: SockaddrIn6 | None,
        control: tuple[Cmsg, ...],
    ) -> int:
        """Refused: these sockets listen."""
        raise KError(EOPNOTSUPP)

    def ctloutput(
        self, kern: Kernel, so: Socket, op: int, level: int, opt: int, value: object = None
    ) -> object:
        """BPF_SNAPLEN, BPF_TRACE, BPF_STATS. KError: EINVAL, EISCONN, ENOPROTOOPT."""
        d = _bpf_d(so)
        if level != SOL_BPF or opt not in (BPF_SNAPLEN, BPF_TRACE, BPF_STATS):
            raise KError(ENOPROTOOPT)
        if op != PRCO_SETOPT:
            stats = BpfStat(d.received, d.dropped)
            return {BPF_SNAPLEN: d.snaplen, BPF_TRACE: int(d.tracing), BPF_STATS: stats}[opt]
        if opt == BPF_STATS or not isinstance(value, int) or not 0 <= value <= MAX_SNAPLEN:
            raise KError(EINVAL)
        if opt == BPF_SNAPLEN:
            d.snaplen = value or MAX_SNAPLEN
        elif d.bound:
            raise KError(EISCONN)
        else:
            d.tracing = bool(value)
        return None

    def sockaddr(self, kern: Kernel, so: Socket) -> SockaddrIn6:
        return SockaddrIn6(scope_id=_bpf_d(so).ifindex)


def _linktype(ifp: Ifnet) -> int:
    """What the frames of an interface begin with."""
    return LINKTYPE_ETHERNET if ifp.if_type == IFT_ETHER else LINKTYPE_RAW


def _bpf_d(so: Socket) -> BpfD:
    if not isinstance(so.pcb, BpfD):
        raise KError(EINVAL)
    return so.pcb


def _passed(kern: Kernel, m: Mbuf, ifindex: int) -> bool:
    """Whether the packet came or went by the interface: its stages name those that it passed."""
    ifp = kern.ifbyindex(ifindex)
    if ifp is None:
        return False
    return m.rcvif is ifp or any(stage.endswith(f" {ifp.if_name}") for stage in m.path or ())


def bpf_init(kern: Kernel) -> None:
    """Packet sockets can be asked for."""
    kern.sockets.protos[(AF_LINK, SOCK_RAW, 0)] = BpfUsrreqs()
