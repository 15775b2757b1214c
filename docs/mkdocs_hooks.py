"""What the site needs besides the pages: the README as home page, fences as Markdown knows them."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
# After the language stands what the tests do with a block: no words for Markdown.
_FENCE = re.compile(r"^(```\w+) .*$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README to the pages, with its links as seen from docs/."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links to the README lead to the home page, and fences name their language alone."""
    return _FENCE.sub(r"\1", markdown.replace("](../README.md", "](index.md"))
