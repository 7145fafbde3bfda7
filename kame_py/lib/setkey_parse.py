# SPDX-License-Identifier: BSD-3-Clause
"""The grammar of setkey scripts: one command after another from a text.

KAME: parse.y. Deviates: a command that asks for what no kernel here has (IPv4 endpoints, RFC 1825
headers, IPComp, some ciphers) is read to its end and refused, and reading goes on behind it;
numbers that do not fit their field are refused instead of cut; byte lifetimes -bh and -bs as in
later KAME. Read setkey's section in docs/tools.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kame_py.lib.ipsec_policy import (
    INVAL_ARGUMENT,
    INVAL_KEYLEN,
    INVAL_PREFIXLEN,
    IPPROTO_IPCOMP,
    NOT_SUPPORTED,
    PolicyError,
    ipsec_set_policy,
)
from kame_py.lib.setkey_names import (
    AUTH_ALGORITHMS,
    COMP_ALGORITHMS,
    ENC_ALGORITHMS,
    IPPROTO_ICMPV6,
    SERVICES,
    Algorithm,
    protocol_number,
)
from kame_py.lib.setkey_token import Kind, Lexer, Token
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.pfkey import SadbAlg, SadbXPolicy
from kame_py.wire.record import record

SYNTAX: Final = "syntax error"
LEXICAL: Final = "Syntax error"
BAD_SERVICE: Final = "servname not supported for ai_socktype"  # gai_strerror(EAI_SERVICE)
MODE_OBSOLETED: Final = "WARNING: mode is obsoleted."

TOKEN_SHOWN: Final = 200  # characters of a token in a complaint
PLEN_MAX: Final = 128
PORT_MAX: Final = 0xFFFF
UPPER_MAX: Final = 255
OCTET_MAX: Final = 0xFF
WORD_MAX: Final = 0xFFFF_FFFF
QUAD_MAX: Final = 0xFFFF_FFFF_FFFF_FFFF
_DOTTED: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")

_SATYPES: Final[Mapping[str, tuple[int, bool]]] = {  # and whether this is the protocol of RFC 1825
    "ah": (k.SADB_SATYPE_AH, False),
    "esp": (k.SADB_SATYPE_ESP, False),
    "ah-old": (k.SADB_SATYPE_AH, True),
    "esp-old": (k.SADB_SATYPE_ESP, True),
    "ipcomp": (k.SADB_X_SATYPE_IPCOMP, False),
}
_MODES: Final[Mapping[str, int]] = {
    "any": k.IPSEC_MODE_ANY,
    "transport": k.IPSEC_MODE_TRANSPORT,
    "tunnel": k.IPSEC_MODE_TUNNEL,
}
_PADS: Final[Mapping[str, int]] = {
    "zero-pad": k.SADB_X_EXT_PZERO,
    "random-pad": k.SADB_X_EXT_PRAND,
    "seq-pad": k.SADB_X_EXT_PSEQ,
}
_LIFETIMES: Final[Mapping[str, str]] = {
    "-lh": "hard_s",
    "-ls": "soft_s",
    "-bh": "hard_octets",
    "-bs": "soft_octets",
}


class Complaint(NamedTuple):
    """One line about a script, in KAME's layout."""

    line: int
    reason: str
    token: str

    def __str__(self) -> str:
        token = self.token if len(self.token) <= TOKEN_SHOWN else f"{self.token[:TOKEN_SHOWN]}..."
        return f"line {self.line}: {self.reason} at [{token}]"


class ScriptError(Exception):
    """Ends a script. lexical: KAME's lexer ended the program itself, without its second line.

    detail: what the policy library says about it.
    """

    def __init__(self, complaint: Complaint, lexical: bool = False, detail: str = "") -> None:
        super().__init__(str(complaint))
        self.complaint = complaint
        self.lexical = lexical
        self.detail = detail


class Supported(NamedTuple):
    """The algorithms of the kernel, by number."""

    auth: Mapping[int, SadbAlg]
    enc: Mapping[int, SadbAlg]


@record
class Lookup:
    """How a command wants its hosts looked up: -4 or -6, and -n for no names."""

    inet: bool = False
    inet6: bool = False
    numeric: bool = False


_NO_LETTERS: Final = Lookup()


class Host(NamedTuple):
    """A name or numeric address, and where it stood."""

    text: str
    line: int


class Range(NamedTuple):
    """A selector of a policy: addresses and a port, 0 for any."""

    host: Host
    plen: int = PLEN_MAX
    port: int = k.IPSEC_PORT_ANY


@record
class SaSpec:
    """What add, get, delete and deleteall say of an association beside its ends."""

    satype: int
    spi: int = 0
    mode: int = k.IPSEC_MODE_ANY
    reqid: int = 0
    replay: int = 0
    flags: int = k.SADB_X_EXT_CYCSEQ
    hard_s: int = 0
    soft_s: int = 0
    hard_octets: int = 0
    soft_octets: int = 0
    auth: int = k.SADB_AALG_NONE
    auth_key: bytes = b""
    enc: int = k.SADB_EALG_NONE
    enc_key: bytes = b""


class SpSpec(NamedTuple):
    """What spdadd and spddelete say of a policy beside its ends."""

    upper: int
    policy: SadbXPolicy


@record
class Command:
    """One command. line: that of its ``;``. refusal: why it cannot be done at all.

    ends: source and destination; ``sa`` or ``sp`` says the rest. satype: of flush and dump.
    """

    verb: str
    line: int
    lookup: Lookup = _NO_LETTERS
    ends: tuple[Range, Range] | None = None
    sa: SaSpec | None = None
    sp: SpSpec | None = None
    satype: int = k.SADB_SATYPE_UNSPEC
    refusal: Complaint | None = None
    warnings: tuple[Complaint, ...] = ()


@dataclass(slots=True)
class _Draft:
    """An association while its extensions and algorithms are read."""

    satype: int
    old: bool
    spi: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    flags: int = k.SADB_X_EXT_CYCSEQ
    auth: tuple[int, bytes] = (k.SADB_AALG_NONE, b"")
    enc: tuple[int, bytes] = (k.SADB_EALG_NONE, b"")

    def spec(self) -> SaSpec:
        return SaSpec(
            self.satype,
            self.spi,
            flags=self.flags | (k.SADB_X_EXT_OLD if self.old else 0),
            auth=self.auth[0],
            auth_key=self.auth[1],
            enc=self.enc[0],
            enc_key=self.enc[1],
            **self.numbers,
        )


class Parser:
    """Commands of a script, one at each call of ``next``."""

    def __init__(self, text: str, supported: Supported) -> None:
        self._lexer = Lexer(text)
        self._supported = supported
        self._ahead: Token | None = None
        self._refusal: Complaint | None = None
        self._warnings: list[Complaint] = []

    def next(self) -> Command | None:
        """The next command, None at the end. ScriptError: the rest cannot be read."""
        if self._peek().kind is Kind.END:
            return None
        self._refusal, self._warnings = None, []
        verb = self._word(_VERBS)
        return _VERBS[verb](self, verb)

    # -- tokens -------------------------------------------------------------------------------

    def _peek(self) -> Token:
        if self._ahead is None:
            self._ahead = self._lexer.next()
            if self._ahead.kind is Kind.BAD:
                bad = self._ahead
                raise ScriptError(Complaint(bad.line, LEXICAL, bad.text), lexical=True)
        return self._ahead

    def _take(self) -> Token:
        token = self._peek()
        self._ahead = None
        return token

    def _fail(self, reason: str = SYNTAX, token: Token | None = None) -> ScriptError:
        at = token or self._peek()
        return ScriptError(Complaint(at.line, reason, at.text))

    def _refuse(self, token: Token | Host, text: str = "") -> None:
        """Not possible here: the first such thing of a command is told."""
        if self._refusal is None:
            self._refusal = Complaint(token.line, NOT_SUPPORTED, text or token.text)

    def _is(self, kind: Kind, text: str = "") -> bool:
        token = self._peek()
        return token.kind is kind and (not text or token.text == text)

    def _skip(self, kind: Kind, text: str = "") -> bool:
        found = self._is(kind, text)
        if found:
            self._take()
        return found

    def _need(self, kind: Kind, text: str = "") -> Token:
        if not self._is(kind, text):
            raise self._fail()
        return self._take()

    def _word(self, table: Mapping[str, object]) -> str:
        """A keyword of the table."""
        token = self._peek()
        if token.kind is not Kind.KEYWORD or token.text not in table:
            raise self._fail()
        return self._take().text

    def _number(self, most: int, reason: str = INVAL_ARGUMENT) -> int:
        token = self._need(Kind.DEC)
        return self._value(token, most, reason)

    def _value(self, token: Token, most: int, reason: str) -> int:
        digits = token.text.lstrip("0") or "0"  # int() of very many digits is refused
        if len(digits) > len(str(most)) or int(digits) > most:
            raise self._fail(reason, token)
        return int(digits)

    # -- commands -----------------------------------------------------------------------------

    def _command(
        self,
        verb: str,
        lookup: Lookup = _NO_LETTERS,
        ends: tuple[Range, Range] | None = None,
        *,
        sa: SaSpec | None = None,
        sp: SpSpec | None = None,
        satype: int = k.SADB_SATYPE_UNSPEC,
    ) -> Command:
        line = self._need(Kind.EOT).line
        why, warnings = self._refusal, tuple(self._warnings)
        return Command(verb, line, lookup, ends, sa, sp, satype, why, warnings)

    def _table(self, verb: str) -> Command:
        """flush [PROTO]; dump [PROTO];"""
        satype = k.SADB_SATYPE_UNSPEC if self._is(Kind.EOT) else self._proto()[0]
        return self._command(verb, satype=satype)

    def _sptable(self, verb: str) -> Command:
        """spdflush; spddump;"""
        return self._command(verb)

    def _deleteall(self, verb: str) -> Command:
        lookup, ends = self._lookup(), self._hosts()
        return self._command(verb, lookup, ends, sa=SaSpec(self._proto()[0]))

    def _sa(self, verb: str) -> Command:
        """add, get, delete SRC DST PROTO SPI [extensions] [ALGORITHMS];"""
        lookup, ends = self._lookup(), self._hosts()
        draft = _Draft(*self._proto())
        draft.spi = self._spi()
        while self._extension(draft, verb):
            pass
        if verb == "add":
            self._algorithms(draft)
        return self._command(verb, lookup, ends, sa=draft.spec())

    def _sp(self, verb: str) -> Command:
        """spdadd, spddelete SRC DST UPPER [TYPE,CODE] -P POLICY;"""
        lookup = self._lookup()
        src, dst = self._range(), self._range()
        upper = self._upper()
        if upper == IPPROTO_ICMPV6 and self._is(Kind.DEC):
            src, dst = self._icmp6_type(src, dst)
        self._need(Kind.OPTION, "-P")
        policy = self._policy()
        return self._command(verb, lookup, (src, dst), sp=SpSpec(upper, policy))

    # -- ends ---------------------------------------------------------------------------------

    def _lookup(self) -> Lookup:
        letters = ""
        while self._is(Kind.AIFLAGS):
            letters += self._take().text
        return Lookup("4" in letters, "6" in letters, "n" in letters)

    def _host(self) -> Host:
        token = self._need(Kind.STRING)
        if _DOTTED.fullmatch(token.text):
            self._refuse(token)
        return Host(token.text, token.line)

    def _hosts(self) -> tuple[Range, Range]:
        return Range(self._host()), Range(self._host())

    def _range(self) -> Range:
        """ADDR[/LEN][[PORT]]."""
        host = self._host()
        plen = PLEN_MAX
        if self._skip(Kind.MARK, "/"):
            plen = self._number(PLEN_MAX, INVAL_PREFIXLEN)
        return Range(host, plen, self._port() if self._skip(Kind.MARK, "[") else k.IPSEC_PORT_ANY)

    def _port(self) -> int:
        port = k.IPSEC_PORT_ANY
        if self._is(Kind.DEC):
            port = self._number(PORT_MAX, BAD_SERVICE)
        elif self._is(Kind.STRING):
            token = self._take()
            if token.text not in SERVICES:
                raise self._fail(BAD_SERVICE, token)
            port = SERVICES[token.text]
        else:
            self._need(Kind.KEYWORD, "any")
        self._need(Kind.MARK, "]")
        return port

    def _upper(self) -> int:
        reason = "invalid upper layer protocol"
        if self._is(Kind.DEC):
            return self._number(UPPER_MAX, reason)
        if self._skip(Kind.KEYWORD, "any"):
            return k.IPSEC_ULPROTO_ANY
        token = self._need(Kind.STRING)
        number = protocol_number(token.text)
        if number is None:
            raise self._fail(reason, token)
        return number

    def _icmp6_type(self, src: Range, dst: Range) -> tuple[Range, Range]:
        """TYPE,CODE: they take the place of the ports."""
        kind = self._number(OCTET_MAX)
        self._need(Kind.MARK, ",")
        return src._replace(port=kind), dst._replace(port=self._number(OCTET_MAX))

    # -- associations -------------------------------------------------------------------------

    def _proto(self) -> tuple[int, bool]:
        token = self._peek()
        word = self._word(_SATYPES)
        satype, old = _SATYPES[word]
        if old or satype == k.SADB_X_SATYPE_IPCOMP:
            self._refuse(token)
        return satype, old

    def _spi(self) -> int:
        token = self._take()
        if token.kind is Kind.DEC:
            return self._value(token, WORD_MAX, "SPI too big.")
        if token.kind is not Kind.HEX:
            raise self._fail("invalid SPI" if token.kind is Kind.STRING else SYNTAX, token)
        spi = int(token.text, 16)
        if spi > WORD_MAX:
            raise self._fail("SPI too big.", token)
        return spi

    def _extension(self, draft: _Draft, verb: str) -> bool:
        """One extension; False when there is no more."""
        token = self._peek()
        if token.kind is not Kind.OPTION or token.text not in _EXTENSIONS:
            return False
        self._take()
        if token.text == "-m":
            draft.numbers["mode"] = _MODES[self._word(_MODES)]
            if verb != "add" and draft.numbers["mode"] != k.IPSEC_MODE_ANY:
                self._warnings.append(Complaint(token.line, MODE_OBSOLETED, token.text))
        elif token.text == "-u":
            draft.numbers["reqid"] = self._number(WORD_MAX)
        elif token.text == "-r":
            draft.numbers["replay"] = self._replay(draft)
        elif token.text == "-f":
            self._flag(draft)
        else:
            draft.numbers[_LIFETIMES[token.text]] = self._number(QUAD_MAX)
        return True

    def _replay(self, draft: _Draft) -> int:
        if draft.old:
            raise self._fail("replay prevention cannot be used with ah/esp-old.")
        return self._number(OCTET_MAX)

    def _flag(self, draft: _Draft) -> None:
        if self._skip(Kind.KEYWORD, "nocyclic-seq"):
            draft.flags &= ~k.SADB_X_EXT_CYCSEQ
        else:
            pad = _PADS[self._word(_PADS)]
            draft.flags = draft.flags & ~k.SADB_X_EXT_PMASK | pad

    def _algorithms(self, draft: _Draft) -> None:
        if self._skip(Kind.OPTION, "-C"):
            self._compression()
            return
        if self._skip(Kind.OPTION, "-E"):
            draft.enc = self._cipher(draft)
            if not self._is(Kind.OPTION, "-A"):
                return
        self._need(Kind.OPTION, "-A")
        alg, token = self._algorithm(AUTH_ALGORITHMS)
        draft.auth = alg.number, self._key(alg, token, self._supported.auth)

    def _cipher(self, draft: _Draft) -> tuple[int, bytes]:
        alg, token = self._algorithm(ENC_ALGORITHMS)
        if alg.flag and draft.old != (alg.flag == k.SADB_X_EXT_IV4B):
            raise self._fail("algorithm mismatched.", token)
        if alg.flag:
            self._refuse(token)
        draft.flags |= alg.flag
        return alg.number, self._key(alg, token, self._supported.enc)

    def _algorithm(self, table: Mapping[str, Algorithm]) -> tuple[Algorithm, Token]:
        token = self._need(Kind.STRING)
        if token.text not in table:
            raise self._fail("unsupported algorithm", token)
        return table[token.text], token

    def _key(self, alg: Algorithm, name: Token, kernel: Mapping[int, SadbAlg]) -> bytes:
        limits = kernel.get(alg.number)
        if limits is None:
            self._refuse(name)
        if not self._is(Kind.QUOTED) and not self._is(Kind.HEX):
            if not alg.keyless:
                raise self._fail("no key found.")
            return b""
        token = self._take()
        key = _key_octets(token)
        if limits is not None and not limits.minbits <= len(key) * 8 <= limits.maxbits:
            raise self._fail(INVAL_KEYLEN, token)
        return key

    def _compression(self) -> None:
        token = self._need(Kind.STRING)
        if token.text not in COMP_ALGORITHMS:
            raise self._fail("unsupported algorithm", token)
        self._refuse(token)
        self._skip(Kind.OPTION, "-R")

    # -- policies -----------------------------------------------------------------------------

    def _policy(self) -> SadbXPolicy:
        token = self._need(Kind.POLICY)
        self._peek()  # a character that no policy has is told first
        found = ipsec_set_policy(token.text)
        if isinstance(found, PolicyError):
            shown = token._replace(text=" ".join(token.text.split()))
            error = self._fail(found.reason, shown)
            error.detail = str(found)
            raise error
        for text in found.inet:
            self._refuse(token, text)
        if any(r.proto == IPPROTO_IPCOMP for r in found.sadb.requests):
            self._refuse(token, "ipcomp")
        return found.sadb


def _key_octets(token: Token) -> bytes:
    """The octets of a key. Of an odd number of hexadecimal digits the first is an octet alone."""
    if token.kind is Kind.QUOTED:
        return token.text[1:-1].encode("utf-8", "surrogatepass")
    digits = token.text[2:]
    return bytes.fromhex("0" * (len(digits) % 2) + digits)


_EXTENSIONS: Final = frozenset({"-m", "-u", "-r", "-f", *_LIFETIMES})
_VERBS: Final = {
    "add": Parser._sa,
    "get": Parser._sa,
    "delete": Parser._sa,
    "deleteall": Parser._deleteall,
    "flush": Parser._table,
    "dump": Parser._table,
    "spdadd": Parser._sp,
    "spddelete": Parser._sp,
    "spdflush": Parser._sptable,
    "spddump": Parser._sptable,
}
