"""One objective for the conditional GANs: ECGAN (Chen, Li and Lin, NeurIPS 2021).

With exp f(x)[y] ∝ p(x, y), the joint distribution is learned from several angles:

    conditional    log p(x | y)      a GAN's loss of the logit f(x)[y]
    unconditional  log p(x)          a GAN's loss of the logit logsumexp_k f(x)[k]
    classifier     log p(y | x)      cross-entropy of softmax f(x)
    contrastive    the normaliser    bounded by similarities within the batch

    L = conditional + α unconditional + λ_clf classifier + λ_c contrastive

A weight of zero drops a term, and the earlier conditional GANs are what is left. Of these the
logit of the unconditional term is an output ψ(x) of its own; ProjGAN's conditional logit is
ψ(x) + f(x)[y]. The classifier term is of real images only, except in ACGAN, whose generator learns
from it too.
"""

from __future__ import annotations

import torch
from attrs import frozen
from torch import Tensor
from torch.nn import functional as F

from experiments.laboratory.dcgan import Seen

TEMPERATURE = 1.0


@frozen
class Objective:
    """Weights of the terms.

    Attributes:
        conditional: 1, or 0 without it.
        unconditional: α.
        classifier: λ_clf.
        contrastive: λ_c.
        energy: whether the marginal is logsumexp f(x) (ECGAN), not an output of its own.
        on_generated: whether the classifier term is of generated images, too (ACGAN).
    """

    conditional: float
    unconditional: float
    classifier: float
    contrastive: float
    energy: bool = True
    on_generated: bool = False

    @property
    def weights(self) -> tuple[float, float, float, float]:
        """Of the four terms: the zeros say which system it is."""
        return self.conditional, self.unconditional, self.classifier, self.contrastive


FAMILY = {
    "ACGAN": Objective(0, 1, 1, 0, energy=False, on_generated=True),
    "ProjGAN": Objective(1, 0, 0, 0, energy=False),
    "ContraGAN": Objective(0, 1, 0, 1, energy=False),
    "ECGAN-U": Objective(1, 1, 0, 0),
    "ECGAN-UC": Objective(1, 1, 1, 0),
    "ECGAN-UCE": Objective(1, 1, 1, 1),
}


def discriminator_loss(
    objective: Objective, real: Seen, real_classes: Tensor, fake: Seen, fake_classes: Tensor
) -> Tensor:
    """Return L of the discriminator, averaged over real and generated images."""

    def adversarial(on_real: Tensor, on_fake: Tensor) -> Tensor:
        return F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()

    loss = real.own.new_zeros(())
    if objective.conditional:
        logits = (
            conditional(objective, real, real_classes),
            conditional(objective, fake, fake_classes),
        )
        loss = loss + objective.conditional * adversarial(*logits)
    if objective.unconditional:
        logits = unconditional(objective, real), unconditional(objective, fake)
        loss = loss + objective.unconditional * adversarial(*logits)
    if objective.classifier:
        loss = loss + objective.classifier * F.cross_entropy(real.joint, real_classes)
        if objective.on_generated:
            loss = loss + objective.classifier * F.cross_entropy(fake.joint, fake_classes)
    if objective.contrastive:
        loss = loss + objective.contrastive * contrastive(real, real_classes)
    return loss


def generator_loss(objective: Objective, fake: Seen, classes: Tensor) -> Tensor:
    """Return L of the generator, averaged over generated images."""
    loss = fake.own.new_zeros(())
    if objective.conditional:
        loss = loss - objective.conditional * conditional(objective, fake, classes).mean()
    if objective.unconditional:
        loss = loss - objective.unconditional * unconditional(objective, fake).mean()
    if objective.classifier and objective.on_generated:
        loss = loss + objective.classifier * F.cross_entropy(fake.joint, classes)
    if objective.contrastive:
        loss = loss + objective.contrastive * contrastive(fake, classes)
    return loss


def conditional(objective: Objective, seen: Seen, classes: Tensor) -> Tensor:
    """The logit (N,) of log p(x | y), up to terms that do not depend on x."""
    asked = seen.joint.gather(1, classes[:, None])[:, 0]
    return asked if objective.energy else seen.own + asked


def unconditional(objective: Objective, seen: Seen) -> Tensor:
    """The logit (N,) of log p(x)."""
    return torch.logsumexp(seen.joint, dim=1) if objective.energy else seen.own


def contrastive(seen: Seen, classes: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """The conditional contrastive loss of ContraGAN (Kang and Park 2020, eq. 8).

    For each image: −log of the similarity to the own class and to other images of it, over the
    similarity to the own class and to all other images, with similarity exp(cosine / temperature).
    """
    to_class = (seen.embedding * seen.anchors[classes]).sum(1) / temperature
    between = seen.embedding @ seen.embedding.T / temperature
    self = torch.eye(len(classes), dtype=torch.bool)
    others = between.masked_fill(self, -torch.inf)
    alike = others.masked_fill(classes[:, None] != classes[None], -torch.inf)
    above = torch.logsumexp(torch.cat([to_class[:, None], alike], dim=1), dim=1)
    below = torch.logsumexp(torch.cat([to_class[:, None], others], dim=1), dim=1)
    return (below - above).mean()
