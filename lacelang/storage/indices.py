"""Indices of folders: JSON of a numbered schema, with a checksum."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from lacelang.errors import another_folder
from lacelang.storage.checks import check_of_json

Kept = TypeVar("Kept")


class _Schema(msgspec.Struct):
    schema: int


def encoded(content: Mapping[str, Any], apart: str) -> bytes:
    """Return the bytes of an index, whose checksum is of all but the field `apart`."""
    # Text from Python may hold halves of characters, which no file can.
    text = json.dumps(content, ensure_ascii=False, allow_nan=False).encode(errors="replace")
    said = msgspec.json.decode(text)
    said["check"] = check_of_index(said, apart)
    return json.dumps(said, ensure_ascii=False, indent=2).encode() + b"\n"


def decoded(data: bytes, kind: type[Kept], schema: int, where: str, apart: str) -> Kept:
    """Return the record of an index, whose file messages call `where`.

    Raises:
        ResourceError: another version of lacelang wrote it.
        ValueError, RecursionError: it is damaged, or something else.
    """
    found = msgspec.json.decode(data, type=_Schema).schema
    if found != schema:
        age = "a later" if found > schema else "an earlier"
        raise another_folder(
            f"{where} was written by {age} version of lacelang (schema {found}, not {schema})"
        )
    said = msgspec.json.decode(data)
    if said.get("check") != check_of_index(said, apart):
        raise ValueError("it does not agree with its checksum")
    return msgspec.json.decode(data, type=kind)


def check_of_index(said: Mapping[str, object], apart: str) -> str:
    """Return the checksum of what an index says, but for itself and the field `apart`."""
    return check_of_json({name: v for name, v in said.items() if name not in ("check", apart)})
