"""Pieces of the language as Python has them: names, values, and conditions as text."""

from __future__ import annotations

from typing import TypeAlias

from attrs import evolve

from lacelang import arguments
from lacelang.arguments import shown
from lacelang.errors import LaceError, ProgramError, Span, UsageError
from lacelang.syntax import nodes
from lacelang.text import names

Value: TypeAlias = int | float | str
"""What an attribute can be compared with: a number, the name of a value or of a point, or a number
with its unit as text, `"10 deg"`."""

NOWHERE = Span(1, 1, 1, 1)
"""The span of a node that was built in Python; texts printed of it have spans of their own."""

_HEAD = "let it =\n"


def is_name(text: object) -> bool:
    """Whether the text is a name in the language, and no reserved word."""
    from lacelang.syntax.grammar import keywords

    return isinstance(text, str) and names.is_name(text) and text not in keywords()


def word_of(name: object, what: str) -> nodes.Word:
    """Return a name, in NFC, as a node.

    Args:
        name: the name.
        what: what it names, for the message.

    Raises:
        UsageError: it is no name.
    """
    name = arguments.item(name)
    if not isinstance(name, str) or not is_name(name):
        problem = f"{shown(name)} cannot be {what}"
        if isinstance(name, str) and names.is_name(name):
            raise UsageError(f"{problem}: it is a word of the language")
        rule = "a name has letters, digits and `_`, no digit first"
        wrong = names.what_is_wrong(name) if isinstance(name, str) else None
        raise UsageError(f"{problem}: {rule if wrong is None else f'{rule}; {wrong}'}")
    return nodes.Word(names.nfc(str.__str__(name)), span=NOWHERE)


def number_of(value: object, name: str) -> nodes.Quantity:
    """Return a number as a node whose text is read back as exactly that number.

    Args:
        value: the number.
        name: of the argument, for the message.

    Raises:
        UsageError: it is no number, or not a finite one.
    """
    number = arguments.real(value, name)
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
        number = int(number)
    return nodes.Quantity(repr(number), span=NOWHERE)


def value_of(value: object, name: str) -> nodes.Value:
    """Return a value as a node.

    Args:
        value: a number, a name, or a number with its unit.
        name: of the argument, for the message.

    Raises:
        UsageError: it is neither a number, a name, nor a number with its unit.
    """
    plain = arguments.item(value)
    if not isinstance(plain, str):
        return number_of(value, name)
    written = str.__str__(plain)
    if is_name(written):
        return nodes.Word(names.nfc(written), span=NOWHERE)
    try:
        quantity = read_definition(written)
    except LaceError:
        quantity = None
    if isinstance(quantity, nodes.Quantity):
        return quantity
    arguments.refuse(written, name, "is a number, a name, or a number with its unit")


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
