# SPDX-License-Identifier: BSD-3-Clause
"""The multicast memberships of one interface, of which a home agent has one for each mobile node.

KAME in6.c kept a list of struct in6_multi. Deviates: a solicited-node group that nothing is going
on with is one octet: how often it was joined, and whether we reported it last. It is an In6Multi
again as soon as somebody asks for it, and until its timers are over. RFC 4291 s.2.7.1, RFC 2710.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import TYPE_CHECKING, Final, cast

from kame_py.netinet6.in6_var import In6Multi
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.in6addr import SOLICITED_LEN, solicited_node

if TYPE_CHECKING:
    from kame_py.net.if_ import Ifnet

_PAGE_LEN: Final = SOLICITED_LEN + 2  # octets that groups of one page share
_PAGE: Final = 256
_STATE: Final = 1  # bit of in6m_state; the count is above it
_COUNT_SHIFT: Final = 1
_COUNT_MAX: Final = 127


class In6Multis(dict[bytes, In6Multi]):
    """By group, kernel form. ``items`` shows quiet groups, everything else makes an entry of them.

    The dictionary itself has those that are no octet.
    """

    __slots__ = ("_head", "_ifp", "_pages", "_quiet")

    def __init__(self, ifp: Ifnet) -> None:
        super().__init__()
        self._ifp = ifp
        self._head = in6_embedscope(solicited_node(bytes(16)), ifp.if_index)[:SOLICITED_LEN]
        self._pages: dict[bytes, bytearray] = {}
        self._quiet = 0

    def rest(self, inm: In6Multi) -> None:
        """Nothing is going on with this one."""
        addr = inm.in6m_addr
        if not addr.startswith(self._head) or inm.in6m_timer is not None:
            return
        if not 0 < inm.in6m_refcount <= _COUNT_MAX or super().get(addr) is not inm:
            return
        page = self._pages.setdefault(addr[:_PAGE_LEN], bytearray(_PAGE))
        page[addr[_PAGE_LEN]] = inm.in6m_refcount << _COUNT_SHIFT | inm.in6m_state
        super().__delitem__(addr)
        self._quiet += 1

    def _octet(self, addr: bytes) -> int:
        page = self._pages.get(addr[:_PAGE_LEN])
        return 0 if page is None else page[addr[_PAGE_LEN]]

    def _shown(self, addr: bytes, octet: int) -> In6Multi:
        return In6Multi(addr, self._ifp, octet >> _COUNT_SHIFT, octet & _STATE)

    def _quiet_groups(self) -> Iterator[tuple[bytes, int]]:
        for head, page in self._pages.items():
            for last, octet in enumerate(page):
                if octet:
                    yield head + bytes((last,)), octet

    def __missing__(self, addr: bytes) -> In6Multi:
        octet = self._octet(addr)
        if not octet:
            raise KeyError(addr)
        self._pages[addr[:_PAGE_LEN]][addr[_PAGE_LEN]] = 0
        self._quiet -= 1
        inm = self[addr] = self._shown(addr, octet)
        return inm

    def get(self, addr: bytes, default: object = None) -> In6Multi | None:  # type: ignore[override]  # no default but None
        try:
            return self[addr]
        except KeyError:
            return None

    def __contains__(self, addr: object) -> bool:
        return super().__contains__(addr) or bool(self._pages and self._octet(cast("bytes", addr)))

    def __len__(self) -> int:
        return super().__len__() + self._quiet

    def __iter__(self) -> Iterator[bytes]:
        yield from list(super().__iter__())
        yield from [addr for addr, _ in self._quiet_groups()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and dict(self.items()) == other

    __hash__ = None

    def keys(self) -> KeysView[bytes]:  # type: ignore[override]  # views of this mapping
        return KeysView(self)

    def values(self) -> ValuesView[In6Multi]:  # type: ignore[override]  # likewise
        return ValuesView(self)

    def items(self) -> ItemsView[bytes, In6Multi]:  # type: ignore[override]  # likewise
        shown = dict(super().items())
        shown.update((addr, self._shown(addr, octet)) for addr, octet in self._quiet_groups())
        return ItemsView(shown)


def in6_multis(ifp: Ifnet) -> In6Multis:
    """The memberships of the interface; made with the first one."""
    if not isinstance(ifp.in6_multi, In6Multis):
        ifp.in6_multi = In6Multis(ifp)
    return ifp.in6_multi
