"""Sequential editing: four lines, in the paper's two orders (LACE tables 3, 11 and 12).

Faces start as the opposite of the edit's target: they look to the right, smile, are young and
wear no glasses. All figures are judged from the images, by annotators that play no part in editing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch
from attrs import evolve, frozen
from numpy.typing import NDArray

from experiments.edit_paths import (
    Array,
    Decode,
    EditPaths,
    accuracies,
    annotate_paths,
    drift,
    film_sheet,
    likeness,
    strangers,
    strengths,
)
from experiments.faceres import load_second
from experiments.linear_directions import Directions, fit
from experiments.reference import Reference
from experiments.statements import judge, loaded_model, sample
from lacelang import ir
from lacelang.annotators.images import resize
from lacelang.api import compile
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress
from lacelang.storage.records import GroupRecord

Floats: TypeAlias = NDArray[np.float32]

#: Number of faces for the default, and for each variant.
FACES = 64
VARIANT_FACES = 32
SEED = 31
TRUNCATION = 0.5
START = "yaw=right and smile=1 and age=25 and glasses=0"
LINES = {"yaw": "yaw=left", "smile": "smile=0", "age": "age=55", "glasses": "glasses=1"}
#: The paper's orders: tables 3 and 11, and table 12.
ORDERS = {
    "yaw, smile, age, glasses": ("yaw", "smile", "age", "glasses"),
    "age, yaw, glasses, smile": ("age", "yaw", "glasses", "smile"),
}
DEFAULT = "default"
LINEAR = "linear directions"
KEPT = "keep identity"
#: Clauses of the edit, by variant.
VARIANTS = {
    DEFAULT: "",
    "all style layers": "layers all",
    "no reweighting": "reweight off",
    "hold as in the paper": "hold later(0.01)",
    KEPT: "keep identity",
}
#: Draws from the prior at the same truncation, for Fréchet distances and the mean face. The number
#: of directions is smaller than a variant's number of faces.
REFERENCE_FACES = 400
REFERENCE_SEED = 5200
DIRECTIONS = 24

#: The paper's own figures (LACE-ODE and StyleFlow, truncation 0.5), by order: DES, ACC in the
#: table's order of attributes, ID (there 1 − cosine of another face network).
PAPER: Mapping[str, Mapping[str, tuple[float, tuple[float, ...], float]]] = {
    "yaw, smile, age, glasses": {
        "paper: LACE-ODE": (0.735, (0.938, 0.956, 0.881, 0.997), 0.501),
        "paper: StyleFlow": (0.569, (0.947, 0.773, 0.817, 0.876), 0.549),
    },
    "age, yaw, glasses, smile": {
        "paper: LACE-ODE": (0.796, (0.937, 0.964, 0.905, 0.992), 0.541),
        "paper: StyleFlow": (0.565, (0.948, 0.764, 0.821, 0.870), 0.550),
    },
}


@frozen(eq=False)
class Result:
    """One variant in one order: accuracies of its paths, and the contribution of one face."""

    paths: EditPaths
    accuracy: Array
    order: tuple[str, ...]
    least: float

    @property
    def strengths(self) -> tuple[Array, Array]:
        """Return `strengths`, by line."""
        return strengths(self.accuracy, self.least)


def study(progress: Progress, faces: int | None) -> Report:
    """Edit, decode and judge every variant in both orders.

    `faces` is the number for the default; variants have at most `VARIANT_FACES`.
    """
    faces = FACES if faces is None else faces
    fewer = min(faces, VARIANT_FACES)
    reference_faces = min(REFERENCE_FACES, max(2 * DIRECTIONS, 8 * faces))
    program = compile(program_text(faces, fewer))
    statements = {s.name: s for s in program.checked.statements if isinstance(s, ir.EditStatement)}
    run = program.run(progress=progress)
    spec, model = program.samples[0].model, loaded_model(program.samples[0])
    w: Floats = run["people"].w.numpy()
    people = np.repeat(w[:, None], model.generator.style_count, axis=1)
    directions = fit(spec, progress)
    parts: dict[tuple[str, str], Floats] = {}
    for order in ORDERS:
        for variant in VARIANTS:
            edit_path = run[name_of(order, variant)].rows.rows(slice(None)).edit_path
            assert edit_path is not None
            parts[order, variant] = edit_path.styles(len(LINES))
        usual = statements[name_of(order, DEFAULT)]
        parts[order, LINEAR] = followed(directions, usual, people[:fewer])
    begun, *rest = annotate_paths(spec, [people[:, None], *parts.values()], progress)
    unedited = {"unedited": sample(reference_faces, "", f"truncation {TRUNCATION}", REFERENCE_SEED)}
    prior = judge(unedited, progress, "judging unedited faces", identity=True)["unedited"]
    who = prior.annotations.identity
    assert who is not None
    results: dict[str, dict[str, Result]] = {order: {} for order in ORDERS}
    sheets = []
    for (order, variant), seen in zip(parts, rest, strict=True):
        paths = begun.first(len(seen)).followed(seen)
        statement = statements[name_of(order, DEFAULT)]
        accuracy = accuracies([step.predicate for step in statement.steps], paths)
        # The contribution of one face in the smallest variant, so that variants can be compared.
        results[order][variant] = Result(paths, accuracy, ORDERS[order], 1 / fewer)
        if variant in (DEFAULT, LINEAR):
            record = run[statement.name].record
            if variant == LINEAR:
                record = without_energies(record, name_of(order, LINEAR))
            file = f"{variant.split()[0]}_{'_'.join(ORDERS[order])}"
            title = f"{variant}: {order}"
            sheets.append(film_sheet(file, title, statement, record, paths, model.decode))
    centre = who.mean(axis=0).astype(np.float64)
    reference = Reference.of(prior.annotations.features, DIRECTIONS)
    tables = [done_table(order, of) for order, of in results.items()]
    tables += [
        kept_table(order, of, spec.attributes, centre, reference) for order, of in results.items()
    ]
    tables += [steps_table(order, of, centre) for order, of in results.items()]
    tables.append(yardsticks(begun, who, reference, fewer))
    first = second_descriptors(people[:fewer], model.decode, progress)
    for order in ORDERS:
        ends = {variant: parts[order, variant][:fewer, -1] for variant in results[order]}
        pairs = {
            variant: (first, second_descriptors(end, model.decode, progress))
            for variant, end in ends.items()
        }
        tables.append(second_table(order, pairs))
    about = {"faces": faces, "faces of a variant": fewer, "reference faces": reference_faces}
    return Report("editing", tables, about=about, pictures=sheets)


def program_text(faces: int, fewer: int) -> str:
    """Return two groups, and every variant's edit of one of them in both orders."""
    parts = [
        f"{sample(count, START, f'truncation {TRUNCATION}', SEED)} as {name}"
        for name, count in (("people", faces), ("fewer", fewer))
    ]
    for order, names in ORDERS.items():
        lines = "\n".join(LINES[name] for name in names)
        for variant, clauses in VARIANTS.items():
            group = "people" if variant == DEFAULT else "fewer"
            parts.append(f'edit {group} {{\n{lines}\n}} {clauses} as "{name_of(order, variant)}"')
    return "\n".join(parts)


def name_of(order: str, variant: str) -> str:
    """Return the name of a variant's group."""
    return f"{variant}, {order}"


def without_energies(record: GroupRecord, name: str) -> GroupRecord:
    """Return an edit's record for faces of a baseline, which have no energy."""
    samples = tuple(
        evolve(one, energy=None, steps=tuple(evolve(s, energy=None) for s in one.steps))
        for one in record.samples
    )
    return evolve(record, name=name, settings={}, samples=samples)


def followed(directions: Directions, statement: ir.EditStatement, begun: Floats) -> Floats:
    """Move faces w+ (N, styles, d) along linear directions; return w+ after every line."""
    w = torch.from_numpy(begun[:, 0])
    moved = []
    for step in statement.steps:
        w = directions.move(w, step.predicate, tuple(LINES))
        moved.append(w.numpy())
    return np.repeat(np.stack(moved, axis=1)[:, :, None], begun.shape[1], axis=2)


def done_table(order: str, results: Mapping[str, Result]) -> Table:
    """Return the table of accuracies and edit strengths."""
    rows: list[Row] = []
    for variant, result in results.items():
        last = dict(zip(result.order, result.accuracy[-1].tolist(), strict=True))
        published, plain = result.strengths
        rows.append(
            {
                "variant": variant,
                "faces": len(result.paths),
                "DES": float(published.mean()),
                "DES undivided": float(plain.mean()),
                "largest possible": float(np.diag(1 - result.accuracy[:-1]).mean()),
                **{name: last[name] for name in LINES},
            }
        )
    for name, (des, accuracy, _) in PAPER[order].items():
        rows.append({"variant": name, "DES": des, **dict(zip(LINES, accuracy, strict=True))})
    return Table(
        f"{order}: accuracy and edit strength",
        rows,
        "After all four lines; higher is better. Attributes: ACC; for yaw and age 1 − mean |Δ| / "
        "range. The published DES divides the change of an accuracy by 1 − the accuracy before, "
        "which is bounded below by the contribution of one face. `DES undivided` omits the "
        "division; `largest possible` is its upper bound.",
    )


def kept_table(
    order: str,
    results: Mapping[str, Result],
    attributes: Sequence[ir.Attribute],
    centre: Array,
    reference: Reference,
) -> Table:
    """Return the table of identity and drift."""
    rows: list[Row] = []
    fewest = min(len(result.paths) for result in results.values())
    for variant, result in results.items():
        paths, few = result.paths, result.paths.first(fewest)
        alike, among_few = (likeness(p.identity(0), p.identity(-1), centre) for p in (paths, few))
        changed = drift(attributes, paths, LINES)
        rows.append(
            {
                "variant": variant,
                "drift": float(np.mean(list(changed.values()))) if changed else None,
                **alike,
                # A single face has no others to compare with.
                "own": alike["own"] if len(paths) > 1 else None,
                # The same number of faces in every row, because more faces make `nearest` harder.
                "nearest": among_few["nearest"],
                "Fréchet": reference.distance(few.moments[-1].features),
            }
        )
    rows += [
        {"variant": name, "cosine": 1 - identity} for name, (*_, identity) in PAPER[order].items()
    ]
    return Table(
        f"{order}: identity and drift",
        rows,
        "Before the first line compared with after the last. Lower is better for drift and "
        "distances, higher for the rest. Drift: the mean over the attributes that no line "
        "mentions; for a number the change divided by the range, for a class the fraction of faces "
        "whose class changed. Cosines of descriptors are taken after subtraction of the mean "
        "descriptor: 1 for the same face, 0 for two people. `alike`: the cosine if every face had "
        "moved by the mean displacement and no more; `own`: the cosine with each side centred on "
        "its own mean. `nearest`: the fraction of faces whose own start is the nearest of all "
        "starts. The paper's cosine is of another network, and its Fréchet distances are not "
        "comparable.",
    )


def steps_table(order: str, results: Mapping[str, Result], centre: Array) -> Table:
    """Return the table of each line's own effect."""
    rows: list[Row] = []
    for variant, result in results.items():
        who = result.paths.identity
        for i, (name, *both) in enumerate(zip(result.order, *result.strengths, strict=True)):
            alike = likeness(who(i), who(i + 1), centre)
            rows.append(
                {
                    "variant": variant,
                    "line": name,
                    "ACC": float(result.accuracy[i + 1, i]),
                    "DES": float(both[0]),
                    "DES undivided": float(both[1]),
                    "ID distance": alike["ID distance"],
                    "ID cosine": alike["cosine"],
                }
            )
    return Table(
        f"{order}: results by line",
        rows,
        "ACC of the line's own attribute after the line; its contribution to the DES; identity "
        "before and after the line.",
    )


def second_descriptors(styles: Floats, decode: Decode, progress: Progress) -> Floats:
    """Return what the second judge says of faces of styles w+ (N, styles, d): (N, 1024)."""
    measure = load_second(progress=progress)
    found = []
    with progress.stage("second judge of identity", len(styles)) as stage:
        for image in decode(torch.from_numpy(np.ascontiguousarray(styles))):
            found.append(measure(resize(image, 512))["second"])
            stage.advance()
    return np.stack(found)


def second_table(order: str, pairs: Mapping[str, tuple[Floats, Floats]]) -> Table:
    """Return what the second judge says of identity; descriptors before and after, by variant."""
    rows: list[Row] = []
    for variant, (before, after) in pairs.items():
        alike = likeness(before, after, before.mean(axis=0).astype(np.float64))
        rows.append({"variant": variant, "faces": len(before), **alike})
    return Table(
        f"{order}: identity by the second judge",
        rows,
        "The descriptors of FaceRes, before the first line and after the last; columns as above, "
        "with the mean descriptor of the faces to edit as the centre.",
    )


def yardsticks(begun: EditPaths, unedited: Floats, reference: Reference, fewer: int) -> Table:
    """Return the table of reference values."""
    rows: list[Row] = [
        {"quantity": "ID distance of two unedited faces", "value": strangers(unedited)},
        {"quantity": "ID distance of two faces to edit", "value": strangers(begun.identity(0))},
    ]
    distance = reference.distance(begun.first(fewer).moments[0].features)
    if distance is not None:
        rows.append({"quantity": "Fréchet distance of the faces to edit", "value": distance})
    return Table(
        "Reference values",
        rows,
        f"Unedited: {len(unedited)} draws from the prior at truncation {TRUNCATION}.",
    )
