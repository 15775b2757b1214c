"""Conditional sampling in pixel space, as the paper's table 1: EBMs and guided diffusions.

`python -m experiments.laboratory.train_guided` and `train_energies` train the systems beforehand,
resumably; what is missing is trained here.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import torch
from attrs import frozen
from torch import Tensor

from experiments.laboratory import train_energies
from experiments.laboratory.guidance import gradient_of
from experiments.laboratory.measures import measures
from experiments.laboratory.sde import guided, initial, predictor_corrector
from experiments.laboratory.sheets import sheet
from experiments.laboratory.train_guided import Guide, classifier, score_model
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress

MODEL = "fashion"
#: Images of each class; steps of the predictor, each with one correction; steps of a chain.
IMAGES = 50
PREDICTIONS = 60
CHAIN = 40
SEED = 9200
_BATCH = 250
_SHOWN = 3


@frozen
class Paper:
    """A row of the paper's table 1, of CIFAR-10 on one V100: training, sampling of 64 images."""

    minutes: float
    seconds: float
    fid: float
    acc: float


PAPER = {
    "JEM": Paper(2160, 135, 52.35, 0.645),
    "Cond-EBM": Paper(2280, 24.5, 41.72, 0.792),
    "VP-SDE": Paper(52800, 438, 19.13, 0.643),
    "VE-SDE": Paper(52800, 448, 2.97, 0.662),
}


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
                    found.append(predictor_corrector(*parts))
            return torch.cat(found), classes

        return System(sample, seconds + more)

    return {
        "JEM": lambda: energies("JEM"),
        "Cond-EBM": lambda: energies("Cond-EBM"),
        "VP-SDE": lambda: diffusions("VP-SDE"),
        "VE-SDE": lambda: diffusions("VE-SDE"),
    }


def study(progress: Progress, faces: int | None) -> Report:
    """Judge all systems; `faces` is the number of images of each class."""
    count = min(faces or IMAGES, IMAGES)
    measured = measures(MODEL, progress)
    rows: list[Row] = []
    shown = {}
    for name, make in systems(progress).items():
        system, paper = make(), PAPER[name]
        begun = process_time()
        images, classes = system.sample(count, SEED)
        seconds = 64 * (process_time() - begun) / len(images)
        scores = measured.of(images, classes)
        rows.append(
            {
                "system": name,
                "min to train": system.training / 60,
                "paper's min": paper.minutes,
                "s for 64": seconds,
                "paper's s": paper.seconds,
                "FID": scores.fid,
                "paper's FID": paper.fid,
                "ACC": scores.acc,
                "paper's ACC": paper.acc,
            }
        )
        few = torch.arange(min(count, _SHOWN))[:, None] + count * torch.arange(10)
        shown[name] = images[few.flatten()]
    table = Table(
        "Conditional sampling in pixel space",
        rows,
        f"{count} images of each class of Fashion-MNIST; times are processor time of one core, the "
        "paper's of a V100. FID is of a network trained on Fashion-MNIST to its test images; the "
        "paper's of CIFAR-10 and an Inception network.",
    )
    about = {
        "images of a class": count,
        "steps of predictor and corrector": PREDICTIONS,
        "steps of a chain": CHAIN,
        "steps of training, EBMs": train_energies.STEPS,
    }
    title = "Three images of each class, by system from above"
    return Report("pixels", [table], [sheet("pixels", title, shown, 10)], about)
