"""Colours of the prompt, for dark and for light terminals.

Where the background is not known they are of the terminal's own palette.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from lacelang.errors import UsageError
from lacelang.repl.terminal import Colour

SETTING = "LACELANG_THEME"
"""The environment variable that overrides what the terminal says."""

Choice = Literal["dark", "light", "terminal"]


@frozen
class Theme:
    """Colours by what they are for, as prompt_toolkit and rich read them.

    Attributes:
        typed: styles of what is typed, by class.
        held, missed, failed: readings that meet a comparison, those that do not, and samples that
            were not found.
        quiet: what matters less.
    """

    name: Choice
    typed: Mapping[str, str]
    held: str
    missed: str
    failed: str
    quiet: str


def _theme(
    name: Choice, blue: str, purple: str, cyan: str, green: str, amber: str, red: str, grey: str
) -> Theme:
    typed = {
        "statement": f"bold {blue}",
        "clause": blue,
        "logic": purple,
        "attribute": cyan,
        "definition": green,
        "number": amber,
        "string": amber,
        "comment": f"italic {grey}",
        "command": "bold",
        "prompt": f"bold {blue}",
    }
    return Theme(name, typed, green, amber, red, grey)


DARK = _theme("dark", "#8ab4ff", "#e3a0ff", "#6fd7e5", "#8fdc8f", "#f0c674", "#ff8f85", "#a8a8a8")
LIGHT = _theme("light", "#0b4fb3", "#8a1fa8", "#00606f", "#1b641b", "#7a5000", "#b3261e", "#5a5f64")
# Its names are prompt_toolkit's; rich calls the same colours otherwise.
_PALETTE = {
    "statement": "bold ansibrightblue",
    "clause": "ansibrightblue",
    "logic": "ansimagenta",
    "attribute": "ansicyan",
    "definition": "ansigreen",
    "number": "ansiyellow",
    "string": "ansiyellow",
    "comment": "ansibrightblack italic",
    "command": "bold",
    "prompt": "bold ansibrightblue",
}
TERMINAL = Theme("terminal", _PALETTE, "green", "yellow", "red", "dim")
THEMES: Mapping[str, Theme] = {theme.name: theme for theme in (DARK, LIGHT, TERMINAL)}

# Of the 16 colours of terminals, those that are light.
_LIGHT_NUMBERS = frozenset({"7", *map(str, range(9, 16))})


def theme_for(environment: Mapping[str, str], background: Colour | None) -> Theme:
    """Return the theme by the environment's wish, the terminal's background, or its COLORFGBG."""
    wish = environment.get(SETTING)
    if wish:
        if wish not in THEMES:
            raise UsageError(f"{SETTING} is one of {', '.join(THEMES)}; {wish!r} is not")
        return THEMES[wish]
    if background is not None:
        return LIGHT if luminance(background) > _MIDDLE else DARK
    number = environment.get("COLORFGBG", "").rpartition(";")[2]
    if number.isdecimal() and int(number) < 16:
        return LIGHT if number in _LIGHT_NUMBERS else DARK
    return TERMINAL


def luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour, 0..1 (WCAG 2)."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Colour, two: Colour) -> float:
    """Return the contrast ratio of two colours, 1..21 (WCAG 2)."""
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


_MIDDLE = 0.1791
"""The luminance with the same contrast to black and to white."""
