# SPDX-License-Identifier: BSD-3-Clause
"""Authentication data of binding updates and acknowledgements.

Corresponds to mip6_authdata_create, mip6_calculate_authdata_from_* and the checks in
mip6_validate_bu and mip6_validate_ba of KAME mip6_binding.c. Deviates: absent authentication data
is refused; the association, that of AH as well, must be made for exactly the sender; length and
place of the sub-option are checked; the reserved octet of an acknowledgement is signed only with
``options MIP6_AUTHDATA_KAME``, and both forms are taken. draft-ietf-mobileip-ipv6-15 s.4.4, s.5.6.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from kame_py.kern.drop import D, DropReason
from kame_py.kern.log import LOG_ERR, LOG_NOTICE
from kame_py.kern.mbuf import M_AUTHIPDGM, M_AUTHIPHDR, trace
from kame_py.mip6.mip6_var import mip6_state, mip6log, mip6warn
from kame_py.netinet6.scope6 import addr_text, in6_clearscope
from kame_py.wire.codecs import Ip6OptBindingAck
from kame_py.wire.ip6ext import AlignedOpt
from kame_py.wire.mip6 import AuthData, BindingAck, BindingUpdate, SubOpt

if TYPE_CHECKING:
    from kame_py.kern.hooks import AuthdataSa
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.mip6.mip6_var import Mip6Bu, Mip6State

AUTHDATA_WORD: Final = 4  # octets: the code is a whole number of 32 bit words (s.5.6)
USABLE: Final = frozenset(range(AUTHDATA_WORD, 256, AUTHDATA_WORD))  # not 0, which proves nothing
_RESERVED: Final = Ip6OptBindingAck.O_ip6oa_reserved
_SEQNO: Final = Ip6OptBindingAck.O_ip6oa_seqno  # behind that
_AH: Final = M_AUTHIPHDR | M_AUTHIPDGM  # ESP alone marks only the second (s.4.4)

Covered: TypeAlias = tuple[bytes, ...]  # what goes into the code, in order
Forms: TypeAlias = Callable[[bytes], Covered]  # of an option up to the code: any of


class Authdata(enum.Enum):
    """What the protection of an option is worth; the value is the end of a line in the log."""

    GOOD = "good"
    ABSENT = "absent"
    BAD = "wrong code"
    LENGTH = "wrong length"
    NOSA = "no security association"
    WRONGSA = "the security association is another host's"


_GOOD: Final = Authdata.GOOD
BU_REFUSALS: Final[dict[Authdata, DropReason]] = {
    Authdata.ABSENT: D.MIP6_BUNOAUTH,
    Authdata.BAD: D.MIP6_BUBADAUTH,
    Authdata.LENGTH: D.MIP6_BUAUTHLEN,
    Authdata.NOSA: D.MIP6_BUNOSA,
    Authdata.WRONGSA: D.MIP6_BUWRONGSA,
}
BA_REFUSALS: Final[dict[Authdata, DropReason]] = {
    Authdata.ABSENT: D.MIP6_BANOAUTH,
    Authdata.BAD: D.MIP6_BABADAUTH,
    Authdata.LENGTH: D.MIP6_BAAUTHLEN,
    Authdata.NOSA: D.MIP6_BANOSA,
    Authdata.WRONGSA: D.MIP6_BAWRONGSA,
}

# -- what the code is over (s.4.4) ------------------------------------------------------------


def mip6_bu_covered(dst: bytes, coa: bytes, hoa: bytes, option: bytes) -> Covered:
    """Of an update: wire addresses, and its octets up to the SPI."""
    return dst, coa, hoa, option


def mip6_ba_covered(dst: bytes, src: bytes, option: bytes, reserved: bool) -> Covered:
    """Of an acknowledgement; the draft leaves the reserved octet out, KAME did not."""
    if reserved:
        return dst, src, option
    return dst, src, _without_reserved(option)


def _without_reserved(option: bytes) -> bytes:
    return option[:_RESERVED] + option[_SEQNO:]


def _ack_forms(option: bytes) -> Covered:
    """The draft's, and KAME's."""
    return _without_reserved(option), option


# -- sending ----------------------------------------------------------------------------------


def mip6_authdata_wanted(kern: Kernel) -> bool:
    """Whether updates and acknowledgements carry authentication data (mip6control -T 1)."""
    state = mip6_state(kern)
    has_subopt = state.dialect.wire.authdata_type is not None
    return has_subopt and bool(state.config.mcfg_use_authdata)


def mip6_authdata_sa(kern: Kernel, src: bytes, dst: bytes) -> AuthdataSa | None:
    """The association that signs from ``src`` to ``dst``: home addresses, kernel form."""
    sa = kern.ipsec.authdata_out(kern, src, dst)
    return sa if sa is not None and sa.spi and sa.icvlen in USABLE else None


def mip6_bu_sign(kern: Kernel, sa: AuthdataSa, value: BindingUpdate, bu: Mip6Bu) -> AlignedOpt:
    """The update with authentication data behind its sub-options, which come without padding."""
    dst, coa, hoa = map(in6_clearscope, (bu.mbu_paddr, bu.mbu_coa, bu.mbu_haddr))
    head, align, plus = mip6_state(kern).dialect.wire.uncoded(value, sa.spi, sa.icvlen)
    return AlignedOpt(head + sa.sign(b"".join(mip6_bu_covered(dst, coa, hoa, head))), align, plus)


def mip6_ba_header(
    kern: Kernel, state: Mip6State, ba: BindingAck, dst: bytes, src: bytes
) -> bytes | None:
    """Destination options: the acknowledgement from ``src`` to the home address ``dst``, signed.

    None: no key.
    """
    sa = kern.ipsec.authdata_out(kern, src, dst)
    if sa is None:
        return None
    spi, icvlen = sa.spi, sa.icvlen
    if not spi or icvlen not in USABLE:
        return None
    wire = state.dialect.wire
    head, size, lead, tail = wire.ack_frame(spi, icvlen)
    pack_ba = wire.pack_ba
    option = pack_ba(ba, size) + lead
    if dst >= b"\xfe" or src >= b"\xfe":
        dst, src = in6_clearscope(dst), in6_clearscope(src)
    if state.authdata_kame:
        covered = dst + src + option
    else:
        covered = dst + src + option[:_RESERVED] + option[_SEQNO:]
    return head + option + sa.sign(covered) + tail


# -- receiving --------------------------------------------------------------------------------


def mip6_bu_refusal(
    kern: Kernel,
    state: Mip6State,
    m: Mbuf,
    option: bytes,
    bu: BindingUpdate,
    hoa: bytes,
    coa: bytes,
) -> DropReason | None:
    """Why an update, whose octets are ``option``, is not authentic; coa: source on the wire."""
    dst = in6_clearscope(m.dst) if m.dst >= b"\xfe" else m.dst
    verdict = _verdict(kern, state, m, hoa, option, bu.subopts, dst + coa + hoa, None)
    if verdict is _GOOD:
        return None
    bad = "invalid authenticataion data"
    _tell(kern, verdict, "update", bad, addr_text(kern, hoa))
    return BU_REFUSALS[verdict]


def mip6_ba_refusal(
    kern: Kernel, state: Mip6State, m: Mbuf, option: bytes, ba: BindingAck
) -> DropReason | None:
    """Why an acknowledgement is not authentic."""
    addrs = in6_clearscope(m.dst) + in6_clearscope(m.src)
    verdict = _verdict(kern, state, m, m.src, option, ba.subopts, addrs, _ack_forms)
    if verdict is _GOOD:
        return None
    bad = "authenticate binding ack failed"
    _tell(kern, verdict, "ack", bad, addr_text(kern, m.src))
    return BA_REFUSALS[verdict]


def _verdict(
    kern: Kernel,
    state: Mip6State,
    m: Mbuf,
    src: bytes,
    option: bytes,
    subopts: tuple[SubOpt, ...],
    addrs: bytes,
    forms: Forms | None,
) -> Authdata:
    """Good by AH of ``src``, by authentication data, or because neither is asked for.

    addrs: what the code covers in front of the option. forms: of what the option may have been
    when it was signed; None: of what it is.
    """
    config = state.config
    ah = m.flags & _AH == _AH and config.mcfg_use_ipsec
    if ah and kern.ipsec.vouched(kern, m, src, header=True):
        return _GOOD
    if state.dialect.wire.authdata_type is None:
        verdict = Authdata.ABSENT if config.mcfg_use_ipsec else _GOOD
    elif not config.mcfg_use_authdata:
        return _GOOD
    else:
        auth = subopts[-1] if subopts else None
        if type(auth) is AuthData:
            verdict = _verify(kern, m.dst, src, option, auth, addrs, forms)
            if kern.tracing:
                sa = kern.ipsec.authdata_in(kern, src, m.dst, auth.spi) or f"spi 0x{auth.spi:x}"
                trace(m, f"authentication data {sa}: {verdict.value}")
            return verdict
        misplaced = any(isinstance(s, AuthData) for s in subopts)
        verdict = Authdata.BAD if misplaced else Authdata.ABSENT
    return Authdata.WRONGSA if ah and verdict is Authdata.ABSENT else verdict


def _verify(
    kern: Kernel,
    dst: bytes,
    src: bytes,
    option: bytes,
    auth: AuthData,
    addrs: bytes,
    forms: Forms | None,
) -> Authdata:
    """Authentication data at the end of the option: of the right length, by ``src`` itself."""
    sa = kern.ipsec.authdata_in(kern, src, dst, auth.spi)
    if sa is None:
        known = kern.ipsec.authdata_known(kern, dst, auth.spi)
        return Authdata.WRONGSA if known else Authdata.NOSA
    icvlen, code = sa.icvlen, auth.mac
    if len(code) != icvlen:
        return Authdata.LENGTH
    if icvlen not in USABLE:
        return Authdata.BAD
    head = option[:-icvlen]
    if forms is None:
        good = sa.verify(code, addrs + head)
    else:
        good = any(sa.verify(code, addrs + form) for form in forms(head))
    return _GOOD if good else Authdata.BAD


def _tell(kern: Kernel, verdict: Authdata, what: str, bad: str, host: str) -> None:
    if mip6_state(kern).dialect.wire.authdata_type is None:
        mip6log(kern, LOG_NOTICE, f"an unprotected binding {what} from {host}.")
    elif verdict is Authdata.ABSENT:
        mip6warn(kern, LOG_ERR, f"an unprotected binding {what} from host {host}")
    else:
        mip6warn(kern, LOG_ERR, f"{bad} from host {host}: {verdict.value}")
