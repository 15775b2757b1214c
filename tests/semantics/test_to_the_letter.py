"""What is said of single mistakes, word for word, where no program of tests/bad has them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lacelang import ir
from lacelang.errors import Diagnostic, ProgramError
from lacelang.semantics.check import check
from lacelang.semantics.context import nearest
from lacelang.semantics.modules import library_files, library_homes, library_models
from lacelang.storage.records import GroupRecord, ProgramRecord, RunRecord, write_index


def said(source: str, path: Path | None = None) -> Diagnostic:
    with pytest.raises(ProgramError) as caught:
        check(source, path)
    assert len(caught.value.diagnostics) == 1, caught.value.diagnostics
    return caught.value.diagnostics[0]


FOLDER = "a folder will have this name"
NAMED: list[tuple[str, str, str, str | None]] = [
    ('sample from ffhq as "a\tb"', "LACE112", "`\\t` cannot be in a group's name", FOLDER),
    ('sample from ffhq as "a:b"', "LACE112", "`:` cannot be in a group's name", FOLDER),
    ('sample from ffhq as "  "', "LACE112", "a group's name cannot be empty", None),
    (
        'sample from ffhq as "a."',
        "LACE112",
        "a group's name neither begins nor ends with a space or a dot",
        FOLDER,
    ),
    (
        f'sample from ffhq as "{"x" * 101}"',
        "LACE112",
        "a name of 101 characters; at most 100 are allowed",
        None,
    ),
    (
        'sample from ffhq as "Com1.txt"',
        "LACE112",
        "`Com1.txt` cannot be the name of a group",
        f"{FOLDER}; choose another one",
    ),
    (
        "sample from ffhq as a sample from ffhq as A",
        "LACE111",
        "`A` differs from the group `a` only in capital letters",
        "on some systems their folders are the same; give it another name",
    ),
    (
        "for t in 1, 2 { sample from ffhq temp t as x }",
        "LACE111",
        "there is a group `x` already",
        'inside `for`, put the loop variable in: `as "… {t}"`',
    ),
    (
        'for t in 1 { for s in 1, 2 { sample from ffhq temp t seed s as "x {t}" } }',
        "LACE111",
        "there is a group `x 1` already",
        'inside `for`, put the loop variable in: `as "… {s}"`',
    ),
    (
        'for t in 1, 1 { sample from ffhq as "x {t}" }',
        "LACE111",
        "there is a group `x 1` already",
        "give this one another name",
    ),
    (
        'let old = age > 60 sample from ffhq where old as "{old}"',
        "LACE113",
        "`old` is a condition, and cannot be part of a name",
        "only a loop variable or a number defined by `let` can stand there",
    ),
    (
        'for temps in 1, 2 { sample from ffhq as "{temp}" }',
        "LACE113",
        "`{temp}` is not defined here",
        "did you mean `temps`?",
    ),
    (
        'for t in 1, 2 { sample from ffhq as "{number}" }',
        "LACE113",
        "`{number}` is not defined here",
        "it may be t",
    ),
    (
        'sample from ffhq as "a}"',
        "LACE113",
        "a brace in a name is never closed, or never opened",
        "braces hold a loop variable: `{t}`",
    ),
    (
        "edit men { smile=1 }",
        "LACE108",
        "there is no group `men` so far",
        "a `sample … as NAME` above it makes one",
    ),
    (
        "sample from ffhq where haircolor = each {black: 10001, blond}",
        "LACE220",
        "a weight of `each` is too large or small",
        "it is from 0.0001 to 10000",
    ),
    (
        "sample from ffhq where haircolor = each {black: 9999, blond: 2}",
        "LACE220",
        "these weights add up to 10001 in lowest terms",
        "round them: at most 10000 keeps proportions exact",
    ),
]


@pytest.mark.parametrize("case", range(len(NAMED)))
def test_what_is_said(case: int) -> None:
    source, code, message, hint = NAMED[case]
    found = said(source)
    assert (found.code, found.message, found.hint) == (code, message, hint)


def test_values_of_loops_stand_in_names_as_they_are_written() -> None:
    source = """
    let half = 0.50
    for t in 1.0, half, 20 years { for side in left, right {
      sample from ffhq where yaw=side as "{ t } {side} {half}"
    } }
    """
    names = [s.name for s in check(source).statements if isinstance(s, ir.SampleStatement)]
    assert names == [
        f"{t} {side} 0.50" for t in ("1.0", "0.50", "20") for side in ("left", "right")
    ]


WEIGHTS = {
    "{black, blond, gray}": (1, 1, 1),
    "{black: 1, blond, gray: 1.0}": (1, 1, 1),
    "{black: 2, blond: 4, gray: 6}": (1, 2, 3),
    "{black: 0.5, blond, gray: 0.25}": (2, 4, 1),
    "{black: 50, blond: 25, gray: 25}": (2, 1, 1),
    "{black: 0.0001, blond: 0.9998, gray: 0.0001}": (1, 9998, 1),
    "{black: 9998, blond, gray}": (9998, 1, 1),
    "{black: 10000, blond: 10000, gray: 1e4}": (1, 1, 1),
}


@pytest.mark.parametrize("choices", WEIGHTS)
def test_weights_are_whole_numbers_in_lowest_terms(choices: str) -> None:
    (statement,) = check(f"sample from ffhq where haircolor = each {choices}").statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    (drawn,) = ir.drawn(statement.where)
    assert isinstance(drawn, ir.DrawnClass)
    values = [drawn.attribute.values.index(name) for name in ("black", "blond", "gray")]
    assert drawn.choices == tuple(zip(values, WEIGHTS[choices], strict=True))


@pytest.mark.parametrize(
    ("loop", "seeds"),
    [
        ("1..4", [1, 2, 3, 4]),
        ("7..7", [7]),
        ("3, 5..6, 1", [3, 5, 6, 1]),
        ("0..1, 8..9", [0, 1, 8, 9]),
    ],
)
def test_ranges_of_loops_have_both_ends(loop: str, seeds: list[int]) -> None:
    program = check(f"for s in {loop} {{ sample from ffhq seed s }}")
    found = [s.seed for s in program.statements if isinstance(s, ir.SampleStatement)]
    assert found == seeds


def test_ranges_may_end_at_defined_and_negative_numbers() -> None:
    program = check("let n = 1\nfor s in -1..n { sample from ffhq where yaw > s }")
    wheres = [s.where for s in program.statements if isinstance(s, ir.SampleStatement)]
    assert [where.text for where in wheres if where] == ["yaw > -1", "yaw > 0", "yaw > 1"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "old.lace").write_text("let old = age > 60")
    (tmp_path / "notes.txt").write_text("let old = age > 60")
    (tmp_path / "latin.lace").write_bytes(b"let a = \xff")
    (tmp_path / "again.lace").write_text("let old = age > 70")
    (tmp_path / "main.lace").write_text('import "main.lace"')
    return tmp_path


IMPORTS: list[tuple[str, str, str, str | None]] = [
    (
        'import "notes.txt"',
        "LACE114",
        "`notes.txt` is not a program",
        "the names of programs end in .lace",
    ),
    ('import "old"', "LACE114", "there is no file `old`", 'did you mean `"old.lace"`?'),
    (
        'import "faces.lace"',
        "LACE114",
        "there is no file `faces.lace`",
        "for the one of the standard library, write `import faces`",
    ),
    (
        'import "faces"',
        "LACE114",
        "there is no file `faces`",
        "for the one of the standard library, write `import faces`",
    ),
    (
        'import "nothing.lace"',
        "LACE114",
        "there is no file `nothing.lace`",
        "the path counts from the folder of this file",
    ),
    ('import "latin.lace"', "LACE114", "latin.lace is not UTF-8 text", "save it as UTF-8"),
    ("import nothing", "LACE114", "the standard library has no module `nothing`", "it has: "),
    ('import "main.lace"', "LACE115", "main imports itself", None),
    (
        'import "old.lace" import "again.lace"',
        "LACE119",
        "`old` is defined by old and by again",
        "import only one of them, or define it here",
    ),
    ("def f(a, a) = a", "LACE110", "`f` has two parameters called `a`", None),
    (
        "let a = b let b = c let c = a",
        "LACE116",
        "these definitions form a cycle: a → b → c → a",
        "a definition may use others only",
    ),
    (
        "let a = a",
        "LACE116",
        "`a` is defined in terms of itself",
        "a definition may use others only",
    ),
]


@pytest.mark.parametrize("case", range(len(IMPORTS)))
def test_what_is_said_of_imports_and_definitions(home: Path, case: int) -> None:
    source, code, message, hint = IMPORTS[case]
    found = said(f"{source}\nsample from ffhq", home / "main.lace")
    assert (found.code, found.message) == (code, message)
    if hint is None or not hint.endswith(": "):
        assert found.hint == hint
    else:
        assert found.hint == f"{hint}{', '.join(library_files())}"


def test_a_file_that_cannot_be_read_is_said_to_be_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("lacelang.semantics.modules.read_file", refused)
    found = said('import "old.lace"\nsample from ffhq', home / "main.lace")
    assert found.message == "old.lace cannot be read: Permission denied"
    assert found.hint is None


def test_imports_are_nested_fifty_deep(tmp_path: Path) -> None:
    for k in range(60):
        (tmp_path / f"m{k}.lace").write_text(f'import "m{k + 1}.lace"' if k < 59 else "")
    found = said('import "m10.lace"\nsample from ffhq', tmp_path / "main.lace")
    assert found.message == "imports are nested more than 50 deep"
    assert check('import "m11.lace"\nsample from ffhq', tmp_path / "main.lace").statements


def test_a_module_that_two_files_import_is_one(home: Path) -> None:
    for name in ("one", "two"):
        (home / f"{name}.lace").write_text(f'import "old.lace"\nlet {name} = old')
    source = 'import "one.lace" import "two.lace" import "old.lace" import "./old.lace"\n'
    (statement,) = check(
        f"{source}sample from ffhq where one or two", home / "main.lace"
    ).statements
    assert isinstance(statement, ir.SampleStatement)


def test_the_standard_library_is_listed_by_its_names() -> None:
    files = library_files()
    assert list(files) == sorted(files)
    assert {"faces", "ffhq"} <= files.keys()
    homes = library_homes()
    assert set(homes.values()) <= files.keys()
    text = files["faces"].read_text(encoding="utf-8")
    assert all(name in text for name, module in homes.items() if module == "faces")
    assert any(module == "faces" for module in homes.values())
    models = library_models()
    assert "ffhq" in models
    assert all(name == model.name for name, model in models.items())


SAVED: list[tuple[str, str, str]] = [
    (
        "e4e.pt",
        "`e4e.pt` is not a file of latents: those end in .safetensors, .npy or .npz",
        "save `torch.load(…, weights_only=True).cpu().numpy()` of it with `numpy.save`",
    ),
    (
        "e4e.PTH",
        "`e4e.PTH` is not a file of latents: those end in .safetensors, .npy or .npz",
        "save `torch.load(…, weights_only=True).cpu().numpy()` of it with `numpy.save`",
    ),
    (
        "e4e.pkl",
        "`e4e.pkl` is not a file of latents: those end in .safetensors, .npy or .npz",
        "save the array with `numpy.save`; what is pickled is never read",
    ),
    ("loose.npy", "`loose.npy` is a link to nothing", "mend the link, or remove it"),
    (
        "./empty",
        "`./empty` holds no latents",
        "name the folder of a group that a run has made, or a file of latents",
    ),
    ("files/", "`files/` holds no latents", "name a file, such as `files/a.npy`"),
    ("./out", "`./out` holds no latents", "name one of its groups, such as `./out/men`"),
    ("out/men", "`out/men` holds no latents that are whole", "run the program that made it again"),
    (
        "out/kids",
        "run.json does not say of which model `out/kids` is and how it is truncated",
        "run the program that made it again",
    ),
]


@pytest.mark.parametrize("case", range(len(SAVED)))
def test_what_is_said_of_samples_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: int
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("e4e.pt", "e4e.PTH", "e4e.pkl"):
        Path(name).touch()
    os.symlink("nowhere.npy", "loose.npy")
    for name in ("empty", "files", "out/men", "out/kids"):
        Path(name).mkdir(parents=True)
    Path("files", "0.txt").touch()
    for name in ("b.npy", "a.npy"):
        np.save(Path("files") / name, np.zeros((1, 512), np.float32))
    settings: dict[str, object] = {"model": "ffhq", "truncation": 0.5}
    men = GroupRecord("men", "men", "", "f", 9, 4, settings, ())
    kids = GroupRecord("kids", "kids", "", "f", 9, 4, {"model": "ffhq"}, ())
    write_index(Path("out"), RunRecord(ProgramRecord("", ""), {}, (men, kids)))
    place, message, hint = SAVED[case]
    of = "" if place.startswith("out/") else " from ffhq"
    found = said(f'edit "{place}" {{ smile=0 }}{of}')
    assert (found.code, found.message, found.hint) == ("LACE120", message, hint)


def test_latents_of_no_known_model_need_a_clause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("w.npy", np.zeros((1, 512), np.float32))
    found = said('edit "w.npy" { smile=0 }')
    assert (found.code, found.message) == (
        "LACE302",
        "no run.json says of which model these latents are",
    )
    assert found.hint == "add `from ffhq`, and `truncation` if it is another"


NUMBERS: dict[str, tuple[tuple[float, int], ...]] = {
    "age = each {10, 20}": ((10.0, 1), (20.0, 1)),
    "age = each {child: 2, 20 years: 6, adult}": ((10.0, 2), (20.0, 6), (35.0, 1)),
    "yaw = each {left: 50, front: 25}": ((-25.0, 2), (0.0, 1)),
}


@pytest.mark.parametrize("condition", NUMBERS)
def test_numbers_that_are_drawn_have_their_weights(condition: str) -> None:
    (statement,) = check(f"sample from ffhq where {condition}").statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    (drawn,) = ir.drawn(statement.where)
    assert isinstance(drawn, ir.DrawnValue)
    assert drawn.choices == NUMBERS[condition]


def test_a_number_is_drawn_once() -> None:
    for choices, text in (("10, 20, 10 years", "10 years"), ("child, 10", "10")):
        found = said(f"sample from ffhq where age = each {{{choices}}}")
        assert (found.code, found.message) == ("LACE220", f"`each` has {text} already")
    with pytest.raises(ProgramError) as caught:
        check("sample from ffhq where age = each {90, -5, 20}")
    assert [found.code for found in caught.value.diagnostics] == ["LACE203"] * 2


@pytest.mark.parametrize(
    ("unit", "meant"),
    [
        *((word, "deg") for word in ("d", "degree", "degrees", "Degrees")),
        *((word, "deg") for word in ("rad", "radian", "radians", "RAD")),
        *((word, "years") for word in ("y", "yo", "yr", "yrs", "year", "Year")),
    ],
)
def test_units_of_other_names_are_told_in_ours(unit: str, meant: str) -> None:
    turned = "; angles are in degrees" if unit.lower().startswith("rad") else ""
    attribute = "yaw" if meant == "deg" else "age"
    found = said(f"sample from ffhq where {attribute} > 10 {unit}")
    assert (found.code, found.message) == ("LACE105", f"there is no unit `{unit}`")
    assert found.hint == f"write `{meant}`, or no unit at all{turned}"


@pytest.mark.parametrize("by", [-3, -2, -1, 1, 2, 3])
def test_of_many_names_those_as_long_are_looked_at(by: int) -> None:
    """Beyond two hundred, a hint is for a name that begins alike and is two longer or shorter."""
    many = [f"k{k}" for k in range(300)]
    wanted = "abcdefghijkl"
    near = wanted[:by] if by < 0 else wanted + "xyz"[:by]
    assert nearest(wanted, [*many, near]) == (near if abs(by) <= 2 else None)
    assert nearest(wanted, [near]) == near
    assert nearest(wanted, [*many, wanted.upper()]) == wanted.upper()
    assert nearest(wanted, [*many, f"z{wanted[1:]}"]) is None


def test_what_edits_and_expectations_take_over_from_their_group() -> None:
    source = """sample from ffhq as men edit men { smile=1 } edit men { smile=1 } reweight off
    expect glasses=1 in 95% of men"""
    _, plain, off, expected = check(source).statements
    assert isinstance(plain, ir.EditStatement)
    assert isinstance(off, ir.EditStatement)
    assert (plain.reweight, off.reweight) == (True, False)
    assert isinstance(expected, ir.ExpectStatement)
    assert expected.model.name == plain.model.name == "ffhq"
    assert expected.what.text == "glasses=1"
    assert (expected.group, expected.share, expected.text) == (
        "men",
        0.95,
        "glasses=1 in 95% of men",
    )


def test_one_mistake_of_a_clause_is_said_once() -> None:
    """A statement that is wrong already is not told that its formula is too large as well."""
    pairs = " or ".join(f"age={k} and yaw={k}" for k in range(1, 21))
    large = f"({' or '.join(f'age={k}' for k in range(1, 21))}) and ({pairs})"
    assert said(f"sample from ffhq where {large} disjunction exact").code == "LACE317"
    odds = f"sample from ffhq where (glasses=1 [weight 3] or smile=1) and {large} disjunction exact"
    assert said(odds).code == "LACE316"
