# SPDX-License-Identifier: BSD-3-Clause
"""The octets of draft-ietf-mobileip-ipv6-15.

Corresponds to KAME netinet6/ip6_mip6.h as built by default. Read first: the draft, s.5.
"""

from __future__ import annotations

from typing import Final

from kame_py.wire.codecs import (
    HaDiscovRep,
    HaDiscovReq,
    Ip6Hdr,
    Ip6OptBindingAck,
    Ip6OptBindingUpdate,
)
from kame_py.wire.const import IP6OPT_BINDING_ACK, IP6OPT_BINDING_UPDATE, IPV6_MMTU
from kame_py.wire.mip6 import (
    ADDR_LEN,
    BindingAck,
    BindingUpdate,
    HaDiscoveryRequest,
    OptionWire,
    SubOpt,
)
from kame_py.wire.patch import Buf, u16

IP6SUBOPT_ALTCOA: Final = 0x03  # s.5.5
IP6SUBOPT_AUTHDATA: Final = 0x04  # s.5.5

IP6_MIP6_BU_SINGLE: Final = 0x20  # s.5.1: only the home address itself, no other prefixes

MIP6_BA_STATUS_NO_SA: Final = 139  # s.5.2: no security association
MIP6_BA_STATUS_SEQNO_TOO_SMALL: Final = 141  # s.5.2: carries the last accepted sequence number


_unpack_update: Final = Ip6OptBindingUpdate.unpack_fields
_pack_ack: Final = Ip6OptBindingAck.pack_fields


def _unpack_bu(data: Buf, off: int, subopts: tuple[SubOpt, ...]) -> BindingUpdate:
    _, _, flags, reserved, seqno, lifetime = _unpack_update(data, off)
    return BindingUpdate(flags, seqno, lifetime, 0, reserved, subopts)


def _pack_bu(bu: BindingUpdate, size: int) -> bytes:
    return Ip6OptBindingUpdate.pack_fields(
        IP6OPT_BINDING_UPDATE, size, bu.flags, bu.reserved, bu.seqno, bu.lifetime_s
    )


def _unpack_ba(data: Buf, off: int, subopts: tuple[SubOpt, ...]) -> BindingAck:
    _, _, status, reserved, seqno, lifetime, refresh = Ip6OptBindingAck.unpack_fields(data, off)
    return BindingAck(status, seqno, lifetime, refresh, reserved, subopts)


def _pack_ba(ba: BindingAck, size: int) -> bytes:
    return _pack_ack(
        IP6OPT_BINDING_ACK, size, ba.status, ba.reserved, ba.seqno, ba.lifetime_s, ba.refresh_s
    )


def _unpack_ha_request(data: Buf, off: int) -> HaDiscoveryRequest:
    h = HaDiscovReq.unpack(data, off)
    reserved = bytes((h.ha_dreq_reserved >> 8, h.ha_dreq_reserved & 0xFF))
    return HaDiscoveryRequest(h.ha_dreq_id, None, reserved, h.ha_dreq_code, h.ha_dreq_cksum)


def _pack_ha_request(req: HaDiscoveryRequest) -> bytes:
    return HaDiscovReq(
        ha_dreq_code=req.code,
        ha_dreq_cksum=req.cksum,
        ha_dreq_id=req.id,
        ha_dreq_reserved=u16(req.reserved, 0) if req.reserved else 0,
    ).pack()


WIRE: Final = OptionWire(
    name="draft-15",
    seqno_bits=8,
    ha_addrs_max=(IPV6_MMTU - Ip6Hdr.SIZE - HaDiscovRep.SIZE) // ADDR_LEN,  # s.9.8: no fragments
    router_address=False,
    min_rtr_adv_interval_s=0.05,  # s.6.5
    bu_flag_letters="AHSD",
    bu_prefixlen=False,
    altcoa_type=IP6SUBOPT_ALTCOA,
    authdata_type=IP6SUBOPT_AUTHDATA,
    bu_size=Ip6OptBindingUpdate.SIZE,
    unpack_bu=_unpack_bu,
    pack_bu=_pack_bu,
    ba_size=Ip6OptBindingAck.SIZE,
    unpack_ba=_unpack_ba,
    pack_ba=_pack_ba,
    ha_request_size=HaDiscovReq.SIZE,
    unpack_ha_request=_unpack_ha_request,
    pack_ha_request=_pack_ha_request,
)
