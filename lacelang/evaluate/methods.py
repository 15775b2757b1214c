"""Ways to meet a condition, asked for the same codes: samplers, Latent-JEM, linear directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from attrs import evolve, frozen

from lacelang.api import Program, compile
from lacelang.classifiers.draws import Draws, Painted
from lacelang.classifiers.measuring import Faces
from lacelang.engine.loading import load
from lacelang.evaluate import jem
from lacelang.evaluate.codes import Accuracy, Codes, accuracies
from lacelang.evaluate.judged import Judged, Seen, judge_groups, look
from lacelang.evaluate.linear import Directions
from lacelang.ir import ModelSpec, SampleStatement
from lacelang.samplers.solution import Status
from lacelang.samplers.streams import prior
from lacelang.system.torch_state import one_thread

if TYPE_CHECKING:
    from lacelang.evaluate.unconditioned import Unconditioned
    from lacelang.progress import Progress

Change = Callable[[ModelSpec], ModelSpec]


def same(spec: ModelSpec) -> ModelSpec:
    """The declared model."""
    return spec


@frozen
class Asked:
    """Codes, and how to sample them.

    Attributes:
        codes: what is asked.
        clauses: further ones of the statements, such as `with euler`.
        change: makes the model that samples out of the declared one.
    """

    codes: Codes
    clauses: str = ""
    change: Change = same


@frozen(eq=False)
class Outcome:
    """What a method made of codes.

    Attributes:
        codes: what was asked.
        statements: a statement for each code.
        seen: the faces of each.
        failed: how many samples did not converge.
        judged: the groups, where a program made them.
    """

    codes: Codes
    statements: Sequence[SampleStatement]
    seen: Sequence[Seen]
    failed: int = 0
    judged: Sequence[Judged] = ()

    def accuracies(self) -> dict[str, Accuracy]:
        """ACC by attribute, every code counting alike."""
        pairs = zip(self.statements, self.seen, strict=True)
        return accuracies([(s.where, seen) for s, seen in pairs if s.where is not None])

    def distances(self, faces: Unconditioned | None) -> tuple[float | None, float | None]:
        """The Fréchet distance to unconditioned faces, and its ratio to that of as many of them."""
        if faces is None:
            return None, None
        distance = faces.distance(self.codes.natural_features(self.seen))
        floor = faces.floor(self.codes.natural)
        return distance, None if distance is None or floor is None else distance / floor


def by_samplers(asked: Sequence[Asked], seed: int, progress: Progress) -> list[Outcome]:
    """Sample codes in the language, and judge them.

    Args:
        asked: what to sample, and how.
        seed: of the first code of each; all begin from the same draws.
        progress: where to show how far it is.

    Raises:
        ResourceError: weights cannot be had.
    """
    text = "\n".join(
        a.codes.program(a.clauses, f"{k} {' '.join(a.codes.attributes)}", seed)
        for k, a in enumerate(asked)
    )
    # One program of all, so that the annotators start up once.
    program = _evolved(compile(text), lambda s: asked[_whose(s)].change(s.model))
    groups: list[list[Judged]] = [[] for _ in asked]
    for one in judge_groups(program, progress):
        groups[_whose(one.statement)].append(one)
    return [_outcome(a.codes, group) for a, group in zip(asked, groups, strict=True)]


def changed(program: Program, change: Change) -> Program:
    """The program with another model for its samples: other classifiers, or another space."""
    return _evolved(program, lambda statement: change(statement.model))


def _evolved(program: Program, model: Callable[[SampleStatement], ModelSpec]) -> Program:
    statements = tuple(evolve(s, model=model(s)) for s in program.samples)
    return Program(evolve(program.checked, statements=statements))


def _whose(statement: SampleStatement) -> int:
    return int(statement.name.split()[0])


def _outcome(codes: Codes, groups: Sequence[Judged]) -> Outcome:
    failed = sum(s is not Status.converged for one in groups for s in one.group.status)
    seen = [one.seen for one in groups]
    return Outcome(codes, [one.statement for one in groups], seen, failed, groups)


def by_jem(codes: Codes, step: float, seed: int, progress: Progress) -> Outcome:
    """Sample codes by Latent-JEM, and judge them.

    Raises:
        ResourceError: its classifiers have not been trained, or weights cannot be had.
    """
    statements = _statements(codes, seed)
    model = load(jem.spec_of(statements[0].model), "cpu", progress)
    with progress.stage("Latent-JEM", total=codes.faces) as stage:
        solutions = []
        for statement in statements:
            solutions.append(jem.draw(statement, model, step))
            stage.advance(statement.count)
    z = torch.cat([solution.z for solution in solutions]).numpy()
    psi = np.full(len(z), statements[0].truncation, np.float32)
    failed = sum(s is not Status.converged for solution in solutions for s in solution.status)
    return by_latents(codes, statements, Draws(z, psi), progress, failed)


def by_directions(codes: Codes, directions: Directions, seed: int, progress: Progress) -> Outcome:
    """Move draws from the prior along linear directions, and judge where they come to.

    Raises:
        ResourceError: weights cannot be had.
    """
    statements = _statements(codes, seed)
    moved = torch.cat([move(statement, directions, progress) for statement in statements])
    return by_latents(codes, statements, Painted(moved.numpy()), progress)


def move(statement: SampleStatement, directions: Directions, progress: Progress) -> torch.Tensor:
    """Truncated w (N, d) of a statement's draws from the prior, moved along linear directions."""
    model = load(statement.model, "cpu", progress)
    assert statement.where is not None
    with one_thread(), torch.inference_mode():
        z = prior(statement.seed or 0, range(statement.count), model.generator.latent_dim)
        return directions.move(model.styles(z, statement.truncation), statement.where)


def _statements(codes: Codes, seed: int) -> tuple[SampleStatement, ...]:
    return compile(codes.program("", "code", seed)).samples


def by_latents(
    codes: Codes,
    statements: Sequence[SampleStatement],
    faces: Faces,
    progress: Progress,
    failed: int = 0,
) -> Outcome:
    """Judge faces that something else made.

    Args:
        codes: what was asked.
        statements: a statement for each code.
        faces: those of every code, one code after another.
        progress: where to show how far it is.
        failed: samples that did not converge.

    Raises:
        ResourceError: weights cannot be had.
    """
    whole = look(statements[0].model, faces, progress)
    seen, start = [], 0
    for code in codes.codes:
        seen.append(whole.rows(slice(start, start + code.count)))
        start += code.count
    return Outcome(codes, statements, seen, failed)
