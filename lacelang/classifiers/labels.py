"""The table of labels: latents with their truncations, and the annotations of their images.

Prior rows are stored as a seed and a count, conditioned rows as int8 latents in steps of 1/32
(see `draws`), labels in half precision. Ten thousand rows take about a megabyte and a half.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from safetensors.numpy import save as to_bytes

from lacelang.annotators import Annotator
from lacelang.annotators.faces import FACES
from lacelang.classifiers.draws import (
    TRUNCATIONS,
    Draws,
    from_prior,
    joined,
    rounded,
    unrounded,
)
from lacelang.classifiers.heads_file import reading
from lacelang.classifiers.measuring import Measured
from lacelang.errors import UsageError
from lacelang.generators.generator import Generator
from lacelang.ir import Attribute, Space
from lacelang.storage.files import write_atomic
from lacelang.text.names import nfc

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Columns = Mapping[str, Floats]
"""By attribute (N,): class index or value, NaN where nothing was seen."""

FORMAT = "lacelang-labels-1"
# Images that are decoded at once.
_DECODED = 64
_REMEDY = "make it with `lacelang label`, or restore the file"


@frozen(eq=False, slots=False)
class Examples:
    """N latents and the annotations of their images."""

    w: Floats  # (N, d), after truncation; or what else classifiers read
    columns: Columns
    conditioned: NDArray[np.bool_]  # (N,), false for prior draws

    def __len__(self) -> int:
        return len(self.w)

    def take(self, rows: Rows) -> Examples:
        """Return the given rows."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Examples(self.w[rows], columns, self.conditioned[rows])

    def check(self, attributes: Sequence[Attribute]) -> None:
        """Raise a UsageError for a missing column or labels that cannot be trained on."""
        count = len(self.w)
        if not np.isfinite(self.w).all():
            raise UsageError("latents must be finite")
        for attribute in attributes:
            column = self.columns.get(attribute.name)
            if column is None:
                raise UsageError(f"the labels have no column for {attribute.name}")
            if column.shape != (count,):
                raise UsageError(f"{attribute.name}: {column.shape} labels for {count} latents")
            seen = column[~np.isnan(column)]
            if not np.isfinite(seen).all():
                raise UsageError(f"{attribute.name}: an infinite label")
            if attribute.discrete and not np.isin(seen, np.arange(attribute.width)).all():
                raise UsageError(f"{attribute.name}: a label outside 0..{attribute.width - 1}")
            if len(np.unique(seen)) < 2:
                raise UsageError(_one_label(attribute, seen))
            self._refuse_contradictions(attribute, column)

    def _refuse_contradictions(self, attribute: Attribute, column: Floats) -> None:
        """Raise a UsageError if a latent occurs twice, with different labels."""
        if not attribute.discrete:
            return
        for first, row in self._repeated:
            a, b = column[first], column[row]
            if not (np.isnan(a) or np.isnan(b)) and a != b:
                one, other = attribute.values[int(a)], attribute.values[int(b)]
                raise UsageError(
                    f"{attribute.name}: rows {first} and {row} are the same latent, labelled {one} "
                    f"and {other}; remove one of them"
                )

    @cached_property
    def _repeated(self) -> list[tuple[int, int]]:
        """Pairs of an earlier and a later row with the same latent."""
        found: dict[bytes, int] = {}
        places = [found.setdefault(row.tobytes(), k) for k, row in enumerate(self.w)]
        return [(first, k) for k, first in enumerate(places) if first != k]


def _one_label(attribute: Attribute, seen: Floats) -> str:
    if not len(seen):
        return f"{attribute.name}: there are no labels"
    value = attribute.values[int(seen[0])] if attribute.discrete else f"{seen[0]:g}"
    return (
        f"{attribute.name}: every label is the same, {value}; there is nothing to learn: add "
        "labels of another value"
    )


@frozen(eq=False)
class Labels:
    """Labelled latents: prior rows, and conditioned rows after them."""

    prior_seed: int  # of the prior rows, which are its draws 0 … prior_count − 1
    prior_count: int
    conditioned: Draws
    columns: Columns
    about: Mapping[str, Any]  # JSON values: the generator, and the conditions of the other rows
    truncations: tuple[float, float] = TRUNCATIONS  # range of the prior rows'

    def __len__(self) -> int:
        return self.prior_count + len(self.conditioned)

    def draws(self) -> Draws:
        """The latents of all rows."""
        dim = self.conditioned.z.shape[1]
        prior = from_prior(self.prior_seed, self.prior_count, dim, self.truncations)
        return joined([prior, self.conditioned])

    def examples(self, generator: Generator, space: Space = "w") -> Examples:
        """The rows as what classifiers on this space read, and labels, for training."""
        conditioned = np.arange(len(self)) >= self.prior_count
        draws = self.draws()
        read = torch.from_numpy(draws.z) if space == "z" else draws.styles(generator)
        if space == "image":
            with torch.inference_mode():
                parts = torch.split(read, _DECODED)
                read = torch.cat([generator.thumbnails(part) for part in parts])
        return Examples(read.numpy(), self.columns, conditioned)


def split(examples: Examples, held_out: float, seed: int) -> tuple[Rows, Rows]:
    """Ascending indices of training and of held-out rows, the same share of either origin."""
    rng = np.random.default_rng(np.random.Philox(key=seed))
    kept_apart = []
    for origin in (False, True):
        rows = np.flatnonzero(examples.conditioned == origin)
        kept_apart.append(rng.permutation(rows)[: round(held_out * len(rows))])
    held = np.sort(np.concatenate(kept_apart))
    return np.setdiff1d(np.arange(len(examples)), held), held


def columns_of(measured: Measured, annotators: Sequence[Annotator] = (FACES,)) -> Columns:
    """Values by attribute: float32 (N,), NaN where nothing was seen."""
    found: Columns = {}
    for annotator in annotators:
        rows = [annotator.values(row) for row in rows_of(measured)]
        columns = {n: np.array([row[n] for row in rows], np.float32) for n in annotator.attributes}
        found = {**columns, **found}
    return found


def rows_of(measured: Measured) -> Iterator[dict[str, Any]]:
    """The measures of each face by name."""
    names, arrays = measured.keys(), measured.values()
    return (dict(zip(names, row, strict=True)) for row in zip(*arrays, strict=True))


def save(path: Path, labels: Labels) -> None:
    """Write the table, all or nothing."""
    tensors: dict[str, NDArray[Any]] = {
        "z_steps": rounded(labels.conditioned.z),
        "psi": labels.conditioned.psi,
        **{f"label.{name}": column.astype(np.float16) for name, column in labels.columns.items()},
    }
    header = {
        "format": FORMAT,
        "prior_seed": str(labels.prior_seed),
        "prior_count": str(labels.prior_count),
        "truncations": json.dumps(labels.truncations),
        "about": json.dumps(labels.about),
    }
    write_atomic(path, to_bytes(tensors, metadata=header))


def load(path: Path) -> Labels:
    """Read a table; a ResourceError says that it is missing, damaged, or of another format."""
    with reading(path, "labels", FORMAT, _REMEDY, "np") as (header, tensors):
        columns = {
            nfc(name.removeprefix("label.")): tensor.astype(np.float32)
            for name, tensor in tensors.items()
            if name.startswith("label.")
        }
        conditioned = Draws(unrounded(tensors["z_steps"]), tensors["psi"])
        seed, count = int(header["prior_seed"]), int(header["prior_count"])
        low, high = map(float, json.loads(header.get("truncations", json.dumps(TRUNCATIONS))))
        about = json.loads(header["about"])
        return Labels(seed, count, conditioned, columns, about, (low, high))
