# SPDX-License-Identifier: BSD-3-Clause
"""The parts of Mobile IPv6 that differ between its drafts.

A dialect is the octets (``wire``) plus small decisions over neutral values. Nothing outside
mip6/dialect and wire knows which draft is spoken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kame_py.wire.mip6 import BindingUpdate, HaDiscoveryRequest, OptionWire


class Dialect(Protocol):
    """One draft."""

    name: str
    wire: OptionWire
    seqno_too_small: int | None  # status of the answer to an old sequence number; None: silence
    use_ipsec_default: int
    use_authdata_default: int

    def newer(self, new: int, old: int) -> bool:
        """Whether a sequence number comes after another, modulo its size."""
        ...

    def next_seqno(self, seqno: int) -> int:
        """The number after ``seqno``."""
        ...

    def single(self, bu: BindingUpdate) -> bool:
        """Whether a home registration is for the one home address only."""
        ...

    def home_flags(self, need_dad: bool, single: bool = False) -> int:
        """Flags of a home registration; ``single``: for the one home address only."""
        ...

    def home_prefixlen(self) -> int:
        """Prefix length that a home registration carries, 0 where the draft has none."""
        ...

    def dhaad_request(self, ident: int, home: bytes) -> HaDiscoveryRequest:
        """A home agent discovery request."""
        ...
