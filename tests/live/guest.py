# SPDX-License-Identifier: BSD-3-Clause
"""A Debian kernel under qemu, as a peer with a real IPsec stack.

The kernel comes from Debian's package of today, the rest of the guest is busybox, ip and ping in an
initramfs. Both are kept in a cache folder; what a test wants the guest to do is a second, small
initramfs behind the first. No root, no TAP: a frame is a datagram of a UNIX socket.
"""

from __future__ import annotations

import functools
import gzip
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.live.rig import PATIENCE_S, wait_until
from tests.support import needs_tool, run

PACKAGE: Final = "linux-image-cloud-amd64"
MAC: Final = "52:54:00:00:01:01"
DOWNLOAD_S: Final = 240
MODULES: Final = (
    *("virtio_pci", "virtio_net", "xfrm_user", "ah6", "esp6", "authenc", "echainiv", "seqiv"),
    *("md5", "sha256_generic", "cbc", "drbg", "des_generic", "crypto_null", "xcbc", "cmac"),
    *("ip6_tunnel", "tunnel6", "xfrm6_tunnel"),
)
PROGRAMS: Final = ("ip", "ping", "dash")
INIT: Final = """#!/bin/sh
export PATH=/bin HOME=/
mount -t proc proc /proc; mount -t sysfs sys /sys
mount -t devtmpfs dev /dev; mount -t tmpfs run /run
modprobe virtio_pci; modprobe virtio_net; modprobe drbg
ip link set lo up
echo 0 > /proc/sys/net/ipv6/conf/default/router_solicitations
for d in $(ls /sys/class/net); do [ $d = lo ] || ip link set $d name wire; done
ip link set wire up
. /scenario
echo GUEST-READY
while :; do sleep 60; done
"""


def cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "kame-py-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@functools.cache
def _refusal() -> str | None:
    """Why there can be no guest, or None."""
    for tool in ("qemu-system-x86_64", "busybox", "cpio", "modprobe", "apt-get", "dpkg-deb"):
        if shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            return f"{tool} is not installed"
    if os.uname().machine != "x86_64":
        return "the guest is for x86_64"
    try:
        _kernel_dir()
    except (OSError, subprocess.SubprocessError, IndexError) as problem:
        return f"no kernel package: {problem}"
    return None


def needs_guest() -> None:
    """Skip the calling test where no guest can run."""
    reason = _refusal()
    if reason is not None:
        pytest.skip(reason)


def _said(*argv: str, cwd: Path | None = None, timeout_s: int = 60) -> str:
    done = subprocess.run(
        argv, cwd=cwd, capture_output=True, text=True, timeout=timeout_s, check=True
    )
    return done.stdout


@functools.cache
def _kernel_dir() -> Path:
    """The unpacked kernel package."""
    depends = _said("apt-cache", "depends", PACKAGE)
    name = re.findall(r"Depends: (linux-image-\S+)", depends)[0]
    folder = cache_dir() / name
    if not (folder / "boot").is_dir():
        fetched = folder.with_suffix(".new")
        shutil.rmtree(fetched, ignore_errors=True)
        fetched.mkdir()
        _said("apt-get", "download", "-q", name, cwd=fetched, timeout_s=DOWNLOAD_S)
        deb = next(fetched.glob("*.deb"))
        _said("dpkg-deb", "-x", str(deb), str(fetched), timeout_s=DOWNLOAD_S)
        deb.unlink()
        version = next((fetched / "lib/modules").iterdir()).name
        _said(needs_tool("depmod"), "-b", str(fetched), version)
        fetched.rename(folder)
    return folder


def _libraries(program: str) -> Iterator[str]:
    yield from re.findall(r"(/\S+) \(0x", run("ldd", program).stdout)


def _copy(source: str, root: Path, target: str = "") -> None:
    path = root / (target or source.lstrip("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        shutil.copy(os.path.realpath(source), path)


def _archive(root: Path, out: Path) -> None:
    names = _said("find", ".", cwd=root)
    done = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"],
        cwd=root,
        input=names.encode(),
        capture_output=True,
        check=True,
    )
    out.write_bytes(gzip.compress(done.stdout, 1))


@functools.cache
def _base() -> Path:
    """The initramfs that all guests share."""
    kernel = _kernel_dir()
    out = kernel / "base.gz"
    if out.exists():
        return out
    root = kernel / f"root{os.getpid()}"
    for name in ("bin", "proc", "sys", "dev", "run", "etc", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    _copy(needs_tool("busybox"), root, "bin/busybox")
    for applet in _said(str(root / "bin/busybox"), "--list").split():
        if applet not in ("busybox", "ip", "ping", "ping6", "sh"):
            (root / "bin" / applet).symlink_to("busybox")
    for name in PROGRAMS:
        program = needs_tool(name)
        _copy(program, root, f"bin/{name}")
        for library in _libraries(program):
            _copy(library, root)
    (root / "bin/sh").symlink_to("dash")
    (root / "sbin").mkdir(exist_ok=True)
    (root / "sbin/modprobe").symlink_to("/bin/modprobe")  # where the kernel looks for it
    version = next((kernel / "lib/modules").iterdir()).name
    for module in MODULES:
        wanted = run("modprobe", "-d", kernel, "-S", version, "--show-depends", module).stdout
        for path in re.findall(r"^insmod (\S+)", wanted, re.M):
            _copy(path, root, path[path.index("lib/modules/") :])
    for name in ("modules.builtin", "modules.order"):
        _copy(str(kernel / "lib/modules" / version / name), root, f"lib/modules/{version}/{name}")
    _said(needs_tool("depmod"), "-b", str(root), version)
    init = root / "init"
    init.write_text(INIT)
    init.chmod(init.stat().st_mode | stat.S_IXUSR)
    new = kernel / f"base{os.getpid()}.gz"
    _archive(root, new)
    new.rename(out)
    shutil.rmtree(root)
    return out


class Guest:
    """A running guest. ``scenario``: shell lines, run once its interface ``wire`` is up."""

    def __init__(self, folder: Path, scenario: str, mine: Path, peer: Path) -> None:
        needs_guest()
        self.console = folder / "guest.log"
        root = folder / "guest"
        root.mkdir()
        (root / "scenario").write_text(scenario)
        extra = folder / "scenario.gz"
        _archive(root, extra)
        initrd = folder / "initrd.gz"
        initrd.write_bytes(_base().read_bytes() + extra.read_bytes())
        kernel = next((_kernel_dir() / "boot").glob("vmlinuz-*"))
        dgram = f"local.type=unix,local.path={mine},remote.type=unix,remote.path={peer}"
        device = f"virtio-net-pci,netdev=n,mac={MAC},csum=off,gso=off,romfile="
        self.process = subprocess.Popen(
            [
                *("qemu-system-x86_64", "-accel", "tcg", "-cpu", "qemu64", "-m", "384"),
                *("-smp", "1", "-nodefaults", "-display", "none", "-no-reboot"),
                *("-machine", "pc", "-kernel", str(kernel), "-initrd", str(initrd)),
                *("-append", "console=ttyS0 quiet panic=-1"),
                *("-serial", f"file:{self.console}"),
                *("-netdev", f"dgram,id=n,{dgram}", "-device", device),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        wait_until("the guest's console", self.console.exists)

    def said(self) -> str:
        return self.console.read_text(errors="replace")

    def ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        return "GUEST-READY" in self.said()

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
