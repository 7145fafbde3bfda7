# SPDX-License-Identifier: BSD-3-Clause
"""One kernel without any world around it: hand it packets made by hand, see their way and fate.

Bytes and time go in; bytes, deadlines and fates come out. Run it: python examples/packet_path.py
"""

from kame_py import KernConf, VirtualClock
from kame_py.boot import boot, rawip_attach
from kame_py.kern.clock import NS
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.trace.path import path_lines
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Icmp6Echo, Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import ICMP6_ECHO_REQUEST, IPPROTO_ICMPV6
from kame_py.wire.in6addr import ntop, pton

PEER, STRANGER = pton("fe80::2") or b"", pton("2001:db8::bad") or b""


def echo_request(src: bytes, dst: bytes) -> bytes:
    """A packet from the generated codecs of kame_py.wire; the checksum is put in last."""
    message = Icmp6Echo(icmp6_type=ICMP6_ECHO_REQUEST, icmp6_id=1, icmp6_seq=1).pack() + b"hello"
    head = Icmp6Hdr.unpack(message)
    head.icmp6_cksum = in6_cksum(src, dst, IPPROTO_ICMPV6, message)
    ip6 = Ip6Hdr(ip6_plen=len(message), ip6_nxt=IPPROTO_ICMPV6, ip6_src=src, ip6_dst=dst)
    return ip6.pack() + head.pack() + message[Icmp6Hdr.SIZE :]


def main() -> None:
    clock = VirtualClock()
    kern = boot("k", KernConf(), clock, seed=1)
    ifp = rawip_attach(kern, "tun0")  # no MAC addresses: frames are IPv6 packets
    if_up(kern, ifp)  # makes a link-local address, usable after a second or two
    while (deadline := kern.next_deadline()) is not None and deadline < 5 * NS:
        clock.t = deadline
        kern.advance(clock.t)
    us = in6_clearscope(ifp.in6_addrs[0].ia_addr)  # inside, KAME keeps the zone in the address
    list(kern.poll_tx())  # what the boot sent: duplicate address detection, MLD

    good = echo_request(PEER, us)
    kern.tracing = True
    for what, packet in (
        ("an echo request", good),
        ("cut short", good[:-3]),
        ("one bit flipped", good[:-1] + b"O"),
        ("for somebody else", echo_request(PEER, STRANGER)),
    ):
        m = kern.if_input(ifp, packet)
        assert m is not None
        print(f"{what}:", *path_lines(kern, m), sep="\n  ")
        for _, frame, _ in kern.poll_tx():
            head = Ip6Hdr.unpack(frame)
            print(f"    sent: {ntop(head.ip6_src)} > {ntop(head.ip6_dst)}, {len(frame)} octets")
    print({fate.value: n for fate, n in kern.fates.items() if n}, dict(kern.drops))


if __name__ == "__main__":
    main()
