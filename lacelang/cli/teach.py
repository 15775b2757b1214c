"""`lacelang teach`: a new attribute of a model, from labels."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lacelang.classifiers.few_labels import require_enough
from lacelang.cli.models import find_model
from lacelang.errors import UsageError
from lacelang.progress import Progress, shown
from lacelang.teaching import label_file
from lacelang.teaching.saving import (
    LABELS,
    Taught,
    is_taught,
    quality,
    set_labels_aside,
    train_and_save,
)
from lacelang.teaching.subject import Subject, subject
from lacelang.text.channels import say


def teach_attribute(arguments: Namespace) -> int:
    """Teach a model an attribute."""
    spec = find_model(arguments.name)
    path: Path = arguments.labels
    with shown() as progress:
        about = subject(
            spec,
            arguments.attribute,
            kind=arguments.kind,
            layers=arguments.layers,
            seed=_seed(arguments.seed, path),
            progress=progress,
        )
        taught = _from_file(about, path, arguments.replace, progress)
    _report(about, taught)
    return 0


def _from_file(about: Subject, path: Path, replace: bool, progress: Progress) -> Taught:
    if (is_taught(about) or about.place(LABELS).exists()) and not replace:
        raise UsageError(
            f"{about.spec.name} was taught `{about.name}` before; --replace teaches it anew, and "
            f"its labels stay beside {about.place(LABELS)}"
        )
    labels = label_file.read(path, about.attribute)
    rows = label_file.resolved(labels, about, path)
    require_enough(rows.values, about.attribute)
    set_labels_aside(about)
    return train_and_save(about, rows, labels, progress)


def _seed(given: int | None, path: Path) -> int | None:
    """The seed of the draws that a file of labels names by their index."""
    said = label_file.seed_of(path)
    if said is not None and given not in (None, said):
        raise UsageError(f"{path} has labels of the draws of seed {said}, not {given}")
    return given if said is None else said


def _report(about: Subject, taught: Taught) -> None:
    if taught.warning:
        say(f"warning: {taught.warning}")
    print(f"{about.name}: {quality(taught.learned.figures)}")
    print(f"{taught.card}")
    print(f"use it: sample 8 from {about.spec.name} where {about.name} = {about.attribute.example}")
