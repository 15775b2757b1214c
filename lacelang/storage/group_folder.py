"""One group's folder within a run's: what is in it, and what is added to it.

    samples.jsonl                     one line a sample: `SampleRecord`
    latents-000000.safetensors …      z, and w as the decoder is given it, one row a sample
    annotations.jsonl                 what annotators say of a sample's image, where it was asked
    0000.png …  sheet.png             the images, and all of them small
    edits/0000.png …                  of edited samples, the image before and after each line

Samples are in the order of their indices. The first two are written before any image is decoded.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import evolve, frozen

from lacelang.errors import another_folder
from lacelang.storage.files import disk_error, flush_folder, make_folder, sweep_parts
from lacelang.storage.latents import Latents
from lacelang.storage.lines import Lines
from lacelang.storage.png import is_whole
from lacelang.storage.provenance import is_finished
from lacelang.storage.records import Count, GroupRecord, SampleRecord, Seen
from lacelang.storage.shards import Shards, is_shard

SAMPLES = "samples.jsonl"
ANNOTATIONS = "annotations.jsonl"
SHEET = "sheet.png"
FILMS = "edits"
_IMAGE = re.compile(r"\d{4,}\.png")


@frozen
class Annotation:
    """What annotators say of the image of one sample."""

    index: Count
    values: Seen


class GroupFolder:
    """The samples of one group on disk. Images are noted from several threads.

    Attributes:
        path: the folder.
        record: the group as it is asked for, without its samples.
        samples: those that are there, from index 0 on; at most as many as are asked for.
        latents: of the same samples.
        finished: indices of the samples whose image is there and whole.
        has_sheet: whether the contact sheet shows all samples.
    """

    def __init__(self, path: Path, record: GroupRecord) -> None:
        self.path = path
        self.record = record
        self.samples: list[SampleRecord] = []
        self.latents = Shards(path, record.fingerprint)
        self.finished: set[int] = set()
        self.has_sheet = False
        self._lines = Lines(path / SAMPLES, SampleRecord)
        self._lock = threading.Lock()

    @staticmethod
    def open(path: Path, record: GroupRecord, before: int, metadata: bool) -> GroupFolder:
        """Return what an earlier run left of a group.

        Args:
            path: its folder.
            record: the group as it is asked for now.
            before: how many samples were asked for then.
            metadata: whether images carry their provenance; those that differ are not finished.
        """
        folder = GroupFolder(path, record)
        folder.latents = Shards.open(path, record.fingerprint)
        samples = folder._lines.read()
        good = next((i for i, s in enumerate(samples) if s.index != i), len(samples))
        folder._lines.cut(min(good, len(folder.latents)))
        count = min(good, len(folder.latents), record.count)
        folder.latents.cut(count)
        folder.samples = samples[:count]
        folder._note(Lines(path / ANNOTATIONS, Annotation).read())
        folder.finished = {
            index
            for index in range(count)
            if is_finished(folder.image(index), record, index, metadata)
            and (not record.steps or is_whole(folder.film(index)))
        }
        folder.has_sheet = before == record.count == len(folder.finished) and is_whole(folder.sheet)
        return folder

    def make(self) -> None:
        """Make the folder, and remove from it the unfinished files of a killed run.

        Raises:
            ResourceError: it cannot be made, or is a link to somewhere else.
        """
        for each in (self.path, self.path / FILMS) if self.record.steps else (self.path,):
            refuse_link(each)
            make_folder(each)
            sweep_parts(each)

    @property
    def name(self) -> str:
        """The group's name."""
        return self.record.name

    @property
    def group(self) -> GroupRecord:
        """The group with the samples that are there."""
        with self._lock:
            return evolve(self.record, samples=tuple(self.samples))

    def image(self, index: int) -> Path:
        """Where the image of sample `index` goes."""
        return self.path / f"{index:04d}.png"

    def film(self, index: int) -> Path:
        """Where the film strip of sample `index` goes, if the group is edited."""
        return self.path / FILMS / f"{index:04d}.png"

    @property
    def sheet(self) -> Path:
        """Where the contact sheet goes."""
        return self.path / SHEET

    @property
    def unfinished(self) -> list[SampleRecord]:
        """Samples whose image is still to be decoded."""
        with self._lock:
            return [sample for sample in self.samples if sample.index not in self.finished]

    @property
    def is_sampled(self) -> bool:
        """Whether all samples are there."""
        return len(self.samples) == self.record.count

    def add(self, samples: Sequence[SampleRecord], latents: Latents) -> None:
        """Keep further samples: their latents first, then their lines.

        Raises:
            ResourceError: the disk is full, or the folder cannot be written.
        """
        self.latents.append(len(self.samples), latents)
        self._lines.append(samples)
        with self._lock:
            self.samples.extend(samples)

    def note_image(self, index: int) -> None:
        """Note that the image of sample `index` is on disk."""
        with self._lock:
            self.finished.add(index)

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Keep what annotators say of some images.

        Raises:
            ResourceError: the disk is full, or the folder cannot be written.
        """
        lines = Lines(self.path / ANNOTATIONS, Annotation)
        lines.read()
        lines.append(annotations)
        self._note(annotations)

    def _note(self, annotations: Sequence[Annotation]) -> None:
        with self._lock:
            for noted in annotations:
                if noted.index < len(self.samples):
                    sample = self.samples[noted.index]
                    self.samples[noted.index] = evolve(sample, seen=noted.values)

    def move(self, path: Path) -> None:
        """Rename the folder.

        Raises:
            ResourceError: the system refuses.
        """
        try:
            self.path.rename(path)
            flush_folder(path.parent)
        except OSError as error:
            raise disk_error(error, path) from error
        self.path = self.latents.folder = path
        self._lines.path = path / SAMPLES


def own_images(folder: Path) -> Iterator[Path]:
    """Files that have the names of a group's images; none behind a link."""
    if folder.is_dir() and not folder.is_symlink():
        yield from (path for path in sorted(folder.iterdir()) if _IMAGE.fullmatch(path.name))


def own_files(folder: Path) -> Iterator[Path]:
    """Files of the names that a run writes into a group's folder; none behind a link."""
    if folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir()):
            if path.name in (SHEET, SAMPLES, ANNOTATIONS) or is_shard(path.name):
                yield path
        yield from (*own_images(folder), *own_images(folder / FILMS))


def refuse_link(folder: Path) -> None:
    """Raise a ResourceError if `folder` is a link: what is behind it is not the run's."""
    if folder.is_symlink():
        raise another_folder(
            f"{folder} is a link; a run writes into folders of its own only",
            "remove the link, or choose another folder",
        )
