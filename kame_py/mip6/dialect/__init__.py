# SPDX-License-Identifier: BSD-3-Clause
"""What the drafts do differently, one object each; chosen at boot."""
