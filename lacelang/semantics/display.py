"""What can be said of attributes, and of a name that is not known."""

from __future__ import annotations

from collections.abc import Sequence

from lacelang import ir
from lacelang.semantics.atoms import Comparisons
from lacelang.semantics.modules import library_homes
from lacelang.semantics.report import Report, did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.syntax import nodes
from lacelang.syntax.grammar import UNITS
from lacelang.text.columns import columns_of, padded


def unknown_name(
    word: nodes.Word, frame: Frame, comparisons: Comparisons | None, report: Report
) -> None:
    """Report a name that stands alone and is no definition."""
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
