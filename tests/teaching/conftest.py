from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread, Timer

import pytest
from bars_model import BARS, DECLARATION, inputs_and_truth

import lacelang
from lacelang import ir
from lacelang.classifiers import heads_file
from lacelang.classifiers.few_labels import Prior, learn
from lacelang.cli.models import find_model
from lacelang.generators import ARCHITECTURES
from lacelang.progress import Silent
from lacelang.teaching.lesson import Lesson
from lacelang.teaching.subject import Subject, subject
from lacelang.web.serving import Serving
from lacelang.web.teach import TeachPage, application


@pytest.fixture
def bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the user's models, with the model `bars`."""
    home = tmp_path / "models"
    home.mkdir()
    (home / "bars.lace").write_text(DECLARATION)
    w, truth = inputs_and_truth(200, 0)
    learned = learn(w, truth, ir.BinaryAttribute("left"), Prior.of(w))
    heads_file.save(home / "bars.safetensors", learned.heads, {})
    monkeypatch.setenv("LACELANG_MODELS", str(home))
    lacelang.register(BARS)
    yield home
    ARCHITECTURES._added.clear()
    lacelang.release()


@pytest.fixture
def right(bars: Path) -> Subject:
    """An attribute to be taught: the last bar is bright."""
    return subject(find_model("bars"), "right", progress=Silent())


@pytest.fixture
def served(right: Subject) -> Iterator[tuple[TeachPage, Serving]]:
    """A lesson on a page, as `lacelang teach bars right` serves it."""
    page = TeachPage(Lesson(right), Silent())
    serving = Serving(application(page, lambda: Timer(1.0, serving.stop).start()))
    thread = Thread(target=serving.run)
    thread.start()
    yield page, serving
    serving.stop()
    thread.join(10)
    page.close()
