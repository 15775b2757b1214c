"""From decoded pixels to the bytes of files: in any process, in the same way.

An encoder is made from the program and its tasks alone, so that workers make their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from attrs import field, frozen
from PIL import Image

from lacelang.engine.plan import Options, Plan
from lacelang.engine.provenance import Provenances
from lacelang.engine.sinks import Picture
from lacelang.engine.tasks import GroupTask
from lacelang.ir import CheckedProgram
from lacelang.render.sheet import MOST_FACES, draw_film, encoded
from lacelang.render.sheet_cells import framed, thumbnail
from lacelang.storage.datasets.encode import encode as encode_item
from lacelang.storage.datasets.index import Layout
from lacelang.storage.latents import Float32, Latents
from lacelang.storage.png import encode
from lacelang.storage.provenance import Provenance, synthetic, texts
from lacelang.storage.records import SampleRecord


@frozen(eq=False)
class Taken:
    """What was decoded of a sample: its own picture, and the earlier ones of an edit, small."""

    image: Picture
    film: list[Image.Image] = field(factory=list)


@frozen(eq=False)
class Encoded:
    """The files of a sample."""

    image: bytes
    film: bytes = b""  # of an edited sample, if a film strip is wanted
    pasted: bytes = b""  # the photograph with the image in it, if that is wanted
    small: Image.Image | None = None  # for the contact sheet, of the first samples


class Encoder(ABC):
    """Turns what is decoded of the groups of a program into the bytes that its sink keeps."""

    def __init__(self, program: CheckedProgram, planned: Plan, metadata: bool) -> None:
        self.provenances = Provenances(program, {t.record.name: t for t in planned.groups})
        self.metadata = metadata

    @abstractmethod
    def frames(self, task: GroupTask, latents: Latents) -> Float32:
        """What is decoded of N samples (N, F, …), each one's own picture last."""

    @abstractmethod
    def taken(self, task: GroupTask, frames: Iterator[Picture]) -> Taken:
        """Take what is decoded of one sample."""

    @abstractmethod
    def encode(self, task: GroupTask, sample: SampleRecord, taken: Taken) -> Encoded:
        """Encode what was taken of a sample."""

    def texts(self, said: Callable[[], Provenance]) -> dict[str, str]:
        """The texts of an image, if images carry any."""
        return texts(said()) if self.metadata else {}


class FolderEncoder(Encoder):
    """PNG files and film strips, for a run folder."""

    def frames(self, task: GroupTask, latents: Latents) -> Float32:
        """See `Encoder`."""
        return task.frames(latents)

    def taken(self, task: GroupTask, frames: Iterator[Picture]) -> Taken:
        """See `Encoder`."""
        film = [thumbnail(image) for image in islice(frames, len(task.record.steps))]
        image = next(frames)
        if task.record.has_films:
            film.append(thumbnail(image))
        return Taken(image, film)

    def encode(self, task: GroupTask, sample: SampleRecord, taken: Taken) -> Encoded:
        """See `Encoder`."""
        image, film, of, group = taken.image, taken.film, self.provenances, task.record
        data = encode(image, self.texts(lambda: of.image(group, sample, image)))
        pasted, last = self._pasted(task, sample, image)
        strip = b""
        if film:
            said = self.texts(lambda: of.film(group, sample))
            original = task.original
            photo = None if original is None else thumbnail(original(sample.index))
            strip = encoded(draw_film(group, sample, film, photo, last), texts=said)
        small = thumbnail(image) if sample.index < MOST_FACES else None
        return Encoded(data, strip, pasted, small)

    def _pasted(
        self, task: GroupTask, sample: SampleRecord, image: Picture
    ) -> tuple[bytes, Image.Image | None]:
        """The photograph with an image in it, as a file and small, if it is wanted."""
        if task.paste is None or not task.record.pastes:
            return b"", None
        whole = task.paste(image)
        said = self.texts(lambda: self.provenances.pasted(task.record, sample, whole))
        # Nobody sees that it is a composite: its metadata always say so.
        return encode(whole, said or synthetic(of_photo=True)), framed(whole)


class DatasetEncoder(Encoder):
    """One image a sample, in the format of a data set."""

    def __init__(self, program: CheckedProgram, planned: Plan, layout: Layout) -> None:
        super().__init__(program, planned, layout.metadata)
        self._layout = layout

    def frames(self, task: GroupTask, latents: Latents) -> Float32:
        """See `Encoder`."""
        return latents.w[:, None]

    def taken(self, task: GroupTask, frames: Iterator[Picture]) -> Taken:
        """See `Encoder`."""
        return Taken(next(frames))

    def encode(self, task: GroupTask, sample: SampleRecord, taken: Taken) -> Encoded:
        """See `Encoder`."""
        said: Mapping[str, str] = {}
        if self.metadata and self._layout.images == "png":
            said = texts(self.provenances.image(task.record, sample, taken.image))
        elif self.metadata:
            said = synthetic(task.record.of_photo)
        return Encoded(encode_item(taken.image, self._layout, said))


def encoder_of(program: CheckedProgram, planned: Plan, options: Options) -> Encoder:
    """Return the encoder of a run that writes images."""
    if options.dataset is not None:
        return DatasetEncoder(program, planned, options.dataset.layout)
    return FolderEncoder(program, planned, options.metadata)
