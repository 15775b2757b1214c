"""The programs that come with lacelang, and the language by example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_runs import read_run

import lacelang
from lacelang.cli.main import main
from lacelang.errors import ResourceError
from lacelang.resources import shipped
from lacelang.semantics.check import check
from lacelang.semantics.weights import is_imported
from lacelang.syntax.format import format_source

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted((ROOT / "programs").glob("*.lace"))
SUITES = sorted((ROOT / "experiments" / "specs").glob("*.lace"))
SHIPPED = [*PROGRAMS, *SUITES, *sorted(shipped("stdlib").glob("*.lace"))]
BY_EXAMPLE = Path(__file__).with_name("by_example.lace")
MODEL_BY_EXAMPLE = Path(__file__).with_name("model_by_example.lace")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_checks_cleanly_and_is_laid_out(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert check(source, path, pedantic=True).warnings == ()
    assert format_source(source) == source


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_it_teaches(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    assert sum(line.lstrip().startswith("#") for line in lines) >= 4


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_it_runs(path: Path) -> None:
    """With one sample a group, whose condition the sampler meets without trouble.

    One of a model whose weights are not here says that they have to be imported.
    """
    source = path.read_text(encoding="utf-8")
    program = lacelang.compile(re.sub(r"\bsample \d+\b", "sample 1", source), path)
    if any(is_imported(statement.model) for statement in program.checked.statements):
        with pytest.raises(ResourceError, match="has to be imported"):
            program.run()
        return
    groups = program.run()
    assert set(groups) == set(program.groups)
    for name in program.groups:
        model = next(s.model for s in program.checked.statements if s.name == name)
        assert model.layout is not None
        assert groups[name].latents.shape == (1, model.layout.latent_dim)
        assert [status.name for status in groups[name].status] == ["converged"]


def test_the_language_by_example() -> None:
    source = BY_EXAMPLE.read_text(encoding="utf-8")
    program = check(source, BY_EXAMPLE, pedantic=True)
    assert [type(s).__name__.removesuffix("Statement") for s in program.statements] == [
        *["Sample", "Sample", "Sample", "Edit"],
        *["Sample"] * 10,
        *["Measure", "Expect"],
    ]
    assert [d.message for d in program.warnings] == [
        "nothing of faces is used",
        "`grandpa` hides the one that faces defines",
        "nothing uses `exactly_one`",
    ]
    assert lacelang.compile(source, BY_EXAMPLE).warnings == ()
    formatted = format_source(source)
    assert check(formatted, BY_EXAMPLE).statements[0].span == program.statements[0].span
    assert format_source(formatted) == formatted


@pytest.mark.slow
@pytest.mark.weights
def test_the_language_by_example_runs_as_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends well, or with the one failure that a program may have: an `expect` not met."""
    # A dozen of the two hundred drawn values are enough.
    source = BY_EXAMPLE.read_text(encoding="utf-8").replace("sample 200 ", "sample 12 ")
    shown = tmp_path / BY_EXAMPLE.name
    shown.write_text(source, encoding="utf-8")
    assert main(["run", str(shown), "--out", str(tmp_path / "out")]) in (0, 1)
    run = read_run(tmp_path / "out")
    assert run is not None
    assert run.complete
    program = lacelang.compile(source, BY_EXAMPLE)
    assert [group.name for group in run.groups] == list(program.groups)
    printed = capsys.readouterr().out
    assert "P(glasses=1 | age < 20) = " in printed
    assert "men_edited: 8 samples" in printed


def test_a_model_by_example() -> None:
    """All of its attributes are those of the shipped model, points left out."""
    (model,) = check(MODEL_BY_EXAMPLE.read_text(encoding="utf-8"), MODEL_BY_EXAMPLE).models
    shipped_model = shipped("stdlib") / "ffhq.lace"
    (known,) = check(shipped_model.read_text(encoding="utf-8"), shipped_model).models
    for attribute in model.attributes:
        same = known.attribute(attribute.name)
        assert same is not None
        assert (type(attribute), attribute.layers) == (type(same), same.layers)
