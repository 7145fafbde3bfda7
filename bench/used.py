# SPDX-License-Identifier: BSD-3-Clause
"""Run a command and say on standard error what it took.

A process of its own, since a child counts the memory of who started it: this one has little.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time


def main() -> int:
    began = time.monotonic()
    done = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, check=False)
    wall_s = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = {"work_s": used.ru_utime + used.ru_stime, "wall_s": wall_s, "kib": used.ru_maxrss}
    sys.stderr.write(json.dumps(took))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
