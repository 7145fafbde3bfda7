# SPDX-License-Identifier: BSD-3-Clause
"""Every example runs as its first lines say, and shows what it promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import PROJECT_ROOT

EXAMPLES = PROJECT_ROOT / "examples"
LINES_MAX = 59

#: Example -> patterns that its output has, in this order.
SHOWS = {
    "two_nodes_ping": (
        r"inet6 2001:db8::a prefixlen 64 tentative",
        r"icmp_seq=0 hlim=64 time=8 ms\n.*icmp_seq=1 hlim=64 time=4 ms",
        r"3 packets transmitted, 3 packets received, 0% packet loss",
        r"\+1 duplicates",
        r"^2001:db8::a +0:a0:24:0:1:1 +fxp0",
        r"5\.004 s of virtual time, \d+ frames\n\Z",
    ),
    "router_autoconf": (
        r"^host0: default router fe80::2a0:24ff:fe00:101%fxp0, \d+ s left\n"
        r"host0: prefix 2001:db8:1::/64, 863\d\d s left\n",
        r"inet6 2001:db8:1:0:2a0:24ff:fe00:201 prefixlen 64 autoconf",
        r"^host2: prefix 2001:db8:1::/64",
        r"2 packets received, 0% packet loss",
    ),
    "udp_echo": (
        r"\Amessage 0 after 12 ms\nmessage 1 after 6 ms\n",
        r"^nothing after 1000 ms\n",
        r"^message \d after 6 ms\n",
        r"\n\nConnection refused after 6 ms\n",
    ),
    "replay_verdicts": (
        r"\A   1 delivered +\n   2 consumed +\n   3 dropped +ICMP6_BADLEN\n",
        r"^  12 dropped +ICMP6_REDIRBAD\n",
        r"^16 packets: \{'delivered': 1, 'forwarded': 0, 'consumed': 3, .*'dropped': 12\}",
        r"^    = dropped: ICMP6_BADLEN: message shorter than its type needs\n",
        r"^the node sent 10 frames",
        r"^  icmp6.icp6s_badredirect +1\n",
    ),
    "loss_sweep": (
        r"\A loss  expected  answered  spread  frames lost\n",
        r"^   0%    100\.0%    100\.0%    0\.0%            0\n",
        r"^  50%     25\.0%     2\d\.\d%    \d\.\d%          \d\d\d\n\Z",
    ),
    "packet_path": (
        r"\Aan echo request:\n  k\n    rawip_input tun0\n    ip6_input tun0\n",
        r"^    = consumed\n    sent: fe80::\S+ > fe80::2, 53 octets\n",
        r"^cut short:\n(  .*\n)*    = dropped: IP6_TOOSHORT:",
        r"^one bit flipped:\n(  .*\n)*    = dropped: ICMP6_CHECKSUM:",
        r"^for somebody else:\n(  .*\n)*    = dropped: IP6_NOTFORUS:",
    ),
}


def run_example(name: str, folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *argv],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_example_is_here() -> None:
    assert sorted(SHOWS) == sorted(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", SHOWS)
def test_example_shows_what_it_promises(name: str, tmp_path: Path) -> None:
    done = run_example(name, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    at = 0
    for pattern in SHOWS[name]:
        found = re.compile(pattern, re.MULTILINE).search(done.stdout, at)
        assert found, f"{pattern}\nnot found in\n{done.stdout[at:]}"
        at = found.end()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SHOWS)
def test_example_gives_the_same_on_every_run(name: str, tmp_path: Path) -> None:
    assert run_example(name, tmp_path).stdout == run_example(name, tmp_path).stdout


@pytest.mark.parametrize("name", SHOWS)
def test_example_is_short_and_says_how_to_run_it(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text()
    assert text.count("\n") <= LINES_MAX
    assert f"python examples/{name}.py" in text


def test_replay_example_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.pcap").write_bytes(b"nonsense")
    done = run_example("replay_verdicts", tmp_path, "x.pcap")
    assert done.returncode == 1
    assert done.stderr.startswith("x.pcap: ") and done.stderr.count("\n") == 1
