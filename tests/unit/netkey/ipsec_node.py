# SPDX-License-Identifier: BSD-3-Clause
"""A booted kernel on two links with IPsec, its associations and policies; packets and vectors."""

from __future__ import annotations

import json
from typing import Any

from kame_py.kern.kernel import Kernel
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netkey.ah_core import ah6_calccksum, ah_build
from kame_py.netkey.esp_core import EspClear, esp_padlen, esp_seal
from kame_py.netkey.key_sad import key_insertsav, key_sa_chgstate
from kame_py.netkey.key_sastate import SaEv
from kame_py.netkey.key_saval import key_mature
from kame_py.netkey.key_spd import key_insertsp, key_msg2sp
from kame_py.netkey.keydb import (
    Secasindex,
    Secasvar,
    Seclifetime,
    Secpolicy,
    Secpolicyindex,
    Secreplay,
)
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import IPPROTO_AH, IPPROTO_ESP, IPPROTO_ICMPV6
from kame_py.wire.pfkey import SadbXPolicy, XIpsecrequest
from kame_py.wire.snap import INFINITE
from kame_py.wire.sockaddr import SockaddrIn6
from tests.support import data_dir
from tests.unit.netinet6.ip6_node import PEER1, US1, Node, addr, echo, ip6

AH, ESP = IPPROTO_AH, IPPROTO_ESP
TRANSPORT, TUNNEL, ANY = k.IPSEC_MODE_TRANSPORT, k.IPSEC_MODE_TUNNEL, k.IPSEC_MODE_ANY
IN, OUT = k.IPSEC_DIR_INBOUND, k.IPSEC_DIR_OUTBOUND
USE, REQUIRE, UNIQUE = k.IPSEC_LEVEL_USE, k.IPSEC_LEVEL_REQUIRE, k.IPSEC_LEVEL_UNIQUE
SHA1, MD5, SHA256 = k.SADB_AALG_SHA1HMAC, k.SADB_AALG_MD5HMAC, k.SADB_X_AALG_SHA2_256
DES, DES3, BLOWFISH = k.SADB_EALG_DESCBC, k.SADB_EALG_3DESCBC, k.SADB_X_EALG_BLOWFISHCBC
AES, NULL, CAST = k.SADB_X_EALG_AES, k.SADB_EALG_NULL, k.SADB_X_EALG_CAST128CBC
CYCSEQ = k.SADB_X_EXT_CYCSEQ
#: A key of every length: octets 1, 2, 3, ...
AUTH_KEYS = {MD5: bytes(range(1, 17)), SHA1: bytes(range(1, 21)), SHA256: bytes(range(1, 33))}
#: A key of every cipher.
KEYS = {
    DES: bytes.fromhex("0123456789abcdef"),
    DES3: bytes.fromhex("0123456789abcdeffedcba98765432100f1e2d3c4b5a6978"),
    BLOWFISH: bytes(range(16)),
    CAST: bytes(range(16)),
    AES: bytes(range(16)),
    NULL: b"",
}
ANYWHERE = "::/0"


class IpsecNode(Node):
    """A node with IPSEC and IPSEC_ESP unless other options are named."""

    def __init__(self, *options: str, forwarding: int = 0, gif: int = 0) -> None:
        super().__init__(*(options or ("IPSEC", "IPSEC_ESP")), forwarding=forwarding, gif=gif)

    def quiet(self) -> None:
        super().quiet()
        stats = self.kern.stats
        for table in (stats.ipsec6, stats.in_ahhist, stats.in_esphist, stats.out_ahhist):
            table.clear()

    def have(self, *addresses: bytes) -> None:
        """More addresses of the node, on its first link."""
        for address in addresses:
            in6_update_ifa(self.kern, self.rip0, address, 64, 0, INFINITE, INFINITE, None)
        self.quiet()

    def sa(
        self,
        proto: int,
        spi: int,
        auth: int = 0,
        key: bytes | None = None,
        enc: int = 0,
        enckey: bytes = b"",
        src: bytes = PEER1,
        dst: bytes = US1,
        mode: int = ANY,
        window: int = 0,
        flags: int = CYCSEQ,
        reqid: int = 0,
        hard: Seclifetime | None = None,
    ) -> Secasvar:
        """An association in the database; key None: 1, 2, 3, ... as the algorithm wants."""
        return insert(
            self.kern,
            Secasvar(
                Secasindex(proto, mode, reqid, src, dst),
                spi,
                alg_auth=auth,
                alg_enc=enc,
                key_auth=AUTH_KEYS.get(auth, b"") if key is None else key,
                key_enc=enckey,
                flags=flags,
                replay=Secreplay(wsize=window),
                lft_h=hard or Seclifetime(),
            ),
        )

    def policy(
        self,
        direction: int,
        *requests: XIpsecrequest,
        src: str = ANYWHERE,
        dst: str = ANYWHERE,
        proto: int = k.IPSEC_ULPROTO_ANY,
        ports: tuple[int, int] = (0, 0),
        action: int = k.IPSEC_POLICY_IPSEC,
    ) -> Secpolicy:
        """A policy at the end of the database."""
        sp = key_msg2sp(self.kern, SadbXPolicy(action, direction, 0, requests))
        (s, plen_s), (d, plen_d) = _prefix(src), _prefix(dst)
        idx = Secpolicyindex(direction, s, plen_s, d, plen_d, proto, *ports)
        key_insertsp(self.kern, sp, idx)
        return sp


def insert(kern: Kernel, sav: Secasvar) -> Secasvar:
    """Make the association mature in the database of the kernel."""
    key_mature(kern, sav)
    key_insertsav(kern, sav)
    key_sa_chgstate(kern, SaEv.COMPLETE, sav)
    return sav


def _prefix(text: str) -> tuple[bytes, int]:
    address, _, plen = text.partition("/")
    return addr(address), int(plen or 128)


def request(
    proto: int,
    mode: int = TRANSPORT,
    level: int = REQUIRE,
    src: bytes | None = None,
    dst: bytes | None = None,
    reqid: int = 0,
) -> XIpsecrequest:
    """One step of a policy."""
    if src is None or dst is None:
        return XIpsecrequest(proto, mode, level, reqid)
    return XIpsecrequest(proto, mode, level, reqid, SockaddrIn6(src), SockaddrIn6(dst))


def signed(
    sav: Secasvar,
    seq: int = 1,
    payload: bytes | None = None,
    nxt: int = IPPROTO_ICMPV6,
    before: bytes = b"",
    first: int = IPPROTO_AH,
    spi: int | None = None,
    src: bytes = PEER1,
    dst: bytes = US1,
) -> bytes:
    """What a peer sends: headers, AH with a right code, payload."""
    payload = echo() if payload is None else payload
    assert sav.mackey is not None
    ah = ah_build(nxt, sav.spi if spi is None else spi, seq, sav.mackey.icvlen)
    packet = ip6(before + ah + payload, first, src, dst)
    head = packet[: 40 + len(before)]
    icv = ah6_calccksum(sav.mackey, head, ah, payload)
    assert icv is not None
    return head + ah[:12] + icv + ah[12 + len(icv) :] + payload


def protected(
    sav: Secasvar,
    seq: int = 1,
    payload: bytes | None = None,
    nxt: int = IPPROTO_ICMPV6,
    padding: bytes | None = None,
) -> bytes:
    """What a peer sends: an IPv6 header and ESP."""
    cipher = sav.cipher
    assert cipher is not None
    payload = echo() if payload is None else payload
    if padding is None:
        padding = bytes(range(1, 1 + esp_padlen(len(payload), max(4, cipher.blocklen))))
    iv = bytes(range(cipher.ivlen))
    return ip6(esp_seal(sav, cipher, seq, iv, EspClear(nxt, payload), padding), IPPROTO_ESP)


def vectors(name: str) -> Any:
    """A file of test vectors."""
    with open(data_dir() / "vectors" / name, encoding="ascii") as f:
        return json.load(f)


def reasons(node: Node) -> dict[str, int]:
    """Packets dropped so far by reason."""
    return {why: n for why, n in node.kern.drops.items() if n}
