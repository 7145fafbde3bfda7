# SPDX-License-Identifier: BSD-3-Clause
"""Finding nodes among sockets that are dead, foreign, silent or no sockets at all."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kame_py.ctl.codec import pack
from kame_py.ctl.remote import NodeGone
from kame_py.host import connect
from kame_py.host.connect import UnixTransport, find, survey
from kame_py.host.runtime import Address, RuntimeProblem, node_dir, runtime_dir, sockets


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of the test's own."""
    made = tmp_path / "run"
    made.mkdir(mode=0o700)
    monkeypatch.setenv("KAME_RUNTIME_DIR", str(made))
    return made


@contextmanager
def server(path: Path, answer: bytes | None) -> Iterator[None]:
    """Who answers one connection with these octets; None: it never takes it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        thread = threading.Thread(target=_serve, args=(listener, answer or b""))
        if answer is not None:
            thread.start()
        yield
        if answer is not None:
            thread.join()


def _serve(listener: socket.socket, answer: bytes) -> None:
    with listener.accept()[0] as sock:
        sock.recv(65_536)
        sock.sendall(answer)


def dead(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))


def test_a_file_that_is_named_as_a_server_stays(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("years of work")
    with pytest.raises(NodeGone, match=r"thesis\.txt: not a socket"):
        find(Address(thesis, None))
    assert thesis.read_text() == "years of work"


def test_a_dead_socket_that_is_named_stays_and_one_of_the_folder_goes(folder: Path) -> None:
    dead(folder / "x.sock")
    assert survey([folder / "x.sock"]) == ([], [])
    assert (folder / "x.sock").exists()
    (folder / "y.sock").write_text("no socket")
    assert survey() == ([], [])
    assert [path.name for path in folder.iterdir()] == ["y.sock"]


def test_who_speaks_another_language_is_named(folder: Path) -> None:
    path = folder / "web.sock"
    with server(path, b"HTTP/1.0 400 Bad Request\r\n\r\n"):
        assert survey().silent == [
            f"{path}: the answer is not understood: a frame of 1213486160 octets is too long"
        ]


def test_a_refusal_is_handed_on(folder: Path) -> None:
    path = folder / "busy.sock"
    with (
        server(path, pack({"x": "more than 256 programs"})),
        pytest.raises(NodeGone, match=r"busy\.sock: more than 256 programs"),
    ):
        find(Address(None, None))


def test_who_does_not_answer_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "ASK_TIMEOUT_S", 1)
    path = folder / "stopped.sock"
    with server(path, None):
        assert survey().silent == [f"{path}: {connect.NO_ANSWER}"]


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "a/b", "a\nb", "a#b", "x" * 201])
def test_a_name_that_is_no_folder_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(RuntimeProblem, match="no name of a node"):
        node_dir(name)
    assert list(folder.parent.iterdir()) == [folder] and not list(folder.iterdir())


def test_a_folder_of_a_node_is_the_users_alone(folder: Path) -> None:
    assert node_dir("ha").stat().st_mode & 0o777 == 0o700


def test_a_runtime_folder_that_cannot_be_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KAME_RUNTIME_DIR", str(tmp_path / "file"))
    with pytest.raises(RuntimeProblem, match="not a directory"):
        runtime_dir(create=True)
    monkeypatch.setenv("KAME_RUNTIME_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(RuntimeProblem, match="Not a directory"):
        sockets()


def test_a_signal_that_another_thread_took_is_seen_by_who_waits(folder: Path) -> None:
    """It interrupts no call of the main thread, as one does not that comes just before it."""
    handled = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "x.sock"))
        listener.listen(1)
        transport = UnixTransport(folder / "x.sock")
        transport.wake_on_signals()
        peer = listener.accept()[0]

        def other_thread() -> None:
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
            peer.sendall(b"seen" if handled.wait(5) else b"late")

        thread = threading.Thread(target=other_thread)
        thread.start()
        try:
            assert transport.recv() == b"seen"
        finally:
            thread.join()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGUSR1, before)
            transport.close()
            peer.close()
