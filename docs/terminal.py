"""A picture of a terminal, drawn cell by cell."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pyte
from PIL import Image, ImageDraw, ImageFont

_CELL = (7, 14)
_GROUND, _INK = "#16181d", "#e4e6eb"
_NAMED = {
    "black": "#3b3f4a",
    "red": "#f2777a",
    "green": "#8fd18b",
    "brown": "#ffcc66",
    "blue": "#7fb2f0",
    "magenta": "#d6a2e8",
    "cyan": "#77cfd0",
    "white": "#e4e6eb",
}


def picture_of(screen: pyte.Screen) -> Image.Image:
    """Return what a terminal shows, down to its last line."""
    wide, high = _CELL
    last = max(i for i, line in enumerate(screen.display) if line.strip())
    size = (screen.columns * wide + 2 * wide, (last + 1) * high + high)
    image = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(image)
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    font = ImageFont.truetype(str(fonts / "DejaVuSansMono.ttf"), 11)
    for row in range(last + 1):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            ink, ground = _colour(cell.fg, _INK), _colour(cell.bg, _GROUND)
            if cell.reverse:
                ink, ground = ground, ink
            x, y = wide + column * wide, high // 2 + row * high
            if ground != _GROUND:
                draw.rectangle((x, y, x + wide - 1, y + high - 1), ground)
            if cell.data == "▀":
                draw.rectangle((x, y, x + wide - 1, y + high // 2 - 1), ink)
            elif cell.data == "▄":
                draw.rectangle((x, y + high // 2, x + wide - 1, y + high - 1), ink)
            elif cell.data.strip():
                draw.text((x, y), cell.data, ink, font)
    return image


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    name = name.removeprefix("bright")
    return _NAMED.get(name, f"#{name}")
