"""What a PNG says of how it was made, so that it can be made again from the file alone.

It stands in compressed iTXt chunks in front of the pixels:

    lacelang             JSON: the fields of `Provenance` but the two below
    lacelang.program     the program's text; a long one goes on in lacelang.program.2, …
    lacelang.start       of what began from files: the first latents, safetensors in base64

and, uncompressed as its standard wants it, XMP, by which other programs know that the image is
synthetic. Everything stays within what Pillow reads of a file that it does not trust.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, takewhile
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load, save

from lacelang.errors import UsageError
from lacelang.storage.arrays import digest_of
from lacelang.storage.latents import Latents, are_sound, arrays_of, latents_of
from lacelang.storage.png import DAMAGED, MOST_IN_CHUNK, XMP, texts_of
from lacelang.storage.records import Count, SampleRecord, plain
from lacelang.text.hidden import in_line

KEY = "lacelang"
PROGRAM = "lacelang.program"
START = "lacelang.start"
SCHEMA = 2
NAMELESS = "<program>"
"""What a program without a file is called."""

MOST_JSON = 256 << 10
"""Bytes of the JSON of one image."""
MOST_PROGRAM = 16 << 20
"""Bytes of a program that an image carries: what is imported may make it longer than a file."""
MOST_START = 384 << 10
"""Bytes of the latents that an image carries: those of an edit with about 150 lines."""

SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's name for media that a trained model made."""

OF_PHOTO = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's name for media of which a trained model made a part, such as an edited photograph."""

# What grows with the program, the more needed first; the rest is short.
_LARGE = ("saved", "settings", "condition", "sample")

Digest: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
What: TypeAlias = Literal["image", "pasted", "film", "sheet", "grid"]

_XMP = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmp:CreatorTool="lacelang"
    Iptc4xmpExt:DigitalSourceType="{source}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


@frozen
class SavedSamples:
    """What a program needs to know of samples on disk, to be checked without them."""

    model: str
    truncation: float
    seed: Count
    of_run: bool  # they are a group of a run's, and not a file of latents
    photo: str | None = None  # the digest of the photograph that they were made of, if they were


@frozen
class Began:
    """The samples on disk, or the photograph, that an image came from."""

    name: str  # as the program has it
    samples: str  # a digest of all of them
    start: Digest | None = None  # of the latents that the image carries


@frozen
class Origin:
    """A group that an image came from."""

    name: str
    fingerprint: str


@frozen
class TermUsed:
    """A term that Python defined, of which a program has the name alone."""

    on: str
    version: str


@frozen
class Provenance:
    """What an image was made from, and what came of it.

    Attributes:
        what: an image of a sample, a photograph that one was pasted into, the film strip of one,
            the contact sheet of a group, or a grid of groups, of which the first is described.
        name: of the program's file.
        program: its text, formatted, with what it imports in it; None if that was left out.
        unresolved: why `program` is as it was written and has imports, if so.
        versions: of what the last bits of an image depend on, and the kind of machine.
        group: the group's name; `kind` is the word that its statement begins with.
        condition: what was asked for, on one line.
        fingerprint: of all that a sample depends on except its index.
        seed: the one in force.
        settings: the model, the digests of its weights, the sampler and its options, and so on.
        came_from: the groups that it came from, the first one first.
        began: the samples on disk that the first of them began from.
        saved: all samples on disk that the program names.
        terms: the terms of Python's that the program names.
        sample: index, energy, status, readings; None of a sheet or a grid.
        pixels: SHA-256 of the pixels, RGB, row by row.
        replay_of: the `pixels` of the image that was made again, if it is a replay.
        left_out: SHA-256 of what would not fit, by field.
        start: the latents, of one sample, that `began` speaks of.
        synthetic: no camera took it.
    """

    what: What
    name: str
    versions: Mapping[str, str]
    group: str
    kind: str
    fingerprint: str
    seed: Count
    program: str | None = None
    condition: str | None = None
    settings: Mapping[str, Any] | None = None
    unresolved: str | None = None
    came_from: tuple[Origin, ...] = ()
    began: Began | None = None
    saved: Mapping[str, SavedSamples] | None = None
    terms: Mapping[str, TermUsed] = field(factory=dict)
    sample: SampleRecord | None = None
    pixels: Digest | None = None
    replay_of: Digest | None = None
    left_out: Mapping[str, str] = field(factory=dict)
    start: Latents | None = field(default=None, eq=False)
    synthetic: bool = True

    @property
    def of_grid(self) -> Provenance:
        """That of a grid whose first group this is of."""
        bare = evolve(self, condition=None, sample=None, pixels=None, replay_of=None, start=None)
        return evolve(bare, what="grid")


class _Json(msgspec.Struct):
    schema: int


def texts(said: Provenance) -> dict[str, str]:
    """Return the texts of an image, by the names of their chunks; `read` is the inverse."""
    left = dict(said.left_out)
    program = None if said.program is None else _utf8(said.program)
    start, packed = said.start, b""
    began = said.began
    if start is not None and began is not None:
        arrays = arrays_of(start)
        packed, digest = save(arrays), digest_of(arrays)
        if len(packed) > MOST_START:
            left["start"], packed = digest, b""
        else:
            began = evolve(began, start=digest)
    # A digest of the program is always there, so that nobody mistakes a part for the whole.
    digest_of_program = None if program is None else hashlib.sha256(program).hexdigest()
    if program is not None and len(program) > MOST_PROGRAM:
        left["program"], program, digest_of_program = str(digest_of_program), None, None
    said = evolve(said, program=None, start=None, began=began, left_out={})
    if said.sample is not None:
        said = evolve(said, sample=evolve(said.sample, steps=(), trace=None))
    fields = {"schema": SCHEMA, **plain(said)}
    if digest_of_program is not None:
        fields["program"] = digest_of_program
    fields = _fitted(fields, left)
    chunks = {KEY: _json(fields).decode()}
    if program is not None:
        chunks |= zip(_names(PROGRAM), _divided(program), strict=False)
    if packed:
        chunks[START] = base64.b64encode(packed).decode()
    return chunks | synthetic(said.settings is not None and "photo" in said.settings)


def synthetic(of_photo: bool = False) -> dict[str, str]:
    """Return the text of a picture that says no more than that no camera took it, or not all."""
    return {XMP: _XMP.format(source=OF_PHOTO if of_photo else SYNTHETIC)}


def _fitted(fields: dict[str, Any], left: dict[str, str]) -> dict[str, Any]:
    """Leave out what is too large for an image; its SHA-256 stands in `left_out`."""
    short = {name: value for name, value in fields.items() if name not in _LARGE}
    room = MOST_JSON - len(_json(short)) - 1024  # for the digests of what is left out
    for name in _LARGE:
        if name not in fields:
            continue
        text = _json(fields[name])
        if len(text) <= room:
            room -= len(text)
            continue
        left[name] = hashlib.sha256(text).hexdigest()
        del fields[name]
        if name == "sample":
            # The readings are by the texts of comparisons; what else there is of it is short.
            kept = {"index", "energy", "status", "nfe", "tries"}
            sample = {n: v for n, v in json.loads(text).items() if n in kept}
            fields[name] = {**sample, "readings": {}}
    return {**fields, "left_out": left} if left else fields


def read(path: Path) -> Provenance | None:
    """Return what the PNG file at `path` says of how it was made; None if it says nothing.

    What it says may be anything: only its form is checked, and the digests of its parts.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no PNG file, or what it says is damaged.
    """
    found = texts_of(path)
    said = found.get(KEY)
    return None if said is None else _parsed(said, found)


def _parsed(said: str, found: Mapping[str, str]) -> Provenance:
    try:
        data = _utf8(said)
        if len(data) > MOST_JSON:
            raise ValueError("it is too long")
        schema = msgspec.json.decode(data, type=_Json).schema
        if schema != SCHEMA:
            age = "a later" if schema > SCHEMA else "an earlier"
            raise ValueError(f"{age} version of lacelang wrote it (schema {schema}, not {SCHEMA})")
        result = msgspec.json.decode(data, type=Provenance)
        # In its place stands its digest.
        text = None if result.program is None else _joined(found)
        if text is not None and hashlib.sha256(_utf8(text)).hexdigest() != result.program:
            raise ValueError("the program is not all there")
        return evolve(result, program=text, start=_start(result, found))
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


def _start(said: Provenance, found: Mapping[str, str]) -> Latents | None:
    if said.began is None or said.began.start is None:
        return None
    try:
        arrays = load(base64.b64decode(found.get(START, ""), validate=True))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError("the latents that it began from are damaged") from error
    latents = latents_of(arrays) if are_sound(arrays) else None
    if latents is None or len(latents) != 1 or digest_of(arrays) != said.began.start:
        raise ValueError("the latents that it began from are damaged")
    return latents


def of_image(path: Path) -> Provenance:
    """Return what an image says of how it was made, or raise a UsageError that says why not."""
    try:
        said = read(path)
    except FileNotFoundError:
        raise UsageError(f"there is no image {path}") from None
    except OSError as error:
        if path.is_dir():
            raise UsageError(f"{path} is a folder, not an image") from None
        if error.strerror:
            raise UsageError(f"cannot read {path}: {error.strerror.lower()}") from None
        said = None
    except ValueError as error:
        if path.is_dir():
            raise UsageError(f"{path} is a folder, not an image") from None
        if not path.exists():
            raise UsageError(f"there is no image {path}") from None
        if _is_image(path):
            raise UsageError(
                f"what {path} says of how it was made cannot be used: {in_line(str(error))[:300]}"
            ) from None
        said = None
    if said is not None:
        return said
    if not _is_image(path, None):
        raise UsageError(f"{path} is no image, or it is damaged")
    raise UsageError(
        f"{path} does not say how it was made\nthe PNG files of a run do, unless it was told to "
        "leave that out; other formats, editors and many web sites lose it"
    )


def _is_image(path: Path, formats: Sequence[str] | None = ("PNG",)) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            if formats is not None:
                return file.read(8) == b"\x89PNG\r\n\x1a\n"
            Image.open(file, formats=formats).close()
    except DAMAGED:
        return False
    return True


def carries(path: Path) -> bool:
    """Whether an image carries provenance that can be read, of any version."""
    try:
        said = texts_of(path).get(KEY)
        return said is not None and msgspec.json.decode(_utf8(said), type=_Json).schema > 0
    except (OSError, ValueError, RecursionError):
        return False


def digest_of_pixels(image: NDArray[np.uint8]) -> str:
    """SHA-256 of an image, uint8 (H, W, 3), row by row."""
    return hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()


def _names(first: str) -> Iterator[str]:
    yield first
    yield from (f"{first}.{number}" for number in count(2))


def _divided(data: bytes) -> Iterator[str]:
    """Divide UTF-8 text into parts that fit a chunk each; at least one."""
    place = 0
    while place < len(data) or not place:
        end = min(place + MOST_IN_CHUNK, len(data))
        while 0 < end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1  # not inside a character
        yield data[place:end].decode()
        if end == len(data):
            return
        place = end


def _joined(found: Mapping[str, str]) -> str:
    parts = [found[name] for name in takewhile(found.__contains__, _names(PROGRAM))]
    return "".join(parts)


def _utf8(text: str) -> bytes:
    # Text from Python may hold halves of characters, which no file can.
    return text.encode(errors="replace")


def _json(value: object) -> bytes:
    return _utf8(json.dumps(value, ensure_ascii=False, allow_nan=False))
