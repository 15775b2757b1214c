"""Files of prompts: what describes each class of an attribute, in words.

    templates = ["a photo of {}", "a picture of {}"]      # optional, for all attributes

    [animal]                                              # an attribute of the model
    cat = "a cat"                                         # a class: one prompt, or several
    dog = ["a dog", "a puppy"]
    templates = ["a photo of the face of {}"]             # optional, in place of the others

A class of a binary attribute is 0 or 1.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attrs import frozen

from lacelang.errors import ResourceError, UsageError
from lacelang.storage.files import read_regular
from lacelang.text.names import nfc

TEMPLATES = "templates"
THRESHOLD = "threshold"
_SLOT = "{}"
_LARGEST = 2**20


@frozen
class Described:
    """An attribute and its prompts: by class, in the order of the declaration."""

    name: str
    prompts: tuple[tuple[str, ...], ...]
    templates: tuple[str, ...]
    threshold: float | None = None

    def sentences(self, number: int) -> list[str]:
        """All prompts of a class in all templates."""
        return [t.replace(_SLOT, p) for p in self.prompts[number] for t in self.templates]


@frozen
class Prompts:
    """What a file of prompts says."""

    path: str
    attributes: tuple[Described, ...]


def read(path: Path, classes: Mapping[str, tuple[str, ...]]) -> Prompts:
    """Read a file of prompts for attributes with these classes, () of a number.

    Raises:
        UsageError: it is no TOML, or does not fit the attributes; the message names the place.
        ResourceError: it cannot be read.
    """
    data = read_regular(path, _LARGEST)
    if data is None:
        remedy = "name a file of prompts; docs/annotators.md shows one"
        raise ResourceError(f"there is no file of prompts at {path}, or it is too long", remedy)
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from None
    reader = _Reader(path, classes)
    templates = reader.templates(table.pop(TEMPLATES, [_SLOT]), "")
    found = tuple(reader.attribute(name, value, templates) for name, value in table.items())
    if not found:
        raise UsageError(f"{path} describes no attribute: add a table such as [glasses]")
    return Prompts(str(path), found)


@frozen
class _Reader:
    path: Path
    classes: Mapping[str, tuple[str, ...]]

    def attribute(self, name: str, table: Any, templates: tuple[str, ...]) -> Described:
        name = nfc(name)
        if name not in self.classes:
            meant = _meant(name, self.classes)
            raise UsageError(f"{self.path}: the model declares no attribute `{name}`{meant}")
        if not self.classes[name]:
            raise UsageError(f"{self.path}: `{name}` is a number; words can describe classes only")
        if not isinstance(table, dict):
            raise UsageError(f"{self.path}: `{name}` is no table of classes: write [{name}]")
        own = dict(table)
        if TEMPLATES in own and TEMPLATES not in self.classes[name]:
            templates = self.templates(own.pop(TEMPLATES), f"{name}: ")
        threshold = own.pop(THRESHOLD, None) if THRESHOLD not in self.classes[name] else None
        if threshold is not None and not (
            isinstance(threshold, int | float) and 0 <= threshold <= 1
        ):
            raise UsageError(f"{self.path}: {name}: the threshold is not a number from 0 to 1")
        wanted = self.classes[name]
        own = {nfc(key): value for key, value in own.items()}
        for key in own:
            if key not in wanted:
                meant = _meant(key, wanted) or f"; it has {', '.join(wanted)}"
                raise UsageError(f"{self.path}: `{name}` has no class `{key}`{meant}")
        prompts = tuple(self._prompts(name, key, own.get(key, [])) for key in wanted)
        return Described(name, prompts, templates, threshold)

    def _prompts(self, name: str, key: str, value: Any) -> tuple[str, ...]:
        prompts = [value] if isinstance(value, str) else value
        if not isinstance(prompts, list) or not all(isinstance(p, str) for p in prompts):
            raise UsageError(f"{self.path}: {name}: `{key}` is no text, nor a list of texts")
        if not all(prompt.strip() for prompt in prompts):
            raise UsageError(f"{self.path}: {name}: a prompt of `{key}` is empty")
        return tuple(prompt.strip() for prompt in prompts)

    def templates(self, value: Any, where: str) -> tuple[str, ...]:
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not found or not all(isinstance(t, str) for t in found):
            raise UsageError(f"{self.path}: {where}templates are no list of texts")
        for template in found:
            if template.count(_SLOT) != 1:
                raise UsageError(
                    f"{self.path}: {where}the template {template!r} has no {{}} for the prompt, or "
                    "more than one"
                )
        return tuple(found)


def _meant(name: str, names: Mapping[str, object] | tuple[str, ...]) -> str:
    close = get_close_matches(name, list(names), 1)
    return f"; did you mean `{close[0]}`?" if close else ""


def require_all(prompts: Prompts, classes: Mapping[str, tuple[str, ...]]) -> None:
    """Raise a UsageError if a class has no prompt."""
    for attribute in prompts.attributes:
        for key, texts in zip(classes[attribute.name], attribute.prompts, strict=True):
            if not texts:
                raise UsageError(
                    f"{prompts.path}: {attribute.name}: the class `{key}` has no prompt"
                )
