# SPDX-License-Identifier: BSD-3-Clause
"""One interface's entry of rtadvd.conf, checked and with every default filled in.

KAME: getconfig() of rtadvd's config.c. Read RFC 2461 s.6.2.1 first.
Deviates:
- hapref is advertised as configured (KAME read it and lost the value);
- the host bits of a prefix without R are cleared (RFC 2461 s.4.6.2), as KAME's manual assumes;
- any numbered addrN beside automatic prefixes is the conflict that addr and addr1 are in KAME;
- mtu must be a number or `auto`; other words were taken for "no option";
- with -m both intervals may have fractions, as strings (draft-15 s.6.5 wants 0.05 to 1.5 s);
- no home agent information without the H flag (draft-15 s.6.4), and a warning;
- capabilities no one knows and values cut to their field's width are reported as warnings.
"""

import difflib
import re
from dataclasses import dataclass, field
from typing import Final

from kame_py.lib.remcap import Entry, FieldKind, RemcapError, agetent
from kame_py.wire import in6addr
from kame_py.wire.record import record

# RFC 2461 s.6.2.1 with the bounds rtadvd uses; draft-15 s.6.5 lowers the minima for -m.
DEF_MAXRTRADVINTERVAL: Final = 600
MAX_MAXINTERVAL: Final = 1800
MIN_MAXINTERVAL: Final = 4.0
MIN_MININTERVAL: Final = 3.0
MIN_MAXINTERVAL_MIP6: Final = 1.5
MIN_MININTERVAL_MIP6: Final = 0.05
MAX_ROUTERLIFETIME: Final = 9000
MAX_REACHABLETIME: Final = 3600000  # milliseconds
DEF_ADVCURHOPLIMIT: Final = 64
DEF_ADVVALIDLIFETIME: Final = 2592000
DEF_ADVPREFERREDLIFETIME: Final = 604800
DEF_PREFIXLEN: Final = 64
IPV6_MMTU: Final = 1280  # RFC 2460 s.5

ND_RA_FLAG_MANAGED: Final = 0x80
ND_RA_FLAG_OTHER: Final = 0x40
ND_RA_FLAG_HOME_AGENT: Final = 0x20
ND_RA_FLAG_RTPREF_MASK: Final = 0x18
ND_RA_FLAG_RTPREF_RSV: Final = 0x10
ND_OPT_PI_FLAG_ONLINK: Final = 0x80
ND_OPT_PI_FLAG_AUTO: Final = 0x40
ND_OPT_PI_FLAG_RTADDR: Final = 0x20

MS_PER_S: Final = 1000
_SECONDS: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?", re.ASCII)
_UINT32_MAX: Final = 0xFFFFFFFF
_UINT16_MASK: Final = 0xFFFF
_UINT8_MASK: Final = 0xFF
_ADDR_BITS: Final = 128

CAPABILITIES: Final = (
    *("maxinterval", "mininterval", "chlim", "raflags", "rltime", "rtime", "retrans"),
    *("hapref", "hatime", "clockskew", "addrs", "mtu", "nolladdr", "routes", "tc"),
)
INDEXED_CAPABILITIES: Final = (
    *("addr", "prefixlen", "pinfoflags", "vltime", "vltimedecr", "pltime", "pltimedecr"),
    *("rtprefix", "rtplen", "rtflags", "rtltime"),
    *("rtrprefix", "rtrplen", "rtrflags", "rtrltime"),
)
_INDEXED_NAME: Final = re.compile(r"([a-z]+?)([0-9]*)\Z")


@record
class RaPrefix:
    """A prefix information option to send. With `router` the prefix is the whole address."""

    prefix: bytes
    prefixlen: int = DEF_PREFIXLEN
    onlink: bool = True
    autoconf: bool = True
    router: bool = False
    vltime_s: int = DEF_ADVVALIDLIFETIME
    vltimedecr: bool = False
    pltime_s: int = DEF_ADVPREFERREDLIFETIME
    pltimedecr: bool = False


@record
class RaRoute:
    """A route information option to send; `rtpref` holds the preference bits in place."""

    prefix: bytes
    prefixlen: int
    rtpref: int
    ltime_s: int


@record
class RaConfig:
    """What rtadvd advertises on one interface.

    `prefixes` is None when the interface's own addresses are to be advertised. `linkmtu` 0 means
    no MTU option, `hatime_s` 0 no home agent information option. `found` tells whether the file
    had an entry at all.
    """

    ifname: str
    found: bool
    maxinterval_ms: int
    mininterval_ms: int
    chlim: int
    managed: bool
    otherconf: bool
    home_agent: bool
    rtpref: int
    rltime_s: int
    rtime_ms: int
    retrans_ms: int
    hapref: int
    hatime_s: int
    clockskew_s: int
    prefixes: tuple[RaPrefix, ...] | None
    linkmtu: int
    send_lladdr: bool
    routes: tuple[RaRoute, ...]
    notices: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def raflags(self) -> int:
        """The flags octet of the advertisement."""
        flags = self.rtpref
        flags |= ND_RA_FLAG_MANAGED if self.managed else 0
        flags |= ND_RA_FLAG_OTHER if self.otherconf else 0
        return flags | (ND_RA_FLAG_HOME_AGENT if self.home_agent else 0)


@record
class ConfigError:
    """rtadvd refuses to start (exit 1); `text` is what it logs."""

    text: str


class _Refused(Exception):
    """Leaves the reader at the first fatal line; never passes parse_config()."""


@dataclass(slots=True)
class _Reader:
    entry: Entry
    ifname: str
    mobility: bool
    mtu: int
    least_mininterval_s: float
    notices: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def num(self, name: str, default: int) -> int:
        value = self.entry.agetnum(name)
        return default if value is None else value

    def bounded(self, name: str, default: int, most: int, what: str) -> int:
        value = self.num(name, default)
        if value > most:
            raise _Refused(
                f"{what} ({value}) on {self.ifname} is invalid (must be no greater than {most})"
            )
        return value

    def cut(self, name: str, default: int, mask: int) -> int:
        value = self.num(name, default)
        if value & mask != value:
            self.warnings.append(f"{name}#{value} on {self.ifname} is cut to {value & mask}")
        return value & mask


def parse_config(
    file_text: str | None,
    ifname: str,
    *,
    mobility: bool,
    mtu: int,
    has_lladdr: bool = True,
    least_mininterval_s: float = MIN_MININTERVAL_MIP6,
) -> RaConfig | ConfigError:
    """Read the interface's entry; `file_text` None means that there is no file.

    `mobility` is rtadvd -m, `mtu` the interface's, `has_lladdr` whether it has a link-layer
    address to advertise, `least_mininterval_s` what MinRtrAdvInterval may be with -m. A missing
    entry is a valid configuration: all defaults.
    """
    entry = None if file_text is None else agetent(file_text, ifname)
    if isinstance(entry, RemcapError):
        return ConfigError(entry.text)
    what = entry or Entry((ifname,), (), ())
    reader = _Reader(what, ifname, mobility, mtu, least_mininterval_s)
    if entry is None:
        reader.notices.append(
            f"{ifname} isn't defined in the configuration file or the configuration file "
            "doesn't exist. Treat it as default"
        )
    reader.warnings += reader.entry.warnings
    _warn_unknown(reader)
    try:
        return _getconfig(reader, entry is not None, has_lladdr)
    except _Refused as refusal:
        return ConfigError(str(refusal))


def _getconfig(reader: _Reader, found: bool, has_lladdr: bool) -> RaConfig:
    maxinterval_ms = _maxinterval(reader)
    mininterval_ms = _mininterval(reader, maxinterval_ms)
    chlim = reader.cut("chlim", DEF_ADVCURHOPLIMIT, _UINT8_MASK)
    raflags = reader.num("raflags", ND_RA_FLAG_HOME_AGENT if reader.mobility else 0)
    rtpref = _rtpref(raflags, f"raflags ({raflags}) on {reader.ifname}")
    rltime_s = _rltime(reader, maxinterval_ms)
    rtime_ms = reader.bounded("rtime", 0, MAX_REACHABLETIME, "reachable time")
    retrans_ms = reader.bounded("retrans", 0, _UINT32_MAX, "retransmit time")
    home_agent = reader.mobility and bool(raflags & ND_RA_FLAG_HOME_AGENT)
    hapref, hatime_s = _home_agent_information(reader, home_agent)
    return RaConfig(
        ifname=reader.ifname,
        found=found,
        maxinterval_ms=maxinterval_ms,
        mininterval_ms=mininterval_ms,
        chlim=chlim,
        managed=bool(raflags & ND_RA_FLAG_MANAGED),
        otherconf=bool(raflags & ND_RA_FLAG_OTHER),
        home_agent=home_agent,
        rtpref=rtpref,
        rltime_s=rltime_s,
        rtime_ms=rtime_ms,
        retrans_ms=retrans_ms,
        hapref=hapref,
        hatime_s=hatime_s,
        clockskew_s=reader.num("clockskew", 0),
        prefixes=_prefixes(reader),
        linkmtu=_linkmtu(reader),
        send_lladdr=has_lladdr and not reader.entry.agetflag("nolladdr"),
        routes=_routes(reader, rltime_s),
        notices=tuple(reader.notices),
        warnings=tuple(reader.warnings),
    )


def interval_text(interval_ms: int) -> str:
    """Seconds, with a fraction where there is one."""
    return f"{interval_ms / MS_PER_S:.10g}"


def _interval(reader: _Reader, name: str, default_ms: int, least: float, most_ms: int) -> int:
    """A number of seconds; with -m also a string with a fraction. In milliseconds."""
    number = reader.entry.agetnum(name)
    text = reader.entry.agetstr(name) if number is None else None
    value = default_ms if number is None else number * MS_PER_S
    if text is not None:
        match = _SECONDS.fullmatch(text) if reader.mobility else None
        value = 0 if match is None else round(float(text) * MS_PER_S)
    if not least * MS_PER_S <= value <= most_ms:
        raise _Refused(
            f"{name} ({interval_text(value) if text is None else text}) on {reader.ifname} "
            f"is invalid (must be between {least:e} and {interval_text(most_ms)})"
        )
    return value


def _maxinterval(reader: _Reader) -> int:
    least = MIN_MAXINTERVAL_MIP6 if reader.mobility else MIN_MAXINTERVAL
    default_ms = DEF_MAXRTRADVINTERVAL * MS_PER_S
    return _interval(reader, "maxinterval", default_ms, least, MAX_MAXINTERVAL * MS_PER_S)


def _mininterval(reader: _Reader, maxinterval_ms: int) -> int:
    least = reader.least_mininterval_s if reader.mobility else MIN_MININTERVAL
    default_ms, most_ms = maxinterval_ms // 3, maxinterval_ms * 3 // 4
    if reader.entry.agetstr("maxinterval") is None and reader.entry.agetstr("mininterval") is None:
        default_ms, most_ms = _whole(default_ms), _whole(most_ms)
    return _interval(reader, "mininterval", default_ms, least, most_ms)


def _whole(interval_ms: int) -> int:
    return interval_ms // MS_PER_S * MS_PER_S


def _rltime(reader: _Reader, maxinterval_ms: int) -> int:
    value = reader.num("rltime", -(-maxinterval_ms * 3 // MS_PER_S))
    if value and not maxinterval_ms <= value * MS_PER_S <= MAX_ROUTERLIFETIME * MS_PER_S:
        raise _Refused(
            f"router lifetime ({value}) on {reader.ifname} is invalid "
            f"(must be 0 or between {interval_text(maxinterval_ms)} and {MAX_ROUTERLIFETIME})"
        )
    return value


def _rtpref(flags: int, what: str) -> int:
    rtpref = flags & ND_RA_FLAG_RTPREF_MASK
    if rtpref == ND_RA_FLAG_RTPREF_RSV:
        raise _Refused(f"{what}: invalid router preference")
    return rtpref


def _home_agent_information(reader: _Reader, home_agent: bool) -> tuple[int, int]:
    entry = reader.entry
    given = entry.agetnum("hapref") is not None or entry.agetnum("hatime") is not None
    if given and not reader.mobility:
        raise _Refused("mobile-ip6 configuration without proper command line option")
    hapref, hatime_s = (reader.cut(name, 0, _UINT16_MASK) for name in ("hapref", "hatime"))
    if hatime_s and not home_agent:
        reader.warnings.append(
            f"hatime on {reader.ifname} is ignored: "
            f"raflags lacks the H flag ({ND_RA_FLAG_HOME_AGENT})"
        )
        hatime_s = 0
    return hapref, hatime_s


def _linkmtu(reader: _Reader) -> int:
    word = reader.entry.agetstr("mtu")
    value = reader.entry.agetnum("mtu")
    if value is None and word is not None:
        if word != "auto":
            raise _Refused(
                f"advertised link mtu ({word}) on {reader.ifname} is invalid "
                "(must be a number or auto)"
            )
        return reader.mtu
    if value and not IPV6_MMTU <= value <= reader.mtu:
        # The missing parenthesis is KAME's; people search logs for this line.
        raise _Refused(
            f"advertised link mtu ({value}) on {reader.ifname} is invalid "
            f"(must be between least MTU ({IPV6_MMTU}) and physical link MTU ({reader.mtu})"
        )
    return value or 0


def _index_suffix(count: int, i: int) -> str:
    """A single prefix or route is configured by names without a number."""
    return "" if count == 1 else str(i)


def _prefixes(reader: _Reader) -> tuple[RaPrefix, ...] | None:
    count = reader.entry.agetnum("addrs")
    if count is None:
        if any(_is_addr_name(item.name, item.kind) for item in reader.entry.fields):
            raise _Refused(
                f"conflicting prefix configuration for {reader.ifname}: "
                "automatic and manual config at the same time"
            )
        return None
    # An entry holds at most 1024 octets, so a huge count fails at its first missing addrN.
    return tuple(_prefix(reader, _index_suffix(count, i)) for i in range(count))


def _is_addr_name(name: str, kind: FieldKind) -> bool:
    return kind is FieldKind.STRING and re.fullmatch(r"addr[0-9]*", name) is not None


def _prefix(reader: _Reader, suffix: str) -> RaPrefix:
    name = f"addr{suffix}"
    text = reader.entry.agetstr(name)
    if text is None:
        raise _Refused(f"need {name} as a prefix for interface {reader.ifname}")
    address = _address(text)
    if in6addr.IN6_IS_ADDR_MULTICAST(address):
        raise _Refused(f"multicast prefix ({text}) must not be advertised on {reader.ifname}")
    if in6addr.IN6_IS_ADDR_LINKLOCAL(address):
        reader.notices.append(f"link-local prefix ({text}) will be advertised on {reader.ifname}")
    plen = _prefixlen(reader, f"prefixlen{suffix}", text)
    flags = reader.num(f"pinfoflags{suffix}", ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO)
    router = reader.mobility and bool(flags & ND_OPT_PI_FLAG_RTADDR)
    return RaPrefix(
        prefix=address if router else in6addr.masked(address, plen),
        prefixlen=plen,
        onlink=bool(flags & ND_OPT_PI_FLAG_ONLINK),
        autoconf=bool(flags & ND_OPT_PI_FLAG_AUTO),
        router=router,
        vltime_s=_lifetime(reader, f"vltime{suffix}", DEF_ADVVALIDLIFETIME, text),
        vltimedecr=reader.entry.agetflag(f"vltimedecr{suffix}"),
        pltime_s=_lifetime(reader, f"pltime{suffix}", DEF_ADVPREFERREDLIFETIME, text),
        pltimedecr=reader.entry.agetflag(f"pltimedecr{suffix}"),
    )


def _address(text: str) -> bytes:
    address = in6addr.pton(text)
    if address is None:
        raise _Refused(f"inet_pton failed for {text}")
    return address


def _prefixlen(reader: _Reader, name: str, text: str) -> int:
    value = reader.num(name, DEF_PREFIXLEN)
    if value > _ADDR_BITS:
        raise _Refused(f"{name} ({value}) for {text} on {reader.ifname} is out of range")
    return value


def _lifetime(reader: _Reader, name: str, default_s: int, text: str) -> int:
    value = reader.num(name, default_s)
    if value > _UINT32_MAX:
        raise _Refused(f"{name} ({value}) for {text} on {reader.ifname} is out of range")
    return value


def _routes(reader: _Reader, rltime_s: int) -> tuple[RaRoute, ...]:
    count = reader.num("routes", 0)
    return tuple(_route(reader, _index_suffix(count, i), rltime_s) for i in range(count))


def _route(reader: _Reader, suffix: str, rltime_s: int) -> RaRoute:
    name = _current_name(reader, "rtprefix", suffix)
    text = reader.entry.agetstr(name)
    if text is None:
        raise _Refused(f"need rtprefix{suffix} as a route for interface {reader.ifname}")
    address = _address(text)
    plen = _prefixlen(reader, _current_name(reader, "rtplen", suffix), text)
    flags_name = _current_name(reader, "rtflags", suffix)
    flags = reader.num(flags_name, 0)
    rtpref = _rtpref(flags, f"{flags_name} ({flags}) for {text} on {reader.ifname}")
    ltime_name = _current_name(reader, "rtltime", suffix)
    if reader.entry.agetnum(ltime_name) is None:
        reader.warnings.append(f"{ltime_name} should be specified for interface {reader.ifname}.")
    ltime_s = _lifetime(reader, ltime_name, rltime_s, text)
    return RaRoute(in6addr.masked(address, plen), plen, rtpref, ltime_s)


def _current_name(reader: _Reader, name: str, suffix: str) -> str:
    """The name under which a route's value is found; the old `rtr...` names still count."""
    new, old = name + suffix, name.replace("rt", "rtr", 1) + suffix
    names = {item.name for item in reader.entry.fields}
    if new in names or old not in names:
        return new
    reader.warnings.append(f"{old} was obsoleted. Use {new}.")
    return old


def _warn_unknown(reader: _Reader) -> None:
    for item in reader.entry.fields:
        match = _INDEXED_NAME.match(item.name)
        if item.name in CAPABILITIES or (match and match.group(1) in INDEXED_CAPABILITIES):
            continue
        close = difflib.get_close_matches(item.name, (*CAPABILITIES, *INDEXED_CAPABILITIES), n=1)
        hint = f"; did you mean {close[0]}" if close else ""
        reader.warnings.append(f"unknown capability {item.name} for {reader.ifname}{hint}")
