# SPDX-License-Identifier: BSD-3-Clause
"""The way of one packet through one kernel, in words.

No KAME counterpart. A kernel with ``tracing`` on notes each stage on the packet (``Mbuf.path``);
here the notes become text, one line per stage, ended by the packet's fate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.trace.way import fate_words, way_lines

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel


def fate_text(m: Mbuf) -> str:
    """The packet's fate in a few words: "forwarded", "dropped: IP6_BADVERS: version is not 6"."""
    if m.fate is None:
        return "on its way"
    if m.reason is None:
        return m.fate.value
    return fate_words(m.fate.value, m.reason.name, m.reason.text)


def drop_text(m: Mbuf) -> str:
    """The comment of a dropped packet; "" for packets with another fate."""
    return fate_text(m) if m.fate is Fate.DROPPED and m.reason is not None else ""


def path_lines(kern: Kernel, m: Mbuf) -> list[str]:
    """One line per stage, indented below the name of the node."""
    return way_lines(kern.name, m.path or (), fate_text(m))
