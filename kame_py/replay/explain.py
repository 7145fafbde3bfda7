# SPDX-License-Identifier: BSD-3-Clause
"""What one packet did to the node: its way, what it counted, what it changed, what was sent.

No KAME counterpart. The node is looked at before and after. A packet that is held goes on later:
of that only its way is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kame_py.kern.mbuf import Fate
from kame_py.lab.report import mip6_report
from kame_py.replay.linktype import Frame, link_strip
from kame_py.replay.report import address_texts, default_routers, neighbor_texts
from kame_py.replay.verdict import OWN, seconds_text
from kame_py.trace.format import summary
from kame_py.trace.path import path_lines
from kame_py.wire.const import ETHERTYPE_IPV6
from kame_py.wire.mip6_draft15 import WIRE

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.lab.report import Json
    from kame_py.replay.capture import Record
    from kame_py.wire.mip6 import OptionWire

_OWN_WHY: Final = "the node sent it itself, its kernel did not hear it"
SENT_MAX: Final = 20  # frames that are shown


class Explanation:
    """One packet; ``ended`` when the kernel has let go of it, ``lines`` when the replay is over."""

    def __init__(self, kern: Kernel, ifname: str, record: Record) -> None:
        self._kern = kern
        self._ifname = ifname
        self._record = record
        self._counters = kern.stats.nonzero()
        self._before = self._state()
        self._m: Mbuf | None = None
        self._own = False
        self._sent: list[str] = []
        self._frames = 0
        self._rest: list[str] = []

    def held(self) -> bool:
        """The packet waits in the kernel."""
        return self._m is not None and self._m.fate is Fate.HELD

    def sent(self, frame: bytes, linktype: int) -> None:
        """The node sends a frame while the packet is in the kernel."""
        self._frames += 1
        if self._frames <= SENT_MAX:
            self._sent.append(packet_text(linktype, frame, option_wire(self._kern)))

    def ended(self, m: Mbuf | None) -> None:
        """The kernel returned; None: the node's own packet, the kernel did not hear it."""
        self._m = m
        self._own = m is None
        self._rest = list(self._effects())

    def lines(self) -> list[str]:
        """The packet in one line, its way, and what came of it."""
        record = self._record
        head = f"{seconds_text(record.t_ns)} s, {len(record.data)} octets"
        if record.orig_len > len(record.data):
            head += f" of {record.orig_len}"
        lines = [head, packet_text(record.linktype, record.data, option_wire(self._kern))]
        if self._m is not None:
            lines += path_lines(self._kern, self._m)
        elif self._own:
            lines += [self._kern.name, f"  = {OWN}: {_OWN_WHY}"]
        return lines + self._rest

    def _effects(self) -> Iterator[str]:
        now = self._kern.stats.nonzero()
        for name, value in now.items():
            if value != self._counters.get(name, 0):
                yield f"  counts {name} {value - self._counters.get(name, 0):+}"
        after = self._state()
        yield from (f"  gone   {line}" for line in self._before if line not in after)
        yield from (f"  new    {line}" for line in after if line not in self._before)
        yield from (f"  sends  {line}" for line in self._sent)
        if self._frames > SENT_MAX:
            yield f"  sends  {self._frames - SENT_MAX} more"

    def _state(self) -> dict[str, None]:
        """What packets may change, as lines."""
        kern, ifname = self._kern, self._ifname
        lines = [f"address {text}" for text in address_texts(kern, ifname)]
        lines += [f"default router {text}" for text in default_routers(kern)]
        lines += [f"neighbor {text}" for text in neighbor_texts(kern, ifname)]
        cache = mip6_report(kern)["binding_cache"]
        lines += [f"binding {_binding(row)}" for row in cache] if isinstance(cache, list) else []
        return dict.fromkeys(lines)


def option_wire(kern: Kernel) -> OptionWire:
    """The octets of the node's draft; the usual one's where it speaks none."""
    dialect = getattr(getattr(kern.mip6, "state", None), "dialect", None)
    return WIRE if dialect is None else dialect.wire


def packet_text(linktype: int, data: bytes, wire: OptionWire) -> str:
    """A captured packet in one line."""
    frame = link_strip(linktype, data)
    if not isinstance(frame, Frame):
        return f"[|link {linktype}]"
    if frame.ethertype != ETHERTYPE_IPV6:
        return f"ethertype 0x{frame.ethertype:04x}"
    return summary(frame.payload, verbose=True, wire=wire)


def _binding(row: Json) -> str:
    assert isinstance(row, dict)
    return f"{row['phaddr']} at {row['pcoa']} seq {row['seqno']} lifetime {row['lifetim']}"
