# SPDX-License-Identifier: BSD-3-Clause
"""Fixed-size headers. Written by tools/gen_wire.py from kame_py/wire/decl; do not edit.

O_<member> is the offset of a member, SIZE the length of the header, both in octets. unpack_fields
and pack_fields are unpack and pack without an object between, for the way of every packet.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import ClassVar, Final, Self

from kame_py.wire.codec_base import Field, Header
from kame_py.wire.patch import Buf

_S_ETHERHEADER: Final = Struct(">6s6sH")


class EtherHeader(Header):
    """RFC 2464 s.3."""

    __slots__ = (
        "ether_dhost",
        "ether_shost",
        "ether_type",
    )

    SIZE: ClassVar[int] = 14
    O_ether_dhost: Final = 0
    O_ether_shost: Final = 6
    O_ether_type: Final = 12
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ether_dhost", 0, 6, "mac"),
        Field("ether_shost", 6, 6, "mac"),
        Field("ether_type", 12, 2, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[bytes, bytes, int]]] = (
        _S_ETHERHEADER.unpack_from
    )
    pack_fields: ClassVar[Callable[[bytes, bytes, int], bytes]] = _S_ETHERHEADER.pack

    ether_dhost: bytes
    ether_shost: bytes
    ether_type: int

    def __init__(
        self,
        *,
        ether_dhost: bytes = bytes(6),
        ether_shost: bytes = bytes(6),
        ether_type: int = 0x86DD,
    ) -> None:
        self.ether_dhost = ether_dhost
        self.ether_shost = ether_shost
        self.ether_type = ether_type

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ether_dhost,
            self.ether_shost,
            self.ether_type,
        ) = _S_ETHERHEADER.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ETHERHEADER.pack(self.ether_dhost, self.ether_shost, self.ether_type)


_S_IP6HDR: Final = Struct(">LHBB16s16s")


class Ip6Hdr(Header):
    """RFC 2460 s.3."""

    __slots__ = (
        "ip6_flow",
        "ip6_plen",
        "ip6_nxt",
        "ip6_hlim",
        "ip6_src",
        "ip6_dst",
    )

    SIZE: ClassVar[int] = 40
    O_ip6_flow: Final = 0
    O_ip6_plen: Final = 4
    O_ip6_nxt: Final = 6
    O_ip6_hlim: Final = 7
    O_ip6_src: Final = 8
    O_ip6_dst: Final = 24
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6_flow", 0, 4, "hex"),
        Field("ip6_plen", 4, 2, "dec"),
        Field("ip6_nxt", 6, 1, "dec"),
        Field("ip6_hlim", 7, 1, "dec"),
        Field("ip6_src", 8, 16, "addr"),
        Field("ip6_dst", 24, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, bytes, bytes]]] = (
        _S_IP6HDR.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, bytes, bytes], bytes]] = _S_IP6HDR.pack

    ip6_flow: int
    ip6_plen: int
    ip6_nxt: int
    ip6_hlim: int
    ip6_src: bytes
    ip6_dst: bytes

    def __init__(
        self,
        *,
        ip6_flow: int = 0x60000000,
        ip6_plen: int = 0,
        ip6_nxt: int = 59,
        ip6_hlim: int = 64,
        ip6_src: bytes = bytes(16),
        ip6_dst: bytes = bytes(16),
    ) -> None:
        self.ip6_flow = ip6_flow
        self.ip6_plen = ip6_plen
        self.ip6_nxt = ip6_nxt
        self.ip6_hlim = ip6_hlim
        self.ip6_src = ip6_src
        self.ip6_dst = ip6_dst

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6_flow,
            self.ip6_plen,
            self.ip6_nxt,
            self.ip6_hlim,
            self.ip6_src,
            self.ip6_dst,
        ) = _S_IP6HDR.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6HDR.pack(
            self.ip6_flow, self.ip6_plen, self.ip6_nxt, self.ip6_hlim, self.ip6_src, self.ip6_dst
        )


_S_IP6EXT: Final = Struct(">BB")


class Ip6Ext(Header):
    """RFC 2460 s.4."""

    __slots__ = (
        "ip6e_nxt",
        "ip6e_len",
    )

    SIZE: ClassVar[int] = 2
    O_ip6e_nxt: Final = 0
    O_ip6e_len: Final = 1
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6e_nxt", 0, 1, "dec"),
        Field("ip6e_len", 1, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_IP6EXT.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_IP6EXT.pack

    ip6e_nxt: int
    ip6e_len: int

    def __init__(
        self,
        *,
        ip6e_nxt: int = 0,
        ip6e_len: int = 0,
    ) -> None:
        self.ip6e_nxt = ip6e_nxt
        self.ip6e_len = ip6e_len

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6e_nxt,
            self.ip6e_len,
        ) = _S_IP6EXT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6EXT.pack(self.ip6e_nxt, self.ip6e_len)


_S_IP6HBH: Final = Struct(">BB")


class Ip6Hbh(Header):
    """RFC 2460 s.4.3."""

    __slots__ = (
        "ip6h_nxt",
        "ip6h_len",
    )

    SIZE: ClassVar[int] = 2
    O_ip6h_nxt: Final = 0
    O_ip6h_len: Final = 1
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6h_nxt", 0, 1, "dec"),
        Field("ip6h_len", 1, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_IP6HBH.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_IP6HBH.pack

    ip6h_nxt: int
    ip6h_len: int

    def __init__(
        self,
        *,
        ip6h_nxt: int = 0,
        ip6h_len: int = 0,
    ) -> None:
        self.ip6h_nxt = ip6h_nxt
        self.ip6h_len = ip6h_len

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6h_nxt,
            self.ip6h_len,
        ) = _S_IP6HBH.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6HBH.pack(self.ip6h_nxt, self.ip6h_len)


_S_IP6DEST: Final = Struct(">BB")


class Ip6Dest(Header):
    """RFC 2460 s.4.6."""

    __slots__ = (
        "ip6d_nxt",
        "ip6d_len",
    )

    SIZE: ClassVar[int] = 2
    O_ip6d_nxt: Final = 0
    O_ip6d_len: Final = 1
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6d_nxt", 0, 1, "dec"),
        Field("ip6d_len", 1, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_IP6DEST.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_IP6DEST.pack

    ip6d_nxt: int
    ip6d_len: int

    def __init__(
        self,
        *,
        ip6d_nxt: int = 0,
        ip6d_len: int = 0,
    ) -> None:
        self.ip6d_nxt = ip6d_nxt
        self.ip6d_len = ip6d_len

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6d_nxt,
            self.ip6d_len,
        ) = _S_IP6DEST.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6DEST.pack(self.ip6d_nxt, self.ip6d_len)


_S_IP6RTHDR: Final = Struct(">BBBB")


class Ip6Rthdr(Header):
    """RFC 2460 s.4.4."""

    __slots__ = (
        "ip6r_nxt",
        "ip6r_len",
        "ip6r_type",
        "ip6r_segleft",
    )

    SIZE: ClassVar[int] = 4
    O_ip6r_nxt: Final = 0
    O_ip6r_len: Final = 1
    O_ip6r_type: Final = 2
    O_ip6r_segleft: Final = 3
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6r_nxt", 0, 1, "dec"),
        Field("ip6r_len", 1, 1, "dec"),
        Field("ip6r_type", 2, 1, "dec"),
        Field("ip6r_segleft", 3, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_IP6RTHDR.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_IP6RTHDR.pack

    ip6r_nxt: int
    ip6r_len: int
    ip6r_type: int
    ip6r_segleft: int

    def __init__(
        self,
        *,
        ip6r_nxt: int = 0,
        ip6r_len: int = 0,
        ip6r_type: int = 0,
        ip6r_segleft: int = 0,
    ) -> None:
        self.ip6r_nxt = ip6r_nxt
        self.ip6r_len = ip6r_len
        self.ip6r_type = ip6r_type
        self.ip6r_segleft = ip6r_segleft

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6r_nxt,
            self.ip6r_len,
            self.ip6r_type,
            self.ip6r_segleft,
        ) = _S_IP6RTHDR.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6RTHDR.pack(self.ip6r_nxt, self.ip6r_len, self.ip6r_type, self.ip6r_segleft)


_S_IP6RTHDR0: Final = Struct(">BBBBL")


class Ip6Rthdr0(Header):
    """RFC 2460 s.4.4."""

    __slots__ = (
        "ip6r0_nxt",
        "ip6r0_len",
        "ip6r0_type",
        "ip6r0_segleft",
        "ip6r0_reserved",
    )

    SIZE: ClassVar[int] = 8
    O_ip6r0_nxt: Final = 0
    O_ip6r0_len: Final = 1
    O_ip6r0_type: Final = 2
    O_ip6r0_segleft: Final = 3
    O_ip6r0_reserved: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6r0_nxt", 0, 1, "dec"),
        Field("ip6r0_len", 1, 1, "dec"),
        Field("ip6r0_type", 2, 1, "dec"),
        Field("ip6r0_segleft", 3, 1, "dec"),
        Field("ip6r0_reserved", 4, 4, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int]]] = (
        _S_IP6RTHDR0.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int], bytes]] = _S_IP6RTHDR0.pack

    ip6r0_nxt: int
    ip6r0_len: int
    ip6r0_type: int
    ip6r0_segleft: int
    ip6r0_reserved: int

    def __init__(
        self,
        *,
        ip6r0_nxt: int = 0,
        ip6r0_len: int = 0,
        ip6r0_type: int = 0,
        ip6r0_segleft: int = 0,
        ip6r0_reserved: int = 0,
    ) -> None:
        self.ip6r0_nxt = ip6r0_nxt
        self.ip6r0_len = ip6r0_len
        self.ip6r0_type = ip6r0_type
        self.ip6r0_segleft = ip6r0_segleft
        self.ip6r0_reserved = ip6r0_reserved

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6r0_nxt,
            self.ip6r0_len,
            self.ip6r0_type,
            self.ip6r0_segleft,
            self.ip6r0_reserved,
        ) = _S_IP6RTHDR0.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6RTHDR0.pack(
            self.ip6r0_nxt, self.ip6r0_len, self.ip6r0_type, self.ip6r0_segleft, self.ip6r0_reserved
        )


_S_IP6FRAG: Final = Struct(">BBHL")


class Ip6Frag(Header):
    """RFC 2460 s.4.5."""

    __slots__ = (
        "ip6f_nxt",
        "ip6f_reserved",
        "ip6f_offlg",
        "ip6f_ident",
    )

    SIZE: ClassVar[int] = 8
    O_ip6f_nxt: Final = 0
    O_ip6f_reserved: Final = 1
    O_ip6f_offlg: Final = 2
    O_ip6f_ident: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6f_nxt", 0, 1, "dec"),
        Field("ip6f_reserved", 1, 1, "dec"),
        Field("ip6f_offlg", 2, 2, "hex"),
        Field("ip6f_ident", 4, 4, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_IP6FRAG.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_IP6FRAG.pack

    ip6f_nxt: int
    ip6f_reserved: int
    ip6f_offlg: int
    ip6f_ident: int

    def __init__(
        self,
        *,
        ip6f_nxt: int = 0,
        ip6f_reserved: int = 0,
        ip6f_offlg: int = 0,
        ip6f_ident: int = 0,
    ) -> None:
        self.ip6f_nxt = ip6f_nxt
        self.ip6f_reserved = ip6f_reserved
        self.ip6f_offlg = ip6f_offlg
        self.ip6f_ident = ip6f_ident

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6f_nxt,
            self.ip6f_reserved,
            self.ip6f_offlg,
            self.ip6f_ident,
        ) = _S_IP6FRAG.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6FRAG.pack(self.ip6f_nxt, self.ip6f_reserved, self.ip6f_offlg, self.ip6f_ident)


_S_IP6OPT: Final = Struct(">BB")


class Ip6Opt(Header):
    """RFC 2460 s.4.2."""

    __slots__ = (
        "ip6o_type",
        "ip6o_len",
    )

    SIZE: ClassVar[int] = 2
    O_ip6o_type: Final = 0
    O_ip6o_len: Final = 1
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6o_type", 0, 1, "hex"),
        Field("ip6o_len", 1, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_IP6OPT.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_IP6OPT.pack

    ip6o_type: int
    ip6o_len: int

    def __init__(
        self,
        *,
        ip6o_type: int = 0,
        ip6o_len: int = 0,
    ) -> None:
        self.ip6o_type = ip6o_type
        self.ip6o_len = ip6o_len

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6o_type,
            self.ip6o_len,
        ) = _S_IP6OPT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPT.pack(self.ip6o_type, self.ip6o_len)


_S_IP6OPTPADN: Final = Struct(">BB")


class Ip6OptPadn(Header):
    """RFC 2460 s.4.2."""

    __slots__ = (
        "ip6opn_type",
        "ip6opn_len",
    )

    SIZE: ClassVar[int] = 2
    O_ip6opn_type: Final = 0
    O_ip6opn_len: Final = 1
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6opn_type", 0, 1, "hex"),
        Field("ip6opn_len", 1, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_IP6OPTPADN.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_IP6OPTPADN.pack

    ip6opn_type: int
    ip6opn_len: int

    def __init__(
        self,
        *,
        ip6opn_type: int = 0x1,
        ip6opn_len: int = 0,
    ) -> None:
        self.ip6opn_type = ip6opn_type
        self.ip6opn_len = ip6opn_len

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6opn_type,
            self.ip6opn_len,
        ) = _S_IP6OPTPADN.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTPADN.pack(self.ip6opn_type, self.ip6opn_len)


_S_IP6OPTJUMBO: Final = Struct(">BBL")


class Ip6OptJumbo(Header):
    """RFC 2675 s.2."""

    __slots__ = (
        "ip6oj_type",
        "ip6oj_len",
        "ip6oj_jumbo_len",
    )

    SIZE: ClassVar[int] = 6
    O_ip6oj_type: Final = 0
    O_ip6oj_len: Final = 1
    O_ip6oj_jumbo_len: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6oj_type", 0, 1, "hex"),
        Field("ip6oj_len", 1, 1, "dec"),
        Field("ip6oj_jumbo_len", 2, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int]]] = _S_IP6OPTJUMBO.unpack_from
    pack_fields: ClassVar[Callable[[int, int, int], bytes]] = _S_IP6OPTJUMBO.pack

    ip6oj_type: int
    ip6oj_len: int
    ip6oj_jumbo_len: int

    def __init__(
        self,
        *,
        ip6oj_type: int = 0xC2,
        ip6oj_len: int = 4,
        ip6oj_jumbo_len: int = 0,
    ) -> None:
        self.ip6oj_type = ip6oj_type
        self.ip6oj_len = ip6oj_len
        self.ip6oj_jumbo_len = ip6oj_jumbo_len

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6oj_type,
            self.ip6oj_len,
            self.ip6oj_jumbo_len,
        ) = _S_IP6OPTJUMBO.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTJUMBO.pack(self.ip6oj_type, self.ip6oj_len, self.ip6oj_jumbo_len)


_S_IP6OPTRTALERT: Final = Struct(">BBH")


class Ip6OptRtalert(Header):
    """RFC 2711 s.2.1."""

    __slots__ = (
        "ip6or_type",
        "ip6or_len",
        "ip6or_value",
    )

    SIZE: ClassVar[int] = 4
    O_ip6or_type: Final = 0
    O_ip6or_len: Final = 1
    O_ip6or_value: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6or_type", 0, 1, "hex"),
        Field("ip6or_len", 1, 1, "dec"),
        Field("ip6or_value", 2, 2, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int]]] = (
        _S_IP6OPTRTALERT.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int], bytes]] = _S_IP6OPTRTALERT.pack

    ip6or_type: int
    ip6or_len: int
    ip6or_value: int

    def __init__(
        self,
        *,
        ip6or_type: int = 0x5,
        ip6or_len: int = 2,
        ip6or_value: int = 0,
    ) -> None:
        self.ip6or_type = ip6or_type
        self.ip6or_len = ip6or_len
        self.ip6or_value = ip6or_value

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6or_type,
            self.ip6or_len,
            self.ip6or_value,
        ) = _S_IP6OPTRTALERT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTRTALERT.pack(self.ip6or_type, self.ip6or_len, self.ip6or_value)


_S_IP6OPTTUNNELLIMIT: Final = Struct(">BBB")


class Ip6OptTunnelLimit(Header):
    """RFC 2473 s.4.1.1."""

    __slots__ = (
        "ip6otl_type",
        "ip6otl_len",
        "ip6otl_limit",
    )

    SIZE: ClassVar[int] = 3
    O_ip6otl_type: Final = 0
    O_ip6otl_len: Final = 1
    O_ip6otl_limit: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6otl_type", 0, 1, "hex"),
        Field("ip6otl_len", 1, 1, "dec"),
        Field("ip6otl_limit", 2, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int]]] = (
        _S_IP6OPTTUNNELLIMIT.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int], bytes]] = _S_IP6OPTTUNNELLIMIT.pack

    ip6otl_type: int
    ip6otl_len: int
    ip6otl_limit: int

    def __init__(
        self,
        *,
        ip6otl_type: int = 0x4,
        ip6otl_len: int = 1,
        ip6otl_limit: int = 4,
    ) -> None:
        self.ip6otl_type = ip6otl_type
        self.ip6otl_len = ip6otl_len
        self.ip6otl_limit = ip6otl_limit

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6otl_type,
            self.ip6otl_len,
            self.ip6otl_limit,
        ) = _S_IP6OPTTUNNELLIMIT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTTUNNELLIMIT.pack(self.ip6otl_type, self.ip6otl_len, self.ip6otl_limit)


_S_IP6OPTHOMEADDRESS: Final = Struct(">BB16s")


class Ip6OptHomeAddress(Header):
    """RFC 6275 s.6.3; the drafts s.5.4 have the same fixed part."""

    __slots__ = (
        "ip6oh_type",
        "ip6oh_len",
        "ip6oh_addr",
    )

    SIZE: ClassVar[int] = 18
    O_ip6oh_type: Final = 0
    O_ip6oh_len: Final = 1
    O_ip6oh_addr: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6oh_type", 0, 1, "hex"),
        Field("ip6oh_len", 1, 1, "dec"),
        Field("ip6oh_addr", 2, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, bytes]]] = (
        _S_IP6OPTHOMEADDRESS.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, bytes], bytes]] = _S_IP6OPTHOMEADDRESS.pack

    ip6oh_type: int
    ip6oh_len: int
    ip6oh_addr: bytes

    def __init__(
        self,
        *,
        ip6oh_type: int = 0xC9,
        ip6oh_len: int = 16,
        ip6oh_addr: bytes = bytes(16),
    ) -> None:
        self.ip6oh_type = ip6oh_type
        self.ip6oh_len = ip6oh_len
        self.ip6oh_addr = ip6oh_addr

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6oh_type,
            self.ip6oh_len,
            self.ip6oh_addr,
        ) = _S_IP6OPTHOMEADDRESS.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTHOMEADDRESS.pack(self.ip6oh_type, self.ip6oh_len, self.ip6oh_addr)


_S_IP6OPTBINDINGREQUEST: Final = Struct(">BB")


class Ip6OptBindingRequest(Header):
    """mobility drafts s.5.3."""

    __slots__ = (
        "ip6or_type",
        "ip6or_len",
    )

    SIZE: ClassVar[int] = 2
    O_ip6or_type: Final = 0
    O_ip6or_len: Final = 1
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6or_type", 0, 1, "hex"),
        Field("ip6or_len", 1, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = (
        _S_IP6OPTBINDINGREQUEST.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_IP6OPTBINDINGREQUEST.pack

    ip6or_type: int
    ip6or_len: int

    def __init__(
        self,
        *,
        ip6or_type: int = 0x8,
        ip6or_len: int = 0,
    ) -> None:
        self.ip6or_type = ip6or_type
        self.ip6or_len = ip6or_len

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6or_type,
            self.ip6or_len,
        ) = _S_IP6OPTBINDINGREQUEST.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTBINDINGREQUEST.pack(self.ip6or_type, self.ip6or_len)


_S_IP6SUBOPT: Final = Struct(">BB")


class Ip6SubOpt(Header):
    """mobility drafts s.5.5."""

    __slots__ = (
        "type",
        "len",
    )

    SIZE: ClassVar[int] = 2
    O_type: Final = 0
    O_len: Final = 1
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("type", 0, 1, "dec"),
        Field("len", 1, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_IP6SUBOPT.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_IP6SUBOPT.pack

    type: int
    len: int

    def __init__(
        self,
        *,
        type: int = 0,
        len: int = 0,
    ) -> None:
        self.type = type
        self.len = len

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.type,
            self.len,
        ) = _S_IP6SUBOPT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6SUBOPT.pack(self.type, self.len)


_S_IP6SUBOPTUNIQID: Final = Struct(">BBH")


class Ip6SubOptUniqid(Header):
    """mobility drafts s.5.5."""

    __slots__ = (
        "type",
        "len",
        "id",
    )

    SIZE: ClassVar[int] = 4
    O_type: Final = 0
    O_len: Final = 1
    O_id: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("type", 0, 1, "dec"),
        Field("len", 1, 1, "dec"),
        Field("id", 2, 2, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int]]] = (
        _S_IP6SUBOPTUNIQID.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int], bytes]] = _S_IP6SUBOPTUNIQID.pack

    type: int
    len: int
    id: int

    def __init__(
        self,
        *,
        type: int = 2,
        len: int = 2,
        id: int = 0,
    ) -> None:
        self.type = type
        self.len = len
        self.id = id

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.type,
            self.len,
            self.id,
        ) = _S_IP6SUBOPTUNIQID.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6SUBOPTUNIQID.pack(self.type, self.len, self.id)


_S_ICMP6HDR: Final = Struct(">BBHL")


class Icmp6Hdr(Header):
    """RFC 2463 s.2.1."""

    __slots__ = (
        "icmp6_type",
        "icmp6_code",
        "icmp6_cksum",
        "icmp6_data32",
    )

    SIZE: ClassVar[int] = 8
    O_icmp6_type: Final = 0
    O_icmp6_code: Final = 1
    O_icmp6_cksum: Final = 2
    O_icmp6_data32: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("icmp6_type", 0, 1, "dec"),
        Field("icmp6_code", 1, 1, "dec"),
        Field("icmp6_cksum", 2, 2, "hex"),
        Field("icmp6_data32", 4, 4, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_ICMP6HDR.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_ICMP6HDR.pack

    icmp6_type: int
    icmp6_code: int
    icmp6_cksum: int
    icmp6_data32: int

    def __init__(
        self,
        *,
        icmp6_type: int = 0,
        icmp6_code: int = 0,
        icmp6_cksum: int = 0,
        icmp6_data32: int = 0,
    ) -> None:
        self.icmp6_type = icmp6_type
        self.icmp6_code = icmp6_code
        self.icmp6_cksum = icmp6_cksum
        self.icmp6_data32 = icmp6_data32

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.icmp6_type,
            self.icmp6_code,
            self.icmp6_cksum,
            self.icmp6_data32,
        ) = _S_ICMP6HDR.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ICMP6HDR.pack(
            self.icmp6_type, self.icmp6_code, self.icmp6_cksum, self.icmp6_data32
        )


_S_ICMP6DSTUNREACH: Final = Struct(">BBHL")


class Icmp6DstUnreach(Header):
    """RFC 2463 s.3.1."""

    __slots__ = (
        "icmp6_type",
        "icmp6_code",
        "icmp6_cksum",
        "icmp6_unused",
    )

    SIZE: ClassVar[int] = 8
    O_icmp6_type: Final = 0
    O_icmp6_code: Final = 1
    O_icmp6_cksum: Final = 2
    O_icmp6_unused: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("icmp6_type", 0, 1, "dec"),
        Field("icmp6_code", 1, 1, "dec"),
        Field("icmp6_cksum", 2, 2, "hex"),
        Field("icmp6_unused", 4, 4, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_ICMP6DSTUNREACH.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_ICMP6DSTUNREACH.pack

    icmp6_type: int
    icmp6_code: int
    icmp6_cksum: int
    icmp6_unused: int

    def __init__(
        self,
        *,
        icmp6_type: int = 1,
        icmp6_code: int = 0,
        icmp6_cksum: int = 0,
        icmp6_unused: int = 0,
    ) -> None:
        self.icmp6_type = icmp6_type
        self.icmp6_code = icmp6_code
        self.icmp6_cksum = icmp6_cksum
        self.icmp6_unused = icmp6_unused

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.icmp6_type,
            self.icmp6_code,
            self.icmp6_cksum,
            self.icmp6_unused,
        ) = _S_ICMP6DSTUNREACH.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ICMP6DSTUNREACH.pack(
            self.icmp6_type, self.icmp6_code, self.icmp6_cksum, self.icmp6_unused
        )


_S_ICMP6PACKETTOOBIG: Final = Struct(">BBHL")


class Icmp6PacketTooBig(Header):
    """RFC 2463 s.3.2."""

    __slots__ = (
        "icmp6_type",
        "icmp6_code",
        "icmp6_cksum",
        "icmp6_mtu",
    )

    SIZE: ClassVar[int] = 8
    O_icmp6_type: Final = 0
    O_icmp6_code: Final = 1
    O_icmp6_cksum: Final = 2
    O_icmp6_mtu: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("icmp6_type", 0, 1, "dec"),
        Field("icmp6_code", 1, 1, "dec"),
        Field("icmp6_cksum", 2, 2, "hex"),
        Field("icmp6_mtu", 4, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_ICMP6PACKETTOOBIG.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_ICMP6PACKETTOOBIG.pack

    icmp6_type: int
    icmp6_code: int
    icmp6_cksum: int
    icmp6_mtu: int

    def __init__(
        self,
        *,
        icmp6_type: int = 2,
        icmp6_code: int = 0,
        icmp6_cksum: int = 0,
        icmp6_mtu: int = 0,
    ) -> None:
        self.icmp6_type = icmp6_type
        self.icmp6_code = icmp6_code
        self.icmp6_cksum = icmp6_cksum
        self.icmp6_mtu = icmp6_mtu

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.icmp6_type,
            self.icmp6_code,
            self.icmp6_cksum,
            self.icmp6_mtu,
        ) = _S_ICMP6PACKETTOOBIG.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ICMP6PACKETTOOBIG.pack(
            self.icmp6_type, self.icmp6_code, self.icmp6_cksum, self.icmp6_mtu
        )


_S_ICMP6TIMEEXCEEDED: Final = Struct(">BBHL")


class Icmp6TimeExceeded(Header):
    """RFC 2463 s.3.3."""

    __slots__ = (
        "icmp6_type",
        "icmp6_code",
        "icmp6_cksum",
        "icmp6_unused",
    )

    SIZE: ClassVar[int] = 8
    O_icmp6_type: Final = 0
    O_icmp6_code: Final = 1
    O_icmp6_cksum: Final = 2
    O_icmp6_unused: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("icmp6_type", 0, 1, "dec"),
        Field("icmp6_code", 1, 1, "dec"),
        Field("icmp6_cksum", 2, 2, "hex"),
        Field("icmp6_unused", 4, 4, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_ICMP6TIMEEXCEEDED.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_ICMP6TIMEEXCEEDED.pack

    icmp6_type: int
    icmp6_code: int
    icmp6_cksum: int
    icmp6_unused: int

    def __init__(
        self,
        *,
        icmp6_type: int = 3,
        icmp6_code: int = 0,
        icmp6_cksum: int = 0,
        icmp6_unused: int = 0,
    ) -> None:
        self.icmp6_type = icmp6_type
        self.icmp6_code = icmp6_code
        self.icmp6_cksum = icmp6_cksum
        self.icmp6_unused = icmp6_unused

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.icmp6_type,
            self.icmp6_code,
            self.icmp6_cksum,
            self.icmp6_unused,
        ) = _S_ICMP6TIMEEXCEEDED.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ICMP6TIMEEXCEEDED.pack(
            self.icmp6_type, self.icmp6_code, self.icmp6_cksum, self.icmp6_unused
        )


_S_ICMP6PARAMPROB: Final = Struct(">BBHL")


class Icmp6ParamProb(Header):
    """RFC 2463 s.3.4."""

    __slots__ = (
        "icmp6_type",
        "icmp6_code",
        "icmp6_cksum",
        "icmp6_pptr",
    )

    SIZE: ClassVar[int] = 8
    O_icmp6_type: Final = 0
    O_icmp6_code: Final = 1
    O_icmp6_cksum: Final = 2
    O_icmp6_pptr: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("icmp6_type", 0, 1, "dec"),
        Field("icmp6_code", 1, 1, "dec"),
        Field("icmp6_cksum", 2, 2, "hex"),
        Field("icmp6_pptr", 4, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_ICMP6PARAMPROB.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_ICMP6PARAMPROB.pack

    icmp6_type: int
    icmp6_code: int
    icmp6_cksum: int
    icmp6_pptr: int

    def __init__(
        self,
        *,
        icmp6_type: int = 4,
        icmp6_code: int = 0,
        icmp6_cksum: int = 0,
        icmp6_pptr: int = 0,
    ) -> None:
        self.icmp6_type = icmp6_type
        self.icmp6_code = icmp6_code
        self.icmp6_cksum = icmp6_cksum
        self.icmp6_pptr = icmp6_pptr

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.icmp6_type,
            self.icmp6_code,
            self.icmp6_cksum,
            self.icmp6_pptr,
        ) = _S_ICMP6PARAMPROB.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ICMP6PARAMPROB.pack(
            self.icmp6_type, self.icmp6_code, self.icmp6_cksum, self.icmp6_pptr
        )


_S_ICMP6ECHO: Final = Struct(">BBHHH")


class Icmp6Echo(Header):
    """RFC 2463 s.4."""

    __slots__ = (
        "icmp6_type",
        "icmp6_code",
        "icmp6_cksum",
        "icmp6_id",
        "icmp6_seq",
    )

    SIZE: ClassVar[int] = 8
    O_icmp6_type: Final = 0
    O_icmp6_code: Final = 1
    O_icmp6_cksum: Final = 2
    O_icmp6_id: Final = 4
    O_icmp6_seq: Final = 6
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("icmp6_type", 0, 1, "dec"),
        Field("icmp6_code", 1, 1, "dec"),
        Field("icmp6_cksum", 2, 2, "hex"),
        Field("icmp6_id", 4, 2, "dec"),
        Field("icmp6_seq", 6, 2, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int]]] = (
        _S_ICMP6ECHO.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int], bytes]] = _S_ICMP6ECHO.pack

    icmp6_type: int
    icmp6_code: int
    icmp6_cksum: int
    icmp6_id: int
    icmp6_seq: int

    def __init__(
        self,
        *,
        icmp6_type: int = 128,
        icmp6_code: int = 0,
        icmp6_cksum: int = 0,
        icmp6_id: int = 0,
        icmp6_seq: int = 0,
    ) -> None:
        self.icmp6_type = icmp6_type
        self.icmp6_code = icmp6_code
        self.icmp6_cksum = icmp6_cksum
        self.icmp6_id = icmp6_id
        self.icmp6_seq = icmp6_seq

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.icmp6_type,
            self.icmp6_code,
            self.icmp6_cksum,
            self.icmp6_id,
            self.icmp6_seq,
        ) = _S_ICMP6ECHO.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ICMP6ECHO.pack(
            self.icmp6_type, self.icmp6_code, self.icmp6_cksum, self.icmp6_id, self.icmp6_seq
        )


_S_ICMP6NODEINFO: Final = Struct(">BBHHH8s")


class Icmp6Nodeinfo(Header):
    """RFC 4620 s.4."""

    __slots__ = (
        "ni_type",
        "ni_code",
        "ni_cksum",
        "ni_qtype",
        "ni_flags",
        "icmp6_ni_nonce",
    )

    SIZE: ClassVar[int] = 16
    O_ni_type: Final = 0
    O_ni_code: Final = 1
    O_ni_cksum: Final = 2
    O_ni_qtype: Final = 4
    O_ni_flags: Final = 6
    O_icmp6_ni_nonce: Final = 8
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ni_type", 0, 1, "dec"),
        Field("ni_code", 1, 1, "dec"),
        Field("ni_cksum", 2, 2, "hex"),
        Field("ni_qtype", 4, 2, "dec"),
        Field("ni_flags", 6, 2, "hex"),
        Field("icmp6_ni_nonce", 8, 8, "bytes"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int, bytes]]] = (
        _S_ICMP6NODEINFO.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int, bytes], bytes]] = _S_ICMP6NODEINFO.pack

    ni_type: int
    ni_code: int
    ni_cksum: int
    ni_qtype: int
    ni_flags: int
    icmp6_ni_nonce: bytes

    def __init__(
        self,
        *,
        ni_type: int = 139,
        ni_code: int = 0,
        ni_cksum: int = 0,
        ni_qtype: int = 0,
        ni_flags: int = 0,
        icmp6_ni_nonce: bytes = bytes(8),
    ) -> None:
        self.ni_type = ni_type
        self.ni_code = ni_code
        self.ni_cksum = ni_cksum
        self.ni_qtype = ni_qtype
        self.ni_flags = ni_flags
        self.icmp6_ni_nonce = icmp6_ni_nonce

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ni_type,
            self.ni_code,
            self.ni_cksum,
            self.ni_qtype,
            self.ni_flags,
            self.icmp6_ni_nonce,
        ) = _S_ICMP6NODEINFO.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ICMP6NODEINFO.pack(
            self.ni_type,
            self.ni_code,
            self.ni_cksum,
            self.ni_qtype,
            self.ni_flags,
            self.icmp6_ni_nonce,
        )


_S_NIREPLYFQDN: Final = Struct(">L")


class NiReplyFqdn(Header):
    """RFC 4620 s.6.3, struct ni_reply_fqdn; the names follow."""

    __slots__ = ("ni_fqdn_ttl",)

    SIZE: ClassVar[int] = 4
    O_ni_fqdn_ttl: Final = 0
    FIELDS: ClassVar[tuple[Field, ...]] = (Field("ni_fqdn_ttl", 0, 4, "dec"),)
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int]]] = _S_NIREPLYFQDN.unpack_from
    pack_fields: ClassVar[Callable[[int], bytes]] = _S_NIREPLYFQDN.pack

    ni_fqdn_ttl: int

    def __init__(
        self,
        *,
        ni_fqdn_ttl: int = 0,
    ) -> None:
        self.ni_fqdn_ttl = ni_fqdn_ttl

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (self.ni_fqdn_ttl,) = _S_NIREPLYFQDN.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NIREPLYFQDN.pack(self.ni_fqdn_ttl)


_S_NIREPLYADDR: Final = Struct(">L16s")


class NiReplyAddr(Header):
    """RFC 4620 s.6.4, one of the addresses."""

    __slots__ = (
        "ni_addr_ttl",
        "ni_addr_addr",
    )

    SIZE: ClassVar[int] = 20
    O_ni_addr_ttl: Final = 0
    O_ni_addr_addr: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ni_addr_ttl", 0, 4, "dec"),
        Field("ni_addr_addr", 4, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, bytes]]] = _S_NIREPLYADDR.unpack_from
    pack_fields: ClassVar[Callable[[int, bytes], bytes]] = _S_NIREPLYADDR.pack

    ni_addr_ttl: int
    ni_addr_addr: bytes

    def __init__(
        self,
        *,
        ni_addr_ttl: int = 0,
        ni_addr_addr: bytes = bytes(16),
    ) -> None:
        self.ni_addr_ttl = ni_addr_ttl
        self.ni_addr_addr = ni_addr_addr

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ni_addr_ttl,
            self.ni_addr_addr,
        ) = _S_NIREPLYADDR.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NIREPLYADDR.pack(self.ni_addr_ttl, self.ni_addr_addr)


_S_NISUPTYPESRUN: Final = Struct(">HH")


class NiSuptypesRun(Header):
    """draft-ietf-ipngwg-icmp-name-lookups-08, a run of a compressed bitmap."""

    __slots__ = (
        "ni_run_words",
        "ni_run_skip",
    )

    SIZE: ClassVar[int] = 4
    O_ni_run_words: Final = 0
    O_ni_run_skip: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ni_run_words", 0, 2, "dec"),
        Field("ni_run_skip", 2, 2, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_NISUPTYPESRUN.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_NISUPTYPESRUN.pack

    ni_run_words: int
    ni_run_skip: int

    def __init__(
        self,
        *,
        ni_run_words: int = 0,
        ni_run_skip: int = 0,
    ) -> None:
        self.ni_run_words = ni_run_words
        self.ni_run_skip = ni_run_skip

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ni_run_words,
            self.ni_run_skip,
        ) = _S_NISUPTYPESRUN.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NISUPTYPESRUN.pack(self.ni_run_words, self.ni_run_skip)


_S_NDROUTERSOLICIT: Final = Struct(">BBHL")


class NdRouterSolicit(Header):
    """RFC 2461 s.4.1."""

    __slots__ = (
        "nd_rs_type",
        "nd_rs_code",
        "nd_rs_cksum",
        "nd_rs_reserved",
    )

    SIZE: ClassVar[int] = 8
    O_nd_rs_type: Final = 0
    O_nd_rs_code: Final = 1
    O_nd_rs_cksum: Final = 2
    O_nd_rs_reserved: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_rs_type", 0, 1, "dec"),
        Field("nd_rs_code", 1, 1, "dec"),
        Field("nd_rs_cksum", 2, 2, "hex"),
        Field("nd_rs_reserved", 4, 4, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_NDROUTERSOLICIT.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_NDROUTERSOLICIT.pack

    nd_rs_type: int
    nd_rs_code: int
    nd_rs_cksum: int
    nd_rs_reserved: int

    def __init__(
        self,
        *,
        nd_rs_type: int = 133,
        nd_rs_code: int = 0,
        nd_rs_cksum: int = 0,
        nd_rs_reserved: int = 0,
    ) -> None:
        self.nd_rs_type = nd_rs_type
        self.nd_rs_code = nd_rs_code
        self.nd_rs_cksum = nd_rs_cksum
        self.nd_rs_reserved = nd_rs_reserved

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_rs_type,
            self.nd_rs_code,
            self.nd_rs_cksum,
            self.nd_rs_reserved,
        ) = _S_NDROUTERSOLICIT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDROUTERSOLICIT.pack(
            self.nd_rs_type, self.nd_rs_code, self.nd_rs_cksum, self.nd_rs_reserved
        )


_S_NDROUTERADVERT: Final = Struct(">BBHBBHLL")


class NdRouterAdvert(Header):
    """RFC 2461 s.4.2; lifetime in seconds, reachable and retransmit in milliseconds."""

    __slots__ = (
        "nd_ra_type",
        "nd_ra_code",
        "nd_ra_cksum",
        "nd_ra_curhoplimit",
        "nd_ra_flags_reserved",
        "nd_ra_router_lifetime",
        "nd_ra_reachable",
        "nd_ra_retransmit",
    )

    SIZE: ClassVar[int] = 16
    O_nd_ra_type: Final = 0
    O_nd_ra_code: Final = 1
    O_nd_ra_cksum: Final = 2
    O_nd_ra_curhoplimit: Final = 4
    O_nd_ra_flags_reserved: Final = 5
    O_nd_ra_router_lifetime: Final = 6
    O_nd_ra_reachable: Final = 8
    O_nd_ra_retransmit: Final = 12
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_ra_type", 0, 1, "dec"),
        Field("nd_ra_code", 1, 1, "dec"),
        Field("nd_ra_cksum", 2, 2, "hex"),
        Field("nd_ra_curhoplimit", 4, 1, "dec"),
        Field("nd_ra_flags_reserved", 5, 1, "hex"),
        Field("nd_ra_router_lifetime", 6, 2, "dec"),
        Field("nd_ra_reachable", 8, 4, "dec"),
        Field("nd_ra_retransmit", 12, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int, int, int, int]]] = (
        _S_NDROUTERADVERT.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int, int, int, int], bytes]] = (
        _S_NDROUTERADVERT.pack
    )

    nd_ra_type: int
    nd_ra_code: int
    nd_ra_cksum: int
    nd_ra_curhoplimit: int
    nd_ra_flags_reserved: int
    nd_ra_router_lifetime: int
    nd_ra_reachable: int
    nd_ra_retransmit: int

    def __init__(
        self,
        *,
        nd_ra_type: int = 134,
        nd_ra_code: int = 0,
        nd_ra_cksum: int = 0,
        nd_ra_curhoplimit: int = 0,
        nd_ra_flags_reserved: int = 0,
        nd_ra_router_lifetime: int = 0,
        nd_ra_reachable: int = 0,
        nd_ra_retransmit: int = 0,
    ) -> None:
        self.nd_ra_type = nd_ra_type
        self.nd_ra_code = nd_ra_code
        self.nd_ra_cksum = nd_ra_cksum
        self.nd_ra_curhoplimit = nd_ra_curhoplimit
        self.nd_ra_flags_reserved = nd_ra_flags_reserved
        self.nd_ra_router_lifetime = nd_ra_router_lifetime
        self.nd_ra_reachable = nd_ra_reachable
        self.nd_ra_retransmit = nd_ra_retransmit

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_ra_type,
            self.nd_ra_code,
            self.nd_ra_cksum,
            self.nd_ra_curhoplimit,
            self.nd_ra_flags_reserved,
            self.nd_ra_router_lifetime,
            self.nd_ra_reachable,
            self.nd_ra_retransmit,
        ) = _S_NDROUTERADVERT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDROUTERADVERT.pack(
            self.nd_ra_type,
            self.nd_ra_code,
            self.nd_ra_cksum,
            self.nd_ra_curhoplimit,
            self.nd_ra_flags_reserved,
            self.nd_ra_router_lifetime,
            self.nd_ra_reachable,
            self.nd_ra_retransmit,
        )


_S_NDNEIGHBORSOLICIT: Final = Struct(">BBHL16s")


class NdNeighborSolicit(Header):
    """RFC 2461 s.4.3."""

    __slots__ = (
        "nd_ns_type",
        "nd_ns_code",
        "nd_ns_cksum",
        "nd_ns_reserved",
        "nd_ns_target",
    )

    SIZE: ClassVar[int] = 24
    O_nd_ns_type: Final = 0
    O_nd_ns_code: Final = 1
    O_nd_ns_cksum: Final = 2
    O_nd_ns_reserved: Final = 4
    O_nd_ns_target: Final = 8
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_ns_type", 0, 1, "dec"),
        Field("nd_ns_code", 1, 1, "dec"),
        Field("nd_ns_cksum", 2, 2, "hex"),
        Field("nd_ns_reserved", 4, 4, "hex"),
        Field("nd_ns_target", 8, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, bytes]]] = (
        _S_NDNEIGHBORSOLICIT.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, bytes], bytes]] = _S_NDNEIGHBORSOLICIT.pack

    nd_ns_type: int
    nd_ns_code: int
    nd_ns_cksum: int
    nd_ns_reserved: int
    nd_ns_target: bytes

    def __init__(
        self,
        *,
        nd_ns_type: int = 135,
        nd_ns_code: int = 0,
        nd_ns_cksum: int = 0,
        nd_ns_reserved: int = 0,
        nd_ns_target: bytes = bytes(16),
    ) -> None:
        self.nd_ns_type = nd_ns_type
        self.nd_ns_code = nd_ns_code
        self.nd_ns_cksum = nd_ns_cksum
        self.nd_ns_reserved = nd_ns_reserved
        self.nd_ns_target = nd_ns_target

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_ns_type,
            self.nd_ns_code,
            self.nd_ns_cksum,
            self.nd_ns_reserved,
            self.nd_ns_target,
        ) = _S_NDNEIGHBORSOLICIT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDNEIGHBORSOLICIT.pack(
            self.nd_ns_type,
            self.nd_ns_code,
            self.nd_ns_cksum,
            self.nd_ns_reserved,
            self.nd_ns_target,
        )


_S_NDNEIGHBORADVERT: Final = Struct(">BBHL16s")


class NdNeighborAdvert(Header):
    """RFC 2461 s.4.4."""

    __slots__ = (
        "nd_na_type",
        "nd_na_code",
        "nd_na_cksum",
        "nd_na_flags_reserved",
        "nd_na_target",
    )

    SIZE: ClassVar[int] = 24
    O_nd_na_type: Final = 0
    O_nd_na_code: Final = 1
    O_nd_na_cksum: Final = 2
    O_nd_na_flags_reserved: Final = 4
    O_nd_na_target: Final = 8
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_na_type", 0, 1, "dec"),
        Field("nd_na_code", 1, 1, "dec"),
        Field("nd_na_cksum", 2, 2, "hex"),
        Field("nd_na_flags_reserved", 4, 4, "hex"),
        Field("nd_na_target", 8, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, bytes]]] = (
        _S_NDNEIGHBORADVERT.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, bytes], bytes]] = _S_NDNEIGHBORADVERT.pack

    nd_na_type: int
    nd_na_code: int
    nd_na_cksum: int
    nd_na_flags_reserved: int
    nd_na_target: bytes

    def __init__(
        self,
        *,
        nd_na_type: int = 136,
        nd_na_code: int = 0,
        nd_na_cksum: int = 0,
        nd_na_flags_reserved: int = 0,
        nd_na_target: bytes = bytes(16),
    ) -> None:
        self.nd_na_type = nd_na_type
        self.nd_na_code = nd_na_code
        self.nd_na_cksum = nd_na_cksum
        self.nd_na_flags_reserved = nd_na_flags_reserved
        self.nd_na_target = nd_na_target

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_na_type,
            self.nd_na_code,
            self.nd_na_cksum,
            self.nd_na_flags_reserved,
            self.nd_na_target,
        ) = _S_NDNEIGHBORADVERT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDNEIGHBORADVERT.pack(
            self.nd_na_type,
            self.nd_na_code,
            self.nd_na_cksum,
            self.nd_na_flags_reserved,
            self.nd_na_target,
        )


_S_NDREDIRECT: Final = Struct(">BBHL16s16s")


class NdRedirect(Header):
    """RFC 2461 s.4.5."""

    __slots__ = (
        "nd_rd_type",
        "nd_rd_code",
        "nd_rd_cksum",
        "nd_rd_reserved",
        "nd_rd_target",
        "nd_rd_dst",
    )

    SIZE: ClassVar[int] = 40
    O_nd_rd_type: Final = 0
    O_nd_rd_code: Final = 1
    O_nd_rd_cksum: Final = 2
    O_nd_rd_reserved: Final = 4
    O_nd_rd_target: Final = 8
    O_nd_rd_dst: Final = 24
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_rd_type", 0, 1, "dec"),
        Field("nd_rd_code", 1, 1, "dec"),
        Field("nd_rd_cksum", 2, 2, "hex"),
        Field("nd_rd_reserved", 4, 4, "hex"),
        Field("nd_rd_target", 8, 16, "addr"),
        Field("nd_rd_dst", 24, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, bytes, bytes]]] = (
        _S_NDREDIRECT.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, bytes, bytes], bytes]] = _S_NDREDIRECT.pack

    nd_rd_type: int
    nd_rd_code: int
    nd_rd_cksum: int
    nd_rd_reserved: int
    nd_rd_target: bytes
    nd_rd_dst: bytes

    def __init__(
        self,
        *,
        nd_rd_type: int = 137,
        nd_rd_code: int = 0,
        nd_rd_cksum: int = 0,
        nd_rd_reserved: int = 0,
        nd_rd_target: bytes = bytes(16),
        nd_rd_dst: bytes = bytes(16),
    ) -> None:
        self.nd_rd_type = nd_rd_type
        self.nd_rd_code = nd_rd_code
        self.nd_rd_cksum = nd_rd_cksum
        self.nd_rd_reserved = nd_rd_reserved
        self.nd_rd_target = nd_rd_target
        self.nd_rd_dst = nd_rd_dst

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_rd_type,
            self.nd_rd_code,
            self.nd_rd_cksum,
            self.nd_rd_reserved,
            self.nd_rd_target,
            self.nd_rd_dst,
        ) = _S_NDREDIRECT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDREDIRECT.pack(
            self.nd_rd_type,
            self.nd_rd_code,
            self.nd_rd_cksum,
            self.nd_rd_reserved,
            self.nd_rd_target,
            self.nd_rd_dst,
        )


_S_NDOPTHDR: Final = Struct(">BB")


class NdOptHdr(Header):
    """RFC 2461 s.4.6."""

    __slots__ = (
        "nd_opt_type",
        "nd_opt_len",
    )

    SIZE: ClassVar[int] = 2
    O_nd_opt_type: Final = 0
    O_nd_opt_len: Final = 1
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_opt_type", 0, 1, "dec"),
        Field("nd_opt_len", 1, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_NDOPTHDR.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_NDOPTHDR.pack

    nd_opt_type: int
    nd_opt_len: int

    def __init__(
        self,
        *,
        nd_opt_type: int = 0,
        nd_opt_len: int = 1,
    ) -> None:
        self.nd_opt_type = nd_opt_type
        self.nd_opt_len = nd_opt_len

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_opt_type,
            self.nd_opt_len,
        ) = _S_NDOPTHDR.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDOPTHDR.pack(self.nd_opt_type, self.nd_opt_len)


_S_NDOPTPREFIXINFO: Final = Struct(">BBBBLLL16s")


class NdOptPrefixInfo(Header):
    """RFC 2461 s.4.6.2, RFC 6275 s.7.2; times in seconds."""

    __slots__ = (
        "nd_opt_pi_type",
        "nd_opt_pi_len",
        "nd_opt_pi_prefix_len",
        "nd_opt_pi_flags_reserved",
        "nd_opt_pi_valid_time",
        "nd_opt_pi_preferred_time",
        "nd_opt_pi_reserved2",
        "nd_opt_pi_prefix",
    )

    SIZE: ClassVar[int] = 32
    O_nd_opt_pi_type: Final = 0
    O_nd_opt_pi_len: Final = 1
    O_nd_opt_pi_prefix_len: Final = 2
    O_nd_opt_pi_flags_reserved: Final = 3
    O_nd_opt_pi_valid_time: Final = 4
    O_nd_opt_pi_preferred_time: Final = 8
    O_nd_opt_pi_reserved2: Final = 12
    O_nd_opt_pi_prefix: Final = 16
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_opt_pi_type", 0, 1, "dec"),
        Field("nd_opt_pi_len", 1, 1, "dec"),
        Field("nd_opt_pi_prefix_len", 2, 1, "dec"),
        Field("nd_opt_pi_flags_reserved", 3, 1, "hex"),
        Field("nd_opt_pi_valid_time", 4, 4, "dec"),
        Field("nd_opt_pi_preferred_time", 8, 4, "dec"),
        Field("nd_opt_pi_reserved2", 12, 4, "hex"),
        Field("nd_opt_pi_prefix", 16, 16, "addr"),
    )
    unpack_fields: ClassVar[
        Callable[[Buf, int], tuple[int, int, int, int, int, int, int, bytes]]
    ] = _S_NDOPTPREFIXINFO.unpack_from
    pack_fields: ClassVar[Callable[[int, int, int, int, int, int, int, bytes], bytes]] = (
        _S_NDOPTPREFIXINFO.pack
    )

    nd_opt_pi_type: int
    nd_opt_pi_len: int
    nd_opt_pi_prefix_len: int
    nd_opt_pi_flags_reserved: int
    nd_opt_pi_valid_time: int
    nd_opt_pi_preferred_time: int
    nd_opt_pi_reserved2: int
    nd_opt_pi_prefix: bytes

    def __init__(
        self,
        *,
        nd_opt_pi_type: int = 3,
        nd_opt_pi_len: int = 4,
        nd_opt_pi_prefix_len: int = 0,
        nd_opt_pi_flags_reserved: int = 0,
        nd_opt_pi_valid_time: int = 0,
        nd_opt_pi_preferred_time: int = 0,
        nd_opt_pi_reserved2: int = 0,
        nd_opt_pi_prefix: bytes = bytes(16),
    ) -> None:
        self.nd_opt_pi_type = nd_opt_pi_type
        self.nd_opt_pi_len = nd_opt_pi_len
        self.nd_opt_pi_prefix_len = nd_opt_pi_prefix_len
        self.nd_opt_pi_flags_reserved = nd_opt_pi_flags_reserved
        self.nd_opt_pi_valid_time = nd_opt_pi_valid_time
        self.nd_opt_pi_preferred_time = nd_opt_pi_preferred_time
        self.nd_opt_pi_reserved2 = nd_opt_pi_reserved2
        self.nd_opt_pi_prefix = nd_opt_pi_prefix

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_opt_pi_type,
            self.nd_opt_pi_len,
            self.nd_opt_pi_prefix_len,
            self.nd_opt_pi_flags_reserved,
            self.nd_opt_pi_valid_time,
            self.nd_opt_pi_preferred_time,
            self.nd_opt_pi_reserved2,
            self.nd_opt_pi_prefix,
        ) = _S_NDOPTPREFIXINFO.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDOPTPREFIXINFO.pack(
            self.nd_opt_pi_type,
            self.nd_opt_pi_len,
            self.nd_opt_pi_prefix_len,
            self.nd_opt_pi_flags_reserved,
            self.nd_opt_pi_valid_time,
            self.nd_opt_pi_preferred_time,
            self.nd_opt_pi_reserved2,
            self.nd_opt_pi_prefix,
        )


_S_NDOPTRDHDR: Final = Struct(">BBHL")


class NdOptRdHdr(Header):
    """RFC 2461 s.4.6.3."""

    __slots__ = (
        "nd_opt_rh_type",
        "nd_opt_rh_len",
        "nd_opt_rh_reserved1",
        "nd_opt_rh_reserved2",
    )

    SIZE: ClassVar[int] = 8
    O_nd_opt_rh_type: Final = 0
    O_nd_opt_rh_len: Final = 1
    O_nd_opt_rh_reserved1: Final = 2
    O_nd_opt_rh_reserved2: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_opt_rh_type", 0, 1, "dec"),
        Field("nd_opt_rh_len", 1, 1, "dec"),
        Field("nd_opt_rh_reserved1", 2, 2, "hex"),
        Field("nd_opt_rh_reserved2", 4, 4, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_NDOPTRDHDR.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_NDOPTRDHDR.pack

    nd_opt_rh_type: int
    nd_opt_rh_len: int
    nd_opt_rh_reserved1: int
    nd_opt_rh_reserved2: int

    def __init__(
        self,
        *,
        nd_opt_rh_type: int = 4,
        nd_opt_rh_len: int = 1,
        nd_opt_rh_reserved1: int = 0,
        nd_opt_rh_reserved2: int = 0,
    ) -> None:
        self.nd_opt_rh_type = nd_opt_rh_type
        self.nd_opt_rh_len = nd_opt_rh_len
        self.nd_opt_rh_reserved1 = nd_opt_rh_reserved1
        self.nd_opt_rh_reserved2 = nd_opt_rh_reserved2

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_opt_rh_type,
            self.nd_opt_rh_len,
            self.nd_opt_rh_reserved1,
            self.nd_opt_rh_reserved2,
        ) = _S_NDOPTRDHDR.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDOPTRDHDR.pack(
            self.nd_opt_rh_type,
            self.nd_opt_rh_len,
            self.nd_opt_rh_reserved1,
            self.nd_opt_rh_reserved2,
        )


_S_NDOPTMTU: Final = Struct(">BBHL")


class NdOptMtu(Header):
    """RFC 2461 s.4.6.4."""

    __slots__ = (
        "nd_opt_mtu_type",
        "nd_opt_mtu_len",
        "nd_opt_mtu_reserved",
        "nd_opt_mtu_mtu",
    )

    SIZE: ClassVar[int] = 8
    O_nd_opt_mtu_type: Final = 0
    O_nd_opt_mtu_len: Final = 1
    O_nd_opt_mtu_reserved: Final = 2
    O_nd_opt_mtu_mtu: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_opt_mtu_type", 0, 1, "dec"),
        Field("nd_opt_mtu_len", 1, 1, "dec"),
        Field("nd_opt_mtu_reserved", 2, 2, "hex"),
        Field("nd_opt_mtu_mtu", 4, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_NDOPTMTU.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_NDOPTMTU.pack

    nd_opt_mtu_type: int
    nd_opt_mtu_len: int
    nd_opt_mtu_reserved: int
    nd_opt_mtu_mtu: int

    def __init__(
        self,
        *,
        nd_opt_mtu_type: int = 5,
        nd_opt_mtu_len: int = 1,
        nd_opt_mtu_reserved: int = 0,
        nd_opt_mtu_mtu: int = 0,
    ) -> None:
        self.nd_opt_mtu_type = nd_opt_mtu_type
        self.nd_opt_mtu_len = nd_opt_mtu_len
        self.nd_opt_mtu_reserved = nd_opt_mtu_reserved
        self.nd_opt_mtu_mtu = nd_opt_mtu_mtu

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_opt_mtu_type,
            self.nd_opt_mtu_len,
            self.nd_opt_mtu_reserved,
            self.nd_opt_mtu_mtu,
        ) = _S_NDOPTMTU.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDOPTMTU.pack(
            self.nd_opt_mtu_type, self.nd_opt_mtu_len, self.nd_opt_mtu_reserved, self.nd_opt_mtu_mtu
        )


_S_NDOPTADVINTERVAL: Final = Struct(">BBHL")


class NdOptAdvInterval(Header):
    """RFC 6275 s.7.3; interval in milliseconds."""

    __slots__ = (
        "nd_opt_ai_type",
        "nd_opt_ai_len",
        "nd_opt_ai_reserved",
        "nd_opt_ai_interval",
    )

    SIZE: ClassVar[int] = 8
    O_nd_opt_ai_type: Final = 0
    O_nd_opt_ai_len: Final = 1
    O_nd_opt_ai_reserved: Final = 2
    O_nd_opt_ai_interval: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_opt_ai_type", 0, 1, "dec"),
        Field("nd_opt_ai_len", 1, 1, "dec"),
        Field("nd_opt_ai_reserved", 2, 2, "hex"),
        Field("nd_opt_ai_interval", 4, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_NDOPTADVINTERVAL.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_NDOPTADVINTERVAL.pack

    nd_opt_ai_type: int
    nd_opt_ai_len: int
    nd_opt_ai_reserved: int
    nd_opt_ai_interval: int

    def __init__(
        self,
        *,
        nd_opt_ai_type: int = 7,
        nd_opt_ai_len: int = 1,
        nd_opt_ai_reserved: int = 0,
        nd_opt_ai_interval: int = 0,
    ) -> None:
        self.nd_opt_ai_type = nd_opt_ai_type
        self.nd_opt_ai_len = nd_opt_ai_len
        self.nd_opt_ai_reserved = nd_opt_ai_reserved
        self.nd_opt_ai_interval = nd_opt_ai_interval

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_opt_ai_type,
            self.nd_opt_ai_len,
            self.nd_opt_ai_reserved,
            self.nd_opt_ai_interval,
        ) = _S_NDOPTADVINTERVAL.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDOPTADVINTERVAL.pack(
            self.nd_opt_ai_type,
            self.nd_opt_ai_len,
            self.nd_opt_ai_reserved,
            self.nd_opt_ai_interval,
        )


_S_NDOPTHOMEAGENTINFO: Final = Struct(">BBHhH")


class NdOptHomeagentInfo(Header):
    """drafts s.6.4 (signed preference), RFC 6275 s.7.4 (unsigned); lifetime in seconds."""

    __slots__ = (
        "nd_opt_hai_type",
        "nd_opt_hai_len",
        "nd_opt_hai_reserved",
        "nd_opt_hai_preference",
        "nd_opt_hai_lifetime",
    )

    SIZE: ClassVar[int] = 8
    O_nd_opt_hai_type: Final = 0
    O_nd_opt_hai_len: Final = 1
    O_nd_opt_hai_reserved: Final = 2
    O_nd_opt_hai_preference: Final = 4
    O_nd_opt_hai_lifetime: Final = 6
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_opt_hai_type", 0, 1, "dec"),
        Field("nd_opt_hai_len", 1, 1, "dec"),
        Field("nd_opt_hai_reserved", 2, 2, "hex"),
        Field("nd_opt_hai_preference", 4, 2, "signed"),
        Field("nd_opt_hai_lifetime", 6, 2, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int]]] = (
        _S_NDOPTHOMEAGENTINFO.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int], bytes]] = _S_NDOPTHOMEAGENTINFO.pack

    nd_opt_hai_type: int
    nd_opt_hai_len: int
    nd_opt_hai_reserved: int
    nd_opt_hai_preference: int
    nd_opt_hai_lifetime: int

    def __init__(
        self,
        *,
        nd_opt_hai_type: int = 8,
        nd_opt_hai_len: int = 1,
        nd_opt_hai_reserved: int = 0,
        nd_opt_hai_preference: int = 0,
        nd_opt_hai_lifetime: int = 0,
    ) -> None:
        self.nd_opt_hai_type = nd_opt_hai_type
        self.nd_opt_hai_len = nd_opt_hai_len
        self.nd_opt_hai_reserved = nd_opt_hai_reserved
        self.nd_opt_hai_preference = nd_opt_hai_preference
        self.nd_opt_hai_lifetime = nd_opt_hai_lifetime

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_opt_hai_type,
            self.nd_opt_hai_len,
            self.nd_opt_hai_reserved,
            self.nd_opt_hai_preference,
            self.nd_opt_hai_lifetime,
        ) = _S_NDOPTHOMEAGENTINFO.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDOPTHOMEAGENTINFO.pack(
            self.nd_opt_hai_type,
            self.nd_opt_hai_len,
            self.nd_opt_hai_reserved,
            self.nd_opt_hai_preference,
            self.nd_opt_hai_lifetime,
        )


_S_NDOPTROUTEINFO: Final = Struct(">BBBBL")


class NdOptRouteInfo(Header):
    """RFC 4191 s.2.3, fixed part; 0, 8 or 16 octets of prefix follow; lifetime in seconds."""

    __slots__ = (
        "nd_opt_rti_type",
        "nd_opt_rti_len",
        "nd_opt_rti_prefixlen",
        "nd_opt_rti_flags",
        "nd_opt_rti_lifetime",
    )

    SIZE: ClassVar[int] = 8
    O_nd_opt_rti_type: Final = 0
    O_nd_opt_rti_len: Final = 1
    O_nd_opt_rti_prefixlen: Final = 2
    O_nd_opt_rti_flags: Final = 3
    O_nd_opt_rti_lifetime: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("nd_opt_rti_type", 0, 1, "dec"),
        Field("nd_opt_rti_len", 1, 1, "dec"),
        Field("nd_opt_rti_prefixlen", 2, 1, "dec"),
        Field("nd_opt_rti_flags", 3, 1, "hex"),
        Field("nd_opt_rti_lifetime", 4, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int]]] = (
        _S_NDOPTROUTEINFO.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int], bytes]] = _S_NDOPTROUTEINFO.pack

    nd_opt_rti_type: int
    nd_opt_rti_len: int
    nd_opt_rti_prefixlen: int
    nd_opt_rti_flags: int
    nd_opt_rti_lifetime: int

    def __init__(
        self,
        *,
        nd_opt_rti_type: int = 24,
        nd_opt_rti_len: int = 1,
        nd_opt_rti_prefixlen: int = 0,
        nd_opt_rti_flags: int = 0,
        nd_opt_rti_lifetime: int = 0,
    ) -> None:
        self.nd_opt_rti_type = nd_opt_rti_type
        self.nd_opt_rti_len = nd_opt_rti_len
        self.nd_opt_rti_prefixlen = nd_opt_rti_prefixlen
        self.nd_opt_rti_flags = nd_opt_rti_flags
        self.nd_opt_rti_lifetime = nd_opt_rti_lifetime

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.nd_opt_rti_type,
            self.nd_opt_rti_len,
            self.nd_opt_rti_prefixlen,
            self.nd_opt_rti_flags,
            self.nd_opt_rti_lifetime,
        ) = _S_NDOPTROUTEINFO.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_NDOPTROUTEINFO.pack(
            self.nd_opt_rti_type,
            self.nd_opt_rti_len,
            self.nd_opt_rti_prefixlen,
            self.nd_opt_rti_flags,
            self.nd_opt_rti_lifetime,
        )


_S_MLDHDR: Final = Struct(">BBHHH16s")


class MldHdr(Header):
    """RFC 2710 s.3; mld_maxdelay in milliseconds."""

    __slots__ = (
        "mld_type",
        "mld_code",
        "mld_cksum",
        "mld_maxdelay",
        "mld_reserved",
        "mld_addr",
    )

    SIZE: ClassVar[int] = 24
    O_mld_type: Final = 0
    O_mld_code: Final = 1
    O_mld_cksum: Final = 2
    O_mld_maxdelay: Final = 4
    O_mld_reserved: Final = 6
    O_mld_addr: Final = 8
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("mld_type", 0, 1, "dec"),
        Field("mld_code", 1, 1, "dec"),
        Field("mld_cksum", 2, 2, "hex"),
        Field("mld_maxdelay", 4, 2, "dec"),
        Field("mld_reserved", 6, 2, "hex"),
        Field("mld_addr", 8, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int, bytes]]] = (
        _S_MLDHDR.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int, bytes], bytes]] = _S_MLDHDR.pack

    mld_type: int
    mld_code: int
    mld_cksum: int
    mld_maxdelay: int
    mld_reserved: int
    mld_addr: bytes

    def __init__(
        self,
        *,
        mld_type: int = 0,
        mld_code: int = 0,
        mld_cksum: int = 0,
        mld_maxdelay: int = 0,
        mld_reserved: int = 0,
        mld_addr: bytes = bytes(16),
    ) -> None:
        self.mld_type = mld_type
        self.mld_code = mld_code
        self.mld_cksum = mld_cksum
        self.mld_maxdelay = mld_maxdelay
        self.mld_reserved = mld_reserved
        self.mld_addr = mld_addr

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.mld_type,
            self.mld_code,
            self.mld_cksum,
            self.mld_maxdelay,
            self.mld_reserved,
            self.mld_addr,
        ) = _S_MLDHDR.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_MLDHDR.pack(
            self.mld_type,
            self.mld_code,
            self.mld_cksum,
            self.mld_maxdelay,
            self.mld_reserved,
            self.mld_addr,
        )


_S_UDPHDR: Final = Struct(">HHHH")


class Udphdr(Header):
    """RFC 768."""

    __slots__ = (
        "uh_sport",
        "uh_dport",
        "uh_ulen",
        "uh_sum",
    )

    SIZE: ClassVar[int] = 8
    O_uh_sport: Final = 0
    O_uh_dport: Final = 2
    O_uh_ulen: Final = 4
    O_uh_sum: Final = 6
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("uh_sport", 0, 2, "dec"),
        Field("uh_dport", 2, 2, "dec"),
        Field("uh_ulen", 4, 2, "dec"),
        Field("uh_sum", 6, 2, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = _S_UDPHDR.unpack_from
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_UDPHDR.pack

    uh_sport: int
    uh_dport: int
    uh_ulen: int
    uh_sum: int

    def __init__(
        self,
        *,
        uh_sport: int = 0,
        uh_dport: int = 0,
        uh_ulen: int = 8,
        uh_sum: int = 0,
    ) -> None:
        self.uh_sport = uh_sport
        self.uh_dport = uh_dport
        self.uh_ulen = uh_ulen
        self.uh_sum = uh_sum

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.uh_sport,
            self.uh_dport,
            self.uh_ulen,
            self.uh_sum,
        ) = _S_UDPHDR.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_UDPHDR.pack(self.uh_sport, self.uh_dport, self.uh_ulen, self.uh_sum)


_S_TCPHDR: Final = Struct(">HHLLBBHHH")


class Tcphdr(Header):
    """RFC 793 s.3.1; th_off_x2 = data offset in 4-octet words << 4."""

    __slots__ = (
        "th_sport",
        "th_dport",
        "th_seq",
        "th_ack",
        "th_off_x2",
        "th_flags",
        "th_win",
        "th_sum",
        "th_urp",
    )

    SIZE: ClassVar[int] = 20
    O_th_sport: Final = 0
    O_th_dport: Final = 2
    O_th_seq: Final = 4
    O_th_ack: Final = 8
    O_th_off_x2: Final = 12
    O_th_flags: Final = 13
    O_th_win: Final = 14
    O_th_sum: Final = 16
    O_th_urp: Final = 18
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("th_sport", 0, 2, "dec"),
        Field("th_dport", 2, 2, "dec"),
        Field("th_seq", 4, 4, "dec"),
        Field("th_ack", 8, 4, "dec"),
        Field("th_off_x2", 12, 1, "hex"),
        Field("th_flags", 13, 1, "hex"),
        Field("th_win", 14, 2, "dec"),
        Field("th_sum", 16, 2, "hex"),
        Field("th_urp", 18, 2, "dec"),
    )
    unpack_fields: ClassVar[
        Callable[[Buf, int], tuple[int, int, int, int, int, int, int, int, int]]
    ] = _S_TCPHDR.unpack_from
    pack_fields: ClassVar[Callable[[int, int, int, int, int, int, int, int, int], bytes]] = (
        _S_TCPHDR.pack
    )

    th_sport: int
    th_dport: int
    th_seq: int
    th_ack: int
    th_off_x2: int
    th_flags: int
    th_win: int
    th_sum: int
    th_urp: int

    def __init__(
        self,
        *,
        th_sport: int = 0,
        th_dport: int = 0,
        th_seq: int = 0,
        th_ack: int = 0,
        th_off_x2: int = 0x50,
        th_flags: int = 0,
        th_win: int = 0,
        th_sum: int = 0,
        th_urp: int = 0,
    ) -> None:
        self.th_sport = th_sport
        self.th_dport = th_dport
        self.th_seq = th_seq
        self.th_ack = th_ack
        self.th_off_x2 = th_off_x2
        self.th_flags = th_flags
        self.th_win = th_win
        self.th_sum = th_sum
        self.th_urp = th_urp

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.th_sport,
            self.th_dport,
            self.th_seq,
            self.th_ack,
            self.th_off_x2,
            self.th_flags,
            self.th_win,
            self.th_sum,
            self.th_urp,
        ) = _S_TCPHDR.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_TCPHDR.pack(
            self.th_sport,
            self.th_dport,
            self.th_seq,
            self.th_ack,
            self.th_off_x2,
            self.th_flags,
            self.th_win,
            self.th_sum,
            self.th_urp,
        )


_S_AH: Final = Struct(">BBHLL")


class Ah(Header):
    """RFC 2402 s.2, fixed part before the ICV; ah_len = octets/4 - 2."""

    __slots__ = (
        "ah_nxt",
        "ah_len",
        "ah_reserve",
        "ah_spi",
        "ah_seq",
    )

    SIZE: ClassVar[int] = 12
    O_ah_nxt: Final = 0
    O_ah_len: Final = 1
    O_ah_reserve: Final = 2
    O_ah_spi: Final = 4
    O_ah_seq: Final = 8
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ah_nxt", 0, 1, "dec"),
        Field("ah_len", 1, 1, "dec"),
        Field("ah_reserve", 2, 2, "hex"),
        Field("ah_spi", 4, 4, "hex"),
        Field("ah_seq", 8, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int]]] = (
        _S_AH.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int], bytes]] = _S_AH.pack

    ah_nxt: int
    ah_len: int
    ah_reserve: int
    ah_spi: int
    ah_seq: int

    def __init__(
        self,
        *,
        ah_nxt: int = 0,
        ah_len: int = 4,
        ah_reserve: int = 0,
        ah_spi: int = 0,
        ah_seq: int = 0,
    ) -> None:
        self.ah_nxt = ah_nxt
        self.ah_len = ah_len
        self.ah_reserve = ah_reserve
        self.ah_spi = ah_spi
        self.ah_seq = ah_seq

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ah_nxt,
            self.ah_len,
            self.ah_reserve,
            self.ah_spi,
            self.ah_seq,
        ) = _S_AH.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_AH.pack(self.ah_nxt, self.ah_len, self.ah_reserve, self.ah_spi, self.ah_seq)


_S_ESP: Final = Struct(">LL")


class Esp(Header):
    """RFC 2406 s.2."""

    __slots__ = (
        "esp_spi",
        "esp_seq",
    )

    SIZE: ClassVar[int] = 8
    O_esp_spi: Final = 0
    O_esp_seq: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("esp_spi", 0, 4, "hex"),
        Field("esp_seq", 4, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_ESP.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_ESP.pack

    esp_spi: int
    esp_seq: int

    def __init__(
        self,
        *,
        esp_spi: int = 0,
        esp_seq: int = 0,
    ) -> None:
        self.esp_spi = esp_spi
        self.esp_seq = esp_seq

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.esp_spi,
            self.esp_seq,
        ) = _S_ESP.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ESP.pack(self.esp_spi, self.esp_seq)


_S_ESPTAIL: Final = Struct(">BB")


class Esptail(Header):
    """RFC 2406 s.2.4-2.6, in front of the ICV."""

    __slots__ = (
        "esp_padlen",
        "esp_nxt",
    )

    SIZE: ClassVar[int] = 2
    O_esp_padlen: Final = 0
    O_esp_nxt: Final = 1
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("esp_padlen", 0, 1, "dec"),
        Field("esp_nxt", 1, 1, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int]]] = _S_ESPTAIL.unpack_from
    pack_fields: ClassVar[Callable[[int, int], bytes]] = _S_ESPTAIL.pack

    esp_padlen: int
    esp_nxt: int

    def __init__(
        self,
        *,
        esp_padlen: int = 0,
        esp_nxt: int = 0,
    ) -> None:
        self.esp_padlen = esp_padlen
        self.esp_nxt = esp_nxt

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.esp_padlen,
            self.esp_nxt,
        ) = _S_ESPTAIL.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_ESPTAIL.pack(self.esp_padlen, self.esp_nxt)


_S_IP6OPTBINDINGUPDATE: Final = Struct(">BBBHBL")


class Ip6OptBindingUpdate(Header):
    """draft-15 s.5.1; lifetime in seconds; align 4n+2."""

    __slots__ = (
        "ip6ou_type",
        "ip6ou_len",
        "ip6ou_flags",
        "ip6ou_reserved",
        "ip6ou_seqno",
        "ip6ou_lifetime",
    )

    SIZE: ClassVar[int] = 10
    O_ip6ou_type: Final = 0
    O_ip6ou_len: Final = 1
    O_ip6ou_flags: Final = 2
    O_ip6ou_reserved: Final = 3
    O_ip6ou_seqno: Final = 5
    O_ip6ou_lifetime: Final = 6
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6ou_type", 0, 1, "hex"),
        Field("ip6ou_len", 1, 1, "dec"),
        Field("ip6ou_flags", 2, 1, "hex"),
        Field("ip6ou_reserved", 3, 2, "hex"),
        Field("ip6ou_seqno", 5, 1, "dec"),
        Field("ip6ou_lifetime", 6, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int, int]]] = (
        _S_IP6OPTBINDINGUPDATE.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int, int], bytes]] = (
        _S_IP6OPTBINDINGUPDATE.pack
    )

    ip6ou_type: int
    ip6ou_len: int
    ip6ou_flags: int
    ip6ou_reserved: int
    ip6ou_seqno: int
    ip6ou_lifetime: int

    def __init__(
        self,
        *,
        ip6ou_type: int = 0xC6,
        ip6ou_len: int = 8,
        ip6ou_flags: int = 0,
        ip6ou_reserved: int = 0,
        ip6ou_seqno: int = 0,
        ip6ou_lifetime: int = 0,
    ) -> None:
        self.ip6ou_type = ip6ou_type
        self.ip6ou_len = ip6ou_len
        self.ip6ou_flags = ip6ou_flags
        self.ip6ou_reserved = ip6ou_reserved
        self.ip6ou_seqno = ip6ou_seqno
        self.ip6ou_lifetime = ip6ou_lifetime

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6ou_type,
            self.ip6ou_len,
            self.ip6ou_flags,
            self.ip6ou_reserved,
            self.ip6ou_seqno,
            self.ip6ou_lifetime,
        ) = _S_IP6OPTBINDINGUPDATE.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTBINDINGUPDATE.pack(
            self.ip6ou_type,
            self.ip6ou_len,
            self.ip6ou_flags,
            self.ip6ou_reserved,
            self.ip6ou_seqno,
            self.ip6ou_lifetime,
        )


_S_IP6OPTBINDINGACK: Final = Struct(">BBBBBLL")


class Ip6OptBindingAck(Header):
    """draft-15 s.5.2; times in seconds; align 4n+3."""

    __slots__ = (
        "ip6oa_type",
        "ip6oa_len",
        "ip6oa_status",
        "ip6oa_reserved",
        "ip6oa_seqno",
        "ip6oa_lifetime",
        "ip6oa_refresh",
    )

    SIZE: ClassVar[int] = 13
    O_ip6oa_type: Final = 0
    O_ip6oa_len: Final = 1
    O_ip6oa_status: Final = 2
    O_ip6oa_reserved: Final = 3
    O_ip6oa_seqno: Final = 4
    O_ip6oa_lifetime: Final = 5
    O_ip6oa_refresh: Final = 9
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6oa_type", 0, 1, "hex"),
        Field("ip6oa_len", 1, 1, "dec"),
        Field("ip6oa_status", 2, 1, "dec"),
        Field("ip6oa_reserved", 3, 1, "hex"),
        Field("ip6oa_seqno", 4, 1, "dec"),
        Field("ip6oa_lifetime", 5, 4, "dec"),
        Field("ip6oa_refresh", 9, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int, int, int]]] = (
        _S_IP6OPTBINDINGACK.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int, int, int], bytes]] = (
        _S_IP6OPTBINDINGACK.pack
    )

    ip6oa_type: int
    ip6oa_len: int
    ip6oa_status: int
    ip6oa_reserved: int
    ip6oa_seqno: int
    ip6oa_lifetime: int
    ip6oa_refresh: int

    def __init__(
        self,
        *,
        ip6oa_type: int = 0x7,
        ip6oa_len: int = 11,
        ip6oa_status: int = 0,
        ip6oa_reserved: int = 0,
        ip6oa_seqno: int = 0,
        ip6oa_lifetime: int = 0,
        ip6oa_refresh: int = 0,
    ) -> None:
        self.ip6oa_type = ip6oa_type
        self.ip6oa_len = ip6oa_len
        self.ip6oa_status = ip6oa_status
        self.ip6oa_reserved = ip6oa_reserved
        self.ip6oa_seqno = ip6oa_seqno
        self.ip6oa_lifetime = ip6oa_lifetime
        self.ip6oa_refresh = ip6oa_refresh

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6oa_type,
            self.ip6oa_len,
            self.ip6oa_status,
            self.ip6oa_reserved,
            self.ip6oa_seqno,
            self.ip6oa_lifetime,
            self.ip6oa_refresh,
        ) = _S_IP6OPTBINDINGACK.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTBINDINGACK.pack(
            self.ip6oa_type,
            self.ip6oa_len,
            self.ip6oa_status,
            self.ip6oa_reserved,
            self.ip6oa_seqno,
            self.ip6oa_lifetime,
            self.ip6oa_refresh,
        )


_S_IP6SUBOPTALTCOA: Final = Struct(">BB16s")


class Ip6SubOptAltCoa(Header):
    """draft-15 s.5.5; align 8n+6."""

    __slots__ = (
        "type",
        "len",
        "coa",
    )

    SIZE: ClassVar[int] = 18
    O_type: Final = 0
    O_len: Final = 1
    O_coa: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("type", 0, 1, "dec"),
        Field("len", 1, 1, "dec"),
        Field("coa", 2, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, bytes]]] = (
        _S_IP6SUBOPTALTCOA.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, bytes], bytes]] = _S_IP6SUBOPTALTCOA.pack

    type: int
    len: int
    coa: bytes

    def __init__(
        self,
        *,
        type: int = 3,
        len: int = 16,
        coa: bytes = bytes(16),
    ) -> None:
        self.type = type
        self.len = len
        self.coa = coa

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.type,
            self.len,
            self.coa,
        ) = _S_IP6SUBOPTALTCOA.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6SUBOPTALTCOA.pack(self.type, self.len, self.coa)


_S_IP6SUBOPTAUTHDATA: Final = Struct(">BBL")


class Ip6SubOptAuthData(Header):
    """draft-15 s.5.5, fixed part before the MAC; align 8n+6."""

    __slots__ = (
        "type",
        "len",
        "spi",
    )

    SIZE: ClassVar[int] = 6
    O_type: Final = 0
    O_len: Final = 1
    O_spi: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("type", 0, 1, "dec"),
        Field("len", 1, 1, "dec"),
        Field("spi", 2, 4, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int]]] = (
        _S_IP6SUBOPTAUTHDATA.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int], bytes]] = _S_IP6SUBOPTAUTHDATA.pack

    type: int
    len: int
    spi: int

    def __init__(
        self,
        *,
        type: int = 4,
        len: int = 4,
        spi: int = 0,
    ) -> None:
        self.type = type
        self.len = len
        self.spi = spi

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.type,
            self.len,
            self.spi,
        ) = _S_IP6SUBOPTAUTHDATA.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6SUBOPTAUTHDATA.pack(self.type, self.len, self.spi)


_S_HADISCOVREQ: Final = Struct(">BBHHH")


class HaDiscovReq(Header):
    """draft-15 s.5.6."""

    __slots__ = (
        "ha_dreq_type",
        "ha_dreq_code",
        "ha_dreq_cksum",
        "ha_dreq_id",
        "ha_dreq_reserved",
    )

    SIZE: ClassVar[int] = 8
    O_ha_dreq_type: Final = 0
    O_ha_dreq_code: Final = 1
    O_ha_dreq_cksum: Final = 2
    O_ha_dreq_id: Final = 4
    O_ha_dreq_reserved: Final = 6
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ha_dreq_type", 0, 1, "dec"),
        Field("ha_dreq_code", 1, 1, "dec"),
        Field("ha_dreq_cksum", 2, 2, "hex"),
        Field("ha_dreq_id", 4, 2, "dec"),
        Field("ha_dreq_reserved", 6, 2, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int]]] = (
        _S_HADISCOVREQ.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int], bytes]] = _S_HADISCOVREQ.pack

    ha_dreq_type: int
    ha_dreq_code: int
    ha_dreq_cksum: int
    ha_dreq_id: int
    ha_dreq_reserved: int

    def __init__(
        self,
        *,
        ha_dreq_type: int = 150,
        ha_dreq_code: int = 0,
        ha_dreq_cksum: int = 0,
        ha_dreq_id: int = 0,
        ha_dreq_reserved: int = 0,
    ) -> None:
        self.ha_dreq_type = ha_dreq_type
        self.ha_dreq_code = ha_dreq_code
        self.ha_dreq_cksum = ha_dreq_cksum
        self.ha_dreq_id = ha_dreq_id
        self.ha_dreq_reserved = ha_dreq_reserved

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ha_dreq_type,
            self.ha_dreq_code,
            self.ha_dreq_cksum,
            self.ha_dreq_id,
            self.ha_dreq_reserved,
        ) = _S_HADISCOVREQ.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_HADISCOVREQ.pack(
            self.ha_dreq_type,
            self.ha_dreq_code,
            self.ha_dreq_cksum,
            self.ha_dreq_id,
            self.ha_dreq_reserved,
        )


_S_HADISCOVREP: Final = Struct(">BBHH10s")


class HaDiscovRep(Header):
    """draft-15 s.5.7, fixed part; home agent addresses follow."""

    __slots__ = (
        "ha_drep_type",
        "ha_drep_code",
        "ha_drep_cksum",
        "ha_drep_id",
        "ha_drep_reserved",
    )

    SIZE: ClassVar[int] = 16
    O_ha_drep_type: Final = 0
    O_ha_drep_code: Final = 1
    O_ha_drep_cksum: Final = 2
    O_ha_drep_id: Final = 4
    O_ha_drep_reserved: Final = 6
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ha_drep_type", 0, 1, "dec"),
        Field("ha_drep_code", 1, 1, "dec"),
        Field("ha_drep_cksum", 2, 2, "hex"),
        Field("ha_drep_id", 4, 2, "dec"),
        Field("ha_drep_reserved", 6, 10, "bytes"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, bytes]]] = (
        _S_HADISCOVREP.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, bytes], bytes]] = _S_HADISCOVREP.pack

    ha_drep_type: int
    ha_drep_code: int
    ha_drep_cksum: int
    ha_drep_id: int
    ha_drep_reserved: bytes

    def __init__(
        self,
        *,
        ha_drep_type: int = 151,
        ha_drep_code: int = 0,
        ha_drep_cksum: int = 0,
        ha_drep_id: int = 0,
        ha_drep_reserved: bytes = bytes(10),
    ) -> None:
        self.ha_drep_type = ha_drep_type
        self.ha_drep_code = ha_drep_code
        self.ha_drep_cksum = ha_drep_cksum
        self.ha_drep_id = ha_drep_id
        self.ha_drep_reserved = ha_drep_reserved

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ha_drep_type,
            self.ha_drep_code,
            self.ha_drep_cksum,
            self.ha_drep_id,
            self.ha_drep_reserved,
        ) = _S_HADISCOVREP.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_HADISCOVREP.pack(
            self.ha_drep_type,
            self.ha_drep_code,
            self.ha_drep_cksum,
            self.ha_drep_id,
            self.ha_drep_reserved,
        )


_S_MPSOLICIT: Final = Struct(">BBHL")


class MpSolicit(Header):
    """draft-15 s.5.8."""

    __slots__ = (
        "mp_sol_type",
        "mp_sol_code",
        "mp_sol_cksum",
        "mp_sol_reserved",
    )

    SIZE: ClassVar[int] = 8
    O_mp_sol_type: Final = 0
    O_mp_sol_code: Final = 1
    O_mp_sol_cksum: Final = 2
    O_mp_sol_reserved: Final = 4
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("mp_sol_type", 0, 1, "dec"),
        Field("mp_sol_code", 1, 1, "dec"),
        Field("mp_sol_cksum", 2, 2, "hex"),
        Field("mp_sol_reserved", 4, 4, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int]]] = (
        _S_MPSOLICIT.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int], bytes]] = _S_MPSOLICIT.pack

    mp_sol_type: int
    mp_sol_code: int
    mp_sol_cksum: int
    mp_sol_reserved: int

    def __init__(
        self,
        *,
        mp_sol_type: int = 152,
        mp_sol_code: int = 0,
        mp_sol_cksum: int = 0,
        mp_sol_reserved: int = 0,
    ) -> None:
        self.mp_sol_type = mp_sol_type
        self.mp_sol_code = mp_sol_code
        self.mp_sol_cksum = mp_sol_cksum
        self.mp_sol_reserved = mp_sol_reserved

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.mp_sol_type,
            self.mp_sol_code,
            self.mp_sol_cksum,
            self.mp_sol_reserved,
        ) = _S_MPSOLICIT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_MPSOLICIT.pack(
            self.mp_sol_type, self.mp_sol_code, self.mp_sol_cksum, self.mp_sol_reserved
        )


_S_MPADVERT: Final = Struct(">BBH")


class MpAdvert(Header):
    """draft-15 s.5.9; options follow at once."""

    __slots__ = (
        "mp_adv_type",
        "mp_adv_code",
        "mp_adv_cksum",
    )

    SIZE: ClassVar[int] = 4
    O_mp_adv_type: Final = 0
    O_mp_adv_code: Final = 1
    O_mp_adv_cksum: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("mp_adv_type", 0, 1, "dec"),
        Field("mp_adv_code", 1, 1, "dec"),
        Field("mp_adv_cksum", 2, 2, "hex"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int]]] = _S_MPADVERT.unpack_from
    pack_fields: ClassVar[Callable[[int, int, int], bytes]] = _S_MPADVERT.pack

    mp_adv_type: int
    mp_adv_code: int
    mp_adv_cksum: int

    def __init__(
        self,
        *,
        mp_adv_type: int = 153,
        mp_adv_code: int = 0,
        mp_adv_cksum: int = 0,
    ) -> None:
        self.mp_adv_type = mp_adv_type
        self.mp_adv_code = mp_adv_code
        self.mp_adv_cksum = mp_adv_cksum

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.mp_adv_type,
            self.mp_adv_code,
            self.mp_adv_cksum,
        ) = _S_MPADVERT.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_MPADVERT.pack(self.mp_adv_type, self.mp_adv_code, self.mp_adv_cksum)


_S_IP6OPTBINDINGUPDATED13: Final = Struct(">BBBBHL")


class Ip6OptBindingUpdateD13(Header):
    """draft-13 s.5.1; lifetime in seconds; align 4n+2."""

    __slots__ = (
        "ip6ou_type",
        "ip6ou_len",
        "ip6ou_flags",
        "ip6ou_prefixlen",
        "ip6ou_seqno",
        "ip6ou_lifetime",
    )

    SIZE: ClassVar[int] = 10
    O_ip6ou_type: Final = 0
    O_ip6ou_len: Final = 1
    O_ip6ou_flags: Final = 2
    O_ip6ou_prefixlen: Final = 3
    O_ip6ou_seqno: Final = 4
    O_ip6ou_lifetime: Final = 6
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6ou_type", 0, 1, "hex"),
        Field("ip6ou_len", 1, 1, "dec"),
        Field("ip6ou_flags", 2, 1, "hex"),
        Field("ip6ou_prefixlen", 3, 1, "dec"),
        Field("ip6ou_seqno", 4, 2, "dec"),
        Field("ip6ou_lifetime", 6, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int, int]]] = (
        _S_IP6OPTBINDINGUPDATED13.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int, int], bytes]] = (
        _S_IP6OPTBINDINGUPDATED13.pack
    )

    ip6ou_type: int
    ip6ou_len: int
    ip6ou_flags: int
    ip6ou_prefixlen: int
    ip6ou_seqno: int
    ip6ou_lifetime: int

    def __init__(
        self,
        *,
        ip6ou_type: int = 0xC6,
        ip6ou_len: int = 8,
        ip6ou_flags: int = 0,
        ip6ou_prefixlen: int = 0,
        ip6ou_seqno: int = 0,
        ip6ou_lifetime: int = 0,
    ) -> None:
        self.ip6ou_type = ip6ou_type
        self.ip6ou_len = ip6ou_len
        self.ip6ou_flags = ip6ou_flags
        self.ip6ou_prefixlen = ip6ou_prefixlen
        self.ip6ou_seqno = ip6ou_seqno
        self.ip6ou_lifetime = ip6ou_lifetime

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6ou_type,
            self.ip6ou_len,
            self.ip6ou_flags,
            self.ip6ou_prefixlen,
            self.ip6ou_seqno,
            self.ip6ou_lifetime,
        ) = _S_IP6OPTBINDINGUPDATED13.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTBINDINGUPDATED13.pack(
            self.ip6ou_type,
            self.ip6ou_len,
            self.ip6ou_flags,
            self.ip6ou_prefixlen,
            self.ip6ou_seqno,
            self.ip6ou_lifetime,
        )


_S_IP6OPTBINDINGACKD13: Final = Struct(">BBBHLL")


class Ip6OptBindingAckD13(Header):
    """draft-13 s.5.2; times in seconds; align 4n+3."""

    __slots__ = (
        "ip6oa_type",
        "ip6oa_len",
        "ip6oa_status",
        "ip6oa_seqno",
        "ip6oa_lifetime",
        "ip6oa_refresh",
    )

    SIZE: ClassVar[int] = 13
    O_ip6oa_type: Final = 0
    O_ip6oa_len: Final = 1
    O_ip6oa_status: Final = 2
    O_ip6oa_seqno: Final = 3
    O_ip6oa_lifetime: Final = 5
    O_ip6oa_refresh: Final = 9
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ip6oa_type", 0, 1, "hex"),
        Field("ip6oa_len", 1, 1, "dec"),
        Field("ip6oa_status", 2, 1, "dec"),
        Field("ip6oa_seqno", 3, 2, "dec"),
        Field("ip6oa_lifetime", 5, 4, "dec"),
        Field("ip6oa_refresh", 9, 4, "dec"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, int, int]]] = (
        _S_IP6OPTBINDINGACKD13.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, int, int], bytes]] = (
        _S_IP6OPTBINDINGACKD13.pack
    )

    ip6oa_type: int
    ip6oa_len: int
    ip6oa_status: int
    ip6oa_seqno: int
    ip6oa_lifetime: int
    ip6oa_refresh: int

    def __init__(
        self,
        *,
        ip6oa_type: int = 0x7,
        ip6oa_len: int = 11,
        ip6oa_status: int = 0,
        ip6oa_seqno: int = 0,
        ip6oa_lifetime: int = 0,
        ip6oa_refresh: int = 0,
    ) -> None:
        self.ip6oa_type = ip6oa_type
        self.ip6oa_len = ip6oa_len
        self.ip6oa_status = ip6oa_status
        self.ip6oa_seqno = ip6oa_seqno
        self.ip6oa_lifetime = ip6oa_lifetime
        self.ip6oa_refresh = ip6oa_refresh

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ip6oa_type,
            self.ip6oa_len,
            self.ip6oa_status,
            self.ip6oa_seqno,
            self.ip6oa_lifetime,
            self.ip6oa_refresh,
        ) = _S_IP6OPTBINDINGACKD13.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6OPTBINDINGACKD13.pack(
            self.ip6oa_type,
            self.ip6oa_len,
            self.ip6oa_status,
            self.ip6oa_seqno,
            self.ip6oa_lifetime,
            self.ip6oa_refresh,
        )


_S_IP6SUBOPTALTCOAD13: Final = Struct(">BB16s")


class Ip6SubOptAltCoaD13(Header):
    """draft-13 s.5.5; align 8n+6."""

    __slots__ = (
        "type",
        "len",
        "coa",
    )

    SIZE: ClassVar[int] = 18
    O_type: Final = 0
    O_len: Final = 1
    O_coa: Final = 2
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("type", 0, 1, "dec"),
        Field("len", 1, 1, "dec"),
        Field("coa", 2, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, bytes]]] = (
        _S_IP6SUBOPTALTCOAD13.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, bytes], bytes]] = _S_IP6SUBOPTALTCOAD13.pack

    type: int
    len: int
    coa: bytes

    def __init__(
        self,
        *,
        type: int = 4,
        len: int = 16,
        coa: bytes = bytes(16),
    ) -> None:
        self.type = type
        self.len = len
        self.coa = coa

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.type,
            self.len,
            self.coa,
        ) = _S_IP6SUBOPTALTCOAD13.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_IP6SUBOPTALTCOAD13.pack(self.type, self.len, self.coa)


_S_HADISCOVREQD13: Final = Struct(">BBHH10s16s")


class HaDiscovReqD13(Header):
    """draft-13 s.5.6."""

    __slots__ = (
        "ha_dreq_type",
        "ha_dreq_code",
        "ha_dreq_cksum",
        "ha_dreq_id",
        "ha_dreq_reserved",
        "ha_dreq_home",
    )

    SIZE: ClassVar[int] = 32
    O_ha_dreq_type: Final = 0
    O_ha_dreq_code: Final = 1
    O_ha_dreq_cksum: Final = 2
    O_ha_dreq_id: Final = 4
    O_ha_dreq_reserved: Final = 6
    O_ha_dreq_home: Final = 16
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("ha_dreq_type", 0, 1, "dec"),
        Field("ha_dreq_code", 1, 1, "dec"),
        Field("ha_dreq_cksum", 2, 2, "hex"),
        Field("ha_dreq_id", 4, 2, "dec"),
        Field("ha_dreq_reserved", 6, 10, "bytes"),
        Field("ha_dreq_home", 16, 16, "addr"),
    )
    unpack_fields: ClassVar[Callable[[Buf, int], tuple[int, int, int, int, bytes, bytes]]] = (
        _S_HADISCOVREQD13.unpack_from
    )
    pack_fields: ClassVar[Callable[[int, int, int, int, bytes, bytes], bytes]] = (
        _S_HADISCOVREQD13.pack
    )

    ha_dreq_type: int
    ha_dreq_code: int
    ha_dreq_cksum: int
    ha_dreq_id: int
    ha_dreq_reserved: bytes
    ha_dreq_home: bytes

    def __init__(
        self,
        *,
        ha_dreq_type: int = 150,
        ha_dreq_code: int = 0,
        ha_dreq_cksum: int = 0,
        ha_dreq_id: int = 0,
        ha_dreq_reserved: bytes = bytes(10),
        ha_dreq_home: bytes = bytes(16),
    ) -> None:
        self.ha_dreq_type = ha_dreq_type
        self.ha_dreq_code = ha_dreq_code
        self.ha_dreq_cksum = ha_dreq_cksum
        self.ha_dreq_id = ha_dreq_id
        self.ha_dreq_reserved = ha_dreq_reserved
        self.ha_dreq_home = ha_dreq_home

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        self = cls.__new__(cls)
        (
            self.ha_dreq_type,
            self.ha_dreq_code,
            self.ha_dreq_cksum,
            self.ha_dreq_id,
            self.ha_dreq_reserved,
            self.ha_dreq_home,
        ) = _S_HADISCOVREQD13.unpack_from(buf, off)
        return self

    def pack(self) -> bytes:
        return _S_HADISCOVREQD13.pack(
            self.ha_dreq_type,
            self.ha_dreq_code,
            self.ha_dreq_cksum,
            self.ha_dreq_id,
            self.ha_dreq_reserved,
            self.ha_dreq_home,
        )
