"""Weights that a program names: what of them is fetched only if the person at the machine agrees.

Archives of the standard library's models are fetched when they are needed. Any other one is named
by the program alone, and the program may be a stranger's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from lacelang.errors import ResourceError, WayOut
from lacelang.generators import ARCHITECTURES
from lacelang.generators.declaration import Weights
from lacelang.ir import CheckedProgram
from lacelang.progress import Progress, shown
from lacelang.semantics.modules import library_models
from lacelang.semantics.weights import weights_of
from lacelang.storage.fetch import Archive, cached_path, obtain, size_of
from lacelang.text.channels import say


def refuse_foreign(generator: str, weights: Weights) -> None:
    """Raise a ResourceError if these weights have to be allowed first."""
    if _is_foreign(generator, weights):
        assert isinstance(weights, Archive)
        raise ResourceError(
            f"the program names weights that are not of the standard library: {weights}, "
            f"SHA-256 {weights.sha256}",
            "allow the fetch if you trust whoever wrote the program",
            {WayOut.ALLOW: ""},
        )


def fetch_foreign(program: CheckedProgram, progress: Progress) -> None:
    """Fetch what a program names and the standard library does not."""
    for archive in _foreign(program):
        obtain(archive, progress)


def ask(program: CheckedProgram, allowed: bool = False) -> None:
    """Fetch what the standard library does not name if that is `allowed`, or a person agrees to it.

    Who is not at a terminal is not asked; then the run that needs the weights is refused.
    """
    for archive in _foreign(program):
        if not (allowed or _agreed(archive)):
            return
        with shown() as progress:
            obtain(archive, progress)


def _agreed(archive: Archive) -> bool:
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        return False
    size = size_of(archive)
    long = "of unknown size" if size is None else f"{size / 2**20:.0f} MiB"
    say(
        f"This program names weights that are not of the standard library: {archive}, {long},\n"
        f"SHA-256 {archive.sha256}.\nFetch them? [y/N] ",
        end="",
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _foreign(program: CheckedProgram) -> Iterator[Archive]:
    for spec in {id(s.model): s.model for s in program.statements}.values():
        weights = weights_of(spec)
        if isinstance(weights, Archive) and _is_foreign(spec.generator, weights):
            yield weights


def _is_foreign(generator: str, weights: Weights) -> bool:
    """Whether it is an archive that is not here, and no model of the standard library has it."""
    # The names of what is here carry the whole digest: one of the same beginning is another.
    if not isinstance(weights, Archive) or cached_path(weights).is_file():
        return False
    known = ARCHITECTURES.get(generator)
    if known is None or known.is_ready(weights):
        return False
    return weights not in map(weights_of, library_models().values())
