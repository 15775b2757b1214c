"""Edits on the real weights, judged in the images by annotators that had no part in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lacelang
from lacelang.attributes.annotators.judge import judge
from lacelang.storage.run_folder import read_run

pytestmark = pytest.mark.weights

SOURCE = """
sample 2 from ffhq where smile=1 and glasses=0 and yaw=front truncation 0.5 seed 3 as people
edit people { glasses = 1  smile = 0 } as edited
"""


def test_two_faces_are_edited_and_edited_again(tmp_path: Path) -> None:
    run = lacelang.compile(SOURCE).run(out=tmp_path / "out")
    people, edited = run["people"], run["edited"]
    assert (edited.readings["glasses=1"] > 0.7).all()
    assert (edited.readings["smile=0"] > 0.7).all()
    # The first picture of a film is the face that was edited, the last is the edited one.
    film = edited.films[0]
    assert len(film) == 3
    assert np.array_equal(np.asarray(film[0]), np.asarray(people.images[0]))
    assert np.array_equal(np.asarray(film[-1]), np.asarray(edited.images[0]))
    before, after = (judge(map(np.asarray, g.images)) for g in (people, edited))
    assert [face.glasses > 0.5 for face in before] == [False, False]
    assert [face.glasses > 0.5 for face in after] == [True, True]
    # What nobody asked to change is held.
    for one, other in zip(before, after, strict=True):
        assert (one.gender > 0.5) == (other.gender > 0.5)

    folder = tmp_path / "out" / "edited"
    again = lacelang.compile(f'edit "{folder}" {{ glasses = 0 }} as bare').run()["bare"]
    assert (again.readings["glasses=0"] > 0.7).all()
    record = read_run(tmp_path / "out")
    assert record is not None
    assert again.record.settings["truncation"] == 0.5
    assert len(list((folder / "edits").glob("*.png"))) == 2
