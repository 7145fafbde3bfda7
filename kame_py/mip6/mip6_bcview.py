# SPDX-License-Identifier: BSD-3-Clause
"""Entries of the binding cache and home registrations as objects with KAME's member names.

struct mip6_bc of KAME mip6_var.h. Deviates: they are views of the columns of mip6_bcache.py, made
when somebody asks; none outlives its entry. The lists are mappings, in the order of the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, ValuesView
from typing import TYPE_CHECKING

from kame_py.mip6.mip6_bcache import BC_STATES, CACHE, HOME, HR_STATES

if TYPE_CHECKING:
    from kame_py.mip6.mip6_bcache import Bcache, Mpa
    from kame_py.mip6.mip6_state import BcSt, HrSt
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.in6_var import In6Ifaddr


class Mip6Bc:
    """One entry of the binding cache. mbc_hr: the home registration that it belongs to."""

    __slots__ = ("cache", "row")

    def __init__(self, cache: Bcache, row: int) -> None:
        self.cache = cache
        self.row = row

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mip6Bc) and (self.row, self.cache) == (other.row, other.cache)

    def __hash__(self) -> int:
        return self.row

    @property
    def mbc_phaddr(self) -> bytes:
        """The peer's home address, kernel form."""
        return self.cache.get_hoa(self.row)

    @property
    def mbc_pcoa(self) -> bytes:
        return self.cache.get_coa(self.row)

    @property
    def mbc_addr(self) -> bytes:
        """The own address that the update was sent to."""
        return self.cache.get_addr(self.row)

    @property
    def mbc_flags(self) -> int:
        return self.cache.flags[self.row]

    @property
    def mbc_seqno(self) -> int:
        return self.cache.seqno[self.row]

    @property
    def mbc_prefixlen(self) -> int:
        return self.cache.prefixlen[self.row]

    @property
    def mbc_lifetime(self) -> int:
        """Seconds, as granted."""
        return self.cache.lifetime[self.row]

    @property
    def mbc_expire(self) -> int:
        """ns."""
        return self.cache.expire[self.row]

    @property
    def mbc_st(self) -> BcSt:
        return BC_STATES[self.cache.st[self.row]]

    @property
    def mbc_hr(self) -> Mip6Hr | None:
        reg = self.cache.reg[self.row]
        return Mip6Hr(self.cache, reg) if reg else None

    @property
    def mbc_proxy(self) -> Ifnet | None:
        """The link on which this node is its proxy."""
        hr = self.mbc_hr
        return hr.hr_ifp if hr is not None and self.cache.proxied[self.row] else None


class Mip6Hr:
    """A home registration: the entries that one update made, served together."""

    __slots__ = ("cache", "reg")

    def __init__(self, cache: Bcache, reg: int) -> None:
        self.cache = cache
        self.reg = reg

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mip6Hr) and (self.reg, self.cache) == (other.reg, other.cache)

    def __hash__(self) -> int:
        return self.reg

    @property
    def hr_ifp(self) -> Ifnet:
        """The home link."""
        ifp = self.cache.hr_ifp[self.reg]
        if ifp is None:
            raise TypeError("the registration is over")
        return ifp

    @property
    def hr_st(self) -> HrSt:
        return HR_STATES[self.cache.hr_st[self.reg]]

    @property
    def hr_main(self) -> int:
        """The row of the address that the last update was about, or of another one."""
        return self.cache.hr_main[self.reg] or self.cache.hr_first[self.reg]

    @property
    def hr_hoa(self) -> bytes:
        """The home address that the last update was about."""
        return self.cache.get_hoa(self.hr_main)

    @property
    def hr_coa(self) -> bytes:
        return self.cache.get_coa(self.hr_main)

    @property
    def hr_addr(self) -> bytes:
        """The own address that the last update was sent to."""
        return self.cache.get_addr(self.hr_main)

    @property
    def hr_bcs(self) -> list[Mip6Bc]:
        return [Mip6Bc(self.cache, row) for row in self.cache.hr_rows(self.reg)]

    @property
    def hr_dad(self) -> In6Ifaddr | None:
        """The pseudo address under duplicate detection."""
        awaited = self.cache.awaited.get(self.reg)
        return None if awaited is None else awaited.dad

    @property
    def hr_mpa(self) -> Mpa:
        """To look at."""
        return self.cache.mpa(self.reg)


class Entries(ValuesView[Mip6Bc]):
    """The entries of a list in order; it must not change meanwhile."""

    __slots__ = ("_cache", "_head")

    def __init__(self, of: Mapping[bytes, Mip6Bc] | BcList, cache: Bcache, head: int) -> None:
        super().__init__(of)
        self._cache = cache
        self._head = head

    def __iter__(self) -> Iterator[Mip6Bc]:
        return (Mip6Bc(self._cache, row) for row in self._cache.rows(self._head))


class BcList(Mapping[tuple[bytes, bytes], Mip6Bc]):
    """Bindings of correspondents by (own address, home address), least recently used first."""

    __slots__ = ("_cache",)

    def __init__(self, cache: Bcache) -> None:
        self._cache = cache

    def __len__(self) -> int:
        return self._cache.correspondents

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and self._cache.find(*key) != 0

    def __getitem__(self, key: tuple[bytes, bytes]) -> Mip6Bc:
        row = self._cache.find(*key)
        if not row:
            raise KeyError(key)
        return Mip6Bc(self._cache, row)

    def values(self) -> Entries:
        return Entries(self, self._cache, CACHE)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        cache = self._cache
        return ((cache.get_addr(row), cache.get_hoa(row)) for row in cache.rows(CACHE))


class HrbcList(Mapping[bytes, Mip6Bc]):
    """Home registrations by home address, the oldest first."""

    __slots__ = ("_cache",)

    def __init__(self, cache: Bcache) -> None:
        self._cache = cache

    def __len__(self) -> int:
        return self._cache.homes

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self._cache.find_home(key) != 0

    def __getitem__(self, key: bytes) -> Mip6Bc:
        row = self._cache.find_home(key)
        if not row:
            raise KeyError(key)
        return Mip6Bc(self._cache, row)

    def get(self, key: bytes, default: object = None) -> Mip6Bc | None:  # type: ignore[override]  # no default but None; packets ask
        row = self._cache.find_home(key)
        return Mip6Bc(self._cache, row) if row else None

    def values(self) -> Entries:
        return Entries(self, self._cache, HOME)

    def __iter__(self) -> Iterator[bytes]:
        return map(self._cache.get_hoa, self._cache.rows(HOME))
