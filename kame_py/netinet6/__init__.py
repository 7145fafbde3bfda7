# SPDX-License-Identifier: BSD-3-Clause
"""The IPv6 core: input, output, forwarding, ICMPv6, ND, MLD, UDP, TCP: KAME sys/netinet6."""
