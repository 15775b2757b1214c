"""Outlines as lines for a reader, on a terminal or in a pipe, and as JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import asdict

from lacelang import ir
from lacelang.explain.outline import Figures, Outline, Term, Totals, Tree
from lacelang.text.columns import columns_of, padded
from lacelang.text.hidden import displayed
from lacelang.text.numerals import number_text

if TYPE_CHECKING:
    from rich.console import Console

Line: TypeAlias = tuple[tuple[str, str], ...]
"""Pieces of one line, each with its style in rich's words; the empty style is plain text."""

_INDENT = "  "
# A cell wider than this does not push its column away from all other lines.
_WIDEST = 60
_LONGEST = 72

_HEADING, _LABEL, _FORMULA, _FIGURE, _NOTE = "bold", "dim", "cyan", "green", "dim"


def print_lines(lines: Sequence[Line], console: Console) -> None:
    """Print lines in colours."""
    from rich.text import Text

    for line in lines:
        shown = ((displayed(text), style) for text, style in line)
        console.print(Text.assemble(*shown), soft_wrap=True)


def text_of(lines: Sequence[Line]) -> str:
    """Return the lines as plain text, with a newline behind each."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def plan_lines(outlines: Sequence[Outline]) -> list[Line]:
    """Return the plan: one line a statement, in the order in which they run."""
    if not outlines:
        return [(("nothing to run", _LABEL),)]
    rows = [
        (str(number), o.statement.kind, o.name or "", o.statement.title, _seed(o))
        for number, o in enumerate(outlines, start=1)
    ]
    widths = _widths(rows)
    styles = (_LABEL, "", _HEADING, "", _LABEL)
    lines: list[Line] = [(("plan", _LABEL),)]
    for row in rows:
        cells = (row[0].rjust(widths[0]), *row[1:])
        lines.append(((_INDENT, ""), *_cells(cells, widths, styles)))
    return lines


def _seed(outline: Outline) -> str:
    return next((f"seed {f.text}" for f in outline.facts if f.label == "seed"), "")


def outline_lines(outline: Outline) -> list[Line]:
    """Return a statement: what holds for all of it, then the tree of each of its conditions."""
    name = f" {outline.name}" if outline.name is not None else ""
    kind, title = outline.statement.kind, outline.statement.title
    lines: list[Line] = [((f"{kind}{name}", _HEADING), (f": {title}", ""))]
    shown = [fact for fact in outline.facts if fact.text]
    width = max((columns_of(fact.label) for fact in shown), default=0)
    for fact in shown:
        lines.append(((f"{_INDENT}{padded(fact.label, width)}  ", _LABEL), (fact.text, "")))
    for tree in outline.trees:
        lines += tree_lines(tree)
    return lines


def tree_lines(tree: Tree) -> list[Line]:
    """Return a condition's tree, a line a term; nothing for a statement without a condition."""
    if tree.root is None:
        return []
    rows = list(_rows(tree.root, "", ""))
    if tree.totals is None:
        head: tuple[str, ...] = ()
        styles: tuple[str, ...] = ("", _FORMULA, _NOTE)
        lines: list[Line] = [((f"{_INDENT}{tree.role}", _LABEL),)]
    else:
        head = ("", "", "nats", "share", "read")
        styles = ("", _FORMULA, _FIGURE, _FIGURE, _FIGURE, _NOTE)
        totals = tree.totals
        of = f"{totals.draws} draws from the prior, seed {totals.seed}"
        energy = f"{totals.energy:.3g} ± {totals.spread:.2g} nats"
        shown = f"{energy}, mean gradient norm {totals.gradient:.3g}"
        lines = [((f"{_INDENT}{tree.role} of {of}: ", _LABEL), (shown, ""))]
    widths = _widths([head, *rows])
    if head:
        lines.append(((2 * _INDENT, ""), *_cells(head, widths, (_LABEL,) * len(head))))
    return lines + [((2 * _INDENT, ""), *_cells(row, widths, styles)) for row in rows]


def _rows(term: Term, first: str, rest: str) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a term and of those below it; `first` and `rest` are its guides."""
    row: tuple[str, ...] = (first + _label(term), term.formula)
    if term.figures is not None:
        row = (*row, *_figures(term, term.figures))
    yield (*row, _notes(term))
    for i, below in enumerate(term.terms):
        last = i == len(term.terms) - 1
        branch, guide = ("└── ", "    ") if last else ("├── ", "│   ")
        yield from _rows(below, rest + branch, rest + guide)


def _label(term: Term) -> str:
    settings = []
    if term.weight != 1:
        settings.append(f"weight {number_text(term.weight)}")
    if term.logit_temp is not None:
        settings.append(f"temp logit({number_text(term.logit_temp)})")
    elif term.temp is not None:
        settings.append(f"temp {number_text(term.temp)}")
    text = term.kind if term.attribute is None else term.text
    return f"{text} [{', '.join(settings)}]" if settings else text


def _figures(term: Term, figures: Figures) -> tuple[str, str, str]:
    energy = f"{figures.energy:.3g} ± {figures.spread:.2g}"
    share = "-" if figures.share is None else f"{100 * figures.share:z.0f} %"
    reading = "" if figures.reading is None else f"{figures.reading:.3g}{_unit(term)}"
    if figures.reading is not None and isinstance(term.predicate, ir.ClassComparison):
        reading = f"p {figures.reading:.2g}"
    return energy, share.rjust(5), reading


def _notes(term: Term) -> str:
    notes = []
    if term.weight == 0:
        notes.append("takes no part")
    if term.odds is not None:
        notes.append(f"odds {term.odds:.3g}")
    if isinstance(term.predicate, ir.NumberComparison):
        notes.append("σ residual" if term.sigma is None else f"σ {term.sigma:.3g}{_unit(term)}")
    if term.terms and term.predicate.written:  # as `p xor q`, not with its own terms
        text = term.text if len(term.text) <= _LONGEST else f"{term.text[: _LONGEST - 1]}…"
        notes.append(f"written {text}")
    if term.via:
        notes.append(f"in {' › '.join(term.via)}")
    return ", ".join(notes)


def _unit(term: Term) -> str:
    return f" {term.unit}" if term.unit else ""


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    columns = zip_longest(*rows, fillvalue="")
    return [max(min(columns_of(cell), _WIDEST) for cell in column) for column in columns]


def _cells(cells: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> Line:
    return tuple(
        (f"{padded(cell, width)}  ", style)
        for cell, width, style in zip(cells, widths, styles, strict=False)
    )


def outline_json(outline: Outline) -> dict[str, Any]:
    """Return a statement: its facts side by side, its conditions by role; null for NaN and inf."""
    facts = {fact.label: fact.value for fact in outline.facts}
    trees = {tree.role: _tree_json(tree) for tree in outline.trees}
    return {"kind": outline.statement.kind, "name": outline.name, **facts, "conditions": trees}


def _tree_json(tree: Tree) -> dict[str, Any] | None:
    if tree.root is None:
        return None
    totals = {} if tree.totals is None else {"totals": _plain(tree.totals)}
    return {"term": _plain(tree.root), **totals}


def _plain(record: Term | Totals) -> dict[str, Any]:
    return asdict(
        record,
        filter=lambda field, value: (
            not (field.name == "predicate" or (field.name == "figures" and value is None))
        ),
        value_serializer=lambda _, field, value: (
            None if isinstance(value, float) and not math.isfinite(value) else value
        ),
    )
