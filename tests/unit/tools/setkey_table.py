# SPDX-License-Identifier: BSD-3-Clause
"""Scripts of setkey with what they answer: the table tests/golden/setkey_lines.txt.

A case is a heading and lines behind a mark: ``>`` the script, ``=`` the exit status, ``|`` standard
output, ``!`` standard error, ``.`` what setkey -D and -DP show afterwards, without what tells
the time or is the same in every case. ``python -m tests.unit.tools.setkey_table`` writes the
answers anew; read the difference before you keep it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from kame_py.lab.node import Node
from kame_py.lab.world import World
from tests.support import PROJECT_ROOT
from tests.unit.tools.table_ops import addr

TABLE = PROJECT_ROOT / "tests" / "golden" / "setkey_lines.txt"
KERNEL = ("INET6", "IPSEC", "IPSEC_ESP")
_TIMES = re.compile(
    r"\t(created|last): .*|\t(sadb_seq|spid|refcnt|created|lifetime).*"
    r"|\tdiff: 0\(s\)(\t\w+: 0\(s\)){2}"
    r"|\tcurrent: 0\(bytes\)(\t\w+: 0\(bytes\)){2}|\tallocated: 0\thard: 0\tsoft: 0"
)


class Case(NamedTuple):
    """A script and its answers, as lines with their marks."""

    name: str
    script: str
    answers: list[str]


def key_node() -> Node:
    """A kernel with IPsec; ``ha`` and ``mn`` have an address each, ``many`` two."""
    world = World(1)
    world.hosts.update(
        ha=(addr("2001:db8::1"),),
        mn=(addr("2001:db8::2"),),
        many=(addr("2001:db8::3"), addr("2001:db8::4")),
    )
    node = world.add_node("box", kernel=KERNEL)
    node.attach("fxp0", world.add_link("lan"))
    world.run(3)
    return node


def cases(path: Path = TABLE) -> list[Case]:
    """The cases of the table."""
    found: list[Case] = []
    for block in path.read_text().split("\n## ")[1:]:
        name, *lines = block.rstrip("\n").split("\n")
        script = "\n".join(line[2:] for line in lines if line.startswith(">"))
        answers = [line for line in lines if line and not line.startswith(">")]
        found.append(Case(name, script + "\n", answers))
    return found


def answers(node: Node, script: str) -> list[str]:
    """Run a script on empty databases."""
    node.run("setkey -F; setkey -FP")
    node.files.write("/etc/ipsec.conf", script)
    done = node.run("setkey -f /etc/ipsec.conf")
    lines = [f"= {done.status}"]
    lines += _marked("|", done.out) + _marked("!", done.err)
    for words in ("setkey -D", "setkey -DP"):
        shown = node.run(words).out
        if not shown.startswith("No S"):
            lines += _marked(".", shown)
    return lines


def _marked(mark: str, text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines() if not _TIMES.fullmatch(line)]
    return [f"{mark} {line}".replace("\t", "  ") for line in lines]


def main() -> None:
    """Write the table anew."""
    node = key_node()
    head = TABLE.read_text().split("\n## ")[0].rstrip("\n")
    parts = [head + "\n"]
    for case in cases():
        script = [f"> {line}".rstrip() for line in case.script.rstrip("\n").split("\n")]
        parts.append("\n".join([f"## {case.name}", *script, *answers(node, case.script)]) + "\n")
    TABLE.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
