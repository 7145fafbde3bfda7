# SPDX-License-Identifier: BSD-3-Clause
"""Make a ready kernel: state, tables, hooks, loopback; attach interfaces to it.

KAME: the SYSINIT order of init_main.c and the domain tables. This is the one place that knows
which options a kernel was built with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.kern_mib import kern_mib_init
from kame_py.kern.kernel import Kernel
from kame_py.kern.log import LOG_WARNING
from kame_py.kern.rng import Rng
from kame_py.kern.uipc_socket import socket_init
from kame_py.mip6.dialect.draft13 import DRAFT13
from kame_py.mip6.dialect.draft15 import DRAFT15
from kame_py.mip6.if_hif import hif_attach
from kame_py.mip6.mip6 import mip6_init
from kame_py.net.bpf import bpf_init
from kame_py.net.if_ import (
    ETHERMTU,
    IFF_BROADCAST,
    IFF_MULTICAST,
    IFF_RUNNING,
    IFF_SIMPLEX,
    IFT_ETHER,
    IFT_RAWIP,
    Ifnet,
    if_attach,
)
from kame_py.net.if_ethersubr import ether_input, ether_output
from kame_py.net.if_ioctl import if_ioctl_init
from kame_py.net.if_loop import loop_attach
from kame_py.net.if_rawip import rawip_input, rawip_output
from kame_py.net.if_sysctl import if_sysctl_init
from kame_py.net.route import RouteTable
from kame_py.net.rtsock import rtsock_init
from kame_py.netinet6.dest6 import dest6_hao
from kame_py.netinet6.frag6 import frag6_init
from kame_py.netinet6.icmp6 import icmp6_init
from kame_py.netinet6.if_gif import gif_attach, gif_detach, gif_init
from kame_py.netinet6.in6 import in6_init
from kame_py.netinet6.in6_ifattach import if_down, if_up, in6_ifdetach
from kame_py.netinet6.in6_pcb import in6_pcb_init
from kame_py.netinet6.in6_proto import in6_proto_init
from kame_py.netinet6.ip6_input import ip6_init
from kame_py.netinet6.ip_encap import encap_init
from kame_py.netinet6.mld6 import mld6_init
from kame_py.netinet6.nd6 import nd6_ifattach, nd6_init, nd6_output, nd6_setmtu
from kame_py.netinet6.nd6_nbr import nd6_lladdr_changed
from kame_py.netinet6.raw_ip6 import rip6_init
from kame_py.netinet6.route6 import rthdr0_enable
from kame_py.netinet6.udp6_usrreq import udp6_init
from kame_py.netkey.ipsec import ipsec_init
from kame_py.netkey.key import key_init
from kame_py.wire.const import IP6OPT_HOME_ADDRESS

if TYPE_CHECKING:
    from kame_py.kern.clock import Clock
    from kame_py.kern.conf import KernConf
    from kame_py.mip6.dialect.base import Dialect

#: Option -> the draft of Mobile IPv6 that it brings; of several the last row counts.
DIALECTS: Final[dict[str, Dialect]] = {"MIP6": DRAFT15, "MIP6_DRAFT13": DRAFT13}


def boot(name: str, conf: KernConf, clock: Clock, seed: int = 0) -> Kernel:
    """A running kernel with lo0 up and the tunnels of its configuration; no other interface.

    Equal name and seed give equal random numbers.
    """
    kern = Kernel(name, conf, clock, Rng(seed, name))
    kern_mib_init(kern)
    kern.rt = RouteTable()
    socket_init(kern)
    rtsock_init(kern)
    bpf_init(kern)
    ip6_init(kern)
    frag6_init(kern)
    in6_pcb_init(kern)
    icmp6_init(kern)
    mld6_init(kern)
    nd6_init(kern)
    kern.nd6_output = nd6_output
    in6_init(kern)
    udp6_init(kern)
    rip6_init(kern)
    encap_init(kern)
    gif_init(kern)
    in6_proto_init(kern)
    if_ioctl_init(kern)
    if_sysctl_init(kern)
    kern.if_setup = if_setup
    kern.if_lladdr_changed = nd6_lladdr_changed
    kern.if_mtu_changed = nd6_setmtu
    kern.if_purge = if_purge
    kern.if_inputsw[IFT_ETHER] = ether_input
    kern.if_inputsw[IFT_RAWIP] = rawip_input
    if conf.has("IPSEC"):
        key_init(kern, conf)
        kern.ipsec = ipsec_init(kern, conf)
    if conf.has("MIP6"):
        kern.destopts[IP6OPT_HOME_ADDRESS] = dest6_hao
        rthdr0_enable(kern, 1)
        kern.mip6 = mip6_init(kern, conf, _dialect(kern))
    lo0 = loop_attach(kern)
    nd6_ifattach(kern, lo0)
    if_up(kern, lo0)
    for unit in range(conf.gif):
        gif_attach(kern, f"gif{unit}")
    for unit in range(conf.hif if conf.has("MIP6") else 0):
        hif_attach(kern, f"hif{unit}")
    return kern


def _dialect(kern: Kernel) -> Dialect:
    """The draft of Mobile IPv6 that the options ask for; the log tells of one not spoken here."""
    options = kern.conf.options
    for option in sorted(o for o in options if o.startswith("MIP6_DRAFT") and o not in DIALECTS):
        kern.log.log(LOG_WARNING, f"options {option}: not in this kernel, ignored")
    return [dialect for option, dialect in DIALECTS.items() if option in options][-1]


def if_setup(kern: Kernel, ifp: Ifnet, up: bool) -> None:
    """SIOCSIFFLAGS changed IFF_UP."""
    if up:
        if_up(kern, ifp)
    else:
        if_down(kern, ifp)


def if_purge(kern: Kernel, ifp: Ifnet) -> None:
    """SIOCIFDESTROY: nothing of the protocols is left on the interface."""
    in6_ifdetach(kern, ifp)
    gif_detach(kern, ifp)


def ether_attach(kern: Kernel, name: str, mac: bytes, mtu: int = ETHERMTU) -> Ifnet:
    """A new Ethernet interface, down. ``if_up`` gives it its link-local address."""
    flags = IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST | IFF_RUNNING
    ifp = if_attach(kern, Ifnet(name, IFT_ETHER, mtu, flags, mac), ether_output)
    nd6_ifattach(kern, ifp)
    return ifp


def rawip_attach(kern: Kernel, name: str, mtu: int = ETHERMTU) -> Ifnet:
    """A new interface without link-layer addresses, down."""
    flags = IFF_MULTICAST | IFF_RUNNING
    ifp = if_attach(kern, Ifnet(name, IFT_RAWIP, mtu, flags, b""), rawip_output)
    nd6_ifattach(kern, ifp)
    return ifp
