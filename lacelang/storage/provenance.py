"""What an image says about itself: enough to make it again, and to tell whose it is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lacelang.storage.png import is_whole, metadata_of
from lacelang.storage.records import GroupRecord, RunRecord, SampleRecord

SCHEMA = 1

MOST_BYTES = 256 << 10
"""Of JSON in one image. Pillow opens no image with more than 1 MiB of text in a chunk, unpacked."""

# What grows with the program, the more telling first; the rest is short.
_LARGE = ("settings", "condition", "program", "readings")


def provenance(run: RunRecord, group: GroupRecord, sample: SampleRecord) -> dict[str, Any]:
    """Return the metadata of one image: its program, where it stands in it, what it reads.

    Nothing in it depends on when or where the program ran, so that the same command writes the
    same bytes. What is too large for an image is left to run.json: `left_out` has its SHA-256, of
    the source text and of the JSON of all else.
    """
    said = {
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
    room = MOST_BYTES - len(_json({name: said[name] for name in said if name not in _LARGE}))
    left: dict[str, str] = {}
    for name in _LARGE:
        size = len(_json(said[name]))
        if size <= room:
            room -= size
            continue
        text = run.source.encode() if name == "program" else _json(said[name])
        left[name] = hashlib.sha256(text).hexdigest()
        del said[name]
    if "program" in left:
        said["program"] = {"name": run.program}
    return said | {"left_out": left} if left else said


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def is_foreign(path: Path) -> bool:
    """Whether `path` is a whole image that says nothing of a run: a person made or changed it."""
    return metadata_of(path) is None and is_whole(path)


def is_finished(path: Path, group: GroupRecord, index: int, metadata: bool) -> bool:
    """Whether `path` is the whole image of sample `index`, with metadata or without as wanted.

    An image without metadata cannot say whose it is; the folder it lies in vouches for it.
    """
    said = metadata_of(path) if is_whole(path) else {}
    if said is None or not metadata:
        return said is None and not metadata
    return (said.get("fingerprint"), said.get("index")) == (group.fingerprint, index)
