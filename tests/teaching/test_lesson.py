from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from bars_model import label_csv, truth_of

from lacelang.annotators.given import function_at
from lacelang.cli.main import main
from lacelang.errors import LaceError, UsageError
from lacelang.progress import Silent
from lacelang.teaching import lesson as lessons
from lacelang.teaching.annotating import teach_by_annotator
from lacelang.teaching.lesson import Lesson
from lacelang.teaching.subject import POOL, Subject
from lacelang.teaching.terminal import teach_in_terminal


def bright(image: np.ndarray) -> float:
    """Whether the last bar of a picture is bright."""
    return float(image[:, -1].mean() > 127.5)


@pytest.fixture
def truth(right: Subject) -> dict[int, int]:
    return dict(truth_of(right, POOL + 400))


def test_answers_are_on_the_disk_at_once_and_taken_up_again(
    right: Subject, truth: dict[int, int]
) -> None:
    lesson = Lesson(right)
    for question in lesson.batch[:5]:
        lesson.answer(question.index, truth[question.index])
    lesson.answer(lesson.batch[5].index, None)
    again = Lesson(right)
    assert [(label.key, label.asked) for label in again.labels] == [
        (label.key, label.asked) for label in lesson.labels
    ]
    assert sum(label.skipped for label in again.labels) == 1
    assert not {q.index for q in again.batch} & {label.key for label in again.labels}
    assert right.place(".csv").read_text().startswith("# seed 6862\nindex,image,value,asked\n")


def test_the_last_answer_to_a_question_counts_and_can_be_taken_back(right: Subject) -> None:
    lesson = Lesson(right)
    index = lesson.batch[0].index
    lesson.answer(index, 0)
    lesson.answer(index, 1)
    assert lesson.counts == {"0": 0, "1": 1}
    assert lesson.undo() == index
    assert lesson.undo() is None
    assert Lesson(right).labels == ()


def test_what_cannot_be_written_is_not_taken(
    right: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = Lesson(right)
    lesson.answer(lesson.batch[0].index, 1)

    def full(*_: object) -> None:
        raise LaceError("no space left")

    monkeypatch.setattr(lessons, "write_atomic", full)
    for change in (lambda: lesson.answer(lesson.batch[1].index, 0), lesson.undo):
        with pytest.raises(LaceError):
            change()
        assert [label.key for label in lesson.labels] == [lesson.batch[0].index]


def test_an_annotator_answers_until_the_classifier_is_good(
    right: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "GOAL", 0.6)
    lesson = Lesson(right)
    teach_by_annotator(lesson, bright, 300, Silent())
    estimate = lesson.estimate()
    assert estimate is not None
    assert estimate.good
    assert 24 <= len(lesson.labels) < 300
    assert {label.asked for label in lesson.labels} == {"random", "chosen"}


def test_an_annotator_is_named_by_module_and_function(
    right: Subject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "seeing.py").write_text(
        "def bright(image):\n    return str(int(image[:, -1].mean() > 127.5))\n"
        "def wrong(image):\n    return 'purple'\n"
        "def broken(image):\n    raise KeyError('oh')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    command = ["teach", "bars", "right", "--count", "60", "--annotator"]
    assert main([*command, "seeing:bright"]) == 0
    assert "labels by `seeing:bright`" in right.place(".md").read_text()
    for place, said in (
        ("seeing", "name it as module:function"),
        ("seeing:nothing", "has no function nothing"),
        ("nowhere:bright", "cannot be imported"),
        ("seeing:wrong", "said 'purple' of draw"),
        ("seeing:broken", "the annotator failed at draw"),
    ):
        assert main([*command, place, "--replace"]) == 2
        assert said in capsys.readouterr().err
    assert function_at("math:sqrt")(4) == 2


def test_in_the_terminal_keys_answer(right: Subject, truth: dict[int, int], capsys: object) -> None:
    lesson = Lesson(right)
    given = iter(["x", "y", "u", "n", "s"])

    def read(prompt: str) -> str:
        said = next(given, None)
        if said is None:
            if len(lesson.labels) >= 36:
                return "f"
            open_ = next(q for q in lesson.batch if lesson.answer_to(q.index) is None)
            return "ny"[truth[open_.index]]
        return said

    assert teach_in_terminal(lesson, read)
    err = capsys.readouterr().err  # type: ignore[attr-defined]
    assert "'x' is no answer" in err
    assert "balanced accuracy" in err
    assert f"right-{lesson.labels[0].key}.png" in err
    assert [label.skipped for label in lesson.labels].count(True) == 1


def test_the_terminal_reads_lines_from_a_pipe(
    right: Subject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("y\nn\nq\n"))
    assert main(["teach", "bars", "right", "--terminal"]) == 0
    assert "2 labels are kept" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["teach", "bars", "right", "--terminal"]) == 0
    captured = capsys.readouterr()
    assert "2 labels are there already" in captured.err
    assert "3 labels are kept" in captured.out


@pytest.mark.slow
def test_a_taught_attribute_can_be_taught_more(
    right: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = label_csv(tmp_path / "labels.csv", right, 60)
    assert main(["teach", "bars", "right", "--labels", str(labels), "--layers", "1"]) == 0
    lesson = Lesson(right)
    assert len(lesson.labels) == 60
    teach_by_annotator(lesson, bright, 72, Silent())
    lesson.finish(Silent())
    assert len(Lesson(right).labels) > 60


def test_two_ways_at_once_are_refused(right: Subject, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["teach", "bars", "right", "--terminal", "--annotator", "math:sqrt"]
    assert main(command) == 2
    assert "two ways to teach" in capsys.readouterr().err
    with pytest.raises(UsageError, match="was not asked about"):
        Lesson(right).answer(77, 1)


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_in_a_terminal_one_key_is_an_answer(tmp_path: Path) -> None:
    from ptyprocess import PtyProcessUnicode

    environment = {**os.environ, "LACELANG_MODELS": str(tmp_path), "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "lacelang.cli.main", "teach", "ffhq", "hat", "--terminal"]
    process = PtyProcessUnicode.spawn(command, env=environment, dimensions=(40, 100))
    seen = ""
    for prompt, key in (("1. hat?", "y"), ("2. hat?", "q")):
        while prompt not in seen:
            seen += process.read(4096)
        process.write(key)
    while process.isalive():
        try:
            seen += process.read(4096)
        except EOFError:
            break
    assert process.wait() == 0
    assert "1 labels are kept" in seen
    assert "▀" in seen
    assert "\\x1b" not in seen


@pytest.mark.weights
@pytest.mark.slow
def test_ctrl_c_keeps_the_labels_and_the_command_goes_on(tmp_path: Path) -> None:
    import http.client
    import json

    environment = {**os.environ, "LACELANG_MODELS": str(tmp_path)}
    command = [sys.executable, "-m", "lacelang.cli.main", "teach", "ffhq", "hat"]
    for round_ in (1, 2):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        host, token = url.split("/")[2:4]
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request("GET", f"/{token}/state")
        state = json.loads(connection.getresponse().read())
        assert state["labels"] == round_ - 1
        answer = json.dumps({"index": state["batch"][0]["index"], "value": 0})
        kind = {"Content-Type": "application/json"}
        connection.request("POST", f"/{token}/answer", answer, kind)
        assert json.loads(connection.getresponse().read())["labels"] == round_
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 130
        assert f"{round_} labels are kept" in err
