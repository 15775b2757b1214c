"""Reads a long text piece by piece, and those pieces alone anew that have changed.

A statement is a piece, or several that one line has. What reads without mistakes on its own means
the same beside others, for every statement begins with a word that nothing else has. What does not
is read together with the next piece that does, where the reader finds its way again. Where it does
not, or so it seems, the whole text is read. The result is that of `parser.read`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

from attrs import evolve, fields, frozen

from lacelang.errors import MOST_SHOWN, Change, Diagnostic, Span
from lacelang.syntax import nodes
from lacelang.syntax.grammar import STATEMENTS
from lacelang.syntax.lines import with_line_feeds
from lacelang.syntax.parser import Parsed, read, read_tokens
from lacelang.syntax.tokens import Tokens, tokenize

SHORT = 4_000
"""Characters of a text that is read as a whole: that takes no longer than to part it."""

_KEPT = 4_096
_BEGINS = re.compile(rf"[ \t]*(?:{'|'.join(sorted(word.lower() for word in STATEMENTS))})\b")
_PASSED = re.compile(r'"[^"\n]*"|#[^\n]*')

N = TypeVar("N")


@frozen
class _Read:
    """What a piece says, in its own lines."""

    statements: tuple[nodes.Statement, ...]
    tokens: Tokens
    problems: tuple[Diagnostic, ...] = ()
    lost: tuple[Diagnostic, ...] = ()


def read_in_pieces(source: str, path: str | None = None) -> Parsed:
    """Read as much of `source` as makes sense, as `read` does; never raises."""
    from lacelang.syntax.notations.search import LONGEST

    if not SHORT < len(source) <= LONGEST:
        return read(source, path)
    pieces = _pieces(with_line_feeds(source))
    clean = [_clean(piece) for piece in pieces]
    statements: list[nodes.Statement] = []
    tokens = Tokens()
    problems: list[Diagnostic] = []
    lost: list[Diagnostic] = []
    line = i = 0
    while i < len(pieces):
        found, end = clean[i], i + 1
        if found is not None:
            statements += _moved_piece(pieces[i], line)
        else:
            while end < len(pieces) and clean[end - 1] is None:
                end += 1
            rest = tuple(s for piece in clean if piece is not None for s in piece.statements)
            found = _together(pieces[i:end], clean[end - 1], source, rest, line)
            if found is None:
                return read(source, path)
            brought, own = _parted(found.statements, pieces[i:end])
            known = {node.target.name for node in statements if isinstance(node, nodes.Import)}
            new = [node for node in brought if node.target.name not in known]
            statements = [*moved(tuple(new), line), *statements, *moved(own, line)]
            problems += [_below(one, line) for one in found.problems]
            lost += [_below(one, line) for one in found.lost]
        tokens.tokens += found.tokens.tokens
        tokens.complete &= found.tokens.complete
        line += sum(piece.count("\n") for piece in pieces[i:end])
        i = end
    if len(problems) >= MOST_SHOWN:
        return read(source, path)
    ordered = sorted(problems, key=lambda p: (p.span.line, p.span.column))
    located = tuple(evolve(problem, path=path, source=source) for problem in ordered)
    program = nodes.Program(tuple(statements), span=_whole(statements))
    return Parsed(program, located, tokens, tuple(problem.span for problem in lost))


def _pieces(text: str) -> list[str]:
    """Return a text in pieces, each from a line on that begins a statement outside of braces."""
    starts, depth, at = [0], 0, 0
    for line in text.split("\n"):
        if depth == 0 and at and _BEGINS.match(line):
            starts.append(at)
        bare = _PASSED.sub("", line)
        depth = max(depth + bare.count("{") - bare.count("}"), 0)
        at += len(line) + 1
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


@lru_cache(maxsize=_KEPT)
def _clean(piece: str) -> _Read | None:
    """Return what a piece says; None if there is anything wrong with it."""
    tokens = tokenize(piece)
    program, problems = read_tokens(tokens)
    if problems or tokens.problems or not tokens.complete:
        return None
    return _Read(program.statements, tokens)


def _together(
    pieces: Sequence[str],
    last: _Read | None,
    source: str,
    rest: tuple[nodes.Statement, ...],
    line: int,
) -> _Read | None:
    """Return what pieces say of which the last alone is clean; None if they go on behind it."""
    from lacelang.syntax.notations.mended import Surroundings
    from lacelang.syntax.notations.search import reread

    text = "".join(pieces)
    tokens = tokenize(text)
    program, found = read_tokens(tokens)
    problems = lost = tokens.problems + found
    around = Surroundings(with_line_feeds(source), rest, line)
    again = reread(text, program, read_tokens, (one.span for one in problems), around)
    if again is not None:
        program, problems, lost = again
    if not tokens.complete:
        return None
    if last is not None:
        above = sum(piece.count("\n") for piece in pieces[:-1])
        first = last.tokens.tokens[0] if last.tokens.tokens else None
        behind = (above + (first.line or 1), first.column or 1) if first else (above + 1, 1)
        own = len(last.statements)
        goes_on = program.statements[len(program.statements) - own :] != last.statements
        if goes_on or any((p.span.line, p.span.column) > behind for p in (*problems, *lost)):
            return None
    return _Read(program.statements, tokens, tuple(problems), tuple(lost))


def _parted(
    statements: tuple[nodes.Statement, ...], pieces: Sequence[str]
) -> tuple[list[nodes.Import], tuple[nodes.Statement, ...]]:
    """Return the imports that notations need, which stand above a whole text, and what is there."""
    lines = "".join(pieces).split("\n")
    brought: list[nodes.Import] = []
    for node in statements:
        start = node.span
        written = lines[start.line - 1].startswith("import", start.column - 1)
        if not isinstance(node, nodes.Import) or written:
            break
        brought.append(node)
    return brought, statements[len(brought) :]


@lru_cache(maxsize=_KEPT)
def _moved_piece(piece: str, by: int) -> tuple[nodes.Statement, ...]:
    found = _clean(piece)
    return () if found is None else moved(found.statements, by)


def moved(value: N, by: int) -> N:
    """Return nodes, or a tuple of them, so many lines further down."""
    if not by:
        return value
    result: Any = value
    if isinstance(value, tuple):
        result = tuple(moved(each, by) for each in value)
    elif isinstance(value, nodes.Node):
        result = object.__new__(type(value))
        for name in _names(type(value)):
            object.__setattr__(result, name, moved(getattr(value, name), by))
    elif isinstance(value, Span):
        result = Span(value.line + by, value.column, value.end_line + by, value.end_column)
    return result  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(attribute.name for attribute in fields(kind))


def _below(one: Diagnostic, by: int) -> Diagnostic:
    fix = tuple(Change(moved(change.span, by), change.text) for change in one.fix)
    return evolve(one, span=moved(one.span, by), fix=fix)


def _whole(statements: Sequence[nodes.Statement]) -> Span:
    """Return the span of a program, from its first statement to its last."""
    if not statements:
        return Span(1, 1, 1, 1)
    first, last = statements[0].span, statements[-1].span
    return Span(first.line, first.column, last.end_line, last.end_column)
