"""A face as the gallery shows it: the figure of a report, whose image is asked for by address."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from lacelang.render.result_text import achieved
from lacelang.storage.records import GroupRecord, SampleRecord


def face(run: int, record: GroupRecord, sample: SampleRecord, file: Path) -> dict[str, Any]:
    """Return the figure of a sample, whose image is `file`, with where it belongs."""
    with Image.open(file, formats=("PNG",)) as image:
        width, height = image.size
    src = f"runs/{run}/small/{sample.index}?group={quote(record.name, safe='')}"
    rows = "".join(
        f"<tr><th scope=row>{escape(a.of(sample.drawn).wanted)}</th>"
        f"<td>{achieved(a, sample.readings.get(a.text))}</td></tr>"
        for a in record.atoms
    )
    html = (
        f'<li class=face data-status="{sample.status}" data-values="{{}}"><figure>'
        f'<button type=button class=open aria-haspopup=dialog><img src="{escape(src)}" alt="" '
        f"width={width} height={height}></button>"
        f"<figcaption><p class=caption><span class=number>{sample.index:04d}</span></p>"
        f"<table class=readings>{rows}</table></figcaption></figure></li>"
    )
    return {"group": record.name, "index": sample.index, "html": html, "side": max(width, height)}
