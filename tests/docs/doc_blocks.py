"""The fenced blocks of the documentation's pages, and what becomes of each when it is executed.

The words after the fence say what a block is:

    lace [FILE]          a program: right, without warnings, laid out as `lacelang fmt` does
    lace wrong [FILE]    a program that is wrong, or warned of under --pedantic; a `text` block
                         right after it has what is said of it
    text [FILE]          text; with FILE, a program that is neither right nor wrong as it stands
    lace condition       a condition a line, each right and laid out as after `where`
    python [weights]     code, with `weights` if it needs a generator; the blocks of a page are one
                         program, and a `text` block right after one has what it prints
    console [weights]    commands after `$`, and what they print; with `weights`, commands that
                         need the generator

FILE puts the program in the page's folder under that name, where later commands and imports of
the same page find it. In a `console` block a line `…` stands for any lines, and within a line `…`
stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from shlex import split
from typing import Any

from attrs import frozen

from lacelang.cli.main import main
from lacelang.errors import ProgramError
from lacelang.semantics.check import check
from lacelang.syntax.format import format_source
from lacelang.syntax.render import render_all

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>.*)\n(?P<text>(?:.*\n)*?)(?P=fence)$", re.MULTILINE)
_ANYTHING = "…"


@frozen
class Block:
    """A fenced block.

    Attributes:
        info: the words after the fence.
        text: what is inside, with a newline at the end.
        line: of the page, counted from 1, where `text` begins.
        start, end: where `text` stands in the page.
    """

    info: tuple[str, ...]
    text: str
    line: int
    start: int
    end: int

    @property
    def kind(self) -> str:
        return self.info[0] if self.info else ""


@frozen
class Outcome:
    """What a block should be, beside what it is; `complaint` if no text can make it right."""

    block: Block
    text: str
    complaint: str | None = None


def blocks_of(page: str) -> list[Block]:
    return [
        Block(
            tuple(found["info"].split()),
            found["text"],
            page.count("\n", 0, found.start("text")) + 1,
            found.start("text"),
            found.end("text"),
        )
        for found in _FENCE.finditer(page)
    ]


def outcomes(blocks: Sequence[Block], weights: bool) -> Iterator[Outcome]:
    """Execute the blocks of one page in order, in the current folder.

    Args:
        blocks: of the page.
        weights: whether commands that need the generator are run.
    """
    said: str | None = None
    namespace: dict[str, Any] = {}
    for block in blocks:
        if block.kind == "lace" and "condition" in block.info:
            yield _conditions(block)
        elif block.kind == "lace":
            wrong = "wrong" in block.info
            outcome, said = _wrong(block) if wrong else (_right(block), None)
            yield outcome
            continue
        elif block.kind == "text" and _path(block) is None and said is not None:
            yield Outcome(block, said)
        elif block.kind == "python" and (weights or "weights" not in block.info):
            said = _printed(block, namespace)
            continue
        elif block.kind == "console" and (weights or "weights" not in block.info):
            yield _console(block)
        said = None


def _path(block: Block) -> Path | None:
    names = [word for word in block.info[1:] if word.endswith(".lace")]
    if not names:
        return None
    path = Path(names[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    return path


def _right(block: Block) -> Outcome:
    path = _path(block)
    try:
        warnings = check(block.text, path).warnings
    except ProgramError as error:
        return Outcome(block, block.text, render_all(error.diagnostics))
    if warnings:
        return Outcome(block, block.text, render_all(warnings))
    return Outcome(block, format_source(block.text))


def _wrong(block: Block) -> tuple[Outcome, str]:
    path = _path(block)
    try:
        found = check(block.text, path, pedantic=True).warnings
    except ProgramError as error:
        found = error.diagnostics
    complaint = None if found else "nothing is wrong with this program"
    return Outcome(block, block.text, complaint), render_all(found) + "\n"


def _conditions(block: Block) -> Outcome:
    head = "sample from ffhq where "
    lines = []
    for line in block.text.splitlines():
        condition, _, comment = line.partition("#")
        try:
            check(head + condition)
        except ProgramError as error:
            return Outcome(block, block.text, render_all(error.diagnostics))
        laid_out = format_source(head + condition).removeprefix(head).strip()
        lines.append(laid_out + (line[len(condition.rstrip()) :] if comment else ""))
    return Outcome(block, "\n".join(lines) + "\n")


def _printed(block: Block, namespace: dict[str, Any]) -> str:
    printed = StringIO()
    # Lines of a traceback count in the page.
    source = "\n" * (block.line - 1) + block.text
    with redirect_stdout(printed):
        exec(compile(source, "<page>", "exec"), namespace)
    return printed.getvalue()


def _console(block: Block) -> Outcome:
    made: list[str] = []
    code = 0
    for command, shown in _commands(block.text):
        if command == "echo $?":
            printed = f"{code}\n"
        else:
            printed, code = _run(command)
        made += [f"$ {command}\n", shown if _matches(shown, printed) else printed]
    return Outcome(block, "".join(made))


def _commands(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def _run(command: str) -> tuple[str, int]:
    """Run one command in this process and return what it prints, both streams in one."""
    tool, *arguments = split(command)
    if tool == "cat":
        return "".join(Path(name).read_text(encoding="utf-8") for name in arguments), 0
    if tool != "lacelang":
        raise ValueError(f"pages show commands of lacelang, not {tool}")
    printed = StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        try:
            code = main(arguments)
        except SystemExit as left:
            # Only argparse leaves this way, after `--help` or a wrong command line.
            code = left.code if isinstance(left.code, int) else 1
    return printed.getvalue(), code


def _matches(shown: str, printed: str) -> bool:
    pattern = "".join(
        r"(?:.*\n)*" if line == f"{_ANYTHING}\n" else re.escape(line).replace(_ANYTHING, ".*")
        for line in shown.splitlines(keepends=True)
    )
    return re.fullmatch(pattern, printed) is not None
