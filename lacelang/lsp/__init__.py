"""Messages of the Language Server Protocol in; what `language` says of programs, out."""

from __future__ import annotations

from lacelang.errors import ResourceError


def serve() -> None:
    """Speak with an editor over standard input and output until it ends the conversation.

    Raises:
        ResourceError: pygls is not installed.
    """
    try:
        import pygls  # noqa: F401
    except ImportError:
        raise ResourceError(
            "the language server needs pygls, which is not installed",
            "install it: pip install 'lacelang[lsp]'",
        ) from None
    from lacelang.lsp.server import LaceServer

    LaceServer().serve()
