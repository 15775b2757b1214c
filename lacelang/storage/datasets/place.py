"""Where a data set lies: a folder of this machine, or a URL that fsspec reads and writes.

What is written there is whole or absent. A local file is renamed when it is whole. Object stores
have a name only once all of it is there; of other file systems the index says which files count.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from lacelang.errors import ResourceError, another_folder
from lacelang.storage.cache import holding
from lacelang.storage.files import (
    disk_errors,
    flush_folder,
    make_folder,
    sweep_parts,
    whole,
    write_atomic,
)
from lacelang.system.filenames import on_disk

#: The folder of a shard that is being written, and what it holds.
_NEW = re.compile(r"\.new\.[a-z0-9_]{8}")
_HALF = re.compile(r"\d{9,}\.(tar|parquet)")

EXTRA = "pip install 'lacelang[data]'"


class Place(ABC):
    """Files by their names from its root on, with `/` between folders.

    Attributes:
        name: the root, as messages call it.
    """

    name: str

    @abstractmethod
    def held(self) -> contextlib.AbstractContextManager[None]:
        """Make the root, and keep other processes of this machine from writing to it."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """What a file holds; None if there is none."""

    @abstractmethod
    def sizes(self, folder: str) -> dict[str, int]:
        """The sizes of the files of a folder in bytes, by name; none if there is no folder."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Write a small file."""

    @abstractmethod
    def adding(self, folder: str) -> contextlib.AbstractContextManager[Path]:
        """Give a local folder in which files may grow; nothing of it is left at the end."""

    @abstractmethod
    def take(self, file: Path, name: str) -> None:
        """Move a local file, that is whole, to its name."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    @abstractmethod
    def opened(self, name: str) -> contextlib.AbstractContextManager[Any]:
        """Open a file that is there, to be read in binary from any offset."""


class Local(Place):
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = str(root)

    def _path(self, name: str) -> Path:
        return self.root / on_disk(name)

    @contextmanager
    def held(self) -> Iterator[None]:
        """See `Place`."""
        make_folder(self.root)

        def refuse() -> NoReturn:
            raise another_folder(
                f"another lacelang is running into {self.root}",
                "wait for it, or choose another folder",
            )

        with contextlib.ExitStack() as stack:
            with disk_errors(self.root):
                stack.enter_context(holding(self.root / ".lock", refuse))
                self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove the folders of shards that a killed process left half made."""
        for path in self.root.glob("*/.new.*"):
            made = path.is_dir() and not path.is_symlink() and _NEW.fullmatch(path.name)
            if made and all(_HALF.fullmatch(each.name) for each in path.iterdir()):
                shutil.rmtree(path)

    def read(self, name: str) -> bytes | None:
        """See `Place`."""
        path = self._path(name)
        with disk_errors(path, "read"):
            return path.read_bytes() if path.is_file() else None

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Place`."""
        path = self._path(folder)
        with disk_errors(path, "read"):
            if not path.is_dir():
                return {}
            return {each.name: each.stat().st_size for each in path.iterdir() if each.is_file()}

    def write(self, name: str, data: bytes) -> None:
        """See `Place`."""
        path = self._path(name)
        make_folder(path.parent)
        write_atomic(path, data, flush=True)

    @contextmanager
    def adding(self, folder: str) -> Iterator[Path]:
        """See `Place`."""
        path = self._path(folder)
        make_folder(path)
        sweep_parts(path)
        with disk_errors(path), tempfile.TemporaryDirectory(dir=path, prefix=".new.") as made:
            yield Path(made)

    def take(self, file: Path, name: str) -> None:
        """See `Place`."""
        path = self._path(name)
        with disk_errors(path):
            with whole(path, flush=True) as part:
                file.replace(part)
            flush_folder(path.parent)

    def remove(self, name: str) -> None:
        """See `Place`."""
        path = self._path(name)
        with disk_errors(path):
            path.unlink(missing_ok=True)

    @contextmanager
    def opened(self, name: str) -> Iterator[Any]:
        """See `Place`."""
        path = self._path(name)
        with disk_errors(path, "read"):
            file = path.open("rb")
        with file:
            yield file


class Remote(Place):
    """A folder at a URL, such as `s3://bucket/faces`."""

    def __init__(self, url: str, files: Any, root: str) -> None:
        self.name = url.rstrip("/")
        self._files = files
        self._root = root.rstrip("/")

    def _of(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _tried(self, name: str, what: str, act: Callable[[], Any]) -> Any:
        """Return what a call gives; what goes wrong is a ResourceError."""
        try:
            return act()
        except FileNotFoundError:
            raise
        except Exception as error:
            # Every file system has errors of its own.
            said = " ".join(str(error).split())[:200] or type(error).__name__
            raise another_folder(f"{self.name}/{name} cannot be {what}: {said}") from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """See `Place`. No file system behind a URL has locks that all its users heed."""
        self._tried("", "written", lambda: self._files.makedirs(self._root, exist_ok=True))
        yield

    def read(self, name: str) -> bytes | None:
        """See `Place`."""
        try:
            data: bytes = self._tried(name, "read", lambda: self._files.cat_file(self._of(name)))
        except FileNotFoundError:
            return None
        return data

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Place`."""

        def listed() -> list[dict[str, Any]]:
            self._files.invalidate_cache(self._of(folder))
            found: list[dict[str, Any]] = self._files.ls(self._of(folder), detail=True)
            return found

        try:
            found = self._tried(folder, "read", listed)
        except FileNotFoundError:
            return {}
        return {
            str(each["name"]).rstrip("/").rsplit("/", 1)[-1]: int(each["size"] or 0)
            for each in found
            if each["type"] == "file"
        }

    def write(self, name: str, data: bytes) -> None:
        """See `Place`."""

        def write() -> None:
            self._files.makedirs(self._of(name).rsplit("/", 1)[0], exist_ok=True)
            self._files.pipe_file(self._of(name), data)

        self._tried(name, "written", write)

    @contextmanager
    def adding(self, folder: str) -> Iterator[Path]:
        """See `Place`."""
        path = Path(tempfile.gettempdir())
        with disk_errors(path), tempfile.TemporaryDirectory(prefix="lacelang.") as made:
            yield Path(made)

    def take(self, file: Path, name: str) -> None:
        """See `Place`."""

        def put() -> None:
            self._files.makedirs(self._of(name).rsplit("/", 1)[0], exist_ok=True)
            self._files.put_file(str(file), self._of(name))

        self._tried(name, "written", put)
        file.unlink()

    def remove(self, name: str) -> None:
        """See `Place`."""
        with contextlib.suppress(FileNotFoundError):
            self._tried(name, "removed", lambda: self._files.rm_file(self._of(name)))

    @contextmanager
    def opened(self, name: str) -> Iterator[Any]:
        """See `Place`."""
        with self._tried(name, "read", lambda: self._files.open(self._of(name), "rb")) as file:
            yield file


def is_url(text: str) -> bool:
    """Whether a text names a place by a URL."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.replace("+", "").replace("-", "").isalnum()


def _is_of_arrow(scheme: str) -> bool:
    """Whether pyarrow reaches places of a scheme, and no package of fsspec's is there for them."""
    from importlib.util import find_spec

    return scheme == "s3" and find_spec("s3fs") is None


def _by_arrow(url: str) -> tuple[Any, str]:
    """Return S3 by pyarrow, which takes options as in `s3://bucket/faces?region=eu-north-1`."""
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow import fs

    files, root = fs.FileSystem.from_uri(url)
    return ArrowFSWrapper(files), root


def place_of(out: str | Path) -> Place:
    """Return the place of a path or a URL.

    Raises:
        ResourceError: a package that the URL needs is not installed, or nothing reads such URLs.
    """
    text = str(out)
    if isinstance(out, Path) or not is_url(text):
        return Local(Path(out))
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise ResourceError(f"{text} needs fsspec, which is not installed", EXTRA) from None
    scheme, _, rest = text.partition("://")
    # One letter would be a drive of Windows.
    if len(scheme) < 2 or not rest.strip("/"):
        raise another_folder(f"{text} names no place")
    try:
        files, root = url_to_fs(text) if not _is_of_arrow(scheme) else _by_arrow(text)
    except ImportError as error:
        said = " ".join(str(error).split())[:200]
        raise another_folder(f"no package for {scheme}:// is installed: {said}") from None
    except Exception as error:
        raise another_folder(f"{text} cannot be used: {error}") from error
    protocols = files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)
    return Local(Path(root)) if "file" in protocols else Remote(text, files, root)
