# SPDX-License-Identifier: BSD-3-Clause
"""Packets for this node under AH, many at a time.

KAME ah_input.c (ah6_input), ipsec.c (ipsec_chkreplay, ipsec_updatereplay, ipsec6_in_reject). The
codes of a batch are verified at once; then numbers are looked at in order. Replays, wrong codes and
good packets with nothing inside ("no next header") end here. What is inside of others, and whatever
is unusual, is for the slow path, which is handed the code that was computed. RFC 2402 s.3.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast import ah_layout as al
from kame_py.fast import kernels, layout
from kame_py.fast.batch import BATCH, P_IPSEC, P_NONE
from kame_py.fast.bu_peers import policies, usable
from kame_py.fast.counting import dropped
from kame_py.fast.sas import Checker
from kame_py.kern.clock import NS
from kame_py.kern.drop import D
from kame_py.kern.mbuf import Mbuf
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_MN, Mip6State
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_NOTREADY
from kame_py.netkey.ipsec import Ipsec6
from kame_py.netkey.ipsec_policy import ipsec_in_reject
from kame_py.netkey.ipsec_replay import SEQ_MAX
from kame_py.netkey.key_sad import key_allocsa
from kame_py.netkey.key_spd import key_findsp
from kame_py.netkey.keydb import ESP_REPLAY_UNITS, Secpolicyindex
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_AH, IPPROTO_NONE
from kame_py.wire.pfkeyv2 import IPSEC_DIR_INBOUND

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, Batch
    from kame_py.fast.lower import Lowered
    from kame_py.fast.sas import Associations
    from kame_py.kern.drop import DropReason
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.netkey.keydb import Secasvar, Secpolicy

_NXT: Final = Ip6Hdr.O_ip6_nxt
_COUNT_MAX: Final = SEQ_MAX >> 1  # of packets; with more the slow path watches their end
_HEADERS: Final = 2  # of such a packet, the end included
_FULL: Final = 128  # prefix length of one address
_UNFIT: Final = IN6_IFF_ANYCAST | IN6_IFF_NOTREADY
_ENDS: Final[tuple[tuple[int, int, DropReason], ...]] = (
    (al.W_BAD, layout.A_AHBAD, D.AH_BADICV),
    (al.W_AGAIN, layout.A_AHREPLAY, D.AH_REPLAY),
    (al.W_GOOD, layout.A_AHDONE, D.IP6_NOPROTO),
)

#: An association that may be used here, the policy that lets its packets in (None: the default
#: one), and what was valid when that was found.
_Known = tuple["Secasvar", "Secpolicy | None", tuple[object, ...]]


class AhPackets:
    """Packets with AH that arrive on ``ifp``."""

    def __init__(
        self, kern: Kernel, ifp: Ifnet, epoch_ns: int, low: Lowered, associations: Associations
    ) -> None:
        self._kern = kern
        self._ifp = ifp
        self._epoch = epoch_ns
        self._low = low
        self._associations = associations
        self._checker: Checker | None = None
        self._known: dict[int, _Known] = {}
        self._found: I64 = np.zeros((BATCH, al.K_SIZE), np.int64)
        self._where: I64 = np.zeros(BATCH, np.int64)  # by packet: among those found, or -1
        self._verdicts: U8 = np.zeros(BATCH, np.uint8)
        self._made = 0
        self._from = BATCH  # packets of this batch from here on were looked at
        self._loaded: list[int] = []  # rows of associations whose windows are in use here

    def begin(self) -> None:
        """Another batch."""
        self._from = BATCH

    def _open(self) -> bool:
        """Whether such packets meet nobody on their way but AH and the policies."""
        kern = self._kern
        state = getattr(kern.mip6, "state", None)
        mobile = isinstance(state, Mip6State) and state.config.mcfg_type == MIP6_CONFIG_TYPE_MN
        return (
            isinstance(kern.ipsec, Ipsec6)
            and not kern.key.ipsec_debug
            and not kern.pcbs.raw6
            and not mobile
            and not 0 < kern.ip6.ip6_hdrnestlimit < _HEADERS
            and not self._low.env[layout.E_CLOSED]
        )

    def _look(self, b: Batch, i: int) -> None:
        """Find packets from ``i`` on, and verify their codes."""
        table = self._associations.table()
        checker = self._checker
        if checker is None or checker.table is not table:
            self.settle()
            self._checker = checker = Checker(table, al.FRONT)
            self._known = {}
            self._windows: I64 = np.zeros((len(table.savs), al.W_SIZE), np.int64)
        self._from = i
        self._made = kernels.find_ah(
            *(b.arena, b.off, b.caplen, i, b.n, self._low.env),
            *(checker.lists, self._found, self._where),
        )
        checker.judge(b.arena, self._made, self._verdicts)

    # -- playing ------------------------------------------------------------------------------

    def play(self, b: Batch, stamps: I64, i: int, stop: int, act: U8) -> int:
        """Take the packets from ``i`` on, as far as there are none but such, up to ``stop``.

        The first packet that is not done with; the time of ``i`` has come. Fills act.
        """
        if b.arena[b.off[i] + self._low.env[layout.E_LINK] + _NXT] != IPPROTO_AH:
            return i
        if not self._open():
            return i
        if i < self._from:
            self._look(b, i)
        while i < stop and (k := int(self._where[i])) >= 0:
            done = kernels.take_ah(
                *(self._found, k, self._made, stop),
                *(stamps, self._verdicts, self._windows, act),
            )
            i += done - k
            if done == k and not self._load(int(self._found[k, al.K_SA])):
                break
        return i

    def _load(self, row: int) -> bool:
        """Look at an association; True: its packets may be handled here now.

        It is shut where a use of it may change more than numbers.
        """
        window = self._windows[row]
        if window[al.W_STATE]:
            return False
        self._loaded.append(row)
        window[al.W_STATE] = al.W_SHUT
        known = self._ask(row)
        if known is None:
            return False
        replay = known[0].replay
        bits = replay.wsize * ESP_REPLAY_UNITS
        if bits > al.BITS_MAX or (bits and replay.count > _COUNT_MAX):
            return False
        window[al.W_STATE : al.W_GOOD] = al.W_OPEN, bits, replay.bitmap, replay.lastseq
        return True

    def _ask(self, row: int) -> _Known | None:
        """The association of a row and its policy, if its packets come in."""
        kern, known = self._kern, self._known.get(row)
        valid = (kern.key.gen, *policies(kern))
        assert self._checker is not None
        sav = self._checker.table.savs[row]
        idx = sav.saidx
        ia = kern.ip6.ifaddrs.get(idx.dst)
        if ia is None or ia.ia_ifp is not self._ifp or ia.ia6_flags & _UNFIT or not usable(sav):
            return None
        if known is not None and known[2] == valid:
            return known
        if key_allocsa(kern, IPPROTO_AH, idx.dst, sav.spi, idx.src) is not sav:
            return None
        selectors = (IPSEC_DIR_INBOUND, idx.src, _FULL, idx.dst, _FULL, IPPROTO_NONE)
        sp = key_findsp(kern, Secpolicyindex(*selectors)) if kern.key.spd else None
        m = Mbuf(b"")
        m.ipsecaux().hist.append(sav)
        if ipsec_in_reject(kern, m, kern.key.ip6_def_policy if sp is None else sp):
            return None
        self._known[row] = sav, sp, valid
        return self._known[row]

    def tell(self, i: int) -> int:
        """Packet ``i`` is for the slow path: hand its code on. Why it is; P_NONE: no AH."""
        k = int(self._where[i]) if i >= self._from else -1
        if k < 0 or self._checker is None:
            return P_NONE
        self._checker.tell(k)
        return P_IPSEC

    # -- counters -----------------------------------------------------------------------------

    def settle(self) -> None:
        """Count what the packets did: somebody may look, or change what was looked at."""
        rows = self._loaded
        if not rows:
            return
        total = self._windows[rows].sum(axis=0)
        if total[al.W_FRAMES]:
            for row in rows:
                self._settle_sa(row)
            self._settle_all(total)
        self._windows[rows] = 0
        self._loaded = []

    def _settle_all(self, total: I64) -> None:
        kern, ifp = self._kern, self._ifp
        good = int(total[al.W_GOOD])
        n = good + int(total[al.W_BAD] + total[al.W_AGAIN])
        kern.created += n
        data, stats, ifstat = ifp.if_data, kern.stats, ifp.in6_ifstat
        data.ifi_ipackets += n
        data.ifi_ibytes += int(total[al.W_FRAMES])
        stats.ip6["ip6s_total"] += n
        stats.ip6s_nxthist[IPPROTO_AH] += n
        stats.ip6["ip6s_delivered"] += n - good  # nobody takes what has nothing inside
        ifstat["ifs6_in_receive"] += n
        ifstat["ifs6_in_deliver"] += n
        if good:
            stats.ipsec6["in_ahauthsucc"] += good
            stats.ipsec6["in_success"] += good
            stats.rip6["rip6s_ipackets"] += good
        for column, _, why in _ENDS:
            if total[column]:
                dropped(kern, ifp, why, int(total[column]))

    def _settle_sa(self, row: int) -> None:
        """What key_sa_recordxfer, key_usesp and the window would hold by now."""
        window, known = self._windows[row].tolist(), self._known.get(row)
        good, bad = window[al.W_GOOD], window[al.W_BAD]
        if known is None or not good + bad:
            return
        sav, sp, _ = known
        self._kern.stats.in_ahhist[sav.alg_auth] += good + bad
        if not good:
            return
        first, last = window[al.W_FIRST], window[al.W_USED]
        cur, replay = sav.lft_c, sav.replay
        cur.allocations += good
        cur.bytes += window[al.W_OCTETS]
        cur.usetime = max(cur.usetime, last // NS)
        since = first - self._epoch
        sav.used_ns = since if sav.used_ns is None else min(since, sav.used_ns)
        if window[al.W_BITS]:
            replay.bitmap, replay.lastseq = window[al.W_SEEN], window[al.W_LAST]
            replay.count += good
        if sp is not None and last - self._epoch >= sp.lastused_ns:  # not by another of them
            sp.lastused, sp.lastused_ns = last // NS, last - self._epoch
