"""How many labels does a classifier need, and which method makes most of few?

Subsets of the model's labelled prior draws train classifiers in several ways. Accuracy and
calibration are those of the prior draws that are left; ACC is of samples that meet the classifier's
condition, judged from their images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from attrs import evolve

from experiments import pseudo_labels
from experiments.plot import scatter
from experiments.statements import declared_model, judge, sample
from experiments.trained import trained
from lacelang import ir
from lacelang.classifiers import cross_validated, heads_file, labels, self_calibration
from lacelang.classifiers.calibration import score
from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.draws import Draws, from_prior
from lacelang.classifiers.training import REGULARISED, SMALL, TrainResult, train
from lacelang.classifiers.training import Progress as OnEpoch
from lacelang.engine.loading import labels_of, load
from lacelang.evaluate.report import Picture, Report, Row, Table
from lacelang.evaluate.scores import scores
from lacelang.generators.generator import Generator
from lacelang.progress import Progress

ATTRIBUTES = ("smile", "glasses", "beard", "gender")
CONDITIONS = ("smile=1", "glasses=1", "beard=1", "gender=male")
COUNTS = (25, 50, 100, 500)
SEEDS = 5
#: Of the labelled prior draws, those that subsets are taken from; the others are for figures.
POOL = 4000
#: Latents without labels, for pseudo-labels, and the seed of their draws.
UNLABELLED = 1000
UNLABELLED_SEED = 77_001
#: Faces of each condition, count, seed and method that are judged.
FACES = 4
SAMPLES_SEED = 1200
#: More rows than any subset: where the network of the default recipe takes over.
MANY = (1000, 2000, 4000)

LINEAR, SELF, PSEUDO = "linear", "self-calibrated", "pseudo-labels"
NETWORK, IN_Z = "small network", "self-calibrated, z"
DEFAULT = "network of the default recipe"
#: Those whose samples are decoded and judged.
JUDGED = (LINEAR, NETWORK, SELF, PSEUDO)
METHODS = (LINEAR, PSEUDO, NETWORK, SELF, IN_Z)

Key = tuple[str, int, int]  # method, labels, seed


def study(progress: Progress, faces: int | None) -> Report:
    """Train every method on every subset, score them on left rows and on images.

    `faces` is the number per condition, count, seed and method.
    """
    declared = declared_model()
    spec = evolve(declared, attributes=tuple(declared.attribute(name) for name in ATTRIBUTES))
    each = FACES if faces is None else faces
    data = Data(spec, load(declared, "cpu", progress).generator)
    files = {
        (method, count, seed): _file(data, method, count, seed, progress)
        for seed in range(SEEDS)
        for count in COUNTS
        for method in METHODS
    }
    figures = {
        key: data.figures(heads_file.load(path).heads, key[0]) for key, path in files.items()
    }
    acc = _judged(spec, {k: p for k, p in files.items() if k[0] in JUDGED}, each, progress)
    many = _with_many(data, progress)
    pictures = [
        _figure("accuracy", "accuracy on draws left out", METHODS, _mean_of(figures, "accuracy")),
        _figure("acc", "ACC of samples, judged from images", JUDGED, _mean_acc(acc)),
    ]
    about = {"seeds": SEEDS, "held-out draws": len(data.rest), "faces": each}
    tables = (_summary(figures, acc, each), *_by_attribute(figures, acc), many)
    return Report("few_labels", tables, pictures, about)


class Data:
    """Labelled rows to take subsets from, and the rest of the prior rows."""

    def __init__(self, spec: ir.ModelSpec, generator: Generator) -> None:
        self.spec = spec
        self.generator = generator
        table = labels.load(labels_of(spec))
        whole = table.examples(generator)
        columns = [whole.columns[name] for name in ATTRIBUTES]
        seen = ~whole.conditioned & ~np.isnan(columns).any(axis=0)
        rows = np.random.default_rng(0).permutation(np.flatnonzero(seen))
        self.pool, self.rest = whole.take(rows[:POOL]), whole.take(rows[POOL:])
        # The same rows as z, for classifiers that read z; all their truncations count.
        z = table.draws().z
        self.pool_z, self.rest_z = z[rows[:POOL]], z[rows[POOL:]]

    def subset(self, count: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Indices into the pool: random, with at least two of each class of each attribute."""
        for attempt in range(1000):
            rng = np.random.default_rng((seed, count, attempt))
            rows = np.sort(rng.permutation(POOL)[:count])
            columns = (self.pool.columns[name][rows] for name in ATTRIBUTES)
            if all(1 < column.sum() < count - 1 for column in columns):
                return rows
        raise AssertionError("no subset has two of each class")

    def figures(self, heads: Heads, method: str) -> dict[str, dict[str, float]]:
        """Accuracy, balanced accuracy, NLL and ECE on the left rows, by attribute."""
        w = torch.from_numpy(np.ascontiguousarray(self.rest_z if method == IN_Z else self.rest.w))
        with torch.no_grad():
            outputs, raw = heads(w), heads.raw(heads.standardise(w)).mean(dim=0)
        found = {}
        for a in heads.attributes:
            wanted = torch.from_numpy(self.rest.columns[a.name])
            plain = score(a, raw[:, heads.columns[a.name]], wanted)
            found[a.name] = {**score(a, outputs[a.name], wanted), "ece_before": plain["ece"]}
        return found


def _file(data: Data, method: str, count: int, seed: int, progress: Progress) -> Path:
    make = partial(_train, data, method, count, seed)
    name = f"few-2-{method.replace(', ', '-').replace(' ', '-')}-{count}-{seed}"
    return trained(data.spec, name, partial(_silently, make), progress)


def _silently(make: Callable[[], TrainResult], _: OnEpoch) -> TrainResult:
    return make()


def _train(data: Data, method: str, count: int, seed: int) -> TrainResult:
    rows = data.subset(count, seed)
    part, attributes = data.pool.take(rows), data.spec.attributes
    if method == IN_Z:
        part = evolve(part, w=np.ascontiguousarray(data.pool_z[rows]))
        where = self_calibration.in_z(part.w.shape[1], seed)
    elif method == SELF:
        where = self_calibration.in_w(data.generator, seed)
    if method in (SELF, IN_Z):
        term = partial(self_calibration.term, where, seed)
        return cross_validated.train(part, attributes, recipe=SMALL, term=term, seed=seed)
    if method == NETWORK:
        return cross_validated.train(part, attributes, recipe=SMALL, seed=seed)
    if method == PSEUDO:
        more = from_prior(UNLABELLED_SEED, UNLABELLED, data.generator.latent_dim)
        return pseudo_labels.train(part, attributes, _styles(more, data), seed=seed)
    return cross_validated.train(part, attributes, seed=seed)


def _styles(draws: Draws, data: Data) -> labels.Floats:
    found: labels.Floats = draws.styles(data.generator).numpy()
    return found


def _judged(
    spec: ir.ModelSpec, files: Mapping[Key, Path], each: int, progress: Progress
) -> dict[tuple[Key, str], float]:
    """ACC by classifier and attribute."""
    statements = {
        (key, name): sample(each, condition, seed=SAMPLES_SEED + key[2])
        for key in files
        for name, condition in zip(ATTRIBUTES, CONDITIONS, strict=True)
    }

    def change(key: tuple[Key, str], declared: ir.ModelSpec) -> ir.ModelSpec:
        return evolve(spec, classifiers=str(files[key[0]]))

    judged = judge(statements, progress, change=change)
    return {key: scores([group.asked])[0].accuracy for key, group in judged.items()}


Figures = Mapping[Key, Mapping[str, Mapping[str, float]]]
Acc = Mapping[tuple[Key, str], float]


def _over(method: str, count: int, of: Callable[[Key], float]) -> tuple[float, float]:
    """Mean over the seeds, and half the width of its 95 % interval (Student's t)."""
    from scipy.stats import t

    values = np.array([of((method, count, seed)) for seed in range(SEEDS)])
    quantile = float(t.ppf(0.975, SEEDS - 1))
    return float(values.mean()), quantile * float(values.std(ddof=1)) / SEEDS**0.5


def _mean_of(figures: Figures, measure: str) -> Callable[[Key], float]:
    return lambda key: float(np.mean([figures[key][name][measure] for name in ATTRIBUTES]))


def _mean_acc(acc: Acc) -> Callable[[Key], float]:
    return lambda key: float(np.mean([acc[key, name] for name in ATTRIBUTES]))


def _summary(figures: Figures, acc: Acc, each: int) -> Table:
    rows: list[Row] = []
    for count in COUNTS:
        for method in METHODS:
            row: dict[str, str | float | None] = {"labels": count, "method": method}
            for heading, measure in (
                ("accuracy", "accuracy"),
                ("balanced accuracy", "balanced_accuracy"),
                ("NLL, nats", "nll"),
                ("ECE", "ece"),
                ("ECE before calibration", "ece_before"),
            ):
                row[heading], row[f"± {heading}"] = _over(method, count, _mean_of(figures, measure))
            if method in JUDGED:
                row["ACC"], row["± ACC"] = _over(method, count, _mean_acc(acc))
            kept = ("± accuracy", "± ACC")
            rows.append({k: v for k, v in row.items() if k[0] != "±" or k in kept})
    return Table(
        "Few labels, by method",
        rows,
        f"Means over {len(ATTRIBUTES)} attributes and {SEEDS} subsets of labelled draws; ± is half "
        "the 95 % interval over the subsets. Accuracy, NLL and ECE are of draws that no classifier "
        f"saw; ACC is of {each} faces of each of {', '.join(CONDITIONS)} and each subset, judged "
        "from their images.",
    )


def _by_attribute(figures: Figures, acc: Acc) -> tuple[Table, ...]:
    rows: list[Row] = []
    for name in ATTRIBUTES:
        for count in COUNTS:
            row: dict[str, str | float] = {"attribute": name, "labels": count}
            for method in JUDGED:
                keys = [(method, count, seed) for seed in range(SEEDS)]
                row[f"accuracy, {method}"] = float(
                    np.mean([figures[key][name]["accuracy"] for key in keys])
                )
                row[f"ACC, {method}"] = float(np.mean([acc[key, name] for key in keys]))
            rows.append(row)
    return (Table("Few labels, by attribute", rows),)


def _with_many(data: Data, progress: Progress) -> Table:
    """Where the network of the default recipe overtakes linear classifiers: one subset each."""
    rows: list[Row] = []
    for count in MANY:
        part = data.pool.take(np.arange(count))
        makes = {
            LINEAR: partial(cross_validated.train, part, data.spec.attributes),
            DEFAULT: partial(train, part, data.spec.attributes, recipe=REGULARISED),
        }
        row: dict[str, str | float] = {"labels": count}
        for method, make in makes.items():
            name = f"few-2-many-{'linear' if method == LINEAR else 'network'}-{count}"
            path = trained(data.spec, name, partial(_silently, make), progress)
            found = data.figures(heads_file.load(path).heads, method)
            for heading, measure in (("accuracy", "accuracy"), ("NLL", "nll")):
                row[f"{heading}, {method}"] = float(
                    np.mean([found[name][measure] for name in ATTRIBUTES])
                )
        rows.append(row)
    return Table("More labels", rows, "One subset; means over the same attributes.")


def _figure(name: str, y: str, methods: Sequence[str], of: Callable[[Key], float]) -> Picture:
    points = {
        method: [
            # Side by side, so that intervals do not cover each other.
            (count * 1.04 ** (k - len(methods) / 2), *_over(method, count, of))
            for count in COUNTS
        ]
        for k, method in enumerate(methods)
    }
    return scatter(name, "Few labels", "labels", y, points, log="x", lines=True)
