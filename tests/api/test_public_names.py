# SPDX-License-Identifier: BSD-3-Clause
"""The names of the package: all there, seen by type checkers, loaded only when asked for."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

import kame_py
from tests.support import PROJECT_ROOT, run

HEAVY = {"numba", "numpy", "construct", "asyncio", "rich", "cryptography"}


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after ``code``."""
    done = run(
        sys.executable,
        "-c",
        f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))",
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_else_of_it() -> None:
    loaded = loaded_by("import kame_py; dir(kame_py); kame_py.__version__")
    assert [name for name in loaded if name.startswith("kame_py")] == ["kame_py"]


@pytest.mark.parametrize(
    "code",
    [
        "import kame_py.kern.kernel",
        "import kame_py.boot",
        "from kame_py import World; World().add_node('a').run('ndp -a')",
        "from kame_py.replay import replay",
        "import kame_py; [getattr(kame_py, name) for name in kame_py.__all__]",
    ],
)
def test_kernels_labs_and_replay_need_nothing_heavy(code: str) -> None:
    assert loaded_by(code).isdisjoint(HEAVY)


@pytest.mark.parametrize("name", kame_py.__all__)
def test_name_is_there(name: str) -> None:
    value = getattr(kame_py, name)
    assert name in dir(kame_py)
    if isinstance(value, type):
        assert value.__name__ == name
        assert value.__doc__


def test_names_for_type_checkers_are_the_same_names() -> None:
    tree = ast.parse(Path(kame_py.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    declared = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted([*declared, "__version__"]) == kame_py.__all__ == sorted(kame_py.__all__)
    for name, module in declared.items():
        value = getattr(kame_py, name)
        if not isinstance(value, ModuleType):
            assert value.__module__ == module


def test_modules_stay_modules_whatever_was_loaded_before() -> None:
    """``kame_py.replay`` must not be a function at first and a module later, nor must boot."""
    code = (
        "import kame_py; first = kame_py.replay, kame_py.boot;"
        "import kame_py.replay.runner, kame_py.boot;"
        "assert first == (kame_py.replay, kame_py.boot);"
        "from kame_py import boot, replay;"
        "assert callable(replay.replay) and callable(boot.boot)"
    )
    assert run(sys.executable, "-c", code).stderr == ""


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'kame_py' has no attribute 'Wrold'"):
        kame_py.Wrold  # type: ignore[attr-defined]  # noqa: B018  # it must fail


@pytest.mark.slow
def test_type_checker_sees_the_names_and_no_others(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    (tmp_path / "user.py").write_text(
        "import kame_py\n"
        "from kame_py import World, replay\n"
        "from kame_py.replay import ReplayResult\n"
        "reveal_type(World(seed=1).add_node('a').run('ndp -a').out)\n"
        "reveal_type(kame_py.boot.boot)\n"
        "def f(result: ReplayResult) -> int:\n"
        "    return result.packets\n"
        "kame_py.Wrold\n"
    )
    done = run(
        *(sys.executable, "-m", "mypy", "--strict", "--cache-dir", PROJECT_ROOT / ".mypy_cache"),
        *("--config-file", PROJECT_ROOT / "pyproject.toml", tmp_path / "user.py"),
        timeout_s=120,
    )
    lines = [line.partition("user.py:")[2] for line in done.stdout.splitlines()]
    assert lines[0] == '4: note: Revealed type is "str"'
    assert lines[1].startswith('5: note: Revealed type is "def (name: str, conf: kame_py.kern.')
    assert lines[2].startswith('8: error: Module has no attribute "Wrold"')
    assert len(lines) == 4
