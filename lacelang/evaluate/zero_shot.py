"""Combinations that the classifiers have hardly seen, or never (LACE figure 4).

Beside the paper's two, twenty more of four attributes each, drawn at random and kept if fewer than
one in a thousand of the faces that the classifiers were trained on show them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, frozen

from lacelang.api import compile
from lacelang.classifiers import labels
from lacelang.classifiers.rare import Combination, Kind, combinations
from lacelang.engine.loading import labels_of
from lacelang.engine.schema import schema_of
from lacelang.evaluate import conditions
from lacelang.evaluate.judged import Judged, judge_groups
from lacelang.evaluate.report import Cell, Report, Table
from lacelang.evaluate.scores import scores
from lacelang.evaluate.sheets import rows_sheet
from lacelang.evaluate.suite import at_most, program_of

if TYPE_CHECKING:
    from lacelang import ir
    from lacelang.progress import Progress

FACES = 32
COUNT = 20
#: Four attributes of those that programs ask for most, in fewer than one label of a thousand.
KIND = Kind(
    sizes=(4,),
    rare=0.001,
    among=("smile", "glasses", "gender", "beard", "haircolor", "yaw", "age"),
)
CHOICE_SEED = 4
SEED = 61
#: As the paper's two combinations are sampled: a longer flow, nearer to the prior.
SAMPLER = "exponential(time=15, tolerance=2e-2, typical=1)"
_SHOWN = 6


@frozen
class Rare:
    """A combination, and the shares of labelled faces that show it.

    Attributes:
        combination: what is wanted.
        labelled: of all labels.
        prior: of those that are draws from the prior.
    """

    combination: Combination
    labelled: float
    prior: float


def study(progress: Progress, faces: int | None) -> Report:
    """Sample and judge the paper's combinations and the others.

    Args:
        progress: where to show how far it is.
        faces: at most so many of each group; None takes the suite's own numbers.
    """
    program = program_of("zero_shot")
    spec = program.samples[0].model
    paper = conditions.evaluate("zero_shot", at_most(program, faces), progress)
    rare = rare_combinations(spec)
    judged = judge_groups(compile(_program(rare, min(faces or FACES, FACES))), progress)
    shown = sorted(judged, key=lambda one: one.satisfied.mean(), reverse=True)
    places = {"best": 0, "middle": len(shown) // 2, "worst": len(shown) - 1}
    title = f"Of the {COUNT} others: {', '.join(places)}"
    sheet = rows_sheet("rare", title, [shown[place] for place in places.values()], _SHOWN)
    return evolve(
        paper,
        tables=(*paper.tables, _pooled(judged), _table(rare, judged)),
        sheets=(*paper.sheets, sheet),
    )


def rare_combinations(spec: ir.ModelSpec) -> list[Rare]:
    """Draw combinations that are rare among a model's labels.

    Raises:
        ResourceError: the labels cannot be had.
    """
    table = labels.load(labels_of(spec))
    every = dict(table.columns)
    prior = {name: column[: table.prior_count] for name, column in every.items()}
    return [
        Rare(one, one.share(every), one.share(prior))
        for one in combinations(schema_of(spec), every, COUNT, KIND, CHOICE_SEED)
    ]


def _program(rare: list[Rare], faces: int) -> str:
    return "\n".join(
        f'sample {faces} from ffhq where {one.combination} seed {SEED} with {SAMPLER} as "rare {i}"'
        for i, one in enumerate(rare)
    )


def _pooled(judged: list[Judged]) -> Table:
    pairs = [(one.statement.where, one.columns) for one in judged if one.statement.where]
    return Table(
        f"{len(judged)} others, by attribute",
        ("attribute", "faces", "judged", "mean |Δ|", "unit"),
        tuple(
            (score.attribute, score.faces, score.accuracy, score.error, score.unit)
            for score in scores(pairs)
        ),
    )


def _table(rare: list[Rare], judged: list[Judged]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one, group in zip(rare, judged, strict=True):
        assert group.statement.where is not None
        accuracy = [s.accuracy for s in scores([(group.statement.where, group.columns)])]
        rows.append(
            (
                *(str(one.combination), one.labelled, one.prior),
                *(float(np.mean(accuracy)), float(min(accuracy)), float(group.satisfied.mean())),
            )
        )
    return Table(
        f"{len(judged)} others, one by one",
        ("combination", "of labels", "of prior labels", "mean ACC", "least ACC", "whole condition"),
        tuple(rows),
        "Of labels: the share of the faces that the classifiers were trained on; of prior labels: "
        "of those that are draws from the prior. ACC as in the tables above, over the "
        "combination's four comparisons.",
    )
