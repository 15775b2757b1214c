"""What a run returns to Python: groups of latents with what is known of them, and their images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lacelang import arguments
from lacelang.errors import ResourceError, UsageError
from lacelang.samplers import solution
from lacelang.storage.latents import Float32, Latents, Shards
from lacelang.storage.png import encode
from lacelang.storage.provenance import synthetic, texts
from lacelang.storage.records import ExpectationRecord, GroupRecord, MeasureRecord
from lacelang.system.torch_state import isolated
from lacelang.text.names import ByName

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from lacelang.engine.provenance import Provenances
    from lacelang.engine.tasks import Paste
    from lacelang.storage.datasets.index import Index

Decode = Callable[[Tensor], Iterator[NDArray[np.uint8]]]


@frozen(eq=False)
class Stats(solution.Stats):
    """What sampling a group cost."""

    seconds: float  # spent on sampling; 0 where all of it was kept from an earlier run


class Group:
    """The samples of one statement, in the order of their indices.

    Attributes:
        name: as the program calls it.
        record: the same without tensors, as run.json has it.
        energy: conditional energy in nats, prior excluded, float32 (N,); NaN where not finite.
        status: how each sample ended.
        readings: comparison → what the classifiers predict, float32 (N,).
        extra: what else the sampler found out, float32 (N,) by name, such as `log_evidence`.
        stats: what sampling cost.
        rows: latents as they are kept on disk, the path of edited ones included.
        folder: where its images are; None if they were not written.
    """

    def __init__(
        self,
        record: GroupRecord,
        latents: Latents | Shards,
        seconds: float,
        decode: Decode,
        frames: Callable[[Latents], Float32],
        folder: Path | None = None,
        files: Mapping[int, Path] | None = None,
        provenances: Provenances | None = None,
        paste: Paste | None = None,
    ) -> None:
        samples = record.samples
        self.record = record
        self.name = record.name
        self.rows = latents
        self.energy = _column(sample.energy for sample in samples)
        self.status = tuple(solution.Status[sample.status] for sample in samples)
        self.readings: Mapping[str, Tensor] = ByName(
            (atom.text, _column(sample.readings.get(atom.text) for sample in samples))
            for atom in record.atoms
        )
        self.extra: Mapping[str, Tensor] = {
            name: _column(sample.extra.get(name) for sample in samples)
            for name in dict.fromkeys(name for sample in samples for name in sample.extra)
        }
        costs = {
            name: torch.tensor([getattr(sample, name) for sample in samples], dtype=torch.int64)
            for name in ("nfe", "accepted", "rejected")
        }
        self.stats = Stats(**costs, seconds=seconds)
        self.folder = folder
        self._files = files or {}
        self._decode = decode
        self._frames = frames
        self._provenances = provenances
        self._paste = paste if record.pastes else None

    def __getstate__(self) -> dict[str, Any]:
        if self._paste is not None:
            _ = self.pasted  # while the photograph is at hand
        return {**self.__dict__, "_paste": None}

    def __len__(self) -> int:
        return len(self.record.samples)

    def __repr__(self) -> str:
        return f"<Group {self.name}: {len(self)} samples>"

    def _repr_html_(self) -> str:
        """Show its first samples in a notebook: pictures, values, status."""
        from lacelang.render.html import first, group_html

        return group_html(self.record, first(self.each_image()))

    def to_pandas(self) -> pandas.DataFrame:
        """Return what is known of its samples as a DataFrame, one row a sample, by its number.

        Columns are `status`, `energy` (nats), `nfe`, `accepted` and `rejected`; for each comparison
        what is wanted, what the classifiers predict, and whether it holds; what `each` drew, and
        what annotators saw.

        Raises:
            ResourceError: pandas is not installed.
        """
        from lacelang.engine.tables import pandas_table

        table: pandas.DataFrame = pandas_table(self.record)
        return table

    def to_arrow(self) -> pyarrow.Table:
        """Return the same as an Arrow table, with the column `sample`.

        Raises:
            ResourceError: pyarrow is not installed.
        """
        from lacelang.engine.tables import arrow_table

        table: pyarrow.Table = arrow_table(self.record)
        return table

    # Both are copies: the memory of what is read from a file may be read-only.
    @cached_property
    def latents(self) -> Tensor:
        """z, float32 (N, d), on the CPU; NaN where an edit began from w alone."""
        rows = self.rows.rows(slice(None))
        z = np.full((len(rows), rows.w.shape[-1]), np.nan, np.float32) if rows.z is None else rows.z
        with isolated():
            return torch.tensor(z)

    @cached_property
    def w(self) -> Tensor:
        """What the decoder is given, after truncation: float32 (N, d) or (N, styles, d)."""
        rows = self.rows.rows(slice(None))
        with isolated():
            return torch.tensor(rows.w)

    @cached_property
    def images(self) -> list[Image.Image]:
        """The faces, RGB: read from their files, or decoded now if there are none."""
        return list(self.each_image())

    @cached_property
    def films(self) -> list[list[Image.Image]]:
        """Each face before an edit and after each of its lines, decoded now; unedited, one."""
        films = []
        for row in range(len(self)):
            frames = torch.from_numpy(self._frames(self.rows.rows([row]))[0])
            films.append([Image.fromarray(image) for image in self._decode(frames)])
        return films

    @cached_property
    def pasted(self) -> list[Image.Image]:
        """The photographs with the faces in them, RGB or RGBA, in their own size, made now.

        None of a statement without `paste`.

        Raises:
            ResourceError: the photograph is gone, or cannot be read any more.
        """
        if self._paste is None:
            return []
        return [Image.fromarray(self._paste(np.asarray(image))) for image in self.each_image()]

    def each_pair(self) -> Iterator[tuple[Image.Image, Image.Image]]:
        """Yield each face before an edit and after it, decoded when it is asked for."""
        for row in range(len(self)):
            frames = torch.from_numpy(self._frames(self.rows.rows([row]))[0])
            first, last = map(Image.fromarray, self._decode(frames[[0, -1]]))
            yield first, last

    def png(self, index: int, metadata: bool = True, pasted: bool = False) -> bytes:
        """Return the PNG file of a face, as a run writes it: it says how it was made.

        So `lacelang replay` makes it again wherever it goes. `images` are pixels alone. `pasted`
        asks for the photograph with the face in it, which says that it is a composite in any case.

        Raises:
            UsageError: there is no such face, or nothing is pasted.
            ResourceError: the photograph is gone, or cannot be read any more.
        """
        index = arguments.whole(index, "index", 0, len(self) - 1, f"from 0 to {len(self) - 1}")
        pasted, known = arguments.flag(pasted, "pasted"), self._provenances
        if pasted and not self.pasted:
            raise UsageError(f"{self.name} pastes nothing: its statement has no `paste`")
        image = np.asarray((self.pasted if pasted else self.images)[index])
        if not (arguments.flag(metadata, "metadata") and known):
            return encode(image, synthetic(of_photo=True) if pasted else None)
        said = known.pasted if pasted else known.image
        return encode(image, texts(said(self.record, self.record.samples[index], image)))

    def each_image(self) -> Iterator[Image.Image]:
        """Yield the faces as `images` has them, each read or decoded when it is asked for."""
        if "images" in self.__dict__:
            yield from self.images
        elif len(self._files) == len(self):
            yield from (opened(self._files[index]) for index in range(len(self)))
        else:
            yield from map(Image.fromarray, self._decode(self.w))


class Run:
    """The groups of one run by name: `run["men"]`, `len(run)`, `for name in run`.

    Attributes:
        groups: the same as a mapping, in the program's order.
        folder: where files were written; None if none were.
        seconds: how long the run took.
        measures: what `measure` statements found, by name, in the program's order.
        expectations: what `expect` statements found, in the program's order; one that does not
            hold raises nothing.
        grids: files with the groups of each loop side by side; none where no images are written.
        dataset: what there is of the data set, where one was written; the run has no groups then.
    """

    def __init__(
        self,
        groups: Iterable[Group],
        folder: Path | None,
        seconds: float,
        measures: Iterable[MeasureRecord],
        expectations: Iterable[ExpectationRecord],
        grids: Iterable[Path] = (),
        dataset: Index | None = None,
    ) -> None:
        self.dataset = dataset
        self.groups: Mapping[str, Group] = ByName((group.name, group) for group in groups)
        self.folder = folder
        self.seconds = seconds
        self.measures: Mapping[str, MeasureRecord] = ByName((m.name, m) for m in measures)
        self.expectations = tuple(expectations)
        self.grids = tuple(grids)

    def __getitem__(self, name: str) -> Group:
        plain = arguments.item(name)
        # Other values, and subclasses, may fail at being looked up.
        found = self.groups.get(str.__str__(plain)) if isinstance(plain, str) else None
        if found is None:
            known = ", ".join(self.groups) or "none"
            raise UsageError(f"the run has no group {arguments.shown(name)}; its groups: {known}")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.groups)

    def __contains__(self, name: object) -> bool:
        return name in self.groups

    def __len__(self) -> int:
        return len(self.groups)

    def _repr_html_(self) -> str:
        """Show its groups in a notebook, and what it measured and expected."""
        from lacelang.render.html import run_html

        groups = [group._repr_html_() for group in self.groups.values()]
        return run_html(groups, self.measures.values(), self.expectations)

    def __repr__(self) -> str:
        return f"<Run of {', '.join((*self.groups, *self.measures)) or 'nothing'}>"


def _column(values: Iterable[float | None]) -> Tensor:
    return torch.tensor([np.nan if value is None else value for value in values]).float()


def opened(file: Path | IO[bytes]) -> Image.Image:
    """Read a picture, RGB; one that is damaged, or far too large, is a ResourceError."""
    try:
        with Image.open(file, formats=("PNG",)) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        what = file if isinstance(file, Path) else "an image of the run"
        raise ResourceError(f"{what} cannot be read: {error}", "run the program again") from error
