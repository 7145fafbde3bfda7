# SPDX-License-Identifier: BSD-3-Clause
"""The value a parser returns instead of raising on bad network input.

No KAME counterpart: KAME frees the mbuf and counts at each place.
"""

from __future__ import annotations

from kame_py.wire.record import record


@record
class Malformed:
    """Why input was refused; pointer is the offset of the culprit in the buffer that was parsed."""

    reason: str
    pointer: int = 0
