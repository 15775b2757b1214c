"""A program piece by piece: what one piece knows of those before it, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lacelang import ir
from lacelang.errors import Diagnostic, ProgramError
from lacelang.semantics.check import Known, Piece, check_piece, nothing_known

KNOWN = nothing_known()


def after(*sources: str, known: Known = KNOWN) -> Known:
    for source in sources:
        known = check_piece(source, known).known
    return known


def names(piece: Piece) -> list[str | None]:
    return [getattr(statement, "name", None) for statement in piece.statements]


def wrong(source: str, known: Known) -> list[Diagnostic]:
    with pytest.raises(ProgramError) as caught:
        check_piece(source, known)
    return list(caught.value.diagnostics)


def test_a_piece_leaves_what_was_known_before_it() -> None:
    """So going back to a state is keeping it: one piece is tried twice from the same one."""
    before = after("sample from ffhq as men")
    for _ in range(2):
        piece = check_piece('let a = smile=1 sample from ffhq as "kids" sample from ffhq', before)
        assert names(piece) == ["kids", "sample1"]
        assert list(piece.known.groups.models) == ["men", "kids", "sample1"]
        assert list(piece.known.definitions) == ["a"]
    assert list(before.groups.models) == ["men"]
    assert not before.definitions
    assert wrong("edit kids { smile=1 }", before)[0].message == "there is no group `kids` so far"


def test_names_that_are_made_up_go_on_and_are_never_given_again() -> None:
    first = check_piece("sample from ffhq sample from ffhq as sample3", KNOWN)
    assert names(first) == ["sample1", "sample3"]
    again = check_piece("sample from ffhq sample from ffhq", first.known)
    assert names(again) == ["sample2", "sample4"]
    assert names(check_piece("sample from ffhq", again.known)) == ["sample5"]
    assert names(check_piece("edit men { smile=1 }", after("sample from ffhq as men"))) == ["edit1"]


def test_a_group_of_an_earlier_piece_is_there_already() -> None:
    known = after("sample from ffhq as Men")
    (found,) = wrong("sample from ffhq as Men", known)
    assert (found.code, found.message) == ("LACE111", "there is a group `Men` already")
    assert found.hint == "give this one another name"
    (found,) = wrong("sample from ffhq as men", known)
    assert found.message == "`men` differs from the group `Men` only in capital letters"
    assert found.hint == ("on some systems their folders are the same; give it another name")


def test_a_definition_takes_the_place_of_an_earlier_one_from_there_on() -> None:
    known = after("let a = smile=1", "let b = a and glasses=1", "let a = smile=0")
    piece = check_piece("sample from ffhq where b as x sample from ffhq where a as y", known)
    texts = [
        s.where.text for s in piece.statements if isinstance(s, ir.SampleStatement) and s.where
    ]
    assert texts == ["smile=1 and glasses=1", "smile=0"]
    assert list(known.own) == ["a", "b"]
    assert known.own["a"].node.span.line == 1
    (found,) = wrong("let c = smile=1 let c = smile=0", known)
    assert (found.code, found.message) == ("LACE110", "`c` is defined twice")
    assert found.hint == "it is in line 1 already"


def test_what_imports_bring_in_is_not_their_own(tmp_path: Path) -> None:
    (tmp_path / "people.lace").write_text("let old = age > 60\nlet young = age < 20\n")
    known = after('import "people.lace" let grandpa = old', known=nothing_known(tmp_path))
    assert list(known.own) == ["grandpa"]
    assert set(known.definitions) == {"old", "young", "grandpa"}
    piece = check_piece("let old = age > 50 sample from ffhq where grandpa or old", known)
    (statement,) = piece.statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    assert statement.where.text == "age > 60 or age > 50"
    assert piece.warnings == ()
    assert list(piece.known.own) == ["grandpa", "old"]


def test_models_that_were_named_once_are_known() -> None:
    assert not KNOWN.models
    known = after("sample from ffhq as men")
    assert list(known.models) == ["ffhq"]
    assert known.models["ffhq"].name == "ffhq"


def test_the_folder_of_the_imports_and_of_their_root(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "people.lace").write_text("let old = age > 60")
    source = 'import "../people.lace"'
    (found,) = wrong(source, nothing_known(tmp_path / "below"))
    assert found.code == "LACE121"
    assert found.path == "input"
    assert found.message == "`../people.lace` lies outside the folder of the program"
    assert found.hint == "import files below it, or name a folder above both as the root"
    assert "old" in after(source, known=nothing_known(tmp_path / "below", tmp_path)).definitions
