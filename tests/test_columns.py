"""Columns of a terminal, in scripts whose characters are wide, or stand on one another."""

from __future__ import annotations

import unicodedata

import pytest

from lacelang.text.columns import columns_of, padded

WIDTHS = {
    "age": 3,
    "größe": 5,
    "日本語": 6,
    "한국어": 6,
    "ｓｍ": 4,
    "ผู้": 1,
    "שָׁלוֹם": 4,
    "می\u200cخواهم": 7,
    "𠀀": 2,
    "": 0,
}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(("text", "columns"), WIDTHS.items())
def test_text_is_as_wide_in_every_spelling(text: str, columns: int, form: str) -> None:
    spelled = unicodedata.normalize(form, text)
    assert columns_of(spelled) == columns
    assert columns_of(padded(spelled, 9)) == 9
    assert padded(spelled, 1).rstrip() == spelled
