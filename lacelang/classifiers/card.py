"""A training report as the tables of a model card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Report = Mapping[str, Any]
Cell = Callable[[Report], str]


def _number(name: str, digits: int = 3) -> Cell:
    return lambda figures: f"{figures[name]:.{digits}f}"


def _quantity(name: str) -> Cell:
    """A figure in the attribute's unit, if it has one."""

    def cell(figures: Report) -> str:
        unit = figures["unit"]
        return f"{figures[name]:.3g}" if unit is None else f"{figures[name]:.2f} {unit}"

    return cell


def _rows(figures: Report) -> str:
    return str(figures["rows"])


#: By kind of attribute, the columns about prior draws and those about conditioned rows.
_DISCRETE: tuple[Mapping[str, Cell], Mapping[str, Cell]] = (
    {
        "rows": _rows,
        "balanced accuracy": _number("balanced_accuracy"),
        "accuracy": _number("accuracy"),
        "NLL, nats": _number("nll"),
        "ECE": _number("ece"),
        "ECE uncalibrated": lambda figures: _number("ece")(figures["prior_uncalibrated"]),
        "temperature": _number("temperature", 2),
    },
    {
        "conditioned: rows": _rows,
        "balanced accuracy": _number("balanced_accuracy"),
        "ECE": _number("ece"),
    },
)
_CONTINUOUS: tuple[Mapping[str, Cell], Mapping[str, Cell]] = (
    {
        "rows": _rows,
        "R²": _number("r2"),
        "mean error": _quantity("mae"),
        "σ": _quantity("sigma"),
        "slope": _number("slope", 2),
    },
    {"conditioned: rows": _rows, "R²": _number("r2"), "mean error": _quantity("mae")},
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


def _cells(columns: Mapping[str, Cell], figures: Report, rows: str) -> list[str]:
    if rows not in figures:
        return ["0", *[""] * (len(columns) - 1)]
    return [cell({**figures, **figures[rows]}) for cell in columns.values()]


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("--:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *rows))
