# SPDX-License-Identifier: BSD-3-Clause
"""A correspondent with keys, and the signed binding updates that it gets (draft-15 s.4.4)."""

from __future__ import annotations

from typing import Final

from kame_py.boot import boot, rawip_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.net.if_ import Ifnet
from kame_py.net.route import RTM_ADD, LinkAddr, rtrequest
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netkey.algorithms import ah_algorithm_lookup
from kame_py.netkey.key_sad import key_insertsav, key_sa_chgstate
from kame_py.netkey.key_sastate import SaEv
from kame_py.netkey.key_saval import key_mature
from kame_py.netkey.key_spd import key_insertsp, key_msg2sp
from kame_py.netkey.keydb import Secasindex, Secasvar, Seclifetime, Secpolicyindex, Secreplay
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    IP6_MIP6_BU_ACK,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_NONE,
)
from kame_py.wire.in6addr import IN6ADDR_ANY, pton
from kame_py.wire.ip6ext import AlignedOpt, build_options
from kame_py.wire.mip6 import AuthData, BindingUpdate, HomeAddress
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.pfkey import SadbXPolicy, XIpsecrequest


def _addr(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


CN: Final = _addr("2001:db8:1::3")
MN: Final = _addr("2001:db8:9::10")  # home address
COA: Final = _addr("2001:db8:2::77")
KEY: Final = b"AH SA configuration!"
SPI: Final = 1501
ICVLEN: Final = 12
BU_AT: Final = 2  # octets into the header
NUMBERS: Final = 256  # of 8 bits


def correspondent() -> tuple[Kernel, Ifnet]:
    """As the HowTo sets it up: two associations, one policy, a link without MACs."""
    clock = VirtualClock()
    kern = boot("cn", KernConf(frozenset({"MIP6", "IPSEC", "IPSEC_ESP"})), clock)
    ifp = rawip_attach(kern, "tun0")
    if_up(kern, ifp)
    in6_update_ifa(kern, ifp, CN, 64)
    rtrequest(kern, RTM_ADD, IN6ADDR_ANY, 0, LinkAddr(ifp.if_index), 0, ifp)
    for src, dst, spi in ((MN, CN, SPI), (CN, MN, SPI + 100)):
        sav = Secasvar(
            Secasindex(IPPROTO_AH, k.IPSEC_MODE_TRANSPORT, 0, src, dst),
            spi,
            alg_auth=k.SADB_AALG_SHA1HMAC,
            key_auth=KEY,
            replay=Secreplay(wsize=0),
            lft_h=Seclifetime(),
        )
        key_mature(kern, sav)
        key_insertsav(kern, sav)
        key_sa_chgstate(kern, SaEv.COMPLETE, sav)
    request = XIpsecrequest(IPPROTO_AH, k.IPSEC_MODE_TRANSPORT, k.IPSEC_LEVEL_REQUIRE)
    out = k.IPSEC_DIR_OUTBOUND
    sp = key_msg2sp(kern, SadbXPolicy(k.IPSEC_POLICY_IPSEC, out, 0, (request,)))
    idx = Secpolicyindex(out, IN6ADDR_ANY, 0, IN6ADDR_ANY, 0, IPPROTO_DSTOPTS, 0, 0)
    key_insertsp(kern, sp, idx)
    clock.t = 5 * NS
    kern.advance(clock.t)
    list(kern.poll_tx())
    return kern, ifp


def signed_update(seqno: int) -> bytes:
    """One packet: home address option, update with A bit, HMAC-SHA1-96, nothing else."""
    update = BindingUpdate(IP6_MIP6_BU_ACK, seqno, 600)
    subopts = WIRE.align_subopts((AuthData(SPI, bytes(ICVLEN)),), BU_AT + WIRE.bu_size)
    head = WIRE.build_option(BindingUpdate(update.flags, seqno, 600, subopts=subopts))[:-ICVLEN]
    sha1 = ah_algorithm_lookup(k.SADB_AALG_SHA1HMAC)
    assert sha1 is not None
    option = head + sha1.setup(KEY, 0).mac(CN + COA + MN + head)
    hao = build_options(IPPROTO_DSTOPTS, [WIRE.aligned(HomeAddress(MN))])
    bu = build_options(IPPROTO_NONE, [AlignedOpt(option, 8, BU_AT)])
    plen = len(hao) + len(bu)
    ip6 = Ip6Hdr(ip6_plen=plen, ip6_nxt=IPPROTO_DSTOPTS, ip6_hlim=64, ip6_src=COA, ip6_dst=CN)
    return ip6.pack() + hao + bu


def signed_updates() -> list[bytes]:
    """Each is newer than the one before, round and round."""
    return [signed_update(seqno) for seqno in range(NUMBERS)]
