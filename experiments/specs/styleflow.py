"""StyleFlow on `ffhq`, in the settings of the paper's tables 2, 3, 11, 12 and of its figure 4.

`python -m experiments.styleflow.train` trains the flow beforehand, resumably. The rows stand beside
those of the specs `conditional`, `zero_shot` and `editing`, in results.md: the same conditions and
annotators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import islice

import numpy as np
from PIL import Image

from experiments.annotations import annotate
from experiments.codes import by_baseline, codes_of
from experiments.edit_paths import Floats, accuracies, annotate_paths, likeness, strengths
from experiments.sheets import stacked
from experiments.specs import conditional, editing
from experiments.statements import declared_model, judge, sample
from experiments.styleflow.sampling import edited, sampled
from experiments.styleflow.train import Flow, likelihoods, trained
from experiments.timing import once
from lacelang import ir
from lacelang.api import compile
from lacelang.classifiers import labels
from lacelang.classifiers.draws import Draws
from lacelang.engine.loading import labels_of
from lacelang.evaluate.report import Picture, Report, Row, Table
from lacelang.evaluate.scores import scores
from lacelang.evaluate.variety import mean_cosine, standardised, vendi
from lacelang.progress import Progress
from lacelang.render.sheet_cells import GAP, PAPER, thumbnail

#: What the paper gives for StyleFlow: seconds, FID, ACC by attribute (table 2); ACC (figure 4).
TABLE_2 = {
    "glasses": (0.61, 42.08, (0.899,)),
    "gender, smile and age": (0.61, 43.88, (0.718, 0.870, 0.874)),
}
FIGURE_4 = {
    "a": ("beard=1 and smile=0 and glasses=1 and age=15", {"smile": 0.679, "glasses": 0.694}),
    "b": ("gender=female and smile=0 and glasses=1 and age=10", {"smile": 0.408, "glasses": 0.536}),
}
LACE = {"a": {"smile": 0.935, "glasses": 0.982}, "b": {"smile": 0.906, "glasses": 0.939}}
#: Faces of a zero-shot combination, and of an edit.
FACES = 32
EDITED = 16
#: Draws from the prior, by which descriptors of identity are standardised.
PRIOR_FACES = 64
PRIOR_SEED = 5002
SEED = 124
#: The report of `conditional` has the noise of these annotators.
NOISE = False
_SHOWN = 8


def study(progress: Progress, faces: int | None) -> Report:
    """Sample and edit with the flow, and judge; `faces` is the number of each condition."""
    spec = declared_model()
    flow = trained(spec, progress)
    own, gaussian = likelihoods(flow)
    tables = [*_table_2(spec, flow, progress, faces)]
    zero_shot, picture = _figure_4(spec, flow, progress, min(faces or FACES, FACES))
    edits = _edits(spec, flow, progress, min(faces or EDITED, EDITED))
    about = {
        "seconds of training": round(flow.seconds),
        "faces in training": len(flow.train),
        "held-out log-likelihood, nats": own,
        "held-out log-likelihood of a Gaussian, nats": gaussian,
    }
    return Report("styleflow", [*tables, zero_shot, *edits], [picture], about)


def _table_2(
    spec: ir.ModelSpec, flow: Flow, progress: Progress, faces: int | None
) -> Iterable[Table]:
    table = labels.load(labels_of(spec))
    natural = conditional.NATURAL_OTHERS if faces is None else faces
    for names, (title, (seconds, fid, accuracy)) in zip(
        conditional.SEVERAL, TABLE_2.items(), strict=True
    ):
        codes = codes_of(names, spec, table, natural, conditional.LEAST)
        draw = partial(sampled, flow=flow)
        outcome = by_baseline(codes, draw, conditional.SEED, progress, f"StyleFlow, {title}")
        condition = conditional.COMPARED[title][0]
        (statement,) = compile(sample(conditional.BATCH, condition)).samples
        row: dict[str, str | float | int | None] = {"method": "StyleFlow"}
        row["faces"] = outcome.codes.faces
        for published, (name, score) in zip(accuracy, outcome.accuracies().items(), strict=True):
            row |= {name: score.accuracy, f"paper's {name}": published}
        row |= {"paper's FID": fid}
        row |= {f"s for {conditional.BATCH}": once(partial(draw, statement))}
        yield Table(
            f"{title}, by StyleFlow",
            [{**row, "paper's s": seconds}],
            "As in the tables by method of `conditional`. ACC is the unweighted mean over the "
            "requested values; seconds are of one core, the paper's of a V100. The Fréchet "
            "distance was not measured.",
        )


def _figure_4(
    spec: ir.ModelSpec, flow: Flow, progress: Progress, faces: int
) -> tuple[Table, Picture]:
    """The zero-shot combinations by the flow, and by LACE's default sampler as they stand."""
    prior = judge(
        {"prior": sample(min(PRIOR_FACES, 4 * faces), seed=PRIOR_SEED)},
        progress,
        "judging unconditioned faces",
        identity=True,
    )["prior"].annotations.identity
    assert prior is not None
    asked = {name: sample(faces, where, seed=SEED) for name, (where, _) in FIGURE_4.items()}
    ours = judge(asked, progress, "judging LACE's faces", identity=True)
    rows: list[Row] = []
    shown: list[Callable[[], Image.Image]] = []
    for name, (_, published) in FIGURE_4.items():
        statement = ours[name].statement
        drawn = sampled(statement, flow)
        found = annotate(spec, drawn.faces, progress, "judging StyleFlow's faces", identity=True)
        for system, seen, paper in (
            ("LACE, the default", ours[name].annotations, LACE[name]),
            ("StyleFlow", found, published),
        ):
            assert seen.identity is not None
            row: dict[str, str | float | int | None] = {"condition": name, "system": system}
            row["faces"] = len(seen)
            for score in scores([(statement.where, seen.columns)]):
                row[score.attribute] = score.accuracy
                if score.attribute in paper:
                    row[f"paper's {score.attribute}"] = paper[score.attribute]
            who = standardised(seen.identity, prior)
            rows.append({**row, "Vendi / n": vendi(who), "cosine": mean_cosine(who)})
        lace = Draws.at(ours[name].group.latents.numpy()[:_SHOWN], statement.truncation)
        styles = drawn.faces.rows(slice(_SHOWN))
        shown += [partial(_row, each, flow) for each in (lace, styles)]
    table = Table(
        "Zero-shot combinations: LACE and StyleFlow",
        rows,
        f"(a) {FIGURE_4['a'][0]}; (b) {FIGURE_4['b'][0]}, both without weights or temperatures. "
        "For age 1 − mean |Δ| / range. Vendi score and mean cosine of descriptors of identity as "
        f"in `zero_shot`, standardised by {len(prior)} draws from the prior.",
    )
    title = "Combinations (a) and (b), each by LACE above and by StyleFlow below"
    return table, Picture("zero_shot", title, lambda: stacked([draw() for draw in shown]))


def _row(faces: Draws, flow: Flow) -> Image.Image:
    images = [thumbnail(each) for each in islice(faces.images(flow.model.generator), _SHOWN)]
    width = sum(each.width for each in images) + GAP * (len(images) - 1)
    whole, left = Image.new("RGB", (width, images[0].height), PAPER), 0
    for each in images:
        whole.paste(each, (left, 0))
        left += each.width + GAP
    return whole


def _edits(spec: ir.ModelSpec, flow: Flow, progress: Progress, faces: int) -> Iterable[Table]:
    start = sample(faces, editing.START, f"truncation {editing.TRUNCATION}", editing.SEED)
    parts = [f"{start} as people"]
    for order, names in editing.ORDERS.items():
        lines = "\n".join(editing.LINES[name] for name in names)
        parts.append(f'edit people {{\n{lines}\n}} as "{order}"')
    program = compile("\n".join(parts))
    statements = {s.name: s for s in program.checked.statements if isinstance(s, ir.EditStatement)}
    w: Floats = program.run(progress=progress, only=["people"])["people"].w.numpy()
    people = np.repeat(w[:, None], flow.model.generator.style_count, axis=1)
    ends = {order: edited(flow, statements[order], people) for order in editing.ORDERS}
    begun, *rest = annotate_paths(spec, [people[:, None], *ends.values()], progress)
    for (order, names), seen in zip(editing.ORDERS.items(), rest, strict=True):
        paths = begun.followed(seen)
        accuracy = accuracies([step.predicate for step in statements[order].steps], paths)
        published, plain = strengths(accuracy, 1 / faces)
        row: dict[str, str | float | int | None] = {"variant": "StyleFlow", "faces": faces}
        row |= {"DES": float(published.mean()), "DES undivided": float(plain.mean())}
        last = dict(zip(names, accuracy[-1].tolist(), strict=True))
        row |= {name: last[name] for name in editing.LINES}
        before = paths.identity(0)
        alike = likeness(before, paths.identity(-1), before.mean(axis=0).astype(np.float64))
        row |= {name: alike[name] for name in ("ID distance", "own", "nearest")}
        paper = _paper(editing.PAPER[order])
        yield Table(
            f"{order}: edits by StyleFlow",
            [row, paper],
            "The faces, lines and figures of `editing`, after all four lines. The published layers "
            "of each line take the new styles; attributes of a face are the latent classifiers'.",
        )


def _paper(rows: Mapping[str, tuple[float, tuple[float, ...], float]]) -> Row:
    des, accuracy, _ = rows["paper: StyleFlow"]
    figures = dict(zip(editing.LINES, accuracy, strict=True))
    return {"variant": "paper: StyleFlow", "DES": des, **figures}
