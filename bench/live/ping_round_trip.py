# SPDX-License-Identifier: BSD-3-Clause
"""The round trip of a ping from Linux to a node on a TAP interface, beside PyTCP on another.

    ping_round_trip.py [--count N] [--flood N] [--rounds N] [--json FILE]

Both nodes run at once, each in a network namespace of its own, and take turns: a round is N pings
that follow each other's answers (ping -A), whose median counts, N more that are 1 ms apart, so that
a node has gone to sleep meanwhile, and a flood: rate and losses. Linux's own ::1 is what
ping itself costs. Needs root. On a machine with other work the figures are not valid; the load is
noted. PyTCP is installed below build/ for the newest interpreter found; 3.x needs Python 3.14, the
wheels of 2.7.9 and 2.7.10 hold no stack.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
PYTCP_HOME: Final = ROOT / "build" / "pytcp"
#: The newest version that is whole, for each interpreter, newest first.
PYTCP: Final = (("python3.13", "2.7.7"), ("python3.12", "2.7.7"), (sys.executable, "2.7.6"))
PATIENCE_S: Final = 60
LINUX_ADDRESS: Final = "2001:db8:2::1/64"
NODE_ADDRESS: Final = "2001:db8:2::2"
PLEN: Final = 64
EX_RIGHTS: Final = 3
AIM_US: Final = 50
AIM_TIMES: Final = 4

_TIME: Final = re.compile(r"time=([\d.]+) ms")
_FLOOD: Final = re.compile(r"(\d+) packets transmitted, (\d+) received.* time (\d+)ms", re.DOTALL)


@dataclass
class Measured:
    """What one node did in all rounds. rates: answers a second in a flood."""

    what: str
    target: str
    netns: str
    times_us: list[float] = field(default_factory=list)
    spaced_us: list[float] = field(default_factory=list)
    medians_us: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    sent: int = 0
    received: int = 0


class CannotRun(Exception):
    """What is missing."""


def checked(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRun(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


# -- nodes ----------------------------------------------------------------------------------------


@contextmanager
def netns(name: str) -> Iterator[str]:
    """A network namespace."""
    checked("ip", "netns", "add", name)
    try:
        checked("ip", "-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextmanager
def process(space: str, argv: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs in a namespace until it is not needed any more."""
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(
            ["ip", "netns", "exec", space, *argv], env=env, stdout=said, stderr=said
        )
        try:
            yield running
        finally:
            running.terminate()
            running.wait()


def connect(space: str, tap: str, running: subprocess.Popen[bytes]) -> None:
    """Linux's end of a TAP interface that a program is about to make."""
    deadline = time.monotonic() + PATIENCE_S
    while subprocess.run(
        ["ip", "-n", space, "link", "set", "dev", tap, "up"], check=False, capture_output=True
    ).returncode:
        if time.monotonic() > deadline or running.poll() is not None:
            raise CannotRun(f"{tap}: the node does not make it")
        time.sleep(0.1)
    checked("ip", "-n", space, "-6", "addr", "add", LINUX_ADDRESS, "dev", tap, "nodad")


def answers(space: str) -> None:
    """Wait for the first answer."""
    deadline = time.monotonic() + PATIENCE_S
    while "1 received" not in ping(space, NODE_ADDRESS, "-c", "1", "-W", "1"):
        if time.monotonic() > deadline:
            raise CannotRun(f"{space}: {NODE_ADDRESS} does not answer")


def kame(stack: ExitStack, folder: Path) -> Measured:
    """A node of kame-py on tap0."""
    space = stack.enter_context(netns(f"kame{os.getpid()}"))
    env = os.environ | {"KAME_RUNTIME_DIR": str(folder / "run")}
    words = [sys.executable, "-m", "kame_py"]
    node = process(space, [*words, "vm", "--name", "n", "--tap", "tap0", "-q"], env)
    connect(space, "tap0", stack.enter_context(node))
    set_address = [*words, "ifconfig", "fxp0", "inet6", NODE_ADDRESS, "prefixlen", str(PLEN)]
    subprocess.run([*set_address, "alias"], env=env, check=True, timeout=PATIENCE_S)
    answers(space)
    return Measured(f"kame-py, Python {platform.python_version()}", NODE_ADDRESS, space)


def pytcp(stack: ExitStack) -> Measured:
    """A host of PyTCP on tap7."""
    python, version = pytcp_python()
    space = stack.enter_context(netns(f"pytcp{os.getpid()}"))
    argv = [str(python), str(HERE / "pytcp_host.py"), "tap7", f"{NODE_ADDRESS}/{PLEN}"]
    connect(space, "tap7", stack.enter_context(process(space, argv, dict(os.environ))))
    answers(space)
    its = checked(str(python), "-c", "import platform; print(platform.python_version())").strip()
    return Measured(f"PyTCP {version}, Python {its}", NODE_ADDRESS, space)


def pytcp_python() -> tuple[Path, str]:
    """An interpreter with PyTCP and its version; installed when it is not there yet."""
    found = PYTCP_HOME / "bin" / "python"
    for name, version in PYTCP:
        python = next(filter(works, candidates(name)), None)
        if python is None:
            continue
        if not found.exists():
            checked(python, "-m", "venv", str(PYTCP_HOME))
        checked(str(found), "-m", "pip", "install", "-q", f"PyTCP=={version}")
        return found, version
    raise CannotRun("PyTCP: no interpreter for it")


def candidates(name: str) -> Iterator[str]:
    """Where an interpreter may be: in the path, or among those of pyenv, whose shims may refuse."""
    yield from filter(None, [shutil.which(name)])
    yield from map(str, sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}")))


def works(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


# -- pings ----------------------------------------------------------------------------------------


def ping(space: str, *words: str) -> str:
    argv = ["ip", "netns", "exec", space, "ping", "-6", "-n", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def pinged(of: Measured, *words: str) -> list[float]:
    """Round trips in us."""
    text = ping(of.netns, of.target, *words, "-W", "1")
    times = [float(ms) * 1000 for ms in _TIME.findall(text)]
    if not times:
        raise CannotRun(f"{of.what}: no answers")
    return times


def measure(of: Measured, count: int, flood: int) -> None:
    """One round."""
    times = pinged(of, "-A", "-c", str(count))
    of.times_us += times
    of.medians_us.append(statistics.median(times))
    of.spaced_us += pinged(of, "-i", "0.001", "-c", str(count))
    match = _FLOOD.search(ping(of.netns, of.target, "-f", "-q", "-c", str(flood), "-W", "1"))
    if match is None:
        raise CannotRun(f"{of.what}: ping -f says nothing")
    sent, received, ms = map(int, match.groups())
    of.sent += sent
    of.received += received
    of.rates.append(received / max(ms, 1) * 1000)


def row(of: Measured) -> dict[str, object]:
    times = sorted(of.times_us)
    return {
        "what": of.what,
        "median_us": round(statistics.median(times), 1),
        "medians_of_rounds_us": [round(m, 1) for m in of.medians_us],
        "median_1ms_apart_us": round(statistics.median(of.spaced_us), 1),
        "p99_us": round(times[int(len(times) * 0.99)], 1),
        "flood_per_s": round(statistics.median(of.rates)),
        "flood_lost": of.sent - of.received,
        "flood_sent": of.sent,
    }


def machine() -> dict[str, object]:
    """What was measured on, and how busy it was."""
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", text)
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


def table(rows: list[dict[str, object]]) -> str:
    lines = [f"{'':<32}{'median':>10}{'99 %':>10}{'1 ms apart':>12}{'flood':>12}{'lost':>8}"]
    for each in rows:
        lines.append(
            f"{each['what']:<32}{each['median_us']:>7} us{each['p99_us']:>7} us"
            f"{each['median_1ms_apart_us']:>9} us"
            f"{each['flood_per_s']:>10}/s{each['flood_lost']:>8}"
        )
    return "\n".join(lines)


def run(count: int, flood: int, rounds: int) -> dict[str, object]:
    on = machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kame-ping-")))
        ours = kame(stack, folder)
        peer = pytcp(stack)
        floor = Measured("Linux, ::1", "::1", ours.netns)
        for _ in range(rounds):
            for each in (ours, peer, floor):
                measure(each, count, flood)
    ratio = statistics.median(peer.times_us) / statistics.median(ours.times_us)
    rows = [row(each) for each in (ours, peer, floor)]
    return {"machine": on, "count": count, "rounds": rounds, "rows": rows, "times": round(ratio, 2)}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=5000, help="pings of each kind in a round")
    parser.add_argument("--flood", type=int, default=20000, help="pings of a flood in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    args = parser.parse_args()
    try:
        result = run(args.count, args.flood, args.rounds)
    except (CannotRun, OSError) as problem:
        sys.stderr.write(f"bench-live: {problem}\n")
        return EX_RIGHTS if os.geteuid() else 1
    print(table(result["rows"]))  # type: ignore[arg-type]  # made just above
    print(f"PyTCP takes {result['times']} times as long (aim {AIM_TIMES}; aim of ours {AIM_US} us)")
    print(f"machine: {result['machine']}")
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
