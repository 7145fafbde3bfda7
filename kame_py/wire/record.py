# SPDX-License-Identifier: BSD-3-Clause
"""Frozen values that cost little to declare.

No KAME counterpart (KAME uses C structs). A program of the tools starts anew for each command, and
most of the values that modules declare are never made by it. ``record`` gives what
``dataclass(frozen=True, slots=True)`` gives, and ``fields`` and ``replace`` work, but no method is
compiled for a class before its first instance; that takes a tenth of the time. ``hot_record`` is
for values that every packet makes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from typing import TypeVar, cast, dataclass_transform

_T = TypeVar("_T")
_Init = Callable[..., None]


@dataclass_transform(frozen_default=True)
def record(cls: type[_T]) -> type[_T]:
    """Class decorator. Defaults are plain values; there are no default factories."""
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for name, method in _METHODS.items():
        setattr(made, name, method)
    return made


@dataclass_transform(frozen_default=True)
def hot_record(cls: type[_T]) -> type[_T]:
    """As ``record``, but only mypy forbids assignment: an instance costs less than half."""
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for name in _METHODS.keys() - _GUARDS:
        setattr(made, name, _METHODS[name])
    return made


def _members(value: object) -> tuple[object, ...]:
    names: tuple[str, ...] = type(value).__match_args__  # type: ignore[attr-defined]  # dataclass
    return tuple(getattr(value, name) for name in names)


def _first_init(self: object, *args: object, **words: object) -> None:
    """The constructor of a class until its first instance, which compiles the real one."""
    cls = type(self)
    setattr(cls, "__init__", _init_of(cls))  # noqa: B010  # mypy forbids cls.__init__ = ...
    self.__init__(*args, **words)  # type: ignore[misc]  # the same object, by its real constructor


def _init_of(cls: type) -> _Init:
    env: dict[str, object] = {}
    args = ["self"]
    body = ["    pass"]
    for member in fields(cls):
        args.append(member.name)
        if member.default is not MISSING:
            args[-1] += f"=_{member.name}"
            env[f"_{member.name}"] = member.default
        if "__setattr__" in vars(cls):
            env[f"_set_{member.name}"] = getattr(cls, member.name).__set__  # past _setattr
            body.append(f"    _set_{member.name}(self, {member.name})")
        else:
            body.append(f"    self.{member.name} = {member.name}")
    head = f"def __init__({', '.join(args)}):\n"
    exec(head + "\n".join(body), env)
    init = cast(_Init, env["__init__"])
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _repr(self: object) -> str:
    names: tuple[str, ...] = type(self).__match_args__  # type: ignore[attr-defined]  # dataclass
    inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
    return f"{type(self).__qualname__}({inside})"


def _eq(self: object, other: object) -> bool:
    return _members(self) == _members(other) if type(other) is type(self) else NotImplemented


def _hash(self: object) -> int:
    return hash(_members(self))


def _setattr(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _reduce(self: object) -> tuple[type, tuple[object, ...]]:
    return type(self), _members(self)


_GUARDS: frozenset[str] = frozenset(("__setattr__", "__delattr__"))
_METHODS: dict[str, Callable[..., object]] = {
    "__init__": _first_init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__reduce__": _reduce,
}
