# SPDX-License-Identifier: BSD-3-Clause
"""Binding updates of correspondents, many at a time.

KAME counterpart: the way of a signed update through dest6.c, mip6_binding.c (mip6_validate_bu,
mip6_process_bu) and of its acknowledgement through ip6_output.c. The codes of a batch are verified
at once; then the updates are gone through in order, each with its own time, by the kernel's own
functions where something is kept: binding cache, associations, policies. Acknowledgements are
signed and written at the end of a run. Home registrations, first uses of limited associations,
lines for the log and everything else unusual stop a run: that packet is for the slow path, which is
handed the code that was computed. draft-ietf-mobileip-ipv6-15 s.4.4, s.5.1, s.8.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from kame_py.fast import bu_layout as bk
from kame_py.fast import kernels, layout
from kame_py.fast.batch import BATCH, P_BINDING, P_HOMEREG, P_NONE, P_NOSA
from kame_py.fast.bu_acks import SHAPE_OF, STRAIGHT, Acks, fill
from kame_py.fast.bu_peers import Peers, usable
from kame_py.fast.bu_ways import LINK, Ways
from kame_py.fast.counting import dropped
from kame_py.fast.sas import BAD, UNKNOWN, Checker
from kame_py.kern.clock import NS
from kame_py.kern.drop import D
from kame_py.kern.mbuf import Fate
from kame_py.mip6 import mip6_bc
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_MN, Mip6State
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_NOTREADY
from kame_py.netkey.ipsec import Ipsec6
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    IP6_MIP6_BU_ACK,
    IP6_MIP6_BU_HOME,
    IPPROTO_DSTOPTS,
    MIP6_BA_STATUS_ACCEPTED,
)
from kame_py.wire.mip6_draft15 import WIRE

if TYPE_CHECKING:
    from array import array

    from kame_py.fast.batch import I64, U8, Batch
    from kame_py.fast.lower import Lowered
    from kame_py.fast.sas import Associations, SaTable
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.netkey.keydb import Secasvar, Secpolicy

_NXT: Final = Ip6Hdr.O_ip6_nxt
_HEADERS: Final = 3  # of a plain update, the end included
_OWN: Final = IN6_IFF_ANYCAST | IN6_IFF_NOTREADY
_NONE: Final = -1
_WORTH: Final = 8  # renewals in a row for which arrays are worth it; else ...
_MORE: Final = 64  # ... so many updates go one by one before they are tried again
_OWN_MAX: Final = 32  # addresses of this node that each update is compared with
_WORD_SHIFT: Final = 3
_EARLY: Final = (3, 4)  # no timer of a binding is due before this share of its lifetime


class Output(Protocol):
    """Where frames go."""

    @property
    def wanted(self) -> bool:
        """Whether anybody wants them."""
        ...

    def at(self, stamp: int) -> None:
        """It is that time; no timer is due until then."""
        ...

    def place(self) -> tuple[U8, int]:
        """The array that takes blocks, and where they end in it."""
        ...

    def placed(self, pos: int, frames: int) -> None:
        """So many frames more, and where they end now."""
        ...

    def flush(self) -> None:
        """Make room."""
        ...


class _Run:
    """What a run did, to be counted at its end.

    acks: updates that are acknowledged; rows, hops, vias belong to them. odd: places among those
    where something else is said than that the update was accepted, or in another way; with the
    number that an old one is told.
    """

    __slots__ = ("acks", "bad", "hops", "odd", "old", "rows", "used", "vias")

    def __init__(self) -> None:
        self.acks: list[int] = []
        self.rows: list[int] = []  # of the associations that sign
        self.hops: list[int] = []  # adjacencies
        self.vias: list[bytes] = []
        self.odd: list[tuple[int, int | None]] = []
        self.bad: list[int] = []  # updates with a wrong code
        self.old: list[int] = []  # ... with an old number
        self.used: dict[Secpolicy, int] = {}  # when, ns


class _Arrays(NamedTuple):
    """What renew() wants besides the updates: settings, adjacencies, own addresses, stamps."""

    conf: I64
    hops: I64
    mine: U8
    stamps: I64


class Updates:
    """Binding updates that arrive on ``ifp``."""

    def __init__(
        self,
        kern: Kernel,
        ifp: Ifnet,
        epoch_ns: int,
        low: Lowered,
        associations: Associations,
        output: Output,
    ) -> None:
        self._kern = kern
        self._ifp = ifp
        self._epoch = epoch_ns
        self._low = low
        self._associations = associations
        self._output = output
        self._ways = Ways(low, bk.FRAME_MAX)
        self._checker: Checker | None = None
        self._acks: Acks | None = None
        self._table: I64 = np.zeros((BATCH, bk.U_SIZE), np.int64)
        self._addrs: U8 = np.zeros(BATCH * bk.H_SIZE, np.uint8)
        self._results: I64 = np.zeros(BATCH, np.int64)
        self._which: dict[int, int] | None = None  # update by packet, of a batch that was looked at

    # -- finding ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Another batch."""
        self._which = None

    def _open(self) -> bool:
        """Whether updates come and are answered in the one way that is known here."""
        kern = self._kern
        state = getattr(kern.mip6, "state", None)
        if not isinstance(state, Mip6State) or not isinstance(kern.ipsec, Ipsec6):
            return False
        self._state = state
        dialect, config = state.dialect, state.config
        return (
            dialect.wire is WIRE
            and dialect.seqno_too_small is not None
            and not (dialect.ah_forced or dialect.ack_by_coa)
            and bool(config.mcfg_use_authdata)
            and not config.mcfg_debug  # lines for the log
            and config.mcfg_type != MIP6_CONFIG_TYPE_MN
            and not 0 < kern.ip6.ip6_hdrnestlimit < _HEADERS
            and not self._low.env[layout.E_CLOSED]
        )

    def _look(self, b: Batch, i: int) -> dict[int, int]:
        """Find the updates of a batch from packet ``i`` on, and verify their codes."""
        table = self._associations.table()
        checker = self._checker
        if checker is None or checker.table is not table:
            self._checker = checker = Checker(table)
            self._peers = Peers(self._kern, table)
        w = checker.work
        found, made = kernels.find_updates(
            *(b.arena, b.off, b.caplen, i, b.n, self._low.env),
            *(checker.lists, self._table, self._addrs),
        )
        self._made = made
        self._verdict = verdicts = np.zeros(found, np.uint8)
        checker.judge(b.arena, made, verdicts)
        octets: I64 = np.zeros(found, np.int64)
        octets[w.who[:made]] = w.size[:made]
        self._octets: list[int] = octets.tolist()
        self._verdicts: list[int] = verdicts.tolist()
        self._names = self._addrs[: found * bk.H_SIZE].tobytes()
        columns: list[list[int]] = self._table[:found].T.tolist()
        self._who, self._sas, self._flags, self._seqnos, self._lives = columns
        return {packet: k for k, packet in enumerate(self._who)}

    # -- playing ------------------------------------------------------------------------------

    def play(self, b: Batch, stamps: I64, i: int, stop: int, act: U8) -> int:
        """Take the updates from packet ``i`` on, as far as there are none but such, up to ``stop``.

        The first packet that is not done with; the time of ``i`` has come. Fills act.
        """
        if b.arena[b.off[i] + self._low.env[layout.E_LINK] + _NXT] != IPPROTO_DSTOPTS:
            return i
        if not self._open():
            return i
        if self._which is None:
            self._which = self._look(b, i)
        first = self._which.get(i)
        if first is None:
            return i
        end, who = first + 1, self._who
        while end < len(who) and who[end] - end == i - first and who[end] < stop:
            end += 1
        self._ready()
        run = _Run()
        done = self._take(run, stamps, first, end)
        if done > first:
            self._settle(b, stamps, run, range(first, done), act)
        return i + done - first

    def _take(self, run: _Run, stamps: I64, first: int, end: int) -> int:
        """Process updates in order: renewals on arrays, others one by one."""
        who = self._who[first]
        times: list[int] = stamps[who : who + end - first].tolist()
        tight = self._tight(times, first)
        arrays = self._arrays(stamps, first, end)
        k = first
        while k < end:
            if tight:
                end = max(k, first + self._until_timer(times))
            done = k if arrays is None else self._renew(run, arrays, times, first, k, end)
            if done >= end:
                return done
            stop = min(done + (1 if done - k >= _WORTH else _MORE), end)
            k = self._go(run, times, first, range(done, stop), tight)
            if k < stop:
                return k
        return end

    def _ready(self) -> None:
        """What is remembered is as good as new."""
        kern, state = self._kern, self._state
        self._peers.catch_up()
        self._ways.catch_up()
        made_for = (state.dialect.wire, kern.ip6.ip6_defhlim, state.authdata_kame)
        if self._acks is None or self._acks.made_for != made_for:
            self._acks = acks = Acks(*made_for)
            self._signed = {n: acks.signed_octets(n) for n in SHAPE_OF}
        ifaddrs = kern.ip6.ifaddrs.items()
        self._mine = {a for a, ia in ifaddrs if ia.ia_ifp is self._ifp and not ia.ia6_flags & _OWN}

    def settle(self) -> None:
        """Nothing is left to be counted behind a run."""

    def tell(self, i: int) -> int:
        """Packet ``i`` is for the slow path: hand its code on. Why it is; P_NONE: no update."""
        k = self._which.get(i) if self._which is not None else None
        checker = self._checker
        if k is None or checker is None:
            return P_NONE
        if self._verdicts[k] == UNKNOWN or not usable(checker.table.savs[self._sas[k]]):
            self._associations.miss()
            return P_NOSA
        checker.tell(int(np.searchsorted(checker.work.who[: self._made], k)))
        return P_HOMEREG if self._flags[k] & IP6_MIP6_BU_HOME else P_BINDING

    def _arrays(self, stamps: I64, first: int, end: int) -> _Arrays | None:
        """What renew() wants for a run; None: nothing that it does may be done."""
        kern, state, peers = self._kern, self._state, self._peers
        cache, gen = state.bcache, kern.key.gen
        at = first * bk.H_SIZE
        addr = self._names[at + bk.H_DST : at + bk.H_SIZE]
        own = kern.ip6.ifaddrs.keys()
        odd = cache.homes or cache.unreach or len(own) > _OWN_MAX
        if odd or addr not in self._mine or addr not in cache.owns:
            return None
        sas = self._table[first:end, bk.U_SA]
        sas = sas[sas >= 0]
        for row in np.unique(sas[peers.columns[sas, bk.P_GEN] != gen]).tolist():
            peers.look(row)
        links = self._addrs.view(np.int64).reshape(-1, bk.H_SIZE >> _WORD_SHIFT)
        names, which = np.unique(links[first:end, bk.H_COA >> _WORD_SHIFT], return_inverse=True)
        ways = [self._hop(name.tobytes()) for name in names]
        hops: I64 = np.full(BATCH, _NONE, np.int64)
        hops[first:end] = np.array(ways, np.int64)[which]
        conf: I64 = np.zeros(bk.N_SIZE, np.int64)
        conf[: bk.N_OWN] = (
            *(self._epoch, state.warn_after, state.bc_lifetime_limit, 0),
            (1 << state.dialect.wire.seqno_bits) - 1,
        )
        conf[bk.N_OWN :] = cache.owns.index(addr), *np.frombuffer(addr, np.int64).tolist()
        mine = np.frombuffer(b"".join(own), np.uint8)
        return _Arrays(conf, hops, mine, stamps)

    def _hop(self, link: bytes) -> int:
        """What all acknowledgements to a link leave by; -1: they differ, or it is not known yet."""
        hop = self._ways.known.get(link, _NONE)
        if hop < 0:
            self._ways.find(link + bytes(LINK))
            hop = self._ways.known.get(link, _NONE)
        return hop

    def _renew(self, run: _Run, a: _Arrays, times: list[int], first: int, k: int, end: int) -> int:
        """Renewals, wrong codes and old numbers from ``k`` on; the first one that is none."""
        cache, results = self._state.bcache, self._results
        a.conf[bk.N_NEXT] = cache.next_s
        done = kernels.renew(
            self._table,
            k,
            end,
            self._addrs,
            self._verdict,
            a.stamps,
            self._peers.columns,
            a.hops,
            a.conf,
            a.mine,
            _octets(cache.hoa),
            _octets(cache.coa),
            _octets(cache.flags),
            _octets(cache.seqno),
            _octets(cache.prefixlen),
            _octets(cache.st),
            _octets(cache.own),
            _octets(cache.reg),
            _octets(cache.lifetime),
            _octets(cache.expire),
            _octets(cache.before),
            _octets(cache.after),
            _octets(cache.due),
            _octets(cache.low),
            results,
        )
        if done > k:
            self._renewed(run, a, times[k - first : done - first], range(k, done))
        return done

    def _renewed(self, run: _Run, a: _Arrays, times: list[int], done: range) -> None:
        """What an update does outside of the cache, for many."""
        names, known, sas, octets = self._names, self._peers.known, self._sas, self._octets
        flags, signed, used = self._flags, self._signed, run.used
        hops = a.hops[done.start : done.stop].tolist()
        results = self._results[done.start : done.stop].tolist()
        homes: list[bytes] = []
        for k, stamp, hop, result in zip(done, times, hops, results, strict=True):
            if result == bk.R_BAD:
                run.bad.append(k)
                continue
            peer, now, at = known[sas[k]], stamp - self._epoch, k * bk.H_SIZE
            assert peer is not None
            use(peer.sav, octets[k], now, stamp)
            if result or flags[k] & IP6_MIP6_BU_ACK:
                way = peer.way
                assert way is not None
                if result:
                    run.odd.append((len(run.acks), result >> bk.R_SEQNO))
                run.acks.append(k)
                run.rows.append(way.row)
                run.hops.append(hop)
                run.vias.append(names[at + bk.H_COA : at + bk.H_SRC])
                use(way.sav, signed[way.icvlen], now, stamp)
                used[way.sign] = now
                if way.leave is not None:
                    used[way.leave] = now
            if result:
                run.old.append(k)
                continue
            if peer.enter is not None:
                used[peer.enter] = now
            homes.append(names[at : at + bk.H_COA])
        self._kern.changes.note_many(homes)

    def _go(self, run: _Run, times: list[int], start: int, which: range, tight: bool) -> int:
        """Process updates in order, as long as each is plain; the first one that is not."""
        kern, state, names, gen = self._kern, self._state, self._names, self._kern.key.gen
        known, ways, newer = self._peers.known, self._ways.known, state.dialect.newer
        cache, own = state.bcache, kern.ip6.ifaddrs
        verdicts, sas, octets = self._verdicts, self._sas, self._octets
        flags, seqnos, lives = self._flags, self._seqnos, self._lives
        until = len(times)
        for k in which:
            if k - start >= until or verdicts[k] == UNKNOWN or flags[k] & IP6_MIP6_BU_HOME:
                return k  # a timer that was set here comes first
            stamp = times[k - start]
            peer = known[sas[k]]
            if peer is None or peer.gen != gen:
                peer = self._peers.look(sas[k])
                if peer is None:
                    return k
            now = stamp - self._epoch
            if verdicts[k] == BAD:
                if now >= state.warn_after:  # a line for the log
                    return k
                run.bad.append(k)
                continue
            at = k * bk.H_SIZE
            hoa, coa = names[at : at + bk.H_COA], names[at + bk.H_COA : at + bk.H_SRC]
            addr = peer.sav.saidx.dst
            if hoa in own or (cache.homes and cache.find_home(hoa)) or addr not in self._mine:
                return k
            bc, life = cache.find(addr, hoa), lives[k]
            old = bc and not newer(seqnos[k], cache.seqno[bc])
            gone = not life or coa == hoa
            if old or flags[k] & IP6_MIP6_BU_ACK:
                by_coa = coa != hoa and (old or not gone)
                via = coa if by_coa else names[at + bk.H_SRC : at + bk.H_DST]
                way, hop = peer.way, ways.get(via[:LINK], _NONE)
                if hop < 0:
                    hop = self._ways.find(via)
                if way is None or hop < 0:
                    return k
                run.acks.append(k)
                run.rows.append(way.row)
                run.hops.append(hop)
                run.vias.append(via)
                if old or gone or via == hoa:
                    run.odd.append((len(run.acks) - 1, cache.seqno[bc] if old else None))
                use(way.sav, self._signed[way.icvlen], now, stamp)
                run.used[way.sign] = now
                if way.leave is not None:
                    run.used[way.leave] = now
            use(peer.sav, octets[k], now, stamp)
            if old:
                run.old.append(k)
                continue
            if peer.enter is not None:
                run.used[peer.enter] = now
            self._output.at(stamp)
            self._bind(bc, addr, hoa, coa, k, gone)
            if tight:
                until = self._until_timer(times)
        return which.stop

    def _bind(self, bc: int, addr: bytes, hoa: bytes, coa: bytes, k: int, gone: bool) -> None:
        """What an accepted update does to the binding cache."""
        kern, limit = self._kern, self._state.bc_lifetime_limit
        if gone:
            if bc:
                mip6_bc.mip6_bc_remove(kern, bc)
            return
        life = self._lives[k]
        life = min(life, limit) if limit else life
        flags, seqno = self._flags[k], self._seqnos[k]
        row = mip6_bc.mip6_bc_put(kern, addr, hoa, coa, flags, seqno, 0, life)
        self._peers.columns[self._sas[k], bk.P_ROW] = row

    def _tight(self, times: list[int], first: int) -> bool:
        """Whether a timer that a binding of this run sets may be due within it."""
        lives = [life for life in self._lives[first : first + len(times)] if life]
        limit = self._state.bc_lifetime_limit
        if not lives:
            return False
        shortest = min(*lives, limit) if limit else min(lives)
        return times[-1] - times[0] >= shortest * NS * _EARLY[0] // _EARLY[1]

    def _until_timer(self, times: list[int]) -> int:
        """How many updates of a run come before the next timer."""
        deadline = self._kern.next_deadline()
        return len(times) if deadline is None else bisect_left(times, deadline + self._epoch)

    # -- the end of a run ---------------------------------------------------------------------

    def _settle(self, b: Batch, stamps: I64, run: _Run, done: range, act: U8) -> None:
        """Count what the updates did, and send the acknowledgements."""
        kern, ifp, who, n = self._kern, self._ifp, self._who, len(done)
        first = who[done[0]]
        act[first : first + n] = layout.A_UPDATE
        for action, why, ended in (
            (layout.A_BADAUTH, D.MIP6_BUBADAUTH, run.bad),
            (layout.A_SEQNO, D.MIP6_BUSEQNO, run.old),
        ):
            if ended:
                act[[who[k] for k in ended]] = action
                dropped(kern, ifp, why, len(ended))
        consumed = n - len(run.bad) - len(run.old)
        if consumed:
            kern.fates[Fate.CONSUMED] += consumed
        kern.created += n
        ifp.if_data.ifi_ipackets += n
        ifp.if_data.ifi_ibytes += int(b.caplen[first : first + n].sum())
        stats, ifstat = kern.stats, ifp.in6_ifstat
        stats.ip6["ip6s_total"] += n
        stats.ip6s_nxthist[IPPROTO_DSTOPTS] += n
        stats.ip6["ip6s_delivered"] += n
        ifstat["ifs6_in_receive"] += n
        ifstat["ifs6_in_deliver"] += n
        stats.mip6["mip6s_hao"] += n
        stats.mip6["mip6s_bu"] += n
        for sp, now in run.used.items():
            sp.lastused, sp.lastused_ns = (now + self._epoch) // NS, now
        if run.acks:
            self._send(run, stamps)

    def _send(self, run: _Run, stamps: I64) -> None:
        """Acknowledgements of a run go out."""
        maker, checker, out = self._acks, self._checker, self._output
        assert maker is not None and checker is not None
        acks = self._answers(run, checker.table)
        link = int(self._low.env[layout.E_LINK])
        self._count_sent(run, acks, maker.octets(acks, link))
        if not out.wanted:
            out.placed(out.place()[1], len(acks))
            return
        maker.lay_out(acks, self._addrs, b"".join(run.vias), checker.table)
        at = 0
        while at < len(acks):
            room, pos = out.place()
            then, pos = maker.write(acks, at, self._table, stamps, link, room, pos)
            out.placed(pos, then - at)
            at = then
            if at < len(acks):
                out.flush()

    def _answers(self, run: _Run, table: SaTable) -> I64:
        """Rows for the kernels."""
        which: I64 = np.array(run.acks, np.int64)
        answers: I64 = np.zeros((len(which), bk.B_SIZE), np.int64)
        limit = self._state.bc_lifetime_limit
        lives = self._table[which, bk.U_LIFE]
        answers[:, bk.B_UPDATE] = which
        answers[:, bk.B_STATUS] = MIP6_BA_STATUS_ACCEPTED
        answers[:, bk.B_SEQNO] = self._table[which, bk.U_SEQNO]
        # No home agent: what is refreshed in time is what is known (draft-15 s.5.2).
        answers[:, bk.B_LIFE] = np.minimum(lives, limit) if limit else lives
        answers[:, bk.B_REFRESH] = answers[:, bk.B_LIFE]
        fill(answers, np.array(run.rows), np.array(run.hops), table, self._low.adj)
        for n, seqno in run.odd:
            answers[n, bk.B_LIFE] = answers[n, bk.B_REFRESH] = 0
            if seqno is not None:
                answers[n, bk.B_STATUS] = self._state.dialect.seqno_too_small or 0
                answers[n, bk.B_SEQNO] = seqno
            at = run.acks[n] * bk.H_SIZE
            if run.vias[n] == self._names[at : at + bk.H_COA]:
                answers[n, bk.B_SHAPE] += STRAIGHT
        return answers

    def _count_sent(self, run: _Run, acks: I64, octets: int) -> None:
        kern, ifp, n = self._kern, self._ifp, len(acks)
        kern.created += n
        kern.fates[Fate.TRANSMITTED] += n
        stats, data = kern.stats, ifp.if_data
        stats.mip6["mip6s_oba"] += n
        for status, count in Counter(acks[:, bk.B_STATUS].tolist()).items():
            stats.mip6s_oba_hist[status] += count
        routed = int((acks[:, bk.B_SHAPE] < STRAIGHT).sum())
        if routed:
            stats.mip6["mip6s_orthdr"] += routed
        stats.ip6["ip6s_localout"] += n
        ifp.in6_ifstat["ifs6_out_request"] += n
        data.ifi_opackets += n
        data.ifi_obytes += octets
        for j, count in Counter(run.hops).items():
            hop = self._low.hops[j]
            hop.rt.rt_use += count
            if hop.neigh is not None:
                hop.neigh.rt_use += count


def _octets(column: bytearray | array[int]) -> U8:
    """A column of the binding cache as the kernels take it; it must not grow meanwhile."""
    return np.frombuffer(column, np.uint8)


def use(sav: Secasvar, octets: int, now: int, stamp: int) -> None:
    """What key_sa_recordxfer does for an association that is ``usable``."""
    cur = sav.lft_c
    cur.allocations += 1
    cur.bytes += octets
    cur.usetime = stamp // NS
    if sav.used_ns is None:
        sav.used_ns = now
