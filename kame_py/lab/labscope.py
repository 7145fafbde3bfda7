# SPDX-License-Identifier: BSD-3-Clause
"""A lab file while it is read: what is known of links, nodes and values so far.

No KAME counterpart. Later sections look names up here; a name whose own section has an error is
known all the same, so that one mistake is one message.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from kame_py.lab.rc import (
    Command,
    RcError,
    UnknownName,
    parse_rc,
    rc_errors,
    substitute,
    unknown_names,
)
from kame_py.lab.schema import LabNote, LinkSpec, NodeSpec
from kame_py.lab.shell import BUILTINS
from kame_py.lab.tomllines import Path
from kame_py.lab.tomlreader import Reader, Table, did_you_mean
from kame_py.tools import TOOLS

NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
MTU_MIN: Final = 1280  # RFC 2460 s.5
MTU_MAX: Final = 65535
BITS_PER_KBIT: Final = 1000
RATE_KBPS_MAX: Final = 1_000_000_000


@dataclass(slots=True)
class Scope(Reader):
    """The reader with the tables that names refer to."""

    links: dict[str, LinkSpec] = field(default_factory=dict)
    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    def link_name(self, table: Table, path: Path) -> str:
        """The name of a link; its absence or an unknown name is an error."""
        name = self.required_text(table, path)
        if name is not None and name not in self.links:
            self.unknown(path, "link", name, self.links)
        return name or ""

    def node_name(self, table: Table, path: Path) -> str:
        """The name of a node; its absence or an unknown name is an error."""
        name = self.required_text(table, path)
        if name is not None and name not in self.nodes:
            self.unknown(path, "node", name, self.nodes)
        return name or ""

    def rate_bps(self, table: Table, path: Path) -> int | None:
        """A link's rate, given in kbit/s."""
        kbps = self.integer(table, path, 1, RATE_KBPS_MAX)
        return None if kbps is None else kbps * BITS_PER_KBIT

    def substituted(self, text: str, path: Path) -> str:
        """The text with {names} replaced; every unknown one is an error."""
        for problem in unknown_names(text, self.values):
            self.error_in_text(path, problem.line, problem.text)
        done = substitute(text, self.values)
        return text if isinstance(done, UnknownName) else done

    def substituted_texts(self, table: Table, path: Path) -> tuple[str, ...]:
        """A text or a list of texts with {names} replaced."""
        listed = isinstance(table.get(str(path[-1])), list)
        return tuple(
            self.substituted(text, (*path, index) if listed else path)
            for index, text in enumerate(self.texts(table, path))
        )

    def commands(self, text: str, path: Path) -> tuple[Command, ...]:
        """The commands of an rc text, with their lines in the lab file."""
        whole = self.substituted(text, path)
        parsed = parse_rc(whole)
        if isinstance(parsed, RcError):
            for problem in rc_errors(whole):
                self.error_in_text(path, problem.line, problem.text)
            return ()
        commands = tuple(
            replace(command, line=self.lines.of_text(path, command.line)) for command in parsed
        )
        self._note_unknown_programs(commands)
        return commands

    def _note_unknown_programs(self, commands: tuple[Command, ...]) -> None:
        """A program that is not there is status 127 when it runs: perhaps meant, mostly not."""
        known = (*TOOLS, *BUILTINS, "sleep")
        for command in commands:
            name = command.argv[0]
            if name not in known:
                text = f"there is no program {name}{did_you_mean(name, known)}"
                self.notes.append(LabNote(self.file, command.line, text))

    def required_commands(self, table: Table, path: Path) -> tuple[Command, ...]:
        """Like commands(), for a key that must hold at least one."""
        text = self.required_text(table, path)
        if text is None:
            return ()
        before = len(self.errors)
        commands = self.commands(text, path)
        if not commands and len(self.errors) == before:
            self.error(path, f"{path[-1]}: no command")
        return commands
