"""Checksums of what is kept, and the seal of what only this user may have found out.

A checksum shows that something has changed; anyone can make one. A seal is made with a secret of
this user's cache, so that what came in a folder from elsewhere is told from what was found here.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

import msgspec

from lacelang.errors import ResourceError
from lacelang.storage.cache import cache_dir, made
from lacelang.storage.files import read_regular

LENGTH = 16
"""Characters of a checksum."""
_SECRET_BYTES = 32


def check_of(data: bytes, key: bytes = b"") -> str:
    """Return the checksum of `data`, or with a key its seal: `LENGTH` hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=LENGTH // 2, key=key).hexdigest()


def check_of_json(value: object, key: bytes = b"") -> str:
    """Return the same of a JSON value, however it is indented and its keys are ordered."""
    return check_of(msgspec.json.encode(value, order="sorted"), key)


def secret() -> bytes:
    """Return the secret of this user's cache, made now if there is none.

    Where the cache cannot be written it is forgotten with the process.
    """
    return _secret_in(cache_dir())


@cache
def _secret_in(folder: Path) -> bytes:
    path = folder / "secret"
    try:
        made(path, "making a secret", _make_secret, lambda: len(_bytes_of(path)) == _SECRET_BYTES)
        return _bytes_of(path)
    except (OSError, ResourceError):
        return os.urandom(_SECRET_BYTES)


def _make_secret(part: Path) -> None:
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(os.urandom(_SECRET_BYTES))


def _bytes_of(path: Path) -> bytes:
    return read_regular(path, _SECRET_BYTES) or b""
