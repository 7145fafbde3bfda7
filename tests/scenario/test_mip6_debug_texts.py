# SPDX-License-Identifier: BSD-3-Clause
"""MIP6_DEBUG: every text of KAME's is logged by a test, or the table says what keeps it away."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from kame_py.kern.log import LOG_ERR, LOG_INFO, LOG_NOTICE, LOG_WARNING
from kame_py.net.route import RTF_GATEWAY, RTF_STATIC, RTM_ADD, rtrequest
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_ICMPV6
from tests.scenario.mip6_debug_texts import TEXTS, Text
from tests.scenario.mip6words import NONE, bu, unprotected, with_hao
from tests.scenario.tester import GLOBAL, ROUTER, ROUTER_MAC, Stage
from tests.scenario.words import echo, error, ext
from tests.support import PROJECT_ROOT

FACTS = PROJECT_ROOT.parent / "shared" / "facts" / "kame-kernel.md"
LEVELS = {"ERR": LOG_ERR, "WARNING": LOG_WARNING, "NOTICE": LOG_NOTICE, "INFO": LOG_INFO}
HOA = "2001:db8:9::10"
COA = "2001:db8:5::10"
SAID = [text for text in TEXTS if text.by]
#: What varies in a text: a capital letter alone, perhaps with another one.
_VARIES = re.compile(r"(?<![A-Za-z])(H\\\(C\\\)|LL\\\(G\\\)|0xN|IF|[A-Z])(?![A-Za-z])")


# -- the table ------------------------------------------------------------------------------------


def alternatives(text: str) -> Iterator[str]:
    """``a|b c`` is two texts."""
    found = [""]
    for word in re.split("( +)", text):
        found = [head + way for head in found for way in word.split("|")]
    yield from found


def texts_of_the_facts() -> list[tuple[str, str]]:
    section = FACTS.read_text().partition("Main texts:")[2].partition("\n- mip6_bu_print")[0]
    found = []
    for part in section.split("\n- LOG_")[1:]:
        level, _, rest = part.partition(":")
        for quoted in re.findall('"([^"]+)"', rest.replace("\n  ", " ")):
            found += [(level, text) for text in alternatives(quoted)]
    return found


def test_table_has_every_text_of_kame_once() -> None:
    if not FACTS.is_file():
        pytest.skip(f"no list of texts at {FACTS}")
    wanted = texts_of_the_facts()
    assert len(wanted) > 70
    assert sorted((text.level, text.text) for text in TEXTS) == sorted(wanted)


@pytest.mark.parametrize("text", TEXTS, ids=[text.text for text in TEXTS])
def test_a_text_has_a_test_or_a_reason(text: Text) -> None:
    assert bool(text.by) != bool(text.why)
    if text.by:
        path, _, name = text.by.partition("::")
        assert f"def {name.partition('[')[0]}(" in (PROJECT_ROOT / path).read_text()


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[int, str]]]:
    """What kernels log while the tests of the table run, by test."""
    out = tmp_path_factory.mktemp("log") / "heard.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:benchmark", "-p", "no:cacheprovider"),
            *("-p", "tests.scenario.loglisten", *sorted({text.by for text in SAID})),
        ],
        cwd=PROJECT_ROOT,
        env=os.environ | {"LOGLISTEN": str(out)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found: dict[str, list[tuple[int, str]]] = json.loads(out.read_text())
    return found


@pytest.mark.parametrize("text", SAID, ids=[text.text for text in SAID])
def test_text_is_logged_with_its_priority(
    heard: dict[str, list[tuple[int, str]]], text: Text
) -> None:
    said = re.compile(r"(mip6\.c: )?" + _VARIES.sub(".+", re.escape(text.text)))
    level = LEVELS[text.level]
    lines = heard[text.by]
    assert [line for at, line in lines if at == level and said.match(line)], lines


# -- texts that no other test asks for ------------------------------------------------------------


@pytest.fixture
def cn() -> Stage:
    """A correspondent that debugs and asks for no authentication."""
    stage = Stage(globals_=True, kernel="options MIP6\noptions MIP6_DEBUG")
    stage.tn.neighbours[ROUTER] = ROUTER_MAC
    flags = RTF_GATEWAY | RTF_STATIC
    rtrequest(stage.kern, RTM_ADD, bytes(16), 0, stage.kernel_form(ROUTER), flags)
    unprotected(stage)
    stage.send(echo(ROUTER, GLOBAL), ROUTER_MAC)
    stage.forget()
    stage.kern.log.lines.clear()
    return stage


def told(stage: Stage) -> list[str]:
    """What the log has gained, without mip6.c."""
    lines = [line.text.removeprefix("mip6.c: ") for line in stage.kern.log.lines]
    stage.kern.log.lines.clear()
    return lines


def test_debugging_is_told_when_it_was_on_already_and_ends_at_once(cn: Stage) -> None:
    cn.run("mip6control -D 1")
    assert told(cn) == ["debug message enabled"]
    cn.run("mip6control -D 0")
    assert told(cn) == ["debug message disabled"]
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    cn.run("mip6control -S 1")
    assert told(cn) == []
    cn.run("mip6control -D 1")
    assert told(cn) == []
    cn.run("mip6control -S 0")
    assert told(cn) == ["IPsec protection disabled"]


def test_update_without_home_address_option_is_told(cn: Stage) -> None:
    packet = bu(COA, GLOBAL, HOA)
    cn.send(packet[:4] + bytes((0, 16)) + packet[6:40] + packet[64:])
    assert told(cn) == [
        f"no Home Address option found in the binding update from host {COA}.",
        "an invalid binding update received.  ignore this.",
    ]


def test_short_update_is_told(cn: Stage) -> None:
    short = ext(NONE, bytes((0xC6, 7)) + bytes(7), bytes(5))
    cn.send(with_hao(COA, GLOBAL, HOA, short, IPPROTO_DSTOPTS))
    assert told(cn)[0] == f"too short binding update (len = 7) from host {HOA}."


def test_short_sub_option_is_told(cn: Stage) -> None:
    spi_cut = bytes((4, 2)) + bytes(2)  # authentication data: type, length, half an SPI
    option = bytes((0xC6, 12)) + bytes(8) + spi_cut
    cn.send(with_hao(COA, GLOBAL, HOA, ext(NONE, option), IPPROTO_DSTOPTS))
    assert cn.drops() == {"MIP6_BUSHORT": 1}
    assert told(cn)[0] == "sub-option too small"


def test_binding_whose_care_of_address_is_unreachable_is_told(cn: Stage) -> None:
    cn.send(bu(COA, GLOBAL, HOA, flags=""))
    cn.send(with_hao(COA, GLOBAL, HOA, echo(HOA, GLOBAL)[40:], IPPROTO_ICMPV6))
    ours = cn.only().packet
    for _ in range(3):
        cn.send(error(ROUTER, GLOBAL, 1, 3, ours), ROUTER_MAC)
        cn.wait(1)
    assert told(cn) == [
        "BC timer started.",
        f"a mobile node ({HOA}) moved.",
        "BC timer stopped.",
    ]
