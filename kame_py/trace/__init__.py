# SPDX-License-Identifier: BSD-3-Clause
"""What happened to a packet: paths, texts, sinks."""
