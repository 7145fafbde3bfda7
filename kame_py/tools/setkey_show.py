# SPDX-License-Identifier: BSD-3-Clause
"""What setkey prints of messages: dumps as they come, or collected for JSON.

KAME: postproc() and shortdump_hdr() of setkey.c. Deviates: with --json what is no entry goes to
standard error, so that standard output is JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.pfkey_debug import kdebug_sadb
from kame_py.lib.pfkey_dump import (
    SHORT_HEADER,
    pfkey_sadump,
    pfkey_spdump,
    sa_json,
    shortdump,
    sp_json,
)
from kame_py.lib.toolbase import Json, to_json
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.pfkey import SadbMsg, SadbSa

NS: Final = 1_000_000_000


@dataclass(slots=True)
class Display:
    """How answers are shown. all: dead associations too (-a); short: one line each (-l)."""

    ops: ProgOps
    json: bool = False
    all: bool = False
    short: bool = False
    rows: list[Json] = field(default_factory=list)

    def take(self, msg: SadbMsg) -> None:
        """Show an answer, if it is one that shows something."""
        if msg.type == k.SADB_GET or (msg.type == k.SADB_DUMP and self._wanted(msg)):
            self._sa(msg)
        elif msg.type == k.SADB_X_SPDDUMP:
            self._sp(msg)

    def say(self, text: str) -> None:
        """A line that is no entry."""
        (self.ops.err if self.json else self.ops.out)(text)

    def watch(self, data: bytes) -> None:
        """-v: a message in full."""
        self.say(kdebug_sadb(data) + "\n")

    def header(self) -> None:
        """The line above short ones."""
        if self.short and not self.json:
            self.ops.out(SHORT_HEADER)

    def finish(self) -> None:
        """Print what was collected for JSON."""
        if self.json:
            self.ops.out(to_json(self.rows))
            self.rows.clear()

    def _wanted(self, msg: SadbMsg) -> bool:
        sa = msg.exts.get(k.SADB_EXT_SA)
        return self.all or not (isinstance(sa, SadbSa) and sa.state == k.SADB_SASTATE_DEAD)

    def _sa(self, msg: SadbMsg) -> None:
        now_s = self.ops.realtime() // NS
        if self.json:
            self.rows.append(sa_json(self.ops, msg))
        elif self.short and msg.type == k.SADB_DUMP:
            self.ops.out(shortdump(self.ops, msg, now_s))
        else:
            self.ops.out(pfkey_sadump(self.ops, msg, now_s))

    def _sp(self, msg: SadbMsg) -> None:
        if self.json:
            self.rows.append(sp_json(self.ops, msg))
        else:
            self.ops.out(pfkey_spdump(self.ops, msg))
