# SPDX-License-Identifier: BSD-3-Clause
"""Mobile IPv6 behind the kernel hooks: KAME sys/netinet6/mip6*.c."""
