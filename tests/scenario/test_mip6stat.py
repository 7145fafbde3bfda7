# SPDX-License-Identifier: BSD-3-Clause
"""The counters of mobility: each refusal in one, sums as in the table of drops, in words."""

from __future__ import annotations

import json
from functools import cache

import pytest

from kame_py.cli.lab import load_lab
from kame_py.kern.drop import REASONS
from kame_py.lab.runner import LabRun
from kame_py.lab.world import World
from kame_py.tools.mip6stat_words import BA_STATUS, MIP6_IN, MIP6_OUT, MIP6_REFUSED
from kame_py.wire import const
from tests.scenario.statwords import counted, member, refused

LABS = ("howto", "howto-secure", "howto-draft13", "mixed-drafts", "multicast", "renumber-abroad")
#: What is ignored or not used without an end of the packet.
NO_DROP = {"mip6s_nobue", "mip6s_ignored"}


@cache
def after(lab: str) -> World:
    run = LabRun(load_lab(lab))
    run.run()
    return run.world


def test_every_refusal_of_mobility_is_counted_once() -> None:
    reasons = [why for name, why in REASONS.items() if name.startswith("MIP6_")]
    assert len(reasons) > 20
    for why in reasons:
        assert bool(why.mip6) != why.counter.startswith("mip6."), why.name
        assert member(why), why.name


def test_every_counter_has_its_words() -> None:
    words = [word.member for word in (*MIP6_IN, *MIP6_REFUSED, *MIP6_OUT)]
    assert len(set(words)) == len(words)
    assert {member(why) for why in REASONS.values()} - {""} | NO_DROP == {
        word.member for word in MIP6_REFUSED
    }


def test_every_status_has_its_words() -> None:
    statuses = {n for name, n in vars(const).items() if name.startswith("MIP6_BA_STATUS_")}
    assert statuses <= set(BA_STATUS)


@pytest.mark.parametrize("lab", LABS)
def test_counters_agree_with_the_drops(lab: str) -> None:
    nodes = after(lab).nodes.values()
    for node in nodes:
        assert counted(node.kernel) == refused(node.kernel), node
        for member_, words in (("mip6s_ba", "mip6s_ba_hist"), ("mip6s_oba", "mip6s_oba_hist")):
            histogram = getattr(node.kernel.stats, words)
            assert sum(histogram.values()) == node.kernel.stats.mip6[member_], node
    assert sum(node.kernel.stats.mip6["mip6s_oba"] for node in nodes) > 0


def total(lab: str, name: str) -> int:
    return sum(node.kernel.stats.mip6[name] for node in after(lab).nodes.values())


@pytest.mark.parametrize(
    ("lab", "sent", "heard"),
    [
        ("howto-secure", "mip6s_oba", "mip6s_ba"),
        ("howto", "mip6s_odhreq", "mip6s_dhreq"),
        ("howto", "mip6s_odhreply", "mip6s_dhreply"),
        ("renumber-abroad", "mip6s_ompa", "mip6s_mpa"),
        ("renumber-abroad", "mip6s_obr", "mip6s_br"),
        ("triangle", "mip6s_otunnel", "mip6s_tunnel"),
        ("multicast", "mip6s_orevtunnel", "mip6s_revtunnel"),
    ],
)
def test_what_leaves_arrives(lab: str, sent: str, heard: str) -> None:
    """In labs without losses."""
    assert total(lab, sent) == total(lab, heard) > 0


def test_mip6stat_of_a_home_agent_that_a_wrong_key_knocks_at() -> None:
    ha = after("howto-secure").nodes["ha"]
    stats = ha.kernel.stats
    assert stats.mip6["mip6s_authfail"] == ha.kernel.drops["MIP6_BUBADAUTH"] > 0
    out = ha.run("mip6stat -s").out
    assert out == ha.run("netstat -s -s -p mip6").out
    assert out.startswith("mip6:\n\tInput:\n")
    assert f"\t\t{stats.mip6['mip6s_bu']} Binding Updates\n" in out
    assert (
        f"\tRefused:\n\t\t{stats.mip6['mip6s_authfail']} messages with wrong authentication data\n"
    ) in out
    assert (
        "\t\tBinding Acknowledgement histogram:\n"
        f"\t\t\tbinding update accepted: {stats.mip6s_oba_hist[0]}\n"
    ) in out


def test_mip6stat_shows_all_counters_and_json_the_members() -> None:
    ha = after("howto-secure").nodes["ha"]
    lines = ha.run("mip6stat").out.splitlines()
    assert len(lines) > len((*MIP6_IN, *MIP6_REFUSED, *MIP6_OUT))
    assert "\t\t0 reverse tunneled packets" in lines
    shown = json.loads(ha.run("mip6stat --json").out)
    assert shown == json.loads(ha.run("netstat -s -p mip6 --json").out)["mip6"]
    assert shown["mip6s_oba_hist"] == {"0": ha.kernel.stats.mip6s_oba_hist[0]}


def test_mip6stat_of_a_kernel_without_mobility() -> None:
    done = after("howto-secure").nodes["r1"].run("mip6stat")
    assert (done.status, done.err) == (1, "mip6stat: mobility: not in this kernel (options MIP6)\n")


def test_mip6stat_explains_itself() -> None:
    node = after("howto-secure").nodes["ha"]
    assert node.run("mip6stat -h").out.startswith("usage: mip6stat [-hs]\n")
    assert node.run("mip6stat all").status == 1
