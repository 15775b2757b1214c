"""A lesson that a function answers: `--annotator module:function`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacelang.errors import UsageError
from lacelang.progress import Progress
from lacelang.teaching.lesson import Lesson

Annotate = Callable[[NDArray[np.uint8]], Any]


def teach_by_annotator(lesson: Lesson, annotate: Annotate, most: int, progress: Progress) -> None:
    """Ask a function about images until the classifier is good, or `most` have been asked.

    It takes an image, uint8 (H, W, 3) RGB, and returns a class, by name or number, or a value; None
    or NaN says that it cannot tell.

    Raises:
        UsageError: it returns something else, or fails.
    """
    subject = lesson.subject
    with progress.stage("annotating", total=most) as stage:
        while len(lesson.labels) < most:
            indices = [question.index for question in lesson.batch]
            images = subject.draws(indices).images(subject.generator)
            for index, image in zip(indices, images, strict=True):
                lesson.answer(index, _value(lesson, annotate, index, image))
                stage.advance()
            estimate = lesson.estimate()
            if estimate is not None and estimate.good:
                progress.note(f"{estimate.text} with {estimate.labels} labels: good enough")
                break
            lesson.batch = lesson.choose()


def _value(
    lesson: Lesson, annotate: Annotate, index: int, image: NDArray[np.uint8]
) -> float | None:
    attribute = lesson.subject.attribute
    try:
        said = annotate(image)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"the annotator failed at draw {index}: {what}") from error
    if isinstance(said, str) and said in attribute.values:
        return float(attribute.values.index(said))
    if said is None:
        return None
    try:
        value = float(said)
    except (TypeError, ValueError):
        raise UsageError(
            f"the annotator said {said!r} of draw {index}; {attribute.name} is {attribute.text}"
        ) from None
    return None if np.isnan(value) else value
