"""Fetch an archive by package name and version, and check its SHA-256.

The archive is downloaded as data. Nothing in it is installed, imported or run.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from lacelang.errors import ResourceError, WayOut
from lacelang.progress import Progress, Silent
from lacelang.storage.cache import cache_dir, locked, made, sha256_of, whole_file


@frozen
class Archive:
    """A published archive: package, version, the SHA-256 of one file, and that file's name."""

    package: str
    version: str
    sha256: str
    filename: str | None = None

    def __str__(self) -> str:
        return f"{self.package}=={self.version}"


@frozen
class WeightsFile:
    """A file of weights that a model's declaration names, and its SHA-256."""

    path: Path
    sha256: str

    def __str__(self) -> str:
        # Where the file lies is nobody else's business.
        return f"{self.path.name} {self.sha256}"

    def verify(self) -> Path:
        """Return the path of the file; none, or another file, is a ResourceError."""
        if not self.path.is_file():
            raise ResourceError(f"there are no weights at {self.path}", "put the file there")
        if sha256_of(self.path) != self.sha256:
            remedy = "restore the file, or declare the checksum of this one"
            raise ResourceError(f"the weights {self.path} are not those declared", remedy)
        return self.path


def cached_path(archive: Archive) -> Path:
    """Where the verified archive lies, or would lie, in the cache."""
    name = f"{archive.package}-{archive.version}-{archive.sha256}"
    return cache_dir() / "archives" / name


def obtain(archive: Archive, progress: Progress | None = None, help_: str = "") -> Path:
    """Return the path of the archive, verified, fetched first if the cache does not hold it.

    `help_` is the command that takes a file from disk, named when there is no network.
    """

    def fetched(partial: Path) -> None:
        _download(archive, partial, progress, help_)
        _verify(archive, partial, str(archive))

    path = cached_path(archive)
    return made(
        path,
        f"fetching {archive}",
        fetched,
        lambda: path.is_file() and sha256_of(path) == archive.sha256,
    )


def size_of(archive: Archive) -> int | None:
    """Ask the package index how long an archive is, in bytes; None if it does not say."""
    from pypi_simple import NoSuchProjectError
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    from lacelang.storage.download import CONNECT, RefusedError, index

    failures = RequestException, HTTPError, RefusedError, NoSuchProjectError, ValueError
    with suppress(*failures), index() as it:
        page = it.get_project_page(archive.package, timeout=CONNECT)
        sizes = (p.size for p in page.packages if p.digests.get("sha256") == archive.sha256)
        return next(sizes, None)
    return None


def adopt(archive: Archive, file: Path) -> Path:
    """Take the archive from a file the user has, after checking it; return its cached path."""
    if not file.is_file():
        raise ResourceError(f"there is no file {file}", "give the path of the downloaded archive")
    path = cached_path(archive)
    with locked(path, f"storing {archive}"), whole_file(path) as partial:
        shutil.copyfile(file, partial)
        _verify(archive, partial, str(file))
    return path


def _verify(archive: Archive, file: Path, what: str) -> None:
    found = sha256_of(file)
    if found != archive.sha256:
        raise ResourceError(
            f"{what} is damaged or is not the file that was pinned: its SHA-256 is {found}, "
            f"expected {archive.sha256}",
            "fetch it again; nothing was kept",
        )


def _download(archive: Archive, target: Path, progress: Progress | None, help_: str) -> None:
    from pypi_simple import NoSuchProjectError
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    from lacelang.storage.download import CONNECT, RefusedError, download, index

    remedy = "check the network, or name an index mirror with LACELANG_INDEX_URL=URL"
    ways = {}
    if help_:
        remedy += f", or download {archive} elsewhere and give it to `{help_}`"
        ways = {WayOut.FILE: ""}
    try:
        with index() as client:
            page = client.get_project_page(archive.package, timeout=CONNECT)
            pinned = [p for p in page.packages if p.digests.get("sha256") == archive.sha256]
            # Where the index lists no digests, the file so named.
            named = [p for p in page.packages if archive.filename == p.filename and not p.digests]
            if not pinned + named:
                raise ResourceError(f"the package index has no {archive} as pinned", remedy, ways)
            package = (pinned + named)[0]
            bar = (progress or Silent()).stage(f"fetching {archive}", package.size, "bytes")
            with bar as stage:
                download(client, package, target, stage)
    except RefusedError as error:
        message = f"the server that has {archive} is not trusted: {error}"
        raise ResourceError(message, remedy, ways) from None
    except NoSuchProjectError as error:
        raise ResourceError(f"the package index has no {archive.package}", remedy, ways) from error
    except (RequestException, HTTPError) as error:
        raise ResourceError(f"cannot fetch {archive}: no network", remedy, ways) from error
    except ValueError as error:
        # An address that is none, in the environment or of a redirect.
        raise ResourceError(f"cannot fetch {archive}: {error}", remedy, ways) from error
