# SPDX-License-Identifier: BSD-3-Clause
"""What a kernel was configured with: its options and pseudo-devices, as a plain value.

KAME: the `options` and `pseudo-device` lines of a config(8) file. The text forms are read
by lab/kernconf.py; boot.py turns the value into tables and objects.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KernConf:
    """`hif` and `gif` count the pseudo-devices."""

    options: frozenset[str] = frozenset()
    hif: int = 0
    gif: int = 0

    def has(self, name: str) -> bool:
        """Tell whether `options NAME` was given."""
        return name in self.options
