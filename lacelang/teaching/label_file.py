"""Files of labels: `index,value` or `image,value`, and the latents that they are about.

    # seed 6862
    index,value,asked
    17,1,random
    204,0,chosen

The value is a class, or a number; an empty one says that a picture was looked at and skipped. The
column `asked`, which may be missing, tells plain draws from those that were chosen.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.classifiers.few_labels import Floats
from lacelang.errors import UsageError
from lacelang.ir import Attribute
from lacelang.storage.files import read_regular
from lacelang.teaching.subject import LONGEST, MOST_DRAWS, Subject

Key: TypeAlias = int | str
"""Index of a draw, or the path of an image."""
Asked: TypeAlias = Literal["random", "chosen", ""]

_MOST_SHOWN = 10
_NUMBER = re.compile(r"\d+")


@frozen
class Label:
    """One label: `value` is a class number or a value, NaN of a skipped picture."""

    key: Key
    value: float
    asked: Asked = ""
    line: int = 0

    @property
    def skipped(self) -> bool:
        """Whether no value was given."""
        return math.isnan(self.value)


class _Problems:
    """Collects what is wrong, line by line, to say it all at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[str] = []

    def say(self, line: int, message: str) -> None:
        self.found.append(f"line {line}: {message}")

    def stop(self) -> None:
        if self.found:
            more = len(self.found) - _MOST_SHOWN
            shown = self.found[:_MOST_SHOWN] + ([f"and {more} more lines"] if more > 0 else [])
            raise UsageError("\n".join([f"{self.path} cannot be used:", *shown]))


def read(path: Path, attribute: Attribute) -> tuple[Label, ...]:
    """Read a file of labels; the path of an image counts from its folder.

    Raises:
        UsageError: it cannot be read, or is wrong; every line that is, is named.
    """
    if not path.is_file():
        raise UsageError(f"there is no file of labels {path}")
    data = read_regular(path, LONGEST)
    try:
        text = (data or b"").decode("utf-8-sig")
        rows = list(_rows(text))
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise UsageError(f"{path} is no CSV file: {error}") from None
    problems, labels = _Problems(path), []
    columns, rows = _columns(rows, path)
    for line, row in rows:
        if len(row) != len(columns):
            problems.say(line, f"{len(row)} columns, not {len(columns)}")
            continue
        said = dict(zip(columns, (each.strip() for each in row), strict=True))
        key = _key(said, line, problems)
        if isinstance(key, str):
            key = str((path.parent / Path(key).expanduser()).resolve())
        value = _value(said["value"], attribute, line, problems)
        asked = said.get("asked", "")
        if asked not in ("random", "chosen", ""):
            problems.say(line, f"`{asked}` in the column asked is neither random nor chosen")
        elif key is not None and value is not None:
            labels.append(Label(key, value, asked, line))  # type: ignore[arg-type]
    problems.stop()
    _refuse_contradictions(labels, attribute, problems)
    problems.stop()
    # What was said last of a picture counts: two are the same, or one was skipped before.
    kept = {label.key: label for label in sorted(labels, key=lambda label: not label.skipped)}
    return tuple(sorted(kept.values(), key=lambda label: label.line))


def written(labels: Iterable[Label], attribute: Attribute, seed: int) -> bytes:
    """Return a file of labels, as `read` takes it; those of draws and of images in one file."""
    stream = io.StringIO()
    stream.write(f"# seed {seed}\n")
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["index", "image", "value", "asked"])
    for label in labels:
        draw = isinstance(label.key, int)
        value = "" if label.skipped else shown_value(label.value, attribute)
        table.writerow([label.key if draw else "", "" if draw else label.key, value, label.asked])
    return stream.getvalue().encode()


def shown_value(value: float, attribute: Attribute) -> str:
    """A value as it is written: the name of a class, or a number."""
    return attribute.values[int(value)] if attribute.discrete else f"{value:g}"


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    lines = (line for line in text.splitlines() if line.strip() and line[0] != "#")
    first = next(lines, "")
    delimiter = next((each for each in ",;\t" if each in first), ",")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    for row in reader:
        if row and any(each.strip() for each in row) and not row[0].startswith("#"):
            yield reader.line_num, row


def _columns(
    rows: list[tuple[int, list[str]]], path: Path
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns, and the rows below the header."""
    if not rows:
        raise UsageError(f"{path} holds no labels")
    line, first = rows[0]
    names = [each.strip().lower() for each in first]
    if "value" in names:
        known = {"index", "image", "value", "asked"}
        if set(names) <= known and len(set(names)) == len(names) and len(names) > 1:
            return names, rows[1:]
        raise UsageError(
            f"{path}, line {line}: columns are index or image, and value; not {', '.join(first)}"
        )
    if len(first) == 2:
        # Without a header the first column must speak for itself.
        if all(_NUMBER.fullmatch(row[0].strip()) for _, row in rows):
            return ["index", "value"], rows
        if all(row[0].strip().lower().endswith(".png") for _, row in rows):
            return ["image", "value"], rows
    raise UsageError(f"{path}, line {line}: begin the file with `index,value` or `image,value`")


def _key(said: dict[str, str], line: int, problems: _Problems) -> Key | None:
    index, image = said.get("index", ""), said.get("image", "")
    if bool(index) == bool(image):
        problems.say(line, "name an index or an image" if not index else "an index and an image")
        return None
    if image:
        return image
    if not _NUMBER.fullmatch(index):
        problems.say(line, f"`{index}` is no index; it is a whole number from 0")
        return None
    if len(index) > len(str(MOST_DRAWS)) or int(index) >= MOST_DRAWS:
        problems.say(line, f"the index {index} is out of range: 0 to {MOST_DRAWS - 1}")
        return None
    return int(index)


def _value(text: str, attribute: Attribute, line: int, problems: _Problems) -> float | None:
    if not text:
        return math.nan
    if attribute.discrete:
        if text in attribute.values:
            return float(attribute.values.index(text))
        if _NUMBER.fullmatch(text) and int(text[:9]) < attribute.width:
            return float(int(text))
        known = ", ".join(attribute.values)
        problems.say(line, f"`{text}` is no class of {attribute.name}: it is one of {known}")
        return None
    try:
        value = float(text)
    except ValueError:
        problems.say(line, f"`{text}` is no number")
        return None
    low, high = attribute.limits
    if not low <= value <= high:
        problems.say(line, f"{text} lies outside {low:g}..{high:g}")
        return None
    return value


def _refuse_contradictions(
    labels: Sequence[Label], attribute: Attribute, problems: _Problems
) -> None:
    first: dict[Key, Label] = {}
    for label in labels:
        if label.skipped:
            continue
        before = first.setdefault(label.key, label)
        if before.value != label.value:
            one, other = (shown_value(each.value, attribute) for each in (before, label))
            problems.say(
                label.line,
                f"{label.key} is {other}, and {one} in line {before.line}; keep one of the two",
            )


@frozen(eq=False)
class Rows:
    """Labels with the latents they are of."""

    labels: tuple[Label, ...]
    inputs: Floats  # what the classifier reads, (N, d)
    w: Floats  # what the decoder is given, (N, d')

    @property
    def values(self) -> Floats:
        """Class numbers or values (N,)."""
        return np.array([label.value for label in self.labels], np.float32)

    @property
    def random(self) -> NDArray[np.bool_] | None:
        """Which are plain draws (N,); None where the file does not say."""
        if not any(label.asked for label in self.labels):
            return None
        return np.array([label.asked == "random" for label in self.labels])


def resolved(labels: Sequence[Label], subject: Subject, path: Path) -> Rows:
    """Find the latents of the labels of a file. Skipped ones are left out.

    Raises:
        UsageError: an image is none of the model's, or two names of one image contradict.
    """
    from lacelang.teaching.images import LatentsOfImages

    problems = _Problems(path)
    given = [label for label in labels if not label.skipped]
    draws = subject.draws([label.key for label in given if isinstance(label.key, int)])
    inputs, w = subject.inputs(draws), draws.styles(subject.generator).numpy()
    of_draws = iter(zip(inputs, w, strict=True))
    images = LatentsOfImages(subject)
    kept: dict[bytes, tuple[Label, Floats, Floats]] = {}
    for label in given:
        if isinstance(label.key, int):
            read, shown = next(of_draws)
        else:
            try:
                read, shown = images.find(label.key)
            except UsageError as error:
                problems.say(label.line, str(error))
                continue
        before = kept.setdefault(shown.tobytes(), (label, read, shown))[0]
        if before.value != label.value:
            names = f"{before.key} (line {before.line}) and {label.key}"
            problems.say(label.line, f"{names} are one picture, with two values; keep one")
    problems.stop()
    rows = list(kept.values())
    dim = inputs.shape[1]
    return Rows(
        tuple(label for label, _, _ in rows),
        np.stack([read for _, read, _ in rows]) if rows else np.zeros((0, dim), np.float32),
        np.stack([shown for _, _, shown in rows]) if rows else w,
    )
