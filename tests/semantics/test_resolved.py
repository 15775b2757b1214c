"""A program as one text: it means the same where none of its files is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from lacelang import ir
from lacelang.errors import LaceError
from lacelang.semantics.check import check
from lacelang.semantics.resolved import MOST_FORMATTED, resolved_text
from lacelang.syntax.format import format_source


def statements(program: ir.CheckedProgram) -> list[tuple[object, str]]:
    """The statements without the folder of their model's declaration."""
    return [(evolve(s, model=ir.ModelSpec("", "")), s.model.name) for s in program.statements]


def moved(folder: Path, files: dict[str, str]) -> str:
    """Check `files`, the program first, remove them, and check the one text that is left."""
    for name, source in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source)
    path = folder / next(iter(files))
    program = check(path.read_text(), path)
    text = resolved_text(program)
    shutil.rmtree(folder)
    alone = check(text)
    assert statements(alone) == statements(program)
    assert not alone.imports
    assert format_source(text) == text
    assert resolved_text(alone) == text
    return text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "programs"


def test_what_is_used_stands_in_place_of_the_import(folder: Path) -> None:
    text = moved(
        folder,
        {
            "p.lace": 'import faces\nimport "mine.lace"\nsample from ffhq where mine  # so\n',
            "mine.lace": "let mine = glasses=1  # spectacles\nlet other = smile=1\n",
        },
    )
    assert text == "# From mine.\nlet mine = glasses=1\n\nsample from ffhq where mine  # so\n"


def test_the_standard_library_is_written_out_but_for_its_models(folder: Path) -> None:
    text = moved(folder, {"p.lace": "import faces sample from ffhq where grandpa and smile=1"})
    assert "let grandpa = gender=male and senior and haircolor=gray" in text
    assert "let senior = age > 60" in text
    assert "import" not in text
    assert "model" not in text


def test_names_of_different_modules_stay_apart(folder: Path) -> None:
    text = moved(
        folder,
        {
            "p.lace": """
                import "a/a.lace" import "b.lace"
                let common = smile=0
                def both(x, common) = x and common and from_a
                sample from ffhq where both(common, age > 20) or from_b or common
            """,
            "a/a.lace": 'import "../c.lace"\nlet common = age > 30\nlet from_a = common and from_c',
            "b.lace": 'import "d.lace"\nlet from_b = common xor smile=1',
            "c.lace": "let common = yaw > 3\nlet from_c = common",
            "d.lace": "let common = glasses=1",
        },
    )
    assert {"common", "common_2", "common_3", "common_4"} <= set(text.split())


def test_numbers_in_clauses_loops_and_names(folder: Path) -> None:
    moved(
        folder,
        {
            "p.lace": """
                import "n.lace"
                for t in 1, 2, much {
                  sample few from ffhq where old [weight much] temp half seed few truncation half
                    as "at {t} of {few}"
                }
                edit "at 1 of 3" { age = years_ in layers 1..2 } stay half as "then {half}"
                expect old in 50% of "then 0.5"
            """,
            "n.lace": "let few = 3 let half = 0.5 let much = more let more = 7\n"
            "let years_ = 30 years let old = age > years_",
        },
    )


def test_a_parameter_or_a_loop_variable_hides_what_is_imported(folder: Path) -> None:
    moved(
        folder,
        {
            "p.lace": """
                import "n.lace"
                def apart(old) = old and not young
                for few in 4, 5 { sample few from ffhq where apart(smile=1) as "n{few}" }
                sample few from ffhq where old
            """,
            "n.lace": "let few = 2 let old = age > 60 let young = age < 20",
        },
    )


def test_a_word_that_is_a_value_and_a_name(folder: Path) -> None:
    """Behind `haircolor=`, gray is the class; elsewhere it is what the module calls so."""
    moved(
        folder,
        {
            "p.lace": 'import "n.lace" sample from ffhq where silver and dull',
            "n.lace": 'import "m.lace" let gray = glasses=1 let silver = haircolor=gray and gray '
            "let dull = duller",
            "m.lace": "let gray = 0.5 let duller = haircolor=gray and yaw > 3 [weight gray]",
        },
    )


def test_a_model_of_a_file_is_declared_in_the_program(folder: Path) -> None:
    digest = "a" * 64
    declared = f"""
        model tiny {{  # a comment
          generator vae from "weights.safetensors" sha256 "{digest}"
          classifiers "tiny.safetensors" on w
          attribute lit : binary
        }}
        model other {{ generator mobilestylegan from "pack==1.0" sha256 "{digest}" }}
        model unused {{ generator vae from "x.safetensors" sha256 "{digest}" }}
    """
    source = 'import "sub/m.lace"\nsample 2 from tiny where lit=1 sample from other'
    files = {"p.lace": source, "sub/m.lace": declared}
    text = moved(folder, files)
    assert '"sub/weights.safetensors"' in text
    assert '"sub/tiny.safetensors"' in text
    assert '"pack==1.0"' in text
    assert "unused" not in text


def test_modules_that_are_imported_twice_stand_there_once(folder: Path) -> None:
    text = moved(
        folder,
        {
            "p.lace": 'import "a.lace" import "b.lace" import "c.lace"\n'
            "sample from ffhq where x and y and z",
            "a.lace": 'import "c.lace" let x = z',
            "b.lace": 'import "c.lace" let y = not z',
            "c.lace": "let z = smile=1",
        },
    )
    assert text.count("let z") == 1


def test_an_import_that_nothing_needs_is_gone(folder: Path) -> None:
    text = moved(folder, {"p.lace": "# top\nimport logic  # unused\nsample from ffhq"})
    assert text == "# top\n# unused\nsample from ffhq\n"


def test_a_program_without_imports_is_formatted_alone() -> None:
    assert resolved_text(check("sample   from ffhq")) == "sample from ffhq\n"


def test_a_very_long_program_is_left_as_it_is_written() -> None:
    source = f"# {'x' * MOST_FORMATTED}\nsample    from ffhq\n"
    assert resolved_text(check(source)) == source


def test_a_byte_order_mark_and_line_ends_of_others(folder: Path) -> None:
    files = {"p.lace": '\ufeffimport "n.lace"\r\nsample from ffhq\r\n  where old\r\n'}
    moved(folder, files | {"n.lace": "\ufefflet old =\r\n  age > 60\r\n"})


def test_what_cannot_be_read_is_an_error_in_words() -> None:
    broken = ir.CheckedProgram((), source="sample from from")
    with pytest.raises(LaceError):
        resolved_text(broken)


NAMES = ("smile_", "common", "old", "gray", "left", "a", "x2")


@st.composite
def modules(draw: st.DrawFn) -> dict[str, str]:
    """A program and files that it imports, one or more beside or behind another."""
    count = draw(st.integers(1, 4))
    files: dict[str, str] = {}
    defined: dict[int, list[str]] = {}
    for number in reversed(range(count)):
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
        below = range(number + 1, count)
        imported = draw(st.lists(st.sampled_from(below), unique=True)) if below else []
        lines, known = [], []
        for other in imported:
            if not set(defined[other]) & set(known):
                lines.append(f'import "m{other}.lace"')
                known += defined[other]
        usable = [name for name in known if name not in names]
        for name in names:
            parts = draw(st.lists(st.sampled_from(["glasses=1", "smile=0", "age > 30", *usable])))
            lines.append(f"let {name} = {' and '.join(['yaw > 1', *dict.fromkeys(parts)])}")
            usable.append(name)
        if number == 0:
            chosen = draw(st.lists(st.sampled_from(usable), min_size=1, max_size=3))
            lines.append(f"sample from ffhq where {' or '.join(chosen)}")
        files[f"m{number}.lace"] = "\n".join(lines)
        defined[number] = names
    return dict(reversed(files.items()))


@settings(max_examples=40, deadline=None)
@given(files=modules())
def test_any_modules_mean_the_same_in_one_text(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    moved(tmp_path_factory.mktemp("m") / "programs", files)
