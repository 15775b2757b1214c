"""Numbers as text."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 21
"""Digits before the point; a number with more of them keeps its exponent."""


def number_text(value: float) -> str:
    """Return a number as a person writes it, and so that it is read back as that number.

    `1000001` and `0.00001`, where Python has `1e+06` or `1000001.0`, and `1e-05`.
    """
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 10**_LONGEST:
        return str(int(value))
    text = repr(value)
    mantissa, exponent, power = text.partition("e-")
    if not exponent or int(power) > _LONGEST:
        return text.replace("e+", "e")
    sign = "-" * mantissa.startswith("-")
    # Not by a format, which rounds the double itself and not the shortest text that stands for it.
    return f"{sign}0.{'0' * (int(power) - 1)}{mantissa.lstrip('-').replace('.', '')}"


def ranges_text(numbers: Iterable[int]) -> str:
    """Return `0..5, 10`: whole numbers in their order, those that follow one another as ranges."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}..{b}" for a, b in runs)
