"""Edited faces, judged before the first line of the edit and after each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from attrs import evolve, frozen
from numpy.typing import NDArray
from PIL import Image

from lacelang.classifiers.draws import Painted
from lacelang.engine.atoms import atoms_of, read_atoms
from lacelang.engine.truth import Columns
from lacelang.evaluate.judged import look
from lacelang.evaluate.report import Sheet
from lacelang.evaluate.sheets import near_sigma, number, seen_outputs, stacked
from lacelang.render.film_strip import draw_film
from lacelang.render.sheet_cells import thumbnail
from lacelang.storage.records import GroupRecord, StepPlan

if TYPE_CHECKING:
    from lacelang import ir
    from lacelang.progress import Progress

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

    def followed(self, rest: Film) -> Film:
        """One film of the same faces, with the moments of `rest` after these."""

        def both(a: Floats, b: Floats) -> Floats:
            return np.concatenate([a, b], axis=1)

        return Film(
            both(self.frames, rest.frames),
            {name: both(self.columns[name], rest.columns[name]) for name in self.columns},
            both(self.features, rest.features),
            both(self.identity, rest.identity),
        )

    def first(self, faces: int) -> Film:
        """The same of the first faces alone."""
        columns = {name: column[:faces] for name, column in self.columns.items()}
        return Film(self.frames[:faces], columns, self.features[:faces], self.identity[:faces])


def judge_films(
    model: ir.ModelSpec, parts: Sequence[Floats], progress: Progress, title: str
) -> list[Film]:
    """Paint frames and let annotators look at each; what is judged stays in the cache.

    Args:
        model: whose faces they are.
        parts: w+ (N, P, styles, d) each, of which N and P may differ.
        progress: where to show how far it is.
        title: what the bar says.

    Raises:
        ResourceError: weights cannot be had.
    """
    # In one go, so that the annotators start up once.
    flat = [part.reshape(-1, *part.shape[2:]) for part in parts]
    seen = look(model, Painted(np.concatenate(flat)), progress, title, identity=True)
    films, start = [], 0
    for part in parts:
        shape = part.shape[:2]
        rows = seen.rows(slice(start, start + math.prod(shape)))
        start += math.prod(shape)
        assert rows.identity is not None
        columns = {name: column.reshape(shape) for name, column in rows.columns.items()}
        features = rows.features.reshape(*shape, -1)
        films.append(Film(part, columns, features, rows.identity.reshape(*shape, -1)))
    return films


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
