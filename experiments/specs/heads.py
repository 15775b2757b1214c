"""A network per attribute, or one trunk for all: the paper's table 10, up to 12 attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from attrs import evolve

from experiments import timing
from experiments.codes import Asked, Code, Codes, Outcome, by_samplers
from experiments.statements import declared_model, run_of, sample
from experiments.trained import trained
from lacelang import ir
from lacelang.classifiers import heads_file, labels
from lacelang.classifiers.classifier import Arrangement, Heads
from lacelang.classifiers.labels import Labels
from lacelang.classifiers.training import Progress as OnEpoch
from lacelang.classifiers.training import TrainResult, recipe_named, train
from lacelang.engine.loading import labels_of, load
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress

#: In the order in which the paper adds them, followed by the others.
ORDER = (
    *("glasses", "age", "smile", "gender", "yaw"),
    *("pitch", "light3", "light0", "haircolor", "beard", "width", "bald"),
)
COUNTS = (1, 2, 3, 4, 5, 8, 12)
#: Requested combinations of values, and faces per combination.
CODES = 8
FACES = 6
SEED = 800
BATCH = 64
#: Enough for both arrangements: twice as many change no held-out figure by a hundredth.
EPOCHS = 40
ARRANGEMENTS: tuple[Arrangement, ...] = ("single", "separate")

#: LACE, tables 10(a) and 10(b): seconds by number of attributes, and ACC with five.
PAPER_SECONDS: Mapping[str, Mapping[int, float]] = {
    "single": {1: 0.68, 2: 1.70, 3: 2.25, 4: 2.58, 5: 2.63},
    "separate": {1: 0.68, 2: 2.34, 3: 4.36, 4: 6.65, 5: 7.84},
}
PAPER_ACCURACY: Mapping[str, Mapping[str, float]] = {
    "single": {"yaw": 0.904, "gender": 0.973, "smile": 0.954, "age": 0.892, "glasses": 0.984},
    "separate": {"yaw": 0.927, "gender": 0.956, "smile": 0.953, "age": 0.897, "glasses": 0.994},
}
_PAPER_COUNT = 5

Key = tuple[Arrangement, int]


def study(progress: Progress, faces: int | None) -> Report:
    """Train both arrangements in the same way, sample with both, judge the faces, time a batch.

    `faces` is the number per code.
    """
    spec = declared_model()
    table = labels.load(labels_of(spec))
    files = classifier_files(spec, progress)
    each = FACES if faces is None else faces
    asked = {
        (name, count): Asked(
            row_codes(spec, table, count, each), change=partial(_change, files[name, count], count)
        )
        for count in COUNTS
        for name in ARRANGEMENTS
    }
    found = by_samplers(asked, SEED, progress)
    seconds = _seconds(asked, progress)
    about = {"codes": CODES, "faces of each": each, "epochs": EPOCHS}
    return Report("heads", (_by_count(found, seconds), _with_five(found)), about=about)


def classifier_files(spec: ir.ModelSpec, progress: Progress) -> dict[Key, Path]:
    """Return the files of classifiers, by arrangement and number of attributes."""

    def make(arrangement: Arrangement, on_epoch: OnEpoch) -> TrainResult:
        generator = load(spec, "cpu", progress).generator
        examples = labels.load(labels_of(spec)).examples(generator)
        recipe = recipe_named("regularised", epochs=EPOCHS)
        attributes = spec.attributes
        return train(examples, attributes, recipe=recipe, heads=arrangement, progress=on_epoch)

    files: dict[Key, Path] = {}
    for name in ARRANGEMENTS:
        whole = trained(spec, f"{name}-{EPOCHS}", partial(make, name), progress)
        for count in COUNTS:
            # Unused separate networks need not be evaluated; a trunk has no unused part.
            files[name, count] = _part(whole, ORDER[:count]) if name == "separate" else whole
    return files


def _part(path: Path, names: Sequence[str]) -> Path:
    """Return a file with the networks of these attributes only, next to the whole one."""
    found = path.with_name(f"{path.stem}-{len(names)}.safetensors")
    if not found.is_file():
        saved = heads_file.load(path)
        heads_file.save(found, only(saved.heads, names), saved.report)
    return found


def only(heads: Heads, names: Sequence[str]) -> Heads:
    """Return the separate networks of some attributes, of heads with one member."""
    places = [k for k, a in enumerate(heads.attributes) if a.name in names]
    kept = [heads.attributes[k] for k in places]
    found = Heads(kept, arrangement="separate", inputs=heads.inputs)
    spans = [heads.columns[attribute.name] for attribute in kept]
    columns = torch.cat([torch.arange(span.start, span.stop) for span in spans])
    with torch.no_grad():
        for mine, theirs in zip(found.parameters(), heads.parameters(), strict=True):
            # Weights (networks, out, in) and biases (networks, 1, out); the last may be narrower.
            mine.copy_(theirs[places][:, : mine.shape[1], : mine.shape[2]])
        for name, buffer in found.named_buffers():
            whole = heads.get_buffer(name)
            buffer.copy_(whole[columns] if name in ("gain", "shift") else whole)
    found.sigma = {name: heads.sigma[name] for name in found.sigma}
    return found.freeze()


def _change(file: Path, count: int, spec: ir.ModelSpec) -> ir.ModelSpec:
    declared = tuple(a for a in spec.attributes if a.name in ORDER[:count])
    return evolve(spec, classifiers=str(file), attributes=declared)


def row_codes(spec: ir.ModelSpec, table: Labels, count: int, faces: int) -> Codes:
    """Return the values of the first attributes in some labelled faces: existing combinations."""
    names = ORDER[:count]
    columns = [table.columns[name][: table.prior_count] for name in ORDER]
    whole = np.flatnonzero(~np.isnan(columns).any(axis=0))
    rows = np.random.default_rng(SEED).choice(whole, CODES, replace=False)
    codes = [
        " and ".join(f"{n}={_written(spec.attribute(n), table.columns[n][row])}" for n in names)
        for row in rows
    ]
    return Codes(names, tuple(Code(text, faces, faces) for text in codes))


def _written(attribute: ir.Attribute, label: np.float32) -> str:
    if attribute.limits is not None:
        low, high = attribute.limits
        return format(min(max(float(label), low), high), ".3g")
    return attribute.values[int(label)]


def _seconds(asked: Mapping[Key, Asked], progress: Progress) -> dict[Key, tuple[float, float]]:
    works = {
        key: run_of(sample(BATCH, one.codes.codes[0].condition, seed=SEED), one.change)
        for key, one in asked.items()
    }
    with progress.stage("timing", total=None) as stage:
        found = timing.medians(works)
        stage.advance()
    return found


def _by_count(found: Mapping[Key, Outcome], seconds: Mapping[Key, tuple[float, float]]) -> Table:
    rows: list[Row] = []
    for count in COUNTS:
        ours = {name: seconds[name, count][0] for name in ARRANGEMENTS}
        paper = {name: PAPER_SECONDS[name].get(count) for name in ARRANGEMENTS}
        single, separate = paper["single"], paper["separate"]
        rows.append(
            {
                "attributes": count,
                **{f"s for {BATCH}, {name}": spent for name, spent in ours.items()},
                "separate / single": ours["separate"] / ours["single"],
                "paper's separate / single": separate / single if single and separate else None,
                **{f"ACC {name}": _mean(found[name, count]) for name in ARRANGEMENTS},
            }
        )
    spread = max(s for _, s in seconds.values())
    return Table(
        "One trunk compared with one network per attribute",
        rows,
        f"Seconds of sampling on one core, the median of {timing.ROUNDS} alternating rounds; no "
        f"round differs by more than {spread:.2g} s from its median. ACC is the mean over the "
        "attributes.",
    )


def _with_five(found: Mapping[Key, Outcome]) -> Table:
    rows: list[Row] = []
    for attribute in ORDER[:_PAPER_COUNT]:
        row: dict[str, str | float] = {"attribute": attribute}
        for name in ARRANGEMENTS:
            row[name] = found[name, _PAPER_COUNT].accuracies()[attribute].accuracy
            row[f"paper's {name}"] = PAPER_ACCURACY[name][attribute]
        rows.append(row)
    return Table(f"ACC with {_PAPER_COUNT} attributes", rows)


def _mean(outcome: Outcome) -> float:
    return float(np.mean([one.accuracy for one in outcome.accuracies().values()]))
