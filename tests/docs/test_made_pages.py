"""What docs/make.py makes is up to date. With LACELANG_UPDATE=1 it is made anew."""

from __future__ import annotations

import os
import re
import runpy
from pathlib import Path

import pytest

from lacelang.samplers import SAMPLERS
from lacelang.semantics.codes import CODES

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def made() -> dict[Path, str]:
    pages: dict[Path, str] = runpy.run_path(str(DOCS / "make.py"))["pages"]()
    return pages


def test_pages_are_up_to_date(made: dict[Path, str]) -> None:
    for path, page in made.items():
        if os.environ.get("LACELANG_UPDATE"):
            path.write_text(page, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == page, "run: python docs/make.py"


def test_every_code_stands_in_the_index(made: dict[Path, str]) -> None:
    page = made[DOCS / "errors.md"]
    assert [line for line in page.split("\n") if line.startswith("### ")] == [
        f"### {code}" for code in CODES
    ]


def test_every_sampler_and_option_is_listed(made: dict[Path, str]) -> None:
    page = made[DOCS / "samplers.md"]
    for table in SAMPLERS.values():
        assert f"| `{table.name}`" in page
        for option in table.options:
            assert f"| `{option.name}` |" in page


def test_links_lead_somewhere() -> None:
    wrong = []
    for path in [DOCS.parent / "README.md", *DOCS.rglob("*.md")]:
        page = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", page):
            if ":" in target:
                continue
            name, _, anchor = target.partition("#")
            file = (path.parent / name).resolve() if name else path
            if not file.exists() or (anchor and anchor not in _anchors(file)):
                wrong.append(f"{path.name}: {target}")
    assert not wrong


def _anchors(file: Path) -> set[str]:
    """Anchors of headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_picture_is_made_by_a_command() -> None:
    made = set(runpy.run_path(str(DOCS / "pictures.py"))["MADE"])
    elsewhere = {"architecture.svg", "work_precision.png"}  # docs/make.py, benchmarks/samplers.py
    assert {path.name for path in (DOCS / "pictures").iterdir()} == made | elsewhere
