# SPDX-License-Identifier: BSD-3-Clause
"""Mobile IPv6 of one kernel: state, options, tables, variables (mip6_init of KAME mip6.c).

Deviates: the draft that is spoken is a value handed in by boot. draft-ietf-mobileip-ipv6-15 s.7.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from kame_py.kern.mbuf import IP6A_MOBILITY, Fate, settle
from kame_py.kern.protosw import DONE, Ip6Protosw
from kame_py.mip6 import (
    mip6_ba_input,
    mip6_bc_update,
    mip6_bu_output,
    mip6_ioctl,
    mip6_mcast,
    mip6_tunnel,
)
from kame_py.mip6.hooks import Mip6
from kame_py.mip6.mip6_var import Mip6Config, Mip6State
from kame_py.wire.const import (
    IP6OPT_BINDING_ACK,
    IP6OPT_BINDING_REQ,
    IP6OPT_BINDING_UPDATE,
    IPPROTO_NONE,
    IPPROTO_RAW,
)

if TYPE_CHECKING:
    from kame_py.kern.conf import KernConf
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.mip6.dialect.base import Dialect


_CONSUMED: Final = Fate.CONSUMED


def mip6_init(kern: Kernel, conf: KernConf, dialect: Dialect) -> Mip6:
    """A correspondent node; mip6control makes a mobile node or a home agent of it.

    Fills kern.destopts, kern.inet6sw, kern.ioctlsw and the sysctl tree; boot puts the result into
    kern.mip6 and the interfaces in place.
    """
    config = Mip6Config(
        mcfg_use_ipsec=dialect.use_ipsec_default,
        mcfg_use_authdata=dialect.use_authdata_default,
        mcfg_debug=int(conf.has("MIP6_DEBUG")),
    )
    state = Mip6State(
        dialect, config, conf.has("MIP6_ALLOW_COA_FALLBACK"), conf.has("MIP6_AUTHDATA_KAME")
    )
    kern.destopts[IP6OPT_BINDING_UPDATE] = mip6_bc_update.mip6_bu_input
    kern.destopts[IP6OPT_BINDING_ACK] = mip6_ba_input.mip6_ba_input
    kern.destopts[IP6OPT_BINDING_REQ] = mip6_ba_input.mip6_br_input
    kern.inet6sw[IPPROTO_NONE] = Ip6Protosw("none", mip6_none_input, True)
    kern.ipsec.on_key_change(kern, partial(mip6_bu_output.mip6_key_changed, kern))
    mip6_tunnel.mip6_tunnel_init(kern)
    mip6_ioctl.mip6_ioctl_init(kern)
    mip6_ioctl.mip6_sysctl_init(kern, state)
    dialect.prefixes.init(kern)
    return Mip6(state, mip6_mcast.mip6_mcast_init(kern))


def mip6_none_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """No next header: the packet was sent for its options, and they were used."""
    if m.aux is not None and m.aux.ip6a_flags & IP6A_MOBILITY:
        settle(kern, m, _CONSUMED)
        return DONE
    return kern.inet6sw[IPPROTO_RAW].pr_input(kern, m, off, nxt)
