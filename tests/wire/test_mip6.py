# SPDX-License-Identifier: BSD-3-Clause
"""Mobility options of both drafts: values, sub-option placement, refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.wire import mip6_draft13, mip6_draft15
from kame_py.wire.in6addr import pton
from kame_py.wire.ip6ext import AlignedOpt, Opt, build_options, iter_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import (
    AltCoa,
    AuthData,
    BindingAck,
    BindingRequest,
    BindingUpdate,
    HaDiscoveryReply,
    HaDiscoveryRequest,
    HomeAddress,
    MipOption,
    OptionWire,
    OtherSubOpt,
    Pad,
    SubOpt,
    UniqueId,
    build_ha_reply,
    parse_ba,
    parse_br,
    parse_bu,
    parse_ha_reply,
    parse_hao,
)

D13 = mip6_draft13.WIRE
D15 = mip6_draft15.WIRE
HOA = pton("2001:db8:0:1::100") or b""
COA = pton("2001:db8:0:4::77") or b""
MAC = bytes(range(12))

both = pytest.mark.parametrize("wire", [D13, D15], ids=lambda w: w.name)


def parse(wire: OptionWire, option: bytes) -> MipOption | Malformed | None:
    return wire.parse_option(option, Opt(option[0], 0, 2, len(option) - 2))


def test_type_4_is_an_address_in_one_draft_and_an_authenticator_in_the_other() -> None:
    octets = bytes.fromhex("0410") + COA
    assert D13.parse_subopts(octets, 0, 18) == (AltCoa(COA),)
    assert D15.parse_subopts(octets, 0, 18) == (AuthData(0x20010DB8, COA[4:]),)


def test_authenticated_update_needs_no_trailing_padding() -> None:
    subopts = D15.align_subopts((AuthData(0x1000, MAC),), 2 + D15.bu_size)
    assert subopts == (Pad(b"\x01\x00"), AuthData(0x1000, MAC))
    bu = BindingUpdate(0xD0, 42, 600, subopts=subopts)
    header = build_options(59, [D15.aligned(bu)])
    assert header == bytes.fromhex(
        "3b03"  # no next header, 32 octets
        "c61c d0 0000 2a 00000258"  # BU, 28 octets: A H D, reserved, seq 42, 600 s
        "0100"  # PadN(0)
        "0410 00001000 000102030405060708090a0b"  # authenticator
    )


def test_placement_of_all_update_sub_options() -> None:
    wanted = (UniqueId(0x1234), AltCoa(COA), AuthData(0x1001, MAC))
    subopts = D15.align_subopts(wanted, 2 + D15.bu_size)
    header = build_options(59, [D15.aligned(BindingUpdate(0x80, 255, 120, subopts=subopts))])
    assert len(header) == 64
    where = {o.type: o.off for o in iter_options(header, 12, 64) if isinstance(o, Opt)}
    assert where == {2: 12, 1: 40, 3: 22, 4: 46}


def test_placement_of_options_and_sub_options() -> None:
    """From the begin of the header: update 4n+2, acknowledgement 4n+3, home address 8n+6."""
    subs = D15.align_subopts((UniqueId(1), AltCoa(COA), AuthData(1, MAC)), 2 + D15.bu_size)
    for value, step, rest in (
        (BindingUpdate(0x80, 255, 120, subopts=subs), 4, 2),
        (BindingAck(0, 255, 120, 60), 4, 3),
        (HomeAddress(COA), 8, 6),
    ):
        for before in range(4):  # whatever stands in front
            pads = [AlignedOpt(bytes((0xE, 1, 0))) for _ in range(before)]
            header = build_options(59, [*pads, D15.aligned(value)])
            found = [o for o in iter_options(header, 2, len(header)) if isinstance(o, Opt)]
            (opt,) = [o for o in found if o.type > 1 and o.type != 0xE]
            assert opt.off % step == rest
    header = build_options(59, [D15.aligned(BindingUpdate(0x80, 255, 120, subopts=subs))])
    at = {o.type: o.off for o in iter_options(header, 12, 64) if isinstance(o, Opt)}
    assert (at[2] % 2, at[3] % 8, at[4] % 8) == (0, 6, 6)


def test_placement_of_the_ack_authenticator() -> None:
    subopts = D15.align_subopts((AuthData(0x1002, MAC),), 3 + D15.ba_size)
    header = build_options(59, [D15.aligned(BindingAck(0, 42, 600, 480, subopts=subopts))])
    assert header == bytes.fromhex(
        "3b04 00"  # 40 octets; Pad1
        "0723 00 00 2a 00000258 000001e0"  # BA, 35 octets
        "010400000000"  # PadN(4)
        "0410 00001002 000102030405060708090a0b"
    )


def test_request_and_update_share_a_header() -> None:
    bu = BindingUpdate(0x80, 1, 60)
    header = build_options(59, [D15.aligned(BindingRequest()), D15.aligned(bu)])
    assert header == bytes.fromhex("3b01 0800 0100 c608 80 0000 01 0000003c")


@both
def test_home_address_placement(wire: OptionWire) -> None:
    assert build_options(60, [wire.aligned(HomeAddress(HOA))]) == (
        bytes.fromhex("3c02 01020000 c910") + HOA
    )


def test_sequence_number_width() -> None:
    bu = BindingUpdate(0xC0, 0x0123, 600, prefixlen=64)
    assert D13.build_option(bu) == bytes.fromhex("c608 c0 40 0123 00000258")
    assert parse(D13, D13.build_option(bu)) == bu
    assert (D13.seqno_bits, D15.seqno_bits) == (16, 8)


def test_the_old_draft_has_no_authenticator() -> None:
    with pytest.raises(ValueError, match="draft-13 has no authentication data"):
        D13.build_subopt(AuthData(1, MAC))


@both
def test_unknown_sub_option_is_kept_and_the_next_one_read(wire: OptionWire) -> None:
    octets = bytes.fromhex("6302aabb 00 0202beef")
    got = wire.parse_subopts(octets, 0, len(octets))
    assert got == (OtherSubOpt(0x63, b"\xaa\xbb"), Pad(b"\0"), UniqueId(0xBEEF))
    assert wire.build_subopts(got) == octets


@both
@pytest.mark.parametrize(
    ("octets", "reason", "pointer"),
    [
        ("c607 80 0000 01 000000", "mobility option too small", 1),
        ("c608 80 0000 01 000000", "option truncated", 1),
        ("c60c 80 0000 01 0000003c 0203beef", "sub-option longer than its option", 11),
        ("c60d 80 0000 01 0000003c 0203beef00", "unique identifier of wrong length", 11),
        ("070a 00 00 01 0000003c 000001", "mobility option too small", 1),
        ("c90f" + "00" * 15, "mobility option too small", 1),
        ("0801 02", "sub-option longer than its option", 2),
        ("c6", "option truncated", 0),
    ],
)
def test_bad_options_are_malformed(
    wire: OptionWire, octets: str, reason: str, pointer: int
) -> None:
    data = bytes.fromhex(octets)
    parser = {0xC6: parse_bu, 0x07: parse_ba, 0x08: parse_br, 0xC9: parse_hao}[data[0]]
    got = parser(wire, data, 0)
    assert got == Malformed(reason, pointer)


def test_bad_sub_options_of_the_newer_draft() -> None:
    short_mac = bytes.fromhex("0403 000010")
    assert D15.parse_subopts(short_mac, 0, 5) == Malformed("authentication data too small", 1)
    short_coa = bytes.fromhex("030f") + bytes(15)
    assert D15.parse_subopts(short_coa, 0, 17) == Malformed(
        "alternate care-of address of wrong length", 1
    )


def test_other_options_are_not_mobility() -> None:
    assert parse(D15, bytes.fromhex("05020000")) is None


u8 = st.integers(0, 255)
u32 = st.integers(0, 0xFFFFFFFF)
addrs = st.binary(min_size=16, max_size=16)
pads = st.one_of(
    st.just(Pad(b"\0")), st.binary(max_size=6).map(lambda d: Pad(bytes((1, len(d))) + d))
)
common_subopts: st.SearchStrategy[SubOpt] = st.one_of(
    pads,
    st.builds(UniqueId, st.integers(0, 0xFFFF)),
    st.builds(AltCoa, addrs),
    st.builds(OtherSubOpt, st.integers(5, 255), st.binary(max_size=5)),
)


def options(wire: OptionWire) -> st.SearchStrategy[MipOption]:
    subs = st.lists(common_subopts, max_size=4).map(tuple)
    if wire is D15:
        auth = st.builds(AuthData, u32, st.binary(max_size=16))
        subs = st.one_of(subs, st.tuples(pads, auth))
        bu = st.builds(BindingUpdate, u8, u8, u32, st.just(0), st.integers(0, 65535), subs)
        ba = st.builds(BindingAck, u8, u8, u32, u32, u8, subs)
    else:
        seq = st.integers(0, 65535)
        bu = st.builds(BindingUpdate, u8, seq, u32, u8, st.just(0), subs)
        ba = st.builds(BindingAck, u8, seq, u32, u32, st.just(0), subs)
    return st.one_of(bu, ba, st.builds(BindingRequest, subs), st.builds(HomeAddress, addrs, subs))


@both
@given(data=st.data())
def test_any_value_survives_the_wire(wire: OptionWire, data: st.DataObject) -> None:
    value = data.draw(options(wire))
    octets = wire.build_option(value)
    assert len(octets) == octets[1] + 2
    assert parse(wire, octets) == value


@both
@given(octets=st.binary(max_size=60), kind=st.sampled_from([0xC6, 0x07, 0x08, 0xC9]))
def test_random_options_never_raise_and_rebuild(wire: OptionWire, octets: bytes, kind: int) -> None:
    octets = bytes((kind,)) + octets
    parser = {0xC6: parse_bu, 0x07: parse_ba, 0x08: parse_br, 0xC9: parse_hao}[kind]
    value = parser(wire, octets, 0)
    if not isinstance(value, Malformed):
        assert wire.build_option(value) == octets[: octets[1] + 2]


@both
def test_discovery_request_round_trip(wire: OptionWire) -> None:
    home = HOA if wire is D13 else None
    octets = wire.pack_ha_request(HaDiscoveryRequest(0x1111, home))
    assert octets == bytes.fromhex("9600 0000 1111") + (bytes(10) + HOA if home else bytes(2))
    got = wire.parse_ha_request(octets)
    assert isinstance(got, HaDiscoveryRequest)
    assert (got.id, got.home) == (0x1111, home)
    assert isinstance(wire.parse_ha_request(octets[:-1]), Malformed)


def test_discovery_reply_round_trip() -> None:
    reply = HaDiscoveryReply(0x1111, (HOA, COA))
    octets = build_ha_reply(reply)
    assert octets == bytes.fromhex("9700 0000 1111") + bytes(10) + HOA + COA
    assert parse_ha_reply(octets, 0, 48) == reply
    assert parse_ha_reply(octets, 0, 40) == Malformed("home agent address cut short", 32)
    assert parse_ha_reply(octets, 0, 15) == Malformed("HaDiscovRep truncated", 0)
