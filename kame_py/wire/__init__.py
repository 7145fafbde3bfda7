# SPDX-License-Identifier: BSD-3-Clause
"""Every wire format, declared once; parsers return a value or Malformed."""
