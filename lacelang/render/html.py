"""Groups and runs as HTML for notebooks: small, self-contained, with everything escaped."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import islice

from PIL import Image

from lacelang.render.result_text import achieved, expectation_text, measure_text
from lacelang.storage.records import ExpectationRecord, GroupRecord, MeasureRecord, SampleRecord
from lacelang.text.hidden import in_line

MOST_FACES = 16
"""Pictures of a group that are shown; more would make a notebook large."""

SIDE = 128
"""Pixels of a picture, across and down."""

_STYLE = "border-collapse:collapse;text-align:left;font-size:90%"
_CELL = "padding:2px 8px;vertical-align:middle;text-align:left"


def said(text: object) -> str:
    """Return text as HTML shows it, with what is hidden in it visible."""
    return escape(in_line(str(text)))


def group_html(record: GroupRecord, faces: Iterable[Image.Image]) -> str:
    """Return a table of the first `MOST_FACES` samples: picture, values, status, energy."""
    count = len(record.samples)
    noun = "sample" if count == 1 else "samples"
    head = f"<b>{said(record.name)}</b>: {count} {noun}, seed {record.seed}"
    asked = ", then ".join(step.text for step in record.steps) or record.condition
    if asked:
        head += f" · <code>{said(asked)}</code>"
    shown = record.samples[:MOST_FACES]
    names = ["", "", "status", "energy", *(atom.wanted for atom in record.atoms)]
    rows = [_row(record, sample, face) for sample, face in zip(shown, faces, strict=False)]
    more = f"<p>the first {len(shown)} of {count}</p>" if len(shown) < count else ""
    return f"<div>{head}{_table(names, rows)}{more}</div>"


def run_html(
    groups: Iterable[str],
    measures: Iterable[MeasureRecord],
    expectations: Iterable[ExpectationRecord],
) -> str:
    """Return what a run found, given its groups as HTML."""
    lines = [*map(measure_text, measures), *map(expectation_text, expectations)]
    texts = "".join(f"<div><code>{said(line)}</code></div>" for line in lines)
    return f"<div>{texts}{''.join(groups)}</div>"


def program_html(source: str, facts: Sequence[tuple[str, str]]) -> str:
    """Return a program's text and what is known of it before it runs."""
    listed = "".join(f"<div>{said(name)}: {said(text)}</div>" for name, text in facts if text)
    lines = "\n".join(map(said, source.splitlines()))
    return f"<div><pre>{lines}</pre>{listed}</div>"


def first(faces: Iterable[Image.Image]) -> Iterator[Image.Image]:
    """Yield the pictures that are shown, and decode no others."""
    return islice(faces, MOST_FACES)


def picture(face: Image.Image, side: int = SIDE) -> str:
    """Return a picture as an image of at most `side` pixels, in the page itself."""
    small = face.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    small.save(data, "JPEG", quality=85)
    content = b64encode(data.getvalue()).decode()
    return f'<img alt="" width="{small.width}" src="data:image/jpeg;base64,{content}">'


def _row(record: GroupRecord, sample: SampleRecord, face: Image.Image) -> list[str]:
    energy = "-" if sample.energy is None else f"{sample.energy:.2f}"
    cells = [picture(face), str(sample.index), said(sample.status.replace("_", " ")), energy]
    for atom in record.atoms:
        value, wanted = sample.readings.get(atom.text), atom.of(sample.drawn)
        mark = "✓" if value is not None and wanted.holds(value) else "✗"
        own = f" ({said(wanted.wanted)})" if atom.drawn else ""
        cells.append(f"{said(achieved(atom, value))} {mark}{own}")
    return cells


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th style="{_CELL}">{said(name)}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f'<table style="{_STYLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
