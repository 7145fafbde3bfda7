# SPDX-License-Identifier: BSD-3-Clause
"""Lines for people: coloured on a terminal, plain everywhere else.

No KAME counterpart. NO_COLOR and TERM=dumb are respected; rich is loaded for terminals only.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


class Screen:
    """Writes lines to one stream."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._console: Console | None = None
        if _wants_colour(self._stream):
            from rich.console import Console

            self._console = Console(file=self._stream, highlight=False, soft_wrap=True)

    def line(self, text: str = "", style: str = "") -> None:
        """One line; ``style`` is a rich style such as "bold green"."""
        if self._console is not None:
            from rich.text import Text

            self._console.print(Text(text, style=style))
        else:
            self._stream.write(f"{text}\n")


def _wants_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
