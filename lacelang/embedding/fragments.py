"""Pieces of the language as Python has them: names, values, and conditions as text."""

from __future__ import annotations

import math
import numbers
import re
from typing import TypeAlias

from attrs import evolve

from lacelang.errors import LaceError, ProgramError, Span, UsageError
from lacelang.syntax import nodes

Value: TypeAlias = int | float | str
"""What an attribute can be compared with: a number, the name of a value or of a point, or a number
with its unit as text, `"10 deg"`."""

NOWHERE = Span(1, 1, 1, 1)
"""The span of a node that was built in Python; texts printed of it have spans of their own."""

_NAME = re.compile(r"[^\W\d]\w*")
_HEAD = "let it =\n"


def is_name(text: object) -> bool:
    """Whether the text is a name in the language: letters, digits, `_`, and no reserved word."""
    from lacelang.syntax.grammar import keywords

    return isinstance(text, str) and bool(_NAME.fullmatch(text)) and text not in keywords()


def word_of(name: str, what: str) -> nodes.Word:
    """Return a name as a node.

    Args:
        name: the name.
        what: what it names, for the message.

    Raises:
        UsageError: it is no name.
    """
    if not is_name(name):
        problem = f"{name!r} cannot be {what}"
        if isinstance(name, str) and _NAME.fullmatch(name):
            raise UsageError(f"{problem}: it is a word of the language")
        raise UsageError(f"{problem}: a name has letters, digits and `_`, no digit first")
    return nodes.Word(name, span=NOWHERE)


def number_of(value: object, what: str) -> nodes.Quantity:
    """Return a number as a node whose text is read back as exactly that number.

    Raises:
        UsageError: it is no number, or not a finite one.
    """
    if not isinstance(value, numbers.Real):
        raise UsageError(f"{what} is a number, not {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"{what} is a finite number, and not as large as this one")
    if isinstance(value, numbers.Integral):
        text = str(int(value))
    else:
        text = str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return nodes.Quantity(text, span=NOWHERE)


def value_of(value: Value, what: str) -> nodes.Value:
    """Return a value as a node.

    Raises:
        UsageError: it is neither a number, a name, nor a number with its unit.
    """
    if not isinstance(value, str):
        return number_of(value, what)
    if is_name(value):
        return nodes.Word(value, span=NOWHERE)
    try:
        quantity = read_definition(value)
    except LaceError:
        quantity = None
    if isinstance(quantity, nodes.Quantity):
        return quantity
    raise UsageError(f"{what} is a number, a name, or a number with its unit, not {value!r}")


def read_definition(text: str) -> nodes.Predicate | nodes.Quantity:
    """Read what may stand behind `let NAME =`: a condition, or a number with or without a unit.

    Raises:
        ProgramError: with every syntax error, spans counted in `text`.
        UsageError: it is something else, or more than one of them.
    """
    from lacelang.syntax.parser import parse

    if not text.strip():
        raise UsageError("an empty text is no condition")
    try:
        statements = parse(_HEAD + text).statements
    except ProgramError as error:
        raise ProgramError(
            [evolve(d, span=_line_up(d.span), source=text) for d in error.diagnostics]
        ) from None
    if len(statements) != 1 or not isinstance(statements[0], nodes.Let):
        raise UsageError("one condition is wanted, not a program of several statements")
    return statements[0].value


def _line_up(span: Span) -> Span:
    """The span in a text above which a line was put."""
    line, end = max(span.line - 1, 1), max(span.end_line - 1, 1)
    return Span(line, span.column, end, span.end_column)


def shown(value: object) -> str:
    """Return how a value of Python's is named in a message: by its kind, if it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"
