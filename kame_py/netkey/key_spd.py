# SPDX-License-Identifier: BSD-3-Clause
"""The database of security policies: selectors, order of entry, lifetimes, requests.

KAME netkey/key.c (key_allocsp, key_msg2sp, key_sp2msg, key_newreqid, key_spdexpire). Deviates:
look-ups are remembered until the SPD changes; tunnel mode without end points is refused. As in
KAME a request id above 0x3fff is replaced by one of the kernel's. Read first: RFC 2401 s.4.4.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS, tick_ceil
from kame_py.netinet6.scope6 import in6_addrzone, in6_clearscope, in6_scoped, sa_to_kernel
from kame_py.netkey.key_notify import key_sp2msg, key_spdexpire
from kame_py.netkey.keydb import Ipsecrequest, Secpolicy, Secpolicyindex
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_AH, IPPROTO_ESP
from kame_py.wire.errno import EINVAL, EPROTONOSUPPORT, KError
from kame_py.wire.in6addr import prefix_equal
from kame_py.wire.pfkey import SadbXPolicy, XIpsecrequest

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

__all__ = [
    "ipsec_get_reqlevel",
    "key_allocsp",
    "key_delsp",
    "key_findsp",
    "key_insertsp",
    "key_msg2sp",
    "key_newreqid",
    "key_sp2msg",
    "key_sps",
    "key_usesp",
]

SPCACHE_MAX: Final = 1024  # look-ups that are remembered
REQID_MAX: Final = 0xFFFF  # sadb_x_ipsecrequest_reqid has 16 bits
_MODES: Final = (k.IPSEC_MODE_TRANSPORT, k.IPSEC_MODE_TUNNEL)
_LEVELS: Final = (
    k.IPSEC_LEVEL_DEFAULT,
    k.IPSEC_LEVEL_USE,
    k.IPSEC_LEVEL_REQUIRE,
    k.IPSEC_LEVEL_UNIQUE,
)
#: (protocol, mode) -> member of KeyState that IPSEC_LEVEL_DEFAULT stands for
_DEFLEV: Final = {
    (IPPROTO_ESP, k.IPSEC_MODE_TRANSPORT): "ip6_esp_trans_deflev",
    (IPPROTO_ESP, k.IPSEC_MODE_TUNNEL): "ip6_esp_net_deflev",
    (IPPROTO_AH, k.IPSEC_MODE_TRANSPORT): "ip6_ah_trans_deflev",
    (IPPROTO_AH, k.IPSEC_MODE_TUNNEL): "ip6_ah_net_deflev",
}


# -- look-ups ----------------------------------------------------------------------------------


def key_allocsp(kern: Kernel, spidx: Secpolicyindex) -> Secpolicy | None:
    """The first policy of the direction whose selectors a packet's index meets; it was used now."""
    sp = key_findsp(kern, spidx)
    if sp is not None:
        key_usesp(kern, sp)
    return sp


def key_findsp(kern: Kernel, spidx: Secpolicyindex) -> Secpolicy | None:
    """The same without a packet."""
    key = kern.key
    if spidx in key.spcache:
        return key.spcache[spidx]
    if len(key.spcache) >= SPCACHE_MAX:
        key.spcache.clear()
    sp = next((sp for sp in key_sps(kern, spidx.dir) if _matches(sp, spidx)), None)
    key.spcache[spidx] = sp
    return sp


def key_usesp(kern: Kernel, sp: Secpolicy) -> None:
    """A packet fell under the policy now."""
    clock = kern.clock
    sp.lastused = clock.realtime() // NS
    sp.lastused_ns = clock.now()


def key_sps(kern: Kernel, direction: int | None = None) -> Iterator[Secpolicy]:
    """The policies of a direction, or all of them, in their order."""
    spd = kern.key.spd
    if direction is None:
        return iter(spd.values())
    numbers = spd.irange((direction, 0), (direction + 1, 0), inclusive=(True, False))
    return (spd[number] for number in numbers)


def _matches(sp: Secpolicy, spidx: Secpolicyindex) -> bool:
    """key_cmpspidx_withmask: any protocol and port 0 of the policy match everything."""
    want = sp.spidx
    return (
        want is not None
        and want.ul_proto in (k.IPSEC_ULPROTO_ANY, spidx.ul_proto)
        and want.sport in (k.IPSEC_PORT_ANY, spidx.sport)
        and want.dport in (k.IPSEC_PORT_ANY, spidx.dport)
        and _in_prefix(want.src, want.prefs, spidx.src)
        and _in_prefix(want.dst, want.prefd, spidx.dst)
    )


def _in_prefix(prefix: bytes, plen: int, addr: bytes) -> bool:
    """Whether a kernel address lies in a prefix; a scoped prefix without zone means any zone."""
    if in6_scoped(prefix):
        zone = in6_addrzone(prefix)
        if not zone:
            addr = in6_clearscope(addr)
        elif zone != in6_addrzone(addr):
            return False
    return prefix_equal(prefix, addr, plen)


# -- coming and going --------------------------------------------------------------------------


def key_insertsp(kern: Kernel, sp: Secpolicy, spidx: Secpolicyindex) -> None:
    """Put a policy at the end of its direction; its clock starts."""
    key = kern.key
    key.entry += 1
    sp.spidx, sp.entry = spidx, key.entry
    sp.id = _newspid(kern)
    sp.created = kern.clock.realtime() // NS
    sp.created_ns = sp.lastused_ns = kern.now()
    key.spd[(spidx.dir, sp.entry)] = sp
    key.policies[spidx.dir][spidx.ul_proto] += 1
    key.sp_index[spidx] = sp
    key.sp_ids[sp.id] = sp
    _changed(kern)
    _schedule(kern, sp)


def key_delsp(kern: Kernel, sp: Secpolicy) -> None:
    """Take a policy out of the SPD."""
    key = kern.key
    if sp.callout is not None:
        sp.callout.stop()
    if sp.spidx is not None:
        del key.spd[(sp.spidx.dir, sp.entry)]
        protocols = key.policies[sp.spidx.dir]
        protocols[sp.spidx.ul_proto] -= 1
        if not protocols[sp.spidx.ul_proto]:
            del protocols[sp.spidx.ul_proto]
        del key.sp_index[sp.spidx]
        del key.sp_ids[sp.id]
        _changed(kern)


def _changed(kern: Kernel) -> None:
    kern.key.spcache.clear()
    kern.key.changed()


def _newspid(kern: Kernel) -> int:
    """The next policy id that is free; 0 is none."""
    key = kern.key
    while True:
        key.policy_id = key.policy_id + 1 & 0xFFFFFFFF or 1
        if key.policy_id not in key.sp_ids:
            return key.policy_id


def _deadline(sp: Secpolicy) -> int | None:
    ends = []
    if sp.lifetime:
        ends.append(sp.created_ns + sp.lifetime * NS)
    if sp.validtime:
        ends.append(sp.lastused_ns + sp.validtime * NS)
    return tick_ceil(min(ends)) if ends else None


def _schedule(kern: Kernel, sp: Secpolicy) -> None:
    end = _deadline(sp)
    sp.callout = None if end is None else kern.callouts.at(end, _timehandler, kern, sp)


def _timehandler(kern: Kernel, sp: Secpolicy) -> None:
    """lifetime or validtime may be over: the policy may have been used since it was looked at."""
    end = _deadline(sp)
    spidx = sp.spidx
    if end is None or end > kern.now() or spidx is None:
        _schedule(kern, sp)
        return
    key_delsp(kern, sp)
    key_spdexpire(kern, sp, spidx)


# -- requests ----------------------------------------------------------------------------------


def key_msg2sp(kern: Kernel, xpl: SadbXPolicy) -> Secpolicy:
    """A policy that is in no database yet. KError: EINVAL, EPROTONOSUPPORT."""
    if not k.IPSEC_POLICY_DISCARD <= xpl.type <= k.IPSEC_POLICY_BYPASS:
        raise KError(EINVAL, "key_msg2sp: invalid policy type.")
    sp = Secpolicy(None, xpl.type)
    if xpl.type == k.IPSEC_POLICY_IPSEC:
        sp.req = [_isr(kern, sp, request) for request in xpl.requests]
        for isr in sp.req:
            if isr.level == k.IPSEC_LEVEL_UNIQUE and not isr.reqid:
                isr.reqid = key_newreqid(kern)
    return sp


def _isr(kern: Kernel, sp: Secpolicy, request: XIpsecrequest) -> Ipsecrequest:
    """One request, checked. Only unique ones keep their id; one that is too large becomes 0."""
    proto, mode, level = request.proto, request.mode, request.level
    if proto not in (IPPROTO_AH, IPPROTO_ESP):
        raise KError(EPROTONOSUPPORT, f"key_msg2sp: invalid proto type={proto}")
    if mode not in _MODES:
        raise KError(EINVAL, f"key_msg2sp: invalid mode={mode}")
    if level not in _LEVELS:
        raise KError(EINVAL, f"key_msg2sp: invalid level={level}")
    isr = Ipsecrequest(proto, mode, level, sp=sp)
    if level == k.IPSEC_LEVEL_UNIQUE and request.reqid <= k.IPSEC_MANUAL_REQID_MAX:
        isr.reqid = request.reqid
    if request.src is not None and request.dst is not None:
        return replace(
            isr, src=sa_to_kernel(kern, request.src), dst=sa_to_kernel(kern, request.dst)
        )
    if mode == k.IPSEC_MODE_TUNNEL:
        raise KError(EINVAL, "key_msg2sp: a tunnel has no end points.")
    return isr


def key_newreqid(kern: Kernel) -> int:
    """A request id of the kernel's own, above those that people give."""
    key = kern.key
    key.reqid = key.reqid + 1 if key.reqid < REQID_MAX else k.IPSEC_MANUAL_REQID_MAX + 1
    return key.reqid


def ipsec_get_reqlevel(kern: Kernel, isr: Ipsecrequest) -> int:
    """IPSEC_LEVEL_USE or _REQUIRE: what a request's level means now."""
    level = isr.level
    if level == k.IPSEC_LEVEL_DEFAULT:
        level = int(getattr(kern.key, _DEFLEV[isr.proto, isr.mode]))
    return k.IPSEC_LEVEL_REQUIRE if level == k.IPSEC_LEVEL_UNIQUE else level
