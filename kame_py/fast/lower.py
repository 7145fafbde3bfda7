# SPDX-License-Identifier: BSD-3-Clause
"""Where packets go, as arrays: what the kernel's tables say of the addresses that were asked for.

No KAME counterpart. An address is looked up once, in the real tables, and the answer is a row until
``kern.changes`` tells that it is old; so nothing is copied that no packet asks for, and a binding
update costs one row. Settings that concern everything are compared as a whole. A row is good only
for what the slow path would do without changing anything; else it sends packets there. Hash keys
are secret, drawn for each kernel. Read kame_py/fast/layout.py first: it has the layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from kame_py.fast import kernels, layout
from kame_py.fast.batch import (
    P_ADDRESS,
    P_DELIVER,
    P_LINK,
    P_MIXED,
    P_NEIGHBOUR,
    P_NOROUTE,
    P_POLICY,
)
from kame_py.fast.bu_peers import policies
from kame_py.fast.cpu import secret
from kame_py.kern.hooks import NullIpsecHooks
from kame_py.mip6.mip6_bc import MIP6_BC_BR_FRACTION
from kame_py.mip6.mip6_bcache import BC_CODE
from kame_py.mip6.mip6_state import BcSt, HrSt
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_MN, Mip6State
from kame_py.net.if_ import (
    IFF_ALLMULTI,
    IFF_POINTOPOINT,
    IFF_PROMISC,
    IFF_UP,
    IFT_ETHER,
    IFT_GIF,
)
from kame_py.net.route import (
    RTF_BLACKHOLE,
    RTF_CLONING,
    RTF_DYNAMIC,
    RTF_GATEWAY,
    RTF_MODIFIED,
    RTF_REJECT,
    LinkAddr,
)
from kame_py.netinet6.dest6 import dest6_hao
from kame_py.netinet6.in6_src import in6_selecthlim
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_NOTREADY
from kame_py.netinet6.ip6_output import in6_linkmtu, ip6_pmtu
from kame_py.netinet6.nd6 import nd6_is_addr_neighbor, nd6_need_cache
from kame_py.netinet6.nd6_state import LLINFO_TABLE, Act, Ev
from kame_py.netinet6.nd6_var import NDPRF_ONLINK
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import (
    IP6OPT_HOME_ADDRESS,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_ROUTING,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_SITELOCAL
from kame_py.wire.pfkeyv2 import IPSEC_POLICY_NONE, IPSEC_ULPROTO_ANY

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U32
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.mip6_var import Mip6Bc
    from kame_py.net.if_ import Ifnet
    from kame_py.net.route import Rtentry

ROWS: Final = 1 << 9  # at first, row 0 among them; doubled when all are taken
ROWS_MAX: Final = layout.ROW_MAX + 1  # then everything is asked for again
SLOTS: Final = 2  # of the index for a row
GROUPS_MAX: Final = 32  # with more, frames to groups go the slow way
HOPS: Final = 64  # adjacencies at first
HOPS_MAX: Final = 1 << 20
ENDS_MAX: Final = layout.HALF
_ADDR: Final = 16
_BITS: Final = 64  # of a word
#: Behind these another protocol may be.
_HEADERS: Final = {
    *(IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT, IPPROTO_ESP, IPPROTO_AH, IPPROTO_DSTOPTS)
}
_HOST: Final = 128
_NO_FRAME: Final = 1 << 32  # octets: none has so many
_HEADERS_HAO: Final = 2  # of a ping with a home address option
_ODD_FIRST: Final = b"\xfe"  # link-local, site-local, groups

Row = tuple[int, bytes]  # R_INFO and the care-of address
_NO_COA: Final = bytes(_ADDR)


def words(addrs: bytes) -> I64:
    """Addresses as the kernels load them."""
    return np.frombuffer(addrs, np.int64)


def mac_word(mac: bytes) -> int:
    """A MAC address as the kernels load it."""
    return int(np.frombuffer(mac.ljust(8, b"\0"), np.int64)[0])


class Hop:
    """An adjacency: a route and, where the link has addresses, the neighbour it leads to."""

    __slots__ = ("neigh", "rt")

    def __init__(self, rt: Rtentry, neigh: Rtentry | None) -> None:
        self.rt = rt
        self.neigh = neigh


class Bound(NamedTuple):
    """What a binding adds to a row. bind: R_BIND. bc: R_BC."""

    coa: bytes
    bind: int
    bc: int


class Lowered:
    """The tables of ``kern`` for packets that come and go by ``ifp``."""

    def __init__(self, kern: Kernel, ifp: Ifnet) -> None:
        self.kern = kern
        self.ifp = ifp
        state = getattr(kern.mip6, "state", None)
        self._mip6: Mip6State | None = state if isinstance(state, Mip6State) else None
        self._secret = np.frombuffer(secret(2), np.int64)
        self.size = ROWS
        self._settings: tuple[object, ...] = ()
        self._gen = -1
        self._whole = -1
        self._protos: frozenset[int] | None = None  # that policies of IPsec ask for
        self.env: I64 = np.zeros(layout.E_MACS, np.int64)
        self.moved = True  # arrays are other ones than before; who keeps their places clears it
        self.flush()

    # -- keeping in step ----------------------------------------------------------------------

    def flush(self) -> None:
        """Forget everything."""
        self._new_table()
        self.adj: I64 = np.zeros((HOPS, layout.J_SIZE), np.int64)
        self.use: I64 = np.zeros(HOPS, np.int64)
        self.touched: I64 = np.zeros(HOPS, np.int64)
        self.ends: I64 = np.zeros((1, 2), np.int64)
        self.hops: list[Hop] = []
        self._hop_of: dict[Rtentry, int] = {}
        self._hops_by: dict[bytes, list[int]] = {}
        self._ends: dict[bytes, int] = {}
        self._coas: list[bytes] = []  # care-of addresses that are not yet marked
        self._marks: I64 = np.zeros(SLOTS * ROWS, np.int64)
        self._marked = 0

    def _new_table(self) -> None:
        self.rows: I64 = _aligned(self.size)
        self.rows[0, layout.R_INFO] = layout.K_DEAD
        self.index: U32 = np.zeros(SLOTS * self.size, np.uint32)
        self.env[layout.E_MASK] = SLOTS * self.size - 1
        self._taken = 1
        self.moved = True

    def catch_up(self) -> bool:
        """Take over what changed in the kernel; False when nothing did.

        Nothing may be left in ``use``.
        """
        changes = self.kern.changes
        settings = self._read_settings()
        if changes.gen == self._gen and settings == self._settings:
            return False
        self._gen = changes.gen
        keys = changes.take()
        if settings != self._settings:
            self._settings = settings
            self._set_env()
            self.flush()
        elif changes.whole != self._whole:
            self.flush()
        else:
            self._forget(keys)
        self._whole = changes.whole
        return True

    def forget_bindings(self) -> bool:
        """Take over changes that only concern addresses; True when a row died. As ``catch_up``."""
        changes = self.kern.changes
        if changes.gen == self._gen:
            return False
        if changes.whole != self._whole:
            return self.catch_up()
        self._gen = changes.gen
        return self._forget(changes.take())

    def _forget(self, keys: list[bytes]) -> bool:
        """These addresses' rows and next hops are old; False when there were none."""
        if not keys:
            return False
        old = words(b"".join(keys))
        if kernels.is_marked(self._marks, self.env, old):
            self.flush()  # tunnels to it, that is; rare
            return True
        hops = self._hops_by.keys() & keys
        for key in hops:
            for j in self._hops_by.pop(key):
                self.adj[j, layout.J_STATE] = layout.J_DEAD
                self._hop_of.pop(self.hops[j].rt, None)
        return bool(hops) | bool(kernels.kill_rows(self.rows, self.index, self.env, old))

    def _mark(self) -> None:
        """Remember whereto tunnels lead: 8 octets for each."""
        coas = words(b"".join(self._coas))
        self._coas.clear()
        need = SLOTS * (self._marked + len(coas))
        if need > len(self._marks):
            old, self._marks = self._marks, np.zeros(1 << need.bit_length(), np.int64)
            kernels.take_marks(self._marks, old)
        self._marked += kernels.mark(self._marks, self.env, coas)

    def _find(self, addr: bytes) -> int:
        """The number of its row, 0 none."""
        k0, k1 = words(addr).tolist()
        return kernels.find_row(self.rows, self.index, self.env, k0, k1)

    def _read_settings(self) -> tuple[object, ...]:
        """Everything that may change what becomes of any packet and is not noted anywhere."""
        kern, ip6, nd6 = self.kern, self.kern.ip6, self.kern.nd6
        mip6 = self._mip6
        return (
            kern.tracing,
            kern.bpf is None,
            ip6.ip6_forwarding,
            ip6.ip6_sendredirects,
            ip6.ip6_defhlim,
            mip6 is None or (mip6.config.mcfg_type, mip6.tunnel_sitelocal),
            self._policies(),
            tuple(
                (i.if_flags, i.if_mtu, i.carrier, i.if_hwaddr, i.ndi.linkmtu, i.if_type)
                for i in kern.ifnets
            ),
            self._groups(),
            tuple(ia.ia6_flags for ia in ip6.ifaddrs.values()),
            tuple((pr, pr.ndpr_stateflags & NDPRF_ONLINK) for pr in nd6.prefixes),
            len(nd6.defrouters),
            nd6.defifp,
            not kern.pcbs.raw6,
            ip6.ip6_hdrnestlimit,
            self.ifp.ndi.chlim,
        )

    def _groups(self) -> tuple[bytes, ...] | None:
        """Joined groups; None: too many, as of a home agent that stands in for mobile nodes."""
        macs = self.ifp.macs
        return tuple(macs) if len(macs) <= GROUPS_MAX else None

    def _policies(self) -> tuple[int, int, int] | None:
        """What tells that the policies of IPsec changed; None: there are none."""
        if isinstance(self.kern.ipsec, NullIpsecHooks):
            return None
        return policies(self.kern)

    def _touched(self) -> frozenset[int] | None:
        """Protocols that policies ask for, or that hide what they ask for; None: all may be.

        A policy for one protocol says nothing of a packet that is plainly of another.
        """
        if isinstance(self.kern.ipsec, NullIpsecHooks):
            return frozenset()
        key = self.kern.key
        protos = {sp.spidx.ul_proto for sp in key.spd.values() if sp.spidx is not None}
        if IPSEC_ULPROTO_ANY in protos or key.ip6_def_policy.policy != IPSEC_POLICY_NONE:
            return None
        return frozenset(protos | _HEADERS if protos else ())

    def _closed(self) -> int:
        """Why no packet at all may be taken here; 0: they may."""
        ifp, kern = self.ifp, self.kern
        if kern.tracing or kern.bpf is not None:
            return P_DELIVER  # somebody watches each packet
        if not ifp.if_flags & IFF_UP or ifp.carrier is False:
            return P_LINK
        return 0

    def _set_env(self) -> None:
        ifp, ip6 = self.ifp, self.kern.ip6
        self._protos = self._touched()
        ether = ifp.if_type == IFT_ETHER
        groups = self._groups()
        macs = [mac_word(mac) for mac in groups or ()] if ether else []
        env = np.zeros(layout.E_MACS + len(macs), np.int64)
        env[layout.E_LINK] = EtherHeader.SIZE if ether else 0
        env[layout.E_MAC] = mac_word(ifp.if_hwaddr)
        env[layout.E_ANYMAC] = bool(ifp.if_flags & (IFF_PROMISC | IFF_ALLMULTI))
        env[layout.E_ANYGROUP] = groups is None or env[layout.E_ANYMAC]
        env[layout.E_CLOSED] = self._closed()
        env[layout.E_DECAP] = self._decap()
        usual = ether and not self._closed()
        env[layout.E_LEAST] = EtherHeader.SIZE + Ip6Hdr.SIZE if usual else _NO_FRAME
        env[layout.E_HLIM] = ip6.ip6_defhlim
        env[layout.E_ECHO] = in6_selecthlim(self.kern, -1, ifp) if self._answers() else 0
        env[layout.E_HAO] = bool(env[layout.E_ECHO]) and self._takes_hao()
        env[layout.E_SECRET0 : layout.E_SECRET1 + 1] = self._secret
        env[layout.E_WRITE] = self.env[layout.E_WRITE]
        env[layout.E_MASK] = self.env[layout.E_MASK]
        env[layout.E_END] = len(env)
        for proto in self._protos or ():
            env[layout.E_TOUCHED] = 1
            env[layout.E_PROTOS + proto // _BITS] |= np.uint64(1 << proto % _BITS).view(np.int64)
        env[layout.E_MACS :] = macs
        self.env = env
        self.moved = True

    def _decap(self) -> bool:
        """Whether mobile nodes' tunnels end here, and no configured one may."""
        return (
            self._mip6 is not None
            and self._transit()
            and self._untouched(IPPROTO_IPV6)
            and all(ifp.if_type != IFT_GIF for ifp in self.kern.ifnets)
        )

    def _transit(self) -> bool:
        """Whether the node forwards, and nothing but its tables tells where."""
        return (
            bool(self.kern.ip6.ip6_forwarding) and not self._mobile() and self._protos is not None
        )

    def _untouched(self, proto: int) -> bool:
        """No policy asks for packets of this protocol."""
        return self._protos is not None and proto not in self._protos

    def _mobile(self) -> bool:
        return self._mip6 is not None and self._mip6.config.mcfg_type == MIP6_CONFIG_TYPE_MN

    def _answers(self) -> bool:
        """Whether pings are answered as they come, and no program hears of them."""
        told = self._untouched(IPPROTO_ICMPV6) and not self.kern.pcbs.raw6
        return not self._mobile() and told

    def _takes_hao(self) -> bool:
        """Whether a home address option is the source of the ping behind it."""
        limit = self.kern.ip6.ip6_hdrnestlimit
        known = self.kern.destopts.get(IP6OPT_HOME_ADDRESS) is dest6_hao
        return known and not 0 < limit < _HEADERS_HAO

    # -- asking -------------------------------------------------------------------------------

    def ask(self, addrs: set[bytes]) -> None:
        """Make rows for addresses in wire form, none of which has a zone.

        Nothing may be left in ``use``.
        """
        self._make_room(len(addrs))
        found = [(addr, *self._resolve(addr), *self._send(addr)) for addr in addrs]
        new: I64 = np.zeros((len(found), layout.R_SIZE), np.int64)
        keys = words(b"".join(addr for addr, *_ in found)).reshape(-1, 2)
        coas = words(b"".join(way.coa if way else coa for *_, coa, _, way in found))
        new[:, layout.R_KEY0 : layout.R_KEY1 + 1] = keys
        new[:, layout.R_INFO] = [info for _, info, *_ in found]
        new[:, layout.R_COA0 : layout.R_COA1 + 1] = coas.reshape(-1, 2)
        new[:, layout.R_SEND] = [send for *_, send, _ in found]
        for n, (*_, way) in enumerate(found):
            if way is not None:
                new[n, layout.R_BIND : layout.R_BC + 1] = way.bind, way.bc
        self._put(new)
        if self._coas:
            self._mark()

    def _put(self, new: I64) -> None:
        self._taken = kernels.put_rows(self.rows, self.index, self.env, self._taken, new)

    def knows(self, addr: bytes) -> bool:
        """There is a row for it, and it is not dead, nor is its next hop."""
        row = self.rows[self._find(addr)].tolist()
        info, send = row[layout.R_INFO], row[layout.R_SEND]
        kind = info & layout.KIND_MASK
        hops = [send - 1] if send else []
        bind, bc = row[layout.R_BIND], row[layout.R_BC]
        if bind:
            hops += [(bind & layout.BIND_LOW) - 1, bc >> layout.BIND_SHIFT]
        if kind in (layout.K_FORWARD, layout.K_TUNNEL):
            hops.append(info >> layout.ADJ_SHIFT)
        return kind != layout.K_DEAD and all(
            self.adj[j, layout.J_STATE] != layout.J_DEAD for j in hops
        )

    def _make_room(self, more: int) -> None:
        need = self._taken + more
        if need <= self.size:
            return
        if need > ROWS_MAX:
            self.flush()
        while self.size <= more or (self.size < need and self.size < ROWS_MAX):
            self.size *= 2
        old, taken = self.rows, self._taken
        self._new_table()
        self._put(old[:taken])

    def _resolve(self, dst: bytes) -> Row:
        """What becomes of packets to ``dst``: R_INFO and the care-of address."""
        kern = self.kern
        ia = kern.ip6.ifaddrs.get(dst)
        if ia is not None:
            odd = ia.ia6_flags & (IN6_IFF_NOTREADY | IN6_IFF_ANYCAST) or ia.ia_ifp is not self.ifp
            info, coa = _punt(P_DELIVER, layout.K_PUNT if odd else layout.K_LOCAL)
            return info | self._near(dst), coa  # packets may come from it, forged
        if not kern.ip6.ip6_forwarding:
            return layout.K_NOTOURS, _NO_COA
        if not self._transit():
            return _punt(P_POLICY)
        bc = self._mip6.mip6_hrbc_list.get(dst) if self._mip6 is not None else None
        if bc is not None and bc.mbc_hr is not None and bc.mbc_hr.hr_st is HrSt.SERVED:
            info, coa = self._tunnel(bc)
        else:
            info, coa = self._forward(dst), _NO_COA
        return info | self._near(dst), coa

    def _near(self, addr: bytes) -> int:
        """A sender there may need a redirect."""
        return layout.NEIGHBOUR if nd6_is_addr_neighbor(self.kern, addr, self.ifp) else 0

    def _forward(self, dst: bytes) -> int:
        if self.ifp.if_flags & IFF_POINTOPOINT:
            return _punt(P_LINK)[0]
        j = self._hop(dst)
        return _punt(-j)[0] if j <= 0 else layout.K_FORWARD | (j - 1) << layout.ADJ_SHIFT

    def _tunnel(self, bc: Mip6Bc) -> Row:
        state, kern = self._mip6, self.kern
        coa, addr = bc.mbc_pcoa, bc.mbc_addr
        assert state is not None
        self._coas.append(coa)
        if not self._untouched(IPPROTO_IPV6):
            return _punt(P_POLICY)
        mixed = coa in state.mip6_hrbc_list or (addr, coa) in state.mip6_bc_list
        if mixed or addr not in kern.ip6.ifaddrs or coa in kern.ip6.ifaddrs:
            return _punt(P_MIXED)
        odd = coa >= _ODD_FIRST or addr >= _ODD_FIRST or coa < b"\0\1"
        if odd or (IN6_IS_ADDR_SITELOCAL(bc.mbc_phaddr) and not state.tunnel_sitelocal):
            return _punt(P_ADDRESS)
        j = self._hop(coa)
        end = self._end(addr)
        if j <= 0 or end < 0:
            return _punt(-j or P_MIXED)
        return layout.K_TUNNEL | end << layout.END_SHIFT | (j - 1) << layout.ADJ_SHIFT, coa

    def _send(self, dst: bytes) -> tuple[int, Bound | None]:
        """R_SEND: packets that this node makes for ``dst``; 0 when mobility has a say in them.

        And the binding that has the say, if nothing else has.
        """
        state = self._mip6
        if state is not None:
            if dst in state.mip6_hrbc_list:
                return 0, None
            for addr in self.kern.ip6.ifaddrs:
                if (addr, dst) in state.mip6_bc_list:
                    return 0, self._bound(state, addr, dst)
        return max(self._hop(dst), 0), None

    def _bound(self, state: Mip6State, addr: bytes, dst: bytes) -> Bound | None:
        """The way of what ``addr`` here answers to ``dst``; None: sending changes something.

        While a quarter of the lifetime is left no binding request is wanted, and it is not over.
        """
        cache = state.bcache
        bc = cache.find(addr, dst)
        coa = cache.get_coa(bc)
        self._coas.append(coa)
        if cache.st[bc] != BC_CODE[BcSt.BOUND] or cache.lifetime[bc] < MIP6_BC_BR_FRACTION:
            return None
        if coa in state.mip6_hrbc_list:
            return None  # it is a mobile node's, in whose tunnel the answer goes
        j, last, end = self._hop(coa), self._hop(dst), self._end(addr)
        if j <= 0 or last <= 0 or end < 0:
            return None
        return Bound(coa, j | end << layout.BIND_SHIFT, bc | (last - 1) << layout.BIND_SHIFT)

    def use_bindings(self, bcs: I64) -> None:
        """Answers went by these bindings: the latest one is the most recently used."""
        state = self._mip6
        assert state is not None
        latest = bcs[::-1]
        for at in sorted(np.unique(latest, return_index=True)[1].tolist(), reverse=True):
            state.bcache.touch(int(latest[at]))

    def _end(self, addr: bytes) -> int:
        """Number of an own end of tunnels; -1: there are too many."""
        end = self._ends.get(addr)
        if end is None:
            end = len(self._ends)
            if end >= ENDS_MAX:
                return -1
            self._ends[addr] = end
            self.ends = words(b"".join(self._ends)).reshape(-1, 2).copy()
            self.moved = True
        return end

    # -- next hops ----------------------------------------------------------------------------

    def _hop(self, dst: bytes) -> int:
        """1 + number of the adjacency towards ``dst``; else 0 - P_*."""
        rt = self.kern.rt.lookup(dst)
        if rt is None or rt.rt_flags & (RTF_REJECT | RTF_BLACKHOLE):
            return -P_NOROUTE
        if rt.rt_ifp is not self.ifp:
            return -P_LINK
        via = rt.rt_flags & RTF_GATEWAY and isinstance(rt.rt_gateway, bytes)
        if rt.rt_flags & RTF_CLONING or (not via and rt.rt_plen != _HOST and self._has_macs()):
            return -P_NEIGHBOUR
        j = self._hop_of.get(rt)
        if j is None:
            if len(self.hops) >= HOPS_MAX:
                return -P_MIXED
            j = self._new_hop(rt, rt.rt_gateway if via else rt.rt_key)
        return j + 1

    def _has_macs(self) -> bool:
        return nd6_need_cache(self.ifp)

    def _new_hop(self, rt: Rtentry, nexthop: object) -> int:
        j = len(self.hops)
        if j == len(self.use):
            self.adj = np.concatenate((self.adj, np.zeros_like(self.adj)))
            self.use = np.zeros(2 * j, np.int64)
            self.touched = np.zeros(2 * j, np.int64)
            self.moved = True
        adj = self.adj[j]
        adj[layout.J_STATE] = layout.J_GOOD
        hop = Hop(rt, None)
        if self._has_macs():
            assert isinstance(nexthop, bytes)
            hop.neigh, mac = self._neighbour(nexthop)
            if hop.neigh is None:
                adj[layout.J_STATE] = layout.J_BAD | P_NEIGHBOUR << layout.WHY_SHIFT
            header = EtherHeader(ether_dhost=mac, ether_shost=self.ifp.if_hwaddr).pack()
            adj[layout.J_LINK0 : layout.J_LINK1 + 1] = words(header.ljust(_ADDR, b"\0"))
            self._hops_by.setdefault(nexthop, []).append(j)
        if rt.rt_plen == _HOST:
            self._hops_by.setdefault(rt.rt_key, []).append(j)
        mtu = in6_linkmtu(self.ifp)
        adj[layout.J_FORWARD_MAX] = min(mtu, self.ifp.if_mtu)
        adj[layout.J_TUNNEL_MAX] = min(ip6_pmtu(self.kern, self.ifp, rt), self.ifp.if_mtu)
        odd = rt.rt_flags & (RTF_DYNAMIC | RTF_MODIFIED)
        adj[layout.J_REDIRECT] = bool(self.kern.ip6.ip6_sendredirects and not odd)
        self.hops.append(hop)
        self._hop_of[rt] = j
        return j

    def _neighbour(self, addr: bytes) -> tuple[Rtentry | None, bytes]:
        """The neighbour's route and link-layer address, if sending to it changes nothing."""
        rt = self.kern.rt.exact(addr, _HOST)
        ln = rt.rt_llinfo if rt is not None else None
        if rt is None or ln is None or rt.rt_ifp is not self.ifp or not rt.up:
            return None, bytes(6)
        link = rt.rt_gateway
        if LLINFO_TABLE[ln.ln_state, Ev.OUTPUT] != (Act.SEND, ln.ln_state):
            return None, bytes(6)
        if not isinstance(link, LinkAddr) or len(link.sdl_data) != len(self.ifp.if_hwaddr):
            return None, bytes(6)
        return rt, link.sdl_data


def _punt(why: int, kind: int = layout.K_PUNT) -> Row:
    return kind | why << layout.WHY_SHIFT, _NO_COA


def _aligned(size: int) -> I64:
    """An empty table whose rows are cache lines."""
    line = layout.R_SIZE * 8
    raw = np.zeros(size * line + line, np.uint8)
    skip = -raw.ctypes.data % line
    rows: I64 = raw[skip : skip + size * line].view(np.int64).reshape(size, layout.R_SIZE)
    return rows
