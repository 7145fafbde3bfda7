# SPDX-License-Identifier: BSD-3-Clause
"""Numbers that the kernels of bu_kernels.py and bu_renew.py share with those who feed them.

No KAME counterpart. Plain numbers, which numba freezes; the words of a row are 64 bits.
"""

from __future__ import annotations

from typing import Final

from kame_py.wire.mip6 import ADDR_LEN

# A row for each update that was found.
U_WHO: Final = 0  # its packet
U_SA: Final = 1  # row of its association; -1: none that is known
U_FLAGS: Final = 2
U_SEQNO: Final = 3
U_LIFE: Final = 4  # s
U_SIZE: Final = 5

# Addresses of an update, in a row of octets.
H_HOA: Final = 0
H_COA: Final = H_HOA + ADDR_LEN
H_SRC: Final = H_COA + ADDR_LEN
H_DST: Final = H_SRC + ADDR_LEN
H_SIZE: Final = H_DST + ADDR_LEN

# A row for each association by which updates come.
P_GEN: Final = 0  # changes of associations when it was looked at
P_OPEN: Final = 1  # its updates may be handled here
P_OUT: Final = 2  # row of the association that signs acknowledgements; -1 none
P_ROW: Final = 3  # where the binding cache had its binding last; 0 nowhere
P_SIZE: Final = 4

# What became of an update, from renew().
R_RENEWED: Final = 0
R_BAD: Final = 1  # a wrong code
R_OLD: Final = 2  # + the number that the binding has << R_SEQNO
R_SEQNO: Final = 8

# Settings of a run, for renew().
N_EPOCH: Final = 0
N_QUIET: Final = 1  # ns: wrong codes before make no line in the log
N_LIMIT: Final = 2  # s, of lifetimes; 0 none
N_NEXT: Final = 3  # s: when something happens to some binding
N_MASK: Final = 4  # of sequence numbers
N_OWN: Final = 5  # own address that updates are sent to: number, two words
N_SIZE: Final = 8

# Columns of the binding cache, as renew() has them.
V_HOA: Final = 0
V_COA: Final = 1
V_FLAGS: Final = 2
V_SEQNO: Final = 3
V_PLEN: Final = 4
V_ST: Final = 5
V_OWN: Final = 6
V_REG: Final = 7
V_LIFE: Final = 8
V_EXPIRE: Final = 9
V_BEFORE: Final = 10
V_AFTER: Final = 11
V_DUE: Final = 12
V_LOW: Final = 13

# A row for each acknowledgement that is wanted.
B_UPDATE: Final = 0  # the update that it answers
B_SA: Final = 1  # row of the association that signs
B_SPI: Final = 2
B_STATUS: Final = 3
B_SEQNO: Final = 4
B_LIFE: Final = 5
B_REFRESH: Final = 6
B_SHAPE: Final = 7
B_LINK0: Final = 8  # link header, 8 octets and the rest
B_LINK1: Final = 9
B_SIZE: Final = 10

# A row for each shape of acknowledgements: where things are in its template, without link header.
F_START: Final = 0  # where the template begins in the octets of all
F_OCTETS: Final = 1  # all of it
F_VIA: Final = 2  # where the home address is; 0: the packet goes straight there
F_OPTION: Final = 3
F_CODE: Final = 4  # where the authentication code is
F_ICVLEN: Final = 5
F_SIZE: Final = 8

FRAME_MAX: Final = 256  # octets of a template at most; so far apart they lie in the work space
