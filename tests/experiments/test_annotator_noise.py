"""The annotators' own noise, of numbers and on a few real faces."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments import annotator_noise as noise
from lacelang.annotators.faces import FACES
from lacelang.api import compile
from lacelang.progress import Silent


@pytest.mark.slow
@pytest.mark.weights
def test_mirror_images_are_judged_alike() -> None:
    spec = compile("sample from ffhq").samples[0].model
    (table,) = noise.tables(spec, Silent(), faces=2)
    rows = {str(row["attribute"]): row for row in table.rows}
    assert tuple(rows) == tuple(FACES.attributes)
    assert all(row["faces"] == 2 for row in rows.values())
    # A clear face keeps its sex in a mirror; yaw, turned round, is the same within some degrees.
    assert rows["gender"]["same class"] == 1.0
    yaw = rows["yaw"]["noise"]
    assert isinstance(yaw, float)
    assert yaw < 3


def test_agreement_of_numbers_and_of_classes() -> None:
    one = np.array([10.0, -5.0, math.nan], np.float32)
    other = noise.unmirrored("yaw", np.array([-10.0, 9.0, 1.0], np.float32))
    found = noise.agreement(one, other, discrete=False)
    assert found == (2, pytest.approx(2.0))
    # What neither sees, such as hair under a hat, is a class.
    classes = np.array([1.0, 0.0, math.nan, math.nan], np.float32)
    found = noise.agreement(classes, np.array([1.0, 1.0, math.nan, 0.0], np.float32), discrete=True)
    assert found == (4, 0.5)
    assert math.isnan(noise.agreement(classes[:0], classes[:0], discrete=True)[1])


def test_light_changes_its_side_in_a_mirror() -> None:
    assert noise.unmirrored("light3", np.array([0.25])) == 0.75
    assert noise.unmirrored("age", np.array([30.0])) == 30.0
