"""Data sets are judged by a sample of them, and any one sample of them is made again."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from PIL import Image

import lacelang
from lacelang.cli.main import main
from lacelang.evaluate.dataset import evaluate_dataset
from lacelang.evaluate.dataset_card import write_card
from lacelang.progress import Silent
from lacelang.render.data_card import card_of
from lacelang.storage.datasets.folder import DatasetGroup
from lacelang.storage.datasets.index import read_index
from lacelang.storage.datasets.judged import read_judged
from lacelang.storage.datasets.place import place_of
from lacelang.storage.datasets.samples import TarWriter, items_of

SOURCE = """
sample 13 from digits where digit = each {three: 1, seven: 2} seed 1 as drawn
edit drawn { digit = eight } as edited
pick 11, 1, 7 of drawn as some
"""
WEBP: dict[str, Any] = {"format": "webdataset", "image_format": "webp", "shard_size": 4}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that no test changes."""
    out = tmp_path_factory.mktemp("sets") / "many"
    lacelang.compile(SOURCE).run(out=out, **WEBP)
    return out


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "own"))


def test_a_sample_of_every_group_is_judged(made: Path) -> None:
    _, report = evaluate_dataset(place_of(made), Silent(), 12)
    assert report.about == {"samples": {"drawn": 12, "edited": 12, "some": 3}}
    assert [table.title.partition(":")[0] for table in report.tables] == ["drawn", "edited", "some"]
    for table in report.tables:
        (row,) = table.rows
        assert isinstance(row["judged"], float)
        assert row["judged"] > 0.6
    # From shards all over the group, not from its beginning alone.
    (shown,) = (p for p in report.pictures if p.name == "drawn")
    assert shown.draw().width > 100


def test_what_is_judged_is_what_each_drew(made: Path, own: Path) -> None:
    """The images of the three and of a seven change places: two samples show something else."""
    index = read_index(place_of(own))
    assert index is not None
    (entry,) = (each for each in index.groups if each.group.name == "drawn")
    group = DatasetGroup(place_of(own), entry.group, index.layout)
    group.load()
    items = list(items_of(group.place, group.record, group.shards[0]))
    (three, seven) = (
        next(k for k, item in enumerate(items) if item.sample.drawn["digit"] == digit)
        for digit in ("three", "seven")
    )
    changed = {three: items[seven].image, seven: items[three].image}
    path = own / "drawn" / "000000000.tar"
    size = path.stat().st_size
    writer = TarWriter(path.parent, "000000000", group.record, index.layout)
    for k, item in enumerate(items):
        writer.add(evolve(item, image=changed.get(k, item.image)))
    writer.close()
    assert path.stat().st_size == size
    before, after = (
        evaluate_dataset(place_of(out), Silent(), 13)[1].tables[0].rows[0]["judged"]
        for out in (made, own)
    )
    assert isinstance(before, float)
    assert isinstance(after, float)
    assert after == pytest.approx(before - 2 / 13)


def test_the_card_says_what_was_seen(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Not yet." in (own / "README.md").read_text("utf-8")
    assert main(["evaluate", str(own), "--faces", "4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["about"]["samples"]["drawn"] == 4
    card = (own / "README.md").read_text("utf-8")
    assert "Not yet." not in card
    assert "show the whole condition" in card
    assert "Apache-2.0" in card
    for name in ("drawn", "edited", "some"):
        assert f"(judged/{name}.jpg)" in card
        with Image.open(own / "judged" / f"{name}.jpg") as sheet:
            assert sheet.format == "JPEG"
    # It stays while the data set does, and is not shown of one that has grown.
    lacelang.compile(SOURCE).run(out=own, **WEBP)
    assert (own / "README.md").read_text("utf-8") == card
    grown = lacelang.compile(SOURCE.replace("13", "14")).run(out=own, **WEBP).dataset
    assert grown is not None
    assert read_judged(place_of(own)) is not None
    said = (own / "README.md").read_text("utf-8")
    assert "Not yet since it grew." in said
    assert "judged/drawn.jpg" not in said


def test_the_command_of_the_card_makes_a_sample_again(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card = (made / "README.md").read_text("utf-8")
    (command,) = (line.split() for line in card.splitlines() if "lacelang replay ." in line)
    assert command[:3] == ["lacelang", "replay", "."]
    monkeypatch.chdir(made)
    out = tmp_path / "again.webp"
    assert main([*command[1:], "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "the same bytes" in said
    assert "latents: the same" in said
    with Image.open(out) as image:
        assert image.size == (28, 28)


@pytest.mark.parametrize(
    "how",
    [
        "latents",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("png", "parquet", "bare")),
    ],
)
@pytest.mark.parametrize("which", ["drawn/2", "edited/1", "some/0"])
def test_any_sample_is_made_again(
    how: str, which: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    out = tmp_path_factory.getbasetemp() / f"set {how}"
    if not out.exists():
        options: dict[str, Any] = {"format": "parquet" if how == "parquet" else "webdataset"}
        options |= {"images": how != "latents", "metadata": how != "bare", "shard_size": 4}
        source = SOURCE.replace("13", "3").replace("11, 1, 7", "2, 1")
        lacelang.compile(source).run(out=out, **options)
    file = tmp_path / "again.png"
    assert main(["replay", str(out), which, "--out", str(file)]) == 0
    assert file.exists() == (how != "latents")


@pytest.mark.parametrize("which", ["drawn", "drawn/x", "drawn/13", "none/0", "/", ""])
def test_no_such_sample(
    made: Path, which: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["replay", str(made), which]) == 2
    assert "drawn" in capsys.readouterr().err
    assert main(["replay", str(tmp_path), which]) == 2


def test_another_sample_is_not_written_over_a_file(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.webp"
    file.write_bytes(b"mine")
    assert main(["replay", str(made), "drawn/1", "--out", str(file)]) == 2
    assert file.read_bytes() == b"mine"


def test_a_sample_that_has_changed_is_noticed(own: Path, tmp_path: Path) -> None:
    path = own / "drawn" / "000000000.tar"
    data = bytearray(path.read_bytes())
    at = data.index(b"RIFF") + 300
    data[at] ^= 1
    path.write_bytes(data)
    out = tmp_path / "again.webp"
    assert main(["replay", str(own), "drawn/0", "--out", str(out)]) == 1


@pytest.mark.skipif(os.name == "nt", reason="permissions are another thing there")
def test_a_place_that_may_only_be_read_is_judged(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = place_of(own)

    def refuse(*_: object) -> None:
        raise lacelang.ResourceError("it may only be read")

    monkeypatch.setattr(type(place), "write", refuse)
    card = (own / "README.md").read_bytes()
    assert main(["evaluate", str(own), "--faces", "2"]) == 0
    seen = capsys.readouterr()
    assert "show the whole condition" in seen.out
    assert "its card is left as it is" in seen.err
    assert (own / "README.md").read_bytes() == card


def test_what_cannot_be_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "no data set" in capsys.readouterr().err
    lacelang.compile("sample 2 from digits as x").run(
        out=tmp_path / "rows", format="parquet", images=False
    )
    assert main(["evaluate", str(tmp_path / "rows")]) == 2
    assert "has no images" in capsys.readouterr().err


def test_a_damaged_judgement_is_no_judgement(own: Path) -> None:
    (own / "judged.json").write_text("{")
    place = place_of(own)
    assert read_judged(place) is None
    index = read_index(place)
    assert index is not None
    assert "Not yet." in card_of(index, read_judged(place))


def test_at_a_url(made: Path) -> None:
    import fsspec

    fsspec.filesystem("memory").put(f"{made}/", "/judged_set/", recursive=True)
    place = place_of("memory://judged_set")
    index, report = evaluate_dataset(place, Silent(), 3)
    write_card(place, index, report)
    assert b"judged/drawn.jpg" in (place.read("README.md") or b"")
    with place.opened("judged/drawn.jpg") as file, Image.open(file) as sheet:
        assert np.asarray(sheet).ndim == 3
