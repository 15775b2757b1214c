"""Files that people put into a run's folder, or change there, are never overwritten or removed."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_runs import make_latents, make_run, make_samples, read_run, texts_of_image
from numpy.typing import NDArray

from lacelang.errors import ResourceError
from lacelang.storage.group_folder import image_name
from lacelang.storage.png import encode
from lacelang.storage.records import GroupRecord, RunRecord
from lacelang.storage.run_folder import RunFolder

Make = Callable[..., GroupRecord]
Face = NDArray[np.uint8]


def made(root: Path, run: RunRecord, face: Face, metadata: bool = True) -> None:
    """Run a group of two samples to its end."""
    (group,) = run.groups
    with RunFolder(root, run, metadata=metadata) as folder:
        folder.begin()
        folder.add(group.name, make_samples(0, 2), make_latents(2))
        there = folder.group(group.name)
        for sample in there.samples:
            said = texts_of_image(run, there.record, sample) if metadata else None
            there.images.write(image_name(sample.index), encode(face, said), provenance=metadata)


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["0001.png", "0002.png", "0042.png", "2026.png"])
@pytest.mark.parametrize("then", [{"count": 2}, {"count": 60}, {"fingerprint": "new"}], ids=str)
def test_an_image_of_a_person_stops_a_run_into_its_group(
    tmp_path: Path, make_group: Make, face: Face, name: str, then: dict[str, object]
) -> None:
    made(tmp_path, make_run(make_group(count=2)), face)
    (tmp_path / "kids" / name).write_bytes(encode(face[::-1]))
    before = contents(tmp_path)
    again = make_run(make_group(**{"count": 2, **then}))
    for replace in (False, True):
        with (
            RunFolder(tmp_path, again, replace=replace) as folder,
            pytest.raises(ResourceError, match=f"{name} is not as a run has written it") as caught,
        ):
            folder.begin()
        assert caught.value.remedy
        assert contents(tmp_path) == before
    (tmp_path / "kids" / name).rename(tmp_path / "kids" / "mine.png")
    with RunFolder(tmp_path, again) as folder:
        folder.begin()


def test_an_image_of_a_person_beside_those_without_provenance(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    run = make_run(make_group(count=2))
    made(tmp_path, run, face, metadata=False)
    for metadata in (False, True, False):
        with RunFolder(tmp_path, run, metadata=metadata) as folder:
            folder.begin()
            assert len(folder.group("kids").unfinished) == (2 if metadata else 0)
    (tmp_path / "kids" / "0001.png").write_bytes(encode(face[::-1]))
    with RunFolder(tmp_path, run) as folder, pytest.raises(ResourceError, match="is not as a run"):
        folder.begin()


def test_folders_beside_the_samples_go_to_the_new_group(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    made(tmp_path, make_run(make_group(count=2)), face)
    for name in ("chosen/one.txt", "notes.txt"):
        path = tmp_path / "kids" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    made(tmp_path, make_run(make_group(count=2, fingerprint="new")), face)
    assert (tmp_path / "kids" / "chosen" / "one.txt").read_text() == "mine"
    assert (tmp_path / "kids" / "notes.txt").read_text() == "mine"
    assert not (tmp_path / ".kids.old").exists()


def test_a_name_spelt_with_other_code_points_is_the_same_group(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    for form, fingerprint in (("NFC", "a"), ("NFD", "b"), ("NFC", "b"), ("NFD", "c")):
        name = unicodedata.normalize(form, "Zo\u00eb")
        made(tmp_path, make_run(make_group(name, fingerprint, count=2)), face)
        record = read_run(tmp_path)
        assert record is not None
        assert [(g.name, g.fingerprint) for g in record.groups] == [("Zo\u00eb", fingerprint)]


def test_what_an_edit_begins_from_is_in_the_way_of_another_group_only(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    run = make_run(make_group(count=2))
    made(tmp_path, run, face)
    begun = [tmp_path / "kids", tmp_path / "elsewhere"]
    with RunFolder(tmp_path, run, begun_from=begun) as folder:
        folder.begin()
    other = make_run(make_group(count=2, fingerprint="new"))
    for source in (tmp_path / "kids", tmp_path / "kids" / "latents-000000.safetensors"):
        with (
            RunFolder(tmp_path, other, begun_from=[source]) as folder,
            pytest.raises(ResourceError, match="an edit begins from"),
        ):
            folder.begin()
    with RunFolder(tmp_path, other, begun_from=[tmp_path / "kids2", tmp_path]) as folder:
        folder.begin()


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
@pytest.mark.parametrize("name", ["samples.jsonl", "annotations.jsonl"])
def test_nothing_is_written_through_a_link(
    tmp_path: Path, make_group: Make, face: Face, name: str
) -> None:
    run = make_run(make_group(count=4))
    made(tmp_path / "out", make_run(make_group(count=2)), face)
    mine = tmp_path / "mine.txt"
    mine.write_text("mine\n")
    link = tmp_path / "out" / "kids" / name
    link.unlink(missing_ok=True)
    link.symlink_to(mine)
    with RunFolder(tmp_path / "out", run) as folder:
        folder.begin()
        group = folder.group("kids")

        def write() -> None:
            folder.add("kids", make_samples(len(group.samples), 2), make_latents(2))
            group.annotate(0, {"smile": 1.0})

        with pytest.raises(ResourceError, match=re.escape(name)):
            write()
    assert mine.read_text() == "mine\n"


@pytest.mark.parametrize("linked", [False, True])
def test_a_lock_of_somebody_else_keeps_what_it_holds(
    tmp_path: Path, make_group: Make, linked: bool
) -> None:
    mine = tmp_path / ("mine.txt" if linked else ".lock")
    mine.write_text("mine\n" * 100)
    if linked:
        (tmp_path / ".lock").symlink_to(mine)
    with pytest.raises(ResourceError, match="lock"), RunFolder(tmp_path, make_run(make_group())):
        pass
    assert mine.read_text() == "mine\n" * 100
