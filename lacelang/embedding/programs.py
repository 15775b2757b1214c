"""Programs without text: one group of samples, and definitions that Python puts into a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lacelang.embedding.algebra import Condition, condition
from lacelang.embedding.fragments import is_name, number_of, value_of, word_of
from lacelang.errors import UsageError
from lacelang.program import Device, Program, compile
from lacelang.syntax.unparse import unparse

if TYPE_CHECKING:
    from lacelang.energy import ConditionalEnergy

Definition: TypeAlias = Condition | float | str
"""What a name may stand for: a condition, as such or as text, or a number."""


def sampling(
    model: str,
    where: Condition | str | None = None,
    *,
    count: int | None = None,
    name: str | None = None,
    seed: int | None = None,
    truncation: float | None = None,
    temp: float | None = None,
    logit_temp: float | None = None,
    sampler: str | None = None,
    options: Mapping[str, float | str] | None = None,
    contrast: float | None = None,
    disjunction: Literal["equal", "balanced"] | None = None,
    sigma: Literal["residual", "paper"] | None = None,
    imports: Sequence[str] = (),
    path: str | Path | None = None,
) -> Program:
    """Return a program of one `sample` statement, printed, and checked like any other.

    What is left out is left out of the statement, whose defaults then hold.

    Args:
        model: whose samples, e.g. `ffhq`.
        where: what they must be like; None asks for draws from the prior.
        count: how many.
        name: of the group; `sample1` if none is given.
        seed: sample i depends on the program, the seed and i alone.
        truncation: psi, in (0, 1].
        temp: temperature of every discrete comparison without one of its own.
        logit_temp: the same in the paper's form; not together with `temp`.
        sampler: its name, e.g. `heun`.
        options: of the sampler, e.g. `{"tolerance": 1e-2}`.
        contrast: lambda of the paper's negation; None takes the complement.
        disjunction: how the arms of an `or` are weighed.
        sigma: where the spread of measured attributes comes from.
        imports: modules of the standard library by name, or files, whose definitions and models
            may be used.
        path: the file that relative imports count from.

    Raises:
        ProgramError: the program is wrong; its diagnostics show the printed text.
        UsageError: an argument is not of its kind.
    """
    lines = [f"import {_module(module)}" for module in imports]
    counted = "" if count is None else f" {_number(count, 'count')}"
    lines.append(f"sample{counted} from {word_of(model, 'the name of a model').name}")
    if where is not None:
        lines.append(f"  where {_condition(where)}")
    if temp is not None and logit_temp is not None:
        raise UsageError("`temp` and `logit_temp` are two forms of one setting; give one of them")
    if temp is not None:
        lines.append(f"  temp {_number(temp, 'temp')}")
    if logit_temp is not None:
        lines.append(f"  temp logit({_number(logit_temp, 'logit_temp')})")
    for keyword, value in {"truncation": truncation, "seed": seed}.items():
        if value is not None:
            lines.append(f"  {keyword} {_number(value, keyword)}")
    if sampler is not None:
        lines.append(f"  with {_sampler(sampler, options or {})}")
    elif options:
        raise UsageError('options are of a sampler; name it: sampler="heun"')
    if contrast is not None:
        lines.append(f"  negation contrast({_number(contrast, 'contrast')})")
    for keyword, word in {"disjunction": disjunction, "sigma": sigma}.items():
        if word is not None:
            lines.append(f"  {keyword} {word_of(word, f'what `{keyword}` says').name}")
    if name is not None:
        lines.append(f"  as {_group(name)}")
    return compile(_laid_out("\n".join(lines) + "\n"), path)


def energy_of(
    where: Condition | str,
    model: str,
    *,
    truncation: float | None = None,
    temp: float | None = None,
    logit_temp: float | None = None,
    contrast: float | None = None,
    disjunction: Literal["equal", "balanced"] | None = None,
    sigma: Literal["residual", "paper"] | None = None,
    imports: Sequence[str] = (),
    path: str | Path | None = None,
    device: Device = "auto",
) -> ConditionalEnergy:
    """Return the conditional energy of a condition on a model's latents; see `Program.energy`.

    Args:
        where: the condition.
        model: whose latents, e.g. `ffhq`.
        truncation, temp, logit_temp, contrast, disjunction, sigma, imports, path: as in `sampling`.
        device: where to compute; `auto` takes a GPU if there is one.

    Raises:
        ProgramError: the condition is wrong.
        UsageError: an argument is not of its kind.
        ResourceError: weights cannot be had.
    """
    program = sampling(
        model,
        where,
        truncation=truncation,
        temp=temp,
        logit_temp=logit_temp,
        contrast=contrast,
        disjunction=disjunction,
        sigma=sigma,
        imports=imports,
        path=path,
    )
    return program.energy(program.groups[0], device)


def with_definitions(source: str, definitions: Mapping[str, Definition]) -> str:
    """Return the program with definitions below it, as if its author had written them there.

    They stand at the end, so that the lines of `source` keep their numbers; the order of
    definitions does not matter to a program.

    Raises:
        ProgramError: the text of a condition has syntax errors.
        UsageError: a name is none, or stands for something else than a condition or a number.
    """
    lets = []
    for name, meaning in definitions.items():
        word = word_of(name, "the name of a definition")
        lets.append(_laid_out(f"let {word.name} = {_definition(meaning)}\n"))
    if not lets:
        return source
    return "\n".join([source.removesuffix("\n"), "", "# Defined in Python.", *lets])


def _definition(meaning: Definition) -> str:
    if isinstance(meaning, Condition | str):
        return _condition(meaning)
    return _number(meaning, "a definition")


def _condition(where: Condition | str) -> str:
    if isinstance(where, Condition):
        return str(where)
    return str(condition(where))


def _number(value: object, what: str) -> str:
    return unparse(number_of(value, f"`{what}`"))


def _sampler(name: str, options: Mapping[str, float | str]) -> str:
    given = [
        f"{word_of(option, 'the name of an option').name}={unparse(value_of(value, f'`{option}`'))}"
        for option, value in options.items()
    ]
    word = word_of(name, "the name of a sampler").name
    return f"{word}({', '.join(given)})" if given else word


def _group(name: str) -> str:
    return name if is_name(name) else _quoted(name, "the name of a group")


def _module(name: str) -> str:
    return name if is_name(name) else _quoted(name, "the name of a module or a file")


def _quoted(text: str, what: str) -> str:
    if not isinstance(text, str) or '"' in text or "\n" in text:
        raise UsageError(f"{text!r} cannot be {what}")
    return f'"{text}"'


def _laid_out(text: str) -> str:
    from lacelang.syntax.format import format_source

    return format_source(text)
