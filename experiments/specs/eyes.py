"""Painted eyes of each colour: the energy, and the generator that is only asked for its colour."""

from __future__ import annotations

import numpy as np
from attrs import evolve

from experiments.classes import EXACT, SAMPLERS, Seen, Subject, ask, by_class, by_method, sheet
from experiments.reference import Reference
from lacelang.annotators.eyes import COLORS, EYES, SECOND
from lacelang.classifiers.draws import Draws
from lacelang.evaluate.report import Report, Row
from lacelang.generators.dcgan import EYE_COLORS, Z
from lacelang.progress import Progress
from lacelang.samplers.streams import prior

MODEL = "eyes"
IMAGES = 64
SEED = 8100
#: Draws of the generator that is only asked for its colour: of the reference, and others.
PLAIN = 640
REFERENCE_SEED = 8200
PLAIN_SEED = 8300
_SHOWN = 12

SUBJECT = Subject(MODEL, "color", EYE_COLORS, EYES, SECOND, "second_color")


def study(progress: Progress, faces: int | None) -> Report:
    """Sample every colour, and compare with the plain generator."""
    count = min(faces or IMAGES, IMAGES)
    found = ask(SUBJECT, (SAMPLERS[0], EXACT), count, SEED, progress)
    shown, asked = _plain(REFERENCE_SEED, PLAIN, progress)
    reference = Reference.of(shown.rows(shown.first == asked).features)
    plain, classes = _plain(PLAIN_SEED, count * len(EYE_COLORS), progress)
    beside: dict[str, Row] = {
        value: {"plain": float((plain.first == k)[classes == k].mean())}
        for k, value in enumerate(EYE_COLORS)
    }
    beside["all"] = {"plain": float((plain.first == classes).mean())}
    others: list[Row] = [
        {
            "method": "the generator alone",
            "images": len(classes),
            **plain.shares(classes),
            "Fréchet": reference.distance(plain.features),
        }
    ]
    exact = found[EXACT]
    table = by_class(SUBJECT, exact, beside, EXACT)
    note = "`plain` is the share of the generator alone, given that colour as its class."
    return Report(
        "eyes",
        [evolve(table, note=note), by_method(found, reference, others, _NOTE)],
        [sheet(SUBJECT, exact, _SHOWN)],
    )


_NOTE = (
    "ACC is by the published classifier, whose labels the latent classifiers learned; the second "
    "judge, by features of photographs, learned from labels of other draws and steers nothing. "
    f"`{COLORS[-1]}` counts as wrong. The Fréchet distance, in 64 directions of image features, is "
    "to draws of the generator alone that show their colour."
)


def _plain(seed: int, count: int, progress: Progress) -> tuple[Seen, np.ndarray]:
    """Draws of the generator, equally many of every class, and their classes (N,)."""
    z = prior(seed, range(count), Z + len(EYE_COLORS)).numpy()
    classes = np.arange(count) % len(EYE_COLORS)
    # The class is where the last coordinates are largest: the largest moves to the one asked for.
    g = z[:, Z:]
    largest = g.argmax(axis=1)
    rows = np.arange(count)
    g[rows, largest], g[rows, classes] = g[rows, classes].copy(), g[rows, largest].copy()
    return SUBJECT.seen(Draws.at(z, 1.0), progress, "the generator alone"), classes
