"""Which sampler should be the default? Every backend on six conditions, beside exact samples.

Gradient flow from a prior draw is no sample of p(z | c), and a sample of p(z | c) obeys only as
well as the classifiers know. So three things are measured at once: do the images show what was
asked (ACC, by annotators), are the attributes that nobody asked for those of exact samples (the
Kolmogorov-Smirnov statistic of the classifiers' readings), and how long does it take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from lacelang.api import compile
from lacelang.evaluate.judged import Judged, judge_groups
from lacelang.evaluate.readings import attributes_of, distances, model_of, read
from lacelang.evaluate.report import Cell, Report, Scatter, Table
from lacelang.evaluate.sampled import sample_groups
from lacelang.evaluate.scores import conjuncts, scores

if TYPE_CHECKING:
    from lacelang.engine.result import Group
    from lacelang.progress import Progress

#: Faces judged, and latents read, of every condition by every backend.
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


@frozen
class Result:
    """How one backend did on one condition.

    Attributes:
        accuracy: mean over the comparisons of the share of faces that show them (1 − |Δ| / range
            for a number); for a condition with `or` or `not`, the share that shows all of it.
        satisfied: share of faces that show the whole condition.
        mean_ks, worst_ks: of the attributes that the condition does not speak of.
        seconds: for 64 samples.
        failed: samples that did not converge.
    """

    accuracy: float
    satisfied: float
    mean_ks: float
    worst_ks: float
    seconds: float
    failed: int


def study(progress: Progress, faces: int | None) -> Report:
    """Sample every condition by every backend, judge faces and compare readings.

    Args:
        progress: where to show how far it is.
        faces: judged of each; None takes `FACES`.
    """
    faces = FACES if faces is None else min(faces, LATENTS)
    references = sample_groups(compile(_references()).samples, progress)
    exact = dict(zip(CONDITIONS, references, strict=True))
    text = "\n".join(
        f"sample {LATENTS} from ffhq where {condition} {_clauses(backend, name)} seed {SEED + i} "
        f'as "{b} {name}"'
        for b, backend in enumerate((EXACT, *BACKENDS))
        for i, (name, condition) in enumerate(CONDITIONS.items())
    )
    results: dict[str, dict[str, Result]] = {}
    for one in judge_groups(compile(text), progress, faces=faces):
        number, _, name = one.statement.name.partition(" ")
        backend = (EXACT, *BACKENDS)[int(number)].removeprefix("with ")
        results.setdefault(backend, {})[name] = _result(one, exact[name])
    return Report(
        "samplers",
        (_summary(results), *(_detail(name, results) for name in CONDITIONS)),
        (
            Scatter(
                "samplers",
                "Obedience against faithfulness, mean over six conditions",
                "Kolmogorov-Smirnov statistic to exact samples",
                "ACC judged from images",
                {b: [(_mean(r, "mean_ks"), _mean(r, "accuracy"))] for b, r in results.items()},
            ),
        ),
        {"faces": faces, "latents": LATENTS, "conditions": CONDITIONS},
    )


def _clauses(backend: str, name: str) -> str:
    if backend != EXACT:
        return backend
    return "with smc" if name in RARE else "with rejection"


def _references() -> str:
    return "\n".join(
        f"sample {REFERENCE_LATENTS} from ffhq where {condition} {_clauses(EXACT, name)} "
        f'seed {REFERENCE_SEED} as "{name}"'
        for name, condition in CONDITIONS.items()
    )


def _result(judged: Judged, exact: Group) -> Result:
    statement, group = judged.statement, judged.group
    model, psi = model_of(statement), statement.truncation
    ours, theirs = read(model, group.latents, psi), read(model, exact.latents, psi)
    apart = distances(ours, theirs, attributes_of(statement.where))
    satisfied = float(judged.satisfied.mean())
    assert statement.where is not None
    compared = scores([(statement.where, judged.columns)])
    # Comparisons have an accuracy each where the condition is nothing but `a=v and …`.
    plain = len(list(conjuncts(statement.where))) == len(group.record.atoms)
    accuracy = float(np.mean([score.accuracy for score in compared])) if plain else satisfied
    return Result(
        accuracy=accuracy,
        satisfied=satisfied,
        mean_ks=float(np.mean(list(apart.values()))),
        worst_ks=max(apart.values()),
        seconds=group.stats.seconds * 64 / len(group),
        failed=sum(status.name != "converged" for status in group.status),
    )


_COLUMNS = ("ACC", "whole condition", "KS, mean", "KS, worst", "s for 64", "failed")
_FIELDS = ("accuracy", "satisfied", "mean_ks", "worst_ks", "seconds")


def _mean(results: dict[str, Result], field: str) -> float:
    return float(np.mean([getattr(result, field) for result in results.values()]))


def _summary(results: dict[str, dict[str, Result]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for backend, of_backend in results.items():
        failed = sum(result.failed for result in of_backend.values())
        rows.append((backend, *(_mean(of_backend, field) for field in _FIELDS), failed))
    note = (
        "`exact` is rejection, or tempered SMC for what is too rare to reject for: not the draws "
        "that all are compared with, so that its distances are what chance alone leaves."
    )
    return Table("Mean over six conditions", ("sampler", *_COLUMNS), tuple(rows), note)


def _detail(name: str, results: dict[str, dict[str, Result]]) -> Table:
    rows = tuple(
        (backend, *(getattr(of[name], field) for field in _FIELDS), of[name].failed)
        for backend, of in results.items()
    )
    return Table(f"{name}: {CONDITIONS[name]}", ("sampler", *_COLUMNS), rows)
