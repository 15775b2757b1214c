"""Do faces satisfy whole formulas, and are all the cases of an `or` seen? (LACE figure 6)

Generated formulas of depth 1 to 4, sampled with `or` as it is by default, with
`disjunction balanced`, and, where they have a `not`, with the paper's negation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lacelang.api import compile
from lacelang.engine.truth import truth
from lacelang.evaluate.formulas import DEPTHS, Formula, disjunctions, formulas
from lacelang.evaluate.judged import Judged, judge_groups
from lacelang.evaluate.readings import prior_shares
from lacelang.evaluate.report import Cell, Report, Table
from lacelang.evaluate.sheets import rows_sheet

if TYPE_CHECKING:
    from lacelang.progress import Progress

FACES = 16
#: Formulas of each depth, the seed of their choice, and the shares of the prior they lie between.
EACH = 10
FORMULA_SEED = 6
LEAST, MOST = 0.002, 0.5
SEED = 41
#: Clauses of a statement, by variant.
VARIANTS = {
    "default": "",
    "balanced": "disjunction balanced",
    "contrast": "negation contrast(0.1)",
}
#: The share of faces that an arm of an `or` of two should have at least.
ENOUGH = 0.3
_SHOWN = 8


def study(progress: Progress, faces: int | None) -> Report:
    """Sample and judge every formula in every variant that makes a difference to it.

    Args:
        progress: where to show how far it is.
        faces: of each; None takes `FACES`.
    """
    faces = FACES if faces is None else faces
    chosen = formulas(FORMULA_SEED, EACH, prior_shares, LEAST, MOST)
    found: dict[str, dict[int, Judged]] = {variant: {} for variant in VARIANTS}
    for one in judge_groups(compile(_program(chosen, faces)), progress):
        variant, _, number = one.statement.name.partition(" ")
        found[variant][int(number)] = one
    sheets = []
    for depth in DEPTHS:
        of_depth = [found["default"][i] for i, f in enumerate(chosen) if f.depth == depth]
        title = f"formulas of depth {depth}"
        sheets.append(rows_sheet(f"depth_{depth}", title, of_depth[:3], _SHOWN))
    return Report(
        "logic",
        (_by_depth(chosen, found), _arms(chosen, found), _each(chosen, found)),
        about={"faces": faces, "formulas": len(chosen), "formula seed": FORMULA_SEED},
        sheets=tuple(sheets),
    )


def _program(chosen: Sequence[Formula], faces: int) -> str:
    lines = []
    for i, formula in enumerate(chosen):
        for variant, clauses in VARIANTS.items():
            words = {"balanced": " or ", "contrast": "not "}.get(variant, "")
            if words in formula.text:
                lines.append(
                    f"sample {faces} from ffhq where {formula.text} {clauses} seed {SEED} "
                    f'as "{variant} {i}"'
                )
    return "\n".join(lines)


def _by_depth(chosen: Sequence[Formula], found: Mapping[str, Mapping[int, Judged]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for depth in DEPTHS:
        numbers = [i for i, formula in enumerate(chosen) if formula.depth == depth]
        denied = [i for i in numbers if i in found["contrast"]]
        # Where nothing is to be balanced, balancing changes nothing.
        balanced = [found["balanced"].get(i, found["default"][i]) for i in numbers]
        rows.append(
            (
                *(depth, len(numbers), float(np.mean([chosen[i].share for i in numbers]))),
                _share([found["default"][i] for i in numbers]),
                _share(balanced),
                len(denied),
                _share([found["default"][i] for i in denied]),
                _share([found["contrast"][i] for i in denied]),
            )
        )
    return Table(
        "Faces that satisfy the whole formula, by depth",
        (
            *("depth", "formulas", "of the prior", "default", "balanced"),
            *("with `not`", "complement", "contrast"),
        ),
        tuple(rows),
        "Judged from the images. `of the prior`: by its classifiers, before anything is sampled. "
        "The last two columns are of formulas with a `not`, and are the two negations.",
    )


def _share(judged: Sequence[Judged]) -> float | None:
    if not judged:
        return None
    return float(np.concatenate([one.satisfied for one in judged]).mean())


def _arms(chosen: Sequence[Formula], found: Mapping[str, Mapping[int, Judged]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    least: dict[str, list[float]] = {}
    for i, one in found["balanced"].items():
        where = one.statement.where
        assert where is not None
        for place, disjunction in enumerate(disjunctions(where)):
            cells: list[Cell] = []
            for variant in ("default", "balanced"):
                shares = arm_shares(found[variant][i], place)
                cells.append(None if shares is None else " · ".join(f"{s:.2f}" for s in shares))
                if shares is not None and len(shares) == 2:
                    least.setdefault(variant, []).append(min(shares))
            rows.append((chosen[i].depth, chosen[i].text, len(disjunction.terms), *cells))
    summary = "; ".join(
        f"{variant}: {sum(share >= ENOUGH for share in shares)} of {len(shares)}"
        for variant, shares in least.items()
    )
    return Table(
        "The arms of every `or`",
        ("depth", "formula", "arms", "default", "balanced"),
        tuple(rows),
        "Shares of the faces that show each arm, in the order of writing, among those that show "
        "the `or`; a face may show several. Of the `or`s of two arms, those of which each arm is "
        f"in {ENOUGH:.0%} of the faces at least: {summary}.",
    )


def arm_shares(judged: Judged, place: int) -> list[float] | None:
    """Shares of the faces that show each arm of an `or`, among those that show the `or` itself.

    Args:
        judged: a group whose condition has the `or`.
        place: of the `or` among the condition's `disjunctions`.

    Returns:
        A share an arm; None if no face shows the `or`.
    """
    where = judged.statement.where
    assert where is not None
    disjunction = list(disjunctions(where))[place]
    shown = truth(disjunction, judged.columns)
    if not shown.any():
        return None
    return [float(truth(arm, judged.columns)[shown].mean()) for arm in disjunction.terms]


def _each(chosen: Sequence[Formula], found: Mapping[str, Mapping[int, Judged]]) -> Table:
    rows = tuple(
        (
            *(formula.depth, formula.text, formula.share),
            *(_share([found[variant][i]]) if i in found[variant] else None for variant in VARIANTS),
        )
        for i, formula in enumerate(chosen)
    )
    return Table("Every formula", ("depth", "formula", "of the prior", *VARIANTS), rows)
