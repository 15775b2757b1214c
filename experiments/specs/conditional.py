"""Conditional sampling with every method: the paper's table 2, on faces.

Single attributes with the default sampler; glasses, and gender with smile and age, with the
samplers of the paper, with Latent-JEM, and with a linear direction in w.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from attrs import frozen

from experiments import latent_jem, linear_directions, reference, timing
from experiments.codes import Asked, Codes, Draw, Outcome, by_baseline, by_samplers, codes_of
from experiments.reference import Unconditioned, unconditioned
from experiments.statements import declared_model, sample
from lacelang.api import compile
from lacelang.classifiers import labels
from lacelang.classifiers.latent_jem import STEP_SIZES
from lacelang.engine.loading import labels_of, load
from lacelang.evaluate.report import Report, Row, Table
from lacelang.evaluate.sheets import sheet_of
from lacelang.ir import ModelSpec
from lacelang.progress import Progress
from lacelang.samplers import DEFAULT_SAMPLER

SINGLES = ("glasses", "smile", "gender", "beard", "haircolor", "yaw", "age")
JOINT = ("gender", "smile", "age")
#: The attributes of each comparison of methods, in the order of `COMPARED`.
SEVERAL = (("glasses",), JOINT)
#: Faces in the prior's proportions: of each single attribute, of the joint code, and of either with
#: a method that is not the default.
NATURAL = 128
NATURAL_JOINT = 192
NATURAL_OTHERS = 72
#: Every code gets at least this fraction of an equal split of the faces.
LEAST = 0.75
SEED = 700
BATCH = 64

SAMPLERS = tuple(
    dict.fromkeys((DEFAULT_SAMPLER, "dopri5", "euler", "langevin", "langevin(preset=paper)", "pc"))
)
JEM = {f"Latent-JEM, step {step}": step for step in STEP_SIZES}
LINEAR = "linear direction"


@frozen
class Paper:
    """One row of the paper's table 2 for one condition: FID, seconds, ACC by attribute."""

    fid: float
    seconds: float
    accuracy: tuple[float, ...]


#: By title, the timed condition and the paper's rows. The default sampler integrates the flow
#: of the paper's ODE, so it is compared with the same row.
COMPARED: Mapping[str, tuple[str, Mapping[str, Paper]]] = {
    "glasses": (
        "glasses=1",
        {
            **dict.fromkeys((DEFAULT_SAMPLER, "dopri5"), Paper(20.93, 0.68, (0.998,))),
            "langevin(preset=paper)": Paper(20.92, 1.15, (0.998,)),
            "pc": Paper(21.48, 1.29, (0.943,)),
            "Latent-JEM, step 0.1": Paper(22.83, 0.69, (0.765,)),
            "Latent-JEM, step 0.01": Paper(21.58, 0.69, (0.750,)),
        },
    ),
    "gender, smile and age": (
        "gender=female and smile=1 and age=55",
        {
            **dict.fromkeys((DEFAULT_SAMPLER, "dopri5"), Paper(24.52, 4.81, (0.969, 0.982, 0.914))),
            "langevin(preset=paper)": Paper(22.97, 2.40, (0.955, 0.960, 0.913)),
            "pc": Paper(24.31, 2.65, (0.951, 0.922, 0.896)),
            "Latent-JEM, step 0.1": Paper(22.74, 0.93, (0.878, 0.953, 0.843)),
            "Latent-JEM, step 0.01": Paper(21.98, 0.93, (0.755, 0.946, 0.831)),
        },
    ),
}
PAPER_UNCONDITIONED = 20.87

ByMethod = dict[str, Outcome]


def study(progress: Progress, faces: int | None) -> Report:
    """Sample, judge and time every method.

    `faces` is the number in the prior's proportions, for every condition. With too few there is no
    Fréchet distance.
    """
    spec = declared_model()
    most = NATURAL_JOINT if faces is None else faces
    prior = unconditioned(progress, most) if most > reference.DIRECTIONS else None
    draws = baselines(spec, progress)
    found = _outcomes(spec, draws, progress, faces)
    singles = {name: found[DEFAULT_SAMPLER, (name,)] for name in SINGLES}
    tables = [_singles(singles, prior)]
    for names, (title, (condition, papers)) in zip(SEVERAL, COMPARED.items(), strict=True):
        outcomes = {method: found[method, names] for method in (*SAMPLERS, *draws)}
        seconds = _seconds(condition, draws, progress)
        tables += _by_method(title, outcomes, seconds, prior, papers)
    return Report(
        "conditional",
        tables,
        pictures=[sheet_of(outcome.groups[-1]) for outcome in singles.values()],
        about={
            # The default's figures for glasses are in two tables.
            "faces": sum(one.codes.faces for one in found.values())
            + singles[SEVERAL[0][0]].codes.faces,
            "reference faces": reference.FACES,
            "paper's FID of unconditioned faces": PAPER_UNCONDITIONED,
        },
    )


def baselines(spec: ModelSpec, progress: Progress) -> dict[str, Draw]:
    """Return by name the baselines, which draw faces without a sampler of the language."""
    model = load(latent_jem.with_jem(spec), "cpu", progress)
    directions = linear_directions.fit(spec, progress)
    draws: dict[str, Draw] = {
        name: partial(latent_jem.draw, model=model, step=step) for name, step in JEM.items()
    }
    return {**draws, LINEAR: partial(linear_directions.draw, directions=directions)}


def _outcomes(
    spec: ModelSpec, draws: Mapping[str, Draw], progress: Progress, faces: int | None
) -> dict[tuple[str, tuple[str, ...]], Outcome]:
    """Judge single attributes with the default sampler, glasses and the joint code with all."""
    table = labels.load(labels_of(spec))

    def codes(names: Sequence[str], natural: int) -> Codes:
        return codes_of(names, spec, table, natural if faces is None else faces, LEAST)

    whole = {(name,): NATURAL for name in SINGLES} | {JOINT: NATURAL_JOINT}
    few = {names: codes(names, NATURAL_OTHERS) for names in SEVERAL}
    asked: dict[tuple[str, tuple[str, ...]], Asked] = {}
    for sampler in SAMPLERS:
        default = sampler == DEFAULT_SAMPLER
        those = {n: codes(n, natural) for n, natural in whole.items()} if default else few
        asked |= {(sampler, n): Asked(one, f"with {sampler}") for n, one in those.items()}
    found = by_samplers(asked, SEED, progress)
    for names, one in few.items():
        for name, draw in draws.items():
            found[name, names] = by_baseline(one, draw, SEED, progress, name)
    return found


def _singles(outcomes: ByMethod, prior: Unconditioned | None) -> Table:
    rows: list[Row] = []
    for name, outcome in outcomes.items():
        (accuracy,) = outcome.accuracies().values()
        paper = COMPARED[name][1][DEFAULT_SAMPLER].accuracy[0] if name in COMPARED else None
        rows.append(
            {
                "attribute": name,
                "faces": outcome.codes.faces,
                "ACC": accuracy.accuracy,
                "mean |Δ|": accuracy.error,
                "unit": accuracy.unit,
                "paper's ACC": paper,
                **outcome.distances(prior),
                "failed": outcome.failed,
            }
        )
    return Table(
        f"One attribute, with {DEFAULT_SAMPLER}",
        rows,
        "ACC is the unweighted mean over the requested values. The Fréchet distance, to "
        f"{reference.FACES} unconditioned faces, uses the faces in the prior's proportions; "
        "`× unconditioned` is its ratio to that of an equal number of unconditioned faces.",
    )


def _by_method(
    title: str,
    outcomes: ByMethod,
    seconds: Mapping[str, float],
    prior: Unconditioned | None,
    papers: Mapping[str, Paper],
) -> tuple[Table, Table]:
    obeyed: list[Row] = []
    quality: list[Row] = []
    for method, outcome in outcomes.items():
        paper = papers.get(method)
        accuracies: dict[str, float | None] = {}
        for k, (name, score) in enumerate(outcome.accuracies().items()):
            accuracies[name] = score.accuracy
            accuracies[f"paper's {name}"] = paper.accuracy[k] if paper else None
        faces = outcome.codes.faces
        obeyed.append({"method": method, "faces": faces, **accuracies, "failed": outcome.failed})
        quality.append(
            {
                "method": method,
                **outcome.distances(prior),
                "paper's FID": paper.fid if paper else None,
                f"s for {BATCH}": seconds[method],
                "paper's s": paper.seconds if paper else None,
            }
        )
    note = "The rows exponential and dopri5 are both compared with the paper's ODE."
    return Table(f"{title}: ACC by method", obeyed, note), Table(
        f"{title}: distance and time by method",
        quality,
        f"The paper's FID of unconditioned faces is {PAPER_UNCONDITIONED}. Seconds are for "
        "sampling only, on one core; the paper's on a V100.",
    )


def _seconds(condition: str, draws: Mapping[str, Draw], progress: Progress) -> dict[str, float]:
    """Return by method the seconds for sampling a batch of a condition."""
    works: dict[str, Callable[[], object]] = {
        name: compile(sample(BATCH, condition, f"with {name}", SEED)).run for name in SAMPLERS
    }
    (statement,) = compile(sample(BATCH, condition, seed=SEED)).samples
    works |= {name: partial(draw, statement) for name, draw in draws.items()}
    with progress.stage("timing", total=len(works)) as stage:
        works[DEFAULT_SAMPLER]()  # what a process does once is not counted
        found = {}
        for name, work in works.items():
            found[name] = timing.once(work)
            stage.advance()
    return found
