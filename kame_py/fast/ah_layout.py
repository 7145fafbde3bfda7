# SPDX-License-Identifier: BSD-3-Clause
"""Numbers that the kernels of ah_kernels.py share with those who feed them.

No KAME counterpart. Plain numbers, which numba freezes; the words of a row are 64 bits.
"""

from __future__ import annotations

from typing import Final

# A row for each packet with AH that was found.
K_WHO: Final = 0  # its packet
K_SA: Final = 1  # row of its association
K_SEQ: Final = 2
K_NXT: Final = 3  # what AH protects
K_OCTETS: Final = 4  # of the packet without AH
K_FRAME: Final = 5  # ... of its frame
K_SIZE: Final = 6

# A row for each association: what its packets did since it was looked at.
W_STATE: Final = 0  # 0: look at it first
W_BITS: Final = 1  # size of its window; 0: none
W_SEEN: Final = 2  # the bitmap
W_LAST: Final = 3  # the highest number
W_GOOD: Final = 4  # packets by end ...
W_BAD: Final = 5
W_AGAIN: Final = 6
W_OCTETS: Final = 7  # of the good ones
W_FRAMES: Final = 8  # ... of all frames
W_FIRST: Final = 9  # stamp of the first good one
W_USED: Final = 10  # ... of the last one
W_SIZE: Final = 11
W_OPEN: Final = 1  # its packets may be handled here
W_SHUT: Final = 2

FRONT: Final = 128  # octets of a packet that are copied to be changed: whole blocks, AH is in them

BITS_MAX: Final = 56  # of a window: a word has room for it
