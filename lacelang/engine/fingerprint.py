"""What a group's samples depend on, as a digest and for a reader."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from lacelang.ir import (
    Attribute,
    EditStatement,
    ExpectStatement,
    ModelSpec,
    PhotoStatement,
    Predicate,
    SamplerChoice,
    SampleStatement,
    Statement,
    StatementRecord,
)
from lacelang.samplers import SAMPLERS
from lacelang.storage.cache import sha256_of
from lacelang.storage.records import LoopRecord, TurnRecord
from lacelang.text.numerals import number_text
from lacelang.version import __version__

#: Raised when samplers or energies give other numbers, so that no run continues with old ones.
_NUMBERS = 6
_NUMBERS_OF_EDITS = 7

# Of a statement, what changes no sample: names, how many, and what is for display only.
_IGNORED = frozenset({"name", "count", "path", "points", "layers", "layout", "shown", "paste"})
# Clauses that came later, and their values in statements without them, whose digests stay.
_LATER = {"keep": 0.0}


def fingerprint(
    statement: Statement, seed: int, weights: Mapping[str, str], source: str | None = None
) -> str:
    """Return a digest of all that a measure, or sample i of a group, depends on, except i.

    Args:
        statement: resolved, so that two spellings of one meaning share their digest.
        seed: the one in force.
        weights: what the model's files and its device are, by role.
        source: of an edit, a digest of what it begins from.
    """
    model = statement.model
    # What is edited is known by its digest, whatever its name.
    begun = "file" if isinstance(statement, PhotoStatement) else "group"
    own: dict[str, Any] = {"seed": seed} if source is None else {begun: source}
    if hasattr(statement, "saved"):
        own["saved"] = None
    content = {
        "lacelang": __version__,
        "numbers": _NUMBERS if source is None else _NUMBERS_OF_EDITS,
        "statement": _plain(attrs.evolve(statement, model=ModelSpec("", ""), **own)),
        "generator": [model.generator, model.package, model.version, model.sha256, model.space],
        "weights": dict(weights),
    }
    text = json.dumps(content, sort_keys=True, allow_nan=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def settings_of(
    statement: SampleStatement | EditStatement, weights: Mapping[str, str], truncation: float
) -> dict[str, Any]:
    """Return what run.json and the sheet say of how a group was made."""
    model, options = statement.model, statement.options
    drawn = getattr(statement, "where", True) is None
    settings: dict[str, Any] = {
        "model": model.name,
        "generator": model.generator,
        "weights": dict(weights),
        "sampler": "prior" if drawn else sampler_text(statement.sampler),
        "options": {} if drawn else dict(statement.sampler.options),
        "truncation": truncation,
        "negation": " ".join(str(part) for part in options.negation),
        "disjunction": options.disjunction,
        "sigma": options.sigma,
    }
    verified = getattr(statement, "verified", None)
    if verified is not None:
        settings["verified"] = verified
    if options.temp is not None:
        settings["temp"] = options.temp
    if options.logit_temp is not None:
        settings["logit_temp"] = options.logit_temp
    return settings


def sampler_text(choice: SamplerChoice) -> str:
    """The sampler as a program names it, with the options that are not the default ones."""
    table = SAMPLERS.get(choice.name)
    usual = {} if table is None else table.complete({})
    changed = {name: v for name, v in choice.options.items() if usual.get(name) != v}
    options = ", ".join(f"{name}={number_text(value)}" for name, value in changed.items())
    return f"{choice.name}({options})" if options else choice.name


def condition_text(where: Predicate | ExpectStatement | None) -> str:
    """A condition as it was written, on one line; nothing for draws from the prior."""
    return "" if where is None else " ".join(where.text.split())


def loop_of(statement: Statement) -> LoopRecord | None:
    """The turns of the loops that a statement stands in; None outside of loops."""
    if statement.makes != "group" or not statement.turns:
        return None
    turns = tuple(TurnRecord(each.variable, each.value) for each in statement.turns)
    return LoopRecord(f"{statement.span.line}:{statement.span.column}", turns)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; `missing` where it cannot be read to its end."""
    try:
        return sha256_of(path) if path.is_file() else "missing"
    except OSError:
        return "missing"


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        if isinstance(value, Attribute) and value.limits is not None:
            return [type(value).__name__, value.name, *value.limits]
        named = isinstance(value, StatementRecord | ModelSpec)
        fields = {
            field.name: _plain(getattr(value, field.name))
            for field in attrs.fields(type(value))
            if field.eq and (field.name not in _IGNORED or (field.name == "name" and not named))
        }
        if named:
            fields = {k: v for k, v in fields.items() if k not in _LATER or v != _LATER[k]}
        return [type(value).__name__, fields]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in sorted(value.items())}
    if isinstance(value, frozenset | set):
        return sorted(_plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"no fingerprint of a {type(value).__name__}")
