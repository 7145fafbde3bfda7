# SPDX-License-Identifier: BSD-3-Clause
"""dmesg on a real kernel: the kernel's lines, programs' lines, JSON."""

from __future__ import annotations

import json

from kame_py.kern.log import LOG_ERR, LOG_INFO, MSGBUF_LINES
from kame_py.lab.node import Node
from kame_py.lab.world import World


def node() -> Node:
    made = World().add_node("a")
    made.kernel.log.log(LOG_INFO, "fxp0: hello")
    made.kernel.log.log(LOG_ERR, "<main> starting", "rtadvd[7]")
    return made


def test_kernel_lines_only() -> None:
    assert node().run("dmesg").out == "fxp0: hello\n"


def test_programs_too_with_their_names() -> None:
    assert node().run("dmesg -a").out == "fxp0: hello\nrtadvd[7]: <main> starting\n"


def test_json_has_time_and_priority() -> None:
    rows = json.loads(node().run("dmesg -a --json").out)
    assert [(r["from"], r["priority"]) for r in rows] == [("kernel", "info"), ("rtadvd[7]", "err")]
    assert rows[0]["time_ns"] == 1_012_435_200 * 10**9


def test_oldest_lines_go_first() -> None:
    made = node()
    for i in range(MSGBUF_LINES):
        made.kernel.log.log(LOG_INFO, f"line {i}")
    lines = made.run("dmesg").out.splitlines()
    assert (len(lines), lines[0]) == (MSGBUF_LINES, "line 0")


def test_arguments_are_refused() -> None:
    done = node().run("dmesg now")
    assert done.status == 1 and done.err.startswith("usage: dmesg [-a]")
