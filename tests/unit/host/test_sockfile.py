# SPDX-License-Identifier: BSD-3-Clause
"""Sockets in the file system: a dead one is replaced, nothing else is touched."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kame_py.host.sockfile import bind_socket, clear_socket


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        yield made


def dead_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
        gone.bind(str(path))


def test_only_a_socket_is_cleared_away(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("years of work")
    assert not clear_socket(thesis)
    assert thesis.read_text() == "years of work"
    dead_socket(tmp_path / "dead")
    assert clear_socket(tmp_path / "dead")
    assert not (tmp_path / "dead").exists()


def test_a_link_to_a_socket_is_none(tmp_path: Path) -> None:
    dead_socket(tmp_path / "dead")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "dead")
    assert not clear_socket(link)
    assert link.is_symlink()


def test_a_dead_socket_is_replaced(tmp_path: Path, sock: socket.socket) -> None:
    dead_socket(tmp_path / "s")
    bind_socket(sock, str(tmp_path / "s"))
    assert sock.getsockname() == str(tmp_path / "s")


def test_a_socket_in_use_stays(tmp_path: Path, sock: socket.socket) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(path)
        with pytest.raises(OSError, match="in use") as caught:
            bind_socket(sock, path)
        assert caught.value.filename == path
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as third:
            third.sendto(b"x", path)
        assert other.recv(1) == b"x"


def test_a_file_in_the_way_stays(tmp_path: Path, sock: socket.socket) -> None:
    disk = tmp_path / "disk.img"
    disk.write_text("data")
    with pytest.raises(OSError, match="no socket") as caught:
        bind_socket(sock, str(disk))
    assert caught.value.filename == str(disk)
    assert disk.read_text() == "data"


def test_too_long_a_path_is_told_with_the_limit(sock: socket.socket) -> None:
    with pytest.raises(OSError, match="at most 107 octets") as caught:
        bind_socket(sock, "/tmp/" + "x" * 200)
    assert caught.value.errno == errno.ENAMETOOLONG
