"""Class-conditional digits, as the paper's table 1 of CIFAR-10: accuracy, distance and time."""

from __future__ import annotations

import numpy as np
import torch
from attrs import evolve
from numpy.typing import NDArray

from experiments.classes import EXACT, SAMPLERS, Subject, ask, by_class, by_method, sheet
from experiments.idx import images
from experiments.reference import Reference
from lacelang.annotators.digits import DIGITS, READER, SECOND
from lacelang.annotators.digits.annotator import fill
from lacelang.annotators.digits.networks import Reader
from lacelang.classifiers.draws import Draws
from lacelang.evaluate.report import Report, Row
from lacelang.generators.vae import DIM
from lacelang.progress import Progress
from lacelang.samplers.streams import prior

MODEL = "digits"
IMAGES = 200
SEED = 7100
PRIOR_SEED = 7200
#: Directions of the features in which distances are computed: a third of them.
DIRECTIONS = 24
_SHOWN = 12
#: Accuracy and FID of the paper's table 1, on CIFAR-10.
PAPER = {
    "exponential": (0.972, 6.63),
    "dopri5": (0.972, 6.63),
    "langevin(preset=paper)": (0.939, 4.30),
    "pc": (0.747, 2.99),
}
SUBJECT = Subject(MODEL, "digit", DIGITS, READER, SECOND, "second_digit")


def study(progress: Progress, faces: int | None) -> Report:
    """Sample every digit with every sampler, and compare with real images."""
    count = min(faces or IMAGES, IMAGES)
    found = ask(SUBJECT, (*SAMPLERS, EXACT), count, SEED, progress)
    whole = count * len(DIGITS)
    real = _real_features()
    reference = Reference.of(real[:-whole], DIRECTIONS)
    z = prior(PRIOR_SEED, range(whole), DIM).numpy()
    plain = SUBJECT.seen(Draws.at(z, 1.0), progress, "unconditioned digits")
    others: list[Row] = [
        {
            "method": "unconditioned",
            "images": whole,
            "ACC": None,
            "both": float((plain.first == plain.second).mean()),
            "Fréchet": reference.distance(plain.features),
        },
        {"method": "real images", "images": whole, "Fréchet": reference.distance(real[-whole:])},
    ]
    method = by_method(found, reference, others, _NOTE)
    rows = [{**row, **_paper(str(row["method"]))} for row in method.rows]
    exact = found[EXACT]
    return Report(
        "digits",
        [by_class(SUBJECT, exact, how=EXACT), evolve(method, rows=rows)],
        [sheet(SUBJECT, exact, _SHOWN)],
    )


_NOTE = (
    "ACC and the second judge are trained on different halves of MNIST's training images; `both` "
    "is the share in which both see the digit that was asked for, and of unconditioned images the "
    "share in which they agree. The Fréchet distance, in 24 directions of the first judge's "
    "features, is to real test images; the paper's figures are of CIFAR-10, with other features."
)


def _paper(method: str) -> Row:
    accuracy, distance = PAPER.get(method, (None, None))
    return {"paper's ACC": accuracy, "paper's FID": distance}


def _real_features() -> NDArray[np.float32]:
    """Features (N, 64) of MNIST's test images, which no network was trained on."""
    network = Reader()
    fill(network, "reader")
    pixels = images("t10k", None).pixels.astype(np.float32) / np.float32(255.0)
    with torch.inference_mode():
        parts = torch.split(torch.from_numpy(pixels)[:, None], 500)
        return torch.cat([network.features(part) for part in parts]).numpy()
