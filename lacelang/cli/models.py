"""`lacelang models`: what models there are, what can be asked of each, and their weights."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.errors import UsageError
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from lacelang.ir import ModelSpec


def list_models(arguments: Namespace) -> int:
    """Print one line for each model."""
    for spec in shipped_models():
        state = "here" if _is_here(spec) else "not fetched"
        print(f"{spec.name:<12} {spec.generator:<16} {_origin(spec):<28} {state}")
    return 0


def show_model(arguments: Namespace) -> int:
    """Print what a program can ask of a model."""

    spec = find_model(arguments.name)
    print(f"{spec.name}: {spec.generator} from {_origin(spec)}")
    if spec.sha256:
        print(f"  sha256       {spec.sha256}")
    print(f"  weights      {'here' if _is_here(spec) else f'lacelang models fetch {spec.name}'}")
    print(f"  classifiers  {_classifiers(spec)}")
    print("  attributes")
    for line in spec.attribute_lines:
        print(f"    {line}")
    return 0


def fetch_model(arguments: Namespace) -> int:
    """Fetch a model's archive, or take it from a file, and convert it."""
    from lacelang.engine.loading import weights_of
    from lacelang.generators import ARCHITECTURES
    from lacelang.generators.devices import choose_device
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


def shipped_models() -> tuple[ModelSpec, ...]:
    """Every model that a file of the standard library declares, by name."""
    from lacelang.resources import shipped
    from lacelang.semantics.check import check

    found: list[ModelSpec] = []
    for path in sorted(shipped("stdlib").glob("*.lace")):
        found += check(path.read_text(encoding="utf-8"), path).models
    return tuple(sorted(found, key=lambda spec: spec.name))


def find_model(name: str) -> ModelSpec:
    """Return the model called `name`.

    Raises:
        UsageError: there is none.
    """
    models = shipped_models()
    for spec in models:
        if spec.name == nfc(name):
            return spec
    known = ", ".join(spec.name for spec in models) or "none"
    raise UsageError(f"no model {name!r}; there are: {known}")


def _is_here(spec: ModelSpec) -> bool:
    from lacelang.storage.fetch import Archive, cached_path

    if spec.package is None or spec.version is None or spec.sha256 is None:
        return False
    return cached_path(Archive(spec.package, spec.version, spec.sha256)).is_file()


def _origin(spec: ModelSpec) -> str:
    if spec.package is not None:
        return f"{spec.package}=={spec.version}"
    return spec.file or "nowhere"


def _classifiers(spec: ModelSpec) -> str:
    from lacelang.system.filenames import on_disk

    if spec.classifiers is None:
        return "none"
    path = (spec.path or Path()) / on_disk(spec.classifiers)
    return f"{spec.classifiers} on {spec.space}{'' if path.is_file() else ', missing'}"
