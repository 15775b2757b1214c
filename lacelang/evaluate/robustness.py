"""Do results hang on a sampler's settings? The paper's figure 5, on faces.

Faces are sampled for every combination of three yes-or-no attributes, each as often as the prior
shows it. A sampler that does what it is asked and nothing else therefore returns the generator's
own distribution: accuracy 1, at the Fréchet distance that fresh unconditioned faces have. What is
plotted is how far each setting of the ODE and of Langevin dynamics stays from that corner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from lacelang.api import compile
from lacelang.evaluate import frechet
from lacelang.evaluate.codes import allotted
from lacelang.evaluate.judged import Judged, judge_groups
from lacelang.evaluate.readings import prior_shares
from lacelang.evaluate.report import Report, Scatter, Table
from lacelang.evaluate.scores import scores
from lacelang.evaluate.unconditioned import REFERENCE_FACES, REFERENCE_SEED

if TYPE_CHECKING:
    from lacelang.progress import Progress

FACES = 40
#: Principal directions that distances are taken in: less than `FACES`.
DIRECTIONS = 16
SEED = 100
CODES = tuple(product((("glasses", 0), ("glasses", 1)), (("smile", 0), ("smile", 1))))
GENDERS = ("female", "male")

_TOLERANCES = ("1e-1", "3e-2", "1e-2", "1e-3", "1e-4")
_STEPS = (50, 100, 200)
_STEP = ("3e-3", "1e-2", "3e-2")
_NOISE = ("0.01", "0.05", "0.1")
Series: TypeAlias = dict[str, list[str]]


def settings() -> Series:
    """Samplers with their options as a program writes them, by series."""
    return {
        "ODE: dopri5 (atol, rtol)": [
            f"dopri5(atol={a}, rtol={r})" for a, r in product(_TOLERANCES, _TOLERANCES)
        ],
        "ODE: exponential (tolerance)": [
            f"exponential(tolerance={t})" for t in ("1e-1", "3e-2", "1e-2", "3e-3", "1e-3")
        ],
        "Langevin (steps, step, noise)": [
            f"langevin(steps={n}, step={h}, noise={s})"
            for n, h, s in product(_STEPS, _STEP, _NOISE)
        ],
        "Langevin, unbiased noise": [f"langevin(steps=100, step={h})" for h in _STEP],
    }


def study(progress: Progress, faces: int | None) -> Report:
    """Sample, paint and judge every setting.

    Args:
        progress: where to show how far it is.
        faces: for each setting, more than `DIRECTIONS`; None takes `FACES`.
    """
    faces = FACES if faces is None else max(faces, DIRECTIONS + 1)
    unconditioned = f"sample {REFERENCE_FACES} from ffhq seed {REFERENCE_SEED} as unconditioned"
    (prior,) = judge_groups(compile(unconditioned), progress, "painting the reference")
    reference = frechet.reference(prior.features, DIRECTIONS)
    # Faces that the reference does not hold, as many as a setting has: the best there is.
    fresh = f"sample {faces} from ffhq seed {SEED} as fresh"
    (floor,) = judge_groups(compile(fresh), progress, "painting fresh faces")
    shares = prior_shares([_condition(code) for code in _codes()])
    counts = allotted(shares, faces)
    every = settings()
    rows: list[tuple[str | float, ...]] = []
    points: dict[str, list[tuple[float, float]]] = {}
    samplers = [sampler for of_series in every.values() for sampler in of_series]
    # One program of all, so that the annotators start up once.
    text = "\n".join(_program(sampler, counts) for sampler in samplers)
    by_sampler: dict[str, list[Judged]] = {}
    for one in judge_groups(compile(text), progress):
        by_sampler.setdefault(one.statement.name.rpartition(" ")[0], []).append(one)
    for series, of_series in every.items():
        for sampler in of_series:
            judged = by_sampler[_name(sampler)]
            distance = reference.distance(np.concatenate([j.features for j in judged]))
            accuracy = _accuracy(judged)
            nfe = float(np.concatenate([j.group.stats.nfe.numpy() for j in judged]).mean())
            rows.append((series.split(":")[-1].split("(")[0].strip(), sampler))
            rows[-1] += (accuracy, distance, nfe)
            points.setdefault(series, []).append((distance, accuracy))
    best = reference.distance(floor.features)
    return Report(
        "robustness",
        (
            _spread(points),
            Table(
                "Every setting",
                ("series", "sampler", "ACC", "Fréchet distance", "evaluations"),
                tuple(rows),
                f"{faces} faces a setting, of 8 combinations of glasses, smile and gender in the "
                f"prior's proportions; distances in {DIRECTIONS} principal directions. As many "
                f"unconditioned faces lie at {best:.3g}.",
            ),
        ),
        (
            Scatter(
                "robustness",
                f"Every dot one setting, {faces} faces judged from their images",
                "Fréchet distance to the unconditioned generator",
                "ACC",
                {**points, "unconditioned faces (distance only)": [(best, 1.0)]},
            ),
        ),
        {"faces": faces, "reference faces": REFERENCE_FACES, "floor": best},
    )


def _spread(points: dict[str, list[tuple[float, float]]]) -> Table:
    rows = []
    for series, of_series in points.items():
        distances, accuracies = np.array(of_series).T
        row: tuple[str | float | int, ...] = (series, len(of_series))
        for values in (accuracies, distances):
            row += tuple(float(v) for v in np.quantile(values, (0.0, 0.5, 1.0)))
        rows.append(row)
    headings = tuple(f"{q} {of}" for of in ("ACC", "distance") for q in ("least", "median", "most"))
    return Table("How far settings spread", ("series", "settings", *headings), tuple(rows))


def _codes() -> Iterator[tuple[tuple[str, object], ...]]:
    for code, gender in product(CODES, GENDERS):
        yield (*code, ("gender", gender))


def _condition(code: Sequence[tuple[str, object]]) -> str:
    return " and ".join(f"{name}={value}" for name, value in code)


def _program(sampler: str, counts: dict[str, int]) -> str:
    # Seeds of their own, so that no two groups start from the same draws.
    lines = [
        f"sample {count} from ffhq where {condition} with {sampler} seed {SEED + i} "
        f'as "{_name(sampler)} {i}"'
        for i, (condition, count) in enumerate(counts.items())
        if count
    ]
    return "\n".join(lines)


def _name(sampler: str) -> str:
    """A sampler's text as a group's name may be."""
    return sampler.replace("(", " ").replace(")", "").replace(",", "")


def _accuracy(judged: Sequence[Judged]) -> float:
    """Mean over the attributes of the share of faces that show the wanted value."""
    pairs = [(j.statement.where, j.columns) for j in judged if j.statement.where is not None]
    return float(np.mean([score.accuracy for score in scores(pairs)]))
