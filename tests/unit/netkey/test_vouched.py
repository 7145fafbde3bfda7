# SPDX-License-Identifier: BSD-3-Clause
"""Whose association is behind the marks of a packet (IpsecHooks.vouched)."""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.boot import boot
from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.mbuf import Mbuf, m_get
from kame_py.netinet6.ip6_output import ip6_pkt
from kame_py.netkey.keydb import Secasindex, Secasvar
from kame_py.wire.const import IPPROTO_AH, IPPROTO_ESP
from kame_py.wire.pfkeyv2 import (
    IPSEC_MODE_TRANSPORT,
    IPSEC_MODE_TUNNEL,
    SADB_AALG_NONE,
    SADB_AALG_SHA1HMAC,
    SADB_X_AALG_NULL,
)
from tests.scenario.authwords import mac_key
from tests.scenario.words import addr

HA: Final = "2001:db8:1::1"
HOA: Final = "2001:db8:1::10"
COA: Final = "2001:db8:2::10"
OTHER: Final = "2001:db8:f::1"
KERN: Final = boot("k", KernConf(frozenset({"IPSEC", "IPSEC_ESP"})), VirtualClock())


def came(*by: Secasvar) -> Mbuf:
    """A packet from HA to HOA that came through these associations."""
    m = m_get(KERN, ip6_pkt(addr(HA), addr(HOA), 59, b"", 64))
    m.src, m.dst = addr(HA), addr(HOA)
    m.ipsecaux().hist.extend(by)
    return m


def sa(
    proto: int, src: str, dst: str, mode: int = IPSEC_MODE_TRANSPORT, auth: int = SADB_AALG_SHA1HMAC
) -> Secasvar:
    index = Secasindex(proto, mode, 0, addr(src), addr(dst))
    key = mac_key(alg=auth) if auth else None
    return Secasvar(index, 1500, alg_auth=auth, mackey=key)


AH_HA: Final = sa(IPPROTO_AH, HA, HOA)
AH_OTHER: Final = sa(IPPROTO_AH, OTHER, HOA)
ESP_HA: Final = sa(IPPROTO_ESP, HA, HOA)
ESP_BARE: Final = sa(IPPROTO_ESP, HA, HOA, auth=SADB_AALG_NONE)
ESP_NULL: Final = sa(IPPROTO_ESP, HA, HOA, auth=SADB_X_AALG_NULL)
TUNNEL: Final = sa(IPPROTO_ESP, HA, COA, IPSEC_MODE_TUNNEL)


@pytest.mark.parametrize(
    "by,header,datagram",
    [
        ((), False, False),
        ((AH_HA,), True, True),
        ((AH_OTHER,), False, False),
        ((ESP_HA,), False, True),
        ((ESP_BARE,), False, False),
        ((ESP_NULL,), False, False),
        ((AH_OTHER, ESP_HA), False, True),  # the header is somebody else's word
        ((TUNNEL, AH_OTHER), False, False),  # what is inside the tunnel may be anybody's
        ((TUNNEL, AH_HA), True, True),
    ],
)
def test_who_vouches_for_a_packet(by: tuple[Secasvar, ...], header: bool, datagram: bool) -> None:
    m = came(*by)
    assert KERN.ipsec.vouched(KERN, m, m.src, True) is header
    assert KERN.ipsec.vouched(KERN, m, m.src, False) is datagram


def test_packet_without_ipsec_has_nobody() -> None:
    m = m_get(KERN, ip6_pkt(addr(HA), addr(HOA), 59, b"", 64))
    m.src, m.dst = addr(HA), addr(HOA)
    assert not KERN.ipsec.vouched(KERN, m, m.src, False)
