"""The checked program: everything resolved, ready to compile, free of torch and of syntax.

Definitions and imports are expanded, loops unrolled, named points and units turned to numbers,
`xor` and `implies` rewritten with `and`, `or` and `not`. What is left is a list of statements
over a handful of predicates. A predicate's `weight`, `temp` and `logit_temp` speak of it as a
term of its parent; spans and texts are for display and take no part in equality.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import field, frozen

from lacelang.errors import Diagnostic, Span
from lacelang.records import Record

Unit: TypeAlias = Literal["deg", "years"]
Space: TypeAlias = Literal["z", "w", "image"]

NOWHERE = Span(1, 1, 1, 1)
"""The span of a predicate that was built in Python and has no source text."""


# Attributes


@frozen(eq=False, repr=False)
class BinaryAttribute(Record):
    """A yes-or-no attribute: class 0 means absent, class 1 present.

    `layers` are the style layers (numbered as in the 18-layer StyleGAN2) that an edit of it
    may replace; None means all.
    """

    name: str
    layers: tuple[int, ...] | None = None

    @property
    def values(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return ("0", "1")


@frozen(eq=False, repr=False)
class ChoiceAttribute(Record):
    """One of several named values; class i is `values[i]`, in the order of the logits."""

    name: str
    values: tuple[str, ...]
    layers: tuple[int, ...] | None = None


@frozen(eq=False, repr=False)
class ContinuousAttribute(Record):
    """A measured quantity in `low`..`high`, in `unit`, with names for some of its points."""

    name: str
    low: float
    high: float
    unit: Unit | None = None
    points: Mapping[str, float] = field(factory=dict, hash=False)
    layers: tuple[int, ...] | None = None

    @property
    def paper_sigma(self) -> float:
        """The paper's sigma in `unit`: sigma^2 = 0.01 of values put on [0, 1] (LACE eq. 4)."""
        return 0.1 * (self.high - self.low)


Attribute: TypeAlias = BinaryAttribute | ChoiceAttribute | ContinuousAttribute


@frozen(eq=False, repr=False)
class ModelSpec(Record):
    """A model as declared: a generator, where its weights come from, what can be asked of it.

    Attributes:
        name: what programs call it.
        generator: the architecture, e.g. `mobilestylegan`.
        package, version: the archive that carries the weights, from `from "package==version"`.
        sha256: the archive's digest, 64 hexadecimal digits.
        classifiers: file name of the latent classifiers, e.g. `ffhq.safetensors`.
        space: the space that the classifiers judge.
        attributes: in the order of declaration.
        path: folder of the declaring file; None for a program without a file.
        file: the local weight file, where `from` names no package.
    """

    name: str
    generator: str
    package: str | None = None
    version: str | None = None
    sha256: str | None = None
    classifiers: str | None = None
    space: Space = "w"
    attributes: tuple[Attribute, ...] = ()
    path: Path | None = None
    file: str | None = None

    def attribute(self, name: str) -> Attribute:
        """Return the attribute called `name`.

        Raises:
            KeyError: the model declares no such attribute.
        """
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        raise KeyError(name)


# Predicates


@frozen(kw_only=True, eq=False, repr=False)
class Predicate(Record):
    """What every predicate carries as a term of its parent.

    Attributes:
        weight: multiplies the energy under `and` and at the root; prior odds under `or`.
        temp: divides the energy; None means 1. On a discrete atom it stands in place of the
            statement's own `temp`.
        logit_temp: the paper's temperature of the logits; on discrete atoms only, never
            together with `temp` and never under a `Not`.
        text: the source form, for display, e.g. `glasses=1`.
        via: names of the definitions that it was written as, the outermost first.
    """

    weight: float = 1.0
    temp: float | None = None
    logit_temp: float | None = None
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    text: str = field(default="", eq=False, repr=False)
    via: tuple[str, ...] = field(default=(), eq=False, repr=False)


@frozen(eq=False, repr=False)
class Discrete(Predicate):
    """The attribute has one of `classes` (indices into its values): -log of their total p."""

    attribute: BinaryAttribute | ChoiceAttribute
    classes: frozenset[int]


@frozen(eq=False, repr=False)
class Degree(Predicate):
    """The classifier gives class `cls` the probability `degree` (0..1)."""

    attribute: BinaryAttribute | ChoiceAttribute
    cls: int
    degree: float


@frozen(eq=False, repr=False)
class Equals(Predicate):
    """The attribute is `value`, in its own units."""

    attribute: ContinuousAttribute
    value: float


@frozen(eq=False, repr=False)
class AtLeast(Predicate):
    """The attribute is `bound` or more; `>` and `>=` mean the same to a density."""

    attribute: ContinuousAttribute
    bound: float


@frozen(eq=False, repr=False)
class AtMost(Predicate):
    """The attribute is `bound` or less."""

    attribute: ContinuousAttribute
    bound: float


@frozen(eq=False, repr=False)
class Between(Predicate):
    """The attribute is in `low`..`high`, low < high."""

    attribute: ContinuousAttribute
    low: float
    high: float


Comparison: TypeAlias = Discrete | Degree | Equals | AtLeast | AtMost | Between


@frozen(eq=False, repr=False)
class And(Predicate):
    """All of two or more terms. A nested plain `And` is merged into its parent."""

    terms: tuple[Predicate, ...]


@frozen(eq=False, repr=False)
class Or(Predicate):
    """At least one of two or more terms, flat, so that order never matters."""

    terms: tuple[Predicate, ...]


@frozen(eq=False, repr=False)
class Not(Predicate):
    """The term does not hold; the statement's `negation` says how."""

    term: Predicate


def comparisons(predicate: Predicate) -> Iterator[Comparison]:
    """Yield the comparisons of a condition from left to right."""
    match predicate:
        case And(terms=terms) | Or(terms=terms):
            for term in terms:
                yield from comparisons(term)
        case Not(term=term):
            yield from comparisons(term)
        case Discrete() | Degree() | Equals() | AtLeast() | AtMost() | Between():
            yield predicate


def temperatures(
    predicate: Predicate, temp: float | None, logit_temp: float | None
) -> tuple[float | None, float | None]:
    """Return the temperature in force at a predicate, and that of its logits; one is None.

    A statement's own (`temp`, `logit_temp`) is for discrete atoms that have none themselves.
    """
    own = predicate.temp is not None or predicate.logit_temp is not None
    if own or not isinstance(predicate, Discrete | Degree):
        return predicate.temp, predicate.logit_temp
    return temp, logit_temp


# Statements


@frozen(eq=False, repr=False)
class SamplerChoice(Record):
    """A sampler and its options, complete: defaults and presets are filled in."""

    name: str
    options: Mapping[str, float | int] = field(factory=dict, hash=False)


Negation: TypeAlias = tuple[Literal["complement"]] | tuple[Literal["contrast"], float]


@frozen(eq=False, repr=False)
class SampleStatement(Record):
    """Draw `count` samples of `model` such that `where` holds; None asks for prior draws.

    Attributes:
        name: unique in the program; `sample1`, `sample2`, … where the program gives none.
        temp: divides the energy of every discrete atom that has no temperature of its own.
        logit_temp: the same in the paper's form; never together with `temp`.
        truncation: psi of w' = mean + psi (w - mean), in (0, 1].
        seed: None where the program leaves it to the run.
    """

    name: str
    count: int
    model: ModelSpec
    where: Predicate | None
    temp: float | None
    logit_temp: float | None
    truncation: float
    seed: int | None
    sampler: SamplerChoice
    negation: Negation = ("complement",)
    disjunction: Literal["equal", "balanced"] = "equal"
    sigma: Literal["residual", "paper"] = "residual"
    span: Span = field(default=NOWHERE, eq=False, repr=False)


@frozen(eq=False, repr=False)
class EditStep(Record):
    """One line of an edit: what is to hold from now on.

    Attributes:
        replaced: the style layers that take its move; None means all.
    """

    predicate: Predicate
    replaced: tuple[int, ...] | None = None


@frozen(eq=False, repr=False)
class Saved(Record):
    """Samples on disk, and what they were made with.

    Attributes:
        file: latents, or the folder of a group in a run's.
        truncation: psi of the samples.
        seed: of the samples.
        fingerprint: of the group, if it is one of a run; None for a file.
    """

    file: Path
    truncation: float
    seed: int
    fingerprint: str | None = None


@frozen(eq=False, repr=False)
class EditStatement(Record):
    """Change the samples of `group` one step after another (LACE sec. 3.2).

    Attributes:
        name: of the edited group, a group like any other; `edit1`, … where none is given.
        group: name of an earlier sample or edit, or where samples on disk are, as written.
        saved: those, if they are on disk.
        steps: in the order of the edits.
        stay: mu, the pull towards the sample before the step.
        hold: gamma, the pull on attributes that no step so far speaks of.
        held: whose: those that later steps speak of (the paper's), or all.
        reweight: whether the step being made counts more than earlier ones (LACE A.3).
        temp, logit_temp, negation, disjunction, sigma: of all steps, as in a sample.
    """

    name: str
    group: str
    model: ModelSpec
    steps: tuple[EditStep, ...]
    sampler: SamplerChoice
    saved: Saved | None = None
    stay: float = 0.04
    hold: float = 0.1
    held: Literal["later", "all"] = "all"
    reweight: bool = True
    temp: float | None = None
    logit_temp: float | None = None
    negation: Negation = ("complement",)
    disjunction: Literal["equal", "balanced"] = "equal"
    sigma: Literal["residual", "paper"] = "residual"
    span: Span = field(default=NOWHERE, eq=False, repr=False)


@frozen(eq=False, repr=False)
class MeasureStatement(Record):
    """The probability of `what`, given `given`, under the generator's own distribution."""

    name: str
    model: ModelSpec
    what: Predicate
    given: Predicate | None = None
    truncation: float = 0.7
    seed: int | None = None
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    text: str = field(default="", eq=False, repr=False)


@frozen(eq=False, repr=False)
class ExpectStatement(Record):
    """At least the share `share` (0..1) of `group` must satisfy `what`, judged on the images."""

    what: Predicate
    share: float
    group: str
    model: ModelSpec
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    text: str = field(default="", eq=False, repr=False)


Statement: TypeAlias = SampleStatement | EditStatement | MeasureStatement | ExpectStatement


@frozen(eq=False, repr=False)
class CheckedProgram(Record):
    """A program without errors.

    Attributes:
        statements: in the order of the source, loops unrolled.
        models: those that the program itself declares.
        warnings: what a person would want to hear, in the order of the source.
        path: the file, None for a string.
        source: the text, for display beside spans.
    """

    statements: tuple[Statement, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    path: Path | None = None
    models: tuple[ModelSpec, ...] = ()
    source: str = field(default="", repr=False, eq=False)
