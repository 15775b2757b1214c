"""What the index of a folder says while several programs run into it, one after another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from made_runs import make_latents, make_run, make_samples
from numpy.typing import NDArray

from lacelang.errors import ResourceError, WayOut
from lacelang.storage.group_folder import image_name
from lacelang.storage.images import SHEET
from lacelang.storage.png import encode
from lacelang.storage.records import (
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    RunRecord,
    read_index,
)
from lacelang.storage.run_folder import RunFolder, origin_of

Make = Callable[..., GroupRecord]
Face = NDArray[np.uint8]
MEASURE = MeasureRecord("m", "a", None, "ffhq", 0.7, 3, "f", 9, 4, 0.2, 0.1, 0.4, None)
EXPECTED = ExpectationRecord("a in 5% of kids", "kids", 0.05, 3, (1,))


def begun(root: Path, run: RunRecord, *arguments: object, **options: object) -> RunFolder:
    with RunFolder(root, run, *arguments, **options) as folder:  # type: ignore[arg-type]
        folder.begin()
    return folder


def filled(folder: RunFolder, name: str, count: int = 4) -> None:
    folder.add(name, make_samples(0, count), make_latents(count))


def index_of(root: Path) -> RunRecord:
    run = read_index(root)
    assert run is not None
    return run


def refusal(root: Path, run: RunRecord, **options: Any) -> ResourceError:
    with pytest.raises(ResourceError) as refused:
        begun(root, run, **options)
    return refused.value


def test_measures_and_expectations_of_other_programs_stay(tmp_path: Path, make_group: Make) -> None:
    """Those of the same name, or of the program's own groups, are replaced."""
    first = begun(tmp_path, make_run(make_group("kids"), make_group("men", "f1")), origin="a.lace")
    of_men = evolve(EXPECTED, group="men")
    first.keep([MEASURE, evolve(MEASURE, name="n")], [EXPECTED, of_men])
    assert index_of(tmp_path).measures == ()  # until it is saved
    first.save()
    second = begun(tmp_path, make_run(make_group("kids"), make_group("women")), origin="b.lace")
    again, other = evolve(MEASURE, draws=10), evolve(MEASURE, name="o")
    judged = evolve(EXPECTED, faces=9)
    second.keep([other, again], [judged])
    said = second.save(complete=True, timing={"seconds": 2.0})
    found = index_of(tmp_path)
    assert found == said
    assert found.measures == (evolve(MEASURE, name="n"), other, again)
    assert found.expectations == (of_men, judged)
    assert [group.name for group in found.groups] == ["kids", "women", "men"]
    assert [group.origin for group in found.groups] == ["a.lace", "b.lace", "a.lace"]
    assert found.complete
    assert found.timing == {"seconds": 2.0}
    # A run that says nothing of them leaves them, and is not complete before it says so.
    begun(tmp_path, make_run(make_group("men", "f1")), origin="c.lace")
    found = index_of(tmp_path)
    assert len(found.measures) == 3
    assert found.expectations == (judged,)
    assert not found.complete
    assert found.timing == {}


def test_a_group_is_found_as_it_is_made_or_as_it_was_made(tmp_path: Path, make_group: Make) -> None:
    kids, men = make_group("kids"), make_group("men", "f1")
    folder = begun(tmp_path, make_run(kids, men))
    for name in ("kids", "men"):
        filled(folder, name)
    some = begun(tmp_path, make_run(kids, evolve(men, count=2)), ["kids"])
    assert some.find("kids") is some.group("kids")
    earlier = some.find("men")
    assert earlier is not None
    assert earlier.path == tmp_path / "men"
    assert [sample.index for sample in earlier.samples] == [0, 1]
    with pytest.raises(KeyError):
        some.group("men")
    assert some.find("women") is None
    # Another program's, and one that has changed since.
    assert begun(tmp_path, make_run(kids), ["kids"]).find("men") is None
    assert (
        begun(tmp_path, make_run(kids, evolve(men, fingerprint="g")), ["kids"]).find("men") is None
    )


def test_groups_of_a_chosen_few_are_made_and_all_are_known(
    tmp_path: Path, make_group: Make
) -> None:
    kids, men = make_group("kids"), make_group("men", "f1")
    folder = begun(tmp_path, make_run(kids, men), ["men"])
    assert [group.name for group in index_of(tmp_path).groups] == ["men"]
    assert not folder.is_complete(images=False)
    filled(folder, "men")
    assert not folder.is_complete(images=False)
    whole = begun(tmp_path, make_run(kids, men))
    filled(whole, "kids", 3)
    assert not whole.is_complete(images=False)
    whole.add("kids", make_samples(3, 1), make_latents(1))
    assert whole.is_complete(images=False)
    assert not whole.is_complete()
    assert begun(tmp_path, make_run()).is_complete()


def test_a_group_that_is_replaced_is_listed_until_the_new_one_has_samples(
    tmp_path: Path, make_group: Make
) -> None:
    filled(begun(tmp_path, make_run(make_group())), "kids")
    new = make_run(make_group("first", "f1"), make_group(fingerprint="new", count=2))
    folder = begun(tmp_path, new)
    assert folder.group("kids").path == tmp_path / ".kids.new"
    assert [(g.name, g.fingerprint) for g in index_of(tmp_path).groups] == [
        ("first", "f1"),
        ("kids", "f0"),
    ]
    filled(folder, "kids", 1)
    assert folder.group("kids").path == tmp_path / "kids"
    assert index_of(tmp_path).groups[1].fingerprint == "new"
    folder.add("kids", make_samples(1, 1), make_latents(1))
    assert begun(tmp_path, new).group("kids").samples == make_samples(0, 2)


def test_the_first_program_of_a_group_remains_its_own(tmp_path: Path, make_group: Make) -> None:
    """A program that keeps a group does not take it; one that replaces it does."""
    filled(begun(tmp_path, make_run(make_group()), origin="a.lace"), "kids")
    begun(tmp_path, make_run(make_group()), origin="b.lace")
    assert index_of(tmp_path).groups[0].origin == "a.lace"
    new = make_run(make_group(fingerprint="new"))
    assert "`a.lace`" in str(refusal(tmp_path, new, origin="b.lace"))
    filled(begun(tmp_path, new, origin="b.lace", replace=True), "kids")
    assert index_of(tmp_path).groups[0].origin == "b.lace"


def test_what_is_in_the_way_is_named_with_the_ways_out(tmp_path: Path, make_group: Make) -> None:
    root, other = tmp_path / "run", make_run(make_group(fingerprint="new"))
    for origin, whose in (
        ("a.lace", "`a.lace`"),
        ("-", "another program"),
        (None, "another program"),
    ):
        first = make_run(make_group(str(origin)))
        filled(begun(root, first, origin=origin), str(origin))
        error = refusal(root, make_run(make_group(str(origin), "new")), origin="b.lace")
        assert error.message == f"{root / str(origin)} holds a group `{origin}` of {whose}"
        assert error.remedy == "choose another folder"
        assert set(error.ways) == {WayOut.FOLDER, WayOut.REPLACE}
    (root / "kids").mkdir()
    stranger = root / "kids" / image_name(0)
    stranger.write_bytes(b"mine")
    error = refusal(root, other)
    assert error.message == f"{stranger} is there already, and not from a run that {root} records"


def test_what_an_edit_begins_from_is_not_replaced(tmp_path: Path, make_group: Make) -> None:
    filled(begun(tmp_path, make_run(make_group())), "kids")
    new, kids = make_run(make_group(fingerprint="new")), tmp_path / "kids"
    for place in (kids, kids / "latents-000000.safetensors"):
        error = refusal(tmp_path, new, begun_from=[place])
        assert error.message == f"an edit begins from {kids}, which this run would replace"
        assert error.remedy is not None
        assert error.remedy == ("choose another name for the group that is made, or another folder")
    begun(tmp_path, make_run(make_group()), begun_from=[kids])
    begun(tmp_path, new, begun_from=[tmp_path / "men", tmp_path])


def test_a_file_that_is_too_long_for_a_lock_is_somebody_s(tmp_path: Path, make_group: Make) -> None:
    lock, run = tmp_path / ".lock", make_run(make_group())
    lock.write_bytes(b"x" * 129)
    error = refusal(tmp_path, run)
    assert error.message == f"{lock} is not the lock of a run"
    assert lock.stat().st_size == 129
    lock.write_bytes(b"x" * 128)
    begun(tmp_path, run)
    with RunFolder(tmp_path, run):
        error = refusal(tmp_path, run)
        assert error.message == f"another lacelang is running into {tmp_path}"
        assert error.remedy == "wait for it, or choose another folder"


def test_a_sheet_is_of_all_samples(tmp_path: Path, make_group: Make, face: Face) -> None:
    """One that was made for fewer of them, or for more, is made again."""
    folder = begun(tmp_path, make_run(make_group(count=2)), metadata=False)
    filled(folder, "kids", 2)
    group = folder.group("kids")
    for index in range(2):
        group.images.write(image_name(index), encode(np.roll(face, index, axis=0)))
        group.note_image(index)
    group.images.write(SHEET, encode(face[:8]))
    assert folder.finished() == 2
    for count, has_sheet in ((2, True), (3, False), (2, False)):
        again = begun(tmp_path, make_run(make_group(count=count)), metadata=False)
        assert again.group("kids").has_sheet is has_sheet
        assert again.finished() == 2
        assert again.is_complete() is has_sheet


def test_a_program_on_no_disk_of_the_run_is_named_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_way(*paths: object) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    program = tmp_path / "p.lace"
    monkeypatch.setattr("os.path.relpath", no_way)
    assert origin_of(program, tmp_path / "out") == program.as_posix()
