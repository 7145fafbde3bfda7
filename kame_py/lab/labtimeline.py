# SPDX-License-Identifier: BSD-3-Clause
"""The [[event]] and [[expect]] tables of a lab.

No KAME counterpart.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from kame_py.lab.labscope import Scope
from kame_py.lab.schema import (
    CutEvent,
    Event,
    Expect,
    ImpairEvent,
    MoveEvent,
    PingExpect,
    RestoreEvent,
    RunEvent,
    RunExpect,
    pings_of,
)
from kame_py.lab.tomllines import Path
from kame_py.lab.tomlreader import NS_PER_MS, NS_PER_S, Table, did_you_mean

IMPAIR_KEYS: Final = (
    *("delay_ms", "jitter_ms", "loss", "duplicate", "reorder", "corrupt", "rate_kbps"),
)
# The key that tells what a table is -> the keys that go with it.
EVENT_KINDS: Final = {
    "run": ("at", "node", "run"),
    "move": ("at", "move", "to"),
    "cut": ("at", "cut"),
    "restore": ("at", "restore"),
    "impair": ("at", "link", "impair"),
}
EXPECT_KINDS: Final = {
    "run": ("at", "node", "run", "contains", "not_contains", "matches", "lines", "exit"),
    "ping": ("at", "ping", "lost_at_most", "lost_at_least", "which", "since"),
}
COUNT_MAX: Final = 1_000_000_000
EXIT_STATUS_MAX: Final = 255


def read_events(scope: Scope, document: Table, until_ns: int | None) -> tuple[Event, ...]:
    """All events that could be understood, in file order."""
    found: list[Event] = []
    for path, table in scope.tables(document, "event"):
        kind = _kind(scope, path, table, EVENT_KINDS)
        at_ns = _at(scope, path, table, until_ns)
        if kind is not None:
            found.append(_EVENT_READERS[kind](scope, path, table, at_ns))
    return tuple(found)


def read_expects(
    scope: Scope, document: Table, until_ns: int | None, events: tuple[Event, ...]
) -> tuple[Expect, ...]:
    """All expectations that could be understood, in file order."""
    found: list[Expect] = []
    for path, table in scope.tables(document, "expect"):
        kind = _kind(scope, path, table, EXPECT_KINDS)
        at_ns = _at(scope, path, table, until_ns)
        if kind == "run":
            found.append(_run_expect(scope, path, table, at_ns))
        elif kind == "ping":
            found.append(_ping_expect(scope, path, table, at_ns, events))
    return tuple(found)


def _kind(
    scope: Scope, path: Path, table: Table, kinds: Mapping[str, tuple[str, ...]]
) -> str | None:
    known = {key: None for keys in kinds.values() for key in keys}
    scope.check_keys(table, path, known)
    present = [kind for kind in kinds if kind in table]
    if len(present) == 1:
        for key in table:
            if key in known and key not in kinds[present[0]]:
                scope.error((*path, key), f"{key} does not go with {present[0]}")
        return present[0]
    if present:
        scope.error(path, f"{' and '.join(present)} in one {path[0]}")
    elif all(key in known for key in table):
        scope.error(path, f"the {path[0]} needs one of {', '.join(kinds)}")
    return None


def _at(scope: Scope, path: Path, table: Table, until_ns: int | None) -> int:
    where: Path = (*path, "at")
    if "at" not in table:
        scope.error(path, "at is missing")
    at_ns = scope.span_ns(table, where, NS_PER_S)
    if at_ns is not None and until_ns is not None and at_ns > until_ns:
        scope.error(where, f"at: {table['at']} is after the end (until)")
    return at_ns or 0


# Events


def _run(scope: Scope, path: Path, table: Table, at_ns: int) -> Event:
    node = scope.node_name(table, (*path, "node"))
    commands = scope.required_commands(table, (*path, "run"))
    return RunEvent(scope.lines.of(path), at_ns, node, commands)


def _move(scope: Scope, path: Path, table: Table, at_ns: int) -> Event:
    text = scope.text(table, (*path, "move"))
    node, interface = "", ""
    if text is not None:
        node, interface = _node_interface(scope, (*path, "move"), text)
    to = scope.link_name(table, (*path, "to"))
    return MoveEvent(scope.lines.of(path), at_ns, node, interface, to)


def _node_interface(scope: Scope, path: Path, text: str) -> tuple[str, str]:
    node, dot, interface = text.partition(".")
    if not dot:
        known = [f"{n.name}.{name}" for n in scope.nodes.values() for name in n.interfaces]
        scope.error(path, f"move: {text}: write NODE.INTERFACE{did_you_mean(text, known)}")
    elif node not in scope.nodes:
        scope.unknown(path, "node", node, scope.nodes)
    elif interface not in scope.nodes[node].interfaces:
        scope.unknown(path, f"interface of {node}", interface, scope.nodes[node].interfaces)
    return node, interface


def _cut(scope: Scope, path: Path, table: Table, at_ns: int) -> Event:
    return CutEvent(scope.lines.of(path), at_ns, scope.link_name(table, (*path, "cut")))


def _restore(scope: Scope, path: Path, table: Table, at_ns: int) -> Event:
    return RestoreEvent(scope.lines.of(path), at_ns, scope.link_name(table, (*path, "restore")))


def _impair(scope: Scope, path: Path, table: Table, at_ns: int) -> Event:
    link = scope.link_name(table, (*path, "link"))
    where: Path = (*path, "impair")
    impair = scope.table(table, where)
    scope.check_keys(impair, where, IMPAIR_KEYS)
    if impair == {} and isinstance(table["impair"], dict):
        scope.error(where, "impair: nothing is changed")
    return ImpairEvent(
        line=scope.lines.of(path),
        at_ns=at_ns,
        link=link,
        delay_ns=scope.span_ns(impair, (*where, "delay_ms"), NS_PER_MS),
        jitter_ns=scope.span_ns(impair, (*where, "jitter_ms"), NS_PER_MS),
        loss=scope.probability(impair, (*where, "loss")),
        duplicate=scope.probability(impair, (*where, "duplicate")),
        reorder=scope.probability(impair, (*where, "reorder")),
        corrupt=scope.probability(impair, (*where, "corrupt")),
        rate_bps=scope.rate_bps(impair, (*where, "rate_kbps")),
    )


_EVENT_READERS: Final[Mapping[str, Callable[[Scope, Path, Table, int], Event]]] = {
    "run": _run,
    "move": _move,
    "cut": _cut,
    "restore": _restore,
    "impair": _impair,
}


# Expectations


def _run_expect(scope: Scope, path: Path, table: Table, at_ns: int) -> Expect:
    checks = ("contains", "not_contains", "matches", "lines", "exit")
    if not any(check in table for check in checks):
        scope.error(path, f"nothing is expected: give one of {', '.join(checks)}")
    return RunExpect(
        line=scope.lines.of(path),
        at_ns=at_ns,
        node=scope.node_name(table, (*path, "node")),
        commands=scope.required_commands(table, (*path, "run")),
        contains=scope.substituted_texts(table, (*path, "contains")),
        not_contains=scope.substituted_texts(table, (*path, "not_contains")),
        matches=_patterns(scope, table, (*path, "matches")),
        lines=scope.integer(table, (*path, "lines"), 0, COUNT_MAX),
        exit_status=scope.integer(table, (*path, "exit"), 0, EXIT_STATUS_MAX),
    )


def _patterns(scope: Scope, table: Table, path: Path) -> tuple[str, ...]:
    patterns = scope.substituted_texts(table, path)
    for pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as problem:
            scope.error(path, f"matches: {pattern}: {problem}")
    return patterns


def _ping_expect(
    scope: Scope, path: Path, table: Table, at_ns: int, events: tuple[Event, ...]
) -> Expect:
    node = scope.node_name(table, (*path, "ping"))
    which = scope.integer(table, (*path, "which"), 0, COUNT_MAX) or 0
    if "lost_at_most" not in table:
        scope.error(path, "lost_at_most is missing")
    lost = scope.integer(table, (*path, "lost_at_most"), 0, COUNT_MAX) or 0
    least = scope.integer(table, (*path, "lost_at_least"), 0, COUNT_MAX) or 0
    if least > lost and "lost_at_most" in table:
        scope.error((*path, "lost_at_least"), f"lost_at_least is more than lost_at_most {lost}")
    since_ns = scope.span_ns(table, (*path, "since"), NS_PER_S) or 0
    if since_ns >= at_ns > 0:
        scope.error((*path, "since"), "since is not before at")
    if node in scope.nodes and not scope.errors:
        count = sum(1 for _ in pings_of(node, scope.nodes[node].rc, events))
        if which >= count:
            there = f"only {count} ping6" if count else "no ping6"
            scope.error((*path, "which"), f"{there} on {node} in rc and events")
    return PingExpect(scope.lines.of(path), at_ns, node, lost, which, since_ns, least)
