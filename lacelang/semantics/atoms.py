"""Comparisons of one attribute: what each operator means for each kind of attribute."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TypeAlias

from attrs import frozen

from lacelang import ir
from lacelang.semantics.context import (
    Frame,
    Hint,
    LostError,
    Suggestion,
    all_of,
    did_you_mean,
)
from lacelang.semantics.drawn import choices
from lacelang.semantics.models import unit_hint
from lacelang.semantics.values import Limits, Scalar, limited, settle
from lacelang.syntax import nodes
from lacelang.syntax.build import between
from lacelang.syntax.grammar import UNITS
from lacelang.text.numerals import number_text

DiscreteAttribute: TypeAlias = ir.BinaryAttribute | ir.ChoiceAttribute

_NARROWEST = 1e-3
"""The least width of a range, in the paper's sigma of the attribute: a narrower one is a value."""

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*", re.IGNORECASE)

_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "y", "t", "1", "with", "present"), 1),
    **dict.fromkeys(("false", "no", "off", "n", "f", "0", "none", "without", "absent"), 0),
}
"""What people write for a yes-or-no attribute, and the value that they mean."""


@frozen(eq=False)
class Comparisons:
    """Turns the comparisons of one model's attributes into predicates.

    Every method raises `LostError` where it has reported an error instead.
    """

    model: ir.ModelSpec

    @cached_property
    def _attributes(self) -> dict[str, ir.Attribute]:
        return {attribute.name: attribute for attribute in self.model.attributes}

    @cached_property
    def _classes_of(self) -> dict[str, dict[str, int]]:
        """By attribute the numbers of its classes, by their names."""
        return {a.name: {v: i for i, v in enumerate(a.values)} for a in self.model.attributes}

    def attribute(self, word: nodes.Word, frame: Frame) -> ir.Attribute:
        """Return the attribute called `word`."""
        found = self._attributes.get(word.name)
        if found is not None:
            return found
        model = self.model.name
        if word.name in self.model.damaged:
            message = f"{model} was taught `{word.name}`, but {self.model.damaged[word.name]}"
            hint_ = f"teach {model} `{word.name}` again, in place of the file"
            raise frame.say("LACE102", message, word, hint_)

        def hint() -> str | None:
            if frame.module.find(word.name) is not None:
                return f"`{word.name}` is a definition; it stands alone, without a comparison"
            return did_you_mean(word.name, self._attributes, f"{model} has:")

        raise frame.say("LACE102", f"{model} has no attribute `{word.name}`", word, hint)

    def resolve(self, node: nodes.Atom, attribute: ir.Attribute, frame: Frame) -> ir.Predicate:
        """Return what a comparison of the attribute says."""
        if isinstance(attribute, ir.ContinuousAttribute):
            if isinstance(node, nodes.InRange):
                return self._range(node, attribute, frame)
            if isinstance(node, nodes.InSet):
                return self._points(node, attribute, frame)
            if isinstance(node, nodes.DrawnFromRange):
                return self._drawn_number(node, attribute, frame)
            if isinstance(node, nodes.DrawnFromSet):
                return self._drawn_point(node, attribute, frame)
            return self._compare_numbers(node, attribute, frame)
        if isinstance(node, nodes.DrawnFromSet):
            return self._drawn_class(node, attribute, frame)
        if isinstance(node, nodes.InRange | nodes.DrawnFromRange):
            several = ", ".join(attribute.values)
            message = f"`{attribute.name}` has no range: it is one of {several}"
            some = ", ".join(attribute.values[:2])
            drawn = isinstance(node, nodes.DrawnFromRange)
            written = f"{attribute.name} {'= each' if drawn else 'in'} {{{some}}}"
            raise frame.say("LACE201", message, node, f"write `{written}`")
        if isinstance(node, nodes.InSet):
            return self._classes(node, attribute, frame)
        return self._compare_classes(node, attribute, frame)

    # Classes

    def _compare_classes(
        self, node: nodes.Comparison, attribute: DiscreteAttribute, frame: Frame
    ) -> ir.Predicate:
        name, span = attribute.name, frame.span_of(node)
        if node.operator in ("=", "!="):
            cls, shown = self._class_of(node.value, attribute, frame)
            classes = frozenset({cls})
            if node.operator == "!=":
                classes = frozenset(range(len(attribute.values))) - classes
            text = _written(attribute, node.operator, shown)
            return ir.Discrete(attribute, classes, text=text, span=span)
        binary = isinstance(attribute, ir.BinaryAttribute)
        if node.operator != "~":
            message = f"the values of `{name}` have no order"
            hint = f"write `{name}={attribute.values[0]}`, or `{name} in {{…}}`"
            if binary:
                message = f"`{name}` is 0 or 1 and has no order"
                hint = f"write `{name}=1`, or `{name} ~ 0.6` for a degree"
            raise frame.say("LACE201", message, node, hint)
        if not binary:
            message = f"`~` gives the degree of a yes-or-no attribute; `{name}` is one of several"
            raise frame.say("LACE201", message, node, f"write `{_some(attribute)}`")
        degree = limited(node.value, "a degree", Limits("LACE206", 0, 1), frame)
        return ir.Degree(attribute, 1, degree, span=span)

    def _class_of(
        self, value: nodes.Value, attribute: DiscreteAttribute, frame: Frame
    ) -> tuple[int, str]:
        scalar = settle(value, frame)
        if isinstance(attribute, ir.ChoiceAttribute):
            cls = self._classes_of[attribute.name].get(scalar.word or "")
            if cls is not None and scalar.word is not None and not scalar.quoted:
                return cls, scalar.word
            raise self._no_class(scalar, attribute)
        quantity = scalar.number
        if quantity is None or quantity.number not in (0, 1) or quantity.unit is not None:
            raise self._no_class(scalar, attribute)
        return int(quantity.number), number_text(quantity.number)

    def _no_class(self, scalar: Scalar, attribute: DiscreteAttribute) -> LostError:
        if scalar.word is not None and scalar.frame.module.is_uncertain(scalar.word):
            return LostError()
        hint: Hint
        if isinstance(attribute, ir.BinaryAttribute):
            meant = _TRUTH.get((scalar.word or "").lower())
            hint = "it is 0 or 1"
            if meant is not None:
                written = f"{attribute.name}={meant}"
                hint = Suggestion(f"write `{written}`", str(meant), scalar.text)
            if scalar.quantity is not None and 0 < scalar.quantity.number < 1:
                hint = f"it is 0 or 1; for a degree, write `{attribute.name} ~ {scalar.text}`"
        elif scalar.quoted and scalar.word in attribute.values:
            hint = Suggestion("write it without quotes", scalar.word, scalar.text)
        else:

            def hint() -> str | None:
                return did_you_mean(scalar.word or "", attribute.values, "it is one of")

        message = f"`{attribute.name}` has no value `{scalar.text}`"
        return scalar.frame.say("LACE104", message, scalar.at, hint)

    def _classes(
        self, node: nodes.InSet, attribute: DiscreteAttribute, frame: Frame
    ) -> ir.Predicate:
        classes: set[int] = set()

        def read(value: nodes.Value) -> str:
            cls, text = self._class_of(value, attribute, frame)
            if cls in classes:
                _say_twice(value, text, frame)
            classes.add(cls)
            return text

        shown = all_of(read, node.values)
        text = f"{attribute.name} in {{{', '.join(shown)}}}"
        if len(classes) == len(attribute.values):
            frame.say("LACE502", f"`{text}` always holds: it names every value", node)
        return ir.Discrete(attribute, frozenset(classes), text=text, span=frame.span_of(node))

    def _drawn_class(
        self, node: nodes.DrawnFromSet, attribute: DiscreteAttribute, frame: Frame
    ) -> ir.Predicate:
        def read(value: nodes.Value) -> tuple[int, str]:
            return self._class_of(value, attribute, frame)

        return ir.DrawnClass(attribute, choices(node, read, frame), span=frame.span_of(node))

    # Numbers

    def _compare_numbers(
        self, node: nodes.Comparison, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        name, span = attribute.name, frame.span_of(node)
        value, shown = self._measured(node.value, attribute, frame)
        if node.operator == "~":
            message = f"`~` gives the degree of a yes-or-no attribute; `{name}` is measured"
            written = f"{name}={shown}"
            hint = Suggestion(f"write `{written}`", written, span=node.span)
            raise frame.say("LACE201", message, node, hint)
        text = _written(attribute, node.operator, shown)
        if node.operator == "=":
            return ir.Equals(attribute, value, text=text, span=span)
        if node.operator == "!=":
            equal = ir.Equals(attribute, value, text=f"{name}={shown}", span=span)
            return ir.Not(equal, text=text, span=span)
        above = node.operator in (">", ">=")
        # As `age >= 0` and `age < 0` are, where ages go from 0.
        limits = f"`{name}` goes from {_range_text(attribute)}"
        if value == (attribute.low if above else attribute.high):
            frame.say("LACE502", f"`{text}` always holds: {limits}", node)
        elif value == (attribute.high if above else attribute.low) and len(node.operator) == 1:
            frame.say("LACE501", f"`{text}` can never hold: {limits}", node)
        return (ir.AtLeast if above else ir.AtMost)(attribute, value, text=text, span=span)

    def _range(
        self, node: nodes.InRange, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        low, high, shown = self._ends(node, attribute, frame)
        text = f"{attribute.name} in {shown}"
        if (low, high) == attribute.limits:
            frame.say("LACE502", f"`{text}` always holds: it is the whole range", node)
        return ir.Between(attribute, low, high, text=text, span=frame.span_of(node))

    def _ends(
        self,
        node: nodes.InRange | nodes.DrawnFromRange,
        attribute: ir.ContinuousAttribute,
        frame: Frame,
    ) -> tuple[float, float, str]:
        """Return the ends of a range, and its text."""
        name = attribute.name
        low, low_text = self._measured(node.low, attribute, frame)
        high, high_text = self._measured(node.high, attribute, frame)
        shown = f"{low_text}..{high_text}"
        ends = between(node.low, node.high)
        hint = Suggestion(f"write `{name}={low_text}`", f"{name}={low_text}", span=node.span)
        if low > high:
            # `10...20` is read as 10 .. .20, which is hardly meant.
            dots = high_text.startswith(".") and not low_text.startswith(".")
            turned = f"{high_text}..{low_text}"
            hint = Suggestion(f"write `{turned}`", turned, span=ends)
            if dots:
                turned = f"{low_text}..{high_text[1:]}"
                hint = Suggestion(f"write two dots, `{turned}`", turned, span=ends)
        if low >= high:
            raise frame.say("LACE204", f"the range {shown} is empty", node, hint)
        if high - low < attribute.paper_sigma * _NARROWEST:
            message = f"the range {shown} is too narrow to tell from one value"
            raise frame.say("LACE204", message, node, hint)
        return low, high, shown

    def _drawn_number(
        self, node: nodes.DrawnFromRange, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        low, high, shown = self._ends(node, attribute, frame)
        text = f"{attribute.name} = each {shown}"
        return ir.DrawnRange(attribute, low, high, text=text, span=frame.span_of(node))

    def _drawn_point(
        self, node: nodes.DrawnFromSet, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        def read(value: nodes.Value) -> tuple[float, str]:
            return self._measured(value, attribute, frame)

        return ir.DrawnValue(attribute, choices(node, read, frame), span=frame.span_of(node))

    def _points(
        self, node: nodes.InSet, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        name, span = attribute.name, frame.span_of(node)
        points: dict[float, str] = {}

        def read(value: nodes.Value) -> None:
            number, text = self._measured(value, attribute, frame)
            if number in points:
                _say_twice(value, text, frame)
            points[number] = text

        all_of(read, node.values)
        terms = [
            ir.Equals(attribute, number, text=f"{name}={text}", span=span)
            for number, text in points.items()
        ]
        if len(terms) == 1:
            return terms[0]
        text = f"{name} in {{{', '.join(points.values())}}}"
        return ir.Or(tuple(terms), text=text, span=span, is_set=True)

    def _measured(
        self, value: nodes.Value, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> tuple[float, str]:
        """Return a value of the attribute in its own unit, and its text."""
        scalar = settle(value, frame)
        name, word = attribute.name, scalar.word or ""
        if word in attribute.points and not scalar.quoted:
            return attribute.points[word], scalar.text
        quantity = scalar.wanted_number()
        if quantity is None:
            names = ", ".join(attribute.points)
            hint = f"a number from {_range_text(attribute)}{names and f', or one of {names}'}"
            hint = did_you_mean(word, attribute.points) or hint
            if scalar.quoted and (word in attribute.points or _NUMBER.fullmatch(word)):
                hint = Suggestion("write it without quotes", word, scalar.text)
            message = f"`{name}` has no value called `{scalar.text}`"
            raise scalar.frame.say("LACE104", message, scalar.at, hint)
        if quantity.unit is not None and quantity.unit.name != attribute.unit:
            raise _wrong_unit(quantity.unit, attribute, scalar)
        if not attribute.low <= quantity.number <= attribute.high:
            limits = f"`{name}` of {self.model.name} goes from {_range_text(attribute)}"
            raise frame.say("LACE203", f"{limits}; {scalar.text} lies outside", scalar.at)
        return quantity.number, scalar.text


def _wrong_unit(unit: nodes.Word, attribute: ir.ContinuousAttribute, scalar: Scalar) -> LostError:
    at, frame = scalar.unit_at, scalar.frame
    if unit.name not in UNITS:
        return frame.say("LACE105", f"there is no unit `{unit.name}`", at, unit_hint(unit.name))
    message = f"`{attribute.name}` is a number without a unit, not in {unit.name}"
    hint = Suggestion("leave the unit out", "", unit.name)
    if attribute.unit is not None:
        message = f"`{attribute.name}` is in {attribute.unit}, not in {unit.name}"
        meant = f"write `{attribute.unit}`, or no unit at all"
        hint = Suggestion(meant, attribute.unit, unit.name)
    return frame.say("LACE202", message, at, hint)


def _say_twice(value: nodes.Value, text: str, frame: Frame) -> None:
    frame.say("LACE514", f"`{text}` is in this set already", value)


def _range_text(attribute: ir.ContinuousAttribute) -> str:
    """Return `-45 to 45 deg`."""
    unit = f" {attribute.unit}" if attribute.unit else ""
    return f"{number_text(attribute.low)} to {number_text(attribute.high)}{unit}"


def _written(attribute: ir.Attribute, operator: str, value: str) -> str:
    space = "" if operator == "=" else " "
    return f"{attribute.name}{space}{operator}{space}{value}"


def _some(attribute: DiscreteAttribute) -> str:
    """A set of its values, for a hint."""
    return f"{attribute.name} in {{{', '.join(attribute.values[:2])}}}"
