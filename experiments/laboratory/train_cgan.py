"""Train the conditional GANs: `python -m experiments.laboratory.train_cgan [NAME …]`.

Without names, all are trained, one after the other, with each seed. A training that is killed
resumes where it was; its generator, of averaged weights, is kept in the cache.
"""

from __future__ import annotations

import copy
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from experiments.command_line import add_steps, exit_code_of, one_of
from experiments.laboratory.cgan import FAMILY, discriminator_loss, generator_loss
from experiments.laboratory.data import CHANNELS, Pictures, pictures
from experiments.laboratory.dcgan import CLASSES, LATENT, Discriminator, Generator
from experiments.laboratory.loop import Stateful, average_into, half_precision, kept_network
from lacelang.progress import Progress, shown

SEEDS = (1, 2, 3)
STEPS = 1000
BATCH = 64
RATE = 4e-4
#: Of the averaged weights, what is kept at each step.
DECAY = 0.995
_GENERATED = 500


class Training:
    """Generator, discriminator, their optimisers and, as the result, the average generator."""

    def __init__(self, name: str, data: Pictures, seed: int, batch: int) -> None:
        torch.manual_seed(seed)
        self.objective, self.data, self.batch = FAMILY[name], data, batch
        self.generator = Generator(data.channels)
        self.discriminator = Discriminator(data.channels)
        for network in (self.generator, self.discriminator):
            # A sixth faster on a processor.
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.result: nn.Module = copy.deepcopy(self.generator).requires_grad_(False)
        self.optimisers: dict[nn.Module, torch.optim.Optimizer] = {
            network: torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.5, 0.999))
            for network in (self.generator, self.discriminator)
        }
        self.parts: dict[str, Stateful] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "average": self.result,
            "steps of the generator": self.optimisers[self.generator],
            "steps of the discriminator": self.optimisers[self.discriminator],
        }

    def step(self, _: int = 0) -> None:
        """One step of the discriminator, then one of the generator, on the same images."""
        rows = torch.randint(len(self.data), (self.batch,))
        real, real_classes = self.data.at(rows), self.data.classes[rows]
        classes = torch.randint(CLASSES, (self.batch,))
        # Apart, since autocast keeps the halves of weights that the first step changes.
        with half_precision():
            images = self.generator(torch.randn(self.batch, LATENT), classes)
            loss = discriminator_loss(
                self.objective,
                self.discriminator(real),
                real_classes,
                self.discriminator(images.detach()),
                classes,
            )
        self._descend(self.discriminator, loss)
        with half_precision():
            loss = generator_loss(self.objective, self.discriminator(images), classes)
        self._descend(self.generator, loss)
        average_into(self.result, self.generator, DECAY)

    def _descend(self, network: nn.Module, loss: Tensor) -> None:
        for optimiser in self.optimisers.values():
            optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimisers[network].step()


def trained(
    name: str, dataset: str, seed: int, progress: Progress, steps: int = STEPS, batch: int = BATCH
) -> tuple[Generator, float]:
    """Return a generator and the processor seconds of its training; see `loop.kept_network`."""

    def begin() -> Training:
        return Training(name, pictures(dataset, "train", progress), seed, batch)

    generator = Generator(CHANNELS[dataset])
    stem = f"cgan/{dataset}-{name}-{seed}"
    return generator, kept_network(stem, generator, begin, steps, progress)


def generated(generator: Generator, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images (10 · count, C, 32, 32), `count` of each class, and their classes."""
    classes = torch.arange(CLASSES).repeat_interleave(count)
    z = torch.randn(len(classes), LATENT, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        pairs = zip(torch.split(z, _GENERATED), torch.split(classes, _GENERATED), strict=True)
        return torch.cat([generator(*pair) for pair in pairs]), classes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.laboratory.train_cgan")
    parser.add_argument("names", nargs="*", type=one_of(FAMILY), help="default: all")
    parser.add_argument("--data", choices=tuple(CHANNELS), default="fashion", help="the data set")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    add_steps(parser, STEPS)
    parsed = parser.parse_args(arguments)

    def work() -> int:
        with shown() as progress:
            for seed in parsed.seeds:
                for name in parsed.names or FAMILY:
                    _, seconds = trained(name, parsed.data, seed, progress, parsed.steps)
                    print(f"{name}, seed {seed}: {seconds:.0f} s of processor time", flush=True)
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
