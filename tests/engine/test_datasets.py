"""Data sets: shards that others can load, that go on where they end, with bytes that are fixed."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from PIL import Image
from tiny import GLASSES, TinyModel, edit, program, statement

from lacelang import ir
from lacelang.errors import ResourceError, UsageError
from lacelang.storage.datasets.folder import DatasetGroup, damaged
from lacelang.storage.datasets.index import Index, read_index
from lacelang.storage.datasets.place import Local, Remote, place_of
from lacelang.storage.datasets.samples import items_of

SMALL: dict[str, Any] = {"format": "webdataset", "shard_size": 4}
PARQUET: dict[str, Any] = {"format": "parquet", "shard_size": 4}


def kids(count: int = 10) -> ir.SampleStatement:
    return statement("kids", count)


def files(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in (".lock", "index.json", "README.md")
    }


def made(run: Any) -> Index:
    assert isinstance(run.dataset, Index)
    return run.dataset


def group_at(out: Path | str, name: str = "kids") -> DatasetGroup:
    place = place_of(out)
    index = read_index(place)
    assert index is not None
    entry = next(each for each in index.groups if each.group.name == name)
    group = DatasetGroup(place, entry.group, index.layout)
    group.load()
    return group


@pytest.mark.parametrize("how", [SMALL, PARQUET], ids=["webdataset", "parquet"])
def test_what_is_read_is_what_a_run_makes(
    model: TinyModel, tmp_path: Path, how: dict[str, Any]
) -> None:
    both = program(kids(), edit(steps=edit().steps[:1]))
    memory = both.run()
    index = made(both.run(out=tmp_path, **how))
    assert index.complete
    assert [each.tally.count for each in index.groups] == [10, 10]
    assert [each.shards for each in index.groups] == [3, 3]
    for name in ("kids", "edited"):
        group = group_at(tmp_path, name)
        items = [i for s in group.shards for i in items_of(group.place, group.record, s)]
        assert [item.sample for item in items] == list(memory[name].record.samples)
        rows = memory[name].rows.rows(slice(None))
        assert np.array_equal(group.rows(range(10)).w, rows.w)
        assert np.array_equal(group.rows([7, 2]).w, rows.w[[7, 2]])
        for item, image in zip(items, memory[name].images, strict=True):
            assert item.image is not None
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(item.image))), image)
        assert not list(damaged(group))


@pytest.mark.parametrize("how", [SMALL, PARQUET], ids=["webdataset", "parquet"])
def test_a_longer_run_leaves_the_same_bytes_as_one_at_once(
    model: TinyModel, tmp_path: Path, how: dict[str, Any]
) -> None:
    whole = made(program(kids(11)).run(out=tmp_path / "whole", **how))
    for count in (3, 4, 6, 11):
        found = made(program(kids(count)).run(out=tmp_path / "grown", **how))
        assert found.groups[0].tally.count == count
    assert files(tmp_path / "grown") == files(tmp_path / "whole")
    assert found.groups == whole.groups
    # What is there is not made again.
    decoded = model.generator.decoded  # type: ignore[attr-defined]
    made(program(kids(11)).run(out=tmp_path / "whole", **how))
    made(program(kids(5)).run(out=tmp_path / "whole", **how))
    assert model.generator.decoded == decoded  # type: ignore[attr-defined]


@pytest.mark.parametrize("at", [0, 3, 4, 9])
def test_an_interrupted_run_goes_on(model: TinyModel, tmp_path: Path, at: int) -> None:
    program(kids()).run(out=tmp_path / "whole", **SMALL)

    class Stop(TinyModel):
        def decode(self, w: Any) -> Iterator[Any]:
            for image in super().decode(w):
                if self.generator.decoded == at + 1:
                    raise KeyboardInterrupt
                yield image

    with pytest.MonkeyPatch.context() as patched:
        stop = Stop()
        patched.setattr("lacelang.engine.plan.load", lambda *_: stop)
        with pytest.raises(KeyboardInterrupt, match="finished samples are kept"):
            program(kids()).run(out=tmp_path / "cut", **SMALL)
    assert len(group_at(tmp_path / "cut")) == at
    program(kids()).run(out=tmp_path / "cut", **SMALL)
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


@pytest.mark.parametrize("how", [SMALL, PARQUET], ids=["webdataset", "parquet"])
@pytest.mark.parametrize("number", [0, 4, 8])
@pytest.mark.parametrize("harm", ["cut", "gone", "said"])
def test_a_damaged_shard_is_made_again(
    model: TinyModel, tmp_path: Path, how: dict[str, Any], number: int, harm: str
) -> None:
    program(kids()).run(out=tmp_path, **how)
    before = files(tmp_path)
    kind = "json" if harm == "said" else "tar"
    path = tmp_path / "kids" / f"{number:09d}.{kind}"
    data = path.read_bytes()
    path.unlink()
    if harm != "gone":
        path.write_bytes(data[: len(data) // 2])
    program(kids()).run(out=tmp_path, **how)
    assert files(tmp_path) == before


def test_what_a_killed_process_left_half_made_is_removed(model: TinyModel, tmp_path: Path) -> None:
    program(kids()).run(out=tmp_path, **SMALL)
    before = files(tmp_path)
    for name, left in ((".new.ab_c12de", "000000008.tar"), (".new.1234567_", "000000004.parquet")):
        (tmp_path / "kids" / name).mkdir()
        (tmp_path / "kids" / name / left).write_bytes(b"half")
    (tmp_path / "kids" / ".new.ab_c12df").mkdir()
    kept = tmp_path / "kids" / ".new.ab_c12df" / "notes.txt"
    kept.write_text("a person's own")
    program(kids()).run(out=tmp_path, **SMALL)
    assert kept.exists()
    kept.unlink()
    assert files(tmp_path) == before


def test_changed_bytes_are_found(model: TinyModel, tmp_path: Path) -> None:
    program(kids()).run(out=tmp_path, **SMALL)
    path = tmp_path / "kids" / "000000004.tar"
    data = bytearray(path.read_bytes())
    data[700] ^= 1
    path.write_bytes(data)
    assert list(damaged(group_at(tmp_path))) == ["000000004.tar"]


def test_a_damaged_last_shard_is_not_taken_over(model: TinyModel, tmp_path: Path) -> None:
    program(kids(6)).run(out=tmp_path / "cut", **SMALL)
    path = tmp_path / "cut" / "kids" / "000000004.tar"
    path.write_bytes(b"\xff" * path.stat().st_size)
    program(kids(10)).run(out=tmp_path / "cut", **SMALL)
    program(kids(10)).run(out=tmp_path / "whole", **SMALL)
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


@pytest.mark.parametrize("url", ["memory://faces/{}", "file://{}"])
def test_urls(model: TinyModel, tmp_path: Path, url: str) -> None:
    there = url.format(f"{tmp_path}/there").partition("#")[0]
    program(kids(6)).run(out=there, **SMALL)
    index = made(program(kids()).run(out=there, **SMALL))
    local = made(program(kids()).run(out=tmp_path / "here", **SMALL))
    assert index.groups == local.groups
    group = group_at(there)
    assert len(group) == 10
    assert not list(damaged(group))
    assert b"webdataset" in (place_of(there).read("README.md") or b"")


@pytest.mark.parametrize("url", ["s3://", "memory:///", "x://faces"])
def test_a_url_without_a_place(model: TinyModel, url: str) -> None:
    with pytest.raises(ResourceError, match=f"{url} names no place"):
        program(kids()).run(out=url, **SMALL)


def test_s3_is_reached_by_pyarrow_where_s3fs_is_not_installed() -> None:
    place = place_of("s3://faces/many?region=eu-north-1&scheme=http&endpoint_override=127.0.0.1:9")
    assert isinstance(place, Remote)
    assert (type(place._files).__name__, place._root) == ("ArrowFSWrapper", "faces/many")


if "LACELANG_S3" in os.environ:

    def test_s3(model: TinyModel, tmp_path: Path) -> None:
        """A server of S3's is where the variable says, with `{}` for the name of a folder."""
        test_urls(model, tmp_path, os.environ["LACELANG_S3"].format(tmp_path.name) + "#{}")


def test_a_url_of_an_unknown_kind(model: TinyModel) -> None:
    with pytest.raises(ResourceError, match="nothing9://x"):
        program(kids()).run(out="nothing9://x", **SMALL)


@pytest.mark.parametrize(
    ("image_format", "quality"), [("png", None), ("jpeg", 80), ("webp", 75), ("jpeg", None)]
)
def test_image_formats(
    model: TinyModel, tmp_path: Path, image_format: Any, quality: int | None
) -> None:
    run = program(kids(2)).run(out=tmp_path, **SMALL, image_format=image_format, quality=quality)
    assert made(run).layout.images == image_format
    group = group_at(tmp_path)
    item = next(iter(items_of(group.place, group.record, group.shards[0])))
    assert item.image is not None
    image = Image.open(io.BytesIO(item.image))
    assert image.format == image_format.upper()
    # Every image says that it is synthetic.
    assert b"trainedAlgorithmicMedia" in item.image
    program(kids(2)).run(out=tmp_path / "plain", **SMALL, image_format=image_format, metadata=False)
    bare = group_at(tmp_path / "plain")
    item = next(iter(items_of(bare.place, bare.record, bare.shards[0])))
    assert item.image is not None
    assert b"trainedAlgorithmicMedia" not in item.image


@pytest.mark.parametrize("how", [SMALL, PARQUET], ids=["webdataset", "parquet"])
def test_without_images(model: TinyModel, tmp_path: Path, how: dict[str, Any]) -> None:
    index = made(program(kids(), edit()).run(out=tmp_path, images=False, **how))
    assert index.complete
    assert model.generator.decoded == 0  # type: ignore[attr-defined]
    group = group_at(tmp_path, "edited")
    items = [i for s in group.shards for i in items_of(group.place, group.record, s)]
    assert [item.image for item in items] == [None] * 10
    suffixes = {path.suffix for path in (tmp_path / "kids").iterdir()}
    assert suffixes == {".json", ".tar" if how is SMALL else ".parquet"}
    # What was written without images is found again as that.
    assert len(group) == 10
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "kids").iterdir()}
    program(kids(), edit()).run(out=tmp_path, images=False, **how)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kids").iterdir()} == before


def test_other_tools_load_it(model: TinyModel, tmp_path: Path) -> None:
    import datasets
    import webdataset
    from pyarrow import dataset

    datasets.disable_progress_bars()
    run = program(kids()).run(out=tmp_path / "tars", **SMALL)
    tars = sorted(map(str, (tmp_path / "tars" / "kids").glob("*.tar")))
    found = list(webdataset.WebDataset(tars, shardshuffle=False).decode("pil"))
    assert [each["__key__"] for each in found] == [f"{index:09d}" for index in range(10)]
    assert [each["json"]["index"] for each in found] == list(range(10))
    assert found[0]["png"].size == (16, 16)
    assert found[0]["w.npy"].shape == (8,)
    hub = datasets.load_dataset(
        "webdataset", data_files=tars, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert hub[3]["json"]["status"] == "converged"
    assert hub[3]["png"].size == (16, 16)
    program(kids()).run(out=tmp_path / "rows", **PARQUET)
    rows = sorted(map(str, (tmp_path / "rows" / "kids").glob("*.parquet")))
    table = dataset.dataset(rows).to_table()
    assert table.column("sample").to_pylist() == list(range(10))
    assert table.column("glasses=1 holds").to_pylist() == [True] * 10
    hub = datasets.load_dataset(
        "parquet", data_files=rows, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(hub[0]["w"]) == 8
    assert made(run).groups[0].tally.holds == {"glasses=1": 10, "age=40": 10}


def test_proportions_are_exact_over_shards(model: TinyModel, tmp_path: Path) -> None:
    drawn = ir.DrawnClass(GLASSES, ((0, 1), (1, 3)), text="glasses=each {0: 1, 1: 3}")
    run = program(statement("kids", 40, where=drawn)).run(out=tmp_path, images=False, **SMALL)
    group = made(run).groups[0]
    assert group.shards == 10
    assert group.tally.classes == {"glasses": {"0": 10, "1": 30}}
    shares = [shard.tally.classes["glasses"] for shard in group_at(tmp_path).shards]
    assert all(share == {"0": 1, "1": 3} for share in shares)


class Poisoned(TinyModel):
    """A decoder that fails at some samples, by their first coordinate."""

    def __init__(self, bad: set[float]) -> None:
        super().__init__()
        self.bad = bad

    def decode(self, w: Any) -> Iterator[Any]:
        for row, image in zip(np.asarray(w), super().decode(w), strict=True):
            if float(row.reshape(-1)[0]) in self.bad:
                raise RuntimeError("this sample broke the decoder")
            yield image


def test_what_cannot_be_decoded_is_recorded(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = program(kids()).run()["kids"].w
    poisoned = Poisoned({float(w[2, 0]), float(w[9, 0])})
    monkeypatch.setattr("lacelang.engine.plan.load", lambda *_: poisoned)
    index = made(program(kids()).run(out=tmp_path, **SMALL))
    failures = index.groups[0].tally.failures
    assert [failure.index for failure in failures] == [2, 9]
    assert {failure.error for failure in failures} == {
        "RuntimeError: this sample broke the decoder"
    }
    group = group_at(tmp_path)
    items = [i for s in group.shards for i in items_of(group.place, group.record, s)]
    assert [item.sample.index for item in items if item.image is None] == [2, 9]
    assert index.groups[0].tally.count == 10


def test_a_decoder_that_is_broken_ends_the_run(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = program(kids(64)).run()["kids"].w
    poisoned = Poisoned(set(map(float, w[:, 0])))
    monkeypatch.setattr("lacelang.engine.plan.load", lambda *_: poisoned)
    with pytest.raises(ResourceError, match=r"32 samples in a row failed[^\0]*broke the decoder"):
        program(kids(64)).run(out=tmp_path, **SMALL)


PLACES = {"flush": (os, "fsync"), "rename": (Path, "replace"), "folder": (Path, "mkdir")}


@pytest.mark.parametrize("place", PLACES)
def test_a_full_disk_at_any_moment(
    model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    program(kids()).run(out=tmp_path / "whole", **SMALL)
    owner, name = PLACES[place]
    real, failed = getattr(owner, name), 0
    for at in range(0, 36, 5):
        calls = 0

        def call(*arguments: Any, at: int = at, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at + 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **named)

        out = tmp_path / str(at)
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, call)
            with suppress(ResourceError):
                program(kids()).run(out=out, **SMALL)
        if calls <= at:
            break
        failed += 1
        program(kids()).run(out=out, **SMALL)
        assert files(out) == files(tmp_path / "whole"), at
    assert failed > 1


def test_what_others_made_is_not_replaced(model: TinyModel, tmp_path: Path) -> None:
    program(kids()).run(out=tmp_path, **SMALL)
    before = files(tmp_path)
    other = program(evolve(kids(), seed=8))
    for change in ({}, {"format": "parquet"}, {"shard_size": 5}):
        with pytest.raises(ResourceError, match="made in another way"):
            (other if not change else program(kids())).run(out=tmp_path, **{**SMALL, **change})
        assert files(tmp_path) == before
    index = made(other.run(out=tmp_path, replace=True, **SMALL))
    assert index.groups[0].group.seed == 8
    assert files(tmp_path) != before


def test_one_process_at_a_time(model: TinyModel, tmp_path: Path) -> None:
    with Local(tmp_path).held(), pytest.raises(ResourceError, match="another lacelang"):
        program(kids()).run(out=tmp_path, **SMALL)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"format": "tar"}, "`format` is one of: folder, webdataset, parquet"),
        ({"format": "folder", "quality": 3}, "`quality` is of a data set"),
        ({"format": "folder", "shard_size": 3}, "`shard_size` is of a data set"),
        ({"format": "folder", "image_format": "webp"}, "`image_format` is of a data set"),
        ({"format": "folder", "out": "s3://faces"}, "is for the formats webdataset"),
        ({"format": "parquet", "out": None}, "`out` names the folder"),
        ({"format": "parquet", "quality": 90}, "PNG has none"),
        ({"format": "parquet", "quality": 101, "image_format": "jpeg"}, "from 1 to 100"),
        ({"format": "parquet", "shard_size": 0}, "from 1 to a million"),
        ({"format": "parquet", "image_format": "gif"}, "png, jpeg, webp"),
        ({"format": "parquet", "on_image": print}, "`on_image` is told of images in a folder"),
        ({"workers": 0}, "from 1 to 10 000"),
        ({"workers": "spark://x"}, "ray://HOST:PORT"),
        ({"workers": "ray://"}, "ray://HOST:PORT"),
        ({"workers": "ray://host"}, "ray://HOST:PORT"),
    ],
)
def test_wrong_arguments(
    model: TinyModel, tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        program(kids()).run(**{"out": tmp_path / "x", **wrong})
