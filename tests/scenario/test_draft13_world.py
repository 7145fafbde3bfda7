# SPDX-License-Identifier: BSD-3-Clause
"""Draft-13 among real nodes with keys: what has to be is under AH (s.4.4, s.9.8, s.10)."""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.mip6.dialect.draft15 import DRAFT15
from kame_py.mip6.mip6_var import mip6_state
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_AH, IPPROTO_DSTOPTS, IPPROTO_IPV6
from kame_py.wire.in6addr import ntop
from kame_py.wire.ip6ext import walk
from kame_py.wire.mip6 import BindingAck, BindingRequest, BindingUpdate, UniqueId
from kame_py.wire.mip6_draft13 import WIRE
from tests.scenario.mip6words import Seen, seen
from tests.scenario.mnstage import KERNEL13
from tests.scenario.test_mip6_mn_world import CN, COA1, HA, HOA, Net
from tests.scenario.words import addr

KEYS: Final = f"""
add {HOA} {HA} ah 1500 -A hmac-sha1 "AH SA configuration!";
add {HA} {HOA} ah 1600 -A hmac-sha1 "AH SA configuration!";
add {HOA} {CN} ah 1700 -A hmac-md5 "AH SA of the CN!";
"""


@pytest.fixture
def net() -> Net:
    """Everybody has keys, nobody has a policy."""
    net = Net(kernel=f"{KERNEL13}\noptions IPSEC")
    for node in (net.ha, net.mn, net.cn):
        node.files.write("/etc/keys", KEYS)
        node.run("mip6control -S 1")
        node.run("setkey -f /etc/keys")
    return net


def packets(net: Net) -> list[tuple[str, Seen, list[int]]]:
    """(sender, packet, types of its headers) of everything that was sent where it came from."""
    found = []
    for port, heard in net.tap.frames:
        name = port.split(".")[0]
        if name not in ("ha", "mn", "cn"):
            continue
        head = Ip6Hdr.unpack(heard.packet)
        if head.ip6_hlim != 64:
            continue  # on its way
        chain = walk(heard.packet, head.ip6_nxt, Ip6Hdr.SIZE, len(heard.packet))
        found.append((name, seen(heard, WIRE), [ext.nxt_type for ext in chain.headers]))
    return found


def test_a_day_away_and_back_with_every_update_and_answer_under_ah(net: Net) -> None:
    assert net.lost() == 0
    net.move("one")
    assert net.reg_states() == [(HA, 3)]
    assert net.lost() == 0
    net.move("two")
    assert net.lost() == 0
    net.move("home")
    assert net.reg_states() == []
    assert net.lost() == 0
    signalling = [
        (name, types)
        for name, packet, types in packets(net)
        if any(isinstance(o, BindingUpdate | BindingAck) for o in packet.options)
    ]
    assert {name for name, _ in signalling} == {"ha", "mn"}
    assert all(IPPROTO_AH in types for _, types in signalling)
    assert all(types[-2:] == [IPPROTO_AH, IPPROTO_DSTOPTS] for _, types in signalling)


def test_correspondent_with_a_key_is_updated_under_ah(net: Net) -> None:
    net.move("one")
    assert net.lost(2) == 0
    (cache,) = mip6_state(net.cn.kernel).mip6_bc_list.values()
    assert (ntop(cache.mbc_phaddr), ntop(cache.mbc_pcoa)) == (HOA, COA1)


def test_correspondent_without_a_key_is_reached_through_the_home_agent(net: Net) -> None:
    net.mn.run("setkey -F")
    net.mn.files.write("/etc/keys", "\n".join(KEYS.splitlines()[:3]))
    net.mn.run("setkey -f /etc/keys")
    net.move("one")
    assert net.lost(3) == 0
    assert mip6_state(net.cn.kernel).mip6_bc_list == {}


def tunnelled_ras(net: Net) -> list[tuple[Seen, list[int]]]:
    return [
        (packet, types)
        for name, packet, types in packets(net)
        if name == "ha" and packet.nxt == IPPROTO_IPV6 and IPPROTO_AH in types
    ]


def test_prefixes_are_told_under_ah_and_the_update_that_answers_ends_it(net: Net) -> None:
    net.ha.run("ifconfig fxp0 inet6 2001:db8:1:7::1 prefixlen 64 alias")
    net.move("one")
    net.tap.frames.clear()
    net.world.run_for(1100)
    told = tunnelled_ras(net)
    ids = [
        s for p, _ in told for o in p.options if isinstance(o, BindingRequest) for s in o.subopts
    ]
    ids = [s for s in ids if isinstance(s, UniqueId)]
    assert told and all(packet.hops == (COA1, HOA) for packet, _ in told)
    assert len(set(ids)) == len(told)  # none had to be repeated
    updates = [
        o
        for name, packet, _ in packets(net)
        for o in packet.options
        if name == "mn" and isinstance(o, BindingUpdate)
    ]
    assert set(ids) <= {s for o in updates for s in o.subopts}
    prefixes = {ntop(p.mpfx_prefix) for p in mip6_state(net.mn.kernel).mip6_prefix_list}
    assert "2001:db8:1:7::" in prefixes


def test_advertisement_from_a_home_agent_that_lost_its_key_is_not_sent(net: Net) -> None:
    net.move("one")
    net.ha.run("setkey -F")
    net.tap.frames.clear()
    net.world.run_for(1100)
    assert [p for name, p, _ in packets(net) if name == "ha" and p.nxt == IPPROTO_IPV6] == []


def test_keys_that_come_late_are_used_at_once(net: Net) -> None:
    net.mn.run("setkey -F")
    net.move("one")
    assert [state for _, state in net.reg_states()] == [2]
    net.mn.run("setkey -f /etc/keys")
    net.world.run_for(4)
    assert net.reg_states() == [(HA, 3)]
    assert addr(HOA) in mip6_state(net.ha.kernel).mip6_hrbc_list


def test_home_agent_of_draft_15_that_counts_ah_and_answers_under_it_gets_on(net: Net) -> None:
    """docs/dialects.md: mip6control -S 1 and a policy are enough, for numbers below 256."""
    mip6_state(net.ha.kernel).dialect = DRAFT15
    net.ha.files.write("/etc/policy", f"spdadd {HA} {HOA} any -P out ipsec ah/transport//require;")
    net.ha.run("setkey -f /etc/policy")
    net.ha.run("mip6control -T 1")
    net.move("one")
    assert net.reg_states() == [(HA, 3)]
    assert net.lost() == 0
