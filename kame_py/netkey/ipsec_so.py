# SPDX-License-Identifier: BSD-3-Clause
"""Policies of single sockets: setsockopt and getsockopt IPV6_IPSEC_POLICY.

KAME ipsec.c (ipsec6_set_policy, ipsec6_get_policy). Deviates: every program is privileged, as the
superuser's are. The value is a struct sadb_x_policy with its requests, which ipsec_set_policy of
libipsec makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.netinet6.in6_pcb import sotoin6pcb
from kame_py.netkey.key_spd import key_msg2sp, key_sp2msg
from kame_py.wire.errno import EINVAL, KError
from kame_py.wire.pfkey import SadbXPolicy, build_policy, parse_policy
from kame_py.wire.pfkeyv2 import (
    IPSEC_DIR_INBOUND,
    IPSEC_DIR_OUTBOUND,
    IPSEC_POLICY_DISCARD,
    IPSEC_POLICY_ENTRUST,
    IPSEC_POLICY_NONE,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.uipc_socket import Socket
    from kame_py.netkey.keydb import Secpolicy


def ipsec6_set_policy(kern: Kernel, so: Socket, value: object) -> None:
    """KError(EINVAL): no policy, or one that sockets cannot have (discard, none)."""
    xpl = parse_policy(value) if isinstance(value, bytes) else None
    if not isinstance(xpl, SadbXPolicy) or xpl.type in (IPSEC_POLICY_DISCARD, IPSEC_POLICY_NONE):
        raise KError(EINVAL)
    if xpl.dir not in (IPSEC_DIR_INBOUND, IPSEC_DIR_OUTBOUND):
        raise KError(EINVAL)
    sotoin6pcb(so).in6p_sp[xpl.dir] = key_msg2sp(kern, xpl)


def ipsec6_get_policy(so: Socket) -> bytes:
    """The policies for receiving and for sending, one behind the other."""
    octets = b""
    for direction in (IPSEC_DIR_INBOUND, IPSEC_DIR_OUTBOUND):
        sp = ipsec6_sopolicy(so, direction)
        entrust = SadbXPolicy(IPSEC_POLICY_ENTRUST, direction)
        xpl = entrust if sp is None else key_sp2msg(sp)._replace(dir=direction)
        octets += build_policy(xpl)
    return octets


def ipsec6_sopolicy(so: Socket, direction: int) -> Secpolicy | None:
    """A socket's own policy, if one was set."""
    return sotoin6pcb(so).in6p_sp.get(direction)
