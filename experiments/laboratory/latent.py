"""LACE on the latents of an unconditional style-based generator of 32 x 32 images.

Classifiers of w, of z, or of images learn from what the reader sees in the generator's images:
plain ones by cross-entropy, those of Latent-JEM (LACE A.4) with the likelihood of z under

    E(z) = ½‖z‖² − logsumexp f(g(z)),     L = −log softmax f(g(z))[y] + E(z) − E(z⁻)

z⁻ by Langevin dynamics from a replay buffer. Sampling is by the samplers of `lacelang`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal

import torch
from attrs import frozen
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.laboratory.judges import CLASSES
from experiments.laboratory.style_gan import LATENT, StyleGenerator
from experiments.published import paper
from lacelang.energy import ConditionalEnergy, Outputs, Penalty, Quantity, Surprisal, conjunction
from lacelang.samplers import SAMPLERS
from lacelang.samplers.solution import Solution
from lacelang.samplers.streams import Streams, prior

_BATCH = 500  # images that are decoded at once
_ATTRIBUTE = "class"
_MARGINAL = Quantity("marginal of the latent classifier")
#: Chains of Latent-JEM: their number, those of one step, its Langevin steps, the share begun anew.
CHAINS, BATCH, WALK, ANEW = 10_000, 64, 5, 0.05


class StyleClassifier(nn.Module):
    """w, or z (N, 128) → logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        sizes = (LATENT, 128, 128)
        self.register_buffer("mean", torch.zeros(LATENT))
        self.register_buffer("spread", torch.ones(LATENT))
        layers: list[nn.Module] = []
        for into, out in pairwise(sizes):
            layers += [nn.Linear(into, out), nn.LeakyReLU(0.2), nn.Dropout(0.2)]
        self.body = nn.Sequential(*layers, nn.Linear(sizes[-1], CLASSES))

    mean: Tensor
    spread: Tensor

    def standardise_by(self, w: Tensor) -> None:
        """Take the mean and the deviation of w (N, 128)."""
        self.mean.copy_(w.mean(0))
        self.spread.copy_(w.std(0) + 1e-6)

    def forward(self, w: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.body((w - self.mean) / self.spread)
        return logits


def latent_energy(logits: Tensor, z: Tensor) -> Tensor:
    """½‖z‖² − logsumexp f (N,): the energy of z under Latent-JEM."""
    return 0.5 * z.square().sum(1) - torch.logsumexp(logits, dim=1)


def jem_loss(logits: Tensor, classes: Tensor, z: Tensor, fake: Tensor, chains: Tensor) -> Tensor:
    """−log p(y | z) + E(z) − E(z⁻), the mean.

    Logits (N, 10) are those at z (N, 128), with classes (N,); `fake` those at the chains z⁻, of the
    same shape.
    """
    likelihood = latent_energy(logits, z).mean() - latent_energy(fake, chains).mean()
    return F.cross_entropy(logits, classes) + likelihood


def walk(logits: Callable[[Tensor], Tensor], z: Tensor, step: float) -> Tensor:
    """Langevin steps z ← z − η ∇E(z) + √(2η) ε of Latent-JEM's energy, by torch's generator."""
    for _ in range(WALK):
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            (slope,) = torch.autograd.grad(latent_energy(logits(z), z).sum(), z)
        z = z.detach() - step * slope + math.sqrt(2 * step) * torch.randn_like(z)
    return z


Solve = Callable[[ConditionalEnergy, Tensor, Streams], Solution]
Space = Literal["z", "w", "pixels"]
"""What a classifier reads."""


def read(generator: StyleGenerator, space: Space, z: Tensor) -> Tensor:
    """What a classifier of a space reads of z (N, 128): its direction, w, or the image."""
    if space == "pixels":
        images: Tensor = generator(z)
        return images
    return generator.styles(z) if space == "w" else F.normalize(z, dim=1) * math.sqrt(LATENT)


@frozen(eq=False)
class Latents:
    """A generator, a classifier, what that reads, and whether it is Latent-JEM's."""

    generator: StyleGenerator
    classifier: nn.Module
    space: Space = "w"
    joint: bool = False

    def logits(self, z: Tensor) -> Tensor:
        """The classifier's logits (N, 10) at z (N, 128)."""
        found: Tensor = self.classifier(read(self.generator, self.space, z))
        return found

    def energy(self, asked: int) -> ConditionalEnergy:
        """−log p(y | z) without the prior; of Latent-JEM −f[y], the conditional of its joint."""

        def features(z: Tensor) -> Outputs:
            logits = self.logits(z)
            return {_ATTRIBUTE: logits, _MARGINAL: -torch.logsumexp(logits, dim=1)}

        nodes = [Surprisal(_ATTRIBUTE, frozenset({asked}))]
        node = conjunction([*nodes, Penalty(_MARGINAL, 1.0)] if self.joint else nodes)
        return ConditionalEnergy(features, node)

    def sample(self, how: str | Solve, count: int, seed: int) -> tuple[Tensor, Tensor]:
        """Images (10 · count, C, 32, 32), `count` of each class, and their classes.

        `how` is one of `METHODS`, or a sampler.
        """
        solve = METHODS[how] if isinstance(how, str) else how
        found = []
        for k in range(CLASSES):
            indices = range(k * count, (k + 1) * count)
            found.append(
                solve(self.energy(k), prior(seed, indices, LATENT), Streams(seed, indices)).z
            )
        classes = torch.arange(CLASSES).repeat_interleave(count)
        return images_of(self.generator, torch.cat(found).float()), classes


def images_of(generator: StyleGenerator, z: Tensor) -> Tensor:
    """Images (N, C, 32, 32) in [−1, 1] of z (N, 128)."""
    with torch.inference_mode():
        return torch.cat([generator(part).clamp(-1, 1) for part in torch.split(z, _BATCH)])


def _ode(energy: ConditionalEnergy, z0: Tensor, _: Streams) -> Solution:
    return paper(energy, z0)


def named(name: str, **options: Any) -> Solve:
    """A sampler of `lacelang` with options."""

    def solve(energy: ConditionalEnergy, z0: Tensor, streams: Streams) -> Solution:
        solution: Solution = SAMPLERS[name](energy, z0, streams=streams, **options)
        return solution

    return solve


#: The paper's samplers by its names: one dopri5 for a batch, Langevin of 100 steps, and so on.
METHODS: dict[str, Solve] = {
    "LACE-ODE": _ode,
    "LACE-euler, 0.01": named("euler", step=1e-2),
    "LACE-euler, 0.001": named("euler", step=1e-3),
    "LACE-LD": named("langevin", steps=100, step=0.01, noise=0.01),
    "LACE-PC, 100": named("pc", steps=100),
    "LACE-PC, 200": named("pc", steps=200),
    "Latent-JEM, 0.1": named("langevin", steps=100, step=0.1, noise=math.sqrt(0.2)),
    "Latent-JEM, 0.01": named("langevin", steps=100, step=0.01, noise=math.sqrt(0.02)),
}
