# SPDX-License-Identifier: BSD-3-Clause
"""Packet octets are taken apart in kame_py/wire only; codecs.py is what its generator writes."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "kame_py"

# host/ fills structures of the operating system (ioctl requests), which are not packets.
STRUCT_ALLOWED = ("wire", "host")

# Files in which integers and octets meet without a packet being involved.
INT_BYTES_ALLOWED = {
    "kern/rng.py": "a digest becomes a seed",
}

# Packages in which a subscript with literal bounds would be a packet offset.
OFFSET_PACKAGES = ("kern", "net", "netinet6", "netkey", "mip6", "replay", "lab")
BUFFER_NAMES = frozenset(
    ("addr", "buf", "data", "frame", "mac", "octets", "packet", "payload", "pkt", "raw")
)


def modules(*, outside: tuple[str, ...] = (), inside: tuple[str, ...] = ()) -> list[Path]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        top = path.relative_to(PACKAGE).parts[0]
        if top not in outside and (not inside or top in inside):
            found.append(path)
    return found


def literal(node: ast.expr | None) -> int | None:
    """The integer a bound is written as, negative ones included."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = literal(node.operand)
        return None if value is None else -value
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def names_a_buffer(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id in BUFFER_NAMES
    return isinstance(node, ast.Attribute) and node.attr in BUFFER_NAMES


def is_offset(node: ast.Subscript) -> bool:
    """A literal bound of 2 or more on a buffer, or x[a:b] with both bounds literal."""
    cut = node.slice
    if not isinstance(cut, ast.Slice):
        index = literal(cut)
        return names_a_buffer(node.value) and index is not None and index >= 2
    lower, upper = literal(cut.lower), literal(cut.upper)
    if lower is not None and upper is not None:
        return True
    bounds = [bound for bound in (lower, upper) if bound is not None]
    return names_a_buffer(node.value) and any(abs(bound) >= 2 for bound in bounds)


def struct_imports(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(a.name == "struct" for a in node.names):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "struct":
            yield node.lineno


def int_conversions(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("from_bytes", "to_bytes"):
            yield node.lineno


def offsets(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and is_offset(node):
            yield node.lineno


def construct_imports(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if any(n.split(".")[0] == "construct" or n.startswith("kame_py.wire.decl") for n in names):
            yield node.lineno


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(), str(path))


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(PROJECT_ROOT)}:{line}"


def test_struct_is_imported_in_wire_only() -> None:
    files = modules(outside=STRUCT_ALLOWED)
    assert [place(p, n) for p in files for n in struct_imports(parsed(p))] == []


def test_integers_become_octets_in_wire_only() -> None:
    files = [
        p
        for p in modules(outside=("wire",))
        if p.relative_to(PACKAGE).as_posix() not in INT_BYTES_ALLOWED
    ]
    assert [place(p, n) for p in files for n in int_conversions(parsed(p))] == []


def test_no_numeric_packet_offsets_outside_wire() -> None:
    files = modules(inside=OFFSET_PACKAGES)
    assert [place(p, n) for p in files for n in offsets(parsed(p))] == []


def test_codecs_do_not_load_construct() -> None:
    code = "import sys, kame_py.wire.codecs, kame_py.wire.packet; print('construct' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT_ROOT)
    assert done.stdout.strip() == "False"


def test_only_wire_and_ctl_know_construct() -> None:
    files = modules(outside=("wire", "ctl"))
    assert [place(p, n) for p in files for n in construct_imports(parsed(p))] == []


def test_codecs_are_what_the_generator_writes() -> None:
    command = [sys.executable, str(PROJECT_ROOT / "tools" / "gen_wire.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT)
    assert done.returncode == 0, f"run tools/gen_wire.py\n{done.stderr}"


@pytest.mark.parametrize(
    "code",
    ["data[2]", "m.data[40:]", "frame[:14]", "x[4:6]", "buf[6:8]", "pkt[off][2:4]", "payload[-4:]"],
)
def test_rule_sees_an_offset(code: str) -> None:
    assert list(offsets(ast.parse(code))) == [1]


@pytest.mark.parametrize(
    "code",
    ["data[0]", "data[off:]", "argv[2]", "words[1:]", "data[off : off + size]", "table[2]", "x[:8]"]
    + ["data[O_ip6_nxt]", "data[1:]", "data[-1]", "dict[str, int]"],
)
def test_rule_leaves_ordinary_code_alone(code: str) -> None:
    assert list(offsets(ast.parse(code))) == []
