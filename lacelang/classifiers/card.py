"""A training report as the tables of a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

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
    parts = [
        f"Recipe `{report['recipe']}`, {networks}{report['heads']}, {report['epochs']} epochs, "
        f"seed {report['seed']}; "
        f"trained on {rows['training']['prior']} prior and {rows['training']['conditioned']} "
        f"conditioned rows, held out {rows['held_out']['prior']} and "
        f"{rows['held_out']['conditioned']}."
    ]
    for (prior, conditioned), continuous in ((_DISCRETE, False), (_CONTINUOUS, True)):
        lines = [
            [name, *_cells(prior, figures, "prior"), *_cells(conditioned, figures, "conditioned")]
            for name, figures in report["attributes"].items()
            if (figures["kind"] == "continuous") == continuous
        ]
        if lines:
            parts.append(_markdown(["attribute", *prior, *conditioned], lines))
    return "\n\n".join(parts) + "\n"


def _cells(columns: Columns, figures: Report, rows: str) -> list[str]:
    if rows not in figures:
        return ["0", *[""] * (len(columns) - 1)]
    shown = {**figures, **figures[rows]}
    for name in {"mae", "sigma"} & shown.keys():
        unit = figures["unit"]
        shown[name] = f"{shown[name]:.3g}" if unit is None else f"{shown[name]:.2f} {unit}"
    return [form.format_map(shown) for form in columns.values()]


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("--:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *rows))
