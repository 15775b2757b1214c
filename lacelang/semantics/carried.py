"""The program that an image carries, checked where nothing that it came from need be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from lacelang import ir
from lacelang.errors import ProgramError, UsageError
from lacelang.ir import CheckedProgram
from lacelang.semantics.check import check
from lacelang.storage.provenance import NAMELESS, Provenance
from lacelang.text.hidden import in_line


def checked(
    path: Path,
    said: Provenance,
    terms: Mapping[str, ir.OwnTerm] | None = None,
    root: Path | None = None,
) -> CheckedProgram:
    """Check the program of an image, without a look at the samples on disk that it names.

    Raises:
        UsageError: the image does not carry it, or it names terms that are not given.
        ProgramError: it is wrong, here and now.
    """
    if said.program is None:
        raise UsageError(f"{path} does not carry its program, which was too long for an image")
    missing = [name for name in said.terms if name not in (terms or {})]
    if missing:
        name = in_line(missing[0])[:100]
        raise UsageError(
            f"{path} depends on `{name}`, a function of Python's, which no image can carry\n"
            f"from Python: lacelang.replay(…, definitions={{{name!r}: lacelang.term(…)}})"
        )
    if said.saved is None and "saved" in said.left_out:
        raise UsageError(f"{path} names more samples on disk than an image can carry")
    name = Path(said.name).name or NAMELESS
    place = None if root is None else root / name
    try:
        program = check(said.program, place, root=root, terms=terms, saved=said.saved or {})
    except ProgramError as error:
        if said.unresolved is not None:
            why = in_line(said.unresolved)[:200]
            raise UsageError(f"{path} does not carry a whole program: {why}") from None
        raise ProgramError([evolve(d, path=str(path)) for d in error.diagnostics]) from None
    return program if said.name == NAMELESS else evolve(program, path=place or Path(name))
