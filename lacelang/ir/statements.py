"""Statements: what a program asks for, and what each kind of them has."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from attrs import field, frozen

from lacelang.errors import NOWHERE, Span
from lacelang.ir.comparisons import Predicate
from lacelang.ir.conditions import ConditionOptions
from lacelang.ir.models import ModelSpec
from lacelang.record import Record

Seed: TypeAlias = int | Literal["random"] | None
"""A seed; `random` where each new run draws one, None where the program leaves it to the run."""


@frozen(eq=False, repr=False)
class SamplerChoice(Record):
    """A sampler and its options, complete: defaults and presets are filled in."""

    name: str
    options: Mapping[str, float | int] = field(factory=dict, hash=False)


@frozen(eq=False, repr=False)
class StatementRecord(Record):
    """What is asked of every kind of statement.

    Attributes:
        kind: the word that it begins with.
        makes: what comes of it under its name; None where it has no name.
        own: the fields that say what it is about, for a reader.
    """

    kind: ClassVar[str]
    makes: ClassVar[Literal["group", "measure"] | None] = None
    own: ClassVar[tuple[str, ...]]

    @property
    def needs(self) -> str | None:
        """The group of an earlier statement that it is about."""
        return None

    @property
    @abstractmethod
    def title(self) -> str:
        """What it does, in short."""

    @property
    def conditions(self) -> Mapping[str, Predicate | None]:
        """Its conditions, by what each is for."""
        return {}


@frozen
class Turn:
    """One turn of a loop: its variable, and the value that it has, as it is written."""

    variable: str
    value: str


@frozen(eq=False, repr=False)
class SampleStatement(StatementRecord):
    """Draw `count` samples of `model` such that `where` holds; None asks for prior draws.

    Attributes:
        name: unique in the program; `sample1`, `sample2`, … where the program gives none.
        truncation: psi of w' = mean + psi (w - mean), in (0, 1].
        seed: see `Seed`.
        verified: how many candidates there may be for a sample until the annotators agree that its
            image shows the condition; None leaves images unjudged.
        turns: of the loops that it stands in, the outermost first.
    """

    kind = "sample"
    makes: ClassVar[Literal["group"]] = "group"
    own = ("count",)

    name: str
    count: int
    model: ModelSpec
    where: Predicate | None
    options: ConditionOptions
    truncation: float
    seed: Seed
    sampler: SamplerChoice
    verified: int | None = None
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    turns: tuple[Turn, ...] = field(default=(), eq=False, repr=False)

    @property
    def title(self) -> str:
        """See `StatementRecord`."""
        drawn = ", draws from the prior" if self.where is None else ""
        return f"{_counted(self.count, 'sample')} of {self.model.name}{drawn}"

    @property
    def conditions(self) -> Mapping[str, Predicate | None]:
        """See `StatementRecord`."""
        return {"energy": self.where}


@frozen(eq=False, repr=False)
class PhotoStatement(StatementRecord):
    """The styles of which a model makes the face of a photograph: a group of one sample.

    Attributes:
        name: of the group; `photo1`, … where none is given.
        file: the photograph.
        shown: its name as it was written.
        face: which of its faces, from 1, the largest first.
        fast: with few steps of refinement, and less like it.
        paste: whether the face is also put back into the photograph.
        turns: see `SampleStatement`.
    """

    kind = "photo"
    makes: ClassVar[Literal["group"]] = "group"
    own = ("shown",)
    #: Styles of a photograph are not truncated.
    truncation: ClassVar[float] = 1.0

    name: str
    file: Path
    shown: str
    model: ModelSpec
    face: int = 1
    fast: bool = False
    paste: bool = False
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    turns: tuple[Turn, ...] = field(default=(), eq=False, repr=False)

    @property
    def title(self) -> str:
        """See `StatementRecord`."""
        return f"the face of a photograph, by {self.model.name}"


@frozen(eq=False, repr=False)
class EditStep(Record):
    """One line of an edit: what is to hold from now on.

    `replaced` are the style layers that take its move; None means all.
    """

    predicate: Predicate
    replaced: tuple[int, ...] | None = None


@frozen(eq=False, repr=False)
class Saved(Record):
    """Samples on disk, and the truncation and seed that they were made with.

    `file` has latents, or is a group's folder in a run's, with its fingerprint; and with the digest
    of the `photo` that it was made of, if it was.
    """

    file: Path
    truncation: float
    seed: int
    fingerprint: str | None = None
    photo: str | None = None


@frozen(eq=False, repr=False)
class EditStatement(StatementRecord):
    """Change the samples of `group` one step after another (LACE sec. 3.2).

    Attributes:
        name: of the edited group, a group like any other; `edit1`, … where none is given.
        group: name of an earlier sample or edit, or where samples on disk are, as written.
        saved: those, if they are on disk.
        steps: in the order of the edits.
        stay: mu, the pull towards the sample before the step.
        hold: gamma, the pull on attributes that no step so far is about.
        held: which of them: those that later steps are about (the paper's), or all.
        reweight: whether the present step counts more than earlier ones (LACE A.3).
        keep: the pull on who the face is, as the model's network of identity sees it; 0 is none.
        paste: whether the face is also put back into the photograph that it was made of.
        options: of all steps, as in a sample.
        turns: see `SampleStatement`.
    """

    kind = "edit"
    makes: ClassVar[Literal["group"]] = "group"
    own = ("group",)

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
    keep: float = 0.0
    paste: bool = False
    saved: Saved | None = None
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    turns: tuple[Turn, ...] = field(default=(), eq=False, repr=False)

    @property
    def needs(self) -> str | None:
        """See `StatementRecord`."""
        return self.group if self.saved is None else None

    @property
    def title(self) -> str:
        """See `StatementRecord`."""
        return f"{_counted(len(self.steps), 'step')} from {self.group}"

    @property
    def conditions(self) -> Mapping[str, Predicate | None]:
        """See `StatementRecord`."""
        return {f"step {i}": step.predicate for i, step in enumerate(self.steps, start=1)}


@frozen(eq=False, repr=False)
class PickStatement(StatementRecord):
    """Some samples of `group`, as they are: a group of their own.

    Attributes:
        name: of the new group; `pick1`, … where none is given.
        group: name of an earlier group.
        indices: those samples' in it, each once, in the new group's order.
        turns: see `SampleStatement`.
    """

    kind = "pick"
    makes: ClassVar[Literal["group"]] = "group"
    own = ("group",)

    name: str
    group: str
    model: ModelSpec
    indices: tuple[int, ...]
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    turns: tuple[Turn, ...] = field(default=(), eq=False, repr=False)

    @property
    def needs(self) -> str | None:
        """See `StatementRecord`."""
        return self.group

    @property
    def title(self) -> str:
        """See `StatementRecord`."""
        return f"{_counted(len(self.indices), 'sample')} of {self.group}"


@frozen(eq=False, repr=False)
class MeasureStatement(StatementRecord):
    """The probability of `what`, given `given`, under the generator's own distribution."""

    kind = "measure"
    makes: ClassVar[Literal["measure"]] = "measure"
    own = ("text",)

    name: str
    model: ModelSpec
    what: Predicate
    given: Predicate | None
    truncation: float
    seed: Seed
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    text: str = field(default="", eq=False, repr=False)

    @property
    def title(self) -> str:
        """See `StatementRecord`."""
        return f"P({self.text}) of {self.model.name}"

    @property
    def conditions(self) -> Mapping[str, Predicate | None]:
        """See `StatementRecord`."""
        return {"what": self.what} | ({} if self.given is None else {"given": self.given})


@frozen(eq=False, repr=False)
class ExpectStatement(StatementRecord):
    """At least the share `share` (0..1) of `group` must satisfy `what`, judged on the images."""

    kind = "expect"
    makes: ClassVar[None] = None
    own = ("group", "share")

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

    @property
    def title(self) -> str:
        """See `StatementRecord`."""
        return self.text

    @property
    def conditions(self) -> Mapping[str, Predicate | None]:
        """See `StatementRecord`."""
        return {"what": self.what}


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


Statement: TypeAlias = (
    SampleStatement
    | PhotoStatement
    | EditStatement
    | PickStatement
    | MeasureStatement
    | ExpectStatement
)
