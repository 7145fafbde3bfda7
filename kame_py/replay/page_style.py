# SPDX-License-Identifier: BSD-3-Clause
"""How the report page looks: light and dark, on a desk and on a telephone.

No KAME counterpart.
"""

from __future__ import annotations

from typing import Final

#: Colours by fate; each differs from its neighbours in lightness, too.
STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --card: #ffffff; --ink: #1c1f23; --dim: #626a73; --rule: #e1e3e0;
  --good: #1d7f4e; --bad: #b3261e; --plain: #5c6670; --accent: #2a5fb0;
  --delivered: #2f9e66; --forwarded: #3b78c9; --consumed: #7b62c4; --held: #d99a2b;
  --own: #9aa1a8; --dropped: #cf4436; --transmitted: #3aa3a0;
  --c0: #3b78c9; --c1: #d9822b; --c2: #2f9e66; --c3: #a855b5; --c4: #c2413a; --c5: #21919b;
  --c6: #8a6d3b; --c7: #6b6fc9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1d2125; --ink: #e7e9ea; --dim: #9aa3ab; --rule: #31373d;
    --good: #57c98b; --bad: #ff7b6e; --plain: #a5afb8; --accent: #83b0f5;
    --delivered: #45b97e; --forwarded: #5d98e6; --consumed: #9a83e0; --held: #e6b04f;
    --own: #7d858d; --dropped: #e8685a; --transmitted: #5bbdb9;
    --c0: #5d98e6; --c1: #ec9f52; --c2: #45b97e; --c3: #c07ccd; --c4: #e8685a; --c5: #3fb3be;
    --c6: #b8975c; --c7: #9396ea;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
main, header, footer { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
footer { color: var(--dim); font-size: 13px; padding-top: 8px; padding-bottom: 40px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 21px; margin: 34px 0 12px; overflow-wrap: anywhere; }
h3 { font-size: 16px; margin: 0 0 12px; }
code, .mono {
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
.command {
  display: block; color: var(--dim); font-size: 13px; overflow-wrap: anywhere;
  white-space: pre-wrap; margin-bottom: 18px;
}
.tiles { display: flex; flex-wrap: wrap; gap: 10px; margin: 0 0 16px; padding: 0; }
.tiles div {
  background: var(--card); border: 1px solid var(--rule); border-radius: 8px;
  padding: 8px 14px; min-width: 104px; flex: 0 1 auto;
}
.tiles dt { color: var(--dim); font-size: 12px; }
.tiles dd {
  margin: 0; font-size: 18px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
section.card {
  background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 16px 18px; margin: 0 0 16px; min-width: 0;
}
.pair { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 16px; }
.wide { overflow-x: auto; max-width: 100%; -webkit-overflow-scrolling: touch; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td {
  text-align: left; padding: 5px 12px 5px 0; border-top: 1px solid var(--rule);
  vertical-align: top;
}
thead th { border-top: 0; color: var(--dim); font-weight: 500; font-size: 12px; }
td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.nowrap { white-space: nowrap; }
td.wrap { overflow-wrap: anywhere; }
table.many { min-width: 760px; }
table.many td.wrap { overflow-wrap: break-word; }
a { color: var(--accent); }
td small { display: block; color: var(--dim); font-size: 12px; line-height: 1.35; }
tr.bad td { color: var(--bad); }
.bar { height: 10px; border-radius: 3px; min-width: 2px; margin-top: 6px; }
td.barcell { width: 45%; padding-right: 0; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; }
.legend {
  display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--dim);
  margin: 0 0 8px;
}
.plot {
  display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 2px 8px; font-size: 12px;
  color: var(--dim);
}
.plot svg {
  display: block; width: 100%; height: 150px; border-left: 1px solid var(--rule);
  border-bottom: 1px solid var(--rule);
}
.plot .y {
  display: flex; flex-direction: column; justify-content: space-between; text-align: right;
  line-height: 1;
}
.axis {
  display: flex; justify-content: space-between; font-size: 12px; color: var(--dim);
  font-variant-numeric: tabular-nums;
}
.note { color: var(--dim); font-size: 13px; margin: 8px 0 0; }
.good { color: var(--good); } .bad { color: var(--bad); } .plain { color: var(--plain); }
ul.problems { margin: 0; padding-left: 20px; color: var(--bad); overflow-wrap: anywhere; }
details > summary {
  cursor: pointer; color: var(--accent); font-size: 14px; overflow-wrap: anywhere;
}
details[open] > summary { margin-bottom: 8px; }
details + details, .wide + details, .axis + details { margin-top: 10px; }
pre { margin: 0; overflow-x: auto; font-size: 13px; line-height: 1.45; }
.who { margin: 12px 0 3px; font-size: 13px; overflow-wrap: anywhere; }
.who b { font-weight: 600; }
.track {
  position: relative; height: 22px; background: var(--page); border: 1px solid var(--rule);
  border-radius: 4px; overflow: hidden;
}
.track div {
  position: absolute; top: 0; bottom: 0; min-width: 3px; overflow: hidden;
  color: #fff; container-type: inline-size;
}
.track span {
  display: block; overflow: hidden; white-space: nowrap; text-overflow: ellipsis;
  font-size: 11px; line-height: 20px; padding-left: 5px;
}
/* So little of an address tells it from no other. */
@container (max-width: 64px) { .track span { display: none; } }
@media (prefers-color-scheme: dark) { .track div { color: #101214; } }
.legend .mono { font-size: 12px; overflow-wrap: anywhere; }
svg.ladder {
  display: block; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
svg.ladder text { fill: var(--ink); }
svg.ladder .head { font-weight: 600; font-size: 12px; }
svg.ladder .time, svg.ladder .gap { fill: var(--dim); font-size: 11px; }
svg.ladder .life { stroke: var(--rule); stroke-width: 2; }
svg.ladder .kind { font-weight: 600; }
svg.ladder .verdict { font-size: 11px; }
svg.ladder .halo {
  paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round;
}
svg.ladder .t-good { fill: var(--good); } svg.ladder .t-bad { fill: var(--bad); }
svg.ladder .t-plain { fill: var(--plain); }
svg.ladder .s-good { stroke: var(--good); } svg.ladder .s-bad { stroke: var(--bad); }
svg.ladder .s-plain { stroke: var(--plain); stroke-dasharray: 5 3; }
@media (max-width: 700px) {
  main, header, footer { padding-left: 12px; padding-right: 12px; }
  .pair { grid-template-columns: minmax(0, 1fr); gap: 0; }
  section.card { padding: 14px 12px; }
  h1 { font-size: 21px; } h2 { font-size: 18px; }
  th, td { padding-right: 8px; }
  td.barcell { width: 26%; }
  .tiles div { flex: 1 1 30%; padding: 7px 10px; min-width: 92px; }
  .tiles dd { font-size: 16px; }
}
@media print { body { background: #fff; } section.card { break-inside: avoid; } }
"""
