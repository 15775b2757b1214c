"""Attributes that the user has taught a model, read from their files without classifiers."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import evolve

from lacelang import ir
from lacelang.storage.user_models import attributes_dir, file_of, header_of
from lacelang.text.names import nfc

SUFFIX = ".safetensors"


def with_taught(spec: ir.ModelSpec) -> ir.ModelSpec:
    """Return a model of the library with the attributes that it was taught, behind its own.

    Only the headers of their files are read. A file that cannot be used takes no attribute away
    but its own. An attribute that the model declares can be taught while its classifiers have not
    been trained.
    """
    folder = attributes_dir(spec.name)
    try:
        files = sorted(folder.glob(f"*{SUFFIX}"))
    except OSError:
        return spec
    declared = {attribute.name: attribute for attribute in spec.attributes}
    is_trained = has_classifiers(spec)
    found: list[ir.Attribute] = []
    taught: dict[str, Path] = {}
    damaged: dict[str, str] = {}
    for file in files:
        name = nfc(file.name.removesuffix(SUFFIX))
        if name.startswith(".") or name in taught or (name in declared and is_trained):
            continue
        try:
            attribute = _described(file, name, spec)
            if name not in declared:
                found.append(attribute)
            elif ir.fields_of(attribute) != ir.fields_of(declared[name]):
                raise ValueError("it is of another kind than the model declares")
            taught[name] = file
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            damaged[name] = f"{file} cannot be used: {error}"
    if not (taught or damaged):
        return spec
    return evolve(spec, attributes=(*spec.attributes, *found), taught=taught, damaged=damaged)


def has_classifiers(spec: ir.ModelSpec) -> bool:
    """Whether the classifiers that a model declares are there."""
    return spec.classifiers is not None and file_of(spec.path, spec.classifiers).exists()


def using(model: ir.ModelSpec, *asked: ir.Predicate | None) -> ir.ModelSpec:
    """Return a model with those of its taught attributes only that a statement asks for."""
    if not (model.taught or model.damaged):
        return model
    names = ir.attributes(*(predicate for predicate in asked if predicate is not None))
    used = model.using(names)
    if has_classifiers(model):
        return used
    # Those that it declares are known only where they are taught.
    return evolve(used, attributes=tuple(a for a in used.attributes if a.name in names))


def _described(file: Path, name: str, spec: ir.ModelSpec) -> ir.Attribute:
    heads = json.loads(header_of(file)["heads"])
    (fields,), report = heads["attributes"], heads["report"]
    attribute = ir.attribute_of(**fields, layers=report["layers"])
    if attribute.name != name:
        raise ValueError(f"it is of the attribute {attribute.name}")
    if (report["generator"], report["space"]) != (spec.identity, spec.space):
        raise ValueError(f"it was taught on another generator than {spec.name} has now")
    return attribute
