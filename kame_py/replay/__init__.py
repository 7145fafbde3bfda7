# SPDX-License-Identifier: BSD-3-Clause
"""Captures in and out, and a kernel run over one."""
