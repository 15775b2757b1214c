"""The pages make a site: every page has its place, and every link and heading it names exists."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir"]
    built = subprocess.run(
        [*command, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_the_readme_is_the_home_page(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    assert "<h1" in home
    assert 'href="running/"' in home
    assert 'src="docs/' not in home


def test_every_block_of_code_is_one(site: Path) -> None:
    """A fence whose words Markdown does not know would show as text."""
    assert not [path for path in site.rglob("*.html") if "```" in path.read_text(encoding="utf-8")]


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert 'src="http' not in page, path
        assert '<link rel="stylesheet" href="http' not in page, path
