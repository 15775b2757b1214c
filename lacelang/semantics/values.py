"""Values: numbers, units and names, looked up through loops, parameters and definitions."""

from __future__ import annotations

import math

from attrs import frozen

from lacelang import ir
from lacelang.semantics.report import Report, did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.syntax import nodes
from lacelang.syntax.grammar import UNITS
from lacelang.text.numerals import number_text

_CHAIN = 100


@frozen
class Scalar:
    """A value after loops and parameters are filled in.

    Attributes:
        number: None if it is a name or a text.
        unit: as written, None if none was.
        word: the name or the text, None for a number.
        text: as it would be written.
        quoted: it was in quotes, and so is no name of a value.
        at: the piece of syntax to complain about.
        frame: where that piece stands.
    """

    number: float | None
    unit: nodes.Word | None
    word: str | None
    text: str
    at: nodes.Node
    frame: Frame
    quoted: bool = False


class LostError(Exception):
    """A value cannot be had, and that is reported already (or not worth a report)."""


def settle(value: nodes.Value | nodes.Reference, frame: Frame, report: Report) -> Scalar:
    """Fill in loop variables and parameters; a name that is neither stays a name.

    Raises:
        LostError: it stands for a condition, or for a parameter that has no value yet.
    """
    at: nodes.Node = value
    here: nodes.Node = value
    where = frame
    for _ in range(_CHAIN):
        if isinstance(here, nodes.Reference):
            here = here.name
        if not isinstance(here, nodes.Word):
            break
        binding = where.bindings.get(here.name)
        if binding is None:
            break
        binding.used = True
        if binding.argument is None:
            raise LostError
        here, where = binding.argument, binding.frame
    if isinstance(here, nodes.Quantity):
        text = here.text if here.unit is None else f"{here.text} {here.unit.name}"
        return Scalar(here.number, here.unit, None, text, at, frame)
    if isinstance(here, nodes.Word):
        return Scalar(None, None, here.name, here.name, at, where)
    if isinstance(here, nodes.Text):
        return Scalar(None, None, here.name, f'"{here.name}"', at, frame, True)
    report.say("LACE118", "a value is wanted here, not a condition", here, where)
    raise LostError


def defined_number(scalar: Scalar) -> nodes.Quantity | None:
    """Return the number that a `let` gives to the scalar's name, if there is one."""
    name = None if scalar.quoted else scalar.word
    module = scalar.frame.module
    for _ in range(_CHAIN):
        definition = module.find(name) if name is not None else None
        if definition is None:
            return None
        definition.used = True
        body = definition.body
        if isinstance(body, nodes.Quantity):
            return body
        if not isinstance(body, nodes.Reference) or definition.parameters:
            return None
        name, module = body.name.name, definition.module
    return None


def is_circular(scalar: Scalar) -> bool:
    """Whether the scalar names a definition that goes in a circle, which has been reported."""
    definition = scalar.frame.module.find(scalar.word or "")
    return definition is not None and definition.circular


def plain_number(value: nodes.Value, frame: Frame, report: Report, what: str) -> float:
    """Return a number without a unit, for clauses and settings; see `plain_quantity`."""
    return plain_quantity(value, frame, report, what)[0]


def plain_quantity(
    value: nodes.Value, frame: Frame, report: Report, what: str
) -> tuple[float, str]:
    """Return a number without a unit, for clauses and settings, and how it is written.

    Args:
        value: as written.
        frame: where.
        report: where complaints go.
        what: what the number is for, e.g. `truncation`.

    Raises:
        LostError: it is no such number, which has been reported.
    """
    scalar = settle(value, frame, report)
    number, unit, text = scalar.number, scalar.unit, scalar.text
    if number is None:
        quantity = defined_number(scalar)
        if quantity is None:
            if is_circular(scalar):
                raise LostError
            _not_a_number(scalar, report, what)
            raise LostError
        number, unit, text = quantity.number, quantity.unit, quantity.text
    if unit is not None:
        at = scalar.at.unit if isinstance(scalar.at, nodes.Quantity) else scalar.at
        report.say("LACE202", f"{what} has no unit", at or scalar.at, frame, "leave it out")
        raise LostError
    if not math.isfinite(number):
        report.say("LACE205", f"{scalar.text} is too large a number", scalar.at, frame)
        raise LostError
    return number, text


def _not_a_number(scalar: Scalar, report: Report, what: str) -> None:
    module = scalar.frame.module
    if report.full or (scalar.word is not None and module.is_uncertain(scalar.word)):
        return
    numbers = (
        *scalar.frame.bindings,
        *(n for n, d in module.named.items() if isinstance(d.body, nodes.Quantity)),
    )
    hint = did_you_mean(scalar.word or "", numbers)
    report.say(
        "LACE118",
        f"{what} wants a number, and `{scalar.text}` is none",
        scalar.at,
        scalar.frame,
        hint,
    )


def measured(
    value: nodes.Value, attribute: ir.ContinuousAttribute, model: str, frame: Frame, report: Report
) -> tuple[float, str]:
    """Return a value of a continuous attribute in its own unit, and its text.

    Raises:
        LostError: it is no value of the attribute, which has been reported.
    """
    scalar = settle(value, frame, report)
    number, unit = scalar.number, scalar.unit
    if number is None:
        point = attribute.points.get(scalar.word or "")
        if point is not None and not scalar.quoted:
            return point, scalar.text
        quantity = defined_number(scalar)
        if quantity is None:
            if is_circular(scalar):
                raise LostError
            if not (scalar.word and scalar.frame.module.is_uncertain(scalar.word)):
                _no_point(scalar, attribute, report)
            raise LostError
        number, unit = quantity.number, quantity.unit
    _check_unit(unit, attribute, scalar, report)
    if not attribute.low <= number <= attribute.high:
        limits = range_text(attribute)
        message = f"`{attribute.name}` of {model} goes from {limits}; {scalar.text} lies outside"
        report.say("LACE203", message, scalar.at, frame)
        raise LostError
    return number, scalar.text


_UNITS_ELSEWHERE = {
    **dict.fromkeys(("y", "yo", "yr", "yrs", "year"), "years"),
    **dict.fromkeys(("d", "degree", "degrees", "rad", "radian", "radians"), "deg"),
}


def unit_hint(name: str) -> str | None:
    """Return the hint for a unit that there is not."""
    meant = _UNITS_ELSEWHERE.get(name.lower())
    if meant is None:
        return did_you_mean(name, UNITS, "the units are")
    turned = "; angles are in degrees" if name.lower().startswith("rad") else ""
    return f"write `{meant}`, or no unit at all{turned}"


def range_text(attribute: ir.ContinuousAttribute) -> str:
    """Return `-45 to 45 deg`."""
    unit = f" {attribute.unit}" if attribute.unit else ""
    return f"{number_text(attribute.low)} to {number_text(attribute.high)}{unit}"


def _no_point(scalar: Scalar, attribute: ir.ContinuousAttribute, report: Report) -> None:
    name = attribute.name
    message = f"`{name}` has no value called `{scalar.text}`"
    hint = did_you_mean(scalar.word or "", attribute.points)
    if scalar.quoted and (scalar.word in attribute.points or _is_number(scalar.word)):
        hint = "write it without quotes"
    if hint is None:
        named = ", ".join(attribute.points)
        hint = f"a number from {range_text(attribute)}" + (f", or one of {named}" if named else "")
    report.say("LACE104", message, scalar.at, scalar.frame, hint)


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and math.isfinite(float(text))
    except ValueError:
        return False


def _check_unit(
    unit: nodes.Word | None, attribute: ir.ContinuousAttribute, scalar: Scalar, report: Report
) -> None:
    if unit is None or unit.name == attribute.unit:
        return
    at = scalar.at.unit if isinstance(scalar.at, nodes.Quantity) else None
    if unit.name not in UNITS:
        hint = unit_hint(unit.name)
        report.say(
            "LACE105", f"there is no unit `{unit.name}`", at or scalar.at, scalar.frame, hint
        )
    elif attribute.unit is None:
        message = f"`{attribute.name}` is a number without a unit, not in {unit.name}"
        report.say("LACE202", message, at or scalar.at, scalar.frame, "leave the unit out")
    else:
        message = f"`{attribute.name}` is in {attribute.unit}, not in {unit.name}"
        hint = f"write `{attribute.unit}`, or no unit at all"
        report.say("LACE202", message, at or scalar.at, scalar.frame, hint)
    raise LostError
