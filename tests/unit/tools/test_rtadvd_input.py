# SPDX-License-Identifier: BSD-3-Clause
"""What rtadvd accepts, refuses and reports of received solicitations and advertisements."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.tools.rtadvd import main
from kame_py.wire.codecs import NdRouterAdvert, NdRouterSolicit
from kame_py.wire.nd6opt import (
    build_advinterval_opt,
    build_homeagent_opt,
    build_lladdr_opt,
    build_mtu_opt,
    build_prefix_opt,
)
from tests.unit.tools.router_ops import MAC, UP, Machine, addr
from tests.unit.tools.test_rtadvd import router

OTHER = "fe80::99"
RS = NdRouterSolicit().pack()
LLADDR = build_lladdr_opt(1, MAC)
DUMP = "/var/run/rtadvd.dump"
CONF = (
    "fxp0:maxinterval#60:mininterval#40:rtime#30000:retrans#1000:mtu#1400:clockskew#5:"
    'addrs#2:addr0="2001:db8:a::":addr1="2001:db8:b::":'
    "vltime1#1000:vltimedecr1:pltime1#500:pltimedecr1:"
)


def ra(*opts: bytes, **changed: int) -> bytes:
    """An advertisement that agrees with ours but for ``changed`` and the options."""
    fields = {
        "nd_ra_curhoplimit": 64,
        "nd_ra_router_lifetime": 180,
        "nd_ra_reachable": 30000,
        "nd_ra_retransmit": 1000,
    }
    return NdRouterAdvert(**(fields | changed)).pack() + b"".join(opts)


def heard(data: bytes, src: str = OTHER, hlim: int = 255, t_s: float = 10) -> Machine:
    """rtadvd -d after one message, at t_s."""
    m = router(CONF)
    m.icmp6_at(t_s, data, src, hlim=hlim)
    m.signal_at(t_s + 0.1, "USR1")
    m.run(main, "-d fxp0", t_s + 0.2)
    return m


def counts(m: Machine) -> tuple[int, ...]:
    """(RA out, RA in, inconsistent, RS) of the dump."""
    found = re.search(r"inconsistent\): (\d+)/(\d+)/(\d+), RS\(input\): (\d+)", m.files[DUMP])
    assert found is not None
    return tuple(map(int, found.groups()))


# -- validity -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "hlim", "says"),
    [
        (RS, 254, "<rs_input> RS with invalid hop limit(254) received from fe80::99%fxp0 on fxp0"),
        (NdRouterSolicit(nd_rs_code=1).pack(), 255, "<rs_input> RS with invalid ICMP6 code(1)"),
        (ra(), 64, "<ra_input> RA with invalid hop limit(64)"),
        (ra(nd_ra_code=3), 255, "<ra_input> RA with invalid ICMP6 code(3)"),
        (ra()[:12], 255, "<ra_input> RA from fe80::99%fxp0 on fxp0 does not have enough length"),
        (RS + bytes((1, 0)), 255, "<nd6_options> nd option of length zero"),
        (ra(bytes((3, 4))), 255, "<nd6_options> nd option longer than the message"),
        (RS[:3], 255, "<rtadvd_input> packet size(3) is too short"),
        (bytes((138, 0, 0, 0)) + bytes(20), 255, "<rtadvd_input> received a router renumbering"),
    ],
)
def test_an_invalid_message_is_named_and_not_counted(data: bytes, hlim: int, says: str) -> None:
    m = heard(data, hlim=hlim)
    assert [line for line in m.logged() if line.startswith(says)] == m.logged() != []
    assert counts(m) == (0, 0, 0, 0)


def test_renumbering_line_to_the_letter() -> None:
    m = heard(bytes((138, 0, 0, 0)) + bytes(20))
    assert m.log == [
        (
            3,
            "<rtadvd_input> received a router renumbering message, but not allowed to be accepted",
        )
    ]


def test_a_link_layer_address_from_the_unspecified_source_is_an_error() -> None:
    m = heard(RS + LLADDR, src="::")
    assert m.log == [
        (3, "<rs_input> RS from unspecified src on fxp0 has a link-layer address option")
    ]
    assert counts(m) == (0, 0, 0, 0)


def test_a_solicitation_with_and_without_its_option_counts() -> None:
    assert counts(heard(RS + LLADDR)) == (1, 0, 0, 1)
    assert counts(heard(RS, src="::")) == (1, 0, 0, 1)


def test_a_solicitation_elsewhere_is_only_told() -> None:
    m = router(CONF)
    m.add_if("fxp1")
    m.icmp6_at(10, RS, OTHER, "fxp1")
    m.run(main, "-d fxp0", 11)
    assert m.logged() == ["<rs_input> RS received on non advertising interface(fxp1)"]
    assert m.sent == []


def test_a_message_on_an_interface_that_is_down_is_passed_over() -> None:
    m = router(CONF)
    m.set_flags("fxp0", UP & ~1)
    m.icmp6_at(10, RS, OTHER)
    m.run(main, "-d fxp0", 11)
    assert m.logged() == ["<rtadvd_input> received data on a disabled interface (fxp0)"]
    assert m.sent == []


def test_options_that_do_not_belong_are_named_and_skipped() -> None:
    m = heard(ra(build_advinterval_opt(1000), build_homeagent_opt(0, 9), bytes((77, 1)) + bytes(6)))
    assert m.logged() == [
        "<nd6_options> unexpected option 7 from fe80::99%fxp0",
        "<nd6_options> unexpected option 8 from fe80::99%fxp0",
        "<nd6_options> unknown option 77 from fe80::99%fxp0",
    ]
    assert counts(m) == (0, 1, 0, 0)


# -- consistency ----------------------------------------------------------------------------------

_A, _B = addr("2001:db8:a::"), addr("2001:db8:b::")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (ra(nd_ra_curhoplimit=32), "CurHopLimit inconsistent on fxp0: 32 from X, 64 from us"),
        (ra(nd_ra_flags_reserved=0x80), "M flag inconsistent on fxp0: ON from X, OFF from us"),
        (ra(nd_ra_flags_reserved=0x40), "O flag inconsistent on fxp0: ON from X, OFF from us"),
        (ra(nd_ra_reachable=1), "ReachableTime inconsistent on fxp0: 1 from X, 30000 from us"),
        (ra(nd_ra_retransmit=2), "RetransTimer inconsistent on fxp0: 2 from X, 1000 from us"),
        (
            ra(build_mtu_opt(1500)),
            "MTU option value inconsistent on fxp0: 1500 from X, 1400 from us",
        ),
    ],
)
def test_a_contradiction_is_told_at_info_and_counted(data: bytes, what: str) -> None:
    m = heard(data)
    assert m.log == [(6, "<ra_input> " + what.replace("X", "fe80::99%fxp0"))]
    assert counts(m) == (0, 1, 1, 0)


def test_several_contradictions_count_one_advertisement() -> None:
    m = heard(ra(nd_ra_curhoplimit=32, nd_ra_flags_reserved=0xC0))
    assert len(m.log) == 3
    assert counts(m) == (0, 1, 1, 0)


def test_unspecified_values_and_agreement_are_silent() -> None:
    own = build_prefix_opt(_A, 64, 0xC0, 2592000, 604800)
    for data in (ra(), ra(own, LLADDR, build_mtu_opt(1400)), ra(nd_ra_curhoplimit=0)):
        m = heard(data)
        assert m.log == []
        assert counts(m) == (0, 1, 0, 0)


@pytest.mark.parametrize(
    ("option", "says", "counted"),
    [
        (
            build_prefix_opt(addr("2001:db8:c::"), 64, 0xC0, 9, 9),
            "prefix 2001:db8:c::/64 from fe80::99%fxp0 on fxp0 is not in our list",
            0,
        ),
        (
            build_prefix_opt(_A, 64, 0xC0, 2592000, 7),
            "preferred lifetime for 2001:db8:a::/64 inconsistent on fxp0: "
            "7 from fe80::99%fxp0, 604800 from us",
            0,
        ),
        (
            build_prefix_opt(_A, 64, 0xC0, 0xFFFFFFFF, 604800),
            "valid lifetime for 2001:db8:a::/64 inconsistent on fxp0: "
            "infinity from fe80::99%fxp0, 2592000 from us",
            1,
        ),
        (
            build_prefix_opt(_B, 64, 0xC0, 990 - 6, 490),
            "valid lifetime for 2001:db8:b::/64 (decr. in real time) inconsistent on fxp0: "
            "984 from fe80::99%fxp0, 990 from us",
            1,
        ),
    ],
)
def test_prefixes_that_differ(option: bytes, says: str, counted: int) -> None:
    m = heard(ra(option))
    assert m.log == [(6, f"<prefix_check> {says}")]
    assert counts(m) == (0, 1, counted, 0)


def test_a_decrementing_lifetime_within_the_clock_skew_agrees() -> None:
    m = heard(ra(build_prefix_opt(_B, 64, 0xC0, 990 - 5, 490 + 5)))
    assert m.log == []
    assert counts(m) == (0, 1, 0, 0)


def test_without_clock_skew_decrementing_lifetimes_are_not_compared() -> None:
    m = router(CONF.replace("clockskew#5:", ""))
    m.icmp6_at(10, ra(build_prefix_opt(_B, 64, 0xC0, 1, 1)), OTHER)
    m.run(main, "-d fxp0", 11)
    assert m.log == []


def test_nothing_of_a_received_advertisement_changes_ours() -> None:
    quiet, loud = router(CONF), router(CONF)
    loud.icmp6_at(5, ra(build_mtu_opt(1280), nd_ra_flags_reserved=0xC0), OTHER)
    for m in (quiet, loud):
        m.run(main, "fxp0", 20)
    assert quiet.sent == loud.sent != []


@given(st.binary(max_size=80), st.sampled_from((133, 134, None)))
def test_no_octets_stop_the_daemon(tail: bytes, kind: int | None) -> None:
    data = tail if kind is None else bytes((kind, 0)) + tail
    m = router(CONF)
    m.icmp6_at(1, data, OTHER)
    m.run(main, "-D fxp0", 17)
    assert m.sent
