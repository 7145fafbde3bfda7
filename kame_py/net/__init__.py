# SPDX-License-Identifier: BSD-3-Clause
"""Interfaces, Ethernet, loopback, routing table and routing socket: KAME sys/net."""
