# SPDX-License-Identifier: BSD-3-Clause
"""Play a capture to a KAME kernel and ask what became of each packet, and why.

Run it: python examples/replay_verdicts.py [CAPTURE [ADDRESS]]
ADDRESS: be the captured host that has it. By default a capture that comes with kame-py.
"""

import sys
from collections import Counter
from importlib.resources import as_file, files

from kame_py.replay import CaptureError, ReplayError, ReplayOptions, Verdict, replay
from kame_py.wire.in6addr import pton


def explain(path: str, address: str) -> int:
    addr = pton(address) if address else None
    verdicts: list[Verdict] = []
    # trace: keep the way of these packets through the kernel, stage by stage.
    options = ReplayOptions(addr=addr, trace=(3,))
    try:
        with open(path, "rb") as capture:
            result = replay(capture, options, verdicts=verdicts.append)
    except (OSError, CaptureError, ReplayError) as problem:
        print(f"{path}: {problem}", file=sys.stderr)
        return 1

    # Exactly one verdict for each packet, in the order of the capture.
    for verdict in verdicts:
        print(f"{verdict.n:4} {verdict.fate:<10} {verdict.reason or ''}")
    reasons = Counter(v.reason for v in verdicts if v.reason is not None)
    assert reasons == result.drops
    print(f"{result.packets} packets: {result.fates}")
    print("packet 3 went this way:", *result.traces.get(3, ["nowhere"]), sep="\n  ")

    # The node lives on as it stood at the last packet.
    kern = result.kern
    print(f"the node sent {result.replies} frames; counters:")
    for name, count in kern.stats.nonzero().items():
        print(f"  {name:<24} {count}")
    return 0


def main() -> int:
    if len(sys.argv) > 1:
        return explain(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
    with as_file(files("kame_py") / "labs" / "captures" / "nd-short.pcap") as path:
        return explain(str(path), "fe80::2")


if __name__ == "__main__":
    sys.exit(main())
