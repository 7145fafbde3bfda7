# SPDX-License-Identifier: BSD-3-Clause
"""What is built from a checkout is whole: the wheel works where there is no checkout.

The sdist is built from a copy of the sources, the wheel from the sdist, and the wheel is installed
into a virtual environment of its own. Its interpreter refuses to open anything of the checkout;
dependencies come from the environment that runs the tests, so nothing is downloaded for them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from kame_py import __version__
from kame_py.cli.lab import shipped
from kame_py.cli.man import pages
from tests.support import PROJECT_ROOT, run

pytestmark = pytest.mark.slow

PACKAGE = PROJECT_ROOT / "kame_py"
BUILD_TIMEOUT_S = 300
#: What kernels are made with; the rest does without.
ABSENT = [name for name in ("numba", "llvmlite") if find_spec(name) is None]
#: What pip says when the build requirements cannot be had; anything else is a failure.
NO_INDEX = ("No matching distribution found", "Could not find a version", "Connection")

#: Run by the installed interpreter before everything else.
GUARD = f"""
import os, sys
CHECKOUT = {str(PROJECT_ROOT)!r} + os.sep
ALLOWED = {sys.prefix!r} + os.sep
def refuse(event, args):
    if event == "open" and isinstance(args[0], str):
        path = os.path.realpath(args[0])
        if path.startswith(CHECKOUT) and not path.startswith(ALLOWED):
            raise PermissionError("the checkout was opened: " + path)
sys.addaudithook(refuse)
"""


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel, and an empty folder to work in."""

    prefix: Path
    folder: Path

    def run(self, program: str, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        env = {"PATH": f"{self.prefix / 'bin'}:/usr/bin:/bin", "HOME": str(self.folder)}
        return subprocess.run(
            [str(self.prefix / "bin" / program), *map(str, argv)],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    def out(self, program: str, *argv: str | Path) -> str:
        """Standard output of a program that ends well and complains about nothing."""
        done = self.run(program, *argv)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, from the sdist, from what a clone holds."""
    source = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(PACKAGE, source / "kame_py", ignore=ignored)
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        if (PROJECT_ROOT / name).exists():
            shutil.copy(PROJECT_ROOT / name, source)
    dist = tmp_path_factory.mktemp("dist")
    done = run(
        *(sys.executable, "-m", "build", "--outdir", dist, source), timeout_s=BUILD_TIMEOUT_S
    )
    said = done.stdout + done.stderr
    if done.returncode and any(text in said for text in NO_INDEX):
        pytest.skip(f"the build requirements cannot be installed here: {said[-500:]}")
    assert done.returncode == 0, said
    assert [path.name for path in dist.glob("*.tar.gz")] == [f"kame_py-{__version__}.tar.gz"]
    (built,) = dist.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    prefix = tmp_path_factory.mktemp("venv")
    done = run(sys.executable, "-m", "venv", "--without-pip", prefix)
    assert done.returncode == 0, done.stderr
    python = prefix / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    done = run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    assert done.returncode == 0, done.stderr
    (site,) = prefix.glob("lib/python*/site-packages")
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "dependencies.pth").write_text("".join(f"{path}\n" for path in sorted(borrowed)))
    (site / "sitecustomize.py").write_text(GUARD)
    return Installed(prefix, tmp_path_factory.mktemp("work"))


def test_the_guard_of_these_tests_works(installed: Installed) -> None:
    done = installed.run("python", "-c", f"open({str(PROJECT_ROOT / 'pyproject.toml')!r})")
    assert "PermissionError: the checkout was opened: " in done.stderr
    where = installed.out("python", "-c", "import kame_py; print(kame_py.__file__)")
    assert where.startswith(str(installed.prefix))


def test_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    info = f"kame_py-{__version__}.dist-info/"
    inside = {name for name in names if not name.startswith(info)}
    wanted = {
        path.relative_to(PROJECT_ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert inside == wanted
    assert "kame_py/py.typed" in inside
    assert "kame_py/wireshark/kame_mip6.lua" in inside
    assert {f"kame_py/man/{name}" for name in pages()} <= inside
    assert "kame_py/labs/captures/nd-short.pcap" in inside
    assert {f"kame_py/labs/{entry.name}" for entry in shipped()} <= inside
    assert f"{info}licenses/LICENSE" in names


def test_kame_says_its_version_and_names_its_labs(installed: Installed) -> None:
    assert installed.out("kame", "--version") == f"kame-py {__version__}\n"
    assert installed.out("python", "-m", "kame_py", "-V") == f"kame-py {__version__}\n"
    listed = [line.split()[0] for line in installed.out("kame", "lab", "list").splitlines()]
    assert listed == [entry.name.removesuffix(".toml") for entry in shipped()]
    assert installed.out("kame", "ndp", "--help").startswith("usage: ndp ")
    assert installed.out("python", "-m", "kame_py.tools.ndp", "--help").startswith("usage: ndp ")


def test_demo_runs(installed: Installed) -> None:
    out = installed.out("kame", "demo")
    assert "4 expectations held, 0 failed" in out
    assert "ICMP6_BADLEN" in out


def test_a_lab_is_captured_and_the_capture_replayed(installed: Installed) -> None:
    out = installed.out("kame", "lab", "run", "tour", "-q", "--pcap", "tour.pcapng")
    assert "0 failed" in out
    replayed = installed.out("kame", "replay", "tour.pcapng", "--verdicts", "verdicts.json")
    assert " packets over " in replayed
    count = len((installed.folder / "verdicts.json").read_text().splitlines())
    assert replayed.startswith(f"{count} packets over ")


def test_files_are_found_by_name(installed: Installed) -> None:
    code = (
        "from importlib.resources import files; root = files('kame_py');"
        "print((root / 'wireshark' / 'kame_mip6.lua').is_file(), (root / 'py.typed').is_file())"
    )
    assert installed.out("python", "-c", code) == "True True\n"


def test_pytest_finds_the_plugin_by_itself(installed: Installed) -> None:
    test = installed.folder / "test_mine.py"
    test.write_text(
        'def test_tour(lab):\n    assert lab("tour").run().nodes["a"].run("ndp -a").ok\n'
    )
    done = installed.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", test)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_wheel_needs_nothing_that_is_not_declared(installed: Installed) -> None:
    """Every module can be imported."""
    code = (
        "import importlib, pkgutil, kame_py\n"
        "for m in pkgutil.walk_packages(kame_py.__path__, 'kame_py.'):\n"
        "    if not m.name.endswith('__main__'):\n"
        "        try:\n"
        "            importlib.import_module(m.name)\n"
        "        except ModuleNotFoundError as e:\n"
        f"            if e.name not in {ABSENT} or not m.name.startswith('kame_py.fast.'):\n"
        "                raise\n"
    )
    installed.out("python", "-c", code)
