# SPDX-License-Identifier: BSD-3-Clause
"""What the IPsec conformance tests of hosts and routers share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from _pytest.mark import ParameterSet

from kame_py.kern.mbuf import Fate, Mbuf, m_get
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netkey.keydb import Secasvar
from kame_py.wire.const import (
    IPPROTO_ESP,
    IPPROTO_ICMPV6,
)
from tests.unit.netinet6.ip6_node import PEER1, US1, addr
from tests.unit.netkey.ipsec_node import (
    AES,
    DES,
    DES3,
    MD5,
    NULL,
    SHA1,
    SHA256,
    IpsecNode,
)

CT: Final = "ct/ipsec:"
CIPHERS: Final = {"null": NULL, "descbc": DES, "3descbc": DES3, "rijndaelcbc": AES}
AUTHS: Final = {"": 0, "hmacmd5": MD5, "hmacsha1": SHA1, "hmacsha2_256": SHA256}
ANSWERED: Final = (Fate.CONSUMED, "")
THIRD: Final = addr("2001:db8:1::7")
THERE: Final = addr("2001:db8:9::5")  # a host of another site


def case(name: str, *values: Any) -> ParameterSet:
    """Parameters that are one entry of the checklist."""
    return pytest.param(*values, id=name, marks=pytest.mark.tahi(CT + name))


def algorithms(prefix: str, bare: int = 0, ciphers: str = "null descbc 3descbc rijndaelcbc",
               auths: str = "hmacmd5 hmacsha1 hmacsha2_256") -> Iterator[ParameterSet]:  # fmt: skip
    """(cipher, authentication) of PREFIX_CIPHER and PREFIX_CIPHER_AUTH; bare: of the first."""
    for cipher in ciphers.split():
        if cipher != "null":
            yield case(f"{prefix}_{cipher}", CIPHERS[cipher], bare)
        for auth in auths.split():
            if bare and AUTHS[auth] == bare and cipher != "null":
                continue
            yield case(f"{prefix}_{cipher}_{auth}", CIPHERS[cipher], AUTHS[auth])


def send(node: IpsecNode, payload: bytes, nxt: int = IPPROTO_ICMPV6, dst: bytes = PEER1,
         src: bytes = US1) -> Mbuf:  # fmt: skip
    m = m_get(node.kern, ip6_pkt(src, dst, nxt, payload, 64))
    m.src, m.dst = src, dst
    ip6_output(node.kern, m)
    node.kern.run_softintr()
    return m


def inside(sav: Secasvar, packet: bytes) -> tuple[int, bytes]:
    """(next header, payload) of an ESP packet that has no other header in front."""
    assert packet[6] == IPPROTO_ESP
    end = len(packet) - (sav.mackey.icvlen if sav.mackey is not None else 0)
    assert sav.cipher is not None
    if sav.mackey is not None:
        assert sav.mackey.mac(packet[40:end]) == packet[end:]
    start = 48 + sav.cipher.ivlen
    text = sav.cipher.decrypt(packet[48:start], packet[start:end])
    padding = text[-2]
    assert text[len(text) - 2 - padding : -2] == bytes(range(1, padding + 1))
    return text[-1], text[: len(text) - 2 - padding]
