# SPDX-License-Identifier: BSD-3-Clause
"""The JSON of a report: indented for people, a row of a table on one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kame_py.replay.report import json_text

if TYPE_CHECKING:
    from kame_py.lab.report import Json

REPORT: dict[str, Json] = {
    "packets": 2,
    "error": None,
    "fates": {"delivered": 1, "dropped": 1},
    "drops": {},
    "binding_cache": [{"phaddr": "2001:db8::1", "seqno": 1}, {"phaddr": "2001:db8::2", "seqno": 2}],
    "neighbors": [],
    "addresses": ['fe80::1%fxp0/64 "odd"'],
    "files": [{"file": "a", "punts": {"redirect": 1}}],
}

TEXT = """\
{
  "packets": 2,
  "error": null,
  "fates": {
    "delivered": 1,
    "dropped": 1
  },
  "drops": {},
  "binding_cache": [
    {"phaddr": "2001:db8::1", "seqno": 1},
    {"phaddr": "2001:db8::2", "seqno": 2}
  ],
  "neighbors": [],
  "addresses": [
    "fe80::1%fxp0/64 \\"odd\\""
  ],
  "files": [
    {
      "file": "a",
      "punts": {
        "redirect": 1
      }
    }
  ]
}"""


def test_a_row_of_a_table_is_one_line() -> None:
    assert json_text(REPORT) == TEXT
    assert json.loads(TEXT) == REPORT
