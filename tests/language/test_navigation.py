"""Where names are declared and used, and what renaming does to a program."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacelang.errors import UsageError
from lacelang.language.changes import applied
from lacelang.language.document import Document
from lacelang.language.names import names
from lacelang.language.navigation import RENAMED, definition, references, rename
from lacelang.resources import shipped
from lacelang.semantics.check import check
from lacelang.text.names import nfc

PROGRAM = """\
import faces
let old = grandpa or age > 60
def both(a, b) = a and b
for who in female, male {
  sample 4 from ffhq where both(old, gender=who) and yaw=left as "{who}"
}
sample 4 from ffhq where old and not both(smile=1, old) as men
edit men { smile = 0 } as men_2
expect smile=0 in 50% of men_2
pick 0 of men as first
"""
PROGRAMS = sorted((Path(__file__).resolve().parents[2] / "programs").glob("*.lace"))


def place(text: str, needle: str, by: int = 0) -> tuple[str | None, str]:
    """The file that declares what stands at a place, and the declared name as written there."""
    document = Document(text)
    found = definition(document, document.places.position(text.index(needle) + by))
    if found is None:
        return None, ""
    source = text if found.path is None else found.path.read_text("utf-8")
    start, end = Document(source).places.offsets(found.span)
    return found.path and found.path.name, source[start:end] + f"@{found.span.line}"


@pytest.mark.parametrize(
    ("needle", "by", "file", "declared"),
    [
        ("grandpa", 0, "faces.lace", "grandpa@25"),
        ("both(old", 0, None, "both@3"),
        ("old, ", 0, None, "old@2"),
        ("a and b", 0, None, "a@3"),
        ("=who", 1, None, "who@4"),
        ("{who}", 1, None, "who@4"),
        ("yaw", 0, "ffhq.lace", "yaw@19"),
        ("left", 0, "ffhq.lace", "left@19"),
        ("ffhq", 0, "ffhq.lace", "ffhq@8"),
        ("men {", 0, None, "men@7"),
        ("men_2\npick", 0, None, "men_2@8"),
        ("faces", 0, "faces.lace", "@1"),
        ("age >", 0, "ffhq.lace", "age@20"),
    ],
)
def test_where_names_are_declared(needle: str, by: int, file: str | None, declared: str) -> None:
    assert place(PROGRAM, needle, by) == (file, declared)


@pytest.mark.parametrize("needle", ["sample 4", "60", "0.5"])
def test_what_is_no_name_is_declared_nowhere(needle: str) -> None:
    assert place(PROGRAM + "# 0.5", needle) == (None, "")


def test_references_are_those_of_the_same_thing() -> None:
    document = Document(PROGRAM)
    at = document.places.position(PROGRAM.index("old"))
    lines = [each.span.line for each in references(document, at)]
    assert lines == [2, 5, 7, 7]
    # The attribute, wherever a condition names it; not what goes by its name elsewhere.
    other = Document("let smile_1 = smile=1\nsample from ffhq where smile=0 as smile\n")
    at = other.places.position(other.text.index("smile=1"))
    assert len(references(other, at)) == 2


def _renamed(document: Document, offset: int, new: str) -> str:
    (made,) = rename(document, document.places.position(offset), new)
    return applied(document.text, made.changes)


def test_a_group_is_renamed_where_it_is_named() -> None:
    document = Document(PROGRAM)
    text = _renamed(document, PROGRAM.index("men {"), "old men")
    assert text.count('"old men"') == 3
    assert "old men" in {getattr(s, "name", "") for s in check(text).statements}
    assert 'edit "old men" {' in text


@pytest.mark.parametrize(
    ("needle", "new", "why"),
    [
        ("old", "both", "means something else"),
        ("old", "smile!", "cannot be a name"),
        ("old", "sample", "cannot be a name"),
        ("a and", "b", "means something else"),
        ("who in", "left", "means something else"),
        ("grandpa", "x", "standard library"),
        ("yaw", "x", "no name that this program gives"),
        ("4 from", "x", "no name here"),
        ("men {", "men_2", "means something else"),
    ],
)
def test_what_cannot_be_renamed(needle: str, new: str, why: str) -> None:
    text = PROGRAM.replace("a and b", "a and not b")
    document = Document(text)
    with pytest.raises(UsageError, match=why):
        rename(document, document.places.position(text.index(needle)), new)


def test_names_change_in_all_files(tmp_path: Path) -> None:
    (tmp_path / "parts.lace").write_text("let old = age > 60\nlet older = old\n", "utf-8")
    main = Document('import "parts.lace"\nsample from ffhq where old', tmp_path / "main.lace")
    parts = Document((tmp_path / "parts.lace").read_text("utf-8"), tmp_path / "parts.lace")
    made = rename(main, main.places.position(main.text.rindex("old")), "senior", [parts])
    assert {one.path.name: len(one.changes) for one in made if one.path} == {
        "main.lace": 1,
        "parts.lace": 2,
    }
    # A name that the importer has given something else already.
    taken = Document(main.text + "\nlet senior = smile=1", tmp_path / "main.lace")
    with pytest.raises(UsageError, match="means something else"):
        rename(taken, taken.places.position(main.text.rindex("old")), "senior", [parts])


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_a_renamed_program_says_the_same(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PROGRAMS))
    text = data.draw(st.sampled_from([PROGRAM, path.read_text("utf-8")]))
    document = Document(text)
    # The name of a group of a loop is made; no single place gives it.
    own = [
        n
        for n in names(document)
        if n.target.kind in RENAMED and n.target.path is None and n.target.span is not None
    ]
    if not own:
        return
    name = data.draw(st.sampled_from(own))
    start, end = document.places.offsets(name.span)
    offset = data.draw(st.integers(start, end))
    new = data.draw(st.sampled_from(["zz", "größe", "𝔁"]))
    renamed = _renamed(document, offset, new)
    before, after = check(text, path).statements, check(renamed, path).statements
    if name.target.kind == "group":
        assert len(before) == len(after)
        assert new in {getattr(s, "name", "") for s in after}
    else:
        assert before == after
    again = Document(renamed)
    back = _renamed(again, _offset(again, new), name.target.name)
    assert check(back, path).statements == before


def _offset(document: Document, name: str) -> int:
    found = next(n for n in names(document) if n.target.name == nfc(name) and n.defines)
    return document.places.offsets(found.span)[0]


def test_every_name_of_the_standard_library_is_declared_somewhere() -> None:
    for file in shipped("stdlib").glob("*.lace"):
        document = Document(file.read_text("utf-8"), file)
        for name in names(document):
            if name.target.kind not in ("unit", "architecture"):
                assert name.target.span is not None, (file.stem, name)
