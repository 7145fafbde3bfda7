# SPDX-License-Identifier: BSD-3-Clause
"""ping6: echo requests, their answers, how long they took.

KAME: ping6.c. Deviates: the first packet goes out at once; a policy that the kernel refuses ends
the program; --json. What is printed about a packet is in ping6_print.py and, about answers to node
information queries, in ping6_nodeinfo.py. RFC 2463 s.4, RFC 2292.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.toolbase import Json, Tool, ToolError, UsageError, run, sockaddr_text, to_json
from kame_py.tools.ping6_args import datalen, integer, interval, pattern, policy
from kame_py.tools.ping6_nodeinfo import (
    NONCE_SEQ,
    NONCE_SIZE,
    NiQuery,
    ni_json,
    ni_query,
    ni_seq,
    ni_text,
    nigroup,
)
from kame_py.tools.ping6_print import error_text, exthdrs_text, new_mtu
from kame_py.wire.codecs import Icmp6Echo
from kame_py.wire.const import ICMP6_ECHO_REPLY, ICMP6_ECHO_REQUEST, ICMP6_NI_REPLY, IPPROTO_ICMPV6
from kame_py.wire.echodata import ECHO_HDRLEN, ECHO_TIMELEN, echo_data, echo_time
from kame_py.wire.errno import EAGAIN, KError
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, IN6_IS_SCOPE_LINKLOCAL
from kame_py.wire.ip6ext import build_rthdr0
from kame_py.wire.sockaddr import (
    AF_INET6,
    ICMP6_FILTER,
    ICMP6_FILTER_SETBLOCKALL,
    ICMP6_FILTER_SETPASSALL,
    IPPROTO_IPV6,
    IPV6_DSTOPTS,
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS,
    IPV6_IPSEC_POLICY,
    IPV6_MULTICAST_IF,
    IPV6_PKTINFO,
    IPV6_RECVPATHMTU,
    IPV6_RECVRTHDRDSTOPTS,
    IPV6_RTHDR,
    IPV6_USE_MIN_MTU,
    MSG_DONTWAIT,
    SO_RCVBUF,
    SO_SNDBUF,
    SOCK_DGRAM,
    SOCK_RAW,
    SOL_SOCKET,
    Cmsg,
    Received,
    SockaddrIn6,
)

NAME: Final = "ping6"
NS: Final = 1_000_000_000
IP6_HDRLEN: Final = 40
MAX_HOPS: Final = 23  # addresses of a type 0 routing header, RFC 1883 s.4.4
FLOOD_WAIT_NS: Final = NS // 100
FLOOD_GAP_NS: Final = NS // 1000  # between two requests, or a link without delay stops the time
MAXWAIT_NS: Final = 10 * NS
PROBE_PORT: Final = 7  # any port will do to learn the source address
SIGINT_STATUS: Final = 130
SEQ_MASK: Final = 0xFFFF


@dataclass(slots=True)
class _Conf:
    """The command line."""

    host: str
    group: bool
    hops: tuple[str, ...]
    query: NiQuery | None
    count: int
    datalen: int
    interval_ns: int
    hoplimit: int | None
    ifname: str
    source: str
    pattern: bytes
    preload: int
    sockbuf: int
    policies: tuple[bytes, ...]
    flood: bool
    names: bool
    quiet: bool
    verbose: bool
    full_mtu: bool
    json: bool


@dataclass(slots=True)
class _Run:
    """One run: its socket, its numbers."""

    ops: ProgOps
    conf: _Conf
    fd: int
    ident: int
    dst: SockaddrIn6
    src: SockaddrIn6
    control: tuple[Cmsg, ...]
    salt: bytes
    transmitted: int = 0
    received: int = 0
    repeats: int = 0
    tmin_us: int = 0
    tmax_us: int = 0
    tsum_us: int = 0
    last_ns: int = 0
    answered: set[int] = field(default_factory=set)
    log: list[Json] = field(default_factory=list)

    def say(self, text: str) -> None:
        if not self.conf.json:
            self.ops.out(text)


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0 when anything answered, else 1."""
    return await run(TOOL, _ping6, argv, ops)


async def _ping6(args: ParsedArgs, ops: ProgOps) -> int:
    conf = _configure(args)
    ops.catch_signals("INT")
    r = await _open(conf, ops)
    octets = conf.datalen if conf.query is None else conf.query.size - ECHO_HDRLEN
    r.say(
        f"PING6({IP6_HDRLEN + ECHO_HDRLEN + octets}={IP6_HDRLEN}+{ECHO_HDRLEN}+{octets} bytes) "
        f"{sockaddr_text(ops, r.src)} --> {sockaddr_text(ops, r.dst)}\n"
    )
    interrupted = await _loop(r)
    await ops.close(r.fd)
    _summary(r)
    if interrupted:
        return SIGINT_STATUS
    return 0 if r.received else 1


# -- command line ---------------------------------------------------------------------------------


def _configure(args: ParsedArgs) -> _Conf:
    if not args.args:
        raise UsageError
    if args.has("f") and args.has("i"):
        raise ToolError("-f and -i incompatible options")
    if len(args.args) - 1 > MAX_HOPS:
        raise ToolError("too many intermediate hops")
    hoplimit = args.last("h")
    query = ni_query(args)
    return _Conf(
        host=args.args[-1],
        group=args.has("N"),
        hops=args.args[:-1],
        query=query,
        count=integer(args, "c", "illegal number of packets", 0, 1),
        datalen=datalen(args) if query is None else 0,
        interval_ns=interval(args.last("i")),
        hoplimit=None if hoplimit is None else integer(args, "h", "illegal hoplimit", 0, -1, 255),
        ifname=args.last("I") or "",
        source=args.last("S") or "",
        pattern=pattern(args.last("p") or ""),
        preload=integer(args, "l", "illegal preload value", 0, 0),
        sockbuf=integer(args, "b", "invalid socket buffer size", 0, 1),
        policies=tuple(map(policy, args.every("P"))),
        flood=args.has("f"),
        names=args.has("H") and not args.has("n"),
        quiet=args.has("q"),
        verbose=args.has("v"),
        full_mtu=args.has("m"),
        json=args.long.json,
    )


# -- sockets --------------------------------------------------------------------------------------


async def _open(conf: _Conf, ops: ProgOps) -> _Run:
    dst = nigroup(conf.host) if conf.group else await _resolve(ops, conf.host)
    index = 0
    if conf.ifname:
        index = ops.if_nametoindex(conf.ifname)
        if not index:
            raise ToolError(conf.ifname, "invalid interface name")
        if IN6_IS_SCOPE_LINKLOCAL(dst.addr) and not dst.scope_id:
            dst = dst._replace(scope_id=index)
    hops = [await _resolve(ops, hop) for hop in conf.hops]
    fd = await ops.socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
    await _options(conf, ops, fd, index, dst)
    first, control = _control(conf, index, dst, hops)
    src = await _source(conf, ops, fd, first, index)
    salt = bytes(ops.random(256) for _ in range(NONCE_SIZE - NONCE_SEQ))
    return _Run(ops, conf, fd, ops.pid() & 0xFFFF, first, src, control, salt)


async def _resolve(ops: ProgOps, host: str) -> SockaddrIn6:
    sa = await ops.getaddrinfo(host)
    if sa is None:
        raise ToolError(host, "hostname nor servname provided, or not known")
    return sa


async def _options(conf: _Conf, ops: ProgOps, fd: int, index: int, dst: SockaddrIn6) -> None:
    wanted = ICMP6_ECHO_REPLY if conf.query is None else ICMP6_NI_REPLY
    only = ICMP6_FILTER_SETBLOCKALL.setpass(wanted)
    passes = ICMP6_FILTER_SETPASSALL if conf.verbose else only
    await ops.setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, passes.value)
    options = [IPV6_PKTINFO, IPV6_HOPLIMIT]
    if conf.verbose:
        options += [IPV6_HOPOPTS, IPV6_DSTOPTS, IPV6_RECVRTHDRDSTOPTS, IPV6_RTHDR]
    if conf.full_mtu:
        options.append(IPV6_RECVPATHMTU)
    else:
        options.append(IPV6_USE_MIN_MTU)
    for opt in options:
        await ops.setsockopt(fd, IPPROTO_IPV6, opt, 1)
    if index and IN6_IS_ADDR_MULTICAST(dst.addr):
        await ops.setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index)
    if conf.sockbuf:
        await ops.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, conf.sockbuf)
        await ops.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, conf.sockbuf)
    try:
        for octets in conf.policies:
            await ops.setsockopt(fd, IPPROTO_IPV6, IPV6_IPSEC_POLICY, octets)
    except KError as e:
        raise ToolError("unable to set IPsec policy", e) from e


def _control(
    conf: _Conf, index: int, dst: SockaddrIn6, hops: list[SockaddrIn6]
) -> tuple[SockaddrIn6, tuple[Cmsg, ...]]:
    """(where the packets go first, ancillary data of each)."""
    control: list[Cmsg] = []
    if index:
        control.append(Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (bytes(16), index)))
    if conf.hoplimit is not None:
        control.append(Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, conf.hoplimit))
    if hops:
        rthdr = build_rthdr0(0, [sa.addr for sa in hops], len(hops))
        control.append(Cmsg(IPPROTO_IPV6, IPV6_RTHDR, rthdr))
    return dst, tuple(control)


async def _source(conf: _Conf, ops: ProgOps, fd: int, dst: SockaddrIn6, index: int) -> SockaddrIn6:
    """-S, or the address that a datagram socket connected to ``dst`` gets."""
    if conf.source:
        src = await _resolve(ops, conf.source)
        try:
            await ops.bind(fd, src)
        except KError as e:
            raise ToolError("bind", e) from e
        return src
    probe = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
    try:
        if index and IN6_IS_ADDR_MULTICAST(dst.addr):
            await ops.setsockopt(probe, IPPROTO_IPV6, IPV6_MULTICAST_IF, index)
        await ops.connect(probe, dst._replace(port=PROBE_PORT))
        return (await ops.getsockname(probe))._replace(port=0)
    except KError as e:
        raise ToolError("UDP connect", e) from e
    finally:
        await ops.close(probe)


# -- the loop -------------------------------------------------------------------------------------


async def _loop(r: _Run) -> bool:
    """Send and receive until it is over. True: SIGINT ended it."""
    for _ in range(r.conf.preload):
        await _pinger(r)
    due = r.ops.monotonic()
    while not _enough(r):
        now = r.ops.monotonic()
        if now >= due:
            if not await _pinger(r):
                return False
            due = _next(r)
            continue
        polled = await r.ops.poll((r.fd,), due - now)
        if "INT" in polled.signals:
            return True
        if polled.readable:
            await _receive(r)
            if _all_sent(r):
                due = r.last_ns + _linger_ns(r)
            elif r.conf.flood:
                due = max(r.ops.monotonic(), r.last_ns + FLOOD_GAP_NS)
    return False


def _enough(r: _Run) -> bool:
    return bool(r.conf.count) and r.received >= r.conf.count


def _all_sent(r: _Run) -> bool:
    return bool(r.conf.count) and r.transmitted >= r.conf.count


def _next(r: _Run) -> int:
    """When the next thing is to be done: send, or give up."""
    if _all_sent(r):
        return r.last_ns + _linger_ns(r)
    return r.last_ns + (FLOOD_WAIT_NS if r.conf.flood else r.conf.interval_ns)


def _linger_ns(r: _Run) -> int:
    """How long to wait after the last packet: 10 s, or twice the longest time in whole seconds."""
    if not r.received:
        return MAXWAIT_NS
    return max(2 * r.tmax_us * 1000 // NS, 1) * NS


async def _pinger(r: _Run) -> bool:
    """Send one packet; False when all were sent."""
    if _all_sent(r):
        return False
    seq = r.transmitted & SEQ_MASK
    packet = _request(r, seq)
    r.answered.discard(seq)
    r.ops.report("sent", r.transmitted)
    r.transmitted += 1
    r.last_ns = r.ops.monotonic()
    try:
        await r.ops.sendmsg(r.fd, packet, r.dst, r.control)
    except KError as e:
        r.ops.err(f"{NAME}: sendmsg: {e}\n")
        r.say(f"{NAME}: wrote {r.conf.host} {len(packet)} chars, ret=-1\n")
    if r.conf.flood and not r.conf.quiet:
        r.say(".")
    return True


def _request(r: _Run, seq: int) -> bytes:
    if r.conf.query is not None:
        return r.conf.query.message(seq, r.salt, r.dst.addr)
    head = Icmp6Echo(icmp6_type=ICMP6_ECHO_REQUEST, icmp6_id=r.ident, icmp6_seq=seq)
    return head.pack() + echo_data(r.ops.realtime() // 1000, r.conf.datalen, r.conf.pattern)


async def _receive(r: _Run) -> None:
    try:
        got = await r.ops.recvmsg(r.fd, MSG_DONTWAIT)
    except KError as e:
        if e.errno != EAGAIN:
            r.ops.err(f"{NAME}: recvmsg: {e}\n")
        return
    mtu = new_mtu(got)
    if mtu is not None:
        if r.conf.verbose:
            r.say(f"new path MTU ({mtu}) is notified\n")
        return
    await _packet(r, got)


async def _packet(r: _Run, got: Received) -> None:
    data = got.data
    if len(data) < Icmp6Echo.SIZE:
        if r.conf.verbose:
            r.ops.err(
                f"{NAME}: packet too short ({len(data)} bytes) from {await _name(r, got.addr)}\n"
            )
        return
    echo = Icmp6Echo.unpack(data)
    answered = ni_seq(data, r.salt)
    if answered is not None:
        await _ni_reply(r, got, answered)
        return
    if echo.icmp6_type != ICMP6_ECHO_REPLY:
        if r.conf.verbose:
            r.say(f"{len(data)} bytes from {await _name(r, got.addr)}: {error_text(data)}")
        return
    if echo.icmp6_id == r.ident:
        await _reply(r, got, echo.icmp6_seq)


async def _reply(r: _Run, got: Received, seq: int) -> None:
    body = got.data[Icmp6Echo.SIZE :]
    sent_us = echo_time(body) if r.conf.datalen >= ECHO_TIMELEN else None
    trip_us = None if sent_us is None else r.ops.realtime() // 1000 - sent_us
    dup = _count(r, seq)
    if trip_us is not None:
        r.tmin_us = trip_us if r.received + r.repeats == 1 else min(r.tmin_us, trip_us)
        r.tmax_us = max(r.tmax_us, trip_us)
        r.tsum_us += trip_us
    if r.conf.json:
        r.log.append({**_answer_json(r, got, seq, dup), "time_us": trip_us})
    elif not r.conf.quiet:
        await _print_reply(r, got, seq, trip_us, dup)


def _count(r: _Run, seq: int) -> bool:
    """An answer came. True: it was not the first one."""
    dup = seq in r.answered
    if dup:
        r.repeats += 1
    else:
        r.answered.add(seq)
        r.received += 1
        last = r.transmitted - 1
        r.ops.report("received", last - (last - seq & SEQ_MASK))  # the latest with this number
    return dup


async def _ni_reply(r: _Run, got: Received, seq: int) -> None:
    """An answer to a node information query; it carries no time."""
    dup = _count(r, seq)
    if r.conf.json:
        r.log.append({**_answer_json(r, got, seq, dup), **ni_json(got.data)})
    elif r.conf.flood and not r.conf.quiet:
        r.say("\b")
    elif not r.conf.quiet:
        text = ni_text(got.data, r.conf.verbose)
        r.say(f"{len(got.data)} bytes from {await _name(r, got.addr)}: {text}\n")
        if r.conf.verbose:
            r.say(exthdrs_text(got.control))


async def _print_reply(r: _Run, got: Received, seq: int, trip_us: int | None, dup: bool) -> None:
    if r.conf.flood:
        r.say("\b")
        return
    text = f"{len(got.data)} bytes from {await _name(r, got.addr)}, icmp_seq={seq}"
    text += f" hlim={_hoplimit(got)}"
    if r.conf.verbose:
        text += f" dst={await _name(r, _received_at(got))}"
    if trip_us is not None:
        text += f" time={trip_us / 1000:g} ms"
    if dup:
        text += "(DUP!)"
    r.say(text + _wrong_data(r, got) + "\n")
    if r.conf.verbose:
        r.say(exthdrs_text(got.control))


def _wrong_data(r: _Run, got: Received) -> str:
    """What is said when the answer does not hold what was sent."""
    at = ECHO_TIMELEN if r.conf.datalen >= ECHO_TIMELEN else 0
    body = got.data[Icmp6Echo.SIZE :]
    sent = echo_data(0, r.conf.datalen, r.conf.pattern)
    for i, (was, is_) in enumerate(zip(sent[at:], body[at:], strict=False), at):
        if was != is_:
            return f"\nwrong data byte #{i} should be 0x{was:x} but was 0x{is_:x}"
    return ""


def _value(got: Received, kind: int) -> object:
    for cmsg in got.control:
        if (cmsg.level, cmsg.type) == (IPPROTO_IPV6, kind):
            return cmsg.value
    return None


def _hoplimit(got: Received) -> int:
    value = _value(got, IPV6_HOPLIMIT)
    return value if isinstance(value, int) else -1


def _received_at(got: Received) -> SockaddrIn6:
    value = _value(got, IPV6_PKTINFO)
    if not isinstance(value, tuple):
        return SockaddrIn6()
    addr, index = value
    return SockaddrIn6(addr, scope_id=index if IN6_IS_SCOPE_LINKLOCAL(addr) else 0)


async def _name(r: _Run, sa: SockaddrIn6) -> str:
    return await r.ops.getnameinfo(sa) if r.conf.names else sockaddr_text(r.ops, sa)


# -- the end --------------------------------------------------------------------------------------


def _summary(r: _Run) -> None:
    if r.conf.json:
        r.ops.out(to_json(_summary_json(r)))
        return
    text = f"\n--- {r.conf.host} ping6 statistics ---\n{r.transmitted} packets transmitted, "
    text += f"{r.received} packets received, "
    if r.repeats:
        text += f"+{r.repeats} duplicates, "
    if r.transmitted:
        if r.received > r.transmitted:
            text += "-- somebody's printing up packets!"
        else:
            text += f"{_loss(r)}% packet loss"
    text += "\n"
    if r.received and r.conf.datalen >= ECHO_TIMELEN:
        avg = r.tsum_us / (r.received + r.repeats)
        times = "/".join(f"{us / 1000:.3f}" for us in (r.tmin_us, avg, r.tmax_us))
        text += f"round-trip min/avg/max = {times} ms\n"
    r.ops.out(text)


def _loss(r: _Run) -> int:
    return (r.transmitted - r.received) * 100 // r.transmitted if r.transmitted else 0


def _answer_json(r: _Run, got: Received, seq: int, dup: bool) -> dict[str, Json]:
    return {
        "seq": seq,
        "from": sockaddr_text(r.ops, got.addr),
        "bytes": len(got.data),
        "hlim": _hoplimit(got),
        "dst": sockaddr_text(r.ops, _received_at(got)),
        "duplicate": dup,
    }


def _summary_json(r: _Run) -> dict[str, Json]:
    timed = bool(r.received) and r.conf.datalen >= ECHO_TIMELEN
    return {
        "host": r.conf.host,
        "src": sockaddr_text(r.ops, r.src),
        "dst": sockaddr_text(r.ops, r.dst),
        "datalen": r.conf.datalen,
        "replies": r.log,
        "transmitted": r.transmitted,
        "received": r.received,
        "duplicates": r.repeats,
        "loss_percent": _loss(r),
        "rtt_min_us": r.tmin_us if timed else None,
        "rtt_avg_us": r.tsum_us // (r.received + r.repeats) if timed else None,
        "rtt_max_us": r.tmax_us if timed else None,
    }


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=(
        "ping6 [-dfHmnNqRtvwW] [-a addrtype] [-b sockbufsiz] [-c count] [-h hoplimit]",
        "      [-I interface] [-i wait] [-l preload] [-p pattern] [-S sourceaddr]",
        "      [-s packetsize]",
        "      [hops...] host",
    ),
    summary="Send echo requests or node information queries and print the answers.",
    letters="a:b:c:dfHh:I:i:l:mnNp:P:qRS:s:tvwW",
    options=(
        OptionHelp(
            "a",
            "LETTERS",
            "ask for addresses: a all interfaces, c compatible, g, l, s scopes, A anycast",
        ),
        OptionHelp("b", "BYTES", "socket buffer size"),
        OptionHelp("c", "N", "stop after N answers"),
        OptionHelp("d", "", "accepted; sockets here have no debugging"),
        OptionHelp("f", "", "flood: as fast as answers come, 100 to 1000 a second"),
        OptionHelp("H", "", "names instead of addresses"),
        OptionHelp("h", "HLIM", "hop limit, -1 to 255"),
        OptionHelp("I", "IF", "outgoing interface"),
        OptionHelp("i", "SEC", "seconds between packets, fractions allowed"),
        OptionHelp("l", "N", "send N packets at once first"),
        OptionHelp("m", "", "packets as large as the path allows, not fragments of 1280"),
        OptionHelp("n", "", "numeric addresses, which is the default"),
        OptionHelp("N", "", "send to the node information group of this host name; wants -I"),
        OptionHelp("P", "POLICY", "IPsec policy of the socket, once for in and once for out"),
        OptionHelp("p", "HEX", "fill packets with this pattern of up to 16 bytes"),
        OptionHelp("q", "", "only the first line and the statistics"),
        OptionHelp("R", "", "accepted; the kernel takes no reachability hints"),
        OptionHelp("S", "ADDR", "source address"),
        OptionHelp("s", "BYTES", "data bytes, 8 by default"),
        OptionHelp("t", "", "ask which node information queries are answered"),
        OptionHelp("v", "", "extension headers and all other ICMPv6 messages"),
        OptionHelp("w", "", "ask for the node's name"),
        OptionHelp("W", "", "ask for the node's name as draft 03 did"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
