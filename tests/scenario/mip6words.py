# SPDX-License-Identifier: BSD-3-Clause
"""The words of the mobility scenarios: updates that a tester sends, acknowledgements it hears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kame_py.kern.kernel import Kernel
from kame_py.mip6.mip6_bc import mip6_bc_remove
from kame_py.mip6.mip6_bcache import CACHE
from kame_py.mip6.mip6_var import Mip6State, mip6_state
from kame_py.wire.codecs import Ip6Dest, Ip6Hdr, Ip6Rthdr
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_ROUTING
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import (
    SIOCSMIP6CFG,
    SIOCSMIP6CFG_DISABLEAUTHDATA,
    SIOCSMIP6CFG_DISABLEIPSEC,
    SIOCSMIP6CFG_ENABLEHA,
)
from kame_py.wire.ip6ext import build_options, build_rthdr0, iter_options, rthdr0_addrs, walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import (
    AltCoa,
    BindingAck,
    BindingRequest,
    BindingUpdate,
    HomeAddress,
    MipOption,
    OptionWire,
    SubOpt,
)
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.snap import Row
from tests.scenario.tester import Stage
from tests.scenario.words import Heard, addr, ip6, with_header

#: Kernel options that choose a draft.
DRAFTS: Final = {"draft-15": "options MIP6", "draft-13": "options MIP6\noptions MIP6_DRAFT13"}
FLAGS: Final = {"A": 0x80, "H": 0x40, "S": 0x20, "R": 0x20, "D": 0x10}
BU_ALIGN_FROM_HEADER: Final = 2  # the update stands first in its header
NONE: Final = 59


def home_plen(wire: OptionWire, flags: str) -> int:
    """What says in a home registration what S does not, where a draft has no S."""
    return 64 if wire.bu_prefixlen and "H" in flags and "S" not in flags else 0


def with_hao(coa: str, dst: str, hoa: str, rest: bytes = b"", nxt: int = NONE) -> bytes:
    """A packet of a mobile node that is away."""
    hao = build_options(nxt, [WIRE.aligned(HomeAddress(addr(hoa)))])
    return ip6(coa, dst, hao + rest, IPPROTO_DSTOPTS)


def update(
    seq: int = 1,
    lifetime: int = 60,
    flags: str = "A",
    alt: str = "",
    more: tuple[SubOpt, ...] = (),
    wire: OptionWire = WIRE,
    plen: int = 0,
) -> BindingUpdate:
    """A binding update; flags of A, H, S, R, D; ``alt`` an alternate care-of address."""
    subopts: tuple[SubOpt, ...] = (AltCoa(addr(alt)), *more) if alt else more
    at = BU_ALIGN_FROM_HEADER + wire.bu_size
    bits = sum(FLAGS[f] for f in flags if f in wire.bu_flag_letters)
    return BindingUpdate(bits, seq, lifetime, plen, subopts=wire.align_subopts(subopts, at))


def bu(
    coa: str,
    dst: str,
    hoa: str,
    seq: int = 1,
    lifetime: int = 60,
    flags: str = "A",
    alt: str = "",
    payload: bytes = b"",
    nxt: int = NONE,
    more: tuple[SubOpt, ...] = (),
    wire: OptionWire = WIRE,
    plen: int = 0,
) -> bytes:
    """A packet with a home address option and a binding update, each in its header."""
    value = update(seq, lifetime, flags, alt, more, wire, plen)
    option = build_options(nxt, [wire.aligned(value)])
    return with_hao(coa, dst, hoa, option + payload, IPPROTO_DSTOPTS)


@dataclass(frozen=True)
class Seen:
    """A packet as mobility made it. hops: of its routing header, the destination first."""

    src: str
    hops: tuple[str, ...]
    options: tuple[MipOption, ...]
    nxt: int
    rest: bytes

    @property
    def ba(self) -> BindingAck:
        found = [o for o in self.options if isinstance(o, BindingAck)]
        assert len(found) == 1, self
        return found[0]

    @property
    def asks(self) -> bool:
        """Whether it carries a binding request."""
        return any(isinstance(o, BindingRequest) for o in self.options)


def seen(heard: Heard | bytes, wire: OptionWire = WIRE) -> Seen:
    """What a packet carries."""
    data = heard if isinstance(heard, bytes) else heard.packet
    head = Ip6Hdr.unpack(data)
    hops = [head.ip6_dst]
    options: list[MipOption] = []
    chain = walk(data, head.ip6_nxt, Ip6Hdr.SIZE, len(data))
    assert chain.error is None
    for ext in chain.headers:
        if ext.nxt_type == IPPROTO_ROUTING:
            addrs = rthdr0_addrs(data, ext)
            assert not isinstance(addrs, Malformed)
            assert Ip6Rthdr.unpack(data, ext.off).ip6r_segleft == len(addrs)
            hops += addrs
        elif ext.nxt_type == IPPROTO_DSTOPTS:
            for opt in iter_options(data, ext.off + Ip6Dest.SIZE, ext.off + ext.len):
                assert not isinstance(opt, Malformed)
                option = wire.parse_option(data, opt)
                assert not isinstance(option, Malformed)
                options += [] if option is None else [option]
    names = tuple(ntop(a) for a in hops)
    return Seen(ntop(head.ip6_src), names, tuple(options), chain.nxt, data[chain.off :])


def mobility(stage: Stage) -> Mip6State:
    return mip6_state(stage.kern)


def configure(stage: Stage, *commands: int) -> None:
    """What mip6control asks of the kernel."""
    for command in commands:
        stage.kern.ioctlsw[SIOCSMIP6CFG](stage.kern, SIOCSMIP6CFG(command))


def unprotected(stage: Stage) -> None:
    """mip6control -S 0 -T 0."""
    configure(stage, SIOCSMIP6CFG_DISABLEIPSEC, SIOCSMIP6CFG_DISABLEAUTHDATA)


def home_agent(stage: Stage) -> None:
    """mip6control -S 0 -T 0 -g."""
    unprotected(stage)
    configure(stage, SIOCSMIP6CFG_ENABLEHA)


def bindings(stage: Stage) -> dict[str, str]:
    """Home addresses and their care-of addresses, of correspondents and of home registrations."""
    state = mobility(stage)
    bcs = [*state.mip6_bc_list.values(), *state.mip6_hrbc_list.values()]
    return {ntop(bc.mbc_phaddr): ntop(bc.mbc_pcoa) for bc in bcs}


def forget_bindings(kern: Kernel) -> None:
    """As after a restart of a correspondent."""
    for row in list(mip6_state(kern).bcache.rows(CACHE)):
        mip6_bc_remove(kern, row)


def with_rthdr(packet: bytes, last: str) -> bytes:
    """The packet with a routing header that leads on to ``last``."""
    head = Ip6Hdr.unpack(packet)
    return with_header(packet, IPPROTO_ROUTING, build_rthdr0(head.ip6_nxt, [addr(last)], 1))


def rows(stage: Stage) -> tuple[Row, ...]:
    """The binding cache as mip6control reads it."""
    value = stage.kern.sysctl.read("net.inet6.mip6.bc")
    assert isinstance(value, tuple)
    return value
