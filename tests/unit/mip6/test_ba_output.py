# SPDX-License-Identifier: BSD-3-Clause
"""By which address an acknowledgement goes (draft-15 s.5.2, s.8.5)."""

from __future__ import annotations

import pytest

from kame_py.boot import boot, rawip_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.mip6 import mip6_ba
from kame_py.mip6.mip6_ba import mip6_ba_via, mip6_bc_send_ba, mip6_coa_ok
from kame_py.mip6.mip6_var import BuRequest, mip6_state
from kame_py.net.route import RTF_REJECT, RTM_ADD, LinkAddr, rtrequest
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netkey.key_spd import key_insertsp, key_msg2sp
from kame_py.netkey.keydb import Secpolicyindex
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_NONE
from kame_py.wire.in6addr import IN6ADDR_ANY, ntop, pton
from kame_py.wire.mip6 import BindingUpdate
from kame_py.wire.pfkey import SadbXPolicy

HOA = "2001:db8:1::10"
SRC = "2001:db8:2::9"
ALT = "2001:db8:3::9"


def addr(text: str) -> bytes:
    got = pton(text)
    assert got is not None
    return got


@pytest.mark.parametrize(
    "coa,src,status,lifetime,via",
    [
        (SRC, SRC, 0, 60, SRC),  # accepted: the binding's care-of address
        (ALT, SRC, 0, 60, ALT),
        (SRC, SRC, 0, 0, SRC),  # deleted: the source
        (ALT, SRC, 0, 0, SRC),
        (HOA, SRC, 0, 0, SRC),
        (HOA, HOA, 0, 0, HOA),  # deleted from home: straight there
        (HOA, "fe80::9", 0, 0, HOA),  # no routing header may name the source
        (SRC, SRC, 141, 0, SRC),  # rejected: the care-of address of the update
        (ALT, SRC, 133, 0, ALT),
        (HOA, HOA, 137, 0, HOA),
        (HOA, SRC, 137, 0, SRC),
    ],
)
def test_way_of_an_acknowledgement(
    coa: str, src: str, status: int, lifetime: int, via: str
) -> None:
    bu = BindingUpdate(0x80, 1, lifetime)
    req = BuRequest(addr("2001:db8::1"), addr(HOA), addr(coa), addr(src), bu)
    assert ntop(mip6_ba_via(req, status, lifetime)) == via


@pytest.mark.parametrize(
    "text,good",
    [
        (SRC, True),
        ("fec0::1", True),
        ("ff0e::1", False),
        ("fe80::1", False),
        ("::", False),
        ("::1", False),
        ("::ffff:192.0.2.1", False),
        ("::192.0.2.1", False),
    ],
)
def test_care_of_addresses(text: str, good: bool) -> None:
    assert mip6_coa_ok(addr(text)) is good


# -- in one piece, or header by header ---------------------------------------------------------

CN = "2001:db8::1"
AWAY = "2001:db8:1::11"  # home address: only by way of a care-of address


def correspondent() -> Kernel:
    clock = VirtualClock()
    kern = boot("cn", KernConf(frozenset({"MIP6", "IPSEC"})), clock)
    ifp = rawip_attach(kern, "tun0")
    if_up(kern, ifp)
    in6_update_ifa(kern, ifp, addr(CN), 64)
    rtrequest(kern, RTM_ADD, IN6ADDR_ANY, 0, LinkAddr(ifp.if_index), 0, ifp)
    rtrequest(kern, RTM_ADD, addr(AWAY), 128, LinkAddr(ifp.if_index), RTF_REJECT, ifp)
    clock.t = 5 * NS
    kern.advance(clock.t)
    list(kern.poll_tx())
    mip6_state(kern).config.mcfg_use_authdata = 0
    kern.tracing = True
    return kern


def acknowledged(kern: Kernel, hoa: str, coa: str, status: int = 0) -> list[object]:
    req = BuRequest(addr(CN), addr(hoa), addr(coa), addr(coa), BindingUpdate(0x80, 7, 60))
    mip6_bc_send_ba(kern, req, status, 60, 30)
    return [(frame, m.path if m is not None else None) for _, frame, m in kern.poll_tx()]


@pytest.mark.parametrize(
    "hoa,coa,status",
    [(HOA, SRC, 0), (AWAY, SRC, 133), (HOA, HOA, 0), ("fec0::10", SRC, 0), (HOA, "fec0::9", 0)],
)
def test_in_one_piece_it_is_what_it_is_by_headers(
    monkeypatch: pytest.MonkeyPatch, hoa: str, coa: str, status: int
) -> None:
    kern, other = correspondent(), correspondent()
    whole = acknowledged(kern, hoa, coa, status)
    monkeypatch.setattr(mip6_ba, "_alone", lambda *_: False)
    assert whole == acknowledged(other, hoa, coa, status)
    assert whole
    assert kern.stats.nonzero() == other.stats.nonzero()
    assert kern.fates == other.fates


def test_a_policy_about_empty_packets_holds_for_acknowledgements() -> None:
    kern = correspondent()
    out = k.IPSEC_DIR_OUTBOUND
    sp = key_msg2sp(kern, SadbXPolicy(k.IPSEC_POLICY_DISCARD, out, 0, ()))
    idx = Secpolicyindex(out, IN6ADDR_ANY, 0, IN6ADDR_ANY, 0, IPPROTO_NONE, 0, 0)
    key_insertsp(kern, sp, idx)
    assert acknowledged(kern, HOA, SRC) == []
    assert kern.drops
