"""A run's folder only grows: what is kept, what is replaced and when, what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_runs import forge_index, make_latents, make_run, make_samples, read_run, texts_of_image
from numpy.typing import NDArray

from lacelang.errors import ResourceError
from lacelang.storage import run_folder
from lacelang.storage.group_folder import SAMPLES, GroupFolder, image_name
from lacelang.storage.images import SHEET
from lacelang.storage.png import encode
from lacelang.storage.records import NAME, GroupRecord, RunRecord, read_index
from lacelang.storage.run_folder import RunFolder, origin_of

Make = Callable[..., GroupRecord]
Face = NDArray[np.uint8]


def fill(
    folder: RunFolder, name: str, face: Face, count: int, faces: int, run: RunRecord
) -> GroupFolder:
    """Add `count` samples and write the first `faces` images, as a run that is then stopped."""
    folder.add(name, make_samples(0, count), make_latents(count))
    group = folder.group(name)
    for sample in group.samples[:faces]:
        metadata = texts_of_image(run, group.record, sample)
        group.images.write(image_name(sample.index), encode(face, metadata), provenance=True)
        group.note_image(sample.index)
    return group


def begin(root: Path, run: RunRecord, *arguments: object, **options: object) -> RunFolder:
    with RunFolder(root, run, *arguments, **options) as folder:  # type: ignore[arg-type]
        folder.begin()
    return folder


def everything(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_fresh_folder_records_the_run_before_any_face(tmp_path: Path, make_group: Make) -> None:
    begin(tmp_path / "out" / "p", make_run(make_group()))
    run = read_run(tmp_path / "out" / "p")
    assert run is not None
    assert not run.complete
    assert [group.name for group in run.groups] == ["kids"]


def test_a_second_run_keeps_finished_faces(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group())
    fill(begin(tmp_path, run), "kids", face, count=4, faces=2, run=run)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "kids").glob("0*.png")}
    group = begin(tmp_path, run).group("kids")
    assert [sample.index for sample in group.unfinished] == [2, 3]
    assert group.samples == make_samples(0, 4)
    assert np.array_equal(group.latents.rows(slice(None)).z, make_latents(4).z)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "kids").glob("0*.png")} == before


@pytest.mark.parametrize("damage", ["cut", "another sample"])
def test_a_face_that_is_not_its_samples_is_made_again(
    tmp_path: Path, make_group: Make, face: Face, damage: str
) -> None:
    run = make_run(make_group())
    group = fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    path = group.image(1)
    bad = {
        "cut": path.read_bytes()[:-5],
        "another sample": group.image(3).read_bytes(),
    }[damage]
    path.write_bytes(bad)
    again = begin(tmp_path, run).group("kids")
    assert [sample.index for sample in again.unfinished] == [1]
    # It is replaced when the new one is there.
    assert path.read_bytes() == bad


def test_metadata_wanted_or_not_decides_what_is_finished(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    run = make_run(make_group())
    fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    assert len(begin(tmp_path, run, metadata=False).group("kids").unfinished) == 4


def test_more_of_a_group_keeps_what_there_is(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group(count=4))
    fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    folder = begin(tmp_path, make_run(make_group(count=6)))
    group = folder.group("kids")
    assert len(group.samples) == 4
    assert group.unfinished == []
    folder.add("kids", make_samples(4, 2), make_latents(2, start=100))
    assert [s.index for s in group.unfinished] == [4, 5]
    assert group.latents.rows([5, 0]).z.shape == (2, 8)
    again = begin(tmp_path, make_run(make_group(count=6))).group("kids")
    assert again.samples == make_samples(0, 6)
    assert np.array_equal(again.latents.rows([4, 5]).z, make_latents(2, start=100).z)


def test_fewer_of_a_group_deletes_nothing(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group(count=4))
    group = fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    before = everything(group.path)
    fewer = begin(tmp_path, make_run(make_group(count=2))).group("kids")
    assert len(fewer.samples) == len(fewer.latents) == len(fewer.finished) == 2
    assert not fewer.has_sheet
    assert everything(group.path) == before
    assert len(begin(tmp_path, run).group("kids").finished) == 4


def test_groups_of_other_names_stay(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group("kids"), make_group("men", "f1"))
    folder = begin(tmp_path, run)
    for name in ("kids", "men"):
        fill(folder, name, face, count=4, faces=4, run=run)
    before = everything(tmp_path / "men")
    for origin in ("-", "elsewhere.lace"):
        begin(tmp_path, make_run(make_group("women", "f2")), origin=origin)
        begin(tmp_path, make_run(make_group("kids")), origin=origin)
    assert everything(tmp_path / "men") == before
    index = read_index(tmp_path)
    assert index is not None
    assert sorted(group.name for group in index.groups) == ["kids", "men", "women"]


def test_a_changed_group_is_replaced_once_the_new_one_exists(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    run = make_run(make_group(), make_group("men", "f1"))
    folder = begin(tmp_path, run)
    for name in ("kids", "men"):
        fill(folder, name, face, count=4, faces=4, run=run)
    (tmp_path / "kids" / "notes.txt").write_text("mine")
    before = everything(tmp_path / "kids")
    changed = make_run(make_group(fingerprint="new", count=2), make_group("men", "f1"))
    with RunFolder(tmp_path, changed) as again:
        assert again.begin() == ("kids",)
        assert everything(tmp_path / "kids") == before
        fill(again, "kids", face, count=2, faces=1, run=changed)
    assert sorted(os.listdir(tmp_path / "kids")) == [
        "0000.png",
        "images.jsonl",
        "latents-000000.safetensors",
        "notes.txt",
        "samples.jsonl",
    ]
    assert sorted(os.listdir(tmp_path)) == [".lock", "kids", "men", NAME]
    assert len(begin(tmp_path, changed).group("kids").finished) == 1
    assert len(begin(tmp_path, changed).group("men").finished) == 4


@pytest.mark.parametrize(
    ("first", "second"),
    [("a.lace", "b.lace"), ("-", "b.lace"), ("a.lace", "-"), ("-", None), ("a.lace", None)],
)
def test_a_group_of_another_program_is_not_replaced(
    tmp_path: Path, make_group: Make, face: Face, first: str, second: str | None
) -> None:
    run = make_run(make_group())
    fill(begin(tmp_path, run, origin=first), "kids", face, count=4, faces=4, run=run)
    before = everything(tmp_path)
    other = make_run(make_group("men"), make_group("kids", "other"))
    with pytest.raises(ResourceError, match="holds a group `kids`") as caught:
        begin(tmp_path, other, origin=second)
    assert "`out`" in str(caught.value)
    assert "`replace=True`" in str(caught.value)
    assert everything(tmp_path) == before
    # The same group, or one that is not made now, is in nobody's way.
    begin(tmp_path, run, origin=second)
    begin(tmp_path, other, ["men"], origin=second)
    replaced = begin(tmp_path, other, origin=second, replace=True)
    fill(replaced, "kids", face, count=4, faces=0, run=other)
    again = begin(tmp_path, other, origin=second, replace=True)
    assert len(again.group("kids").samples) == 4


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("step", range(8))
def test_a_kill_while_a_group_is_replaced_leaves_the_old_one_or_the_new_one(
    tmp_path: Path, make_group: Make, face: Face, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    old, new = make_run(make_group()), make_run(make_group(fingerprint="new"))
    fill(begin(tmp_path, old), "kids", face, count=4, faces=4, run=old)
    (tmp_path / "kids" / "notes.txt").write_text("mine")
    folder = begin(tmp_path, new)
    left = step

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patched:
        for name in ("rename", "unlink"):
            patched.setattr(Path, name, counted(getattr(Path, name)))
        patched.setattr(run_folder, "write_index", counted(run_folder.write_index))
        try:
            folder.add("kids", make_samples(0, 4), make_latents(4))
        except Killed:
            pass
        else:
            assert step > 3
    index = read_index(tmp_path)
    assert index is not None
    recorded = index.groups[0].fingerprint
    begun = begin(tmp_path, old if recorded == "f0" else new).group("kids")
    assert len(begun.samples) == 4
    assert len(begun.finished) == (4 if recorded == "f0" else 0)
    assert (tmp_path / "kids" / "notes.txt").read_text() == "mine"
    begin(tmp_path, new)
    assert not (tmp_path / ".kids.old").exists()


def test_the_path_of_a_program_is_the_program(tmp_path: Path) -> None:
    root = tmp_path / "out" / "p"
    for name in ("a/p.lace", "b/p.lace"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    (tmp_path / "link.lace").symlink_to(tmp_path / "a" / "p.lace")
    origins = [origin_of(tmp_path / name, root) for name in ("a/p.lace", "b/p.lace", "link.lace")]
    assert origins == ["../../a/p.lace", "../../b/p.lace", "../../a/p.lace"]
    assert origin_of(None, root) == "-"


def test_a_strangers_files_are_not_overwritten(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    (tmp_path / "kids").mkdir()
    (tmp_path / "kids" / "0000.png").write_bytes(b"holiday")
    for replace in (False, True):
        with pytest.raises(ResourceError, match="is there already"):
            begin(tmp_path, make_run(make_group()), replace=replace)
    assert (tmp_path / "kids" / "0000.png").read_bytes() == b"holiday"
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("forged", ["../outside", "..", ".", "a/b", "", ".hidden", "kids "])
def test_a_forged_run_file_does_not_lead_out_of_the_folder(
    tmp_path: Path, make_group: Make, forged: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "0000.png").write_bytes(b"holiday")
    root = tmp_path / "run"
    begin(root, make_run(make_group("evil", "e")))
    data = json.loads((root / NAME).read_text())
    data["groups"][0]["folder"] = forged
    forge_index(root, data)
    with pytest.raises(ResourceError, match="damaged"):
        begin(root, make_run(make_group("evil", "e2")))
    assert (outside / "0000.png").read_bytes() == b"holiday"


def test_a_group_that_is_a_link_is_refused(tmp_path: Path, make_group: Make, face: Face) -> None:
    outside, root = tmp_path / "outside", tmp_path / "run"
    run = make_run(make_group())
    fill(begin(root, run), "kids", face, count=4, faces=4, run=run)
    (root / "kids").rename(outside)
    (root / "kids").symlink_to(outside)
    before = everything(outside)
    for again in (run, make_run(make_group(fingerprint="new"))):
        with pytest.raises(ResourceError, match="is a link"):
            begin(root, again)
    assert everything(outside) == before


def test_a_file_in_place_of_the_folder(tmp_path: Path, make_group: Make) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ResourceError, match="a file stands where a folder is needed"):
        begin(tmp_path / "out", make_run(make_group()))


def test_names_that_differ_in_case_get_folders_of_their_own(
    tmp_path: Path, make_group: Make
) -> None:
    run = make_run(make_group("Kids", "a"), make_group("kids", "b"))
    for _ in range(2):
        folder = begin(tmp_path, run)
        assert folder.group("Kids").path.name == "Kids"
        assert folder.group("kids").path.name == "kids_2"


@pytest.mark.parametrize("ending", [" a", ".a", "  ", "b.c"])
def test_a_long_name_is_cut_to_one_that_is_recognised(
    tmp_path: Path, make_group: Make, ending: str
) -> None:
    for length in (118, 119, 120):
        name = "n" * length + ending
        run = make_run(make_group(name), make_group(name + "x", "f1"), make_group(name + "y", "f2"))
        first = [group.path for group in begin(tmp_path, run)._groups.values()]
        assert [group.path for group in begin(tmp_path, run)._groups.values()] == first


@pytest.mark.parametrize("name", ["latents-000000.safetensors", SAMPLES])
@pytest.mark.parametrize("how", ["gone", "broken", "flipped"])
def test_lost_latents_or_lines_mean_sampling_again(
    tmp_path: Path, make_group: Make, face: Face, name: str, how: str
) -> None:
    run = make_run(make_group())
    group = fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    path = group.path / name
    data = bytearray(path.read_bytes())
    if how == "gone":
        path.unlink()
    elif how == "broken":
        path.write_bytes(b"broken")
    else:
        data[-2] ^= 1
        path.write_bytes(data)
    folder = begin(tmp_path, run)
    left = folder.group("kids")
    # Of lines the ones before the damage are good; of latents the whole file is not.
    assert len(left.samples) == (3 if name == SAMPLES and how == "flipped" else 0)
    assert len(left.latents) == len(left.samples)
    count = len(left.samples)
    rows = make_latents(4).rows(slice(count, 4))
    folder.add("kids", make_samples(count, 4 - count), rows)
    again = begin(tmp_path, run).group("kids")
    assert again.samples == make_samples(0, 4)
    assert np.array_equal(again.latents.rows(slice(None)).w, make_latents(4).w)
    assert len(again.finished) == 4


def test_a_kill_in_the_middle_of_a_line_loses_that_line(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    run = make_run(make_group())
    group = fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    whole = (group.path / SAMPLES).read_bytes()
    for size in range(0, len(whole), 7):
        (group.path / SAMPLES).write_bytes(whole[:size])
        count = whole[:size].count(b"\n")
        folder = begin(tmp_path, run)
        assert folder.group("kids").samples == make_samples(0, count)
        folder.add("kids", make_samples(count, 4 - count), make_latents(4).rows(slice(count, 4)))
        assert (group.path / SAMPLES).read_bytes() == whole


def test_two_runs_do_not_share_a_folder(tmp_path: Path, make_group: Make) -> None:
    run = make_run(make_group())
    with RunFolder(tmp_path, run) as first:
        first.begin()
        with (
            pytest.raises(ResourceError, match="another lacelang is running"),
            RunFolder(tmp_path, run),
        ):
            pass
    with RunFolder(tmp_path, run) as second:
        second.begin()


def test_a_run_is_complete_when_all_is_there(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group())
    folder = begin(tmp_path, run)
    group = fill(folder, "kids", face, count=4, faces=4, run=run)
    assert folder.finished() == 4
    assert folder.is_complete(images=False)
    assert not folder.is_complete()
    (group.path / SHEET).write_bytes(b"")
    assert not begin(tmp_path, run).is_complete()
    group.images.write(SHEET, encode(face), provenance=True)
    assert begin(tmp_path, run).is_complete()


def test_what_is_written_grows_with_the_samples_alone(tmp_path: Path, make_group: Make) -> None:
    run = make_run(make_group(count=6400))
    folder = begin(tmp_path, run)
    written = 0

    def count(path: Path) -> int:
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())

    changed: dict[Path, tuple[int, int]] = {}
    for first in range(0, 6400, 64):
        folder.add("kids", make_samples(first, 64), make_latents(64))
        for path in tmp_path.rglob("*"):
            if path.is_file():
                state = path.stat()
                before = changed.get(path, (0, 0))
                if (state.st_mtime_ns, state.st_size) != before:
                    # A line file is appended to; everything else is written whole.
                    appended = path.name == SAMPLES
                    written += state.st_size - before[1] if appended else state.st_size
                    changed[path] = (state.st_mtime_ns, state.st_size)
    assert written < 1.2 * count(tmp_path)


def test_the_same_samples_are_the_same_bytes(tmp_path: Path, make_group: Make) -> None:
    written = []
    for name in "abcdefgh":
        folder = begin(tmp_path / name, make_run(make_group()))
        folder.add("kids", make_samples(0, 4), make_latents(4))
        group = tmp_path / name / "kids"
        written.append({path.name: path.read_bytes() for path in group.iterdir()})
    assert all(each == written[0] for each in written)
