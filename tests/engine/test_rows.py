"""Sample i depends on the program, the seed and i alone, to the last bit."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from real_size import RealSizeModel

import lacelang
from lacelang.engine import loading, measures, plan, tasks
from lacelang.engine.result import Group, Run
from lacelang.progress import Silent

COMPARISONS = (
    "glasses=1",
    "smile ~ 0.6",
    "haircolor in {black, gray}",
    "age=50",
    "age > 45",
    "yaw in -10..20",
    "beard=0 [weight 0.5]",
    "gender=male [temp 0.5]",
)
SAMPLERS = (
    "exponential(max_steps=8)",
    "exponential(tolerance=0.02, typical=0)",
    "heun(tolerance=0.1)",
    "dopri5(atol=0.1, rtol=0.1)",
    "euler(step=0.3)",
    "rk4(step=0.5)",
    "bosh3(atol=0.1, rtol=0.1)",
    "langevin(steps=5)",
    "pc(steps=20, corrector_steps=0)",
    "rejection(max_tries=40)",
    "mala(steps=3, warmup=3)",
    "hmc(steps=1, warmup=2, leapfrog=3)",
    "hybrid(tolerance=0.05, max_steps=5, steps=2, warmup=2)",
    "smc(particles=5, moves=1, ess=0.1)",
)
# What others repeat: solvers of torchdiffeq, and options of samplers that are there once more.
_ALIKE = {SAMPLERS[k] for k in (0, 4, 5, 6, 8, 10)}
EDITORS = (
    "exponential(max_steps=5)",
    "heun(tolerance=0.1, max_steps=8)",
    "euler(step=0.3)",
    "dopri5(atol=0.3, rtol=0.3)",
)
MODEL = RealSizeModel()

atoms = st.sampled_from(COMPARISONS)


def _joined(parts: list[str], word: str) -> str:
    return f"({f' {word} '.join(parts)})"


conditions = st.recursive(
    atoms,
    lambda below: st.one_of(
        st.builds(_joined, st.lists(below, min_size=2, max_size=3), st.sampled_from(["and", "or"])),
        below.map(lambda term: f"not {term}"),
    ),
    max_leaves=4,
)


@st.composite
def programs(draw: st.DrawFn, sampler: str) -> str:
    """A program of one group and its edit, with {n} for the number of samples."""
    clauses = ["", " disjunction balanced", " disjunction exact", " disjunction exact"]
    disjunction = draw(st.sampled_from(clauses))
    where, then, last = draw(conditions), draw(conditions), draw(conditions)
    psi, seed = draw(st.sampled_from((0.5, 0.7, 1))), draw(st.integers(0, 9))
    return (
        f"sample {{n}} from ffhq where {where} truncation {psi} seed {seed} with {sampler}"
        f"{disjunction} as a\n"
        f"edit a {{ {then} {last} }} with {draw(st.sampled_from(EDITORS))}{disjunction} as e\n"
    )


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: MODEL)
    monkeypatch.setattr(loading, "load", lambda spec, device, progress: MODEL)


def made(source: str, count: int, batch: int = 64, threads: int = 1, **how: object) -> Run:
    before = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tasks, "BATCH", batch)
        torch.set_num_threads(threads)
        try:
            return lacelang.compile(source.replace("{n}", str(count))).run(**how)  # type: ignore[arg-type]
        finally:
            torch.set_num_threads(before)


def assert_same_bits(part: Group, whole: Group, say: str, first: int = 0) -> None:
    rows = slice(first, first + len(part))
    pairs = {
        "z": (part.latents, whole.latents),
        "w": (part.w, whole.w),
        "energy": (part.energy, whole.energy),
        "nfe": (part.stats.nfe, whole.stats.nfe),
        **{text: (part.readings[text], whole.readings[text]) for text in whole.readings},
        **{name: (part.extra[name], whole.extra[name]) for name in whole.extra},
    }
    for name, (mine, theirs) in pairs.items():
        same = np.array_equal(mine.numpy(), theirs[rows].numpy(), equal_nan=True)
        assert same, f"{say}: {name} of {part.name}"
    assert part.status == whole.status[rows], say


@pytest.mark.parametrize(
    "sampler",
    [pytest.param(one, marks=pytest.mark.slow if one in _ALIKE else ()) for one in SAMPLERS],
)
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_in_any_company(sampler: str, data: st.DataObject) -> None:
    try:
        source = data.draw(programs(sampler))
        lacelang.compile(source.replace("{n}", "1"))
    except lacelang.ProgramError:
        return  # e.g. a contradiction
    whole = made(source, 4)
    count = data.draw(st.integers(1, 3))
    others = {
        f"{count} samples, two threads": made(source, count, threads=2),
        "batches of two, the samples only": made(source, 4, batch=2, only="a"),
    }
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        made(source, count, out=out)
        others["going on, one by one"] = made(source, 4, out=out, batch=1)
        edit = source.splitlines()[1].replace("edit a", f'edit "{out / "a"}"')
        saved = made(edit, 4)["e"]
    for say, run in others.items():
        for name in run:
            assert_same_bits(run[name], whole[name], f"{say}\n{source}")
    if "balanced" not in source:
        # An edit of saved samples, whose turns at the arms are those of the samples' own seed.
        assert np.array_equal(saved.w.numpy(), whole["e"].w.numpy()), source
    for mine, theirs in zip(saved.images, whole["e"].images, strict=True):
        assert "balanced" in source or np.array_equal(np.asarray(mine), np.asarray(theirs))


def test_across_blocks_and_batches() -> None:
    source = (
        "sample {n} from ffhq where glasses=1 or age > 50 seed 3 with heun(tolerance=0.1) as a\n"
        "edit a { smile=1 } with heun(tolerance=0.1) as e"
    )
    whole = made(source, 70)
    for count in (3, 33, 65):
        part = made(source, count)
        for name in part:
            assert_same_bits(part[name], whole[name], f"{count} samples")


def test_in_batches_of_any_size() -> None:
    source = (
        "sample {n} from ffhq where (glasses=1 or age > 50) and haircolor=gray seed 3 "
        "with exponential(max_steps=4) as a"
    )
    whole = made(source, 530, batch=530)["a"]
    assert_same_bits(made(source, 200)["a"], whole, "batches of a run")
    assert_same_bits(made(source, 530, batch=120)["a"], whole, "four large batches")


@settings(max_examples=8, deadline=None)
@given(conditions, st.integers(1, 70), st.integers(1, 3))
def test_energies_from_python(condition: str, count: int, threads: int) -> None:
    try:
        energy = lacelang.energy_of(condition, "ffhq")
    except lacelang.ProgramError:
        return
    z = torch.randn(70, 512, generator=torch.Generator().manual_seed(count))
    whole, (values, gradients) = energy(z), energy.value_and_grad(z)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        rows = slice(70 - count, 70)
        assert torch.equal(energy(z[rows]), whole[rows])
        part, slopes = energy.value_and_grad(z[rows])
        (own,) = torch.autograd.grad(energy(x := z[rows].requires_grad_()).sum(), x)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(values, whole)
    assert torch.equal(part, whole[rows])
    assert torch.equal(slopes, gradients[rows])
    assert torch.equal(own, gradients[rows])


def test_probabilities_do_not_depend_on_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for threads in (1, 2):
        monkeypatch.setattr(measures, "cores", partial(int, threads))
        model = RealSizeModel()  # which remembers no draws
        attributes = model._spec.attributes
        found.append(measures.prior_sample(model, attributes, 0.5, 3, Silent(), 12_000))
    for name in found[0].drawn:
        assert np.array_equal(found[0].drawn[name], found[1].drawn[name])
        assert np.array_equal(found[0].decided[name], found[1].decided[name])
