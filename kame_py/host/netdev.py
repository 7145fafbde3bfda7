# SPDX-License-Identifier: BSD-3-Clause
"""Wires of the machine: TAP, AF_PACKET, a bus of UNIX sockets, qemu's datagram sockets.

No KAME counterpart. Each is a descriptor that gives and takes Ethernet frames, one at a time, and
never blocks. Opening says what is missing: the device, the right, the name.
Read first: the kernel's Documentation/networking/tuntap, packet(7), unix(7).
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from kame_py.host.offload import finish_checksum
from kame_py.host.sockfile import bind_socket, clear_socket

FRAME_MAX: Final = 65_550  # an Ethernet header and the largest IPv6 packet
TUN_DEVICE: Final = "/dev/net/tun"
TUNSETIFF: Final = 0x400454CA
IFF_TAP: Final = 0x0002
IFF_NO_PI: Final = 0x1000
IFNAMSIZ: Final = 16
NOT_IN_IFNAME: Final = b"\0/ "  # dev_valid_name
ETH_P_ALL: Final = 0x0003
SOL_PACKET: Final = 263
PACKET_ADD_MEMBERSHIP: Final = 1
PACKET_AUXDATA: Final = 8
PACKET_MR_PROMISC: Final = 1
PACKET_OUTGOING: Final = 4
TP_STATUS_CSUMNOTREADY: Final = 0x08
TICK_NS: Final = 20_000_000  # longer than a tick of any file system's clock
NEVER: Final = -1
RECV_BUFFER: Final = 4 * 1024 * 1024
_IFREQ: Final = struct.Struct("16sH22x")
_MREQ: Final = struct.Struct("iHH8s")
_AUXDATA: Final = struct.Struct("IIIHHHH")
#: Errors of a write that mean: this frame is lost, the device is not.
LOST: Final = (
    errno.EAGAIN,
    errno.ENOBUFS,
    errno.EIO,
    errno.ENETDOWN,
    errno.EMSGSIZE,
    errno.ENXIO,
    errno.EINVAL,
)


class DeviceProblem(Exception):
    """A wire cannot be opened; the text is what to print. permission: a right is missing."""

    def __init__(self, text: str, permission: bool = False) -> None:
        super().__init__(text)
        self.permission = permission


class FrameDevice(Protocol):
    """One wire. ``read`` answers None when nothing is there; ``write`` False when it was lost."""

    name: str

    def fileno(self) -> int: ...
    def read(self) -> bytes | None: ...
    def write(self, frame: bytes) -> bool: ...
    def close(self) -> None: ...


def open_device(spec: str) -> FrameDevice:
    """The wire that ``tap:NAME``, ``afpacket:IFNAME``, ``bus:DIR`` or ``qemu:MINE,PEER`` names.

    DeviceProblem says why not.
    """
    kind, colon, rest = spec.partition(":")
    opener = OPENERS.get(kind)
    if opener is not None and not rest:
        raise DeviceProblem(f"{kind}: which one is not said")
    if opener is None or not colon:
        raise DeviceProblem(f"{spec}: not one of {', '.join(f'{k}:...' for k in OPENERS)}")
    try:
        return opener(rest)
    except PermissionError as problem:
        raise DeviceProblem(f"{spec}: {_missing(kind, problem)}", permission=True) from problem
    except OSError as problem:
        raise DeviceProblem(f"{spec}: {_why(kind, problem)}") from problem
    except ValueError as problem:  # a NUL, or what is no text
        raise DeviceProblem(f"{spec!r}: no such name: {problem}") from problem


def _why(kind: str, problem: OSError) -> str:
    if kind == "tap" and problem.errno == errno.EINVAL:
        return "there is an interface of that name, which is no TAP interface"
    if kind == "tap" and problem.errno == errno.EBUSY:
        return "another process has it"
    return problem.strerror or str(problem)


def _missing(kind: str, problem: OSError) -> str:
    """Which right an open lacked."""
    if kind == "tap" and not os.access(TUN_DEVICE, os.R_OK | os.W_OK):
        mode = os.stat(TUN_DEVICE).st_mode & 0o7777 if os.path.exists(TUN_DEVICE) else 0
        return f"no access to {TUN_DEVICE} (mode {mode:04o})"
    rights = {"tap": "CAP_NET_ADMIN", "afpacket": "CAP_NET_RAW"}
    if kind in rights:
        return f"needs {rights[kind]} (root, or setcap on the interpreter)"
    return problem.strerror or str(problem)


class TapDevice:
    """A TAP interface; made if it is not there, gone with its last user unless persistent."""

    def __init__(self, ifname: str) -> None:
        name = ifname.encode()
        if len(name) >= IFNAMSIZ:
            raise DeviceProblem(f"tap:{ifname}: an interface name has at most 15 octets")
        if any(octet in name for octet in NOT_IN_IFNAME):
            raise DeviceProblem(f"tap:{ifname!r}: no name of an interface")
        self.name = f"tap {ifname}"
        self._fd = os.open(TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._fd, TUNSETIFF, _IFREQ.pack(name, IFF_TAP | IFF_NO_PI))
        except OSError:
            os.close(self._fd)
            raise

    def fileno(self) -> int:
        return self._fd

    def read(self) -> bytes | None:
        try:
            return os.read(self._fd, FRAME_MAX)
        except BlockingIOError:
            return None

    def write(self, frame: bytes) -> bool:
        try:
            os.write(self._fd, frame)
        except OSError as problem:
            return _lost(problem)
        return True

    def close(self) -> None:
        os.close(self._fd)


def _lost(problem: OSError) -> bool:
    if problem.errno in LOST:
        return False
    raise problem


class PacketDevice:
    """An interface of the machine by AF_PACKET, promiscuous; its own frames are not heard."""

    def __init__(self, ifname: str) -> None:
        self.name = f"afpacket {ifname}"
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        try:
            index = socket.if_nametoindex(ifname)
            self._sock.bind((ifname, ETH_P_ALL))
            mreq = _MREQ.pack(index, PACKET_MR_PROMISC, 0, b"")
            self._sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, mreq)
            self._sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECV_BUFFER)
            self._sock.setblocking(False)
        except (OSError, ValueError):
            self._sock.close()
            raise
        self._ifname, self._index = ifname, index

    def fileno(self) -> int:
        return self._sock.fileno()

    def read(self) -> bytes | None:
        while True:
            try:
                frame, control, _, addr = self._sock.recvmsg(FRAME_MAX, 64)
            except BlockingIOError:
                return None
            except OSError as problem:
                if problem.errno == errno.ENETDOWN and self._there():
                    return None
                raise
            if addr[2] == PACKET_OUTGOING:
                continue
            return finish_checksum(frame) if _unfinished(control) else frame

    def write(self, frame: bytes) -> bool:
        try:
            self._sock.send(frame)
        except OSError as problem:
            if problem.errno == errno.ENXIO and not self._there():
                raise
            return _lost(problem)
        return True

    def _there(self) -> bool:
        """Whether the interface is only down; one that comes later under its name is another."""
        try:
            return socket.if_nametoindex(self._ifname) == self._index
        except OSError:
            return False

    def close(self) -> None:
        self._sock.close()


def _unfinished(control: list[tuple[int, int, bytes]]) -> bool:
    """The sender on this machine left the checksum to a network card that is not there."""
    for level, kind, data in control:
        if level == SOL_PACKET and kind == PACKET_AUXDATA and len(data) >= _AUXDATA.size:
            return bool(_AUXDATA.unpack_from(data)[0] & TP_STATUS_CSUMNOTREADY)
    return False


class BusDevice:
    """A folder of datagram sockets: who is on the bus has one in it, and sends to the others'.

    Nobody is in charge, and who dies leaves a socket that the next sender clears away.
    """

    def __init__(self, folder: str) -> None:
        self.name = f"bus {folder}"
        self._folder = Path(folder)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECV_BUFFER)
        self._mine = self._bind()
        self._peers: list[str] = []
        self._seen = NEVER  # the folder's time when it was listed

    def _bind(self) -> str:
        """A name of our own in the folder; a process may be on a bus more than once."""
        number = 0
        while True:
            path = self._folder / f"{os.getpid()}-{number}.port"
            try:
                self._sock.bind(str(path))
            except OSError as problem:
                if problem.errno != errno.EADDRINUSE:
                    self._sock.close()
                    raise
                number += 1
                continue
            os.chmod(path, 0o600)
            return path.name

    def fileno(self) -> int:
        return self._sock.fileno()

    def read(self) -> bytes | None:
        try:
            return self._sock.recv(FRAME_MAX)
        except BlockingIOError:
            return None

    def write(self, frame: bytes) -> bool:
        changed = self._folder.stat().st_mtime_ns
        if changed != self._seen:
            # Who comes in the same tick of the file system's clock leaves no other trace.
            self._seen = changed if time.time_ns() - changed > TICK_NS else NEVER
            there = sorted(p.name for p in self._folder.iterdir() if p.suffix == ".port")
            self._peers = [name for name in there if name != self._mine]
        sent = True
        for name in self._peers:
            sent = self._send(name, frame) and sent
        return sent

    def _send(self, name: str, frame: bytes) -> bool:
        path = self._folder / name
        try:
            self._sock.sendto(frame, str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            clear_socket(path)
            return True
        except OSError as problem:
            return _lost(problem)
        return True

    def close(self) -> None:
        self._sock.close()
        clear_socket(self._folder / self._mine)


class QemuDevice:
    """A guest of qemu by ``-netdev dgram``: one datagram is one frame. ``MINE,PEER``: paths."""

    def __init__(self, paths: str) -> None:
        mine, comma, peer = paths.partition(",")
        if not comma or not peer:
            raise DeviceProblem(f"qemu:{paths}: needs two paths, ours and the guest's")
        self.name = f"qemu {mine}"
        self._mine, self._peer = mine, peer
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            self._sock.setblocking(False)
            bind_socket(self._sock, mine)
        except (OSError, ValueError):
            self._sock.close()
            raise

    def fileno(self) -> int:
        return self._sock.fileno()

    def read(self) -> bytes | None:
        try:
            return self._sock.recv(FRAME_MAX)
        except BlockingIOError:
            return None

    def write(self, frame: bytes) -> bool:
        try:
            self._sock.sendto(frame, self._peer)
        except (ConnectionRefusedError, FileNotFoundError):
            return False  # no guest yet, or no more
        except OSError as problem:
            return _lost(problem)
        return True

    def close(self) -> None:
        self._sock.close()
        clear_socket(Path(self._mine))


OPENERS: Final[dict[str, Callable[[str], FrameDevice]]] = {
    "tap": TapDevice,
    "afpacket": PacketDevice,
    "bus": BusDevice,
    "qemu": QemuDevice,
}
