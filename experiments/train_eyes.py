"""Train the second judge of stdlib/eyes.lace: `python -m experiments.train_eyes --out stdlib`.

Draws that no other part of the project sees are labelled by the published classifier; a linear
layer learns the classes from the colours of a small copy, and from features of a network that was
trained on photographs of other things.
It steers nothing and labels nothing: `experiments/specs/eyes.py` judges with it.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save as to_bytes
from torch.nn import functional as F

from experiments.command_line import exit_code_of
from lacelang.annotators.eyes import COLORS, EYES
from lacelang.annotators.eyes.annotator import SECOND, colours, second
from lacelang.annotators.images import resize
from lacelang.classifiers.draws import Draws, from_prior, joined
from lacelang.classifiers.labels import columns_of
from lacelang.classifiers.measuring import Source, measure
from lacelang.cli.models import find_model
from lacelang.engine.loading import load
from lacelang.progress import Progress, shown
from lacelang.semantics.weights import weights_of
from lacelang.storage.files import make_folder, write_atomic

Floats = NDArray[np.float32]

SEED = 73_001
DRAWS = 3000
HELD_OUT = 0.15
STEPS = 400
PENALTY = 5e-2


def labelled(draws: Draws, progress: Progress, workers: int | None) -> tuple[Floats, Floats]:
    """Image features and colours (N, 1712), and classes (N,), of draws."""
    spec = find_model("eyes")
    source = Source(spec.generator, weights_of(spec))
    found = measure(source, draws, [EYES], progress=progress, workers=workers)
    images = draws.images(load(spec, "cpu", progress).generator)
    seen = np.stack([colours(resize(image, EYES.size)) for image in images])
    read = np.concatenate([found[EYES.features], seen], axis=1)
    return read.astype(np.float32), columns_of(found, [EYES])["color"]


def fitted(features: Floats, classes: Floats) -> dict[str, NDArray[np.generic]]:
    """Fit the multinomial logistic regression of classes (N,) on features (N, d)."""
    x, y = torch.from_numpy(features), torch.from_numpy(classes).long()
    mean, deviation = x.mean(dim=0), x.std(dim=0) + 1e-3
    weight = torch.zeros(len(COLORS), x.shape[1], requires_grad=True)
    bias = torch.zeros(len(COLORS), requires_grad=True)
    optimiser = torch.optim.Adam([weight, bias], lr=3e-3)
    standard = (x - mean) / deviation
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = F.cross_entropy(standard @ weight.T + bias, y) + PENALTY * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    whole = (weight / deviation).detach()
    return {
        "weight": whole.half().numpy(),
        "bias": (bias.detach() - whole @ mean).numpy(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.train_eyes", description="Train a judge.")
    parser.add_argument("--out", type=Path, default=Path("stdlib"), help="where to write")
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"default: {DRAWS}")
    parser.add_argument("--workers", type=int, help="processes; default: one per core")
    parsed = parser.parse_args(arguments)

    def work() -> int:
        make_folder(parsed.out)
        with shown() as progress:
            # All at truncation 1, the model's default, and some nearer to the mean.
            dim = 108
            usual = from_prior(SEED, round(0.7 * parsed.draws), dim, (1.0, 1.0))
            near = from_prior(SEED + 1, parsed.draws - len(usual), dim, (0.7, 1.0))
            x, y = labelled(joined([usual, near]), progress, parsed.workers)
        order = np.random.default_rng(SEED).permutation(len(x))
        held, rest = np.split(order, [round(HELD_OUT * len(x))])
        head = fitted(x[rest], y[rest])
        agrees = second(x[held], head) == y[held]
        print(f"agrees with the labels in {agrees.mean():.3f} of {len(held)} held-out images")
        write_atomic(parsed.out / SECOND, to_bytes(head))
        print(parsed.out / SECOND)
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
