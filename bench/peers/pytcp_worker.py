# SPDX-License-Identifier: BSD-3-Clause
"""What PyTCP 2.7 does in a contest; run by the interpreter that it is installed for.

    pytcp_worker.py parse FILE | cksum OCTETS TIMES

Does the work at each line of its input and answers the seconds of the processor that it took.
"""

import gc
import struct
import sys
import time

from pytcp.lib.ip_helper import inet_cksum
from pytcp.lib.packet import PacketRx
from pytcp.protocols.ether.fpp import EtherParser
from pytcp.protocols.icmp6.fpp import Icmp6Parser
from pytcp.protocols.ip6.fpp import Ip6Parser
from pytcp.protocols.tcp.fpp import TcpParser
from pytcp.protocols.udp.fpp import UdpParser

FILE_HEADER, RECORD = 24, struct.Struct("<4I")
MOMENT_S = 0.05  # the least of as many as fit, as all do
UPPER = {6: TcpParser, 17: UdpParser, 58: Icmp6Parser}


def parse(path):
    with open(path, "rb") as f:
        octets = f.read()
    at = FILE_HEADER
    while at < len(octets):
        _, _, caplen, _ = RECORD.unpack_from(octets, at)
        at += RECORD.size + caplen
        packet = PacketRx(octets[at - caplen : at])
        EtherParser(packet)
        if packet.parse_failed or packet.ether.type != 0x86DD:
            continue
        Ip6Parser(packet)
        upper = UPPER.get(packet.ip6.next)
        if upper is not None and not packet.parse_failed:
            upper(packet)


def cksum(size, times):
    data = memoryview(bytes(i & 255 for i in range(int(size))))
    for _ in range(int(times)):
        inet_cksum(data)


work = {"parse": parse, "cksum": cksum}[sys.argv[1]]
gc.disable()
for _ in sys.stdin:
    gc.collect()
    least = float("inf")
    until = time.perf_counter() + MOMENT_S
    while True:
        before = time.process_time()
        work(*sys.argv[2:])
        least = min(least, time.process_time() - before)
        if time.perf_counter() > until:
            break
    print(least, flush=True)
