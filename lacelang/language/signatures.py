"""What may stand between the brackets at a place: a definition's arguments, a sampler's options."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from lark import Token

from lacelang.language.document import Document
from lacelang.language.positions import Position
from lacelang.samplers import SAMPLERS
from lacelang.text.numerals import number_text


@frozen
class Parameter:
    """A parameter: its stretch of the signature's label, and what it is for."""

    start: int
    end: int
    about: str = ""


@frozen
class Signature:
    """How something is called: a label, its parameters, and which of them is being written."""

    label: str
    parameters: tuple[Parameter, ...]
    active: int
    about: str = ""


def signature(document: Document, position: Position) -> Signature | None:
    """Return the signature of the call whose brackets are open at a position, if there is one."""
    offset = document.places.offset(position)
    before = [token for token in document.tokens if (token.end_pos or 0) <= offset]
    opening, commas = _innermost(before)
    if opening is None or opening == 0 or before[opening - 1].type != "NAME":
        return None
    name = str(before[opening - 1])
    if opening >= 2 and before[opening - 2].type == "WITH":
        return _sampler(name, before[opening + 1 :], commas)
    definition = document.scope.definitions.get(name)
    if definition is None or not definition.parameters:
        return None
    label, parameters = _labelled(name, [(word.name, "") for word in definition.parameters])
    return Signature(label, parameters, min(commas, len(parameters)))


def _innermost(tokens: Sequence[Token]) -> tuple[int | None, int]:
    """Return the bracket that is open last, and how many commas stand behind it."""
    opened: list[list[int]] = []
    for i, token in enumerate(tokens):
        if token.type in ("LPAR", "LSQB", "LBRACE"):
            opened.append([i, 0])
        elif token.type in ("RPAR", "RSQB", "RBRACE") and opened:
            opened.pop()
        elif token.type == "COMMA" and opened:
            opened[-1][1] += 1
    if not opened or tokens[opened[-1][0]].type != "LPAR":
        return None, 0
    return opened[-1][0], opened[-1][1]


def _sampler(name: str, inside: Sequence[Token], commas: int) -> Signature | None:
    sampler = SAMPLERS.get(name)
    if sampler is None:
        return None
    rows = [
        (o.name if o.default is None else f"{o.name}={number_text(o.default)}", o.doc)
        for o in sampler.options
    ]
    if sampler.presets:
        rows.append(("preset", ", ".join(sampler.presets)))
    label, parameters = _labelled(name, rows)
    names = [row[0].partition("=")[0] for row in rows]
    # Options go by their names, in any order.
    written = [str(t) for t in inside if t.type == "NAME" and str(t) in names]
    active = names.index(written[-1]) if len(written) > commas else len(parameters)
    return Signature(label, parameters, active, sampler.doc)


def _labelled(name: str, rows: Sequence[tuple[str, str]]) -> tuple[str, tuple[Parameter, ...]]:
    label, parameters = f"{name}(", []
    for i, (text, about) in enumerate(rows):
        label += ", " * (i > 0)
        parameters.append(Parameter(len(label), len(label) + len(text), about))
        label += text
    return f"{label})", tuple(parameters)
