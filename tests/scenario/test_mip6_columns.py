# SPDX-License-Identifier: BSD-3-Clause
"""What the columns of mip6control's tables tell about times."""

from __future__ import annotations

import pytest

from kame_py.wire.const import ND_RA_FLAG_HOME_AGENT
from tests.scenario.mnstage import CN, HA, HA_LL, HA_MAC, HOA, HOME, KERNELS, MnStage
from tests.scenario.words import echo

INFINITE = 0xFFFFFFFF


@pytest.fixture(params=KERNELS)
def mn(request: pytest.FixtureRequest) -> MnStage:
    return MnStage(kernel=KERNELS[request.param])


def row(mn: MnStage, option: str, what: str) -> dict[str, str]:
    """One row by the words of the header; ``what`` is in its first column, or its second."""
    header, *rows = (
        line.split() for line in mn.nut.run(f"mip6control {option} -ln").out.split("\n")
    )
    (found,) = [cells for cells in rows if what in cells[:2]]
    return dict(zip(header, found, strict=False))


def test_update_that_was_not_acknowledged_has_no_refresh(mn: MnStage) -> None:
    mn.arrive()
    entry = row(mn, "-b", HA)
    assert (entry["refexp"], entry["rstate"]) == ("0", "2")
    mn.acknowledge(lifetime=3600, refresh=1000)
    mn.wait(10)
    assert row(mn, "-b", HA)["refexp"] == "990"


def test_correspondent_has_no_refresh(mn: MnStage) -> None:
    mn.abroad()
    mn.tunnel(echo(CN, HOA))
    mn.wait(20)
    entry = row(mn, "-b", CN)
    assert (entry["refexp"], entry["ackexp"]) == ("0", "0")
    assert int(entry["ltexp"]) < int(entry["lifetim"])


def test_home_agent_by_hand_does_not_end(mn: MnStage) -> None:
    mn.wait(100)
    agent = row(mn, "-a", HA)
    assert (agent["lifetim"], agent["ltexp"]) == ("65535", "65535")


def test_home_agent_that_was_heard_ends_as_it_said() -> None:
    mn = MnStage(ha="")
    heard(mn, 60)
    agent = row(mn, "-a", HA_LL)
    assert (agent["lifetim"], agent["ltexp"]) == ("60", "54")


def heard(mn: MnStage, lifetime: int) -> None:
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HA, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR", lifetime=lifetime)
    mn.wait(6)


def test_home_agent_that_its_registration_keeps_has_the_lifetime_of_that() -> None:
    mn = MnStage(ha="")
    heard(mn, 20)
    mn.arrive()
    mn.acknowledge(lifetime=3600)
    mn.wait(100)
    agent, entry = row(mn, "-a", HA), row(mn, "-b", HA)
    assert int(agent["lifetim"]) >= int(agent["ltexp"]) > 3000
    assert abs(int(agent["ltexp"]) - int(entry["ltexp"])) <= 1


def test_home_prefix_by_hand_does_not_end_until_it_is_advertised(mn: MnStage) -> None:
    mn.wait(100)
    prefix = row(mn, "-h", HOME)
    assert [prefix[w] for w in ("vltime", "vlexp", "pltime", "plexp")] == [
        *("65535", "65535", "65280", "65280")
    ]
    mn.advertise(HOME, HA_LL, HA_MAC, valid=90000, preferred=80000)
    mn.wait(100)
    prefix = row(mn, "-h", HOME)
    assert [prefix[w] for w in ("vltime", "vlexp", "pltime", "plexp")] == [
        *("90000", "89900", "80000", "79900")
    ]


def test_binding_without_end_shows_its_lifetime() -> None:
    mn = MnStage()
    mn.tn.neighbours = {HA_LL: HA_MAC}
    flags = ND_RA_FLAG_HOME_AGENT
    mn.advertise(HOME, HA_LL, HA_MAC, flags=flags, valid=INFINITE, preferred=INFINITE)
    mn.wait(6)
    for seconds in (1.5, 8):
        mn.land(valid=INFINITE, preferred=INFINITE)
        mn.wait(seconds)
    mn.acknowledge(lifetime=INFINITE)
    entry = row(mn, "-b", HA)
    assert entry["lifetim"] == entry["ltexp"] == str(INFINITE)
