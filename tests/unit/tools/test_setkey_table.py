# SPDX-License-Identifier: BSD-3-Clause
"""setkey's language against a kernel: what is accepted, what is said, what is there afterwards."""

from __future__ import annotations

import pytest

from kame_py.lab.node import Node
from tests.unit.tools.setkey_table import Case, answers, cases, key_node


@pytest.fixture(scope="module")
def node() -> Node:
    return key_node()


def test_the_table_has_lines_enough() -> None:
    assert sum(case.script.count("\n") for case in cases()) >= 200
    assert len({case.name for case in cases()}) == len(cases())


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_script_has_the_answers_of_the_table(node: Node, case: Case) -> None:
    assert answers(node, case.script) == case.answers
