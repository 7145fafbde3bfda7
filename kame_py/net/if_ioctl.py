# SPDX-License-Identifier: BSD-3-Clause
"""Requests about interfaces as such (KAME if.c ifioctl, ifhwioctl, if_clone_*).

Deviates: privilege is not modelled. Read first: wire/ioctl.py for what each answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from kame_py.net.if_ import IFF_CHANGEABLE, IFF_UP, IFT_ETHER, IFT_GIF, Ifnet, if_detach
from kame_py.net.if_sysctl import iflist
from kame_py.net.route import RTM_DELETE, rtrequest
from kame_py.wire import ioctl
from kame_py.wire.const import ETHER_ADDR_LEN, IPV6_MAXPACKET, IPV6_MMTU
from kame_py.wire.errno import EEXIST, EINVAL, ENXIO, EOPNOTSUPP, KError
from kame_py.wire.rtmsg import IFAN_ARRIVAL, IFAN_DEPARTURE, IFNAMSIZ

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

_R = TypeVar("_R")
MAX_UNIT: Final = 32767  # if_clone: the largest number of a cloned interface
MAX_METRIC: Final = 0x7FFFFFFF  # an int in struct ifreq
GROUP_BIT: Final = 0x01  # of a MAC's first octet


def ifunit_or_error(kern: Kernel, name: str) -> Ifnet:
    """The interface, or KError(ENXIO)."""
    ifp = kern.ifunit(name)
    if ifp is None:
        raise KError(ENXIO)
    return ifp


def _gifconf(kern: Kernel, req: ioctl.SIOCGIFCONF) -> object:
    return iflist(kern)


def _gifflags(kern: Kernel, req: ioctl.SIOCGIFFLAGS) -> object:
    return ifunit_or_error(kern, req.ifr_name).if_flags


def _sifflags(kern: Kernel, req: ioctl.SIOCSIFFLAGS) -> object:
    ifp = ifunit_or_error(kern, req.ifr_name)
    was = ifp.if_flags
    wanted = req.ifr_flags & IFF_CHANGEABLE & ~IFF_UP
    ifp.if_flags = was & ~(IFF_CHANGEABLE & ~IFF_UP) | wanted
    if (was ^ req.ifr_flags) & IFF_UP:
        kern.if_setup(kern, ifp, bool(req.ifr_flags & IFF_UP))
    elif ifp.if_flags != was:
        kern.rtsock.rt_ifmsg(ifp)
    return None


def _gifmtu(kern: Kernel, req: ioctl.SIOCGIFMTU) -> object:
    return ifunit_or_error(kern, req.ifr_name).if_mtu


def _sifmtu(kern: Kernel, req: ioctl.SIOCSIFMTU) -> object:
    ifp = ifunit_or_error(kern, req.ifr_name)
    if not IPV6_MMTU <= req.ifr_mtu <= IPV6_MAXPACKET:
        raise KError(EINVAL)
    if ifp.if_mtu == req.ifr_mtu:
        return None
    ifp.if_mtu = req.ifr_mtu
    kern.if_mtu_changed(kern, ifp)
    kern.rtsock.rt_ifmsg(ifp)
    return None


def _gifmetric(kern: Kernel, req: ioctl.SIOCGIFMETRIC) -> object:
    return ifunit_or_error(kern, req.ifr_name).if_metric


def _sifmetric(kern: Kernel, req: ioctl.SIOCSIFMETRIC) -> object:
    ifp = ifunit_or_error(kern, req.ifr_name)
    if not 0 <= req.ifr_metric <= MAX_METRIC:
        raise KError(EINVAL)
    ifp.if_metric = req.ifr_metric
    return None


def _siflladdr(kern: Kernel, req: ioctl.SIOCSIFLLADDR) -> object:
    ifp = ifunit_or_error(kern, req.ifr_name)
    mac = req.ifr_addr
    if ifp.if_type != IFT_ETHER or len(mac) != ETHER_ADDR_LEN or mac[0] & GROUP_BIT:
        raise KError(EINVAL)
    ifp.if_hwaddr = mac
    kern.if_lladdr_changed(kern, ifp)
    kern.rtsock.rt_ifmsg(ifp)
    return None


def _gifmedia(kern: Kernel, req: ioctl.SIOCGIFMEDIA) -> object:
    ifp = ifunit_or_error(kern, req.ifr_name)
    if ifp.carrier is None:
        raise KError(EINVAL)
    return ifp.carrier


def _ifcreate(kern: Kernel, req: ioctl.SIOCIFCREATE) -> object:
    """The name may be that of a driver alone (``gif``): then the first free number is taken."""
    name = req.ifr_name
    driver = name.rstrip("0123456789")
    make = kern.cloners.get(driver)
    if make is None:
        raise KError(EINVAL)
    if name == driver:
        unit = 0
        while kern.ifunit(f"{driver}{unit}") is not None:
            unit += 1
        name = f"{driver}{unit}"
    number = name[len(driver) :]
    if len(name) >= IFNAMSIZ or number != str(int(number)) or int(number) > MAX_UNIT:
        raise KError(EINVAL)
    if kern.ifunit(name) is not None:
        raise KError(EEXIST)
    ifp = make(kern, name)
    kern.rtsock.rt_ifannouncemsg(ifp, IFAN_ARRIVAL)
    return name


def _ifdestroy(kern: Kernel, req: ioctl.SIOCIFDESTROY) -> object:
    ifp = ifunit_or_error(kern, req.ifr_name)
    if ifp.if_type != IFT_GIF:
        raise KError(EOPNOTSUPP)
    kern.ioctlsw[ioctl.SIOCDIFPHYADDR](kern, ioctl.SIOCDIFPHYADDR(ifp.if_name))
    kern.if_setup(kern, ifp, False)
    if_detach(kern, ifp)
    for rt in kern.rt:
        if rt.rt_ifp is ifp and rt.up:
            rtrequest(kern, RTM_DELETE, rt.rt_key, rt.rt_plen)
    kern.rtsock.rt_ifannouncemsg(ifp, IFAN_DEPARTURE)
    return None


def _ifgcloners(kern: Kernel, req: ioctl.SIOCIFGCLONERS) -> object:
    return tuple(sorted(kern.cloners))


def if_ioctl_init(kern: Kernel) -> None:
    """Register the requests of this file."""

    def row(request: type[_R], fn: Callable[[Kernel, _R], object]) -> None:
        def call(kern: Kernel, req: object) -> object:
            if not isinstance(req, request):
                raise KError(EINVAL)
            return fn(kern, req)

        kern.ioctlsw[request] = call

    row(ioctl.SIOCGIFCONF, _gifconf)
    row(ioctl.SIOCGIFFLAGS, _gifflags)
    row(ioctl.SIOCSIFFLAGS, _sifflags)
    row(ioctl.SIOCGIFMTU, _gifmtu)
    row(ioctl.SIOCSIFMTU, _sifmtu)
    row(ioctl.SIOCGIFMETRIC, _gifmetric)
    row(ioctl.SIOCSIFMETRIC, _sifmetric)
    row(ioctl.SIOCSIFLLADDR, _siflladdr)
    row(ioctl.SIOCGIFMEDIA, _gifmedia)
    row(ioctl.SIOCIFCREATE, _ifcreate)
    row(ioctl.SIOCIFDESTROY, _ifdestroy)
    row(ioctl.SIOCIFGCLONERS, _ifgcloners)
