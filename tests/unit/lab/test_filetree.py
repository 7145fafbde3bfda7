# SPDX-License-Identifier: BSD-3-Clause
"""The file tree of a node."""

from __future__ import annotations

import pytest

from kame_py.lab.filetree import FileTree, absolute
from kame_py.wire.errno import EISDIR, ENOENT, ENOTDIR, KError


def errno_of(fn: object, *args: str) -> int:
    with pytest.raises(KError) as caught:
        fn(*args)  # type: ignore[operator]  # a method of the tree
    return caught.value.errno


def test_relative_names_start_at_the_root() -> None:
    tree = FileTree({"rtadvd.conf": "x", "/etc/hosts": "y"})
    assert tree.read("/rtadvd.conf") == tree.read("./etc/../rtadvd.conf") == "x"
    assert tree.names() == ["/etc/hosts", "/rtadvd.conf"]
    assert absolute("a//b/../../..") == "/"


def test_missing_files_directories_and_files_as_directories_have_their_own_errors() -> None:
    tree = FileTree({"/etc/hosts": "y"})
    assert errno_of(tree.read, "/etc/nothing") == ENOENT
    assert errno_of(tree.read, "/var/run") == EISDIR
    assert errno_of(tree.read, "/etc/hosts/x") == ENOTDIR
    assert errno_of(tree.read, "/etc/hosts/") == ENOTDIR
    assert errno_of(tree.remove, "/etc/nothing") == ENOENT


def test_a_file_can_be_written_where_its_directory_exists() -> None:
    tree = FileTree({"/lab/a.conf": ""})
    tree.write("/var/run/had.pid", "100\n")
    tree.write("/usr/local/v6/etc/rtadvd.conf", "")
    tree.write("/lab/b.conf", "")  # a directory is there because a file lies in it
    assert errno_of(tree.write, "/nowhere/x", "") == ENOENT
    assert errno_of(tree.write, "/var/run", "") == EISDIR
    assert errno_of(tree.write, "/var/run/x/", "") == EISDIR
    assert errno_of(tree.write, "/var/run/had.pid/x", "") == ENOTDIR


def test_append_makes_and_extends_a_file() -> None:
    tree = FileTree()
    tree.append("/tmp/log", "a")
    tree.append("/tmp/log", "b")
    assert tree.read("/tmp/log") == "ab"
    tree.remove("/tmp/log")
    assert tree.names() == []
