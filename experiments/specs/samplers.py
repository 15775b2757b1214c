"""Which sampler should be the default? Every backend on six conditions, beside exact samples.

Gradient flow from a prior draw is no sample of p(z | c), and a sample of p(z | c) obeys only as
well as the classifiers know. So three things are measured at once: do the images show what was
asked (ACC, by annotators), are the attributes that nobody asked for those of exact samples (the
Kolmogorov-Smirnov statistic of the classifiers' predictions), and how long does it take.
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

#: Faces judged, and latents compared, of every condition by every backend.
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
#: Conditions that too few draws satisfy to reject the others.
RARE = frozenset({"gray"})
EXACT = "exact"
#: Clauses of a statement, as a program writes them.
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

#: How one backend did on one condition, by column.
Figures = dict[str, float]


def study(progress: Progress, faces: int | None) -> Report:
    """Sample every condition by every backend, judge faces and compare predictions.

    `faces` are judged of each.
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
        "Obedience against faithfulness, mean over six conditions",
        "Kolmogorov-Smirnov statistic to exact samples",
        "ACC judged from images",
        {backend: [(mean["KS, mean"], mean["ACC"])] for backend, mean in means.items()},
    )
    summary = Table(
        "Mean over six conditions",
        [{"sampler": backend, **mean} for backend, mean in means.items()],
        "`exact` is rejection, or tempered SMC for what is too rare to reject for: not the draws "
        "that all are compared with, so that its distances are what chance alone leaves.",
    )
    details = [
        Table(f"{name}: {condition}", [{"sampler": b, **of[name]} for b, of in found.items()])
        for name, condition in CONDITIONS.items()
    ]
    about = {"faces": faces, "latents": LATENTS, "conditions": CONDITIONS}
    return Report("samplers", [summary, *details], [figure], about)


def _clauses(backend: str, name: str) -> str:
    if backend != EXACT:
        return backend
    return "with smc" if name in RARE else "with rejection"


def figures_of(judged: Judged, exact: Group) -> Figures:
    """How one backend did on one condition.

    ACC is the mean over the comparisons of the share of faces that show them (1 − |Δ| / range for a
    number); for a condition with `or` or `not`, the share that shows all of it. KS is of the
    attributes that the condition does not speak of.
    """
    statement, group = judged.statement, judged.group
    where = statement.where
    assert where is not None
    model, psi = loaded_model(statement), statement.truncation
    ours, theirs = (predict(model, one.latents, psi) for one in (group, exact))
    comparisons = list(ir.comparisons(where))
    apart = list(distances(ours, theirs, {c.attribute.name for c in comparisons}).values())
    satisfied = obedience([judged])
    # Comparisons have an accuracy each where the condition is nothing but `a=v and …`.
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
