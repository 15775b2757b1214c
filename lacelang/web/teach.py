"""The page of a lesson: contact sheets to label, the accuracy so far, and the end."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

from PIL import Image

from lacelang.errors import LaceError, UsageError
from lacelang.progress import Progress
from lacelang.teaching.asking import Question
from lacelang.teaching.lesson import Estimate, Lesson
from lacelang.teaching.saving import SHEET, Taught, quality
from lacelang.teaching.subject import Subject
from lacelang.web.guard import App
from lacelang.web.serving import web_package
from lacelang.web.static import MEDIA_TYPES, PAGES, page_file, static_routes

_FILES = ("base.css", "teach.css", "teach.js", "icon.svg")
_SIDE = 320
_MOST_PICTURES = 400


class Pictures:
    """Pictures of draws as JPEG files, decoded once, in a thread, those asked first before others.

    A set of pictures is decoded while another one is looked at.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._made: dict[int, Future[bytes]] = {}
        self._pool = ThreadPoolExecutor(1, "decoder")

    def want(self, indices: list[int]) -> None:
        """Have these decoded, if they are not yet."""
        for index in indices:
            if index not in self._made:
                self._made[index] = self._pool.submit(self._decoded, index)
        while len(self._made) > _MOST_PICTURES:
            del self._made[next(iter(self._made))]

    def of(self, index: int) -> bytes | None:
        """Return a picture that was wanted, and None of any other."""
        made = self._made.get(index)
        return None if made is None else made.result()

    def close(self) -> None:
        """Decode no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _decoded(self, index: int) -> bytes:
        (image,) = self._subject.draws([index]).images(self._subject.generator)
        picture = Image.fromarray(image)
        if picture.width > _SIDE:
            picture = picture.resize((_SIDE, _SIDE), reducing_gap=2.0)
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=88)
        return stream.getvalue()


class TeachPage:
    """What the page shows of a lesson, and what it does to it.

    Attributes:
        taught: what was saved in the end; None before.
    """

    def __init__(self, lesson: Lesson, progress: Progress) -> None:
        self.lesson = lesson
        self.taught: Taught | None = None
        self._progress = progress
        self._lock = Lock()
        self._pictures = Pictures(lesson.subject)
        self._behind = ThreadPoolExecutor(1, "lesson")
        self._next: Future[list[Question]] | None = None
        self._measured: Future[Estimate | None] | None = None
        self._estimate: Estimate | None = None
        self._pictures.want([question.index for question in lesson.batch])
        self._measure()

    def close(self) -> None:
        """End the threads."""
        self._behind.shutdown(wait=True, cancel_futures=True)
        self._pictures.close()

    # What is asked of it

    def state(self) -> dict[str, Any]:
        """What the page shows."""
        lesson, attribute = self.lesson, self.lesson.subject.attribute
        if self._measured is not None and self._measured.done():
            self._estimate, self._measured = self._measured.result(), None
        labels = lesson.labels
        return {
            "model": lesson.subject.spec.name,
            "attribute": attribute.name,
            "kind": attribute.text,
            "values": list(attribute.values),
            "limits": attribute.limits,
            "batch": [{"index": q.index, "answer": self._shown(q.index)} for q in lesson.batch],
            "counts": lesson.counts,
            "labels": sum(not label.skipped for label in labels),
            "skipped": sum(label.skipped for label in labels),
            "estimate": _plain(self._estimate),
            "measuring": self._measured is not None,
            "finished": self._finished(),
        }

    def answer(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Label or skip one draw."""
        index, value = said.get("index"), said.get("value")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not isinstance(index, int) or not (value is None or number):
            raise UsageError("an answer is an index and a value")
        with self._lock:
            self.lesson.answer(index, value)
            self._prepare()
        return self.state()

    def rest(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Label several draws alike."""
        indices = said.get("indices")
        if not isinstance(indices, list) or len(indices) > len(self.lesson.batch):
            raise UsageError("the rest is a list of indices")
        for index in indices:
            self.answer({"index": index, "value": said.get("value")})
        return self.state()

    def undo(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Take the last answer back."""
        with self._lock:
            undone = self.lesson.undo()
            self._pictures.want([question.index for question in self.lesson.batch])
        return self.state() | {"undone": undone}

    def next(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Go on to the next batch."""
        with self._lock:
            chosen = self._next.result() if self._next is not None else self.lesson.choose()
            self.lesson.batch, self._next = chosen, None
            self._pictures.want([question.index for question in chosen])
            self._measure()
        return self.state()

    def finish(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Train and save."""
        with self._lock:
            self.taught = self.lesson.finish(self._progress)
        return self.state()

    def picture(self, index: int) -> bytes | None:
        """A picture of the present or an earlier batch."""
        return self._pictures.of(index)

    def contact_sheet(self) -> bytes | None:
        """The contact sheet of what was taught."""
        if self.taught is None:
            return None
        return self.lesson.subject.place(SHEET).read_bytes()

    # Work behind the page

    def _prepare(self) -> None:
        """Choose and decode the next batch while the second half of this one is labelled."""
        if self._next is None and 2 * self.lesson.answered >= len(self.lesson.batch):

            def choose() -> list[Question]:
                chosen = self.lesson.choose()
                self._pictures.want([question.index for question in chosen])
                return chosen

            self._next = self._behind.submit(choose)

    def _measure(self) -> None:
        if self._measured is None:
            self._measured = self._behind.submit(self.lesson.estimate)

    def _shown(self, index: int) -> float | str | None:
        label = self.lesson.answer_to(index)
        if label is None:
            return None
        if label.skipped:
            return "skip"
        return int(label.value) if self.lesson.subject.attribute.discrete else label.value

    def _finished(self) -> dict[str, Any] | None:
        if self.taught is None:
            return None
        about = self.lesson.subject
        wanted = f"{about.name} = {about.attribute.example}"
        return {
            "quality": quality(self.taught.learned.figures),
            "use": f"sample 8 from {about.spec.name} where {wanted}",
            "card": str(self.taught.card),
        }


def _plain(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {
        "labels": estimate.labels,
        "text": estimate.text,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "good": estimate.good,
    }


def application(page: TeachPage, finished: Callable[[], object]) -> App:
    """Return the application of a page; `finished` is called when the attribute is saved.

    Raises:
        ResourceError: a package of the extra `web` is not installed.
    """
    web_package("starlette")
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    async def state(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(page.state))

    def acting(act: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            try:
                said = json.loads(await request.body())
                if not isinstance(said, dict):
                    raise UsageError("an object is wanted")
                answer = await run_in_threadpool(act, said)
            except LaceError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            except (ValueError, RecursionError):
                return JSONResponse({"error": "this is no JSON"}, status_code=400)
            done = BackgroundTask(finished) if answer["finished"] else None
            return JSONResponse(answer, background=done)

        return endpoint

    async def image(request: Request) -> Response:
        data = await run_in_threadpool(page.picture, request.path_params["index"])
        return _file(data, ".jpg")

    async def contact(request: Request) -> Response:
        return _file(await run_in_threadpool(page.contact_sheet), ".jpg")

    def _file(data: bytes | None, suffix: str) -> Response:
        if data is None:
            return Response("there is no such picture\n", 404)
        return Response(data, media_type=MEDIA_TYPES[suffix])

    posted = {"answer": page.answer, "rest": page.rest, "undo": page.undo}
    posted |= {"next": page.next, "finish": page.finish}
    return Starlette(
        routes=[
            Route("/", page_file(PAGES / "teach.html"), methods=["GET"]),
            *static_routes([PAGES / name for name in _FILES]),
            Route("/state", state, methods=["GET"]),
            Route("/image/{index:int}.jpg", image, methods=["GET"]),
            Route("/contact.jpg", contact, methods=["GET"]),
            *(Route(f"/{name}", acting(act), methods=["POST"]) for name, act in posted.items()),
        ]
    )
