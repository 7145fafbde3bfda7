# SPDX-License-Identifier: BSD-3-Clause
"""TCP over IPv6: for now what a node without listeners does."""
