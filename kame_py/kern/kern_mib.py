# SPDX-License-Identifier: BSD-3-Clause
"""The kern.* variables that scripts ask for: what system this is, its name, when it started.

KAME: kern_mib.c of FreeBSD 4. The names of the system are those of the release that the KAME
snapshot of January 2002 was for, so that scripts which test them go on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.wire.snap import LogSnap

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

OSTYPE: Final = "FreeBSD"
OSRELEASE: Final = "4.5-RELEASE"
OSRELDATE: Final = 450000  # __FreeBSD_version of 4.5


def kern_mib_init(kern: Kernel) -> None:
    """Register the variables; the kernel starts now."""
    reg = kern.sysctl.register
    boot = _boottime(kern)
    options = " ".join(sorted(kern.conf.options))
    version = f"{OSTYPE} {OSRELEASE} ({kern.name}) {options}".rstrip()
    reg("kern.ostype", lambda: OSTYPE, text="operating system")
    reg("kern.osrelease", lambda: OSRELEASE, text="its release")
    reg("kern.osreldate", lambda: OSRELDATE, text="its release as a number")
    reg("kern.version", lambda: version, text="release, name and kernel options")
    reg("kern.hostname", lambda: kern.name, text="name of this node")
    reg("kern.boottime", lambda: boot, text="when this kernel started, UTC")
    reg("kern.msgbuf", lambda: _msgbuf(kern), text="the message buffer", opaque=True)


def _msgbuf(kern: Kernel) -> tuple[LogSnap, ...]:
    return tuple(LogSnap(*line) for line in kern.log.lines)


def _boottime(kern: Kernel) -> str:
    ns = kern.clock.realtime()
    start = datetime.fromtimestamp(ns // NS, UTC).strftime("%a %b %e %H:%M:%S %Y")
    return f"{{ sec = {ns // NS}, usec = {ns % NS // 1000} }} {start}"
