"""Evaluation of a data set: some of its samples, as annotators see their images."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray
from PIL import Image

from lacelang import ir
from lacelang.annotators import Annotator, describing, judging
from lacelang.api import Program
from lacelang.classifiers.labels import columns_of
from lacelang.classifiers.measuring import Measured
from lacelang.compiler import standing
from lacelang.engine.drawn import values_of, wanted_columns
from lacelang.engine.picking import indices_along
from lacelang.engine.result import Group
from lacelang.engine.truth import Columns
from lacelang.errors import ResourceError, UsageError
from lacelang.evaluate import reference
from lacelang.evaluate.judged import Judged, judge_groups, require_judges
from lacelang.evaluate.program import tables_of
from lacelang.evaluate.report import Report
from lacelang.evaluate.sheets import FACES, sheet_of
from lacelang.progress import Progress
from lacelang.semantics import defaults
from lacelang.semantics.check import check
from lacelang.storage.datasets.folder import DatasetGroup
from lacelang.storage.datasets.index import GroupIndex, Index, read_index
from lacelang.storage.datasets.place import Place
from lacelang.storage.datasets.samples import Item, items_of
from lacelang.storage.latents import Latents
from lacelang.system.threads import Pool, cores
from lacelang.system.torch_state import isolated

SAMPLES = 64
"""Samples of each group that are judged, if no number is given."""

_MOST_SHARDS = 16
_MOST_ANNOTATORS = 4


@frozen(eq=False)
class _Chosen:
    """Some samples of a group, and what their images are to show."""

    statement: ir.SampleStatement
    entry: GroupIndex
    items: Sequence[Item]
    firsts: Sequence[int]  # the index of each in the group that its values were drawn for


def evaluate_dataset(
    place: Place, progress: Progress, faces: int | None = None, root: Path | None = None
) -> tuple[Index, Report]:
    """Judge at most `faces` samples of each group of the data set at a place from their images.

    They are the first ones of shards that are spread evenly over the group. `root` is the folder
    from which files of the program's own models are looked for.

    Raises:
        UsageError: there is no data set, it has no images, or no annotator judges an attribute.
        ProgramError: its program is wrong, here and now.
        ResourceError: a file is damaged, or weights cannot be had.
    """
    index = read_index(place)
    if index is None:
        raise UsageError(f"{place.name} holds no data set of lacelang")
    if index.layout.images is None:
        raise UsageError(f"{place.name} has no images, and annotators judge images")
    with isolated(threads=False):
        path = None if root is None else root / (Path(index.program.name).name or "program")
        statements = check(index.program.source, path, root=root).statements
        chosen = list(_chosen(place, index, statements, faces or SAMPLES))
        require_judges([each.statement for each in chosen])
        judged: list[Judged] = []
        compared: list[reference.Compared] = []
        for model in dict.fromkeys(each.statement.model.name for each in chosen):
            some = [each for each in chosen if each.statement.model.name == model]
            found = _judged(some, index, place, progress)
            judged += found
            compared += _compared(found, progress)
        varied = reference.table(compared)
        tables = [*tables_of([[one] for one in judged]), *([] if varied is None else [varied])]
        pictures = [sheet_of(one) for one in judged]
    groups = {each.entry.group.name: len(each.items) for each in chosen}
    return index, Report(index.program.name, tables, pictures, {"samples": groups})


def _chosen(
    place: Place, index: Index, statements: Sequence[ir.Statement], faces: int
) -> Iterator[_Chosen]:
    made = {s.name: s for s in statements if s.makes == "group"}
    for entry in index.groups:
        name = entry.group.name
        if name not in made:
            continue  # of another program that ran into the same place
        chain = [made[name]]
        while (needs := chain[0].needs) is not None:
            chain.insert(0, made[needs])
        statement = _asked_of(chain, entry)
        group = DatasetGroup(place, entry.group, index.layout)
        group.load()
        items = [item for item in _spread(group, faces) if item.image is not None]
        if statement is not None and items:
            firsts = [indices_along(chain, item.sample.index)[0] for item in items]
            yield _Chosen(statement, entry, items, firsts)


def _asked_of(chain: Sequence[ir.Statement], entry: GroupIndex) -> ir.SampleStatement | None:
    """A statement of what the images of a group are to show; None where nothing is asked."""
    edits = [s for s in chain if isinstance(s, ir.EditStatement)]
    first, group = chain[0], entry.group
    if isinstance(first, ir.SampleStatement) and not edits:
        return evolve(first, name=group.name)
    if not edits:
        return None
    last = edits[-1]
    where = ir.conjunction(standing(last, len(last.steps) - 1), text=group.condition)
    return ir.SampleStatement(
        group.name,
        group.count,
        last.model,
        where,
        last.options,
        float(group.settings["truncation"]),
        group.seed,
        defaults.sampler(),
    )


def _spread(group: DatasetGroup, faces: int) -> Iterator[Item]:
    """Read samples of a group: the first ones of shards that are spread evenly over it."""
    shards = group.shards
    count = min(len(shards), _MOST_SHARDS, faces)
    taken = [shards[k * len(shards) // count] for k in range(count)]
    left, shares = faces, list[int]()
    # The last one first, which may be short.
    for k, shard in enumerate(reversed(taken)):
        shares.insert(0, min(-(-left // (count - k)), shard.tally.count))
        left -= shares[0]
    for shard, share in zip(taken, shares, strict=True):
        # What is not needed is not read.
        yield from islice(items_of(group.place, group.record, shard), share)


def _images(place: Place, items: Iterable[Item]) -> Iterator[NDArray[np.uint8]]:
    for item in items:
        assert item.image is not None
        try:
            with Image.open(io.BytesIO(item.image), formats=("PNG", "JPEG", "WEBP")) as image:
                yield np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise ResourceError(
                f"the image of sample {item.sample.index} in {place.name} is damaged: {error}",
                "`lacelang status` verifies files; remove the damaged one, run the program again",
            ) from error


def _judged(
    chosen: Sequence[_Chosen], index: Index, place: Place, progress: Progress
) -> list[Judged]:
    model = chosen[0].statement.model
    annotators = judging({attribute.name for attribute in model.attributes})
    describers = describing(annotators)
    total = sum(len(each.items) for each in chosen)
    judged = []
    with progress.stage("judging", total) as stage:
        looking = _Looking([*annotators, *describers], progress)
        for each in chosen:
            rows: list[Measured] = []
            for row in looking.at(_images(place, each.items)):
                rows.append(row)
                stage.advance()
            measured: Measured = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
            where, seed = each.statement.where, each.entry.group.seed
            wanted = wanted_columns(where, values_of(where, seed, each.firsts))
            columns: Columns = {**columns_of(measured, annotators), **wanted}
            identity = next((measured[a.identity] for a in describers), None)
            features = next((measured[a.features] for a in annotators if a.features), None)
            group = _group(each, list(_images(place, each.items[:FACES])))
            judged.append(
                Judged(each.statement, group, columns, identity=identity, features=features)
            )
    return judged


class _Looking:
    """Annotators, loaded: a few sets of them, each used by one thread."""

    def __init__(self, annotators: Sequence[Annotator], progress: Progress) -> None:
        self._count = min(cores(), _MOST_ANNOTATORS)
        self._idle: SimpleQueue[list[Any]] = SimpleQueue()
        for _ in range(self._count):
            self._idle.put([each.load(1, progress) for each in annotators])

    def at(self, images: Iterable[NDArray[np.uint8]]) -> Iterator[Measured]:
        """What annotators measure in each image, in order."""
        with Pool(self._count, "annotator") as pool:
            yield from pool.each(self._measured, images)

    def _measured(self, image: NDArray[np.uint8]) -> Measured:
        measures = self._idle.get()
        try:
            found: Measured = {}
            for measure in measures:
                seen = ((name, np.asarray(value)) for name, value in measure(image).items())
                # Where two measure the same, the first counts.
                found = {**dict(seen), **found}
        finally:
            self._idle.put(measures)
        return found


def _group(chosen: _Chosen, images: Sequence[NDArray[np.uint8]]) -> Group:
    """The samples as a group, with the first images."""
    record = evolve(chosen.entry.group, samples=tuple(item.sample for item in chosen.items))
    rows = Latents.joined([item.latents for item in chosen.items])

    def decode(_: object) -> Iterator[NDArray[np.uint8]]:
        return iter(images)

    return Group(record, rows, 0.0, decode, lambda latents: latents.w[:, None])


def _compared(judged: Sequence[Judged], progress: Progress) -> list[reference.Compared]:
    """What the variety of groups of one model is compared with; nothing without descriptors."""
    if not judged or judged[0].identity is None:
        return []
    counted = [evolve(one.statement, count=len(one)) for one in judged]
    asked = reference.asked(counted, progress)
    drawn = (*(each.reference for each in asked), reference.prior_of(counted))
    found = judge_groups(Program(ir.CheckedProgram(drawn, source="")), progress)
    return [
        reference.Compared([judged[place] for place in each.groups], other, found[-1])
        for each, other in zip(asked, found, strict=False)
    ]
