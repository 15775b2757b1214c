"""Every example of the pages is executed, and what the pages show is what comes out.

Run with LACELANG_UPDATE=1 to write the pages' outputs anew, then read them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from doc_blocks import Block, blocks_of, outcomes

from lacelang.annotators import ANNOTATORS
from lacelang.generators import ARCHITECTURES
from lacelang.samplers import SAMPLERS
from lacelang.syntax.grammar import loaded
from lacelang.syntax.parser import read

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
KINDS = {"lace", "text", "console", "python", "sh", "json", "toml", "lua", "elisp", ""}


def _names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _blocks(path: Path, page: str) -> list[Block]:
    # The package of extending.md is installed and tried by a test of its own.
    return [b for b in blocks_of(page) if b.kind != "python" or path.name != "extending.md"]


def _with_weights(path: Path) -> bool:
    return any("weights" in b.info for b in _blocks(path, path.read_text(encoding="utf-8")))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LACELANG_MODELS", str(tmp_path / "models"))
    # The photograph of the pages that take one in.
    (tmp_path / "programs").mkdir()
    shutil.copy(ROOT / "programs" / "me.jpg", tmp_path / "programs")
    # What a page registers is known to that page only.
    for registry in (SAMPLERS, ARCHITECTURES, ANNOTATORS):
        monkeypatch.setattr(registry, "_added", {})


def _execute(path: Path, weights: bool) -> None:
    page = path.read_text(encoding="utf-8")
    wrong = []
    for outcome in reversed(list(outcomes(_blocks(path, page), weights))):
        block = outcome.block
        if outcome.complaint is not None:
            wrong.append(f"{_names(path)}:{block.line}: {outcome.complaint}")
        elif outcome.text != block.text:
            wrong.append(f"{_names(path)}:{block.line}: this comes out instead:\n{outcome.text}")
            page = page[: block.start] + outcome.text + page[block.end :]
    if os.environ.get("LACELANG_UPDATE"):
        path.write_text(page, encoding="utf-8")
    assert not wrong, "\n\n".join(reversed(wrong))


@pytest.mark.parametrize("path", PAGES, ids=_names)
def test_examples(path: Path) -> None:
    _execute(path, weights=False)


@pytest.mark.weights
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.slow] * (path.parent.name == "howto"))
        for path in PAGES
        if _with_weights(path)
    ],
    ids=_names,
)
def test_examples_that_need_weights(path: Path) -> None:
    _execute(path, weights=True)


@pytest.mark.parametrize("path", PAGES, ids=_names)
def test_blocks_are_of_known_kinds(path: Path) -> None:
    assert {block.kind for block in blocks_of(path.read_text(encoding="utf-8"))} <= KINDS


def test_every_word_and_sign_of_the_grammar_has_an_example() -> None:
    used: set[str] = set()
    for path in PAGES:
        for block in blocks_of(path.read_text(encoding="utf-8")):
            if block.kind == "lace" and "wrong" not in block.info:
                used |= {token.type for token in read(block.text, None).tokens.tokens}
    terminals = {terminal.name for terminal in loaded().terminals}
    declared = {"UNIT", "IN_SHARE", "IN_LAYERS"}
    assert terminals | declared <= used | {"COMMENT", "SPACE"}


def test_a_generator_takes_less_than_forty_lines() -> None:
    page = (ROOT / "docs" / "generators.md").read_text(encoding="utf-8")
    block = next(b for b in blocks_of(page) if b.kind == "python")
    lines = [line for line in block.text.splitlines() if line.strip()]
    assert "lacelang.register(" in lines[-1]
    assert len(lines) < 40


def test_what_the_pages_promise_is_kept(tmp_path: Path) -> None:
    """The checks of this file see a mistake of each kind."""
    page = (
        "```lace\nsample from  ffhq\n```\n"
        "```lace\nsample from nowhere\n```\n"
        "```lace wrong\nsample from ffhq\n```\n"
        "```lace condition\nsmile = 1\n```\n"
        "```console\n$ lacelang check missing.lace\n```\n"
        "```lace p.lace\nsample from ffhq\n```\n"
        "```console\n$ lacelang models list\nffhq\n$ cat p.lace\n…\n```\n"
    )
    found = list(outcomes(blocks_of(page), weights=False))
    assert [o.complaint is None for o in found] == [True, False, False, *[True] * 4]
    assert [o.text == o.block.text for o in found] == [
        *(False, True, True),
        *(False, False, True, False),
    ]
