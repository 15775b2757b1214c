"""Sequential editing as LACE scores it: from plain draws, to targets that are drawn as well.

Faces are draws of the prior at truncation 0.5. The classes of a target are uniform, and its numbers
uniform over 0.2..0.8 of their range, so that many a line has little or nothing to do. `editing` is
the harder protocol, from one extreme to the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from experiments.edit_paths import (
    Array,
    EditPaths,
    accuracies,
    annotate_paths,
    drift,
    likeness,
    strengths,
)
from experiments.linear_directions import fit
from experiments.reference import Reference
from experiments.specs.editing import (
    DEFAULT,
    LINEAR,
    LINES,
    ORDERS,
    PAPER,
    VARIANTS,
    Floats,
    followed,
    second_descriptors,
    second_table,
)
from experiments.statements import judge, loaded_model, sample
from lacelang import ir
from lacelang.api import compile
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress

#: Faces in all, and targets, which as many faces have each.
FACES, TARGETS = 64, 8
SEED = 41
TRUNCATION = 0.5
#: Where in their ranges the targets of yaw and age are.
NUMBERS = (0.2, 0.8)
REFERENCE_FACES = 400
REFERENCE_SEED = 5200
DIRECTIONS = 24


@frozen
class Wanted:
    """The targets of one group of faces."""

    smile: int
    glasses: int
    yaw: float
    age: float

    @property
    def lines(self) -> dict[str, str]:
        """The lines of its edit, by attribute."""
        return {
            "yaw": f"yaw={self.yaw:.1f}",
            "smile": f"smile={self.smile}",
            "age": f"age={self.age:.1f}",
            "glasses": f"glasses={self.glasses}",
        }


def targets() -> list[Wanted]:
    """Return targets whose classes are balanced and whose numbers fill their ranges evenly."""
    found = []
    low, high = NUMBERS
    for k in range(TARGETS):
        # Two coprime orders of the same eight places, so that yaw and age are not alike.
        yaw, age = ((k * step % TARGETS + 0.5) / TARGETS for step in (3, 5))
        shares = [low + (high - low) * each for each in (yaw, age)]
        found.append(Wanted(k & 1, k >> 1 & 1, -45 + 90 * shares[0], 70 * shares[1]))
    return found


def program_text(faces: int) -> str:
    """Return a group for each target, and every variant's edit of it in both orders."""
    parts = []
    for k, wanted in enumerate(targets()):
        start = sample(faces // TARGETS, "", f"truncation {TRUNCATION}", SEED + k)
        parts.append(f'{start} as "{name_of(k)}"')
        for order, names in ORDERS.items():
            lines = "\n".join(wanted.lines[name] for name in names)
            for variant, clauses in VARIANTS.items():
                name = name_of(k, order, variant)
                parts.append(f'edit "{name_of(k)}" {{\n{lines}\n}} {clauses} as "{name}"')
    return "\n".join(parts)


def name_of(target: int, order: str = "", variant: str = "") -> str:
    """Return the name of a group."""
    return f"{target}, {variant}, {order}" if variant else f"target {target}"


def study(progress: Progress, faces: int | None) -> Report:
    """Edit, decode and judge every variant in both orders; `faces` in all, by default 64."""
    faces = max(TARGETS, (faces or FACES) // TARGETS * TARGETS)
    program = compile(program_text(faces))
    statements = {s.name: s for s in program.checked.statements if isinstance(s, ir.EditStatement)}
    run = program.run(progress=progress)
    spec, model = program.samples[0].model, loaded_model(program.samples[0])
    directions = fit(spec, progress)
    begun: list[Floats] = []
    parts: dict[tuple[str, str, int], Floats] = {}
    for k in range(TARGETS):
        w: Floats = run[name_of(k)].w.numpy()
        begun.append(np.repeat(w[:, None], model.generator.style_count, axis=1))
        for order in ORDERS:
            for variant in VARIANTS:
                edit_path = run[name_of(k, order, variant)].rows.rows(slice(None)).edit_path
                assert edit_path is not None
                parts[order, variant, k] = edit_path.styles(len(LINES))
            statement = statements[name_of(k, order, DEFAULT)]
            parts[order, LINEAR, k] = followed(directions, statement, begun[k])
    frames = [*(first[:, None] for first in begun), *parts.values()]
    found = annotate_paths(spec, frames, progress)
    starts, rest = found[:TARGETS], dict(zip(parts, found[TARGETS:], strict=True))
    count = min(REFERENCE_FACES, max(2 * DIRECTIONS, 8 * faces))
    unedited = {"unedited": sample(count, "", f"truncation {TRUNCATION}", REFERENCE_SEED)}
    prior = judge(unedited, progress, "judging unedited faces", identity=True)["unedited"]
    who = prior.annotations.identity
    assert who is not None
    reference = Reference.of(prior.annotations.features, DIRECTIONS)
    tables = []
    first = second_descriptors(np.concatenate(begun), model.decode, progress)
    for order, names in ORDERS.items():
        rows, pairs = [], {}
        for variant in (*VARIANTS, LINEAR):
            paths = [starts[k].followed(rest[order, variant, k]) for k in range(TARGETS)]
            steps = [statements[name_of(k, order, DEFAULT)].steps for k in range(TARGETS)]
            wanted = [[s.predicate for s in each] for each in steps]
            rows.append(_row(variant, paths, wanted, names, spec.attributes, who, reference))
            last = np.concatenate([path.frames[:, -1] for path in paths])
            pairs[variant] = first, second_descriptors(last, model.decode, progress)
        for name, (des, accuracy, identity) in PAPER[order].items():
            published = dict(zip(LINES, accuracy, strict=True))
            rows.append({"variant": name, "DES": des, **published, "ID": identity})
        tables += [_table(order, rows), second_table(order, pairs)]
    return Report("editing_prior", tables, about={"faces": faces, "targets": TARGETS})


def _row(
    variant: str,
    paths: Sequence[EditPaths],
    wanted: Sequence[Sequence[ir.Predicate]],
    names: Sequence[str],
    attributes: Sequence[ir.Attribute],
    who: Floats,
    reference: Reference,
) -> Row:
    """Return what one variant does in one order, over all targets."""
    each = [accuracies(w, path) for w, path in zip(wanted, paths, strict=True)]
    # Groups are of one size, so that this is the accuracy over all faces.
    accuracy: Array = np.mean(each, axis=0)
    published, plain = strengths(accuracy, 1 / sum(map(len, paths)))
    before, after = (np.concatenate([p.identity(at) for p in paths]) for at in (0, -1))
    alike = likeness(before, after, who.mean(axis=0).astype(np.float64))
    drifts = [np.mean(list(drift(attributes, path, LINES).values())) for path in paths]
    features = np.concatenate([path.moments[-1].features for path in paths])
    return {
        "variant": variant,
        "faces": len(before),
        "DES": float(published.mean()),
        "DES undivided": float(plain.mean()),
        **dict(zip(names, accuracy[-1].tolist(), strict=True)),
        "ID": 1 - alike["cosine"],
        "ID distance": alike["ID distance"],
        "nearest": alike["nearest"],
        "drift": float(np.mean(drifts)),
        "Fréchet": reference.distance(features),
    }


def _table(order: str, rows: list[Row]) -> Table:
    return Table(
        f"{order}: from plain draws to drawn targets",
        rows,
        "After all four lines. DES and attributes: higher is better; for yaw and age 1 − mean |Δ| "
        "/ range. ID: 1 − the cosine of dlib's descriptors before and after, less their mean; the "
        "paper's is of another face network. `nearest`: the fraction of faces whose own start is "
        "the nearest of all starts. Lower is better for ID, drift and distances.",
    )
