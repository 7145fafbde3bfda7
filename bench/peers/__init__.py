# SPDX-License-Identifier: BSD-3-Clause
"""Contests of the library with what others take for the same work; ``python -m bench.peers``."""
