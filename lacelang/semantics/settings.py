"""Weights and temperatures: how they are written, and how strong they may make a condition."""

from __future__ import annotations

import math
from collections.abc import Iterator

from attrs import evolve, frozen

from lacelang import ir
from lacelang.errors import Span
from lacelang.semantics.report import LostError, Report, did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.semantics.values import plain_number
from lacelang.syntax import nodes
from lacelang.text.numerals import number_text

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
