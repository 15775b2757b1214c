"""A lesson in the terminal: one picture at a time, and a key for its answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from lacelang.errors import UsageError
from lacelang.ir import Attribute
from lacelang.repl.pictures import drawn, supported_graphics
from lacelang.teaching.asking import Question
from lacelang.teaching.lesson import Lesson
from lacelang.text.channels import console, say, styled

_COLUMNS, _LINES = 48, 24
_YES_AND_NO = {"y": "1", "n": "0"}


def teach_in_terminal(lesson: Lesson, read: Callable[[str], str] | None = None) -> bool:
    """Ask until the person has had enough; return whether the attribute is to be saved.

    `read` takes a prompt and returns the answer; by default a key, or a line where the input is no
    terminal.
    """
    attribute = lesson.subject.attribute
    read = read or _reader(attribute)
    say(f"Teaching {lesson.subject.spec.name} {attribute.name}: {attribute.text}.")
    say(
        f"{_keys(attribute)}; s skips, u takes the last answer back, f finishes, q keeps for later."
    )
    with TemporaryDirectory() as folder:
        while True:
            questions = [q for q in lesson.batch if lesson.answer_to(q.index) is None]
            if not questions:
                _say_estimate(lesson)
                lesson.batch = lesson.choose()
                continue
            ended = _ask(lesson, questions[0], read, Path(folder))
            if ended is not None:
                return ended


def _ask(
    lesson: Lesson, question: Question, read: Callable[[str], str], folder: Path
) -> bool | None:
    """Ask one question; True to finish, False to stop, None to go on."""
    attribute = lesson.subject.attribute
    _show(lesson, question, folder)
    number = len(lesson.labels) + 1
    while True:
        try:
            said = read(f"{number}. {attribute.name}? ").strip()
        except EOFError:
            return False
        if said in ("q", "f"):
            return said == "f"
        try:
            if said == "u":
                if lesson.undo() is None:
                    say("nothing to take back")
                    continue
            else:
                lesson.answer(question.index, None if said == "s" else _value(said, attribute))
        except UsageError as error:
            say(str(error))
            continue
        return None


def _value(said: str, attribute: Attribute) -> float:
    if not attribute.discrete:
        try:
            return float(said)
        except ValueError:
            raise UsageError(f"{said!r} is no number; s skips") from None
    name = _YES_AND_NO.get(said, said) if attribute.values == ("0", "1") else said
    if name in attribute.values:
        return float(attribute.values.index(name))
    if name.isdecimal() and int(name) < attribute.width:
        return float(int(name))
    raise UsageError(f"{said!r} is no answer: {_keys(attribute)}; s skips")


def _keys(attribute: Attribute) -> str:
    if not attribute.discrete:
        return f"a number and Enter, {attribute.text}"
    if attribute.values == ("0", "1"):
        return "y or 1 for yes, n or 0 for no"
    return ", ".join(f"{number} {name}" for number, name in enumerate(attribute.values))


def _say_estimate(lesson: Lesson) -> None:
    estimate = lesson.estimate()
    if estimate is None:
        counts = ", ".join(f"{name}: {count}" for name, count in lesson.counts.items())
        say(f"too few labels to measure ({counts})")
    else:
        good = "; good enough: f finishes" if estimate.good else ""
        say(f"{estimate.text} with {estimate.labels} labels{good}")


def _show(lesson: Lesson, question: Question, folder: Path) -> None:
    """Draw the picture, or say where it is."""
    subject = lesson.subject
    (image,) = subject.draws([question.index]).images(subject.generator)
    picture = Image.fromarray(image)
    graphics = supported_graphics()
    if graphics == "none":
        path = folder / f"{subject.name}-{question.index}.png"
        picture.save(path)
        say(f"draw {question.index}: {path}")
    else:
        console(sys.stdout).print(drawn(picture, _COLUMNS, _LINES, graphics), end="")


def _reader(attribute: Attribute) -> Callable[[str], str]:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):

        def line(prompt: str) -> str:
            say(prompt, sys.stdout, end="")
            text = sys.stdin.readline()
            say("", sys.stdout)
            if not text:
                raise EOFError
            return text

        return line
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.output import create_output

    keys = KeyBindings()
    single = "synufq0123456789" if attribute.discrete and attribute.width <= 10 else ""
    for key in single:

        @keys.add(key)
        def _(event: object, key: str = key) -> None:
            event.app.exit(result=key)  # type: ignore[attr-defined]

    output = create_output(styled(sys.stdout))
    session: PromptSession[str] = PromptSession(key_bindings=keys, output=output)
    return session.prompt
