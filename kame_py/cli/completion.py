# SPDX-License-Identifier: BSD-3-Clause
"""``kame completion SHELL``: what bash, zsh or fish complete behind ``kame``.

No KAME counterpart. The words are those of the help texts: of the tools' option tables, and of what
the commands print for --help. Nodes are asked for when they are needed: ``kame completion nodes``.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from importlib import import_module
from typing import Final, NamedTuple

from kame_py.cli.main import COMMANDS, add_version
from kame_py.cli.usage import Parser

EX_OK: Final = 0
SHELLS: Final = ("bash", "zsh", "fish")
NODES: Final = "nodes"
#: Commands whose first argument is the name of a running node.
OF_A_NODE: Final = ("shell", "stop")
#: Commands, with the word behind them, that take the name of a shipped lab.
OF_A_LAB: Final = (("lab", "run"), ("lab", "check"), ("lab", "show"), ("up",))

#: A row of argparse: ``  -w LINK=WIRE, --wire LINK=WIRE  what it means``.
_OPTION: Final = re.compile(r"^  (?P<names>-\S+(?: \S+)*)(?:$|  +(?P<text>.*))")
_SUBCOMMAND: Final = re.compile(r"^    (?P<word>[a-z]+) {2,}(?P<text>.*)")


class Word(NamedTuple):
    """One word that may come, and what it means."""

    text: str
    meaning: str


Path = tuple[str, ...]
Tree = Mapping[Path, tuple[Word, ...]]


def main(argv: list[str]) -> int:
    """``kame completion bash|zsh|fish``."""
    parser = Parser(
        prog="kame completion",
        description="What a shell completes behind kame: source <(kame completion bash)",
    )
    parser.add_argument("shell", choices=(*SHELLS, NODES), help="nodes: the names that run now")
    add_version(parser)
    shell = parser.parse_args(argv).shell
    if shell == NODES:
        sys.stdout.write("".join(f"{name}\n" for name in node_names()))
    else:
        sys.stdout.write({"bash": bash, "zsh": zsh, "fish": fish}[shell](tree()))
    return EX_OK


def node_names() -> list[str]:
    """The nodes that run; none when that cannot be found out."""
    from kame_py.host.connect import running
    from kame_py.host.runtime import RuntimeProblem

    try:
        return sorted({found.node for found in running()})
    except RuntimeProblem:
        return []


# -- the words ------------------------------------------------------------------------------------


def tree() -> Tree:
    """What may follow each chain of words; () is ``kame`` itself."""
    from kame_py.tools import TOOLS

    found: dict[Path, tuple[Word, ...]] = {}
    for name in COMMANDS:
        _add_command(found, (name,))
    for name in TOOLS:
        found[(name,)] = _tool_words(name)
    for path in OF_A_LAB:
        found[path] += _lab_words()
    tops = [Word(name, text) for name, (_, text) in COMMANDS.items()]
    tops += [Word(name, _summary(name)) for name in sorted(TOOLS)]
    tops += [Word("-N", "the running node"), Word("--help", "help"), Word("--version", "version")]
    found[()] = tuple(tops)
    return found


def _add_command(found: dict[Path, tuple[Word, ...]], path: Path) -> None:
    """The options and, if there are any, subcommands of a command."""
    text = _help_of(path)
    words = []
    for line in text.splitlines():
        option = _OPTION.match(line)
        if option is not None:
            meaning = option["text"] or ""
            words += [Word(name.split()[0], meaning) for name in option["names"].split(", ")]
        below = _SUBCOMMAND.match(line)
        if below is not None and "COMMAND ..." in text:
            words.append(Word(below["word"], below["text"]))
            _add_command(found, (*path, below["word"]))
    if path == ("completion",):
        words += [Word(shell, f"for {shell}") for shell in SHELLS]
    if path == ("man",):
        words += [Word(name, "a page of the manual") for name in _page_names()]
    found[path] = tuple(words)


def _help_of(path: Path) -> str:
    """What a command prints for --help."""
    name, *rest = path
    text = io.StringIO()
    with redirect_stdout(text), suppress(SystemExit):  # argparse ends so
        import_module(COMMANDS[name][0]).main([*rest, "--help"])
    return text.getvalue()


def _tool_words(name: str) -> tuple[Word, ...]:
    from kame_py.lib.getopt import COMMON_HELP
    from kame_py.tools import load

    tool = load(name)
    rows = (*(tool.options if tool is not None else ()), *COMMON_HELP)
    return tuple(Word(f"-{row.letter}", row.meaning) for row in rows)


def _summary(name: str) -> str:
    from kame_py.tools import load

    tool = load(name)
    return tool.summary.partition(".")[0] if tool is not None else ""


def _lab_words() -> tuple[Word, ...]:
    from kame_py.cli.lab import SUFFIX, shipped

    return tuple(Word(lab.name.removesuffix(SUFFIX), "a shipped lab") for lab in shipped())


def _page_names() -> list[str]:
    from kame_py.cli.man import pages

    return sorted({name.rpartition(".")[0] for name in pages()})


# -- the scripts ----------------------------------------------------------------------------------


def _cases(found: Tree) -> list[tuple[str, tuple[Word, ...]]]:
    """(words joined by a blank, what may follow), for a case of a shell script."""
    return [(" ".join(path), words) for path, words in sorted(found.items()) if path]


def bash(found: Tree) -> str:
    """A script for bash 4 or newer."""
    cases = [
        f'        "{path}") words="{" ".join(word.text for word in words)}" ;;'
        for path, words in _cases(found)
    ]
    tops = " ".join(word.text for word in found[()])
    return _BASH.format(tops=tops, cases="\n".join(cases), of_a_node="|".join(OF_A_NODE))


def zsh(found: Tree) -> str:
    """A script for zsh."""

    def array(words: tuple[Word, ...]) -> str:
        return " ".join(_quoted(f"{_colons(word.text)}:{word.meaning}") for word in words)

    cases = [f'        "{path}") found=({array(words)}) ;;' for path, words in _cases(found)]
    tops = array(found[()])
    return _ZSH.format(tops=tops, cases="\n".join(cases), of_a_node="|".join(OF_A_NODE))


def fish(found: Tree) -> str:
    """A script for fish."""
    lines = ["# fish: kame completion fish | source", _FISH_HEAD]
    for path, words in sorted(found.items()):
        at = _quoted(" ".join(("__kame_at", str(len(path)), *path)))
        for word in words:
            what = f"-a {_quoted(word.text)} -d {_quoted(word.meaning)}"
            lines.append(f"complete -c kame -n {at} {what}")
    for name in OF_A_NODE:
        lines.append(
            f"complete -c kame -n '__kame_at 1 {name}' -a '(kame completion nodes)' -d node"
        )
    lines.append("complete -c kame -n '__kame_node' -a '(kame completion nodes)' -d node")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "'\\''") + "'"


def _colons(text: str) -> str:
    return text.replace(":", "\\:")


_BASH: Final = """\
# bash: source <(kame completion bash)
_kame() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
    local at=1 path words=""
    [[ $prev == "=" ]] && prev=${{COMP_WORDS[COMP_CWORD-2]}}
    [[ $cur == "=" ]] && cur=""
    [[ ${{COMP_WORDS[1]}} == -N ]] && at=3
    path=${{COMP_WORDS[at]}}
    if [[ $prev == -N || $prev == --node ]]; then
        words=$(kame completion nodes 2>/dev/null)
    elif (( COMP_CWORD <= at )); then
        words="{tops}"
    else
        [[ $path == lab ]] && (( COMP_CWORD > at + 1 )) && path+=" ${{COMP_WORDS[at+1]}}"
        case $path in
{cases}
        esac
        case $path in
        {of_a_node}) words+=" $(kame completion nodes 2>/dev/null)" ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _kame kame
"""

_ZSH: Final = """\
#compdef kame
# zsh: source <(kame completion zsh), or a file _kame in fpath
_kame() {{
    local at=2 path_
    local -a found nodes
    nodes=(${{(f)"$(kame completion nodes 2>/dev/null)"}})
    [[ $words[2] == -N ]] && at=4
    path_=$words[at]
    if [[ $words[CURRENT-1] == -N || $words[CURRENT-1] == --node ]]; then
        compadd -a nodes
        return
    elif (( CURRENT <= at )); then
        found=({tops})
    else
        [[ $path_ == lab ]] && (( CURRENT > at + 1 )) && path_+=" $words[at+1]"
        case $path_ in
{cases}
        esac
        case $path_ in
        {of_a_node}) compadd -a nodes ;;
        esac
    fi
    _describe kame found
    _files
}}
compdef _kame kame
"""

_FISH_HEAD: Final = """\
function __kame_words
    set -l words (commandline -opc)
    if test (count $words) -ge 3; and test $words[2] = -N
        set -e words[2..3]
    end
    string join \\n -- $words[2..-1]
end
function __kame_at
    set -l words (__kame_words)
    test (count $words) -ge $argv[1]; or return 1
    if test $argv[1] -eq 0
        test (count $words) -eq 0
        return
    end
    set -l want $argv[2..-1]
    test "$words[1..$argv[1]]" = "$want"
end
function __kame_node
    set -l words (commandline -opc)
    contains -- $words[-1] -N --node
end"""
