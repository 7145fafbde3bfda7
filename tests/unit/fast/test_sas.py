# SPDX-License-Identifier: BSD-3-Clause
"""The table of associations: all of them, found by what packets say, made again when it is old."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")

from kame_py.boot import boot  # noqa: E402  # behind the skip
from kame_py.fast import kernels  # noqa: E402
from kame_py.fast.batch import SLACK, Batch  # noqa: E402
from kame_py.fast.hmac_mb import Alg, many_states, states  # noqa: E402
from kame_py.fast.sas import (  # noqa: E402
    GOOD,
    KINDS,
    MISSES,
    NO_KIND,
    S_ICVLEN,
    S_KIND,
    S_SPI,
    Associations,
    Checker,
    SaTable,
)
from kame_py.kern.clock import VirtualClock  # noqa: E402
from kame_py.kern.conf import KernConf  # noqa: E402
from kame_py.kern.kernel import Kernel  # noqa: E402
from kame_py.netkey.algorithms import HmacKey  # noqa: E402
from kame_py.netkey.key_sad import key_insertsav, key_sa_chgstate  # noqa: E402
from kame_py.netkey.key_sastate import SaEv  # noqa: E402
from kame_py.netkey.key_saval import key_mature  # noqa: E402
from kame_py.netkey.keydb import Secasindex, Secasvar, Seclifetime, Secreplay  # noqa: E402
from kame_py.wire import pfkeyv2 as k  # noqa: E402
from kame_py.wire.const import IPPROTO_AH  # noqa: E402
from kame_py.wire.in6addr import pton  # noqa: E402

HERE = pton("2001:db8::1") or b""
AUTH = (
    (k.SADB_AALG_SHA1HMAC, 20),
    (k.SADB_AALG_MD5HMAC, 16),
    (k.SADB_X_AALG_SHA2_256, 32),
    (k.SADB_X_AALG_MD5, 16),
)


def there(i: int) -> bytes:
    return HERE[:-2] + bytes((i >> 8, i & 0xFF))


def added(kern: Kernel, i: int, spi: int) -> Secasvar:
    """An association of peer ``i``, with one of four algorithms."""
    number, size = AUTH[i % len(AUTH)]
    sav = Secasvar(
        Secasindex(IPPROTO_AH, k.IPSEC_MODE_TRANSPORT, 0, there(i), HERE),
        spi,
        alg_auth=number,
        key_auth=bytes((i + n) & 0xFF for n in range(size)),
        replay=Secreplay(wsize=0),
        lft_h=Seclifetime(),
    )
    key_mature(kern, sav)
    key_insertsav(kern, sav)
    key_sa_chgstate(kern, SaEv.COMPLETE, sav)
    return sav


@pytest.fixture
def kern() -> Kernel:
    return boot("node", KernConf(frozenset({"IPSEC", "IPSEC_ESP"})), VirtualClock())


def test_rows_say_what_the_associations_are(kern: Kernel) -> None:
    savs = [added(kern, i, 7000 - i) for i in range(1, 60)]
    table = SaTable(kern)
    assert sorted(table.savs, key=id) == sorted(savs, key=id)
    for sav in savs:
        row = table.row_of[sav]
        kind = table.rows[row, S_KIND]
        assert table.rows[row, S_SPI] == sav.spi
        if sav.alg_auth == k.SADB_X_AALG_MD5:
            assert (kind, table.rows[row, S_ICVLEN]) == (NO_KIND, 0)
            continue
        alg, icvlen = KINDS[kind]
        assert table.rows[row, S_ICVLEN] == icvlen
        assert table.states[row].tolist() == states(alg, sav.key_auth).tolist()


@pytest.mark.parametrize("alg", list(Alg))
def test_many_keys_give_what_each_gives_alone(alg: Alg) -> None:
    keys = [bytes((7 * n + i) & 0xFF for i in range(n)) for n in (1, 16, 20, 63, 64, 65, 200)]
    rows = many_states(alg, keys)
    assert [row.tolist() for row in rows] == [states(alg, key).tolist() for key in keys]


def test_a_table_is_made_again_when_much_is_missing(kern: Kernel) -> None:
    added(kern, 0, 500)
    associations = Associations(kern)
    table = associations.table()
    for _ in range(MISSES + 1):
        associations.miss()
    assert associations.table() is table  # nothing changed
    added(kern, 1, 501)
    assert len(associations.table().savs) == 2
    added(kern, 2, 502)
    for _ in range(MISSES):
        associations.miss()
    assert len(associations.table().savs) == 2
    associations.miss()
    assert len(associations.table().savs) == 3


def test_a_code_that_was_computed_is_handed_on(kern: Kernel) -> None:
    sav = added(kern, 0, 500)
    checker = Checker(SaTable(kern))
    mac = sav.mackey
    assert isinstance(mac, HmacKey)
    text = b"octets under a code"
    code = mac.mac(text)
    w, verdicts = checker.work, np.zeros(1, np.uint8)
    w.room[: len(text)] = np.frombuffer(text, np.uint8)
    arena = np.frombuffer(code + bytes(SLACK), np.uint8)
    w.at[0], w.size[0], w.sa[0], w.kind[0], w.icv[0], w.who[0] = 0, len(text), 0, 1, 0, 0
    checker.judge(arena, 1, verdicts)
    assert verdicts[0] == GOOD
    checker.tell(0)
    assert mac.known == (text, code)
    mac.known = (text, b"told before ")
    assert mac.mac(text) == mac.mac(b"octets ", b"under a code") == b"told before "
    mac.known = (text[:-1], b"told before ")
    assert mac.mac(text) == code


@pytest.mark.parametrize("size", [20, 128, 129, 300])
def test_a_code_over_octets_that_were_changed_is_handed_on(kern: Kernel, size: int) -> None:
    sav, front = added(kern, 0, 500), 128
    checker = Checker(SaTable(kern), front)
    mac = sav.mackey
    assert isinstance(mac, HmacKey)
    text = bytes(n & 0xFF for n in range(size))
    code = mac.mac(text)
    w, verdicts = checker.work, np.zeros(1, np.uint8)
    w.heads[0, : min(size, front)] = np.frombuffer(text[:front], np.uint8)
    packet = bytes(min(size, front)) + text[front:]
    arena = np.frombuffer(code + packet + bytes(SLACK), np.uint8)
    w.at[0], w.size[0], w.sa[0], w.kind[0], w.icv[0], w.who[0] = len(code), size, 0, 1, 0, 0
    checker.judge(arena, 1, verdicts)
    assert verdicts[0] == GOOD
    checker.tell(0)
    assert mac.known == (text, code)


def test_sources_are_told_apart_whatever_their_numbers(kern: Kernel) -> None:
    savs = [added(kern, i, 500 + i % 3) for i in range(300)]
    table = SaTable(kern)
    found = [found_for(table, sav) for sav in savs]
    assert found == [table.row_of[sav] for sav in savs]


def found_for(table: SaTable, sav: Secasvar) -> int:
    """The row that a packet of the association finds."""
    from kame_py.fast import ah_layout as al
    from kame_py.netkey.ah_core import ah_build
    from tests.scenario.words import ip6

    icvlen = sav.mackey.icvlen if sav.mackey is not None else 0
    head = ip6("::1", "::1", ah_build(59, sav.spi, 1, icvlen), IPPROTO_AH)
    packet = head[:8] + sav.saidx.src + sav.saidx.dst + head[40:]
    batch = Batch.empty()
    batch.arena = np.frombuffer(packet + bytes(SLACK), np.uint8)
    batch.n, batch.caplen[0] = 1, len(packet)
    checker = Checker(table, al.FRONT)  # its arrays are in use as long as it is
    packets, where = np.zeros((1, al.K_SIZE), np.int64), np.zeros(1, np.int64)
    made = kernels.find_ah(
        *(batch.arena, batch.off, batch.caplen, 0, 1, np.zeros(32, np.int64)),
        *(checker.lists, packets, where),
    )
    return int(packets[0, al.K_SA]) if made else table.row_of[sav]
