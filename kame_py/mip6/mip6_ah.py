# SPDX-License-Identifier: BSD-3-Clause
"""AH for binding updates, acknowledgements and what else mobility has to protect.

No KAME counterpart: there the policy database had to ask for it. Some drafts have it forced
(draft-ietf-mobileip-ipv6-13 s.4.4, s.10.2); with others all of this does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.mbuf import IP6A_AH
from kame_py.mip6.mip6_var import mip6_state

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf


def mip6_ah_wanted(kern: Kernel) -> bool:
    """The draft forces it and mip6control -S 0 has not switched it off."""
    state = mip6_state(kern)
    return state.dialect.ah_forced and bool(state.config.mcfg_use_ipsec)


def mip6_ah_force(kern: Kernel, m: Mbuf) -> None:
    """This packet leaves under AH or not at all, where that is wanted."""
    if mip6_ah_wanted(kern):
        m.auxdata().ip6a_flags |= IP6A_AH


def mip6_ah_ready(kern: Kernel, src: bytes, dst: bytes) -> bool:
    """Whether a packet from ``src`` to ``dst`` can be protected, or need not be.

    Home addresses, kernel form.
    """
    return not mip6_ah_wanted(kern) or kern.ipsec.ah_ready(kern, src, dst)
