"""Classifiers that a spec trains, kept in the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lacelang.classifiers import heads_file
from lacelang.classifiers.training import Progress as OnEpoch
from lacelang.classifiers.training import TrainResult
from lacelang.engine.fingerprint import file_digest
from lacelang.engine.loading import labels_of
from lacelang.ir import ModelSpec
from lacelang.progress import Progress
from lacelang.storage.cache import cache_dir, locked
from lacelang.storage.files import make_folder
from lacelang.version import __version__


def trained(
    spec: ModelSpec, name: str, make: Callable[[OnEpoch], TrainResult], progress: Progress
) -> Path:
    """Return the file of classifiers `name`, trained on a model's labels if it is missing.

    The name states everything that training depends on except the labels and the release. `make`
    reports its progress after each epoch.
    """
    labels = file_digest(labels_of(spec))[:12]
    path = cache_dir() / "trained" / f"{name}-{labels}-{__version__}.safetensors"
    if not path.is_file():
        with locked(path, f"training {name}"):
            if not path.is_file():
                make_folder(path.parent)
                with progress.stage(f"training {name}", total=1) as stage:
                    result = make(lambda done, total: stage.advance(1 / total))
                heads_file.save(path, result.heads, result.report)
    return path
