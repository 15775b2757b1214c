"""Runs, samples and latents for the tests of what a run leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from attrs import evolve

from lacelang.storage import records
from lacelang.storage.group_folder import GroupFolder
from lacelang.storage.indices import check_of_index
from lacelang.storage.latents import Latents
from lacelang.storage.provenance import Provenance, texts
from lacelang.storage.records import GroupRecord, ProgramRecord, RunRecord, SampleRecord, read_index
from lacelang.system.filenames import on_disk


def make_run(
    *groups: GroupRecord, program: str = "p.lace", source: str = "sample from ffhq"
) -> RunRecord:
    return RunRecord(ProgramRecord(program, source), {"lacelang": "0"}, tuple(groups))


def make_samples(first: int, count: int, status: str = "converged") -> list[SampleRecord]:
    return [
        SampleRecord(i, 0.25 * i, status, 20 + i, {"glasses=1": 0.99, "age=15": 14.2})
        for i in range(first, first + count)
    ]


def make_latents(count: int, start: float = 0.0) -> Latents:
    rows = np.arange(count * 8, dtype=np.float32).reshape(count, 8) + np.float32(start)
    return Latents(z=rows, w=rows / 2)


def provenance_of(
    run: RunRecord, group: GroupRecord, sample: SampleRecord | None = None
) -> Provenance:
    """What an image of a run says of how it was made."""
    return Provenance(
        "sheet" if sample is None else "image",
        run.program.name,
        run.versions,
        group.name,
        "sample",
        group.fingerprint,
        group.seed,
        run.program.source,
        group.condition,
        group.settings,
        sample=sample,
    )


def texts_of_image(
    run: RunRecord, group: GroupRecord, sample: SampleRecord | None = None
) -> dict[str, str]:
    """The texts that such an image carries."""
    return texts(provenance_of(run, group, sample))


def forge_index(root: Path, data: object) -> None:
    """Write JSON as a run.json whose checksum is right."""
    if isinstance(data, dict):
        data.pop("check", None)
        data["check"] = check_of_index(json.loads(json.dumps(data)), records.APART)
    (root / records.NAME).write_text(json.dumps(data))


def read_run(root: Path) -> RunRecord | None:
    """Return what the folder of a run holds, with the samples of each group; None if it is none."""
    run = read_index(root)
    if run is None:
        return None
    folders = [
        GroupFolder(root / on_disk(group.folder), group).load(group.count, metadata=True)
        for group in run.groups
    ]
    return evolve(run, groups=tuple(folder.group for folder in folders))
