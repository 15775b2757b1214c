"""The picture of the package's layers, and the table of its folders, from the code itself."""

from __future__ import annotations

import ast
import textwrap
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_WIDTH, _GAP, _MARGIN = 1000, 14, 20
_TITLE, _LINE = 32, 14  # heights of a box without its text, and of a line of that
_MOST = 4  # boxes beside each other
_HIDDEN = {"__main__"}
_STYLE = (
    "text{font-family:Helvetica,Arial,sans-serif;fill:#1d2733}"
    ".name{font-size:14px;font-weight:bold}.said{font-size:11px;fill:#4a5a6a}"
    "rect{fill:#eef3f8;stroke:#9db2c6}.low{fill:#f6f4ee;stroke:#c9bfa5}"
    "line{stroke:#9db2c6;stroke-width:1.5}"
)


def layers() -> list[list[str]]:
    """Return the layers of the import contract, the topmost first; those beside each other."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = settings["tool"]["importlinter"]["contracts"]
    rows = [[name.strip() for name in row.split("|")] for row in contract["layers"]]
    return [row for row in rows if not set(row) <= _HIDDEN]


def said_of(name: str) -> str:
    """Return the first sentence of a module's or package's docstring."""
    place = ROOT / "lacelang" / name
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def parts_table() -> str:
    """Return a row for each folder and module, in the order of the layers."""
    lines = ["| part | what comes in and goes out |", "| --- | --- |"]
    lines += [f"| `{name}` | {said_of(name)} |" for row in layers() for name in row]
    return "\n".join(lines) + "\n"


def layers_picture() -> str:
    """Return the layers as SVG: what stands above may import what stands below."""
    parts: list[str] = []
    y, found = _MARGIN, layers()
    for number, layer in enumerate(found):
        low = ' class="low"' if number >= len(found) - 3 else ""
        for first in range(0, len(layer), _MOST):
            row = layer[first : first + _MOST]
            width = (_WIDTH - 2 * _MARGIN - _GAP * (len(row) - 1)) / len(row)
            texts = [textwrap.wrap(said_of(name), int((width - 20) / 5.7)) for name in row]
            height = _TITLE + _LINE * max(map(len, texts))
            for column, (name, text) in enumerate(zip(row, texts, strict=True)):
                x = _MARGIN + column * (width + _GAP)
                box = f'x="{x:.0f}" y="{y}" width="{width:.0f}" height="{height}"'
                parts += [f'<rect{low} {box} rx="5"/>', *_texts(name, text, x, y)]
            y += height + _GAP
        if number < len(found) - 1:
            middle = _WIDTH // 2
            parts.append(f'<line x1="{middle}" y1="{y - _GAP}" x2="{middle}" y2="{y}"/>')
    size = f'width="{_WIDTH}" height="{y + _MARGIN - _GAP}"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {_WIDTH} '
        f'{y + _MARGIN - _GAP}">\n<style>{_STYLE}</style>\n'
        f'<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>\n{body}\n</svg>\n'
    )


def _texts(name: str, lines: list[str], x: float, y: int) -> list[str]:
    return [
        f'<text class="name" x="{x + 10:.0f}" y="{y + 19}">{escape(name)}</text>',
        *(
            f'<text class="said" x="{x + 10:.0f}" y="{y + 36 + _LINE * i}">{escape(line)}</text>'
            for i, line in enumerate(lines)
        ),
    ]
