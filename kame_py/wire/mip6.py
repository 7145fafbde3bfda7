# SPDX-License-Identifier: BSD-3-Clause
"""Mobility options and home agent discovery as values that do not depend on the draft.

Corresponds to the structures of KAME netinet6/ip6_mip6.h and mip6_destopt_find_subopt. Deviates:
what the drafts do differently is in an OptionWire table (mip6_draft15.WIRE and its sibling), so
that code above handles one kind of value. Read first: draft-ietf-mobileip-ipv6-15 s.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, TypeAlias

from kame_py.wire.codecs import (
    HaDiscovRep,
    Ip6Opt,
    Ip6OptBindingRequest,
    Ip6OptHomeAddress,
    Ip6SubOptAuthData,
    Ip6SubOptUniqid,
)
from kame_py.wire.const import (
    IP6OPT_BINDING_ACK,
    IP6OPT_BINDING_REQ,
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
    IP6SUBOPT_PAD1,
    IP6SUBOPT_PADN,
    IP6SUBOPT_UNIQUEID,
    IPPROTO_NONE,
)
from kame_py.wire.ip6ext import AlignedOpt, Opt, around_option, pad_before, padding
from kame_py.wire.malformed import Malformed
from kame_py.wire.patch import Buf
from kame_py.wire.record import hot_record, record

ADDR_LEN: Final = 16

# Alignment n*x+y of an option from the start of its header (drafts s.5.1-5.4).
BU_ALIGN: Final = (4, 2)
BA_ALIGN: Final = (4, 3)
BR_ALIGN: Final = (1, 0)
HAO_ALIGN: Final = (8, 6)
UNIQID_ALIGN: Final = (2, 0)
ALTCOA_ALIGN: Final = (8, 6)
AUTHDATA_ALIGN: Final = (8, 6)
_AUTHDATA_UNIT: Final = AUTHDATA_ALIGN[0]
_BU_PLUS: Final = BU_ALIGN[1]
_BA_PLUS: Final = BA_ALIGN[1]

_OPT: Final = Ip6Opt.SIZE
_OPT_LEN: Final = Ip6Opt.O_ip6o_len
_AUTHDATA: Final = Ip6SubOptAuthData.SIZE
_unpack_authdata: Final = Ip6SubOptAuthData.unpack_fields
_SPI: Final = 2  # which of its fields
_AUTHDATA_HEAD: Final = _AUTHDATA - _OPT  # octets that its length counts beside the code
LEADS_MAX: Final = 1024  # beginnings of authentication data that are remembered


@record
class Pad:
    """Pad1 or PadN, kept octet for octet."""

    data: bytes


@record
class UniqueId:
    """Unique Identifier sub-option."""

    id: int


@record
class AltCoa:
    """Alternate Care-of Address sub-option."""

    coa: bytes


@hot_record
class AuthData:
    """Authentication Data sub-option; always the last one."""

    spi: int
    mac: bytes


@record
class OtherSubOpt:
    """A sub-option of a type that the dialect does not know."""

    type: int
    data: bytes


#: A destination options header up to its one option; the option's length; what stands between its
#: fixed part and its code; what stands behind that.
AckFrame: TypeAlias = tuple[bytes, int, bytes, bytes]
SubOpt: TypeAlias = Pad | UniqueId | AltCoa | AuthData | OtherSubOpt


@hot_record
class BindingUpdate:
    """Binding Update. A member that the dialect does not have is 0."""

    flags: int
    seqno: int
    lifetime_s: int
    prefixlen: int = 0
    reserved: int = 0
    subopts: tuple[SubOpt, ...] = ()


@hot_record
class BindingAck:
    """Binding Acknowledgement."""

    status: int
    seqno: int
    lifetime_s: int
    refresh_s: int
    reserved: int = 0
    subopts: tuple[SubOpt, ...] = ()


@record
class BindingRequest:
    """Binding Request."""

    subopts: tuple[SubOpt, ...] = ()


@record
class HomeAddress:
    """Home Address option."""

    addr: bytes
    subopts: tuple[SubOpt, ...] = ()


MipOption: TypeAlias = BindingUpdate | BindingAck | BindingRequest | HomeAddress


@record
class HaDiscoveryRequest:
    """Home agent address discovery request; home only where the dialect carries it."""

    id: int
    home: bytes | None = None
    reserved: bytes = b""
    code: int = 0
    cksum: int = 0


@record
class HaDiscoveryReply:
    """Home agent address discovery reply."""

    id: int
    addrs: tuple[bytes, ...]
    reserved: bytes = bytes(10)
    code: int = 0
    cksum: int = 0


@record
class OptionWire:
    """The octets of one dialect that carries its signalling in destination options.

    The callables work on the fixed part only: unpack_bu(data, off, sub-options already parsed),
    pack_bu(value, option length).
    """

    name: str
    seqno_bits: int
    ha_addrs_max: int  # of a home agent discovery reply
    router_address: bool  # every router's prefix options tell its own address, not only home agents
    min_rtr_adv_interval_s: float  # the least MinRtrAdvInterval that is allowed
    bu_flag_letters: str  # of the flags of a Binding Update, from bit 0x80 downwards
    bu_prefixlen: bool  # a Binding Update carries a prefix length
    altcoa_type: int
    authdata_type: int | None
    bu_size: int
    unpack_bu: Callable[[Buf, int, tuple[SubOpt, ...]], BindingUpdate]
    pack_bu: Callable[[BindingUpdate, int], bytes]
    ba_size: int
    unpack_ba: Callable[[Buf, int, tuple[SubOpt, ...]], BindingAck]
    pack_ba: Callable[[BindingAck, int], bytes]
    ha_request_size: int
    unpack_ha_request: Callable[[Buf, int], HaDiscoveryRequest]
    pack_ha_request: Callable[[HaDiscoveryRequest], bytes]

    def parse_option(self, data: Buf, opt: Opt) -> MipOption | Malformed | None:
        """The mobility option that the walker found; None when it is another option."""
        parser = _PARSERS.get(opt.type)
        return None if parser is None else parser(self, data, opt.off)

    def build_option(self, value: MipOption) -> bytes:
        """The octets of the option, with the sub-options exactly as given."""
        subopts = self.build_subopts(value.subopts) if value.subopts else b""
        if isinstance(value, BindingUpdate):
            return self.pack_bu(value, self.bu_size - _OPT + len(subopts)) + subopts
        if isinstance(value, BindingAck):
            return self.pack_ba(value, self.ba_size - _OPT + len(subopts)) + subopts
        if isinstance(value, HomeAddress):
            head = Ip6OptHomeAddress(ip6oh_len=ADDR_LEN + len(subopts), ip6oh_addr=value.addr)
            return head.pack() + subopts
        return Ip6OptBindingRequest(ip6or_len=len(subopts)).pack() + subopts

    def uncoded(
        self, value: BindingUpdate | BindingAck, spi: int, icvlen: int
    ) -> tuple[bytes, int, int]:
        """The option with authentication data last, up to its code of ``icvlen`` octets.

        Behind it its alignment as in AlignedOpt. Its lengths count the code; the sub-options of
        ``value`` get their padding here.
        """
        if isinstance(value, BindingAck):
            plus, fixed = _BA_PLUS, self.ba_size
        else:
            plus, fixed = _BU_PLUS, self.bu_size
        at = plus + fixed
        middle = b""
        if value.subopts:
            middle = self.build_subopts(self.align_subopts(value.subopts, at))
            at += len(middle)
        middle += _authdata_lead(self.authdata_type or self._authdata(), at, spi, icvlen)
        size = fixed - _OPT + len(middle) + icvlen
        if isinstance(value, BindingAck):
            pack_ba = self.pack_ba
            return pack_ba(value, size) + middle, _AUTHDATA_UNIT, plus
        return self.pack_bu(value, size) + middle, _AUTHDATA_UNIT, plus

    def ack_frame(self, spi: int, icvlen: int) -> AckFrame:
        """What is around an acknowledgement with authentication data, alone in its header."""
        return _ack_frame(self.authdata_type or self._authdata(), self.ba_size, spi, icvlen)

    def aligned(self, value: MipOption) -> AlignedOpt:
        """The option with its alignment, for ip6ext.build_options."""
        return AlignedOpt(self.build_option(value), *_ALIGN[type(value)])

    def parse_subopts(self, data: Buf, off: int, end: int) -> tuple[SubOpt, ...] | Malformed:
        """The sub-options in data[off:end], padding included."""
        if type(data) is not bytes:
            data = bytes(data)
        if end > len(data):
            end = len(data)
        found: tuple[SubOpt, ...] = ()
        while off < end:
            kind = data[off]
            if kind == IP6SUBOPT_PAD1:
                found += (_PAD1,)
                off += 1
                continue
            if off + _OPT > end:
                return Malformed("sub-option longer than its option", off)
            stop = off + _OPT + data[off + _OPT_LEN]
            if stop > end:
                return Malformed("sub-option longer than its option", off + _OPT_LEN)
            if kind == IP6SUBOPT_PADN:
                octets = data[off:stop]
                found += (_PADS.get(octets) or Pad(octets),)
            elif kind == self.authdata_type:
                start = off + _AUTHDATA
                if stop < start:
                    return Malformed("authentication data too small", off + _OPT_LEN)
                found += (AuthData(_unpack_authdata(data, off)[_SPI], data[start:stop]),)
            else:
                value = self._parse_subopt(data, kind, off, stop)
                if isinstance(value, Malformed):
                    return value
                found += (value,)
            off = stop
        return found

    def _parse_subopt(self, data: bytes, kind: int, off: int, end: int) -> SubOpt | Malformed:
        """The sub-option in data[off:end] but padding and authentication data."""
        content = data[off + _OPT : end]
        if kind == IP6SUBOPT_UNIQUEID:
            if end - off != Ip6SubOptUniqid.SIZE:
                return Malformed("unique identifier of wrong length", off + _OPT_LEN)
            return UniqueId(Ip6SubOptUniqid.unpack(data, off).id)
        if kind == self.altcoa_type:
            if len(content) != ADDR_LEN:
                return Malformed("alternate care-of address of wrong length", off + _OPT_LEN)
            return AltCoa(content)
        return OtherSubOpt(kind, content)

    def build_subopt(self, value: SubOpt) -> bytes:
        """The octets of one sub-option."""
        if isinstance(value, Pad):
            return value.data
        if isinstance(value, UniqueId):
            return Ip6SubOptUniqid(id=value.id).pack()
        if isinstance(value, AltCoa):
            return Ip6Opt(ip6o_type=self.altcoa_type, ip6o_len=ADDR_LEN).pack() + value.coa
        if isinstance(value, OtherSubOpt):
            return Ip6Opt(ip6o_type=value.type, ip6o_len=len(value.data)).pack() + value.data
        return _authdata_head(self._authdata(), value.spi, len(value.mac)) + value.mac

    def _authdata(self) -> int:
        if self.authdata_type is None:
            raise ValueError(f"{self.name} has no authentication data sub-option")
        return self.authdata_type

    def build_subopts(self, subopts: Iterable[SubOpt]) -> bytes:
        """The octets of the sub-options, exactly as given."""
        return b"".join(map(self.build_subopt, subopts))

    def align_subopts(self, subopts: Iterable[SubOpt], at: int) -> tuple[SubOpt, ...]:
        """The sub-options with the padding they need when the first one starts at offset at.

        at counts from the start of the destination options header (drafts s.5.5).
        """
        out: list[SubOpt] = []
        for value in subopts:
            gap = pad_before(at, *_SUBOPT_ALIGN.get(type(value), (1, 0)))
            if gap:
                out.append(Pad(padding(gap)))
            out.append(value)
            at += gap + len(self.build_subopt(value))
        return tuple(out)

    def parse_ha_request(self, data: Buf, off: int = 0) -> HaDiscoveryRequest | Malformed:
        """The discovery request at off; octets behind it are ignored."""
        if len(data) - off < self.ha_request_size:
            return Malformed("home agent discovery request truncated", off)
        return self.unpack_ha_request(data, off)


def _authdata_head(kind: int, spi: int, icvlen: int) -> bytes:
    return Ip6SubOptAuthData.pack_fields(kind, _AUTHDATA_HEAD + icvlen, spi)


@lru_cache(maxsize=LEADS_MAX)
def _authdata_lead(kind: int, at: int, spi: int, icvlen: int) -> bytes:
    """What stands from offset ``at`` on in front of a code: padding, type, length, SPI."""
    return padding(pad_before(at, *AUTHDATA_ALIGN)) + _authdata_head(kind, spi, icvlen)


@lru_cache(maxsize=LEADS_MAX)
def _ack_frame(kind: int, fixed: int, spi: int, icvlen: int) -> AckFrame:
    """OptionWire.ack_frame with a fixed part of so many octets."""
    lead = _authdata_lead(kind, _BA_PLUS + fixed, spi, icvlen)
    octets = fixed + len(lead) + icvlen
    head, tail = around_option(IPPROTO_NONE, octets, _AUTHDATA_UNIT, _BA_PLUS)
    return head, octets - _OPT, lead, tail


#: Padding as all send it, made once.
_PAD1: Final = Pad(padding(1))
_PADS: Final[dict[bytes, Pad]] = {padding(size): Pad(padding(size)) for size in range(2, 9)}


def _option_end(data: Buf, off: int, fixed: int) -> int | Malformed:
    """The offset behind the option at off, whose fixed part takes fixed octets."""
    if len(data) - off < _OPT:
        return Malformed("option truncated", off)
    end = off + _OPT + data[off + _OPT_LEN]
    if end - off < fixed:
        return Malformed("mobility option too small", off + Ip6Opt.O_ip6o_len)
    if end > len(data):
        return Malformed("option truncated", off + Ip6Opt.O_ip6o_len)
    return end


def parse_bu(wire: OptionWire, data: Buf, off: int) -> BindingUpdate | Malformed:
    """The Binding Update whose type octet is at off."""
    end = _option_end(data, off, wire.bu_size)
    if isinstance(end, Malformed):
        return end
    subopts = wire.parse_subopts(data, off + wire.bu_size, end)
    if isinstance(subopts, Malformed):
        return subopts
    return wire.unpack_bu(data, off, subopts)


def parse_ba(wire: OptionWire, data: Buf, off: int) -> BindingAck | Malformed:
    """The Binding Acknowledgement whose type octet is at off."""
    end = _option_end(data, off, wire.ba_size)
    if isinstance(end, Malformed):
        return end
    subopts = wire.parse_subopts(data, off + wire.ba_size, end)
    if isinstance(subopts, Malformed):
        return subopts
    return wire.unpack_ba(data, off, subopts)


def parse_br(wire: OptionWire, data: Buf, off: int) -> BindingRequest | Malformed:
    """The Binding Request whose type octet is at off."""
    end = _option_end(data, off, Ip6OptBindingRequest.SIZE)
    if isinstance(end, Malformed):
        return end
    subopts = wire.parse_subopts(data, off + Ip6OptBindingRequest.SIZE, end)
    return subopts if isinstance(subopts, Malformed) else BindingRequest(subopts)


def parse_hao(wire: OptionWire, data: Buf, off: int) -> HomeAddress | Malformed:
    """The Home Address option whose type octet is at off."""
    end = _option_end(data, off, Ip6OptHomeAddress.SIZE)
    if isinstance(end, Malformed):
        return end
    subopts = wire.parse_subopts(data, off + Ip6OptHomeAddress.SIZE, end)
    if isinstance(subopts, Malformed):
        return subopts
    return HomeAddress(Ip6OptHomeAddress.unpack(data, off).ip6oh_addr, subopts)


_PARSERS: Final[dict[int, Callable[[OptionWire, Buf, int], MipOption | Malformed]]] = {
    IP6OPT_BINDING_UPDATE: parse_bu,
    IP6OPT_BINDING_ACK: parse_ba,
    IP6OPT_BINDING_REQ: parse_br,
    IP6OPT_HOME_ADDRESS: parse_hao,
}
_ALIGN: Final[dict[type[MipOption], tuple[int, int]]] = {
    BindingUpdate: BU_ALIGN,
    BindingAck: BA_ALIGN,
    BindingRequest: BR_ALIGN,
    HomeAddress: HAO_ALIGN,
}
_SUBOPT_ALIGN: Final[dict[type[SubOpt], tuple[int, int]]] = {
    UniqueId: UNIQID_ALIGN,
    AltCoa: ALTCOA_ALIGN,
    AuthData: AUTHDATA_ALIGN,
}


def parse_ha_reply(data: Buf, off: int, end: int) -> HaDiscoveryReply | Malformed:
    """The discovery reply in data[off:end]; a rest shorter than an address is an error."""
    rep = HaDiscovRep.parse(data[:end], off)
    if isinstance(rep, Malformed):
        return rep
    start = off + HaDiscovRep.SIZE
    if (end - start) % ADDR_LEN:
        return Malformed("home agent address cut short", end - (end - start) % ADDR_LEN)
    addrs = tuple(bytes(data[o : o + ADDR_LEN]) for o in range(start, end, ADDR_LEN))
    return HaDiscoveryReply(
        rep.ha_drep_id, addrs, rep.ha_drep_reserved, rep.ha_drep_code, rep.ha_drep_cksum
    )


def build_ha_reply(value: HaDiscoveryReply) -> bytes:
    """The octets of a discovery reply; the checksum is the one in the value."""
    head = HaDiscovRep(
        ha_drep_code=value.code,
        ha_drep_cksum=value.cksum,
        ha_drep_id=value.id,
        ha_drep_reserved=value.reserved,
    )
    return head.pack() + b"".join(value.addrs)
