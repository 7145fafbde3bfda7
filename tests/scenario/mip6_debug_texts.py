# SPDX-License-Identifier: BSD-3-Clause
"""What KAME's mobility said in the kernel log, text by text, and what makes ours say it.

In a text a capital letter stands for what varies: A, H, P addresses, N, M numbers, LL(G), H(C) two
addresses. ``by`` names a test in which the text is logged with its priority, ``why`` tells what
keeps it from being said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Text:
    """One text. level: of syslog, without LOG_."""

    level: str
    text: str
    by: str = ""
    why: str = ""


TEXTS: Final = (
    Text(
        "INFO",
        "prefix P from R",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "receive a new prefix P",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "found a new router LL(G)",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "location = N",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "CoA has changed to A",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "no available CoA found",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "MN function enabled",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "MN function disabled",
        by="tests/scenario/test_mip6_mn_move.py::test_switching_off_takes_leave_of_every_peer_and_forgets_all[draft-13]",
    ),
    Text(
        "INFO",
        "HA function enabled",
        by="tests/scenario/test_mip6_mn_world.py::test_a_day_of_a_mobile_node[draft-13]",
    ),
    Text(
        "INFO",
        "IPsec protection enabled",
        by="tests/scenario/test_mip6_auth_cn.py::test_ah_stands_for_authentication_data_where_it_is_asked_for[True-16-False]",
    ),
    Text(
        "INFO",
        "IPsec protection disabled",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "Authdata protection enabled",
        by="tests/scenario/test_mip6_mn_discovery.py::test_advertisement_is_refused_where_protection_is_asked_for",
    ),
    Text(
        "INFO",
        "Authdata protection disabled",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "debug message enabled",
        by="tests/scenario/test_mip6_debug_texts.py::test_debugging_is_told_when_it_was_on_already_and_ends_at_once",
    ),
    Text(
        "INFO",
        "debug message disabled",
        by="tests/scenario/test_mip6_debug_texts.py::test_debugging_is_told_when_it_was_on_already_and_ends_at_once",
    ),
    Text(
        "INFO",
        "home address is A",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "no home agent.  start ha discovery.",
        by="tests/scenario/test_mip6_mn_cn.py::test_tunnel_is_not_taken_before_anything_was_asked_for",
    ),
    Text(
        "INFO",
        "the peer addr is unspecified.",
        by="tests/scenario/test_mip6_mn_move.py::test_several_home_interfaces_each_know_where_they_are",
    ),
    Text(
        "INFO",
        "BU timer started.",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_is_answered_with_its_identifier[draft-13]",
    ),
    Text(
        "INFO",
        "BU timer stopped.",
        by="tests/scenario/test_mip6_mn_discovery.py::test_home_address_ends_with_its_prefix",
    ),
    Text(
        "INFO",
        "BC timer started.",
        by="tests/scenario/test_mip6_mn_world.py::test_a_day_of_a_mobile_node[draft-13]",
    ),
    Text(
        "INFO",
        "BC timer stopped.",
        by="tests/scenario/test_mip6_mn_world.py::test_a_day_of_a_mobile_node[draft-13]",
    ),
    Text(
        "INFO",
        "subnet timer started.",
        why="prefixes and routers have a deadline each; no sweep starts or stops",
    ),
    Text(
        "INFO",
        "subnet timer stopped.",
        why="prefixes and routers have a deadline each; no sweep starts or stops",
    ),
    Text(
        "INFO",
        "send a unsolicited na to IF",
        by="tests/scenario/test_mip6_mn_move.py::test_address_that_the_home_agent_defends_along_is_silent_and_then_advertised[draft-13]",
    ),
    Text(
        "INFO",
        "a mobile node (A) moved.",
        by="tests/scenario/test_mip6_debug_texts.py::test_binding_whose_care_of_address_is_unreachable_is_told",
    ),
    Text(
        "INFO",
        "a node (A) doesn't support a binding update destopt.",
        by="tests/scenario/test_mip6_mn_cn.py::test_peer_without_binding_updates_gets_none_any_more[draft-13]",
    ),
    Text(
        "INFO",
        "haddr dest opt not found.",
        why="a packet whose source is to change always carries the option",
    ),
    Text(
        "INFO",
        "IP6_BUF_ROUTER is not supported from host H(C)",
        why="R is supported: the proxy advertisement tells it",
    ),
    Text(
        "NOTICE",
        "RA from a non-linklocal router (A).",
        why="such an advertisement ends as ND6_BADRA before mobility sees it",
    ),
    Text(
        "NOTICE",
        "an invalid binding update received.  ignore this.",
        by="tests/scenario/test_mip6_cn.py::test_unprotected_updates_are_not_accepted_and_the_log_tells[False]",
    ),
    Text(
        "NOTICE",
        "an invalid binding ack received.  ignore this.",
        by="tests/scenario/test_mip6_mn_registration.py::test_answer_about_the_care_of_address_before_does_not_count[draft-13]",
    ),
    Text(
        "NOTICE",
        "an invalid binding request received.  ignore this.",
        by="tests/unit/mip6/test_ba_input.py::test_malformed_request_is_ignored",
    ),
    Text(
        "NOTICE",
        "an unprotected binding update from A.",
        by="tests/scenario/test_draft13_vectors.py::test_bare_update_is_not_believed",
    ),
    Text(
        "NOTICE",
        "an unprotected binding ack from A.",
        by="tests/scenario/test_draft13_vectors.py::test_bare_acknowledgement_is_not_believed",
    ),
    Text(
        "NOTICE",
        "no Home Address option found in the binding update from host A.",
        by="tests/scenario/test_mip6_debug_texts.py::test_update_without_home_address_option_is_told",
    ),
    Text(
        "NOTICE",
        "no home address destination option found …",
        why="KAME looked twice; the first look says it: no Home Address option found",
    ),
    Text(
        "NOTICE",
        "too short binding update (len = N) from host A.",
        by="tests/scenario/test_mip6_debug_texts.py::test_short_update_is_told",
    ),
    Text(
        "NOTICE",
        "too short binding ack (N) from host A.",
        by="tests/unit/mip6/test_ba_input.py::test_short_acknowledgement_is_ignored_and_counted",
    ),
    Text(
        "NOTICE",
        "received sequence no (N) <= current seq no (M) in BU from host A.",
        by="tests/scenario/test_mip6_auth_cn.py::test_replayed_update_is_answered_with_the_last_number_signed_and_dropped",
    ),
    Text(
        "NOTICE",
        "unmached sequence no (N recv, M sent) from host A.",
        by="tests/scenario/test_mip6_mn_registration.py::test_answer_about_the_care_of_address_before_does_not_count[draft-13]",
    ),
    Text(
        "NOTICE",
        "no matching binding update entry found.",
        by="tests/scenario/test_mip6_mn_registration.py::test_answer_from_a_stranger_is_ignored[draft-13]",
    ),
    Text(
        "NOTICE",
        "no matching BU entry found from host A.",
        by="tests/scenario/test_mip6_mn_cn.py::test_binding_request_of_a_stranger_is_not_answered[draft-13]",
    ),
    Text(
        "NOTICE",
        "BU rejected (error code N).",
        by="tests/scenario/test_mip6_mn_cn.py::test_refusal_of_a_correspondent_ends_its_entry_for_a_while[draft-13]",
    ),
    Text(
        "NOTICE",
        "RTM_ADD: we are already proxy for A",
        by="tests/scenario/test_mip6_mn_world.py::test_home_agent_that_restarted_gets_a_new_registration[draft-13]",
    ),
    Text(
        "NOTICE",
        "expired prefix (A).",
        by="tests/scenario/test_mip6_mn_discovery.py::test_home_address_ends_with_its_prefix",
    ),
    Text("NOTICE", "unexpected condition.", why="state machines are complete tables"),
    Text(
        "NOTICE",
        "a node (A) doesn't support a home address destopt.",
        by="tests/scenario/test_mip6_mn_cn.py::test_fallback_peer_gets_the_care_of_address",
    ),
    Text(
        "WARNING",
        "lifetime are zero.",
        by="tests/unit/mip6/test_ba_input.py::test_lifetime_zero_is_told_and_registered_again",
    ),
    Text(
        "ERR",
        "an unprotected binding update from host A",
        by="tests/scenario/test_mip6_cn.py::test_unprotected_updates_are_not_accepted_and_the_log_tells[False]",
    ),
    Text(
        "ERR",
        "an unprotected binding ack from host A",
        by="tests/scenario/test_mip6_mn_registration.py::test_unprotected_answer_is_refused_while_authentication_is_asked_for",
    ),
    Text(
        "ERR",
        "invalid authenticataion data from host A",
        by="tests/scenario/test_mip6_cn.py::test_unprotected_updates_are_not_accepted_and_the_log_tells[True]",
    ),
    Text(
        "ERR",
        "authenticate binding ack failed from host A",
        by="tests/scenario/test_mip6_auth_mn.py::test_answer_by_an_unknown_key_has_no_association",
    ),
    Text(
        "ERR",
        "sub-option too small",
        by="tests/scenario/test_mip6_debug_texts.py::test_short_sub_option_is_told",
    ),
    Text(
        "ERR",
        "authdata create failed.",
        by="tests/scenario/test_mip6_mn_registration.py::test_updates_are_not_sent_without_security_association_and_the_log_says_so",
    ),
    Text("ERR", "authdata calculation failed.", why="a code over octets cannot fail"),
    Text(
        "ERR",
        "unsupported algorithm.",
        why="an association of an algorithm that is not there never becomes mature",
    ),
    Text(
        "ERR",
        "ba destopt creation error (N)",
        by="tests/scenario/test_mip6_auth_cn.py::test_update_counts_and_no_acknowledgement_leaves_without_a_key_for_it",
    ),
    Text(
        "ERR",
        "sending BA to H(C) failed. send it later.",
        why="nothing is sent later, so its second sentence is: errno = N",
    ),
    Text(
        "ERR",
        "sending a binding update from H(C) to P failed.",
        by="tests/scenario/test_mip6_mn_move.py::test_care_of_address_that_another_node_has_is_given_up[draft-13]",
    ),
    Text(
        "ERR",
        "ip6_output returns error (N) when sending NULL packet to send BU.",
        by="tests/scenario/test_mip6_mn_move.py::test_care_of_address_that_another_node_has_is_given_up[draft-13]",
    ),
    Text(
        "ERR", "no home subnet", why="a registration begins with a home address, which has a subnet"
    ),
    Text(
        "ERR",
        "we don't have any home prefix.",
        why="discovery begins with a home address, which has a prefix",
    ),
    Text("ERR", "can't remove BC.", why="an entry that is found can be removed"),
    Text(
        "ERR",
        "can't delete a proxy ND entry for A.",
        why="the entry knows its route; one put there by others is left alone",
    ),
    Text(
        "ERR",
        "RTM_ADD for A returned error = N",
        why="a route in the way is looked for first; what is left cannot fail on a link that is up",
    ),
    Text("ERR", "RTM_DELETE for A returned error = N", why="the route is there when it is deleted"),
    Text(
        "ERR",
        "entry exist A: rt_flags=0xN",
        by="tests/scenario/test_mip6_ha.py::test_neighbour_that_was_set_by_hand_is_left_alone[draft-15]",
    ),
    Text(
        "ERR",
        "encap entry create failed.",
        why="one entry of the encapsulation table serves all bindings, from boot on",
    ),
    Text(
        "ERR",
        "the encap source address is unspecified",
        why="an update to no address of ours ends as MIP6_BUDST",
    ),
    Text(
        "ERR",
        "the encap dest address is unspecified",
        why="a care-of address that must not be one ends as MIP6_BUCOA",
    ),
    Text("ERR", "tunnel removal failed.", why="there is no tunnel of its own for a binding"),
    Text("ERR", "tunnel move failed.", why="there is no tunnel of its own for a binding"),
    Text("ERR", "too short HHAAD request", why="had reads the requests, not the kernel"),
    Text(
        "ERR",
        "failed to process a DHAAD reply.",
        by="tests/scenario/test_mip6_mn_discovery.py::test_cut_reply_is_told_to_the_log[draft-13]",
    ),
    Text(
        "ERR",
        "failed to send a DHAAD request (errno = N)",
        by="tests/scenario/test_mip6_mn_move.py::test_foreign_prefix_is_forgotten_at_its_end[draft-13]",
    ),
    Text("ERR", "global HA list update failed", why="only memory could be short"),
    Text("ERR", "prefix info processing failed", why="only memory could be short"),
    Text(
        "ERR",
        "no hif_subnet.  you must specify at least one prefix before setting a "
        "home agent manually.",
        by="tests/scenario/test_mip6_mn_registration.py::test_home_agent_without_configured_prefix_is_refused",
    ),
)
