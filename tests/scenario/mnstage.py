# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node on a link whose every other station is the tester.

The link is whatever the tester says it is: routers come and go, the home agent and correspondents
are behind them. ``arrive`` is a move: other routers answer from now on.
"""

from __future__ import annotations

from typing import Final

from kame_py.kern.clock import NS
from kame_py.mip6.mip6_var import HifSoftc, Mip6Bu, Mip6State, mip6_state
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_IPV6, IPPROTO_NONE, IPPROTO_ROUTING
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, ntop
from kame_py.wire.ioctl import (
    SIOCAHOMEAGENT_HIF,
    SIOCAHOMEPREFIX_HIF,
    SIOCSMIP6CFG,
    SIOCSMIP6CFG_DISABLEAUTHDATA,
    SIOCSMIP6CFG_DISABLEIPSEC,
    SIOCSMIP6CFG_ENABLEMN,
)
from kame_py.wire.ip6ext import build_options, build_rthdr0
from kame_py.wire.mip6 import (
    BindingAck,
    BindingRequest,
    BindingUpdate,
    HomeAddress,
    MipOption,
    OptionWire,
    SubOpt,
)
from tests.scenario.mip6words import Seen, seen
from tests.scenario.tester import ROUTER, ROUTER2, ROUTER2_MAC, ROUTER_MAC, Stage
from tests.scenario.words import Heard, addr, ip6, pi, ra, sll

KERNEL: Final = "options MIP6\noptions MIP6_DEBUG\npseudo-device hif 1"
KERNEL13: Final = f"{KERNEL}\noptions MIP6_DRAFT13"
KERNELS: Final = {"draft-15": KERNEL, "draft-13": KERNEL13}
HOME: Final = "2001:db8:1::"
FOREIGN: Final = "2001:db8:2::"
FOREIGN2: Final = "2001:db8:3::"
HOA: Final = "2001:db8:1:0:2a0:24ff:fe66:77"
COA: Final = "2001:db8:2:0:2a0:24ff:fe66:77"
COA2: Final = "2001:db8:3:0:2a0:24ff:fe66:77"
HA: Final = "2001:db8:1::1"
HA_LL: Final = "fe80::1:1"
HA_MAC: Final = ROUTER2_MAC  # the tester answers as a router with it
HA2: Final = "2001:db8:1::2"
HA2_LL: Final = "fe80::1:2"
CN: Final = "2001:db8:f::1"
CN2: Final = "2001:db8:f::2"
PLTIME: Final = 65280  # what mip6control -H configures
VLTIME: Final = 65535
H_FLAG: Final = 0x20
NUD_S: Final = 5  # until a router that is gone is noticed: the next second, then three probes


class MnStage(Stage):
    """A mobile node with one home prefix, switched on, not yet anywhere.

    authdata True leaves the checks of authentication on; ha "" configures no home agent.
    """

    def __init__(
        self,
        *,
        ha: str = HA,
        authdata: bool = False,
        kernel: str = KERNEL,
        enable: bool = True,
        home: str = HOME,
    ) -> None:
        super().__init__(kernel=kernel)
        if not authdata:
            self.configure(SIOCSMIP6CFG_DISABLEAUTHDATA, SIOCSMIP6CFG_DISABLEIPSEC)
        if home:
            self.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(home), 64, VLTIME, PLTIME))
        if ha:
            self.agent(ha, HA_LL)
        if enable:
            self.configure(SIOCSMIP6CFG_ENABLEMN)

    # -- what mip6control does -------------------------------------------------------------------

    def ioctl(self, req: object) -> object:
        answer = self.kern.ioctlsw[type(req)](self.kern, req)
        self.settle()
        return answer

    def configure(self, *commands: int) -> None:
        for command in commands:
            self.ioctl(SIOCSMIP6CFG(command))

    def agent(self, gaddr: str, lladdr: str, pref: int = 0) -> None:
        """mip6control -L lladdr -A gaddr."""
        self.ioctl(SIOCAHOMEAGENT_HIF("hif0", addr(lladdr), addr(gaddr), H_FLAG, pref, 65535))

    # -- moving ----------------------------------------------------------------------------------

    def advertise(
        self,
        prefix: str,
        router: str = ROUTER,
        mac: bytes = ROUTER_MAC,
        options: bytes = b"",
        flags: int = 0,
        pflags: str = "LA",
        lifetime: int = 1800,
        valid: int = 2592000,
        preferred: int = 604800,
    ) -> None:
        """One router advertisement with one prefix."""
        prefix_option = pi(prefix, valid, preferred, pflags)
        message = ra(router, prefix_option, sll(mac) + options, flags=flags, lifetime=lifetime)
        self.send(message, mac)

    def land(
        self, prefix: str = FOREIGN, router: str = ROUTER, mac: bytes = ROUTER_MAC, **how: int
    ) -> None:
        """The first advertisement of a link where only its router answers."""
        self.tn.neighbours = {router: mac}
        self.advertise(prefix, router, mac, **how)

    def arrive(self, prefix: str = FOREIGN, router: str = ROUTER, mac: bytes = ROUTER_MAC) -> None:
        """Another link: only its router answers, and the old one's silence was noticed."""
        self.land(prefix, router, mac)
        self.wait(1.5)
        self.advertise(prefix, router, mac)
        self.wait(NUD_S)

    def abroad(self, lifetime: int = 3600, refresh: int = 0) -> None:
        """On the first foreign link, registered, what was said until now forgotten."""
        self.arrive()
        self.acknowledge(lifetime, refresh)
        self.forget()

    def elsewhere(self) -> None:
        """On the second foreign link; nothing is acknowledged."""
        self.arrive(FOREIGN2, ROUTER2, ROUTER2_MAC)

    # -- the home agent --------------------------------------------------------------------------

    def ack(
        self,
        seq: int,
        status: int = 0,
        lifetime: int = 3600,
        refresh: int = 0,
        src: str = HA,
        coa: str = "",
        hoa: str = HOA,
        more: tuple[SubOpt, ...] = (),
    ) -> None:
        """A binding acknowledgement; ``coa`` HOA sends it without routing header."""
        option = BindingAck(status, seq, lifetime, refresh or lifetime // 2, subopts=more)
        self.signal(option, src, coa, hoa)

    def request(
        self, src: str, coa: str = "", hoa: str = HOA, more: tuple[SubOpt, ...] = ()
    ) -> None:
        """A binding request."""
        self.signal(BindingRequest(more), src, coa, hoa)

    def signal(self, option: MipOption, src: str, coa: str = "", hoa: str = HOA) -> None:
        """A packet without payload that carries one option to a home address."""
        coa = coa or ntop(self.mip6.hif_coa)
        dest = build_options(IPPROTO_NONE, [self.wire.aligned(option)])
        if coa == hoa:
            packet = ip6(src, hoa, dest, IPPROTO_DSTOPTS)
        else:
            rthdr = build_rthdr0(IPPROTO_DSTOPTS, [addr(hoa)], 1)
            packet = ip6(src, coa, rthdr + dest, IPPROTO_ROUTING)
        self.send(packet, ROUTER_MAC)

    def acknowledge(self, lifetime: int = 3600, refresh: int = 0) -> None:
        """The home agent grants the last registration that was heard."""
        self.ack(self.updates()[-1][1].seqno, 0, lifetime, refresh)

    def tunnel(self, inner: bytes, src: str = HA, coa: str = "") -> None:
        """The home agent sends a packet through the tunnel."""
        self.send(ip6(src, coa or ntop(self.mip6.hif_coa), inner, IPPROTO_IPV6), ROUTER_MAC)

    # -- looking ---------------------------------------------------------------------------------

    @property
    def mip6(self) -> Mip6State:
        return mip6_state(self.kern)

    @property
    def wire(self) -> OptionWire:
        """The octets of the draft that the node speaks; so do its peers."""
        return self.mip6.dialect.wire

    @property
    def sc(self) -> HifSoftc:
        return self.mip6.hif_softc_list[0]

    def updates(self) -> list[tuple[Heard, BindingUpdate, Seen]]:
        """Packets with a binding update among those heard; the others stay."""
        found = []
        for heard in list(self.tn.frames):
            packet = seen(heard, self.wire)
            for option in packet.options:
                if isinstance(option, BindingUpdate):
                    found.append((heard, option, packet))
                    self.tn.frames.remove(heard)
        return found

    def hifs(self) -> list[str]:
        """Addresses of hif0 but link-local ones."""
        addrs = [ia.ia_addr for ia in self.sc.hif_if.in6_addrs]
        return [ntop(a) for a in addrs if not IN6_IS_ADDR_LINKLOCAL(a)]

    def entry_of(self, paddr: str, hoa: str = HOA) -> Mip6Bu | None:
        for bu in self.sc.hif_bu_list:
            if (bu.mbu_paddr, bu.mbu_haddr) == (addr(paddr), addr(hoa)):
                return bu
        return None

    def logged(self) -> list[str]:
        return [line.text for line in self.kern.log.lines]

    def since(self, start_ns: int, heard: Heard) -> float:
        """Seconds."""
        return (heard.t_ns - start_ns) / NS


def hao_of(packet: Seen) -> str:
    """The address in the home address option."""
    (found,) = [o for o in packet.options if isinstance(o, HomeAddress)]
    return ntop(found.addr)
