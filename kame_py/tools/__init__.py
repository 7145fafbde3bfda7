# SPDX-License-Identifier: BSD-3-Clause
"""The KAME programs, written against ProgOps."""
