"""`each`: values that are drawn anew for each sample, and where that has a meaning."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar

from lacelang import ir
from lacelang.semantics.context import Frame, all_of
from lacelang.semantics.values import Limits, limited
from lacelang.syntax import nodes

FINEST = 10_000
"""The largest sum of weights, in lowest terms: the period in which proportions are exact."""

V = TypeVar("V", int, float)

# Beyond it not every whole number is a float.
_WHOLE = Limits("LACE205", -(2**53), 2**53, whole=True)
_REMEDY = "write a number above 0, or leave the value out"


def choices(
    node: nodes.DrawnFromSet, read: Callable[[nodes.Value], tuple[V, str]], frame: Frame
) -> tuple[tuple[V, int], ...]:
    """Return the values with their weights, whole numbers in lowest terms.

    `read` returns a value and its text.
    """
    seen: set[V] = set()

    def distinct(choice: nodes.Choice) -> V:
        value, text = read(choice.value)
        if value in seen:
            hint = "write it once, with a weight: `each {black: 3, blond: 1}`"
            raise frame.say("LACE220", f"`each` has {text} already", choice, hint)
        seen.add(value)
        return value

    values = all_of(distinct, node.choices)
    weights = [_weight(choice, frame) for choice in node.choices]
    divisor = math.lcm(*(weight.denominator for weight in weights))
    whole = [int(weight * divisor) for weight in weights]
    common = math.gcd(*whole)
    if sum(whole) // common > FINEST:
        message = f"these weights add up to {sum(whole) // common} in lowest terms"
        hint = f"round them: at most {FINEST} keeps proportions exact"
        raise frame.say("LACE220", message, node, hint)
    return tuple((value, each // common) for value, each in zip(values, whole, strict=True))


def _weight(choice: nodes.Choice, frame: Frame) -> Fraction:
    if choice.weight is None:
        return Fraction(1)
    number = choice.weight.number
    if not 0 < number < math.inf:
        raise frame.say("LACE220", "a weight of `each` is above 0", choice.weight, _REMEDY)
    if not 1 / FINEST <= number <= FINEST:  # before its digits are multiplied out
        hint = f"it is from {1 / FINEST:g} to {FINEST}"
        raise frame.say("LACE220", "a weight of `each` is too large or small", choice.weight, hint)
    return Fraction(choice.weight.text)


def refuse_place(
    node: nodes.Drawn, statement: str | None, operator: str | None, frame: Frame
) -> None:
    """Report an `each` where no value is drawn for a sample.

    Args:
        statement: the kind of statement, if it is one that draws no samples.
        operator: the connective other than `and` that it stands under, if any.

    Raises:
        LostError: it has been reported.
    """
    if statement is not None:
        message = f"`each` draws a value for each new sample, and `{statement}` makes none"
        raise frame.say("LACE222", message, node, "give one value, or sample a group first")
    if operator is not None:
        message = f"`each` cannot stand under `{operator}`: it draws a value for every sample"
        hint = "join it to the rest of the condition by `and`"
        raise frame.say("LACE222", message, node, hint)


def refuse_compared_again(where: ir.Predicate, frame: Frame) -> bool:
    """Report attributes that are drawn and compared as well; return whether there are any."""
    counts = Counter(each.attribute.name for each in ir.comparisons(where))
    twice = [each for each in ir.drawn(where) if counts[each.attribute.name] > 1]
    for each in twice:
        name = each.attribute.name
        message = f"`{name}` is drawn for each sample, and this condition compares it again"
        hint = f"keep one comparison of `{name}`"
        frame.report.say("LACE221", message, each.span, frame.module, hint)
    return bool(twice)


def loop_values(
    values: Sequence[nodes.Value | nodes.LoopRange], most: int, frame: Frame
) -> list[nodes.Value]:
    """Return the values of a loop, ranges of whole numbers written out: `1..4`, both ends included.

    More than `most` are cut off there, one too many.
    """
    found: list[nodes.Value] = []
    for value in values:
        if not isinstance(value, nodes.LoopRange):
            found.append(value)
            continue
        first, last = (_whole(end, frame) for end in (value.first, value.last))
        if first > last:
            message = f"the range {first}..{last} is empty"
            raise frame.say("LACE204", message, value, f"write `{last}..{first}`")
        last = min(last, first + most - len(found))
        found += [nodes.Quantity(str(n), span=value.span) for n in range(first, last + 1)]
    return found


def _whole(value: nodes.Value, frame: Frame) -> int:
    return int(limited(value, "an end of a range", _WHOLE, frame))
