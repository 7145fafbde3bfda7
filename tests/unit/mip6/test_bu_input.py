# SPDX-License-Identifier: BSD-3-Clause
"""Which binding updates count as protected, by the settings and by what came (draft-15 s.4.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from kame_py.kern.mbuf import M_AUTHIPDGM, M_AUTHIPHDR, m_get
from kame_py.mip6.dialect.draft15 import Draft15
from kame_py.mip6.mip6_var import mip6_state
from kame_py.netinet6.ip6_input import ip6_demux
from kame_py.wire.mip6_draft15 import WIRE
from tests.scenario.mip6words import bindings, bu
from tests.scenario.tester import GLOBAL, Stage
from tests.scenario.words import addr

HOA: Final = "2001:db8:9::10"
COA: Final = "2001:db8:5::10"
AH: Final = M_AUTHIPHDR | M_AUTHIPDGM
ESP: Final = M_AUTHIPDGM


#: A draft whose options carry no authentication data, one that does not answer old numbers.
BARE: Final = Draft15(wire=replace(WIRE, authdata_type=None))
SILENT: Final = Draft15(seqno_too_small=None)


def accepted(stage: Stage, flags: int) -> bool:
    """An update that IPsec has verified or not."""
    m = m_get(stage.kern, bu(COA, GLOBAL, HOA, flags=""), stage.ifp)
    m.src, m.dst = addr(COA), addr(GLOBAL)
    m.flags |= flags
    ip6_demux(stage.kern, m, 60, 40)
    assert stage.drops() == ({} if bindings(stage) else {"MIP6_BUNOAUTH": 1})
    return bool(bindings(stage))


@pytest.mark.parametrize(
    "use_ipsec,use_authdata,flags,good",
    [
        (1, 1, AH, True),
        (1, 0, AH, True),
        (0, 1, AH, False),
        (1, 1, ESP, False),
        (1, 1, 0, False),
        (0, 1, 0, False),
        (1, 0, 0, True),  # mip6control -S 1 -T 0 is -S 0 -T 0
        (0, 0, 0, True),
    ],
)
def test_protection(use_ipsec: int, use_authdata: int, flags: int, good: bool) -> None:
    stage = Stage(globals_=True, kernel="options MIP6")
    config = mip6_state(stage.kern).config
    config.mcfg_use_ipsec, config.mcfg_use_authdata = use_ipsec, use_authdata
    assert accepted(stage, flags) is good


@pytest.mark.parametrize("use_authdata", [0, 1])
@pytest.mark.parametrize(
    "use_ipsec,flags,good", [(1, AH, True), (1, ESP, False), (1, 0, False), (0, 0, True)]
)
def test_protection_without_authentication_data_is_ah_or_nothing(
    use_authdata: int, use_ipsec: int, flags: int, good: bool
) -> None:
    stage = Stage(globals_=True, kernel="options MIP6")
    state = mip6_state(stage.kern)
    state.dialect = BARE
    state.config.mcfg_use_ipsec, state.config.mcfg_use_authdata = use_ipsec, use_authdata
    assert accepted(stage, flags) is good


def test_old_sequence_number_ends_the_packet_where_the_draft_has_no_answer() -> None:
    stage = Stage(globals_=True, kernel="options MIP6")
    state = mip6_state(stage.kern)
    state.dialect = SILENT
    state.config.mcfg_use_authdata = 0
    stage.send(bu(COA, GLOBAL, HOA, seq=5, flags=""))
    stage.send(bu("2001:db8:6::10", GLOBAL, HOA, seq=5))
    stage.nothing()
    assert bindings(stage) == {HOA: COA}
    assert stage.drops()["MIP6_BUSEQNO"] == 1
