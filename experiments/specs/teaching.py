"""How many labels does an attribute take to teach? Chosen questions against random ones.

Three attributes that ffhq has are taught anew, the labels of its table being the answers.
Classifiers are judged on draws that nothing was asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray

from experiments import plot
from experiments.statements import declared_model
from lacelang.classifiers import labels
from lacelang.classifiers.few_labels import Floats, Prior, learn
from lacelang.engine.loading import labels_of, load
from lacelang.errors import UsageError
from lacelang.evaluate.report import Report, Row, Table
from lacelang.ir import Attribute
from lacelang.progress import Progress
from lacelang.teaching.asking import BATCH, Known, next_questions

ATTRIBUTES = ("glasses", "beard", "smile")
#: Draws that questions are chosen from, and those after them that are only asked plainly; the rest
#: of the table's prior draws are for judging.
POOL, PLAIN = 4096, 1400
MOST = 1500
#: Labels at which classifiers are judged.
AT = (48, 96, 144, 192, 240, 288, 360, 420, 480, 600, 720, 960, 1200, 1500)
REPEATS = 3
WANTED = (0.85, 0.90)


@frozen(eq=False)
class Draws:
    """Prior draws of the table in one order: inputs of the classifier, and their labels."""

    w: Floats
    truth: Floats

    @property
    def judged(self) -> tuple[Floats, Floats]:
        """The draws that nothing is asked about, and that have a label."""
        w, truth = self.w[POOL + PLAIN :], self.truth[POOL + PLAIN :]
        seen = np.isfinite(truth)
        return w[seen], truth[seen]


def study(progress: Progress, faces: int | None = None) -> Report:
    """Return the labels that each order needs, and the curves; `faces` bounds the labels."""
    model = declared_model()
    table = labels.load(labels_of(model))
    generator = load(model, "cpu", progress).generator
    w = table.draws().rows(slice(0, table.prior_count)).styles(generator).numpy()
    most = MOST if faces is None else faces
    rows: list[Row] = []
    curves: dict[str, list[tuple[float, float]]] = {}
    with progress.stage("teaching", total=len(ATTRIBUTES) * REPEATS * 2) as stage:
        for name in ATTRIBUTES:
            attribute, truth = model.attribute(name), table.columns[name][: table.prior_count]
            found: dict[str, list[dict[int, tuple[float, float]]]] = {"chosen": [], "random": []}
            for repeat in range(REPEATS):
                order = np.random.default_rng(np.random.Philox(key=repeat)).permutation(len(w))
                draws = Draws(w[order], truth[order])
                for how, runs in found.items():
                    runs.append(_curve(draws, attribute, how == "chosen", most))
                    stage.advance()
            rows += _rows(name, truth, found)
            for how, runs in found.items():
                curves[f"{name}, {how}"] = _median(runs)
    picture = plot.scatter(
        "teaching",
        f"Balanced accuracy on unseen draws, median of {REPEATS} orders",
        "labels",
        "balanced accuracy",
        curves,
        log="x",
        lines=True,
    )
    note = (
        f"Medians over {REPEATS} orders of the draws, with the least and the most. "
        f"Labels for a balanced accuracy of {' and '.join(f'{x:.2f}' for x in WANTED)} on unseen "
        f"draws, at {BATCH} to a batch; more than {most} is not tried. Then the balanced accuracy "
        "at some numbers of labels, and what `teach` estimates at 240."
    )
    return Report("teaching", [Table("Labels to teach an attribute", rows, note)], [picture])


def _curve(
    draws: Draws, attribute: Attribute, chosen: bool, most: int
) -> dict[int, tuple[float, float]]:
    """Return by number of labels the balanced accuracy on unseen draws, and its estimate."""
    pool = draws.w[:POOL]
    prior = Prior.of(pool)
    asked: dict[int, bool] = {}
    found: dict[int, tuple[float, float]] = {}
    while len(asked) < most:
        rows = np.array([i for i in asked if np.isfinite(draws.truth[i])], np.int64)
        if chosen:
            known = Known(draws.w[rows], draws.truth[rows])
            for question in next_questions(pool, known, asked, attribute, prior):
                asked[question.index] = question.asked == "random"
        else:
            asked |= dict.fromkeys(range(len(asked), len(asked) + BATCH), True)
        if len(asked) in AT:
            rows = np.array([i for i in asked if np.isfinite(draws.truth[i])], np.int64)
            plain = np.array([asked[int(i)] for i in rows])
            try:
                learned = learn(draws.w[rows], draws.truth[rows], attribute, prior, random=plain)
            except UsageError:
                continue  # a class that has too few labels yet
            shares = np.array(list(learned.figures["shares"].values()))
            with torch.no_grad():
                logits = learned.heads(torch.from_numpy(draws.judged[0]))[attribute.name].numpy()
            decided = (logits - np.log(shares)).argmax(axis=1)
            found[len(asked)] = (
                _balanced(decided, draws.judged[1]),
                float(learned.figures["balanced_accuracy"]),
            )
    return found


def _balanced(decided: NDArray[np.int64], truth: Floats) -> float:
    classes = np.unique(truth)
    return float(np.mean([(decided[truth == k] == k).mean() for k in classes]))


def _median(runs: Sequence[Mapping[int, tuple[float, float]]]) -> list[tuple[float, float]]:
    counts = sorted(set.intersection(*(set(run) for run in runs)))
    return [(float(n), float(np.median([run[n][0] for run in runs]))) for n in counts]


def _rows(
    name: str, truth: Floats, found: Mapping[str, Sequence[Mapping[int, tuple[float, float]]]]
) -> list[Row]:
    rows: list[Row] = []
    for how, runs in found.items():
        row: dict[str, float | str | None] = {
            "attribute": name,
            "share": float(np.nanmean(truth)),
            "order": how,
        }
        for wanted in WANTED:
            needed = [min((n for n in run if run[n][0] >= wanted), default=np.inf) for run in runs]
            row[f"for {wanted:.2f}"] = _count(float(np.median(needed)))
            row[f"{wanted:.2f}, range"] = f"{_count(min(needed))} to {_count(max(needed))}"
        for count in (96, 240, 480):
            known = [run[count][0] for run in runs if count in run]
            row[f"at {count}"] = float(np.median(known)) if known else None
        estimated = [run[240][1] for run in runs if 240 in run]
        row["estimated"] = float(np.median(estimated)) if estimated else None
        rows.append(row)
    return rows


def _count(labels: float) -> str:
    return f"{labels:.0f}" if np.isfinite(labels) else "more"
