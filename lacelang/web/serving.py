"""Serve an application to the browser of this machine, until it is done or Ctrl-C."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import ModuleType

from lacelang.errors import ResourceError
from lacelang.web.guard import MOST_BYTES, App, Guard, new_token

HOST = "127.0.0.1"


class Serving:
    """An application on a port of the loopback.

    Attributes:
        url: the address of its page, with the token.
    """

    def __init__(self, app: App, port: int = 0, most: int = MOST_BYTES) -> None:
        """Take a port, any free one for 0; a ResourceError says that it is in use.

        `most` are the bytes of the longest request body.
        """
        self._uvicorn = web_package("uvicorn")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((HOST, port))
            # From here on the address answers, if late.
            self._socket.listen()
        except OSError as error:
            self._socket.close()
            raise ResourceError(
                f"port {port} cannot be used: {(error.strerror or str(error)).lower()}",
                "choose another port, or none",
            ) from error
        token = new_token()
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}/{token}/"
        config = self._uvicorn.Config(
            Guard(app, self.port, token, most),
            log_level="critical",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            # A browser keeps its connections open.
            timeout_graceful_shutdown=2,
        )
        self._server = self._uvicorn.Server(config)

    def run(self, ready: Callable[[], object] | None = None) -> None:
        """Serve until `stop`; Ctrl-C raises KeyboardInterrupt."""
        if ready is not None:
            ready()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    @property
    def ending(self) -> bool:
        """Whether it is about to end, so that answers which take long should end."""
        return bool(self._server.should_exit)

    def stop(self) -> None:
        """End when the answers that are under way are given; from any thread."""
        self._server.should_exit = True


def web_package(name: str) -> ModuleType:
    """Import a package of the extra `web`; a ResourceError says that it is not installed."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise ResourceError(
            f"pages need {name}, which is not installed",
            "install it: pip install 'lacelang[web]'",
        ) from error
