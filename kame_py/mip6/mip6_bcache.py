# SPDX-License-Identifier: BSD-3-Clause
"""The binding cache as columns: a binding is a row number, its members are elements of arrays.

Holds what struct mip6_bc and the lists mip6_bc_list of KAME mip6_binding.c hold. Deviates: no
object for each entry; one hash table for the bindings of correspondents and home registrations;
instead of a timer for each, a column of the seconds at which something happens to the rows, with
the least of each block of rows beside it. What happens then is mip6_bc.py's. Read that first.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from kame_py.mip6.mip6_mpa_state import MpaSt
from kame_py.mip6.mip6_state import BcSt, HrSt

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.mip6.mip6_var import BuRequest, HaPrefix, PrefixKey
    from kame_py.net.if_ import Ifnet
    from kame_py.net.route import Rtentry
    from kame_py.netinet6.in6_var import In6Ifaddr

ADDR_LEN: Final = 16
ADDR_SHIFT: Final = 4  # a row's address begins at row << ADDR_SHIFT
CACHE: Final = 0  # row that begins and ends the list of correspondents' bindings, and ...
HOME: Final = 1  # ... the one of home registrations; no binding has these numbers
ROWS_MIN: Final = 16
ROWS_MORE: Final = 8  # the columns grow by one in so many
SLOTS_MIN: Final = 32  # of the hash table; it grows when two in three are taken
BLOCK_SHIFT: Final = 8
BLOCK: Final = 1 << BLOCK_SHIFT
NEVER: Final = 0xFFFFFFFF  # s
MPAS_TRIED: Final = 8  # shared states of prefix delivery that are compared with a new one
HASH_MASK: Final = 0xFFFFFFFF
UNMADE: Final = 1  # in ``proxied``: this node is its proxy, the route is not made yet; ...
MADE: Final = 2  # ... it is in ``proxies``

Seconds: TypeAlias = "array[int]"
#: (seconds of the rows, the least of each block or less, now): rows that are due, in order, and a
#: second before which none of the others is.
Sweep: TypeAlias = Callable[[Seconds, Seconds, int], tuple[list[int], int]]

BC_STATES: Final = tuple(BcSt)
BC_CODE: Final = {st: code for code, st in enumerate(BC_STATES)}
HR_STATES: Final = tuple(HrSt)
HR_CODE: Final = {st: code for code, st in enumerate(HR_STATES)}


@dataclass(slots=True, eq=False)
class Mpa:
    """What a registered mobile node was told of the prefixes at home (draft-15 s.9.8).

    Registrations to which nothing happens share one.
    """

    mpa_st: MpaSt = MpaSt.IDLE
    mpa_timer: Callout | None = None
    mpa_deadline: int = 0  # ns, of the timer
    mpa_tries: int = 0  # retransmissions so far
    mpa_id: int | None = None  # unique identifier that must come back
    mpa_first: bool = True  # nothing was told and answered yet
    mpa_told: dict[PrefixKey, HaPrefix] | None = None  # what it knows or was sent
    mpa_seen: dict[PrefixKey, HaPrefix] = field(default_factory=dict)  # the last change noticed


@dataclass(slots=True, eq=False)
class Awaited:
    """The update that the acknowledgement after duplicate detection answers, and what is tested."""

    req: BuRequest
    dad: In6Ifaddr  # pseudo address


def sweep(due: Seconds, low: Seconds, now_s: int) -> tuple[list[int], int]:
    """Sweep, in Python: only blocks in which a row may be due are looked at."""
    rows: list[int] = []
    for block, least in enumerate(low):
        if least > now_s:
            continue
        first, later = block << BLOCK_SHIFT, NEVER
        for row, second in enumerate(due[first : first + BLOCK], first):
            if second <= now_s:
                rows.append(row)
            elif second < later:
                later = second
        low[block] = later
    return rows, min(low)


class Bcache:
    """The bindings of one kernel.

    Columns by row: hoa and coa 16 octets each, kernel form; own the number of the own address that
    the update was sent to; lifetime s; expire ns; due s, NEVER while nothing waits; proxied
    whether this node is the proxy of the home address; reg the number
    of the home registration, 0 for a correspondent's; mate the next row of the same registration.
    before, after: the row's neighbours in its list, least recently used first, of home
    registrations the oldest. Columns hr_* by the number of a registration.
    """

    __slots__ = (
        "_free",
        "_free_hr",
        "_free_mpa",
        "_mask",
        "_own_of",
        "_slots",
        "_users",
        "advertised",
        "after",
        "awaited",
        "before",
        "coa",
        "correspondents",
        "due",
        "expire",
        "flags",
        "hash",
        "hoa",
        "homes",
        "hr_first",
        "hr_ifp",
        "hr_main",
        "hr_mpa",
        "hr_st",
        "lifetime",
        "low",
        "mate",
        "mpas",
        "next_s",
        "own",
        "owns",
        "prefixlen",
        "proxied",
        "proxies",
        "reg",
        "seqno",
        "shared",
        "st",
        "sweep",
        "timer",
        "unmade",
        "unreach",
    )

    def __init__(self) -> None:
        self.hoa, self.coa = bytearray(), bytearray()
        self.flags, self.prefixlen, self.st = bytearray(), bytearray(), bytearray()
        self.proxied = bytearray()
        self.seqno = array("H")
        self.own, self.reg, self.mate = array("I"), array("I"), array("I")
        self.lifetime, self.expire = array("I"), array("q")
        self.before, self.after = array("I"), array("I")
        self.hash = array("I")
        self.due, self.low = array("I"), array("I")
        self.owns: list[bytes] = []
        self._own_of: dict[bytes, int] = {}
        self._free = 0
        self._more(ROWS_MIN)
        self._free = self.after[HOME]  # the two list heads are taken
        for head in (CACHE, HOME):
            self.before[head] = self.after[head] = head
        self._slots = array("I", bytes(SLOTS_MIN * array("I").itemsize))
        self._mask = SLOTS_MIN - 1
        self.correspondents = self.homes = 0
        self.next_s = NEVER
        self.timer: Callout | None = None
        self.sweep: Sweep = sweep
        self.unreach: dict[int, tuple[int, int]] = {}  # by row: ICMP errors in a row, the last, ns
        self.proxies: dict[int, Rtentry] = {}  # by row: routes of a proxy that are made
        self.unmade = 0  # routes of a proxy that are not
        self.advertised: dict[int, Callout] = {}  # by row: the proxy's next advertisement
        self.hr_st = bytearray(1)
        self.hr_first, self.hr_main = array("I", [0]), array("I", [0])
        self.hr_mpa = array("I", [0])
        self.hr_ifp: list[Ifnet | None] = [None]
        self._free_hr: list[int] = []
        self.awaited: dict[int, Awaited] = {}
        self.mpas: dict[int, Mpa] = {}
        self.shared = [Mpa()]
        self._users = [1]  # the first one is for those that are not served yet
        self._free_mpa: list[int] = []

    # -- finding ------------------------------------------------------------------------------

    def find(self, addr: bytes, hoa: bytes) -> int:
        """A correspondent's binding by own address and home address; 0 none."""
        own = self._own_of.get(addr)
        if own is None:
            return 0
        slots, hashes, mask = self._slots, self.hash, self._mask
        code = hash(hoa) & HASH_MASK
        at = code & mask
        while row := slots[at]:
            if hashes[row] == code and not self.reg[row] and self.own[row] == own:
                first = row << ADDR_SHIFT
                if self.hoa[first : first + ADDR_LEN] == hoa:
                    return row
            at = (at + 1) & mask
        return 0

    def find_home(self, hoa: bytes) -> int:
        """A home registration by home address; 0 none."""
        slots, hashes, mask = self._slots, self.hash, self._mask
        code = hash(hoa) & HASH_MASK
        at = code & mask
        while row := slots[at]:
            if hashes[row] == code and self.reg[row]:
                first = row << ADDR_SHIFT
                if self.hoa[first : first + ADDR_LEN] == hoa:
                    return row
            at = (at + 1) & mask
        return 0

    def rows(self, head: int) -> Iterator[int]:
        """Rows of a list, CACHE or HOME; the one that it is at may go meanwhile."""
        after = self.after
        row = after[head]
        while row != head:
            following = after[row]
            yield row
            row = following

    def homes_by(self, column: bytearray, octets: bytes, skip: int = 0) -> Iterator[int]:
        """Home registrations in whose address of ``column`` these octets stand at ``skip``."""
        at = column.find(octets)
        while at >= 0:
            row, where = at >> ADDR_SHIFT, at % ADDR_LEN
            if where == skip and self.reg[row]:
                yield row
            at = column.find(octets, at + 1)

    def get_hoa(self, row: int) -> bytes:
        """The home address, kernel form."""
        first = row << ADDR_SHIFT
        return bytes(self.hoa[first : first + ADDR_LEN])

    def get_coa(self, row: int) -> bytes:
        """The care-of address, kernel form."""
        first = row << ADDR_SHIFT
        return bytes(self.coa[first : first + ADDR_LEN])

    def get_addr(self, row: int) -> bytes:
        """The own address that the update was sent to."""
        return self.owns[self.own[row]]

    # -- rows ---------------------------------------------------------------------------------

    def new(self, addr: bytes, hoa: bytes, reg: int = 0) -> int:
        """A row that is in no list yet; its state is BcSt.NONE."""
        row = self._free
        if not row:
            self._more(max(ROWS_MIN, len(self.st) // ROWS_MORE))
            row = self._free
        self._free = self.after[row]
        first = row << ADDR_SHIFT
        self.hoa[first : first + ADDR_LEN] = hoa
        self.hash[row] = hash(hoa) & HASH_MASK
        self.own[row] = self.number(addr)
        self.reg[row] = reg
        self.mate[row] = 0
        return row

    def number(self, addr: bytes) -> int:
        """The number of an own address."""
        own = self._own_of.get(addr)
        if own is None:
            own = self._own_of[addr] = len(self.owns)
            self.owns.append(addr)
        return own

    def link(self, row: int) -> None:
        """The row is found from now on, and last in its list."""
        if self.reg[row]:
            self.homes += 1
        else:
            self.correspondents += 1
        taken = self.homes + self.correspondents
        if 3 * taken > 2 * len(self._slots):
            self._rehash()
        self._put(row)
        self._append(HOME if self.reg[row] else CACHE, row)

    def unlink(self, row: int) -> None:
        """The row is free; of its columns only the state and what waits are reset."""
        self._take(row)
        before, after = self.before[row], self.after[row]
        self.after[before], self.before[after] = after, before
        if self.reg[row]:
            self.homes -= 1
        else:
            self.correspondents -= 1
        self.st[row] = 0
        self.due[row] = NEVER
        self.reg[row] = 0
        self.unreach.pop(row, None)
        self.after[row] = self._free
        self._free = row

    def touch(self, row: int) -> None:
        """It is the most recently used one now."""
        before, after = self.before[row], self.after[row]
        if after == CACHE:
            return
        self.after[before], self.before[after] = after, before
        self._append(CACHE, row)

    def _append(self, head: int, row: int) -> None:
        last = self.before[head]
        self.after[last] = self.before[head] = row
        self.before[row], self.after[row] = last, head

    def wait(self, row: int, second: int) -> bool:
        """Something happens to it in that second; True: sooner than to any other."""
        self.due[row] = second
        block = row >> BLOCK_SHIFT
        if second < self.low[block]:
            self.low[block] = second
        return second < self.next_s

    def _more(self, count: int) -> None:
        """More rows, which are free."""
        first = len(self.st)
        for octets in (self.hoa, self.coa):
            octets.extend(bytes(count << ADDR_SHIFT))
        for octets in (self.flags, self.prefixlen, self.st, self.proxied):
            octets.extend(bytes(count))
        for column in (
            self.seqno, self.own, self.reg, self.mate, self.lifetime, self.expire, self.before,
            self.after, self.hash,
        ):  # fmt: skip
            column.frombytes(bytes(count * column.itemsize))
        self.due.extend(array("I", [NEVER]) * count)
        blocks = -(-(first + count) // BLOCK)
        self.low.extend(array("I", [NEVER]) * (blocks - len(self.low)))
        for row in range(first, first + count - 1):
            self.after[row] = row + 1
        self.after[first + count - 1] = self._free
        self._free = first

    # -- the hash table -----------------------------------------------------------------------

    def _put(self, row: int) -> None:
        slots, mask = self._slots, self._mask
        at = self.hash[row] & mask
        while slots[at]:
            at = (at + 1) & mask
        slots[at] = row

    def _take(self, row: int) -> None:
        """Out of the table; what stood behind it because of it moves up."""
        slots, hashes, mask = self._slots, self.hash, self._mask
        at = hashes[row] & mask
        while slots[at] != row:
            at = (at + 1) & mask
        hole = at
        while True:
            at = (at + 1) & mask
            other = slots[at]
            if not other:
                break
            if (at - hashes[other]) & mask >= (at - hole) & mask:
                slots[hole] = other
                hole = at
        slots[hole] = 0

    def _rehash(self) -> None:
        """Twice as many slots."""
        old = self._slots
        size = 2 * len(old)
        self._slots = slots = array("I", bytes(size * old.itemsize))
        self._mask = mask = size - 1
        hashes = self.hash
        for row in old:
            if row:
                at = hashes[row] & mask
                while slots[at]:
                    at = (at + 1) & mask
                slots[at] = row

    # -- home registrations -------------------------------------------------------------------

    def new_hr(self, ifp: Ifnet) -> int:
        """The number of a registration without entries yet."""
        if self._free_hr:
            reg = self._free_hr.pop()
            self.hr_ifp[reg] = ifp
            return reg
        self.hr_ifp.append(ifp)
        self.hr_st.append(0)
        for column in (self.hr_first, self.hr_main, self.hr_mpa):
            column.append(0)
        return len(self.hr_ifp) - 1

    def free_hr(self, reg: int) -> None:
        """It is over, and has no entries any more."""
        self._unshare(reg)
        self.hr_ifp[reg] = None
        self.hr_st[reg] = self.hr_first[reg] = self.hr_main[reg] = 0
        self.mpas.pop(reg, None)
        self.awaited.pop(reg, None)
        self._free_hr.append(reg)

    def hr_rows(self, reg: int) -> list[int]:
        """Its entries in the order in which they came."""
        found, row = [], self.hr_first[reg]
        while row:
            found.append(row)
            row = self.mate[row]
        return found

    def join(self, reg: int, row: int) -> None:
        """The entry belongs to the registration now."""
        rows = self.hr_rows(reg)
        if rows:
            self.mate[rows[-1]] = row
        else:
            self.hr_first[reg] = row

    def leave(self, row: int) -> None:
        """The entry does not belong to its registration any more."""
        reg, following = self.reg[row], self.mate[row]
        rows = self.hr_rows(reg)
        at = rows.index(row)
        if at:
            self.mate[rows[at - 1]] = following
        else:
            self.hr_first[reg] = following
        if self.hr_main[reg] == row:
            self.hr_main[reg] = 0

    # -- what registrations were told ---------------------------------------------------------

    def mpa(self, reg: int) -> Mpa:
        """To look at."""
        return self.mpas.get(reg) or self.shared[self.hr_mpa[reg]]

    def own_mpa(self, reg: int) -> Mpa:
        """To change."""
        mpa = self.mpas.get(reg)
        if mpa is None:
            mpa = self.mpas[reg] = replace(self.shared[self.hr_mpa[reg]])
            self._unshare(reg)
        return mpa

    def share(self, reg: int) -> None:
        """Nothing happens to it for a while: it needs none of its own, if it has one."""
        mpa = self.mpas.get(reg)
        if mpa is None or mpa.mpa_timer is not None or mpa.mpa_id is not None:
            return
        if mpa.mpa_st is not MpaSt.IDLE:
            return
        del self.mpas[reg]
        number = self._same(mpa)
        self._users[number] += 1
        self.hr_mpa[reg] = number

    def _same(self, mpa: Mpa) -> int:
        """The newest with the same knowledge, else this one."""
        known = mpa.mpa_first, mpa.mpa_told, mpa.mpa_seen
        for number in range(len(self.shared) - 1, max(len(self.shared) - 1 - MPAS_TRIED, 0), -1):
            other = self.shared[number]
            if (other.mpa_first, other.mpa_told, other.mpa_seen) == known:
                return number
        mpa.mpa_tries = 0
        if self._free_mpa:
            number = self._free_mpa.pop()
            self.shared[number] = mpa
            return number
        self.shared.append(mpa)
        self._users.append(0)
        return len(self.shared) - 1

    def _unshare(self, reg: int) -> None:
        number = self.hr_mpa[reg]
        if number:
            self.hr_mpa[reg] = 0
            self._users[number] -= 1
            if not self._users[number]:
                self.shared[number] = self.shared[0]
                self._free_mpa.append(number)
