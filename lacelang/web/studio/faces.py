"""A sample as the gallery shows it: the figure of a report, whose image is asked for by address."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from lacelang.report.contents import face_of
from lacelang.report.page import face_fragment
from lacelang.report.pictures import SMALL, Shown
from lacelang.storage.records import GroupRecord, SampleRecord


def face(run: int, record: GroupRecord, sample: SampleRecord, file: Path) -> dict[str, Any]:
    """Return the figure of a sample, whose image is `file`, with where it belongs."""
    with Image.open(file, formats=("PNG",)) as image:
        width, height = image.size
    small = max(width, height) <= SMALL
    source = f"runs/{run}/small/{sample.index}?group={quote(record.name, safe='')}"
    shown = face_of(record, sample, Shown(source, width, height, small))
    html = face_fragment(shown)
    return {"group": record.name, "index": sample.index, "html": html, "small": small}
