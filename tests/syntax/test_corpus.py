"""Texts that once failed, and random ones: only a `LaceError` leaves the checker."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORPUS = sorted((ROOT / "tests" / "corpus").glob("*.lace"))


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    """The script that checks random texts."""
    spec = importlib.util.spec_from_file_location("fuzz", ROOT / "scripts" / "fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_texts_that_once_failed(file: Path, fuzz: ModuleType) -> None:
    assert fuzz.failure(file.read_text("utf-8", "surrogatepass"), seconds=60) is None


def test_random_texts(fuzz: ModuleType) -> None:
    texts = [fuzz.text(0, i) for i in range(60)]
    assert len(set(texts)) > 50
    assert [fuzz.failure(text, seconds=60) for text in texts] == [None] * len(texts)


@pytest.mark.slow
def test_more_random_texts(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, limit in fuzz.LIMITS.items():
        monkeypatch.setattr(place, limit)
    many = int(os.environ.get("LACELANG_FUZZ", "2000"))
    failing = [i for i in range(many) if fuzz.failure(fuzz.text(1, i), seconds=60) is not None]
    assert failing == []


def test_a_failing_text_is_noticed_shortened_and_kept(
    fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(source: str) -> None:
        if "needle" in source:
            raise ValueError

    monkeypatch.setattr("lacelang.syntax.format.format_source", fails)
    assert fuzz.failure("sample from ffhq as needle", seconds=60) == "ValueError"
    assert fuzz.failure("sample from ffhq as hay", seconds=60) is None
    short = fuzz.shortened("a needle in a long text" * 9, lambda s: "needle" in s)
    assert short == "needle"
    monkeypatch.setattr(fuzz, "CORPUS", tmp_path)
    name = fuzz.keep("needle\ud800", "ValueError")
    assert (tmp_path / name).read_text("utf-8", "surrogatepass") == "needle\ud800"
