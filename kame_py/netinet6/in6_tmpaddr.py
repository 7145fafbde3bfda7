# SPDX-License-Identifier: BSD-3-Clause
"""Temporary addresses (KAME: in6_tmpifadd, regen_tmpaddr, generate_tmp_ifid, in6_get_tmpifid).

Deviates: the successor comes REGEN_ADVANCE seconds before an address is deprecated, as the RFC
wants, where KAME's sweep made it at that moment; a new identifier is drawn when one is needed
instead of once in a lifetime; an address that somebody else has is replaced, three times at most
(RFC 4941 TEMP_IDGEN_RETRIES). RFC 3041 s.3.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_ERR, LOG_INFO, LOG_NOTICE
from kame_py.net.if_ import Ifnet
from kame_py.netinet6 import in6
from kame_py.netinet6.in6_var import (
    IN6_IFF_AUTOCONF,
    IN6_IFF_DUPLICATED,
    IN6_IFF_TEMPORARY,
    In6Ifaddr,
)
from kame_py.wire.errno import EINVAL, KError
from kame_py.wire.in6addr import combine, ntop

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

MAX_TEMP_DESYNC_FACTOR: Final = 600  # s, RFC 3041 s.5
TEMP_REGEN_ADVANCE: Final = 5  # s, RFC 3041 s.5 REGEN_ADVANCE
TEMP_IDGEN_RETRIES: Final = 3  # RFC 4941 s.5
IFID_PLEN: Final = 64
IFID_SIZE: Final = 8
EUI64_UBIT: Final = 0x02


def in6_tmpaddr_init(kern: Kernel) -> None:
    """The node's own part of a lifetime, and the variables."""
    ip6 = kern.ip6
    ip6.ip6_desync_factor = kern.rng.stream("in6.desync").below(MAX_TEMP_DESYNC_FACTOR)
    kern.sysctl.register(
        "net.inet6.ip6.temppltime",
        lambda: ip6.ip6_temp_preferred_lifetime,
        lambda value: _set_temppltime(kern, value),
        unit="s",
        text="preferred lifetime of temporary addresses",
    )
    kern.sysctl.register(
        "net.inet6.ip6.tempvltime",
        lambda: ip6.ip6_temp_valid_lifetime,
        lambda value: _set_tempvltime(kern, value),
        unit="s",
        text="valid lifetime of temporary addresses",
    )


def _set_temppltime(kern: Kernel, value: int) -> None:
    ip6 = kern.ip6
    if value < ip6.ip6_desync_factor + TEMP_REGEN_ADVANCE or value > ip6.ip6_temp_valid_lifetime:
        raise KError(EINVAL)
    ip6.ip6_temp_preferred_lifetime = value


def _set_tempvltime(kern: Kernel, value: int) -> None:
    if value < kern.ip6.ip6_temp_preferred_lifetime:
        raise KError(EINVAL)
    kern.ip6.ip6_temp_valid_lifetime = value


# -- identifiers ----------------------------------------------------------------------------------


def generate_tmp_ifid(kern: Kernel, ifp: Ifnet) -> None:
    """The next random identifier of the interface and the history for the one after it.

    Source: RFC 3041 s.3.2.1.
    """
    ndi = ifp.ndi
    if not ndi.randomseed0:
        ndi.randomseed0 = kern.rng.stream(f"in6.tmpaddr.{ifp.if_name}").bytes(IFID_SIZE)
    seed = ndi.randomseed0 + ndi.randomseed1
    digest = hashlib.md5(seed, usedforsecurity=False).digest()
    ndi.randomid = bytes((digest[0] & ~EUI64_UBIT,)) + digest[1:IFID_SIZE]
    ndi.randomseed0 = digest[IFID_SIZE:]


def _tmp_address(kern: Kernel, ia0: In6Ifaddr, generate: bool) -> bytes | None:
    """An address of the prefix of ``ia0`` that the interface does not have yet."""
    ndi = ia0.ia_ifp.ndi
    if not ndi.randomid:
        ndi.randomseed1 = ia0.ia_addr[IFID_SIZE:]
        generate = True
    for _ in range(TEMP_IDGEN_RETRIES + 1):
        if generate:
            generate_tmp_ifid(kern, ia0.ia_ifp)
        addr = combine(ia0.ia_addr, IFID_PLEN, bytes(IFID_SIZE) + ndi.randomid)
        if in6.in6ifa_ifpwithaddr(ia0.ia_ifp, addr) is None and not _spent(kern, ia0.ia_ifp):
            return addr
        generate = True
    kern.log.log(LOG_NOTICE, "in6_tmpifadd: failed to find a unique random IFID")
    return None


def _spent(kern: Kernel, ifp: Ifnet) -> bool:
    """Whether the identifier is that of an address, of any prefix, which is being replaced."""
    return any(
        ia.ia_addr[IFID_SIZE:] == ifp.ndi.randomid and not _lasting(kern, ia)
        for ia in ifp.in6_addrs
        if ia.ia6_flags & IN6_IFF_TEMPORARY
    )


# -- addresses ------------------------------------------------------------------------------------


def in6_tmpifadd(kern: Kernel, ia0: In6Ifaddr, forcegen: bool) -> In6Ifaddr | None:
    """A temporary address beside the public address ``ia0``.

    forcegen: with a new identifier, otherwise with that of the interface unless it is in use.
    Lifetimes are those of the public address, bounded. None: there would be no use in it.
    Source: RFC 3041 s.3.3 (3)-(5).
    """
    ip6 = kern.ip6
    lt = ia0.ia6_lifetime
    vltime = _remaining(kern, lt.ia6t_expire, ip6.ip6_temp_valid_lifetime)
    preferred = ip6.ip6_temp_preferred_lifetime - ip6.ip6_desync_factor
    pltime = min(_remaining(kern, lt.ia6t_preferred, preferred), vltime)
    if pltime <= TEMP_REGEN_ADVANCE:
        return None
    addr = _tmp_address(kern, ia0, forcegen)
    if addr is None:
        return None
    flags = IN6_IFF_AUTOCONF | IN6_IFF_TEMPORARY
    try:
        return in6.in6_update_ifa(kern, ia0.ia_ifp, addr, ia0.ia_plen, flags, vltime, pltime)
    except KError as error:
        kern.log.log(LOG_INFO, f"in6_tmpifadd: failed to make ifaddr {ntop(addr)}: {error}")
        return None


def _remaining(kern: Kernel, end: int, bound: int) -> int:
    """Whole seconds until ``end`` (ns, 0 never), at most ``bound``."""
    return bound if end == 0 else min(max(0, end - kern.now()) // NS, bound)


def in6_tmpaddr_public(kern: Kernel, ia0: In6Ifaddr) -> None:
    """A public address was made of an advertised prefix: a temporary one beside it.

    Source: RFC 3041 s.3.3 (2), s.3.5: with a new identifier, as on a new link.
    """
    ia0.ia_ifp.ndi.tmp_conflicts = 0
    if kern.ip6.ip6_use_tempaddr:
        in6_tmpifadd(kern, ia0, forcegen=True)


def regen_due(ia: In6Ifaddr) -> int:
    """The ns at which the successor of a temporary address is due; 0: none will be."""
    preferred = ia.ia6_lifetime.ia6t_preferred
    if not ia.ia6_flags & IN6_IFF_TEMPORARY or not preferred:
        return 0
    return preferred - TEMP_REGEN_ADVANCE * NS


def in6_tmpaddr_timer(kern: Kernel, ia: In6Ifaddr) -> None:
    """A moment in the life of an address came: make its successor if it is time (s.3.4)."""
    due = regen_due(ia)
    if due and kern.now() >= due and kern.ip6.ip6_use_tempaddr:
        regen_tmpaddr(kern, ia, forcegen=False)


def regen_tmpaddr(kern: Kernel, ia: In6Ifaddr, forcegen: bool) -> In6Ifaddr | None:
    """A successor of a temporary address, unless there is one or no public address wants it."""
    if ia.ia_ifp.ndi.tmp_conflicts >= TEMP_IDGEN_RETRIES:
        return None
    public: In6Ifaddr | None = None
    for it in ia.ia_ifp.in6_addrs:
        if it is ia or not it.ia6_flags & IN6_IFF_AUTOCONF or it.ia6_ndpr is not ia.ia6_ndpr:
            continue
        if it.ia6_flags & IN6_IFF_TEMPORARY:
            if _lasting(kern, it):
                return None
        elif _remaining(kern, it.ia6_lifetime.ia6t_preferred, 1):
            public = it
    return None if public is None else in6_tmpifadd(kern, public, forcegen)


def _lasting(kern: Kernel, ia: In6Ifaddr) -> bool:
    """Whether a temporary address serves for a while yet."""
    due = regen_due(ia)
    return not ia.ia6_flags & IN6_IFF_DUPLICATED and (due == 0 or due > kern.now())


# -- duplicate address detection ------------------------------------------------------------------


def in6_tmpaddr_ready(ia: In6Ifaddr) -> None:
    """A temporary address proved to be nobody else's."""
    if ia.ia6_flags & IN6_IFF_TEMPORARY:
        ia.ia_ifp.ndi.tmp_conflicts = 0


def in6_tmpaddr_duplicated(kern: Kernel, ia: In6Ifaddr) -> bool:
    """Somebody else has a temporary address. True: another one took its place."""
    if not ia.ia6_flags & IN6_IFF_TEMPORARY:
        return False
    ifp = ia.ia_ifp
    ifp.ndi.tmp_conflicts += 1
    if ifp.ndi.tmp_conflicts >= TEMP_IDGEN_RETRIES:
        kern.log.log(LOG_ERR, f"{ifp.if_name}: no more temporary addresses: all were duplicates")
        return False
    if not kern.ip6.ip6_use_tempaddr or regen_tmpaddr(kern, ia, forcegen=True) is None:
        return False
    in6.in6_purgeaddr(kern, ia)
    return True
