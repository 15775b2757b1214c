"""Comparisons of one attribute: what each operator means for each kind of attribute."""

from __future__ import annotations

from typing import TypeAlias

from lacelang import ir
from lacelang.semantics.report import LostError, Report, did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.semantics.values import (
    Scalar,
    defined_number,
    measured,
    plain_number,
    range_text,
    settle,
)
from lacelang.syntax import nodes
from lacelang.text.numerals import number_text

DiscreteAttribute: TypeAlias = ir.BinaryAttribute | ir.ChoiceAttribute


_NARROWEST = 1e-3
"""The least width of a range, in the paper's sigma of the attribute: a narrower one is a value."""

_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "y", "t", "1", "with", "present"), 1),
    **dict.fromkeys(("false", "no", "off", "n", "f", "0", "none", "without", "absent"), 0),
}
"""What people write for a yes-or-no attribute, and the value that they mean."""


class Comparisons:
    """Turns the comparisons of one model's attributes to predicates.

    Every method raises `LostError` where it has reported an error instead.
    """

    def __init__(self, model: ir.ModelSpec, report: Report) -> None:
        self.model = model
        self.report = report

    def attribute(self, word: nodes.Word, frame: Frame) -> ir.Attribute:
        """Return the attribute called `word`."""
        for attribute in self.model.attributes:
            if attribute.name == word.name:
                return attribute
        model = self.model.name
        hint = did_you_mean(word.name, (a.name for a in self.model.attributes), f"{model} has:")
        if frame.module.find(word.name) is not None:
            hint = f"`{word.name}` is a definition; it stands alone, without a comparison"
        message = f"{model} has no attribute `{word.name}`"
        self.report.say("LACE102", message, word, frame, hint)
        raise LostError

    def compare(
        self, node: nodes.Comparison, attribute: ir.Attribute, frame: Frame
    ) -> ir.Predicate:
        """`a = v` and the other operators."""
        if isinstance(attribute, ir.ContinuousAttribute):
            return self._compare_continuous(node, attribute, frame)
        if node.operator == "~":
            return self._degree(node, attribute, frame)
        if node.operator not in ("=", "!="):
            self._no_order(node, attribute, frame)
        cls, shown = self._class_of(node.value, attribute, frame)
        classes = {cls}
        if node.operator == "!=":
            classes = set(range(len(attribute.values))) - classes
        space = "" if node.operator == "=" else " "
        text = f"{attribute.name}{space}{node.operator}{space}{shown}"
        return ir.Discrete(attribute, frozenset(classes), text=text)

    def _compare_continuous(
        self, node: nodes.Comparison, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        if node.operator == "~":
            message = (
                f"`~` gives the degree of a yes-or-no attribute; `{attribute.name}` is measured"
            )
            _, shown = measured(node.value, attribute, self.model.name, frame, self.report)
            self.report.say("LACE201", message, node, frame, f"write `{attribute.name}={shown}`")
            raise LostError
        value, shown = measured(node.value, attribute, self.model.name, frame, self.report)
        space = "" if node.operator == "=" else " "
        text = f"{attribute.name}{space}{node.operator}{space}{shown}"
        if node.operator == "=":
            return ir.Equals(attribute, value, text=text)
        if node.operator == "!=":
            equal = ir.Equals(attribute, value, text=f"{attribute.name}={shown}")
            return ir.Not(equal, text=text)
        self._warn_at_the_end(node, attribute, value, text, frame)
        if node.operator in (">", ">="):
            return ir.AtLeast(attribute, value, text=text)
        return ir.AtMost(attribute, value, text=text)

    def _warn_at_the_end(
        self,
        node: nodes.Comparison,
        attribute: ir.ContinuousAttribute,
        value: float,
        text: str,
        frame: Frame,
    ) -> None:
        """Warn of `age < 0` and `age >= 0`, where ages go from 0."""
        above = node.operator in (">", ">=")
        limits = f"`{attribute.name}` goes from {range_text(attribute)}"
        if value == (attribute.low if above else attribute.high):
            self.report.say("LACE502", f"`{text}` always holds: {limits}", node, frame)
        elif value == (attribute.high if above else attribute.low) and len(node.operator) == 1:
            self.report.say("LACE501", f"`{text}` can never hold: {limits}", node, frame)

    def _degree(
        self, node: nodes.Comparison, attribute: DiscreteAttribute, frame: Frame
    ) -> ir.Predicate:
        name = attribute.name
        if isinstance(attribute, ir.ChoiceAttribute):
            message = f"`~` gives the degree of a yes-or-no attribute; `{name}` is one of several"
            some = ", ".join(attribute.values[:2])
            self.report.say("LACE201", message, node, frame, f"write `{name} in {{{some}}}`")
            raise LostError
        degree = plain_number(node.value, frame, self.report, "a degree")
        if not 0 <= degree <= 1:
            message = f"a degree lies between 0 and 1; {number_text(degree)} does not"
            self.report.say("LACE206", message, node.value, frame)
            raise LostError
        return ir.Degree(attribute, 1, degree, text=f"{name} ~ {number_text(degree)}")

    def _no_order(self, node: nodes.Comparison, attribute: DiscreteAttribute, frame: Frame) -> None:
        name = attribute.name
        if isinstance(attribute, ir.BinaryAttribute):
            message = f"`{name}` is 0 or 1 and has no order"
            hint = f"write `{name}=1`, or `{name} ~ 0.6` for a degree"
        else:
            message = f"the values of `{name}` have no order"
            hint = f"write `{name}={attribute.values[0]}`, or `{name} in {{…}}`"
        self.report.say("LACE201", message, node, frame, hint)
        raise LostError

    def _class_of(
        self, value: nodes.Value, attribute: DiscreteAttribute, frame: Frame
    ) -> tuple[int, str]:
        scalar = settle(value, frame, self.report)
        number, unit = scalar.number, scalar.unit
        if isinstance(attribute, ir.ChoiceAttribute):
            if scalar.word in attribute.values and not scalar.quoted:
                return attribute.values.index(scalar.word), scalar.word
            return self._no_class(scalar, attribute)
        if number is None:
            quantity = defined_number(scalar)
            if quantity is not None:
                number, unit = quantity.number, quantity.unit
        if number not in (0, 1) or unit is not None:
            return self._no_class(scalar, attribute)
        return int(number), number_text(number)

    def _no_class(self, scalar: Scalar, attribute: DiscreteAttribute) -> tuple[int, str]:
        if scalar.word is not None and scalar.frame.module.is_uncertain(scalar.word):
            raise LostError
        message = f"`{attribute.name}` has no value `{scalar.text}`"
        if isinstance(attribute, ir.BinaryAttribute):
            hint: str | None = "it is 0 or 1"
            meant = _TRUTH.get((scalar.word or "").lower())
            if meant is not None:
                hint = f"write `{attribute.name}={meant}`"
            if scalar.number is not None and 0 < scalar.number < 1:
                hint = f"it is 0 or 1; for a degree, write `{attribute.name} ~ {scalar.text}`"
        elif scalar.quoted and scalar.word in attribute.values:
            hint = "write it without quotes"
        else:
            hint = did_you_mean(scalar.word or "", attribute.values, "it is one of")
        self.report.say("LACE104", message, scalar.at, scalar.frame, hint)
        raise LostError

    def in_range(self, node: nodes.InRange, attribute: ir.Attribute, frame: Frame) -> ir.Predicate:
        """`a in low..high`."""
        name = attribute.name
        if not isinstance(attribute, ir.ContinuousAttribute):
            message = f"`{name}` has no range: it is one of {', '.join(attribute.values)}"
            some = ", ".join(attribute.values[:2])
            self.report.say("LACE201", message, node, frame, f"write `{name} in {{{some}}}`")
            raise LostError
        (low, low_text), (high, high_text) = (
            measured(v, attribute, self.model.name, frame, self.report)
            for v in (node.low, node.high)
        )
        if low >= high:
            hint = f"write `{name}={low_text}`"
            if low > high:
                # `10...20` is read as 10 .. .20, which nobody means.
                dots = high_text.startswith(".") and not low_text.startswith(".")
                hint = f"write `{high_text}..{low_text}`"
                hint = f"write two dots, `{low_text}..{high_text[1:]}`" if dots else hint
            message = f"the range {low_text}..{high_text} is empty"
            self.report.say("LACE204", message, node, frame, hint)
            raise LostError
        if high - low < attribute.paper_sigma * _NARROWEST:
            message = f"the range {low_text}..{high_text} is too narrow to tell from one value"
            self.report.say("LACE204", message, node, frame, f"write `{name}={low_text}`")
            raise LostError
        text = f"{name} in {low_text}..{high_text}"
        if (low, high) == (attribute.low, attribute.high):
            self.report.say("LACE502", f"`{text}` always holds: it is all there is", node, frame)
        return ir.Between(attribute, low, high, text=text)

    def in_set(self, node: nodes.InSet, attribute: ir.Attribute, frame: Frame) -> ir.Predicate:
        """`a in {u, v}`."""
        if isinstance(attribute, ir.ContinuousAttribute):
            return self._among_points(node, attribute, frame)
        classes: set[int] = set()
        shown: list[str] = []
        lost = False
        for value in node.values:
            try:
                cls, text = self._class_of(value, attribute, frame)
            except LostError:
                lost = True
                continue
            if cls in classes:
                self._said_twice(value, text, frame)
            classes.add(cls)
            shown.append(text)
        if lost:
            raise LostError
        text = f"{attribute.name} in {{{', '.join(shown)}}}"
        if len(classes) == len(attribute.values):
            message = f"`{text}` always holds: it names every value"
            self.report.say("LACE502", message, node, frame)
        return ir.Discrete(attribute, frozenset(classes), text=text)

    def _among_points(
        self, node: nodes.InSet, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        points: dict[float, str] = {}
        for value in node.values:
            number, text = measured(value, attribute, self.model.name, frame, self.report)
            if number in points:
                self._said_twice(value, text, frame)
            points[number] = text
        name = attribute.name
        terms = tuple(
            ir.Equals(attribute, number, text=f"{name}={text}") for number, text in points.items()
        )
        text = f"{name} in {{{', '.join(points.values())}}}"
        return terms[0] if len(terms) == 1 else ir.Or(terms, text=text)

    def _said_twice(self, value: nodes.Value, text: str, frame: Frame) -> None:
        self.report.say("LACE514", f"`{text}` stands in this set already", value, frame)
