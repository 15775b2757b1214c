"""What the site needs besides the pages: the README as home page, fences as Markdown knows them."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
# After the language stands what the tests do with a block: no words for Markdown.
_NOTEBOOK = re.compile(r"\]\((notebooks/\w+)\.ipynb\)")
_FENCE = re.compile(r"^(```\w+) .*$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README to the pages, with its links as seen from docs/."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        name = f"notebooks/{path.stem}.md"
        files.append(File.generated(config, name, content=page_of(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links to the README lead to the home page, and fences name their language alone."""
    markdown = _NOTEBOOK.sub(r"](\1.md)", markdown)
    return _FENCE.sub(r"\1", markdown.replace("](../README.md", "](index.md"))


def page_of(path: Path) -> str:
    """Return a notebook as a page: its texts, its code, and its outputs as they are kept."""
    book = json.loads(path.read_text(encoding="utf-8"))
    parts = []
    for cell in book["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        language = "lace" if source.startswith("%%lace") else "python"
        parts.append(f"```{language}\n{source}\n```")
        parts += [f"<div>{shown}</div>" for shown in map(_output, cell["outputs"]) if shown]
    link = f"[Download this notebook]({path.name})"
    return "\n\n".join([*parts, link]) + "\n"


def _output(output: dict[str, Any]) -> str:
    """Return an output as HTML on lines without a gap, which would end the block."""
    data = output.get("data", {"text/plain": output.get("text", "")})
    if "text/html" in data:
        shown = "".join(data["text/html"])
    elif "image/png" in data:
        content = "".join(data["image/png"]).replace("\n", "")
        shown = f'<img alt="" src="data:image/png;base64,{content}">'
    else:
        shown = f"<pre>{escape(''.join(data['text/plain']))}</pre>"
    return "\n".join(line for line in shown.splitlines() if line.strip())
