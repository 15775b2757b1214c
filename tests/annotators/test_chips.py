"""Face chips: the similarity and where it puts the eyes."""

from __future__ import annotations

import numpy as np
import pytest

from lacelang.annotators.faces import chips, mesh


def test_similarity_is_recovered() -> None:
    rng = np.random.default_rng(0)
    source = rng.normal(size=(5, 2))
    angle, scale = 0.4, 3.0
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = chips.similarity(source, source @ turn.T + np.array([5.0, -2.0]))
    assert matrix[:, :2] == pytest.approx(turn)
    assert matrix[:, 2] == pytest.approx([5.0, -2.0])


def test_similarity_neither_stretches_nor_shears() -> None:
    rng = np.random.default_rng(1)
    matrix = chips.similarity(rng.normal(size=(5, 2)), rng.normal(size=(5, 2)))
    gram = matrix[:, :2].T @ matrix[:, :2]
    assert gram == pytest.approx(gram[0, 0] * np.eye(2), abs=1e-9)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_the_eyes_land_where_dlib_puts_them() -> None:
    """A dot painted at the outer corner of the left eye appears there in the chip."""
    points = np.zeros((mesh.POINTS, 3))
    corners = {
        mesh.EYE_RIGHT_OUTER: (340.0, 220.0),
        mesh.EYE_RIGHT_INNER: (288.0, 224.0),
        mesh.EYE_LEFT_OUTER: (160.0, 220.0),
        mesh.EYE_LEFT_INNER: (212.0, 224.0),
        mesh.NOSE_BASE: (250.0, 321.0),
    }
    for point, place in corners.items():
        points[point, :2] = place
    image = np.zeros((512, 512, 3), dtype=np.uint8)
    image[214:227, 154:167] = 255
    piece = chips.chip(image, points, *chips.AGE)[..., 0]
    row, column = np.unravel_index(int(piece.argmax()), piece.shape)
    wanted = (np.array([0.1206, 0.2137]) + 0.2) / 1.4 * 64
    assert (column, row) == pytest.approx(wanted, abs=1.5)
