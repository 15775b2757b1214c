"""Downloads from a package index, bounded in size, in time and in where they lead.

What arrives is data from a stranger: nobody has verified it yet.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pypi_simple import PYPI_SIMPLE_ENDPOINT, PyPISimple
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

from lacelang.progress import Stage
from lacelang.system.threads import checkpoint

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

#: Environment variables that name an index mirror, the first that is set wins.
INDEX_VARIABLES = ("LACELANG_INDEX_URL", "PIP_INDEX_URL")

LARGEST_PAGE = 64 * 2**20
LARGEST_FILE = 2 * 2**30
CONNECT = 30.0
"""Seconds until a server answers."""
STALL = 30.0
"""Seconds until more arrives."""
PATIENCE = 60.0
"""Seconds that a download may take, beside those for its bytes at the `SLOWEST` rate."""
SLOWEST = 16 * 2**10
"""Bytes a second, on average."""
REDIRECTS = 5

_CHUNK = 2**16


class RefusedError(Exception):
    """A server sends too much, too slowly, or leads elsewhere; the message says which."""


class _Bounded(HTTPAdapter):
    """Sends requests to web servers only; reads pages up to a size, and of redirects nothing.

    Unless `private`, a server in a private network is refused: a public index or a redirect could
    lead there, to what only this machine can reach.
    """

    def __init__(self, private: bool) -> None:
        super().__init__()
        self.private = private

    def send(self, request: PreparedRequest, stream: bool = False, **how: Any) -> Response:  # type: ignore[override]
        if not self.private and _is_private(request.url or ""):
            raise RefusedError(f"it leads into a private network, to {request.url}")
        response = super().send(request, stream=True, **how)
        if response.is_redirect:
            response._content = b""
            response.close()
        elif not stream:
            page = b"".join(_limited(response, LARGEST_PAGE))
            response._content = page
        return response


def index() -> PyPISimple:
    """Return a client of the package index: the mirror that the environment names, or PyPI.

    Raises `RefusedError`, ValueError for an address that is none, and what requests and urllib3
    raise.
    """
    named = next((os.environ[v] for v in INDEX_VARIABLES if os.environ.get(v)), None)
    endpoint = named or PYPI_SIMPLE_ENDPOINT
    if not _is_web(endpoint):
        raise ValueError(f"`{endpoint}` is no address of a package index")
    # Some networks have a mirror of their own under the name of the public index.
    private = named is not None or _is_private(endpoint)
    session = Session()
    session.max_redirects = REDIRECTS
    session.adapters.clear()  # other schemes than these are refused by requests
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Bounded(private))
    return PyPISimple(endpoint, session=session)


def download(client: PyPISimple, package: DistributionPackage, target: Path, stage: Stage) -> None:
    """Write a file of the index to `target`, unverified.

    Raises `RefusedError`, and what requests and urllib3 raise.
    """
    largest = min(package.size or LARGEST_FILE, LARGEST_FILE)
    with client.s.get(package.url, stream=True, timeout=(CONNECT, STALL)) as response:
        response.raise_for_status()
        with suppress(KeyError, ValueError):
            if int(response.headers["Content-Length"]) > largest:
                raise RefusedError(f"the file is larger than {largest} bytes")
        with target.open("wb") as file:
            for chunk in _limited(response, largest):
                checkpoint()
                file.write(chunk)
                stage.advance(len(chunk))


def _limited(response: Response, largest: int) -> Iterator[bytes]:
    """Yield what a server sends, decoded, up to a number of bytes and in a time that fits it."""
    begun, size = time.monotonic(), 0
    # What has arrived, and not only whole chunks: else a byte now and then would be waited for.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > largest:
            raise RefusedError(f"it sends more than {largest} bytes")
        if time.monotonic() - begun > PATIENCE + size / SLOWEST:
            raise RefusedError(f"it sends less than {SLOWEST // 2**10} KiB a second")
        yield chunk


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_private(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False  # the request fails by itself, or a proxy knows the name
    return any(not ipaddress.ip_address(str(each).partition("%")[0]).is_global for each in found)
