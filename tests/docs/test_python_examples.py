"""The Python of the pages is executed, block after block in one namespace for each page.

A block that begins with ```python weights needs the generator and is left out without it; the
README's needs it too.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from doc_blocks import Block, blocks_of

ROOT = Path(__file__).resolve().parents[2]
# The package of extending.md is installed and tried by a test of its own.
PAGES = sorted(p for p in (ROOT / "docs").glob("*.md") if p.name != "extending.md")


def _blocks(path: Path) -> list[Block]:
    return [b for b in blocks_of(path.read_text(encoding="utf-8")) if b.kind == "python"]


def _execute(path: Path, weights: bool) -> None:
    names: dict[str, object] = {"__name__": path.stem}
    for block in _blocks(path):
        if weights or "weights" not in block.info:
            # Lines of a traceback count in the page.
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(path), "exec"), names)


def _with(word: str | None) -> list[Path]:
    """The pages with a block of Python that is marked with `word`, or with any block."""
    return [p for p in PAGES if any(word is None or word in b.info for b in _blocks(p))]


@pytest.mark.parametrize("path", _with(None), ids=lambda path: path.name)
def test_examples(path: Path) -> None:
    _execute(path, weights=False)


@pytest.mark.weights
@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *_with("weights")], ids=lambda path: path.name
)
def test_examples_that_need_weights(path: Path) -> None:
    _execute(path, weights=True)


def test_a_generator_takes_less_than_forty_lines() -> None:
    block = _blocks(ROOT / "docs" / "generators.md")[0]
    lines = [line for line in block.text.splitlines() if line.strip()]
    assert "lacelang.register(" in lines[-1]
    assert len(lines) < 40
