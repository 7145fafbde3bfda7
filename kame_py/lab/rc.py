# SPDX-License-Identifier: BSD-3-Clause
"""sh-like rc lines -> commands, and the values of a lab that lines may name.

KAME: the rc files and shell lines of a KAME box; there is no shell here.
Understood: words, '..' and ".." quotes, backslash, # comments, ; and newline, a trailing &,
here-documents (<<EOF, <<'EOF', <<-EOF), > FILE and >> FILE, and `cat FILE` or $(cat FILE) as a
word of its own, for pid files. Everything else a shell would act on (pipes, variables, other
command substitution, conditions...) is an error that names it: running half of such a line would
be worse. Wildcards are plain characters.
"""

import difflib
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

# Directories a KAME box has its programs in; the lab's programs have bare names.
PROGRAM_DIRS: Final = tuple(
    f"{root}/{kind}/"
    for root in ("/usr/local/v6", "/usr/local", "/usr", "")
    for kind in ("sbin", "bin")
)

_KEYWORDS: Final = frozenset(
    {
        *("if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done"),
        *("case", "esac", "function", "{", "}", "!"),
    }
)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_VARIABLE: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*|\{[^}\n]*\}?|\(\(?|[0-9@*#?$!-])")
_FILE_DESCRIPTOR: Final = re.compile(r"[0-9]+")
# What ends a word. The operators are tried longest first.
_OPERATOR: Final = re.compile(
    r"<<<|<<-|<<|<>|<&|<\(|<|>>|>&|>\||>\(|>|&&|&>|&|\|\||\||;;|;|\(|\)|\n"
)
_SUBSTITUTION: Final = re.compile(r"\{\{([A-Za-z][\w.-]*)\}\}|\{([A-Za-z][\w.-]*)\}", re.ASCII)
_FILE_TEXT: Final = re.compile(
    r"(?:`[ \t]*cat[ \t]+(?P<tick>[\w./+:@%-]+)[ \t]*`"
    r"|\$\([ \t]*cat[ \t]+(?P<paren>[\w./+:@%-]+)[ \t]*\))(?=[ \t\n;&<>#]|\Z)",
    re.ASCII,
)
_CLOSING_QUOTE: Final = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
_LATER_HEREDOC: Final = re.compile(r"<<(-?)[ \t]*['\"\\]?(\w+)")
_BLANKS: Final = " \t"
_QUOTED_ESCAPES: Final = '"\\$`'
_HEREDOC_ESCAPES: Final = "\\$`"


class FileText(str):
    """A word of a command that stands for the words in this file: `cat FILE`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command. `line` is where it begins; `stdout` the file of > or >>.

    Words of `argv` that are FileText are read when the command runs.
    """

    line: int
    argv: tuple[str, ...]
    stdin: str | None = None
    background: bool = False
    stdout: str | None = None
    append: bool = False


def command_text(command: Command) -> str:
    """The words of a command as they may be written in an rc file."""
    words = (f"`cat {w}`" if isinstance(w, FileText) else shlex.quote(w) for w in command.argv)
    return " ".join(words)


@dataclass(frozen=True, slots=True)
class RcError:
    """Why the text cannot be run, and at which line of it."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"rc line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A {name} that the lab does not have."""

    line: int
    text: str


def substitute(text: str, values: Mapping[str, str]) -> str | UnknownName:
    """Put the lab's values in place of {mn.fxp0.eui64} and the like; {{name}} stays {name}."""
    for problem in unknown_names(text, values):
        return problem
    return _SUBSTITUTION.sub(lambda m: f"{{{m[1]}}}" if m[1] else values[m[2]], text)


def unknown_names(text: str, values: Mapping[str, str]) -> Iterator[UnknownName]:
    """Every {name} in the text that is not among the values, in order."""
    for match in _SUBSTITUTION.finditer(text):
        name = match.group(2)
        if name is None or name in values:
            continue
        close = difflib.get_close_matches(name, values, n=1)
        hint = f"; did you mean {{{close[0]}}}" if close else ""
        line = text.count("\n", 0, match.start()) + 1
        yield UnknownName(line, f"unknown value {{{name}}}{hint}")


def parse_rc(text: str) -> list[Command] | RcError:
    """Split rc text into commands, in order. Lines count from 1."""
    parser = _Parser(text.replace("\r\n", "\n"))
    try:
        parser.run()
    except _Unsupported as problem:
        return RcError(parser.line, str(problem))
    return parser.commands


def rc_errors(text: str) -> list[RcError]:
    """Every line of the text that parse_rc() would refuse, each with its first error."""
    parser = _Parser(text.replace("\r\n", "\n"))
    errors: list[RcError] = []
    while True:
        try:
            parser.run()
        except _Unsupported as problem:
            errors.append(RcError(parser.line, str(problem)))
            parser.recover()
        else:
            return errors


class _Unsupported(Exception):
    """Leaves the parser; never passes parse_rc()."""


@dataclass(slots=True)
class _Heredoc:
    """A here-document that was announced; its text follows after the line's end."""

    line: int
    delimiter: str
    literal: bool
    strip_tabs: bool
    command: int


@dataclass(slots=True)
class _Word:
    text: str
    quoted: bool
    file: bool = False


@dataclass(slots=True)
class _Parser:
    text: str
    at: int = 0
    line: int = 1
    commands: list[Command] = field(default_factory=list)
    words: list[_Word] = field(default_factory=list)
    words_line: int = 1
    heredocs: list[_Heredoc] = field(default_factory=list)
    stdout: str | None = None
    append: bool = False
    quoting: bool = False  # between double quotes

    def recover(self) -> None:
        """After an error: forget the command and go on with the next line."""
        if self.quoting and (closing := _CLOSING_QUOTE.match(self.text, self.at)):
            self.at = closing.end()
        if not self.text.startswith("\n", self.at - 1) or not self.at:
            end = self.text.find("\n", self.at)
            rest = self.text[self.at : len(self.text) if end < 0 else end]
            self.heredocs += [
                _Heredoc(self.line, m[2], False, bool(m[1]), -1)
                for m in _LATER_HEREDOC.finditer(rest)
            ]
            self.at = len(self.text) if end < 0 else end + 1
        for heredoc in self.heredocs:  # their lines are no commands
            self._skip_body(heredoc)
        self.line = self.text.count("\n", 0, self.at) + 1
        self.words, self.heredocs, self.stdout = [], [], None
        self.append = self.quoting = False

    def _skip_body(self, heredoc: _Heredoc) -> None:
        at = self.at
        while at < len(self.text):
            end = self.text.find("\n", at)
            end = len(self.text) if end < 0 else end
            line = self.text[at:end]
            at = end + 1
            if (line.lstrip("\t") if heredoc.strip_tabs else line) == heredoc.delimiter:
                self.at = at
                return

    def run(self) -> None:
        while self.at < len(self.text):
            self._step()
        self._end_command(background=False)
        self._read_heredocs()

    def _step(self) -> None:
        if self.text[self.at] in _BLANKS:
            self.at += 1
        elif self._continuation():
            return
        elif self.text[self.at] == "#":
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
        elif operator := _OPERATOR.match(self.text, self.at):
            self.at = operator.end()
            self._operator(operator.group())
        else:
            if not self.words:
                self.words_line = self.line
            self._add_word(self._word())

    def _continuation(self) -> bool:
        if not self.text.startswith("\\\n", self.at):
            return False
        self.at += 2
        self.line += 1
        return True

    # Words

    def _word(self) -> _Word:
        if match := _FILE_TEXT.match(self.text, self.at):
            self.at = match.end()
            return _Word(match["tick"] or match["paren"], quoted=True, file=True)
        parts: list[str] = []
        quoted = False
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in _BLANKS or _OPERATOR.match(self.text, self.at):
                break
            if self._continuation():
                continue
            if char == "'":
                quoted = True
                parts.append(self._single_quoted())
            elif char == '"':
                quoted = True
                parts.append(self._double_quoted())
            elif char == "\\":
                quoted = True
                parts.append(self.text[self.at + 1 : self.at + 2] or "\\")
                self.at += 2
            else:
                self._refuse_expansion(self.at)
                parts.append(char)
                self.at += 1
        return _Word("".join(parts), quoted)

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise _Unsupported("missing closing '")
        body = self.text[self.at + 1 : end]
        self.line += body.count("\n")
        self.at = end + 1
        return body

    def _double_quoted(self) -> str:
        parts: list[str] = []
        opened, start = self.line, self.at
        self.quoting = True
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                self.quoting = False
                return "".join(parts)
            if self._continuation():
                continue
            following = self.text[self.at + 1 : self.at + 2]
            if char == "\\" and following and following in _QUOTED_ESCAPES:
                parts.append(following)
                self.at += 2
                continue
            self._refuse_expansion(self.at)
            self.line += char == "\n"
            parts.append(char)
            self.at += 1
        self.line, self.at, self.quoting = opened, start, False
        raise _Unsupported('missing closing "')

    def _refuse_expansion(self, at: int) -> None:
        if self.text[at] == "`":
            raise _Unsupported("`: not supported")
        match = _VARIABLE.match(self.text, at)
        if match:
            raise _Unsupported(f"{match.group()}: not supported")

    def _add_word(self, word: _Word) -> None:
        if not self.words and word.file:
            raise _Unsupported(f"`cat {word.text}`: not supported as a command")
        if not self.words and not word.quoted:
            if word.text in _KEYWORDS:
                raise _Unsupported(f"{word.text}: not supported")
            if _ASSIGNMENT.match(word.text):
                raise _Unsupported(f"{word.text}: variables: not supported")
        self.words.append(word)

    # Operators

    def _operator(self, operator: str) -> None:
        if operator in ("\n", ";", "&"):
            self._separator(operator)
        elif operator in ("<<", "<<-"):
            self._refuse_descriptor(operator)
            self._announce_heredoc(strip_tabs=operator == "<<-")
        elif operator in (">", ">>"):
            self._refuse_descriptor(operator)
            self._redirect(append=operator == ">>")
        else:
            raise _Unsupported(f"{operator}: not supported")

    def _separator(self, operator: str) -> None:
        if not self.words and operator != "\n":
            raise _Unsupported(f"no command before {operator}")
        self._end_command(background=operator == "&")
        if operator == "\n":
            self.line += 1
            self._read_heredocs()

    def _refuse_descriptor(self, operator: str) -> None:
        """`2>` names a descriptor when the digits touch the operator."""
        start = self.at - len(operator)
        if self.words and start and self.text[start - 1] not in _BLANKS:
            word = self.words[-1]
            if not word.quoted and _FILE_DESCRIPTOR.fullmatch(word.text):
                raise _Unsupported(f"{word.text}{operator}: not supported")

    def _operand(self, operator: str) -> _Word:
        while self.at < len(self.text):
            if self.text[self.at] in _BLANKS:
                self.at += 1
            elif not self._continuation():
                break
        word = self._word()
        if word.file:
            raise _Unsupported(f"{operator} `cat {word.text}`: not supported")
        if not word.text and not word.quoted:
            raise _Unsupported(f"{operator}: a word is missing")
        return word

    def _redirect(self, append: bool) -> None:
        operator = ">>" if append else ">"
        target = self._operand(operator).text
        if self.stdout is not None:
            raise _Unsupported(f"{operator} {target}: a second redirection: not supported")
        self.stdout = target
        self.append = append

    def _announce_heredoc(self, strip_tabs: bool) -> None:
        word = self._operand("<<")
        heredoc = _Heredoc(self.line, word.text, word.quoted, strip_tabs, len(self.commands))
        if any(other.command == heredoc.command for other in self.heredocs):
            raise _Unsupported(f"<<{word.text}: a second here-document: not supported")
        self.heredocs.append(heredoc)

    def _end_command(self, background: bool) -> None:
        if self.words:
            rest = (FileText(w.text) if w.file else w.text for w in self.words[1:])
            argv = (_program_name(self.words[0].text), *rest)
            self.commands.append(
                Command(self.words_line, argv, None, background, self.stdout, self.append)
            )
        elif self.stdout is not None or any(
            heredoc.command == len(self.commands) for heredoc in self.heredocs
        ):
            raise _Unsupported("a redirection without a command: not supported")
        self.words = []
        self.stdout = None
        self.append = False

    # Here-documents

    def _read_heredocs(self) -> None:
        while self.heredocs:
            heredoc = self.heredocs[0]
            body = self._heredoc_body(heredoc)
            self.commands[heredoc.command] = replace(self.commands[heredoc.command], stdin=body)
            del self.heredocs[0]

    def _heredoc_body(self, heredoc: _Heredoc) -> str:
        lines: list[str] = []
        while self.at < len(self.text):
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            line = self.text[self.at : end]
            line = line.lstrip("\t") if heredoc.strip_tabs else line
            self.at = end + 1
            if line == heredoc.delimiter:
                self.line += 1
                return "".join(lines)
            lines.append(line + "\n" if heredoc.literal else self._expanded(line))
            self.line += 1
        self.line = heredoc.line
        raise _Unsupported(f"<<{heredoc.delimiter}: no line {heredoc.delimiter} follows")

    def _expanded(self, line: str) -> str:
        """A line of an unquoted here-document: escapes count, expansions are refused.

        A backslash at its very end joins it to the next line.
        """
        parts: list[str] = []
        at = 0
        while at < len(line):
            char, following = line[at], line[at + 1 : at + 2]
            if char == "\\" and not following:
                return "".join(parts)
            if char == "\\" and following in _HEREDOC_ESCAPES:
                parts.append(following)
                at += 2
                continue
            match = _VARIABLE.match(line, at)
            if match or char == "`":
                what = match.group() if match else char
                raise _Unsupported(f"{what}: not supported here; quote the word after <<")
            parts.append(char)
            at += 1
        return "".join(parts) + "\n"


def _program_name(word: str) -> str:
    for directory in PROGRAM_DIRS:
        name = word.removeprefix(directory)
        if name != word and name and "/" not in name:
            return name
    return word
