# SPDX-License-Identifier: BSD-3-Clause
"""HTML and SVG elements from values: whatever is no element already is escaped.

No KAME counterpart. Texts come from captures and may be hostile; a string can only become text
or the value of an attribute, so no call can forget to escape it.
"""

from __future__ import annotations

import html
import re
from typing import Final

#: What a page must not hold, and marks that make text read in another order than it stands.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_VOID: Final = frozenset({"meta", "br", "line", "rect", "circle", "path", "polygon"})
Value = str | int | float


class Html(str):
    """Text of a page, escaped."""

    __slots__ = ()


def text(value: Value) -> Html:
    """A value as text of a page."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(_UNSEEN.sub("\ufffd", str(value))))


def el(name: str, /, *children: Value, **attrs: Value | None) -> Html:
    """An element. ``cls`` is its class, ``_`` in names of attributes is ``-``; None leaves out."""
    words = [name]
    for key, value in attrs.items():
        if value is not None:
            key = "class" if key == "cls" else key.rstrip("_").replace("_", "-")
            words.append(f'{key}="{text(str(value))}"')
    inner = "".join(text(child) for child in children)
    if name in _VOID and not inner:
        return Html(f"<{' '.join(words)}/>")
    return Html(f"<{' '.join(words)}>{inner}</{name}>")


def join(*parts: Value) -> Html:
    """Parts behind each other."""
    return Html("".join(text(part) for part in parts))
