"""`run.json`, the index of a run's folder. Schema 3.

    schema, lacelang        of this file, and of the program that wrote it
    program                 name, and source text, of the program that ran last
    versions                of the libraries that a sample's last bits depend on
    complete                false until everything that the program asks for is there
    groups[]                one for each `sample` and `edit` that was run into the folder
      name, folder, condition, fingerprint, seed, count, settings{}
      origin                the program's file as seen from the folder, or -
      without_provenance    whether some images may not say what they were made from
      atoms[]               text, attribute, reading, low, high, unit, negated
      steps[]               of an edit, its lines: text, layers (null for all), atoms[]
    measures[]              name, what, given, model, truncation, seed, fingerprint, draws,
                            given_draws, value, low, high, decided
    expectations[]          text, group, wanted, seen, holds, faces, failing[]
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

from lacelang.errors import ANOTHER_FOLDER, ResourceError
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
_REMEDY = "move it away, or choose another folder"
_WIDTH = 110
_MOST = 64 << 20


@frozen
class _Program:
    name: str
    source: str


@frozen
class _Index:
    """What the file holds, as it is checked on reading."""

    schema: int
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
    # Text from Python may hold surrogates, which no file can.
    data = (_pretty(_to_json(run)) + "\n").encode(errors="replace")
    write_atomic(folder / NAME, data, flush=True)


def read_index(folder: Path) -> RunRecord | None:
    """Return the run that `folder` holds; None if there is no run.json.

    Raises:
        ResourceError: it cannot be read, is damaged, or has another schema.
    """
    path = folder / NAME
    try:
        if path.exists() and not path.is_file():
            raise _damaged(path, "it is no regular file")
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error(error, path, "read") from error
    if len(data) > _MOST:
        raise _damaged(path, f"it is longer than {_MOST >> 20} MiB")
    _refuse_other_schemas(path, data)
    try:
        index = msgspec.json.decode(data, type=_Index)
        folders = [group.folder for group in index.groups]
        names = [group.name for group in index.groups]
        if not all(map(is_folder_name, folders)):
            # Files below are replaced: a forged name must not lead out of the run's folder.
            raise ValueError("no folder of a group")
        if len(set(folders)) < len(folders) or len(set(names)) < len(names):
            raise ValueError("a group or a folder is named twice")
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    return RunRecord(
        program=index.program.name,
        source=index.program.source,
        versions=index.versions,
        groups=tuple(evolve(group, samples=(), name=nfc(group.name)) for group in index.groups),
        measures=tuple(evolve(each, name=nfc(each.name)) for each in index.measures),
        expectations=tuple(evolve(each, group=nfc(each.group)) for each in index.expectations),
        complete=index.complete,
        timing=index.timing,
    )


def _refuse_other_schemas(path: Path, data: bytes) -> None:
    class Schema(msgspec.Struct):
        schema: int

    try:
        schema = msgspec.json.decode(data, type=Schema).schema
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if schema != SCHEMA:
        age = "a later" if schema > SCHEMA else "an earlier"
        raise ResourceError(
            f"{path} was written by {age} version of lacelang (schema {schema}, not {SCHEMA})",
            _REMEDY,
            ANOTHER_FOLDER,
        )


def _damaged(path: Path, why: str) -> ResourceError:
    return ResourceError(
        f"{path} is damaged, or no run of lacelang: {why}", _REMEDY, ANOTHER_FOLDER
    )


def _to_json(run: RunRecord) -> dict[str, Any]:
    return {
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


def _pretty(value: Any, indent: str = "") -> str:
    """JSON with a line for what fits on one."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(indent) + len(line) <= _WIDTH or not isinstance(value, dict | list | tuple) or not value:
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(k)}: {_pretty(v, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"
