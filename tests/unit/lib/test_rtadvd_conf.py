# SPDX-License-Identifier: BSD-3-Clause
"""rtadvd.conf entries: defaults, ranges, error texts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.lib.rtadvd_conf import ConfigError, RaConfig, RaPrefix, RaRoute, parse_config
from kame_py.wire import in6addr


def addr(text: str) -> bytes:
    value = in6addr.pton(text)
    assert value is not None
    return value


def config(fields: str, *, mobility: bool = False, mtu: int = 1500) -> RaConfig:
    found = parse_config(f"fxp0:{fields}:\n", "fxp0", mobility=mobility, mtu=mtu)
    assert isinstance(found, RaConfig), found
    return found


def refusal(fields: str, *, mobility: bool = False, mtu: int = 1500) -> str:
    found = parse_config(f"fxp0:{fields}:\n", "fxp0", mobility=mobility, mtu=mtu)
    assert isinstance(found, ConfigError), found
    return found.text


def test_defaults_without_a_file() -> None:
    assert parse_config(None, "fxp0", mobility=False, mtu=1500) == RaConfig(
        ifname="fxp0",
        found=False,
        maxinterval_ms=600_000,
        mininterval_ms=200_000,
        chlim=64,
        managed=False,
        otherconf=False,
        home_agent=False,
        rtpref=0,
        rltime_s=1800,
        rtime_ms=0,
        retrans_ms=0,
        hapref=0,
        hatime_s=0,
        clockskew_s=0,
        prefixes=None,
        linkmtu=0,
        send_lladdr=True,
        routes=(),
        notices=(
            "fxp0 isn't defined in the configuration file or the configuration file doesn't "
            "exist. Treat it as default",
        ),
        warnings=(),
    )


def test_file_without_the_interface_means_defaults() -> None:
    found = parse_config("ef0:chlim#3:\n", "fxp0", mobility=False, mtu=1500)
    assert isinstance(found, RaConfig)
    assert (found.found, found.chlim, len(found.notices)) == (False, 64, 1)


def test_howto_entry() -> None:
    text = "fxp0:\\\n        :maxinterval#60:mininterval#40:\n    "
    found = parse_config(text, "fxp0", mobility=True, mtu=1500)
    assert isinstance(found, RaConfig)
    assert (found.maxinterval_ms, found.mininterval_ms, found.rltime_s) == (60000, 40000, 180)
    assert found.home_agent and found.raflags == 0x20
    assert found.prefixes is None
    assert found.notices == () and found.warnings == ()


def test_kame_sample_file_parses_to_defaults(data_dir: Path) -> None:
    text = (data_dir / "kame" / "rtadvd_rtadvd.conf").read_text()
    found = parse_config(text, "ef0", mobility=False, mtu=1500)
    assert isinstance(found, RaConfig)
    assert not found.found and found.prefixes is None


def test_kame_sample_entry_without_comment_marks_lacks_its_count(data_dir: Path) -> None:
    text = (data_dir / "kame" / "rtadvd_rtadvd.conf").read_text()
    text = text.replace("#ef0:", "ef0:").replace("#\t:addr", "\t:addr")
    conflict = (
        "conflicting prefix configuration for ef0: automatic and manual config at the same time"
    )
    assert parse_config(text, "ef0", mobility=False, mtu=1500) == ConfigError(conflict)
    found = parse_config(text.replace(":addr", ":addrs#1:addr"), "ef0", mobility=False, mtu=1500)
    assert isinstance(found, RaConfig)
    assert found.prefixes == (RaPrefix(addr("3ffe:501:ffff:1000::")),)


@pytest.mark.parametrize("value", [1, 3, 1801])
def test_maxinterval_out_of_range(value: int) -> None:
    assert refusal(f"maxinterval#{value}") == (
        f"maxinterval ({value}) on fxp0 is invalid (must be between 4.000000e+00 and 1800)"
    )


def test_maxinterval_bounds_are_allowed() -> None:
    assert config("maxinterval#4:mininterval#3").maxinterval_ms == 4000
    assert config("maxinterval#1800").mininterval_ms == 600000


def test_mobility_lowers_both_minima() -> None:
    found = config("maxinterval#2:mininterval#1", mobility=True)
    assert (found.maxinterval_ms, found.mininterval_ms) == (2000, 1000)
    assert refusal("maxinterval#1", mobility=True) == (
        "maxinterval (1) on fxp0 is invalid (must be between 1.500000e+00 and 1800)"
    )
    assert refusal("maxinterval#4:mininterval#0", mobility=True) == (
        "mininterval (0) on fxp0 is invalid (must be between 5.000000e-02 and 3)"
    )


def test_mobility_takes_fractions_of_a_second_as_strings() -> None:
    found = config('maxinterval="1.5":mininterval="0.05"', mobility=True)
    assert (found.maxinterval_ms, found.mininterval_ms, found.rltime_s) == (1500, 50, 5)
    assert config('maxinterval="1.5"', mobility=True).mininterval_ms == 500
    assert refusal('maxinterval="1.499"', mobility=True).startswith("maxinterval (1.499) on fxp0")
    assert refusal('maxinterval="2":mininterval="1.501"', mobility=True) == (
        "mininterval (1.501) on fxp0 is invalid (must be between 5.000000e-02 and 1.5)"
    )


@pytest.mark.parametrize("value", ["", "x", "-2", "1e2", "1.5s", "nan", "99999"])
def test_strings_that_are_no_seconds_are_refused(value: str) -> None:
    assert refusal(f'maxinterval="{value}"', mobility=True).startswith(f"maxinterval ({value}) on")


def test_fractions_need_mobility() -> None:
    assert refusal('maxinterval="60"').startswith("maxinterval (60) on fxp0 is invalid")


def test_no_home_agent_information_without_the_home_agent_flag() -> None:
    found = config("raflags#0:hatime#100", mobility=True)
    assert (found.home_agent, found.hatime_s) == (False, 0)
    assert found.warnings == ("hatime on fxp0 is ignored: raflags lacks the H flag (32)",)
    assert config("raflags#32:hatime#100", mobility=True).hatime_s == 100


def test_mininterval_out_of_range() -> None:
    assert refusal("maxinterval#60:mininterval#50") == (
        "mininterval (50) on fxp0 is invalid (must be between 3.000000e+00 and 45)"
    )
    assert config("maxinterval#60:mininterval#45").mininterval_ms == 45000


@pytest.mark.parametrize("maxinterval", [4, 8])
def test_default_mininterval_is_validated_too(maxinterval: int) -> None:
    assert refusal(f"maxinterval#{maxinterval}").startswith(f"mininterval ({maxinterval // 3})")
    assert config("maxinterval#9").mininterval_ms == 3000


def test_router_lifetime_range() -> None:
    assert refusal("maxinterval#60:rltime#30") == (
        "router lifetime (30) on fxp0 is invalid (must be 0 or between 60 and 9000)"
    )
    assert refusal("rltime#9001").startswith("router lifetime (9001)")
    assert config("rltime#0").rltime_s == 0
    assert config("rltime#9000").rltime_s == 9000


def test_chlim_keeps_its_low_octet_with_a_warning() -> None:
    found = config("chlim#257")
    assert found.chlim == 1
    assert found.warnings == ("chlim#257 on fxp0 is cut to 1",)


def test_flags_octet_is_taken_apart_and_home_agent_needs_mobility() -> None:
    plain = config("raflags#232")
    assert (plain.managed, plain.otherconf, plain.home_agent, plain.rtpref) == (
        True,
        True,
        False,
        8,
    )
    assert plain.raflags == 0xC8
    assert config("raflags#232", mobility=True).raflags == 0xE8


def test_explicit_raflags_drop_the_home_agent_bit_unless_given() -> None:
    assert not config("raflags#128", mobility=True).home_agent
    assert config("raflags#32", mobility=True).home_agent


def test_reserved_router_preference_is_fatal() -> None:
    assert refusal("raflags#16") == "raflags (16) on fxp0: invalid router preference"
    assert config("raflags#24").rtpref == 0x18


def test_reachable_time_and_retransmit_timer() -> None:
    found = config("rtime#3600000:retrans#4294967295")
    assert (found.rtime_ms, found.retrans_ms) == (3600000, 4294967295)
    assert refusal("rtime#3600001") == (
        "reachable time (3600001) on fxp0 is invalid (must be no greater than 3600000)"
    )
    assert refusal("retrans#4294967296").startswith("retransmit time (4294967296)")


def test_home_agent_preference_is_kept() -> None:
    found = config("hatime#100:hapref#10", mobility=True)
    assert (found.hapref, found.hatime_s) == (10, 100)


def test_home_agent_lifetime_is_cut_to_16_bits_with_a_warning() -> None:
    found = config("hatime#65537", mobility=True)
    assert found.hatime_s == 1
    assert found.warnings == ("hatime#65537 on fxp0 is cut to 1",)


@pytest.mark.parametrize("fields", ["hapref#10", "hatime#100"])
def test_home_agent_information_needs_the_mobility_option(fields: str) -> None:
    assert refusal(fields) == "mobile-ip6 configuration without proper command line option"


def test_clockskew() -> None:
    assert config("clockskew#5").clockskew_s == 5


def test_count_of_zero_prefixes_advertises_none() -> None:
    assert config("addrs#0").prefixes == ()


@pytest.mark.parametrize("name", ["addr", "addr0", "addr1"])
def test_prefix_without_count_conflicts_with_automatic_ones(name: str) -> None:
    assert refusal(f'{name}="fec0::"') == (
        "conflicting prefix configuration for fxp0: automatic and manual config at the same time"
    )


def test_single_prefix_uses_names_without_number() -> None:
    found = config(
        'addrs#1:addr="3ffe:501::":prefixlen#48:pinfoflags#64:vltime#4294967295:'
        "pltime#3600:pltimedecr"
    )
    assert found.prefixes == (
        RaPrefix(
            prefix=addr("3ffe:501::"),
            prefixlen=48,
            onlink=False,
            autoconf=True,
            router=False,
            vltime_s=4294967295,
            vltimedecr=False,
            pltime_s=3600,
            pltimedecr=True,
        ),
    )


def test_several_prefixes_carry_numbers_from_zero() -> None:
    found = config('addrs#2:addr0="fec0:0:0:1::":addr1="fec0:0:0:2::":vltime1#7:vltimedecr1')
    assert found.prefixes == (
        RaPrefix(addr("fec0:0:0:1::")),
        RaPrefix(addr("fec0:0:0:2::"), vltime_s=7, vltimedecr=True),
    )


def test_missing_prefix_is_named_after_the_index_rule() -> None:
    assert refusal("addrs#1:addr0=fec0") == "need addr as a prefix for interface fxp0"
    assert refusal("addrs#2:addr=fec0") == "need addr0 as a prefix for interface fxp0"
    assert refusal("addrs#999999999") == "need addr0 as a prefix for interface fxp0"


def test_prefix_that_is_no_address() -> None:
    assert refusal("addrs#1:addr=3ffe:501::") == "inet_pton failed for 3ffe"


def test_multicast_prefix_is_fatal_and_link_local_a_notice() -> None:
    assert refusal('addrs#1:addr="ff02::"') == (
        "multicast prefix (ff02::) must not be advertised on fxp0"
    )
    assert config('addrs#1:addr="fe80::"').notices == (
        "link-local prefix (fe80::) will be advertised on fxp0",
    )


def test_router_address_is_kept_whole_only_with_mobility_and_its_flag() -> None:
    fields = 'addrs#1:addr="2001:200:1:1::29":pinfoflags#224'
    whole, cut = config(fields, mobility=True).prefixes, config(fields).prefixes
    assert whole == (RaPrefix(addr("2001:200:1:1::29"), router=True),)
    assert cut == (RaPrefix(addr("2001:200:1:1::")),)


def test_prefix_length_and_lifetimes_are_range_checked() -> None:
    head = 'addrs#1:addr="fec0::":'
    assert config(head + "prefixlen#128").prefixes == (RaPrefix(addr("fec0::"), 128),)
    assert refusal(head + "prefixlen#129") == "prefixlen (129) for fec0:: on fxp0 is out of range"
    assert "vltime (4294967296)" in refusal(head + "vltime#4294967296")
    assert "pltime (4294967296)" in refusal(head + "pltime#4294967296")


def test_mtu() -> None:
    assert config("mtu#1280").linkmtu == 1280
    assert config("mtu#0").linkmtu == 0
    assert config("mtu=auto", mtu=1400).linkmtu == 1400
    assert refusal("mtu#9000") == (
        "advertised link mtu (9000) on fxp0 is invalid "
        "(must be between least MTU (1280) and physical link MTU (1500)"
    )
    assert refusal("mtu#1279").startswith("advertised link mtu (1279)")
    assert refusal("mtu=big").startswith("advertised link mtu (big)")


def test_link_layer_address_is_sent_unless_refused_or_absent() -> None:
    assert config("chlim#1").send_lladdr
    assert not config("nolladdr").send_lladdr
    found = parse_config(None, "gif0", mobility=False, mtu=1280, has_lladdr=False)
    assert isinstance(found, RaConfig) and not found.send_lladdr


def test_routes() -> None:
    found = config(
        'routes#2:rtprefix0="3ffe:501:1::":rtplen0#32:rtflags0#8:rtltime0#1800:'
        'rtprefix1="3ffe:502::":rtltime1#60'
    )
    assert found.routes == (
        RaRoute(addr("3ffe:501::"), 32, 0x08, 1800),
        RaRoute(addr("3ffe:502::"), 64, 0, 60),
    )
    assert found.warnings == ()


def test_route_lifetime_defaults_to_the_router_lifetime_with_a_warning() -> None:
    found = config('maxinterval#60:routes#1:rtprefix="3ffe::"')
    assert found.routes == (RaRoute(addr("3ffe::"), 64, 0, 180),)
    assert found.warnings == ("rtltime should be specified for interface fxp0.",)


def test_route_errors() -> None:
    assert refusal("routes#1") == "need rtprefix as a route for interface fxp0"
    assert refusal("routes#2") == "need rtprefix0 as a route for interface fxp0"
    head = 'routes#1:rtprefix="3ffe::":rtltime#1:'
    assert refusal(head + "rtflags#16").endswith("invalid router preference")
    assert refusal(head + "rtplen#129") == "rtplen (129) for 3ffe:: on fxp0 is out of range"


def test_old_route_names_still_count_with_a_warning() -> None:
    found = config('routes#1:rtrprefix="3ffe::":rtrplen#16:rtrflags#24:rtrltime#9')
    assert found.routes == (RaRoute(addr("3ffe::"), 16, 0x18, 9),)
    assert found.warnings == (
        "rtrprefix was obsoleted. Use rtprefix.",
        "rtrplen was obsoleted. Use rtplen.",
        "rtrflags was obsoleted. Use rtflags.",
        "rtrltime was obsoleted. Use rtltime.",
    )


def test_new_route_name_wins_over_the_old_one() -> None:
    found = config('routes#1:rtprefix="3ffe::":rtplen#16:rtrplen#32:rtltime#9')
    assert found.routes[0].prefixlen == 16
    assert found.warnings == ()


def test_included_entry_supplies_values() -> None:
    text = "default:maxinterval#60:chlim#9:\nfxp0:chlim#3:tc=default:\n"
    found = parse_config(text, "fxp0", mobility=False, mtu=1500)
    assert isinstance(found, RaConfig)
    assert (found.maxinterval_ms, found.chlim) == (60000, 3)


def test_grammar_error_of_the_entry_is_a_config_error() -> None:
    assert refusal("tc=missing") == "tc=missing: no such entry"


def test_unknown_capability_is_a_warning_with_a_suggestion() -> None:
    assert config("maxintervall#60").warnings == (
        "unknown capability maxintervall for fxp0; did you mean maxinterval",
    )
    assert config("zzz#60").warnings == ("unknown capability zzz for fxp0",)


NAMES = "maxinterval mininterval chlim raflags rltime rtime addrs addr mtu routes rtprefix tc"
FIELD = st.builds(
    "{}{}{}".format,
    st.sampled_from(NAMES.split()),
    st.sampled_from("#=@"),
    st.integers(0, 2**70).map(str) | st.text(max_size=8),
)


@given(st.lists(FIELD, max_size=6), st.booleans())
def test_never_raises(fields: list[str], mobility: bool) -> None:
    text = "fxp0:" + ":".join(fields)
    found = parse_config(text, "fxp0", mobility=mobility, mtu=1500)
    assert isinstance(found, RaConfig | ConfigError)
