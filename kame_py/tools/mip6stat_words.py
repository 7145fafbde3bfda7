# SPDX-License-Identifier: BSD-3-Clause
"""The words of mip6stat and of netstat -p mip6: one row for each counter of mobility.

KAME: mip6stat.c of August 2002, whose members keep their names. Deviates: what that draft had and
ours has not (mobility headers, return routability) is not here; routing headers are of type 0;
discovery, prefixes, tunnels and the causes of failed authentication are counted as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kame_py.tools.netstat_words import Word

MIP6_IN: Final = (
    Word("mip6s_bu", "Binding Update{s}"),
    Word("mip6s_ba", "Binding Acknowledgement{s}"),
    Word("mip6s_br", "Binding Request{s}"),
    Word("mip6s_hao", "Home Address option{s}"),
    Word("mip6s_rthdr", "Routing Header{s} type 0 to a home address"),
    Word("mip6s_tunnel", "packet{s} tunneled by a home agent"),
    Word("mip6s_revtunnel", "reverse tunneled packet{s}"),
    Word("mip6s_dhreq", "home agent discovery request{s}"),
    Word("mip6s_dhreply", "home agent discovery repl{y}"),
    Word("mip6s_mps", "mobile prefix solicitation{s}"),
    Word("mip6s_mpa", "mobile prefix advertisement{s}"),
)
MIP6_REFUSED: Final = (
    Word("mip6s_unprotected", "unprotected message{s}"),
    Word("mip6s_authfail", "message{s} with wrong authentication data"),
    Word("mip6s_authlen", "message{s} with authentication data of wrong length"),
    Word("mip6s_authnosa", "message{s} with no SA available"),
    Word("mip6s_authwrongsa", "message{s} signed by the SA of another address"),
    Word("mip6s_seqno", "sequence number mismatch{es}"),
    Word("mip6s_nohao", "Binding Update{s} without Home Address option"),
    Word("mip6s_invalidcoa", "invalid care-of address{es}"),
    Word("mip6s_invaliddst", "Binding Update{s} to an address that cannot take it"),
    Word("mip6s_invalidopts", "invalid Binding Update{s}"),
    Word("mip6s_invalidhao", "invalid Home Address option{s}"),
    Word("mip6s_nobue", "message{s} without binding update list entry"),
    Word("mip6s_ignored", "message{s} too short"),
    Word("mip6s_invalidmpa", "mobile prefix advertisement{s} not used"),
    Word("mip6s_ratunnel", "invalid tunneled router solicitation{s} or advertisement{s}"),
    Word("mip6s_linklocal", "link-local packet{s} not tunneled"),
    Word("mip6s_sitelocal", "site-local packet{s} not tunneled"),
    Word("mip6s_routeopt", "packet{s} refused by route optimization"),
    Word("mip6s_exthdr", "packet{s} without room or way for mobility headers"),
)
MIP6_OUT: Final = (
    Word("mip6s_obu", "Binding Update{s}"),
    Word("mip6s_oba", "Binding Acknowledgement{s}"),
    Word("mip6s_obr", "Binding Request{s}"),
    Word("mip6s_ohao", "Home Address option{s}"),
    Word("mip6s_orthdr", "Routing Header{s} type 0 to a care-of address"),
    Word("mip6s_otunnel", "packet{s} tunneled to a mobile node"),
    Word("mip6s_orevtunnel", "reverse tunneled packet{s}"),
    Word("mip6s_odhreq", "home agent discovery request{s}"),
    Word("mip6s_odhreply", "home agent discovery repl{y}"),
    Word("mip6s_omps", "mobile prefix solicitation{s}"),
    Word("mip6s_ompa", "mobile prefix advertisement{s}"),
)
#: Status of a binding acknowledgement (draft-15 s.5.2; 136 draft-13).
BA_STATUS: Final[Mapping[int, str]] = {
    0: "binding update accepted",
    128: "unspecified",
    130: "prohibited",
    131: "insufficient resources",
    132: "home registration not supported",
    133: "not home subnet",
    136: "incorrect interface identifier length",
    137: "not home agent",
    138: "duplicate address detection failed",
    141: "sequence number too small",
}
