"""Generators of the user's own: from a published file to a declared model in the user's folder."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import frozen

from lacelang.errors import ProgramError, ResourceError, UsageError
from lacelang.generators import ARCHITECTURES, Architecture
from lacelang.generators.declaration import Found
from lacelang.ir import ModelSpec
from lacelang.progress import Progress
from lacelang.semantics.check import check
from lacelang.semantics.modules import library_models
from lacelang.semantics.weights import is_imported
from lacelang.storage.cache import holding, sha256_of
from lacelang.storage.files import disk_errors, is_folder_name, make_folder, whole
from lacelang.storage.published import RefusedError, read_published
from lacelang.storage.published.records import shown
from lacelang.storage.user_models import digest_beside, imported_file, models_dir
from lacelang.text.names import nfc

REMEDY = (
    "give a file of the releases of StyleGAN2, StyleGAN2-ADA or StyleGAN3 (.pkl), or a checkpoint "
    "of rosinality's implementation (.pt)"
)

# What readers may raise of a file that is damaged where they do not look for it.
_DAMAGED = (
    ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError
)  # fmt: skip

_DECLARATION = """\
# {text}.
# Imported from {source}.
#
# Declare what conditions can use: attributes that annotators see can be labelled and trained,
# others can be taught. Examples are below; the layers are those that an edit replaces.

model {name} {{
  generator {architecture} from "{weights}"
    sha256 "{digest}"
  classifiers "{name}.safetensors" on w

  # attribute smile : binary  layers 0..{middle}
  # attribute age   : 0..70 years  {{ child = 10, adult = 35 }}
}}
"""


@frozen
class Imported:
    """What an import made.

    Attributes:
        name: the model's.
        text: what the generator is.
        weights: its file.
        declaration: the file that declares the model; None of one that the library declares.
        notes: what a person is told of the file.
    """

    name: str
    text: str
    weights: Path
    declaration: Path | None
    notes: tuple[str, ...]


def import_generator(
    path: Path, name: str | None, *, replace: bool, progress: Progress
) -> Imported:
    """Read a published file, and write weights and declaration into the user's folder of models.

    The file is read as data; nothing in it is run. `name` is the model's, by default that of the
    file. A model of the standard library that names a published file gets its weights.

    Raises:
        UsageError: the name cannot be one, or is taken.
        ResourceError: the file is another one, damaged or not whole, or the folder cannot be
            written. Then nothing is left there.
    """
    name = _named(path) if name is None else nfc(name)
    declared = _declared(name)
    _refuse_taken(name, declared, replace)
    with progress.stage(f"reading {path.name}") as stage:
        architecture, found = _found(path)
        stage.advance()
    if declared is not None:
        _refuse_unfit(declared, architecture, found)
    weights = imported_file(name)
    declaration = None if declared is not None else _declaration_file(name)
    make_folder(weights.parent)
    with _writing(weights.parent), ExitStack() as stack:
        new = stack.enter_context(whole(weights, flush=True))
        found.save(new, progress)
        digest = sha256_of(new)
        beside = digest_beside(weights) if declaration is None else declaration
        text = f"{digest}  {weights.name}\n"
        if declaration is not None:
            text = _text(name, architecture, found, path, digest)
            _refuse_wrong(name, text)
        stack.enter_context(whole(beside, flush=True)).write_text(text, encoding="utf-8")
    return Imported(name, found.text, weights, declaration, tuple(found.notes))


def _named(path: Path) -> str:
    """Return a model's name for a file: what of the file's name can stand in one."""
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain).strip("_")
    return f"model_{name}" if not name or name[0].isdigit() else name


def _declared(name: str) -> ModelSpec | None:
    """Return the model of the standard library that has the name."""
    spec = library_models().get(name)
    return None if spec is None or spec.path == models_dir() else spec


def _declaration_file(name: str) -> Path:
    return models_dir() / f"{name}.lace"


def _refuse_taken(name: str, declared: ModelSpec | None, replace: bool) -> None:
    if declared is not None and not is_imported(declared):
        raise UsageError(
            f"{name} is a model of the standard library, whose weights come from "
            f"{declared.origin}; choose another `name`",
            "name",
        )
    if declared is None:
        _refuse_wrong(name, f"model {name} {{ generator none }}\n")
    files = [imported_file(name), *([_declaration_file(name)] if declared is None else [])]
    there = [file for file in files if file.exists()]
    if there and not replace:
        raise UsageError(f"{there[0]} is there already; `replace` replaces it", "replace")


def _refuse_wrong(name: str, declaration: str) -> None:
    """Raise a `UsageError` if a model of that name cannot be declared, or be a file."""
    try:
        check(declaration)
    except ProgramError:
        right = False
    else:
        right = is_folder_name(name)
    if not right:
        shown_name = shown(name)
        message = f"`name` {shown_name!r} cannot be a model's: letters, digits and _, no keyword"
        raise UsageError(message, "name")


def _found(path: Path) -> tuple[Architecture, Found]:
    """Return the generator of a file, and its architecture."""
    try:
        value = read_published(path)
        for architecture in ARCHITECTURES.values():
            found = architecture.find(value)
            if found is not None:
                return architecture, found
        refusal = _nothing_known(value)
    except RefusedError as error:
        refusal = str(error)
    except _DAMAGED as error:
        refusal = f"it is damaged: {type(error).__name__}"
    raise ResourceError(f"{path} is not read: {refusal}", REMEDY) from None


def _nothing_known(value: object) -> str:
    from lacelang.generators.published_weights import dictionary

    names = [name for name in dictionary(value) if isinstance(name, str)]
    if not names:
        return "it holds no generator that is known"
    said = ", ".join(f"`{shown(name)}`" for name in names[:4])
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"it holds no generator that is known, but {said}{more}"


def _refuse_unfit(declared: ModelSpec, architecture: Architecture, found: Found) -> None:
    """Raise an error if a generator is not what the standard library declares under the name."""
    why = None
    if architecture.name != declared.generator:
        why = f"is declared as {declared.generator}"
    layers = [max(a.layers) for a in declared.declared if a.layers]
    if max(layers, default=0) >= found.layout.layers:
        why = f"has attributes of layer {max(layers)}"
    if why is not None:
        message = f"{declared.name} of the standard library {why}, and the file holds {found.text}"
        raise UsageError(f"{message}; choose another `name`", "name")


def _text(name: str, architecture: Architecture, found: Found, path: Path, digest: str) -> str:
    """Return the declaration of an imported model."""
    return _DECLARATION.format(
        text=found.text,
        source=shown(path.name),
        name=name,
        architecture=architecture.name,
        weights=imported_file(name).name,
        digest=digest,
        middle=max(1, found.layout.layers // 3),
    )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Write below a folder alone, and turn what goes wrong with the disk into words."""

    def busy() -> None:
        raise ResourceError(f"another import writes into {folder}", "wait until it has ended")

    with disk_errors(folder), holding(folder / ".lock", busy):
        yield
