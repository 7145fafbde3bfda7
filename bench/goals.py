# SPDX-License-Identifier: BSD-3-Clause
"""What speed is promised: for each row a floor, an aim, and why it stays below the aim if it does.

Figures come from the benchmarks by the keys of the rows. ``python -m bench.goals`` checks the
committed results; tools/gen_performance.py makes the table of docs/performance.md from them and
refuses a row below its aim without a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Goal(NamedTuple):
    """One row. more: a larger figure is better. why: the reason, where the aim is missed."""

    key: str
    what: str
    unit: str
    floor: float
    aim: float
    more: bool = True
    why: str = ""

    def reaches(self, value: float, mark: float) -> bool:
        return value >= mark if self.more else value <= mark


_WALK: Final = (
    "each line of the file is fetched from memory, as the next record is found only by the length "
    "of this one; that alone takes two thirds of the time"
)
_SUMS: Final = "as the row above, and each octet is added up"
_REPLAY: Final = (
    "a third of the time Python, numpy and the kernel are loaded, an eighth the registrations of a "
    "thousand mobile nodes at the beginning go one by one"
)
_ROWS: Final = "the table of rows doubles as bindings grow, and half of it may be empty"
_AT_AIM: Final = (
    "a hundredth more or less from run to run; with packets of this size hashlib, too, is nearly "
    "all compiled code"
)
_AH: Final = (
    "the code alone takes 110 ns of a packet, mapping the pages of the file and letting them go 20 "
    "to 60, the walk and the look at headers 40"
)
_CALLS: Final = (
    "every check, counter and hook of a general IPv6 and IPsec stack in Python, 70 functions, "
    "beside 1.4 us of two codes; nothing of it is compiled"
)
_PUNT: Final = (
    "a punted packet costs Python some 20 us, as its code has left the caches each time; one in a "
    "thousand is a quarter of the time"
)
_MILLION: Final = (
    "each packet waits for a row from memory, and about a hundred cycles of tests, counters and "
    "block headers come on top; looking ahead hides most of the wait but not the work"
)
_NEWS: Final = (
    "one in twenty is the first of its mobile node; those, and what is refused, go one by one "
    "through Python"
)
_FIRST: Final = "the first row is below its aim"

#: By heading of the table.
GOALS: Final[dict[str, tuple[Goal, ...]]] = {
    "Reading and annotating 1 M packets, one core": (
        Goal("ingest_mpps", "without transport checksums", "Mpps", 15, 30, why=_WALK),
        Goal("ingest_verified_mpps", "with transport checksums", "Mpps", 10, 22, why=_SUMS),
    ),
    "The first of these beside": (
        Goal("times_scapy", "scapy, packets as objects", "times", 1000, 3000, why=_FIRST),
        Goal("times_dpkt", "dpkt, packets as objects", "times", 100, 200, why=_FIRST),
        Goal("times_tshark", "`tshark -T fields`, five fields", "times", 200, 500, why=_FIRST),
        Goal("times_tcpdump", "`tcpdump -w /dev/null` with a filter", "times", 4, 7, why=_FIRST),
        Goal("times_capinfos", "`capinfos -c`, record headers only", "times", 2, 3.5, why=_FIRST),
    ),
    "A home agent replays": (
        Goal(
            "agent_mpps",
            "verify, look up, encapsulate, output kept in memory; 100 000 bindings, 0.1 % punted",
            "Mpps",
            6,
            14,
            why=_PUNT,
        ),
        Goal(
            "replay_mpps",
            "`kame replay --fast on --json`, 5 M packets, start and report included",
            "Mpps",
            2.5,
            7,
            why=_REPLAY,
        ),
        Goal(
            "bindings_1m_mpps",
            "1 M bindings: look up and encapsulate packets of 78 octets",
            "Mpps",
            20,
            35,
            why=_MILLION,
        ),
        Goal(
            "binding_octets", "memory of a binding, all told", "octets", 600, 300, False, why=_ROWS
        ),
        Goal("sweep_ms", "sweep over the lifetimes of 1 M bindings", "ms", 2, 0.5, False),
        Goal(
            "updates_mps", "1 M authenticated binding updates replayed", "M/s", 0.1, 0.2, why=_NEWS
        ),
    ),
    "Authentication codes, batches of 256": (
        Goal("sha1_64_hashlib", "HMAC-SHA1-96, 64 octets, beside hashlib", "times", 7, 11),
        Goal("sha1_1400_hashlib", "the same, 1400 octets", "times", 4, 5.5, why=_AT_AIM),
        Goal("md5_64_hashlib", "HMAC-MD5-96, 64 octets, beside hashlib", "times", 12, 17),
        Goal("md5_1400_hashlib", "the same, 1400 octets", "times", 8, 11),
        Goal("sha1_64_ipsec_mb", "HMAC-SHA1-96, 64 octets, beside libipsec-mb", "times", 0.5, 1),
        Goal("sha1_1400_ipsec_mb", "the same, 1400 octets", "times", 0.5, 1),
        Goal(
            "ah_mpps", "a capture under AH, hmac-sha1, packets of 512 octets", "Mpps", 3, 6, why=_AH
        ),
    ),
    "Internet checksum": (
        Goal(
            "cksum_576_of_read",
            "batch of 576 octets from memory",
            "of reading",
            0.7,
            0.9,
            why="each packet begins and ends within a line of memory, and has its own sum to fold",
        ),
        Goal(
            "cksum_call_ns",
            "one call, 64 octets",
            "ns",
            120,
            100,
            False,
            "most of it is the way from Python into compiled code and back",
        ),
    ),
    "One packet the slow way": (
        Goal("forward_us", "forwarded", "us", 25, 12, False),
        Goal(
            "bu_ba_us",
            "signed binding update to signed acknowledgement",
            "us",
            20,
            8,
            False,
            why=_CALLS,
        ),
    ),
    "Events in virtual time": (
        Goal("events_queue_mps", "callouts of a kernel", "M/s", 0.7, 1.3),
        Goal("events_world_mps", "events of a world", "M/s", 0.7, 1.3),
    ),
}

ROWS: Final[dict[str, Goal]] = {goal.key: goal for rows in GOALS.values() for goal in rows}


def below_floor(values: Mapping[str, float]) -> list[str]:
    """A line for each row that was measured and misses its floor."""
    return [
        f"{goal.key}: {values[goal.key]:.3g} {goal.unit}, the floor is {goal.floor:g}"
        for goal in ROWS.values()
        if goal.key in values and not goal.reaches(values[goal.key], goal.floor)
    ]


def unmeasured(values: Mapping[str, float]) -> list[str]:
    """Keys of rows without a figure."""
    return [key for key in ROWS if key not in values]
