# SPDX-License-Identifier: BSD-3-Clause
"""When which home address was bound to which care-of address, in the binding caches of kernels.

No KAME counterpart. The cache is looked at after every event, a large one once in a second and
where a message was about. An entry that went because its time was over ended then, not when
somebody looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.kern.clock import NS
from kame_py.mip6.mip6_var import Mip6Bc, Mip6State
from kame_py.netinet6.scope6 import in6_clearscope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kame_py.kern.kernel import Kernel
    from kame_py.replay.signal import Signal

FEW: Final = 32  # entries that may be looked at for every packet
SPANS_MAX: Final = 2000  # a flood of updates must not fill the memory
HOME: Final = "home registration"
CACHE: Final = "binding"
MOVED: Final = "moved"
EXPIRED: Final = "expired"
REMOVED: Final = "removed"


class _Key(NamedTuple):
    """An entry: home registrations have no address of their own."""

    kind: str
    addr: bytes
    home: bytes


@dataclass(slots=True)
class Span:
    """One home address at one care-of address. until_ns None: still there at the end.

    updates: how many binding updates it took.
    """

    node: str
    kind: str
    home: bytes
    care_of: bytes
    from_ns: int
    until_ns: int | None = None
    ended: str = ""
    updates: int = 1


class _Open(NamedTuple):
    span: Span
    seqno: int
    expire: int  # ns of the kernel


class Bindings:
    """The spans of one kernel."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.spans: list[Span] = []
        self.left_out = 0
        self._open: dict[_Key, _Open] = {}
        self._looked_ns = -NS

    def look(self, kern: Kernel, t_ns: int, about: Signal | None = None) -> None:
        """Note what changed since the last look; t_ns: now, as the reader counts time.

        about: a message that the kernel just got.
        """
        state = getattr(kern.mip6, "state", None)
        if not isinstance(state, Mip6State):
            return
        if about is not None:
            for key, _ in _entries_of(state, about):
                self._lapse(key, kern.now(), t_ns)
        entries = len(state.mip6_bc_list) + len(state.mip6_hrbc_list)
        if entries <= FEW or t_ns - self._looked_ns >= NS:
            if entries or self._open:
                self._look_at_all(kern, state, t_ns)
        elif about is not None:
            for key, bc in _entries_of(state, about):
                self._entry(key, bc, t_ns)

    def finish(self, kern: Kernel, t_ns: int) -> None:
        """The last look."""
        self._looked_ns = t_ns - NS
        self.look(kern, t_ns)

    def _look_at_all(self, kern: Kernel, state: Mip6State, t_ns: int) -> None:
        self._looked_ns = t_ns
        now = kern.now()
        seen = set()
        for key, bc in _entries(state):
            if bc.mbc_expire <= now:
                continue
            seen.add(key)
            self._entry(key, bc, t_ns)
        for key in self._open.keys() - seen:
            gone = self._open.pop(key)
            late = now - gone.expire
            self._end(gone, t_ns - max(late, 0), REMOVED if late < 0 else EXPIRED)

    def _entry(self, key: _Key, bc: Mip6Bc, t_ns: int) -> None:
        known = self._open.get(key)
        if known is not None:
            if known.span.care_of == in6_clearscope(bc.mbc_pcoa):
                if known.seqno != bc.mbc_seqno:
                    known.span.updates += 1
                self._open[key] = _Open(known.span, bc.mbc_seqno, bc.mbc_expire)
                return
            self._end(known, t_ns, MOVED)
        home, care_of = in6_clearscope(key.home), in6_clearscope(bc.mbc_pcoa)
        span = Span(self.node, key.kind, home, care_of, t_ns)
        self._open[key] = _Open(span, bc.mbc_seqno, bc.mbc_expire)
        if len(self.spans) < SPANS_MAX:
            self.spans.append(span)
        else:
            self.left_out += 1

    def _lapse(self, key: _Key, now: int, t_ns: int) -> None:
        """A message brings a binding back to life: so it had ended before."""
        known = self._open.get(key)
        if known is not None and known.expire <= now:
            self._end(self._open.pop(key), t_ns - (now - known.expire), EXPIRED)

    def _end(self, entry: _Open, t_ns: int, why: str) -> None:
        entry.span.until_ns = max(t_ns, entry.span.from_ns)
        entry.span.ended = why


def _entries_of(state: Mip6State, about: Signal) -> Iterator[tuple[_Key, Mip6Bc]]:
    """Those that the sender of a message has."""
    bc = state.mip6_bc_list.get((about.dst, about.src))
    if bc is not None:
        yield _Key(CACHE, about.dst, about.src), bc
    bc = state.mip6_hrbc_list.get(about.src)
    if bc is not None:
        yield _Key(HOME, b"", about.src), bc


def _entries(state: Mip6State) -> Iterator[tuple[_Key, Mip6Bc]]:
    for (addr, home), bc in state.mip6_bc_list.items():
        yield _Key(CACHE, addr, home), bc
    for home, bc in state.mip6_hrbc_list.items():
        yield _Key(HOME, b"", home), bc
