"""Conditional sampling by every method: the paper's table 2, on faces of our own generator.

Single attributes by the default sampler; glasses, and gender with smile and age, by the samplers
that the paper has, by Latent-JEM, and by a linear direction in w.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from lacelang.api import compile
from lacelang.classifiers import labels
from lacelang.classifiers.latent_jem import STEP_SIZES
from lacelang.engine.loading import labels_of, load
from lacelang.evaluate import frechet, jem, linear, timing
from lacelang.evaluate.codes import Codes, codes_of
from lacelang.evaluate.methods import Asked, Outcome, by_directions, by_jem, by_samplers, move
from lacelang.evaluate.report import Cell, Report, Table
from lacelang.evaluate.sheets import sheet_of
from lacelang.evaluate.unconditioned import REFERENCE_FACES, Unconditioned, unconditioned
from lacelang.ir import ModelSpec
from lacelang.samplers import DEFAULT_SAMPLER

if TYPE_CHECKING:
    from lacelang.progress import Progress

SINGLES = ("glasses", "smile", "gender", "beard", "haircolor", "yaw", "age")
JOINT = ("gender", "smile", "age")
#: Faces in the prior's proportions: of each single attribute, of the joint code, and of either by
#: a method that is not the default.
NATURAL = 128
NATURAL_JOINT = 192
NATURAL_OTHERS = 72
#: Every code is asked of this share, at least, of the faces it would get if all were equal.
LEAST = 0.75
SEED = 700
BATCH = 64
TIMED = ("glasses=1", "gender=female and smile=1 and age=55")

SAMPLERS = tuple(
    dict.fromkeys((DEFAULT_SAMPLER, "dopri5", "euler", "langevin", "langevin(preset=paper)", "pc"))
)
JEM = {f"Latent-JEM, step {step}": step for step in STEP_SIZES}
LINEAR = "linear direction"
_DISTANCES = ("Fréchet", "× unconditioned")


@frozen
class Paper:
    """A method's row of the paper's table 2 for one condition: FID, seconds, ACC by attribute."""

    fid: float
    seconds: float
    accuracy: tuple[float, ...]


#: The default sampler follows the flow of the paper's ODE, and is set beside it too.
PAPER_GLASSES = {
    **dict.fromkeys((DEFAULT_SAMPLER, "dopri5"), Paper(20.93, 0.68, (0.998,))),
    "langevin(preset=paper)": Paper(20.92, 1.15, (0.998,)),
    "pc": Paper(21.48, 1.29, (0.943,)),
    "Latent-JEM, step 0.1": Paper(22.83, 0.69, (0.765,)),
    "Latent-JEM, step 0.01": Paper(21.58, 0.69, (0.750,)),
}
PAPER_JOINT = {
    **dict.fromkeys((DEFAULT_SAMPLER, "dopri5"), Paper(24.52, 4.81, (0.969, 0.982, 0.914))),
    "langevin(preset=paper)": Paper(22.97, 2.40, (0.955, 0.960, 0.913)),
    "pc": Paper(24.31, 2.65, (0.951, 0.922, 0.896)),
    "Latent-JEM, step 0.1": Paper(22.74, 0.93, (0.878, 0.953, 0.843)),
    "Latent-JEM, step 0.01": Paper(21.98, 0.93, (0.755, 0.946, 0.831)),
}
PAPER_UNCONDITIONED = 20.87

ByMethod = Mapping[str, Outcome]


def study(progress: Progress, faces: int | None) -> Report:
    """Ask every method for the codes, judge all faces, and time a batch.

    Args:
        progress: where to show how far it is.
        faces: in the prior's proportions, of every condition by every method; None takes the
            suite's own numbers. Too few have no Fréchet distance.
    """
    spec = compile("sample from ffhq").samples[0].model
    most = NATURAL_JOINT if faces is None else faces
    prior = unconditioned(progress, most) if most > frechet.DIRECTIONS else None
    directions = linear.fit(spec, progress)
    singles, glasses, joint = _outcomes(spec, directions, progress, faces)
    works = [_works(condition, spec, directions, progress) for condition in TIMED]
    seconds = [_seconds(each, progress) for each in works]
    return Report(
        "conditional",
        (
            _singles(singles, prior),
            _obedience("glasses", glasses, PAPER_GLASSES),
            _quality("glasses", glasses, seconds[0], prior, PAPER_GLASSES),
            _obedience("gender, smile and age", joint, PAPER_JOINT),
            _quality("gender, smile and age", joint, seconds[1], prior, PAPER_JOINT),
        ),
        sheets=tuple(sheet_of(outcome.judged[-1]) for outcome in singles),
        about={
            "faces": sum(o.codes.faces for o in (*singles, *glasses.values(), *joint.values())),
            "reference faces": REFERENCE_FACES,
            "paper's FID of unconditioned faces": PAPER_UNCONDITIONED,
        },
    )


def _outcomes(
    spec: ModelSpec, directions: linear.Directions, progress: Progress, faces: int | None
) -> tuple[Sequence[Outcome], ByMethod, ByMethod]:
    """Single attributes by the default sampler; glasses, and the joint code, by every method."""
    table = labels.load(labels_of(spec))

    def codes(names: Sequence[str], natural: int) -> Codes:
        return codes_of(names, spec, table, natural if faces is None else faces, LEAST)

    whole = [*(codes((name,), NATURAL) for name in SINGLES), codes(JOINT, NATURAL_JOINT)]
    few = codes(("glasses",), NATURAL_OTHERS), codes(JOINT, NATURAL_OTHERS)
    others = [name for name in SAMPLERS if name != DEFAULT_SAMPLER]
    asked = [Asked(one, f"with {DEFAULT_SAMPLER}") for one in whole]
    asked += [Asked(one, f"with {name}") for name in others for one in few]
    found = by_samplers(asked, SEED, progress)
    *singles, joint = found[: len(whole)]
    by_method = [{DEFAULT_SAMPLER: singles[SINGLES.index("glasses")]}, {DEFAULT_SAMPLER: joint}]
    rest = iter(found[len(whole) :])
    for name in others:
        for outcomes in by_method:
            outcomes[name] = next(rest)
    for outcomes, one in zip(by_method, few, strict=True):
        for name, step in JEM.items():
            outcomes[name] = by_jem(one, step, SEED, progress)
        outcomes[LINEAR] = by_directions(one, directions, SEED, progress)
    return singles, by_method[0], by_method[1]


def _singles(outcomes: Sequence[Outcome], prior: Unconditioned | None) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for outcome in outcomes:
        (accuracy,) = outcome.accuracies().values()
        distance, ratio = outcome.distances(prior)
        name = outcome.codes.name
        paper = PAPER_GLASSES[DEFAULT_SAMPLER].accuracy[0] if name == "glasses" else None
        rows.append(
            (
                name,
                outcome.codes.faces,
                accuracy.value,
                accuracy.error,
                accuracy.unit,
                paper,
                distance,
                ratio,
                outcome.failed,
            )
        )
    columns = ("attribute", "faces", "ACC", "mean |Δ|", "unit", "paper's ACC")
    return Table(
        f"One attribute, with {DEFAULT_SAMPLER}",
        (*columns, *_DISTANCES, "failed"),
        tuple(rows),
        "ACC is the mean over the values asked for, each counting alike. The Fréchet distance, to "
        f"{REFERENCE_FACES} unconditioned faces, is of those among the faces that have the "
        "prior's proportions; beside it, its ratio to that of as many unconditioned faces.",
    )


def _obedience(title: str, outcomes: ByMethod, papers: Mapping[str, Paper]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    columns: list[str] = []
    for method, outcome in outcomes.items():
        paper = papers.get(method)
        row: list[Cell] = [method, outcome.codes.faces]
        columns = []
        for k, (name, accuracy) in enumerate(outcome.accuracies().items()):
            row += [accuracy.value, None if paper is None else paper.accuracy[k]]
            columns += [name, f"paper's {name}"]
        rows.append((*row, outcome.failed))
    return Table(
        f"{title}: ACC by method",
        ("method", "faces", *columns, "failed"),
        tuple(rows),
        "The paper's ODE stands beside both of ours.",
    )


def _quality(
    title: str,
    outcomes: ByMethod,
    seconds: Mapping[str, float],
    prior: Unconditioned | None,
    papers: Mapping[str, Paper],
) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for method, outcome in outcomes.items():
        paper = papers.get(method)
        fid, paper_seconds = (None, None) if paper is None else (paper.fid, paper.seconds)
        rows.append((method, *outcome.distances(prior), fid, seconds[method], paper_seconds))
    return Table(
        f"{title}: distance and time by method",
        ("method", *_DISTANCES, "paper's FID", f"s for {BATCH}", "paper's s"),
        tuple(rows),
        f"The paper's FID of unconditioned faces is {PAPER_UNCONDITIONED}. Seconds are of sampling "
        "alone, on one core; the paper's on a V100.",
    )


def _works(
    condition: str, spec: ModelSpec, directions: linear.Directions, progress: Progress
) -> dict[str, Callable[[], object]]:
    """By method, what samples a batch that meets a condition."""
    text = f"sample {BATCH} from ffhq where {condition} seed {SEED}"
    works: dict[str, Callable[[], object]] = {
        name: compile(f"{text} with {name}").run for name in SAMPLERS
    }
    (statement,) = compile(text).samples
    model = load(jem.spec_of(spec), "cpu", progress)
    for name, step in JEM.items():
        works[name] = lambda step=step: jem.draw(statement, model, step)  # type: ignore[misc]
    works[LINEAR] = lambda: move(statement, directions, progress)
    return works


def _seconds(works: Mapping[str, Callable[[], object]], progress: Progress) -> dict[str, float]:
    with progress.stage("timing", total=len(works)) as stage:
        works[DEFAULT_SAMPLER]()  # what a process does once is not counted
        found = {}
        for name, work in works.items():
            found[name] = timing.once(work)
            stage.advance()
    return found
