# SPDX-License-Identifier: BSD-3-Clause
"""Wires of the machine that need no right: buses and qemu's sockets, and names that are none."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kame_py.host.netdev import BusDevice, DeviceProblem, open_device

FRAME = bytes(60)
LATER_NS = 3_600 * 10**9


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[BusDevice]:
    device = BusDevice(str(tmp_path))
    yield device
    device.close()


def test_a_station_that_comes_in_the_tick_of_a_listing_is_heard(
    tmp_path: Path, bus: BusDevice
) -> None:
    """The folder's time has the granularity of a clock tick, so it looks the same afterwards."""
    tick = time.time_ns() + LATER_NS
    os.utime(tmp_path, ns=(tick, tick))
    assert bus.write(FRAME)
    other = BusDevice(str(tmp_path))
    os.utime(tmp_path, ns=(tick, tick))
    assert bus.write(FRAME)
    assert other.read() == FRAME
    other.close()


def test_a_bus_removes_no_file_that_is_no_socket(tmp_path: Path, bus: BusDevice) -> None:
    (tmp_path / "vga.port").write_text("a port of another kind")
    assert bus.write(FRAME)
    assert (tmp_path / "vga.port").exists()


def test_a_bus_whose_folder_is_gone_says_so(tmp_path: Path) -> None:
    device = BusDevice(str(tmp_path / "bus"))
    (tmp_path / "bus" / f"{os.getpid()}-0.port").unlink()
    (tmp_path / "bus").rmdir()
    with pytest.raises(FileNotFoundError):
        device.write(FRAME)
    device.close()


def test_qemu_removes_no_file_that_is_no_socket(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_text("data")
    with pytest.raises(DeviceProblem, match="no socket"):
        open_device(f"qemu:{disk},{tmp_path / 'peer'}")
    assert disk.read_text() == "data"


def test_qemu_takes_the_place_of_a_dead_socket(tmp_path: Path) -> None:
    paths = f"{tmp_path / 'mine'},{tmp_path / 'peer'}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(str(tmp_path / "mine"))
        with pytest.raises(DeviceProblem, match="in use"):
            open_device(f"qemu:{paths}")
    device = open_device(f"qemu:{paths}")
    device.close()
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("bus:a\0b", "no such name"),
        ("bus:\ud800", "no such name"),
        ("afpacket:a\0b", "no such name"),
        ("tap:\ud800", "no such name"),
        ("tap:a/b", "no name of an interface"),
        ("tap:a\0b", "no name of an interface"),
        ("bus:", "which one is not said"),
        ("bogus:x", "not one of"),
        ("bus:/etc/passwd", "Not a directory"),
        ("qemu:x", "two paths"),
    ],
)
def test_a_name_that_is_none_is_told(spec: str, why: str) -> None:
    before = len(os.listdir("/proc/self/fd"))
    try:
        with pytest.raises(DeviceProblem, match=why):
            open_device(spec)
    except AssertionError:
        if spec.startswith("afpacket") and os.geteuid():
            pytest.skip("the right to open AF_PACKET is asked for first")
        raise
    assert len(os.listdir("/proc/self/fd")) == before  # nothing was left open
