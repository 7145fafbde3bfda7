# SPDX-License-Identifier: BSD-3-Clause
"""The parts of Mobile IPv6 that differ between its drafts.

A dialect is the octets (``wire``) plus small decisions over neutral values. Nothing outside
mip6/dialect and wire knows which draft is spoken. docs/dialects.md has them side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kame_py.kern.drop import DropReason
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.mip6.mip6_var import Mip6Bu, Mip6Hr
    from kame_py.wire.mip6 import BindingUpdate, HaDiscoveryRequest, OptionWire

#: (role of the node, ICMPv6 type) -> who uses such a message; its answer: it was used, or why not.
Messages = Mapping[tuple[int, int], Callable[["Kernel", "Mbuf", int], "bool | DropReason"]]


class PrefixDelivery(Protocol):
    """How a mobile node abroad hears of the prefixes at home."""

    interval_s: int  # told again after so long, whatever happens; 0: only news
    wants_update: bool  # each delivery wants a binding update back, not only news
    messages: Messages

    def init(self, kern: Kernel) -> None:
        """At boot: take part in what comes in."""
        ...

    def solicit(self, kern: Kernel, bu: Mip6Bu) -> None:
        """The mobile node asks the home agent of a registration."""
        ...

    def advertise(self, kern: Kernel, hr: Mip6Hr, options: bytes, dest2: bytes) -> int:
        """The home agent tells. dest2: header with a binding request, or b"". An errno."""
        ...


class Dialect(Protocol):
    """One draft."""

    name: str
    wire: OptionWire
    seqno_too_small: int | None  # status of the answer to an old sequence number; None: silence
    use_ipsec_default: int
    use_authdata_default: int
    ah_forced: bool  # with protection by IPsec on, updates and answers get AH without any policy
    ack_by_coa: bool  # an acknowledgement goes by the care-of address whatever it says
    prefixes: PrefixDelivery

    def newer(self, new: int, old: int) -> bool:
        """Whether a sequence number comes after another, modulo its size."""
        ...

    def next_seqno(self, seqno: int) -> int:
        """The number after ``seqno``."""
        ...

    def single(self, bu: BindingUpdate) -> bool:
        """Whether a home registration is for the one home address only."""
        ...

    def home_flags(self, need_dad: bool, single: bool = False, router: bool = False) -> int:
        """Flags of a home registration.

        single: for the one home address only. router: the mobile node is one.
        """
        ...

    def home_prefixlen(self, plen: int, single: bool) -> int:
        """Prefix length that a home registration carries, 0 where the draft has none."""
        ...

    def prefix_refused(self, bu: BindingUpdate, plen: int) -> int:
        """Status for a registration that names another prefix length than the home link's, or 0."""
        ...

    def ifid_at(self, bu: BindingUpdate) -> int:
        """Bits in front of the interface identifier by which addresses belong together."""
        ...

    def proxy_router(self, flags: int) -> bool:
        """Whether an update's flags make the home agent call the mobile node a router."""
        ...

    def acks_deregistration(self, flags: int) -> bool:
        """Whether the end of a home registration is acknowledged."""
        ...

    def dhaad_request(self, ident: int, home: bytes) -> HaDiscoveryRequest:
        """A home agent discovery request."""
        ...
