"""Obedience against variety: every way to sample the paper's two rare combinations.

A longer flow, heavier weights and a tight bound make faces obey, and all alike; exact draws differ
and hardly obey. Each setting is one point: the fraction of faces that show the whole condition, and
the Vendi score of their descriptors of identity.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from experiments.plot import scatter
from experiments.statements import judge, sample
from lacelang.evaluate import variety
from lacelang.evaluate.reference import PRIOR
from lacelang.evaluate.report import Report, Row, Table
from lacelang.evaluate.scores import scores
from lacelang.progress import Progress

FACES = 32
SEED = 124
#: The conditions, with places for what stands behind glasses, age and the other terms.
CONDITIONS: Mapping[str, str] = {
    "a": "beard=1{rest} and smile=0{rest} and glasses=1{glasses} and age=15{age}",
    "b": "gender=female{rest} and smile=0{rest} and glasses=1{glasses} and age=10{age}",
}


@frozen
class Setting:
    """How a condition is sampled: the series, the sampler, and what is asked of its terms."""

    series: str
    sampler: str
    glasses: str = ""
    age: str = ""
    rest: str = ""

    @property
    def terms(self) -> str:
        """What is asked of the terms, as a table says it."""
        asked = {"glasses": self.glasses, "age": self.age, "the rest": self.rest}
        return "; ".join(f"{name} {text.strip(' []')}" for name, text in asked.items() if text)


def _temps(glasses: float, age: float, rest: float = 1.0) -> tuple[str, str, str]:
    return _temp(glasses), _temp(age), _temp(rest)


def _temp(temperature: float) -> str:
    return "" if temperature == 1.0 else f" [temp {temperature:g}]"


SETTINGS = (
    *(Setting("slack", f"exponential(slack={s})") for s in ("0", "0.02", "0.05", "0.1")),
    *(Setting("longer", f"exponential(time={t})") for t in (10, 15)),
    Setting("tempered", "exponential(slack=0.1)", *_temps(0.3, 0.5)),
    Setting("tempered", "exponential(slack=0.1)", *_temps(0.3, 0.5, 0.5)),
    Setting("tempered", "exponential(slack=0.05, time=10)", *_temps(0.3, 0.5)),
    Setting("tempered", "exponential(slack=0.1, time=10)", *_temps(0.3, 0.3, 0.5)),
    Setting(
        "weighted", "exponential(slack=0, time=15, tolerance=2e-2, typical=1)",
        " [weight 4]", " [weight 2]",
    ),
    Setting("hybrid", "hybrid", *_temps(0.1, 0.3, 0.3)),
    Setting("hybrid", "hybrid", *_temps(0.05, 0.2, 0.2)),
    Setting("hybrid", "hybrid", *_temps(0.03, 0.1, 0.1)),
    Setting("exact", "smc(particles=32)"),
    Setting("exact", "smc(particles=32)", *_temps(0.05, 0.2, 0.2)),
)  # fmt: skip


def study(progress: Progress, faces: int | None) -> Report:
    """Sample and judge every setting of both conditions."""
    count = FACES if faces is None else faces
    statements: dict[tuple[str, int], str] = {
        (name, i): sample(
            count,
            condition.format(glasses=setting.glasses, age=setting.age, rest=setting.rest),
            f"with {setting.sampler}",
            SEED,
        )
        for name, condition in CONDITIONS.items()
        for i, setting in enumerate(SETTINGS)
    }
    statements["prior", 0] = sample(PRIOR, seed=SEED + 1)
    judged = judge(statements, progress, identity=True)
    prior = judged.pop(("prior", 0)).annotations.identity
    assert prior is not None
    tables, pictures = [], []
    for name, condition in CONDITIONS.items():
        rows: list[Row] = []
        points: dict[str, list[tuple[float, float]]] = {}
        for i, setting in enumerate(SETTINGS):
            one = judged[name, i]
            assert one.annotations.identity is not None
            identities = variety.standardised(one.annotations.identity, prior)
            found = {score.attribute: score.accuracy for score in scores([one.asked])}
            whole, vendi = float(one.satisfied.mean()), variety.vendi(identities)
            rows.append(
                {
                    "sampler": setting.sampler,
                    "terms": setting.terms,
                    "glasses": found["glasses"],
                    "smile": found["smile"],
                    "whole condition": whole,
                    "Vendi / n": vendi,
                    "cosine": variety.mean_cosine(identities),
                    "evaluations": float(one.group.stats.nfe.float().mean()),
                }
            )
            points.setdefault(setting.series, []).append((vendi, whole))
        plain = condition.format(glasses="", age="", rest="")
        note = f"{count} faces per setting, standardised by {PRIOR} draws from the prior."
        tables.append(Table(f"({name}) {plain}", rows, note))
        pictures.append(
            scatter(
                f"variety_{name}",
                f"({name}) {plain}",
                "Vendi score / n",
                f"whole condition, {count} faces per dot",
                points,
            )
        )
    return Report("variety", tables, pictures, {"faces": count})
