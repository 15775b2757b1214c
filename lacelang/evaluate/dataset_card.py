"""What an evaluation of a data set adds to it: contact sheets, tables, and its card with both."""

from __future__ import annotations

import io

from lacelang.evaluate.report import Report, tables_as_markdown
from lacelang.render.data_card import card_of
from lacelang.storage.datasets.index import CARD, Index
from lacelang.storage.datasets.judged import (
    SHEETS,
    JudgedSet,
    JudgedSheet,
    digests_of,
    write_judged,
)
from lacelang.storage.datasets.place import Place

_QUALITY = 90


def write_card(place: Place, index: Index, report: Report) -> None:
    """Write what was seen beside a data set, and its card anew.

    Raises:
        ResourceError: the place cannot be written.
    """
    sheets = []
    for picture in report.pictures:
        buffer = io.BytesIO()
        picture.draw().convert("RGB").save(buffer, "JPEG", quality=_QUALITY)
        name = f"{SHEETS}/{picture.name}.jpg"
        place.write(name, buffer.getvalue())
        sheets.append(JudgedSheet(name, picture.title))
    judged = JudgedSet(digests_of(index), tables_as_markdown(report), tuple(sheets))
    write_judged(place, judged)
    place.write(CARD, card_of(index, judged).encode(errors="replace"))
