"""A studio that is served, and requests to it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from lacelang.errors import WayOut
from lacelang.web.serving import Serving
from lacelang.web.studio.application import application
from lacelang.web.studio.files import opened
from lacelang.web.studio.studio import MOST_BYTES, Studio

WAYS = {WayOut.ALLOW: "allow it", WayOut.IMPORT: "import {}"}


class Served(NamedTuple):
    """A studio, and where it is served."""

    studio: Studio
    serving: Serving

    @property
    def url(self) -> str:
        return self.serving.url

    @property
    def token(self) -> str:
        return self.url.split("/")[3]

    def ask(
        self,
        path: str,
        body: object = None,
        method: str = "",
        raw: bytes | None = None,
        **headers: str,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Return status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.serving.port, timeout=60)
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            named.setdefault("Content-Type", "application/json")
        method = method or ("GET" if data is None else "POST")
        where = path if path.startswith("/") else f"/{self.token}/{path}"
        connection.request(method, where, data, named)
        response = connection.getresponse()
        found = response.status, response.headers, response.read()
        connection.close()
        return found

    def said(self, path: str, body: object = None) -> Any:
        """Return the JSON of an answer."""
        return json.loads(self.ask(path, body)[2])

    def run(self, text: str, **how: object) -> int:
        """Run a program to its end, and return the number of the run."""
        number = self.said("run", {"text": text, **how})["run"]
        assert number is not None
        run = self.studio.runs.wait(self.studio.runs.find(number))
        assert run.status == "done", run.error
        return int(number)


@contextmanager
def served(root: Path, file: Path | None = None, model: str = "digits") -> Iterator[Served]:
    """Serve a studio whose files are below `root`."""
    studio = Studio(opened(file, root), model=model, ways=WAYS, elsewhere="name another root")
    serving = Serving(application(studio, lambda: serving.ending), 0, MOST_BYTES)
    thread = Thread(target=serving.run)
    thread.start()
    try:
        yield Served(studio, serving)
    finally:
        serving.stop()
        thread.join(20)
        studio.close()
        assert not thread.is_alive()
        assert not studio.runs.home.exists()
