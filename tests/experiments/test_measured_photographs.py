"""What is measured of photographs is kept, face by face, and adds up to a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import photographs
from experiments.photographs import Setting, likeness
from lacelang.errors import ResourceError
from lacelang.generators.declaration import Cut, Inverted
from lacelang.progress import Silent
from lacelang.storage.photos import Photo


class Fake:
    """Inverter and judges: who is seen is the colour, and in black nobody is."""

    def __init__(self) -> None:
        self.inverted = 0

    def cut(self, photo: Photo, shown: str, number: int) -> Cut:
        if not photo.pixels.any():
            raise ResourceError("no face is seen")
        return Cut(photo.pixels, np.ones((16, 16), np.float32), np.eye(3, 2))

    def invert(self, cut: Cut, fast: bool) -> Inverted:
        self.inverted += 1
        styles = np.full((2, 3), cut.image.mean(), np.float32)
        return Inverted(styles, {"psnr": 20.0, "distance": 0.5}, 1)

    def decoded(self, styles: Any) -> Any:
        return np.full((16, 16, 3), float(styles.mean()), np.uint8)

    def who(self, image: Any) -> Any:
        return np.array([image.mean() / 255.0, (image.mean() / 255.0) ** 2])

    def distance(self, a: Any, b: Any, known: Any) -> float:
        return 0.25


def test_a_row_is_made_of_faces_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake: Any = Fake()
    pictures = [Photo(np.full((16, 16, 3), 20 * k, np.uint8)) for k in range(10)]
    monkeypatch.setattr(photographs, "real", lambda progress: pictures)
    setting = Setting(tmp_path, fake, fake, fake, Silent())
    row = likeness(setting, of_people=True, fast=True, count=4)
    assert fake.inverted == 4
    assert row["faces"] == 4
    assert row["PSNR"] == 20.0
    assert row["parsing distance"] == 0.25
    assert row["nearest"] == 1.0
    assert row["dlib distance"] == pytest.approx(0.0, abs=1e-6)
    assert row["cosine"] == pytest.approx(1.0)
    # Going on with more makes the missing ones alone, and nobody is never asked for.
    again = likeness(setting, of_people=True, fast=True, count=20)
    assert again["faces"] == 9
    assert fake.inverted == 9
    likeness(setting, of_people=True, fast=False, count=2)
    assert fake.inverted == 11
