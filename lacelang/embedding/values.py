"""Names and values of Python as nodes of the syntax tree, and text that is one condition."""

from __future__ import annotations

from typing import TypeAlias

from lacelang import arguments
from lacelang.arguments import shown
from lacelang.errors import LaceError, ProgramError, UsageError
from lacelang.syntax import nodes
from lacelang.syntax.lines import a_line_up
from lacelang.text import names

Value: TypeAlias = int | float | str
"""What an attribute can be compared with: a number, the name of a value or of a point, or a number
with its unit as text, `"10 deg"`."""

_HEAD = "let it =\n"


def is_name(text: object) -> bool:
    """Whether the text is a name in the language, and no reserved word."""
    from lacelang.syntax.grammar import keywords

    return isinstance(text, str) and names.is_name(text) and text not in keywords()


def word_of(name: object, what: str) -> nodes.Word:
    """Return a name, in NFC; `what` says in messages what it names."""
    name = arguments.item(name)
    if isinstance(name, str) and is_name(name):
        return nodes.Word(names.nfc(str.__str__(name)))
    rule = "a name has letters, digits and `_`, no digit first"
    if isinstance(name, str):
        wrong = names.what_is_wrong(name)
        rule = rule if wrong is None else f"{rule}; {wrong}"
        rule = "it is a word of the language" if names.is_name(name) else rule
    raise UsageError(f"{shown(name)} cannot be {what}: {rule}")


def number_of(value: object, name: str) -> nodes.Quantity:
    """Return a number, whose text is read back as exactly that; `name` is the argument's."""
    number = arguments.real(value, name)
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
        number = int(number)
    return nodes.Quantity(repr(number))


def value_of(value: object, name: str) -> nodes.Value:
    """Return a number, a name, or a number with its unit; `name` is the argument's."""
    plain = arguments.item(value)
    if not isinstance(plain, str):
        return number_of(value, name)
    written = str.__str__(plain)
    if is_name(written):
        return word_of(written, name)
    try:
        quantity = read_definition(written)
    except LaceError:
        quantity = None
    if isinstance(quantity, nodes.Quantity):
        return quantity
    arguments.refuse(written, name, "is a number, a name, or a number with its unit")


def read_definition(text: str) -> nodes.Predicate | nodes.Quantity:
    """Read what may stand behind `let NAME =`: a condition, or a number with or without a unit."""
    from lacelang.syntax.parser import parse

    if not text.strip():
        raise UsageError("an empty text is no condition")
    try:
        statements = parse(_HEAD + text).statements
    except ProgramError as error:
        raise ProgramError(a_line_up(error.diagnostics, text)) from None
    if len(statements) != 1 or not isinstance(statements[0], nodes.Let):
        raise UsageError("one condition is wanted, not a program of several statements")
    return statements[0].value
