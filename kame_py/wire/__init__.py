# SPDX-License-Identifier: BSD-3-Clause
"""Every wire format: declared once under decl/, used through the generated codecs.

Nothing outside this package unpacks integers from packet bytes or writes numeric packet offsets.
"""
