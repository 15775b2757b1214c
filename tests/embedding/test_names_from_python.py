"""Names from Python are identifiers of Unicode, too, and compared in NFC."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings

sys.path.append(str(Path(__file__).parents[1] / "syntax"))

from written_names import BAD_WORDS, WORDS, names_in_two_spellings

import lacelang
from lacelang import attr, condition
from lacelang.errors import ProgramError, UsageError
from lacelang.text.names import nfc

_FAST = settings(max_examples=40, deadline=None)


@_FAST
@given(names_in_two_spellings())
def test_a_name_is_the_same_in_every_spelling(pair: tuple[str, str]) -> None:
    one, two = pair
    assert attr(one).name == nfc(two)
    made = attr(one) == two
    assert made == (attr(two) == one) == condition(f"{one}={two}")
    assert hash(made) == hash(attr(two) == one)
    assert attr(one).isin([two, "x"]) == attr(two).isin([one, "x"])
    assert str(made) == f"{nfc(one)}={nfc(one)}"


@_FAST
@given(names_in_two_spellings())
def test_definitions_and_groups(pair: tuple[str, str]) -> None:
    one, two = pair
    program = lacelang.compile(
        f"sample 1 from ffhq where {two} as {two}", definitions={one: attr("smile") == 1}
    )
    assert program.groups == (nfc(one),)
    assert lacelang.sampling("ffhq", name=one).groups == (nfc(two),)
    assert lacelang.sampling("ffhq", name=f"{one} {two}").groups == (f"{nfc(one)} {nfc(one)}",)


def test_one_name_is_defined_once() -> None:
    names = [unicodedata.normalize(form, "größe") for form in ("NFC", "NFD")]
    with pytest.raises(ProgramError, match="LACE110"):
        lacelang.compile("sample from ffhq", definitions=dict.fromkeys(names, 60))


@pytest.mark.parametrize("word", WORDS)
def test_words_of_all_scripts(word: str) -> None:
    assert attr(word).name == unicodedata.normalize("NFC", word)


@pytest.mark.parametrize(("word", "character"), BAD_WORDS.items())
def test_what_is_wrong_with_a_name_is_said(word: str, character: str) -> None:
    with pytest.raises(UsageError, match=character):
        attr(word)
