"""A training report as the tables of a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Report = Mapping[str, Any]

_DISCRETE = (
    "attribute",
    "rows",
    "balanced accuracy",
    "accuracy",
    "NLL, nats",
    "ECE",
    "ECE uncalibrated",
    "temperature",
    "conditioned: rows",
    "balanced accuracy",
    "ECE",
)
_CONTINUOUS = (
    "attribute",
    "rows",
    "R²",
    "mean error",
    "σ",
    "slope",
    "conditioned: rows",
    "R²",
    "mean error",
)


def tables(report: Report) -> str:
    """Write a report of `train` as Markdown: what was trained, then two tables of figures.

    Figures are of held-out prior draws unless a column says `conditioned`; balanced accuracy is
    the mean recall of the classes that occur.
    """
    rows, attributes = report["rows"], report["attributes"]
    kinds: dict[bool, list[list[str]]] = {True: [], False: []}
    for name, figures in attributes.items():
        discrete = figures["kind"] != "continuous"
        kinds[discrete].append([name, *(_discrete if discrete else _continuous)(figures)])
    networks = f"{report['members']} × {report['heads']}" if report["members"] > 1 else None
    about = (
        f"Recipe `{report['recipe']}`, {networks or report['heads']}, {report['epochs']} epochs, "
        f"seed {report['seed']}; "
        f"trained on {rows['training']['prior']} prior and {rows['training']['conditioned']} "
        f"conditioned rows, held out {rows['held_out']['prior']} and "
        f"{rows['held_out']['conditioned']}."
    )
    parts = [about]
    if kinds[True]:
        parts.append(_markdown(_DISCRETE, kinds[True]))
    if kinds[False]:
        parts.append(_markdown(_CONTINUOUS, kinds[False]))
    return "\n\n".join(parts) + "\n"


def _discrete(figures: Report) -> list[str]:
    prior, thin = figures["prior"], figures.get("conditioned")
    return [
        str(prior["rows"]),
        f"{prior['balanced_accuracy']:.3f}",
        f"{prior['accuracy']:.3f}",
        f"{prior['nll']:.3f}",
        f"{prior['ece']:.3f}",
        f"{figures['prior_uncalibrated']['ece']:.3f}",
        f"{figures['temperature']:.2f}",
        *(
            ["0", "", ""]
            if thin is None
            else [str(thin["rows"]), f"{thin['balanced_accuracy']:.3f}", f"{thin['ece']:.3f}"]
        ),
    ]


def _continuous(figures: Report) -> list[str]:
    prior, thin, unit = figures["prior"], figures.get("conditioned"), figures["unit"]
    return [
        str(prior["rows"]),
        f"{prior['r2']:.3f}",
        _quantity(prior["mae"], unit),
        _quantity(figures["sigma"], unit),
        f"{figures['slope']:.2f}",
        *(
            ["0", "", ""]
            if thin is None
            else [str(thin["rows"]), f"{thin['r2']:.3f}", _quantity(thin["mae"], unit)]
        ),
    ]


def _quantity(value: float, unit: str | None) -> str:
    return f"{value:.3g}" if unit is None else f"{value:.2f} {unit}"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("--:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *rows))
