# SPDX-License-Identifier: BSD-3-Clause
"""PF_KEY sockets: which there are, who hears what, full buffers, the sysctls."""

from __future__ import annotations

import pytest

from kame_py.boot import boot
from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.uipc_socket import (
    sobind,
    soclose,
    soconnect,
    socreate,
    sogetsockname,
    soreceive,
    sosend,
    sosetopt,
)
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import (
    EAGAIN,
    EEXIST,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENOBUFS,
    ENOENT,
    ENOPROTOOPT,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    KError,
)
from kame_py.wire.pfkey import SadbAlg, SadbMsg, SadbSupported, build_sadb, parse_sadb, sadb
from kame_py.wire.sockaddr import (
    AF_KEY,
    SO_RCVBUF,
    SO_SNDBUF,
    SOCK_DGRAM,
    SOCK_RAW,
    SOL_SOCKET,
    SockaddrIn6,
)
from tests.unit.netkey.key_node import Node, Prog, ah, by_spi, policy

PROMISC = k.SADB_X_PROMISC


def errno_of(call: object, *args: object) -> int:
    with pytest.raises(KError) as refused:
        call(*args)  # type: ignore[operator]  # one of the socket calls
    return refused.value.errno


def test_pf_key_has_one_type_and_one_protocol() -> None:
    kern = Node().kern
    assert errno_of(socreate, kern, AF_KEY, SOCK_DGRAM, k.PF_KEY_V2) == EPROTONOSUPPORT
    for proto in (0, 1, 3):
        assert errno_of(socreate, kern, AF_KEY, SOCK_RAW, proto) == EPROTONOSUPPORT


def test_without_ipsec_there_is_no_pf_key() -> None:
    kern = boot("n", KernConf(), VirtualClock())
    assert errno_of(socreate, kern, AF_KEY, SOCK_RAW, k.PF_KEY_V2) == EPROTONOSUPPORT
    assert not [name for name in kern.sysctl.names() if "key" in name or "ipsec" in name]


def test_what_other_sockets_can_do_is_refused() -> None:
    node = Node()
    so, me = node.prog.so, SockaddrIn6()
    flush = build_sadb(sadb(k.SADB_FLUSH))
    assert errno_of(sobind, node.kern, so, me) == EINVAL
    assert errno_of(soconnect, node.kern, so, me) == EINVAL
    assert errno_of(sosend, node.kern, so, flush, me) == EISCONN
    assert errno_of(sosetopt, node.kern, so, 41, 4, 1) == ENOPROTOOPT
    assert sogetsockname(node.kern, so) == SockaddrIn6()


def test_a_message_longer_than_the_send_buffer_is_refused() -> None:
    node = Node()
    add = build_sadb(ah(1500))
    sosetopt(node.kern, node.prog.so, SOL_SOCKET, SO_SNDBUF, len(add) - 1)
    assert errno_of(node.prog.tell, add) == EMSGSIZE
    sosetopt(node.kern, node.prog.so, SOL_SOCKET, SO_SNDBUF, len(add))
    assert node.prog.ask(add).errno == 0


@pytest.mark.parametrize("size", [0, 15])
def test_less_than_a_header_is_refused_by_the_call(size: int) -> None:
    node = Node()
    assert errno_of(node.prog.tell, build_sadb(sadb(k.SADB_FLUSH))[:size]) == EINVAL
    assert node.prog.heard() == []


def test_send_answers_how_much_was_taken() -> None:
    node = Node()
    assert sosend(node.kern, node.prog.so, build_sadb(sadb(k.SADB_FLUSH))) == 16


# -- who hears what ----------------------------------------------------------------------------


def test_register_tells_the_algorithms_to_the_registered() -> None:
    node = Node()
    other, plain = Prog(node.kern), Prog(node.kern)
    other.ask(sadb(k.SADB_REGISTER, k.SADB_SATYPE_ESP))
    answer = node.prog.ask(sadb(k.SADB_REGISTER, k.SADB_SATYPE_ESP, seq=4, pid=5))
    assert (answer.errno, answer.seq, answer.pid) == (0, 4, 5)
    auth = answer.exts[k.SADB_EXT_SUPPORTED_AUTH]
    enc = answer.exts[k.SADB_EXT_SUPPORTED_ENCRYPT]
    assert isinstance(auth, SadbSupported) and isinstance(enc, SadbSupported)
    assert SadbAlg(k.SADB_AALG_SHA1HMAC, 0, 160, 160) in auth.algs
    assert SadbAlg(k.SADB_X_EALG_AES, 16, 128, 256) in enc.algs
    assert other.heard() == [answer]
    assert plain.heard() == []


def test_a_kernel_without_esp_has_no_ciphers() -> None:
    answer = Node("IPSEC").prog.ask(sadb(k.SADB_REGISTER))
    assert list(answer.exts) == [k.SADB_EXT_SUPPORTED_AUTH]


def test_a_type_is_registered_once() -> None:
    node = Node()
    for satype in (0, 2, 3, k.SADB_X_SATYPE_IPCOMP):
        assert node.prog.ask(sadb(k.SADB_REGISTER, satype)).errno == 0
        assert node.prog.ask(sadb(k.SADB_REGISTER, satype)).errno == EEXIST


def test_a_closed_socket_is_forgotten() -> None:
    node = Node()
    ike = Prog(node.kern)
    ike.ask(sadb(k.SADB_REGISTER, 2))
    ike.tell(sadb(PROMISC, 1))
    soclose(node.kern, ike.so)
    key = node.kern.key
    assert (key.sockets, key.registered, key.promisc) == ([node.prog.so], {}, set())


def test_refusals_are_for_the_sender_alone() -> None:
    node = Node()
    other = Prog(node.kern)
    assert node.prog.ask(by_spi(k.SADB_DELETE, 1500)).errno == ENOENT
    assert other.heard() == []


def test_a_promiscuous_socket_hears_everything_in_a_header() -> None:
    node = Node()
    spy = Prog(node.kern)
    spy.tell(sadb(PROMISC, 1))
    wrapped, plain = spy.heard()
    assert plain == sadb(PROMISC, 1) and wrapped.inner == build_sadb(plain)
    node.prog.heard()
    answer = node.prog.ask(by_spi(k.SADB_GET, 1500))
    (wrapped,) = spy.heard()
    assert (wrapped.type, wrapped.satype) == (PROMISC, 0)
    assert parse_sadb(wrapped.inner) == answer


def test_a_promiscuous_socket_may_stop() -> None:
    node = Node()
    spy = Prog(node.kern)
    spy.tell(sadb(PROMISC, 1))
    spy.tell(sadb(PROMISC, 0))
    spy.heard()
    node.prog.tell(by_spi(k.SADB_GET, 1500))
    assert spy.heard() == []


@pytest.mark.parametrize(
    "msg", [sadb(PROMISC, 2), SadbMsg(PROMISC, 1, inner=build_sadb(ah(1500)))], ids=["2", "forged"]
)
def test_promisc_of_anything_else_is_refused(msg: SadbMsg) -> None:
    node = Node()
    spy = Prog(node.kern)
    assert node.prog.ask(msg).errno == EINVAL
    assert (spy.heard(), node.kern.key.promisc) == ([], set())


@pytest.mark.parametrize("satype", [5, 6, 7, 8])
def test_types_of_other_systems_are_not_supported(satype: int) -> None:
    assert Node().prog.ask(sadb(k.SADB_FLUSH, satype)).errno == EOPNOTSUPP


# -- full buffers ------------------------------------------------------------------------------


@pytest.mark.parametrize("type", [k.SADB_DUMP, k.SADB_X_SPDDUMP])
def test_a_dump_longer_than_the_buffer_comes_as_it_is_read(type: int) -> None:
    node = Node()
    for n in range(10):
        node.prog.ask(ah(1500 + n) if type == k.SADB_DUMP else policy(proto=n))
    sosetopt(node.kern, node.prog.so, SOL_SOCKET, SO_RCVBUF, 1000)
    node.prog.tell(sadb(type))
    assert len(node.prog.so.so_rcv) < 10
    node.prog.tell(sadb(k.SADB_FLUSH))  # what is dumped is what was there
    got = [m for m in node.prog.heard() if m.type == type]
    assert [m.seq for m in got] == list(range(9, -1, -1))
    assert errno_of(soreceive, node.kern, node.prog.so) == EAGAIN


def test_one_dump_is_read_before_the_next_is_asked_for() -> None:
    node = Node()
    for n in range(10):
        node.prog.ask(ah(1500 + n))
    sosetopt(node.kern, node.prog.so, SOL_SOCKET, SO_RCVBUF, 1000)
    node.prog.tell(sadb(k.SADB_DUMP))
    node.prog.tell(sadb(k.SADB_DUMP, k.SADB_SATYPE_AH))
    assert [m.seq for m in node.prog.heard() if m.errno == ENOBUFS and m.satype] == [0]
    assert len(node.prog.dump()) == 10


def test_a_dump_of_which_nothing_fits_is_enobufs() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    sosetopt(node.kern, node.prog.so, SOL_SOCKET, SO_RCVBUF, 100)
    node.prog.tell(sadb(k.SADB_DUMP))
    assert errno_of(soreceive, node.kern, node.prog.so) == ENOBUFS
    sosetopt(node.kern, node.prog.so, SOL_SOCKET, SO_RCVBUF, 1000)
    assert node.prog.spis() == [1500]


def test_a_promiscuous_socket_hears_the_dumps_of_others() -> None:
    node = Node()
    node.prog.ask(ah(1500))
    spy = Prog(node.kern)
    spy.tell(sadb(PROMISC, 1))
    spy.heard()
    node.prog.heard()
    (answer,) = node.prog.dump()
    assert [parse_sadb(m.inner) for m in spy.heard()] == [answer]


def test_a_listener_that_never_reads_harms_nobody() -> None:
    node = Node()
    deaf = Prog(node.kern)
    sosetopt(node.kern, deaf.so, SOL_SOCKET, SO_RCVBUF, 100)
    for spi in range(1500, 1503):
        assert node.prog.ask(ah(spi)).errno == 0
    assert deaf.heard() == []
    assert errno_of(soreceive, node.kern, deaf.so) == ENOBUFS


# -- sysctls -----------------------------------------------------------------------------------

DEFAULTS = {
    "net.inet6.ipsec6.ah_net_deflev": 1,
    "net.inet6.ipsec6.ah_trans_deflev": 1,
    "net.inet6.ipsec6.debug": 0,
    "net.inet6.ipsec6.def_policy": 1,
    "net.inet6.ipsec6.ecn": 0,
    "net.inet6.ipsec6.esp_net_deflev": 1,
    "net.inet6.ipsec6.esp_randpad": -1,
    "net.inet6.ipsec6.esp_trans_deflev": 1,
    "net.key.ah_keymin": 128,
    "net.key.blockacq_count": 10,
    "net.key.blockacq_lifetime": 20,
    "net.key.debug": 0,
    "net.key.esp_auth": 0,
    "net.key.esp_keymin": 256,
    "net.key.int_random": 60,
    "net.key.larval_lifetime": 30,
    "net.key.prefered_oldsa": 1,
    "net.key.spi_maxval": 0x0FFFFFFF,
    "net.key.spi_minval": 0x100,
    "net.key.spi_trycnt": 1000,
}


def test_the_sysctls_have_kames_names_and_defaults() -> None:
    sysctl = Node().kern.sysctl
    ours = [n for n in sysctl.names() if n.startswith(("net.key.", "net.inet6.ipsec6."))]
    assert {name: sysctl.read(name) for name in ours if name in DEFAULTS} == DEFAULTS


def test_the_option_ipsec_debug_turns_the_log_on() -> None:
    sysctl = Node("IPSEC", "IPSEC_DEBUG").kern.sysctl
    assert sysctl.read("net.inet6.ipsec6.debug") == 1


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("net.inet6.ipsec6.def_policy", 2),
        ("net.inet6.ipsec6.ah_trans_deflev", 0),
        ("net.inet6.ipsec6.ah_trans_deflev", 3),
        ("net.key.spi_minval", 255),
    ],
)
def test_the_sysctls_refuse_what_makes_no_sense(name: str, bad: int) -> None:
    assert errno_of(Node().kern.sysctl.write, name, bad) == EINVAL


def test_the_default_policy_can_discard() -> None:
    kern = Node().kern
    kern.sysctl.write("net.inet6.ipsec6.def_policy", k.IPSEC_POLICY_DISCARD)
    assert kern.key.ip6_def_policy.policy == k.IPSEC_POLICY_DISCARD


def test_debug_logs_messages_without_their_keys() -> None:
    node = Node()
    node.kern.sysctl.write("net.key.debug", 1)
    node.prog.ask(ah(1500, pid=312))
    node.prog.ask(policy())
    log = "key_parse: type=3 satype=2 pid=312\nkey_parse: type=14 satype=0 pid=0\n"
    assert node.kern.log.dmesg() == log
