# SPDX-License-Identifier: BSD-3-Clause
"""The tests; a package so that `tests.support` always means this folder."""
