"""The judges' own noise, on a few real faces."""

from __future__ import annotations

import pytest

from lacelang.annotators.annotation import ATTRIBUTES
from lacelang.api import compile
from lacelang.evaluate import noise
from lacelang.progress import Silent


@pytest.mark.slow
@pytest.mark.weights
def test_mirror_images_are_judged_alike() -> None:
    spec = compile("sample from ffhq").samples[0].model
    (table,) = noise.tables(spec, Silent(), faces=2)
    rows = {str(row[0]): row for row in table.rows}
    assert tuple(rows) == ATTRIBUTES
    assert all(row[1] == 2 for row in rows.values())
    # A clear face keeps its sex in a mirror; yaw, turned round, is the same within some degrees.
    assert rows["gender"][2] == 1.0
    yaw = rows["yaw"][3]
    assert isinstance(yaw, float)
    assert yaw < 3
