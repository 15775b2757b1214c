"""One group's folder within a run's: what is in it, and what is added to it.

    samples.jsonl                     one line a sample: index, energy, status, nfe, readings{}, …
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

from lacelang.errors import ANOTHER_FOLDER, ResourceError
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
        samples = folder._lines.read()
        good = next((i for i, s in enumerate(samples) if s.index != i), len(samples))
        folder.latents = Shards.open(path, record.fingerprint)
        count = min(good, len(folder.latents))
        if count < len(samples):
            folder._lines.keep(count)
        folder.latents.cut(min(count, record.count))
        folder.samples = samples[: min(count, record.count)]
        for noted in Lines(path / ANNOTATIONS, Annotation).read():
            if noted.index < len(folder.samples):
                sample = folder.samples[noted.index]
                folder.samples[noted.index] = evolve(sample, seen=noted.values)
        folder.finished = {
            sample.index
            for sample in folder.samples
            if is_finished(folder.image(sample.index), record, sample.index, metadata)
            and (not record.steps or is_whole(folder.film(sample.index)))
        }
        folder.has_sheet = before == record.count == len(folder.finished) and is_whole(path / SHEET)
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

    def replace(self, samples: Sequence[SampleRecord], latents: Latents) -> None:
        """Keep these samples in place of whatever is there.

        Raises:
            ResourceError: the disk is full, or the folder cannot be written.
        """
        self.latents.cut(0)
        self._lines.restart()
        self.samples = []
        self.add(samples, latents)

    def note_image(self, index: int) -> None:
        """Note that the image of sample `index` is on disk."""
        with self._lock:
            self.finished.add(index)

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Keep what annotators say of some images.

        Raises:
            ResourceError: the disk is full, or the folder cannot be written.
        """
        Lines(self.path / ANNOTATIONS, Annotation).append(annotations)
        with self._lock:
            for noted in annotations:
                self.samples[noted.index] = evolve(self.samples[noted.index], seen=noted.values)

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
        self.path = path
        self.latents.moved(path)
        self._lines.path = path / SAMPLES


def own_files(folder: Path) -> Iterator[Path]:
    """Files of the names that a run writes into a group's folder; none behind a link."""
    for each in (folder, folder / FILMS):
        if each.is_dir() and not each.is_symlink():
            for path in sorted(each.iterdir()):
                fixed = path.name in (SHEET, SAMPLES, ANNOTATIONS) and each == folder
                if fixed or is_shard(path.name) or _IMAGE.fullmatch(path.name):
                    yield path


def own_images(folder: Path) -> Iterator[Path]:
    """Files in a group's folder that have the names of its images."""
    if folder.is_dir() and not folder.is_symlink():
        yield from (path for path in sorted(folder.iterdir()) if _IMAGE.fullmatch(path.name))


def refuse_link(folder: Path) -> None:
    """Raise a ResourceError if `folder` is a link: what is behind it is not the run's."""
    if folder.is_symlink():
        raise ResourceError(
            f"{folder} is a link; a run writes into folders of its own only",
            "remove the link, or choose another folder",
            ANOTHER_FOLDER,
        )
