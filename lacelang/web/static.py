"""Files of pages, which come with the package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PAGES = Path(__file__).with_name("pages")

MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def page_file(path: Path) -> Callable[..., Any]:
    """Return the endpoint of a file."""
    from starlette.responses import Response

    async def endpoint(request: Any) -> Response:
        return Response(path.read_bytes(), media_type=MEDIA_TYPES[path.suffix])

    return endpoint


def static_routes(paths: Sequence[Path]) -> list[Any]:
    """Return a route for each of some files, by its name."""
    from starlette.routing import Route

    return [Route(f"/{path.name}", page_file(path), methods=["GET"]) for path in paths]
