"""Programs without text: one group of samples, and definitions that Python puts into a program."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Literal, TypeAlias

from lacelang import arguments
from lacelang.api import Device, Program, compile
from lacelang.embedding.algebra import Attr, Condition, condition
from lacelang.embedding.fragments import is_name, number_of, value_of, word_of
from lacelang.errors import UsageError
from lacelang.syntax.unparse import unparse

if TYPE_CHECKING:
    from lacelang.energy import ConditionalEnergy

Definition: TypeAlias = Condition | float | str
"""What a name may stand for: a condition, as such or as text, or a number."""

# Categories of Unicode that no quoted text holds: what ends lines, is not seen, or is no character.
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


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
    imports: str | PathLike[str] | Sequence[str | PathLike[str]] = (),
    path: str | PathLike[str] | None = None,
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
    lines = [f"import {module}" for module in _modules(imports)]
    counted = "" if count is None else f" {_number(count, 'count')}"
    lines.append(f"sample{counted} from {word_of(model, 'the name of a model').name}")
    if where is not None:
        lines.append(f"  where {_condition(where, 'where')}")
    if temp is not None and logit_temp is not None:
        raise UsageError("`temp` and `logit_temp` are two forms of one setting; give one of them")
    if temp is not None:
        lines.append(f"  temp {_number(temp, 'temp')}")
    if logit_temp is not None:
        lines.append(f"  temp logit({_number(logit_temp, 'logit_temp')})")
    for keyword, value in {"truncation": truncation, "seed": seed}.items():
        if value is not None:
            lines.append(f"  {keyword} {_number(value, keyword)}")
    given = arguments.mapping(options, "options", "names to numbers or words")
    if sampler is not None:
        lines.append(f"  with {_sampler(sampler, given)}")
    elif given:
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
    imports: str | PathLike[str] | Sequence[str | PathLike[str]] = (),
    path: str | PathLike[str] | None = None,
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
    if where is None:
        arguments.refuse(where, "where", "is a condition or the text of a condition")
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
        word = word_of(name, "the name of a definition in `definitions`").name
        meant = _definition(meaning, f"definitions[{word!r}]")
        lets.append(_laid_out(f"let {word} = {meant}\n"))
    if not lets:
        return source
    return "\n".join([source.removesuffix("\n"), "", "# Defined in Python.", *lets])


def _definition(meaning: Definition, name: str) -> str:
    if isinstance(arguments.item(meaning), Condition | Attr | str):
        return _condition(meaning, name)
    return _number(meaning, name)


def _condition(where: object, name: str) -> str:
    if isinstance(where, Condition):
        return str(where)
    if isinstance(where, Attr):
        arguments.refuse(where, name, f"is a condition, like `{where!r} == 1`")
    text = arguments.text(where, name, "a condition or the text of a condition")
    try:
        return str(condition(text))
    except UsageError as error:
        raise UsageError(f"`{name}`: {error}") from None


def _number(value: object, name: str) -> str:
    return unparse(number_of(value, name))


def _sampler(name: str, options: Mapping[str, float | str]) -> str:
    given = [
        f"{word_of(option, 'the name of an option in `options`').name}="
        f"{unparse(value_of(value, f'options[{option!r}]'))}"
        for option, value in options.items()
    ]
    word = word_of(name, "the name of a sampler").name
    return f"{word}({', '.join(given)})" if given else word


def _group(name: object) -> str:
    if not isinstance(arguments.item(name), str):
        arguments.refuse(name, "name", "is the name of a group")
    return _named(arguments.text(name, "name", "text"), "the name of a group")


def _modules(imports: object) -> list[str]:
    if isinstance(arguments.item(imports), str | PathLike):
        imports = [imports]
    given = arguments.several(imports, "imports", "several names of modules or files")
    paths = [arguments.path(each, "imports", "a file or the name of a module") for each in given]
    return [_named(str(path), "a module or a file in `imports`") for path in paths]


def _named(text: str, what: str) -> str:
    if is_name(text):
        return text
    if '"' in text or any(unicodedata.category(letter) in _UNSEEN for letter in text):
        raise UsageError(f"{arguments.shown(text)} cannot be {what}")
    return f'"{text}"'


def _laid_out(text: str) -> str:
    from lacelang.syntax.format import format_source

    return format_source(text)
