"""Images after a power loss, and images that somebody changed."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from made_runs import make_latents, make_run, make_samples, texts_of_image
from numpy.typing import NDArray
from PIL import Image

from lacelang.errors import ResourceError
from lacelang.storage import files
from lacelang.storage.group_folder import film_name, image_name
from lacelang.storage.images import SHEET, WRITTEN, Images
from lacelang.storage.png import encode
from lacelang.storage.records import GroupRecord, RunRecord, SampleRecord, StepPlan, StepRecord
from lacelang.storage.run_folder import RunFolder

Make = Callable[..., GroupRecord]
Face = NDArray[np.uint8]
COUNT = 3
NAMES = [image_name(1), film_name(1), SHEET]


@pytest.fixture(params=[True, False], ids=["metadata", "no metadata"])
def metadata(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def edited() -> list[SampleRecord]:
    """Samples with where they were before an edit's one line and after it."""
    step = StepRecord(0.5, "converged", 9, 8, 1, {})
    return [evolve(sample, steps=(step, step)) for sample in make_samples(0, COUNT)]


@pytest.fixture
def run(tmp_path: Path, make_group: Make, face: Face, metadata: bool) -> RunRecord:
    """A group of edited samples in `tmp_path`, with all its images."""
    step = StepPlan("glasses=1", None, ())
    run = make_run(make_group(count=COUNT, steps=(step,)))
    with RunFolder(tmp_path, run, metadata=metadata) as folder:
        folder.begin()
        folder.add("kids", edited(), make_latents(COUNT))
        there = folder.group("kids")
        for sample in there.samples:
            said = texts_of_image(run, there.record, sample) if metadata else None
            other = np.roll(face, sample.index, axis=0)
            there.images.write(film_name(sample.index), encode(other[:16]), metadata)
            there.images.write(image_name(sample.index), encode(other, said), metadata)
        there.images.write(SHEET, encode(face[:8]), metadata)
    return run


def begin(root: Path, run: RunRecord, metadata: bool) -> tuple[list[int], bool]:
    with RunFolder(root, run, metadata=metadata) as folder:
        folder.begin()
        group = folder.group("kids")
        return [sample.index for sample in group.unfinished], group.has_sheet


LOST: dict[str, Callable[[bytes], bytes]] = {
    "zeros": lambda data: bytes(len(data)),
    "zeros at the end": lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "half": lambda data: data[: len(data) // 2],
    "nothing": lambda data: b"",
    "a flipped bit": lambda data: data[:60] + bytes([data[60] ^ 4]) + data[61:],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", LOST)
def test_what_a_power_loss_leaves_is_made_again(
    tmp_path: Path, run: RunRecord, metadata: bool, name: str, how: str
) -> None:
    assert begin(tmp_path, run, metadata) == ([], True)
    path = tmp_path / "kids" / name
    whole = path.read_bytes()
    path.write_bytes(LOST[how](whole))
    unfinished, has_sheet = begin(tmp_path, run, metadata)
    assert unfinished == ([] if name == SHEET else [1])
    assert not has_sheet
    Images(tmp_path / "kids").read().write(name, whole, metadata)
    assert begin(tmp_path, run, metadata) == ([], True)
    # What it was before is not lost: it might have been somebody's.
    kept = path.with_name(f"{path.name}.damaged")
    assert kept.exists() == (how != "nothing")


@pytest.mark.parametrize("lost", [False, True])
def test_another_face_is_not_this_one(
    tmp_path: Path, run: RunRecord, metadata: bool, lost: bool
) -> None:
    kids = tmp_path / "kids"
    (kids / image_name(1)).write_bytes((kids / image_name(2)).read_bytes())
    if lost:
        (kids / WRITTEN).write_bytes(b"\0" * 99)
        if not metadata:
            # Nothing tells them from images of a person.
            with pytest.raises(ResourceError, match="is not as a run has written it"):
                begin(tmp_path, run, metadata)
            return
        assert begin(tmp_path, run, metadata) == ([0, 1, 2], False)
    else:
        assert begin(tmp_path, run, metadata) == ([1], False)


def changed(data: bytes) -> bytes:
    """The same picture with one other pixel; what it carries is kept, as good programs do."""
    with Image.open(io.BytesIO(data)) as image:
        info = {name: text for name, text in image.info.items() if isinstance(text, str)}
        image.putpixel((3, 3), (1, 2, 3))
        from PIL.PngImagePlugin import PngInfo

        chunks = PngInfo()
        for name, text in info.items():
            chunks.add_itxt(name, text)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fingerprint", ["f0", "new"])
def test_an_image_that_a_person_changed_is_in_the_way(
    tmp_path: Path, run: RunRecord, metadata: bool, make_group: Make, name: str, fingerprint: str
) -> None:
    path = tmp_path / "kids" / name
    mine = changed(path.read_bytes())
    path.write_bytes(mine)
    again = make_run(make_group(count=COUNT, steps=run.groups[0].steps, fingerprint=fingerprint))
    with pytest.raises(ResourceError, match="is not as a run has written it"):
        begin(tmp_path, again, metadata)
    assert path.read_bytes() == mine
    path.rename(path.with_name("mine.png"))
    begin(tmp_path, again, metadata)
    assert path.with_name("mine.png").read_bytes() == mine


def test_damage_goes_to_a_group_that_replaces_it(
    tmp_path: Path, run: RunRecord, metadata: bool, make_group: Make, face: Face
) -> None:
    for name in NAMES:
        (tmp_path / "kids" / name).write_bytes(b"my notes")
    other = make_run(make_group(count=COUNT, steps=run.groups[0].steps, fingerprint="new"))
    with RunFolder(tmp_path, other, metadata=metadata) as folder:
        folder.begin()
        folder.add("kids", edited(), make_latents(COUNT))
        for name in NAMES:
            folder.group("kids").images.write(name, encode(face))
    for name in NAMES:
        assert (tmp_path / "kids" / f"{name}.damaged").read_bytes() == b"my notes"


def test_the_digest_is_on_the_disk_before_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face: Face
) -> None:
    """So a killed run leaves no image that is taken for a person's."""
    flushed: list[str] = []
    real = files.os.fsync
    monkeypatch.setattr(
        "os.fsync",
        lambda fd: (flushed.append(Path(f"/proc/self/fd/{fd}").resolve().name), real(fd)),
    )
    Images(tmp_path).write("0000.png", encode(face))
    assert [name.strip(".").split(".png")[0] for name in flushed[:2]] == [WRITTEN, "0000"]


def test_an_image_that_was_never_written_has_no_digest(tmp_path: Path, face: Face) -> None:
    images = Images(tmp_path)
    assert images.digest("0000.png") == ""
    assert not images.holds("0000.png")
    data = encode(face)
    images.write("0000.png", data, provenance=True)
    assert images.digest("0000.png") == hashlib.sha256(data).hexdigest()
    held = [images.holds("0000.png", wanted) for wanted in (None, True, False)]
    assert held == [True, True, False]
    assert images.data("0000.png") == data


def test_what_is_set_aside_is_numbered_and_a_refusal_names_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face: Face
) -> None:
    path = tmp_path / "0000.png"
    for text in (b"one", b"two", b"three"):
        path.write_bytes(text)
        Images(tmp_path).write("0000.png", encode(face))
    kept = {each.name: each.read_bytes() for each in tmp_path.glob("*.damaged*")}
    names = ("0000.png.damaged", "0000.png.damaged2", "0000.png.damaged3")
    assert kept == dict(zip(names, (b"one", b"two", b"three"), strict=True))
    path.write_bytes(b"four")

    def refused(path: Path, target: Path) -> Path:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(ResourceError) as caught:
        Images(tmp_path).write("0000.png", encode(face))
    assert caught.value.message == f"{path} cannot be written: permission denied"
    assert path.read_bytes() == b"four"


def test_bytes_do_not_depend_on_a_kill_between_digest_and_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face: Face
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("lacelang.storage.images.write_atomic", killed)
        with pytest.raises(KeyboardInterrupt):
            Images(tmp_path).write("0000.png", encode(face))
    before = (tmp_path / WRITTEN).read_bytes()
    Images(tmp_path).read().write("0000.png", encode(face))
    assert (tmp_path / WRITTEN).read_bytes() == before
    assert Images(tmp_path).read().holds("0000.png")
