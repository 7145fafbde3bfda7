# SPDX-License-Identifier: BSD-3-Clause
"""Security associations and policies as the kernel holds them (KAME netkey/keydb.h, ipsec.h).

Deviates: no secashead lists (the SADB is ordered by index, see key_sad); keys are ready
algorithm objects; addresses are kernel form, ports are 0 in association indices. RFC 2401 s.4.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from sortedcontainers import SortedDict

from kame_py.wire.pfkey import SadbExt
from kame_py.wire.pfkeyv2 import (
    IPSEC_DIR_MAX,
    IPSEC_LEVEL_USE,
    IPSEC_POLICY_NONE,
    SADB_SASTATE_LARVAL,
)

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.kern.uipc_socket import Socket
    from kame_py.netkey.ipsec import AuthdataSa

ESP_REPLAY_UNITS: Final = 8  # a window is given in octets of bitmap


class MacKey(Protocol):
    """An authentication algorithm with its key."""

    icvlen: int  # octets on the wire

    def mac(self, text: bytes, *more: bytes) -> bytes:
        """The truncated code over the parts in order: ``icvlen`` octets."""
        ...


class CipherKey(Protocol):
    """An encryption algorithm with its key; data in whole blocks."""

    ivlen: int
    blocklen: int  # octets; 1 for none

    def encrypt(self, iv: bytes, data: bytes) -> bytes: ...

    def decrypt(self, iv: bytes, data: bytes) -> bytes: ...


class Secasindex(NamedTuple):
    """What an association is for (struct secasindex). proto: 50, 51; src, dst in kernel form."""

    proto: int
    mode: int
    reqid: int
    src: bytes
    dst: bytes


class Secpolicyindex(NamedTuple):
    """Selectors of a policy (struct secpolicyindex): addresses kernel form, ports 0 any.

    ul_proto 255 any. For ICMPv6 the source port is the type, the destination port the code.
    """

    dir: int
    src: bytes
    prefs: int
    dst: bytes
    prefd: int
    ul_proto: int
    sport: int = 0
    dport: int = 0


Selectors: TypeAlias = tuple[int, bytes, int, bytes, int, int, int, int]  # a Secpolicyindex, too


@dataclass(slots=True)
class Seclifetime:
    """struct sadb_lifetime in the kernel: counts, and times in s (absolute for current)."""

    allocations: int = 0
    bytes: int = 0
    addtime: int = 0
    usetime: int = 0


@dataclass(slots=True)
class Secreplay:
    """Anti-replay (struct secreplay). wsize: window in octets; bitmap bit 0 is lastseq."""

    wsize: int = 0
    count: int = 0  # last number sent
    seq: int = 0
    lastseq: int = 0  # highest number received
    bitmap: int = 0
    overflow: int = 0


@dataclass(slots=True, eq=False)
class Secasvar:
    """One security association (struct secasvar).

    created: CLOCK_REALTIME in s; ``lft_c.addtime`` is the same, ``lft_c.usetime`` 0 until used.
    ``lft_c.usetime`` is the last use, used_ns the first: use lifetimes count from that. mackey,
    cipher: None where the algorithm is none. iv: the last one used. seq, pid: of the PF_KEY
    message that made it.
    """

    saidx: Secasindex
    spi: int
    state: int = SADB_SASTATE_LARVAL
    alg_auth: int = 0
    alg_enc: int = 0
    key_auth: bytes = b""
    key_enc: bytes = b""
    flags: int = 0
    replay: Secreplay = field(default_factory=Secreplay)
    created: int = 0
    lft_c: Seclifetime = field(default_factory=Seclifetime)
    lft_h: Seclifetime = field(default_factory=Seclifetime)
    lft_s: Seclifetime = field(default_factory=Seclifetime)
    mackey: MacKey | None = None
    cipher: CipherKey | None = None
    iv: bytes = b""
    seq: int = 0
    pid: int = 0
    created_ns: int = 0  # kern.now()
    used_ns: int | None = None  # kern.now() of its first use
    callout: Callout | None = None  # its next change of state
    idents: tuple[SadbExt, ...] = ()  # identities and sensitivity, only carried
    authdata: AuthdataSa | None = None  # how mobility sees it, once that has asked
    limited: bool = field(init=False)  # its use can be at an end by octets or packets

    def __post_init__(self) -> None:
        hard, soft = self.lft_h, self.lft_s
        self.limited = bool(hard.bytes or hard.allocations or soft.bytes or soft.allocations)


@dataclass(slots=True, eq=False)
class Ipsecrequest:
    """One step of a policy (struct ipsecrequest). src, dst None: those of the packet.

    level: IPSEC_LEVEL_*; reqid: links to one association (unique); above IPSEC_MANUAL_REQID_MAX
    the kernel chose it.
    """

    proto: int
    mode: int
    level: int = IPSEC_LEVEL_USE
    reqid: int = 0
    src: bytes | None = None
    dst: bytes | None = None
    sp: Secpolicy | None = None


@dataclass(slots=True, eq=False)
class Secpolicy:
    """One policy (struct secpolicy). created, lastused: CLOCK_REALTIME in s, 0 never."""

    spidx: Secpolicyindex | None
    policy: int = IPSEC_POLICY_NONE
    id: int = 0
    req: list[Ipsecrequest] = field(default_factory=list)
    created: int = 0
    lastused: int = 0
    lifetime: int = 0
    validtime: int = 0
    entry: int = 0  # its place in the SPD
    created_ns: int = 0  # kern.now()
    lastused_ns: int = 0
    callout: Callout | None = None


class Spacq(NamedTuple):
    """A policy that asked for an association which is not there (struct spacq, secacq)."""

    seq: int
    created_ns: int
    tries: int


@dataclass(slots=True)
class KeyState:
    """Key management of one kernel (kern.key).

    sad: (proto, dst, spi) -> associations, of different sources; by_index: oldest first.
    heads: (proto, src, dst) -> indices, oldest first. spd: policies by (direction, number of
    entry); policies: of each direction how many by protocol. spcache: what key_allocsp found since
    the SPD changed; authdata: (source, destination) -> policy and association that sign for
    mobility, as found since the last change. registered: socket -> SA types it answers for.
    on_change: called when an association becomes usable or goes. gen: counts all changes of both
    databases but their use. The other members are the sysctls net.key.* and net.inet6.ipsec6.*.
    """

    sad: SortedDict[tuple[int, bytes, int], list[Secasvar]] = field(default_factory=SortedDict)
    by_index: dict[Secasindex, list[Secasvar]] = field(default_factory=dict)
    heads: dict[tuple[int, bytes, bytes], list[Secasindex]] = field(default_factory=dict)
    spd: SortedDict[tuple[int, int], Secpolicy] = field(default_factory=SortedDict)
    sp_index: dict[Secpolicyindex, Secpolicy] = field(default_factory=dict)
    sp_ids: dict[int, Secpolicy] = field(default_factory=dict)
    policies: tuple[Counter[int], ...] = field(
        default_factory=lambda: tuple(Counter() for _ in range(IPSEC_DIR_MAX))
    )
    spcache: dict[Selectors, Secpolicy | None] = field(default_factory=dict)
    authdata: dict[tuple[bytes, bytes], tuple[Secpolicy, AuthdataSa]] = field(default_factory=dict)
    sockets: list[Socket] = field(default_factory=list)
    registered: dict[Socket, set[int]] = field(default_factory=dict)
    promisc: set[Socket] = field(default_factory=set)
    acquires: dict[Secasindex, Spacq] = field(default_factory=dict)
    spacquires: dict[Secpolicyindex, Spacq] = field(default_factory=dict)
    policy_id: int = 0  # the last one given
    entry: int = 0
    acq_seq: int = 0
    reqid: int = 0x3FFF  # IPSEC_MANUAL_REQID_MAX; automatic ids are above it
    on_change: list[Callable[[], None]] = field(default_factory=list)
    gen: int = 0
    key_debug_level: int = 0
    key_spi_trycnt: int = 1000
    key_spi_minval: int = 0x100
    key_spi_maxval: int = 0x0FFFFFFF
    key_int_random: int = 60  # s
    key_larval_lifetime: int = 30  # s
    key_blockacq_count: int = 10
    key_blockacq_lifetime: int = 20  # s
    ipsec_esp_keymin: int = 256  # bits
    ipsec_esp_auth: int = 0
    ipsec_ah_keymin: int = 128  # bits
    key_preferred_oldsa: int = 1
    ip6_def_policy: Secpolicy = field(default_factory=lambda: Secpolicy(None))
    ip6_esp_trans_deflev: int = IPSEC_LEVEL_USE
    ip6_esp_net_deflev: int = IPSEC_LEVEL_USE
    ip6_ah_trans_deflev: int = IPSEC_LEVEL_USE
    ip6_ah_net_deflev: int = IPSEC_LEVEL_USE
    ip6_ipsec_ecn: int = 0
    ip6_esp_randpad: int = -1
    ipsec_debug: int = 0

    def changed(self) -> None:
        """An association or a policy came, went, or counts otherwise from now on."""
        self.gen += 1
        self.authdata.clear()
