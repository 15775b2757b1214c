"""Faces that are no draws of latents: what tells them apart."""

from __future__ import annotations

import numpy as np

from experiments.faces import Mirrored, Styles
from lacelang.classifiers.draws import from_prior, joined


def test_faces_in_a_mirror_are_others() -> None:
    draws = from_prior(7, 4, 16)
    mirrored = Mirrored(draws.z, draws.psi)
    assert mirrored.fingerprint() != draws.fingerprint()
    some = mirrored.rows(slice(1, 3))
    assert some.fingerprint() == Mirrored(draws.z[1:3], draws.psi[1:3]).fingerprint()


def test_styles_are_known_by_their_numbers_and_their_shape() -> None:
    w = np.arange(24, dtype=np.float32)
    shapes = [w.reshape(4, 6), w.reshape(2, 3, 4), w.reshape(4, 6) + 1]
    assert len({Styles(each).fingerprint() for each in shapes}) == 3
    assert Styles(shapes[0]).fingerprint() == Styles(shapes[0].copy()).fingerprint()
    assert Styles(shapes[0]).rows(slice(1, 3)).z.tolist() == shapes[0][1:3].tolist()


def test_joined_styles_are_styles() -> None:
    parts = [Styles(np.full((n, 3), n, np.float32)) for n in (1, 2)]
    whole = joined(parts)
    assert isinstance(whole, Styles)
    assert whole.z[:, 0].tolist() == [1, 2, 2]
