"""Continuous control of binary attributes (LACE A.10 and figure 17).

An attribute is sampled at several temperatures, in both forms, and at several degrees, always
from the same draws. The annotated strength should increase as the temperature falls and as the
degree rises.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.plot import scatter
from experiments.sheets import rows_sheet
from experiments.statements import judge, sample
from lacelang.evaluate.report import Report, Row, Table
from lacelang.progress import Progress

FACES = 16
SEED = 71
#: The attributes of the paper, and one more.
ATTRIBUTES = ("beard", "smile", "glasses")
#: By form, its text, and its settings from weak to strong.
FORMS: dict[str, tuple[str, tuple[float, ...]]] = {
    "temp": ("{a}=1 temp {v}", (64, 32, 16, 8, 4, 2, 1)),
    "temp logit": ("{a}=1 temp logit({v})", (4, 3, 2, 1.5, 1, 0.8, 0.6)),
    "degree": ("{a} ~ {v}", (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)),
}
_SHOWN = 6


def statements(faces: int) -> dict[tuple[str, str, float], str]:
    """Return a statement for every attribute, form and setting."""
    return {
        (attribute, form, setting): sample(faces, written.format(a=attribute, v=setting), seed=SEED)
        for attribute in ATTRIBUTES
        for form, (written, settings) in FORMS.items()
        for setting in settings
    }


def study(progress: Progress, faces: int | None) -> Report:
    """Sample every attribute at every setting and judge its strength.

    `faces` is the number per setting.
    """
    faces = FACES if faces is None else faces
    judged = judge(statements(faces), progress)
    summary: list[Row] = []
    detail: list[Row] = []
    points, sheets = {}, []
    for attribute in ATTRIBUTES:
        for form, (_, settings) in FORMS.items():
            groups = [judged[attribute, form, setting] for setting in settings]
            strength = np.stack([one.annotations.strengths[attribute] for one in groups])
            means = np.nanmean(strength, axis=1).tolist()
            about = {"attribute": attribute, "form": form}
            whole, single = correlation(np.array(means)), each_face(strength)
            summary.append({**about, "rank correlation": whole, "mean over faces": single})
            for setting, mean, row in zip(settings, means, strength, strict=True):
                share = float(np.nanmean(row >= 0.5))
                found = {"setting": setting, "mean strength": mean, "fraction with it": share}
                detail.append({**about, **found})
            steps = np.linspace(0, 1, len(means)).tolist()
            points[f"{attribute}, {form}"] = list(zip(steps, means, strict=True))
            name, shown = f"{attribute}_{form.replace(' ', '_')}", groups[:: len(groups) // 2]
            sheets.append(rows_sheet(name, f"{attribute} by {form}", shown, _SHOWN))
    tables = (
        Table(
            "Rank correlation of setting and annotated strength",
            summary,
            "Spearman's rank correlation of the settings, from weak to strong, with the mean "
            f"annotated strength of {faces} faces; and with the strength of each face, averaged "
            "over the faces in which it changes. Higher is better.",
        ),
        Table(
            "Every setting",
            detail,
            "Strength: 0 to 1, by the annotator; from 0.5 up a face has the attribute.",
        ),
    )
    figure = scatter(
        "continuous",
        f"Annotated strength by setting, {faces} faces per setting",
        "setting, from weak to strong",
        "mean strength, judged from images",
        points,
        lines=True,
    )
    tried = {form: list(values) for form, (_, values) in FORMS.items()}
    return Report("continuous", tables, [figure, *sheets], {"faces": faces, "settings": tried})


def correlation(values: NDArray[np.floating]) -> float:
    """Return Spearman's rank correlation of values with their order; 0 if all are the same."""
    from scipy.stats import spearmanr

    if np.ptp(values) == 0:
        return 0.0
    return float(spearmanr(np.arange(len(values)), values).statistic)


def each_face(strength: NDArray[np.floating]) -> float | None:
    """Return the mean correlation over faces of strengths (settings, faces), None if none change.

    Faces in which the attribute is not visible at some setting are left out.
    """
    changing = [
        column for column in strength.T if np.isfinite(column).all() and np.ptp(column) > 0.05
    ]
    return float(np.mean([correlation(column) for column in changing])) if changing else None
