# SPDX-License-Identifier: BSD-3-Clause
"""Ask the running Linux kernel: run as ``python -m tests.differential.linux_side`` by root.

Makes two network namespaces joined by a veth pair, sends every odd packet to the one that has
IPv6, and prints a JSON object {"kernel": release, "answers": {case: [lines]}}.
"""

from __future__ import annotations

import json
import os
import platform
import select
import socket
import subprocess
import sys
import time
from typing import Final

from kame_py.wire.codecs import EtherHeader
from kame_py.wire.const import ETHERTYPE_IPV6
from kame_py.wire.in6addr import ntop
from tests.differential.answers import summarise
from tests.differential.odd_packets import CASES, OTHER, SENDER, SENDER_LL, SENDER_MAC, VICTIM, Odd

QUIET_S: Final = 0.025  # nothing more comes after this long


def sh(line: str) -> None:
    subprocess.run(line.split(), check=True, capture_output=True, stdin=subprocess.DEVNULL)


def build(victim: str, sender: str) -> None:
    """Two namespaces; the victim knows its neighbours and limits no errors."""
    for name in (victim, sender):
        sh(f"ip netns add {name}")
    sh(f"ip link add kv netns {victim} type veth peer name ks netns {sender}")
    sh(f"ip netns exec {sender} sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
    settings = "all.accept_dad=0 kv.accept_dad=0 kv.accept_ra=0 kv.dad_transmits=0"
    for setting in settings.split():
        sh(f"ip netns exec {victim} sysctl -qw net.ipv6.conf.{setting}")
    sh(f"ip netns exec {victim} sysctl -qw net.ipv6.icmp.ratelimit=0")
    sh(f"ip -n {victim} link set kv address 02:00:00:00:00:bb")
    sh(f"ip -n {sender} link set ks address 02:00:00:00:00:aa")
    for name, dev in ((victim, "lo"), (victim, "kv"), (sender, "ks")):
        sh(f"ip -n {name} link set {dev} up")
    sh(f"ip -n {victim} addr add {ntop(VICTIM)}/64 dev kv nodad")
    for addr in (SENDER, SENDER_LL, OTHER):
        mac = SENDER_MAC.hex(":")
        sh(f"ip -n {victim} neigh add {ntop(addr)} lladdr {mac} dev kv nud permanent")


def ask(sock: socket.socket, case: Odd) -> list[str]:
    for packet in case.packets:
        head = EtherHeader(ether_dhost=case.mac, ether_shost=SENDER_MAC, ether_type=ETHERTYPE_IPV6)
        sock.send(head.pack() + packet)
    said: list[str] = []
    while select.select([sock], [], [], QUIET_S)[0]:
        frame, where = sock.recvfrom(65535)
        if where[2] == socket.PACKET_OUTGOING:
            continue
        line = summarise(frame)
        if line is not None:
            said.append(line)
    return said


def inside() -> None:
    """In the sender's namespace: send all, print the answers."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86DD))
    sock.bind(("ks", 0))
    time.sleep(0.3)
    while select.select([sock], [], [], QUIET_S)[0]:
        sock.recv(65535)
    answers = {case.name: ask(sock, case) for case in CASES}
    json.dump({"kernel": platform.release(), "answers": answers}, sys.stdout, indent=1)


def main() -> None:
    victim, sender = f"kodd-v{os.getpid()}", f"kodd-s{os.getpid()}"
    try:
        build(victim, sender)
        me = [sys.executable, "-m", "tests.differential.linux_side", "inside"]
        subprocess.run(["ip", "netns", "exec", sender, *me], check=True, stdin=subprocess.DEVNULL)
    finally:
        for name in (victim, sender):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


if __name__ == "__main__":
    inside() if sys.argv[1:] == ["inside"] else main()
