# SPDX-License-Identifier: BSD-3-Clause
"""Read and check a lab: TOML text -> LabFile, or every error in it as FILE:LINE.

No KAME counterpart. Text in, values out: nothing is opened here.

Keys: title, seed, until; [link] NAME = { delay_ms, jitter_ms, loss, duplicate, reorder, corrupt,
mtu, rate_kbps }; [hosts] NAME = address or list; [node.NAME] kernel, interfaces, files, rc,
forwarding; [[event]] at with node+run, move+to, cut, restore or link+impair; [[expect]] at with
node+run and contains, not_contains, matches, lines, exit, or ping+lost_at_most (+which, since,
lost_at_least).

An interface without `mac` gets 00:a0:24:NN:NN:II: NN:NN is the node's place in the file, II the
interface's place in its node, both counted from 1. So a node added at the end changes no address.

Texts may name values of the lab: {node.if.mac}, {node.if.eui64} (four groups, to follow a /64
prefix), {node.if.linklocal} (without scope), {hosts.NAME} (its first address). They work in
hosts (not {hosts.*}), rc, run, contains, not_contains and matches; `files` are taken as they are.
Without `until` a lab ends at its last event or expectation; a ping there gets a note.
"""

import re
import tomllib
from typing import Final

from kame_py.lab.labnodes import read_nodes, run_rc
from kame_py.lab.labscope import MTU_MAX, MTU_MIN, NAME, Scope
from kame_py.lab.labtimeline import read_events, read_expects
from kame_py.lab.schema import Event, LabError, LabFile, LabNote, LinkSpec, RunEvent
from kame_py.lab.tomllines import Path, scan_lines
from kame_py.lab.tomlreader import NS_PER_MS, NS_PER_S, Table
from kame_py.wire import in6addr

TOP_KEYS: Final = ("title", "seed", "until", "link", "hosts", "node", "event", "expect")
LINK_KEYS: Final = (
    *("delay_ms", "jitter_ms", "loss", "duplicate", "reorder", "corrupt", "mtu", "rate_kbps"),
)
SEED_MAX: Final = 2**63 - 1
TAKES_TIME: Final = frozenset({"ping6", "rtsol", "sleep"})

_TOML_PLACE: Final = re.compile(r" \(at line ([0-9]+), column ([0-9]+)\)\Z")
_TOML_END: Final = " (at end of document)"


def load(path_text: str, name: str) -> LabFile | list[LabError]:
    """Check the text of a lab file; `name` is the file's name for messages."""
    try:
        document = tomllib.loads(path_text)
        lines = scan_lines(path_text)
    except RecursionError:
        return [LabError(name, 1, "values are nested too deeply")]
    except ValueError as problem:
        return [_toml_error(name, path_text, str(problem))]
    scope = Scope(name, lines)
    lab = _read(scope, document)
    if scope.errors:
        return sorted(scope.errors, key=lambda error: error.line)
    return lab


def _toml_error(name: str, text: str, message: str) -> LabError:
    place = _TOML_PLACE.search(message)
    if place:
        line, column = int(place.group(1)), place.group(2)
        return LabError(name, line, f"{message[: place.start()]}, column {column}")
    if message.endswith(_TOML_END):
        return LabError(name, text.count("\n") + 1, message.removesuffix(_TOML_END))
    return LabError(name, 1, message)


def _read(scope: Scope, document: Table) -> LabFile:
    scope.check_keys(document, (), TOP_KEYS)
    title = scope.text(document, ("title",)) or ""
    seed = scope.integer(document, ("seed",), 0, SEED_MAX) or 0
    until_ns = scope.span_ns(document, ("until",), NS_PER_S)
    _read_links(scope, scope.table(document, ("link",)))
    node_table = scope.table(document, ("node",))
    read_nodes(scope, node_table)
    hosts = _read_hosts(scope, scope.table(document, ("hosts",)))
    run_rc(scope, node_table)
    events = read_events(scope, document, until_ns)
    expects = read_expects(scope, document, until_ns, events)
    latest_ns = max((item.at_ns for item in (*events, *expects)), default=0)
    if until_ns is None:
        _note_cut_short(scope, events, latest_ns)
    return LabFile(
        name=scope.file,
        title=title,
        seed=seed,
        until_ns=latest_ns if until_ns is None else until_ns,
        links=scope.links,
        hosts=hosts,
        nodes=scope.nodes,
        events=events,
        expects=expects,
        values=scope.values,
        notes=tuple(scope.notes),
    )


def _note_cut_short(scope: Scope, events: tuple[Event, ...], end_ns: int) -> None:
    """A ping in the last event of a lab without `until` never hears an answer: say so."""
    for event in events:
        if event.at_ns == end_ns and isinstance(event, RunEvent):
            for command in event.commands:
                if command.argv[0] in TAKES_TIME:
                    text = f"the lab ends when this {command.argv[0]} starts: there is no until"
                    scope.notes.append(LabNote(scope.file, command.line, text))


def _read_links(scope: Scope, links: Table) -> None:
    for name, value in links.items():
        path: Path = ("link", name)
        if not NAME.fullmatch(name):
            scope.error(path, f"{name!r} is no link name: letters, digits, - and _ only")
        table = scope.as_table(value, path) or {}
        scope.check_keys(table, path, LINK_KEYS)
        scope.links[name] = LinkSpec(
            name=name,
            line=scope.lines.of(path),
            delay_ns=scope.span_ns(table, (*path, "delay_ms"), NS_PER_MS) or 0,
            jitter_ns=scope.span_ns(table, (*path, "jitter_ms"), NS_PER_MS) or 0,
            loss=scope.probability(table, (*path, "loss")) or 0.0,
            duplicate=scope.probability(table, (*path, "duplicate")) or 0.0,
            reorder=scope.probability(table, (*path, "reorder")) or 0.0,
            corrupt=scope.probability(table, (*path, "corrupt")) or 0.0,
            mtu=scope.integer(table, (*path, "mtu"), MTU_MIN, MTU_MAX),
            rate_bps=scope.rate_bps(table, (*path, "rate_kbps")),
        )


def _read_hosts(scope: Scope, hosts: Table) -> dict[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    for name in hosts:
        path: Path = ("hosts", name)
        addresses: list[bytes] = []
        errors_before = len(scope.errors)
        texts = scope.substituted_texts(hosts, path)
        for text in texts if len(scope.errors) == errors_before else ():
            address = in6addr.pton(text)
            if address is None:
                scope.error(path, f"{name}: {text}: not an IPv6 address")
            else:
                addresses.append(address)
        # A host with a bad address still has a name, so that no {hosts.NAME} is blamed for it.
        scope.values[f"hosts.{name}"] = in6addr.ntop(addresses[0]) if addresses else "::"
        found[name] = tuple(addresses)
    return found
