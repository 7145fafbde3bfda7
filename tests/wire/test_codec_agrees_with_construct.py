# SPDX-License-Identifier: BSD-3-Clause
"""For every declared header: the generated codec does what construct does, on any octets."""

from __future__ import annotations

import pytest
from construct import StreamError
from hypothesis import given
from hypothesis import strategies as st

from kame_py.wire import codecs
from kame_py.wire.codec_base import Header
from kame_py.wire.decl import ALL
from kame_py.wire.decl.base import Decl
from kame_py.wire.malformed import Malformed

every_header = pytest.mark.parametrize("decl", ALL, ids=lambda d: d.name)


def codec_of(decl: Decl) -> type[Header]:
    found: object = getattr(codecs, decl.name)
    assert isinstance(found, type) and issubclass(found, Header)
    return found


def members(value: Header) -> dict[str, object]:
    return {f.name: getattr(value, f.name) for f in value.FIELDS}


def test_every_codec_has_a_declaration() -> None:
    classes = {
        name
        for name, obj in vars(codecs).items()
        if isinstance(obj, type) and issubclass(obj, Header) and obj is not Header
    }
    assert classes == {decl.name for decl in ALL}


@every_header
@given(
    octets=st.binary(max_size=56), off=st.integers(0, 8), kind=st.sampled_from([bytes, bytearray])
)
def test_parse_agrees_on_random_and_truncated_octets(
    decl: Decl, octets: bytes, off: int, kind: type[bytes] | type[bytearray]
) -> None:
    codec = codec_of(decl)
    got = codec.parse(kind(octets), off)
    try:
        want = decl.struct.parse(octets[off:])
    except StreamError:
        assert got == Malformed(f"{decl.name} truncated", off)
        return
    assert isinstance(got, codec)
    assert members(got) == {k: v for k, v in want.items() if k != "_io"}
    assert got.pack() == octets[off : off + codec.SIZE] == decl.struct.build(want)
    assert got == codec.unpack(octets, off)


@every_header
def test_size_offsets_and_defaults_agree(decl: Decl) -> None:
    codec = codec_of(decl)
    assert decl.struct.sizeof() == codec.SIZE
    assert codec().pack() == decl.struct.build({})
    off = 0
    for sub, field in zip(decl.struct.subcons, codec.FIELDS, strict=True):
        assert (field.name, field.off, field.size) == (sub.name, off, sub.sizeof())
        assert getattr(codec, f"O_{sub.name}") == off
        off += sub.sizeof()


@every_header
def test_each_length_short_of_the_size_is_malformed(decl: Decl) -> None:
    codec = codec_of(decl)
    for size in range(codec.SIZE):
        assert isinstance(codec.parse(bytes(size)), Malformed)
        with pytest.raises(StreamError):
            decl.struct.parse(bytes(size))
    assert isinstance(codec.parse(bytes(codec.SIZE)), codec)
