# SPDX-License-Identifier: BSD-3-Clause
"""AH and ESP. KAME netinet6/ah.h, netinet6/esp.h. RFC 2402, RFC 2406."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Decl, dec8, dec32, hex16, hex32

DECLS: Final = (
    Decl(
        "Ah",
        "RFC 2402 s.2, fixed part before the ICV; ah_len = octets/4 - 2",
        Struct(
            "ah_nxt" / dec8(),
            "ah_len" / dec8(4),
            "ah_reserve" / hex16(),
            "ah_spi" / hex32(),
            "ah_seq" / dec32(),
        ),
    ),
    Decl("Esp", "RFC 2406 s.2", Struct("esp_spi" / hex32(), "esp_seq" / dec32())),
    Decl(
        "Esptail",
        "RFC 2406 s.2.4-2.6, in front of the ICV",
        Struct("esp_padlen" / dec8(), "esp_nxt" / dec8()),
    ),
)
