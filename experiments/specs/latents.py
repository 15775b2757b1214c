"""Samplers of latents on the style-based generator: the paper's table 6, and figures 5 and 18.

`python -m experiments.laboratory.train_style_gan` and `train_latent` train generator and
classifiers beforehand, resumably; what is missing is trained here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from time import process_time

import numpy as np
from attrs import frozen

from experiments.laboratory.latent import Latents, Solve, images_of, named
from experiments.laboratory.measures import Measures, measures
from experiments.laboratory.sheets import sheet
from experiments.laboratory.style_gan import LATENT
from experiments.laboratory.train_latent import latents
from experiments.plot import scatter
from experiments.published import paper
from lacelang.evaluate.report import Picture, Report, Row, Table
from lacelang.progress import Progress
from lacelang.samplers.streams import prior

MODEL = "fashion"
#: Images of each class for a setting; where the classifier reads images.
IMAGES, IMAGES_PIXELS = 50, 10
SEED = 9400
ODE, LD = "LACE-ODE", "LACE-LD"
TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4)
STEPS = (50, 100, 200)
STEP_SIZES = (3e-3, 1e-2, 3e-2)
NOISES = (3e-3, 1e-2, 3e-2, 1e-1)
#: Columns and rows of sheets.
_SHOWN = (16, 4)
#: The paper's default setting of each sampler.
DEFAULT: Mapping[str, tuple[float, ...]] = {ODE: (1e-3, 1e-3), LD: (100, 1e-2, 1e-2)}
#: All settings; and fewer, for the comparison of spaces.
GRID = (
    *((ODE, both) for both in product(TOLERANCES, TOLERANCES)),
    *((LD, values) for values in product(STEPS, STEP_SIZES, NOISES)),
)
SMALL_GRID = (
    *((ODE, (tolerance, tolerance)) for tolerance in TOLERANCES),
    *((LD, (*DEFAULT[LD][:2], noise)) for noise in NOISES),
)
#: For a classifier of pixels: the paper's tolerances would take minutes for a class.
PIXELS = ((ODE, (1e-2, 1e-2)), (LD, DEFAULT[LD]))
#: The paper's table 6 (CIFAR-10), by sampler and space: ACC and FID of the default setting, of the
#: one with the best ACC, and of the one with the best FID.
PAPER: Mapping[tuple[str, str], tuple[float, ...]] = {
    (ODE, "z"): (0.929, 7.34, 0.933, 7.94, 0.912, 6.66),
    (ODE, "w"): (0.971, 6.69, 0.979, 8.52, 0.957, 5.40),
    (ODE, "pixels"): (0.473, 20.18, 0.473, 20.18, 0.413, 9.98),
    (LD, "z"): (0.924, 10.27, 0.990, 23.62, 0.549, 2.93),
    (LD, "w"): (0.935, 4.34, 0.992, 14.36, 0.769, 2.89),
    (LD, "pixels"): (0.394, 10.85, 0.468, 74.76, 0.134, 3.28),
}


@frozen
class Setting:
    """A sampler with its hyperparameters, and what came of it."""

    sampler: str
    values: tuple[float, ...]
    acc: float
    fid: float
    seconds: float  # of processor time, for 64 images


def study(progress: Progress, faces: int | None) -> Report:
    """Judge every setting; `faces` is the number of images of each class."""
    count = min(faces or IMAGES, IMAGES)
    measured = measures(MODEL, progress)
    own = {space: latents(MODEL, space, progress)[0] for space in ("w", "z", "pixels")}
    found: dict[str, list[Setting]] = {}
    asked = {"w": GRID, "z": SMALL_GRID, "pixels": PIXELS}
    with progress.stage("settings", total=sum(map(len, asked.values()))) as stage:
        for space, each in own.items():
            number = min(count, IMAGES_PIXELS) if space == "pixels" else count
            for sampler, values in asked[space]:
                setting = judged(each, sampler, values, measured, number)
                found.setdefault(space, []).append(setting)
                stage.advance()
    about = {"images of a class": count, "of a class, classifier of pixels": IMAGES_PIXELS}
    tables = [_spread(found["w"]), _spaces(found), _every(found["w"], count)]
    return Report("latents", tables, [*_sheets(own["w"]), *_figures(found["w"])], about)


def solver(sampler: str, values: tuple[float, ...]) -> Solve:
    """A sampler with its hyperparameters; the ODE's is the paper's, one dopri5 for a batch."""
    if sampler == ODE:
        return lambda energy, z0, _: paper(energy, z0, values[0], values[1])
    return named("langevin", steps=int(values[0]), step=values[1], noise=values[2])


def judged(
    latent: Latents, sampler: str, values: tuple[float, ...], measured: Measures, count: int
) -> Setting:
    """Sample every class by one setting, and judge the images."""
    begun = process_time()
    images, classes = latent.sample(solver(sampler, values), count, SEED)
    seconds = 64 * (process_time() - begun) / len(images)
    scores = measured.of(images, classes)
    return Setting(sampler, values, scores.acc or 0.0, scores.fid, seconds)


def _of(settings: Sequence[Setting], sampler: str) -> list[Setting]:
    return [each for each in settings if each.sampler == sampler]


def _spread(settings: Sequence[Setting]) -> Table:
    rows: list[Row] = []
    for sampler in (ODE, LD):
        these = _of(settings, sampler)
        row: dict[str, str | float | int | None] = {"sampler": sampler, "settings": len(these)}
        for name, values in (("ACC", [s.acc for s in these]), ("FID", [s.fid for s in these])):
            low, middle, high = np.quantile(values, (0, 0.5, 1)).tolist()
            row |= {f"lowest {name}": low, f"median {name}": middle, f"highest {name}": high}
        rows.append(row)
    return Table(
        "Spread of the settings",
        rows,
        "The paper has 81 settings of the ODE and 104 of Langevin dynamics.",
    )


def _spaces(found: Mapping[str, Sequence[Setting]]) -> Table:
    rows: list[Row] = []
    for (sampler, space), published in PAPER.items():
        these = _of(found[space], sampler)
        default = next((s for s in these if s.values == DEFAULT[sampler]), these[0])
        chosen = {
            "default": default,
            "best ACC": max(these, key=lambda s: s.acc),
            "best FID": min(these, key=lambda s: s.fid),
        }
        row: dict[str, str | float | int | None] = {"sampler": sampler, "space": space}
        for number, (name, setting) in enumerate(chosen.items()):
            if len(these) > 1 or name == "default":
                row |= {f"{name}: ACC": setting.acc, f"{name}: FID": setting.fid}
            row |= {f"paper's {name}: ACC": published[2 * number]}
            row |= {f"paper's {name}: FID": published[2 * number + 1]}
        rows.append(row)
    return Table(
        "Which space the classifier reads",
        rows,
        f"Of {len(GRID)} settings for w, and of {len(SMALL_GRID)} for z. Classifiers of pixels "
        f"have one setting, of the ODE with tolerances of 0.01, and {IMAGES_PIXELS} images a "
        "class, whose FID does not compare with the others. All classifiers learned from the same "
        "labels of generated images.",
    )


def _every(settings: Sequence[Setting], count: int) -> Table:
    rows: list[Row] = [
        {
            "sampler": s.sampler,
            "setting": ", ".join(f"{value:g}" for value in s.values),
            "ACC": s.acc,
            "FID": s.fid,
            "s for 64": s.seconds,
        }
        for s in settings
    ]
    note = f"atol and rtol; steps, step and noise. The classifier reads w; {count} images a class."
    return Table("Every setting", rows, note)


def _sheets(latent: Latents) -> Iterator[Picture]:
    """What the generator makes, and of each class what LACE asks of it."""
    columns, rows = _SHOWN
    drawn = images_of(latent.generator, prior(SEED, range(rows * columns), LATENT).float())
    yield sheet("generator", "Draws of the generator", {"at random": drawn}, columns)
    asked, _ = latent.sample("LACE-ODE", columns, SEED)
    yield sheet("classes", "A row of each class", {"LACE-ODE": asked}, columns)


def _figures(settings: Sequence[Setting]) -> list[Picture]:
    """The paper's figure 5, and the four panels of figure 18."""
    points = {name: [(s.fid, s.acc) for s in _of(settings, name)] for name in (ODE, LD)}
    title = "One dot per setting"
    pictures = [scatter("settings", title, "FID", "ACC", points, log="x")]
    for measure in ("ACC", "FID"):
        tolerances = _lines(_of(settings, ODE), measure, "rtol {1:g}", along=0)
        title = f"dopri5: {measure} by atol"
        name = f"ode_{measure.lower()}"
        pictures.append(scatter(name, title, "atol", measure, tolerances, log="x", lines=True))
        some = [s for s in _of(settings, LD) if s.values[1] == DEFAULT[LD][1]]
        noises = _lines(some, measure, "{0:g} steps", along=2)
        title = f"Langevin dynamics, step {DEFAULT[LD][1]:g}: {measure} by noise"
        name = f"langevin_{measure.lower()}"
        pictures.append(scatter(name, title, "noise", measure, noises, log="x", lines=True))
    return pictures


def _lines(
    settings: Sequence[Setting], measure: str, label: str, along: int
) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for s in settings:
        value = s.acc if measure == "ACC" else s.fid
        found.setdefault(label.format(*s.values), []).append((s.values[along], value))
    return {name: sorted(points) for name, points in found.items()}
