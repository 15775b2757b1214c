"""A disk that is full, at any moment of a run: it is said so, and the next run goes on."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny import TinyModel, edit, program, statement

from lacelang.errors import ResourceError
from lacelang.storage.files import flush_folder

BOTH = program(statement("kids", 1, where=None), edit(steps=edit().steps[:1]))


def contents(folder: Path) -> dict[str, object]:
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
    data = json.loads((folder / "run.json").read_text())
    # What comes after a failure may be written before what failed.
    lines = {name: sorted(found[name].splitlines()) for name in found if "images.jsonl" in name}
    return {**found, **lines, "run.json": {**data, "timing": None}}


def failing(real: Callable[..., Any], at: int, number: int) -> tuple[Callable[..., Any], list[int]]:
    """A function that fails when it is called for the `at`-th time, and how often it was."""
    calls: list[int] = []

    def call(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == at + 1:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **named)

    return call, calls


PLACES = {
    "flush": (os, "fsync"),
    "write": (Path, "write_bytes"),
    "rename": (Path, "replace"),
    "folder": (Path, "mkdir"),
}


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_at_any_moment(
    model: TinyModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    BOTH.run(out=tmp_path / "whole")
    wanted = contents(tmp_path / "whole")
    owner, name = PLACES[place]
    at, failed = 0, list[str]()
    while True:
        out = tmp_path / str(at)
        call, calls = failing(getattr(owner, name), at, errno.ENOSPC)
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, call)
            try:
                BOTH.run(out=out)
            except ResourceError as error:
                failed.append(str(error))
        if len(calls) <= at:
            break
        assert not list(out.rglob("*.part"))
        BOTH.run(out=out)
        assert contents(out) == wanted, at
        at += 3 if place == "flush" else 1
    assert len(failed) >= 3
    assert all("no space left" in said and "free some space" in said for said in failed)


@pytest.mark.skipif(os.name != "posix", reason="folders are not flushed there")
@pytest.mark.parametrize(
    ("number", "fine"),
    [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False), (errno.ENOSPC, False)],
)
def test_a_file_system_that_flushes_no_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fine: bool
) -> None:
    def flush(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", flush)
    if fine:
        flush_folder(tmp_path)
    else:
        with pytest.raises(OSError, match=os.strerror(number)):
            flush_folder(tmp_path)
