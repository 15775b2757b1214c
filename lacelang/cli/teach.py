"""`lacelang teach`: a new attribute of a model, from labels, on a page or in the terminal."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from threading import Timer

from lacelang.annotators.given import function_at
from lacelang.classifiers.few_labels import require_enough
from lacelang.cli.models import find_model
from lacelang.errors import UsageError
from lacelang.progress import Progress, shown
from lacelang.teaching import label_file
from lacelang.teaching.annotating import teach_by_annotator
from lacelang.teaching.lesson import Lesson
from lacelang.teaching.saving import (
    LABELS,
    Taught,
    is_taught,
    quality,
    set_labels_aside,
    train_and_save,
)
from lacelang.teaching.subject import Subject, seed_of, subject
from lacelang.teaching.terminal import teach_in_terminal
from lacelang.text.channels import say

#: Images that an annotator is asked about at most.
MOST_ANNOTATED = 600
# Seconds that the page has to show what was saved before the command ends.
_LINGER = 2.0


def teach_attribute(arguments: Namespace) -> int:
    """Teach a model an attribute."""
    ways = [w for w in ("labels", "annotator", "terminal") if getattr(arguments, w)]
    if len(ways) > 1:
        raise UsageError(f"--{ways[0]} and --{ways[1]} are two ways to teach; choose one")
    annotate = function_at(arguments.annotator) if arguments.annotator else None
    spec = find_model(arguments.name)
    path: Path | None = arguments.labels
    with shown() as progress:
        about = subject(
            spec,
            arguments.attribute,
            kind=arguments.kind,
            layers=arguments.layers,
            seed=_seed(arguments.seed, path),
            progress=progress,
        )
        taught: Taught | None
        if path is not None:
            taught = _from_file(about, path, arguments.replace, progress)
            return _report(about, taught)
        lesson = _lesson(about, arguments.replace)
        if annotate is not None:
            most = arguments.count or MOST_ANNOTATED
            teach_by_annotator(lesson, annotate, most, progress)
            taught = lesson.finish(progress, f"`{arguments.annotator}`")
            return _report(about, taught)
    taught = _in_terminal(lesson) if arguments.terminal else _on_page(lesson, arguments.port or 0)
    if taught is None:
        print(f"{len(lesson.labels)} labels are kept in {lesson.path}; the same command goes on")
        return 0
    return _report(about, taught)


def _from_file(about: Subject, path: Path, replace: bool, progress: Progress) -> Taught:
    if (is_taught(about) or about.place(LABELS).exists()) and not replace:
        raise UsageError(
            f"{about.spec.name} was taught `{about.name}` before; --replace teaches it anew, and "
            f"its labels stay beside {about.place(LABELS)}"
        )
    labels = label_file.read(path, about.attribute)
    rows = label_file.resolved(labels, about, path)
    require_enough(rows.values, about.attribute)
    set_labels_aside(about)
    return train_and_save(about, rows, labels, progress)


def _lesson(about: Subject, replace: bool) -> Lesson:
    if replace:
        aside = set_labels_aside(about)
        if aside is not None:
            say(f"the labels of before are kept as {aside}")
    lesson = Lesson(about)
    if lesson.labels:
        say(f"{len(lesson.labels)} labels are there already, in {lesson.path}")
    return lesson


def _in_terminal(lesson: Lesson) -> Taught | None:
    try:
        if not teach_in_terminal(lesson):
            return None
    except KeyboardInterrupt as stop:
        raise _kept(lesson, stop) from None
    with shown() as progress:
        return lesson.finish(progress)


def _on_page(lesson: Lesson, port: int) -> Taught | None:
    from lacelang.web.serving import Serving
    from lacelang.web.teach import TeachPage, application

    with shown() as progress:
        page = TeachPage(lesson, progress)
        try:
            serving = Serving(application(page, lambda: Timer(_LINGER, serving.stop).start()), port)
            say(
                "Open this address in a browser of this machine; Ctrl-C stops and keeps all labels:"
            )
            serving.run(lambda: print(serving.url, flush=True))
        except KeyboardInterrupt as stop:
            raise _kept(lesson, stop) from None
        finally:
            page.close()
    return page.taught


def _kept(lesson: Lesson, stop: KeyboardInterrupt) -> KeyboardInterrupt:
    """Say what is kept; the error is the same one, which may be that of a signal."""
    kept = f"{len(lesson.labels)} labels are kept in {lesson.path}"
    stop.args = (f"interrupted: {kept}\n  the same command goes on from there",)
    return stop


def _seed(given: int | None, path: Path | None) -> int | None:
    """The seed of the draws that a file of labels names by their index."""
    said = None if path is None else seed_of(path)
    if said is not None and given not in (None, said):
        raise UsageError(f"{path} has labels of the draws of seed {said}, not {given}")
    return given if said is None else said


def _report(about: Subject, taught: Taught) -> int:
    if taught.warning:
        say(f"warning: {taught.warning}")
    print(f"{about.name}: {quality(taught.learned.figures)}")
    print(f"{taught.card}")
    print(f"use it: sample 8 from {about.spec.name} where {about.name} = {about.attribute.example}")
    return 0
