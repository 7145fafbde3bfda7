# SPDX-License-Identifier: BSD-3-Clause
"""Everything of a kernel that is a number, a text or a flag, by the way that leads to it."""

from __future__ import annotations

import enum
from array import array
from collections.abc import Iterator, Mapping, Set
from typing import Final

from kame_py.kern.callout import CalloutQueue
from kame_py.net.route import RouteTable

#: What is not the kernel's state: who reads it, what it was built from, caches of pure look-ups.
SKIPPED: Final = frozenset(
    {
        *("fate_sink", "conf", "clock", "changes"),
        *("spcache", "authdata", "known"),
        *("proxied", "proxies", "unmade"),  # whether routes are made that the table shows anyway
    }
)
_PLAIN: Final = (int, str, bytes, bool, float, type(None))
#: Code, and what is made of a key once and for all.
_CODE: Final = frozenset({"function", "method", "builtin_function_or_method", "partial", "HASH"})
_CIPHERS: Final = "cryptography."
_MINE: Final = ("kame_py", "tests")


def snapshot(kern: object) -> dict[str, object]:
    """Path -> value of all that can be reached from ``kern``."""
    return dict(_walk(kern, "kern", {}))


def differences(a: Mapping[str, object], b: Mapping[str, object]) -> dict[str, tuple[object, ...]]:
    """Where two snapshots differ, with both values."""
    paths = a.keys() | b.keys()
    return {p: (a.get(p), b.get(p)) for p in sorted(paths) if a.get(p) != b.get(p)}


def _walk(value: object, path: str, seen: dict[int, str]) -> Iterator[tuple[str, object]]:
    stack: list[tuple[str, object]] = [(path, value)]
    alive: list[object] = []  # else an object made for the look might lend its id to another one
    while stack:
        path, value = stack.pop()
        if isinstance(value, enum.Enum):
            yield path, value.name
        elif isinstance(value, _PLAIN):
            yield path, value
        elif isinstance(value, (array, bytearray)):
            yield path, bytes(value)
        elif callable(value) and not hasattr(value, "__dict__"):
            continue
        elif id(value) in seen:
            yield path, seen[id(value)]
        else:
            seen[id(value)] = path
            alive.append(value)
            stack.extend(reversed(list(_parts(value, path))))


def _parts(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, CalloutQueue):
        pending = sorted(entry[:2] for entry in value._heap if entry[2].pending)
        yield f"{path}.pending", pending  # stopped ones leave when somebody comes across them
        yield f"{path}._seq", value._seq
    elif isinstance(value, RouteTable):  # its iterator shows those that nobody has wanted yet, too
        for rt in value:
            yield f"{path}[{rt.rt_key.hex()}/{rt.rt_plen}]", rt
    elif isinstance(value, Mapping):
        for i, (key, item) in enumerate(value.items()):
            name = key if isinstance(key, (*_PLAIN, enum.Enum, tuple)) else f"#{i}"
            if _nameable(name):
                yield f"{path}[{name!r}]", item
            else:
                yield f"{path}[#{i}].key", key
                yield f"{path}[#{i}]", item
    elif isinstance(value, (list, tuple, Set)) or type(value).__name__ == "deque":
        for i, item in enumerate(value):  # type: ignore[arg-type]  # a deque is iterable, too
            yield f"{path}[{i}]", item
    elif type(value).__module__.startswith(_MINE):
        for name in _members(value):
            if name not in SKIPPED and hasattr(value, name):
                yield f"{path}.{name}", getattr(value, name)
    elif not _is_code(value):
        raise TypeError(f"{path}: what of a {type(value)} is state?")


def _is_code(value: object) -> bool:
    kind = type(value)
    return isinstance(value, type) or kind.__name__ in _CODE or kind.__module__.startswith(_CIPHERS)


def _nameable(name: object) -> bool:
    if isinstance(name, tuple):
        return all(isinstance(part, _PLAIN) for part in name)
    return True


def _members(value: object) -> list[str]:
    names = list(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return names
