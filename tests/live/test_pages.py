# SPDX-License-Identifier: BSD-3-Clause
"""The pages about running nodes, typed from top to bottom."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.rig import PATIENCE_S, Netns, Rig, wait_until
from tests.meta.sessions import Step, agrees, blocks, steps, write_file
from tests.support import PROJECT_ROOT, needs_netns, needs_tool

pytestmark = pytest.mark.live

DOCS = PROJECT_ROOT / "docs"


class Typist:
    """Types the sessions of a page at a shell. A block ``console background`` goes on running."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            **os.environ,
            "KAME_RUNTIME_DIR": str(folder / "run"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
            "COLUMNS": "80",
            "NO_COLOR": "1",
        }
        for name in ("KAME_SERVER", "KAME_NODE"):
            self.env.pop(name, None)
        self.running: list[subprocess.Popen[bytes]] = []
        for name in ("labs", "kame_py"):
            (folder / name).symlink_to(PROJECT_ROOT / name)

    def play(self, page: Path) -> list[str]:
        """The steps whose output is not what the page shows."""
        wrong: list[str] = []
        for block in blocks(page.read_text()):
            if block.lang == "console" and block.info == "background":
                for step in steps(block):
                    self._begin(step)
            elif block.lang == "console":
                for step in steps(block):
                    printed = self._type(step.command)
                    if not agrees(step.shown, printed):
                        wrong.append(f"{page.name}:{step.at}: {step.command}\n{printed}")
            elif "." in block.info:
                write_file(block, self.folder)
        return wrong

    def _begin(self, step: Step) -> None:
        log = self.folder / f"background{len(self.running)}.log"
        with open(log, "wb") as out:
            self.running.append(
                subprocess.Popen(
                    ["bash", "-c", f"exec {step.command}"],
                    cwd=self.folder,
                    env=self.env,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                )
            )
        wait_until(
            f"{step.command}: {step.shown}", lambda: agrees([*step.shown, "..."], log.read_text())
        )

    def _type(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * PATIENCE_S,
            check=False,
        )
        return done.stdout

    def end(self) -> None:
        for process in self.running:
            process.terminate()
            process.wait(PATIENCE_S)


def test_live_page(tmp_path: Path) -> None:
    needs_tool("tshark")
    typist = Typist(tmp_path)
    try:
        wrong = typist.play(DOCS / "live.md")
    finally:
        typist.end()
    assert not wrong, "\n".join(wrong)


def test_page_about_wires(tmp_path: Path, rig: Rig) -> None:
    """Its namespaces are made by the commands on the page, so their names are taken or free."""
    needs_netns()
    netns: Netns = rig.netns()
    taken = netns.run("ip", "netns", "list")
    if "kame-a" in taken or "kame-b" in taken:
        pytest.skip("the namespaces kame-a and kame-b are somebody's")
    typist = Typist(tmp_path)
    try:
        wrong = typist.play(DOCS / "wires.md")
    finally:
        typist.end()
        for name in ("kame-a", "kame-b"):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    assert not wrong, "\n".join(wrong)
