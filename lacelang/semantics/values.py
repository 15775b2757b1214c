"""Values: numbers and names, with loops, parameters and definitions filled in; and settings.

The functions raise `LostError` where they have reported an error instead.
"""

from __future__ import annotations

import math

from attrs import define, frozen

from lacelang.semantics.context import Frame, LostError, Suggestion, all_of, did_you_mean
from lacelang.syntax import nodes
from lacelang.text.numerals import number_text

_CHAIN = 100


@frozen
class Scalar:
    """A value after loops and parameters are filled in: a number, or a `word` or text in quotes.

    `text` is its source form. Diagnostics are reported `at` a node, in its frame or the name's.
    """

    quantity: nodes.Quantity | None
    word: str | None
    text: str
    at: nodes.Node
    frame: Frame
    quoted: bool = False

    @property
    def unit_at(self) -> nodes.Node:
        """The node that diagnostics about the unit are reported at."""
        return (self.at.unit if isinstance(self.at, nodes.Quantity) else None) or self.at

    @property
    def number(self) -> nodes.Quantity | None:
        """The number that it is, or that a `let` gives to its name; that is used then."""
        name = None if self.quoted else self.word
        module = self.frame.module
        for _ in range(_CHAIN):
            definition = module.find(name) if name is not None else None
            if definition is None:
                break
            definition.used = True
            body = definition.body
            if isinstance(body, nodes.Quantity):
                return body
            if not isinstance(body, nodes.Reference) or definition.parameters:
                break
            name, module = body.name.name, definition.module
        return self.quantity

    def wanted_number(self) -> nodes.Quantity | None:
        """Return `number`; None if it is none, and `LostError` if that is reported already."""
        quantity, word = self.number, self.word or ""
        definition = self.frame.module.find(word)
        circular = definition is not None and definition.circular
        if quantity is None and (circular or self.frame.is_known_wrong(word)):
            raise LostError
        return quantity


def settle(value: nodes.Value | nodes.Reference, frame: Frame) -> Scalar:
    """Fill in loop variables and parameters; a name that is neither stays a name."""
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
    raise where.say("LACE118", "a value is needed here, not a condition", here)


def plain_number(value: nodes.Value, frame: Frame, what: str) -> float:
    """Return a number without a unit; see `plain_quantity`."""
    return plain_quantity(value, frame, what).number


def plain_quantity(value: nodes.Value, frame: Frame, what: str) -> nodes.Quantity:
    """Return a number without a unit, as it is written; `what` it is for, e.g. `truncation`."""
    scalar = settle(value, frame)
    quantity = scalar.wanted_number()
    if quantity is None:

        def hint() -> str | None:
            named = scalar.frame.module.named.items()
            numbers = (n for n, d in named if isinstance(d.body, nodes.Quantity))
            return did_you_mean(scalar.word or "", (*scalar.frame.bindings, *numbers))

        message = f"{what} needs a number, and `{scalar.text}` is not one"
        raise scalar.frame.say("LACE118", message, scalar.at, hint)
    if quantity.unit is not None:
        bare = Suggestion("leave it out", "", quantity.unit.name)
        raise frame.say("LACE202", f"{what} has no unit", scalar.unit_at, bare)
    if not math.isfinite(quantity.number):
        raise frame.say("LACE205", f"{scalar.text} is too large a number", scalar.at)
    return quantity


WEAKEST, STRONGEST = 1e-9, 1e9
"""Bounds of every weight, temperature and strength, and of what nested ones multiply to.

The energies of logits up to 1e4, and the squares of their gradients, stay finite.
"""


@frozen
class Limits:
    """What a number may be, and the code and hint of the diagnostic where it is something else.

    It goes from `low`, which is left out if `above` is true, to `high`. What lies between 0 and
    `least` is too little for float32.
    """

    code: str
    low: float
    high: float
    hint: str | None = None
    above: bool = False
    whole: bool = False
    least: float = 0.0

    def check(self, number: float, what: str, at: nodes.Node, frame: Frame) -> None:
        """Report another number than these, and raise `LostError`."""
        low, high, least = (
            str(bound) if isinstance(bound, int) else f"{bound:g}"
            for bound in (self.low, self.high, self.least)
        )
        within = self.low <= number <= self.high and not (self.above and number == self.low)
        if within and 0 < number < self.least:
            wanted = f"at least {least}" if self.above else f"0, or at least {least}"
        elif within and (not self.whole or float(number).is_integer()):
            return
        else:
            wanted = f"above {low} and at most {high}" if self.above else f"from {low} to {high}"
            wanted = f"a whole number {wanted}" if self.whole else wanted
        message = f"{what} must be {wanted}, not {number_text(number)}"
        raise frame.say(self.code, message, at, self.hint)


def limited(value: nodes.Value, what: str, limits: Limits, frame: Frame) -> float:
    """Return a number without a unit, within its limits."""
    number = plain_number(value, frame, what)
    limits.check(number, what, value, frame)
    return number


_STRICTER = "below 1 makes a condition stricter, above 1 looser"
_TEMP = Limits("LACE208", 0, STRONGEST, _STRICTER, above=True, least=WEAKEST)
_OPPOSITE = "0 takes the condition away; to ask for the opposite, write `not`"
_WEIGHT = Limits("LACE207", 0, STRONGEST, _OPPOSITE, least=WEAKEST)


@define
class Settings:
    """The settings in square brackets after a condition, and where; `text` is for display.

    At most one of `temp` and `logit` is set.
    """

    weight: float = 1.0
    weight_at: nodes.Setting | None = None
    temp: float | None = None
    logit: float | None = None
    temp_at: nodes.Setting | None = None
    text: str = ""


def settings_of(node: nodes.Tuned, frame: Frame) -> Settings:
    """Return what the brackets say."""
    found = Settings()
    shown: list[str] = []

    def read(setting: nodes.Setting) -> None:
        keyword = setting.keyword
        if (found.weight_at if keyword == "weight" else found.temp_at) is not None:
            message = f"`{keyword}` is given twice in one pair of brackets"
            frame.say("LACE304", message, setting, "keep one of them")
        elif keyword == "weight":
            found.weight_at = setting
            found.weight = _weight(setting, frame)
            shown.append(f"weight {number_text(found.weight)}")
        else:
            found.temp_at = setting
            found.temp, found.logit = temperature(setting, frame)
            value = number_text(found.temp or found.logit or 1.0)
            shown.append(f"temp {value if found.logit is None else f'logit({value})'}")

    all_of(read, node.settings)
    found.text = f"[{', '.join(shown)}]"
    return found


def temperature(setting: nodes.Setting, frame: Frame) -> tuple[float | None, float | None]:
    """Return the temperature of a setting as (plain, of the logits), one of them None."""
    form = setting.form
    if form is not None and form.name != "logit":
        hint = did_you_mean(form.name, ("logit",)) or "write `temp 0.5` or `temp logit(0.5)`"
        raise frame.say("LACE109", f"`temp` does not know `{form.name}`", form, hint)
    value = limited(setting.value, "`temp`", _TEMP, frame)
    return (value, None) if form is None else (None, value)


def _weight(setting: nodes.Setting, frame: Frame) -> float:
    value = limited(setting.value, "`weight`", _WEIGHT, frame)
    if value == 0:
        frame.say("LACE503", "weight 0 takes this condition away", setting)
    return value
