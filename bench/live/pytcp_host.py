# SPDX-License-Identifier: BSD-3-Clause
"""A host of PyTCP 2.7 on a TAP interface; run by the interpreter that PyTCP is installed for.

pytcp_host.py TAP ADDRESS/LEN
"""

import sys
import threading

import pytcp
from pytcp import TcpIpStack, config

tap, address = sys.argv[1:]
config.LOG_CHANEL.clear()  # a line for each packet would be what is measured
if hasattr(pytcp, "initialize_tap"):  # since 2.7.7
    at = {"fd": pytcp.initialize_tap(tap_name=tap)}
else:
    at = {"interface": tap}
stack = TcpIpStack(
    **at,
    ip6_address=address,
    ip4_address="192.0.2.2/24",  # else it waits for DHCP
)
stack.start()
threading.Event().wait()
