# SPDX-License-Identifier: BSD-3-Clause
"""The kernel object, mbufs, callouts, sockets, sysctl, drop reasons: KAME sys/kern."""
