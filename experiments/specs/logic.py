"""Do faces satisfy whole formulas, and does every disjunct of an `or` occur? (LACE figure 6)

Generated formulas of depth 1 to 4, sampled with the default `or`, with
`disjunction balanced`, and, if they have a `not`, with the paper's negation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.formulas import DEPTHS, Formula, disjunctions, formulas
from experiments.predictions import prior_shares
from experiments.sheets import rows_sheet
from experiments.statements import judge, sample
from lacelang.engine.truth import truth
from lacelang.evaluate.judged import Judged, obedience
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress

FACES = 16
#: Formulas per depth, the seed of their choice, and bounds of their probability under the prior.
EACH = 10
FORMULA_SEED = 6
LEAST, MOST = 0.002, 0.5
SEED = 41
#: Clauses of a statement by variant, and the keyword without which they have no effect.
VARIANTS = {
    "default": ("", ""),
    "balanced": ("disjunction balanced", " or "),
    "contrast": ("negation contrast(0.1)", "not "),
}
#: The smallest fraction of faces that each disjunct of an `or` of two should have.
ENOUGH = 0.3
_SHOWN = 8

Found = Mapping[tuple[str, int], Judged]


def study(progress: Progress, faces: int | None) -> Report:
    """Sample and judge every formula in every variant that affects it.

    `faces` is the number per formula.
    """
    faces = FACES if faces is None else faces
    chosen = formulas(FORMULA_SEED, EACH, prior_shares, LEAST, MOST)
    found = judge(statements(chosen, faces), progress)
    sheets = []
    for depth in DEPTHS:
        of_depth = [found["default", i] for i, f in enumerate(chosen) if f.depth == depth]
        title = f"formulas of depth {depth}"
        sheets.append(rows_sheet(f"depth_{depth}", title, of_depth[:3], _SHOWN))
    return Report(
        "logic",
        (_by_depth(chosen, found), _disjuncts(chosen, found), _each(chosen, found)),
        about={"faces": faces, "formulas": len(chosen), "formula seed": FORMULA_SEED},
        pictures=sheets,
    )


def statements(chosen: Sequence[Formula], faces: int) -> dict[tuple[str, int], str]:
    """Return a statement for every formula and every variant that affects it."""
    return {
        (variant, i): sample(faces, formula.text, clauses, SEED)
        for i, formula in enumerate(chosen)
        for variant, (clauses, word) in VARIANTS.items()
        if word in formula.text
    }


def _by_depth(chosen: Sequence[Formula], found: Found) -> Table:
    rows: list[Row] = []
    for depth in DEPTHS:
        numbers = [i for i, formula in enumerate(chosen) if formula.depth == depth]
        denied = [i for i in numbers if ("contrast", i) in found]
        # Without an `or`, `disjunction balanced` has no effect.
        balanced = [found.get(("balanced", i), found["default", i]) for i in numbers]
        rows.append(
            {
                "depth": depth,
                "formulas": len(numbers),
                "P under the prior": float(np.mean([chosen[i].share for i in numbers])),
                "default": _share([found["default", i] for i in numbers]),
                "balanced": _share(balanced),
                "with `not`": len(denied),
                "complement": _share([found["default", i] for i in denied]),
                "contrast": _share([found["contrast", i] for i in denied]),
            }
        )
    return Table(
        "Fraction of faces that satisfy the whole formula, by depth",
        rows,
        "Judged from the images; higher is better. `P under the prior`: the mean probability of "
        "the formulas by the classifiers, before sampling. The last two columns are the two "
        "negations, for formulas with a `not`.",
    )


def _share(judged: Sequence[Judged]) -> float | None:
    return obedience(judged) if judged else None


def _disjuncts(chosen: Sequence[Formula], found: Found) -> Table:
    rows: list[Row] = []
    least: dict[str, list[float]] = {}
    for i, formula in enumerate(chosen):
        if ("balanced", i) not in found:
            continue
        shares = {v: disjunct_shares(found[v, i]) for v in ("default", "balanced")}
        for place, disjunction in enumerate(disjunctions(found["balanced", i].statement.where)):
            row: dict[str, str | int | None] = {"depth": formula.depth, "formula": formula.text}
            row["disjuncts"] = len(disjunction.terms)
            for variant, of_variant in shares.items():
                some = of_variant[place]
                row[variant] = None if some is None else " · ".join(f"{s:.2f}" for s in some)
                if some is not None and len(some) == 2:
                    least.setdefault(variant, []).append(min(some))
            rows.append(row)
    summary = "; ".join(
        f"{variant}: {sum(share >= ENOUGH for share in shares)} of {len(shares)}"
        for variant, shares in least.items()
    )
    return Table(
        "Fraction of faces that satisfy each disjunct of every `or`",
        rows,
        "Among the faces that satisfy the `or`, with disjuncts in the order of the text; a face "
        "can satisfy several. Number of `or`s with two disjuncts in which each disjunct holds for "
        f"at least {ENOUGH:.0%} of the faces: {summary}.",
    )


def disjunct_shares(judged: Judged) -> list[list[float] | None]:
    """Return the fraction of faces that satisfy each disjunct, for every `or` of a condition.

    Among the faces that satisfy the `or` itself; None if there are none.
    """
    found: list[list[float] | None] = []
    for disjunction in disjunctions(judged.statement.where):
        shown = truth(disjunction, judged.columns)
        shares = [truth(term, judged.columns)[shown] for term in disjunction.terms]
        found.append([float(each.mean()) for each in shares] if shown.any() else None)
    return found


def _each(chosen: Sequence[Formula], found: Found) -> Table:
    rows: list[Row] = []
    for i, f in enumerate(chosen):
        shares = {v: _share([found[v, i]]) if (v, i) in found else None for v in VARIANTS}
        rows.append({"depth": f.depth, "formula": f.text, "P under the prior": f.share, **shares})
    return Table("Every formula", rows)
