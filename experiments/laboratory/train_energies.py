"""Train the energy-based models of pixels: `python -m experiments.laboratory.train_energies`.

A training that is killed resumes where it was.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from experiments.command_line import add_steps, exit_code_of
from experiments.laboratory.data import CHANNELS, Pictures, pictures
from experiments.laboratory.energy_based import (
    CHAIN,
    CLASSES,
    EnergyNetwork,
    Replay,
    conditional_loss,
    jem_loss,
    joint_energy,
    langevin,
    marginal_energy,
)
from experiments.laboratory.loop import Stateful, half_precision, kept_network
from lacelang.progress import Progress, shown

NAMES = ("JEM", "Cond-EBM")
SEED = 1
STEPS = 850
BATCH = 64
RATE = 2e-4
#: Deviation of the noise on real images.
DITHER = 0.03


class Model(nn.Module):
    """The network and the chains that it was trained with."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.network, self.replay = EnergyNetwork(channels), Replay(channels)


class Training:
    """One of both models, its optimiser, and as the result the model."""

    def __init__(self, name: str, data: Pictures, seed: int = SEED, batch: int = BATCH) -> None:
        torch.manual_seed(seed)
        self.joint, self.data, self.batch = name == "JEM", data, batch
        self.model = Model(data.channels)
        self.result: nn.Module = self.model
        self.optimiser = torch.optim.Adam(self.model.network.parameters(), lr=RATE)
        self.parts: dict[str, Stateful] = {"model": self.model, "steps": self.optimiser}

    def step(self, _: int = 0) -> None:
        """Draw x⁻ by Langevin dynamics, then descend the loss."""
        network, replay = self.model.network, self.model.replay
        rows = torch.randint(len(self.data), (self.batch,))
        x, y = self.data.at(rows), self.data.classes[rows]
        x = x + DITHER * torch.randn_like(x)
        rows, begun, classes = replay.begin(self.batch)

        def energy(x: Tensor) -> Tensor:
            f = network(x)
            return marginal_energy(f) if self.joint else joint_energy(f, classes)

        with half_precision():
            found = langevin(energy, begun, CHAIN)
            fake = network(found)
            if self.joint:
                # The chains of p(x) are of no class; they are kept under what the network sees.
                classes = fake.detach().argmax(1)
                loss = jem_loss(network(x), y, fake)
            else:
                loss = conditional_loss(network(x), y, fake, classes)
        replay.end(rows, found, classes)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        self.optimiser.step()


def trained(name: str, dataset: str, progress: Progress, steps: int = STEPS) -> tuple[Model, float]:
    """Return a model and the processor seconds of its training; see `loop.kept_network`."""

    def begin() -> Training:
        return Training(name, pictures(dataset, "train", progress))

    model = Model(CHANNELS[dataset])
    return model, kept_network(f"energies/{dataset}-{name}", model, begin, steps, progress)


def generated(model: Model, count: int, chain: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images (10 · count, C, 32, 32), `count` of each class, and their classes.

    Chains go on from images of the class in the replay buffer, for `chain` steps on −f(x)[y].
    """
    classes = torch.arange(CLASSES).repeat_interleave(count)
    found = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in torch.split(classes, 500):
            begun = model.replay.of(part)

            def energy(x: Tensor, part: Tensor = part) -> Tensor:
                return joint_energy(model.network(x), part)

            found.append(langevin(energy, begun, chain))
    return torch.cat(found), classes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.laboratory.train_energies")
    parser.add_argument("--data", choices=tuple(CHANNELS), default="fashion", help="the data set")
    add_steps(parser, STEPS)
    parsed = parser.parse_args(arguments)

    def work() -> int:
        with shown() as progress:
            for name in NAMES:
                _, seconds = trained(name, parsed.data, progress, parsed.steps)
                print(f"{name}: {seconds:.0f} s of processor time", flush=True)
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
