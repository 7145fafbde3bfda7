# SPDX-License-Identifier: BSD-3-Clause
"""The only package that touches the operating system."""
