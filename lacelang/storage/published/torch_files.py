"""Files that `torch.save` writes: zip archives since version 1.6, and the older form."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

from lacelang.storage.published.machine import Machine, unpickled
from lacelang.storage.published.records import Global, Record, RefusedError, refuse, shown
from lacelang.storage.published.tensors import Storage, itemsize

ZIP = b"PK\x03\x04"
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
LEGACY = b"\x8a\n" + _MAGIC.to_bytes(10, "little")
"""What the older form has near its beginning: a pickle of this number."""
_LONGEST_DIRECTORY = 4 << 20
_MOST_STORAGES = 20_000
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1


def is_legacy(data: memoryview) -> bool:
    """Whether it is a file of torch's older form."""
    return LEGACY in bytes(data[:32])


def read_inner(data: memoryview) -> Storage:
    """Return the storage that a torch file inside a pickle holds."""
    value = read_zip(data) if data[:4] == ZIP else read_legacy(data)
    if not isinstance(value, Storage):
        refuse("a tensor has no storage")
    return value


def _storage_id(value: Any) -> tuple[str, str, int]:
    """Return kind, key and length of the storage that a persistent id stands for."""
    if not isinstance(value, tuple) or len(value) < 5 or value[0] != "storage":
        refuse("it refers to something outside of it by a persistent id")
    _, kind, key, _, count = value[:5]
    view = value[5] if len(value) > 5 else None
    if not (isinstance(kind, Global) and isinstance(key, str) and isinstance(count, int)):
        refuse("it has a storage that makes no sense")
    if view is not None or count < 0:
        refuse("it has a storage that makes no sense")
    return kind.name, key, count


# Zip archives


class _Bounded(io.BytesIO):
    """An archive of which no large piece is read at once, such as an endless directory."""

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self.getbuffer().nbytes - self.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > _LONGEST_DIRECTORY:
            refuse("its archive lists far more than a file of weights has")
        return super().read(wanted)


def read_zip(data: memoryview) -> Any:
    """Return what a zip archive of torch's holds; its storages are views of `data`."""
    try:
        # `BytesIO` shares bytes, and copies a view of them.
        whole = data.obj if isinstance(data.obj, bytes) and len(data) == len(data.obj) else data
        with zipfile.ZipFile(_Bounded(whole)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, OverflowError) as error:
        refuse(f"its archive is damaged: {shown(str(error))}")
    if len(entries) > _MOST_STORAGES:
        refuse("its archive lists far more than a file of weights has")
    files: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        _, _, name = entry.filename.partition("/")
        if name in files:
            refuse(f"its archive has `{shown(name)}` twice")
        files[name] = entry
    if "data.pkl" not in files:
        refuse("it is an archive, but none of torch's: it has no `data.pkl`")
    if "byteorder" in files and bytes(_member(data, files["byteorder"])).strip() != b"little":
        refuse("its numbers are big-endian")
    known: dict[str, Storage] = {}

    def storage(value: Any) -> Storage:
        kind, key, count = _storage_id(value)
        if key not in known:
            entry = files.get(f"data/{key}")
            if entry is None:
                refuse(f"it lacks the storage `{shown(key)}`")
            known[key] = Storage(kind, _member(data, entry))
        if known[key].kind != kind or len(known[key].data) != count * itemsize(kind):
            refuse("a storage is shorter or longer than the file says")
        return known[key]

    return unpickled(_member(data, files["data.pkl"]), storage)


def _member(data: memoryview, entry: zipfile.ZipInfo) -> memoryview:
    """Return the bytes of a file in the archive, which torch never compresses."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        refuse("its archive is compressed, which files of torch's are not")
    if entry.flag_bits & _ENCRYPTED:
        refuse("its archive is encrypted")
    head = data[entry.header_offset : entry.header_offset + _LOCAL_HEADER]
    if len(head) < _LOCAL_HEADER or head[:4] != ZIP:
        refuse("its archive is damaged")
    names = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    begin = entry.header_offset + _LOCAL_HEADER + names
    found = data[begin : begin + entry.file_size]
    if len(found) < entry.file_size or zlib.crc32(found) != entry.CRC:
        refuse("its archive is damaged")
    return found


# The older form


def read_legacy(data: memoryview) -> Any:
    """Return what a file of torch's older form holds; its storages are views of `data`."""
    # Storages follow the pickle that refers to them, so that they are given their bytes later.
    asked: dict[str, tuple[str, int]] = {}
    holders: list[tuple[str, Record]] = []

    def storage(value: Any) -> Record:
        kind, key, count = _storage_id(value)
        itemsize(kind)
        if len(asked) >= _MOST_STORAGES:
            refuse("it lists far more storages than a file of weights has")
        if asked.setdefault(key, (kind, count)) != (kind, count):
            refuse("a storage is shorter or longer than the file says")
        holder = Record(Global("torch.storage", "TypedStorage"))
        holders.append((key, holder))
        return holder

    machine = Machine(data, storage)
    try:
        if machine.load() != _MAGIC or machine.load() != _PROTOCOL:
            refuse("it is no file of torch's")
        machine.load()  # of the machine that it was written on
        value, keys = machine.load(), machine.load()
    except UnicodeError:
        raise RefusedError("its pickle has a text that is not UTF-8") from None
    if not isinstance(keys, list):
        refuse("it is damaged: it has no list of storages")
    at, found = machine.at, {}
    for key in keys:
        if not isinstance(key, str) or key not in asked or key in found:
            refuse("it is damaged: it lists a storage that nothing uses")
        kind, count = asked[key]
        size = count * itemsize(kind)
        if data[at : at + 8] != count.to_bytes(8, "little") or at + 8 + size > len(data):
            refuse("it is cut short, or a storage is shorter or longer than the file says")
        found[key] = Storage(kind, data[at + 8 : at + 8 + size])
        at += 8 + size
    for key, holder in holders:
        if key not in found:
            refuse(f"it lacks the storage `{shown(key)}`")
        holder.state = found[key]
    return value.state if any(holder is value for _, holder in holders) else value
