# SPDX-License-Identifier: BSD-3-Clause
"""Duration text of ndp and of the rtsold dump: `1d1h1m1s`.

KAME: the sec2str() helpers of ndp.c and rtsold's dump.c.
Deviates: a negative span, which KAME never prints, gets a leading minus sign.
"""

SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86400


def format_duration(total_s: int) -> str:
    """Days, hours, minutes, seconds; leading zero units are dropped, later ones are kept."""
    if total_s < 0:
        return "-" + format_duration(-total_s)
    days, rest = divmod(total_s, SECONDS_PER_DAY)
    hours, rest = divmod(rest, SECONDS_PER_HOUR)
    minutes, seconds = divmod(rest, SECONDS_PER_MINUTE)
    text = f"{seconds}s"
    if total_s >= SECONDS_PER_MINUTE:
        text = f"{minutes}m{text}"
    if total_s >= SECONDS_PER_HOUR:
        text = f"{hours}h{text}"
    if total_s >= SECONDS_PER_DAY:
        text = f"{days}d{text}"
    return text
