# SPDX-License-Identifier: BSD-3-Clause
"""The KAME IPv6, IPsec and Mobile IPv6 kernel in pure Python: sans-IO, virtual time.

Importing this package imports nothing else, so that a tool starts fast.
"""

__version__ = "0.1.0"
