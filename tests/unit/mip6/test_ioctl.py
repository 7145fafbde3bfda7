# SPDX-License-Identifier: BSD-3-Clause
"""What mip6control asks of the kernel."""

from __future__ import annotations

import pytest

from kame_py.boot import boot
from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.wire.errno import EEXIST, EINVAL, ENOENT, KError
from kame_py.wire.ioctl import (
    SIOCDUNUSEHA,
    SIOCGBC,
    SIOCSMIP6CFG,
    SIOCSMIP6CFG_DISABLEAUTHDATA,
    SIOCSMIP6CFG_DISABLEDEBUG,
    SIOCSMIP6CFG_ENABLEAUTHDATA,
    SIOCSMIP6CFG_ENABLEDEBUG,
    SIOCSMIP6CFG_ENABLEHA,
    SIOCSMIP6CFG_ENABLEIPSEC,
    SIOCSMIP6CFG_ENABLEMN,
    SIOCSUNUSEHA,
)
from kame_py.wire.snap import Mip6ConfigSnap, UnuseSnap

ANY = bytes(16)


def kernel(*options: str) -> Kernel:
    return boot("n", KernConf(frozenset(("MIP6", *options)), hif=1), VirtualClock())


def ask(kern: Kernel, req: object) -> object:
    return kern.ioctlsw[type(req)](kern, req)


def config(kern: Kernel) -> Mip6ConfigSnap:
    value = kern.sysctl.read("net.inet6.mip6.config")
    assert isinstance(value, tuple)
    (row,) = value
    assert isinstance(row, Mip6ConfigSnap)
    return row


def test_kernel_starts_as_a_correspondent_that_wants_authentication() -> None:
    assert config(kernel()) == Mip6ConfigSnap(0, 0, 1, 0, "draft-15")


def test_debugging_is_on_from_the_start_with_its_option() -> None:
    assert config(kernel("MIP6_DEBUG")).mcfg_debug == 1


@pytest.mark.parametrize(
    "command,member,value,text",
    [
        (SIOCSMIP6CFG_ENABLEMN, "mcfg_type", 1, "MN function enabled"),
        (SIOCSMIP6CFG_ENABLEHA, "mcfg_type", 2, "HA function enabled"),
        (SIOCSMIP6CFG_ENABLEIPSEC, "mcfg_use_ipsec", 1, "IPsec protection enabled"),
        (SIOCSMIP6CFG_DISABLEAUTHDATA, "mcfg_use_authdata", 0, "Authdata protection disabled"),
        (SIOCSMIP6CFG_ENABLEAUTHDATA, "mcfg_use_authdata", 1, "Authdata protection enabled"),
        (SIOCSMIP6CFG_DISABLEDEBUG, "mcfg_debug", 0, "debug message disabled"),
    ],
)
def test_commands(command: int, member: str, value: int, text: str) -> None:
    kern = kernel("MIP6_DEBUG")
    ask(kern, SIOCSMIP6CFG(command))
    assert getattr(config(kern), member) == value
    assert text in kern.log.dmesg()


def test_debugging_that_begins_says_nothing_about_it() -> None:
    kern = kernel()
    ask(kern, SIOCSMIP6CFG(SIOCSMIP6CFG_ENABLEDEBUG))
    assert config(kern).mcfg_debug == 1
    assert kern.log.dmesg() == ""


def test_unknown_command() -> None:
    with pytest.raises(KError) as e:
        ask(kernel(), SIOCSMIP6CFG(77))
    assert e.value.errno == EINVAL


def test_rules_against_the_home_address() -> None:
    kern = kernel()
    ask(kern, SIOCSUNUSEHA(ANY, 53))
    ask(kern, SIOCSUNUSEHA(ANY, 0))
    rules = (UnuseSnap(ANY, 0), UnuseSnap(ANY, 53))
    assert kern.sysctl.read("net.inet6.mip6.unuse") == rules
    ask(kern, SIOCDUNUSEHA(ANY, 53))
    assert kern.sysctl.read("net.inet6.mip6.unuse") == rules[:1]


@pytest.mark.parametrize(
    "req,errno",
    [
        (SIOCSUNUSEHA(ANY, 0), EEXIST),
        (SIOCDUNUSEHA(ANY, 53), ENOENT),
        (SIOCSUNUSEHA(b"short", 0), EINVAL),
        (SIOCSUNUSEHA(ANY, 70000), EINVAL),
    ],
)
def test_rules_that_do_not_fit(req: object, errno: int) -> None:
    kern = kernel()
    ask(kern, SIOCSUNUSEHA(ANY, 0))
    with pytest.raises(KError) as e:
        ask(kern, req)
    assert e.value.errno == errno


def test_empty_tables() -> None:
    kern = kernel()
    assert ask(kern, SIOCGBC()) == ()
    for name in ("bc", "bu", "ha", "prefix", "unuse"):
        assert kern.sysctl.read(f"net.inet6.mip6.{name}") == ()


def test_kernel_without_the_option_has_none_of_it() -> None:
    kern = boot("n", KernConf(), VirtualClock())
    assert SIOCSMIP6CFG not in kern.ioctlsw
    assert not [name for name in kern.sysctl.names() if "mip6" in name]


def test_draft_that_is_not_spoken_is_told() -> None:
    assert "options MIP6_DRAFT99: not in this kernel" in kernel("MIP6_DRAFT99").log.dmesg()
