"""Run folders as a stranger may make them: they are read or refused in words, and stay inside."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import forge_index, make_latents, make_run, make_samples, read_run
from numpy.typing import NDArray

from lacelang.errors import LaceError
from lacelang.semantics.check import check
from lacelang.storage.checks import check_of
from lacelang.storage.group_folder import SAMPLES, image_name
from lacelang.storage.lines import _AFTER, _BEFORE
from lacelang.storage.png import encode
from lacelang.storage.records import NAME, GroupRecord, RunRecord
from lacelang.storage.run_folder import RunFolder

Make = Callable[..., GroupRecord]
STRANGE: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 1e400, -1e400, float("nan"), 10**400, 2**63, -(2**64), 1e-320),
    *("", "x", "..", "../x", "a/b", "a\\b", "/etc", "con", ".", "\x00", "\ud800", "é" * 300, "~"),
    *([], {}, [[]], [{}], {"": None}, ["x"] * 50),
)


@pytest.fixture
def original(tmp_path: Path, make_group: Make, face: NDArray[np.uint8]) -> tuple[Path, RunRecord]:
    """A finished run in `run`, beside `outside`, to which links may lead."""
    run = make_run(make_group("kids"), make_group("men", "f1"))
    with RunFolder(tmp_path / "run", run) as folder:
        folder.begin()
        for name in ("kids", "men"):
            folder.add(name, make_samples(0, 4), make_latents(4))
            for i in range(4):
                folder.group(name).images.write(image_name(i), encode(face))
                folder.group(name).note_image(i)
        folder.save(complete=True)
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    for name in ("file", "deep/file", "000000.png"):
        (tmp_path / "outside" / name).write_bytes(b"somebody's")
    return tmp_path / "run", run


def _everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


def _changed(value: Any, rng: random.Random) -> Any:
    """Return JSON with one of its values exchanged, left out, repeated or called otherwise."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return rng.choice(STRANGE)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key, how = rng.choice(keys), rng.random()
    if how < 0.1:
        del value[key]
    elif how < 0.15 and isinstance(value, list):
        value += value
    elif how < 0.15:
        value[f"{key}x"] = value.pop(key)
    else:
        value[key] = _changed(value[key], rng)
    return value


def _index(root: Path, rng: random.Random) -> None:
    with contextlib.suppress(ValueError, OSError):
        data = json.loads((root / NAME).read_text())
        forge_index(root, _changed(data, rng))


def _line(root: Path, rng: random.Random) -> None:
    """Change a line and let its checksum agree with it."""
    file = rng.choice([path for path in root.rglob("*.jsonl") if path.is_file()] or [root / "no"])
    with contextlib.suppress(ValueError, OSError):
        lines = file.read_bytes().splitlines(keepends=True)
        at = rng.randrange(len(lines))
        data = json.loads(lines[at])
        data.pop("check", None)
        body = json.dumps(_changed(data, rng)).encode()
        lines[at] = body.removesuffix(b"}") + _BEFORE + check_of(body).encode() + _AFTER + b"\n"
        if rng.random() < 0.3:
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
        file.write_bytes(b"".join(lines))


def _bytes(root: Path, rng: random.Random) -> None:
    """Cut a file short, lengthen it, or change bytes of it."""
    file = rng.choice([path for path in sorted(root.rglob("*")) if path.is_file()])
    data = bytearray(file.read_bytes())
    at = rng.randrange(len(data) + 1)
    how = rng.random()
    if how < 0.4:
        del data[at:]
    elif how < 0.6:
        data[at:at] = rng.randbytes(rng.choice([1, 8, 3000]))
    else:
        data[at : at + 8] = rng.randbytes(8)
    file.write_bytes(data)


def _place(root: Path, rng: random.Random) -> None:
    """Put a link, a folder, a pipe or nothing in the place of a file or a folder."""
    place = rng.choice(sorted(root.rglob("*")))
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()
    how = rng.randrange(6)
    if how < 3:
        outside = root.parent / "outside"
        targets = [outside, outside / "file", outside / "no", place, root, Path("/dev/zero")]
        place.symlink_to(rng.choice(targets))
    elif how == 3:
        place.mkdir()
    elif how == 4 and hasattr(os, "mkfifo"):
        os.mkfifo(place)


CHANGES = (_index, _index, _line, _line, _bytes, _place)


def _uses(root: Path, run: RunRecord) -> Iterator[Callable[[], object]]:
    """Yield the ways in which a folder from elsewhere is read, the one that writes last."""
    yield lambda: read_run(root)
    yield lambda: check('edit "run/kids" { smile = 1 }', root.parent / "p.lace")
    yield lambda: check('edit "run/men/w.safetensors" { smile = 1 } from ffhq', root.parent / "p")

    def again() -> None:
        with RunFolder(root, run, replace=True) as folder:
            folder.begin()
            folder.add("kids", make_samples(len(folder.group("kids").samples), 1), make_latents(1))
            folder.save()

    yield again


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_any_folder_is_read_or_refused_and_nothing_beside_it_changes(
    seed: int, original: tuple[Path, RunRecord], tmp_path: Path
) -> None:
    whole, run = original
    rng = random.Random(seed)
    outside = _everything(tmp_path / "outside")
    refusals: list[str] = []
    for _ in range(1000 if seed else 40):
        case = tmp_path / "case"
        shutil.copytree(whole, case / "run", symlinks=True)
        for _ in range(rng.choice((1, 1, 2, 4))):
            rng.choice(CHANGES)(case / "run", rng)
        for use in _uses(case / "run", run):
            try:
                use()
            except LaceError as error:
                refusals.append(str(error))
        assert _everything(tmp_path / "outside") == outside
        assert {path.name for path in case.iterdir()} <= {"run"}
        shutil.rmtree(case)
    assert len(refusals) > 30
    assert all(refusals)
    assert (whole / "kids" / SAMPLES).is_file()
