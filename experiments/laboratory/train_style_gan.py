"""Train the style-based generator: `python -m experiments.laboratory.train_style_gan`.

The non-saturating loss with R1 (StyleGAN2), and adaptive augmentation. A training that is killed
resumes where it was. The generator that `weights` has was trained by this command.
"""

from __future__ import annotations

import copy
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.command_line import add_steps, exit_code_of
from experiments.laboratory.augment import EVERY, Augmentation
from experiments.laboratory.data import CHANNELS, Pictures, pictures
from experiments.laboratory.loop import Stateful, average_into, half_precision, kept_network
from experiments.laboratory.style_gan import LATENT, Discriminator, StyleGenerator
from lacelang.progress import Progress, shown

SEED = 7
STEPS = 5000
BATCH = 64
RATE = 2.5e-3
BETAS = (0.0, 0.99)
#: Weight of the gradient penalty, the steps between two of them, and their images.
R1, R1_EVERY, R1_IMAGES = 0.02, 16, 32
#: Of the averaged weights, what is kept at each step: half of them are 10 000 images old.
DECAY = 0.5 ** (BATCH / 10_000)


class Training:
    """Generator, discriminator, their optimisers, the augmentation, and the average generator."""

    def __init__(self, data: Pictures, seed: int, batch: int = BATCH) -> None:
        torch.manual_seed(seed)
        self.data, self.batch = data, batch
        self.generator = StyleGenerator(data.channels)
        self.discriminator = Discriminator(data.channels)
        for network in (self.generator, self.discriminator):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.augmentation = Augmentation()
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.result: nn.Module = self.average
        self.optimisers: dict[nn.Module, torch.optim.Optimizer] = {
            network: torch.optim.Adam(network.parameters(), lr=RATE, betas=BETAS)
            for network in (self.generator, self.discriminator)
        }
        self.parts: dict[str, Stateful] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "augmentation": self.augmentation,
            "average": self.average,
            "steps of the generator": self.optimisers[self.generator],
            "steps of the discriminator": self.optimisers[self.discriminator],
        }

    def step(self, number: int) -> None:
        """One step of the generator, one of the discriminator, at times the gradient penalty."""
        self.discriminator.requires_grad_(False)
        with half_precision():
            fake = self.generator(torch.randn(self.batch, LATENT))
            logits = self.discriminator(self.augmentation(fake))
            loss = F.softplus(-logits).mean()
        self._descend(self.generator, loss)
        self.discriminator.requires_grad_(True)
        real = self.data.at(torch.randint(len(self.data), (self.batch,)))
        both = self.augmentation(torch.cat([real, fake.detach()]))
        with half_precision():
            on_real, on_fake = self.discriminator(both).split(self.batch)
            loss = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
        self._descend(self.discriminator, loss)
        if number % R1_EVERY == 0:
            some = self.augmentation(real[:R1_IMAGES])
            penalty = gradient_penalty(self.discriminator, some)
            self._descend(self.discriminator, 0.5 * R1 * R1_EVERY * penalty)
        self.augmentation.seen(on_real)
        if (number + 1) % EVERY == 0:
            self.augmentation.adapt()
        average_into(self.average, self.generator, DECAY)

    def _descend(self, network: nn.Module, loss: Tensor) -> None:
        optimiser = self.optimisers[network]
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def gradient_penalty(discriminator: nn.Module, images: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): E ‖∇ D(x)‖² at real images, in single precision."""
    images = images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()


def trained(dataset: str, progress: Progress, steps: int = STEPS) -> tuple[StyleGenerator, float]:
    """Return the generator and the processor seconds of its training; see `loop.kept_network`."""

    def begin() -> Training:
        return Training(pictures(dataset, "train", progress), SEED)

    generator = StyleGenerator(CHANNELS[dataset])
    return generator, kept_network(f"style_gan/{dataset}", generator, begin, steps, progress)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.laboratory.train_style_gan")
    parser.add_argument("--data", choices=tuple(CHANNELS), default="fashion", help="the data set")
    add_steps(parser, STEPS)
    parsed = parser.parse_args(arguments)

    def work() -> int:
        with shown() as progress:
            _, seconds = trained(parsed.data, progress, parsed.steps)
            print(f"generator: {seconds:.0f} s of processor time", flush=True)
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
