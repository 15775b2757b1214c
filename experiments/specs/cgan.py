"""The conditional GANs of the slides by one objective: FID, inception score, intra-FID, ACC.

`python -m experiments.laboratory.train_cgan` trains them beforehand, resumably; what is missing is
trained here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from experiments.laboratory.cgan import FAMILY
from experiments.laboratory.data import Pictures, pictures
from experiments.laboratory.measures import Measures, Scores, measures
from experiments.laboratory.orderings import orderings
from experiments.laboratory.repeated import spread
from experiments.laboratory.sheets import sheet
from experiments.laboratory.train_cgan import (
    BATCH,
    SEEDS,
    STEPS,
    generated,
    trained,
)
from experiments.laboratory.train_latent import latents
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress

MODEL = "fashion"
#: Images of each class; as many as there are test images.
IMAGES = 1000
SEED = 9100
_SHOWN = 10
#: How LACE asks an unconditional generator for the same classes.
ASKED = ("LACE-ODE", "LACE-LD")
MEASURES = ("FID", "IS", "intra-FID")
#: The slides' figures for CIFAR-10 with DCGAN as the backbone, mean and deviation over seeds.
SLIDES = {
    "ACGAN": {"FID": (32.507, 2.174), "IS": (7.621, 0.088), "intra-FID": (129.603, 1.212)},
    "ProjGAN": {"FID": (21.918, 1.580), "IS": (8.095, 0.185), "intra-FID": (68.164, 2.055)},
    "ContraGAN": {"FID": (28.310, 1.761), "IS": (7.637, 0.125), "intra-FID": (153.730, 9.965)},
    "ECGAN-UC": {"FID": (18.035, 0.788), "IS": (8.487, 0.131), "intra-FID": (59.343, 1.557)},
}


def study(progress: Progress, faces: int | None) -> Report:
    """Judge all systems with all seeds; `faces` is the number of images of each class."""
    count = min(faces or IMAGES, IMAGES)
    measured = measures(MODEL, progress)
    found: dict[str, list[Scores]] = {name: [] for name in FAMILY}
    seconds: dict[str, float] = {}
    shown = {}
    for name in FAMILY:
        for seed in SEEDS:
            generator, seconds[name] = trained(name, MODEL, seed, progress)
            images, classes = generated(generator, count, SEED + seed)
            found[name].append(measured.of(images, classes))
            if seed == SEEDS[0]:
                rows = [torch.nonzero(classes == k)[:_SHOWN, 0] for k in range(10)]
                few = torch.stack([row[: min(count, _SHOWN)] for row in rows], dim=1)[:3]
                shown[name] = images[few.flatten()]
    lace: dict[str, Scores] = {}
    own, own_seconds = latents(MODEL, "w", progress)
    for how in ASKED:
        images, classes = own.sample(how, count, SEED)
        lace[how] = measured.of(images, classes)
    return Report(
        "cgan",
        [
            _summary(found, lace, seconds | dict.fromkeys(ASKED, own_seconds), measured, count),
            _by_seed(found),
            _orderings(found),
        ],
        [sheet("cgan", "Three images of each class, by system from above", shown, 10)],
        {"steps": STEPS, "batch": BATCH, "seeds": len(SEEDS), "images of a class": count},
    )


def _summary(
    found: Mapping[str, Sequence[Scores]],
    lace: Mapping[str, Scores],
    seconds: Mapping[str, float],
    measured: Measures,
    count: int,
) -> Table:
    rows: list[Row] = []
    for name, scores in found.items():
        own = FAMILY[name]
        row = {"system": name, "weights": " ".join(f"{weight:g}" for weight in own.weights)}
        for measure in (*MEASURES, "ACC"):
            row[measure] = spread(column(scores, measure))
            if name in SLIDES and measure in MEASURES:
                row[f"slides' {measure}"] = "{:.3f} ± {:.3f}".format(*SLIDES[name][measure])
        rows.append({**row, "s to train": round(seconds[name])})
    for how, one in lace.items():
        cells = {measure: f"{column([one], measure)[0]:.3f}" for measure in (*MEASURES, "ACC")}
        title = f"{how} on the style-based generator"
        rows.append({"system": title, **cells, "s to train": round(seconds[how])})
    train = pictures(MODEL, "train")
    chosen = real_images(train, count)
    real = measured.of(chosen.at(slice(None)), chosen.classes)
    cells = {measure: f"{column([real], measure)[0]:.3f}" for measure in (*MEASURES, "ACC")}
    rows.append({"system": "training images", **cells})
    return Table(
        "Conditional GANs by one objective",
        rows,
        "Weights: conditional, unconditional, classifier, contrastive. Mean ± deviation over the "
        f"seeds of training ({len(SEEDS)}), {count} images of each class against the test images "
        "of Fashion-MNIST. FID, IS and intra-FID are of a network trained on Fashion-MNIST, ACC of "
        f"another, which names {measured.judges.accuracy[0]:.3f} of the test images' classes; the "
        "slides' figures are of CIFAR-10 and an Inception network, so only orderings compare. "
        "Seconds are of one core, of the last seed. LACE asks one generator, which was trained "
        "without classes and longer; its seconds are of the classifier alone.",
    )


def real_images(train: Pictures, count: int) -> Pictures:
    """The first `count` training images of each class: what the best generator would reach."""
    rows = [torch.nonzero(train.classes == k)[:count, 0] for k in range(10)]
    return train.take(torch.cat(rows))


def column(scores: Sequence[Scores], measure: str) -> list[float]:
    """One measure of several groups of images with classes, which therefore have it."""
    return [float(each.row()[measure] or 0.0) for each in scores]


def _by_seed(found: dict[str, list[Scores]]) -> Table:
    rows = [
        {"system": name, "seed": seed, **scores.row()}
        for name, each in found.items()
        for seed, scores in zip(SEEDS, each, strict=True)
    ]
    return Table("Each seed", rows)


def _orderings(found: dict[str, list[Scores]]) -> Table:
    repeated = {name: {m: column(scores, m) for m in MEASURES} for name, scores in found.items()}
    slides = {name: {m: figures[0] for m, figures in own.items()} for name, own in SLIDES.items()}
    rows = [each.row(slides, repeated) for each in orderings(slides, repeated)]
    return Table(
        "Do the slides' orderings hold?",
        rows,
        "Each figure is a mean over seeds, with the slides' in brackets. An ordering holds if each "
        "seed of the one is better than each seed of the other.",
    )
