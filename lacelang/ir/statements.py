"""Statements, and the checked program: a list of them.

Definitions and imports are expanded, loops unrolled, named points and units turned to numbers,
`xor` and `implies` rewritten with `and`, `or` and `not`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from attrs import evolve, field, frozen

from lacelang.errors import Diagnostic, Span
from lacelang.ir.comparisons import NOWHERE, Predicate
from lacelang.ir.conditions import ConditionOptions
from lacelang.ir.models import ModelSpec
from lacelang.record import Record


@frozen(eq=False, repr=False)
class SamplerChoice(Record):
    """A sampler and its options, complete: defaults and presets are filled in."""

    name: str
    options: Mapping[str, float | int] = field(factory=dict, hash=False)


@frozen(eq=False, repr=False)
class StatementRecord(Record):
    """What is asked of every kind of statement.

    Attributes:
        makes: what comes of it under its name; None where it has no name.
    """

    makes: ClassVar[Literal["group", "measure"] | None] = None

    @property
    def needs(self) -> str | None:
        """The group of an earlier statement that it is about."""
        return None


@frozen(eq=False, repr=False)
class SampleStatement(StatementRecord):
    """Draw `count` samples of `model` such that `where` holds; None asks for prior draws.

    Attributes:
        name: unique in the program; `sample1`, `sample2`, … where the program gives none.
        truncation: psi of w' = mean + psi (w - mean), in (0, 1].
        seed: None where the program leaves it to the run.
    """

    makes: ClassVar[Literal["group"]] = "group"

    name: str
    count: int
    model: ModelSpec
    where: Predicate | None
    options: ConditionOptions
    truncation: float
    seed: int | None
    sampler: SamplerChoice
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
class EditStatement(StatementRecord):
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
        options: of all steps, as in a sample.
    """

    makes: ClassVar[Literal["group"]] = "group"

    name: str
    group: str
    model: ModelSpec
    steps: tuple[EditStep, ...]
    sampler: SamplerChoice
    options: ConditionOptions
    stay: float
    hold: float
    held: Literal["later", "all"]
    reweight: bool
    saved: Saved | None = None
    span: Span = field(default=NOWHERE, eq=False, repr=False)

    @property
    def needs(self) -> str | None:
        """See `StatementRecord`."""
        return self.group if self.saved is None else None


@frozen(eq=False, repr=False)
class MeasureStatement(StatementRecord):
    """The probability of `what`, given `given`, under the generator's own distribution."""

    makes: ClassVar[Literal["measure"]] = "measure"

    name: str
    model: ModelSpec
    what: Predicate
    given: Predicate | None
    truncation: float
    seed: int | None
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    text: str = field(default="", eq=False, repr=False)


@frozen(eq=False, repr=False)
class ExpectStatement(StatementRecord):
    """At least the share `share` (0..1) of `group` must satisfy `what`, judged on the images."""

    makes: ClassVar[None] = None

    what: Predicate
    share: float
    group: str
    model: ModelSpec
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    text: str = field(default="", eq=False, repr=False)

    @property
    def needs(self) -> str | None:
        """See `StatementRecord`."""
        return self.group


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

    @property
    def samples(self) -> tuple[SampleStatement, ...]:
        """Its `sample` statements."""
        return tuple(each for each in self.statements if isinstance(each, SampleStatement))

    def at_most(self, count: int) -> CheckedProgram:
        """Return the program with at most so many samples of each group."""
        statements = (
            evolve(s, count=min(s.count, count)) if isinstance(s, SampleStatement) else s
            for s in self.statements
        )
        return evolve(self, statements=tuple(statements))
