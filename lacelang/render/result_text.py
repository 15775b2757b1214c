"""Results of `measure` and `expect`, and readings, as text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from lacelang.semantics import defaults
from lacelang.storage.records import Atom, ExpectationRecord, GroupRecord, MeasureRecord
from lacelang.text.numerals import number_text

#: Fewer draws than this say little, whatever their share.
FEW = 30
_MOST_NAMED = 20


def measure_text(measured: MeasureRecord) -> str:
    """A probability with its interval: `P(glasses=1 | age < 20) = 0.011  (0.010 to 0.012, …)`."""
    what = measured.what if measured.given is None else f"{measured.what} | {measured.given}"
    draws = f"{_spaced(measured.draws)} draws"
    if measured.truncation != defaults.TRUNCATION:
        draws += f" at truncation {number_text(measured.truncation)}"
    if measured.value is None or measured.low is None or measured.high is None:
        return f"P({what}) is unknown: of {draws}, none has {measured.given}"
    digits = _digits(measured.high - measured.low)
    facts = [f"{measured.low:.{digits}f} to {measured.high:.{digits}f}", draws]
    if measured.given is not None:
        some = f"{_spaced(measured.given_draws)} with {measured.given}"
        few = measured.given_draws < FEW
        facts.append(f"only {some}: too few to say much" if few else some)
    if measured.decided is not None:
        facts[-1] += f"; decided: {measured.decided:.{digits}f}"
    return f"P({what}) = {measured.value:.{digits}f}  ({', '.join(facts)})"


def expectation_text(expected: ExpectationRecord) -> str:
    """Whether an expectation holds, in how many faces, and the indices of the others."""
    shown = expected.faces - len(expected.failing)
    verdict = "holds" if expected.holds else "FAILED"
    counted = f"{shown} of {expected.faces} samples show it ({100 * expected.seen:.3g} %)"
    text = f"expect {expected.text}: {verdict}, {counted}"
    if not expected.failing:
        return text
    named = ", ".join(f"{index:04d}" for index in expected.failing[:_MOST_NAMED])
    more = len(expected.failing) - _MOST_NAMED
    return f"{text}; not in {named}" + (f" and {more} more" if more > 0 else "")


class Obeyed(NamedTuple):
    """How often a comparison holds in a group, by the predictions.

    `mean` is of the predictions; `holding` of `known` samples satisfy it.
    """

    atom: Atom
    mean: float
    holding: int
    known: int


def obedience(group: GroupRecord) -> Iterator[Obeyed]:
    """Yield how often each comparison of a group holds, where there are predictions of it."""
    for atom in group.atoms:
        read = [(atom.of(s.drawn), s.readings.get(atom.text)) for s in group.samples]
        known = [(wanted, value) for wanted, value in read if value is not None]
        if known:
            mean = sum(value for _, value in known) / len(known)
            holding = sum(wanted.holds(value) for wanted, value in known)
            yield Obeyed(atom, mean, holding, len(known))


def achieved(atom: Atom, value: float | None) -> str:
    """Write a reading: `0.99` for a probability, `14.2` for a value.

    Under a `not` it is the probability of the opposite.
    """
    if value is None:
        return "-"
    if atom.reading == "probability":
        value = 1 - value if atom.negated else value
        # 0.997 must not be printed as 1.00, nor 0.004 as 0.00.
        if 0.995 <= value < 0.9995 or 0.0005 <= value < 0.005:
            return f"{value:.3f}"
        return f"{value:.2f}"
    # Degrees and years to a tenth; what has no unit is a share of 1.
    return f"{value:z.1f}" if atom.unit is not None else f"{value:z.2f}"


def _digits(width: float) -> int:
    """Return the decimals that an interval of this width is worth."""
    return min(9, max(3, math.ceil(-math.log10(width)))) if width > 0 else 3


def _spaced(count: int) -> str:
    """`14212` as `14 212`."""
    return f"{count:,}".replace(",", " ")
