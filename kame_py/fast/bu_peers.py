# SPDX-License-Identifier: BSD-3-Clause
"""What IPsec has to say of the updates and acknowledgements of each mobile node, remembered.

KAME counterpart: key_allocsa, ipsec6_getpolicybyaddr and key_checkrequest, asked once for each
association of a mobile node instead of for each packet. The answers are the kernel's own; one is
used as long as ``kern.key`` says that nothing changed, or what it rests on still stands. Where the
use of an association may end it, or a policy wants more than authentication data, the answer is
none: such packets are for the slow path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast import bu_layout as bl
from kame_py.fast.sas import NO_KIND, S_KIND
from kame_py.netkey.ipsec import Ipsec6
from kame_py.netkey.key_sad import key_allocsa
from kame_py.netkey.key_spd import key_findsp
from kame_py.netkey.keydb import Secpolicyindex
from kame_py.wire.const import IPPROTO_AH, IPPROTO_DSTOPTS, IPPROTO_NONE
from kame_py.wire.pfkeyv2 import (
    IPSEC_DIR_INBOUND,
    IPSEC_DIR_OUTBOUND,
    IPSEC_MODE_ANY,
    IPSEC_POLICY_BYPASS,
    IPSEC_POLICY_IPSEC,
    IPSEC_POLICY_NONE,
    SADB_SASTATE_DYING,
    SADB_SASTATE_MATURE,
)

if TYPE_CHECKING:
    from kame_py.fast.batch import I64
    from kame_py.fast.sas import SaTable
    from kame_py.kern.kernel import Kernel
    from kame_py.netkey.keydb import Secasindex, Secasvar, Seclifetime, Secpolicy

_VALID: Final = (SADB_SASTATE_MATURE, SADB_SASTATE_DYING)
_OPEN: Final = (IPSEC_POLICY_NONE, IPSEC_POLICY_BYPASS)
_FULL: Final = 128  # prefix length of one address


class Way:
    """How acknowledgements to a mobile node are signed.

    row: of the association in the table. heads, savs: the lists of the database that it is alone
    in. sign, leave: the policies that name it and that let the packet out; None the default one.
    """

    __slots__ = ("heads", "icvlen", "leave", "row", "sav", "savs", "sign", "spi")

    def __init__(
        self,
        row: int,
        sav: Secasvar,
        lists: tuple[list[Secasindex], list[Secasvar]],
        policies: tuple[Secpolicy, Secpolicy | None],
    ) -> None:
        self.row = row
        self.sav = sav
        self.spi = sav.spi
        self.icvlen = sav.mackey.icvlen if sav.mackey is not None else 0
        self.heads, self.savs = lists
        self.sign, self.leave = policies

    def stands(self) -> bool:
        """Whether packets out still get this association, and may use it any number of times."""
        return len(self.heads) == len(self.savs) == 1 and usable(self.sav)


class Peer:
    """One association by which updates come. enter: the policy that lets them in, None the default.

    gen: changes of the associations when it was looked at. way: None, acknowledgements are for the
    slow path.
    """

    __slots__ = ("enter", "gen", "sav", "way")

    def __init__(self, gen: int, sav: Secasvar, enter: Secpolicy | None, way: Way | None) -> None:
        self.gen = gen
        self.sav = sav
        self.enter = enter
        self.way = way


class Peers:
    """The peers of one kernel by the row of their association in ``table``."""

    def __init__(self, kern: Kernel, table: SaTable) -> None:
        self._kern = kern
        self.table = table
        self.known: list[Peer | None] = [None] * len(table.savs)
        self.columns: I64 = np.zeros((len(table.savs), bl.P_SIZE), np.int64)  # for the kernels
        self._policies = policies(kern)

    def catch_up(self) -> None:
        """Forget all when the policies changed."""
        now = policies(self._kern)
        if now != self._policies:
            self._policies = now
            self.known = [None] * len(self.table.savs)
            self.columns[:, bl.P_OPEN] = 0

    def look(self, row: int) -> Peer | None:
        """The peer of a row as things stand now; None: its packets are for the slow path."""
        gen, peer = self._kern.key.gen, self.known[row]
        if peer is not None and peer.gen != gen:
            if usable(peer.sav) and (peer.way is None or peer.way.stands()):
                peer.gen = gen
            else:
                peer = None
        if peer is None:
            peer = self._ask(self.table.savs[row])
        self.known[row] = peer
        out = -1 if peer is None or peer.way is None else peer.way.row
        self.columns[row, : bl.P_ROW] = gen, peer is not None, out
        return peer

    def _ask(self, sav: Secasvar) -> Peer | None:
        kern, idx = self._kern, sav.saidx
        if not isinstance(kern.ipsec, Ipsec6) or not usable(sav):
            return None
        if key_allocsa(kern, IPPROTO_AH, idx.dst, sav.spi, idx.src) is not sav:
            return None
        if not kern.key.spd:
            return Peer(kern.key.gen, sav, None, None)
        enter = _find(kern, IPSEC_DIR_INBOUND, idx.src, idx.dst, IPPROTO_NONE)
        if _policy(kern, enter) not in _OPEN:
            return None
        return Peer(kern.key.gen, sav, enter, self._way(idx.dst, idx.src))

    def _way(self, src: bytes, dst: bytes) -> Way | None:
        """authdata_out of the hooks, and what ip6_output asks, for what stays as it is."""
        kern, key = self._kern, self._kern.key
        sign = _find(kern, IPSEC_DIR_OUTBOUND, src, dst, IPPROTO_DSTOPTS)
        leave = _find(kern, IPSEC_DIR_OUTBOUND, src, dst, IPPROTO_NONE)
        if sign is None or sign.policy != IPSEC_POLICY_IPSEC or not sign.req:
            return None
        isr = sign.req[0]
        if isr.proto != IPPROTO_AH or isr.src is not None or isr.dst is not None:
            return None
        heads = key.heads.get((IPPROTO_AH, src, dst), [])
        if _policy(kern, leave) not in _OPEN or not heads:
            return None
        head, savs = heads[0], key.by_index[heads[0]]
        if isr.reqid not in (0, head.reqid) or head.mode not in (IPSEC_MODE_ANY, isr.mode):
            return None
        row = self.table.row_of.get(savs[0], -1)
        if row < 0 or self.table.rows[row, S_KIND] == NO_KIND or not savs[0].spi:
            return None
        way = Way(row, savs[0], (heads, savs), (sign, leave))
        return way if way.stands() else None


def usable(sav: Secasvar) -> bool:
    """It is valid, and one use more ends nothing and sets no timer."""
    return sav.state in _VALID and not (
        _counted(sav.lft_h)
        or _counted(sav.lft_s)
        or (sav.used_ns is None and (sav.lft_h.usetime or sav.lft_s.usetime))
    )


def _counted(lft: Seclifetime) -> bool:
    return bool(lft.bytes or lft.allocations)


def policies(kern: Kernel) -> tuple[int, int, int]:
    """What tells that the policy database changed."""
    key = kern.key
    return key.entry, len(key.spd), key.ip6_def_policy.policy


def _find(kern: Kernel, direction: int, src: bytes, dst: bytes, proto: int) -> Secpolicy | None:
    return key_findsp(kern, Secpolicyindex(direction, src, _FULL, dst, _FULL, proto))


def _policy(kern: Kernel, sp: Secpolicy | None) -> int:
    return (kern.key.ip6_def_policy if sp is None else sp).policy
