"""Where a run of pieces may be parted: at clauses, steps and commas, outside of brackets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from lacelang.syntax.formatted_tokens import Piece, flat

Pieces: TypeAlias = Sequence[Piece]

#: Connectives, the one that binds least first.
LOOSEST_FIRST = ("IMPLIES", "OR", "XOR", "AND")
_OPENING = frozenset({"LPAR", "LSQB", "LBRACE"})
_CLOSING = frozenset({"RPAR", "RSQB", "RBRACE"})


def clings(piece: Piece) -> bool:
    """Whether a piece never begins a line."""
    return piece.kind in ("COMMA", "RPAR", "RSQB", "PERCENT")


def split(pieces: Pieces, kinds: frozenset[str]) -> list[Pieces]:
    """Split before every piece of `kinds` outside brackets."""
    starts = [i for i, depth in enumerate(_depths(pieces)) if not depth and pieces[i].kind in kinds]
    bounds = sorted({0, *starts, len(pieces)})
    return [pieces[a:b] for a, b in pairwise(bounds)]


def split_at(pieces: Pieces, kind: str) -> list[Pieces]:
    """Split before every piece of one kind outside brackets."""
    return split(pieces, frozenset({kind}))


def split_steps(pieces: Pieces) -> list[Pieces]:
    """Split an edit's steps: one ends where a condition is complete and another begins."""
    starts = [
        i
        for i, depth in enumerate(_depths(pieces))
        if i and not depth and pieces[i].kind in _BEGINS and _complete(pieces, i)
    ]
    bounds = sorted({0, *starts, len(pieces)})
    return [pieces[a:b] for a, b in pairwise(bounds)]


_BEGINS = frozenset({"NAME", "NOT", "LPAR"})
_COMPLETES = frozenset({"NAME", "NUMBER", "UNIT", "STRING", *_CLOSING})
_BEFORE_VALUES = frozenset({"RANGE", "LAYERS"})


def _complete(pieces: Pieces, i: int) -> bool:
    """Whether the pieces before the i-th are a whole step."""
    before = pieces[i - 1]
    if before.kind == "NAME" and pieces[i].kind == "LPAR":
        # A bracket behind a name is a call's, unless the name is a value.
        return i > 1 and (_compares(pieces[i - 2]) or pieces[i - 2].kind in _BEFORE_VALUES)
    return before.kind in _COMPLETES


def composed(step: Pieces) -> bool:
    """Whether a step is more than one comparison, and is set as conditions are elsewhere."""
    return any(piece.kind in _COMPOSING for piece in step)


_COMPOSING = frozenset({*LOOSEST_FIRST, "NOT", "LPAR"})


def _compares(piece: Piece) -> bool:
    return piece.text in ("=", "!=", "<", "<=", ">", ">=", "~")


def _depths(pieces: Pieces) -> list[int]:
    """Return how many brackets are open before each piece."""
    depths, depth = [], 0
    for piece in pieces:
        if piece.kind in _CLOSING:
            depth -= 1
        depths.append(depth)
        if piece.kind in _OPENING:
            depth += 1
    return depths


def index_of(pieces: Pieces, kind: str) -> int:
    """Return the index of the first piece of a kind; there is one."""
    return next(i for i, piece in enumerate(pieces) if piece.kind == kind)


def closing_of(pieces: Pieces, start: int) -> int:
    """Return the index of the bracket that closes the one at `start`."""
    depth = 0
    for i in range(start, len(pieces)):
        if pieces[i].kind in _OPENING:
            depth += 1
        elif pieces[i].kind in _CLOSING:
            depth -= 1
            if not depth:
                return i
    raise AssertionError("brackets of a parsed program match")


def attribute_parts(item: Pieces) -> tuple[Pieces, Pieces, Pieces, Pieces]:
    """Return an attribute's head with its colon, its kind, its layers and its points."""
    layers = next((i for i, p in enumerate(item) if p.kind == "LAYERS"), None)
    points = next((i for i, p in enumerate(item) if p.kind == "LBRACE"), None)
    end = points if points is not None else len(item)
    middle = layers if layers is not None else end
    return item[:3], item[3:middle], item[middle:end], item[end:]


def points_text(pieces: Pieces) -> str:
    """Return the part on one line, with the spaces inside its braces."""
    braces = pieces[0].kind == "LBRACE"
    return flat(pieces, braces) + ("  " if braces else "")
