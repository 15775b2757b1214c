"""What an image says about itself: enough to make it again, and to tell whose it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lacelang.output.png import is_whole, metadata_of
from lacelang.output.records import GroupRecord, RunRecord, SampleRecord

SCHEMA = 1


def provenance(run: RunRecord, group: GroupRecord, sample: SampleRecord) -> dict[str, Any]:
    """Return the metadata of one image: its program, where it stands in it, what it reads.

    Nothing in it depends on when or where the program ran, so that the same command writes the
    same bytes.
    """
    return {
        "schema": SCHEMA,
        "versions": dict(run.versions),
        "program": {"name": run.program, "source": run.source},
        "group": group.name,
        "condition": group.condition,
        "fingerprint": group.fingerprint,
        "settings": dict(group.settings),
        "seed": group.seed,
        "index": sample.index,
        "energy": sample.energy,
        "status": sample.status,
        "readings": dict(sample.readings),
    }


def is_finished(path: Path, group: GroupRecord, index: int, metadata: bool) -> bool:
    """Whether `path` is the whole image of sample `index`, with metadata or without as wanted.

    An image without metadata cannot say whose it is; the folder it lies in vouches for it.
    """
    if not is_whole(path):
        return False
    try:
        carried = metadata_of(path)
    except (OSError, ValueError):
        return False
    if carried is None or not metadata:
        return carried is None and not metadata
    return carried.get("fingerprint") == group.fingerprint and carried.get("index") == index
