"""An image made again from what it says of how it was made: its sample alone, and what that needs.

Sample i depends on the program, its seed and i alone, so no other sample is computed. What an image
says may be a stranger's: it is a program like any other, whose files are not looked for on disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray
from PIL import Image

from lacelang import ir
from lacelang.engine.differences import differences
from lacelang.engine.editing import edit_task
from lacelang.engine.loading import Model, load
from lacelang.engine.own_terms import with_terms
from lacelang.engine.photographs import found_again, photo_task
from lacelang.engine.picking import indices_along, pick_task
from lacelang.engine.provenance import Provenances
from lacelang.engine.sampling import candidate, sample_task
from lacelang.engine.sources import Source
from lacelang.engine.tasks import Batch, GroupTask, Start
from lacelang.errors import ResourceError, UsageError
from lacelang.generators.declaration import Device, choose_device
from lacelang.ir import CheckedProgram
from lacelang.progress import Progress, Stage
from lacelang.samplers.solution import Status
from lacelang.semantics.carried import checked
from lacelang.storage.files import write_atomic
from lacelang.storage.latents import Latents
from lacelang.storage.pixels import Difference, difference, pixels_of
from lacelang.storage.png import encode
from lacelang.storage.provenance import Provenance, digest_of_pixels, of_image, read, texts
from lacelang.storage.records import SampleRecord
from lacelang.text.hidden import in_line

_ENDING = ".replay"


@frozen(eq=False)
class Replay:
    """An image that was made again, and how it differs from the one that it was made from.

    Attributes:
        image: the new image, RGB.
        provenance: what it says of how it was made.
        same: whether it has the same pixels as the image had when it was made.
        retouched: whether the image has other pixels by now.
        pixels: how its pixels differ from those of the image; None of an image of another size.
        reasons: what is not as it was: versions, weights, options, the processor.
        file: where it was written; None if it was not.
    """

    image: Image.Image
    provenance: Provenance
    same: bool
    retouched: bool
    pixels: Difference | None
    reasons: tuple[str, ...]
    file: Path | None = None


@frozen(eq=False)
class Remaking:
    """All that there is to know of an image before it is made again.

    Attributes:
        said: what the image says.
        program: the statements that made it, those that it came from first; nothing else of the
            program runs.
    """

    path: Path
    said: Provenance
    program: CheckedProgram
    whole: CheckedProgram

    @classmethod
    def of(
        cls,
        path: Path,
        terms: Mapping[str, ir.OwnTerm] | None = None,
        root: Path | None = None,
        photo: Path | None = None,
    ) -> Remaking:
        """Read an image and check its program.

        Args:
            path: the image.
            terms: what Python defines that the program names.
            root: the folder from which files of the program's own models are looked for, and a
                photograph that an image was pasted into.
            photo: that photograph, if it has another name by now.

        Raises:
            UsageError: it does not say how it was made, or not enough to make it again.
            ResourceError: the photograph that it was pasted into is gone, or has changed.
            ProgramError: its program is wrong, here and now.
        """
        return cls.of_said(path, of_image(path), terms, root, photo)

    @classmethod
    def of_said(
        cls,
        path: Path,
        said: Provenance,
        terms: Mapping[str, ir.OwnTerm] | None = None,
        root: Path | None = None,
        photo: Path | None = None,
    ) -> Remaking:
        """The same, where it is known what the image says; `path` stands in messages."""
        if said.what not in ("image", "pasted") or said.sample is None:
            raise UsageError(
                f"{path} is {_of_what(said)}\nreplay the image of a sample: what it shows is there"
            )
        whole = checked(path, said, terms, root)
        named = {s.name: s for s in whole.statements if s.makes == "group"}
        chain = []
        for name in (*(each.name for each in said.came_from), said.group):
            if name not in named and said.unresolved is not None:
                why = in_line(said.unresolved)[:200]
                raise UsageError(f"{path} does not carry a whole program: {why}")
            if name not in named:
                raise _damaged(path, f"its program makes no group {in_line(name)[:100]!r}")
            chain.append(named[name])
        for before, statement in zip((None, *chain), chain, strict=False):
            if statement.needs != (None if before is None else before.name):
                raise _damaged(path, "its groups do not come from one another")
        if said.what == "pasted":
            first, digest = chain[0], _photo_of(said).get("sha256")
            if not isinstance(first, ir.PhotoStatement) or not isinstance(digest, str):
                raise _damaged(path, "it was pasted into no photograph")
            chain[0] = evolve(first, file=found_again(path, first, digest, photo, root))
        return cls(path, said, evolve(whole, statements=tuple(chain)), whole)

    def run(self, device: Device, progress: Progress) -> Replay:
        """Make the image again.

        Raises:
            UsageError: the image lacks something, or is not what it says.
            ResourceError: weights or annotators cannot be had.
        """
        image, batch, tasks = self.remade(device, progress)
        task, record = tasks[self.said.group], batch.records[0]
        of = Provenances(self.whole, tasks)
        if self.said.what == "pasted":
            if task.paste is None:
                raise _damaged(self.path, "it was pasted into no photograph")
            image = task.paste(image)
            made = of.pasted(task.record, record, image)
        else:
            made = of.image(task.record, record, image)
        return self._compared(image, evolve(made, replay_of=self.said.pixels), tasks)

    def remade(
        self, device: Device, progress: Progress, images: bool = True
    ) -> tuple[NDArray[np.uint8], Batch, dict[str, GroupTask]]:
        """Return the image, uint8 (H, W, 3), its sample, and the tasks that made it.

        Without `images` nothing is decoded, and the image is empty. For errors see `run`.
        """
        tasks = self._tasks(self._device(device), progress)
        with progress.stage("sampling", len(tasks)) as stage:
            batch = None
            for statement, index in zip(self.program.statements, self._indices, strict=True):
                assert statement.makes == "group"
                batch = self._drawn(tasks[statement.name], statement, index, batch)
                stage.advance()
        assert batch is not None
        image = np.zeros((0, 0, 3), np.uint8)
        if images:
            with progress.stage("decoding", 1) as stage:
                image = next(tasks[self.said.group].model.decode(batch.latents.w))
                stage.advance()
        return image, batch, tasks

    @property
    def _indices(self) -> list[int]:
        """The indices of the sample in the group of each statement."""
        sample = self.said.sample
        assert sample is not None
        try:
            return indices_along(self.program.statements, sample.index)
        except IndexError:
            raise _damaged(self.path, f"its group has no sample {sample.index}") from None

    def _device(self, device: Device) -> Device:
        """That of the image if it is here, where none is asked for."""
        made_on = _weights(self.said).get("device")
        found: list[Device] = [each for each in get_args(Device) if each == made_on]
        if device == "auto" and found:
            with suppress(ResourceError):
                choose_device(found[0])
                return found[0]
        return device

    def _tasks(self, device: Device, progress: Progress) -> dict[str, GroupTask]:
        tasks: dict[str, GroupTask] = {}
        for statement in self.program.statements:
            model = load(statement.model, device, progress)
            model = with_terms(model, statement.conditions.values())
            if isinstance(statement, ir.SampleStatement):
                task = sample_task(statement, model, self.said.seed, progress)
            elif isinstance(statement, ir.PickStatement):
                task = pick_task(statement, tasks[statement.group])
            elif isinstance(statement, ir.PhotoStatement):
                task = photo_task(statement, model, progress, self._photo(statement, model))
            elif isinstance(statement, ir.EditStatement):
                begun = None if statement.saved is None else self._begun(statement, model)
                task = edit_task(statement, model, tasks, begun)
            else:
                raise TypeError(f"nothing replays a {type(statement).__name__}")
            tasks[task.record.name] = task
        return tasks

    def _begun(self, statement: ir.EditStatement, model: Model) -> Source:
        """What the image carries of the samples on disk that it came from."""
        assert statement.saved is not None
        start = self._carried(statement.group, f"samples on disk, `{statement.group}`,", model)
        rows, psi = start.latents(), statement.saved.truncation
        return Source((), self.said.seed, 1, psi, start.digest, lambda made: rows, start)

    def _photo(self, statement: ir.PhotoStatement, model: Model) -> Start:
        """The styles that the image carries of the photograph that it came from."""
        return self._carried(statement.shown, f"a photograph, `{statement.shown}`,", model)

    def _carried(self, name: str, what: str, model: Model) -> Start:
        began, latents = self.said.began, self.said.start
        if latents is None or began is None or began.name != name:
            raise UsageError(
                f"{self.path} came from {what} and does not carry "
                "its own latents: they were too large for an image\n"
                "run its program where they are"
            )
        if not _fits(latents, model):
            raise _damaged(self.path, "the latents that it began from are of another model")
        return Start(name, began.samples, partial(_same, _Row(latents)))

    def _drawn(
        self, task: GroupTask, statement: ir.Statement, index: int, before: Batch | None
    ) -> Batch:
        sample, (_, *others) = self.said.sample, self.program.statements
        assert sample is not None
        tried = None if sample.status == Status.unverified.name else sample.tries
        only_picked = all(isinstance(each, ir.PickStatement) for each in others)
        if isinstance(statement, ir.SampleStatement) and tried and only_picked:
            # The annotators agreed with the last candidate; they need not be asked again.
            return candidate(statement, task.model, self.said.seed, index, tried - 1)
        draw = task.ready(_Before(before))
        return draw(range(index, index + 1), Stage())

    # How it differs

    def _compared(
        self, image: NDArray[np.uint8], made: Provenance, tasks: Mapping[str, GroupTask]
    ) -> Replay:
        before = pixels_of(self.path)
        here = None if before is None else digest_of_pixels(before)
        wanted = self.said.pixels or here
        seen = image[..., :3]
        fits = before is not None and before.shape == seen.shape
        pixels = difference(before, seen) if fits and before is not None else None
        reasons = tuple(self.reasons(made, tasks))
        same = made.pixels == wanted
        return Replay(Image.fromarray(image), made, same, here != wanted, pixels, reasons)

    def reasons(self, made: Provenance, tasks: Mapping[str, GroupTask]) -> Iterator[str]:
        """What is not as it was when the image was made, in words."""
        prints = {name: task.record.fingerprint for name, task in tasks.items()}
        return differences(self.said, made, prints)

    # Where it goes

    def written(self, replay: Replay, out: Path | None, metadata: bool = True) -> Replay:
        """Write the new image to `out`, or beside the old one under a name that is free.

        Raises:
            UsageError: `out` is a file that is no replay of this image.
            ResourceError: it cannot be written.
        """
        if out is not None and os.path.lexists(out) and not self._is_replay(out):
            raise UsageError(f"{out} is there already, and is no replay of {self.path}")
        file = out or self._free()
        data = encode(np.asarray(replay.image), texts(replay.provenance) if metadata else None)
        write_atomic(file, data)
        return evolve(replay, file=file)

    def _free(self) -> Path:
        """`x.replay.png`, or with a number where that is something else than an earlier replay."""
        number = 1
        while True:
            ending = _ENDING if number == 1 else f"{_ENDING}{number}"
            file = self.path.with_name(f"{self.path.stem}{ending}.png")
            if not os.path.lexists(file) or self._is_replay(file):
                return file
            number += 1

    def _is_replay(self, file: Path) -> bool:
        """Whether a file is a replay of this image that nobody has changed."""
        try:
            found = None if file.is_symlink() else read(file)
            if found is None or self.said.pixels is None or found.replay_of != self.said.pixels:
                return False
            pixels = pixels_of(file)
        except (OSError, ValueError):
            return False
        return pixels is not None and digest_of_pixels(pixels) == found.pixels


@frozen(eq=False)
class _Before:
    """The one sample of the group before, in place of all of them."""

    batch: Batch | None

    def latents(self, name: str) -> _Row:
        assert self.batch is not None
        return _Row(self.batch.latents)

    def records(self, name: str, chosen: Sequence[int]) -> Sequence[SampleRecord]:
        assert self.batch is not None
        return self.batch.records


@frozen(eq=False)
class _Row:
    """The latents of one sample, in place of those of all samples of its group."""

    latents: Latents

    def rows(self, chosen: Sequence[int]) -> Latents:
        assert len(chosen) == 1
        return self.latents


def _same(rows: _Row) -> _Row:
    return rows


def _fits(latents: Latents, model: Model) -> bool:
    """Whether a model can take the latents."""
    width, styles = model.generator.w_mean.shape[0], model.generator.style_count
    z = latents.z
    known = latents.w.shape in ((1, width), (1, styles, width))
    return known and (z is None or z.shape == (1, model.generator.latent_dim))


def _weights(said: Provenance) -> Mapping[str, Any]:
    found = (said.settings or {}).get("weights")
    return found if isinstance(found, Mapping) else {}


def _photo_of(said: Provenance) -> Mapping[str, Any]:
    found = (said.settings or {}).get("photo")
    return found if isinstance(found, Mapping) else {}


def _of_what(said: Provenance) -> str:
    group = in_line(said.group)[:100]
    if said.what == "film" and said.sample is not None:
        return f"the film strip of sample {said.sample.index} of {group}"
    if said.what == "grid":
        return f"a grid of {group} and other groups"
    return f"the contact sheet of {group}"


def _damaged(path: Path, why: str) -> UsageError:
    return UsageError(f"what {path} says of how it was made cannot be used: {why}")
