"""`lacelang report`: one page about a run that is there."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path


def report_run(arguments: Namespace) -> int:
    """Write the page of a run folder, and print its path."""
    from lacelang.report.page import write_report

    print(write_report(Path(arguments.folder), arguments.out))
    return 0
