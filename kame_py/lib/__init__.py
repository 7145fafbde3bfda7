# SPDX-License-Identifier: BSD-3-Clause
"""What a program links with: policy strings, PF_KEY messages (KAME libipsec)."""
