# SPDX-License-Identifier: BSD-3-Clause
"""The batch fast path, the only home of numba and numpy; it may only agree or punt."""
