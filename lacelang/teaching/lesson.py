"""A lesson under way: what was asked and answered, how good the classifier is, what comes next.

It knows no page and no terminal. Every answer is on the disk before the next one is taken.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from attrs import frozen

from lacelang.classifiers.few_labels import Floats, learn
from lacelang.errors import UsageError
from lacelang.progress import Progress
from lacelang.storage.files import make_folder, write_atomic
from lacelang.teaching import label_file
from lacelang.teaching.asking import BATCH, Known, Question, next_questions
from lacelang.teaching.label_file import Asked, Label, Rows, written
from lacelang.teaching.saving import LABELS, Taught, quality, train_and_save
from lacelang.teaching.subject import Subject

#: A classifier is good when the interval of its balanced accuracy begins above this. Where images
#: were chosen to be hard, the estimate is some hundredths below the accuracy on plain draws.
GOAL = 0.8
#: A number is good when so much of its variance is explained.
GOAL_R2 = 0.8


@frozen
class Estimate:
    """How good the classifier is on held-out labels, from so many labels."""

    labels: int
    text: str
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def good(self) -> bool:
        """Whether more labels are hardly needed."""
        return self.value >= GOAL_R2 if self.low is None else self.low >= GOAL


class Lesson:
    """An attribute that is being taught by questions.

    Attributes:
        subject: what is taught.
        batch: the questions that are asked now.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.path: Path = subject.place(LABELS)
        self._answers: dict[label_file.Key, Label] = {}
        self._inputs: dict[label_file.Key, Floats] = {}
        self._w: dict[label_file.Key, Floats] = {}
        if self.path.exists():
            self._go_on()
        self.batch: list[Question] = self.choose()
        self._estimate: Estimate | None = None

    def _go_on(self) -> None:
        """Take the labels that an earlier lesson has given."""
        labels = label_file.read(self.path, self.subject.attribute)
        rows = label_file.resolved(labels, self.subject, self.path)
        self._keep(rows)
        self._answers = {label.key: label for label in labels}

    def _keep(self, rows: Rows) -> None:
        for label, inputs, w in zip(rows.labels, rows.inputs, rows.w, strict=True):
            self._inputs[label.key], self._w[label.key] = inputs, w

    @property
    def labels(self) -> tuple[Label, ...]:
        """All labels, in the order in which they were given."""
        return tuple(self._answers.values())

    @property
    def counts(self) -> dict[str, int]:
        """How many labels each class has; of a number, how many there are."""
        given = [label.value for label in self.labels if not label.skipped]
        if not self.subject.attribute.discrete:
            return {"labels": len(given)}
        return {
            name: sum(value == number for value in given)
            for number, name in enumerate(self.subject.attribute.values)
        }

    def answer_to(self, index: int) -> Label | None:
        """The label of a draw; None where it has none."""
        return self._answers.get(index)

    def answer(self, index: int, value: float | None) -> None:
        """Label a draw that was asked about, or skip it; the last answer to it counts.

        Raises:
            UsageError: it was not asked about, or the value is none of the attribute's.
            ResourceError: it cannot be written.
        """
        asked = self._why(index)
        attribute = self.subject.attribute
        if value is not None:
            low, high = attribute.limits or (0, attribute.width - 1)
            whole = not attribute.discrete or float(value).is_integer()
            if not (whole and low <= value <= high):
                raise UsageError(f"{value!r} is no value of {attribute.name}: {attribute.text}")
        before = self._answers.pop(index, None)
        self._answers[index] = Label(index, math.nan if value is None else float(value), asked)
        self._write_or(index, before)

    def undo(self) -> int | None:
        """Take the last answer back, and return its draw; None if there is none of this lesson."""
        last = next(reversed(self._answers), None)
        if not isinstance(last, int):
            return None
        label = self._answers.pop(last)
        self._write_or(last, None, label)
        if all(question.index != last for question in self.batch):
            self.batch = [Question(last, label.asked or "chosen"), *self.batch]
        return last

    def _why(self, index: int) -> Asked:
        found = next((q.asked for q in self.batch if q.index == index), None)
        if found is None and index in self._answers:
            return self._answers[index].asked
        if found is None:
            raise UsageError(f"draw {index} was not asked about")
        return found

    def _write_or(self, index: int, before: Label | None, removed: Label | None = None) -> None:
        """Write the labels; where that fails, they are as they were."""
        try:
            make_folder(self.path.parent)
            data = written(self.labels, self.subject.attribute, self.subject.seed)
            write_atomic(self.path, data)
        except BaseException:
            self._answers.pop(index, None)
            for label in (before, removed):
                if label is not None:
                    self._answers[index] = label
            raise

    @property
    def answered(self) -> int:
        """How many questions of the batch have an answer."""
        return sum(question.index in self._answers for question in self.batch)

    def choose(self) -> list[Question]:
        """Choose a batch of questions by the labels so far."""
        asked = {key for key in tuple(self._answers) if isinstance(key, int)}
        asked |= {question.index for question in getattr(self, "batch", ())}
        rows = self._rows()
        subject = self.subject
        known = Known(rows.inputs, rows.values)
        return next_questions(subject.pool, known, asked, subject.attribute, subject.prior, BATCH)

    def estimate(self) -> Estimate | None:
        """How good the classifier is now; None with too few labels."""
        rows = self._rows()
        count = len(rows.labels)
        if self._estimate is None or self._estimate.labels != count:
            subject = self.subject
            try:
                figures = learn(
                    rows.inputs, rows.values, subject.attribute, subject.prior, random=rows.random
                ).figures
            except UsageError:
                return None
            if subject.attribute.discrete:
                found = (figures[name] for name in ("balanced_accuracy", "low", "high"))
                self._estimate = Estimate(count, quality(figures), *found)
            else:
                self._estimate = Estimate(count, quality(figures), figures["held_out"]["r2"])
        return self._estimate

    def finish(self, progress: Progress, annotator: str | None = None) -> Taught:
        """Train with all labels and save the attribute; a UsageError says what they lack."""
        return train_and_save(self.subject, self._rows(), self.labels, progress, annotator)

    def _rows(self) -> Rows:
        given = tuple(label for label in self.labels if not label.skipped)
        missing = [label for label in given if label.key not in self._inputs]
        if missing:
            self._keep(label_file.resolved(missing, self.subject, self.path))
        # Two names of one image are one row.
        given = tuple(label for label in given if label.key in self._inputs)
        if not given:
            empty = np.zeros((0, self.subject.pool.shape[1]), np.float32)
            return Rows((), empty, empty)
        inputs = np.stack([self._inputs[label.key] for label in given])
        return Rows(given, inputs, np.stack([self._w[label.key] for label in given]))
