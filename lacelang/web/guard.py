"""Who may ask: the browser of the same machine that was given the address, and nobody else.

A page of another site can make a browser send requests to this machine, and can have its own name
point here (DNS rebinding). So the address holds a random token, and the names that a request comes
from and goes to are checked.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from attrs import frozen

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Bytes of the longest request body, unless an application takes longer ones.
MOST_BYTES = 4096

_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; script-src 'self'; style-src 'self'; "
     b"img-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; "
     b"base-uri 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)  # fmt: skip


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(24)


@frozen
class Guard:
    """Passes on what the page itself asks, and refuses all else before the application sees it.

    Attributes:
        app: the application, which sees paths without the token.
        port: where it is served.
        token: the first part of every path.
        most: bytes of the longest request body.
    """

    app: App
    port: int
    token: str
    most: int = MOST_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refused = self._refused(scope)
        if refused is not None:
            await _say(send, *refused)
            return
        body = b""
        while len(body) <= self.most:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if len(body) > self.most:
            await _say(send, 413, "too long")
            return
        unread = [body]

        async def whole() -> MutableMapping[str, Any]:
            # After the body, the application waits for the browser to go away.
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await receive()

        async def safely(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        path = scope["path"][1 + len(self.token) :]
        inside = {**scope, "path": path or "/", "raw_path": (path or "/").encode()}
        await self.app(inside, whole, safely)

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        """Return what to say to a request that is refused, and None to any other."""
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value.decode("latin-1"))
        names = {f"{host}:{self.port}" for host in ("127.0.0.1", "localhost")}
        if headers.get(b"host", []) not in [[name] for name in names]:
            return 421, "this page is for the browser of the same machine"
        origins = headers.get(b"origin", [])
        if any(origin not in {f"http://{name}" for name in names} for origin in origins):
            return 403, "another site asks"
        if any(each not in ("same-origin", "none") for each in headers.get(b"sec-fetch-site", [])):
            return 403, "another site asks"
        if scope["method"] not in ("GET", "POST"):
            return 405, "a page is read, and answers are posted"
        given = scope["path"].split("/")[1] if scope["path"].startswith("/") else ""
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return 404, "there is no such page; use the whole address that was printed"
        if scope["method"] == "POST" and headers.get(b"content-type", []) != ["application/json"]:
            return 415, "answers are JSON"
        return None


async def _say(send: Send, status: int, text: str) -> None:
    body = f"{text}\n".encode()
    kind = (b"content-type", b"text/plain; charset=utf-8")
    length = (b"content-length", str(len(body)).encode())
    start = {"type": "http.response.start", "status": status, "headers": [kind, length, *_HEADERS]}
    await send(start)
    await send({"type": "http.response.body", "body": body})
