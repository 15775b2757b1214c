"""Do results depend on a sampler's settings? The paper's figure 5, on faces.

Faces are sampled for every combination of three binary attributes, in the prior's proportions. An
ideal sampler therefore returns the generator's own distribution: accuracy 1, at the Fréchet
distance of other unconditioned faces. The plot shows the distance of each setting of the ODE and of
Langevin dynamics from that corner.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from experiments import reference
from experiments.codes import allotted
from experiments.plot import scatter
from experiments.predictions import prior_shares
from experiments.statements import judge, sample
from lacelang.evaluate.report import Report, Row, Table
from lacelang.evaluate.scores import scores
from lacelang.progress import Progress

FACES = 40
#: Principal directions for distances: fewer than `FACES`.
DIRECTIONS = 16
SEED = 100
CONDITIONS = [
    f"glasses={glasses} and smile={smile} and gender={gender}"
    for glasses, smile, gender in product((0, 1), (0, 1), ("female", "male"))
]
_TOLERANCES = ("1e-1", "3e-2", "1e-2", "1e-3", "1e-4")
_STEPS = (50, 100, 200)
_STEP = ("3e-3", "1e-2", "3e-2")
_NOISE = ("0.01", "0.05", "0.1")
#: Samplers with options, as in a program, by series.
SETTINGS: dict[str, list[str]] = {
    "ODE: dopri5 (atol, rtol)": [
        f"dopri5(atol={a}, rtol={r})" for a, r in product(_TOLERANCES, _TOLERANCES)
    ],
    "ODE: exponential (tolerance)": [
        f"exponential(tolerance={t})" for t in ("1e-1", "3e-2", "1e-2", "3e-3", "1e-3")
    ],
    "Langevin (steps, step, noise)": [
        f"langevin(steps={n}, step={h}, noise={s})" for n, h, s in product(_STEPS, _STEP, _NOISE)
    ],
    "Langevin, unbiased noise": [f"langevin(steps=100, step={h})" for h in _STEP],
}


def study(progress: Progress, faces: int | None) -> Report:
    """Sample, decode and judge every setting.

    `faces` is the number per setting; it must be larger than `DIRECTIONS`.
    """
    faces = FACES if faces is None else max(faces, DIRECTIONS + 1)
    whole = reference.prior_features(reference.FACES, reference.SEED, progress)
    prior = reference.Reference.of(whole, DIRECTIONS)
    # As many unconditioned faces as a setting has, not in the reference: the floor.
    best = prior.distance(reference.prior_features(faces, SEED, progress))
    assert best is not None
    counts = allotted(prior_shares(CONDITIONS), faces)
    # Different seeds, so that no two groups start from the same draws.
    statements = {
        (sampler, i): sample(count, condition, f"with {sampler}", SEED + i)
        for samplers in SETTINGS.values()
        for sampler in samplers
        for i, (condition, count) in enumerate(counts.items())
        if count
    }
    judged = judge(statements, progress)
    rows: list[Row] = []
    points: dict[str, list[tuple[float, float]]] = {}
    for series, samplers in SETTINGS.items():
        for sampler in samplers:
            groups = [group for key, group in judged.items() if key[0] == sampler]
            distance = prior.distance(np.concatenate([g.annotations.features for g in groups]))
            accuracy = float(np.mean([s.accuracy for s in scores(g.asked for g in groups)]))
            nfe = np.concatenate([g.group.stats.nfe.numpy() for g in groups])
            rows.append(
                {
                    "series": series.split(":")[-1].split("(")[0].strip(),
                    "sampler": sampler,
                    "ACC": accuracy,
                    "Fréchet distance": distance,
                    "evaluations": float(nfe.mean()),
                }
            )
            assert distance is not None
            points.setdefault(series, []).append((distance, accuracy))
    every = Table(
        "Every setting",
        rows,
        f"{faces} faces per setting, of 8 combinations of glasses, smile and gender in the "
        f"prior's proportions; distances in {DIRECTIONS} principal directions. The distance of "
        f"as many unconditioned faces is {best:.3g}.",
    )
    figure = scatter(
        "robustness",
        f"One dot per setting, {faces} faces judged from their images",
        "Fréchet distance to the unconditioned generator",
        "ACC",
        {**points, "unconditioned faces (distance only)": [(best, 1.0)]},
    )
    about = {"faces": faces, "reference faces": reference.FACES, "floor": best}
    return Report("robustness", (_spread(points), every), [figure], about)


def _spread(points: dict[str, list[tuple[float, float]]]) -> Table:
    rows = []
    for series, of_series in points.items():
        distances, accuracies = np.array(of_series).T
        row: dict[str, str | float] = {"series": series, "settings": len(of_series)}
        for of, values in (("ACC", accuracies), ("distance", distances)):
            least, median, most = np.quantile(values, (0.0, 0.5, 1.0)).tolist()
            row |= {f"lowest {of}": least, f"median {of}": median, f"highest {of}": most}
        rows.append(row)
    return Table("Spread of the settings", rows)
