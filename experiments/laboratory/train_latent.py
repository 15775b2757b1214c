"""Train classifiers of the latents of the style-based generator.

    python -m experiments.laboratory.train_latent

A training that is killed resumes where it was.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.command_line import exit_code_of
from experiments.laboratory.data import CHANNELS
from experiments.laboratory.energy_based import EnergyNetwork
from experiments.laboratory.judges import Judges, judges
from experiments.laboratory.latent import (
    ANEW,
    BATCH,
    CHAINS,
    Latents,
    Space,
    StyleClassifier,
    images_of,
    jem_loss,
    read,
    walk,
)
from experiments.laboratory.loop import Stateful, kept_network
from experiments.laboratory.style_gan import LATENT, StyleGenerator
from experiments.laboratory.train_style_gan import trained
from lacelang.progress import Progress, shown

Kind = Literal["w", "joint", "z", "pixels"]
"""What a classifier reads; `joint` reads w, and is Latent-JEM's."""

SEED = 5
#: Generated images whose classes the reader sees, and steps of a classifier's training.
LABELLED = 20_000
STEPS = 3000
RATE = 1e-3
#: The larger of Latent-JEM's two step sizes: with the smaller one chains hardly move in training.
STEP = 0.1


class Chains(nn.Module):
    """Where the chains of Latent-JEM are: part of a checkpoint."""

    z: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("z", torch.randn(CHAINS, LATENT))


class Training:
    """A classifier of a space, from the same labels; Latent-JEM's if the kind is `joint`."""

    def __init__(self, generator: StyleGenerator, judges: Judges, kind: Kind) -> None:
        torch.manual_seed(SEED)
        self.generator, self.joint = generator, kind == "joint"
        self.space: Space = "w" if kind == "joint" else kind
        self.z = torch.randn(LABELLED, LATENT)
        self.classes = labels(generator, judges, self.z)
        network = network_of(kind, int(generator.synthesis.image_bias.shape[0]))
        if isinstance(network, StyleClassifier):
            with torch.no_grad():
                network.standardise_by(read(generator, self.space, self.z))
        self.network, self.chains = network, Chains()
        self.result: nn.Module = network
        self.optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
        self.parts: dict[str, Stateful] = {
            "network": network,
            "chains": self.chains,
            "steps": self.optimiser,
        }

    def step(self, _: int = 0) -> None:
        """Descend the loss of one batch."""
        rows = torch.randint(LABELLED, (BATCH,))
        z, classes = self.z[rows], self.classes[rows]
        logits = self._logits(z)
        loss = F.cross_entropy(logits, classes)
        if self.joint:
            chains = self._advance()
            loss = jem_loss(logits, classes, z, self._logits(chains), chains)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()

    def _logits(self, z: Tensor) -> Tensor:
        found: Tensor = self.network(read(self.generator, self.space, z))
        return found

    def _advance(self) -> Tensor:
        """Walk with some chains, a few of them from new draws of the prior."""
        rows = torch.randint(CHAINS, (BATCH,))
        anew = torch.rand(BATCH, 1) < ANEW
        begun = torch.where(anew, torch.randn(BATCH, LATENT), self.chains.z[rows])
        self.chains.z[rows] = found = walk(self._logits, begun, STEP)
        return found


def labels(generator: StyleGenerator, judges: Judges, z: Tensor) -> Tensor:
    """Classes (N,) that the reader sees in the images of z (N, 128)."""
    return judges.read(images_of(generator, z))[1].argmax(1)


def network_of(kind: Kind, channels: int) -> StyleClassifier | EnergyNetwork:
    """A classifier that has learned nothing."""
    return EnergyNetwork(channels) if kind == "pixels" else StyleClassifier()


def latents(dataset: str, kind: Kind, progress: Progress) -> tuple[Latents, float]:
    """Return a generator with a classifier, and the seconds of the classifier's training."""
    generator, _ = trained(dataset, progress)

    def begin() -> Training:
        return Training(generator, judges(dataset, CHANNELS[dataset]), kind)

    classifier = network_of(kind, CHANNELS[dataset])
    steps = STEPS // 3 if kind == "pixels" else STEPS
    seconds = kept_network(f"latent/{dataset}-{kind}", classifier, begin, steps, progress)
    joint = kind == "joint"
    return Latents(generator, classifier, "w" if kind == "joint" else kind, joint), seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.laboratory.train_latent")
    parser.add_argument("--data", choices=tuple(CHANNELS), default="fashion", help="the data set")
    parsed = parser.parse_args(arguments)

    def work() -> int:
        with shown() as progress:
            for kind in get_args(Kind):
                _, seconds = latents(parsed.data, kind, progress)
                print(f"{kind}: {seconds:.0f} s of processor time", flush=True)
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
