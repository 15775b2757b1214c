"""What a run folder says is not believed: readings, measures, latents, endings."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from made_runs import forge_index
from numpy.typing import NDArray
from test_expectations import FakePool, expect, pool
from tiny import GLASSES_1, SPEC, TinyModel, edit, program, statement

from lacelang import ir
from lacelang.errors import LaceError, ResourceError
from lacelang.samplers.solution import Status
from lacelang.storage.arrays import packed, unpacked
from lacelang.storage.checks import check_of
from lacelang.storage.images import Images
from lacelang.storage.latents import Shards
from lacelang.storage.lines import Lines
from lacelang.storage.records import Ending

assert pool  # a fixture

JUDGED = program(statement("kids", 4), expect())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def out(tmp_path: Path, model: TinyModel) -> Path:
    JUDGED.run(out=tmp_path / "out")
    assert FakePool.looked == 4
    return tmp_path / "out"


def rewritten(path: Path, change: dict[str, object], key: bytes = b"") -> None:
    """Change a field of the second line of a file, with a right checksum."""
    lines = path.read_bytes().splitlines()
    data = json.loads(lines[1])
    data.pop("check")
    body = json.dumps({**data, **change}, separators=(",", ":")).encode()
    lines[1] = body[:-1] + f',"check":"{check_of(body, key)}"}}'.encode()
    path.write_bytes(b"\n".join(lines) + b"\n")


def test_annotations_are_read_again_by_who_made_them(out: Path) -> None:
    run = JUDGED.run(out=out)
    assert FakePool.looked == 4
    assert run.expectations[0].holds


def test_a_reading_that_changed_is_not_believed(out: Path) -> None:
    path = out / "kids" / "annotations.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"glasses":1.0', b'"glasses":0.0'))
    run = JUDGED.run(out=out)
    assert FakePool.looked == 8
    assert run.expectations[0].holds


@pytest.mark.parametrize("sealed", [False, True], ids=["other user", "checksum"])
def test_a_reading_from_elsewhere_is_not_believed(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sealed: bool
) -> None:
    if sealed:
        rewritten(out / "kids" / "annotations.jsonl", {"values": {"glasses": 0.0, "age": None}})
    else:
        monkeypatch.setenv("LACELANG_CACHE", str(tmp_path / "cache of another user"))
    run = JUDGED.run(out=out)
    # Of the first line, which is as it was written, nobody looks again.
    assert FakePool.looked == (4 + 3 if sealed else 4 + 4)
    assert run.expectations[0].holds


def test_a_reading_is_of_its_picture_alone(out: Path) -> None:
    """A picture that was exchanged, with all records of it right, is looked at."""
    images = Images(out / "kids").read()
    black = images.data("0002.png")
    images.write("0001.png", black, provenance=True)
    JUDGED.run(out=out)
    assert FakePool.looked == 5


def test_a_reading_without_pictures_is_of_its_latents(tmp_path: Path, model: TinyModel) -> None:
    out = tmp_path / "out"
    for looked in (4, 4):
        JUDGED.run(out=out, images=False)
        assert FakePool.looked == looked
    path = out / "kids" / "latents-000000.safetensors"
    found = unpacked(path)
    assert found is not None
    found.arrays["w"][1] += 1
    path.write_bytes(packed(found.arrays, found.said))
    JUDGED.run(out=out, images=False)
    assert FakePool.looked == 5


def test_a_measure_from_elsewhere_is_measured_again(
    tmp_path: Path, model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = program(
        ir.MeasureStatement(
            name="m", what=GLASSES_1, given=None, model=SPEC, truncation=0.7, seed=1
        )
    )
    out = tmp_path / "out"
    value = measured.run(out=out).measures["m"].value
    kept = (out / "run.json").read_text()
    again = measured.run(out=out)
    assert again.measures["m"].value == value
    assert json.loads(kept)["measures"] == json.loads((out / "run.json").read_text())["measures"]
    data = json.loads(kept)
    data["measures"][0]["value"] = 0.001
    forge_index(out, data)
    assert measured.run(out=out).measures["m"].value == value


Arrays = dict[str, NDArray[np.generic]]
WRONG: dict[str, dict[str, NDArray[np.generic]]] = {
    "NaN": {"w": np.full((4, 8), np.nan, np.float32)},
    "infinity": {"z": np.full((4, 8), np.inf, np.float32)},
    "doubles": {"w": np.zeros((4, 8))},
    "whole numbers": {"w": np.zeros((4, 8), np.int64)},
    "fewer z": {"z": np.zeros((3, 8), np.float32)},
    "flat": {"w": np.zeros(32, np.float32)},
    "five dimensions": {"w": np.zeros((4, 1, 1, 1, 8), np.float32)},
    "no samples": {"w": np.zeros((0, 8), np.float32), "z": np.zeros((0, 8), np.float32)},
    "no width": {"w": np.zeros((4, 0), np.float32)},
}


@pytest.mark.parametrize("how", WRONG)
def test_latents_that_cannot_be_are_sampled_again(out: Path, how: str) -> None:
    path = out / "kids" / "latents-000000.safetensors"
    whole, found = path.read_bytes(), unpacked(path)
    assert found is not None
    path.write_bytes(packed({**found.arrays, **WRONG[how]}, found.said))
    JUDGED.run(out=out)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("shape", [(4, 9), (4, 2, 8), (4, 1, 8)], ids=str)
def test_latents_of_another_model_are_refused(out: Path, shape: tuple[int, ...]) -> None:
    path = out / "kids" / "latents-000000.safetensors"
    found = unpacked(path)
    assert found is not None
    path.write_bytes(packed({**found.arrays, "w": np.zeros(shape, np.float32)}, found.said))
    with pytest.raises(ResourceError, match="another model"):
        JUDGED.run(out=out)


def test_shards_of_different_forms_end_where_they_differ(tmp_path: Path) -> None:
    for first, width in ((0, 8), (2, 9), (4, 8)):
        arrays = {name: np.zeros((2, width), np.float32) for name in "wz"}
        said = {"fingerprint": "f", "first": first}
        (tmp_path / f"latents-{first:06d}.safetensors").write_bytes(packed(arrays, said))
    assert len(Shards.open(tmp_path, "f")) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"status": "happy"},
        {"index": -1},
        {"index": 0},
        {"index": 2**70},
        {"nfe": -3},
        {"energy": "x"},
        {
            "steps": [
                json.loads("""{"energy":1,"status":"stuck","nfe":1,"accepted":1,"rejected":1,
            "readings":{}}""")
            ]
        },
    ],
    ids=str,
)
def test_lines_that_cannot_be_end_the_samples(out: Path, change: dict[str, object]) -> None:
    path = out / "kids" / "samples.jsonl"
    whole = path.read_bytes()
    rewritten(path, change)
    run = JUDGED.run(out=out)
    assert path.read_bytes() == whole
    assert run["kids"].status == (Status.converged,) * 4


def test_a_changed_value_in_a_line_is_noticed(out: Path) -> None:
    path = out / "kids" / "samples.jsonl"
    whole = path.read_bytes()
    for at in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[at] ^= 2
        path.write_bytes(damaged)
        JUDGED.run(out=out, images=False)
        assert path.read_bytes() == whole, at


def test_endings_are_those_of_the_samplers() -> None:
    assert set(Ending.__args__) == {status.name for status in Status}  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_group_of_a_stranger_can_be_anything(tmp_path: Path, model: TinyModel) -> None:
    """Whatever one file of a run's folder becomes, a run into it ends, in words or as it should."""
    both = program(statement("kids", 2, where=None), edit(), expect())
    both.run(out=tmp_path / "whole")
    names = [p.relative_to(tmp_path / "whole") for p in (tmp_path / "whole").rglob("*.*")]
    names = [name for name in names if not name.name.endswith("1.png")]
    assert len(names) > 10
    for name in names:
        for what in (b"\0" * 4096, b'{"a":' * 9999, "folder", "link"):
            out = tmp_path / "out"
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(tmp_path / "whole", out)
            (out / name).unlink()
            if isinstance(what, bytes):
                (out / name).write_bytes(what)
            elif what == "folder":
                (out / name).mkdir()
            else:
                (out / name).symlink_to(tmp_path / "nowhere")
            with suppress(LaceError):
                both.run(out=out)
                made = (out / "kids" / "0001.png").read_bytes()
                assert made == (tmp_path / "whole" / "kids" / "0001.png").read_bytes()


def test_lines_of_windows_are_the_same_lines(out: Path) -> None:
    for name in ("samples.jsonl", "annotations.jsonl", "images.jsonl"):
        path = out / "kids" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert len(Lines(path, dict, lambda: b"").read()) in (0, 4, 5)
    JUDGED.run(out=out)
    assert FakePool.looked == 4
