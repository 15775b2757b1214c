"""Groups of a run folder with their pictures and charts, as the templates take them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from lacelang.errors import ResourceError
from lacelang.report import pictures
from lacelang.report.contents import (
    Face,
    Film,
    GroupContents,
    face_of,
    film_of,
    group_contents,
    moments_of,
)
from lacelang.report.distributions import Distributions, Predictions
from lacelang.report.traces import Traces, traces_of
from lacelang.report.variety import MOST, spread
from lacelang.storage.reading import FoundGroup

MOST_GROUPS = 300
MOST_FACES = 800
_MANY = 40
#: Pictures of film strips on a page.
MOST_MOMENTS = 800


@frozen(eq=False)
class Limits:
    """How much of each group a page shows.

    Attributes:
        faces: samples of a group at most.
        side: pixels of a picture's longer side.
        moments: pictures of film strips of a group at most.
        compared_only: show distributions only of attributes that a group's condition compares.
    """

    faces: int = MOST_FACES
    side: int = pictures.SIDES[0][1]
    moments: int = MOST_MOMENTS
    compared_only: bool = False

    @classmethod
    def of(cls, groups: Sequence[FoundGroup]) -> Limits:
        """Share what a page shows among groups, so that none of them is without pictures."""
        counts = sorted(len(group.record.samples) for group in groups)
        left, each = MOST_FACES, 1
        for place, count in enumerate(counts):
            each = max(1, left // (len(counts) - place))
            left -= min(each, count)
        edited = sum(bool(group.films) for group in groups)
        total = sum(min(each, count) for count in counts)
        return cls(
            each, pictures.side_for(total), MOST_MOMENTS // max(1, edited), len(groups) > _MANY
        )


@frozen(eq=False)
class Card:
    """A group with all that the page shows of it.

    Attributes:
        left_out, films_left_out: how many samples and film strips only the folder has.
        small: the pictures are of a small generator.
        variety: see `spread`; empty where it is not known.
    """

    contents: GroupContents
    faces: tuple[Face, ...] = ()
    left_out: int = 0
    films: tuple[Film, ...] = ()
    films_left_out: int = 0
    small: bool = False
    variety: str = ""
    variety_text: str = ""
    distributions: Distributions = field(factory=Distributions)
    traces: Traces | None = None


def _embedded(group: FoundGroup, indices: Sequence[int], side: int) -> dict[int, pictures.Shown]:
    """Pictures of samples as data URIs, `side` pixels at most."""
    there = [index for index in indices if index in group.images]
    found = pictures.faces([group.images[index] for index in there], side)
    return {index: each for index, each in zip(there, found, strict=True) if each is not None}


def card(
    number: int,
    group: FoundGroup,
    limits: Limits,
    predictions: Predictions | None = None,
) -> Card:
    """Return the card of a group, the `number`th of its run.

    `predictions` are those of an earlier card, which keeps loaded models.
    """
    record = group.record
    samples = record.samples[: limits.faces]
    found = _embedded(group, [sample.index for sample in samples], limits.side)
    shown = tuple(face_of(record, each, found.get(each.index)) for each in samples)
    films = _films(group, limits.moments)
    variety = _variety(group)
    return Card(
        group_contents(number, group),
        shown,
        len(record.samples) - len(samples),
        films,
        len(group.films) - len(films),
        any(face.picture is not None and face.picture.pixelated for face in shown),
        "" if variety is None else f"{variety:.2f}",
        "of the latents: the mean squared distance between two samples, in units of that between "
        "two draws from the prior.",
        distributions=(predictions or Predictions()).distributions(group, limits.compared_only),
        traces=traces_of(record),
    )


def _films(group: FoundGroup, moments: int) -> tuple[Film, ...]:
    record = group.record
    if not record.steps:
        return ()
    each = len(moments_of(record))
    indices = sorted(group.films)[: max(1, moments // each)]
    strips = pictures.films(record, [group.films[index] for index in indices])
    return tuple(
        film_of(record, record.samples[index], strip)
        for index, strip in zip(indices, strips, strict=True)
        if strip
    )


def _variety(group: FoundGroup) -> float | None:
    """The spread of z, or None: an edit moves w, and z is where its samples began."""
    count = min(len(group.record.samples), MOST)
    if count < 2 or group.record.steps:
        return None
    try:
        if len(group.latents) < count:
            return None
        z = group.latents.rows(range(count)).z
    except ResourceError:
        return None
    return None if z is None else spread(z)
