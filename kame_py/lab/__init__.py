# SPDX-License-Identifier: BSD-3-Clause
"""Many kernels in virtual time: worlds, LANs, impairments, processes, journals."""
