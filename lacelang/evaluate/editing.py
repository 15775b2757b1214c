"""Sequential editing: four lines, in the paper's two orders (LACE tables 3, 11 and 12).

Faces begin as the opposite of what they are edited to: they look to the right, smile, are young and
wear no glasses. What is printed is seen in the images by annotators that had no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from attrs import evolve, frozen
from numpy.typing import NDArray

from lacelang import ir
from lacelang.api import compile
from lacelang.evaluate import frechet
from lacelang.evaluate.disentanglement import (
    Array,
    accuracies,
    drift,
    likeness,
    strangers,
    strengths,
)
from lacelang.evaluate.films import Film, film_sheet, judge_films
from lacelang.evaluate.judged import judge_groups
from lacelang.evaluate.linear import Directions, fit
from lacelang.evaluate.readings import model_of
from lacelang.evaluate.report import Cell, Report, Sheet, Table

if TYPE_CHECKING:
    from lacelang.engine.loading import Model
    from lacelang.engine.result import Group
    from lacelang.progress import Progress
    from lacelang.storage.records import GroupRecord

Floats: TypeAlias = NDArray[np.float32]

#: Faces of the default, and of each variant.
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
#: Clauses of the edit, by variant.
VARIANTS = {
    DEFAULT: "",
    "all style layers": "layers all",
    "no reweighting": "reweight off",
    "hold as in the paper": "hold later(0.01)",
}
#: Faces from the prior at the same truncation: Fréchet distances are measured to them, and the mean
#: face is theirs. In fewer directions than a variant has faces.
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
    """One variant in one order.

    Attributes:
        film: what was seen in its faces.
        accuracy: of `accuracies`, (lines + 1, lines), in the order of the lines.
        order: attributes in that order.
        least: what there is to add to an accuracy at least.
    """

    film: Film
    accuracy: Array
    order: tuple[str, ...]
    least: float

    @property
    def strengths(self) -> tuple[Array, Array]:
        """Of `strengths`, by line."""
        return strengths(self.accuracy, self.least)


def study(progress: Progress, faces: int | None) -> Report:
    """Edit, paint and judge every variant in both orders.

    Args:
        progress: where to show how far it is.
        faces: of the default; variants have `VARIANT_FACES` at most. None takes `FACES`.
    """
    faces = FACES if faces is None else faces
    fewer = min(faces, VARIANT_FACES)
    reference_faces = min(REFERENCE_FACES, max(2 * DIRECTIONS, 8 * faces))
    program = compile(_program(faces, fewer))
    statements = {s.name: s for s in program.checked.statements if isinstance(s, ir.EditStatement)}
    run = program.run(progress=progress)
    spec, model = program.samples[0].model, model_of(program.samples[0])
    people = _whole(run["people"], model)
    directions = fit(spec, progress)
    parts: dict[tuple[str, str], Floats] = {}
    for order in ORDERS:
        for variant in VARIANTS:
            trail = run[_name(order, variant)].rows.rows(slice(None)).trail
            assert trail is not None
            parts[order, variant] = trail.styles(len(LINES))
        first = statements[_name(order, DEFAULT)]
        parts[order, LINEAR] = _followed(directions, first, people[:fewer])
    begun, *films = judge_films(
        spec, [people[:, None], *parts.values()], progress, "judging edited faces"
    )
    (prior,) = judge_groups(
        compile(_prior(reference_faces)), progress, "judging unedited faces", identity=True
    )
    assert prior.seen.identity is not None
    results: dict[str, dict[str, Result]] = {order: {} for order in ORDERS}
    sheets: list[Sheet] = []
    for (order, variant), seen in zip(parts, films, strict=True):
        film = begun.first(len(seen)).followed(seen)
        statement = statements[_name(order, DEFAULT)]
        accuracy = accuracies([step.predicate for step in statement.steps], film)
        # What one face counts where there are fewest, so that variants compare.
        results[order][variant] = Result(film, accuracy, ORDERS[order], 1 / fewer)
        if variant in (DEFAULT, LINEAR):
            record = run[statement.name].record
            if variant == LINEAR:
                record = _without_energies(record, _name(order, LINEAR))
            file = f"{variant.split()[0]}_{'_'.join(ORDERS[order])}"
            title = f"{variant}: {order}"
            sheets.append(film_sheet(file, title, statement, record, film, model.decode))
    centre = prior.seen.identity.mean(axis=0).astype(np.float64)
    reference = frechet.reference(prior.features, DIRECTIONS)
    tables = [_done_table(order, of) for order, of in results.items()]
    tables += [
        _kept_table(order, of, spec.attributes, centre, reference) for order, of in results.items()
    ]
    tables += [_steps_table(order, of, centre) for order, of in results.items()]
    tables.append(_yardsticks(begun, prior.seen.identity, reference, fewer))
    about = {"faces": faces, "faces of a variant": fewer, "reference faces": reference_faces}
    return Report("editing", tuple(tables), about=about, sheets=tuple(sheets))


def _program(faces: int, fewer: int) -> str:
    parts = [
        f"sample {count} from ffhq where {START} truncation {TRUNCATION} seed {SEED} as {name}"
        for name, count in (("people", faces), ("fewer", fewer))
    ]
    for order, names in ORDERS.items():
        lines = "\n".join(LINES[name] for name in names)
        for variant, clauses in VARIANTS.items():
            group = "people" if variant == DEFAULT else "fewer"
            parts.append(f'edit {group} {{\n{lines}\n}} {clauses} as "{_name(order, variant)}"')
    return "\n".join(parts)


def _prior(faces: int) -> str:
    return f"sample {faces} from ffhq truncation {TRUNCATION} seed {REFERENCE_SEED} as unedited"


def _name(order: str, variant: str) -> str:
    return f"{variant}, {order}"


def _whole(group: Group, model: Model) -> Floats:
    """Styles w+ (N, styles, d) of faces with one w each."""
    w: Floats = group.w.numpy()
    return np.repeat(w[:, None], model.generator.style_count, axis=1)


def _without_energies(record: GroupRecord, name: str) -> GroupRecord:
    """The record of an edit for faces that came about otherwise: theirs have no energy."""
    samples = tuple(
        evolve(sample, energy=None, steps=tuple(evolve(s, energy=None) for s in sample.steps))
        for sample in record.samples
    )
    return evolve(record, name=name, settings={}, samples=samples)


def _followed(directions: Directions, statement: ir.EditStatement, begun: Floats) -> Floats:
    """Move faces w+ (N, styles, d) along linear directions: w+ after every line."""
    names = tuple(LINES)
    w = torch.from_numpy(begun[:, 0])
    moved = []
    for step in statement.steps:
        w = directions.move(w, step.predicate, names)
        moved.append(w.numpy())
    return np.repeat(np.stack(moved, axis=1)[:, :, None], begun.shape[1], axis=2)


def _done_table(order: str, results: Mapping[str, Result]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for variant, result in results.items():
        last = dict(zip(result.order, result.accuracy[-1], strict=True))
        published, plain = result.strengths
        to_add = float(np.diag(1 - result.accuracy[:-1]).mean())
        figures = (float(published.mean()), float(plain.mean()), to_add)
        accuracy = (float(last[name]) for name in LINES)
        rows.append((variant, len(result.film), *figures, *accuracy))
    for name, (des, accuracies_, _) in PAPER[order].items():
        rows.append((name, None, des, None, None, *accuracies_))
    return Table(
        f"{order}: is it done?",
        ("variant", "faces", "DES", "undivided", "of at most", *LINES),
        tuple(rows),
        "After all four lines. Attributes: ACC, of yaw and age 1 − mean |Δ| / range. DES as "
        "published divides what a line adds to an accuracy by what there was to add, 1 − accuracy "
        "before, and here by no less than what one face of a variant counts; `undivided` does not, "
        "and can be no more than `of at most`.",
    )


def _kept_table(
    order: str,
    results: Mapping[str, Result],
    attributes: Sequence[ir.Attribute],
    centre: Array,
    reference: frechet.Reference,
) -> Table:
    rows: list[tuple[Cell, ...]] = []
    fewest = min(len(result.film) for result in results.values())
    for variant, result in results.items():
        film, few = result.film, result.film.first(fewest)
        alike = likeness(film.identity[:, 0], film.identity[:, -1], centre)
        distance = reference.distance(few.features[:, -1]) if fewest > 2 else None
        changed = drift(attributes, film, LINES)
        others = float(np.mean(list(changed.values()))) if changed else None
        # One face has no others to be told from.
        own = alike.own if len(film) > 1 else None
        # Among as many others in every row, or more faces would have it harder.
        nearest = likeness(few.identity[:, 0], few.identity[:, -1], centre).nearest
        figures = (alike.distance, alike.cosine, alike.alike, own, nearest)
        rows.append((variant, others, *figures, distance))
    for name, (_, _, identity) in PAPER[order].items():
        rows.append((name, None, None, 1 - identity, None, None, None, None))
    return Table(
        f"{order}: is it the same person?",
        ("variant", "drift", "ID distance", "cosine", "alike", "own", "nearest", "Fréchet"),
        tuple(rows),
        "Before the first line against after the last. Drift: the mean over the attributes that no "
        "line speaks of, of a number the change over the range, of a class the share of faces that "
        "changed it. The cosine of descriptors is as seen from the mean face, 1 for the same face "
        "and 0 for two people; `alike`: what it would be if every face had moved by the mean move "
        "and no further; `own`: without that move, each side as seen from its own mean. `nearest`: "
        "no other face before is nearer than the own. The paper's cosine comes from another "
        "network, and its Fréchet distances are not comparable.",
    )


def _steps_table(order: str, results: Mapping[str, Result], centre: Array) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for variant, result in results.items():
        who = result.film.identity
        for i, (name, *strength) in enumerate(zip(result.order, *result.strengths, strict=True)):
            alike = likeness(who[:, i], who[:, i + 1], centre)
            figures = (float(result.accuracy[i + 1, i]), *map(float, strength))
            rows.append((variant, name, *figures, alike.distance, alike.cosine))
    return Table(
        f"{order}: line by line",
        ("variant", "line", "ACC", "DES", "undivided", "ID distance", "ID cosine"),
        tuple(rows),
        "ACC of the line's own attribute after it; its part of the DES; identity before against "
        "after it.",
    )


def _yardsticks(begun: Film, unedited: Floats, reference: frechet.Reference, fewer: int) -> Table:
    before = begun.first(fewer).features[:, 0]
    rows: list[tuple[Cell, ...]] = [
        ("ID distance of two unedited faces", strangers(unedited)),
        ("ID distance of two faces to edit", strangers(begun.identity[:, 0])),
    ]
    if fewer > 2:
        rows.append(("Fréchet distance of the faces to edit", reference.distance(before)))
    return Table(
        "What the figures are to be held against",
        ("what", "figure"),
        tuple(rows),
        f"Unedited: {len(unedited)} draws from the prior at truncation {TRUNCATION}.",
    )
