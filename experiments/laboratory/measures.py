"""How good images are: FID, inception score, intra-FID and ACC, by torchmetrics.

The Fréchet distance (Heusel et al. 2017) is between Gaussians fitted to features of generated
images and of real test images; intra-FID is its mean over the classes. The inception score is
(Salimans et al. 2016) exp E KL(p(y | x) ‖ p(y)). Features and logits are those of `judges.Reader`,
so the figures compare with each other, not with those of Inception networks.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any

import torch
from attrs import frozen
from torch import Tensor, nn

from experiments.laboratory.data import pictures
from experiments.laboratory.judges import CLASSES, FEATURES, Judges, judges
from lacelang.errors import ResourceError
from lacelang.progress import Progress

#: Parts of the images over which the inception score is averaged.
SPLITS = 10


class _AsTheyAre(nn.Module):
    """What torchmetrics takes for a feature network: features are computed once for all metrics."""

    num_features = FEATURES

    def forward(self, features: Tensor) -> Tensor:
        return features


@frozen
class Scores:
    """Figures of a group of images; `acc` and `intra_fid` are None where no class was asked for."""

    images: int
    fid: float
    inception: float
    intra_fid: float | None
    acc: float | None

    def row(self) -> dict[str, float | int | None]:
        """The cells of a table."""
        return {
            "images": self.images,
            "FID": self.fid,
            "IS": self.inception,
            "intra-FID": self.intra_fid,
            "ACC": self.acc,
        }


@frozen(eq=False)
class Measures:
    """Judges of one data set, and the features (N, 64) of its test images with their classes."""

    judges: Judges
    features: Tensor
    classes: Tensor

    def of(self, images: Tensor, asked: Tensor | None = None) -> Scores:
        """Judge images (N, C, 32, 32) in [−1, 1]; `asked` are the classes (N,) asked for."""
        features, logits = self.judges.read(images)
        within = acc = None
        if asked is not None:
            each = [
                frechet(self.features[self.classes == k], features[asked == k])
                for k in range(CLASSES)
                if int((asked == k).sum()) > 1
            ]
            within = sum(each) / len(each)
            acc = float((self.judges.classes(images) == asked).float().mean())
        return Scores(
            len(images), frechet(self.features, features), inception_score(logits), within, acc
        )


def measures(name: str, progress: Progress | None = None) -> Measures:
    """The measures of a data set."""
    test = pictures(name, "test", progress)
    found = judges(name, test.channels)
    features = torch.cat(
        [found.read(test.at(rows))[0] for rows in torch.split(torch.arange(len(test)), 500)]
    )
    return Measures(found, features, test.classes)


def frechet(real: Tensor, fake: Tensor) -> float:
    """Fréchet distance of two groups of features (N, 64) and (M, 64), N and M at least 2."""
    metric = _torchmetrics()[0](feature=_AsTheyAre())
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return float(metric.compute())


def inception_score(logits: Tensor) -> float:
    """exp E KL(p(y | x) ‖ p(y)) of logits (N, 10), the mean over parts of the images."""
    splits = min(SPLITS, max(1, len(logits) // 100))
    # It permutes the rows by torch's global generator, and warns of its memory.
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        metric = _torchmetrics()[1](feature=_AsTheyAre(), splits=splits)
        metric.update(logits)
        mean, _ = metric.compute()
    return float(mean)


def _torchmetrics() -> tuple[type[Any], type[Any]]:
    """The two metrics' classes."""
    from lacelang.system.torchvision import import_torchvision

    try:
        with suppress(ModuleNotFoundError):
            import_torchvision()  # which torchmetrics imports where it is installed
        from torchmetrics.image.fid import FrechetInceptionDistance
        from torchmetrics.image.inception import InceptionScore
    except ImportError as error:
        raise ResourceError(
            "the laboratory's metrics need torchmetrics",
            "install it: pip install 'lacelang[experiments]'",
        ) from error
    return FrechetInceptionDistance, InceptionScore
