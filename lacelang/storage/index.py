"""`run.json`, the index of a run's folder. Schema 3.

    schema, lacelang        of this file, and of the program that wrote it
    program                 name, and source text, of the program that ran last
    versions                of the libraries that a sample's last bits depend on
    complete                false until everything that the program asks for is there
    groups[]                `GroupRecord` without its samples, one for each `sample` and `edit`
    measures[]              `MeasureRecord`
    expectations[]          `ExpectationRecord`, and whether it holds
    timing                  all that differs between two runs of one command

What grows with the number of samples stands in the folder of each group; see
`lacelang.storage.group_folder`. Two runs of one command on one machine agree in everything but
`timing`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from attrs import evolve, field, frozen

from lacelang.errors import another_folder
from lacelang.storage.files import disk_error, is_folder_name, write_atomic
from lacelang.storage.records import (
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    RunRecord,
    plain,
    rounded,
)
from lacelang.text.names import nfc

SCHEMA = 3
NAME = "run.json"
_MOST = 64 << 20


class _Schema(msgspec.Struct):
    schema: int


@frozen
class _Program:
    name: str
    source: str


@frozen
class _Index:
    """What is read of the file."""

    program: _Program
    versions: Mapping[str, str]
    complete: bool
    groups: tuple[GroupRecord, ...] = ()
    measures: tuple[MeasureRecord, ...] = ()
    expectations: tuple[ExpectationRecord, ...] = ()
    timing: Mapping[str, Any] = field(factory=dict)


def write_index(folder: Path, run: RunRecord) -> None:
    """Write `run`, without its groups' samples, to `folder`/run.json, whole or not at all.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    content = {
        "schema": SCHEMA,
        "lacelang": run.versions.get("lacelang", ""),
        "program": {"name": run.program, "source": run.source},
        "versions": dict(run.versions),
        "complete": run.complete,
        "groups": [plain(evolve(group, samples=())) for group in run.groups],
        "measures": [plain(measure) for measure in run.measures],
        "expectations": [
            {**plain(expected), "seen": rounded(expected.seen), "holds": expected.holds}
            for expected in run.expectations
        ],
        "timing": dict(run.timing),
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    # Text from Python may hold surrogates, which no file can.
    write_atomic(folder / NAME, text.encode(errors="replace"), flush=True)


def read_index(folder: Path) -> RunRecord | None:
    """Return the run that `folder` holds; None if there is no run.json.

    Raises:
        ResourceError: it cannot be read, is damaged, or has another schema.
    """
    path = folder / NAME
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no regular file")
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise ValueError(f"it is longer than {_MOST >> 20} MiB")
        schema = msgspec.json.decode(data, type=_Schema).schema
        if schema != SCHEMA:
            age = "a later" if schema > SCHEMA else "an earlier"
            raise another_folder(
                f"{path} was written by {age} version of lacelang (schema {schema}, not {SCHEMA})"
            )
        index = msgspec.json.decode(data, type=_Index)
        folders = [group.folder for group in index.groups]
        if not all(map(is_folder_name, folders)):
            # Files below are replaced: a forged name must not lead out of the run's folder.
            raise ValueError("no folder of a group")
        names = [nfc(group.name) for group in index.groups]
        if len(set(folders)) < len(folders) or len(set(names)) < len(names):
            raise ValueError("a group or a folder is named twice")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error(error, path, "read") from error
    except (ValueError, RecursionError) as error:
        raise another_folder(f"{path} is damaged, or no run of lacelang: {error}") from error
    return RunRecord(
        index.program.name,
        index.program.source,
        index.versions,
        tuple(evolve(group, samples=(), name=nfc(group.name)) for group in index.groups),
        tuple(evolve(each, name=nfc(each.name)) for each in index.measures),
        tuple(evolve(each, group=nfc(each.group)) for each in index.expectations),
        index.complete,
        index.timing,
    )
