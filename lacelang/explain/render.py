"""Outlines as lines for a reader: the same words on a terminal, in colours, and in a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from lacelang.explain.shape import Figures, Outline, Term, Tree
from lacelang.text.columns import columns_of, padded
from lacelang.text.numerals import number_text

Line: TypeAlias = tuple[tuple[str, str], ...]
"""Pieces of one line, each with its style in rich's words; the empty style is plain text."""

_INDENT = "  "
# A cell wider than this does not push its column away from all other lines.
_WIDEST = 60
_LONGEST = 72

_HEADING = "bold"
_LABEL = "dim"
_FORMULA = "cyan"
_FIGURE = "green"
_NOTE = "dim"


def text_of(lines: Sequence[Line]) -> str:
    """Return the lines as plain text, with a newline behind each."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def plan_lines(outlines: Sequence[Outline]) -> list[Line]:
    """Return the plan: one line a statement, in the order in which they run."""
    if not outlines:
        return [(("nothing to run", _LABEL),)]
    rows = [
        (str(number), outline.kind, outline.name or "", outline.title, _seed(outline))
        for number, outline in enumerate(outlines, start=1)
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
    lines: list[Line] = [((f"{outline.kind}{name}", _HEADING), (f": {outline.title}", ""))]
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
    head: tuple[str, ...] = ()
    styles: tuple[str, ...] = ("", _FORMULA, _NOTE)
    if tree.totals is not None:
        head = ("", "", "nats", "share", "read")
        styles = ("", _FORMULA, _FIGURE, _FIGURE, _FIGURE, _NOTE)
    widths = _widths([head, *rows])
    lines: list[Line] = []
    if tree.totals is not None:
        totals = tree.totals
        of = f"{totals.draws} draws from the prior, seed {totals.seed}"
        energy = f"{totals.energy:.3g} ± {totals.spread:.2g} nats"
        shown = f"{energy}, mean gradient norm {totals.gradient:.3g}"
        lines.append(((f"{_INDENT}{tree.role} of {of}: ", _LABEL), (shown, "")))
        lines.append(((2 * _INDENT, ""), *_cells(head, widths, (_LABEL,) * len(head))))
    else:
        lines.append(((f"{_INDENT}{tree.role}", _LABEL),))
    lines += [((2 * _INDENT, ""), *_cells(row, widths, styles)) for row in rows]
    return lines


def reading_text(term: Term) -> str:
    """Return how a term's mean reading is shown: `p 0.13`, or `31.2 years`."""
    figures = term.figures
    if figures is None or figures.reading is None:
        return ""
    if term.kind in ("discrete", "degree"):
        return f"p {figures.reading:.2g}"
    return f"{figures.reading:.3g}{f' {term.unit}' if term.unit else ''}"


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
    return energy, share.rjust(5), reading_text(term)


def _notes(term: Term) -> str:
    notes = []
    if term.weight == 0:
        notes.append("takes no part")
    if term.odds is not None:
        notes.append(f"odds {term.odds:.3g}")
    if term.kind in ("equals", "at_least", "at_most", "between"):
        unit = f" {term.unit}" if term.unit else ""
        notes.append("σ residual" if term.sigma is None else f"σ {term.sigma:.3g}{unit}")
    if term.rewritten:
        notes.append(f"written {_cut(term.text)}")
    if term.via:
        notes.append(f"in {' › '.join(term.via)}")
    return ", ".join(notes)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    count = max(map(len, rows), default=0)
    return [
        max((min(columns_of(row[i]), _WIDEST) for row in rows if i < len(row)), default=0)
        for i in range(count)
    ]


def _cells(cells: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> Line:
    return tuple(
        (f"{padded(cell, width)}  ", style)
        for cell, width, style in zip(cells, widths, styles, strict=False)
    )
