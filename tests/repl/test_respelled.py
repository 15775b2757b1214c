"""At the prompt, a name is found in every spelling."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from lacelang.repl.completion import offers
from lacelang.repl.loop import Loop
from lacelang.repl.saved import program_text
from lacelang.repl.session import Session
from lacelang.text.names import nfc


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.fixture
def session() -> Session:
    growing = Session()
    for typed in (
        f"let {nfd('älter')} = age > 60",
        "let बूढ़ा = age > 60",
        f'sample 2 from ffhq as "{nfd("größe")}"',
        'sample 2 from ffhq as "edit"',
    ):
        growing.entries.append(growing.read(typed))
    return growing


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ("ä", "älter"),
        (nfd("ä"), "älter"),
        (nfd("ält"), "älter"),
        ("a", "älter"),
        ("बू", "बूढ़ा"),
        ("बूढ़", "बूढ़ा"),
        (nfd("बूढ़"), "बूढ़ा"),
    ],
)
def test_a_name_is_completed(session: Session, part: str, word: str) -> None:
    found, offered = offers(session, f"sample 2 from ffhq where {part}")
    assert found == part
    assert nfc(word) in [offer.word for offer in offered]


def test_a_name_that_is_there_is_not_offered(session: Session) -> None:
    assert offers(session, f"sample 2 from ffhq where {nfd('älter')}")[1] == []


def test_groups_are_offered_as_they_are_written(session: Session) -> None:
    assert [offer.word for offer in offers(session, "edit ")[1]] == ["größe", '"edit"']


def test_a_redefinition_is_saved_under_a_name_of_its_own(session: Session, tmp_path: Path) -> None:
    for typed in (
        f"let {nfd('né')} = 5",
        f'sample 2 from ffhq where smile=1 as "x {{{nfd("né")}}}"',
        "let né = 6",
        'sample 2 from ffhq where älter as "x {né}"',
    ):
        session.entries.append(session.read(typed))
    text = program_text(session.entries, tmp_path / "p.lace")
    assert 'as "x {né_1}"' in text
    assert 'as "x {né}"' in text


def test_a_group_is_shown_and_explained(
    loop: Loop, sit: Callable[[str], str], model: object
) -> None:
    said = sit(f"sample 1 from ffhq as größe\r:show {nfd('größe')}\r:explain {nfd('größe')}\r")
    assert "there is no group" not in said
    assert said.count("größe: 1 sample") == 3  # explained, too
