# SPDX-License-Identifier: BSD-3-Clause
"""The pages that are made from the scenarios and the state tables are current."""

from __future__ import annotations

import sys

from tests.support import PROJECT_ROOT, data_dir, run

TOOLS = PROJECT_ROOT / "tools"


def test_conformance_page_lists_the_markers_and_all_ids_are_in_the_checklist() -> None:
    data_dir()  # skips where the checklist is absent
    done = run(sys.executable, TOOLS / "gen_conformance.py", "--check")
    assert done.returncode == 0, done.stderr + done.stdout


def test_state_machine_page_is_made_from_the_tables() -> None:
    done = run(sys.executable, TOOLS / "gen_state_machines.py", "--check")
    assert done.returncode == 0, done.stderr
