"""One group's folder within a run's: what is in it, and what is added to it.

    samples.jsonl                     one line a sample: `SampleRecord`
    latents-000000.safetensors …      z, and w as the decoder is given it, one row a sample
    annotations.jsonl                 what annotators say of a sample's image, where it was asked
    0000.png …  sheet.png             the images, and all of them small
    edits/0000.png …                  of edited samples, the image before and after each line

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
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Generic, Self, TypeVar

import msgspec
from attrs import evolve, frozen

from lacelang.errors import another_folder
from lacelang.storage.files import disk_errors, flush_folder, make_folder, sweep_parts
from lacelang.storage.latents import SHARD, Latents, Shards
from lacelang.storage.png import is_finished, is_whole
from lacelang.storage.records import Count, GroupRecord, SampleRecord, Seen, plain

SAMPLES = "samples.jsonl"
ANNOTATIONS = "annotations.jsonl"
SHEET = "sheet.png"
FILMS = "edits"
_IMAGE = re.compile(r"\d{4,}\.png")
_OWN = re.compile(
    "|".join([_IMAGE.pattern, SHARD.pattern, *map(re.escape, (SHEET, SAMPLES, ANNOTATIONS))])
)
_LONGEST_LINE = 16 << 20

T = TypeVar("T")


class Lines(Generic[T]):
    """A file with one JSON object a line, each an attrs class of one kind.

    A process that is killed while it appends leaves part of a line. `read` takes the lines before
    the first one that is not whole or not valid; `append` writes over what comes after them.
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        self.path = path
        self._decoder = msgspec.json.Decoder(kind)
        self._ends = [0]  # of each line that counts, behind the beginning

    def read(self) -> list[T]:
        """Return the valid lines from the beginning; none if there is no file."""
        items: list[T] = []
        self.cut(0)
        damaged = msgspec.MsgspecError, UnicodeDecodeError, RecursionError, FileNotFoundError
        with disk_errors(self.path, "read"), contextlib.suppress(*damaged):
            if self.path.exists() and not self.path.is_file():
                return items
            with self.path.open("rb") as file:
                # A line that is longer is none of ours, and may never end.
                while (line := file.readline(_LONGEST_LINE)).endswith(b"\n"):
                    items.append(self._decoder.decode(line))
                    self._ends.append(self._ends[-1] + len(line))
        return items

    def cut(self, count: int) -> None:
        """Let `append` write after the first `count` lines."""
        del self._ends[count + 1 :]

    def append(self, items: Iterable[T], flush: bool = True) -> None:
        """Write `items` after what was read and appended so far; `flush` to the disk itself."""
        lines = [msgspec.json.encode(plain(item)) + b"\n" for item in items]
        # What a link leads to is not the run's.
        flags = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        with disk_errors(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | flags)
            with open(descriptor, "r+b") as file:
                file.truncate(self._ends[-1])
                file.seek(self._ends[-1])
                file.write(b"".join(lines))
                if flush:
                    file.flush()
                    os.fsync(file.fileno())
        for line in lines:
            self._ends.append(self._ends[-1] + len(line))


@frozen
class Annotation:
    """What annotators say of the image of one sample."""

    index: Count
    values: Seen


class GroupFolder:
    """The samples of one group on disk. Images are noted from several threads."""

    def __init__(self, path: Path, record: GroupRecord) -> None:
        self.path = path
        self.record = record  # the group as it is asked for, without its samples
        self.samples: list[SampleRecord] = []  # those that are there, from index 0 on
        self.latents = Shards(path, record.fingerprint)  # of the same samples
        self.finished: set[int] = set()  # indices of the samples whose image is there and whole
        self.has_sheet = False  # the contact sheet shows all samples
        self._lines = Lines(path / SAMPLES, SampleRecord)
        self._annotations = Lines(path / ANNOTATIONS, Annotation)
        self._lock = threading.Lock()

    def load(self, before: int, metadata: bool) -> Self:
        """Take what an earlier run, which wanted `before` samples, left of the group.

        Images that carry their provenance, or not, other than `metadata` says are not finished.
        """
        record = self.record
        self.latents = Shards.open(self.path, record.fingerprint)
        samples = self._lines.read()
        good = next((i for i, s in enumerate(samples) if s.index != i), len(samples))
        self._lines.cut(min(good, len(self.latents)))
        count = min(good, len(self.latents), record.count)
        self.latents.cut(count)
        self.samples = samples[:count]
        for annotation in self._annotations.read():
            self._note(annotation)
        self.finished = {
            index
            for index in range(count)
            if is_finished(self.image(index), record, index, metadata)
            and (not record.steps or is_whole(self.film(index)))
        }
        self.has_sheet = before == record.count == len(self.finished) and is_whole(self.sheet)
        return self

    def make(self) -> None:
        """Make the folder, which is not a link, without the unfinished files of a killed run."""
        for each in (self.path, self.path / FILMS) if self.record.steps else (self.path,):
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

    def annotate(self, annotation: Annotation) -> None:
        """Keep what annotators say of an image."""
        # What a power loss takes is annotated again.
        self._annotations.append([annotation], flush=False)
        self._note(annotation)

    def _note(self, annotation: Annotation) -> None:
        index = annotation.index
        with self._lock:
            if index < len(self.samples):
                self.samples[index] = evolve(self.samples[index], seen=annotation.values)

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
        self._lines.path, self._annotations.path = place / SAMPLES, place / ANNOTATIONS


def own_images(folder: Path) -> Iterator[Path]:
    """Files that have the names of a group's images; none behind a link."""
    return _named(folder, _IMAGE)


def own_files(folder: Path) -> Iterator[Path]:
    """Files of the names that a run writes into a group's folder; none behind a link."""
    yield from (*_named(folder, _OWN), *own_images(folder / FILMS))


def _named(folder: Path, names: re.Pattern[str]) -> Iterator[Path]:
    if folder.is_dir() and not folder.is_symlink():
        yield from (path for path in sorted(folder.iterdir()) if names.fullmatch(path.name))


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
    """Remove what a run has written into `folder`, and the folder if nothing else is in it."""
    for path in list(own_files(folder)):
        path.unlink(missing_ok=True)
    for each in (folder / FILMS, folder):
        if each.is_dir() and not each.is_symlink():
            sweep_parts(each)
            with contextlib.suppress(OSError):
                each.rmdir()


def retire(place: Path) -> None:
    """Remove the group that was at `place`; files that people added go to the new one."""
    old = hidden(place, "old")
    with contextlib.suppress(OSError):
        clear(old)
        for part in ("", FILMS):
            for path in list((old / part).iterdir()) if (old / part).is_dir() else []:
                target = place / part / path.name
                if path.name != FILMS and not os.path.lexists(target):
                    target.parent.mkdir(exist_ok=True)
                    path.rename(target)
        clear(old)


def recover(place: Path, fingerprint: str) -> None:
    """Finish a replacement that a killed run began: `place` gets the group of this fingerprint."""
    old, new = hidden(place, "old"), hidden(place, "new")
    if not old.is_dir() or old.is_symlink():
        return
    if len(Shards.open(place, fingerprint)):
        retire(place)
    elif len(Shards.open(old, fingerprint)):
        with contextlib.suppress(OSError):
            clear(new)
            if place.exists():
                place.rename(new)
            old.rename(place)
