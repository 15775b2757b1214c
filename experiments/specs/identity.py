"""Obedience against identity: `keep identity` at several strengths, and other ways to move less.

The protocol of `editing`, from one extreme to the other, in both orders. Each setting is a point:
how well the images obey all four lines, and how much of what tells faces apart is left, as two
recognisers see it that steer nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from experiments.edit_paths import EditPaths, accuracies, annotate_paths, drift, likeness
from experiments.plot import scatter
from experiments.specs.editing import (
    LINES,
    ORDERS,
    SEED,
    START,
    TRUNCATION,
    Floats,
    second_descriptors,
)
from experiments.statements import judge, loaded_model, sample
from lacelang import ir
from lacelang.api import compile
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress

FACES = 32
#: The settings of a series, weakest pull on who the face is first.
SERIES: Mapping[str, tuple[str, ...]] = {
    "keep identity": ("", *(f"keep identity {s}" for s in ("0.5", "1", "2"))),
    "shorter moves": ("stay 0.02", "stay 0.08"),
    "weaker lines": ("reweight off",),
}
#: Draws from the prior at the same truncation, for the mean descriptor.
REFERENCE_FACES = 200
REFERENCE_SEED = 5200


def program_text(faces: int) -> str:
    """Return one group, and its edit by every setting in both orders."""
    parts = [f"{sample(faces, START, f'truncation {TRUNCATION}', SEED)} as people"]
    for order, names in ORDERS.items():
        lines = "\n".join(LINES[name] for name in names)
        for settings in SERIES.values():
            for clauses in settings:
                parts.append(
                    f'edit people {{\n{lines}\n}} {clauses} as "{name_of(order, clauses)}"'
                )
    return "\n".join(parts)


def name_of(order: str, clauses: str) -> str:
    """Return the name of a setting's group."""
    return f"{clauses or 'default'}, {order}"


def study(progress: Progress, faces: int | None) -> Report:
    """Edit by every setting; judge the faces before the first line and after the last."""
    faces = faces or FACES
    program = compile(program_text(faces))
    statements = {s.name: s for s in program.checked.statements if isinstance(s, ir.EditStatement)}
    run = program.run(progress=progress)
    spec, model = program.samples[0].model, loaded_model(program.samples[0])
    w: Floats = run["people"].w.numpy()
    first = np.repeat(w[:, None], model.generator.style_count, axis=1)
    ends = {name: run[name].w.numpy() for name in statements}
    begun, *rest = annotate_paths(
        spec, [each[:, None] for each in (first, *ends.values())], progress
    )
    seen = second_descriptors(np.concatenate([first, *ends.values()]), model.decode, progress)
    before, *after = np.split(seen, 1 + len(ends))
    drawn = {"unedited": sample(REFERENCE_FACES, "", f"truncation {TRUNCATION}", REFERENCE_SEED)}
    prior = judge(drawn, progress, "judging unedited faces", identity=True)["unedited"]
    assert prior.annotations.identity is not None
    centre = prior.annotations.identity.mean(axis=0).astype(np.float64)
    found: dict[str, Row] = {}
    for name, end, second in zip(ends, rest, after, strict=True):
        wanted = [step.predicate for step in statements[name].steps]
        row = judged(spec, begun.followed(end), wanted, centre)
        alike = likeness(before, second, before.mean(axis=0).astype(np.float64))
        found[name] = {**row, "FaceRes: own": alike["own"], "FaceRes: nearest": alike["nearest"]}
    tables, points = [], {}
    for order in ORDERS:
        rows: list[Row] = []
        for series, settings in SERIES.items():
            these = [found[name_of(order, clauses)] for clauses in settings]
            rows += [
                {"setting": clauses or "default", **row}
                for clauses, row in zip(settings, these, strict=True)
            ]
            points[f"{series}; {order}"] = [
                (number(row, *LINES), number(row, "own")) for row in these
            ]
        tables.append(_table(order, rows))
    figure = scatter(
        "identity",
        "Obedience against identity, after four lines",
        "lowest accuracy of the four lines",
        "own: cosine of dlib's descriptors, each side less its mean",
        points,
        lines=True,
    )
    return Report("identity", tables, about={"faces": faces}, pictures=[figure])


def judged(
    model: ir.ModelSpec, paths: EditPaths, wanted: list[ir.Predicate], centre: Floats
) -> Row:
    """Return what annotators see at the end of paths of two moments."""
    accuracy = accuracies(wanted, paths)[-1].tolist()
    names = [next(iter(ir.attributes(predicate))) for predicate in wanted]
    changed = drift(model.attributes, paths, LINES)
    alike = likeness(paths.identity(0), paths.identity(-1), centre)
    return {
        **{name: dict(zip(names, accuracy, strict=True))[name] for name in LINES},
        "gender kept": 1 - changed["gender"] if "gender" in changed else None,
        "drift": float(np.mean(list(changed.values()))) if changed else None,
        **{name: alike[name] for name in ("ID distance", "cosine", "own", "nearest")},
    }


def number(row: Row, *names: str) -> float:
    """Return the lowest of some figures of a row; NaN where one is not known."""
    return min(math.nan if (value := row[name]) is None else float(value) for name in names)


def _table(order: str, rows: list[Row]) -> Table:
    return Table(
        f"{order}: obedience and identity",
        rows,
        "After all four lines. Higher is better, except for drift and the distance. `ID distance`, "
        "`cosine`, `own` and `nearest` are of dlib's descriptors, as in the suite of editing; the "
        "last two columns are of FaceRes.",
    )
