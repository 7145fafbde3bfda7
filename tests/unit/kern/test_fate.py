# SPDX-License-Identifier: BSD-3-Clause
"""Each packet has exactly one fate, and the books balance."""

import pytest

from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.drop import NORMAL, REASONS, D, drop
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate, m_copy, m_get, settle
from kame_py.kern.rng import Rng
from kame_py.net.if_ import ETHERMTU, IFT_ETHER, Ifnet


@pytest.fixture
def kern() -> Kernel:
    return Kernel("k", KernConf(), VirtualClock(), Rng())


def test_a_second_fate_is_refused(kern: Kernel) -> None:
    m = m_get(kern, b"x")
    settle(kern, m, Fate.DELIVERED)
    with pytest.raises(RuntimeError, match="consumed after delivered"):
        settle(kern, m, Fate.CONSUMED)


def test_held_is_followed_by_the_real_fate_and_counts_once(kern: Kernel) -> None:
    m = m_get(kern, b"x")
    settle(kern, m, Fate.HELD)
    settle(kern, m, Fate.HELD)
    assert kern.fates[Fate.HELD] == 1
    settle(kern, m, Fate.FORWARDED)
    assert kern.fates[Fate.HELD] == 0
    assert kern.created == sum(kern.fates.values()) == 1


def test_covered_packets_share_the_fate_and_its_reason(kern: Kernel) -> None:
    whole, part = m_get(kern, b"a"), m_get(kern, b"b")
    settle(kern, part, Fate.HELD)
    whole.covers = [part]
    drop(kern, whole, D.UDP6_BADSUM)
    assert part.fate is Fate.DROPPED
    assert part.reason is D.UDP6_BADSUM
    assert kern.fates == dict.fromkeys(Fate, 0) | {Fate.DROPPED: 2}


def test_the_sink_hears_of_each_fate(kern: Kernel) -> None:
    heard = []
    kern.fate_sink = lambda _k, m: heard.append((m.tag, m.fate))
    m = m_get(kern, b"x", tag=17)
    settle(kern, m, Fate.HELD)
    settle(kern, m, Fate.DELIVERED)
    assert heard == [(17, Fate.HELD), (17, Fate.DELIVERED)]


def test_a_copy_has_a_fate_of_its_own(kern: Kernel) -> None:
    m = m_get(kern, b"x")
    m.src, m.flags = b"s" * 16, 3
    c = m_copy(kern, m)
    settle(kern, m, Fate.DELIVERED)
    assert (c.data, c.src, c.flags, c.fate) == (b"x", b"s" * 16, 3, None)
    assert kern.created == 2


def test_a_drop_bumps_reason_protocol_and_interface_counters(kern: Kernel) -> None:
    ifp = Ifnet("fxp0", IFT_ETHER, ETHERMTU, 0, bytes(6))
    drop(kern, m_get(kern, b"", ifp), D.IP6_BADVERS)
    assert kern.drops == {"IP6_BADVERS": 1}
    assert kern.stats.nonzero() == {"ip6.ip6s_badvers": 1}
    assert ifp.in6_ifstat == {"ifs6_in_hdrerr": 1}


def test_every_row_of_the_drop_table_is_complete() -> None:
    assert len(REASONS) > 90
    stats = Kernel("k", KernConf(), VirtualClock(), Rng()).stats
    for name, row in REASONS.items():
        assert getattr(D, name) is row
        assert row.text and not row.text.endswith("."), name
        assert row.severity in (NORMAL, "bad", "limit", "policy")
        if row.counter:
            assert stats.of(row.counter.split(".")[0]) is not None
