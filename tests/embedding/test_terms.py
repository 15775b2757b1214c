from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bars_model import BARS, DIM

import lacelang
from lacelang import ir
from lacelang.classifiers import heads_file
from lacelang.classifiers.few_labels import Prior, learn
from lacelang.engine.fingerprint import fingerprint
from lacelang.errors import ProgramError, UsageError
from lacelang.generators import ARCHITECTURES

PLACE = torch.linspace(-1.0, 1.0, DIM)


def near(w: torch.Tensor) -> torch.Tensor:
    """Half the squared distance to a place, in units of 0.5."""
    return 2.0 * (w - PLACE.to(w)).square().sum(dim=1)


def first_is_high(z: torch.Tensor) -> torch.Tensor:
    """-log of the probability sigmoid(4 z_0)."""
    return torch.nn.functional.softplus(-4.0 * z[:, 0])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A declaration of a model with an attribute `left`, which says the sign of w_1."""
    folder = tmp_path_factory.mktemp("terms")
    w = np.random.default_rng(0).standard_normal((300, DIM)).astype(np.float32)
    learned = learn(w, (w[:, 1] > 0).astype(np.float32), ir.BinaryAttribute("left"), Prior.of(w))
    heads_file.save(folder / "heads.safetensors", learned.heads, {})
    lacelang.register(BARS)
    yield (
        f'model bars {{ generator bars classifiers "{folder}/heads.safetensors" on w '
        "attribute left : binary }\nmodel bare { generator bars }\n"
        'model new { generator bars classifiers "missing.safetensors" on w '
        "attribute left : binary }\n"
    )
    ARCHITECTURES._added.pop("bars")
    lacelang.release()


HIGH = lacelang.term(first_is_high, on="z", version=1)
NEAR = lacelang.term(near, version="1")


def compiled(model: str, text: str, **definitions: Any) -> lacelang.Program:
    given = {"high": HIGH, "near": NEAR, **definitions}
    return lacelang.compile(model + text, definitions=given)


def probability(program: lacelang.Program, z: torch.Tensor) -> torch.Tensor:
    return torch.exp(-program.energy("a")(z))


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("high", lambda h, p: h),
        ("not high", lambda h, p: 1 - h),
        ("not not high", lambda h, p: h),
        ("high and left=1", lambda h, p: h * p),
        ("high or left=1", lambda h, p: (h + p) / 2),
        ("high [weight 2]", lambda h, p: h**2),
        ("high [temp 0.5]", lambda h, p: h**2),
        ("high [weight 0] and left=1", lambda h, p: p),
        ("high [weight 3] or left=1", lambda h, p: (3 * h + p) / 4),
        ("high xor left=1", lambda h, p: (h + p) / 2 * (1 - h * p)),
        ("high implies left=1", lambda h, p: (1 - h + p) / 2),
    ],
)
def test_a_term_is_a_condition_like_any_other(model: str, where: str, wanted: Any) -> None:
    z = torch.randn(64, DIM, generator=torch.Generator().manual_seed(1))
    program = compiled(model, f"sample from bars where {where} truncation 1 as a")
    p = torch.exp(
        -compiled(model, "sample from bars where left=1 truncation 1 as a").energy("a")(z)
    )
    h = torch.exp(-first_is_high(z))
    assert torch.allclose(probability(program, z), wanted(h, p), atol=1e-5)


def test_exact_disjunctions_know_a_term_as_one_event(model: str) -> None:
    z = torch.randn(64, DIM, generator=torch.Generator().manual_seed(1))
    text = "sample from bars where (high or left=1) and high truncation 1 disjunction exact as a"
    h = torch.exp(-first_is_high(z))
    assert torch.allclose(probability(compiled(model, text), z), h, atol=1e-5)
    text = "sample from bars where high or left=1 truncation 1 disjunction exact as a"
    alone = compiled(model, "sample from bars where left=1 truncation 1 as a")
    wanted = 1 - (1 - h) * (1 - probability(alone, z))
    assert torch.allclose(probability(compiled(model, text), z), wanted, atol=1e-5)


@pytest.mark.parametrize("sampler", ["exponential", "langevin", "smc"])
def test_samplers_go_where_a_term_says(model: str, sampler: str) -> None:
    text = f"sample 12 from bars where near and left=1 with {sampler} truncation 1 as a"
    run = compiled(model, text).run()
    before = near(lacelang.compile(model + "sample 12 from bars truncation 1 as a").run()["a"].w)
    assert near(run["a"].w).mean() < 0.6 * before.mean()


def test_rejection_is_exact_and_measure_agrees(model: str) -> None:
    run = compiled(
        model,
        "sample 400 from bars where high truncation 1 with rejection as a\n"
        "measure high and left=1 from bars truncation 1\nmeasure high from bars given left=1\n",
    ).run()
    z = torch.randn(200_000, DIM, generator=torch.Generator().manual_seed(0))
    h = torch.exp(-first_is_high(z))
    wanted = float((h * z[:, 0]).mean() / h.mean())
    assert float(run["a"].latents[:, 0].mean()) == pytest.approx(wanted, abs=0.12)
    assert run.measures["measure1"].value == pytest.approx(0.25, abs=0.03)
    assert run.measures["measure2"].value == pytest.approx(0.5, abs=0.03)


def test_edits_move_to_terms_of_w(model: str) -> None:
    text = "sample 2 from bars as a\nedit a { near } as b"
    run = compiled(model, text).run()
    assert (
        near(run["b"].w.mean(dim=1) if run["b"].w.ndim == 3 else run["b"].w).mean()
        < near(run["a"].w).mean()
    )
    with pytest.raises(ProgramError, match="edits move in w, and `high` is a term of z"):
        compiled(model, "sample 4 from bars as a\nedit a { high } as b")


@pytest.mark.parametrize("name", ["bare", "new"])
def test_a_model_without_classifiers_takes_terms(model: str, name: str) -> None:
    run = compiled(model, f"sample 6 from {name} where near truncation 1 as a").run()
    assert near(run["a"].w).mean() < 12
    with pytest.raises(ProgramError, match="has no attribute"):
        compiled(model, "sample from bare where near and left=1")


def test_terms_are_joined_in_python(model: str) -> None:
    own = lacelang.term(near, name="close", version=2)
    joined = (own & (lacelang.attr("left") == 1)).temp(0.5) | ~own
    assert str(joined) == "(close and left=1) [temp 0.5] or not close"
    program = compiled(model, "sample 2 from bars where wish as a", wish=joined)
    assert set(ir.own_terms(program.samples[0].where)) == {"close"}
    other = lacelang.term(near, name="close", version=3)
    with pytest.raises(UsageError, match="two terms are called `close`"):
        compiled(model, "sample from bars where wish", wish=own & other)


def test_sampling_takes_terms_without_text() -> None:
    program = lacelang.sampling("ffhq", lacelang.term(near, name="close") | HIGH.weight(2))
    assert set(ir.own_terms(program.samples[0].where)) == {"close", "term"}


def test_a_fingerprint_depends_on_the_version(model: str) -> None:
    def made(version: int | None) -> str:
        term = lacelang.term(near, version=version)
        program = compiled(model, "sample 1 from bars where near as a", near=term)
        return fingerprint(program.samples[0], 0, {})

    assert made(1) == made(1) != made(2)
    assert made(None) != made(None)


def test_a_sample_does_not_depend_on_its_neighbours(model: str) -> None:
    text = "sample {} from bars where near and left=1 seed 4 as a"
    few = compiled(model, text.format(3)).run()["a"]
    many = compiled(model, text.format(9)).run()["a"]
    assert torch.equal(few.latents, many.latents[:3])


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda w: w.sum(), r"gave \(\) for rows"),
        (lambda w: w, r"gave \(5, 16\) for rows"),
        (lambda w: w.detach().square().sum(dim=1), "has no gradient"),
        (lambda w: w.square().sum(dim=1).numpy(), "failed at"),
        (lambda w: [1.0] * len(w), "gave list for rows"),
        (lambda w: (w - w.mean(dim=0)).square().sum(dim=1), "depends on that row alone"),
        (lambda w: -1 - w.square().sum(dim=1), "an energy is -log of a probability"),
        (lambda w: w @ torch.zeros(3), "failed at"),
    ],
)
def test_what_is_no_energy_is_refused(model: str, function: Any, said: str) -> None:
    program = compiled(model, "sample from bars where odd as a", odd=lacelang.term(function))
    with pytest.raises(UsageError, match=said):
        program.run()


def test_a_negative_energy_of_a_run_is_an_error(model: str) -> None:
    def sinking(w: torch.Tensor) -> torch.Tensor:
        return w.norm(dim=1) - 1.0  # fine at draws from the prior, and below 0 where flows go

    program = compiled(model, "sample 4 from bars where odd as a", odd=lacelang.term(sinking))
    with pytest.raises(UsageError, match="gave the energy -"):
        program.run()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sample from bars where near(1)", "`near` takes no arguments"),
        ("sample from bars where naer", "nothing is called `naer`"),
        ("sample from bars as a\nexpect near in 50% of a", "which no annotator sees"),
        ("sample from bars where near verified", "which no annotator sees"),
        ("sample from bars where near = 1", "has no attribute `near`"),
        ("let near = left=1\nsample from bars where near", "is a term of Python's"),
    ],
)
def test_wrong_uses_are_diagnostics(model: str, text: str, said: str) -> None:
    with pytest.raises(ProgramError, match=said):
        compiled(model, text)


def test_wrong_arguments_are_refused() -> None:
    for arguments, how in (((3,), {}), ((near,), {"on": "image"}), ((near,), {"name": "not"})):
        with pytest.raises(UsageError):
            lacelang.term(*arguments, **how)  # type: ignore[arg-type]


def test_a_run_folder_goes_on_with_the_same_version(model: str, tmp_path: Path) -> None:
    def run(version: int | None, count: int) -> Any:
        term = lacelang.term(near, version=version)
        program = compiled(model, f"sample {count} from bars where near as a", near=term)
        return program.run(out=tmp_path / "run")

    first = run(1, 2)
    assert torch.equal(run(1, 3)["a"].latents[:2], first["a"].latents)
    before = run(1, 3)["a"].record.fingerprint
    assert run(2, 3)["a"].record.fingerprint != before
