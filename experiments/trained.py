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
from lacelang.storage.cache import cache_dir, kept
from lacelang.version import __version__

_FILE = "heads.safetensors"


def trained(
    spec: ModelSpec, name: str, make: Callable[[OnEpoch], TrainResult], progress: Progress
) -> Path:
    """Return the file of classifiers `name`, trained on a model's labels if it is missing or
    damaged.

    The name states everything that training depends on except the labels and the release. `make`
    reports its progress after each epoch.
    """
    labels = file_digest(labels_of(spec))[:12]
    folder = cache_dir() / "trained" / f"{name}-{labels}-{__version__}"

    def train(part: Path) -> None:
        with progress.stage(f"training {name}", total=1) as stage:
            result = make(lambda done, total: stage.advance(1 / total))
        heads_file.save(part / _FILE, result.heads, result.report)

    return kept(folder, f"training {name}", train, _FILE) / _FILE
