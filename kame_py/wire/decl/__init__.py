# SPDX-License-Identifier: BSD-3-Clause
"""The declarations of all headers, in construct; for tools/gen_wire.py and the tests only."""

from __future__ import annotations

from typing import Final

from kame_py.wire.decl import (
    ether,
    icmp6,
    ip6,
    ip6opt,
    ipsec,
    mip6_draft13,
    mip6_draft15,
    mld6,
    nd6,
    tcp,
    udp,
)
from kame_py.wire.decl.base import Decl

ALL: Final[tuple[Decl, ...]] = (
    *ether.DECLS,
    *ip6.DECLS,
    *ip6opt.DECLS,
    *icmp6.DECLS,
    *nd6.DECLS,
    *mld6.DECLS,
    *udp.DECLS,
    *tcp.DECLS,
    *ipsec.DECLS,
    *mip6_draft15.DECLS,
    *mip6_draft13.DECLS,
)
