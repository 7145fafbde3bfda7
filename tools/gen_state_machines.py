# SPDX-License-Identifier: BSD-3-Clause
"""Write docs/state-machines.md from the tables that drive the state machines.

    python tools/gen_state_machines.py [--check]

--check only compares; exit code 1 means that the page is old.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from kame_py.mip6.mip6_mnstate import (
    CN_TABLE,
    DHAAD_TABLE,
    HIF_LOCATION_FOREIGN,
    HOME_TABLE,
    LOCATION_NAMES,
    LOCATION_TABLE,
    REG_STATE_NAMES,
    BuAct,
    BuEv,
    DhaadAct,
    LocAct,
    LocEv,
)
from kame_py.mip6.mip6_mpa_state import MPA_TABLE, MpaAct
from kame_py.mip6.mip6_state import BC_TABLE, HR_TABLE, BcAct, HrAct
from kame_py.netinet6.mld6_state import MLD_TABLE, MldAct
from kame_py.netinet6.nd6_dad_state import DAD_TABLE, DadAct
from kame_py.netinet6.nd6_state import LLINFO_TABLE, STATE_NAMES, Act, Ev
from kame_py.netkey.key_sastate import SA_NAMES, SA_TABLE, SaAct
from kame_py.tools.rtsold_if import TRANSITIONS

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "state-machines.md"
HEAD: Final = """# State machines

Each machine is a table `(state, event) -> (action, state)` in the code, and one interpreter reads
it. The pictures and tables here are made from them by `tools/gen_state_machines.py`. Every row is
driven by packets, commands and time: `tests/scenario/test_state_tables.py`, `test_mip6_tables.py`
and `test_rows_*.py`; `tests/meta/test_state_machines.py` counts that none is missing. The pictures
leave out the rows that keep the state.
"""


class Edge(NamedTuple):
    """One row, as words."""

    old: str
    event: str
    text: str
    action: str
    new: str


def flags(
    act: Act | MldAct | DadAct | BcAct | HrAct | MpaAct | LocAct | BuAct | DhaadAct | SaAct,
) -> str:
    """The parts of an action."""
    return ", ".join(str(part.name) for part in act) or "-"


def neighbour() -> list[Edge]:
    return [
        Edge(STATE_NAMES[old], ev.name, ev.value, flags(act), STATE_NAMES[new])
        for (old, ev), (act, new) in LLINFO_TABLE.items()
    ]


def detection() -> list[Edge]:
    return [
        Edge(old.name, ev.name, ev.value, flags(act), new.name)
        for (old, ev), (act, new) in DAD_TABLE.items()
    ]


def listener() -> list[Edge]:
    return [
        Edge(old.name, ev.name, ev.value, flags(act), new.name)
        for (old, ev), (act, new) in MLD_TABLE.items()
    ]


def binding() -> list[Edge]:
    return [
        Edge(old.name, ev.name, ev.value, flags(act), new.name)
        for (old, ev), (act, new) in BC_TABLE.items()
    ]


def home_registration() -> list[Edge]:
    return [
        Edge(old.name, ev.name, ev.value, flags(act), new.name)
        for (old, ev), (act, new) in HR_TABLE.items()
    ]


def prefix_delivery() -> list[Edge]:
    return [
        Edge(old.name, ev.name, ev.value, flags(act), new.name)
        for (old, ev), (act, new) in MPA_TABLE.items()
    ]


def location() -> list[Edge]:
    return [
        Edge(LOCATION_NAMES[old], ev.name, ev.value, flags(act), LOCATION_NAMES[new])
        for (old, ev), (act, new) in LOCATION_TABLE.items()
    ]


def home_entry() -> list[Edge]:
    return [
        Edge(REG_STATE_NAMES[old], ev.name, ev.value, flags(act), REG_STATE_NAMES[new])
        for (old, ev), (act, new) in HOME_TABLE.items()
    ]


def correspondent_entry() -> list[Edge]:
    return [
        Edge(old.name, ev.name, ev.value, flags(act), new.name)
        for (old, ev), (act, new) in CN_TABLE.items()
    ]


def discovery() -> list[Edge]:
    return [
        Edge(old.name, ev.name, ev.value, flags(act), new.name)
        for (old, ev), (act, new) in DHAAD_TABLE.items()
    ]


def returning() -> list[Edge]:
    """Rows of three tables, in the order in which a return runs through them."""
    act, new = LOCATION_TABLE[HIF_LOCATION_FOREIGN, LocEv.AT_HOME]
    back = {BuEv.AT_HOME.name, BuEv.COVERED.name}
    return [
        Edge("FOREIGN", "AT_HOME", LocEv.AT_HOME.value, flags(act), LOCATION_NAMES[new]),
        *(e for e in home_entry() if e.event in back and e.old in ("REGWAITACK", "REG")),
        *(e for e in home_entry() if e.old == "DEREGWAITACK"),
        *(e for e in correspondent_entry() if e.event in back and e.old in ("QUIET", "WAITSENT")),
    ]


def association() -> list[Edge]:
    return [
        Edge(SA_NAMES[old], ev.name, ev.value, flags(act), SA_NAMES[new])
        for (old, ev), (act, new) in SA_TABLE.items()
    ]


def rtsold() -> list[Edge]:
    return [
        Edge(old.name, ev.name, ev.value, act.value, new.name)
        for (old, ev), (act, new) in TRANSITIONS.items()
    ]


def diagram(edges: Iterable[Edge]) -> str:
    """The changes of state as a mermaid diagram; events between the same two are one arrow."""
    arrows: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for edge in edges:
        if edge.old != edge.new:
            arrows[edge.old, edge.new].append(edge.event)
    lines = [f"    {old} --> {new}: {', '.join(events)}" for (old, new), events in arrows.items()]
    return "\n".join(("```mermaid", "stateDiagram-v2", *lines, "```", ""))


def active(edges: Iterable[Edge]) -> list[Edge]:
    """All rows that do something or change the state."""
    return [e for e in edges if e.action != "-" or e.old != e.new]


def table(edges: Iterable[Edge]) -> str:
    rows = [f"| {e.old} | {e.event} | {e.action} | {e.new} |" for e in edges]
    return "\n".join(("| state | event | action | next state |", "|---|---|---|---|", *rows, ""))


def words(edges: Iterable[Edge]) -> str:
    """What the events mean."""
    known = dict.fromkeys((e.event, e.text) for e in edges)
    return "\n".join((*(f"- {name}: {text}" for name, text in known), ""))


SECTIONS: Final = (
    (
        "Neighbour cache entry",
        "`kame_py/netinet6/nd6_state.py` LLINFO_TABLE; RFC 4861 s.7.3 and appendix C.\nThe table "
        f"is complete, {len(STATE_NAMES)} states by {len(Ev)} events; rows that do nothing "
        "are left out.",
        neighbour,
    ),
    (
        "Duplicate address detection",
        "`kame_py/netinet6/nd6_dad_state.py` DAD_TABLE; RFC 2462 s.5.4. One per tentative address.",
        detection,
    ),
    (
        "Multicast listener",
        "`kame_py/netinet6/mld6_state.py` MLD_TABLE; RFC 2710 s.5. One per group and interface.",
        listener,
    ),
    (
        "Binding",
        "`kame_py/mip6/mip6_state.py` BC_TABLE; draft-ietf-mobileip-ipv6-15 s.8.3-8.7. One per "
        "entry of\nthe binding cache, at correspondents and home agents.",
        binding,
    ),
    (
        "Home registration",
        "`kame_py/mip6/mip6_state.py` HR_TABLE; draft-ietf-mobileip-ipv6-15 s.9.1-9.3. One per "
        "update that\na home agent serves, with all its addresses.",
        home_registration,
    ),
    (
        "Prefix delivery",
        "`kame_py/mip6/mip6_mpa_state.py` MPA_TABLE; draft-ietf-mobileip-ipv6-15 s.9.8. One per "
        "home\nregistration.",
        prefix_delivery,
    ),
    (
        "Location of a home interface",
        "`kame_py/mip6/mip6_mnstate.py` LOCATION_TABLE; draft-ietf-mobileip-ipv6-15 s.10.4, "
        "s.10.6. One per\nhome interface of a mobile node: movement detection feeds it.",
        location,
    ),
    (
        "Binding update list: home registrations",
        "`kame_py/mip6/mip6_mnstate.py` HOME_TABLE; draft-ietf-mobileip-ipv6-15 s.10.7, "
        "s.10.11-10.14. One per\nhome address. An entry is made in NOTREG and registered at once, "
        "and goes with FREE. A registration whose\nLIMIT finds another home agent (NEXT_HA) is not "
        "accepted there yet: it becomes REGWAITACK.",
        home_entry,
    ),
    (
        "Binding update list: correspondents",
        "`kame_py/mip6/mip6_mnstate.py` CN_TABLE; draft-ietf-mobileip-ipv6-15 s.10.9, "
        "s.10.11-10.15. One per\ncorrespondent and home address; also the entry that asks a link "
        "which was left to forward. TIMEOUT\nand LIMIT come to the latter only, nobody else's "
        "answer is awaited.",
        correspondent_entry,
    ),
    (
        "Returning home",
        "The rows of the three tables above that a return runs through\n"
        "(draft-ietf-mobileip-ipv6-15 s.10.20): the location changes; each home registration is "
        "ended, or\nanother one's update speaks for it; when the home agent has answered, "
        "correspondents are told\n(FINISH) and the link hears where the home address is.",
        returning,
    ),
    (
        "Home agent address discovery",
        "`kame_py/mip6/mip6_mnstate.py` DHAAD_TABLE; draft-ietf-mobileip-ipv6-15 s.10.8. One per "
        "home interface.",
        discovery,
    ),
    (
        "Security association",
        "`kame_py/netkey/key_sastate.py` SA_TABLE; RFC 2367 s.2.3.2. One per association; it comes "
        "as\nLARVAL and goes with REMOVE.",
        association,
    ),
    (
        "rtsold",
        "`kame_py/tools/rtsold_if.py` TRANSITIONS; RFC 2461 s.6.3.7. One per interface.",
        rtsold,
    ),
)


def page() -> str:
    """The whole text."""
    out = [HEAD]
    for title, text, edges in SECTIONS:
        rows = active(edges())
        out += [f"## {title}\n", f"{text}\n", diagram(rows), words(rows), table(rows)]
    return "\n".join(out).rstrip() + "\n"


def main(argv: list[str]) -> int:
    text = page()
    if "--check" in argv:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"gen_state_machines: {PAGE} is old", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
