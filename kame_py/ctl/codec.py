# SPDX-License-Identifier: BSD-3-Clause
"""System calls as octets: the frames between a tool and the kernel it talks to.

No KAME counterpart. A frame is its length (4 octets) and a JSON text. JSON has no octets, tuples or
classes: they travel as ``{"b": hex}``, ``{"t": [...]}``, ``{"c": name, "v": [...]}``; known are the
classes of wire/ioctl.py, wire/snap.py, wire/sockaddr.py and ``Polled``. What comes in is checked
against the types that the classes and the calls declare, so that a kernel never sees a text where
it expects a number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Final, Union, get_args, get_origin, get_type_hints

from kame_py.ctl.ops import Polled, ProgOps
from kame_py.wire import ioctl, snap, sockaddr
from kame_py.wire.ctlframe import FRAME_MAX, frame_length, frame_prefix

PROTOCOL: Final = 1  # spoken here; the first frame says it
DEPTH_MAX: Final = 16
REQUEST_MAX: Final = 1024 * 1024  # octets of a call: 256 programs cannot fill the memory

Value = object


class BadFrame(ValueError):
    """A frame that is no valid message; the text says why."""


def _known_classes() -> dict[str, type]:
    known: dict[str, type] = {Polled.__name__: Polled}
    for module in (ioctl, snap, sockaddr):
        for name, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == module.__name__:
                known[name] = value
    return known


CLASSES: Final[Mapping[str, type]] = _known_classes()


# -- frames -----------------------------------------------------------------------------------


def pack(message: dict[str, Value]) -> bytes:
    """One frame. ValueError when it is larger than a frame may be."""
    body = json.dumps({k: _plain(v) for k, v in message.items()}, separators=(",", ":")).encode()
    if len(body) > FRAME_MAX:
        raise ValueError(f"a frame of {len(body)} octets is too long")
    return frame_prefix(len(body)) + body


def unpack(body: bytes) -> dict[str, Value]:
    """The message of a frame, without its length. BadFrame says what is wrong with it."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise BadFrame("a frame is not JSON") from problem
    if not isinstance(message, dict):
        raise BadFrame("a frame is not an object")
    return {key: _value(each, 0) for key, each in message.items()}


class Frames:
    """Cuts a stream of octets into frames. BadFrame: a length that is too large."""

    def __init__(self, limit: int = FRAME_MAX) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, octets: bytes) -> list[bytes]:
        """The bodies of the frames that are complete now."""
        self._buffer += octets
        bodies: list[bytes] = []
        while (size := frame_length(self._buffer)) is not None:
            if size > self._limit:
                raise BadFrame(f"a frame of {size} octets is too long")
            start = len(frame_prefix(0))
            if len(self._buffer) < start + size:
                break
            bodies.append(bytes(self._buffer[start : start + size]))
            del self._buffer[: start + size]
        return bodies


# -- values -----------------------------------------------------------------------------------


def _plain(value: Value) -> Value:
    """A value as JSON has it. TypeError: a class that is not known."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return {"b": value.hex()}
    name = type(value).__name__
    if CLASSES.get(name) is type(value):
        return {"c": name, "v": [_plain(v) for v in _members(value)]}
    if isinstance(value, tuple | list):
        return {"t": [_plain(v) for v in value]}
    raise TypeError(f"{name} has no form on the wire")


def _members(value: Value) -> tuple[Value, ...]:
    if is_dataclass(value):
        return tuple(getattr(value, f.name) for f in fields(value))
    return tuple(value) if isinstance(value, tuple) else ()


def _value(plain: Value, depth: int) -> Value:
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    if not isinstance(plain, dict) or depth > DEPTH_MAX:
        raise BadFrame("a value of no known form")
    match plain:
        case {"b": str(text)}:
            try:
                return bytes.fromhex(text)
            except ValueError as problem:
                raise BadFrame("octets that are not hexadecimal") from problem
        case {"t": list(items)}:
            return tuple(_value(item, depth + 1) for item in items)
        case {"c": str(name), "v": list(items)}:
            return _instance(name, [_value(item, depth + 1) for item in items])
    raise BadFrame("a value of no known form")


def _instance(name: str, values: list[Value]) -> Value:
    cls = CLASSES.get(name)
    if cls is None:
        raise BadFrame(f"{name} is no known class")
    hints = _hints(cls)
    if len(values) != len(hints):
        raise BadFrame(f"{name} has {len(hints)} members, not {len(values)}")
    for (member, hint), value in zip(hints.items(), values, strict=True):
        if not fits(value, hint):
            raise BadFrame(f"{name}.{member} is no {hint}")
    make: Callable[..., Value] = cls
    return make(*values)


@cache
def _hints(cls: type) -> dict[str, object]:
    """Members of a class in the order of its constructor, with their types."""
    hints = get_type_hints(cls)
    if is_dataclass(cls):
        return {f.name: hints[f.name] for f in fields(cls)}
    names: tuple[str, ...] = getattr(cls, "_fields", ())
    return {name: hints[name] for name in names}


def fits(value: Value, hint: object) -> bool:
    """Whether a value is of a declared type: plain types, unions, tuples, known classes."""
    if hint is object:
        return True
    if hint is None or hint is NoneType:
        return value is None
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and _tuple_fits(value, get_args(hint))
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(hint, type) and isinstance(value, hint)


def _tuple_fits(value: tuple[Value, ...], args: tuple[object, ...]) -> bool:
    if args and args[-1] is Ellipsis:
        return all(fits(each, args[0]) for each in value)
    return len(value) == len(args) and all(map(fits, value, args))


# -- calls ------------------------------------------------------------------------------------

#: System calls that go to the kernel; the others concern the program's own machine.
REMOTE_CALLS: Final = (
    *("socket", "close", "bind", "connect", "getsockname", "sendmsg", "recvmsg"),
    *("setsockopt", "getsockopt", "ioctl", "sysctl", "sysctl_names", "catch_signals", "poll"),
    *("nanosleep", "monotonic", "realtime", "random", "syslog", "getaddrinfo"),
    *("getaddrinfo_all", "getnameinfo", "if_nametoindex", "if_indextoname"),
)


@cache
def call_hints(name: str) -> tuple[object, ...]:
    """Types of the arguments of a call; ``catch_signals`` takes any number of one."""
    hints = get_type_hints(getattr(ProgOps, name))
    return tuple(hint for arg, hint in hints.items() if arg != "return")


@cache
def needed(name: str) -> int:
    """How many arguments a call must have at least."""
    fn = getattr(ProgOps, name)
    return len(call_hints(name)) - len(fn.__defaults__ or ())


def arguments_fit(name: str, args: tuple[Value, ...]) -> bool:
    """Whether a call may be made with these arguments."""
    hints = call_hints(name)
    if name == "catch_signals":
        return all(isinstance(each, str) for each in args)
    return needed(name) <= len(args) <= len(hints) and all(
        fits(value, hint) for value, hint in zip(args, hints, strict=False)
    )
