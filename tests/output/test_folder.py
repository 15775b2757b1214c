from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_runs import make_latents, make_run, make_samples
from numpy.typing import NDArray

from lacelang.errors import ResourceError
from lacelang.output.files import write_atomic
from lacelang.output.folder import RunFolder
from lacelang.output.png import encode
from lacelang.output.provenance import provenance
from lacelang.output.records import GroupRecord, RunRecord
from lacelang.output.runfile import NAME, read_run

Make = Callable[..., GroupRecord]
Face = NDArray[np.uint8]


def fill(folder: RunFolder, name: str, face: Face, count: int, faces: int, run: RunRecord) -> None:
    """SampleRecord `count` and write the first `faces` images, as a run that is then stopped."""
    folder.add(name, make_samples(0, count), make_latents(count))
    for sample in folder.group(name).samples[:faces]:
        metadata = provenance(run, folder.group(name), sample)
        write_atomic(folder.path(name, sample.index), encode(face, metadata))
        folder.written(name, sample.index)


def begin(root: Path, run: RunRecord, **options: object) -> RunFolder:
    with RunFolder(root, run, **options) as folder:  # type: ignore[arg-type]
        folder.begin()
    return folder


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
    # Killed here: run.json does not know of the two images yet.
    folder = begin(tmp_path, run)
    assert [sample.index for sample in folder.unwritten("kids")] == [2, 3]
    latents = folder.latents("kids")
    assert latents is not None
    assert np.array_equal(latents.z, make_latents(4).z)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "kids").glob("0*.png")} == before


def test_a_damaged_face_is_made_again(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group())
    folder = begin(tmp_path, run)
    fill(folder, "kids", face, count=4, faces=4, run=run)
    path = folder.path("kids", 1)
    path.write_bytes(path.read_bytes()[:-5])
    folder = begin(tmp_path, run)
    assert [sample.index for sample in folder.unwritten("kids")] == [1]
    assert not path.exists()


def test_a_face_of_another_sample_is_made_again(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    run = make_run(make_group())
    folder = begin(tmp_path, run)
    fill(folder, "kids", face, count=4, faces=4, run=run)
    folder.path("kids", 0).write_bytes(folder.path("kids", 3).read_bytes())
    assert [s.index for s in begin(tmp_path, run).unwritten("kids")] == [0]


def test_metadata_wanted_or_not_decides_what_is_kept(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    run = make_run(make_group())
    fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    assert len(begin(tmp_path, run, metadata=False).unwritten("kids")) == 4


def test_more_of_a_group_keeps_what_there_is(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group(count=4))
    fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    folder = begin(tmp_path, make_run(make_group(count=6)))
    assert len(folder.group("kids").samples) == 4
    assert folder.unwritten("kids") == []
    folder.add("kids", make_samples(4, 2), make_latents(2, start=100))
    assert [s.index for s in folder.unwritten("kids")] == [4, 5]
    latents = folder.latents("kids")
    assert latents is not None
    assert latents.z.shape == (6, 8)


def test_fewer_of_a_group_removes_the_rest(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group(count=4))
    fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    folder = begin(tmp_path, make_run(make_group(count=2)))
    assert len(folder.group("kids").samples) == 2
    assert sorted(p.name for p in (tmp_path / "kids").glob("*.png")) == ["0000.png", "0001.png"]


def test_another_program_replaces_the_groups(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group("kids"), make_group("men", "f1"))
    folder = begin(tmp_path, run)
    for name in ("kids", "men"):
        fill(folder, name, face, count=4, faces=4, run=run)
    (tmp_path / "men" / "notes.txt").write_text("mine")
    other = RunFolder(tmp_path, make_run(make_group("kids", "other")))
    assert other.begin() == ("kids", "men")
    assert os.listdir(tmp_path / "kids") == []
    assert os.listdir(tmp_path / "men") == ["notes.txt"]
    assert other.group("kids").samples == ()


def test_the_groups_that_stayed_the_same_are_kept(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    run = make_run(make_group("kids"), make_group("men", "f1"))
    folder = begin(tmp_path, run)
    for name in ("kids", "men"):
        fill(folder, name, face, count=4, faces=4, run=run)
    changed = RunFolder(tmp_path, make_run(make_group("kids"), make_group("men", "f2")))
    assert changed.begin() == ("men",)
    assert changed.unwritten("kids") == []
    assert len(changed.group("kids").samples) == 4


def test_only_one_group_leaves_the_others_alone(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    run = make_run(make_group("kids"), make_group("men", "f1"))
    folder = begin(tmp_path, run)
    fill(folder, "kids", face, count=4, faces=4, run=run)
    folder.save(complete=True)
    folder = begin(tmp_path, run, chosen={"men"})
    fill(folder, "men", face, count=4, faces=4, run=run)
    again = folder.save()
    assert [group.name for group in again.groups] == ["kids", "men"]
    assert all(sample.file for group in again.groups for sample in group.samples)


def test_a_strangers_files_are_not_overwritten(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    (tmp_path / "kids").mkdir()
    (tmp_path / "kids" / "0000.png").write_bytes(b"holiday")
    with pytest.raises(ResourceError, match="is there already"):
        begin(tmp_path, make_run(make_group()))
    assert (tmp_path / "kids" / "0000.png").read_bytes() == b"holiday"
    assert not (tmp_path / NAME).exists()


def test_a_forged_run_file_does_not_lead_out_of_the_folder(
    tmp_path: Path, make_group: Make, face: Face
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "0000.png").write_bytes(b"holiday")
    root = tmp_path / "run"
    begin(root, make_run(make_group("evil", "e")))
    text = (root / NAME).read_text().replace('"folder": "evil"', '"folder": "../outside"')
    assert "../outside" in text
    (root / NAME).write_text(text)
    with pytest.raises(ResourceError, match="damaged"):
        begin(root, make_run(make_group("evil", "e")))
    assert (outside / "0000.png").read_bytes() == b"holiday"


def test_a_file_in_place_of_the_folder(tmp_path: Path, make_group: Make) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ResourceError, match="a file stands where a folder is needed"):
        begin(tmp_path / "out", make_run(make_group()))


def test_names_that_differ_in_case_get_folders_of_their_own(
    tmp_path: Path, make_group: Make
) -> None:
    folder = begin(tmp_path, make_run(make_group("Kids", "a"), make_group("kids", "b")))
    assert folder.group("Kids").folder == "Kids"
    assert folder.group("kids").folder == "kids_2"
    again = begin(tmp_path, make_run(make_group("Kids", "a"), make_group("kids", "b")))
    assert again.group("kids").folder == "kids_2"


def test_lost_latents_mean_sampling_again(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group())
    fill(begin(tmp_path, run), "kids", face, count=4, faces=4, run=run)
    (tmp_path / "kids" / "latents.safetensors").write_bytes(b"broken")
    folder = begin(tmp_path, run)
    assert folder.group("kids").samples == ()
    assert list((tmp_path / "kids").glob("0*.png")) == []


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
    assert sorted(os.listdir(tmp_path)) == ["kids", NAME]


def test_a_run_is_complete_when_all_is_there(tmp_path: Path, make_group: Make, face: Face) -> None:
    run = make_run(make_group())
    folder = begin(tmp_path, run)
    fill(folder, "kids", face, count=4, faces=4, run=run)
    assert folder.finished() == 4
    assert not folder.is_complete()
    folder.sheet("kids").write_bytes(b"")
    assert folder.is_complete()
