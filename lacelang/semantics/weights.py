"""Where the weights of a declared model are, and what its generator's latents look like."""

from __future__ import annotations

from pathlib import Path

from lacelang.generators import ARCHITECTURES, Layout
from lacelang.generators.declaration import Weights
from lacelang.ir import ModelSpec
from lacelang.resources import shipped
from lacelang.storage.fetch import Archive, WeightsFile
from lacelang.storage.user_models import file_of, imported_file, models_dir
from lacelang.system.filenames import resolved


def weights_of(spec: ModelSpec) -> Weights:
    """Where the weights of a declared model are; None of one that has none."""
    if spec.package is not None:
        return Archive(spec.package, str(spec.version), str(spec.sha256))
    if is_imported(spec):
        return WeightsFile(imported_file(spec.name), str(spec.sha256))
    if spec.file is not None:
        return WeightsFile(file_of(spec.path, spec.file), str(spec.sha256))
    return None


def beside_classifiers(spec: ModelSpec, kind: str) -> Path:
    """Where the `labels` of a model lie, or another kind of file that goes with its classifiers.

    Raises:
        ValueError: it declares none, or what no file can be called.
    """
    named = Path(spec.classifiers or "").with_suffix(f".{kind}.safetensors")
    return file_of(spec.path, str(named))


def identity_file(spec: ModelSpec) -> Path | None:
    """The file of a model's network of identity, beside its classifiers; None if there is none."""
    try:
        file = beside_classifiers(spec, "identity")
        return file if file.is_file() else None
    except (OSError, ValueError):
        return None


def is_imported(spec: ModelSpec) -> bool:
    """Whether the standard library names a published file, from which a user imports the weights.

    What comes of it differs from user to user: its digest is recorded beside it.
    """
    of_library = spec.path == shipped("stdlib")
    known = ARCHITECTURES.get(spec.generator) if of_library and spec.file is not None else None
    return known is not None and bool(known.published)


def home_of(spec: ModelSpec) -> Path:
    """The folder for files of a model that nothing names: the user's, or the current one."""
    users = models_dir()
    return users if spec.path == users or is_imported(spec) else Path()


def layout_of(spec: ModelSpec, root: Path | None) -> Layout | None:
    """Return the layout of a model that a program below `root` declares; None if it is not known.

    It may depend on the file of weights, of which the header is read. A stranger's program learns
    nothing of files elsewhere.
    """
    known = ARCHITECTURES.get(spec.generator)
    if known is None or known.layout is not None:
        return None if known is None else known.layout
    weights = weights_of(spec)
    if isinstance(weights, WeightsFile):
        allowed = [shipped("stdlib"), models_dir(), *([] if root is None else [root])]
        place = resolved(weights.path)
        if not any(place.is_relative_to(resolved(folder)) for folder in allowed):
            return None
    return known.layout_for(weights)
