"""`photo`: a group of one sample, made of a photograph, and edits that begin from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from PIL import Image
from tiny import SPEC, TinyModel, edit

from lacelang import ir
from lacelang.api import Program, compile
from lacelang.cli.main import main
from lacelang.engine import plan, replay
from lacelang.engine.replay import Remaking
from lacelang.errors import ResourceError, Span
from lacelang.generators.declaration import Cut, Inverted
from lacelang.progress import Silent
from lacelang.render.sheet import film_pictures
from lacelang.storage.photos import Photo
from lacelang.storage.png import XMP, texts_of
from lacelang.storage.provenance import OF_PHOTO, read
from lacelang.storage.records import read_index


class TinyInverter:
    """Its styles are the mean colour; it sees no face in a black photograph."""

    digest = "1" * 64

    def __init__(self) -> None:
        self.inverted = 0

    def cut(self, photo: Photo, shown: str, number: int) -> Cut:
        if not photo.pixels.any():
            raise ResourceError(f"no face is seen in `{shown}`", "give another photograph")
        height, width = photo.pixels.shape[:2]
        side = min(height, width)
        corners = np.array([[0.0, 0.0], [side / width, 0.0], [0.0, side / height]])
        return Cut(photo.pixels[:side, :side], np.ones((side, side), np.float32), corners)

    def invert(self, cut: Cut, fast: bool) -> Inverted:
        self.inverted += 1
        styles = np.resize(cut.image.mean((0, 1)) / 255.0, (3, 8)).astype(np.float32)
        styles[2] += 0.5  # w+
        return Inverted(
            styles, {"psnr": 20.0 if fast else 30.0, "distance": 0.25}, 0 if fast else 7
        )

    def paste(self, photo: Photo, cut: Cut, image: Any) -> Any:
        """The mean colour of the image takes the left of the photograph."""
        whole = photo.pixels.copy()
        end = round(float(cut.corners[1, 0]) * whole.shape[1])
        whole[:, : end // 2] = image.mean((0, 1))
        return whole


@pytest.fixture(autouse=True)
def inverter(monkeypatch: pytest.MonkeyPatch) -> TinyInverter:
    model, inverter = TinyModel(), TinyInverter()
    monkeypatch.setattr(TinyModel, "inverter", lambda self, progress: inverter, raising=False)
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: model)
    return inverter


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "me.png"
    Image.new("RGB", (40, 32), (200, 100, 50)).save(path)
    return path


def program(photo: Path, fast: bool = False) -> Program:
    taken = ir.PhotoStatement("me", photo, "me.png", SPEC, fast=fast)
    return Program(ir.CheckedProgram((taken, edit("me", "older"), edit("older", "again"))))


def test_the_group_is_the_inversion_with_its_figures(photo: Path) -> None:
    run = program(photo).run()
    me = run["me"]
    assert me.w.shape == (1, 3, 8)
    assert len(me) == 1
    assert me.extra["psnr"].tolist() == [30.0]
    assert me.extra["distance"].tolist() == [0.25]
    assert me.stats.nfe.tolist() == [7]
    assert program(photo, fast=True).run()["me"].extra["psnr"].tolist() == [20.0]
    assert me.latents.isnan().all()  # no z


def test_edits_keep_what_styles_differ_by(photo: Path) -> None:
    run = program(photo).run()
    before, after = run["me"].w[0], run["older"].w[0]
    moved = (after - before).numpy()
    rows = moved[np.abs(moved).max(1) > 1e-4]
    assert len(rows)
    np.testing.assert_allclose(rows, np.broadcast_to(rows[0], rows.shape), atol=1e-5)


def test_a_run_shows_the_photograph_the_inversion_and_each_edit(
    photo: Path, tmp_path: Path, inverter: TinyInverter
) -> None:
    out = tmp_path / "out"
    program(photo).run(out=out)
    index = read_index(out)
    assert index is not None
    me, older, again = index.groups
    for group in (me, older, again):
        assert group.settings["photo"]["file"] == "me.png"
        assert len(group.settings["photo"]["sha256"]) == 64
    line = json.loads((out / "me" / "samples.jsonl").read_text().splitlines()[0])
    assert line["extra"] == {"psnr": 30.0, "distance": 0.25}
    for group, moments in ((me, 1), (older, 3), (again, 3)):
        with Image.open(out / group.folder / "edits" / "0000.png") as strip:
            pictures = film_pictures(group, strip.convert("RGB"))
        assert len(pictures) == moments
        # Before them stands the photograph.
        with Image.open(out / group.folder / "edits" / "0000.png") as strip:
            found = np.asarray(strip.convert("RGB")).reshape(-1, 3)
        assert (np.abs(found.astype(int) - (200, 100, 50)).max(1) <= 2).sum() > 200 * 200
    # Nothing is made anew, and nothing of the photograph is needed to go on.
    count = inverter.inverted
    program(photo).run(out=out)
    assert inverter.inverted == count


def test_another_photograph_makes_another_group(photo: Path, tmp_path: Path) -> None:
    def fingerprints(changed: Program) -> list[str]:
        return [group.record.fingerprint for group in changed.run().groups.values()]

    before = fingerprints(program(photo))
    moved = tmp_path / "elsewhere.png"
    moved.write_bytes(photo.read_bytes())
    assert fingerprints(program(moved)) == before
    assert fingerprints(program(photo, fast=True))[0] != before[0]
    Image.new("RGB", (40, 32), (90, 100, 50)).save(photo)
    assert not set(fingerprints(program(photo))) & set(before)


def test_no_face_is_an_error_with_a_remedy(photo: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 32)).save(photo)
    with pytest.raises(ResourceError, match=r"no face is seen in `me\.png`"):
        program(photo).run(out=tmp_path / "out")


def test_an_edit_of_an_earlier_run_says_that_it_is_of_a_photograph(
    photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    program(photo).run(out=out)
    group = read_index(out).groups[0]  # type: ignore[union-attr]
    digest = group.settings["photo"]["sha256"]
    saved = ir.Saved(out / "me", 1.0, group.seed, group.fingerprint, digest)
    begun = evolve(edit("me", "later"), saved=saved)
    photo.unlink()
    Program(ir.CheckedProgram((begun,))).run(out=tmp_path / "more")
    (later,) = read_index(tmp_path / "more").groups  # type: ignore[union-attr]
    assert later.settings["photo"] == {"sha256": digest}
    with Image.open(tmp_path / "more" / "later" / "edits" / "0000.png") as strip:
        assert len(film_pictures(later, strip.convert("RGB"))) == 3


def test_an_image_is_made_again_without_the_photograph(
    photo: Path, tmp_path: Path, inverter: TinyInverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = plan.load(SPEC, "cpu", Silent())
    monkeypatch.setattr(replay, "load", lambda spec, device, progress: model)
    file = tmp_path / "mine.lace"
    file.write_text(
        'photo "me.png" from ffhq as me\n'
        "edit me { glasses = 1 } hold later(0.01) as later\n"
        "pick 0 of later as picked\n"
        'edit "me.png" { age = 40 } from ffhq hold later(0.01) as other\n'
    )
    compile(file.read_text(), path=file).run(out=tmp_path / "out")
    photo.unlink()
    count = inverter.inverted
    for group in ("me", "later", "picked", "other"):
        image = tmp_path / "out" / group / "0000.png"
        said = read(image)
        assert said is not None
        assert said.start is not None
        assert said.settings["photo"]["file"] == "me.png"  # type: ignore[index]
        assert OF_PHOTO in texts_of(image)[XMP]
        made = Remaking.of(image).run("cpu", Silent())
        assert made.same, (group, made.reasons)
        assert not made.reasons
    assert inverter.inverted == count


@pytest.mark.parametrize("image_format", ["png", "jpeg", "webp"])
def test_images_of_a_data_set_say_that_they_are_of_a_photograph(
    photo: Path, tmp_path: Path, image_format: Any
) -> None:
    out = tmp_path / "out"
    program(photo).run(out=out, format="webdataset", image_format=image_format)
    for shard in out.rglob("*.tar"):
        assert OF_PHOTO.encode() in shard.read_bytes()


def test_grids_say_that_they_are_of_a_photograph(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    span = Span(4, 1, 4, 2)
    taken = ir.PhotoStatement("me", photo, "me.png", SPEC)
    edits = [edit("me", f"e {k}", span=span, turns=(ir.Turn("k", k),)) for k in "ab"]
    run = Program(ir.CheckedProgram((taken, *edits))).run(out=tmp_path / "out")
    assert main(["grid", str(tmp_path / "out"), "--out", str(tmp_path / "mine.png")]) == 0
    for path in (*run.grids, tmp_path / "mine.png"):
        assert OF_PHOTO in texts_of(path)[XMP]
