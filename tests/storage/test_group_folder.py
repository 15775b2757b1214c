"""A group's folder by itself: what is unfinished, annotated, appended and taken back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from made_runs import make_latents, make_samples

from lacelang.errors import ResourceError
from lacelang.storage.group_folder import (
    GroupFolder,
    clear,
    hidden,
    own_files,
    recover,
    refuse_link,
)
from lacelang.storage.images import named_images
from lacelang.storage.lines import Lines
from lacelang.storage.records import GroupRecord

Make = Callable[..., GroupRecord]


@frozen
class Item:
    number: int


def made(path: Path, record: GroupRecord, count: int) -> GroupFolder:
    folder = GroupFolder(path, record)
    folder.make()
    folder.add(make_samples(0, count), make_latents(count))
    return folder


def test_the_last_image_and_only_the_last_completes_a_group(
    tmp_path: Path, make_group: Make
) -> None:
    folder = made(tmp_path / "kids", make_group(count=3), 3)
    left = [{0, 1, 2}, {0, 2}, {0, 2}, {0}]
    for index, remaining, last in zip((None, 1, 1, 2), left, (False,) * 4, strict=True):
        if index is not None:
            assert folder.note_image(index) is last
        assert {sample.index for sample in folder.unfinished} == remaining
    assert folder.note_image(0) is True
    assert folder.unfinished == []


def test_samples_are_on_the_disk_itself_their_latents_first(
    tmp_path: Path, make_group: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "kids", make_group(count=3), 1)
    flushed: list[str] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        real(descriptor)

    monkeypatch.setattr("os.fsync", noted)
    folder.add(make_samples(1, 2), make_latents(2))
    shard, *rest = flushed
    assert shard.startswith(".latents-000001.safetensors.")
    assert rest == ["kids", "samples.jsonl"]
    flushed.clear()
    folder.annotate(0, {"glasses": 1.0})  # which is made again
    assert flushed == []


def test_what_annotators_say_is_of_the_sample_that_they_say_it_of(
    tmp_path: Path, make_group: Make
) -> None:
    folder = made(tmp_path / "kids", make_group(count=3), 3)
    folder.annotate(1, {"glasses": 1.0})
    folder.annotate(2, {"glasses": None})
    folder.annotate(1, {"glasses": 0.0})
    expected = [None, {"glasses": 0.0}, {"glasses": None}]
    assert [sample.seen for sample in folder.group.samples] == expected
    again = GroupFolder(tmp_path / "kids", make_group(count=3)).load(3, metadata=True)
    assert [sample.seen for sample in again.group.samples] == expected
    fewer = GroupFolder(tmp_path / "kids", make_group(count=2)).load(2, metadata=True)
    assert [sample.seen for sample in fewer.group.samples] == expected[:2]


def test_lines_are_taken_up_to_the_first_that_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = Lines(path, Item)
    assert lines.read() == []
    assert lines.intact
    lines.append([Item(1), Item(2)])
    lines.append([Item(3)], flush=False)
    whole = path.read_bytes()
    assert [line[:12] for line in whole.splitlines()] == [b'{"number":%d,' % k for k in (1, 2, 3)]
    last = whole.splitlines(keepends=True)[-1]
    for damage in (last[:-1], b"\xff\xfe\n", last.replace(b":3,", b":4,"), b"[" * 100_000 + b"\n"):
        path.write_bytes(whole + damage + last)
        again = Lines(path, Item)
        assert again.read() == [Item(1), Item(2), Item(3)]
        assert not again.intact
        again.append([Item(5)])
        assert path.read_bytes().startswith(whole)
        assert again.read() == [Item(1), Item(2), Item(3), Item(5)]
        assert again.intact
    again.cut(1)
    again.append([Item(6)])
    assert again.read() == [Item(1), Item(6)]
    assert Lines(path, Item, lambda: b"another key").read() == []
    path.unlink()
    path.mkdir()
    folder = Lines(path, Item)
    assert (folder.read(), folder.intact) == ([], False)


def test_lines_of_a_link_are_not_written(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"kept")
    (tmp_path / "lines").symlink_to(tmp_path / "theirs")
    with pytest.raises(ResourceError, match="lines"):
        Lines(tmp_path / "lines", Item).append([Item(1)])
    assert (tmp_path / "theirs").read_bytes() == b"kept"
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    with pytest.raises(ResourceError) as refused:
        refuse_link(tmp_path / "link")
    assert refused.value.message == (
        f"{tmp_path / 'link'} is a link; a run writes into folders of its own only"
    )
    assert refused.value.remedy == "remove the link, or choose another folder"


OWN = ("0000.png", "00012.png", "latents-000000.safetensors", "samples.jsonl", "sheet.png")
OTHERS = ("000.png", "0000.png.txt", "notes.txt", "a0000.png", "latents-0.safetensors", "x.jsonl")


def filled(folder: Path) -> None:
    (folder / "edits").mkdir(parents=True)
    for name in (*OWN, *OTHERS):
        (folder / name).write_text(name)
    for name in ("0000.png", "mine.png"):
        (folder / "edits" / name).write_text(name)


def names(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def test_a_run_s_own_files_are_told_by_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "kids"
    filled(folder)
    assert {path.name for path in named_images(folder)} == {"0000.png", "00012.png", "sheet.png"}
    own = {str(path.relative_to(folder)) for path in own_files(folder)}
    assert own == {*OWN, "edits/0000.png"}
    (tmp_path / "link").symlink_to(folder)
    assert list(own_files(tmp_path / "link")) == list(named_images(tmp_path / "no")) == []
    before = names(folder)
    (folder / "edits" / ".0.png.1.part").touch()
    clear(tmp_path / "link")
    assert names(folder) == {*before, "edits/.0.png.1.part"}
    (folder / "edits" / ".0.png.1.part").unlink()


def test_a_replacement_that_was_cut_off_is_finished(tmp_path: Path, make_group: Make) -> None:
    """The new group stays if it has samples; else the old one comes back."""
    for has_samples in (True, False):
        place = tmp_path / str(has_samples)
        made(hidden(place, "old"), make_group(fingerprint="f0"), 2)
        if has_samples:
            made(place, make_group(fingerprint="f1"), 1)
        else:
            GroupFolder(place, make_group()).make()
        recover(place, "f1" if has_samples else "f0")
        kept = make_group(fingerprint="f1" if has_samples else "f0")
        assert len(GroupFolder(place, kept).load(4, True).samples) == (1 if has_samples else 2)
        assert not hidden(place, "old").exists()


def test_a_new_group_takes_the_place_of_an_old_one(tmp_path: Path, make_group: Make) -> None:
    place = tmp_path / "kids"
    made(place, make_group(fingerprint="f0"), 2)
    new = made(hidden(place, "new"), make_group(fingerprint="f1"), 1)
    new.take_place(place)
    assert new.path == place
    assert (
        len(GroupFolder(hidden(place, "old"), make_group(fingerprint="f0")).load(2, True).samples)
        == 2
    )
    new.add(make_samples(1, 1), make_latents(1, 5.0))
    new.annotate(1, {"glasses": 1.0})
    again = GroupFolder(place, make_group(fingerprint="f1")).load(2, True)
    assert [sample.seen for sample in again.samples] == [None, {"glasses": 1.0}]
    assert np.array_equal(new.latents.rows([1]).w, make_latents(1, 5.0).w)
