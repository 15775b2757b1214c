"""Names are identifiers of Unicode in NFC, in every script; what is none is complained of once."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lace_programs import larks_own
from written_names import BAD_WORDS, WORDS, identifiers, names_in_two_spellings, spellings

from lacelang.syntax import nodes
from lacelang.syntax.format import format_source
from lacelang.syntax.parser import parse, read
from lacelang.syntax.render import render
from lacelang.syntax.tokens import tokenize
from lacelang.text.names import ByName, begins_with, is_name, nfc

_FAST = settings(max_examples=150, deadline=None)
_FORMS = ("NFC", "NFD")


def _let(name: str) -> nodes.Let:
    (statement,) = parse(f"let {name} = age > 60").statements
    assert isinstance(statement, nodes.Let)
    return statement


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize("word", WORDS)
def test_words_of_all_scripts_are_names(word: str, form: str) -> None:
    spelled = unicodedata.normalize(form, word)
    assert is_name(spelled)
    let = _let(spelled)
    assert let.name.name == unicodedata.normalize("NFC", word)
    # The span is that of what was written.
    assert (let.name.span.column, let.name.span.end_column) == (5, 5 + len(spelled))


def test_the_grammar_alone_takes_them_too() -> None:
    lets = [f"let {unicodedata.normalize(f, w)} = age > 60" for w in WORDS for f in _FORMS]
    assert len(larks_own().parse("\n".join(lets)).children) == len(lets)


@_FAST
@given(names_in_two_spellings())
def test_random_identifiers_are_names_under_every_spelling(pair: tuple[str, str]) -> None:
    first, second = pair
    assert _let(first) == _let(second)
    assert nfc(first) == nfc(second)


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize(("word", "character"), BAD_WORDS.items())
def test_a_bad_name_is_complained_of_once(word: str, character: str, form: str) -> None:
    spelled = unicodedata.normalize(form, word)
    assert not is_name(spelled)
    parsed = read(f"let {spelled} = age > 60\nsample from ffhq where smile=1")
    (problem,) = parsed.problems
    assert problem.code == "LACE001"
    assert (problem.span.column, problem.span.end_column) == (5, 5 + len(spelled))
    assert problem.hint is not None
    assert character in problem.hint
    assert f"U+{ord(unicodedata.lookup(character)):04X}" in problem.hint
    assert len(parsed.program.statements) == 2


# What may be taken for a name: no operator, no space, and no sign of punctuation.
_MEANT = st.characters(
    categories=["L", "M", "N"], include_characters="_\u200b\u200c\u200d\u2060\u00b7"
)


@_FAST
@given(st.characters(categories=["L"]), st.text(_MEANT, max_size=6))
def test_anything_that_may_be_meant_as_a_name_is_one_or_gets_one_diagnostic(
    first: str, rest: str
) -> None:
    name = f"{first}{rest}é"
    taken = tokenize(f"let {name} = 1")
    assert len(taken.problems) == (0 if is_name(name) else 1)
    assert [token.type for token in taken.tokens] == ["LET", "NAME", "EQUAL", "NUMBER"]
    assert is_name(taken.tokens[1])


def test_an_unseen_character_leaves_words_of_the_language_what_they_are() -> None:
    parsed = read("sample\u200b 4 from ffhq")
    assert [problem.code for problem in parsed.problems] == ["LACE001"]
    assert isinstance(parsed.program.statements[0], nodes.Sample)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sample ４ from ffhq", "`４` has no meaning here"),
        ("sample ३ from ffhq", "`३` has no meaning here"),
        ("sample 4 from ffhq where smile=1 ❤️", "`❤️` has no meaning here"),
        ("sample 4 from ffhq where smile=1 ٪", "`٪` has no meaning here"),
        ("sample 4 from ffhq where smile=1\u0301", "`\u0301` has no meaning here"),
    ],
)
def test_what_is_no_name_is_no_bad_name_either(text: str, said: str) -> None:
    assert [problem.message for problem in read(text).problems] == [said]


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\ufeff", "\u1680"])
def test_unusual_spaces_part_names(space: str) -> None:
    assert [str(t) for t in tokenize(f"let{space}é{space}=1").tokens] == ["let", "é", "=", "1"]


# Formatting


@_FAST
@given(names_in_two_spellings(), st.data())
def test_names_are_laid_out_in_nfc_and_texts_left_alone(
    pair: tuple[str, str], data: st.DataObject
) -> None:
    name, other = pair
    text = data.draw(spellings(name))
    source = f'let {name}=age>60\nsample from ffhq where {other} as "{text}!"  # {text}\n'
    formatted = format_source(source)
    assert formatted == (
        f'let {nfc(name)} = age > 60\nsample from ffhq where {nfc(name)} as "{text}!"  # {text}\n'
    )
    assert parse(formatted) == parse(source)
    assert format_source(formatted) == formatted


# Places


def _carets(name: str) -> str:
    """The carets under what follows a name."""
    (problem,) = read(f"let {name} = age²").problems
    _, line, carets, *_ = render(problem).split("\n")
    assert name in line
    return carets.removeprefix("    | ")


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        (unicodedata.normalize("NFC", "né"), 2),
        (unicodedata.normalize("NFD", "né"), 2),
        (unicodedata.normalize("NFC", "한국"), 4),
        (unicodedata.normalize("NFD", "한국"), 4),
        ("日本", 4),
        ("می\u200cخواهم", 7),
        ("ผู้", 1),
        ("𝒳", 1),
        ("𠀀", 2),
    ],
)
def test_what_follows_a_name_has_its_carets_below_it(name: str, columns: int) -> None:
    assert _carets(name) == " " * (len("let ") + columns + len(" = ")) + "^^^^"


# Lookup


@_FAST
@given(identifiers(), st.data())
def test_a_table_by_names_finds_any_spelling(name: str, data: st.DataObject) -> None:
    table = ByName({nfc(name): 1})
    spelled = data.draw(spellings(name))
    assert spelled in table
    assert table[spelled] == table.get(spelled) == 1
    assert list(table) == [nfc(name)]
    assert table.get(f"{spelled}x") is None
    with pytest.raises(KeyError):
        table[f"{spelled}x"]


def test_who_types_a_letter_may_be_typing_its_accent() -> None:
    assert begins_with("été", "e")
    assert begins_with("각도", "가")
    assert begins_with("été", unicodedata.normalize("NFD", "ét"))
    assert not begins_with("ete", "é")


@pytest.mark.parametrize(
    "name",
    [
        "a" + "\u0301\u0323" * 50_000,
        "क्\u200d" * 50_000 + "\u200b",
        "ب\u200c" * 50_000,
        "\u1100\u1161\u11a8" * 50_000,
    ],
)
def test_long_names_are_read_in_time(name: str) -> None:
    start = time.monotonic()
    read(f'let {name} = age > 60\nsample from ffhq as "{name}"')
    assert time.monotonic() - start < 5
