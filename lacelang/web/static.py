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


def page_file(name: str) -> Callable[..., Any]:
    """Return the endpoint of a file."""
    from starlette.responses import Response

    path = PAGES / name

    async def endpoint(request: Any) -> Response:
        return Response(path.read_bytes(), media_type=MEDIA_TYPES[path.suffix])

    return endpoint


def static_routes(names: Sequence[str]) -> list[Any]:
    """Return a route for each of some files."""
    from starlette.routing import Route

    return [Route(f"/{name}", page_file(name), methods=["GET"]) for name in names]
