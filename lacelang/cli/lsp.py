"""`lacelang lsp`: the language server."""

from __future__ import annotations

import sys
from argparse import Namespace

from lacelang.cli.streams import is_terminal
from lacelang.errors import UsageError


def serve(arguments: Namespace) -> int:
    """Speak with an editor until it leaves."""
    if is_terminal(sys.stdin):
        raise UsageError("the language server speaks with an editor, which starts it")
    from lacelang.lsp import serve

    serve()
    return 0
