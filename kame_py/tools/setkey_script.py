# SPDX-License-Identifier: BSD-3-Clause
"""Carries out setkey scripts, command by command, as they are read.

KAME: sendkeymsg() and postproc() of setkey.c. Deviates: a refusal of the kernel counts in the exit
status, and the end of the script names the lines; a command that nothing here can do is refused at
its line and the others run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.pfkey import KeySocket
from kame_py.lib.setkey_msg import message
from kame_py.lib.setkey_parse import (
    Command,
    Complaint,
    Host,
    Lookup,
    Parser,
    ScriptError,
    Supported,
)
from kame_py.lib.toolbase import EX_ERROR, EX_OK, sockaddr_text
from kame_py.tools.setkey_show import Display
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import ENOENT, strerror
from kame_py.wire.in6addr import pton
from kame_py.wire.sockaddr import SockaddrIn6

NO_NAME: Final = "hostname nor servname provided, or not known"  # gai_strerror(EAI_NONAME)
MULTIPLE: Final = "multiple address specified"
_NO_ENTRY: Final = {
    k.SADB_DELETE: "No entry",
    k.SADB_GET: "No entry",
    k.SADB_X_SPDDELETE: "No entry",
    k.SADB_DUMP: "No SAD entries",
    k.SADB_X_SPDDUMP: "No SPD entries",
}
_DUMPS: Final = (k.SADB_DUMP, k.SADB_X_SPDDUMP)


def refusal_text(type: int, errno: int) -> str:
    """KAME's words for an error of the kernel, with the full stop."""
    text = _NO_ENTRY.get(type, "") if errno == ENOENT else ""
    return f"{text or strerror(errno)}."


def is_failure(type: int, errno: int) -> bool:
    """An empty database is no failure of a dump."""
    return errno != 0 and not (errno == ENOENT and type in _DUMPS)


@dataclass(slots=True)
class Script:
    """One run of a script. name: that of its file, for what goes to standard error."""

    ops: ProgOps
    sock: KeySocket
    display: Display
    name: str
    refused: list[int] = field(default_factory=list)

    async def run(self, text: str, supported: Supported) -> int:
        """The exit status. What stands before an error of syntax has been done by then."""
        parser = Parser(text, supported)
        status = EX_OK
        try:
            while (command := parser.next()) is not None:
                await self._command(command)
        except ScriptError as e:
            self._stopped(e)
            status = EX_ERROR
        self.display.finish()
        if self.refused:
            lines = ", ".join(map(str, dict.fromkeys(self.refused)))
            self.ops.err(f"setkey: {self.name}: refused: line {lines}\n")
            status = EX_ERROR
        return status

    def _stopped(self, e: ScriptError) -> None:
        if e.detail:
            self.ops.err(f"{e.detail}\n")
        self.display.say(f"{e}\n")
        if not e.lexical:
            self.display.say(f"parse failed, line {e.complaint.line}.\n")

    async def _command(self, command: Command) -> None:
        for warning in command.warnings:
            self.display.say(f"{warning}\n")
        if command.refusal is not None:
            self.display.say(f"{command.refusal}\n")
            self.refused.append(command.refusal.line)
            return
        pairs = await self._pairs(command)
        failed: list[str] = []
        for src, dst in pairs:
            msg = message(command, src, dst)
            errno = await self.sock.ask(msg, self.display.take)
            if not errno:
                continue
            text = refusal_text(msg.type, errno)
            self.display.say(f"The result of line {command.line}: {text}\n")
            if is_failure(msg.type, errno):
                self.refused.append(command.line)
                failed.append(f"{self._text(src)} {self._text(dst)}: {text}")
        if failed and len(pairs) > 1:
            self._half(command, len(pairs), failed)

    def _half(self, command: Command, asked: int, failed: list[str]) -> None:
        """A command for several pairs of addresses: which of them failed, and how many did not."""
        where = f"setkey: {self.name}: line {command.line}"
        for text in failed:
            self.ops.err(f"{where}: {text}\n")
        self.ops.err(f"{where}: {asked - len(failed)} of {asked} associations were added\n")

    def _text(self, sa: SockaddrIn6) -> str:
        return sockaddr_text(self.ops, sa)

    async def _pairs(self, command: Command) -> list[tuple[SockaddrIn6, SockaddrIn6]]:
        """Every source with every destination; only add may have more than one pair."""
        if command.ends is None:
            return [(SockaddrIn6(), SockaddrIn6())]
        src, dst = (end.host for end in command.ends)
        sources = await self._resolve(src, command.lookup)
        destinations = await self._resolve(dst, command.lookup)
        if command.verb != "add":
            for host, found in ((src, sources), (dst, destinations)):
                if len(found) > 1:
                    raise ScriptError(Complaint(command.line, MULTIPLE, host.text))
        return [(s, d) for s in sources for d in destinations]

    async def _resolve(self, host: Host, lookup: Lookup) -> tuple[SockaddrIn6, ...]:
        found: tuple[SockaddrIn6, ...] = ()
        only_inet = lookup.inet and not lookup.inet6
        numeric = pton(host.text.partition("%")[0]) is not None
        if not only_inet and (numeric or not lookup.numeric):
            found = await self.ops.getaddrinfo_all(host.text)
        if not found:
            raise ScriptError(Complaint(host.line, NO_NAME, host.text))
        return found
