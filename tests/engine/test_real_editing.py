"""Edits on the real weights, judged in the images by annotators that had no part in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_runs import read_run

import lacelang
from lacelang.annotators.faces import FACES

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
    measure = FACES.load()
    before, after = (
        [FACES.values(measure(np.asarray(image))) for image in group.images]
        for group in (people, edited)
    )
    assert [face["glasses"] == 1 for face in before] == [False, False]
    assert [face["glasses"] == 1 for face in after] == [True, True]
    # What nobody asked to change is held.
    for one, other in zip(before, after, strict=True):
        assert one["gender"] == other["gender"]

    folder = tmp_path / "out" / "edited"
    again = lacelang.compile(f'edit "{folder}" {{ glasses = 0 }} as bare').run()["bare"]
    assert (again.readings["glasses=0"] > 0.7).all()
    record = read_run(tmp_path / "out")
    assert record is not None
    assert again.record.settings["truncation"] == 0.5
    assert len(list((folder / "edits").glob("*.png"))) == 2


def test_latents_from_elsewhere_are_edited_to_the_same_bits(tmp_path: Path) -> None:
    source = "sample 1 from ffhq truncation 0.5 seed 3 as one\nedit one { smile = 1 } as edited"
    run = lacelang.compile(source).run()
    begun, expected = run["one"], run["edited"]
    w = begun.w.numpy()
    np.save(tmp_path / "w.npy", w)
    np.save(tmp_path / "z.npy", begun.latents.numpy())
    np.savez(tmp_path / "projected_w.npz", w=np.repeat(w[:, None], 18, axis=1))
    for name in ("w.npy", "z.npy", "projected_w.npz"):
        text = f'edit "{name}" {{ smile = 1 }} from ffhq truncation 0.5 as edited'
        found = lacelang.compile(text, tmp_path / "p.lace").run()["edited"]
        assert np.array_equal(found.w.numpy(), expected.w.numpy()), name
        assert found.readings.keys() == expected.readings.keys()
    # A film begins with the picture of the very styles that were given, layer by layer.
    styles = np.stack([w, w[:, ::-1], 0.5 * w], axis=1)[:, np.arange(23) % 3]
    np.save(tmp_path / "wp.npy", styles)
    text = 'edit "wp.npy" { smile = 1 } from ffhq layers 0..3 as edited'
    found = lacelang.compile(text, tmp_path / "p.lace").run()["edited"]
    assert np.array_equal(found.w[:, 7:].numpy(), styles[:, 7:])
    (picture,) = found._decode(torch.from_numpy(styles))
    assert np.array_equal(np.asarray(found.films[0][0]), picture)
