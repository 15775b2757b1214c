"""`lacelang models`: models, their attributes and their weights."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lacelang.errors import UsageError
from lacelang.ir import ModelSpec
from lacelang.semantics.modules import library_models
from lacelang.text.names import nfc


def list_models(arguments: Namespace) -> int:
    """Print one line for each model."""
    for _, spec in sorted(library_models().items()):
        state = "here" if _is_here(spec) else "not fetched"
        print(f"{spec.name:<12} {spec.generator:<16} {spec.origin or 'nowhere':<28} {state}")
    return 0


def show_model(arguments: Namespace) -> int:
    """Print a model's attributes and where it comes from."""
    from lacelang.system.filenames import on_disk

    spec = find_model(arguments.name)
    print(f"{spec.name}: {spec.generator} from {spec.origin or 'nowhere'}")
    if spec.sha256:
        print(f"  sha256       {spec.sha256}")
    print(f"  weights      {'here' if _is_here(spec) else f'lacelang models fetch {spec.name}'}")
    classifiers = "none"
    if spec.classifiers is not None:
        here = ((spec.path or Path()) / on_disk(spec.classifiers)).is_file()
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
    from lacelang.semantics.weights import weights_of
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


def find_model(name: str) -> ModelSpec:
    """Return the model of the standard library called `name`."""
    models = library_models()
    if nfc(name) not in models:
        raise UsageError(f"no model {name!r}; there are: {', '.join(sorted(models)) or 'none'}")
    return models[nfc(name)]


def _is_here(spec: ModelSpec) -> bool:
    from lacelang.storage.fetch import Archive, cached_path

    if spec.package is None or spec.version is None or spec.sha256 is None:
        return False
    return cached_path(Archive(spec.package, spec.version, spec.sha256)).is_file()
