"""Continuous control of yes-or-no attributes (LACE A.10 and figure 17).

An attribute is asked for at several temperatures, in both forms, and to several degrees, always
from the same draws. What is seen in the images should grow as the temperature falls and as the
degree rises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lacelang.api import compile
from lacelang.evaluate.judged import Judged, judge_groups
from lacelang.evaluate.report import Report, Scatter, Sheet, Table
from lacelang.evaluate.sheets import rows_sheet

if TYPE_CHECKING:
    from lacelang.progress import Progress

Array: TypeAlias = NDArray[np.floating]

FACES = 16
SEED = 71
#: What is controlled, as in the paper, and one attribute more.
ATTRIBUTES = ("beard", "smile", "glasses")
#: By form, how it is written, and its settings from weak to strong.
FORMS: dict[str, tuple[str, tuple[float, ...]]] = {
    "temp": ("{a}=1 temp {v}", (64, 32, 16, 8, 4, 2, 1)),
    "temp logit": ("{a}=1 temp logit({v})", (4, 3, 2, 1.5, 1, 0.8, 0.6)),
    "degree": ("{a} ~ {v}", (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)),
}
_SHOWN = 6


def study(progress: Progress, faces: int | None) -> Report:
    """Sample every attribute at every setting and judge how much of it is seen.

    Args:
        progress: where to show how far it is.
        faces: at each setting; None takes `FACES`.
    """
    faces = FACES if faces is None else faces
    found: dict[tuple[str, str], list[Judged]] = {}
    for one in judge_groups(compile(_program(faces)), progress):
        attribute, _, rest = one.statement.name.partition(" ")
        form, _, _ = rest.rpartition(" ")
        found.setdefault((attribute, form), []).append(one)
    rows, detail, points = [], [], {}
    for (attribute, form), judged in found.items():
        strength = np.stack([one.seen.strengths[attribute] for one in judged])
        means = np.nanmean(strength, axis=1)
        rows.append((attribute, form, correlation(means), each_face(strength)))
        for setting, mean, row in zip(FORMS[form][1], means, strength, strict=True):
            share = float(np.nanmean(row >= 0.5))
            detail.append((attribute, form, setting, float(mean), share))
        steps = np.linspace(0, 1, len(means))
        points[f"{attribute}, {form}"] = [
            (float(x), float(y)) for x, y in zip(steps, means, strict=True)
        ]
    return Report(
        "continuous",
        (
            Table(
                "Does what is seen follow what is set?",
                ("attribute", "form", "rank correlation", "of single faces, mean"),
                tuple(rows),
                "Spearman's, of the settings from weak to strong with the mean strength that "
                f"annotators saw in {faces} faces; and of the settings with the strength in each "
                "face, averaged over those in which it changes.",
            ),
            Table(
                "Every setting",
                ("attribute", "form", "setting", "mean strength", "share that shows it"),
                tuple(detail),
                "Strength: 0 to 1, by the annotator; from 0.5 up an attribute counts as shown.",
            ),
        ),
        (
            Scatter(
                "continuous",
                f"What is seen as control grows, {faces} faces a setting",
                "setting, from weak to strong",
                "mean strength, judged from images",
                points,
                lines=True,
            ),
        ),
        {"faces": faces, "settings": {form: list(values) for form, (_, values) in FORMS.items()}},
        tuple(_sheets(found)),
    )


def correlation(values: Array) -> float:
    """Spearman's rank correlation of values with their order; 0 where all are the same."""
    from scipy.stats import spearmanr

    if np.ptp(values) == 0:
        return 0.0
    return float(spearmanr(np.arange(len(values)), values).statistic)


def each_face(strength: Array) -> float | None:
    """Mean of `correlation` over faces, of strengths (settings, faces); None if none changes.

    Faces in which nothing could be seen at some setting are left out.
    """
    changing = [
        column for column in strength.T if np.isfinite(column).all() and np.ptp(column) > 0.05
    ]
    return float(np.mean([correlation(column) for column in changing])) if changing else None


def _program(faces: int) -> str:
    return "\n".join(
        f"sample {faces} from ffhq where {written.format(a=attribute, v=setting)} seed {SEED} "
        f'as "{attribute} {form} {setting}"'
        for attribute in ATTRIBUTES
        for form, (written, settings) in FORMS.items()
        for setting in settings
    )


def _sheets(found: dict[tuple[str, str], list[Judged]]) -> Iterator[Sheet]:
    for (attribute, form), judged in found.items():
        name = f"{attribute}_{form.replace(' ', '_')}"
        yield rows_sheet(name, f"{attribute} by {form}", judged[:: len(judged) // 2], _SHOWN)
