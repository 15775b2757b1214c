"""The application of a studio: routes, and how answers and errors become HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from lacelang.errors import LaceError, ProgramError, ResourceError, WayOut, unexpected
from lacelang.report import page as report
from lacelang.storage.reading import find_run
from lacelang.web.guard import App
from lacelang.web.serving import web_package
from lacelang.web.static import PAGES, static_routes
from lacelang.web.studio.pictures import Pictures, zipped
from lacelang.web.studio.studio import Studio

_FILES = (
    "base.css",
    "studio.css",
    "studio.js",
    "studio_ask.js",
    "studio_controls.js",
    "studio_editor.js",
    "studio_gallery.js",
    "codemirror.js",
    "icon.svg",
)
_OF_REPORTS = ("report.css", "report.js")
# Seconds between two messages to a page at least, and at most; less than an end may take.
_SOONEST, _LATEST = 0.08, 1.0


def application(studio: Studio, ending: Callable[[], bool]) -> App:
    """Return the application of a studio; streams end when `ending` says so.

    Raises:
        ResourceError: a package of the extra `web` is not installed.
    """
    web_package("starlette")
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import (
        FileResponse,
        HTMLResponse,
        JSONResponse,
        Response,
        StreamingResponse,
    )
    from starlette.routing import Route

    pictures = Pictures()

    async def page(request: Request) -> Response:
        return HTMLResponse(report.rendered(PAGES, "studio.html"))

    def answering(act: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Answer what `act` returns in a thread, and an error in words."""

        async def endpoint(request: Request) -> Response:
            try:
                found = await run_in_threadpool(act, request)
            except Exception as error:
                return JSONResponse(
                    {"error": _worded(error, studio.runs.ways)}, status_code=_status(error)
                )
            return found if isinstance(found, Response) else JSONResponse(found)

        return endpoint

    def posted(act: Callable[[Mapping[str, Any]], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                asked = json.loads(body)
            except (ValueError, RecursionError):
                return JSONResponse({"error": "this is no JSON"}, status_code=400)
            if not isinstance(asked, dict):
                return JSONResponse({"error": "an object is wanted"}, status_code=400)
            answer = answering(lambda _: act(asked))
            response: Response = await answer(request)
            return response

        return endpoint

    def run_of(request: Request) -> Response:
        begin = request.query_params.get("from", "0")
        run = studio.runs.find(request.path_params["run"])
        return JSONResponse(run.plain(int(begin) if begin.isdecimal() else 0))

    def sample_of(request: Request) -> tuple[Any, str, int]:
        found = studio.runs.find(request.path_params["run"])
        return found, request.query_params.get("group", ""), request.path_params["index"]

    def small(request: Request) -> Response:
        data, media_type = pictures.small(*sample_of(request))
        return Response(data, media_type=media_type)

    def full(request: Request) -> Response:
        run, group, index = sample_of(request)
        path = pictures.path(run, group, index, film=False)
        named = f"{group}-{index:04d}-run{run.number}.png"
        return Response(path.read_bytes(), media_type="image/png", headers=_named(named))

    def film(request: Request) -> Response:
        path = pictures.path(*sample_of(request), film=True)
        return Response(path.read_bytes(), media_type="image/png")

    def page_of(request: Request) -> Response:
        run = studio.runs.find(request.path_params["run"])
        named = _named(f"run-{run.number}.html")
        return HTMLResponse(report.page(find_run(run.folder)), headers=named)

    def archive(request: Request) -> Response:
        run = studio.runs.find(request.path_params["run"])
        path = zipped(run)
        return FileResponse(
            path,
            media_type="application/zip",
            headers=_named(f"run-{run.number}.zip"),
            background=BackgroundTask(path.unlink, missing_ok=True),
        )

    async def events(request: Request) -> Response:
        return StreamingResponse(_events(studio, ending), media_type="text/event-stream")

    acts = ("check", "complete", "hover", "format", "set", "edit", "run", "stop", "save")
    reads = {
        "/opening": lambda _: studio.opening(),
        "/runs/{run:int}": run_of,
        "/runs/{run:int}/small/{index:int}": small,
        "/runs/{run:int}/full/{index:int}": full,
        "/runs/{run:int}/film/{index:int}": film,
        "/runs/{run:int}.zip": archive,
        "/runs/{run:int}.html": page_of,
    }
    return Starlette(
        routes=[
            Route("/", page, methods=["GET"]),
            *static_routes([PAGES / name for name in _FILES]),
            *static_routes([report.PAGES / name for name in _OF_REPORTS]),
            Route("/events", events, methods=["GET"]),
            *(Route(path, answering(act), methods=["GET"]) for path, act in reads.items()),
            *(Route(f"/{n}", posted(getattr(studio, n)), methods=["POST"]) for n in acts),
        ]
    )


async def _events(studio: Studio, ending: Callable[[], bool]) -> AsyncIterator[str]:
    """Send which runs there are and how far they are, after every change (server-sent events)."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    leave = studio.runs.listen(lambda: _call(loop, changed))
    try:
        while not ending():
            changed.clear()
            yield f"data: {json.dumps(studio.runs.state())}\n\n"
            await asyncio.sleep(_SOONEST)
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _LATEST)
    finally:
        leave()


def _call(loop: asyncio.AbstractEventLoop, changed: asyncio.Event) -> None:
    loop.call_soon_threadsafe(changed.set)


def _named(name: str) -> dict[str, str]:
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}


def _worded(error: Exception, ways: Mapping[WayOut, str]) -> str:
    if isinstance(error, ProgramError):
        return "\n".join(each.message for each in error.diagnostics)
    if isinstance(error, ResourceError):
        return error.worded(ways)
    return str(error) if isinstance(error, LaceError) else unexpected(error)


def _status(error: Exception) -> int:
    if isinstance(error, ResourceError):
        return 503
    return 400 if isinstance(error, LaceError) else 500
