# SPDX-License-Identifier: BSD-3-Clause
"""FreeBSD's error numbers and their texts, as KAME's tools print them (errno.h, strerror(3))."""

from __future__ import annotations

from typing import Final

EPERM: Final = 1
ENOENT: Final = 2
ESRCH: Final = 3
EINTR: Final = 4
EIO: Final = 5
ENXIO: Final = 6
E2BIG: Final = 7
EBADF: Final = 9
ENOMEM: Final = 12
EACCES: Final = 13
EFAULT: Final = 14
EBUSY: Final = 16
EEXIST: Final = 17
ENODEV: Final = 19
ENOTDIR: Final = 20
EISDIR: Final = 21
EINVAL: Final = 22
EMFILE: Final = 24
ENOSPC: Final = 28
EROFS: Final = 30
EPIPE: Final = 32
EAGAIN: Final = 35
ENOTSOCK: Final = 38
EDESTADDRREQ: Final = 39
EMSGSIZE: Final = 40
EPROTOTYPE: Final = 41
ENOPROTOOPT: Final = 42
EPROTONOSUPPORT: Final = 43
ESOCKTNOSUPPORT: Final = 44
EOPNOTSUPP: Final = 45
EAFNOSUPPORT: Final = 47
EADDRINUSE: Final = 48
EADDRNOTAVAIL: Final = 49
ENETDOWN: Final = 50
ENETUNREACH: Final = 51
ECONNRESET: Final = 54
ENOBUFS: Final = 55
EISCONN: Final = 56
ENOTCONN: Final = 57
ETIMEDOUT: Final = 60
ECONNREFUSED: Final = 61
ELOOP: Final = 62
ENAMETOOLONG: Final = 63
EHOSTDOWN: Final = 64
EHOSTUNREACH: Final = 65
ENOSYS: Final = 78

_TEXT: Final[dict[int, str]] = {
    EPERM: "Operation not permitted",
    ENOENT: "No such file or directory",
    ESRCH: "No such process",
    EINTR: "Interrupted system call",
    EIO: "Input/output error",
    ENXIO: "Device not configured",
    E2BIG: "Argument list too long",
    EBADF: "Bad file descriptor",
    ENOMEM: "Cannot allocate memory",
    EACCES: "Permission denied",
    EFAULT: "Bad address",
    EBUSY: "Device busy",
    EEXIST: "File exists",
    ENODEV: "Operation not supported by device",
    ENOTDIR: "Not a directory",
    EISDIR: "Is a directory",
    EINVAL: "Invalid argument",
    EMFILE: "Too many open files",
    EROFS: "Read-only file system",
    ELOOP: "Too many levels of symbolic links",
    ENAMETOOLONG: "File name too long",
    ENOSPC: "No space left on device",
    EPIPE: "Broken pipe",
    EAGAIN: "Resource temporarily unavailable",
    ENOTSOCK: "Socket operation on non-socket",
    EDESTADDRREQ: "Destination address required",
    EMSGSIZE: "Message too long",
    EPROTOTYPE: "Protocol wrong type for socket",
    ENOPROTOOPT: "Protocol not available",
    EPROTONOSUPPORT: "Protocol not supported",
    ESOCKTNOSUPPORT: "Socket type not supported",
    EOPNOTSUPP: "Operation not supported",
    EAFNOSUPPORT: "Address family not supported by protocol family",
    EADDRINUSE: "Address already in use",
    EADDRNOTAVAIL: "Can't assign requested address",
    ENETDOWN: "Network is down",
    ENETUNREACH: "Network is unreachable",
    ECONNRESET: "Connection reset by peer",
    ENOBUFS: "No buffer space available",
    EISCONN: "Socket is already connected",
    ENOTCONN: "Socket is not connected",
    ETIMEDOUT: "Operation timed out",
    ECONNREFUSED: "Connection refused",
    EHOSTDOWN: "Host is down",
    EHOSTUNREACH: "No route to host",
    ENOSYS: "Function not implemented",
}


def strerror(errno: int) -> str:
    """The text of an error number."""
    return _TEXT.get(errno, f"Unknown error: {errno}")


class KError(Exception):
    """What a failed system call raises in a program: errno and its FreeBSD text."""

    def __init__(self, errno: int, text: str = "") -> None:
        super().__init__(text or strerror(errno))
        self.errno = errno
