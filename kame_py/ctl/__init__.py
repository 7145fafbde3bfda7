# SPDX-License-Identifier: BSD-3-Clause
"""The syscall face of a kernel for programs, local and remote."""
