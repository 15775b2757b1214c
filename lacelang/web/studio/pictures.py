"""Files of a run for the page: images as they are, or small, film strips, and a zip of it all."""

from __future__ import annotations

import io
import tempfile
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path

from PIL import Image

from lacelang.errors import UsageError
from lacelang.storage.files import disk_errors
from lacelang.storage.group_folder import film_name, image_name
from lacelang.web.studio.runs import StudioRun

#: Pixels of the longer side of a small image.
SIDE = 384
#: Bytes of small images that are held in memory.
MOST_BYTES = 24 << 20


class Pictures:
    """Images of runs; small ones are kept in memory, the last that were asked for."""

    def __init__(self) -> None:
        self._small: OrderedDict[tuple[int, str, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def path(self, run: StudioRun, group: str, index: int, film: bool = False) -> Path:
        """Return the PNG file of a sample, or of its film strip; a UsageError if there is none."""
        shown = run.groups.get(group)
        name = film_name(index) if film else image_name(index)
        path = run.folder / (shown.record.folder if shown is not None else "") / name
        if shown is None or not path.is_file():
            raise UsageError(f"there is no image {index} of {group!r} any more")
        return path

    def small(self, run: StudioRun, group: str, index: int) -> tuple[bytes, str]:
        """Return an image for the gallery, and its media type."""
        path, key = self.path(run, group, index), (run.number, group, index)
        with self._lock:
            if key in self._small:
                self._small.move_to_end(key)
                return self._small[key], "image/jpeg"
        data = path.read_bytes()
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if max(image.size) <= SIDE:
                return data, "image/png"
            small = image.convert("RGB")
            small.thumbnail((SIDE, SIDE), reducing_gap=2.0)
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=90)
        self._keep(key, stream.getvalue())
        return stream.getvalue(), "image/jpeg"

    def _keep(self, key: tuple[int, str, int], data: bytes) -> None:
        with self._lock:
            if key not in self._small:
                self._small[key] = data
                self._bytes += len(data)
            while self._bytes > MOST_BYTES:
                _, oldest = self._small.popitem(last=False)
                self._bytes -= len(oldest)


def zipped(run: StudioRun) -> Path:
    """Write the folder of a run, with its program, as a zip file beside it, and return that.

    Raises:
        ResourceError: the disk is full.
        UsageError: the run goes on, or made nothing.
    """
    if not run.over:
        raise UsageError("the run goes on; stop it, or wait until it is done")
    files = [p for p in sorted(run.folder.rglob("*")) if p.is_file() and _is_shown(p, run.folder)]
    if not files:
        raise UsageError("this run made nothing")
    folder = f"run-{run.number}"
    with disk_errors(run.folder):
        handle, name = tempfile.mkstemp(".zip", dir=run.folder.parent)
        # Images are compressed already.
        with open(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(f"{folder}/program.lace", run.text)
            for path in files:
                archive.write(path, f"{folder}/{path.relative_to(run.folder).as_posix()}")
    return Path(name)


def _is_shown(path: Path, root: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(root).parts)
