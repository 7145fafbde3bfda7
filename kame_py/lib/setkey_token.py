# SPDX-License-Identifier: BSD-3-Clause
"""The words of a setkey script.

KAME: token.l. Deviates: lines inside quotes are counted; a scope of an address may hold any
character of an interface's name.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """What a token is."""

    EOT = "EOT"  # ;
    MARK = "MARK"  # / [ ] ,
    OPTION = "OPTION"  # -m
    AIFLAGS = "AIFLAGS"  # -4n
    QUOTED = "QUOTED"
    DEC = "DEC"
    HEX = "HEX"
    KEYWORD = "KEYWORD"
    STRING = "STRING"
    POLICY = "POLICY"
    END = "END"  # of the text
    BAD = "BAD"  # a character that begins nothing


class Token(NamedTuple):
    """A token, and the line on which it ends: where KAME's lexer stands then."""

    kind: Kind
    text: str
    line: int


#: Reserved: no host can have such a name.
KEYWORDS: Final = frozenset(
    {
        *("add", "get", "delete", "deleteall", "flush", "dump"),
        *("spdadd", "spddelete", "spdflush", "spddump"),
        *("ah", "esp", "ah-old", "esp-old", "ipcomp"),
        *("any", "transport", "tunnel"),
        *("zero-pad", "random-pad", "seq-pad", "nocyclic-seq"),
    }
)
_SKIP: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_OPTION: Final = re.compile(r"-(?:lh|ls|bh|bs|[AECRPmurf]|[46n]+)")
_QUOTED: Final = re.compile(r'"[^"]*"')
_WORD: Final = re.compile(r"[A-Za-z0-9:._][A-Za-z0-9:._-]*(?:%[A-Za-z0-9._-]+)?")
_HEX: Final = re.compile(r"0[xX][0-9A-Fa-f]+")
_DEC: Final = re.compile(r"[0-9]+")
_POLICY: Final = re.compile(r"[A-Za-z0-9:.\-_/ \t\r\n]+")
_AIFLAGS: Final = frozenset("46n")
_MARKS: Final = "/[],"


class Lexer:
    """Reads one token after another. After -P comes the policy as one token, up to the ``;``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._in_policy = False

    def next(self) -> Token:
        """The next token; END again and again when there is no more."""
        if self._in_policy:
            return self._policy()
        self._take(_SKIP, Kind.BAD)
        if self._at >= len(self._text):
            return Token(Kind.END, "", self._line)
        token = self._mark() or self._take(_OPTION, Kind.OPTION)
        if token is not None:
            self._in_policy = token.text == "-P"
            return self._option(token)
        word = self._take(_WORD, Kind.STRING)
        if word is not None:
            return word._replace(kind=_word_kind(word.text))
        return self._take(_QUOTED, Kind.QUOTED) or self._bad()

    def _take(self, pattern: re.Pattern[str], kind: Kind) -> Token | None:
        match = pattern.match(self._text, self._at)
        if match is None or not match.group():
            return None
        self._at = match.end()
        self._line += match.group().count("\n")
        return Token(kind, match.group(), self._line)

    def _mark(self) -> Token | None:
        char = self._text[self._at]
        if char != ";" and char not in _MARKS:
            return None
        self._at += 1
        return Token(Kind.EOT if char == ";" else Kind.MARK, char, self._line)

    def _option(self, token: Token) -> Token:
        flags = token.text[:1] == "-" and _AIFLAGS.issuperset(token.text[1:])
        return token._replace(kind=Kind.AIFLAGS) if flags else token

    def _policy(self) -> Token:
        token = self._take(_POLICY, Kind.POLICY)
        if token is not None and token.text.strip():
            return token._replace(text=token.text.strip())
        if self._at >= len(self._text):
            return Token(Kind.END, "", self._line)
        token = self._mark()
        if token is None or token.kind is not Kind.EOT:
            return token._replace(kind=Kind.BAD) if token is not None else self._bad()
        self._in_policy = False
        return token

    def _bad(self) -> Token:
        """One character; nothing after it is read."""
        return Token(Kind.BAD, self._text[self._at], self._line)


def _word_kind(text: str) -> Kind:
    if _DEC.fullmatch(text):
        return Kind.DEC
    if _HEX.fullmatch(text):
        return Kind.HEX
    return Kind.KEYWORD if text in KEYWORDS else Kind.STRING
