"""The models of small generators, from a program to what annotators see."""

from __future__ import annotations

import numpy as np
import pytest

import lacelang
from lacelang.annotators import ANNOTATORS
from lacelang.annotators.digits import DIGITS


def test_a_digit_that_is_asked_for_is_read() -> None:
    group = lacelang.compile("sample 16 from digits where digit=three seed 1 as a").run()["a"]
    read = ANNOTATORS["digits"].load()
    seen = [read(np.asarray(image))["digit"] for image in group.images]
    assert seen.count(DIGITS.index("three")) >= 14


def test_small_generators_are_not_truncated_by_default() -> None:
    program = lacelang.compile("sample from digits\nsample from ffhq\nsample from eyes")
    assert [s.truncation for s in program.samples] == [1.0, 0.7, 1.0]


def test_flows_of_eyes_are_longer_by_default() -> None:
    clauses = ("", "with exponential(slack=0.1)", "with heun", "with exponential(time=2)")
    text = "\n".join(f"sample from eyes where eye=1 {clause}" for clause in clauses)
    samplers = [s.sampler for s in lacelang.compile(text).samples]
    assert [sampler.options["time"] for sampler in samplers] == [20, 20, 20, 2]


def test_conditions_on_faces_name_what_a_model_lacks() -> None:
    with pytest.raises(lacelang.LaceError) as raised:
        lacelang.compile("import faces\nsample from digiface where bearded")
    assert "has no attribute `beard`" in str(raised.value)


@pytest.mark.slow
@pytest.mark.weights
def test_classifiers_of_images_steer() -> None:
    text = "sample 8 from digiface_image where yaw > 20 deg seed 1 as a"
    group = lacelang.compile(text).run()["a"]
    faces = ANNOTATORS["faces"]
    measure = faces.load()
    seen = [faces.values(measure(np.asarray(image)))["yaw"] for image in group.images]
    assert np.nanmean(seen) > 12
