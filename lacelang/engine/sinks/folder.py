"""Groups in a run folder: latents and records as they are drawn, PNG files as they are decoded.

A batch is on disk before its first picture is decoded, and it is decoded while the next one is
drawn. So whatever ends the run, what the folder holds is true, and the next run goes on from it.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from lacelang.engine.plan import Options, Plan
from lacelang.engine.provenance import name_of, versions
from lacelang.engine.result import Group, opened
from lacelang.engine.sinks import Begun, Look, Picture, Sink
from lacelang.engine.sinks.encoding import Encoded, FolderEncoder, Taken
from lacelang.engine.sinks.saving import saving
from lacelang.engine.tasks import Batch, GroupTask
from lacelang.errors import another_folder
from lacelang.progress import Progress
from lacelang.render.grid import Grid, draw_grid, note, noted
from lacelang.render.group_grids import MOST_SAMPLES, loop_grids
from lacelang.render.sheet import MOST_FACES, draw_sheet, encoded
from lacelang.render.sheet_cells import thumbnail
from lacelang.storage.checks import check_of_json
from lacelang.storage.group_folder import GroupFolder, film_name, image_name, pasted_name
from lacelang.storage.images import SHEET, Images
from lacelang.storage.latents import Shards
from lacelang.storage.provenance import synthetic
from lacelang.storage.records import ExpectationRecord as Expectation
from lacelang.storage.records import (
    GroupRecord,
    MeasureRecord,
    ProgramRecord,
    RunRecord,
    SampleRecord,
    Seen,
)
from lacelang.storage.run_folder import RunFolder, origin_of
from lacelang.system.threads import Pool

if TYPE_CHECKING:
    from lacelang.ir import CheckedProgram

#: Latents of at most so many samples are read into memory when a run has ended.
_HELD = 4096
_MOST_IN_GRIDS = 500


class FolderSink(Sink):
    """Keeps a run in the folder `options.out`.

    Raises:
        ResourceError: the folder cannot be written, or holds files of somebody else.
        KeyboardInterrupt: with a message that says what is kept.
    """

    def __init__(self, program: CheckedProgram, planned: Plan, options: Options) -> None:
        out, path = options.out, program.path
        assert out is not None
        self.decodes = options.images
        self._planned = planned
        self._metadata = options.metadata
        self._on_image = options.on_image
        self._begun = datetime.now(UTC).isoformat(timespec="seconds")
        self._run = RunRecord(
            program=ProgramRecord(
                name_of(program),
                # Text from Python may hold halves of characters.
                program.source.encode(errors="replace").decode(),
            ),
            # What the last bits of a sample depend on, beside the program.
            versions=versions(),
            groups=tuple(task.record for task in planned.groups),
        )
        self._encoder = FolderEncoder(program, planned, options.metadata)
        self._folder = RunFolder(
            out,
            self._run,
            [task.record.name for task in planned.chosen],
            origin=None if options.shared and path is None else origin_of(path, out),
            replace=options.replace,
            metadata=options.metadata,
            begun_from=[task.file for task in planned.chosen if task.file is not None],
        )
        self._seconds: dict[str, float] = {}
        # A slow disk makes the decoder wait, so that few pictures are held in memory.
        self._writer = Pool(2, "png", most=6)
        self._last: Future[None] | None = None
        # Pictures for the sheet of each group, by index.
        self._thumbnails: dict[str, dict[int, Image.Image]] = {}
        # Those of groups in loops, for their grids; of more than so many, files are read again.
        self._in_grids: dict[tuple[str, int], Image.Image] = {}

    @contextmanager
    def open(self, progress: Progress) -> Iterator[None]:
        with self._folder as folder:
            replaced = folder.begin()
            if replaced:
                progress.note(f"{folder.root}: {', '.join(replaced)} changed, and will be replaced")
            groups = [folder.group(task.record.name) for task in self._planned.chosen]
            drawn = sum(len(group.samples) for group in groups)
            there = folder.finished() if self.decodes else drawn
            if there:
                wanted = sum(group.record.count for group in groups)
                progress.note(f"{folder.root}: {there} of {wanted} samples are there already")
            with saving(folder.root, folder.finished, folder.save):
                yield

    def begin(self, task: GroupTask) -> Begun:
        name = task.record.name
        group = self._folder.group(name)
        if len(group.latents) and not _fit(group.latents, task):
            raise another_folder(f"{group.path} holds latents of another model")
        if not self.decodes:
            return Begun(len(group.samples))
        self._thumbnails[name] = {}
        if len(group.finished) == group.record.count and not group.has_sheet:
            self._draw_sheet(group)
        for sample in group.samples:
            if sample.index in group.finished:
                self._tell(group, sample)
        return Begun(len(group.samples), group.unfinished)

    def add(self, task: GroupTask, batch: Batch) -> None:
        self._folder.add(task.record.name, batch.records, batch.latents)

    def picture(self, task: GroupTask, sample: SampleRecord, taken: Taken) -> None:
        group = self._folder.group(task.record.name)
        self._last = self._writer.submit(self._encode, task, group, sample, taken, self._last)

    def _encode(
        self,
        task: GroupTask,
        group: GroupFolder,
        sample: SampleRecord,
        taken: Taken,
        before: Future[None] | None,
    ) -> None:
        """Write what shows a sample, after what was submitted before it: the order is fixed."""
        files = self._encoder.encode(task, sample, taken)
        if before is not None:
            wait([before])
        self._write(group, sample, files)

    def encoded(self, task: GroupTask, sample: SampleRecord, files: Encoded) -> None:
        self._write(self._folder.group(task.record.name), sample, files)

    def _write(self, group: GroupFolder, sample: SampleRecord, files: Encoded) -> None:
        index = sample.index
        if files.film:
            # Written first, for the picture says that the sample is finished.
            group.images.write(film_name(index), files.film, provenance=self._metadata)
        if files.pasted:
            group.images.write(pasted_name(index), files.pasted, provenance=self._metadata)
        group.images.write(image_name(index), files.image, provenance=self._metadata)
        if files.small is not None:
            self._thumbnails[group.record.name][index] = files.small
        whole = group.note_image(index)
        self._tell(group, sample)
        if whole:
            self._draw_sheet(group)

    def _tell(self, group: GroupFolder, sample: SampleRecord) -> None:
        if self._on_image is not None:
            self._on_image(group.record, sample, group.image(sample.index))

    def _draw_sheet(self, group: GroupFolder) -> None:
        pictures = self._thumbnails.pop(group.record.name)
        for sample in group.samples[:MOST_FACES]:
            if sample.index not in pictures:
                pictures[sample.index] = thumbnail(_read(group, sample.index))
        said = self._encoder.texts(lambda: self._encoder.provenances.sheet(group.record))
        sheet = encoded(draw_sheet(group.group, pictures), texts=said)
        group.images.write(SHEET, sheet, provenance=self._metadata)
        if group.record.loop is not None and len(self._in_grids) < _MOST_IN_GRIDS:
            kept = {(group.record.name, k): each for k, each in pictures.items()}
            self._in_grids.update(islice(kept.items(), MOST_SAMPLES))
        group.has_sheet = True

    def flush(self) -> None:
        self._writer.close()

    def end(self, task: GroupTask, seconds: float) -> None:
        self._seconds[task.record.name] = seconds

    def group(self, name: str) -> GroupRecord | None:
        found = self._folder.find(name)
        return None if found is None else found.group

    def latents(self, name: str) -> Shards:
        return self._folder.group(name).latents

    def pictures(self, name: str, indices: Sequence[int]) -> Iterable[Look]:
        task = next(task for task in self._planned.chosen if task.record.name == name)
        group = self._folder.group(name)

        def picture(index: int) -> Picture:
            if index in group.finished:
                return np.asarray(_read(group, index))
            # No picture was wanted.
            return next(task.model.decode(group.latents.rows([index]).w))

        return (partial(picture, index) for index in indices)

    def annotate(self, name: str, annotations: Iterable[tuple[int, Seen]]) -> None:
        group = self._folder.group(name)
        for index, seen in annotations:
            group.annotate(index, seen)

    def measured(self, fingerprint: str) -> MeasureRecord | None:
        before = self._folder.before.measures
        found = (known for known in before if known.fingerprint == fingerprint)
        return next((known for known in found if known.is_sealed()), None)

    def keep(self, measures: Sequence[MeasureRecord], found: Sequence[Expectation]) -> None:
        self._folder.keep([measure.sealed() for measure in measures], found)

    def finish(self, complete: bool, started: float) -> Sequence[Group]:
        timing = {
            "started": self._begun,
            "seconds": round(time.perf_counter() - started, 3),
            "sampling": {name: round(spent, 3) for name, spent in self._seconds.items()},
        }
        self.whole = complete and self._folder.is_complete(self.decodes)
        self._folder.save(self.whole, timing)
        if self.decodes:
            self.grids = self._write_grids()
        return [self._result(task) for task in self._planned.chosen]

    def _write_grids(self) -> list[Path]:
        """Write a grid of the groups of each loop that made something now."""
        made = {task.record.name for task in self._planned.chosen}
        looped = [task.record for task in self._planned.groups if task.record.loop is not None]
        if not any(record.name in made for record in looped):
            return []
        found = [self._folder.find(record.name) for record in looped]
        groups = {each.record.name: each for each in found if each is not None}
        images, written = Images(self._folder.root).read(), []
        for loop in loop_grids(group.group for group in groups.values()):
            name = f"{loop.name}.png"
            key = self._key(loop.grid, groups)
            if not images.holds(name) or noted(images.folder / name) != key:
                sheet = draw_grid(loop.grid, partial(self._picture_in_grid, groups))
                shown = [each.group for name, each in groups.items() if name in loop.grid.groups]
                said = self._encoder.texts(partial(self._encoder.provenances.grid, shown[0]))
                if said:
                    said |= synthetic(any(each.of_photo for each in shown))
                images.write(name, encoded(sheet, texts=said | note(key)))
            written.append(self._folder.root / name)
        return written

    def _key(self, grid: Grid, groups: Mapping[str, GroupFolder]) -> str:
        """What a grid shows, down to its images."""
        shown = {
            f"{row} {column}": [
                (groups[each.group].images.digest(image_name(each.index)), each.failed)
                for each in cell
            ]
            for (row, column), cell in grid.cells.items()
        }
        return check_of_json([grid.title, grid.facts, grid.rows, grid.columns, shown])

    def _picture_in_grid(
        self, groups: Mapping[str, GroupFolder], name: str, index: int
    ) -> Image.Image | None:
        kept = self._in_grids.get((name, index))
        if kept is not None or index not in groups[name].finished:
            return kept
        return _read(groups[name], index)

    def _result(self, task: GroupTask) -> Group:
        """A group as the run returns it; latents of a large one stay on disk."""
        folder = self._folder.group(task.record.name)
        latents = folder.latents
        return Group(
            folder.group,
            latents.rows(slice(None)) if len(latents) <= _HELD else latents,
            self._seconds[task.record.name],
            task.model.decode,
            task.frames,
            folder.path,
            {index: folder.image(index) for index in folder.finished},
            self._encoder.provenances,
            task.paste,
        )


def _read(group: GroupFolder, index: int) -> Image.Image:
    """Read the image of a sample, as the run has written it."""
    return opened(io.BytesIO(group.images.data(image_name(index))))


def _fit(latents: Shards, task: GroupTask) -> bool:
    """Whether the model of a group can decode the latents that are there."""
    first, generator = latents.rows([0]), task.model.generator
    w, styles = generator.w_mean.shape[0], generator.style_count
    z_fits = first.z is None or first.z.shape == (1, generator.latent_dim)
    return z_fits and first.w.shape in ((1, w), (1, styles, w))
