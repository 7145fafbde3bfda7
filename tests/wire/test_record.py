# SPDX-License-Identifier: BSD-3-Clause
"""Records behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass, replace

import pytest

from kame_py.wire import ioctl, snap
from kame_py.wire.record import hot_record, record


@record
class Pair:
    """One of ours."""

    name: str
    count: int = 7


@dataclass(frozen=True, slots=True)
class Model:
    """What it is to be like."""

    name: str
    count: int = 7


def test_a_record_is_made_as_a_dataclass_is() -> None:
    for cls in (Pair, Model):
        assert (cls("a").name, cls("a").count) == ("a", 7)
        assert (cls(count=1, name="b").name, cls("b", 1).count) == ("b", 1)
        for args, words in (((), {}), (("a", 1, 2), {}), (("a",), {"other": 1})):
            with pytest.raises(TypeError, match="__init__"):
                cls(*args, **words)  # type: ignore[arg-type]  # wrong on purpose


def test_the_first_instance_of_a_class_is_like_the_others() -> None:
    @record
    class Fresh:
        """Never made before."""

        a: int
        b: tuple[int, ...] = (1,)

    first = Fresh(5)
    assert first == Fresh(5, (1,)) != Fresh(5, (2,))
    assert repr(first).endswith("Fresh(a=5, b=(1,))")


def test_records_are_equal_when_class_and_members_are() -> None:
    assert Pair("a", 1) == Pair("a", 1)
    assert hash(Pair("a", 1)) == hash(Pair("a", 1))
    assert Pair("a", 1) != Pair("a", 2)
    assert Pair("a", 1) != Model("a", 1)
    assert len({Pair("a", 1), Pair("a", 1), Pair("b", 1)}) == 2


def test_a_record_cannot_be_changed() -> None:
    pair = Pair("a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        pair.name = "b"  # type: ignore[misc]  # wrong on purpose
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del pair.name
    assert not hasattr(pair, "__dict__")
    assert pair == Pair("a")


def test_the_functions_of_dataclasses_work() -> None:
    assert is_dataclass(Pair)
    assert [f.name for f in fields(Pair)] == ["name", "count"]
    assert replace(Pair("a", 1), count=2) == Pair("a", 2)
    assert repr(Pair("a", 1)) == repr(Model("a", 1)).replace("Model", "Pair")
    match Pair("a", 1):
        case Pair(name, count):
            assert (name, count) == ("a", 1)


def test_a_record_can_be_copied_and_stored() -> None:
    pair = Pair("a", 1)
    assert copy.copy(pair) == copy.deepcopy(pair) == pickle.loads(pickle.dumps(pair)) == pair


@pytest.mark.parametrize("module", [ioctl, snap])
def test_no_class_of_a_call_is_a_plain_dataclass(module: object) -> None:
    """They are many, and each tool declares them anew at its start."""
    plain = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and is_dataclass(value) and "__reduce__" not in vars(value)
    ]
    assert plain == []


def test_a_hot_record_is_equal_and_hashed_like_others() -> None:
    @hot_record
    class Hot:
        """Made for each packet."""

        a: int
        b: bytes = b""

    assert Hot(1) == Hot(1, b"") != Hot(2)
    assert hash(Hot(1)) == hash(Hot(1))
    assert replace(Hot(1), b=b"x") == Hot(1, b"x")
    assert repr(Hot(1)).endswith("Hot(a=1, b=b'')")
    assert not hasattr(Hot(1), "__dict__")
