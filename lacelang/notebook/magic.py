"""`%%lace`: a cell that is a program."""

from __future__ import annotations

import builtins
import keyword
import shlex
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError as MagicError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import MagicArgumentParser

from lacelang import arguments as given_as
from lacelang.engine.result import Group, Run
from lacelang.errors import Diagnostic, LaceError, ResourceError, WayOut
from lacelang.notebook.bars import CellBars
from lacelang.notebook.cells import Cells, own_groups
from lacelang.notebook.diagnostics import in_colours
from lacelang.progress import Progress, shown
from lacelang.text.channels import say, say_styled

_parser: Any = MagicArgumentParser  # which declares no types
OPTIONS = _parser(
    "%%lace",
    description="Run the cell as a program; its groups become Python names.",
    add_help=True,
)
OPTIONS.add_argument("--out", metavar="DIR", help="also write images and records into a folder")
OPTIONS.add_argument("--seed", type=int, metavar="N", help="in place of every seed in the cell")
OPTIONS.add_argument(
    "--only", action="append", default=[], metavar="NAME", help="run only this group or measure"
)
OPTIONS.add_argument("--quiet", action="store_true", help="show neither progress nor results")


WAYS = {
    WayOut.FOLDER: "--out names the folder",
    WayOut.ALLOW: "`lacelang.compile(text).fetch()` fetches them, if you trust the author",
    WayOut.IMPORT: "`lacelang models import` in a shell imports it",
}
"""What a cell says of ways out of an error."""


class CellError(LaceError):
    """An error of a cell, which IPython shows without a traceback."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message, diagnostics)

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython prints in place of a traceback."""
        if self.diagnostics:
            return in_colours(self.diagnostics).split("\n")
        return str(self).split("\n")


@magics_class
class LaceMagics(Magics):  # type: ignore[misc, unused-ignore]
    """The magics of `%load_ext lacelang`."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.cells = Cells(Path())
        self._names: dict[str, Any] = shell.user_ns
        self._bound: dict[str, Group] = {}

    @line_cell_magic  # type: ignore[misc, unused-ignore]
    def lace(self, line: str, cell: str | None = None) -> Run | None:
        """Run the cell as a program; its groups become Python names.

        What it makes is also its value. `%lace --help` lists the options.
        """
        try:
            options = OPTIONS.parse_args(shlex.split(line))
        except SystemExit:  # `--help` has been printed
            return None
        except ValueError as error:
            raise MagicError(f"%%lace: {error}") from None
        if cell is None:
            raise MagicError("`%%lace` takes a whole cell; `%lace --help` lists its options")
        try:
            return self._run(options, cell)
        except ResourceError as error:
            raise CellError(error.worded(WAYS)) from None
        except LaceError as error:
            raise CellError(str(error), error.diagnostics) from None

    def _run(self, options: Any, cell: str) -> Run | None:
        piece = self.cells.read(cell)
        if piece.warnings:
            say_styled(in_colours(piece.warnings))
        seed = options.seed
        if seed is not None:
            seed = given_as.whole(seed, "--seed", 0, 2**63 - 1, "from 0 to 2^63 - 1")
        in_cell = getattr(self.shell, "kernel", None) is not None
        bars = CellBars() if in_cell and not options.quiet else None
        progress: Any = nullcontext(Progress())
        if bars is not None:
            progress = nullcontext(bars)
        elif not options.quiet:
            progress = shown(leave=False)
        out = None if options.out is None else Path(options.out).expanduser()
        try:
            with progress as stages:
                made = self.cells.run(piece, cell, stages, tuple(options.only), seed, out)
        finally:
            if bars is not None:
                bars.clear()
        for note in bars.notes if bars is not None else ():
            say(note)
        if made is None:
            return None
        groups = own_groups(piece, made)
        self._bind(groups)
        if options.quiet:
            return None
        measures, expected = made.measures.values(), made.expectations
        return Run(groups.values(), made.folder, made.seconds, measures, expected)

    def _bind(self, groups: Mapping[str, Group]) -> None:
        """Make groups Python names, and say where one is not."""
        names: dict[str, Any] = self._names
        for name, group in groups.items():
            why = None
            if not name.isidentifier() or keyword.iskeyword(name):
                why = "is no Python name"
            elif hasattr(builtins, name):
                why = "is the name of a builtin"
            elif name in names and names[name] is not self._bound.get(name):
                why = "is the name of something else here"
            if why is not None:
                say(f"`{name}` {why}: the group is lace_groups[{name!r}]")
                continue
            names[name] = self._bound[name] = group
        names["lace_groups"] = self.cells.groups


def load(shell: Any) -> None:
    """Register the magics."""
    shell.register_magics(LaceMagics(shell))
