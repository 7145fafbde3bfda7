# SPDX-License-Identifier: BSD-3-Clause
"""Files of a tool on its own machine: whole or not at all."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kame_py.host.machine import Machine
from kame_py.wire.errno import KError

LIMIT = 4096


@pytest.fixture
def machine() -> Machine:
    return Machine(lambda: "a")


@contextmanager
def small_disk() -> Iterator[None]:
    """No file of this process grows over the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_grows_may_be_renamed(machine: Machine, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    machine.write(str(first), "head ")
    machine.append_bytes(str(first), b"one ")
    first.rename(second)
    machine.append_bytes(str(first), b"two")
    assert second.read_text() == "head one two" and not first.exists()
    machine.write(str(first), "anew ")
    machine.append_bytes(str(first), b"three")
    assert (first.read_text(), second.read_text()) == ("anew three", "head one two")


def test_a_file_on_a_full_disk_keeps_what_is_whole(machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "a"
    with small_disk():
        machine.append_bytes(str(path), bytes(3000))
        with pytest.raises(KError):
            machine.append_bytes(str(path), bytes(3000))
    assert path.stat().st_size == 3000


def test_a_file_that_cannot_be_replaced_stays_and_leaves_nothing(
    machine: Machine, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    machine.write(str(path), "old")
    with small_disk(), pytest.raises(KError):
        machine.write(str(path), "x" * 2 * LIMIT)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_octets_that_are_no_text_are_written_as_they_were_read(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"\xffname\n")
    machine.write(str(tmp_path / "b"), machine.read(str(tmp_path / "a")))
    assert (tmp_path / "b").read_bytes() == b"\xffname\n"


def test_a_link_is_the_file_that_it_leads_to(machine: Machine, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("x")
    other.symlink_to(one)
    assert machine.same_file(str(one), str(other))
    assert not machine.same_file(str(one), str(tmp_path / "third"))


def test_the_name_of_an_open_file_is_written_through(machine: Machine, tmp_path: Path) -> None:
    name = tmp_path / "stdout"
    with (tmp_path / "out").open("w+b") as f:
        f.write(b"before ")
        f.flush()
        name.symlink_to(f"/proc/self/fd/{f.fileno()}")
        machine.write(str(name), "text")
        assert name.is_symlink()
        assert (tmp_path / "out").read_text() == "before text"
