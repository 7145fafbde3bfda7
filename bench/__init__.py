# SPDX-License-Identifier: BSD-3-Clause
"""Benchmarks: run with ``make bench``."""
