"""A run folder, read as it is: complete or not, of an earlier version or another person's.

Nothing is written, loaded or decoded, and no lock is taken.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from attrs import evolve, frozen

from lacelang.errors import ResourceError
from lacelang.storage.checks import secret
from lacelang.storage.datasets.index import NAME as INDEX
from lacelang.storage.group_folder import ANNOTATIONS, SAMPLES, Annotation, film_name, image_name
from lacelang.storage.images import Images
from lacelang.storage.latents import Shards
from lacelang.storage.lines import Lines
from lacelang.storage.records import NAME, GroupRecord, RunRecord, SampleRecord, read_index
from lacelang.system.filenames import on_disk


@frozen(slots=False, eq=False)
class FoundGroup:
    """A group of a run folder.

    Attributes:
        record: with the samples that are there, and what annotators saw in their images.
        path: its folder.
        images: of samples, by index; those that somebody has changed are left out.
        films: the film strips of edited samples, by index.
    """

    record: GroupRecord
    path: Path
    images: dict[int, Path]
    films: dict[int, Path]

    @cached_property
    def latents(self) -> Shards:
        """The latents that are there, read when they are asked for."""
        return Shards.open(self.path, self.record.fingerprint)


@frozen(eq=False)
class FoundRun:
    """A run folder: its index, and its groups in their order."""

    folder: Path
    record: RunRecord
    groups: tuple[FoundGroup, ...]


def find_run(folder: Path) -> FoundRun:
    """Read a run folder.

    Raises:
        ResourceError: there is no run in the folder, or its index is damaged.
    """
    if not folder.is_dir():
        raise ResourceError(f"there is no folder {folder}", "name the folder of a run")
    record = read_index(folder)
    if record is None:
        remedy = "name the folder that `lacelang run` wrote to"
        if (folder.parent / NAME).is_file():
            remedy = f"it is the folder of a group; name that of the run: {folder.parent}"
        elif (folder / INDEX).is_file():
            remedy = f"if it is a data set, `lacelang status {folder}` says what is there"
        raise ResourceError(f"{folder} holds no run: there is no {NAME} in it", remedy)
    return FoundRun(folder, record, tuple(_found(folder, group) for group in record.groups))


def _found(folder: Path, group: GroupRecord) -> FoundGroup:
    path = folder / on_disk(group.folder)
    if path.is_symlink() or not path.is_dir():
        return FoundGroup(group, path, {}, {})
    samples = _samples(path, group)
    images = Images(path).read()
    # Of a run that lost its list of images, all are taken.
    listed = any(images.digest(image_name(sample.index)) for sample in samples)

    def there(name: str) -> bool:
        return images.holds(name) if listed else (path / name).is_file()

    pictures = {s.index: path / image_name(s.index) for s in samples if there(image_name(s.index))}
    films = {s.index: path / film_name(s.index) for s in samples if s.steps}
    films = {index: film for index, film in films.items() if there(film_name(index))}
    seen = {
        each.index: each.values
        for each in Lines(path / ANNOTATIONS, Annotation, secret).read()
        if each.index not in pictures or each.of == images.digest(image_name(each.index))
    }
    samples = [evolve(s, seen=seen.get(s.index, s.seen)) for s in samples]
    return FoundGroup(evolve(group, samples=tuple(samples)), path, pictures, films)


def _samples(path: Path, group: GroupRecord) -> list[SampleRecord]:
    """The samples that are there, from the first on, as many as were asked for."""
    moments = len(group.steps) + 1 if group.steps else 0
    samples = Lines(path / SAMPLES, SampleRecord).read()[: group.count]
    fit = (s.index == i and len(s.steps) == moments for i, s in enumerate(samples))
    good = next((i for i, fits in enumerate(fit) if not fits), len(samples))
    return samples[:good]
