# SPDX-License-Identifier: BSD-3-Clause
"""Duration text of ndp and rtsold."""

import pytest

from kame_py.lib.duration import format_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (45, "45s"),
        (59, "59s"),
        (60, "1m0s"),
        (90, "1m30s"),
        (3599, "59m59s"),
        (3600, "1h0m0s"),
        (86399, "23h59m59s"),
        (86400, "1d0h0m0s"),
        (90061, "1d1h1m1s"),
        (2591832, "29d23h57m12s"),
        (-90, "-1m30s"),
    ],
)
def test_leading_zero_units_are_dropped_and_later_ones_kept(seconds: int, text: str) -> None:
    assert format_duration(seconds) == text
