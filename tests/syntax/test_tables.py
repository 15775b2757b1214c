from __future__ import annotations

import os
from pathlib import Path

import pytest

from lacelang.syntax.grammar import grammar_text
from lacelang.syntax.nodes import Program
from lacelang.syntax.tables import parser_of

SOURCE = "edit men { smile = 0 } measure a = b from men"


def _parse() -> Program:
    program = parser_of(grammar_text()).parse(SOURCE)
    assert isinstance(program, Program)
    return program


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LACELANG_CACHE", str(folder))
    return folder


def test_tables_from_the_cache_read_the_same(cache: Path) -> None:
    built = _parse()
    (file,) = cache.iterdir()
    before = file.stat().st_mtime_ns
    assert _parse() == built
    assert file.stat().st_mtime_ns == before


def test_a_damaged_file_is_replaced(cache: Path) -> None:
    built = _parse()
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:1000], whole.replace(b"NAME", b"MEAN"), b"\x80\x04N."):
        file.write_bytes(damaged)
        assert _parse() == built
        mended = file.read_bytes()
        assert mended != damaged
        assert _parse() == built
        assert file.read_bytes() == mended


@pytest.mark.skipif(os.name == "nt", reason="folders have no mode there")
def test_a_cache_that_cannot_be_written_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("LACELANG_CACHE", str(in_the_way / "cache"))
    assert _parse().statements
