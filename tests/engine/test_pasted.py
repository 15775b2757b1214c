"""`paste`: photographs with the generated face in them, beside the images."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_photographs import TinyInverter
from test_photographs import inverter as inverter
from test_photographs import photo as photo
from tiny import SPEC

from lacelang.api import compile
from lacelang.cli.main import main
from lacelang.engine import plan, replay
from lacelang.engine.replay import Remaking
from lacelang.errors import ResourceError, UsageError
from lacelang.progress import Silent
from lacelang.render.sheet import film_pictures
from lacelang.storage.png import XMP, texts_of
from lacelang.storage.provenance import KEY, OF_PHOTO, read
from lacelang.storage.reading import find_run
from lacelang.storage.records import read_index

PLAIN = """\
photo "me.png" from ffhq as me
edit me { glasses = 1 } hold later(0.01) as later
pick 0 of later as picked
"""
PASTING = PLAIN.replace("ffhq as", "ffhq paste as").replace("(0.01)", "(0.01) paste")


@pytest.fixture
def file(photo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    model = plan.load(SPEC, "cpu", Silent())
    monkeypatch.setattr(replay, "load", lambda spec, device, progress: model)
    path = photo.with_name("mine.lace")
    path.write_text(PASTING)
    return path


def run(file: Path, **options: object) -> Path:
    out = file.with_name("out")
    compile(file.read_text(), path=file).run(out=out, **options)  # type: ignore[arg-type]
    return out


def picture(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_each_image_goes_back_into_the_photograph(file: Path, photo: Path) -> None:
    out = run(file)
    before = picture(photo)
    for group in ("me", "later", "picked"):
        whole = picture(out / group / "pasted" / "0000.png")
        assert whole.shape == before.shape
        mean = picture(out / group / "0000.png").mean((0, 1))
        assert np.abs(whole[:, 0] - mean).max() <= 1
        np.testing.assert_array_equal(whole[:, 20:], before[:, 20:])
    index = read_index(out)
    assert index is not None
    assert index.complete
    assert [group.settings["paste"] for group in index.groups] == [True] * 3


def test_film_strips_end_with_the_photograph(file: Path) -> None:
    out = run(file)
    widths = {}
    for text in (PASTING, PLAIN):
        file.write_text(text)
        run(file, replace=True)
        for group in find_run(out).groups:
            with Image.open(group.path / "edits" / "0000.png") as strip:
                found = film_pictures(group.record, strip.convert("RGB"))
            assert len(found) == len(group.record.steps) + 1
            widths[group.record.name, text] = strip.width
    # A program that pastes no more changes no strip.
    assert len(widths) == 6


def test_samples_do_not_depend_on_it(file: Path, inverter: TinyInverter) -> None:
    file.write_text(PLAIN)
    out = run(file)
    prints = [group.fingerprint for group in read_index(out).groups]  # type: ignore[union-attr]
    images = [(out / name / "0000.png").read_bytes() for name in ("me", "later", "picked")]
    count = inverter.inverted
    file.write_text(PASTING)
    run(file)
    index = read_index(out)
    assert index is not None
    assert [group.fingerprint for group in index.groups] == prints
    assert inverter.inverted <= count + 1  # images carry the styles
    for name, image in zip(("me", "later", "picked"), images, strict=True):
        assert picture(out / name / "pasted" / "0000.png").shape == (32, 40, 3)
        np.testing.assert_array_equal(picture(out / name / "0000.png"), _decoded(image))
    # What has gone is pasted again; a run with nothing to do changes nothing.
    path = out / "later" / "pasted" / "0000.png"
    before = path.read_bytes()
    path.unlink()
    run(file)
    assert path.read_bytes() == before
    stamp = path.stat().st_mtime_ns
    run(file)
    assert path.stat().st_mtime_ns == stamp


def _decoded(data: bytes) -> np.ndarray:
    import io

    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def test_metadata_say_that_it_is_a_composite_in_any_case(file: Path) -> None:
    out = run(file)
    path = out / "later" / "pasted" / "0000.png"
    said = read(path)
    assert said is not None
    assert said.what == "pasted"
    assert said.start is not None
    assert OF_PHOTO in texts_of(path)[XMP]
    run(file, metadata=False)
    assert OF_PHOTO in texts_of(path)[XMP]
    assert KEY not in texts_of(path)
    assert XMP not in texts_of(out / "later" / "0000.png")


@pytest.mark.parametrize("group", ["me", "later", "picked"])
def test_it_is_made_again_with_its_photograph_alone(
    group: str, file: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run(file) / group / "pasted" / "0000.png"
    monkeypatch.chdir(photo.parent)
    made = Remaking.of(path).run("cpu", Silent())
    assert made.same, made.reasons
    assert made.image.size == (40, 32)
    monkeypatch.chdir(path.parent)
    assert Remaking.of(path, root=photo.parent).run("cpu", Silent()).same
    with pytest.raises(
        ResourceError, match=r"me\.png`, with a face pasted into it, and that is not"
    ):
        Remaking.of(path)
    moved = photo.rename(photo.with_name("moved.png"))
    with pytest.raises(ResourceError, match="is not here"):
        Remaking.of(path, root=photo.parent)
    assert Remaking.of(path, photo=moved).run("cpu", Silent()).same
    # The image itself needs none.
    assert Remaking.of(path.parents[1] / "0000.png").run("cpu", Silent()).same


def test_a_photograph_that_changed_is_refused(
    file: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run(file) / "later" / "pasted" / "0000.png"
    Image.new("RGB", (40, 32), (1, 2, 3)).save(photo)
    monkeypatch.chdir(photo.parent)
    for options in ([], ["--photo", str(photo)]):
        assert main(["replay", str(path), *options]) == 3
        told = capsys.readouterr().err
        assert "me.png is not the photograph" in told
        assert "--photo names it" in told


def test_it_is_shown_for_what_it_is(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run(file) / "later" / "pasted" / "0000.png")]) == 0
    assert "photograph with sample 0 of later (edit)" in capsys.readouterr().out


def test_a_run_that_begins_with_a_file_pastes_too(file: Path) -> None:
    file.write_text('edit "me.png" { glasses = 1 } from ffhq hold later(0.01) paste as older\n')
    out = run(file)
    assert (out / "older" / "pasted" / "0000.png").is_file()
    assert not (out / "photo1" / "pasted").exists()


def test_in_python(file: Path, photo: Path) -> None:
    made = compile(PASTING, path=file).run()
    (whole,) = made["later"].pasted
    assert whole.size == (40, 32)
    assert made["later"].png(0, pasted=True)[:4] == b"\x89PNG"
    plain = compile(PLAIN, path=file).run()
    assert plain["later"].pasted == []
    with pytest.raises(UsageError, match="no `paste`"):
        plain["later"].png(0, pasted=True)
    fresh = compile(PASTING, path=file).run()
    kept = pickle.loads(pickle.dumps(fresh["me"]))
    photo.unlink()
    assert kept.pasted[0].size == (40, 32)
    with pytest.raises(ResourceError, match=r"no file `me\.png`"):
        _ = fresh["picked"].pasted


def test_transparency_stays(file: Path, photo: Path) -> None:
    alpha = Image.new("L", (40, 32), 255)
    alpha.paste(0, (0, 0, 40, 8))
    image = Image.new("RGB", (40, 32), (200, 100, 50))
    image.putalpha(alpha)
    image.save(photo)
    path = run(file) / "later" / "pasted" / "0000.png"
    whole = picture(path)
    np.testing.assert_array_equal(whole[..., 3], np.asarray(alpha))
    assert whole[20, 30].tolist() == [200, 100, 50, 255]
    made = Remaking.of(path, root=photo.parent).run("cpu", Silent())
    assert made.same, made.reasons
    assert made.image.mode == "RGBA"


def test_it_keeps_the_size_of_the_photograph(
    file: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    Image.new("RGB", (4500, 60), (200, 100, 50)).save(photo, exif=exif)
    out = run(file)
    path = out / "later" / "pasted" / "0000.png"
    assert picture(path).shape == (4500, 60, 3)
    with Image.open(path) as image:
        assert not image.getexif()  # where and when it was taken is nobody's business
