"""What annotators saw in a part of a data set: `judged.json`, and contact sheets in `judged/`.

It says of which files it is true: a data set that has grown since keeps it, and its card does not
show it.
"""

from __future__ import annotations

import msgspec
from attrs import frozen

from lacelang.storage.datasets.index import Index
from lacelang.storage.datasets.place import Place
from lacelang.storage.records import plain

JUDGED = "judged.json"
SHEETS = "judged"


@frozen
class JudgedSheet:
    """A contact sheet."""

    file: str  # from the root of the data set
    title: str


@frozen
class JudgedSet:
    """What was seen, as the card shows it."""

    digests: dict[str, str]  # of the groups, by name, when it was judged
    text: str  # tables, as Markdown
    sheets: tuple[JudgedSheet, ...] = ()

    def is_of(self, index: Index) -> bool:
        """Whether the data set is what was judged."""
        return self.digests == digests_of(index)


def digests_of(index: Index) -> dict[str, str]:
    """The digests of the groups of a data set by name."""
    return {each.group.name: each.digest for each in index.groups}


def write_judged(place: Place, judged: JudgedSet) -> None:
    """Write what was seen; sheets are written before."""
    place.write(JUDGED, msgspec.json.format(msgspec.json.encode(plain(judged)), indent=1) + b"\n")


def read_judged(place: Place) -> JudgedSet | None:
    """Return what was seen in a data set; None if nothing is known, or it is damaged."""
    data = place.read(JUDGED)
    try:
        return None if data is None else msgspec.json.decode(data, type=JudgedSet)
    except (ValueError, RecursionError):
        return None
