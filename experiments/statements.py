"""From keys to judged groups: a spec identifies its statements by the keys of table cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from attrs import evolve

from experiments.annotations import Annotated, judge_groups
from lacelang.api import Program, compile
from lacelang.engine.loading import Model, load
from lacelang.ir import ModelSpec, SampleStatement
from lacelang.progress import Progress, Silent

K = TypeVar("K")

#: The model of the specs that have no `MODEL` of their own.
MODEL = "ffhq"
_UNNAMED = re.compile(r"[^\w .=-]")


def sample(count: int, where: str = "", clauses: str = "", seed: int = 0) -> str:
    """Return a `sample` statement without a name; without a condition it draws from the prior."""
    condition = f" where {where}" if where else ""
    return f"sample {count} from {MODEL}{condition} {clauses} seed {seed}"


def named(statements: Mapping[K, str]) -> str:
    """Return the statements as a program; a group's name is its key, joined by spaces."""
    lines = []
    for key, text in statements.items():
        words = key if isinstance(key, tuple) else (key,)
        name = _UNNAMED.sub(" ", " ".join(map(str, words)))
        lines.append(f'{text} as "{" ".join(name.split())}"')
    return "\n".join(lines)


def judge(
    statements: Mapping[K, str],
    progress: Progress,
    title: str = "judging",
    *,
    faces: int | None = None,
    identity: bool = False,
    change: Callable[[K, ModelSpec], ModelSpec] | None = None,
) -> dict[K, Annotated]:
    """Sample, decode and annotate the groups of all keys together; see `judge_groups`.

    `change` returns the model to sample with, by key, instead of the declared one.
    """
    program = compile(named(statements))
    if change is not None:
        models = (change(k, s.model) for k, s in zip(statements, program.samples, strict=True))
        program = with_models(program, models)
    groups = judge_groups(program, progress, title, faces=faces, identity=identity)
    return dict(zip(statements, groups, strict=True))


def with_models(program: Program, models: Iterable[ModelSpec]) -> Program:
    """A program whose `sample` statements use changed models, such as other classifiers."""
    pairs = zip(program.samples, models, strict=True)
    statements = tuple(evolve(statement, model=model) for statement, model in pairs)
    return Program(evolve(program.checked, statements=statements))


def run_of(text: str, change: Callable[[ModelSpec], ModelSpec]) -> Callable[[], object]:
    """Run a statement with a changed model."""
    program = compile(text)
    return with_models(program, [change(program.samples[0].model)]).run


def declared_model() -> ModelSpec:
    """The declaration of `MODEL`."""
    return compile(sample(1)).samples[0].model


def loaded_model(statement: SampleStatement, device: str = "auto") -> Model:
    """The model of a statement, loaded."""
    return load(statement.model, device, Silent())


def seed_of(statement: SampleStatement) -> int:
    """Return the seed that a statement names, 0 if it names none."""
    return statement.seed if isinstance(statement.seed, int) else 0
