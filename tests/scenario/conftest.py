# SPDX-License-Identifier: BSD-3-Clause
"""Stages for the scenarios: a host in front of a tester."""

from __future__ import annotations

import pytest

from tests.scenario.tester import Stage


@pytest.fixture
def host() -> Stage:
    """A host that accepts router advertisements, link-local address only."""
    return Stage()


@pytest.fixture
def host_g() -> Stage:
    """A host with 2001:db8:1::77/64."""
    return Stage(globals_=True)
