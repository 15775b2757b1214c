from __future__ import annotations

from pathlib import Path

import pytest

from lacelang.errors import LaceError, ProgramError, UsageError
from lacelang.repl.saved import program_text
from lacelang.repl.session import Session
from lacelang.semantics.check import check
from lacelang.syntax.render import render_all


def session(*typed: str) -> Session:
    growing = Session()
    for text in typed:
        growing.entries.append(growing.read(text))
    return growing


def complaints(growing: Session, typed: str) -> str:
    with pytest.raises(ProgramError) as caught:
        growing.read(typed)
    return render_all(caught.value.diagnostics)


def groups(growing: Session) -> list[str]:
    return list(growing.known.groups.models)


def statements(growing: Session) -> tuple[object, ...]:
    return tuple(s for entry in growing.entries for s in entry.piece.statements)


def test_names_and_groups_stay() -> None:
    growing = session(
        "let kid = age < 12",
        "def both(a, b) = a and b",
        "sample 2 from ffhq where both(kid, smile=1)",
        "sample 2 from ffhq where kid as kids",
        "sample 2 from ffhq",
    )
    assert groups(growing) == ["sample1", "kids", "sample2"]
    growing.entries.append(growing.read("edit kids { smile = 0 } as calm"))
    assert groups(growing)[-1] == "calm"


def test_a_number_left_out_is_written_out() -> None:
    growing = session('for t in 1, 2 { sample from ffhq where smile=1 temp t as "at {t}" }')
    (entry,) = growing.entries
    assert entry.text.startswith("for t in 1, 2 { sample 4 from")
    assert [s.count for s in entry.piece.statements] == [4, 4]


@pytest.mark.parametrize(
    "typed",
    [
        "glasses=1 and age < 20",
        "not smile=1 seed 3",
        "(smile=1 or age > 60)",
        "yaw in -5..5",
        "glasses=1 and\n  smile=0",
    ],
)
def test_a_bare_condition_is_short_for_a_sample(typed: str) -> None:
    growing = session(typed)
    (entry,) = growing.entries
    assert entry.text == f"sample 4 from ffhq where {typed}"
    assert groups(growing) == ["sample1"]


def test_a_bare_condition_is_of_the_model_in_use() -> None:
    growing = session(
        'model own { generator mobilestylegan from "a==1" sha256 "%s" '
        'classifiers "own.safetensors" on w attribute hat : binary }' % ("0" * 64),
        "hat=1",
    )
    assert growing.entries[-1].text == "sample 4 from own where hat=1"


def test_a_faulty_line_is_said_where_it_was_typed_and_not_added() -> None:
    growing = session("let kid = age < 12")
    assert complaints(growing, "kid and glases=1") == (
        "input:1:9: error LACE102: ffhq has no attribute `glases`\n"
        "  1 | kid and glases=1\n"
        "    |         ^^^^^^\n"
        "  hint: did you mean `glasses`?"
    )
    assert "input:2:9" in complaints(growing, "sample from ffhq\n  where glases=1")
    assert len(growing.entries) == 1
    assert groups(growing) == []


def test_an_unknown_name_and_a_group_twice_are_wrong_as_in_a_file() -> None:
    growing = session("sample 2 from ffhq as kids")
    assert "LACE103" in complaints(growing, "kid")
    assert "LACE111" in complaints(growing, "sample 2 from ffhq as kids")
    assert "LACE108" in complaints(growing, "edit men { smile = 0 }")


def test_a_definition_is_checked_against_the_model_in_use() -> None:
    assert "LACE104" in complaints(session(), "let man = gender=mael")


def test_a_definition_may_be_replaced_and_what_stands_keeps_its_meaning() -> None:
    growing = session("let kid = age < 12", "let happy_kid = kid and smile=1")
    entry = growing.read("let kid = age < 6")
    assert growing.older_uses(entry) == ("happy_kid",)
    growing.entries.append(entry)
    growing.entries.append(growing.read("kid"))
    growing.entries.append(growing.read("happy_kid"))
    young, happy = (e.piece.statements[0].where for e in growing.entries[-2:])
    assert young is not None
    assert happy is not None
    assert young.bound == 6
    assert happy.terms[0].bound == 12


def test_twice_in_one_entry_is_still_wrong() -> None:
    assert "LACE110" in complaints(session(), "let a = smile=1 let a = smile=0")


def test_a_definition_of_an_imported_name_stands_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "people.lace"
    file.write_text("let kid = age < 12\n")
    growing = Session(tmp_path)
    for typed in ('import "people.lace"', "let kid = age < 6", 'import "people.lace"', "kid"):
        growing.entries.append(growing.read(typed))
    assert growing.entries[-1].piece.statements[0].where.bound == 6


def test_an_imported_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "people.lace"
    file.write_text("let kid = aged < 12\n")
    growing = Session(tmp_path)
    growing.entries.append(growing.read('import "people.lace"'))
    assert "LACE102" in complaints(growing, "kid")
    file.write_text("let kid = age  < 12 \n")
    growing.entries.append(growing.read('import "people.lace"'))
    growing.read("kid")


def test_undo_takes_back_names_and_groups() -> None:
    growing = session("let kid = age < 12", "let kid = age < 6", "kid")
    growing.undo()
    assert groups(growing) == []
    growing.undo()
    assert growing.read("kid").piece.statements[0].where.bound == 12
    growing.undo()
    with pytest.raises(UsageError, match="nothing to undo"):
        growing.undo()


def test_again_is_the_next_seed() -> None:
    growing = session("sample 2 from ffhq where smile=1 as kids  # mine")
    growing.entries.append(growing.read(growing.again()))
    assert growing.entries[-1].text == "sample 2 from ffhq where smile=1 as kids_2 seed 1"
    assert growing.again() == "sample 2 from ffhq where smile=1 as kids_3 seed 2"
    assert session("smile=1 seed 7").again() == "sample 4 from ffhq where smile=1 seed 8"


def test_again_needs_a_sample() -> None:
    with pytest.raises(UsageError, match="nothing to sample"):
        session("let a = smile=1").again()
    with pytest.raises(UsageError, match="loop"):
        session('for t in 1, 2 { sample 1 from ffhq as "{t}" }').again()


@pytest.mark.parametrize(
    ("typed", "complete"),
    [
        ("sample 4 from ffhq", True),
        ("sample 4 from", False),
        ("sample 4 from ffhq where smile=1 and", False),
        ("sample 4 from ffhq where (smile=1", False),
        ("edit kids {", False),
        ("edit kids { smile = 0", False),
        ("edit kids { smile = 0 }", True),
        ("for t in 1, 2 {", False),
        ("glasses=1", True),
        ("glasses=1 and", False),
        ("not", False),
        ("let a =", False),
        ("sampel 4 from ffhq", True),
        ("sample 4 form ffhq", True),
        ('sample from ffhq as "kids', True),
    ],
)
def test_when_a_statement_is_whole(typed: str, complete: bool) -> None:
    assert Session().outlook(typed).complete == complete


def test_an_edit_runs_after_what_it_begins_from() -> None:
    growing = session("smile=1", "sample 2 from ffhq as men", "edit men { smile = 0 } as calm")
    entry = growing.read("edit calm { yaw = left }")
    program = growing.program(entry)
    assert program.groups == ("men", "calm", "edit1")


# Saving


def saved(growing: Session, path: Path = Path("session.lace")) -> str:
    return program_text(growing.entries, path)


def test_the_saved_program_means_the_same() -> None:
    growing = session(
        "let kid = age < 12",
        "sample from ffhq where kid  # the first",
        "let kid = age < 6",
        "kid and smile=1",
    )
    text = saved(growing)
    assert text == (
        "let kid_1 = age < 12\n"
        "sample 4 from ffhq where kid_1  # the first\n"
        "let kid = age < 6\n"
        "sample 4 from ffhq where kid and smile=1\n"
    )
    assert check(text).statements == statements(growing)


def test_a_replaced_definition_that_nothing_used_is_left_out() -> None:
    growing = session("let kid = age < 12", "let kid = age < 6", "kid")
    assert saved(growing) == "let kid = age < 6\nsample 4 from ffhq where kid\n"


def test_replaced_numbers_are_followed_into_names() -> None:
    growing = session(
        "let t = 2",
        'sample 2 from ffhq where smile=1 temp t as "at {t}"',
        "let t = 1",
        'sample 2 from ffhq where smile=1 temp t as "at {t}"',
    )
    assert check(saved(growing)).statements == statements(growing)


def test_parameters_and_loop_variables_are_not_renamed() -> None:
    growing = session(
        "let a = smile=1",
        "def both(a, b) = a and b",
        "both(a, glasses=1)",
        "let a = smile=0",
        "a",
    )
    text = saved(growing)
    assert "def both(a, b) = a and b" in text
    assert "both(a_1, glasses=1)" in text


def test_imports_are_found_from_where_the_program_is_saved(tmp_path: Path) -> None:
    (tmp_path / "people.lace").write_text("let kid = age < 12\n")
    growing = Session(tmp_path)
    for typed in ('import "people.lace"', "kid"):
        growing.entries.append(growing.read(typed))
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "saved.lace"
    text = program_text(growing.entries, path, tmp_path)
    assert 'import "../people.lace"' in text
    assert check(text, path, root=tmp_path).statements == statements(growing)


def test_nothing_is_nothing_to_save() -> None:
    with pytest.raises(LaceError, match="nothing to save"):
        saved(Session())


def test_a_long_session_costs_no_more_for_its_length() -> None:
    growing = Session()
    for number in range(300):
        growing.entries.append(growing.read(f"let kid_{number} = age < {number % 60 + 5}"))
    growing.entries.append(growing.read("kid_299 and kid_0"))
    assert len(growing.known.own) == 300
    assert saved(growing).count("\n") == 301
