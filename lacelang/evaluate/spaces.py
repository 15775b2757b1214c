"""Where should the classifier look? On z, on w, or on the image: the paper's table 6, on faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from attrs import evolve

from lacelang.api import compile
from lacelang.classifiers import heads_file, labels
from lacelang.classifiers.draws import Draws
from lacelang.classifiers.examples import Examples
from lacelang.classifiers.labels import Labels
from lacelang.classifiers.training import Progress as OnEpoch
from lacelang.classifiers.training import TrainResult, train
from lacelang.engine.loading import classifiers_of, labels_of
from lacelang.engine.schema import schema_of
from lacelang.evaluate import frechet, image_space, timing
from lacelang.evaluate.codes import Code, Codes, codes_of
from lacelang.evaluate.image_space import Drawn, ImageModel
from lacelang.evaluate.methods import (
    Asked,
    Change,
    Outcome,
    by_latents,
    by_samplers,
    changed,
    same,
)
from lacelang.evaluate.report import Cell, Report, Table
from lacelang.evaluate.thumbnails import SIDE
from lacelang.evaluate.trained import trained
from lacelang.evaluate.unconditioned import Unconditioned, unconditioned
from lacelang.ir import ModelSpec
from lacelang.samplers import DEFAULT_SAMPLER
from lacelang.system.torch_state import one_thread

if TYPE_CHECKING:
    from lacelang.progress import Progress

CONDITIONS = (("glasses",), ("gender", "smile", "age"))
#: Faces in the prior's proportions of each condition, and of each code the share it gets at least.
NATURAL = 72
LEAST = 0.75
SEED = 900
BATCH = 64
TIMED = "gender=female and smile=1 and age=55"
#: What is sampled by the image too, and of how many faces: each takes most of a minute, since
#: the energy of a picture is rough. Steps are counted out, and faces judged where they have got to.
FEW = (
    "glasses=1",
    "glasses=0",
    "gender=female and smile=1 and age=55",
    "gender=male and smile=0 and age=25",
)
FEW_FACES = 8
FEW_SAMPLER = f"{DEFAULT_SAMPLER}(max_steps=40)"

#: LACE, table 6, on CIFAR-10: ACC and FID at the default settings.
PAPER: Mapping[tuple[str, str], tuple[float, float]] = {
    ("ODE", "z"): (0.929, 7.34),
    ("ODE", "w"): (0.971, 6.69),
    ("ODE", "image"): (0.473, 20.18),
    ("LD", "z"): (0.924, 10.27),
    ("LD", "w"): (0.935, 4.34),
    ("LD", "image"): (0.394, 10.85),
}
SAMPLERS = {"ODE": DEFAULT_SAMPLER, "LD": "langevin(preset=paper)"}
Key = tuple[str, str]


def study(progress: Progress, faces: int | None) -> Report:
    """Sample with classifiers of each space, and judge the faces.

    Args:
        progress: where to show how far it is.
        faces: in the prior's proportions, of every condition; by the image of every code. None
            takes the suite's own numbers. Too few have no Fréchet distance.
    """
    spec = compile("sample from ffhq").samples[0].model
    table = labels.load(labels_of(spec))
    on_z = partial(_on_z, _z_file(spec, table, progress))
    changes: dict[str, Change] = {"z": on_z, "w": same}
    natural = NATURAL if faces is None else faces
    prior = unconditioned(progress, 2 * natural) if natural > frechet.DIRECTIONS else None
    codes = [codes_of(names, spec, table, natural, LEAST) for names in CONDITIONS]
    count = min(natural, FEW_FACES)
    few = Codes(("some",), tuple(Code(text, count, count) for text in FEW))
    keys = [(kind, space) for kind in SAMPLERS for space in changes]
    asked = [Asked(one, f"with {SAMPLERS[k]}", changes[s]) for k, s in keys for one in codes]
    asked += [Asked(few, f"with {FEW_SAMPLER}", change) for change in changes.values()]
    found = iter(by_samplers(asked, SEED, progress))
    outcomes = {key: [next(found) for _ in codes] for key in keys}
    beside = dict(zip(changes, found, strict=True))

    image = image_space.image_model(spec, table, progress)
    drawn, beside["image"] = _by_image(few, image, progress)
    seconds = _seconds(keys, changes)
    files = {"z": on_z(spec), "w": spec, "image": image.spec}
    return Report(
        "spaces",
        (
            _latent_spaces(outcomes, seconds, prior),
            _all_three(beside, drawn, image),
            _classifiers(files),
        ),
    )


def _on_z(file: str, spec: ModelSpec) -> ModelSpec:
    return evolve(spec, space="z", classifiers=file)


def _z_file(spec: ModelSpec, table: Labels, progress: Progress) -> str:
    """The file of classifiers that look at z, trained on the same labels as those that look at w.

    Lengths are kept: they change no image, but the prior's hardly vary, and a flow that makes use
    of them is the space's own weakness.
    """

    def make(on_epoch: OnEpoch) -> TrainResult:
        conditioned = np.arange(len(table)) >= table.prior_count
        examples = Examples(table.draws().z, table.columns, conditioned)
        return train(examples, schema_of(spec), progress=on_epoch)

    return str(trained(spec, "z", make, progress))


def _by_image(codes: Codes, image: ImageModel, progress: Progress) -> tuple[list[Drawn], Outcome]:
    statements = compile(codes.program(f"with {FEW_SAMPLER}", "some", SEED)).samples
    drawn = image_space.draw(statements, image, progress)
    z = np.concatenate([one.z for one in drawn])
    psi = np.full(len(z), statements[0].truncation, np.float32)
    failed = sum(one.failed for one in drawn)
    return drawn, by_latents(codes, statements, Draws(z, psi), progress, failed)


def _seconds(keys: Sequence[Key], changes: Mapping[str, Change]) -> dict[Key, float]:
    found = {}
    for kind, space in keys:
        program = compile(f"sample {BATCH} from ffhq where {TIMED} with {SAMPLERS[kind]}")
        work = changed(program, changes[space]).run
        work()  # what a process does once is not counted
        found[kind, space] = timing.once(work)
    return found


def _latent_spaces(
    outcomes: Mapping[Key, Sequence[Outcome]],
    seconds: Mapping[Key, float],
    prior: Unconditioned | None,
) -> Table:
    rows: list[tuple[Cell, ...]] = []
    names: list[str] = []
    for (kind, space), each in outcomes.items():
        accuracies = {k: a.value for one in each for k, a in one.accuracies().items()}
        names = list(accuracies)
        ratios = [one.distances(prior)[1] for one in each]
        failed = sum(one.failed for one in each)
        row = (SAMPLERS[kind], space, *accuracies.values(), *ratios, seconds[kind, space], failed)
        rows.append((*row, *PAPER[kind, space]))
    headings = [f"ACC {name}" for name in names]
    distances = ("× unconditioned, glasses", "× unconditioned, joint")
    tail = (f"s for {BATCH}", "failed", "paper's ACC", "paper's FID")
    return Table(
        "Classifiers of latents",
        ("sampler", "space", *headings, *distances, *tail),
        tuple(rows),
        "× unconditioned: the Fréchet distance over that of as many unconditioned faces. The "
        "paper's figures are of CIFAR-10.",
    )


def _all_three(beside: Mapping[str, Outcome], drawn: Sequence[Drawn], image: ImageModel) -> Table:
    rows: list[tuple[Cell, ...]] = []
    names: list[str] = []
    for space, outcome in beside.items():
        accuracies = outcome.accuracies()
        names = list(accuracies)
        seconds: float | None = None
        if space == "image":
            seconds = sum(one.seconds for one in drawn) / outcome.codes.faces
        values = [one.value for one in accuracies.values()]
        rows.append((space, *values, outcome.failed, seconds, PAPER["ODE", space][0]))
    nfe = sum(one.nfe for one in drawn) / len(drawn)
    whole = _whole_decoder(image)
    return Table(
        f"The same draws by the image too, with {FEW_SAMPLER}",
        ("space", *(f"ACC {name}" for name in names), "unfinished", "s a face", "paper's ACC"),
        tuple(rows),
        f"{len(FEW)} conditions, {beside['image'].codes.faces} faces. Images are {SIDE} x {SIDE}, "
        f"by the first half of the decoder and a linear readout (explains "
        f"{image.explained:.3f} of what the whole decoder paints at that size). A face takes "
        f"{nfe:.0f} evaluations; one through the whole decoder takes {whole:.1f} s, so that "
        "neither it nor Langevin dynamics by the image was run.",
    )


def _whole_decoder(image: ImageModel) -> float:
    """Seconds of one core for one evaluation, forward and back, of one face at full size."""
    network = image.network
    z = torch.ones(1, image.generator.latent_dim, requires_grad=True)

    def evaluate() -> None:
        painted = network(image.styles(z, 0.7)[:, None].expand(-1, image.generator.style_count, -1))
        torch.autograd.grad(painted.square().mean(), z)

    with one_thread():
        return timing.once(evaluate)


def _classifiers(specs: Mapping[str, ModelSpec]) -> Table:
    reports = {
        space: heads_file.load(classifiers_of(spec)).report["attributes"]
        for space, spec in specs.items()
    }
    rows: list[tuple[Cell, ...]] = []
    for attribute, figures in reports["w"].items():
        measure = "R²" if figures["kind"] == "continuous" else "balanced accuracy"
        key = "r2" if figures["kind"] == "continuous" else "balanced_accuracy"
        values = [float(of[attribute]["prior"][key]) for of in reports.values()]
        rows.append((attribute, measure, *values))
    return Table(
        "How good the classifiers are on held-out draws from the prior",
        ("attribute", "measure", *reports),
        tuple(rows),
        f"Those of images have seen one labelled face in {image_space.EVERY}.",
    )
