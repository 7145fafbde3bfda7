# SPDX-License-Identifier: BSD-3-Clause
"""What the administrator has to know is told without debugging too, but not for every packet."""

from __future__ import annotations

from kame_py.boot import boot
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.log import LOG_ERR
from kame_py.mip6.mip6_var import mip6_state, mip6log, mip6warn

MIP6 = KernConf(options=frozenset({"MIP6"}), hif=1)


def test_one_line_a_second_without_debugging() -> None:
    clock = VirtualClock()
    kern = boot("k", MIP6, clock)
    for text in ("first", "second"):
        mip6warn(kern, LOG_ERR, text)
        mip6log(kern, LOG_ERR, text)
    assert kern.log.dmesg() == "mip6.c: first\n"
    clock.t = NS - 1
    mip6warn(kern, LOG_ERR, "third")
    clock.t = NS
    mip6warn(kern, LOG_ERR, "fourth")
    assert kern.log.dmesg() == "mip6.c: first\nmip6.c: fourth\n"


def test_every_line_with_debugging() -> None:
    kern = boot("k", MIP6, VirtualClock())
    mip6_state(kern).config.mcfg_debug = 1
    for text in ("first", "second"):
        mip6warn(kern, LOG_ERR, text)
    assert kern.log.dmesg() == "mip6.c: first\nmip6.c: second\n"
