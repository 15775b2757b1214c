"""A change that is offered for a diagnostic does what its hint says."""

from __future__ import annotations

from pathlib import Path

import pytest

from lacelang.errors import Diagnostic
from lacelang.language.actions import actions, fix_all
from lacelang.language.changes import applied
from lacelang.language.document import Document, diagnostics

FOLDER = Path(__file__).resolve().parents[1] / "bad"
PROGRAMS = sorted(FOLDER.glob("*.lace"))

SHOWS = {
    ("colons_and_equals_signs", "LACE013", "LACE401"),
    ("hidden_characters", "LACE001", "LACE114"),
    ("names_of_several_words", "LACE003", "LACE108"),
    ("percentages", "LACE003", "LACE205"),
    ("quotes_and_no_quotes", "LACE003", "LACE406"),
    ("strange_characters", "LACE001", "LACE011"),
    ("value_or_condition", "LACE118", "LACE209"),
}
"""What could not be seen before a change was made: the program, what is mended, what shows then."""


def _key(one: Diagnostic) -> tuple[str, str]:
    return one.code, one.message


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_applying_a_change_removes_its_diagnostic(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    name = Path(path.name)
    document = Document(path.read_text(encoding="utf-8"), name)
    before = diagnostics(document)
    # Those of one kind in a program that goes on for long are mended alike.
    fixable = {(*_key(one), one.span): one for one in before if one.fix}
    for one in list(fixable.values())[:12]:
        after = diagnostics(Document(applied(document.text, one.fix), name))
        same = [other for other in after if _key(other) == _key(one)]
        assert one.span not in [o.span for o in same] or len(same) < _count(before, one), one
        new = {o.code for o in after if o.severity == "error" and not _count(before, o)}
        new -= {shown for stem, code, shown in SHOWS if (stem, code) == (path.stem, one.code)}
        assert new <= {"LACE016"}, (one, new)


def _count(found: tuple[Diagnostic, ...], one: Diagnostic) -> int:
    return sum(_key(other) == _key(one) for other in found)


def offered(text: str, needle: str) -> list[tuple[str, str]]:
    document = Document(text)
    start = text.index(needle)
    span = document.places.span(start, start + len(needle))
    return [(one.title, applied(text, one.changes)) for one in actions(document, span)]


def test_a_hint_is_an_action() -> None:
    text = "sample 4 frm ffhq where glasss=1"
    assert offered(text, "frm") == [
        ("did you mean `from`?", "sample 4 from ffhq where glasss=1"),
        ("do what all hints say", "sample 4 from ffhq where glasses=1"),
    ]
    assert offered("sample 4 from ffhq where age > 60", "age") == []


@pytest.mark.parametrize(
    ("text", "needle", "mended"),
    [
        ("# A comment.\n\nsample from ffhq where grandpa", "grandpa",
         "# A comment.\n\nimport faces\nsample from ffhq where grandpa"),
        ("sample from ffhq where age in 70..60", "70..60", "sample from ffhq where age in 60..70"),
        ("sample from ffhq where yaw='left'", "left", 'sample from ffhq where yaw="left"'),
        ('sample from ffhq where yaw="left"', "left", "sample from ffhq where yaw=left"),
        ("sample from ffhq where smile=yes", "yes", "sample from ffhq where smile=1"),
        ("sample from ffhq where smile=1&&glasses=1", "&&",
         "sample from ffhq where smile=1 and glasses=1"),
        ("let my_ = smile=1 sample from ffhq where my_&&glasses=1", "&&",
         "let my_ = smile=1 sample from ffhq where my_ and glasses=1"),
        ("let café = smile=1 sample from ffhq where cafe\u0301&&glasses=1", "&&",
         "let café = smile=1 sample from ffhq where cafe\u0301 and glasses=1"),
        ("sample from ffhq where (smile=1", "(", "sample from ffhq where (smile=1)"),
        ("sample from ffhq given smile=1", "given", "sample from ffhq where smile=1"),
        ("sample from ffhq where age = 15 deg", "deg", "sample from ffhq where age = 15 years"),
        ("sample from ffhq where front", "front", "sample from ffhq where yaw=front"),
        ("sample 𝔁 from ffhq where glases=1", "glases", "sample 𝔁 from ffhq where glasses=1"),
    ],
)  # fmt: skip
def test_what_is_written(text: str, needle: str, mended: str) -> None:
    assert offered(text, needle)[0][1] == mended


def test_what_a_loop_or_a_definition_puts_there_is_left_alone() -> None:
    # `who` is right where it stands; what is wrong is one of the loop's values.
    loop = 'for who in lef, right { sample from ffhq where yaw=who as "{who}" }'
    assert offered(loop, "=who") == []
    # The word in question stands in another file.
    assert offered("import faces\nsample from digits where grandpa", "grandpa") == []


def test_what_is_wrong_in_another_file_is_not_mended_in_this_one(tmp_path: Path) -> None:
    (tmp_path / "old.lace").write_text("let old = age > 60 adn smile=1\n", encoding="utf-8")
    document = Document('import "old.lace"\nsample from ffhq where old', tmp_path / "main.lace")
    (one,) = diagnostics(document)
    assert one.message.startswith("in old.lace: ")
    assert one.hint == "did you mean `and`?"
    assert one.fix == ()
    assert fix_all(document) is None


def test_all_at_once() -> None:
    document = Document(
        "sample 4 frm ffhq where smile=1\n"
        "sample 4 from ffhq where glases=1 and yaw=frnt and grandpa"
    )
    action = fix_all(document)
    assert action is not None
    text = applied(document.text, action.changes)
    assert text == (
        "import faces\nsample 4 from ffhq where smile=1\n"
        "sample 4 from ffhq where glasses=1 and yaw=front and grandpa"
    )
    assert fix_all(Document(text)) is None
