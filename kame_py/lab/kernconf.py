# SPDX-License-Identifier: BSD-3-Clause
"""Kernel options as a list, as config(8) text or as one command-line word -> KernConf.

KAME: the kernel configuration file. `options NAME`, `pseudo-device NAME N`; lines that choose
hardware, and options of a stock FreeBSD kernel that mean nothing here, are accepted with a note.
Deviates: `options MIP6` alone brings one hif (KAME's kernel did not link without the line);
IPSEC_ESP brings IPSEC. Like config(8), names are case-sensitive.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from kame_py.kern.conf import KernConf


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


OPTIONS: Final = frozenset(
    {
        "INET6",
        "IPSEC",
        "IPSEC_ESP",
        "MIP6",
        "MIP6_ALLOW_COA_FALLBACK",
        "MIP6_AUTHDATA_KAME",
        "MIP6_DEBUG",
        "MIP6_DRAFT13",
    }
)
COUNTED_DEVICES: Final = ("hif", "gif")
DEVICE_COUNT_MAX: Final = 64

# What FreeBSD 4's GENERIC and KAME's sample kernel configurations carry besides.
IGNORED_OPTIONS: Final = _set_of(
    """
    ALTQ APIC_IO CD9660 CD9660_ROOT COMPAT_43 DDB DUMMYNET FFS FFS_ROOT ICMP_BANDLIM
    INCLUDE_CONFIG_FILE INET INVARIANTS INVARIANT_SUPPORT IPDIVERT IPFILTER IPFILTER_LOG IPFIREWALL
    IPFIREWALL_DEFAULT_TO_ACCEPT IPFIREWALL_VERBOSE IPSEC_DEBUG IPV6FIREWALL
    IPV6FIREWALL_DEFAULT_TO_ACCEPT IPV6FIREWALL_VERBOSE KBD_INSTALL_CDEV KTRACE MATH_EMULATE MD_ROOT
    MFS MFS_ROOT MROUTING MSDOSFS NATPT NFS NFS_ROOT NMBCLUSTERS NULLFS P1003_1B PROCFS QUOTA
    SCSI_DELAY SMP SOFTUPDATES SYSVMSG SYSVSEM SYSVSHM TCP6 TCP_DROP_SYNFIN UCONSOLE UFS_DIRHASH
    UNIONFS USERCONFIG VISUAL_USERCONFIG _KPOSIX_PRIORITY_SCHEDULING
    """
)
IGNORED_DEVICES: Final = _set_of(
    """
    bpf bpfilter ccd disc ether faith loop md miibus ppp prefix pty sl snp speaker splash stf tun
    vlan vn
    """
)
IGNORED_KEYWORDS: Final = _set_of(
    """
    at config controller cpu device disk env hints ident machine makeoptions master maxusers
    nodevice nooptions profile tape
    """
)
_KEYWORDS: Final = ("options", "option", "pseudo-device")
_WORD: Final = re.compile(r'"[^"\n]*"|[^\s#"]+|#.*|"')


@dataclass(frozen=True, slots=True)
class KernConfNote:
    """A remark or an error about one line (or list item), counted from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class KernConfResult:
    """`conf` holds what was understood; it is to be used only when `errors` is empty."""

    conf: KernConf
    notes: tuple[KernConfNote, ...]
    errors: tuple[KernConfNote, ...]


@dataclass(slots=True)
class _Draft:
    options: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[KernConfNote] = field(default_factory=list)
    errors: list[KernConfNote] = field(default_factory=list)

    def finish(self) -> KernConfResult:
        if "MIP6" in self.options:
            self.counts.setdefault("hif", 1)
        if "IPSEC_ESP" in self.options:
            self.options.add("IPSEC")
        conf = KernConf(
            frozenset(self.options), self.counts.get("hif", 0), self.counts.get("gif", 0)
        )
        return KernConfResult(conf, tuple(self.notes), tuple(self.errors))


def parse_kernel_text(text: str) -> KernConfResult:
    """Read config(8) text: one statement a line, `#` starts a comment."""
    draft = _Draft()
    for number, line in enumerate(text.split("\n"), 1):
        words = _words(draft, number, line)
        if words:
            _statement(draft, number, words)
    return draft.finish()


def parse_kernel_list(items: Sequence[str]) -> KernConfResult:
    """Read list items such as `MIP6`, `hif 2`, `pseudo-device hif 2` or `options MIP6`."""
    draft = _Draft()
    for number, item in enumerate(items, 1):
        _item(draft, number, _words(draft, number, item))
    return draft.finish()


def parse_options_argument(argument: str) -> KernConfResult:
    """Read one command-line word: `MIP6,MIP6_DEBUG,hif 2`, separated by commas or blanks."""
    draft = _Draft()
    words = argument.replace('"', " ").replace("'", " ").replace(",", " ").split()
    for number, item in enumerate(_regrouped(words), 1):
        _item(draft, number, item)
    return draft.finish()


def _words(draft: _Draft, number: int, line: str) -> list[str]:
    words: list[str] = []
    for match in _WORD.finditer(line):
        word = match.group()
        if word.startswith("#"):
            break
        if word == '"':
            draft.errors.append(KernConfNote(number, "missing closing quote"))
            return []
        words.append(word.strip('"'))
    return words


def _regrouped(words: Sequence[str]) -> Iterator[list[str]]:
    """Put `hif` and its count, and a keyword and its subject, back into one item."""
    pending: list[str] = []
    for word in words:
        joins = pending and (
            pending[-1] in _KEYWORDS or (word.isdecimal() and pending[-1] in COUNTED_DEVICES)
        )
        if pending and not joins:
            yield pending
            pending = []
        pending.append(word)
    if pending:
        yield pending


def _item(draft: _Draft, number: int, words: list[str]) -> None:
    if not words:
        draft.errors.append(KernConfNote(number, "empty kernel option"))
    elif words[0] in _KEYWORDS:
        _statement(draft, number, words)
    elif words[0] in COUNTED_DEVICES:
        _pseudo_device(draft, number, words)
    else:
        for word in words:
            _option(draft, number, word)


def _statement(draft: _Draft, number: int, words: list[str]) -> None:
    keyword, rest = words[0], words[1:]
    if keyword in IGNORED_KEYWORDS:
        draft.notes.append(KernConfNote(number, f"{' '.join(words)}: ignored"))
    elif keyword not in _KEYWORDS:
        known = sorted({*_KEYWORDS, *IGNORED_KEYWORDS})
        complaint = f"unknown statement {keyword}{_hint(keyword, known)}"
        draft.errors.append(KernConfNote(number, complaint))
    elif not rest:
        draft.errors.append(KernConfNote(number, f"{keyword}: what is missing"))
    elif keyword == "pseudo-device":
        _pseudo_device(draft, number, rest)
    else:
        for name in " ".join(rest).replace(",", " ").split():
            _option(draft, number, name)


def _option(draft: _Draft, number: int, word: str) -> None:
    name = word.partition("=")[0]
    if name in OPTIONS:
        draft.options.add(name)
    elif name in IGNORED_OPTIONS:
        draft.notes.append(KernConfNote(number, f"options {name}: ignored"))
    else:
        hint = _hint(name, sorted({*OPTIONS, *COUNTED_DEVICES, *IGNORED_OPTIONS}))
        draft.errors.append(KernConfNote(number, f"unknown kernel option {name}{hint}"))


def _pseudo_device(draft: _Draft, number: int, words: list[str]) -> None:
    name, count = words[0], words[1] if len(words) > 1 else "1"
    if name in IGNORED_DEVICES:
        draft.notes.append(KernConfNote(number, f"pseudo-device {name}: ignored"))
    elif name not in COUNTED_DEVICES:
        hint = _hint(name, sorted({*COUNTED_DEVICES, *IGNORED_DEVICES}))
        draft.errors.append(KernConfNote(number, f"unknown pseudo-device {name}{hint}"))
    elif len(words) > 2:
        draft.errors.append(KernConfNote(number, f"{name}: {words[2]}: one count only"))
    elif not _is_count(count):
        draft.errors.append(
            KernConfNote(number, f"{name}: {count}: not a count of 0 to {DEVICE_COUNT_MAX}")
        )
    else:
        draft.counts[name] = int(count)


def _is_count(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,4}", text)) and int(text) <= DEVICE_COUNT_MAX


def _hint(name: str, known: Sequence[str]) -> str:
    """`; did you mean X`, found whatever the case of the letters; may be empty."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]}" if close else ""
