# SPDX-License-Identifier: BSD-3-Clause
"""Write the manual, kame_py/man, from the tools' option tables and the pages in docs.

    gen_man.py           write it
    gen_man.py --check   say which pages are not current; exit status 1 if any

What --help says of a tool becomes SYNOPSIS and OPTIONS; its section of docs/tools.md becomes
DESCRIPTION. Only what neither has stands here: names, exit status, neighbours.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kame_py import __version__  # noqa: E402  # after the path is set
from kame_py.cli.main import COMMANDS  # noqa: E402
from kame_py.lib.getopt import COMMON_HELP, OptionHelp  # noqa: E402
from kame_py.lib.toolbase import Tool  # noqa: E402
from kame_py.tools import TOOLS, load  # noqa: E402

DOCS: Final = ROOT / "docs"
MAN: Final = ROOT / "kame_py" / "man"
DEFAULT_SECTION: Final = 8
SECTIONS: Final = {"netstat": 1, "tcpdump": 1}
STATUS: Final = {
    "had": "143 after TERM, 130 after INT, 1 when it cannot begin.",
    "mip6control": "0; 1 after an error; 255 after an error of -u or -v.",
    "ping6": "0 when an answer came, 2 when none did, 130 after INT, 1 after another error.",
    "route": "0; 64 after a wrong command line; 1 when the kernel refuses.",
    "rtadvd": "0 after TERM; 1 when it cannot begin.",
    "setkey": "0; 1 when a command was refused; 255 when there is nothing to read from.",
}
ANY_STATUS: Final = "0; 1 after an error, of which one line on standard error tells."
EXAMPLES: Final = {
    "had": ("rtadvd -m fxp0", "had fxp0"),
    "ifconfig": ("ifconfig fxp0 inet6 2001:db8::1 prefixlen 64 alias", "ifconfig -aL"),
    "mip6control": ("mip6control -H 2001:db8:1:: -P 64", "mip6control -m", "mip6control -bln"),
    "mip6stat": ("mip6stat -s",),
    "ndp": ("ndp -an", "ndp -s 2001:db8::2 00:a0:24:00:01:01 proxy"),
    "netstat": ("netstat -rn", "netstat -s -p icmp6"),
    "ping6": ("ping6 -c 3 2001:db8::1", "ping6 -w -I fxp0 ff02::1"),
    "route": ("route add -inet6 default fe80::1%fxp0", "route -n get 2001:db8::1"),
    "rtadvd": ("sysctl -w net.inet6.ip6.forwarding=1", "rtadvd fxp0"),
    "rtsol": ("rtsol fxp0",),
    "rtsold": ("rtsold -m fxp0",),
    "setkey": ("setkey -f /etc/ipsec.conf", "setkey -D", "setkey -DP"),
    "sysctl": ("sysctl net.inet6.ip6", "sysctl -w net.inet6.ip6.forwarding=1"),
}
SEE_ALSO: Final = {
    "had": ("mip6control.8", "rtadvd.8"),
    "ifconfig": ("ndp.8", "netstat.1", "route.8"),
    "mip6control": ("had.8", "mip6stat.8", "rtsold.8", "setkey.8"),
    "mip6stat": ("mip6control.8", "netstat.1"),
    "mtest": ("netstat.1",),
    "ndp": ("ifconfig.8", "route.8"),
    "netstat": ("mip6stat.8", "ndp.8", "route.8"),
    "ping6": ("netstat.1",),
    "route": ("ndp.8", "netstat.1"),
    "rtadvd": ("had.8", "rtadvd.conf.5", "rtsold.8"),
    "rtsol": ("rtadvd.8", "rtsold.8"),
    "rtsold": ("rtadvd.8", "rtsol.8"),
    "setkey": ("ping6.8",),
    "sysctl": ("ifconfig.8",),
}
ENVIRONMENT: Final = (
    OptionHelp("KAME_NODE", "", "the node that a tool speaks to, unless --node or -N names one"),
    OptionHelp("KAME_SERVER", "", "the control socket of its process, unix://PATH#NODE"),
    OptionHelp("KAME_RUNTIME_DIR", "", "the folder of control sockets"),
)


class Part(NamedTuple):
    """A part of the manual that is a page of docs: what of it, under which name."""

    page: str
    heading: str  # "" for the whole page
    summary: str
    see_also: tuple[str, ...]


PARTS: Final = {
    "rtadvd.conf.5": Part("tools.md", "rtadvd.conf", "what rtadvd advertises", ("rtadvd.8",)),
    "kame-lab.5": Part("labs.md", "", "networks of kernels in virtual time", ("kame.1",)),
    "kame-live.7": Part("live.md", "", "nodes that run in real time", ("kame.1", "kame-wires.7")),
    "kame-wires.7": Part("wires.md", "", "nodes on interfaces of the machine", ("kame-live.7",)),
}


# -- roff -----------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """Text that roff takes literally."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("^", "\\(ha")
    text = text.replace("`", "\\(ga").replace("~", "\\(ti").replace('"', "\\(dq")
    return re.sub(r"[^\x00-\x7f]", lambda m: f"\\[u{ord(m[0]):04X}]", text)


def line(text: str) -> str:
    """A line of text that is no request, whatever it begins with."""
    return f"\\&{text}" if text.startswith((".", "'")) else text


def words(text: str) -> str:
    """Markdown inside a line: code becomes bold, emphasis italic, links their text."""
    text = re.sub(r"\[((?:`[^`]*`|[^]`])*)\]\([^)]*\)", r"\1", text).replace("\\|", "|")
    out = []
    for i, piece in enumerate(re.split(r"(?<!`)`(?!`)", text.replace("<br>", " "))):
        if i % 2:
            out.append(f"\\fB{escaped(piece)}\\fR")
            continue
        piece = escaped(piece.replace("\\*", "\0"))
        piece = re.sub(r"\*\*([^*]+)\*\*", r"\\fB\1\\fR", piece)
        out.append(re.sub(r"(?<!\w)\*([^*]+)\*", r"\\fI\1\\fR", piece).replace("\0", "*"))
    return line("".join(out))


def tagged(tag: str, text: str) -> list[str]:
    """A paragraph with a tag before it."""
    return [".TP", line(tag), text or "\\&"]


def verbatim(lines: list[str]) -> list[str]:
    """Lines that stay as they are."""
    return [".PP", ".RS 4", ".nf", *(line(escaped(each)) for each in lines), ".fi", ".RE"]


def option(row: OptionHelp) -> list[str]:
    arg = f" \\fI{escaped(row.arg)}\\fR" if row.arg else ""
    return tagged(f"\\fB{escaped(f'-{row.letter}')}\\fR{arg}", words(row.meaning))


def head(name: str, summary: str) -> list[str]:
    title, _, section = name.rpartition(".")
    return [
        '.\\" SPDX-License-Identifier: BSD-3-Clause',
        '.\\" Written by tools/gen_man.py; do not edit.',
        f'.TH {escaped(title).upper()} {section} "" "kame\\-py {__version__}" "KAME in Python"',
        ".SH NAME",
        f"{escaped(title)} \\- {words(summary)}",
    ]


def see_also(names: tuple[str, ...]) -> list[str]:
    refs = [f"\\fB{escaped(n.rpartition('.')[0])}\\fR({n[-1]})" for n in sorted(names)]
    return [".SH SEE ALSO", ",\n".join(refs)]


# -- Markdown -------------------------------------------------------------------------------------


def section(page: str, heading: str) -> list[str]:
    """The lines below a heading of the second rank; all of a page but its title for ""."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    if not heading:
        return lines[1:]
    if f"## {heading}" not in lines:
        return []
    start = lines.index(f"## {heading}") + 1
    ends = (i for i, text in enumerate(lines) if i >= start and text.startswith("## "))
    return lines[start : next(ends, len(lines))]


def without_usage(lines: list[str], usage: tuple[str, ...]) -> list[str]:
    """A section without a first paragraph that says what SYNOPSIS has said, and no more."""
    first = next(blocks(lines), [])
    said = set(" ".join(usage).split())
    if not set(re.sub("[`,]", " ", " ".join(first)).split()) <= said:
        return lines
    return lines[lines.index(first[0]) + len(first) :] if first else lines


def roff(lines: list[str]) -> list[str]:
    """Paragraphs, tables, lists and examples of a Markdown text."""
    out: list[str] = []
    for block in blocks(lines):
        first = block[0]
        if first.startswith("#"):
            out += [f".SS {words(first.lstrip('# '))}"]
        elif first.startswith("```"):
            out += verbatim(block[1:-1])
        elif first.startswith("    "):
            out += verbatim([each[4:] for each in block])
        elif first.startswith("|"):
            out += table(block)
        elif first.startswith("- "):
            for item in re.split(r"\n- ", "\n".join(block)[2:]):
                out += [".IP \\(bu 2", words(" ".join(item.split()))]
        else:
            below_heading = bool(out) and out[-1].startswith(".SS")
            out += [] if below_heading else [".PP"]
            out += [words(each) for each in block]
    return out


def blocks(lines: list[str]) -> Iterator[list[str]]:
    """What blank lines part, fenced examples whole, without comments."""
    block: list[str] = []
    fenced = False
    for text in [*lines, ""]:
        fence = text.startswith("```")
        if not fenced and (not text.strip() or fence or text.startswith("<!--")):
            if block:
                yield block
            block = [text] if fence else []
        else:
            block.append(text)
            if fence:
                yield block
                block = []
        fenced ^= fence


def table(block: list[str]) -> list[str]:
    """A row becomes a tag, its first cell, and the other cells."""
    rows = [[c.strip() for c in re.split(r"(?<!\\)\|", text)[1:-1]] for text in block]
    heads, *body = [row for row in rows if not set("".join(row)) <= set("-:")] or [[]]
    if not any(heads):
        heads = [""] * len(heads)
    out: list[str] = []
    for row in body:
        cells = row[1:]
        if len(cells) > 1:
            named = zip(heads[1:], cells, strict=False)
            cells = [f"{name}: {cell}" if name else cell for name, cell in named if cell]
        tag = words(row[0])
        out += tagged(tag if "\\f" in tag else f"\\fB{tag}\\fR", words("; ".join(cells)))
    return out


# -- pages ----------------------------------------------------------------------------------------


def tool_page(name: str, tool: Tool) -> list[str]:
    summary = tool.summary.partition(". ")[0].rstrip(".")
    lines = head(f"{name}.{section_of(name)}", summary[0].lower() + summary[1:])
    usage = (*tool.usage, *tool.more_usage)
    lines += [".SH SYNOPSIS", ".nf", *(line(escaped(u)) for u in usage), ".fi"]
    lines += [".SH DESCRIPTION", words(tool.summary)]
    lines += roff(without_usage(section("tools.md", name), usage))
    lines += [".SH OPTIONS"]
    for row in (*tool.options, *COMMON_HELP):
        lines += option(row)
    lines += [".SH EXIT STATUS", words(STATUS.get(name, ANY_STATUS))]
    if name in EXAMPLES:
        lines += [".SH EXAMPLES", *verbatim(list(EXAMPLES[name]))[1:]]
    return lines + see_also(("kame.1", *SEE_ALSO.get(name, ())))


def part_page(name: str, part: Part) -> list[str]:
    text = roff(section(part.page, part.heading))
    lines = [*head(name, part.summary), ".SH DESCRIPTION", *text[text[0] == ".PP" :]]
    return lines + see_also(part.see_also)


def kame_page() -> list[str]:
    lines = head("kame.1", "the KAME IPv6 kernel in Python")
    lines += [".SH SYNOPSIS", ".nf", "kame COMMAND ...", "kame [\\-N NODE] TOOL ...", ".fi"]
    lines += [".SH DESCRIPTION", "Networks of KAME kernels, in virtual time or in real time, and"]
    lines += ["the tools that belong to them."]
    lines += [words("`kame COMMAND --help` and `kame TOOL --help` tell the options.")]
    lines += [".SS Commands"]
    for name, (_, text) in COMMANDS.items():
        lines += tagged(f"\\fB{escaped(name)}\\fR", words(text))
    lines += [".SS Tools"]
    for name, tool in tools():
        lines += tagged(f"\\fB{escaped(name)}\\fR", words(tool.summary.partition(". ")[0]))
    lines += [
        ".SH OPTIONS",
        *option(OptionHelp("N", "NODE", "the running node that a tool is for")),
    ]
    lines += option(OptionHelp("V", "", "the version"))
    lines += [".SH ENVIRONMENT"]
    for row in ENVIRONMENT:
        lines += tagged(f"\\fB{escaped(row.letter)}\\fR", words(row.meaning))
    lines += [".SH FILES"]
    lines += tagged("\\fI$XDG_RUNTIME_DIR/kame\\fR, \\fI/tmp/kame\\-UID\\fR", "control sockets")
    lines += [".SH EXIT STATUS", "0; 1 after an error; 2 for a wrong command line; 3 when a"]
    lines += ["right is missing; 130 after INT. A tool has its own."]
    lines += [".SH EXAMPLES", *verbatim(["kame demo", "kame lab run howto", "kame up live"])[1:]]
    names = [f"{name}.{section_of(name)}" for name in TOOLS]
    return lines + see_also((*PARTS, *names))


def section_of(name: str) -> int:
    return SECTIONS.get(name, DEFAULT_SECTION)


def tools() -> Iterator[tuple[str, Tool]]:
    for name in sorted(TOOLS):
        tool = load(name)
        assert tool is not None, name
        yield name, tool


def manual() -> dict[str, str]:
    """All pages by file name."""
    pages = {f"{name}.{section_of(name)}": tool_page(name, tool) for name, tool in tools()}
    pages |= {name: part_page(name, part) for name, part in PARTS.items()}
    pages["kame.1"] = kame_page()
    return {name: "\n".join(lines) + "\n" for name, lines in pages.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    check = parser.parse_args().check
    wanted = manual()
    there = {path.name: path for path in MAN.glob("*.[1-9]")}
    status = 0
    for name in sorted({*wanted, *there}):
        path, text = MAN / name, wanted.get(name)
        if check and (text is None or name not in there or path.read_text() != text):
            sys.stderr.write(f"{path.relative_to(ROOT)}: not current: run tools/gen_man.py\n")
            status = 1
        elif not check and text is None:
            path.unlink()
        elif not check and text is not None:
            path.write_text(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
