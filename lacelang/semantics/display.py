"""Small helpers of conditions: spans, display texts, and what to say of an unknown name."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from lacelang import ir
from lacelang.errors import Span
from lacelang.semantics.atoms import Comparisons
from lacelang.semantics.modules import library_homes
from lacelang.semantics.report import Report, did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.semantics.settings import Settings
from lacelang.syntax import nodes
from lacelang.syntax.grammar import UNITS
from lacelang.text.columns import columns_of, padded


def span_in_program(node: nodes.Node, frame: Frame) -> Span:
    """Return the span in the program itself, wherever the node comes from."""
    return frame.site.span if frame.site is not None else node.span


def placed(atom: ir.Predicate, span: Span) -> ir.Predicate:
    """Return what one comparison came to, all of it at the comparison's span."""
    if isinstance(atom, ir.Not):
        return evolve(atom, span=span, term=evolve(atom.term, span=span))
    if isinstance(atom, ir.Or):
        return evolve(atom, span=span, terms=tuple(evolve(t, span=span) for t in atom.terms))
    return evolve(atom, span=span)


def is_plain(term: ir.Predicate) -> bool:
    """Whether the term carries no weight and no temperature of its own."""
    return term.weight == 1 and term.temp is None and term.logit_temp is None


def with_settings(term: ir.Predicate, settings: Settings) -> ir.Predicate:
    """Attach settings; weights and temperatures of nested brackets multiply."""
    weight = term.weight * settings.weight
    temp = term.temp
    if settings.temp is not None:
        temp = settings.temp if temp is None else temp * settings.temp
    text = f"({term.text})" if isinstance(term, ir.Not) else grouped(term)
    return evolve(term, weight=weight, temp=temp, text=f"{text} {settings.text}")


def grouped(term: ir.Predicate) -> str:
    """Return the term's text, in round brackets where it would fall apart without."""
    if isinstance(term, ir.And | ir.Or) and is_plain(term) and not _is_set(term):
        return f"({term.text})"
    return term.text


def _is_set(term: ir.Predicate) -> bool:
    """Whether the term was written as one comparison, `yaw in {left, right}`."""
    first = term.terms[0] if isinstance(term, ir.Or) else None
    return isinstance(first, ir.Equals) and term.text.startswith(f"{first.attribute.name} in ")


def unknown_name(
    word: nodes.Word, frame: Frame, comparisons: Comparisons | None, report: Report
) -> None:
    """Complain of a name that stands alone and is no definition."""
    name, module = word.name, frame.module
    if report.full or module.is_uncertain(name) or module.has_error_on(word.span.line):
        return
    attributes = comparisons.model.attributes if comparisons is not None else ()
    for attribute in attributes:
        if attribute.name == name:
            message = f"`{name}` is an attribute; say what it should be"
            report.say("LACE118", message, word, frame, f"like `{name}={attribute.example}`")
            return
        if name in attribute.named:
            message = f"`{name}` is a value; say of which attribute"
            report.say("LACE118", message, word, frame, f"write `{attribute.name}={name}`")
            return
    known = (*frame.bindings, *module.named)
    home = library_homes().get(name)
    # In an edit, `age = 10 yaers` looks like two lines.
    hint = did_you_mean(name, (*known, *(a.name for a in attributes), *UNITS))
    if home is not None and home != module.name:
        hint = f"`import {home}` brings it in"
    hint = hint or f"define it with `let {name} = …`"
    report.say("LACE103", f"nothing is called `{name}`", word, frame, hint)


def attribute_lines(attributes: Sequence[ir.Attribute]) -> list[str]:
    """Return a line for each attribute: its name, and what can be said of it."""
    width = max((columns_of(attribute.name) for attribute in attributes), default=0)
    return [f"{padded(attribute.name, width)}  {attribute.text}" for attribute in attributes]
