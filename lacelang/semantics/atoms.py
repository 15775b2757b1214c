"""Comparisons of one attribute: what each operator means for each kind of attribute."""

from __future__ import annotations

from typing import TypeAlias

from lacelang import ir
from lacelang.errors import Span
from lacelang.semantics.context import Frame, LostError, Report, did_you_mean
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


def span_in_program(node: nodes.Node, frame: Frame) -> Span:
    """Return the span in the program itself, wherever the node comes from."""
    return frame.site.span if frame.site is not None else node.span


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
        raise self.report.say("LACE102", message, word, frame, hint)

    def resolve(self, node: nodes.Atom, attribute: ir.Attribute, frame: Frame) -> ir.Predicate:
        """Return what a comparison of the attribute says."""
        if isinstance(attribute, ir.ContinuousAttribute):
            if isinstance(node, nodes.InRange):
                return self._range(node, attribute, frame)
            if isinstance(node, nodes.InSet):
                return self._points(node, attribute, frame)
            return self._compare_numbers(node, attribute, frame)
        if isinstance(node, nodes.InRange):
            several = ", ".join(attribute.values)
            message = f"`{attribute.name}` has no range: it is one of {several}"
            hint = f"write `{_some(attribute)}`"
            raise self.report.say("LACE201", message, node, frame, hint)
        if isinstance(node, nodes.InSet):
            return self._classes(node, attribute, frame)
        return self._compare_classes(node, attribute, frame)

    # Classes

    def _compare_classes(
        self, node: nodes.Comparison, attribute: DiscreteAttribute, frame: Frame
    ) -> ir.Predicate:
        name, span = attribute.name, span_in_program(node, frame)
        if node.operator in ("=", "!="):
            cls, shown = self._class_of(node.value, attribute, frame)
            others = frozenset(range(len(attribute.values))) - {cls}
            text = _written(attribute, node.operator, shown)
            classes = frozenset({cls}) if node.operator == "=" else others
            return ir.Discrete(attribute, classes, text=text, span=span)
        binary = isinstance(attribute, ir.BinaryAttribute)
        if node.operator != "~":
            message = f"the values of `{name}` have no order"
            hint = f"write `{name}={attribute.values[0]}`, or `{name} in {{…}}`"
            if binary:
                message = f"`{name}` is 0 or 1 and has no order"
                hint = f"write `{name}=1`, or `{name} ~ 0.6` for a degree"
            raise self.report.say("LACE201", message, node, frame, hint)
        if not binary:
            message = f"`~` gives the degree of a yes-or-no attribute; `{name}` is one of several"
            raise self.report.say("LACE201", message, node, frame, f"write `{_some(attribute)}`")
        degree = plain_number(node.value, frame, self.report, "a degree")
        if not 0 <= degree <= 1:
            message = f"a degree lies between 0 and 1; {number_text(degree)} does not"
            raise self.report.say("LACE206", message, node.value, frame)
        return ir.Degree(attribute, 1, degree, span=span)

    def _class_of(
        self, value: nodes.Value, attribute: DiscreteAttribute, frame: Frame
    ) -> tuple[int, str]:
        scalar = settle(value, frame, self.report)
        if isinstance(attribute, ir.ChoiceAttribute):
            if scalar.word in attribute.values and not scalar.quoted:
                return attribute.values.index(scalar.word), scalar.word
            raise self._no_class(scalar, attribute)
        quantity = scalar.quantity or defined_number(scalar)
        if quantity is None or quantity.number not in (0, 1) or quantity.unit is not None:
            raise self._no_class(scalar, attribute)
        return int(quantity.number), number_text(quantity.number)

    def _no_class(self, scalar: Scalar, attribute: DiscreteAttribute) -> LostError:
        if scalar.word is not None and scalar.frame.module.is_uncertain(scalar.word):
            return LostError()
        message = f"`{attribute.name}` has no value `{scalar.text}`"
        if isinstance(attribute, ir.BinaryAttribute):
            hint: str | None = "it is 0 or 1"
            meant = _TRUTH.get((scalar.word or "").lower())
            if meant is not None:
                hint = f"write `{attribute.name}={meant}`"
            if scalar.quantity is not None and 0 < scalar.quantity.number < 1:
                hint = f"it is 0 or 1; for a degree, write `{attribute.name} ~ {scalar.text}`"
        elif scalar.quoted and scalar.word in attribute.values:
            hint = "write it without quotes"
        else:
            hint = did_you_mean(scalar.word or "", attribute.values, "it is one of")
        return self.report.say("LACE104", message, scalar.at, scalar.frame, hint)

    def _classes(
        self, node: nodes.InSet, attribute: DiscreteAttribute, frame: Frame
    ) -> ir.Predicate:
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
        span = span_in_program(node, frame)
        return ir.Discrete(attribute, frozenset(classes), text=text, span=span)

    def _said_twice(self, value: nodes.Value, text: str, frame: Frame) -> None:
        self.report.say("LACE514", f"`{text}` stands in this set already", value, frame)

    # Numbers

    def _compare_numbers(
        self, node: nodes.Comparison, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        name, span = attribute.name, span_in_program(node, frame)
        value, shown = self._measured(node.value, attribute, frame)
        if node.operator == "~":
            message = f"`~` gives the degree of a yes-or-no attribute; `{name}` is measured"
            raise self.report.say("LACE201", message, node, frame, f"write `{name}={shown}`")
        text = _written(attribute, node.operator, shown)
        if node.operator == "=":
            return ir.Equals(attribute, value, text=text, span=span)
        if node.operator == "!=":
            equal = ir.Equals(attribute, value, text=f"{name}={shown}", span=span)
            return ir.Not(equal, text=text, span=span)
        above = node.operator in (">", ">=")
        # As `age >= 0` and `age < 0` are, where ages go from 0.
        limits = f"`{name}` goes from {range_text(attribute)}"
        if value == (attribute.low if above else attribute.high):
            self.report.say("LACE502", f"`{text}` always holds: {limits}", node, frame)
        elif value == (attribute.high if above else attribute.low) and len(node.operator) == 1:
            self.report.say("LACE501", f"`{text}` can never hold: {limits}", node, frame)
        form = ir.AtLeast if above else ir.AtMost
        return form(attribute, value, text=text, span=span)

    def _range(
        self, node: nodes.InRange, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        name = attribute.name
        low, low_text = self._measured(node.low, attribute, frame)
        high, high_text = self._measured(node.high, attribute, frame)
        shown = f"{low_text}..{high_text}"
        if low >= high:
            hint = f"write `{name}={low_text}`"
            if low > high:
                # `10...20` is read as 10 .. .20, which nobody means.
                dots = high_text.startswith(".") and not low_text.startswith(".")
                hint = f"write `{high_text}..{low_text}`"
                hint = f"write two dots, `{low_text}..{high_text[1:]}`" if dots else hint
            raise self.report.say("LACE204", f"the range {shown} is empty", node, frame, hint)
        if high - low < attribute.paper_sigma * _NARROWEST:
            message = f"the range {shown} is too narrow to tell from one value"
            hint = f"write `{name}={low_text}`"
            raise self.report.say("LACE204", message, node, frame, hint)
        text = f"{name} in {shown}"
        if (low, high) == attribute.limits:
            self.report.say("LACE502", f"`{text}` always holds: it is all there is", node, frame)
        return ir.Between(attribute, low, high, text=text, span=span_in_program(node, frame))

    def _points(
        self, node: nodes.InSet, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> ir.Predicate:
        name, span = attribute.name, span_in_program(node, frame)
        points: dict[float, str] = {}
        for value in node.values:
            number, text = self._measured(value, attribute, frame)
            if number in points:
                self._said_twice(value, text, frame)
            points[number] = text
        terms = [
            ir.Equals(attribute, number, text=f"{name}={text}", span=span)
            for number, text in points.items()
        ]
        text = f"{name} in {{{', '.join(points.values())}}}"
        return (
            terms[0] if len(terms) == 1 else ir.Or(tuple(terms), text=text, span=span, is_set=True)
        )

    def _measured(
        self, value: nodes.Value, attribute: ir.ContinuousAttribute, frame: Frame
    ) -> tuple[float, str]:
        return measured(value, attribute, self.model.name, frame, self.report)


def _written(attribute: ir.Attribute, operator: str, value: str) -> str:
    space = "" if operator == "=" else " "
    return f"{attribute.name}{space}{operator}{space}{value}"


def _some(attribute: DiscreteAttribute) -> str:
    """A set of its values, for a hint."""
    return f"{attribute.name} in {{{', '.join(attribute.values[:2])}}}"
