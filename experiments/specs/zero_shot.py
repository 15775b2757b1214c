"""Combinations that are rare or missing in the classifiers' training data (LACE figure 4).

In addition to the paper's two, twenty random combinations of four attributes that occur in fewer
than one in a thousand of the faces that the classifiers were trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from experiments.sheets import rows_sheet
from experiments.statements import declared_model, judge, sample
from lacelang import ir
from lacelang.api import Program, compile
from lacelang.classifiers import labels
from lacelang.classifiers.rare import Combination, Kind, combinations
from lacelang.engine.loading import labels_of
from lacelang.evaluate import program
from lacelang.evaluate.judged import Judged, obedience
from lacelang.evaluate.report import Report, Row, Table
from lacelang.evaluate.scores import scores
from lacelang.progress import Progress

PROGRAM = Path(__file__).with_suffix(".lace")
#: The paper's figures by row and attribute (LACE-ODE; table 2 and section 4.1).
PAPER: Mapping[str, Mapping[str, float]] = {
    "a": {"smile": 0.935, "glasses": 0.982},
    "b": {"smile": 0.906, "glasses": 0.939},
    "glasses": {"glasses": 0.998},
    "codes": {"gender": 0.969, "smile": 0.982, "age": 0.914},
}
FACES = 32
COUNT = 20
#: Combinations of four common attributes, in fewer than one label of a thousand.
KIND = Kind(
    sizes=(4,),
    rare=0.001,
    among=("smile", "glasses", "gender", "beard", "haircolor", "yaw", "age"),
)
CHOICE_SEED = 4
SEED = 61
#: The sampler of the paper's first combination: a longer flow that stops where it has enough.
SAMPLER = "exponential(slack=0.05, time=10)"
_SHOWN = 6


@frozen
class Rare:
    """A combination, and its fractions of all labels and of the labels of prior draws."""

    combination: Combination
    labelled: float
    prior: float


def study(progress: Progress, faces: int | None) -> Report:
    """Sample and judge the paper's combinations and the others."""
    paper = program.evaluate(shown(), "zero_shot", progress, faces, PAPER)
    rare = rare_combinations(declared_model())
    judged = list(judge(statements(rare, min(faces or FACES, FACES)), progress).values())
    best, *_, worst = ranked = sorted(judged, key=lambda one: -one.satisfied.mean())
    title = f"Of the {COUNT} others: best, middle, worst"
    sheet = rows_sheet("rare", title, [best, ranked[len(ranked) // 2], worst], _SHOWN)
    return evolve(
        paper,
        tables=[*paper.tables, _pooled(judged), _table(rare, judged)],
        pictures=[*paper.pictures, sheet],
    )


def shown() -> Program:
    """Return the paper's combinations as a program."""
    return compile(PROGRAM.read_text("utf-8"), PROGRAM)


def rare_combinations(spec: ir.ModelSpec) -> list[Rare]:
    """Draw combinations that are rare among a model's labels."""
    table = labels.load(labels_of(spec))
    every = dict(table.columns)
    prior = {name: column[: table.prior_count] for name, column in every.items()}
    return [
        Rare(one, one.share(every), one.share(prior))
        for one in combinations(spec.attributes, every, COUNT, KIND, CHOICE_SEED)
    ]


def statements(rare: Sequence[Rare], faces: int) -> dict[tuple[str, int], str]:
    """Return a statement for every combination."""
    clauses = f"with {SAMPLER}"
    return {
        ("rare", i): sample(faces, str(one.combination), clauses, SEED)
        for i, one in enumerate(rare)
    }


def _pooled(judged: Sequence[Judged]) -> Table:
    rows = [
        {"attribute": score.attribute, "faces": score.faces, **score.judged}
        for score in scores(group.asked for group in judged)
    ]
    return Table(f"{len(judged)} others, by attribute", rows)


def _table(rare: Sequence[Rare], judged: Sequence[Judged]) -> Table:
    rows: list[Row] = []
    for one, group in zip(rare, judged, strict=True):
        accuracy = [score.accuracy for score in scores([group.asked])]
        rows.append(
            {
                "combination": str(one.combination),
                "fraction of labels": one.labelled,
                "fraction of prior labels": one.prior,
                "mean ACC": float(np.mean(accuracy)),
                "lowest ACC": min(accuracy),
                "whole condition": obedience([group]),
            }
        )
    return Table(
        f"{len(judged)} others, by combination",
        rows,
        "Fraction of labels: of the faces that the classifiers were trained on; of prior labels: "
        "of those among them that are draws from the prior. ACC as in the tables above, over the "
        "combination's four comparisons.",
    )
