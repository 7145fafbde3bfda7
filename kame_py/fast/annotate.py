# SPDX-License-Identifier: BSD-3-Clause
"""Fill the columns of a batch: what each packet is, and whether anything about it is unusual.

Corresponds to the checks at the head of KAME ip6_input.c, to ip6_nexthdr and to the checksums of
TCP, UDP and ICMPv6, without their effects: the order of packets does not matter.

``why`` is the first reason in the order of the headers, a wrong checksum last. A packet with
``F_IP6`` has its columns filled to the end of the walk, whether it is punted or not. Usual are TCP,
UDP, echo, tunnels, AH and ESP, with one home address option or one routing header of type 2.
"""

from __future__ import annotations

from kame_py.fast import kernels
from kame_py.fast.annotate_twin import annotate_twin
from kame_py.fast.batch import Batch
from kame_py.fast.cpu import JIT


def annotate(batch: Batch, linktype: int, verify: bool) -> None:
    """Fill l3, flags, nxt, upper, hao, rthdr, ipsec and why of the packets of ``batch``.

    They came from links of one type, a LINKTYPE number. ``verify``: look at transport checksums,
    with the home address as source and the end of a routing header as destination. Nothing outside
    the packets is read, whatever they hold.
    """
    if batch.n > len(batch.off):
        raise ValueError(f"{batch.n} packets in {len(batch.off)} rows")
    if not JIT:
        annotate_twin(batch, linktype, verify)
        return
    kernels.annotate_batch(
        *(batch.arena, batch.n, linktype, verify, batch.off, batch.caplen),
        *(batch.l3, batch.flags, batch.nxt, batch.upper),
        *(batch.hao, batch.rthdr, batch.ipsec, batch.why),
    )
