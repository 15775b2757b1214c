"""Classifiers that guide a score model, plain and self-calibrated (Huang, Chen and Lin 2023).

A classifier softmax f(x, t) of noisy images guides by ∇ log p(y | x). Of few labelled images it
overfits. With exp f(x, t)[k] ∝ p(x, k) it is also a score model, ∇ log Σ_k exp f(x, t)[k], which
all images can teach, labelled or not:

    L = −log softmax f(x(t), t)[y]  +  λ ‖ s(t) ∇ logsumexp f(x(t), t) + ε ‖² / pixels

The first term is of labelled images, the second, denoising score matching with weight s², of all.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from experiments.laboratory.sde import Gradient, column, noisy
from experiments.laboratory.unet import TimedClassifier

#: λ of self-calibrated classifiers.
WEIGHT = 1.0


def classifier_loss(
    network: TimedClassifier, x: Tensor, classes: Tensor, t: Tensor, noise: Tensor
) -> Tensor:
    """−log p(y | x(t)) of images (N, C, 32, 32) and classes (N,) at times t (N,), the mean."""
    return F.cross_entropy(network(noisy(network.diffusion, x, t, noise), t), classes)


def calibration_loss(network: TimedClassifier, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """‖s ∇ logsumexp f + ε‖² / pixels of images (N, C, 32, 32) at times t (N,), the mean."""
    at = noisy(network.diffusion, x, t, noise).requires_grad_()
    score = marginal_score(network, at, t)
    missed: Tensor = column(network.diffusion.deviation(t)) * score + noise
    return missed.square().mean()


def marginal_score(network: TimedClassifier, x: Tensor, t: Tensor) -> Tensor:
    """∇ log Σ_k exp f(x, t)[k], differentiable in the weights; x must ask for gradients."""
    total = torch.logsumexp(network(x, t), dim=1).sum()
    (score,) = torch.autograd.grad(total, x, create_graph=True)
    return score


def gradient_of(network: TimedClassifier, classes: Tensor) -> Gradient:
    """∇ log p(y | x) of noisy images x (N, C, 32, 32), y the classes (N,)."""

    def gradient(x: Tensor, t: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            chosen = F.log_softmax(network(x, t), dim=1).gather(1, classes[:, None])
            (found,) = torch.autograd.grad(chosen.sum(), x)
        return found

    return gradient


def labelled(classes: Tensor, share: float, seed: int) -> Tensor:
    """Rows (M,) of the images whose labels are known: a share of each class, at least one."""
    random = torch.Generator().manual_seed(seed)
    rows = []
    for k in range(int(classes.max()) + 1):
        own = torch.nonzero(classes == k)[:, 0]
        count = max(1, round(share * len(own)))
        rows.append(own[torch.randperm(len(own), generator=random)[:count]])
    return torch.cat(rows)
