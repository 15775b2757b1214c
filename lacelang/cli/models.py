"""`lacelang models`: models, their attributes and their weights."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lacelang.errors import UsageError
from lacelang.ir import ModelSpec
from lacelang.semantics.modules import declared_in, library_files, library_models
from lacelang.semantics.weights import is_imported, weights_of
from lacelang.storage.user_models import file_of
from lacelang.text.names import nfc


def list_models(arguments: Namespace) -> int:
    """Print one line for each model."""
    for _, spec in sorted(library_models().items()):
        state = "here" if _is_here(spec) else _MISSING[is_imported(spec)]
        print(f"{spec.name:<12} {spec.generator:<16} {spec.origin or 'nowhere':<28} {state}")
    return 0


def show_model(arguments: Namespace) -> int:
    """Print a model's attributes and where it comes from."""
    spec = find_model(arguments.name)
    print(f"{spec.name}: {spec.generator} from {spec.origin or 'nowhere'}")
    if spec.sha256:
        print(f"  sha256       {spec.sha256}")
    print(f"  weights      {'here' if _is_here(spec) else _how_to_get(spec)}")
    classifiers = "none"
    if spec.classifiers is not None:
        here = file_of(spec.path, spec.classifiers).is_file()
        classifiers = f"{spec.classifiers} on {spec.space}{'' if here else ', missing'}"
    print(f"  classifiers  {classifiers}\n  attributes")
    for line in spec.attribute_lines:
        print(f"    {line}")
    return 0


def fetch_model(arguments: Namespace) -> int:
    """Fetch a model's archive, or take it from a file, and convert it."""
    from lacelang.generators import ARCHITECTURES
    from lacelang.generators.declaration import choose_device
    from lacelang.progress import shown
    from lacelang.storage.fetch import Archive, adopt

    spec = find_model(arguments.name)
    weights, given = weights_of(spec), vars(arguments)["from"]
    with shown() as progress:
        if given is not None and isinstance(weights, Archive):
            adopt(weights, given)
        ARCHITECTURES[spec.generator].load(
            weights,
            choose_device("cpu"),
            progress=progress,
            help_=f"lacelang models fetch {spec.name} --from FILE",
        )
    print(f"{spec.name} is ready")
    return 0


def import_model(arguments: Namespace) -> int:
    """Import a generator from a published file, and say what to do next."""
    from lacelang.engine.importing import import_generator
    from lacelang.progress import shown

    with shown() as progress:
        made = import_generator(
            Path(arguments.file), arguments.name, replace=arguments.replace, progress=progress
        )
        for note in made.notes:
            progress.note(note)
    print(f"{made.name}: {made.text}, in {made.weights}")
    declared = (
        "" if made.declaration is None else f"\nDeclare its attributes in {made.declaration}."
    )
    print(
        f"Try `sample 8 from {made.name}` in a program or at the prompt.{declared}\n"
        f"For conditions, `lacelang label {made.name}` and `lacelang train {made.name}`, "
        f"or `lacelang teach {made.name}`."
    )
    return 0


def find_model(name: str) -> ModelSpec:
    """Return the model of the standard library or of the user that is called `name`."""
    models = library_models()
    file = library_files().get(nfc(name))
    if nfc(name) not in models and file is not None:
        declared_in(file)  # says what is wrong with it
    if nfc(name) not in models:
        raise UsageError(f"no model {name!r}; there are: {', '.join(sorted(models)) or 'none'}")
    return models[nfc(name)]


_MISSING = {False: "not fetched", True: "not imported"}


def _how_to_get(spec: ModelSpec) -> str:
    if is_imported(spec):
        return f"lacelang models import {spec.file} --name {spec.name}"
    if spec.file is not None:
        return "missing"
    return f"lacelang models fetch {spec.name}"


def _is_here(spec: ModelSpec) -> bool:
    from lacelang.storage.fetch import Archive, cached_path

    weights = weights_of(spec)
    if weights is None:
        return True
    place = cached_path(weights) if isinstance(weights, Archive) else weights.path
    return place.is_file()
