# SPDX-License-Identifier: BSD-3-Clause
"""Command lines of the ported tools: getopt(3) letters as in 2002 plus four long options.

KAME: every tool's own getopt(3) loop.
Deviates: --help, --version, --json and --node NAME exist on every tool; they are returned
apart, so a tool's letters keep their meaning. Any other --word is an illegal option, where
FreeBSD 4 read every word starting with two dashes as the end of the options.

An illegal option does not stop the scan, as in getopt(3): rtadvd carries on, the other
tools answer with their usage text when `errors` is not empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kame_py.wire.record import record

HELP_WIDTH: Final = 79
HELP_INDENT: Final = 2
HELP_MEANING_COLUMN: Final = 20

LONG_FLAGS: Final = ("help", "version", "json")
LONG_NODE: Final = "node"


class Option(NamedTuple):
    """One letter as it was met, with its argument if the letter takes one."""

    letter: str
    arg: str | None


class OptionHelp(NamedTuple):
    """One row of a help table. An empty `arg` means that the letter takes none."""

    letter: str
    arg: str
    meaning: str


COMMON_HELP: Final = (
    OptionHelp("-help", "", "show this text and exit"),
    OptionHelp("-version", "", "show the version and exit"),
    OptionHelp("-json", "", "print one JSON object instead of the table"),
    OptionHelp("-node", "NAME", "only run on this node, refuse on others"),
)


@record
class LongOptions:
    """What every ported tool accepts beside its letters."""

    help: bool = False
    version: bool = False
    json: bool = False
    node: str | None = None


@record
class ParsedArgs:
    """`errors` are complete lines for stderr, in the order they arose.

    `lacking`: letters that came without their argument.
    """

    options: tuple[Option, ...]
    args: tuple[str, ...]
    long: LongOptions
    errors: tuple[str, ...]
    lacking: tuple[str, ...] = ()

    def has(self, letter: str) -> bool:
        """Tell whether the letter was given at all."""
        return any(option.letter == letter for option in self.options)

    def last(self, letter: str) -> str | None:
        """Argument of the last occurrence: what a plain `case 'x': x = optarg` loop keeps."""
        values = [option.arg for option in self.options if option.letter == letter]
        return values[-1] if values else None

    def every(self, letter: str) -> tuple[str, ...]:
        """Arguments of all occurrences, in order."""
        return tuple(o.arg for o in self.options if o.letter == letter and o.arg is not None)


@dataclass(slots=True)
class _Scan:
    tool: str
    letters: str
    words: Sequence[str]
    at: int = 0
    options: list[Option] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    node: str | None = None

    def complain(self, what: str, name: str) -> None:
        self.errors.append(f"{self.tool}: {what} -- {name}")

    def next_word(self) -> str | None:
        if self.at >= len(self.words):
            return None
        self.at += 1
        return self.words[self.at - 1]


def getopt(tool: str, letters: str, argv: Sequence[str]) -> ParsedArgs:
    """Scan argv (without the program name) by a getopt(3) letter string such as `ni:m`."""
    scan = _Scan(tool, letters, argv)
    while scan.at < len(argv):
        word = argv[scan.at]
        if not word.startswith("-") or word == "-":
            break
        scan.at += 1
        if word == "--":
            break
        if word.startswith("--"):
            _long_option(scan, word[2:])
        else:
            _cluster(scan, word[1:])
    flags = scan.flags
    long = LongOptions("help" in flags, "version" in flags, "json" in flags, scan.node)
    rest, errors = tuple(argv[scan.at :]), tuple(scan.errors)
    return ParsedArgs(tuple(scan.options), rest, long, errors, tuple(scan.lacking))


def _cluster(scan: _Scan, cluster: str) -> None:
    for i, letter in enumerate(cluster):
        where = scan.letters.find(letter) if letter != ":" else -1
        if where < 0:
            scan.complain("illegal option", letter)
            continue
        if scan.letters[where + 1 : where + 2] != ":":
            scan.options.append(Option(letter, None))
            continue
        arg = cluster[i + 1 :] or scan.next_word()
        if arg is None:
            scan.complain("option requires an argument", letter)
            scan.lacking.append(letter)
        else:
            scan.options.append(Option(letter, arg))
        return


def _long_option(scan: _Scan, text: str) -> None:
    name, equals, value = text.partition("=")
    if name in LONG_FLAGS:
        if equals:
            scan.complain("option doesn't take an argument", name)
        scan.flags.add(name)
    elif name == LONG_NODE:
        node = value if equals else scan.next_word()
        if not node:
            scan.complain("option requires an argument", name)
        scan.node = node or scan.node
    else:
        scan.complain("illegal option", name)


def render_help(usage: Sequence[str], summary: str, table: Sequence[OptionHelp]) -> str:
    """Uniform --help text: usage lines, one sentence, the letters, the common long options."""
    lines = [f"{'usage:' if i == 0 else '      '} {line}" for i, line in enumerate(usage)]
    lines += ["", *_wrap(summary, HELP_WIDTH), ""]
    for row in (*table, *COMMON_HELP):
        lines += help_row(row)
    return "\n".join(lines) + "\n"


def help_row(row: OptionHelp) -> list[str]:
    """The lines of an option in a help text."""
    head = " " * HELP_INDENT + f"-{row.letter} {row.arg}".rstrip()
    body = _wrap(row.meaning, HELP_WIDTH - HELP_MEANING_COLUMN) or [""]
    if len(head) >= HELP_MEANING_COLUMN:
        body.insert(0, "")
    first = (head.ljust(HELP_MEANING_COLUMN) + body[0]).rstrip()
    return [first, *(" " * HELP_MEANING_COLUMN + line for line in body[1:])]


def _wrap(text: str, width: int) -> list[str]:
    from textwrap import wrap  # loaded for --help only: tools are to start quickly

    return wrap(text, width)
