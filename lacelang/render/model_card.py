"""The Markdown of a model card: how labels are distributed, and how good classifiers are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from lacelang import ir
from lacelang.classifiers.labels import Labels
from lacelang.render.markdown import markdown_table

Report: TypeAlias = Mapping[str, Any]
#: Headings with the formats of what stands below them; `mae` and `sigma` bring their unit.
Columns: TypeAlias = Mapping[str, str]

#: By kind of attribute, the columns about prior draws and those about conditioned rows.
_DISCRETE: tuple[Columns, Columns] = (
    {
        "rows": "{rows}",
        "balanced accuracy": "{balanced_accuracy:.3f}",
        "accuracy": "{accuracy:.3f}",
        "NLL, nats": "{nll:.3f}",
        "ECE": "{ece:.3f}",
        "ECE uncalibrated": "{prior_uncalibrated[ece]:.3f}",
        "temperature": "{temperature:.2f}",
    },
    {
        "conditioned: rows": "{rows}",
        "balanced accuracy": "{balanced_accuracy:.3f}",
        "ECE": "{ece:.3f}",
    },
)
_CONTINUOUS: tuple[Columns, Columns] = (
    {
        "rows": "{rows}",
        "R²": "{r2:.3f}",
        "mean error": "{mae}",
        "σ": "{sigma}",
        "slope": "{slope:.2f}",
    },
    {"conditioned: rows": "{rows}", "R²": "{r2:.3f}", "mean error": "{mae}"},
)


def tables(report: Report) -> str:
    """Write a report of `train` as Markdown: what was trained, then two tables of figures.

    Figures are of held-out prior draws unless a column says `conditioned`; balanced accuracy is
    the mean recall of the classes that occur.
    """
    rows = report["rows"]
    networks = f"{report['members']} × " if report["members"] > 1 else ""
    epochs = f"{networks}{report['heads']}, {report['epochs']} epochs, " if report["epochs"] else ""
    calibrated = ", self-calibrated" if "self_calibration" in report else ""
    held_out = f"held out {rows['held_out']['prior']} and {rows['held_out']['conditioned']}"
    if "folds" in report and not rows["held_out"]["prior"]:
        held_out = f"figures by {report['folds']}-fold cross-validation"
    parts = [
        f"Recipe `{report['recipe']}`{calibrated}, {epochs}seed {report['seed']}; "
        f"trained on {rows['training']['prior']} prior and {rows['training']['conditioned']} "
        f"conditioned rows, {held_out}."
    ]
    for (prior, conditioned), continuous in ((_DISCRETE, False), (_CONTINUOUS, True)):
        lines = [
            [name, *_cells(prior, figures, "prior"), *_cells(conditioned, figures, "conditioned")]
            for name, figures in report["attributes"].items()
            if (figures["kind"] == "continuous") == continuous
        ]
        if lines:
            headings = ["attribute", *prior, *conditioned]
            numeric = [heading != "attribute" for heading in headings]
            parts.append(markdown_table(headings, lines, numeric))
    return "\n\n".join(parts) + "\n"


def _cells(columns: Columns, figures: Report, rows: str) -> list[str]:
    if rows not in figures:
        return ["0", *[""] * (len(columns) - 1)]
    shown = {**figures, **figures[rows]}
    for name in {"mae", "sigma"} & shown.keys():
        unit = figures["unit"]
        shown[name] = f"{shown[name]:.3g}" if unit is None else f"{shown[name]:.2f} {unit}"
    return [form.format_map(shown) for form in columns.values()]


def distribution(labels: Labels, attributes: Iterable[ir.Attribute]) -> str:
    """Write the distribution of labels as Markdown, prior and conditioned rows apart."""
    parts = slice(0, labels.prior_count), slice(labels.prior_count, None)
    lines = []
    for a in attributes:
        column = labels.columns[a.name]
        cells = []
        for part in parts:
            seen = column[part][np.isfinite(column[part])]
            if not len(seen):
                cells.append("")
            elif a.discrete:
                shares = [f"{v} {np.mean(seen == k):.1%}" for k, v in enumerate(a.values)]
                cells.append(", ".join(shares[1:] if a.kind == "binary" else shares))
            else:
                low, middle, high = np.percentile(seen, [2, 50, 98])
                cells.append(f"{low:.3g} … {middle:.3g} … {high:.3g} {a.unit or ''}".rstrip())
        lines.append([a.name, *cells, str(np.isnan(column).sum())])
    headings = ["attribute", "prior draws", "conditioned draws", "not seen"]
    table = markdown_table(headings, lines, [False, False, False, True])
    return (
        f"{labels.prior_count} prior draws (seed {labels.prior_seed}) and "
        f"{len(labels.conditioned)} draws conditioned on rare combinations.\n\n"
        f"{table}\n\n"
        "Numbers are the 2nd, 50th and 98th percentile.\n"
    )
