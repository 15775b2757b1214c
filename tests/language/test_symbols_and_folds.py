"""Symbols, folds, tokens, signatures and layout of a document."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacelang.language.changes import applied
from lacelang.language.document import Document, diagnostics
from lacelang.language.folding import Fold, folds
from lacelang.language.formatting import formatted
from lacelang.language.highlighting import colored
from lacelang.language.positions import Text, units
from lacelang.language.semantic_tokens import MODIFIERS, TYPES, semantic_tokens
from lacelang.language.signatures import signature
from lacelang.language.symbols import Symbol, found_symbols, symbols
from lacelang.syntax.format import format_source

PROGRAM = """\
# One.
# Two.
import faces
import logic

let old = age > 60
def both(a, b) = a and b
for who in female, male {
  sample 4 from ffhq
    where both(old, gender=who)
    as "{who}"
}
measure old from ffhq
"""
PIECES = [
    "sample from ffhq where ", "smile=1", " and ", "age > 10 years", "let x = ", "def f(a) = a",
    "edit men { yaw = left }", "for t in 1, 2 { ", "}", "(", '"', "# c", "\n", "\r\n", "\u2028",
    "𝔁", "e\u0301", "=", " as men ", "import faces\n", "with heun(tolerance=1e-3)", "grandpa",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def test_symbols_are_nested() -> None:
    def shape(symbol: Symbol) -> tuple[str, str, int]:
        return symbol.kind, symbol.name, len(symbol.children)

    assert [shape(symbol) for symbol in symbols(Document(PROGRAM))] == [
        ("import", "faces", 0),
        ("import", "logic", 0),
        ("condition", "old", 0),
        ("function", "both", 0),
        ("loop", "who", 1),
        ("measure", "measure", 0),
    ]
    found = found_symbols([Document(PROGRAM)], "bt")
    assert [symbol.name for _, symbol in found] == ["both"]


def test_folds() -> None:
    assert set(folds(Document(PROGRAM))) == {
        Fold(1, 2, "comment"),
        Fold(3, 4, "imports"),
        Fold(8, 12),
        Fold(8, 11),
        Fold(9, 11),
    }


def test_tokens_say_what_names_are() -> None:
    text = "import faces\nlet old = grandpa\nsample from ffhq where yaw=left and old"
    found = {text[t.start : t.end]: (t.type, t.modifiers) for t in semantic_tokens(Document(text))}
    assert found["grandpa"] == ("function", ("defaultLibrary",))
    assert found["yaw"] == ("property", ("defaultLibrary",))
    assert found["left"] == ("enumMember", ("defaultLibrary",))
    assert found["sample"] == ("keyword", ())
    assert found["ffhq"][0] == "class"
    first = next(t for t in semantic_tokens(Document(text)) if text[t.start : t.end] == "old")
    assert first.modifiers == ("declaration",)


@settings(max_examples=25, deadline=None)
@given(TEXTS)
def test_any_text_has_tokens_that_never_overlap(text: str) -> None:
    document = Document(text)
    end = 0
    for token in semantic_tokens(document):
        assert end <= token.start < token.end <= len(text)
        assert token.type in TYPES
        assert set(token.modifiers) <= set(MODIFIERS)
        assert not set("\n\r") & set(text[token.start : token.end])
        end = token.end
    # What has a colour by its kind alone has one by its meaning.
    plain = {(c.start, c.end) for c in colored(text) if c.kind in ("number", "string", "comment")}
    assert plain <= {(t.start, t.end) for t in semantic_tokens(document)}


@settings(max_examples=25, deadline=None)
@given(TEXTS, st.integers(0, 200), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_any_place_survives_being_counted_otherwise(text: str, at: int, encoding: str) -> None:
    places, at = Text(text), min(at, len(text))
    if text[at - 1 : at + 1] == "\r\n":
        return  # a place within the end of a line is none in an editor
    line, character = places.in_editor(at, encoding)
    assert places.from_editor(line, character, encoding) == at
    assert places.offset(places.position(at)) == at
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    assert character == units(text[start:at], encoding)


def test_a_place_amid_a_character_is_that_of_the_character() -> None:
    assert Text("𝔁y").from_editor(0, 1) == 0
    assert Text("𝔁y").from_editor(0, 2) == 1
    assert Text("ab").from_editor(5, 0) == 2
    assert Text("ab\nc").from_editor(0, 99) == 2


@pytest.mark.parametrize(
    ("text", "label", "active"),
    [
        ("def both(a, b) = a and b\nsample from ffhq where both(|", "both(a, b)", "a"),
        ("def both(a, b) = a and b\nsample from ffhq where both(smile=1, |", "both(a, b)", "b"),
        ("def f(x) = x\nsample from ffhq where f((age > 1 and |", None, None),
        ("sample from ffhq with langevin(step|", "langevin(", None),
        ("sample from ffhq with heun(max_steps=|", "heun(tolerance=", "max_steps=1000"),
        ("sample from ffhq where (|", None, None),
    ],
)
def test_signatures(text: str, label: str | None, active: str | None) -> None:
    at = text.index("|")
    document = Document(text.replace("|", ""))
    found = signature(document, document.places.position(at))
    if label is None:
        assert found is None
        return
    assert found is not None
    assert found.label.startswith(label)
    if active is not None:
        parameter = found.parameters[found.active]
        assert found.label[parameter.start : parameter.end] == active


@pytest.mark.parametrize(
    "text",
    [PROGRAM, "sample   from ffhq", "let a=age>1\n\n\n\nlet b = a", PROGRAM + "let  x=1\r\n"],
)
def test_layout_is_that_of_the_formatter(text: str) -> None:
    change = formatted(Document(text))
    assert applied(text, [] if change is None else [change]) == format_source(text)


def test_what_cannot_be_read_is_left_as_it_is() -> None:
    assert formatted(Document("sample   (")) is None


def test_an_error_of_an_import_is_said_at_the_import(tmp_path: Path) -> None:
    (tmp_path / "inner.lace").write_text("let a = age > > 1\n", "utf-8")
    (tmp_path / "outer.lace").write_text('import "inner.lace"\nlet b = smile=1\n', "utf-8")
    document = Document('import "outer.lace"\nsample from ffhq where b', tmp_path / "main.lace")
    (one,) = diagnostics(document)
    assert (one.span.line, one.message.partition(":")[0]) == (1, "in inner.lace")
