"""All that is public is pickled and copied whole, and works afterwards."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from enum import Enum
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from tiny import TinyModel, edit, program, statement

import lacelang
from lacelang import LaceError, Program, ProgramError, ResourceError, UsageError, errors
from lacelang.energy import ConditionalEnergy
from lacelang.engine import loading, plan
from lacelang.engine.provenance import Provenances
from lacelang.engine.result import Group, Run
from lacelang.samplers.solution import Status
from lacelang.syntax.parser import parse

WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"protocol {n}": (lambda each, n=n: pickle.loads(pickle.dumps(each, n)))
        for n in range(2, 6)
    },
}
KINDS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LaceError)
]
CONDITIONS = [
    "glasses=1",
    "not glasses=1 and age>40",
    "glasses=1 or age in 20..30",
    "glasses=1 xor age<30",
    "glasses=1 implies age=50",
    "glasses=1 [weight 2] and age=40 [temp 0.5]",
    "glasses ~ 0.6",
    "glasses in {0, 1} and age<=60",
]
PROGRAM = """let old = age > 60
for a in 30, 50 {
  sample 2 from ffhq where old or age=a with heun(tolerance=1e-2) as "g{a}"
}
sample 3 from ffhq seed 2 as faces
edit faces {
  glasses = 1
  age = 40 in layers 5..7, 10
} as edited
measure glasses=1 given old from ffhq as share
expect glasses=0 in 50% of faces
"""


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def again(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    way: Callable[[Any], Any] = request.param
    return way


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[TinyModel]:
    """The models that were loaded outside a run, each a new one."""
    tiny, later = TinyModel(), []

    def load(*_: object) -> TinyModel:
        later.append(TinyModel())
        return later[-1]

    monkeypatch.setattr(plan, "load", lambda *_: tiny)
    monkeypatch.setattr(loading, "load", load)
    return later


def error_of(kind: type[LaceError]) -> LaceError:
    if issubclass(kind, ProgramError):
        with pytest.raises(ProgramError) as caught:
            lacelang.compile("sample from ffhq where frown=1 and smile=3", "p.lace")
        return caught.value
    if issubclass(kind, ResourceError):
        return kind("no space", "free some")
    return kind("wrong")


def energy() -> ConditionalEnergy:
    return program(statement()).energy("kids")


def run() -> Run:
    return program(statement(), edit()).run()


EXAMPLES: dict[str, Callable[[], Any]] = {
    "Attr": lambda: lacelang.attr("glasses"),
    "attr": lambda: lacelang.attr("glasses"),
    "Condition": lambda: (lacelang.attr("glasses") == 1).weight(2) & ~(lacelang.attr("age") > 4),
    "condition": lambda: lacelang.condition(CONDITIONS[5]),
    "Diagnostic": lambda: error_of(ProgramError).diagnostics[0],
    "Span": lambda: error_of(ProgramError).diagnostics[0].span,
    **{kind.__name__: (lambda kind=kind: error_of(kind)) for kind in KINDS},
    "Group": lambda: run()["edited"],
    "Run": run,
    "Program": lambda: program(statement(), edit()),
    "compile": lambda: lacelang.compile("sample 2 from ffhq where glasses=1"),
    "sampling": lambda: lacelang.sampling("ffhq", "glasses=1", count=2),
    "energy_of": energy,
    "register": lambda: lacelang.register,
    "provenance": lambda: lacelang.provenance,
    "replay": lambda: lacelang.replay,
    "release": lambda: lacelang.release,
    "term": lambda: lacelang.term(torch.sum, version=1),
    "__version__": lambda: lacelang.__version__,
}


def test_everything_public_has_an_example() -> None:
    assert set(EXAMPLES) == set(lacelang.__all__)


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor | np.ndarray):
        return np.asarray(one).tobytes() == np.asarray(other).tobytes()
    if isinstance(one, str | int | float | Path | Enum | frozenset | torch.device | None):
        return bool(one == other) or one != one
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    if attrs.has(type(one)):
        names = [field.name for field in attrs.fields(type(one))]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, lacelang.Attr):
        return bool(one.name == other.name)
    if isinstance(one, BaseException) and not same(one.args, other.args):
        return False
    if isinstance(one, LaceError | Program | Group | Run):
        return same(vars(one), vars(other))
    if isinstance(one, Provenances):
        known = [(each._text, each._saved, each._terms, each._name) for each in (one, other)]
        return same(known[0], known[1]) and same(one._made, other._made)
    return callable(one)  # features and decoders are tested by what they make


@pytest.mark.parametrize("name", EXAMPLES)
def test_everything_public_stays_the_same(name: str, again: Callable[[Any], Any]) -> None:
    example = EXAMPLES[name]()
    assert same(again(example), example)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_errors_stay_whole(kind: type[LaceError], again: Callable[[Any], Any]) -> None:
    error = error_of(kind)
    error.add_note("in the second file")
    other = again(error)
    assert (type(other), str(other), vars(other)) == (kind, str(error), vars(error))
    assert other.exit_code == error.exit_code


@pytest.mark.parametrize(
    "source", [PROGRAM, *(f"sample 2 from ffhq where {text} as g\n" for text in CONDITIONS)]
)
def test_trees_of_programs_stay_the_same(source: str, again: Callable[[Any], Any]) -> None:
    for tree in (parse(source), lacelang.compile(source).checked):
        assert same(again(tree), tree)


def test_every_status_is_itself(again: Callable[[Any], Any]) -> None:
    assert all(again(status) is status for status in Status)


def test_a_program_runs_to_the_same_bits(again: Callable[[Any], Any]) -> None:
    made = program(statement(), edit())
    assert same(again(made).run()["edited"].w, made.run()["edited"].w)


def test_a_group_decodes(again: Callable[[Any], Any], loaded: list[TinyModel]) -> None:
    for group in run().groups.values():
        other = again(group)
        loaded.clear()
        assert same(other.w, group.w)
        assert not loaded
        assert [face.tobytes() for face in other.images] == [f.tobytes() for f in group.images]
        films = [[face.tobytes() for face in film] for film in group.films]
        assert [[face.tobytes() for face in film] for film in other.films] == films


def test_a_pickle_holds_no_weights_and_a_deep_copy_shares_them(loaded: list[TinyModel]) -> None:
    one = energy()
    assert b"torch._utils" not in pickle.dumps(one)
    loaded.clear()
    assert same(copy.deepcopy(one)(torch.zeros(1, 8)), one(torch.zeros(1, 8)))
    assert copy.deepcopy(run()["kids"]).images
    assert not loaded


@pytest.mark.parametrize("space", ["w", "z"])
def test_energies_give_the_same_values(
    space: str, again: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = TinyModel()
    model.space = space  # type: ignore[assignment]
    monkeypatch.setattr(loading, "load", lambda *_: model)
    z = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    one = energy()
    other = again(one)
    assert same(other(z), one(z))
    assert same(other.value_and_grad(z), one.value_and_grad(z))
    assert same(other.prior(z), one.prior(z))
    assert again(one.node) == one.node


def test_an_energy_of_a_local_function_says_why_it_is_not_pickled() -> None:
    local = ConditionalEnergy(lambda z: {"glasses": z[:, :2]}, energy().node)
    assert copy.deepcopy(local) is local
    with pytest.raises(TypeError, match="define it at the top of a module"):
        pickle.dumps(local)


def test_a_device_that_is_missing_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    model = TinyModel()
    model.device = torch.device("cuda")
    kept = pickle.dumps(model)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pickle.loads(kept).device == torch.device("cpu")


def _work(made: Program, arguments: dict[str, Any]) -> None:
    made.run(**arguments)


def test_errors_of_workers_arrive_whole(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    faces = lacelang.compile("sample 1 from ffhq as g")
    cases: list[tuple[Program, dict[str, Any], type[LaceError]]] = [
        (lacelang.compile("let old = age>60"), {}, ProgramError),
        (faces, {"only": "h"}, UsageError),
        (faces, {"out": tmp_path / "file" / "out"}, ResourceError),
    ]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for made, arguments, kind in cases:
            with pytest.raises(kind) as here:
                made.run(**arguments)
            there = pool.submit(_work, made, arguments).exception()
            assert type(there) is kind
            assert str(there) == str(here.value)
            assert there.diagnostics == here.value.diagnostics
            assert there.exit_code == here.value.exit_code
            assert getattr(there, "remedy", None) == getattr(here.value, "remedy", None)
