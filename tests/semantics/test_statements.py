from __future__ import annotations

import math
from pathlib import Path

import pytest

from lacelang import ir
from lacelang.errors import ProgramError
from lacelang.samplers.schedule import HORIZON
from lacelang.semantics.check import check


def _one(source: str) -> ir.Statement:
    (statement,) = check(source).statements
    return statement


def _sample(source: str) -> ir.SampleStatement:
    statement = _one(source)
    assert isinstance(statement, ir.SampleStatement)
    return statement


def _codes(source: str, path: Path | None = None, pedantic: bool = False) -> list[str]:
    try:
        return [d.code for d in check(source, path, pedantic).warnings]
    except ProgramError as error:
        return [d.code for d in error.diagnostics]


def test_what_a_sample_is_without_clauses() -> None:
    statement = _sample("sample from ffhq")
    assert statement.model.name == "ffhq"
    assert statement.sampler.name == "exponential"
    assert statement.sampler.options == {
        "tolerance": 2e-3,
        "time": HORIZON,
        "max_steps": 1000,
        "typical": 1.2,
        "slack": 0.02,
    }
    assert (statement.name, statement.count, statement.where) == ("sample1", 8, None)
    assert (statement.options.temp, statement.options.logit_temp, statement.truncation) == (
        None,
        None,
        0.7,
    )
    assert (statement.seed, statement.options.negation) == (None, ("complement",))
    assert (statement.options.disjunction, statement.options.sigma) == ("equal", "residual")


def test_clauses_in_any_order() -> None:
    statement = _sample(
        "sample 16 as men sigma paper disjunction balanced negation contrast(0.2) "
        "with langevin(steps=10) seed 9007199254740993 truncation 0.5 temp logit(2) "
        "where smile=1 from ffhq"
    )
    assert (statement.name, statement.count, statement.truncation) == ("men", 16, 0.5)
    # A seed beyond what a float holds stays exact.
    assert statement.seed == 9007199254740993
    assert (statement.options.temp, statement.options.logit_temp) == (None, 2.0)
    assert statement.options.negation == ("contrast", 0.2)
    assert (statement.options.disjunction, statement.options.sigma) == ("balanced", "paper")
    assert statement.sampler.options == {"steps": 10, "step": 0.01, "noise": math.sqrt(0.02)}


def test_presets() -> None:
    options = _sample("sample from ffhq with langevin(preset=paper)").sampler.options
    assert options == {"steps": 100, "step": 0.01, "noise": 0.01}
    options = _sample('sample from ffhq with langevin(preset="paper", step=0.1)').sampler.options
    assert options == {"steps": 100, "step": 0.1, "noise": 0.01}


def test_samplers_that_sample_exactly() -> None:
    options = {
        "rejection": {"max_tries": 10_000},
        "mala": {"steps": 200, "warmup": 100, "accept": 0.6},
        "hmc": {"steps": 40, "warmup": 20, "leapfrog": 8, "accept": 0.8},
        "smc": {"particles": 32, "moves": 4, "ess": 0.5, "max_steps": 100},
        "pc": {"steps": 100, "corrector_steps": 2, "snr": 0.16},
    }
    for name, expected in options.items():
        # No bound on how atypical a latent may be: they keep the prior as it is.
        chosen = _sample(f"sample from ffhq where smile=1 with {name}").sampler
        assert (chosen.name, chosen.options) == (name, expected)


def test_rejection_takes_what_cannot_go_below_zero() -> None:
    for source in (
        "sample from ffhq where not glasses=1 with rejection",
        "sample from ffhq where glasses=1 negation contrast(0.1) with rejection",
        "sample from ffhq where not glasses=1 negation contrast(0.1) with smc",
        "sample from ffhq where smile=1 [weight 3, temp 0.5] with rejection",
        "sample from ffhq with rejection temp logit(2)",
    ):
        assert "LACE311" not in _codes(source)


def test_loops_are_unrolled() -> None:
    program = check(
        """
        let half = 0.5
        for t in 2, half {
          for side in left, right {
            sample 6 from ffhq where yaw=side and smile=1 temp t as "{side} at {t}"
          }
        }
        """
    )
    samples = [s for s in program.statements if isinstance(s, ir.SampleStatement)]
    assert [(s.name, s.options.temp) for s in samples] == [
        ("left at 2", 2.0),
        ("right at 2", 2.0),
        ("left at 0.5", 0.5),
        ("right at 0.5", 0.5),
    ]
    assert isinstance(samples[1].where, ir.And)
    assert samples[1].where.terms[0].text == "yaw=right"


@pytest.mark.parametrize(
    "picks", ["pick 0..999999 of a\n" * 100, 'for t in 1..9000 { pick 0..99 of a as "{t}" }']
)
def test_all_picks_together_have_a_bound(picks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lacelang.semantics.statements.MAX_PARTS", 2000)
    assert _codes(f"sample 1000000 from ffhq as a\n{picks}") == ["LACE307"]


def test_names_that_are_made_up_are_new() -> None:
    program = check(
        "sample from ffhq as sample1  sample from ffhq\nfor t in 1, 2 { sample t from ffhq }"
    )
    names = [s.name for s in program.statements if isinstance(s, ir.SampleStatement)]
    assert names == ["sample1", "sample2", "sample3", "sample4"]


@pytest.mark.parametrize(
    ("line", "clause", "layers"),
    [
        ("smile=0", "", (0, 1, 2, 3, 4, 5)),
        ("beard=0 or yaw=left", "", (0, 1, 2, 3, 4, 5, 6, 7, 10)),
        ("haircolor=gray", "", None),
        ("haircolor=gray and smile=0", "", None),
        ("smile=0", "layers all", None),
        ("smile=0", "layers 0..2, 7", (0, 1, 2, 7)),
        ("smile=0 in layers declared", "layers all", (0, 1, 2, 3, 4, 5)),
        ("smile=0 in layers 8", "layers all", (8,)),
        ("not (smile=0 and l) in layers all", "", None),
    ],
)
def test_layers_of_a_step(line: str, clause: str, layers: tuple[int, ...] | None) -> None:
    source = f"let l = glasses=1\nsample from ffhq as men\nedit men {{ {line} }} {clause}"
    edit = check(source).statements[1]
    assert isinstance(edit, ir.EditStatement)
    assert [step.replaced for step in edit.steps] == [layers]


def test_clauses_of_an_edit() -> None:
    source = """
    sample from ffhq as men
    edit men { smile=1 or glasses=1 age = 30 years not beard=1 age=50 }
      stay 0 hold all(0.5) reweight off temp 0.5 sigma paper with heun negation contrast(0.2)
      disjunction balanced as other
    """
    edit = check(source).statements[1]
    assert isinstance(edit, ir.EditStatement)
    assert [step.predicate.text for step in edit.steps] == [
        *["smile=1 or glasses=1", "age=30 years", "not beard=1", "age=50"]
    ]
    assert (edit.stay, edit.hold, edit.held, edit.reweight) == (0, 0.5, "all", False)
    assert (edit.options.temp, edit.options.sigma, edit.options.disjunction) == (
        0.5,
        "paper",
        "balanced",
    )
    assert (edit.options.negation, edit.sampler.name) == (("contrast", 0.2), "heun")


def test_edits_measures_and_expectations() -> None:
    program = check(
        """
        sample 8 from ffhq where gender=male as men
        edit men { yaw = left smile = 0 glasses = 1 [weight 5] } stay 0.1 as turned
        edit turned { smile = 1 }
        measure glasses=1 given age < 20 from ffhq
        expect glasses=1 in 95% of turned
        """
    )
    _, edit, again, measure, expect = program.statements
    assert isinstance(edit, ir.EditStatement)
    assert (edit.name, edit.group, edit.stay, edit.hold) == ("turned", "men", 0.1, 0.01)
    texts = [step.predicate.text for step in edit.steps]
    assert texts == ["yaw=left", "smile=0", "glasses=1 [weight 5]"]
    assert edit.steps[2].predicate.weight == 5
    assert (edit.held, edit.reweight, edit.sampler.name) == ("all", True, "exponential")
    assert isinstance(again, ir.EditStatement)
    assert (again.name, again.group, again.model.name) == ("edit1", "turned", "ffhq")
    assert isinstance(measure, ir.MeasureStatement)
    assert measure.text == "glasses=1 given age < 20"
    assert isinstance(expect, ir.ExpectStatement)
    assert (expect.share, expect.group) == (0.95, "turned")


def test_a_model_of_ones_own() -> None:
    program = check(
        """
        model cats {
          generator mobilestylegan from "cats==2.1"
            sha256 "0000000000000000000000000000000000000000000000000000000000000000"
          classifiers "cats-heads.safetensors" on z
          attribute fur  : one of short, long  layers 1..2, 5
          attribute size : 0..1
        }
        sample from cats where fur=long and size > 0.5
        """,
        Path("some/where.lace"),
    )
    (model,) = program.models
    assert (model.generator, model.package, model.version) == ("mobilestylegan", "cats", "2.1")
    assert (model.space, model.path) == ("z", Path("some"))
    assert model.attributes == (
        ir.ChoiceAttribute("fur", ("short", "long"), (1, 2, 5)),
        ir.ContinuousAttribute("size", 0.0, 1.0),
    )


def test_the_shipped_model() -> None:
    model = _sample("sample from ffhq").model
    assert (model.package, model.version) == ("random-face", "2021.7.21.1")
    assert model.sha256 is not None
    assert len(model.sha256) == 64
    assert len(model.attributes) == 12
    beard = model.attribute("beard")
    assert beard.layers == (5, 6, 7, 10)
    yaw = model.attribute("yaw")
    assert isinstance(yaw, ir.ContinuousAttribute)
    assert (yaw.unit, yaw.points["left"]) == ("deg", -25.0)


def test_imports(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "people.lace").write_text(
        'import "../basics.lace"\nlet grandpa = old and gender=male', encoding="utf-8"
    )
    (tmp_path / "basics.lace").write_text("let old = age > 60", encoding="utf-8")
    main = tmp_path / "main.lace"
    source = 'import "sub/people.lace"\nsample from ffhq where grandpa as men'
    (statement,) = check(source, main).statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    assert statement.where.text == "age > 60 and gender=male"
    # What an imported module imports for itself is its own affair.
    assert _codes(source.replace("grandpa", "old"), main) == ["LACE103"]
    # Spans are of the program, wherever the condition comes from.
    assert statement.where.span.line == 2


def test_an_import_that_imports_itself(tmp_path: Path) -> None:
    path = tmp_path / "me.lace"
    path.write_text('import "me.lace"', encoding="utf-8")
    assert _codes('import "me.lace"', path) == ["LACE115"]


def test_an_import_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.lace").write_bytes(b"let a = \xff\xfe")
    assert _codes('import "a.lace"', tmp_path / "main.lace") == ["LACE114"]
    assert _codes('import "\0.lace"', tmp_path / "main.lace") == ["LACE001"]
    assert _codes('import "."', tmp_path / "main.lace") == ["LACE114"]


def test_a_broken_statement_does_not_make_its_names_unknown() -> None:
    source = """
    let grandpa = gender=male and
    sample 4 from ffhq where grandpa and ( as men
    edit men { smile=1 }
    expect smile=1 in 90% of men
    """
    assert set(_codes(source)) <= {"LACE012", "LACE003", "LACE004"}


def test_warnings_come_after_errors_and_pedantic_ones_when_asked() -> None:
    source = "let a = smile=1\nsample from ffhq where smile=1 and smile=0"
    assert _codes(source) == ["LACE501"]
    assert _codes(source, pedantic=True) == ["LACE511", "LACE501"]
    assert _codes(source + "\nsample from nowhere") == ["LACE101", "LACE501"]


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "", " x", ".", "..", "con", "NUL.txt", "x" * 101, "a\tb", "run.json"]
)
def test_names_that_cannot_name_folders(name: str) -> None:
    assert _codes(f'sample from ffhq as "{name}"') == ["LACE112"]


@pytest.mark.parametrize("name", ["beard at 0.25", "tête", "a b", "größe 1", "x" * 100, "连"])
def test_names_that_can(name: str) -> None:
    assert _sample(f'sample from ffhq as "{name}"').name == name


def test_a_thousand_warnings_do_not_hide_an_error() -> None:
    odd = "".join(f"sample from ffhq where smile=1 and smile=0 as g{i}\n" for i in range(1100))
    assert "LACE102" in _codes(odd + "sample from ffhq where nose=1")


def test_nothing_uses_is_said_of_what_nothing_refers_to_in_any_order() -> None:
    lines = ["let a = smile=1", "let b = a", "sample from ffhq"]
    for source in ("\n".join(lines), "\n".join(reversed(lines))):
        warnings = check(source, pedantic=True).warnings
        assert [d.message for d in warnings] == ["nothing uses `b`"]


def test_a_definition_called_wrongly_is_looked_at_all_the_same() -> None:
    source = "def f(a) = a and nose=1\nsample from ffhq where f()"
    assert _codes(source) == ["LACE102", "LACE117"]


@pytest.mark.parametrize("digits", ["1" * 20, "1" * 400, "1" * 1000, "1e400"])
def test_numbers_too_large_for_anything(digits: str) -> None:
    assert _codes(f"sample from ffhq seed {digits}") == ["LACE205"]
    assert _codes(f"sample from ffhq truncation {digits}")[0] in ("LACE205", "LACE209")
    assert _codes(f"sample {digits} from ffhq") == ["LACE205"]


def test_seeds_are_exact_however_they_are_written() -> None:
    large = 2**53 + 1
    for source in (
        f"sample from ffhq seed {large}",
        f"let n = {large}\nsample from ffhq seed n",
        f"for n in {large} {{ sample from ffhq seed n }}",
        f"sample from ffhq seed {'0' * 900}{large}",
    ):
        assert _sample(source).seed == large


def test_no_message_is_as_long_as_the_program() -> None:
    name = "x" * 100_000
    for source in (f"sample from ffhq where {name}", f'sample from ffhq as "{name}"', name):
        with pytest.raises(ProgramError) as caught:
            check(source)
        assert len(str(caught.value)) < 1000
