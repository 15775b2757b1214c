"""Edited faces, judged before the first line of the edit and after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from attrs import evolve, frozen
from numpy.typing import NDArray
from PIL import Image

from lacelang.attributes.draws import Painted
from lacelang.evaluate.judge import Columns
from lacelang.evaluate.judged import look
from lacelang.evaluate.report import Sheet
from lacelang.evaluate.sheets import near_sigma, number, seen_outputs, stacked
from lacelang.output.cards import thumbnail
from lacelang.output.film import draw_film
from lacelang.output.records import GroupRecord, StepPlan
from lacelang.runtime.atoms import atoms_of, read_atoms

if TYPE_CHECKING:
    from lacelang.output.progress import Progress
    from lacelang.semantics import ir

Floats: TypeAlias = NDArray[np.float32]
Decode: TypeAlias = Callable[[torch.Tensor], Iterator[NDArray[np.uint8]]]

FILMS = 4


@frozen(eq=False)
class Film:
    """What was seen in N faces at P moments: before an edit's first line, and after each.

    Attributes:
        frames: w+ (N, P, styles, d), as they were painted.
        columns: by attribute (N, P): class index or value, NaN where nothing was seen.
        features: image features (N, P, 1280).
        identity: descriptors (N, P, 128) of who each is.
    """

    frames: Floats
    columns: Mapping[str, Floats]
    features: Floats
    identity: Floats

    def __len__(self) -> int:
        return len(self.frames)

    def at(self, moment: int) -> Columns:
        """What was seen at one moment, (N,) by attribute."""
        return {name: column[:, moment] for name, column in self.columns.items()}

    def first(self, faces: int) -> Film:
        """The same of the first faces alone."""
        columns = {name: column[:faces] for name, column in self.columns.items()}
        return Film(self.frames[:faces], columns, self.features[:faces], self.identity[:faces])


def judge_frames(model: ir.ModelSpec, frames: Floats, progress: Progress, title: str) -> Film:
    """Paint frames w+ (N, P, styles, d) and let annotators look at each.

    What is judged stays in the cache.

    Raises:
        ResourceError: weights cannot be had.
    """
    shape = frames.shape[:2]
    painted = Painted(frames.reshape(-1, *frames.shape[2:]))
    seen = look(model, painted, progress, title, identity=True)
    assert seen.identity is not None
    return Film(
        frames,
        {name: column.reshape(shape) for name, column in seen.columns.items()},
        seen.features.reshape(*shape, -1),
        seen.identity.reshape(*shape, -1),
    )


def film_sheet(
    name: str,
    title: str,
    statement: ir.EditStatement,
    record: GroupRecord,
    film: Film,
    decode: Decode,
    faces: int = FILMS,
) -> Sheet:
    """Film strips of the first faces, under each frame what annotators saw; painted when saved.

    Args:
        name: of its file.
        title: what they show.
        statement: the edit.
        record: of the edited group.
        film: what was seen.
        decode: paints w+ (N, styles, d).
        faces: how many are shown at most.
    """
    shown = seen_films(statement, record, film.first(faces))
    return Sheet(name, title, partial(_draw, shown, film, decode))


def seen_films(statement: ir.EditStatement, record: GroupRecord, film: Film) -> GroupRecord:
    """An edited group's record of the film's faces, its readings those of annotators."""
    model, near = statement.model, near_sigma(statement.model)
    moments = range(len(statement.steps) + 1)
    # By moment and comparison, what was seen (N,).
    readings = [
        {
            text: values
            for step in statement.steps
            for text, values in read_atoms(
                step.predicate, seen_outputs(model, film.at(moment))
            ).items()
        }
        for moment in moments
    ]
    seen = {atom.text: atom for s in statement.steps for atom in atoms_of(s.predicate, near)}
    plans = tuple(
        StepPlan(plan.text, plan.layers, tuple(seen.get(a.text, a) for a in plan.atoms))
        for plan in record.steps
    )
    samples = []
    for i, sample in enumerate(record.samples[: len(film)]):
        steps = tuple(
            evolve(step, readings={text: number(v[i]) for text, v in readings[moment].items()})
            for moment, step in zip(moments, sample.steps, strict=True)
        )
        samples.append(evolve(sample, steps=steps))
    return evolve(record, steps=plans, samples=tuple(samples))


def _draw(record: GroupRecord, film: Film, decode: Decode) -> Image.Image:
    strips = []
    for i, sample in enumerate(record.samples):
        frames = decode(torch.from_numpy(np.ascontiguousarray(film.frames[i])))
        strips.append(draw_film(record, sample, [thumbnail(image) for image in frames]))
    return stacked(strips)
