"""What every annotator promises, as checks: each takes an `Annotator`, raises AssertionErrors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators import Annotator
from lacelang.testing import Contract, refused

CONTRACT = Contract()

SIDE = 64


def images(count: int = 3, side: int = SIDE) -> NDArray[np.uint8]:
    """Return pictures of noise, uint8 (count, side, side, 3)."""
    return np.random.default_rng(7).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


@CONTRACT
def it_declares_its_attributes(annotator: Annotator) -> None:
    """It has a name and a line of help; a discrete attribute has two classes or more."""
    assert annotator.name.isidentifier()
    assert annotator.doc
    for name, classes in annotator.attributes.items():
        assert name.isidentifier()
        assert len(classes) != 1
        assert len(set(classes)) == len(classes)


@CONTRACT
def it_measures_every_attribute(annotator: Annotator) -> None:
    """Every picture has a value or NaN for each attribute; a class is given by its number."""
    measure = annotator.load()
    for image in images():
        values = annotator.values(measure(image))
        assert list(values) == list(annotator.attributes)
        for name, classes in annotator.attributes.items():
            assert isinstance(values[name], float)
            if classes and not np.isnan(values[name]):
                assert values[name] in range(len(classes))


@CONTRACT
def the_same_picture_has_the_same_values(annotator: Annotator) -> None:
    """They do not depend on earlier pictures, nor on how often it was loaded."""
    first, *others = images()
    measure, again = annotator.load(), annotator.load()
    before = annotator.values(measure(first))
    for image in others:
        measure(image)
    for after in (measure(first), again(first)):
        assert repr(annotator.values(after)) == repr(before)


@CONTRACT
def a_picture_is_left_as_it_is(annotator: Annotator) -> None:
    """It writes nothing into the picture, which other annotators use too."""
    (image,) = images(1)
    kept = image.copy()
    annotator.load()(image)
    assert np.array_equal(image, kept)


@CONTRACT
def what_is_no_picture_is_refused(annotator: Annotator) -> None:
    """Other shapes and kinds of numbers are a ValueError."""
    measure = annotator.load()
    for wrong in (images(1)[0, ..., 0], images(1)[0].astype(np.float32)):
        with refused(ValueError, f"{wrong.dtype} {wrong.shape}"):
            measure(wrong)
