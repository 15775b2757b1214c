"""A taught attribute on disk: its classifier, its card, its contact sheet and its labels.

The classifier, which makes the attribute known, is written last.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import frozen
from PIL import Image

from lacelang.classifiers import heads_file
from lacelang.classifiers.few_labels import FEW, Floats, Learned, learn
from lacelang.progress import Progress
from lacelang.render.label_sheets import FACES, Band, bands, draw
from lacelang.render.sheet import encoded
from lacelang.storage.files import disk_errors, make_folder, write_atomic
from lacelang.teaching.label_file import Label, Rows, written
from lacelang.teaching.subject import POOL, Subject
from lacelang.version import __version__

LABELS, CARD, SHEET, CLASSIFIER = ".csv", ".md", ".jpg", ".safetensors"
#: Classes of which a sheet shows what the classifier finds.
_MOST_FOUND = 6


@frozen(eq=False)
class Taught:
    """What was learned, and where it is."""

    learned: Learned
    file: Path
    card: Path
    warning: str | None = None


def train_and_save(
    subject: Subject,
    rows: Rows,
    labels: tuple[Label, ...],
    progress: Progress,
    annotator: str | None = None,
) -> Taught:
    """Train on labelled rows, and save the attribute with all that belongs to it.

    `labels` are those to keep, skipped ones included; `annotator` is what gave them, if it was no
    person.

    Raises:
        UsageError: the labels are too few, or of one class; nothing is written.
        ResourceError: the folder cannot be written.
    """
    with progress.stage("training", total=1) as stage:
        learned = learn(
            rows.inputs, rows.values, subject.attribute, subject.prior, random=rows.random
        )
        stage.advance()
    report = {
        "model": subject.spec.name,
        "generator": subject.spec.identity,
        "space": subject.spec.space,
        "layers": subject.attribute.layers,
        "seed": subject.seed,
        "labels": len(rows.labels),
        "annotator": annotator,
        "version": __version__,
        "figures": learned.figures,
    }
    sheet = encoded(_sheet(subject, rows, learned, progress), "JPEG", 82)
    place = subject.place(CLASSIFIER)
    make_folder(place.parent)
    write_atomic(subject.place(SHEET), sheet)
    write_atomic(subject.place(CARD), card(subject, report).encode())
    write_atomic(subject.place(LABELS), written(labels, subject.attribute, subject.seed))
    write_atomic(place, heads_file.packed(learned.heads, report))
    return Taught(learned, place, subject.place(CARD), _warning(len(rows.labels), learned))


def is_taught(subject: Subject) -> bool:
    """Whether the attribute has been taught already."""
    return subject.place(CLASSIFIER).exists()


def set_labels_aside(subject: Subject) -> Path | None:
    """Rename the labels that were given before, if there are any, and return their new name."""
    place = subject.place(LABELS)
    if not place.exists():
        return None
    number = 1
    while (aside := subject.place(f".before-{number}{LABELS}")).exists():
        number += 1
    with disk_errors(place):
        place.rename(aside)
    return aside


def quality(figures: Mapping[str, Any]) -> str:
    """How good a classifier is on held-out labels, with the interval."""
    if figures["kind"] == "continuous":
        held_out = figures["held_out"]
        return f"R² {held_out['r2']:.2f}, mean error {held_out['mae']:.3g}"
    middle, low, high = (figures[name] for name in ("balanced_accuracy", "low", "high"))
    return f"balanced accuracy {middle:.2f} (95 % interval {low:.2f} to {high:.2f})"


def _warning(count: int, learned: Learned) -> str | None:
    if count >= FEW:
        return None
    said = quality(learned.figures)
    return f"{count} labels are few: {said} on held-out labels; {FEW} or more tell better"


def card(subject: Subject, report: Mapping[str, Any]) -> str:
    """Return the card of a taught attribute, as Markdown."""
    figures, attribute = report["figures"], subject.attribute
    layers = "all" if attribute.layers is None else ", ".join(map(str, attribute.layers))
    by = report["annotator"] or "a person"
    when = datetime.now(UTC).date().isoformat()
    lines = [
        f"# {attribute.name}, taught to {subject.spec.name}",
        "",
        f"{attribute.text}. {report['labels']} labels by {by}, {when}; draws of seed "
        f"{report['seed']}. Edits replace layers: {layers}. Classifier: linear on "
        f"{report['space']}, {subject.place(CLASSIFIER).name}.",
        "",
        f"![labelled and found images]({subject.place(SHEET).name})",
        "",
        "| figure | value |",
        "| --- | --- |",
    ]
    held_out = figures["held_out"]
    if figures["kind"] != "continuous":
        counts = ", ".join(f"{name}: {n}" for name, n in figures["counts"].items())
        shares = ", ".join(f"{name}: {share:.1%}" for name, share in figures["shares"].items())
        rows = {
            "labels by class": counts,
            f"classes under the prior, from {figures['random']} labels": shares,
            "accuracy, cross-validated": quality(figures),
            "temperature of the calibration": f"{figures['temperature']:.2f}",
            "NLL, nats": f"{held_out['nll']:.3f}",
            "expected calibration error": f"{held_out['ece']:.3f}",
        }
    else:
        rows = {
            "accuracy, cross-validated": quality(figures),
            "σ of the energy": f"{figures['sigma']:.3g}",
        }
    lines += [f"| {name} | {value} |" for name, value in rows.items()]
    lines += [
        "",
        "Figures are of the labels, each by a classifier that did not see it. Labels that were "
        "chosen to be hard make them worse than on plain draws from the prior.",
        "",
        "```lace",
        f"sample 8 from {subject.spec.name} where {attribute.name} = {attribute.example}",
        "```",
        "",
    ]
    return "\n".join(lines)


def _sheet(subject: Subject, rows: Rows, learned: Learned, progress: Progress) -> Image.Image:
    """Draw labelled images by class, and unlabelled ones for which the classifier is surest."""
    attribute, values = subject.attribute, rows.values
    chosen = bands(values, attribute.values, attribute.unit)
    own = [rows.w[row] for _, some in chosen for row in some]
    named = {label.key for label in rows.labels}
    free = np.array([index for index in range(POOL) if index not in named])
    with torch.no_grad():
        outputs = learned.heads(torch.from_numpy(subject.pool[free]))[attribute.name]
    found, read = _found(outputs.softmax(dim=1) if attribute.discrete else outputs, attribute)
    column = np.concatenate([values, *(read[some] for _, some in found)]).astype(np.float32)
    start, titles = len(values), list[Band]()
    indices: list[int] = []
    for title, some in found:
        titles.append((title, np.arange(start, start + len(some))))
        start += len(some)
        indices += free[some].tolist()
    w = torch.from_numpy(np.stack([*own, *subject.draws(indices).styles(subject.generator)]))
    with progress.stage("contact sheet", total=len(w)) as stage:

        def faces() -> Any:
            for image in subject.generator.decode(w):
                stage.advance()
                yield image

        return draw(attribute.name, [*chosen, *titles], column, faces())


def _found(outputs: torch.Tensor, attribute: Any) -> tuple[list[Band], Floats]:
    """Return the surest draws of each class, or the lowest and highest; and what is shown."""
    array: Floats = outputs.numpy()
    if not attribute.discrete:
        order = np.argsort(array, kind="stable")
        return [("found: low", order[:FACES]), ("found: high", order[::-1][:FACES])], array
    found: list[Band] = []
    for number, value in enumerate(attribute.values[:_MOST_FOUND]):
        surest = np.argsort(-array[:, number], kind="stable")[:FACES]
        found.append((f"found without a label: {value}", surest))
    return found, array.max(axis=1)
