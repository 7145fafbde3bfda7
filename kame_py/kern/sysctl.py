# SPDX-License-Identifier: BSD-3-Clause
"""The sysctl tree: one registry with type, range, unit and description of every variable.

Modules register their leaves at boot with a getter and, where it can be written, a setter. Values
are ints, strings, or snapshots: tuples of the frozen rows of ``wire/snap.py`` that stand in for the
C structures KAME's tools read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kame_py.wire.errno import EINVAL, ENOENT, EPERM, KError
from kame_py.wire.snap import SysctlValue


@dataclass(frozen=True, slots=True)
class SysctlOid:
    """One leaf. set is None when it is read-only; lo..hi bound what may be written."""

    name: str
    get: Callable[[], SysctlValue]
    set: Callable[[int], None] | None
    lo: int
    hi: int
    unit: str
    text: str
    opaque: bool  # a table: left out of ``sysctl -a``


class SysctlTree:
    """All leaves of one kernel, by full name."""

    __slots__ = ("_oids",)

    def __init__(self) -> None:
        self._oids: dict[str, SysctlOid] = {}

    def register(
        self,
        name: str,
        get: Callable[[], SysctlValue],
        set: Callable[[int], None] | None = None,
        *,
        lo: int = 0,
        hi: int = 0x7FFFFFFF,
        unit: str = "",
        text: str = "",
        opaque: bool = False,
    ) -> None:
        """Add a leaf; a second one of the same name is a bug and raises ValueError."""
        if name in self._oids:
            raise ValueError(f"sysctl {name} registered twice")
        self._oids[name] = SysctlOid(name, get, set, lo, hi, unit, text, opaque)

    def register_attr(
        self,
        name: str,
        obj: object,
        attr: str,
        *,
        lo: int = 0,
        hi: int = 0x7FFFFFFF,
        unit: str = "",
        text: str = "",
        readonly: bool = False,
    ) -> None:
        """Add a leaf that reads and writes the int attribute ``attr`` of ``obj``."""

        def get() -> SysctlValue:
            return int(getattr(obj, attr))

        def put(value: int) -> None:
            setattr(obj, attr, value)

        self.register(name, get, None if readonly else put, lo=lo, hi=hi, unit=unit, text=text)

    def names(self) -> list[str]:
        """All names in order."""
        return sorted(self._oids)

    def oid(self, name: str) -> SysctlOid:
        """The leaf; KError(ENOENT) when there is none."""
        oid = self._oids.get(name)
        if oid is None:
            raise KError(ENOENT)
        return oid

    def read(self, name: str) -> SysctlValue:
        """The value; KError(ENOENT) for an unknown name."""
        return self.oid(name).get()

    def write(self, name: str, value: int) -> SysctlValue:
        """Set an int leaf and return the old value.

        KError: ENOENT unknown, EPERM read-only, EINVAL out of range.
        """
        oid = self.oid(name)
        if oid.set is None:
            raise KError(EPERM)
        if not oid.lo <= value <= oid.hi:
            raise KError(EINVAL)
        old = oid.get()
        oid.set(value)
        return old
