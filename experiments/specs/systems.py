"""Conditional sampling by all systems, as the paper's table 1: of pixels, and of latents.

`train_guided`, `train_energies`, `train_style_gan`, `train_latent` and `train_cgan` in
`experiments.laboratory` train the systems beforehand, resumably; what is missing is trained here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import process_time

import torch
from attrs import frozen
from torch import Tensor

from experiments.laboratory import train_cgan, train_energies, train_guided
from experiments.laboratory.cgan import FAMILY
from experiments.laboratory.guidance import gradient_of
from experiments.laboratory.loop import half_precision
from experiments.laboratory.measures import Scores, measures
from experiments.laboratory.sde import guided, initial, predictor_corrector
from experiments.laboratory.sheets import sheet
from experiments.laboratory.train_guided import Guide, classifier, score_model
from experiments.laboratory.train_latent import latents
from experiments.plot import scatter
from experiments.specs.guided import SAMPLER_STEPS, WEIGHT
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress

MODEL = "fashion"
#: Images of each class; steps of the predictor, each with one correction; steps of a chain.
IMAGES = 100
PREDICTIONS = 60
CHAIN = 40
SEED = 9200
_BATCH = 250
_SHOWN = 3


@frozen
class Paper:
    """A row of the paper's tables 1 and 13, of CIFAR-10 on one V100.

    Minutes of training are None where table 13 has none; seconds are for 64 images.
    """

    minutes: float | None
    seconds: float
    fid: float
    acc: float


PAPER = {
    "JEM": Paper(2160, 135, 52.35, 0.645),
    "Cond-EBM": Paper(2280, 24.5, 41.72, 0.792),
    "VP-SDE": Paper(52800, 438, 19.13, 0.643),
    "VE-SDE": Paper(52800, 448, 2.97, 0.662),
    "Latent-JEM, 0.1": Paper(21, 0.63, 8.75, 0.950),
    "Latent-JEM, 0.01": Paper(21, 0.63, 5.65, 0.821),
    "LACE-PC, 100": Paper(4, 0.84, 2.99, 0.747),
    "LACE-PC, 200": Paper(4, 1.86, 2.94, 0.722),
    "LACE-LD": Paper(4, 0.68, 4.30, 0.939),
    "LACE-ODE": Paper(4, 0.50, 6.63, 0.972),
    "LACE-euler, 0.01": Paper(None, 0.68, 6.31, 0.969),
    "LACE-euler, 0.001": Paper(None, 6.80, 5.36, 0.964),
}


#: Guidance with few labels: whether the classifier is self-calibrated. The share is 5 %.
GUIDED = {"guided, 5 % of labels, plain": False, "guided, 5 % of labels, self-calibrated": True}
#: Systems of the slides, which the paper's table does not have.
OTHERS = (*FAMILY, *GUIDED)


@frozen
class System:
    """What a trained system does: images and classes of a count of each, by a seed."""

    sample: Callable[[int, int], tuple[Tensor, Tensor]]
    training: float  # seconds


def systems(progress: Progress) -> dict[str, Callable[[], System]]:
    """The systems by their names in the table; each is trained when it is asked for."""

    def energies(name: str) -> System:
        model, seconds = train_energies.trained(name, MODEL, progress)

        def sample(count: int, seed: int) -> tuple[Tensor, Tensor]:
            return train_energies.generated(model, count, CHAIN, seed)

        return System(sample, seconds)

    def diffusions(name: str) -> System:
        model, seconds = score_model(name, MODEL, progress)
        guide, more = classifier(Guide(1.0, False, 1), MODEL, progress, name=name)

        def sample(count: int, seed: int) -> tuple[Tensor, Tensor]:
            classes = torch.arange(10).repeat_interleave(count)
            random = torch.Generator().manual_seed(seed)
            found = []
            with torch.no_grad():
                for part in torch.split(classes, _BATCH):
                    x = initial(model.diffusion, (len(part), 1, 32, 32), random)
                    network = guided(model.diffusion, model, gradient_of(guide, part))
                    parts = model.diffusion, network, x, PREDICTIONS, random
                    with half_precision():
                        found.append(predictor_corrector(*parts).float())
            return torch.cat(found), classes

        return System(sample, seconds + more)

    def few_labels(name: str) -> System:
        model, seconds = score_model("VP-SDE", MODEL, progress)
        guide, more = classifier(Guide(0.05, GUIDED[name], 1), MODEL, progress)

        def sample(count: int, seed: int) -> tuple[Tensor, Tensor]:
            return train_guided.generated(model, guide, count, SAMPLER_STEPS, WEIGHT, seed)

        return System(sample, seconds + more)

    def conditional(name: str) -> System:
        generator, seconds = train_cgan.trained(name, MODEL, train_cgan.SEEDS[0], progress)
        return System(partial(train_cgan.generated, generator), seconds)

    def of_latents(name: str) -> System:
        found, seconds = latents(MODEL, "joint" if name.startswith("Latent-JEM") else "w", progress)
        return System(partial(found.sample, name), seconds)

    kinds = {"JEM": energies, "Cond-EBM": energies, "VP-SDE": diffusions, "VE-SDE": diffusions}
    kinds |= dict.fromkeys(FAMILY, conditional) | dict.fromkeys(GUIDED, few_labels)
    return {name: partial(kinds.get(name, of_latents), name) for name in (*PAPER, *OTHERS)}


def study(progress: Progress, faces: int | None) -> Report:
    """Judge all systems; `faces` is the number of images of each class."""
    count = min(faces or IMAGES, IMAGES)
    measured = measures(MODEL, progress)
    rows: dict[str, Row] = {}
    shown = {}
    for name, make in systems(progress).items():
        system = make()
        begun = process_time()
        images, classes = system.sample(count, SEED)
        seconds = 64 * (process_time() - begun) / len(images)
        rows[name] = _row(name, system, seconds, measured.of(images, classes))
        few = torch.arange(min(count, _SHOWN))[:, None] + count * torch.arange(10)
        shown[name] = images[few.flatten()]
    note = (
        f"{count} images of each class of Fashion-MNIST; times are processor time of one core, the "
        "paper's of a V100. FID is of a network trained on Fashion-MNIST to its test images; the "
        "paper's of CIFAR-10 and an Inception network. Training of systems of latents is that of "
        "the classifier, as in the paper."
    )
    tables = [
        Table("Conditional sampling, by system", [rows[name] for name in PAPER], note),
        Table("Systems of the slides, judged alike", [rows[name] for name in OTHERS]),
    ]
    points = {
        name: [(float(row["FID"] or 0), float(row["ACC"] or 0))] for name, row in rows.items()
    }
    figure = scatter("acc-fid", "Accuracy against distance", "FID", "ACC", points, log="x")
    about = {
        "images of a class": count,
        "steps of predictor and corrector": PREDICTIONS,
        "steps of a chain": CHAIN,
        "steps of training, EBMs": train_energies.STEPS,
    }
    title = "Three images of each class, by system from above"
    return Report("systems", tables, [sheet("systems", title, shown, 10), figure], about)


def _row(name: str, system: System, seconds: float, scores: Scores) -> Row:
    row: dict[str, str | float | int | None] = {"system": name}
    row |= {"min to train": system.training / 60, "s for 64": seconds}
    row |= {"FID": scores.fid, "ACC": scores.acc}
    if paper := PAPER.get(name):
        row |= {"paper's min": paper.minutes, "paper's s": paper.seconds}
        row |= {"paper's FID": paper.fid, "paper's ACC": paper.acc}
    return row
