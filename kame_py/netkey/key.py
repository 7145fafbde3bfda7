# SPDX-License-Identifier: BSD-3-Clause
"""Key management comes into being: databases, PF_KEY sockets, net.key.*, net.inet6.ipsec6.*.

KAME netkey/key.c (key_init, sysctl net.key) and the variables of netinet6/ipsec.c. Deviates:
int_random has no effect, the generator needs no stirring. Read first: RFC 2367 s.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.kern.conf import KernConf
from kame_py.netkey.keydb import KeyState
from kame_py.netkey.keysock import KeyUsrreqs
from kame_py.wire.pfkeyv2 import (
    IPSEC_LEVEL_REQUIRE,
    IPSEC_LEVEL_USE,
    IPSEC_POLICY_NONE,
    PF_KEY_V2,
    SPI_RESERVED_MAX,
)
from kame_py.wire.sockaddr import AF_KEY, SOCK_RAW

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

MAXINT: Final = 0x7FFFFFFF
_SPI_MIN: Final = SPI_RESERVED_MAX + 1
_TRIES: Final = 100_000  # a refused GETSPI takes no longer than this many draws
_KEY_BITS: Final = 2048  # the longest key there is
_USE: Final = IPSEC_LEVEL_USE
_REQUIRE: Final = IPSEC_LEVEL_REQUIRE
_ECN_ALLOWED: Final = 1  # -1 makes the outer class 0, 0 forbids, 1 allows congestion marks


class _Var(NamedTuple):
    """One leaf: its name, member of KeyState, range, what it does."""

    name: str
    member: str
    lo: int
    hi: int
    text: str


_VARS: Final = (
    _Var("net.key.debug", "key_debug_level", 0, MAXINT, "log the messages of programs"),
    _Var("net.key.spi_trycnt", "key_spi_trycnt", 1, _TRIES, "attempts to find a free SPI"),
    _Var("net.key.spi_minval", "key_spi_minval", _SPI_MIN, MAXINT, "smallest SPI chosen here"),
    _Var("net.key.spi_maxval", "key_spi_maxval", _SPI_MIN, MAXINT, "largest SPI chosen here"),
    _Var("net.key.int_random", "key_int_random", 0, MAXINT, "seconds; KAME's, without effect"),
    _Var("net.key.larval_lifetime", "key_larval_lifetime", 1, MAXINT, "seconds an SPI waits"),
    _Var("net.key.blockacq_count", "key_blockacq_count", 0, MAXINT, "packets between ACQUIREs"),
    _Var("net.key.blockacq_lifetime", "key_blockacq_lifetime", 1, MAXINT, "seconds between them"),
    _Var("net.key.esp_keymin", "ipsec_esp_keymin", 0, _KEY_BITS, "bits proposed at least"),
    _Var("net.key.esp_auth", "ipsec_esp_auth", 0, 1, "propose ESP with authentication"),
    _Var("net.key.ah_keymin", "ipsec_ah_keymin", 0, _KEY_BITS, "bits proposed at least"),
    _Var("net.key.prefered_oldsa", "key_preferred_oldsa", 0, 1, "old associations come first"),
    _Var(
        "net.inet6.ipsec6.esp_trans_deflev",
        "ip6_esp_trans_deflev",
        _USE,
        _REQUIRE,
        "level default of ESP in transport mode: 1 use, 2 require",
    ),
    _Var(
        "net.inet6.ipsec6.esp_net_deflev",
        "ip6_esp_net_deflev",
        _USE,
        _REQUIRE,
        "level default of ESP in tunnel mode: 1 use, 2 require",
    ),
    _Var(
        "net.inet6.ipsec6.ah_trans_deflev",
        "ip6_ah_trans_deflev",
        _USE,
        _REQUIRE,
        "level default of AH in transport mode: 1 use, 2 require",
    ),
    _Var(
        "net.inet6.ipsec6.ah_net_deflev",
        "ip6_ah_net_deflev",
        _USE,
        _REQUIRE,
        "level default of AH in tunnel mode: 1 use, 2 require",
    ),
    _Var("net.inet6.ipsec6.ecn", "ip6_ipsec_ecn", -1, _ECN_ALLOWED, "class of outer headers"),
    _Var("net.inet6.ipsec6.debug", "ipsec_debug", 0, 1, "log why things are refused"),
    _Var("net.inet6.ipsec6.esp_randpad", "ip6_esp_randpad", -1, 255, "octets of extra padding"),
)


def key_init(kern: Kernel, conf: KernConf) -> None:
    """Empty databases; PF_KEY sockets exist from now on."""
    key = kern.key = KeyState(ipsec_debug=int(conf.has("IPSEC_DEBUG")))
    kern.sockets.protos[(AF_KEY, SOCK_RAW, PF_KEY_V2)] = KeyUsrreqs()
    for var in _VARS:
        kern.sysctl.register_attr(var.name, key, var.member, lo=var.lo, hi=var.hi, text=var.text)
    kern.sysctl.register_attr(
        "net.inet6.ipsec6.def_policy",
        key.ip6_def_policy,
        "policy",
        hi=IPSEC_POLICY_NONE,
        text="policy of packets that no entry is for: 0 discard, 1 none",
    )
