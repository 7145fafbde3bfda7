# SPDX-License-Identifier: BSD-3-Clause
"""Very many mobile nodes with keys, the correspondent they talk to, and captures of their updates.

A capture is rounds of signed updates (draft-15 s.4.4): in each every node tells its care-of address
once, in another order. Some have moved, some codes are wrong, some numbers are old.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.kern.conf import KernConf
from kame_py.lab.rc import parse_rc
from kame_py.netkey.algorithms import HmacKey
from kame_py.netkey.key_sad import key_insertsav, key_sa_chgstate
from kame_py.netkey.key_sastate import SaEv
from kame_py.netkey.key_saval import key_mature
from kame_py.netkey.key_spd import key_insertsp, key_msg2sp
from kame_py.netkey.keydb import Secasindex, Secasvar, Seclifetime, Secpolicyindex, Secreplay
from kame_py.replay.runner import Fast, ReplayOptions
from kame_py.wire import pcapfmt
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import (
    EtherHeader,
    Ip6Dest,
    Ip6Hdr,
    Ip6OptBindingUpdate,
    Ip6OptHomeAddress,
    Ip6SubOptAuthData,
)
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IP6_MIP6_BU_ACK,
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_NONE,
)
from kame_py.wire.in6addr import IN6ADDR_ANY, pton
from kame_py.wire.ip6ext import AlignedOpt, Opt, build_options, iter_options
from kame_py.wire.mip6 import AuthData, BindingUpdate, HomeAddress
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.pfkey import SadbXPolicy, XIpsecrequest

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

NS: Final = 10**9
START_NS: Final = 1_012_435_200 * NS
MAC: Final = bytes.fromhex("00a024660077")
ROUTER_MAC: Final = bytes.fromhex("0090270000a1")
LIFE_S: Final = 600
LINKS: Final = 64  # where nodes may be
MOVED: Final = 0.1  # part of the updates
BAD: Final = 0.01
OLD: Final = 0.01
PER_SECOND: Final = 10_000
ICVLEN: Final = 12
FIRST_SPI: Final = 1000
BU_AT: Final = 2  # octets into the header
_RECORD: Final = pcapfmt.PCAP_RECORD_LEN
_IP6: Final = _RECORD + EtherHeader.SIZE
_ADDR: Final = 16


def _addr(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


CN: Final = _addr("2001:db8:1::3")
HOME: Final = _addr("2001:db8:9::")
AWAY: Final = _addr("2001:db8:20::")


def rc(count: int) -> str:
    """A correspondent on a link with a router, room for all bindings."""
    return f"""
sysctl -w net.inet6.ip6.dad_count=0
sysctl -w net.inet6.mip6.bc_maxentries={count}
ifconfig fxp0 inet6 2001:db8:1::3 prefixlen 64 alias
ndp -s 2001:db8:1::fe 0:90:27:0:0:a1
route add -inet6 default 2001:db8:1::fe
mip6control -S 0 -T 1
"""


def options(count: int, fast: Fast) -> ReplayOptions:
    """How to replay."""
    commands = parse_rc(rc(count))
    assert isinstance(commands, list), commands
    return ReplayOptions(
        KernConf(frozenset({"MIP6", "IPSEC", "IPSEC_ESP"})), commands, lladdr=MAC, fast=fast
    )


def home(i: int) -> bytes:
    """Home address of node ``i``."""
    return HOME[:-4] + i.to_bytes(4, "big")


def key(i: int) -> bytes:
    return hashlib.sha1(b"node %d" % i, usedforsecurity=False).digest()


def association(kern: Kernel, i: int, src: bytes, dst: bytes, window: int = 0) -> None:
    """One association of node ``i``; its window in octets."""
    sav = Secasvar(
        Secasindex(IPPROTO_AH, k.IPSEC_MODE_TRANSPORT, 0, src, dst),
        FIRST_SPI + i,
        alg_auth=k.SADB_AALG_SHA1HMAC,
        key_auth=key(i),
        replay=Secreplay(wsize=window),
        lft_h=Seclifetime(),
    )
    key_mature(kern, sav)
    key_insertsav(kern, sav)
    key_sa_chgstate(kern, SaEv.COMPLETE, sav)


def enter_keys(kern: Kernel, count: int) -> None:
    """Two associations for each node, and the policy that has acknowledgements signed."""
    for i in range(count):
        association(kern, i, home(i), CN)
        association(kern, i, CN, home(i))
    request = XIpsecrequest(IPPROTO_AH, k.IPSEC_MODE_TRANSPORT, k.IPSEC_LEVEL_REQUIRE)
    out = k.IPSEC_DIR_OUTBOUND
    sp = key_msg2sp(kern, SadbXPolicy(k.IPSEC_POLICY_IPSEC, out, 0, (request,)))
    idx = Secpolicyindex(out, IN6ADDR_ANY, 0, IN6ADDR_ANY, 0, IPPROTO_DSTOPTS, 0, 0)
    key_insertsp(kern, sp, idx)


def write_updates(path: Path, count: int, rounds: int) -> int:
    """Make a capture; how many updates it has."""
    draw = np.random.default_rng(7)
    frame, at = _template()
    record = pcapfmt.build_pcap_record(0, 0, frame, len(frame))
    macs = [HmacKey(_sha1, 64, key(i), ICVLEN) for i in range(count)]
    link = draw.integers(0, LINKS, count)
    with path.open("wb") as f:
        f.write(pcapfmt.build_pcap_file(pcapfmt.MAX_SNAPLEN, pcapfmt.LINKTYPE_ETHERNET))
        f.write(pcapfmt.build_pcap_record(START_NS // NS, 0, frame[: EtherHeader.SIZE], 14))
        for turn in range(rounds):
            moved = draw.random(count) < MOVED
            link[moved] = draw.integers(0, LINKS, int(moved.sum()))
            order = draw.permutation(count)
            rows = np.tile(np.frombuffer(record, np.uint8), (count, 1))
            _fill(rows, at, order, link[order], turn, turn * count, draw)
            _sign(rows, at, order, macs, draw)
            f.write(rows.data)
    return count * rounds


def _sha1(data: bytes) -> hashlib._Hash:
    return hashlib.sha1(data, usedforsecurity=False)


def _template() -> tuple[bytes, dict[str, int]]:
    """An update without code, and where its parts are in a record of a capture."""
    update = BindingUpdate(IP6_MIP6_BU_ACK, 1, LIFE_S)
    subopts = WIRE.align_subopts((AuthData(0, bytes(ICVLEN)),), BU_AT + WIRE.bu_size)
    option = WIRE.build_option(BindingUpdate(update.flags, 1, LIFE_S, subopts=subopts))
    hao = build_options(IPPROTO_DSTOPTS, [WIRE.aligned(HomeAddress(HOME))])
    bu = build_options(IPPROTO_NONE, [AlignedOpt(option, 8, BU_AT)])
    plen = len(hao) + len(bu)
    ip6 = Ip6Hdr(ip6_plen=plen, ip6_nxt=IPPROTO_DSTOPTS, ip6_hlim=64, ip6_src=AWAY, ip6_dst=CN)
    ether = EtherHeader(ether_dhost=MAC, ether_shost=ROUTER_MAC, ether_type=ETHERTYPE_IPV6)
    places = {}
    for header, start in ((hao, _IP6 + Ip6Hdr.SIZE), (bu, _IP6 + Ip6Hdr.SIZE + len(hao))):
        for opt in iter_options(header, Ip6Dest.SIZE, len(header)):
            assert isinstance(opt, Opt)
            places[opt.type] = start + opt.off
    start = places[IP6OPT_BINDING_UPDATE]
    code = start + len(option) - ICVLEN
    at = {
        "src": _IP6 + Ip6Hdr.O_ip6_src,
        "hoa": places[IP6OPT_HOME_ADDRESS] + Ip6OptHomeAddress.O_ip6oh_addr,
        "option": start,
        "seqno": start + Ip6OptBindingUpdate.O_ip6ou_seqno,
        "spi": code - Ip6SubOptAuthData.SIZE + Ip6SubOptAuthData.O_spi,
        "code": code,
    }
    return ether.pack() + ip6.pack() + hao + bu, at


def _fill(
    rows: np.ndarray,
    at: dict[str, int],
    order: np.ndarray,
    link: np.ndarray,
    turn: int,
    before: int,
    draw: np.random.Generator,
) -> None:
    """Stamps, addresses and numbers; some are those of the round before."""
    count = len(rows)
    ticks = START_NS // NS * PER_SECOND + PER_SECOND + before + np.arange(count)
    stamp = rows[:, :8].view("<u4")
    stamp[:, 0] = ticks // PER_SECOND
    stamp[:, 1] = ticks % PER_SECOND * (10**6 // PER_SECOND)
    number = order.astype(">u4").view(np.uint8).reshape(count, 4)
    for name in ("src", "hoa"):
        rows[:, at[name] + _ADDR - 4 : at[name] + _ADDR] = number
    rows[:, at["src"] + 7] = link
    rows[:, at["seqno"]] = turn + 1 - (draw.random(count) < OLD)
    spi = (order + FIRST_SPI).astype(">u4").view(np.uint8).reshape(count, 4)
    rows[:, at["spi"] : at["spi"] + 4] = spi


def _sign(
    rows: np.ndarray,
    at: dict[str, int],
    order: np.ndarray,
    macs: list[HmacKey],
    draw: np.random.Generator,
) -> None:
    src, hoa, option, code = at["src"], at["hoa"], at["option"], at["code"]
    bad = (draw.random(len(rows)) < BAD).tolist()
    codes = []
    for row, i, wrong in zip(rows, order.tolist(), bad, strict=True):
        octets = row.tobytes()
        sent, home_of = octets[src : src + _ADDR], octets[hoa : hoa + _ADDR]
        mac = macs[i].mac(CN, sent, home_of, octets[option:code])
        codes.append(bytes(ICVLEN) if wrong else mac)
    signs = np.frombuffer(b"".join(codes), np.uint8).reshape(len(rows), ICVLEN)
    rows[:, code : code + ICVLEN] = signs
