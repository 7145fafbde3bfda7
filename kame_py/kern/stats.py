# SPDX-License-Identifier: BSD-3-Clause
"""Counters of one kernel under KAME's member names (struct ip6stat, icmp6stat, udp6stat ...).

mip6 is struct mip6stat of later KAME, with members of ours for what it did not count.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

Counters = defaultdict[str, int]
Histogram = defaultdict[int, int]


#: Every protocol with a table, in the order of netstat.
PROTOS: Final = ("ip6", "icmp6", "udp6", "tcp6", "rip6", "ipsec6", "mip6")


class Stats:
    """One table per protocol plus the histograms that ``netstat -s`` prints."""

    __slots__ = (
        "icmp6",
        "icp6s_inhist",
        "icp6s_outhist",
        "in_ahhist",
        "in_esphist",
        "ip6",
        "ip6s_nxthist",
        "ip6s_sources_rule",
        "ipsec6",
        "mip6",
        "mip6s_ba_hist",
        "mip6s_oba_hist",
        "out_ahhist",
        "out_esphist",
        "rip6",
        "tcp6",
        "udp6",
    )

    def __init__(self) -> None:
        self.ip6: Counters = defaultdict(int)
        self.icmp6: Counters = defaultdict(int)
        self.udp6: Counters = defaultdict(int)
        self.tcp6: Counters = defaultdict(int)
        self.rip6: Counters = defaultdict(int)
        self.ipsec6: Counters = defaultdict(int)
        self.mip6: Counters = defaultdict(int)
        self.ip6s_nxthist: Histogram = defaultdict(int)
        self.icp6s_inhist: Histogram = defaultdict(int)
        self.icp6s_outhist: Histogram = defaultdict(int)
        self.ip6s_sources_rule: Histogram = defaultdict(int)
        self.in_ahhist: Histogram = defaultdict(int)  # by SADB_AALG_*
        self.in_esphist: Histogram = defaultdict(int)  # by SADB_EALG_*
        self.out_ahhist: Histogram = defaultdict(int)
        self.out_esphist: Histogram = defaultdict(int)
        self.mip6s_ba_hist: Histogram = defaultdict(int)  # by status
        self.mip6s_oba_hist: Histogram = defaultdict(int)

    def of(self, proto: str) -> Counters:
        """The table of a protocol of PROTOS."""
        table: Counters = getattr(self, proto)
        return table

    def nonzero(self) -> dict[str, int]:
        """All counters that are not zero, as "proto.member"."""
        out: dict[str, int] = {}
        for proto in PROTOS:
            out.update({f"{proto}.{k}": v for k, v in sorted(self.of(proto).items()) if v})
        return out
