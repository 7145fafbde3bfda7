# SPDX-License-Identifier: BSD-3-Clause
"""Drive batches of packets through a kernel: runs on arrays, the rest one by one, in order.

No KAME counterpart. Between two packets for the slow path lies a run whose packets change nothing
but counters; a run ends where a timer of the kernel is due, too. What a run would have counted is
added before anybody can look: ahead of timers, of packets for the slow path, at the end of a batch.
Output and counters are those of the slow path, octet by octet; tests/differential compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from kame_py.fast import kernels, layout
from kame_py.fast.ah import AhPackets
from kame_py.fast.batch import BATCH, P_MIXED, P_NONE, P_SHOWN, PUNT_NAMES
from kame_py.fast.bu import Updates
from kame_py.fast.counting import dropped
from kame_py.fast.expiry import in_vectors
from kame_py.fast.lower import Lowered
from kame_py.fast.places import Places, places
from kame_py.fast.sas import Associations
from kame_py.kern.drop import D, DropReason
from kame_py.kern.mbuf import Fate
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    IP6OPT_HOME_ADDRESS,
    IPPROTO_DSTOPTS,
    IPPROTO_IPV6,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kame_py.fast.batch import I64, U8, Batch
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

OUT_OCTETS: Final = 1 << 18
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_NXT: Final = Ip6Hdr.O_ip6_nxt
_HDR: Final = Ip6Hdr.SIZE
_ADDR: Final = _DST - _SRC
_HAO: Final = layout.HAO_AT
_HOA: Final = layout.HOA_AT
_ORDINARY: Final = range(1, 0xFE)  # first octets of home addresses

#: Actions that end a packet badly.
DROPS: Final[dict[int, DropReason]] = {
    layout.A_NOTFORUS: D.ETHER_NOTFORUS,
    layout.A_MCAST: D.ETHER_MCAST,
    layout.A_TYPE: D.ETHER_TYPE,
    layout.A_TYPE_GROUP: D.ETHER_TYPE,
    layout.A_NOTOURS: D.IP6_NOTFORUS,
    layout.A_BADAUTH: D.MIP6_BUBADAUTH,
    layout.A_SEQNO: D.MIP6_BUSEQNO,
    layout.A_AHDONE: D.IP6_NOPROTO,
    layout.A_AHBAD: D.AH_BADICV,
    layout.A_AHREPLAY: D.AH_REPLAY,
}
GOOD: Final[dict[int, tuple[Fate, DropReason | None]]] = {
    layout.A_FORWARD: (Fate.FORWARDED, None),
    layout.A_TUNNEL: (Fate.FORWARDED, None),
    layout.A_ECHO: (Fate.CONSUMED, None),
    layout.A_UPDATE: (Fate.CONSUMED, None),
    layout.A_ROUTED: (Fate.CONSUMED, None),
    layout.A_ROUTED_HAO: (Fate.CONSUMED, None),
}
#: By action: what becomes of the packet, None when it was the node's own.
FATES: Final[tuple[tuple[Fate, DropReason | None] | None, ...]] = tuple(
    (Fate.DROPPED, DROPS[a]) if a in DROPS else GOOD.get(a) for a in range(layout.A_COUNT)
)


class Face(Protocol):
    """Who has the packets and the time."""

    def advance(self, stamp: int) -> None:
        """Let time pass to a stamp of the capture, every timer at its own time."""
        ...

    def at(self, stamp: int) -> None:
        """The same where no timer is due until then."""
        ...

    def slow(self, batch: Batch, i: int) -> None:
        """Packet ``i`` goes the slow way; the time is its own."""
        ...

    def ran(self, batch: Batch, start: int, stop: int, act: U8) -> None:
        """These packets were a run; FATES[act] tells what became of each."""
        ...

    def output(self, blocks: memoryview, frames: int) -> None:
        """Frames that left, as blocks of a pcapng file; none when nobody wants them."""
        ...


class Engine:
    """Packets that arrive on ``ifp`` of one kernel. punts: how many went the slow way, by P_*."""

    def __init__(self, kern: Kernel, ifp: Ifnet, epoch_ns: int, face: Face, write: bool) -> None:
        self._kern = kern
        self._ifp = ifp
        self._epoch = epoch_ns
        self._face = face
        self._low = Lowered(kern, ifp)
        self._low.env[layout.E_WRITE] = self.wanted = write
        self.last_ns = 0  # the latest stamp
        self._act: U8 = np.zeros(BATCH, np.uint8)
        self._row: I64 = np.zeros(BATCH, np.int64)
        self._out: U8 = np.zeros(OUT_OCTETS if write else layout.EPB_MAX + layout.HALF, np.uint8)
        self._cnt: I64 = np.zeros(layout.C_COUNT, np.int64)
        self._unsettled: I64 = self._cnt[: layout.C_POS]
        self._hist: I64 = np.zeros(layout.BYTE + 1, np.int64)
        self._bcs: I64 = np.zeros(BATCH, np.int64)
        self._stamps: I64 = np.zeros(BATCH, np.int64)
        self._tables: Places = ()
        self._stale = True  # something but runs has happened
        self.punts = [0] * len(PUNT_NAMES)
        self.packets = 0  # in runs
        self.in_order = 0  # of these, updates and AH: each saves as much as many others
        in_vectors(kern)
        associations = Associations(kern)
        self._special = (
            Updates(kern, ifp, epoch_ns, self._low, associations, self),
            AhPackets(kern, ifp, epoch_ns, self._low, associations),
        )

    def named_punts(self) -> dict[str, int]:
        """Packets for the slow path by reason."""
        return {PUNT_NAMES[p]: n for p, n in enumerate(self.punts) if n}

    # -- a batch ------------------------------------------------------------------------------

    def run(self, b: Batch, one_by_one: bool = False, shown: Sequence[int] = ()) -> None:
        """All packets of a batch, at most BATCH; one by one: the slow way for each.

        shown: packets that go the slow way since somebody wants to see them, in order.
        """
        n = b.n
        kernels.in_order(b.ts, n, self.last_ns, self._stamps)
        stamps = self._stamps[:n]
        if one_by_one:
            self._run_slow(b, stamps)
            return
        if self._stale:
            self._settle()
            self._catch_up(0)
        for special in self._special:
            special.begin()
        self._look_again(0)
        i, ran = 0, False
        marks = iter(shown)
        mark = next(marks, n)
        while i < n:
            due = self._due(stamps)
            stop = min(due, mark)
            if i < stop:
                at = self._run(b, stamps, i, stop)
                i, ran = at, at > i
                if i == stop:
                    continue
            played = self._play(b, stamps, i, stop) if stop > i else i
            if played > i:
                i, ran = played, True
                continue
            ran = False
            self._settle()
            self._face.advance(int(stamps[i]))
            if due <= i:
                self._catch_up(i)
            elif i == mark:
                self._slow(b, i, P_SHOWN)
                mark = next(marks, n)
                i += 1
            elif self._stop(b, i):
                i += 1
        if n:
            self.last_ns = int(stamps[n - 1])
        if n and ran:  # nothing is due, so nobody sees what is not counted
            self._face.advance(self.last_ns)

    def _run_slow(self, b: Batch, stamps: I64) -> None:
        self._settle()
        self._stale = True
        for i, stamp in enumerate(stamps.tolist()):
            self._face.advance(stamp)
            self.last_ns = stamp
            self._face.slow(b, i)

    def finish(self) -> None:
        """No packet follows: what was written goes out."""
        self._settle()
        self.flush()

    def flush(self) -> None:
        """Hand on the output so far: something else is about to be written behind it."""
        pos, frames = self._cnt[layout.C_POS : layout.C_LOOKED].tolist()
        if frames:
            self._face.output(self._out[:pos].data, frames)
            self._cnt[layout.C_POS : layout.C_LOOKED] = 0

    def _due(self, stamps: I64) -> int:
        """The first packet that finds a timer due."""
        deadline = self._kern.next_deadline()
        if deadline is None or deadline + self._epoch > stamps[-1]:
            return len(stamps)
        return int(np.searchsorted(stamps, deadline + self._epoch))

    def _stop(self, b: Batch, i: int) -> bool:
        """The packet that ends a run, its time has come; True: it is done with."""
        if self._act[i] == layout.A_MISS:
            unknown = self._unknown(b, i)
            self._look_again(i)
            if unknown:
                self._low.ask(unknown)
                return False
            b.why[i] = P_MIXED
        why = max(special.tell(i) for special in self._special)
        self._slow(b, i, int(b.why[i]) if why == P_NONE else why)
        return True

    def _slow(self, b: Batch, i: int, why: int) -> None:
        self.punts[why] += 1
        self._face.slow(b, i)
        self._catch_up(i + 1)

    # -- packets that are gone through in order -----------------------------------------------

    def _play(self, b: Batch, stamps: I64, i: int, due: int) -> int:
        """Packet ``i`` and those of its kind behind it; the first one that is not done with."""
        for special in self._special:
            played = special.play(b, stamps, i, due, self._act)
            if played > i:
                self.packets += played - i
                self.in_order += played - i
                self._face.ran(b, i, played, self._act)
                self._look_again(played)
                self._settle_runs()
                self._low.forget_bindings()
                return played
        return i

    def at(self, stamp: int) -> None:
        """It is that time; no timer is due until then."""
        self._face.at(stamp)

    def place(self) -> tuple[U8, int]:
        """The array that takes blocks, and where they end in it."""
        return self._out, int(self._cnt[layout.C_POS])

    def placed(self, pos: int, frames: int) -> None:
        """So many frames more, and where they end now."""
        self._cnt[layout.C_POS] = pos
        self._cnt[layout.C_FRAMES] += frames

    # -- runs ---------------------------------------------------------------------------------

    def _catch_up(self, i: int) -> None:
        """Take over changes before packet ``i``."""
        self._stale = False
        if self._low.catch_up():
            self._look_again(i)

    def _look_again(self, i: int) -> None:
        """What is known of packets from ``i`` on is forgotten."""
        self._cnt[layout.C_LOOKED :] = i

    def _places(self) -> Places:
        """What the kernels need of this engine and its tables, in the order of layout.T_ROWS."""
        low = self._low
        if low.moved:
            low.moved = False
            self._tables = places(
                *(low.rows, low.index, low.adj, low.ends, low.env, low.use, low.touched),
                *(self._act, self._row, self._out, self._cnt, self._hist, self._bcs),
            )
        return self._tables

    def _run(self, b: Batch, stamps: I64, start: int, stop: int) -> int:
        """Packets that change nothing but counters; the first that is another, before ``stop``."""
        tables, room, n, act = self._places(), len(self._out), b.n, self._act
        at = start
        while True:
            at = kernels.run(
                *(b.arena, b.off, b.caplen, stamps, at, stop, n, b.why, room, tables),
            )
            if at == stop or act[at] != layout.GO_ON:
                break
            self.flush()
        used = int(self._cnt[layout.C_BCS])
        if used:
            self._cnt[layout.C_BCS] = 0
            self._low.use_bindings(self._bcs[:used])
        if at > start:
            self.packets += at - start
            self._face.ran(b, start, at, act)
        return at

    def _unknown(self, b: Batch, start: int) -> set[bytes]:
        """Addresses that the packets from ``start`` on have and the table has not."""
        low, link, n = self._low, int(self._low.env[layout.E_LINK]), b.n
        kernels.classify(b.arena, b.off, b.caplen, start, n, b.why, self._places())
        found: set[bytes] = set()
        arena = b.arena.data

        def look(at: int) -> bool:
            addr = bytes(arena[at : at + _ADDR])
            new = addr in found or not low.knows(addr)
            if new:
                found.add(addr)
            return new

        for i in np.flatnonzero(self._act[start:n] == layout.A_MISS).tolist():
            p = int(b.off[start + i]) + link
            if look(p + _DST):
                continue
            if arena[p + _NXT] == IPPROTO_IPV6 and int(b.caplen[start + i]) >= link + 2 * _HDR:
                look(p + _HDR + _SRC)
                look(p + _HDR + _DST)
            whole = int(b.caplen[start + i]) >= link + _HOA + _ADDR
            if arena[p + _NXT] == IPPROTO_DSTOPTS and whole:
                if arena[p + _HAO] == IP6OPT_HOME_ADDRESS and arena[p + _HOA] in _ORDINARY:
                    look(p + _HOA)
            look(p + _SRC)
        return found

    # -- counters -----------------------------------------------------------------------------

    def _settle(self) -> None:
        """Count everything: somebody may look."""
        self._settle_runs()
        for special in self._special:
            special.settle()

    def _settle_runs(self) -> None:
        """Count what the runs did."""
        cnt = self._cnt.tolist()
        total = sum(cnt[: layout.A_COUNT])
        if not total:
            return
        self._unsettled.fill(0)
        kern, ifp = self._kern, self._ifp
        kern.created += total - cnt[layout.A_OWN]
        forward, tunnel, echo = cnt[layout.A_FORWARD], cnt[layout.A_TUNNEL], cnt[layout.A_ECHO]
        away = cnt[layout.A_ROUTED] + cnt[layout.A_ROUTED_HAO]
        echo += away
        sent = forward + tunnel + echo
        if total != sent:
            for a, why in DROPS.items():
                if cnt[a]:
                    dropped(kern, ifp, why, cnt[a])
        group = cnt[layout.A_TYPE_GROUP]
        arrived = sent + cnt[layout.A_NOTOURS]
        data = ifp.if_data
        data.ifi_ipackets += arrived + cnt[layout.A_TYPE] + group
        data.ifi_ibytes += cnt[layout.C_IBYTES]
        data.ifi_imcasts += group
        if arrived:
            self._count_arrived(arrived + cnt[layout.C_DECAP], cnt[layout.C_DECAP])
        if sent:
            data.ifi_opackets += sent
            data.ifi_obytes += cnt[layout.C_OBYTES]
            kern.fates[Fate.FORWARDED] += forward + tunnel
            self._count_sent(forward, tunnel, echo)
            self._count_hops(cnt[layout.C_TOUCHED])
        if echo:
            self._count_echo(echo)
        if away:
            kern.stats.mip6["mip6s_hao"] += cnt[layout.A_ROUTED_HAO]
            kern.stats.mip6["mip6s_orthdr"] += away

    def _count_arrived(self, total: int, decap: int) -> None:
        stats, ifstat = self._kern.stats, self._ifp.in6_ifstat
        stats.ip6["ip6s_total"] += total
        ifstat["ifs6_in_receive"] += total
        (seen,) = self._hist.nonzero()
        for nxt, n in zip(seen.tolist(), self._hist[seen].tolist(), strict=True):
            stats.ip6s_nxthist[nxt] += n
        self._hist.fill(0)
        if decap:
            stats.ip6["ip6s_delivered"] += decap
            ifstat["ifs6_in_deliver"] += decap
            stats.mip6["mip6s_revtunnel"] += decap

    def _count_sent(self, forward: int, tunnel: int, echo: int) -> None:
        stats, ifstat = self._kern.stats, self._ifp.in6_ifstat
        if forward:
            stats.ip6["ip6s_forward"] += forward
            ifstat["ifs6_out_forward"] += forward
        if tunnel:
            stats.mip6["mip6s_otunnel"] += tunnel
        if tunnel + echo:
            stats.ip6["ip6s_localout"] += tunnel + echo
            ifstat["ifs6_out_request"] += tunnel + echo

    def _count_echo(self, echo: int) -> None:
        """Pings and their answers, packets of their own."""
        kern, ifstat = self._kern, self._ifp.icmp6_ifstat
        kern.created += echo
        kern.fates[Fate.CONSUMED] += echo
        kern.fates[Fate.TRANSMITTED] += echo
        kern.stats.ip6["ip6s_delivered"] += echo
        self._ifp.in6_ifstat["ifs6_in_deliver"] += echo
        kern.stats.icp6s_inhist[ICMP6_ECHO_REQUEST] += echo
        kern.stats.icp6s_outhist[ICMP6_ECHO_REPLY] += echo
        kern.stats.icmp6["icp6s_reflect"] += echo
        for member in ("in_msg", "in_echo", "out_msg", "out_echoreply"):
            ifstat[f"ifs6_{member}"] += echo

    def _count_hops(self, touched: int) -> None:
        low = self._low
        for j in low.touched[:touched].tolist():
            used, hop = int(low.use[j]), low.hops[j]
            low.use[j] = 0
            hop.rt.rt_use += used
            if hop.neigh is not None:
                hop.neigh.rt_use += used
