# SPDX-License-Identifier: BSD-3-Clause
"""Kernel options in their three written forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.conf import KernConf
from kame_py.lab.kernconf import (
    KernConfNote,
    KernConfResult,
    parse_kernel_list,
    parse_kernel_text,
    parse_options_argument,
)

HOWTO = """
options MIP6
options MIP6_DEBUG
options MIP6_ALLOW_COA_FALLBACK
# options MIP6_DRAFT13
pseudo-device hif 1
    """

GENERIC = """\
machine\t\ti386
cpu\t\tI686_CPU
ident\t\tKAME
maxusers\t32
#makeoptions\tDEBUG=-g
options \t\tINET\t\t\t#InterNETworking
options \tINET6
options \tIPSEC
options \tIPSEC_ESP\t#crypto; define with IPSEC
options \tSCSI_DELAY=15000
options \t"MD_ROOT"
device\t\tata0\tat isa? port IO_WD1 irq 14
device\t\tfxp
pseudo-device\tloop
pseudo-device\tether
pseudo-device\tgif\t4
pseudo-device\tbpf\t#Berkeley packet filter
"""


def good(result: KernConfResult) -> KernConf:
    assert result.errors == ()
    return result.conf


def test_has_names_an_option() -> None:
    conf = KernConf(frozenset({"MIP6"}))
    assert conf.has("MIP6") and not conf.has("MIP6_DEBUG")


def test_howto_lines_as_typed() -> None:
    options = frozenset({"MIP6", "MIP6_DEBUG", "MIP6_ALLOW_COA_FALLBACK"})
    assert good(parse_kernel_text(HOWTO)) == KernConf(options, hif=1)


def test_real_config_file_is_accepted_with_notes() -> None:
    result = parse_kernel_text(GENERIC)
    assert good(result) == KernConf(frozenset({"INET6", "IPSEC", "IPSEC_ESP"}), hif=0, gif=4)
    assert KernConfNote(1, "machine i386: ignored") in result.notes
    assert KernConfNote(6, "options INET: ignored") in result.notes
    assert KernConfNote(17, "pseudo-device bpf: ignored") in result.notes
    assert [note.line for note in result.notes] == [1, 2, 3, 4, 6, 10, 11, 12, 13, 14, 15, 17]


def test_comment_may_follow_an_option_at_once() -> None:
    assert good(parse_kernel_text("options \t MIP6#comment")).has("MIP6")


@pytest.mark.parametrize("text", ["options MIP6", "options MIP6\npseudo-device hif"])
def test_mip6_brings_one_hif(text: str) -> None:
    assert good(parse_kernel_text(text)).hif == 1


def test_explicit_hif_count_wins() -> None:
    assert good(parse_kernel_text("pseudo-device hif 3\noptions MIP6")).hif == 3


def test_esp_brings_ipsec() -> None:
    assert good(parse_kernel_list(["IPSEC_ESP"])).options == {"IPSEC", "IPSEC_ESP"}


def test_options_line_may_name_several() -> None:
    assert good(parse_kernel_text("options MIP6, MIP6_DEBUG")).options == {"MIP6", "MIP6_DEBUG"}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("options MIP", "unknown kernel option MIP; did you mean MIP6"),
        ("options mip6_debug", "unknown kernel option mip6_debug; did you mean MIP6_DEBUG"),
        ("options XYZZY", "unknown kernel option XYZZY"),
        ("options", "options: what is missing"),
        ("pseudo-device hiff 1", "unknown pseudo-device hiff; did you mean hif"),
        ("pseudo-device hif two", "hif: two: not a count of 0 to 64"),
        ("pseudo-device hif 65", "hif: 65: not a count of 0 to 64"),
        ("pseudo-device hif 1 2", "hif: 2: one count only"),
        ("optoins MIP6", "unknown statement optoins; did you mean options"),
        ('options "MIP6', "missing closing quote"),
    ],
)
def test_errors_name_the_line_and_the_near_miss(line: str, text: str) -> None:
    assert parse_kernel_text(f"\n{line}\n").errors == (KernConfNote(2, text),)


def test_all_errors_are_found_and_the_rest_is_read() -> None:
    result = parse_kernel_text("options A1B2\noptions MIP6\nfoo\n")
    assert [error.line for error in result.errors] == [1, 3]
    assert result.conf.has("MIP6")


def test_list_items_may_be_short_or_whole_statements() -> None:
    conf = good(parse_kernel_list(["MIP6", "hif 2", "pseudo-device gif 4", "options MIP6_DEBUG"]))
    assert conf == KernConf(frozenset({"MIP6", "MIP6_DEBUG"}), hif=2, gif=4)


def test_list_errors_count_items() -> None:
    result = parse_kernel_list(["MIP6", "MIP7_DEBUG", ""])
    assert result.errors == (
        KernConfNote(2, "unknown kernel option MIP7_DEBUG; did you mean MIP6_DEBUG"),
        KernConfNote(3, "empty kernel option"),
    )


@pytest.mark.parametrize(
    "argument",
    [
        "MIP6,MIP6_DEBUG,hif 2",
        'MIP6,MIP6_DEBUG,"hif 2"',
        "MIP6 MIP6_DEBUG hif 2",
        "hif,2,MIP6,,MIP6_DEBUG",
        "pseudo-device hif 2, options MIP6 MIP6_DEBUG",
    ],
)
def test_command_line_form(argument: str) -> None:
    expected = KernConf(frozenset({"MIP6", "MIP6_DEBUG"}), hif=2)
    assert good(parse_options_argument(argument)) == expected


def test_empty_forms_are_an_empty_configuration() -> None:
    for result in (parse_kernel_text(""), parse_kernel_list([]), parse_options_argument(" , ")):
        assert good(result) == KernConf()


def test_command_line_error() -> None:
    (error,) = parse_options_argument("MIP6,MPI6_DEBUG").errors
    assert error.text == "unknown kernel option MPI6_DEBUG; did you mean MIP6_DEBUG"


WORDS = st.sampled_from(["options", "MIP6", "pseudo-device", "hif", "2", "#", '"', ",", "\n", "x"])


@given(st.lists(WORDS).map(" ".join) | st.text())
def test_never_raises(text: str) -> None:
    parse_kernel_text(text)
    parse_options_argument(text)
    parse_kernel_list(text.split(" "))
