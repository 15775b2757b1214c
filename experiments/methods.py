"""Ways to meet a condition, asked for the same codes: samplers of the language, and baselines.

A baseline is a function from a statement to faces, `Draw`; see `latent_jem` for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from attrs import frozen

from experiments.codes import Codes, accuracies
from experiments.reference import Unconditioned
from experiments.statements import judge, named
from lacelang.api import compile
from lacelang.classifiers.draws import Draws, Faces, Styles, joined
from lacelang.evaluate.judged import Annotations, Judged, annotate
from lacelang.evaluate.report import Row
from lacelang.evaluate.scores import Score
from lacelang.ir import ModelSpec, SampleStatement
from lacelang.progress import Progress
from lacelang.samplers.solution import Status

K = TypeVar("K")
Change = Callable[[ModelSpec], ModelSpec]


def same(spec: ModelSpec) -> ModelSpec:
    """The declared model."""
    return spec


@frozen
class Asked:
    """Codes, further clauses such as `with euler`, and what makes the model that samples."""

    codes: Codes
    clauses: str = ""
    change: Change = same


@frozen(eq=False)
class Drawn:
    """Faces that a baseline made for a statement.

    How many did not converge, evaluations of each (mean), and seconds that one core took.
    """

    faces: Faces
    failed: int = 0
    nfe: float = 0.0
    seconds: float = 0.0


Draw = Callable[[SampleStatement], Drawn]


@frozen(eq=False)
class Outcome:
    """What a method made of codes: a statement for each, and annotations of its faces.

    `failed` samples did not converge; there are groups where a program made them.
    """

    codes: Codes
    statements: Sequence[SampleStatement]
    annotations: Sequence[Annotations]
    failed: int = 0
    groups: Sequence[Judged] = ()

    def accuracies(self) -> dict[str, Score]:
        """ACC by attribute, every code counting alike."""
        pairs = zip(self.statements, self.annotations, strict=True)
        return accuracies((s.where, found) for s, found in pairs if s.where is not None)

    def distances(self, prior: Unconditioned | None) -> Row:
        """The Fréchet distance to unconditioned faces, and its ratio to that of as many of them."""
        distance = floor = None
        if prior is not None:
            distance = prior.reference.distance(self.codes.natural_features(self.annotations))
            floor = prior.floor(self.codes.natural)
        ratio = None if distance is None or floor is None else distance / floor
        return {"Fréchet": distance, "× unconditioned": ratio}


def by_samplers(asked: Mapping[K, Asked], seed: int, progress: Progress) -> dict[K, Outcome]:
    """Sample codes in the language, and judge them; all begin from the same draws."""
    whole = list(asked.values())
    statements = {
        (k, " ".join(one.codes.attributes), i): text
        for k, one in enumerate(whole)
        for i, text in enumerate(one.codes.statements(one.clauses, seed))
    }
    judged = judge(statements, progress, change=lambda key, spec: whole[key[0]].change(spec))
    outcomes = {}
    for k, (name, one) in enumerate(asked.items()):
        groups = [group for key, group in judged.items() if key[0] == k]
        failed = sum(s is not Status.converged for group in groups for s in group.group.status)
        found = [group.annotations for group in groups]
        outcomes[name] = Outcome(
            one.codes, [group.statement for group in groups], found, failed, groups
        )
    return outcomes


def by_baseline(codes: Codes, draw: Draw, seed: int, progress: Progress, title: str) -> Outcome:
    """Draw codes by a baseline, and judge the faces."""
    statements = compile(named(dict(enumerate(codes.statements("", seed))))).samples
    drawn = []
    with progress.stage(title, total=codes.faces) as stage:
        for statement in statements:
            drawn.append(draw(statement))
            stage.advance(statement.count)
    return outcome_of(codes, statements, drawn, progress)


def outcome_of(
    codes: Codes, statements: Sequence[SampleStatement], drawn: Sequence[Drawn], progress: Progress
) -> Outcome:
    """Judge what a baseline drew for every code."""
    every = [one.faces for one in drawn]
    draws = [faces for faces in every if isinstance(faces, Draws)]
    styles = [faces.w for faces in every if isinstance(faces, Styles)]
    faces = joined(draws) if draws else Styles(np.concatenate(styles))
    found = annotate(statements[0].model, faces, progress)
    failed = sum(one.failed for one in drawn)
    return Outcome(codes, statements, list(found.split(codes.counts)), failed)
