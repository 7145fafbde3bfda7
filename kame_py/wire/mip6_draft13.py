# SPDX-License-Identifier: BSD-3-Clause
"""The octets of draft-ietf-mobileip-ipv6-13.

Corresponds to KAME netinet6/ip6_mip6.h with option MIP6_DRAFT13: sequence numbers of 16 bits, a
prefix length in the Binding Update, no Authentication Data. Read first: the draft, s.5.
"""

from __future__ import annotations

from typing import Final

from kame_py.wire.codecs import (
    HaDiscovRep,
    HaDiscovReqD13,
    Ip6OptBindingAckD13,
    Ip6OptBindingUpdateD13,
)
from kame_py.wire.const import IP6OPT_BINDING_ACK, IP6OPT_BINDING_UPDATE, IPV6_MAXPACKET
from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.mip6 import (
    ADDR_LEN,
    BindingAck,
    BindingUpdate,
    HaDiscoveryRequest,
    OptionWire,
    SubOpt,
)
from kame_py.wire.patch import Buf

IP6SUBOPT_ALTCOA: Final = 0x04  # s.5.5

IP6_MIP6_BU_ROUTER: Final = 0x20  # s.5.1: the sender is a router

MIP6_BA_STATUS_INCORRECT_IFID_LEN: Final = 136  # s.5.2

_RESERVED_LEN: Final = 10  # octets between identifier and home address of the request, s.5.6


def _unpack_bu(data: Buf, off: int, subopts: tuple[SubOpt, ...]) -> BindingUpdate:
    _, _, flags, plen, seqno, lifetime = Ip6OptBindingUpdateD13.unpack_fields(data, off)
    return BindingUpdate(flags, seqno, lifetime, plen, 0, subopts)


def _pack_bu(bu: BindingUpdate, size: int) -> bytes:
    return Ip6OptBindingUpdateD13.pack_fields(
        IP6OPT_BINDING_UPDATE, size, bu.flags, bu.prefixlen, bu.seqno, bu.lifetime_s
    )


def _unpack_ba(data: Buf, off: int, subopts: tuple[SubOpt, ...]) -> BindingAck:
    _, _, status, seqno, lifetime, refresh = Ip6OptBindingAckD13.unpack_fields(data, off)
    return BindingAck(status, seqno, lifetime, refresh, 0, subopts)


def _pack_ba(ba: BindingAck, size: int) -> bytes:
    return Ip6OptBindingAckD13.pack_fields(
        IP6OPT_BINDING_ACK, size, ba.status, ba.seqno, ba.lifetime_s, ba.refresh_s
    )


def _unpack_ha_request(data: Buf, off: int) -> HaDiscoveryRequest:
    h = HaDiscovReqD13.unpack(data, off)
    return HaDiscoveryRequest(
        h.ha_dreq_id, h.ha_dreq_home, h.ha_dreq_reserved, h.ha_dreq_code, h.ha_dreq_cksum
    )


def _pack_ha_request(req: HaDiscoveryRequest) -> bytes:
    return HaDiscovReqD13(
        ha_dreq_code=req.code,
        ha_dreq_cksum=req.cksum,
        ha_dreq_id=req.id,
        ha_dreq_reserved=req.reserved or bytes(_RESERVED_LEN),
        ha_dreq_home=req.home or IN6ADDR_ANY,
    ).pack()


WIRE: Final = OptionWire(
    name="draft-13",
    seqno_bits=16,
    ha_addrs_max=(IPV6_MAXPACKET - HaDiscovRep.SIZE) // ADDR_LEN,
    router_address=True,  # s.6.2
    min_rtr_adv_interval_s=0.5,  # s.6.5
    bu_flag_letters="AHRD",
    bu_prefixlen=True,
    altcoa_type=IP6SUBOPT_ALTCOA,
    authdata_type=None,
    bu_size=Ip6OptBindingUpdateD13.SIZE,
    unpack_bu=_unpack_bu,
    pack_bu=_pack_bu,
    ba_size=Ip6OptBindingAckD13.SIZE,
    unpack_ba=_unpack_ba,
    pack_ba=_pack_ba,
    ha_request_size=HaDiscovReqD13.SIZE,
    unpack_ha_request=_unpack_ha_request,
    pack_ha_request=_pack_ha_request,
)
