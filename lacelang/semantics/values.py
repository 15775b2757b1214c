"""Values: numbers, units, names of classes and points; and weights and temperatures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from attrs import evolve, frozen

from lacelang import ir
from lacelang.errors import Span
from lacelang.semantics.context import Frame, LostError, Report, did_you_mean
from lacelang.syntax import nodes
from lacelang.syntax.grammar import UNITS
from lacelang.text.numerals import number_text

_CHAIN = 100
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*", re.IGNORECASE)


@frozen
class Scalar:
    """A value after loops and parameters are filled in.

    Attributes:
        quantity: None if it is a name or a text.
        word: the name or the text, None for a number.
        text: as it would be written.
        at: where diagnostics about it stand.
        frame: of `at`, or of the name.
        quoted: it was in quotes, and so is no name of a value.
    """

    quantity: nodes.Quantity | None
    word: str | None
    text: str
    at: nodes.Node
    frame: Frame
    quoted: bool = False

    @property
    def unit_at(self) -> nodes.Node:
        """Where diagnostics about the unit stand."""
        return (self.at.unit if isinstance(self.at, nodes.Quantity) else None) or self.at

    def has_been_reported(self, report: Report) -> bool:
        """Whether nothing need be said of a name that stands for no number."""
        module, word = self.frame.module, self.word or ""
        definition = module.find(word)
        circular = definition is not None and definition.circular
        return circular or report.full or module.is_uncertain(word)


def settle(value: nodes.Value | nodes.Reference, frame: Frame, report: Report) -> Scalar:
    """Fill in loop variables and parameters; a name that is neither stays a name.

    Raises:
        LostError: it stands for a condition, or for a parameter that has no value yet.
    """
    here: nodes.Node = value
    where = frame
    for _ in range(_CHAIN):
        if isinstance(here, nodes.Reference):
            here = here.name
        binding = where.bindings.get(here.name) if isinstance(here, nodes.Word) else None
        if binding is None:
            break
        binding.used = True
        if binding.argument is None:
            raise LostError
        here, where = binding.argument, binding.frame
    if isinstance(here, nodes.Quantity):
        text = here.text if here.unit is None else f"{here.text} {here.unit.name}"
        return Scalar(here, None, text, value, frame)
    if isinstance(here, nodes.Word):
        return Scalar(None, here.name, here.name, value, where)
    if isinstance(here, nodes.Text):
        return Scalar(None, here.name, f'"{here.name}"', value, frame, quoted=True)
    raise report.say("LACE118", "a value is wanted here, not a condition", here, where)


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


def plain_number(value: nodes.Value, frame: Frame, report: Report, what: str) -> float:
    """Return a number without a unit, for clauses and settings; see `plain_quantity`."""
    return plain_quantity(value, frame, report, what).number


def plain_quantity(value: nodes.Value, frame: Frame, report: Report, what: str) -> nodes.Quantity:
    """Return a number without a unit, as it is written; `what` it is for, e.g. `truncation`.

    Raises:
        LostError: it is no such number, which has been reported.
    """
    scalar = settle(value, frame, report)
    quantity = scalar.quantity or defined_number(scalar)
    if quantity is None:
        if scalar.has_been_reported(report):
            raise LostError
        named = scalar.frame.module.named.items()
        numbers = (n for n, d in named if isinstance(d.body, nodes.Quantity))
        hint = did_you_mean(scalar.word or "", (*scalar.frame.bindings, *numbers))
        message = f"{what} wants a number, and `{scalar.text}` is none"
        raise report.say("LACE118", message, scalar.at, scalar.frame, hint)
    if quantity.unit is not None:
        raise report.say("LACE202", f"{what} has no unit", scalar.unit_at, frame, "leave it out")
    if not math.isfinite(quantity.number):
        raise report.say("LACE205", f"{scalar.text} is too large a number", scalar.at, frame)
    return quantity


def measured(
    value: nodes.Value, attribute: ir.ContinuousAttribute, model: str, frame: Frame, report: Report
) -> tuple[float, str]:
    """Return a value of a continuous attribute in its own unit, and its text.

    Raises:
        LostError: it is no value of the attribute, which has been reported.
    """
    scalar = settle(value, frame, report)
    point = None if scalar.quoted else attribute.points.get(scalar.word or "")
    if point is not None:
        return point, scalar.text
    quantity = scalar.quantity or defined_number(scalar)
    if quantity is None:
        if scalar.has_been_reported(report):
            raise LostError
        message = f"`{attribute.name}` has no value called `{scalar.text}`"
        hint = _hint_at_points(scalar, attribute)
        raise report.say("LACE104", message, scalar.at, scalar.frame, hint)
    _check_unit(quantity.unit, attribute, scalar, report)
    if not attribute.low <= quantity.number <= attribute.high:
        limits = range_text(attribute)
        message = f"`{attribute.name}` of {model} goes from {limits}; {scalar.text} lies outside"
        raise report.say("LACE203", message, scalar.at, frame)
    return quantity.number, scalar.text


def range_text(attribute: ir.ContinuousAttribute) -> str:
    """Return `-45 to 45 deg`."""
    unit = f" {attribute.unit}" if attribute.unit else ""
    return f"{number_text(attribute.low)} to {number_text(attribute.high)}{unit}"


def _hint_at_points(scalar: Scalar, attribute: ir.ContinuousAttribute) -> str:
    word = scalar.word or ""
    if scalar.quoted and (word in attribute.points or _NUMBER.fullmatch(word)):
        return "write it without quotes"
    names = ", ".join(attribute.points)
    listed = f"a number from {range_text(attribute)}" + (f", or one of {names}" if names else "")
    return did_you_mean(word, attribute.points) or listed


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


def _check_unit(
    unit: nodes.Word | None, attribute: ir.ContinuousAttribute, scalar: Scalar, report: Report
) -> None:
    if unit is None or unit.name == attribute.unit:
        return
    code = "LACE202"
    hint: str | None = "leave the unit out"
    if unit.name not in UNITS:
        code, hint = "LACE105", unit_hint(unit.name)
        message = f"there is no unit `{unit.name}`"
    elif attribute.unit is None:
        message = f"`{attribute.name}` is a number without a unit, not in {unit.name}"
    else:
        message = f"`{attribute.name}` is in {attribute.unit}, not in {unit.name}"
        hint = f"write `{attribute.unit}`, or no unit at all"
    raise report.say(code, message, scalar.unit_at, scalar.frame, hint)


WEAKEST, STRONGEST = 1e-9, 1e9
"""Bounds of every weight, temperature and strength, and of what nested ones multiply to.

The energies of logits up to 1e4, and the squares of their gradients, stay finite.
"""

LIMITS = f"{WEAKEST:g}", f"{STRONGEST:g}"
"""The same, as messages say them."""


def in_bounds(value: float) -> bool:
    """Whether float32 energies can be multiplied and divided by `value`."""
    return WEAKEST <= value <= STRONGEST


def beyond_bounds(
    predicate: ir.Predicate, options: ir.ConditionOptions
) -> tuple[Span, float] | None:
    """Return where an energy is multiplied by too much or too little, and by what; None if nowhere.

    `options` are those of the condition's statement.
    """
    negation = options.negation
    contrast = negation[1] if negation[0] == "contrast" else 1.0
    for atom, factor in _factors(predicate, 1.0, contrast):
        own = atom.temp
        if isinstance(atom, ir.ClassComparison):
            plain, logit = ir.temperatures(atom, options)
            own = logit if plain is None else plain
        factor = _divided(factor, own)
        if not in_bounds(factor):
            return atom.span, factor
    return None


def _factors(
    predicate: ir.Predicate, factor: float, contrast: float
) -> Iterator[tuple[ir.Predicate, float]]:
    """Yield the comparisons, and what multiplies the energy of each."""
    if predicate.weight == 0:
        return  # it is taken away
    factor *= predicate.weight
    if isinstance(predicate, ir.Comparison):
        yield predicate, factor
        return
    if isinstance(predicate, ir.Not):
        factor *= contrast
    for term in predicate.children:
        # The weights of an `or` are odds: they multiply no energy.
        odds = isinstance(predicate, ir.Or) and term.weight > 0
        inner = evolve(term, weight=1.0) if odds else term
        yield from _factors(inner, _divided(factor, predicate.temp), contrast)


def _divided(factor: float, temp: float | None) -> float:
    if temp is None:
        return factor
    # The temperatures of nested brackets multiply, and may have come to 0.
    return factor / temp if temp else math.inf


@frozen
class Settings:
    """What stands in square brackets behind a condition.

    Attributes:
        weight: 1 if none is given; `weight_at` is where it stands.
        temp, logit: at most one of them is set; `temp_at` is where it stands.
        text: for display.
    """

    weight: float = 1.0
    weight_at: nodes.Setting | None = None
    temp: float | None = None
    logit: float | None = None
    temp_at: nodes.Setting | None = None
    text: str = ""


def settings_of(node: nodes.Tuned, frame: Frame, report: Report) -> Settings:
    """Return the settings of `node`.

    Raises:
        LostError: one of them is wrong, which has been reported.
    """
    first: dict[str, nodes.Setting] = {}
    shown: list[str] = []
    lost = False
    weight, temp, logit = 1.0, None, None
    for setting in node.settings:
        keyword = setting.keyword
        if first.setdefault(keyword, setting) is not setting:
            message = f"`{keyword}` is given twice in one pair of brackets"
            report.say("LACE304", message, setting, frame, "keep one of them")
            continue
        try:
            if keyword == "weight":
                weight = _weight(setting, frame, report)
                shown.append(f"weight {number_text(weight)}")
            else:
                temp, logit = temperature(setting, frame, report)
                value = number_text(temp or logit or 1.0)
                shown.append(f"temp {value if logit is None else f'logit({value})'}")
        except LostError:
            lost = True
    if lost:
        raise LostError
    text = f"[{', '.join(shown)}]"
    return Settings(weight, first.get("weight"), temp, logit, first.get("temp"), text)


def temperature(
    setting: nodes.Setting, frame: Frame, report: Report
) -> tuple[float | None, float | None]:
    """Return the temperature of a setting as (plain, of the logits), one of them None.

    Raises:
        LostError: it is wrong, which has been reported.
    """
    form = setting.form
    if form is not None and form.name != "logit":
        hint = did_you_mean(form.name, ("logit",)) or "write `temp 0.5` or `temp logit(0.5)`"
        raise report.say("LACE109", f"`temp` does not know `{form.name}`", form, frame, hint)
    value = plain_number(setting.value, frame, report, "`temp`")
    said = number_text(value)
    if value <= 0:
        message = f"a temperature lies above 0; {said} does not"
        hint = "below 1 makes a condition stricter, above 1 looser"
        raise report.say("LACE208", message, setting.value, frame, hint)
    if not in_bounds(value):
        message = f"a temperature goes from {LIMITS[0]} to {LIMITS[1]}; {said} lies outside"
        raise report.say("LACE208", message, setting.value, frame)
    return (value, None) if form is None else (None, value)


def _weight(setting: nodes.Setting, frame: Frame, report: Report) -> float:
    value = plain_number(setting.value, frame, report, "`weight`")
    if value == 0:
        report.say("LACE503", "weight 0 takes this condition away", setting, frame)
    elif value < 0:
        message = f"a weight is 0 or more; {number_text(value)} is less"
        hint = "to ask for the opposite, write `not`"
        raise report.say("LACE207", message, setting.value, frame, hint)
    elif not in_bounds(value):
        said = number_text(value)
        message = f"a weight is 0, or goes from {LIMITS[0]} to {LIMITS[1]}; {said} lies outside"
        raise report.say("LACE207", message, setting.value, frame)
    return value
