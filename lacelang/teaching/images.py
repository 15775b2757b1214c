"""From a PNG file that a run has made to the latent that it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lacelang.classifiers.draws import Draws
from lacelang.classifiers.few_labels import Floats
from lacelang.errors import ResourceError, UsageError
from lacelang.samplers.streams import prior
from lacelang.storage.images import IMAGE
from lacelang.storage.latents import Latents, Shards
from lacelang.storage.provenance import read
from lacelang.storage.records import GroupRecord, read_index
from lacelang.system.filenames import as_text
from lacelang.teaching.subject import Subject
from lacelang.text.names import nfc


class LatentsOfImages:
    """Finds what a classifier reads of images in run folders; a folder is read once."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._groups: dict[Path, GroupRecord | None] = {}
        self._shards: dict[tuple[Path, str], Shards] = {}

    def find(self, name: str) -> tuple[Floats, Floats]:
        """Return the input of the classifier (d,) and of the decoder (d',) for an image.

        Its metadata says what it shows; without metadata, its place in a run's folder does.

        Raises:
            UsageError: there is no such image, or nothing tells its latent.
        """
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no image {name}")
        said = self._said(path) or self._by_place(path)
        if said is None:
            raise UsageError(f"{name} is no image of lacelang's; label images of its run folders")
        settings = said.get("settings", {})
        if settings.get("model") != self._subject.spec.name or not self._same_weights(settings):
            raise UsageError(f"{name} is of another model than {self._subject.spec.name}")
        latents = self._kept(path.parent, said) or self._drawn(said)
        if latents is None:
            raise UsageError(f"the latent of {name} is not beside it; leave it in its run's folder")
        return self._read(latents, name)

    def _said(self, path: Path) -> dict[str, Any] | None:
        try:
            said = read(path)
        except (OSError, ValueError):
            return None
        if said is None or said.sample is None or said.settings is None:
            return None
        values = {"seed": said.seed, "index": said.sample.index, "fingerprint": said.fingerprint}
        return {**values, "settings": said.settings}

    def _by_place(self, path: Path) -> dict[str, Any] | None:
        folder = path.parent.resolve()
        if not IMAGE.fullmatch(path.name):
            return None
        if folder not in self._groups:
            try:
                run = read_index(folder.parent)
            except ResourceError:
                run = None
            name = nfc(as_text(folder.name))
            groups = () if run is None else run.groups
            self._groups[folder] = next((each for each in groups if each.folder == name), None)
        group = self._groups[folder]
        if group is None:
            return None
        settings, fingerprint = dict(group.settings), group.fingerprint
        return {"settings": settings, "fingerprint": fingerprint, "index": int(path.stem)}

    def _same_weights(self, settings: dict[str, Any]) -> bool:
        made_with = settings.get("weights", {}).get("generator")
        return bool(made_with == str(self._subject.spec.sha256))

    def _kept(self, folder: Path, said: dict[str, Any]) -> Latents | None:
        """The latents beside an image, if they are those of its run."""
        fingerprint, index = said.get("fingerprint"), said.get("index")
        if not (isinstance(fingerprint, str) and isinstance(index, int)):
            return None
        key = folder.resolve(), fingerprint
        if key not in self._shards:
            self._shards[key] = Shards.open(*key)
        shards = self._shards[key]
        return shards.rows([index]) if 0 <= index < len(shards) else None

    def _drawn(self, said: dict[str, Any]) -> Latents | None:
        """The latents of a plain draw from the prior, which its seed and index tell."""
        settings, seed, index = said.get("settings", {}), said.get("seed"), said.get("index")
        psi = settings.get("truncation")
        if settings.get("sampler") != "prior" or not isinstance(seed, int):
            return None
        if not (isinstance(index, int) and isinstance(psi, int | float)):
            return None
        generator = self._subject.generator
        draws = Draws.at(prior(seed, [index], generator.latent_dim).numpy(), float(psi))
        return Latents(draws.z, draws.styles(generator).numpy())

    def _read(self, latents: Latents, name: str) -> tuple[Floats, Floats]:
        w = latents.w[0]
        if w.ndim == 2:
            if not (w == w[:1]).all():
                raise UsageError(
                    f"{name} is edited, and its styles differ by layer: no single latent shows it"
                )
            w = w[0]
        if self._subject.spec.space == "z":
            if latents.z is None:
                raise UsageError(f"{name} has no latent z, which the classifier reads")
            return latents.z[0], w
        return np.ascontiguousarray(w), w
