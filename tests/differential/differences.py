# SPDX-License-Identifier: BSD-3-Clause
"""Where our answer to an odd packet is not Linux's, and why. Shown in docs/odd-packets.md."""

from __future__ import annotations

from typing import Final, NamedTuple


class Difference(NamedTuple):
    """ours: the lines we answer. why: the argument, with its RFC section."""

    ours: tuple[str, ...]
    why: str


_TO_SENDER: Final = "2001:db8:1::b > 2001:db8:1::a"
_PING: Final = (f"{_TO_SENDER} echo-reply",)
_PADN: Final = (
    "RFC 8200 s.4.2 bounds neither the length nor the content of PadN, and a receiver ignores the "
    "content; Linux refuses non-zero octets and more than 7 of them as a hardening of its own."
)
_RTHDR: Final = (
    "Linux has code for routing header types 3 (RPL) and 4 (segment routing) and drops them "
    "silently while they are not enabled; to us the types are unknown, so RFC 8200 s.4.4 applies: "
    "skipped without segments left, else Parameter Problem code 0 at the type."
)


def _problem(code: int, pointer: int, quoted: int) -> tuple[str, ...]:
    return (f"{_TO_SENDER} param-problem code={code} param={pointer} quoted={quoted}",)


DIFFERENCES: Final[dict[str, Difference]] = {
    "hbh-padn-nonzero": Difference(_PING, _PADN),
    "hbh-padn-long": Difference(_PING, _PADN),
    "dst-padn-nonzero": Difference(_PING, _PADN),
    "dst-padn-long": Difference(_PING, _PADN),
    "hbh-router-alert-bad-length": Difference(
        _problem(0, 43, 64),
        "KAME reports a router alert of the wrong length at its length octet (RFC 4443 s.3.4 "
        "allows it); Linux discards it silently.",
    ),
    "jumbo-bad-option-length": Difference(
        _problem(0, 43, 72),
        "KAME reports a jumbo option of the wrong length at its length octet; Linux discards it "
        "silently.",
    ),
    "jumbo-with-payload-length": Difference(
        _problem(0, 42, 64),
        "RFC 2675 s.3: the pointer is the option type of the jumbo payload option; Linux points at "
        "its value.",
    ),
    "payload-length-0-no-jumbo": Difference(
        _problem(0, 4, 64),
        "RFC 2675 s.3: payload length 0 with a hop-by-hop header and no jumbo option is reported "
        "at the payload length; Linux takes the length of the frame instead.",
    ),
    "routing-type-3-no-segments": Difference(_PING, _RTHDR),
    "routing-type-3-one-segment": Difference(_problem(0, 42, 80), _RTHDR),
    "routing-type-4-no-segments": Difference(_PING, _RTHDR),
    "routing-type-4-one-segment": Difference(_problem(0, 42, 80), _RTHDR),
    "fragments-overlap-inside": Difference(
        (),
        "RFC 8200 s.4.5 discards a datagram with any overlap but an exact duplicate of a fragment; "
        "Linux also ignores a fragment that lies inside one it has.",
    ),
    "fragment-truncated-header": Difference(
        (),
        "A packet cut inside an extension header is a broken packet and is discarded like any "
        "other truncated header; Linux reports this one at its first octet.",
    ),
    "fragment-in-fragment": Difference(
        _PING,
        "RFC 8200 s.4.1 asks for headers in any order and number to be accepted; the inner "
        "fragment is whole (RFC 6946). Linux refuses a second fragment header.",
    ),
    "destination-unspecified": Difference(
        (),
        "RFC 4291 s.2.5.2: the unspecified address is never a destination, and KAME discards such "
        "a packet silently; Linux answers that it has no route.",
    ),
}
