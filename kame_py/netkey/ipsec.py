# SPDX-License-Identifier: BSD-3-Clause
"""IPsec as the IPv6 core calls it.

KAME ipsec.c with the calls in ip6_input.c, ip6_forward.c and ip6_output.c. Deviates: see
ipsec_policy.py and ipsec_output.py. As in KAME nothing is exempt from policy, not even neighbour
discovery. RFC 2401.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, DropReason, drop
from kame_py.kern.hooks import IPSEC_SILENT
from kame_py.kern.mbuf import IP6A_AH
from kame_py.kern.protosw import Ip6Protosw
from kame_py.netkey.ah_input import ah6_input
from kame_py.netkey.algorithms import icv_equal
from kame_py.netkey.esp_core import esp_icvlen
from kame_py.netkey.esp_input import esp6_ctlinput, esp6_input
from kame_py.netkey.ipsec_log import ipsec_satext
from kame_py.netkey.ipsec_output import (
    ipsec6_ah_request,
    ipsec6_output_trans,
    ipsec6_output_tunnel,
    ipsec6_saidx,
    ipsec6_split,
    ipsec6_with_ah,
)
from kame_py.netkey.ipsec_policy import (
    ipsec6_getpolicy,
    ipsec6_getpolicybysock,
    ipsec6_in_reject,
    ipsec_in_reject,
    ipsec_ports,
    ipsec_tracepolicy,
    ipsec_upper,
)
from kame_py.netkey.ipsec_so import ipsec6_get_policy, ipsec6_set_policy, ipsec6_sopolicy
from kame_py.netkey.key_acquire import key_checkrequest, key_spdacquire
from kame_py.netkey.key_sad import key_allocsa, key_allocsa_between, key_sa_recordxfer
from kame_py.netkey.key_spd import SPCACHE_MAX, key_usesp
from kame_py.netkey.keydb import Secasvar
from kame_py.wire.codecs import Esp
from kame_py.wire.const import IPPROTO_AH, IPPROTO_DSTOPTS, IPPROTO_ESP
from kame_py.wire.errno import EINVAL, EMSGSIZE, ENOENT
from kame_py.wire.pfkeyv2 import (
    IPSEC_DIR_INBOUND,
    IPSEC_DIR_OUTBOUND,
    IPSEC_POLICY_BYPASS,
    IPSEC_POLICY_DISCARD,
    IPSEC_POLICY_IPSEC,
    IPSEC_POLICY_NONE,
    IPSEC_ULPROTO_ANY,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kame_py.kern.conf import KernConf
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.kern.protosw import PrCtl
    from kame_py.kern.uipc_socket import Socket
    from kame_py.netinet6.ip6_var import Exthdrs
    from kame_py.netkey.keydb import Ipsecrequest, MacKey, Secpolicy

_NO_PORTS: Final = (0, 0)
_OPEN: Final = frozenset((IPSEC_POLICY_NONE, IPSEC_POLICY_BYPASS))  # they let all out as it is
#: What the sender of a packet hears of its end: KAME keeps policy and missing keys to itself.
_ERRNO: Final = {
    D.IPSEC_OUTPOLICY: IPSEC_SILENT,
    D.IPSEC_OUTNOSA: IPSEC_SILENT,
    D.IPSEC_OUTBIG: EMSGSIZE,
    D.IP6_FWDTOOBIG: EMSGSIZE,
}


def ipsec_init(kern: Kernel, conf: KernConf) -> Ipsec6:
    """AH, and ESP with its option, take their headers from now on."""
    kern.inet6sw[IPPROTO_AH] = Ip6Protosw("ah6", ah6_input)
    if conf.has("IPSEC_ESP"):
        kern.inet6sw[IPPROTO_ESP] = Ip6Protosw("esp6", esp6_input, False, esp6_ctlinput)
    return Ipsec6()


class AuthdataSa:
    """An AH association for the authentication data sub-option (draft-15 s.4.4)."""

    __slots__ = ("_kern", "_mac", "_sav", "icvlen", "spi")

    def __init__(self, kern: Kernel, sav: Secasvar, mac: MacKey | None) -> None:
        self._kern = kern
        self._sav = sav
        self._mac = mac
        self.spi = sav.spi
        self.icvlen = mac.icvlen if mac is not None else 0

    def __str__(self) -> str:
        return ipsec_satext(self._sav)

    def sign(self, text: bytes) -> bytes:
        key_sa_recordxfer(self._kern, self._sav, len(text))
        mac = self._mac
        return b"" if mac is None else mac.mac(text)

    def verify(self, icv: bytes, text: bytes) -> bool:
        mac = self._mac
        if mac is None or not icv:
            return False
        if not icv_equal(icv, mac.mac(text)):
            return False
        key_sa_recordxfer(self._kern, self._sav, len(text))
        return True


class Ipsec6:
    """The hooks of a kernel with options IPSEC; see kern/hooks.py IpsecHooks."""

    # -- in ------------------------------------------------------------------------------------

    def in_reject(self, kern: Kernel, m: Mbuf, off: int, nxt: int) -> bool:
        if _no_policy_for(kern, IPSEC_DIR_INBOUND, nxt):
            return False
        return ipsec6_in_reject(kern, m, nxt, ipsec_ports(m.data, off, nxt))

    def fwd_reject(self, kern: Kernel, m: Mbuf) -> bool:
        if _no_policy(kern, IPSEC_DIR_INBOUND) or m.dst in kern.ip6.ifaddrs:
            return False  # by a routing header to ourselves: AH comes behind that, policy then
        nxt, off = ipsec_upper(m.data)
        return ipsec6_in_reject(kern, m, nxt, ipsec_ports(m.data, off, nxt))

    def in_reject_so(self, kern: Kernel, m: Mbuf, off: int, nxt: int, so: Socket) -> bool:
        own = ipsec6_sopolicy(so, IPSEC_DIR_INBOUND)
        ports = ipsec_ports(m.data, off, nxt)
        sp = ipsec6_getpolicybysock(kern, m, IPSEC_DIR_INBOUND, nxt, ports, own)
        return ipsec_in_reject(kern, m, sp)

    def knows(self, kern: Kernel, ctl: PrCtl) -> bool:
        if ctl.nxt != IPPROTO_ESP or len(ctl.payload) < Esp.SIZE:
            return False
        spi = Esp.unpack(ctl.payload).esp_spi
        return key_allocsa(kern, IPPROTO_ESP, ctl.dst, spi) is not None

    # -- out -----------------------------------------------------------------------------------

    def output(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs, nxt: int, payload: bytes) -> int:
        aux = m.ipsec
        marked = m.aux is not None and m.aux.ip6a_flags & IP6A_AH
        if aux is None and not marked and _no_policy_for(kern, IPSEC_DIR_OUTBOUND, nxt):
            return 0
        ports = ipsec_ports(payload, 0, nxt)
        if aux is None or aux.so is None:
            sp = ipsec6_getpolicy(kern, IPSEC_DIR_OUTBOUND, m.src, m.dst, nxt, ports)
        else:
            own, aux.so = ipsec6_sopolicy(aux.so, IPSEC_DIR_OUTBOUND), None
            sp = ipsec6_getpolicybysock(kern, m, IPSEC_DIR_OUTBOUND, nxt, ports, own)
        if kern.tracing:
            ipsec_tracepolicy(kern, m, sp, "out")
        if sp.policy in _OPEN and not marked:
            return 0
        why = _closed(kern, sp)
        if why is not None:
            return _refuse(kern, m, why)
        before, tunnels = ipsec6_split(sp.req if sp.policy == IPSEC_POLICY_IPSEC else ())
        if marked:
            before = ipsec6_with_ah(before)
        if tunnels:
            m.ipsecaux().todo = tunnels
        if not before:
            return 0
        why = ipsec6_output_trans(kern, m, hdrs, nxt, payload, before)
        if why is None:
            return 0
        error = _refuse(kern, m, why)
        return ENOENT if marked and why is D.IPSEC_OUTNOSA else error

    def untouched(self, kern: Kernel, nxt: int) -> bool:
        return _no_policy_for(kern, IPSEC_DIR_OUTBOUND, nxt)

    def tunnel(self, kern: Kernel, m: Mbuf, forwarding: bool) -> int:
        if forwarding:
            if _no_policy(kern, IPSEC_DIR_OUTBOUND) or m.dst in kern.ip6.ifaddrs:
                return 0
            nxt, off = ipsec_upper(m.data)
            ports = ipsec_ports(m.data, off, nxt)
            sp = ipsec6_getpolicy(kern, IPSEC_DIR_OUTBOUND, m.src, m.dst, nxt, ports)
            if kern.tracing:
                ipsec_tracepolicy(kern, m, sp, "out")
            why = _closed(kern, sp)
            if why is not None:
                return _refuse(kern, m, why)
            todo = _tunnels(sp)
        elif m.ipsec is not None:
            todo, m.ipsec.todo = m.ipsec.todo, ()
        else:
            return 0
        if not todo:
            return 0
        why = ipsec6_output_tunnel(kern, m, todo, forwarding)
        return 0 if why is None else _refuse(kern, m, why)

    # -- sockets -------------------------------------------------------------------------------

    def set_policy(self, kern: Kernel, so: Socket, value: object) -> None:
        ipsec6_set_policy(kern, so, value)

    def get_policy(self, kern: Kernel, so: Socket) -> bytes:
        return ipsec6_get_policy(so)

    # -- mobility ------------------------------------------------------------------------------

    def authdata_out(self, kern: Kernel, src: bytes, dst: bytes) -> AuthdataSa | None:
        key = kern.key
        known = key.authdata.get((src, dst))
        if known is not None:
            key_usesp(kern, known[0])
            return known[1]
        sp = ipsec6_getpolicy(kern, IPSEC_DIR_OUTBOUND, src, dst, IPPROTO_DSTOPTS, _NO_PORTS)
        if sp.policy != IPSEC_POLICY_IPSEC or not sp.req or sp.req[0].proto != IPPROTO_AH:
            return None
        isr = sp.req[0]
        sav: Secasvar | int | None = None
        if isr.src is None and isr.dst is None:
            sav = key_allocsa_between(kern, isr.proto, isr.mode, isr.reqid, src, dst)
        if sav is None:
            sav = key_checkrequest(kern, isr, ipsec6_saidx(isr, src, dst))
        if not isinstance(sav, Secasvar):
            return None
        sa = _authdata_sa(kern, sav)
        if len(key.by_index[sav.saidx]) == 1:  # whatever net.key.prefered_oldsa says
            if len(key.authdata) >= SPCACHE_MAX:
                key.authdata.clear()
            key.authdata[src, dst] = sp, sa
        return sa

    def authdata_in(self, kern: Kernel, src: bytes, dst: bytes, spi: int) -> AuthdataSa | None:
        sav = key_allocsa(kern, IPPROTO_AH, dst, spi, src)
        return None if sav is None else sav.authdata or _authdata_sa(kern, sav)

    def authdata_known(self, kern: Kernel, dst: bytes, spi: int) -> bool:
        return key_allocsa(kern, IPPROTO_AH, dst, spi) is not None

    def ah_ready(self, kern: Kernel, src: bytes, dst: bytes) -> bool:
        isr = ipsec6_ah_request()
        return isinstance(key_checkrequest(kern, isr, ipsec6_saidx(isr, src, dst)), Secasvar)

    def vouched(self, kern: Kernel, m: Mbuf, src: bytes, header: bool) -> bool:
        """By source and destination: a tunnel around the packet says nothing of what is inside."""
        for sav in m.ipsec.hist if m.ipsec is not None else ():
            if (sav.saidx.src, sav.saidx.dst) == (src, m.dst):
                if sav.saidx.proto == IPPROTO_AH or (esp_icvlen(sav) and not header):
                    return True
        return False

    def on_key_change(self, kern: Kernel, fn: Callable[[], None]) -> None:
        kern.key.on_change.append(fn)


def _authdata_sa(kern: Kernel, sav: Secasvar) -> AuthdataSa:
    """The association as mobility sees it: one object as long as the association stands."""
    if sav.authdata is None:
        sav.authdata = AuthdataSa(kern, sav, sav.mackey)
    return sav.authdata


def _closed(kern: Kernel, sp: Secpolicy) -> DropReason | None:
    """Why a policy lets nothing out: it discards, or nobody has told yet how to protect."""
    if sp.policy == IPSEC_POLICY_DISCARD:
        return D.IPSEC_OUTPOLICY
    if sp.policy == IPSEC_POLICY_IPSEC and not sp.req:
        key_spdacquire(kern, sp)
        return D.IPSEC_OUTNOSA
    return None


def _no_policy(kern: Kernel, direction: int) -> bool:
    """The database has nothing about a direction, and what is in none passes."""
    key = kern.key
    return not key.policies[direction] and key.ip6_def_policy.policy != IPSEC_POLICY_DISCARD


def _no_policy_for(kern: Kernel, direction: int, nxt: int) -> bool:
    """The same about a protocol."""
    key = kern.key
    protocols = key.policies[direction]
    if nxt in protocols or IPSEC_ULPROTO_ANY in protocols:
        return False
    return key.ip6_def_policy.policy != IPSEC_POLICY_DISCARD


def _tunnels(sp: Secpolicy) -> Sequence[Ipsecrequest]:
    return ipsec6_split(sp.req)[1] if sp.policy == IPSEC_POLICY_IPSEC else ()


def _refuse(kern: Kernel, m: Mbuf, why: DropReason) -> int:
    """Drop an outgoing packet; what its sender hears."""
    drop(kern, m, why)
    return _ERRNO.get(why, EINVAL)
