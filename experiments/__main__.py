"""`python -m experiments NAME`: make the tables of one spec."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from attrs import evolve

from experiments import annotator_noise, specs
from experiments.command_line import exit_code_of
from experiments.statements import MODEL, declared_model
from lacelang.cli import evaluate
from lacelang.cli.parser import COMMANDS, add_options
from lacelang.evaluate.report import Report
from lacelang.progress import Progress
from lacelang.system.torch_state import isolated


def names() -> list[str]:
    """Return the names of all specs."""
    return sorted(module.name for module in iter_modules(specs.__path__))


def model_of(name: str) -> str:
    """Return the model that a spec is about: its own `MODEL`, or that of most specs."""
    spec = import_module(f"{specs.__name__}.{name}")
    return str(getattr(spec, "MODEL", MODEL))


def run(name: str, progress: Progress, faces: int | None = None) -> Report:
    """Make the report of a spec, and add the noise of its annotators, unless its `NOISE` is False.

    At most `faces` faces per group are used, for quick figures; None uses the spec's own number.
    """
    spec = import_module(f"{specs.__name__}.{name}")
    with isolated(threads=False):
        report: Report = spec.study(progress, faces)
        if model_of(name) != MODEL or not getattr(spec, "NOISE", True):
            return report
        # No figure is more accurate than the annotators.
        noise = annotator_noise.tables(declared_model(), progress, faces)
        return evolve(report, tables=[*report.tables, *noise])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments", description="Make tables of the paper.")
    parser.add_argument("name", choices=names(), help="the spec")
    options = COMMANDS["evaluate"].options.items()
    add_options(parser, {usage: help_ for usage, help_ in options if usage.startswith("--")})

    def work() -> int:
        parsed = parser.parse_args(arguments)
        return evaluate.write(parsed, lambda progress: run(parsed.name, progress, parsed.faces))

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
