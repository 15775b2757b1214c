"""Parts of a program's text, written from Python values."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from os import PathLike
from typing import TypeAlias

from lacelang import arguments
from lacelang.embedding.algebra import Attr, Condition, condition
from lacelang.embedding.fragments import is_name, number_of, value_of, word_of
from lacelang.errors import UsageError
from lacelang.syntax.unparse import unparse

Definition: TypeAlias = Condition | float | str
"""What a name may stand for: a condition, as such or as text, or a number."""

# Categories of Unicode that no quoted text holds: what ends lines, is not seen, or is no character.
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


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
        lets.append(laid_out(f"let {word} = {meant}\n"))
    if not lets:
        return source
    return "\n".join([source.removesuffix("\n"), "", "# Defined in Python.", *lets])


def _definition(meaning: Definition, name: str) -> str:
    if isinstance(arguments.item(meaning), Condition | Attr | str):
        return condition_text(meaning, name)
    return number_text(meaning, name)


def condition_text(where: object, name: str) -> str:
    """Return the text of a condition.

    Raises:
        UsageError: it is none; `name` is that of the argument.
    """
    if isinstance(where, Condition):
        return str(where)
    if isinstance(where, Attr):
        arguments.refuse(where, name, f"is a condition, like `{where!r} == 1`")
    text = arguments.text(where, name, "a condition or the text of a condition")
    try:
        return str(condition(text))
    except UsageError as error:
        raise UsageError(f"`{name}`: {error}") from None


def number_text(value: object, name: str) -> str:
    """Return the text of a number.

    Raises:
        UsageError: it is none; `name` is that of the argument.
    """
    return unparse(number_of(value, name))


def sampler_text(name: str, options: Mapping[str, float | str]) -> str:
    """Return the text of a sampler and its options.

    Raises:
        UsageError: it is none; `name` is that of the argument.
    """
    given = [
        f"{word_of(option, 'the name of an option in `options`').name}="
        f"{unparse(value_of(value, f'options[{option!r}]'))}"
        for option, value in options.items()
    ]
    word = word_of(name, "the name of a sampler").name
    return f"{word}({', '.join(given)})" if given else word


def group_text(name: object) -> str:
    """Return a group's name, in quotes where it needs them.

    Raises:
        UsageError: it is none; `name` is that of the argument.
    """
    if not isinstance(arguments.item(name), str):
        arguments.refuse(name, "name", "is the name of a group")
    return _named(arguments.text(name, "name", "text"), "the name of a group")


def module_texts(imports: object) -> list[str]:
    """Return the modules of `import` lines.

    Raises:
        UsageError: it is none; `name` is that of the argument.
    """
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


def laid_out(text: str) -> str:
    """Return a program as the formatter lays it out."""
    from lacelang.syntax.format import format_source

    return format_source(text)
