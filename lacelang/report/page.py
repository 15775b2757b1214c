"""The page of a run, and parts of it, from the templates in `pages`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lacelang.render.group_grids import loop_grids
from lacelang.report import cards as cards_
from lacelang.report import contents
from lacelang.report.cards import MOST_GROUPS, Card, Limits
from lacelang.report.distributions import Predictions
from lacelang.report.highlight import highlighted
from lacelang.report.pictures import Shown, picture
from lacelang.storage.files import write_atomic
from lacelang.storage.images import Images
from lacelang.storage.reading import FoundRun, find_run
from lacelang.text.hidden import displayed
from lacelang.version import __version__

PAGES = Path(__file__).with_name("pages")
BASE = Path(__file__).parents[1] / "web" / "pages" / "base.css"
NAME = "report.html"
_MOST_GRIDS = 12
_GRID_SIDE = 1600


@frozen
class Inline:
    """A style sheet or a script inside of a page, and its digest for the page's policy."""

    text: Markup
    digest: str

    @classmethod
    def of(cls, *files: Path) -> Inline:
        """Join files."""
        text = "\n" + "\n".join(file.read_text("utf-8") for file in files)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
        return cls(Markup(text), f"sha256-{digest}")


@cache
def environment() -> Environment:
    """The templates; what they print is escaped, and shows what would be hidden."""
    made = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters["as_json"] = lambda value: json.dumps(value, ensure_ascii=True)
    made.filters["n"] = lambda number: f"{number:.1f}".removesuffix(".0")
    made.filters["cut"] = lambda text, most: text if len(text) <= most else f"{text[: most - 1]}…"
    return made


def _shown(value: Any) -> Any:
    return displayed(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def write_report(
    folder: Path, out: Path | None = None, predictions: Predictions | None = None
) -> Path:
    """Write the page of a run folder to `out`, or to `NAME` in the folder; return its path.

    `predictions` are of models that are loaded already.

    Raises:
        ResourceError: there is no run in the folder, or the page cannot be written.
    """
    path = folder / NAME if out is None else out
    write_atomic(path, page(find_run(folder), predictions).encode("utf-8", "replace"))
    return path


def page(run: FoundRun, predictions: Predictions | None = None) -> str:
    """Return the page of a run: HTML that needs no other file and no network."""
    predictions = predictions or Predictions()
    groups = run.groups[:MOST_GROUPS]
    limits = Limits.of(groups)
    made = [
        cards_.card(number, group, limits, predictions=predictions)
        for number, group in enumerate(groups, start=1)
    ]
    record = run.record
    notes = []
    if not record.complete:
        notes.append("The run is not complete: run the program again, and it goes on from here.")
    if len(groups) < len(run.groups):
        notes.append(f"The first {len(groups)} of {len(run.groups)} groups are shown.")
    template = environment().get_template("page.html")
    return template.render(
        title=record.program.name,
        subtitle=_subtitle(run),
        version=__version__,
        style=Inline.of(BASE, PAGES / "report.css"),
        script=Inline.of(PAGES / "report.js"),
        cards=made,
        notes=notes,
        grids=_grids(run),
        measures=contents.measures(record.measures),
        expectations=contents.expectations(record.expectations),
        program_name=record.program.name,
        program=highlighted(record.program.source),
        made_with=_made_with(run),
        **_filters(made),
    )


def face_fragment(face: contents.Face) -> str:
    """Return the part of the page about one sample."""
    parts: Any = environment().get_template("group.html").module
    return str(parts.face_figure(face))


def rendered(folder: Path, template: str, **values: Any) -> str:
    """Return a page from a template in a folder, which may import the parts of a report."""
    loader = ChoiceLoader([FileSystemLoader(folder), FileSystemLoader(PAGES)])
    return environment().overlay(loader=loader).get_template(template).render(**values)


def _filters(made: Sequence[Card]) -> dict[str, Any]:
    """What the filters of a page offer: statuses, and the names of values."""
    faces = [face for card in made for face in card.faces]
    return {
        "has_faces": bool(faces),
        "statuses": sorted({face.status for face in faces}),
        "keys": sorted({key for face in faces for key in face.values}),
    }


@frozen
class GridPicture:
    """A grid of the groups of a loop, as the run has drawn it."""

    title: str
    alt: str
    picture: Shown


def _grids(run: FoundRun) -> list[GridPicture]:
    """The grids that are in the folder, as the run has written them."""
    images = Images(run.folder).read()
    found = []
    for loop in loop_grids(group.record for group in run.groups)[:_MOST_GRIDS]:
        name, grid = f"{loop.name}.png", loop.grid
        shown = picture(run.folder / name, _GRID_SIDE) if images.holds(name) else None
        if shown is not None:
            rows, columns = map(_listed, (grid.rows, grid.columns))
            alt = f"Grid of {grid.title}. Rows: {rows}. Columns: {columns}."
            found.append(GridPicture(f"Grid of {grid.title}", alt, shown))
    return found


def _listed(labels: Sequence[str]) -> str:
    return "; ".join(", ".join(label.split("\n")) for label in labels)


def _subtitle(run: FoundRun) -> str:
    timing = run.record.timing
    count = sum(len(group.record.samples) for group in run.groups)
    parts = [f"{len(run.groups)} groups" if len(run.groups) != 1 else "1 group"]
    parts.append(f"{count} samples" if count != 1 else "1 sample")
    if isinstance(timing.get("started"), str):
        parts.append(timing["started"].replace("T", " ").replace("+00:00", " UTC"))
    if isinstance(timing.get("seconds"), int | float):
        parts.append(f"{timing['seconds']:.0f} s")
    return ", ".join(parts)


def _made_with(run: FoundRun) -> str:
    versions = ", ".join(f"{name} {text}" for name, text in run.record.versions.items())
    return f"Synthetic images, made with {versions}. This page loads nothing from elsewhere."
