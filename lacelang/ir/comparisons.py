"""Comparisons of attributes with values.

A comparison answers for itself: how it is written, what its energy is, what it reads and when it is
true. A new form is one class here, its rule in `semantics/atoms.py` and a row in
`compiler/condition.py`.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

from attrs import field, frozen

from lacelang.errors import NOWHERE, Span
from lacelang.ir.models import Attribute, BinaryAttribute, ChoiceAttribute, ContinuousAttribute
from lacelang.record import Record
from lacelang.text.numerals import number_text


@frozen(kw_only=True, eq=False, repr=False)
class Predicate(Record):
    """What every predicate carries as a term of its parent; the last four are for display only.

    Attributes:
        weight: multiplies the energy under `and` and at the root; prior odds under `or`.
        temp: divides the energy; None means 1. On a comparison of classes it stands in place of
            the statement's own `temp`.
        logit_temp: the paper's temperature of the logits; on comparisons of classes only, never
            together with `temp` and never under a `Not`.
        written: how it is written, settings left out, where its parts do not tell: `age=senior`,
            `p xor q`.
        settings: the settings behind it as written, e.g. `[weight 2]`.
        via: names of the definitions that it was written as, the outermost first.
    """

    kind: ClassVar[str]

    weight: float = 1.0
    temp: float | None = None
    logit_temp: float | None = None
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    written: str = field(default="", eq=False, repr=False, alias="text")
    settings: str = field(default="", eq=False, repr=False)
    via: tuple[str, ...] = field(default=(), eq=False, repr=False)

    @property
    def children(self) -> tuple[Predicate, ...]:
        """The terms that it joins; none of a comparison."""
        return ()

    @property
    def is_plain(self) -> bool:
        """Whether it carries no weight and no temperature of its own."""
        return self.weight == 1 and self.temp is None and self.logit_temp is None

    @property
    def bare_text(self) -> str:
        """Its text without settings."""
        return self.written or self._spelled()

    @property
    def text(self) -> str:
        """Its text, e.g. `(not smile=1) [weight 2]`."""
        if not self.settings:
            return self.bare_text
        bracketed = self._is_joined() or self.kind == "not"
        return f"{f'({self.bare_text})' if bracketed else self.bare_text} {self.settings}"

    @property
    def as_operand(self) -> str:
        """Its text, in round brackets where it would fall apart among other terms."""
        return f"({self.text})" if self._is_joined() and not self.settings else self.text

    # Held by the type checker alone: ABCMeta would make every `isinstance` of a condition slower.
    @abstractmethod
    def _spelled(self) -> str:
        """Its text as its parts have it, without settings."""

    def _is_joined(self) -> bool:
        """Whether it is written as several terms and a word between them."""
        return False


@frozen(eq=False, repr=False)
class Comparison(Predicate):
    """One attribute, compared with something.

    `spelling` says how it is written and `energy` what its energy is, in short: {a} is the
    attribute, p the classifiers' probability, f what they read. `numbers` names the fields that
    have numbers, `ends` those with the least and the greatest number of which it is true.
    `is_value` says that it asks for a value itself, as `a=v` does.
    """

    spelling: ClassVar[str]
    energy: ClassVar[str]
    numbers: ClassVar[tuple[str, ...]] = ()
    ends: ClassVar[tuple[str | None, str | None]] = None, None
    is_value: ClassVar[bool] = False

    attribute: Attribute

    @property
    def logits(self) -> str | None:
        """The logits that the paper's temperature divides; None where it divides the energy."""
        return None

    def interval(self, reach: float = 0.0) -> tuple[float, float]:
        """Return the least and the greatest reading with which it is taken to be true.

        A reading must come to within `reach` of a single wanted number.
        """
        first, last = self.ends
        low = -math.inf if first is None else getattr(self, first)
        high = math.inf if last is None else getattr(self, last)
        return (low - reach, high + reach) if first == last else (low, high)

    @property
    def formula(self) -> str:
        """Its energy in short."""
        values = {name: float(f"{getattr(self, name):z.6g}") for name in self.numbers}
        numbers = {name: number_text(value).replace("-", "−") for name, value in values.items()}
        return self.energy.format(**numbers)

    def _spelled(self) -> str:
        numbers = {name: number_text(getattr(self, name)) for name in self.numbers}
        return self.spelling.format(a=self.attribute.name, **numbers)


# Of classes


@frozen(eq=False, repr=False)
class ClassComparison(Comparison):
    """A comparison of an attribute that has classes."""

    attribute: BinaryAttribute | ChoiceAttribute

    @property
    def classes(self) -> frozenset[int]:
        """The classes whose total probability is what the classifier reads of it."""
        return frozenset()

    @property
    def shown_as(self) -> frozenset[int]:
        """The classes of a picture in which it is true."""
        return self.classes


@frozen(eq=False, repr=False)
class Discrete(ClassComparison):
    """The attribute has one of `classes` (indices into its values): -log of their total p."""

    kind = "discrete"
    is_value = True

    classes: frozenset[int]

    @property
    def logits(self) -> str:
        """See `Comparison`."""
        return "f" if len(self.classes) == 1 else "(log Σ e^f)"

    def interval(self, reach: float = 0.0) -> tuple[float, float]:
        """See `Comparison`; a probability of a half or more."""
        return 0.5, 1.0

    @property
    def formula(self) -> str:
        """See `Comparison`."""
        return "−log p" if len(self.classes) == 1 else "−log Σ p"

    def _spelled(self) -> str:
        names = [self.attribute.values[i] for i in sorted(self.classes)]
        several = f" in {{{', '.join(names)}}}"
        return f"{self.attribute.name}{several if len(names) > 1 else f'={names[0]}'}"


@frozen(eq=False, repr=False)
class Degree(ClassComparison):
    """The classifier gives class `cls` the probability `degree` (0..1)."""

    kind = "degree"
    spelling = "{a} ~ {degree}"
    energy = "KL({degree} ‖ p)"
    numbers = ("degree",)
    ends = "degree", "degree"

    cls: int
    degree: float

    @property
    def classes(self) -> frozenset[int]:
        """See `ClassComparison`."""
        return frozenset({self.cls})

    @property
    def shown_as(self) -> frozenset[int]:
        """A degree has no truth value; from a half up the class should be seen."""
        others = frozenset(range(len(self.attribute.values))) - self.classes
        return self.classes if self.degree >= 0.5 else others


# Of numbers


@frozen(eq=False, repr=False)
class NumberComparison(Comparison):
    """A comparison of a measured attribute, in its own unit."""

    attribute: ContinuousAttribute


@frozen(eq=False, repr=False)
class Equals(NumberComparison):
    """The attribute is `value`."""

    kind = "equals"
    is_value = True
    spelling = "{a}={value}"
    energy = "({value} − f)² / 2σ²"
    numbers = ("value",)
    ends = "value", "value"

    value: float


@frozen(eq=False, repr=False)
class AtLeast(NumberComparison):
    """The attribute is `bound` or more; `>` and `>=` mean the same to a density."""

    kind = "at_least"
    spelling = "{a} > {bound}"
    numbers = ("bound",)
    ends = "bound", None

    bound: float

    @property
    def formula(self) -> str:
        """See `Comparison`."""
        sign = "−" if self.bound > 0 else "+"
        beyond = f"(f {sign} {number_text(abs(self.bound))})" if self.bound else "f"
        return f"−log Φ({beyond} / σ)"


@frozen(eq=False, repr=False)
class AtMost(NumberComparison):
    """The attribute is `bound` or less."""

    kind = "at_most"
    spelling = "{a} < {bound}"
    energy = "−log Φ(({bound} − f) / σ)"
    numbers = ("bound",)
    ends = None, "bound"

    bound: float


@frozen(eq=False, repr=False)
class Between(NumberComparison):
    """The attribute is in `low`..`high`, low < high."""

    kind = "between"
    spelling = "{a} in {low}..{high}"
    energy = "−log(Φ(({high} − f) / σ) − Φ(({low} − f) / σ))"
    numbers = ("low", "high")
    ends = "low", "high"

    low: float
    high: float
