"""One group's folder within a run's: what is in it, and what is added to it.

    samples.jsonl                     one line a sample: `SampleRecord`
    latents-000000.safetensors …      z, and w as the decoder is given it, one row a sample
    annotations.jsonl                 what annotators say of a sample's image, where it was asked
    images.jsonl                      names and digests of the images that were written
    0000.png …  sheet.png             the images, and all of them small
    edits/0000.png …                  of edited samples, the image before and after each line;
                                      where a photograph was edited, that comes first
    pasted/0000.png …                 the photograph with the image in it, where `paste` asks for it

Samples are in the order of their indices. The first two are written before any image is decoded.

A group that replaces another is made in `.NAME.new`. Once it has samples the old one is renamed to
`.NAME.old` and the new one takes its place; then what a run wrote into the old one is removed, and
what people added stays. A process that is killed in between leaves `.NAME.old`, which `recover`
takes back, or removes.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from attrs import evolve, frozen

from lacelang.errors import another_folder
from lacelang.storage.checks import secret
from lacelang.storage.files import disk_errors, flush_folder, make_folder, sweep_parts
from lacelang.storage.images import (
    FILMS,
    INNER,
    PASTED,
    SHEET,
    WRITTEN,
    Images,
    files_of,
    named_images,
)
from lacelang.storage.latents import SHARD, Latents, Shards
from lacelang.storage.lines import Lines
from lacelang.storage.records import Count, GroupRecord, SampleRecord, Seen

SAMPLES = "samples.jsonl"
ANNOTATIONS = "annotations.jsonl"
_RECORDS = re.compile("|".join([SHARD.pattern, *map(re.escape, (SAMPLES, ANNOTATIONS, WRITTEN))]))


@frozen
class Annotation:
    """What annotators say of the image of one sample."""

    index: Count
    of: str  # the digest of the image, or where none was written, of the latents
    values: Seen


class GroupFolder:
    """The samples of one group on disk. Images are noted from several threads."""

    def __init__(self, path: Path, record: GroupRecord, images: Images | None = None) -> None:
        self.path = path
        self.record = record  # the group as it is asked for, without its samples
        self.samples: list[SampleRecord] = []  # those that are there, from index 0 on
        self.latents = Shards(path, record.fingerprint)  # of the same samples
        self.finished: set[int] = set()  # indices of the samples whose image is there and whole
        self.has_sheet = False  # the contact sheet shows all samples
        self.images = images or Images(path)
        self._lines = Lines(path / SAMPLES, SampleRecord)
        # Sealed: a verdict rests on them alone.
        self._annotations = Lines(path / ANNOTATIONS, Annotation, secret)
        self._lock = threading.Lock()

    def load(self, before: int, metadata: bool) -> Self:
        """Take what an earlier run, which wanted `before` samples, left of the group.

        Images that carry their provenance, or not, other than `metadata` says are not finished.
        """
        record = self.record
        self.latents = Shards.open(self.path, record.fingerprint)
        samples = self._lines.read()
        moments = len(record.steps) + 1 if record.steps else 0
        fit = (s.index == i and len(s.steps) == moments for i, s in enumerate(samples))
        good = next((i for i, fits in enumerate(fit) if not fits), len(samples))
        self._lines.cut(min(good, len(self.latents)))
        count = min(good, len(self.latents), record.count)
        self.latents.cut(count)
        self.samples = samples[:count]
        self.images.read()
        self.finished = {
            index
            for index in range(count)
            if all(self.images.holds(name, metadata) for name in names_of(record, index))
        }
        everything = before == record.count == len(self.finished)
        self.has_sheet = everything and self.images.holds(SHEET, metadata)
        for annotation in self._annotations.read():
            if annotation.index < count and annotation.of == self._shown(annotation.index):
                self._note(annotation)
        return self

    def make(self) -> None:
        """Make the folder, which is not a link, without the unfinished files of a killed run."""
        inner = {FILMS: self.record.has_films, PASTED: self.record.pastes}
        for each in (self.path, *(self.path / name for name, wanted in inner.items() if wanted)):
            refuse_link(each)
            make_folder(each)
            sweep_parts(each)

    @property
    def group(self) -> GroupRecord:
        """The group with the samples that are there."""
        with self._lock:
            return evolve(self.record, samples=tuple(self.samples))

    def image(self, index: int) -> Path:
        """Where the image of sample `index` goes."""
        return self.path / image_name(index)

    @property
    def unfinished(self) -> list[SampleRecord]:
        """Samples whose image is still to be decoded."""
        with self._lock:
            return [sample for sample in self.samples if sample.index not in self.finished]

    def add(self, samples: Sequence[SampleRecord], latents: Latents) -> None:
        """Keep further samples: their latents first, then their lines."""
        self.latents.append(len(self.samples), latents)
        self._lines.append(samples)
        with self._lock:
            self.samples.extend(samples)

    def note_image(self, index: int) -> bool:
        """Note that the image of sample `index` is on disk; return whether all images are."""
        with self._lock:
            self.finished.add(index)
            return len(self.finished) == self.record.count

    def annotate(self, index: int, values: Seen) -> None:
        """Keep what annotators say of the image of a sample."""
        annotation = Annotation(index, self._shown(index), values)
        # What a power loss takes is annotated again.
        self._annotations.append([annotation], flush=False)
        self._note(annotation)

    def _note(self, annotation: Annotation) -> None:
        index = annotation.index
        with self._lock:
            self.samples[index] = evolve(self.samples[index], seen=annotation.values)

    def _shown(self, index: int) -> str:
        """What tells the image of a sample from any other: its digest, or that of the latents."""
        if index in self.finished:
            return self.images.digest(image_name(index))
        return self.latents.digest_of(index)

    def take_place(self, place: Path) -> None:
        """Move to `place`; the group that is there goes to its `.old`."""
        old = hidden(place, "old")
        with disk_errors(place):
            clear(old)
            if place.exists():
                place.rename(old)
            self.path.rename(place)
            flush_folder(place.parent)
        self.path = self.latents.folder = place
        self.images.move(place)
        self._lines.path, self._annotations.path = place / SAMPLES, place / ANNOTATIONS


def image_name(index: int) -> str:
    """Return the name of the image of a sample."""
    return f"{index:04d}.png"


def film_name(index: int) -> str:
    """Return the name of the film strip of an edited sample."""
    return f"{FILMS}/{index:04d}.png"


def pasted_name(index: int) -> str:
    """Return the name of the photograph that the image of a sample was pasted into."""
    return f"{PASTED}/{index:04d}.png"


def names_of(record: GroupRecord, index: int) -> list[str]:
    """Return the names of all images of a sample of a group."""
    films = [film_name(index)] if record.has_films else []
    pasted = [pasted_name(index)] if record.pastes else []
    return [image_name(index), *films, *pasted]


def own_files(folder: Path) -> Iterator[Path]:
    """Files of the names that a run writes into a group's folder; none behind a link."""
    yield from (*files_of(folder, _RECORDS), *named_images(folder))


def refuse_link(folder: Path) -> None:
    """Raise a ResourceError if `folder` is a link: what is behind it is not the run's."""
    if folder.is_symlink():
        raise another_folder(
            f"{folder} is a link; a run writes into folders of its own only",
            "remove the link, or choose another folder",
        )


def hidden(folder: Path, ending: str) -> Path:
    """Return where a group's folder is kept, or made, while another takes its place."""
    return folder.with_name(f".{folder.name}.{ending}")


def clear(folder: Path) -> None:
    """Remove what a run has written into `folder`, and the folder if nothing else is in it.

    What a link leads to is not the run's and stays.
    """
    if folder.is_symlink():
        return
    images = Images(folder).read()
    gone = [path for path in named_images(folder) if images.is_known(path)]
    for path in (*gone, *files_of(folder, _RECORDS)):
        path.unlink(missing_ok=True)
    for each in (*(folder / inner for inner in INNER), folder):
        if each.is_dir() and not each.is_symlink():
            sweep_parts(each)
            with contextlib.suppress(OSError):
                each.rmdir()


def retire(place: Path) -> None:
    """Remove the group that was at `place`; files that people added go to the new one."""
    old = hidden(place, "old")
    with contextlib.suppress(OSError):
        clear(old)
        for part in ("", *INNER):
            for path in list((old / part).iterdir()) if (old / part).is_dir() else []:
                target = place / part / path.name
                if path.name not in INNER and not os.path.lexists(target):
                    target.parent.mkdir(exist_ok=True)
                    path.rename(target)
        clear(old)


def recover(place: Path, fingerprint: str) -> bool:
    """Finish a replacement that a killed run began: `place` gets the group of this fingerprint.

    Returns whether there was one.
    """
    old, new = hidden(place, "old"), hidden(place, "new")
    if not old.is_dir() or old.is_symlink():
        return False
    if len(Shards.open(place, fingerprint)):
        retire(place)
    elif len(Shards.open(old, fingerprint)):
        with contextlib.suppress(OSError):
            clear(new)
            if place.exists():
                place.rename(new)
            old.rename(place)
    return True
