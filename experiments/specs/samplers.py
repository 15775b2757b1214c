"""Which sampler should be the default? Every sampler on six conditions, with exact samples.

The end of a gradient flow is not a sample of p(z | c), and a sample of p(z | c) meets the condition
only as far as the classifiers are certain. Three quantities are therefore measured: ACC, by
annotators of the images; the Kolmogorov-Smirnov statistic of the classifiers' predictions against
exact samples, for attributes that the condition does not mention; and time.
"""

from __future__ import annotations

import numpy as np

from experiments.plot import scatter
from experiments.predictions import distances, predict
from experiments.statements import judge, loaded_model, named, sample
from lacelang import ir
from lacelang.api import compile
from lacelang.engine.result import Group
from lacelang.evaluate.judged import Judged, obedience
from lacelang.evaluate.report import Report, Table
from lacelang.evaluate.sampled import sample_groups
from lacelang.evaluate.scores import conjuncts, scores
from lacelang.progress import Progress
from lacelang.samplers.solution import Status

#: Judged faces and compared latents, per condition and sampler.
FACES = 48
LATENTS = 384
REFERENCE_LATENTS = 1000
SEED = 300
REFERENCE_SEED = 4000

CONDITIONS: dict[str, str] = {
    "glasses": "glasses=1",
    "no smile, glasses": "smile=0 and glasses=1",
    "three": "gender=female and smile=1 and age=55",
    "turned": "yaw=left and gender=male and smile=0",
    "logic": "(glasses=1 or yaw=front) and not smile=1",
    "gray": "age > 55 and haircolor=gray and glasses=1",
}
#: Conditions that are too rare for rejection.
RARE = frozenset({"gray"})
EXACT = "exact"
#: Clauses of a statement, as in a program.
BACKENDS = (
    "with heun",
    "with exponential",
    "with exponential(typical=0)",
    "with dopri5",
    "with euler",
    "with langevin",
    "with langevin(preset=paper)",
    "with pc",
    "with hybrid(steps=5, warmup=5)",
    "with hybrid",
    "with hybrid(steps=100, warmup=50)",
    "temp 0.5 with hybrid",
    "with mala",
    "with hmc",
    "with smc",
)
_FAILED = "failed"

#: Results of one sampler on one condition, by column.
Figures = dict[str, float]


def study(progress: Progress, faces: int | None) -> Report:
    """Sample every condition with every sampler, judge faces and compare predictions.

    `faces` is the number of judged faces for each.
    """
    faces = FACES if faces is None else min(faces, LATENTS)
    references = {
        name: sample(REFERENCE_LATENTS, condition, _clauses(EXACT, name), REFERENCE_SEED)
        for name, condition in CONDITIONS.items()
    }
    groups = sample_groups(compile(named(references)), progress)
    exact = dict(zip(CONDITIONS, groups, strict=True))
    statements = {
        (backend, name): sample(LATENTS, condition, _clauses(backend, name), SEED + i)
        for backend in (EXACT, *BACKENDS)
        for i, (name, condition) in enumerate(CONDITIONS.items())
    }
    found: dict[str, dict[str, Figures]] = {}
    for (backend, name), judged in judge(statements, progress, faces=faces).items():
        figures = figures_of(judged, exact[name])
        found.setdefault(backend.removeprefix("with "), {})[name] = figures
    means: dict[str, Figures] = {}
    for backend, of_each in found.items():
        for column in next(iter(of_each.values())):
            values = [one[column] for one in of_each.values()]
            mean = sum(values) if column == _FAILED else float(np.mean(values))
            means.setdefault(backend, {})[column] = mean
    figure = scatter(
        "samplers",
        "Accuracy against distance from exact samples, mean over six conditions",
        "Kolmogorov-Smirnov statistic to exact samples",
        "ACC judged from images",
        {backend: [(mean["KS, mean"], mean["ACC"])] for backend, mean in means.items()},
    )
    summary = Table(
        "Mean over six conditions",
        [{"sampler": backend, **mean} for backend, mean in means.items()],
        "`exact` is rejection, or SMC for conditions that are too rare for rejection. Its samples "
        "are not those of the reference, so its distances are those of chance alone.",
    )
    details = [
        Table(f"{name}: {condition}", [{"sampler": b, **of[name]} for b, of in found.items()])
        for name, condition in CONDITIONS.items()
    ]
    about = {"faces": faces, "latents": LATENTS, "conditions": CONDITIONS}
    return Report("samplers", [summary, *details], [figure], about)


def _clauses(backend: str, name: str) -> str:
    if backend == EXACT:
        backend = "with smc" if name in RARE else "with rejection"
    # Without the clause, an `or` would be a mixture for flows, and not for exact samplers.
    return f"{backend} disjunction equal"


def figures_of(judged: Judged, exact: Group) -> Figures:
    """Return the results of one sampler on one condition.

    ACC is the mean over comparisons of the fraction of faces that satisfy them (1 − |Δ| / range for
    a number); for a condition with `or` or `not`, the fraction that satisfies all of it. KS is for
    the attributes that the condition does not mention.
    """
    statement, group = judged.statement, judged.group
    where = statement.where
    assert where is not None
    model, psi = loaded_model(statement), statement.truncation
    ours, theirs = (predict(model, one.latents, psi) for one in (group, exact))
    comparisons = list(ir.comparisons(where))
    apart = list(distances(ours, theirs, {c.attribute.name for c in comparisons}).values())
    satisfied = obedience([judged])
    # Each comparison has an accuracy if the condition has the form `a=v and …`.
    plain = len(list(conjuncts(where))) == len(comparisons)
    compared = [score.accuracy for score in scores([judged.asked])]
    return {
        "ACC": float(np.mean(compared)) if plain else satisfied,
        "whole condition": satisfied,
        "KS, mean": float(np.mean(apart)),
        "KS, worst": max(apart),
        "s for 64": group.stats.seconds * 64 / len(group),
        _FAILED: sum(status is not Status.converged for status in group.status),
    }
