"""Suites by name: programs that are judged as they stand, and studies of the samplers."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from attrs import evolve

from lacelang.api import Program, compile
from lacelang.errors import UsageError
from lacelang.evaluate import conditions, noise
from lacelang.ir import SampleStatement
from lacelang.system.sources import TooLongError, read_file
from lacelang.system.torch_state import isolated

if TYPE_CHECKING:
    from lacelang.evaluate.report import Report
    from lacelang.progress import Progress

_PROGRAMS = Path(__file__).parent / "suites"
#: Suites that are more than one program; each is a module of this package with a `study`.
_STUDIES = (
    "conditional",
    "continuous",
    "editing",
    "heads",
    "logic",
    "robustness",
    "samplers",
    "spaces",
    "zero_shot",
)


class _Study(Protocol):
    def study(self, progress: Progress, faces: int | None) -> Report: ...


def names() -> list[str]:
    """Suites that there are."""
    return sorted({*(path.stem for path in _PROGRAMS.glob("*.lace")), *_STUDIES})


def run(name: str, progress: Progress, faces: int | None = None) -> Report:
    """Run a suite and add its judges' own noise, or judge any program by its `.lace` file.

    Args:
        name: of the suite, or a path.
        progress: where to show how far it is.
        faces: at most so many of each group, for a quick look; None takes the suite's own number.

    Raises:
        UsageError: there is no such suite or file.
        ProgramError: the program is wrong.
        ResourceError: weights cannot be had.
    """
    with isolated(threads=False):
        return _run(name, progress, faces)


def _run(name: str, progress: Progress, faces: int | None) -> Report:
    if name in _STUDIES:
        study = cast(_Study, import_module(f"lacelang.evaluate.{name}"))
        report = study.study(progress, faces)
        # No figure of a suite can be better known than its judges know themselves.
        spec = compile("sample from ffhq").samples[0].model
        own = noise.tables(spec, progress, faces)
        return evolve(report, tables=(*report.tables, *own))
    return conditions.evaluate(Path(name).stem, at_most(program_of(name), faces), progress)


def program_of(name: str) -> Program:
    """A suite's program, or any by the path of its `.lace` file.

    Raises:
        UsageError: there is no such suite or file.
        ProgramError: the program is wrong.
    """
    path = Path(name) if name.endswith(".lace") else _PROGRAMS / f"{name}.lace"
    try:
        source = read_file(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(names())
        raise UsageError(f"no suite or program {name!r}; the suites are: {known}") from error
    except TooLongError as error:
        raise UsageError(f"{name} {error}, and no program is") from error
    return compile(source, path)


def at_most(program: Program, faces: int | None) -> Program:
    """The program with at most `faces` samples of each group; None leaves it as it is."""
    if faces is None:
        return program
    statements = tuple(
        evolve(s, count=min(s.count, faces)) if isinstance(s, SampleStatement) else s
        for s in program.checked.statements
    )
    return Program(evolve(program.checked, statements=statements))
