"""Train score models and guiding classifiers: `python -m experiments.laboratory.train_guided`.

One score model learns from all images without labels; the classifiers from a share of the labels,
with each seed, plain and self-calibrated. A training that is killed resumes where it was.
"""

from __future__ import annotations

import copy
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import torch
from attrs import frozen
from torch import Tensor, nn

from experiments.command_line import exit_code_of
from experiments.laboratory.data import CHANNELS, Pictures, pictures
from experiments.laboratory.guidance import (
    WEIGHT,
    calibration_loss,
    classifier_loss,
    gradient_of,
    labelled,
)
from experiments.laboratory.loop import Stateful, average_into, half_precision, kept_network
from experiments.laboratory.sde import (
    VE,
    VP,
    Diffusion,
    denoising_loss,
    draw_times,
    guided,
    initial,
    predictor_corrector,
)
from experiments.laboratory.unet import TimedClassifier, UNet
from lacelang.progress import Progress, shown

SHARES = (0.005, 0.05, 0.2, 1.0)
SEEDS = (1, 2, 3)
DIFFUSIONS: dict[str, Diffusion] = {"VP-SDE": VP(), "VE-SDE": VE()}
SCORE_STEPS = 1500
STEPS = 500
BATCH = 64
RATE = 1e-3
DECAY = 0.995
_GENERATED = 250


class ScoreTraining:
    """A U-Net that predicts noise, and its averaged weights."""

    def __init__(self, data: Pictures, diffusion: Diffusion, seed: int, batch: int = BATCH) -> None:
        torch.manual_seed(seed)
        self.data, self.diffusion, self.batch = data, diffusion, batch
        self.network = UNet(data.channels, diffusion)
        self.result: nn.Module = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=RATE)
        self.parts: dict[str, Stateful] = {
            "network": self.network,
            "average": self.result,
            "steps": self.optimiser,
        }

    def step(self, _: int = 0) -> None:
        """Descend the denoising loss of one batch."""
        x = self.data.at(torch.randint(len(self.data), (self.batch,)))
        t = draw_times(self.batch)
        with half_precision():
            loss = denoising_loss(self.diffusion, self.network, x, t, torch.randn_like(x))
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        average_into(self.result, self.network, DECAY)


class ClassifierTraining:
    """A classifier of noisy images; self-calibrated if `weight` is not 0."""

    def __init__(
        self,
        data: Pictures,
        rows: Tensor,
        weight: float,
        diffusion: Diffusion,
        seed: int,
        batch: int = BATCH,
    ) -> None:
        torch.manual_seed(seed)
        self.data, self.rows, self.weight, self.batch = data, rows, weight, batch
        self.network = TimedClassifier(data.channels, diffusion)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=RATE)
        self.result: nn.Module = self.network
        self.parts: dict[str, Stateful] = {"network": self.network, "steps": self.optimiser}

    def step(self, _: int = 0) -> None:
        """Descend the loss of one batch of labelled images, and of one of any images."""
        rows = self.rows[torch.randint(len(self.rows), (self.batch,))]
        x, t = self.data.at(rows), draw_times(self.batch)
        with half_precision():
            loss = classifier_loss(self.network, x, self.data.classes[rows], t, torch.randn_like(x))
        if self.weight:
            rows, t = torch.randint(len(self.data), (self.batch,)), draw_times(self.batch)
            x = self.data.at(rows)
            with half_precision():
                term = calibration_loss(self.network, x, t, torch.randn_like(x))
            loss = loss + self.weight * term
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()


@frozen
class Guide:
    """Which classifier: of what share of the labels, self-calibrated or not, and of which seed."""

    share: float
    calibrated: bool
    seed: int

    def __str__(self) -> str:
        how = "calibrated" if self.calibrated else "plain"
        return f"{how}-{self.share:g}-{self.seed}"


def score_model(
    name: str, dataset: str, progress: Progress, steps: int = SCORE_STEPS
) -> tuple[UNet, float]:
    """Return the score model of a diffusion and the seconds of its training; see `kept_network`."""

    def begin() -> ScoreTraining:
        return ScoreTraining(pictures(dataset, "train", progress), DIFFUSIONS[name], SEEDS[0])

    network = UNet(CHANNELS[dataset], DIFFUSIONS[name])
    stem = f"guided/{dataset}-{name}"
    return network, kept_network(stem, network, begin, steps, progress)


def classifier(
    guide: Guide, dataset: str, progress: Progress, steps: int = STEPS, name: str = "VP-SDE"
) -> tuple[TimedClassifier, float]:
    """Return a guiding classifier and the seconds of its training; see `kept_network`."""

    def begin() -> ClassifierTraining:
        data = pictures(dataset, "train", progress)
        rows = labelled(data.classes, guide.share, guide.seed)
        weight = WEIGHT if guide.calibrated else 0.0
        return ClassifierTraining(data, rows, weight, DIFFUSIONS[name], guide.seed)

    network = TimedClassifier(CHANNELS[dataset], DIFFUSIONS[name])
    stem = f"guided/{dataset}-{name}-{guide}"
    return network, kept_network(stem, network, begin, steps, progress)


def generated(
    model: UNet, guide: TimedClassifier, count: int, steps: int, weight: float, seed: int
) -> tuple[Tensor, Tensor]:
    """Guided images (10 · count, C, 32, 32), `count` of each class, and their classes."""
    classes = torch.arange(10).repeat_interleave(count)
    random = torch.Generator().manual_seed(seed)
    channels = model.out.out_channels // 4
    found = []
    with torch.no_grad():
        for part in torch.split(classes, _GENERATED):
            x = initial(model.diffusion, (len(part), channels, 32, 32), random)
            network = guided(model.diffusion, model, gradient_of(guide, part), weight)
            with half_precision():
                parts = model.diffusion, network, x, steps, random
                found.append(predictor_corrector(*parts, corrections=0).float())
    return torch.cat(found), classes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.laboratory.train_guided")
    parser.add_argument("--data", choices=tuple(CHANNELS), default="fashion", help="the data set")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parsed = parser.parse_args(arguments)

    def work() -> int:
        with shown() as progress:
            _, seconds = score_model("VP-SDE", parsed.data, progress)
            print(f"score model: {seconds:.0f} s of processor time", flush=True)
            for seed in parsed.seeds:
                for share in SHARES:
                    for calibrated in (False, True):
                        guide = Guide(share, calibrated, seed)
                        _, seconds = classifier(guide, parsed.data, progress)
                        print(f"{guide}: {seconds:.0f} s of processor time", flush=True)
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
