# SPDX-License-Identifier: BSD-3-Clause
"""What a lab file says, as plain values. lab/labfile.py makes them; the runner reads them.

No KAME counterpart. Every value keeps the file line it came from, so that anything that fails
at run time can still be reported as FILE:LINE. A Command's line is a line of the lab file too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kame_py.kern.conf import KernConf
from kame_py.lab.rc import Command


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A LAN. Probabilities are 0 to 1; `jitter_ns` is the most that is added to the delay."""

    name: str
    line: int
    delay_ns: int = 0
    jitter_ns: int = 0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    mtu: int | None = None
    rate_bps: int | None = None


@dataclass(frozen=True, slots=True)
class InterfaceSpec:
    """An Ethernet interface and the link it starts on."""

    name: str
    line: int
    link: str
    mac: bytes
    mtu: int | None = None


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node. `forwarding` None leaves the kernel's default, `files` maps path to text."""

    name: str
    line: int
    kernel: KernConf = KernConf()
    interfaces: dict[str, InterfaceSpec] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    rc: tuple[Command, ...] = ()
    forwarding: bool | None = None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Run commands on a node."""

    line: int
    at_ns: int
    node: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class MoveEvent:
    """Unplug an interface (carrier drops) and plug it into another link (carrier rises)."""

    line: int
    at_ns: int
    node: str
    interface: str
    to: str


@dataclass(frozen=True, slots=True)
class CutEvent:
    """The link goes down: its interfaces lose carrier and it carries nothing."""

    line: int
    at_ns: int
    link: str


@dataclass(frozen=True, slots=True)
class RestoreEvent:
    """A cut link comes back."""

    line: int
    at_ns: int
    link: str


@dataclass(frozen=True, slots=True)
class ImpairEvent:
    """Change what is given of a link's behaviour; None leaves the value as it is."""

    line: int
    at_ns: int
    link: str
    delay_ns: int | None = None
    jitter_ns: int | None = None
    loss: float | None = None
    duplicate: float | None = None
    reorder: float | None = None
    corrupt: float | None = None
    rate_bps: int | None = None


Event = RunEvent | MoveEvent | CutEvent | RestoreEvent | ImpairEvent


@dataclass(frozen=True, slots=True)
class RunExpect:
    """Run commands on a node and check the output of all of them together.

    `contains` and `not_contains` are substrings, `matches` regular expressions for re.search
    with re.MULTILINE, `lines` the number of output lines, `exit_status` the last command's.
    """

    line: int
    at_ns: int
    node: str
    commands: tuple[Command, ...]
    contains: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    lines: int | None = None
    exit_status: int | None = None


@dataclass(frozen=True, slots=True)
class PingExpect:
    """The loss of ping6 number `which` (from 0, in file order) of a node, since_ns to at_ns."""

    line: int
    at_ns: int
    node: str
    lost_at_most: int
    which: int = 0
    since_ns: int = 0
    lost_at_least: int = 0


Expect = RunExpect | PingExpect


@dataclass(frozen=True, slots=True)
class LabNote:
    """A remark that does not stop the lab: an option that means nothing, a program not there."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class LabError:
    """Why a lab file cannot be used. The text may end in `; did you mean X`."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class LabFile:
    """A whole, checked lab. `values` are the names of {substitutions} with their texts.

    Events and expectations are in file order; equal times keep that order.
    """

    name: str
    title: str
    seed: int
    until_ns: int
    links: dict[str, LinkSpec]
    hosts: dict[str, tuple[bytes, ...]]
    nodes: dict[str, NodeSpec]
    events: tuple[Event, ...]
    expects: tuple[Expect, ...]
    values: dict[str, str]
    notes: tuple[LabNote, ...]

    def pings(self, node: str) -> Iterator[Command]:
        """The ping6 commands of a node in the order `which` counts them: rc, then events."""
        return pings_of(node, self.nodes[node].rc, self.events)


def pings_of(node: str, rc: tuple[Command, ...], events: tuple[Event, ...]) -> Iterator[Command]:
    """ping6 commands of rc, then those of the node's run events, in file order."""
    yield from (command for command in rc if command.argv[0] == "ping6")
    for event in events:
        if isinstance(event, RunEvent) and event.node == node:
            yield from (command for command in event.commands if command.argv[0] == "ping6")
