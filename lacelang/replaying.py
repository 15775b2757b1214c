"""An image from Python: what it says of how it was made, and the same image made again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from os import PathLike
from typing import TYPE_CHECKING

from lacelang import arguments
from lacelang.generators.declaration import DEVICES, Device
from lacelang.system.threads import working

if TYPE_CHECKING:
    from lacelang.embedding.algebra import Condition
    from lacelang.engine.replay import Replay
    from lacelang.ir import OwnTerm
    from lacelang.progress import Progress
    from lacelang.storage.provenance import Provenance


def provenance(path: str | PathLike[str]) -> Provenance:
    """Return what a PNG of a run says of how it was made; nothing is sampled.

    Raises:
        UsageError: it says nothing, or what it says is damaged.
    """
    from lacelang.storage.provenance import of_image

    return of_image(arguments.path(path, "path"))


def replay(
    path: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    device: Device = "auto",
    progress: bool | Progress = False,
    *,
    definitions: Mapping[str, Condition] | None = None,
    root: str | PathLike[str] | None = None,
    photo: str | PathLike[str] | None = None,
    metadata: bool = True,
    allow_fetch: bool = False,
) -> Replay:
    """Make the image of a sample again, of that sample alone, from what its PNG says.

    Args:
        path: the image.
        out: the file that it is written to; None writes nothing.
        device: where to compute; `auto` takes what the image was made on if that is here.
        progress: show bars on standard error, if it is a terminal; or where to show them.
        definitions: the terms that Python defined when it was made, by name: see `lacelang.term`.
        root: the folder below which files lie that models of its program name; the current one, if
            none is given.
        photo: the photograph that the image was pasted into, if it has another name by now.
        metadata: let the new image say how it was made, too.
        allow_fetch: fetch weights that the program names and the standard library does not.

    Raises:
        UsageError: it does not say how it was made, or not enough to make it again.
        ProgramError: its program is wrong here, e.g. of a model that is not here.
        ResourceError: weights or annotators cannot be had, or `out` not written.
    """
    from lacelang.progress import Silent, shown

    image, file = arguments.path(path, "path"), None if out is None else arguments.path(out, "out")
    below = None if root is None else arguments.path(root, "root", "a folder")
    original = None if photo is None else arguments.path(photo, "photo")
    device = arguments.device(device, DEVICES)
    metadata = arguments.flag(metadata, "metadata")
    allow_fetch = arguments.flag(allow_fetch, "allow_fetch")
    given = arguments.mapping(definitions, "definitions", "names to terms")
    with working():
        from lacelang.system.torch_state import isolated

        with isolated(), ExitStack() as stack:
            from lacelang.engine.consent import fetch_foreign
            from lacelang.engine.replay import Remaking

            remaking = Remaking.of(image, _terms(given), below, original)
            if isinstance(progress, bool):
                progress = stack.enter_context(shown()) if progress else Silent()
            if allow_fetch:
                fetch_foreign(remaking.program, progress)
            made = remaking.run(device, progress)
            return made if file is None else remaking.written(made, file, metadata)


def _terms(given: Mapping[str, object]) -> dict[str, OwnTerm]:
    from lacelang.embedding.algebra import Condition
    from lacelang.embedding.terms import named

    terms = {}
    for name, meaning in given.items():
        term = named(meaning, name) if isinstance(meaning, Condition) else None
        if term is None:
            arguments.refuse(meaning, f"definitions[{name!r}]", "is a term, `lacelang.term(…)`")
        terms[name] = term
    return terms
