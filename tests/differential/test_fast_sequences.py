# SPDX-License-Identifier: BSD-3-Clause
"""Sequences of packets and commands that nobody thought of: fast is what slow is.

Routes, bindings, associations, policies, addresses, links and settings change in the middle of the
capture, by packets, by time and by commands. HYPOTHESIS_PROFILE=explore looks for new ones.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.differential.home import capture, compared
from tests.differential.steps import NODES, STEPS, Step, played

pytest.importorskip("numpy")


@pytest.mark.parametrize("name", NODES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, registered=st.booleans())
def test_any_story_of_packets_and_commands(name: str, steps: list[Step], registered: bool) -> None:
    frames, commands = played(steps, registered)
    note(f"{len(frames)} frames, commands {commands}")
    compared(capture(frames), NODES[name], commands)
