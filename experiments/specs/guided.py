"""Classifier guidance with few labels: plain against self-calibrated classifiers.

`python -m experiments.laboratory.train_guided` trains the score model and the classifiers
beforehand, resumably; what is missing is trained here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from experiments.laboratory.measures import Measures, Scores, measures
from experiments.laboratory.repeated import spread
from experiments.laboratory.sheets import sheet
from experiments.laboratory.train_guided import (
    BATCH,
    SCORE_STEPS,
    SEEDS,
    SHARES,
    STEPS,
    Guide,
    classifier,
    generated,
    score_model,
)
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress

MODEL = "fashion"
DIFFUSION = "VP-SDE"
#: Images of each class, steps of the sampler, and the weight of the classifier's gradient.
IMAGES = 30
SAMPLER_STEPS = 60
WEIGHT = 10.0
SEED = 9300
_SHOWN = 3

Key = tuple[float, bool]
"""Share of the labels; whether the classifier is self-calibrated."""


def study(progress: Progress, faces: int | None) -> Report:
    """Judge guided images of all classifiers; `faces` is the number of images of each class."""
    count = min(faces or IMAGES, IMAGES)
    measured = measures(MODEL, progress)
    model, seconds = score_model(DIFFUSION, MODEL, progress)
    found: dict[Key, list[Scores]] = {}
    shown = {}
    with progress.stage("guided images", total=2 * len(SHARES) * len(SEEDS)) as stage:
        for share in SHARES:
            for calibrated in (False, True):
                scores = found.setdefault((share, calibrated), [])
                for seed in SEEDS:
                    guide = Guide(share, calibrated, seed)
                    network, _ = classifier(guide, MODEL, progress)
                    images, classes = generated(
                        model, network, count, SAMPLER_STEPS, WEIGHT, SEED + seed
                    )
                    scores.append(measured.of(images, classes))
                    if seed == SEEDS[0]:
                        few = torch.arange(min(count, _SHOWN))[:, None] + count * torch.arange(10)
                        shown[_named(share, calibrated)] = images[few.flatten()]
                    stage.advance()
    about = {
        "steps of the score model": SCORE_STEPS,
        "seconds of the score model": round(seconds),
        "steps of a classifier": STEPS,
        "batch": BATCH,
        "images of a class": count,
        "steps of the sampler": SAMPLER_STEPS,
    }
    title = "Three images of each class, by classifier from above"
    return Report(
        "guided",
        [_table(found, measured, count), _verdicts(found)],
        [sheet("guided", title, shown, 10)],
        about,
    )


def _named(share: float, calibrated: bool) -> str:
    return f"{100 * share:g} % {'self-calibrated' if calibrated else 'plain'}"


def _table(found: Mapping[Key, Sequence[Scores]], measured: Measures, count: int) -> Table:
    rows: list[Row] = []
    for (share, calibrated), scores in found.items():
        row: dict[str, str | float | int | None] = {
            "labels, %": 100 * share,
            "classifier": "self-calibrated" if calibrated else "plain",
        }
        for name in ("intra-FID", "ACC", "FID"):
            row[name] = spread([float(each.row()[name] or 0.0) for each in scores])
        rows.append(row)
    return Table(
        "Guidance by classifiers of few labels",
        rows,
        f"Mean ± deviation over subsets of labels ({len(SEEDS)}); {count} images of each class, by "
        f"{SAMPLER_STEPS} steps of the predictor with guidance times {WEIGHT:g} on one "
        "score model of all images. intra-FID is the conditional FID, to the test images of the "
        "class. The judge, which guides nothing, names "
        f"{measured.judges.accuracy[0]:.3f} of the test images' classes.",
    )


def _verdicts(found: Mapping[Key, Sequence[Scores]]) -> Table:
    rows: list[Row] = []
    for share in SHARES:
        row: dict[str, str | float | int | None] = {"labels, %": 100 * share}
        for name, sign in (("intra-FID", -1), ("ACC", 1)):
            plain, own = (
                [float(each.row()[name] or 0.0) for each in found[share, calibrated]]
                for calibrated in (False, True)
            )
            better = sum(sign * (b - a) > 0 for a, b in zip(plain, own, strict=True))
            row[f"{name}: self-calibrated is better"] = f"{better} of {len(plain)} seeds"
        rows.append(row)
    note = "The slides: self-calibrated guidance is better in both, with 5 % of the labels."
    return Table("Is self-calibrated guidance better?", rows, note)
