"""The group of a `photo` statement: the styles of which a generator makes a photograph's face."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacelang import ir
from lacelang.engine.fingerprint import file_digest, fingerprint, loop_of
from lacelang.engine.loading import Model
from lacelang.engine.tasks import Batch, GroupTask, Rows, Start
from lacelang.errors import ResourceError, WayOut
from lacelang.generators.declaration import Cut, Inverted, Inverter
from lacelang.progress import Progress, Stage
from lacelang.semantics import defaults
from lacelang.storage.files import folder_name
from lacelang.storage.latents import Float32, Latents
from lacelang.storage.photos import read_photo
from lacelang.storage.records import GroupRecord, SampleRecord, rounded
from lacelang.system.filenames import on_disk
from lacelang.system.torch_state import isolated
from lacelang.text.hidden import in_line


def photo_task(
    statement: ir.PhotoStatement, model: Model, progress: Progress, begun: Start | None = None
) -> GroupTask:
    """Return the group of a statement.

    `begun` are styles in place of the photograph, which is looked for then only where something is
    pasted into it.
    """
    inverter = model.inverter(progress)
    weights = {**model.weights(conditioned=False), "encoder": inverter.digest}
    digest = file_digest(statement.file) if begun is None else begun.digest
    settings: dict[str, Any] = {
        "model": statement.model.name,
        "generator": statement.model.generator,
        "weights": weights,
        "sampler": "inversion, fast" if statement.fast else "inversion",
        "truncation": statement.truncation,
        "photo": {"file": statement.shown, "sha256": digest, "face": statement.face},
        **pasting(statement),
    }
    record = GroupRecord(
        name=statement.name,
        folder=folder_name(statement.name),
        condition=f"the face of a photograph, {statement.shown}",
        fingerprint=fingerprint(statement, defaults.SEED, weights, digest),
        seed=defaults.SEED,
        count=1,
        settings=settings,
        atoms=(),
        loop=loop_of(statement),
    )
    photo = _Photograph(statement, inverter)
    if begun is not None:
        again = partial(_again, begun)
        return GroupTask(model, record, lambda available: again, _frames, paste=photo.paste)
    return GroupTask(
        model,
        record,
        lambda available: photo.draw,
        _frames,
        file=statement.file,
        start=Start(statement.shown, digest, photo.latents),
        original=photo.original,
        paste=photo.paste,
    )


def pasting(statement: ir.PhotoStatement | ir.EditStatement) -> dict[str, Any]:
    """What the settings of a group say of `paste`."""
    return {"paste": True} if statement.paste else {}


def found_again(
    image: Path, statement: ir.PhotoStatement, digest: str, given: Path | None, root: Path | None
) -> Path:
    """Return the photograph that an image was pasted into.

    Only the very file that it was is taken, by its digest: the image may be a stranger's.

    Args:
        image: the image, for errors.
        statement: the one that names it: from `root`, or the current folder.
        digest: SHA-256 of it.
        given: where it is, if it has another name by now.
        root: a folder.

    Raises:
        ResourceError: it is not here, or has changed.
    """
    places = [] if given is None else [given]
    if given is None:
        with suppress(RuntimeError):  # there is no home of that name
            name = Path(on_disk(statement.shown)).expanduser()
            places = [(root or Path()) / name, name]
    for place in places:
        if digest != "missing" and file_digest(place) == digest:
            return place
    changed = next((place for place in places if place.is_file()), None)
    if changed is not None:
        message = (
            f"{changed} is not the photograph that {image} was made with, or has changed since"
        )
        raise ResourceError(message, "find the photograph as it was", {WayOut.PHOTO: ""})
    shown = in_line(statement.shown)[:100]
    raise ResourceError(
        f"{image} is a photograph, `{shown}`, with a face pasted into it, and that is not here",
        "replay it in the folder of its program",
        {WayOut.PHOTO: ""},
    )


class _Photograph:
    """The photograph of a statement: read, cut and inverted when it is first needed.

    Its styles are pickled, and nothing else of it.
    """

    def __init__(self, statement: ir.PhotoStatement, inverter: Inverter) -> None:
        self._statement = statement
        self._inverter = inverter
        self._cut: Cut | None = None
        self._inverted: Inverted | None = None
        # Several threads write images, and each of these carries the styles.
        self._lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        return {"_inverted": self._found()}

    def original(self, index: int) -> NDArray[np.uint8]:
        """The part that is inverted, uint8 (side, side, 3)."""
        return self._part().image

    def latents(self) -> Latents:
        """The styles, w+ of one sample."""
        return Latents(None, self._found().styles[None])

    def paste(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The photograph with an image of the generator's, uint8 (side, side, 3), in it.

        uint8 (H, W, 3), or (H, W, 4) with the transparency that the photograph has.
        """
        statement, part = self._statement, self._part()
        with isolated():
            photo = read_photo(statement.file, statement.shown, whole=True)
            found = self._inverter.paste(photo, part, image)
        return found if photo.alpha is None else np.dstack((found, photo.alpha))

    def draw(self, indices: range, stage: Stage) -> Batch:
        """Make the one sample."""
        begun = time.perf_counter()
        found = self._found()
        stage.advance()
        return _batch(self.latents(), begun, found)

    def _part(self) -> Cut:
        statement = self._statement
        with self._lock:
            if self._cut is None:
                with isolated():
                    photo = read_photo(statement.file, statement.shown)
                    self._cut = self._inverter.cut(photo, statement.shown, statement.face)
            return self._cut

    def _found(self) -> Inverted:
        if self._inverted is not None:  # as in an unpickled one, which has nothing else
            return self._inverted
        with self._lock:
            if self._inverted is None:
                part = self._part()
                with isolated():
                    self._inverted = self._inverter.invert(part, self._statement.fast)
            return self._inverted


def _again(start: Start, indices: range, stage: Stage) -> Batch:
    """Make the sample of styles that an image carries."""
    begun = time.perf_counter()
    rows: Rows = start.latents()
    stage.advance()
    return _batch(rows.rows([0]), begun)


def _batch(latents: Latents, begun: float, found: Inverted | None = None) -> Batch:
    steps = 0 if found is None else found.steps
    figures = {} if found is None else found.figures
    record = SampleRecord(
        index=0,
        energy=0.0,
        status="converged",
        nfe=steps,
        readings={},
        accepted=steps,
        extra={name: rounded(value) for name, value in figures.items()},
    )
    return Batch((record,), latents, time.perf_counter() - begun)


def _frames(latents: Latents) -> Float32:
    """Return w+ (N, 1, styles, d)."""
    return latents.w[:, None]
